//! Whom to call when somebody does not come.

use super::{PlannedMeeting, problem::Drawn};
use crate::{
    event::Event,
    timetable::{Timetable, ValidTimetable},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Standby meetings of a slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reserve {
    /// The slot.
    pub slot: usize,
    /// Meetings held then.
    pub held: usize,
    /// Meetings that are expected to fall through.
    pub expected: f64,
    /// So many standby meetings suffice in 95 of 100 cases.
    pub enough: usize,
    /// Need and attendee with their worth, best first: meetings that are not held, of people who
    /// are there and free then and have room for one more; nobody is called twice.
    pub call: Vec<(usize, usize, f64)>,
}

/// Standby meetings named per slot at most, whatever may fall through.
const NAMED: usize = 12;

pub(super) fn reserves(
    event: &Event,
    drawn: &Drawn,
    meetings: &[PlannedMeeting],
    table: &ValidTimetable,
    timetable: &Timetable,
) -> Vec<Reserve> {
    let held: BTreeSet<(usize, usize)> = meetings
        .iter()
        .filter(|m| m.place.is_some())
        .map(|m| (m.need, m.expert))
        .collect();
    let listed: BTreeSet<(usize, usize)> = meetings.iter().map(|m| (m.need, m.expert)).collect();
    let mut load: BTreeMap<usize, u32> = BTreeMap::new();
    for (n, e) in &held {
        *load.entry(*e).or_default() += 1;
        *load.entry(event.needs[*n].attendee).or_default() += 1;
    }
    let load = |i: usize| load.get(&i).copied().unwrap_or(0);
    let p = &drawn.problem;
    let barred: BTreeSet<(usize, usize)> = p.barred.iter().copied().collect();
    // What was on a list and found no time comes first, then what is worth most.
    let mut pairs: Vec<(usize, usize, f64)> = p
        .pairs
        .iter()
        .filter(|q| !barred.contains(&(q.need, q.expert)) && p.needs[q.need].most > 0)
        .map(|q| (q.need, drawn.experts[q.expert], q.worth))
        .filter(|(n, e, _)| !held.contains(&(*n, *e)))
        .filter(|(n, e, _)| {
            let asker = event.needs[*n].attendee;
            load(*e) < p.experts[drawn.place[e]].most
                && event.attendees[asker].most.is_none_or(|m| load(asker) < m)
        })
        .collect();
    pairs.sort_by(|a, b| {
        let waits = |x: &(usize, usize, f64)| listed.contains(&(x.0, x.1));
        waits(b)
            .cmp(&waits(a))
            .then(b.2.total_cmp(&a.2))
            .then((a.0, a.1).cmp(&(b.0, b.1)))
    });
    let free: Vec<Vec<bool>> = (0..event.attendees.len()).map(|i| event.free(i)).collect();
    table
        .standby(timetable, event.rules.no_show)
        .into_iter()
        .map(|s| {
            let mut busy: BTreeSet<usize> = meetings
                .iter()
                .filter(|m| m.place.is_some_and(|x| x.slot == s.slot))
                .flat_map(|m| [event.needs[m.need].attendee, m.expert])
                .collect();
            let mut call = Vec::new();
            for (n, e, worth) in &pairs {
                let asker = event.needs[*n].attendee;
                if call.len() >= s.enough.min(NAMED) {
                    break;
                }
                if free[asker][s.slot]
                    && free[*e][s.slot]
                    && !busy.contains(&asker)
                    && !busy.contains(e)
                {
                    busy.extend([asker, *e]);
                    call.push((*n, *e, *worth));
                }
            }
            Reserve {
                slot: s.slot,
                held: s.held,
                expected: s.expected,
                enough: s.enough,
                call,
            }
        })
        .collect()
}
