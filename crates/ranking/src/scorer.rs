//! The linear scorer and its weights.

use crate::{Feature, Values};
use queqiao_domain::{Bilingual, Score};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Weights of the scorer, with a version that every answer names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Name of this set of weights.
    pub version: String,
    /// Weight by feature; a feature without one weighs nothing.
    pub weights: BTreeMap<Feature, f64>,
}

/// Why weights are refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The text does not read.
    #[error(
        "the weights do not read: expected {{\"version\": …, \"weights\": {{feature: number}}}}"
    )]
    Syntax(#[source] serde_json::Error),
    /// A weight that cannot be used.
    #[error("the weight of {feature} is {value}: expected a number from 0 to {most}")]
    Value {
        /// The greatest it may be.
        most: f64,
        /// The feature.
        feature: &'static str,
        /// The weight.
        value: f64,
    },
}

impl WeightsError {
    /// The whole of it, for people; what the parser said is in `source`.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            WeightsError::Syntax(_) => {
                "权重无法读取：应为 {\"version\": …, \"weights\": {特征: 数}}".to_owned()
            }
            WeightsError::Value {
                most,
                feature,
                value,
            } => format!("{feature} 的权重为 {value}：应为 0 至 {most} 的数"),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

impl Weights {
    /// Reads and checks weights.
    ///
    /// # Errors
    /// The text does not read, or a weight is not from 0 to [`Feature::most`].
    pub fn parse(json: &str) -> Result<Self, WeightsError> {
        let weights: Weights = serde_json::from_str(json).map_err(WeightsError::Syntax)?;
        for (feature, value) in &weights.weights {
            check(*feature, *value)?;
        }
        Ok(weights)
    }

    /// These weights with others in place of some; the version says which.
    ///
    /// # Errors
    /// A weight that is not from 0 to [`Feature::most`].
    pub fn with(&self, others: &[(Feature, f64)]) -> Result<Self, WeightsError> {
        let mut out = self.clone();
        let mut told: BTreeMap<Feature, f64> = BTreeMap::new();
        for &(feature, value) in others {
            check(feature, value)?;
            out.weights.insert(feature, value);
            told.insert(feature, value);
        }
        let told: Vec<String> = told
            .iter()
            .map(|(f, v)| format!("{}={v}", f.as_str()))
            .collect();
        if !told.is_empty() {
            out.version = format!("{} with {}", self.version, told.join(","));
        }
        Ok(out)
    }

    /// The same for scores that must not depend on which other candidates there are.
    pub fn without_neighbours(&self) -> Self {
        let mut out = self.clone();
        for f in Feature::AMONG.iter().chain([&Feature::TitleWords]) {
            out.weights.remove(f);
        }
        out
    }

    /// The weight of a feature.
    pub fn get(&self, feature: Feature) -> f64 {
        self.weights.get(&feature).copied().unwrap_or(0.0)
    }
}

fn check(feature: Feature, value: f64) -> Result<(), WeightsError> {
    if (0.0..=feature.most()).contains(&value) {
        return Ok(());
    }
    Err(WeightsError::Value {
        most: feature.most(),
        feature: feature.as_str(),
        value,
    })
}

impl Default for Weights {
    /// The weights that ship with the engine.
    fn default() -> Self {
        // The file is part of the binary, and a test reads it.
        Self::parse(include_str!("../weights/default.json")).unwrap_or(Weights {
            version: "none".to_owned(),
            weights: BTreeMap::new(),
        })
    }
}

/// One part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Part {
    /// The feature.
    pub feature: Feature,
    /// Its value; `None` when it is unknown.
    pub value: Option<f64>,
    /// Its weight.
    pub weight: f64,
    /// `weight × value`, 0 when unknown.
    pub contribution: f64,
}

/// Weights laid out for scoring many.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    weights: [f64; Feature::COUNT],
}

impl Scorer {
    /// A scorer with these weights.
    pub fn new(weights: &Weights) -> Self {
        Self {
            weights: Feature::ALL.map(|f| weights.get(f)),
        }
    }

    /// Whether a feature counts.
    pub fn weighs(&self, feature: Feature) -> bool {
        self.weights[feature as usize] > 0.0
    }

    /// The score of a match: the sum of its parts' contributions in the order of [`Feature::ALL`].
    pub fn score(&self, values: &Values) -> Score {
        let sum = values
            .iter()
            .zip(&self.weights)
            .fold(0.0, |sum, (v, w)| sum + contribution(*v, *w));
        Score::new(sum)
    }

    /// What the score is made of: every feature that weighs anything. The contributions add up to
    /// the score, bit for bit.
    pub fn parts(&self, values: &Values) -> Vec<Part> {
        Feature::ALL
            .into_iter()
            .zip(self.weights)
            .zip(values)
            .filter(|((_, weight), _)| *weight > 0.0)
            .map(|((feature, weight), value)| Part {
                feature,
                value: value.filter(|v| v.is_finite()),
                weight,
                contribution: contribution(*value, weight),
            })
            .collect()
    }
}

fn contribution(value: Option<f64>, weight: f64) -> f64 {
    match value {
        Some(v) if weight > 0.0 && v.is_finite() => v * weight,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_weights_read() {
        let w = Weights::parse(include_str!("../weights/default.json")).unwrap();
        assert!(w.get(Feature::DenseProfile) > 0.0);
        assert_eq!(Weights::default(), w);
    }

    #[test]
    fn parts_add_up_and_unknown_is_shown() {
        let w = Weights::parse(
            r#"{"version":"t","weights":{"dense_best":0.6,"industry":0.1,"words":0.3}}"#,
        )
        .unwrap();
        let mut values = [None; Feature::COUNT];
        values[Feature::DenseBest as usize] = Some(0.7);
        values[Feature::Words as usize] = Some(f64::NAN);
        values[Feature::Bigrams as usize] = Some(1.0);
        let scorer = Scorer::new(&w);
        let (s, parts) = (scorer.score(&values), scorer.parts(&values));
        assert_eq!(parts.len(), 3);
        assert_eq!(s.get(), parts.iter().map(|p| p.contribution).sum::<f64>());
        assert_eq!(parts[1].value, None);
        assert_eq!(s.get(), 0.6 * 0.7);
    }

    #[test]
    fn others_in_place() {
        let w = Weights::default();
        let other = w
            .with(&[(Feature::Region, 1.0), (Feature::DenseBest, 0.0)])
            .unwrap();
        assert_eq!(other.get(Feature::Region), 1.0);
        assert_eq!(other.get(Feature::Industry), w.get(Feature::Industry));
        assert_eq!(
            other.version,
            format!("{} with dense_best=0,region=1", w.version)
        );
        assert_eq!(w.with(&[]).unwrap(), w);
        assert!(w.with(&[(Feature::Region, f64::NAN)]).is_err());
    }

    #[test]
    fn bad_weights_are_refused() {
        for bad in [
            "",
            "{}",
            r#"{"version":"x","weights":{"dense_best":-1}}"#,
            r#"{"version":"x","weights":{"magic":1}}"#,
            r#"{"version":"x","weights":{"words":1e300}}"#,
            r#"{"version":"x","weights":{"credentials":0.2}}"#,
        ] {
            assert!(Weights::parse(bad).is_err(), "{bad}");
        }
    }
}
