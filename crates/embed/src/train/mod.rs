//! Training a static model from texts, deterministic by seed.
//!
//! The recipe: a Unigram tokenizer seeded with jieba's word counts; one row a token, during training
//! the sum of the token's own vector and those of its parts; InfoNCE with in-batch negatives over
//! pairs that belong together in a document (title and abstract, keyword and abstract, a span and
//! the rest, two paragraphs, both languages); the words shared by both sides masked in a third of
//! the pairs. Same seed, corpus and options give the same bytes on any number of threads of one
//! kind of processor.

mod checkpoint;
mod clean;
mod composition;
mod document;
mod gate;
mod infonce;
mod noise;
mod options;
mod pieces;
mod progress;
mod readers;
mod rng;
mod rows;
mod sampler;
mod taxonomy;
mod trainer;
mod vocabulary;
mod write;

pub use checkpoint::Checkpoints;
pub use document::{Corpus, Document, Documents, Sampled, Source, SourceFacts};
pub use gate::{Gate, GateReport, GateTask};
pub use options::{Composition, TrainOptions, VocabularyOptions};
pub use progress::{Progress, Silent, Stage};
pub use readers::{Columns, FileSource, excluded, read_ids, read_words};
pub use taxonomy::read_taxonomy;
pub use trainer::{SourceReport, TrainReport, Trained, Trainer};
pub use write::CardText;
