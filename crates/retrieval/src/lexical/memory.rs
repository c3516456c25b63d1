//! Postings that are not committed yet.

use super::{MAX_TERM, Side};
use crate::index::Passage;
use std::collections::HashMap;

/// Documents with a term, ascending, and how often each has it.
#[derive(Debug, Default, Clone)]
pub(super) struct Postings {
    pub(super) docs: Vec<u32>,
    pub(super) freqs: Vec<u32>,
}

/// Inverted passages, and which records changed.
#[derive(Debug, Default, Clone)]
pub(super) struct Memory {
    /// By side.
    terms: [HashMap<Box<str>, Postings>; 2],
    /// The record of each document.
    keys: Vec<u64>,
    /// Records that were put or deleted; a key may stand more than once.
    changed: Vec<u64>,
}

impl Memory {
    /// Notes that a record was put or deleted.
    pub(super) fn change(&mut self, key: u64) {
        self.changed.push(key);
    }

    /// Takes the next document.
    pub(super) fn push(&mut self, key: u64, passage: &Passage) {
        let doc = self.keys.len() as u32;
        self.keys.push(key);
        for side in Side::BOTH {
            let terms = &mut self.terms[side as usize];
            for t in side.of(passage).iter().filter(|t| t.len() <= MAX_TERM) {
                let list = match terms.get_mut(t.as_str()) {
                    Some(list) => list,
                    None => terms.entry(t.as_str().into()).or_default(),
                };
                match list.freqs.last_mut() {
                    Some(times) if list.docs.last() == Some(&doc) => {
                        *times = times.saturating_add(1);
                    }
                    _ => {
                        list.docs.push(doc);
                        list.freqs.push(1);
                    }
                }
            }
        }
    }

    /// Documents with a term.
    pub(super) fn list(&self, side: Side, term: &str) -> Option<&Postings> {
        self.terms[side as usize].get(term)
    }

    /// Documents and deletions.
    pub(super) fn changes(&self) -> usize {
        self.keys.len().max(self.changed.len())
    }

    /// Records that were put or deleted.
    pub(super) fn changed(&self) -> &[u64] {
        &self.changed
    }

    /// The record of each document.
    pub(super) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The terms of each document, each with how often.
    pub(super) fn documents(&self, side: Side) -> Vec<Vec<(&str, u32)>> {
        let mut all: Vec<Vec<(&str, u32)>> = vec![Vec::new(); self.keys.len()];
        for (term, list) in &self.terms[side as usize] {
            for (doc, times) in list.docs.iter().zip(&list.freqs) {
                all[*doc as usize].push((term, *times));
            }
        }
        all
    }
}
