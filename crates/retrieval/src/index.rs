//! The seam behind which an embedded or a distributed index stands.

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, RecordId};
use std::{path::PathBuf, sync::Arc};

/// What the index holds of one record.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The store's key of the record.
    pub key: u64,
    /// What filters see.
    pub facets: Facets,
    /// The units of the record, in its own order.
    pub passages: Vec<Passage>,
    /// Their vectors, `[passages.len(), dim]`; a row is of length one, or zero where the text
    /// says nothing to the model.
    pub vectors: Array2<f32>,
}

/// The terms of one unit of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Words, repeats kept.
    pub words: Vec<String>,
    /// Character bigrams, repeats kept.
    pub bigrams: Vec<String>,
}

/// One change, in the store's order.
#[derive(Debug, Clone)]
pub enum Change {
    /// The record is new, or replaces the one of the same key.
    Put(Box<Entry>),
    /// The record is gone.
    Delete(u64),
}

/// Which sides of the index answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Dense and lexical.
    #[default]
    Hybrid,
    /// Vectors only.
    Dense,
    /// Terms only.
    Lexical,
}

/// One passage of what is asked.
#[derive(Debug, Clone, Default)]
pub struct QueryPassage {
    /// Its words; of a word given twice the first counts.
    pub words: Vec<QueryTerm>,
    /// Its bigrams; likewise.
    pub bigrams: Vec<QueryTerm>,
}

/// A term that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryTerm {
    /// The term.
    pub text: String,
    /// How much it matters, above 0; 1 is usual.
    pub weight: f64,
}

/// How much of the store an answer must have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Whatever the index has seen by now; with an index that this process alone writes, that is
    /// every write that returned.
    #[default]
    Latest,
    /// The change of this sequence number and all before it; else [`IndexError::Behind`].
    AtLeast(u64),
}

/// A question to the index.
pub struct Query<'a> {
    /// Vectors of the asking passages, `[passages.len(), dim]`.
    pub vectors: &'a Array2<f32>,
    /// Terms of the asking passages.
    pub passages: &'a [QueryPassage],
    /// Condition on the answers.
    pub filter: &'a Filter,
    /// A further condition that is no filter: conflicts, opt-out, a judged pool.
    pub admit: &'a (dyn Fn(u64, &Facets) -> bool + Sync),
    /// Which sides answer.
    pub mode: Mode,
    /// Candidates wanted from each side; any number may be asked for, and no more are given than
    /// there are.
    pub candidates: usize,
    /// How much of the store the answer must have seen.
    pub consistency: Consistency,
}

/// Similarity of vectors, taken apart. All are cosines in [−1, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DenseParts {
    /// The best pair of an asking passage and a passage of the record.
    pub best: f64,
    /// The mean, over asking passages, of the best passage for each.
    pub coverage: f64,
    /// The mean of the record's three passages that are nearest to what is asked, or of as many as
    /// it has: whether it speaks of the matter more than once.
    pub three: f64,
    /// Between the mean of the asking passages and the mean of the record's.
    pub profile: f64,
    /// Index of the record's passage in the best pair.
    pub passage: usize,
    /// Index of the asking passage in the best pair.
    pub asked: usize,
}

/// Similarity of terms, taken apart: BM25, each divided by the greatest BM25 that could be reached
/// for this question, so in [0, 1] and comparable across questions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LexicalParts {
    /// Over words of the best passage.
    pub words: f64,
    /// Over bigrams of the best passage.
    pub bigrams: f64,
    /// Over words of all passages taken as one text.
    pub record_words: f64,
    /// Over bigrams of all passages taken as one text.
    pub record_bigrams: f64,
    /// Index of the record's passage with the best sum.
    pub passage: usize,
}

/// A record worth ranking.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The store's key.
    pub key: u64,
    /// The caller's id.
    pub id: RecordId,
    /// The facets.
    pub facets: Arc<Facets>,
    /// Number of passages of the record.
    pub passages: usize,
    /// The dense side; zero when it was not asked.
    pub dense: DenseParts,
    /// The lexical side; zero when no term is shared or it was not asked.
    pub lexical: LexicalParts,
}

/// Candidates, and what is needed to read their scores.
#[derive(Debug, Clone, Default)]
pub struct SearchResult {
    /// Candidates in order of id.
    pub candidates: Vec<Candidate>,
    /// The best word score of any admitted record, 0 when none shares a word.
    pub best_words: f64,
    /// The best bigram score of any admitted record.
    pub best_bigrams: f64,
    /// The best word score of any admitted record as a whole.
    pub best_record_words: f64,
    /// The best bigram score of any admitted record as a whole.
    pub best_record_bigrams: f64,
    /// Records that passed filter and condition. Where candidates were named by an index and not
    /// compared one and all, only these were asked whether they meet the condition: then it is the
    /// number that pass the filter, less those that were seen to fail the condition.
    pub admitted: usize,
    /// Records in the index.
    pub total: usize,
    /// The sequence number up to which the answer has seen the store.
    pub seq: u64,
}

/// How well an index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Everything answers.
    Serving,
    /// It answers, with this restriction.
    Degraded(String),
}

/// What an index has still to do beside searches and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Passages that no graph holds yet: a search finds them, at more cost. Some thousand may stay so.
    pub passages: usize,
    /// Graphs are being built, or terms committed.
    pub busy: bool,
}

/// What an index can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Dense search compares everyone where no more passages than this pass the filter; above it,
    /// nearly everyone who is near is found. `usize::MAX` where search is always exact.
    pub exact_below: usize,
    /// A write is seen by every search that begins after it returned.
    pub read_your_writes: bool,
    /// Survives a restart without a rebuild.
    pub persistent: bool,
    /// Terms are searched.
    pub lexical: bool,
}

/// What the vectors of an index were made with: an index made otherwise is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Number of dimensions.
    pub dim: usize,
    /// Identifies model and text processing.
    pub fingerprint: String,
}

/// Why an index does not answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A vector that does not fit.
    #[error("record {key}: {problem}; vectors have {dim} finite numbers of length one or zero")]
    Vector {
        /// The record's key.
        key: u64,
        /// What is wrong.
        problem: String,
        /// The index's dimensions.
        dim: usize,
    },
    /// A question that does not fit.
    #[error("the question does not fit the index: {0}")]
    Query(String),
    /// The index has not seen as much of the store as the question needs.
    #[error(
        "the index has seen the store up to change {seen}, the question needs change {needed}; ask again"
    )]
    Behind {
        /// The sequence number asked for.
        needed: u64,
        /// The sequence number seen.
        seen: u64,
    },
    /// A derived file that cannot be trusted; rebuild it from the store.
    #[error(
        "the index at {path} is damaged or of another make ({problem}); it is rebuilt from the store"
    )]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What was noticed.
        problem: String,
    },
    /// A file operation failed.
    #[error("the index at {path} cannot be {doing}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read`, `written`, …
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The lexical engine failed.
    #[error("the lexical index failed while {doing}")]
    Lexical {
        /// What it was doing.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<tantivy::TantivyError>,
    },
}

/// An index of one tenant's records.
///
/// Implementations are safe to share; [`Index::apply`] calls come one at a time, searches at any
/// time.
pub trait Index: Send + Sync {
    /// Takes changes in the store's order; after it returns every search sees them, and none before
    /// sees a part of them. `seq` is the store's sequence number of the last. Of several changes of
    /// one key the last counts. On an error nothing of the batch is visible.
    fn apply(&self, changes: Vec<Change>, seq: u64) -> Result<(), IndexError>;

    /// The sequence number up to which the index has seen the store.
    fn seq(&self) -> u64;

    /// Number of records.
    fn len(&self) -> usize;

    /// True when it holds no record.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Candidates for a question. Equal questions to an index that did not change get equal
    /// answers; scores depend on the contents alone.
    fn search(&self, query: &Query<'_>) -> Result<SearchResult, IndexError>;

    /// How alike candidates are that a search gave: the cosines of the mean vectors of each two, `[n, n]`. 0 where
    /// one of the two was changed or deleted since, or says nothing to the model.
    fn alike(&self, candidates: &[&Candidate]) -> Result<Array2<f32>, IndexError>;

    /// Number of passages.
    fn passages(&self) -> usize;

    /// Forgets everything, to be filled anew from the store.
    fn clear(&self) -> Result<(), IndexError>;

    /// Whether it answers in full.
    fn health(&self) -> Health;

    /// What it has still to do.
    fn backlog(&self) -> Backlog;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;
}
