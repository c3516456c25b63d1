//! The pieces of a text that are embedded and indexed: a heading with what belongs to it.
//!
//! A heading says best what a text is about, and a long text speaks of several things; so a piece
//! knows its heading apart, and long texts are cut into pieces at the ends of sentences.

use queqiao_domain::{Record, Unit};
use queqiao_text::sentences;

/// A text longer than this is cut. Counted in Chinese characters; of Latin text three characters
/// count as one. An abstract is one thought and stays whole.
const LONG: usize = 600;
/// A profile longer than this is cut: it goes from studies to posts to works to honours.
const LONG_PROFILE: usize = 240;
/// The pieces of a text that is cut are about this long.
const CUT: usize = 160;

/// A text of a field, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Path of the field.
    pub(crate) path: String,
    /// The text, verbatim.
    pub(crate) text: &'a str,
    /// Where it begins in the field, in characters.
    pub(crate) start: usize,
}

/// What is embedded as one passage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Piece<'a> {
    /// The heading.
    pub(crate) head: Option<Field<'a>>,
    /// What belongs to it.
    pub(crate) body: Vec<Field<'a>>,
    /// A name that is found by word and not embedded.
    pub(crate) name: Option<&'a str>,
    /// The heading is repeated from the piece before: its words are indexed there.
    pub(crate) goes_on: bool,
}

impl<'a> Piece<'a> {
    /// A piece of a bare title and text, as collections have them; both may be blank.
    pub(crate) fn of_text(title: &'a str, text: &'a str) -> Vec<Self> {
        let field = |path: &str, text: &'a str| {
            (!text.trim().is_empty()).then(|| Field {
                path: path.to_owned(),
                text,
                start: 0,
            })
        };
        cut(Piece {
            head: field("title", title),
            body: field("text", text).into_iter().collect(),
            ..Piece::default()
        })
    }

    /// The pieces of a record, in order.
    pub(crate) fn of_record(record: &'a Record) -> Vec<Self> {
        record
            .units()
            .into_iter()
            .flat_map(Piece::of_unit)
            .collect()
    }

    /// The pieces of a unit: the title is the heading.
    pub(crate) fn of_unit(unit: Unit<'a>) -> Vec<Self> {
        let mut piece = Piece {
            name: unit.name.map(|n| n.text),
            ..Piece::default()
        };
        for part in unit.parts {
            let is_head = piece.head.is_none()
                && piece.body.is_empty()
                && (part.path == "title" || part.path.ends_with("].title"));
            let field = Field {
                path: part.path,
                text: part.text,
                start: 0,
            };
            if is_head {
                piece.head = Some(field);
            } else {
                piece.body.push(field);
            }
        }
        cut(piece)
    }

    /// Heading and body, a line each.
    pub(crate) fn text(&self) -> String {
        self.join(self.head.iter().chain(&self.body))
    }

    /// What is indexed by word: without a heading that is indexed elsewhere.
    pub(crate) fn indexed(&self) -> String {
        let head = self.head.iter().filter(|_| !self.goes_on);
        self.join(head.chain(&self.body))
    }

    fn join<'b>(&self, fields: impl Iterator<Item = &'b Field<'b>>) -> String {
        let texts: Vec<&str> = fields.map(|f| f.text).collect();
        texts.join("\n")
    }

    /// All fields, heading first.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.head.iter().chain(&self.body)
    }
}

/// Length in Chinese characters; three Latin ones count as one.
fn length(text: &str) -> usize {
    let (narrow, wide) =
        text.chars().fold(
            (0, 0),
            |(n, w), c| {
                if c.is_ascii() { (n + 1, w) } else { (n, w + 1) }
            },
        );
    wide + narrow / 3
}

/// Cuts long body texts into pieces of their own; short ones stay together.
fn cut(mut piece: Piece<'_>) -> Vec<Piece<'_>> {
    let (long, short): (Vec<_>, Vec<_>) =
        std::mem::take(&mut piece.body).into_iter().partition(|f| {
            length(f.text)
                > if f.path == "profile" {
                    LONG_PROFILE
                } else {
                    LONG
                }
        });
    piece.body = short;
    let head = piece.head.clone();
    let mut out = Vec::new();
    if long.is_empty() || !piece.body.is_empty() || piece.name.is_some() {
        out.push(piece);
    }
    for field in long {
        for part in parts(&field) {
            out.push(Piece {
                goes_on: !out.is_empty(),
                head: head.clone(),
                body: vec![part],
                name: None,
            });
        }
    }
    out
}

/// A field in parts of whole sentences.
fn parts<'a>(field: &Field<'a>) -> Vec<Field<'a>> {
    let mut out = Vec::new();
    let mut open: Option<std::ops::Range<usize>> = None;
    for s in sentences(field.text) {
        open = Some(match open.take() {
            Some(o) => o.start..s.end,
            None => s,
        });
        if let Some(o) = &open
            && length(&field.text[o.clone()]) >= CUT
        {
            out.extend(open.take());
        }
    }
    // A short end belongs to what comes before it.
    if let Some(o) = open {
        match out.last_mut() {
            Some(last) if length(&field.text[o.clone()]) < CUT / 3 => last.end = o.end,
            _ => out.push(o),
        }
    }
    out.into_iter()
        .map(|r| Field {
            path: field.path.clone(),
            start: field.start + field.text[..r.start].chars().count(),
            text: &field.text[r],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay_whole() {
        let p = Piece::of_text("标题", "正文。");
        assert_eq!(p.len(), 1);
        assert_eq!(p[0].text(), "标题\n正文。");
        assert_eq!(Piece::of_text("", "")[0], Piece::default());
    }

    #[test]
    fn long_texts_are_cut_at_sentences_and_stay_verbatim() {
        let text: String = (0..80)
            .map(|i| format!("第{i}句话说的是一件别的事情。"))
            .collect();
        let pieces = Piece::of_text("标题", &text);
        assert!(pieces.len() > 2);
        let chars: Vec<char> = text.chars().collect();
        let mut next = 0;
        for (i, p) in pieces.iter().enumerate() {
            let f = &p.body[0];
            assert_eq!(f.start, next, "nothing is lost");
            next = f.start + f.text.chars().count();
            assert_eq!(chars[f.start..next].iter().collect::<String>(), f.text);
            assert!(f.text.ends_with('。'));
            assert_eq!(p.goes_on, i > 0);
            assert!(p.text().starts_with("标题"));
        }
        assert_eq!(next, chars.len());
    }

    #[test]
    fn a_text_without_sentences_is_one_piece() {
        let text = "无标点".repeat(500);
        let pieces = Piece::of_text("", &text);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].text(), text);
    }
}
