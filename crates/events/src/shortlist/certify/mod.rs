//! Why some cannot get their least, and what would help.

mod both_sides;
mod remedies;
mod wanted;

pub(crate) use wanted::wanted;

use super::{
    Party,
    problem::{Prices, ValidShortlists},
};
use both_sides::among_all;
use queqiao_domain::Bilingual;
use queqiao_solve::{
    Arc, Certificate, Change, Clash, Network, Node, Relaxation, Residual, Simplex, Stop,
};
use remedies::remedies;
use std::collections::BTreeSet;

/// Parties named in one message at most.
const NAMED: usize = 6;
/// Remedies that are tried per set of needs.
const TRIED: usize = 40;
/// Sets of needs up to this size are shrunk one by one.
const SHRUNK: usize = 300;

fn names(ids: &[String], zh: bool) -> String {
    let shown: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
    let more = ids.len().saturating_sub(NAMED);
    match (zh, more) {
        (false, 0) => shown.join(", "),
        (true, 0) => shown.join("、"),
        (false, n) => format!("{} and {n} more", shown.join(", ")),
        (true, n) => format!("{}等 {} 个", shown.join("、"), shown.len() + n),
    }
}

fn both(ids: &[String], en: impl Fn(&str) -> String, zh: impl Fn(&str) -> String) -> Bilingual {
    Bilingual::new(en(&names(ids, false)), zh(&names(ids, true)))
}

/// The minima of needs alone as a largest flow: who stays short, and a set of needs around the first
/// of them whose experts are all full.
#[derive(Clone)]
struct Minima {
    lacks: u64,
    around: Vec<usize>,
}

fn minima_flow(v: &ValidShortlists, stop: &Stop) -> Option<Minima> {
    let p = &v.problem;
    let room = v.room();
    let (n, m, groups) = (p.needs.len(), p.experts.len(), p.expert_groups.len());
    let home = (n + m + groups) as Node;
    let mut net = Network::new(n + m + groups + 1, 0);
    let has = held_by_need(v);
    let escape: Vec<Arc> = (0..n)
        .map(|i| {
            let lacks = i64::from(p.needs[i].least.saturating_sub(has[i]));
            net.supply(i as Node, lacks);
            net.supply(home, -lacks);
            net.arc(i as Node, home, lacks + 1, 1)
        })
        .collect();
    for (c, pair) in p.pairs.iter().enumerate() {
        if v.open[c] {
            net.arc(pair.need as Node, (n + pair.expert) as Node, 1, 0);
        }
    }
    for (j, party) in p.experts.iter().enumerate() {
        let to = party.group.map_or(home, |g| (n + m + g) as Node);
        net.arc((n + j) as Node, to, i64::from(room.experts[j]), 0);
    }
    for (g, most) in room.expert_groups.iter().enumerate() {
        net.arc((n + m + g) as Node, home, i64::from(*most), 0);
    }
    let mut simplex = Simplex::new(net, Some(home)).ok()?;
    let flow = simplex.solve(stop);
    if !flow.finished {
        return None;
    }
    let lack = |i: usize| flow.units[escape[i] as usize];
    // What a short need can reach without going home: needs that cannot spare, experts that are full.
    let around = match (0..n).find(|i| lack(*i) > 0) {
        None => Vec::new(),
        Some(first) => {
            let reached = Residual::new(&simplex).reachable([first as Node], home);
            (0..n).filter(|i| reached[*i]).collect()
        }
    };
    Some(Minima {
        lacks: (0..n).map(|i| lack(i) as u64).sum(),
        around,
    })
}

fn held_by_need(v: &ValidShortlists) -> Vec<u32> {
    let mut has = vec![0_u32; v.problem.needs.len()];
    for (c, pair) in v.problem.pairs.iter().enumerate() {
        has[pair.need] += u32::from(v.held[c]);
    }
    has
}

/// Why the minima cannot all be kept. `None` when they can be, or time ran out.
pub(crate) fn minima(v: &ValidShortlists, prices: &Prices, stop: &Stop) -> Option<Certificate> {
    if let Some(c) = group_minima(v, prices, stop) {
        return Some(c);
    }
    let found = minima_flow(v, stop)?;
    if found.lacks == 0 {
        return among_all(v, prices, stop);
    }
    // Where several sets of needs are short, each is mended in turn at the lowest price; the first
    // is the one that is told, and its other remedies come with what mends the rest.
    let mut mended = v.clone();
    let (mut collision, mut first, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    let mut lacks = found.lacks;
    let mut around = found.around;
    while lacks > 0 && !stop.now() {
        shrink(&mended, &mut around);
        let experts = experts_of(&mended, &around);
        let missing = demand(&mended, &around).saturating_sub(supply(&mended, &experts));
        let mut fixes = remedies(&mended, prices, &around, &experts, missing);
        fixes.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        // What is proposed must really help: each is tried.
        let mut working = Vec::new();
        for fix in fixes.into_iter().take(TRIED) {
            let mut trial = mended.clone();
            fix.apply(&mut trial);
            let Some(after) = minima_flow(&trial, stop) else {
                break;
            };
            if after.lacks + missing <= lacks {
                working.push((fix, trial, after));
            }
        }
        if collision.is_empty() {
            collision = clashes(&mended, &around, &experts);
        }
        let Some((best, trial, after)) = working.first().cloned() else {
            break;
        };
        if first.is_empty() {
            first = working.into_iter().map(|w| w.0).collect();
        } else {
            rest.push(best);
        }
        mended = trial;
        lacks = after.lacks;
        around = after.around;
    }
    let whole = lacks == 0;
    let mut certificate = Certificate {
        collision,
        minimal: true,
        relaxations: Vec::new(),
    };
    if whole {
        let promised =
            !v.problem.need_groups.is_empty() || v.problem.experts.iter().any(|e| e.least > 0);
        for f in first {
            let mut changes: Vec<Change> = std::iter::once(&f)
                .chain(&rest)
                .flat_map(|r| r.changes.clone())
                .collect();
            let mut cost = f.cost + rest.iter().map(|r| r.cost).sum::<f64>();
            if promised {
                let mut trial = v.clone();
                for r in std::iter::once(&f).chain(&rest) {
                    r.apply(&mut trial);
                }
                if let Some(more) = among_all(&trial, prices, stop) {
                    let Some(more) = more.relaxations.into_iter().next() else {
                        continue;
                    };
                    cost += more.cost;
                    changes.extend(more.changes);
                }
            }
            certificate.relaxations.push(Relaxation { cost, changes });
        }
    }
    certificate.rank();
    Some(certificate)
}

/// A group of needs that is promised more than it may have.
fn group_minima(v: &ValidShortlists, prices: &Prices, stop: &Stop) -> Option<Certificate> {
    let p = &v.problem;
    for (g, most) in p.need_groups.iter().enumerate() {
        let members: Vec<&Party> = p.needs.iter().filter(|q| q.group == Some(g)).collect();
        let has = held_by_need(v);
        let least: u32 = (0..p.needs.len())
            .filter(|i| p.needs[*i].group == Some(g))
            .map(|i| p.needs[i].least.max(has[i]))
            .sum();
        if least <= *most {
            continue;
        }
        let ids: Vec<String> = members
            .iter()
            .filter(|q| q.least > 0)
            .map(|q| q.id.clone())
            .collect();
        let by = f64::from(least - most);
        let change = |constraint: &str, price: f64, en: String, zh: String| Relaxation {
            cost: price * by,
            changes: vec![Change {
                constraint: constraint.into(),
                about: ids.clone(),
                by,
                text: Bilingual::new(en, zh),
            }],
        };
        let mut certificate = Certificate {
            collision: vec![
                Clash {
                    constraint: "least".into(),
                    text: both(
                        &ids,
                        |s| format!("{s} shall have at least {least} meeting(s) together"),
                        |s| format!("{s} 合计至少需要 {least} 场会面"),
                    ),
                    about: ids.clone(),
                },
                Clash {
                    constraint: "group".into(),
                    about: ids.clone(),
                    text: Bilingual::new(
                        format!("whoever asks for them may have at most {most}"),
                        format!("其提出方合计至多 {most} 场"),
                    ),
                },
            ],
            minimal: true,
            relaxations: vec![
                change(
                    "group",
                    prices.capacity,
                    format!(
                        "raise the limit of those who ask for {} to {least}",
                        names(&ids, false)
                    ),
                    format!("将 {} 提出方的合计上限提高到 {least}", names(&ids, true)),
                ),
                change(
                    "least",
                    prices.least,
                    format!("promise {} {by} meeting(s) less", names(&ids, false)),
                    format!("将 {} 的最低场次合计减少 {by}", names(&ids, true)),
                ),
            ],
        };
        // What else is wrong once this one gives way has to be mended too.
        let mut raised = v.clone();
        raised.problem.need_groups[g] = least;
        let mut lowered = v.clone();
        let mut left = least - most;
        for (i, q) in lowered.problem.needs.iter_mut().enumerate() {
            if q.group == Some(g) {
                let give = q.least.saturating_sub(has[i]).min(left);
                q.least -= give;
                left -= give;
            }
        }
        for (r, mended) in certificate.relaxations.iter_mut().zip([raised, lowered]) {
            if let Some(more) =
                minima(&mended, prices, stop).and_then(|c| c.relaxations.into_iter().next())
            {
                r.cost += more.cost;
                r.changes.extend(more.changes);
            }
        }
        certificate.rank();
        return Some(certificate);
    }
    None
}

fn experts_of(v: &ValidShortlists, needs: &[usize]) -> Vec<usize> {
    let wanted: BTreeSet<usize> = needs.iter().copied().collect();
    let mut out: BTreeSet<usize> = BTreeSet::new();
    for (c, pair) in v.problem.pairs.iter().enumerate() {
        if v.open[c] && wanted.contains(&pair.need) {
            out.insert(pair.expert);
        }
    }
    out.into_iter().collect()
}

fn demand(v: &ValidShortlists, needs: &[usize]) -> u64 {
    let has = held_by_need(v);
    needs
        .iter()
        .map(|i| u64::from(v.problem.needs[*i].least.saturating_sub(has[*i])))
        .sum()
}

/// Meetings that a set of experts can give, their groups' limits included.
fn supply(v: &ValidShortlists, experts: &[usize]) -> u64 {
    let room = v.room();
    let mut alone = 0_u64;
    let mut grouped = vec![0_u64; v.problem.expert_groups.len()];
    for j in experts {
        let places = u64::from(room.experts[*j]);
        match v.problem.experts[*j].group {
            Some(g) => grouped[g] += places,
            None => alone += places,
        }
    }
    alone
        + grouped
            .iter()
            .zip(&room.expert_groups)
            .map(|(a, b)| (*a).min(u64::from(*b)))
            .sum::<u64>()
}

/// Drops needs as long as the rest still asks for more than its experts have.
fn shrink(v: &ValidShortlists, needs: &mut Vec<usize>) {
    if needs.len() > SHRUNK {
        return;
    }
    let mut k = 0;
    while k < needs.len() {
        let mut less = needs.clone();
        less.remove(k);
        if !less.is_empty() && demand(v, &less) > supply(v, &experts_of(v, &less)) {
            *needs = less;
        } else {
            k += 1;
        }
    }
}

fn clashes(v: &ValidShortlists, needs: &[usize], experts: &[usize]) -> Vec<Clash> {
    let p = &v.problem;
    let about: Vec<String> = needs.iter().map(|i| p.needs[*i].id.clone()).collect();
    let who: Vec<String> = experts.iter().map(|j| p.experts[*j].id.clone()).collect();
    let (asked, held) = (demand(v, needs), supply(v, experts));
    let mut out = vec![Clash {
        constraint: "least".into(),
        text: both(
            &about,
            |s| format!("{s} shall have at least {asked} meeting(s) together"),
            |s| format!("{s} 合计至少需要 {asked} 场会面"),
        ),
        about,
    }];
    out.push(if who.is_empty() {
        Clash {
            constraint: "candidates".into(),
            text: Bilingual::new("no expert is a candidate for them", "没有任何候选专家"),
            about: Vec::new(),
        }
    } else {
        Clash {
            constraint: "capacity".into(),
            text: both(
                &who,
                |s| format!("their only candidates {s} have room for {held}"),
                |s| format!("其候选专家仅有 {s}，合计只能接待 {held} 场"),
            ),
            about: who,
        }
    });
    out
}
