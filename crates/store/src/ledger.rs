//! Answers that were kept, and what came of them.
//!
//! Rows are the caller's bytes; one that is JSON with a number `time` says when it was made, in
//! milliseconds since 1970, and a restore to an earlier moment drops it. An answer has a head (who asked) and a row for each record in it; an
//! outcome belongs to a row of an answer. Erasing a record takes with it every row and outcome that
//! names it, and every answer it asked for.

use crate::{Snapshot, Store, StoreError, disclosures, error::Inner, handle::End};
use queqiao_domain::{RecordId, TenantId};
use redb::{ReadableTable, TableDefinition, TableError, WriteTransaction};

/// (tenant, answer) → (id of the asking record, or nothing; head).
pub(crate) const ANSWERS: TableDefinition<'_, (&str, &str), (&str, &[u8])> =
    TableDefinition::new("answers");
/// (tenant, answer, record) → row.
pub(crate) const ANSWERED: TableDefinition<'_, (&str, &str, &str), &[u8]> =
    TableDefinition::new("answered");
/// (tenant, record, answer) → (): the answers that a record is in or asked for.
pub(crate) const ANSWERS_OF: TableDefinition<'_, (&str, &str, &str), ()> =
    TableDefinition::new("answers_of");
/// (tenant, answer, record, stage) → row.
pub(crate) const OUTCOMES: TableDefinition<'_, (&str, &str, &str, u8), &[u8]> =
    TableDefinition::new("outcomes");

/// An answer to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its id; never empty.
    pub id: String,
    /// The record that asked, if one did.
    pub asker: Option<RecordId>,
    /// What is kept of the whole.
    pub head: Vec<u8>,
    /// The records in it, with what is kept of each.
    pub rows: Vec<(RecordId, Vec<u8>)>,
}

/// Something that came of a record in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// The answer.
    pub answer: String,
    /// The record in it.
    pub record: RecordId,
    /// What came of it.
    pub stage: u8,
    /// What is kept of it.
    pub row: Vec<u8>,
}

/// What became of an outcome that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// It is stored.
    New,
    /// It was stored already, the same.
    Same,
    /// Another one is stored in its place: nothing was changed.
    Other(Vec<u8>),
    /// No such answer was kept, or the record is not in it.
    Unknown,
}

impl Store {
    /// Keeps answers, all or none; they are on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn keep_answers(
        &self,
        tenant: &TenantId,
        answers: &[KeptAnswer],
    ) -> Result<(), StoreError> {
        let t = tenant.as_str();
        self.handle.write("keeping answers in", |txn| {
            let mut heads = txn.open_table(ANSWERS)?;
            let mut rows = txn.open_table(ANSWERED)?;
            let mut of = txn.open_table(ANSWERS_OF)?;
            for a in answers {
                let asker = a.asker.as_ref().map_or("", |r| r.as_str());
                heads.insert((t, a.id.as_str()), (asker, a.head.as_slice()))?;
                if !asker.is_empty() {
                    of.insert((t, asker, a.id.as_str()), ())?;
                }
                for (record, row) in &a.rows {
                    rows.insert((t, a.id.as_str(), record.as_str()), row.as_slice())?;
                    of.insert((t, record.as_str(), a.id.as_str()), ())?;
                }
            }
            Ok(End::Commit(()))
        })
    }

    /// Stores outcomes, all or none: none where one is unknown, or another than the one stored. What
    /// became of each, in their order; they are on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn enter_outcomes(
        &self,
        tenant: &TenantId,
        outcomes: &[OutcomeRow],
    ) -> Result<Vec<Entered>, StoreError> {
        let t = tenant.as_str();
        self.handle.write("storing outcomes in", |txn| {
            let rows = txn.open_table(ANSWERED)?;
            let mut stored = txn.open_table(OUTCOMES)?;
            let mut entered = Vec::with_capacity(outcomes.len());
            for o in outcomes {
                let (answer, record) = (o.answer.as_str(), o.record.as_str());
                let key = (t, answer, record, o.stage);
                let before = stored.get(key)?.map(|g| g.value().to_vec());
                entered.push(match before {
                    Some(row) if row == o.row => Entered::Same,
                    Some(row) => Entered::Other(row),
                    None if rows.get((t, answer, record))?.is_none() => Entered::Unknown,
                    None => {
                        stored.insert(key, o.row.as_slice())?;
                        Entered::New
                    }
                });
            }
            let refused = |e: &Entered| matches!(e, Entered::Other(_) | Entered::Unknown);
            let changed = entered.contains(&Entered::New) && !entered.iter().any(refused);
            Ok(match changed {
                true => End::Commit(entered),
                false => End::Abort(entered),
            })
        })
    }

    /// [`Snapshot::answer`] of now.
    ///
    /// # Errors
    /// As there.
    pub fn answer(&self, tenant: &TenantId, id: &str) -> Result<Option<KeptAnswer>, StoreError> {
        self.snapshot()?.answer(tenant, id)
    }
}

impl Snapshot {
    /// A kept answer, its rows in order of the record's id.
    ///
    /// # Errors
    /// Those of every method.
    pub fn answer(&self, tenant: &TenantId, id: &str) -> Result<Option<KeptAnswer>, StoreError> {
        self.run(|txn| {
            let Some(heads) = opened(txn.open_table(ANSWERS))? else {
                return Ok(None);
            };
            let Some(head) = heads.get((tenant.as_str(), id))? else {
                return Ok(None);
            };
            let (asker, head) = head.value();
            let mut answer = KeptAnswer {
                id: id.to_owned(),
                asker: RecordId::new(asker).ok(),
                head: head.to_vec(),
                rows: Vec::new(),
            };
            for row in txn
                .open_table(ANSWERED)?
                .range((tenant.as_str(), id, "")..)?
            {
                let (key, value) = row?;
                let (t, a, record) = key.value();
                if (t, a) != (tenant.as_str(), id) {
                    break;
                }
                if let Ok(record) = RecordId::new(record) {
                    answer.rows.push((record, value.value().to_vec()));
                }
            }
            Ok(Some(answer))
        })
    }

    /// In how many kept answers a record is, counted up to `most`.
    ///
    /// # Errors
    /// Those of every method.
    pub fn appearances(
        &self,
        tenant: &TenantId,
        record: &RecordId,
        most: usize,
    ) -> Result<usize, StoreError> {
        self.run(|txn| {
            let Some(of) = opened(txn.open_table(ANSWERS_OF))? else {
                return Ok(0);
            };
            let mut n = 0;
            for row in of
                .range((tenant.as_str(), record.as_str(), "")..)?
                .take(most)
            {
                let row = row?;
                let (t, r, _) = row.0.value();
                if (t, r) != (tenant.as_str(), record.as_str()) {
                    break;
                }
                n += 1;
            }
            Ok(n)
        })
    }

    /// The kept answers that a record is in or asked for, in order of id.
    ///
    /// # Errors
    /// Those of every method.
    pub fn answers_of(
        &self,
        tenant: &TenantId,
        record: &RecordId,
    ) -> Result<Vec<String>, StoreError> {
        self.run(|txn| {
            let mut ids = Vec::new();
            let Some(of) = opened(txn.open_table(ANSWERS_OF))? else {
                return Ok(ids);
            };
            for row in of.range((tenant.as_str(), record.as_str(), "")..)? {
                let row = row?;
                let (t, r, answer) = row.0.value();
                if (t, r) != (tenant.as_str(), record.as_str()) {
                    break;
                }
                ids.push(answer.to_owned());
            }
            Ok(ids)
        })
    }

    /// Calls `each` with the record of every row of a tenant's kept answers.
    ///
    /// # Errors
    /// Those of every method.
    pub fn each_listed(
        &self,
        tenant: &TenantId,
        mut each: impl FnMut(RecordId),
    ) -> Result<(), StoreError> {
        self.run(|txn| {
            let Some(rows) = opened(txn.open_table(ANSWERED))? else {
                return Ok(());
            };
            for row in rows.range((tenant.as_str(), "", "")..)? {
                let row = row?;
                let (t, _, record) = row.0.value();
                if t != tenant.as_str() {
                    break;
                }
                if let Ok(record) = RecordId::new(record) {
                    each(record);
                }
            }
            Ok(())
        })
    }

    /// Calls `each` with answer, record and stage of every outcome of a tenant, in their order.
    ///
    /// # Errors
    /// Those of every method.
    pub fn each_outcome(
        &self,
        tenant: &TenantId,
        mut each: impl FnMut(&str, RecordId, u8),
    ) -> Result<(), StoreError> {
        self.run(|txn| {
            let Some(rows) = opened(txn.open_table(OUTCOMES))? else {
                return Ok(());
            };
            for row in rows.range((tenant.as_str(), "", "", 0)..)? {
                let row = row?;
                let (t, answer, record, stage) = row.0.value();
                if t != tenant.as_str() {
                    break;
                }
                if let Ok(record) = RecordId::new(record) {
                    each(answer, record, stage);
                }
            }
            Ok(())
        })
    }

    /// The ids of a tenant's kept answers, in order.
    ///
    /// # Errors
    /// Those of every method.
    pub fn answers(&self, tenant: &TenantId) -> Result<Vec<String>, StoreError> {
        self.run(|txn| {
            let mut ids = Vec::new();
            let Some(heads) = opened(txn.open_table(ANSWERS))? else {
                return Ok(ids);
            };
            for row in heads.range((tenant.as_str(), "")..)? {
                let row = row?;
                let (t, id) = row.0.value();
                if t != tenant.as_str() {
                    break;
                }
                ids.push(id.to_owned());
            }
            Ok(ids)
        })
    }

    /// What came of an answer, in order of record and stage.
    ///
    /// # Errors
    /// Those of every method.
    pub fn outcomes(&self, tenant: &TenantId, answer: &str) -> Result<Vec<OutcomeRow>, StoreError> {
        self.run(|txn| {
            let mut out = Vec::new();
            let Some(table) = opened(txn.open_table(OUTCOMES))? else {
                return Ok(out);
            };
            for row in table.range((tenant.as_str(), answer, "", 0)..)? {
                let (key, value) = row?;
                let (t, a, record, stage) = key.value();
                if (t, a) != (tenant.as_str(), answer) {
                    break;
                }
                if let Ok(record) = RecordId::new(record) {
                    out.push(OutcomeRow {
                        answer: a.to_owned(),
                        record,
                        stage,
                        row: value.value().to_vec(),
                    });
                }
            }
            Ok(out)
        })
    }
}

/// Removes every row that names a record: the answers it asked for, itself from those it is in, and what is
/// disclosed of it and to it.
pub(crate) fn forget(txn: &WriteTransaction, tenant: &str, record: &str) -> Inner<()> {
    let mut of = txn.open_table(ANSWERS_OF)?;
    let mut heads = txn.open_table(ANSWERS)?;
    let mut rows = txn.open_table(ANSWERED)?;
    let mut outcomes = txn.open_table(OUTCOMES)?;
    let mut answers = Vec::new();
    for row in of.range((tenant, record, "")..)? {
        let row = row?;
        let (t, r, answer) = row.0.value();
        if (t, r) != (tenant, record) {
            break;
        }
        answers.push(answer.to_owned());
    }
    for answer in &answers {
        let a = answer.as_str();
        let asked = heads
            .get((tenant, a))?
            .is_some_and(|h| h.value().0 == record);
        let mut gone = Vec::new();
        if asked {
            heads.remove((tenant, a))?;
            for row in rows.range((tenant, a, "")..)? {
                let row = row?;
                let (t, b, other) = row.0.value();
                if (t, b) != (tenant, a) {
                    break;
                }
                gone.push(other.to_owned());
            }
        } else {
            gone.push(record.to_owned());
        }
        for other in &gone {
            rows.remove((tenant, a, other.as_str()))?;
            of.remove((tenant, other.as_str(), a))?;
            let o = other.as_str();
            outcomes.retain_in((tenant, a, o, 0)..=(tenant, a, o, u8::MAX), |_, _| false)?;
        }
        of.remove((tenant, record, a))?;
    }
    disclosures::forget(txn, tenant, record)
}

/// A table that older folders do not have.
pub(crate) fn opened<T>(table: Result<T, TableError>) -> Inner<Option<T>> {
    match table {
        Ok(t) => Ok(Some(t)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
