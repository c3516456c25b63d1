//! Which function computes which measure.

use super::{
    binary, cwl,
    diversity::{Topics, discount},
    graded, pairs,
    plan::{Diverse, Op},
    ranked::Ranked,
};

impl Op {
    /// The value for one query, and how much it weighs where values are pooled.
    pub(super) fn compute(&self, r: &Ranked<'_>) -> (f64, f64) {
        let value = match self {
            Op::P { k, rel } => binary::precision(r, *k, *rel),
            Op::RelP { k, rel } => binary::relative_precision(r, *k, *rel),
            Op::R { k, rel } => binary::recall(r, *k, *rel),
            Op::Ap { k, rel } => binary::average_precision(r, *k, *rel),
            Op::GmAp { rel } => binary::geometric(binary::average_precision(r, None, *rel)),
            Op::Yaap { rel } => binary::yaap(r, *rel),
            Op::Rr { k, rel } => binary::reciprocal_rank(r, *k, *rel),
            Op::Rprec { rel } => binary::r_precision(r, *rel),
            Op::RprecMult { times, rel } => binary::r_precision_at(r, *times, *rel),
            Op::Bpref { rel } => binary::bpref(r, *rel),
            Op::GmBpref { rel } => binary::geometric(binary::bpref(r, *rel)),
            Op::InfAp { rel } => binary::inferred_average_precision(r, *rel),
            Op::Success { k, rel } => binary::success(r, *k, *rel),
            Op::IPrec { recall, rel } => binary::interpolated_precision(r, *recall, *rel),
            Op::ElevenPoint { recalls, rel } => binary::eleven_points(r, recalls, *rel),
            Op::SetP { rel, relative } => binary::set_precision(r, *rel, *relative),
            Op::SetF { rel, beta } => binary::set_f(r, *rel, *beta),
            Op::SetAp { rel } => binary::set_average_precision(r, *rel),
            Op::NumQ => 1.0,
            Op::NumRet { rel: None } => f64::from(r.retrieved),
            Op::NumRet { rel: Some(rel) } => r.relevant_in(None, *rel) as f64,
            Op::NumRel { rel } => r.judged.relevant(*rel) as f64,
            Op::NumNonrel { rel } => {
                let judged = |h: &&super::Hit| h.grade >= 0.0 && h.grade < *rel;
                r.hits.iter().filter(judged).count() as f64
            }
            Op::Utility { c, rel } => binary::utility(r, c, *rel),
            Op::BinG { rel } => binary::binary_g(r, *rel),
            Op::Judged { k } => binary::judged(r, *k),
            Op::Unjudged { k } => binary::unjudged(r, *k),
            Op::Accuracy { k, rel } => binary::accuracy(r, *k, *rel),
            Op::Ndcg { k, gain } => graded::ndcg(r, *k, gain),
            Op::Dcg { k, gain } => graded::discounted_gain(r, *k, gain),
            Op::IdealDcg { k, gain } => graded::ideal_discounted_gain(r, *k, gain),
            Op::NdcgRel { gain } => graded::ndcg_at_relevant(r, gain),
            Op::RNdcg { gain } => graded::ndcg_at_levels(r, gain),
            Op::G { gain } => graded::g(r, gain),
            Op::Err { k, highest } => graded::expected_reciprocal_rank(r, *k, *highest),
            Op::Rbp {
                k,
                p,
                rel: Some(rel),
                ..
            } => graded::rank_biased_precision(r, *k, *p, |g| f64::from(u8::from(g >= *rel))),
            Op::Rbp {
                k,
                p,
                rel: None,
                highest,
            } => {
                let highest = highest.max(f64::MIN_POSITIVE);
                graded::rank_biased_precision(r, *k, *p, |g| (g / highest).min(1.0))
            }
            Op::RbpOfQuery { p } => {
                let highest = r.judged.ideal().first().copied().unwrap_or(0.0).max(1.0);
                graded::rank_biased_precision(r, None, *p, |g| g / highest)
            }
            Op::RbpResidual { p } => graded::rbp_residual(r, *p),
            Op::Compat { p, normalize } => graded::compatibility(r, *p, *normalize),
            Op::Cwl { user, low, high } => cwl::expected_gain(r, *user, *low, *high),
            Op::Diverse(d) => d.compute(r),
            Op::KendallLoss => return pairs::kendall_loss(r),
            Op::Triplets { gap, least } => return pairs::triplets(r, *gap, *least),
            Op::InvMae => return pairs::inverse_error(r),
        };
        (value, 1.0)
    }
}

impl Diverse {
    fn compute(&self, r: &Ranked<'_>) -> f64 {
        let reciprocal = |rank: u32| 1.0 / f64::from(rank);
        match self {
            Diverse::Err { k, rel, own } => {
                Topics::of(r, *rel).normalised(*k, r.retrieved, 0.5, *own, reciprocal)
            }
            Diverse::Dcg { k, alpha, rel, own } => {
                Topics::of(r, *rel).normalised(*k, r.retrieved, *alpha, *own, discount)
            }
            Diverse::Nrbp {
                alpha,
                beta,
                rel,
                own,
            } => Topics::of(r, *rel).nrbp(*alpha, *beta, *own),
            Diverse::Ap { rel } => Topics::of(r, *rel).average_precision(),
            Diverse::P { k, rel } => Topics::of(r, *rel).precision(*k),
            Diverse::Recall { k, rel } => Topics::of(r, *rel).recall(*k),
        }
    }
}
