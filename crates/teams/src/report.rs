//! The team, and everything an organiser asks about it.

use crate::{
    bound::Proof,
    problem::{TeamParams, ValidTeam},
};
use queqiao_solve::{Certificate, Stop};
use serde::Serialize;

/// What composing a team comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A team that keeps every constraint.
    Team(Box<TeamPlan>),
    /// Proven: no team keeps every constraint.
    Impossible(Certificate),
    /// Time ran out before either was known.
    Unknown,
}

/// Somebody who could take a seat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternate {
    /// Place of the candidate.
    pub candidate: usize,
    /// Value of the team with the candidate in this seat.
    pub value: f64,
}

/// What happens when a member drops out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drop {
    /// Weighted cover that is left.
    pub left: f64,
    /// Needs that fall below the mark of a gap: places.
    pub opens: Vec<usize>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seat {
    /// Place of the candidate.
    pub candidate: usize,
    /// May lead.
    pub lead: bool,
    /// What the team would cover less without the member.
    pub worth: f64,
    /// Needs the member covers: places.
    pub covers: Vec<usize>,
    /// Who else could take the seat, best first, the rest of the team unchanged.
    pub alternates: Vec<Alternate>,
    /// When the member drops out.
    pub drop: Drop,
}

/// How a need is covered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Place of the need.
    pub task: usize,
    /// Who covers it.
    pub by: Option<usize>,
    /// With what score.
    pub score: f64,
    /// The next best member, with the score.
    pub second: Option<(usize, f64)>,
    /// The score is below the mark.
    pub gap: bool,
    /// The best score of any candidate, on the team or not: a gap that nobody could fill is told
    /// apart from one that had to give way.
    pub best_of_all: f64,
}

/// A team with its proof.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TeamPlan {
    /// The members, those who may lead first, then by worth.
    pub seats: Vec<Seat>,
    /// By need.
    pub coverage: Vec<Coverage>,
    /// Weighted cover.
    pub cover: f64,
    /// Weighted cover if every need had a score of 1.
    pub cover_of: f64,
    /// The objective's value.
    pub value: f64,
    /// No team has a greater value.
    pub bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
    /// Total cost, 万元.
    pub cost: f64,
    /// Number of societies.
    pub societies: usize,
    /// Cover that is left when the member who matters most drops out.
    pub worst_drop: f64,
    /// False when the computation was stopped early.
    pub finished: bool,
}

impl ValidTeam {
    /// Composes the best team.
    pub fn compose(&self, params: &TeamParams, stop: &Stop) -> Outcome {
        let params = TeamParams {
            robust: params.robust.clamp(0.0, 1.0),
            per_member: params.per_member.max(0.0),
            ..*params
        };
        let Some((value, team)) = self.search(&params, stop) else {
            return match self.certificate(&params.prices, stop) {
                Some(c) => Outcome::Impossible(c),
                None => Outcome::Unknown,
            };
        };
        let plain = TeamParams {
            robust: 0.0,
            ..params
        };
        let start = (self.value(&team, &plain), team.clone());
        let mut proof = Proof::new(self, &params, Some(start), stop);
        let whole_bound = proof.run();
        let stopped = proof.stopped;
        let (mut value, mut team) = (value, team);
        if params.robust == 0.0 {
            if let Some((v, t)) = proof.best {
                (value, team) = (v, t);
            }
            let plan = self.plan(&team, &params, value, whole_bound.max(value), !stopped);
            return Outcome::Team(Box::new(plan));
        }
        // The team of greatest cover may be the sturdiest as well.
        if let Some((_, t)) = proof.best {
            let polished = self.polish(t, &params, stop);
            if polished.0 > value {
                (value, team) = polished;
            }
        }
        // Whoever drops out of a team of n leaves one of at most n − 1 without a lead asked for.
        let size = self.problem.size as usize;
        let left = if size > 1 {
            Proof::new(self, &plain, None, stop).smaller(size - 1).run()
        } else {
            0.0
        };
        let left = left.min(whole_bound + params.per_member * size as f64);
        let bound = (1.0 - params.robust) * whole_bound + params.robust * left;
        let proven = !stopped && bound <= value + 1e-9;
        let mut plan = self.plan(&team, &params, value, bound.max(value), proven);
        plan.finished = !stopped;
        Outcome::Team(Box::new(plan))
    }

    fn plan(
        &self,
        team: &[usize],
        params: &TeamParams,
        value: f64,
        bound: f64,
        proven: bool,
    ) -> TeamPlan {
        let p = &self.problem;
        let cover = self.cover(team);
        let score = |j: usize, t: usize| {
            p.candidates[j]
                .scores
                .iter()
                .find(|s| s.0 == t)
                .map_or(0.0, |s| s.1)
        };
        let coverage: Vec<Coverage> = (0..p.tasks.len())
            .map(|t| {
                let by = cover.by[t];
                let best = by.map_or(0.0, |j| score(j, t));
                let second = team
                    .iter()
                    .filter(|j| Some(**j) != by)
                    .map(|j| (*j, score(*j, t)))
                    .filter(|s| s.1 > 0.0)
                    .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
                Coverage {
                    task: t,
                    by,
                    score: best,
                    second,
                    gap: best < params.gap_below,
                    best_of_all: (0..p.candidates.len())
                        .map(|j| score(j, t))
                        .fold(0.0, f64::max),
                }
            })
            .collect();
        let mut seats: Vec<Seat> = team
            .iter()
            .map(|j| self.seat(*j, team, &cover, params, &score))
            .collect();
        seats.sort_by(|a, b| {
            b.lead
                .cmp(&a.lead)
                .then(b.worth.total_cmp(&a.worth))
                .then(a.candidate.cmp(&b.candidate))
        });
        TeamPlan {
            seats,
            coverage,
            cover: cover.value,
            cover_of: p.tasks.iter().map(|t| t.weight).sum(),
            value,
            bound,
            proven,
            cost: self.cost(team),
            societies: self.society_count(team),
            worst_drop: self.worst_drop(team).map_or(0.0, |w| w.1),
            finished: proven,
        }
    }

    fn seat(
        &self,
        j: usize,
        team: &[usize],
        cover: &crate::cover::Cover,
        params: &TeamParams,
        score: &dyn Fn(usize, usize) -> f64,
    ) -> Seat {
        let p = &self.problem;
        let rest: Vec<usize> = team.iter().copied().filter(|k| *k != j).collect();
        let without = self.cover(&rest);
        let opens = (0..p.tasks.len())
            .filter(|t| {
                let had = cover.by[*t].map_or(0.0, |k| score(k, *t));
                let has = without.by[*t].map_or(0.0, |k| score(k, *t));
                had >= params.gap_below && has < params.gap_below
            })
            .collect();
        let mut alternates: Vec<Alternate> = (0..p.candidates.len())
            .filter(|k| self.open[*k] && !team.contains(k) && !self.forced[j])
            .filter_map(|k| {
                let mut with = rest.clone();
                with.push(k);
                self.keeps_all(&with).then(|| Alternate {
                    candidate: k,
                    value: self.value(&with, params),
                })
            })
            .collect();
        alternates.sort_by(|a, b| {
            b.value
                .total_cmp(&a.value)
                .then(a.candidate.cmp(&b.candidate))
        });
        alternates.truncate(params.alternates);
        Seat {
            candidate: j,
            lead: p.candidates[j].lead,
            worth: cover.value - without.value,
            covers: (0..p.tasks.len())
                .filter(|t| cover.by[*t] == Some(j))
                .collect(),
            alternates,
            drop: Drop {
                left: without.value,
                opens,
            },
        }
    }
}
