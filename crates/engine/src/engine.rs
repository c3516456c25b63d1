//! The engine: one data folder, one model, any number of tenants.

use crate::{
    Error,
    conditions::Conditions,
    entry::TextPipeline,
    error::RecordViolation,
    matching::{Ranked, Ranking},
    question::Question,
    quoting::Quoter,
    request::{Ask, ListRequest, MAX_BATCH, MAX_K, MatchRequest, Write, WriteBatch},
    response::{
        Match, MatchResponse, Note, Page, Statistics, Stored, WriteItem, WriteOutcome, WriteReport,
    },
    tenant::{TenantIndex, Tenants},
};
use jiff::Timestamp;
use queqiao_domain::{
    Bilingual, CheckLimits, CheckedRecord, Date, Facets, Field, Filter, Kind, Op, Record, RecordId,
    TenantId, Value, Visibility,
};
use queqiao_embed::{Embedder, ModelFingerprint};
use queqiao_ranking::Weights;
use queqiao_retrieval::{Change, Entry, Index, Mode, Query, SearchResult};
use queqiao_store::{Batch, ListQuery, Outcome, RecordKey, RequestId, Store, StoredRecord};
use rayon::prelude::*;
use std::{path::Path, sync::Arc, time::Instant};

/// Below this share of known characters an answer says that the model knows little of the text.
const LOW_COVERAGE: f32 = 0.6;

/// How an engine is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// How large a record may be.
    pub limits: CheckLimits,
    /// Weights of the scorer.
    pub weights: Weights,
}

/// The engine. Safe to share between threads; every method blocks.
pub struct Engine {
    store: Store,
    tenants: Tenants,
    pipeline: TextPipeline,
    options: EngineOptions,
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
        let store = Store::open(data)?;
        let this = Self {
            tenants: Tenants::new(data.join("index")),
            pipeline: TextPipeline::new(embedder),
            store,
            options,
        };
        for tenant in this.store.tenants()? {
            this.index(&tenant)?;
        }
        Ok(this)
    }

    /// The model that embeds the texts.
    pub fn model(&self) -> &ModelFingerprint {
        self.pipeline.embedder.fingerprint()
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
        self.tenants.get(tenant, &self.store, &self.pipeline)
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
        let mut entries = self.pipeline.entries(&put)?.into_iter();
        let held = self.index(tenant)?;
        let _writing = held.writing.lock().unwrap_or_else(|e| e.into_inner());
        for id in &wishes.keep_contact {
            self.keep_contact(tenant, id, &mut batch)?;
        }
        let applied = self.store.apply(tenant, &batch, Timestamp::now())?;
        let mut report = WriteReport {
            seq: applied.seq,
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
                Outcome::Created | Outcome::Updated => entry.map(|e| {
                    Change::Put(Box::new(Entry {
                        key: item.key.0,
                        ..e
                    }))
                }),
                Outcome::Undeleted => self.stored_entry(item.key)?,
                Outcome::Deleted | Outcome::Erased => Some(Change::Delete(item.key.0)),
                Outcome::Unchanged => None,
            });
        }
        if !changes.is_empty()
            && let Err(e) = held.get().apply(changes, applied.seq)
        {
            // The batch is on disk: the promise that it is visible is kept by a rebuild.
            tracing::error!(%tenant, "the index did not take a batch and is rebuilt: {e}");
            self.tenants
                .rebuild_locked(&held, tenant, &self.store, &self.pipeline)?;
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

    fn stored_entry(&self, key: RecordKey) -> Result<Option<Change>, Error> {
        let stored = self.store.get_many(&[key])?.into_iter().flatten().next();
        let Some(stored) = stored else {
            return Ok(None);
        };
        let entries = self.pipeline.entries(&[(key.0, &stored.record)])?;
        Ok(entries.into_iter().next().map(|e| Change::Put(Box::new(e))))
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

    fn find_record(&self, tenant: &TenantId, id: &RecordId) -> Result<StoredRecord, Error> {
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
                if request.filter.matches(&Facets::of(&r.record)) {
                    let mut s = stored(r);
                    s.record.take_contact();
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

    /// Ranked matches for a need, a text, or anyone who offers help.
    pub fn find_matches(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
    ) -> Result<MatchResponse, Error> {
        check_k(request.k)?;
        let question = self.question(tenant, request)?;
        let (ranked, found) = self.rank(tenant, request, &question, request.k)?;
        let quoter = request
            .quotes
            .then(|| Quoter::new(&self.pipeline, &question))
            .transpose()?;
        let top: Vec<&Ranked> = ranked.iter().take(request.k).collect();
        let records = match &quoter {
            Some(_) => {
                let keys: Vec<RecordKey> = top.iter().map(|r| RecordKey(r.candidate.key)).collect();
                self.store.get_many(&keys)?
            }
            None => vec![None; top.len()],
        };
        let matches = top
            .par_iter()
            .zip(records)
            .enumerate()
            .map(|(i, (r, record))| {
                check_deadline(request, "quoting")?;
                one_match(i + 1, r, record.as_ref(), quoter.as_ref())
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(MatchResponse {
            match_id: uuid::Uuid::now_v7().to_string(),
            notes: self.notes(tenant, request, &question, &found)?,
            matches,
            admitted: found.admitted,
            total: found.total,
            seq: found.seq,
            model: self.model().to_string(),
            weights: self.options.weights.version.clone(),
        })
    }

    /// Many requests at once, on all cores; one that fails does not fail the others.
    pub fn find_matches_batch(
        &self,
        tenant: &TenantId,
        requests: &[MatchRequest],
    ) -> Result<Vec<Result<MatchResponse, Error>>, Error> {
        if requests.is_empty() || requests.len() > MAX_BATCH {
            return Err(Error::argument(
                "requests",
                format!("{} requests", requests.len()),
                format!("expected 1 to {MAX_BATCH}"),
            ));
        }
        Ok(requests
            .par_iter()
            .map(|r| self.find_matches(tenant, r))
            .collect())
    }

    /// The match of one given record, whatever its rank, which is told.
    ///
    /// Errors: [`Error::Excluded`] when a condition keeps the record out, with the condition.
    pub fn explain(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        candidate: &RecordId,
    ) -> Result<Match, Error> {
        let question = self.question(tenant, request)?;
        let stored = self.find_record(tenant, candidate)?;
        let facets = Facets::of(&stored.record);
        if let Some(reason) = self.exclusion(request, &question, &facets) {
            return Err(Error::Excluded {
                id: candidate.clone(),
                reason,
            });
        }
        let (ranked, _) = self.rank(tenant, request, &question, usize::MAX)?;
        let quoter = Quoter::new(&self.pipeline, &question)?;
        match ranked.iter().position(|r| r.candidate.key == stored.key.0) {
            Some(i) => one_match(i + 1, &ranked[i], Some(&stored), Some(&quoter)),
            None => Err(Error::Excluded {
                id: candidate.clone(),
                reason: Bilingual::new("it shares no term with the question", "与问题没有共同词语"),
            }),
        }
    }

    /// Why a record cannot be among the answers, if it cannot.
    fn exclusion(
        &self,
        request: &MatchRequest,
        question: &Question,
        facets: &Facets,
    ) -> Option<Bilingual> {
        if !kinds(request, question).contains(&facets.kind) {
            return Some(Bilingual::new(
                format!("{} is not among the kinds asked for", facets.kind),
                format!("所求类别不含{}", facets.kind.zh()),
            ));
        }
        if !facets.is_valid_on(request.today) {
            return Some(Bilingual::new(
                format!("it is not valid on {}", request.today),
                format!("在 {} 不在有效期内", request.today),
            ));
        }
        if !request.filter.matches(facets) {
            return Some(Bilingual::new("the filter keeps it out", "不符合筛选条件"));
        }
        conditions(request, question)
            .excludes(facets)
            .map(|e| e.reason())
    }

    fn question(&self, tenant: &TenantId, request: &MatchRequest) -> Result<Question, Error> {
        match &request.ask {
            Ask::Text(text) => Question::from_text(&self.pipeline, text),
            Ask::Record(id) => {
                let stored = self.find_record(tenant, id)?;
                Question::from_record(&self.pipeline, &stored.record)
            }
            Ask::Draft(record) => {
                let id = record.id.clone();
                // Checked for its rules; it asks as it was given, so that offsets are the caller's.
                (**record)
                    .clone()
                    .check(&self.options.limits)
                    .map_err(|found| {
                        Error::Records(
                            found
                                .into_iter()
                                .map(|violation| RecordViolation {
                                    index: 0,
                                    id: id.clone(),
                                    violation,
                                })
                                .collect(),
                        )
                    })?;
                Question::from_record(&self.pipeline, record)
            }
        }
    }

    fn rank(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        question: &Question,
        wanted: usize,
    ) -> Result<(Vec<Ranked>, SearchResult), Error> {
        check_deadline(request, "reading the question")?;
        let Some(index) = self.tenants.find(tenant).map(|t| t.get()) else {
            return Ok((Vec::new(), SearchResult::default()));
        };
        let filter = base_filter(request, question).and(request.filter.clone());
        let conditions = conditions(request, question);
        let answer = Ranking {
            question,
            filter: &filter,
            admit: &|_, facets| conditions.excludes(facets).is_none(),
            mode: request.mode,
            wanted,
            weights: &self.options.weights,
        }
        .run(&*index)?;
        check_deadline(request, "searching")?;
        Ok(answer)
    }

    fn notes(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        question: &Question,
        found: &SearchResult,
    ) -> Result<Vec<Note>, Error> {
        let mut notes = Vec::new();
        if request.mode != Mode::Lexical {
            let text: Vec<&str> = question.fields.iter().map(|f| f.1.as_str()).collect();
            let covered = self.pipeline.embedder.coverage(&text.join("\n"));
            if let Some(share) = covered.filter(|c| *c < LOW_COVERAGE) {
                let percent = (share * 100.0).round();
                notes.push(Note {
                    code: "LOW_COVERAGE",
                    message: Bilingual::new(
                        format!("the model knows {percent} % of this text: the order rests mostly on shared words"),
                        format!("模型只认识该文本的 {percent}%，排序主要依据共同词语"),
                    ),
                });
            }
        }
        if found.admitted == 0 {
            notes.push(self.nothing_admitted(tenant, request, question, found.total)?);
        }
        Ok(notes)
    }

    /// Which condition left nothing.
    fn nothing_admitted(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        question: &Question,
        total: usize,
    ) -> Result<Note, Error> {
        let index = self.tenants.find(tenant).map(|t| t.get());
        let count = |filter: &Filter| -> Result<usize, Error> {
            let Some(index) = &index else { return Ok(0) };
            let none = ndarray::Array2::zeros((0, self.pipeline.embedder.dim()));
            Ok(index
                .search(&Query {
                    vectors: &none,
                    passages: &[],
                    filter,
                    admit: &|_, _| true,
                    mode: Mode::Lexical,
                    candidates: 0,
                })?
                .admitted)
        };
        let wanted = kinds(request, question);
        let names = |f: fn(Kind) -> &'static str| wanted.iter().map(|k| f(*k)).collect::<Vec<_>>();
        let (en, zh) = if total == 0 {
            (
                "there are no records yet: import some".to_owned(),
                "还没有任何记录，请先导入".to_owned(),
            )
        } else if count(&kind_filter(&wanted))? == 0 {
            (
                format!(
                    "none of the {total} records is of kind {}",
                    names(Kind::as_str).join(", ")
                ),
                format!("{total} 条记录中没有{}", names(Kind::zh).join("、")),
            )
        } else if count(&base_filter(request, question))? == 0 {
            (
                format!("no record of these kinds is valid on {}", request.today),
                format!("这些类别的记录在 {} 均不在有效期内", request.today),
            )
        } else if count(&base_filter(request, question).and(request.filter.clone()))? == 0 {
            (
                "the filter leaves no record: loosen it".to_owned(),
                "筛选条件排除了所有记录，请放宽".to_owned(),
            )
        } else {
            (
                "every record that is left belongs to the asker, opted out, is closed or has a conflict".to_owned(),
                "余下的记录均属提问方自身、已退出匹配、已关闭或存在利益冲突".to_owned(),
            )
        };
        Ok(Note {
            code: "NOTHING_ADMITTED",
            message: Bilingual::new(en, zh),
        })
    }

    /// Figures about a tenant.
    pub fn statistics(&self, tenant: &TenantId, today: Date) -> Result<Statistics, Error> {
        let index = self.tenants.find(tenant).map(|t| t.get());
        let records = Kind::ALL
            .into_iter()
            .map(|k| Ok((k, self.store.count(tenant, Some(k))?)))
            .collect::<Result<_, Error>>()?;
        Ok(Statistics {
            records,
            passages: index.as_ref().map_or(0, |i| i.passages()),
            store_seq: self.store.last_seq()?,
            index_seq: index.as_ref().map_or(0, |i| i.seq()),
            health: match index.map(|i| i.health()) {
                None | Some(queqiao_retrieval::Health::Serving) => "serving".to_owned(),
                Some(queqiao_retrieval::Health::Degraded(why)) => why,
            },
            model: self.model().to_string(),
            day: today,
        })
    }

    /// Builds the tenant's index anew from the store. Matches go on meanwhile; writes wait.
    pub fn rebuild(&self, tenant: &TenantId) -> Result<(), Error> {
        if self.tenants.find(tenant).is_none() {
            return Ok(());
        }
        self.tenants.rebuild(tenant, &self.store, &self.pipeline)
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

fn stored(r: StoredRecord) -> Stored {
    Stored {
        record: r.record,
        etag: r.etag.to_string(),
        create_time: r.create_time.as_millisecond(),
        update_time: r.update_time.as_millisecond(),
        delete_time: r.delete_time.map(|t| t.as_millisecond()),
        purge_time: r.purge_time.map(|t| t.as_millisecond()),
    }
}

fn check_k(k: usize) -> Result<(), Error> {
    if (1..=MAX_K).contains(&k) {
        Ok(())
    } else {
        Err(Error::argument(
            "k",
            format!("{k} matches cannot be asked for"),
            format!("expected 1 to {MAX_K}"),
        ))
    }
}

fn check_deadline(request: &MatchRequest, doing: &'static str) -> Result<(), Error> {
    match request.deadline {
        Some(d) if Instant::now() > d => Err(Error::Deadline { doing }),
        _ => Ok(()),
    }
}

/// The kinds that may answer.
fn kinds(request: &MatchRequest, question: &Question) -> Vec<Kind> {
    if request.to.is_empty() {
        let asker = question.facets.as_ref().map_or(Kind::Need, |f| f.kind);
        asker.default_counterparts().to_vec()
    } else {
        request.to.clone()
    }
}

fn kind_filter(kinds: &[Kind]) -> Filter {
    Filter::any_of(Field::Kind, Op::Eq, kinds.iter().copied().map(Value::Kind))
}

/// What every answer must be, whatever the caller's filter says.
fn base_filter(request: &MatchRequest, question: &Question) -> Filter {
    kind_filter(&kinds(request, question)).and(Filter::compare(
        Field::Valid,
        Op::Eq,
        Value::Date(request.today),
    ))
}

fn conditions<'a>(request: &'a MatchRequest, question: &'a Question) -> Conditions<'a> {
    Conditions {
        asker: question.facets.as_ref(),
        stored: match &request.ask {
            Ask::Record(id) => Some(id),
            _ => None,
        },
        own_organisation: request.own_organisation,
    }
}

fn one_match(
    rank: usize,
    r: &Ranked,
    stored: Option<&StoredRecord>,
    quoter: Option<&Quoter<'_>>,
) -> Result<Match, Error> {
    let c = &r.candidate;
    let sealed = c.facets.visibility == Visibility::Sealed;
    // The passage of the side that contributed more.
    let passage = if c.dense.best > 0.0 || c.lexical.words + c.lexical.bigrams <= 0.0 {
        c.dense.passage
    } else {
        c.lexical.passage
    };
    let quote = match (quoter, stored) {
        (Some(q), Some(s)) if !sealed => q.quote(&s.record, passage)?,
        _ => None,
    };
    Ok(Match {
        rank,
        id: c.id.clone(),
        kind: c.facets.kind,
        title: if sealed {
            String::new()
        } else {
            c.facets.title.clone()
        },
        score: r.score,
        parts: r.parts.clone(),
        quote,
        facets: (!sealed).then(|| Arc::clone(&c.facets)),
    })
}
