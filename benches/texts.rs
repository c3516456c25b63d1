//! Invented texts in the words of a model's vocabulary.

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::Path;

pub(crate) const PASSAGES: usize = 5;
const WORDS: usize = 60;
const ASKED: usize = 20;

/// A record that nobody is.
#[derive(Debug, Clone)]
pub(crate) struct Invented {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) passages: Vec<String>,
}

/// Words, each as often as its rank says.
pub(crate) struct Language {
    words: Vec<String>,
    cumulative: Vec<f64>,
    rng: ChaCha8Rng,
}

impl Language {
    /// The two-character words of a model, in their order.
    pub(crate) fn of_model(model: &Path) -> Result<Self> {
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
        Ok(Self {
            words,
            cumulative,
            rng: ChaCha8Rng::seed_from_u64(7),
        })
    }

    fn text(&mut self, words: usize) -> String {
        let sum = self.cumulative.last().copied().unwrap_or(1.0);
        let mut out = String::new();
        for i in 0..words {
            if i > 0 && i % 12 == 0 {
                out.push('，');
            }
            let x = self.rng.random_range(0.0..sum);
            out.push_str(&self.words[self.cumulative.partition_point(|c| *c < x)]);
        }
        out
    }

    pub(crate) fn record(&mut self, number: usize) -> Invented {
        Invented {
            id: format!("E{number:07}"),
            title: self.text(3),
            passages: (0..PASSAGES).map(|_| self.text(WORDS)).collect(),
        }
    }

    pub(crate) fn question(&mut self) -> String {
        self.text(ASKED)
    }
}
