//! From the words in a cell to checked values.

mod amount;
mod date;
mod list;
mod vocabulary;

pub(crate) use amount::{Amount, Unit, read_amount, write_amount};
pub(crate) use date::{When, read_date, read_dates};
pub(crate) use list::{Splitter, split};
pub(crate) use vocabulary::{
    cooperation_modes, field_category, ip_forms, is_free, read_bool, read_count, read_language,
    read_region, read_regions, read_visibility,
};

use crate::error::bi;
use queqiao_domain::{Bilingual, CodeError};

/// Why a value is refused: what is wrong with it and what would be accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) problem: Bilingual,
    pub(crate) expected: Bilingual,
}

impl Refusal {
    pub(crate) fn new(problem: (&str, &str), expected: (&str, &str)) -> Self {
        Refusal {
            problem: bi(problem.0, problem.1),
            expected: bi(expected.0, expected.1),
        }
    }
}

impl From<CodeError> for Refusal {
    fn from(e: CodeError) -> Self {
        Refusal {
            problem: e.problem,
            expected: e.expected,
        }
    }
}

/// Folds full-width digits, letters and signs to ASCII.
pub(crate) fn fold(s: &str) -> String {
    s.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            _ => c,
        })
        .collect()
}
