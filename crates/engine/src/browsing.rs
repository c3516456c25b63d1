//! Reading records, one or by pages; contacts are taken out.

use crate::{
    Engine, Error,
    request::ListRequest,
    response::{Page, Stored},
};
use queqiao_domain::{DisclosureStage, Facets, Kind, RecordId, TenantId, Visibility};
use queqiao_store::{ListQuery, RecordKey, StoredRecord};

impl Engine {
    /// The record of an id. Its contact is taken out. A deleted record is found when
    /// `show_deleted`, with its delete time.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
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
    ///
    /// # Errors
    /// [`Error::Store`].
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
}

fn not_found(tenant: &TenantId, kind: Option<Kind>, id: &RecordId) -> Error {
    Error::NotFound {
        tenant: tenant.clone(),
        kind,
        id: id.clone(),
    }
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
