//! Workbooks written row by row.

use crate::{
    Cell, Error,
    output::{Pending, write_error},
};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Rows in a sheet (Excel's own limit).
const ROWS: u32 = 1_048_576;
/// Characters in a cell (Excel's own limit).
const CHARACTERS: usize = 32_767;

/// A workbook that appears under its name when it is complete. Text is always written as text, so
/// nothing in it runs as a formula.
pub(crate) struct Book {
    path: PathBuf,
    pending: Pending,
    book: Workbook,
    names: Vec<String>,
    /// The name asked for, and the header to repeat when a sheet is full.
    current: Option<String>,
    header: Vec<Cell>,
    row: u32,
    bold: Format,
    day: Format,
}

impl Book {
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let pending = Pending::create(path)?;
        let mut book = Workbook::new();
        book.set_tempdir(pending.dir())
            .map_err(|e| failed(path, e))?;
        Ok(Book {
            path: path.to_owned(),
            pending,
            book,
            names: Vec::new(),
            current: None,
            header: Vec::new(),
            row: 0,
            bold: Format::new().set_bold(),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        })
    }

    /// Begins a sheet. Signs that no sheet's name may hold are left out, and a name that is taken
    /// gets a number.
    pub(crate) fn sheet(&mut self, name: &str) -> Result<(), Error> {
        let clean: String = name
            .chars()
            .filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\') && !c.is_control())
            .take(25)
            .collect();
        let clean = clean.trim_matches('\'').trim();
        let clean = if clean.is_empty() { "sheet" } else { clean };
        let mut unique = clean.to_owned();
        let mut n = 1;
        while self
            .names
            .iter()
            .any(|s| s.to_lowercase() == unique.to_lowercase())
        {
            n += 1;
            unique = format!("{clean} ({n})");
        }
        let path = &self.path;
        self.book
            .add_worksheet_with_constant_memory()
            .and_then(|s| s.set_name(&unique)?.set_freeze_panes(1, 0))
            .map_err(|e| failed(path, e))?;
        self.names.push(unique);
        self.current = Some(name.to_owned());
        self.row = 0;
        Ok(())
    }

    /// Writes the next row. A text longer than a cell may be is cut.
    pub(crate) fn row(&mut self, cells: &[Cell], header: bool) -> Result<(), Error> {
        if header {
            self.header = cells.to_vec();
        } else if self.row >= ROWS {
            let name = self.current.clone().unwrap_or_default();
            let again = std::mem::take(&mut self.header);
            self.sheet(&name)?;
            self.row(&again, true)?;
        }
        let Some(index) = self.names.len().checked_sub(1) else {
            return Ok(());
        };
        let (row, bold, day) = (self.row, &self.bold, &self.day);
        let write = || -> Result<(), XlsxError> {
            let sheet = self.book.worksheet_from_index(index)?;
            for (column, cell) in cells.iter().enumerate() {
                let column = u16::try_from(column).map_err(|_| XlsxError::RowColumnLimitError)?;
                match cell {
                    Cell::Empty => {}
                    Cell::Text(t) if t.is_empty() => {}
                    Cell::Text(t) if header => {
                        sheet.write_string_with_format(row, column, cut(t), bold)?;
                    }
                    Cell::Text(t) => {
                        sheet.write_string(row, column, cut(t))?;
                    }
                    Cell::Number(n) => {
                        sheet.write_number(row, column, *n)?;
                    }
                    Cell::Date(d) => {
                        sheet.write_number_with_format(row, column, *d, day)?;
                    }
                    Cell::Bool(b) => {
                        sheet.write_boolean(row, column, *b)?;
                    }
                    Cell::Error(e) => {
                        sheet.write_string(row, column, e)?;
                    }
                }
            }
            Ok(())
        };
        let mut write = write;
        write().map_err(|e| failed(&self.path, e))?;
        self.row += 1;
        Ok(())
    }

    /// Completes the workbook and puts it in its place.
    pub(crate) fn finish(mut self) -> Result<PathBuf, Error> {
        if self.names.is_empty() {
            self.sheet("sheet")?;
        }
        self.book
            .save_to_writer(&mut self.pending)
            .map_err(|e| failed(&self.path, e))?;
        self.pending.finish()
    }
}

fn cut(text: &str) -> &str {
    // The limit counts UTF-16 units; no text is shorter in bytes than in units.
    if text.len() <= CHARACTERS {
        return text;
    }
    let mut units = 0;
    for (i, c) in text.char_indices() {
        units += c.len_utf16();
        if units > CHARACTERS {
            return &text[..i];
        }
    }
    text
}

fn failed(path: &Path, e: XlsxError) -> Error {
    let io = match e {
        XlsxError::IoError(e) => e,
        other => io::Error::other(other),
    };
    write_error(path, io)
}
