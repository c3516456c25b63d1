//! How much of what is near the graphs find, measured on demand.

use super::{EmbeddedIndex, Shared, State};
use crate::{
    dense::{Chosen, Side},
    slots::Slot,
};
use ndarray::{Array2, ArrayView2};
use queqiao_domain::Filter;

/// Records compared before searches and writes get their turn.
const CHUNK: usize = 8_192;
/// Answers compared.
const K: usize = 10;
/// Widths tried, to say which is enough.
const WIDTHS: [usize; 8] = [10, 16, 32, 64, 128, 256, 512, 1_024];
/// Candidates that a list of ten is made of.
const SERVED: usize = 510;
/// What is enough.
const ENOUGH: f64 = 0.99;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recall {
    /// Questions asked, each the middle of two stored passages.
    pub questions: usize,
    /// Share of the ten nearest records that a search for the candidates of a list of ten finds, [0, 1].
    pub at_10: f64,
    /// The least width of a walk, of those tried, that finds .99 of the ten nearest.
    pub enough: Option<usize>,
}

impl EmbeddedIndex {
    /// Asks `questions` questions by graphs and by comparing everyone. `None` while everyone is
    /// compared anyway. Searches and writes go on meanwhile.
    pub fn measure_recall(&self, questions: usize) -> Option<Recall> {
        let mut asked = 0;
        let mut hits = [0; WIDTHS.len()];
        let (mut served, mut of) = (0, 0);
        for i in 0..questions {
            let question = {
                let state = self.shared.read();
                if state.dense.parts().iter().all(|p| p.is_raw()) {
                    return None;
                }
                state.question(i, questions)
            };
            let Some(question) = question else {
                continue;
            };
            let truth = self.shared.nearest_of_all(&question, None);
            let found = |width| self.shared.read().found(&question, &truth, None, width);
            for (h, width) in hits.iter_mut().zip(WIDTHS) {
                *h += found(width);
            }
            served += found(super::search::cut(SERVED));
            of += truth.len();
            asked += 1;
        }
        let share = |n: usize| if of == 0 { 1.0 } else { n as f64 / of as f64 };
        Some(Recall {
            questions: asked,
            at_10: share(served),
            enough: WIDTHS
                .into_iter()
                .zip(hits)
                .find(|(_, h)| share(*h) >= ENOUGH)
                .map(|(width, _)| width),
        })
    }
}

impl Shared {
    /// How many of the nearest that pass a filter a search of some width finds, and how many there
    /// are.
    pub(super) fn found_of_nearest(
        &self,
        question: &Array2<f32>,
        filter: &Filter,
        width: usize,
    ) -> (usize, usize) {
        let chosen = {
            let state = self.read();
            let chosen = state.attributes.select(filter, &state.slots);
            chosen.map(|c| Chosen::new(c.iter(), state.slots.slots()))
        };
        let truth = self.nearest_of_all(question, chosen.as_ref());
        let state = self.read();
        let found = state.found(question, &truth, chosen.as_ref(), width);
        (found, truth.len())
    }

    /// The `K` nearest of everyone who passes. Searches and writes come in between.
    fn nearest_of_all(&self, question: &Array2<f32>, chosen: Option<&Chosen>) -> Vec<Slot> {
        let slots = self.read().slots.slots() as Slot;
        let mut best: Vec<(f64, Slot)> = Vec::new();
        for from in (0..slots).step_by(CHUNK) {
            let state = self.read();
            let to = slots.min(from.saturating_add(CHUNK as Slot));
            let there = (from..to).filter(|s| state.slots.get(*s).is_some());
            let passing = there.filter(|s| chosen.is_none_or(|c| c.has(*s)));
            best.extend(state.best_of(question, &passing.collect::<Vec<Slot>>()));
            best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            best.truncate(K);
        }
        best.into_iter().map(|b| b.1).collect()
    }
}

impl State {
    /// The middle between two records' first vectors, at length one; `None` where there are none.
    fn question(&self, number: usize, of: usize) -> Option<Array2<f32>> {
        let records = self.slots.slots();
        let vector = |place: usize| {
            let held = self.slots.get((place % records.max(1)) as Slot)?;
            let dim = self.dense.dim();
            self.dense.vectors(held.place).get(..dim)
        };
        let first = number * records / of.max(1);
        // Far apart in the order they came in, and another pair for every question.
        let (a, b) = (vector(first)?, vector(first + records / 3 + number)?);
        let mut v: Vec<f32> = a.iter().zip(b).map(|(x, y)| x + y).collect();
        let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm < 1e-3 {
            return None;
        }
        v.iter_mut().for_each(|x| *x /= norm);
        Array2::from_shape_vec((1, v.len()), v).ok()
    }

    /// How many of `truth` a search of some width finds.
    fn found(
        &self,
        question: &Array2<f32>,
        truth: &[Slot],
        chosen: Option<&Chosen>,
        width: usize,
    ) -> usize {
        let vector = question.as_slice().unwrap_or(&[]);
        let total = self.slots.slots();
        let near = self
            .dense
            .nearest(vector, Side::Passages, width, width, chosen, total);
        let raw = self.dense.compared(width);
        let raw = raw.filter(|s| chosen.is_none_or(|c| c.has(*s)));
        let some: Vec<Slot> = near.into_iter().map(|n| n.1).chain(raw).collect();
        let best = self.best_of(question, &some);
        truth
            .iter()
            .filter(|t| best.iter().any(|b| b.1 == **t))
            .count()
    }

    /// The `K` nearest of some records, exactly.
    fn best_of(&self, question: &Array2<f32>, some: &[Slot]) -> Vec<(f64, Slot)> {
        let question: ArrayView2<'_, f32> = question.view();
        let parts = self.dense.compare(question, &self.slots, some);
        let mut order: Vec<(f64, Slot)> = parts
            .iter()
            .map(|p| p.best)
            .zip(some.iter().copied())
            .collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        order.dedup();
        order.truncate(K);
        order
    }
}
