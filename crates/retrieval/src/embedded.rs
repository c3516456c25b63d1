//! The index inside the process: exact vectors, tantivy postings, facets in memory.

use crate::{
    dense::Matrix,
    index::{
        Candidate, Capabilities, Change, DenseParts, Entry, Health, Index, IndexError,
        LexicalParts, Mode, Query, SearchResult, Shape,
    },
    journal::{Frame, Journal},
    lexical::Lexical,
    slots::{Held, Slot, Slots},
};
use ndarray::ArrayView2;
use queqiao_domain::Facets;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Rewrite the journal when it is this many times as long as its living contents.
const JOURNAL_SLACK: u64 = 2;

/// One tenant's index in this process, in memory or with its files in a folder.
///
/// Files: `vectors.journal` (facets and vectors) and `lexical/` (tantivy). Both carry the
/// sequence number of the store; when they disagree the older counts.
pub struct EmbeddedIndex {
    shape: Shape,
    folder: Option<PathBuf>,
    state: RwLock<State>,
}

struct State {
    slots: Slots,
    matrix: Matrix,
    lexical: Lexical,
    journal: Option<Journal>,
    seq: u64,
    broken: Option<String>,
}

impl EmbeddedIndex {
    /// An empty index that lives in memory.
    pub fn in_memory(shape: Shape) -> Result<Self, IndexError> {
        let slots = Slots::default();
        let lexical = Lexical::open(None, &slots)?;
        Ok(Self {
            state: RwLock::new(State {
                matrix: Matrix::new(shape.dim),
                slots,
                lexical,
                journal: None,
                seq: 0,
                broken: None,
            }),
            shape,
            folder: None,
        })
    }

    /// Opens the index in `folder`, or makes an empty one there.
    ///
    /// Errors: [`IndexError::Damaged`] when a file cannot be trusted or was made with another
    /// model; the caller then uses [`EmbeddedIndex::create`] and fills it from the store.
    pub fn open(folder: &Path, shape: Shape) -> Result<Self, IndexError> {
        let journal_path = folder.join("vectors.journal");
        if !journal_path.exists() {
            return Self::create(folder, shape);
        }
        let mut slots = Slots::default();
        let mut matrix = Matrix::new(shape.dim);
        let mut live_bytes = 0u64;
        let (mut journal, journal_seq) =
            Journal::open(&journal_path, &shape, |frame| match frame {
                Frame::Put {
                    key,
                    facets,
                    vectors,
                } => {
                    live_bytes += 64 + (vectors.len() * 4) as u64;
                    put(&mut slots, &mut matrix, key, *facets, vectors.view());
                }
                Frame::Delete(key) => {
                    remove(&mut slots, &mut matrix, key);
                }
            })?;
        let live_bytes = live_bytes.min((matrix.live_rows() * shape.dim * 4) as u64);
        if journal.bytes() > (1 << 20) + JOURNAL_SLACK * live_bytes + 512 * slots.len() as u64 {
            journal = rewrite(&journal_path, &shape, &slots, &matrix, journal_seq)?;
        }
        let lexical = Lexical::open(Some(&folder.join("lexical")), &slots)?;
        let seq = journal_seq.min(lexical.seq());
        Ok(Self {
            state: RwLock::new(State {
                slots,
                matrix,
                lexical,
                journal: Some(journal),
                seq,
                broken: None,
            }),
            shape,
            folder: Some(folder.to_owned()),
        })
    }

    /// Makes an empty index in `folder`, replacing whatever index stood there.
    pub fn create(folder: &Path, shape: Shape) -> Result<Self, IndexError> {
        let io = |source| IndexError::Io {
            path: folder.to_owned(),
            doing: "replaced",
            source,
        };
        let lexical_path = folder.join("lexical");
        if lexical_path.exists() {
            std::fs::remove_dir_all(&lexical_path).map_err(io)?;
        }
        std::fs::create_dir_all(folder).map_err(io)?;
        let journal = Journal::create(&folder.join("vectors.journal"), &shape)?;
        let slots = Slots::default();
        let lexical = Lexical::open(Some(&lexical_path), &slots)?;
        Ok(Self {
            state: RwLock::new(State {
                matrix: Matrix::new(shape.dim),
                slots,
                lexical,
                journal: Some(journal),
                seq: 0,
                broken: None,
            }),
            shape,
            folder: Some(folder.to_owned()),
        })
    }

    /// What the index was made with.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The folder it lives in, if any.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    // A panic while the lock is held leaves plain data behind, which the next seq check covers.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(|e| e.into_inner())
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(|e| e.into_inner())
    }

    fn check(&self, e: &Entry) -> Result<(), IndexError> {
        let wrong = |problem: String| {
            Err(IndexError::Vector {
                key: e.key,
                problem,
                dim: self.shape.dim,
            })
        };
        if e.vectors.ncols() != self.shape.dim && e.vectors.nrows() > 0 {
            return wrong(format!("a vector has {} dimensions", e.vectors.ncols()));
        }
        for row in e.vectors.rows() {
            let norm: f32 = row.iter().map(|x| x * x).sum();
            if !norm.is_finite() {
                return wrong("a vector holds NaN or infinity".to_owned());
            }
            if norm != 0.0 && (norm - 1.0).abs() > 0.01 {
                return wrong(format!("a vector has length {}", norm.sqrt()));
            }
        }
        Ok(())
    }
}

fn put(
    slots: &mut Slots,
    matrix: &mut Matrix,
    key: u64,
    facets: Facets,
    vectors: ArrayView2<'_, f32>,
) {
    let (rows, mean_norm) = matrix.push(vectors);
    let replaced = slots.put(Held {
        key,
        facets: Arc::new(facets),
        rows,
        mean_norm,
    });
    if let Some(old) = replaced {
        matrix.forget(&old);
    }
}

fn remove(slots: &mut Slots, matrix: &mut Matrix, key: u64) {
    if let Some(old) = slots.remove(key) {
        matrix.forget(&old);
    }
}

fn rewrite(
    path: &Path,
    shape: &Shape,
    slots: &Slots,
    matrix: &Matrix,
    seq: u64,
) -> Result<Journal, IndexError> {
    let mut journal = Journal::create(path, shape)?;
    let entries: Vec<(u64, &Held)> = slots.iter().map(|(_, h)| (h.key, h)).collect();
    for chunk in entries.chunks(4096) {
        let changes: Vec<Change> = chunk
            .iter()
            .map(|(key, h)| {
                let values: Vec<f32> = h
                    .rows
                    .clone()
                    .flat_map(|r| matrix.row(r).iter().copied())
                    .collect();
                Change::Put(Box::new(Entry {
                    key: *key,
                    facets: (*h.facets).clone(),
                    passages: Vec::new(),
                    vectors: ndarray::Array2::from_shape_vec((h.rows.len(), shape.dim), values)
                        .unwrap_or_else(|_| ndarray::Array2::zeros((0, shape.dim))),
                }))
            })
            .collect();
        journal.append(&changes, seq)?;
    }
    Ok(journal)
}

impl Index for EmbeddedIndex {
    fn apply(&self, changes: Vec<Change>, seq: u64) -> Result<(), IndexError> {
        for change in &changes {
            if let Change::Put(e) = change {
                self.check(e)?;
            }
        }
        let mut guard = self.write();
        let state = &mut *guard;
        if let Some(problem) = &state.broken {
            return Err(IndexError::Query(format!(
                "the index awaits a rebuild after a failed write ({problem})"
            )));
        }
        // Both files are written before memory changes. The lexical commit comes last: when it
        // fails the journal is ahead, which the lesser of the two numbers covers at the next start.
        if let Some(journal) = &mut state.journal {
            journal.append(&changes, seq)?;
        }
        if let Err(e) = state.lexical.write(&changes, seq) {
            state.broken = Some(e.to_string());
            return Err(e);
        }
        for change in changes {
            match change {
                Change::Put(e) => put(
                    &mut state.slots,
                    &mut state.matrix,
                    e.key,
                    e.facets,
                    e.vectors.view(),
                ),
                Change::Delete(key) => remove(&mut state.slots, &mut state.matrix, key),
            }
        }
        state.matrix.compact(&mut state.slots);
        state.seq = seq;
        if let Err(e) = state.lexical.refresh(&state.slots) {
            state.broken = Some(e.to_string());
            return Err(e);
        }
        Ok(())
    }

    fn seq(&self) -> u64 {
        self.read().seq
    }

    fn len(&self) -> usize {
        self.read().slots.len()
    }

    fn passages(&self) -> usize {
        self.read().matrix.live_rows()
    }

    fn search(&self, query: &Query<'_>) -> Result<SearchResult, IndexError> {
        if query.vectors.nrows() > 0 && query.vectors.ncols() != self.shape.dim {
            return Err(IndexError::Query(format!(
                "its vectors have {} dimensions, the index has {}",
                query.vectors.ncols(),
                self.shape.dim
            )));
        }
        if query.vectors.iter().any(|x| !x.is_finite()) {
            return Err(IndexError::Query(
                "its vectors hold NaN or infinity".to_owned(),
            ));
        }
        let weights = query
            .passages
            .iter()
            .flat_map(|p| p.words.iter().chain(&p.bigrams));
        if let Some(t) = weights
            .into_iter()
            .find(|t| !(t.weight > 0.0 && t.weight.is_finite()))
        {
            return Err(IndexError::Query(format!(
                "the term `{}` has weight {}",
                t.text, t.weight
            )));
        }
        let guard = self.read();
        let state = &*guard;
        let mut admitted = Vec::new();
        let mut is_admitted = vec![false; state.slots.slots()];
        for (slot, held) in state.slots.iter() {
            if query.filter.matches(&held.facets) && (query.admit)(held.key, &held.facets) {
                admitted.push(slot);
                is_admitted[slot as usize] = true;
            }
        }
        let dense = match query.mode {
            Mode::Lexical => vec![DenseParts::default(); admitted.len()],
            _ => state
                .matrix
                .compare(query.vectors.view(), &state.slots, &admitted),
        };
        let lexical = match query.mode {
            Mode::Dense => vec![LexicalParts::default(); is_admitted.len()],
            _ => state.lexical.score(query.passages, &is_admitted)?,
        };
        let mut result = SearchResult {
            admitted: admitted.len(),
            total: state.slots.len(),
            seq: state.seq,
            ..SearchResult::default()
        };
        let mut all: Vec<Candidate> = Vec::with_capacity(admitted.len());
        for (&slot, dense) in admitted.iter().zip(dense) {
            let Some(held) = state.slots.get(slot) else {
                continue;
            };
            let lexical = lexical[slot as usize];
            result.best_words = result.best_words.max(lexical.words);
            result.best_bigrams = result.best_bigrams.max(lexical.bigrams);
            result.best_record_words = result.best_record_words.max(lexical.record_words);
            result.best_record_bigrams = result.best_record_bigrams.max(lexical.record_bigrams);
            all.push(Candidate {
                key: held.key,
                id: held.facets.id.clone(),
                facets: Arc::clone(&held.facets),
                passages: held.rows.len(),
                dense,
                lexical,
            });
        }
        result.candidates = select(all, query.mode, query.candidates);
        Ok(result)
    }

    fn clear(&self) -> Result<(), IndexError> {
        let mut guard = self.write();
        let state = &mut *guard;
        state.slots = Slots::default();
        state.matrix = Matrix::new(self.shape.dim);
        state.seq = 0;
        if let Some(folder) = &self.folder {
            state.journal = Some(Journal::create(
                &folder.join("vectors.journal"),
                &self.shape,
            )?);
        }
        state.lexical.clear()?;
        state.broken = None;
        Ok(())
    }

    fn health(&self) -> Health {
        match &self.read().broken {
            None => Health::Serving,
            Some(problem) => Health::Degraded(problem.clone()),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exact: true,
            persistent: self.folder.is_some(),
            lexical: true,
        }
    }
}

/// The union of each side's best, in order of id.
fn select(all: Vec<Candidate>, mode: Mode, wanted: usize) -> Vec<Candidate> {
    let mut keep = vec![false; all.len()];
    let mut side = |score: &dyn Fn(&Candidate) -> f64, least: f64| {
        let mut order: Vec<usize> = (0..all.len()).filter(|&i| score(&all[i]) > least).collect();
        let by = |a: &usize, b: &usize| {
            score(&all[*b])
                .total_cmp(&score(&all[*a]))
                .then_with(|| all[*a].id.cmp(&all[*b].id))
        };
        if order.len() > wanted {
            order.select_nth_unstable_by(wanted, by);
            order.truncate(wanted);
        }
        for i in order {
            keep[i] = true;
        }
    };
    if mode != Mode::Lexical {
        side(&|c| c.dense.best, f64::NEG_INFINITY);
        side(&|c| c.dense.profile, f64::NEG_INFINITY);
    }
    if mode != Mode::Dense {
        side(&|c| c.lexical.words + c.lexical.bigrams, 0.0);
        side(&|c| c.lexical.record_words + c.lexical.record_bigrams, 0.0);
    }
    let mut out: Vec<Candidate> = all
        .into_iter()
        .zip(keep)
        .filter_map(|(c, k)| k.then_some(c))
        .collect();
    out.sort_by(|a, b| a.id.cmp(&b.id));
    out
}

/// Slots are counted in 32 bits.
const _: () = assert!(size_of::<Slot>() == 4);
