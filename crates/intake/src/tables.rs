//! Tables as they stand in a file, for readers of forms that are no records.

use crate::{
    Cell, Error, ImportOptions,
    read::{self, Event, Read},
};
use std::path::Path;

/// A table: a sheet of a workbook, or the one table of a csv file.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTable {
    /// The file, as it was named.
    pub file: String,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// Rows that hold anything: number as a spreadsheet shows it, and cells.
    pub rows: Vec<(u64, Vec<Cell>)>,
}

/// Rows of one file at most: forms of events are short, and they are held in memory.
const ROWS: usize = 200_000;

/// Every visible table of a workbook, csv or tsv file. Empty sheets come without rows.
///
/// # Errors
/// See [`Error`]: what stops a whole file.
pub fn read_tables(path: &Path) -> Result<Vec<RawTable>, Error> {
    let file = crate::error::shown_path(path);
    let mut opened = read::open(path, &ImportOptions::default())?;
    let mut out: Vec<RawTable> = Vec::new();
    let mut rows = 0;
    while let Some(event) = opened.reader.next() {
        match event? {
            Event::Sheet(sheet) => out.push(RawTable {
                file: file.clone(),
                sheet,
                rows: Vec::new(),
            }),
            Event::Row(row) => {
                rows += 1;
                if rows > ROWS {
                    return Err(Error::new(
                        &file,
                        crate::Cause::TooLarge,
                        crate::error::bi(
                            format!("it has more than {ROWS} rows"),
                            format!("行数超过 {ROWS}"),
                        ),
                        crate::error::bi("split the file", "请拆分文件"),
                    ));
                }
                if out.is_empty() {
                    out.push(RawTable {
                        file: file.clone(),
                        sheet: None,
                        rows: Vec::new(),
                    });
                }
                if let (Read::Cells(cells), Some(table)) = (row.body, out.last_mut()) {
                    table.rows.push((row.row, cells));
                }
            }
            Event::Note(_) => {}
        }
    }
    Ok(out)
}
