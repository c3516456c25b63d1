//! Judgement files: what is relevant to what.

use super::{
    Lines, Source,
    fields::{Fields, number, says_nothing},
    json::{self, Shape},
    run::{not_utf8, within},
    shown,
};
use crate::{
    error::{Cause, Error},
    lang::Text,
};

/// One judgement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement<'a> {
    /// Query id.
    pub(crate) query: &'a str,
    /// The second column of TREC qrels: `0`, or the subtopic that the judgement is about.
    pub(crate) subtopic: &'a str,
    /// Document id.
    pub(crate) document: &'a str,
    /// Grade; finite. Negative: in the pool, not judged.
    pub(crate) grade: f64,
    /// Line of the file.
    pub(crate) line: u64,
}

/// Reads judgements: TREC's four columns, BEIR's three with or without a header, a JSON document
/// `{query: {document: grade}}`, or JSON lines.
///
/// # Errors
/// Of the file, with its line and field; what `take` refuses.
pub(crate) fn read_qrels(
    source: Source,
    mut take: impl FnMut(Judgement<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut lines = Lines::new(source);
    let file = lines.name().to_owned();
    match json::shape(&mut lines)? {
        Shape::Columns => columns(&mut lines, &mut take).map_err(|e| e.in_file(&file)),
        Shape::Lines => {
            let mut go = || {
                while let Some((line, n)) = lines.next()? {
                    if says_nothing(line) {
                        continue;
                    }
                    let (l, value) = json::qrels_line(line).map_err(|e| e.at(n))?;
                    take(Judgement {
                        query: &l.query.0,
                        subtopic: l.subtopic.as_ref().map_or("0", |s| &s.0),
                        document: &l.document.0,
                        grade: grade(value, "null").map_err(|e| e.at(n))?,
                        line: n,
                    })?;
                }
                Ok(())
            };
            go().map_err(|e: Error| e.in_file(&file))
        }
        Shape::Document => json::document(lines, |query, document, value, line| {
            take(Judgement {
                query,
                subtopic: "0",
                document,
                grade: grade(value, "null")?,
                line,
            })
        }),
    }
}

/// Where the columns stand.
#[derive(Debug, Clone, Copy)]
struct Order {
    columns: usize,
    query: usize,
    subtopic: Option<usize>,
    document: usize,
    grade: usize,
}

const TREC: Order = Order {
    columns: 4,
    query: 0,
    subtopic: Some(1),
    document: 2,
    grade: 3,
};
const BEIR: Order = Order {
    columns: 3,
    query: 0,
    subtopic: None,
    document: 1,
    grade: 2,
};

impl Order {
    /// The order that a header line names; `None` where it is no header.
    fn named(fields: &[&[u8]]) -> Option<Order> {
        let find = |names: &[&str]| {
            fields.iter().position(|f| {
                let f = f.to_ascii_lowercase();
                let plain: Vec<u8> = f
                    .into_iter()
                    .filter(|b| !matches!(b, b'-' | b'_'))
                    .collect();
                names.iter().any(|n| n.as_bytes() == plain)
            })
        };
        Some(Order {
            columns: fields.len(),
            query: find(&["queryid", "qid", "query", "topic", "topicid"])?,
            subtopic: find(&["iteration", "iter", "subtopic", "subtopicid", "q0"]),
            document: find(&[
                "corpusid",
                "docid",
                "docno",
                "documentid",
                "document",
                "doc",
                "did",
                "pid",
            ])?,
            grade: find(&[
                "score",
                "relevance",
                "rel",
                "grade",
                "label",
                "judgment",
                "judgement",
            ])?,
        })
    }
}

fn columns(
    lines: &mut Lines,
    take: &mut impl FnMut(Judgement<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut order: Option<Order> = None;
    while let Some((line, n)) = lines.next()? {
        if says_nothing(line) {
            continue;
        }
        let text = std::str::from_utf8(line).map_err(|_| not_utf8(line, n))?;
        let bytes = text.as_bytes();
        // Four columns by any separator, or three between two tabs.
        let four = Fields::<4>::split(bytes);
        let three;
        let mut fields: &[&[u8]] = four.all();
        if four.count != 4 || order.is_some_and(|o| o.columns == 3) {
            three = Fields::<3>::split(bytes);
            if three.count == 3 {
                fields = three.all();
            }
        }
        let count = if fields.len() == 3 { 3 } else { four.count };
        let here = match order {
            Some(o) => o,
            None => {
                if let Some(named) = Order::named(fields) {
                    order = Some(named);
                    continue;
                }
                match count {
                    3 => BEIR,
                    _ => TREC,
                }
            }
        };
        order = Some(here);
        if count != here.columns {
            return Err(wrong_count(count, here.columns).at(n));
        }
        let field = |i: usize| fields.get(i).copied().unwrap_or_default();
        let value = field(here.grade);
        let graded = number(value)
            .ok_or_else(|| no_grade(&shown(value)))
            .and_then(|g| grade(g, &shown(value)))
            .map_err(|e| e.at(n).field(here.grade + 1, "grade"))?;
        take(Judgement {
            query: within(text, field(here.query)),
            subtopic: here.subtopic.map_or("0", |i| within(text, field(i))),
            document: within(text, field(here.document)),
            grade: graded,
            line: n,
        })?;
    }
    Ok(())
}

fn grade(value: f64, spelled: &str) -> Result<f64, Error> {
    if value.is_finite() {
        Ok(value + 0.0)
    } else {
        Err(no_grade(spelled))
    }
}

fn no_grade(field: &str) -> Error {
    Error::new(
        Cause::Number,
        Text::new(
            format!("the grade `{field}` is no number"),
            format!("等级“{field}”不是数字"),
        ),
        Text::new(
            "grades are numbers: 0 not relevant, 1 and more relevant, -1 in the pool but not judged",
            "等级应为数字：0 不相关，1 及以上相关，-1 在池中但未判断",
        ),
    )
}

fn wrong_count(count: usize, expected: usize) -> Error {
    let layout = if expected == 3 {
        "query document grade"
    } else {
        "query iteration document grade"
    };
    let shown = if count > 4 {
        "more than 4".to_owned()
    } else {
        count.to_string()
    };
    Error::new(
        Cause::Columns,
        Text::new(
            format!("{shown} columns, where {expected} are expected"),
            format!("列数为 {count}，应为 {expected} 列"),
        ),
        Text::new(format!("expected: {layout}"), format!("应为：{layout}")),
    )
}
