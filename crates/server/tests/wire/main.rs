//! The service over a real socket: every method, every error, and every way to misbehave.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used)]

mod access;
mod admin;
mod backup;
mod bounds;
mod contacts;
mod drain;
mod events;
mod hostile;
mod insights;
mod matches;
mod operation;
mod outcomes;
mod people;
mod records;
mod rolling;
mod sealed;
mod support;
mod teams;
mod tls;
mod tokens;
