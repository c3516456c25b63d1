//! Exact search over vectors: every passage of every admitted record is compared.

use crate::{
    index::DenseParts,
    kernel::dot,
    slots::{Held, Slot, Slots},
};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

/// Vectors of all passages, row by row; rows of replaced records are dead until compaction.
#[derive(Debug)]
pub(crate) struct Matrix {
    dim: usize,
    data: Vec<f32>,
    dead_rows: usize,
}

impl Matrix {
    pub(crate) fn new(dim: usize) -> Self {
        Self {
            dim,
            data: Vec::new(),
            dead_rows: 0,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.data.len() / self.dim.max(1)
    }

    /// Rows that belong to a record.
    pub(crate) fn live_rows(&self) -> usize {
        self.rows() - self.dead_rows
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// Appends rows and returns their place and the length of their mean.
    pub(crate) fn push(&mut self, vectors: ArrayView2<'_, f32>) -> (std::ops::Range<usize>, f32) {
        let start = self.rows();
        for row in vectors.rows() {
            self.data.extend(row.iter());
        }
        (start..start + vectors.nrows(), mean_norm(vectors))
    }

    /// Marks a record's rows dead.
    pub(crate) fn forget(&mut self, held: &Held) {
        self.dead_rows += held.rows.len();
    }

    /// Drops dead rows when they are the greater part.
    pub(crate) fn compact(&mut self, slots: &mut Slots) {
        if self.dead_rows <= 1024 || self.dead_rows * 2 <= self.rows() {
            return;
        }
        let mut data = Vec::with_capacity(self.live_rows() * self.dim);
        for held in slots.iter_mut() {
            let start = data.len() / self.dim;
            let from = held.rows.start * self.dim..held.rows.end * self.dim;
            data.extend_from_slice(&self.data[from]);
            held.rows = start..start + held.rows.len();
        }
        self.data = data;
        self.dead_rows = 0;
    }

    /// Compares the question with every record at `admitted` and returns the parts, in the
    /// order of `admitted`.
    pub(crate) fn compare(
        &self,
        question: ArrayView2<'_, f32>,
        slots: &Slots,
        admitted: &[Slot],
    ) -> Vec<DenseParts> {
        let asked: Vec<Vec<f32>> = question.rows().into_iter().map(|r| r.to_vec()).collect();
        let asked_norm = mean_norm(question);
        admitted
            .par_iter()
            .with_min_len(256)
            .map_init(Vec::new, |near, &slot| match slots.get(slot) {
                Some(held) => self.parts(&asked, asked_norm, held, near),
                None => DenseParts::default(),
            })
            .collect()
    }

    /// `near` is scratch: the best passage's cosine for each asking passage.
    fn parts(
        &self,
        asked: &[Vec<f32>],
        asked_norm: f32,
        held: &Held,
        near: &mut Vec<f64>,
    ) -> DenseParts {
        if asked.is_empty() || held.rows.is_empty() {
            return DenseParts::default();
        }
        near.clear();
        near.resize(asked.len(), f64::NEG_INFINITY);
        let mut parts = DenseParts {
            best: f64::NEG_INFINITY,
            ..DenseParts::default()
        };
        let mut three = [f64::NEG_INFINITY; 3];
        let mut sum = 0f64;
        for (j, row) in held.rows.clone().enumerate() {
            let row = self.row(row);
            let mut nearest = f64::NEG_INFINITY;
            for (i, q) in asked.iter().enumerate() {
                let s = f64::from(dot(q, row));
                sum += s;
                near[i] = near[i].max(s);
                nearest = nearest.max(s);
                // Of equally near pairs the first asking passage counts, then the first of the record.
                if s > parts.best || (s == parts.best && i < parts.asked) {
                    (parts.best, parts.passage, parts.asked) = (s, j, i);
                }
            }
            keep_three(&mut three, nearest);
        }
        let count = held.rows.len().min(three.len());
        parts.three = three[..count].iter().sum::<f64>() / count as f64;
        parts.coverage = near.iter().sum::<f64>() / asked.len() as f64;
        let norms = f64::from(asked_norm) * f64::from(held.mean_norm);
        if norms > 0.0 {
            let pairs = (asked.len() * held.rows.len()) as f64;
            parts.profile = (sum / pairs / norms).clamp(-1.0, 1.0);
        }
        parts
    }
}

/// Puts a value among the three greatest, which stand in falling order.
fn keep_three(three: &mut [f64; 3], value: f64) {
    let place = three.iter().position(|t| value > *t);
    if let Some(at) = place {
        three[at..].rotate_right(1);
        three[at] = value;
    }
}

/// Length of the mean of the rows.
pub(crate) fn mean_norm(rows: ArrayView2<'_, f32>) -> f32 {
    match rows.mean_axis(Axis(0)) {
        Some(mean) => {
            let mean = mean.to_vec();
            dot(&mean, &mean).sqrt()
        }
        None => 0.0,
    }
}
