//! Workbooks.
//!
//! The parser runs on a thread of its own and hands rows over a short queue: the sheet is never in
//! memory as a whole, parsing and checking go on side by side, and a parser that panics on a
//! malformed workbook ends that thread and becomes an error here (calamine 0.38 asserts in places,
//! for instance on a part name without a folder). Its table of shared strings is held in memory, as
//! the format allows a cell to name any of them at any time.

use super::{Event, Read, Reader, Row, unpack::damaged};
use crate::{Cause, Cell, Error, error::bi};
use calamine::{Cell as Found, DataRef, Reader as _, SheetType, SheetVisible, Xlsx};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Seek},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

/// Columns a sheet may have (Excel's own limit).
const COLUMNS: usize = 16_384;
/// Merged ranges that are looked at; more are a drawing, not a table.
const MERGES: usize = 100_000;

type Message = Result<Event, Error>;

/// Reads the visible sheets of a workbook, or one by name.
pub(super) struct Sheets {
    file: String,
    rows: Receiver<Message>,
    thread: Option<JoinHandle<()>>,
    done: Arc<AtomicU64>,
}

impl Sheets {
    pub(super) fn new(
        file: &str,
        path: &Path,
        bytes: File,
        sheet: Option<String>,
        limit: usize,
    ) -> Result<Self, Error> {
        let (send, rows) = sync_channel(256);
        let done = Arc::new(AtomicU64::new(0));
        let job = Job {
            file: file.to_owned(),
            sheet,
            limit,
            send,
            counts: Arc::default(),
        };
        let counter = Counter {
            file: bytes,
            done: Arc::clone(&done),
            counts: Arc::clone(&job.counts),
        };
        let thread = std::thread::Builder::new()
            .name(format!(
                "read {}",
                path.file_name()
                    .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
            ))
            .spawn(move || {
                if let Err(e) = job.run(counter) {
                    // Nobody listens any more when the reader was dropped.
                    let _ = job.send.send(Err(e));
                }
            })
            .map_err(|e| {
                Error::io(
                    file,
                    (
                        "cannot be read: no thread could be started",
                        "无法读取：无法启动线程",
                    ),
                    e,
                )
            })?;
        Ok(Sheets {
            file: file.to_owned(),
            rows,
            thread: Some(thread),
            done,
        })
    }
}

impl Reader for Sheets {
    fn next(&mut self) -> Option<Result<Event, Error>> {
        if let Ok(m) = self.rows.recv() {
            return Some(m);
        }
        // The thread has ended: well, or in a panic.
        match self.thread.take()?.join() {
            Ok(()) => None,
            Err(_) => Some(Err(damaged(&self.file, &"the parser gave up on it"))),
        }
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

struct Job {
    file: String,
    sheet: Option<String>,
    limit: usize,
    send: SyncSender<Message>,
    counts: Arc<AtomicBool>,
}

/// The receiver is gone, or the workbook is bad.
type Step = Result<(), Error>;

impl Job {
    fn run(&self, bytes: Counter) -> Step {
        let mut book: Xlsx<_> =
            Xlsx::new(BufReader::with_capacity(1 << 16, bytes)).map_err(|e| self.bad(&e))?;
        let sheets: Vec<(String, bool)> = book
            .sheets_metadata()
            .iter()
            .filter(|s| s.typ == SheetType::WorkSheet)
            .map(|s| (s.name.clone(), s.visible == SheetVisible::Visible))
            .collect();
        if let Some(wanted) = &self.sheet
            && !sheets.iter().any(|(n, _)| n == wanted)
        {
            let names: Vec<&str> = sheets.iter().map(|(n, _)| n.as_str()).collect();
            return Err(Error::new(
                &self.file,
                Cause::NoSheet,
                bi(
                    format!("there is no sheet `{wanted}`"),
                    format!("没有工作表“{wanted}”"),
                ),
                bi(
                    format!("the sheets are: {}", names.join(", ")),
                    format!("现有工作表：{}", names.join("、")),
                ),
            ));
        }
        for (name, visible) in sheets {
            match &self.sheet {
                Some(wanted) if *wanted != name => continue,
                None if !visible => {
                    self.tell(Ok(Event::Note(bi(
                        format!("sheet {name} is hidden and was left out"),
                        format!("工作表“{name}”为隐藏，已略过"),
                    ))));
                    continue;
                }
                _ => {}
            }
            if !self.tell(Ok(Event::Sheet(Some(name.clone())))) {
                return Ok(());
            }
            let merges = self.merges(&mut book, &name);
            self.counts.store(true, Ordering::Relaxed);
            let mut cells = book
                .worksheet_cells_reader(&name)
                .map_err(|e| self.bad(&e))?;
            let mut row = Building::new(merges);
            while let Some(cell) = cells.next_cell().map_err(|e| self.bad(&e))? {
                let (at, _) = cell.get_position();
                if at != row.index
                    && let Some(done) = row.end(at)
                    && !self.tell(Ok(Event::Row(done)))
                {
                    return Ok(());
                }
                self.take(&mut row, &cell)?;
            }
            if let Some(done) = row.end(0)
                && !self.tell(Ok(Event::Row(done)))
            {
                return Ok(());
            }
            self.counts.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// False when nobody listens any more.
    fn tell(&self, m: Message) -> bool {
        self.send.send(m).is_ok()
    }

    fn bad(&self, e: &calamine::XlsxError) -> Error {
        if matches!(e, calamine::XlsxError::Password) {
            return super::sniff::protected(&self.file);
        }
        damaged(&self.file, e)
    }

    /// Ranges of cells merged downwards: (first row, column) to the last row.
    fn merges(&self, book: &mut Xlsx<BufReader<Counter>>, name: &str) -> HashMap<(u32, u32), u32> {
        // Merges are a help for reading; a sheet whose merges are damaged is read without.
        let list = book.merge_cells_by_sheet_name(name).unwrap_or_default();
        list.into_iter()
            .take(MERGES)
            .filter(|d| d.end.0 > d.start.0)
            .map(|d| (d.start, d.end.0))
            .collect()
    }

    fn take(&self, row: &mut Building, cell: &Found<DataRef<'_>>) -> Step {
        let (at, column) = cell.get_position();
        if column as usize >= COLUMNS {
            return Err(damaged(
                &self.file,
                &format!("row {} has more than {COLUMNS} columns", u64::from(at) + 1),
            ));
        }
        let value = convert(cell.get_value());
        if let Cell::Text(t) = &value
            && t.len() > self.limit
        {
            return Err(Error::new(
                &self.file,
                Cause::TooLarge,
                bi(
                    format!("a cell of row {} is longer than 10 MB", u64::from(at) + 1),
                    format!("第 {} 行有单元格超过 10 MB", u64::from(at) + 1),
                ),
                bi("split the text", "请拆分文本"),
            ));
        }
        row.put(at, column, value);
        Ok(())
    }
}

/// A row that is being put together, and the merged cells that reach into it.
struct Building {
    index: u32,
    cells: Vec<Cell>,
    merges: HashMap<(u32, u32), u32>,
    /// Column → value and last row.
    running: HashMap<u32, (Cell, u32)>,
}

impl Building {
    fn new(merges: HashMap<(u32, u32), u32>) -> Self {
        Building {
            index: 0,
            cells: Vec::new(),
            merges,
            running: HashMap::new(),
        }
    }

    fn put(&mut self, row: u32, column: u32, value: Cell) {
        if value == Cell::Empty {
            return;
        }
        if let Some(last) = self.merges.get(&(row, column)) {
            self.running.insert(column, (value.clone(), *last));
        }
        let i = column as usize;
        if self.cells.len() <= i {
            self.cells.resize(i + 1, Cell::Empty);
        }
        self.cells[i] = value;
    }

    /// Ends the row and begins the one at `next`. `None` when it has no cells of its own.
    fn end(&mut self, next: u32) -> Option<Row> {
        let index = self.index;
        self.index = next;
        let mut cells = std::mem::take(&mut self.cells);
        if cells.iter().all(Cell::is_blank) {
            return None;
        }
        self.running.retain(|_, (_, last)| *last >= index);
        // A value merged over several rows holds for each of them.
        for (column, (value, _)) in &self.running {
            let i = *column as usize;
            if cells.len() <= i {
                cells.resize(i + 1, Cell::Empty);
            }
            if cells[i].is_blank() {
                cells[i] = value.clone();
            }
        }
        Some(Row {
            row: u64::from(index) + 1,
            line: None,
            body: Read::Cells(cells),
        })
    }
}

fn convert(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(s) if s.is_empty() => Cell::Empty,
        DataRef::SharedString("") => Cell::Empty,
        DataRef::String(s) => Cell::Text(s.clone()),
        DataRef::SharedString(s) => Cell::Text((*s).to_owned()),
        DataRef::Int(i) => Cell::Number(*i as f64),
        DataRef::Float(f) if f.is_finite() => Cell::Number(*f),
        DataRef::Float(f) => Cell::Text(f.to_string()),
        DataRef::Bool(b) => Cell::Bool(*b),
        DataRef::DateTime(d) if d.is_datetime() && d.as_f64().is_finite() => Cell::Date(d.as_f64()),
        DataRef::DateTime(d) => Cell::Number(d.as_f64()),
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => Cell::Text(s.clone()),
        DataRef::Error(e) => Cell::Error(e.to_string()),
    }
}

/// Counts how far into the file the parser has come.
struct Counter {
    file: File,
    done: Arc<AtomicU64>,
    /// Only the pass that gives rows counts: before it the parser reads tables of its own.
    counts: Arc<AtomicBool>,
}

impl io::Read for Counter {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        if self.counts.load(Ordering::Relaxed) {
            self.done.fetch_add(n as u64, Ordering::Relaxed);
        }
        Ok(n)
    }
}

impl Seek for Counter {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
