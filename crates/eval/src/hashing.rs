//! One hash of an id for the whole process, so that a hash taken once serves every table.

use foldhash::fast::RandomState;
use std::{hash::BuildHasher, sync::LazyLock};

static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The hash of an id. Differs between processes; no result depends on it.
pub(crate) fn hash(id: &str) -> u64 {
    STATE.hash_one(id.as_bytes())
}

/// A table from hash to the place of an id in a list, by open addressing. The caller compares the
/// ids themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// 0 is free, else place + 1.
    slots: Vec<u32>,
}

impl Places {
    /// Empties the table and makes room for `n` ids.
    pub(crate) fn reset(&mut self, n: usize) {
        let size = (n * 2).next_power_of_two().max(8);
        self.slots.clear();
        self.slots.resize(size, 0);
    }

    /// The place for which `same` holds, else puts `place` there.
    pub(crate) fn find_or_put(
        &mut self,
        hash: u64,
        place: u32,
        same: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get_mut(at) {
                None => return None,
                Some(slot) if *slot == 0 => {
                    *slot = place + 1;
                    return None;
                }
                Some(slot) if same(*slot - 1) => return Some(*slot - 1),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    /// The place for which `same` holds.
    pub(crate) fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                None | Some(0) => return None,
                Some(slot) if same(*slot - 1) => return Some(*slot - 1),
                Some(_) => at = (at + 1) & mask,
            }
        }
    }
}
