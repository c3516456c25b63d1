//! Weights from judgements or outcomes: a linear listwise ranker.

use crate::{Feature, Values, Weights};

/// The candidates of one question, and how good each turned out to be.
#[derive(Debug, Clone)]
pub struct GradedList {
    /// Their features.
    pub values: Vec<Values>,
    /// Their grades, ≥ 0, as many.
    pub grades: Vec<f64>,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitParams {
    /// Steps of the descent.
    pub steps: usize,
    /// How strongly weights are held where they start: what a hundred lists weigh, and the less the
    /// more lists there are.
    pub hold: f64,
}

impl Default for FitParams {
    fn default() -> Self {
        Self {
            steps: 300,
            hold: 0.2,
        }
    }
}

/// Scores times this are the logits of what is chosen.
const SHARPNESS: f64 = 30.0;

/// Weights under which the better candidates come first: ListNet's top-one cross entropy (Cao et al.,
/// ICML 2007), no weight below zero, held to where they start. The sum of the weights stays what it
/// was, so that scores stay comparable. Equal lists give equal weights, bit for bit.
///
/// `None` when no list tells anything: each is empty, or graded alike.
pub fn fit(lists: &[GradedList], start: &Weights, params: FitParams) -> Option<Weights> {
    let telling: Vec<&GradedList> = lists
        .iter()
        .filter(|l| {
            let first = l.grades.first().copied().unwrap_or(0.0);
            l.grades.len() == l.values.len() && l.grades.iter().any(|g| *g != first)
        })
        .collect();
    if telling.is_empty() {
        return None;
    }
    let origin: [f64; Feature::COUNT] = Feature::ALL.map(|f| SHARPNESS * start.get(f));
    let length: f64 = origin.iter().map(|w| w * w).sum::<f64>().max(1.0);
    let hold = params.hold * 100.0 / telling.len() as f64 / length;
    // A feature that no list tells apart cannot be weighed.
    let spread = spread(&telling);
    let mut w = origin;
    let (mut mean, mut square) = ([0.0; Feature::COUNT], [0.0; Feature::COUNT]);
    let mut logits = Vec::new();
    for step in 1..=params.steps {
        let mut slope = [0.0; Feature::COUNT];
        for list in &telling {
            add_slope(list, &w, &mut logits, &mut slope);
        }
        for i in 0..Feature::COUNT {
            if spread[i] <= 1e-12 {
                continue;
            }
            // In units of the feature's spread, so that all learn at one pace (Adam).
            let g = (slope[i] / telling.len() as f64 + 2.0 * hold * (w[i] - origin[i])) * spread[i];
            mean[i] = 0.9 * mean[i] + 0.1 * g;
            square[i] = 0.99 * square[i] + 0.01 * g * g;
            let m = mean[i] / (1.0 - 0.9f64.powi(step as i32));
            let s: f64 = square[i] / (1.0 - 0.99f64.powi(step as i32));
            let pace = 0.02 * (1.0 - step as f64 / (params.steps + 1) as f64);
            w[i] = (w[i] - pace * m / (s.sqrt() + 1e-9) / spread[i]).max(0.0);
        }
    }
    let (before, after) = (origin.iter().sum::<f64>(), w.iter().sum::<f64>());
    if !(after.is_finite() && after > 0.0) {
        return None;
    }
    let scale = if before > 0.0 {
        before / after / SHARPNESS
    } else {
        1.0 / after
    };
    let mut out = start.clone();
    for (f, x) in Feature::ALL.into_iter().zip(w) {
        // Four decimals say more than any data could.
        let x = (x * scale * 1e4).round() / 1e4;
        if x > 0.0 {
            out.weights.insert(f, x.min(f.most()));
        } else {
            out.weights.remove(&f);
        }
    }
    Some(out)
}

/// Standard deviation of each feature within lists.
fn spread(lists: &[&GradedList]) -> [f64; Feature::COUNT] {
    let mut sums = [0.0; Feature::COUNT];
    let mut n = 0.0;
    for l in lists {
        for (i, sum) in sums.iter_mut().enumerate() {
            let of = || l.values.iter().map(|v| known(v[i]));
            let mean = of().sum::<f64>() / l.values.len() as f64;
            *sum += of().map(|x| (x - mean).powi(2)).sum::<f64>();
        }
        n += l.values.len() as f64;
    }
    sums.map(|s| (s / n).sqrt())
}

/// Adds the slope of a list's cross entropy.
fn add_slope(
    list: &GradedList,
    w: &[f64; Feature::COUNT],
    logits: &mut Vec<f64>,
    slope: &mut [f64; Feature::COUNT],
) {
    logits.clear();
    logits.extend(list.values.iter().map(|v| {
        let parts = v.iter().zip(w).map(|(x, w)| known(*x) * w);
        parts.sum::<f64>()
    }));
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for x in logits.iter_mut() {
        *x = (*x - top).exp();
        total += *x;
    }
    let grades: f64 = list.grades.iter().sum();
    for ((v, p), g) in list.values.iter().zip(logits.iter()).zip(&list.grades) {
        let by = p / total - g / grades;
        for (s, x) in slope.iter_mut().zip(v) {
            *s += by * known(*x);
        }
    }
}

fn known(x: Option<f64>) -> f64 {
    x.filter(|x| x.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[(f64, f64, f64)]) -> GradedList {
        let values = rows.iter().map(|(dense, region, _)| {
            let mut v = [None; Feature::COUNT];
            v[Feature::DenseBest as usize] = Some(*dense);
            v[Feature::Region as usize] = Some(*region);
            v
        });
        GradedList {
            values: values.collect(),
            grades: rows.iter().map(|r| r.2).collect(),
        }
    }

    #[test]
    fn what_decides_gains_weight() {
        // Whoever is near is chosen, whatever the texts say.
        let lists: Vec<GradedList> = (0..40)
            .map(|i| {
                let x = f64::from(i % 7) / 10.0;
                list(&[(x, 1.0, 1.0), (0.6 - x, 0.0, 0.0), (0.3, 0.0, 0.0)])
            })
            .collect();
        let start = Weights::default();
        let w = fit(&lists, &start, FitParams::default()).unwrap();
        assert!(
            w.get(Feature::Region) > 5.0 * start.get(Feature::Region),
            "{w:?}"
        );
        let sum = |w: &Weights| Feature::ALL.iter().map(|f| w.get(*f)).sum::<f64>();
        assert!(
            (sum(&w) - sum(&start)).abs() < 1e-2,
            "scores stay comparable"
        );
        assert_eq!(fit(&lists, &start, FitParams::default()), Some(w));
        // Held fast, nothing moves.
        let held = FitParams {
            hold: 1e9,
            ..FitParams::default()
        };
        let w = fit(&lists, &start, held).unwrap();
        assert!((w.get(Feature::Region) - start.get(Feature::Region)).abs() < 0.01);
    }

    #[test]
    fn lists_that_tell_nothing() {
        let start = Weights::default();
        for lists in [
            vec![],
            vec![list(&[])],
            vec![list(&[(0.5, 1.0, 0.0), (0.2, 0.0, 0.0)])],
            vec![list(&[(0.5, 1.0, 1.0)])],
        ] {
            assert_eq!(fit(&lists, &start, FitParams::default()), None);
        }
        let odd = list(&[(f64::NAN, 1.0, 1.0), (f64::INFINITY, 0.0, 0.0)]);
        assert!(fit(&[odd], &start, FitParams::default()).is_some());
    }
}
