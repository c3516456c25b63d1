//! Clustered vectors that lie as embedded texts do: 120 topics, 2,000 clusters with a decaying
//! spectrum, and within each a low-dimensional spread of its own.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const DIM: usize = 256;
const TOPICS: usize = 120;
const CLUSTERS: usize = 2_000;
const INNER: usize = 64;

/// Normally distributed numbers (Box and Muller 1958).
struct Gauss {
    rng: ChaCha8Rng,
    spare: Option<f32>,
}

impl Gauss {
    fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            spare: None,
        }
    }

    fn next(&mut self) -> f32 {
        if let Some(x) = self.spare.take() {
            return x;
        }
        let u: f64 = 1.0 - self.rng.random_range(0.0..1.0);
        let v: f64 = self.rng.random_range(0.0..1.0);
        let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
        let r = (-2.0 * u.ln()).sqrt();
        self.spare = Some((r * sin) as f32);
        (r * cos) as f32
    }
}

/// n^-power, at length one.
fn spectrum(n: usize, power: f64) -> Vec<f32> {
    let s: Vec<f64> = (1..=n).map(|i| (i as f64).powf(-power)).collect();
    let norm = s.iter().map(|x| x * x).sum::<f64>().sqrt();
    s.iter().map(|x| (x / norm) as f32).collect()
}

fn unit(v: &mut [f32]) {
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
}

/// A random rotation: Gram–Schmidt over normally distributed rows.
fn rotation(g: &mut Gauss) -> Vec<f32> {
    let mut q: Vec<f32> = Vec::with_capacity(DIM * DIM);
    for _ in 0..DIM {
        let mut v: Vec<f32> = (0..DIM).map(|_| g.next()).collect();
        for row in q.chunks_exact(DIM) {
            let along: f32 = v.iter().zip(row).map(|(a, b)| a * b).sum();
            v.iter_mut().zip(row).for_each(|(a, b)| *a -= along * b);
        }
        unit(&mut v);
        q.extend(v);
    }
    q
}

/// Adds `factor · x · rows` to `out`.
fn add(x: &[f32], rows: &[f32], factor: f32, out: &mut [f32]) {
    for (a, row) in x.iter().zip(rows.chunks_exact(DIM)) {
        let a = a * factor;
        out.iter_mut().zip(row).for_each(|(o, b)| *o += a * b);
    }
}

/// The clusters, always the same.
pub(crate) struct Mixture {
    centres: Vec<f32>,
    bases: Vec<f32>,
    scales: Vec<f32>,
    cumulative: Vec<f64>,
}

impl Mixture {
    pub(crate) fn new() -> Self {
        let mut g = Gauss::new(1234);
        let rotation = rotation(&mut g);
        let shape = spectrum(DIM, 0.45);
        let shaped = |g: &mut Gauss| {
            let x: Vec<f32> = shape.iter().map(|s| s * g.next()).collect();
            let mut out = vec![0f32; DIM];
            add(&x, &rotation, 1.0, &mut out);
            out
        };
        let topics: Vec<Vec<f32>> = (0..TOPICS).map(|_| shaped(&mut g)).collect();
        let mut centres = Vec::with_capacity(CLUSTERS * DIM);
        for _ in 0..CLUSTERS {
            let topic = &topics[g.rng.random_range(0..TOPICS)];
            let own = shaped(&mut g);
            centres.extend((0..DIM).map(|i| 0.30 * rotation[i] + 0.62 * topic[i] + 0.55 * own[i]));
        }
        let inner = spectrum(INNER, 0.3);
        let mut bases = Vec::with_capacity(CLUSTERS * INNER * DIM);
        for _ in 0..CLUSTERS {
            for s in &inner {
                bases.extend(shaped(&mut g).into_iter().map(|x| x * s));
            }
        }
        let scales = (0..CLUSTERS)
            .map(|_| 0.55 + 0.45 * g.rng.random_range(0f32..1.0))
            .collect();
        let weights: Vec<f64> = (0..CLUSTERS)
            .map(|_| (0.8 * f64::from(g.next())).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        let cumulative = weights
            .iter()
            .scan(0.0, |sum, w| {
                *sum += w / total;
                Some(*sum)
            })
            .collect();
        Self {
            centres,
            bases,
            scales,
            cumulative,
        }
    }

    /// So many vectors, row by row.
    pub(crate) fn sample(&self, n: usize, seed: u64) -> Vec<f32> {
        let mut g = Gauss::new(seed);
        let mut out = vec![0f32; n * DIM];
        for row in out.chunks_exact_mut(DIM) {
            let u: f64 = g.rng.random_range(0.0..1.0);
            let c = self
                .cumulative
                .partition_point(|x| *x < u)
                .min(CLUSTERS - 1);
            row.copy_from_slice(&self.centres[c * DIM..(c + 1) * DIM]);
            let z: Vec<f32> = (0..INNER).map(|_| g.next()).collect();
            let basis = &self.bases[c * INNER * DIM..(c + 1) * INNER * DIM];
            add(&z, basis, self.scales[c], row);
            row.iter_mut().for_each(|x| *x += 0.03 * g.next());
            unit(row);
        }
        out
    }
}

/// So many directions without any order, row by row.
pub(crate) fn isotropic(n: usize, seed: u64) -> Vec<f32> {
    let mut g = Gauss::new(seed);
    let mut out: Vec<f32> = (0..n * DIM).map(|_| g.next()).collect();
    out.chunks_exact_mut(DIM).for_each(unit);
    out
}
