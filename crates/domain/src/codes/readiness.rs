//! Technology readiness with its scale: the integer alone says nothing.

use super::{CodeError, shown};
use crate::Bilingual;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A readiness scale. Levels of different scales are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadinessScale {
    /// Technology readiness level 技术就绪度, 1 to 9 (ISO 16290, GB/T 22900).
    Trl,
    /// Manufacturing readiness level 制造成熟度, 1 to 10.
    Mrl,
    /// Innovation readiness 技术创新就绪水平, 1 to 13 (TRL continued to sales and profit).
    Irl,
    /// Stage 所处阶段, 1 to 5: 研发, 小试, 中试, 小批量, 产业化.
    Stage,
}

impl ReadinessScale {
    /// All scales.
    pub const ALL: [ReadinessScale; 4] = [Self::Trl, Self::Mrl, Self::Irl, Self::Stage];

    /// The greatest level; the least is 1.
    pub fn max(self) -> u8 {
        match self {
            Self::Trl => 9,
            Self::Mrl => 10,
            Self::Irl => 13,
            Self::Stage => 5,
        }
    }

    /// The name in code and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trl => "trl",
            Self::Mrl => "mrl",
            Self::Irl => "irl",
            Self::Stage => "stage",
        }
    }
}

const STAGES: [(&str, u8); 16] = [
    ("产业化", 5),
    ("规模化", 5),
    ("批量生产", 5),
    ("量产", 5),
    ("小批量", 4),
    ("试生产", 4),
    ("试产", 4),
    ("中试", 3),
    ("样机", 3),
    ("小试", 2),
    ("实验室", 2),
    ("原理验证", 1),
    ("研发", 1),
    ("研制", 1),
    ("概念", 1),
    ("理论", 1),
];

/// A level on a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawReadiness")]
pub struct Readiness {
    level: u8,
    scale: ReadinessScale,
}

#[derive(Deserialize)]
struct RawReadiness {
    level: u8,
    scale: ReadinessScale,
}

impl TryFrom<RawReadiness> for Readiness {
    type Error = CodeError;

    fn try_from(raw: RawReadiness) -> Result<Self, Self::Error> {
        Readiness::new(raw.level, raw.scale)
    }
}

impl Readiness {
    /// Checks the level against its scale.
    ///
    /// # Errors
    /// A level that the scale does not have.
    pub fn new(level: u8, scale: ReadinessScale) -> Result<Self, CodeError> {
        if (1..=scale.max()).contains(&level) {
            Ok(Self { level, scale })
        } else {
            Err(CodeError::new(
                Bilingual::new(
                    format!("level {level} is not on the scale {}", scale.as_str()),
                    format!("{} 没有第 {level} 级", scale.as_str()),
                ),
                Bilingual::new(
                    format!("expected 1 to {}", scale.max()),
                    format!("应为 1 至 {}", scale.max()),
                ),
            ))
        }
    }

    /// The level.
    pub fn level(self) -> u8 {
        self.level
    }

    /// The scale.
    pub fn scale(self) -> ReadinessScale {
        self.scale
    }

    /// Whether this readiness reaches `least`; `None` when the scales differ.
    pub fn reaches(self, least: Readiness) -> Option<bool> {
        (self.scale == least.scale).then_some(self.level >= least.level)
    }
}

impl FromStr for Readiness {
    type Err = CodeError;

    /// Reads `TRL 6`, `trl6`, `TRL6级`, `技术就绪度6级`, `mrl:4`, `stage:3`, `中试`, and a bare
    /// integer 1 to 9 as TRL.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let error = || {
            CodeError::new(
                Bilingual::new(
                    format!("`{}` is no readiness level", shown(s)),
                    format!("“{}”不是技术就绪度", shown(s)),
                ),
                Bilingual::new(
                    "expected a scale and a level (TRL 6, MRL 4, IRL 10) or a stage (小试, 中试, 小批量, 产业化)",
                    "应为量表与等级（TRL 6、MRL 4、IRL 10）或阶段（小试、中试、小批量、产业化）",
                ),
            )
        };
        let text = s.trim().to_lowercase();
        let text = text.strip_suffix(".0").unwrap_or(&text);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let words: String = text
            .chars()
            .filter(|c| {
                !c.is_ascii_digit() && !c.is_whitespace() && !":：-_=级第（）()".contains(*c)
            })
            .collect();
        if digits.is_empty() {
            return STAGES
                .iter()
                .find(|(w, _)| words.contains(w))
                .ok_or_else(error)
                .and_then(|(_, l)| Readiness::new(*l, ReadinessScale::Stage));
        }
        let scale = match words.as_str() {
            "" | "trl" | "技术就绪度" | "技术成熟度" | "技术就绪水平" | "技术就绪度trl" => {
                ReadinessScale::Trl
            }
            "mrl" | "制造成熟度" => ReadinessScale::Mrl,
            "irl" | "技术创新就绪水平" | "创新就绪水平" => ReadinessScale::Irl,
            "stage" | "阶段" => ReadinessScale::Stage,
            _ => return Err(error()),
        };
        digits
            .parse()
            .map_err(|_| error())
            .and_then(|l| Readiness::new(l, scale))
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scale.as_str(), self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_forms_say() {
        for (text, expected) in [
            ("TRL 6", "trl:6"),
            ("trl6级", "trl:6"),
            ("7", "trl:7"),
            ("技术就绪度 8 级", "trl:8"),
            ("中试阶段", "stage:3"),
            ("已产业化", "stage:5"),
            ("mrl:4", "mrl:4"),
        ] {
            assert_eq!(
                text.parse::<Readiness>().map(|r| r.to_string()),
                Ok(expected.to_owned())
            );
        }
        for bad in ["TRL 10", "0", "很成熟", "", "xrl 3", "99999999999"] {
            assert!(bad.parse::<Readiness>().is_err(), "{bad}");
        }
    }

    #[test]
    fn scales_are_not_compared() {
        let trl: Readiness = "TRL 6".parse().unwrap();
        assert_eq!(trl.reaches("TRL 5".parse().unwrap()), Some(true));
        assert_eq!(trl.reaches("TRL 7".parse().unwrap()), Some(false));
        assert_eq!(trl.reaches("中试".parse().unwrap()), None);
    }
}
