//! Integer products: what they are, and plain code for them.

/// Products of codes. A code is a signed number of 8 bits kept with 128 added, so that the
/// instructions that multiply unsigned by signed bytes take it as it lies in memory.
pub(crate) trait Int8: Copy {
    /// Σ code·asked, with the code taken as it lies (128 too great).
    ///
    /// # Safety
    /// Both pointers are valid for `len` bytes, `len` is a multiple of 64, and the machine has the
    /// implementor's instructions.
    unsafe fn asked(codes: *const u8, asked: *const i8, len: usize) -> i32;

    /// Σ (a − 128)·(b − 128).
    ///
    /// # Safety
    /// As for [`Int8::asked`].
    unsafe fn pair(a: *const u8, b: *const u8, len: usize) -> i32;
}

/// Plain code.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Int8 for Portable {
    #[inline(always)]
    unsafe fn asked(codes: *const u8, asked: *const i8, len: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers and the length.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(codes, len),
                std::slice::from_raw_parts(asked, len),
            )
        };
        a.iter()
            .zip(b)
            .map(|(x, y)| i32::from(*x) * i32::from(*y))
            .sum()
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, len: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers and the length.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(a, len),
                std::slice::from_raw_parts(b, len),
            )
        };
        a.iter()
            .zip(b)
            .map(|(x, y)| (i32::from(*x) - 128) * (i32::from(*y) - 128))
            .sum()
    }
}
