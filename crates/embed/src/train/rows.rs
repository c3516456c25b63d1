//! The rows being learnt: gathered, summed, and moved by row-wise Adam, in parallel with a fixed
//! order of every addition.

use super::{composition::Parts, sampler::Side};
use ndarray::Array2;
use rayon::prelude::*;

/// Rows of a segment: a task owns a segment, so that no two tasks write one row.
const SEGMENT: usize = 1024;

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The learnt rows and the state of Adam: a first moment a cell, a second moment a row and head
/// (Adam of Kingma and Ba 2015 with the second moment shared along a head's columns, updated only
/// when a row is seen).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) dim: usize,
    /// `[V, d]`
    pub(crate) value: Vec<f32>,
    pub(crate) first: Vec<f32>,
    /// `[V, heads]`
    pub(crate) second: Vec<f32>,
    /// Updates so far.
    pub(crate) updates: u32,
}

/// What an update needs besides the gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update<'a> {
    pub(crate) rate: f32,
    /// Rows to be pulled towards, and how strongly.
    pub(crate) pull: Option<(&'a [f32], f32)>,
}

/// The distinct tokens of a batch, and where each occurs.
#[derive(Debug, Default)]
pub(crate) struct Occurrences {
    /// Distinct tokens, ascending.
    tokens: Vec<u32>,
    /// Place of a token in `tokens`; valid for tokens of the batch only.
    place: Vec<u32>,
    /// Texts in which the k-th token occurs: `texts[starts[k]..starts[k + 1]]`; passages count on
    /// after the queries.
    starts: Vec<u32>,
    texts: Vec<u32>,
}

impl Occurrences {
    /// Inverts the two sides of a batch over a vocabulary of `v` tokens.
    pub(crate) fn new(v: usize, queries: &Side, passages: &Side) -> Self {
        let mut counts = vec![0u32; v];
        for &id in queries.ids.iter().chain(&passages.ids) {
            counts[id as usize] += 1;
        }
        let mut o = Occurrences {
            place: counts,
            ..Default::default()
        };
        o.starts.push(0);
        let mut total = 0;
        for (id, count) in o.place.iter_mut().enumerate() {
            if *count > 0 {
                total += *count;
                *count = o.tokens.len() as u32;
                o.tokens.push(id as u32);
                o.starts.push(total);
            }
        }
        o.texts = vec![0; total as usize];
        let mut next: Vec<u32> = o.starts.clone();
        for (offset, side) in [(0, queries), (queries.len(), passages)] {
            for text in 0..side.len() {
                for &id in side.text(text) {
                    let at = &mut next[o.place[id as usize] as usize];
                    o.texts[*at as usize] = (offset + text) as u32;
                    *at += 1;
                }
            }
        }
        o
    }

    fn texts(&self, place: usize) -> &[u32] {
        &self.texts[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

impl Rows {
    /// `dim` is a multiple of `heads`: each head has as many columns.
    pub(crate) fn new(value: Vec<f32>, dim: usize, heads: usize) -> Self {
        Rows {
            dim,
            first: vec![0.0; value.len()],
            second: vec![0.0; value.len() / dim * heads],
            value,
            updates: 0,
        }
    }

    fn row(&self, i: u32) -> &[f32] {
        &self.value[i as usize * self.dim..(i as usize + 1) * self.dim]
    }

    /// The vectors of the batch's distinct tokens, `[tokens, d]` flat.
    pub(crate) fn gather(&self, o: &Occurrences, parts: &Parts) -> Vec<f32> {
        let mut out = vec![0.0; o.tokens.len() * self.dim];
        out.par_chunks_mut(self.dim)
            .zip(&o.tokens)
            .with_min_len(128)
            .for_each(|(out, &token)| {
                for (part, weight) in parts.of(token) {
                    add(out, self.row(part), weight);
                }
            });
        out
    }

    /// The rows as they are written: each token's sum of parts, `[V, d]` flat.
    pub(crate) fn composed(&self, parts: &Parts) -> Vec<f32> {
        let mut out = vec![0.0; self.value.len()];
        out.par_chunks_mut(self.dim)
            .enumerate()
            .for_each(|(token, out)| {
                for (part, weight) in parts.of(token as u32) {
                    add(out, self.row(part), weight);
                }
            });
        out
    }

    /// Moves every row that the batch touches. `gradients` are those of the texts' sums, `[B, d]`
    /// each.
    pub(crate) fn update(
        &mut self,
        o: &Occurrences,
        parts: &Parts,
        queries: &Array2<f32>,
        passages: &Array2<f32>,
        update: Update<'_>,
    ) {
        let dim = self.dim;
        let b = queries.nrows();
        let of_text = |text: u32| -> &[f32] {
            let text = text as usize;
            let (side, at) = if text < b {
                (queries, text)
            } else {
                (passages, text - b)
            };
            side.as_slice()
                .map_or(&[], |s| &s[at * dim..(at + 1) * dim])
        };
        let mut by_token = vec![0.0f32; o.tokens.len() * dim];
        by_token
            .par_chunks_mut(dim)
            .enumerate()
            .with_min_len(64)
            .for_each(|(place, sum)| {
                for &text in o.texts(place) {
                    add(sum, of_text(text), 1.0);
                }
            });
        let by_part = parts.invert(&o.tokens);
        let heads = self.second.len() * dim / self.value.len().max(1);
        let width = dim / heads.max(1);
        self.updates += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powi(self.updates as i32) as f32;
        let (c1, c2) = (correction(BETA1), correction(BETA2));
        self.value
            .par_chunks_mut(SEGMENT * dim)
            .zip(self.first.par_chunks_mut(SEGMENT * dim))
            .zip(self.second.par_chunks_mut(SEGMENT * heads))
            .enumerate()
            .for_each(|(segment, ((value, first), second))| {
                let mut gradient = vec![0.0f32; dim];
                for (row, uses) in by_part.segment(segment * SEGMENT, SEGMENT) {
                    gradient.fill(0.0);
                    for &(place, weight) in uses {
                        let place = place as usize;
                        add(
                            &mut gradient,
                            &by_token[place * dim..(place + 1) * dim],
                            weight,
                        );
                    }
                    let at = row - segment * SEGMENT;
                    let value = &mut value[at * dim..(at + 1) * dim];
                    let first = &mut first[at * dim..(at + 1) * dim];
                    let second = &mut second[at * heads..(at + 1) * heads];
                    for (head, second) in second.iter_mut().enumerate() {
                        let columns = head * width..(head + 1) * width;
                        let gradient = &gradient[columns.clone()];
                        let square = gradient.iter().map(|g| g * g).sum::<f32>() / width as f32;
                        *second = BETA2 * *second + (1.0 - BETA2) * square;
                        let step = update.rate / (c1 * ((*second / c2).sqrt() + EPSILON));
                        let value = &mut value[columns.clone()];
                        for ((x, m), &g) in value.iter_mut().zip(&mut first[columns]).zip(gradient)
                        {
                            *m = BETA1 * *m + (1.0 - BETA1) * g;
                            *x -= step * *m;
                        }
                    }
                    if let Some((target, strength)) = update.pull {
                        let target = &target[row * dim..(row + 1) * dim];
                        for (x, &t) in value.iter_mut().zip(target) {
                            *x -= update.rate * strength * (*x - t);
                        }
                    }
                }
            });
    }
}

/// Sums of the gathered vectors over each text, `[B, d]`.
pub(crate) fn sum_texts(side: &Side, o: &Occurrences, gathered: &[f32], dim: usize) -> Array2<f32> {
    let mut out = vec![0.0f32; side.len() * dim];
    out.par_chunks_mut(dim)
        .enumerate()
        .with_min_len(16)
        .for_each(|(text, sum)| {
            for &id in side.text(text) {
                let place = o.place[id as usize] as usize;
                add(sum, &gathered[place * dim..(place + 1) * dim], 1.0);
            }
        });
    Array2::from_shape_vec((side.len(), dim), out).unwrap_or_default()
}

#[inline(always)]
fn add(sum: &mut [f32], row: &[f32], weight: f32) {
    for (s, &x) in sum.iter_mut().zip(row) {
        *s += weight * x;
    }
}
