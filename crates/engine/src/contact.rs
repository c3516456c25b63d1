//! Contacts, which no other answer of the engine holds.

use crate::{Engine, Error};
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
}
