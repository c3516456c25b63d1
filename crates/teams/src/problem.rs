//! What a team is asked for, checked once.

use queqiao_domain::Bilingual;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A need of the region, park or set that the team serves; or a part of a joint project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// How much it counts, > 0.
    pub weight: f64,
    /// Whoever covers the need must score at least this, where it is given.
    pub floor: Option<f64>,
}

/// Somebody who could be on the team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// What the seat costs, 万元, ≥ 0.
    pub cost: f64,
    /// Institution, for the cap per institution.
    pub institution: Option<usize>,
    /// Societies the candidate belongs to.
    pub societies: Vec<usize>,
    /// May lead: has the rank that was asked for.
    pub lead: bool,
    /// Needs the candidate can take on; none means any number.
    pub load: Option<u32>,
    /// Rules that keep the candidate out: places in [`TeamProblem::rules`].
    pub kept_out_by: Vec<usize>,
    /// Scores by task, as (task, score ≥ 0), each task once; absent is 0.
    pub scores: Vec<(usize, f64)>,
}

/// A rule that keeps candidates out: travel, availability, load, a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// A stable name, such as `travel`.
    pub name: String,
    /// The rule in words, with its figures.
    pub text: Bilingual,
}

/// So many of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// What they have in common, in words.
    pub text: Bilingual,
    /// Places of the candidates.
    pub who: Vec<usize>,
    /// At least so many on the team.
    pub least: u32,
    /// At most so many.
    pub most: Option<u32>,
}

/// A team to be composed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TeamProblem {
    /// The needs.
    pub tasks: Vec<Task>,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// Members at most.
    pub size: u32,
    /// Total cost at most, 万元.
    pub budget: Option<f64>,
    /// Members of one institution at most.
    pub per_institution: Option<u32>,
    /// Different societies at least.
    pub least_societies: u32,
    /// Members who may lead, at least.
    pub least_leads: u32,
    /// Members that are set: places of candidates.
    pub must: Vec<usize>,
    /// Candidates that are ruled out by name.
    pub must_not: Vec<usize>,
    /// Rules that keep candidates out.
    pub rules: Vec<Rule>,
    /// Further quotas.
    pub quotas: Vec<Quota>,
}

/// What giving way costs, for the ranking of relaxations; the unit is free.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TeamPrices {
    /// One seat more.
    pub seat: f64,
    /// 1 万元 more.
    pub money: f64,
    /// One member more of an institution.
    pub institution: f64,
    /// One society less.
    pub society: f64,
    /// One lead less.
    pub lead: f64,
    /// One person that a rule keeps out, or a quota missed by one.
    pub exception: f64,
    /// One member that was set left out, or one ruled out by name let in.
    pub named: f64,
    /// One need left below its floor.
    pub floor: f64,
}

impl Default for TeamPrices {
    fn default() -> Self {
        Self {
            seat: 2.0,
            money: 0.5,
            institution: 1.0,
            society: 1.5,
            lead: 8.0,
            exception: 4.0,
            named: 6.0,
            floor: 5.0,
        }
    }
}

/// How to compose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TeamParams {
    /// Share of the objective, 0 to 1, that goes to what is still covered when the member who
    /// matters most drops out; the rest goes to what the whole team covers.
    pub robust: f64,
    /// What each member takes off the value: above 0 a smaller team wins where it covers as much.
    pub per_member: f64,
    /// A need whose best score is below this is a gap.
    pub gap_below: f64,
    /// Alternates per seat.
    pub alternates: usize,
    /// What giving way costs.
    pub prices: TeamPrices,
}

impl Default for TeamParams {
    fn default() -> Self {
        Self {
            robust: 0.0,
            per_member: 0.0,
            gap_below: 0.3,
            alternates: 2,
            prices: TeamPrices::default(),
        }
    }
}

/// What is wrong with a problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TeamError {
    /// There is nothing to cover, nobody to choose, or no seat.
    #[error(
        "there is no {what}: a team is made of candidates for the seats, to cover needs; give at least one of each"
    )]
    Empty {
        /// `need`, `candidate`, `seat`.
        what: &'static str,
    },
    /// A figure that cannot be used.
    #[error("{} of {id} is {value}: expected {}", what.0, expected.0)]
    Value {
        /// Which figure: English, Chinese.
        what: Words,
        /// Whose.
        id: Bilingual,
        /// The figure.
        value: f64,
        /// What would be accepted: English, Chinese.
        expected: Words,
    },
    /// A place that is not there.
    #[error("{what} names a candidate, need or rule that is not there")]
    NoSuchPlace {
        /// What names it.
        what: Bilingual,
    },
    /// An id twice.
    #[error("{id} stands twice")]
    Twice {
        /// The id.
        id: Bilingual,
    },
}

/// English and Chinese.
type Words = (&'static str, &'static str);

impl TeamError {
    /// What is wrong and what would do, for people.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            TeamError::Empty { what } => {
                let what = match *what {
                    "need" => "需求",
                    "candidate" => "候选人",
                    _ => "席位",
                };
                format!("没有{what}：组队需要至少一项需求、一名候选人和一个席位")
            }
            TeamError::Value {
                what,
                id,
                value,
                expected,
            } => format!("{} 的{}为 {value}：应为{}", id.zh, what.1, expected.1),
            TeamError::NoSuchPlace { what } => {
                format!("{}指向不存在的候选人、需求或规则", what.zh)
            }
            TeamError::Twice { id } => format!("{} 出现两次", id.zh),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// A problem that passed its checks.
#[derive(Debug, Clone)]
pub struct ValidTeam {
    pub(crate) problem: TeamProblem,
    /// By candidate: weight × score by task, nothing that is zero.
    pub(crate) worth: Vec<Vec<(u32, f64)>>,
    /// By candidate: no rule and no name keeps it out.
    pub(crate) open: Vec<bool>,
    pub(crate) forced: Vec<bool>,
    /// By task: who reaches the floor, where there is one.
    pub(crate) floors: Vec<(usize, Vec<usize>)>,
    pub(crate) institutions: usize,
    pub(crate) societies: usize,
}

impl TeamProblem {
    /// Checks every figure and every place.
    ///
    /// # Errors
    /// The first that is wrong. That no team exists is not told here, but by
    /// [`ValidTeam::compose`].
    pub fn check(self) -> Result<ValidTeam, TeamError> {
        for (what, n) in [
            ("need", self.tasks.len()),
            ("candidate", self.candidates.len()),
            ("seat", self.size as usize),
        ] {
            if n == 0 {
                return Err(TeamError::Empty { what });
            }
        }
        /// No candidate's or need's id.
        const TEAM: &str = "";
        let value = |what: Words, id: &str, value: f64, least: f64, expected: Words| {
            if value.is_finite() && value >= least {
                Ok(())
            } else {
                Err(TeamError::Value {
                    what,
                    id: match id {
                        TEAM => Bilingual::new("the team", "团队"),
                        id => (id, id).into(),
                    },
                    value,
                    expected,
                })
            }
        };
        let twice = |id: &String| TeamError::Twice {
            id: (id, id).into(),
        };
        const FROM_ZERO: Words = ("a number from 0 up", "不小于 0 的数");
        let mut seen = BTreeSet::new();
        for t in &self.tasks {
            value(
                ("the weight", "权重"),
                &t.id,
                t.weight,
                f64::MIN_POSITIVE,
                ("a number above 0", "大于 0 的数"),
            )?;
            let floor = ("the floor", "下限");
            value(floor, &t.id, t.floor.unwrap_or(0.0), 0.0, FROM_ZERO)?;
            if !seen.insert(&t.id) {
                return Err(twice(&t.id));
            }
        }
        value(
            ("the budget", "预算"),
            TEAM,
            self.budget.unwrap_or(0.0),
            0.0,
            FROM_ZERO,
        )?;
        seen.clear();
        let nowhere = |en: String, zh: String| TeamError::NoSuchPlace {
            what: Bilingual::new(en, zh),
        };
        for c in &self.candidates {
            value(("the cost", "费用"), &c.id, c.cost, 0.0, FROM_ZERO)?;
            if !seen.insert(&c.id) {
                return Err(twice(&c.id));
            }
            if c.kept_out_by.iter().any(|r| *r >= self.rules.len()) {
                return Err(nowhere(
                    format!("a rule of {}", c.id),
                    format!("{} 的规则", c.id),
                ));
            }
            let mut of = BTreeSet::new();
            for (t, s) in &c.scores {
                if *t >= self.tasks.len() {
                    return Err(nowhere(
                        format!("a score of {}", c.id),
                        format!("{} 的分数", c.id),
                    ));
                }
                value(("a score", "分数"), &c.id, *s, 0.0, FROM_ZERO)?;
                if !of.insert(t) {
                    let (who, task) = (&c.id, &self.tasks[*t].id);
                    return Err(TeamError::Twice {
                        id: Bilingual::new(
                            format!("{who} for {task}"),
                            format!("{who} 对 {task} 的分数"),
                        ),
                    });
                }
            }
        }
        let all = self.candidates.len();
        let named = self.must.iter().chain(&self.must_not);
        if named.clone().any(|j| *j >= all) {
            return Err(nowhere(
                "the members set or ruled out".to_owned(),
                "指定或排除的成员".to_owned(),
            ));
        }
        if self.quotas.iter().any(|q| q.who.iter().any(|j| *j >= all)) {
            return Err(nowhere("a quota".to_owned(), "名额要求".to_owned()));
        }
        Ok(self.prepared())
    }

    fn prepared(self) -> ValidTeam {
        let mut forced = vec![false; self.candidates.len()];
        for j in &self.must {
            forced[*j] = true;
        }
        let open = (0..self.candidates.len())
            .map(|j| self.candidates[j].kept_out_by.is_empty() && !self.must_not.contains(&j))
            .collect();
        let worth = self
            .candidates
            .iter()
            .map(|c| {
                let mut list: Vec<(u32, f64)> = c
                    .scores
                    .iter()
                    .filter(|s| s.1 > 0.0)
                    .map(|(t, s)| (*t as u32, self.tasks[*t].weight * s))
                    .collect();
                list.sort_by_key(|x| x.0);
                list
            })
            .collect();
        let floors = self
            .tasks
            .iter()
            .enumerate()
            .filter_map(|(t, task)| Some((t, task.floor?)))
            .map(|(t, floor)| {
                let reach = |c: &Candidate| c.scores.iter().any(|s| s.0 == t && s.1 >= floor);
                let who = (0..self.candidates.len())
                    .filter(|j| reach(&self.candidates[*j]))
                    .collect();
                (t, who)
            })
            .collect();
        let most = |f: &dyn Fn(&Candidate) -> Option<usize>| {
            self.candidates
                .iter()
                .filter_map(f)
                .max()
                .map_or(0, |m| m + 1)
        };
        ValidTeam {
            institutions: most(&|c| c.institution),
            societies: most(&|c| c.societies.iter().copied().max()),
            worth,
            open,
            forced,
            floors,
            problem: self,
        }
    }
}

impl ValidTeam {
    /// The problem as it was given.
    pub fn problem(&self) -> &TeamProblem {
        &self.problem
    }

    /// True when a team keeps every constraint.
    pub fn keeps_all(&self, team: &[usize]) -> bool {
        let p = &self.problem;
        let on = |j: &usize| team.contains(j);
        self.may_grow(team)
            && p.must.iter().all(on)
            && team.iter().filter(|j| p.candidates[**j].lead).count() >= p.least_leads as usize
            && self.society_count(team) >= p.least_societies as usize
            && p.quotas
                .iter()
                .all(|q| q.who.iter().filter(|j| on(j)).count() >= q.least as usize)
            && self.reaches_floors(team)
    }

    /// True when a team breaks no constraint that only gets worse with more members.
    pub(crate) fn may_grow(&self, team: &[usize]) -> bool {
        let p = &self.problem;
        if team.len() > p.size as usize || team.iter().any(|j| !self.open[*j]) {
            return false;
        }
        if p.budget.is_some_and(|b| self.cost(team) > b + 1e-9) {
            return false;
        }
        if let Some(cap) = p.per_institution {
            let over = |j: &usize| {
                let i = p.candidates[*j].institution;
                i.is_some()
                    && team
                        .iter()
                        .filter(|k| p.candidates[**k].institution == i)
                        .count()
                        > cap as usize
            };
            if team.iter().any(over) {
                return false;
            }
        }
        p.quotas.iter().all(|q| {
            q.most
                .is_none_or(|m| q.who.iter().filter(|j| team.contains(j)).count() <= m as usize)
        })
    }

    pub(crate) fn cost(&self, team: &[usize]) -> f64 {
        team.iter().map(|j| self.problem.candidates[*j].cost).sum()
    }

    pub(crate) fn society_count(&self, team: &[usize]) -> usize {
        let all: BTreeSet<usize> = team
            .iter()
            .flat_map(|j| self.problem.candidates[*j].societies.iter().copied())
            .collect();
        all.len()
    }
}
