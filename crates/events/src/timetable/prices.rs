//! A bound and a start where people come and go.
//!
//! Lagrangian relaxation of "each meeting once": at given prices every slot is an assignment of its
//! own, a warm flow. The sum of their values and the prices bounds every timetable; steps along the
//! running mean of what the slots choose bring it down to the bound of the linear programme, and the
//! mean itself near its solution (the volume algorithm; Barahona and Anbil 2000). Scheduling with
//! windows is NP-hard (Even, Itai, Shamir 1976), so what the prices suggest is mended afterwards.

use super::{
    flow::scale,
    problem::{TimetableError, ValidTimetable},
};
use queqiao_solve::{Arc, Network, Node, Simplex, Stop};

/// Share of a step's choice in the running mean.
const SHARE: f64 = 0.5;

struct SlotFlow {
    simplex: Simplex,
    /// Meeting and arc.
    arcs: Vec<(usize, Arc)>,
}

/// What the prices came to.
pub(crate) struct Priced {
    /// No timetable has a greater weight.
    pub(crate) bound: f64,
    /// The prices that gave the bound.
    pub(crate) price: Vec<f64>,
    /// Meetings and slots that the prices suggest, the likeliest first.
    pub(crate) start: Vec<(usize, usize)>,
}

/// `steps` steps; `reached` is the weight of a timetable that is known.
pub(crate) fn price(
    v: &ValidTimetable,
    steps: usize,
    reached: f64,
    first: super::flow::Choice,
    stop: &Stop,
) -> Result<Priced, TimetableError> {
    let p = &v.problem;
    let scale = scale(v);
    let mut flows = (0..p.slots.len())
        .map(|s| slot_flow(v, s, scale))
        .collect::<Result<Vec<_>, _>>()?;
    let weights: Vec<f64> = (0..p.meetings.len()).map(|m| v.weight(m)).collect();
    // The prices of the capacity flow give its bound to begin with.
    let mut price = first.price;
    // Running means of what the slots choose: they come near the solution of the linear programme.
    let mut mean: Vec<Vec<f64>> = flows.iter().map(|f| vec![0.0; f.arcs.len()]).collect();
    let mut out = Priced {
        bound: first.bound,
        price: price.clone(),
        start: Vec::new(),
    };
    let mut centre = (f64::INFINITY, price.clone());
    let (mut step, mut stale) = (1.0_f64, 0);
    for round in 0..steps {
        if stop.now() || reached >= out.bound - 1e-7 * out.bound.abs() {
            break;
        }
        let mut value: f64 = price.iter().sum();
        let mut whole = true;
        let share = if round == 0 { 1.0 } else { SHARE };
        let mut mean_count = vec![0.0_f64; weights.len()];
        for (f, mean) in flows.iter_mut().zip(&mut mean) {
            for (m, a) in &f.arcs {
                let gain = (weights[*m] - price[*m]).max(0.0);
                f.simplex.set_cost(*a, -((gain * scale).round() as i64));
            }
            let flow = f.simplex.solve(stop);
            whole &= flow.finished;
            value += -(flow.bound as f64) / scale;
            for ((m, a), mean) in f.arcs.iter().zip(mean) {
                let here = flow.units[*a as usize] > 0 && weights[*m] > price[*m];
                *mean += share * (f64::from(u8::from(here)) - *mean);
                mean_count[*m] += *mean;
            }
        }
        if !whole {
            break;
        }
        // Costs were rounded to the nearest: half a unit for each meeting.
        value += weights.len() as f64 / scale;
        out.bound = out.bound.min(value);
        if value < centre.0 - 1e-7 * value.abs() {
            centre = (value, price.clone());
            stale = 0;
            step = (step * 1.1).min(2.0);
        } else {
            stale += 1;
            if stale >= 8 {
                step *= 0.7;
                stale = 0;
            }
        }
        // A price of zero cannot fall: what would push it down does not count.
        let norm: f64 = mean_count
            .iter()
            .zip(&price)
            .filter(|(c, x)| **c > 1.0 || **x > 0.0)
            .map(|(c, _)| (1.0 - c).powi(2))
            .sum();
        if norm < 1e-9 || step < 1e-4 {
            break;
        }
        let length = step * (centre.0 - reached).max(1e-4 * value.abs()) / norm;
        for (m, x) in price.iter_mut().enumerate() {
            *x = (*x - length * (1.0 - mean_count[m])).max(0.0);
        }
    }
    let mut likely: Vec<(f64, usize, usize)> = Vec::new();
    for (slot, (f, mean)) in flows.iter().zip(&mean).enumerate() {
        for ((m, _), x) in f.arcs.iter().zip(mean) {
            if *x > 0.02 {
                likely.push((*x, *m, slot));
            }
        }
    }
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    out.price = centre.1;
    out.start = likely.into_iter().map(|(_, m, s)| (m, s)).collect();
    Ok(out)
}

fn slot_flow(v: &ValidTimetable, slot: usize, scale: f64) -> Result<SlotFlow, TimetableError> {
    let p = &v.problem;
    let people = p.people.len();
    let (right, all, home) = (people as Node, 2 * people as Node, 2 * people as Node + 1);
    let mut net = Network::new(2 * people + 2, 0);
    let (mut asks, mut answers) = (vec![false; people], vec![false; people]);
    let mut arcs = Vec::new();
    for (m, q) in p.meetings.iter().enumerate() {
        if v.slots[m].binary_search(&slot).is_ok() {
            arcs.push((m, net.arc(q.left as Node, right + q.right as Node, 1, 0)));
            (asks[q.left], answers[q.right]) = (true, true);
        }
    }
    for i in 0..people {
        if asks[i] {
            net.supply(i as Node, 1);
            net.supply(home, -1);
            net.arc(i as Node, home, 2, 0);
        }
        if answers[i] {
            net.arc(right + i as Node, all, 1, 0);
        }
    }
    net.arc(all, home, i64::from(v.tables_in(slot)), 0);
    net.expect_costs(((v.largest + v.must_bonus()) * scale).ceil() as i64 + 1);
    Ok(SlotFlow {
        simplex: Simplex::new(net, Some(home))?,
        arcs,
    })
}
