//! Terms for the lexical index: words and character bigrams.

use crate::{is_han, normalise};
use jieba_rs::Jieba;
use std::{borrow::Cow, sync::OnceLock};

/// The terms of a text, in reading order, repeats kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Words: Chinese by jieba in search mode (long words with the words inside them), Latin runs
    /// with digits, dots and hyphens inside (`cr-39`, `pm2.5`), English plurals folded.
    pub words: Vec<String>,
    /// Pairs of neighbouring Chinese characters, and Latin runs as they are.
    pub bigrams: Vec<String>,
}

/// Splits text into terms. Loading the dictionary takes some 0.1 s, once per process.
#[derive(Debug, Clone, Copy)]
pub struct Segmenter {
    jieba: &'static Jieba,
}

impl Default for Segmenter {
    fn default() -> Self {
        Self::shared()
    }
}

impl Segmenter {
    /// The segmenter of this process.
    pub fn shared() -> Self {
        static JIEBA: OnceLock<Jieba> = OnceLock::new();
        Segmenter {
            jieba: JIEBA.get_or_init(Jieba::new),
        }
    }

    /// The words of a text without overlaps, in order, as they tile it; blanks and punctuation
    /// are left out. The text is normalised first.
    pub fn cut(&self, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        self.each_cut(text, |word| out.push(word.to_owned()));
        out
    }

    /// Calls `f` with each word that [`Segmenter::cut`] gives, in order.
    pub fn each_cut(&self, text: &str, mut f: impl FnMut(&str)) {
        runs(&normalise(text), |run, han| {
            if han {
                let words = self.jieba.cut(run, false);
                words.into_iter().for_each(|t| f(t.word));
            } else {
                f(run);
            }
        });
    }

    /// The words among the terms of a text, in order, repeats kept. The text is normalised first.
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        runs(&normalise(text), |run, han| {
            self.words_of(run, han, &mut words);
        });
        words
    }

    /// The terms of a text. The text is normalised first.
    pub fn terms(&self, text: &str) -> Terms {
        let mut terms = Terms::default();
        runs(&normalise(text), |run, han| {
            self.words_of(run, han, &mut terms.words);
            if han {
                bigrams_of(run, &mut terms.bigrams);
            } else {
                terms.bigrams.push(fold_plural(run).into_owned());
            }
        });
        terms
    }

    fn words_of(&self, run: &str, han: bool, words: &mut Vec<String>) {
        if han {
            let found = self.jieba.cut_for_search(run, false).into_iter();
            let long = found.filter(|t| t.word.chars().nth(1).is_some());
            words.extend(long.map(|t| t.word.to_owned()));
        } else {
            words.push(fold_plural(run).into_owned());
        }
    }
}

/// Pairs of neighbouring characters; a single character as it is.
fn bigrams_of(run: &str, bigrams: &mut Vec<String>) {
    let mut chars = run.char_indices().map(|(i, c)| (i, i + c.len_utf8()));
    let mut last = chars.next();
    let before = bigrams.len();
    for next in chars {
        if let Some((start, _)) = last {
            bigrams.push(run[start..next.1].to_owned());
        }
        last = Some(next);
    }
    if bigrams.len() == before {
        bigrams.push(run.to_owned());
    }
}

/// Calls `f` with every run of Chinese characters (`true`) and every Latin run (`false`).
fn runs(text: &str, mut f: impl FnMut(&str, bool)) {
    let mut start = 0;
    let mut kind = None;
    for (i, c) in text.char_indices() {
        let now = if is_han(c) {
            Some(true)
        } else if c.is_alphanumeric() || (kind == Some(false) && matches!(c, '-' | '.' | '_' | '+'))
        {
            Some(false)
        } else {
            None
        };
        if now != kind {
            emit(&text[start..i], kind, &mut f);
            start = i;
            kind = now;
        }
    }
    emit(&text[start..], kind, &mut f);
}

fn emit(run: &str, kind: Option<bool>, f: &mut impl FnMut(&str, bool)) {
    match kind {
        Some(true) => f(run, true),
        Some(false) => {
            let run = run.trim_end_matches(['-', '.', '_']);
            if !run.is_empty() {
                f(run, false);
            }
        }
        None => {}
    }
}

/// Folds a regular English plural (the S stemmer: Harman 1991, "How effective is suffixing?").
fn fold_plural(word: &str) -> Cow<'_, str> {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| word.ends_with(s));
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_alphabetic()) {
        Cow::Borrowed(word)
    } else if word.ends_with("ies") && !ends(&["eies", "aies"]) {
        Cow::Owned(format!("{}y", &word[..word.len() - 3]))
    } else if word.ends_with('s') && !ends(&["us", "ss", "is", "aes", "ees", "oes"]) {
        Cow::Borrowed(&word[..word.len() - 1])
    } else {
        Cow::Borrowed(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bigrams() {
        let t = Segmenter::shared().terms("高韌性立方氮化硼CBN单晶 PM2.5 methods");
        assert!(
            t.words.contains(&"氮化".to_owned()) || t.words.contains(&"立方".to_owned()),
            "{t:?}"
        );
        assert!(t.words.contains(&"cbn".to_owned()) && t.words.contains(&"pm2.5".to_owned()));
        assert!(t.words.contains(&"method".to_owned()));
        assert!(t.bigrams.contains(&"韧性".to_owned()) && !t.bigrams.contains(&"硼c".to_owned()));
        let words = Segmenter::shared().words("高韧性立方氮化硼CBN单晶 PM2.5 methods");
        assert_eq!(words, t.words);
    }

    #[test]
    fn odd_text() {
        let s = Segmenter::shared();
        assert_eq!(s.terms(""), Terms::default());
        assert_eq!(s.terms("，。！— ™"), Terms::default());
        assert_eq!(s.terms("膜").bigrams, ["膜"]);
        assert_eq!(s.terms("...").words, Vec::<String>::new());
        assert_eq!(s.terms("C++ cr-39-").words, ["c++", "cr-39"]);
    }

    #[test]
    fn plurals() {
        for (w, f) in [
            ("alloys", "alloy"),
            ("batteries", "battery"),
            ("processes", "processe"),
            ("bus", "bus"),
            ("gas", "gas"),
            ("analysis", "analysis"),
            ("pm2.5s", "pm2.5s"),
        ] {
            assert_eq!(fold_plural(w), f, "{w}");
        }
    }
}
