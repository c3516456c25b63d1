//! A set of lists together: who is shown, and how unevenly.

use serde::Serialize;

/// How often each document of a supply was shown, over all lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exposure {
    /// Times shown, the least first; those never shown are among them, as 0.
    counts: Vec<u32>,
}

impl Exposure {
    /// From the counts of those shown, and how many there are to show. A supply smaller than what
    /// was shown is taken to be what was shown.
    pub fn new(shown: impl IntoIterator<Item = u32>, supply: usize) -> Self {
        let mut counts: Vec<u32> = shown.into_iter().filter(|n| *n > 0).collect();
        let never = supply.saturating_sub(counts.len());
        counts.extend(std::iter::repeat_n(0, never));
        counts.sort_unstable();
        Exposure { counts }
    }

    /// Documents that could be shown.
    pub fn supply(&self) -> usize {
        self.counts.len()
    }

    /// Share of the supply that was shown at all, in [0, 1].
    pub fn share_shown(&self) -> f64 {
        let shown = self.counts.iter().filter(|n| **n > 0).count();
        shown as f64 / self.counts.len().max(1) as f64
    }

    /// How often the document that was shown most was shown.
    pub fn largest_load(&self) -> u32 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// Gini's coefficient of the counts (Gini 1912; for rankings, Biega, Gummadi and Weikum, SIGIR
    /// 2018): 0 where all are shown equally often, near 1 where one is shown alone. 0 where nothing
    /// was shown.
    pub fn gini(&self) -> f64 {
        let n = self.counts.len() as f64;
        let (mut weighted, mut sum) = (0.0, 0.0);
        for (c, i) in self.counts.iter().zip(1..) {
            weighted += f64::from(i) * f64::from(*c);
            sum += f64::from(*c);
        }
        if sum == 0.0 {
            return 0.0;
        }
        2.0 * weighted / (n * sum) - (n + 1.0) / n
    }

    /// Lorenz's curve at `points` + 1 even places: share of all showings that the least shown
    /// documents have, against their share of the supply.
    pub fn curve(&self, points: usize) -> Vec<(f64, f64)> {
        let total: f64 = self.counts.iter().map(|c| f64::from(*c)).sum();
        let mut sums = Vec::with_capacity(self.counts.len() + 1);
        let mut sum = 0.0;
        sums.push(0.0);
        for c in &self.counts {
            sum += f64::from(*c);
            sums.push(sum);
        }
        (0..=points)
            .map(|i| {
                let x = i as f64 / points.max(1) as f64;
                let at = x * self.counts.len() as f64;
                let low = sums.get(at as usize).copied().unwrap_or(0.0);
                let high = sums.get(at as usize + 1).copied().unwrap_or(low);
                let y = low + (high - low) * at.fract();
                (x, if total > 0.0 { y / total } else { 0.0 })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &[u32], supply: usize, gini: f64, share: f64, largest: u32) {
        let e = Exposure::new(shown.iter().copied(), supply);
        assert!((e.gini() - gini).abs() < 1e-12, "{shown:?}: {}", e.gini());
        assert!((e.share_shown() - share).abs() < 1e-12);
        assert_eq!(e.largest_load(), largest);
        // Twice the area between the diagonal and the curve, by trapezia at its own corners.
        let curve = e.curve(e.supply());
        let area: f64 = curve
            .windows(2)
            .map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0)
            .sum();
        if !shown.is_empty() {
            assert!((1.0 - 2.0 * area - gini).abs() < 1e-12, "{area}");
        }
    }

    #[test]
    fn by_hand() {
        check(&[3, 3, 3, 3], 4, 0.0, 1.0, 3);
        check(&[10], 10, 0.9, 0.1, 10);
        check(&[1, 3], 2, 0.25, 1.0, 3);
        check(&[1, 3], 4, 0.625, 0.5, 3);
        check(&[], 4, 0.0, 0.0, 0);
    }
}
