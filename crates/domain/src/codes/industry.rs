//! Industries of GB/T 4754-2017: section (letter), division, group, class.

use super::{CodeError, code_serde, rows, shown};
use crate::{Bilingual, suggest::nearest};
use std::{collections::HashMap, fmt, str::FromStr, sync::OnceLock};

struct Table {
    /// Sorted by code.
    industries: Vec<(&'static str, &'static str)>,
    by_digits: HashMap<&'static str, u16>,
    by_name: HashMap<&'static str, u16>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut industries: Vec<_> = rows(include_str!("../../tables/gbt4754.tsv")).collect();
        industries.sort_unstable();
        let mut by_digits = HashMap::new();
        let mut by_name = HashMap::new();
        for (i, (code, name)) in industries.iter().enumerate() {
            by_digits.insert(&code[1..], i as u16);
            // The coarser level comes first and keeps the name.
            by_name.entry(*name).or_insert(i as u16);
        }
        Table {
            industries,
            by_digits,
            by_name,
        }
    })
}

/// An industry of GB/T 4754-2017 (`C3973` is 集成电路制造, `C39` its division, `C` its section).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndustryCode(u16);

impl IndustryCode {
    /// The code, a letter and up to four digits.
    pub fn code(self) -> &'static str {
        table().industries[usize::from(self.0)].0
    }

    /// The Chinese name.
    pub fn name(self) -> &'static str {
        table().industries[usize::from(self.0)].1
    }

    /// True when this industry is `other` or part of it.
    pub fn is_within(self, other: IndustryCode) -> bool {
        self.code().starts_with(other.code())
    }

    /// How many levels of the tree two industries share: 0 (none) to 4 (the same class).
    pub fn shared_levels(self, other: IndustryCode) -> usize {
        let common = self
            .code()
            .bytes()
            .zip(other.code().bytes())
            .take_while(|(a, b)| a == b)
            .count();
        match common {
            0 => 0,
            1 | 2 => 1,
            n => n - 1,
        }
    }

    /// Number of industries in the table.
    pub fn count() -> usize {
        table().industries.len()
    }
}

impl FromStr for IndustryCode {
    type Err = CodeError;

    /// Reads a code with or without its letter (`C3973`, `3973`), or a name of the standard.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let t = table();
        let text = s.trim();
        let text = text.strip_suffix(".0").unwrap_or(text);
        let upper = text.to_ascii_uppercase();
        if let Ok(i) = t.industries.binary_search_by_key(&upper.as_str(), |r| r.0) {
            return Ok(IndustryCode(i as u16));
        }
        if let Some(i) = t
            .by_digits
            .get(upper.as_str())
            .filter(|_| !upper.is_empty())
        {
            return Ok(IndustryCode(*i));
        }
        if let Some(i) = t.by_name.get(text) {
            return Ok(IndustryCode(*i));
        }
        let near = if text.is_ascii() {
            None
        } else {
            nearest(
                text,
                t.by_name
                    .keys()
                    .copied()
                    .collect::<std::collections::BTreeSet<_>>(),
            )
        };
        let hint = near
            .and_then(|n| t.by_name.get(n))
            .map(|i| IndustryCode(*i))
            .map_or((String::new(), String::new()), |i| {
                (
                    format!("; did you mean {} {}?", i.code(), i.name()),
                    format!("；是否为 {} {}？", i.code(), i.name()),
                )
            });
        Err(CodeError::new(
            Bilingual::new(
                format!("`{}` is no industry of GB/T 4754-2017", shown(s)),
                format!("“{}”不是 GB/T 4754-2017 行业", shown(s)),
            ),
            Bilingual::new(
                format!(
                    "expected a code (C, C39, C397, C3973 or 3973) or a name of the standard (集成电路制造){}",
                    hint.0
                ),
                format!(
                    "应为代码（C、C39、C397、C3973 或 3973）或标准中的名称（如 集成电路制造）{}",
                    hint.1
                ),
            ),
        ))
    }
}

impl fmt::Display for IndustryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

code_serde!(IndustryCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_names() {
        let ic: IndustryCode = "C3973".parse().unwrap();
        assert_eq!(ic.name(), "集成电路制造");
        assert_eq!("3973".parse(), Ok(ic));
        assert_eq!("集成电路制造".parse(), Ok(ic));
        assert_eq!("c39".parse::<IndustryCode>().unwrap().code(), "C39");
        let e = "集成电路制作".parse::<IndustryCode>().unwrap_err();
        assert!(e.to_string().contains("C3973"), "{e}");
        assert!("".parse::<IndustryCode>().is_err());
        assert!("Z9".parse::<IndustryCode>().is_err());
        assert_eq!(IndustryCode::count(), 1971);
    }

    #[test]
    fn tree() {
        let p = |s: &str| s.parse::<IndustryCode>().unwrap();
        assert!(p("C3973").is_within(p("C39")) && p("C3973").is_within(p("C")));
        assert!(!p("C39").is_within(p("C3973")));
        assert_eq!(p("C3973").shared_levels(p("C3973")), 4);
        assert_eq!(p("C3973").shared_levels(p("C3976")), 3);
        assert_eq!(p("C3973").shared_levels(p("C3911")), 2);
        assert_eq!(p("C3973").shared_levels(p("C26")), 1);
        assert_eq!(p("C3973").shared_levels(p("A01")), 0);
    }
}
