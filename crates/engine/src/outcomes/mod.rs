//! What came of matches: answers that are kept, outcomes reported for them, funnels, training data.

mod funnel;
mod kept;
mod learning;
mod report;

pub use funnel::{Funnel, FunnelBy, FunnelRequest, FunnelRow, Step};
pub(crate) use kept::{Head, Row, kept, read, write};
pub use kept::{PastAnswer, PastMatch};
pub use learning::{LearnOptions, OutcomeLists, TrainingList};
pub(crate) use report::Entry;
pub use report::{Decline, OutcomeReport, ReportSummary, Stage};
