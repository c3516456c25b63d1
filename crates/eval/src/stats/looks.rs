//! Looking more than once.

use super::distribution::{normal_above, normal_quantile_above};
use serde::Serialize;

/// A horizon fixed beforehand: so many looks at growing data, evenly spaced, and a level for all of
/// them together. Whoever tests at .05 on each of twenty looks sees a difference that is not there
/// one time in four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Looks {
    /// Looks planned in all.
    pub planned: u32,
    /// This look, from 1.
    pub now: u32,
}

impl Looks {
    /// The level at which p is to be taken at this look, so that all looks together reject falsely
    /// at most `alpha` of the time.
    ///
    /// Each look may spend what Lan and DeMets (Biometrika 70(3), 1983) let the α of O'Brien and
    /// Fleming grow by: little at first, most at the end. The looks' levels add up to `alpha`, so
    /// the bound holds whatever the data's dependence, at the price of being somewhat strict.
    pub fn level(&self, alpha: f64) -> f64 {
        let spent = |look: u32| {
            if look == 0 {
                return 0.0;
            }
            let share = f64::from(look.min(self.planned)) / f64::from(self.planned.max(1));
            2.0 * normal_above(normal_quantile_above(alpha / 2.0) / share.sqrt())
        };
        spent(self.now) - spent(self.now.saturating_sub(1))
    }
}
