//! The durable truth: records, their change log and the ids of requests already done, on redb.
//!
//! Purpose: keep what callers put in, batch by batch, and tell every derived index what changed
//! since it last looked. Invariant: what was acknowledged is on disk, a batch is there whole or
//! not at all, and no two records of a tenant share an id. Whatever the bytes on disk are, reading
//! them gives a record or an error that names what is damaged, never a panic.
//!
//! A record keeps its [`RecordKey`] for life, and every change gets the next sequence number, so
//! an index that remembers ([`Store::store_id`], sequence number) can catch up
//! ([`Store::changes_since`]) or learn that it must be rebuilt ([`Store::scan`]). A backup can be
//! restored to any moment of the last days ([`RestoreOptions::until`]).

mod backup;
mod codec;
mod disclosures;
mod erasure;
mod error;
mod folder;
mod handle;
mod history;
mod iter;
mod ledger;
mod migrate;
mod model;
mod read;
mod request;
mod restore;
mod store;
mod tables;
mod undo;
mod vault;
mod verify;
mod write;

#[cfg(test)]
mod tests;

pub use disclosures::MAX_DISCLOSURES;
pub use erasure::{Receipt, ReceiptCheck};
pub use error::{Cause, Rejection, StoreError};
pub use iter::{Changes, Scan, Since};
pub use ledger::{Entered, KeptAnswer, OutcomeRow};
pub use model::{
    Applied, Batch, Change, ChangeOp, Etag, Item, ListQuery, Outcome, Page, RecordKey, RequestId,
    StoreId, StoredRecord, Write,
};
pub use read::Snapshot;
pub use restore::{RestoreOptions, Restored, restore};
pub use store::{FORMAT_VERSION, Options, Store};
pub use vault::KeyFiles;
pub use verify::VerifyReport;
