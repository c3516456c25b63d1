//! Bad rows, written so that they can be mended and imported again.

use crate::{
    Cell, Error, Format, RawRow, RowOutcome, RowResult, Source,
    cell::serial_date,
    export::Book,
    output::{Pending, guard, write_error},
    read::{ERROR_KEY, LINE_KEY, RAGGED_MARK},
    rows::Body,
};
use serde_json::{Map, Value as Json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Writes the bad rows of one source under their own header, with a last column `错误 / error` that
/// tells what is wrong. The file imports like the one the rows came from: workbooks stay workbooks,
/// csv and tsv become csv (UTF-8 with byte order mark), jsonl stays jsonl. It appears when
/// [`BadRowsWriter::finish`] is called, and only if a row was bad.
///
/// A csv cell that a spreadsheet program would run as a formula has a `'` in front, which import
/// takes away again; numbers are left as they are. A row whose number of cells differs from the
/// header's carries a mark in its error cell and stays bad until the mark is cleared.
pub struct BadRowsWriter {
    path: PathBuf,
    out: Option<Out>,
}

enum Out {
    Lines(Pending),
    Csv {
        out: Pending,
        header: Arc<Vec<String>>,
        error_at: usize,
    },
    Book {
        book: Box<Book>,
        sheet: Option<(Option<String>, Arc<Vec<String>>, usize)>,
    },
}

impl BadRowsWriter {
    /// Writes beside the source: `needs.xlsx` has its bad rows in `needs.bad.xlsx`.
    pub fn beside(source: &Source) -> Self {
        let extension = match source.format() {
            Format::Xlsx => "bad.xlsx",
            Format::Csv | Format::Tsv => "bad.csv",
            Format::Jsonl | Format::Json => "bad.jsonl",
        };
        let stem = source
            .path()
            .file_stem()
            .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        // Bad rows of bad rows go back where they came from.
        let stem = stem.strip_suffix(".bad").unwrap_or(&stem);
        Self::at(source.path().with_file_name(format!("{stem}.{extension}")))
    }

    /// Writes to a path; its extension (`xlsx`, `csv`, `jsonl`) is the format. A row that does not
    /// fit the format (cells in a jsonl file) is written as JSON all the same.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        BadRowsWriter {
            path: path.into(),
            out: None,
        }
    }

    /// Where the bad rows go.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a row; only bad ones are written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, row: &RowOutcome) -> Result<(), Error> {
        let RowResult::Bad(issues) = &row.result else {
            return Ok(());
        };
        let mut reason = issues
            .iter()
            .take(20)
            .map(|i| {
                let r = i.reason();
                format!("{} / {}", r.zh, r.en)
            })
            .collect::<Vec<_>>()
            .join("\n");
        if matches!(row.raw.body, Body::Cells { ragged: true, .. }) {
            reason = format!("{RAGGED_MARK} {reason}");
        }
        let path = self.path.clone();
        let io = |e| write_error(&path, e);
        if self.out.is_none() {
            self.out = Some(self.begin(&row.raw)?);
        }
        match (&mut self.out, &row.raw.body) {
            (
                Some(Out::Csv {
                    out,
                    header,
                    error_at,
                }),
                Body::Cells { cells, .. },
            ) => {
                let line = with_error(cells, *error_at, header.len(), Cell::Text(reason));
                out.write_all(csv_line(line.iter().map(csv_text)).as_bytes())
                    .map_err(io)
            }
            (Some(Out::Book { book, sheet }), Body::Cells { header, cells, .. }) => {
                let same =
                    matches!(sheet, Some((name, h, _)) if *name == row.place.sheet && h == header);
                if !same {
                    let mut names: Vec<Cell> =
                        header.iter().map(|h| Cell::Text(h.clone())).collect();
                    let error_at = match header.iter().position(|h| h.trim() == ERROR_KEY) {
                        Some(i) => i,
                        None => {
                            names.push(Cell::Text(ERROR_KEY.to_owned()));
                            names.len() - 1
                        }
                    };
                    book.sheet(row.place.sheet.as_deref().unwrap_or("bad"))?;
                    book.row(&names, true)?;
                    *sheet = Some((row.place.sheet.clone(), Arc::clone(header), error_at));
                }
                let error_at = sheet.as_ref().map_or(0, |s| s.2);
                let line = with_error(cells, error_at, header.len(), Cell::Text(reason));
                book.row(&line, false)
            }
            (Some(Out::Lines(out)), body) => {
                let mut line = match body {
                    Body::Line(l) => bad_line(l, &reason),
                    Body::Cells { header, cells, .. } => bad_cells(header, cells, &reason),
                };
                line.push('\n');
                out.write_all(line.as_bytes()).map_err(io)
            }
            (Some(Out::Csv { .. } | Out::Book { .. }) | None, Body::Line(_)) | (None, _) => Ok(()),
        }
    }

    fn begin(&self, raw: &RawRow) -> Result<Out, Error> {
        let extension = self
            .path
            .extension()
            .map_or_else(String::new, |e| e.to_string_lossy().to_lowercase());
        match (&raw.body, extension.as_str()) {
            (Body::Cells { .. }, "xlsx") => Ok(Out::Book {
                book: Box::new(Book::create(&self.path)?),
                sheet: None,
            }),
            (Body::Cells { header, .. }, "csv") => {
                let mut out = Pending::create(&self.path)?;
                let mut names: Vec<String> = header.to_vec();
                let error_at = match names.iter().position(|h| h.trim() == ERROR_KEY) {
                    Some(i) => i,
                    None => {
                        names.push(ERROR_KEY.to_owned());
                        names.len() - 1
                    }
                };
                let line = csv_line(names.iter().map(|n| guard(n).into_owned()));
                out.write_all(format!("\u{feff}{line}").as_bytes())
                    .map_err(|e| write_error(&self.path, e))?;
                Ok(Out::Csv {
                    out,
                    header: Arc::clone(header),
                    error_at,
                })
            }
            _ => Ok(Out::Lines(Pending::create(&self.path)?)),
        }
    }

    /// Puts the file in its place, if any row was bad.
    ///
    /// # Errors
    /// The file cannot be written, or not take its place.
    pub fn finish(self) -> Result<Option<PathBuf>, Error> {
        match self.out {
            None => Ok(None),
            Some(Out::Lines(p) | Out::Csv { out: p, .. }) => p.finish().map(Some),
            Some(Out::Book { book, .. }) => book.finish().map(Some),
        }
    }
}

/// The row's cells with the error in its column; cells beyond the header stand after it.
fn with_error(cells: &[Cell], error_at: usize, width: usize, error: Cell) -> Vec<Cell> {
    let mut line: Vec<Cell> = cells.iter().take(width).cloned().collect();
    line.resize(width.max(error_at + 1), Cell::Empty);
    line[error_at] = error;
    line.extend(cells.iter().skip(width).cloned());
    line
}

fn csv_text(c: &Cell) -> String {
    match c {
        Cell::Text(t) => guard(t).into_owned(),
        Cell::Date(s) if serial_date(*s).is_none() => s.to_string(),
        other => other.text(),
    }
}

/// One line of csv, ended as RFC 4180 has it.
pub(crate) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut w = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .flexible(true)
        .from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = w.write_record(cells.collect::<Vec<_>>());
    w.into_inner().map_or_else(
        |_| String::new(),
        |b| String::from_utf8_lossy(&b).into_owned(),
    )
}

/// A line of jsonl with the reason added; a line that is no object is carried as text.
fn bad_line(line: &str, reason: &str) -> String {
    let mut map = match serde_json::from_str::<Json>(line) {
        Ok(Json::Object(m)) => m,
        _ => Map::from_iter([(LINE_KEY.to_owned(), Json::from(line))]),
    };
    map.insert(ERROR_KEY.to_owned(), Json::from(reason));
    Json::Object(map).to_string()
}

fn bad_cells(header: &[String], cells: &[Cell], reason: &str) -> String {
    let mut map: Map<String, Json> = header
        .iter()
        .zip(cells)
        .filter(|(_, c)| !c.is_blank())
        .map(|(h, c)| (h.clone(), Json::from(c.text())))
        .collect();
    map.insert(ERROR_KEY.to_owned(), Json::from(reason));
    Json::Object(map).to_string()
}
