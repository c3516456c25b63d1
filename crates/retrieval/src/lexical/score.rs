//! What the terms of a question are worth in each passage and each record.
//!
//! How many passages and records hold a term is counted first, over what lives; then postings are read
//! and what they are worth is added up, a window of documents at a time, so that the sums stay near the
//! processor. Terms are added up in the question's order, so a score has the same bits whatever the windows
//! are, and whether all postings are read ([`Lexical::score`]) or what cannot change the best is left out
//! ([`Lexical::best`]).

use super::{
    Lexical, MAX_TERM, Side,
    best::{Values, measures},
    counts::Count,
    reading::{List, Readers},
    weights::{K1, idf},
    window::{Sums, Window, Worth, windows},
};
use crate::{
    dense::Chosen,
    index::{IndexError, LexicalParts, QueryPassage, QueryTerm},
    slots::Slot,
};
use parking_lot::Mutex;
use rayon::prelude::*;
use std::collections::HashSet;

/// Below so many passages a question is not worth several threads.
const MANY: u64 = 20_000;
/// Scratch that is kept for the next questions.
const KEPT: usize = 8;

/// A term of the question, with what it weighs.
pub(super) struct Term<'a> {
    /// By part.
    lists: Vec<List<'a>>,
    passage: f64,
    record: f64,
    /// Over all parts.
    count: Count,
}

impl<'a> Term<'a> {
    pub(super) fn list(&self, part: usize) -> &List<'a> {
        &self.lists[part]
    }

    /// What it weighs in a passage and in a record.
    pub(super) fn weights(&self) -> (f64, f64) {
        (self.passage, self.record)
    }

    /// Living passages that hold it.
    pub(super) fn passages(&self) -> u64 {
        self.count.passages
    }
}

/// The terms of one side of an asking passage.
#[derive(Default)]
pub(super) struct Terms<'a> {
    pub(super) all: Vec<Term<'a>>,
    /// No passage, and no record, could be worth more.
    pub(super) most: f64,
    pub(super) most_record: f64,
    /// By term: no record gets more of it, by measure.
    bounds: Vec<Values>,
}

impl Terms<'_> {
    /// No record gets more of a term, by measure.
    pub(super) fn bound(&self, term: usize) -> &Values {
        &self.bounds[term]
    }

    /// The shares of the greatest sums that sums over a passage and over a record are.
    #[inline(always)]
    pub(super) fn shares(&self, passage: f64, record: f64) -> (f64, f64) {
        let share = |sum: f64, most: f64| if most > 0.0 { sum / most } else { sum };
        (share(passage, self.most), share(record, self.most_record))
    }
}

/// A question: the terms of each asking passage, words before bigrams, and what mentions count.
pub(super) struct Asked<'a> {
    pub(super) terms: Vec<Terms<'a>>,
    /// By side.
    pub(super) worth: [Worth; 2],
}

/// Scratch: scores, and where they stand.
#[derive(Debug, Default)]
struct Found {
    /// By slot: one more than its place in `all`.
    at: Vec<u32>,
    all: Vec<(Slot, LexicalParts)>,
}

/// Scratch that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Found>>);

/// Scores of the records that share a term with the question.
pub(crate) struct Scores<'a> {
    pool: &'a Pool,
    found: Found,
}

impl Scores<'_> {
    /// Records with a score, each once, in no order to rely on.
    pub(crate) fn found(&self) -> &[(Slot, LexicalParts)] {
        &self.found.all
    }

    /// The score of the record at a slot; zero where it shares no term.
    pub(crate) fn of(&self, slot: Slot) -> LexicalParts {
        let at = self.found.at.get(slot as usize).copied().unwrap_or(0);
        match at {
            0 => LexicalParts::default(),
            n => self.found.all[n as usize - 1].1,
        }
    }
}

impl Drop for Scores<'_> {
    fn drop(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        for (slot, _) in found.all.drain(..) {
            found.at[slot as usize] = 0;
        }
        let mut kept = self.pool.0.lock();
        if kept.len() < KEPT {
            kept.push(found);
        }
    }
}

impl Lexical {
    /// Scores every record that is chosen (all, where nothing is said) and shares a term.
    pub(crate) fn score(
        &self,
        asked: &[QueryPassage],
        chosen: Option<&Chosen>,
    ) -> Result<Scores<'_>, IndexError> {
        let asked = self.asked(asked)?;
        let windows = windows(&self.parts);
        let one = |w: &Window| self.window(w, &asked, chosen);
        let scored: Vec<Vec<(Slot, LexicalParts)>> = if self.is_large() {
            windows.par_iter().map(one).collect::<Result<_, _>>()?
        } else {
            windows.iter().map(one).collect::<Result<_, _>>()?
        };
        Ok(self.scores(scored.concat()))
    }

    /// Finds the terms of a question.
    pub(super) fn asked(&self, passages: &[QueryPassage]) -> Result<Asked<'_>, IndexError> {
        let worth =
            Side::BOTH.map(|side| Worth::new(side, self.mean(side), self.record_mean(side)));
        let sides = passages.iter().flat_map(|p| [&*p.words, &*p.bigrams]);
        let terms = sides
            .zip(worth.iter().cycle())
            .map(|(terms, worth)| self.weigh(worth, terms))
            .collect::<Result<_, IndexError>>()?;
        Ok(Asked { terms, worth })
    }

    /// Makes scores to be looked up by slot; each slot is there once.
    pub(super) fn scores(&self, all: Vec<(Slot, LexicalParts)>) -> Scores<'_> {
        let mut found = self.pool.0.lock().pop().unwrap_or_default();
        if found.at.len() < self.places.len() {
            found.at.resize(self.places.len(), 0);
        }
        found.all.extend(all);
        for (i, (slot, _)) in found.all.iter().enumerate() {
            found.at[*slot as usize] = i as u32 + 1;
        }
        Scores {
            pool: &self.pool,
            found,
        }
    }

    pub(super) fn is_large(&self) -> bool {
        self.totals.passages >= MANY
    }

    /// Mean length of passages.
    fn mean(&self, side: Side) -> f64 {
        let length = self.totals.length[side as usize] as f64;
        (length / self.totals.passages.max(1) as f64).max(1e-9)
    }

    /// Mean length of records.
    fn record_mean(&self, side: Side) -> f64 {
        let length = self.totals.length[side as usize] as f64;
        (length / self.totals.records.max(1) as f64).max(1e-9)
    }

    /// Finds the postings of terms, and what each term weighs. Of a term given twice the first
    /// counts.
    fn weigh(&self, worth: &Worth, terms: &[QueryTerm]) -> Result<Terms<'_>, IndexError> {
        let mut seen = HashSet::new();
        let once: Vec<&QueryTerm> = terms
            .iter()
            .filter(|t| t.text.len() <= MAX_TERM && seen.insert(t.text.as_str()))
            .collect();
        let one = |t: &&QueryTerm| self.term(worth.side, t);
        let all: Vec<Term<'_>> = if self.is_large() {
            once.par_iter().map(one).collect::<Result<_, _>>()?
        } else {
            once.iter().map(one).collect::<Result<_, _>>()?
        };
        let mut weighed = Terms {
            all,
            ..Terms::default()
        };
        for t in &weighed.all {
            weighed.most += t.passage * (K1 + 1.0);
            weighed.most_record += t.record * (K1 + 1.0);
        }
        let bounds = weighed.all.iter().map(|t| {
            let passage = t.passage * t.count.in_passage.most(|tf, n| worth.passages.of(tf, n));
            let record = t.record * t.count.in_record.most(|tf, n| worth.records.of(tf, n));
            let shares = weighed.shares(passage, record);
            match worth.side {
                Side::Words => measures(shares, (0.0, 0.0)),
                Side::Bigrams => measures((0.0, 0.0), shares),
            }
        });
        weighed.bounds = bounds.collect();
        Ok(weighed)
    }

    fn term(&self, side: Side, asked: &QueryTerm) -> Result<Term<'_>, IndexError> {
        let mut count = Count::default();
        let mut lists = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let list = part.list(side, &asked.text)?;
            count.add(&match &list {
                List::Sealed(_) => part.counted(side, &asked.text, &list)?,
                List::None | List::Memory(_) => part.count(side, &list)?,
            });
            lists.push(list);
        }
        let totals = &self.totals;
        Ok(Term {
            lists,
            passage: asked.weight * idf(totals.passages as f64, count.passages as f64),
            record: asked.weight * idf(totals.records as f64, count.records as f64),
            count,
        })
    }

    /// Scores the records of a run of documents.
    fn window(
        &self,
        window: &Window,
        asked: &Asked<'_>,
        chosen: Option<&Chosen>,
    ) -> Result<Vec<(Slot, LexicalParts)>, IndexError> {
        let part = &self.parts[window.part];
        let mut readers = Readers::new(part, asked, *window);
        let mut sums = Sums::default();
        let mut found = Vec::new();
        let passes = |slot: Slot| chosen.is_none_or(|c| c.has(slot));
        let mut from = window.from;
        while from < window.to {
            let to = window.step(part, from);
            sums.begin(from, to);
            for (i, both) in asked.terms.chunks(2).enumerate() {
                readers.between(i, |_, _| true, (from, to), &mut sums)?;
                sums.take(both, part, &passes, &mut found);
            }
            sums.end();
            from = to;
        }
        Ok(found)
    }
}
