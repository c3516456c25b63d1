//! Which clause of a passage to quote, and which clause of the question it answers.

use queqiao_text::clauses;

/// A clause of a field, verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause<'a> {
    /// Path of the field.
    pub path: &'a str,
    /// The clause.
    pub text: &'a str,
    /// Where it begins in the field, in characters.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The clauses of a list of fields (path, text, where the text begins in the field), at most
/// `limit` of them.
pub fn split_clauses<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str, usize)>,
    limit: usize,
) -> Vec<Clause<'a>> {
    let mut out = Vec::new();
    for (path, text, begins) in fields {
        // Offsets in characters, counted once along the field.
        let (mut byte, mut char) = (0, begins);
        for r in clauses(text) {
            if out.len() == limit {
                return out;
            }
            char += text[byte..r.start].chars().count();
            let start = char;
            char += text[r.clone()].chars().count();
            byte = r.end;
            out.push(Clause {
                path,
                text: &text[r],
                start,
                end: char,
            });
        }
    }
    out
}

/// The pair (asked, answering) of greatest similarity; the first of equals. `None` when there is
/// no pair with a similarity above zero.
pub fn best_pair(
    asked: usize,
    answering: usize,
    similarity: impl Fn(usize, usize) -> f64,
) -> Option<(usize, usize)> {
    let mut best = None;
    let mut top = 0.0;
    for j in 0..answering {
        for i in 0..asked {
            let s = similarity(i, j);
            if s > top {
                (top, best) = (s, Some((i, j)));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters() {
        let text = "膜污染。  开发𠮷新膜；OK";
        let found = split_clauses([("problem", text, 0), ("t", "x", 7)], 10);
        let chars: Vec<char> = text.chars().collect();
        for c in &found[..3] {
            assert_eq!(chars[c.start..c.end].iter().collect::<String>(), c.text);
        }
        assert_eq!(found[1].text, "开发𠮷新膜；");
        assert_eq!((found[3].path, found[3].start), ("t", 7));
        assert_eq!(split_clauses([("p", text, 0)], 2).len(), 2);
    }

    #[test]
    fn the_best_pair() {
        let s = [[0.1, 0.5], [0.5, 0.2]];
        assert_eq!(best_pair(2, 2, |i, j| s[i][j]), Some((1, 0)));
        assert_eq!(best_pair(2, 2, |_, _| 0.0), None);
        assert_eq!(best_pair(0, 2, |_, _| 1.0), None);
    }
}
