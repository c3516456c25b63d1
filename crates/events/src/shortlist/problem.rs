//! What shortlists are asked for, checked once.

use queqiao_domain::Bilingual;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// A need, or an expert, with its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id, for messages.
    pub id: String,
    /// Meetings at most.
    pub most: u32,
    /// Meetings at least, where that is feasible.
    pub least: u32,
    /// The group it belongs to: the enterprise of a need, the person behind an expert.
    pub group: Option<usize>,
}

/// A possible meeting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Place of the need.
    pub need: usize,
    /// Place of the expert.
    pub expert: usize,
    /// What it is worth to the need; a negative worth is below that of no meeting.
    pub worth: f64,
    /// What it is worth to the expert; matters for two-sided objectives.
    pub back: f64,
}

/// What makes shortlists good.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The greatest total worth.
    Total,
    /// As many places filled as can be, then the greatest total worth.
    #[default]
    CoverFirst,
    /// As many places filled as can be; of such lists those that leave the worst-off need (sum of
    /// its list) as well off as can be; then the greatest total.
    MaxMin,
    /// No need and expert that would both rather meet each other than whom they have
    /// (deferred acceptance; Gale and Shapley 1962, Roth 1984 for many-to-many). Minima are told
    /// when they are missed, and not sought.
    Stable,
    /// As many places filled as can be; of such lists those with the greatest Nash social welfare of
    /// both sides: the sum over all of the logarithm of what they have plus the mean worth of a
    /// pair. Worth below zero counts as zero here.
    Nash,
    /// Places filled first; an expert's second, third … appearance costs `cost`, `2·cost` … of
    /// worth, so that exposure spreads.
    ExposureFair {
        /// Worth that each further appearance costs more, ≥ 0.
        cost: f64,
    },
}

/// What giving way costs, for the ranking of relaxations; the unit is free.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// One meeting more for an expert.
    pub capacity: f64,
    /// One meeting less for a party that is promised a least number.
    pub least: f64,
    /// One barred pair allowed after all.
    pub barred: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            capacity: 1.0,
            least: 3.0,
            barred: 10.0,
        }
    }
}

/// How to solve.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ShortlistParams {
    /// What makes shortlists good.
    pub objective: Objective,
    /// What giving way costs.
    pub prices: Prices,
    /// Seed of what is random: the order in which exchanges are tried.
    pub seed: u64,
}

/// Shortlists to be made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShortlistProblem {
    /// The needs.
    pub needs: Vec<Party>,
    /// The experts.
    pub experts: Vec<Party>,
    /// Meetings at most, by group of needs.
    pub need_groups: Vec<u32>,
    /// Meetings at most, by group of experts: the congestion budget of a person across roles and
    /// concurrent events.
    pub expert_groups: Vec<u32>,
    /// Possible meetings, each pair once.
    pub pairs: Vec<Pair>,
    /// Pairs that have to meet: need, expert.
    pub wanted: Vec<(usize, usize)>,
    /// Pairs that must not meet: need, expert.
    pub barred: Vec<(usize, usize)>,
}

/// What is wrong with a problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShortlistError {
    /// A place that is not there.
    #[error("pair {pair} names a need or an expert that is not there")]
    NoSuchParty {
        /// The pair.
        pair: usize,
    },
    /// A group that is not there.
    #[error("{id} belongs to a group that is not there")]
    NoSuchGroup {
        /// The party.
        id: String,
    },
    /// The same pair twice.
    #[error("{need} and {expert} stand in two pairs")]
    Twice {
        /// The need.
        need: String,
        /// The expert.
        expert: String,
    },
    /// A worth that is not finite.
    #[error("the worth of {need} and {expert} must be a finite number")]
    Worth {
        /// The need.
        need: String,
        /// The expert.
        expert: String,
    },
    /// More at least than at most.
    #[error("{id} shall have at least {least} meetings and at most {most}")]
    Limits {
        /// The party.
        id: String,
        /// Its least.
        least: u32,
        /// Its most.
        most: u32,
    },
    /// A wanted pair without a worth.
    #[error("{need} and {expert} are wanted together but are no possible pair")]
    WantedUnknown {
        /// The need.
        need: String,
        /// The expert.
        expert: String,
    },
    /// Wanted pairs that cannot all be held.
    #[error("{}", .0.describe())]
    Impossible(Box<queqiao_solve::Certificate>),
    /// Too many parties, or limits too large, for exact arithmetic.
    #[error("the needs, experts or limits are too many for exact arithmetic")]
    Flow(#[from] queqiao_solve::FlowError),
}

impl ShortlistError {
    /// What is wrong, for people.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            ShortlistError::NoSuchParty { pair } => {
                format!("第 {} 对指向不存在的需求或专家", pair + 1)
            }
            ShortlistError::NoSuchGroup { id } => format!("{id} 所属的集团不存在"),
            ShortlistError::Twice { need, expert } => format!("{need} 与 {expert} 出现在两对中"),
            ShortlistError::Worth { need, expert } => {
                format!("{need} 与 {expert} 的匹配值应为有限的数")
            }
            ShortlistError::Limits { id, least, most } => {
                format!("{id} 的场次下限为 {least}，上限却为 {most}")
            }
            ShortlistError::WantedUnknown { need, expert } => {
                format!("指定 {need} 与 {expert} 会面，但二者不能配对")
            }
            ShortlistError::Impossible(c) => return c.describe(),
            ShortlistError::Flow(_) => "需求、专家或上限过多，无法精确计算".to_owned(),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// A problem that passed its checks: its wanted pairs fit, its numbers are finite.
#[derive(Debug, Clone)]
pub struct ValidShortlists {
    pub(crate) problem: ShortlistProblem,
    /// By pair: wanted.
    pub(crate) held: Vec<bool>,
    /// By pair: may be chosen freely.
    pub(crate) open: Vec<bool>,
    /// By need: has an open or held pair.
    pub(crate) has_candidate: Vec<bool>,
    /// Greatest worth on either side; at least a tiny positive number.
    pub(crate) largest: f64,
}

impl ShortlistProblem {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first rule that is broken; [`ShortlistError::Impossible`] proves that wanted pairs cannot
    /// all be held.
    pub fn check(self) -> Result<ValidShortlists, ShortlistError> {
        let name = |need: usize, expert: usize| {
            let id = |p: Option<&Party>| p.map_or(String::new(), |p| p.id.clone());
            (id(self.needs.get(need)), id(self.experts.get(expert)))
        };
        for (parties, groups) in [
            (&self.needs, &self.need_groups),
            (&self.experts, &self.expert_groups),
        ] {
            for p in parties {
                if p.group.is_some_and(|g| g >= groups.len()) {
                    return Err(ShortlistError::NoSuchGroup { id: p.id.clone() });
                }
                if p.least > p.most {
                    return Err(ShortlistError::Limits {
                        id: p.id.clone(),
                        least: p.least,
                        most: p.most,
                    });
                }
            }
        }
        let mut place: HashMap<(usize, usize), usize> = HashMap::with_capacity(self.pairs.len());
        let mut largest: f64 = 0.0;
        for (c, p) in self.pairs.iter().enumerate() {
            if p.need >= self.needs.len() || p.expert >= self.experts.len() {
                return Err(ShortlistError::NoSuchParty { pair: c });
            }
            let (need, expert) = name(p.need, p.expert);
            if !(p.worth.is_finite() && p.back.is_finite()) {
                return Err(ShortlistError::Worth { need, expert });
            }
            if place.insert((p.need, p.expert), c).is_some() {
                return Err(ShortlistError::Twice { need, expert });
            }
            largest = largest.max(p.worth.abs()).max(p.back.abs());
        }
        let barred: HashSet<(usize, usize)> = self.barred.iter().copied().collect();
        let mut held = vec![false; self.pairs.len()];
        for w in &self.wanted {
            let Some(c) = place.get(w) else {
                let (need, expert) = name(w.0, w.1);
                return Err(ShortlistError::WantedUnknown { need, expert });
            };
            held[*c] = true;
        }
        if let Some(certificate) = super::certify::wanted(&self, &held, &barred) {
            return Err(ShortlistError::Impossible(Box::new(certificate)));
        }
        let open: Vec<bool> = self
            .pairs
            .iter()
            .enumerate()
            .map(|(c, p)| {
                !held[c]
                    && !barred.contains(&(p.need, p.expert))
                    && self.needs[p.need].most > 0
                    && self.experts[p.expert].most > 0
            })
            .collect();
        let mut has_candidate = vec![false; self.needs.len()];
        for (c, p) in self.pairs.iter().enumerate() {
            has_candidate[p.need] |= open[c] || held[c];
        }
        Ok(ValidShortlists {
            problem: self,
            held,
            open,
            has_candidate,
            largest: largest.max(1e-12),
        })
    }
}

impl ValidShortlists {
    /// The problem as it was given.
    pub fn problem(&self) -> &ShortlistProblem {
        &self.problem
    }

    /// Limits that are left when wanted pairs are held: needs, experts, groups of needs, groups of
    /// experts.
    pub(crate) fn room(&self) -> Room {
        let p = &self.problem;
        let mut room = Room {
            needs: p.needs.iter().map(|q| q.most).collect(),
            experts: p.experts.iter().map(|q| q.most).collect(),
            need_groups: p.need_groups.clone(),
            expert_groups: p.expert_groups.clone(),
        };
        for (c, pair) in p.pairs.iter().enumerate() {
            if self.held[c] {
                room.take(p, pair);
            }
        }
        room
    }
}

/// Meetings that are still free.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) needs: Vec<u32>,
    pub(crate) experts: Vec<u32>,
    pub(crate) need_groups: Vec<u32>,
    pub(crate) expert_groups: Vec<u32>,
}

impl Room {
    /// True when one more meeting of the pair fits everywhere.
    pub(crate) fn fits(&self, p: &ShortlistProblem, pair: &Pair) -> bool {
        self.needs[pair.need] > 0
            && self.experts[pair.expert] > 0
            && p.needs[pair.need]
                .group
                .is_none_or(|g| self.need_groups[g] > 0)
            && p.experts[pair.expert]
                .group
                .is_none_or(|g| self.expert_groups[g] > 0)
    }

    /// Takes one meeting of the pair; what is already empty stays empty.
    pub(crate) fn take(&mut self, p: &ShortlistProblem, pair: &Pair) {
        let less = |n: &mut u32| *n = n.saturating_sub(1);
        less(&mut self.needs[pair.need]);
        less(&mut self.experts[pair.expert]);
        if let Some(g) = p.needs[pair.need].group {
            less(&mut self.need_groups[g]);
        }
        if let Some(g) = p.experts[pair.expert].group {
            less(&mut self.expert_groups[g]);
        }
    }

    /// Gives one meeting of the pair back.
    pub(crate) fn give(&mut self, p: &ShortlistProblem, pair: &Pair) {
        self.needs[pair.need] += 1;
        self.experts[pair.expert] += 1;
        if let Some(g) = p.needs[pair.need].group {
            self.need_groups[g] += 1;
        }
        if let Some(g) = p.experts[pair.expert].group {
            self.expert_groups[g] += 1;
        }
    }
}
