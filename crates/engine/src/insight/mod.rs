//! Beyond single matches: how well a need is described, what to ask back, what is there twice, and where
//! a chain has gaps.

mod chain;
mod clarify;
mod duplicates;
mod quality;

pub use chain::{ChainNode, ChainRequest, ChainView, Filler, NodeView};
pub use clarify::{Clarification, Clarity, PlausibleAnswer};
pub use duplicates::{DuplicatePair, DuplicateRequest, Duplicates};
pub use quality::{DescriptionPart, DescriptionScore, Part};
