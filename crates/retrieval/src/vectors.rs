//! Vectors alone, without records: a sealed segment as the dense side of an index uses it, to be
//! measured beside other vector engines.

use crate::{
    dense::{Admission, Ask, BuildError, Everyone, Found, GraphOptions, Rows, Segment, Side},
    index::IndexError,
    kernel::Isa,
};
use std::sync::atomic::AtomicBool;

/// Candidates compared exactly for each answer wanted, and some more.
const EXACT: usize = 2;

/// Up to so many answers, those compared are kept in order, to stop early; of more all are compared.
const FEW: usize = 200;

/// Vectors asked for ahead of their comparison.
const AHEAD: usize = 4;

/// Vectors with a graph over them, each an answer of its own.
#[derive(Debug)]
pub struct VectorIndex {
    segment: Segment,
    isa: Isa,
}

/// Vectors that may be answers.
#[derive(Debug, Clone)]
pub struct Selection {
    bits: Vec<u64>,
    chosen: Vec<u32>,
}

impl Selection {
    /// The vectors whose number is `true`.
    pub fn new(chosen: &[bool]) -> Self {
        let mut bits = vec![0u64; chosen.len().div_ceil(64)];
        let numbers = chosen.iter().enumerate().filter(|(_, c)| **c);
        let chosen: Vec<u32> = numbers.map(|(i, _)| i as u32).collect();
        for i in &chosen {
            bits[*i as usize >> 6] |= 1 << (i & 63);
        }
        Self { bits, chosen }
    }
}

impl Admission for &Selection {
    fn admits(&self, record: u32) -> bool {
        let word = self.bits.get(record as usize >> 6);
        word.is_some_and(|w| w >> (record & 63) & 1 == 1)
    }
}

impl VectorIndex {
    /// Builds an index over `vectors`, `[n, dim]` row by row, each of length one, in so many
    /// threads.
    ///
    /// # Errors
    /// The graph cannot be built, or there is no memory for it.
    pub fn build(
        dim: usize,
        vectors: Vec<f32>,
        options: &GraphOptions,
        threads: usize,
        isa: Isa,
    ) -> Result<Self, IndexError> {
        let failed = |e: BuildError| IndexError::Query(format!("no graph: {e}"));
        let starts = (0..=(vectors.len() / dim.max(1)) as u32).collect();
        let rows = Rows::owned(vectors.len(), vectors.into_iter());
        let rows = rows.map_err(|e| failed(e.into()))?;
        let mut segment = Segment::code(dim, rows, starts).map_err(failed)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build()
            .map_err(|e| IndexError::Query(format!("no threads: {e}")))?;
        let never = AtomicBool::new(false);
        pool.install(|| segment.connect(options, isa, &never))
            .map_err(failed)?;
        Ok(Self { segment, isa })
    }

    /// The `k` nearest of all or of the chosen, nearest first, with their exact inner products.
    /// `ef` is the width of the search, through the graph, through lists or of all; it is at least `k`.
    pub fn search(
        &self,
        vector: &[f32],
        k: usize,
        ef: usize,
        chosen: Option<&Selection>,
    ) -> Vec<(u32, f32)> {
        let compared = k.saturating_mul(EXACT).saturating_add(20).min(ef.max(k));
        let ask = Ask {
            vector,
            side: Side::Passages,
            wanted: compared,
            ef,
            isa: self.isa,
        };
        let found = match chosen {
            None => {
                let records = self.segment.records();
                let all = || (0..records as u32).collect::<Vec<_>>().into();
                self.segment.nearest(&ask, &Everyone, true, records, all)
            }
            Some(s) => {
                let chosen = || s.chosen.as_slice().into();
                self.segment
                    .nearest(&ask, &s, false, s.chosen.len(), chosen)
            }
        };
        self.nearest_of(&found, vector, k)
    }

    /// The `k` nearest of what was found, which stands in order of approximate products, by their
    /// exact ones. The rest is left where not even the greatest error seen so far would bring the
    /// next among the nearest.
    fn nearest_of(&self, found: &[Found], vector: &[f32], k: usize) -> Vec<(u32, f32)> {
        let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if k > FEW {
            let exact = found.iter().map(|f| (f.1, self.segment.exact(vector, f.1)));
            let mut out: Vec<(u32, f32)> = exact.collect();
            out.sort_unstable_by(order);
            out.truncate(k);
            return out;
        }
        let mut out: Vec<(u32, f32)> = Vec::with_capacity(k + 1);
        let mut error = f32::NEG_INFINITY;
        for (_, record) in found.iter().take(AHEAD) {
            self.segment.prefetch(*record);
        }
        for (i, &(approximate, record)) in found.iter().enumerate() {
            if out.len() == k && out.last().is_some_and(|o| approximate + error < o.1) {
                break;
            }
            if let Some(&(_, next)) = found.get(i + AHEAD) {
                self.segment.prefetch(next);
            }
            let exact = self.segment.exact(vector, record);
            error = error.max(exact - approximate);
            let new = (record, exact);
            let place = out.partition_point(|o| order(o, &new).is_lt());
            out.insert(place, new);
            out.truncate(k);
        }
        out
    }

    /// Bytes on the heap.
    pub fn resident(&self) -> usize {
        self.segment.resident()
    }
}
