//! The worst-off need as well off as can be.
//!
//! Finding the best worst sum is NP-hard (Santa Claus problem). A threshold is tried by pricing: the
//! needs below it weigh more in the flow until none is (Lagrangian relaxation of "every sum reaches
//! the threshold"), and what is left is mended by exchanges. Each priced flow also bounds the
//! threshold and the total from above, so the answer stands beside its bound.

use super::{
    Shortlists,
    exchange::{Search, Welfare},
    flow::Solved,
    problem::ValidShortlists,
};
use queqiao_solve::Stop;

/// Flows per threshold, thresholds tried, and flows that only bound.
const ROUNDS: usize = 20;
const THRESHOLDS: usize = 6;
const BOUND_ROUNDS: usize = 40;
const POLISHED: usize = 40;
/// How much more reaching the threshold weighs than worth beyond it.
const WEIGHT: f64 = 50.0;

/// Worth, and much more of it up to a threshold.
struct UpTo {
    threshold: f64,
    weight: f64,
}

impl Welfare for UpTo {
    fn need(&self, _: usize, sum: f64) -> f64 {
        sum + self.weight * sum.min(self.threshold)
    }
    fn expert(&self, _: usize, _: f64) -> f64 {
        0.0
    }
}

struct Pricer<'a> {
    v: &'a ValidShortlists,
    solved: Solved,
    /// Needs with a candidate: only they can be helped.
    counted: Vec<usize>,
    seed: u64,
    stop: &'a Stop,
    /// Worst sum, total, pairs.
    best: (f64, f64, Vec<usize>),
    worst_bound: f64,
}

pub(crate) fn solve(v: &ValidShortlists, solved: Solved, seed: u64, stop: &Stop) -> Shortlists {
    let p = &v.problem;
    let counted: Vec<usize> = (0..p.needs.len()).filter(|i| v.has_candidate[*i]).collect();
    let chosen = solved.chosen(v);
    let finished = solved.flow.finished;
    let mut pricer = Pricer {
        v,
        solved,
        counted,
        seed,
        stop,
        best: (f64::NEG_INFINITY, 0.0, Vec::new()),
        worst_bound: alone_bound(v),
    };
    let reached = pricer.offer(&chosen, pricer.worst_bound, false);
    if finished {
        if reached < pricer.worst_bound - 1e-9 {
            pricer.search();
        }
        pricer.polish();
    }
    let (worst, _, chosen) = pricer.best;
    let mut out = v.measured(chosen);
    out.worst_bound = Some(pricer.worst_bound.max(worst));
    out.value = out.worst;
    out.bound = pricer.worst_bound.max(worst);
    out.proven = out.bound <= out.value + 1e-9 * v.largest;
    out.finished = finished && !stop.now();
    out
}

/// What the worst-off need could have if it were alone: the best its places can hold.
fn alone_bound(v: &ValidShortlists) -> f64 {
    let p = &v.problem;
    let mut lists: Vec<Vec<f64>> = vec![Vec::new(); p.needs.len()];
    let mut held = vec![(0.0, 0_usize); p.needs.len()];
    for (c, pair) in p.pairs.iter().enumerate() {
        if v.held[c] {
            held[pair.need].0 += pair.worth;
            held[pair.need].1 += 1;
        } else if v.open[c] {
            lists[pair.need].push(pair.worth);
        }
    }
    let mut bound = f64::INFINITY;
    for (i, list) in lists.iter_mut().enumerate() {
        if v.has_candidate[i] {
            list.sort_by(|a, b| b.total_cmp(a));
            let places = (p.needs[i].most as usize).saturating_sub(held[i].1);
            bound = bound.min(held[i].0 + list.iter().take(places).sum::<f64>());
        }
    }
    if bound.is_finite() { bound } else { 0.0 }
}

impl Pricer<'_> {
    /// Mends shortlists until every need reaches a threshold, then, when `fully`, raises the total
    /// as well; keeps the better and gives the worst sum reached.
    fn offer(&mut self, chosen: &[usize], threshold: f64, fully: bool) -> f64 {
        let mut search = Search::new(self.v, chosen);
        let goal = UpTo {
            threshold,
            weight: WEIGHT,
        };
        let below = |_: usize, sum: f64| sum < threshold - 1e-9;
        search.improve(&goal, self.seed, self.stop, below);
        if fully {
            search.improve(&goal, self.seed, self.stop, |_, _| true);
        }
        self.keep(&search)
    }

    fn keep(&mut self, search: &Search<'_>) -> f64 {
        let worst = self
            .counted
            .iter()
            .map(|i| search.sums[*i])
            .fold(f64::INFINITY, f64::min);
        let worst = if worst.is_finite() { worst } else { 0.0 };
        let total: f64 = search.sums.iter().sum();
        let better =
            worst > self.best.0 + 1e-9 || (worst > self.best.0 - 1e-9 && total > self.best.1);
        if better {
            self.best = (worst, total, search.result());
        }
        worst
    }

    /// Sets the flow's costs for weights of the needs and solves on: pairs, worth by weight.
    fn priced(&mut self, weight: &[f64]) -> Option<(Vec<usize>, f64)> {
        let p = &self.v.problem;
        for (c, pair) in p.pairs.iter().enumerate() {
            if let Some(a) = self.solved.layout.arc[c] {
                let cost = self.solved.layout.cost(pair.worth * weight[pair.need]);
                self.solved.simplex.set_cost(a, cost);
            }
        }
        let flow = self.solved.simplex.solve(self.stop);
        if !flow.finished {
            return None;
        }
        let chosen = self.solved.layout.chosen(self.v, &flow.units);
        let value = chosen
            .iter()
            .map(|c| p.pairs[*c].worth * weight[p.pairs[*c].need])
            .sum();
        Some((chosen, value))
    }

    /// Tightens the bound, tries it, then bisects between it and what was reached.
    fn search(&mut self) {
        self.tighten();
        let mut high = self.worst_bound;
        if self.reach(high) {
            return;
        }
        for _ in 0..THRESHOLDS {
            let low = self.best.0;
            if self.stop.now() || high - low <= 1e-6 * self.v.largest {
                return;
            }
            let threshold = (low + high) / 2.0;
            if !self.reach(threshold) {
                high = threshold;
            }
        }
    }

    /// Tries to bring every need up to a threshold.
    fn reach(&mut self, threshold: f64) -> bool {
        let mut weight = vec![1.0; self.v.problem.needs.len()];
        let mut nearest = (f64::INFINITY, Vec::new());
        for _ in 0..ROUNDS {
            let Some((chosen, _)) = self.priced(&weight) else {
                return false;
            };
            let sums = self.v.sums(&chosen);
            let missing = self.missing(&sums, threshold);
            if missing < nearest.0 {
                nearest = (missing, chosen);
            }
            if missing <= 1e-9 {
                break;
            }
            for i in &self.counted {
                let lack = (threshold - sums[*i]) / threshold.abs().max(1e-12);
                // Weights stay within what the network allows for.
                weight[*i] = (weight[*i] * (1.0 + 0.6 * lack.clamp(-0.3, 1.0))).clamp(1.0, 7.9);
            }
        }
        self.offer(&nearest.1, threshold, false) >= threshold - 1e-9
    }

    fn missing(&self, sums: &[f64], threshold: f64) -> f64 {
        self.counted
            .iter()
            .map(|i| (threshold - sums[*i]).max(0.0))
            .sum()
    }

    /// For any weights that sum to one, the worst sum is at most the greatest weighted worth:
    /// multiplicative weights (Arora, Hazan, Kale 2012) find good ones.
    fn tighten(&mut self) {
        let n = self.v.problem.needs.len();
        let mut share = vec![0.0; n];
        for i in &self.counted {
            share[*i] = 1.0;
        }
        for _ in 0..BOUND_ROUNDS {
            if self.stop.now() || self.best.0 >= self.worst_bound - 1e-9 {
                return;
            }
            // Scaled so that the largest weight is one: the network knows no larger.
            let top = share.iter().copied().fold(1e-12, f64::max);
            let weight: Vec<f64> = share.iter().map(|s| s / top).collect();
            let Some((chosen, value)) = self.priced(&weight) else {
                return;
            };
            let sum: f64 = weight.iter().sum();
            self.worst_bound = self.worst_bound.min(value / sum.max(1e-12));
            let sums = self.v.sums(&chosen);
            for i in &self.counted {
                let over = sums[*i] / self.worst_bound.max(1e-12) - 1.0;
                share[*i] *= (-0.5 * over.clamp(-1.0, 2.0)).exp();
            }
        }
    }

    /// With the worst sum that was reached, the greatest total: the needs below it weigh a little
    /// more in the flow until none is, then exchanges.
    fn polish(&mut self) {
        let threshold = self.best.0;
        let reached = self.best.2.clone();
        let mut weight = vec![1.0; self.v.problem.needs.len()];
        for round in 0..POLISHED {
            if self.stop.now() {
                return;
            }
            let Some((chosen, _)) = self.priced(&weight) else {
                break;
            };
            let sums = self.v.sums(&chosen);
            let all = self.missing(&sums, threshold) <= 1e-9;
            // Near the end little is missing, and mending costs little of the total.
            if all || round % 8 == 0 {
                self.offer(&chosen, threshold, true);
            }
            if all {
                break;
            }
            for i in &self.counted {
                if sums[*i] < threshold - 1e-9 {
                    weight[*i] = (weight[*i] * 1.1 + 0.01).min(7.9);
                }
            }
        }
        self.offer(&reached, threshold, true);
    }
}
