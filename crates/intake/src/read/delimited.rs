//! csv and tsv.
//!
//! The reader is our own because a report must name the line and the spreadsheet row of every
//! record, and because an unclosed quote must stop at the line that opened it instead of eating the
//! rest of the file. Quoting is RFC 4180, read leniently; a test holds it against the `csv` crate.

use super::{
    Event, Read, Reader, Row,
    lines::{LineEnd, Lines},
};
use crate::{Cause, Cell, Error, columns::header_score, error::bi, output};
use std::collections::VecDeque;

/// Puts the lines of one record together.
#[derive(Default)]
struct Assembler {
    fields: Vec<String>,
    current: String,
    quoted: bool,
    bytes: usize,
}

impl Assembler {
    /// Takes a line; true when the record is complete. `closes` is asked whether a quote that the
    /// line leaves open closes on a later line.
    fn feed(&mut self, line: &str, delimiter: char, mut closes: impl FnMut() -> bool) -> bool {
        self.bytes += line.len() + 1;
        let mut rest = line;
        if self.quoted {
            self.current.push('\n');
        }
        loop {
            if self.quoted {
                match rest.find('"') {
                    None => {
                        self.current.push_str(rest);
                        return false;
                    }
                    Some(i) => {
                        self.current.push_str(&rest[..i]);
                        rest = &rest[i + 1..];
                        if let Some(tail) = rest.strip_prefix('"') {
                            self.current.push('"');
                            rest = tail;
                            continue;
                        }
                        self.quoted = false;
                    }
                }
            } else if self.current.is_empty()
                && let Some(tail) = rest.strip_prefix('"')
                && (delimiter != '\t' || closes_here(tail, delimiter) || closes())
            {
                self.quoted = true;
                rest = tail;
                continue;
            }
            // Outside quotes: up to the delimiter.
            match rest.find(delimiter) {
                Some(i) => {
                    self.current.push_str(&rest[..i]);
                    self.fields.push(std::mem::take(&mut self.current));
                    rest = &rest[i + 1..];
                }
                None => {
                    self.current.push_str(rest);
                    self.fields.push(std::mem::take(&mut self.current));
                    return true;
                }
            }
        }
    }

    fn take(&mut self) -> Vec<String> {
        self.bytes = 0;
        std::mem::take(&mut self.fields)
    }
}

/// True when a quoted field that begins before `tail` ends on this line, before a delimiter or the
/// line's end.
fn closes_here(tail: &str, delimiter: char) -> bool {
    let mut rest = tail;
    while let Some(i) = rest.find('"') {
        rest = &rest[i + 1..];
        match rest.strip_prefix('"') {
            Some(t) => rest = t,
            None => return rest.is_empty() || rest.starts_with(delimiter),
        }
    }
    false
}

/// Lines ahead of the parser: read for a look, not yet parsed.
struct Ahead {
    lines: Lines,
    queue: VecDeque<(String, u64)>,
    failed: Option<Error>,
    ended: bool,
}

/// How far a tab-separated file is searched for the end of a quote.
const LOOK: usize = 200;

impl Ahead {
    /// Reads one more line into the queue; false at the end.
    fn pull(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let mut line = String::new();
        match self.lines.next(&mut line) {
            Ok(LineEnd::Line) => {
                self.queue.push_back((line, self.lines.number));
                return true;
            }
            Ok(LineEnd::End) => {}
            Ok(LineEnd::TooLong) => {
                self.failed = Some(too_large("", self.lines.number));
            }
            Err(e) => self.failed = Some(e),
        }
        self.ended = true;
        false
    }

    fn next(&mut self) -> Option<Result<(String, u64), Error>> {
        if self.queue.is_empty() {
            self.pull();
        }
        match self.queue.pop_front() {
            Some(l) => Some(Ok(l)),
            None => self.failed.take().map(Err),
        }
    }

    /// True when one of the next lines closes a quote of a tab-separated file.
    fn closes(&mut self) -> bool {
        for i in 0..LOOK {
            if i >= self.queue.len() && !self.pull() {
                return false;
            }
            if let Some((line, _)) = self.queue.get(i)
                && line.contains('"')
            {
                return closes_here(line, '\t');
            }
        }
        false
    }
}

fn too_large(file: &str, line: u64) -> Error {
    Error::new(
        file,
        Cause::TooLarge,
        bi(
            format!("the row that begins on line {line} is longer than 10 MB"),
            format!("第 {line} 行开始的一行超过 10 MB"),
        ),
        bi(
            "look for a quote that is opened there and never closed, or split the text",
            "请检查该处是否有未闭合的引号，或拆分文本",
        ),
    )
}

/// Reads a csv or tsv file.
pub(super) struct Delimited {
    file: String,
    ahead: Ahead,
    delimiter: char,
    limit: usize,
    begun: bool,
    over: bool,
    row: u64,
}

impl Delimited {
    /// Takes the file's lines; the delimiter is the one of `,` `;` and tab under which the first
    /// rows look most like a table. `tab_first` breaks a tie.
    pub(super) fn new(
        file: &str,
        lines: Lines,
        limit: usize,
        tab_first: bool,
    ) -> Result<Self, Error> {
        let mut ahead = Ahead {
            lines,
            queue: VecDeque::new(),
            failed: None,
            ended: false,
        };
        let mut bytes = 0;
        while bytes < 1 << 16 && ahead.queue.len() < 60 && ahead.pull() {
            bytes += ahead.queue.back().map_or(0, |l| l.0.len());
        }
        let sample: Vec<&str> = ahead.queue.iter().map(|(l, _)| l.as_str()).collect();
        let order = if tab_first {
            ['\t', ',', ';']
        } else {
            [',', '\t', ';']
        };
        let mut best = (order[0], (0, 0, 0));
        for d in order {
            let score = score(&sample, d);
            if score > best.1 {
                best = (d, score);
            }
        }
        Ok(Delimited {
            file: file.to_owned(),
            ahead,
            delimiter: best.0,
            limit,
            begun: false,
            over: false,
            row: 0,
        })
    }

    pub(super) fn delimiter(&self) -> char {
        self.delimiter
    }

    fn row(&mut self) -> Option<Result<Event, Error>> {
        let mut record = Assembler::default();
        let mut first = None;
        loop {
            let (line, number) = match self.ahead.next() {
                Some(Ok(l)) => l,
                Some(Err(mut e)) => {
                    e.file.clone_from(&self.file);
                    return Some(Err(e));
                }
                None => {
                    let opened = first?;
                    return Some(Err(Error::new(
                        &self.file,
                        Cause::Damaged,
                        bi(
                            format!(
                                "a quote opened in the row that begins on line {opened} is never closed"
                            ),
                            format!("第 {opened} 行开始的一行中，引号未闭合"),
                        ),
                        bi(
                            "close the quote, or write a quote inside a quoted cell twice (\"\")",
                            "请补上引号；引号内的引号应写作两个（\"\"）",
                        ),
                    )));
                }
            };
            if first.is_none() && line.trim().is_empty() && !line.contains(self.delimiter) {
                self.row += 1;
                continue;
            }
            let begun = *first.get_or_insert(number);
            let ahead = &mut self.ahead;
            if record.feed(&line, self.delimiter, || ahead.closes()) {
                self.row += 1;
                let tsv = self.delimiter == '\t';
                let cells = record.take().into_iter().map(|f| cell(f, tsv)).collect();
                return Some(Ok(Event::Row(Row {
                    row: self.row,
                    line: Some(begun),
                    body: Read::Cells(cells),
                })));
            }
            if record.bytes > self.limit {
                return Some(Err(too_large(&self.file, begun)));
            }
        }
    }
}

impl Reader for Delimited {
    fn next(&mut self) -> Option<Result<Event, Error>> {
        if self.over {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(Ok(Event::Sheet(None)));
        }
        let next = self.row();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }

    fn done(&self) -> u64 {
        self.ahead.lines.done
    }
}

/// A field as a cell: without the `'` that guards a formula, and in a tab-separated file with `\n`
/// read as a line break unless it begins a word (`\nu`).
fn cell(field: String, tsv: bool) -> Cell {
    if field.is_empty() {
        return Cell::Empty;
    }
    let field = output::unguard(field);
    Cell::Text(if tsv && field.contains("\\n") {
        line_breaks(&field)
    } else {
        field
    })
}

fn line_breaks(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut rest = s;
    while let Some(i) = rest.find("\\n") {
        let tail = &rest[i + 2..];
        if tail.starts_with(|c: char| c.is_ascii_lowercase()) {
            out.push_str(&rest[..i + 2]);
        } else {
            out.push_str(rest[..i].strip_suffix("\\r").unwrap_or(&rest[..i]));
            out.push('\n');
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// How much a sample looks like a table under a delimiter: known column names in one row, rows as
/// wide as that row, columns.
fn score(sample: &[&str], delimiter: char) -> (usize, usize, usize) {
    let mut record = Assembler::default();
    let mut rows = Vec::new();
    for (i, line) in sample.iter().enumerate() {
        let later = |n: usize| {
            sample[n..]
                .iter()
                .find(|l| l.contains('"'))
                .is_some_and(|l| closes_here(l, delimiter))
        };
        if record.feed(line, delimiter, || later(i + 1)) {
            rows.push(record.take());
        }
    }
    let known = rows
        .iter()
        .take(10)
        .map(|r| (header_score(r.iter().map(String::as_str), None), r.len()))
        .max_by_key(|(known, _)| *known)
        .unwrap_or_default();
    let width = known.1.max(1);
    let same = if width > 1 {
        rows.iter().filter(|r| r.len() == width).count()
    } else {
        0
    };
    (known.0, same, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_8;
    use proptest::prelude::*;

    fn read(text: &str, tsv: bool) -> Result<Vec<(u64, u64, Vec<String>)>, String> {
        let lines = Lines::new(
            "f",
            Box::new(std::io::Cursor::new(text.to_owned().into_bytes())),
            UTF_8,
            1000,
        );
        let mut r = Delimited::new("f", lines, 1000, tsv).map_err(|e| e.problem.en)?;
        let mut out = Vec::new();
        while let Some(e) = r.next() {
            if let Event::Row(Row {
                row,
                line,
                body: Read::Cells(c),
            }) = e.map_err(|e| e.problem.en)?
            {
                out.push((row, line.unwrap_or(0), c.iter().map(Cell::text).collect()));
            }
        }
        Ok(out)
    }

    fn cells(text: &str, tsv: bool) -> Vec<Vec<String>> {
        read(text, tsv).unwrap().into_iter().map(|r| r.2).collect()
    }

    #[test]
    fn rows_know_their_row_and_line() {
        let rows = read("id,标题\n\n1,\"a\nb\"\n2,c\n", false).unwrap();
        let at: Vec<(u64, u64)> = rows.iter().map(|r| (r.0, r.1)).collect();
        assert_eq!(at, [(1, 1), (3, 3), (4, 5)]);
        assert_eq!(rows[1].2, ["1", "a\nb"]);
    }

    #[test]
    fn the_delimiter_is_found() {
        assert_eq!(cells("编号;标题\n1;a,b\n", false)[1], ["1", "a,b"]);
        assert_eq!(cells("编号\t标题\n1\ta,b\n", false)[1], ["1", "a,b"]);
        assert_eq!(cells("编号,标题\n1,a;b\n", true)[1], ["1", "a;b"]);
        assert_eq!(cells("甲;乙;丙\n1;2;3\n4;5;6", false)[1], ["1", "2", "3"]);
    }

    #[test]
    fn quotes() {
        assert_eq!(
            cells("id,title\n1,\"a,\"\"b\"\"\"\n", false)[1],
            ["1", "a,\"b\""]
        );
        assert_eq!(cells("id,title\n1,5\" 管\n", false)[1], ["1", "5\" 管"]);
        assert_eq!(cells("id,title\n1,\"高\"性能\n", false)[1], ["1", "高性能"]);
        assert!(
            read("id,title\n1,\"open\n2,b\n", false)
                .unwrap_err()
                .contains("line 2 is never closed")
        );
        // Tab-separated files seldom quote: a quote that closes nowhere is a quote.
        assert_eq!(
            cells("id\ttitle\n1\t\"高\"性能\n2\t\"open\n3\tx\n", true)[2],
            ["2", "\"open"]
        );
        assert_eq!(cells("id\ttitle\n1\t\"a\nb\"\n", true)[1], ["1", "a\nb"]);
    }

    #[test]
    fn escapes_and_guards() {
        assert_eq!(
            cells("id\ttext\n1\t甲\\n    乙\\nu\\r\\n丙\n", true)[1],
            ["1", "甲\n    乙\\nu\n丙"]
        );
        assert_eq!(cells("id,text\n1,甲\\n乙\n", false)[1], ["1", "甲\\n乙"]);
        assert_eq!(cells("id,text\n1,'=1+1\n", false)[1], ["1", "=1+1"]);
    }

    #[test]
    fn a_row_has_a_limit() {
        let text = format!("id,title\n1,\"{}", "长长\n".repeat(400));
        assert!(read(&text, false).unwrap_err().contains("line 2 is longer"));
    }

    proptest! {
        #[test]
        fn as_the_csv_crate_reads(rows in proptest::collection::vec(proptest::collection::vec("[a甲,\";\n\t ]{0,6}", 3), 1..6)) {
            let mut w = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(vec![]);
            w.write_record(["id", "title", "text"]).unwrap();
            for r in &rows {
                w.write_record(r).unwrap();
            }
            let text = String::from_utf8(w.into_inner().unwrap()).unwrap();
            let read = cells(&text, false);
            prop_assert_eq!(&read[1..], &rows[..]);
        }

        #[test]
        fn no_text_panics(text in "[a,\";\t\n\r甲]{0,80}", tsv: bool) {
            let _ = read(&text, tsv);
        }
    }
}
