//! What an event's sheets have told so far.

use crate::{
    rules::both,
    sheet::{Row, Slips},
};
use queqiao_domain::nearest;
use queqiao_events::{
    conflict::same_name_key,
    event::{Event, Side},
};
use queqiao_intake::Cell;
use std::collections::HashMap;

pub(crate) const DAY: i64 = 1_440;

/// Whom a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// An attendee.
    One(usize),
    /// Several of that name.
    Many,
}

pub(crate) struct Reader {
    pub(crate) event: Event,
    pub(crate) slips: Slips,
    /// Id, name or (for enterprises) organisation → attendee.
    pub(crate) known: HashMap<String, Known>,
    pub(crate) known_needs: HashMap<String, usize>,
}

impl Reader {
    pub(crate) fn new(event: Event) -> Self {
        Self {
            event,
            slips: Slips::default(),
            known: HashMap::new(),
            known_needs: HashMap::new(),
        }
    }

    /// The attendee that a cell names.
    pub(crate) fn who(&mut self, row: Row<'_>, field: &str) -> Option<usize> {
        let text = row.text(field);
        match self.known.get(&same_name_key(&text)) {
            Some(Known::One(i)) => return Some(*i),
            Some(Known::Many) => {
                self.slips.add(
                    row,
                    field,
                    both(
                        format!("several participants are called {text}"),
                        format!("有多位参会者名为 {text}"),
                    ),
                    both("expected the id of one", "应填写其中一位的编号"),
                );
                return None;
            }
            None => {}
        }
        if text.trim().is_empty() {
            self.slips.add(
                row,
                field,
                both("nobody is named", "没有填写人员"),
                both(
                    "expected a participant's id or name; a column with another heading than docs/events.md has is not read",
                    "应为参会者的编号或姓名；列名与 docs/events.md 所列不同的列不会被读取",
                ),
            );
            return None;
        }
        let names = self.event.attendees.iter().map(|a| a.profile.name.as_str());
        let (en, zh) = nearest(&text, names).map_or((String::new(), String::new()), |n| {
            (format!("; did you mean {n}?"), format!("；是否为 {n}？"))
        });
        self.slips.add(
            row,
            field,
            both(
                format!("{text} does not attend"),
                format!("{text} 不在参会之列"),
            ),
            both(
                format!("expected a participant's id or name{en}"),
                format!("应为参会者的编号或姓名{zh}"),
            ),
        );
        None
    }

    /// The need that a cell names.
    pub(crate) fn need(&mut self, row: Row<'_>, field: &str) -> Option<usize> {
        let found = self.find_need(&row.text(field));
        if found.is_none() {
            self.slips.add(
                row,
                field,
                both("there is no such need", "没有这项需求"),
                both("expected an id of the needs' sheet", "应为需求表中的编号"),
            );
        }
        found
    }

    pub(crate) fn find_need(&self, text: &str) -> Option<usize> {
        self.known_needs.get(&same_name_key(text)).copied()
    }

    /// The expert that a cell names.
    pub(crate) fn expert(&mut self, row: Row<'_>, field: &str) -> Option<usize> {
        let found = self.who(row, field)?;
        if self.event.attendees[found].side == Side::Answers {
            return Some(found);
        }
        self.slips.add(
            row,
            field,
            both("this is no expert", "不是专家"),
            both("expected an expert's id or name", "应为专家的编号或姓名"),
        );
        None
    }

    /// Minutes from the first day's midnight: the cell's own day, that of `day`, or the first.
    pub(crate) fn moment(&mut self, row: Row<'_>, day: Option<&str>, field: &str) -> Option<i64> {
        let cell = row.cell(field);
        let Some(minute) = cell.minute() else {
            self.slips.add(
                row,
                field,
                both("this is no time", "不是时间"),
                both(
                    "expected such as 9:30, or 2026-11-26 9:30",
                    "应为 9:30 或 2026-11-26 9:30",
                ),
            );
            return None;
        };
        let own = match cell {
            Cell::Text(t) if !t.trim().contains([' ', 'T']) => None,
            Cell::Number(n) | Cell::Date(n) if *n < 1.0 => None,
            other => other.day(),
        };
        let told = day.filter(|f| !row.cell(f).is_blank());
        let date = match (own, told) {
            (Some(d), _) => Some(d),
            (None, Some(f)) => match row.cell(f).day() {
                Some(d) => Some(d),
                None => {
                    self.slips.add(
                        row,
                        f,
                        both("this is no day", "不是日期"),
                        both("expected such as 2026-11-26", "应为 2026-11-26 之类"),
                    );
                    return None;
                }
            },
            (None, None) => self.event.days.first().copied(),
        };
        let place = self.event.days.iter().position(|d| Some(*d) == date);
        if place.is_none() {
            let days: Vec<String> = self.event.days.iter().map(ToString::to_string).collect();
            let days = days.join(", ");
            self.slips.add(
                row,
                told.unwrap_or(field),
                both("the event is not on that day", "不在活动日期内"),
                both(format!("expected {days}"), format!("应为 {days}")),
            );
        }
        place.map(|d| d as i64 * DAY + minute)
    }
}
