//! Writing: a batch is checked, applied and made durable in one transaction.

use crate::{
    Applied, Batch, Cause, Etag, Item, Outcome, RecordKey, Rejection, Store, StoreError, Write,
    codec::{Body, Head},
    error::{Fault, Inner},
    handle::End,
    ledger,
    request::digest,
    tables::{Present, Tables},
    vault::Vault,
};
use jiff::Timestamp;
use queqiao_domain::{Kind, Record, RecordId, TenantId};
use std::collections::HashMap;

/// Records purged in one transaction.
const PURGE_AT_ONCE: usize = 500;
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;

/// A write with all that can be made ready before the writer's lock is taken.
struct Prepared<'a> {
    write: &'a Write,
    /// The new content, for an upsert.
    content: Option<(Etag, Body)>,
}

impl Store {
    /// Does the writes of a batch for one tenant, all or none, and answers when they are on disk.
    /// Readers that begin after the answer see them.
    ///
    /// `now` becomes the time of the change. A batch with a request id that was done before is not
    /// done again: its first answer comes back, `replayed`.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] tells every write that cannot be done; [`StoreError::RequestReused`];
    /// [`StoreError::DiskFull`]; [`StoreError::Io`]; [`StoreError::Damaged`],
    /// [`StoreError::DamagedRecord`]. Nothing of the batch is stored then.
    pub fn apply(
        &self,
        tenant: &TenantId,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        let duplicates = duplicates(batch);
        if !duplicates.is_empty() {
            return Err(StoreError::Rejected {
                of: batch.writes.len(),
                items: duplicates,
            });
        }
        let prepared = prepare(batch)?;
        let digest = batch.request_id.as_ref().map(|_| {
            let etags: Vec<_> = prepared
                .iter()
                .map(|p| p.content.as_ref().map(|c| c.0))
                .collect();
            digest(self.handle.vault(), batch, &etags)
        });
        let request = batch.request_id.as_ref().zip(digest);
        let now = now.as_millisecond();
        let purge = now.saturating_add(i64::from(self.options.purge_after_days) * DAY_MS);
        let vault = self.handle.vault();
        let applied = self.handle.write("writing", |txn| {
            let mut t = Tables::open(txn)?;
            if let Some((id, digest)) = &request
                && let Some(applied) = t.replay(vault, tenant, id, digest, batch)?
            {
                return Ok(End::Abort(applied));
            }
            let before = t.last_seq();
            let mut items = Vec::with_capacity(prepared.len());
            let mut rejected = Vec::new();
            for (index, p) in prepared.iter().enumerate() {
                let id = p.write.id();
                match one(&mut t, vault, tenant, p, now, purge)? {
                    Ok((key, seq, etag, outcome)) => items.push(Item {
                        id: id.clone(),
                        key: RecordKey(key),
                        seq,
                        etag,
                        outcome,
                    }),
                    Err(cause) => rejected.push(Rejection {
                        index,
                        id: id.clone(),
                        cause,
                    }),
                }
            }
            if !rejected.is_empty() {
                return Err(StoreError::Rejected {
                    of: batch.writes.len(),
                    items: rejected,
                }
                .into());
            }
            for item in items.iter().filter(|i| i.outcome == Outcome::Erased) {
                ledger::forget(txn, tenant.as_str(), item.id.as_str())?;
            }
            let applied = Applied {
                seq: t.last_seq(),
                tenant_seq: t.count_for(tenant, before)?,
                replayed: false,
                items,
            };
            if let Some((id, digest)) = request {
                t.remember(vault, tenant, (id, digest), &applied, now, &self.keep)?;
            } else if applied.seq == before {
                return Ok(End::Abort(applied));
            }
            t.save()?;
            Ok(End::Commit(applied))
        })?;
        if applied.items.iter().any(|i| i.outcome == Outcome::Erased)
            && let Err(error) = self.finish_erasures()
        {
            // The batch is done: whoever asks for the receipt is told, and may try again.
            tracing::error!(%error, "keys of erased records are not destroyed yet");
        }
        Ok(applied)
    }

    /// Removes for good every deleted record whose purge time is not after `now`, and returns how
    /// many; then forgets the history older than [`Options::history_days`](crate::Options::history_days).
    /// It works in steps of some hundred records, so writers are not held up.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`], [`StoreError::Damaged`]; records purged in
    /// the steps before stay purged.
    pub fn purge_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_millisecond();
        let mut purged = 0;
        loop {
            let step = self.handle.write("purging", |txn| {
                let mut t = Tables::open(txn)?;
                let keys = t.expired(now, PURGE_AT_ONCE)?;
                for key in &keys {
                    let head = t.head(*key)?;
                    t.erase(self.handle.vault(), *key, &head, now)?;
                    ledger::forget(txn, head.tenant.as_str(), head.id.as_str())?;
                }
                if keys.is_empty() {
                    return Ok(End::Abort(0));
                }
                t.save()?;
                Ok(End::Commit(keys.len()))
            })?;
            purged += step as u64;
            if step < PURGE_AT_ONCE {
                break;
            }
        }
        if purged > 0 {
            self.finish_erasures()?;
            tracing::info!(records = purged, "purged deleted records");
        }
        self.trim_history(now)?;
        Ok(purged)
    }
}

fn duplicates(batch: &Batch) -> Vec<Rejection> {
    let mut seen: HashMap<&RecordId, usize> = HashMap::with_capacity(batch.writes.len());
    let mut out = Vec::new();
    for (index, write) in batch.writes.iter().enumerate() {
        let first = *seen.entry(write.id()).or_insert(index);
        if first != index {
            out.push(Rejection {
                index,
                id: write.id().clone(),
                cause: Cause::Duplicate { first },
            });
        }
    }
    out
}

fn prepare(batch: &Batch) -> Result<Vec<Prepared<'_>>, StoreError> {
    batch
        .writes
        .iter()
        .map(|write| {
            let content = match write {
                Write::Upsert { record, .. } | Write::Create { record } => {
                    Some(content(record.get())?)
                }
                _ => None,
            };
            Ok(Prepared { write, content })
        })
        .collect()
}

fn content(record: &Record) -> Result<(Etag, Body), StoreError> {
    let json = serde_json::to_vec(record).map_err(|e| StoreError::Io {
        doing: "writing a record as JSON for",
        path: record.id.as_str().into(),
        source: e.into(),
    })?;
    Ok((Etag::of(&json), Body::pack(json)))
}

type Done = (u64, u64, Etag, Outcome);

/// Does one write. The outer error ends the batch at once, the inner one rejects this write.
fn one(
    t: &mut Tables<'_>,
    vault: &Vault,
    tenant: &TenantId,
    p: &Prepared<'_>,
    now: i64,
    purge: i64,
) -> Inner<Result<Done, Cause>> {
    let id = p.write.id();
    let found = t.find(tenant, id)?;
    let (kind, expect) = match p.write {
        Write::Upsert {
            record,
            expect_etag,
        } => (Some(record.get().kind()), *expect_etag),
        Write::Create { record } => (Some(record.get().kind()), None),
        Write::Delete {
            kind, expect_etag, ..
        } => (*kind, *expect_etag),
        Write::Undelete { kind, .. } | Write::Erase { kind, .. } => (*kind, None),
    };
    let Some((key, existing)) = found else {
        return create(t, vault, tenant, p, kind, expect, now);
    };
    if let Some(given) = kind
        && given != existing
    {
        return Ok(Err(Cause::KindConflict { existing, given }));
    }
    if matches!(p.write, Write::Erase { .. }) {
        // Also a record whose text can no longer be read.
        let head = t.head(key)?;
        let seq = t.erase(vault, key, &head, now)?;
        return Ok(Ok((key, seq, head.etag, Outcome::Erased)));
    }
    let Present { key, head, body } = t.present(vault, key)?;
    if let Some(given) = expect
        && given != head.etag
    {
        return Ok(Err(Cause::StaleEtag {
            given,
            current: Some(head.etag),
        }));
    }
    let live = head.deleted.is_none();
    if live && matches!(p.write, Write::Create { .. }) {
        return Ok(Err(Cause::Exists));
    }
    let mut new = Head {
        updated: now,
        deleted: None,
        purge: None,
        ..head.clone()
    };
    let done = match (p.write, &p.content) {
        (Write::Upsert { .. }, Some((etag, _))) if live && *etag == head.etag => {
            (key, head.seq, head.etag, Outcome::Unchanged)
        }
        (Write::Upsert { .. } | Write::Create { .. }, Some((etag, body))) => {
            new.etag = *etag;
            (
                key,
                t.put(vault, key, Some(&head), &mut new, body)?,
                *etag,
                Outcome::Updated,
            )
        }
        (Write::Upsert { .. } | Write::Create { .. }, None) => return Err(unprepared()),
        (Write::Delete { .. }, _) if !live => return Ok(Err(Cause::NotFound)),
        (Write::Delete { .. }, _) => {
            new.deleted = Some(now);
            new.purge = Some(purge);
            (
                key,
                t.put(vault, key, Some(&head), &mut new, &body)?,
                head.etag,
                Outcome::Deleted,
            )
        }
        (Write::Undelete { .. }, _) if live => return Ok(Err(Cause::NotDeleted)),
        (Write::Undelete { .. }, _) => (
            key,
            t.put(vault, key, Some(&head), &mut new, &body)?,
            head.etag,
            Outcome::Undeleted,
        ),
        (Write::Erase { .. }, _) => return Err(unprepared()),
    };
    Ok(Ok(done))
}

/// A write to an id that is not there.
fn create(
    t: &mut Tables<'_>,
    vault: &Vault,
    tenant: &TenantId,
    p: &Prepared<'_>,
    kind: Option<Kind>,
    expect: Option<Etag>,
    now: i64,
) -> Inner<Result<Done, Cause>> {
    if !matches!(p.write, Write::Upsert { .. } | Write::Create { .. }) {
        return Ok(Err(Cause::NotFound));
    }
    if let Some(given) = expect {
        return Ok(Err(Cause::StaleEtag {
            given,
            current: None,
        }));
    }
    let (Some((etag, body)), Some(kind)) = (&p.content, kind) else {
        return Err(unprepared());
    };
    let (key, mut head) = t.create(vault, tenant, p.write.id(), kind, *etag, now)?;
    let seq = t.put(vault, key, None, &mut head, body)?;
    Ok(Ok((key, seq, *etag, Outcome::Created)))
}

fn unprepared() -> Fault {
    Fault::Inconsistent("an upsert came without its content".to_owned())
}
