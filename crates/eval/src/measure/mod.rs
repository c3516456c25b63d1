//! Measures: named, read, computed.

mod binary;
mod compute;
mod cwl;
mod diversity;
mod graded;
mod name;
mod pairs;
mod params;
mod parse;
mod plan;
mod ranked;
mod trec_name;

pub use name::{Aggregation, Name};
pub use params::{Param, Value};
pub use parse::parse_list;
pub(crate) use plan::Plan;
pub(crate) use ranked::{Hit, Ranked};

use crate::error::Error;
use std::{fmt, str::FromStr};

/// A measure with its parameters. One that exists is known, and its parameters make sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    name: Name,
    /// In order of [`Param`]; defaults are left out.
    params: Vec<(Param, Value)>,
}

impl Measure {
    /// A family with parameters.
    ///
    /// # Errors
    /// A parameter that the family does not take, a value that makes no sense, a parameter
    /// that is missing.
    pub fn new(
        name: Name,
        params: impl IntoIterator<Item = (Param, Value)>,
    ) -> Result<Self, Error> {
        let mut m = Measure {
            name,
            params: Vec::new(),
        };
        for (p, v) in params {
            if !name.params().contains(&p) {
                return Err(parse::no_such_parameter(name, p.as_str()));
            }
            if !p.admits(&v) {
                return Err(parse::bad_value(name, p, &v.to_string()));
            }
            m.params.retain(|(q, _)| *q != p);
            if m.default(p).as_ref() != Some(&v) {
                m.params.push((p, v));
            }
        }
        m.params.sort_by_key(|(p, _)| *p);
        if let Some(p) = name.required().iter().find(|p| m.get(**p).is_none()) {
            return Err(parse::missing_parameter(name, *p));
        }
        m.check()?;
        Ok(m)
    }

    /// The family.
    pub fn name(&self) -> Name {
        self.name
    }

    /// What was given for a parameter; `None` for defaults.
    pub fn get(&self, param: Param) -> Option<&Value> {
        self.params
            .iter()
            .find(|(p, _)| *p == param)
            .map(|(_, v)| v)
    }

    /// The value that a parameter has when it is not given. Kept as ir_measures has them.
    pub fn default(&self, param: Param) -> Option<Value> {
        Some(match (self.name, param) {
            // Left out, NumRet counts all that was retrieved, and RBP takes grades.
            (Name::NumRet | Name::Rbp, Param::Rel) => return None,
            (_, Param::Rel) => Value::Number(1.0),
            (_, Param::JudgedOnly | Param::Relative) => Value::Bool(false),
            (Name::Rbp, Param::P_) => Value::Number(0.8),
            (Name::Compat, Param::P_) => Value::Number(0.95),
            (_, Param::P_) => Value::Number(0.9),
            (_, Param::Normalize) => Value::Bool(true),
            (Name::Nrbp | Name::NNrbp, Param::Beta) => Value::Number(0.5),
            (_, Param::Beta | Param::T) => Value::Number(1.0),
            (_, Param::Alpha) => Value::Number(0.5),
            (_, Param::Dcg) => Value::Text("log2".to_owned()),
            (_, Param::MinRel) => Value::Number(0.0),
            (Name::Err, Param::MaxRel) => Value::Number(4.0),
            _ => return None,
        })
    }

    fn number(&self, param: Param) -> Option<f64> {
        match self.get(param).cloned().or_else(|| self.default(param)) {
            Some(Value::Number(n)) => Some(n),
            _ => None,
        }
    }

    fn flag(&self, param: Param) -> bool {
        let v = self.get(param).cloned().or_else(|| self.default(param));
        v == Some(Value::Bool(true))
    }

    /// Depth of the ranking that counts; `None` for all of it.
    pub fn cutoff(&self) -> Option<u32> {
        self.number(Param::Cutoff).map(|n| n as u32)
    }

    /// What no single parameter tells.
    fn check(&self) -> Result<(), Error> {
        if self.name == Name::Sdcg && self.get(Param::Dcg).is_some() {
            return Err(parse::bad_value(self.name, Param::Dcg, "'exp-log2'"));
        }
        let (low, high) = (self.number(Param::MinRel), self.number(Param::MaxRel));
        if let (Some(low), Some(high)) = (low, high)
            && low >= high
        {
            return Err(parse::bad_value(
                self.name,
                Param::MaxRel,
                &high.to_string(),
            ));
        }
        Ok(())
    }

    /// True where judgements of several subtopics are wanted.
    pub fn is_diversity(&self) -> bool {
        matches!(
            self.name,
            Name::ErrIa
                | Name::NErrIa
                | Name::AlphaDcg
                | Name::AlphaNdcg
                | Name::Nrbp
                | Name::NNrbp
                | Name::ApIa
                | Name::PIa
                | Name::StRecall
        )
    }

    /// True where a lower value is better.
    pub fn lower_is_better(&self) -> bool {
        matches!(
            self.name,
            Name::KendallLoss | Name::Unjudged | Name::RbpResidual | Name::NumNonrelJudgedRet
        )
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match self.name {
            Name::IPrec => Param::Recall,
            Name::RprecMult => Param::Times,
            _ => Param::Cutoff,
        };
        // trec_eval's relative set precision has a name of its own in ir_measures.
        let mut shown = self.params.iter().filter(|(p, _)| *p != at).peekable();
        let relative = self.name == Name::SetP && self.flag(Param::Relative);
        f.write_str(if relative {
            "SetRelP"
        } else {
            self.name.as_str()
        })?;
        let mut open = false;
        for (p, v) in shown.by_ref() {
            if relative && *p == Param::Relative {
                continue;
            }
            write!(f, "{}{}={v}", if open { "," } else { "(" }, p.as_str())?;
            open = true;
        }
        if open {
            f.write_str(")")?;
        }
        match self.get(at) {
            Some(v) => write!(f, "@{v}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Measure {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        parse::parse(s)
    }
}
