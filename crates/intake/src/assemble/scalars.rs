//! How values are read: as text, as lists, as codes, amounts and days.

use super::{Draft, Given, Value};
use crate::{
    Cell,
    columns::{
        Field::{self, *},
        header,
    },
    error::bi,
    values::{
        Amount, Refusal, Splitter, When, cooperation_modes, field_category, is_free, read_amount,
        read_date, read_region, split,
    },
};
use queqiao_domain::{
    AmountRange, Bilingual, CodeError, DisciplineCode, IdError, IndustryCode, Link, Record,
    Relation,
};
use serde_json::Value as Json;
use std::{collections::HashMap, str::FromStr};

/// An id that cannot be kept.
pub(super) fn bad_id(e: &IdError) -> Refusal {
    Refusal {
        problem: e.message(),
        expected: bi(
            "expected at most 256 ASCII characters, or some 28 Chinese ones; leave it empty to have one made",
            "至多 256 个 ASCII 字符（约 28 个汉字）；留空则自动生成",
        ),
    }
}

fn expects_text() -> Bilingual {
    bi("expected text", "应为文本")
}

impl Draft<'_> {
    /// The value as text; an issue when it has another shape.
    pub(super) fn plain(&mut self, field: Field, g: &Given) -> Option<String> {
        match &g.value {
            Value::Text(t) => Some(t.clone()),
            Value::Number(n) => Some(Cell::Number(*n).text()),
            Value::Day(d) => Some(Cell::Date(*d).text()),
            Value::Json(Json::String(s)) => Some(s.clone()),
            Value::Json(v @ (Json::Number(_) | Json::Bool(_))) => Some(v.to_string()),
            Value::Json(Json::Null) => None,
            Value::Json(Json::Array(a)) if a.iter().all(|v| !v.is_object() && !v.is_array()) => {
                Some(a.iter().map(super::scalar).collect::<Vec<_>>().join("\n"))
            }
            Value::Json(v) => {
                let shown = v.to_string();
                let r = super::wrong_shape(
                    "an object or a nested list / 对象或嵌套列表",
                    expects_text(),
                );
                self.refuse(
                    Some(g.at.clone()),
                    Some(field.path()),
                    &shown,
                    field.is_sealed(),
                    r,
                );
                None
            }
        }
    }

    pub(super) fn text(&mut self, field: Field, g: &Given, slot: &mut String) {
        if let Some(t) = self.plain(field, g) {
            if slot.is_empty() {
                *slot = t;
            } else if *slot != t && !t.is_empty() {
                slot.push('\n');
                slot.push_str(&t);
            }
        }
    }

    pub(super) fn line(&mut self, field: Field, g: &Given, slot: &mut String) {
        if let Some(t) = self.plain(field, g) {
            // A line break in a cell for a name is layout; a JSON string is taken as it is.
            *slot = if matches!(g.value, Value::Text(_)) && t.contains('\n') {
                t.split('\n')
                    .map(str::trim)
                    .filter(|p| !p.is_empty())
                    .collect::<Vec<_>>()
                    .join(" ")
            } else {
                t
            };
        }
    }

    pub(super) fn entries(&mut self, g: &Given, field: Field, by: Splitter) -> Vec<String> {
        if let Value::Json(Json::Array(a)) = &g.value
            && a.iter().all(|v| !v.is_object() && !v.is_array())
        {
            return a.iter().map(super::scalar).collect();
        }
        self.plain(field, g)
            .map_or_else(Vec::new, |t| split(&t, by))
    }

    pub(super) fn words(&mut self, g: &Given, field: Field, by: Splitter, slot: &mut Vec<String>) {
        let new = self.entries(g, field, by);
        if slot.is_empty() {
            *slot = new;
        } else {
            for e in new {
                push_new(slot, e);
            }
        }
    }

    /// The entries of a list of codes or names; a name may itself hold a separator.
    fn code_entries(
        &mut self,
        g: &Given,
        field: Field,
        known: fn(&mut Self, &str) -> bool,
    ) -> Vec<String> {
        let mut out = Vec::new();
        for e in self.entries(g, field, Splitter::Sentences) {
            if known(self, &e) {
                out.push(e);
            } else {
                out.extend(split(&e, Splitter::Words));
            }
        }
        out
    }

    pub(super) fn disciplines(&mut self, g: &Given, r: &mut Record) {
        let known = |_: &mut Self, t: &str| one_code::<DisciplineCode>(t).is_ok();
        for e in self.code_entries(g, Disciplines, known) {
            // Forms use other lists of disciplines than GB/T 13745 (学位授予 …): where the column does
            // not ask for a code, a name of another list is kept as a keyword.
            let by_name = !header::key(&g.at.name).contains("代码")
                && !g.at.name.to_lowercase().contains("code")
                && !e.chars().any(|c| c.is_ascii_digit());
            if by_name && !is_free(&e) && one_code::<DisciplineCode>(&e).is_err() {
                push_new(&mut r.keywords, e);
            } else if let Some(d) = self.parse(Disciplines, g, &e, one_code) {
                push_new(&mut r.disciplines, d);
            }
        }
    }

    pub(super) fn industries(&mut self, g: &Given, r: &mut Record) {
        for e in self.code_entries(g, Industries, |d, t| d.memo.industry(t).is_ok()) {
            let found = self.memo.industry(&e);
            // 新材料, 先进制造 … sort needs in every form and are no industries of the standard.
            if found.is_err() && field_category(&e) {
                push_new(&mut r.keywords, e);
            } else if let Some(i) = self.parse(Industries, g, &e, |_| found) {
                push_new(&mut r.industries, i);
            }
        }
    }

    /// Parses one entry; words for "none" are kept, anything else that does not parse is an issue.
    pub(super) fn parse<T>(
        &mut self,
        field: Field,
        g: &Given,
        entry: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        match parse(entry) {
            Ok(v) => Some(v),
            Err(_) if is_free(entry) => {
                self.keep_words(field, &g.at, entry);
                None
            }
            Err(r) => {
                self.refuse(
                    Some(g.at.clone()),
                    Some(field.path()),
                    entry,
                    field.is_sealed(),
                    r,
                );
                None
            }
        }
    }

    pub(super) fn code<T>(
        &mut self,
        field: Field,
        g: &Given,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
        set: impl FnOnce(&mut Self, T),
    ) {
        if let Some(t) = self.plain(field, g)
            && !t.trim().is_empty()
            && let Some(v) = self.parse(field, g, &t, parse)
        {
            set(self, v);
        }
    }

    pub(super) fn amount(
        &mut self,
        field: Field,
        g: &Given,
        set: impl FnOnce(&mut Self, AmountRange),
    ) {
        let unit = g.unit;
        self.code(
            field,
            g,
            |t| read_amount(t, unit),
            |draft, a| match a {
                Amount::Range(r) => set(draft, r),
                Amount::Free => {
                    if let Some(t) = draft.plain(field, g) {
                        draft.keep_words(field, &g.at, &t);
                    }
                }
            },
        );
    }

    pub(super) fn day(&mut self, field: Field, g: &Given, set: impl FnOnce(&mut Self, When)) {
        let day_of_cell = match g.value {
            Value::Day(serial) => crate::cell::serial_date(serial),
            // A bare number is a serial number only where no year and no 20261123 can be meant.
            Value::Number(n) if (20_000.0..200_000.0).contains(&n) => crate::cell::serial_date(n),
            _ => None,
        };
        if let Some(d) = day_of_cell {
            set(self, When::Day(d));
            return;
        }
        self.code(
            field,
            g,
            |t| read_date(t, field != ValidFrom),
            |draft, w| {
                if w == When::Free
                    && let Some(t) = draft.plain(field, g)
                {
                    draft.keep_words(field, &g.at, &t);
                }
                set(draft, w);
            },
        );
    }

    pub(super) fn modes(&mut self, g: &Given, slot: &mut Vec<queqiao_domain::CooperationMode>) {
        for entry in self.entries(g, Modes, Splitter::Words) {
            match cooperation_modes(&entry) {
                Ok((modes, free)) => {
                    for m in modes {
                        push_new(slot, m);
                    }
                    if free {
                        self.keep_words(Modes, &g.at, &entry);
                    }
                }
                Err(r) => self.refuse(Some(g.at.clone()), Some(Modes.path()), &entry, false, r),
            }
        }
    }

    pub(super) fn links(&mut self, g: &Given, field: Field, relation: Relation, r: &mut Record) {
        for target in self.entries(g, field, Splitter::Words) {
            if !target.is_empty() && !is_free(&target) {
                push_new(&mut r.links, Link { relation, target });
            }
        }
    }

    pub(super) fn contact(
        &mut self,
        g: &Given,
        field: Field,
        slot: fn(&mut queqiao_domain::Contact) -> &mut String,
    ) {
        if let Some(t) = self.plain(field, g) {
            let slot = slot(&mut self.contact);
            if slot.is_empty() {
                *slot = t;
            } else if *slot != t && !t.is_empty() {
                slot.push('；');
                slot.push_str(&t);
            }
        }
    }

    /// 省, 市 and 区 in columns of their own name one region together.
    pub(super) fn region_part(&mut self, field: Field, g: &Given) {
        let Some(t) = self.plain(field, g) else {
            return;
        };
        let t = t.trim();
        if t.is_empty() || matches!(t, "市辖区" | "县" | "-" | "—" | "/") {
            return;
        }
        let whole = match self
            .region
            .filter(|_| field != Province && !t.starts_with(|c: char| c.is_ascii_digit()))
        {
            Some(within) => format!("{}{t}", within.full_name()),
            None => t.to_owned(),
        };
        if let Some(v) = self.parse(field, g, t, |t| {
            read_region(&whole).or_else(|e| read_region(t).map_err(|_| e))
        }) {
            self.meet_region(v);
        }
    }

    /// Two columns for the region must agree; the finer one counts.
    pub(super) fn meet_region(&mut self, new: queqiao_domain::RegionCode) {
        match self.region {
            Some(old) if old.is_within(new) => {}
            Some(old) if !new.is_within(old) => {
                let r = Refusal {
                    problem: bi(
                        format!(
                            "the columns name different regions: {} and {}",
                            old.full_name(),
                            new.full_name()
                        ),
                        format!(
                            "各列所填地区不一致：{}与{}",
                            old.full_name(),
                            new.full_name()
                        ),
                    ),
                    expected: bi("expected one region", "应填写同一地区"),
                };
                self.refuse(None, Some("region"), &new.full_name(), false, r);
            }
            _ => self.region = Some(new),
        }
    }
}

pub(super) fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

pub(super) fn coded<T: FromStr<Err = CodeError>>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(Refusal::from)
}

/// Industries met before: a wrong name is compared with two thousand right ones, and the same wrong
/// name stands in row after row.
#[derive(Default)]
pub(crate) struct Memo {
    industries: HashMap<String, Result<IndustryCode, Refusal>>,
}

impl Memo {
    fn industry(&mut self, text: &str) -> Result<IndustryCode, Refusal> {
        if let Some(known) = self.industries.get(text) {
            return known.clone();
        }
        let found = one_code(text);
        if self.industries.len() >= 10_000 {
            self.industries.clear();
        }
        self.industries.insert(text.to_owned(), found.clone());
        found
    }
}

/// Reads a code or a name, also where both stand side by side (`C39 计算机…`) or as the end of a
/// path (`制造业-专用设备制造业`).
fn one_code<T: FromStr<Err = CodeError>>(text: &str) -> Result<T, Refusal> {
    let t = text.trim();
    let first = t.split([' ', '\u{3000}', ':', '：', '(', '（']).next();
    if let Some(code) = first.filter(|f| f.len() < t.len() && f.is_ascii())
        && let Ok(v) = code.parse()
    {
        return Ok(v);
    }
    t.parse().or_else(|e| {
        let last = t.rsplit(['-', '/', '>', '—', '－']).next();
        first
            .into_iter()
            .chain(last)
            .filter(|p| p.len() < t.len())
            .find_map(|p| p.parse().ok())
            .ok_or_else(|| Refusal::from(e))
    })
}
