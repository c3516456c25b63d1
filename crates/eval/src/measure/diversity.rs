//! Measures of novelty and diversity: how well the subtopics of a query are covered. After
//! `ndeval.c` 4.5 (Clarke).

use super::ranked::{Ranked, ratio};

/// Which subtopics each answer is relevant to, and how many relevant documents each has.
pub(super) struct Topics {
    /// Rank from 1 and subtopics, for answers that touch any.
    answers: Vec<(u32, Vec<u16>)>,
    /// Subtopics of every judged document that touches any; document ids by bytes, the greatest
    /// first.
    pool: Vec<Vec<u16>>,
    /// Relevant documents by subtopic.
    sizes: Vec<u32>,
    /// Subtopics that have any.
    living: f64,
}

impl Topics {
    pub(super) fn of(r: &Ranked<'_>, rel: f64) -> Self {
        let topics_of = |place: usize| -> Vec<u16> {
            let aspects = r.judged.aspects(place);
            if aspects.is_empty() {
                // A query without subtopics is one.
                return (r.judged.grade(place) >= rel)
                    .then_some(0)
                    .into_iter()
                    .collect();
            }
            let mut t: Vec<u16> = aspects
                .iter()
                .filter(|(_, g)| *g >= rel)
                .map(|(t, _)| *t)
                .collect();
            t.sort_unstable();
            t
        };
        let mut sizes = vec![0; r.judged.subtopics().max(1)];
        let mut pool: Vec<(&str, Vec<u16>)> = Vec::new();
        for place in 0..r.judged.len() {
            let topics = topics_of(place);
            for t in &topics {
                if let Some(n) = sizes.get_mut(usize::from(*t)) {
                    *n += 1;
                }
            }
            if !topics.is_empty() {
                pool.push((r.judged.document(place), topics));
            }
        }
        pool.sort_by(|a, b| b.0.as_bytes().cmp(a.0.as_bytes()));
        Topics {
            answers: r
                .hits
                .iter()
                .map(|h| (h.rank, topics_of(h.place as usize)))
                .filter(|(_, t)| !t.is_empty())
                .collect(),
            pool: pool.into_iter().map(|(_, t)| t).collect(),
            living: sizes.iter().filter(|n| **n > 0).count() as f64,
            sizes,
        }
    }

    /// The judged documents as a ranking: at each rank the one that adds most, equals by id
    /// (`idealResult`).
    fn ideal(&self, alpha: f64, k: Option<u32>) -> Vec<(u32, Vec<u16>)> {
        let mut gains = vec![1.0; self.sizes.len()];
        let mut left: Vec<&Vec<u16>> = self.pool.iter().collect();
        let depth = k.map_or(left.len(), |k| left.len().min(k as usize));
        let mut out = Vec::with_capacity(depth);
        for rank in 1..=depth {
            let mut best: Option<(usize, f64)> = None;
            for (i, topics) in left.iter().enumerate() {
                let gain = gain_of(topics, &gains);
                if best.is_none_or(|(_, b)| gain > b) {
                    best = Some((i, gain));
                }
            }
            let Some((i, _)) = best else { break };
            let topics = left.remove(i);
            repeat(topics, &mut gains, alpha);
            out.push((rank as u32, topics.clone()));
        }
        out
    }

    /// Σ over the first k of the gain of an answer, by a weight of its rank.
    fn cumulated(
        &self,
        answers: &[(u32, Vec<u16>)],
        k: Option<u32>,
        alpha: f64,
        weight: impl Fn(u32) -> f64,
    ) -> f64 {
        let mut gains = vec![1.0; self.sizes.len()];
        let mut sum = 0.0;
        for (rank, topics) in answers {
            if k.is_some_and(|k| *rank > k) {
                break;
            }
            sum += gain_of(topics, &gains) * weight(*rank);
            repeat(topics, &mut gains, alpha);
        }
        sum
    }

    /// The measure of a ranking, by that of the ideal ranking of this collection where `own`, else
    /// by that of an ideal collection where each document is relevant to every subtopic.
    pub(super) fn normalised(
        &self,
        k: Option<u32>,
        retrieved: u32,
        alpha: f64,
        own: bool,
        weight: impl Fn(u32) -> f64,
    ) -> f64 {
        let got = self.cumulated(&self.answers, k, alpha, &weight);
        let best = if own {
            self.cumulated(&self.ideal(alpha, k), k, alpha, &weight)
        } else {
            let mut gain = self.living;
            let mut sum = 0.0;
            for rank in 1..=k.unwrap_or(retrieved) {
                sum += gain * weight(rank);
                gain *= 1.0 - alpha;
                if gain == 0.0 {
                    break;
                }
            }
            sum
        };
        ratio(got, best)
    }

    /// `computeNRBP`.
    pub(super) fn nrbp(&self, alpha: f64, beta: f64, own: bool) -> f64 {
        let weight = |rank: u32| beta.powi(rank as i32 - 1);
        let got = self.cumulated(&self.answers, None, alpha, weight);
        if own {
            let ideal = self.ideal(alpha, None);
            return ratio(got, self.cumulated(&ideal, None, alpha, weight));
        }
        ratio(got * (1.0 - (1.0 - alpha) * beta), self.living)
    }

    /// `computeMAP`, MAP-IA.
    pub(super) fn average_precision(&self) -> f64 {
        let mut found = vec![0.0; self.sizes.len()];
        let mut sums = vec![0.0; self.sizes.len()];
        for (rank, topics) in &self.answers {
            for t in topics.iter().map(|t| usize::from(*t)) {
                if let (Some(n), Some(s)) = (found.get_mut(t), sums.get_mut(t)) {
                    *n += 1.0;
                    *s += *n / f64::from(*rank);
                }
            }
        }
        let sum = (sums.iter().zip(&self.sizes))
            .filter(|(_, n)| **n > 0)
            .fold(0.0, |a, (s, n)| a + s / f64::from(*n));
        ratio(sum, self.living)
    }

    /// `computePrecision`.
    pub(super) fn precision(&self, k: u32) -> f64 {
        let count: usize = self.first(k).map(|(_, t)| t.len()).sum();
        ratio(count as f64, f64::from(k) * self.living)
    }

    /// `computeSTRecall`.
    pub(super) fn recall(&self, k: Option<u32>) -> f64 {
        let mut seen = vec![false; self.sizes.len()];
        for (_, topics) in self.first(k.unwrap_or(u32::MAX)) {
            for t in topics {
                if let Some(s) = seen.get_mut(usize::from(*t)) {
                    *s = true;
                }
            }
        }
        ratio(seen.iter().filter(|s| **s).count() as f64, self.living)
    }

    fn first(&self, k: u32) -> impl Iterator<Item = &(u32, Vec<u16>)> {
        self.answers.iter().take_while(move |(rank, _)| *rank <= k)
    }
}

fn gain_of(topics: &[u16], gains: &[f64]) -> f64 {
    topics
        .iter()
        .filter_map(|t| gains.get(usize::from(*t)))
        .fold(0.0, |a, g| a + g)
}

fn repeat(topics: &[u16], gains: &mut [f64], alpha: f64) {
    for t in topics {
        if let Some(g) = gains.get_mut(usize::from(*t)) {
            *g *= 1.0 - alpha;
        }
    }
}

/// log 2 / log(rank + 1), as ndeval writes it.
pub(super) fn discount(rank: u32) -> f64 {
    2.0_f64.ln() / f64::from(rank + 1).ln()
}
