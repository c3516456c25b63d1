//! Why some cannot get their least, and what would help.

use super::{
    flow,
    problem::{Pair, Prices, ShortlistProblem, ValidShortlists},
};
use queqiao_domain::Bilingual;
use queqiao_solve::{
    Arc, Certificate, Change, Clash, Network, Node, Programme, Relaxation, Residual, Sense,
    Simplex, Stop, Variable,
};
use std::collections::{BTreeSet, HashSet};

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
    let first = |parties: &[super::Party], g: usize| {
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
        let members: Vec<&super::Party> = p.needs.iter().filter(|q| q.group == Some(g)).collect();
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

/// One way of giving way.
#[derive(Debug, Clone)]
struct Remedy {
    cost: f64,
    changes: Vec<Change>,
    /// Expert and meetings more; the group's limit grows along.
    capacity: Vec<(usize, u32)>,
    /// Need and meetings less.
    least: Vec<(usize, u32)>,
    /// Pair that may meet after all.
    pair: Option<usize>,
}

impl Remedy {
    fn apply(&self, v: &mut ValidShortlists) {
        for (j, by) in &self.capacity {
            v.problem.experts[*j].most += by;
            if let Some(g) = v.problem.experts[*j].group {
                v.problem.expert_groups[g] += by;
            }
            // An expert who had no place at all becomes a candidate.
            for (c, pair) in v.problem.pairs.iter().enumerate() {
                if pair.expert == *j && !v.held[c] && v.problem.needs[pair.need].most > 0 {
                    v.open[c] |= !v.problem.barred.contains(&(pair.need, pair.expert));
                }
            }
        }
        for (i, by) in &self.least {
            let q = &mut v.problem.needs[*i];
            q.least = q.least.saturating_sub(*by);
        }
        if let Some(c) = self.pair {
            v.open[c] = true;
        }
    }
}

fn remedies(
    v: &ValidShortlists,
    prices: &Prices,
    needs: &[usize],
    experts: &[usize],
    missing: u64,
) -> Vec<Remedy> {
    let p = &v.problem;
    let room = v.room();
    let by = u32::try_from(missing).unwrap_or(u32::MAX);
    let nothing = Remedy {
        cost: 0.0,
        changes: Vec::new(),
        capacity: Vec::new(),
        least: Vec::new(),
        pair: None,
    };
    let mut out = Vec::new();
    let asking: BTreeSet<usize> = needs.iter().copied().collect();
    // Experts with no place count as candidates here: a place can be given.
    let mut uses = vec![0_u32; p.experts.len()];
    for (c, q) in p.pairs.iter().enumerate() {
        if asking.contains(&q.need) && !v.held[c] && !p.barred.contains(&(q.need, q.expert)) {
            uses[q.expert] += 1;
        }
    }
    let more = |j: usize, by: u32| -> Change {
        let (e, to) = (&p.experts[j], p.experts[j].most + by);
        let id = &e.id;
        let group = e.group.is_some();
        Change {
            constraint: "capacity".into(),
            about: vec![id.clone()],
            by: f64::from(by),
            text: Bilingual::new(
                format!(
                    "raise the limit of {id} from {} to {to}{}",
                    e.most,
                    if group { ", and of the group" } else { "" }
                ),
                format!(
                    "将 {id} 的接待上限由 {} 提高到 {to}{}",
                    e.most,
                    if group {
                        "（其所属组的上限随之提高）"
                    } else {
                        ""
                    }
                ),
            ),
        }
    };
    let spare = |j: &usize| uses[*j].saturating_sub(room.experts[*j]);
    let able: Vec<usize> = (0..p.experts.len()).filter(|j| spare(j) > 0).collect();
    for j in able.iter().filter(|j| spare(j) >= by) {
        out.push(Remedy {
            cost: prices.capacity * f64::from(by),
            changes: vec![more(*j, by)],
            capacity: vec![(*j, by)],
            ..nothing.clone()
        });
    }
    if by > 1 {
        // Spread over several, those of most use first.
        let mut order = able.clone();
        order.sort_by_key(|j| std::cmp::Reverse(spare(j)));
        let (mut left, mut capacity) = (by, Vec::new());
        for j in order {
            let take = spare(&j).min(left).min(by.div_ceil(2));
            if take > 0 {
                capacity.push((j, take));
                left -= take;
            }
        }
        if left == 0 {
            out.push(Remedy {
                cost: prices.capacity * f64::from(by),
                changes: capacity.iter().map(|(j, b)| more(*j, *b)).collect(),
                capacity,
                ..nothing.clone()
            });
        }
    }
    let mut left = by;
    let mut least = Vec::new();
    for i in needs {
        let need = &p.needs[*i];
        let give = need.least.min(by);
        let change = |give: u32| Change {
            constraint: "least".into(),
            about: vec![need.id.clone()],
            by: f64::from(give),
            text: Bilingual::new(
                format!(
                    "promise {} {} meeting(s) instead of {}",
                    need.id,
                    need.least - give,
                    need.least
                ),
                format!(
                    "将 {} 的最低场次由 {} 降为 {}",
                    need.id,
                    need.least,
                    need.least - give
                ),
            ),
        };
        if give == by {
            out.push(Remedy {
                cost: prices.least * f64::from(by),
                changes: vec![change(by)],
                least: vec![(*i, by)],
                ..nothing.clone()
            });
        }
        let part = give.min(left);
        if part > 0 {
            left -= part;
            least.push((*i, part, change(part)));
        }
    }
    if left == 0 && least.len() > 1 {
        out.push(Remedy {
            cost: prices.least * f64::from(by),
            changes: least.iter().map(|l| l.2.clone()).collect(),
            least: least.iter().map(|l| (l.0, l.1)).collect(),
            ..nothing.clone()
        });
    }
    if by == 1 {
        let inside: BTreeSet<usize> = experts.iter().copied().collect();
        for (c, pair) in p.pairs.iter().enumerate() {
            let outside = !inside.contains(&pair.expert) && room.experts[pair.expert] > 0;
            let barred = p.barred.contains(&(pair.need, pair.expert));
            if barred && !v.held[c] && asking.contains(&pair.need) && outside {
                let (n, e) = (&p.needs[pair.need].id, &p.experts[pair.expert].id);
                out.push(Remedy {
                    cost: prices.barred,
                    changes: vec![Change {
                        constraint: "barred".into(),
                        about: vec![n.clone(), e.clone()],
                        by: 1.0,
                        text: Bilingual::new(
                            format!("allow {n} and {e} to meet after all"),
                            format!("允许 {n} 与 {e} 会面（解除回避）"),
                        ),
                    }],
                    pair: Some(c),
                    ..nothing.clone()
                });
            }
        }
    }
    out
}

/// Pairs up to which a collision of minima of both sides is looked for one constraint at a time.
const SMALL: usize = 3_000;

/// The needs' minima hold alone; it is together with those of the experts that they do not. A
/// programme with one tag per constraint finds a smallest set that collides.
fn among_all(v: &ValidShortlists, prices: &Prices, stop: &Stop) -> Option<Certificate> {
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
    let kept =
        |parties: &[super::Party], got: &[u32]| parties.iter().zip(got).all(|(q, g)| *g >= q.least);
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
