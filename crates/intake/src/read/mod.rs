//! From bytes to rows, whatever the format.

mod delimited;
mod encoding;
mod json;
mod lines;
mod sheets;
mod sniff;
mod unpack;

pub(crate) use sniff::open;

use crate::{Cell, Error, values::Refusal};
use queqiao_domain::Bilingual;
use serde_json::{Map, Value as Json};

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Office Open XML workbook (xlsx, xlsm).
    Xlsx,
    /// Values separated by commas or semicolons.
    Csv,
    /// Values separated by tabs.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// A JSON array of objects.
    Json,
}

impl Format {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Xlsx => "xlsx",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
            Format::Jsonl => "jsonl",
            Format::Json => "json",
        }
    }
}

/// The key under which a bad-rows file keeps a line that is no JSON object.
pub(crate) const LINE_KEY: &str = "原文 / line";
/// The name of the column that tells what was wrong with a row.
pub(crate) const ERROR_KEY: &str = "错误 / error";

/// How the error cell of a row begins whose cells do not stand under their columns. As long as it
/// stands there the row stays bad: padded with blanks it would pass with its values shifted.
pub(crate) const RAGGED_MARK: &str = "[列数 / columns]";

/// What a reader meets, in the order of the file.
pub(crate) enum Event {
    /// A table begins: a sheet of a workbook, or the one table of a text file.
    Sheet(Option<String>),
    /// A row of the current table.
    Row(Row),
    /// Something worth telling that is no error.
    Note(Bilingual),
}

/// A row as read.
pub(crate) struct Row {
    /// As a spreadsheet numbers it, from 1.
    pub(crate) row: u64,
    /// The line in a text file.
    pub(crate) line: Option<u64>,
    pub(crate) body: Read,
}

/// What stands in a row.
pub(crate) enum Read {
    /// Cells of a table.
    Cells(Vec<Cell>),
    /// An object of a jsonl file, with its line as it stands there.
    Object(Map<String, Json>, String),
    /// A line that could not be read, and why.
    Broken(String, Refusal),
}

/// A source of rows. After an error nothing more comes.
pub(crate) trait Reader: Send {
    /// The next thing met; `None` at the end.
    fn next(&mut self) -> Option<Result<Event, Error>>;

    /// Bytes of the file read so far.
    fn done(&self) -> u64;
}

/// A file opened for reading.
pub(crate) struct Opened {
    pub(crate) format: Format,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) bytes: u64,
    pub(crate) reader: Box<dyn Reader>,
}
