//! The seam: what every embedding model promises.

use crate::EmbedError;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a text is for. Some encoders treat a question and a document differently (a prefix, a
/// second head); a static model gives both the same vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The text asks.
    Query,
    /// The text is looked through.
    Passage,
}

/// Which model made a vector: a name for people and a hash over the model's files for machines.
///
/// Vectors may be compared only when their fingerprints have equal hashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelFingerprint {
    name: String,
    hash: String,
}

impl ModelFingerprint {
    /// A fingerprint over the parts that decide a model's vectors (its files, its settings), given
    /// as label and bytes. The order of the parts counts.
    pub fn of_parts<'a>(
        name: impl Into<String>,
        parts: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (label, bytes) in parts {
            hasher.update(&(label.len() as u64).to_le_bytes());
            hasher.update(label.as_bytes());
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        ModelFingerprint {
            name: name.into(),
            hash: hasher.finalize().to_hex().to_string(),
        }
    }

    /// The model's name, for people: two different models may carry the same one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 64 hexadecimal digits (BLAKE3).
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The first 12 digits of the hash, for logs and file names.
    pub fn short(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }
}

impl fmt::Display for ModelFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.short())
    }
}

/// A model that turns texts into vectors of one space.
///
/// Every row is finite and L2-normalised, or all zero when nothing in the text is known to the
/// model ([`coverage`](Embedder::coverage) is then 0). A row depends on its text and role alone:
/// not on the batch, not on the number of threads.
pub trait Embedder: Send + Sync {
    /// The number of columns of every vector.
    fn dim(&self) -> usize;

    /// Which model this is.
    fn fingerprint(&self) -> &ModelFingerprint;

    /// Embeds texts; the result is `[texts.len(), dim]`, one row per text in the same order.
    ///
    /// # Errors
    /// When the model cannot answer (a remote side fails, a tokenizer refuses); the local static
    /// model with its own tokenizer never does.
    fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError>;

    /// Embeds one text; the result has [`dim`](Embedder::dim) columns.
    ///
    /// # Errors
    /// As [`embed`](Embedder::embed).
    fn embed_one(&self, text: &str, role: Role) -> Result<Vec<f32>, EmbedError> {
        Ok(self.embed(&[text], role)?.into_iter().collect())
    }

    /// The share (0 to 1) of the text's letters and digits that the vocabulary knows: low for a
    /// text in a script the model never saw. 0 for a text without any. `None` when the model
    /// cannot tell.
    fn coverage(&self, text: &str) -> Option<f32>;

    /// Whether hundreds of single words can be embedded while somebody waits: where each is a row of a table, not where
    /// each is a pass through a network or a request.
    fn embeds_words(&self) -> bool {
        false
    }
}

/// Scales to unit length; a vector without a finite, positive length becomes all zero.
pub(crate) fn l2_normalise(row: &mut [f32]) {
    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm.is_finite() && norm > 1e-12 {
        let scale = 1.0 / norm;
        row.iter_mut().for_each(|x| *x *= scale);
    } else {
        row.fill(0.0);
    }
}
