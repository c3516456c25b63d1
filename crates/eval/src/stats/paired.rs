//! The paired t-test.

use super::{
    bootstrap::Interval,
    distribution::{t_both_sides, t_quantile},
    mean,
};
use serde::Serialize;

/// What the differences of two runs, query by query, say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Queries.
    pub n: usize,
    /// Mean difference.
    pub mean: f64,
    /// Standard deviation of the differences, by n − 1.
    pub sd: f64,
    /// Student's t; infinite where all differences are the same and not 0.
    pub t: f64,
    /// Two-sided p; 1 where all differences are 0, NaN with fewer than two queries.
    pub p: f64,
    /// Mean difference by standard deviation (Cohen's d for paired values); 0 where all are 0.
    pub d: f64,
    /// Where the mean difference lies by Student's t.
    pub interval: Interval,
}

/// Student's paired t-test (Student, Biometrika 6, 1908; for retrieval, Smucker, Allan and Carterette,
/// CIKM 2007), with an interval of 1 − `alpha`.
pub fn paired_t(differences: &[f64], alpha: f64) -> Paired {
    let n = differences.len();
    let mean = mean(differences);
    let df = n as f64 - 1.0;
    let squares = differences.iter().fold(0.0, |a, d| a + (d - mean).powi(2));
    let sd = (squares / df).sqrt();
    // Equal differences differ from their mean by rounding only.
    let sd = if sd <= mean.abs() * 1e-13 { 0.0 } else { sd };
    let error = sd / (n as f64).sqrt();
    let zero = mean == 0.0;
    let (t, d) = if sd == 0.0 {
        if zero {
            (0.0, 0.0)
        } else {
            let sign = mean.signum();
            (sign * f64::INFINITY, sign * f64::INFINITY)
        }
    } else {
        (mean / error, mean / sd)
    };
    let p = if n < 2 {
        f64::NAN
    } else if zero && sd == 0.0 {
        1.0
    } else {
        t_both_sides(t, df)
    };
    let reach = if n < 2 {
        f64::NAN
    } else {
        t_quantile(alpha, df) * error
    };
    Paired {
        n,
        mean,
        sd,
        t,
        p,
        d,
        interval: Interval {
            low: mean - reach,
            high: mean + reach,
        },
    }
}
