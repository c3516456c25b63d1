//! What is known of records that are gone, and the proof of it.
//!
//! An erasure takes the row, then destroys the key. What stays is one row: tenant, number, time and a
//! keyed hash over the record's name, so that who has the receipt can be told that it is true, and
//! who has the store cannot read names in it.

use crate::{
    RecordKey, Snapshot, Store, StoreError,
    codec::{self, Body, Head, Row},
    error::Fault,
    tables::{ERASURES, IDS, RECORDS},
    vault::{Key, Vault},
};
use jiff::Timestamp;
use queqiao_domain::{RecordId, TenantId};
use serde::{Deserialize, Serialize};

/// Says that a record was erased, to whoever asked for it. It can be checked later
/// ([`Store::check_receipt`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose record it was.
    pub tenant: TenantId,
    /// Its id.
    pub id: RecordId,
    /// Its number in the store, never used again.
    pub key: u64,
    /// The sequence number of the erasure.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// A keyed hash over all of this: 64 hexadecimal digits.
    pub proof: String,
}

/// A receipt as it is given out. How many records and changes there are of all tenants is nothing that one
/// of them may read in it: the two numbers are hidden.
#[derive(Deserialize)]
struct Paper {
    tenant: TenantId,
    id: RecordId,
    /// The key and the sequence number, 32 hexadecimal digits.
    numbers: Option<String>,
    /// In receipts of before, instead of `numbers`.
    key: Option<u64>,
    seq: Option<u64>,
    time: Timestamp,
    proof: String,
}

/// What became of what a receipt speaks of. All is false beside `genuine` where that is: a receipt that was
/// made up must not ask for what is another's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceiptCheck {
    /// It was given by a server with the keys of this store, and nothing in it was changed.
    pub genuine: bool,
    /// No row has the record's number.
    pub row_gone: bool,
    /// The key is destroyed: no copy of the row can be read, in backups either.
    pub key_destroyed: bool,
    /// A record was put in later under the same id.
    pub id_used_again: bool,
}

impl ReceiptCheck {
    /// True when the record is gone, from the store and from every copy of it.
    pub fn holds(&self) -> bool {
        self.genuine && self.row_gone && self.key_destroyed
    }
}

/// What stays of an erased record.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ErasureHead {
    pub(crate) tenant: TenantId,
    pub(crate) key: u64,
    pub(crate) time: i64,
    pub(crate) proof: String,
}

impl ErasureHead {
    /// The row of an erasure; `None` when it cannot be written.
    pub(crate) fn row(vault: &Vault, seq: u64, key: u64, head: &Head, now: i64) -> Option<Vec<u8>> {
        let this = ErasureHead {
            tenant: head.tenant.clone(),
            key,
            time: now,
            proof: proof(vault, &head.tenant, &head.id, key, seq, now)
                .to_hex()
                .to_string(),
        };
        codec::write(seq, &this, &Body::pack(Vec::new()))
    }

    pub(crate) fn read(seq: u64, row: &[u8]) -> Result<Self, Fault> {
        Row::read(seq, row)
            .and_then(|r| r.head())
            .map_err(|why| Fault::Inconsistent(format!("erasure {seq}: {why}")))
    }
}

fn proof(
    vault: &Vault,
    tenant: &TenantId,
    id: &RecordId,
    key: u64,
    seq: u64,
    time: i64,
) -> blake3::Hash {
    let mut h = vault.mac("queqiao store: erasures");
    for text in [tenant.as_str(), id.as_str()] {
        h.update(&(text.len() as u64).to_le_bytes());
        h.update(text.as_bytes());
    }
    h.update(&key.to_le_bytes());
    h.update(&seq.to_le_bytes());
    h.update(&time.to_le_bytes());
    h.finalize()
}

impl Snapshot {
    /// The sequence number of the tenant's last erasure or purge; 0 when there was none. What was
    /// derived from the store before it may hold traces of who is gone.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`], [`StoreError::Damaged`].
    pub fn last_erasure(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.run(|txn| {
            for row in txn.open_table(ERASURES)?.range::<u64>(..)?.rev() {
                let (seq, row) = row?;
                if ErasureHead::read(seq.value(), row.value())?.tenant == *tenant {
                    return Ok(seq.value());
                }
            }
            Ok(0)
        })
    }
}

impl Snapshot {
    /// Tenants of whom a record was erased or purged, in ascending order.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`], [`StoreError::Damaged`].
    pub fn erased_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.run(|txn| {
            let mut names = std::collections::BTreeSet::new();
            for row in txn.open_table(ERASURES)?.range::<u64>(..)? {
                let (seq, row) = row?;
                names.insert(ErasureHead::read(seq.value(), row.value())?.tenant);
            }
            Ok(names.into_iter().collect())
        })
    }
}

impl Store {
    /// Destroys the keys of what was erased, where that is not done yet. Every erasure does it; when the
    /// disk refused, or a crash came between, it is done here or at the next start.
    ///
    /// # Errors
    /// [`StoreError::Io`]; some keys are not destroyed then.
    pub fn finish_erasures(&self) -> Result<(), StoreError> {
        let vault = self.handle.vault();
        let from = vault.destroyed_to();
        let (keys, last) = self.snapshot()?.run(|txn| {
            let (mut keys, mut last) = (Vec::new(), from);
            for row in txn.open_table(ERASURES)?.range(from + 1..)? {
                let (seq, row) = row?;
                last = seq.value();
                keys.push(ErasureHead::read(last, row.value())?.key);
            }
            Ok((keys, last))
        })?;
        if !keys.is_empty() {
            vault.destroy(&keys)?;
            vault.set_destroyed_to(last);
        }
        Ok(())
    }

    /// The receipt of the erasure of `id` under the sequence number `seq`; `None` when there was
    /// none.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`], [`StoreError::Damaged`].
    pub fn receipt(
        &self,
        tenant: &TenantId,
        id: &RecordId,
        seq: u64,
    ) -> Result<Option<Receipt>, StoreError> {
        let found = self.snapshot()?.run(|txn| {
            let table = txn.open_table(ERASURES)?;
            let row = table.get(seq)?;
            row.map(|row| ErasureHead::read(seq, row.value()))
                .transpose()
        })?;
        let vault = self.handle.vault();
        Ok(found
            .filter(|e| {
                let expected = proof(vault, tenant, id, e.key, seq, e.time);
                e.proof == expected.to_hex().as_str()
            })
            .and_then(|e| {
                Some(Receipt {
                    tenant: tenant.clone(),
                    id: id.clone(),
                    key: e.key,
                    seq,
                    time: Timestamp::from_millisecond(e.time).ok()?,
                    proof: e.proof,
                })
            }))
    }

    /// The text of a receipt, for whoever asked for the erasure.
    pub fn write_receipt(&self, receipt: &Receipt) -> String {
        let numbers = u128::from(receipt.key) << 64 | u128::from(receipt.seq);
        let hidden = self.hide(&receipt.proof, numbers);
        serde_json::json!({
            "tenant": receipt.tenant,
            "id": receipt.id,
            "numbers": format!("{hidden:032x}"),
            "time": receipt.time,
            "proof": receipt.proof,
        })
        .to_string()
    }

    /// Reads the text of a receipt; `None` when it is none.
    pub fn read_receipt(&self, text: &str) -> Option<Receipt> {
        let paper: Paper = serde_json::from_str(text).ok()?;
        let (key, seq) = match paper.numbers {
            Some(hidden) => {
                let both = self.hide(&paper.proof, u128::from_str_radix(&hidden, 16).ok()?);
                ((both >> 64) as u64, both as u64)
            }
            None => (paper.key?, paper.seq?),
        };
        Some(Receipt {
            tenant: paper.tenant,
            id: paper.id,
            key,
            seq,
            time: paper.time,
            proof: paper.proof,
        })
    }

    /// Hides the numbers of a receipt, or shows them again. A proof is of one pair of numbers, so that no
    /// two pairs are hidden alike.
    fn hide(&self, proof: &str, numbers: u128) -> u128 {
        let mut h = self.handle.vault().mac("queqiao store: receipts");
        h.update(proof.as_bytes());
        let mut pad = [0; 16];
        h.finalize_xof().fill(&mut pad);
        numbers ^ u128::from_be_bytes(pad)
    }

    /// Checks what a receipt says against the store and its keys as they are now.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Interrupted`], [`StoreError::Damaged`].
    pub fn check_receipt(&self, receipt: &Receipt) -> Result<ReceiptCheck, StoreError> {
        let vault = self.handle.vault();
        let Receipt {
            tenant,
            id,
            key,
            seq,
            time,
            ..
        } = receipt;
        let expected = proof(vault, tenant, id, *key, *seq, time.as_millisecond());
        // Takes as long whatever the two are: who could find out a proof could ask for any number.
        if !blake3::Hash::from_hex(&receipt.proof).is_ok_and(|given| given == expected) {
            return Ok(ReceiptCheck::default());
        }
        let (row_gone, id_used_again) = self.snapshot()?.run(|txn| {
            let row = txn.open_table(RECORDS)?.get(key)?.is_none();
            let ids = txn.open_table(IDS)?;
            let id = ids.get((tenant.as_str(), id.as_str()))?;
            Ok((row, id.is_some()))
        })?;
        Ok(ReceiptCheck {
            genuine: true,
            row_gone,
            key_destroyed: self.is_destroyed(RecordKey(*key)),
            id_used_again,
        })
    }

    /// Whether the key of a record is destroyed, so that no copy of its row can be read.
    pub fn is_destroyed(&self, key: RecordKey) -> bool {
        matches!(self.handle.vault().key(key.0), Ok(Key::Destroyed))
    }
}
