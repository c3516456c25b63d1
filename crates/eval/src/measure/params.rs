//! Parameters of measures: read, checked, written.

use std::fmt;

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Param {
    /// `@k`: only the first k answers count.
    Cutoff,
    /// Least grade that counts as relevant.
    Rel,
    /// Answers without a judgement are taken out first.
    JudgedOnly,
    /// Persistence, in (0, 1).
    P_,
    /// How gain comes of a grade.
    Dcg,
    /// Gains of single grades.
    Gains,
    /// A share of the relevant documents, in [0, 1].
    Recall,
    /// Weight of recall against precision, or patience.
    Beta,
    /// Intolerance of repetition, in [0, 1].
    Alpha,
    /// Divide by the best possible.
    Relative,
    /// Divide by that of the ideal.
    Normalize,
    /// Gain that the user is after, in documents of the highest grade.
    T,
    /// Grade that is worth nothing; in triplets, the least grade of both.
    MinRel,
    /// Grade that is worth most.
    MaxRel,
    /// Least difference of grades.
    Gap,
    /// A multiple of R.
    Times,
    /// Four coefficients, by commas.
    Coefficients,
    /// Recalls, by commas.
    Points,
}

impl Param {
    /// The name in `Measure(name=value)`.
    pub fn as_str(self) -> &'static str {
        match self {
            Param::Cutoff => "cutoff",
            Param::Rel => "rel",
            Param::JudgedOnly => "judged_only",
            Param::P_ => "p",
            Param::Dcg => "dcg",
            Param::Gains => "gains",
            Param::Recall => "recall",
            Param::Beta => "beta",
            Param::Alpha => "alpha",
            Param::Relative => "relative",
            Param::Normalize => "normalize",
            Param::T => "T",
            Param::MinRel => "min_rel",
            Param::MaxRel => "max_rel",
            Param::Gap => "gap",
            Param::Times => "times",
            Param::Coefficients => "coefficients",
            Param::Points => "points",
        }
    }

    /// What may be given, in words.
    pub(crate) fn expects(self) -> (&'static str, &'static str) {
        match self {
            Param::Cutoff => ("a whole number from 1", "不小于 1 的整数"),
            Param::Rel | Param::MinRel => ("a number from 0", "不小于 0 的数"),
            Param::MaxRel | Param::Gap | Param::T | Param::Times => {
                ("a number above 0", "大于 0 的数")
            }
            Param::JudgedOnly | Param::Relative | Param::Normalize => {
                ("True or False", "True 或 False")
            }
            Param::P_ => ("a number between 0 and 1", "0 与 1 之间的数"),
            Param::Recall | Param::Alpha => ("a number from 0 to 1", "0 至 1 的数"),
            Param::Beta => ("a number from 0", "不小于 0 的数"),
            Param::Dcg => ("'log2' or 'exp-log2'", "'log2' 或 'exp-log2'"),
            Param::Gains => (
                "gains from 0 by grade, {1:1,2:3}",
                "各等级的增益（不小于 0），如 {1:1,2:3}",
            ),
            Param::Coefficients => ("four numbers, '1,-1,0,0'", "四个数，如 '1,-1,0,0'"),
            Param::Points => ("recalls, '0,.5,1'", "若干召回率，如 '0,.5,1'"),
        }
    }

    /// True where the value makes sense.
    pub(crate) fn admits(self, value: &Value) -> bool {
        match (self, value) {
            (Param::Cutoff, Value::Number(n)) => {
                *n >= 1.0 && n.fract() == 0.0 && *n <= f64::from(u32::MAX)
            }
            (Param::Rel | Param::MinRel | Param::Beta, Value::Number(n)) => {
                *n >= 0.0 && n.is_finite()
            }
            (Param::MaxRel | Param::Gap | Param::T | Param::Times, Value::Number(n)) => {
                *n > 0.0 && n.is_finite()
            }
            (Param::P_, Value::Number(n)) => *n > 0.0 && *n < 1.0,
            (Param::Recall | Param::Alpha, Value::Number(n)) => (0.0..=1.0).contains(n),
            (Param::JudgedOnly | Param::Relative | Param::Normalize, Value::Bool(_)) => true,
            (Param::Dcg, Value::Text(t)) => t == "log2" || t == "exp-log2",
            (Param::Gains, Value::Map(m)) => m.iter().all(|(_, g)| *g >= 0.0 && g.is_finite()),
            (Param::Coefficients, Value::Text(t)) => numbers(t).is_some_and(|n| n.len() == 4),
            (Param::Points, Value::Text(t)) => numbers(t)
                .is_some_and(|n| !n.is_empty() && n.iter().all(|x| (0.0..=1.0).contains(x))),
            _ => false,
        }
    }
}

/// Numbers by commas.
pub(crate) fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',')
        .map(|n| n.trim().parse().ok().filter(|x: &f64| x.is_finite()))
        .collect()
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// True or False.
    Bool(bool),
    /// A string.
    Text(String),
    /// Numbers by whole numbers.
    Map(Vec<(i64, f64)>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(n) => write!(f, "{n}"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Text(t) => write!(f, "'{t}'"),
            Value::Map(m) => {
                f.write_str("{")?;
                for (i, (k, v)) in m.iter().enumerate() {
                    write!(f, "{}{k}:{v}", if i > 0 { "," } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}
