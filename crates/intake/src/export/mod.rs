//! Records to files that people read and that import again to the same records.

mod book;
mod flat;

pub(crate) use book::Book;

use crate::{
    Cause, Cell, Error,
    bad_rows::csv_line,
    error::bi,
    error::shown_path,
    output::{Pending, guard, write_error},
};
use flat::{Key, flatten, header_of, kind_text};
use queqiao_domain::{Kind, Lang, Record};
use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, BufWriter, Seek, Write},
    path::{Path, PathBuf},
};

/// How an exported file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// The domain's JSON form, one record a line: everything, exactly.
    Jsonl,
    /// One table with a column for the kind; UTF-8 with byte order mark.
    Csv,
    /// A sheet for each kind.
    Xlsx,
}

impl ExportFormat {
    /// The format that a path's extension names.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(ExportFormat::Jsonl),
            "csv" => Some(ExportFormat::Csv),
            "xlsx" => Some(ExportFormat::Xlsx),
            _ => None,
        }
    }
}

/// How records are exported.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportOptions {
    /// The format; without it the path's extension tells.
    pub format: Option<ExportFormat>,
    /// The language of headers and of the words of fixed vocabularies.
    pub lang: Lang,
    /// Whether sealed contacts go into the file.
    pub contact: bool,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Records in it.
    pub records: u64,
    /// Records by kind.
    pub by_kind: BTreeMap<Kind, u64>,
}

/// Attribute names that get a column of their own, for each kind; the rest share one in JSON.
const ATTRIBUTE_COLUMNS: usize = 200;
/// UTF-16 units in one cell of a workbook; Excel allows 32,767.
const CELL_UNITS: usize = 32_000;

/// Writes records to a file, which appears when [`Exporter::finish`] is called.
///
/// A jsonl file holds the records exactly. csv and xlsx import again to the same records:
///
/// - lists are joined with `；`; passages, and links in an order of their own, are JSON in one cell;
/// - a value that a plain cell would not give back exactly (white space at its ends, a separator
///   inside an entry) is written as `json:` and the value in JSON;
/// - a text longer than a workbook's cell goes on in columns named `…#2`, `…#3`;
/// - attributes have columns of their own where their names are free, else they share the column
///   `附加属性`, as JSON;
/// - ids that were percent-encoded on the way in are written as they were given.
///
/// What does not come back: an empty capacity, travel or contact (it is none), and the second of
/// two equal codes in a list. Memory does not depend on the number of records: tables are kept in a
/// temporary file beside the target until their columns are known.
pub struct Exporter {
    path: PathBuf,
    options: ExportOptions,
    out: Out,
    records: u64,
    by_kind: BTreeMap<Kind, u64>,
}

enum Out {
    Lines(Pending),
    Table {
        csv: Option<Pending>,
        spool: BufWriter<std::fs::File>,
        kinds: BTreeMap<Kind, Columns>,
    },
}

/// The columns met in records of a kind.
#[derive(Default)]
struct Columns {
    keys: Vec<(Key, usize)>,
    index: HashMap<Key, usize>,
    attributes: usize,
}

impl Exporter {
    /// Begins an export.
    ///
    /// # Errors
    /// A name that ends in none of the formats, or a folder that cannot be written to.
    pub fn create(path: impl AsRef<Path>, options: ExportOptions) -> Result<Self, Error> {
        let path = path.as_ref();
        let Some(format) = options.format.or_else(|| ExportFormat::of_path(path)) else {
            return Err(Error::new(
                &shown_path(path),
                Cause::Format,
                bi(
                    "the name does not say which format to write",
                    "文件名未说明导出格式",
                ),
                bi(
                    "name it .jsonl, .csv or .xlsx",
                    "请使用 .jsonl、.csv 或 .xlsx",
                ),
            ));
        };
        let pending = Pending::create(path)?;
        let out = match format {
            ExportFormat::Jsonl => Out::Lines(pending),
            ExportFormat::Csv | ExportFormat::Xlsx => {
                let file =
                    tempfile::tempfile_in(pending.dir()).map_err(|e| write_error(path, e))?;
                Out::Table {
                    csv: (format == ExportFormat::Csv).then_some(pending),
                    spool: BufWriter::new(file),
                    kinds: BTreeMap::new(),
                }
            }
        };
        Ok(Exporter {
            path: path.to_owned(),
            options,
            out,
            records: 0,
            by_kind: BTreeMap::new(),
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// The file cannot be written; a record that a sheet cannot hold.
    pub fn write(&mut self, record: &Record) -> Result<(), Error> {
        let io = |e| write_error(&self.path, e);
        match &mut self.out {
            Out::Lines(out) => {
                let json = if !self.options.contact && record.contact().is_some() {
                    let mut open = record.clone();
                    open.take_contact();
                    serde_json::to_string(&open)
                } else {
                    serde_json::to_string(record)
                };
                let json = json.map_err(|e| io(e.into()))?;
                writeln!(out, "{json}").map_err(io)?;
            }
            Out::Table { csv, spool, kinds } => {
                let kind = record.kind();
                let columns = kinds.entry(kind).or_default();
                let width = if csv.is_some() {
                    usize::MAX
                } else {
                    CELL_UNITS
                };
                let free = |name: &str| {
                    columns.index.contains_key(&Key::Attribute(name.to_owned()))
                        || columns.attributes < ATTRIBUTE_COLUMNS
                };
                let cells = flatten(record, &self.options, free);
                let mut row: Vec<(usize, bool, String)> = Vec::with_capacity(cells.len());
                for (key, cell) in cells {
                    let at = match columns.index.get(&key) {
                        Some(i) => *i,
                        None => {
                            columns.attributes += usize::from(matches!(key, Key::Attribute(_)));
                            columns.keys.push((key.clone(), 1));
                            columns.index.insert(key, columns.keys.len() - 1);
                            columns.keys.len() - 1
                        }
                    };
                    let number = matches!(cell, Cell::Number(_));
                    let text = cell.text();
                    if width < usize::MAX {
                        let parts = pieces(&text, width).len();
                        columns.keys[at].1 = columns.keys[at].1.max(parts);
                    }
                    row.push((at, number, text));
                }
                let line = serde_json::to_string(&(kind, row)).map_err(|e| io(e.into()))?;
                writeln!(spool, "{line}").map_err(io)?;
            }
        }
        self.records += 1;
        *self.by_kind.entry(record.kind()).or_insert(0) += 1;
        Ok(())
    }

    /// Completes the file and puts it in its place.
    ///
    /// # Errors
    /// The file cannot be written, or not take its place.
    pub fn finish(self) -> Result<Exported, Error> {
        let path = match self.out {
            Out::Lines(out) => out.finish()?,
            Out::Table { csv, spool, kinds } => {
                let io = |e| write_error(&self.path, e);
                let mut file = spool.into_inner().map_err(|e| io(e.into_error()))?;
                file.rewind().map_err(io)?;
                match csv {
                    Some(out) => finish_csv(out, file, &kinds, &self.options, &self.path)?,
                    None => finish_xlsx(file, &kinds, &self.options, &self.path)?,
                }
            }
        };
        Ok(Exported {
            path,
            records: self.records,
            by_kind: self.by_kind,
        })
    }
}

type Line = (Kind, Vec<(usize, bool, String)>);

fn lines(file: &mut std::fs::File, path: &Path) -> impl Iterator<Item = Result<Line, Error>> {
    let path = path.to_owned();
    BufReader::new(file).lines().map(move |l| {
        let l = l.map_err(|e| write_error(&path, e))?;
        serde_json::from_str(&l).map_err(|e| write_error(&path, e.into()))
    })
}

/// Columns in the order people read them.
fn ordered(columns: &Columns) -> Vec<usize> {
    let mut order: Vec<usize> = (0..columns.keys.len()).collect();
    order.sort_by(|a, b| columns.keys[*a].0.cmp(&columns.keys[*b].0));
    order
}

fn finish_csv(
    mut out: Pending,
    mut file: std::fs::File,
    kinds: &BTreeMap<Kind, Columns>,
    options: &ExportOptions,
    path: &Path,
) -> Result<PathBuf, Error> {
    let io = |e| write_error(path, e);
    // Fields of several kinds that have the same header share a column.
    let mut headers: Vec<String> = Vec::new();
    let mut at: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (kind, columns) in kinds {
        let mut places = vec![0; columns.keys.len()];
        for i in ordered(columns) {
            let name = header_of(*kind, &columns.keys[i].0, options.lang);
            places[i] = *known.entry(name.clone()).or_insert_with(|| {
                headers.push(name);
                headers.len() - 1
            });
        }
        at.insert(*kind, places);
    }
    // The kind stands beside the id.
    let (kind_at, kind_name) = (1.min(headers.len()), kind_text::header(options.lang));
    let mut line: Vec<String> = headers.iter().map(|h| guard(h).into_owned()).collect();
    line.insert(kind_at, kind_name.to_owned());
    write!(out, "\u{feff}{}", csv_line(line.into_iter())).map_err(io)?;
    for row in lines(&mut file, path) {
        let (kind, cells) = row?;
        let mut line = vec![String::new(); headers.len()];
        for (i, _, text) in cells {
            if let Some(place) = at.get(&kind).and_then(|p| p.get(i)) {
                line[*place] = guard(&text).into_owned();
            }
        }
        line.insert(kind_at, kind_text::value(kind, options.lang).to_owned());
        out.write_all(csv_line(line.into_iter()).as_bytes())
            .map_err(io)?;
    }
    out.finish()
}

fn finish_xlsx(
    mut file: std::fs::File,
    kinds: &BTreeMap<Kind, Columns>,
    options: &ExportOptions,
    path: &Path,
) -> Result<PathBuf, Error> {
    let mut book = Book::create(path)?;
    for (kind, columns) in kinds {
        let order = ordered(columns);
        let mut header: Vec<String> = Vec::new();
        let mut places = vec![0; columns.keys.len()];
        for i in order {
            let (key, parts) = &columns.keys[i];
            let name = header_of(*kind, key, options.lang);
            places[i] = header.len();
            header.push(name.clone());
            header.extend((2..=*parts).map(|n| format!("{name}#{n}")));
        }
        // The sheet's name tells the kind, unless the columns would speak louder for another.
        let told = flat::tells_kind(*kind, &header);
        if !told {
            header.push(kind_text::header(options.lang).to_owned());
        }
        book.sheet(kind_text::sheet(*kind, options.lang))?;
        let names: Vec<Cell> = header.iter().map(|h| Cell::Text(h.clone())).collect();
        book.row(&names, true)?;
        file.rewind().map_err(|e| write_error(path, e))?;
        for row in lines(&mut file, path) {
            let (k, cells) = row?;
            if k != *kind {
                continue;
            }
            let mut line = vec![Cell::Empty; header.len()];
            for (i, number, text) in cells {
                let Some(place) = places.get(i) else { continue };
                match text.parse::<f64>() {
                    Ok(n) if number => line[*place] = Cell::Number(n),
                    _ => {
                        for (n, piece) in pieces(&text, CELL_UNITS).into_iter().enumerate() {
                            line[place + n] = Cell::Text(piece.to_owned());
                        }
                    }
                }
            }
            if !told && let Some(last) = line.last_mut() {
                *last = Cell::Text(kind_text::value(*kind, options.lang).to_owned());
            }
            book.row(&line, false)?;
        }
    }
    book.finish()
}

/// Cuts a text into pieces of at most `units` UTF-16 units; one piece at least.
fn pieces(text: &str, units: usize) -> Vec<&str> {
    if text.len() <= units {
        return vec![text];
    }
    let (mut out, mut start, mut n) = (Vec::new(), 0, 0);
    for (i, c) in text.char_indices() {
        if n + c.len_utf16() > units {
            out.push(&text[start..i]);
            (start, n) = (i, 0);
        }
        n += c.len_utf16();
    }
    out.push(&text[start..]);
    out
}
