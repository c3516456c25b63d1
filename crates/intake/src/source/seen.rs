//! Ids met in a file, so that a row given twice is told from two rows that share an id.

use crate::{Issue, Place, RowResult, error::bi, id};
use queqiao_domain::CheckedRecord;
use std::collections::HashMap;

/// What is remembered of each id: 48 bytes a row.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashMap<[u8; 16], First>,
    sheets: Vec<Option<String>>,
}

struct First {
    content: [u8; 16],
    sheet: u32,
    row: u64,
}

impl Seen {
    /// A record is new, the same as an earlier one, or another under an id that is taken.
    pub(super) fn judge(&mut self, record: CheckedRecord, place: &Place) -> RowResult {
        let r = record.get();
        let key = short(r.id.as_str().as_bytes());
        let content = serde_json::to_vec(r).map_or([0; 16], |b| short(&b));
        if let Some(first) = self.ids.get(&key) {
            let sheet = self.sheets.get(first.sheet as usize).cloned().flatten();
            let earlier = Place {
                file: place.file.clone(),
                sheet,
                row: first.row,
                line: None,
            };
            if first.content == content {
                return RowResult::Repeats(earlier);
            }
            let at = earlier.describe();
            let shown = id::shown(&r.id);
            if id::derive(r).as_ref() == Ok(&r.id) {
                // Neither row was given an id: they name the same record and say different things.
                return RowResult::Bad(vec![Issue {
                    place: place.clone(),
                    column: None,
                    field: Some("id".to_owned()),
                    value: String::new(),
                    problem: bi(
                        format!(
                            "this is the record of an earlier row, told differently: {}",
                            at.en
                        ),
                        format!("与前面的一行是同一条记录，但内容不同：{}", at.zh),
                    ),
                    expected: bi(
                        "expected one row for a record; if they are two, give each an id of its own (column id)",
                        "同一条记录只应有一行；若为两条记录，请各填编号（“编号”列）",
                    ),
                }]);
            }
            return RowResult::Bad(vec![Issue {
                place: place.clone(),
                column: None,
                field: Some("id".to_owned()),
                value: shown.clone(),
                problem: bi(
                    format!("the id `{shown}` is taken by another record: {}", at.en),
                    format!("编号“{shown}”已被另一条记录使用：{}", at.zh),
                ),
                expected: bi(
                    "expected an id of its own for each record",
                    "每条记录应有自己的编号",
                ),
            }]);
        }
        let sheet = match self.sheets.iter().position(|s| *s == place.sheet) {
            Some(i) => i,
            None => {
                self.sheets.push(place.sheet.clone());
                self.sheets.len() - 1
            }
        };
        self.ids.insert(
            key,
            First {
                content,
                sheet: sheet as u32,
                row: place.row,
            },
        );
        RowResult::Record(Box::new(record))
    }
}

fn short(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    out
}
