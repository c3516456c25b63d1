//! jsonl, and a json array of objects.

use super::{
    ERROR_KEY, Event, LINE_KEY, Read, Reader, Row,
    lines::{LineEnd, Lines},
};
use crate::{Cause, Error, error::bi, values::Refusal};
use queqiao_domain::Bilingual;
use serde_json::{Map, Value as Json};

/// Reads a jsonl file.
pub(super) struct Jsonl {
    lines: Lines,
    begun: bool,
    over: bool,
}

impl Jsonl {
    pub(super) fn new(lines: Lines) -> Self {
        Jsonl {
            lines,
            begun: false,
            over: false,
        }
    }
}

impl Reader for Jsonl {
    fn next(&mut self) -> Option<Result<Event, Error>> {
        if self.over {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(Ok(Event::Sheet(None)));
        }
        let mut line = String::new();
        loop {
            let body = match self.lines.next(&mut line) {
                Err(e) => {
                    self.over = true;
                    return Some(Err(e));
                }
                Ok(LineEnd::End) => {
                    self.over = true;
                    return None;
                }
                Ok(LineEnd::TooLong) => Read::Broken(
                    line.chars().take(1000).collect(),
                    Refusal::new(
                        ("the line is longer than 10 MB", "该行超过 10 MB"),
                        (
                            "expected one record a line; split long texts into passages",
                            "每行应为一条记录；请将长文本拆分为多段",
                        ),
                    ),
                ),
                Ok(LineEnd::Line) if line.trim().is_empty() => continue,
                Ok(LineEnd::Line) => parse(std::mem::take(&mut line)),
            };
            let number = self.lines.number;
            return Some(Ok(Event::Row(Row {
                row: number,
                line: Some(number),
                body,
            })));
        }
    }

    fn done(&self) -> u64 {
        self.lines.done
    }
}

/// Reads one line. A line that a bad-rows file carries as text is read in its place.
fn parse(line: String) -> Read {
    match serde_json::from_str::<Json>(&line) {
        Ok(Json::Object(map)) => match map.get(LINE_KEY) {
            Some(Json::String(inner)) if map.keys().all(|k| k == LINE_KEY || k == ERROR_KEY) => {
                match serde_json::from_str::<Json>(inner) {
                    Ok(Json::Object(map)) if !map.contains_key(LINE_KEY) => {
                        Read::Object(map, inner.clone())
                    }
                    Ok(_) => Read::Broken(inner.clone(), not_an_object()),
                    Err(e) => Read::Broken(inner.clone(), not_json(&e)),
                }
            }
            _ => Read::Object(map, line),
        },
        Ok(_) => Read::Broken(line, not_an_object()),
        Err(e) => Read::Broken(line, not_json(&e)),
    }
}

fn expected() -> Bilingual {
    bi(
        r#"expected one JSON object a line, such as {"id": "N-1", "kind": "need", "title": "…"}"#,
        r#"每行应为一个 JSON 对象，如 {"id": "N-1", "kind": "need", "title": "…"}"#,
    )
}

fn not_an_object() -> Refusal {
    Refusal {
        problem: bi("the line is JSON but no object", "该行是 JSON 但不是对象"),
        expected: expected(),
    }
}

fn not_json(e: &serde_json::Error) -> Refusal {
    // serde's own words end with its line and column; the line is always the first here.
    let why = e.to_string();
    let why = why.rsplit_once(" at line").map_or(why.as_str(), |(w, _)| w);
    Refusal {
        problem: bi(
            format!("the line is no JSON: {why} at column {}", e.column()),
            format!("该行不是 JSON：第 {} 列（{why}）", e.column()),
        ),
        expected: expected(),
    }
}

/// A json document held in memory: an array of objects, or one object.
pub(super) struct Array {
    items: std::vec::IntoIter<Json>,
    row: u64,
    bytes: u64,
    begun: bool,
}

/// Bytes up to which a json document is read whole.
pub(super) const ARRAY_LIMIT: u64 = 64 << 20;

impl Array {
    /// Reads the document; `None` when it is no array and no object, but perhaps lines of them.
    pub(super) fn new(file: &str, text: &str) -> Option<Result<Self, Error>> {
        match serde_json::from_str::<Json>(text) {
            Ok(Json::Array(items)) => Some(Ok(Array::of(items, text))),
            Ok(v @ Json::Object(_)) => Some(Ok(Array::of(vec![v], text))),
            Ok(_) => None,
            Err(_) if !text.trim_start().starts_with('[') => None,
            Err(e) => Some(Err(Error::new(
                file,
                Cause::Damaged,
                bi(
                    format!("this is no JSON array: {e}"),
                    format!("不是 JSON 数组：{e}"),
                ),
                bi(
                    "mend it there, or give one JSON object a line (.jsonl)",
                    "请修正该处，或改为每行一个 JSON 对象（.jsonl）",
                ),
            ))),
        }
    }

    fn of(items: Vec<Json>, text: &str) -> Self {
        Array {
            items: items.into_iter(),
            row: 0,
            bytes: text.len() as u64,
            begun: false,
        }
    }
}

impl Reader for Array {
    fn next(&mut self) -> Option<Result<Event, Error>> {
        if !self.begun {
            self.begun = true;
            return Some(Ok(Event::Sheet(None)));
        }
        let item = self.items.next()?;
        self.row += 1;
        let raw = item.to_string();
        let body = match item {
            Json::Object(map) => Read::Object(Map::from_iter(map), raw),
            _ => Read::Broken(raw, not_an_object()),
        };
        Some(Ok(Event::Row(Row {
            row: self.row,
            line: None,
            body,
        })))
    }

    fn done(&self) -> u64 {
        self.bytes
    }
}
