//! Sheets with known columns, and the slips found in them.

use crate::{
    DeskError,
    names::{Kind, SHEETS, columns, rule},
};
use queqiao_domain::{Bilingual, nearest};
use queqiao_events::conflict::same_name_key;
use queqiao_intake::{Cell, Column, Issue, Place, RawTable, letters, read_tables, shown_value};
use std::{collections::BTreeMap, path::Path};

/// A sheet whose columns are known.
pub(crate) struct Sheet {
    file: String,
    sheet: Option<String>,
    /// Field → place and name of the column.
    fields: BTreeMap<&'static str, (usize, String)>,
    /// Columns of other names, where the kind takes them: place and name.
    extra: Vec<(usize, String)>,
    rows: Vec<(u64, Vec<Cell>)>,
}

/// A row with its place.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    sheet: &'a Sheet,
    number: u64,
    cells: &'a [Cell],
}

/// All slips found so far.
#[derive(Default)]
pub(crate) struct Slips(pub(crate) Vec<Issue>);

impl Slips {
    /// A slip in the cell of a field.
    pub(crate) fn add(
        &mut self,
        row: Row<'_>,
        field: &str,
        problem: (String, String),
        expected: (String, String),
    ) {
        let column = row.sheet.fields.get(field);
        self.put(row, field, column, problem, expected);
    }

    /// A slip in the cell of a column that is no field.
    pub(crate) fn add_extra(
        &mut self,
        row: Row<'_>,
        extra: usize,
        problem: (String, String),
        expected: (String, String),
    ) {
        self.put(row, "", row.sheet.extra.get(extra), problem, expected);
    }

    fn put(
        &mut self,
        row: Row<'_>,
        field: &str,
        column: Option<&(usize, String)>,
        problem: (String, String),
        expected: (String, String),
    ) {
        let cell = column.and_then(|(i, _)| row.cells.get(*i));
        self.0.push(Issue {
            place: row.place(),
            column: column.map(|(i, name)| Column {
                name: name.clone(),
                letter: letters(*i),
            }),
            field: (!field.is_empty()).then(|| field.to_owned()),
            value: shown_value(&cell.map_or(String::new(), Cell::text), false),
            problem: Bilingual::new(problem.0, problem.1),
            expected: Bilingual::new(expected.0, expected.1),
        });
    }
}

impl<'a> Row<'a> {
    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.sheet.file.clone(),
            sheet: self.sheet.sheet.clone(),
            row: self.number,
            line: None,
        }
    }

    /// The cell of a field; empty where the sheet has no such column.
    pub(crate) fn cell(&self, field: &str) -> &'a Cell {
        static EMPTY: Cell = Cell::Empty;
        self.sheet
            .fields
            .get(field)
            .and_then(|(i, _)| self.cells.get(*i))
            .unwrap_or(&EMPTY)
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.cell(field).text().trim().to_owned()
    }

    /// The cell of a column that is no field.
    pub(crate) fn extra(&self, extra: usize) -> &'a Cell {
        static EMPTY: Cell = Cell::Empty;
        self.sheet
            .extra
            .get(extra)
            .and_then(|(i, _)| self.cells.get(*i))
            .unwrap_or(&EMPTY)
    }
}

impl Sheet {
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(number, cells)| Row {
            sheet: self,
            number: *number,
            cells,
        })
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The column that is no field and has this name.
    pub(crate) fn find_extra(&self, name: &str) -> Option<usize> {
        self.extra
            .iter()
            .position(|(_, n)| same_name_key(n) == same_name_key(name) || bare(n) == bare(name))
    }

    /// Names of the columns that are no field.
    pub(crate) fn extras(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(|(_, n)| n.as_str())
    }
}

/// Without what forms put around a name: stars, numbers, brackets.
fn bare(name: &str) -> String {
    let key = same_name_key(name);
    let key = key.trim_matches(|c: char| "*:：☆★".contains(c));
    match key.split_once(['(', '（']) {
        Some((head, _)) if !head.is_empty() => head.to_owned(),
        _ => key.to_owned(),
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    let key = bare(name);
    SHEETS
        .iter()
        .find(|(_, names)| names.iter().any(|n| same_name_key(n) == key))
        .map(|s| s.0)
}

fn field_of(kind: Kind, header: &str) -> Option<&'static str> {
    let (whole, key) = (same_name_key(header), bare(header));
    columns(kind)
        .iter()
        .find(|(_, names)| {
            names
                .iter()
                .any(|n| same_name_key(n) == whole || same_name_key(n) == key)
        })
        .map(|c| c.0)
}

/// The sheets of an event or team by kind.
pub(crate) type Sheets = BTreeMap<Kind, Sheet>;

/// Every sheet of an event or team, and what was noticed: a workbook, or a folder of workbooks and
/// csv files.
pub(crate) fn open(path: &Path) -> Result<(Sheets, Vec<Bilingual>), DeskError> {
    let tables = tables(path)?;
    let mut notes = Vec::new();
    let mut out = Sheets::new();
    let mut slips = Vec::new();
    for (name, table) in tables {
        let Some(kind) = kind_of(&name) else {
            if !table.rows.is_empty() {
                notes.push(unknown_sheet(&name));
            }
            continue;
        };
        let sheet = match with_columns(kind, &name, table, &mut notes) {
            Ok(sheet) => sheet,
            Err(issue) => {
                slips.push(*issue);
                continue;
            }
        };
        if out.insert(kind, sheet).is_some() {
            return Err(DeskError::Input(Bilingual::new(
                format!("two sheets are read as {name}: keep one"),
                format!("有两张表均为“{name}”：请保留一张"),
            )));
        }
    }
    if slips.is_empty() {
        Ok((out, notes))
    } else {
        Err(DeskError::Issues(slips))
    }
}

fn unknown_sheet(name: &str) -> Bilingual {
    let known: Vec<&str> = SHEETS.iter().flat_map(|s| s.1.iter().copied()).collect();
    let hint = nearest(name, known).map_or(String::new(), |n| format!(" ({n}?)"));
    Bilingual::new(
        format!("sheet {name} is not known and was not read{hint}"),
        format!("工作表“{name}”无法识别，未读取{hint}"),
    )
}

/// Tables with the names under which they are known.
fn tables(path: &Path) -> Result<Vec<(String, RawTable)>, DeskError> {
    let mut tables: Vec<(String, RawTable)> = Vec::new();
    if path.is_dir() {
        let failed = |e: std::io::Error| {
            DeskError::Input(Bilingual::new(
                format!("{} cannot be read: {e}", path.display()),
                format!("无法读取 {}：{e}", path.display()),
            ))
        };
        let mut files: Vec<_> = std::fs::read_dir(path)
            .map_err(failed)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?
            .into_iter()
            .map(|f| f.path())
            .filter(|p| {
                let e = p
                    .extension()
                    .map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
                let hidden = p
                    .file_name()
                    .is_some_and(|n| n.to_string_lossy().starts_with(['.', '~']));
                ["xlsx", "xlsm", "csv", "tsv"].contains(&e.as_str()) && !hidden
            })
            .collect();
        files.sort();
        for f in files {
            let stem = f
                .file_stem()
                .map_or(String::new(), |s| s.to_string_lossy().into_owned());
            let read = read_tables(&f)?;
            let single = read.len() == 1;
            for t in read {
                // A workbook with one sheet may be named by its file.
                let name = match &t.sheet {
                    Some(s) if !single || kind_of(s).is_some() => s.clone(),
                    _ => stem.clone(),
                };
                tables.push((name, t));
            }
        }
    } else {
        for t in read_tables(path)? {
            let stem = path
                .file_stem()
                .map_or(String::new(), |s| s.to_string_lossy().into_owned());
            tables.push((t.sheet.clone().unwrap_or(stem), t));
        }
    }
    Ok(tables)
}

fn with_columns(
    kind: Kind,
    name: &str,
    table: RawTable,
    notes: &mut Vec<Bilingual>,
) -> Result<Sheet, Box<Issue>> {
    let accepted = || -> Vec<&str> { columns(kind).iter().map(|c| c.1[0]).collect() };
    // The header is the row among the first ten that knows most columns.
    let best = table
        .rows
        .iter()
        .take(10)
        .enumerate()
        .map(|(i, (_, cells))| {
            let known = cells
                .iter()
                .filter(|c| field_of(kind, &c.text()).is_some())
                .count();
            (known, std::cmp::Reverse(i))
        })
        .max();
    let problem = |en: &str, zh: &str| {
        let accepted = accepted();
        Err(Box::new(Issue {
            place: Place {
                file: table.file.clone(),
                sheet: table.sheet.clone(),
                row: table.rows.first().map_or(1, |r| r.0),
                line: None,
            },
            column: None,
            field: None,
            value: String::new(),
            problem: Bilingual::new(en, zh),
            expected: Bilingual::new(
                format!(
                    "expected a header with columns such as {}, and rows below it",
                    accepted.join(", ")
                ),
                format!("应有表头（如 {}）及其下的数据行", accepted.join("、")),
            ),
        }))
    };
    let Some((known, std::cmp::Reverse(at))) = best else {
        return problem("the sheet is empty", "工作表为空");
    };
    if known == 0 && kind == Kind::Rules && rule(&first(&table, 0)).is_some() {
        // Rules are often kept without a header.
        return Ok(Sheet {
            fields: [("key", (0, String::new())), ("value", (1, String::new()))].into(),
            extra: Vec::new(),
            rows: table.rows,
            file: table.file,
            sheet: table.sheet,
        });
    }
    if known == 0 {
        return problem("no column has a known name", "没有可识别的列名");
    }
    if table.rows.len() <= at + 1 {
        return problem(
            "the sheet has a header and no row",
            "工作表只有表头，没有数据行",
        );
    }
    let (mut fields, mut extra) = (BTreeMap::new(), Vec::new());
    for (i, cell) in table.rows[at].1.iter().enumerate() {
        let header = cell.text();
        if header.trim().is_empty() {
            continue;
        }
        if queqiao_domain::refused_field(&header).is_some() {
            notes.push(Bilingual::new(
                format!("{name}: column {header} was not read"),
                format!("{name}：列“{header}”不予读取"),
            ));
            continue;
        }
        match field_of(kind, &header) {
            Some(f) => {
                fields.entry(f).or_insert((i, header.trim().to_owned()));
            }
            // What an application is judged by is named by its columns.
            None if kind == Kind::Applications => extra.push((i, header.trim().to_owned())),
            None => notes.push(Bilingual::new(
                format!("{name}: column {header} is not known and was not read"),
                format!("{name}：列“{header}”无法识别，未读取"),
            )),
        }
    }
    Ok(Sheet {
        rows: table.rows[at + 1..].to_vec(),
        file: table.file,
        sheet: table.sheet,
        fields,
        extra,
    })
}

fn first(table: &RawTable, row: usize) -> String {
    table
        .rows
        .get(row)
        .and_then(|(_, cells)| cells.first())
        .map_or(String::new(), Cell::text)
}
