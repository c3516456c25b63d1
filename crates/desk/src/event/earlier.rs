//! Plans that were written before: of this event, and of events at the same time.

use super::reader::DAY;
use crate::{
    DeskError,
    names::Kind,
    rules::both,
    sheet::{Row, Sheet, Slips, open},
};
use queqiao_domain::{Bilingual, Date};
use queqiao_events::{
    conflict::same_name_key,
    event::{Event, Side},
    plan::{Earlier, Spot},
};
use std::path::Path;

/// A row of the sheet of all meetings.
struct Line<'a> {
    row: Row<'a>,
    day: Date,
    begin: i64,
    end: i64,
}

/// The lines of the sheet 会面总表 (All meetings).
fn lines<'a>(sheet: &'a Sheet, slips: &mut Slips) -> Vec<Line<'a>> {
    let mut out = Vec::new();
    for row in sheet.rows() {
        let (day, begin) = (row.cell("day").day(), row.cell("begin").minute());
        match (day, begin) {
            (Some(day), Some(begin)) => out.push(Line {
                row,
                day,
                begin,
                end: row.cell("end").minute().unwrap_or(begin + 1),
            }),
            (day, _) => slips.add(
                row,
                if day.is_none() { "day" } else { "begin" },
                both("neither day nor time", "不是日期和时间"),
                both("expected the sheet as it was written", "应保持生成时的内容"),
            ),
        }
    }
    out
}

fn with_lines<T>(path: &Path, read: impl FnOnce(Vec<Line<'_>>) -> T) -> Result<T, DeskError> {
    let (sheets, _) = open(path)?;
    let Some(sheet) = sheets.get(&Kind::Meetings) else {
        return Err(DeskError::Input(Bilingual::new(
            format!(
                "{} has no sheet All meetings: give a workbook that `event plan` wrote",
                path.display()
            ),
            format!(
                "{} 没有“会面总表”：请给出 event plan 生成的工作簿",
                path.display()
            ),
        )));
    };
    let mut slips = Slips::default();
    let found = lines(sheet, &mut slips);
    if slips.0.is_empty() {
        Ok(read(found))
    } else {
        Err(DeskError::Issues(slips.0))
    }
}

/// Reads the meetings of a plan of this event.
///
/// # Errors
/// The workbook does not read, or it is no plan.
pub fn read_earlier(path: &Path, event: &Event) -> Result<Vec<Earlier>, DeskError> {
    with_lines(path, |lines| {
        lines
            .iter()
            .map(|l| {
                // Of another day it stays known, with a time that no slot has.
                let day = event.days.iter().position(|d| *d == l.day);
                let day = day.map_or(-1, |d| d as i64);
                Earlier {
                    need: l.row.text("need"),
                    expert: l.row.text("expert"),
                    spot: Spot {
                        begin: day * DAY + l.begin,
                        table: l.row.text("table"),
                    },
                }
            })
            .collect()
    })
}

/// Takes in the plan of an event at the same time: its experts are busy there, and what they do
/// there counts against what one person may do over all. Gives the number of meetings taken in.
///
/// # Errors
/// The workbook does not read, or it is no plan.
pub fn add_concurrent(path: &Path, event: &mut Event) -> Result<usize, DeskError> {
    with_lines(path, |lines| {
        let mut taken = 0;
        for l in lines {
            let (id, name) = (l.row.text("expert"), l.row.text("name"));
            let same = |a: &str, b: &str| !a.is_empty() && same_name_key(a) == same_name_key(b);
            let days = &event.days;
            let Some(a) = event.attendees.iter_mut().find(|a| {
                a.side == Side::Answers
                    && (same(&a.profile.id, &id) || same(&a.profile.name, &name))
            }) else {
                continue;
            };
            taken += 1;
            a.elsewhere += 1;
            if let Some(d) = days.iter().position(|d| *d == l.day) {
                let midnight = d as i64 * DAY;
                a.absent.push((midnight + l.begin, midnight + l.end));
            }
        }
        taken
    })
}
