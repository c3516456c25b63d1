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
    /// more lists there are. Where nothing is said, as strongly as explains lists best that were not fitted to.
    pub hold: Option<f64>,
}

impl FitParams {
    /// The same for fits to `lists` lists and more, so that all of them hold in one way.
    pub fn of(lists: usize) -> Self {
        Self {
            hold: (lists < LEAST_LISTS).then_some(HOLDS[0]),
            ..Self::default()
        }
    }
}

impl Default for FitParams {
    fn default() -> Self {
        Self {
            steps: 300,
            hold: None,
        }
    }
}

/// How strongly weights are held, as it may turn out; the first where there are few lists.
const HOLDS: [f64; 4] = [0.2, 0.05, 0.02, 0.005];
/// Parts of the lists, of which each is explained by weights fitted to the others.
const PARTS: usize = 5;
/// Of fewer lists nothing is put aside.
const LEAST_LISTS: usize = 50;
/// Weights that explain little are held as if their logits were so long, squared: else they would not let go.
const LEAST_LENGTH: f64 = 25.0;
/// Scores times a number within these are the logits of what is chosen.
const SHARPNESS: [f64; 2] = [0.1, 100.0];

/// Weights under which the better candidates come first: ListNet's top-one cross entropy (Cao et al.,
/// ICML 2007), no weight below zero, held to where they start. How much more likely a better score is to be chosen,
/// the lists say: grades of which many are good call for less than one that was taken. The sum of the weights stays
/// what it was, so that scores stay comparable. Equal lists give equal weights, bit for bit.
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
    let hold = match params.hold {
        Some(hold) => hold,
        None if telling.len() < LEAST_LISTS => HOLDS[0],
        None => held(&telling, start, params.steps),
    };
    let (w, sharpness) = descend(&telling, start, params.steps, hold);
    let before: f64 = Feature::ALL.iter().map(|f| start.get(*f)).sum();
    let after = w.iter().sum::<f64>() / sharpness;
    if !(after.is_finite() && after > 0.0) {
        return None;
    }
    let scale = if before > 0.0 {
        before / after / sharpness
    } else {
        1.0 / after / sharpness
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

/// How strongly weights should be held: as explains those lists best that they were not fitted to; of equally good
/// ones the stronger.
fn held(lists: &[&GradedList], start: &Weights, steps: usize) -> f64 {
    let unexplained = |hold: f64| -> f64 {
        let part = |of: usize| {
            let seen: Vec<&GradedList> = not_in(lists, of);
            let (w, _) = descend(&seen, start, steps, hold);
            let unseen = lists.iter().skip(of).step_by(PARTS);
            unseen.map(|l| cross_entropy(l, &w)).sum::<f64>()
        };
        (0..PARTS).map(part).sum()
    };
    let mut best = (f64::INFINITY, HOLDS[0]);
    for hold in HOLDS {
        let left = unexplained(hold);
        if left < best.0 {
            best = (left, hold);
        }
    }
    best.1
}

fn not_in<'a>(lists: &[&'a GradedList], part: usize) -> Vec<&'a GradedList> {
    let others = lists.iter().enumerate().filter(|(i, _)| i % PARTS != part);
    others.map(|(_, l)| *l).collect()
}

/// The weights as logits, and how many of these a score of one is at the start.
fn descend(
    lists: &[&GradedList],
    start: &Weights,
    steps: usize,
    hold: f64,
) -> ([f64; Feature::COUNT], f64) {
    let sharpness = sharpness(lists, start);
    let origin: [f64; Feature::COUNT] = Feature::ALL.map(|f| sharpness * start.get(f));
    let length = origin.iter().map(|w| w * w).sum::<f64>().max(LEAST_LENGTH);
    let hold = hold * 100.0 / lists.len() as f64 / length;
    // A feature that no list tells apart cannot be weighed.
    let spread = spread(lists);
    let mut w = origin;
    let (mut mean, mut square) = ([0.0; Feature::COUNT], [0.0; Feature::COUNT]);
    let mut logits = Vec::new();
    for step in 1..=steps {
        let mut slope = [0.0; Feature::COUNT];
        for list in lists {
            add_slope(list, &w, &mut logits, &mut slope);
        }
        for i in 0..Feature::COUNT {
            if spread[i] <= 1e-12 {
                continue;
            }
            // In units of the feature's spread, so that all learn at one pace (Adam).
            let g = (slope[i] / lists.len() as f64 + 2.0 * hold * (w[i] - origin[i])) * spread[i];
            mean[i] = 0.9 * mean[i] + 0.1 * g;
            square[i] = 0.99 * square[i] + 0.01 * g * g;
            let m = mean[i] / (1.0 - 0.9f64.powi(step as i32));
            let s: f64 = square[i] / (1.0 - 0.99f64.powi(step as i32));
            let pace = 0.02 * (1.0 - step as f64 / (steps + 1) as f64);
            w[i] = (w[i] - pace * m / (s.sqrt() + 1e-9) / spread[i]).max(0.0);
        }
    }
    (w, sharpness)
}

/// By what scores are multiplied so that the starting weights explain the lists best. The cross entropy is convex
/// in it, so that thirds find its least.
fn sharpness(lists: &[&GradedList], start: &Weights) -> f64 {
    let unexplained = |log: f64| -> f64 {
        let w = Feature::ALL.map(|f| log.exp() * start.get(f));
        lists.iter().map(|l| cross_entropy(l, &w)).sum()
    };
    let [mut low, mut high] = SHARPNESS.map(f64::ln);
    while high - low > 0.01 {
        let third = (high - low) / 3.0;
        if unexplained(low + third) <= unexplained(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    f64::midpoint(low, high).exp()
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

fn logit(values: &Values, w: &[f64; Feature::COUNT]) -> f64 {
    let parts = values.iter().zip(w).map(|(x, w)| known(*x) * w);
    parts.sum()
}

/// How badly weights explain what was chosen of a list.
fn cross_entropy(list: &GradedList, w: &[f64; Feature::COUNT]) -> f64 {
    let logits: Vec<f64> = list.values.iter().map(|v| logit(v, w)).collect();
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|x| (x - top).exp()).sum();
    let grades: f64 = list.grades.iter().sum();
    let each = logits.iter().zip(&list.grades);
    each.map(|(x, g)| g / grades * (total.ln() + top - x)).sum()
}

/// Adds the slope of a list's cross entropy.
fn add_slope(
    list: &GradedList,
    w: &[f64; Feature::COUNT],
    logits: &mut Vec<f64>,
    slope: &mut [f64; Feature::COUNT],
) {
    logits.clear();
    logits.extend(list.values.iter().map(|v| logit(v, w)));
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
    use rand::{RngExt, SeedableRng};

    fn list(rows: &[(f64, f64, f64)]) -> GradedList {
        let values = rows.iter().map(|(dense, region, _)| {
            let mut v = [None; Feature::COUNT];
            v[Feature::DenseProfile as usize] = Some(*dense);
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
            hold: Some(1e9),
            ..FitParams::default()
        };
        let w = fit(&lists, &start, held).unwrap();
        assert!((w.get(Feature::Region) - start.get(Feature::Region)).abs() < 0.01);
    }

    #[test]
    fn grades_of_which_many_are_good_do_not_spoil_what_was_right() {
        // The better the nearer, in many steps, and noise beside it: nothing is to be learned.
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut lists: Vec<GradedList> = Vec::new();
        for _ in 0..80 {
            let mut rows = Vec::new();
            for _ in 0..30 {
                let near: f64 = rng.random_range(0.0..1.0);
                let grade = (near * 3.0 + rng.random_range(-0.5..0.5)).round().max(0.0);
                rows.push((near, rng.random_range(0.0..1.0), grade));
            }
            lists.push(list(&rows));
        }
        let (seen, unseen) = lists.split_at(40);
        let start = Weights::default()
            .with(&[(Feature::DenseProfile, 1.0), (Feature::Region, 0.0)])
            .unwrap();
        let w = fit(seen, &start, FitParams::default()).unwrap();
        // Pairs of different grades in the right order.
        let right = |w: &Weights| {
            let scorer = crate::Scorer::new(w);
            let (mut right, mut of) = (0, 0);
            for l in unseen {
                let scores: Vec<_> = l.values.iter().map(|v| scorer.score(v)).collect();
                for i in 0..scores.len() {
                    for j in 0..scores.len() {
                        if l.grades[i] > l.grades[j] {
                            of += 1;
                            right += usize::from(scores[i] > scores[j]);
                        }
                    }
                }
            }
            f64::from(right as u32) / f64::from(of)
        };
        assert!(right(&w) > right(&start) - 0.005, "{w:?}");
        assert!(
            w.get(Feature::Region) < 0.1 * w.get(Feature::DenseProfile),
            "{w:?}"
        );
    }

    #[test]
    fn many_lists_say_how_strongly_weights_are_held() {
        // One in two is taken for where it is: what holds for those seen holds for the others.
        let lists: Vec<GradedList> = (0..100)
            .map(|i| list(&[(0.5, f64::from(i % 2), f64::from(i % 2)), (0.5, 0.5, 0.5)]))
            .collect();
        let start = Weights::default().with(&[(Feature::Region, 0.0)]).unwrap();
        let telling: Vec<&GradedList> = lists.iter().collect();
        assert_eq!(held(&telling, &start, 300), HOLDS[3]);
        // Who is near is taken, and where they are has nothing to do with it.
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let mut noise: Vec<GradedList> = Vec::new();
        for _ in 0..60 {
            let mut region = || rng.random_range(0.0..1.0);
            let others = [(0.4, region(), 0.0), (0.3, region(), 0.0)];
            let taken = usize::from(rng.random_range(0.0..1.0) < 0.3);
            let mut rows = vec![(0.6, 0.5, 0.0), others[0], others[1]];
            rows[taken].2 = 1.0;
            noise.push(list(&rows));
        }
        let telling: Vec<&GradedList> = noise.iter().collect();
        assert_eq!(not_in(&telling, 0).len(), 48);
        assert_eq!(held(&telling, &start, 300), HOLDS[0]);
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
