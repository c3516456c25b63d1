//! Where one thought ends and the next begins.

use std::ops::Range;

/// Splits a text into sentences: byte ranges, in order, trimmed of blanks, none empty.
///
/// Ends are 。！？!? and a full stop before a blank, ； and ; and line breaks. A decimal point, an
/// abbreviation's dot inside a word and `1.5` do not end a sentence.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    split(text, |c, next| match c {
        '。' | '！' | '？' | '!' | '?' | '；' | ';' | '\n' | '\r' => true,
        '.' => next.is_none_or(char::is_whitespace),
        _ => false,
    })
}

/// Splits a text into clauses: sentences, cut further at commas when they are long, so that a
/// clause is at most about `MAX_CHARS` characters where the text allows it.
pub fn clauses(text: &str) -> Vec<Range<usize>> {
    const MAX_CHARS: usize = 60;
    let mut out = Vec::new();
    for s in sentences(text) {
        let sentence = &text[s.clone()];
        if sentence.chars().count() <= MAX_CHARS {
            out.push(s);
            continue;
        }
        // Parts between commas are joined again up to the limit.
        let parts = split(sentence, |c, next| match c {
            '，' | '：' => true,
            ',' | ':' => next.is_none_or(char::is_whitespace),
            _ => false,
        });
        let mut open: Option<Range<usize>> = None;
        for p in parts {
            let p = s.start + p.start..s.start + p.end;
            open = Some(match open {
                Some(o) if text[o.start..p.end].chars().count() <= MAX_CHARS => o.start..p.end,
                Some(o) => {
                    out.push(o);
                    p
                }
                None => p,
            });
        }
        out.extend(open);
    }
    out
}

/// Cuts after every character for which `ends` holds; the cutting character stays with its part.
fn split(text: &str, ends: impl Fn(char, Option<char>) -> bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if ends(c, chars.peek().map(|n| n.1)) {
            let end = i + c.len_utf8();
            push_trimmed(text, start..end, &mut out);
            start = end;
        }
    }
    push_trimmed(text, start..text.len(), &mut out);
    out
}

fn push_trimmed(text: &str, r: Range<usize>, out: &mut Vec<Range<usize>>) {
    let s = &text[r.clone()];
    let left = s.len() - s.trim_start().len();
    let trimmed = s.trim();
    if trimmed.chars().any(char::is_alphanumeric) {
        out.push(r.start + left..r.start + left + trimmed.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let got: Vec<&str> = clauses(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn cuts_where_a_reader_would() {
        check(
            "堆积密度≥1.80克/立方厘米；转变在73%以上。\n现有基础：",
            &[
                "堆积密度≥1.80克/立方厘米；",
                "转变在73%以上。",
                "现有基础：",
            ],
        );
        check(
            "We use e.g.alloys. The yield is 1.5 %.",
            &["We use e.g.alloys.", "The yield is 1.5 %."],
        );
        check("", &[]);
        check(" 。；！ ", &[]);
    }

    #[test]
    fn long_sentences_are_cut_at_commas() {
        let text = "基于企业现有立方氮化硼产品牌号，企业需要开发高韧性立方氮化硼单晶新牌号，通过配方选取诀窍、触媒自制工艺优化、高温高压合成工艺改进，获得粒度适中的新牌号";
        let got: Vec<&str> = clauses(text).into_iter().map(|r| &text[r]).collect();
        assert!(got.len() > 1);
        assert_eq!(got.concat(), text);
        assert!(got.iter().all(|c| c.chars().count() <= 60));
    }

    #[test]
    fn ranges_are_ordered_and_within() {
        for text in ["a,b;c\n\n d ", "，，，", "x。y", "𠮷。", "no end"] {
            let mut last = 0;
            for r in clauses(text) {
                assert!(last <= r.start && r.start < r.end && r.end <= text.len());
                assert!(!text[r.clone()].trim().is_empty());
                last = r.end;
            }
        }
    }
}
