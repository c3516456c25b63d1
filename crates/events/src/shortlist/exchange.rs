//! Local search over shortlists: add, replace, swap.
//!
//! Moves keep every limit, never take a party below its least, and never empty a place; the search
//! ends in shortlists that no single move improves, or when it is stopped.

use super::problem::{Room, ValidShortlists};
use queqiao_solve::Stop;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// What is to be raised: a sum over needs and experts of concave functions of what each has.
pub(crate) trait Welfare {
    /// Of a need whose list is worth `sum`.
    fn need(&self, need: usize, sum: f64) -> f64;
    /// Of an expert whose meetings are worth `sum`.
    fn expert(&self, expert: usize, sum: f64) -> f64;
}

/// Shortlists that are being changed.
pub(crate) struct Search<'a> {
    v: &'a ValidShortlists,
    pub(crate) chosen: Vec<bool>,
    pub(crate) sums: Vec<f64>,
    pub(crate) backs: Vec<f64>,
    counts: (Vec<u32>, Vec<u32>),
    room: Room,
    /// Open pairs of each need, by expert.
    by_need: Vec<Vec<u32>>,
    by_expert: Vec<Vec<u32>>,
}

const GAIN: f64 = 1e-9;

impl<'a> Search<'a> {
    pub(crate) fn new(v: &'a ValidShortlists, chosen: &[usize]) -> Self {
        let p = &v.problem;
        let mut by_need: Vec<Vec<u32>> = vec![Vec::new(); p.needs.len()];
        let mut by_expert: Vec<Vec<u32>> = vec![Vec::new(); p.experts.len()];
        for (c, pair) in p.pairs.iter().enumerate() {
            if v.open[c] {
                by_need[pair.need].push(c as u32);
                by_expert[pair.expert].push(c as u32);
            }
        }
        for list in &mut by_need {
            list.sort_by_key(|c| p.pairs[*c as usize].expert);
        }
        let mut this = Self {
            v,
            chosen: v.held.clone(),
            sums: vec![0.0; p.needs.len()],
            backs: vec![0.0; p.experts.len()],
            counts: (vec![0; p.needs.len()], vec![0; p.experts.len()]),
            room: v.room(),
            by_need,
            by_expert,
        };
        for (c, held) in v.held.iter().enumerate() {
            if *held {
                this.count(c, true);
            }
        }
        for c in chosen {
            if !this.chosen[*c] {
                this.put(*c);
            }
        }
        this
    }

    pub(crate) fn result(&self) -> Vec<usize> {
        (0..self.chosen.len()).filter(|c| self.chosen[*c]).collect()
    }

    pub(crate) fn value(&self, w: &impl Welfare) -> f64 {
        let needs: f64 = self
            .sums
            .iter()
            .enumerate()
            .map(|(i, s)| w.need(i, *s))
            .sum();
        let experts: f64 = self
            .backs
            .iter()
            .enumerate()
            .map(|(j, s)| w.expert(j, *s))
            .sum();
        needs + experts
    }

    fn count(&mut self, c: usize, more: bool) {
        let p = &self.v.problem.pairs[c];
        let sign = if more { 1.0 } else { -1.0 };
        self.sums[p.need] += sign * p.worth;
        self.backs[p.expert] += sign * p.back;
        let step = |n: &mut u32| *n = if more { *n + 1 } else { n.saturating_sub(1) };
        step(&mut self.counts.0[p.need]);
        step(&mut self.counts.1[p.expert]);
    }

    fn put(&mut self, c: usize) {
        self.chosen[c] = true;
        self.room.take(&self.v.problem, &self.v.problem.pairs[c]);
        self.count(c, true);
    }

    fn drop(&mut self, c: usize) {
        self.chosen[c] = false;
        self.room.give(&self.v.problem, &self.v.problem.pairs[c]);
        self.count(c, false);
    }

    /// The open pair of a need and an expert.
    fn pair(&self, need: usize, expert: usize) -> Option<usize> {
        let list = &self.by_need[need];
        let at = list
            .binary_search_by_key(&expert, |c| self.v.problem.pairs[*c as usize].expert)
            .ok()?;
        Some(list[at] as usize)
    }

    /// Improves until nothing does. Only needs that `among` admits are given new experts.
    pub(crate) fn improve(
        &mut self,
        w: &impl Welfare,
        seed: u64,
        stop: &Stop,
        among: impl Fn(usize, f64) -> bool,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..self.v.problem.needs.len()).collect();
        // A need is looked at again only after something moved.
        let mut idle = 0;
        order.shuffle(&mut rng);
        let mut at = 0;
        while idle < order.len() {
            let need = order[at];
            at = (at + 1) % order.len();
            idle += 1;
            while among(need, self.sums[need]) && self.step(need, w) {
                idle = 0;
                if stop.now() {
                    return;
                }
            }
            if stop.now() {
                return;
            }
        }
    }

    /// The best move that brings `need` a new expert; false when none helps.
    fn step(&mut self, need: usize, w: &impl Welfare) -> bool {
        let v = self.v;
        let p = &v.problem;
        let mut best: (f64, usize, Option<usize>, Option<(usize, usize)>) = (GAIN, 0, None, None);
        let mine: Vec<usize> = self.by_need[need]
            .iter()
            .map(|c| *c as usize)
            .filter(|c| self.chosen[*c])
            .collect();
        let now = w.need(need, self.sums[need]);
        let expert_gain = |s: &Self, j: usize, change: f64| {
            if change == 0.0 {
                0.0
            } else {
                w.expert(j, s.backs[j] + change) - w.expert(j, s.backs[j])
            }
        };
        for c in &self.by_need[need] {
            let c = *c as usize;
            if self.chosen[c] {
                continue;
            }
            let new = &p.pairs[c];
            let j = new.expert;
            if self.room.fits(p, new) {
                let gain = w.need(need, self.sums[need] + new.worth) - now
                    + expert_gain(self, j, new.back);
                if gain > best.0 {
                    best = (gain, c, None, None);
                }
            }
            for old in &mine {
                let out = &p.pairs[*old];
                if out.expert == j {
                    continue;
                }
                let changed = w.need(need, self.sums[need] - out.worth + new.worth) - now;
                // Replace: the expert who goes may not fall below the least.
                let left = expert_gain(self, out.expert, -out.back);
                if self.counts.1[out.expert] > p.experts[out.expert].least
                    && self.fits_without(out, new)
                {
                    let gain = changed + left + expert_gain(self, j, new.back);
                    if gain > best.0 {
                        best = (gain, c, Some(*old), None);
                    }
                }
                // Swap: another need gives this expert and takes the one who goes.
                for other in &self.by_expert[j] {
                    let other = *other as usize;
                    if !self.chosen[other] {
                        continue;
                    }
                    let gives = &p.pairs[other];
                    let Some(back) = self.pair(gives.need, out.expert) else {
                        continue;
                    };
                    if self.chosen[back] {
                        continue;
                    }
                    let takes = &p.pairs[back];
                    let theirs = self.sums[gives.need];
                    let gain = changed + w.need(gives.need, theirs - gives.worth + takes.worth)
                        - w.need(gives.need, theirs)
                        + expert_gain(self, out.expert, takes.back - out.back)
                        + expert_gain(self, j, new.back - gives.back);
                    if gain > best.0 {
                        best = (gain, c, Some(*old), Some((other, back)));
                    }
                }
            }
        }
        if best.0 <= GAIN {
            return false;
        }
        let (_, put, old, swap) = best;
        if let Some(old) = old {
            self.drop(old);
        }
        if let Some((gives, takes)) = swap {
            self.drop(gives);
            self.put(takes);
        }
        self.put(put);
        true
    }

    /// True when `new` fits once `out` (of the same need) is gone.
    fn fits_without(&self, out: &super::Pair, new: &super::Pair) -> bool {
        let p = &self.v.problem;
        let same = p.experts[out.expert].group.is_some()
            && p.experts[out.expert].group == p.experts[new.expert].group;
        self.room.experts[new.expert] > 0
            && p.experts[new.expert]
                .group
                .is_none_or(|g| same || self.room.expert_groups[g] > 0)
    }
}
