//! What a header cell says, freed of what forms put around it.

use crate::values::Unit;

/// A header cell taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The name to keep an unknown column under: one line, without the marks of a form.
    pub(crate) name: String,
    /// Spellings under which to look the column up, most literal first.
    pub(crate) keys: Vec<String>,
    /// The unit the header states.
    pub(crate) unit: Option<Unit>,
    /// The number of a continuation (`简介#2`), from 2.
    pub(crate) part: Option<usize>,
}

/// Takes a header cell apart: `*拟投入资金（必填，万元）` is `拟投入资金` in 万元.
pub(crate) fn read(cell: &str) -> Header {
    let mut name = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut part = None;
    if let Some((head, digits)) = name.rsplit_once('#')
        && let Ok(n) = digits.parse::<usize>()
        && (2..10_000).contains(&n)
        && !head.is_empty()
    {
        part = Some(n);
        name = head.to_owned();
    }
    let name = name
        .trim_matches(|c: char| "*＊★☆:：\u{feff}\u{200b}\"“”".contains(c) || c.is_whitespace())
        .to_owned();
    let whole = fold(&name);
    let (bare, notes) = without_notes(&whole);
    let bare_key = key(&bare);
    let unit = notes
        .iter()
        .find_map(|n| Unit::in_words(n))
        .or_else(|| Unit::suffix_of(&bare_key).map(|(_, u)| u));
    let mut keys = vec![key(&whole), bare_key.clone()];
    let plain = without_number(&bare);
    keys.push(key(plain));
    if let Some((stem, _)) = Unit::suffix_of(&bare_key) {
        keys.push(stem.to_owned());
    }
    for part in plain.split(['/', '、', '及', '和', '或', '与', '|']) {
        if part.len() < plain.len() {
            keys.push(key(part));
        }
    }
    keys.retain(|k| !k.is_empty());
    let mut seen = std::collections::HashSet::new();
    keys.retain(|k| seen.insert(k.clone()));
    Header {
        name,
        keys,
        unit,
        part,
    }
}

/// Which half of a numbered passage a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// Its title.
    Title,
    /// Its text.
    Text,
    /// The column does not say.
    Either,
}

/// `代表论文2摘要`, `论文标题2`, `paper2_abstract`: the number and the half of a passage that a
/// column of this key holds.
pub(crate) fn numbered_passage(key: &str) -> Option<(u32, Half)> {
    const STEMS: [&str; 12] = [
        "代表性论文",
        "代表论文",
        "论文",
        "代表性成果",
        "代表成果",
        "代表作",
        "成果",
        "段落",
        "passage",
        "paper",
        "publication",
        "article",
    ];
    const HALVES: [(&str, Half); 13] = [
        ("标题", Half::Title),
        ("题目", Half::Title),
        ("题名", Half::Title),
        ("名称", Half::Title),
        ("title", Half::Title),
        ("摘要", Half::Text),
        ("内容", Half::Text),
        ("简介", Half::Text),
        ("全文", Half::Text),
        ("正文", Half::Text),
        ("abstract", Half::Text),
        ("text", Half::Text),
        ("", Half::Either),
    ];
    let rest = STEMS.iter().find_map(|s| key.strip_prefix(s))?;
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    // The number stands on one side of the half's name, and in one piece.
    let words = rest.trim_matches(|c: char| c.is_ascii_digit());
    if digits.len() + words.len() != rest.len() || !(1..=3).contains(&digits.len()) {
        return None;
    }
    let half = HALVES.iter().find(|(w, _)| *w == words)?.1;
    Some((digits.parse().ok()?, half))
}

/// The spelling under which names are compared: lower case, full-width forms folded, without
/// white space and the characters that separate words.
pub(crate) fn key(name: &str) -> String {
    fold(name)
        .chars()
        .filter(|c| {
            !c.is_whitespace()
                && !matches!(
                    c,
                    '_' | '-' | '.' | '*' | ':' | '★' | '☆' | '"' | '“' | '”' | '?'
                )
        })
        .collect()
}

/// Full-width ASCII to ASCII, lower case.
fn fold(s: &str) -> String {
    s.chars()
        .map(|c| match c {
            '［' => '(',
            '］' => ')',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            '【' | '〔' | '[' => '(',
            '】' | '〕' | ']' => ')',
            _ => c,
        })
        .filter(|c| !matches!(c, '\u{feff}' | '\u{200b}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The text outside parentheses, and the texts inside.
fn without_notes(s: &str) -> (String, Vec<String>) {
    let (mut out, mut notes, mut depth, mut note) =
        (String::new(), Vec::new(), 0_usize, String::new());
    for c in s.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    notes.push(std::mem::take(&mut note));
                }
            }
            _ if depth > 0 => note.push(c),
            _ => out.push(c),
        }
    }
    if depth > 0 {
        notes.push(note);
    }
    (out, notes)
}

/// Without the number that forms put in front: `1.`, `一、`, `①`.
fn without_number(s: &str) -> &str {
    let s = s.trim_start();
    let rest =
        s.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
    if rest.len() < s.len()
        && let Some(tail) = rest.strip_prefix(['.', '、', ')', ','])
    {
        return tail;
    }
    s.trim_start_matches(|c| ('①'..='⑳').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_passages() {
        for (k, expected) in [
            ("代表论文2摘要", Some((2, Half::Text))),
            ("论文标题12", Some((12, Half::Title))),
            ("paper1title", Some((1, Half::Title))),
            ("代表论文3", Some((3, Half::Either))),
            ("论文", None),
            ("论文1标2题", None),
            ("成果编号1", None),
            ("论文9999", None),
        ] {
            assert_eq!(numbered_passage(k), expected, "{k}");
        }
    }

    #[test]
    fn forms_dress_their_headers_up() {
        for (cell, name, key, unit) in [
            ("*需求名称", "需求名称", "需求名称", None),
            ("需求名称\n（必填）", "需求名称 （必填）", "需求名称", None),
            (
                "拟投入资金（万元）",
                "拟投入资金（万元）",
                "拟投入资金",
                Some(Unit::Wan),
            ),
            (
                "拟投入资金(单位：元)",
                "拟投入资金(单位：元)",
                "拟投入资金",
                Some(Unit::Yuan),
            ),
            (
                "拟投入资金【亿元】＊",
                "拟投入资金【亿元】",
                "拟投入资金",
                Some(Unit::Yi),
            ),
            ("预算万元", "预算万元", "预算", Some(Unit::Wan)),
            ("一、技术难题：", "一、技术难题", "技术难题", None),
            (
                "3. 合作方式(可多选)",
                "3. 合作方式(可多选)",
                "合作方式",
                None,
            ),
            ("③联系人", "③联系人", "联系人", None),
            (
                "Cooperation Modes",
                "Cooperation Modes",
                "cooperationmodes",
                None,
            ),
            ("contact_phone", "contact_phone", "contactphone", None),
            (
                "主要技术指标/预期目标",
                "主要技术指标/预期目标",
                "预期目标",
                None,
            ),
            ("ＩＤ", "ＩＤ", "id", None),
        ] {
            let h = read(cell);
            assert_eq!(h.name, name);
            assert!(h.keys.iter().any(|k| k == key), "{cell}: {:?}", h.keys);
            assert_eq!(h.unit, unit, "{cell}");
        }
        assert_eq!(read("简介#2").part, Some(2));
        assert_eq!(read("C#").part, None);
        assert_eq!(read("  ").keys, Vec::<String>::new());
        assert!(read("((((").keys.len() < 3);
    }
}
