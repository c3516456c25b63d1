//! From the values of one row to one checked record, or to all that is wrong with it.

mod fill;
mod scalars;
mod structured;

pub(crate) use scalars::Memo;

use crate::{
    Cell, Column, Issue, Place,
    columns::{Field, Plan, Use, header},
    error::bi,
    id,
    issue::shown_value,
    values::{Refusal, Unit},
};
use queqiao_domain::{
    AmountRange, Bilingual, CheckLimits, CheckedRecord, Contact, Detail, Kind, Organisation,
    Record, RecordId, RegionCode, Uscc, Violation,
};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

/// A value as the file gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// The text of a cell, without white space at its ends.
    Text(String),
    /// A number of a spreadsheet.
    Number(f64),
    /// A day of a spreadsheet (serial number).
    Day(f64),
    /// A value of a JSON document, taken as it is.
    Json(Json),
}

/// A value with the column it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) at: Column,
    pub(crate) value: Value,
    pub(crate) unit: Option<Unit>,
    pub(crate) rank: usize,
}

/// The prefix of a cell that holds JSON: written by the exporter where a plain cell could not be
/// read back exactly (white space at the ends, a separator inside a list's entry).
pub(crate) const JSON_PREFIX: &str = "json:";

/// The values of one row, sorted by the fields they fill.
pub(crate) struct Draft<'m> {
    memo: &'m mut Memo,
    kind: Kind,
    place: Place,
    given: BTreeMap<Field, Vec<Given>>,
    attributes: BTreeMap<String, String>,
    attribute_columns: HashMap<String, Column>,
    issues: Vec<Issue>,
    // What several columns build together.
    id: Option<RecordId>,
    contact: Contact,
    organisation: Option<Organisation>,
    uscc: Option<Uscc>,
    region: Option<RegionCode>,
    bounds: [Option<f64>; 2],
    /// Passages of numbered columns: number, index in the record.
    numbered: Vec<(u32, usize)>,
}

impl<'m> Draft<'m> {
    pub(crate) fn new(kind: Kind, place: Place, memo: &'m mut Memo) -> Self {
        Draft {
            memo,
            kind,
            place,
            given: BTreeMap::new(),
            attributes: BTreeMap::new(),
            attribute_columns: HashMap::new(),
            issues: Vec::new(),
            id: None,
            contact: Contact::default(),
            organisation: None,
            uscc: None,
            region: None,
            bounds: [None, None],
            numbered: Vec::new(),
        }
    }

    /// Takes the cells of a table's row. `kind_is_told` says that the row's own 类型 column told
    /// the kind, and so is no attribute.
    pub(crate) fn take_cells(&mut self, plan: &Plan, cells: &[Cell], kind_is_told: bool) {
        let mut longer: HashMap<usize, String> = HashMap::new();
        for (i, c) in plan.columns.iter().enumerate() {
            if let (Use::Continues(first), Some(Cell::Text(t))) = (&c.used, cells.get(i)) {
                longer
                    .entry(*first)
                    .or_insert_with(|| cells.get(*first).map(Cell::text).unwrap_or_default())
                    .push_str(t);
            }
        }
        for (i, c) in plan.columns.iter().enumerate() {
            let value = match (longer.remove(&i), cells.get(i)) {
                (Some(text), _) => cell_text(&text),
                (None, Some(Cell::Text(t))) => cell_text(t),
                (None, Some(Cell::Number(n))) => Some(Value::Number(*n)),
                (None, Some(Cell::Date(d))) => Some(Value::Day(*d)),
                (None, Some(Cell::Bool(b))) => Some(Value::Text(b.to_string())),
                (None, Some(Cell::Error(e))) => {
                    if matches!(&c.used, Use::Field(f, _) if !f.is_aside()) {
                        let r = Refusal::new(
                            ("a formula in this cell failed", "单元格公式出错"),
                            (
                                "expected a value: mend the formula or type the value",
                                "请修正公式或直接填写数值",
                            ),
                        );
                        self.refuse(Some(c.at.clone()), None, e, false, r);
                    }
                    None
                }
                (None, Some(Cell::Empty) | None) => None,
            };
            let Some(value) = value else { continue };
            match &c.used {
                Use::Field(Field::WeakKind, _) if kind_is_told => {}
                Use::Field(f, unit) => self.give(
                    *f,
                    Given {
                        at: c.at.clone(),
                        value,
                        unit: *unit,
                        rank: c.rank,
                    },
                ),
                Use::Attribute(name) => self.attribute(name, &c.at, value),
                Use::Refused(_) | Use::Continues(_) => {}
            }
        }
        // A row may be longer than its header: what stands there is kept under the column's letter.
        for (i, cell) in cells.iter().enumerate().skip(plan.columns.len()) {
            if !cell.is_blank() {
                let letter = crate::cell::letters(i);
                let at = Column {
                    name: String::new(),
                    letter: letter.clone(),
                };
                self.attribute(
                    &format!("column {letter}"),
                    &at,
                    Value::Text(cell.text().trim().to_owned()),
                );
            }
        }
    }

    /// Takes a value for a field.
    pub(crate) fn give(&mut self, field: Field, given: Given) {
        match field {
            Field::RowNumber | Field::ErrorColumn => {}
            // Where the caller gave the kind, a column named so may mean something else.
            Field::KindName if told_kind(&given.value) => {}
            Field::KindName | Field::WeakKind => {
                let name = header::read(&given.at.name).name;
                self.attribute(&name, &given.at.clone(), given.value);
            }
            _ => self.given.entry(field).or_default().push(given),
        }
    }

    /// Keeps a value under a name of its own.
    pub(crate) fn attribute(&mut self, name: &str, at: &Column, value: Value) {
        let text = match value {
            Value::Json(Json::String(s)) => s,
            Value::Json(Json::Null) => return,
            Value::Json(Json::Array(a)) if a.is_empty() => return,
            Value::Json(Json::Object(o)) if o.is_empty() => return,
            Value::Json(Json::Array(a)) if a.iter().all(|v| v.is_string() || v.is_number()) => {
                a.iter().map(scalar).collect::<Vec<_>>().join("；")
            }
            Value::Json(v) => scalar(&v),
            Value::Text(t) => t,
            Value::Number(n) => Cell::Number(n).text(),
            Value::Day(d) => Cell::Date(d).text(),
        };
        if !text.is_empty() {
            self.attribute_columns.insert(name.to_owned(), at.clone());
            self.attributes.insert(name.to_owned(), text);
        }
    }

    /// Adds an issue.
    pub(crate) fn refuse(
        &mut self,
        column: Option<Column>,
        field: Option<&str>,
        value: &str,
        sealed: bool,
        r: Refusal,
    ) {
        self.issues.push(Issue {
            place: self.place.clone(),
            column,
            field: field.map(str::to_owned),
            value: shown_value(value, sealed),
            problem: r.problem,
            expected: r.expected,
        });
    }

    /// True when nothing was given at all.
    pub(crate) fn is_blank(&self) -> bool {
        self.given.is_empty() && self.attributes.is_empty() && self.issues.is_empty()
    }

    /// Builds the record and checks every rule.
    pub(crate) fn finish(mut self, limits: &CheckLimits) -> Result<CheckedRecord, Vec<Issue>> {
        // Holds the place until the true id is known.
        let Ok(provisional) = RecordId::new("0") else {
            return Err(self.issues);
        };
        let mut record = Record::new(provisional, self.kind);
        let given = std::mem::take(&mut self.given);
        let columns: Vec<(Field, Vec<Column>)> = given
            .iter()
            .map(|(f, g)| (*f, g.iter().map(|g| g.at.clone()).collect()))
            .collect();
        let values: HashMap<Field, String> = given
            .iter()
            .filter(|(f, _)| !f.is_sealed())
            .filter_map(|(f, g)| match &g.first()?.value {
                Value::Text(t) => Some((*f, t.chars().take(200).collect())),
                Value::Json(Json::String(t)) => Some((*f, t.chars().take(200).collect())),
                _ => None,
            })
            .collect();
        for (field, mut list) in given {
            if !field.takes_several() && list.len() > 1 {
                list.sort_by_key(|g| g.rank);
                let first = list.first().map(|g| g.value.clone());
                for extra in list.split_off(1) {
                    if Some(&extra.value) != first.as_ref() {
                        let name = header::read(&extra.at.name).name;
                        self.attribute(&name, &extra.at, extra.value);
                    }
                }
            }
            self.fill(field, list, &mut record);
        }
        self.close(&mut record);
        record.attributes = std::mem::take(&mut self.attributes);
        match self.id.take().map_or_else(|| id::derive(&record), Ok) {
            Ok(id) => record.id = id,
            Err(e) => self.refuse(None, Some("id"), "", false, scalars::bad_id(&e)),
        }
        let has_text = record.has_text();
        match record.check(limits) {
            Ok(r) if self.issues.is_empty() => Ok(r),
            Ok(_) => Err(self.issues),
            Err(violations) => {
                let told = !self.issues.is_empty();
                for v in violations {
                    // A value that was refused leaves a gap; the gap is not told twice.
                    if has_text || !told || v.field != "title" {
                        self.violation(v, &columns, &values);
                    }
                }
                Err(self.issues)
            }
        }
    }

    /// What columns build together.
    fn close(&mut self, record: &mut Record) {
        if let Some(uscc) = self.uscc {
            match &mut self.organisation {
                Some(o) => o.uscc = Some(uscc),
                // An organisation's own code.
                None if matches!(
                    self.kind,
                    Kind::Enterprise | Kind::Institution | Kind::Society
                ) && !record.title.trim().is_empty() =>
                {
                    self.organisation = Some(Organisation {
                        name: record.title.clone(),
                        uscc: Some(uscc),
                    });
                }
                None => {
                    let r = Refusal::new(
                        (
                            "the code stands without the organisation's name",
                            "有统一社会信用代码而无单位名称",
                        ),
                        (
                            "expected the organisation's name in its own column",
                            "请在单位名称列填写名称",
                        ),
                    );
                    self.refuse(None, Some("organisation.uscc"), uscc.as_str(), false, r);
                }
            }
        }
        record.organisation = self.organisation.take();
        record.region = self.region;
        if self.contact != Contact::default() {
            record.set_contact(Some(std::mem::take(&mut self.contact)));
        }
        if self.bounds != [None, None] {
            let [min, max] = self.bounds;
            let slot = match &mut record.detail {
                Detail::Need(d) => Some(&mut d.budget),
                Detail::Achievement(d) => Some(&mut d.price),
                _ => None,
            };
            if let Some(slot) = slot
                && slot.is_none()
            {
                *slot = Some(AmountRange { min, max });
            }
        }
    }

    fn violation(
        &mut self,
        v: Violation,
        columns: &[(Field, Vec<Column>)],
        values: &HashMap<Field, String>,
    ) {
        let root = v.field.split('[').next().unwrap_or(&v.field).to_owned();
        let found = columns.iter().find(|(f, _)| f.path() == root);
        let column = match v.field.strip_prefix("attributes.") {
            Some(name) => self.attribute_columns.get(name).cloned(),
            None => found.and_then(|(_, c)| c.first().cloned()),
        };
        let value = found
            .and_then(|(f, _)| values.get(f))
            .cloned()
            .unwrap_or_default();
        self.issues.push(Issue {
            place: self.place.clone(),
            column,
            field: Some(v.field),
            value: shown_value(&value, found.is_some_and(|(f, _)| f.is_sealed())),
            problem: v.problem,
            expected: v.expected,
        });
    }

    /// Keeps words that name no value on purpose (面议, 不限) under the field's own Chinese name.
    fn keep_words(&mut self, field: Field, at: &Column, text: &str) {
        let name = crate::columns::export_names(self.kind, field).0;
        self.attribute(name, at, Value::Text(text.to_owned()));
    }
}

/// A cell's text as a value: trimmed, line ends as `\n`, exact where the exporter says so. The line
/// breaks that Word leaves in a pasted text (vertical tab, form feed) are line ends too, and its
/// cell mark (bell) is nothing: nobody could see and mend them.
fn cell_text(t: &str) -> Option<Value> {
    let text = t.trim();
    if text.is_empty() {
        return None;
    }
    if let Some(json) = text.strip_prefix(JSON_PREFIX)
        && let Ok(v) = serde_json::from_str::<Json>(json)
    {
        return Some(Value::Json(v));
    }
    if !text.contains(['\r', '\u{b}', '\u{c}', '\u{7}']) {
        return Some(Value::Text(text.to_owned()));
    }
    let text = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{b}', '\u{c}'], "\n")
        .replace('\u{7}', "");
    let text = text.trim();
    (!text.is_empty()).then(|| Value::Text(text.to_owned()))
}

/// Whether a cell with this text has just this text as its value.
pub(crate) fn is_plain(t: &str) -> bool {
    matches!(cell_text(t), Some(Value::Text(text)) if text == t)
}

fn told_kind(v: &Value) -> bool {
    match v {
        Value::Text(t) | Value::Json(Json::String(t)) => t.parse::<Kind>().is_ok(),
        _ => false,
    }
}

/// A JSON value as text: a string as it is, anything else in JSON.
pub(crate) fn scalar(v: &Json) -> String {
    match v {
        Json::String(s) => s.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// What is wrong with a JSON value of the wrong shape.
pub(crate) fn wrong_shape(e: &str, expected: Bilingual) -> Refusal {
    Refusal {
        problem: bi(
            format!("the value has another shape: {e}"),
            format!("值的结构不符：{e}"),
        ),
        expected,
    }
}
