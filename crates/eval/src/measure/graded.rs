//! Measures of graded relevance.

use super::ranked::{Hit, Ranked, ratio};
use std::sync::LazyLock;

/// How gain comes of a grade.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Gain {
    /// The grade.
    Linear,
    /// 2^grade − 1.
    Exponential,
    /// By a table; the grade where the table is silent.
    Table(Vec<(i64, f64)>),
}

impl Gain {
    /// Never below zero.
    pub(super) fn of(&self, grade: f64) -> f64 {
        if grade < 0.0 {
            return 0.0;
        }
        match self {
            Gain::Linear => grade,
            Gain::Exponential => grade.exp2() - 1.0,
            Gain::Table(t) => t
                .iter()
                .find(|(g, _)| *g as f64 == grade)
                .map_or(grade, |(_, v)| *v),
        }
    }

    /// The gains of the ideal ranking, the highest first; zeros left out.
    fn ideal<'a>(&self, r: &Ranked<'a>, own: &'a mut Vec<f64>) -> &'a [f64] {
        let grades = r.judged.ideal();
        if *self == Gain::Linear {
            return grades
                .get(..r.judged.relevant(f64::MIN_POSITIVE))
                .unwrap_or(grades);
        }
        own.clear();
        own.extend(grades.iter().map(|g| self.of(*g)).filter(|g| *g > 0.0));
        own.sort_unstable_by(|a, b| b.total_cmp(a));
        own
    }
}

/// log2(rank + 1), from rank 1.
static DISCOUNTS: LazyLock<Vec<f64>> =
    LazyLock::new(|| (1..=4096_u32).map(|r| f64::from(r + 1).log2()).collect());

fn discount(rank: u32) -> f64 {
    match DISCOUNTS.get(rank as usize - 1) {
        Some(d) => *d,
        None => f64::from(rank + 1).log2(),
    }
}

fn dcg(hits: &[Hit], gain: &Gain) -> f64 {
    let mut sum = 0.0;
    for h in hits {
        let g = gain.of(h.grade);
        if g > 0.0 {
            sum += g / discount(h.rank);
        }
    }
    sum
}

fn dcg_of_ideal(ideal: &[f64], k: Option<u32>) -> f64 {
    let k = k.map_or(ideal.len(), |k| ideal.len().min(k as usize));
    (ideal.iter().take(k).zip(1..)).fold(0.0, |sum, (g, rank)| sum + g / discount(rank))
}

/// `m_ndcg.c` without division.
pub(super) fn discounted_gain(r: &Ranked<'_>, k: Option<u32>, gain: &Gain) -> f64 {
    dcg(r.first(k), gain)
}

/// `m_ndcg.c`, of the ideal ranking.
pub(super) fn ideal_discounted_gain(r: &Ranked<'_>, k: Option<u32>, gain: &Gain) -> f64 {
    dcg_of_ideal(gain.ideal(r, &mut Vec::new()), k)
}

/// `m_ndcg.c`, `m_ndcg_cut.c`, `gdeval.pl`.
pub(super) fn ndcg(r: &Ranked<'_>, k: Option<u32>, gain: &Gain) -> f64 {
    let sum = dcg(r.first(k), gain);
    if sum == 0.0 {
        return 0.0;
    }
    ratio(sum, ideal_discounted_gain(r, k, gain))
}

/// The gains of all ranks up to the last hit.
fn gains_by_rank(r: &Ranked<'_>, gain: &Gain) -> Vec<f64> {
    let mut out = vec![0.0; r.retrieved as usize];
    for h in r.hits {
        if let Some(slot) = out.get_mut(h.rank as usize - 1) {
            *slot = gain.of(h.grade);
        }
    }
    out
}

/// `m_G.c`.
pub(super) fn g(r: &Ranked<'_>, gain: &Gain) -> f64 {
    let mut own = Vec::new();
    let ideal = gain.ideal(r, &mut own);
    let (mut sum, mut got, mut cost) = (0.0, 0.0, 0.0);
    for (i, gain) in gains_by_rank(r, gain).into_iter().enumerate() {
        got += gain;
        cost += ideal.get(i).copied().unwrap_or(0.0).max(1.0);
        if gain > 0.0 {
            sum += gain / (2.0 + cost - got).log2();
        }
    }
    ratio(sum, ideal.iter().fold(0.0, |a, b| a + b))
}

/// `m_ndcg_rel.c`.
pub(super) fn ndcg_at_relevant(r: &Ranked<'_>, gain: &Gain) -> f64 {
    let mut own = Vec::new();
    let ideal = gain.ideal(r, &mut own);
    let (mut sum, mut dcg, mut best, mut found) = (0.0, 0.0, 0.0, 0.0);
    let mut rank = 0;
    for gain in gains_by_rank(r, gain) {
        rank += 1;
        if gain > 0.0 {
            dcg += gain / discount(rank);
        }
        if let Some(i) = ideal.get(rank as usize - 1) {
            best += i / discount(rank);
        }
        if gain > 0.0 {
            sum += dcg / best;
            found += 1.0;
        }
    }
    for (i, rank) in ideal.iter().zip(1..).skip(rank as usize) {
        best += i / discount(rank);
    }
    let all = ideal.len() as f64;
    if all == 0.0 {
        return 0.0;
    }
    sum += (all - found) * dcg / best;
    sum / all
}

/// `m_Rndcg.c`. Without relevant documents trec_eval divides 0 by 0; here the value is 0.
pub(super) fn ndcg_at_levels(r: &Ranked<'_>, gain: &Gain) -> f64 {
    let mut own = Vec::new();
    let ideal = gain.ideal(r, &mut own);
    let ideal_at = |i: usize| ideal.get(i).copied().unwrap_or(0.0);
    let gains = gains_by_rank(r, gain);
    let (mut sum, mut points, mut dcg, mut best) = (0.0, 0.0, 0.0, 0.0);
    let mut level = ideal_at(0);
    // Up to the rank where the ideal ranking has nothing more to give, that rank included.
    for i in 0..=ideal.len() {
        if ideal_at(i) != level {
            if best > 0.0 {
                sum += dcg / best;
                points += 1.0;
            }
            level = ideal_at(i);
        }
        let rank = i as u32 + 1;
        dcg += gains.get(i).copied().unwrap_or(0.0) / discount(rank);
        best += ideal_at(i) / discount(rank);
    }
    if gains.len() > ideal.len() + 1 {
        for (g, rank) in gains.iter().zip(1..).skip(ideal.len() + 1) {
            if *g > 0.0 {
                dcg += g / discount(rank);
            }
        }
        if best > 0.0 {
            sum += dcg / best;
            points += 1.0;
        }
    }
    ratio(sum, points)
}

/// Chapelle et al. 2009, as `gdeval.pl` computes it.
pub(super) fn expected_reciprocal_rank(r: &Ranked<'_>, k: Option<u32>, highest: f64) -> f64 {
    let (mut sum, mut left) = (0.0, 1.0);
    let most = highest.exp2();
    for h in r.first(k).iter().filter(|h| h.grade > 0.0) {
        let satisfied = (h.grade.exp2() - 1.0) / most;
        sum += satisfied * left / f64::from(h.rank);
        left *= 1.0 - satisfied;
    }
    sum
}

/// p^(rank − 1) for the ranks of hits, by repeated multiplication as trec_eval does.
struct Powers {
    p: f64,
    rank: u32,
    value: f64,
}

impl Powers {
    fn new(p: f64) -> Self {
        Powers {
            p,
            rank: 1,
            value: 1.0,
        }
    }

    fn at(&mut self, rank: u32) -> f64 {
        while self.rank < rank && self.value > 0.0 {
            self.value *= self.p;
            self.rank += 1;
        }
        self.value
    }
}

/// (1 − p) Σ gain p^(rank − 1), over infinitely many ranks.
pub(super) fn rank_biased_precision(
    r: &Ranked<'_>,
    k: Option<u32>,
    p: f64,
    gain: impl Fn(f64) -> f64,
) -> f64 {
    let mut powers = Powers::new(p);
    let mut sum = 0.0;
    for h in r.first(k) {
        let g = gain(h.grade);
        if g > 0.0 {
            sum += g * powers.at(h.rank);
        }
    }
    (1.0 - p) * sum
}

/// `m_rbp_resid.c`: what answers not judged weigh, and what comes after the last one; 0 where all
/// are judged, as there.
pub(super) fn rbp_residual(r: &Ranked<'_>, p: f64) -> f64 {
    let mut powers = Powers::new(p);
    let mut known = r.hits.iter().filter(|h| h.grade >= 0.0).peekable();
    let (mut sum, mut unjudged) = (0.0, false);
    for rank in 1..=r.retrieved {
        let weight = powers.at(rank);
        if known.next_if(|h| h.rank == rank).is_none() {
            sum += weight;
            unjudged = true;
        }
    }
    if unjudged {
        powers.at(r.retrieved + 1) + (1.0 - p) * sum
    } else {
        0.0
    }
}

/// Clarke et al. 2021, as ir_measures `compat_provider.py` computes it: rank-biased overlap with
/// the ideal ranking, whose ties are broken in the system's favour.
pub(super) fn compatibility(r: &Ranked<'_>, p: f64, normalize: bool) -> f64 {
    let ideal = r.judged.relevant(f64::MIN_POSITIVE);
    let depth = ideal.max(r.retrieved as usize);
    if ideal == 0 {
        return 0.0;
    }
    // Relevant answers by grade, then by rank: their places in the ideal ranking.
    let mut given: Vec<(f64, u32)> = r
        .hits
        .iter()
        .filter(|h| h.grade > 0.0)
        .map(|h| (h.grade, h.rank))
        .collect();
    given.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    // At which depth each comes to be in both rankings.
    let mut joins = vec![0_u32; depth + 1];
    let (mut grade, mut place) = (f64::INFINITY, 0);
    for (g, rank) in given {
        if g < grade {
            // Documents of higher grades stand before, given or not.
            place = r.judged.ideal().partition_point(|x| *x > g);
            grade = g;
        }
        place += 1;
        if let Some(n) = joins.get_mut(place.max(rank as usize)) {
            *n += 1;
        }
    }
    let (mut shared, mut weight) = (0_u32, 1.0);
    let (mut score, mut best, mut all) = (0.0, 0.0, 0.0);
    for (i, n) in joins.iter().enumerate().skip(1) {
        shared += n;
        score += weight * f64::from(shared) / i as f64;
        best += weight * ideal.min(i) as f64 / i as f64;
        all += weight;
        weight *= p;
    }
    let score = ratio(score, all);
    if normalize {
        ratio(score, ratio(best, all))
    } else {
        score
    }
}
