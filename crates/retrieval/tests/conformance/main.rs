//! What every index must do, embedded or distributed: the same suite for each of them.
//!
//! An index that is added implements [`suite::Maker`] and gets a test of three lines below.
#![allow(clippy::unwrap_used)]

mod records;
mod suite;

use ndarray::{Array2, s};
use queqiao_domain::{Facets, Filter};
use queqiao_retrieval::{
    Backlog, Candidate, Capabilities, Change, EmbeddedIndex, GraphOptions, Health, Index,
    IndexError, IndexOptions, Isa, Query, SearchResult, Shape,
};
use suite::Maker;

/// Indexes of this process.
struct Embedded {
    options: IndexOptions,
    folder: Option<tempfile::TempDir>,
}

impl Maker for Embedded {
    fn make(&self, shape: Shape) -> Box<dyn Index> {
        let options = self.options.clone();
        Box::new(match &self.folder {
            Some(f) => EmbeddedIndex::create_with(f.path(), shape, options).unwrap(),
            None => EmbeddedIndex::in_memory_with(shape, options).unwrap(),
        })
    }

    fn reopen(&self, index: Box<dyn Index>, shape: Shape) -> Box<dyn Index> {
        drop(index);
        let folder = self.folder.as_ref().unwrap().path();
        Box::new(EmbeddedIndex::open_with(folder, shape, self.options.clone()).unwrap())
    }
}

/// Graphs from the first records on.
fn eager() -> IndexOptions {
    IndexOptions {
        exact_below: 64,
        seal_from: 32,
        seal_most: 100,
        commit_from: 40,
        graph: GraphOptions {
            least: 16,
            ..GraphOptions::default()
        },
        threads: 1,
        isa: Isa::best(),
    }
}

#[test]
fn embedded_exact() {
    suite::run(&Embedded {
        options: IndexOptions::exact(),
        folder: None,
    });
}

#[test]
fn embedded_as_it_ships() {
    suite::run(&Embedded {
        options: IndexOptions::default(),
        folder: Some(tempfile::tempdir().unwrap()),
    });
}

#[test]
fn embedded_with_graphs() {
    suite::run(&Embedded {
        options: eager(),
        folder: None,
    });
}

#[test]
fn embedded_with_graphs_on_disk_by_portable_code() {
    suite::run(&Embedded {
        options: IndexOptions {
            isa: Isa::PORTABLE,
            ..eager()
        },
        folder: Some(tempfile::tempdir().unwrap()),
    });
}

/// An index with a fault: the suite must notice.
struct Faulty {
    inner: Box<dyn Index>,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    ForgetsDeletes,
    IgnoresFilters,
    IgnoresTheCondition,
    LosesTheLast,
    ShiftsScores,
    LiesAboutItsNumber,
    MixesUpWhoIsAlike,
}

impl Index for Faulty {
    fn apply(&self, changes: Vec<Change>, seq: u64) -> Result<(), IndexError> {
        let kept = changes
            .into_iter()
            .filter(|c| self.fault != Fault::ForgetsDeletes || matches!(c, Change::Put(_)));
        self.inner.apply(kept.collect(), seq)
    }

    fn seq(&self) -> u64 {
        self.inner.seq() + u64::from(self.fault == Fault::LiesAboutItsNumber)
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn passages(&self) -> usize {
        self.inner.passages()
    }

    fn backlog(&self) -> Backlog {
        self.inner.backlog()
    }

    fn alike(&self, candidates: &[&Candidate]) -> Result<Array2<f32>, IndexError> {
        let alike = self.inner.alike(candidates)?;
        Ok(match self.fault {
            Fault::MixesUpWhoIsAlike => alike.slice(s![..;-1, ..]).to_owned(),
            _ => alike,
        })
    }

    fn search(&self, query: &Query<'_>) -> Result<SearchResult, IndexError> {
        let everybody = |_: u64, _: &Facets| true;
        let mut found = self.inner.search(&Query {
            vectors: query.vectors,
            passages: query.passages,
            filter: match self.fault {
                Fault::IgnoresFilters => &Filter::All,
                _ => query.filter,
            },
            admit: match self.fault {
                Fault::IgnoresTheCondition => &everybody,
                _ => query.admit,
            },
            mode: query.mode,
            candidates: query.candidates,
            consistency: query.consistency,
        })?;
        match self.fault {
            Fault::LosesTheLast => drop(found.candidates.pop()),
            Fault::ShiftsScores => {
                found
                    .candidates
                    .iter_mut()
                    .for_each(|c| c.dense.best += 0.01);
            }
            _ => {}
        }
        Ok(found)
    }

    fn clear(&self) -> Result<(), IndexError> {
        self.inner.clear()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            persistent: false,
            ..self.inner.capabilities()
        }
    }
}

struct WithFault(Fault);

impl Maker for WithFault {
    fn make(&self, shape: Shape) -> Box<dyn Index> {
        Box::new(Faulty {
            inner: Box::new(EmbeddedIndex::in_memory(shape).unwrap()),
            fault: self.0,
        })
    }

    fn reopen(&self, index: Box<dyn Index>, _: Shape) -> Box<dyn Index> {
        index
    }
}

#[test]
fn the_suite_notices_faults() {
    for fault in [
        Fault::ForgetsDeletes,
        Fault::IgnoresFilters,
        Fault::IgnoresTheCondition,
        Fault::LosesTheLast,
        Fault::ShiftsScores,
        Fault::LiesAboutItsNumber,
        Fault::MixesUpWhoIsAlike,
    ] {
        let run = std::panic::catch_unwind(|| suite::run(&WithFault(fault)));
        assert!(run.is_err(), "{fault:?} went by unnoticed");
    }
}
