//! The crate as its users see it: files in, records out, and back.
#![allow(clippy::unwrap_used)]

mod bad_rows;
mod common;
mod hostile;
mod objects;
mod round_trip;
mod shared;
mod tables;
mod workbooks;
