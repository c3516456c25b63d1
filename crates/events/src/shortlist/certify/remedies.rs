//! Ways of giving way, cheapest first.

use crate::shortlist::problem::{Prices, ValidShortlists};
use queqiao_domain::Bilingual;
use queqiao_solve::Change;
use std::collections::BTreeSet;

/// One way of giving way.
#[derive(Debug, Clone)]
pub(super) struct Remedy {
    pub(super) cost: f64,
    pub(super) changes: Vec<Change>,
    /// Expert and meetings more; the group's limit grows along.
    pub(super) capacity: Vec<(usize, u32)>,
    /// Need and meetings less.
    pub(super) least: Vec<(usize, u32)>,
    /// Pair that may meet after all.
    pub(super) pair: Option<usize>,
}

impl Remedy {
    pub(super) fn apply(&self, v: &mut ValidShortlists) {
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

pub(super) fn remedies(
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
