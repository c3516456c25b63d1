//! Lists made together, so that the famous few are not on every one.
//!
//! A pair is worth what each side wants of the other, and as much more as the place is looked at. Of all
//! lists those are sought in which nobody, asker or answerer, gains by a share what others lose by a greater: the
//! greatest Nash social welfare, the sum over both sides of the logarithm of what each has (Tomita and
//! Yokoyama, RecSys 2024). It is concave in how much each place is looked at, and the best list along a slope
//! is a sort: Frank–Wolfe steps (Jaggi 2013), of which the best lists met are taken.

/// Frank–Wolfe steps; the welfare of a market of 500 lists over 2,000 moves by less than a thousandth after 40.
const STEPS: usize = 60;

/// A candidate for a place in a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mutual {
    /// Place of the one who answers, among all.
    pub answerer: usize,
    /// How much the asker wants it, [0, 1].
    pub wants: f64,
    /// How much it wants the asker, [0, 1].
    pub wanted: f64,
}

impl Mutual {
    fn worth(self) -> f64 {
        let share = |x: f64| {
            if x.is_finite() {
                x.clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        share(self.wants) * share(self.wanted)
    }
}

/// How much a place is looked at, from 0: the discount of DCG.
fn looks(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

/// What an asker or an answerer has, and what more is worth to it. The offset keeps one with nothing from
/// outweighing everybody.
struct Welfare {
    offset: f64,
}

impl Welfare {
    fn of(&self, sum: f64) -> f64 {
        (self.offset + sum).ln()
    }

    fn slope(&self, sum: f64) -> f64 {
        1.0 / (self.offset + sum)
    }
}

/// For each asker, its list: places among its candidates, at most so many as `most` says, best first.
///
/// `answerers` is how many there are; a candidate of no such answerer is never listed. Equal input gives equal
/// lists.
pub fn together(candidates: &[Vec<Mutual>], answerers: usize, most: &[usize]) -> Vec<Vec<usize>> {
    let worth: Vec<Vec<f64>> = candidates
        .iter()
        .map(|row| row.iter().map(|m| m.worth()).collect())
        .collect();
    let pairs: usize = candidates.iter().map(Vec::len).sum();
    let mean = worth.iter().flatten().sum::<f64>() / pairs.max(1) as f64;
    let welfare = Welfare {
        offset: mean.max(1e-9),
    };
    let market = Market {
        candidates,
        worth: &worth,
        answerers,
        most,
    };
    // From what each would have alone.
    let mut best = market.sorted(|i, c| worth[i][c]);
    let mut exposure = market.exposure(&best);
    let mut greatest = market.value(&welfare, &exposure);
    for step in 1..=STEPS {
        let (have, given) = market.sums(&exposure);
        let lists = market.sorted(|i, c| {
            let slope = welfare.slope(have[i]) + welfare.slope(given[candidates[i][c].answerer]);
            worth[i][c] * slope
        });
        let met = market.exposure(&lists);
        let value = market.value(&welfare, &met);
        if value > greatest + 1e-12 {
            (greatest, best) = (value, lists);
        }
        let by = 2.0 / (step as f64 + 2.0);
        for (x, y) in exposure.iter_mut().flatten().zip(met.iter().flatten()) {
            *x += by * (y - *x);
        }
    }
    // The mixture is better than any of its lists; the lists nearest to it may be the best.
    let lists = market.sorted(|i, c| exposure[i][c] + worth[i][c] * 1e-6);
    match market.value(&welfare, &market.exposure(&lists)) > greatest + 1e-12 {
        true => lists,
        false => best,
    }
}

struct Market<'a> {
    candidates: &'a [Vec<Mutual>],
    worth: &'a [Vec<f64>],
    answerers: usize,
    most: &'a [usize],
}

impl Market<'_> {
    /// Each asker's candidates by a key, the greatest first, ties in their order.
    fn sorted(&self, key: impl Fn(usize, usize) -> f64) -> Vec<Vec<usize>> {
        let lists = self.candidates.iter().enumerate().map(|(i, row)| {
            let there = |c: &usize| row[*c].answerer < self.answerers;
            let mut keyed: Vec<(f64, usize)> = (0..row.len())
                .filter(there)
                .map(|c| (key(i, c), c))
                .collect();
            keyed.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let most = self.most.get(i).copied().unwrap_or(0);
            keyed.into_iter().take(most).map(|(_, c)| c).collect()
        });
        lists.collect()
    }

    fn exposure(&self, lists: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let rows = self.candidates.iter().zip(lists).map(|(row, list)| {
            let mut out = vec![0.0; row.len()];
            for (place, &c) in list.iter().enumerate() {
                out[c] = looks(place);
            }
            out
        });
        rows.collect()
    }

    /// What each asker and each answerer has.
    fn sums(&self, exposure: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
        let mut have = vec![0.0; self.candidates.len()];
        let mut given = vec![0.0; self.answerers];
        for (i, row) in self.candidates.iter().enumerate() {
            for (c, m) in row
                .iter()
                .enumerate()
                .filter(|(_, m)| m.answerer < self.answerers)
            {
                let x = exposure[i][c] * self.worth[i][c];
                have[i] += x;
                given[m.answerer] += x;
            }
        }
        (have, given)
    }

    fn value(&self, welfare: &Welfare, exposure: &[Vec<f64>]) -> f64 {
        let (have, given) = self.sums(exposure);
        have.iter().chain(&given).map(|s| welfare.of(*s)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    /// A market in which everybody wants the famous, as in Tomita and Yokoyama: wants are half one's own
    /// taste and half fame.
    fn market(n: usize, seed: u64) -> Vec<Vec<Mutual>> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let fame = |rng: &mut rand_chacha::ChaCha8Rng, place: usize| {
            let own: f64 = rng.random();
            0.5 * own + 0.5 * (1.0 - place as f64 / n as f64)
        };
        (0..n)
            .map(|i| {
                (0..n)
                    .map(|j| Mutual {
                        answerer: j,
                        wants: fame(&mut rng, j),
                        wanted: fame(&mut rng, i),
                    })
                    .collect()
            })
            .collect()
    }

    /// Expected matches where an answerer looks at those who have it on their list in the order of its own
    /// wants, as they look at theirs.
    fn expected(m: &[Vec<Mutual>], lists: &[Vec<usize>]) -> f64 {
        let mut callers: Vec<Vec<(f64, usize, usize)>> = vec![Vec::new(); m.len()];
        for (i, list) in lists.iter().enumerate() {
            for (place, &c) in list.iter().enumerate() {
                callers[m[i][c].answerer].push((m[i][c].wanted, i, place));
            }
        }
        let mut sum = 0.0;
        for (j, mut who) in callers.into_iter().enumerate() {
            who.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (back, (wanted, i, place)) in who.into_iter().enumerate() {
                sum += m[i][j].wants * wanted * looks(place) / (back as f64 + 1.0);
            }
        }
        sum
    }

    #[test]
    fn together_more_match_and_fewer_are_left_out() {
        for seed in 0..5 {
            let m = market(75, seed);
            let alone = |key: &dyn Fn(&Mutual) -> f64| -> Vec<Vec<usize>> {
                m.iter()
                    .map(|row| {
                        let mut order: Vec<usize> = (0..row.len()).collect();
                        order.sort_by(|a, b| key(&row[*b]).total_cmp(&key(&row[*a])));
                        order.truncate(10);
                        order
                    })
                    .collect()
            };
            let naive = alone(&|c| c.wants);
            let product = alone(&|c| c.worth());
            let joint = together(&m, 75, &[10; 75]);
            let (a, b, c) = (
                expected(&m, &naive),
                expected(&m, &product),
                expected(&m, &joint),
            );
            assert!(c > 1.15 * b && c > 1.5 * a, "{a} {b} {c}");
            let nobody = |lists: &[Vec<usize>]| {
                let on: std::collections::HashSet<usize> =
                    lists.iter().flatten().copied().collect();
                75 - on.len()
            };
            assert_eq!(nobody(&joint), 0);
            assert!(nobody(&product) > 5, "{}", nobody(&product));
            assert_eq!(joint, together(&m, 75, &[10; 75]));
            for list in &joint {
                let set: std::collections::HashSet<_> = list.iter().collect();
                assert_eq!((list.len(), set.len()), (10, 10));
            }
        }
    }

    /// All lists of two over three, for three askers: none has a greater welfare by more than what a mixture
    /// rounds away.
    #[test]
    fn near_the_best_of_all_lists() {
        for seed in 0..20 {
            let m = market(3, seed);
            let worth: Vec<Vec<f64>> = m
                .iter()
                .map(|r| r.iter().map(|c| c.worth()).collect())
                .collect();
            let mean = worth.iter().flatten().sum::<f64>() / 9.0;
            let welfare = Welfare { offset: mean };
            let market = Market {
                candidates: &m,
                worth: &worth,
                answerers: 3,
                most: &[2; 3],
            };
            let value = |lists: &[Vec<usize>]| market.value(&welfare, &market.exposure(lists));
            let orders = [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]];
            let mut best = f64::NEG_INFINITY;
            for a in orders {
                for b in orders {
                    for c in orders {
                        best = best.max(value(&[a.to_vec(), b.to_vec(), c.to_vec()]));
                    }
                }
            }
            let got = value(&together(&m, 3, &[2; 3]));
            assert!(got <= best + 1e-9 && got > best - 0.1, "{got} of {best}");
        }
    }

    #[test]
    fn what_is_not_there_or_no_number_harms_nobody() {
        let odd = |answerer, wants| Mutual {
            answerer,
            wants,
            wanted: 1.0,
        };
        let rows = [
            vec![odd(0, f64::NAN), odd(1, -1.0), odd(9, 1.0), odd(1, 0.5)],
            Vec::new(),
        ];
        let lists = together(&rows, 2, &[2; 2]);
        assert_eq!(lists[0].first(), Some(&3));
        assert!(!lists[0].contains(&2) && lists[1].is_empty());
        assert!(together(&[], 0, &[]).is_empty());
        assert!(together(&rows, 2, &[0; 2]).iter().all(Vec::is_empty));
    }
}
