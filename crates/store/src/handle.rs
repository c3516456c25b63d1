//! The open file: transactions, and opening again after a disk error.

use crate::{
    StoreError,
    error::{Fault, Inner},
    folder::FolderLock,
    vault::Vault,
};
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Takes how long a commit took.
pub(crate) type Watcher = Box<dyn Fn(Duration) + Send + Sync>;

type Opener = Box<dyn Fn() -> Inner<Database> + Send + Sync>;

/// A redb file that survives a failed write: redb answers nothing more after a disk error, so the
/// handle closes the file and opens it again, and readers go on after one error.
pub(crate) struct Handle {
    path: PathBuf,
    vault: Arc<Vault>,
    open: Opener,
    db: RwLock<Option<Database>>,
    /// Held for a whole write transaction and while the file is opened again.
    writer: Mutex<()>,
    failed: AtomicBool,
    /// Counts the openings, so that a reader of a closed file does not close the next one.
    generation: AtomicU64,
    /// Told of every durable commit.
    watcher: OnceLock<Watcher>,
    // Dropped after the file is closed. Here rather than with the store, because a snapshot that
    // outlives the store keeps the file open.
    _lock: Option<FolderLock>,
}

/// What a write transaction ends with.
pub(crate) enum End<T> {
    /// Make it durable, then answer.
    Commit(T),
    /// Nothing was changed: answer.
    Abort(T),
}

impl Handle {
    /// Opens the file by `open`, which is also used to open it again.
    pub(crate) fn new(
        path: PathBuf,
        vault: Arc<Vault>,
        open: Opener,
        lock: Option<FolderLock>,
    ) -> Result<Self, StoreError> {
        let db = guard("opening", &path, &open)?;
        Ok(Handle {
            path,
            vault,
            open,
            db: RwLock::new(Some(db)),
            writer: Mutex::new(()),
            failed: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            watcher: OnceLock::new(),
            _lock: lock,
        })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells `watcher` of every durable commit from now on; the first one given counts.
    pub(crate) fn watch(&self, watcher: Watcher) {
        let _ = self.watcher.set(watcher);
    }

    /// The keys of its records.
    pub(crate) fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// A view of the file as it is now, which no later write changes, and the opening it is of.
    pub(crate) fn begin_read(&self) -> Result<(ReadTransaction, u64), StoreError> {
        if self.failed.load(Ordering::Acquire) {
            let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            self.reopen()?;
        }
        let generation = self.generation.load(Ordering::Acquire);
        self.read(generation, || {
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let db = db.as_ref().ok_or_else(|| self.closed())?;
            Ok((db.begin_read()?, generation))
        })
    }

    /// Runs a step of a reader that began in `generation`.
    pub(crate) fn read<T>(
        &self,
        generation: u64,
        f: impl FnOnce() -> Inner<T>,
    ) -> Result<T, StoreError> {
        guard("reading", &self.path, || {
            f().inspect_err(|e| {
                if e.closes_file() && generation == self.generation.load(Ordering::Acquire) {
                    self.failed.store(true, Ordering::Release);
                }
            })
        })
    }

    /// Runs `f` in a write transaction that is on disk when this returns `Ok`, or never was.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        f: impl FnOnce(&WriteTransaction) -> Inner<End<T>>,
    ) -> Result<T, StoreError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.reopen()?;
        let done = guard(doing, &self.path, || {
            let run = || {
                let mut txn = {
                    let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
                    db.as_ref().ok_or_else(|| self.closed())?.begin_write()?
                };
                // Without it a crash means a scan of the whole file at the next start.
                txn.set_quick_repair(true);
                let began = Instant::now();
                match f(&txn)? {
                    End::Commit(answer) => {
                        txn.commit()?;
                        if let Some(watcher) = self.watcher.get() {
                            watcher(began.elapsed());
                        }
                        Ok(answer)
                    }
                    End::Abort(answer) => txn.abort().map(|()| answer).map_err(Fault::from),
                }
            };
            run().inspect_err(|e| {
                if e.closes_file() {
                    self.failed.store(true, Ordering::Release);
                }
            })
        });
        if done.is_err() {
            // At once where that is possible, so that readers meet an open file; else at their
            // next try.
            let _ = self.reopen();
        }
        done
    }

    /// Opens the file again if an error closed it. The caller holds `writer`.
    fn reopen(&self) -> Result<(), StoreError> {
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // Closed first: the file is locked as long as it is open.
        close(&self.path, db.take());
        *db = Some(guard("opening", &self.path, &self.open)?);
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.failed.store(false, Ordering::Release);
        tracing::warn!(file = %self.path.display(), "the store was opened again after a disk error");
        Ok(())
    }

    fn closed(&self) -> Fault {
        self.failed.store(true, Ordering::Release);
        Fault::Done(StoreError::Interrupted {
            path: self.path.clone(),
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        close(&self.path, db.take());
    }
}

/// Closes a file. What was acknowledged is on disk already, so a failure here loses nothing.
fn close(path: &Path, db: Option<Database>) {
    if let Err(error) = guard("closing", path, || Ok(db.map_or(Ok(()), Database::close)?)) {
        tracing::warn!(file = %path.display(), %error, "the store was not closed cleanly");
    }
}

/// Runs a step of redb. Its files are trusted by redb, which may panic on one that was damaged
/// outside of it; such a panic becomes [`StoreError::Damaged`].
pub(crate) fn guard<T>(
    doing: &'static str,
    path: &Path,
    f: impl FnOnce() -> Inner<T>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(done) => done.map_err(|e| e.at(doing, path)),
        Err(_) => Err(StoreError::Damaged {
            path: path.to_owned(),
            what: format!("{doing} it met pages that contradict each other"),
            source: None,
        }),
    }
}
