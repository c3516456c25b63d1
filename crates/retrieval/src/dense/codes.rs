//! Vectors as signed bytes: a quarter of the memory, and products that are exact integers.
//!
//! The upper halves of a row's codes lie before the lower, so that a walk, which is mostly a wait for memory,
//! reads half of each row; what it found is then put in order by the whole.

use super::memory::Buffer;
use crate::kernel::{BLOCK, HALF, Int8, Isa, Portable, Set};
use std::io;

/// What zero is kept as; see [`Int8`].
pub(super) const ZERO: u8 = 128;
/// The greatest code.
const MOST: f32 = 127.0;
/// Values looked at when the scale is chosen.
const SAMPLE: usize = 1 << 17;

/// Codes of vectors, row by row, each padded to whole blocks.
#[derive(Debug)]
pub(crate) struct Codes {
    data: Buffer,
    rows: usize,
    stride: usize,
    scale: f32,
}

/// A vector that is asked for, coded with a segment's scale.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    code: Vec<i8>,
    /// Added to a negated product it gives a distance: 0 is nearest, and none is negative.
    farthest: i32,
    /// The same for the upper halves alone, with the lower taken to be in their middle.
    roughly: i32,
}

impl Asked {
    /// Its values, padded with zeros to the length of a row.
    pub(crate) fn code(&self) -> &[i8] {
        &self.code
    }

    /// Whether it has the length of a row of these codes.
    pub(crate) fn fits(&self, codes: &Codes) -> bool {
        self.code.len() == codes.stride
    }
}

/// Bytes of a row.
pub(crate) fn stride(dim: usize) -> usize {
    dim.next_multiple_of(BLOCK).max(BLOCK)
}

/// The factor that makes codes of values, least squared error over a sample. A few great values
/// are cut off where that lets all others be told apart better.
pub(crate) fn scale(values: &[f32]) -> f32 {
    let step = (values.len() / SAMPLE).max(1);
    let mut sample: Vec<f32> = values
        .iter()
        .step_by(step)
        .map(|x| x.abs())
        .filter(|x| *x > 0.0)
        .collect();
    if sample.is_empty() {
        return MOST;
    }
    sample.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| sample[((sample.len() - 1) as f64 * share) as usize];
    let error = |clip: f32| {
        let scale = MOST / clip;
        sample
            .iter()
            .map(|x| {
                let back = (x * scale).round().min(MOST) / scale;
                f64::from((x - back) * (x - back))
            })
            .sum::<f64>()
    };
    let best = [1.0, 0.9999, 0.9997, 0.999, 0.997, 0.99]
        .map(at)
        .into_iter()
        .map(|clip| (error(clip), clip))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    MOST / best.map_or(1.0, |b| b.1)
}

fn code(x: f32, scale: f32) -> i32 {
    (x * scale).round().clamp(-MOST, MOST) as i32
}

impl Codes {
    /// Room for so many rows of `dim` values, all zero.
    pub(crate) fn new(rows: usize, dim: usize, scale: f32) -> io::Result<Self> {
        let stride = stride(dim);
        let mut data = Buffer::zeroed(rows * stride)?;
        let zero = row_of(&vec![ZERO; stride]);
        for row in data.bytes_mut().chunks_exact_mut(stride) {
            row.copy_from_slice(&zero);
        }
        Ok(Self {
            data,
            rows,
            stride,
            scale,
        })
    }

    /// Codes as they were written; `None` when the length does not fit.
    pub(crate) fn from_buffer(data: Buffer, rows: usize, dim: usize, scale: f32) -> Option<Self> {
        let stride = stride(dim);
        let fits = data.bytes().len() >= rows.checked_mul(stride)?;
        (fits && scale.is_finite() && scale > 0.0).then_some(Self {
            data,
            rows,
            stride,
            scale,
        })
    }

    pub(crate) fn set(&mut self, row: usize, vector: &[f32]) {
        let scale = self.scale;
        let to = &mut self.data.bytes_mut()[row * self.stride..(row + 1) * self.stride];
        let (upper, lower) = to.split_at_mut(self.stride / 2);
        for (i, x) in vector.iter().enumerate() {
            let code = (code(*x, scale) + i32::from(ZERO)) as u8;
            let (at, shift) = place(i);
            let keep = 0xf0 >> shift;
            upper[at] = upper[at] & keep | code >> 4 << shift;
            lower[at] = lower[at] & keep | (code & 15) << shift;
        }
    }

    /// Rows of these, in another order.
    pub(crate) fn in_order(&self, order: &[u32]) -> io::Result<Self> {
        let mut data = Buffer::zeroed(order.len() * self.stride)?;
        for (to, row) in data.bytes_mut().chunks_exact_mut(self.stride).zip(order) {
            to.copy_from_slice(self.row(*row as usize));
        }
        Ok(Self {
            data,
            rows: order.len(),
            stride: self.stride,
            scale: self.scale,
        })
    }

    /// Keeps the first rows only.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }

    /// Which values of a row are greater than zero, a bit each, 64 at a time.
    pub(crate) fn signs(&self, row: usize) -> impl Iterator<Item = u64> + '_ {
        let (upper, lower) = self.row(row).split_at(self.stride / 2);
        let halves = upper.chunks_exact(HALF).zip(lower.chunks_exact(HALF));
        halves.flat_map(|(upper, lower)| {
            let word = |shift: u32| {
                let codes = upper.iter().zip(lower);
                codes.enumerate().fold(0, |bits, (i, (u, l))| {
                    let code = (u >> shift & 15) << 4 | l >> shift & 15;
                    bits | u64::from(code > ZERO) << i
                })
            };
            [word(0), word(4)]
        })
    }

    /// The values of a row, in units of its codes.
    pub(crate) fn values(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        let row = self.row(row);
        (0..self.stride).map(|i| f32::from(value(row, i)) - f32::from(ZERO))
    }

    /// A row as it lies.
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        &self.data.bytes()[row * self.stride..(row + 1) * self.stride]
    }

    /// All rows.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.data.bytes()[..self.rows * self.stride]
    }

    /// Codes a vector that is asked for. `out` is written over.
    pub(crate) fn ask(&self, vector: &[f32], out: &mut Asked) {
        out.code.clear();
        out.code
            .extend(vector.iter().map(|x| code(*x, self.scale) as i8));
        out.code.resize(self.stride, 0);
        self.finish(out);
    }

    /// Takes the code of a row as what is asked for.
    pub(crate) fn ask_row(&self, row: usize, out: &mut Asked) {
        out.code.clear();
        let row = self.row(row);
        let signed = |i: usize| (i32::from(value(row, i)) - i32::from(ZERO)) as i8;
        out.code.extend((0..self.stride).map(signed));
        self.finish(out);
    }

    fn finish(&self, out: &mut Asked) {
        let sum: i32 = out.code.iter().map(|c| i32::from(*c)).sum();
        out.farthest = i32::from(ZERO) * sum + self.most();
        // So much more that it is not negative, however far the lower halves are from their middle.
        out.roughly = out.farthest - 15 * sum / 2 + 8 * 127 * self.stride as i32;
    }

    /// No product of two codes is greater.
    fn most(&self) -> i32 {
        127 * 127 * self.stride as i32
    }

    /// Distance of a row from what is asked: equal to `most − Σ code·asked`, exactly.
    ///
    /// `row` must be below [`Codes::rows`], and `asked` of these codes; both are checked in debug
    /// builds, and whoever calls keeps to it: rows come from a graph that was checked.
    ///
    /// # Safety
    /// The machine has `K`'s instructions, `row < self.rows()`, and `asked` was made by
    /// [`Codes::ask`] or [`Codes::ask_row`] of codes of this stride.
    #[inline(always)]
    pub(crate) unsafe fn distance<K: Int8>(&self, row: u32, asked: &Asked) -> u32 {
        // SAFETY: as here.
        unsafe { self.exactly::<K>(row, asked, self.roughly::<K>(row, asked)) }
    }

    /// About the distance, by the upper halves alone. Only to be compared with others of this kind.
    ///
    /// # Safety
    /// As for [`Codes::distance`].
    #[inline(always)]
    pub(crate) unsafe fn roughly<K: Int8>(&self, row: u32, asked: &Asked) -> u32 {
        debug_assert!((row as usize) < self.rows && asked.code.len() == self.stride);
        // SAFETY: the row lies inside the buffer, and `asked` has a value for each of its codes.
        let upper = unsafe {
            let row = self.data.bytes().as_ptr().add(row as usize * self.stride);
            K::halves(row, asked.code.as_ptr(), self.stride / 2)
        };
        (asked.roughly - 16 * upper) as u32
    }

    /// The distance, of a row whose rough distance is known.
    ///
    /// # Safety
    /// As for [`Codes::distance`].
    #[inline(always)]
    pub(crate) unsafe fn exactly<K: Int8>(&self, row: u32, asked: &Asked, roughly: u32) -> u32 {
        debug_assert!((row as usize) < self.rows && asked.code.len() == self.stride);
        // SAFETY: the row lies inside the buffer, and `asked` has a value for each of its codes.
        let lower = unsafe {
            let row = self.data.bytes().as_ptr().add(row as usize * self.stride);
            K::halves(
                row.add(self.stride / 2),
                asked.code.as_ptr(),
                self.stride / 2,
            )
        };
        (roughly as i32 - asked.roughly + asked.farthest - lower) as u32
    }

    /// Asks for a row ahead of its use.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: u32) {
        let at = self.data.bytes().as_ptr();
        crate::kernel::prefetch(at.wrapping_add(row as usize * self.stride), self.stride);
    }

    /// Asks for the upper halves of a row ahead of their use.
    #[inline(always)]
    pub(crate) fn prefetch_upper(&self, row: u32) {
        let at = self.data.bytes().as_ptr();
        let row = at.wrapping_add(row as usize * self.stride);
        crate::kernel::prefetch(row, self.stride / 2);
    }

    /// Asks for the lower halves of a row ahead of their use.
    #[inline(always)]
    pub(crate) fn prefetch_lower(&self, row: u32) {
        let at = self.data.bytes().as_ptr();
        let row = at.wrapping_add(row as usize * self.stride + self.stride / 2);
        crate::kernel::prefetch(row, self.stride / 2);
    }

    /// The product of two rows, as codes.
    pub(crate) fn pair(&self, isa: Isa, a: usize, b: usize) -> i32 {
        pair(isa, self.row(a), self.row(b))
    }

    /// The inner product that a distance stands for.
    pub(crate) fn similarity(&self, distance: u32) -> f32 {
        (i64::from(self.most()) - i64::from(distance)) as f32 / (self.scale * self.scale)
    }
}

/// Where the halves of a value are: the byte from the start of either, and the first bit.
fn place(i: usize) -> (usize, usize) {
    (i / BLOCK * HALF + i % HALF, i % BLOCK / HALF * 4)
}

/// A value of a row.
fn value(row: &[u8], i: usize) -> u8 {
    let (at, shift) = place(i);
    let half = |x: u8| x >> shift & 15;
    half(row[at]) << 4 | half(row[row.len() / 2 + at])
}

/// Codes given one after the other, as a row. Their number is a multiple of [`BLOCK`].
pub(crate) fn row_of(codes: &[u8]) -> Vec<u8> {
    let mut row = vec![0; codes.len()];
    let (upper, lower) = row.split_at_mut(codes.len() / 2);
    for (i, code) in codes.iter().enumerate() {
        let (at, shift) = place(i);
        upper[at] |= code >> 4 << shift;
        lower[at] |= (code & 15) << shift;
    }
    row
}

/// The product of two rows of equal length, a multiple of [`BLOCK`].
pub(crate) fn pair(isa: Isa, a: &[u8], b: &[u8]) -> i32 {
    let len = a.len().min(b.len()) / BLOCK * BLOCK;
    // SAFETY: both slices have `len` bytes, and an `Isa` is only ever made where the machine
    // has it.
    unsafe {
        match isa.0 {
            Set::Portable => Portable::pair(a.as_ptr(), b.as_ptr(), len),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => crate::kernel::Avx2::pair(a.as_ptr(), b.as_ptr(), len),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => crate::kernel::Avx512::pair(a.as_ptr(), b.as_ptr(), len),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => crate::kernel::Neon::pair(a.as_ptr(), b.as_ptr(), len),
        }
    }
}
