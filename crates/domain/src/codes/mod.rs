//! Codes of public standards, each checked against its table or its check digit.
//!
//! The tables under `crates/domain/tables` are made by
//! `cargo run -p queqiao-domain --example make_tables` from public lists.

mod discipline;
mod industry;
mod readiness;
mod region;
mod uscc;

pub use discipline::DisciplineCode;
pub use industry::IndustryCode;
pub use readiness::{Readiness, ReadinessScale};
pub use region::{RegionCode, RegionLevel};
pub use uscc::Uscc;

use crate::Bilingual;

/// Why a text is no code of a standard: what is wrong with it and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {expected}")]
pub struct CodeError {
    /// What is wrong.
    pub problem: Bilingual,
    /// What would be accepted.
    pub expected: Bilingual,
}

impl CodeError {
    pub(crate) fn new(problem: impl Into<Bilingual>, expected: impl Into<Bilingual>) -> Self {
        Self {
            problem: problem.into(),
            expected: expected.into(),
        }
    }

    /// The whole of it, for people.
    pub fn message(&self) -> Bilingual {
        let zh = format!("{}；{}", self.problem.zh, self.expected.zh);
        Bilingual::new(self.to_string(), zh)
    }
}

/// Splits a two-column table with `#` comment lines.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split_once('\t'))
}

/// The first characters of a text, for messages.
fn shown(s: &str) -> String {
    let mut out: String = s.chars().take(40).collect();
    if out.len() < s.len() {
        out.push('…');
    }
    out
}

macro_rules! code_serde {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use code_serde;
