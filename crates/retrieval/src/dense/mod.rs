//! The dense side: sealed segments with graphs, and vectors that still wait for theirs.

mod beam;
mod build;
mod codes;
mod compare;
mod file;
mod graph;
mod layer;
mod lists;
mod memory;
mod parts;
mod raw;
mod refine;
mod segment;
mod sketch;
mod values;

pub(crate) use build::BuildError;
pub use build::{GraphOptions, Refinement};
pub(crate) use compare::mean_norm;
pub(crate) use file::{Opened, Record, SegmentWriter, open as open_segment};
pub(crate) use layer::{Admission, Everyone};
pub(crate) use memory::Rows;
pub(crate) use parts::{Body, Chosen, Dense, End, NOWHERE, Part};
pub(crate) use segment::{Ask, Found, Segment, Side, mean_of};
