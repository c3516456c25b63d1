//! What the terms of a question are worth in each passage and each record.
//!
//! Term by term, all postings of a term are read and what they are worth is added up: a question
//! costs what its postings are long, whatever else the index holds. Sums are kept by document in
//! arrays that are zero between questions; only what was touched is set back.

use super::{Lexical, MAX_TERM, NOWHERE, Part, Postings, Side, failed};
use crate::{
    dense::Chosen,
    index::{IndexError, LexicalParts, QueryPassage, QueryTerm},
    slots::Slot,
};
use parking_lot::Mutex;
use std::collections::HashSet;

/// Term-frequency saturation; .9 and .4 are Anserini's defaults, fit for short passages.
const K1: f64 = 0.9;
/// Length normalisation of passages.
const B: f64 = 0.4;
/// Length normalisation of whole records, whose lengths differ by far more.
const B_RECORD: f64 = 0.7;

/// What up to so many mentions count is looked up …
const TIMES: usize = 3;
/// … in passages shorter than this.
const LENGTHS: usize = 512;
/// Below so many passages the two sides are not worth two threads.
const MANY: u64 = 20_000;
/// Scratch that is kept for the next questions.
const KEPT: usize = 8;

/// How telling a term is that `df` of `n` hold.
fn idf(n: f64, df: f64) -> f64 {
    (1.0 + (n - df + 0.5) / (df + 0.5)).ln()
}

/// What `tf` mentions in a text of some length count, at most K1 + 1.
fn saturation(tf: u32, b: f64, length: u32, mean: f64) -> f64 {
    let tf = f64::from(tf);
    let norm = K1 * (1.0 - b + b * f64::from(length) / mean);
    tf * (K1 + 1.0) / (tf + norm)
}

/// [`saturation`] of passages, the usual ones from a table: the very same numbers.
#[derive(Debug, Default)]
struct Saturation {
    table: Vec<f64>,
    mean: f64,
}

impl Saturation {
    fn set(&mut self, mean: f64) {
        if self.mean == mean && !self.table.is_empty() {
            return;
        }
        self.mean = mean;
        self.table.clear();
        for tf in 1..=TIMES as u32 {
            let row = (0..LENGTHS as u32).map(|length| saturation(tf, B, length, mean));
            self.table.extend(row);
        }
    }

    #[inline(always)]
    fn of(&self, tf: u32, length: u32) -> f64 {
        let (t, l) = (tf.wrapping_sub(1) as usize, length as usize);
        if t < TIMES && l < LENGTHS {
            self.table[t * LENGTHS + l]
        } else {
            saturation(tf, B, length, self.mean)
        }
    }
}

/// Sums of one side for one asking passage.
#[derive(Debug, Default)]
struct Sums {
    saturation: Saturation,
    /// By document, those of all parts one after the other.
    passages: Vec<f64>,
    /// Documents with a sum, by part, each counted from its part's first.
    touched: Vec<Vec<u32>>,
    /// By slot.
    records: Vec<f64>,
    /// Slots with a sum.
    who: Vec<Slot>,
    /// No sum could be greater.
    most: f64,
    most_record: f64,
    /// Of one term: document, and what the mentions in it count.
    hits: Vec<(u32, f64)>,
    /// Of one term: record, and how often it stands there.
    runs: Vec<(Slot, u32)>,
}

/// What scoring writes on: kept from one question to the next.
#[derive(Debug, Default)]
struct Scratch {
    sides: [Sums; 2],
    /// By slot: one more than its place in `found`.
    at: Vec<u32>,
    found: Vec<(Slot, LexicalParts)>,
}

/// Scratch that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Box<Scratch>>>);

/// Scores of the records that share a term with the question.
pub(crate) struct Scores<'a> {
    pool: &'a Pool,
    scratch: Box<Scratch>,
}

impl Scores<'_> {
    /// Records with a score, each once, in no order to rely on.
    pub(crate) fn found(&self) -> &[(Slot, LexicalParts)] {
        &self.scratch.found
    }

    /// The score of the record at a slot; zero where it shares no term.
    pub(crate) fn of(&self, slot: Slot) -> LexicalParts {
        let at = self.scratch.at.get(slot as usize).copied().unwrap_or(0);
        match at {
            0 => LexicalParts::default(),
            n => self.scratch.found[n as usize - 1].1,
        }
    }
}

impl Drop for Scores<'_> {
    fn drop(&mut self) {
        let mut scratch = std::mem::take(&mut self.scratch);
        for (slot, _) in scratch.found.drain(..) {
            scratch.at[slot as usize] = 0;
        }
        let mut kept = self.pool.0.lock();
        if kept.len() < KEPT {
            kept.push(scratch);
        }
    }
}

impl Scratch {
    /// The score of a record, to be made better.
    fn held(&mut self, slot: Slot) -> &mut LexicalParts {
        let at = &mut self.at[slot as usize];
        if *at == 0 {
            self.found.push((slot, LexicalParts::default()));
            *at = self.found.len() as u32;
        }
        &mut self.found[*at as usize - 1].1
    }
}

impl Lexical {
    /// Scores every record that is chosen (all, where nothing is said) and shares a term.
    pub(crate) fn score(
        &self,
        asked: &[QueryPassage],
        chosen: Option<&Chosen>,
    ) -> Result<Scores<'_>, IndexError> {
        let scratch = self.pool.0.lock().pop().unwrap_or_default();
        let mut scores = Scores {
            pool: &self.pool,
            scratch,
        };
        let s = &mut *scores.scratch;
        let mut bases = Vec::with_capacity(self.parts.len());
        let mut docs = 0;
        for part in &self.parts {
            bases.push(docs as u32);
            docs += part.docs.slot.len();
        }
        if s.at.len() < self.places.len() {
            s.at.resize(self.places.len(), 0);
        }
        for side in Side::BOTH {
            let sums = &mut s.sides[side as usize];
            let length = self.totals.length[side as usize] as f64;
            let mean = (length / self.totals.passages.max(1) as f64).max(1e-9);
            sums.saturation.set(mean);
            if sums.passages.len() < docs {
                sums.passages.resize(docs, 0.0);
            }
            if sums.records.len() < self.places.len() {
                sums.records.resize(self.places.len(), 0.0);
            }
            if sums.touched.len() < self.parts.len() {
                sums.touched.resize(self.parts.len(), Vec::new());
            }
        }
        for passage in asked {
            let [words, bigrams] = &mut s.sides;
            let of_words = |sums| self.bm25(&passage.words, Side::Words, chosen, &bases, sums);
            let of_bigrams =
                |sums| self.bm25(&passage.bigrams, Side::Bigrams, chosen, &bases, sums);
            let (w, b) = if self.totals.passages < MANY {
                (of_words(words), of_bigrams(bigrams))
            } else {
                rayon::join(|| of_words(words), || of_bigrams(bigrams))
            };
            self.combine(&bases, s);
            w.and(b)?;
        }
        Ok(scores)
    }

    /// Adds up the BM25 of passages and records.
    fn bm25(
        &self,
        terms: &[QueryTerm],
        side: Side,
        chosen: Option<&Chosen>,
        bases: &[u32],
        s: &mut Sums,
    ) -> Result<(), IndexError> {
        let totals = &self.totals;
        let (passages, records) = (totals.passages as f64, totals.records as f64);
        let length = totals.length[side as usize] as f64;
        let record_mean = (length / records.max(1.0)).max(1e-9);
        let mut seen = HashSet::new();
        let mut spans: Vec<(usize, usize)> = Vec::with_capacity(self.parts.len());
        for QueryTerm { text, weight } in terms {
            if text.len() > MAX_TERM || !seen.insert(text.as_str()) {
                continue;
            }
            s.hits.clear();
            s.runs.clear();
            spans.clear();
            let (mut df, mut df_records) = (0u64, 0u64);
            for part in &self.parts {
                let from = s.hits.len();
                part.hits(side, text, chosen, s, &mut df, &mut df_records)?;
                spans.push((from, s.hits.len()));
            }
            let idf = weight * self::idf(passages, df as f64);
            s.most += idf * (K1 + 1.0);
            for (p, (from, to)) in spans.iter().enumerate() {
                let base = bases[p] as usize;
                let touched = &mut s.touched[p];
                for &(doc, counts) in &s.hits[*from..*to] {
                    let sum = &mut s.passages[base + doc as usize];
                    if *sum == 0.0 {
                        touched.push(doc);
                    }
                    *sum += idf * counts;
                }
            }
            let idf = weight * self::idf(records, df_records as f64);
            s.most_record += idf * (K1 + 1.0);
            for &(slot, tf) in &s.runs {
                let length = self.places[slot as usize].length[side as usize];
                let sum = &mut s.records[slot as usize];
                if *sum == 0.0 {
                    s.who.push(slot);
                }
                *sum += idf * saturation(tf, B_RECORD, length, record_mean);
            }
        }
        Ok(())
    }

    /// Takes over what is better than what was found for an earlier asking passage, and sets the
    /// sums back to zero.
    fn combine(&self, bases: &[u32], s: &mut Scratch) {
        let [mut words, mut bigrams] = std::mem::take(&mut s.sides);
        let share = |sum: f64, most: f64| if most > 0.0 { sum / most } else { sum };
        for (p, part) in self.parts.iter().enumerate() {
            let base = bases[p] as usize;
            let mut of_words = std::mem::take(&mut words.touched[p]);
            let mut of_bigrams = std::mem::take(&mut bigrams.touched[p]);
            for &doc in of_words.iter().chain(&of_bigrams) {
                // Whoever was touched by both sides is met twice, and is zero the second time.
                let w = std::mem::take(&mut words.passages[base + doc as usize]);
                let b = std::mem::take(&mut bigrams.passages[base + doc as usize]);
                let (w, b) = (share(w, words.most), share(b, bigrams.most));
                if w + b <= 0.0 {
                    continue;
                }
                let held = s.held(part.docs.slot[doc as usize]);
                let passage = part.docs.passage[doc as usize] as usize;
                // Of equally good passages the first counts, whatever the order of parts.
                let sum = held.words + held.bigrams;
                if w + b > sum || (w + b == sum && passage < held.passage) {
                    (held.words, held.bigrams, held.passage) = (w, b, passage);
                }
            }
            of_words.clear();
            of_bigrams.clear();
            (words.touched[p], bigrams.touched[p]) = (of_words, of_bigrams);
        }
        for &slot in words.who.iter().chain(&bigrams.who) {
            let w = std::mem::take(&mut words.records[slot as usize]);
            let b = std::mem::take(&mut bigrams.records[slot as usize]);
            let (w, b) = (share(w, words.most_record), share(b, bigrams.most_record));
            if w + b <= 0.0 {
                continue;
            }
            let held = s.held(slot);
            if w + b > held.record_words + held.record_bigrams {
                (held.record_words, held.record_bigrams) = (w, b);
            }
        }
        for side in [&mut words, &mut bigrams] {
            side.who.clear();
            (side.most, side.most_record) = (0.0, 0.0);
        }
        s.sides = [words, bigrams];
    }
}

impl Part {
    /// Reads the postings of a term: counts living documents and records that hold it, and notes
    /// those that are chosen.
    fn hits(
        &self,
        side: Side,
        term: &str,
        chosen: Option<&Chosen>,
        s: &mut Sums,
        df: &mut u64,
        df_records: &mut u64,
    ) -> Result<(), IndexError> {
        let lengths = &self.docs.length[side as usize];
        // The documents of a record stand one after the other.
        let mut last = NOWHERE;
        let mut admitted = false;
        let mut take = |doc: u32, tf: u32| {
            let slot = self.docs.slot[doc as usize];
            if slot == NOWHERE {
                return;
            }
            *df += 1;
            if slot != last {
                last = slot;
                *df_records += 1;
                admitted = chosen.is_none_or(|c| c.has(slot));
                if admitted {
                    s.runs.push((slot, 0));
                }
            }
            if admitted {
                let counts = s.saturation.of(tf, lengths[doc as usize]);
                s.hits.push((doc, counts));
                if let Some(run) = s.runs.last_mut() {
                    run.1 = run.1.saturating_add(tf);
                }
            }
        };
        match &self.postings {
            Postings::Memory { terms, .. } => {
                for &(doc, tf) in terms.list(side, term) {
                    take(doc, tf);
                }
                Ok(())
            }
            Postings::Sealed(segment) => segment
                .blocks(side, term, |docs, freqs| {
                    for (doc, tf) in docs.iter().zip(freqs) {
                        take(*doc, *tf);
                    }
                })
                .map_err(failed("reading postings")),
        }
    }
}
