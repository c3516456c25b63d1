//! Lines of a text file, decoded strictly.

use super::encoding::{read_some, undecodable};
use crate::Error;
use encoding_rs::{Decoder, DecoderResult, Encoding};
use std::io::Read;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// It was read.
    Line,
    /// It is longer than allowed; only its beginning was kept.
    TooLong,
    /// There is none.
    End,
}

/// A reader of lines: ends of `\n`, `\r\n` and `\r` alike, never longer than the limit, every byte
/// valid in the file's encoding.
pub(super) struct Lines {
    file: String,
    bytes: Box<dyn Read + Send>,
    decoder: Decoder,
    encoding: &'static str,
    raw: Vec<u8>,
    text: String,
    at: usize,
    ended: bool,
    limit: usize,
    /// The number of the last line read, from 1.
    pub(super) number: u64,
    /// Bytes read.
    pub(super) done: u64,
}

impl Lines {
    pub(super) fn new(
        file: &str,
        bytes: Box<dyn Read + Send>,
        encoding: &'static Encoding,
        limit: usize,
    ) -> Self {
        Lines {
            file: file.to_owned(),
            bytes,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding: super::encoding::name(encoding),
            raw: vec![0; 1 << 16],
            text: String::new(),
            at: 0,
            ended: false,
            limit,
            number: 0,
            done: 0,
        }
    }

    /// Reads the next line into `out`, which is cleared first.
    pub(super) fn next(&mut self, out: &mut String) -> Result<LineEnd, Error> {
        out.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let rest = &self.text[self.at..];
            let end = rest.bytes().position(|b| b == b'\n' || b == b'\r');
            // After a last `\r` a `\n` may follow.
            let cut = end
                .is_some_and(|e| rest.as_bytes()[e] == b'\r' && e + 1 == rest.len() && !self.ended);
            let take = end.unwrap_or(rest.len());
            if !too_long {
                if out.len() + take > self.limit {
                    too_long = true;
                    let mut room = self.limit.saturating_sub(out.len()).min(take);
                    while !rest.is_char_boundary(room) {
                        room -= 1;
                    }
                    out.push_str(&rest[..room]);
                } else {
                    out.push_str(&rest[..take]);
                }
            }
            any |= take > 0;
            match end {
                Some(e) if !cut => {
                    let crlf = rest[e..].starts_with("\r\n");
                    self.at += e + 1 + usize::from(crlf);
                    self.number += 1;
                    return Ok(if too_long {
                        LineEnd::TooLong
                    } else {
                        LineEnd::Line
                    });
                }
                _ => self.at += take,
            }
            if self.ended {
                if !any {
                    return Ok(LineEnd::End);
                }
                self.number += 1;
                return Ok(if too_long {
                    LineEnd::TooLong
                } else {
                    LineEnd::Line
                });
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Error> {
        self.text.drain(..self.at);
        self.at = 0;
        let n = read_some(&mut self.bytes, &mut self.raw)
            .map_err(|e| Error::io(&self.file, ("cannot be read", "无法读取"), e))?;
        self.done += n as u64;
        self.ended = n < self.raw.len();
        let mut src = &self.raw[..n];
        loop {
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(src.len())
                .unwrap_or(1 << 18);
            self.text.reserve(room);
            let (result, read) =
                self.decoder
                    .decode_to_string_without_replacement(src, &mut self.text, self.ended);
            src = &src[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let lines = self.text.bytes().filter(|b| *b == b'\n').count() as u64;
                    return Err(undecodable(
                        &self.file,
                        self.encoding,
                        self.number + lines + 1,
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{UTF_8, UTF_16LE};
    use proptest::prelude::*;

    fn lines(bytes: &[u8], limit: usize) -> Result<Vec<String>, String> {
        let mut l = Lines::new(
            "f",
            Box::new(std::io::Cursor::new(bytes.to_vec())),
            UTF_8,
            limit,
        );
        let (mut out, mut line) = (Vec::new(), String::new());
        loop {
            match l.next(&mut line).map_err(|e| e.problem.en)? {
                LineEnd::End => return Ok(out),
                LineEnd::Line => out.push(line.clone()),
                LineEnd::TooLong => out.push(format!("{line}…")),
            }
        }
    }

    #[test]
    fn every_line_end_counts_once() {
        assert_eq!(
            lines(b"a\nb\r\nc\rd", 99),
            Ok(vec!["a".into(), "b".into(), "c".into(), "d".into()])
        );
        assert_eq!(lines(b"a\n\n", 99), Ok(vec!["a".into(), String::new()]));
        assert_eq!(lines(b"", 99), Ok(vec![]));
        assert_eq!(lines("\u{feff}甲".as_bytes(), 99), Ok(vec!["甲".into()]));
        assert_eq!(
            lines("甲乙丙\n丁".as_bytes(), 4),
            Ok(vec!["甲…".into(), "丁".into()])
        );
        assert!(
            lines(b"ok\nbad \xff", 99)
                .unwrap_err()
                .starts_with("line 2")
        );
    }

    #[test]
    fn line_ends_across_chunks() {
        let mut bytes = vec![b'x'; (1 << 16) - 1];
        bytes.extend(b"\r\ny");
        assert_eq!(lines(&bytes, 1 << 20).map(|l| l.len()), Ok(2));
        let mut bytes = vec![b'x'; (1 << 16) - 1];
        bytes.push(b'\r');
        assert_eq!(lines(&bytes, 1 << 20).map(|l| l.len()), Ok(1));
    }

    proptest! {
        #[test]
        fn as_the_standard_library_splits(text in "[a甲\n ]{0,200}") {
            prop_assert_eq!(lines(text.as_bytes(), 1000), Ok(text.lines().map(str::to_owned).collect()));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = lines(&bytes, 10);
            let mut l = Lines::new("f", Box::new(std::io::Cursor::new(bytes)), UTF_16LE, 10);
            let mut line = String::new();
            while matches!(l.next(&mut line), Ok(LineEnd::Line | LineEnd::TooLong)) {}
        }
    }
}
