//! Minima of needs and of experts that collide only together.

use super::both;
use crate::shortlist::{
    Party, flow,
    problem::{Pair, Prices, ValidShortlists},
};
use queqiao_domain::Bilingual;
use queqiao_solve::{Certificate, Change, Clash, Programme, Relaxation, Sense, Stop, Variable};

/// Pairs up to which a collision of minima of both sides is looked for one constraint at a time.
const SMALL: usize = 3_000;

/// The needs' minima hold alone; it is together with those of the experts that they do not. A
/// programme with one tag per constraint finds a smallest set that collides.
pub(super) fn among_all(v: &ValidShortlists, prices: &Prices, stop: &Stop) -> Option<Certificate> {
    let p = &v.problem;
    let plain = p.need_groups.is_empty() && p.experts.iter().all(|e| e.least == 0);
    if plain || keeps_all(v, stop) {
        return None;
    }
    let free: Vec<usize> = (0..p.pairs.len())
        .filter(|c| v.open[*c] || v.held[*c])
        .collect();
    if free.len() > SMALL {
        return Some(too_large(v));
    }
    let mut programme = Programme::new();
    let x: Vec<Variable> = free.iter().map(|_| programme.choice(0.0)).collect();
    for (k, c) in free.iter().enumerate() {
        if v.held[*c] {
            programme.fix(x[k], 1.0);
        }
    }
    let terms = |f: &dyn Fn(&Pair) -> bool| -> Vec<(Variable, f64)> {
        free.iter()
            .zip(&x)
            .filter(|(c, _)| f(&p.pairs[**c]))
            .map(|(_, v)| (*v, 1.0))
            .collect()
    };
    // Tag to its words, constraint, ids and price.
    let mut told: Vec<(Clash, f64)> = Vec::new();
    for (side, parties) in [(0, &p.needs), (1, &p.experts)] {
        for (i, q) in parties.iter().enumerate() {
            let mine = |pair: &Pair| [pair.need, pair.expert][side] == i;
            let row = |programme: &mut Programme, told: &mut Vec<(Clash, f64)>, least: bool| {
                let (sense, bound) = if least {
                    (Sense::AtLeast, q.least)
                } else {
                    (Sense::AtMost, q.most)
                };
                programme.row(told.len(), terms(&mine), sense, f64::from(bound));
                let text = if least {
                    Bilingual::new(
                        format!("{} shall have at least {bound} meeting(s)", q.id),
                        format!("{} 至少 {bound} 场", q.id),
                    )
                } else {
                    Bilingual::new(
                        format!("{} may have at most {bound}", q.id),
                        format!("{} 至多 {bound} 场", q.id),
                    )
                };
                let clash = Clash {
                    constraint: if least { "least" } else { "capacity" }.into(),
                    about: vec![q.id.clone()],
                    text,
                };
                told.push((clash, if least { prices.least } else { prices.capacity }));
            };
            if q.least > 0 {
                row(&mut programme, &mut told, true);
            }
            row(&mut programme, &mut told, false);
        }
    }
    for (side, (groups, parties)) in [(&p.need_groups, &p.needs), (&p.expert_groups, &p.experts)]
        .into_iter()
        .enumerate()
    {
        for (g, most) in groups.iter().enumerate() {
            let mine = |pair: &Pair| parties[[pair.need, pair.expert][side]].group == Some(g);
            programme.row(told.len(), terms(&mine), Sense::AtMost, f64::from(*most));
            let ids: Vec<String> = parties
                .iter()
                .filter(|q| q.group == Some(g))
                .map(|q| q.id.clone())
                .collect();
            let text = both(
                &ids,
                |s| format!("{s} may have at most {most} together"),
                |s| format!("{s} 合计至多 {most} 场"),
            );
            let clash = Clash {
                constraint: "group".into(),
                about: ids,
                text,
            };
            told.push((clash, prices.capacity));
        }
    }
    let tags = programme.collision(stop);
    let minimal = tags.is_some();
    let collision = tags
        .into_iter()
        .flatten()
        .map(|t| told[t].0.clone())
        .collect();
    let every: Vec<(usize, f64)> = told.iter().enumerate().map(|(t, x)| (t, x.1)).collect();
    let only = |kind: &[&str]| -> Vec<(usize, f64)> {
        every
            .iter()
            .copied()
            .filter(|(t, _)| kind.contains(&told[*t].0.constraint.as_str()))
            .collect()
    };
    let mut relaxations = Vec::new();
    if minimal {
        for priced in [
            every.clone(),
            only(&["least"]),
            only(&["capacity", "group"]),
        ] {
            if let Some(r) = programme.relax(&priced, stop) {
                relaxations.push(Relaxation {
                    cost: r.price,
                    changes: r
                        .by
                        .iter()
                        .map(|(t, by)| {
                            let clash = &told[*t].0;
                            Change {
                                constraint: clash.constraint.clone(),
                                about: clash.about.clone(),
                                by: *by,
                                text: Bilingual::new(
                                    format!("let this give way by {by:.0}: {}", clash.text.en),
                                    format!("放宽 {by:.0}：{}", clash.text.zh),
                                ),
                            }
                        })
                        .collect(),
                });
            }
        }
    }
    let mut certificate = Certificate {
        collision,
        minimal,
        relaxations,
    };
    certificate.rank();
    Some(certificate)
}

/// True when the lists of greatest total keep every minimum.
fn keeps_all(v: &ValidShortlists, stop: &Stop) -> bool {
    let goal = flow::Goal {
        fill: false,
        exposure: 0.0,
    };
    let Ok(solved) = flow::solve(v, goal, stop) else {
        return false;
    };
    let chosen = solved.chosen(v);
    let loads = v.loads(&chosen);
    let mut got = vec![0_u32; v.problem.needs.len()];
    for c in &chosen {
        got[v.problem.pairs[*c].need] += 1;
    }
    let kept = |parties: &[Party], got: &[u32]| parties.iter().zip(got).all(|(q, g)| *g >= q.least);
    kept(&v.problem.needs, &got) && kept(&v.problem.experts, &loads)
}

/// What is told when a collision is too wide to be taken apart one constraint at a time.
fn too_large(v: &ValidShortlists) -> Certificate {
    let p = &v.problem;
    let ids: Vec<String> = p
        .needs
        .iter()
        .chain(&p.experts)
        .filter(|q| q.least > 0)
        .map(|q| q.id.clone())
        .collect();
    Certificate {
        collision: vec![Clash {
            constraint: "least".into(),
            text: both(
                &ids,
                |s| format!("the least numbers of {s} cannot all be kept within the limits"),
                |s| format!("{s} 的最低场次无法在各项上限内同时满足"),
            ),
            about: ids,
        }],
        minimal: false,
        relaxations: Vec::new(),
    }
}
