//! What the terms of a question are worth in each passage and each record.
//!
//! How many passages and records hold a term is counted first, over what lives; then every posting
//! is read once more and what it is worth is added up, a window of documents at a time, so that the
//! sums stay near the processor. A question costs what its postings are long, whatever else the
//! index holds. Terms are added up in the question's order, so a score has the same bits whatever
//! the windows are.

use super::{
    Body, Lexical, MAX_TERM, NOWHERE, Part, Side, failed,
    memory::Postings,
    weights::{K1, Norms, Saturation, idf},
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
use tantivy::postings::{BlockSegmentPostings, TermInfo};

/// Below so many passages a question is not worth several threads.
const MANY: u64 = 20_000;
/// Scratch that is kept for the next questions.
const KEPT: usize = 8;

/// The postings of a term in a part.
enum List<'a> {
    None,
    Memory(&'a Postings),
    Sealed(TermInfo),
}

/// A term of the question, with what it weighs.
pub(super) struct Term<'a> {
    /// By part.
    lists: Vec<List<'a>>,
    passage: f64,
    record: f64,
}

/// The terms of one side of an asking passage.
#[derive(Default)]
pub(super) struct Terms<'a> {
    pub(super) all: Vec<Term<'a>>,
    /// No passage, and no record, could be worth more.
    pub(super) most: f64,
    pub(super) most_record: f64,
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
        let sides: Vec<(Side, &[QueryTerm])> = asked
            .iter()
            .flat_map(|p| [(Side::Words, &*p.words), (Side::Bigrams, &*p.bigrams)])
            .collect();
        let terms = sides
            .into_iter()
            .map(|(side, terms)| self.weigh(side, terms))
            .collect::<Result<Vec<Terms<'_>>, IndexError>>()?;
        let saturations = Side::BOTH.map(|side| Saturation::new(self.mean(side)));
        let norms = Side::BOTH.map(|side| Norms::new(self.record_mean(side)));
        let worth = Side::BOTH.map(|side| Worth {
            side,
            passages: &saturations[side as usize],
            records: &norms[side as usize],
        });
        let windows = windows(&self.parts);
        let one = |w: &Window| self.window(w, &terms, &worth, chosen);
        let scored: Vec<Vec<(Slot, LexicalParts)>> = if self.is_large() {
            windows.par_iter().map(one).collect::<Result<_, _>>()?
        } else {
            windows.iter().map(one).collect::<Result<_, _>>()?
        };
        let mut found = self.pool.0.lock().pop().unwrap_or_default();
        if found.at.len() < self.places.len() {
            found.at.resize(self.places.len(), 0);
        }
        found.all.extend(scored.into_iter().flatten());
        for (i, (slot, _)) in found.all.iter().enumerate() {
            found.at[*slot as usize] = i as u32 + 1;
        }
        Ok(Scores {
            pool: &self.pool,
            found,
        })
    }

    fn is_large(&self) -> bool {
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
    fn weigh(&self, side: Side, terms: &[QueryTerm]) -> Result<Terms<'_>, IndexError> {
        let mut seen = HashSet::new();
        let once: Vec<&QueryTerm> = terms
            .iter()
            .filter(|t| t.text.len() <= MAX_TERM && seen.insert(t.text.as_str()))
            .collect();
        let one = |t: &&QueryTerm| self.term(side, t);
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
        Ok(weighed)
    }

    fn term(&self, side: Side, asked: &QueryTerm) -> Result<Term<'_>, IndexError> {
        let (mut passages, mut records) = (0u64, 0u64);
        let mut lists = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let list = part.list(side, &asked.text)?;
            let count = || part.count(side, &list);
            let (p, r) = match &list {
                List::Sealed(_) => part.counts.of(side, &asked.text, count)?,
                List::None | List::Memory(_) => count()?,
            };
            (passages, records) = (passages + p, records + r);
            lists.push(list);
        }
        let totals = &self.totals;
        Ok(Term {
            lists,
            passage: asked.weight * idf(totals.passages as f64, passages as f64),
            record: asked.weight * idf(totals.records as f64, records as f64),
        })
    }

    /// Scores the records of a run of documents.
    fn window(
        &self,
        window: &Window,
        terms: &[Terms<'_>],
        worth: &[Worth<'_>; 2],
        chosen: Option<&Chosen>,
    ) -> Result<Vec<(Slot, LexicalParts)>, IndexError> {
        let part = &self.parts[window.part];
        let mut cursors = Vec::with_capacity(terms.len());
        for (i, side_terms) in terms.iter().enumerate() {
            let side = Side::BOTH[i % 2];
            let open = side_terms.all.iter().map(|t| {
                let list = &t.lists[window.part];
                part.cursor(side, list, window.from)
            });
            cursors.push(open.collect::<Result<Vec<_>, _>>()?);
        }
        let mut sums = Sums::default();
        let mut found = Vec::new();
        let mut from = window.from;
        while from < window.to {
            let to = window.step(part, from);
            sums.begin(from, to);
            for (asked, both) in terms.chunks(2).enumerate() {
                for (worth, of_side) in worth.iter().zip(both) {
                    let postings = cursors[asked * 2 + worth.side as usize].iter_mut();
                    for (term, postings) in of_side.all.iter().zip(postings) {
                        let weights = (term.passage, term.record);
                        sums.add(worth, weights, part, |take| postings.each(to, take));
                    }
                }
                sums.take(both, part, chosen, &mut found);
            }
            sums.end();
            from = to;
        }
        Ok(found)
    }
}

/// Postings that are read in order.
enum Cursor<'a> {
    None,
    Memory {
        docs: &'a [u32],
        freqs: &'a [u32],
    },
    Sealed {
        block: Box<BlockSegmentPostings>,
        at: usize,
    },
}

impl Cursor<'_> {
    /// Hands over the documents before `to` that were not handed over yet, each with how often it
    /// has the term, some at a time.
    #[inline(always)]
    fn each(&mut self, to: u32, take: &mut dyn FnMut(&[u32], &[u32])) {
        match self {
            Cursor::None => {}
            Cursor::Memory { docs, freqs } => {
                let end = docs.partition_point(|doc| *doc < to);
                take(&docs[..end], &freqs[..end]);
                (*docs, *freqs) = (&docs[end..], &freqs[end..]);
            }
            Cursor::Sealed { block, at } => loop {
                let (docs, freqs) = (block.docs(), block.freqs());
                let Some(last) = docs.last() else { return };
                let end = if *last < to {
                    docs.len()
                } else {
                    docs.partition_point(|doc| *doc < to)
                };
                let from = (*at).min(end);
                take(&docs[from..end], &freqs[from..end]);
                if end < docs.len() {
                    *at = end;
                    return;
                }
                block.advance();
                *at = 0;
            },
        }
    }
}

impl Part {
    /// The living passages and records of a list.
    fn count(&self, side: Side, list: &List<'_>) -> Result<(u64, u64), IndexError> {
        let (mut passages, mut records) = (0, 0);
        let mut postings = self.cursor(side, list, 0)?;
        // The documents of a record stand one after the other.
        let mut last = u32::MAX;
        postings.each(u32::MAX, &mut |docs, _| {
            for &doc in docs {
                let alive = self.docs.slot[doc as usize] != NOWHERE;
                let first = doc - self.docs.passage[doc as usize];
                passages += u64::from(alive);
                records += u64::from(alive && first != last);
                last = first;
            }
        });
        Ok((passages, records))
    }

    fn list(&self, side: Side, term: &str) -> Result<List<'_>, IndexError> {
        match &self.body {
            Body::Memory { terms, .. } => {
                Ok(terms.list(side, term).map_or(List::None, List::Memory))
            }
            Body::Sealed(segment) => {
                let info = segment.find(side, term);
                let info = info.map_err(|e| failed("looking up a term")(e.into()))?;
                Ok(info.map_or(List::None, List::Sealed))
            }
        }
    }

    fn cursor<'a>(&self, side: Side, list: &List<'a>, from: u32) -> Result<Cursor<'a>, IndexError> {
        match (list, &self.body) {
            (List::Memory(list), _) => {
                let after = list.docs.partition_point(|doc| *doc < from);
                Ok(Cursor::Memory {
                    docs: &list.docs[after..],
                    freqs: &list.freqs[after..],
                })
            }
            (List::Sealed(info), Body::Sealed(segment)) => {
                let block = segment.postings(side, info);
                let block = block.map_err(|e| failed("reading postings")(e.into()))?;
                let mut block = Box::new(block);
                let at = if from == 0 { 0 } else { block.seek(from) };
                Ok(Cursor::Sealed { block, at })
            }
            _ => Ok(Cursor::None),
        }
    }
}
