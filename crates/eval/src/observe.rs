//! What else can be seen while a run is evaluated: where judged documents stand, who is shown, and
//! how scores relate to relevance. Nothing is held that is not asked for.

use crate::{measure::Hit, qrels::Qrels};
use std::collections::HashMap;

/// What to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// Ranks of judged documents, by query.
    pub placements: bool,
    /// How often each document is among the first so many.
    pub exposure: Option<u32>,
    /// Scores of judged answers, with whether they are relevant.
    pub scores: bool,
}

/// A judged document in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Place in the query's judgements.
    pub place: u32,
    /// Rank, from 1.
    pub rank: u32,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// By query, as in [`Qrels::queries`]; empty where not asked for.
    pub placements: Vec<Vec<Placement>>,
    /// How often each shown document is among the first so many.
    pub exposure: HashMap<String, u32>,
    /// Score and relevance (grade 1 or more) of judged answers.
    pub scores: Vec<(f64, bool)>,
}

/// Looks on.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    watch: Watch,
    seen: Observation,
}

impl Observer {
    pub(crate) fn new(qrels: &Qrels, watch: Watch) -> Self {
        let mut seen = Observation::default();
        if watch.placements {
            seen.placements = vec![Vec::new(); qrels.queries().len()];
        }
        Observer { watch, seen }
    }

    /// The answers to one query.
    pub(crate) fn list<'b>(
        &mut self,
        query: usize,
        hits: &[Hit],
        shown: impl Iterator<Item = &'b str>,
    ) {
        if let Some(slot) = self.seen.placements.get_mut(query) {
            slot.extend(hits.iter().map(|h| Placement {
                place: h.place,
                rank: h.rank,
            }));
        }
        if let Some(k) = self.watch.exposure {
            for id in shown.take(k as usize) {
                match self.seen.exposure.get_mut(id) {
                    Some(n) => *n += 1,
                    None => {
                        self.seen.exposure.insert(id.to_owned(), 1);
                    }
                }
            }
        }
        if self.watch.scores {
            let judged = hits.iter().filter(|h| h.grade >= 0.0);
            self.seen
                .scores
                .extend(judged.map(|h| (h.score, h.grade >= 1.0)));
        }
    }

    pub(crate) fn finish(self) -> Observation {
        self.seen
    }
}
