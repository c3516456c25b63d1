//! The figures of a plan, each beside its bound.

use super::EventPlan;
use crate::event::Event;
use serde::Serialize;
use std::collections::BTreeSet;

/// The figures of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Needs of the event.
    pub needs: usize,
    /// Needs with at least one meeting held.
    pub needs_met: usize,
    /// Experts who come.
    pub experts: usize,
    /// Experts with at least one meeting held.
    pub experts_met: usize,
    /// Meetings on the shortlists.
    pub listed: usize,
    /// Meetings held.
    pub held: usize,
    /// Slots × tables.
    pub seats: usize,
    /// Worth of the shortlists, and the greatest possible.
    pub listed_worth: f64,
    /// Upper bound of it.
    pub listed_bound: f64,
    /// Worth of the meetings held, and the greatest possible for these lists.
    pub held_worth: f64,
    /// Upper bound of it.
    pub held_bound: f64,
    /// How unevenly experts appear, 0 to 1.
    pub gini: f64,
    /// Whether the computation ran to its end.
    pub finished: bool,
}

impl EventPlan {
    /// The figures of the plan.
    pub fn figures(&self, event: &Event) -> Figures {
        let (mut needs, mut met) = (BTreeSet::new(), BTreeSet::new());
        for (_, m, _) in self.held() {
            needs.insert(m.need);
            met.insert(m.expert);
        }
        Figures {
            needs: event.needs.len(),
            needs_met: needs.len(),
            experts: event.experts().len(),
            experts_met: met.len(),
            listed: self.meetings.len(),
            held: self.timetable.held,
            seats: event.slots.len() * event.tables.len(),
            listed_worth: self.lists.total,
            listed_bound: self.lists.total_bound,
            held_worth: self.timetable.worth,
            held_bound: self.timetable.worth_bound,
            gini: self.lists.gini,
            finished: self.lists.finished && self.timetable.finished,
        }
    }
}
