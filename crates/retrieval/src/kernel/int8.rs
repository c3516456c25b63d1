//! Integer products: what they are, and plain code for them.
//!
//! A code is a signed number of 8 bits with 128 added. Codes lie with their halves apart, the upper four
//! bits of a row's codes before the lower four, so that whoever is content with less reads half of a row.
//! Two halves share a byte: in each run of 64 bytes, byte `j` holds value `j` of 128 in its lower and value
//! `64 + j` in its upper four bits.

/// Values whose halves lie together, in so many bytes.
pub(crate) const BLOCK: usize = 128;
/// Bytes of a block's halves.
pub(crate) const HALF: usize = BLOCK / 2;

/// Products of codes.
pub(crate) trait Int8: Copy {
    /// Σ half·asked over halves of codes, 0 to 15, that lie in `bytes` bytes, with twice as many values.
    ///
    /// # Safety
    /// `halves` is valid for `bytes` bytes and `asked` for twice as many, `bytes` is a multiple of
    /// [`HALF`], and the machine has the implementor's instructions.
    unsafe fn halves(halves: *const u8, asked: *const i8, bytes: usize) -> i32;

    /// Σ (a − 128)·(b − 128), of two rows of `bytes` bytes.
    ///
    /// # Safety
    /// Both pointers are valid for `bytes` bytes, `bytes` is a multiple of [`BLOCK`], and the machine has
    /// the implementor's instructions.
    unsafe fn pair(a: *const u8, b: *const u8, bytes: usize) -> i32;
}

/// Plain code.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Int8 for Portable {
    #[inline(always)]
    unsafe fn halves(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers and the length.
        let (halves, asked) = unsafe {
            (
                std::slice::from_raw_parts(halves, bytes),
                std::slice::from_raw_parts(asked, 2 * bytes),
            )
        };
        let blocks = halves.chunks_exact(HALF).zip(asked.chunks_exact(BLOCK));
        let products = blocks.flat_map(|(halves, asked)| {
            let (first, second) = asked.split_at(HALF);
            let pairs = halves.iter().zip(first).zip(second);
            pairs.map(|((h, x), y)| {
                i32::from(h & 15) * i32::from(*x) + i32::from(h >> 4) * i32::from(*y)
            })
        });
        products.sum()
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, bytes: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers and the length.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(a, bytes),
                std::slice::from_raw_parts(b, bytes),
            )
        };
        fn two(row: &[u8], i: usize) -> [i32; 2] {
            let (upper, lower) = (row[i], row[row.len() / 2 + i]);
            let first = (upper & 15) << 4 | lower & 15;
            let second = upper & 0xf0 | lower >> 4;
            [first, second].map(|code| i32::from(code) - 128)
        }
        let products = (0..bytes / 2).map(|i| {
            let ([a, b], [c, d]) = (two(a, i), two(b, i));
            a * c + b * d
        });
        products.sum()
    }
}
