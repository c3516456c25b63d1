//! Do scores mean what they say: of answers scored .7, are seven in ten relevant?

use serde::Serialize;

/// Answers whose scores fall together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Scores from this.
    pub from: f64,
    /// To this, which belongs to the last bin only.
    pub to: f64,
    /// Answers.
    pub n: usize,
    /// Their mean score; NaN where there are none.
    pub score: f64,
    /// The share of them that is relevant; NaN where there are none.
    pub relevant: f64,
}

/// How far scores are from the chances they claim to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Answers.
    pub n: usize,
    /// Mean squared distance of score and outcome (Brier, Monthly Weather Review 78, 1950); 0 is
    /// best.
    pub brier: f64,
    /// Mean distance of score and share, weighed by answers, over bins of equal width (Naeini, Cooper
    /// and Hauskrecht, AAAI 2015); 0 is best.
    pub ece: f64,
    /// The reliability table.
    pub bins: Vec<Bin>,
}

impl Calibration {
    /// From scores and outcomes. `None` without answers, or where a score is no chance: outside
    /// [0, 1].
    pub fn of(scores: &[(f64, bool)], bins: usize) -> Option<Self> {
        let is_chance = |s: &(f64, bool)| (0.0..=1.0).contains(&s.0);
        if scores.is_empty() || bins == 0 || !scores.iter().all(is_chance) {
            return None;
        }
        let mut sums = vec![(0_usize, 0.0, 0.0); bins];
        let mut brier = 0.0;
        for (score, relevant) in scores {
            let outcome = f64::from(u8::from(*relevant));
            brier += (score - outcome).powi(2);
            let at = ((score * bins as f64) as usize).min(bins - 1);
            if let Some(b) = sums.get_mut(at) {
                *b = (b.0 + 1, b.1 + score, b.2 + outcome);
            }
        }
        let n = scores.len();
        let bins: Vec<Bin> = (0..bins)
            .zip(&sums)
            .map(|(i, (count, score, relevant))| Bin {
                from: i as f64 / bins as f64,
                to: (i + 1) as f64 / bins as f64,
                n: *count,
                score: score / *count as f64,
                relevant: relevant / *count as f64,
            })
            .collect();
        let ece = bins
            .iter()
            .filter(|b| b.n > 0)
            .map(|b| b.n as f64 / n as f64 * (b.score - b.relevant).abs())
            .sum();
        Some(Calibration {
            n,
            brier: brier / n as f64,
            ece,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let c =
            Calibration::of(&[(0.1, false), (0.15, true), (0.9, true), (1.0, true)], 10).unwrap();
        assert!((c.brier - (0.01 + 0.7225 + 0.01) / 4.0).abs() < 1e-12);
        assert!((c.ece - (2.0 * (0.5 - 0.125) + 2.0 * 0.05) / 4.0).abs() < 1e-12);
        assert_eq!((c.bins[1].n, c.bins[9].n, c.bins[5].n), (2, 2, 0));
        assert!(c.bins[5].score.is_nan());
        assert!(Calibration::of(&[(1.5, true)], 10).is_none());
        assert!(Calibration::of(&[], 10).is_none());
    }
}
