//! A service team's needs, candidates and rules from their sheets.

use super::{TeamBook, TeamMember, TeamNeed};
use crate::{
    DeskError,
    names::Kind,
    rules::{Rules, both},
    sheet::{Row, Sheet, Slips, open},
    values::{count, list, number, yes},
};
use queqiao_domain::{Bilingual, Date};
use queqiao_events::conflict::same_name_key;
use queqiao_teams::{Candidate, ConsortiumParams, Rule, Task, TeamParams, TeamProblem};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// Reads a team: a workbook, or a folder of workbooks and csv files.
///
/// # Errors
/// Every slip at once, each with file, sheet, row, column, value and what would be accepted.
pub fn read_team(path: &Path) -> Result<TeamBook, DeskError> {
    let (sheets, notes) = open(path)?;
    let needed = |k: Kind, en: &str, zh: &str| {
        sheets.get(&k).ok_or_else(|| {
            DeskError::Input(Bilingual::new(
                format!("{}: there is no sheet {en} ({zh})", path.display()),
                format!("{}：缺少工作表“{zh}”（{en}）", path.display()),
            ))
        })
    };
    let (needs, experts) = (
        needed(Kind::Needs, "needs", "需求")?,
        needed(Kind::Experts, "experts", "专家")?,
    );
    let mut book = TeamBook {
        name: String::new(),
        problem: TeamProblem {
            size: 8,
            ..TeamProblem::default()
        },
        scored: false,
        params: TeamParams::default(),
        consortium: ConsortiumParams::default(),
        needs: Vec::new(),
        members: Vec::new(),
        notes,
    };
    let mut slips = Slips::default();
    let known_needs = read_needs(needs, &mut book, &mut slips);
    let rules = Rules::read(sheets.get(&Kind::Rules), KNOWN, &mut slips);
    let limits = read_rules(&rules, experts.has("lead"), &mut book, &mut slips);
    let known = read_candidates(experts, &limits, &mut book, &mut slips);
    for field in ["must", "must_not"] {
        let Some(row) = rules.row(field) else {
            continue;
        };
        for name in list(&row.text("value")) {
            match known.get(&same_name_key(&name)) {
                Some(j) if field == "must" => book.problem.must.push(*j),
                Some(j) => book.problem.must_not.push(*j),
                None => slips.add(
                    row,
                    "value",
                    both(
                        format!("{name} is no candidate"),
                        format!("{name} 不在候选专家中"),
                    ),
                    both(
                        "expected a candidate's id or name",
                        "应为候选专家的编号或姓名",
                    ),
                ),
            }
        }
    }
    if let Some(sheet) = sheets.get(&Kind::Scores) {
        book.scored = true;
        for row in sheet.rows() {
            let need = known_needs.get(&same_name_key(&row.text("need"))).copied();
            let expert = known.get(&same_name_key(&row.text("expert"))).copied();
            for (field, missing) in [("need", need.is_none()), ("expert", expert.is_none())] {
                if missing {
                    slips.add(
                        row,
                        field,
                        both("it stands on no other sheet", "其他表中没有此项"),
                        both("expected an id of the other sheets", "应为其他表中的编号"),
                    );
                }
            }
            let score = number(row, "score", 0.0, &mut slips);
            if let (Some(t), Some(j), Some(s)) = (need, expert, score) {
                if s > 1.0 {
                    slips.add(
                        row,
                        "score",
                        both("the score is more than 1", "评分大于 1"),
                        both("expected 0 to 1", "应为 0 至 1"),
                    );
                } else if book.problem.candidates[j].scores.iter().any(|x| x.0 == t) {
                    slips.add(
                        row,
                        "expert",
                        both("the pair stands twice", "该组合重复"),
                        both("expected each pair once", "每个组合只应出现一次"),
                    );
                } else {
                    book.problem.candidates[j].scores.push((t, s));
                }
            }
        }
    }
    if slips.0.is_empty() {
        Ok(book)
    } else {
        Err(DeskError::Issues(slips.0))
    }
}

fn read_needs(sheet: &Sheet, book: &mut TeamBook, slips: &mut Slips) -> HashMap<String, usize> {
    let mut known = HashMap::new();
    for row in sheet.rows() {
        let (id, title) = (row.text("id"), row.text("name"));
        let key = if id.is_empty() { title.clone() } else { id };
        if key.is_empty() || known.contains_key(&same_name_key(&key)) {
            slips.add(
                row,
                "id",
                both("no id, or one that stands twice", "缺少编号或编号重复"),
                both("expected an id of its own", "应有各自的编号"),
            );
            continue;
        }
        known.insert(same_name_key(&key), book.needs.len());
        if !title.is_empty() {
            known
                .entry(same_name_key(&title))
                .or_insert(book.needs.len());
        }
        let weight = number(row, "weight", 0.0, slips);
        if weight == Some(0.0) {
            slips.add(
                row,
                "weight",
                both("a need of weight 0 counts for nothing", "权重为 0"),
                both("expected a number above 0", "应为大于 0 的数"),
            );
        }
        book.problem.tasks.push(Task {
            id: key.clone(),
            weight: weight.filter(|w| *w > 0.0).unwrap_or(1.0),
            floor: number(row, "floor", 0.0, slips),
        });
        book.needs.push(TeamNeed {
            title: if title.is_empty() { key } else { title },
            text: row.text("text"),
            organisation: row.text("organisation"),
        });
    }
    known
}

/// Rules that a team knows.
const KNOWN: &[&str] = &[
    "name",
    "size",
    "budget",
    "per_institution",
    "societies",
    "leads",
    "lead_rank",
    "distance",
    "visit",
    "must",
    "must_not",
    "robust",
    "gap_below",
    "floor",
    "parts_each",
];

/// Limits that are turned into rules per candidate.
#[derive(Default)]
struct Limits {
    distance: Option<f64>,
    visit: Option<(Date, Date)>,
    lead_rank: Vec<String>,
}

/// `may_lead`: the file says who may lead, so that one lead is asked for unless another number is.
fn read_rules(rules: &Rules<'_>, may_lead: bool, book: &mut TeamBook, slips: &mut Slips) -> Limits {
    book.name = rules.text("name").unwrap_or_default();
    let p = &mut book.problem;
    p.size = rules.whole("size", 1, slips).unwrap_or(p.size);
    p.budget = rules.number("budget", 0.0, slips);
    p.per_institution = rules.whole("per_institution", 1, slips);
    p.least_societies = rules.whole("societies", 0, slips).unwrap_or(0);
    let leads = rules.whole("leads", 0, slips);
    p.least_leads = leads.unwrap_or(u32::from(may_lead || rules.row("lead_rank").is_some()));
    book.params.robust = rules.share("robust", slips).unwrap_or(0.0);
    if let Some(g) = rules.share("gap_below", slips) {
        book.params.gap_below = g;
    }
    if let Some(f) = rules.share("floor", slips) {
        book.consortium.floor = f;
    }
    if let Some(n) = rules.whole("parts_each", 1, slips) {
        book.consortium.parts_each = n;
    }
    Limits {
        distance: rules.number("distance", 0.0, slips),
        visit: rules.row("visit").and_then(|row| visit(row, slips)),
        lead_rank: rules.text("lead_rank").map_or(Vec::new(), |t| list(&t)),
    }
}

/// The days of a visit: one, or a first and a last.
fn visit(row: Row<'_>, slips: &mut Slips) -> Option<(Date, Date)> {
    let text = row.text("value");
    let parts: Vec<&str> = text.split(['~', '～', '至', '到']).map(str::trim).collect();
    let day = |t: &str| queqiao_domain::parse_date(t);
    let found = match (row.cell("value").day(), &parts[..]) {
        (_, [a, b]) => day(a).zip(day(b)),
        (Some(d), _) => Some((d, d)),
        _ => None,
    };
    let found = found.filter(|(a, b)| a <= b);
    if found.is_none() {
        slips.add(
            row,
            "value",
            both("these are no days", "不是日期"),
            both(
                "expected 2026-12-01 or 2026-12-01~2026-12-03",
                "应为 2026-12-01 或 2026-12-01~2026-12-03",
            ),
        );
    }
    found
}

fn read_candidates(
    sheet: &Sheet,
    limits: &Limits,
    book: &mut TeamBook,
    slips: &mut Slips,
) -> HashMap<String, usize> {
    let mut known = HashMap::new();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    if let Some(km) = limits.distance {
        rules.insert("travel", book.problem.rules.len());
        book.problem.rules.push(Rule {
            name: "travel".into(),
            text: Bilingual::new(
                format!("within {km} km, and within each one's own range"),
                format!("路程不超过 {km} 公里，且在本人出差半径内"),
            ),
        });
    }
    if let Some((a, b)) = limits.visit {
        rules.insert("availability", book.problem.rules.len());
        book.problem.rules.push(Rule {
            name: "availability".into(),
            text: Bilingual::new(format!("free from {a} to {b}"), format!("{a} 至 {b} 有空")),
        });
    }
    let mut places: [HashMap<String, usize>; 2] = Default::default();
    let mut place = |which: usize, name: &str| {
        let next = places[which].len();
        *places[which].entry(same_name_key(name)).or_insert(next)
    };
    for row in sheet.rows() {
        let (id, name) = (row.text("id"), row.text("name"));
        let key = if id.is_empty() { name.clone() } else { id };
        if key.is_empty() || known.contains_key(&same_name_key(&key)) {
            slips.add(
                row,
                "id",
                both("no id, or one that stands twice", "缺少编号或编号重复"),
                both("expected an id of its own", "应有各自的编号"),
            );
            continue;
        }
        let j = book.members.len();
        known.insert(same_name_key(&key), j);
        if !name.is_empty() {
            known.entry(same_name_key(&name)).or_insert(j);
        }
        let organisation = row.text("organisation");
        let societies = list(&row.text("societies"));
        let title = row.text("title");
        let mut kept_out_by = Vec::new();
        if let (Some(r), Some(km)) = (rules.get("travel"), number(row, "distance", 0.0, slips)) {
            let own = number(row, "range", 0.0, slips).unwrap_or(f64::INFINITY);
            if km > limits.distance.unwrap_or(f64::INFINITY).min(own) {
                kept_out_by.push(*r);
            }
        }
        if let (Some(r), Some((a, b))) = (rules.get("availability"), limits.visit) {
            let mut day = |f: &str| {
                let (cell, day) = (row.cell(f), row.cell(f).day());
                if day.is_none() && !cell.is_blank() {
                    slips.add(
                        row,
                        f,
                        both("this is no day", "不是日期"),
                        both("expected such as 2026-12-01", "应为 2026-12-01 之类"),
                    );
                }
                day
            };
            let (from, until) = (day("from"), day("until"));
            if from.is_some_and(|d| d > a) || until.is_some_and(|d| d < b) {
                kept_out_by.push(*r);
            }
        }
        let ranked = !limits.lead_rank.is_empty()
            && limits
                .lead_rank
                .iter()
                .any(|l| same_name_key(l) == same_name_key(&title));
        book.problem.candidates.push(Candidate {
            id: key.clone(),
            cost: number(row, "cost", 0.0, slips).unwrap_or(0.0),
            institution: (!organisation.is_empty()).then(|| place(0, &organisation)),
            societies: societies.iter().map(|s| place(1, s)).collect(),
            lead: ranked || yes(&row.text("lead")),
            load: count(row, "load", 1, slips),
            kept_out_by,
            scores: Vec::new(),
        });
        book.members.push(TeamMember {
            name: if name.is_empty() { key } else { name },
            organisation,
            title,
            societies,
            text: row.text("text"),
        });
    }
    known
}
