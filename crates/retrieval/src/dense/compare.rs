//! The exact scores of records: every asking passage with every passage of theirs.

use super::{parts::Dense, segment::mean};
use crate::{
    index::DenseParts,
    kernel::{dot, products},
    slots::{Held, Slot, Slots},
};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

impl Dense {
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
            .map_init(Scratch::default, |scratch, &slot| match slots.get(slot) {
                Some(held) => {
                    let vectors = self.vectors(held.place);
                    parts(&asked, asked_norm, held, vectors, scratch)
                }
                None => DenseParts::default(),
            })
            .collect()
    }
}

impl Dense {
    /// Cosines of the mean vectors of records, each with each.
    pub(crate) fn alike(&self, slots: &Slots, records: &[Option<Slot>]) -> Array2<f32> {
        let n = records.len();
        let means: Vec<Vec<f32>> = records
            .iter()
            .map(|slot| match slot.and_then(|s| slots.get(s)) {
                Some(held) => mean(self.vectors(held.place), self.dim()),
                None => vec![0.0; self.dim()],
            })
            .collect();
        let rows = means.concat();
        let mut all = Array2::zeros((n, n));
        let mut found = Vec::new();
        // A block of records with those from there on; cosines are symmetric, so the rest is known.
        for from in (0..n).step_by(ALIKE_AT_ONCE) {
            let some = &means[from..n.min(from + ALIKE_AT_ONCE)];
            products(some, &rows[from * self.dim()..], self.dim(), &mut found);
            for (j, row) in found.chunks_exact(some.len()).enumerate() {
                for (i, cosine) in row.iter().enumerate() {
                    let (i, j, cosine) = (from + i, from + j, cosine.clamp(-1.0, 1.0));
                    all[[i, j]] = cosine;
                    all[[j, i]] = cosine;
                }
            }
        }
        all
    }
}

/// So many records are compared together with all that follow.
const ALIKE_AT_ONCE: usize = 8;

/// What comparing writes on.
#[derive(Default)]
struct Scratch {
    /// Of every row with every asking passage, row by row.
    products: Vec<f32>,
    /// The best passage's cosine for each asking passage.
    near: Vec<f64>,
}

fn parts(
    asked: &[Vec<f32>],
    asked_norm: f32,
    held: &Held,
    vectors: &[f32],
    scratch: &mut Scratch,
) -> DenseParts {
    let dim = asked.first().map_or(0, Vec::len);
    if dim == 0 || vectors.is_empty() {
        return DenseParts::default();
    }
    let Scratch {
        products: all,
        near,
    } = scratch;
    products(asked, vectors, dim, all);
    near.clear();
    near.resize(asked.len(), f64::NEG_INFINITY);
    let mut parts = DenseParts {
        best: f64::NEG_INFINITY,
        ..DenseParts::default()
    };
    let mut three = [f64::NEG_INFINITY; 3];
    let mut sum = 0f64;
    for (j, row) in all.chunks_exact(asked.len()).enumerate() {
        let mut nearest = f64::NEG_INFINITY;
        for (i, s) in row.iter().enumerate() {
            let s = f64::from(*s);
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
    let rows = held.passages as usize;
    let count = rows.min(three.len());
    parts.three = three[..count].iter().sum::<f64>() / count as f64;
    parts.coverage = near.iter().sum::<f64>() / asked.len() as f64;
    let norms = f64::from(asked_norm) * f64::from(held.mean_norm);
    if norms > 0.0 {
        let pairs = (asked.len() * rows) as f64;
        parts.profile = (sum / pairs / norms).clamp(-1.0, 1.0);
    }
    parts
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
