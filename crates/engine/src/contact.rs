//! Contacts, which no other answer of the engine holds.

use crate::{Engine, Error, Stored, browsing::stored};
use queqiao_domain::{Contact, Kind, RecordId, TenantId};

impl Engine {
    /// The contact of a live record; `None` when it has none. Whoever calls this has made sure that the
    /// one who asks may see it, and has written down who and what for.
    ///
    /// # Errors
    /// There is no such record; the store cannot be read.
    pub fn contact(
        &self,
        tenant: &TenantId,
        kind: Kind,
        id: &RecordId,
    ) -> Result<Option<Contact>, Error> {
        let mut found = self.find_record(tenant, id)?;
        if found.record.kind() != kind {
            return Err(Error::NotFound {
                tenant: tenant.clone(),
                kind: Some(kind),
                id: id.clone(),
            });
        }
        Ok(found.record.take_contact())
    }

    /// A record, deleted or not, and its contact: all that is held about it. As for
    /// [`contact`](Self::contact), the caller has written down who and what for.
    ///
    /// # Errors
    /// There is no such record; the store cannot be read.
    pub fn held(
        &self,
        tenant: &TenantId,
        kind: Kind,
        id: &RecordId,
    ) -> Result<(Stored, Option<Contact>), Error> {
        let found = self.store.get_any(tenant, id)?;
        let found = found.filter(|r| r.record.kind() == kind);
        let mut stored = stored(found.ok_or_else(|| Error::NotFound {
            tenant: tenant.clone(),
            kind: Some(kind),
            id: id.clone(),
        })?);
        let contact = stored.record.take_contact();
        Ok((stored, contact))
    }
}
