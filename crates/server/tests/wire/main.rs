//! The service over a real socket: every method, every error, and every way to misbehave.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used)]

mod admin;
mod bounds;
mod drain;
mod events;
mod hostile;
mod matches;
mod records;
mod support;
mod teams;
