//! Lists per need and per expert, who was left out, whom to call.

use super::{
    json::{day, spot},
    times::range,
};
use crate::book::{Book, Done, Look, Page, Rows, Value};
use queqiao_domain::Lang;
use queqiao_events::{
    event::Event,
    plan::{EventPlan, PlannedMeeting},
};

pub(super) fn lists(book: &mut Book, event: &Event, plan: &EventPlan, by_need: bool) -> Done {
    let mut order: Vec<&PlannedMeeting> = plan.meetings.iter().collect();
    if !by_need {
        order.sort_by(|a, b| a.expert.cmp(&b.expert).then(b.worth.total_cmp(&a.worth)));
    }
    let zh = book.lang == Lang::Zh;
    let mut last = usize::MAX;
    let mut rank = 0;
    let rows: Rows = order
        .into_iter()
        .map(|m| {
            let key = if by_need { m.need } else { m.expert };
            let first = key != last;
            last = key;
            rank = if first { 1 } else { rank + 1 };
            let need = &event.needs[m.need];
            let company = &event.attendees[need.attendee].profile.name;
            let e = &event.attendees[m.expert].profile;
            let when = m.place.map_or_else(
                || if zh { "未排入" } else { "no slot" }.to_owned(),
                |x| spot(event, x),
            );
            let wished = match m.wished {
                2 => {
                    if zh {
                        "双方"
                    } else {
                        "both"
                    }
                }
                1 => {
                    if zh {
                        "一方"
                    } else {
                        "one"
                    }
                }
                _ => "",
            };
            let head: [Value; 3] = if by_need {
                [
                    need.id.as_str().into(),
                    need.title.as_str().into(),
                    company.as_str().into(),
                ]
            } else {
                [
                    e.id.as_str().into(),
                    e.name.as_str().into(),
                    e.organisation.as_str().into(),
                ]
            };
            let tail: [Value; 3] = if by_need {
                [
                    Value::Count(rank),
                    e.name.as_str().into(),
                    e.organisation.as_str().into(),
                ]
            } else {
                [
                    Value::Count(rank),
                    need.title.as_str().into(),
                    company.as_str().into(),
                ]
            };
            let mut cells: Vec<Value> = head.into_iter().chain(tail).collect();
            cells.push(Value::Number(m.worth));
            cells.push(wished.into());
            cells.push(when.into());
            let look = if m.place.is_none() {
                Look::Warn
            } else if first {
                Look::Group
            } else {
                Look::Plain
            };
            (look, cells)
        })
        .collect();
    let end = [
        ("worth", "匹配值", 9.0),
        ("wished by", "意向", 8.0),
        ("when, table", "时间 · 桌位", 18.0),
    ];
    let (name, note, columns) = if by_need {
        (
            ("Lists per need", "需求名单"),
            book.say(
                "The experts recommended for each need, the best first.",
                "每项需求的推荐专家，按匹配值从高到低。",
            ),
            [
                ("need", "需求编号", 12.0),
                ("title", "需求名称", 34.0),
                ("enterprise", "企业", 24.0),
                ("no.", "序", 5.0),
                ("expert", "专家", 12.0),
                ("organisation", "单位", 24.0),
            ],
        )
    } else {
        (
            ("Lists per expert", "专家名单"),
            book.say(
                "The needs that each expert is asked for, the best first.",
                "每位专家对接的需求，按匹配值从高到低。",
            ),
            [
                ("expert", "专家编号", 12.0),
                ("name", "姓名", 12.0),
                ("organisation", "单位", 24.0),
                ("no.", "序", 5.0),
                ("need", "需求名称", 34.0),
                ("enterprise", "企业", 24.0),
            ],
        )
    };
    let note = note.to_owned();
    let columns: Vec<(&str, &str, f64)> = columns.into_iter().chain(end).collect();
    book.table(name, &note, &columns, &rows, Page::Landscape)
}

pub(super) fn left_out(book: &mut Book, plan: &EventPlan) -> Done {
    let rows: Rows = plan
        .missing
        .iter()
        .map(|m| {
            let cells = vec![
                m.id.as_str().into(),
                m.name.as_str().into(),
                m.text.get(book.lang).into(),
            ];
            (Look::Plain, cells)
        })
        .collect();
    let note = book
        .say(
            "Needs and experts without a meeting, why, and what would help.",
            "没有会面的需求与专家、原因，以及可行的解决办法。",
        )
        .to_owned();
    book.table(
        ("Left out", "未安排"),
        &note,
        &[
            ("id", "编号", 14.0),
            ("name", "名称", 32.0),
            ("why", "原因与办法", 70.0),
        ],
        &rows,
        Page::Landscape,
    )
}

pub(super) fn standby(book: &mut Book, event: &Event, plan: &EventPlan) -> Done {
    let name = |i: usize| event.attendees[i].profile.name.as_str();
    let rows: Rows = plan
        .reserves
        .iter()
        .map(|s| {
            let calls: Vec<String> = s
                .call
                .iter()
                .map(|(n, e, _)| format!("{} – {}", name(event.needs[*n].attendee), name(*e)))
                .collect();
            let cells = vec![
                day(event, s.slot).into(),
                range(event, s.slot).into(),
                Value::Count(s.held),
                Value::Number(s.expected),
                Value::Count(s.enough),
                calls.join("\n").into(),
            ];
            (Look::Plain, cells)
        })
        .collect();
    let rate = event.rules.no_show * 100.0;
    let note = match book.lang {
        Lang::En => format!(
            "Whom to call when somebody does not come ({rate:.0}% are expected not to): people who are there and free in that slot."
        ),
        Lang::Zh => {
            format!("有人缺席时可补位的会面（预计缺席率 {rate:.0}%）：双方届时均在场且空闲。")
        }
    };
    book.table(
        ("Standby", "候补"),
        &note,
        &[
            ("day", "日期", 12.0),
            ("time", "时间", 14.0),
            ("held", "会面数", 8.0),
            ("expected to fall", "预计落空", 11.0),
            ("enough", "候补需数", 10.0),
            ("call", "可补位（企业 – 专家）", 60.0),
        ],
        &rows,
        Page::Landscape,
    )
}
