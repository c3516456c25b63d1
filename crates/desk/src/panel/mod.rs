//! Review panels from their sheets: applications, reviewers, hard rules.

mod json;
mod write;

pub use json::{PanelJson, panel_json};
pub(crate) use write::{overview, sheets};

use crate::{
    event::{names, profile},
    names::Kind,
    rules::{Rules, both},
    sheet::{Row, Sheet, Sheets, Slips},
    values::{count, figure, list, number},
};
use queqiao_events::{
    conflict::{ConflictRule, same_name_key},
    panel::{Application, Eligibility, PanelProblem, Reviewer},
};
use queqiao_intake::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Panels to be made, with the words for them.
#[derive(Debug, Clone)]
pub struct PanelBook {
    /// The problem; it has no scores where the file gives none.
    pub problem: PanelProblem,
    /// By application: title and text, for matching.
    pub applications: Vec<(String, String)>,
    /// By reviewer: name and text.
    pub reviewers: Vec<(String, String)>,
}

/// Reads the panels, where there are applications and reviewers.
pub(crate) fn read_panels(
    sheets: &Sheets,
    rules: &Rules<'_>,
    slips: &mut Slips,
) -> Option<PanelBook> {
    let (applications, reviewers) = (
        sheets.get(&Kind::Applications)?,
        sheets.get(&Kind::Reviewers)?,
    );
    let size = rules.whole("reviewers", 1, slips).unwrap_or(3);
    let least = rules.whole("least_load", 0, slips).unwrap_or(0);
    let most = rules.whole("most_load", 1, slips).unwrap_or(8);
    let mut book = PanelBook {
        problem: PanelProblem {
            applications: Vec::new(),
            reviewers: Vec::new(),
            rules: Vec::new(),
            per_district: rules.whole("per_district", 1, slips),
            conflict_rules: conflict_rules(rules, slips),
            scores: Vec::new(),
        },
        applications: Vec::new(),
        reviewers: Vec::new(),
    };
    let figures = criteria(sheets.get(&Kind::Criteria), applications, &mut book, slips);
    book.read_applications(applications, size, &figures, slips);
    book.read_reviewers(reviewers, (least, most), slips);
    Some(book)
}

fn conflict_rules(rules: &Rules<'_>, slips: &mut Slips) -> Vec<ConflictRule> {
    let Some(row) = rules.row("conflict_rules") else {
        return ConflictRule::ALL.to_vec();
    };
    let mut out = Vec::new();
    for word in list(&row.text("value")) {
        match word.to_lowercase().as_str() {
            "全部" | "all" => out.extend(ConflictRule::ALL),
            "同单位" | "same_organisation" => out.push(ConflictRule::SameOrganisation),
            "同集团" | "same_family" => out.push(ConflictRule::SameFamily),
            "同学会任职" | "same_post" => out.push(ConflictRule::SamePost),
            "曾合作" | "worked_together" => out.push(ConflictRule::WorkedTogether),
            "已申报" | "declared" => out.push(ConflictRule::Declared),
            _ => slips.add(
                row,
                "value",
                both(format!("{word} is no conflict rule"), format!("没有回避规则“{word}”")),
                both(
                    "expected all, or some of same_organisation, same_family, same_post, worked_together, declared",
                    "应为 全部，或 同单位、同集团、同学会任职、曾合作、已申报 中的若干项",
                ),
            ),
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Hard rules, with the column of the applications that each looks at.
fn criteria(
    sheet: Option<&Sheet>,
    applications: &Sheet,
    book: &mut PanelBook,
    slips: &mut Slips,
) -> Vec<usize> {
    let mut columns = Vec::new();
    for row in sheet.into_iter().flat_map(Sheet::rows) {
        let figure = row.text("figure");
        let Some(column) = applications.find_extra(&figure) else {
            let known: Vec<&str> = applications.extras().collect();
            slips.add(
                row,
                "figure",
                both(
                    format!("the applications have no column {figure}"),
                    format!("“申报”表中没有列“{figure}”"),
                ),
                both(
                    format!("expected one of {}", known.join(", ")),
                    format!("应为：{}", known.join("、")),
                ),
            );
            continue;
        };
        let unit = row.text("unit");
        let mut bound = |field: &str| {
            let cell = row.cell(field);
            let v = in_unit(cell, &unit);
            if v.is_none() && !cell.is_blank() {
                slips.add(
                    row,
                    field,
                    both("this is no number", "不是数值"),
                    a_number(&unit),
                );
            }
            v
        };
        let (least, most) = (bound("least"), bound("most"));
        if slips.0.iter().any(|s| s.place == row.place()) {
            continue;
        }
        if least.is_none() && most.is_none() {
            slips.add(
                row,
                "least",
                both("the rule asks for nothing", "既无最低也无最高"),
                both("expected a least or a most", "至少填写“最低”或“最高”"),
            );
            continue;
        }
        if least.zip(most).is_some_and(|(l, m)| l > m) {
            slips.add(
                row,
                "most",
                both("the most is below the least", "最高低于最低"),
                both("expected a most from the least up", "最高应不低于最低"),
            );
            continue;
        }
        columns.push(column);
        book.problem.rules.push(Eligibility {
            figure,
            least,
            most,
            unit,
        });
    }
    columns
}

fn a_number(unit: &str) -> (String, String) {
    both(
        format!("expected a number {unit}").trim_end(),
        format!("应为数值 {unit}").trim_end(),
    )
}

/// The figure of a cell, which may carry its unit.
fn in_unit(cell: &Cell, unit: &str) -> Option<f64> {
    let text = cell.text();
    match text.trim().strip_suffix(unit) {
        Some(bare) if !unit.is_empty() => figure(&Cell::Text(bare.to_owned())),
        _ => figure(cell),
    }
}

/// Id and name of a row, unless it has neither or stands there already.
fn identity(
    row: Row<'_>,
    seen: &mut HashSet<String>,
    slips: &mut Slips,
) -> Option<(String, String)> {
    let (id, name) = (row.text("id"), row.text("name"));
    let (field, key) = if id.is_empty() {
        ("name", &name)
    } else {
        ("id", &id)
    };
    if key.is_empty() {
        slips.add(
            row,
            "name",
            both("neither id nor name", "缺少编号和名称"),
            both("expected one of them", "至少填写一项"),
        );
        return None;
    }
    if !seen.insert(same_name_key(key)) {
        slips.add(
            row,
            field,
            both(format!("{key} stands twice"), format!("{key} 重复")),
            both("expected each once", "每项只应出现一次"),
        );
        return None;
    }
    let key = key.clone();
    Some((key.clone(), if name.is_empty() { key } else { name }))
}

impl PanelBook {
    fn read_applications(
        &mut self,
        sheet: &Sheet,
        size: u32,
        columns: &[usize],
        slips: &mut Slips,
    ) {
        let mut seen = HashSet::new();
        for row in sheet.rows() {
            let Some((id, name)) = identity(row, &mut seen, slips) else {
                continue;
            };
            let mut figures = BTreeMap::new();
            for (column, rule) in columns.iter().zip(&self.problem.rules) {
                let cell = row.extra(*column);
                if cell.is_blank() {
                    continue;
                }
                match in_unit(cell, &rule.unit) {
                    Some(v) => {
                        figures.insert(rule.figure.clone(), v);
                    }
                    None => slips.add_extra(
                        row,
                        *column,
                        both("this is no number", "不是数值"),
                        a_number(&rule.unit),
                    ),
                }
            }
            let organisation = row.text("organisation");
            let organisation = if organisation.is_empty() {
                name.clone()
            } else {
                organisation
            };
            self.applications.push((name.clone(), row.text("text")));
            self.problem.applications.push(Application {
                profile: profile(row, id, name, organisation),
                district: row.text("district"),
                figures,
                priority: number(row, "priority", f64::MIN, slips).unwrap_or(0.0),
                reviewers: count(row, "reviewers", 1, slips).unwrap_or(size),
            });
        }
    }

    fn read_reviewers(&mut self, sheet: &Sheet, load: (u32, u32), slips: &mut Slips) {
        let mut seen = HashSet::new();
        for row in sheet.rows() {
            let Some((id, name)) = identity(row, &mut seen, slips) else {
                continue;
            };
            let most = count(row, "most", 1, slips).unwrap_or(load.1);
            let least = count(row, "least", 0, slips);
            if least.is_some_and(|l| l > most) {
                slips.add(
                    row,
                    "least",
                    both("at least more than at most", "下限高于上限"),
                    both(
                        format!("expected at most {most}"),
                        format!("应不大于 {most}"),
                    ),
                );
                continue;
            }
            self.reviewers.push((name.clone(), row.text("text")));
            let organisation = row.text("organisation");
            self.problem.reviewers.push(Reviewer {
                profile: profile(row, id, name, organisation),
                least: least.unwrap_or(load.0.min(most)),
                most,
            });
        }
    }

    /// Takes a row of the conflicts' sheet, if it is about an application and a reviewer.
    pub(crate) fn conflict(&mut self, row: Row<'_>) -> bool {
        let p = &self.problem;
        let both: [HashMap<String, usize>; 2] = [
            names(
                p.applications
                    .iter()
                    .map(|a| [&*a.profile.id, &*a.profile.name]),
            ),
            names(
                p.reviewers
                    .iter()
                    .map(|r| [&*r.profile.id, &*r.profile.name]),
            ),
        ];
        let key = |f: &str| same_name_key(&row.text(f));
        let (a, b) = (key("a"), key("b"));
        let found = |x: &str, y: &str| Some((*both[0].get(x)?, *both[1].get(y)?));
        let Some((application, reviewer)) = found(&a, &b).or_else(|| found(&b, &a)) else {
            return false;
        };
        let id = self.problem.applications[application].profile.id.clone();
        self.problem.reviewers[reviewer].profile.declared.push(id);
        true
    }
}
