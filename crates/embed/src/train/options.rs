//! Everything a training can be told, checked once.

use crate::EmbedError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Sizes of the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VocabularyOptions {
    /// At most this many Chinese words of two to six characters.
    pub chinese_words: usize,
    /// At most this many English words.
    pub english_words: usize,
    /// At most this many Latin letter sequences for words that are not in the vocabulary.
    pub subwords: usize,
    /// A word must occur this often; a character half as often.
    pub min_count: u32,
}

impl Default for VocabularyOptions {
    fn default() -> Self {
        VocabularyOptions {
            chinese_words: 40_000,
            english_words: 16_000,
            subwords: 4_000,
            min_count: 8,
        }
    }
}

/// A row of the matrix is its own vector plus those of what it is made of, during training: rare
/// words then mean something from the first step on. The sum is what is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    /// Weight of each character of a Chinese word.
    pub characters: f32,
    /// Weight of each shorter word inside a Chinese word.
    pub words: f32,
    /// Weight of each beginning and ending, of four letters or more, of an English word.
    pub affixes: f32,
}

impl Default for Composition {
    fn default() -> Self {
        Composition {
            characters: 1.0,
            words: 1.0,
            affixes: 0.5,
        }
    }
}

/// Everything a training can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainOptions {
    /// Columns, 8 to 1024.
    pub dim: usize,
    /// Steps, at least 1.
    pub steps: usize,
    /// Pairs a step, 8 to 8192; every other pair of the batch is a negative.
    pub batch: usize,
    /// Temperatures of the softmax, 0.03 to 1: low for fine differences, high for broad likeness.
    /// The columns are shared out evenly, and each share (a head) is trained for itself at its
    /// own temperature; in a cosine all heads weigh the same.
    pub temperatures: Vec<f32>,
    /// Step size of Adam at its highest.
    pub learning_rate: f32,
    /// Steps over which the step size rises to its highest.
    pub warm_up: usize,
    /// Share of the tokens of a text left out, anew each time.
    pub token_dropout: f32,
    /// Share of the pairs whose second side loses the tokens of the first.
    pub mask_share: f32,
    /// Share of the texts that get wording which says nothing about a subject (forms, patents,
    /// biographies), so that the model learns to look past it.
    pub noise_share: f32,
    /// Share of the steps whose pairs are two documents of one class, for what belongs together
    /// more broadly; documents of one class are then no negatives of each other.
    pub class_share: f32,
    /// How much more often than by the recipe pairs with a paragraph are drawn, 0 to 100.
    pub paragraph_pairs: f32,
    /// The same for pairs of two short texts (titles, keywords), 0 to 100.
    pub short_pairs: f32,
    /// Spread of the rows before the first step.
    pub start_spread: f32,
    /// A title or keyword list is cut to this many tokens.
    pub query_tokens: usize,
    /// An abstract or paragraph is cut to this many tokens (a random window).
    pub passage_tokens: usize,
    /// Paragraphs kept of a document.
    pub paragraphs: usize,
    /// The seed: same seed, same corpus, same options, same model, on any number of threads.
    pub seed: u64,
    /// The vocabulary.
    pub vocabulary: VocabularyOptions,
    /// Rows from their parts, or each row for itself.
    pub composition: Option<Composition>,
    /// Documents of each source held out for the quality gate: this share, at most
    /// [`held_out_max`](Self::held_out_max).
    pub held_out: f32,
    /// See [`held_out`](Self::held_out).
    pub held_out_max: usize,
    /// Go on from this model folder instead of from scratch: its vocabulary is kept and
    /// [`vocabulary`](Self::vocabulary) and [`composition`](Self::composition) do not matter.
    pub start: Option<PathBuf>,
    /// Pull towards the start per step, relative to the step size; 0 for none.
    pub pull: f32,
}

impl Default for TrainOptions {
    fn default() -> Self {
        TrainOptions {
            dim: 384,
            steps: 2_000,
            batch: 1_024,
            temperatures: vec![0.12, 0.05],
            learning_rate: 2e-3,
            warm_up: 100,
            token_dropout: 0.5,
            mask_share: 0.3,
            noise_share: 0.15,
            class_share: 0.0,
            paragraph_pairs: 2.5,
            short_pairs: 1.0,
            start_spread: 0.05,
            query_tokens: 64,
            passage_tokens: 220,
            paragraphs: 48,
            seed: 1,
            vocabulary: VocabularyOptions::default(),
            composition: Some(Composition::default()),
            held_out: 0.03,
            held_out_max: 400,
            start: None,
            pull: 0.0,
        }
    }
}

impl TrainOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// The first option outside its range, with the range.
    pub fn check(&self) -> Result<(), EmbedError> {
        let share = 0.0..=0.9f32;
        let checks = [
            ("dim", (8..=1024).contains(&self.dim), "8 to 1024"),
            ("steps", self.steps >= 1, "at least 1"),
            ("batch", (8..=8192).contains(&self.batch), "8 to 8192"),
            (
                "temperatures",
                !self.temperatures.is_empty()
                    && self.dim.is_multiple_of(self.temperatures.len())
                    && self.temperatures.iter().all(|t| (0.03..=1.0).contains(t)),
                "0.03 to 1, as many as share the columns evenly",
            ),
            (
                "learning_rate",
                self.learning_rate > 0.0 && self.learning_rate <= 0.1,
                "above 0, at most 0.1",
            ),
            (
                "token_dropout",
                share.contains(&self.token_dropout),
                "0 to 0.9",
            ),
            (
                "mask_share",
                (0.0..=1.0).contains(&self.mask_share),
                "0 to 1",
            ),
            (
                "noise_share",
                (0.0..=1.0).contains(&self.noise_share),
                "0 to 1",
            ),
            (
                "class_share",
                (0.0..=1.0).contains(&self.class_share),
                "0 to 1",
            ),
            (
                "paragraph_pairs",
                (0.0..=100.0).contains(&self.paragraph_pairs),
                "0 to 100",
            ),
            (
                "short_pairs",
                (0.0..=100.0).contains(&self.short_pairs),
                "0 to 100",
            ),
            (
                "start_spread",
                self.start_spread > 0.0 && self.start_spread <= 1.0,
                "above 0, at most 1",
            ),
            (
                "query_tokens",
                (4..=4096).contains(&self.query_tokens),
                "4 to 4096",
            ),
            (
                "passage_tokens",
                (8..=4096).contains(&self.passage_tokens),
                "8 to 4096",
            ),
            ("held_out", share.contains(&self.held_out), "0 to 0.9"),
            ("pull", (0.0..=10.0).contains(&self.pull), "0 to 10"),
        ];
        match checks.iter().find(|(_, ok, _)| !ok) {
            None => Ok(()),
            Some((option, _, range)) => Err(EmbedError::Option {
                option,
                reason: format!("accepts {range}"),
            }),
        }
    }

    /// The step size at a step counted from 1: a short rise, then a straight fall to a twentieth.
    pub(crate) fn rate(&self, step: usize) -> f32 {
        let fall = 1.0 - 0.95 * step as f32 / self.steps as f32;
        let rise = if step < self.warm_up {
            step as f32 / self.warm_up as f32
        } else {
            1.0
        };
        self.learning_rate * fall * rise
    }
}
