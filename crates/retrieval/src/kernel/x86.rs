//! Integer products with AVX2 and with AVX-512 VNNI.

use super::{HALF, Int8};
use std::arch::x86_64::*;

/// 256-bit integers: products of halves and signed bytes, two of which fit 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

impl Int8 for Avx2 {
    #[inline(always)]
    unsafe fn halves(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { halves_avx2(halves, asked, bytes) }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, bytes: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { pair_avx2(a, b, bytes) }
    }
}

/// The lower and the upper four bits of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn split_avx2(x: __m256i) -> [__m256i; 2] {
    let low = _mm256_set1_epi8(15);
    [
        _mm256_and_si256(x, low),
        _mm256_and_si256(_mm256_srli_epi16::<4>(x), low),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn halves_avx2(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
    let one = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    let mut i = 0;
    while i < bytes {
        // SAFETY: `bytes` is a multiple of 64, so 64 bytes from `i` are inside, and 128 from `2 * i`
        // of what is asked.
        let (x, y, q) = unsafe {
            let q = asked.add(2 * i);
            (
                _mm256_loadu_si256(halves.add(i).cast()),
                _mm256_loadu_si256(halves.add(i + 32).cast()),
                [0, 32, 64, 96].map(|at| _mm256_loadu_si256(q.add(at).cast())),
            )
        };
        let ([a, c], [b, d]) = (split_avx2(x), split_avx2(y));
        // Eight products of at most 15 · 128 are less than 2^15.
        let s = _mm256_add_epi16(
            _mm256_add_epi16(_mm256_maddubs_epi16(a, q[0]), _mm256_maddubs_epi16(b, q[1])),
            _mm256_add_epi16(_mm256_maddubs_epi16(c, q[2]), _mm256_maddubs_epi16(d, q[3])),
        );
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(s, one));
        i += HALF;
    }
    sum_avx2(sum)
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn pair_avx2(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    let sign = _mm256_set1_epi8(-128);
    let one = _mm256_set1_epi8(1);
    let (one_wide, sixteen, most) = (
        _mm256_set1_epi16(1),
        _mm256_set1_epi16(16),
        _mm256_set1_epi16(-128),
    );
    let half = bytes / 2;
    let mut sum = _mm256_setzero_si256();
    let mut i = 0;
    while i < half {
        // SAFETY: `half` is a multiple of 64, so 32 bytes from `i` are inside both halves of both.
        let [a_high, a_low, b_high, b_low] = unsafe {
            [a.add(i), a.add(half + i), b.add(i), b.add(half + i)]
                .map(|at| split_avx2(_mm256_loadu_si256(at.cast())))
        };
        for j in 0..2 {
            // b as signed bytes; the upper half shifted in 16 bits stays inside its byte.
            let y = _mm256_or_si256(_mm256_slli_epi16::<4>(b_high[j]), b_low[j]);
            let y = _mm256_xor_si256(y, sign);
            // Σ (16·high + low − 128)·y
            let high = _mm256_madd_epi16(_mm256_maddubs_epi16(a_high[j], y), sixteen);
            let low = _mm256_madd_epi16(_mm256_maddubs_epi16(a_low[j], y), one_wide);
            let all = _mm256_madd_epi16(_mm256_maddubs_epi16(one, y), most);
            sum = _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_add_epi32(high, low), all));
        }
        i += 32;
    }
    sum_avx2(sum)
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
    unsafe fn halves(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { halves_avx512(halves, asked, bytes) }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, bytes: usize) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { pair_avx512(a, b, bytes) }
    }
}

/// The lower and the upper four bits of each byte.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn split_avx512(x: __m512i) -> [__m512i; 2] {
    let low = _mm512_set1_epi8(15);
    [
        _mm512_and_si512(x, low),
        _mm512_and_si512(_mm512_srli_epi16::<4>(x), low),
    ]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn halves_avx512(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
    let (mut s, mut t) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut i = 0;
    while i < bytes {
        // SAFETY: `bytes` is a multiple of 64, so 64 bytes from `i` are inside, and 128 from `2 * i`
        // of what is asked.
        let (x, p, q) = unsafe {
            (
                _mm512_loadu_si512(halves.add(i).cast()),
                _mm512_loadu_si512(asked.add(2 * i).cast()),
                _mm512_loadu_si512(asked.add(2 * i + HALF).cast()),
            )
        };
        let [a, b] = split_avx512(x);
        s = _mm512_dpbusd_epi32(s, a, p);
        t = _mm512_dpbusd_epi32(t, b, q);
        i += HALF;
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(s, t))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn pair_avx512(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    let sign = _mm512_set1_epi8(-128);
    let half = bytes / 2;
    let (mut s, mut t) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let mut i = 0;
    while i < half {
        // SAFETY: `half` is a multiple of 64, so 64 bytes from `i` are inside both halves of both.
        let [a_high, a_low, b_high, b_low] = unsafe {
            [a.add(i), a.add(half + i), b.add(i), b.add(half + i)]
                .map(|at| split_avx512(_mm512_loadu_si512(at.cast())))
        };
        for j in 0..2 {
            let x = _mm512_or_si512(_mm512_slli_epi16::<4>(a_high[j]), a_low[j]);
            let y = _mm512_or_si512(_mm512_slli_epi16::<4>(b_high[j]), b_low[j]);
            let y = _mm512_xor_si512(y, sign);
            // Σ x·y' − Σ 128·y' = Σ (x − 128)·y'.
            s = _mm512_dpbusd_epi32(s, x, y);
            t = _mm512_dpbusd_epi32(t, sign, y);
        }
        i += HALF;
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(s, t))
}
