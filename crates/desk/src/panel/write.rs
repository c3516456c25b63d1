//! Panels as sheets of a workbook.

use super::PanelBook;
use crate::book::{Book, Done, Look, Page, Rows, Value};
use queqiao_events::panel::Panels;

/// Rows of the overview.
pub(crate) fn overview(book: &Book, panel: &PanelBook, panels: &Panels) -> Rows {
    let p = &panel.problem;
    let judged = p.applications.len() - panels.left_out.len();
    let mut rows: Rows = vec![
        (
            Look::Plain,
            vec![
                book.text("applications judged", "进入评审的申报"),
                Value::Text(format!("{judged} / {}", p.applications.len())),
                book.text(
                    "the others fail a rule or a quota",
                    "其余未达硬性条件或超出名额",
                ),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("fit of the panel worst off", "最弱评审组的匹配值"),
                Value::Number(panels.lists.worst),
                Value::Text(panels.lists.worst_bound.map_or(String::new(), |b| {
                    format!("{} {b:.3}", book.say("of at most", "理论上限"))
                })),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("pairs kept apart", "回避组合"),
                Value::Count(panels.apart.len()),
                book.text("see the sheet of conflicts", "见回避表"),
            ],
        ),
    ];
    if let Some(c) = &panels.lists.certificate {
        rows.push((
            Look::Warn,
            vec![
                book.text("cannot all hold", "无法同时满足"),
                c.describe().get(book.lang).into(),
                book.text("", ""),
            ],
        ));
    }
    rows
}

/// The sheets of panels.
pub(crate) fn sheets(book: &mut Book, panel: &PanelBook, panels: &Panels) -> Done {
    by_application(book, panel, panels)?;
    by_reviewer(book, panel, panels)?;
    eligibility(book, panel, panels)?;
    apart(book, panel, panels)
}

fn by_application(book: &mut Book, panel: &PanelBook, panels: &Panels) -> Done {
    let p = &panel.problem;
    let mut rows = Rows::new();
    for (a, mine) in p.applications.iter().zip(&panels.panels) {
        for (k, (j, fit)) in mine.iter().enumerate() {
            let r = &p.reviewers[*j].profile;
            let look = if k == 0 { Look::Group } else { Look::Plain };
            rows.push((
                look,
                vec![
                    a.profile.id.as_str().into(),
                    a.profile.name.as_str().into(),
                    a.district.as_str().into(),
                    Value::Count(k + 1),
                    r.name.as_str().into(),
                    r.organisation.as_str().into(),
                    Value::Number(*fit),
                ],
            ));
        }
    }
    let note = book
        .say(
            "The reviewers of each application, nobody with a conflict.",
            "每项申报的评审组，均已回避利益冲突。",
        )
        .to_owned();
    book.table(
        ("Panels", "评审组"),
        &note,
        &[
            ("application", "申报编号", 13.0),
            ("name", "申报单位", 34.0),
            ("district", "所在区", 12.0),
            ("no.", "序", 5.0),
            ("reviewer", "评审专家", 14.0),
            ("organisation", "单位", 28.0),
            ("fit", "匹配值", 9.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn by_reviewer(book: &mut Book, panel: &PanelBook, panels: &Panels) -> Done {
    let p = &panel.problem;
    let rows: Rows = p
        .reviewers
        .iter()
        .enumerate()
        .map(|(j, r)| {
            let mine: Vec<&str> = (0..p.applications.len())
                .filter(|i| panels.panels[*i].iter().any(|x| x.0 == j))
                .map(|i| p.applications[i].profile.name.as_str())
                .collect();
            let load = panels.loads[j];
            let look = if load < r.least {
                Look::Warn
            } else {
                Look::Plain
            };
            let cells = vec![
                r.profile.name.as_str().into(),
                r.profile.organisation.as_str().into(),
                Value::Count(load as usize),
                Value::Text(format!("{}–{}", r.least, r.most)),
                mine.join("\n").into(),
            ];
            (look, cells)
        })
        .collect();
    let note = book
        .say(
            "What each reviewer judges, and how much that is.",
            "每位评审专家的任务与评审量。",
        )
        .to_owned();
    book.table(
        ("Reviewers", "评审任务"),
        &note,
        &[
            ("reviewer", "评审专家", 14.0),
            ("organisation", "单位", 28.0),
            ("load", "评审数", 9.0),
            ("asked", "应评", 9.0),
            ("applications", "申报单位", 50.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn eligibility(book: &mut Book, panel: &PanelBook, panels: &Panels) -> Done {
    let p = &panel.problem;
    let heads: Vec<String> = p
        .rules
        .iter()
        .map(|r| format!("{} {}", r.figure, r.unit).trim_end().to_owned())
        .collect();
    let mut columns: Vec<(&str, &str, f64)> = vec![
        ("application", "申报编号", 13.0),
        ("name", "申报单位", 30.0),
        ("district", "所在区", 12.0),
    ];
    columns.extend(heads.iter().map(|h| (h.as_str(), h.as_str(), 14.0)));
    columns.push(("result", "结论", 46.0));
    let rows: Rows = p
        .applications
        .iter()
        .enumerate()
        .map(|(i, a)| {
            let out = panels.left_out.iter().find(|l| l.application == i);
            let mut cells: Vec<Value> = vec![
                a.profile.id.as_str().into(),
                a.profile.name.as_str().into(),
                a.district.as_str().into(),
            ];
            cells.extend(p.rules.iter().map(|r| {
                a.figures
                    .get(&r.figure)
                    .map_or(Value::Text("—".into()), |v| Value::Plain(*v))
            }));
            cells.push(match out {
                Some(l) => l.text.get(book.lang).into(),
                None => book.text("is judged", "进入评审"),
            });
            let look = if out.is_some() {
                Look::Warn
            } else {
                Look::Plain
            };
            (look, cells)
        })
        .collect();
    let note = book
        .say(
            "Hard rules and quotas: who is judged, and the figure that failed.",
            "硬性条件与名额核查：是否进入评审，未通过者列出具体指标。",
        )
        .to_owned();
    book.table(
        ("Eligibility", "资格核查"),
        &note,
        &columns,
        &rows,
        Page::Landscape,
    )
}

fn apart(book: &mut Book, panel: &PanelBook, panels: &Panels) -> Done {
    if panels.apart.is_empty() {
        return Ok(());
    }
    let p = &panel.problem;
    let rows: Rows = panels
        .apart
        .iter()
        .map(|a| {
            let why: Vec<&str> = a.conflicts.iter().map(|c| c.text.get(book.lang)).collect();
            let cells = vec![
                p.applications[a.application].profile.name.as_str().into(),
                p.reviewers[a.reviewer].profile.name.as_str().into(),
                why.join(book.say("; ", "；")).into(),
            ];
            (Look::Plain, cells)
        })
        .collect();
    let note = book
        .say(
            "Pairs kept apart, and by which rule.",
            "须回避的组合及依据。",
        )
        .to_owned();
    book.table(
        ("Kept apart", "回避"),
        &note,
        &[
            ("application", "申报单位", 36.0),
            ("reviewer", "评审专家", 16.0),
            ("why", "依据", 56.0),
        ],
        &rows,
        Page::Landscape,
    )
}
