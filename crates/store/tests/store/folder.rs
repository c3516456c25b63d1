//! The data folder: made, refused, held.

use crate::fixtures::*;
use queqiao_store::{FORMAT_VERSION, Store, StoreError};
use std::{
    fs,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

fn bytes(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap() != "LOCK" && p.is_file())
        .map(|p| (p.display().to_string(), fs::read(&p).unwrap()))
        .collect();
    out.sort();
    out
}

/// Opening is refused with a message that names the folder and says `wanted`, and nothing is
/// changed.
fn refused(dir: &Path, wanted: &str) -> StoreError {
    let before = bytes(dir);
    let e = Store::open(dir).unwrap_err();
    let text = e.to_string();
    assert!(text.contains(&dir.display().to_string()), "{text}");
    assert!(text.contains(wanted), "{text}");
    assert!(bytes(dir) == before, "the folder was changed");
    e
}

#[test]
fn a_missing_folder_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a/b");
    let store = Store::open(&data).unwrap();
    apply(&store, [upsert("a", "x")]).unwrap();
    let store_id = store.store_id();
    drop(store);
    let store = Store::open(&data).unwrap();
    assert_eq!(store.store_id(), store_id);
    assert!(store.get(&t0(), &id("a")).unwrap().is_some());
}

#[test]
fn what_is_left_of_an_interrupted_first_start_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("store.redb.partial"), b"half a file").unwrap();
    fs::write(dir.path().join("LOCK"), b"1\n").unwrap();
    fs::write(dir.path().join(".keep"), b"").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.last_seq().unwrap(), 0);
    assert!(!dir.path().join("store.redb.partial").exists());
}

#[test]
fn a_folder_of_others_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.docx"), b"x").unwrap();
    let e = refused(dir.path(), "it holds `thesis.docx` and no store.redb");
    assert!(matches!(e, StoreError::NotAStore { .. }));
    let file = dir.path().join("thesis.docx");
    let e = Store::open(&file).unwrap_err();
    assert!(e.to_string().contains("it is a file, not a folder"), "{e}");
}

#[test]
fn files_of_other_programs_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.redb");
    fs::write(&file, "SQLite format 3\0".repeat(1000)).unwrap();
    assert!(matches!(
        refused(dir.path(), "no data folder"),
        StoreError::NotAStore { .. }
    ));
    fs::write(&file, b"").unwrap();
    assert!(matches!(
        refused(dir.path(), "it is empty"),
        StoreError::Damaged { .. }
    ));
    fs::remove_file(&file).unwrap();
    let db = redb::Database::create(&file).unwrap();
    let txn = db.begin_write().unwrap();
    txn.open_table(redb::TableDefinition::<&str, u64>::new("meta"))
        .unwrap();
    txn.commit().unwrap();
    drop(db);
    let e = Store::open(dir.path()).unwrap_err();
    assert!(matches!(e, StoreError::NotAStore { .. }));
    assert!(e.to_string().contains("another program"), "{e}");
}

#[test]
fn a_newer_format_is_refused_with_the_reason() {
    let (dir, store) = store();
    apply(&store, [upsert("a", "x")]).unwrap();
    drop(store);
    let set = |version: u64| {
        let db = redb::Database::open(dir.path().join("store.redb")).unwrap();
        let txn = db.begin_write().unwrap();
        txn.open_table(redb::TableDefinition::<&str, u64>::new("meta"))
            .unwrap()
            .insert("format_version", version)
            .unwrap();
        txn.commit().unwrap();
    };
    set(FORMAT_VERSION + 1);
    let e = Store::open(dir.path()).unwrap_err();
    assert!(matches!(
        e,
        StoreError::NewerFormat {
            found: 3,
            supported: 2,
            ..
        }
    ));
    assert!(e.to_string().contains("run the newer program"), "{e}");
    set(FORMAT_VERSION);
    assert!(
        Store::open(dir.path())
            .unwrap()
            .get(&t0(), &id("a"))
            .unwrap()
            .is_some()
    );
}

#[test]
fn twice_in_one_process_is_in_use_too() {
    let (dir, store) = store();
    let e = Store::open(dir.path()).unwrap_err();
    let text = e.to_string();
    assert!(
        text.contains(&format!("in use by process {}: stop", std::process::id())),
        "{text}"
    );
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn a_folder_is_free_as_soon_as_the_store_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    // A child has all open files for a moment before it becomes another program.
    let children = std::thread::spawn(|| {
        for _ in 0..100 {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.arg("--list").stdout(Stdio::null()).status().unwrap();
        }
    });
    while !children.is_finished() {
        let store = Store::open(dir.path()).unwrap();
        let snapshot = store.snapshot().unwrap();
        drop(store);
        let e = Store::open(dir.path()).unwrap_err();
        assert!(matches!(e, StoreError::InUse { .. }), "{e}");
        drop(snapshot);
    }
    children.join().unwrap();
}

const HELD: &str = "QUEQIAO_STORE_TEST_HOLD";

/// Not a test of its own: the process that `a_folder_held_by_another_process_is_refused` starts.
#[test]
fn child_that_holds_a_folder() {
    let Some(dir) = std::env::var_os(HELD) else {
        return;
    };
    let _store = Store::open(Path::new(&dir)).unwrap();
    writeln!(std::io::stdout(), "\nholding").unwrap();
    // Until the parent closes the pipe or ends us.
    let _ = std::io::stdin().lines().count();
}

#[test]
fn a_folder_held_by_another_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "folder::child_that_holds_a_folder",
            "--nocapture",
        ])
        .env(HELD, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    assert!(out.lines().any(|l| l.unwrap() == "holding"));
    let e = refused(
        dir.path(),
        "stop that process, or send it the request over gRPC",
    );
    let holder = child.id();
    assert!(
        matches!(e, StoreError::InUse { holder: Some(p), .. } if p == holder),
        "{e}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock goes with the process, however it ended.
    Store::open(dir.path()).unwrap();
}
