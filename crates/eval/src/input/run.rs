//! Run files: what a system answered.

use super::{
    Lines, Source,
    fields::{Fields, number, says_nothing},
    json::{self, Shape},
    shown,
};
use crate::{
    error::{Cause, Error},
    lang::Text,
    write::{decoded, encodings},
};
use std::borrow::Cow;

/// One document that a system gave for one query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Query id.
    pub(crate) query: &'a str,
    /// Document id.
    pub(crate) document: &'a str,
    /// Score; the higher, the earlier. Never not-a-number.
    pub(crate) score: f64,
    /// Line of the file.
    pub(crate) line: u64,
}

/// Columns of a TREC run, as messages name them.
const COLUMNS: [&str; 6] = ["query", "Q0", "document", "rank", "score", "tag"];

/// Reads a run: TREC lines, a JSON document `{query: {document: score}}`, or JSON lines. The rank
/// and whatever follows the tag are not looked at (trec_eval `get_trec_results.c`). Gives the tag of
/// the last line, which is the run's name there.
///
/// # Errors
/// Of the file, with its line and field; what `take` refuses.
pub(crate) fn read_run(
    source: Source,
    mut take: impl FnMut(Entry<'_>) -> Result<(), Error>,
) -> Result<Option<String>, Error> {
    let mut lines = Lines::new(source);
    match json::shape(&mut lines)? {
        Shape::Columns => columns(&mut lines, &mut take),
        Shape::Lines => {
            let file = lines.name().to_owned();
            let mut go = || {
                while let Some((line, n)) = lines.next()? {
                    if says_nothing(line) {
                        continue;
                    }
                    let (l, value) = json::run_line(line).map_err(|e| e.at(n))?;
                    take(Entry {
                        query: &l.query.0,
                        document: &l.document.0,
                        score: score(value).map_err(|e| e.at(n))?,
                        line: n,
                    })?;
                }
                Ok(None)
            };
            go().map_err(|e: Error| e.in_file(&file))
        }
        Shape::Document => {
            json::document(lines, |query, document, value, line| {
                take(Entry {
                    query,
                    document,
                    score: score(value)?,
                    line,
                })
            })?;
            Ok(None)
        }
    }
}

fn columns(
    lines: &mut Lines,
    take: &mut impl FnMut(Entry<'_>) -> Result<(), Error>,
) -> Result<Option<String>, Error> {
    let file = lines.name().to_owned();
    let mut tag: Vec<u8> = Vec::new();
    let mut go = || -> Result<(), Error> {
        while let Some((line, n)) = lines.next()? {
            if says_nothing(line) {
                continue;
            }
            let text = std::str::from_utf8(line).map_err(|_| not_utf8(line, n))?;
            let fields = Fields::<6>::split(text.as_bytes());
            let Some([query, second, document, _, value, name]) = fields.full() else {
                return Err(missing(fields.count).at(n));
            };
            let Some(value) = number(value) else {
                return Err(no_score(&shown(value)).at(n).field(5, COLUMNS[4]));
            };
            let coded = encodings(second);
            let id = |field: &[u8], coded: bool, place: usize| match coded {
                false => Ok(Cow::Borrowed(within(text, field))),
                true => decoded(within(text, field))
                    .map(Cow::Owned)
                    .map_err(|e| e.at(n).field(place, COLUMNS[place - 1])),
            };
            take(Entry {
                query: &id(query, coded.0, 1)?,
                document: &id(document, coded.1, 3)?,
                score: score(value).map_err(|e| e.at(n).field(5, COLUMNS[4]))?,
                line: n,
            })?;
            if tag != name {
                tag.clear();
                tag.extend_from_slice(name);
            }
        }
        Ok(())
    };
    go().map_err(|e| e.in_file(&file))?;
    Ok((!tag.is_empty()).then(|| String::from_utf8_lossy(&tag).into_owned()))
}

/// The part of a text that a field of its bytes is.
pub(super) fn within<'a>(text: &'a str, field: &[u8]) -> &'a str {
    // Fields begin and end beside ASCII white space, so they are whole characters.
    let from = (field.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    text.get(from..from.wrapping_add(field.len()))
        .unwrap_or_default()
}

/// A score that stands in an order.
fn score(value: f64) -> Result<f64, Error> {
    if value.is_nan() {
        return Err(Error::new(
            Cause::Number,
            Text::new("the score is not a number (NaN)", "得分为 NaN"),
            Text::new(
                "NaN has no place in an order: give the document a score or leave it out",
                "NaN 无法排序：请给出得分或删去该行",
            ),
        ));
    }
    // Minus zero equals zero.
    Ok(value + 0.0)
}

fn no_score(field: &str) -> Error {
    Error::new(
        Cause::Number,
        Text::new(
            format!("the score `{field}` is no number"),
            format!("得分“{field}”不是数字"),
        ),
        Text::new(
            "expected: query Q0 document rank score tag",
            "应为：query Q0 document rank score tag",
        ),
    )
}

fn missing(count: usize) -> Error {
    let mut e = Error::new(
        Cause::Columns,
        Text::new(
            format!("{count} of 6 columns"),
            format!("只有 {count} 列，应为 6 列"),
        ),
        Text::new(
            "expected: query Q0 document rank score tag, separated by spaces or tabs",
            "应为：query Q0 document rank score tag，以空格或制表符分隔",
        ),
    );
    if let Some(name) = COLUMNS.get(count) {
        e = e.field(count + 1, name);
    }
    e
}

/// Bytes that are no text.
pub(super) fn not_utf8(line: &[u8], n: u64) -> Error {
    let at = std::str::from_utf8(line).map_or_else(|e| e.valid_up_to(), |_| 0);
    Error::new(
        Cause::Encoding,
        Text::new(
            format!("not UTF-8 after byte {at} of the line"),
            format!("该行第 {at} 字节之后不是 UTF-8"),
        ),
        Text::new("save the file as UTF-8", "请将文件另存为 UTF-8"),
    )
    .at(n)
}
