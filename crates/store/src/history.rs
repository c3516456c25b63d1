//! What stood before each change, so that a backup can be brought back to a moment.
//!
//! While a history is kept, every change since it begins of a record that is still there has one row in
//! `history`, the record's row before that change, sealed as it was, and one in `history_seq`, who
//! changed when. Erasing a record takes both, and its key, so a history never outlives whom it is of.
//! It is complete or it is not there: the span says from where to where it reaches, and one that ends
//! before the store's last change (a program that knows no history wrote, or copied the store without
//! it) counts for nothing and begins anew at the next opening.

use crate::{
    Snapshot, Store, StoreError,
    codec::{Head, Row},
    error::Inner,
    handle::End,
    ledger::opened,
    tables::{META, RECORDS, Tables, meta, number},
    vault::{Key, Vault},
    verify::{Counts, VerifyReport, decode},
    write::DAY_MS,
};
use jiff::Timestamp;
use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction,
};
use std::collections::BTreeSet;

/// (key, sequence number) → the row before that change; empty when there was none.
pub(crate) const HISTORY: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("history");
/// Sequence number → (key, time in milliseconds).
pub(crate) const HISTORY_SEQ: TableDefinition<'_, u64, (u64, i64)> =
    TableDefinition::new("history_seq");
/// () → [`Span`]. Not in `meta`, so that whoever copies the store without the history copies no
/// claim to one.
pub(crate) const HISTORY_SPAN: TableDefinition<'_, (), (u64, i64, u64)> =
    TableDefinition::new("history_span");

/// Changes forgotten in one transaction.
const TRIM_AT_ONCE: usize = 2_000;

/// How far a history reaches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Every change after this sequence number is in it.
    pub(crate) from_seq: u64,
    /// Every change up to there was made at this time or before, in milliseconds.
    pub(crate) from: i64,
}

/// The span of a history that is complete up to `last_seq`.
fn span(table: &impl ReadableTable<(), (u64, i64, u64)>, last_seq: u64) -> Inner<Option<Span>> {
    let found = table.get(())?.map(|g| g.value());
    Ok(found
        .filter(|(_, _, to_seq)| *to_seq == last_seq)
        .map(|(from_seq, from, _)| Span { from_seq, from }))
}

/// The span of the history of a view, if one is kept.
pub(crate) fn span_of(txn: &ReadTransaction) -> Inner<Option<Span>> {
    match opened(txn.open_table(HISTORY_SPAN))? {
        Some(table) => span(&table, number(&txn.open_table(META)?, meta::LAST_SEQ)?),
        None => Ok(None),
    }
}

/// Whether a view has a row of the history of `key`.
pub(crate) fn has(txn: &ReadTransaction, key: u64) -> Inner<bool> {
    let Some(rows) = opened(txn.open_table(HISTORY))? else {
        return Ok(false);
    };
    Ok(rows.range((key, 0)..=(key, u64::MAX))?.next().is_some())
}

/// The tables of the history, open for writing.
pub(crate) struct History<'t> {
    rows: Table<'t, (u64, u64), &'static [u8]>,
    seqs: Table<'t, u64, (u64, i64)>,
    spans: Table<'t, (), (u64, i64, u64)>,
    /// None while no history is kept.
    span: Option<Span>,
}

impl<'t> History<'t> {
    pub(crate) fn open(txn: &'t WriteTransaction, last_seq: u64) -> Inner<Self> {
        let spans = txn.open_table(HISTORY_SPAN)?;
        Ok(History {
            rows: txn.open_table(HISTORY)?,
            seqs: txn.open_table(HISTORY_SEQ)?,
            span: span(&spans, last_seq)?,
            spans,
        })
    }

    pub(crate) fn span(&self) -> Option<Span> {
        self.span
    }

    /// Begins a history of the changes after `last_seq`, which were all made by `now`.
    pub(crate) fn begin(&mut self, last_seq: u64, now: i64) -> Inner<()> {
        self.span = Some(Span {
            from_seq: last_seq,
            from: now,
        });
        self.save(last_seq)
    }

    /// Forgets all of it.
    pub(crate) fn end(&mut self) -> Inner<()> {
        self.rows.retain(|_, _| false)?;
        self.seqs.retain(|_, _| false)?;
        self.spans.remove(())?;
        self.span = None;
        Ok(())
    }

    /// Says that it is complete up to `last_seq`.
    pub(crate) fn save(&mut self, last_seq: u64) -> Inner<()> {
        if let Some(Span { from_seq, from }) = self.span {
            self.spans.insert((), (from_seq, from, last_seq))?;
        }
        Ok(())
    }

    /// Notes the row that stood before a change; an empty one when the record is new.
    pub(crate) fn note(&mut self, key: u64, seq: u64, time: i64, before: &[u8]) -> Inner<()> {
        if self.span.is_some() {
            self.rows.insert((key, seq), before)?;
            self.seqs.insert(seq, (key, time))?;
        }
        Ok(())
    }

    /// Forgets all of a record.
    pub(crate) fn forget(&mut self, key: u64) -> Inner<()> {
        self.take(key, 0).map(drop)
    }

    /// Forgets a record's changes from `seq` on, and returns the row before the first of them; none
    /// when there are none.
    pub(crate) fn take(&mut self, key: u64, seq: u64) -> Inner<Option<Vec<u8>>> {
        let mut first = None;
        let mut seqs = Vec::new();
        for row in self.rows.range((key, seq)..=(key, u64::MAX))? {
            let (at, before) = row?;
            first.get_or_insert_with(|| before.value().to_vec());
            seqs.push(at.value().1);
        }
        for seq in seqs {
            self.rows.remove((key, seq))?;
            self.seqs.remove(seq)?;
        }
        Ok(first)
    }

    /// The first change that was made after `moment`. Where the clock went back, a later change may
    /// have an earlier time; it comes after that one all the same.
    pub(crate) fn first_after(&self, moment: i64) -> Inner<Option<u64>> {
        for row in self.seqs.iter()? {
            let (seq, change) = row?;
            if change.value().1 > moment {
                return Ok(Some(seq.value()));
            }
        }
        Ok(None)
    }

    /// The earliest time of a change at `seq` or after it.
    pub(crate) fn earliest_from(&self, seq: u64) -> Inner<Option<i64>> {
        let mut earliest = None;
        for row in self.seqs.range(seq..)? {
            let time = row?.1.value().1;
            earliest = Some(earliest.map_or(time, |e: i64| e.min(time)));
        }
        Ok(earliest)
    }

    /// The records that changed at `seq` or after it.
    pub(crate) fn changed_from(&self, seq: u64) -> Inner<BTreeSet<u64>> {
        let mut keys = BTreeSet::new();
        for row in self.seqs.range(seq..)? {
            keys.insert(row?.1.value().0);
        }
        Ok(keys)
    }

    /// Forgets changes older than `older`, at most `limit`, and returns how many. What came before an old
    /// change is old: a clock that was ahead for a while keeps nothing.
    fn trim(&mut self, older: i64, limit: usize) -> Inner<usize> {
        let Some(Span { mut from, .. }) = self.span else {
            return Ok(0);
        };
        let mut changes = Vec::new();
        let mut n = 0;
        for row in self.seqs.iter()? {
            let (seq, change) = row?;
            let (key, time) = change.value();
            if changes.len() < limit {
                changes.push((seq.value(), key));
            }
            if time < older {
                n = changes.len();
                from = from.max(time);
                if n == limit {
                    break;
                }
            }
        }
        changes.truncate(n);
        let Some((from_seq, _)) = changes.last().copied() else {
            return Ok(0);
        };
        for (seq, key) in changes {
            self.rows.remove((key, seq))?;
            self.seqs.remove(seq)?;
        }
        self.span = Some(Span { from_seq, from });
        Ok(n)
    }
}

impl Snapshot {
    /// The moment from which on a backup of this view can be restored to any moment; `None` when no
    /// history is kept ([`Options::history_days`](crate::Options::history_days)).
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`], [`StoreError::Damaged`].
    pub fn history_from(&self) -> Result<Option<Timestamp>, StoreError> {
        let span = self.run(span_of)?;
        Ok(span.and_then(|s| Timestamp::from_millisecond(s.from).ok()))
    }
}

impl Store {
    /// Begins a history, goes on with it, or ends it, as the options say. A start that changes
    /// nothing of it writes nothing.
    pub(crate) fn settle_history(&self) -> Result<(), StoreError> {
        let wanted = self.options.history_days > 0;
        let (noted, complete, last_seq) = self.snapshot()?.run(|txn| {
            let table = opened(txn.open_table(HISTORY_SPAN))?;
            let noted = table.map_or(Ok(false), |t| t.get(()).map(|g| g.is_some()))?;
            let last_seq = number(&txn.open_table(META)?, meta::LAST_SEQ)?;
            Ok((noted, span_of(txn)?.is_some(), last_seq))
        })?;
        // Whoever does not decide goes on with what is there, and begins one with the store only.
        let begins = self.options.begin_history || last_seq == 0;
        let settled = if wanted {
            complete || !noted && !begins
        } else {
            !noted
        };
        if settled {
            return Ok(());
        }
        let done = self.handle.write("preparing the history of", |txn| {
            let mut t = Tables::open(txn)?;
            t.history.end()?;
            if wanted {
                let last_seq = t.last_seq();
                t.history
                    .begin(last_seq, Timestamp::now().as_millisecond())?;
            }
            Ok(End::Commit(()))
        });
        match done {
            // It stays as it was, which is known of it; records can be read.
            Err(error @ StoreError::DiskFull { .. }) => {
                tracing::warn!(%error, "the history is begun or removed when the store is next opened with room");
                Ok(())
            }
            done => done,
        }
    }

    /// Forgets what is older than the options say, in steps, so that writers are not held up.
    pub(crate) fn trim_history(&self, now: i64) -> Result<(), StoreError> {
        let older = now.saturating_sub(i64::from(self.options.history_days) * DAY_MS);
        loop {
            let n = self.handle.write("trimming the history of", |txn| {
                let mut t = Tables::open(txn)?;
                let n = t.history.trim(older, TRIM_AT_ONCE)?;
                if n == 0 {
                    return Ok(End::Abort(0));
                }
                t.save()?;
                Ok(End::Commit(n))
            })?;
            if n < TRIM_AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// Every row is the one that the change before it left, up to the record as it is now.
pub(crate) fn check(
    vault: &Vault,
    txn: &ReadTransaction,
    report: &mut VerifyReport,
    _: &mut Counts,
) -> Inner<()> {
    let Some(span) = span_of(txn)? else {
        return Ok(());
    };
    let last_seq = number(&txn.open_table(META)?, meta::LAST_SEQ)?;
    let (rows, seqs) = (txn.open_table(HISTORY)?, txn.open_table(HISTORY_SEQ)?);
    let records = txn.open_table(RECORDS)?;
    let last = |report: &mut VerifyReport, (key, seq): (u64, u64)| -> Inner<()> {
        match records.get(key)? {
            None => report.problem(format!("history of record {key}: there is no such record")),
            Some(row) => match Row::read(key, row.value()).and_then(|r| r.head::<Head>()) {
                Ok(head) if head.seq != seq => report.problem(format!(
                    "history of record {key}: its last change is {seq}, the record's is {}",
                    head.seq
                )),
                // Damage is told with the record.
                _ => {}
            },
        }
        Ok(())
    };
    let mut before: Option<(u64, u64)> = None;
    for row in rows.iter()? {
        let (at, value) = row?;
        let (key, seq) = at.value();
        report.history += 1;
        let earlier = before.filter(|(k, _)| *k == key).map(|(_, seq)| seq);
        if let Some(other) = before
            && other.0 != key
        {
            last(report, other)?;
        }
        before = Some((key, seq));
        let mut wrong =
            |what: &str| report.problem(format!("history {seq} of record {key}: {what}"));
        if seqs.get(seq)?.is_none_or(|g| g.value().0 != key) {
            wrong("its number does not lead to it");
        }
        if seq <= span.from_seq || seq > last_seq {
            wrong("it is outside the history");
        }
        match value.value() {
            [] if earlier.is_some() => wrong("the record was new, and had changed before"),
            [] => {}
            row => match decode(vault, key, row) {
                Ok(head) if head.seq != earlier.unwrap_or(head.seq.min(span.from_seq)) => {
                    wrong("a change before it is missing");
                }
                Ok(_) => {}
                // Erased since this view was taken, or while it was read.
                Err(_) if matches!(vault.key(key), Ok(Key::Destroyed)) => report.gone.push(key),
                Err(why) => wrong(&why),
            },
        }
    }
    if let Some(other) = before {
        last(report, other)?;
    }
    if seqs.len()? != report.history {
        report.problem(format!(
            "the history has {} numbers for {} rows",
            seqs.len()?,
            report.history
        ));
    }
    Ok(())
}
