//! A measure with its parameters settled, ready to be computed many times.

use super::{
    Measure, Name, Param, Value,
    cwl::User,
    graded::Gain,
    params::numbers,
    ranked::{Hit, Ranked},
};
use crate::{
    error::{Cause, Error},
    lang::Text,
    qrels::Qrels,
};

/// What is computed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    P {
        k: u32,
        rel: f64,
    },
    RelP {
        k: u32,
        rel: f64,
    },
    R {
        k: Option<u32>,
        rel: f64,
    },
    Ap {
        k: Option<u32>,
        rel: f64,
    },
    GmAp {
        rel: f64,
    },
    Yaap {
        rel: f64,
    },
    Rr {
        k: Option<u32>,
        rel: f64,
    },
    Rprec {
        rel: f64,
    },
    RprecMult {
        times: f64,
        rel: f64,
    },
    Bpref {
        rel: f64,
    },
    GmBpref {
        rel: f64,
    },
    InfAp {
        rel: f64,
    },
    Success {
        k: u32,
        rel: f64,
    },
    IPrec {
        recall: f64,
        rel: f64,
    },
    ElevenPoint {
        recalls: Vec<f64>,
        rel: f64,
    },
    SetP {
        rel: f64,
        relative: bool,
    },
    SetF {
        rel: f64,
        beta: f64,
    },
    SetAp {
        rel: f64,
    },
    NumQ,
    NumRet {
        rel: Option<f64>,
    },
    NumRel {
        rel: f64,
    },
    NumNonrel {
        rel: f64,
    },
    Utility {
        c: Vec<f64>,
        rel: f64,
    },
    BinG {
        rel: f64,
    },
    Judged {
        k: Option<u32>,
    },
    Unjudged {
        k: u32,
    },
    Accuracy {
        k: Option<u32>,
        rel: f64,
    },
    Ndcg {
        k: Option<u32>,
        gain: Gain,
    },
    Dcg {
        k: Option<u32>,
        gain: Gain,
    },
    IdealDcg {
        k: Option<u32>,
        gain: Gain,
    },
    NdcgRel {
        gain: Gain,
    },
    RNdcg {
        gain: Gain,
    },
    G {
        gain: Gain,
    },
    Err {
        k: Option<u32>,
        highest: f64,
    },
    Rbp {
        k: Option<u32>,
        p: f64,
        rel: Option<f64>,
        highest: f64,
    },
    RbpOfQuery {
        p: f64,
    },
    RbpResidual {
        p: f64,
    },
    Compat {
        p: f64,
        normalize: bool,
    },
    Cwl {
        user: User,
        low: f64,
        high: f64,
    },
    Diverse(Diverse),
    KendallLoss,
    Triplets {
        gap: f64,
        least: f64,
    },
    InvMae,
}

/// Measures of subtopics.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Diverse {
    Err {
        k: Option<u32>,
        rel: f64,
        own: bool,
    },
    Dcg {
        k: Option<u32>,
        alpha: f64,
        rel: f64,
        own: bool,
    },
    Nrbp {
        alpha: f64,
        beta: f64,
        rel: f64,
        own: bool,
    },
    Ap {
        rel: f64,
    },
    P {
        k: u32,
        rel: f64,
    },
    Recall {
        k: Option<u32>,
        rel: f64,
    },
}

/// A measure, settled for a collection.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(super) op: Op,
    judged_only: bool,
}

impl Plan {
    /// Settles the parameters.
    ///
    /// # Errors
    /// Judgements that the measure cannot be taken of.
    pub(crate) fn of(m: &Measure, qrels: &Qrels) -> Result<Self, Error> {
        let highest = qrels.highest_grade();
        if !m.is_diversity()
            && let Some((query, line)) = qrels.doubled()
        {
            return Err(Error::new(
                Cause::Unfit,
                Text::new(
                    format!(
                        "line {line} judges a document of query `{query}` for a second subtopic, \
                         and {m} knows no subtopics"
                    ),
                    format!(
                        "第 {line} 行对查询“{query}”的文档按另一子主题再次判断，而 {m} 不区分子主题"
                    ),
                ),
                Text::new(
                    "use alpha_nDCG, ERR_IA or StRecall, or judgements without subtopics",
                    "请用 alpha_nDCG、ERR_IA 或 StRecall，或不含子主题的判断",
                ),
            ));
        }
        let op = op(m, highest);
        if let Op::Err { highest: given, .. } = &op
            && highest > *given
        {
            return Err(Error::new(
                Cause::Unfit,
                Text::new(
                    format!(
                        "{m} expects grades up to {given}, and the judgements go up to {highest}"
                    ),
                    format!("{m} 的等级上限为 {given}，而判断中最高为 {highest}"),
                ),
                Text::new(
                    format!("write ERR(max_rel={highest})"),
                    format!("请写作 ERR(max_rel={highest})"),
                ),
            ));
        }
        Ok(Plan {
            op,
            judged_only: m.flag(Param::JudgedOnly),
        })
    }

    /// The value for one query, and how much it weighs where values are pooled. NaN: undefined.
    pub(crate) fn compute(&self, r: &Ranked<'_>, scratch: &mut Vec<Hit>) -> (f64, f64) {
        if self.judged_only {
            self.op.compute(&r.judged_only(scratch))
        } else {
            self.op.compute(r)
        }
    }
}

fn op(m: &Measure, highest: f64) -> Op {
    let num = |p: Param| m.number(p).unwrap_or_default();
    let k = m.cutoff();
    let at = k.unwrap_or(u32::MAX);
    let rel = num(Param::Rel);
    let gain = || match (m.get(Param::Gains), m.get(Param::Dcg)) {
        (Some(Value::Map(t)), _) => Gain::Table(t.clone()),
        (_, Some(Value::Text(_))) => Gain::Exponential,
        _ => Gain::Linear,
    };
    let list = |p: Param, default: &str| {
        let text = match m.get(p) {
            Some(Value::Text(t)) => t,
            _ => default,
        };
        numbers(text).unwrap_or_default()
    };
    let cwl = |user: User| Op::Cwl {
        user,
        low: num(Param::MinRel),
        high: num(Param::MaxRel),
    };
    let alpha = num(Param::Alpha);
    match m.name() {
        Name::P => Op::P { k: at, rel },
        Name::RelP => Op::RelP { k: at, rel },
        Name::R => Op::R { k, rel },
        Name::SetR => Op::R { k: None, rel },
        Name::Ap => Op::Ap { k, rel },
        Name::GmAp => Op::GmAp { rel },
        Name::Yaap => Op::Yaap { rel },
        Name::Rr => Op::Rr { k, rel },
        Name::Rprec => Op::Rprec { rel },
        Name::RprecMult => Op::RprecMult {
            times: num(Param::Times),
            rel,
        },
        Name::Bpref => Op::Bpref { rel },
        Name::GmBpref => Op::GmBpref { rel },
        Name::InfAp => Op::InfAp { rel },
        Name::Success => Op::Success { k: at, rel },
        Name::IPrec => Op::IPrec {
            recall: num(Param::Recall),
            rel,
        },
        Name::ElevenPoint => Op::ElevenPoint {
            recalls: list(Param::Points, "0,.1,.2,.3,.4,.5,.6,.7,.8,.9,1"),
            rel,
        },
        Name::SetP => Op::SetP {
            rel,
            relative: m.flag(Param::Relative),
        },
        Name::SetF => Op::SetF {
            rel,
            beta: num(Param::Beta),
        },
        Name::SetAp => Op::SetAp { rel },
        Name::NumQ => Op::NumQ,
        Name::NumRet => Op::NumRet {
            rel: m.number(Param::Rel),
        },
        Name::NumRel => Op::NumRel { rel },
        Name::NumNonrelJudgedRet => Op::NumNonrel { rel },
        Name::Utility => Op::Utility {
            c: list(Param::Coefficients, "1,-1,0,0"),
            rel,
        },
        Name::BinG => Op::BinG { rel },
        Name::Judged => Op::Judged { k },
        Name::Unjudged => Op::Unjudged { k: at },
        Name::Accuracy => Op::Accuracy { k, rel },
        Name::Ndcg => Op::Ndcg { k, gain: gain() },
        Name::DcgSum => Op::Dcg { k, gain: gain() },
        Name::IdealDcg => Op::IdealDcg { k, gain: gain() },
        Name::NdcgRel => Op::NdcgRel { gain: gain() },
        Name::RNdcg => Op::RNdcg { gain: gain() },
        Name::G => Op::G { gain: gain() },
        Name::Err => Op::Err {
            k,
            highest: num(Param::MaxRel),
        },
        Name::Rbp => Op::Rbp {
            k,
            p: num(Param::P_),
            rel: m.number(Param::Rel),
            highest: m.number(Param::MaxRel).unwrap_or(highest),
        },
        Name::RbpOfQuery => Op::RbpOfQuery { p: num(Param::P_) },
        Name::RbpResidual => Op::RbpResidual { p: num(Param::P_) },
        Name::Compat => Op::Compat {
            p: num(Param::P_),
            normalize: m.flag(Param::Normalize),
        },
        Name::Bpm => cwl(User::Bejeweled {
            k: at,
            t: num(Param::T),
        }),
        Name::Sdcg => cwl(User::Discounted { k: at }),
        Name::Insq => cwl(User::Insq { t: num(Param::T) }),
        Name::Inst => cwl(User::Inst { t: num(Param::T) }),
        Name::Nerr8 => cwl(User::Nerr8 { k: at }),
        Name::Nerr9 => cwl(User::Nerr9 { k: at }),
        Name::Nerr10 => cwl(User::Nerr10 { p: num(Param::P_) }),
        Name::Nerr11 => cwl(User::Nerr11 { t: num(Param::T) }),
        Name::ErrIa => Op::Diverse(Diverse::Err { k, rel, own: false }),
        Name::NErrIa => Op::Diverse(Diverse::Err { k, rel, own: true }),
        Name::AlphaDcg => Op::Diverse(Diverse::Dcg {
            k,
            alpha,
            rel,
            own: false,
        }),
        Name::AlphaNdcg => Op::Diverse(Diverse::Dcg {
            k,
            alpha,
            rel,
            own: true,
        }),
        Name::Nrbp => Op::Diverse(Diverse::Nrbp {
            alpha,
            beta: num(Param::Beta),
            rel,
            own: false,
        }),
        Name::NNrbp => Op::Diverse(Diverse::Nrbp {
            alpha,
            beta: num(Param::Beta),
            rel,
            own: true,
        }),
        Name::ApIa => Op::Diverse(Diverse::Ap { rel }),
        Name::PIa => Op::Diverse(Diverse::P { k: at, rel }),
        Name::StRecall => Op::Diverse(Diverse::Recall { k, rel }),
        Name::KendallLoss => Op::KendallLoss,
        Name::Triplets => Op::Triplets {
            gap: m.number(Param::Gap).unwrap_or(f64::MIN_POSITIVE),
            least: num(Param::MinRel),
        },
        Name::InvMae => Op::InvMae,
    }
}
