//! Outcomes as training data, rid of the bias of position.

use super::report::Stage;
use crate::{Engine, Error};
use queqiao_domain::TenantId;
use queqiao_ranking::{GradedList, Values};
use serde::Serialize;

/// How outcomes become grades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnOptions {
    /// The place `r` of a list is looked at with probability `r^-bias`: 0 is no bias.
    pub bias: f64,
    /// No outcome counts more often than this, however unlikely it was to be seen.
    pub clip: f64,
    /// Only answers given from this time on, milliseconds since 1970.
    pub from: Option<i64>,
    /// Only answers given before this time.
    pub until: Option<i64>,
}

impl Default for LearnOptions {
    fn default() -> Self {
        Self {
            bias: 1.0,
            clip: 10.0,
            from: None,
            until: None,
        }
    }
}

/// An answer as a graded list.
#[derive(Debug, Clone)]
pub struct TrainingList {
    /// The answer.
    pub match_id: String,
    /// The records, in order of their ids.
    pub records: Vec<String>,
    /// Their scores, as they were given.
    pub scores: Vec<f64>,
    /// How far each came; none where it was not shown.
    pub stages: Vec<Option<Stage>>,
    /// Features and grades: what came of it, as often as its place was overlooked.
    pub list: GradedList,
}

/// All that can be learned from, and what it covers.
#[derive(Debug, Clone, Serialize)]
pub struct OutcomeLists {
    /// Answers with an outcome.
    #[serde(skip)]
    pub lists: Vec<TrainingList>,
    /// When the first was given, milliseconds since 1970.
    pub first: Option<i64>,
    /// When the last was given.
    pub last: Option<i64>,
    /// The weights that ranked them.
    pub weights: Vec<String>,
}

/// How good an outcome is.
fn gain(stage: Stage) -> f64 {
    match stage {
        Stage::Shown | Stage::Declined => 0.0,
        Stage::Opened => 0.25,
        Stage::Contacted => 1.0,
        Stage::Met => 2.0,
        Stage::Signed => 3.0,
    }
}

impl Engine {
    /// The kept answers that something came of, as graded lists. An outcome at a place that few look
    /// at, or on a list that it stood on by chance, counts for those that were not seen: by the
    /// inverse of its probability, clipped (Joachims et al., WSDM 2017). Answers are told apart by
    /// their ids and come in order of time.
    ///
    /// # Errors
    /// [`Error::Argument`]: a bias outside 0 to 2, a clip below 1. The store fails.
    pub fn outcome_lists(
        &self,
        tenant: &TenantId,
        options: &LearnOptions,
    ) -> Result<OutcomeLists, Error> {
        if !(0.0..=2.0).contains(&options.bias) {
            return Err(Error::argument(
                "bias",
                (
                    format!("{} is no bias of position", options.bias),
                    format!("{} 不是可用的位置偏差", options.bias),
                ),
                (
                    "expected 0 (every place is looked at) to 2",
                    "应为 0（每个位置都会被看到）至 2",
                ),
            ));
        }
        if !(options.clip >= 1.0 && options.clip.is_finite()) {
            return Err(Error::argument(
                "clip",
                (
                    format!("{} is no bound of a weight", options.clip),
                    format!("{} 不能作为权重上限", options.clip),
                ),
                ("expected 1 or more", "应为 1 或更大"),
            ));
        }
        let mut out = OutcomeLists {
            lists: Vec::new(),
            first: None,
            last: None,
            weights: Vec::new(),
        };
        self.each_answer(tenant, (options.from, options.until), |answer| {
            if answer
                .pairs
                .iter()
                .all(|p| p.reached.is_none() && p.declined.is_none())
            {
                return Ok(());
            }
            // Who was looked at is above the last of whom anything was told.
            let told = |p: &&super::funnel::Pair| p.reached.is_some() || p.declined.is_some();
            let last = answer
                .pairs
                .iter()
                .filter(told)
                .map(|p| p.row.rank)
                .max()
                .unwrap_or(0);
            let mut list = TrainingList {
                match_id: answer.id,
                records: Vec::new(),
                scores: Vec::new(),
                stages: Vec::new(),
                list: GradedList {
                    values: Vec::<Values>::new(),
                    grades: Vec::new(),
                },
            };
            for p in answer.pairs.into_iter().filter(|p| p.row.rank <= last) {
                let seen = (p.row.rank as f64).powf(-options.bias) * p.row.probability;
                let weight = (1.0 / seen.max(f64::MIN_POSITIVE)).min(options.clip);
                let stage = p.reached.or(p.declined.map(|_| Stage::Shown));
                list.list.grades.push(stage.map_or(0.0, gain) * weight);
                list.list.values.push(p.row.values());
                list.records.push(p.record.to_string());
                list.scores.push(p.row.score);
                list.stages.push(stage);
            }
            out.first.get_or_insert(answer.head.time);
            out.last = Some(answer.head.time);
            if !out.weights.contains(&answer.head.weights) {
                out.weights.push(answer.head.weights);
            }
            out.lists.push(list);
            Ok(())
        })?;
        Ok(out)
    }
}
