//! Files in and out: xlsx, csv, tsv and jsonl to records, and back.
//!
//! Purpose: turn the forms people in the field fill in into checked records, and records into
//! files that people can read and that import again to the same records. Invariant: every row of
//! a file ends as exactly one [`RowOutcome`] (a record that passed every rule, a repetition of an
//! earlier row, or a bad row with all that is wrong with it), and no bytes of any file panic the
//! caller. Tables are read as streams, so memory depends on the longest row and on the number of
//! ids, not on the length of the file; this crate knows `domain` only.
//!
//! ```no_run
//! use queqiao_intake::{BadRowsWriter, ImportOptions, Report, RowResult, Source};
//! # fn main() -> Result<(), queqiao_intake::Error> {
//! let mut source = Source::open("needs.xlsx", &ImportOptions::default())?;
//! let mut bad = BadRowsWriter::beside(&source);
//! let mut report = Report::new();
//! while let Some(row) = source.next() {
//!     let row = row?;
//!     report.add(&row);
//!     bad.write(&row)?;
//!     if let RowResult::Record(record) = row.result {
//!         // hand the record on
//!         let _ = record;
//!     }
//! }
//! report.close(&source);
//! let written = bad.finish()?;
//! # let _ = written; Ok(()) }
//! ```

mod assemble;
mod bad_rows;
mod cell;
mod columns;
mod error;
mod export;
mod id;
mod issue;
mod options;
mod output;
mod read;
mod report;
mod rows;
mod source;
mod values;

pub use bad_rows::BadRowsWriter;
pub use cell::Cell;
pub use columns::{ColumnHelp, recognised_columns};
pub use error::{Cause, Error};
pub use export::{ExportFormat, ExportOptions, Exported, Exporter};
pub use issue::{Column, Issue, Place};
pub use options::{ImportOptions, Limits};
pub use read::Format;
pub use report::{ColumnReport, ColumnUse, FileReport, Note, Report, SheetReport};
pub use rows::{RawRow, RowOutcome, RowResult};
pub use source::{Progress, Source};
