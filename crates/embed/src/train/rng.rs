//! A small generator of its own, so that a seed means the same in every version of every crate.

/// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// A generator for a place in a tree of seeds: equal paths give equal numbers.
    pub(crate) fn new(path: &[u64]) -> Self {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15);
        for &part in path {
            rng.0 ^= part.wrapping_mul(0xd6e8_feb8_6659_fd93);
            rng.0 = rng.next();
        }
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Uniform below `n`; 0 for `n` = 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f32 {
        let u = 1.0 - f64::from(self.unit());
        let v = f64::from(self.unit());
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }

    /// An index drawn by weight; `None` when no weight is positive.
    pub(crate) fn weighted(&mut self, weights: &[f32]) -> Option<usize> {
        let total: f32 = weights.iter().sum();
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let mut at = self.unit() * total;
        for (i, &w) in weights.iter().enumerate() {
            if at < w {
                return Some(i);
            }
            at -= w;
        }
        weights.iter().rposition(|&w| w > 0.0)
    }

    /// `count` distinct indices below `n` (all of them when `count >= n`), in random order.
    pub(crate) fn distinct(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut swapped = std::collections::HashMap::new();
        (0..count.min(n))
            .map(|i| {
                let j = i + self.below(n - i);
                let at_i = swapped.get(&i).copied().unwrap_or(i);
                let at_j = swapped.insert(j, at_i).unwrap_or(j);
                if i == j { at_i } else { at_j }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_distinct_seeded_and_cover() {
        let mut all = Rng::new(&[1, 2]).distinct(10, 10);
        assert_eq!(all, Rng::new(&[1, 2]).distinct(10, 10));
        assert_ne!(all, Rng::new(&[1, 3]).distinct(10, 10));
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        for seed in 0..200 {
            let mut some = Rng::new(&[seed]).distinct(50, 20);
            some.sort_unstable();
            some.dedup();
            assert_eq!(some.len(), 20);
        }
    }

    #[test]
    fn weights_are_kept() {
        let mut rng = Rng::new(&[9]);
        let mut seen = [0; 3];
        for _ in 0..10_000 {
            seen[rng.weighted(&[1.0, 0.0, 3.0]).unwrap()] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((2_300..2_700).contains(&seen[0]), "{seen:?}");
        assert_eq!(rng.weighted(&[0.0, 0.0]), None);
    }
}
