//! Backup: one moment of the store, written anew.

use crate::{
    Options, Store, StoreError, VerifyReport,
    disclosures::{DISCLOSED_TO, DISCLOSURES},
    error::Inner,
    folder::{new_identity, not_redb, partial, sync_dir},
    handle::{Handle, guard},
    history::{HISTORY, HISTORY_SEQ, HISTORY_SPAN},
    ledger::{ANSWERED, ANSWERS, ANSWERS_OF, OUTCOMES},
    tables::{
        BY_KIND, CHANGES, COUNTS, ERASURES, IDS, META, PURGES, RECORDS, REQUEST_IDS, REQUESTS,
        TENANT_SEQS, Tables,
    },
    vault::Vault,
};
use redb::{
    Builder, Database, Durability, Key, ReadTransaction, TableDefinition, TableHandle, Value,
};
use std::{collections::HashSet, fs, path::Path, sync::Arc};

/// Rows copied in one transaction.
const ROWS_AT_ONCE: usize = 5_000;

impl Store {
    /// Writes the store, as it is now, to the new file `path`, while reads and writes go on.
    /// [`restore`](crate::restore()) makes a data folder of it and of a copy of the keys
    /// ([`Store::keys_to`]), which may be newer than the backup and should be the newest there is:
    /// what was erased since the backup stays erased.
    ///
    /// The history is in it, as far as it is kept: it can be restored to any moment since
    /// [`Snapshot::history_from`](crate::Snapshot::history_from).
    ///
    /// The file appears under its name only when it is complete and on disk. Every record in it is
    /// sealed with its own key, and it has an identity of its own ([`Store::store_id`]).
    ///
    /// # Errors
    /// [`StoreError::Exists`] when `path` is there already; [`StoreError::DiskFull`],
    /// [`StoreError::Io`], [`StoreError::Damaged`]. No file is left then.
    pub fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let exists = || StoreError::Exists {
            path: path.to_owned(),
        };
        if path.exists() {
            return Err(exists());
        }
        let io = |doing| {
            move |source| StoreError::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        };
        let snapshot = self.snapshot()?;
        let partial = partial(path);
        // Taken as new, so that two backups to one place do not write into each other.
        let file = fs::File::create_new(&partial).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists {
                path: partial.clone(),
            },
            _ => io("making the backup")(source),
        })?;
        drop(file);
        let done = guard("backing up to", &partial, || {
            let db = Builder::new().set_cache_size(32 << 20).create(&partial)?;
            copy_all(&snapshot.txn, &db)?;
            Ok(db.close()?)
        })
        .and_then(|()| {
            if path.exists() {
                return Err(exists());
            }
            fs::rename(&partial, path).map_err(io("naming the backup"))
        });
        if done.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&partial);
            return done;
        }
        sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(io("making durable"))?;
        tracing::info!(file = %path.display(), "backup written");
        Ok(())
    }

    /// Writes a copy of the keys of all records, each sealed by the master key, to `path`, in place
    /// of an older copy: never keep two, for the older one still has the keys of who was erased since.
    ///
    /// # Errors
    /// [`StoreError::Io`]; the older copy is there then.
    pub fn keys_to(&self, path: &Path) -> Result<(), StoreError> {
        self.handle.vault().copy_to(path)
    }

    /// Opens a backup of this store and reads all of it: every row, every index, every sum.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Damaged`], [`StoreError::NewerFormat`],
    /// [`StoreError::NotItsKeys`], [`StoreError::Io`].
    pub fn verify_backup(&self, path: &Path) -> Result<VerifyReport, StoreError> {
        open_backup(path, self.handle.vault())?.verify()
    }
}

/// Opens a file of records beside its keys.
pub(crate) fn open_backup(path: &Path, vault: &Arc<Vault>) -> Result<Store, StoreError> {
    let file = path.to_owned();
    let open = move || Ok(Builder::new().set_cache_size(32 << 20).open(&file)?);
    let handle =
        Handle::new(path.to_owned(), Arc::clone(vault), Box::new(open), None).map_err(not_redb)?;
    Store::with_handle(handle, Options::default())
}

fn copy_all(from: &ReadTransaction, to: &Database) -> Inner<()> {
    copy(from, to, META)?;
    copy(from, to, RECORDS)?;
    copy(from, to, IDS)?;
    copy(from, to, BY_KIND)?;
    copy(from, to, COUNTS)?;
    copy(from, to, CHANGES)?;
    copy(from, to, PURGES)?;
    copy(from, to, REQUESTS)?;
    copy(from, to, REQUEST_IDS)?;
    copy(from, to, ERASURES)?;
    copy_ledger(from, to)?;
    let mut txn = to.begin_write()?;
    txn.set_quick_repair(true);
    new_identity(&mut Tables::open(&txn)?)?;
    Ok(txn.commit()?)
}

/// Copies what stands beside the records: their history, tenants' own numbers, answers that were kept and what came of them,
/// and to whom sealed records are disclosed; folders of an older program have none.
pub(crate) fn copy_ledger(from: &ReadTransaction, to: &Database) -> Inner<()> {
    let tables: HashSet<String> = from.list_tables()?.map(|t| t.name().to_owned()).collect();
    if tables.contains(ANSWERS.name()) {
        copy(from, to, ANSWERS)?;
        copy(from, to, ANSWERED)?;
        copy(from, to, ANSWERS_OF)?;
    }
    if tables.contains(OUTCOMES.name()) {
        copy(from, to, OUTCOMES)?;
    }
    if tables.contains(DISCLOSURES.name()) {
        copy(from, to, DISCLOSURES)?;
        copy(from, to, DISCLOSED_TO)?;
    }
    if tables.contains(TENANT_SEQS.name()) {
        copy(from, to, TENANT_SEQS)?;
    }
    if tables.contains(HISTORY_SPAN.name()) {
        copy(from, to, HISTORY)?;
        copy(from, to, HISTORY_SEQ)?;
        copy(from, to, HISTORY_SPAN)?;
    }
    Ok(())
}

/// Copies one table in steps; only the last transaction of the backup is made durable.
pub(crate) fn copy<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'_, K, V>,
) -> Inner<()> {
    let mut rows = from.open_table(table)?.range::<K::SelfType<'_>>(..)?;
    let mut more = true;
    while more {
        let mut txn = to.begin_write()?;
        txn.set_durability(Durability::None)?;
        {
            let mut out = txn.open_table(table)?;
            for n in 0.. {
                if n == ROWS_AT_ONCE {
                    break;
                }
                let Some(row) = rows.next() else {
                    more = false;
                    break;
                };
                let (key, value) = row?;
                out.insert(key.value(), value.value())?;
            }
        }
        txn.commit()?;
    }
    Ok(())
}
