//! Vectors that wait to be sealed.
//!
//! After an import of many records building their graph takes minutes, and meanwhile they are
//! searched like all others: by their signs first, and only those that may be near by their values.

use super::{
    segment::{Ask, Found, Side},
    sketch::{self, SketchScratch, View, sketch},
    values::Values,
};
use crate::kernel::{dot, products};
use std::{cell::RefCell, path::Path, sync::Arc};

/// Records whose vectors are read for each in the width of a search, where their signs leave out
/// others.
const KEPT: usize = 4;
/// And one in so many of all, who are nearer by chance.
const CHANCE: usize = 100;
/// Signs are read where they leave out more than one in so many: a vector is as long as 32 of them.
const FEW: usize = 2;

thread_local! {
    static SCRATCH: RefCell<SketchScratch> = RefCell::default();
}

/// Vectors of records, in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    /// First row of each record, and the number of rows at the end.
    starts: Vec<u32>,
    values: Values,
    /// Sketches of rows; empty where vectors have an unusual length.
    signs: Vec<u64>,
    /// Sketches of records' sums of rows; likewise.
    profiles: Vec<u64>,
    /// How long those sums are.
    lengths: Vec<f32>,
}

impl Raw {
    /// Of no records yet. Values of many may stand in `folder`, in files without a name.
    pub(crate) fn new(folder: Option<Arc<Path>>) -> Self {
        Self {
            starts: vec![0],
            values: Values::new(folder),
            signs: Vec::new(),
            profiles: Vec::new(),
            lengths: Vec::new(),
        }
    }

    fn records(&self) -> usize {
        self.lengths.len()
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.last().map_or(0, |s| *s as usize)
    }

    /// The vectors of a record, one after the other.
    pub(crate) fn vectors(&self, record: u32, dim: usize) -> &[f32] {
        let (from, to) = (
            self.starts[record as usize] as usize,
            self.starts[record as usize + 1] as usize,
        );
        self.values.get(from * dim, to * dim)
    }

    /// Takes the next record, of `count` rows. Returns its number.
    pub(crate) fn push<'a>(
        &mut self,
        values: impl Iterator<Item = &'a f32>,
        count: usize,
        dim: usize,
    ) -> u32 {
        let record = self.records() as u32;
        let from = self.values.len();
        self.values.push(values, count * dim);
        let end = self.rows() + count;
        self.starts.push(end as u32);
        let mut sum = vec![0f32; dim];
        let rows = self.values.get(from, from + count * dim);
        for row in rows.chunks_exact(dim.max(1)) {
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
        self.lengths.push(dot(&sum, &sum).sqrt());
        if sketch::words(dim).is_some() {
            for row in rows.chunks_exact(dim.max(1)) {
                self.signs.extend(sketch(row));
            }
            self.profiles.extend(sketch(&sum));
        }
        record
    }

    /// The nearest of `records`, best first, by exact cosine: of all of them, or, where they are
    /// many, of those whose signs are nearest.
    pub(crate) fn nearest(&self, ask: &Ask<'_>, dim: usize, mut records: Vec<u32>) -> Vec<Found> {
        if ask.side == Side::Profiles {
            let several = |r: &u32| self.starts[*r as usize + 1] - self.starts[*r as usize] > 1;
            records.retain(several);
        }
        let mut on = Vec::new();
        let mut compare = |near: &[u32]| -> Vec<Found> {
            let each = near.iter().map(|&r| (self.cosine(ask, dim, r, &mut on), r));
            each.filter(|(cosine, _)| cosine.is_finite()).collect()
        };
        let mut found = match Self::leaves_out(dim, ask.ef.max(ask.wanted), records.len()) {
            Some((words, kept)) => SCRATCH.with_borrow_mut(|s| {
                let (signs, starts) = match ask.side {
                    Side::Passages => (&self.signs, Some(&self.starts[..])),
                    Side::Profiles => (&self.profiles, None),
                };
                let asked = sketch::asked(ask.vector);
                let view = View::new(signs, words);
                compare(view.nearest(ask.isa, &asked, kept, &records, starts, s))
            }),
            None => compare(&records),
        };
        if found.len() < ask.wanted.min(records.len()) {
            // Some of those whose signs are near have no direction.
            found = compare(&records);
        }
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(ask.wanted);
        found
    }

    /// How long a sketch is, and of how many of so many records the vectors are read, where signs leave
    /// out the others; `None` where all are read.
    pub(super) fn leaves_out(dim: usize, ef: usize, records: usize) -> Option<(usize, usize)> {
        let words = sketch::words(dim)?;
        let kept = ef.saturating_mul(KEPT).saturating_add(records / CHANCE);
        (kept.saturating_mul(FEW) < records).then_some((words, kept))
    }

    /// How near a record is; not finite where it has no direction. `on` is scratch.
    fn cosine(&self, ask: &Ask<'_>, dim: usize, record: u32, on: &mut Vec<f32>) -> f32 {
        products(&[ask.vector], self.vectors(record, dim), dim, on);
        match ask.side {
            Side::Passages => on.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            Side::Profiles => on.iter().sum::<f32>() / self.lengths[record as usize],
        }
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        self.values.resident()
            + (self.starts.len() + self.lengths.len()) * 4
            + (self.signs.len() + self.profiles.len()) * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dense::mean_of, kernel::Isa};
    use rand::{Rng, RngExt, SeedableRng};
    use std::collections::HashSet;

    const DIM: usize = 128;

    /// A vector of length one near `centre`.
    fn near(centre: &[f32], rng: &mut impl Rng) -> Vec<f32> {
        let moved = centre.iter().map(|x| x + rng.random_range(-0.12..0.12f32));
        mean_of(&[moved.collect()])
    }

    #[test]
    fn many_are_found_by_their_signs_as_by_their_values() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut centre = || near(&[0.0; DIM], &mut rng);
        let centres: Vec<Vec<f32>> = (0..20).map(|_| centre()).collect();
        // Some 7 million values: most of them stand in files.
        let dir = tempfile::tempdir().unwrap();
        let mut raw = Raw::new(Some(dir.path().into()));
        let mut records: Vec<Vec<Vec<f32>>> = Vec::new();
        for r in 0..30_000usize {
            let centre = &centres[r % centres.len()];
            let rows: Vec<Vec<f32>> = (0..1 + r % 3).map(|_| near(centre, &mut rng)).collect();
            assert_eq!(raw.push(rows.iter().flatten(), rows.len(), DIM), r as u32);
            records.push(rows);
        }
        assert!(raw.resident() < raw.rows() * DIM * 2);
        let cosine = |side, asked: &[f32], rows: &[Vec<f32>]| match side {
            Side::Passages => rows.iter().map(|r| dot(asked, r)).fold(f32::MIN, f32::max),
            Side::Profiles => dot(asked, &mean_of(rows)),
        };
        for (side, every, deep) in [
            (Side::Passages, 1, 10),
            (Side::Profiles, 1, 10),
            (Side::Passages, 7, 10),
            (Side::Passages, 1, 1_000),
            (Side::Profiles, 1, 1_000),
        ] {
            let chosen: Vec<u32> = (0..records.len() as u32).step_by(every).collect();
            let (mut found, mut wanted) = (0, 0);
            for centre in centres.iter().take(20) {
                let asked = near(centre, &mut rng);
                let ask = Ask {
                    vector: &asked,
                    side,
                    wanted: deep,
                    ef: deep.max(200),
                    isa: Isa::best(),
                };
                let several = |r: &&u32| side == Side::Passages || records[**r as usize].len() > 1;
                let all = chosen.iter().filter(several);
                let mut truth: Vec<Found> = all
                    .map(|r| (cosine(side, &asked, &records[*r as usize]), *r))
                    .collect();
                truth.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
                let got = raw.nearest(&ask, DIM, chosen.clone());
                assert_eq!(got.len(), deep);
                for ((score, record), (best, _)) in got.iter().zip(&truth) {
                    let exact = cosine(side, &asked, &records[*record as usize]);
                    assert!((score - exact).abs() < 1e-4 && *score <= best + 1e-4);
                }
                wanted += deep;
                let near: HashSet<u32> = got.iter().map(|g| g.1).collect();
                found += truth[..deep].iter().filter(|t| near.contains(&t.1)).count();
            }
            assert!(found * 100 >= wanted * 98, "{side:?}: {found} of {wanted}");
        }
    }
}
