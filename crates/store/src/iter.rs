//! Walking over many records in bounded memory: one page of the file at a time.

use crate::{
    Change, RecordKey, StoreError, StoredRecord, codec,
    error::{Fault, Inner},
    handle::Handle,
    tables::{BY_KIND, RECORDS, kind_number, op_of},
    vault::Vault,
};
use queqiao_domain::{Kind, TenantId};
use redb::{Range, ReadOnlyTable, ReadTransaction};
use std::sync::Arc;

/// What changed since an index last looked.
pub enum Since {
    /// Every record that changed since, once, in the order of its last change.
    Changes(Changes),
    /// The log was trimmed past that point: rebuild from [`Snapshot::scan`](crate::Snapshot::scan).
    Behind {
        /// The log is complete after this sequence number.
        trimmed_to: u64,
    },
    /// The store has not come that far, so the index is not of this store: rebuild it.
    Ahead {
        /// The store's last sequence number.
        last_seq: u64,
    },
}

impl std::fmt::Debug for Since {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Since::Changes(c) => write!(f, "Changes(up to {})", c.last_seq),
            Since::Behind { trimmed_to } => write!(f, "Behind(trimmed to {trimmed_to})"),
            Since::Ahead { last_seq } => write!(f, "Ahead(last {last_seq})"),
        }
    }
}

/// The changes after a sequence number, in ascending order. Keeps its view of the store.
pub struct Changes {
    pub(crate) handle: Arc<Handle>,
    pub(crate) generation: u64,
    pub(crate) rows: Box<Range<'static, u64, (u64, u8)>>,
    pub(crate) last_seq: u64,
}

impl Changes {
    /// The sequence number up to which an index is current once it has taken all of these in.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }
}

impl Iterator for Changes {
    type Item = Result<Change, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = &mut self.rows;
        self.handle
            .read(self.generation, || {
                let Some(row) = rows.next() else {
                    return Ok(None);
                };
                let (seq, change) = row?;
                let (key, op) = change.value();
                Ok(Some(Change {
                    seq: seq.value(),
                    key: RecordKey(key),
                    op: op_of(op)?,
                }))
            })
            .transpose()
    }
}

/// Live records in key order. Keeps its view of the store. After a damaged record it goes on with
/// the next one.
pub struct Scan {
    pub(crate) handle: Arc<Handle>,
    pub(crate) generation: u64,
    pub(crate) rows: Rows,
    /// An error of the file, not of one record, ends the scan.
    pub(crate) ended: bool,
}

pub(crate) enum Rows {
    /// Of every tenant.
    All(Range<'static, u64, &'static [u8]>),
    /// Of one.
    Tenant(Keys, ReadOnlyTable<u64, &'static [u8]>),
}

impl Iterator for Scan {
    type Item = Result<StoredRecord, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let rows = &mut self.rows;
        let vault = self.handle.vault();
        let next = self.handle.read(self.generation, || {
            loop {
                let found = match rows {
                    Rows::All(range) => {
                        let Some(row) = range.next() else {
                            return Ok(None);
                        };
                        let (key, value) = row?;
                        codec::record(vault, key.value(), value.value(), false)?
                    }
                    Rows::Tenant(keys, records) => {
                        let Some(key) = keys.next()? else {
                            return Ok(None);
                        };
                        row(vault, records, key, false)?
                    }
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        });
        self.ended = !matches!(next, Ok(Some(_)) | Err(StoreError::DamagedRecord { .. }));
        next.transpose()
    }
}

/// The record of a key that an index table names.
pub(crate) fn row(
    vault: &Vault,
    records: &ReadOnlyTable<u64, &'static [u8]>,
    key: u64,
    show_deleted: bool,
) -> Inner<Option<StoredRecord>> {
    let value = records
        .get(key)?
        .ok_or_else(|| codec::damaged(key, "its row is not there".to_owned()))?;
    Ok(codec::record(vault, key, value.value(), show_deleted)?)
}

type KindRange = Range<'static, (&'static str, u8, u64), u8>;

/// The keys of one tenant's records, of one kind or of all, in ascending order.
pub(crate) struct Keys {
    /// One entry for each kind: its next key and what follows.
    kinds: Vec<(u64, KindRange)>,
    show_deleted: bool,
}

impl Keys {
    pub(crate) fn new(
        txn: &ReadTransaction,
        tenant: &TenantId,
        kind: Option<Kind>,
        after: Option<RecordKey>,
        show_deleted: bool,
    ) -> Inner<Self> {
        let table = txn.open_table(BY_KIND)?;
        let mut kinds = Vec::new();
        let Some(from) = after.map_or(Some(0), |k| k.0.checked_add(1)) else {
            return Ok(Keys {
                kinds,
                show_deleted,
            });
        };
        for k in Kind::ALL {
            if kind.is_some_and(|only| only != k) {
                continue;
            }
            let (tenant, n) = (tenant.as_str(), kind_number(k));
            let mut range = table.range((tenant, n, from)..=(tenant, n, u64::MAX))?;
            if let Some(first) = advance(&mut range, show_deleted)? {
                kinds.push((first, range));
            }
        }
        Ok(Keys {
            kinds,
            show_deleted,
        })
    }

    pub(crate) fn next(&mut self) -> Inner<Option<u64>> {
        let Some(i) = (0..self.kinds.len()).min_by_key(|i| self.kinds[*i].0) else {
            return Ok(None);
        };
        let (key, range) = &mut self.kinds[i];
        let found = *key;
        match advance(range, self.show_deleted)? {
            Some(next) => *key = next,
            None => {
                self.kinds.swap_remove(i);
            }
        }
        Ok(Some(found))
    }
}

fn advance(range: &mut KindRange, show_deleted: bool) -> Inner<Option<u64>> {
    for row in range {
        let (key, state) = row.map_err(Fault::from)?;
        if show_deleted || state.value() == 0 {
            return Ok(Some(key.value().2));
        }
    }
    Ok(None)
}

/// Opens the records' table of a view.
pub(crate) fn records(txn: &ReadTransaction) -> Inner<ReadOnlyTable<u64, &'static [u8]>> {
    Ok(txn.open_table(RECORDS)?)
}
