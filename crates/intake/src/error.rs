//! What stops a whole file, as opposed to one row.

use queqiao_domain::Bilingual;
use std::{fmt, io, path::Path};

/// Why a file could not be read or written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The file system refused: missing, no permission, full, a folder.
    Io,
    /// The bytes are text in no encoding that is read here.
    Encoding,
    /// The file is of a kind that is not read here (Word, old Excel, HTML …).
    Format,
    /// The file is damaged: a workbook that does not unpack, a quote that never closes.
    Damaged,
    /// The file is protected by a password.
    Protected,
    /// The file exceeds a limit: it unpacks to too much, a line is too long.
    TooLarge,
    /// There is nothing in the file.
    Empty,
    /// No column has a name known here.
    NoColumns,
    /// Nothing says what kind of record the rows are.
    NoKind,
    /// The sheet asked for is not in the workbook.
    NoSheet,
}

impl Cause {
    /// True when the user can mend it by mending the file or the command; false for the machine's
    /// own troubles.
    pub fn is_input(self) -> bool {
        self != Cause::Io
    }
}

/// A failure of a whole file: on what, what is wrong, what to try.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// The file.
    pub file: String,
    /// Why, for the program.
    pub cause: Cause,
    /// What is wrong, for the person.
    pub problem: Bilingual,
    /// What to try.
    pub advice: Box<Bilingual>,
    /// The error below, where there is one.
    #[source]
    pub source: Option<io::Error>,
}

impl Error {
    pub(crate) fn new(file: &str, cause: Cause, problem: Bilingual, advice: Bilingual) -> Self {
        Error {
            file: file.to_owned(),
            cause,
            problem,
            advice: Box::new(advice),
            source: None,
        }
    }

    /// A failure of the file system while doing `what` (en, zh).
    pub(crate) fn io(file: &str, what: (&str, &str), source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::NotFound => ("check the path", "请检查路径"),
            io::ErrorKind::PermissionDenied => ("check the permissions", "请检查权限"),
            io::ErrorKind::StorageFull => ("free some space", "请释放磁盘空间"),
            _ => ("check the file and the disk", "请检查文件和磁盘"),
        };
        Error {
            file: file.to_owned(),
            cause: Cause::Io,
            problem: bi(what.0, what.1),
            advice: Box::new(bi(advice.0, advice.1)),
            source: Some(source),
        }
    }

    /// The whole message in both languages.
    pub fn message(&self) -> Bilingual {
        Bilingual::new(
            format!("{}: {}; {}", self.file, self.problem.en, self.advice.en),
            format!("{}：{}；{}", self.file, self.problem.zh, self.advice.zh),
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.file, self.problem.en, self.advice.en)
    }
}

/// Joins two wordings.
pub(crate) fn bi(en: impl Into<String>, zh: impl Into<String>) -> Bilingual {
    Bilingual::new(en, zh)
}

/// The name by which messages call a file.
pub(crate) fn shown_path(path: &Path) -> String {
    path.display().to_string()
}
