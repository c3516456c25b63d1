//! Exact solvers that the sibling crates `teams` and `events` share.
//!
//! Purpose: least-cost flows ([`Simplex`]), small integer programmes ([`Programme`]), generalised
//! assignment ([`assign`]) and proofs of infeasibility ([`Certificate`]), over plain numbers.
//! Invariant: an answer comes with a bound that no answer can pass, a raised [`Stop`] ends any
//! computation within a tenth of a second with the best answer so far, and equal input gives equal
//! output on every machine. This crate knows `domain` for the words of its certificates only.

mod assign;
mod certificate;
mod network;
mod programme;
mod residual;
mod simplex;
mod stop;

pub use assign::{Assignment, Duties, DutiesError, assign};
pub use certificate::{Certificate, Change, Clash, Relaxation};
pub use network::{Arc, FlowError, Network, Node};
pub use programme::{Answer, Found, Programme, Relaxing, Sense, Tag, Variable};
pub use residual::{Residual, Step};
pub use simplex::{Flow, Simplex};
pub use stop::Stop;
