//! How many living passages and records of a sealed part hold a term, kept from one question to the next.
//!
//! Common terms are in many questions, and counting them anew costs as much as scoring them. What is kept holds
//! until a document of the part dies.

use super::Side;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Shorter postings are counted as fast as they are looked up.
const WORTH_IT: u64 = 128;
/// Terms that are kept of a part: some five megabytes at most.
const MOST: usize = 1 << 16;

/// Passages, then records.
type Count = (u64, u64);

/// The counts of a part.
#[derive(Debug, Default)]
pub(super) struct Counts([Mutex<HashMap<Box<str>, Count>>; 2]);

impl Counts {
    /// The counts of a term; `count` finds them where they are not known.
    pub(super) fn of<E>(
        &self,
        side: Side,
        term: &str,
        count: impl FnOnce() -> Result<Count, E>,
    ) -> Result<Count, E> {
        let known = &self.0[side as usize];
        if let Some(found) = known.lock().get(term) {
            return Ok(*found);
        }
        let found = count()?;
        if found.0 >= WORTH_IT {
            let mut known = known.lock();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(term.into(), found);
        }
        Ok(found)
    }

    /// A document of the part died.
    pub(super) fn forget(&mut self) {
        for known in &mut self.0 {
            known.get_mut().clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_once_until_something_died() {
        let mut counts = Counts::default();
        let ask = |c: &Counts, side, n| c.of(side, "膜", || Ok::<_, ()>((n, n / 5))).unwrap();
        assert_eq!(ask(&counts, Side::Words, 500), (500, 100));
        assert_eq!(ask(&counts, Side::Words, 400), (500, 100));
        assert_eq!(ask(&counts, Side::Bigrams, 300), (300, 60), "of its own");
        counts.forget();
        assert_eq!(ask(&counts, Side::Words, 400), (400, 80));
        // What is short is not kept, and what fails neither.
        assert_eq!(
            counts.of(Side::Words, "罕", || Ok::<_, ()>((1, 1))),
            Ok((1, 1))
        );
        assert_eq!(
            counts.of(Side::Words, "罕", || Ok::<_, ()>((2, 2))),
            Ok((2, 2))
        );
        assert_eq!(counts.of(Side::Words, "错", || Err(7)), Err(7));
    }
}
