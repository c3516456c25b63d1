//! Doubles for tests: cheap, seeded, and honest about what they promise.

use crate::{EmbedError, Embedder, ModelFingerprint, Role, embedder::l2_normalise};
use ndarray::Array2;
use queqiao_text::{is_han, normalise};

/// Hashes words and character bigrams into signed columns (feature hashing, Weinberger et al.
/// 2009): texts that share words are close, nothing else is. No files, no training, microseconds.
#[derive(Debug, Clone)]
pub struct HashingEmbedder {
    dim: usize,
    seed: u64,
    fingerprint: ModelFingerprint,
}

impl HashingEmbedder {
    /// A double with `dim` columns (at least 1 is used). Different seeds are different models.
    pub fn new(dim: usize, seed: u64) -> Self {
        let dim = dim.max(1);
        let parts = [
            ("dim", (dim as u64).to_le_bytes()),
            ("seed", seed.to_le_bytes()),
        ];
        HashingEmbedder {
            dim,
            seed,
            fingerprint: ModelFingerprint::of_parts(
                "hashing",
                parts.iter().map(|(l, b)| (*l, b.as_slice())),
            ),
        }
    }

    fn add(&self, feature: &str, weight: f32, row: &mut [f32]) {
        // FNV-1a, then the SplitMix64 finaliser; four columns a feature keep collisions mild.
        let mut h = feature.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        }) ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..4 {
            h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            h ^= h >> 31;
            let sign = if h >> 63 == 0 { weight } else { -weight };
            row[(h % self.dim as u64) as usize] += sign;
        }
    }

    fn row(&self, text: &str, row: &mut [f32]) {
        let text = normalise(text);
        let mut word = String::new();
        let mut last_han = None;
        for c in text.chars().chain([' ']) {
            if is_han(c) {
                self.add(c.encode_utf8(&mut [0; 4]), 0.5, row);
                if let Some(last) = last_han {
                    self.add(&String::from_iter([last, c]), 1.0, row);
                }
            }
            last_han = is_han(c).then_some(c);
            if c.is_alphanumeric() && !is_han(c) {
                word.push(c);
            } else if !word.is_empty() {
                self.add(&word, 1.0, row);
                word.clear();
            }
        }
        l2_normalise(row);
    }
}

impl Embedder for HashingEmbedder {
    fn embeds_words(&self) -> bool {
        true
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn embed(&self, texts: &[&str], _role: Role) -> Result<Array2<f32>, EmbedError> {
        let mut rows = Array2::zeros((texts.len(), self.dim));
        for (mut row, text) in rows.rows_mut().into_iter().zip(texts) {
            if let Some(row) = row.as_slice_mut() {
                self.row(text, row);
            }
        }
        Ok(rows)
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        Some(if text.chars().any(char::is_alphanumeric) {
            1.0
        } else {
            0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_words_are_close_and_nothing_is_zero() {
        let e = HashingEmbedder::new(256, 7);
        let v = e
            .embed(
                &["锂电池负极材料", "负极材料的制备", "graph theory", "，。"],
                Role::Query,
            )
            .unwrap();
        let dot = |a: usize, b: usize| v.row(a).dot(&v.row(b));
        assert!((dot(0, 0) - 1.0).abs() < 1e-5);
        assert!(
            dot(0, 1) > 0.3 && dot(0, 1) > dot(0, 2) + 0.2,
            "{} {}",
            dot(0, 1),
            dot(0, 2)
        );
        assert_eq!(dot(3, 3), 0.0);
        assert_eq!(e.coverage("，。"), Some(0.0));
        assert_eq!(
            e.embed_one("graph theory", Role::Passage).unwrap(),
            v.row(2).to_vec()
        );
        assert_ne!(e.fingerprint(), HashingEmbedder::new(256, 8).fingerprint());
    }
}
