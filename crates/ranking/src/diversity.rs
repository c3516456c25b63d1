//! Lists that do not say the same ten times: MMR and xQuAD, with relevance kept.

/// How much of a list's relevance is given up for diversity, step by step.
const STEPS: usize = 20;

/// A list in another order.
#[derive(Debug, Clone, PartialEq)]
pub struct Diverse {
    /// Places of the candidates, in the order of the list.
    pub order: Vec<usize>,
    /// Discounted relevance as a share of that of the list by score alone, [0, 1].
    pub kept: f64,
}

/// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the most diverse list of `k` that
/// keeps at least `least` of the relevance. `scores` are ≥ 0 and fall; `similar` is in [0, 1].
///
/// Relevance is the discounted sum of scores (DCG's logarithmic discount).
pub fn mmr(scores: &[f64], similar: impl Fn(usize, usize) -> f64, k: usize, least: f64) -> Diverse {
    let top = scores.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    most_diverse(scores, k, least, |trade| {
        // The nearest of those taken, kept up as the list grows.
        let mut nearest = vec![0.0_f64; scores.len()];
        greedy(scores.len(), k, |i, taken| {
            if let Some(last) = taken {
                nearest[i] = nearest[i].max(similar(i, last));
            }
            (1.0 - trade) * scores[i] / top - trade * nearest[i]
        })
    })
}

/// xQuAD (Santos, Macdonald and Ounis, WWW 2010): the list of `k` that leaves the least of the question
/// uncovered and keeps at least `least` of the relevance. `covers(i, a)` in [0, 1] says how well
/// candidate `i` answers aspect `a`; aspects count alike.
pub fn xquad(
    scores: &[f64],
    aspects: usize,
    covers: impl Fn(usize, usize) -> f64,
    k: usize,
    least: f64,
) -> Diverse {
    let top = scores.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    most_diverse(scores, k, least, |trade| {
        let mut uncovered = vec![1.0_f64; aspects];
        let mut counted = None;
        greedy(scores.len(), k, |i, taken| {
            if taken != counted {
                counted = taken;
                if let Some(last) = taken {
                    for (a, u) in uncovered.iter_mut().enumerate() {
                        *u *= 1.0 - covers(last, a).clamp(0.0, 1.0);
                    }
                }
            }
            let news: f64 = uncovered
                .iter()
                .enumerate()
                .fold(0.0, |sum, (a, u)| sum + u * covers(i, a).clamp(0.0, 1.0));
            (1.0 - trade) * scores[i] / top + trade * news / aspects.max(1) as f64
        })
    })
}

/// The list of the greatest trade that keeps enough.
fn most_diverse(scores: &[f64], k: usize, least: f64, list: impl Fn(f64) -> Vec<usize>) -> Diverse {
    let worth = |order: &[usize]| {
        let each = order.iter().enumerate();
        each.fold(0.0, |sum, (place, i)| {
            sum + scores[*i].max(0.0) / (place as f64 + 2.0).log2()
        })
    };
    let plain: Vec<usize> = (0..scores.len().min(k)).collect();
    let ideal = worth(&plain);
    let kept = |order: &[usize]| match ideal > 0.0 {
        true => (worth(order) / ideal).min(1.0),
        false => 1.0,
    };
    for step in (1..=STEPS).rev() {
        let order = list(step as f64 / STEPS as f64);
        let kept = kept(&order);
        if kept >= least {
            return Diverse { order, kept };
        }
    }
    Diverse {
        order: plain,
        kept: 1.0,
    }
}

/// Takes the best of what is left, `k` times; `value` is told who was taken last. The first of equals.
fn greedy(n: usize, k: usize, mut value: impl FnMut(usize, Option<usize>) -> f64) -> Vec<usize> {
    let mut left: Vec<usize> = (0..n).collect();
    let mut out: Vec<usize> = Vec::with_capacity(k.min(n));
    while out.len() < k && !left.is_empty() {
        let last = out.last().copied();
        let mut best: Option<(usize, f64)> = None;
        for (at, &i) in left.iter().enumerate() {
            let v = value(i, last);
            if best.is_none_or(|b| v > b.1) {
                best = Some((at, v));
            }
        }
        match best {
            Some((at, _)) => out.push(left.remove(at)),
            None => break,
        }
    }
    out
}

/// Draws `places` of the candidates, each with a probability in proportion to its weight, and says with
/// which: systematic sampling (Madow 1949), whose probabilities are exact. `draw` is in [0, 1).
///
/// Weights are > 0. Nobody's probability is above 1: what is left goes to the others.
pub fn draw(weights: &[f64], places: usize, draw: f64) -> Vec<(usize, f64)> {
    let n = weights.len();
    if places >= n {
        return (0..n).map(|i| (i, 1.0)).collect();
    }
    let mut p = vec![0.0; n];
    let mut sure = vec![false; n];
    loop {
        let taken = sure.iter().filter(|s| **s).count();
        let rest: f64 = (0..n).filter(|i| !sure[*i]).map(|i| weights[i]).sum();
        let mut again = false;
        for i in 0..n {
            p[i] = match sure[i] {
                true => 1.0,
                false => (places - taken) as f64 * weights[i] / rest,
            };
            if p[i] > 1.0 && !sure[i] {
                sure[i] = true;
                again = true;
            }
        }
        if !again {
            break;
        }
    }
    let mut out = Vec::with_capacity(places);
    let (mut sum, mut next) = (0.0, draw.clamp(0.0, 1.0 - f64::EPSILON));
    for (i, p) in p.iter().enumerate() {
        sum += p;
        if sum > next && out.len() < places {
            out.push((i, *p));
            next += 1.0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three groups of alike candidates, falling scores.
    fn alike(i: usize, j: usize) -> f64 {
        if i % 3 == j % 3 { 1.0 } else { 0.0 }
    }

    #[test]
    fn relevance_is_kept_and_groups_are_mixed() {
        let scores: Vec<f64> = (0..30)
            .map(|i| 1.0 - 0.001 * (i / 3 + 10 * (i % 3)) as f64)
            .collect();
        let mut sorted: Vec<usize> = (0..30).collect();
        sorted.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let s: Vec<f64> = sorted.iter().map(|i| scores[*i]).collect();
        let similar = |i: usize, j: usize| alike(sorted[i], sorted[j]);
        let groups = |d: &Diverse, k: usize| {
            let mut g: Vec<usize> = d.order.iter().take(k).map(|i| sorted[*i] % 3).collect();
            g.sort_unstable();
            g.dedup();
            g.len()
        };
        let plain = mmr(&s, similar, 6, 1.0);
        assert_eq!((plain.order.clone(), plain.kept), ((0..6).collect(), 1.0));
        assert_eq!(groups(&plain, 6), 1);
        for least in [0.9, 0.99] {
            let d = mmr(&s, similar, 6, least);
            assert!(d.kept >= least && d.kept <= 1.0);
            assert_eq!(groups(&d, 3), 3, "{least}: {:?}", d.order);
            let mut unique = d.order.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), 6);
        }
    }

    /// Brute force over all lists of three: none covers more among those that xQuAD's trade values.
    #[test]
    fn aspects_are_covered() {
        // One candidate for each aspect stands behind ten that answer the first.
        let scores: Vec<f64> = (0..13).map(|i| 1.0 - 0.005 * i as f64).collect();
        let covers = |i: usize, a: usize| match i {
            0..=9 => f64::from(u8::from(a == 0)),
            i => f64::from(u8::from(a == i - 9)),
        };
        let d = xquad(&scores, 4, covers, 4, 0.9);
        let mut order = d.order.clone();
        order.sort_unstable();
        assert_eq!(order, [0, 10, 11, 12]);
        assert_eq!(xquad(&scores, 4, covers, 4, 1.0).order, [0, 1, 2, 3]);
        assert_eq!(xquad(&[], 4, covers, 4, 0.9).order, Vec::<usize>::new());
        assert_eq!(mmr(&[0.0, 0.0], |_, _| 1.0, 5, 0.5).order.len(), 2);
    }

    #[test]
    fn probabilities_are_what_they_are_said_to_be() {
        let weights = [5.0, 1.0, 1.0, 0.5, 0.25, 8.0, 0.25];
        let mut counts = [0_u32; 7];
        let mut told = [0.0; 7];
        let rounds = 20_000;
        for r in 0..rounds {
            let u = f64::from(r) / f64::from(rounds);
            let drawn = draw(&weights, 3, u);
            assert_eq!(drawn.len(), 3);
            for (i, p) in drawn {
                counts[i] += 1;
                told[i] = p;
            }
        }
        for (c, p) in counts.iter().zip(told) {
            assert!(
                (f64::from(*c) / f64::from(rounds) - p).abs() < 1e-3,
                "{counts:?} {told:?}"
            );
        }
        assert_eq!((told[0], told[5]), (1.0, 1.0), "the weightiest are sure");
        assert_eq!(draw(&weights, 9, 0.3).len(), 7);
        assert_eq!(draw(&[], 2, 0.0), []);
    }
}
