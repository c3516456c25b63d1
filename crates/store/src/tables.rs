//! The tables, and the invariants between them.
//!
//! For every record: one row in `records`, one in `ids`, one in `by_kind`; one in `changes` at its
//! sequence number unless that was trimmed; one in `purges` exactly when it is deleted; and it is
//! counted once in `counts`. Each of its changes since the history begins has one row in `history` and
//! one in `history_seq` (see [`crate::history`]). An erased record leaves one row in `changes` and one in
//! `erasures`, and none besides. What a tenant is told of sequence numbers are its own, in `tenant_seqs`:
//! they never fall, and no other tenant's writes show in them. [`Tables`] keeps all of them in step;
//! [`Store::verify`](crate::Store::verify) checks them.

use crate::{
    ChangeOp, Etag,
    codec::{self, Body, Head, Row},
    erasure::ErasureHead,
    error::{Fault, Inner},
    history::History,
    vault::{Key, Vault},
};
use queqiao_domain::{Kind, RecordId, TenantId};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

/// Numbers by name.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Key → row (see [`codec`]).
pub(crate) const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
/// (tenant, id) → (key, kind).
pub(crate) const IDS: TableDefinition<'_, (&str, &str), (u64, u8)> = TableDefinition::new("ids");
/// (tenant, kind, key) → 0 live, 1 deleted.
pub(crate) const BY_KIND: TableDefinition<'_, (&str, u8, u64), u8> =
    TableDefinition::new("by_kind");
/// (tenant, kind) → (live, deleted).
pub(crate) const COUNTS: TableDefinition<'_, (&str, u8), (u64, u64)> =
    TableDefinition::new("counts");
/// Sequence number → (key, 0 upsert or 1 delete): the last change of each record.
pub(crate) const CHANGES: TableDefinition<'_, u64, (u64, u8)> = TableDefinition::new("changes");
/// (purge time in milliseconds, key): the deleted records.
pub(crate) const PURGES: TableDefinition<'_, (i64, u64), ()> = TableDefinition::new("purges");
/// Number → row of a request done.
pub(crate) const REQUESTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("requests");
/// (tenant, request id) → number.
pub(crate) const REQUEST_IDS: TableDefinition<'_, (&str, &str), u64> =
    TableDefinition::new("request_ids");

/// Sequence number of an erasure or a purge → row (see [`crate::erasure`]).
pub(crate) const ERASURES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("erasures");

/// Tenant → its own sequence number: how many changes it has made, whatever others do.
pub(crate) const TENANT_SEQS: TableDefinition<'_, &str, u64> = TableDefinition::new("tenant_seqs");

/// Marks the file as ours: "QUEQIAO1".
pub(crate) const MAGIC: u64 = u64::from_be_bytes(*b"QUEQIAO1");

/// Names in `meta`.
pub(crate) mod meta {
    pub(crate) const MAGIC: &str = "magic";
    pub(crate) const FORMAT: &str = "format_version";
    pub(crate) const CREATED: &str = "created_ms";
    pub(crate) const ID_HIGH: &str = "store_id_high";
    pub(crate) const ID_LOW: &str = "store_id_low";
    pub(crate) const NEXT_KEY: &str = "next_key";
    pub(crate) const LAST_SEQ: &str = "last_seq";
    pub(crate) const TRIMMED: &str = "trimmed_to_seq";
    pub(crate) const NEXT_REQUEST: &str = "next_request";
    pub(crate) const REQUEST_ITEMS: &str = "request_items";
    pub(crate) const VAULT_HIGH: &str = "vault_id_high";
    pub(crate) const VAULT_LOW: &str = "vault_id_low";
    /// The keys of all erasures up to this sequence number are destroyed.
    pub(crate) const DESTROYED: &str = "destroyed_to_seq";
    /// The last number of all when the store began to count by tenant.
    pub(crate) const TENANT_SEQS_FROM: &str = "tenant_seqs_from";
}

/// The number of a kind on disk; never changed.
pub(crate) fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Need => 0,
        Kind::Enterprise => 1,
        Kind::Expert => 2,
        Kind::Society => 3,
        Kind::Achievement => 4,
        Kind::Institution => 5,
    }
}

/// The kind of a number on disk.
pub(crate) fn kind_of(number: u8) -> Inner<Kind> {
    Kind::ALL
        .into_iter()
        .find(|k| kind_number(*k) == number)
        .ok_or_else(|| Fault::Inconsistent(format!("kind {number} is not known")))
}

/// The operation of a number on disk.
pub(crate) fn op_of(number: u8) -> Inner<ChangeOp> {
    match number {
        0 => Ok(ChangeOp::Upsert),
        1 => Ok(ChangeOp::Delete),
        n => Err(Fault::Inconsistent(format!("change {n} is not known"))),
    }
}

/// Every table, open for writing, and the numbers that go with them.
pub(crate) struct Tables<'t> {
    pub(crate) meta: Table<'t, &'static str, u64>,
    pub(crate) requests: Table<'t, u64, &'static [u8]>,
    pub(crate) request_ids: Table<'t, (&'static str, &'static str), u64>,
    pub(crate) changes: Table<'t, u64, (u64, u8)>,
    records: Table<'t, u64, &'static [u8]>,
    ids: Table<'t, (&'static str, &'static str), (u64, u8)>,
    by_kind: Table<'t, (&'static str, u8, u64), u8>,
    counts: Table<'t, (&'static str, u8), (u64, u64)>,
    purges: Table<'t, (i64, u64), ()>,
    erasures: Table<'t, u64, &'static [u8]>,
    tenant_seqs: Table<'t, &'static str, u64>,
    pub(crate) history: History<'t>,
    next_key: u64,
    last_seq: u64,
}

/// A record as a writer sees it.
pub(crate) struct Present {
    pub(crate) key: u64,
    pub(crate) head: Head,
    pub(crate) body: Body,
}

impl<'t> Tables<'t> {
    /// Opens every table, making those that are not there.
    pub(crate) fn open(txn: &'t WriteTransaction) -> Inner<Self> {
        let meta = txn.open_table(META)?;
        let next_key = number(&meta, meta::NEXT_KEY)?;
        let last_seq = number(&meta, meta::LAST_SEQ)?;
        let mut tables = Tables {
            requests: txn.open_table(REQUESTS)?,
            request_ids: txn.open_table(REQUEST_IDS)?,
            changes: txn.open_table(CHANGES)?,
            records: txn.open_table(RECORDS)?,
            ids: txn.open_table(IDS)?,
            by_kind: txn.open_table(BY_KIND)?,
            counts: txn.open_table(COUNTS)?,
            purges: txn.open_table(PURGES)?,
            erasures: txn.open_table(ERASURES)?,
            tenant_seqs: txn.open_table(TENANT_SEQS)?,
            history: History::open(txn, last_seq)?,
            meta,
            next_key,
            last_seq,
        };
        tables.begin_tenant_seqs()?;
        Ok(tables)
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// A store of before counted no tenant's changes, and told its tenants the last number of all: theirs go on from
    /// there.
    fn begin_tenant_seqs(&mut self) -> Inner<()> {
        if self.meta.get(meta::TENANT_SEQS_FROM)?.is_some() {
            return Ok(());
        }
        self.meta.insert(meta::TENANT_SEQS_FROM, self.last_seq)?;
        for row in self.counts.iter()? {
            self.tenant_seqs.insert(row?.0.value().0, self.last_seq)?;
        }
        Ok(())
    }

    /// A tenant's own sequence number.
    pub(crate) fn own_seq(&self, tenant: &TenantId) -> Inner<u64> {
        let own = self.tenant_seqs.get(tenant.as_str())?;
        Ok(own.map_or(0, |g| g.value()))
    }

    /// Counts changes that a tenant made after the number `before` of all, and returns its own number.
    pub(crate) fn count_for(&mut self, tenant: &TenantId, before: u64) -> Inner<u64> {
        let own = self.own_seq(tenant)? + (self.last_seq - before);
        if self.last_seq > before {
            self.tenant_seqs.insert(tenant.as_str(), own)?;
        }
        Ok(own)
    }

    /// Writes the numbers back. Without it a transaction that changed rows must not be committed.
    pub(crate) fn save(&mut self) -> Inner<()> {
        self.meta.insert(meta::NEXT_KEY, self.next_key)?;
        self.meta.insert(meta::LAST_SEQ, self.last_seq)?;
        self.history.save(self.last_seq)
    }

    /// The key and kind behind an id.
    pub(crate) fn find(&self, tenant: &TenantId, id: &RecordId) -> Inner<Option<(u64, Kind)>> {
        let found = self.ids.get((tenant.as_str(), id.as_str()))?;
        found
            .map(|g| {
                let (key, kind) = g.value();
                Ok((key, kind_of(kind)?))
            })
            .transpose()
    }

    /// The record of a key.
    pub(crate) fn present(&self, vault: &Vault, key: u64) -> Inner<Present> {
        let row = self.records.get(key)?.ok_or_else(|| absent(key))?;
        let (head, body) = codec::parts(vault, key, row.value())?;
        Ok(Present { key, head, body })
    }

    /// The head of a key's record, whether or not its text can be read.
    pub(crate) fn head(&self, key: u64) -> Inner<Head> {
        let row = self.records.get(key)?.ok_or_else(|| absent(key))?;
        let head = Row::read(key, row.value()).and_then(|row| row.head());
        Ok(head.map_err(|why| codec::damaged(key, why))?)
    }

    /// A new record's first head and key. `seq` is filled in by [`Tables::put`].
    pub(crate) fn create(
        &mut self,
        vault: &Vault,
        tenant: &TenantId,
        id: &RecordId,
        kind: Kind,
        etag: Etag,
        now: i64,
    ) -> Inner<(u64, Head)> {
        let key = loop {
            let key = self.next_key;
            self.next_key += 1;
            vault.ensure(key)?;
            // A number whose key is gone or unreadable is passed over; its record would be too.
            if matches!(vault.key(key), Ok(Key::Held(_))) {
                break key;
            }
        };
        self.ids
            .insert((tenant.as_str(), id.as_str()), (key, kind_number(kind)))?;
        Ok((
            key,
            Head {
                seq: 0,
                tenant: tenant.clone(),
                id: id.clone(),
                kind,
                etag,
                created: now,
                updated: now,
                deleted: None,
                purge: None,
            },
        ))
    }

    /// Stores a record under the next sequence number, in place of `old`, and returns the number.
    pub(crate) fn put(
        &mut self,
        vault: &Vault,
        key: u64,
        old: Option<&Head>,
        head: &mut Head,
        body: &Body,
    ) -> Inner<u64> {
        let deleted = head.deleted.is_some();
        let op = if deleted {
            ChangeOp::Delete
        } else {
            ChangeOp::Upsert
        };
        head.seq = self.change(key, old.map(|h| h.seq), op)?;
        let sealed = body
            .seal(vault, key, &head.etag)
            .map_err(|why| codec::damaged(key, why))?;
        let row = codec::write(key, head, &sealed)
            .ok_or_else(|| Fault::Inconsistent(format!("the head of record {key} is too long")))?;
        {
            let before = self.records.insert(key, row.as_slice())?;
            let before = before.as_ref().map_or(&[][..], |g| g.value());
            self.history.note(key, head.seq, head.updated, before)?;
        }
        self.set_state(key, old, Some(head))?;
        Ok(head.seq)
    }

    /// Makes a record what it was when `row` stood for it, its sequence number included; an empty
    /// row takes it away, and its last head comes back.
    pub(crate) fn put_back(&mut self, key: u64, row: &[u8]) -> Inner<Option<Head>> {
        let last = self.head(key)?;
        let head: Option<Head> = match row {
            [] => None,
            row => {
                let head = Row::read(key, row).and_then(|row| row.head());
                Some(head.map_err(|why| codec::damaged(key, why))?)
            }
        };
        self.changes.remove(last.seq)?;
        match &head {
            Some(head) => {
                self.records.insert(key, row)?;
                if head.seq > number(&self.meta, meta::TRIMMED)? {
                    let op = u8::from(head.deleted.is_some());
                    self.changes.insert(head.seq, (key, op))?;
                }
            }
            None => {
                self.records.remove(key)?;
                self.ids.remove((last.tenant.as_str(), last.id.as_str()))?;
            }
        }
        self.set_state(key, Some(&last), head.as_ref())?;
        Ok(head.is_none().then_some(last))
    }

    /// Every row of a record.
    pub(crate) fn rows(&self) -> Inner<redb::Range<'_, u64, &'static [u8]>> {
        Ok(self.records.range::<u64>(..)?)
    }

    /// No record gets a number below `key` any more.
    pub(crate) fn skip_to(&mut self, key: u64) {
        self.next_key = self.next_key.max(key);
    }

    /// Removes a record and its history for good and returns the sequence number of that change.
    /// Its key is destroyed by [`crate::Store::finish_erasures`] once this is on disk.
    pub(crate) fn erase(&mut self, vault: &Vault, key: u64, head: &Head, now: i64) -> Inner<u64> {
        let seq = self.change(key, Some(head.seq), ChangeOp::Delete)?;
        let row = ErasureHead::row(vault, seq, key, head, now)
            .ok_or_else(|| Fault::Inconsistent(format!("erasure {seq} cannot be written")))?;
        self.erasures.insert(seq, row.as_slice())?;
        self.meta.insert(meta::DESTROYED, vault.destroyed_to())?;
        self.records.remove(key)?;
        self.ids.remove((head.tenant.as_str(), head.id.as_str()))?;
        self.history.forget(key)?;
        self.set_state(key, Some(head), None)?;
        Ok(seq)
    }

    /// Keys of at most `limit` deleted records whose purge time has come.
    pub(crate) fn expired(&self, now: i64, limit: usize) -> Inner<Vec<u64>> {
        let mut out = Vec::new();
        for row in self.purges.range(..=(now, u64::MAX))?.take(limit) {
            out.push(row?.0.value().1);
        }
        Ok(out)
    }

    /// The log keeps only the last change of a record, so it never grows past the number of
    /// records and a reader has nothing to merge.
    fn change(&mut self, key: u64, old_seq: Option<u64>, op: ChangeOp) -> Inner<u64> {
        if let Some(old) = old_seq {
            self.changes.remove(old)?;
        }
        self.last_seq += 1;
        self.changes
            .insert(self.last_seq, (key, u8::from(op == ChangeOp::Delete)))?;
        Ok(self.last_seq)
    }

    fn set_state(&mut self, key: u64, old: Option<&Head>, new: Option<&Head>) -> Inner<()> {
        let state = |h: Option<&Head>| h.map(|h| h.deleted.is_some());
        let purge = |h: Option<&Head>| h.and_then(|h| h.purge);
        if purge(old) != purge(new) {
            if let Some(at) = purge(old) {
                self.purges.remove((at, key))?;
            }
            if let Some(at) = purge(new) {
                self.purges.insert((at, key), ())?;
            }
        }
        let Some(head) = new.or(old) else {
            return Ok(());
        };
        if state(old) == state(new) {
            return Ok(());
        }
        let tenant = head.tenant.as_str();
        let kind = kind_number(head.kind);
        match state(new) {
            Some(deleted) => self
                .by_kind
                .insert((tenant, kind, key), u8::from(deleted))?,
            None => self.by_kind.remove((tenant, kind, key))?,
        };
        let (mut live, mut hidden) = self
            .counts
            .get((tenant, kind))?
            .map_or((0, 0), |g| g.value());
        for (state, add) in [(state(old), false), (state(new), true)] {
            let n = match state {
                Some(false) => &mut live,
                Some(true) => &mut hidden,
                None => continue,
            };
            *n = if add { Some(*n + 1) } else { n.checked_sub(1) }.ok_or_else(|| {
                Fault::Inconsistent(format!("the count of {} records is too low", head.kind))
            })?;
        }
        if live == 0 && hidden == 0 {
            self.counts.remove((tenant, kind))?;
        } else {
            self.counts.insert((tenant, kind), (live, hidden))?;
        }
        Ok(())
    }
}

fn absent(key: u64) -> crate::StoreError {
    codec::damaged(key, "an id points to it, and it is not there".to_owned())
}

/// A number of `meta`; a missing one is 0.
pub(crate) fn number(
    table: &impl ReadableTable<&'static str, u64>,
    name: &'static str,
) -> Inner<u64> {
    Ok(table.get(name)?.map_or(0, |g| g.value()))
}
