//! The event desk's brain: who should meet whom, and when.
//!
//! Purpose: from scores and rules to plans that people can act on: shortlists under capacity, review
//! panels, roundtables, tracks, timetables. Invariant: a plan keeps every limit, bar, window and lock
//! it was given, stands beside an upper bound of what any plan could reach, and is the same for the
//! same input and seed; where no plan exists the answer says which few constraints collide and what
//! would do. Pure functions over ids and numbers: this crate reads no file and knows no engine.

pub mod conflict;
pub mod event;
pub mod panel;
pub mod plan;
pub mod roundtable;
pub mod shortlist;
pub mod timetable;
pub mod track;
