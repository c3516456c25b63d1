//! Nash social welfare of both sides under capacity.
//!
//! The sum of logarithms is concave over the flows: Frank–Wolfe steps (Jaggi 2013), each a warm
//! flow, give an upper bound of it by their duality gap; exchanges from the best flow met give whole
//! shortlists.

use super::{
    Shortlists,
    exchange::{Search, Welfare},
    flow::Solved,
    problem::ValidShortlists,
};
use queqiao_solve::Stop;

const ROUNDS: usize = 40;

/// `ln(offset + what each has)` on both sides.
struct Logs {
    offset: f64,
}

impl Welfare for Logs {
    fn need(&self, _: usize, sum: f64) -> f64 {
        (self.offset + sum).ln()
    }
    fn expert(&self, _: usize, sum: f64) -> f64 {
        (self.offset + sum).ln()
    }
}

pub(crate) fn solve(v: &ValidShortlists, mut solved: Solved, seed: u64, stop: &Stop) -> Shortlists {
    let mut positive = v.clone();
    for q in &mut positive.problem.pairs {
        (q.worth, q.back) = (q.worth.max(0.0), q.back.max(0.0));
    }
    let (whole, v) = (v, &positive);
    let p = &v.problem;
    let mean = p
        .pairs
        .iter()
        .map(|q| (q.worth + q.back) / 2.0)
        .sum::<f64>()
        / p.pairs.len().max(1) as f64;
    let welfare = Logs {
        offset: mean.max(1e-6),
    };
    let mut x: Vec<f64> = vec![0.0; p.pairs.len()];
    for c in solved.chosen(v) {
        x[c] = 1.0;
    }
    let mut search = Search::new(v, &solved.chosen(v));
    search.improve(&welfare, seed, stop, |_, _| true);
    let mut best = (search.value(&welfare), search.result());
    let mut bound = f64::INFINITY;
    for round in 0..ROUNDS {
        if stop.now() || !solved.flow.finished {
            break;
        }
        let (mut sums, mut backs) = (vec![0.0; p.needs.len()], vec![0.0; p.experts.len()]);
        for (c, pair) in p.pairs.iter().enumerate() {
            sums[pair.need] += x[c] * pair.worth;
            backs[pair.expert] += x[c] * pair.back;
        }
        let value: f64 = sums
            .iter()
            .chain(&backs)
            .map(|s| (welfare.offset + s).ln())
            .sum();
        let slope: Vec<f64> = p
            .pairs
            .iter()
            .map(|q| {
                q.worth / (welfare.offset + sums[q.need])
                    + q.back / (welfare.offset + backs[q.expert])
            })
            .collect();
        // The flow knows costs up to the largest worth: slopes are scaled into that.
        let top = slope.iter().copied().fold(1e-12, f64::max);
        for (c, s) in slope.iter().enumerate() {
            if let Some(a) = solved.layout.arc[c] {
                let cost = solved.layout.cost(s / top * v.largest);
                solved.simplex.set_cost(a, cost);
            }
        }
        let flow = solved.simplex.solve(stop);
        if !flow.finished {
            break;
        }
        let chosen = solved.layout.chosen(v, &flow.units);
        let mut y = vec![0.0; x.len()];
        for c in &chosen {
            y[*c] = 1.0;
        }
        let gap: f64 = slope
            .iter()
            .zip(y.iter().zip(&x))
            .map(|(s, (y, x))| s * (y - x))
            .sum();
        bound = bound.min(value + gap.max(0.0));
        if round % 16 == 8 {
            let mut search = Search::new(v, &chosen);
            search.improve(&welfare, seed.wrapping_add(round as u64), stop, |_, _| true);
            let value = search.value(&welfare);
            if value > best.0 + 1e-12 {
                best = (value, search.result());
            }
        }
        if gap <= 1e-6 * value.abs().max(1.0) {
            break;
        }
        let step = line_search(&welfare, p, (&sums, &backs), &y, &x);
        for (x, y) in x.iter_mut().zip(&y) {
            *x += step * (y - *x);
        }
    }
    let mut out = whole.measured(best.1);
    out.value = best.0;
    out.bound = bound.max(best.0);
    out.proven = bound <= best.0 + 1e-9;
    out.finished = !stop.now();
    out
}

/// The step along `y − x` that is best: golden section, as the welfare is concave.
fn line_search(
    w: &Logs,
    p: &super::ShortlistProblem,
    (sums, backs): (&[f64], &[f64]),
    y: &[f64],
    x: &[f64],
) -> f64 {
    let (mut ds, mut db) = (vec![0.0; sums.len()], vec![0.0; backs.len()]);
    for (c, pair) in p.pairs.iter().enumerate() {
        ds[pair.need] += (y[c] - x[c]) * pair.worth;
        db[pair.expert] += (y[c] - x[c]) * pair.back;
    }
    let at = |t: f64| -> f64 {
        let side = |s: &[f64], d: &[f64]| -> f64 {
            s.iter()
                .zip(d)
                .map(|(s, d)| (w.offset + (s + t * d).max(0.0)).ln())
                .sum()
        };
        side(sums, &ds) + side(backs, &db)
    };
    let (mut a, mut b) = (0.0, 1.0);
    let ratio = (5_f64.sqrt() - 1.0) / 2.0;
    for _ in 0..30 {
        let (l, r) = (b - ratio * (b - a), a + ratio * (b - a));
        if at(l) < at(r) {
            a = l;
        } else {
            b = r;
        }
    }
    (a + b) / 2.0
}
