//! Lists in one cell.

/// How a cell's list is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splitter {
    /// Words and short phrases: at 、 ； ; ， , | and line breaks.
    Words,
    /// Sentences, which hold commas of their own: at ； ; and line breaks.
    Sentences,
}

/// Splits a cell into its entries: trimmed, none empty, none twice. Nothing is split inside
/// parentheses or 《》, nor a comma between digits; a number in front of an entry (`1、`, `(2)`, `③`)
/// is dropped when the list has more than one entry.
pub(crate) fn split(text: &str, by: Splitter) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let balanced = is_balanced(&chars);
    let (mut entries, mut current, mut depth) = (Vec::new(), String::new(), 0_usize);
    for (i, &c) in chars.iter().enumerate() {
        let inside = balanced && depth > 0;
        let splits = match c {
            '\n' | '\r' => true,
            '；' | ';' => !inside,
            '、' | '，' | '|' if by == Splitter::Words => {
                // `1、` numbers an entry and ends none.
                let numbering = c == '、' && is_number(&current);
                !inside && !numbering
            }
            ',' if by == Splitter::Words => {
                let digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
                let between = i > 0 && digit(chars.get(i - 1)) && digit(chars.get(i + 1));
                !inside && !between
            }
            _ => false,
        };
        match c {
            '(' | '（' | '《' | '[' | '【' | '「' => depth += 1,
            ')' | '）' | '》' | ']' | '】' | '」' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if splits {
            entries.push(std::mem::take(&mut current));
        } else {
            current.push(c);
        }
    }
    entries.push(current);
    let many = entries.iter().filter(|e| !e.trim().is_empty()).count() > 1;
    let mut seen = std::collections::HashSet::new();
    entries
        .into_iter()
        .map(|e| {
            let t = e.trim();
            let t = if many { unnumbered(t) } else { t };
            t.to_owned()
        })
        .filter(|e| !e.is_empty() && seen.insert(e.clone()))
        .collect()
}

fn is_balanced(chars: &[char]) -> bool {
    let mut depth = 0_i64;
    for c in chars {
        match c {
            '(' | '（' | '《' | '[' | '【' | '「' => depth += 1,
            ')' | '）' | '》' | ']' | '】' | '」' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn is_number(s: &str) -> bool {
    let t = s.trim();
    !t.is_empty()
        && t.len() <= 6
        && t.chars()
            .all(|c| c.is_ascii_digit() || "一二三四五六七八九十".contains(c))
}

/// Without the number in front: `1、`, `1.` (not `1.5`), `(1)`, `（一）`, `①`.
fn unnumbered(s: &str) -> &str {
    let t = s.trim_start_matches(|c| ('①'..='⑳').contains(&c));
    if t.len() < s.len() {
        return t.trim_start();
    }
    let (open, body) = match s.strip_prefix(['(', '（']) {
        Some(b) => (true, b),
        None => (false, s),
    };
    let end = body
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_digit() || "一二三四五六七八九十".contains(*c)))
        .map_or(body.len(), |(i, _)| i);
    let (number, rest) = body.split_at(end);
    if number.is_empty() || number.len() > 6 {
        return s;
    }
    let mut after = rest.chars();
    match after.next() {
        Some(')' | '）') => after.as_str().trim_start(),
        Some('、' | '．') if !open => after.as_str().trim_start(),
        Some('.') if !open && !after.as_str().starts_with(|c: char| c.is_ascii_digit()) => {
            after.as_str().trim_start()
        }
        _ => s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_people_write_them() {
        use Splitter::*;
        for (text, by, expected) in [
            (
                "膜分离、水处理；催化,传热，膜分离",
                Words,
                vec!["膜分离", "水处理", "催化", "传热"],
            ),
            (
                "膜分离（超滤、纳滤）、水处理",
                Words,
                vec!["膜分离（超滤、纳滤）", "水处理"],
            ),
            ("1、膜分离\n2、水处理", Words, vec!["膜分离", "水处理"]),
            ("1. 膜分离 | 2. 3D打印", Words, vec!["膜分离", "3D打印"]),
            ("（一）甲；(2)乙;③丙", Words, vec!["甲", "乙", "丙"]),
            ("1,000吨级装置", Words, vec!["1,000吨级装置"]),
            (
                "抗压强度≥50MPa，密度≤1.8；1.5倍寿命",
                Sentences,
                vec!["抗压强度≥50MPa，密度≤1.8", "1.5倍寿命"],
            ),
            ("1、只有一项", Words, vec!["1、只有一项"]),
            ("括号不配（对、乙", Words, vec!["括号不配（对", "乙"]),
            ("；；、\n", Words, vec![]),
            ("", Words, vec![]),
        ] {
            assert_eq!(split(text, by), expected, "{text}");
        }
    }
}
