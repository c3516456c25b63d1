//! A data folder from a backup and the newest copy of the keys.

use crate::{
    FORMAT_VERSION, StoreError, VerifyReport,
    backup::open_backup,
    codec::{Head, Row},
    error::Inner,
    folder::{FILE, foreign, lock, partial, sync_dir},
    handle::End,
    ledger,
    migrate::{format_of, migrate},
    tables::Tables,
    undo::{Undone, undo},
    vault::{Key, KeyFiles, Vault},
};
use jiff::Timestamp;
use queqiao_domain::{RecordId, TenantId};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How a backup is restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Where the server of the new folder will find the master key; the folder gets a copy of its own
    /// where none is given.
    pub master_key: Option<PathBuf>,
    /// The moment to which the records are brought back; that of the backup where none is given, or a
    /// later one. Whole milliseconds count, and what was done at the moment stays.
    pub until: Option<Timestamp>,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// What a check of all of it found.
    pub report: VerifyReport,
    /// Records of the backup that were erased after it was made, and are erased here.
    pub erased_since: u64,
    /// Records that changed after [`RestoreOptions::until`], and are here as they were then, or not at
    /// all where they were new.
    pub undone: u64,
    /// Of these, records that had been withdrawn in some way since (no matching, no consent, no contact,
    /// fewer who may see it), and are not any more.
    pub reopened: Vec<(TenantId, RecordId)>,
}

/// Makes a data folder in `to`, which is new or empty, of the backup `records` and the keys `keys`.
/// The vault becomes the folder's own, and so does a copy of the master key unless the options say
/// where the folder's server will find it.
///
/// Restored to a moment, the folder shows every record as it was then, less those that were erased or
/// purged since: their keys are gone. What was kept, reported or disclosed after it is dropped, as far
/// as the rows tell; a disclosure that was changed or taken back since does not come back. Requests
/// done since are not remembered. Where the clock went back in between, all since the first change with
/// a later time is undone.
///
/// # Errors
/// The folder is not empty, the backup is damaged, the keys are not its keys or are older than it;
/// [`StoreError::BeforeHistory`]. Nothing is left in the folder then that would be taken for a store.
pub fn restore(
    records: &Path,
    keys: &KeyFiles,
    to: &Path,
    options: &RestoreOptions,
) -> Result<Restored, StoreError> {
    let io = |doing| {
        move |source: io::Error| StoreError::Io {
            doing,
            path: to.to_owned(),
            source,
        }
    };
    if to.join(FILE).exists() {
        return Err(StoreError::Exists {
            path: to.join(FILE),
        });
    }
    if let Some(found) = foreign(to).map_err(io("reading the folder"))? {
        return Err(StoreError::NotAStore {
            path: to.to_owned(),
            found: format!("it holds `{found}`"),
        });
    }
    fs::create_dir_all(to).map_err(io("making the folder"))?;
    let _lock = lock(to)?;
    let own = KeyFiles::of(to, options.master_key.as_deref());
    if own.vault.exists() {
        return Err(StoreError::Exists { path: own.vault });
    }
    let file = partial(&to.join(FILE));
    // Records of format 1 are not sealed: they get keys of their own.
    let older = format_of(records, 16 << 20)? < FORMAT_VERSION;
    let source = Arc::new(match older {
        true => own.open_or_make()?,
        false => keys.open(records)?,
    });
    let done = bring(records, &source, &file, options.until).and_then(|(restored, orphans)| {
        // In the folder's own copy: the backup's keys still open all that is in the backup.
        let vault = match older {
            true => Arc::clone(&source),
            false => {
                own.take(keys, &source)?;
                Arc::new(own.open(records)?)
            }
        };
        vault.destroy(&orphans)?;
        fs::rename(&file, to.join(FILE)).map_err(io("naming the store in"))?;
        sync_dir(to).map_err(io("making durable"))?;
        Ok(restored)
    });
    if done.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&file);
    }
    done
}

/// Copies the records to `file`, erases what was erased since, undoes what was done after `until`, and
/// checks all of it. The keys that come along are those of records that are undone.
fn bring(
    records: &Path,
    vault: &Arc<Vault>,
    file: &Path,
    until: Option<Timestamp>,
) -> Result<(Restored, Vec<u64>), StoreError> {
    let io = |doing| {
        move |source: io::Error| StoreError::Io {
            doing,
            path: file.to_owned(),
            source,
        }
    };
    fs::copy(records, file).map_err(io("copying the backup to"))?;
    let copy = fs::File::options().write(true).open(file);
    copy.and_then(|f| f.sync_all())
        .map_err(io("making durable"))?;
    if format_of(file, 16 << 20)? < FORMAT_VERSION {
        migrate(file, vault, 64 << 20)?;
    }
    let store = open_backup(file, vault)?;
    let (erased_since, undone) = store.handle.write("restoring", |txn| {
        let mut t = Tables::open(txn)?;
        let gone = t.sealed_for_good(vault)?;
        for (key, head) in &gone {
            t.erase(vault, *key, head, Timestamp::now().as_millisecond())?;
            ledger::forget(txn, head.tenant.as_str(), head.id.as_str())?;
        }
        let undone = match until {
            Some(moment) => {
                reaches(&t, records, moment)?;
                undo(txn, &mut t, vault, moment.as_millisecond())?
            }
            None => Undone::default(),
        };
        // Numbers that were given after the backup have keys that sealed something already.
        t.skip_to(vault.len());
        t.save()?;
        Ok(End::Commit((gone.len() as u64, undone)))
    })?;
    store.finish_erasures()?;
    let report = store.verify()?;
    if !report.is_sound() {
        return Err(StoreError::Damaged {
            path: records.to_owned(),
            what: report.problems.first().cloned().unwrap_or_default(),
            source: None,
        });
    }
    let restored = Restored {
        report,
        erased_since,
        undone: undone.changed,
        reopened: undone.reopened,
    };
    Ok((restored, undone.orphans))
}

/// Refuses a moment before the history begins.
fn reaches(t: &Tables<'_>, records: &Path, moment: Timestamp) -> Result<(), StoreError> {
    let from = t.history.span().map(|s| s.from);
    if from.is_some_and(|from| from <= moment.as_millisecond()) {
        return Ok(());
    }
    Err(StoreError::BeforeHistory {
        path: records.to_owned(),
        moment,
        from: from.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
    })
}

impl Tables<'_> {
    /// Records whose key is destroyed, with their heads.
    fn sealed_for_good(&self, vault: &Vault) -> Inner<Vec<(u64, Head)>> {
        let mut out = Vec::new();
        for row in self.rows()? {
            let (key, row) = row?;
            let key = key.value();
            if matches!(vault.key(key), Ok(Key::Destroyed))
                && let Ok(head) = Row::read(key, row.value()).and_then(|r| r.head())
            {
                out.push((key, head));
            }
        }
        Ok(out)
    }
}
