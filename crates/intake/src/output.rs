//! What every writer keeps: files appear whole or not at all, and no cell runs as a formula.

use crate::{Error, error::shown_path};
use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A file that appears under its name only when it is complete.
pub(crate) struct Pending {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl Pending {
    /// Begins a file beside its final place.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let dir = match path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new()
            .prefix(".queqiao-")
            .suffix(".part")
            .tempfile_in(dir)
            .map_err(|e| write_error(path, e))?;
        Ok(Pending {
            path: path.to_owned(),
            out: BufWriter::new(file),
        })
    }

    /// The folder the file will lie in.
    pub(crate) fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        }
    }

    /// Puts the complete file on disk and under its name, in place of any older one.
    pub(crate) fn finish(self) -> Result<PathBuf, Error> {
        let path = self.path;
        let file = self
            .out
            .into_inner()
            .map_err(|e| write_error(&path, e.into_error()))?;
        file.as_file()
            .sync_all()
            .map_err(|e| write_error(&path, e))?;
        // A new file is its owner's alone, as it may hold contacts; one that was there before
        // keeps the rights it had.
        if let Ok(old) = fs::metadata(&path) {
            file.as_file()
                .set_permissions(old.permissions())
                .map_err(|e| write_error(&path, e))?;
        }
        file.persist(&path)
            .map_err(|e| write_error(&path, e.error))?;
        Ok(path)
    }
}

impl Write for Pending {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.out.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The error of a file that cannot be written.
pub(crate) fn write_error(path: &Path, e: io::Error) -> Error {
    Error::io(&shown_path(path), ("cannot be written", "无法写入"), e)
}

/// Guards a csv cell that a spreadsheet program would run as a formula: a `'` goes in front of
/// `=`, `+`, `-`, `@` (also full-width), tab and carriage return, unless the cell is a number.
/// [`unguard`] takes it away again, so that every text survives the way out and in.
pub(crate) fn guard(cell: &str) -> std::borrow::Cow<'_, str> {
    let runs = cell.trim_start_matches('\'').starts_with(is_trigger);
    if runs && cell.parse::<f64>().is_err() {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

/// Takes away the `'` that [`guard`] put in front.
pub(crate) fn unguard(mut cell: String) -> String {
    if cell.starts_with('\'') && cell.trim_start_matches('\'').starts_with(is_trigger) {
        cell.remove(0);
    }
    cell
}

fn is_trigger(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for (cell, guarded) in [
            ("=1+1", "'=1+1"),
            ("@cmd", "'@cmd"),
            ("-5", "-5"),
            ("-5℃ 以下", "'-5℃ 以下"),
            ("'=1", "''=1"),
            ("'quoted'", "'quoted'"),
            ("plain", "plain"),
        ] {
            assert_eq!(guard(cell), guarded);
            assert_eq!(unguard(guarded.to_owned()), cell);
        }
    }

    proptest! {
        #[test]
        fn every_cell_survives(cell in "['=+@a1甲 -]{0,8}") {
            prop_assert_eq!(unguard(guard(&cell).into_owned()), cell);
        }
    }
}
