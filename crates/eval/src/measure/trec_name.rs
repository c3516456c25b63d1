//! What trec_eval calls a measure.

use super::{Measure, Name, Param, Value};

impl Measure {
    /// The name in trec_eval's output, such as `ndcg_cut_10`; our own name where trec_eval does not
    /// have the measure, or not with these parameters.
    pub fn trec_eval_name(&self) -> String {
        self.in_trec_eval().unwrap_or_else(|| self.to_string())
    }

    fn in_trec_eval(&self) -> Option<String> {
        let own: &[Param] = match self.name() {
            Name::Ndcg => &[Param::Cutoff, Param::Gains],
            Name::SetP => &[Param::Relative],
            Name::SetF => &[Param::Beta],
            Name::IPrec => &[Param::Recall],
            Name::RprecMult => &[Param::Times],
            Name::Utility => &[Param::Coefficients],
            Name::ElevenPoint => &[Param::Points],
            Name::NumRet => &[Param::Rel],
            _ => &[Param::Cutoff],
        };
        // What trec_eval sets by an option does not show in its names.
        if Name::params(self.name())
            .iter()
            .any(|p| !own.contains(p) && self.get(*p).is_some())
        {
            return None;
        }
        let k = self.cutoff();
        let at = |name: &str| k.map(|k| format!("{name}_{k}"));
        let either = |whole: &str, cut: &str| Some(at(cut).unwrap_or_else(|| whole.to_owned()));
        let plain = |name: &str| k.is_none().then(|| name.to_owned());
        let number = |p: Param| match self.get(p) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        };
        let list = |p: Param, name: &str| match self.get(p) {
            Some(Value::Text(t)) => format!("{name}_{t}"),
            _ => name.to_owned(),
        };
        match self.name() {
            Name::P => at("P"),
            Name::R => at("recall"),
            Name::Success => at("success"),
            Name::RelP => at("relative_P"),
            Name::Unjudged => at("unj"),
            Name::Ap => either("map", "map_cut"),
            Name::Ndcg => match self.get(Param::Gains) {
                Some(Value::Map(m)) if k.is_none() => {
                    let pairs: Vec<String> = m.iter().map(|(g, v)| format!("{g}={v}")).collect();
                    Some(format!("ndcg_{}", pairs.join(",")))
                }
                Some(_) => None,
                None => either("ndcg", "ndcg_cut"),
            },
            Name::Rr => plain("recip_rank"),
            Name::Bpref => plain("bpref"),
            Name::SetP if self.flag(Param::Relative) => Some("set_relative_P".to_owned()),
            Name::SetP => plain("set_P"),
            Name::SetR => plain("set_recall"),
            Name::SetAp => plain("set_map"),
            Name::SetF => Some(match number(Param::Beta) {
                Some(b) => format!("set_F_{b}"),
                None => "set_F".to_owned(),
            }),
            Name::NumQ => plain("num_q"),
            Name::NumRel => plain("num_rel"),
            Name::NumRet => match number(Param::Rel) {
                None => plain("num_ret"),
                Some(1.0) => Some("num_rel_ret".to_owned()),
                Some(_) => None,
            },
            Name::IPrec => Some(format!("iprec_at_recall_{:.2}", number(Param::Recall)?)),
            Name::RprecMult => Some(format!("Rprec_mult_{:.2}", number(Param::Times)?)),
            Name::Utility => Some(list(Param::Coefficients, "utility")),
            Name::ElevenPoint => Some(list(Param::Points, "11pt_avg")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for name in [
            "map",
            "map_cut_5",
            "ndcg",
            "ndcg_cut_10",
            "ndcg_1=3,2=9",
            "P_5",
            "recall_100",
            "recip_rank",
            "success_1",
            "iprec_at_recall_0.10",
            "Rprec",
            "Rprec_mult_0.20",
            "bpref",
            "infAP",
            "set_F",
            "set_F_0.5",
            "set_P",
            "set_relative_P",
            "num_ret",
            "num_rel_ret",
            "gm_map",
            "utility_2,-1,0,0",
            "11pt_avg_.25,.5,.75",
            "rbp",
            "unj_5",
            "G",
        ] {
            let m: Measure = name.parse().unwrap();
            assert_eq!(m.trec_eval_name(), name);
        }
        for own in ["AP(rel=2)", "nDCG(dcg='exp-log2')@10", "RR@10", "Compat"] {
            let m: Measure = own.parse().unwrap();
            assert_eq!(m.trec_eval_name(), own);
        }
    }
}
