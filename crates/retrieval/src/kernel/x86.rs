//! Integer products with AVX2 and with AVX-512 VNNI.

use super::Int8;
use std::arch::x86_64::*;

/// 256-bit integers: bytes are widened to 16 bits, whose products are exact.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

impl Int8 for Avx2 {
    #[inline(always)]
    unsafe fn asked(codes: *const u8, asked: *const i8, len: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { asked_avx2(codes, asked, len) }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, len: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { pair_avx2(a, b, len) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn asked_avx2(codes: *const u8, asked: *const i8, len: usize) -> i32 {
    let (mut s, mut t) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let mut i = 0;
    while i < len {
        // SAFETY: `len` is a multiple of 64, so 32 bytes from `i` are inside both.
        let (a, b, c, d) = unsafe {
            (
                _mm_loadu_si128(codes.add(i).cast()),
                _mm_loadu_si128(asked.add(i).cast()),
                _mm_loadu_si128(codes.add(i + 16).cast()),
                _mm_loadu_si128(asked.add(i + 16).cast()),
            )
        };
        s = _mm256_add_epi32(
            s,
            _mm256_madd_epi16(_mm256_cvtepu8_epi16(a), _mm256_cvtepi8_epi16(b)),
        );
        t = _mm256_add_epi32(
            t,
            _mm256_madd_epi16(_mm256_cvtepu8_epi16(c), _mm256_cvtepi8_epi16(d)),
        );
        i += 32;
    }
    sum_avx2(_mm256_add_epi32(s, t))
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn pair_avx2(a: *const u8, b: *const u8, len: usize) -> i32 {
    let sign = _mm_set1_epi8(-128);
    let mut s = _mm256_setzero_si256();
    let mut i = 0;
    while i < len {
        // SAFETY: `len` is a multiple of 64, so 16 bytes from `i` are inside both.
        let (x, y) = unsafe {
            (
                _mm_loadu_si128(a.add(i).cast()),
                _mm_loadu_si128(b.add(i).cast()),
            )
        };
        let (x, y) = (_mm_xor_si128(x, sign), _mm_xor_si128(y, sign));
        s = _mm256_add_epi32(
            s,
            _mm256_madd_epi16(_mm256_cvtepi8_epi16(x), _mm256_cvtepi8_epi16(y)),
        );
        i += 16;
    }
    sum_avx2(s)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_avx2(s: __m256i) -> i32 {
    let s = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256::<1>(s));
    let s = _mm_add_epi32(s, _mm_shuffle_epi32::<0b01_00_11_10>(s));
    let s = _mm_add_epi32(s, _mm_shuffle_epi32::<0b10_11_00_01>(s));
    _mm_cvtsi128_si32(s)
}

/// 512-bit integers with VNNI: unsigned by signed bytes, summed by fours without saturation.
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

impl Int8 for Avx512 {
    #[inline(always)]
    unsafe fn asked(codes: *const u8, asked: *const i8, len: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { asked_avx512(codes, asked, len) }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, len: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { pair_avx512(a, b, len) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn asked_avx512(codes: *const u8, asked: *const i8, len: usize) -> i32 {
    let (mut s, mut t) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut i = 0;
    while i + 128 <= len {
        // SAFETY: 128 bytes from `i` are inside both.
        unsafe {
            s = _mm512_dpbusd_epi32(
                s,
                _mm512_loadu_si512(codes.add(i).cast()),
                _mm512_loadu_si512(asked.add(i).cast()),
            );
            t = _mm512_dpbusd_epi32(
                t,
                _mm512_loadu_si512(codes.add(i + 64).cast()),
                _mm512_loadu_si512(asked.add(i + 64).cast()),
            );
        }
        i += 128;
    }
    if i < len {
        // SAFETY: `len` is a multiple of 64, so the last 64 bytes are inside both.
        unsafe {
            s = _mm512_dpbusd_epi32(
                s,
                _mm512_loadu_si512(codes.add(i).cast()),
                _mm512_loadu_si512(asked.add(i).cast()),
            );
        }
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(s, t))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn pair_avx512(a: *const u8, b: *const u8, len: usize) -> i32 {
    let sign = _mm512_set1_epi8(-128);
    let (mut s, mut t) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut i = 0;
    while i < len {
        // SAFETY: `len` is a multiple of 64, so 64 bytes from `i` are inside both.
        let (x, y) = unsafe {
            (
                _mm512_loadu_si512(a.add(i).cast()),
                _mm512_loadu_si512(b.add(i).cast()),
            )
        };
        let y = _mm512_xor_si512(y, sign);
        // Σ x·y' − Σ 128·y' = Σ (x − 128)·y'.
        s = _mm512_dpbusd_epi32(s, x, y);
        t = _mm512_dpbusd_epi32(t, sign, y);
        i += 64;
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(s, t))
}
