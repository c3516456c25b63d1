//! Requests already done, so that a retry applies once.
//!
//! The answer is stored in the write's own transaction: there is no moment at which a batch is
//! done and its request id unknown.

use crate::{
    Applied, Batch, Etag, Item, Outcome, RecordKey, RequestId, StoreError, Write,
    codec::{self, Body, Row},
    error::{Fault, Inner},
    tables::{Tables, meta, number},
    vault::Vault,
};
use queqiao_domain::TenantId;
use redb::{ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};

/// How long requests are remembered: until any of the bounds is passed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Milliseconds.
    pub(crate) ms: i64,
    /// Requests of all tenants.
    pub(crate) requests: u64,
    /// Writes of all requests.
    pub(crate) items: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Keep {
            ms: 24 * 3600 * 1000,
            requests: 100_000,
            items: 2_000_000,
        }
    }
}

/// At most so many are forgotten per write: no write pays for a backlog.
const FORGET_AT_ONCE: usize = 64;

/// What is kept of a request beside its answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestHead {
    pub(crate) tenant: String,
    pub(crate) request_id: String,
    digest: String,
    time: i64,
    seq: u64,
    /// Not there where the request was done before tenants had numbers of their own.
    tenant_seq: Option<u64>,
    pub(crate) items: u64,
}

/// An item of the answer. The id is not kept: the retry brings it.
type StoredItem = (u8, u64, u64, String);

/// A hash of all that a batch asks for, so that one id is not taken for two requests.
pub(crate) fn digest(vault: &Vault, batch: &Batch, etags: &[Option<Etag>]) -> String {
    let mut h = blake3::Hasher::new();
    let mut field = |tag: u8, bytes: &[u8]| {
        h.update(&[tag]);
        h.update(&(bytes.len() as u64).to_le_bytes());
        h.update(bytes);
    };
    for (write, content) in batch.writes.iter().zip(etags) {
        let (tag, kind, expect) = match write {
            Write::Upsert {
                record,
                expect_etag,
            } => (1, Some(record.get().kind()), *expect_etag),
            Write::Create { record } => (5, Some(record.get().kind()), None),
            Write::Delete {
                kind, expect_etag, ..
            } => (2, *kind, *expect_etag),
            Write::Undelete { kind, .. } => (3, *kind, None),
            Write::Erase { kind, .. } => (4, *kind, None),
        };
        field(tag, write.id().as_str().as_bytes());
        field(10, kind.map_or("", |k| k.as_str()).as_bytes());
        field(11, content.as_ref().map_or(&[], |e| &e.0));
        field(12, expect.as_ref().map_or(&[], |e| &e.0));
    }
    keyed(vault, &h.finalize().to_hex())
}

/// What is kept of a digest: it does not tell to others whether a text was one they guess.
fn keyed(vault: &Vault, digest: &str) -> String {
    let mut h = vault.mac("queqiao store: requests");
    h.update(digest.as_bytes());
    h.finalize().to_hex().to_string()
}

/// A row of format 1 as it is now.
pub(crate) fn migrated(vault: &Vault, n: u64, row: &[u8]) -> Result<Vec<u8>, String> {
    let row = Row::read(n, row)?;
    let mut head: RequestHead = row.head()?;
    head.digest = keyed(vault, &head.digest);
    let body = row.plain().seal_common(vault, n)?;
    codec::write(n, &head, &body).ok_or_else(|| "its head is too long".to_owned())
}

impl Tables<'_> {
    /// The answer given before under this id, if it was for the same request.
    pub(crate) fn replay(
        &self,
        vault: &Vault,
        tenant: &TenantId,
        id: &RequestId,
        digest: &str,
        batch: &Batch,
    ) -> Inner<Option<Applied>> {
        let Some(n) = self.request_ids.get((tenant.as_str(), id.as_str()))? else {
            return Ok(None);
        };
        let n = n.value();
        let damaged = |why: String| Fault::Inconsistent(format!("request {n}: {why}"));
        let row = self
            .requests
            .get(n)?
            .ok_or_else(|| damaged("its row is not there".to_owned()))?;
        let row = Row::read(n, row.value()).map_err(damaged)?;
        let head: RequestHead = row.head().map_err(damaged)?;
        if head.digest != digest {
            return Err(StoreError::RequestReused {
                request_id: id.as_str().to_owned(),
            }
            .into());
        }
        let body = row.open_common(vault, n).map_err(damaged)?;
        let stored: Vec<StoredItem> = body.value().map_err(damaged)?;
        if stored.len() != batch.writes.len() {
            return Err(damaged("its answer has another length".to_owned()));
        }
        let items = batch
            .writes
            .iter()
            .zip(stored)
            .map(|(write, (outcome, key, seq, etag))| {
                Ok(Item {
                    id: write.id().clone(),
                    key: RecordKey(key),
                    seq,
                    etag: etag.parse().map_err(damaged)?,
                    outcome: *Outcome::ALL
                        .get(usize::from(outcome))
                        .ok_or_else(|| damaged(format!("outcome {outcome} is not known")))?,
                })
            })
            .collect::<Inner<_>>()?;
        Ok(Some(Applied {
            seq: head.seq,
            tenant_seq: match head.tenant_seq {
                Some(own) => own,
                None => self.own_seq(tenant)?,
            },
            replayed: true,
            items,
        }))
    }

    /// Remembers a request and its answer, and forgets what is too old.
    pub(crate) fn remember(
        &mut self,
        vault: &Vault,
        tenant: &TenantId,
        (id, digest): (&RequestId, String),
        applied: &Applied,
        now: i64,
        keep: &Keep,
    ) -> Inner<()> {
        let n = number(&self.meta, meta::NEXT_REQUEST)?;
        let items: Vec<StoredItem> = applied
            .items
            .iter()
            .map(|i| {
                let outcome = Outcome::ALL.iter().position(|o| *o == i.outcome);
                let outcome = outcome
                    .and_then(|o| u8::try_from(o).ok())
                    .unwrap_or(u8::MAX);
                (outcome, i.key.0, i.seq, i.etag.to_string())
            })
            .collect();
        let head = RequestHead {
            tenant: tenant.to_string(),
            request_id: id.as_str().to_owned(),
            digest,
            time: now,
            seq: applied.seq,
            tenant_seq: Some(applied.tenant_seq),
            items: items.len() as u64,
        };
        let row = serde_json::to_vec(&items)
            .ok()
            .and_then(|json| Body::pack(json).seal_common(vault, n).ok())
            .and_then(|body| codec::write(n, &head, &body))
            .ok_or_else(|| Fault::Inconsistent(format!("request {n} cannot be written")))?;
        self.requests.insert(n, row.as_slice())?;
        self.request_ids.insert((tenant.as_str(), id.as_str()), n)?;
        self.meta.insert(meta::NEXT_REQUEST, n + 1)?;
        let total = number(&self.meta, meta::REQUEST_ITEMS)? + head.items;
        self.meta.insert(meta::REQUEST_ITEMS, total)?;
        self.forget(now, keep)
    }

    fn forget(&mut self, now: i64, keep: &Keep) -> Inner<()> {
        let mut total = number(&self.meta, meta::REQUEST_ITEMS)?;
        for _ in 0..FORGET_AT_ONCE {
            let Some((n, head)) = self.oldest_request()? else {
                break;
            };
            let old = head.time < now.saturating_sub(keep.ms);
            // The newest always stays: it is the one just done.
            let many = self.requests.len()? > 1
                && (self.requests.len()? > keep.requests || total > keep.items);
            if !(old || many) {
                break;
            }
            self.requests.remove(n)?;
            self.request_ids
                .remove((head.tenant.as_str(), head.request_id.as_str()))?;
            total = total.saturating_sub(head.items);
        }
        self.meta.insert(meta::REQUEST_ITEMS, total)?;
        Ok(())
    }

    /// Forgets the requests that were done after `moment`, in milliseconds, or from change `seq` on.
    pub(crate) fn forget_after(&mut self, moment: i64, seq: u64) -> Inner<()> {
        let mut late = Vec::new();
        for row in self.requests.iter()? {
            let (n, row) = row?;
            let n = n.value();
            let head: RequestHead = Row::read(n, row.value())
                .and_then(|row| row.head())
                .map_err(|why| Fault::Inconsistent(format!("request {n}: {why}")))?;
            if head.time > moment || head.seq >= seq {
                late.push((n, head));
            }
        }
        let mut total = number(&self.meta, meta::REQUEST_ITEMS)?;
        for (n, head) in late {
            self.requests.remove(n)?;
            self.request_ids
                .remove((head.tenant.as_str(), head.request_id.as_str()))?;
            total = total.saturating_sub(head.items);
        }
        self.meta.insert(meta::REQUEST_ITEMS, total)?;
        Ok(())
    }

    fn oldest_request(&self) -> Inner<Option<(u64, RequestHead)>> {
        let Some((n, row)) = self.requests.first()? else {
            return Ok(None);
        };
        let n = n.value();
        let head = Row::read(n, row.value())
            .and_then(|row| row.head())
            .map_err(|why| Fault::Inconsistent(format!("request {n}: {why}")))?;
        Ok(Some((n, head)))
    }
}
