//! What a timetable is asked for, checked once.

use queqiao_domain::Bilingual;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A slot of the timetable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Begin, in minutes from any common origin.
    pub begin: i64,
    /// End, later than `begin`.
    pub end: i64,
}

/// Somebody who meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id, for messages.
    pub id: String,
    /// By slot: present and free.
    pub open: Vec<bool>,
    /// Meetings at most.
    pub most: Option<u32>,
}

/// A table (or room) where one meeting at a time is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Id, for messages.
    pub id: String,
    /// Where it stands: a place in [`TimetableProblem::travel`].
    pub site: usize,
    /// By slot: usable.
    pub open: Vec<bool>,
}

/// A meeting that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// Who asks: a place of a person.
    pub left: usize,
    /// Who answers: a place of a person.
    pub right: usize,
    /// Further people at the table.
    pub others: Vec<usize>,
    /// What it is worth, > 0.
    pub worth: f64,
    /// Must be held: comes before any worth.
    pub must: bool,
    /// Where it has to be held, when that matters.
    pub site: Option<usize>,
    /// Fixed by hand: slot, and table if that is fixed too.
    pub locked: Option<(usize, Option<usize>)>,
}

impl Meeting {
    /// Everybody at the table.
    pub fn people(&self) -> impl Iterator<Item = usize> + '_ {
        [self.left, self.right]
            .into_iter()
            .chain(self.others.iter().copied())
    }
}

/// Where and when a meeting is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The slot.
    pub slot: usize,
    /// The table.
    pub table: usize,
}

/// A timetable to be made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TimetableProblem {
    /// The slots, in order of time, not overlapping; breaks are the gaps between them.
    pub slots: Vec<Slot>,
    /// The people.
    pub people: Vec<Person>,
    /// The tables.
    pub tables: Vec<Table>,
    /// `[sites × sites]`: minutes from site to site.
    pub travel: Vec<Vec<i64>>,
    /// The meetings.
    pub meetings: Vec<Meeting>,
}

/// How to make it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimetableParams {
    /// Rounds of repair; more is better and takes longer, and the clock plays no part in the result.
    pub rounds: usize,
    /// Seed of the repair.
    pub seed: u64,
}

impl Default for TimetableParams {
    fn default() -> Self {
        Self {
            rounds: 120,
            seed: 0,
        }
    }
}

/// What is wrong with a problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TimetableError {
    /// Slots that overlap, end before they begin, or are not in order.
    #[error("slot {slot} ends before it begins, or begins before the slot before it ends")]
    Slots {
        /// The slot, from 0.
        slot: usize,
    },
    /// A list that has not one entry per slot, or a place that is not there.
    #[error("{id}: {what}")]
    Shape {
        /// Whose.
        id: String,
        /// What is wrong.
        what: Bilingual,
    },
    /// A meeting of somebody with themself.
    #[error("{id} cannot meet themself")]
    Themself {
        /// Who.
        id: String,
    },
    /// A worth that is not a positive number.
    #[error("the meeting of {left} and {right} is worth {worth}: expected a number above 0")]
    Worth {
        /// Who asks.
        left: String,
        /// Who answers.
        right: String,
        /// The worth.
        worth: f64,
    },
    /// Locked meetings that cannot be held.
    #[error("the locked meeting of {left} and {right} in slot {slot}: {why}")]
    Locked {
        /// Who asks.
        left: String,
        /// Who answers.
        right: String,
        /// The slot, from 0.
        slot: usize,
        /// Why not.
        why: Bilingual,
    },
    /// Too large for exact arithmetic.
    #[error("the timetable is too large for exact arithmetic")]
    Flow(#[from] queqiao_solve::FlowError),
}

impl TimetableError {
    /// What is wrong, for people.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            TimetableError::Slots { slot } => {
                format!(
                    "第 {} 个时段早于自身的开始结束，或在上一时段结束之前开始",
                    slot + 1
                )
            }
            TimetableError::Shape { id, what } => format!("{id}：{}", what.zh),
            TimetableError::Themself { id } => format!("{id} 不能与自己会面"),
            TimetableError::Worth { left, right, worth } => {
                format!("{left} 与 {right} 的会面价值为 {worth}：应大于 0")
            }
            TimetableError::Locked {
                left,
                right,
                slot,
                why,
            } => format!(
                "第 {} 个时段锁定的 {left} 与 {right} 的会面：{}",
                slot + 1,
                why.zh
            ),
            TimetableError::Flow(_) => "日程规模过大，无法精确计算".to_owned(),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// A problem that passed its checks.
#[derive(Debug, Clone)]
pub struct ValidTimetable {
    pub(crate) problem: TimetableProblem,
    /// `[sites][slots]`: usable tables.
    pub(crate) capacity: Vec<Vec<u32>>,
    /// By meeting: slots in which everybody is there and a table of its site may be.
    pub(crate) slots: Vec<Vec<usize>>,
    /// Greatest worth.
    pub(crate) largest: f64,
}

impl TimetableProblem {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(self) -> Result<ValidTimetable, TimetableError> {
        for (i, s) in self.slots.iter().enumerate() {
            if s.end <= s.begin || (i > 0 && s.begin < self.slots[i - 1].end) {
                return Err(TimetableError::Slots { slot: i });
            }
        }
        let shape = |id: &str, what: (&str, &str)| {
            Err(TimetableError::Shape {
                id: id.to_owned(),
                what: what.into(),
            })
        };
        let sites = self.travel.len().max(1);
        if self
            .travel
            .iter()
            .any(|r| r.len() != sites || r.iter().any(|t| *t < 0))
        {
            return shape(
                "travel",
                (
                    "one row and column per site, minutes from 0 up",
                    "每个地点一行一列，分钟数不小于 0",
                ),
            );
        }
        for p in &self.people {
            if p.open.len() != self.slots.len() {
                return shape(&p.id, ("one entry per slot is needed", "每个时段应有一项"));
            }
        }
        for t in &self.tables {
            if t.open.len() != self.slots.len() || t.site >= sites {
                return shape(
                    &t.id,
                    (
                        "one entry per slot and a site that is there are needed",
                        "每个时段应有一项，且地点须存在",
                    ),
                );
            }
        }
        let mut largest = 1e-9_f64;
        for m in &self.meetings {
            if m.people().any(|p| p >= self.people.len()) {
                return shape(
                    "meeting",
                    ("it names a person who is not there", "会面指向不存在的人"),
                );
            }
            let (left, right) = (&self.people[m.left].id, &self.people[m.right].id);
            let all: BTreeSet<usize> = m.people().collect();
            if all.len() != 2 + m.others.len() {
                return Err(TimetableError::Themself { id: left.clone() });
            }
            if !(m.worth.is_finite() && m.worth > 0.0) {
                return Err(TimetableError::Worth {
                    left: left.clone(),
                    right: right.clone(),
                    worth: m.worth,
                });
            }
            largest = largest.max(m.worth);
            let place = |(slot, table): (usize, Option<usize>)| {
                slot < self.slots.len() && table.is_none_or(|t| t < self.tables.len())
            };
            if m.site.is_some_and(|s| s >= sites) || !m.locked.is_none_or(place) {
                return shape(
                    left,
                    (
                        "its meeting names a site, slot or table that is not there",
                        "其会面指向不存在的地点、时段或桌",
                    ),
                );
            }
        }
        let mut capacity = vec![vec![0; self.slots.len()]; sites];
        for t in &self.tables {
            for (s, open) in t.open.iter().enumerate() {
                capacity[t.site][s] += u32::from(*open);
            }
        }
        let slots = self
            .meetings
            .iter()
            .map(|m| {
                (0..self.slots.len())
                    .filter(|s| m.people().all(|p| self.people[p].open[*s]))
                    .filter(|s| match m.site {
                        Some(site) => capacity[site][*s] > 0,
                        None => capacity.iter().any(|c| c[*s] > 0),
                    })
                    .collect()
            })
            .collect();
        let valid = ValidTimetable {
            problem: self,
            capacity,
            slots,
            largest,
        };
        super::repair::State::with_locks(&valid).map(|_| ())?;
        Ok(valid)
    }
}

impl ValidTimetable {
    /// The problem as it was given.
    pub fn problem(&self) -> &TimetableProblem {
        &self.problem
    }

    /// What counts: worth, and for a must more than all the worth there is.
    pub(crate) fn weight(&self, m: usize) -> f64 {
        let meeting = &self.problem.meetings[m];
        if meeting.must {
            meeting.worth + self.must_bonus()
        } else {
            meeting.worth
        }
    }

    pub(crate) fn must_bonus(&self) -> f64 {
        // An exchange of meetings visits each person once: no exchange without a must is worth more.
        if self.problem.meetings.iter().any(|m| m.must) {
            self.largest * (self.problem.people.len() as f64 + 2.0)
        } else {
            0.0
        }
    }

    /// Tables in a slot over all sites.
    pub(crate) fn tables_in(&self, slot: usize) -> u32 {
        self.capacity.iter().map(|c| c[slot]).sum()
    }

    /// True when every pair is of two different sides and everybody is always there: the case that
    /// has an exact answer.
    pub(crate) fn is_plain(&self) -> bool {
        let p = &self.problem;
        let left: BTreeSet<usize> = p.meetings.iter().map(|m| m.left).collect();
        let first = self.tables_in(0);
        p.meetings.iter().all(|m| {
            m.others.is_empty()
                && m.locked.is_none()
                && m.site.is_none()
                && !left.contains(&m.right)
        }) && self.capacity.len() == 1
            && (0..p.slots.len()).all(|s| self.tables_in(s) == first)
            && p.meetings
                .iter()
                .flat_map(Meeting::people)
                .all(|i| p.people[i].open.iter().all(|o| *o))
    }
}
