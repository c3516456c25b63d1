//! One file per command.

pub(crate) mod audit;
pub(crate) mod care;
pub(crate) mod compare;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod interleaving;
pub(crate) mod key;
pub(crate) mod lists;
pub(crate) mod matching;
pub(crate) mod models;
pub(crate) mod off_policy;
pub(crate) mod open;
pub(crate) mod outcomes;
pub(crate) mod quality;
pub(crate) mod rank;
pub(crate) mod serve;
pub(crate) mod team;
pub(crate) mod train;
pub(crate) mod weights;
pub(crate) mod why;
