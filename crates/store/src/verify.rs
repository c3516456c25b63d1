//! Checking that every table tells the same story.

use crate::{
    Etag, Snapshot, Store, StoreError,
    codec::{Head, Row},
    erasure::ErasureHead,
    error::Inner,
    history::{self, HISTORY_SEQ},
    ledger::{ANSWERED, ANSWERS, OUTCOMES, opened},
    request::RequestHead,
    tables::{
        BY_KIND, CHANGES, COUNTS, ERASURES, IDS, META, PURGES, RECORDS, REQUEST_IDS, REQUESTS,
        TENANT_SEQS, kind_number, meta, number,
    },
    vault::{Key, Vault},
};
use queqiao_domain::Record;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use std::collections::BTreeMap;

/// What a check of the store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records that live.
    pub live: u64,
    /// Records that are deleted and not yet purged.
    pub deleted: u64,
    /// Tenants that have records.
    pub tenants: u64,
    /// Entries of the change log.
    pub changes: u64,
    /// Requests remembered.
    pub requests: u64,
    /// Changes that a restored backup can undo.
    pub history: u64,
    /// The last sequence number.
    pub last_seq: u64,
    /// How many contradictions there are.
    pub problem_count: u64,
    /// The first hundred of them.
    pub problems: Vec<String>,
    /// Rows that no key opens: they have to be gone in a later view.
    pub(crate) gone: Vec<u64>,
}

impl VerifyReport {
    /// True when nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    pub(crate) fn problem(&mut self, what: String) {
        self.problem_count += 1;
        if self.problems.len() < 100 {
            self.problems.push(what);
        }
    }
}

impl Store {
    /// Reads every row of every table and checks that it can be decoded and agrees with the
    /// others. Reads and writes go on meanwhile.
    ///
    /// Damage that keeps a whole table from being read is a problem in the report like any other.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`].
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.snapshot()?.verify()
    }
}

/// (tenant, kind) → (live, deleted).
pub(crate) type Counts = BTreeMap<(String, u8), (u64, u64)>;

impl Snapshot {
    /// [`Store::verify`] of this view.
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        let vault = self.handle.vault();
        let mut counts = Counts::new();
        type Step = fn(&Vault, &ReadTransaction, &mut VerifyReport, &mut Counts) -> Inner<()>;
        let steps: [(&str, Step); 9] = [
            ("records", records),
            ("indexes", indexes),
            ("counts", count),
            ("changes", changes),
            ("tenants' numbers", tenant_seqs),
            ("requests", requests),
            ("erasures", erasures),
            ("kept answers", ledger),
            ("history", history::check),
        ];
        for (name, step) in steps {
            match self.run(|txn| step(vault, txn, &mut report, &mut counts)) {
                Ok(()) => {}
                Err(e @ (StoreError::Damaged { .. } | StoreError::DamagedRecord { .. })) => {
                    report.problem(format!("the {name} cannot be read: {e}"));
                }
                Err(e) => return Err(e),
            }
        }
        let mut gone = std::mem::take(&mut report.gone);
        gone.sort_unstable();
        gone.dedup();
        if !gone.is_empty() {
            let now = Snapshot::new(self.handle.clone())?;
            for key in &gone {
                if now.run(|txn| Ok(txn.open_table(RECORDS)?.get(key)?.is_some()))? {
                    report.problem(format!("record {key}: its key is destroyed"));
                }
                if now.run(|txn| history::has(txn, *key))? {
                    report.problem(format!("history of record {key}: its key is destroyed"));
                }
            }
        }
        Ok(report)
    }
}

/// Every record decodes and has its row in every index.
fn records(
    vault: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    counts: &mut Counts,
) -> Inner<()> {
    let ids = txn.open_table(IDS)?;
    let by_kind = txn.open_table(BY_KIND)?;
    let log = txn.open_table(CHANGES)?;
    let purges = txn.open_table(PURGES)?;
    let meta = txn.open_table(META)?;
    let last_seq = number(&meta, meta::LAST_SEQ)?;
    let trimmed = number(&meta, meta::TRIMMED)?;
    let next_key = number(&meta, meta::NEXT_KEY)?;
    let history = opened(txn.open_table(HISTORY_SEQ))?.zip(history::span_of(txn)?);
    report.last_seq = last_seq;
    for row in txn.open_table(RECORDS)?.iter()? {
        let (key, value) = row?;
        let key = key.value();
        let head = match decode(vault, key, value.value()) {
            Ok(head) => head,
            // Erased since this view was taken, or while it was read.
            Err(_) if matches!(vault.key(key), Ok(Key::Destroyed)) => {
                report.gone.push(key);
                match Row::read(key, value.value()).and_then(|row| row.head()) {
                    Ok(head) => head,
                    Err(_) => continue,
                }
            }
            Err(why) => {
                report.problem(format!("record {key}: {why}"));
                continue;
            }
        };
        let deleted = head.deleted.is_some();
        let tenant = head.tenant.as_str();
        let kind = kind_number(head.kind);
        let n = counts.entry((tenant.to_owned(), kind)).or_default();
        if deleted {
            n.1 += 1;
            report.deleted += 1;
        } else {
            n.0 += 1;
            report.live += 1;
        }
        let mut check = |holds: bool, what: &str| {
            if !holds {
                report.problem(format!("record {key}: {what}"));
            }
        };
        check(key < next_key, "its key was never given");
        check(head.seq <= last_seq, "its sequence number was never given");
        check(
            head.purge.is_some() == deleted,
            "deleted without a purge time",
        );
        let id = ids.get((tenant, head.id.as_str()))?.map(|g| g.value());
        check(id == Some((key, kind)), "its id does not lead to it");
        let state = by_kind.get((tenant, kind, key))?.map(|g| g.value());
        check(
            state == Some(u8::from(deleted)),
            "its kind does not list it",
        );
        if head.seq > trimmed {
            let change = log.get(head.seq)?.map(|g| g.value());
            let expected = Some((key, u8::from(deleted)));
            check(change == expected, "its last change is not in the log");
        }
        if let Some((seqs, span)) = &history
            && head.seq > span.from_seq
        {
            let changed = seqs.get(head.seq)?.map(|g| g.value().0);
            check(
                changed == Some(key),
                "its last change is not in the history",
            );
        }
        if let Some(at) = head.purge {
            check(purges.get((at, key))?.is_some(), "its purge is not planned");
        }
    }
    Ok(())
}

pub(crate) fn decode(vault: &Vault, key: u64, value: &[u8]) -> Result<Head, String> {
    let row = Row::read(key, value)?;
    let head: Head = row.head()?;
    let (etag, body) = row.open(vault, key)?;
    let record: Record = body.value()?;
    if record.id != head.id || record.kind() != head.kind {
        return Err("its id or kind is not that of its text".to_owned());
    }
    if Etag::of(&body.json()?) != etag {
        return Err("its etag is not that of its text".to_owned());
    }
    Ok(head)
}

/// The index tables have a row for each record and none besides.
fn indexes(
    _: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let n = txn.open_table(RECORDS)?.len()?;
    for (name, rows, of) in [
        ("ids", txn.open_table(IDS)?.len()?, n),
        ("by_kind", txn.open_table(BY_KIND)?.len()?, n),
        ("purges", txn.open_table(PURGES)?.len()?, report.deleted),
    ] {
        if rows != of {
            report.problem(format!("{name} has {rows} rows for {of} records"));
        }
    }
    Ok(())
}

fn count(
    _: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    counts: &mut Counts,
) -> Inner<()> {
    let mut stored = Counts::new();
    for row in txn.open_table(COUNTS)?.iter()? {
        let (key, n) = row?;
        let (tenant, kind) = key.value();
        stored.insert((tenant.to_owned(), kind), n.value());
    }
    let mut names: Vec<_> = stored.keys().chain(counts.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (kept, found) = (stored.get(name), counts.get(name));
        if kept != found {
            report.problem(format!(
                "tenant {} kind {}: the counter says {kept:?}, there are {found:?}",
                name.0, name.1
            ));
        }
    }
    let mut tenants: Vec<_> = counts.keys().map(|k| &k.0).collect();
    tenants.dedup();
    report.tenants = tenants.len() as u64;
    Ok(())
}

/// Every change is the last one of its record, or the trace of an erased one.
fn changes(
    _: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let records = txn.open_table(RECORDS)?;
    let trimmed = number(&txn.open_table(META)?, meta::TRIMMED)?;
    for row in txn.open_table(CHANGES)?.iter()? {
        let (seq, change) = row?;
        let (seq, (key, op)) = (seq.value(), change.value());
        report.changes += 1;
        if seq <= trimmed || seq > report.last_seq {
            report.problem(format!("change {seq}: it is outside the log"));
        }
        let holds = match records.get(key)? {
            None => op == 1,
            Some(value) => match Row::read(key, value.value()).and_then(|r| r.head::<Head>()) {
                Ok(head) => head.seq == seq,
                // Told with the record.
                Err(_) => true,
            },
        };
        if !holds {
            report.problem(format!(
                "change {seq}: it is not the last one of record {key}"
            ));
        }
    }
    Ok(())
}

/// No tenant has made more changes than there were.
fn tenant_seqs(
    _: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let Some(own) = opened(txn.open_table(TENANT_SEQS))? else {
        return Ok(());
    };
    for row in own.iter()? {
        let (tenant, seq) = row?;
        let (tenant, seq) = (tenant.value(), seq.value());
        if seq > report.last_seq {
            report.problem(format!(
                "tenant {tenant}: its number {seq} was never reached"
            ));
        }
    }
    Ok(())
}

fn requests(
    vault: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let ids = txn.open_table(REQUEST_IDS)?;
    let mut items = 0;
    for row in txn.open_table(REQUESTS)?.iter()? {
        let (n, value) = row?;
        let n = n.value();
        report.requests += 1;
        match Row::read(n, value.value()).and_then(|r| {
            r.open_common(vault, n)?.json()?;
            r.head::<RequestHead>()
        }) {
            Ok(head) => {
                items += head.items;
                let id = ids.get((head.tenant.as_str(), head.request_id.as_str()))?;
                if id.map(|g| g.value()) != Some(n) {
                    report.problem(format!("request {n}: its id does not lead to it"));
                }
            }
            Err(why) => report.problem(format!("request {n}: {why}")),
        }
    }
    if ids.len()? != report.requests {
        report.problem("there are request ids without their request".to_owned());
    }
    if number(&txn.open_table(META)?, meta::REQUEST_ITEMS)? != items {
        report.problem("the number of remembered writes is wrong".to_owned());
    }
    Ok(())
}

/// Whoever is gone is gone: no row, and no key.
fn erasures(
    vault: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let records = txn.open_table(RECORDS)?;
    for row in txn.open_table(ERASURES)?.iter()? {
        let (seq, row) = row?;
        let seq = seq.value();
        let gone = ErasureHead::read(seq, row.value())?.key;
        if records.get(gone)?.is_some() {
            report.problem(format!("erasure {seq}: the row of record {gone} is there"));
        }
        // One that is just being done has its row first.
        if seq <= vault.destroyed_to() && !matches!(vault.key(gone), Ok(Key::Destroyed)) {
            report.problem(format!(
                "erasure {seq}: the key of record {gone} is not destroyed"
            ));
        }
    }
    Ok(())
}

/// Every row of a kept answer has its head, and every outcome its row.
fn ledger(
    _: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let heads = opened(txn.open_table(ANSWERS))?;
    let rows = opened(txn.open_table(ANSWERED))?;
    if let (Some(heads), Some(rows)) = (&heads, &rows) {
        for row in rows.iter()? {
            let row = row?;
            let (tenant, answer, record) = row.0.value();
            if heads.get((tenant, answer))?.is_none() {
                report.problem(format!(
                    "answer {answer}: record {record} is in it, and it has no head"
                ));
            }
        }
    }
    if let (Some(rows), Some(outcomes)) = (&rows, opened(txn.open_table(OUTCOMES))?) {
        for row in outcomes.iter()? {
            let row = row?;
            let (tenant, answer, record, stage) = row.0.value();
            if rows.get((tenant, answer, record))?.is_none() {
                report.problem(format!(
                    "answer {answer}: outcome {stage} of record {record}, which is not in it"
                ));
            }
        }
    }
    Ok(())
}
