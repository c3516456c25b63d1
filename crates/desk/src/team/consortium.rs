//! A consortium as a workbook, and as one JSON document.

use super::{
    TeamBook,
    write::{notes, titles},
};
use crate::{
    DeskError,
    book::{Book, Done, Look, Page, Rows, Value, WriteOptions, may_write, xlsx},
};
use queqiao_teams::Partner;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A consortium as JSON.
#[derive(Debug, Serialize)]
pub struct ConsortiumJson {
    /// Name of the project.
    pub project: String,
    /// The members, by worth.
    pub members: Vec<PartnerJson>,
    /// By part.
    pub parts: Vec<PartJson>,
    /// Weighted cover less what members take off.
    pub value: f64,
    /// No consortium has a greater value.
    pub bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
}

/// A member.
#[derive(Debug, Serialize)]
pub struct PartnerJson {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// Ids of the parts that the member leads.
    pub leads: Vec<String>,
    /// What the consortium would cover less without the member.
    pub worth: f64,
    /// How much of what the member can do another can do as well, 0 (complementary) to 1.
    pub overlap: f64,
}

/// A part of the project.
#[derive(Debug, Serialize)]
pub struct PartJson {
    /// Id.
    pub part: String,
    /// Who leads it.
    pub by: Option<String>,
    /// With what score.
    pub score: f64,
}

/// Members and parts of a consortium, as `queqiao_teams::Consortium` gives them.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// The members.
    pub partners: &'a [Partner],
    /// By part: who leads it, and with what score.
    pub parts: &'a [(Option<usize>, f64)],
    /// Value.
    pub value: f64,
    /// Its bound.
    pub bound: f64,
    /// Whether the value is proven to be the greatest.
    pub proven: bool,
}

/// The consortium as one JSON document.
pub fn consortium_json(book: &TeamBook, found: &Members<'_>) -> ConsortiumJson {
    let p = &book.problem;
    let id = |j: usize| p.candidates[j].id.clone();
    ConsortiumJson {
        project: book.name.clone(),
        members: found
            .partners
            .iter()
            .map(|m| PartnerJson {
                id: id(m.candidate),
                name: book.members[m.candidate].name.clone(),
                organisation: book.members[m.candidate].organisation.clone(),
                leads: m.leads.iter().map(|t| p.tasks[*t].id.clone()).collect(),
                worth: m.worth,
                overlap: m.overlap,
            })
            .collect(),
        parts: found
            .parts
            .iter()
            .zip(&p.tasks)
            .map(|((by, score), t)| PartJson {
                part: t.id.clone(),
                by: by.map(id),
                score: *score,
            })
            .collect(),
        value: found.value,
        bound: found.bound,
        proven: found.proven,
    }
}

/// Writes the consortium as a workbook that can be printed.
///
/// # Errors
/// The name is taken and `replace` was not asked for, or the file cannot be written.
pub fn write_consortium(
    path: &Path,
    team: &TeamBook,
    found: &Members<'_>,
    options: &WriteOptions,
) -> Result<PathBuf, DeskError> {
    may_write(path, options)?;
    let mut book = Book::new(&team.name, options.lang);
    members(&mut book, team, found)
        .and_then(|()| parts(&mut book, team, found))
        .map_err(xlsx)?;
    book.save(path, options)
}

fn members(book: &mut Book, team: &TeamBook, found: &Members<'_>) -> Done {
    let mut rows: Rows = found
        .partners
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let member = &team.members[m.candidate];
            let cells = vec![
                Value::Count(i + 1),
                member.name.as_str().into(),
                member.organisation.as_str().into(),
                titles(team, &m.leads).into(),
                Value::Number(m.worth),
                Value::Share(m.overlap),
            ];
            (Look::Plain, cells)
        })
        .collect();
    for (look, mut cells) in notes(book, team) {
        // The sentence takes the widest column.
        let text = cells.swap_remove(1);
        rows.push((
            look,
            vec![
                "".into(),
                cells.swap_remove(0),
                "".into(),
                text,
                "".into(),
                "".into(),
            ],
        ));
    }
    let proof = if found.proven {
        book.say("proven to be the greatest", "已证明最优")
            .to_owned()
    } else {
        format!("{} {:.3}", book.say("of at most", "理论上限"), found.bound)
    };
    let note = match book.lang {
        queqiao_domain::Lang::En => format!(
            "Complementary members who together cover every part. Value {:.3}, {proof}.",
            found.value
        ),
        queqiao_domain::Lang::Zh => format!(
            "能力互补、共同覆盖全部任务的成员。目标值 {:.3}，{proof}。",
            found.value
        ),
    };
    book.table(
        ("Members", "成员"),
        &note,
        &[
            ("no.", "序", 5.0),
            ("name", "名称", 22.0),
            ("organisation", "单位", 28.0),
            ("leads", "牵头任务", 44.0),
            ("worth", "边际贡献", 10.0),
            ("overlap", "能力重叠", 10.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn parts(book: &mut Book, team: &TeamBook, found: &Members<'_>) -> Done {
    let rows: Rows = found
        .parts
        .iter()
        .enumerate()
        .map(|(t, (by, score))| {
            let cells = vec![
                team.problem.tasks[t].id.as_str().into(),
                team.needs[t].title.as_str().into(),
                by.map_or("—", |j| team.members[j].name.as_str()).into(),
                Value::Number(*score),
            ];
            (Look::Plain, cells)
        })
        .collect();
    let note = book
        .say(
            "Who leads each part of the project.",
            "各项任务的牵头成员。",
        )
        .to_owned();
    book.table(
        ("Parts", "任务分工"),
        &note,
        &[
            ("part", "任务编号", 14.0),
            ("title", "任务名称", 46.0),
            ("led by", "牵头", 24.0),
            ("score", "匹配值", 10.0),
        ],
        &rows,
        Page::Portrait,
    )
}
