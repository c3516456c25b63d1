//! Every format opens for ever.

use crate::{describe::describe, fixtures::*};
use queqiao_store::{Batch, KeyFiles, RequestId, RestoreOptions, Store, StoreError, restore};
use std::{fs, path::Path};

/// The frozen sample of a format, in a folder of its own.
fn sample(format: u32) -> (tempfile::TempDir, serde_json::Value) {
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/data/store-v{format}"));
    let packed = fs::read(sample.join("store.redb.zst")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let bytes = zstd::bulk::decompress(&packed, 64 << 20).unwrap();
    fs::write(dir.path().join("store.redb"), bytes).unwrap();
    if format > 1 {
        let keys = KeyFiles::of(dir.path(), None);
        fs::create_dir(keys.vault.parent().unwrap()).unwrap();
        fs::copy(sample.join("vault"), keys.vault).unwrap();
        fs::copy(sample.join("master.key"), keys.master).unwrap();
    }
    let expected = fs::read_to_string(sample.join("expected.json")).unwrap();
    (dir, serde_json::from_str(&expected).unwrap())
}

#[test]
fn a_backup_of_format_1_is_restored_and_sealed() {
    let (dir, expected) = sample(1);
    let to = tempfile::tempdir().unwrap();
    let none = KeyFiles::of(dir.path(), None);
    let file = dir.path().join("store.redb");
    let restored = restore(&file, &none, to.path(), &RestoreOptions::default()).unwrap();
    assert!(restored.report.is_sound());
    let store = Store::open(to.path()).unwrap();
    assert!(describe(&store).unwrap() == expected);
    // What it was restored from is as it was.
    assert!(describe(&Store::open(dir.path()).unwrap()).unwrap() == expected);
}

#[test]
fn after_the_migration_no_text_is_in_the_clear() {
    let (dir, _) = sample(1);
    let file = dir.path().join("store.redb");
    let phone = "虚构热处理学会".as_bytes();
    let holds = || {
        fs::read(&file)
            .unwrap()
            .windows(phone.len())
            .any(|w| w == phone)
    };
    let before = holds();
    drop(Store::open(dir.path()).unwrap());
    assert!(before, "the sample has none to look for");
    assert!(!holds());
}

#[test]
fn the_history_of_an_older_folder_begins_when_it_is_opened() {
    let (dir, expected) = sample(2);
    let file = dir.path().join("store.redb");
    let before = jiff::Timestamp::now();
    let options = RestoreOptions {
        until: Some(before),
        ..RestoreOptions::default()
    };
    let to = tempfile::tempdir().unwrap();
    let keys = KeyFiles::of(dir.path(), None);
    let e = restore(&file, &keys, to.path(), &options).unwrap_err();
    assert!(matches!(e, StoreError::BeforeHistory { from: None, .. }));
    let store = Store::open(dir.path()).unwrap();
    assert!(describe(&store).unwrap() == expected);
    let from = store.snapshot().unwrap().history_from().unwrap().unwrap();
    assert!(from.as_millisecond() >= before.as_millisecond());
    // From then on it can be brought back.
    let later = jiff::Timestamp::from_millisecond(from.as_millisecond() + 1).unwrap();
    store
        .apply(&t0(), &Batch::of([upsert("N-001", "changed")]), later)
        .unwrap();
    let backup = dir.path().join("backup.redb");
    store.backup_to(&backup).unwrap();
    let options = RestoreOptions {
        until: Some(from),
        ..RestoreOptions::default()
    };
    let to = tempfile::tempdir().unwrap();
    let told = restore(&backup, &keys, to.path(), &options).unwrap();
    assert_eq!(told.undone, 1);
    let copy = describe(&Store::open(to.path()).unwrap()).unwrap();
    assert_eq!(copy["tenants"], expected["tenants"]);
    assert_eq!(copy["changes"], expected["changes"]);
}

#[test]
fn the_frozen_sample_of_format_1_opens_and_says_the_same() {
    opens_and_says_the_same(1);
}

#[test]
fn the_frozen_sample_of_format_2_opens_and_says_the_same() {
    opens_and_says_the_same(2);
}

fn opens_and_says_the_same(format: u32) {
    let (dir, expected) = sample(format);
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

#[test]
fn tenants_of_an_older_folder_go_on_from_its_number_and_new_ones_begin() {
    for format in [1, 2] {
        let (dir, _) = sample(format);
        let store = Store::open(dir.path()).unwrap();
        let last = store.last_seq().unwrap();
        let own = |t: &str| store.snapshot().unwrap().tenant_seq(&tenant(t)).unwrap();
        assert!(last > 0);
        // Whether or not somebody wrote since, and whoever it was.
        assert_eq!((own(t0().as_str()), own("new")), (last, 0));
        let batch = Batch::of([upsert("x", "y")]);
        let applied = store.apply(&tenant("new"), &batch, at(0)).unwrap();
        assert_eq!((applied.seq, applied.tenant_seq), (last + 1, 1));
        assert_eq!((own(t0().as_str()), own("other")), (last, 0));
        let applied = store.apply(&t0(), &batch, at(0)).unwrap();
        assert_eq!(applied.tenant_seq, last + 1);
        assert_eq!(problems(&store), [""; 0]);
    }
}
