//! Fisher's randomisation test.

use super::CHUNK;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Randomisation {
    /// Two-sided p.
    pub p: f64,
    /// How many assignments of signs were looked at.
    pub permutations: u64,
    /// True where those were all there are.
    pub exact: bool,
}

/// Were the labels of the two runs drawn by coin for each query, how often would the mean difference
/// be as far from 0 as it is? (Fisher, The Design of Experiments, 1935; for retrieval, Smucker, Allan
/// and Carterette, CIKM 2007.) All assignments where there are no more than `permutations`, else so
/// many at random with p = (as far + 1) / (permutations + 1), which never understates (Phipson and
/// Smyth, 2010). Equal seeds give equal p.
pub fn randomisation_test(differences: &[f64], permutations: u64, seed: u64) -> Randomisation {
    // A query without a difference has no sign to draw.
    let d: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let observed = d.iter().fold(0.0, |a, d| a + d).abs();
    // Sums in another order differ by rounding: as far means within it.
    let scale = d.iter().fold(0.0, |a, d| a + d.abs());
    let bound = observed - 1e-12 * scale;
    let all = u32::try_from(d.len())
        .ok()
        .and_then(|n| 1_u64.checked_shl(n))
        .filter(|all| *all <= permutations.max(1) && d.len() < 63);
    if let Some(all) = all {
        let far = (0..all)
            .into_par_iter()
            .filter(|signs| {
                let sum = (d.iter().enumerate()).fold(0.0, |a, (i, d)| {
                    if signs >> i & 1 == 1 { a + d } else { a - d }
                });
                sum.abs() >= bound
            })
            .count();
        return Randomisation {
            p: far as f64 / all as f64,
            permutations: all,
            exact: true,
        };
    }
    let many = permutations as usize;
    let far: usize = (0..many.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(chunk as u64);
            (0..CHUNK.min(many - chunk * CHUNK))
                .filter(|_| far_off(&d, bound, &mut rng))
                .count()
        })
        .sum();
    Randomisation {
        p: (far + 1) as f64 / (many + 1) as f64,
        permutations,
        exact: false,
    }
}

/// Draws signs once.
fn far_off(d: &[f64], bound: f64, rng: &mut ChaCha8Rng) -> bool {
    let mut sum = 0.0;
    for part in d.chunks(64) {
        let mut signs = rng.next_u64();
        for x in part {
            // The sign bit of the difference, flipped by the coin.
            sum += f64::from_bits(x.to_bits() ^ (signs << 63));
            signs >>= 1;
        }
    }
    sum.abs() >= bound
}
