//! Small mixed-integer programmes with named constraints, over `microlp`.

use crate::Stop;
use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOptions, SolveOutcome};
use std::{collections::BTreeSet, time::Duration};

/// Time between two looks at the stop flag.
const SLICE: Duration = Duration::from_millis(60);
/// Values closer than this to an integer are that integer.
const WHOLE: f64 = 1e-6;

/// A variable of a [`Programme`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(usize);

/// A group of rows that hold or are given up together.
pub type Tag = usize;

/// Which way a row binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// At most.
    AtMost,
    /// At least.
    AtLeast,
    /// Exactly.
    Equal,
}

#[derive(Debug, Clone)]
struct Row {
    terms: Vec<(Variable, f64)>,
    sense: Sense,
    bound: f64,
    tag: Option<Tag>,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    worth: f64,
    low: f64,
    high: f64,
    whole: bool,
}

/// The answer of a [`Programme`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// An assignment that holds every row.
    Found(Found),
    /// No assignment holds every row: proven.
    Impossible,
    /// Stopped before anything was known, or the arithmetic gave out; `bound` is what no assignment
    /// can exceed, where that much is known.
    Unknown {
        /// Upper bound of the value.
        bound: Option<f64>,
    },
}

/// An assignment.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// By variable; whole where the variable is.
    pub values: Vec<f64>,
    /// Its worth.
    pub value: f64,
    /// No assignment is worth more.
    pub bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
}

impl Found {
    /// The value of a variable.
    pub fn get(&self, v: Variable) -> f64 {
        self.values.get(v.0).copied().unwrap_or(0.0)
    }

    /// True when a yes-or-no variable says yes.
    pub fn is(&self, v: Variable) -> bool {
        self.get(v) > 0.5
    }
}

/// A cheapest way to make an impossible programme possible.
#[derive(Debug, Clone, PartialEq)]
pub struct Relaxing {
    /// By how much each group of rows gives way, in the rows' own unit.
    pub by: Vec<(Tag, f64)>,
    /// Price of all of it.
    pub price: f64,
}

/// Something to maximise under linear rows. For problems of up to some thousands of variables.
#[derive(Debug, Clone, Default)]
pub struct Programme {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Programme {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A yes-or-no variable, worth `worth` when it says yes.
    pub fn choice(&mut self, worth: f64) -> Variable {
        self.column(worth, 0.0, 1.0, true)
    }

    /// A real variable from `low` to `high`.
    pub fn real(&mut self, worth: f64, low: f64, high: f64) -> Variable {
        self.column(worth, low, high, false)
    }

    fn column(&mut self, worth: f64, low: f64, high: f64, whole: bool) -> Variable {
        self.columns.push(Column {
            worth,
            low,
            high,
            whole,
        });
        Variable(self.columns.len() - 1)
    }

    /// Fixes a variable.
    pub fn fix(&mut self, v: Variable, value: f64) {
        if let Some(c) = self.columns.get_mut(v.0) {
            (c.low, c.high) = (value, value);
        }
    }

    /// A row; those of one `tag` form one constraint for [`Self::collision`].
    pub fn row(
        &mut self,
        tag: impl Into<Option<Tag>>,
        terms: Vec<(Variable, f64)>,
        sense: Sense,
        bound: f64,
    ) {
        self.rows.push(Row {
            terms,
            sense,
            bound,
            tag: tag.into(),
        });
    }

    /// The assignment of greatest worth.
    pub fn maximise(&self, stop: &Stop) -> Answer {
        self.solve(|_| true, None, stop)
    }

    /// Solves with the rows of those tags that `keep` admits; with `prices` every kept row of a
    /// priced tag may give way, and what counts is the price alone.
    fn solve(
        &self,
        keep: impl Fn(Tag) -> bool,
        prices: Option<&[(Tag, f64)]>,
        stop: &Stop,
    ) -> Answer {
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let elastic = prices.is_some();
        let handles: Vec<microlp::Variable> = self
            .columns
            .iter()
            .map(|c| {
                let worth = if elastic { 0.0 } else { c.worth };
                if c.whole && c.low < c.high {
                    problem.add_integer_var(worth, (c.low as i32, c.high as i32))
                } else {
                    problem.add_var(worth, (c.low, c.high))
                }
            })
            .collect();
        // One variable per priced tag: all its rows give way by the same amount.
        let slack: Vec<(Tag, microlp::Variable)> = prices
            .unwrap_or(&[])
            .iter()
            .map(|(t, price)| (*t, problem.add_var(-price.max(1e-9), (0.0, f64::INFINITY))))
            .collect();
        for row in &self.rows {
            if row.tag.is_some_and(|t| !keep(t)) {
                continue;
            }
            let mut terms: Vec<(microlp::Variable, f64)> =
                row.terms.iter().map(|(v, c)| (handles[v.0], *c)).collect();
            let give = row
                .tag
                .and_then(|t| slack.iter().find(|s| s.0 == t))
                .map(|s| s.1);
            let op = match row.sense {
                Sense::AtMost => ComparisonOp::Le,
                Sense::AtLeast => ComparisonOp::Ge,
                Sense::Equal => ComparisonOp::Eq,
            };
            if let Some(s) = give {
                terms.push((
                    s,
                    if row.sense == Sense::AtLeast {
                        1.0
                    } else {
                        -1.0
                    },
                ));
            }
            if terms.is_empty() {
                let holds = match row.sense {
                    Sense::AtMost => row.bound >= -1e-9,
                    Sense::AtLeast => row.bound <= 1e-9,
                    Sense::Equal => row.bound.abs() <= 1e-9,
                };
                if !holds {
                    return Answer::Impossible;
                }
                continue;
            }
            problem.add_constraint(terms, op, row.bound);
        }
        let all: Vec<microlp::Variable> = handles
            .iter()
            .copied()
            .chain(slack.iter().map(|s| s.1))
            .collect();
        run(&problem, &all, stop).map_or_else(
            |a| a,
            |(mut values, value, bound, proven)| {
                for (v, c) in values.iter_mut().zip(&self.columns) {
                    if c.whole && (*v - v.round()).abs() <= WHOLE {
                        *v = v.round();
                    }
                }
                Answer::Found(Found {
                    values,
                    value,
                    bound,
                    proven,
                })
            },
        )
    }

    /// Of an impossible programme, a smallest set of constraints that cannot hold together: when any
    /// one of them is given up the rest can (deletion filter; Chinneck, *Feasibility and
    /// Infeasibility in Optimization*, 2008, section 6.1). Tags that come first are tried first for
    /// removal. `None` when the programme is possible or time ran out.
    pub fn collision(&self, stop: &Stop) -> Option<Vec<Tag>> {
        let tags: Vec<Tag> = self
            .rows
            .iter()
            .filter_map(|r| r.tag)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let bare = Programme {
            columns: self
                .columns
                .iter()
                .map(|c| Column { worth: 0.0, ..*c })
                .collect(),
            rows: self.rows.clone(),
        };
        let mut kept: BTreeSet<Tag> = tags.iter().copied().collect();
        if bare.solve(|t| kept.contains(&t), None, stop) != Answer::Impossible {
            return None;
        }
        for t in tags {
            kept.remove(&t);
            match bare.solve(|x| kept.contains(&x), None, stop) {
                Answer::Impossible => {}
                _ if stop.now() => return None,
                _ => {
                    kept.insert(t);
                }
            }
        }
        Some(kept.into_iter().collect())
    }

    /// The cheapest amounts by which the constraints of `prices` (tag, price per unit) would have to
    /// give way so that the programme becomes possible. `None` when not even that helps, or time ran
    /// out.
    pub fn relax(&self, prices: &[(Tag, f64)], stop: &Stop) -> Option<Relaxing> {
        match self.solve(|_| true, Some(prices), stop) {
            Answer::Found(f) => {
                let given = &f.values[self.columns.len()..];
                let by: Vec<(Tag, f64)> = prices
                    .iter()
                    .zip(given)
                    .filter(|(_, g)| **g > 1e-7)
                    .map(|((t, _), g)| (*t, *g))
                    .collect();
                let price = by
                    .iter()
                    .map(|(t, g)| g * prices.iter().find(|p| p.0 == *t).map_or(0.0, |p| p.1))
                    .sum();
                Some(Relaxing { by, price })
            }
            _ => None,
        }
    }
}

type Raw = (Vec<f64>, f64, f64, bool);

/// Runs in slices, so that a raised flag is seen.
fn run(problem: &Problem, all: &[microlp::Variable], stop: &Stop) -> Result<Raw, Answer> {
    let slice = || stop.left().map_or(SLICE, |l| l.min(SLICE));
    let mut options = SolveOptions::default();
    options.time_limit = Some(slice());
    let failed = |e: &microlp::Error| match e {
        microlp::Error::Infeasible => Answer::Impossible,
        _ => Answer::Unknown { bound: None },
    };
    let mut outcome = problem.solve_with(options).map_err(|e| failed(&e))?;
    loop {
        let unfinished = outcome.termination_reason() == microlp::TerminationReason::TimeLimit;
        if unfinished && !stop.now() {
            let mut more = outcome.last_resume_options();
            more.time_limit = Some(slice());
            outcome = outcome.resume_with(more).map_err(|e| failed(&e))?;
            continue;
        }
        let bound = outcome.stats().best_bound;
        return match outcome {
            SolveOutcome::Solution(s) => {
                let values = all.iter().map(|v| s.var_value(*v)).collect();
                let value = s.objective();
                let proven = s.status() == microlp::SolutionStatus::Optimal;
                let bound = if proven {
                    value
                } else {
                    bound.unwrap_or(f64::INFINITY).max(value)
                };
                Ok((values, value, bound, proven))
            }
            SolveOutcome::Interrupted(_) => Err(Answer::Unknown { bound }),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knapsack() {
        let mut p = Programme::new();
        let items: Vec<Variable> = [6.0, 10.0, 12.0].iter().map(|w| p.choice(*w)).collect();
        let weights = [1.0, 2.0, 3.0];
        p.row(
            0,
            items.iter().copied().zip(weights).collect(),
            Sense::AtMost,
            5.0,
        );
        let Answer::Found(f) = p.maximise(&Stop::never()) else {
            panic!("possible")
        };
        assert!(f.proven && (f.value - 22.0).abs() < 1e-9);
        assert_eq!(
            items.iter().map(|v| f.is(*v)).collect::<Vec<_>>(),
            [false, true, true]
        );
    }

    #[test]
    fn what_collides_and_what_would_do() {
        // Three of them wanted, two allowed, and a budget that has nothing to do with it.
        let mut p = Programme::new();
        let x: Vec<Variable> = (0..4).map(|_| p.choice(1.0)).collect();
        let sum = || x.iter().map(|v| (*v, 1.0)).collect::<Vec<_>>();
        p.row(7, sum(), Sense::AtMost, 2.0);
        p.row(8, sum(), Sense::AtMost, 100.0);
        p.row(9, sum(), Sense::AtLeast, 3.0);
        assert_eq!(p.maximise(&Stop::never()), Answer::Impossible);
        assert_eq!(p.collision(&Stop::never()), Some(vec![7, 9]));
        let r = p.relax(&[(7, 1.0), (9, 5.0)], &Stop::never()).unwrap();
        assert_eq!(r.by.len(), 1);
        assert!(r.by[0].0 == 7 && (r.by[0].1 - 1.0).abs() < 1e-6);
        assert_eq!(p.relax(&[(8, 1.0)], &Stop::never()), None);
        p.row(7, vec![], Sense::AtLeast, 1.0);
        assert_eq!(p.maximise(&Stop::never()), Answer::Impossible);
    }
}
