//! Answers as they are kept.

use crate::{
    Error,
    request::{Ask, MatchRequest},
    response::MatchResponse,
};
use queqiao_domain::{Kind, RecordId};
use queqiao_ranking::{Feature, Values};
use queqiao_store::KeptAnswer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// What is kept of an answer as a whole. The text of a question is not: a need may be confidential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// When it was given, milliseconds since 1970; a restore to a moment reads it.
    pub(crate) time: i64,
    /// The store's state.
    pub(crate) seq: u64,
    /// The model.
    pub(crate) model: String,
    /// The weights.
    pub(crate) weights: String,
}

/// What is kept of a record in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Its place, from 1.
    pub(crate) rank: usize,
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its score.
    pub(crate) score: f64,
    /// With what probability it stood on the list: below 1 where chance had a hand in it.
    pub(crate) probability: f64,
    /// Its features, those that are known.
    pub(crate) values: BTreeMap<Feature, f64>,
}

impl Row {
    pub(crate) fn values(&self) -> Values {
        Feature::ALL.map(|f| self.values.get(&f).copied())
    }
}

/// A row as it is stored.
pub(crate) fn write<T: Serialize>(row: &T) -> Vec<u8> {
    // Plain structs of numbers and names: they always write.
    serde_json::to_vec(row).unwrap_or_default()
}

/// A stored row; none where it is of a later program.
pub(crate) fn read<T: DeserializeOwned>(row: &[u8]) -> Option<T> {
    serde_json::from_slice(row).ok()
}

/// An answer to keep, with the features and probability of each match.
pub(crate) fn kept(
    request: &MatchRequest,
    answer: &MatchResponse,
    values: &[(Values, f64)],
) -> Result<KeptAnswer, Error> {
    let asker: Option<RecordId> = match &request.ask {
        Ask::Record(id) => Some(id.clone()),
        Ask::Text(_) | Ask::Draft(_) => None,
    };
    let head = Head {
        time: jiff::Timestamp::now().as_millisecond(),
        seq: answer.seq,
        model: answer.model.clone(),
        weights: answer.weights.clone(),
    };
    let rows = answer
        .matches
        .iter()
        .zip(values)
        .map(|(m, (values, probability))| {
            let known = Feature::ALL.into_iter().zip(values);
            let row = Row {
                rank: m.rank,
                kind: m.kind,
                score: m.score.get(),
                probability: *probability,
                values: known
                    .filter_map(|(f, v)| Some((f, v.filter(|v| v.is_finite())?)))
                    .collect(),
            };
            (m.id.clone(), write(&row))
        });
    Ok(KeptAnswer {
        id: answer.match_id.clone(),
        asker,
        head: write(&head),
        rows: rows.collect(),
    })
}
