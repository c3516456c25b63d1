//! Text to token ids: our own Unigram fast path, and the `tokenizers` crate for everything else.

mod alphabet;
mod foreign;
mod trie;
mod unigram;

pub(crate) use foreign::ForeignTokenizer;
pub(crate) use unigram::{UnigramTokenizer, normaliser_json, pre_tokenizer_json};

use crate::EmbedError;
use std::path::Path;
use unigram::Best;

/// Buffers that a thread keeps between texts, so that a text allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    symbols: Vec<u16>,
    best: Vec<Best>,
    /// The ids of the last text, unknown ones left out.
    pub(crate) ids: Vec<u32>,
}

/// How much of a text the vocabulary knew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Letters and digits inside known tokens.
    pub(crate) known: usize,
}

/// A tokenizer read from `tokenizer.json`.
#[derive(Debug)]
pub(crate) enum Tokenizer {
    /// The pipeline this crate writes: exact, without allocation per text.
    Unigram(UnigramTokenizer),
    /// Any other pipeline.
    Foreign(Box<ForeignTokenizer>),
}

impl Tokenizer {
    /// Reads `tokenizer.json`.
    pub(crate) fn from_json(bytes: &[u8], path: &Path) -> Result<Self, EmbedError> {
        if let Some(fast) = UnigramTokenizer::from_json(bytes) {
            return Ok(Tokenizer::Unigram(fast));
        }
        ForeignTokenizer::from_json(bytes, path).map(|t| Tokenizer::Foreign(Box::new(t)))
    }

    /// Entries of the vocabulary; every id is below.
    pub(crate) fn len(&self) -> usize {
        match self {
            Tokenizer::Unigram(t) => t.len(),
            Tokenizer::Foreign(t) => t.len(),
        }
    }

    /// Writes the ids of a text into `scratch.ids`.
    pub(crate) fn encode(&self, text: &str, scratch: &mut Scratch) -> Result<Known, String> {
        match self {
            Tokenizer::Unigram(t) => Ok(t.encode(text, scratch)),
            Tokenizer::Foreign(t) => t.encode(text, &mut scratch.ids),
        }
    }
}
