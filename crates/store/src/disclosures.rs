//! To whom which sealed record is disclosed, and how far.
//!
//! Rows are the caller's bytes; one that is not JSON with a number `time` (when it was made, in
//! milliseconds since 1970) survives no restore to a moment. Erasing a record takes with it every row that
//! names it, on either side.

use crate::{Snapshot, Store, StoreError, error::Inner, handle::End, ledger::opened};
use queqiao_domain::{RecordId, TenantId};
use redb::{ReadableTable, TableDefinition, WriteTransaction};

/// (tenant, sealed record, the one it is disclosed to) → row.
pub(crate) const DISCLOSURES: TableDefinition<'_, (&str, &str, &str), &[u8]> =
    TableDefinition::new("disclosures");
/// (tenant, the one it is disclosed to, sealed record) → ().
pub(crate) const DISCLOSED_TO: TableDefinition<'_, (&str, &str, &str), ()> =
    TableDefinition::new("disclosed_to");

/// Greatest number of those to whom one record is disclosed.
pub const MAX_DISCLOSURES: usize = 1_000;

impl Store {
    /// Sets to what `record` is disclosed to `to`; nothing takes the disclosure back. It is on disk when
    /// this returns. False when [`MAX_DISCLOSURES`] stand already: then nothing was changed.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn disclose(
        &self,
        tenant: &TenantId,
        record: &RecordId,
        to: &RecordId,
        row: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let (t, r, o) = (tenant.as_str(), record.as_str(), to.as_str());
        self.handle.write("storing a disclosure in", |txn| {
            let mut rows = txn.open_table(DISCLOSURES)?;
            let mut of = txn.open_table(DISCLOSED_TO)?;
            match row {
                Some(row) => {
                    let is_new = rows.get((t, r, o))?.is_none();
                    if is_new && count(&rows, t, r)? >= MAX_DISCLOSURES {
                        return Ok(End::Abort(false));
                    }
                    rows.insert((t, r, o), row)?;
                    of.insert((t, o, r), ())?;
                }
                None => {
                    rows.remove((t, r, o))?;
                    of.remove((t, o, r))?;
                }
            }
            Ok(End::Commit(true))
        })
    }
}

impl Snapshot {
    /// The row of `record` and `to`, if one stands.
    ///
    /// # Errors
    /// Those of every method.
    pub fn disclosed(
        &self,
        tenant: &TenantId,
        record: &RecordId,
        to: &RecordId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(|txn| {
            let Some(rows) = opened(txn.open_table(DISCLOSURES))? else {
                return Ok(None);
            };
            let row = rows.get((tenant.as_str(), record.as_str(), to.as_str()))?;
            Ok(row.map(|r| r.value().to_vec()))
        })
    }

    /// To whom a record is disclosed, in order of id.
    ///
    /// # Errors
    /// Those of every method.
    pub fn disclosures(
        &self,
        tenant: &TenantId,
        record: &RecordId,
    ) -> Result<Vec<(RecordId, Vec<u8>)>, StoreError> {
        self.run(|txn| {
            let mut out = Vec::new();
            let Some(rows) = opened(txn.open_table(DISCLOSURES))? else {
                return Ok(out);
            };
            for row in rows.range((tenant.as_str(), record.as_str(), "")..)? {
                let (key, value) = row?;
                let (t, r, to) = key.value();
                if (t, r) != (tenant.as_str(), record.as_str()) {
                    break;
                }
                if let Ok(to) = RecordId::new(to) {
                    out.push((to, value.value().to_vec()));
                }
            }
            Ok(out)
        })
    }
}

impl Snapshot {
    /// The records that are disclosed to one, in order of id.
    ///
    /// # Errors
    /// Those of every method.
    pub fn disclosed_records(
        &self,
        tenant: &TenantId,
        to: &RecordId,
    ) -> Result<Vec<RecordId>, StoreError> {
        self.run(|txn| {
            let mut out = Vec::new();
            let Some(of) = opened(txn.open_table(DISCLOSED_TO))? else {
                return Ok(out);
            };
            for row in of.range((tenant.as_str(), to.as_str(), "")..)? {
                let row = row?;
                let (t, o, record) = row.0.value();
                if (t, o) != (tenant.as_str(), to.as_str()) {
                    break;
                }
                out.extend(RecordId::new(record));
            }
            Ok(out)
        })
    }
}

/// How many rows a record has, counted up to the most there may be.
fn count(
    rows: &impl ReadableTable<(&'static str, &'static str, &'static str), &'static [u8]>,
    tenant: &str,
    record: &str,
) -> Inner<usize> {
    let mut n = 0;
    for row in rows.range((tenant, record, "")..)?.take(MAX_DISCLOSURES) {
        let row = row?;
        let (t, r, _) = row.0.value();
        if (t, r) != (tenant, record) {
            break;
        }
        n += 1;
    }
    Ok(n)
}

/// Removes every row that names a record.
pub(crate) fn forget(txn: &WriteTransaction, tenant: &str, record: &str) -> Inner<()> {
    let mut rows = txn.open_table(DISCLOSURES)?;
    let mut of = txn.open_table(DISCLOSED_TO)?;
    // The two tables mirror each other.
    let mut pairs = Vec::new();
    for row in rows.range((tenant, record, "")..)? {
        let row = row?;
        let (t, r, to) = row.0.value();
        if (t, r) != (tenant, record) {
            break;
        }
        pairs.push((record.to_owned(), to.to_owned()));
    }
    for row in of.range((tenant, record, "")..)? {
        let row = row?;
        let (t, to, r) = row.0.value();
        if (t, to) != (tenant, record) {
            break;
        }
        pairs.push((r.to_owned(), record.to_owned()));
    }
    for (r, to) in &pairs {
        rows.remove((tenant, r.as_str(), to.as_str()))?;
        of.remove((tenant, to.as_str(), r.as_str()))?;
    }
    Ok(())
}
