//! Standby lists from the no-show rate.

use super::{Timetable, problem::ValidTimetable};
use serde::Serialize;

/// Who could fill in during a slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standby {
    /// The slot.
    pub slot: usize,
    /// Meetings held then.
    pub held: usize,
    /// Meetings that are expected to fall through: somebody of each does not come.
    pub expected: f64,
    /// So many more than `enough` fall through in at most one case of twenty.
    pub enough: usize,
    /// Meetings that are not held and could be, best first: nobody of them is busy then.
    pub meetings: Vec<usize>,
}

impl ValidTimetable {
    /// For every slot the meetings to call when somebody does not come. `no_show` is the share of
    /// people who do not, 0 to 1; people are taken to stay away independently.
    pub fn standby(&self, t: &Timetable, no_show: f64) -> Vec<Standby> {
        let p = &self.problem;
        let rate = if no_show.is_finite() {
            no_show.clamp(0.0, 1.0)
        } else {
            0.0
        };
        (0..p.slots.len())
            .map(|slot| {
                let held: Vec<usize> = (0..p.meetings.len())
                    .filter(|m| t.places[*m].is_some_and(|x| x.slot == slot))
                    .collect();
                let mut busy = vec![false; p.people.len()];
                for m in &held {
                    for i in p.meetings[*m].people() {
                        busy[i] = true;
                    }
                }
                let falls: Vec<f64> = held
                    .iter()
                    .map(|m| 1.0 - (1.0 - rate).powi(p.meetings[*m].people().count() as i32))
                    .collect();
                let mut waiting: Vec<usize> = (0..p.meetings.len())
                    .filter(|m| t.places[*m].is_none() && self.slots[*m].contains(&slot))
                    .filter(|m| p.meetings[*m].people().all(|i| !busy[i]))
                    .collect();
                waiting.sort_by(|a, b| self.weight(*b).total_cmp(&self.weight(*a)).then(a.cmp(b)));
                Standby {
                    slot,
                    held: held.len(),
                    expected: falls.iter().sum(),
                    enough: enough(&falls),
                    meetings: waiting,
                }
            })
            .collect()
    }
}

/// The 95th percentile of how many of independent events happen.
fn enough(chances: &[f64]) -> usize {
    let mut exactly = vec![1.0];
    for p in chances {
        let mut next = vec![0.0; exactly.len() + 1];
        for (k, q) in exactly.iter().enumerate() {
            next[k] += q * (1.0 - p);
            next[k + 1] += q * p;
        }
        exactly = next;
    }
    let mut sum = 0.0;
    for (k, q) in exactly.iter().enumerate() {
        sum += q;
        if sum >= 0.95 {
            return k;
        }
    }
    chances.len()
}
