//! What an import did, for people and for programs.

use crate::{Issue, Place, RowOutcome, RowResult, Source};
use queqiao_domain::{Bilingual, Kind};
use serde::Serialize;
use std::collections::BTreeMap;

/// What an import of one or more files did. Its memory is bounded: issues and notes beyond the
/// first thousand are counted, not kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// Rows met, blank ones aside.
    pub rows: u64,
    /// Rows that became records.
    pub records: u64,
    /// Rows that repeat an earlier row of their file.
    pub repeated: u64,
    /// Bad rows.
    pub bad: u64,
    /// Records by kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// Each file.
    pub files: Vec<FileReport>,
    /// The first issues.
    pub issues: Vec<Issue>,
    /// How many further issues there are.
    pub issues_left_out: u64,
    #[serde(skip)]
    open: Counts,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Counts {
    rows: u64,
    records: u64,
    repeated: u64,
    bad: u64,
}

/// What the import of one file did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: &'static str,
    /// Its encoding, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<&'static str>,
    /// Rows met, blank ones aside.
    pub rows: u64,
    /// Rows that became records.
    pub records: u64,
    /// Rows that repeat an earlier row.
    pub repeated: u64,
    /// Bad rows.
    pub bad: u64,
    /// What its columns were used for, by table and kind.
    pub sheets: Vec<SheetReport>,
    /// Sheets and rows left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// How many further notes there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub notes_left_out: u64,
}

/// What the columns of a table were used for in records of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SheetReport {
    /// The sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The kind.
    pub kind: Kind,
    /// The row of the header, from 1; none for jsonl.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u64>,
    /// The columns, in order.
    pub columns: Vec<ColumnReport>,
    /// How many further columns there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub columns_left_out: u64,
}

/// What one column was used for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnReport {
    /// The name in the header.
    pub name: String,
    /// Its letter; empty for jsonl.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub letter: String,
    /// What it was used for.
    #[serde(flatten)]
    pub used: ColumnUse,
    /// For an unknown column the known name that looks most like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
}

/// What a column was used for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "use", content = "as", rename_all = "lowercase")]
pub enum ColumnUse {
    /// It filled the field of this name.
    Field(String),
    /// It is unknown, and kept as an attribute of this name.
    Attribute(String),
    /// It is personal data that has no place here, and was not read: the reason.
    Refused(Bilingual),
    /// It has no meaning outside its file: the reason.
    Ignored(Bilingual),
}

/// Something worth telling that is no error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    /// Where, if it is about one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What.
    pub text: Bilingual,
}

/// Issues kept in full.
const ISSUES: usize = 1000;

impl Report {
    /// An empty report.
    pub fn new() -> Self {
        Report::default()
    }

    /// Counts a row of the file being read.
    pub fn add(&mut self, row: &RowOutcome) {
        self.rows += 1;
        self.open.rows += 1;
        match &row.result {
            RowResult::Record(r) => {
                self.records += 1;
                self.open.records += 1;
                *self.by_kind.entry(r.get().kind()).or_insert(0) += 1;
            }
            RowResult::Repeats(_) => {
                self.repeated += 1;
                self.open.repeated += 1;
            }
            RowResult::Bad(issues) => {
                self.bad += 1;
                self.open.bad += 1;
                for i in issues {
                    if self.issues.len() < ISSUES {
                        self.issues.push(i.clone());
                    } else {
                        self.issues_left_out += 1;
                    }
                }
            }
        }
    }

    /// Ends a file: the rows added since the last one belong to it.
    pub fn close(&mut self, source: &Source) {
        let counts = std::mem::take(&mut self.open);
        self.files.push(FileReport {
            file: source.file().to_owned(),
            format: source.format().as_str(),
            encoding: source.encoding(),
            rows: counts.rows,
            records: counts.records,
            repeated: counts.repeated,
            bad: counts.bad,
            sheets: source.sheets().to_vec(),
            notes: source.notes().to_vec(),
            notes_left_out: source.notes_left_out(),
        });
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
