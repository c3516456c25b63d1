//! Files of indexes after an erasure.
//!
//! An erased record is in no answer from the moment that it is erased, but words and vectors of it may stand
//! in files of its tenant's index until these are written anew. A generation that was built from the
//! store after the erasure holds nothing of it.

use crate::{Engine, Error};
use jiff::Timestamp;
use queqiao_domain::TenantId;
use queqiao_store::{Receipt, ReceiptCheck};

/// What became of what a receipt speaks of, in the store and in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureCheck {
    /// In the store and its keys.
    pub store: ReceiptCheck,
    /// The files of the tenant's index were written after the erasure, or there are none.
    pub index_rewritten: bool,
}

impl ErasureCheck {
    /// True when the record is gone, from the store, from every copy of it and from the index.
    pub fn holds(&self) -> bool {
        self.store.holds() && self.index_rewritten
    }
}

impl Engine {
    /// Checks what a receipt says against the store, its keys and the index as they are now.
    ///
    /// # Errors
    /// The store or the folder cannot be read.
    pub fn check_erasure(&self, receipt: &Receipt) -> Result<ErasureCheck, Error> {
        let store = self.store.check_receipt(receipt)?;
        // One that was made up must not ask how far the index has come.
        let index_rewritten =
            store.genuine && self.rewritten_since(&receipt.tenant, receipt.seq)?;
        Ok(ErasureCheck {
            store,
            index_rewritten,
        })
    }

    /// Whether the files of the tenant's index, if there is one, were written from the store as it was under
    /// the sequence number `seq` or later, and so hold nothing of who was erased by then.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn rewritten_since(&self, tenant: &TenantId, seq: u64) -> Result<bool, Error> {
        let built = self.tenants.built_from(tenant)?;
        Ok(built.is_none_or(|built| built >= seq))
    }

    /// Writes anew every index whose files may hold traces of who was erased, and says how many
    /// there were. Searches and writes go on meanwhile.
    ///
    /// # Errors
    /// The store cannot be read, an index not be written. Those before it are done.
    pub fn rewrite_erased(&self) -> Result<usize, Error> {
        let mut done = 0;
        for tenant in self.store.snapshot()?.erased_tenants()? {
            let last = self.store.snapshot()?.last_erasure(&tenant)?;
            if !self.rewritten_since(&tenant, last)? {
                self.rebuild(&tenant)?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Removes for good what was deleted longer ago than it can be undeleted, and says how many
    /// records these were.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn purge(&self) -> Result<u64, Error> {
        Ok(self.store.purge_expired(Timestamp::now())?)
    }
}
