//! Who is like whom among the candidates.
//!
//! A record that says little of itself, or says it in other words, is known by those that are most like it:
//! where they answer a question better than it seems to, it is likely to answer better than it seems to.
//! Only that lifts: whoever stands out among those like it loses nothing.

/// So many of the others that are most like one speak for it.
const OF: usize = 3;
/// From this cosine on a record counts as alike …
const ALIKE: f64 = 0.55;
/// … and fully, so much further on.
const SPAN: f64 = 0.2;

/// The nearest of each candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// (who, how much it counts), up to [`OF`] of each.
    of: Vec<Vec<(usize, f64)>>,
}

impl Neighbours {
    /// Of `n` candidates, by their cosines; of equally near ones the first counts.
    pub fn new(n: usize, alike: impl Fn(usize, usize) -> f64) -> Self {
        let nearest = |i: usize| {
            let mut best: Vec<(usize, f64)> = Vec::with_capacity(OF + 1);
            for j in (0..n).filter(|j| *j != i) {
                let cosine = alike(i, j);
                let at = best.partition_point(|(_, b)| *b >= cosine);
                if at < OF && cosine > ALIKE {
                    best.insert(at, (j, cosine));
                    best.truncate(OF);
                }
            }
            let counts = |(j, c): (usize, f64)| (j, ((c - ALIKE) / SPAN).min(1.0) / OF as f64);
            best.into_iter().map(counts).collect()
        };
        Self {
            of: (0..n).map(nearest).collect(),
        }
    }

    /// How much better those most like each candidate answer than it does itself: the mean over three of them of
    /// what they have more, less where they are less alike. 0 where none has more.
    pub fn lift(&self, answers: &[f64]) -> Vec<f64> {
        let more = |(i, near): (usize, &Vec<(usize, f64)>)| {
            near.iter()
                .map(|(j, counts)| counts * (answers[*j] - answers[i]).max(0.0))
                .sum()
        };
        self.of.iter().enumerate().map(more).collect()
    }
}

/// So many of the best make up the centre.
pub const CENTRE_OF: usize = 30;

/// How near each of `n` candidates, best first, is to the mean of the first [`CENTRE_OF`] (their vectors have length
/// one): the best answers together say more of what is asked than the question does. 0 where they have no common
/// direction, or it points away from it: nobody is lowered.
pub fn centre(n: usize, alike: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let of = n.min(CENTRE_OF);
    let sum = |i: usize| (0..of).map(|j| alike(i, j)).sum::<f64>();
    let length = (0..of).map(sum).sum::<f64>().max(0.0).sqrt();
    let cosine = |i: usize| (sum(i) / length).clamp(0.0, 1.0);
    (0..n)
        .map(|i| if length > 1e-9 { cosine(i) } else { 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_like_better_ones_is_lifted_and_nobody_falls() {
        // 0, 1, 2 and 3 are alike, 4 is half like 0, 5 is like nobody.
        let alike = |i: usize, j: usize| match (i.min(j), i.max(j)) {
            (0..=3, 0..=3) => 0.9,
            (0, 4) => 0.65,
            _ => 0.2,
        };
        let near = Neighbours::new(6, alike);
        let lift = near.lift(&[0.6, 0.3, 0.3, 0.0, 0.2, 0.1]);
        let expected = [
            0.0,
            0.3 / 3.0,
            0.3 / 3.0,
            (0.6 + 0.3 + 0.3) / 3.0,
            0.5 * 0.4 / 3.0,
            0.0,
        ];
        for (i, (found, expected)) in lift.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-12, "{i}: {found} {expected}");
        }
    }

    #[test]
    fn the_centre_is_that_of_the_best() {
        // In the plane: the best are at 0°, 90° and, the rest of them, at 45°; one more stands at 225°.
        let angle = |i: usize| match i {
            0 => 0.0f64,
            1 => 90.0,
            CENTRE_OF => 225.0,
            _ => 45.0,
        };
        let alike = |i: usize, j: usize| (angle(i) - angle(j)).to_radians().cos();
        let near = centre(CENTRE_OF + 1, alike);
        for (i, cosine) in near.iter().enumerate() {
            let expected = (angle(i) - 45.0).to_radians().cos().max(0.0);
            assert!(
                (cosine - expected).abs() < 1e-12,
                "{i}: {cosine} {expected}"
            );
        }
        // Against each other they have no centre.
        let apart = |i: usize, j: usize| if i == j { 1.0 } else { -1.0 };
        assert_eq!(centre(2, apart), [0.0; 2]);
        assert_eq!(centre(0, apart), [0.0; 0]);
    }

    #[test]
    fn three_of_many_count_the_first_of_equals() {
        let near = Neighbours::new(5, |_, _| 1.0);
        assert_eq!(near.lift(&[0.0, 1.0, 1.0, 1.0, 7.0])[0], 1.0);
        assert_eq!(near.lift(&[0.0; 5]), [0.0; 5]);
        assert_eq!(Neighbours::new(0, |_, _| 1.0).lift(&[]), [0.0; 0]);
        assert_eq!(Neighbours::new(1, |_, _| 1.0).lift(&[0.5]), [0.0]);
    }
}
