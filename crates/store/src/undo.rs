//! A copy of the store, brought back to a moment.
//!
//! What it shows afterwards is what the store showed then, less whoever was erased since; it discloses
//! nothing that was not disclosed then, and takes no request for done whose effect was undone. Whoever
//! withdrew since is told, so that it can be done again.

use crate::{
    codec,
    disclosures::{DISCLOSED_TO, DISCLOSURES},
    error::{Fault, Inner},
    folder::new_identity,
    ledger::{self, ANSWERED, ANSWERS, ANSWERS_OF, OUTCOMES},
    tables::Tables,
    vault::Vault,
};
use queqiao_domain::{Detail, Record, RecordId, TenantId, Visibility};
use redb::{ReadableTable, WriteTransaction};
use serde::Deserialize;

/// What was undone.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    /// Records that were changed back.
    pub(crate) changed: u64,
    /// Keys of records that were new: they open rows of this and of other backups that nothing leads
    /// to any more.
    pub(crate) orphans: Vec<u64>,
    /// Records that had been withdrawn in some way since, and are not any more.
    pub(crate) reopened: Vec<(TenantId, RecordId)>,
}

/// Undoes every change since the first that was made after `moment` (milliseconds), and returns how
/// many records were changed back. The store becomes another one ([`crate::StoreId`]): an index
/// that has seen what is undone is not of it. The history has to reach back to the moment.
pub(crate) fn undo(
    txn: &WriteTransaction,
    t: &mut Tables<'_>,
    vault: &Vault,
    moment: i64,
) -> Inner<Undone> {
    let cut = t.history.first_after(moment)?;
    // Where the clock went back, what was done after the first change that is undone may have an
    // earlier time than the moment.
    let moment = match cut {
        Some(seq) => t
            .history
            .earliest_from(seq)?
            .map_or(moment, |first| moment.min(first - 1)),
        None => moment,
    };
    let mut undone = Undone::default();
    let changed = cut.map_or_else(|| Ok(Default::default()), |seq| t.history.changed_from(seq))?;
    for key in &changed {
        let before = t.history.take(*key, cut.unwrap_or(u64::MAX))?;
        let before = before.ok_or_else(|| {
            Fault::Inconsistent(format!("the history of record {key} has no row"))
        })?;
        if let Some(id) = reopened(t, vault, *key, &before) {
            undone.reopened.push(id);
        }
        if let Some(head) = t.put_back(*key, &before)? {
            undone.orphans.push(*key);
            // Nothing may speak of a record that is not there, nor of the next one of its id.
            ledger::forget(txn, head.tenant.as_str(), head.id.as_str())?;
        }
    }
    t.forget_after(moment, cut.unwrap_or(u64::MAX))?;
    answers(txn, moment)?;
    outcomes(txn, moment)?;
    disclosures(txn, moment)?;
    new_identity(t)?;
    undone.changed = changed.len() as u64;
    Ok(undone)
}

/// The id of a record that was withdrawn in some way since `before` stood for it; none where one of the
/// two cannot be read.
fn reopened(
    t: &Tables<'_>,
    vault: &Vault,
    key: u64,
    before: &[u8],
) -> Option<(TenantId, RecordId)> {
    let now = t.present(vault, key).ok()?;
    let (_, earlier) = codec::parts(vault, key, before).ok()?;
    let (earlier, later) = (earlier.value().ok()?, now.body.value().ok()?);
    withdrawn(&earlier, &later).then_some((now.head.tenant, now.head.id))
}

/// Whether the later of two states of a record lets others do less with it: no matching, no consent or
/// an earlier end of it, no contact, or fewer who may see it.
fn withdrawn(earlier: &Record, later: &Record) -> bool {
    let seen = |r: &Record| match r.visibility {
        Visibility::Open => 2,
        Visibility::Platform => 1,
        Visibility::Sealed => 0,
    };
    let contact = |r: &Record| r.clone().take_contact().is_some();
    let expert = match (&earlier.detail, &later.detail) {
        (Detail::Expert(e), Detail::Expert(l)) => {
            let ends = match (&e.consent, &l.consent) {
                (Some(e), Some(l)) => l.until.is_some_and(|l| e.until.is_none_or(|e| l < e)),
                (Some(_), None) => true,
                (None, _) => false,
            };
            ends || l.opt_out && !e.opt_out
        }
        _ => false,
    };
    expert || seen(later) < seen(earlier) || contact(earlier) && !contact(later)
}

/// The part of a caller's row that says when it was made.
#[derive(Deserialize)]
struct Timed {
    time: i64,
}

/// When a row was made, where it tells.
fn time(row: &[u8]) -> Option<i64> {
    serde_json::from_slice(row).ok().map(|t: Timed| t.time)
}

/// Drops the answers that were given after the moment, and what came of them.
fn answers(txn: &WriteTransaction, moment: i64) -> Inner<()> {
    let mut heads = txn.open_table(ANSWERS)?;
    let mut rows = txn.open_table(ANSWERED)?;
    let mut of = txn.open_table(ANSWERS_OF)?;
    let mut outcomes = txn.open_table(OUTCOMES)?;
    let mut late = Vec::new();
    for row in heads.iter()? {
        let (at, head) = row?;
        let (asker, head) = head.value();
        if time(head).is_some_and(|t| t > moment) {
            let (tenant, answer) = at.value();
            late.push((tenant.to_owned(), answer.to_owned(), asker.to_owned()));
        }
    }
    for (tenant, answer, asker) in &late {
        let (t, a) = (tenant.as_str(), answer.as_str());
        heads.remove((t, a))?;
        of.remove((t, asker.as_str(), a))?;
        let mut records = Vec::new();
        for row in rows.range((t, a, "")..)? {
            let row = row?;
            let (u, b, record) = row.0.value();
            if (u, b) != (t, a) {
                break;
            }
            records.push(record.to_owned());
        }
        for record in &records {
            let r = record.as_str();
            rows.remove((t, a, r))?;
            of.remove((t, r, a))?;
            outcomes.retain_in((t, a, r, 0)..=(t, a, r, u8::MAX), |_, _| false)?;
        }
    }
    Ok(())
}

/// Drops the outcomes that say that they came after the moment.
fn outcomes(txn: &WriteTransaction, moment: i64) -> Inner<()> {
    let mut outcomes = txn.open_table(OUTCOMES)?;
    Ok(outcomes.retain(|_, row| time(row).is_none_or(|t| t <= moment))?)
}

/// Drops every disclosure that does not say that it stood at the moment.
fn disclosures(txn: &WriteTransaction, moment: i64) -> Inner<()> {
    let mut rows = txn.open_table(DISCLOSURES)?;
    let mut of = txn.open_table(DISCLOSED_TO)?;
    let mut late = Vec::new();
    for row in rows.iter()? {
        let (at, row) = row?;
        if time(row.value()).is_none_or(|t| t > moment) {
            let (tenant, record, to) = at.value();
            late.push((tenant.to_owned(), record.to_owned(), to.to_owned()));
        }
    }
    for (tenant, record, to) in &late {
        let (t, r, to) = (tenant.as_str(), record.as_str(), to.as_str());
        rows.remove((t, r, to))?;
        of.remove((t, to, r))?;
    }
    Ok(())
}
