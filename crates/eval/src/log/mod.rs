//! What was shown to people, and what came of it: logs, and what they tell of rankings that were
//! never shown.

mod interleaving;
mod off_policy;
mod read;

pub use interleaving::{Interleaving, interleaving};
pub use off_policy::{
    Assumption, Estimate, Estimates, Figures, OffPolicy, OffPolicySettings, Settled,
};
pub use read::{ShownItem, ShownList, read_log};
