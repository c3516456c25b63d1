//! The plan of an event as sheets of a workbook.

use super::{
    json::{clock, day, until},
    lists::{left_out, lists, standby},
    times::{by_person, by_slot, by_table, grid},
};
use crate::book::{Book, Done, Look, Page, Rows, Value};
use queqiao_events::{
    event::Event,
    plan::{ChangeKind, EventPlan, Spot},
};

/// The sheets of lists and timetables.
pub(crate) fn sheets(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    if !plan.changes.is_empty() {
        changes(book, event, plan)?;
    }
    lists(book, event, plan, true)?;
    lists(book, event, plan, false)?;
    grid(book, event, plan)?;
    by_slot(book, event, plan)?;
    by_table(book, event, plan)?;
    by_person(book, event, plan)?;
    left_out(book, plan)?;
    standby(book, event, plan)?;
    all_meetings(book, event, plan)
}

/// Rows of the overview.
pub(crate) fn overview(book: &Book, event: &Event, plan: &EventPlan) -> Rows {
    let f = plan.figures(event);
    let share = |a: f64, b: f64| if b > 0.0 { 100.0 * a / b } else { 100.0 };
    let bound = |worth: f64, bound: f64| {
        let text = book.say("of at most", "理论上限");
        Value::Text(format!("{text} {bound:.3} ({:.2}%)", share(worth, bound)))
    };
    let days: Vec<String> = event.days.iter().map(ToString::to_string).collect();
    let of = |a: usize, b: usize| Value::Text(format!("{a} / {b}"));
    let mut rows = vec![
        [
            book.text("days", "日期"),
            days.join(", ").into(),
            book.text("", ""),
        ],
        [
            book.text("slots × tables", "时段 × 桌位"),
            Value::Text(format!("{} × {}", event.slots.len(), event.tables.len())),
            Value::Text(format!(
                "{} {}",
                f.seats,
                book.say("seats for meetings", "个会面席位")
            )),
        ],
        [
            book.text("needs with a meeting", "有会面的需求"),
            of(f.needs_met, f.needs),
            book.text("of all needs", "占全部需求"),
        ],
        [
            book.text("experts with a meeting", "有会面的专家"),
            of(f.experts_met, f.experts),
            book.text("of all who come", "占到会专家"),
        ],
        [
            book.text("meetings held", "排定的会面"),
            of(f.held, f.listed),
            book.text("of those on the lists", "占名单上的会面"),
        ],
        [
            book.text("worth of the lists", "名单总匹配值"),
            Value::Number(f.listed_worth),
            bound(f.listed_worth, f.listed_bound),
        ],
        [
            book.text("worth of the meetings held", "排定会面总匹配值"),
            Value::Number(f.held_worth),
            bound(f.held_worth, f.held_bound),
        ],
        [
            book.text(
                "how unevenly experts appear",
                "专家出场不均衡度（基尼系数）",
            ),
            Value::Number(f.gini),
            book.text("0 even, 1 uneven", "0 为完全均衡，1 为最不均衡"),
        ],
    ];
    if !f.finished {
        rows.push([
            book.text("stopped early", "提前停止"),
            book.text("the time limit was reached", "已到时间上限"),
            book.text(
                "more time may give a better plan",
                "延长时间可能得到更优方案",
            ),
        ]);
    }
    let mut out: Rows = rows.into_iter().map(|r| (Look::Plain, r.into())).collect();
    for c in &plan.certificates {
        out.push((
            Look::Warn,
            vec![
                book.text("cannot all hold", "无法同时满足"),
                c.describe().get(book.lang).into(),
                book.text("", ""),
            ],
        ));
    }
    out
}

fn changes(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let at = |s: &Option<Spot>| {
        Value::Text(s.as_ref().map_or("—".to_owned(), |s| {
            format!("{} · {}", event.clock(s.begin), s.table)
        }))
    };
    let rows: Rows = plan
        .changes
        .iter()
        .map(|c| {
            let what = match c.kind {
                ChangeKind::Dropped => book.text("dropped", "取消"),
                ChangeKind::Moved => book.text("moved", "改期"),
                ChangeKind::Reseated => book.text("another table", "换桌"),
                ChangeKind::New => book.text("new", "新增"),
            };
            let need = event.needs.iter().find(|n| n.id == c.need);
            let company = need.map_or("", |n| event.attendees[n.attendee].profile.name.as_str());
            let expert = event.attendees.iter().find(|a| a.profile.id == c.expert);
            let look = match c.kind {
                ChangeKind::Dropped => Look::Warn,
                _ => Look::Plain,
            };
            let cells = vec![
                what,
                c.need.as_str().into(),
                need.map_or("", |n| n.title.as_str()).into(),
                company.into(),
                expert
                    .map_or(c.expert.as_str(), |a| a.profile.name.as_str())
                    .into(),
                at(&c.from),
                at(&c.to),
                c.why.get(book.lang).into(),
            ];
            (look, cells)
        })
        .collect();
    let note = book
        .say(
            "Everything that differs from the plan before, for those who have to be told; whatever is not here stays as it was.",
            "与上一版方案不同之处，供逐一通知；未列出的会面一律不变。",
        )
        .to_owned();
    book.table(
        ("Changes", "变动"),
        &note,
        &[
            ("what", "变动", 10.0),
            ("need", "需求编号", 12.0),
            ("title", "需求名称", 28.0),
            ("enterprise", "企业", 20.0),
            ("expert", "专家", 12.0),
            ("was", "原安排", 16.0),
            ("is", "现安排", 16.0),
            ("why", "原因", 28.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn all_meetings(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let rows: Rows = plan
        .held()
        .map(|(_, m, x)| {
            let expert = &event.attendees[m.expert].profile;
            let (begin, end) = event.slots[x.slot];
            let cells = vec![
                event.needs[m.need].id.as_str().into(),
                expert.id.as_str().into(),
                expert.name.as_str().into(),
                day(event, x.slot).into(),
                clock(begin).into(),
                until(end).into(),
                event.tables[x.table].name.as_str().into(),
            ];
            (Look::Plain, cells)
        })
        .collect();
    let note = book
        .say(
            "For programs, and for planning again after a change: keep this sheet as it is.",
            "供程序读取，变动后重新排期时使用：请勿修改此表。",
        )
        .to_owned();
    book.table(
        ("All meetings", "会面总表"),
        &note,
        &[
            ("need", "需求编号", 18.0),
            ("expert", "专家编号", 18.0),
            ("name", "专家姓名", 14.0),
            ("date", "日期", 14.0),
            ("begin", "开始", 10.0),
            ("end", "结束", 10.0),
            ("table", "桌位", 12.0),
        ],
        &rows,
        Page::Portrait,
    )
}

/// Sentences about a part that was not asked for or could not be read.
pub(crate) fn notes(book: &Book, event: &Event) -> Rows {
    event
        .notes
        .iter()
        .map(|n| {
            let cells = vec![
                book.text("noticed on reading", "读取时注意到"),
                n.get(book.lang).into(),
                book.text("", ""),
            ];
            (Look::Warn, cells)
        })
        .collect()
}
