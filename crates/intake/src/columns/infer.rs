//! What kind of record the rows are, where no one says so.

use super::{Field, header, header::Header, look_up, table};
use crate::error::bi;
use queqiao_domain::{Bilingual, Kind, nearest};
use std::{collections::HashMap, sync::OnceLock};

/// Words in the names of files and sheets, by kind.
const WORDS: &[(Kind, &[&str])] = &[
    (
        Kind::Need,
        &["需求", "难题", "榜单", "need", "demand", "quer"],
    ),
    (
        Kind::Expert,
        &["专家", "人才", "院士", "expert", "academician", "scientist"],
    ),
    (
        Kind::Achievement,
        &["成果", "专利", "achievement", "patent"],
    ),
    (Kind::Society, &["学会", "协会", "societ"]),
    (
        Kind::Institution,
        &[
            "机构",
            "高校",
            "院所",
            "园区",
            "实验室",
            "institution",
            "universit",
        ],
    ),
    (Kind::Enterprise, &["企业", "公司", "enterprise", "compan"]),
];

/// The kind that the name of a file or sheet speaks of. Of several words the last counts, as
/// Chinese puts the head of a name at its end: 企业技术需求 are needs, 学会专家库 holds experts.
pub(crate) fn kind_of_name(name: &str) -> Option<Kind> {
    let name = name.to_lowercase();
    WORDS
        .iter()
        .flat_map(|(kind, words)| {
            words
                .iter()
                .filter_map(|w| name.rfind(w).map(|at| (at + w.len(), *kind)))
        })
        .max_by_key(|(end, _)| *end)
        .map(|(_, kind)| kind)
}

/// The kind whose own columns these are, if they speak for one kind above all others. A name that
/// only one kind uses weighs most.
pub(crate) fn kind_of_columns<'a>(headers: impl IntoIterator<Item = &'a Header>) -> Option<Kind> {
    static OWN: OnceLock<HashMap<String, Vec<usize>>> = OnceLock::new();
    let own = OWN.get_or_init(|| {
        let mut map: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            let names = table::of_kind(kind).iter().flat_map(|n| {
                n.names
                    .iter()
                    .filter(|s| n.field != Field::Id || !s.is_ascii())
            });
            // An English name for an id (`code`) says nothing about a kind.
            for name in names {
                let kinds = map.entry(header::key(name)).or_default();
                if !kinds.contains(&i) {
                    kinds.push(i);
                }
            }
        }
        map
    });
    let mut scores = [0_usize; 6];
    for h in headers {
        if let Some(kinds) = h.keys.iter().find_map(|k| own.get(k)) {
            // 6/n for a name that n kinds use; nothing for one that all use.
            if kinds.len() < 6 {
                for k in kinds {
                    scores[*k] += 60 / kinds.len();
                }
            }
        }
    }
    let best = scores.iter().copied().max().filter(|b| *b > 0)?;
    let mut at_best = scores.iter().zip(Kind::ALL).filter(|(s, _)| **s == best);
    match (at_best.next(), at_best.next()) {
        (Some((_, kind)), None) => Some(kind),
        _ => None,
    }
}

/// Reads the value of a kind column, or says what is wrong and what would be accepted.
pub(crate) fn read_kind(value: &str) -> Result<Kind, (Bilingual, Bilingual)> {
    value.parse::<Kind>().map_err(|_| {
        let names = Kind::ALL.map(Kind::as_str);
        let zh = Kind::ALL.map(Kind::zh);
        let shown: String = value.chars().take(40).collect();
        let word = value.trim();
        let near = nearest(word, names.into_iter().chain(zh));
        (
            bi(
                format!("`{shown}` is no kind of record"),
                format!("“{shown}”不是记录类型"),
            ),
            bi(
                format!(
                    "expected one of {}{}",
                    names.join(", "),
                    near.map_or(String::new(), |n| format!("; did you mean `{n}`?"))
                ),
                format!(
                    "应为：{}{}",
                    zh.join("、"),
                    near.map_or(String::new(), |n| format!("；是否为“{n}”？"))
                ),
            ),
        )
    })
}

/// True when some kind knows one of the header's spellings.
pub(crate) fn known_to_any(h: &Header) -> bool {
    Kind::ALL
        .into_iter()
        .any(|kind| h.keys.iter().any(|k| look_up(kind, k).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_with_their_head() {
        for (name, kind) in [
            ("企业技术需求征集表.xlsx", Some(Kind::Need)),
            ("学会专家库", Some(Kind::Expert)),
            ("高校科技成果", Some(Kind::Achievement)),
            ("needs.tsv", Some(Kind::Need)),
            ("academicians.tsv", Some(Kind::Expert)),
            ("societies.tsv", Some(Kind::Society)),
            ("企业名录.csv", Some(Kind::Enterprise)),
            ("Sheet1", None),
        ] {
            assert_eq!(kind_of_name(name), kind, "{name}");
        }
    }

    #[test]
    fn columns_tell_the_kind() {
        let of = |names: &[&str]| {
            let headers: Vec<Header> = names.iter().map(|n| header::read(n)).collect();
            kind_of_columns(&headers)
        };
        assert_eq!(of(&["需求名称", "技术难题", "联系人"]), Some(Kind::Need));
        assert_eq!(of(&["姓名", "职称", "工作单位"]), Some(Kind::Expert));
        assert_eq!(of(&["introduce", "link", "name"]), Some(Kind::Expert));
        assert_eq!(of(&["成果名称", "完成人"]), Some(Kind::Achievement));
        assert_eq!(of(&["名称", "text"]), None);
        assert_eq!(of(&["甲", "乙"]), None);
    }

    #[test]
    fn an_unknown_kind_gets_a_hint() {
        let (_, expected) = read_kind("exprt").unwrap_err();
        assert!(
            expected.en.ends_with("did you mean `expert`?"),
            "{expected}"
        );
        assert_eq!(read_kind(" 技术需求 "), Ok(Kind::Need));
    }
}
