//! Service teams (科技服务团) and consortia: who together covers a set of needs.
//!
//! Purpose: from scores of candidates for weighted needs to a team within size, budget, quotas and
//! rules, with who covers what, what is not covered, what each member is worth and who could take a
//! seat instead. Invariant: a team keeps every constraint, its value stands beside a bound that no
//! team can pass (equal to it when the optimum is proven), and where no team exists the answer names
//! the constraints that collide and the cheapest ways out. Pure functions over ids and numbers.

mod bound;
mod certify;
mod consortium;
mod cover;
mod problem;
mod report;
mod search;

pub use consortium::{Consortium, ConsortiumParams, Partner, consortium};
pub use problem::{
    Candidate, Quota, Rule, Task, TeamError, TeamParams, TeamPrices, TeamProblem, ValidTeam,
};
pub use report::{Alternate, Coverage, Drop, Outcome, Seat, TeamPlan};
