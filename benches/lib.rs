//! Benchmarks of the workspace.
//!
//! Each prints a table and, with `--keep`, writes what it measured to `benches/runs/` under the
//! day's date. Speed and memory are shown here, never by timed tests.
