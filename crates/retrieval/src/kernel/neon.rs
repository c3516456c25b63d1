//! Integer products with NEON, which every 64-bit ARM machine has.

use super::{HALF, Int8};
use std::arch::aarch64::*;

/// 128-bit integers: products of signed bytes fit 16 bits, pairs of them are added into 32.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

/// The lower and the upper four bits of each byte.
#[inline(always)]
fn split(x: uint8x16_t) -> [uint8x16_t; 2] {
    // SAFETY: NEON is part of the architecture.
    unsafe { [vandq_u8(x, vdupq_n_u8(15)), vshrq_n_u8::<4>(x)] }
}

#[inline(always)]
fn add_products(s: int32x4_t, x: int8x16_t, y: int8x16_t) -> int32x4_t {
    // SAFETY: NEON is part of the architecture.
    unsafe {
        let s = vpadalq_s16(s, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
        vpadalq_s16(s, vmull_s8(vget_high_s8(x), vget_high_s8(y)))
    }
}

impl Int8 for Neon {
    #[inline(always)]
    unsafe fn halves(halves: *const u8, asked: *const i8, bytes: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers; NEON is part of the architecture.
        unsafe {
            let (mut s, mut t) = (vdupq_n_s32(0), vdupq_n_s32(0));
            let mut i = 0;
            while i < bytes {
                let [a, b] = split(vld1q_u8(halves.add(i)));
                let q = asked.add(i / HALF * HALF * 2 + i % HALF);
                s = add_products(s, vreinterpretq_s8_u8(a), vld1q_s8(q));
                t = add_products(t, vreinterpretq_s8_u8(b), vld1q_s8(q.add(HALF)));
                i += 16;
            }
            vaddvq_s32(vaddq_s32(s, t))
        }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, bytes: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers; NEON is part of the architecture.
        unsafe {
            let sign = vdupq_n_u8(128);
            let half = bytes / 2;
            let (mut s, mut t) = (vdupq_n_s32(0), vdupq_n_s32(0));
            let mut i = 0;
            while i < half {
                let halves = [a.add(i), a.add(half + i), b.add(i), b.add(half + i)];
                let [a_high, a_low, b_high, b_low] = halves.map(|at| split(vld1q_u8(at)));
                let whole = |high: uint8x16_t, low: uint8x16_t| {
                    let code = vorrq_u8(vshlq_n_u8::<4>(high), low);
                    vreinterpretq_s8_u8(veorq_u8(code, sign))
                };
                s = add_products(s, whole(a_high[0], a_low[0]), whole(b_high[0], b_low[0]));
                t = add_products(t, whole(a_high[1], a_low[1]), whole(b_high[1], b_low[1]));
                i += 16;
            }
            vaddvq_s32(vaddq_s32(s, t))
        }
    }
}
