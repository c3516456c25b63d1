//! What callers ask.

use queqiao_domain::{Date, Filter, Kind, Record, RecordId};
use queqiao_ranking::Feature;
pub use queqiao_retrieval::Mode;
use std::time::Instant;

/// Greatest number of matches a caller may ask for.
pub const MAX_K: usize = 1_000;
/// Greatest length of a text that asks, in characters.
pub const MAX_TEXT: usize = 100_000;
/// Greatest number of questions in one batch.
pub const MAX_BATCH: usize = 200;

/// Greatest share of a list that newcomers may get.
pub const MOST_EXPLORATION: f64 = 0.3;

/// How a list is made diverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiversityMethod {
    /// Maximal marginal relevance: no two alike.
    #[default]
    Mmr,
    /// xQuAD: every clause of the question answered by somebody.
    Xquad,
}

/// A diverse list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diversity {
    /// How.
    pub method: DiversityMethod,
    /// Share of the relevance that is kept at least, .5 to 1.
    pub least: f64,
}

/// Who or what asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A stored record.
    Record(RecordId),
    /// A text: a need in somebody's words.
    Text(String),
    /// A record that is not stored.
    Draft(Box<Record>),
}

/// A request for matches.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchRequest {
    /// Who or what asks.
    pub ask: Ask,
    /// Kinds wanted; empty means the natural counterparts ([`Kind::default_counterparts`]).
    pub to: Vec<Kind>,
    /// Condition on the answers.
    pub filter: Filter,
    /// Matches wanted, 1 to [`MAX_K`].
    pub k: usize,
    /// Which sides of the index answer.
    pub mode: Mode,
    /// Quote for each match the passage that earned it.
    pub quotes: bool,
    /// Say for each clause of the question what of the record answers it, and which clauses no
    /// match answers; without `quotes` it does nothing.
    pub clauses: bool,
    /// The day on which records must be valid.
    pub today: Date,
    /// Also answer with records of the asker's own organisation.
    pub own_organisation: bool,
    /// Weights of the caller's own in place of the engine's, each from 0 to [`Feature::most`].
    pub weights: Vec<(Feature, f64)>,
    /// Of one organisation at most so many matches, the best ones; above 0.
    pub per_organisation: Option<usize>,
    /// A list that does not say the same ten times; its order is then not that of the scores.
    pub diversity: Option<Diversity>,
    /// Share of the list, at its end, that newcomers get, drawn from those right behind it with a known
    /// probability: 0 to [`MOST_EXPLORATION`].
    pub exploration: f64,
    /// Another seed draws other newcomers; equal requests draw alike.
    pub exploration_seed: u64,
    /// Keep the answer, so that outcomes can be reported for it; it is on disk when it is given.
    pub keep: bool,
    /// The caller may read sealed records: `filter` sees all of them. Else it sees no more of a sealed
    /// record than everyone does, so that it does not find out the rest word by word.
    pub sees_sealed: bool,
    /// Stop with [`crate::Error::Deadline`] when this passes.
    pub deadline: Option<Instant>,
}

impl MatchRequest {
    /// A request with the defaults: ten matches, hybrid, with quotes.
    pub fn new(ask: Ask, today: Date) -> Self {
        Self {
            ask,
            to: Vec::new(),
            filter: Filter::All,
            k: 10,
            mode: Mode::Hybrid,
            quotes: true,
            clauses: false,
            today,
            own_organisation: false,
            weights: Vec::new(),
            per_organisation: None,
            diversity: None,
            exploration: 0.0,
            exploration_seed: 0,
            keep: false,
            sees_sealed: true,
            deadline: None,
        }
    }
}

/// A request for a page of records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListRequest {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only records that pass.
    pub filter: Filter,
    /// Records on the page, 1 to 1,000; 0 means 50.
    pub page_size: usize,
    /// Continue where the page before ended, as [`crate::Page::next`] gave it.
    pub after: Option<u64>,
    /// Include deleted records that are not purged yet.
    pub show_deleted: bool,
    /// The caller may not read sealed records: they come as everyone sees them, and `filter` sees no
    /// more of them.
    pub as_everyone: bool,
}

/// A batch of writes, all or nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteBatch {
    /// The writes, in order; an id may stand only once.
    pub writes: Vec<Write>,
    /// Makes a retry apply once: the same id with the same writes gives the first answer again.
    pub request_id: Option<[u8; 16]>,
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Store a record, new or in place of the one with its id.
    Put {
        /// The record.
        record: Box<Record>,
        /// Only if the stored record has this etag.
        etag: Option<String>,
        /// Only if no record has this id yet.
        must_be_new: bool,
        /// When the record comes without a contact, keep the one that is stored: whoever may not
        /// read a contact must not lose it by writing back what they read.
        keep_contact: bool,
    },
    /// Delete a record; it can be undeleted until it is purged.
    Delete {
        /// The record's id.
        id: RecordId,
        /// Only if it is of this kind.
        kind: Option<Kind>,
        /// Only if the stored record has this etag.
        etag: Option<String>,
    },
    /// Bring a deleted record back.
    Undelete {
        /// The record's id.
        id: RecordId,
        /// Only if it is of this kind.
        kind: Option<Kind>,
    },
    /// Remove a record from store and index, at once and for good.
    Erase {
        /// The record's id.
        id: RecordId,
        /// Only if it is of this kind.
        kind: Option<Kind>,
    },
}

impl Write {
    /// Stores a record whatever is there, contact and all.
    pub fn put(record: Record) -> Self {
        Write::Put {
            record: Box::new(record),
            etag: None,
            must_be_new: false,
            keep_contact: false,
        }
    }
}
