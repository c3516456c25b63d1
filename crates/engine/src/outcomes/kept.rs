//! Answers as they are kept, and as they are told again.

use crate::{
    Engine, Error,
    request::{Ask, MatchRequest},
    response::MatchResponse,
};
use queqiao_domain::{Kind, RecordId, TenantId};
use queqiao_ranking::{Feature, Part, Scorer, Values, Weights};
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
    /// The version of the weights.
    pub(crate) weights: String,
    /// The weights; none were kept by earlier programs.
    #[serde(default)]
    pub(crate) weighed: BTreeMap<Feature, f64>,
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
    weights: &Weights,
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
        weighed: weights.weights.clone(),
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

/// An answer as it was given and kept, whatever has changed since.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PastAnswer {
    /// Its id.
    pub match_id: String,
    /// When it was given, milliseconds since 1970.
    pub time: i64,
    /// Who asked, if it was a record that is still there.
    pub asker: Option<(RecordId, Kind)>,
    /// The model.
    pub model: String,
    /// The version of the weights.
    pub weights: String,
    /// The tenant's own sequence number that it saw.
    pub seq: u64,
    /// Who was on it and was not erased since, in order.
    pub matches: Vec<PastMatch>,
}

/// A match of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PastMatch {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its place, from 1.
    pub rank: usize,
    /// Its score.
    pub score: f64,
    /// The probability with which chance put it on the list; none where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<f64>,
    /// What the score was made of; none where an earlier program kept the answer.
    pub parts: Vec<Part>,
}

impl Engine {
    /// A kept answer: who was on it, and what each score was made of then.
    ///
    /// # Errors
    /// No such answer is kept; the store cannot be read.
    pub fn kept_answer(&self, tenant: &TenantId, match_id: &str) -> Result<PastAnswer, Error> {
        let snapshot = self.store().snapshot()?;
        let kept = snapshot.answer(tenant, match_id)?;
        let found = kept.and_then(|k| Some((read::<Head>(&k.head)?, k)));
        let Some((head, kept)) = found else {
            return Err(Error::argument(
                "match_id",
                ("no answer of this id was kept", "没有留存此编号的结果"),
                (
                    "the match_id of an answer that was asked for with `keep`",
                    "应为带 `keep` 请求的结果的 match_id",
                ),
            ));
        };
        let asker = match kept.asker {
            Some(id) => snapshot
                .get(tenant, &id)?
                .map(|stored| (id, stored.record.kind())),
            None => None,
        };
        let scorer = Scorer::new(&Weights {
            version: head.weights.clone(),
            weights: head.weighed,
        });
        let each = kept.rows.into_iter().filter_map(|(id, row)| {
            let row: Row = read(&row)?;
            Some(PastMatch {
                id,
                kind: row.kind,
                rank: row.rank,
                score: row.score,
                drawn: Some(row.probability).filter(|p| *p < 1.0),
                parts: scorer.parts(&row.values()),
            })
        });
        let mut matches: Vec<PastMatch> = each.collect();
        matches.sort_by_key(|m| m.rank);
        Ok(PastAnswer {
            match_id: match_id.to_owned(),
            time: head.time,
            asker,
            model: head.model,
            weights: head.weights,
            seq: head.seq,
            matches,
        })
    }
}
