//! How a question is answered.
//!
//! Where few records pass the filter every one of them is compared. Where many do, graphs name
//! the records that may be near, postings those that share terms, and only these are compared, by
//! the same arithmetic: a score is exact either way, only who is scored may differ.

use super::State;
use crate::{
    dense::{Chosen, Side, mean_of},
    index::{Candidate, DenseParts, IndexError, LexicalParts, Mode, Query, SearchResult},
    lexical::SURE,
    slots::{Slot, Slots},
};
use rayon::prelude::*;
use roaring::RoaringBitmap;
use std::{
    collections::{BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

/// No search is narrower, however few are wanted: the nearest ten are found by looking at more.
const LEAST_EF: usize = 200;

/// How many are named where so many are wanted: some more, for those whom the condition refuses.
pub(super) fn cut(wanted: usize) -> usize {
    wanted + wanted / 8 + 16
}

/// A record with its scores.
struct Item {
    slot: Slot,
    dense: DenseParts,
    lexical: LexicalParts,
}

impl Item {
    fn terms(&self) -> f64 {
        terms(&self.lexical)
    }

    fn record_terms(&self) -> f64 {
        record_terms(&self.lexical)
    }
}

/// One of a record's scores.
type Measure = fn(&LexicalParts) -> f64;

fn terms(l: &LexicalParts) -> f64 {
    l.words + l.bigrams
}

fn record_terms(l: &LexicalParts) -> f64 {
    l.record_words + l.record_bigrams
}

/// Refuses a question that no index could answer.
pub(crate) fn check(query: &Query<'_>, dim: usize) -> Result<(), IndexError> {
    if query.vectors.nrows() > 0 && query.vectors.ncols() != dim {
        return Err(IndexError::Query(format!(
            "its vectors have {} dimensions, the index has {dim}",
            query.vectors.ncols(),
        )));
    }
    if query.vectors.iter().any(|x| !x.is_finite()) {
        return Err(IndexError::Query(
            "its vectors hold NaN or infinity".to_owned(),
        ));
    }
    let terms = query
        .passages
        .iter()
        .flat_map(|p| p.words.iter().chain(&p.bigrams));
    for t in terms {
        if !(t.weight > 0.0 && t.weight.is_finite()) {
            return Err(IndexError::Query(format!(
                "the term `{}` has weight {}",
                t.text, t.weight
            )));
        }
    }
    Ok(())
}

/// The further condition of a question, asked once per record.
struct Condition<'a, 'q> {
    query: &'a Query<'q>,
    slots: &'a Slots,
    known: HashMap<Slot, bool>,
    refused: usize,
}

impl Condition<'_, '_> {
    fn admits(&mut self, slot: Slot) -> bool {
        let (query, slots) = (self.query, self.slots);
        let refused = &mut self.refused;
        *self.known.entry(slot).or_insert_with(|| {
            let admitted = slots
                .get(slot)
                .is_some_and(|h| (query.admit)(h.key, &h.facets));
            *refused += usize::from(!admitted);
            admitted
        })
    }

    /// Whether a list that was cut to its length still holds so many admitted records.
    fn leaves(&mut self, list: &[Slot], cut_at: usize, wanted: usize) -> bool {
        list.len() < cut_at || list.iter().filter(|s| self.admits(**s)).count() >= wanted
    }
}

impl State {
    /// Candidates for a question that was checked, and whether graphs named them. Up to
    /// `exact_below` passages that pass the filter are all compared.
    pub(super) fn search(
        &self,
        query: &Query<'_>,
        exact_below: usize,
    ) -> Result<(SearchResult, bool), IndexError> {
        let chosen = self.attributes.select(query.filter, &self.slots);
        let count = chosen
            .as_ref()
            .map_or(self.slots.len(), |c| c.len() as usize);
        let records = self.slots.len().max(1);
        let passages = (self.dense.live_rows().max(records) / records).saturating_mul(count);
        if passages > exact_below && query.candidates.saturating_mul(4) <= count {
            let some = chosen
                .as_ref()
                .map(|c| Chosen::new(c.iter(), self.slots.slots()));
            if let Some(found) = self.search_some(query, some.as_ref(), count)? {
                return Ok((found, true));
            }
        }
        Ok((self.search_all(query, chosen.as_ref())?, false))
    }

    /// Compares every record that passes.
    fn search_all(
        &self,
        query: &Query<'_>,
        chosen: Option<&RoaringBitmap>,
    ) -> Result<SearchResult, IndexError> {
        let passing: Vec<Slot> = match chosen {
            Some(c) => c.iter().collect(),
            None => self.slots.iter().map(|(slot, _)| slot).collect(),
        };
        let admitted: Vec<Slot> = passing
            .into_par_iter()
            .with_min_len(512)
            .filter(|slot| {
                let held = self.slots.get(*slot);
                held.is_some_and(|h| (query.admit)(h.key, &h.facets))
            })
            .collect();
        let dense = match query.mode {
            Mode::Lexical => vec![DenseParts::default(); admitted.len()],
            _ => self
                .dense
                .compare(query.vectors.view(), &self.slots, &admitted),
        };
        let lexical = match query.mode {
            Mode::Dense => None,
            _ => {
                let chosen = Chosen::new(admitted.iter().copied(), self.slots.slots());
                Some(self.lexical.score(query.passages, Some(&chosen))?)
            }
        };
        let items: Vec<Item> = admitted
            .iter()
            .zip(dense)
            .map(|(&slot, dense)| Item {
                slot,
                dense,
                lexical: lexical.as_ref().map(|l| l.of(slot)).unwrap_or_default(),
            })
            .collect();
        let best =
            |of: fn(&LexicalParts) -> f64| items.iter().map(|i| of(&i.lexical)).fold(0.0, f64::max);
        let kept = pick(&items, &self.slots, query, &mut |_| true);
        Ok(SearchResult {
            candidates: self.candidates(&items, kept),
            best_words: best(|l| l.words),
            best_bigrams: best(|l| l.bigrams),
            best_record_words: best(|l| l.record_words),
            best_record_bigrams: best(|l| l.record_bigrams),
            admitted: admitted.len(),
            total: self.slots.len(),
            seq: self.seq,
        })
    }

    /// Compares those that graphs and postings name. `None` when too many of these are refused by
    /// the further condition, or there are too few: then all have to be compared.
    fn search_some(
        &self,
        query: &Query<'_>,
        chosen: Option<&Chosen>,
        count: usize,
    ) -> Result<Option<SearchResult>, IndexError> {
        let wanted = query.candidates;
        let cut = cut(wanted);
        let mut condition = Condition {
            query,
            slots: &self.slots,
            known: HashMap::new(),
            refused: 0,
        };
        let passes = |slot: &Slot| chosen.is_none_or(|c| c.has(*slot));
        let mut named: HashSet<Slot> = HashSet::new();
        let mut items: Vec<Item> = Vec::new();
        if query.mode != Mode::Lexical && query.vectors.nrows() > 0 {
            for list in self.near(query, cut, chosen) {
                if !condition.leaves(&list, cut, wanted) {
                    return Ok(None);
                }
                named.extend(list);
            }
            let raw: Vec<Slot> = self
                .dense
                .compared(cut.max(LEAST_EF))
                .filter(passes)
                .collect();
            if named.len() + raw.len() < wanted {
                return Ok(None);
            }
            let dense = self.dense.compare(query.vectors.view(), &self.slots, &raw);
            items.extend(raw.into_iter().zip(dense).map(|(slot, dense)| Item {
                slot,
                dense,
                lexical: LexicalParts::default(),
            }));
        }
        let mut result = SearchResult::default();
        let mut lexical = None;
        if query.mode != Mode::Dense {
            let known: Vec<Slot> = items
                .iter()
                .map(|i| i.slot)
                .chain(named.iter().copied())
                .collect();
            let scores = self.lexical.best(query.passages, chosen, cut, &known)?;
            let scores = lexical.insert(scores);
            for of in [terms, record_terms] {
                let list = top_terms(scores.found(), of, cut);
                if !condition.leaves(&list, cut, wanted) {
                    return Ok(None);
                }
                named.extend(list);
            }
            // Where all of those are refused that are the best for sure, everybody is scored.
            let mut everybody = None;
            for (best, of) in [
                (&mut result.best_words, (|l| l.words) as Measure),
                (&mut result.best_bigrams, |l| l.bigrams),
                (&mut result.best_record_words, |l| l.record_words),
                (&mut result.best_record_bigrams, |l| l.record_bigrams),
            ] {
                *best = match best_admitted(scores.found(), of, SURE, &mut condition) {
                    Some(best) => best,
                    None => {
                        let all = match &everybody {
                            Some(all) => all,
                            None => everybody.insert(self.lexical.score(query.passages, chosen)?),
                        };
                        best_admitted(all.found(), of, usize::MAX, &mut condition)
                            .unwrap_or_default()
                    }
                };
            }
        }
        let raw: HashSet<Slot> = items.iter().map(|i| i.slot).collect();
        let mut named: Vec<Slot> = named.into_iter().filter(|s| !raw.contains(s)).collect();
        named.sort_unstable();
        let dense = match query.mode {
            Mode::Lexical => vec![DenseParts::default(); named.len()],
            _ => self
                .dense
                .compare(query.vectors.view(), &self.slots, &named),
        };
        items.extend(named.into_iter().zip(dense).map(|(slot, dense)| Item {
            slot,
            dense,
            lexical: LexicalParts::default(),
        }));
        for item in &mut items {
            item.lexical = lexical
                .as_ref()
                .map(|l| l.of(item.slot))
                .unwrap_or_default();
        }
        let kept = pick(&items, &self.slots, query, &mut |slot| {
            condition.admits(slot)
        });
        if query.mode != Mode::Lexical && kept.len() < wanted {
            return Ok(None);
        }
        Ok(Some(SearchResult {
            candidates: self.candidates(&items, kept),
            admitted: count - condition.refused.min(count),
            total: self.slots.len(),
            seq: self.seq,
            ..result
        }))
    }

    /// Lists of records near what is asked, without those that are compared anyway: to each asking passage by their passages, and
    /// to all asking passages together by their profiles.
    fn near(&self, query: &Query<'_>, cut: usize, chosen: Option<&Chosen>) -> Vec<Vec<Slot>> {
        let rows: Vec<Vec<f32>> = query
            .vectors
            .rows()
            .into_iter()
            .map(|r| r.to_vec())
            .filter(|r| r.iter().any(|x| *x != 0.0))
            .collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let mean = mean_of(&rows);
        let mut tasks: Vec<(&[f32], Side)> = rows
            .iter()
            .map(|r| (r.as_slice(), Side::Passages))
            .collect();
        tasks.push((&mean, Side::Profiles));
        if rows.len() > 1 {
            // Whose one passage is their profile.
            tasks.push((&mean, Side::Passages));
        }
        let total = self.slots.slots();
        tasks
            .into_par_iter()
            .map(|(vector, side)| {
                let found = self
                    .dense
                    .nearest(vector, side, cut, LEAST_EF, chosen, total);
                found.into_iter().map(|f| f.1).collect()
            })
            .collect()
    }

    fn candidates(&self, items: &[Item], kept: Vec<usize>) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = kept
            .into_iter()
            .filter_map(|i| {
                let item = &items[i];
                self.slots.get(item.slot).map(|held| Candidate {
                    key: held.key,
                    id: held.facets.id.clone(),
                    facets: Arc::clone(&held.facets),
                    passages: held.passages as usize,
                    dense: item.dense,
                    lexical: item.lexical,
                })
            })
            .collect();
        out.sort_by(|a, b| a.id.cmp(&b.id));
        out
    }
}

/// The records that share most terms, best first.
fn top_terms(found: &[(Slot, LexicalParts)], of: Measure, most: usize) -> Vec<Slot> {
    let mut order: Vec<(u64, Slot)> = by_score(found, of).collect();
    let by = |a: &(u64, Slot), b: &(u64, Slot)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
    if order.len() > most {
        order.select_nth_unstable_by(most, by);
        order.truncate(most);
    }
    order.sort_unstable_by(by);
    order.into_iter().map(|o| o.1).collect()
}

/// Those with a score. Scores are not negative, and so their bits are in their order.
fn by_score(found: &[(Slot, LexicalParts)], of: Measure) -> impl Iterator<Item = (u64, Slot)> {
    let all = found.iter().map(move |(slot, l)| (of(l), *slot));
    all.filter(|(score, _)| *score > 0.0)
        .map(|(score, slot)| (score.to_bits(), slot))
}

/// The greatest of one score over admitted records; `None` where the `sure` best are all refused and there
/// may be more.
fn best_admitted(
    found: &[(Slot, LexicalParts)],
    of: Measure,
    sure: usize,
    condition: &mut Condition<'_, '_>,
) -> Option<f64> {
    let (greatest, slot) = by_score(found, of).max().unwrap_or_default();
    // Most often the very best is admitted, and no order has to be made.
    if greatest == 0 || condition.admits(slot) {
        return Some(f64::from_bits(greatest));
    }
    let mut heap: BinaryHeap<(u64, Slot)> = by_score(found, of).collect();
    for _ in 0..sure {
        match heap.pop() {
            Some((bits, slot)) if condition.admits(slot) => return Some(f64::from_bits(bits)),
            Some(_) => {}
            None => return Some(0.0),
        }
    }
    None
}

/// The union of each side's best admitted, as places in `items`.
fn pick(
    items: &[Item],
    slots: &Slots,
    query: &Query<'_>,
    admits: &mut dyn FnMut(Slot) -> bool,
) -> Vec<usize> {
    let mut keep = vec![false; items.len()];
    let id = |i: usize| slots.get(items[i].slot).map(|h| &h.facets.id);
    let mut side = |score: &dyn Fn(&Item) -> f64, least: f64| {
        let mut order: Vec<usize> = (0..items.len())
            .filter(|&i| score(&items[i]) > least)
            .collect();
        let by = |a: &usize, b: &usize| {
            score(&items[*b])
                .total_cmp(&score(&items[*a]))
                .then_with(|| id(*a).cmp(&id(*b)))
        };
        let mut left = query.candidates;
        let mut from = 0;
        // The best first; more of the rest only while some of them were refused.
        while left > 0 && from < order.len() {
            let rest = &mut order[from..];
            let take = left.min(rest.len());
            if take < rest.len() {
                rest.select_nth_unstable_by(take, by);
            }
            for &i in &rest[..take] {
                if admits(items[i].slot) {
                    keep[i] = true;
                    left -= 1;
                }
            }
            from += take;
        }
    };
    if query.mode != Mode::Lexical {
        side(&|i| i.dense.best, f64::NEG_INFINITY);
        side(&|i| i.dense.profile, f64::NEG_INFINITY);
    }
    if query.mode != Mode::Dense {
        side(&Item::terms, 0.0);
        side(&Item::record_terms, 0.0);
    }
    (0..items.len()).filter(|i| keep[*i]).collect()
}
