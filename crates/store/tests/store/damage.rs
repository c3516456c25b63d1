//! Bytes of any kind under the store: an error, or the truth; never a panic.

use crate::fixtures::*;
use queqiao_domain::Record;
use queqiao_store::{ListQuery, Since, Store, StoreError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use redb::ReadableTable;
use std::{collections::BTreeMap, fs, path::Path};

fn filled() -> (tempfile::TempDir, Vec<u8>, BTreeMap<String, Record>) {
    let (dir, store) = store();
    for i in 0..40 {
        let long = format!("需求{i} ").repeat(40);
        apply(
            &store,
            [
                upsert(&format!("n{i}"), &long),
                upsert(&format!("m{i}"), "短"),
            ],
        )
        .unwrap();
    }
    let truth = store.scan(None).unwrap().map(|r| r.unwrap().record);
    let truth = truth.map(|r| (r.id.to_string(), r)).collect();
    drop(store);
    let bytes = fs::read(dir.path().join("store.redb")).unwrap();
    (dir, bytes, truth)
}

/// Opens a folder with these bytes and reads all there is. `true` when damage was noticed; what is
/// read must be the truth.
fn noticed(dir: &Path, bytes: &[u8], truth: &BTreeMap<String, Record>) -> bool {
    fs::write(dir.join("store.redb"), bytes).unwrap();
    let damage = |e: &StoreError| {
        assert!(
            matches!(
                e,
                StoreError::Damaged { .. }
                    | StoreError::DamagedRecord { .. }
                    | StoreError::NotAStore { .. }
                    | StoreError::NewerFormat { .. }
            ),
            "{e:?}"
        );
    };
    let store = match Store::open(dir) {
        Ok(store) => store,
        Err(e) => {
            damage(&e);
            return true;
        }
    };
    let mut noticed = false;
    let mut check = |found: Result<Option<Record>, StoreError>| match found {
        Ok(Some(r)) => assert!(truth[r.id.as_str()] == r, "a wrong record was read"),
        Ok(None) => {}
        Err(e) => {
            damage(&e);
            noticed = true;
        }
    };
    for name in truth.keys() {
        check(store.get(&t0(), &id(name)).map(|r| r.map(|r| r.record)));
    }
    match store.scan(None) {
        Ok(scan) => scan.for_each(|r| check(r.map(|r| Some(r.record)))),
        Err(e) => check(Err(e)),
    }
    check(store.list(&t0(), &ListQuery::default()).map(|_| None));
    if let Ok(Since::Changes(changes)) = store.changes_since(0) {
        changes.for_each(|c| check(c.map(|_| None)));
    }
    check(apply(&store, [upsert("n0", "x")]).map(|_| None));
    noticed |= !store.verify().unwrap().is_sound();
    noticed
}

/// Panics inside redb are caught; they need not fill the test's output.
fn quietly<T>(f: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        if !info.location().is_some_and(|l| l.file().contains("redb")) {
            let text = format!("{info}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        }
    }));
    let out = f();
    std::panic::set_hook(hook);
    out
}

#[test]
fn an_undamaged_file_reads_as_sound() {
    let (dir, bytes, truth) = filled();
    assert!(
        !noticed(dir.path(), &bytes, &truth),
        "the check of the other tests can pass"
    );
}

#[test]
fn flipped_bytes_never_panic_and_never_lie() {
    let (dir, bytes, truth) = filled();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let used = bytes.len() - bytes.iter().rev().take_while(|b| **b == 0).count();
    let mut seen = 0;
    quietly(|| {
        for _ in 0..150 {
            let mut bad = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let i = rng.random_range(0..used);
                bad[i] ^= 1 << rng.random_range(0..8);
            }
            seen += usize::from(noticed(dir.path(), &bad, &truth));
        }
    });
    // The rest hit pages that are free.
    assert!(seen > 30, "only {seen} of 150 were noticed");
}

#[test]
fn overwritten_and_cut_files_never_panic() {
    let (dir, bytes, truth) = filled();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    quietly(|| {
        for _ in 0..30 {
            let mut bad = bytes.clone();
            let len = rng.random_range(1..8192);
            let at = rng.random_range(0..bad.len() - len);
            rng.fill(&mut bad[at..at + len]);
            noticed(dir.path(), &bad, &truth);
        }
        for _ in 0..30 {
            let len = rng.random_range(1..bytes.len());
            assert!(noticed(dir.path(), &bytes[..len], &truth), "cut at {len}");
        }
    });
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_read() {
    let (dir, _, _) = filled();
    {
        let db = redb::Database::open(dir.path().join("store.redb")).unwrap();
        let txn = db.begin_write().unwrap();
        {
            let mut t = txn
                .open_table(redb::TableDefinition::<u64, &[u8]>::new("records"))
                .unwrap();
            let mut row = t.get(3).unwrap().unwrap().value().to_vec();
            *row.last_mut().unwrap() ^= 1;
            t.insert(3, row.as_slice()).unwrap();
        }
        txn.commit().unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    let (good, bad): (Vec<_>, Vec<_>) = store.scan(None).unwrap().partition(|r| r.is_ok());
    assert_eq!((good.len(), bad.len()), (79, 1));
    let e = bad[0].as_ref().unwrap_err();
    assert!(
        e.to_string()
            .starts_with("record 3 is damaged (its checksum does not hold)"),
        "{e}"
    );
    let problems = problems(&store);
    assert!(problems[0].contains("record 3"), "{problems:?}");
    assert!(matches!(
        store.get(&t0(), &id("m1")),
        Err(StoreError::DamagedRecord { .. })
    ));
}

type Break = fn(&redb::WriteTransaction);

/// Breaks one table behind the store's back and returns what the check says.
fn broken(how: Break) -> Vec<String> {
    let (dir, _, _) = filled();
    let db = redb::Database::open(dir.path().join("store.redb")).unwrap();
    let txn = db.begin_write().unwrap();
    how(&txn);
    txn.commit().unwrap();
    drop(db);
    problems(&Store::open(dir.path()).unwrap())
}

#[test]
fn every_contradiction_between_tables_is_noticed() {
    use redb::TableDefinition as T;
    const META: T<'_, &str, u64> = T::new("meta");
    const RECORDS: T<'_, u64, &[u8]> = T::new("records");
    const IDS: T<'_, (&str, &str), (u64, u8)> = T::new("ids");
    const BY_KIND: T<'_, (&str, u8, u64), u8> = T::new("by_kind");
    const COUNTS: T<'_, (&str, u8), (u64, u64)> = T::new("counts");
    const CHANGES: T<'_, u64, (u64, u8)> = T::new("changes");
    const PURGES: T<'_, (i64, u64), ()> = T::new("purges");
    const REQUEST_IDS: T<'_, (&str, &str), u64> = T::new("request_ids");
    let cases: [(Break, &str); 11] = [
        (
            |t| drop(t.open_table(META).unwrap().insert("next_key", 5).unwrap()),
            "record 5: its key was never given",
        ),
        (
            |t| drop(t.open_table(META).unwrap().insert("last_seq", 5).unwrap()),
            "record 5: its sequence number was never given",
        ),
        (
            |t| drop(t.open_table(RECORDS).unwrap().remove(4).unwrap()),
            "ids has 80 rows for 79 records",
        ),
        (
            |t| {
                drop(
                    t.open_table(IDS)
                        .unwrap()
                        .remove(("default", "n1"))
                        .unwrap(),
                )
            },
            "record 2: its id does not lead to it",
        ),
        (
            |t| {
                drop(
                    t.open_table(IDS)
                        .unwrap()
                        .insert(("x", "y"), (7, 0))
                        .unwrap(),
                )
            },
            "ids has 81 rows for 80 records",
        ),
        (
            |t| {
                drop(
                    t.open_table(BY_KIND)
                        .unwrap()
                        .insert(("default", 0, 2), 1)
                        .unwrap(),
                )
            },
            "record 2: its kind does not list it",
        ),
        (
            |t| {
                drop(
                    t.open_table(COUNTS)
                        .unwrap()
                        .insert(("default", 0), (81, 0))
                        .unwrap(),
                )
            },
            "the counter says Some((81, 0)), there are Some((80, 0))",
        ),
        (
            |t| drop(t.open_table(CHANGES).unwrap().remove(9).unwrap()),
            "record 8: its last change is not in the log",
        ),
        (
            |t| drop(t.open_table(CHANGES).unwrap().insert(99, (3, 0)).unwrap()),
            "change 99: it is outside the log",
        ),
        (
            |t| drop(t.open_table(PURGES).unwrap().insert((1, 3), ()).unwrap()),
            "purges has 1 rows for 0 records",
        ),
        (
            |t| {
                drop(
                    t.open_table(REQUEST_IDS)
                        .unwrap()
                        .insert(("a", "b"), 0)
                        .unwrap(),
                )
            },
            "request ids without their request",
        ),
    ];
    for (how, wanted) in cases {
        let found = broken(how);
        assert!(
            found.iter().any(|p| p.contains(wanted)),
            "wanted {wanted}, found {found:?}"
        );
    }
}
