//! The format of logs.

use crate::{
    error::{Cause, Error},
    input::{Lines, fields::says_nothing, json::Id, open, shown},
    lang::Text,
};
use serde::Deserialize;
use std::{collections::HashSet, path::Path};

/// A list as it was shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownList {
    /// What was asked.
    pub query: String,
    /// What was shown, in that order, also where nothing came of it.
    pub items: Vec<ShownItem>,
}

/// A document in a list that was shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShownItem {
    /// Document id.
    pub document: String,
    /// What came of it: 1 where it was contacted, met or whatever is counted, 0 where not; or a
    /// value.
    pub outcome: f64,
    /// The chance, before the list was drawn, that this document would stand at this rank.
    pub propensity: Option<f64>,
    /// The chance, before the list was drawn, that this document would be shown and looked at, at
    /// any rank. None: that of its rank, which is right where a system always shows the same
    /// documents for the query.
    pub examined: Option<f64>,
    /// Which system put it there, of two that were interleaved.
    pub team: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(
        borrow,
        alias = "query_id",
        alias = "qid",
        alias = "query-id",
        alias = "topic"
    )]
    query: Id<'a>,
    #[serde(borrow)]
    shown: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(
        borrow,
        alias = "doc_id",
        alias = "docid",
        alias = "docno",
        alias = "document"
    )]
    doc: Id<'a>,
    #[serde(default)]
    outcome: Option<Outcome>,
    #[serde(default)]
    propensity: Option<f64>,
    #[serde(default)]
    examined: Option<f64>,
    #[serde(default, borrow)]
    team: Option<Id<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Happened(bool),
    Worth(f64),
}

/// Reads a log: JSON lines, one for each list that was shown; plain, gzip or Zstandard.
///
/// ```json
/// {"query": "N-17", "shown": [{"doc": "E-3", "outcome": 1}, {"doc": "E-9"}]}
/// ```
///
/// Of an item `doc` is required; `outcome` is a number, true or false, and 0 where it is absent;
/// `propensity`, `examined` and `team` are as [`ShownItem`] says. Other fields are not looked at.
/// Gives the number of lists. Holds one list at a time.
///
/// # Errors
/// Of the file, with line and item: a document that stands twice in a list, a chance that is
/// none, an outcome that is not finite; no list at all; what `take` refuses.
pub fn read_log(
    path: &Path,
    mut take: impl FnMut(&ShownList) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut lines = Lines::new(open(path)?);
    let file = lines.name().to_owned();
    let mut list = ShownList::default();
    let mut lists = 0;
    let mut go = || -> Result<(), Error> {
        while let Some((line, n)) = lines.next()? {
            if says_nothing(line) {
                continue;
            }
            parse(line, &mut list).map_err(|e| e.at(n))?;
            take(&list).map_err(|e| e.at(n))?;
            lists += 1;
        }
        Ok(())
    };
    go().map_err(|e| e.in_file(&file))?;
    if lists == 0 {
        return Err(Error::new(
            Cause::Empty,
            Text::new("the log holds no list", "日志中没有任何名单"),
            advice(),
        )
        .in_file(&file));
    }
    Ok(lists)
}

fn advice() -> Text {
    const LINE: &str = r#"{"query": "q1", "shown": [{"doc": "d1", "outcome": 1}, {"doc": "d2"}]}"#;
    Text::new(
        format!("expected a line for each list shown: {LINE}"),
        format!("应为每行一个展示过的名单：{LINE}"),
    )
}

fn parse(line: &[u8], list: &mut ShownList) -> Result<(), Error> {
    let l: Line<'_> = serde_json::from_slice(line).map_err(|e| {
        let told = shown(e.to_string().as_bytes());
        Error::new(
            Cause::Json,
            Text::new(format!("not read: {told}"), format!("无法解析：{told}")),
            advice(),
        )
    })?;
    list.query.clear();
    list.query.push_str(&l.query.0);
    list.items.clear();
    for (i, item) in l.shown.into_iter().enumerate() {
        let outcome = match item.outcome {
            None => 0.0,
            Some(Outcome::Happened(yes)) => f64::from(u8::from(yes)),
            Some(Outcome::Worth(x)) => x,
        };
        for (name, chance) in [("propensity", item.propensity), ("examined", item.examined)] {
            if chance.is_some_and(|p| p.is_nan() || p <= 0.0 || p > 1.0) {
                return Err(no_chance(i, name, chance.unwrap_or_default()));
            }
        }
        list.items.push(ShownItem {
            document: item.doc.0.into_owned(),
            outcome,
            propensity: item.propensity,
            examined: item.examined,
            team: item.team.map(|t| t.0.into_owned()),
        });
    }
    let mut seen = HashSet::new();
    match list.items.iter().find(|i| !seen.insert(&i.document)) {
        Some(twice) => Err(Error::new(
            Cause::Duplicate,
            Text::new(
                format!("document `{}` stands twice in the list", twice.document),
                format!("文档“{}”在名单中重复", twice.document),
            ),
            Text::new("keep one of the two", "请只保留一条"),
        )),
        None => Ok(()),
    }
}

fn no_chance(item: usize, name: &str, value: f64) -> Error {
    Error::new(
        Cause::Number,
        Text::new(
            format!("shown[{item}].{name} is {value}, no chance of what happened"),
            format!("shown[{item}].{name} 为 {value}，不是已发生之事的概率"),
        ),
        Text::new(
            "a chance lies above 0 and not above 1",
            "概率应大于 0 且不大于 1",
        ),
    )
}
