//! The engine: one data folder, one model, any number of tenants.

use crate::{
    Artefacts, Error,
    activity::ActivityBook,
    entry::{TextPipeline, day_of},
    error::RecordViolation,
    request::{ListRequest, Write, WriteBatch},
    response::{Page, Statistics, Stored, WriteItem, WriteOutcome, WriteReport},
    tenant::{Live, TenantIndex, Tenants},
};
use jiff::Timestamp;
use queqiao_domain::{
    CheckLimits, CheckedRecord, Date, DisclosureStage, Facets, Kind, Record, RecordId, TenantId,
    Visibility,
};
use queqiao_embed::{Embedder, ModelFingerprint};
use queqiao_ranking::{Calibration, Weights};
use queqiao_retrieval::{CanaryFigures, Change, Entry, Index, IndexOptions, Recall};
use queqiao_store::{Batch, ListQuery, Outcome, RecordKey, RequestId, Store, StoredRecord};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// How an engine is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// How large a record may be.
    pub limits: CheckLimits,
    /// Weights of the scorer; none means those that the data folder adopted, or what ships.
    pub weights: Option<Weights>,
    /// Experts are matched only with a consent on record.
    pub needs_consent: bool,
    /// The file of the master key, where it is kept outside the data folder.
    pub master_key: Option<PathBuf>,
    /// Days over which changes can be undone in a backup, 0 for none. Where none is given, a history that is
    /// there goes on, and only a new folder gets one.
    pub history_days: Option<u32>,
    /// Threads that build graphs beside the answers, one set for each tenant; 0 is half of the cores.
    pub graph_threads: usize,
}

impl EngineOptions {
    /// How indexes are made and opened.
    fn index(&self) -> IndexOptions {
        let default = IndexOptions::default();
        match self.graph_threads {
            0 => default,
            threads => IndexOptions { threads, ..default },
        }
    }
}

/// The engine. Safe to share between threads; every method blocks.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) tenants: Tenants,
    /// Held while the model changes.
    changing: Mutex<()>,
    pub(crate) options: EngineOptions,
    /// The live weights.
    pub(crate) weights: Weights,
    /// What their scores mean, if that is known.
    pub(crate) calibration: Option<Calibration>,
    /// What came of whom, where weights ask for it.
    pub(crate) activity: ActivityBook,
}

impl Engine {
    /// Opens the data folder `data`, making it when it is missing, and brings the index of every
    /// tenant in step with the store.
    ///
    /// Errors: the folder is in use, is no data folder, or is damaged; an index cannot be written.
    pub fn open(
        data: &Path,
        embedder: Arc<dyn Embedder>,
        options: EngineOptions,
    ) -> Result<Self, Error> {
        let mut stored = queqiao_store::Options {
            master_key: options.master_key.clone(),
            ..queqiao_store::Options::default()
        };
        match options.history_days {
            Some(days) => stored.history_days = days,
            None => stored.begin_history = false,
        }
        let store = Store::open_with(data, &stored)?;
        let artefacts = Artefacts::of(data);
        let weights = match &options.weights {
            Some(w) => w.clone(),
            None => artefacts.weights()?,
        };
        let this = Self {
            calibration: artefacts.calibration(&weights)?,
            activity: ActivityBook::default(),
            weights,
            tenants: Tenants::new(
                data.join("index"),
                TextPipeline::new(embedder),
                options.index(),
            ),
            changing: Mutex::new(()),
            store,
            options,
        };
        for tenant in this.store.tenants()? {
            this.index(&tenant)?;
        }
        Ok(this)
    }

    /// The model that embeds the texts.
    pub fn model(&self) -> ModelFingerprint {
        self.tenants.pipeline().embedder.fingerprint().clone()
    }

    /// Embeds everything with another model, beside the indexes that answer meanwhile; each
    /// tenant's index is swapped at once, and no answer mixes the two. Returns when all are. The
    /// next start is with the model that is then given to [`open`](Self::open).
    ///
    /// Errors: a text could not be embedded, an index not be written. Tenants reached before stay
    /// with the new model, the others with the old one; asking again goes on from there.
    pub fn change_model(&self, embedder: Arc<dyn Embedder>) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(|e| e.into_inner());
        self.tenants
            .change_pipeline(&self.store, &TextPipeline::new(embedder))
    }

    /// How the tenant's texts are read: as its index was made.
    fn pipeline(&self, tenant: &TenantId) -> TextPipeline {
        match self.tenants.find(tenant) {
            Some(held) => held.get().pipeline.clone(),
            None => self.tenants.pipeline(),
        }
    }

    /// The embedding model, for scores of texts that are not stored.
    pub fn embedder(&self) -> Arc<dyn Embedder> {
        self.tenants.pipeline().embedder
    }

    /// The store, to back it up or check it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Why the engine does not answer in full, if it does not.
    pub fn health(&self) -> Result<(), String> {
        self.tenants.degraded().map_or(Ok(()), Err)
    }

    fn index(&self, tenant: &TenantId) -> Result<Arc<TenantIndex>, Error> {
        self.tenants.get(tenant, &self.store)
    }

    /// Writes a batch, all or nothing. When it returns the batch is on disk and every later
    /// match sees it.
    ///
    /// Errors: [`Error::Records`] names every broken rule; [`Error::Store`] tells conflicts of id
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
                Broken::Request(Error::argument("etag", "it does not read", why))
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

    /// The record of an id. Its contact is taken out. A deleted record is found when
    /// `show_deleted`, with its delete time.
    pub fn get(
        &self,
        tenant: &TenantId,
        kind: Option<Kind>,
        id: &RecordId,
        show_deleted: bool,
    ) -> Result<Stored, Error> {
        let found = if show_deleted {
            self.store.get_any(tenant, id)?
        } else {
            self.store.get(tenant, id)?
        };
        let found = found.filter(|r| kind.is_none_or(|k| k == r.record.kind()));
        let mut stored = stored(found.ok_or_else(|| not_found(tenant, kind, id))?);
        stored.record.take_contact();
        Ok(stored)
    }

    pub(crate) fn find_record(
        &self,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<StoredRecord, Error> {
        self.store
            .get(tenant, id)?
            .ok_or_else(|| not_found(tenant, None, id))
    }

    /// A page of records, in the order in which they were first stored. Contacts are taken out.
    pub fn list(&self, tenant: &TenantId, request: &ListRequest) -> Result<Page, Error> {
        let size = match request.page_size {
            0 => 50,
            n => n.min(1_000),
        };
        let mut page = Page::default();
        let mut after = request.after.map(RecordKey);
        let snapshot = self.store.snapshot()?;
        loop {
            let rows = snapshot.list(
                tenant,
                &ListQuery {
                    kind: request.kind,
                    after,
                    limit: size,
                    show_deleted: request.show_deleted,
                },
            )?;
            let more = rows.next.is_some();
            for r in rows.records {
                after = Some(r.key);
                let facets = Facets::of(&r.record);
                let passes = match request.as_everyone {
                    true => facets.openly_matches(&request.filter),
                    false => request.filter.matches(&facets),
                };
                if passes {
                    let mut s = stored(r);
                    s.record.take_contact();
                    if request.as_everyone {
                        if s.record.visibility == Visibility::Sealed {
                            s.etag.clear();
                        }
                        s.record = s.record.seen_at(DisclosureStage::Clauses);
                    }
                    page.records.push(s);
                    if page.records.len() == size {
                        break;
                    }
                }
            }
            if page.records.len() == size || !more {
                let full = page.records.len() == size;
                page.next = (full && (more || self.has_more(tenant, request, after)?))
                    .then(|| after.map(|k| k.0))
                    .flatten();
                return Ok(page);
            }
        }
    }

    fn has_more(
        &self,
        tenant: &TenantId,
        request: &ListRequest,
        after: Option<RecordKey>,
    ) -> Result<bool, Error> {
        let rest = self.store.list(
            tenant,
            &ListQuery {
                kind: request.kind,
                after,
                limit: 1,
                show_deleted: request.show_deleted,
            },
        )?;
        Ok(!rest.records.is_empty())
    }

    /// Every live record with its contact, for the operator's own export: `each` is called in the
    /// order in which records were first stored.
    pub fn export(
        &self,
        tenant: &TenantId,
        kind: Option<Kind>,
        mut each: impl FnMut(&Record) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for record in self.store.scan(Some(tenant))? {
            let record = record?.record;
            if kind.is_none_or(|k| k == record.kind()) {
                each(&record)?;
            }
        }
        Ok(())
    }

    /// Figures about a tenant.
    pub fn statistics(&self, tenant: &TenantId, today: Date) -> Result<Statistics, Error> {
        let held = self.tenants.find(tenant);
        let live = held.as_ref().map(|t| t.get());
        let backlog = live.as_ref().map(|l| l.index.backlog());
        let backlog = backlog.unwrap_or_default();
        let records = Kind::ALL
            .into_iter()
            .map(|k| Ok((k, self.store.count(tenant, Some(k))?)))
            .collect::<Result<_, Error>>()?;
        Ok(Statistics {
            records,
            passages: live.as_ref().map_or(0, |l| l.index.passages()),
            pending_passages: backlog.passages,
            indexing: backlog.busy,
            store_seq: self.store.snapshot()?.tenant_seq(tenant)?,
            index_seq: held
                .zip(live.as_ref())
                .map_or(0, |(t, l)| t.own_seq(l.index.seq())),
            health: match live.as_ref().map(|l| l.index.health()) {
                None | Some(queqiao_retrieval::Health::Serving) => "serving".to_owned(),
                Some(queqiao_retrieval::Health::Degraded(why)) => why,
            },
            model: live
                .map_or_else(
                    || self.model(),
                    |l| l.pipeline.embedder.fingerprint().clone(),
                )
                .to_string(),
            day: today,
        })
    }

    /// How much of what is near the tenant's graphs find, asked `questions` questions; `None` while
    /// every record is compared. Matches and writes go on meanwhile.
    pub fn measure_recall(&self, tenant: &TenantId, questions: usize) -> Option<Recall> {
        let live = self.tenants.find(tenant)?.get();
        live.index.measure_recall(questions)
    }

    /// What a sampled share of the tenant's questions, asked once more of everyone, says of its
    /// graphs.
    pub fn canary(&self, tenant: &TenantId) -> CanaryFigures {
        let live = self.tenants.find(tenant).map(|t| t.get());
        live.map_or_else(CanaryFigures::default, |l| l.index.canary())
    }

    /// Builds the tenant's index anew from the store. Matches and writes go on meanwhile.
    pub fn rebuild(&self, tenant: &TenantId) -> Result<(), Error> {
        let Some(held) = self.tenants.find(tenant) else {
            return Ok(());
        };
        let pipeline = held.get().pipeline.clone();
        self.tenants.rebuild(tenant, &self.store, pipeline)
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

fn not_found(tenant: &TenantId, kind: Option<Kind>, id: &RecordId) -> Error {
    Error::NotFound {
        tenant: tenant.clone(),
        kind,
        id: id.clone(),
    }
}

enum Broken {
    Rules(RecordId, Vec<queqiao_domain::Violation>),
    Request(Error),
}

pub(crate) fn stored(r: StoredRecord) -> Stored {
    Stored {
        record: r.record,
        etag: r.etag.to_string(),
        create_time: r.create_time.as_millisecond(),
        update_time: r.update_time.as_millisecond(),
        delete_time: r.delete_time.map(|t| t.as_millisecond()),
        purge_time: r.purge_time.map(|t| t.as_millisecond()),
    }
}
