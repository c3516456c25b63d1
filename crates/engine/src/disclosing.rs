//! Sealed records, and to whom they are disclosed how far.

use crate::{Engine, Error, Stored, matching::Ranked, outcomes, request::Ask};
use queqiao_domain::{
    DisciplineCode, DisclosureStage, IndustryCode, Kind, Record, RecordId, RegionCode, TenantId,
    Visibility,
};
use queqiao_store::StoredRecord;
use serde::{Deserialize, Serialize};

/// A record is disclosed to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// To whom.
    pub to: RecordId,
    /// How far.
    pub stage: DisclosureStage,
    /// Since when, milliseconds since 1970.
    pub time: i64,
    /// What for.
    pub purpose: String,
}

impl Disclosure {
    /// A row of the store; none where it is of a later program.
    pub(crate) fn read(to: RecordId, row: &[u8]) -> Option<Self> {
        let Row {
            stage,
            time,
            purpose,
        } = outcomes::read(row)?;
        Some(Disclosure {
            to,
            stage,
            time,
            purpose,
        })
    }
}

/// What stands in the store. A restore to a moment reads `time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    stage: DisclosureStage,
    time: i64,
    purpose: String,
}

/// What the one who asks may know of a sealed match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disclosed {
    /// How far it is disclosed.
    pub stage: DisclosureStage,
    /// Its industries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub industries: Vec<IndustryCode>,
    /// Its disciplines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disciplines: Vec<DisciplineCode>,
    /// Its region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionCode>,
    /// The clauses that its owner released, verbatim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<String>,
}

impl Disclosed {
    /// What is told of a record at a stage; none where it is not sealed.
    pub(crate) fn of(
        r: &Ranked,
        stored: Option<&StoredRecord>,
        stage: DisclosureStage,
    ) -> Option<Self> {
        let f = &r.candidate.facets;
        // Sealed since it was found counts, too.
        let stored_sealed = stored.is_some_and(|s| s.record.visibility == Visibility::Sealed);
        (stored_sealed || f.visibility == Visibility::Sealed).then(|| Self {
            stage,
            industries: f.industries.clone(),
            disciplines: f.disciplines.clone(),
            region: f.region,
            released: stored.map_or_else(Vec::new, |s| s.record.released.clone()),
        })
    }
}

impl Engine {
    /// Discloses a sealed record to another record up to a stage, or takes it back to
    /// [`DisclosureStage::Clauses`], which everyone sees. It is on disk when this returns. Whoever calls this has
    /// made sure that the one who asks speaks for the owner, and has written it down.
    ///
    /// # Errors
    /// One of the two is not there; the first is not sealed; too many disclosures of it stand.
    pub fn disclose(
        &self,
        tenant: &TenantId,
        record: (Kind, &RecordId),
        to: (Kind, &RecordId),
        stage: DisclosureStage,
        purpose: &str,
    ) -> Result<Disclosure, Error> {
        let sealed = self.of_kind(tenant, record)?;
        self.of_kind(tenant, to)?;
        if sealed.visibility != Visibility::Sealed {
            return Err(Error::argument(
                "name",
                (
                    format!("{} is not sealed: everyone may read it", record.1),
                    format!("{} 未设为密封，人人可读", record.1),
                ),
                (
                    "a record with visibility `sealed`",
                    "应为可见范围是 `sealed` 的记录",
                ),
            ));
        }
        if record.1 == to.1 {
            return Err(Error::argument(
                "to",
                ("a record is not disclosed to itself", "记录不能向自身披露"),
                (
                    "the record of the one who is to read it",
                    "应为将要阅读它的一方的记录",
                ),
            ));
        }
        let row = Row {
            stage,
            time: jiff::Timestamp::now().as_millisecond(),
            purpose: purpose.to_owned(),
        };
        let bytes = outcomes::write(&row);
        let kept = (stage != DisclosureStage::Clauses).then_some(bytes.as_slice());
        if !self.store.disclose(tenant, record.1, to.1, kept)? {
            let most = queqiao_store::MAX_DISCLOSURES;
            return Err(Error::argument(
                "to",
                (
                    format!("{} is disclosed to {most} records already", record.1),
                    format!("{} 已向 {most} 条记录披露", record.1),
                ),
                (
                    "take some back (stage `clauses`), or make the record visible",
                    "请收回一部分（阶段 `clauses`），或放宽该记录的可见范围",
                ),
            ));
        }
        Ok(Disclosure {
            to: to.1.clone(),
            stage,
            time: row.time,
            purpose: row.purpose,
        })
    }

    /// To whom a record is disclosed beyond what everyone sees, in order of id.
    ///
    /// # Errors
    /// There is no such record; the store cannot be read.
    pub fn disclosures(
        &self,
        tenant: &TenantId,
        record: (Kind, &RecordId),
    ) -> Result<Vec<Disclosure>, Error> {
        self.of_kind(tenant, record)?;
        let rows = self.store.snapshot()?.disclosures(tenant, record.1)?;
        Ok(rows
            .into_iter()
            .filter_map(|(to, row)| Disclosure::read(to, &row))
            .collect())
    }

    /// A record, deleted or not, as another sees it, or, without another, as everyone does; and how far it is
    /// disclosed, where it is sealed.
    ///
    /// # Errors
    /// There is no such record; the store cannot be read.
    pub fn seen(
        &self,
        tenant: &TenantId,
        record: (Kind, &RecordId),
        by: Option<(Kind, &RecordId)>,
    ) -> Result<(Stored, Option<DisclosureStage>), Error> {
        let mut stored = self.get(tenant, Some(record.0), record.1, true)?;
        if stored.record.visibility != Visibility::Sealed {
            return Ok((stored, None));
        }
        let stage = match by {
            Some(by) => {
                self.of_kind(tenant, by)?;
                self.disclosed_to(tenant, record.1, by.1)?
            }
            None => DisclosureStage::default(),
        };
        stored.record = stored.record.seen_at(stage);
        // It is a hash of all that the record says.
        stored.etag.clear();
        Ok((stored, Some(stage)))
    }

    /// How far the sealed among these are disclosed to the one who asks.
    pub(crate) fn stages<'a>(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        rows: impl Iterator<Item = &'a Ranked>,
    ) -> Result<Vec<DisclosureStage>, Error> {
        rows.map(|r| match ask {
            Ask::Record(asker) if r.candidate.facets.visibility == Visibility::Sealed => {
                self.disclosed_to(tenant, &r.candidate.id, asker)
            }
            _ => Ok(DisclosureStage::default()),
        })
        .collect()
    }

    fn disclosed_to(
        &self,
        tenant: &TenantId,
        record: &RecordId,
        to: &RecordId,
    ) -> Result<DisclosureStage, Error> {
        let row = self.store.snapshot()?.disclosed(tenant, record, to)?;
        // A row of a later program that does not read here discloses nothing.
        let row: Option<Row> = row.and_then(|r| outcomes::read(&r));
        Ok(row.map_or_else(DisclosureStage::default, |r| r.stage))
    }

    fn of_kind(&self, tenant: &TenantId, (kind, id): (Kind, &RecordId)) -> Result<Record, Error> {
        Ok(self.get(tenant, Some(kind), id, false)?.record)
    }
}
