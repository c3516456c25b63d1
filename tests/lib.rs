//! Tests of the workspace as a whole: its architecture and its documents.
//!
//! The end-to-end suite lies in this folder too and belongs to the package `queqiao-cli`, which
//! has the binary: `cli.rs`, `service.rs`, `real_data.rs`.
