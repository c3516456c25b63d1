//! Tables: where the header stands, what kind its rows are, and each row.

use super::{Context, row_issue};
use crate::{
    Cell, ColumnReport, Error, Issue, RowOutcome, RowResult, SheetReport,
    assemble::Draft,
    columns::{
        Field, Plan, Use, header, header_score, kind_of_columns, kind_of_name, read_kind,
        report_column,
    },
    error::bi,
    issue::shown_value,
    read::RAGGED_MARK,
    rows::{Body, RawRow},
    values::Refusal,
};
use queqiao_domain::Kind;
use std::sync::Arc;

/// A row of cells with its number and line.
type Cells = (u64, Option<u64>, Vec<Cell>);

/// Rows among which the header is looked for.
const HEADER_ROWS: usize = 10;
/// Columns of a table that a report tells in full, and columns that get a "did you mean".
const REPORTED: usize = 1000;
const HINTED: usize = 200;

/// The first rows of a table, among which the header is still to be found.
pub(super) struct Search {
    sheet: Option<String>,
    rows: Vec<Cells>,
}

impl Search {
    pub(super) fn new(sheet: Option<String>) -> Self {
        Search {
            sheet,
            rows: Vec::new(),
        }
    }

    /// Takes a row; true when enough were seen.
    pub(super) fn add(&mut self, row: u64, line: Option<u64>, cells: Vec<Cell>) -> bool {
        if !cells.iter().all(Cell::is_blank) {
            self.rows.push((row, line, cells));
        }
        self.rows.len() >= HEADER_ROWS
    }

    /// Finds the header: of the first ten rows the one with the most known column names. Gives the
    /// table and the rows below the header, or nothing when the table is to be left out.
    pub(super) fn decide(
        self,
        context: &mut Context,
    ) -> Result<Option<(Table, Vec<Cells>)>, Error> {
        let texts: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|r| {
                r.2.iter()
                    .map(|c| {
                        if let Cell::Text(t) = c {
                            t.clone()
                        } else {
                            String::new()
                        }
                    })
                    .collect()
            })
            .collect();
        let scores: Vec<usize> = texts
            .iter()
            .map(|t| header_score(t.iter().map(String::as_str), context.options.kind))
            .collect();
        let best = scores.iter().copied().max().unwrap_or(0);
        let Some(at) = scores.iter().position(|s| *s == best).filter(|_| best > 0) else {
            return Ok(self.leave_out(context, texts.into_iter().next()));
        };
        let mut names = texts[at].clone();
        let mut body = at + 1;
        // A header of two rows, the lower one naming the parts of a wide cell above it.
        if let Some(below) = texts.get(at + 1)
            && is_lower_header(&names, below, &self.rows[at + 1].2, context.options.kind)
        {
            names.resize(names.len().max(below.len()), String::new());
            for (name, part) in names.iter_mut().zip(below) {
                if !part.trim().is_empty() {
                    name.clone_from(part);
                }
            }
            body += 1;
        }
        let headers: Vec<header::Header> = names.iter().map(|n| header::read(n)).collect();
        let by_columns = kind_of_columns(&headers);
        let by_name = self
            .sheet
            .as_deref()
            .and_then(kind_of_name)
            .or(context.named);
        let strength = |kind: Kind| header_score(names.iter().map(String::as_str), Some(kind));
        // A name is believed unless the columns plainly speak for another kind.
        let told = match (by_name, by_columns) {
            (Some(n), Some(c)) if strength(c) > strength(n) => Some(c),
            (n, c) => n.or(c),
        };
        let any = Plan::of(context.options.kind.or(told).unwrap_or(Kind::Need), &names);
        let strong = any.position(Field::KindName);
        let weak = any.position(Field::WeakKind);
        let fallback = context.options.kind.or(told);
        let candidates: Vec<Kind> = match fallback {
            Some(k) if strong.is_none() => vec![k],
            _ => Kind::ALL.to_vec(),
        };
        if !candidates
            .iter()
            .any(|k| Plan::of(*k, &names).carries_text())
        {
            return Ok(self.leave_out(context, Some(names)));
        }
        if fallback.is_none() && strong.is_none() && weak.is_none() {
            return Err(context.no_kind(self.sheet.as_deref(), &names));
        }
        context.recognised += 1;
        let table = Table {
            sheet: self.sheet,
            header: Arc::new(names),
            header_row: self.rows[at].0,
            fixed: context.options.kind,
            fallback,
            strong,
            weak,
            error: any.position(Field::ErrorColumn),
            plans: Default::default(),
        };
        let rest = self.rows.into_iter().skip(body).collect();
        Ok(Some((table, rest)))
    }

    fn leave_out<T>(self, context: &mut Context, names: Option<Vec<String>>) -> Option<T> {
        if let Some(names) = names {
            if let Some(sheet) = &self.sheet {
                context.note(
                    None,
                    bi(
                        format!(
                            "sheet {sheet} was left out: none of its columns could carry a record"
                        ),
                        format!("工作表“{sheet}”已略过：没有可识别的内容列"),
                    ),
                );
            }
            context.strangers.get_or_insert(names);
        }
        None
    }
}

fn is_lower_header(upper: &[String], below: &[String], cells: &[Cell], kind: Option<Kind>) -> bool {
    let filled: Vec<(usize, &str)> = below
        .iter()
        .enumerate()
        .map(|(i, t)| (i, t.trim()))
        .filter(|(_, t)| !t.is_empty())
        .collect();
    let all_text = cells
        .iter()
        .all(|c| matches!(c, Cell::Text(_)) || c.is_blank());
    // Each names a column where the row above names none: the wide cell, and the blanks beside it.
    let group = |i: usize| {
        let above = upper.get(i).map_or("", |u| u.trim());
        above.is_empty()
            || header_score([above], kind) == 0
            || upper.get(i + 1).is_none_or(|u| u.trim().is_empty())
    };
    all_text
        && filled.len() >= 2
        && filled.len() < upper.iter().filter(|u| !u.trim().is_empty()).count().max(3)
        && filled
            .iter()
            .all(|(i, t)| group(*i) && header_score([*t], kind) == 1)
}

/// A table whose header is known.
pub(super) struct Table {
    sheet: Option<String>,
    header: Arc<Vec<String>>,
    header_row: u64,
    /// The kind the caller gave.
    fixed: Option<Kind>,
    /// The kind of rows that tell none.
    fallback: Option<Kind>,
    strong: Option<usize>,
    weak: Option<usize>,
    error: Option<usize>,
    plans: [Option<Arc<Plan>>; 6],
}

impl Table {
    /// What becomes of a row; nothing for a row that holds nothing. `strict` asks for as many cells
    /// as the header has.
    pub(super) fn row(
        &mut self,
        context: &mut Context,
        row: u64,
        line: Option<u64>,
        mut cells: Vec<Cell>,
        strict: bool,
    ) -> Option<RowOutcome> {
        if cells.iter().all(Cell::is_blank) {
            return None;
        }
        let width = self.header.len();
        while cells.len() > width && cells.last().is_some_and(Cell::is_blank) {
            cells.pop();
        }
        let place = context.place(self.sheet.as_deref(), row, line);
        if let Some(why) = self.is_aside(&cells) {
            context.note(Some(place), why);
            return None;
        }
        let marked = self
            .error
            .and_then(|e| cells.get(e))
            .is_some_and(|c| matches!(c, Cell::Text(t) if t.contains(RAGGED_MARK)));
        let ragged = strict && (cells.len() != width || marked);
        let header = Arc::clone(&self.header);
        let body = |cells| Body::Cells {
            header,
            cells,
            ragged,
        };
        if ragged {
            let issue = row_issue(
                &place,
                self.ragged(cells.len(), marked && cells.len() == width, line),
            );
            return Some(RowOutcome {
                place,
                result: RowResult::Bad(vec![issue]),
                raw: RawRow { body: body(cells) },
            });
        }
        let (kind, told) = match self.kind_of(&cells) {
            Ok(k) => k,
            Err((at, r)) => {
                let plan = self.plan(context, self.fallback.unwrap_or(Kind::Need));
                let mut issue = row_issue(&place, r);
                issue.field = Some("kind".to_owned());
                if let Some(i) = at {
                    issue.column = plan.columns.get(i).map(|c| c.at.clone());
                    issue.value = cells
                        .get(i)
                        .map_or_else(String::new, |c| shown_value(&c.text(), false));
                }
                return Some(context.outcome(place, Err(vec![issue]), body(cells)));
            }
        };
        let plan = self.plan(context, kind);
        let mut draft = Draft::new(kind, place.clone(), &mut context.memo);
        draft.take_cells(&plan, &cells, told);
        if draft.is_blank() {
            return None;
        }
        let judged = draft.finish(&context.options.limits.record);
        Some(context.outcome(place, judged.map_err(first_issues), body(cells)))
    }

    /// Rows that are no data: the header once more, and the example that templates carry.
    fn is_aside(&self, cells: &[Cell]) -> Option<queqiao_domain::Bilingual> {
        let mut filled = cells.iter().filter(|c| !c.is_blank());
        let first = filled.next().map(Cell::text).unwrap_or_default();
        let first = first.trim();
        if matches!(
            first,
            "示例" | "样例" | "例" | "例如" | "填写示例" | "示例行" | "填写说明" | "填表说明"
        ) {
            return Some(bi(
                "a row marked as an example was left out",
                "标注为示例或说明的行已略过",
            ));
        }
        let same = cells.len() == self.header.len()
            && cells.iter().zip(self.header.iter()).all(|(c, h)| match c {
                Cell::Text(t) => t.trim() == h.trim(),
                _ => c.is_blank() && h.trim().is_empty(),
            });
        same.then(|| {
            bi(
                "the header stands here once more and was left out",
                "重复的表头行已略过",
            )
        })
    }

    fn ragged(&self, found: usize, marked: bool, line: Option<u64>) -> Refusal {
        let width = self.header.len();
        let at = line.map_or_else(String::new, |l| format!("line {l}: "));
        let zh_at = line.map_or_else(String::new, |l| format!("文本第 {l} 行："));
        if marked {
            return Refusal {
                problem: bi(
                    format!(
                        "{at}the row had another number of columns than the header, and its mark still stands in the error column"
                    ),
                    format!("{zh_at}该行列数曾与表头不符，错误列中的标记尚未清除"),
                ),
                expected: bi(
                    "put each value under its column, then empty the row's error cell",
                    "请将各值归入对应列，再清空该行的错误单元格",
                ),
            };
        }
        Refusal {
            problem: bi(
                format!("{at}the row has {found} columns and the header {width}"),
                format!("{zh_at}该行有 {found} 列，而表头有 {width} 列"),
            ),
            expected: bi(
                format!(
                    "expected {width} columns: a cell that holds a delimiter, a quote or a line break must stand in quotes"
                ),
                format!("应为 {width} 列：含有分隔符、引号或换行的单元格须加引号"),
            ),
        }
    }

    /// The kind of a row, and whether its 类型 column told it.
    fn kind_of(&self, cells: &[Cell]) -> Result<(Kind, bool), (Option<usize>, Refusal)> {
        let text = |i: Option<usize>| {
            i.and_then(|i| cells.get(i))
                .map(Cell::text)
                .filter(|t| !t.trim().is_empty())
        };
        let refused = |(problem, expected)| Refusal { problem, expected };
        if let Some(t) = text(self.strong) {
            return match (read_kind(&t), self.fixed) {
                (Ok(kind), Some(f)) if f != kind => Err((self.strong, against_option(kind, f))),
                (Ok(kind), _) => Ok((kind, false)),
                // What is no kind of record here is some other kind of thing.
                (Err(_), Some(f)) => Ok((f, false)),
                (Err(r), None) => Err((self.strong, refused(r))),
            };
        }
        if self.fixed.is_none()
            && let Some(t) = text(self.weak)
        {
            match (read_kind(&t), self.fallback) {
                (Ok(kind), _) => return Ok((kind, true)),
                (Err(_), Some(_)) => {}
                (Err(r), None) => return Err((self.weak, refused(r))),
            }
        }
        self.fallback.map(|k| (k, false)).ok_or_else(|| {
            (
                None,
                Refusal {
                    problem: bi(
                        "the row does not say what kind of record it is",
                        "该行未说明记录类型",
                    ),
                    expected: super::no_kind_advice(),
                },
            )
        })
    }

    fn plan(&mut self, context: &mut Context, kind: Kind) -> Arc<Plan> {
        let slot = Kind::ALL.iter().position(|k| *k == kind).unwrap_or(0);
        if let Some(p) = &self.plans[slot] {
            return Arc::clone(p);
        }
        let plan = Arc::new(Plan::of(kind, &self.header));
        let columns: Vec<ColumnReport> = plan
            .columns
            .iter()
            .enumerate()
            // A column without a name counts once a row fills it; there is nothing to tell.
            .filter(|(_, c)| !c.at.name.is_empty() || !matches!(c.used, Use::Attribute(_)))
            .take(REPORTED)
            .map(|(i, c)| report_column(kind, c, Some(&plan), i < HINTED))
            .collect();
        context.sheets.push(SheetReport {
            sheet: self.sheet.clone(),
            kind,
            header_row: Some(self.header_row),
            columns_left_out: plan.columns.len().saturating_sub(REPORTED) as u64,
            columns,
        });
        self.plans[slot] = Some(Arc::clone(&plan));
        plan
    }
}

/// The kind in the row against the kind the caller gave for all rows.
pub(super) fn against_option(row: Kind, given: Kind) -> Refusal {
    Refusal {
        problem: bi(
            format!("the row says {row} and the import was told {given}"),
            format!("该行为{}，而导入指定为{}", row.zh(), given.zh()),
        ),
        expected: bi(
            format!("expected {given}; leave --kind out to import every row as what it says it is"),
            format!("应为{}；不指定 --kind 则按各行自身的类型导入", given.zh()),
        ),
    }
}

/// A row with a thousand things wrong is told by the first hundred.
pub(super) fn first_issues(mut issues: Vec<Issue>) -> Vec<Issue> {
    issues.truncate(100);
    issues
}
