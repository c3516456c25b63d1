//! A tenant's own sequence numbers.
//!
//! The store numbers the changes of all tenants in one row, and indexes remember these numbers. A tenant is
//! told its own, which count only its changes: what it reads must not say how much others write. Invariant:
//! own numbers never fall, and an answer that tells a number has seen the changes up to it.

use std::collections::VecDeque;

/// Batches that are looked back on: an answer saw the store at most so many ago, or is told as having seen
/// nothing.
const KEPT: usize = 4_096;

/// Which number of the store stands for which of the tenant's.
pub(crate) struct Numbers {
    /// (the store's, the tenant's), both ascending.
    known: VecDeque<(u64, u64)>,
}

impl Numbers {
    /// From where an index stands.
    pub(crate) fn new(store: u64, own: u64) -> Self {
        Self {
            known: [(store, own)].into(),
        }
    }

    /// The tenant changed something.
    pub(crate) fn add(&mut self, store: u64, own: u64) {
        if self.known.len() == KEPT {
            self.known.pop_front();
        }
        self.known.push_back((store, own));
    }

    /// The tenant's number where the store's last one that was seen is `store`.
    pub(crate) fn own(&self, store: u64) -> u64 {
        let after = self.known.partition_point(|(s, _)| *s <= store);
        after.checked_sub(1).map_or(0, |at| self.known[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_of_the_last_change_seen_and_never_more() {
        let mut n = Numbers::new(10, 3);
        n.add(12, 4);
        n.add(40, 9);
        let own: Vec<u64> = [9, 10, 11, 12, 39, 40, 1_000].map(|s| n.own(s)).into();
        assert_eq!(own, [0, 3, 3, 4, 4, 9, 9]);
        for i in 0..2 * KEPT as u64 {
            n.add(100 + i, 10 + i);
        }
        assert_eq!(n.own(40), 0, "forgotten: it is not told that it saw more");
        assert_eq!(n.own(100 + 2 * KEPT as u64 - 1), 10 + 2 * KEPT as u64 - 1);
    }
}
