//! Regions of GB/T 2260: province, city, district.

use super::{CodeError, code_serde, rows, shown};
use crate::Bilingual;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, str::FromStr, sync::OnceLock};

struct Table {
    /// Sorted by code.
    regions: Vec<(u32, &'static str)>,
    /// Bare and full names to codes; a bare name may stand for several regions.
    by_name: HashMap<&'static str, Vec<u32>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut regions: Vec<(u32, &'static str)> = rows(include_str!("../../tables/gbt2260.tsv"))
            .filter_map(|(c, n)| Some((c.parse().ok()?, n)))
            .collect();
        regions.sort_unstable();
        let mut by_name: HashMap<&'static str, Vec<u32>> = HashMap::new();
        for (code, name) in &regions {
            // Containers that name no place of their own.
            if matches!(
                *name,
                "市辖区" | "县" | "省直辖县级行政区划" | "自治区直辖县级行政区划"
            ) {
                continue;
            }
            by_name.entry(name).or_default().push(*code);
            let bare = bare(name);
            if bare != *name {
                by_name.entry(bare).or_default().push(*code);
            }
        }
        Table { regions, by_name }
    })
}

/// A name without its administrative suffix: 深圳市 → 深圳, 广西壮族自治区 → 广西.
fn bare(name: &str) -> &str {
    const SUFFIXES: [&str; 10] = [
        "维吾尔自治区",
        "壮族自治区",
        "回族自治区",
        "特别行政区",
        "自治区",
        "新区",
        "省",
        "市",
        "区",
        "县",
    ];
    SUFFIXES
        .iter()
        .find_map(|s| name.strip_suffix(s))
        .filter(|b| b.chars().count() >= 2)
        .unwrap_or(name)
}

/// How fine a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionLevel {
    /// 省、自治区、直辖市、特别行政区.
    Province,
    /// 地级市、州、盟.
    City,
    /// 区、县、县级市.
    District,
}

/// A region of GB/T 2260, six digits (`440305` is 南山区, `440300` 深圳市, `440000` 广东省).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(u32);

impl RegionCode {
    /// The region with this six-digit code, if the table has it.
    pub fn from_code(code: u32) -> Option<Self> {
        table()
            .regions
            .binary_search_by_key(&code, |r| r.0)
            .ok()
            .map(|_| RegionCode(code))
    }

    /// The six-digit code.
    pub fn code(self) -> u32 {
        self.0
    }

    /// How fine the region is.
    pub fn level(self) -> RegionLevel {
        if self.0.is_multiple_of(10_000) {
            RegionLevel::Province
        } else if self.0.is_multiple_of(100) {
            RegionLevel::City
        } else {
            RegionLevel::District
        }
    }

    /// The region one level up, if any.
    pub fn parent(self) -> Option<RegionCode> {
        match self.level() {
            RegionLevel::Province => None,
            RegionLevel::City => RegionCode::from_code(self.0 / 10_000 * 10_000),
            RegionLevel::District => RegionCode::from_code(self.0 / 100 * 100)
                .or_else(|| RegionCode::from_code(self.0 / 10_000 * 10_000)),
        }
    }

    /// True when this region is `other` or lies in it.
    pub fn is_within(self, other: RegionCode) -> bool {
        let unit = match other.level() {
            RegionLevel::Province => 10_000,
            RegionLevel::City => 100,
            RegionLevel::District => 1,
        };
        self.0 / unit == other.0 / unit
    }

    /// The finest level that both regions share, if they share a province.
    pub fn shared_level(self, other: RegionCode) -> Option<RegionLevel> {
        if self.0 == other.0 {
            Some(self.level())
        } else if self.0 / 100 == other.0 / 100 {
            Some(RegionLevel::City)
        } else if self.0 / 10_000 == other.0 / 10_000 {
            // The four municipalities are one city each.
            Some(match self.0 / 10_000 {
                11 | 12 | 31 | 50 | 81 | 82 => RegionLevel::City,
                _ => RegionLevel::Province,
            })
        } else {
            None
        }
    }

    /// The region's own name (南山区).
    pub fn name(self) -> &'static str {
        let t = table();
        t.regions
            .binary_search_by_key(&self.0, |r| r.0)
            .map_or("", |i| t.regions[i].1)
    }

    /// The name with its ancestors (广东省深圳市南山区).
    pub fn full_name(self) -> String {
        let own = self.name();
        let own = if own == "市辖区" || own == "县" {
            ""
        } else {
            own
        };
        match self.parent() {
            Some(p) => p.full_name() + own,
            None => own.to_owned(),
        }
    }

    /// Number of regions in the table.
    pub fn count() -> usize {
        table().regions.len()
    }

    fn expected() -> Bilingual {
        Bilingual::new(
            "expected a GB/T 2260 code of 2, 4 or 6 digits (440300) or a name (深圳市, 广东省深圳市南山区)",
            "应为 GB/T 2260 行政区划代码（2、4 或 6 位，如 440300）或名称（如 深圳市、广东省深圳市南山区）",
        )
    }

    fn from_name(s: &str) -> Result<Self, CodeError> {
        let t = table();
        let compact: String = s
            .chars()
            .filter(|c| !c.is_whitespace() && !"-/·,，、>".contains(*c))
            .collect();
        let unknown = || {
            CodeError::new(
                Bilingual::new(
                    format!("`{}` is no region known to GB/T 2260", shown(s)),
                    format!("“{}”不是 GB/T 2260 中的行政区划", shown(s)),
                ),
                Self::expected(),
            )
        };
        if let Some(codes) = t.by_name.get(compact.as_str()) {
            let top = codes.iter().map(|c| RegionCode(*c).level()).min();
            let best: Vec<u32> = codes
                .iter()
                .copied()
                .filter(|c| Some(RegionCode(*c).level()) == top)
                .collect();
            return match best[..] {
                [one] => Ok(RegionCode(one)),
                _ => Err(CodeError::new(
                    Bilingual::new(
                        format!("`{}` names {} regions", shown(s), best.len()),
                        format!("“{}”对应 {} 个行政区划", shown(s), best.len()),
                    ),
                    {
                        let list: Vec<String> = best
                            .iter()
                            .take(6)
                            .map(|c| format!("{c} {}", RegionCode(*c).full_name()))
                            .collect();
                        Bilingual::new(
                            format!("give the code or the full name: {}", list.join(", ")),
                            format!("请填写代码或全称：{}", list.join("、")),
                        )
                    },
                )),
            };
        }
        // A chain of names: read the longest known prefix, then look inside it.
        let mut within: Option<RegionCode> = None;
        let mut rest = compact.as_str();
        while !rest.is_empty() {
            let mut ends: Vec<usize> = rest.char_indices().map(|(i, _)| i).skip(1).collect();
            ends.push(rest.len());
            let step = ends.iter().rev().find_map(|&end| {
                let codes = t.by_name.get(&rest[..end])?;
                let inside = |c: &&u32| within.is_none_or(|w| RegionCode(**c).is_within(w));
                let best = codes
                    .iter()
                    .filter(inside)
                    .min_by_key(|c| (RegionCode(**c).level(), **c))?;
                Some((RegionCode(*best), end))
            });
            match step {
                Some((r, end)) if within != Some(r) || end > 0 => {
                    within = Some(r);
                    rest = &rest[end..];
                }
                _ => return Err(unknown()),
            }
        }
        within.ok_or_else(unknown)
    }
}

impl FromStr for RegionCode {
    type Err = CodeError;

    /// Reads a code of 2, 4 or 6 digits, or a name, bare or with its ancestors.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let t = s.trim();
        // Spreadsheets turn codes into numbers: 440300.0
        let t = t.strip_suffix(".0").unwrap_or(t);
        if !t.is_empty() && t.chars().all(|c| c.is_ascii_digit()) {
            let padded = match t.len() {
                2 => t.parse::<u32>().ok().map(|c| c * 10_000),
                4 => t.parse::<u32>().ok().map(|c| c * 100),
                6 => t.parse::<u32>().ok(),
                _ => None,
            };
            return padded.and_then(RegionCode::from_code).ok_or_else(|| {
                CodeError::new(
                    Bilingual::new(
                        format!("`{}` is not a code of GB/T 2260", shown(s)),
                        format!("“{}”不是 GB/T 2260 代码", shown(s)),
                    ),
                    Self::expected(),
                )
            });
        }
        RegionCode::from_name(t)
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

code_serde!(RegionCode);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(s: &str) -> String {
        s.parse::<RegionCode>()
            .map_or_else(|e| e.to_string(), |r| format!("{r} {}", r.full_name()))
    }

    #[test]
    fn reads_codes_and_names() {
        assert_eq!(name("440305"), "440305 广东省深圳市南山区");
        assert_eq!(name("4403"), "440300 广东省深圳市");
        assert_eq!(name("440300.0"), "440300 广东省深圳市");
        assert_eq!(name("深圳"), "440300 广东省深圳市");
        assert_eq!(name("广东省 深圳市 南山区"), "440305 广东省深圳市南山区");
        assert_eq!(name("广东深圳南山"), "440305 广东省深圳市南山区");
        assert_eq!(name("天津滨海新区"), "120116 天津市滨海新区");
        assert_eq!(name("香港"), "810000 香港特别行政区");
        assert_eq!(name("吉林"), "220000 吉林省");
    }

    #[test]
    fn says_what_would_be_accepted() {
        assert!(
            name("朝阳区").contains("110105 北京市朝阳区"),
            "{}",
            name("朝阳区")
        );
        assert!(name("999999").contains("not a code"));
        assert!(name("亚特兰蒂斯").contains("no region"));
        assert!(name("").contains("no region"));
        assert!(name("44030").contains("2, 4 or 6 digits"));
    }

    #[test]
    fn lies_within() {
        let nanshan: RegionCode = "440305".parse().unwrap();
        let shenzhen = nanshan.parent().unwrap();
        assert!(nanshan.is_within(shenzhen) && !shenzhen.is_within(nanshan));
        assert_eq!(shenzhen.parent().unwrap().name(), "广东省");
        let guangzhou: RegionCode = "4401".parse().unwrap();
        assert_eq!(nanshan.shared_level(guangzhou), Some(RegionLevel::Province));
        let binhai: RegionCode = "120116".parse().unwrap();
        assert_eq!(
            binhai.shared_level("120101".parse().unwrap()),
            Some(RegionLevel::City)
        );
        assert_eq!(binhai.shared_level(nanshan), None);
    }
}
