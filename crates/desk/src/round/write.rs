//! A seating as sheets of a workbook.

use super::RoundBook;
use crate::book::{Book, Done, Look, Page, Rows, Value};
use queqiao_events::{
    event::Event,
    roundtable::{Role, Seating},
};

/// Rows of the overview.
pub(crate) fn overview(book: &Book, round: &RoundBook, seating: &Seating) -> Rows {
    let all = round.guests.len();
    let seated = all - seating.left_out.len();
    let value = format!("{:.3}", seating.value);
    vec![
        (
            Look::Plain,
            vec![
                book.text("guests at roundtables", "圆桌就座人数"),
                Value::Text(format!("{seated} / {all}")),
                Value::Text(format!(
                    "{} {}",
                    round.tables.len(),
                    book.say("tables", "桌")
                )),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("fit of the roundtables", "圆桌匹配值"),
                Value::Text(value),
                Value::Text(format!(
                    "{} {:.3}",
                    book.say("of at most", "理论上限"),
                    seating.bound
                )),
            ],
        ),
    ]
}

fn role(book: &Book, role: Role) -> Value {
    match role {
        Role::Host => book.text("host", "主持人"),
        Role::Asker => book.text("asks", "提问方"),
        Role::Solver => book.text("answers", "解答方"),
    }
}

/// The sheets of roundtables.
pub(crate) fn sheets(book: &mut Book, event: &Event, round: &RoundBook, seating: &Seating) -> Done {
    let p = &round.problem;
    let mut rows = Rows::new();
    for t in 0..p.tables.len() {
        let mut mine: Vec<usize> = (0..p.guests.len())
            .filter(|g| seating.table[*g] == Some(t))
            .collect();
        let order = |g: &usize| match p.guests[*g].role {
            Role::Host => 0,
            Role::Asker => 1,
            Role::Solver => 2,
        };
        mine.sort_by_key(|g| (order(g), *g));
        for (k, g) in mine.iter().enumerate() {
            let a = &event.attendees[round.guests[*g]].profile;
            let look = match (k, seating.thin.contains(&t)) {
                (0, _) => Look::Group,
                (_, true) => Look::Warn,
                _ => Look::Plain,
            };
            rows.push((
                look,
                vec![
                    round.tables[t].name.as_str().into(),
                    Value::Count(k + 1),
                    a.name.as_str().into(),
                    a.organisation.as_str().into(),
                    role(book, p.guests[*g].role),
                    Value::Number(p.guests[*g].fit[t]),
                ],
            ));
        }
    }
    for (g, why) in &seating.left_out {
        let a = &event.attendees[round.guests[*g]].profile;
        rows.push((
            Look::Warn,
            vec![
                "—".into(),
                "".into(),
                a.name.as_str().into(),
                a.organisation.as_str().into(),
                role(book, p.guests[*g].role),
                why.get(book.lang).into(),
            ],
        ));
    }
    let note = book
        .say(
            "Who sits at which roundtable; nobody beside somebody they must not meet.",
            "各圆桌座次；须回避者不同桌。",
        )
        .to_owned();
    book.table(
        ("Roundtables", "圆桌座次"),
        &note,
        &[
            ("table", "圆桌", 24.0),
            ("no.", "序", 5.0),
            ("name", "姓名 / 企业", 24.0),
            ("organisation", "单位", 30.0),
            ("role", "角色", 10.0),
            ("fit", "匹配值", 20.0),
        ],
        &rows,
        Page::Cards,
    )
}
