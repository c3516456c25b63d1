//! The data folder: opening it, and what else is done to it as a whole.

use crate::{
    ListQuery, Page, RecordKey, Scan, Since, Snapshot, StoreError, StoreId, StoredRecord,
    folder::{FILE, create, foreign, lock, not_redb, sync_dir},
    handle::{End, Handle},
    migrate,
    request::Keep,
    tables::{MAGIC, META, Tables, meta, number},
    vault::KeyFiles,
};
use queqiao_domain::{Kind, RecordId, TenantId};
use redb::Builder;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The newest format this program reads and the one it writes.
pub const FORMAT_VERSION: u64 = 2;

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// Days between a delete and the purge time of the record.
    pub purge_after_days: u32,
    /// Days over which changes can be undone in a backup ([`restore`](crate::restore())); 0 keeps no
    /// history, and ends one that is there.
    pub history_days: u32,
    /// Begin a history where the store keeps none; otherwise only a new store gets one. A tool that does not know
    /// what the operator decided gives `false`.
    pub begin_history: bool,
    /// The file of the master key, where it is kept outside the data folder.
    pub master_key: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cache_bytes: 256 << 20,
            purge_after_days: 30,
            history_days: 7,
            begin_history: true,
            master_key: None,
        }
    }
}

/// The records of one data folder. One process has the folder open at a time; within it, any
/// number of threads read while one writes. The folder is free again when the store and everything
/// that was taken from it (snapshots, scans, changes) are dropped.
pub struct Store {
    pub(crate) handle: Arc<Handle>,
    pub(crate) options: Options,
    pub(crate) keep: Keep,
    id: StoreId,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.handle.path().display())
    }
}

impl Store {
    /// Opens the store in folder `dir`, making folder and store when `dir` is missing or empty.
    ///
    /// After a crash the file is as after the last acknowledged write; that takes no scan of it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open; [`StoreError::NotAStore`] when the
    /// folder holds other files and no store, or the file is of another program;
    /// [`StoreError::NewerFormat`]; [`StoreError::Damaged`]; [`StoreError::Io`]. Nothing that is
    /// there is overwritten.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        Self::open_with(dir, &Options::default())
    }

    /// [`Store::open`] with options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(dir: &Path, options: &Options) -> Result<Store, StoreError> {
        let io = |doing| {
            move |source| StoreError::Io {
                doing,
                path: dir.to_owned(),
                source,
            }
        };
        if dir.is_file() {
            return Err(StoreError::NotAStore {
                path: dir.to_owned(),
                found: "it is a file, not a folder".to_owned(),
            });
        }
        let file = dir.join(FILE);
        if !file.exists() {
            if let Some(found) = foreign(dir).map_err(io("reading the folder"))? {
                return Err(StoreError::NotAStore {
                    path: dir.to_owned(),
                    found: format!("it holds `{found}` and no {FILE}"),
                });
            }
            fs::create_dir_all(dir).map_err(io("making the folder"))?;
        }
        let lock = lock(dir)?;
        let keys = KeyFiles::of(dir, options.master_key.as_deref());
        let format = match file.exists() {
            true => Some(migrate::format_of(&file, options.cache_bytes)?),
            false => None,
        };
        let vault = match format {
            // Records of format 1 have no keys yet.
            None | Some(..FORMAT_VERSION) => keys.open_or_make()?,
            Some(_) => keys.open(&file)?,
        };
        let vault = Arc::new(vault);
        if format.is_some_and(|f| f < FORMAT_VERSION) {
            migrate::migrate(&file, &vault, options.cache_bytes)?;
        }
        if !file.exists() {
            create(&file, options.cache_bytes, &vault)?;
            sync_dir(dir).map_err(io("making the folder durable"))?;
            if let Some(parent) = dir.parent() {
                // The parent may be unreadable to us; then the folder was there before.
                let _ = sync_dir(parent);
            }
        }
        let (path, cache) = (file.clone(), options.cache_bytes);
        let handle = Handle::new(
            file,
            vault,
            Box::new(move || {
                if fs::metadata(&path).map_err(redb::StorageError::from)?.len() == 0 {
                    return Err(StoreError::Damaged {
                        path: path.clone(),
                        what: "it is empty".to_owned(),
                        source: None,
                    }
                    .into());
                }
                Ok(Builder::new().set_cache_size(cache).open(&path)?)
            }),
            Some(lock),
        );
        let handle = handle.map_err(|e| match e {
            // The lock is ours, so whoever has the file open knows nothing of it: the redb tool.
            StoreError::InUse { .. } => StoreError::InUse {
                path: dir.to_owned(),
                holder: None,
            },
            e => not_redb(e),
        })?;
        let store = Self::with_handle(handle, options.clone())?;
        // What a crash left between an erasure and the end of its key.
        store.finish_erasures()?;
        store.settle_history()?;
        tracing::info!(
            folder = %dir.display(),
            store = %store.id,
            seq = store.last_seq()?,
            "store opened"
        );
        Ok(store)
    }

    /// Checks that the open file is a store of a format we read.
    pub(crate) fn with_handle(handle: Handle, options: Options) -> Result<Store, StoreError> {
        let handle = Arc::new(handle);
        let path = handle.path().to_owned();
        let (txn, generation) = handle.begin_read()?;
        let id = handle.read(generation, || {
            let foreign = |found: &str| StoreError::NotAStore {
                path: path.clone(),
                found: found.to_owned(),
            };
            let table = match txn.open_table(META) {
                Ok(t) => t,
                Err(
                    redb::TableError::TableDoesNotExist(_)
                    | redb::TableError::TableTypeMismatch { .. },
                ) => return Err(foreign("it is a redb file of another program").into()),
                Err(e) => return Err(e.into()),
            };
            if number(&table, meta::MAGIC)? != MAGIC {
                return Err(foreign("it is a redb file of another program").into());
            }
            match number(&table, meta::FORMAT)? {
                FORMAT_VERSION => {}
                0 => {
                    return Err(StoreError::Damaged {
                        path: path.clone(),
                        what: "it names no format version".to_owned(),
                        source: None,
                    }
                    .into());
                }
                found => {
                    return Err(StoreError::NewerFormat {
                        path: path.clone(),
                        found,
                        supported: FORMAT_VERSION,
                    }
                    .into());
                }
            }
            let high = number(&table, meta::ID_HIGH)?;
            let low = number(&table, meta::ID_LOW)?;
            let vault_id = u128::from(number(&table, meta::VAULT_HIGH)?) << 64
                | u128::from(number(&table, meta::VAULT_LOW)?);
            let vault = handle.vault();
            if vault_id != vault.id() {
                return Err(StoreError::NotItsKeys {
                    keys: vault.path().to_owned(),
                    store: path.clone(),
                    why: "they are of another store".to_owned(),
                }
                .into());
            }
            vault.set_destroyed_to(number(&table, meta::DESTROYED)?);
            Ok(StoreId(u128::from(high) << 64 | u128::from(low)))
        })?;
        drop(txn);
        Ok(Store {
            handle,
            options,
            keep: Keep::default(),
            id,
        })
    }

    /// Which store this is. An index that was derived from another must be rebuilt.
    pub fn store_id(&self) -> StoreId {
        self.id
    }

    /// Tells `watcher` how long each batch took to become durable, from its first change to the end of
    /// the disk's flush. The first watcher that is given counts.
    pub fn watch_commits(&self, watcher: impl Fn(std::time::Duration) + Send + Sync + 'static) {
        self.handle.watch(Box::new(watcher));
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.handle.path().parent().unwrap_or(Path::new("."))
    }

    /// The size of the file, in bytes.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        let path = self.handle.path();
        fs::metadata(path)
            .map(|m| m.len())
            .map_err(|source| StoreError::Io {
                doing: "measuring",
                path: path.to_owned(),
                source,
            })
    }

    /// A view of everything as it is now, which later writes do not change. Keeping one for long
    /// keeps the pages it sees from being reused, so the file may grow.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::new(self.handle.clone())
    }

    /// [`Snapshot::get`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn get(
        &self,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<Option<StoredRecord>, StoreError> {
        self.snapshot()?.get(tenant, id)
    }

    /// [`Snapshot::get_any`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn get_any(
        &self,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<Option<StoredRecord>, StoreError> {
        self.snapshot()?.get_any(tenant, id)
    }

    /// [`Snapshot::get_many`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn get_many(&self, keys: &[RecordKey]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        self.snapshot()?.get_many(keys)
    }

    /// [`Snapshot::list`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn list(&self, tenant: &TenantId, query: &ListQuery) -> Result<Page, StoreError> {
        self.snapshot()?.list(tenant, query)
    }

    /// [`Snapshot::count`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn count(&self, tenant: &TenantId, kind: Option<Kind>) -> Result<u64, StoreError> {
        self.snapshot()?.count(tenant, kind)
    }

    /// [`Snapshot::tenants`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.snapshot()?.tenants()
    }

    /// [`Snapshot::last_seq`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn last_seq(&self) -> Result<u64, StoreError> {
        self.snapshot()?.last_seq()
    }

    /// A key of this store for one use, the same after a restart and in a restored backup: what callers
    /// give out can be hidden by it.
    pub fn derived_key(&self, what: &'static str) -> [u8; 32] {
        self.handle.vault().derived_key(what)
    }

    /// [`Snapshot::changes_since`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn changes_since(&self, seq: u64) -> Result<Since, StoreError> {
        self.snapshot()?.changes_since(seq)
    }

    /// [`Snapshot::scan`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn scan(&self, tenant: Option<&TenantId>) -> Result<Scan, StoreError> {
        self.snapshot()?.scan(tenant)
    }

    /// Forgets the changes up to `up_to`, once every derived index has seen and saved them. An
    /// index that has not is told [`Since::Behind`].
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::DiskFull`], [`StoreError::Damaged`].
    pub fn trim_changes(&self, up_to: u64) -> Result<(), StoreError> {
        self.handle.write("trimming the change log of", |txn| {
            let mut t = Tables::open(txn)?;
            let up_to = up_to.min(t.last_seq());
            if up_to <= number(&t.meta, meta::TRIMMED)? {
                return Ok(End::Abort(()));
            }
            t.changes.retain_in(..=up_to, |_, _| false)?;
            t.meta.insert(meta::TRIMMED, up_to)?;
            Ok(End::Commit(()))
        })
    }
}
