//! Text to vectors: the [`Embedder`] seam; behind it the static model and its training, sentence
//! encoders from a folder, and models behind an endpoint.
//!
//! Purpose: meaning that keyword search lacks, on a CPU, without a network, from a model that this
//! crate trains itself and that others' tools can read (the Model2Vec layout). Invariant: every row
//! an [`Embedder`] returns is finite and L2-normalised, or all zero when nothing in the text is
//! known; the same text gives the same row whatever the batch or the number of threads; and vectors
//! of two [`ModelFingerprint`]s are never comparable. A model loads whole and checked, or not at
//! all.
//!
//! ```no_run
//! use queqiao_embed::{Embedder, ModelStore, Role};
//!
//! # fn main() -> Result<(), queqiao_embed::EmbedError> {
//! let model = ModelStore::find(&ModelStore::search_dirs())?.load(None)?;
//! let needs = model.embed(&["高韧性立方氮化硼单晶的研制"], Role::Query)?;
//! let experts = model.embed(&["superhard materials", "rice breeding"], Role::Passage)?;
//! let cosines = needs.dot(&experts.t());
//! # Ok(())
//! # }
//! ```

mod embedder;
#[cfg(feature = "encoders")]
mod encoder;
mod error;
mod model;
mod open;
mod remote;
mod store;
pub mod testing;
mod tokenizer;
pub mod train;

pub use embedder::{Embedder, ModelFingerprint, Role};
#[cfg(feature = "encoders")]
pub use encoder::{Precision, TransformerModel};
pub use error::EmbedError;
pub use model::StaticModel;
pub use open::open_model;
pub use remote::{RemoteModel, RemoteOptions};
pub use store::{FileEntry, ModelEntry, ModelStore};
