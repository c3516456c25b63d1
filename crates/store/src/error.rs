//! What can go wrong, by cause.

use crate::{Etag, RecordKey};
use jiff::Timestamp;
use queqiao_domain::{Kind, RecordId};
use std::{fmt, io, path::PathBuf};

/// The cause below a [`StoreError`], for logs.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not do what was asked. Nothing was changed, whatever the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or this one, has the folder open.
    #[error(
        "the data folder {} is in use{}: stop that process, or send it the request over gRPC (a backup: queqiao backup FILE --server URL)",
        path.display(), holder.map_or(String::new(), |p| format!(" by process {p}"))
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, where known.
        holder: Option<u32>,
    },
    /// The folder or file holds something else.
    #[error(
        "{} is no data folder of this program: {found}; give an empty or a new folder, or put store.redb back from a backup",
        path.display()
    )]
    NotAStore {
        /// The folder or file.
        path: PathBuf,
        /// What stands there instead.
        found: String,
    },
    /// The store was written by a newer program.
    #[error(
        "{} has format {found}, and this program reads up to format {supported}: run the newer program that wrote it, or restore a backup made by this one",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format this program reads.
        supported: u64,
    },
    /// The file that opens the keys of records is not there.
    #[error(
        "{} is not there, and no record can be read without it: put it back from where you keep it (it is in no backup), or name it by the setting master_key",
        path.display()
    )]
    NoMasterKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// The master key is of another vault.
    #[error(
        "the master key does not open {}: give the one of the server on which the records were stored",
        path.display()
    )]
    WrongMasterKey {
        /// The vault.
        path: PathBuf,
    },
    /// The vault is missing, or is of another store.
    #[error(
        "{} does not hold the keys of {} ({why}): put the keys back that were copied with the backup",
        keys.display(), store.display()
    )]
    NotItsKeys {
        /// The vault.
        keys: PathBuf,
        /// The store.
        store: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "{} is damaged ({what}): keep a copy of the file, then restore the last backup",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is damaged.
        what: String,
        /// The cause.
        #[source]
        source: Option<Source>,
    },
    /// One stored record is damaged; the others can be read.
    #[error("record {key} is damaged ({why}): put the record in again, or restore the last backup")]
    DamagedRecord {
        /// Its key.
        key: RecordKey,
        /// What is wrong with its bytes; never what they say.
        why: String,
    },
    /// The disk is full. Reads go on.
    #[error("no space is left for {}: free some space, then try again", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system refused to read or write.
    #[error("{doing} {} failed: check that the path exists, its permissions and the disk", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A disk error closed the file under a reader or a writer.
    #[error("{} was closed after a disk error and opened again: try again", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// At least one write of a batch cannot be done, so none was.
    #[error("nothing of the batch was stored: {}", shown(items, *of))]
    Rejected {
        /// How many writes the batch has.
        of: usize,
        /// Every write that cannot be done, in the batch's order. Never empty.
        items: Vec<Rejection>,
    },
    /// The request id was used before, for another request.
    #[error(
        "request id `{request_id}` was used before for another request: give every request its own id, and repeat one only to retry the same request"
    )]
    RequestReused {
        /// The id.
        request_id: String,
    },
    /// A text is no request id.
    #[error(
        "the request id is not accepted ({why}): give 1 to 128 visible ASCII characters, such as a UUID"
    )]
    BadRequestId {
        /// What is wrong.
        why: String,
    },
    /// A backup does not reach back to the moment to which it should be restored.
    #[error("{} cannot be restored to {moment}: {}", path.display(), reach(*from))]
    BeforeHistory {
        /// The backup.
        path: PathBuf,
        /// The moment.
        moment: Timestamp,
        /// Since when its changes can be undone; `None` when it has no history.
        from: Option<Timestamp>,
    },
    /// A backup would overwrite a file.
    #[error("{} exists already: name a new file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

/// One write of a batch that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The record it was for.
    pub id: RecordId,
    /// Why not.
    pub cause: Cause,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write {} (`{}`): {}", self.index, self.id, self.cause)
    }
}

/// Why a write cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A record keeps its kind for life, and ids are unique across kinds.
    #[error(
        "the id belongs to a record of kind {existing}, not {given}; use another id, or erase that record first"
    )]
    KindConflict {
        /// The kind of the record that is there.
        existing: Kind,
        /// The kind given.
        given: Kind,
    },
    /// The record is not what the caller last saw.
    #[error("the record has changed since etag {given}; read it again, then repeat the change")]
    StaleEtag {
        /// The etag given.
        given: Etag,
        /// The etag of the record, `None` when there is no record.
        current: Option<Etag>,
    },
    /// A record that must be new is there already.
    #[error("a record with this id exists; update it, or give the new one another id")]
    Exists,
    /// There is no such record, or it is deleted already.
    #[error("there is no such record; check the id and the tenant")]
    NotFound,
    /// The record to undelete is not deleted.
    #[error("the record is not deleted; nothing has to be done")]
    NotDeleted,
    /// The batch names the id twice.
    #[error("write {first} of the same batch names the same id; keep one of them")]
    Duplicate {
        /// The first write that names it.
        first: usize,
    },
}

fn reach(from: Option<Timestamp>) -> String {
    match from {
        Some(from) => format!(
            "its history reaches back to {from}; give a moment since then, or take an older backup"
        ),
        None => "it has no history (history_days was 0, or an older program wrote it); take the last backup made before that moment".to_owned(),
    }
}

fn shown(items: &[Rejection], of: usize) -> String {
    let mut out = format!("{} of {of} writes cannot be done: ", items.len());
    for (i, r) in items.iter().take(3).enumerate() {
        if i > 0 {
            out.push_str(" | ");
        }
        out.push_str(&r.to_string());
    }
    if items.len() > 3 {
        out.push_str(&format!(" | and {} more", items.len() - 3));
    }
    out
}

/// A failure inside a transaction, before the file's name is known.
#[derive(Debug)]
pub(crate) enum Fault {
    /// redb refused.
    Redb(redb::Error),
    /// Two tables contradict each other, or a row cannot be read.
    Inconsistent(String),
    /// The error is complete.
    Done(StoreError),
}

/// The result of a step inside a transaction.
pub(crate) type Inner<T> = Result<T, Fault>;

macro_rules! from_redb {
    ($($t:ident),*) => {
        $(impl From<redb::$t> for Fault {
            fn from(e: redb::$t) -> Self {
                Fault::Redb(e.into())
            }
        })*
    };
}
from_redb!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError,
    SetDurabilityError
);

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Fault::Done(e)
    }
}

impl Fault {
    /// True when redb will answer nothing more until the file is opened again.
    pub(crate) fn closes_file(&self) -> bool {
        use redb::Error as E;
        matches!(
            self,
            Fault::Redb(
                E::Io(_) | E::Backend(_) | E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_)
            )
        )
    }

    /// The error to show, for the file at `path`.
    pub(crate) fn at(self, doing: &'static str, path: &std::path::Path) -> StoreError {
        use redb::Error as E;
        let path = path.to_owned();
        match self {
            Fault::Done(e) => e,
            Fault::Inconsistent(what) => StoreError::Damaged {
                path,
                what,
                source: None,
            },
            Fault::Redb(E::Io(source)) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::DiskFull { path, source }
                }
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Damaged {
                    path,
                    what: "it ends early, or does not begin as it should".to_owned(),
                    source: Some(source.into()),
                },
                _ => StoreError::Io {
                    doing,
                    path,
                    source,
                },
            },
            Fault::Redb(E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_)) => {
                StoreError::Interrupted { path }
            }
            Fault::Redb(E::DatabaseAlreadyOpen | E::LockProtocolMismatch) => {
                StoreError::InUse { path, holder: None }
            }
            Fault::Redb(
                e @ (E::Corrupted(_)
                | E::UpgradeRequired(_)
                | E::RepairAborted
                | E::TableDoesNotExist(_)
                | E::TableTypeMismatch { .. }
                | E::TypeDefinitionChanged { .. }
                | E::TableIsMultimap(_)
                | E::TableIsNotMultimap(_)),
            ) => StoreError::Damaged {
                path,
                what: "its pages or tables cannot be read".to_owned(),
                source: Some(e.into()),
            },
            Fault::Redb(e) => StoreError::Io {
                doing,
                path,
                source: io::Error::other(e),
            },
        }
    }
}
