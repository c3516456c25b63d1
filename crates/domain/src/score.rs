//! A number to rank by.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A finite score: it has a total order, so no ranking can depend on a NaN.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(f64);

impl Score {
    /// The score zero.
    pub const ZERO: Score = Score(0.0);

    /// Makes a score. A value that is not finite becomes zero, so that a fault in one feature
    /// cannot lift or sink a record; −0 becomes 0, so that equal scores are equal bits.
    pub fn new(value: f64) -> Self {
        if value.is_finite() && value != 0.0 {
            Score(value)
        } else {
            Score(0.0)
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl From<f64> for Score {
    fn from(value: f64) -> Self {
        Score::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_nan_and_total() {
        assert_eq!(Score::new(f64::NAN), Score::ZERO);
        assert_eq!(Score::new(f64::INFINITY), Score::ZERO);
        assert_eq!(Score::new(-0.0).cmp(&Score::new(0.0)), Ordering::Equal);
        assert!(Score::new(1.0) > Score::new(0.5));
    }
}
