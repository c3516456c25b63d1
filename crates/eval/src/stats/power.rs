//! What a collection can show.

use super::distribution::{bisect, noncentral_t, normal_above, t_quantile};
use serde::Serialize;

/// The paired t-test over some queries, before anything is measured with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Power {
    /// Queries.
    pub n: usize,
    /// Standard deviation of differences between two runs.
    pub sd: f64,
    /// Two-sided level.
    pub alpha: f64,
}

impl Power {
    /// How often a true mean difference is seen as significant, in [0, 1] (Cohen, Statistical Power
    /// Analysis for the Behavioral Sciences, 1988; for retrieval, Sakai, 2016). NaN with fewer than
    /// two queries or without spread.
    pub fn of(&self, difference: f64) -> f64 {
        if self.n < 2 || self.sd.is_nan() || self.sd <= 0.0 {
            return f64::NAN;
        }
        let df = self.n as f64 - 1.0;
        let shift = difference.abs() / self.sd * (self.n as f64).sqrt();
        let t = t_quantile(self.alpha, df);
        if shift > 37.0 {
            // Beyond the range of the series, and of any doubt.
            return 1.0 - normal_above(shift - t);
        }
        let power = 1.0 - noncentral_t(t, df, shift) + noncentral_t(-t, df, shift);
        power.clamp(0.0, 1.0)
    }

    /// The smallest true difference that is seen this often: "with 151 queries a difference of .02
    /// is seen 9 times in 10" is `detectable(0.9)`. NaN as in [`Power::of`].
    pub fn detectable(&self, often: f64) -> f64 {
        if self.of(0.0).is_nan() || !(self.alpha..1.0).contains(&often) {
            return f64::NAN;
        }
        bisect(0.0, self.sd * 1e3, |x| self.of(x) < often)
    }

    /// How many queries it takes to see a difference this often; `None` beyond ten million.
    pub fn queries_for(&self, difference: f64, often: f64) -> Option<usize> {
        let enough = |n: usize| Power { n, ..*self }.of(difference) >= often;
        let (mut low, mut high) = (2, 2);
        while !enough(high) {
            if high > 10_000_000 {
                return None;
            }
            (low, high) = (high, high * 2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(high)
    }
}
