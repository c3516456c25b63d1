//! Shortlists under capacity: who should meet whom.
//!
//! Every need asks for its best, every expert has a limit, groups on either side (the needs of one
//! enterprise, the appearances of one person) have limits of their own, wanted pairs are held and
//! barred ones never appear. The objectives that are flows are solved exactly; the others come with
//! an upper bound.

mod certify;
mod exchange;
mod explain;
mod flow;
mod max_min;
mod nash;
mod problem;
mod stable;

pub use explain::{Exchange, Why, WhyNot};
pub use problem::{
    Objective, Pair, Party, Prices, ShortlistError, ShortlistParams, ShortlistProblem,
    ValidShortlists,
};

use queqiao_solve::{Certificate, Simplex, Stop};
use serde::Serialize;

/// A party that got less than its least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// Its id.
    pub id: String,
    /// What it got.
    pub has: u32,
    /// What it should at least get.
    pub least: u32,
}

/// Shortlists, with figures to judge them by.
#[derive(Debug, Clone)]
pub struct Shortlists {
    /// Chosen pairs: places in [`ShortlistProblem::pairs`], ascending.
    pub chosen: Vec<usize>,
    /// Sum of the worth of the chosen pairs.
    pub total: f64,
    /// The greatest total that any shortlists within the limits have.
    pub total_bound: f64,
    /// The sum of the need that is worst off, among those with a candidate.
    pub worst: f64,
    /// No shortlists that fill as many places leave the worst-off need better off; known for
    /// [`Objective::MaxMin`].
    pub worst_bound: Option<f64>,
    /// The objective's own value, and a bound that none can exceed. In the unit of the objective:
    /// worth, worst sum, sum of logarithms, worth less exposure.
    pub value: f64,
    /// Upper bound of `value`.
    pub bound: f64,
    /// True when `value` is proven to be the greatest, to within a billionth of the largest worth.
    pub proven: bool,
    /// Needs, then experts, that got less than their least.
    pub short: Vec<Shortage>,
    /// Why some got less than their least, and what would help; none when nobody did.
    pub certificate: Option<Certificate>,
    /// How unevenly the experts appear: Gini's coefficient of their loads, 0 even, 1 uneven.
    pub gini: f64,
    /// False when the computation was stopped early.
    pub finished: bool,
    /// The optimal flow, for explanations, where the objective is one.
    flow: Option<(Simplex, flow::Layout)>,
}

impl ValidShortlists {
    /// Solves. When `stop` says so, what there is by then comes back, with honest bounds.
    ///
    /// # Errors
    /// [`ShortlistError::Flow`] when the problem is too large for exact arithmetic.
    pub fn solve(
        &self,
        params: &ShortlistParams,
        stop: &Stop,
    ) -> Result<Shortlists, ShortlistError> {
        let exact = flow::solve(self, flow::Goal::of(params.objective), stop)?;
        // Beside every objective stands the greatest total there is.
        let total_bound = match params.objective {
            Objective::Total | Objective::Stable => exact.worth(self) + exact.missing(),
            _ => exact.total_bound(self, stop),
        };
        let mut out = match params.objective {
            Objective::Total | Objective::CoverFirst | Objective::ExposureFair { .. } => {
                self.flow_lists(params, exact)
            }
            Objective::MaxMin => max_min::solve(self, exact, params.seed, stop),
            Objective::Stable => stable::solve(self),
            Objective::Nash => nash::solve(self, exact, params.seed, stop),
        };
        out.total_bound = total_bound.max(out.total);
        self.describe(params, &mut out, stop);
        Ok(out)
    }

    fn flow_lists(&self, params: &ShortlistParams, exact: flow::Solved) -> Shortlists {
        let chosen = exact.chosen(self);
        let mut out = self.measured(chosen);
        let spent = match params.objective {
            Objective::ExposureFair { cost } => self
                .loads(&out.chosen)
                .iter()
                .map(|l| cost * f64::from(l * l.saturating_sub(1)) / 2.0)
                .sum(),
            _ => 0.0,
        };
        out.value = out.total - spent;
        // What the flow left on the table, bonuses included, is an upper bound of what is missing.
        out.bound = out.value + exact.missing();
        out.proven = exact.flow.finished;
        out.finished = exact.flow.finished;
        out.flow = Some((exact.simplex, exact.layout));
        out
    }

    /// Shortlists of the chosen pairs, with the figures that follow from them.
    fn measured(&self, mut chosen: Vec<usize>) -> Shortlists {
        chosen.sort_unstable();
        let p = &self.problem;
        let sums = self.sums(&chosen);
        let total = chosen.iter().map(|c| p.pairs[*c].worth).sum();
        let worst = (0..p.needs.len())
            .filter(|i| self.has_candidate[*i])
            .map(|i| sums[i])
            .fold(f64::INFINITY, f64::min);
        Shortlists {
            total,
            total_bound: f64::INFINITY,
            worst: if worst.is_finite() { worst } else { 0.0 },
            worst_bound: None,
            value: total,
            bound: f64::INFINITY,
            proven: false,
            short: Vec::new(),
            certificate: None,
            gini: gini(&self.loads(&chosen)),
            finished: true,
            flow: None,
            chosen,
        }
    }

    fn describe(&self, params: &ShortlistParams, out: &mut Shortlists, stop: &Stop) {
        let p = &self.problem;
        let loads = self.loads(&out.chosen);
        let mut got = vec![0_u32; p.needs.len()];
        for c in &out.chosen {
            got[p.pairs[*c].need] += 1;
        }
        let short = |parties: &[Party], got: &[u32]| -> Vec<Shortage> {
            parties
                .iter()
                .zip(got)
                .filter(|(q, g)| **g < q.least)
                .map(|(q, g)| Shortage {
                    id: q.id.clone(),
                    has: *g,
                    least: q.least,
                })
                .collect()
        };
        out.short = short(&p.needs, &got);
        out.short.extend(short(&p.experts, &loads));
        if !out.short.is_empty() {
            out.certificate = certify::minima(self, &params.prices, stop);
        }
    }

    /// Meetings of each expert.
    pub fn loads(&self, chosen: &[usize]) -> Vec<u32> {
        let mut loads = vec![0; self.problem.experts.len()];
        for c in chosen {
            loads[self.problem.pairs[*c].expert] += 1;
        }
        loads
    }

    /// Worth of each need's list.
    pub fn sums(&self, chosen: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; self.problem.needs.len()];
        for c in chosen {
            let pair = &self.problem.pairs[*c];
            sums[pair.need] += pair.worth;
        }
        sums
    }
}

/// Gini's coefficient of loads.
fn gini(loads: &[u32]) -> f64 {
    let mut sorted = loads.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as f64;
    let sum: f64 = sorted.iter().map(|l| f64::from(*l)).sum();
    if sum == 0.0 {
        return 0.0;
    }
    let weighted: f64 = sorted
        .iter()
        .enumerate()
        .map(|(i, l)| (2.0 * (i as f64 + 1.0) - n - 1.0) * f64::from(*l))
        .sum();
    weighted / (n * sum)
}
