//! What becomes of one row.

use crate::{Cell, Issue, Place};
use queqiao_domain::CheckedRecord;
use std::sync::Arc;

/// One row of a file and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RowOutcome {
    /// Where the row stands.
    pub place: Place,
    /// What became of it.
    pub result: RowResult,
    /// The row as it stands in the file, for the bad-rows file.
    pub raw: RawRow,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowResult {
    /// A record that keeps every rule.
    Record(Box<CheckedRecord>),
    /// The same record, with the same id, as the earlier row at this place: nothing to do.
    Repeats(Place),
    /// Everything that is wrong with the row; at least one issue. Nothing of it is imported.
    Bad(Vec<Issue>),
}

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct RawRow {
    pub(crate) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// Cells under a header.
    Cells {
        header: Arc<Vec<String>>,
        cells: Vec<Cell>,
        /// The row has more or fewer cells than the header.
        ragged: bool,
    },
    /// A line of a jsonl file.
    Line(String),
}

impl RawRow {
    /// The header of the table the row stands in; empty for jsonl.
    pub fn header(&self) -> &[String] {
        match &self.body {
            Body::Cells { header, .. } => header,
            Body::Line(_) => &[],
        }
    }

    /// The cells; empty for jsonl.
    pub fn cells(&self) -> &[Cell] {
        match &self.body {
            Body::Cells { cells, .. } => cells,
            Body::Line(_) => &[],
        }
    }

    /// The line of a jsonl file.
    pub fn line(&self) -> Option<&str> {
        match &self.body {
            Body::Line(l) => Some(l),
            Body::Cells { .. } => None,
        }
    }
}
