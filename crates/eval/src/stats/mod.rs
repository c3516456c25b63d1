//! Telling a gain from noise: paired tests, intervals, corrections, power.

mod bootstrap;
mod correction;
mod distribution;
mod looks;
mod paired;
mod power;
mod randomisation;
mod sign;

pub use bootstrap::{Interval, bootstrap_mean};
pub use correction::{benjamini_hochberg, holm};
pub use looks::Looks;
pub use paired::{Paired, paired_t};
pub use power::Power;
pub use randomisation::{Randomisation, randomisation_test};
pub use sign::sign_test;

/// Resamples and permutations drawn with one stream of random numbers; the results are the same on
/// any number of cores.
const CHUNK: usize = 256;

/// Mean of values; NaN where there are none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, v| a + v) / values.len() as f64
}
