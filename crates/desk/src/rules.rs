//! The sheet of rules: what is set, read with its place.

use crate::{
    names::{RULES, rule},
    sheet::{Row, Sheet, Slips},
    values::{count, count_to, number},
};
use queqiao_domain::nearest;
use std::collections::BTreeMap;

/// Rules by field.
pub(crate) struct Rules<'a> {
    found: BTreeMap<&'static str, Row<'a>>,
}

pub(crate) fn both(en: impl Into<String>, zh: impl Into<String>) -> (String, String) {
    (en.into(), zh.into())
}

impl<'a> Rules<'a> {
    /// Reads the sheet; rules that are not among `known` are slips, and so are rules set twice.
    pub(crate) fn read(sheet: Option<&'a Sheet>, known: &[&str], slips: &mut Slips) -> Self {
        let mut found: BTreeMap<&'static str, Row<'a>> = BTreeMap::new();
        for row in sheet.into_iter().flat_map(Sheet::rows) {
            let name = row.text("key");
            let Some(field) = rule(&name).filter(|f| known.contains(f)) else {
                slips.add(
                    row,
                    "key",
                    both("there is no such rule", "没有这条规则"),
                    accepted(&name, known),
                );
                continue;
            };
            if found.insert(field, row).is_some() {
                slips.add(
                    row,
                    "key",
                    both("the rule is set twice", "规则重复"),
                    both("expected each rule once", "每条规则只应出现一次"),
                );
            }
        }
        found.retain(|_, row| !row.cell("value").is_blank());
        Self { found }
    }

    /// The row of a rule, where it is set.
    pub(crate) fn row(&self, field: &str) -> Option<Row<'a>> {
        self.found.get(field).copied()
    }

    pub(crate) fn text(&self, field: &str) -> Option<String> {
        self.row(field).map(|r| r.text("value"))
    }

    /// A whole number from `least` up.
    pub(crate) fn whole(&self, field: &str, least: u32, slips: &mut Slips) -> Option<u32> {
        count(self.row(field)?, "value", least, slips)
    }

    /// A whole number of a range.
    pub(crate) fn whole_to(
        &self,
        field: &str,
        range: (u32, u32),
        slips: &mut Slips,
    ) -> Option<u32> {
        count_to(self.row(field)?, "value", range, slips)
    }

    /// A number from `least` up.
    pub(crate) fn number(&self, field: &str, least: f64, slips: &mut Slips) -> Option<f64> {
        number(self.row(field)?, "value", least, slips)
    }

    /// A number from 0 to 1, or a percentage.
    pub(crate) fn share(&self, field: &str, slips: &mut Slips) -> Option<f64> {
        let row = self.row(field)?;
        let v = number(row, "value", 0.0, slips)?;
        if v <= 1.0 {
            return Some(v);
        }
        slips.add(
            row,
            "value",
            both("this is more than the whole", "超过 1"),
            both(
                "expected 0 to 1, or 0% to 100%",
                "应为 0 至 1，或 0% 至 100%",
            ),
        );
        None
    }

    /// Minutes of a time of day.
    pub(crate) fn minute(&self, field: &str, slips: &mut Slips) -> Option<i64> {
        let row = self.row(field)?;
        let minute = row.cell("value").minute();
        if minute.is_none() {
            slips.add(
                row,
                "value",
                both("this is no time of day", "不是时间"),
                both("expected such as 9:00", "应为 9:00 之类"),
            );
        }
        minute
    }
}

fn accepted(name: &str, known: &[&str]) -> (String, String) {
    let rules = || RULES.iter().filter(|r| known.contains(&r.0));
    let all = || rules().flat_map(|r| r.1.iter().copied());
    let (en, zh) = nearest(name, all()).map_or((String::new(), String::new()), |n| {
        (format!("; did you mean {n}?"), format!("；是否为“{n}”？"))
    });
    let list = |place: usize, sep: &str| {
        rules()
            .filter_map(|r| r.1.get(place).copied())
            .collect::<Vec<_>>()
            .join(sep)
    };
    both(
        format!("expected one of {}{en}", list(1, ", ")),
        format!("应为：{}{zh}", list(0, "、")),
    )
}
