//! Inner products, by the machine's vector instructions, chosen while running.
//!
//! Integer products are exact and therefore equal on every machine. Float products add in a fixed
//! order without fused multiply-add, so they too have the same bits everywhere.

mod float;
mod int8;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use float::{dot, products};
pub(crate) use int8::{BLOCK, HALF, Int8, Portable};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

use std::sync::OnceLock;

/// The instructions that integer products are made with; the results are the same with all.
/// A value is only ever made for a set that this machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(crate) Set);

/// The sets that products are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// Plain code, on any machine.
    Portable,
    /// 256-bit integers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit integers with VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit integers, always there on 64-bit ARM.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// Plain code, which every machine runs.
    pub const PORTABLE: Isa = Isa(Set::Portable);

    /// The best this machine has.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| Isa::available().last().copied().unwrap_or(Isa::PORTABLE))
    }

    /// All this machine has, the fastest last.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut found = vec![Isa::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                found.push(Isa(Set::Avx2));
            }
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vnni")
            {
                found.push(Isa(Set::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(Isa(Set::Neon));
        found
    }
}

/// Asks for the memory at `at`, of so many bytes, ahead of its use. Never reads it.
#[inline(always)]
pub(crate) fn prefetch(at: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let mut offset = 0;
        while offset < bytes {
            // SAFETY: a prefetch is a hint; it does not fault on any address.
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(
                    at.wrapping_add(offset).cast(),
                );
            }
            offset += 64;
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    /// A row with the halves of its codes apart.
    fn row(codes: &[u8]) -> Vec<u8> {
        let mut row = vec![0; codes.len()];
        let half = codes.len() / 2;
        for (i, code) in codes.iter().enumerate() {
            let at = i / BLOCK * HALF + i % HALF;
            let shift = i % BLOCK / HALF * 4;
            row[at] |= (code >> 4) << shift;
            row[half + at] |= (code & 15) << shift;
        }
        row
    }

    /// Of the upper halves and of the lower with `q`, and of both rows.
    fn products(isa: Isa, a: &[u8], b: &[u8], q: &[i8]) -> [i32; 3] {
        fn all<K: Int8>(a: &[u8], b: &[u8], q: &[i8]) -> [i32; 3] {
            let (upper, lower) = a.split_at(a.len() / 2);
            // SAFETY: slices are as long as they have to be, and `available` named the set.
            unsafe {
                [
                    K::halves(upper.as_ptr(), q.as_ptr(), upper.len()),
                    K::halves(lower.as_ptr(), q.as_ptr(), lower.len()),
                    K::pair(a.as_ptr(), b.as_ptr(), a.len()),
                ]
            }
        }
        match isa.0 {
            Set::Portable => all::<Portable>(a, b, q),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => all::<Avx2>(a, b, q),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => all::<Avx512>(a, b, q),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => all::<Neon>(a, b, q),
        }
    }

    #[test]
    fn every_set_of_instructions_agrees_with_the_definition() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for len in [128, 256, 384, 1024, 4096] {
            for extreme in [false, true] {
                let mut codes = || -> Vec<u8> {
                    let code = |_| match extreme {
                        true => [1u8, 255][rng.random_range(0..2)],
                        false => rng.random_range(1..=255),
                    };
                    (0..len).map(code).collect()
                };
                let (a, b) = (codes(), codes());
                let signed = |x: &u8| i32::from(*x) - 128;
                let q: Vec<i8> = b.iter().map(|x| signed(x) as i8).collect();
                let sum = |of: fn(u8) -> u8| -> i32 {
                    let each = a.iter().zip(&q);
                    each.map(|(x, y)| i32::from(of(*x)) * i32::from(*y)).sum()
                };
                let (upper, lower) = (sum(|x| x >> 4), sum(|x| x & 15));
                let pair: i32 = a.iter().zip(&b).map(|(x, y)| signed(x) * signed(y)).sum();
                let offset: i32 = q.iter().map(|y| 128 * i32::from(*y)).sum();
                assert_eq!(16 * upper + lower - offset, pair);
                for isa in Isa::available() {
                    let found = products(isa, &row(&a), &row(&b), &q);
                    assert_eq!(found, [upper, lower, pair], "{isa:?} {len}");
                }
            }
        }
    }
}
