//! A file as a stream of rows, each with what became of it.

mod objects;
mod seen;
mod table;

use crate::{
    Cause, Error, Format, ImportOptions, Issue, Note, Place, RawRow, RowOutcome, RowResult,
    SheetReport,
    assemble::Memo,
    columns::{kind_of_name, recognised_columns},
    error::{bi, shown_path},
    issue::shown_value,
    read::{self, Event, Read, Reader, Row},
    rows::Body,
    values::Refusal,
};
use objects::Objects;
use queqiao_domain::{Bilingual, CheckedRecord, Kind};
use seen::Seen;
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};
use table::{Search, Table};

/// How far a file has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A file being read: an iterator over its rows. After an error nothing more comes.
pub struct Source {
    path: PathBuf,
    file: String,
    format: Format,
    encoding: Option<&'static str>,
    bytes: u64,
    reader: Box<dyn Reader>,
    context: Context,
    state: State,
    ready: VecDeque<RowOutcome>,
    over: bool,
}

/// What rows are judged by and what is learnt on the way.
struct Context {
    file: String,
    options: ImportOptions,
    /// The kind that the file's name speaks of.
    named: Option<Kind>,
    seen: Seen,
    memo: Memo,
    sheets: Vec<SheetReport>,
    notes: Vec<Note>,
    notes_left_out: u64,
    /// Tables in which columns were recognised.
    recognised: usize,
    /// Column names of the first table in which none was.
    strangers: Option<Vec<String>>,
}

enum State {
    Before,
    Searching(Search),
    Reading(Box<Table>),
    Skipping,
    Objects(Objects),
}

/// Notes kept in full; the rest is counted.
const NOTES: usize = 1000;

impl Source {
    /// Opens a file. The format follows from its extension and, where that lies, from its content.
    ///
    /// # Errors
    /// A file that is missing, of an unknown format, damaged, or larger than the limits.
    pub fn open(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Source, Error> {
        let path = path.as_ref();
        let file = shown_path(path);
        let opened = read::open(path, options)?;
        let stem = path
            .file_stem()
            .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        Ok(Source {
            path: path.to_owned(),
            format: opened.format,
            encoding: opened.encoding,
            bytes: opened.bytes,
            reader: opened.reader,
            context: Context {
                file: file.clone(),
                options: options.clone(),
                named: kind_of_name(&stem),
                seen: Seen::default(),
                memo: Memo::default(),
                sheets: Vec::new(),
                notes: Vec::new(),
                notes_left_out: 0,
                recognised: 0,
                strangers: None,
            },
            file,
            state: State::Before,
            ready: VecDeque::new(),
            over: false,
        })
    }

    /// The file, as it was named when opened.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the file is laid out.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The encoding of a text file.
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }

    /// How far the file has been read.
    pub fn progress(&self) -> Progress {
        Progress {
            done: if self.over {
                self.bytes
            } else {
                self.reader.done().min(self.bytes)
            },
            total: self.bytes,
        }
    }

    /// What the columns of the tables met so far are used for.
    pub fn sheets(&self) -> &[SheetReport] {
        &self.context.sheets
    }

    /// Things worth telling that are no errors: sheets and rows left out.
    pub fn notes(&self) -> &[Note] {
        &self.context.notes
    }

    pub(crate) fn notes_left_out(&self) -> u64 {
        self.context.notes_left_out
    }

    fn advance(&mut self) -> Option<Result<RowOutcome, Error>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(Ok(row));
            }
            if self.over {
                return None;
            }
            let step = match self.reader.next() {
                None => {
                    self.over = true;
                    self.end_search()
                        .and_then(|()| self.context.judge_the_whole())
                }
                Some(Err(e)) => Err(e),
                Some(Ok(event)) => self.meet(event),
            };
            if let Err(e) = step {
                self.over = true;
                self.ready.clear();
                return Some(Err(e));
            }
        }
    }

    fn meet(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Note(text) => self.context.note(None, text),
            Event::Sheet(name) => {
                self.end_search()?;
                self.state = State::Searching(Search::new(name));
            }
            Event::Row(Row {
                row,
                line,
                body: Read::Cells(cells),
            }) => match &mut self.state {
                State::Searching(s) => {
                    if s.add(row, line, cells) {
                        self.end_search()?;
                    }
                }
                State::Reading(t) => {
                    let strict = self.format != Format::Xlsx;
                    self.ready
                        .extend(t.row(&mut self.context, row, line, cells, strict));
                }
                State::Before | State::Skipping | State::Objects(_) => {}
            },
            Event::Row(row) => {
                if !matches!(self.state, State::Objects(_)) {
                    self.context.recognised += 1;
                    self.state = State::Objects(Objects::default());
                }
                if let State::Objects(o) = &mut self.state {
                    self.ready.push_back(o.row(&mut self.context, row));
                }
            }
        }
        Ok(())
    }

    /// Finds the header among the rows collected, and reads those after it.
    fn end_search(&mut self) -> Result<(), Error> {
        let State::Searching(search) = std::mem::replace(&mut self.state, State::Skipping) else {
            return Ok(());
        };
        if let Some((mut table, rows)) = search.decide(&mut self.context)? {
            let strict = self.format != Format::Xlsx;
            for (row, line, cells) in rows {
                self.ready
                    .extend(table.row(&mut self.context, row, line, cells, strict));
            }
            self.state = State::Reading(Box::new(table));
        }
        Ok(())
    }
}

impl Iterator for Source {
    type Item = Result<RowOutcome, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance()
    }
}

impl Context {
    fn place(&self, sheet: Option<&str>, row: u64, line: Option<u64>) -> Place {
        Place {
            file: self.file.clone(),
            sheet: sheet.map(str::to_owned),
            row,
            line,
        }
    }

    fn note(&mut self, place: Option<Place>, text: Bilingual) {
        if self.notes.len() < NOTES {
            self.notes.push(Note { place, text });
        } else {
            self.notes_left_out += 1;
        }
    }

    /// What becomes of a row whose record is judged: kept, seen before, or bad.
    fn outcome(
        &mut self,
        place: Place,
        judged: Result<CheckedRecord, Vec<Issue>>,
        body: Body,
    ) -> RowOutcome {
        let result = match judged {
            Err(issues) => RowResult::Bad(issues),
            Ok(record) => self.seen.judge(record, &place),
        };
        RowOutcome {
            place,
            result,
            raw: RawRow { body },
        }
    }

    fn judge_the_whole(&self) -> Result<(), Error> {
        if self.recognised > 0 {
            return Ok(());
        }
        match &self.strangers {
            Some(names) => Err(self.no_columns(names)),
            None => Err(Error::new(
                &self.file,
                Cause::Empty,
                bi("the file holds no rows", "文件没有任何行"),
                bi(
                    "give a header row and at least one row below it",
                    "请给出表头和至少一行数据",
                ),
            )),
        }
    }

    fn no_columns(&self, names: &[String]) -> Error {
        let found: Vec<String> = names
            .iter()
            .filter(|n| !n.trim().is_empty())
            .take(12)
            .map(|n| shown_value(n, false))
            .collect();
        let kinds: Vec<Kind> = self
            .options
            .kind
            .map_or_else(|| Kind::ALL.to_vec(), |k| vec![k]);
        let most = if kinds.len() == 1 { 12 } else { 3 };
        let list = |zh: bool| {
            kinds
                .iter()
                .map(|k| {
                    let names: Vec<&str> = recognised_columns(*k)
                        .iter()
                        .filter(|c| c.field != "id")
                        .take(most)
                        .map(|c| {
                            if zh {
                                c.zh
                            } else {
                                c.names
                                    .iter()
                                    .find(|n| n.is_ascii())
                                    .copied()
                                    .unwrap_or(c.zh)
                            }
                        })
                        .collect();
                    let name = if zh { k.zh() } else { k.as_str() };
                    format!("{name}: {}", names.join(", "))
                })
                .collect::<Vec<_>>()
                .join("; ")
        };
        Error::new(
            &self.file,
            Cause::NoColumns,
            bi(
                format!(
                    "no column that could carry a record has a known name; found: {}",
                    found.join(", ")
                ),
                format!("没有可识别的内容列；表中有：{}", found.join("、")),
            ),
            bi(
                format!(
                    "name the columns in Chinese or English, such as {} ({})",
                    list(false),
                    list(true)
                ),
                format!("请用可识别的列名，如 {}", list(true)),
            ),
        )
    }

    fn no_kind(&self, sheet: Option<&str>, names: &[String]) -> Error {
        let shown: Vec<String> = names
            .iter()
            .filter(|n| !n.trim().is_empty())
            .take(8)
            .map(|n| shown_value(n, false))
            .collect();
        let shown = shown.join(", ");
        let at = sheet.map_or_else(String::new, |s| format!(" ({s})"));
        Error::new(
            &self.file,
            Cause::NoKind,
            bi(
                format!(
                    "nothing says what kind of records these are{at}: neither the names of file and sheet nor the columns {shown}"
                ),
                format!("无法判断记录类型{at}：文件名、工作表名和列名（{shown}）均未说明"),
            ),
            no_kind_advice(),
        )
    }
}

fn no_kind_advice() -> Bilingual {
    let names = Kind::ALL.map(Kind::as_str).join("|");
    bi(
        format!("pass --kind {names}, or add a column `kind`"),
        format!("请指定 --kind {names}，或增加“记录类型”列"),
    )
}

/// An issue about a row as a whole.
fn row_issue(place: &Place, r: Refusal) -> Issue {
    Issue {
        place: place.clone(),
        column: None,
        field: None,
        value: String::new(),
        problem: r.problem,
        expected: r.expected,
    }
}
