//! Other pipelines (WordPiece, BPE, other Unigram files) through the `tokenizers` crate.

use super::Known;
use crate::EmbedError;
use serde_json::Value;
use std::path::Path;
use tokenizers::models::ModelWrapper;

/// A tokenizer of another kind, as Model2Vec runs it: no truncation, no padding, no special
/// tokens, the unknown token left out.
#[derive(Debug)]
pub(crate) struct ForeignTokenizer {
    inner: tokenizers::Tokenizer,
    unknown: Option<u32>,
    len: usize,
}

impl ForeignTokenizer {
    /// Reads any `tokenizer.json`.
    pub(crate) fn from_json(bytes: &[u8], path: &Path) -> Result<Self, EmbedError> {
        // The crate's parsers are not written for hostile files: a panic is a bad file too.
        let read = std::panic::catch_unwind(|| tokenizers::Tokenizer::from_bytes(bytes));
        let mut inner = match read {
            Ok(Ok(inner)) => inner,
            Ok(Err(e)) => return Err(EmbedError::bad_file(path, e)),
            Err(_) => return Err(EmbedError::bad_file(path, "the tokenizer cannot be read")),
        };
        inner
            .with_truncation(None)
            .map_err(|e| EmbedError::bad_file(path, e))?;
        inner.with_padding(None);
        let unknown = match inner.get_model() {
            ModelWrapper::BPE(m) => m.unk_token.as_deref().and_then(|t| inner.token_to_id(t)),
            ModelWrapper::WordPiece(m) => inner.token_to_id(&m.unk_token),
            ModelWrapper::WordLevel(m) => inner.token_to_id(&m.unk_token),
            ModelWrapper::Unigram(m) => serde_json::to_value(m)
                .ok()
                .and_then(|v| v.get("unk_id").and_then(Value::as_u64))
                .and_then(|id| u32::try_from(id).ok()),
        };
        let vocabulary = inner.get_vocab(true);
        let len = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        Ok(ForeignTokenizer {
            inner,
            unknown,
            len,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Replaces `ids` by those of a text.
    pub(crate) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<Known, String> {
        ids.clear();
        let encoding = self.inner.encode(text, false).map_err(|e| e.to_string())?;
        let mut known = Known::default();
        for (&id, &(start, end)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
            if Some(id) != self.unknown {
                ids.push(id);
                known.known += text
                    .get(start..end)
                    .map_or(0, |t| t.chars().filter(|c| c.is_alphanumeric()).count());
            }
        }
        Ok(known)
    }
}
