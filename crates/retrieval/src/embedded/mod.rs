//! The index inside the process: vectors with graphs, tantivy postings, facets in memory.

mod canary;
mod commit;
mod files;
mod load;
mod merge;
mod recall;
mod seam;
mod search;
mod trial;
mod worker;

pub use canary::CanaryFigures;
pub use recall::Recall;
#[doc(hidden)]
pub use trial::try_files;

use crate::{
    attributes::Attributes,
    dense::{Dense, GraphOptions},
    index::{Entry, IndexError, Shape},
    journal::Frame,
    kernel::Isa,
    lexical::{Committer, Journals, Lexical},
    slots::{Slot, Slots},
};
use canary::Canary;
use load::Loaded;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use worker::Worker;

/// After a failure to seal or to commit it is tried again with the first write after so long.
const AGAIN: Duration = Duration::from_secs(60);
/// Writes wait for a commit when so many times as much waits as begins one.
const BEHIND: usize = 8;

/// How an index trades memory and work for speed.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// Up to so many passages that pass a filter, all are compared; no graph is built before there
    /// are as many.
    pub exact_below: usize,
    /// Passages that may wait before a graph is built of them; more where many have a graph. Up to twice as many are
    /// compared whole with every question; where more wait, only those of which one bit per dimension is near are.
    pub seal_from: usize,
    /// Passages of one graph, or little more; of more there are several. Those that were built are searched
    /// while the next is built, and the memory that one needs is bounded.
    pub seal_most: usize,
    /// Passages whose terms wait in memory before they are committed to disk.
    pub commit_from: usize,
    /// How graphs are built.
    pub graph: GraphOptions,
    /// Threads that build graphs.
    pub threads: usize,
    /// Instructions for integer products.
    pub isa: Isa,
}

impl Default for IndexOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            exact_below: 20_000,
            seal_from: 4_096,
            seal_most: 1 << 20,
            commit_from: 8_192,
            graph: GraphOptions::default(),
            // Half the machine: the other half answers.
            threads: (cores / 2).max(1),
            isa: Isa::best(),
        }
    }
}

impl IndexOptions {
    /// Every passage is compared, however many there are: equal contents give equal answers.
    pub fn exact() -> Self {
        Self {
            exact_below: usize::MAX,
            ..Self::default()
        }
    }

    /// No vectors yet.
    fn dense(&self, dim: usize, folder: Option<&Path>) -> Dense {
        Dense::new(dim, self.isa, self.seal_from.saturating_mul(2), folder)
    }
}

/// One tenant's index in this process, in memory or with its files in a folder.
///
/// Files: sealed segments and journals (facets and vectors, see `files`), and `lexical/` (tantivy,
/// with journals of its own). Both sides carry the sequence number of the store; when they disagree the older counts.
pub struct EmbeddedIndex {
    shared: Arc<Shared>,
    /// Builds graphs beside the searches; one at a time.
    graphs: Worker,
    /// Ends what has as many passages as one graph may have.
    ends: Worker,
    /// Commits terms.
    terms: Worker,
}

/// What searches, writes and the worker share.
struct Shared {
    shape: Shape,
    folder: Option<PathBuf>,
    options: IndexOptions,
    state: RwLock<State>,
    /// Held by whoever commits terms; always taken before `writer`.
    committer: Mutex<Committer>,
    /// Held by whoever changes the state or the files; always taken before `state`.
    writer: Mutex<Writer>,
    canary: Canary,
    /// The index is closed.
    stop: AtomicBool,
}

/// Work beside searches and writes that failed: it is told, and after a while tried again.
struct Failure {
    why: String,
    when: Instant,
}

impl Failure {
    fn now(why: String) -> Self {
        Self {
            why,
            when: Instant::now(),
        }
    }

    /// Whether it did not fail, or long ago.
    fn may_try(last: Option<&Self>) -> bool {
        last.is_none_or(|f| f.when.elapsed() > AGAIN)
    }
}

/// What searches see.
struct State {
    slots: Slots,
    attributes: Attributes,
    dense: Dense,
    lexical: Lexical,
    seq: u64,
    broken: Option<String>,
    /// Why nothing is sealed: what waits is read by every search until it succeeds.
    unmerged: Option<Failure>,
    /// Why the part that grows was not closed, though it is full: its journal grows with it.
    unended: Option<Failure>,
    /// Why terms are not committed: they wait in memory.
    uncommitted: Option<Failure>,
    /// Changes when everything is forgotten, so that a graph of before is not taken in.
    epoch: u64,
}

/// The files that every write goes to.
struct Writer {
    files: Option<load::Files>,
    terms: Option<Journals>,
}

impl EmbeddedIndex {
    /// An empty index that lives in memory.
    ///
    /// # Errors
    /// The term index cannot be made.
    pub fn in_memory(shape: Shape) -> Result<Self, IndexError> {
        Self::in_memory_with(shape, IndexOptions::default())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// The term index cannot be made.
    pub fn in_memory_with(shape: Shape, options: IndexOptions) -> Result<Self, IndexError> {
        let state = Loaded::new(&shape, &options, None);
        let lexical = Lexical::open(None, &state.slots)?;
        let none = Writer {
            files: None,
            terms: None,
        };
        Ok(Self::start(shape, None, options, state, lexical, none, 0))
    }

    /// Opens the index in `folder`, or makes an empty one there.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when a file cannot be trusted or was made with another
    /// model; the caller then uses [`EmbeddedIndex::create`] and fills it from the store.
    pub fn open(folder: &Path, shape: Shape) -> Result<Self, IndexError> {
        Self::open_with(folder, shape, IndexOptions::default())
    }

    /// The same with other options, which need not be those it was made with.
    ///
    /// # Errors
    /// As [`EmbeddedIndex::open`].
    pub fn open_with(
        folder: &Path,
        shape: Shape,
        options: IndexOptions,
    ) -> Result<Self, IndexError> {
        if !load::exists(folder) {
            return Self::create_with(folder, shape, options);
        }
        let (loaded, files) = load::load(folder, &shape, &options)?;
        let lexical_path = folder.join("lexical");
        let slots = &loaded.slots;
        let (mut lexical, committer) = Lexical::open(Some(&lexical_path), slots)?;
        let committed = committer.committed();
        let (terms, last) =
            Journals::open(
                &lexical_path,
                &shape,
                committed.journal,
                |frame| match frame {
                    Frame::Terms { key, passages } => match slots.slot_of(key) {
                        Some(slot) => lexical.put(slot, key, &passages),
                        None => lexical.remove(None, key),
                    },
                    Frame::Delete(key) => lexical.remove(slots.slot_of(key), key),
                    Frame::Put { .. } => {}
                },
            )?;
        let seq = files.seq.min(last.unwrap_or(committed.seq));
        let folder = Some(folder.to_owned());
        let writer = Writer {
            files: Some(files),
            terms: Some(terms),
        };
        let lexical = (lexical, committer);
        let this = Self::start(shape, folder, options, loaded, lexical, writer, seq);
        this.maintain();
        Ok(this)
    }

    /// Makes an empty index in `folder`, replacing whatever index stood there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: &Path, shape: Shape) -> Result<Self, IndexError> {
        Self::create_with(folder, shape, IndexOptions::default())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create_with(
        folder: &Path,
        shape: Shape,
        options: IndexOptions,
    ) -> Result<Self, IndexError> {
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
        let files = load::Files::create(folder, &shape)?;
        let loaded = Loaded::new(&shape, &options, Some(folder));
        let lexical = Lexical::open(Some(&lexical_path), &loaded.slots)?;
        let (terms, _) = Journals::open(&lexical_path, &shape, 0, |_| {})?;
        let folder = Some(folder.to_owned());
        let writer = Writer {
            files: Some(files),
            terms: Some(terms),
        };
        Ok(Self::start(
            shape, folder, options, loaded, lexical, writer, 0,
        ))
    }

    fn start(
        shape: Shape,
        folder: Option<PathBuf>,
        options: IndexOptions,
        loaded: Loaded,
        (lexical, committer): (Lexical, Committer),
        writer: Writer,
        seq: u64,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                shape,
                folder,
                options,
                state: RwLock::new(State {
                    slots: loaded.slots,
                    attributes: loaded.attributes,
                    dense: loaded.dense,
                    lexical,
                    seq,
                    broken: None,
                    unmerged: None,
                    unended: None,
                    uncommitted: None,
                    epoch: 0,
                }),
                committer: Mutex::new(committer),
                writer: Mutex::new(writer),
                canary: Canary::new(),
                stop: AtomicBool::new(false),
            }),
            graphs: Worker::new("queqiao-graphs"),
            ends: Worker::new("queqiao-journals"),
            terms: Worker::new("queqiao-terms"),
        }
    }

    /// What the index was made with.
    pub fn shape(&self) -> &Shape {
        &self.shared.shape
    }

    /// The folder it lives in, if any.
    pub fn folder(&self) -> Option<&Path> {
        self.shared.folder.as_deref()
    }

    /// Bytes that the vectors and their graphs take on the heap.
    pub fn resident(&self) -> usize {
        self.shared.read().dense.resident()
    }

    /// What the canary has seen: a sampled share of live questions is asked once more by comparing
    /// everyone.
    pub fn canary(&self) -> CanaryFigures {
        self.shared.canary.figures()
    }

    /// Waits until no graph is being built and nothing is being committed. Searches and writes go
    /// on meanwhile.
    pub fn settle(&self) {
        self.terms.settle();
        self.ends.settle();
        self.graphs.settle();
    }

    /// Starts what there is to seal and to commit.
    fn maintain(&self) {
        let shared = &self.shared;
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        if !self.ends.busy() && shared.read().needs_end(&shared.options) {
            let shared = Arc::clone(shared);
            self.ends.start(move || merge::end(&shared));
        }
        if !self.graphs.busy() && shared.read().needs_merge(&shared.options) {
            let shared = Arc::clone(shared);
            self.graphs.start(move || merge::run(&shared));
        }
        if !self.terms.busy() && shared.read().needs_commit(&shared.options) {
            let shared = Arc::clone(shared);
            self.terms.start(move || commit::run(&shared));
        }
        // Whoever writes faster than is committed waits, so that memory is bounded.
        let most = shared.options.commit_from.max(1).saturating_mul(BEHIND);
        if shared.read().lexical.waiting() >= most {
            self.terms.settle();
        }
    }
}

impl Drop for EmbeddedIndex {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.settle();
    }
}

impl Shared {
    /// The state, to search it.
    ///
    /// A thread of rayon may hold it already: while it waits for the parts of one search it takes
    /// up another. It must not queue behind a write that waits for the first, so it goes past; all
    /// others queue, so that a write gets its turn.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        if rayon::current_thread_index().is_some() {
            self.state.read_recursive()
        } else {
            self.state.read()
        }
    }

    // A panic while it is held leaves plain data behind, which the next seq check covers.
    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn committer(&self) -> MutexGuard<'_, Committer> {
        self.committer.lock().unwrap_or_else(|e| e.into_inner())
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

/// Flushes a journal while others write on, so that they wait only for what comes after.
///
/// # Errors
/// It could not be flushed. The system tells that once: whoever goes on all the same would take what is
/// lost for written.
fn bring_to_disk(
    file: impl Fn(&Writer) -> Option<std::io::Result<File>>,
    shared: &Shared,
) -> std::io::Result<()> {
    let file = file(&shared.writer());
    file.map_or(Ok(()), |file| file?.sync_data())
}

/// Slots are counted in 32 bits.
const _: () = assert!(size_of::<Slot>() == 4);
