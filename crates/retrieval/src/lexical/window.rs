//! Sums of some documents at a time.

use super::{
    NOWHERE, Part, Side,
    best::Values,
    reading::Run,
    score::Terms,
    weights::{Norms, Saturation},
};
use crate::{index::LexicalParts, slots::Slot};

/// Documents whose sums are kept at a time: as much as stays near the processor.
const STEP: u32 = 1 << 12;
/// Documents that one thread goes through at least …
const CHUNK: u32 = 1 << 16;
/// … where there are more, so many times for each thread: whoever begins in the middle has to find the place in
/// every list of postings first.
const TURNS: usize = 3;
/// Where fewer than one in so many documents of a step have a sum, only these are gone through.
const FEW: usize = 8;

/// Some documents of a part that follow each other; records are not torn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) part: usize,
    pub(super) from: u32,
    pub(super) to: u32,
}

/// All documents.
pub(super) fn windows(parts: &[Part]) -> Vec<Window> {
    let mut all = Vec::new();
    let documents: usize = parts.iter().map(|p| p.len() as usize).sum();
    let each = documents / (rayon::current_num_threads() * TURNS).max(1);
    let chunk = u32::try_from(each).unwrap_or(u32::MAX).max(CHUNK);
    for (part, p) in parts.iter().enumerate() {
        let mut from = 0;
        while from < p.len() {
            let to = p.whole(from.saturating_add(chunk));
            all.push(Window { part, from, to });
            from = to;
        }
    }
    all
}

impl Part {
    fn len(&self) -> u32 {
        self.docs.slot.len() as u32
    }

    /// The first document from `at` on that begins a record; the end, if none does.
    fn whole(&self, at: u32) -> u32 {
        let at = at.min(self.len());
        let rest = self.docs.passage[at as usize..].iter();
        at + rest.take_while(|p| **p != 0).count() as u32
    }
}

impl Window {
    /// Where the step ends that begins at `from`.
    pub(super) fn step(&self, part: &Part, from: u32) -> u32 {
        part.whole(from.saturating_add(STEP)).min(self.to)
    }
}

/// What terms are worth in the documents of a step. Zero between steps.
#[derive(Default)]
pub(super) struct Sums {
    /// The first document.
    from: u32,
    /// By side, by document.
    passages: [Vec<f64>; 2],
    /// By side, by the first document of a record.
    records: [Vec<f64>; 2],
    /// A bit for each document with a sum.
    touched: Vec<u64>,
    /// Documents of the step.
    size: usize,
    /// A bit for each document of a record that reaches what is needed; zero between uses.
    marked: Vec<u64>,
    /// Of one term, by the first document of a record: how often it has the term.
    times: Vec<u32>,
    /// Of one term: the first documents of the records that have it.
    firsts: Vec<u32>,
    /// By the first document of a record: one more than its place among those that were found.
    place: Vec<u32>,
    /// The first documents of the records that were found.
    found: Vec<u32>,
}

/// What sums by words and by bigrams have to reach, as shares of the greatest there could be: together, by
/// words, or by bigrams.
#[derive(Clone, Copy)]
struct Needed {
    words_share: f64,
    bigrams_share: f64,
    values: [f64; 3],
}

impl Needed {
    fn new(most_words: f64, most_bigrams: f64, values: [f64; 3]) -> Self {
        let share = |most: f64| if most > 0.0 { 1.0 / most } else { 1.0 };
        Self {
            words_share: share(most_words),
            bigrams_share: share(most_bigrams),
            values,
        }
    }

    #[inline(always)]
    fn reached_by(self, words: f64, bigrams: f64) -> bool {
        let (w, b) = (words * self.words_share, bigrams * self.bigrams_share);
        let [both, by_words, by_bigrams] = self.values;
        (w + b >= both) | (w >= by_words) | (b >= by_bigrams)
    }

    /// Marks those whose sums do.
    fn mark(self, words: &[f64], bigrams: &[f64], marked: &mut [u64]) {
        for ((words, bigrams), marked) in words.chunks(64).zip(bigrams.chunks(64)).zip(marked) {
            let mut reached = [0_u8; 64];
            for ((w, b), reached) in words.iter().zip(bigrams).zip(&mut reached) {
                *reached = u8::from(self.reached_by(*w, *b));
            }
            if reached.iter().fold(0, |a, b| a | b) != 0 {
                for (i, reached) in reached.into_iter().enumerate() {
                    *marked |= u64::from(reached) << i;
                }
            }
        }
    }
}

/// What mentions count on one side.
pub(super) struct Worth {
    pub(super) side: Side,
    pub(super) passages: Saturation,
    pub(super) records: Norms,
}

impl Worth {
    /// Relative to the mean lengths of passages and of records.
    pub(super) fn new(side: Side, passages: f64, records: f64) -> Self {
        Self {
            side,
            passages: Saturation::new(passages),
            records: Norms::new(records),
        }
    }
}

impl Sums {
    /// Begins a step of the documents from `from` to before `to`.
    pub(super) fn begin(&mut self, from: u32, to: u32) {
        self.from = from;
        let size = (to - from) as usize;
        self.size = size;
        if self.times.len() < size {
            for sums in self.passages.iter_mut().chain(&mut self.records) {
                sums.resize(size, 0.0);
            }
            self.times.resize(size, 0);
            self.place.resize(size, 0);
            self.touched.resize(size.div_ceil(64), 0);
            self.marked.resize(size.div_ceil(64), 0);
        }
    }

    /// Adds what a term is worth in the documents that `postings` hands over, all of this step.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        worth: &Worth,
        (passage, record): (f64, f64),
        part: &Part,
        postings: impl FnOnce(&mut dyn FnMut(&[u32], &[u32])),
    ) {
        let side = worth.side as usize;
        let (lengths, numbers) = (&part.docs.length[side], &part.docs.passage);
        let from = self.from;
        let sums = &mut self.passages[side];
        let (touched, times, firsts) = (&mut self.touched, &mut self.times, &mut self.firsts);
        firsts.clear();
        let mut last = u32::MAX;
        postings(&mut |docs, freqs| {
            let mut kept = firsts.len();
            firsts.resize(kept + docs.len(), 0);
            for (&doc, &tf) in docs.iter().zip(freqs) {
                let at = (doc - from) as usize;
                sums[at] += passage * worth.passages.of(tf, lengths[doc as usize]);
                touched[at >> 6] |= 1 << (at & 63);
                let first = at as u32 - numbers[doc as usize];
                times[first as usize] = times[first as usize].saturating_add(tf);
                // A record's documents follow each other. No branch, which nobody could foretell.
                firsts[kept] = first;
                kept += usize::from(first != last);
                last = first;
            }
            firsts.truncate(kept);
        });
        let lengths = &part.docs.record_length[side];
        let records = &mut self.records[side];
        for &first in &self.firsts {
            let tf = std::mem::take(&mut self.times[first as usize]);
            let length = lengths[(from + first) as usize];
            records[first as usize] += record * worth.records.of(tf, length);
        }
    }

    /// Takes the sums of one asking passage over into `found` where they are better than what an
    /// earlier one found, and sets them back to zero.
    pub(super) fn take(
        &mut self,
        both: &[Terms<'_>],
        part: &Part,
        wanted: &dyn Fn(Slot) -> bool,
        found: &mut Vec<(Slot, LexicalParts)>,
    ) {
        let [words, bigrams] = both else { return };
        for i in 0..self.touched.len() {
            let mut bits = std::mem::take(&mut self.touched[i]);
            while bits != 0 {
                let at = i * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let doc = self.from as usize + at;
                let (slot, passage) = (part.docs.slot[doc], part.docs.passage[doc] as usize);
                let first = at - passage;
                let [w, b] = [0, 1].map(|side| std::mem::take(&mut self.passages[side][at]));
                let [record_w, record_b] =
                    [0, 1].map(|side| std::mem::take(&mut self.records[side][first]));
                if slot == NOWHERE || !wanted(slot) {
                    continue;
                }
                let place = &mut self.place[first];
                if *place == 0 {
                    found.push((slot, LexicalParts::default()));
                    self.found.push(first as u32);
                    *place = found.len() as u32;
                }
                let held = &mut found[*place as usize - 1].1;
                let (w, record_w) = words.shares(w, record_w);
                let (b, record_b) = bigrams.shares(b, record_b);
                // Of equally good passages the first counts.
                let sum = held.words + held.bigrams;
                if w + b > sum || (w + b == sum && w + b > 0.0 && passage < held.passage) {
                    (held.words, held.bigrams, held.passage) = (w, b, passage);
                }
                if record_w + record_b > held.record_words + held.record_bigrams {
                    (held.record_words, held.record_bigrams) = (record_w, record_b);
                }
            }
        }
    }

    /// Names the records that one asking passage's sums put at or above one of the `needed` values, or
    /// whose passages do, and sets all sums back to zero. `run` says where a record's documents are, of
    /// those that are wanted.
    pub(super) fn reach(
        &mut self,
        both: &[Terms<'_>],
        part: &Part,
        needed: &Values,
        run: impl Fn(Slot) -> Option<Run>,
        found: &mut Vec<Run>,
    ) {
        let [words, bigrams] = both else { return };
        let touched: u32 = self.touched.iter().map(|word| word.count_ones()).sum();
        if touched == 0 {
            return;
        }
        let size = self.size;
        let [passage, record, w, b, record_w, record_b] = *needed;
        let in_passage = Needed::new(words.most, bigrams.most, [passage, w, b]);
        let (most, most_bigrams) = (words.most_record, bigrams.most_record);
        let in_record = Needed::new(most, most_bigrams, [record, record_w, record_b]);
        if touched as usize * FEW < size {
            self.mark_of_few(in_passage, in_record, part);
        } else {
            let both = [(in_passage, &self.passages), (in_record, &self.records)];
            for (needed, [words, bigrams]) in both {
                needed.mark(&words[..size], &bigrams[..size], &mut self.marked);
            }
            for sums in self.passages.iter_mut().chain(&mut self.records) {
                sums[..size].fill(0.0);
            }
            self.touched.fill(0);
        }
        let mut last = u32::MAX;
        for (i, word) in self.marked.iter_mut().enumerate() {
            let mut bits = std::mem::take(word);
            while bits != 0 {
                let doc = self.from + (i * 64) as u32 + bits.trailing_zeros();
                bits &= bits - 1;
                let first = doc - part.docs.passage[doc as usize];
                if first == last {
                    continue;
                }
                last = first;
                let slot = part.docs.slot[doc as usize];
                if slot != NOWHERE
                    && let Some(run) = run(slot)
                {
                    found.push(run);
                }
            }
        }
    }

    /// Marks documents that reach what is needed, or whose records do, and sets all sums back to zero, going only
    /// through those that have a sum.
    fn mark_of_few(&mut self, in_passage: Needed, in_record: Needed, part: &Part) {
        for (i, word) in self.touched.iter_mut().enumerate() {
            let mut bits = std::mem::take(word);
            while bits != 0 {
                let at = i * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let first = at - part.docs.passage[self.from as usize + at] as usize;
                let [w, b] = [0, 1].map(|side| std::mem::take(&mut self.passages[side][at]));
                let [record_w, record_b] =
                    [0, 1].map(|side| std::mem::take(&mut self.records[side][first]));
                let reaches =
                    in_passage.reached_by(w, b) | in_record.reached_by(record_w, record_b);
                self.marked[i] |= u64::from(reaches) << (at & 63);
            }
        }
    }

    /// Ends a step.
    pub(super) fn end(&mut self) {
        for first in self.found.drain(..) {
            self.place[first as usize] = 0;
        }
    }
}
