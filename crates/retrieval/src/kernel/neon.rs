//! Integer products with NEON, which every 64-bit ARM machine has.

use super::Int8;
use std::arch::aarch64::*;

/// 128-bit integers: products of signed bytes fit 16 bits, pairs of them are added into 32.
#[derive(Clone, Copy)]
pub(crate) struct Neon;

impl Int8 for Neon {
    #[inline(always)]
    unsafe fn asked(codes: *const u8, asked: *const i8, len: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers; NEON is part of the architecture.
        unsafe {
            let sign = vdupq_n_u8(128);
            let (mut s, mut total) = (vdupq_n_s32(0), vdupq_n_s32(0));
            let mut i = 0;
            while i < len {
                let x = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes.add(i)), sign));
                let y = vld1q_s8(asked.add(i));
                s = vpadalq_s16(s, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
                s = vpadalq_s16(s, vmull_s8(vget_high_s8(x), vget_high_s8(y)));
                total = vpadalq_s16(total, vpaddlq_s8(y));
                i += 16;
            }
            vaddvq_s32(s) + 128 * vaddvq_s32(total)
        }
    }

    #[inline(always)]
    unsafe fn pair(a: *const u8, b: *const u8, len: usize) -> i32 {
        // SAFETY: the caller vouches for both pointers; NEON is part of the architecture.
        unsafe {
            let sign = vdupq_n_u8(128);
            let mut s = vdupq_n_s32(0);
            let mut i = 0;
            while i < len {
                let x = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a.add(i)), sign));
                let y = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(b.add(i)), sign));
                s = vpadalq_s16(s, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
                s = vpadalq_s16(s, vmull_s8(vget_high_s8(x), vget_high_s8(y)));
                i += 16;
            }
            vaddvq_s32(s)
        }
    }
}
