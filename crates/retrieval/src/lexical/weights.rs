//! BM25's two factors.

/// Term-frequency saturation; .9 and .4 are Anserini's defaults, fit for short passages.
pub(super) const K1: f64 = 0.9;
/// Length normalisation of passages.
const B: f64 = 0.4;
/// Length normalisation of whole records, whose lengths differ by far more.
const B_RECORD: f64 = 0.7;

/// What up to so many mentions count is looked up …
const TIMES: usize = 3;
/// … in passages shorter than this.
const LENGTHS: usize = 512;

/// How telling a term is that `df` of `n` hold.
pub(super) fn idf(n: f64, df: f64) -> f64 {
    (1.0 + (n - df + 0.5) / (df + 0.5)).ln()
}

/// How much the length of a text takes from what is said in it.
fn norm(b: f64, length: u32, mean: f64) -> f64 {
    K1 * (1.0 - b + b * f64::from(length) / mean)
}

/// What `tf` mentions count, at most K1 + 1.
#[inline(always)]
fn saturation(tf: u32, norm: f64) -> f64 {
    let tf = f64::from(tf);
    tf * (K1 + 1.0) / (tf + norm)
}

/// What mentions in a passage count; the usual ones from a table, which holds the very same
/// numbers.
pub(super) struct Saturation {
    table: Vec<f64>,
    mean: f64,
}

impl Saturation {
    pub(super) fn new(mean: f64) -> Self {
        let times = (1..=TIMES as u32)
            .flat_map(|tf| (0..LENGTHS as u32).map(move |l| saturation(tf, norm(B, l, mean))));
        Self {
            table: times.collect(),
            mean,
        }
    }

    #[inline(always)]
    pub(super) fn of(&self, tf: u32, length: u32) -> f64 {
        let (t, l) = (tf.wrapping_sub(1) as usize, length as usize);
        if t < TIMES && l < LENGTHS {
            self.table[t * LENGTHS + l]
        } else {
            saturation(tf, norm(B, length, self.mean))
        }
    }
}

/// What mentions in a record count; what the usual lengths take from a table.
pub(super) struct Norms {
    table: Vec<f64>,
    mean: f64,
}

impl Norms {
    pub(super) fn new(mean: f64) -> Self {
        let lengths = 0..4 * LENGTHS as u32;
        Self {
            table: lengths.map(|l| norm(B_RECORD, l, mean)).collect(),
            mean,
        }
    }

    #[inline(always)]
    pub(super) fn of(&self, tf: u32, length: u32) -> f64 {
        let norm = match self.table.get(length as usize) {
            Some(norm) => *norm,
            None => norm(B_RECORD, length, self.mean),
        };
        saturation(tf, norm)
    }
}
