//! The measures by name: what each is called, in both languages, and which parameters it takes.

use super::params::Param::{self, *};
use crate::lang::Text;

/// How the values of the queries become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The mean over queries.
    Mean,
    /// The sum over queries.
    Sum,
    /// `exp` of the mean: values are logarithms (trec_eval `meas_avg.c`,
    /// `te_calc_avg_meas_s_gm`).
    GeometricMean,
    /// The mean over pairs of documents, of all queries together.
    Pooled,
    /// As [`Aggregation::Pooled`], of the error in 1/(1+error).
    PooledError,
}

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $name:literal [$($alias:literal),*]
       ($($param:ident),*) $([$($required:ident),*])? $aggregation:ident, $en:literal, $zh:literal;)*) => {
        /// A family of measures. Names are those of ir_measures where it has the measure, else
        /// those of trec_eval, else our own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Name {
            $($(#[$doc])* $variant,)*
        }

        impl Name {
            /// All families.
            pub const ALL: &'static [Name] = &[$(Name::$variant),*];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $name),* }
            }

            /// Other names that are read.
            pub fn aliases(self) -> &'static [&'static str] {
                match self { $(Name::$variant => &[$($alias),*]),* }
            }

            /// The parameters it takes.
            pub fn params(self) -> &'static [Param] {
                match self { $(Name::$variant => &[$($param),*]),* }
            }

            /// The parameters it cannot do without.
            pub fn required(self) -> &'static [Param] {
                match self { $(Name::$variant => &[$($($required),*)?]),* }
            }

            /// How the queries' values become one figure.
            pub fn aggregation(self) -> Aggregation {
                match self { $(Name::$variant => Aggregation::$aggregation),* }
            }

            /// What people read.
            pub fn label(self) -> Text {
                match self { $(Name::$variant => Text::new($en, $zh)),* }
            }
        }
    };
}

names! {
    /// trec_eval `m_P.c`: relevant among the first k, divided by k however many were given.
    P = "P" ["Precision"] (Cutoff, Rel, JudgedOnly) [Cutoff] Mean, "precision", "精确率";
    /// trec_eval `m_recall.c`.
    R = "R" ["Recall", "recall"] (Cutoff, Rel, JudgedOnly) [Cutoff] Mean, "recall", "召回率";
    /// trec_eval `m_map.c`, `m_map_cut.c`.
    Ap = "AP" ["MAP", "map", "map_cut"] (Cutoff, Rel, JudgedOnly) Mean, "average precision", "平均精确率";
    /// trec_eval `m_recip_rank.c`; Kantor and Voorhees, Information Retrieval 2, 2000.
    Rr = "RR" ["MRR", "recip_rank"] (Cutoff, Rel, JudgedOnly) Mean, "reciprocal rank", "倒数排名";
    /// trec_eval `m_ndcg.c`, `m_ndcg_cut.c`; Järvelin and Kekäläinen, TOIS 20(4), 2002. Gain is the
    /// grade; with `dcg='exp-log2'` it is 2^grade − 1 (Burges et al., ICML 2005; `gdeval.pl`).
    Ndcg = "nDCG" ["NDCG", "ndcg", "ndcg_cut"] (Cutoff, Dcg, Gains, JudgedOnly) Mean, "normalised discounted cumulative gain", "归一化折损累计增益";
    /// trec_eval `m_Rprec.c`.
    Rprec = "Rprec" ["RPrec"] (Rel, JudgedOnly) Mean, "precision at R", "R-精确率";
    /// trec_eval `m_bpref.c`, with min(R, N) (`bpref_bug`); Buckley and Voorhees, SIGIR 2004.
    Bpref = "Bpref" ["BPref", "bpref"] (Rel) Mean, "binary preference", "二元偏好";
    /// trec_eval `m_infap.c`; Yilmaz and Aslam, CIKM 2006.
    InfAp = "infAP" [] (Rel) Mean, "inferred average precision", "推断平均精确率";
    /// trec_eval `m_success.c`.
    Success = "Success" ["success"] (Cutoff, Rel, JudgedOnly) [Cutoff] Mean, "success", "命中率";
    /// trec_eval `m_iprec_at_recall.c`, with version 10's rounding.
    IPrec = "IPrec" ["iprec_at_recall"] (Recall, Rel, JudgedOnly) [Recall] Mean, "interpolated precision at recall", "给定召回率的插值精确率";
    /// ir_measures `judged_provider.py`: judged among the first k, divided by how many were given
    /// there.
    Judged = "Judged" [] (Cutoff) Mean, "share judged", "已判断比例";
    /// Chapelle et al., CIKM 2009, with `gdeval.pl`'s highest grade 4 unless `max_rel` says another.
    Err = "ERR" [] (Cutoff, MaxRel) Mean, "expected reciprocal rank", "期望倒数排名";
    /// Moffat and Zobel, TOIS 27(1), 2008. Without `rel`, gain is the grade divided by `max_rel`, by
    /// default the highest grade of the collection.
    Rbp = "RBP" [] (Cutoff, P_, Rel, MaxRel) Mean, "rank-biased precision", "排名偏置精确率";
    /// trec_eval `m_rbp.c`: gain is the grade divided by the highest grade of the query, or by 1. The
    /// bounds are not initialised there; its test files are reproduced with both at 0.
    RbpOfQuery = "rbp" [] (P_) Mean, "rank-biased precision, grades scaled by query", "排名偏置精确率（按查询定标）";
    /// trec_eval `m_rbp_resid.c`: what RBP would gain at most if all unjudged were relevant.
    RbpResidual = "rbp_resid" [] (P_) Mean, "residual of rank-biased precision", "RBP 余量";
    /// Clarke, Vtyurina and Smucker, TOIS 39(2), 2021: rank-biased overlap with an ideal ranking.
    Compat = "Compat" [] (P_, Normalize) Mean, "compatibility", "相容度";
    /// ir_measures `accuracy_provider.py`: share of pairs of a retrieved relevant and a retrieved
    /// other document that stand in the right order.
    Accuracy = "Accuracy" [] (Cutoff, Rel) Mean, "pairwise accuracy", "成对准确率";
    /// trec_eval `m_set_P.c`, `m_set_rel_P.c`.
    SetP = "SetP" ["set_P"] (Rel, Relative, JudgedOnly) Mean, "set precision", "集合精确率";
    /// trec_eval `m_set_recall.c`.
    SetR = "SetR" ["set_recall"] (Rel) Mean, "set recall", "集合召回率";
    /// trec_eval `m_set_F.c`: (β+1)PR/(βP+R). β is not squared there.
    SetF = "SetF" ["set_F"] (Rel, Beta, JudgedOnly) Mean, "set F", "集合 F 值";
    /// trec_eval `m_set_map.c`: precision times recall of the set.
    SetAp = "SetAP" ["set_map"] (Rel, JudgedOnly) Mean, "set average precision", "集合平均精确率";
    /// trec_eval `m_num_q.c`.
    NumQ = "NumQ" ["num_q"] () Sum, "queries", "查询数";
    /// trec_eval `m_num_ret.c`; with `rel`, `m_num_rel_ret.c`.
    NumRet = "NumRet" ["num_ret"] (Rel) Sum, "retrieved", "检索到的文档数";
    /// trec_eval `m_num_rel.c`.
    NumRel = "NumRel" ["num_rel"] (Rel) Sum, "relevant", "相关文档数";
    /// trec_eval `m_num_nonrel_judged_ret.c`.
    NumNonrelJudgedRet = "num_nonrel_judged_ret" [] (Rel) Sum, "retrieved and judged not relevant", "检索到的不相关文档数";
    /// trec_eval `m_gm_map.c`: the queries' values are logarithms.
    GmAp = "gm_map" ["GMAP"] (Rel, JudgedOnly) GeometricMean, "geometric mean of average precision", "平均精确率的几何平均";
    /// trec_eval `m_gm_bpref.c`.
    GmBpref = "gm_bpref" [] (Rel) GeometricMean, "geometric mean of binary preference", "二元偏好的几何平均";
    /// trec_eval `m_Rprec_mult.c`: precision at a multiple of R.
    RprecMult = "Rprec_mult" [] (Times, Rel) [Times] Mean, "precision at a multiple of R", "R 倍数处精确率";
    /// trec_eval `m_rel_P.c`: precision at k by the highest it can be.
    RelP = "relative_P" [] (Cutoff, Rel) [Cutoff] Mean, "relative precision", "相对精确率";
    /// trec_eval `m_utility.c`, coefficients 1, −1, 0, 0 unless given.
    Utility = "utility" [] (Coefficients, Rel) Mean, "utility", "效用";
    /// trec_eval `m_11pt_avg.c`: interpolated precision at the recalls given, by default 0, .1 … 1.
    ElevenPoint = "11pt_avg" [] (Points, Rel) Mean, "eleven-point average precision", "十一点平均精确率";
    /// trec_eval `m_binG.c`.
    BinG = "binG" [] (Rel) Mean, "binary G", "二元 G 值";
    /// trec_eval `m_G.c`.
    G = "G" [] (Gains) Mean, "G", "G 值";
    /// trec_eval `m_ndcg.c`, not normalised.
    DcgSum = "dcg" ["DCG"] (Cutoff, Dcg, Gains, JudgedOnly) Mean, "discounted cumulative gain", "折损累计增益";
    /// trec_eval `m_ndcg.c`, of the ideal ranking.
    IdealDcg = "ideal_dcg" [] (Cutoff, Dcg, Gains) Mean, "ideal discounted cumulative gain", "理想折损累计增益";
    /// trec_eval `m_ndcg_rel.c`: nDCG averaged over the ranks of relevant documents.
    NdcgRel = "ndcg_rel" [] (Gains) Mean, "nDCG averaged over relevant ranks", "相关排名处 nDCG 平均";
    /// trec_eval `m_Rndcg.c`: nDCG averaged over the ranks where the ideal gain changes.
    RNdcg = "Rndcg" [] (Gains) Mean, "nDCG averaged over ideal levels", "理想分级处 nDCG 平均";
    /// trec_eval `m_yaap.c`.
    Yaap = "yaap" [] (Rel) Mean, "log odds of average precision", "平均精确率对数几率";
    /// trec_eval `m_unjudged.c`: not judged among the first k, divided by k.
    Unjudged = "unj" [] (Cutoff) [Cutoff] Mean, "share not judged", "未判断比例";
    /// Zhang et al., SIGIR 2017, static; cwl_eval `cwl_bpm.py`.
    Bpm = "BPM" [] (Cutoff, T, MinRel, MaxRel) [Cutoff, MaxRel] Mean, "bejeweled player model", "宝石玩家模型";
    /// nDCG by the DCG of k documents of the highest grade; cwl_eval `cwl_dcg.py`.
    Sdcg = "SDCG" [] (Cutoff, Dcg, MinRel, MaxRel) [Cutoff, MaxRel] Mean, "scaled DCG", "定标折损累计增益";
    /// Moffat, Scholer and Thomas, ADCS 2012; cwl_eval `cwl_insq.py`.
    Insq = "INSQ" [] (T, MinRel, MaxRel) [MaxRel] Mean, "INSQ", "INSQ";
    /// Moffat, Bailey, Scholer and Thomas, ADCS 2015; cwl_eval `cwl_inst.py`.
    Inst = "INST" [] (T, MinRel, MaxRel) [MaxRel] Mean, "INST", "INST";
    /// Azzopardi, Mackenzie and Moffat, ICTIR 2021, equation 8.
    Nerr8 = "NERR8" [] (Cutoff, MinRel, MaxRel) [Cutoff, MaxRel] Mean, "nearly expected reciprocal rank, eq. 8", "近似期望倒数排名（式 8）";
    /// The same, equation 9.
    Nerr9 = "NERR9" [] (Cutoff, MinRel, MaxRel) [Cutoff, MaxRel] Mean, "nearly expected reciprocal rank, eq. 9", "近似期望倒数排名（式 9）";
    /// The same, equation 10.
    Nerr10 = "NERR10" [] (P_, MinRel, MaxRel) [MaxRel] Mean, "nearly expected reciprocal rank, eq. 10", "近似期望倒数排名（式 10）";
    /// The same, equation 11.
    Nerr11 = "NERR11" [] (T, MinRel, MaxRel) [MaxRel] Mean, "nearly expected reciprocal rank, eq. 11", "近似期望倒数排名（式 11）";
    /// Chapelle et al., CIKM 2009; `ndeval.c`, by the ideal of an ideal collection.
    ErrIa = "ERR_IA" [] (Cutoff, Rel, JudgedOnly) Mean, "intent-aware ERR", "意图感知 ERR";
    /// The same, by the ideal of this collection.
    NErrIa = "nERR_IA" [] (Cutoff, Rel, JudgedOnly) Mean, "normalised intent-aware ERR", "归一化意图感知 ERR";
    /// Clarke et al., SIGIR 2008; `ndeval.c`, by the ideal of an ideal collection.
    AlphaDcg = "alpha_DCG" ["α_DCG"] (Cutoff, Alpha, Rel, JudgedOnly) Mean, "α-DCG", "α-DCG";
    /// The same, by the ideal of this collection.
    AlphaNdcg = "alpha_nDCG" ["α_nDCG"] (Cutoff, Alpha, Rel, JudgedOnly) Mean, "α-nDCG", "α-nDCG";
    /// Clarke, Kolla and Vechtomova, ICTIR 2009; `ndeval.c`.
    Nrbp = "NRBP" [] (Alpha, Beta, Rel) Mean, "novelty- and rank-biased precision", "新颖性排名偏置精确率";
    /// The same, by the ideal of this collection.
    NNrbp = "nNRBP" [] (Alpha, Beta, Rel) Mean, "normalised novelty- and rank-biased precision", "归一化新颖性排名偏置精确率";
    /// `ndeval.c`, MAP-IA.
    ApIa = "AP_IA" ["MAP_IA"] (Rel, JudgedOnly) Mean, "intent-aware average precision", "意图感知平均精确率";
    /// `ndeval.c`, P-IA.
    PIa = "P_IA" [] (Cutoff, Rel, JudgedOnly) [Cutoff] Mean, "intent-aware precision", "意图感知精确率";
    /// `ndeval.c`, strec: share of the query's subtopics that the first k touch.
    StRecall = "StRecall" [] (Cutoff, Rel) Mean, "subtopic recall", "子主题召回率";
    /// Stelmakh et al., "A gold standard dataset for the reviewer assignment problem", 2023: pairs
    /// in the wrong order, each by the difference of its grades, ties by half. 0 is best.
    KendallLoss = "KendallLoss" [] () Pooled, "weighted Kendall loss", "加权 Kendall 损失";
    /// Share of triplets (query, better, worse) that stand in the right order, ties by half. `gap`
    /// is the least difference of grades; both are `min_rel` at least.
    Triplets = "Triplets" [] (Gap, MinRel) Pooled, "accuracy of preference triplets", "偏好三元组准确率";
    /// 1 / (1 + mean absolute error) of scores as grades, over judged pairs; CCF BDCI 2019.
    InvMae = "InvMAE" [] () PooledError, "1/(1+MAE)", "1/(1+MAE)";
}
