//! What came of matches: answers that are kept, outcomes reported for them, funnels, training data.

mod funnel;
mod kept;
mod learning;
mod report;

pub use funnel::{Funnel, FunnelBy, FunnelRequest, FunnelRow, Step};
pub(crate) use kept::{kept, read, write};
pub use learning::{LearnOptions, OutcomeLists, TrainingList};
pub use report::{Decline, OutcomeReport, ReportSummary, Stage};
