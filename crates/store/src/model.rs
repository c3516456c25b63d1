//! Plain types of the interface: what goes in, what comes out.

use crate::StoreError;
use jiff::Timestamp;
use queqiao_domain::{CheckedRecord, Kind, Record, RecordId, TenantId};
use std::{fmt, str::FromStr};

/// The store's own number of a record: given once, in ascending order, never reused, kept for the
/// record's life. Derived indexes are keyed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(pub u64);

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which store this is. Made at random with the store, and anew in every backup, so that an index
/// derived from one store is never taken for an index of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(pub u128);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A short hash of a record's content: equal etags, equal content. Shown as 24 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Etag(pub(crate) [u8; 12]);

impl Etag {
    /// The etag of a record's JSON form.
    pub(crate) fn of(json: &[u8]) -> Self {
        let mut out = [0; 12];
        out.copy_from_slice(&blake3::hash(json).as_bytes()[..12]);
        Etag(out)
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Etag({self})")
    }
}

impl FromStr for Etag {
    type Err = String;

    /// Reads the 24 hexadecimal digits that `Display` writes.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut out = [0; 12];
        let bytes = s.as_bytes();
        let digit = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        if bytes.len() == 24 {
            let read = out
                .iter_mut()
                .zip(bytes.chunks_exact(2))
                .try_for_each(|(o, pair)| {
                    *o = digit(pair[0])? << 4 | digit(pair[1])?;
                    Some(())
                });
            if read.is_some() {
                return Ok(Etag(out));
            }
        }
        Err("no etag: expected the 24 hexadecimal digits that came with the record".to_owned())
    }
}

/// The caller's id of a request, for retries: 1 to 128 visible ASCII characters, such as a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Checks and takes an id.
    ///
    /// # Errors
    /// [`StoreError::BadRequestId`].
    pub fn new(s: impl Into<String>) -> Result<Self, StoreError> {
        let s = s.into();
        let why = match s.len() {
            0 => "it is empty".to_owned(),
            n @ 129.. => format!("it has {n} bytes"),
            _ if !s.bytes().all(|b| b.is_ascii_graphic()) => {
                "it holds a space or a character that is not ASCII".to_owned()
            }
            _ => return Ok(Self(s)),
        };
        Err(StoreError::BadRequestId { why })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes that are done together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The writes, in order. No two may name the same id.
    pub writes: Vec<Write>,
    /// Makes the batch safe to retry: the same id with the same writes is done once and answers
    /// the same. Remembered for a day, for the last 100,000 requests
    /// and their last 2,000,000 writes.
    pub request_id: Option<RequestId>,
}

impl Batch {
    /// A batch without a request id.
    pub fn of(writes: impl IntoIterator<Item = Write>) -> Self {
        Batch {
            writes: writes.into_iter().collect(),
            request_id: None,
        }
    }
}

/// One write. `Debug` shows the id, never the content.
#[derive(Clone)]
pub enum Write {
    /// Puts a record in, or in place of the one with its id. A deleted record comes back to life.
    Upsert {
        /// The record.
        record: Box<CheckedRecord>,
        /// When given, the record must be there with this etag.
        expect_etag: Option<Etag>,
    },
    /// Puts a record in that must not be there yet. A deleted record comes back to life.
    Create {
        /// The record.
        record: Box<CheckedRecord>,
    },
    /// Hides a record; it can be undeleted until its purge time.
    Delete {
        /// Its id.
        id: RecordId,
        /// When given, the record must be of this kind.
        kind: Option<Kind>,
        /// When given, the record must have this etag.
        expect_etag: Option<Etag>,
    },
    /// Brings a deleted record back.
    Undelete {
        /// Its id.
        id: RecordId,
        /// When given, the record must be of this kind.
        kind: Option<Kind>,
    },
    /// Removes a record, deleted or not, at once and for good.
    Erase {
        /// Its id.
        id: RecordId,
        /// When given, the record must be of this kind.
        kind: Option<Kind>,
    },
}

impl Write {
    /// An upsert whatever is there.
    pub fn upsert(record: CheckedRecord) -> Self {
        Write::Upsert {
            record: Box::new(record),
            expect_etag: None,
        }
    }

    /// A delete whatever the kind.
    pub fn delete(id: RecordId) -> Self {
        Write::Delete {
            id,
            kind: None,
            expect_etag: None,
        }
    }

    /// The record it is for.
    pub fn id(&self) -> &RecordId {
        match self {
            Write::Upsert { record, .. } | Write::Create { record } => &record.get().id,
            Write::Delete { id, .. } | Write::Undelete { id, .. } | Write::Erase { id, .. } => id,
        }
    }
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Write::Upsert { .. } => "Upsert",
            Write::Create { .. } => "Create",
            Write::Delete { .. } => "Delete",
            Write::Undelete { .. } => "Undelete",
            Write::Erase { .. } => "Erase",
        };
        write!(f, "{name}({})", self.id())
    }
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The last sequence number after the batch. An index that has seen it sees the batch.
    pub seq: u64,
    /// The same as the tenant may know it: the last of its own numbers, which no other tenant's writes move.
    pub tenant_seq: u64,
    /// True when the batch had been done before under the same request id: this is the first
    /// answer again.
    pub replayed: bool,
    /// One entry for each write, in order.
    pub items: Vec<Item>,
}

/// What one write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The record.
    pub id: RecordId,
    /// Its key.
    pub key: RecordKey,
    /// The sequence number of its last change.
    pub seq: u64,
    /// Its etag.
    pub etag: Etag,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is new.
    Created,
    /// Its content changed, or it came back to life with the content given.
    Updated,
    /// It was there already, exactly so; no sequence number was used.
    Unchanged,
    /// It is hidden.
    Deleted,
    /// It is back.
    Undeleted,
    /// It is gone.
    Erased,
}

impl Outcome {
    /// All outcomes; the index of each is its number on disk.
    pub(crate) const ALL: [Outcome; 6] = [
        Outcome::Created,
        Outcome::Updated,
        Outcome::Unchanged,
        Outcome::Deleted,
        Outcome::Undeleted,
        Outcome::Erased,
    ];
}

/// A record as it is stored. `Debug` shows the ids and times, never the content.
#[derive(Clone, PartialEq)]
pub struct StoredRecord {
    /// Its key.
    pub key: RecordKey,
    /// Whose it is.
    pub tenant: TenantId,
    /// The sequence number of its last change.
    pub seq: u64,
    /// The hash of its content.
    pub etag: Etag,
    /// When it was first put in. Times are whole milliseconds.
    pub create_time: Timestamp,
    /// When it last changed; deleting and undeleting count.
    pub update_time: Timestamp,
    /// When it was deleted; `None` while it lives.
    pub delete_time: Option<Timestamp>,
    /// When it will be removed for good; `None` while it lives.
    pub purge_time: Option<Timestamp>,
    /// The record itself.
    pub record: Record,
}

impl fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRecord")
            .field("key", &self.key.0)
            .field("tenant", &self.tenant.as_str())
            .field("kind", &self.record.kind().as_str())
            .field("id", &self.record.id.as_str())
            .field("seq", &self.seq)
            .field("etag", &self.etag)
            .field("delete_time", &self.delete_time)
            .finish_non_exhaustive()
    }
}

/// What a page of records is asked for. `Default`: the first 100 live records of every kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListQuery {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only records after this one, in key order: a page's `next`.
    pub after: Option<RecordKey>,
    /// At most so many records; taken as 1 to 10,000.
    pub limit: usize,
    /// Deleted records too.
    pub show_deleted: bool,
}

impl Default for ListQuery {
    fn default() -> Self {
        ListQuery {
            kind: None,
            after: None,
            limit: 100,
            show_deleted: false,
        }
    }
}

/// Some records, in key order: the order in which they were first put in. A record that is there
/// during all of a walk over the pages appears in it exactly once.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The records.
    pub records: Vec<StoredRecord>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<RecordKey>,
}

/// The last change of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Its sequence number.
    pub seq: u64,
    /// The record.
    pub key: RecordKey,
    /// What an index has to do.
    pub op: ChangeOp,
}

/// What an index has to do about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeOp {
    /// Read it and take it in, in place of what the index had.
    Upsert,
    /// Drop it, if the index had it: it is deleted, purged or erased.
    Delete,
}
