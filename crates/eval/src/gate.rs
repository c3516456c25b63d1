//! The gate for changes: did a measure fall by more than noise allows?

use crate::stats::{Paired, holm, mean, paired_t, randomisation_test};
use serde::Serialize;

/// One measure over the queries of one collection, as it was accepted and as it is now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<'a> {
    /// Accepted, by query.
    pub before: &'a [f64],
    /// Now, by query in the same order; as many.
    pub after: &'a [f64],
    /// Which measure, so that pairs of one measure are also taken together.
    pub measure: usize,
}

/// What became of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The value of every query is the same.
    Same,
    /// It moved, by no more than noise allows.
    Noise,
    /// It rose.
    Rose,
    /// It fell.
    Fell,
}

/// A measure, before and now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gated {
    /// Mean as accepted.
    pub before: f64,
    /// Mean now.
    pub after: f64,
    /// Student's paired t over queries.
    pub t: Paired,
    /// p of the randomisation test, two-sided.
    pub p: f64,
    /// The same after Holm, over all tests of the gate.
    pub p_holm: f64,
    /// What became of it.
    pub verdict: Verdict,
}

/// The whole gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// As the pairs.
    pub each: Vec<Gated>,
    /// By measure, from 0: the mean over collections, each counting the same. Sees what falls a
    /// little everywhere.
    pub together: Vec<Gated>,
}

impl Gate {
    /// True where nothing fell.
    pub fn holds(&self) -> bool {
        let mut all = self.each.iter().chain(&self.together);
        all.all(|g| g.verdict != Verdict::Fell)
    }
}

/// Tests every pair, and the pairs of each measure together. Fisher's randomisation over queries
/// (Smucker, Allan and Carterette, CIKM 2007), Holm over all tests: where nothing changed for the
/// population that queries come from, the chance that anything is said to have fallen is below
/// `alpha`.
pub fn gate(pairs: &[Pair<'_>], alpha: f64, permutations: u64) -> Gate {
    let gated = |before, after, differences: &[f64]| {
        let same = differences.iter().all(|d| *d == 0.0);
        Gated {
            before,
            after,
            t: paired_t(differences, alpha),
            p: match same {
                true => 1.0,
                false => randomisation_test(differences, permutations, 1).p,
            },
            p_holm: f64::NAN,
            verdict: if same { Verdict::Same } else { Verdict::Noise },
        }
    };
    let measures = pairs.iter().map(|p| p.measure + 1).max().unwrap_or(0);
    let mut each: Vec<Gated> = pairs
        .iter()
        .map(|p| {
            let differences: Vec<f64> = p.before.iter().zip(p.after).map(|(b, a)| a - b).collect();
            gated(mean(p.before), mean(p.after), &differences)
        })
        .collect();
    let mut together: Vec<Gated> = (0..measures)
        .map(|m| {
            let of = || pairs.iter().filter(|p| p.measure == m);
            let n = of().count() as f64;
            let all: usize = of().map(|p| p.before.len()).sum();
            // The mean of these over all queries is the mean of the collections' means.
            let weighed: Vec<f64> = of()
                .flat_map(|p| {
                    let weight = all as f64 / (n * p.before.len() as f64);
                    (p.before.iter().zip(p.after)).map(move |(b, a)| (a - b) * weight)
                })
                .collect();
            let over = |x: fn(&Pair<'_>) -> f64| of().map(x).sum::<f64>() / n;
            gated(over(|p| mean(p.before)), over(|p| mean(p.after)), &weighed)
        })
        .collect();
    let p: Vec<f64> = each.iter().chain(&together).map(|g| g.p).collect();
    for (g, p) in each.iter_mut().chain(&mut together).zip(holm(&p)) {
        g.p_holm = p;
        if g.verdict == Verdict::Noise && p < alpha {
            g.verdict = if g.t.mean < 0.0 {
                Verdict::Fell
            } else {
                Verdict::Rose
            };
        }
    }
    Gate { each, together }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn values(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
        (0..n).map(|_| rng.random::<f64>()).collect()
    }

    /// `before` with noise, and a shift.
    fn moved(rng: &mut ChaCha8Rng, before: &[f64], shift: f64) -> Vec<f64> {
        let noise = |v: &f64| v + 0.2 * (rng.random::<f64>() - 0.5) + shift;
        before.iter().map(noise).collect()
    }

    #[test]
    fn what_falls_is_told_and_what_does_not_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (a, b) = (values(&mut rng, 200), values(&mut rng, 300));
        let fallen = moved(&mut rng, &a, -0.05);
        let risen = moved(&mut rng, &b, 0.05);
        let pair = |before, after, measure| Pair {
            before,
            after,
            measure,
        };
        let g = gate(
            &[pair(&a, &fallen, 0), pair(&b, &risen, 1), pair(&b, &b, 1)],
            0.05,
            2_000,
        );
        let verdicts: Vec<Verdict> = g.each.iter().map(|x| x.verdict).collect();
        assert_eq!(verdicts, [Verdict::Fell, Verdict::Rose, Verdict::Same]);
        assert!(!g.holds());
        assert!((g.together[0].after - mean(&fallen)).abs() < 1e-12);
        assert!((g.together[1].t.mean - (mean(&risen) - mean(&b)) / 2.0).abs() < 1e-12);
        assert!(gate(&[pair(&b, &b, 0)], 0.05, 999).holds() && gate(&[], 0.05, 999).holds());
    }

    #[test]
    fn a_little_everywhere_is_seen_together() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let before: Vec<Vec<f64>> = (0..30).map(|_| values(&mut rng, 150)).collect();
        let after: Vec<Vec<f64>> = before.iter().map(|b| moved(&mut rng, b, -0.004)).collect();
        let pairs: Vec<Pair<'_>> = (before.iter().zip(&after))
            .map(|(before, after)| Pair {
                before,
                after,
                measure: 0,
            })
            .collect();
        let g = gate(&pairs, 0.05, 2_000);
        assert!(g.each.iter().filter(|x| x.verdict == Verdict::Fell).count() < 2);
        assert_eq!(g.together[0].verdict, Verdict::Fell);
    }

    #[test]
    fn false_alarms_are_as_rare_as_promised() {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let trials = 60;
        let mut alarms = 0;
        for _ in 0..trials {
            let before: Vec<Vec<f64>> = (0..6).map(|_| values(&mut rng, 40)).collect();
            let after: Vec<Vec<f64>> = before.iter().map(|b| moved(&mut rng, b, 0.0)).collect();
            let pairs: Vec<Pair<'_>> = (before.iter().zip(&after).enumerate())
                .map(|(i, (before, after))| Pair {
                    before,
                    after,
                    measure: i % 2,
                })
                .collect();
            alarms += u32::from(!gate(&pairs, 0.05, 999).holds());
        }
        // Below .05 by promise; three standard errors of 60 trials above it are .134.
        assert!(f64::from(alarms) / f64::from(trials) < 0.134, "{alarms}");
    }
}
