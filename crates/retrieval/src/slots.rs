//! The records an index holds, each at a slot it keeps until it is deleted.

use queqiao_domain::Facets;
use std::{collections::HashMap, sync::Arc};

/// A place in the index.
pub(crate) type Slot = u32;

/// Where the vectors of a record are: a part of the dense side, and the record's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) part: u32,
    pub(crate) record: u32,
}

/// One record of the index.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) key: u64,
    pub(crate) facets: Arc<Facets>,
    pub(crate) place: Place,
    /// Number of its vectors.
    pub(crate) passages: u32,
    /// Length of the mean of its vectors; 0 when all are zero.
    pub(crate) mean_norm: f32,
}

/// All records of the index.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    held: Vec<Option<Held>>,
    by_key: HashMap<u64, Slot>,
}

impl Slots {
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Number of slots, emptied ones included.
    pub(crate) fn slots(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Held> {
        self.held.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Held> {
        self.held.get_mut(slot as usize)?.as_mut()
    }

    pub(crate) fn slot_of(&self, key: u64) -> Option<Slot> {
        self.by_key.get(&key).copied()
    }

    /// The slot at which a record of this key stands, or will stand if it is put next.
    pub(crate) fn slot_for(&self, key: u64) -> Slot {
        let next = self.held.len() as Slot;
        self.by_key.get(&key).copied().unwrap_or(next)
    }

    /// Puts a record at its slot, or at a new one. Returns what stood there.
    pub(crate) fn put(&mut self, held: Held) -> Option<Held> {
        match self.by_key.get(&held.key) {
            Some(&slot) => self.held[slot as usize].replace(held),
            None => {
                self.by_key.insert(held.key, self.held.len() as Slot);
                self.held.push(Some(held));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<Held> {
        let slot = self.by_key.remove(&key)?;
        self.held[slot as usize].take()
    }

    /// Live records in order of slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Held)> {
        self.held
            .iter()
            .enumerate()
            .filter_map(|(i, h)| h.as_ref().map(|h| (i as Slot, h)))
    }
}
