//! The tokenizer's vocabulary: characters, jieba's words, English words and their parts, scored by
//! how often they occur.

use super::{document::Corpus, options::VocabularyOptions};
use crate::{
    EmbedError,
    tokenizer::{UnigramTokenizer, normaliser_json, pre_tokenizer_json},
};
use jieba_rs::Jieba;
use queqiao_text::normalise;
use rayon::prelude::*;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

/// Documents counted at a time.
const CHUNK: usize = 512;
/// A Chinese word has at most this many characters.
const MAX_HAN: usize = 6;
/// An English word has at most this many letters.
const MAX_LATIN: usize = 20;

/// How often words and characters occur, and what the refusals need to know.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    words: HashMap<String, u32>,
    chars: HashMap<char, u32>,
    /// Documents seen.
    pub(crate) documents: usize,
    /// Documents with a distinct beginning.
    pub(crate) distinct: usize,
    /// Characters of Chinese, of English.
    pub(crate) han: u64,
    pub(crate) latin: u64,
}

impl Counts {
    /// Counts a corpus; `keep` says which documents (of which source) count.
    pub(crate) fn of(
        corpus: &Corpus,
        max_paragraphs: usize,
        mut keep: impl FnMut(usize, &super::Document) -> Result<bool, EmbedError>,
    ) -> Result<Counts, EmbedError> {
        let jieba = jieba();
        let mut jieba = jieba.clone();
        for word in &corpus.words {
            let word = normalise(word);
            if (2..=MAX_HAN).contains(&word.chars().count()) && word.chars().all(is_cjk) {
                jieba.add_word(&word, None, None);
            }
        }
        let mut total = Counts::default();
        let mut seen = HashSet::new();
        for (i, source) in corpus.sources.iter().enumerate() {
            let mut chunk: Vec<String> = Vec::new();
            source.visit(&mut |document| {
                if !keep(i, &document)? {
                    return Ok(());
                }
                total.documents += 1;
                let text: Vec<&str> = document.texts(max_paragraphs).collect();
                let text = text.join("\n");
                let start: String = text.chars().take(120).collect();
                if seen.insert(blake3::hash(start.as_bytes())) {
                    total.distinct += 1;
                }
                chunk.push(text);
                if chunk.len() == CHUNK {
                    total.add(&jieba, &chunk);
                    chunk.clear();
                }
                Ok(())
            })?;
            total.add(&jieba, &chunk);
        }
        Ok(total)
    }

    fn add(&mut self, jieba: &Jieba, texts: &[String]) {
        let parts: Vec<Counts> = texts
            .par_chunks(16)
            .map(|texts| {
                let mut part = Counts::default();
                for text in texts {
                    part.count(jieba, &normalise(text));
                }
                part
            })
            .collect();
        for part in parts {
            for (w, n) in part.words {
                *self.words.entry(w).or_default() += n;
            }
            for (c, n) in part.chars {
                *self.chars.entry(c).or_default() += n;
            }
            self.han += part.han;
            self.latin += part.latin;
        }
    }

    fn count(&mut self, jieba: &Jieba, text: &str) {
        for run in text.split(|c: char| !is_cjk(c) && !c.is_ascii_alphanumeric()) {
            let mut rest = run;
            while let Some(first) = rest.chars().next() {
                let han = is_cjk(first);
                let end = rest.find(|c| is_cjk(c) != han).unwrap_or(rest.len());
                let (part, after) = rest.split_at(end);
                rest = after;
                if han {
                    for c in part.chars() {
                        self.han += 1;
                        *self.chars.entry(c).or_default() += 1;
                    }
                    for token in jieba.cut(part, true) {
                        self.word(token.word);
                    }
                } else {
                    self.latin += part.len() as u64;
                    self.word(part);
                }
            }
        }
    }

    fn word(&mut self, word: &str) {
        match self.words.get_mut(word) {
            Some(n) => *n += 1,
            None => {
                self.words.insert(word.to_owned(), 1);
            }
        }
    }

    /// The vocabulary: pieces with their scores, the unknown token first.
    pub(crate) fn vocabulary(&self, options: &VocabularyOptions) -> Vec<(String, f64)> {
        let min = options.min_count.max(1);
        let mut words: Vec<(&str, u32)> =
            self.words.iter().map(|(w, &n)| (w.as_str(), n)).collect();
        words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let chinese = words.iter().filter(|(w, n)| {
            *n >= min && w.chars().all(is_cjk) && (2..=MAX_HAN).contains(&w.chars().count())
        });
        let latin = words.iter().filter(|(w, n)| is_latin_word(w, *n, min));
        let total: f64 = words.iter().map(|w| f64::from(w.1)).sum::<f64>().max(1.0);
        let log = |n: f64| (n / total).ln();
        let lowest = log(0.5);

        let mut pieces: Vec<(String, f64)> = vec![("[UNK]".to_owned(), lowest - 20.0)];
        let mut chars: Vec<(char, u32)> = self.chars.iter().map(|(&c, &n)| (c, n)).collect();
        chars.sort_unstable_by_key(|&(c, n)| (std::cmp::Reverse(n), c));
        // A character is the back-off: it is worth what it occurs alone, not in words.
        for (c, _) in chars.into_iter().filter(|(_, n)| *n >= (min / 2).max(1)) {
            let piece = c.to_string();
            let alone = f64::from(self.words.get(&piece).copied().unwrap_or(1));
            pieces.push((piece, log(0.3 * alone) - 1.0));
        }
        // More candidates than wanted: pieces that never win against their parts go.
        let mut words: Vec<(String, f64)> = Vec::new();
        let wanted = |w: &(&str, u32)| (w.0.to_owned(), log(f64::from(w.1)));
        words.extend(chinese.take(options.chinese_words * 6 / 5).map(wanted));
        let chinese_candidates = words.len();
        words.extend(latin.take(options.english_words * 6 / 5).map(wanted));
        let kept = drop_beaten(&pieces, &words);
        let (mut zh, mut en) = (0, 0);
        for (i, word) in words.into_iter().enumerate() {
            let (count, limit) = if i < chinese_candidates {
                (&mut zh, options.chinese_words)
            } else {
                (&mut en, options.english_words)
            };
            if kept[i] && *count < limit {
                *count += 1;
                pieces.push(word);
            }
        }
        let mut have: HashSet<String> = pieces.iter().map(|p| p.0.clone()).collect();
        for c in ('a'..='z').chain('0'..='9') {
            if have.insert(c.to_string()) {
                pieces.push((c.to_string(), lowest - 4.0));
            }
        }
        // A letter alone must lose against every sequence of letters.
        for (piece, score) in &mut pieces {
            if matches!(piece.as_bytes(), [b'a'..=b'z']) {
                *score = score.min(lowest - 4.0);
            }
        }
        for piece in self.subwords(&have, options.subwords) {
            pieces.push((piece, lowest - 2.5));
        }
        for (_, score) in &mut pieces {
            *score = (*score * 1e4).round() / 1e4;
        }
        pieces
    }

    /// Frequent letter sequences of the words that the vocabulary does not have.
    fn subwords(&self, have: &HashSet<String>, limit: usize) -> Vec<String> {
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for (word, &n) in &self.words {
            if n >= 2 && word.len() <= MAX_LATIN + 10 && is_alphabetic(word) && !have.contains(word)
            {
                for len in 3..=6 {
                    for start in 0..(word.len() + 1).saturating_sub(len) {
                        *counts.entry(&word[start..start + len]).or_default() += 1;
                    }
                }
            }
        }
        let mut all: Vec<(&str, u32)> =
            counts.into_iter().filter(|c| !have.contains(c.0)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all.truncate(limit);
        all.into_iter().map(|(s, _)| s.to_owned()).collect()
    }
}

/// For each word: does the best path through it use it as a whole, even though parts of it (other
/// words, characters) could stand for it? `ofthe`, a scan's artefact, does not.
fn drop_beaten(characters: &[(String, f64)], words: &[(String, f64)]) -> Vec<bool> {
    let tokenizer = UnigramTokenizer::new(
        characters
            .iter()
            .chain(words)
            .map(|(w, s)| (w.as_str(), *s)),
    );
    words
        .par_iter()
        .enumerate()
        .map_init(crate::tokenizer::Scratch::default, |scratch, (i, word)| {
            tokenizer.encode(&word.0, scratch);
            scratch.ids == [(characters.len() + i) as u32]
        })
        .collect()
}

/// The tokenizer file of a vocabulary.
pub(crate) fn tokenizer_json(vocabulary: &[(String, f64)]) -> Vec<u8> {
    let value = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": normaliser_json(),
        "pre_tokenizer": pre_tokenizer_json(),
        "post_processor": null,
        "decoder": null,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": false},
    });
    value.to_string().into_bytes()
}

fn jieba() -> &'static Jieba {
    static JIEBA: OnceLock<Jieba> = OnceLock::new();
    JIEBA.get_or_init(Jieba::new)
}

pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

fn is_alphabetic(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_lowercase())
}

/// Letters, and letters with digits if very common; no long numbers.
fn is_latin_word(word: &str, count: u32, min: u32) -> bool {
    let bytes = word.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let plain =
        (2..=MAX_LATIN).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric);
    let enough = if digits == 0 {
        min
    } else if digits == bytes.len() {
        if bytes.len() <= 2 { min } else { return false }
    } else {
        min.saturating_mul(8)
    };
    plain && count >= enough
}
