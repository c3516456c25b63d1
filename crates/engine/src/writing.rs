//! Writing records: checked, on disk, and seen by every later match.

use crate::{
    Engine, Error,
    entry::day_of,
    error::RecordViolation,
    request::{Write, WriteBatch},
    response::{WriteItem, WriteOutcome, WriteReport},
    tenant::Live,
};
use jiff::Timestamp;
use queqiao_domain::{CheckedRecord, Record, RecordId, TenantId};
use queqiao_retrieval::{Change, Entry};
use queqiao_store::{Batch, Outcome, RequestId};
use std::collections::HashMap;

impl Engine {
    /// Writes a batch, all or nothing. When it returns the batch is on disk and every later
    /// match sees it.
    ///
    /// # Errors
    /// [`Error::Records`] names every broken rule; [`Error::Store`] tells conflicts of id
    /// and etag.
    pub fn write(&self, tenant: &TenantId, batch: WriteBatch) -> Result<WriteReport, Error> {
        let mut violations = Vec::new();
        let mut writes = Vec::with_capacity(batch.writes.len());
        let mut wishes = Wishes::default();
        for (index, write) in batch.writes.into_iter().enumerate() {
            match self.checked(write, &mut wishes) {
                Ok(w) => writes.push(w),
                Err(Broken::Rules(id, found)) => {
                    violations.extend(found.into_iter().map(|violation| RecordViolation {
                        index,
                        id: id.clone(),
                        violation,
                    }));
                }
                Err(Broken::Request(e)) => return Err(e),
            }
        }
        if !violations.is_empty() {
            return Err(Error::Records(violations));
        }
        let request_id = batch
            .request_id
            .map(|id| RequestId::new(uuid::Uuid::from_bytes(id).to_string()))
            .transpose()?;
        let batch = Batch { writes, request_id };
        self.apply(tenant, batch, &wishes)
    }

    /// Checks one write; what the store does not know of it is noted as a wish.
    fn checked(&self, write: Write, wishes: &mut Wishes) -> Result<queqiao_store::Write, Broken> {
        let etag = |e: Option<String>| {
            e.map(|e| e.parse()).transpose().map_err(|why: String| {
                let problem = ("it does not read", "无法识别");
                let expected = (why, "应为读取该记录时得到的 etag");
                Broken::Request(Error::argument("etag", problem, expected))
            })
        };
        Ok(match write {
            Write::Put {
                record,
                etag: expect,
                must_be_new,
                keep_contact,
            } => {
                let id = record.id.clone();
                let checked: CheckedRecord = record
                    .check(&self.options.limits)
                    .map_err(|v| Broken::Rules(id.clone(), v))?;
                if keep_contact && checked.get().contact().is_none() {
                    wishes.keep_contact.push(id);
                }
                let record = Box::new(checked);
                match (must_be_new, etag(expect)?) {
                    (true, _) => queqiao_store::Write::Create { record },
                    (false, expect_etag) => queqiao_store::Write::Upsert {
                        record,
                        expect_etag,
                    },
                }
            }
            Write::Delete {
                id,
                kind,
                etag: expect,
            } => queqiao_store::Write::Delete {
                id,
                kind,
                expect_etag: etag(expect)?,
            },
            Write::Undelete { id, kind } => queqiao_store::Write::Undelete { id, kind },
            Write::Erase { id, kind } => queqiao_store::Write::Erase { id, kind },
        })
    }

    fn apply(
        &self,
        tenant: &TenantId,
        mut batch: Batch,
        wishes: &Wishes,
    ) -> Result<WriteReport, Error> {
        // Embedding may fail and takes longest: it comes before anything changes.
        let put: Vec<(u64, &Record)> = batch
            .writes
            .iter()
            .filter_map(|w| match w {
                queqiao_store::Write::Upsert { record, .. }
                | queqiao_store::Write::Create { record } => Some((0, record.get())),
                _ => None,
            })
            .collect();
        let pipeline = self.pipeline(tenant);
        let mut entries = pipeline.entries(&put)?;
        let held = self.index(tenant)?;
        let writing = held.writing.lock().unwrap_or_else(|e| e.into_inner());
        let live = held.get();
        if live.pipeline.fingerprint() != pipeline.fingerprint() {
            // The model changed meanwhile.
            entries = live.pipeline.entries(&put)?;
        }
        let mut entries = entries.into_iter();
        for id in &wishes.keep_contact {
            self.keep_contact(tenant, id, &mut batch)?;
        }
        let mut back = self.coming_back(&live, tenant, &batch)?;
        let now = Timestamp::now();
        let applied = self.store.apply(tenant, &batch, now)?;
        let mut report = WriteReport {
            seq: applied.tenant_seq,
            store_seq: applied.seq,
            ..WriteReport::default()
        };
        let mut changes = Vec::new();
        for (write, item) in batch.writes.iter().zip(&applied.items) {
            let entry = match write {
                queqiao_store::Write::Upsert { .. } | queqiao_store::Write::Create { .. } => {
                    entries.next()
                }
                _ => None,
            };
            match item.outcome {
                Outcome::Created => report.created += 1,
                Outcome::Updated | Outcome::Undeleted => report.updated += 1,
                Outcome::Unchanged => report.unchanged += 1,
                Outcome::Deleted | Outcome::Erased => report.deleted += 1,
            }
            report.items.push(WriteItem {
                id: item.id.clone(),
                etag: item.etag.to_string(),
                outcome: outcome(item.outcome),
            });
            if applied.replayed {
                continue;
            }
            changes.extend(match item.outcome {
                Outcome::Created | Outcome::Updated => entry.map(|mut e| {
                    e.key = item.key.0;
                    e.facets.changed = Some(day_of(now));
                    Change::Put(Box::new(e))
                }),
                Outcome::Undeleted => back.remove(&item.id).map(|mut e| {
                    e.facets.changed = Some(day_of(now));
                    Change::Put(Box::new(e))
                }),
                Outcome::Deleted | Outcome::Erased => Some(Change::Delete(item.key.0)),
                Outcome::Unchanged => None,
            });
        }
        if !changes.is_empty() {
            held.put_in_line(changes, &applied);
        }
        drop(writing);
        // Also where nothing changed: what an earlier try of this batch changed may still be in line.
        if !held.take_line(tenant) {
            // The batch is on disk: the promise that it is visible is kept by a rebuild.
            self.tenants.rebuild_lost(&held, tenant, &self.store)?;
        }
        Ok(report)
    }

    /// Gives the record of `id` in the batch the contact that is stored, if one is.
    fn keep_contact(
        &self,
        tenant: &TenantId,
        id: &RecordId,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let Some(mut old) = self.store.get_any(tenant, id)? else {
            return Ok(());
        };
        let Some(contact) = old.record.take_contact() else {
            return Ok(());
        };
        for write in &mut batch.writes {
            if let queqiao_store::Write::Upsert { record, .. }
            | queqiao_store::Write::Create { record } = write
                && record.get().id == *id
                && record.get().kind() == old.record.kind()
            {
                let mut with = record.get().clone();
                with.set_contact(Some(contact.clone()));
                // The contact was checked when it was stored; limits may have been lowered since.
                if let Ok(checked) = with.check(&self.options.limits) {
                    **record = checked;
                }
            }
        }
        Ok(())
    }

    /// What the index gets of the records that a batch undeletes, by id.
    fn coming_back(
        &self,
        live: &Live,
        tenant: &TenantId,
        batch: &Batch,
    ) -> Result<HashMap<RecordId, Entry>, Error> {
        let mut back = HashMap::new();
        for write in &batch.writes {
            if let queqiao_store::Write::Undelete { id, .. } = write
                && let Some(stored) = self.store.get_any(tenant, id)?
            {
                let entries = live.pipeline.stored_entries(&[stored])?;
                back.extend(entries.into_iter().map(|e| (id.clone(), e)));
            }
        }
        Ok(back)
    }
}

/// What callers ask of a batch beyond what the store knows.
#[derive(Default)]
struct Wishes {
    keep_contact: Vec<RecordId>,
}

fn outcome(o: Outcome) -> WriteOutcome {
    match o {
        Outcome::Created => WriteOutcome::Created,
        Outcome::Updated => WriteOutcome::Updated,
        Outcome::Unchanged => WriteOutcome::Unchanged,
        Outcome::Deleted => WriteOutcome::Deleted,
        Outcome::Undeleted => WriteOutcome::Undeleted,
        Outcome::Erased => WriteOutcome::Erased,
    }
}

enum Broken {
    Rules(RecordId, Vec<queqiao_domain::Violation>),
    Request(Error),
}
