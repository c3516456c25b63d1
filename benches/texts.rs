//! Invented texts in the words of a model's vocabulary.

use anyhow::{Context, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::Path;

/// Passages of a record.
pub const PASSAGES: usize = 5;
const WORDS: usize = 60;
const ASKED: usize = 20;

/// A record that nobody is.
#[derive(Debug, Clone)]
pub struct Invented {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its texts.
    pub passages: Vec<String>,
}

/// Words, each as often as its rank says.
#[derive(Debug)]
pub struct Language {
    words: Vec<String>,
    cumulative: Vec<f64>,
}

impl Language {
    /// The two-character words of a model's vocabulary, in their order.
    ///
    /// # Errors
    /// The folder holds no such vocabulary.
    pub fn of_model(model: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(model.join("tokenizer.json"))?;
        let said: Value = serde_json::from_str(&text)?;
        let vocabulary = said["model"]["vocab"].as_array().context("a vocabulary")?;
        let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let words: Vec<String> = vocabulary
            .iter()
            .filter_map(|entry| entry[0].as_str())
            .filter(|w| w.chars().count() == 2 && w.chars().all(han))
            .map(str::to_owned)
            .collect();
        let mut sum = 0.0;
        let cumulative = (1..=words.len())
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Ok(Self { words, cumulative })
    }

    /// So many words.
    pub fn text(&self, rng: &mut ChaCha8Rng, words: usize) -> String {
        let sum = self.cumulative.last().copied().unwrap_or(1.0);
        let mut out = String::new();
        for i in 0..words {
            if i > 0 && i % 12 == 0 {
                out.push('，');
            }
            let x = rng.random_range(0.0..sum);
            out.push_str(&self.words[self.cumulative.partition_point(|c| *c < x)]);
        }
        out
    }

    /// A record of [`PASSAGES`] passages.
    pub fn record(&self, rng: &mut ChaCha8Rng, number: u64) -> Invented {
        Invented {
            id: format!("E{number:07}"),
            title: self.text(rng, 3),
            passages: (0..PASSAGES).map(|_| self.text(rng, WORDS)).collect(),
        }
    }

    /// A question of as many words as people ask with.
    pub fn question(&self, rng: &mut ChaCha8Rng) -> String {
        self.text(rng, ASKED)
    }
}
