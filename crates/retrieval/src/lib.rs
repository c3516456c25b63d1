//! Candidates for a match: dense and lexical search over the passages of records, with filters.
//!
//! Purpose: given what is asked, the records worth ranking, each with its similarity taken apart.
//! Invariant: the index is a shadow of the store: it says up to which sequence number it has seen
//! it, answers only from what it has seen, and when it is damaged it says so and is rebuilt;
//! equal requests on equal contents give equal answers, bit for bit, on every machine. Vectors
//! and terms come in ready made; this crate knows no model and no text.

mod dense;
mod embedded;
mod index;
mod journal;
mod kernel;
mod lexical;
mod slots;

pub use embedded::EmbeddedIndex;
pub use index::{
    Candidate, Capabilities, Change, DenseParts, Entry, Health, Index, IndexError, LexicalParts,
    Mode, Passage, Query, QueryPassage, QueryTerm, SearchResult, Shape,
};
