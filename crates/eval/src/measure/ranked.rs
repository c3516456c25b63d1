//! A ranking as measures see it: only the judged answers, and how many there were.

use crate::qrels::Judgements;

/// An answer that is judged, or in the pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    /// From 1.
    pub(crate) rank: u32,
    /// Place in the query's judgements.
    pub(crate) place: u32,
    /// Below zero: in the pool, not judged.
    pub(crate) grade: f64,
    /// What the system gave.
    pub(crate) score: f64,
}

/// The answers to one query. Answers outside the pool are known by the gaps between ranks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranked<'a> {
    pub(crate) judged: &'a Judgements,
    /// By rank.
    pub(crate) hits: &'a [Hit],
    pub(crate) retrieved: u32,
}

impl<'a> Ranked<'a> {
    /// Hits among the first `k`.
    pub(crate) fn first(&self, k: Option<u32>) -> &'a [Hit] {
        match k {
            None => self.hits,
            Some(k) => {
                let n = self.hits.partition_point(|h| h.rank <= k);
                self.hits.get(..n).unwrap_or(self.hits)
            }
        }
    }

    /// How many answers there are among the first `k`.
    pub(crate) fn depth(&self, k: Option<u32>) -> u32 {
        k.map_or(self.retrieved, |k| k.min(self.retrieved))
    }

    /// How many of the first `k` have a grade of `rel` or more.
    pub(crate) fn relevant_in(&self, k: Option<u32>, rel: f64) -> usize {
        self.first(k).iter().filter(|h| h.grade >= rel).count()
    }

    /// The same ranking without answers that are not judged (trec_eval `-J`,
    /// `form_res_rels.c`).
    pub(crate) fn judged_only<'b>(&self, hits: &'b mut Vec<Hit>) -> Ranked<'b>
    where
        'a: 'b,
    {
        hits.clear();
        hits.extend(
            (self.hits.iter().filter(|h| h.grade >= 0.0).zip(1..))
                .map(|(h, rank)| Hit { rank, ..*h }),
        );
        Ranked {
            judged: self.judged,
            retrieved: hits.len() as u32,
            hits,
        }
    }
}

/// `a / b`, and 0 where there is nothing to divide by.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
