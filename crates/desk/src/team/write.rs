//! A team as sheets of a workbook.

use super::TeamBook;
use crate::{
    DeskError,
    book::{Book, Done, Look, Page, Rows, Value, WriteOptions, may_write, xlsx},
};
use queqiao_teams::TeamPlan;
use std::path::{Path, PathBuf};

/// Writes the team as a workbook that can be printed.
///
/// # Errors
/// The name is taken and `replace` was not asked for, or the file cannot be written.
pub fn write_team_plan(
    path: &Path,
    team: &TeamBook,
    plan: &TeamPlan,
    options: &WriteOptions,
) -> Result<PathBuf, DeskError> {
    may_write(path, options)?;
    let mut book = Book::new(&team.name, options.lang);
    sheets(&mut book, team, plan).map_err(xlsx)?;
    book.save(path, options)
}

fn sheets(book: &mut Book, team: &TeamBook, plan: &TeamPlan) -> Done {
    overview(book, team, plan)?;
    members(book, team, plan)?;
    coverage(book, team, plan)?;
    drops(book, team, plan)?;
    ruled_out(book, team)
}

fn name(team: &TeamBook, j: usize) -> String {
    team.members[j].name.clone()
}

/// Titles of needs, one a line.
pub(super) fn titles(team: &TeamBook, list: &[usize]) -> String {
    let all: Vec<&str> = list.iter().map(|t| team.needs[*t].title.as_str()).collect();
    all.join("\n")
}

/// What was noticed on reading, for an overview.
pub(super) fn notes(book: &Book, team: &TeamBook) -> Rows {
    let row = |n: &queqiao_domain::Bilingual| {
        vec![
            book.text("noticed on reading", "读取时注意到"),
            n.get(book.lang).into(),
            book.text("", ""),
        ]
    };
    team.notes.iter().map(|n| (Look::Warn, row(n))).collect()
}

fn overview(book: &mut Book, team: &TeamBook, plan: &TeamPlan) -> Done {
    let p = &team.problem;
    let gaps = plan.coverage.iter().filter(|c| c.gap).count();
    let share = |a: f64, b: f64| if b > 0.0 { 100.0 * a / b } else { 100.0 };
    let mut rows: Rows = vec![
        (
            Look::Plain,
            vec![
                book.text("members", "成员"),
                Value::Text(format!("{} / {}", plan.seats.len(), p.size)),
                book.text("of at most", "不超过上限"),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("cost (10,000 yuan)", "费用（万元）"),
                Value::Text(p.budget.map_or(format!("{:.2}", plan.cost), |b| {
                    format!("{:.2} / {b:.2}", plan.cost)
                })),
                book.text("of the budget", "预算之内"),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("societies", "学会数"),
                Value::Text(format!("{} (≥ {})", plan.societies, p.least_societies)),
                book.text("", ""),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("needs covered", "已覆盖需求"),
                Value::Text(format!(
                    "{} / {}",
                    plan.coverage.len() - gaps,
                    plan.coverage.len()
                )),
                book.text("the others are gaps", "其余为缺口"),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("weighted cover", "加权覆盖度"),
                Value::Number(plan.cover),
                Value::Text(format!(
                    "{:.1}% {}",
                    share(plan.cover, plan.cover_of),
                    book.say("of a perfect cover", "（占满分）")
                )),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("value", "目标值"),
                Value::Number(plan.value),
                if plan.proven {
                    book.text("proven to be the greatest", "已证明最优")
                } else {
                    Value::Text(format!(
                        "{} {:.3} ({:.2}%)",
                        book.say("of at most", "理论上限"),
                        plan.bound,
                        share(plan.value, plan.bound)
                    ))
                },
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("left when the worst drops out", "最不利成员缺席后的覆盖度"),
                Value::Number(plan.worst_drop),
                Value::Text(format!("{:.1}%", share(plan.worst_drop, plan.cover))),
            ],
        ),
    ];
    rows.extend(notes(book, team));
    let note = book
        .say(
            "Figures of the team, each beside the most that any team could reach.",
            "团队各项指标，及任何团队都无法超过的上限。",
        )
        .to_owned();
    book.table(
        ("Overview", "概览"),
        &note,
        &[
            ("figure", "指标", 30.0),
            ("value", "数值", 36.0),
            ("beside", "说明", 34.0),
        ],
        &rows,
        Page::Portrait,
    )
}

fn members(book: &mut Book, team: &TeamBook, plan: &TeamPlan) -> Done {
    let p = &team.problem;
    let rows: Rows = plan
        .seats
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let m = &team.members[s.candidate];
            let alternates: Vec<String> = s
                .alternates
                .iter()
                .map(|a| format!("{} ({:.3})", name(team, a.candidate), a.value))
                .collect();
            (
                Look::Group,
                vec![
                    Value::Count(i + 1),
                    m.name.as_str().into(),
                    if s.lead {
                        book.text("lead", "可任团长")
                    } else {
                        book.text("", "")
                    },
                    m.title.as_str().into(),
                    m.organisation.as_str().into(),
                    m.societies.join("、").into(),
                    Value::Number(p.candidates[s.candidate].cost),
                    Value::Number(s.worth),
                    titles(team, &s.covers).into(),
                    alternates.join("\n").into(),
                ],
            )
        })
        .collect();
    let note = book.say("Each seat: what the member covers, what the team would lose without them, and who could take the seat instead (with the team's value then).", "每个席位：承担的需求、缺席时团队的损失，以及可替换人选（括号内为替换后的目标值）。").to_owned();
    book.table(
        ("Members", "成员"),
        &note,
        &[
            ("no.", "序", 5.0),
            ("name", "姓名", 11.0),
            ("role", "角色", 10.0),
            ("title", "职称", 10.0),
            ("organisation", "单位", 22.0),
            ("societies", "学会", 20.0),
            ("cost", "费用", 8.0),
            ("worth", "边际贡献", 10.0),
            ("covers", "承担需求", 36.0),
            ("alternates", "替换人选", 20.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn coverage(book: &mut Book, team: &TeamBook, plan: &TeamPlan) -> Done {
    let p = &team.problem;
    let rows: Rows = plan
        .coverage
        .iter()
        .map(|c| {
            let n = &team.needs[c.task];
            let why = match (c.gap, c.best_of_all < c.score + 1e-9) {
                (false, _) => book.text("", ""),
                (true, true) => {
                    book.text("nobody among the candidates could", "候选专家中无人可覆盖")
                }
                (true, false) => book.text(
                    "somebody could, but seats or budget went elsewhere",
                    "有人可覆盖，但名额或预算另有取舍",
                ),
            };
            let look = if c.gap { Look::Warn } else { Look::Plain };
            (
                look,
                vec![
                    p.tasks[c.task].id.as_str().into(),
                    n.title.as_str().into(),
                    n.organisation.as_str().into(),
                    Value::Number(p.tasks[c.task].weight),
                    c.by.map_or("—".to_owned(), |j| name(team, j)).into(),
                    Value::Number(c.score),
                    c.second
                        .map_or(String::new(), |(j, s)| {
                            format!("{} ({s:.2})", name(team, j))
                        })
                        .into(),
                    if c.gap {
                        book.text("gap", "缺口")
                    } else {
                        book.text("covered", "已覆盖")
                    },
                    why,
                ],
            )
        })
        .collect();
    let note = book
        .say(
            "Every need with who covers it; gaps are marked.",
            "逐项列出需求由谁覆盖；缺口已标出。",
        )
        .to_owned();
    book.table(
        ("Coverage", "覆盖"),
        &note,
        &[
            ("need", "需求编号", 12.0),
            ("title", "需求名称", 36.0),
            ("enterprise", "企业", 22.0),
            ("weight", "权重", 8.0),
            ("by", "承担", 11.0),
            ("score", "匹配值", 9.0),
            ("next best", "次选", 16.0),
            ("state", "状态", 10.0),
            ("why", "缺口原因", 28.0),
        ],
        &rows,
        Page::Landscape,
    )
}

/// What happens when one member drops out.
fn drops(book: &mut Book, team: &TeamBook, plan: &TeamPlan) -> Done {
    let rows: Rows = plan
        .seats
        .iter()
        .map(|s| {
            (
                Look::Plain,
                vec![
                    name(team, s.candidate).into(),
                    Value::Number(s.drop.left),
                    Value::Share(if plan.cover > 0.0 {
                        1.0 - s.drop.left / plan.cover
                    } else {
                        0.0
                    }),
                    titles(team, &s.drop.opens).into(),
                    s.alternates
                        .first()
                        .map_or(String::new(), |a| name(team, a.candidate))
                        .into(),
                ],
            )
        })
        .collect();
    let note = book
        .say(
            "What happens when one member drops out, and whom to call.",
            "任一成员缺席的影响，以及首选替补。",
        )
        .to_owned();
    book.table(
        ("Drop-outs", "缺席预案"),
        &note,
        &[
            ("member", "成员", 14.0),
            ("cover left", "剩余覆盖度", 14.0),
            ("lost", "损失", 9.0),
            ("needs that open", "新增缺口", 46.0),
            ("call", "首选替补", 14.0),
        ],
        &rows,
        Page::Landscape,
    )
}

/// Candidates that a rule or a name keeps out.
fn ruled_out(book: &mut Book, team: &TeamBook) -> Done {
    let p = &team.problem;
    let mut rows = Rows::new();
    for (j, c) in p.candidates.iter().enumerate() {
        let mut why: Vec<&str> = c
            .kept_out_by
            .iter()
            .map(|r| p.rules[*r].text.get(book.lang))
            .collect();
        if p.must_not.contains(&j) {
            why.push(book.say("named as one who shall not be on the team", "已指定不入团"));
        }
        if !why.is_empty() {
            let m = &team.members[j];
            let cells = vec![
                c.id.as_str().into(),
                m.name.as_str().into(),
                m.organisation.as_str().into(),
                why.join(book.say("; ", "；")).into(),
            ];
            rows.push((Look::Plain, cells));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let note = book
        .say(
            "Candidates who could not be on the team, and the rule that keeps them out.",
            "不能入团的候选专家，以及所依据的规则。",
        )
        .to_owned();
    book.table(
        ("Ruled out", "不符合条件"),
        &note,
        &[
            ("id", "编号", 14.0),
            ("name", "姓名", 14.0),
            ("organisation", "单位", 30.0),
            ("rule", "未满足的规则", 56.0),
        ],
        &rows,
        Page::Landscape,
    )
}
