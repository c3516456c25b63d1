//! What is wrong, where, and what to try.

use crate::lang::Text;
use std::{fmt, io};

/// Why something could not be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The file system refused: missing, no permission, a folder.
    Io,
    /// The compressed stream is damaged or cut off.
    Damaged,
    /// The bytes are not UTF-8.
    Encoding,
    /// A line lacks a column, or has too many.
    Columns,
    /// A grade or a score is no number, or not a number.
    Number,
    /// A line, or one string of a JSON document, is longer than is read.
    TooLong,
    /// JSON that is none, or has another shape than is read here.
    Json,
    /// A document stands twice for one query.
    Duplicate,
    /// There is nothing to evaluate.
    Empty,
    /// The files have no query in common, or not the same queries.
    Queries,
    /// No measure has that name, or it has no such parameter.
    Measure,
    /// A measure cannot be taken of these judgements.
    Unfit,
    /// An option has a value that makes no sense.
    Option,
}

impl Cause {
    /// True where the user mends it by mending the file or the command; false for the machine's own
    /// troubles.
    pub fn is_input(self) -> bool {
        self != Cause::Io
    }
}

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, as the caller called it.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The field of the line: its place from 1, and its name.
    pub field: Option<(usize, &'static str)>,
}

/// A failure: where, what is wrong, what to try.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// Why, for the program.
    pub cause: Cause,
    /// Where.
    pub place: Box<Place>,
    /// What is wrong, for the person.
    pub problem: Box<Text>,
    /// What to try.
    pub advice: Box<Text>,
    /// The error below, where there is one.
    #[source]
    pub source: Option<io::Error>,
}

impl Error {
    /// A failure that belongs to no file.
    pub fn new(cause: Cause, problem: Text, advice: Text) -> Self {
        Error {
            cause,
            place: Box::default(),
            problem: Box::new(problem),
            advice: Box::new(advice),
            source: None,
        }
    }

    /// A failure of the file system or of a compressed stream.
    pub(crate) fn io(file: &str, source: io::Error) -> Self {
        let damaged = matches!(
            source.kind(),
            io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::Other
        );
        let (cause, problem, advice) = if damaged {
            (
                Cause::Damaged,
                Text::new(
                    format!("the compressed data is damaged or cut off ({source})"),
                    format!("压缩数据损坏或不完整（{source}）"),
                ),
                Text::new("get the file anew", "请重新获取该文件"),
            )
        } else {
            let advice = match source.kind() {
                io::ErrorKind::NotFound => ("check the path", "请检查路径"),
                io::ErrorKind::PermissionDenied => ("check the permissions", "请检查权限"),
                io::ErrorKind::IsADirectory => ("name a file", "请指定文件"),
                _ => ("check the file and the disk", "请检查文件和磁盘"),
            };
            (
                Cause::Io,
                Text::new(
                    format!("cannot be read ({source})"),
                    format!("无法读取（{source}）"),
                ),
                Text::new(advice.0, advice.1),
            )
        };
        let mut e = Error::new(cause, problem, advice).in_file(file);
        e.source = Some(source);
        e
    }

    /// The same, in this file, unless it has one.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.place.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The same, at this line.
    pub(crate) fn at(mut self, line: u64) -> Self {
        self.place.line = Some(line);
        self
    }

    /// The same, in this field.
    pub(crate) fn field(mut self, number: usize, name: &'static str) -> Self {
        self.place.field = Some((number, name));
        self
    }

    /// The whole message in both languages: place, problem, advice.
    pub fn message(&self) -> Text {
        let p = &self.place;
        let (mut en, mut zh) = (String::new(), String::new());
        if let Some(file) = &p.file {
            en.push_str(file);
            zh.push_str(file);
            if let Some(line) = p.line {
                en.push_str(&format!(":{line}"));
                zh.push_str(&format!(" 第 {line} 行"));
            }
            if let Some((n, name)) = p.field {
                en.push_str(&format!(", field {n} ({name})"));
                zh.push_str(&format!(" 第 {n} 列（{name}）"));
            }
            en.push_str(": ");
            zh.push('：');
        }
        Text::new(
            format!("{en}{}; {}", self.problem.en, self.advice.en),
            format!("{zh}{}；{}", self.problem.zh, self.advice.zh),
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().en)
    }
}
