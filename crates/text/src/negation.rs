//! What a text rules out: 不含氰化物, 不使用稀土, without solvents, cyanide-free.

use crate::{is_han, normalise};
use std::ops::Range;

/// Words after which stands what is ruled out, longest first where one begins another.
const BEFORE: &[&str] = &[
    "不得含有",
    "不得使用",
    "不能含有",
    "不能使用",
    "不允许使用",
    "不允许含有",
    "不得含",
    "不能含",
    "不含有",
    "不添加",
    "不使用",
    "不采用",
    "不依赖",
    "不需要使用",
    "无需使用",
    "无需添加",
    "无需",
    "禁止使用",
    "禁用",
    "避免使用",
    "摒弃",
    "杜绝",
    "不含",
    "free of ",
    "free from ",
    "without the use of ",
    "without using ",
    "without ",
    "does not contain ",
    "do not contain ",
    "not containing ",
    "must not contain ",
    "no use of ",
];
/// Characters that end what is ruled out, beside punctuation.
const ENDS: &[char] = &['的', '等', '且', '并', '而', '也', '地', '得', '即'];
/// It has at most so many characters in Chinese, …
const MOST_CHARS: usize = 10;
/// … or words in English.
const MOST_WORDS: usize = 3;

/// The parts of a text that name what is ruled out, in bytes, in order; the word that rules it out
/// does not belong to them.
///
/// ```
/// use queqiao_text::ruled_out;
/// let text = "镀液不含氰化物，无需稀土催化剂；a solvent-free process";
/// let found: Vec<&str> = ruled_out(text).into_iter().map(|r| &text[r]).collect();
/// assert_eq!(found, ["氰化物", "稀土催化剂", "solvent"]);
/// ```
pub fn ruled_out(text: &str) -> Vec<Range<usize>> {
    // Normalising keeps the number of characters, not of bytes.
    let plain: Vec<char> = normalise(text).chars().collect();
    let bytes: Vec<usize> = text
        .char_indices()
        .map(|(i, _)| i)
        .chain([text.len()])
        .collect();
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < plain.len() {
        let word = BEFORE.iter().find(|w| starts(&plain, at, w));
        match word {
            Some(w) => {
                let start = at + w.chars().count();
                let end = object(&plain, start);
                if end > start {
                    out.push(bytes[start]..bytes[end]);
                }
                at = end.max(start);
            }
            None => {
                if starts(&plain, at, "-free") && !letter(&plain, at + 5) {
                    let start = (0..at).rev().take_while(|i| letter(&plain, *i)).last();
                    out.extend(start.map(|s| bytes[s]..bytes[at]));
                }
                at += 1;
            }
        }
    }
    out
}

fn starts(text: &[char], at: usize, word: &str) -> bool {
    // An English word begins where no other goes on.
    let begins = !word.starts_with(|c: char| c.is_ascii_alphabetic())
        || at
            .checked_sub(1)
            .is_none_or(|b| !text[b].is_ascii_alphanumeric());
    begins
        && word
            .chars()
            .enumerate()
            .all(|(i, c)| text.get(at + i) == Some(&c))
}

fn letter(text: &[char], at: usize) -> bool {
    text.get(at).is_some_and(char::is_ascii_alphanumeric)
}

/// Where what begins at `start` ends.
fn object(text: &[char], start: usize) -> usize {
    let han = text.get(start).is_some_and(|c| is_han(*c));
    let mut end = start;
    let mut words = 1;
    while let Some(&c) = text.get(end) {
        if c == ' ' && !han {
            words += 1;
            if words > MOST_WORDS {
                break;
            }
        } else if !(c.is_alphanumeric() || c == '-')
            || ENDS.contains(&c)
            || han && end - start == MOST_CHARS
        {
            break;
        }
        end += 1;
    }
    while end > start && text[end - 1] == ' ' {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let got: Vec<&str> = ruled_out(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn what_is_ruled_out_is_found() {
        check("要求电镀液不含氰化物", &["氰化物"]);
        check("在不使用稀土的条件下，禁用六价铬。", &["稀土", "六价铬"]);
        check("涂层不含氟等元素", &["氟"]);
        check(
            "Coating without organic solvents, free of cyanide.",
            &["organic solvents", "cyanide"],
        );
        check("a Lead-free solder", &["Lead"]);
        check("𠮷不含ＰＦＯＳ；", &["ＰＦＯＳ"]);
    }

    #[test]
    fn what_is_not_stays() {
        for text in [
            "",
            "不",
            "不含",
            "不含，",
            "无氰镀银",
            "含氰化物废水",
            "freedom of choice",
            "carefree",
            "notwithout x",
            "氰化物镀金工艺",
            "不断提高",
            "without",
            "-free",
        ] {
            check(text, &[]);
        }
    }
}
