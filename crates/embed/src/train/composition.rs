//! What a token is made of: itself, its characters, the shorter words in it.

use super::{options::Composition, vocabulary::is_cjk};
use std::collections::HashMap;

/// Shortest beginning or ending of an English word that counts, and shortest word that has one.
const AFFIX: usize = 4;
const AFFIX_WORD: usize = 7;

/// For each token the rows that its vector is the weighted sum of (sparse `[V, V]`, in CSR form).
#[derive(Debug)]
pub(crate) struct Parts {
    starts: Vec<u32>,
    parts: Vec<(u32, f32)>,
}

/// For each row the distinct tokens of a batch that use it.
#[derive(Debug)]
pub(crate) struct Uses {
    /// Rows that are used, ascending, each with the start of its uses.
    rows: Vec<(u32, u32)>,
    uses: Vec<(u32, f32)>,
}

impl Parts {
    /// Every token is its own row.
    pub(crate) fn identity(v: usize) -> Self {
        Parts {
            starts: (0..=v as u32).collect(),
            parts: (0..v as u32).map(|i| (i, 1.0)).collect(),
        }
    }

    /// Tokens and their parts within the same vocabulary.
    pub(crate) fn new(pieces: &[&str], weights: Composition) -> Self {
        let index: HashMap<&str, u32> = pieces
            .iter()
            .enumerate()
            .map(|(i, &p)| (p, i as u32))
            .collect();
        let mut all = Parts {
            starts: vec![0],
            parts: Vec::new(),
        };
        for (i, piece) in pieces.iter().enumerate() {
            let first = all.parts.len();
            all.parts.push((i as u32, 1.0));
            let mut add = |part: &str, weight: f32| {
                if let Some(&row) = index.get(part)
                    && row != i as u32
                    && weight > 0.0
                {
                    all.parts.push((row, weight));
                }
            };
            if piece.chars().next().is_some_and(is_cjk) {
                let ends: Vec<usize> = piece
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([piece.len()])
                    .collect();
                for a in 0..ends.len() - 1 {
                    for b in a + 1..ends.len() {
                        let part = &piece[ends[a]..ends[b]];
                        let weight = if b == a + 1 {
                            weights.characters
                        } else {
                            weights.words
                        };
                        add(part, weight);
                    }
                }
            } else if piece.len() >= AFFIX_WORD && piece.bytes().all(|b| b.is_ascii_lowercase()) {
                for len in AFFIX..piece.len() - 2 {
                    add(&piece[..len], weights.affixes);
                    add(&piece[piece.len() - len..], weights.affixes);
                }
            }
            // A part that occurs twice (人人) is one part of twice the weight.
            let own = &mut all.parts[first..];
            own[1..].sort_by_key(|p| p.0);
            let mut merged: Vec<(u32, f32)> = Vec::with_capacity(own.len());
            for &(row, weight) in own.iter() {
                match merged.last_mut() {
                    Some(last) if last.0 == row => last.1 += weight,
                    _ => merged.push((row, weight)),
                }
            }
            all.parts.truncate(first);
            all.parts.extend(merged);
            all.starts.push(all.parts.len() as u32);
        }
        all
    }

    /// The rows of a token with their weights.
    pub(crate) fn of(&self, token: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.slice(token).iter().copied()
    }

    fn slice(&self, token: u32) -> &[(u32, f32)] {
        let t = token as usize;
        &self.parts[self.starts[t] as usize..self.starts[t + 1] as usize]
    }

    /// For each row, which of `tokens` (by place) use it.
    pub(crate) fn invert(&self, tokens: &[u32]) -> Uses {
        let mut counts = vec![0u32; self.starts.len() - 1];
        for &token in tokens {
            for (row, _) in self.of(token) {
                counts[row as usize] += 1;
            }
        }
        let mut rows = Vec::new();
        let mut total = 0;
        for (row, count) in counts.iter_mut().enumerate() {
            if *count > 0 {
                rows.push((row as u32, total));
                total += std::mem::replace(count, total);
            }
        }
        let mut uses = vec![(0, 0.0); total as usize];
        for (place, &token) in tokens.iter().enumerate() {
            for (row, weight) in self.of(token) {
                let at = &mut counts[row as usize];
                uses[*at as usize] = (place as u32, weight);
                *at += 1;
            }
        }
        Uses { rows, uses }
    }
}

impl Uses {
    /// The used rows from `first` on, `len` at most, with their uses.
    pub(crate) fn segment(
        &self,
        first: usize,
        len: usize,
    ) -> impl Iterator<Item = (usize, &[(u32, f32)])> {
        let from = self.rows.partition_point(|r| (r.0 as usize) < first);
        let to = self.rows.partition_point(|r| (r.0 as usize) < first + len);
        (from..to).map(|i| {
            let end = self
                .rows
                .get(i + 1)
                .map_or(self.uses.len(), |r| r.1 as usize);
            let (row, start) = self.rows[i];
            (row as usize, &self.uses[start as usize..end])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_made_of_their_parts() {
        let pieces = [
            "[UNK]",
            "电",
            "池",
            "电池",
            "锂电池",
            "人",
            "人人",
            "electrode",
            "elec",
        ];
        let p = Parts::new(
            &pieces,
            Composition {
                characters: 0.5,
                words: 0.25,
                affixes: 0.125,
            },
        );
        let of = |t| p.of(t).collect::<Vec<_>>();
        assert_eq!(of(1), [(1, 1.0)]);
        assert_eq!(of(3), [(3, 1.0), (1, 0.5), (2, 0.5)]);
        assert_eq!(of(4), [(4, 1.0), (1, 0.5), (2, 0.5), (3, 0.25)]);
        assert_eq!(of(6), [(6, 1.0), (5, 1.0)]);
        assert_eq!(of(7), [(7, 1.0), (8, 0.125)]);
        let uses = p.invert(&[3, 4]);
        let all: Vec<_> = uses.segment(0, 100).collect();
        assert_eq!(all[0], (1, [(0, 0.5), (1, 0.5)].as_slice()));
        assert_eq!(all[2], (3, [(0, 1.0), (1, 0.25)].as_slice()));
        assert_eq!(uses.segment(2, 2).count(), 2);
    }
}
