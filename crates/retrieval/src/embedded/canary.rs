//! A sampled share of live questions is asked once more, by comparing everyone, beside the searches.

use super::{Shared, search::cut};
use crate::index::{Mode, Query};
use ndarray::Array2;
use queqiao_domain::Filter;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// One question in so many is looked at …
const EVERY: u64 = 256;
/// … and no two within so long, however many are asked.
const APART: Duration = Duration::from_secs(5);

/// What the canary has seen since the index was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CanaryFigures {
    /// Questions that were asked twice.
    pub questions: u64,
    /// Of the ten nearest of each, how many the graphs had found.
    pub found: u64,
    /// How many there were.
    pub of: u64,
}

/// Counts, and decides which question is asked twice.
#[derive(Debug)]
pub(super) struct Canary {
    opened: Instant,
    asked: AtomicU64,
    /// Milliseconds after `opened` before which none is asked twice.
    not_before: AtomicU64,
    busy: AtomicBool,
    questions: AtomicU64,
    found: AtomicU64,
    of: AtomicU64,
}

impl Canary {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            asked: AtomicU64::new(0),
            not_before: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            questions: AtomicU64::new(0),
            found: AtomicU64::new(0),
            of: AtomicU64::new(0),
        }
    }

    pub(super) fn figures(&self) -> CanaryFigures {
        CanaryFigures {
            questions: self.questions.load(Ordering::Relaxed),
            found: self.found.load(Ordering::Relaxed),
            of: self.of.load(Ordering::Relaxed),
        }
    }

    /// Whether this question is one to be asked twice. Whoever gets a yes calls `done`.
    fn takes(&self) -> bool {
        if !self
            .asked
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(EVERY)
        {
            return false;
        }
        let now = self.opened.elapsed().as_millis() as u64;
        if now < self.not_before.load(Ordering::Relaxed) || self.busy.swap(true, Ordering::Acquire)
        {
            return false;
        }
        let next = now + APART.as_millis() as u64;
        self.not_before.store(next, Ordering::Relaxed);
        true
    }

    fn done(&self, found: usize, of: usize) {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.found.fetch_add(found as u64, Ordering::Relaxed);
        self.of.fetch_add(of as u64, Ordering::Relaxed);
        self.busy.store(false, Ordering::Release);
    }
}

/// Asks a question that graphs answered once more, on another thread, where it is its turn. The
/// condition of the question is the caller's and stays behind; the filter comes along.
pub(super) fn watch(shared: &Arc<Shared>, query: &Query<'_>) {
    if query.mode == Mode::Lexical || query.vectors.nrows() == 0 || !shared.canary.takes() {
        return;
    }
    let first = query.vectors.row(0).to_vec();
    let question = Array2::from_shape_vec((1, first.len()), first).unwrap_or_default();
    let (filter, width): (Filter, usize) = (query.filter.clone(), cut(query.candidates));
    let shared = Arc::clone(shared);
    rayon::spawn(move || {
        let (found, of) = shared.found_of_nearest(&question, &filter, width);
        shared.canary.done(found, of);
        if found < of {
            tracing::debug!(found, of, "graphs missed some of the nearest");
        }
    });
}
