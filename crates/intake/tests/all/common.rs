//! Helpers of the tests: a file from its text, and what became of its rows.

use queqiao_domain::Record;
use queqiao_intake::{Error, ImportOptions, Issue, RowOutcome, RowResult, Source};
use rust_xlsxwriter::{Workbook, Worksheet};
use std::{
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// A folder with one file in it.
pub(crate) struct File {
    pub(crate) dir: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn file(name: &str, bytes: impl AsRef<[u8]>) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    File { dir, path }
}

/// The name of a sheet and what fills it.
pub(crate) type Sheet<'a> = (&'a str, &'a dyn Fn(&mut Worksheet));

/// A workbook, its sheets filled.
pub(crate) fn workbook(name: &str, sheets: &[Sheet<'_>]) -> File {
    let mut book = Workbook::new();
    for (name, fill) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).unwrap();
        fill(sheet);
    }
    file(name, book.save_to_buffer().unwrap())
}

/// Rows of texts from the first row on.
pub(crate) fn fill(sheet: &mut Worksheet, rows: &[&[&str]]) {
    for (r, row) in rows.iter().enumerate() {
        for (c, text) in row.iter().enumerate() {
            if !text.is_empty() {
                sheet.write_string(r as u32, c as u16, *text).unwrap();
            }
        }
    }
}

pub(crate) fn read(path: &Path, options: &ImportOptions) -> Result<Vec<RowOutcome>, Error> {
    Source::open(path, options)?.collect()
}

/// The rows of a file that must open and be read to its end.
pub(crate) fn rows(name: &str, bytes: impl AsRef<[u8]>) -> Vec<RowOutcome> {
    read(&file(name, bytes).path, &ImportOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn records(rows: &[RowOutcome]) -> Vec<&Record> {
    rows.iter()
        .map(|r| match &r.result {
            RowResult::Record(c) => c.get(),
            other => panic!("{}: {other:?}", r.place.describe()),
        })
        .collect()
}

/// The one record of a file.
pub(crate) fn record(name: &str, bytes: impl AsRef<[u8]>) -> Record {
    let rows = rows(name, bytes);
    let found = records(&rows);
    assert_eq!(found.len(), 1);
    found[0].clone()
}

pub(crate) fn issues(row: &RowOutcome) -> Vec<&Issue> {
    match &row.result {
        RowResult::Bad(i) => i.iter().collect(),
        other => panic!("{}: {other:?}", row.place.describe()),
    }
}

/// The issues of the one row of a file, in English, without the place's file.
pub(crate) fn complaints(name: &str, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let rows = rows(name, bytes);
    assert_eq!(rows.len(), 1, "{rows:?}");
    issues(&rows[0])
        .iter()
        .map(|i| {
            let text = i.describe().en;
            text.split_once(", row")
                .map_or(text.clone(), |(_, t)| format!("row{t}"))
        })
        .collect()
}

/// Why a file is refused.
pub(crate) fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> Error {
    read(&file(name, bytes).path, &ImportOptions::default()).expect_err("the file was read")
}

/// A workbook with one of its parts put through `change`.
pub(crate) fn with_part(part: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(book.add_worksheet(), &[&["需求名称"], &["甲"]]);
    let mut old = ZipArchive::new(Cursor::new(book.save_to_buffer().unwrap())).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let mut entry = old.by_index(i).unwrap();
        let name = entry.name().unwrap().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if name == part {
            bytes = change(bytes);
        }
        new.start_file(name, SimpleFileOptions::default()).unwrap();
        new.write_all(&bytes).unwrap();
    }
    new.finish().unwrap().into_inner()
}
