//! Generalised assignment: who does what under a load each.
//!
//! Depth-first branch and bound over the Lagrangian relaxation of "each job once" (Fisher,
//! Jaikumar, Van Wassenhove, *A multiplier adjustment method for the generalized assignment
//! problem*, 1986): what is left for each agent is a knapsack, solved exactly in whole units of
//! load. Multipliers go down the tree, so a child needs a few rounds only.

use crate::Stop;

/// Why duties cannot be assigned at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DutiesError {
    /// The tables do not have one row per agent and one column per job.
    #[error("worth and load need one row per agent and one column per job")]
    Shape,
    /// A figure that is not finite, or a load below zero.
    #[error("agent {agent}, job {job}: worth and load must be finite, the load at least 0")]
    Value {
        /// The agent.
        agent: usize,
        /// The job.
        job: usize,
    },
}

/// Jobs that each go to at most one agent, agents with a limit of load.
#[derive(Debug, Clone, PartialEq)]
pub struct Duties {
    /// `[agents × jobs]`: what it is worth when the agent does the job; `None` where they may not.
    pub worth: Vec<Vec<Option<f64>>>,
    /// `[agents × jobs]`: what the job costs the agent.
    pub load: Vec<Vec<f64>>,
    /// `[agents]`: how much each can bear.
    pub limit: Vec<f64>,
    /// True when every job has to be done.
    pub all: bool,
}

/// Who does what.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// `[jobs]`: the agent.
    pub agent: Vec<Option<usize>>,
    /// Total worth.
    pub value: f64,
    /// No assignment is worth more.
    pub bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
}

/// Units of load that the largest limit is divided into where loads are not whole numbers.
const GRID: f64 = 2_000.0;
/// Whole limits up to this are taken as they are.
const WHOLE_LIMIT: f64 = 10_000.0;
/// Rounds of multiplier steps at the root, and below it.
const ROUNDS: (usize, usize) = (300, 25);

/// The most valuable assignment; `None` when every job has to be done and that is impossible, or
/// nothing was found in time.
///
/// # Errors
/// See [`DutiesError`].
pub fn assign(duties: &Duties, stop: &Stop) -> Result<Option<Assignment>, DutiesError> {
    let (agents, jobs) = check(duties)?;
    if jobs == 0 {
        return Ok(Some(Assignment {
            agent: Vec::new(),
            value: 0.0,
            bound: 0.0,
            proven: true,
        }));
    }
    let mut search = Search::new(duties, agents, jobs, stop);
    let mut node = Node {
        open: (0..agents)
            .map(|a| (0..jobs).map(|j| search.may(a, j)).collect())
            .collect(),
        fixed: vec![None; jobs],
        skipped: vec![false; jobs],
        price: vec![0.0; jobs],
    };
    for j in 0..jobs {
        let best = (0..agents)
            .filter_map(|a| duties.worth[a][j])
            .fold(0.0, f64::max);
        node.price[j] = best / 2.0;
    }
    search.explore(node, ROUNDS.0);
    let bound = search.bound();
    Ok(search.best.map(|(value, agent)| Assignment {
        agent,
        value,
        bound: if search.stopped {
            bound.max(value)
        } else {
            value
        },
        proven: !search.stopped,
    }))
}

fn check(duties: &Duties) -> Result<(usize, usize), DutiesError> {
    let agents = duties.limit.len();
    let jobs = duties.worth.first().map_or(0, Vec::len);
    if duties.worth.len() != agents
        || duties.load.len() != agents
        || duties.worth.iter().any(|r| r.len() != jobs)
        || duties.load.iter().any(|r| r.len() != jobs)
    {
        return Err(DutiesError::Shape);
    }
    for agent in 0..agents {
        for job in 0..jobs {
            let (worth, load) = (duties.worth[agent][job], duties.load[agent][job]);
            let fine = worth.is_none_or(f64::is_finite)
                && load.is_finite()
                && load >= 0.0
                && duties.limit[agent].is_finite();
            if !fine {
                return Err(DutiesError::Value { agent, job });
            }
        }
    }
    Ok((agents, jobs))
}

/// A node of the tree.
struct Node {
    open: Vec<Vec<bool>>,
    fixed: Vec<Option<usize>>,
    /// Jobs that nobody does.
    skipped: Vec<bool>,
    price: Vec<f64>,
}

struct Search<'a> {
    duties: &'a Duties,
    agents: usize,
    jobs: usize,
    stop: &'a Stop,
    /// Loads in whole units, rounded down, and limits rounded up: never too tight for the bound.
    units: Vec<Vec<usize>>,
    limits: Vec<usize>,
    /// Worths are whole numbers, so a bound may be rounded down.
    whole: bool,
    best: Option<(f64, Vec<Option<usize>>)>,
    /// Bounds of subtrees that were left when the time was up.
    left: f64,
    stopped: bool,
    table: Vec<f64>,
    taken: Vec<bool>,
}

impl<'a> Search<'a> {
    fn new(duties: &'a Duties, agents: usize, jobs: usize, stop: &'a Stop) -> Self {
        let whole = |v: &f64| v.fract() == 0.0;
        let largest = duties.limit.iter().copied().fold(0.0, f64::max);
        let as_is = largest <= WHOLE_LIMIT
            && duties.load.iter().flatten().all(whole)
            && duties.limit.iter().all(whole);
        let scale = if as_is { 1.0 } else { GRID / largest.max(1e-9) };
        let units = duties
            .load
            .iter()
            .map(|r| {
                r.iter()
                    .map(|l| (l * scale + 1e-9).floor() as usize)
                    .collect()
            })
            .collect();
        let limits = duties
            .limit
            .iter()
            .map(|l| (l * scale - 1e-9).max(0.0).ceil() as usize)
            .collect();
        Self {
            duties,
            agents,
            jobs,
            stop,
            units,
            limits,
            whole: duties.worth.iter().flatten().flatten().all(whole),
            best: None,
            left: f64::NEG_INFINITY,
            stopped: false,
            table: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn may(&self, a: usize, j: usize) -> bool {
        self.duties.worth[a][j].is_some() && self.duties.load[a][j] <= self.duties.limit[a]
    }

    fn worth(&self, a: usize, j: usize) -> f64 {
        self.duties.worth[a][j].unwrap_or(f64::NEG_INFINITY)
    }

    fn bound(&self) -> f64 {
        self.left
            .max(self.best.as_ref().map_or(f64::NEG_INFINITY, |b| b.0))
    }

    /// True when a subtree of this bound can hold nothing better.
    fn is_closed(&self, bound: f64) -> bool {
        let Some((value, _)) = &self.best else {
            return bound == f64::NEG_INFINITY;
        };
        if self.whole {
            (bound + 1e-6).floor() <= *value
        } else {
            bound <= value + 1e-9 * value.abs().max(1.0)
        }
    }

    fn explore(&mut self, mut node: Node, rounds: usize) {
        let (bound, counts) = self.relax(&mut node, rounds);
        if self.is_closed(bound) {
            return;
        }
        if self.stopped || self.stop.now() {
            self.stopped = true;
            self.left = self.left.max(bound);
            return;
        }
        // The job whose relaxed answer contradicts itself most; else one that is still open.
        let open = |j: &usize| node.fixed[*j].is_none() && !node.skipped[*j];
        let spread = |j: usize| {
            let mut w: Vec<f64> = (0..self.agents)
                .filter(|a| node.open[*a][j])
                .map(|a| self.worth(a, j))
                .collect();
            w.sort_by(|a, b| b.total_cmp(a));
            w.first().zip(w.get(1)).map_or(0.0, |(a, b)| a - b)
        };
        let Some(job) = (0..self.jobs).filter(open).max_by(|a, b| {
            let key = |j: usize| (f64::from(u8::from(counts[j] != 1)), spread(j));
            let (x, y) = (key(*a), key(*b));
            x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1))
        }) else {
            self.complete(&node);
            return;
        };
        let mut choices: Vec<Option<usize>> = (0..self.agents)
            .filter(|a| node.open[*a][job])
            .map(Some)
            .collect();
        choices.sort_by(|a, b| {
            let w = |c: &Option<usize>| c.map_or(0.0, |a| self.worth(a, job));
            w(b).total_cmp(&w(a))
        });
        if !self.duties.all {
            choices.push(None);
        }
        for choice in choices {
            let mut child = Node {
                open: node.open.clone(),
                fixed: node.fixed.clone(),
                skipped: node.skipped.clone(),
                price: node.price.clone(),
            };
            for row in &mut child.open {
                row[job] = false;
            }
            match choice {
                Some(a) => child.fixed[job] = Some(a),
                None => child.skipped[job] = true,
            }
            if self.fits(&mut child) {
                self.explore(child, ROUNDS.1);
            }
        }
    }

    /// Closes cells that no longer fit; false when a limit is broken or a job has nobody left.
    fn fits(&self, node: &mut Node) -> bool {
        let mut left = self.duties.limit.clone();
        for (j, a) in node.fixed.iter().enumerate() {
            if let Some(a) = a {
                left[*a] -= self.duties.load[*a][j];
            }
        }
        for (a, l) in left.iter().enumerate() {
            if *l < -1e-9 {
                return false;
            }
            for j in 0..self.jobs {
                node.open[a][j] &= self.duties.load[a][j] <= l + 1e-9;
            }
        }
        !self.duties.all
            || (0..self.jobs)
                .all(|j| node.fixed[j].is_some() || (0..self.agents).any(|a| node.open[a][j]))
    }

    /// Every job is decided.
    fn complete(&mut self, node: &Node) {
        let value = (0..self.jobs)
            .filter_map(|j| node.fixed[j].map(|a| self.worth(a, j)))
            .sum();
        self.offer(value, node.fixed.clone());
    }

    fn offer(&mut self, value: f64, agent: Vec<Option<usize>>) {
        if self.best.as_ref().is_none_or(|b| value > b.0 + 1e-12) {
            self.best = Some((value, agent));
        }
    }

    /// Improves the prices of the jobs by subgradient steps; gives the bound and how often each job
    /// is taken. Relaxed answers are mended into assignments on the way.
    fn relax(&mut self, node: &mut Node, rounds: usize) -> (f64, Vec<u32>) {
        let mut best = f64::INFINITY;
        let mut kept = (node.price.clone(), vec![0; self.jobs]);
        let (mut step, mut stale) = (1.0_f64, 0);
        for round in 0..rounds {
            let mut counts = vec![0_u32; self.jobs];
            let mut bound = 0.0;
            for (j, fixed) in node.fixed.iter().enumerate() {
                if let Some(a) = fixed {
                    counts[j] = 1;
                    bound += self.worth(*a, j);
                } else if !node.skipped[j] {
                    bound += node.price[j];
                }
            }
            let mut takes: Vec<Vec<usize>> = Vec::with_capacity(self.agents);
            for a in 0..self.agents {
                let (value, jobs) = self.knapsack(node, a);
                bound += value;
                for j in &jobs {
                    counts[*j] += 1;
                }
                takes.push(jobs);
            }
            if round % 8 == 0 || counts.iter().all(|c| *c <= 1) {
                self.mend(node, &takes);
            }
            if bound < best - 1e-9 {
                best = bound;
                kept = (node.price.clone(), counts.clone());
                stale = 0;
            } else {
                stale += 1;
                if stale >= 8 {
                    step *= 0.6;
                    stale = 0;
                }
            }
            if self.is_closed(best) || (round % 32 == 31 && self.stop.now()) {
                break;
            }
            let free = |j: usize| node.fixed[j].is_none() && !node.skipped[j];
            let norm: f64 = (0..self.jobs)
                .filter(|j| free(*j))
                .map(|j| (1.0 - f64::from(counts[j])).powi(2))
                .sum();
            if norm == 0.0 {
                break;
            }
            let target = self.best.as_ref().map_or(bound * 0.98, |b| b.0);
            let length = step * (bound - target).max(1e-3 * bound.abs()).max(1e-9) / norm;
            for j in (0..self.jobs).filter(|j| free(*j)) {
                let p = node.price[j] - length * (1.0 - f64::from(counts[j]));
                node.price[j] = if self.duties.all { p } else { p.max(0.0) };
            }
        }
        node.price = kept.0;
        (best, kept.1)
    }

    /// What an agent would take at the present prices, in what room the fixed jobs leave.
    fn knapsack(&mut self, node: &Node, a: usize) -> (f64, Vec<usize>) {
        let used: usize = (0..self.jobs)
            .filter(|j| node.fixed[*j] == Some(a))
            .map(|j| self.units[a][j])
            .sum();
        let room = self.limits[a].saturating_sub(used);
        let items: Vec<(usize, f64)> = (0..self.jobs)
            .filter(|j| node.open[a][*j] && self.units[a][*j] <= room)
            .map(|j| (j, self.worth(a, j) - node.price[j]))
            .filter(|i| i.1 > 1e-12)
            .collect();
        let width = room + 1;
        self.table.clear();
        self.table.resize(width, 0.0);
        self.taken.clear();
        self.taken.resize(width * items.len(), false);
        for (i, (j, gain)) in items.iter().enumerate() {
            let w = self.units[a][*j];
            for c in (w..width).rev() {
                let with = self.table[c - w] + gain;
                if with > self.table[c] {
                    self.table[c] = with;
                    self.taken[i * width + c] = true;
                }
            }
        }
        let (mut c, mut jobs) = (room, Vec::new());
        for (i, (j, _)) in items.iter().enumerate().rev() {
            if self.taken[i * width + c] {
                jobs.push(*j);
                c -= self.units[a][*j];
            }
        }
        (self.table[room], jobs)
    }

    /// An assignment near a relaxed answer: jobs taken twice stay where they are worth most, jobs
    /// not taken go where they fit, then single jobs move and pairs swap while that helps.
    fn mend(&mut self, node: &Node, takes: &[Vec<usize>]) {
        let d = self.duties;
        let mut agent = node.fixed.clone();
        let mut left = d.limit.clone();
        for (j, a) in agent.iter().enumerate() {
            if let Some(a) = a {
                left[*a] -= d.load[*a][j];
            }
        }
        let mut wishes: Vec<(f64, usize, usize)> = takes
            .iter()
            .enumerate()
            .flat_map(|(a, jobs)| jobs.iter().map(move |j| (a, *j)))
            .map(|(a, j)| (self.worth(a, j), a, j))
            .collect();
        wishes.sort_by(|x, y| y.0.total_cmp(&x.0));
        for (_, a, j) in wishes {
            if agent[j].is_none() && d.load[a][j] <= left[a] + 1e-9 {
                agent[j] = Some(a);
                left[a] -= d.load[a][j];
            }
        }
        let free = |j: usize| node.fixed[j].is_none() && !node.skipped[j];
        loop {
            let mut change = None;
            for j in (0..self.jobs).filter(|j| free(*j)) {
                let now = agent[j].map_or(if d.all { -1e9 } else { 0.0 }, |a| self.worth(a, j));
                for a in (0..self.agents).filter(|a| node.open[*a][j] && agent[j] != Some(*a)) {
                    let gain = self.worth(a, j) - now;
                    if gain > 1e-9 && d.load[a][j] <= left[a] + 1e-9 {
                        change = Some((j, a, None));
                        break;
                    }
                    // Another job makes room and goes where it fits.
                    for k in (0..self.jobs).filter(|k| free(*k) && agent[*k] == Some(a)) {
                        let room = left[a] + d.load[a][k] - d.load[a][j];
                        for b in (0..self.agents).filter(|b| *b != a && node.open[*b][k]) {
                            let back = if agent[j] == Some(b) {
                                d.load[b][j]
                            } else {
                                0.0
                            };
                            let total = gain + self.worth(b, k) - self.worth(a, k);
                            if total > 1e-9
                                && room >= -1e-9
                                && d.load[b][k] <= left[b] + back + 1e-9
                            {
                                change = Some((j, a, Some((k, b))));
                            }
                        }
                    }
                }
                if change.is_some() {
                    break;
                }
            }
            let Some((j, a, other)) = change else { break };
            if let Some(old) = agent[j] {
                left[old] += d.load[old][j];
            }
            if let Some((k, b)) = other {
                left[a] += d.load[a][k];
                left[b] -= d.load[b][k];
                agent[k] = Some(b);
            }
            left[a] -= d.load[a][j];
            agent[j] = Some(a);
        }
        if d.all && agent.iter().any(Option::is_none) {
            return;
        }
        let value = agent
            .iter()
            .enumerate()
            .filter_map(|(j, a)| a.map(|a| self.worth(a, j)))
            .sum();
        self.offer(value, agent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn brute(d: &Duties) -> Option<f64> {
        fn go(d: &Duties, j: usize, left: &mut Vec<f64>) -> Option<f64> {
            if j == d.worth[0].len() {
                return Some(0.0);
            }
            let mut best = if d.all { None } else { go(d, j + 1, left) };
            for a in 0..d.limit.len() {
                let Some(w) = d.worth[a][j] else { continue };
                if d.load[a][j] <= left[a] + 1e-9 {
                    left[a] -= d.load[a][j];
                    let rest = go(d, j + 1, left).map(|r| r + w);
                    left[a] += d.load[a][j];
                    best = match (best, rest) {
                        (Some(x), Some(y)) => Some(f64::max(x, y)),
                        (x, y) => x.or(y),
                    };
                }
            }
            best
        }
        go(d, 0, &mut d.limit.clone())
    }

    #[test]
    fn equals_brute_force() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut none = 0;
        for round in 0..2_000 {
            let (agents, jobs) = (rng.random_range(1..4), rng.random_range(1..7));
            let real = round % 3 == 0;
            let mut number = |most: f64| {
                let v: f64 = rng.random_range(0.0..most);
                if real { v } else { v.round() }
            };
            let duties = Duties {
                worth: (0..agents)
                    .map(|_| {
                        (0..jobs)
                            .map(|_| Some(number(9.0)).filter(|w| *w > 1.0))
                            .collect()
                    })
                    .collect(),
                load: (0..agents)
                    .map(|_| (0..jobs).map(|_| number(6.0)).collect())
                    .collect(),
                limit: (0..agents).map(|_| number(12.0)).collect(),
                all: round % 2 == 0,
            };
            let found = assign(&duties, &Stop::never()).unwrap();
            let expected = brute(&duties);
            none += usize::from(expected.is_none());
            assert_eq!(found.is_some(), expected.is_some());
            if let (Some(f), Some(e)) = (found, expected) {
                assert!(f.proven && (f.value - e).abs() < 1e-6, "{} {e}", f.value);
            }
        }
        assert!(none > 100, "{none}");
    }

    #[test]
    fn bad_tables_are_refused() {
        let mut d = Duties {
            worth: vec![vec![Some(1.0)]],
            load: vec![vec![1.0, 2.0]],
            limit: vec![1.0],
            all: true,
        };
        assert_eq!(assign(&d, &Stop::never()), Err(DutiesError::Shape));
        d.load = vec![vec![f64::NAN]];
        assert_eq!(
            assign(&d, &Stop::never()),
            Err(DutiesError::Value { agent: 0, job: 0 })
        );
    }
}
