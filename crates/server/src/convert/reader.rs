//! Collects what is wrong with a message while it is read.

use super::{Violations, Word, shown};
use queqiao_domain::{Bilingual, CodeError, Date, Violation, parse_date};
use std::{fmt::Display, str::FromStr};

/// Reads fields and remembers every one that does not read. A method that notes a violation gives
/// a value that is never used: [`Reader::finish`] hands out nothing once a violation is noted.
#[derive(Default)]
pub(super) struct Reader {
    found: Violations,
}

/// Violations that are remembered: a hostile message has no more to say.
const REMEMBERED: usize = 1_000;

impl Reader {
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Violations> {
        match value {
            Some(v) if self.found.is_empty() => Ok(v),
            _ => Err(self.found),
        }
    }

    pub(super) fn note(&mut self, v: Violation) {
        self.found.push(v);
    }

    pub(super) fn fail(
        &mut self,
        path: impl Display,
        problem: (impl Into<String>, impl Into<String>),
        expected: (impl Into<String>, impl Into<String>),
    ) {
        if self.found.len() < REMEMBERED {
            self.found
                .push(Violation::new(path.to_string(), problem, expected));
        }
    }

    /// A code that must be there.
    pub(super) fn code<T: FromStr<Err = CodeError>>(
        &mut self,
        path: impl Display,
        text: &str,
    ) -> Option<T> {
        text.parse()
            .map_err(|e: CodeError| {
                self.found
                    .push(Violation::new(path.to_string(), e.problem, e.expected));
            })
            .ok()
    }

    /// A code that may be empty.
    pub(super) fn optional_code<T: FromStr<Err = CodeError>>(
        &mut self,
        path: impl Display,
        text: &str,
    ) -> Option<T> {
        if text.is_empty() {
            None
        } else {
            self.code(path, text)
        }
    }

    pub(super) fn codes<T: FromStr<Err = CodeError>>(
        &mut self,
        path: impl Display,
        texts: &[String],
    ) -> Vec<T> {
        texts
            .iter()
            .enumerate()
            .filter_map(|(i, t)| self.code(format_args!("{path}[{i}]"), t))
            .collect()
    }

    /// A day that must be there.
    pub(super) fn date(&mut self, path: impl Display, text: &str) -> Option<Date> {
        let date = parse_date(text);
        if date.is_none() {
            self.fail(
                path,
                (
                    format!("`{}` is no day", shown(text)),
                    format!("“{}”不是日期", shown(text)),
                ),
                (
                    "expected ISO 8601, such as 2026-11-23",
                    "应为 ISO 8601 日期，如 2026-11-23",
                ),
            );
        }
        date
    }

    /// A day that may be empty.
    pub(super) fn optional_date(&mut self, path: impl Display, text: &str) -> Option<Date> {
        if text.is_empty() {
            None
        } else {
            self.date(path, text)
        }
    }

    /// A word of a closed vocabulary that may be left out.
    pub(super) fn word<T: Word>(&mut self, path: impl Display, number: i32) -> Option<T> {
        T::read(number).unwrap_or_else(|()| {
            self.fail(
                path,
                (
                    format!("{number} is no value of this enum"),
                    format!("{number} 不是该枚举的值"),
                ),
                accepted::<T>(),
            );
            None
        })
    }

    /// A word of a closed vocabulary that must be there.
    pub(super) fn required_word<T: Word>(&mut self, path: impl Display, number: i32) -> Option<T> {
        if number == 0 {
            self.fail(path, ("it is not given", "未填写"), accepted::<T>());
            return None;
        }
        self.word(path, number)
    }

    pub(super) fn words<T: Word>(&mut self, path: impl Display, numbers: &[i32]) -> Vec<T> {
        numbers
            .iter()
            .enumerate()
            .filter_map(|(i, n)| self.required_word(format_args!("{path}[{i}]"), *n))
            .collect()
    }

    /// A whole number from 0 that may be left out.
    pub(super) fn natural(&mut self, path: impl Display, number: Option<i32>) -> Option<u32> {
        let number = number?;
        let read = u32::try_from(number).ok();
        if read.is_none() {
            self.fail(
                path,
                (format!("{number} is negative"), format!("{number} 为负数")),
                ("expected 0 or more", "应不小于 0"),
            );
        }
        read
    }

    /// A whole number from 1 that may be left out.
    pub(super) fn one_based(&mut self, path: impl Display, number: Option<i32>) -> Option<u32> {
        let number = number?;
        let read = u32::try_from(number).ok().filter(|n| *n > 0);
        if read.is_none() {
            self.fail(
                path,
                (format!("{number} is too small"), format!("{number} 过小")),
                ("expected 1 or more", "应不小于 1"),
            );
        }
        read
    }

    /// A number from 0 to 1.
    pub(super) fn share(&mut self, path: impl Display, number: f64) -> Option<f64> {
        let fine = (0.0..=1.0).contains(&number);
        if !fine {
            self.fail(
                path,
                (
                    format!("{number} is out of range"),
                    format!("{number} 超出范围"),
                ),
                ("expected 0 to 1", "应为 0 至 1"),
            );
        }
        fine.then_some(number)
    }

    /// A number from 0 up; above it where `above` says so.
    pub(super) fn amount(&mut self, path: impl Display, number: f64, above: bool) -> Option<f64> {
        let fine = number.is_finite() && (number > 0.0 || !above && number == 0.0);
        if !fine {
            let expected = match above {
                true => ("expected a number above 0", "应为大于 0 的数"),
                false => ("expected a number from 0 up", "应为不小于 0 的数"),
            };
            self.fail(
                path,
                (
                    format!("{number} is out of range"),
                    format!("{number} 超出范围"),
                ),
                expected,
            );
        }
        fine.then_some(number)
    }

    /// Ends reading here when something is wrong already.
    pub(super) fn check(&mut self) -> Result<(), Violations> {
        match self.found.is_empty() {
            true => Ok(()),
            false => Err(std::mem::take(&mut self.found)),
        }
    }

    /// What a domain type said about itself.
    pub(super) fn note_code(&mut self, path: impl Display, e: CodeError) {
        self.found
            .push(Violation::new(path.to_string(), e.problem, e.expected));
    }
}

fn accepted<T: Word>() -> (String, String) {
    let Bilingual { en, zh } = T::accepted();
    (en, zh)
}
