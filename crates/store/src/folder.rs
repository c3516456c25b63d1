//! The folder and its files: made whole, held by one process, told from those of others.

use crate::{
    FORMAT_VERSION, StoreError,
    error::Inner,
    handle::guard,
    tables::{MAGIC, Tables, meta},
    vault::Vault,
};
use redb::{Builder, Database};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write as _},
    path::{Path, PathBuf},
};

/// The store's file in a data folder.
pub(crate) const FILE: &str = "store.redb";
const LOCK: &str = "LOCK";
/// Folders that others of the program keep in a data folder, perhaps before it has a store.
const NEIGHBOURS: [&str; 3] = ["access", "audit", "keys"];

/// Puts the tables and numbers of an empty store into a new database.
pub(crate) fn initialise(db: &Database, vault: &Vault) -> Inner<()> {
    let mut txn = db.begin_write()?;
    txn.set_quick_repair(true);
    {
        let mut t = Tables::open(&txn)?;
        let now = jiff::Timestamp::now().as_millisecond();
        for (name, value) in [
            (meta::MAGIC, MAGIC),
            (meta::FORMAT, FORMAT_VERSION),
            (meta::CREATED, u64::try_from(now).unwrap_or(0)),
        ] {
            t.meta.insert(name, value)?;
        }
        new_identity(&mut t)?;
        name_vault(&mut t, vault)?;
        t.history.begin(0, now)?;
        t.save()?;
    }
    Ok(txn.commit()?)
}

/// Gives the store an id that no other has.
pub(crate) fn new_identity(t: &mut Tables<'_>) -> Inner<()> {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    t.meta.insert(meta::ID_HIGH, high)?;
    t.meta.insert(meta::ID_LOW, low)?;
    Ok(())
}

/// Notes which vault has the keys.
pub(crate) fn name_vault(t: &mut Tables<'_>, vault: &Vault) -> Inner<()> {
    let id = vault.id();
    t.meta.insert(meta::VAULT_HIGH, (id >> 64) as u64)?;
    t.meta.insert(meta::VAULT_LOW, id as u64)?;
    Ok(())
}

/// Makes an empty store. It appears under its name only when it is complete, so a crash leaves
/// either no store or an empty one. The caller holds the folder's lock.
pub(crate) fn create(file: &Path, cache: usize, vault: &Vault) -> Result<(), StoreError> {
    let partial = partial(file);
    let io = |doing| {
        let path = partial.clone();
        move |source| StoreError::Io {
            doing,
            path,
            source,
        }
    };
    match fs::remove_file(&partial) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io("removing")(e)),
        _ => {}
    }
    guard("making", &partial, || {
        let db = Builder::new().set_cache_size(cache).create(&partial)?;
        initialise(&db, vault)?;
        Ok(db.close()?)
    })?;
    fs::rename(&partial, file).map_err(io("renaming"))
}

/// The name a file has until it is complete.
pub(crate) fn partial(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    file.with_file_name(name)
}

/// Makes the names in a folder durable, where the system knows how.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// A file in a folder that is neither ours nor the system's.
pub(crate) fn foreign(dir: &Path) -> io::Result<Option<String>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let ours = name == LOCK
            || name == format!("{FILE}.partial")
            || NEIGHBOURS.contains(&name.as_ref());
        if !(ours || name.starts_with('.') || name == "lost+found") {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// The folder, held by this process until this is dropped.
pub(crate) struct FolderLock(File);

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Said aloud: a child that another thread is just starting has the file open too, for a
        // moment, and closing ours alone would leave the folder held.
        let _ = self.0.unlock();
    }
}

/// Takes the folder for this process and leaves its number for those who come after.
pub(crate) fn lock(dir: &Path) -> Result<FolderLock, StoreError> {
    let path = dir.join(LOCK);
    let io = |doing| {
        let path = path.clone();
        move |source| StoreError::Io {
            doing,
            path,
            source,
        }
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io("opening"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Only for the message.
            let _ = file.take(20).read_to_string(&mut text);
            return Err(StoreError::InUse {
                path: dir.to_owned(),
                holder: text.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(e)) => return Err(io("locking")(e)),
    }
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    // Only for the message of others: a full disk must not keep the store closed.
    let _ = note(&mut file);
    Ok(FolderLock(file))
}

/// redb says "invalid data" of a file that does not begin as its files do.
pub(crate) fn not_redb(e: StoreError) -> StoreError {
    match e {
        StoreError::Damaged {
            path,
            source: Some(source),
            ..
        } if source
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::InvalidData) =>
        {
            StoreError::NotAStore {
                path,
                found: "it does not begin as a store does: it is another program's, or its beginning was overwritten".to_owned(),
            }
        }
        e => e,
    }
}
