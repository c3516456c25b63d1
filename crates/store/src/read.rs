//! Reading, on a view that no later write changes.

use crate::{
    Changes, ListQuery, Page, RecordKey, Scan, Since, StoreError, StoredRecord, codec,
    error::{Fault, Inner},
    handle::Handle,
    iter::{Keys, Rows, records, row},
    ledger::opened,
    tables::{CHANGES, COUNTS, IDS, META, TENANT_SEQS, kind_number, meta, number},
};
use queqiao_domain::{Kind, RecordId, TenantId};
use redb::ReadTransaction;
use std::sync::Arc;

/// The greatest number of records on a page.
const MAX_PAGE: usize = 10_000;

/// Everything as it was at one moment: whole batches, never a part of one. Only who is erased later is
/// gone at once, from here too.
pub struct Snapshot {
    pub(crate) handle: Arc<Handle>,
    pub(crate) txn: ReadTransaction,
    pub(crate) generation: u64,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({})", self.handle.path().display())
    }
}

/// Every method may end in [`StoreError::Io`], [`StoreError::Interrupted`] or
/// [`StoreError::Damaged`]; those that give records also in [`StoreError::DamagedRecord`].
impl Snapshot {
    pub(crate) fn new(handle: Arc<Handle>) -> Result<Self, StoreError> {
        let (txn, generation) = handle.begin_read()?;
        Ok(Snapshot {
            handle,
            txn,
            generation,
        })
    }

    pub(crate) fn run<T>(
        &self,
        f: impl FnOnce(&ReadTransaction) -> Inner<T>,
    ) -> Result<T, StoreError> {
        self.handle.read(self.generation, || f(&self.txn))
    }

    /// The live record of an id.
    ///
    /// # Errors
    /// Those of every method.
    pub fn get(
        &self,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<Option<StoredRecord>, StoreError> {
        self.find(tenant, id, false)
    }

    /// The record of an id, deleted or not.
    ///
    /// # Errors
    /// Those of every method.
    pub fn get_any(
        &self,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<Option<StoredRecord>, StoreError> {
        self.find(tenant, id, true)
    }

    fn find(
        &self,
        tenant: &TenantId,
        id: &RecordId,
        show_deleted: bool,
    ) -> Result<Option<StoredRecord>, StoreError> {
        self.run(|txn| {
            let ids = txn.open_table(IDS)?;
            let Some(found) = ids.get((tenant.as_str(), id.as_str()))? else {
                return Ok(None);
            };
            row(
                self.handle.vault(),
                &records(txn)?,
                found.value().0,
                show_deleted,
            )
        })
    }

    /// The live records of some keys, in the order of `keys`; `None` for a key whose record is
    /// deleted or gone. Keys are of all tenants: look at [`StoredRecord::tenant`].
    ///
    /// # Errors
    /// Those of every method.
    pub fn get_many(&self, keys: &[RecordKey]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        self.run(|txn| {
            let records = records(txn)?;
            keys.iter()
                .map(|key| match records.get(key.0)? {
                    Some(value) => Ok(codec::record(
                        self.handle.vault(),
                        key.0,
                        value.value(),
                        false,
                    )?),
                    None => Ok(None),
                })
                .collect()
        })
    }

    /// One page of a tenant's records, in key order.
    ///
    /// # Errors
    /// Those of every method.
    pub fn list(&self, tenant: &TenantId, query: &ListQuery) -> Result<Page, StoreError> {
        self.run(|txn| {
            let table = records(txn)?;
            let mut keys = Keys::new(txn, tenant, query.kind, query.after, query.show_deleted)?;
            let limit = query.limit.clamp(1, MAX_PAGE);
            let mut page = Page {
                records: Vec::new(),
                next: None,
            };
            while let Some(key) = keys.next()? {
                if page.records.len() == limit {
                    page.next = page.records.last().map(|r| r.key);
                    break;
                }
                page.records
                    .extend(row(self.handle.vault(), &table, key, query.show_deleted)?);
            }
            Ok(page)
        })
    }

    /// How many live records a tenant has, of one kind or of all. It reads a counter.
    ///
    /// # Errors
    /// Those of every method.
    pub fn count(&self, tenant: &TenantId, kind: Option<Kind>) -> Result<u64, StoreError> {
        self.run(|txn| {
            let counts = txn.open_table(COUNTS)?;
            let mut sum = 0;
            for k in Kind::ALL {
                if kind.is_none_or(|only| only == k) {
                    let n = counts.get((tenant.as_str(), kind_number(k)))?;
                    sum += n.map_or(0, |g| g.value().0);
                }
            }
            Ok(sum)
        })
    }

    /// The tenants that have records, deleted ones included, in ascending order.
    ///
    /// # Errors
    /// Those of every method.
    pub fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.run(|txn| {
            let counts = txn.open_table(COUNTS)?;
            let mut out: Vec<TenantId> = Vec::new();
            for row in counts.range(("", 0)..)? {
                let (key, _) = row?;
                let name = key.value().0;
                if out.last().is_none_or(|t| t.as_str() != name) {
                    out.push(TenantId::new(name).map_err(|_| {
                        Fault::Inconsistent("a tenant's name is not readable".to_owned())
                    })?);
                }
            }
            Ok(out)
        })
    }

    /// The sequence number of the last change; 0 when there was none.
    ///
    /// # Errors
    /// Those of every method.
    pub fn last_seq(&self) -> Result<u64, StoreError> {
        self.run(|txn| number(&txn.open_table(META)?, meta::LAST_SEQ))
    }

    /// The tenant's own sequence number: how many changes it has made. Unlike [`Snapshot::last_seq`] it
    /// tells nothing of others.
    ///
    /// # Errors
    /// Those of every method.
    pub fn tenant_seq(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.run(|txn| {
            if let Some(seqs) = opened(txn.open_table(TENANT_SEQS))? {
                return Ok(seqs.get(tenant.as_str())?.map_or(0, |g| g.value()));
            }
            // A store of before that nobody has written to since: those who are in it go on from its number.
            let t = tenant.as_str();
            let mut rows = txn.open_table(COUNTS)?.range((t, 0)..=(t, u8::MAX))?;
            match rows.next() {
                Some(_) => number(&txn.open_table(META)?, meta::LAST_SEQ),
                None => Ok(0),
            }
        })
    }

    /// What changed after `seq`: each record that did, once, with its last change.
    ///
    /// # Errors
    /// Those of every method.
    pub fn changes_since(&self, seq: u64) -> Result<Since, StoreError> {
        self.run(|txn| {
            let meta = txn.open_table(META)?;
            let last_seq = number(&meta, meta::LAST_SEQ)?;
            let trimmed_to = number(&meta, meta::TRIMMED)?;
            if seq > last_seq {
                return Ok(Since::Ahead { last_seq });
            }
            if seq < trimmed_to {
                return Ok(Since::Behind { trimmed_to });
            }
            Ok(Since::Changes(Changes {
                handle: self.handle.clone(),
                generation: self.generation,
                rows: Box::new(txn.open_table(CHANGES)?.range(seq + 1..)?),
                last_seq,
            }))
        })
    }

    /// All live records, of one tenant or of all, in key order and bounded memory.
    ///
    /// # Errors
    /// Those of every method.
    pub fn scan(&self, tenant: Option<&TenantId>) -> Result<Scan, StoreError> {
        self.run(|txn| {
            let records = records(txn)?;
            let rows = match tenant {
                Some(tenant) => Rows::Tenant(Keys::new(txn, tenant, None, None, false)?, records),
                None => Rows::All(records.range::<u64>(..)?),
            };
            Ok(Scan {
                handle: self.handle.clone(),
                generation: self.generation,
                rows,
                ended: false,
            })
        })
    }
}
