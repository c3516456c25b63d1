//! Consortia for joint projects: complementary members that together cover a project's parts.

use crate::{
    problem::{TeamError, TeamParams, TeamProblem},
    report::Outcome,
};
use queqiao_solve::{Certificate, Stop};
use serde::Serialize;

/// How to put a consortium together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConsortiumParams {
    /// A part must be covered to at least this, where it names no floor of its own.
    pub floor: f64,
    /// Parts one member leads at most, where it names no load of its own.
    pub parts_each: u32,
    /// What a further member takes off the value: members who add little stay out.
    pub per_member: f64,
}

impl Default for ConsortiumParams {
    fn default() -> Self {
        Self {
            floor: 0.4,
            parts_each: 2,
            per_member: 0.05,
        }
    }
}

/// One member of a consortium.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Partner {
    /// Place of the candidate.
    pub candidate: usize,
    /// Parts the member leads: places.
    pub leads: Vec<usize>,
    /// What the consortium would cover less without the member.
    pub worth: f64,
    /// How much of what the member can do another member can do as well, 0 (complementary) to 1.
    pub overlap: f64,
}

/// What putting a consortium together comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Consortium {
    /// Members who cover every part.
    Members {
        /// The members, by worth.
        partners: Vec<Partner>,
        /// By part: who leads it, and with what score.
        parts: Vec<(Option<usize>, f64)>,
        /// Weighted cover less what members take off.
        value: f64,
        /// No consortium has a greater value.
        bound: f64,
        /// True when `value` is the greatest there is.
        proven: bool,
    },
    /// Proven: no consortium keeps every constraint.
    Impossible(Certificate),
    /// Time ran out before either was known.
    Unknown,
}

/// The consortium of greatest value: every part led by one member, nobody leading too many.
///
/// # Errors
/// See [`TeamError`].
pub fn consortium(
    mut problem: TeamProblem,
    params: &ConsortiumParams,
    stop: &Stop,
) -> Result<Consortium, TeamError> {
    for part in &mut problem.tasks {
        part.floor.get_or_insert(params.floor);
    }
    for c in &mut problem.candidates {
        c.load.get_or_insert(params.parts_each);
    }
    let valid = problem.check()?;
    let p = valid.problem();
    let team = TeamParams {
        per_member: params.per_member,
        gap_below: params.floor,
        ..TeamParams::default()
    };
    let plan = match valid.compose(&team, stop) {
        Outcome::Team(plan) => plan,
        Outcome::Impossible(c) => return Ok(Consortium::Impossible(c)),
        Outcome::Unknown => return Ok(Consortium::Unknown),
    };
    let score = |j: usize, t: usize| {
        p.candidates[j]
            .scores
            .iter()
            .find(|s| s.0 == t)
            .map_or(0.0, |s| s.1)
    };
    let members: Vec<usize> = plan.seats.iter().map(|s| s.candidate).collect();
    let mut partners: Vec<Partner> = plan
        .seats
        .iter()
        .map(|s| {
            let (mut shared, mut all) = (0.0, 0.0);
            for t in 0..p.tasks.len() {
                let own = score(s.candidate, t);
                let other = members
                    .iter()
                    .filter(|k| **k != s.candidate)
                    .map(|k| score(*k, t))
                    .fold(0.0, f64::max);
                all += own;
                shared += own.min(other);
            }
            Partner {
                candidate: s.candidate,
                leads: s.covers.clone(),
                worth: s.worth,
                overlap: if all > 0.0 { shared / all } else { 0.0 },
            }
        })
        .collect();
    partners.sort_by(|a, b| {
        b.worth
            .total_cmp(&a.worth)
            .then(a.candidate.cmp(&b.candidate))
    });
    Ok(Consortium::Members {
        partners,
        parts: plan.coverage.iter().map(|c| (c.by, c.score)).collect(),
        value: plan.value,
        bound: plan.bound,
        proven: plan.proven,
    })
}
