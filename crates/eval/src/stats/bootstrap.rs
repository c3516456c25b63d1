//! Bootstrap intervals.

use super::{CHUNK, mean};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

/// Where a figure lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval of 1 − `alpha` for the mean, by percentiles over `resamples` of the values (Efron,
/// Annals of Statistics 7(1), 1979; for retrieval, Sakai, SIGIR 2006). Equal seeds give equal
/// intervals. NaN without values.
pub fn bootstrap_mean(values: &[f64], resamples: usize, alpha: f64, seed: u64) -> Interval {
    if values.is_empty() || resamples == 0 {
        return Interval {
            low: f64::NAN,
            high: f64::NAN,
        };
    }
    let n = values.len();
    let mut means: Vec<f64> = (0..resamples.div_ceil(CHUNK))
        .into_par_iter()
        .flat_map_iter(|chunk| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(chunk as u64);
            let many = CHUNK.min(resamples - chunk * CHUNK);
            (0..many)
                .map(|_| {
                    let mut sum = 0.0;
                    for _ in 0..n {
                        // Lemire's multiplication; the bias is below n / 2^32.
                        let at = (u64::from(rng.next_u32()) * n as u64) >> 32;
                        sum += values.get(at as usize).copied().unwrap_or_default();
                    }
                    sum / n as f64
                })
                .collect::<Vec<_>>()
        })
        .collect();
    if means.iter().any(|m| m.is_nan()) {
        let m = mean(values);
        return Interval { low: m, high: m };
    }
    means.sort_unstable_by(f64::total_cmp);
    Interval {
        low: quantile(&means, alpha / 2.0),
        high: quantile(&means, 1.0 - alpha / 2.0),
    }
}

/// A quantile of sorted values, between neighbours (Hyndman and Fan's type 7).
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q.clamp(0.0, 1.0) * (sorted.len().saturating_sub(1)) as f64;
    let below = at.floor() as usize;
    let low = sorted.get(below).copied().unwrap_or(f64::NAN);
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    low + (high - low) * (at - at.floor())
}
