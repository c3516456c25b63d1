//! Older formats: the store is written anew in the newest one, and takes the old one's place when it
//! is whole.
//!
//! Format 1 had records that were not sealed and etags in their heads.

use crate::{
    FORMAT_VERSION, StoreError,
    backup::{copy, copy_ledger},
    codec::{self, Head, Row, damaged},
    error::{Fault, Inner},
    folder::{name_vault, not_redb, partial, sync_dir},
    handle::guard,
    request::migrated,
    tables::{
        BY_KIND, CHANGES, COUNTS, IDS, MAGIC, META, PURGES, RECORDS, REQUEST_IDS, REQUESTS, Tables,
        meta, number,
    },
    vault::Vault,
};
use redb::{Builder, Database, ReadTransaction, ReadableDatabase, TableDefinition, TableError};
use std::{fs, path::Path};

/// Records written in one transaction.
const AT_ONCE: usize = 2_000;

/// The format of a store, which this program reads.
///
/// # Errors
/// [`StoreError::NotAStore`], [`StoreError::NewerFormat`], and whatever opening it says.
pub(crate) fn format_of(file: &Path, cache: usize) -> Result<u64, StoreError> {
    // Opening says what is wrong with a file that cannot be read.
    let found = guard("opening", file, || {
        if fs::metadata(file).map_err(redb::StorageError::from)?.len() == 0 {
            return Err(StoreError::Damaged {
                path: file.to_owned(),
                what: "it is empty".to_owned(),
                source: None,
            }
            .into());
        }
        let db = Builder::new()
            .set_cache_size(cache.min(16 << 20))
            .open(file)?;
        let txn = db.begin_read()?;
        let path = file.to_owned();
        let table = match txn.open_table(META) {
            Ok(table) if number(&table, meta::MAGIC)? == MAGIC => table,
            Ok(_)
            | Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => {
                let found = "it is a redb file of another program".to_owned();
                return Err(StoreError::NotAStore { path, found }.into());
            }
            Err(e) => return Err(e.into()),
        };
        let found = number(&table, meta::FORMAT)?;
        if found > FORMAT_VERSION {
            let supported = FORMAT_VERSION;
            return Err(StoreError::NewerFormat {
                path,
                found,
                supported,
            }
            .into());
        }
        // One that names none is damaged, and told so where it is opened.
        Ok(if found == 0 { FORMAT_VERSION } else { found })
    });
    found.map_err(not_redb)
}

/// Brings a store of format 1 to the newest format. A crash leaves one of the two, whole.
pub(crate) fn migrate(file: &Path, vault: &Vault, cache: usize) -> Result<(), StoreError> {
    tracing::info!(file = %file.display(), "the store is of an older format and is written anew, its records sealed");
    let new = partial(file);
    let io = |doing| {
        let path = new.clone();
        move |source| StoreError::Io {
            doing,
            path,
            source,
        }
    };
    match fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io("removing")(e)),
        _ => {}
    }
    let done = guard("migrating to", &new, || {
        let old = Builder::new().set_cache_size(cache).open(file)?;
        let txn = old.begin_read()?;
        let db = Builder::new().set_cache_size(cache).create(&new)?;
        copy(&txn, &db, META)?;
        copy(&txn, &db, IDS)?;
        copy(&txn, &db, BY_KIND)?;
        copy(&txn, &db, COUNTS)?;
        copy(&txn, &db, CHANGES)?;
        copy(&txn, &db, PURGES)?;
        copy(&txn, &db, REQUEST_IDS)?;
        copy_ledger(&txn, &db)?;
        rows(&txn, &db, RECORDS, |key, row| {
            vault.ensure(key)?;
            sealed(vault, key, row).map_err(|why| damaged(key, why).into())
        })?;
        rows(&txn, &db, REQUESTS, |n, row| {
            migrated(vault, n, row)
                .map_err(|why| Fault::Inconsistent(format!("request {n}: {why}")))
        })?;
        let next = number(&txn.open_table(META)?, meta::NEXT_KEY)?;
        vault.ensure(next)?;
        let mut last = db.begin_write()?;
        last.set_quick_repair(true);
        {
            let mut t = Tables::open(&last)?;
            t.meta.insert(meta::FORMAT, FORMAT_VERSION)?;
            name_vault(&mut t, vault)?;
        }
        last.commit()?;
        Ok(db.close()?)
    });
    if let Err(e) = done {
        let _ = fs::remove_file(&new);
        return Err(e);
    }
    fs::rename(&new, file).map_err(io("naming"))?;
    sync_dir(file.parent().unwrap_or(Path::new("."))).map_err(io("making durable"))
}

/// Writes the rows of a table as `change` makes them.
fn rows(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'_, u64, &[u8]>,
    mut change: impl FnMut(u64, &[u8]) -> Inner<Vec<u8>>,
) -> Inner<()> {
    let mut rows = from.open_table(table)?.range::<u64>(..)?;
    let mut more = true;
    while more {
        let mut txn = to.begin_write()?;
        txn.set_durability(redb::Durability::None)?;
        {
            let mut out = txn.open_table(table)?;
            for n in 0.. {
                if n == AT_ONCE {
                    break;
                }
                let Some(row) = rows.next() else {
                    more = false;
                    break;
                };
                let (key, value) = row?;
                let new = change(key.value(), value.value())?;
                out.insert(key.value(), new.as_slice())?;
            }
        }
        txn.commit()?;
    }
    Ok(())
}

fn sealed(vault: &Vault, key: u64, row: &[u8]) -> Result<Vec<u8>, String> {
    let row = Row::read(key, row)?;
    let head: Head = row.head()?;
    let body = row.plain().seal(vault, key, &head.etag)?;
    codec::write(key, &head, &body).ok_or_else(|| "its head is too long".to_owned())
}
