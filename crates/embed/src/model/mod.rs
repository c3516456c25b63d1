//! The static model: one vector a token, a text is the weighted sum of its tokens (Model2Vec's
//! layout and reading of it).

mod files;
mod matrix;
mod pool;

pub(crate) use files::{CONFIG, ModelFiles, TOKENIZER, WEIGHTS};

use crate::{
    EmbedError, Embedder, ModelFingerprint, Role,
    embedder::l2_normalise,
    tokenizer::{Known, Scratch, Tokenizer},
};
use matrix::Matrix;
use ndarray::Array2;
use queqiao_text::normalise;
use rayon::prelude::*;
use std::{cell::RefCell, path::Path};

/// Below this many bytes of text a batch is not worth a second thread.
const PARALLEL_BYTES: usize = 16 * 1024;

/// A static embedding model in the Model2Vec layout: `model.safetensors` with `embeddings`
/// (`[V, d]` as f32, f16, bf16 or i8), optional `weights` (`[V]`) and optional `mapping` (`[V]`),
/// `tokenizer.json` and `config.json`.
///
/// A text's vector is the sum of `weights[t] * embeddings[mapping[t]]` over its tokens `t`, unknown
/// ones left out, L2-normalised. Texts are never truncated (Model2Vec's own tools stop at 512
/// tokens unless told otherwise). The model holds its file in memory once, rows in the type the
/// file has.
pub struct StaticModel {
    tokenizer: Tokenizer,
    matrix: Matrix,
    /// Whether text goes through [`normalise`] before a tokenizer that is not ours.
    normalise: bool,
    fingerprint: ModelFingerprint,
}

impl std::fmt::Debug for StaticModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticModel")
            .field("fingerprint", &self.fingerprint)
            .field("vocabulary", &self.vocabulary())
            .field("dim", &self.matrix.dim())
            .finish_non_exhaustive()
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

impl StaticModel {
    /// Loads a model folder; its name is the folder's.
    ///
    /// # Errors
    /// A missing file, damaged bytes, a tensor of the wrong type or shape, a value that is not
    /// finite, a tokenizer that disagrees with the matrix: each says so, and nothing is loaded.
    pub fn load(dir: &Path) -> Result<StaticModel, EmbedError> {
        let name = dir
            .file_name()
            .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
        Self::from_files(ModelFiles::read(dir)?, name)
    }

    /// Builds the model from files that are already read (and verified).
    pub(crate) fn from_files(files: ModelFiles, name: String) -> Result<StaticModel, EmbedError> {
        let config = files.config()?;
        let (tokenizer, (matrix, fingerprint)) = rayon::join(
            || Tokenizer::from_json(&files.tokenizer, &files.path(TOKENIZER)),
            || {
                let matrix = Matrix::parse(&files.weights, &files.path(WEIGHTS));
                (matrix, files.fingerprint(name))
            },
        );
        let (tokenizer, layout) = (tokenizer?, matrix?);
        if layout.tokens() != tokenizer.len() {
            return Err(EmbedError::TokenizerMismatch {
                dir: files.dir.clone(),
                tokens: tokenizer.len(),
                rows: layout.tokens(),
            });
        }
        Ok(StaticModel {
            tokenizer,
            matrix: layout.into_matrix(files.weights),
            normalise: config.normalises_text(),
            fingerprint,
        })
    }

    /// The number of tokens the model knows.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.len()
    }

    /// The token ids of a text, unknown tokens left out: what its vector is the sum of.
    ///
    /// # Errors
    /// When a tokenizer other than ours refuses the text.
    pub fn tokenise(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        SCRATCH.with_borrow_mut(|scratch| {
            self.tokens(text, scratch)?;
            Ok(scratch.ids.clone())
        })
    }

    /// The weighted rows, `[V, d]` flat, with the dimension.
    pub(crate) fn rows(&self) -> (usize, Vec<f32>) {
        let dim = self.matrix.dim();
        let mut rows = vec![0.0; self.vocabulary() * dim];
        for (id, row) in rows.chunks_mut(dim).enumerate() {
            self.matrix.pool(&[id as u32], row);
        }
        (dim, rows)
    }

    /// Embeds one text into `row` (`dim` columns).
    fn embed_into(&self, text: &str, row: &mut [f32]) -> Result<(), EmbedError> {
        SCRATCH.with_borrow_mut(|scratch| {
            self.tokens(text, scratch)?;
            row.fill(0.0);
            self.matrix.pool(&scratch.ids, row);
            l2_normalise(row);
            Ok(())
        })
    }

    fn tokens(&self, text: &str, scratch: &mut Scratch) -> Result<Known, EmbedError> {
        let known = match &self.tokenizer {
            Tokenizer::Foreign(_) if self.normalise => {
                self.tokenizer.encode(&normalise(text), scratch)
            }
            tokenizer => tokenizer.encode(text, scratch),
        };
        known.map_err(|reason| EmbedError::Tokenize {
            model: self.fingerprint.name().to_owned(),
            reason,
        })
    }
}

impl Embedder for StaticModel {
    fn embeds_words(&self) -> bool {
        true
    }

    fn dim(&self) -> usize {
        self.matrix.dim()
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn embed(&self, texts: &[&str], _role: Role) -> Result<Array2<f32>, EmbedError> {
        let dim = self.dim();
        let mut flat = vec![0.0f32; texts.len() * dim];
        let bytes: usize = texts.iter().map(|t| t.len()).sum();
        if texts.len() > 1 && bytes > PARALLEL_BYTES {
            flat.par_chunks_mut(dim)
                .zip(texts.par_iter())
                .with_min_len(16)
                .try_for_each(|(row, text)| self.embed_into(text, row))?;
        } else {
            for (row, text) in flat.chunks_mut(dim).zip(texts) {
                self.embed_into(text, row)?;
            }
        }
        let shape = (texts.len(), dim);
        // The length is the product by construction.
        Ok(Array2::from_shape_vec(shape, flat).unwrap_or_else(|_| Array2::zeros(shape)))
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        let known = SCRATCH
            .with_borrow_mut(|scratch| self.tokens(text, scratch))
            .ok()?
            .known;
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        Some(if known == 0 {
            0.0
        } else {
            known as f32 / letters.max(known) as f32
        })
    }
}
