//! Proof of the optimum: branch and bound over a Lagrangian relaxation.
//!
//! "Each need is covered once" is priced (Cornuéjols, Fisher, Nemhauser 1977, for uncapacitated
//! location), and so is the budget. What is left is to choose candidates by their own reduced worth
//! within size and institutions, with a lead: the best of a matroid, so a sort solves it exactly.
//! Subgradient steps tighten the prices; candidates that cannot be in (or out of) a better team are
//! fixed; the rest is branched on. A relaxed step costs some tens of microseconds where the linear
//! programme takes seconds.

use crate::problem::{TeamParams, ValidTeam};
use queqiao_solve::Stop;

/// Subgradient steps at the root, and below.
const STEPS: (usize, usize) = (600, 60);
/// Relative slack within which a bound counts as reached.
const REACHED: f64 = 1e-9;

#[derive(Clone)]
struct Node {
    /// −1 out, 0 open, 1 in.
    state: Vec<i8>,
    price: Vec<f64>,
    money: f64,
}

/// What a relaxed node says.
struct Relaxed {
    bound: f64,
    /// How often each candidate was chosen over the last steps.
    often: Vec<f64>,
    reduced: Vec<f64>,
    price: (Vec<f64>, f64),
}

pub(crate) struct Proof<'a> {
    v: &'a ValidTeam,
    size: usize,
    /// The lead is part of the structure only where teams need one.
    lead: bool,
    per_member: f64,
    stop: &'a Stop,
    pub(crate) best: Option<(f64, Vec<usize>)>,
    left: f64,
    pub(crate) stopped: bool,
    /// Teams met on the way are valued and kept when `keep`.
    keep: bool,
    order: Vec<u32>,
}

impl<'a> Proof<'a> {
    /// A search for the team of greatest cover, less `per_member`, that starts from `best`.
    pub(crate) fn new(
        v: &'a ValidTeam,
        params: &TeamParams,
        best: Option<(f64, Vec<usize>)>,
        stop: &'a Stop,
    ) -> Self {
        Self {
            v,
            size: v.problem.size as usize,
            lead: v.problem.least_leads > 0,
            per_member: params.per_member,
            stop,
            best,
            left: f64::NEG_INFINITY,
            stopped: false,
            keep: true,
            order: Vec::new(),
        }
    }

    /// The same with another size and no lead asked for, for bounds only.
    pub(crate) fn smaller(mut self, size: usize) -> Self {
        self.size = size;
        self.lead = false;
        self.keep = false;
        self
    }

    /// An upper bound of what any team is worth; exact when it was not stopped and teams are kept.
    pub(crate) fn run(&mut self) -> f64 {
        let v = self.v;
        let n = v.problem.tasks.len();
        let mut top = vec![0.0_f64; n];
        for (j, list) in v.worth.iter().enumerate() {
            if v.open[j] {
                for (t, w) in list {
                    top[*t as usize] = top[*t as usize].max(*w);
                }
            }
        }
        let root = Node {
            state: (0..v.open.len())
                .map(|j| {
                    if v.forced[j] {
                        1
                    } else {
                        -i8::from(!v.open[j])
                    }
                })
                .collect(),
            price: top.iter().map(|t| t * 0.5).collect(),
            money: 0.0,
        };
        self.explore(root, STEPS.0);
        let best = self.best.as_ref().map_or(f64::NEG_INFINITY, |b| b.0);
        self.left
            .max(if self.keep { best } else { f64::NEG_INFINITY })
    }

    fn closed(&self, bound: f64) -> bool {
        match (&self.best, self.keep) {
            (Some((value, _)), true) => bound <= value + REACHED * value.abs().max(1.0),
            _ => bound == f64::NEG_INFINITY,
        }
    }

    fn explore(&mut self, mut node: Node, steps: usize) {
        let Some(relaxed) = self.relax(&node, steps) else {
            return;
        };
        if self.closed(relaxed.bound) {
            return;
        }
        if !self.keep {
            self.left = self.left.max(relaxed.bound);
            return;
        }
        if self.stopped || self.stop.now() {
            self.stopped = true;
            self.left = self.left.max(relaxed.bound);
            return;
        }
        (node.price, node.money) = relaxed.price.clone();
        self.fix(&mut node, &relaxed);
        // The candidate on whom the relaxed teams disagree most.
        let pick = (0..node.state.len())
            .filter(|j| node.state[*j] == 0)
            .min_by(|a, b| {
                let doubt = |j: usize| (relaxed.often[j] - 0.5).abs();
                doubt(*a)
                    .total_cmp(&doubt(*b))
                    .then(relaxed.reduced[*b].total_cmp(&relaxed.reduced[*a]))
                    .then(a.cmp(b))
            });
        let Some(j) = pick else {
            let team: Vec<usize> = (0..node.state.len())
                .filter(|j| node.state[*j] == 1)
                .collect();
            self.offer(&team);
            return;
        };
        let first = if relaxed.often[j] >= 0.5 { 1 } else { -1 };
        for side in [first, -first] {
            let mut child = node.clone();
            child.state[j] = side;
            self.explore(child, STEPS.1);
        }
    }

    fn offer(&mut self, team: &[usize]) {
        if !self.keep || !self.v.keeps_all(team) {
            return;
        }
        let value = self.v.cover(team).value - self.per_member * team.len() as f64;
        if self.best.as_ref().is_none_or(|b| value > b.0 + 1e-12) {
            self.best = Some((value, team.to_vec()));
        }
    }

    /// Fixes candidates that no better team can have, or do without.
    fn fix(&mut self, node: &mut Node, r: &Relaxed) {
        let Some((value, _)) = self.best else { return };
        let base = r.bound;
        let limit = value + REACHED * value.abs().max(1.0);
        let plain = self.choose(&node.state, &r.reduced, None);
        // Without the lead the relaxed optimum can only be higher.
        let slack =
            base - self.worth_of(&self.choose_with_lead(&node.state, &r.reduced), &r.reduced);
        for j in 0..node.state.len() {
            if node.state[j] != 0 {
                continue;
            }
            let inside = plain.contains(&j);
            let mut trial = node.state.clone();
            trial[j] = if inside { -1 } else { 1 };
            let other = self.choose(&trial, &r.reduced, None);
            let bound = slack + self.worth_of(&other, &r.reduced);
            let full = trial.iter().filter(|s| **s == 1).count() > self.size;
            if full || bound <= limit {
                node.state[j] = if inside { 1 } else { -1 };
            }
        }
    }

    fn worth_of(&self, team: &[usize], reduced: &[f64]) -> f64 {
        team.iter().map(|j| reduced[*j]).sum()
    }

    /// The best set by reduced worth within size and institutions: greedy, as it is a matroid.
    fn choose(&self, state: &[i8], reduced: &[f64], also: Option<usize>) -> Vec<usize> {
        let p = &self.v.problem;
        let mut team: Vec<usize> = Vec::with_capacity(self.size + 1);
        let mut used = vec![0_u32; self.v.institutions];
        let put = |j: usize, team: &mut Vec<usize>, used: &mut Vec<u32>| {
            if let Some(i) = p.candidates[j].institution {
                used[i] += 1;
            }
            team.push(j);
        };
        for (j, s) in state.iter().enumerate() {
            if *s == 1 || also == Some(j) {
                put(j, &mut team, &mut used);
            }
        }
        for j in &self.order {
            let j = *j as usize;
            if team.len() >= self.size || reduced[j] <= 0.0 {
                break;
            }
            let room = p
                .per_institution
                .is_none_or(|cap| p.candidates[j].institution.is_none_or(|i| used[i] < cap));
            if state[j] == 0 && also != Some(j) && room {
                put(j, &mut team, &mut used);
            }
        }
        team
    }

    fn choose_with_lead(&self, state: &[i8], reduced: &[f64]) -> Vec<usize> {
        let p = &self.v.problem;
        let team = self.choose(state, reduced, None);
        if !self.lead || team.iter().any(|j| p.candidates[*j].lead) {
            return team;
        }
        let mut best: Option<(f64, Vec<usize>)> = None;
        let fixed = state.iter().filter(|s| **s == 1).count();
        if fixed >= self.size {
            return team;
        }
        for l in 0..state.len() {
            if state[l] == 0 && p.candidates[l].lead {
                let with = self.choose(state, reduced, Some(l));
                let worth = self.worth_of(&with, reduced);
                if best.as_ref().is_none_or(|b| worth > b.0) {
                    best = Some((worth, with));
                }
            }
        }
        best.map_or(team, |b| b.1)
    }

    /// Subgradient steps from a node's prices. `None` when the node has no team at all.
    fn relax(&mut self, node: &Node, steps: usize) -> Option<Relaxed> {
        let v = self.v;
        let p = &v.problem;
        let forced = node.state.iter().filter(|s| **s == 1).count();
        let possible_lead =
            || (0..node.state.len()).any(|j| node.state[j] >= 0 && p.candidates[j].lead);
        let spent: f64 = (0..node.state.len())
            .filter(|j| node.state[*j] == 1)
            .map(|j| p.candidates[j].cost)
            .sum();
        if forced > self.size
            || (self.lead && !possible_lead())
            || p.budget.is_some_and(|b| spent > b + 1e-9)
        {
            return None;
        }
        let (mut price, mut money) = (node.price.clone(), node.money);
        let mut reduced = vec![f64::NEG_INFINITY; node.state.len()];
        let mut often = vec![0.0; node.state.len()];
        let mut best = Relaxed {
            bound: f64::INFINITY,
            often: Vec::new(),
            reduced: Vec::new(),
            price: (Vec::new(), 0.0),
        };
        let (mut step, mut stale) = (1.0_f64, 0);
        let mut gains: Vec<f64> = Vec::new();
        for round in 0..steps {
            for (j, reduced) in reduced.iter_mut().enumerate() {
                if node.state[j] < 0 {
                    continue;
                }
                let own = match p.candidates[j].load {
                    None => v.worth[j]
                        .iter()
                        .map(|(t, w)| (w - price[*t as usize]).max(0.0))
                        .sum::<f64>(),
                    Some(load) => {
                        gains.clear();
                        gains.extend(
                            v.worth[j]
                                .iter()
                                .map(|(t, w)| w - price[*t as usize])
                                .filter(|g| *g > 0.0),
                        );
                        gains.sort_by(|a, b| b.total_cmp(a));
                        gains.iter().take(load as usize).sum()
                    }
                };
                *reduced = own - self.per_member - money * p.candidates[j].cost;
            }
            self.order.clear();
            self.order
                .extend((0..node.state.len() as u32).filter(|j| node.state[*j as usize] == 0));
            self.order.sort_unstable_by(|a, b| {
                reduced[*b as usize]
                    .total_cmp(&reduced[*a as usize])
                    .then(a.cmp(b))
            });
            let team = self.choose_with_lead(&node.state, &reduced);
            let bound = price.iter().sum::<f64>()
                + money * p.budget.unwrap_or(0.0)
                + self.worth_of(&team, &reduced);
            if bound < best.bound - 1e-12 {
                best.bound = bound;
                best.reduced.clone_from(&reduced);
                best.price = (price.clone(), money);
                stale = 0;
            } else {
                stale += 1;
                if stale >= 12 {
                    step *= 0.7;
                    stale = 0;
                }
            }
            if round % 4 == 0 {
                self.offer(&team);
            }
            for o in &mut often {
                *o *= 0.9;
            }
            for j in &team {
                often[*j] += 0.1;
            }
            if self.closed(best.bound) || step < 1e-6 || (round % 64 == 63 && self.stop.now()) {
                break;
            }
            let (mut count, mut cost) = (vec![0.0_f64; price.len()], 0.0);
            for j in &team {
                cost += p.candidates[*j].cost;
                for t in self.takes(*j, &price) {
                    count[t] += 1.0;
                }
            }
            let over = p.budget.map_or(0.0, |b| b - cost);
            let active = over < 0.0 || money > 0.0;
            let norm: f64 = count.iter().map(|c| (1.0 - c).powi(2)).sum::<f64>()
                + if active { over * over } else { 0.0 };
            if norm < 1e-12 {
                break;
            }
            let target = self.best.as_ref().map_or(bound * 0.95, |b| b.0.min(bound));
            let length = step * (bound - target).max(1e-4 * bound.abs()).max(1e-9) / norm;
            for (x, c) in price.iter_mut().zip(&count) {
                *x = (*x - length * (1.0 - c)).max(0.0);
            }
            if active {
                money = (money - length * over).max(0.0);
            }
        }
        best.often = often;
        // The order fits the reduced worths of the best step from here on.
        let reduced = &best.reduced;
        self.order.sort_unstable_by(|a, b| {
            reduced[*b as usize]
                .total_cmp(&reduced[*a as usize])
                .then(a.cmp(b))
        });
        Some(best)
    }

    /// The needs that a candidate takes at the present prices.
    fn takes(&self, j: usize, price: &[f64]) -> Vec<usize> {
        let mut list: Vec<(f64, usize)> = self.v.worth[j]
            .iter()
            .map(|(t, w)| (w - price[*t as usize], *t as usize))
            .filter(|x| x.0 > 0.0)
            .collect();
        if let Some(load) = self.v.problem.candidates[j].load
            && list.len() > load as usize
        {
            list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            list.truncate(load as usize);
        }
        list.into_iter().map(|x| x.1).collect()
    }
}
