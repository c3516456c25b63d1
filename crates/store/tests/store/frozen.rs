//! Format 1 opens for ever.

use crate::{describe::describe, fixtures::*};
use queqiao_store::{Batch, RequestId, Store};
use std::{fs, path::Path};

#[test]
fn the_frozen_sample_of_format_1_opens_and_says_the_same() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/store-v1");
    let packed = fs::read(sample.join("store.redb.zst")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bytes = zstd::bulk::decompress(&packed, 64 << 20).unwrap();
    fs::write(dir.path().join("store.redb"), bytes).unwrap();
    let expected = fs::read_to_string(sample.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();

    let store = Store::open(dir.path()).unwrap();
    let found = describe(&store).unwrap();
    assert!(found == expected, "found {found:#}");
    assert_eq!(problems(&store), [""; 0]);

    // It is a store like any other: the record put in again is the same record …
    let first = store.get(&t0(), &id("N-001")).unwrap().unwrap();
    let same = first
        .record
        .clone()
        .check(&queqiao_domain::CheckLimits::default())
        .unwrap();
    let applied = store
        .apply(
            &t0(),
            &Batch::of([queqiao_store::Write::upsert(same)]),
            at(0),
        )
        .unwrap();
    assert_eq!(outcomes(&applied), [queqiao_store::Outcome::Unchanged]);
    // … its request is remembered, and it takes new ones.
    let retry = Batch {
        request_id: Some(RequestId::new("sample-delete").unwrap()),
        ..Batch::of([delete("N-002")])
    };
    assert!(store.apply(&t0(), &retry, at(0)).unwrap().replayed);
    apply(&store, [undelete("N-002")]).unwrap();
    assert_eq!(problems(&store), [""; 0]);
}
