//! The store, played through its interface.
#![allow(clippy::unwrap_used)]

mod backup;
mod damage;
mod describe;
mod erasure;
mod fixtures;
mod folder;
mod frozen;
mod history;
mod kill;
mod model;
mod readers;
mod reads;
mod requests;
mod tmpfs;
mod writes;
