//! The Unigram tokenizer this crate trains (Kudo 2018, "Subword regularization"): Viterbi over a
//! trie, the same ids as the `tokenizers` crate gives for the same file.

use super::{
    Known, Scratch,
    alphabet::{Alphabet, SEPARATOR, is_han_symbol},
    trie::{Key, NONE, Trie},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What the `tokenizers` crate takes off the lowest score for an unknown character.
const UNKNOWN_PENALTY: f64 = 10.0;

/// The best path that ends at a position of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    score: f64,
    id: u32,
    from: u32,
}

/// A Unigram vocabulary with our normaliser and pre-tokenizer.
#[derive(Debug)]
pub(crate) struct UnigramTokenizer {
    alphabet: Alphabet,
    trie: Trie,
    scores: Vec<f64>,
    unknown_score: f64,
}

/// The normaliser written into `tokenizer.json`. Text also goes through
/// [`queqiao_text::normalise`] before, here and in training; a tool without it differs on
/// traditional characters only (their simplified forms are what the vocabulary holds).
pub(crate) fn normaliser_json() -> Value {
    json!({"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]})
}

/// The pre-tokenizer written into `tokenizer.json`: runs of Latin letters and digits, runs of
/// Chinese characters, nothing else.
pub(crate) fn pre_tokenizer_json() -> Value {
    let split = |pattern: &str, behavior: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": false});
    json!({"type": "Sequence", "pretokenizers": [
        split("[^a-z0-9\u{4e00}-\u{9fff}]+", "Removed"),
        split("[\u{4e00}-\u{9fff}]+", "Isolated"),
    ]})
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    added_tokens: Vec<Value>,
    normalizer: Value,
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    unk_id: Option<u32>,
    #[serde(borrow)]
    vocab: Vec<Piece<'a>>,
    #[serde(default)]
    byte_fallback: bool,
}

#[derive(Deserialize)]
struct Piece<'a>(#[serde(borrow)] Cow<'a, str>, f64);

impl UnigramTokenizer {
    /// Reads a `tokenizer.json` written by this crate; `None` for any other pipeline.
    pub(crate) fn from_json(bytes: &[u8]) -> Option<Self> {
        let file: File<'_> = serde_json::from_slice(bytes).ok()?;
        let ours = file.model.kind == "Unigram"
            && file
                .model
                .unk_id
                .is_some_and(|id| (id as usize) < file.model.vocab.len())
            && !file.model.byte_fallback
            && file.added_tokens.is_empty()
            && file.post_processor.is_null()
            && file.normalizer == normaliser_json()
            && file.pre_tokenizer == pre_tokenizer_json()
            && file.model.vocab.iter().all(|p| p.1.is_finite());
        ours.then(|| Self::new(file.model.vocab.iter().map(|p| (&*p.0, p.1))))
    }

    /// A tokenizer over pieces with their scores (log probabilities); the id is the place in the
    /// list. Pieces that no normalised text holds (`[UNK]`) never match.
    pub(crate) fn new<'a>(pieces: impl Iterator<Item = (&'a str, f64)> + Clone) -> Self {
        let alphabet = Alphabet::new(pieces.clone().map(|p| p.0));
        let scores: Vec<f64> = pieces.clone().map(|p| p.1).collect();
        let (mut buffer, mut keys) = (Vec::new(), Vec::with_capacity(scores.len()));
        for (id, (piece, _)) in pieces.enumerate() {
            let start = buffer.len() as u32;
            if alphabet.append_piece(piece, &mut buffer) {
                keys.push(Key {
                    start,
                    len: buffer.len() as u32 - start,
                    id: id as u32,
                });
            }
        }
        UnigramTokenizer {
            trie: Trie::new(&buffer, keys, alphabet.len()),
            unknown_score: scores.iter().copied().fold(f64::INFINITY, f64::min) - UNKNOWN_PENALTY,
            alphabet,
            scores,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// Writes the ids of a text into `scratch.ids`, without those of unknown characters.
    pub(crate) fn encode(&self, text: &str, scratch: &mut Scratch) -> Known {
        scratch.ids.clear();
        self.alphabet.symbols(text, &mut scratch.symbols);
        let symbols = &scratch.symbols;
        let mut known = Known::default();
        let mut start = 0;
        while start < symbols.len() {
            let first = symbols[start];
            if first == SEPARATOR {
                start += 1;
                continue;
            }
            let han = is_han_symbol(first);
            let mut end = start + 1;
            while end < symbols.len()
                && symbols[end] != SEPARATOR
                && is_han_symbol(symbols[end]) == han
            {
                end += 1;
            }
            known.known += self.viterbi(&symbols[start..end], &mut scratch.best, &mut scratch.ids);
            start = end;
        }
        known
    }

    /// Appends the ids of the best path through a run; returns how many symbols it knows.
    ///
    /// Candidates come by start and then by length, and replace only when strictly better: ties
    /// fall as they do in the `tokenizers` crate.
    fn viterbi(&self, run: &[u16], best: &mut Vec<Best>, out: &mut Vec<u32>) -> usize {
        best.clear();
        best.resize(
            run.len() + 1,
            Best {
                score: f64::NEG_INFINITY,
                id: NONE,
                from: 0,
            },
        );
        best[0].score = 0.0;
        for start in 0..run.len() {
            let so_far = best[start].score;
            let mut node = Trie::ROOT;
            let mut single = false;
            for (end, &symbol) in run.iter().enumerate().skip(start) {
                let Some((next, id)) = self.trie.step(node, symbol) else {
                    break;
                };
                node = next;
                if id != NONE {
                    single |= end == start;
                    let score = self.scores[id as usize] + so_far;
                    let target = &mut best[end + 1];
                    if score > target.score {
                        *target = Best {
                            score,
                            id,
                            from: start as u32,
                        };
                    }
                }
            }
            if !single {
                let score = self.unknown_score + so_far;
                let target = &mut best[start + 1];
                if score > target.score {
                    *target = Best {
                        score,
                        id: NONE,
                        from: start as u32,
                    };
                }
            }
        }
        let first = out.len();
        let (mut end, mut known) = (run.len(), 0);
        while end > 0 {
            let step = best[end];
            let from = step.from as usize;
            if step.id != NONE {
                out.push(step.id);
                known += end - from;
            }
            end = from;
        }
        out[first..].reverse();
        known
    }
}
