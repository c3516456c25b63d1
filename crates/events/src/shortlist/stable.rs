//! Stable shortlists by deferred acceptance.
//!
//! Needs propose in order of worth, experts keep the proposals that are worth most to them. Limits
//! of groups are nested (laminar), so "the best that fit" is a substitutable choice on both sides
//! and the outcome is stable (Roth 1984; Fleiner 2003). Equal worth is ordered by place.

use super::{Pair, Shortlists, problem::ValidShortlists};
use std::{cmp::Ordering, collections::VecDeque};

pub(crate) fn solve(v: &ValidShortlists) -> Shortlists {
    let p = &v.problem;
    let room = v.room();
    // Proposals of each need, best first.
    let mut wishes: Vec<Vec<usize>> = vec![Vec::new(); p.needs.len()];
    for (c, pair) in p.pairs.iter().enumerate() {
        if v.open[c] {
            wishes[pair.need].push(c);
        }
    }
    for list in &mut wishes {
        list.sort_by(|a, b| prefers(&p.pairs[*a], &p.pairs[*b], |q| q.worth));
    }
    let members = |parties: &[super::Party], groups: usize| -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); groups];
        for (i, q) in parties.iter().enumerate() {
            if let Some(g) = q.group {
                out[g].push(i);
            }
        }
        out
    };
    let siblings = members(&p.needs, p.need_groups.len());
    let mut next = vec![0_usize; p.needs.len()];
    let mut held_by_need = vec![0_u32; p.needs.len()];
    let mut held_by_group = vec![0_u32; p.need_groups.len()];
    let mut kept: Vec<Vec<usize>> = vec![Vec::new(); p.experts.len()];
    let mut kept_by_group: Vec<Vec<usize>> = vec![Vec::new(); p.expert_groups.len()];
    let mut queue: VecDeque<usize> = (0..p.needs.len()).collect();
    while let Some(need) = queue.pop_front() {
        let group = p.needs[need].group;
        // With a shared limit the group's best open proposal comes first, whoever of it asks.
        let asking: &[usize] = group.map_or(std::slice::from_ref(&need), |g| &siblings[g]);
        if group.is_some_and(|g| held_by_group[g] >= room.need_groups[g]) {
            continue;
        }
        let best = asking
            .iter()
            .filter(|i| held_by_need[**i] < room.needs[**i] && next[**i] < wishes[**i].len())
            .map(|i| wishes[*i][next[*i]])
            .min_by(|a, b| prefers(&p.pairs[*a], &p.pairs[*b], |q| q.worth));
        let Some(c) = best else { continue };
        let pair = &p.pairs[c];
        next[pair.need] += 1;
        held_by_need[pair.need] += 1;
        if let Some(g) = group {
            held_by_group[g] += 1;
        }
        queue.push_front(need);
        let expert = pair.expert;
        let worst = |list: &[usize]| -> Option<usize> {
            list.iter()
                .copied()
                .max_by(|a, b| prefers(&p.pairs[*a], &p.pairs[*b], |q| q.back))
        };
        kept[expert].push(c);
        let person = p.experts[expert].group;
        if let Some(g) = person {
            kept_by_group[g].push(c);
        }
        let mut refused = None;
        if kept[expert].len() > room.experts[expert] as usize {
            refused = worst(&kept[expert]);
        } else if let Some(g) = person
            && kept_by_group[g].len() > room.expert_groups[g] as usize
        {
            refused = worst(&kept_by_group[g]);
        }
        if let Some(out) = refused {
            let gone = &p.pairs[out];
            kept[gone.expert].retain(|c| *c != out);
            if let Some(g) = p.experts[gone.expert].group {
                kept_by_group[g].retain(|c| *c != out);
            }
            held_by_need[gone.need] -= 1;
            if let Some(g) = p.needs[gone.need].group {
                held_by_group[g] -= 1;
            }
            queue.push_back(gone.need);
        }
    }
    let chosen: Vec<usize> = kept
        .into_iter()
        .flatten()
        .chain((0..p.pairs.len()).filter(|c| v.held[*c]))
        .collect();
    let mut out = v.measured(chosen);
    // Stability is yes or no, and it is yes: there is no better value.
    out.bound = out.value;
    out.proven = true;
    out
}

/// Less when `a` is liked better; never equal for different pairs.
fn prefers(a: &Pair, b: &Pair, by: impl Fn(&Pair) -> f64) -> Ordering {
    by(b)
        .total_cmp(&by(a))
        .then((a.need, a.expert).cmp(&(b.need, b.expert)))
}
