//! Whether the wanted pairs can all be held.

use super::{both, names};
use crate::shortlist::{
    Party,
    problem::{Pair, ShortlistProblem},
};
use queqiao_domain::Bilingual;
use queqiao_solve::{Certificate, Change, Clash, Relaxation};
use std::collections::HashSet;

/// A certificate that wanted pairs cannot all be held; `None` when they can.
pub(crate) fn wanted(
    p: &ShortlistProblem,
    held: &[bool],
    barred: &HashSet<(usize, usize)>,
) -> Option<Certificate> {
    let mut collision = Vec::new();
    let mut relaxations = Vec::new();
    let pairs: Vec<&Pair> = p
        .pairs
        .iter()
        .zip(held)
        .filter(|h| *h.1)
        .map(|h| h.0)
        .collect();
    for pair in &pairs {
        if barred.contains(&(pair.need, pair.expert)) {
            let about = vec![
                p.needs[pair.need].id.clone(),
                p.experts[pair.expert].id.clone(),
            ];
            let (n, e) = (&about[0], &about[1]);
            collision.push(Clash {
                constraint: "wanted".into(),
                text: Bilingual::new(
                    format!("{n} and {e} are wanted together and must not meet"),
                    format!("{n} 与 {e} 既被指定会面，又须回避"),
                ),
                about: about.clone(),
            });
            for (constraint, en, zh, cost) in [
                ("wanted", "give up the wish for", "取消指定会面", 1.0),
                ("barred", "lift the bar on", "解除回避", 10.0),
            ] {
                relaxations.push(Relaxation {
                    cost,
                    changes: vec![Change {
                        constraint: constraint.into(),
                        about: about.clone(),
                        by: 1.0,
                        text: Bilingual::new(format!("{en} {n} – {e}"), format!("{zh}：{n} – {e}")),
                    }],
                });
            }
            return Some(Certificate {
                collision,
                minimal: true,
                relaxations,
            });
        }
    }
    let mut check = |id: &str, most: u32, mine: Vec<&Pair>| {
        if mine.len() <= most as usize || !collision.is_empty() {
            return;
        }
        let by = mine.len() - most as usize;
        let about: Vec<String> = mine
            .iter()
            .map(|q| format!("{} – {}", p.needs[q.need].id, p.experts[q.expert].id))
            .collect();
        collision.push(Clash {
            constraint: "wanted".into(),
            text: both(
                &about,
                |s| format!("{} meetings of {id} are wanted ({s})", mine.len()),
                |s| format!("{id} 被指定 {} 场会面（{s}）", mine.len()),
            ),
            about,
        });
        collision.push(Clash {
            constraint: "capacity".into(),
            about: vec![id.to_owned()],
            text: Bilingual::new(
                format!("{id} has room for {most}"),
                format!("{id} 至多 {most} 场"),
            ),
        });
        for (constraint, cost, en, zh) in [
            (
                "capacity",
                1.0,
                format!("raise the limit of {id} by {by}"),
                format!("将 {id} 的上限提高 {by}"),
            ),
            (
                "wanted",
                3.0,
                format!("give up {by} of its wanted meetings"),
                format!("取消其中 {by} 场指定会面"),
            ),
        ] {
            relaxations.push(Relaxation {
                cost: cost * by as f64,
                changes: vec![Change {
                    constraint: constraint.into(),
                    about: vec![id.to_owned()],
                    by: by as f64,
                    text: Bilingual::new(en, zh),
                }],
            });
        }
    };
    let of = |f: &dyn Fn(&Pair) -> bool| pairs.iter().copied().filter(|q| f(q)).collect();
    for (i, party) in p.needs.iter().enumerate() {
        check(&party.id, party.most, of(&|q| q.need == i));
    }
    for (j, party) in p.experts.iter().enumerate() {
        check(&party.id, party.most, of(&|q| q.expert == j));
    }
    let first = |parties: &[Party], g: usize| {
        let ids: Vec<String> = parties
            .iter()
            .filter(|q| q.group == Some(g))
            .map(|q| q.id.clone())
            .collect();
        names(&ids, false)
    };
    for (g, most) in p.need_groups.iter().enumerate() {
        check(
            &first(&p.needs, g),
            *most,
            of(&|q| p.needs[q.need].group == Some(g)),
        );
    }
    for (g, most) in p.expert_groups.iter().enumerate() {
        check(
            &first(&p.experts, g),
            *most,
            of(&|q| p.experts[q.expert].group == Some(g)),
        );
    }
    (!collision.is_empty()).then_some(Certificate {
        collision,
        minimal: true,
        relaxations,
    })
}
