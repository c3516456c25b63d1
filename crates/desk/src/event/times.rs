//! The timetable: all at once, by slot, by table, by person.

use super::json::{clock, day, until};
use crate::book::{Book, Done, Look, Page, Rows, Value};
use queqiao_domain::Lang;
use queqiao_events::{
    event::Event,
    plan::{EventPlan, PlannedMeeting},
    timetable::Place,
};

/// Tables in the sheet that shows the whole day at once.
const GRID: usize = 40;

/// Slots down, tables across: the whole event on one sheet of A3.
pub(super) fn grid(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    if event.tables.len() > GRID {
        return Ok(());
    }
    let mut cells: Vec<Vec<String>> =
        vec![vec![String::new(); event.tables.len()]; event.slots.len()];
    for (x, _, _, company, expert) in held(event, plan) {
        cells[x.slot][x.table] = format!("{company}\n{expert}");
    }
    let several = event.days.len() > 1;
    let rows: Rows = cells
        .into_iter()
        .enumerate()
        .map(|(slot, cells)| {
            let when = if several {
                format!("{}\n{}", day(event, slot), range(event, slot))
            } else {
                range(event, slot)
            };
            let row = std::iter::once(when)
                .chain(cells)
                .map(Value::Text)
                .collect();
            (Look::Plain, row)
        })
        .collect();
    let mut columns: Vec<(&str, &str, f64)> = vec![("time", "时间", 13.0)];
    columns.extend(event.tables.iter().map(|t| (&*t.name, &*t.name, 11.0)));
    let note = book
        .say(
            "The whole event at a glance: slots down, tables across; enterprise above, expert below.",
            "全天一览：纵向为时段，横向为桌位；每格上为企业、下为专家。",
        )
        .to_owned();
    book.table(
        ("Day at a glance", "日程总表"),
        &note,
        &columns,
        &rows,
        Page::Wide,
    )
}

/// Held meetings in an order, with the parts people read.
fn held<'a>(
    event: &'a Event,
    plan: &'a EventPlan,
) -> Vec<(Place, &'a PlannedMeeting, &'a str, &'a str, &'a str)> {
    plan.held()
        .map(|(_, m, x)| {
            let need = &event.needs[m.need];
            (
                x,
                m,
                need.title.as_str(),
                event.attendees[need.attendee].profile.name.as_str(),
                event.attendees[m.expert].profile.name.as_str(),
            )
        })
        .collect()
}

pub(crate) fn range(event: &Event, slot: usize) -> String {
    let (a, b) = event.slots[slot];
    format!("{}–{}", clock(a), until(b))
}

pub(super) fn by_slot(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let mut order = held(event, plan);
    order.sort_by_key(|x| x.0);
    let mut last = usize::MAX;
    let rows: Rows = order
        .iter()
        .map(|(x, _, title, company, expert)| {
            let first = x.slot != last;
            last = x.slot;
            let look = if first { Look::Group } else { Look::Plain };
            (
                look,
                vec![
                    day(event, x.slot).into(),
                    range(event, x.slot).into(),
                    event.tables[x.table].name.as_str().into(),
                    (*company).into(),
                    (*expert).into(),
                    (*title).into(),
                ],
            )
        })
        .collect();
    let note = book
        .say(
            "Who meets whom at which table, slot by slot.",
            "逐时段列出各桌会面。",
        )
        .to_owned();
    book.table(
        ("By slot", "按时段"),
        &note,
        &[
            ("day", "日期", 12.0),
            ("time", "时间", 14.0),
            ("table", "桌位", 8.0),
            ("enterprise", "企业", 28.0),
            ("expert", "专家", 14.0),
            ("need", "需求", 40.0),
        ],
        &rows,
        Page::Landscape,
    )
}

pub(super) fn by_table(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let mut order = held(event, plan);
    order.sort_by_key(|x| (x.0.table, x.0.slot));
    let mut last = usize::MAX;
    let rows: Rows = order
        .iter()
        .map(|(x, _, title, company, expert)| {
            let first = x.table != last;
            last = x.table;
            let t = &event.tables[x.table];
            let site = event.sites.get(t.site).cloned().unwrap_or_default();
            let look = if first { Look::Group } else { Look::Plain };
            (
                look,
                vec![
                    t.name.as_str().into(),
                    site.into(),
                    day(event, x.slot).into(),
                    range(event, x.slot).into(),
                    (*company).into(),
                    (*expert).into(),
                    (*title).into(),
                ],
            )
        })
        .collect();
    let note = book
        .say(
            "One card a table: lay it out on the table.",
            "每桌一份日程，可打印置于桌上。",
        )
        .to_owned();
    book.table(
        ("By table", "按桌位"),
        &note,
        &[
            ("table", "桌位", 8.0),
            ("site", "地点", 12.0),
            ("day", "日期", 12.0),
            ("time", "时间", 14.0),
            ("enterprise", "企业", 26.0),
            ("expert", "专家", 14.0),
            ("need", "需求", 36.0),
        ],
        &rows,
        Page::Cards,
    )
}

pub(super) fn by_person(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let mut rows: Rows = Vec::new();
    let all = held(event, plan);
    let zh = book.lang == Lang::Zh;
    for (i, a) in event.attendees.iter().enumerate() {
        let mut mine: Vec<_> = all
            .iter()
            .filter(|x| x.1.expert == i || event.needs[x.1.need].attendee == i)
            .collect();
        mine.sort_by_key(|x| x.0);
        for (k, (x, m, title, company, expert)) in mine.into_iter().enumerate() {
            let with = if m.expert == i { *company } else { *expert };
            let side = match (m.expert == i, zh) {
                (true, true) => "专家",
                (true, false) => "expert",
                (false, true) => "企业",
                (false, false) => "enterprise",
            };
            let look = if k == 0 { Look::Group } else { Look::Plain };
            rows.push((
                look,
                vec![
                    a.profile.name.as_str().into(),
                    side.into(),
                    day(event, x.slot).into(),
                    range(event, x.slot).into(),
                    event.tables[x.table].name.as_str().into(),
                    with.into(),
                    (*title).into(),
                ],
            ));
        }
    }
    let note = book
        .say("Everybody's own day.", "每位参会者的个人日程。")
        .to_owned();
    book.table(
        ("By person", "按人"),
        &note,
        &[
            ("name", "姓名 / 企业", 26.0),
            ("side", "角色", 9.0),
            ("day", "日期", 12.0),
            ("time", "时间", 14.0),
            ("table", "桌位", 8.0),
            ("meets", "会见", 26.0),
            ("need", "需求", 36.0),
        ],
        &rows,
        Page::Landscape,
    )
}
