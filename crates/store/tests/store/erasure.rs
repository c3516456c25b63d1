//! Who is erased is gone: from the store, and from every copy of it that was made before.

use crate::fixtures::*;
use queqiao_store::{KeyFiles, Outcome, Receipt, RestoreOptions, Store, StoreError, restore};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Short, so that a record with it is not compressed and can be looked for.
const SECRET: &str = "UNFORGETTABLE";

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path);
        }
    }
    out
}

/// Files below a folder in which the bytes stand.
fn holding(dir: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let holds = |p: &PathBuf| {
        let bytes = fs::read(p).unwrap();
        bytes.windows(needle.len()).any(|w| w == needle)
    };
    files(dir).into_iter().filter(holds).collect()
}

fn erased(store: &Store, name: &str) -> Receipt {
    let applied = apply(store, [erase(name)]).unwrap();
    assert_eq!(outcomes(&applied), [Outcome::Erased]);
    let receipt = store.receipt(&t0(), &id(name), applied.items[0].seq);
    receipt.unwrap().unwrap()
}

#[test]
fn texts_stand_in_no_file() {
    let (dir, store) = store();
    apply(&store, [upsert("a", SECRET), upsert("b", "x")]).unwrap();
    store.backup_to(&dir.path().join("before.redb")).unwrap();
    assert_eq!(
        holding(dir.path(), SECRET.as_bytes()),
        [""; 0].map(PathBuf::from)
    );
    // The search can find: the id stands in the head, which is not sealed.
    apply(&store, [upsert(SECRET, "x")]).unwrap();
    assert!(!holding(dir.path(), SECRET.as_bytes()).is_empty());
}

#[test]
fn an_erased_record_is_gone_from_backups_that_were_made_before() {
    let (dir, store) = store();
    apply(&store, [upsert("a", SECRET), upsert("b", "stays")]).unwrap();
    let backup = dir.path().join("before.redb");
    store.backup_to(&backup).unwrap();
    let old = dir.path().join("keys-of-monday");
    store.keys_to(&old).unwrap();
    let keys = KeyFiles::of(dir.path(), None);

    // With the keys as they were then, it can be read: the control.
    let monday = KeyFiles {
        vault: old,
        ..keys.clone()
    };
    let there = tempfile::tempdir().unwrap();
    assert_eq!(
        restore(&backup, &monday, there.path(), &RestoreOptions::default())
            .unwrap()
            .erased_since,
        0
    );
    let read = Store::open(there.path())
        .unwrap()
        .get(&t0(), &id("a"))
        .unwrap();
    assert_eq!(read.unwrap().record.title, SECRET);

    let receipt = erased(&store, "a");
    assert!(store.check_receipt(&receipt).unwrap().holds());
    let gone = tempfile::tempdir().unwrap();
    let told = restore(&backup, &keys, gone.path(), &RestoreOptions::default()).unwrap();
    assert_eq!((told.erased_since, told.report.live), (1, 1));
    let restored = Store::open(gone.path()).unwrap();
    assert!(restored.get_any(&t0(), &id("a")).unwrap().is_none());
    let b = restored.get(&t0(), &id("b")).unwrap().unwrap();
    assert_eq!(b.record.title, "stays");
    // The receipt holds there too, though the erasure was after the backup.
    assert!(restored.check_receipt(&receipt).unwrap().holds());
    assert_eq!(problems(&restored), [""; 0]);
    // What is put in now gets a key that nothing was sealed with.
    let n = apply(&restored, [upsert("c", "new")]).unwrap().items[0]
        .key
        .0;
    assert!(n >= 4_096, "{n}");
}

#[test]
fn a_receipt_that_was_changed_or_comes_too_early_does_not_hold() {
    let (_dir, store) = store();
    apply(&store, [upsert("a", "x"), upsert("b", "y")]).unwrap();
    let receipt = erased(&store, "a");
    let check = |r: &Receipt| store.check_receipt(r).unwrap();
    assert!(check(&receipt).holds() && !check(&receipt).id_used_again);
    for changed in [
        Receipt {
            id: id("b"),
            ..receipt.clone()
        },
        Receipt {
            key: 1,
            ..receipt.clone()
        },
        Receipt {
            seq: 1,
            ..receipt.clone()
        },
        Receipt {
            time: at(1),
            ..receipt.clone()
        },
        Receipt {
            tenant: tenant("u"),
            ..receipt.clone()
        },
    ] {
        assert!(!check(&changed).genuine, "{changed:?}");
    }
    // What is given out tells neither number, and reads the same again; so does one of before.
    let paper = store.write_receipt(&receipt);
    assert_eq!(store.read_receipt(&paper), Some(receipt.clone()));
    let plain: serde_json::Value = serde_json::from_str(&paper).unwrap();
    assert!(plain.get("key").is_none() && plain["numbers"].as_str().unwrap().len() == 32);
    let before = serde_json::json!({
        "tenant": receipt.tenant, "id": receipt.id, "key": receipt.key, "seq": receipt.seq,
        "time": receipt.time, "proof": receipt.proof,
    });
    let before = store.read_receipt(&before.to_string()).unwrap();
    assert_eq!(before, receipt);
    for none in ["", "{}", &paper.replace("numbers", "key")] {
        assert_eq!(store.read_receipt(none), None, "{none}");
    }
    // Somebody else under the same id is somebody else.
    apply(&store, [upsert("a", "z")]).unwrap();
    let again = check(&receipt);
    assert!(again.holds() && again.id_used_again);
    assert_eq!(store.receipt(&t0(), &id("b"), receipt.seq).unwrap(), None);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn what_is_purged_is_gone_as_well() {
    let (dir, store) = store();
    apply(&store, [upsert("a", "x")]).unwrap();
    let key = store.get(&t0(), &id("a")).unwrap().unwrap().key;
    apply(&store, [delete("a")]).unwrap();
    assert!(!store.is_destroyed(key));
    assert_eq!(store.purge_expired(at(40 * 24 * 3600 * 1000)).unwrap(), 1);
    assert!(store.is_destroyed(key));
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert!(again.is_destroyed(key));
    assert!(again.snapshot().unwrap().last_erasure(&t0()).unwrap() > 0);
    assert_eq!(
        again
            .snapshot()
            .unwrap()
            .last_erasure(&tenant("u"))
            .unwrap(),
        0
    );
}

#[test]
fn the_keys_have_to_be_there_and_to_be_its_own() {
    let (dir, store) = store();
    apply(&store, [upsert("a", "x")]).unwrap();
    drop(store);
    let keys = KeyFiles::of(dir.path(), None);
    let told = |what: &str| {
        let e = Store::open(dir.path()).unwrap_err();
        assert!(e.to_string().contains(what), "{e}");
        e
    };
    // Another master key, well formed.
    let master = fs::read(&keys.master).unwrap();
    fs::write(&keys.master, "0".repeat(64)).unwrap();
    assert!(matches!(
        told("does not open"),
        StoreError::WrongMasterKey { .. }
    ));
    fs::write(&keys.master, "short").unwrap();
    told("64 hexadecimal digits");
    fs::remove_file(&keys.master).unwrap();
    assert!(matches!(
        told("put it back"),
        StoreError::NoMasterKey { .. }
    ));
    fs::write(&keys.master, &master).unwrap();
    // The vault of another store.
    let other = tempfile::tempdir().unwrap();
    drop(Store::open(other.path()).unwrap());
    let theirs = KeyFiles::of(other.path(), None);
    let vault = fs::read(&keys.vault).unwrap();
    fs::copy(&theirs.vault, &keys.vault).unwrap();
    fs::copy(&theirs.master, &keys.master).unwrap();
    told("of another store");
    fs::remove_file(&keys.vault).unwrap();
    told("no such file");
    fs::write(&keys.vault, &vault[..40]).unwrap();
    told("shorter than its header");
    // Nothing was overwritten on the way.
    fs::write(&keys.vault, &vault).unwrap();
    fs::write(&keys.master, &master).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.get(&t0(), &id("a")).unwrap().is_some());
}

#[test]
fn a_damaged_key_costs_its_own_record_and_is_told() {
    let (dir, store) = store();
    apply(&store, [upsert("a", "x"), upsert("b", "y")]).unwrap();
    drop(store);
    let vault = KeyFiles::of(dir.path(), None).vault;
    let mut bytes = fs::read(&vault).unwrap();
    bytes[64 + 20] ^= 1;
    fs::write(&vault, bytes).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let e = store.get(&t0(), &id("a")).unwrap_err();
    assert!(e.to_string().contains("its key is damaged"), "{e}");
    assert_eq!(
        store.get(&t0(), &id("b")).unwrap().unwrap().record.title,
        "y"
    );
    assert!(!store.verify().unwrap().is_sound());
    // It can be erased all the same.
    let receipt = erased(&store, "a");
    assert!(store.check_receipt(&receipt).unwrap().holds());
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn the_master_key_can_be_kept_elsewhere_and_is_in_no_copy() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let master = elsewhere.path().join("secret");
    let options = queqiao_store::Options {
        master_key: Some(master.clone()),
        ..Default::default()
    };
    let store = Store::open_with(dir.path(), &options).unwrap();
    apply(&store, [upsert("a", "x")]).unwrap();
    store.backup_to(&dir.path().join("b.redb")).unwrap();
    store.keys_to(&dir.path().join("b.keys")).unwrap();
    drop(store);
    let hex = fs::read_to_string(&master).unwrap();
    let raw: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    for needle in [&raw[..], hex.trim().as_bytes()] {
        assert_eq!(holding(dir.path(), needle), [""; 0].map(PathBuf::from));
    }
    assert!(Store::open(dir.path()).is_err());
    Store::open_with(dir.path(), &options).unwrap();
}
