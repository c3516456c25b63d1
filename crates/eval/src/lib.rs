//! The ranking laboratory: judgements, runs, measures, significance, reports.
//!
//! Purpose: the field's measures to the last digit, faster than what people use, with the
//! statistics that tell a gain from noise. Invariant: equal files give equal figures, bit for bit,
//! in whatever order their lines stand and on however many cores; every convention names the source
//! file of trec_eval, or the paper, that it follows. Plain values in, plain values out: this crate
//! knows no other of ours, no async and no wire.
//!
//! ```
//! use queqiao_eval::{Options, Precision, Qrels, Run, evaluate, parse_list};
//!
//! let qrels = Qrels::from_triples([("q1", "d1", 2.0), ("q1", "d2", 0.0), ("q1", "d3", 1.0)])?;
//! let run = Run::from_triples(
//!     "mine",
//!     [("q1", "d2", 0.9), ("q1", "d1", 0.8), ("q1", "d3", 0.1)],
//!     Precision::Double,
//! )?;
//! let e = evaluate(&qrels, &run, &parse_list("nDCG@10,AP,P@1")?, Options::default())?;
//! assert_eq!(e.means[2], 0.0);
//! # Ok::<(), queqiao_eval::Error>(())
//! ```

mod calibration;
mod compare;
mod curve;
mod error;
mod evaluate;
mod examination;
mod gate;
mod hashing;
mod ids;
mod input;
mod lang;
mod lists;
mod log;
mod market;
mod measure;
mod observe;
mod qrels;
mod report;
mod run;
pub mod stats;
mod write;

pub use calibration::{Bin, Calibration};
pub use compare::{Comparison, Comparisons, MovedDocument, MovedQuery, Settings, compare};
pub use curve::precision_recall;
pub use error::{Cause, Error, Place};
pub use evaluate::{
    Evaluation, Evaluator, Missing, Options, evaluate, evaluate_file, same_queries,
};
pub use examination::Examination;
pub use gate::{Gate, Gated, Pair, Verdict, gate};
pub use input::{LONGEST_LINE, Supply, qrels_of};
pub use lang::{Lang, Text};
pub use lists::Exposure;
pub use log::{
    Assumption, Estimate, Estimates, Figures, Interleaving, OffPolicy, OffPolicySettings, Settled,
    ShownItem, ShownList, interleaving, read_log,
};
pub use market::{Envy, Market, TwoSided};
pub use measure::{Aggregation, Measure, Name, Param, Value, parse_list};
pub use observe::{Observation, Placement, Watch};
pub use qrels::{Judgements, Qrels};
pub use report::Report;
pub use run::{Answers, Precision, Run};
pub use write::write_run_line;
