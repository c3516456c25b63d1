//! Small records and shorthands.

use jiff::Timestamp;
use queqiao_domain::{
    AmountRange, CheckLimits, CheckedRecord, Detail, Kind, Record, RecordId, TenantId,
};
use queqiao_store::{Applied, Batch, Cause, Outcome, Store, StoreError, Write};
use tempfile::TempDir;

pub(crate) fn id(s: &str) -> RecordId {
    RecordId::new(s).unwrap()
}

pub(crate) fn tenant(s: &str) -> TenantId {
    TenantId::new(s).unwrap()
}

/// The tenant of tests that need only one.
pub(crate) fn t0() -> TenantId {
    TenantId::default()
}

/// `ms` milliseconds after 2026-01-01.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_767_225_600_000 + ms).unwrap()
}

pub(crate) fn record(name: &str, kind: Kind, title: &str) -> CheckedRecord {
    let mut r = Record::new(id(name), kind);
    r.title = title.to_owned();
    if let Detail::Need(n) = &mut r.detail {
        // A number that only an exact reader of JSON gives back.
        n.budget = Some(AmountRange {
            min: Some(0.1 + 0.2),
            max: None,
        });
    }
    r.check(&CheckLimits::default()).unwrap()
}

pub(crate) fn need(name: &str, title: &str) -> CheckedRecord {
    record(name, Kind::Need, title)
}

pub(crate) fn upsert(name: &str, title: &str) -> Write {
    Write::upsert(need(name, title))
}

pub(crate) fn delete(name: &str) -> Write {
    Write::delete(id(name))
}

pub(crate) fn undelete(name: &str) -> Write {
    Write::Undelete {
        id: id(name),
        kind: None,
    }
}

pub(crate) fn erase(name: &str) -> Write {
    Write::Erase {
        id: id(name),
        kind: None,
    }
}

pub(crate) fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// Applies writes of the default tenant at time 0.
pub(crate) fn apply<const N: usize>(
    store: &Store,
    writes: [Write; N],
) -> Result<Applied, StoreError> {
    store.apply(&t0(), &Batch::of(writes), at(0))
}

pub(crate) fn outcomes(applied: &Applied) -> Vec<Outcome> {
    applied.items.iter().map(|i| i.outcome).collect()
}

/// The rejections of a batch, as (index, cause).
pub(crate) fn causes(result: Result<Applied, StoreError>) -> Vec<(usize, Cause)> {
    match result {
        Err(StoreError::Rejected { items, .. }) => {
            items.into_iter().map(|r| (r.index, r.cause)).collect()
        }
        other => panic!("not rejected: {other:?}"),
    }
}

/// Every contradiction in the store; empty when it is sound.
pub(crate) fn problems(store: &Store) -> Vec<String> {
    store.verify().unwrap().problems
}
