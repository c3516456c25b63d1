//! JSON documents and JSON lines, streamed.

use super::{LONGEST_LINE, Lines, lines::too_long, shown};
use crate::{
    error::{Cause, Error},
    lang::Text,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, Visitor},
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    io::{self, Read},
};

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Columns.
    Columns,
    /// One JSON object a line.
    Lines,
    /// One JSON document for all queries.
    Document,
}

/// Tells by the first bytes: `{` begins JSON; where its first value is an object too, the whole file
/// is one document.
pub(super) fn shape(lines: &mut Lines) -> Result<Shape, Error> {
    if lines.first_byte()? != Some(b'{') {
        return Ok(Shape::Columns);
    }
    loop {
        match first_value(lines.ahead()) {
            Some(b'{') => return Ok(Shape::Document),
            Some(b'}') => return Ok(Shape::Document),
            Some(_) => return Ok(Shape::Lines),
            None => {
                if lines.more()?.is_none() {
                    return Ok(Shape::Lines);
                }
            }
        }
    }
}

/// The first byte of the first value in an object, `}` for an empty one; `None` while it is not in
/// sight.
fn first_value(bytes: &[u8]) -> Option<u8> {
    let mut rest = bytes
        .iter()
        .copied()
        .filter({
            let (mut inside, mut escaped) = (false, false);
            move |b| {
                // Everything within strings but the closing quote goes.
                let keep = !inside || (*b == b'"' && !escaped);
                if *b == b'"' && !escaped {
                    inside = !inside;
                }
                escaped = inside && *b == b'\\' && !escaped;
                keep && !b.is_ascii_whitespace()
            }
        })
        .skip(1);
    match rest.next()? {
        b'}' => Some(b'}'),
        b'"' => {
            let (_close, _colon) = (rest.next()?, rest.next()?);
            rest.next()
        }
        other => Some(other),
    }
}

/// An id: a string, or a whole number that stands for its digits.
#[derive(Debug)]
pub(crate) struct Id<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl<'de> Visitor<'de> for IdVisitor {
            type Value = Id<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a string or a whole number")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Id<'de>, E> {
                Ok(Id(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Id<'de>, E> {
                Ok(Id(Cow::Owned(s.to_owned())))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Id<'de>, E> {
                Ok(Id(Cow::Owned(n.to_string())))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Id<'de>, E> {
                Ok(Id(Cow::Owned(n.to_string())))
            }
        }
        d.deserialize_any(IdVisitor)
    }
}

/// A judgement, or a document of a run, on a line.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(
        borrow,
        rename = "query_id",
        alias = "qid",
        alias = "query-id",
        alias = "queryid",
        alias = "query",
        alias = "topic"
    )]
    pub(super) query: Id<'a>,
    #[serde(
        borrow,
        rename = "doc_id",
        alias = "docid",
        alias = "docno",
        alias = "doc-id",
        alias = "corpus-id",
        alias = "corpus_id",
        alias = "document",
        alias = "did",
        alias = "pid"
    )]
    pub(super) document: Id<'a>,
    #[serde(
        default,
        alias = "rel",
        alias = "grade",
        alias = "label",
        alias = "judgment",
        alias = "judgement"
    )]
    relevance: Option<f64>,
    #[serde(default)]
    score: Option<f64>,
    #[serde(
        default,
        borrow,
        rename = "iteration",
        alias = "iter",
        alias = "subtopic",
        alias = "subtopic_id"
    )]
    pub(super) subtopic: Option<Id<'a>>,
}

/// A line of judgements, and its grade; BEIR calls it score.
pub(super) fn qrels_line(line: &[u8]) -> Result<(Line<'_>, f64), Error> {
    read(line, "relevance", |l| l.relevance.or(l.score))
}

/// A line of a run, and its score.
pub(super) fn run_line(line: &[u8]) -> Result<(Line<'_>, f64), Error> {
    read(line, "score", |l| l.score)
}

fn read<'a>(
    line: &'a [u8],
    name: &str,
    value: impl Fn(&Line<'a>) -> Option<f64>,
) -> Result<(Line<'a>, f64), Error> {
    let fields = format!("query_id, doc_id, {name}");
    let l: Line<'a> = serde_json::from_slice(line).map_err(|e| wrong(&e, &fields))?;
    match value(&l) {
        Some(v) => Ok((l, v)),
        None => Err(wrong(
            &serde::de::Error::custom(format_args!("missing field `{name}`")),
            &fields,
        )),
    }
}

fn wrong(e: &serde_json::Error, fields: &str) -> Error {
    let told = shown(e.to_string().as_bytes());
    Error::new(
        Cause::Json,
        Text::new(format!("not read: {told}"), format!("无法解析：{told}")),
        Text::new(
            format!("expected an object with {fields}"),
            format!("应为含 {fields} 的对象"),
        ),
    )
}

/// Streams `{query: {document: number}}`, with the line of each number.
pub(super) fn document(
    lines: Lines,
    take: impl FnMut(&str, &str, f64, u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (file, reader) = lines.into_reader();
    let line = Cell::new(1);
    let guard = Guard {
        bytes: io::BufReader::with_capacity(1 << 16, reader),
        line: &line,
        inside: false,
        escaped: false,
        length: 0,
    };
    // What `take` refused, kept aside: serde carries only text.
    let refused: RefCell<Option<Error>> = RefCell::new(None);
    let seed = Queries {
        take: RefCell::new(take),
        line: &line,
        refused: &refused,
    };
    let mut json = serde_json::Deserializer::from_reader(guard);
    let read = seed.deserialize(&mut json).and_then(|()| json.end());
    let Err(e) = read else { return Ok(()) };
    if let Some(refused) = refused.into_inner() {
        return Err(refused.in_file(&file));
    }
    let at = e.line() as u64;
    if let Some(kind) = e.io_error_kind() {
        return Err(if kind == io::ErrorKind::FileTooLarge {
            too_long(at.max(1)).in_file(&file)
        } else {
            Error::io(&file, e.into())
        });
    }
    Err(wrong(&e, "an object of numbers for every query")
        .at(at.max(1))
        .in_file(&file))
}

struct Queries<'a, F> {
    take: RefCell<F>,
    line: &'a Cell<u64>,
    refused: &'a RefCell<Option<Error>>,
}

impl<'de, F: FnMut(&str, &str, f64, u64) -> Result<(), Error>> DeserializeSeed<'de>
    for Queries<'_, F>
{
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &str, f64, u64) -> Result<(), Error>> Visitor<'de> for Queries<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of queries")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(query) = map.next_key::<String>()? {
            map.next_value_seed(Documents {
                query: &query,
                outer: &self,
            })?;
        }
        Ok(())
    }
}

struct Documents<'a, 'b, F> {
    query: &'a str,
    outer: &'a Queries<'b, F>,
}

impl<'de, F: FnMut(&str, &str, f64, u64) -> Result<(), Error>> DeserializeSeed<'de>
    for Documents<'_, '_, F>
{
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &str, f64, u64) -> Result<(), Error>> Visitor<'de>
    for Documents<'_, '_, F>
{
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of documents and numbers")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((document, value)) = map.next_entry::<String, f64>()? {
            let line = self.outer.line.get();
            let taken = (self.outer.take.borrow_mut())(self.query, &document, value, line);
            if let Err(mut e) = taken {
                let told = e.to_string();
                e.place.line.get_or_insert(line);
                *self.outer.refused.borrow_mut() = Some(e);
                return Err(A::Error::custom(told));
            }
        }
        Ok(())
    }
}

/// Counts lines, and ends the stream where one string or number grows beyond what is read.
struct Guard<'a, R> {
    bytes: R,
    line: &'a Cell<u64>,
    inside: bool,
    escaped: bool,
    length: usize,
}

impl<R: io::BufRead> Read for Guard<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Byte by byte as the parser asks: the line is that of the last byte it has seen.
        let n = self.bytes.read(out)?;
        for b in out.get(..n).unwrap_or_default() {
            self.length += 1;
            match b {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.inside => self.escaped = true,
                b'"' => {
                    self.inside = !self.inside;
                    self.length = 0;
                }
                b',' | b':' | b'{' | b'}' if !self.inside => self.length = 0,
                b'\n' => self.line.set(self.line.get() + 1),
                _ => {}
            }
        }
        if self.length > LONGEST_LINE {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_tells() {
        for (text, first) in [
            (r#"{"q1": {"d": 1}}"#, Some(b'{')),
            (r#"{"query_id": "q1"}"#, Some(b'"')),
            (r#" { "a\"b : {" : 1}"#, Some(b'1')),
            ("{}", Some(b'}')),
            (r#"{"q1"#, None),
            (r#"{"q1" : "#, None),
        ] {
            assert_eq!(first_value(text.as_bytes()), first, "{text}");
        }
    }
}
