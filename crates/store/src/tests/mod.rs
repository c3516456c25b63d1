//! Tests that need a disk of their own making.
#![allow(clippy::unwrap_used)]

mod disk;
mod full;
mod power;
mod requests;

use crate::{
    Applied, Batch, Options, Store, StoreError, Write, folder::initialise, handle::Handle,
};
use disk::Disk;
use jiff::Timestamp;
use queqiao_domain::{CheckLimits, Kind, Record, RecordId, TenantId};
use redb::Builder;
use std::sync::Arc;

/// The store on a disk; made when the disk is empty.
fn open(disk: &Disk) -> Result<Store, StoreError> {
    let vault = disk.vault();
    let disk = disk.clone();
    let new = disk.len() == 0;
    let keys = Arc::clone(&vault);
    let open = move || {
        let db = Builder::new()
            .set_cache_size(1 << 20)
            .create_with_backend(disk.clone())?;
        if new && disk.first_open() {
            initialise(&db, &keys)?;
        }
        Ok(db)
    };
    let handle = Handle::new("disk".into(), vault, Box::new(open), None)?;
    Store::with_handle(handle, Options::default())
}

fn write(id: &str, title: &str) -> Write {
    let mut r = Record::new(RecordId::new(id).unwrap(), Kind::Need);
    r.title = title.to_owned();
    Write::upsert(r.check(&CheckLimits::default()).unwrap())
}

fn apply(store: &Store, writes: Vec<Write>) -> Result<Applied, StoreError> {
    store.apply(
        &TenantId::default(),
        &Batch::of(writes),
        Timestamp::UNIX_EPOCH,
    )
}

/// Ids and titles, in key order.
fn all(store: &Store) -> Result<Vec<(String, String)>, StoreError> {
    store
        .scan(None)?
        .map(|r| r.map(|r| (r.record.id.to_string(), r.record.title)))
        .collect()
}
