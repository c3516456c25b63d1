//! `RecordService`.

use crate::{
    access::context,
    app::App,
    convert::{
        self, PageToken, ReadRecord, UpdateMask, Violations, count, read_mask, read_name,
        read_page_size, read_parent, read_record, read_request_id, with_detail_of_its_name,
        write_outcome, write_record,
    },
    status::{self, nowhere},
};
use prost::Message;
use queqiao_domain::{Filter, Kind, Record, ResourceName, TenantId, Violation};
use queqiao_engine::{
    Error, ListRequest, Stored, Write, WriteBatch, WriteReport,
    store::{Cause, StoreError},
};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Greatest number of writes in one batch.
const MAX_WRITES: usize = 1_000;
/// Characters kept of a name that is not checked yet.
const MAX_SHOWN: usize = 400;
/// Records read for a list at one time: the most that a page can go beyond its bytes.
const LIST_CHUNK: usize = 20;

/// Records in and out.
pub(crate) struct RecordApi {
    pub(crate) app: Arc<App>,
}

#[tonic::async_trait]
impl v1::record_service_server::RecordService for RecordApi {
    async fn upsert_record(
        &self,
        request: Request<v1::UpsertRecordRequest>,
    ) -> Result<Response<v1::Record>, Status> {
        let cx = context(&request);
        let upsert = Upsert::read(request.into_inner()).map_err(status::invalid)?;
        cx.enter_for(&upsert.given.name.tenant, [&upsert.given.name])?;
        let record = self.app.write(|app| upsert.run(app)).await?;
        self.app.answer(record)
    }

    async fn batch_upsert_records(
        &self,
        request: Request<v1::BatchUpsertRecordsRequest>,
    ) -> Result<Response<v1::BatchUpsertRecordsResponse>, Status> {
        let cx = context(&request);
        let w = request.into_inner();
        let tenant = read_parent("parent", &w.parent).map_err(status::invalid)?;
        cx.enter_for(&tenant, w.records.iter().map(|r| shown_name(&r.name)))?;
        let request_id = read_request_id(&w.request_id).map_err(status::invalid)?;
        batch_size("records", w.records.len()).map_err(status::invalid)?;
        let answer = self
            .app
            .write(move |app| batch_upsert(app, &tenant, w.records, request_id))
            .await?;
        self.app.answer(answer)
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::Record>, Status> {
        let record = super::sealed::get(&self.app, request).await?;
        self.app.answer(record)
    }

    async fn disclose_record(
        &self,
        request: Request<v1::DiscloseRecordRequest>,
    ) -> Result<Response<v1::Disclosure>, Status> {
        let disclosure = super::sealed::disclose(&self.app, request).await?;
        self.app.answer(disclosure)
    }

    async fn list_disclosures(
        &self,
        request: Request<v1::ListDisclosuresRequest>,
    ) -> Result<Response<v1::ListDisclosuresResponse>, Status> {
        let disclosures = super::sealed::list(&self.app, request).await?;
        self.app.answer(disclosures)
    }

    async fn get_contact(
        &self,
        request: Request<v1::GetContactRequest>,
    ) -> Result<Response<v1::Contact>, Status> {
        let contact = super::contact::get(&self.app, request).await?;
        self.app.answer(contact)
    }

    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        let as_everyone = !super::sealed::may_read_sealed(&cx);
        let list =
            List::read(&self.app, request.get_ref(), as_everyone).map_err(status::invalid)?;
        let page = self.app.read(|app| list.run(app)).await?;
        self.app.answer(page)
    }

    async fn delete_record(
        &self,
        request: Request<v1::DeleteRecordRequest>,
    ) -> Result<Response<v1::Record>, Status> {
        let cx = context(&request);
        let w = request.into_inner();
        let (name, request_id) = named(&w.name, &w.request_id).map_err(status::invalid)?;
        cx.enter_for(&name.tenant, [&name])?;
        let delete = Write::Delete {
            id: name.id.clone(),
            kind: Some(name.kind),
            etag: Some(w.etag).filter(|e| !e.is_empty()),
        };
        let record = self
            .app
            .write(move |app| {
                write_one(app, &name, delete, request_id)?;
                shown(app, &name)
            })
            .await?;
        self.app.answer(record)
    }

    async fn undelete_record(
        &self,
        request: Request<v1::UndeleteRecordRequest>,
    ) -> Result<Response<v1::Record>, Status> {
        let cx = context(&request);
        let w = request.into_inner();
        let (name, request_id) = named(&w.name, &w.request_id).map_err(status::invalid)?;
        cx.enter_for(&name.tenant, [&name])?;
        let undelete = Write::Undelete {
            id: name.id.clone(),
            kind: Some(name.kind),
        };
        let record = self
            .app
            .write(move |app| {
                app.memory.room()?;
                write_one(app, &name, undelete, request_id)?;
                shown(app, &name)
            })
            .await?;
        self.app.answer(record)
    }

    async fn erase_record(
        &self,
        request: Request<v1::EraseRecordRequest>,
    ) -> Result<Response<v1::EraseRecordResponse>, Status> {
        let cx = context(&request);
        let w = request.into_inner();
        let (name, request_id) = named(&w.name, &w.request_id).map_err(status::invalid)?;
        cx.enter_for(&name.tenant, [&name])?;
        let erase = Write::Erase {
            id: name.id.clone(),
            kind: Some(name.kind),
        };
        let answer = self
            .app
            .write(move |app| {
                let report = write_one(app, &name, erase, request_id)?;
                Ok(v1::EraseRecordResponse {
                    receipt: super::people::receipt(app, &name, report.store_seq)?,
                    name: name.to_string(),
                    seq: report.seq,
                })
            })
            .await?;
        self.app.answer(answer)
    }

    async fn check_erasure(
        &self,
        request: Request<v1::CheckErasureRequest>,
    ) -> Result<Response<v1::CheckErasureResponse>, Status> {
        let answer = super::people::check(&self.app, request).await?;
        self.app.answer(answer)
    }

    async fn export_record(
        &self,
        request: Request<v1::ExportRecordRequest>,
    ) -> Result<Response<v1::ExportRecordResponse>, Status> {
        let answer = super::people::export(&self.app, request).await?;
        self.app.answer(answer)
    }

    async fn batch_delete_records(
        &self,
        request: Request<v1::BatchDeleteRecordsRequest>,
    ) -> Result<Response<v1::BatchDeleteRecordsResponse>, Status> {
        let cx = context(&request);
        let w = request.into_inner();
        let tenant = read_parent("parent", &w.parent).map_err(status::invalid)?;
        cx.enter_for(&tenant, w.names.iter().map(|n| shown_name(n)))?;
        let request_id = read_request_id(&w.request_id).map_err(status::invalid)?;
        batch_size("names", w.names.len()).map_err(status::invalid)?;
        let names = read_all(
            w.names
                .iter()
                .enumerate()
                .map(|(i, name)| read_name(&format!("names[{i}]"), name, Some(&tenant))),
        )
        .map_err(status::invalid)?;
        let answer = self
            .app
            .write(move |app| {
                let place = |i: usize| {
                    names
                        .get(i)
                        .map(|n: &ResourceName| (format!("names[{i}]"), n.kind))
                };
                let writes = names
                    .iter()
                    .map(|n| Write::Delete {
                        id: n.id.clone(),
                        kind: Some(n.kind),
                        etag: None,
                    })
                    .collect();
                let _replacing = app.replacing();
                let report = app
                    .engine
                    .write(&tenant, WriteBatch { writes, request_id })
                    .map_err(|e| status::from_engine(absent(e, |i| names.get(i)), &place))?;
                Ok(v1::BatchDeleteRecordsResponse {
                    deleted_count: count(report.deleted),
                    seq: report.seq,
                })
            })
            .await?;
        self.app.answer(answer)
    }
}

/// One record to store.
struct Upsert {
    given: ReadRecord,
    mask: UpdateMask,
    create_only: bool,
    request_id: Option<[u8; 16]>,
}

impl Upsert {
    fn read(w: v1::UpsertRecordRequest) -> Result<Self, Violations> {
        let Some(record) = w.record else {
            return Err(vec![Violation::new(
                "record",
                ("it is not given", "未填写"),
                ("expected a record with its name", "应填写带名称的记录"),
            )]);
        };
        let record = with_detail_of_its_name(record, w.update_mask.as_ref());
        let given = read_record("record", record, None)?;
        let mask = read_mask(w.update_mask, &given.record)?;
        if w.create_only && (given.etag.is_some() || mask != UpdateMask::All) {
            return Err(vec![Violation::new(
                "create_only",
                (
                    "a new record has no etag and no fields to keep",
                    "新记录没有 etag，也没有可保留的字段",
                ),
                (
                    "expected create_only without record.etag and with no update_mask or `*`",
                    "create_only 不能与 record.etag 或部分 update_mask 同用",
                ),
            )]);
        }
        Ok(Upsert {
            given,
            mask,
            create_only: w.create_only,
            request_id: read_request_id(&w.request_id)?,
        })
    }

    fn run(self, app: &App) -> Result<v1::Record, Status> {
        room_for(app, [&self.given.name])?;
        let ReadRecord { name, record, etag } = self.given;
        let place = |_: usize| Some(("record".to_owned(), name.kind));
        let failed = |e: Error| status::from_engine(e, &place);
        let partial = matches!(self.mask, UpdateMask::Fields(_));
        // Only one of the two is held: a write that depends on what it reads lets no other in.
        let (_updating, _replacing) = match partial {
            true => (Some(app.updating()), None),
            false => (None, Some(app.replacing())),
        };
        let mut put = record;
        if partial {
            let stored = app
                .engine
                .get(&name.tenant, Some(name.kind), &name.id, false)
                .map_err(failed)?;
            put = self.mask.merge(stored.record, put);
        }
        let echo = put.clone();
        let batch = WriteBatch {
            writes: vec![Write::Put {
                record: Box::new(put),
                etag,
                must_be_new: self.create_only,
                keep_contact: self.mask.keeps_contact(),
            }],
            request_id: self.request_id,
        };
        let report = app.engine.write(&name.tenant, batch).map_err(failed)?;
        match app
            .engine
            .get(&name.tenant, Some(name.kind), &name.id, true)
        {
            Ok(stored) => Ok(write_record(&name.tenant, stored)),
            // Erased since, by another caller or before this retry: what was asked for, without
            // times.
            Err(Error::NotFound { .. }) => Ok(never_stored(&name, echo, report)),
            Err(e) => Err(failed(e)),
        }
    }
}

fn never_stored(name: &ResourceName, mut record: Record, report: WriteReport) -> v1::Record {
    record.take_contact();
    let etag = report.items.into_iter().next().map(|i| i.etag);
    let stored = Stored {
        record,
        etag: etag.unwrap_or_default(),
        create_time: 0,
        update_time: 0,
        delete_time: None,
        purge_time: None,
    };
    v1::Record {
        create_time: None,
        update_time: None,
        ..write_record(&name.tenant, stored)
    }
}

fn batch_upsert(
    app: &App,
    tenant: &TenantId,
    records: Vec<v1::Record>,
    request_id: Option<[u8; 16]>,
) -> Result<v1::BatchUpsertRecordsResponse, Status> {
    let given = read_all(
        records
            .into_iter()
            .enumerate()
            .map(|(i, r)| read_record(&format!("records[{i}]"), r, Some(tenant))),
    )
    .map_err(status::invalid)?;
    let names: Vec<ResourceName> = given.iter().map(|g| g.name.clone()).collect();
    room_for(app, &names)?;
    let place = |i: usize| names.get(i).map(|n| (format!("records[{i}]"), n.kind));
    let writes = given
        .into_iter()
        .map(|g| Write::Put {
            record: Box::new(g.record),
            etag: g.etag,
            must_be_new: false,
            keep_contact: true,
        })
        .collect();
    let _replacing = app.replacing();
    let report = app
        .engine
        .write(tenant, WriteBatch { writes, request_id })
        .map_err(|e| status::from_engine(e, &place))?;
    Ok(v1::BatchUpsertRecordsResponse {
        created_count: count(report.created),
        updated_count: count(report.updated),
        unchanged_count: count(report.unchanged),
        seq: report.seq,
        results: names
            .iter()
            .zip(report.items)
            .map(|(name, item)| v1::WriteResult {
                name: name.to_string(),
                etag: item.etag,
                outcome: write_outcome(item.outcome),
            })
            .collect(),
    })
}

/// Whether there is memory for these records. One that is there already may change whatever is left, so
/// that nobody waits for memory to opt out or to be corrected.
fn room_for<'a>(
    app: &App,
    names: impl IntoIterator<Item = &'a ResourceName>,
) -> Result<(), Status> {
    let Err(full) = app.memory.room() else {
        return Ok(());
    };
    let there = |n: &ResourceName| {
        app.engine
            .get(&n.tenant, Some(n.kind), &n.id, false)
            .is_ok()
    };
    match names.into_iter().all(there) {
        true => Ok(()),
        false => Err(full),
    }
}

/// A name as it came, which nobody has checked yet, for the audit trail.
fn shown_name(given: &str) -> String {
    given.chars().take(MAX_SHOWN).collect()
}

/// Writes to one record.
fn write_one(
    app: &App,
    name: &ResourceName,
    write: Write,
    request_id: Option<[u8; 16]>,
) -> Result<WriteReport, Status> {
    let _replacing = app.replacing();
    let batch = WriteBatch {
        writes: vec![write],
        request_id,
    };
    app.engine
        .write(&name.tenant, batch)
        .map_err(|e| status::from_engine(absent(e, |_| Some(name)), &nowhere))
}

/// An id that belongs to a record of another kind is not the record that was named: for a write
/// that names what is there, it is absent.
fn absent<'a>(e: Error, named: impl Fn(usize) -> Option<&'a ResourceName>) -> Error {
    let first = match &e {
        Error::Store(StoreError::Rejected { items, .. }) => items.first(),
        _ => None,
    };
    match first.map(|r| (&r.cause, named(r.index))) {
        Some((Cause::KindConflict { .. }, Some(name))) => Error::NotFound {
            tenant: name.tenant.clone(),
            kind: Some(name.kind),
            id: name.id.clone(),
        },
        _ => e,
    }
}

/// A page that is asked for.
struct List {
    tenant: TenantId,
    token: PageToken,
    request: ListRequest,
}

impl List {
    fn read(app: &App, w: &v1::ListRecordsRequest, as_everyone: bool) -> Result<Self, Violations> {
        let tenant = read_parent("parent", &w.parent)?;
        let kind = convert::kind_filter(w.kind)?;
        let filter =
            Filter::parse(&w.filter).map_err(|e| vec![convert::filter_violation("filter", &e)])?;
        let token = PageToken::bound_to(
            &app.page_key(),
            "ListRecords",
            &[
                tenant.as_str(),
                kind.map_or("", Kind::as_str),
                &w.filter,
                if w.show_deleted { "deleted" } else { "" },
            ],
        );
        let request = ListRequest {
            kind,
            filter,
            page_size: read_page_size(w.page_size)?,
            after: token.read(&w.page_token)?,
            show_deleted: w.show_deleted,
            as_everyone,
        };
        Ok(List {
            tenant,
            token,
            request,
        })
    }

    /// Reads the page in small pieces, and ends it early when it has half the bytes an answer may
    /// have: records are up to 2 MB each.
    fn run(self, app: &App) -> Result<v1::ListRecordsResponse, Status> {
        let mut request = self.request;
        let wanted = request.page_size;
        let mut answer = v1::ListRecordsResponse::default();
        let mut bytes = 0;
        loop {
            request.page_size = (wanted - answer.records.len()).min(LIST_CHUNK);
            let page = app
                .engine
                .list(&self.tenant, &request)
                .map_err(|e| status::from_engine(e, &nowhere))?;
            for stored in page.records {
                let record = write_record(&self.tenant, stored);
                bytes += record.encoded_len();
                answer.records.push(record);
            }
            request.after = page.next;
            let full = answer.records.len() >= wanted || bytes > app.config.max_response_bytes / 2;
            match page.next {
                Some(next) if full => {
                    answer.next_page_token = self.token.write(next);
                    return Ok(answer);
                }
                Some(_) => {}
                None => return Ok(answer),
            }
        }
    }
}

fn named(name: &str, request_id: &str) -> Result<(ResourceName, Option<[u8; 16]>), Violations> {
    Ok((read_name("name", name, None)?, read_request_id(request_id)?))
}

fn batch_size(field: &str, n: usize) -> Result<(), Violations> {
    if (1..=MAX_WRITES).contains(&n) {
        return Ok(());
    }
    Err(vec![Violation::new(
        field,
        (format!("{n} entries"), format!("{n} 项")),
        (
            format!("expected 1 to {MAX_WRITES}; split the batch"),
            format!("应为 1 至 {MAX_WRITES} 项，请拆分"),
        ),
    )])
}

/// Every value, or everything that is wrong with any of them.
fn read_all<T>(read: impl Iterator<Item = Result<T, Violations>>) -> Result<Vec<T>, Violations> {
    let mut found = Vec::new();
    let mut values = Vec::new();
    for r in read {
        match r {
            Ok(v) => values.push(v),
            Err(v) => found.extend(v),
        }
    }
    if found.is_empty() {
        Ok(values)
    } else {
        Err(found)
    }
}

/// The record of a name, deleted or not, as callers see it.
fn shown(app: &App, name: &ResourceName) -> Result<v1::Record, Status> {
    app.engine
        .get(&name.tenant, Some(name.kind), &name.id, true)
        .map(|stored| write_record(&name.tenant, stored))
        .map_err(|e| status::from_engine(e, &nowhere))
}
