//! The six kinds of record.

use crate::{CodeError, suggest::did_you_mean};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a record is. Every record has exactly one kind, and keeps it for life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 技术需求: what an enterprise asks for.
    Need,
    /// 企业.
    Enterprise,
    /// 专家.
    Expert,
    /// 学会: a learned society.
    Society,
    /// 科技成果: something ready to be transferred.
    Achievement,
    /// 机构: university, laboratory, park, service provider.
    Institution,
}

impl Kind {
    /// All kinds, in the order people are shown them.
    pub const ALL: [Kind; 6] = [
        Kind::Need,
        Kind::Enterprise,
        Kind::Expert,
        Kind::Society,
        Kind::Achievement,
        Kind::Institution,
    ];

    /// The name in code, files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Need => "need",
            Kind::Enterprise => "enterprise",
            Kind::Expert => "expert",
            Kind::Society => "society",
            Kind::Achievement => "achievement",
            Kind::Institution => "institution",
        }
    }

    /// The plural that stands in resource names (`tenants/t/experts/e1`).
    pub fn collection(self) -> &'static str {
        match self {
            Kind::Need => "needs",
            Kind::Enterprise => "enterprises",
            Kind::Expert => "experts",
            Kind::Society => "societies",
            Kind::Achievement => "achievements",
            Kind::Institution => "institutions",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Kind::Need => "技术需求",
            Kind::Enterprise => "企业",
            Kind::Expert => "专家",
            Kind::Society => "学会",
            Kind::Achievement => "科技成果",
            Kind::Institution => "机构",
        }
    }

    /// The kinds a record of this kind is matched with when the caller names none: a need looks
    /// for experts, whoever can help looks for needs.
    pub fn default_counterparts(self) -> &'static [Kind] {
        match self {
            Kind::Need | Kind::Enterprise => &[Kind::Expert],
            _ => &[Kind::Need],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = CodeError;

    /// Reads the English name, its plural or the Chinese name.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let t = s.trim().to_lowercase();
        let zh_short = |k: Kind| match k {
            Kind::Need => ["需求", "技术需求", "企业需求"].as_slice(),
            Kind::Enterprise => &["企业", "公司"],
            Kind::Expert => &["专家", "人才", "科技人才"],
            Kind::Society => &["学会", "协会"],
            Kind::Achievement => &["成果", "科技成果", "项目"],
            Kind::Institution => &["机构", "高校", "科研机构"],
        };
        Kind::ALL
            .into_iter()
            .find(|k| k.as_str() == t || k.collection() == t || zh_short(*k).contains(&t.as_str()))
            .ok_or_else(|| {
                let names = Kind::ALL.map(Kind::as_str);
                let shown: String = s.chars().take(40).collect();
                let near = did_you_mean(&t, names);
                CodeError::new(
                    (
                        format!("unknown kind `{shown}`"),
                        format!("未知类型“{shown}”"),
                    ),
                    (
                        format!("expected one of {}{}", names.join(", "), near.en),
                        format!("应为 {} 之一{}", names.join("、"), near.zh),
                    ),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_languages() {
        assert_eq!("experts".parse(), Ok(Kind::Expert));
        assert_eq!("技术需求".parse(), Ok(Kind::Need));
        let e = "exprt".parse::<Kind>().unwrap_err().to_string();
        assert!(e.contains("did you mean `expert`"), "{e}");
    }
}
