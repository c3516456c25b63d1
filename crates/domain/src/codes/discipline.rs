//! Disciplines of GB/T 13745-2009.

use super::{CodeError, code_serde, rows, shown};
use crate::Bilingual;
use std::{fmt, str::FromStr, sync::OnceLock};

fn table() -> &'static [(u32, &'static str)] {
    static TABLE: OnceLock<Vec<(u32, &'static str)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        rows(include_str!("../../tables/gbt13745.tsv"))
            .filter_map(|(c, n)| Some((c.parse().ok()?, n)))
            .collect()
    })
}

/// A discipline of GB/T 13745: three digits (first level, checked against the standard's 62),
/// optionally two more (second level) and two more (third level), of which the form is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisciplineCode {
    /// Seven digits, zeros standing for levels not given.
    full: u32,
}

impl DisciplineCode {
    /// The first-level code (520).
    pub fn first_level(self) -> u32 {
        self.full / 10_000
    }

    /// The first-level name (计算机科学技术).
    pub fn first_level_name(self) -> &'static str {
        table()
            .iter()
            .find(|(c, _)| *c == self.first_level())
            .map_or("", |(_, n)| n)
    }

    /// True when this discipline is `other` or part of it.
    pub fn is_within(self, other: DisciplineCode) -> bool {
        let unit = if other.full.is_multiple_of(10_000) {
            10_000
        } else if other.full.is_multiple_of(100) {
            100
        } else {
            1
        };
        self.full / unit == other.full / unit
    }

    /// How many levels two disciplines share: 0 to 3.
    pub fn shared_levels(self, other: DisciplineCode) -> usize {
        if self.full == other.full && !self.full.is_multiple_of(100) {
            3
        } else if self.full / 100 == other.full / 100 && !(self.full / 100).is_multiple_of(100) {
            2
        } else {
            usize::from(self.first_level() == other.first_level())
        }
    }
}

impl FromStr for DisciplineCode {
    type Err = CodeError;

    /// Reads `520`, `520.20`, `52020`, `520.2010`, `5202010`, or a first-level name.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let text = s.trim();
        let error = |en: String, zh: String| {
            CodeError::new(
                Bilingual::new(en, zh),
                Bilingual::new(
                    "expected 3, 5 or 7 digits of GB/T 13745 (520, 520.20, 5202010) or a first-level name (计算机科学技术)",
                    "应为 GB/T 13745 学科代码（3、5 或 7 位，如 520、520.20、5202010）或一级学科名称（如 计算机科学技术）",
                ),
            )
        };
        if let Some((code, _)) = table().iter().find(|(_, n)| *n == text) {
            return Ok(DisciplineCode {
                full: code * 10_000,
            });
        }
        let mut digits: String = text.chars().filter(|c| *c != '.').collect();
        // A spreadsheet number loses the trailing zero of 520.20 and adds one to 520.
        if let Some((head, tail)) = text.split_once('.')
            && head.len() == 3
            && tail.len() == 1
        {
            digits = if tail == "0" {
                head.to_owned()
            } else {
                format!("{head}{tail}0")
            };
        }
        let full = match (digits.len(), digits.parse::<u32>()) {
            (3, Ok(c)) => c * 10_000,
            (5, Ok(c)) => c * 100,
            (7, Ok(c)) => c,
            _ => {
                return Err(error(
                    format!("`{}` is no discipline code", shown(s)),
                    format!("“{}”不是学科代码", shown(s)),
                ));
            }
        };
        let first = full / 10_000;
        if !table().iter().any(|(c, _)| *c == first) {
            return Err(error(
                format!(
                    "`{}`: {first} is not among the 62 first-level disciplines",
                    shown(s)
                ),
                format!("“{}”：{first} 不在 62 个一级学科之内", shown(s)),
            ));
        }
        Ok(DisciplineCode { full })
    }
}

impl fmt::Display for DisciplineCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second, third) = (self.full / 10_000, self.full / 100 % 100, self.full % 100);
        if third != 0 {
            write!(f, "{first}.{second:02}{third:02}")
        } else if second != 0 {
            write!(f, "{first}.{second:02}")
        } else {
            write!(f, "{first}")
        }
    }
}

code_serde!(DisciplineCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let p = |s: &str| s.parse::<DisciplineCode>();
        assert_eq!(p("520").unwrap().first_level_name(), "计算机科学技术");
        assert_eq!(p("520.20"), p("52020"));
        assert_eq!(p("520.2"), p("520.20"));
        assert_eq!(p("5202010").unwrap().to_string(), "520.2010");
        assert_eq!(p("机械工程").unwrap().to_string(), "460");
        assert!(p("521").is_err());
        assert!(p("52").is_err());
        assert!(p("计算").is_err());
        assert_eq!(table().len(), 62);
    }

    #[test]
    fn tree() {
        let p = |s: &str| s.parse::<DisciplineCode>().unwrap();
        assert!(p("520.2010").is_within(p("520.20")) && p("520.20").is_within(p("520")));
        assert!(!p("520").is_within(p("520.20")));
        assert_eq!(p("520.2010").shared_levels(p("520.2010")), 3);
        assert_eq!(p("520.2010").shared_levels(p("520.2020")), 2);
        assert_eq!(p("520.20").shared_levels(p("520.30")), 1);
        assert_eq!(p("520").shared_levels(p("460")), 0);
    }
}
