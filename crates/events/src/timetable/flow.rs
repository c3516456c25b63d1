//! The capacity flow: which meetings could be held if only numbers counted. Its value bounds every
//! timetable, and where everybody is always there it chooses the meetings.

use super::problem::{TimetableError, ValidTimetable};
use queqiao_solve::{Network, Node, Simplex, Stop};

/// Costs per worth, so that the largest weight has some ten digits.
pub(crate) fn scale(v: &ValidTimetable) -> f64 {
    10_f64.powi(10 - (v.largest + v.must_bonus()).log10().ceil() as i32)
}

/// What the capacity flow says.
pub(crate) struct Choice {
    /// Meetings that it holds.
    pub(crate) chosen: Vec<usize>,
    /// No timetable has a greater weight.
    pub(crate) bound: f64,
    /// By meeting: what it would be worth to hold it twice.
    pub(crate) price: Vec<f64>,
}

/// Solves the capacity flow.
pub(crate) fn choose(v: &ValidTimetable, stop: &Stop) -> Result<Choice, TimetableError> {
    let p = &v.problem;
    let people = p.people.len();
    // Left and right stand apart, so that somebody who both asks and answers is two nodes: a
    // relaxation where they do.
    let (right, all, home) = (people as Node, 2 * people as Node, 2 * people as Node + 1);
    let scale = scale(v);
    let mut net = Network::new(2 * people + 2, p.meetings.len() + 2 * people + 1);
    let free: Vec<u32> = p
        .people
        .iter()
        .map(|q| {
            let open = q.open.iter().filter(|o| **o).count() as u32;
            q.most.map_or(open, |m| m.min(open))
        })
        .collect();
    for (i, n) in free.iter().enumerate() {
        let n = i64::from(*n);
        net.supply(i as Node, n);
        net.supply(home, -n);
        net.arc(i as Node, home, n + 1, 0);
        net.arc(right + i as Node, all, n, 0);
    }
    let seats: i64 = (0..p.slots.len()).map(|s| i64::from(v.tables_in(s))).sum();
    net.arc(all, home, seats, 0);
    let arcs: Vec<Option<u32>> = p
        .meetings
        .iter()
        .enumerate()
        .map(|(m, q)| {
            let cost = -((v.weight(m) * scale).round() as i64);
            (!v.slots[m].is_empty())
                .then(|| net.arc(q.left as Node, right + q.right as Node, 1, cost))
        })
        .collect();
    let mut simplex = Simplex::new(net, Some(home))?;
    let flow = simplex.solve(stop);
    let chosen: Vec<usize> = (0..p.meetings.len())
        .filter(|m| arcs[*m].is_some_and(|a| flow.units[a as usize] > 0))
        .collect();
    let value: f64 = chosen.iter().map(|m| v.weight(*m)).sum();
    let bound = value + (flow.cost - flow.bound) as f64 / scale;
    // Costs were rounded to the nearest: half a unit for each meeting.
    let bound = bound + p.meetings.len() as f64 / scale;
    let price = p
        .meetings
        .iter()
        .enumerate()
        .map(|(m, q)| {
            if arcs[m].is_none() {
                return 0.0;
            }
            let (from, to) = (q.left as Node, right + q.right as Node);
            let prices = (simplex.price(to) - simplex.price(from)) as f64 / scale;
            (v.weight(m) + prices).max(0.0)
        })
        .collect();
    Ok(Choice {
        chosen,
        bound,
        price,
    })
}
