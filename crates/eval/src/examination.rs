//! How likely people look at a place of a list.

use crate::{
    error::{Cause, Error},
    lang::Text,
};
use std::{fmt, str::FromStr};

/// The chance that a place is looked at, by rank (the position-based model: Craswell, Zoeter, Taylor
/// and Ramsey, WSDM 2008).
#[derive(Debug, Clone, PartialEq)]
pub enum Examination {
    /// (1 / rank)^power; with power 0 every place is looked at.
    Power(f64),
    /// 1 / log2(rank + 1), the discount of nDCG.
    Log,
    /// As measured, from rank 1; beyond, nobody looks.
    Ranks(Vec<f64>),
}

impl Default for Examination {
    fn default() -> Self {
        Examination::Power(1.0)
    }
}

impl Examination {
    /// The chance for a rank from 1, in [0, 1].
    pub fn at(&self, rank: usize) -> f64 {
        match self {
            Examination::Power(p) => (1.0 / rank.max(1) as f64).powf(*p),
            Examination::Log => 1.0 / (rank.max(1) as f64 + 1.0).log2(),
            Examination::Ranks(all) => all.get(rank.saturating_sub(1)).copied().unwrap_or(0.0),
        }
    }
}

impl FromStr for Examination {
    type Err = Error;

    /// `1/rank`, `1/rank^0.7`, `log`, `all`, or chances by comma: `1,.6,.4`.
    fn from_str(s: &str) -> Result<Self, Error> {
        let chance = |t: &str| {
            let x: f64 = t.trim().parse().ok()?;
            (0.0..=1.0).contains(&x).then_some(x)
        };
        let found = match s.trim() {
            "1/rank" => Some(Examination::Power(1.0)),
            "log" => Some(Examination::Log),
            "all" => Some(Examination::Power(0.0)),
            t => match t.strip_prefix("1/rank^") {
                Some(p) => {
                    let power = p.parse::<f64>().ok();
                    power
                        .filter(|p| (0.0..=100.0).contains(p))
                        .map(Examination::Power)
                }
                None => t
                    .split(',')
                    .map(chance)
                    .collect::<Option<Vec<f64>>>()
                    .filter(|all| all.iter().any(|x| *x > 0.0))
                    .map(Examination::Ranks),
            },
        };
        found.ok_or_else(|| {
            Error::new(
                Cause::Option,
                Text::new(
                    format!("`{s}` says no chances of being looked at"),
                    format!("“{s}”不是查看概率"),
                ),
                Text::new(
                    "expected 1/rank, 1/rank^0.7, log, all, or chances by rank such as 1,.6,.4",
                    "应为 1/rank、1/rank^0.7、log、all，或按名次的概率，如 1,.6,.4",
                ),
            )
        })
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Examination::Power(p) if *p == 0.0 => f.write_str("all"),
            Examination::Power(p) if *p == 1.0 => f.write_str("1/rank"),
            Examination::Power(p) => write!(f, "1/rank^{p}"),
            Examination::Log => f.write_str("log"),
            Examination::Ranks(all) => {
                let all: Vec<String> = all.iter().map(f64::to_string).collect();
                f.write_str(&all.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_by_rank() {
        for (text, first_three) in [
            ("1/rank", [1.0, 0.5, 1.0 / 3.0]),
            ("1/rank^2", [1.0, 0.25, 1.0 / 9.0]),
            ("log", [1.0, 1.0 / 3_f64.log2(), 0.5]),
            ("all", [1.0, 1.0, 1.0]),
            ("1,0.6", [1.0, 0.6, 0.0]),
        ] {
            let e: Examination = text.parse().unwrap();
            let chances = [1, 2, 3].map(|r| e.at(r));
            let near = (chances.iter().zip(first_three)).all(|(a, b)| (a - b).abs() < 1e-15);
            assert!(near, "{text}: {chances:?}");
            assert_eq!(e.to_string(), text);
        }
        for bad in ["", "0", "1,x", "1.5", "-1", "1/rank^-1", "1/rank^x", "nan"] {
            assert!(bad.parse::<Examination>().is_err(), "{bad}");
        }
    }
}
