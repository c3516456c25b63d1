//! What the caller may choose when a file is read.

use queqiao_domain::{CheckLimits, Kind};

/// How a file is read.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The kind of all rows. Without it a `kind` column tells, else the sheet's or the file's
    /// name, else the columns.
    pub kind: Option<Kind>,
    /// The one sheet to read; without it every visible sheet.
    pub sheet: Option<String>,
    /// How large things may be.
    pub limits: Limits,
}

impl ImportOptions {
    /// The same options with a kind for all rows.
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }
}

/// How large a file and its parts may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// What a record may hold.
    pub record: CheckLimits,
    /// Bytes of one cell, one line, one row.
    pub cell: usize,
    /// Bytes that a workbook may unpack to.
    pub unpacked: u64,
    /// How many times its packed size a workbook of more than 10 MB may unpack to.
    pub ratio: u64,
    /// Entries in a workbook's zip directory.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            record: CheckLimits::default(),
            cell: 10 << 20,
            unpacked: 1 << 30,
            ratio: 200,
            entries: 10_000,
        }
    }
}
