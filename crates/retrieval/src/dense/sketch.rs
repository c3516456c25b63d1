//! One bit per dimension, to leave out most of those that would be read: a sketch is an eighth of a
//! code, and says well enough who is far.
//!
//! Sketches stand in order of member, so that whoever reads some of them goes forward.

use super::{
    codes::{Asked, Codes},
    graph::NONE,
    memory::Buffer,
};
use crate::kernel::{Isa, Set};
use std::io;

/// Lengths of sketches, in 64 bits, that there is a loop for.
const WORDS: [usize; 6] = [2, 4, 6, 8, 12, 16];
/// The greatest of them.
const LONGEST: usize = 16;
/// Sketches asked for ahead of their use, where each is a record.
const AHEAD: usize = 16;
/// Distances looked at together, for few of them are near enough.
const TOGETHER: usize = 32;

/// The signs of coded values, a bit each.
#[derive(Debug)]
pub(crate) struct Sketches {
    data: Buffer,
    /// Of 64 bits, per member.
    words: usize,
}

/// What a search of sketches writes on.
#[derive(Debug, Default)]
pub(crate) struct SketchScratch {
    distances: Vec<u16>,
    near: Vec<u32>,
}

/// The sketch of what is asked for, padded with zeros.
pub(crate) type AskedSketch = [u64; LONGEST];

/// Sketches to be searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    data: &'a [u64],
    words: usize,
}

/// The number of 64-bit words in the sketch of a vector; `None` for lengths of vectors that are not
/// usual, or so short that signs say little.
pub(crate) fn words(dim: usize) -> Option<usize> {
    let words = dim.div_ceil(64);
    WORDS.contains(&words).then_some(words)
}

/// The sketch of a vector, a word at a time.
pub(crate) fn sketch(vector: &[f32]) -> impl Iterator<Item = u64> {
    vector.chunks(64).map(|some| bits(some, |x| *x > 0.0))
}

/// The sketch of a vector that is asked for.
pub(crate) fn asked(vector: &[f32]) -> AskedSketch {
    let mut out = [0; LONGEST];
    out.iter_mut()
        .zip(sketch(vector))
        .for_each(|(to, w)| *to = w);
    out
}

/// The signs of up to 64 values, of which `positive` tells.
fn bits<T>(values: &[T], positive: impl Fn(&T) -> bool) -> u64 {
    let each = values.iter().enumerate();
    each.fold(0, |bits, (i, x)| bits | u64::from(positive(x)) << i)
}

impl Sketches {
    /// Sketches of members, each of the code of its node; of a member without one it is zero.
    /// `None` for lengths of vectors that are not usual, or so short that signs say little.
    pub(crate) fn of(codes: &Codes, dim: usize, nodes: &[u32]) -> io::Result<Option<Self>> {
        let Some(words) = words(dim) else {
            return Ok(None);
        };
        let mut data = Buffer::zeroed(nodes.len() * words * 8)?;
        let each = data.longs_mut().chunks_mut(words).zip(nodes);
        for (to, node) in each.filter(|(_, node)| **node != NONE) {
            let signs = codes.signs(*node as usize);
            to.iter_mut().zip(signs).for_each(|(to, word)| *to = word);
        }
        Ok(Some(Self { data, words }))
    }

    pub(crate) fn view(&self) -> View<'_> {
        View::new(self.data.longs(), self.words)
    }

    /// The sketch of what is asked for, of its code as those of members are.
    pub(crate) fn asked(asked: &Asked) -> AskedSketch {
        let mut out = [0; LONGEST];
        let each = out.iter_mut().zip(asked.code().chunks(64));
        each.for_each(|(to, some)| *to = bits(some, |c| *c > 0));
        out
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        self.data.bytes().len()
    }
}

impl<'a> View<'a> {
    /// Sketches that stand one after the other, of as many words as [`words`] says.
    pub(crate) fn new(data: &'a [u64], words: usize) -> Self {
        Self { data, words }
    }

    /// Of `records`, in their order, those whose nearest sketch is nearest: at least `keep` of
    /// them if there are so many, and all that are as near as the last of these. `starts` says
    /// which members are a record's, where it is not one of its own number.
    pub(crate) fn nearest<'s>(
        self,
        isa: Isa,
        asked: &AskedSketch,
        keep: usize,
        records: &[u32],
        starts: Option<&[u32]>,
        s: &'s mut SketchScratch,
    ) -> &'s [u32] {
        let task = Task {
            sketches: self,
            asked,
            records,
            starts,
            keep,
        };
        // SAFETY: the instructions were looked for, or belong to a set that is only named where
        // the machine has it: all with AVX2 count bits.
        unsafe {
            match isa.0 {
                #[cfg(target_arch = "x86_64")]
                Set::Avx512
                    if std::arch::is_x86_feature_detected!("avx512vpopcntdq")
                        && std::arch::is_x86_feature_detected!("avx512vl") =>
                {
                    run_avx512(task, s);
                }
                #[cfg(target_arch = "x86_64")]
                Set::Avx512 | Set::Avx2 => run_avx2(task, s),
                _ => task.run(s),
            }
        }
        &s.near
    }
}

#[derive(Clone, Copy)]
struct Task<'a> {
    sketches: View<'a>,
    asked: &'a AskedSketch,
    records: &'a [u32],
    starts: Option<&'a [u32]>,
    keep: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn run_avx2(task: Task<'_>, s: &mut SketchScratch) {
    task.run(s);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq,popcnt")]
fn run_avx512(task: Task<'_>, s: &mut SketchScratch) {
    task.run(s);
}

impl Task<'_> {
    #[inline(always)]
    fn run(self, s: &mut SketchScratch) {
        s.distances.clear();
        s.distances.resize(self.records.len(), 0);
        match self.sketches.words {
            2 => self.each::<2>(&mut s.distances),
            4 => self.each::<4>(&mut s.distances),
            6 => self.each::<6>(&mut s.distances),
            8 => self.each::<8>(&mut s.distances),
            12 => self.each::<12>(&mut s.distances),
            _ => self.each::<16>(&mut s.distances),
        }
        let limit = self.limit(&s.distances);
        s.near.clear();
        let together = s.distances.chunks(TOGETHER);
        for (distances, records) in together.zip(self.records.chunks(TOGETHER)) {
            let each = distances.iter().enumerate();
            let mut near = each.fold(0u32, |near, (i, d)| near | u32::from(*d <= limit) << i);
            while near != 0 {
                s.near.push(records[near.trailing_zeros() as usize]);
                near &= near - 1;
            }
        }
    }

    /// The least distance that at least `keep` do not exceed, or the greatest there can be.
    #[inline(always)]
    fn limit(self, distances: &[u16]) -> u16 {
        let (mut low, mut high) = (0, self.sketches.words as u16 * 64);
        while low < high {
            let middle = (low + high) / 2;
            // Counted in 16 bits while they suffice, so that many are compared at a time.
            let within = distances.chunks(1 << 15).map(|some| {
                let within = some.iter().map(|d| u16::from(*d <= middle));
                usize::from(within.sum::<u16>())
            });
            if within.sum::<usize>() >= self.keep {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// Writes how many signs differ, per record.
    #[inline(always)]
    fn each<const WORDS: usize>(self, out: &mut [u16]) {
        let mut asked = [0; WORDS];
        asked.copy_from_slice(&self.asked[..WORDS]);
        let (all, _) = self.sketches.data.as_chunks::<WORDS>();
        let distance = |member: u32| -> u32 {
            let pairs = all[member as usize].iter().zip(&asked);
            pairs.map(|(a, b)| (a ^ b).count_ones()).sum()
        };
        let ahead = |i: usize| {
            if let Some(record) = self.records.get(i + AHEAD) {
                let at = self.sketches.data.as_ptr();
                let sketch = at.wrapping_add(*record as usize * WORDS);
                crate::kernel::prefetch(sketch.cast(), WORDS * 8);
            }
        };
        let each = out.iter_mut().zip(self.records);
        match self.starts {
            None => each.enumerate().for_each(|(i, (out, record))| {
                ahead(i);
                *out = distance(*record) as u16;
            }),
            Some(starts) => each.for_each(|(out, &record)| {
                let members = starts[record as usize]..starts[record as usize + 1];
                let nearest = members.map(distance).min();
                *out = nearest.unwrap_or(WORDS as u32 * 64) as u16;
            }),
        }
    }
}
