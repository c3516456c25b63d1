//! Files in and out: xlsx, csv, tsv and jsonl to records, and back.
//!
//! Purpose: turn the forms people in the field fill in into checked records, and records into
//! files that people can read and that import again to the same records. Invariant: every row of
//! a file ends as exactly one [`RowOutcome`] (a record that passed every rule, a repetition of an
//! earlier row, or a bad row with all that is wrong with it), and no bytes of any file panic the
//! caller. Tables are read as streams, so memory depends on the longest row and on the number of
//! ids, not on the length of the file; this crate knows `domain` only.
//!
//! # How rows are read
//!
//! - **Columns** are known by their Chinese and English names ([`recognised_columns`]), whatever a
//!   form puts around them: `*`, numbers, `（必填）`. The header is looked for among the first ten
//!   rows; `（元）`, `（万元）`, `（亿元）` in it are the unit of bare numbers. An unknown column is
//!   kept as an attribute of its own name, a personal one that has no place here
//!   (`queqiao_domain::refused_field`) is not read, 序号 is ignored.
//! - **Several columns for one field**: texts are joined by a line break, lists appended, contacts
//!   joined by `；`, and 省 市 区 name one region together. Of a field that holds one value (title,
//!   id, amount, code) the first filled column in the order of preference counts, and the others
//!   become attributes.
//! - **Words for "none"** (面议, 不限, 长期) leave the field empty and are kept as an attribute named
//!   like the field. Field categories (新材料, 先进制造) in a column of industries, and names of other
//!   lists in a column of disciplines that does not ask for codes, become keywords.
//! - **Ids** are the caller's. Characters that no id may hold are percent-encoded and come back on
//!   export; a row without an id has one derived from what identifies it, the same on every run.
//! - **tsv**: `\n` in a cell is a line break, unless it begins a word (`\nu`). **csv**: a `'` before
//!   `=`, `+`, `-`, `@` is taken away, as export puts it there against formulas.
//! - **xlsx**: every visible sheet; a value merged over several rows holds for each of them; a number
//!   in a column of days is Excel's serial number.
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
mod tables;
mod values;

pub use bad_rows::BadRowsWriter;
pub use cell::{Cell, letters};
pub use columns::{ColumnHelp, recognised_columns};
pub use error::{Cause, Error};
pub use export::{ExportFormat, ExportOptions, Exported, Exporter};
pub use issue::{Column, Issue, Place, shown_value};
pub use options::{ImportOptions, Limits};
pub use read::Format;
pub use report::{ColumnReport, ColumnUse, FileReport, Note, Report, SheetReport};
pub use rows::{RawRow, RowOutcome, RowResult};
pub use source::{Progress, Source};
pub use tables::{RawTable, read_tables};
