//! Measures of the C/W/L framework: a user goes on from rank i with probability C(i), and the
//! measure is the expected gain for each answer looked at (Moffat, Thomas and Scholer, CIKM 2013).
//!
//! As cwl_eval does, every ranking is taken to be exactly 1000 answers long: shorter ones go on
//! without gain, longer ones are cut (`ranking.py`, `max_n`).

use super::ranked::Ranked;

/// cwl_eval's `max_n`.
const DEPTH: usize = 1000;

/// What a user does after each rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum User {
    /// Stops after k answers, or with gain T.
    Bejeweled { k: u32, t: f64 },
    /// Goes on by the discounts of DCG, up to k.
    Discounted { k: u32 },
    /// Goes on the more surely the deeper; T answers wanted.
    Insq { t: f64 },
    /// The same, by what is still wanted.
    Inst { t: f64 },
    /// NERR, equation 8: up to k, unless satisfied.
    Nerr8 { k: u32 },
    /// Equation 9: the same with a discount.
    Nerr9 { k: u32 },
    /// Equation 10: with patience p.
    Nerr10 { p: f64 },
    /// Equation 11: with the patience of INSQ.
    Nerr11 { t: f64 },
}

impl User {
    /// C(i), from i = 1, after a gain here and a sum of gains up to here.
    fn goes_on(self, i: usize, gain: f64, sum: f64) -> f64 {
        let rank = i as f64;
        let insq = |t: f64| ((rank + 2.0 * t - 1.0) / (rank + 2.0 * t)).powi(2);
        let before = |k: u32| i < k as usize;
        match self {
            User::Bejeweled { k, t } => f64::from(u8::from(before(k) && sum < t)),
            User::Discounted { k } if before(k) => (rank + 1.0).log2() / (rank + 2.0).log2(),
            User::Insq { t } => insq(t),
            User::Inst { t } => {
                let wanted = rank + t + (t - sum);
                ((wanted - 1.0) / wanted).powi(2)
            }
            User::Nerr8 { k } if before(k) => 1.0 - gain,
            User::Nerr9 { k } if before(k) => rank / (rank + 1.0) * (1.0 - gain),
            User::Discounted { .. } | User::Nerr8 { .. } | User::Nerr9 { .. } => 0.0,
            User::Nerr10 { p } => p * (1.0 - gain),
            User::Nerr11 { t } => insq(t) * (1.0 - gain),
        }
    }
}

/// Σ W(i) gain(i), with W(i) = Π C / Σ Π C. Gains are grades between `low` and `high`, scaled to
/// [0, 1]; answers not judged have none.
pub(super) fn expected_gain(r: &Ranked<'_>, user: User, low: f64, high: f64) -> f64 {
    let mut hits = r.hits.iter().peekable();
    let (mut reached, mut looked, mut gained, mut sum) = (1.0, 0.0, 0.0, 0.0);
    for i in 1..=DEPTH {
        let gain = hits
            .next_if(|h| h.rank as usize == i)
            .map_or(0.0, |h| (h.grade.clamp(low, high) - low) / (high - low));
        looked += reached;
        gained += reached * gain;
        sum += gain;
        reached *= user.goes_on(i, gain, sum);
        if reached == 0.0 {
            break;
        }
    }
    gained / looked
}
