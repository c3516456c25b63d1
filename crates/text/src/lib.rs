//! Chinese and English text: normalise, segment into terms, split into clauses, tell the language.
//!
//! Purpose: one reading of text for indexing, embedding and quoting. Invariant: normalising maps
//! one character to one character, so the n-th character of a normalised text is the n-th
//! character of the original and a quote found in one is verbatim in the other. Nothing here
//! fails: any string has a normal form, terms and clauses.

mod clauses;
mod description;
pub mod figures;
mod language;
mod negation;
mod normalise;
mod stuffing;
mod terms;

pub use clauses::{clauses, sentences};
pub use description::{Cues, cues};
pub use language::detect_language;
pub use negation::ruled_out;
pub use normalise::{is_han, normalise};
pub use stuffing::{Stuffing, stuffing};
pub use terms::{Segmenter, Terms};
