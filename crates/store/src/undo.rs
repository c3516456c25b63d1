//! A copy of the store, brought back to a moment.
//!
//! What it shows afterwards is what the store showed then, less whoever was erased since; it discloses
//! nothing that was not disclosed then, and takes no request for done whose effect was undone.

use crate::{
    disclosures::{DISCLOSED_TO, DISCLOSURES},
    error::{Fault, Inner},
    folder::new_identity,
    ledger::{self, ANSWERED, ANSWERS, ANSWERS_OF, OUTCOMES},
    tables::Tables,
};
use redb::{ReadableTable, WriteTransaction};
use serde::Deserialize;

/// Undoes every change since the first that was made after `moment` (milliseconds), and returns how
/// many records were changed back. The store becomes another one ([`crate::StoreId`]): an index
/// that has seen what is undone is not of it. The history has to reach back to the moment.
pub(crate) fn undo(txn: &WriteTransaction, t: &mut Tables<'_>, moment: i64) -> Inner<u64> {
    let cut = t.history.first_after(moment)?;
    let changed = cut.map_or_else(|| Ok(Default::default()), |seq| t.history.changed_from(seq))?;
    for key in &changed {
        let before = t.history.take(*key, cut.unwrap_or(u64::MAX))?;
        let before = before.ok_or_else(|| {
            Fault::Inconsistent(format!("the history of record {key} has no row"))
        })?;
        if let Some(head) = t.put_back(*key, &before)? {
            // Nothing may speak of a record that is not there, nor of the next one of its id.
            ledger::forget(txn, head.tenant.as_str(), head.id.as_str())?;
        }
    }
    t.forget_after(moment, cut.unwrap_or(u64::MAX))?;
    answers(txn, moment)?;
    outcomes(txn, moment)?;
    disclosures(txn, moment)?;
    new_identity(t)?;
    Ok(changed.len() as u64)
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
