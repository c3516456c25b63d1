//! Lines of bounded length, without a copy.

use super::{LONGEST_LINE, Source};
use crate::{
    error::{Cause, Error},
    lang::Text,
};
use std::io::Read;

/// Bytes asked of the file at a time.
const BLOCK: usize = 1 << 18;

/// Reads lines that end in `\n` or `\r\n`. Holds at most [`LONGEST_LINE`] and a block.
pub(crate) struct Lines {
    source: Source,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    number: u64,
}

impl Lines {
    pub(crate) fn new(source: Source) -> Self {
        Lines {
            source,
            buffer: vec![0; BLOCK],
            start: 0,
            end: 0,
            ended: false,
            number: 0,
        }
    }

    /// The name of the file.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// The next line and its number from 1; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(&[u8], u64)>, Error> {
        let mut searched = self.start;
        loop {
            let tail = self.buffer.get(searched..self.end).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', tail) {
                let (from, to) = (self.start, searched + at);
                self.start = to + 1;
                return Ok(Some(self.line(from, to)));
            }
            searched = self.end;
            if self.ended {
                let (from, to) = (self.start, self.end);
                self.start = to;
                return Ok((from < to).then(|| self.line(from, to)));
            }
            if self.end - self.start > LONGEST_LINE {
                return Err(too_long(self.number + 1).in_file(&self.source.name));
            }
            searched -= self.start;
            self.fill()?;
        }
    }

    fn line(&mut self, from: usize, to: usize) -> (&[u8], u64) {
        self.number += 1;
        let line = self.buffer.get(from..to).unwrap_or_default();
        (line.strip_suffix(b"\r").unwrap_or(line), self.number)
    }

    /// Moves what is left to the front and reads on.
    fn fill(&mut self) -> Result<(), Error> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + BLOCK {
            self.buffer.resize(self.end + BLOCK, 0);
        }
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.bytes.read(room) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::io(&self.source.name, e).at(self.number + 1)),
            }
            return Ok(());
        }
    }

    /// Without taking anything, the first byte that is no white space; none in an empty file.
    pub(crate) fn first_byte(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let seen = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(b) = seen.iter().find(|b| !b.is_ascii_whitespace()) {
                return Ok(Some(*b));
            }
            if self.ended {
                return Ok(None);
            }
            if self.end - self.start > LONGEST_LINE {
                return Err(too_long(1).in_file(&self.source.name));
            }
            self.fill()?;
        }
    }

    /// What has not been taken yet, as it stands in memory; it grows by reading on. `None` where
    /// the file has no more.
    pub(crate) fn more(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.ended || self.end - self.start > LONGEST_LINE {
            return Ok(None);
        }
        self.fill()?;
        Ok(self.buffer.get(self.start..self.end))
    }

    /// What is in memory and not taken yet.
    pub(crate) fn ahead(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// All bytes that were not taken, as a reader.
    pub(crate) fn into_reader(self) -> (String, impl Read) {
        let ahead = self.ahead().to_vec();
        (
            self.source.name,
            std::io::Cursor::new(ahead).chain(self.source.bytes),
        )
    }
}

/// A line longer than is read.
pub(super) fn too_long(line: u64) -> Error {
    let mib = LONGEST_LINE >> 20;
    Error::new(
        Cause::TooLong,
        Text::new(
            format!("longer than {mib} MiB without a line end"),
            format!("超过 {mib} MiB 仍无换行"),
        ),
        Text::new(
            "check that this is a run or a qrels file with one judgement or document a line",
            "请确认该文件是每行一条的 run 或 qrels 文件",
        ),
    )
    .at(line)
}
