//! From a score to a probability, once outcomes are known.

use crate::Weights;
use serde::{Deserialize, Serialize};

/// With more labels than this the curve may bend otherwise than a sigmoid does.
const PLATT_UP_TO: usize = 100;
/// Fewer labels of either sort tell nothing.
pub const LEAST_OF_EACH: usize = 5;
/// Steps of Newton's method; it ends earlier where it stands still.
const STEPS: usize = 100;
/// Keeps curves finite where scores tell all labels apart.
const RIDGE: f64 = 1e-6;

/// A curve from scores to probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Curve {
    /// Platt (1999): the probability's log odds are `slope · score + start`.
    Platt {
        /// ≥ 0.
        slope: f64,
        /// At score 0.
        start: f64,
    },
    /// Beta (Kull, Silva Filho and Flach 2017): the log odds are
    /// `low · ln x − high · ln(1 − x) + start`, x being the score as a share of `most`.
    Beta {
        /// ≥ 0.
        low: f64,
        /// ≥ 0.
        high: f64,
        /// At x = ½, when `low` = `high`.
        start: f64,
        /// The greatest score that the weights can give, > 0.
        most: f64,
    },
}

/// What a score has meant so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The weights whose scores it is for; other scores are uncalibrated.
    pub weights: String,
    /// What it is the probability of: `contacted`, `met`, `signed`.
    pub target: String,
    /// The curve; it never falls.
    pub curve: Curve,
    /// Labels it was fitted to.
    pub labels: usize,
    /// Of them so many came true.
    pub came_true: usize,
}

impl Curve {
    /// The probability of a score, strictly between 0 and 1.
    pub fn probability(&self, score: f64) -> f64 {
        let odds = match *self {
            Curve::Platt { slope, start } => slope * score + start,
            Curve::Beta {
                low,
                high,
                start,
                most,
            } => {
                let x = share(score, most);
                low * x.ln() - high * (1.0 - x).ln() + start
            }
        };
        // Beyond this a float's probability is 0 or 1, which nobody knows.
        1.0 / (1.0 + (-odds.clamp(-30.0, 30.0)).exp())
    }
}

/// Fits a curve to scores and what came true: Platt's up to 100 labels, beta beyond. `None` when
/// fewer than five came true, or fewer than five did not.
///
/// The curve never falls: where higher scores did worse it is flat.
pub fn calibrate(scores: &[f64], came_true: &[bool], weights: &Weights) -> Option<Curve> {
    let n = scores.len();
    let yes = came_true.iter().filter(|y| **y).count();
    if came_true.len() != n || yes < LEAST_OF_EACH || n - yes < LEAST_OF_EACH {
        return None;
    }
    // Platt's targets: nothing is certain.
    let (hi, lo) = (
        (yes as f64 + 1.0) / (yes as f64 + 2.0),
        1.0 / ((n - yes) as f64 + 2.0),
    );
    let targets: Vec<f64> = came_true.iter().map(|y| if *y { hi } else { lo }).collect();
    if n <= PLATT_UP_TO {
        let rows: Vec<[f64; 2]> = scores.iter().map(|s| [*s, 0.0]).collect();
        let [slope, _, start] = newton(&rows, &targets, [true, false]);
        return Some(match slope >= 0.0 {
            true => Curve::Platt { slope, start },
            false => flat(&targets),
        });
    }
    let most = weights.weights.values().sum::<f64>().max(f64::MIN_POSITIVE);
    let rows: Vec<[f64; 2]> = scores
        .iter()
        .map(|s| {
            let x = share(*s, most);
            [x.ln(), -(1.0 - x).ln()]
        })
        .collect();
    // A coefficient below zero is held at zero and the rest is fitted anew, as in the paper.
    let mut free = [true, true];
    loop {
        let [low, high, start] = newton(&rows, &targets, free);
        match (low < 0.0, high < 0.0) {
            (false, false) if free == [false, false] => return Some(flat(&targets)),
            (false, false) => {
                return Some(Curve::Beta {
                    low,
                    high,
                    start,
                    most,
                });
            }
            (true, _) => free[0] = false,
            (_, true) => free[1] = false,
        }
    }
}

fn flat(targets: &[f64]) -> Curve {
    let mean = targets.iter().sum::<f64>() / targets.len().max(1) as f64;
    Curve::Platt {
        slope: 0.0,
        start: (mean / (1.0 - mean)).ln(),
    }
}

fn share(score: f64, most: f64) -> f64 {
    (score / most).clamp(1e-6, 1.0 - 1e-6)
}

/// Logistic regression on two columns and a constant: both coefficients and the constant. A column
/// that is not free has coefficient 0.
fn newton(rows: &[[f64; 2]], targets: &[f64], free: [bool; 2]) -> [f64; 3] {
    let mut w = [0.0; 3];
    let active = [free[0], free[1], true];
    let loss = |w: &[f64; 3]| {
        let fit: f64 = rows
            .iter()
            .zip(targets)
            .map(|(x, t)| {
                let odds = w[0] * x[0] + w[1] * x[1] + w[2];
                // ln(1 + e^odds) − t·odds, without overflow.
                odds.max(0.0) + (-odds.abs()).exp().ln_1p() - t * odds
            })
            .sum();
        fit + RIDGE * (w[0] * w[0] + w[1] * w[1])
    };
    let mut now = loss(&w);
    for _ in 0..STEPS {
        let (mut slope, mut curve) = ([0.0; 3], [[0.0; 3]; 3]);
        for (x, t) in rows.iter().zip(targets) {
            let row = [x[0], x[1], 1.0];
            let odds = w[0] * x[0] + w[1] * x[1] + w[2];
            let p = 1.0 / (1.0 + (-odds).exp());
            for i in 0..3 {
                slope[i] += (p - t) * row[i];
                for j in 0..3 {
                    curve[i][j] += p * (1.0 - p) * row[i] * row[j];
                }
            }
        }
        for i in 0..3 {
            if i < 2 {
                slope[i] += 2.0 * RIDGE * w[i];
            }
            curve[i][i] += 2.0 * RIDGE;
            if !active[i] {
                slope[i] = 0.0;
                curve[i] = [0.0; 3];
                curve.iter_mut().for_each(|row| row[i] = 0.0);
                curve[i][i] = 1.0;
            }
        }
        let step = solve(curve, slope);
        // Halved until it helps.
        let mut length = 1.0;
        let next = loop {
            let next: [f64; 3] = std::array::from_fn(|i| w[i] - length * step[i]);
            let then = loss(&next);
            if then <= now {
                break Some((next, then));
            }
            length /= 2.0;
            if length < 1e-10 {
                break None;
            }
        };
        match next {
            Some((next, then)) => {
                let gained = now - then;
                (w, now) = (next, then);
                if gained < 1e-12 * (1.0 + now.abs()) {
                    break;
                }
            }
            None => break,
        }
    }
    w
}

/// Solves a positive definite 3 × 3 system by elimination.
fn solve(mut a: [[f64; 3]; 3], mut b: [f64; 3]) -> [f64; 3] {
    for i in 0..3 {
        let pivot = a[i][i];
        for j in i + 1..3 {
            let by = a[j][i] / pivot;
            let row = a[i];
            a[j].iter_mut().zip(row).for_each(|(x, y)| *x -= by * y);
            b[j] -= by * b[i];
        }
    }
    let mut x = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|j| a[i][j] * x[j]).sum();
        x[i] = (b[i] - known) / a[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Draw(u64);

    impl Draw {
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    fn most(w: &Weights) -> f64 {
        w.weights.values().sum()
    }

    /// Scores and labels drawn from a known curve.
    fn drawn(truth: &Curve, n: usize, most: f64, seed: u64) -> (Vec<f64>, Vec<bool>) {
        let mut d = Draw(seed);
        let scores: Vec<f64> = (0..n).map(|_| d.next() * most).collect();
        let labels = scores
            .iter()
            .map(|s| d.next() < truth.probability(*s))
            .collect();
        (scores, labels)
    }

    #[test]
    fn a_curve_is_found_again() {
        let w = Weights::default();
        let m = most(&w);
        for truth in [
            Curve::Beta {
                low: 1.5,
                high: 0.7,
                start: 0.4,
                most: m,
            },
            Curve::Beta {
                low: 0.4,
                high: 2.0,
                start: -0.8,
                most: m,
            },
        ] {
            let (scores, labels) = drawn(&truth, 20_000, m, 88_172_645_463_325_252);
            let found = calibrate(&scores, &labels, &w).unwrap();
            for i in 1..20 {
                let s = m * f64::from(i) / 20.0;
                let (a, b) = (truth.probability(s), found.probability(s));
                assert!((a - b).abs() < 0.03, "{truth:?} at {s}: {a} {b}");
            }
        }
    }

    #[test]
    fn few_labels_give_a_sigmoid_and_too_few_give_nothing() {
        let w = Weights::default();
        let truth = Curve::Platt {
            slope: 4.0,
            start: -4.0,
        };
        let (scores, labels) = drawn(&truth, 100, most(&w), 3);
        assert!(matches!(
            calibrate(&scores, &labels, &w),
            Some(Curve::Platt { .. })
        ));
        assert_eq!(calibrate(&scores[..4], &labels[..4], &w), None);
        assert_eq!(calibrate(&scores, &[true; 100], &w), None);
        assert_eq!(calibrate(&scores, &labels[..99], &w), None);
    }

    #[test]
    fn no_curve_falls_and_none_is_certain() {
        let w = Weights::default();
        let m = most(&w);
        for n in [50, 400] {
            // Worse with every point of score; told apart in full; scores beyond any that there can be.
            let scores: Vec<f64> = (0..n).map(|i| m * i as f64 / n as f64 - 0.1).collect();
            for labels in [
                (0..n).map(|i| i < n / 2).collect::<Vec<bool>>(),
                (0..n).map(|i| i >= n / 2).collect(),
                (0..n).map(|i| i % 3 == 0).collect(),
            ] {
                let c = calibrate(&scores, &labels, &w).unwrap();
                let p: Vec<f64> = (-5..30)
                    .map(|i| c.probability(f64::from(i) / 10.0))
                    .collect();
                assert!(p.is_sorted(), "{c:?}");
                assert!(p.iter().all(|p| *p > 0.0 && *p < 1.0), "{c:?}");
            }
        }
    }

    /// On unseen draws the calibrated probabilities lose less than the base rate does.
    #[test]
    fn it_says_more_than_the_base_rate() {
        let w = Weights::default();
        let m = most(&w);
        let truth = Curve::Beta {
            low: 1.2,
            high: 1.8,
            start: -0.5,
            most: m,
        };
        let log_loss = |c: &dyn Fn(f64) -> f64, scores: &[f64], labels: &[bool]| {
            let each = scores.iter().zip(labels).map(|(s, y)| {
                let p = c(*s);
                -(if *y { p } else { 1.0 - p }).ln()
            });
            each.sum::<f64>() / scores.len() as f64
        };
        let (test, test_labels) = drawn(&truth, 5_000, m, 77);
        for (n, seed) in [(60, 5), (100, 6), (300, 7), (3_000, 8)] {
            let (scores, labels) = drawn(&truth, n, m, seed);
            let base = labels.iter().filter(|y| **y).count() as f64 / n as f64;
            let c = calibrate(&scores, &labels, &w).unwrap();
            let with = log_loss(&|s| c.probability(s), &test, &test_labels);
            let without = log_loss(&|_| base, &test, &test_labels);
            assert!(with < without, "{n}: {with} {without}");
        }
    }
}
