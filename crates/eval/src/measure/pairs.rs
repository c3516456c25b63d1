//! Measures of pairs of judged documents. A document that was not given stands below all that were,
//! beside the others that were not.

use super::ranked::Ranked;

/// Grade and score of every judged document, by place.
fn scored(r: &Ranked<'_>) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = r
        .judged
        .iter()
        .map(|(_, grade)| (grade, f64::NEG_INFINITY))
        .collect();
    for h in r.hits {
        if let Some(d) = out.get_mut(h.place as usize) {
            d.1 = h.score;
        }
    }
    out.retain(|d| d.0 >= 0.0);
    out
}

/// Stelmakh et al. 2023: (loss, weight) with loss in [0, 1] and weight the sum of differences of
/// grades. A pair in the wrong order costs its difference, a tie half of it.
pub(super) fn kendall_loss(r: &Ranked<'_>) -> (f64, f64) {
    let docs = scored(r);
    let (mut loss, mut weight) = (0.0, 0.0);
    each_pair(&docs, |better, worse| {
        let difference = better.0 - worse.0;
        weight += difference;
        loss += difference * wrong(better.1, worse.1);
    });
    if weight > 0.0 {
        (loss / weight, weight)
    } else {
        (f64::NAN, 0.0)
    }
}

/// Share of pairs in the right order, and how many pairs there are.
pub(super) fn triplets(r: &Ranked<'_>, gap: f64, least: f64) -> (f64, f64) {
    let docs = scored(r);
    let (mut right, mut pairs) = (0.0, 0.0);
    each_pair(&docs, |better, worse| {
        if better.0 - worse.0 >= gap && worse.0 >= least {
            pairs += 1.0;
            right += 1.0 - wrong(better.1, worse.1);
        }
    });
    if pairs > 0.0 {
        (right / pairs, pairs)
    } else {
        (f64::NAN, 0.0)
    }
}

/// 1 / (1 + mean absolute error) of scores as grades, and how many judged pairs there are. A
/// document that was not given counts as scored 0.
pub(super) fn inverse_error(r: &Ranked<'_>) -> (f64, f64) {
    let docs = scored(r);
    if docs.is_empty() {
        return (f64::NAN, 0.0);
    }
    let error: f64 = docs
        .iter()
        .map(|(grade, score)| {
            let score = if *score == f64::NEG_INFINITY {
                0.0
            } else {
                *score
            };
            (score - grade).abs()
        })
        .sum();
    let n = docs.len() as f64;
    (1.0 / (1.0 + error / n), n)
}

/// 0 right, ½ tied, 1 wrong.
fn wrong(better: f64, worse: f64) -> f64 {
    if better > worse {
        0.0
    } else if better == worse {
        0.5
    } else {
        1.0
    }
}

fn each_pair(docs: &[(f64, f64)], mut take: impl FnMut((f64, f64), (f64, f64))) {
    for (i, a) in docs.iter().enumerate() {
        for b in docs.iter().skip(i + 1) {
            if a.0 > b.0 {
                take(*a, *b);
            } else if b.0 > a.0 {
                take(*b, *a);
            }
        }
    }
}
