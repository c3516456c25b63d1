//! Features of a match, a linear scorer, and what a score is made of.
//!
//! Purpose: from similarities to an order people can trust. Invariant: a score is the sum of its
//! parts, in order, bit for bit; a feature that is unknown contributes nothing and says that it
//! is unknown; equal scores are ordered by id. Pure functions over plain numbers: this crate
//! reads no file and knows no index.

mod calibration;
mod diversity;
mod feature;
mod fit;
mod neighbours;
mod quote;
mod scorer;
mod together;

pub use calibration::{Calibration, Curve, LEAST_OF_EACH, calibrate};
pub use diversity::{Diverse, draw, mmr, xquad};
pub use feature::{Activity, Asker, Feature, Signals, Values, features};
pub use fit::{FitParams, GradedList, fit};
pub use neighbours::{CENTRE_OF, Neighbours, centre};
pub use quote::{Clause, best_pair, split_clauses};
pub use scorer::{Part, Scorer, Weights, WeightsError};
pub use together::{Mutual, together};
