//! What callers get.

use crate::disclosing::Disclosed;
use queqiao_domain::{Date, Facets, Kind, Record, RecordId, Score};
use queqiao_ranking::{Clause, Feature, Part};
pub use queqiao_text::figures::Verdict;
use serde::Serialize;
use std::sync::Arc;

/// Ranked matches, and exactly what gave them.
#[derive(Debug, Clone, Serialize)]
pub struct MatchResponse {
    /// Names this answer; feedback refers to it.
    pub match_id: String,
    /// Best first; ties stand in order of id.
    pub matches: Vec<Match>,
    /// Records that met every condition.
    pub admitted: usize,
    /// Records in the index.
    pub total: usize,
    /// The state of the index: the tenant's own sequence number it had seen.
    pub seq: u64,
    /// The model that embedded the texts.
    pub model: String,
    /// The version of the scorer's weights.
    pub weights: String,
    /// Share of the relevance that a diverse list keeps; none where none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance_kept: Option<f64>,
    /// What the matches' probabilities are of (`met`); none while scores are uncalibrated.
    pub calibrated_to: Option<String>,
    /// What the asker should know: unknown words, nothing admitted and by which condition.
    pub notes: Vec<Note>,
    /// The clauses of the question that none of these matches answers; empty when clauses were not
    /// asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncovered: Vec<Excerpt>,
}

/// Something the asker should know about an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable name, such as `LOW_COVERAGE` or `NOTHING_ADMITTED`.
    pub code: &'static str,
    /// For people.
    pub message: queqiao_domain::Bilingual,
}

/// One match.
#[derive(Debug, Clone, Serialize)]
pub struct Match {
    /// From 1.
    pub rank: usize,
    /// The record's id.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its title or name; empty for a sealed record that is not disclosed.
    pub title: String,
    /// The sum of the parts.
    pub score: Score,
    /// How likely it is to come to what scores are calibrated to
    /// ([`MatchResponse::calibrated_to`]), (0, 1); none before outcomes are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What the score is made of; the contributions add up to it exactly, in this order.
    pub parts: Vec<Part>,
    /// The passage that earned it; absent when it shares nothing with the question, when the
    /// record is sealed, or when quotes were not asked for.
    pub quote: Option<Quote>,
    /// The figures that the question asks for, in its order, and what the record says of each;
    /// empty where none is asked for, for a sealed record, or when quotes were not asked for.
    pub figures: Vec<FigureMatch>,
    /// The clauses that the question asks with, in its order, and what of the record answers each;
    /// empty for a sealed record, or when they were not asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<ClauseMatch>,
    /// The probability with which chance put it on the list; none where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<f64>,
    /// Where lists were made together, how much it wants the asker: 1 is the one it wants most of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<f64>,
    /// What the one who asks may know of it, where it is sealed; none for any other record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosed: Option<Disclosed>,
    /// What filters see of the record; absent for a sealed one whose owner is not disclosed.
    #[serde(skip)]
    pub facets: Option<Arc<Facets>>,
}

/// The clause of a record that answers best, and what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The clause.
    #[serde(flatten)]
    pub excerpt: Excerpt,
    /// What of the question it answers.
    pub asked: Option<Excerpt>,
}

/// A clause of the question, and what of a record answers it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClauseMatch {
    /// The clause.
    pub asked: Excerpt,
    /// The clause of the record that answers it, or says the contrary; none where nothing there does.
    pub answer: Option<Excerpt>,
    /// How near the nearest clause of the record is, [0, 1].
    pub strength: f64,
    /// The clause rules something out (不含氰化物), and the record says that it has it: `answer` is
    /// where. Then `strength` is 0.
    pub contradicted: bool,
}

/// A figure that is asked for, and what a record says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FigureMatch {
    /// Where the question asks.
    pub asked: Excerpt,
    /// Where the record answers; none where it gives no comparable figure.
    pub offered: Option<Excerpt>,
    /// Whether the answer is enough; none where there is none.
    pub verdict: Option<Verdict>,
    /// By how much it is better (above 0) or worse than the bound, as a share of it.
    pub margin: Option<f64>,
}

/// A part of a record, or of the question, verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// Path of the field (`passages[2].text`); `text` where a bare text asks.
    pub path: String,
    /// The text, exactly as it stands there.
    pub text: String,
    /// Where it begins in the field, in Unicode characters.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Excerpt {
    pub(crate) fn of(c: &Clause<'_>) -> Self {
        Self {
            path: c.path.to_owned(),
            text: c.text.to_owned(),
            start: c.start,
            end: c.end,
        }
    }
}

/// A candidate's match, and what would move it.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The match, at its true rank.
    pub matched: Match,
    /// How many records were ranked.
    pub of: usize,
    /// Who stands ahead: the last of the list it should be on, or the one above; none when nobody
    /// does.
    pub ahead: Option<Ahead>,
    /// Single changes that would change its rank, each re-scored, best rank first.
    pub changes: Vec<Counterfactual>,
}

/// A record that stands ahead of another.
#[derive(Debug, Clone, Serialize)]
pub struct Ahead {
    /// Its rank, from 1.
    pub rank: usize,
    /// Its id.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its title; empty for a sealed record.
    pub title: String,
    /// Its score.
    pub score: Score,
    /// What its score is made of, in the order of the explained match's parts.
    pub parts: Vec<Part>,
}

/// The rank after one change.
#[derive(Debug, Clone, Serialize)]
pub struct Counterfactual {
    /// What would be otherwise.
    pub change: Change,
    /// The rank then.
    pub rank: usize,
    /// The score then.
    pub score: Score,
}

/// One change of a question or of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The record tells something else.
    Record {
        /// The feature that it changes.
        feature: Feature,
        /// What it would have to tell: the region asked for, a code to add.
        value: String,
    },
    /// The question does not ask with this clause.
    WithoutClause(Excerpt),
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The record. Its contact is masked (absent) unless it was asked for by the operator.
    pub record: Record,
    /// Changes with every change of the record.
    pub etag: String,
    /// When it was first stored, milliseconds since 1970.
    pub create_time: i64,
    /// When it last changed.
    pub update_time: i64,
    /// When it was deleted, if it was.
    pub delete_time: Option<i64>,
    /// When a deleted record goes for good.
    pub purge_time: Option<i64>,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The records, in the order in which they were first stored.
    pub records: Vec<Stored>,
    /// Where the next page continues; absent on the last.
    pub next: Option<u64>,
}

/// What a batch of writes did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WriteReport {
    /// Records stored for the first time.
    pub created: usize,
    /// Records that changed.
    pub updated: usize,
    /// Records that were the same already.
    pub unchanged: usize,
    /// Records deleted.
    pub deleted: usize,
    /// The tenant's own sequence number after the batch: a match whose number is at least this sees it.
    pub seq: u64,
    /// The store's, which counts what all tenants write: not for them to know.
    pub store_seq: u64,
    /// What became of each write, in the order of the batch.
    pub items: Vec<WriteItem>,
}

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WriteItem {
    /// The record.
    pub id: RecordId,
    /// Its etag after the write.
    pub etag: String,
    /// What happened.
    pub outcome: WriteOutcome,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteOutcome {
    /// It is new.
    Created,
    /// It changed, or came back with new content.
    Updated,
    /// It was the same already.
    Unchanged,
    /// It is deleted and can be brought back.
    Deleted,
    /// It is back.
    Undeleted,
    /// It is gone for good.
    Erased,
}

/// Figures about one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Records by kind.
    pub records: Vec<(Kind, u64)>,
    /// Passages in the index.
    pub passages: usize,
    /// Those that no graph holds yet: a search finds them, at more cost. Some thousand may stay so.
    pub pending_passages: usize,
    /// Graphs are being built, or terms committed.
    pub indexing: bool,
    /// The tenant's own sequence number in the store.
    pub store_seq: u64,
    /// The one that the index has seen.
    pub index_seq: u64,
    /// Whether the index answers in full; else why not.
    pub health: String,
    /// The embedding model.
    pub model: String,
    /// The day of the figures.
    pub day: Date,
}
