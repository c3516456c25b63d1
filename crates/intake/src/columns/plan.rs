//! What each column of a sheet is for, in records of one kind.

use super::{Field, header, infer, resolve, table};
use crate::{
    cell::letters,
    error::bi,
    issue::Column,
    report::{ColumnReport, ColumnUse},
    values::Unit,
};
use queqiao_domain::{Kind, nearest, refused_field};
use std::collections::HashMap;

/// What a column is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Use {
    /// It fills a field; amounts come in the unit that the header states.
    Field(Field, Option<Unit>),
    /// It is kept under its own name.
    Attribute(String),
    /// It is not read, for the reason given.
    Refused(queqiao_domain::Bilingual),
    /// It goes on where the column of this index left off.
    Continues(usize),
}

/// A column and what it is for.
#[derive(Debug, Clone)]
pub(crate) struct PlanColumn {
    pub(crate) at: Column,
    pub(crate) used: Use,
    /// How preferred the name is among the field's names: 0 is best.
    pub(crate) rank: usize,
}

/// The columns of a sheet for records of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<PlanColumn>,
}

impl Plan {
    /// Reads the header cells.
    pub(crate) fn of(kind: Kind, names: &[String]) -> Self {
        let mut columns: Vec<PlanColumn> = Vec::with_capacity(names.len());
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut firsts: HashMap<String, usize> = HashMap::new();
        for (i, cell) in names.iter().enumerate() {
            let h = header::read(cell);
            let at = Column {
                name: cell.trim().to_owned(),
                letter: letters(i),
            };
            if let Some(key) = h.keys.first() {
                if h.part.is_some()
                    && let Some(first) = firsts.get(key)
                {
                    let used = Use::Continues(*first);
                    columns.push(PlanColumn { at, used, rank: 0 });
                    continue;
                }
                firsts.insert(key.clone(), i);
            }
            let (mut used, rank) = one(kind, cell);
            if let Use::Attribute(name) = &mut used {
                if name.is_empty() {
                    *name = format!("column {}", letters(i));
                }
                let n = taken.entry(name.clone()).or_insert(0);
                *n += 1;
                if *n > 1 {
                    *name = format!("{name} ({n})");
                }
            }
            columns.push(PlanColumn { at, used, rank });
        }
        Plan { columns }
    }

    /// True when some column carries the text of a record.
    pub(crate) fn carries_text(&self) -> bool {
        self.columns
            .iter()
            .any(|c| matches!(&c.used, Use::Field(f, _) if f.carries_text()))
    }

    /// The index of the column that fills a field.
    pub(crate) fn position(&self, field: Field) -> Option<usize> {
        self.columns
            .iter()
            .position(|c| matches!(&c.used, Use::Field(f, _) if *f == field))
    }
}

/// What a column of this name is for, and the rank of the name.
pub(crate) fn one(kind: Kind, cell: &str) -> (Use, usize) {
    let h = header::read(cell);
    if let Some(r) = [cell, &h.name]
        .into_iter()
        .chain(h.keys.iter().map(String::as_str))
        .find_map(refused_field)
    {
        return (Use::Refused(r.reason), 0);
    }
    match resolve(kind, &h) {
        Some((field, rank)) => (Use::Field(field, h.unit), rank),
        None => (Use::Attribute(h.name), 0),
    }
}

/// How many of a row's cells are column names: of the kind, or of any kind when none is given.
pub(crate) fn header_score<'a>(
    cells: impl IntoIterator<Item = &'a str>,
    kind: Option<Kind>,
) -> usize {
    let mut seen = std::collections::HashSet::new();
    cells
        .into_iter()
        // A header is short; a text that begins with a column's name is none.
        .filter(|c| !c.trim().is_empty() && c.len() <= 200)
        .filter(|c| {
            let h = header::read(c);
            let known = match kind {
                Some(k) => h.keys.iter().any(|key| super::look_up(k, key).is_some()),
                None => infer::known_to_any(&h),
            };
            known && h.keys.first().is_some_and(|k| seen.insert(k.clone()))
        })
        .count()
}

/// The column as a report tells it. `hint` asks for the nearest known name of an unknown one.
pub(crate) fn report_column(
    kind: Kind,
    c: &PlanColumn,
    plan: Option<&Plan>,
    hint: bool,
) -> ColumnReport {
    let mut did_you_mean = None;
    let used = match &c.used {
        Use::Field(Field::RowNumber, _) => ColumnUse::Ignored(bi("it numbers the rows", "行序号")),
        Use::Field(Field::ErrorColumn, _) => {
            ColumnUse::Ignored(bi("it tells what was wrong before", "上次导入的错误说明"))
        }
        Use::Field(f, _) => ColumnUse::Field(super::export_names(kind, *f).1.to_owned()),
        Use::Refused(reason) => ColumnUse::Refused(reason.clone()),
        Use::Continues(i) => match plan.and_then(|p| p.columns.get(*i)) {
            Some(first) => {
                return ColumnReport {
                    name: c.at.name.clone(),
                    letter: c.at.letter.clone(),
                    ..report_column(kind, first, None, false)
                };
            }
            None => ColumnUse::Ignored(bi("it goes on from another column", "续前列")),
        },
        Use::Attribute(name) => {
            if hint && !table::PLAIN_ATTRIBUTES.contains(&name.as_str()) {
                let names = table::of_kind(kind)
                    .iter()
                    .chain(table::COMMON)
                    .flat_map(|n| n.names.iter().copied())
                    // A word of one or two characters is near to everything.
                    .filter(|n| n.chars().count() > 2);
                did_you_mean = Some(name)
                    .filter(|n| (3..=40).contains(&n.chars().count()))
                    .and_then(|n| nearest(n, names))
                    .map(str::to_owned);
            }
            ColumnUse::Attribute(name.clone())
        }
    };
    ColumnReport {
        name: c.at.name.clone(),
        letter: c.at.letter.clone(),
        used,
        did_you_mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: Kind, names: &[&str]) -> Plan {
        Plan::of(
            kind,
            &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn every_column_has_a_use() {
        let p = plan(
            Kind::Need,
            &[
                "序号",
                "需求名称*",
                "民族",
                "备注",
                "备注",
                "",
                "简介#2",
                "需求描述",
                "需求描述#2",
                "需求描述#3",
            ],
        );
        let uses: Vec<String> = p.columns.iter().map(|c| format!("{:?}", c.used)).collect();
        assert_eq!(uses[0], "Field(RowNumber, None)");
        assert_eq!(uses[1], "Field(Title, None)");
        assert!(uses[2].starts_with("Refused"));
        assert_eq!(uses[3], r#"Attribute("备注")"#);
        assert_eq!(uses[4], r#"Attribute("备注 (2)")"#);
        assert_eq!(uses[5], r#"Attribute("column F")"#);
        // Goes on from nothing, so it stands for itself.
        assert_eq!(uses[6], "Field(Problem, None)");
        assert_eq!(uses[8], "Continues(7)");
        assert_eq!(uses[9], "Continues(7)");
        assert!(p.carries_text());
    }

    #[test]
    fn unknown_names_get_a_hint() {
        let p = plan(Kind::Need, &["拟投入资全", "备注", "生产线数量"]);
        let hint = |i: usize| report_column(Kind::Need, &p.columns[i], Some(&p), true).did_you_mean;
        assert_eq!(hint(0).as_deref(), Some("拟投入资金"));
        assert_eq!(hint(1), None);
        assert_eq!(hint(2), None);
    }

    #[test]
    fn the_header_row_scores_highest() {
        assert_eq!(
            header_score(["序号", "需求名称", "企业名称", "甲"], None),
            3
        );
        assert_eq!(header_score(["企业技术需求征集表", ""], None), 0);
        assert_eq!(
            header_score(["膜分离技术", "某某公司"], Some(Kind::Need)),
            0
        );
    }
}
