use crate::fixtures::*;
use queqiao_store::{Batch, KeyFiles, RequestId, RestoreOptions, Store, StoreError, restore};
use std::{fs, path::Path};

/// A store from a backup and the keys that the store of `home` has now.
fn restored(file: &Path, home: &Path) -> (tempfile::TempDir, Store, u64) {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyFiles::of(home, None);
    let told = restore(file, &keys, dir.path(), &RestoreOptions::default()).unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store, told.erased_since)
}

#[test]
fn a_backup_is_one_moment_of_the_store() {
    let (dir, store) = store();
    let ask = Batch {
        request_id: Some(RequestId::new("r").unwrap()),
        ..Batch::of((0..300).map(|i| upsert(&format!("n{i}"), "0")))
    };
    store.apply(&t0(), &ask, at(0)).unwrap();
    apply(&store, [delete("n1"), erase("n2")]).unwrap();
    let file = dir.path().join("backup.redb");
    // Every batch writes all records anew: a backup between two halves would show two titles.
    std::thread::scope(|s| {
        let writer = s.spawn(|| {
            for n in 1..=10 {
                let title = n.to_string();
                let writes = (3..300).map(|i| upsert(&format!("n{i}"), &title));
                store.apply(&t0(), &Batch::of(writes), at(n)).unwrap();
            }
        });
        store.backup_to(&file).unwrap();
        writer.join().unwrap();
    });
    let (_copy_dir, copy, _) = restored(&file, dir.path());
    assert_eq!(problems(&copy), [""; 0]);
    assert_ne!(copy.store_id(), store.store_id());
    let mut titles: Vec<_> = copy
        .scan(None)
        .unwrap()
        .map(|r| r.unwrap().record)
        .filter(|r| r.id.as_str() != "n0")
        .map(|r| r.title)
        .collect();
    assert_eq!(titles.len(), 297);
    titles.dedup();
    assert_eq!(titles.len(), 1);
    assert!(
        copy.get_any(&t0(), &id("n1"))
            .unwrap()
            .unwrap()
            .delete_time
            .is_some()
    );
    assert!(copy.get_any(&t0(), &id("n2")).unwrap().is_none());
    assert!(copy.apply(&t0(), &ask, at(1)).unwrap().replayed);
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let (dir, store) = store();
    apply(&store, [upsert("a", "x")]).unwrap();
    let file = dir.path().join("backup.redb");
    fs::write(&file, b"precious").unwrap();
    let e = store.backup_to(&file).unwrap_err();
    assert!(matches!(e, StoreError::Exists { .. }), "{e}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let e = store
        .backup_to(&dir.path().join("no/such/folder/b.redb"))
        .unwrap_err();
    assert!(matches!(e, StoreError::Io { .. }), "{e}");
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
}
