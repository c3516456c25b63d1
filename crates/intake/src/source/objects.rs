//! Rows that are JSON objects: every key is a column.

use super::{
    Context, row_issue,
    table::{against_option, first_issues},
};
use crate::{
    Column, Issue, Place, RowOutcome, SheetReport,
    assemble::{Draft, Given, Value},
    columns::{
        Field, PlanColumn, Use, header, kind_of_columns, one_column, read_kind, report_column,
    },
    error::bi,
    issue::shown_value,
    read::{Read, Row},
    rows::Body,
    values::Refusal,
};
use queqiao_domain::{CheckedRecord, Kind, refused_field};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Keys remembered; a file with more has a new one in every row, and remembering is no help.
const KEYS: usize = 10_000;
/// Keys that a report tells in full, and keys that get a "did you mean".
const REPORTED: usize = 1000;
const HINTED: usize = 200;

/// What the keys of the objects met so far are for.
#[derive(Default)]
pub(super) struct Objects {
    keys: HashMap<Kind, HashMap<String, (Use, usize)>>,
}

impl Objects {
    pub(super) fn row(&mut self, context: &mut Context, row: Row) -> RowOutcome {
        let place = context.place(None, row.row, row.line);
        match row.body {
            Read::Object(map, line) => {
                let judged = self.judge(context, &place, map);
                context.outcome(place, judged.map_err(first_issues), Body::Line(line))
            }
            Read::Broken(line, r) => {
                let mut issue = row_issue(&place, r);
                issue.value = shown_value(&line, false);
                context.outcome(place, Err(vec![issue]), Body::Line(line))
            }
            // Cells come from tables only.
            Read::Cells(_) => context.outcome(place, Err(Vec::new()), Body::Line(String::new())),
        }
    }

    fn judge(
        &mut self,
        context: &mut Context,
        place: &Place,
        map: Map<String, Json>,
    ) -> Result<CheckedRecord, Vec<Issue>> {
        let (kind, told) = self.kind_of(context, place, &map).map_err(|i| vec![*i])?;
        let mut known = false;
        let mut draft = Draft::new(kind, place.clone(), &mut context.memo);
        for (key, value) in map {
            if value.is_null() {
                continue;
            }
            let (used, rank) = self.use_of(&mut context.sheets, kind, &key);
            let at = Column {
                name: key,
                letter: String::new(),
            };
            if let (Use::Field(Field::Attributes, _), Json::Object(inner)) = (&used, &value) {
                // Refused by name wherever it stands, and told once.
                for name in inner.keys().filter(|n| refused_field(n).is_some()) {
                    self.use_of(&mut context.sheets, kind, name);
                }
            }
            match used {
                Use::Field(Field::WeakKind, _) if told => {}
                Use::Field(field, unit) => {
                    known |= !field.is_aside() && field != Field::KindName;
                    draft.give(
                        field,
                        Given {
                            at,
                            value: Value::Json(value),
                            unit,
                            rank,
                        },
                    );
                }
                Use::Attribute(name) => draft.attribute(&name, &at, Value::Json(value)),
                Use::Refused(_) | Use::Continues(_) => {}
            }
        }
        if !known {
            return Err(vec![row_issue(
                place,
                Refusal {
                    problem: bi("none of the object's keys is known", "对象中没有可识别的键"),
                    expected: bi(
                        r#"expected keys such as {"id": "N-1", "kind": "need", "title": "…", "problem": "…"}"#,
                        r#"应有可识别的键，如 {"id": "N-1", "kind": "need", "title": "…", "problem": "…"}"#,
                    ),
                },
            )]);
        }
        draft.finish(&context.options.limits.record)
    }

    fn use_of(&mut self, sheets: &mut Vec<SheetReport>, kind: Kind, key: &str) -> (Use, usize) {
        let keys = self.keys.entry(kind).or_default();
        if let Some(u) = keys.get(key) {
            return u.clone();
        }
        let found = one_column(kind, key);
        let report = match sheets.iter().position(|s| s.kind == kind) {
            Some(i) => &mut sheets[i],
            None => {
                sheets.push(SheetReport {
                    sheet: None,
                    kind,
                    header_row: None,
                    columns: Vec::new(),
                    columns_left_out: 0,
                });
                let last = sheets.len() - 1;
                &mut sheets[last]
            }
        };
        if report.columns.len() < REPORTED {
            let column = PlanColumn {
                at: Column {
                    name: key.to_owned(),
                    letter: String::new(),
                },
                used: found.0.clone(),
                rank: found.1,
            };
            let hint = report.columns.len() < HINTED;
            report
                .columns
                .push(report_column(kind, &column, None, hint));
        } else {
            report.columns_left_out += 1;
        }
        if keys.len() < KEYS {
            keys.insert(key.to_owned(), found.clone());
        }
        found
    }

    /// The kind of an object, and whether its 类型 told it.
    fn kind_of(
        &self,
        context: &Context,
        place: &Place,
        map: &Map<String, Json>,
    ) -> Result<(Kind, bool), Box<Issue>> {
        let fixed = context.options.kind;
        let issue = |key: &str, value: &Json, r: Refusal| {
            let mut i = row_issue(place, r);
            i.column = Some(Column {
                name: key.to_owned(),
                letter: String::new(),
            });
            i.field = Some("kind".to_owned());
            i.value = shown_value(&crate::assemble::scalar(value), false);
            Box::new(i)
        };
        let filled = |v: &Json| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty());
        let find = |field: Field| {
            map.iter().find(|(k, v)| {
                // Only short keys can be one of the few names for a kind.
                k.len() <= 40
                    && filled(v)
                    && matches!(one_column(Kind::Need, k).0, Use::Field(f, _) if f == field)
            })
        };
        let read = |key: &str, v: &Json| {
            read_kind(&crate::assemble::scalar(v))
                .map_err(|(problem, expected)| issue(key, v, Refusal { problem, expected }))
        };
        // The domain's own key first: it is there in nearly every file.
        let strong = match map.get_key_value("kind").filter(|(_, v)| filled(v)) {
            Some(found) => Some(found),
            None => find(Field::KindName),
        };
        if let Some((key, v)) = strong {
            return match (read(key, v), fixed) {
                (Ok(kind), Some(f)) if f != kind => Err(issue(key, v, against_option(kind, f))),
                (Ok(kind), _) => Ok((kind, false)),
                // What is no kind of record here is some other kind of thing.
                (Err(_), Some(f)) => Ok((f, false)),
                (Err(e), None) => Err(e),
            };
        }
        if let Some(kind) = fixed {
            return Ok((kind, false));
        }
        let headers: Vec<header::Header> = map.keys().map(|k| header::read(k)).collect();
        let fallback = context.named.or_else(|| kind_of_columns(&headers));
        if let Some((key, v)) = find(Field::WeakKind) {
            match (read(key, v), fallback) {
                (Ok(kind), _) => return Ok((kind, true)),
                (Err(_), Some(_)) => {}
                (Err(e), None) => return Err(e),
            }
        }
        fallback.map(|k| (k, false)).ok_or_else(|| {
            Box::new(row_issue(
                place,
                Refusal {
                    problem: bi(
                        "nothing says what kind of record this is",
                        "无法判断记录类型",
                    ),
                    expected: super::no_kind_advice(),
                },
            ))
        })
    }
}
