//! Keyword stuffing: texts that name much and say nothing, so as to be found for everything.

use crate::{Segmenter, clauses};
use std::collections::HashMap;

/// What a stuffed text shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuffing {
    /// One word again and again: the word, and how often.
    Repeated(String, usize),
    /// A list of names without a sentence: how many.
    Listed(usize),
}

/// A word that stands so often, at least, …
const OFTEN: usize = 8;
/// … and is this share of all words, or more, is repeated for its own sake.
const REPEATED_SHARE: f64 = 0.22;
/// So many names in a row without a sentence are a list …
const LISTED: usize = 40;
/// … when a name is at most so long, in characters.
const NAME: usize = 10;

/// Whether a text is stuffed, and by what. Short texts and plain lists of keywords are not. Of 7,600
/// honest texts (needs, abstracts of patents, experts' papers and projects) it takes one for stuffed.
pub fn stuffing(segmenter: &Segmenter, text: &str) -> Option<Stuffing> {
    repeated(segmenter, text).or_else(|| listed(text))
}

fn repeated(segmenter: &Segmenter, text: &str) -> Option<Stuffing> {
    let words: Vec<String> = segmenter
        .cut(text)
        .into_iter()
        .filter(|w| w.chars().count() >= 2)
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for w in &words {
        *counts.entry(w).or_default() += 1;
    }
    // The first of the commonest, so that equal texts give equal answers.
    let (word, n) = words
        .iter()
        .map(|w| (w, counts.get(w.as_str()).copied().unwrap_or(0)))
        .fold(None, |best: Option<(&String, usize)>, next| match best {
            Some(b) if b.1 >= next.1 => Some(b),
            _ => Some(next),
        })?;
    let much = n >= OFTEN && n as f64 >= REPEATED_SHARE * words.len() as f64;
    much.then(|| Stuffing::Repeated(word.clone(), n))
}

fn listed(text: &str) -> Option<Stuffing> {
    // Names stand between these; a sentence ends otherwise.
    let names = |clause: &str| {
        clause
            .split(['、', '，', ',', '；', ';', '/', '|', ' ', '\n', '\t'])
            .map(|n| n.chars().filter(|c| c.is_alphanumeric()).count())
            .filter(|n| *n > 0)
            .collect::<Vec<usize>>()
    };
    let mut run = 0;
    let mut longest = 0;
    for range in clauses(text) {
        let clause = &text[range];
        let lengths = names(clause);
        // English words stand between blanks too: only texts in Chinese are lists by blanks.
        let han = clause.chars().any(crate::is_han);
        let short = lengths.iter().filter(|n| **n <= NAME).count();
        let is_list = han && lengths.len() >= 3 && short * 10 >= lengths.len() * 9;
        match is_list {
            true => run += lengths.len(),
            false => run = 0,
        }
        longest = longest.max(run);
    }
    (longest >= LISTED).then_some(Stuffing::Listed(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_texts_are_told_from_others() {
        let s = Segmenter::shared();
        let again = "纳米材料专家，纳米材料研究，纳米材料开发，纳米材料检测，纳米材料咨询，纳米材料转化，纳米材料培训，纳米材料推广，纳米材料应用。";
        assert!(matches!(
            stuffing(&s, again),
            Some(Stuffing::Repeated(_, 9))
        ));
        let things = [
            "电池",
            "涂层",
            "芯片",
            "机器人",
            "激光",
            "传感器",
            "合金",
            "陶瓷",
            "制药",
            "育种",
            "雷达",
            "焊接",
            "光伏",
            "风电",
            "储能",
            "氢能",
            "碳纤维",
            "石墨烯",
            "区块链",
            "大数据",
            "云计算",
            "物联网",
        ];
        let kinds = ["新型", "高效", "智能", "绿色"];
        let more: Vec<String> = things
            .iter()
            .enumerate()
            .map(|(i, t)| format!("{}{t}", kinds[i % 4]))
            .collect();
        let list = format!("{}、{}", things.join("、"), more.join("、"));
        assert_eq!(stuffing(&s, &list), Some(Stuffing::Listed(44)));
        for honest in [
            "",
            "研究方向：纳米材料、碳纤维、石墨烯、储能、氢能。",
            "从事薄膜光伏材料研究，掌握大面积涂膜、膜层缺陷钝化和膜污染控制技术，制备的柔性薄膜组件效率达到国内先进水平。",
            "The membrane was coated; the membrane flux rose, and membrane fouling fell over 30 days of membrane operation in a pilot plant near the coast.",
        ] {
            assert_eq!(stuffing(&s, honest), None, "{honest}");
        }
    }
}
