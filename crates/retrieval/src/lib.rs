//! Candidates for a match: dense and lexical search over the passages of records, with filters.
//!
//! Purpose: given what is asked, the records worth ranking, each with its similarity taken apart.
//! Invariant: the index is a shadow of the store: it says up to which sequence number it has seen
//! it, answers only from what it has seen, and when it is damaged it says so and is rebuilt. A
//! score depends on the contents alone, bit for bit, on every machine; who is scored is everyone
//! while few pass the filter, and above that whoever graphs and postings name. Vectors and terms
//! come in ready made; this crate knows no model and no text.
//!
//! `index` is the seam, `embedded` the index of this process; of its sides, `dense` finds by
//! vectors (`kernel` multiplies them) and `lexical` by terms; `attributes` answers filters.

mod attributes;
mod dense;
mod embedded;
mod index;
mod journal;
mod kernel;
mod lexical;
mod slots;
mod vectors;

pub use dense::{GraphOptions, Refinement};
#[doc(hidden)]
pub use embedded::try_files;
pub use embedded::{CanaryFigures, EmbeddedIndex, IndexOptions, Recall};
pub use index::{
    Backlog, Candidate, Capabilities, Change, Consistency, DenseParts, Entry, Health, Index,
    IndexError, LexicalParts, Mode, Passage, Query, QueryPassage, QueryTerm, SearchResult, Shape,
};
pub use kernel::Isa;
pub use vectors::{Selection, VectorIndex};
