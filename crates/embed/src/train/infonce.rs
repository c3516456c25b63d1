//! The loss: symmetric InfoNCE over the batch (van den Oord et al. 2018; the symmetric form of
//! Radford et al. 2021), with its gradient.

use ndarray::{Array1, Array2, ArrayView1, ArrayViewMut1, Axis, Zip};
use rayon::prelude::*;

/// Rows summed by one task: fixed, so that the order of additions is too.
const BLOCK: usize = 64;

/// The loss of a batch and its gradient by the vectors before normalisation.
#[derive(Debug)]
pub(crate) struct Gradient {
    /// Mean over the pairs, nats.
    pub(crate) loss: f32,
    /// `[B, d]`
    pub(crate) queries: Array2<f32>,
    /// `[B, d]`
    pub(crate) passages: Array2<f32>,
}

/// Computes loss and gradient for aligned, unnormalised vectors `[B, d]`. `same(i, j)` says that
/// pair j is no negative of pair i.
pub(crate) fn info_nce(
    mut queries: Array2<f32>,
    mut passages: Array2<f32>,
    temperature: f32,
    same: Option<&(dyn Fn(usize, usize) -> bool + Sync)>,
) -> Gradient {
    let b = queries.nrows();
    let query_norms = normalise_rows(&mut queries);
    let passage_norms = normalise_rows(&mut passages);
    let (u, v) = (queries, passages);

    // exp((cos - 1) / t) is at most 1: no maximum has to be taken out first.
    let mut e = u.dot(&v.t());
    let scale = 1.0 / temperature;
    let blocks: Vec<(Array1<f32>, f64)> = e
        .axis_chunks_iter_mut(Axis(0), BLOCK)
        .into_par_iter()
        .enumerate()
        .map(|(block, mut rows)| {
            let mut columns = Array1::<f32>::zeros(b);
            let mut diagonal = 0.0f64;
            for (r, mut row) in rows.rows_mut().into_iter().enumerate() {
                let i = block * BLOCK + r;
                diagonal += f64::from((row[i] - 1.0) * scale);
                row.mapv_inplace(|s| exp((s - 1.0) * scale));
                if let Some(same) = same {
                    for j in (0..b).filter(|&j| j != i && same(i, j)) {
                        row[j] = 0.0;
                    }
                }
                columns += &row;
            }
            (columns, diagonal)
        })
        .collect();
    let mut columns = Array1::<f32>::zeros(b);
    let mut diagonal = 0.0;
    for (part, d) in &blocks {
        columns += part;
        diagonal += d;
    }
    let row_sums: Vec<f32> = e
        .axis_iter(Axis(0))
        .into_par_iter()
        .map(|row| row.sum())
        .collect();
    let logs =
        |sums: &mut dyn Iterator<Item = f32>| -> f64 { sums.map(|s| f64::from(s.ln())).sum() };
    let loss = (0.5 * (logs(&mut row_sums.iter().copied()) + logs(&mut columns.iter().copied()))
        - diagonal)
        / b as f64;

    // dL/dS = (P + Q - 2I) / 2, over B and t.
    let factor = 1.0 / (b as f32 * temperature);
    let inverse_columns = columns.mapv(|c| 1.0 / c);
    e.axis_iter_mut(Axis(0))
        .into_par_iter()
        .enumerate()
        .for_each(|(i, mut row)| {
            let inverse_row = 1.0 / row_sums[i];
            Zip::from(&mut row)
                .and(&inverse_columns)
                .for_each(|x, &c| *x *= 0.5 * factor * (inverse_row + c));
            row[i] -= factor;
        });
    let mut gu = e.dot(&v);
    let mut gv = e.t().dot(&u);
    through_norm(&mut gu, &u, &query_norms);
    through_norm(&mut gv, &v, &passage_norms);
    Gradient {
        loss: loss as f32,
        queries: gu,
        passages: gv,
    }
}

/// Scales rows to unit length; returns their lengths.
fn normalise_rows(rows: &mut Array2<f32>) -> Vec<f32> {
    rows.axis_iter_mut(Axis(0))
        .into_par_iter()
        .map(|mut row| {
            let norm = dot(row.view(), row.view()).sqrt() + 1e-9;
            row.mapv_inplace(|x| x / norm);
            norm
        })
        .collect()
}

/// From the gradient by unit rows to the gradient by the rows before normalisation.
fn through_norm(gradient: &mut Array2<f32>, unit: &Array2<f32>, norms: &[f32]) {
    gradient
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .enumerate()
        .for_each(|(i, mut g): (usize, ArrayViewMut1<'_, f32>)| {
            let along = dot(g.view(), unit.row(i));
            let inverse = 1.0 / norms[i];
            Zip::from(&mut g)
                .and(unit.row(i))
                .for_each(|g, &u| *g = (*g - along * u) * inverse);
        });
}

fn dot(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f32 {
    a.dot(&b)
}

/// e^x for x at most 0 (and not far above) to some 2e-7 relative, in plain arithmetic that compiles to vector code:
/// 2^n from the exponent bits, 2^f by a polynomial (Cephes' expf).
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.max(-87.0);
    let n = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4f32;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p * r + c;
    }
    let y = p * r * r + r + 1.0;
    y * f32::from_bits((((n as i32) + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::rng::Rng;

    fn random(rows: usize, dim: usize, seed: u64) -> Array2<f32> {
        let mut rng = Rng::new(&[seed]);
        Array2::from_shape_simple_fn((rows, dim), || rng.normal())
    }

    #[test]
    fn exp_is_exp() {
        for i in 0..4_000 {
            let x = -i as f32 * 0.01;
            let (a, b) = (exp(x), x.exp());
            assert!((a - b).abs() <= 3e-7 * b + 1e-37, "{x}: {a} {b}");
        }
    }

    /// The loss as it is written in the paper, in f64.
    fn loss(u: &Array2<f64>, v: &Array2<f64>, t: f64) -> f64 {
        let unit = |m: &Array2<f64>| {
            let mut m = m.clone();
            for mut r in m.rows_mut() {
                let n = r.dot(&r).sqrt();
                r.mapv_inplace(|x| x / n);
            }
            m
        };
        let s = unit(u).dot(&unit(v).t()) / t;
        let b = u.nrows();
        let cross = |row: ArrayView1<'_, f64>, i: usize| {
            row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[i]
        };
        (0..b)
            .map(|i| 0.5 * (cross(s.row(i), i) + cross(s.column(i), i)))
            .sum::<f64>()
            / b as f64
    }

    #[test]
    fn gradient_is_the_slope_of_the_loss() {
        let (b, d, t) = (9, 12, 0.1);
        let (u, v) = (random(b, d, 1), random(b, d, 2));
        let g = info_nce(u.clone(), v.clone(), t, None);
        let (u, v) = (u.mapv(f64::from), v.mapv(f64::from));
        let expected = loss(&u, &v, f64::from(t));
        assert!(
            (f64::from(g.loss) - expected).abs() < 1e-4,
            "{} {expected}",
            g.loss
        );
        let h = 1e-5;
        for (i, k) in [(0, 0), (3, 7), (8, 11), (5, 2)] {
            let slope = |side: usize| {
                let at = |x: f64| {
                    let (mut u, mut v) = (u.clone(), v.clone());
                    if side == 0 {
                        u[[i, k]] += x
                    } else {
                        v[[i, k]] += x
                    }
                    loss(&u, &v, f64::from(t))
                };
                (at(h) - at(-h)) / (2.0 * h)
            };
            for (side, got) in [(0, g.queries[[i, k]]), (1, g.passages[[i, k]])] {
                let want = slope(side);
                assert!(
                    (f64::from(got) - want).abs() < 1e-4 * (1.0 + want.abs()),
                    "{side} {i} {k}: {got} {want}"
                );
            }
        }
    }

    #[test]
    fn excluded_pairs_are_no_negatives() {
        let (u, v) = (random(6, 8, 3), random(6, 8, 4));
        let none = info_nce(u.clone(), v.clone(), 0.1, Some(&|_, _| true));
        assert!(none.loss.abs() < 1e-5, "{}", none.loss);
        assert!(none.queries.iter().all(|x| x.abs() < 1e-5));
    }
}
