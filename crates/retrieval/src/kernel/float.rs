//! Dot products that give the same bits on every machine.

/// Lanes that are summed apart, so that a compiler may use vectors of any width up to this.
const LANES: usize = 16;

/// The inner product of two equally long vectors.
///
/// The order of additions is fixed (16 lanes, then pairwise) and no fused multiply-add is used,
/// so the result does not depend on the width of the machine's vectors.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just detected.
            return unsafe { dot_avx2(a, b) };
        }
    }
    dot_lanes(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
    dot_lanes(a, b)
}

/// Products computed together: each alone would wait for its own last addition.
const TOGETHER: usize = 4;

/// Pairs of equally long vectors.
type Pairs<'a> = [(&'a [f32], &'a [f32]); TOGETHER];

/// The inner products of every one of `rows`, of `dim` values each, with every asked vector, row by
/// row; each has the bits that [`dot`] gives it. `out` is written over.
pub(crate) fn products<V: AsRef<[f32]>>(asked: &[V], rows: &[f32], dim: usize, out: &mut Vec<f32>) {
    out.clear();
    let total = rows.len() / dim.max(1) * asked.len();
    let pair = |at: usize| {
        let (row, i) = (at / asked.len(), at % asked.len());
        (asked[i].as_ref(), &rows[row * dim..(row + 1) * dim])
    };
    for from in (0..total).step_by(TOGETHER) {
        // The last may stand several times.
        let pairs: Pairs<'_> = std::array::from_fn(|n| pair((from + n).min(total - 1)));
        out.extend(dots(&pairs).into_iter().take(total - from));
    }
}

/// The inner products of some pairs, each with the bits that [`dot`] gives it.
fn dots(pairs: &Pairs<'_>) -> [f32; TOGETHER] {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature was just detected.
            return unsafe { dots_avx512(pairs) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: likewise.
            return unsafe { dots_avx2(pairs) };
        }
    }
    dots_lanes(pairs)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dots_avx2(pairs: &Pairs<'_>) -> [f32; TOGETHER] {
    dots_lanes(pairs)
}

/// One register has all the lanes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn dots_avx512(pairs: &Pairs<'_>) -> [f32; TOGETHER] {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    let chunks = pairs.map(|(a, b)| (a.as_chunks::<LANES>(), b.as_chunks::<LANES>()));
    let whole = chunks.map(|((a, _), (b, _))| a.len().min(b.len()));
    let same = whole.iter().copied().min().unwrap_or(0);
    let mut sums = [_mm512_setzero_ps(); TOGETHER];
    for i in 0..same {
        for (sum, ((a, _), (b, _))) in sums.iter_mut().zip(&chunks) {
            // SAFETY: `i` is below the number of chunks of each, and a chunk has 16 floats.
            let (x, y) = unsafe {
                (
                    _mm512_loadu_ps(a.get_unchecked(i).as_ptr()),
                    _mm512_loadu_ps(b.get_unchecked(i).as_ptr()),
                )
            };
            *sum = _mm512_add_ps(*sum, _mm512_mul_ps(x, y));
        }
    }
    let mut out = [0.0; TOGETHER];
    for (n, ((a, a_rest), (b, b_rest))) in chunks.into_iter().enumerate() {
        let mut lanes = [0f32; LANES];
        // SAFETY: the array has 16 floats.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), sums[n]) };
        out[n] = finish(lanes, &a[same..], &b[same..], a_rest, b_rest);
    }
    out
}

#[inline(always)]
fn dots_lanes(pairs: &Pairs<'_>) -> [f32; TOGETHER] {
    let chunks = pairs.map(|(a, b)| (a.as_chunks::<LANES>(), b.as_chunks::<LANES>()));
    let whole = chunks.map(|((a, _), (b, _))| a.len().min(b.len()));
    let same = whole.iter().copied().min().unwrap_or(0);
    let mut lanes = [[0f32; LANES]; TOGETHER];
    for i in 0..same {
        for (lanes, ((a, _), (b, _))) in lanes.iter_mut().zip(&chunks) {
            add(lanes, &a[i], &b[i]);
        }
    }
    let mut out = [0.0; TOGETHER];
    for (n, ((a, a_rest), (b, b_rest))) in chunks.into_iter().enumerate() {
        out[n] = finish(lanes[n], &a[same..], &b[same..], a_rest, b_rest);
    }
    out
}

#[inline(always)]
fn dot_lanes(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    finish([0.0; LANES], a, b, a_rest, b_rest)
}

#[inline(always)]
fn add(lanes: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    for i in 0..LANES {
        lanes[i] += a[i] * b[i];
    }
}

/// Adds the chunks that are left, then all up.
#[inline(always)]
fn finish(
    mut lanes: [f32; LANES],
    a: &[[f32; LANES]],
    b: &[[f32; LANES]],
    a_rest: &[f32],
    b_rest: &[f32],
) -> f32 {
    for (x, y) in a.iter().zip(b) {
        add(&mut lanes, x, y);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0] + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_bits_with_and_without_vectors() {
        let mut x = 0x2545_f491_u32;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            (x as f32 / u32::MAX as f32) - 0.5
        };
        for len in [0, 1, 7, 15, 16, 17, 64, 250, 256] {
            let a: Vec<f32> = (0..len).map(|_| next()).collect();
            let b: Vec<f32> = (0..len).map(|_| next()).collect();
            assert_eq!(dot(&a, &b).to_bits(), dot_lanes(&a, &b).to_bits());
            // Together, beside others of other lengths, too.
            let short = &a[..len / 2];
            let pairs = [(&a[..], &b[..]), (short, short), (&b, &b), (&[], &[])];
            for found in [dots(&pairs), dots_lanes(&pairs)] {
                let alone = pairs.map(|(a, b)| dot_lanes(a, b).to_bits());
                assert_eq!(found.map(f32::to_bits), alone);
            }
            let exact: f64 = a
                .iter()
                .zip(&b)
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum();
            assert!((f64::from(dot(&a, &b)) - exact).abs() < 1e-5);
        }
    }
}
