//! Who of a part holds a term, kept from one question to the next.
//!
//! Common terms are in many questions, and counting them anew costs as much as scoring them. What is kept is
//! put right by those who died since, who are few.

use super::{
    NOWHERE, Part, Side,
    reading::{Cursor, List, Run},
};
use crate::index::IndexError;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Shorter postings are counted as fast as they are looked up.
const WORTH_IT: u64 = 128;
/// Terms that are kept of a side of a part: some ten megabytes at most.
const MOST: usize = 1 << 16;
/// When so many records died, all is counted anew.
const DEAD: usize = 1 << 10;

/// So many mentions are told apart: one, two, up to four, up to eight, and more.
const CLASSES: [u32; 4] = [1, 2, 4, 8];

/// The shortest texts that mention a term so and so often: no text can be worth more than one of these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peaks {
    /// By class of mentions.
    shortest: [u32; CLASSES.len() + 1],
    /// The most mentions in one text.
    most: u32,
}

impl Default for Peaks {
    fn default() -> Self {
        Self {
            shortest: [u32::MAX; CLASSES.len() + 1],
            most: 0,
        }
    }
}

impl Peaks {
    /// Takes a text of a length with so many mentions.
    #[inline(always)]
    pub(super) fn note(&mut self, mentions: u32, length: u32) {
        let class: usize = CLASSES.iter().map(|c| usize::from(mentions > *c)).sum();
        self.shortest[class] = self.shortest[class].min(length);
        self.most = self.most.max(mentions);
    }

    fn add(&mut self, other: &Self) {
        let each = self.shortest.iter_mut().zip(other.shortest);
        each.for_each(|(a, b)| *a = b.min(*a));
        self.most = self.most.max(other.most);
    }

    /// The most that mentions can count, of what so many count in a text of a length; that grows with the
    /// mentions and shrinks with the length.
    pub(super) fn most(&self, count: impl Fn(u32, u32) -> f64) -> f64 {
        let mentions = CLASSES.into_iter().chain([u32::MAX]);
        let texts = mentions.zip(self.shortest).filter(|t| t.1 != u32::MAX);
        texts
            .map(|(m, n)| count(m.min(self.most), n))
            .fold(0.0, f64::max)
    }
}

/// Those who hold a term.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Count {
    pub(super) passages: u64,
    pub(super) records: u64,
    pub(super) in_passage: Peaks,
    pub(super) in_record: Peaks,
}

impl Count {
    pub(super) fn add(&mut self, other: &Self) {
        self.passages += other.passages;
        self.records += other.records;
        self.in_passage.add(&other.in_passage);
        self.in_record.add(&other.in_record);
    }

    /// Without some of them; their peaks stay, which says no less than is true.
    pub(super) fn without(self, some: &Self) -> Self {
        Self {
            passages: self.passages.saturating_sub(some.passages),
            records: self.records.saturating_sub(some.records),
            ..self
        }
    }
}

/// By term: who holds it, and how many had died by then.
type Known = HashMap<Box<str>, (Count, usize)>;

/// The counts of a part.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By side.
    known: [Mutex<Known>; 2],
    /// Who died, in order.
    dead: Vec<Run>,
}

impl Counts {
    /// Who holds a term, as far as it is known, and how many had died by then.
    pub(super) fn of(&self, side: Side, term: &str) -> Option<(Count, usize)> {
        self.known[side as usize].lock().get(term).copied()
    }

    /// Who died since so many had.
    pub(super) fn died_since(&self, dead: usize) -> Vec<Run> {
        self.dead[dead.min(self.dead.len())..].to_vec()
    }

    /// Keeps who holds a term, the living.
    pub(super) fn keep(&self, side: Side, term: &str, count: Count) {
        if count.passages >= WORTH_IT {
            let mut known = self.known[side as usize].lock();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(term.into(), (count, self.dead.len()));
        }
    }

    /// A record of the part died.
    pub(super) fn died(&mut self, documents: Run) {
        self.dead.push(documents);
        if self.dead.len() >= DEAD {
            self.dead.clear();
            for known in &mut self.known {
                known.get_mut().clear();
            }
        }
    }
}

impl Part {
    /// Counts those who hold a term, or remembers how many they are.
    pub(super) fn counted(
        &self,
        side: Side,
        term: &str,
        list: &List<'_>,
    ) -> Result<Count, IndexError> {
        if let Some((known, died)) = self.counts.of(side, term) {
            let mut since = self.counts.died_since(died);
            if since.is_empty() {
                return Ok(known);
            }
            since.sort_unstable();
            let read = |postings: &mut Cursor<'_>, take: &mut dyn FnMut(&[u32], &[u32])| {
                let (mut docs, mut freqs) = (Vec::new(), Vec::new());
                postings.among(&since, &mut docs, &mut freqs);
                take(&docs, &freqs);
            };
            let died = self.tally(side, list, read, |_| true);
            let left = known.without(&died?);
            self.counts.keep(side, term, left);
            return Ok(left);
        }
        let count = self.count(side, list)?;
        self.counts.keep(side, term, count);
        Ok(count)
    }

    /// Counts the living who hold a term.
    pub(super) fn count(&self, side: Side, list: &List<'_>) -> Result<Count, IndexError> {
        let lives = |doc: u32| self.docs.slot[doc as usize] != NOWHERE;
        self.tally(
            side,
            list,
            |postings, take| postings.each(u32::MAX, take),
            lives,
        )
    }

    /// Counts those who hold a term, of the documents that are read and count.
    fn tally(
        &self,
        side: Side,
        list: &List<'_>,
        read: impl FnOnce(&mut Cursor<'_>, &mut dyn FnMut(&[u32], &[u32])),
        counts: impl Fn(u32) -> bool,
    ) -> Result<Count, IndexError> {
        let mut count = Count::default();
        let lengths = &self.docs.length[side as usize];
        let record_lengths = &self.docs.record_length[side as usize];
        let mut postings = self.cursor(side, list, 0)?;
        // The documents of a record stand one after the other.
        let (mut last, mut times) = (u32::MAX, 0_u32);
        read(&mut postings, &mut |docs, freqs| {
            for (&doc, &tf) in docs.iter().zip(freqs) {
                if !counts(doc) {
                    continue;
                }
                let first = doc - self.docs.passage[doc as usize];
                count.passages += 1;
                count.in_passage.note(tf, lengths[doc as usize]);
                if first == last {
                    times = times.saturating_add(tf);
                } else {
                    count.records += 1;
                    (last, times) = (first, tf);
                }
                // Fewer mentions are noted on the way; they are worth less.
                count.in_record.note(times, record_lengths[first as usize]);
            }
        });
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passages: u64) -> Count {
        Count {
            passages,
            records: passages / 5,
            ..Count::default()
        }
    }

    #[test]
    fn kept_until_many_died() {
        let mut counts = Counts::default();
        counts.keep(Side::Words, "膜", count(500));
        assert_eq!(counts.of(Side::Words, "膜"), Some((count(500), 0)));
        assert_eq!(counts.of(Side::Bigrams, "膜"), None, "a side of its own");
        // What is short is not kept.
        counts.keep(Side::Words, "罕", count(1));
        assert_eq!(counts.of(Side::Words, "罕"), None);
        counts.died((3, 5));
        counts.keep(Side::Words, "锂", count(400));
        counts.died((10, 11));
        let since = |term| {
            counts
                .of(Side::Words, term)
                .map(|(_, died)| counts.died_since(died))
        };
        assert_eq!(since("膜"), Some(vec![(3, 5), (10, 11)]));
        assert_eq!(since("锂"), Some(vec![(10, 11)]));
        (0..DEAD as u32).for_each(|i| counts.died((i, i + 1)));
        assert_eq!(counts.of(Side::Words, "膜"), None);
    }

    #[test]
    fn no_text_is_worth_more_than_the_peaks_say() {
        let worth = |tf: u32, n: u32| f64::from(tf) / f64::from(tf + n);
        let texts = [
            (1, 9),
            (1, 4),
            (2, 30),
            (3, 12),
            (4, 14),
            (7, 50),
            (40, 90),
            (31, 80),
        ];
        let mut peaks = Peaks::default();
        assert_eq!(peaks.most(worth), 0.0);
        for (i, (tf, n)) in texts.into_iter().enumerate() {
            peaks.note(tf, n);
            let best = texts[..=i]
                .iter()
                .map(|t| worth(t.0, t.1))
                .fold(0.0, f64::max);
            assert!(peaks.most(worth) >= best);
        }
        // As if forty mentions stood in the text of thirty-one.
        assert_eq!(peaks.most(worth), worth(40, 80));
    }
}
