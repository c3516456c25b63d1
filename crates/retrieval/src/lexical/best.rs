//! The records that share most terms, found without reading all postings.
//!
//! What many texts hold is worth little and has the longest postings. Once some records are scored, a
//! record that holds nothing else cannot be among the best any more: only the other terms' postings are
//! read whole, and of the common ones only what belongs to records that may still be among the best
//! (MaxScore, Turtle and Flood 1995; a window of documents at a time, as Lucene does). Who may be
//! is then scored with all terms by the same code as everybody: the best are the same, with the same bits,
//! as if all were scored.

use super::{
    Lexical,
    reading::{Readers, Run},
    score::{Asked, Scores, Terms},
    window::{Sums, Window, windows},
};
use crate::{
    dense::Chosen,
    index::{IndexError, LexicalParts, QueryPassage},
    slots::Slot,
};
use parking_lot::Mutex;
use rayon::prelude::*;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Of each side by itself, so many of the best are found for sure.
pub(crate) const SURE: usize = 16;

/// What records are the best in: passages by both sides together, records by both, and each of these by
/// words and by bigrams alone.
const MEASURES: usize = 6;

/// A value of each measure.
pub(super) type Values = [f64; MEASURES];

/// Terms are left out while all of them together are worth less than what is needed, divided by this: the
/// more they are worth, the more records stay in doubt, and a posting that is read for one of these costs
/// several times as much. 1 would do for the best to be right.
const DOUBT: f64 = 4.0;

/// Where less than this part of the postings would be spared, all are read …
const SPARED: f64 = 0.25;
/// … or fewer than one for so many documents: all of these are gone through to find out who stays in doubt.
const LOOKED_AT: u64 = 4;

/// What is added up in another order may come out a little smaller.
const ROUNDING: f64 = 1.0 + 1e-9;

fn values(of: &LexicalParts) -> Values {
    [
        of.words + of.bigrams,
        of.record_words + of.record_bigrams,
        of.words,
        of.bigrams,
        of.record_words,
        of.record_bigrams,
    ]
}

/// The measures of what words, and what bigrams, are worth in a passage and in a record.
pub(super) fn measures(words: (f64, f64), bigrams: (f64, f64)) -> Values {
    [
        words.0 + bigrams.0,
        words.1 + bigrams.1,
        words.0,
        bigrams.0,
        words.1,
        bigrams.1,
    ]
}

/// What a record needs to be among the best: by measure, the least of them, or 0 while there are too few.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Floors(Values);

impl Floors {
    /// What has to be reached without `rest`; more than nothing in any case.
    fn without(&self, rest: &Values) -> Values {
        std::array::from_fn(|m| (self.0[m] / ROUNDING - rest[m]).max(f64::MIN_POSITIVE))
    }

    /// Whether a record that is worth at most so much may be among the best.
    #[inline(always)]
    pub(super) fn may_reach(&self, most: &Values) -> bool {
        let one = |(most, floor): (&f64, &f64)| *most > 0.0 && most * ROUNDING >= *floor;
        most.iter().zip(&self.0).any(one)
    }
}

/// The best values of each measure so far.
struct Tops([(BinaryHeap<Reverse<u64>>, usize); MEASURES]);

impl Tops {
    fn new(most: usize) -> Self {
        let of = |i: usize| if i < 2 { most } else { SURE };
        Self(std::array::from_fn(|i| (BinaryHeap::new(), of(i).max(1))))
    }

    /// Takes a record that was scored, once.
    fn take(&mut self, of: &LexicalParts) {
        for ((heap, most), value) in self.0.iter_mut().zip(values(of)) {
            // Values are not negative, and so their bits are in their order.
            let value = value.to_bits();
            if heap.len() < *most {
                if value > 0 {
                    heap.push(Reverse(value));
                }
            } else if let Some(mut least) = heap.peek_mut()
                && least.0 < value
            {
                *least = Reverse(value);
            }
        }
    }

    fn floors(&self) -> Floors {
        Floors(self.0.each_ref().map(|(heap, most)| {
            let full = heap.len() == *most;
            let least = heap.peek().filter(|_| full);
            least.map_or(0.0, |least| f64::from_bits(least.0))
        }))
    }
}

/// Of one asking passage: which terms are read whole, and what all others are worth at most.
struct Plan {
    /// By side, by term.
    whole: [Vec<bool>; 2],
    rest: Values,
    /// Postings that are read whole, and all of them.
    read: u64,
    of: u64,
}

impl Plan {
    /// Leaves out terms as long as nobody who holds only these may be among the best.
    fn new(both: &[Terms<'_>], floors: &Floors) -> Self {
        let of = both.iter().flat_map(|t| &t.all).map(|t| t.passages()).sum();
        let mut plan = Self {
            whole: [0, 1].map(|side| vec![true; both[side].all.len()]),
            rest: [0.0; MEASURES],
            read: of,
            of,
        };
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (side, terms) in both.iter().enumerate() {
            order.extend((0..terms.all.len()).map(|i| (side, i)));
        }
        // What is read for what it may be worth: the most first.
        let price = |&(side, i): &(usize, usize)| {
            let term = &both[side].all[i];
            let worth: f64 = both[side].bound(i).iter().sum();
            term.passages() as f64 / worth.max(f64::MIN_POSITIVE)
        };
        order.sort_by(|a, b| price(b).total_cmp(&price(a)));
        for (side, i) in order {
            let bound = both[side].bound(i);
            let with: Values = std::array::from_fn(|m| plan.rest[m] + bound[m]);
            if !floors.may_reach(&with.map(|w| w * DOUBT)) {
                plan.rest = with;
                plan.whole[side][i] = false;
                plan.read -= both[side].all[i].passages();
            }
        }
        plan
    }

    /// Whether plans spare more than they cost, over so many documents.
    fn are_worth_it(plans: &[Self], documents: u64) -> bool {
        let of: u64 = plans.iter().map(|p| p.of).sum();
        let spared = of - plans.iter().map(|p| p.read).sum::<u64>();
        let least = documents / LOOKED_AT * plans.len() as u64;
        spared > least && spared as f64 > of as f64 * SPARED
    }
}

impl Lexical {
    /// Scores the records `named`, and so many others that the `most` best of all that are chosen are among
    /// those that were scored, by passages as well as by records; of words and of bigrams alone the
    /// [`SURE`] best.
    pub(crate) fn best(
        &self,
        passages: &[QueryPassage],
        chosen: Option<&Chosen>,
        most: usize,
        named: &[Slot],
    ) -> Result<Scores<'_>, IndexError> {
        let asked = self.asked(passages)?;
        let windows = windows(&self.parts);
        let runs = self.runs(named, &windows);
        let known = Chosen::new(named.iter().copied(), self.places.len());
        let in_window = |(window, runs): (&Window, &Vec<Run>)| self.of_runs(window, runs, &asked);
        let named: Vec<Vec<(Slot, LexicalParts)>> = if self.is_large() {
            let each = windows.par_iter().zip(&runs).map(in_window);
            each.collect::<Result<_, _>>()?
        } else {
            let each = windows.iter().zip(&runs).map(in_window);
            each.collect::<Result<_, _>>()?
        };
        let mut found = named.concat();
        let mut tops = Tops::new(most);
        for (slot, of) in &found {
            if chosen.is_none_or(|c| c.has(*slot)) {
                tops.take(of);
            }
        }
        let tops = Mutex::new(tops);
        let wanted = |slot: Slot| !known.has(slot) && chosen.is_none_or(|c| c.has(slot));
        let one = |window: &Window| self.of_window(window, &asked, &wanted, &tops);
        let more: Vec<Vec<(Slot, LexicalParts)>> = if self.is_large() {
            windows.par_iter().map(one).collect::<Result<_, _>>()?
        } else {
            windows.iter().map(one).collect::<Result<_, _>>()?
        };
        found.extend(more.into_iter().flatten());
        Ok(self.scores(found))
    }

    /// Where the documents of records are: by window, in order.
    fn runs(&self, named: &[Slot], windows: &[Window]) -> Vec<Vec<Run>> {
        let mut by_window = vec![Vec::new(); windows.len()];
        for slot in named {
            let Some(place) = self.places.get(*slot as usize).filter(|p| p.count > 0) else {
                continue;
            };
            let part = self.parts.iter().position(|p| p.id == place.part);
            let holds = |w: &Window| Some(w.part) == part && (w.from..w.to).contains(&place.first);
            if let Some(at) = windows.iter().position(holds) {
                by_window[at].push(place.run());
            }
        }
        for runs in &mut by_window {
            runs.sort_unstable();
            runs.dedup();
        }
        by_window
    }

    /// Scores the records of a window whose documents are given.
    fn of_runs(
        &self,
        window: &Window,
        runs: &[Run],
        asked: &Asked<'_>,
    ) -> Result<Vec<(Slot, LexicalParts)>, IndexError> {
        let mut found = Vec::with_capacity(runs.len());
        let mut sums = Sums::default();
        let part = &self.parts[window.part];
        let mut readers = Readers::new(part, asked, *window);
        let mut rest = runs;
        while let Some((from, _)) = rest.first() {
            let to = window.step(part, *from);
            let (now, later) = rest.split_at(rest.partition_point(|run| run.0 < to));
            sums.begin(*from, to);
            for (i, both) in asked.terms.chunks(2).enumerate() {
                readers.among(i, now, &mut sums)?;
                sums.take(both, part, &|_| true, &mut found);
            }
            sums.end();
            rest = later;
        }
        Ok(found)
    }

    /// Scores the records of a window that may be among the best, of those that are wanted.
    fn of_window(
        &self,
        window: &Window,
        asked: &Asked<'_>,
        wanted: &dyn Fn(Slot) -> bool,
        tops: &Mutex<Tops>,
    ) -> Result<Vec<(Slot, LexicalParts)>, IndexError> {
        let part = &self.parts[window.part];
        let mut found = Vec::new();
        let mut sums = Sums::default();
        // These read what is read whole, and those what is read of a few.
        let [mut whole, mut few] = [(); 2].map(|()| Readers::new(part, asked, *window));
        let mut plans: Vec<Plan> = Vec::new();
        let mut planned = None;
        let mut runs: Vec<Run> = Vec::new();
        let mut from = window.from;
        while from < window.to {
            let to = window.step(part, from);
            let floors = tops.lock().floors();
            if planned.replace(floors) != Some(floors) {
                let both = asked.terms.chunks(2);
                plans = both.map(|both| Plan::new(both, &floors)).collect();
            }
            let before = found.len();
            sums.begin(from, to);
            if Plan::are_worth_it(&plans, self.totals.passages) {
                let run = |slot: Slot| wanted(slot).then(|| self.places[slot as usize].run());
                for (i, (both, plan)) in asked.terms.chunks(2).zip(&plans).enumerate() {
                    let which = |side: usize, i: usize| plan.whole[side][i];
                    whole.between(i, which, (from, to), &mut sums)?;
                    sums.reach(both, part, &floors.without(&plan.rest), run, &mut runs);
                }
                runs.sort_unstable();
                runs.dedup();
                for (i, both) in asked.terms.chunks(2).enumerate() {
                    few.among(i, &runs, &mut sums)?;
                    sums.take(both, part, wanted, &mut found);
                }
                runs.clear();
            } else {
                for (i, both) in asked.terms.chunks(2).enumerate() {
                    whole.between(i, |_, _| true, (from, to), &mut sums)?;
                    sums.take(both, part, wanted, &mut found);
                }
            }
            sums.end();
            if found.len() > before {
                let mut tops = tops.lock();
                found[before..].iter().for_each(|(_, of)| tops.take(of));
            }
            from = to;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Passage, QueryTerm};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashMap;

    const RECORDS: u32 = 30_000;

    /// Few of them are in many texts, and many in few.
    fn terms(rng: &mut ChaCha8Rng, n: usize) -> Vec<String> {
        let one = |_| {
            let x: f64 = rng.random_range(0.0..1.0);
            format!("t{}", (x.powi(4) * 3_000.0) as u32)
        };
        (0..n).map(one).collect()
    }

    fn asked(rng: &mut ChaCha8Rng) -> QueryPassage {
        let mut weighed = |n| {
            let each = terms(rng, n).into_iter();
            each.map(|text| QueryTerm { text, weight: 1.0 }).collect()
        };
        QueryPassage {
            words: weighed(8),
            bigrams: weighed(12),
        }
    }

    /// In falling order of one measure.
    fn order(scores: &Scores<'_>, measure: usize) -> Vec<(u64, Slot)> {
        let each = scores.found().iter();
        let each = each.map(|(slot, of)| (values(of)[measure].to_bits(), *slot));
        let mut all: Vec<(u64, Slot)> = each.filter(|x| x.0 > 0).collect();
        all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        all
    }

    #[test]
    fn the_best_are_those_of_all_and_most_are_never_scored() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut index = Lexical::default();
        for slot in 0..RECORDS {
            let passages: Vec<Passage> = (0..rng.random_range(0..4))
                .map(|_| Passage {
                    words: terms(&mut rng, 12),
                    bigrams: terms(&mut rng, 24),
                })
                .collect();
            index.put(slot, u64::from(slot), &passages);
        }
        let (mut scored, mut of) = (0, 0);
        for (asking, third) in [(1, false), (1, true), (1, false), (2, false), (3, true)] {
            let asked: Vec<QueryPassage> = (0..asking).map(|_| asked(&mut rng)).collect();
            let third = third.then(|| {
                let some = (0..RECORDS).filter(|s| s % 3 == 0);
                Chosen::new(some, RECORDS as usize)
            });
            let chosen = third.as_ref();
            // One of them twice, one that is not there.
            let mut named: Vec<Slot> = (0..300).map(|i| i * 60).collect();
            named.extend([60, 1 << 20]);
            let all = index.score(&asked, None).unwrap();
            let of_all = index.score(&asked, chosen).unwrap();
            let best = index.best(&asked, chosen, 100, &named).unwrap();
            let known: HashMap<Slot, LexicalParts> = all.found().iter().copied().collect();
            for (slot, parts) in best.found() {
                assert_eq!(known[slot], *parts);
            }
            for slot in &named {
                assert_eq!(best.of(*slot), all.of(*slot));
            }
            for measure in 0..MEASURES {
                let expected = order(&of_all, measure);
                let mut found = order(&best, measure);
                found.retain(|x| chosen.is_none_or(|c| c.has(x.1)));
                let most = if measure < 2 { 100 } else { SURE };
                let most = most.min(expected.len());
                assert_eq!(found[..most], expected[..most], "{measure}");
            }
            scored += best.found().len();
            of += of_all.found().len();
        }
        assert!(scored * 2 < of, "{scored} of {of} were scored");
    }
}
