//! Measures of relevant and not: a grade of `rel` or more is relevant.

use super::ranked::{Ranked, ratio};

/// Values below this count as this in a geometric mean (trec_eval.h `MIN_GEO_MEAN`).
pub(crate) const LEAST: f64 = 0.00001;
/// trec_eval.h `INFAP_EPSILON`.
const EPSILON: f64 = 0.00001;

/// `m_P.c`.
pub(super) fn precision(r: &Ranked<'_>, k: u32, rel: f64) -> f64 {
    r.relevant_in(Some(k), rel) as f64 / f64::from(k)
}

/// `m_rel_P.c`. Without relevant documents trec_eval divides 0 by 0; here the value is 0.
pub(super) fn relative_precision(r: &Ranked<'_>, k: u32, rel: f64) -> f64 {
    let most = (k as usize).min(r.judged.relevant(rel));
    ratio(r.relevant_in(Some(k), rel) as f64, most as f64)
}

/// `m_recall.c`; 0 without relevant documents.
pub(super) fn recall(r: &Ranked<'_>, k: Option<u32>, rel: f64) -> f64 {
    ratio(r.relevant_in(k, rel) as f64, r.judged.relevant(rel) as f64)
}

/// `m_success.c`.
pub(super) fn success(r: &Ranked<'_>, k: u32, rel: f64) -> f64 {
    f64::from(u8::from(r.first(Some(k)).iter().any(|h| h.grade >= rel)))
}

/// `m_recip_rank.c`.
pub(super) fn reciprocal_rank(r: &Ranked<'_>, k: Option<u32>, rel: f64) -> f64 {
    r.first(k)
        .iter()
        .find(|h| h.grade >= rel)
        .map_or(0.0, |h| 1.0 / f64::from(h.rank))
}

/// Sum of the precisions at relevant documents, as in `m_map.c`.
fn precisions(r: &Ranked<'_>, k: Option<u32>, rel: f64) -> f64 {
    let (mut sum, mut found) = (0.0, 0.0);
    for h in r.first(k).iter().filter(|h| h.grade >= rel) {
        found += 1.0;
        sum += found / f64::from(h.rank);
    }
    sum
}

/// `m_map.c`, `m_map_cut.c`: divided by all relevant documents, also under a cutoff.
pub(super) fn average_precision(r: &Ranked<'_>, k: Option<u32>, rel: f64) -> f64 {
    ratio(precisions(r, k, rel), r.judged.relevant(rel) as f64)
}

/// `m_yaap.c`.
pub(super) fn yaap(r: &Ranked<'_>, rel: f64) -> f64 {
    let sum = precisions(r, None, rel);
    ((1.0 + sum) / (1.0 + r.judged.relevant(rel) as f64 - sum)).ln()
}

/// The logarithm of which `exp` of the mean is the geometric mean.
pub(super) fn geometric(value: f64) -> f64 {
    value.max(LEAST).ln()
}

/// `m_Rprec.c`.
pub(super) fn r_precision(r: &Ranked<'_>, rel: f64) -> f64 {
    let all = r.judged.relevant(rel);
    let k = u32::try_from(all).unwrap_or(u32::MAX);
    ratio(r.relevant_in(Some(k), rel) as f64, all as f64)
}

/// `m_Rprec_mult.c`: at `(long) (times × R + 0.9)`.
pub(super) fn r_precision_at(r: &Ranked<'_>, times: f64, rel: f64) -> f64 {
    let k = (times * r.judged.relevant(rel) as f64 + 0.9) as u32;
    ratio(r.relevant_in(Some(k), rel) as f64, f64::from(k))
}

/// `m_bpref.c`: judged documents only; not relevant ones count up to min(R, N).
pub(super) fn bpref(r: &Ranked<'_>, rel: f64) -> f64 {
    let all = r.judged.relevant(rel);
    let not = r.judged.not_relevant(rel);
    let (mut sum, mut seen) = (0.0, 0_usize);
    for h in r.hits.iter().filter(|h| h.grade >= 0.0) {
        if h.grade < rel {
            seen += 1;
        } else if seen > 0 {
            sum += 1.0 - seen.min(all) as f64 / not.min(all) as f64;
        } else {
            sum += 1.0;
        }
    }
    ratio(sum, all as f64)
}

/// `m_infap.c`: a grade below zero is in the pool and not judged.
pub(super) fn inferred_average_precision(r: &Ranked<'_>, rel: f64) -> f64 {
    let (mut sum, mut not, mut found, mut unjudged) = (0.0, 0.0, 0.0, 0.0);
    for h in r.hits {
        if h.grade < 0.0 {
            unjudged += 1.0;
        } else if h.grade < rel {
            not += 1.0;
        } else {
            found += 1.0;
            let before = f64::from(h.rank - 1);
            if h.rank == 1 {
                sum += 1.0;
            } else {
                sum += 1.0 / (before + 1.0)
                    + (before / (before + 1.0))
                        * ((found - 1.0 + not + unjudged) / before)
                        * ((found - 1.0 + EPSILON) / (found - 1.0 + not + 2.0 * EPSILON));
            }
        }
    }
    ratio(sum, r.judged.relevant(rel) as f64)
}

/// `m_iprec_at_recall.c`: the highest precision at this recall or any higher.
pub(super) fn interpolated_precision(r: &Ranked<'_>, recall: f64, rel: f64) -> f64 {
    // Half away from zero, as lround.
    let wanted = (recall * r.judged.relevant(rel) as f64).round() as usize;
    (r.hits.iter().filter(|h| h.grade >= rel).zip(1_usize..))
        .filter(|(_, found)| *found >= wanted)
        .map(|(h, found)| found as f64 / f64::from(h.rank))
        .fold(0.0, f64::max)
}

/// `m_11pt_avg.c`.
pub(super) fn eleven_points(r: &Ranked<'_>, recalls: &[f64], rel: f64) -> f64 {
    // From the highest recall down, as there.
    let sum: f64 = recalls
        .iter()
        .rev()
        .map(|p| interpolated_precision(r, *p, rel))
        .fold(0.0, |a, b| a + b);
    ratio(sum, recalls.len() as f64)
}

/// `m_set_P.c`, and `m_set_rel_P.c` where `relative`.
pub(super) fn set_precision(r: &Ranked<'_>, rel: f64, relative: bool) -> f64 {
    let mut of = r.retrieved as usize;
    if relative {
        of = of.min(r.judged.relevant(rel));
    }
    ratio(r.relevant_in(None, rel) as f64, of as f64)
}

/// `m_set_F.c`.
pub(super) fn set_f(r: &Ranked<'_>, rel: f64, beta: f64) -> f64 {
    let (p, q) = (set_precision(r, rel, false), recall(r, None, rel));
    ratio((beta + 1.0) * p * q, beta * p + q)
}

/// `m_set_map.c`.
pub(super) fn set_average_precision(r: &Ranked<'_>, rel: f64) -> f64 {
    let found = r.relevant_in(None, rel) as f64;
    ratio(
        found * found,
        f64::from(r.retrieved) * r.judged.relevant(rel) as f64,
    )
}

/// `m_utility.c`, with a collection of no known size. A query without answers is worth 0 there.
pub(super) fn utility(r: &Ranked<'_>, c: &[f64], rel: f64) -> f64 {
    let &[a, b, missed, rest] = c else { return 0.0 };
    if r.retrieved == 0 {
        return 0.0;
    }
    let found = r.relevant_in(None, rel) as f64;
    let (given, all) = (f64::from(r.retrieved), r.judged.relevant(rel) as f64);
    a * found + b * (given - found) + missed * (all - found) + rest * (found - given - all)
}

/// `m_binG.c`.
pub(super) fn binary_g(r: &Ranked<'_>, rel: f64) -> f64 {
    let (mut sum, mut found) = (0.0, 0.0);
    for h in r.hits.iter().filter(|h| h.grade >= rel) {
        found += 1.0;
        sum += 1.0 / (2.0 + f64::from(h.rank) - found).log2();
    }
    ratio(sum, r.judged.relevant(rel) as f64)
}

/// ir_measures `judged_provider.py`: by how many were given, not by k.
pub(super) fn judged(r: &Ranked<'_>, k: Option<u32>) -> f64 {
    ratio(r.first(k).len() as f64, f64::from(r.depth(k)))
}

/// `m_unjudged.c`: by k.
pub(super) fn unjudged(r: &Ranked<'_>, k: u32) -> f64 {
    let known = r.first(Some(k)).iter().filter(|h| h.grade >= 0.0).count();
    (f64::from(r.depth(Some(k))) - known as f64) / f64::from(k)
}

/// ir_measures `accuracy_provider.py`; 1 where nothing stands against the relevant, 0 where nothing
/// relevant was given.
pub(super) fn accuracy(r: &Ranked<'_>, k: Option<u32>, rel: f64) -> f64 {
    let (mut above, mut found) = (0.0, 0.0);
    for h in r.first(k).iter().filter(|h| h.grade >= rel) {
        above += f64::from(h.rank - 1) - found;
        found += 1.0;
    }
    let others = f64::from(r.depth(k)) - found;
    if found == 0.0 {
        0.0
    } else if others == 0.0 {
        1.0
    } else {
        1.0 - above / (others * found)
    }
}
