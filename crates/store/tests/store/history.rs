//! A backup is brought back to any moment of its history, and shows what the store showed then.

use crate::fixtures::*;
use jiff::Timestamp;
use queqiao_domain::{CheckLimits, Detail, Kind, Record, RecordId, Visibility};
use queqiao_store::{
    Batch, KeptAnswer, KeyFiles, ListQuery, Options, OutcomeRow, RequestId, RestoreOptions,
    Restored, Store, StoreError, StoredRecord, restore,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const DAY: i64 = 24 * 3600 * 1000;
const HISTORY: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("history");
const HISTORY_SEQ: TableDefinition<'_, u64, (u64, i64)> = TableDefinition::new("history_seq");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

fn folder() -> TempDir {
    // In memory where the system has such a folder: the syncs prove nothing here.
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A store, and the moment from which its times are counted: its history begins no later.
fn begun(options: &Options) -> (TempDir, Store, impl Fn(i64) -> Timestamp + Copy + use<>) {
    let dir = folder();
    let store = Store::open_with(dir.path(), options).unwrap();
    let began = Timestamp::now().as_millisecond();
    let at = move |ms| Timestamp::from_millisecond(began + ms).unwrap();
    (dir, store, at)
}

fn put(store: &Store, now: Timestamp, writes: impl IntoIterator<Item = queqiao_store::Write>) {
    store.apply(&t0(), &Batch::of(writes), now).unwrap();
}

fn backup(dir: &TempDir, store: &Store) -> PathBuf {
    let file = dir.path().join("backup.redb");
    store.backup_to(&file).unwrap();
    file
}

/// A store from a backup, as it was at a moment, with the keys that the store of `home` has now.
fn back(
    file: &Path,
    home: &Path,
    until: Option<Timestamp>,
) -> Result<(TempDir, Store, Restored), StoreError> {
    let dir = folder();
    let options = RestoreOptions {
        until,
        ..RestoreOptions::default()
    };
    let told = restore(file, &KeyFiles::of(home, None), dir.path(), &options)?;
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(problems(&store), [""; 0]);
    Ok((dir, store, told))
}

/// Every record, deleted ones too, in order of tenant and key; every counter and index agrees.
fn seen(store: &Store) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    for tenant in store.tenants().unwrap() {
        let query = ListQuery {
            show_deleted: true,
            limit: 10_000,
            ..ListQuery::default()
        };
        let rows = store.list(&tenant, &query).unwrap().records;
        for kind in Kind::ALL {
            let live = rows
                .iter()
                .filter(|r| r.record.kind() == kind && r.delete_time.is_none());
            let n = store.count(&tenant, Some(kind)).unwrap();
            assert_eq!(live.count() as u64, n);
        }
        for row in &rows {
            let found = store.get_any(&tenant, &row.record.id).unwrap();
            assert_eq!(found.as_ref(), Some(row));
        }
        all.extend(rows);
    }
    all
}

fn title(store: &Store, name: &str) -> Option<String> {
    let found = store.get(&t0(), &id(name)).unwrap();
    found.map(|r| r.record.title)
}

/// A store that random hands wrote to, and what it showed after each moment.
struct Played {
    dir: TempDir,
    store: Store,
    moments: BTreeMap<Timestamp, Vec<StoredRecord>>,
}

fn play(seed: u64) -> Played {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let options = Options {
        history_days: 1_000,
        purge_after_days: 10,
        ..Options::default()
    };
    let (dir, store, at) = begun(&options);
    let mut moments = BTreeMap::from([(at(0), Vec::new())]);
    let mut now = 0;
    for step in 0..80 {
        // Two steps may have one time; they belong together then.
        now += rng.random_range(0..3);
        match rng.random_range(0..20) {
            0 => store.trim_changes(rng.random_range(0..step + 1)).unwrap(),
            1 => {
                now += rng.random_range(0..6) * DAY;
                store.purge_expired(at(now)).unwrap();
            }
            _ => {
                let who = tenant(["a", "b"][rng.random_range(0..2)]);
                let first = rng.random_range(0..8);
                let writes = (0..rng.random_range(1..4)).map(|i| {
                    let n = (first + i) % 8;
                    let name = format!("id{n}");
                    match rng.random_range(0..10) {
                        0 => erase(&name),
                        1..=2 => delete(&name),
                        3..=4 => undelete(&name),
                        _ => {
                            let kind = [Kind::Need, Kind::Expert][n % 2];
                            let title = "题".repeat(rng.random_range(1..200));
                            queqiao_store::Write::upsert(record(&name, kind, &title))
                        }
                    }
                });
                match store.apply(&who, &Batch::of(writes), at(now)) {
                    Ok(_) | Err(StoreError::Rejected { .. }) => {}
                    Err(e) => panic!("{e}"),
                }
            }
        }
        moments.insert(at(now), seen(&store));
    }
    Played {
        dir,
        store,
        moments,
    }
}

#[test]
fn every_moment_comes_back_as_it_was() {
    let (mut erased, mut undone) = (0, 0);
    for seed in 0..4 {
        let Played {
            dir,
            store,
            moments,
        } = play(seed);
        assert_eq!(problems(&store), [""; 0]);
        let file = backup(&dir, &store);
        let last = seen(&store);
        let seqs: BTreeMap<_, _> = last.iter().map(|r| (r.key, r.seq)).collect();
        let times: Vec<Timestamp> = moments.keys().copied().collect();
        let later = Timestamp::from_millisecond(times[times.len() - 1].as_millisecond() + DAY);
        for moment in times.iter().step_by(5).copied().chain(later) {
            let mut expected = moments.range(..=moment).next_back().unwrap().1.clone();
            let there = expected.len();
            expected.retain(|r| !store.is_destroyed(r.key));
            erased += there - expected.len();
            let (_dir, copy, told) = back(&file, dir.path(), Some(moment)).unwrap();
            assert_eq!(seen(&copy), expected, "seed {seed}, {moment}");
            assert_eq!(copy.last_seq().unwrap(), store.last_seq().unwrap());
            // Whoever was there then, and whoever came since, is counted where it differs.
            let same = expected.iter().filter(|r| seqs[&r.key] == r.seq).count();
            assert_eq!(told.undone, (seqs.len() - same) as u64);
            undone += told.undone;
            // It is a store like any other, and its own history goes on.
            put(&copy, moment, [upsert("new", "x"), upsert("id0", "y")]);
            assert_eq!(problems(&copy), [""; 0]);
            let mut again = seen(&copy);
            again.retain(|r| r.tenant != t0());
            expected.retain(|r| r.tenant != t0());
            assert_eq!(again, expected);
        }
    }
    assert!(erased > 20 && undone > 200, "{erased} {undone}");
}

#[test]
fn the_comparison_can_tell_moments_apart() {
    let Played {
        dir,
        store,
        moments,
    } = play(1);
    let file = backup(&dir, &store);
    let moments: Vec<_> = moments.into_iter().collect();
    let mut apart = 0;
    for pair in moments.windows(2) {
        let there = |rows: &[StoredRecord]| -> Vec<StoredRecord> {
            let stays = rows.iter().filter(|r| !store.is_destroyed(r.key));
            stays.cloned().collect()
        };
        let (this, next) = (there(&pair[0].1), there(&pair[1].1));
        let (_dir, copy, _) = back(&file, dir.path(), Some(pair[0].0)).unwrap();
        assert_eq!(seen(&copy) == next, this == next);
        apart += usize::from(this != next);
    }
    assert!(apart > 5, "{apart}");
}

#[test]
fn what_a_restored_folder_keeps_of_its_history_can_be_restored_again() {
    let (dir, store, at) = begun(&Options::default());
    for n in 1..=6 {
        put(&store, at(n), [upsert("a", &n.to_string())]);
    }
    let file = backup(&dir, &store);
    let (four_dir, four, _) = back(&file, dir.path(), Some(at(4))).unwrap();
    assert_ne!(four.store_id(), store.store_id());
    put(&four, at(10), [upsert("a", "ten")]);
    let file = backup(&four_dir, &four);
    for (moment, expected) in [(2, "2"), (4, "4"), (6, "4"), (10, "ten")] {
        let (_dir, copy, _) = back(&file, four_dir.path(), Some(at(moment))).unwrap();
        assert_eq!(title(&copy, "a").as_deref(), Some(expected), "{moment}");
    }
    // Without a moment it is the backup, with the identity of the backup.
    let (_dir, copy, told) = back(&file, four_dir.path(), None).unwrap();
    assert_eq!(
        (title(&copy, "a").as_deref(), told.undone),
        (Some("ten"), 0)
    );
}

#[test]
fn a_moment_after_the_backup_undoes_nothing_and_one_before_the_history_is_refused() {
    let (dir, store, at) = begun(&Options::default());
    put(&store, at(5), [upsert("a", "1")]);
    let file = backup(&dir, &store);
    let (_dir, copy, told) = back(&file, dir.path(), Some(at(DAY))).unwrap();
    assert_eq!((title(&copy, "a").as_deref(), told.undone), (Some("1"), 0));
    // The store was empty, and its history says so.
    let (_dir, copy, told) = back(&file, dir.path(), Some(at(4))).unwrap();
    assert_eq!((title(&copy, "a"), told.undone), (None, 1));

    let from = store.snapshot().unwrap().history_from().unwrap().unwrap();
    let before = Timestamp::from_millisecond(from.as_millisecond() - 1).unwrap();
    let e = back(&file, dir.path(), Some(before)).unwrap_err();
    assert!(
        matches!(&e, StoreError::BeforeHistory { moment, from: Some(f), .. } if (*moment, *f) == (before, from))
    );
    assert!(e.to_string().contains("older backup"), "{e}");
    assert!(e.to_string().contains(&from.to_string()), "{e}");
}

#[test]
fn a_refused_moment_leaves_no_store() {
    let (dir, store, at) = begun(&Options::default());
    let file = backup(&dir, &store);
    let to = folder();
    let keys = KeyFiles::of(dir.path(), None);
    let options = RestoreOptions {
        until: Some(at(-DAY)),
        ..RestoreOptions::default()
    };
    assert!(restore(&file, &keys, to.path(), &options).is_err());
    assert!(!to.path().join("store.redb").exists() && !to.path().join("keys").exists());
    let now = RestoreOptions::default();
    restore(&file, &keys, to.path(), &now).unwrap();
}

#[test]
fn who_is_erased_stays_erased_and_has_no_history() {
    let (dir, store, at) = begun(&Options::default());
    put(&store, at(1), [upsert("a", "FIRSTWORDS"), upsert("b", "1")]);
    put(&store, at(2), [upsert("a", "OTHERWORDS")]);
    let early = backup(&dir, &store);
    assert_eq!(store.verify().unwrap().history, 3);
    put(&store, at(3), [erase("a")]);
    // Somebody else under the same id is somebody else.
    put(&store, at(4), [upsert("a", "somebody else")]);
    assert_eq!(store.verify().unwrap().history, 2);
    let late = dir.path().join("late.redb");
    store.backup_to(&late).unwrap();
    for (file, moment) in [(&early, 1), (&early, 2), (&late, 1), (&late, 2), (&late, 3)] {
        let (_dir, copy, told) = back(file, dir.path(), Some(at(moment))).unwrap();
        assert_eq!(copy.get_any(&t0(), &id("a")).unwrap(), None, "{moment}");
        assert_eq!(title(&copy, "b").as_deref(), Some("1"));
        assert_eq!(told.erased_since, u64::from(file == &early));
        assert_eq!(copy.verify().unwrap().history, 1);
    }
    // Texts that were replaced stand in no file, sealed as they were.
    let bytes = |p: &Path| std::fs::read(p).unwrap();
    for file in [&early, &late, &dir.path().join("store.redb")] {
        for words in [&b"FIRSTWORDS"[..], b"OTHERWORDS"] {
            assert!(!bytes(file).windows(words.len()).any(|w| w == words));
        }
    }
}

#[test]
fn who_is_purged_has_no_history_either() {
    let (dir, store, at) = begun(&Options {
        purge_after_days: 1,
        ..Options::default()
    });
    put(&store, at(1), [upsert("a", "x"), upsert("b", "1")]);
    put(&store, at(2), [delete("a")]);
    assert_eq!(store.purge_expired(at(2 * DAY)).unwrap(), 1);
    assert_eq!(store.verify().unwrap().history, 1);
    let file = backup(&dir, &store);
    let (_dir, copy, _) = back(&file, dir.path(), Some(at(1))).unwrap();
    assert_eq!(copy.get_any(&t0(), &id("a")).unwrap(), None);
    assert_eq!(title(&copy, "b").as_deref(), Some("1"));
}

#[test]
fn what_is_older_than_asked_for_is_forgotten() {
    let (dir, store, at) = begun(&Options {
        history_days: 2,
        ..Options::default()
    });
    for day in 0..6 {
        put(&store, at(day * DAY), [upsert("a", &day.to_string())]);
    }
    assert_eq!(store.purge_expired(at(5 * DAY)).unwrap(), 0);
    assert_eq!(store.verify().unwrap().history, 3);
    let from = store.snapshot().unwrap().history_from().unwrap();
    assert_eq!(from, Some(at(2 * DAY)));
    let file = backup(&dir, &store);
    for day in 2..6 {
        let (_dir, copy, told) = back(&file, dir.path(), Some(at(day * DAY + 1))).unwrap();
        assert_eq!(title(&copy, "a"), Some(day.to_string()));
        assert_eq!(told.undone, u64::from(day < 5));
    }
    assert!(back(&file, dir.path(), Some(at(2 * DAY - 1))).is_err());
    // More than one step's worth.
    for n in 0..15 {
        let writes = (0..300).map(|i| upsert(&format!("n{i}"), &n.to_string()));
        put(&store, at(6 * DAY), writes);
    }
    store.purge_expired(at(9 * DAY)).unwrap();
    assert_eq!(store.verify().unwrap().history, 0);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn a_clock_that_steps_back_undoes_too_much_rather_than_too_little() {
    let (dir, store, at) = begun(&Options::default());
    for (ms, title) in [(10, "10"), (30, "30"), (20, "20"), (40, "40")] {
        put(&store, at(ms), [upsert("a", title)]);
    }
    let file = backup(&dir, &store);
    for (moment, expected) in [(10, "10"), (25, "10"), (30, "20"), (40, "40")] {
        let (_dir, copy, _) = back(&file, dir.path(), Some(at(moment))).unwrap();
        assert_eq!(title(&copy, "a").as_deref(), Some(expected), "{moment}");
    }
    // One that was ahead for a while does not keep the history from being trimmed.
    put(&store, at(9_000 * DAY), [upsert("a", "ahead")]);
    put(&store, at(50), [upsert("a", "50")]);
    store.purge_expired(at(8 * DAY)).unwrap();
    assert_eq!(store.verify().unwrap().history, 0);
    let from = store.snapshot().unwrap().history_from().unwrap();
    assert_eq!(from, Some(at(50)));
}

#[test]
fn without_history_a_backup_is_one_moment() {
    let off = Options {
        history_days: 0,
        ..Options::default()
    };
    let (dir, store, at) = begun(&off);
    put(&store, at(1), [upsert("a", "1")]);
    put(&store, at(2), [upsert("a", "2")]);
    assert_eq!(store.verify().unwrap().history, 0);
    assert_eq!(store.snapshot().unwrap().history_from().unwrap(), None);
    let file = backup(&dir, &store);
    let e = back(&file, dir.path(), Some(at(3))).unwrap_err();
    assert!(matches!(e, StoreError::BeforeHistory { from: None, .. }));
    let (_dir, copy, _) = back(&file, dir.path(), None).unwrap();
    assert_eq!(title(&copy, "a").as_deref(), Some("2"));

    // It begins when it is asked for, and is gone when it is not.
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let from = store.snapshot().unwrap().history_from().unwrap().unwrap();
    let after = |ms| Timestamp::from_millisecond(from.as_millisecond() + ms).unwrap();
    put(&store, after(10), [upsert("a", "3"), upsert("b", "3")]);
    std::fs::remove_file(&file).unwrap();
    let file = backup(&dir, &store);
    let (_dir, copy, told) = back(&file, dir.path(), Some(after(9))).unwrap();
    assert_eq!((title(&copy, "a").as_deref(), told.undone), (Some("2"), 2));
    assert!(back(&file, dir.path(), Some(after(-1))).is_err());
    drop(store);
    let store = Store::open_with(dir.path(), &off).unwrap();
    assert_eq!(store.snapshot().unwrap().history_from().unwrap(), None);
    drop(store);
    let db = Database::open(dir.path().join("store.redb")).unwrap();
    let txn = db.begin_read().unwrap();
    assert!(txn.open_table(HISTORY).unwrap().is_empty().unwrap());
    assert!(txn.open_table(HISTORY_SEQ).unwrap().is_empty().unwrap());
}

#[test]
fn a_start_goes_on_with_the_history() {
    let (dir, store, at) = begun(&Options::default());
    put(&store, at(1), [upsert("a", "1")]);
    let from = store.snapshot().unwrap().history_from().unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    put(&store, at(2), [upsert("a", "2")]);
    assert_eq!(store.snapshot().unwrap().history_from().unwrap(), from);
    let file = backup(&dir, &store);
    let (_dir, copy, _) = back(&file, dir.path(), Some(at(1))).unwrap();
    assert_eq!(title(&copy, "a").as_deref(), Some("1"));
}

#[test]
fn changes_of_a_program_without_history_begin_it_anew() {
    let (dir, store, at) = begun(&Options::default());
    put(&store, at(1), [upsert("a", "1")]);
    put(&store, at(2), [upsert("a", "2"), upsert("b", "1")]);
    drop(store);
    // What such a program does to an id that is erased: it takes the row and counts on.
    let file = dir.path().join("store.redb");
    let db = Database::open(&file).unwrap();
    let txn = db.begin_write().unwrap();
    {
        let mut meta = txn.open_table(META).unwrap();
        let last = meta.get("last_seq").unwrap().unwrap().value();
        meta.insert("last_seq", last + 1).unwrap();
    }
    txn.commit().unwrap();
    drop(db);
    let e = {
        let keys = KeyFiles::of(dir.path(), None);
        let options = RestoreOptions {
            until: Some(at(2)),
            ..RestoreOptions::default()
        };
        restore(&file, &keys, folder().path(), &options).unwrap_err()
    };
    assert!(matches!(e, StoreError::BeforeHistory { from: None, .. }));
    let store = Store::open(dir.path()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert!(snapshot.history_from().unwrap().unwrap() >= at(0));
    assert_eq!(store.verify().unwrap().history, 0);
    put(&store, at(DAY), [upsert("a", "3")]);
    assert_eq!(store.verify().unwrap().history, 1);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn a_request_whose_effect_is_undone_is_done_again() {
    let (dir, store, at) = begun(&Options::default());
    let ask = |n: i64, title: &str| Batch {
        request_id: Some(RequestId::new(format!("r{n}")).unwrap()),
        ..Batch::of([upsert("a", title)])
    };
    for n in 1..=3 {
        store.apply(&t0(), &ask(n, &n.to_string()), at(n)).unwrap();
    }
    // It changed nothing, and is forgotten all the same.
    store.apply(&t0(), &ask(4, "3"), at(4)).unwrap();
    let file = backup(&dir, &store);
    let (_dir, copy, told) = back(&file, dir.path(), Some(at(2))).unwrap();
    assert_eq!(told.report.requests, 2);
    let replayed = |n: i64, title: &str| {
        let done = copy.apply(&t0(), &ask(n, title), at(5)).unwrap();
        done.replayed
    };
    assert!(replayed(1, "1") && replayed(2, "2"));
    assert_eq!(title(&copy, "a").as_deref(), Some("2"));
    assert!(!replayed(3, "3") && !replayed(4, "3"));
    assert_eq!(title(&copy, "a").as_deref(), Some("3"));
}

#[test]
fn nothing_is_known_or_disclosed_that_was_not_then() {
    let (dir, store, at) = begun(&Options::default());
    let ms = |n| at(n).as_millisecond();
    let row = |n: i64| format!("{{\"time\":{},\"stage\":\"text\"}}", ms(n)).into_bytes();
    put(
        &store,
        at(1),
        [upsert("a", "1"), upsert("b", "1"), upsert("c", "1")],
    );
    let answer = |name: &str, head: Vec<u8>, of: &[&str]| KeptAnswer {
        id: name.to_owned(),
        asker: Some(id("a")),
        head,
        rows: of.iter().map(|r| (id(r), Vec::new())).collect(),
    };
    let outcome = |answer: &str, stage, row| OutcomeRow {
        answer: answer.to_owned(),
        record: id("b"),
        stage,
        row,
    };
    let kept = [
        answer("early", row(2), &["b", "c"]),
        answer("late", row(7), &["b"]),
        answer("unsaid", b"no JSON".to_vec(), &["b"]),
    ];
    store.keep_answers(&t0(), &kept).unwrap();
    let came = [
        outcome("early", 0, row(3)),
        outcome("early", 1, row(8)),
        outcome("late", 0, row(4)),
    ];
    store.enter_outcomes(&t0(), &came).unwrap();
    let disclose = |to: &str, row: &[u8]| {
        let stands = store.disclose(&t0(), &id("a"), &id(to), Some(row));
        assert!(stands.unwrap());
    };
    disclose("b", &row(2));
    disclose("c", &row(9));
    disclose("x", b"it does not say when");
    // New since: what names it goes with it.
    put(&store, at(6), [upsert("d", "1")]);
    disclose("d", &row(2));
    let file = backup(&dir, &store);

    let ids = |of: Vec<(RecordId, Vec<u8>)>| -> Vec<String> {
        of.into_iter().map(|d| d.0.to_string()).collect()
    };
    let (_dir, copy, _) = back(&file, dir.path(), Some(at(5))).unwrap();
    let view = copy.snapshot().unwrap();
    assert_eq!(view.answers(&t0()).unwrap(), ["early", "unsaid"]);
    assert_eq!(
        view.answers_of(&t0(), &id("b")).unwrap(),
        ["early", "unsaid"]
    );
    assert_eq!(view.answer(&t0(), "early").unwrap().unwrap(), kept[0]);
    assert_eq!(view.outcomes(&t0(), "early").unwrap(), came[..1]);
    assert!(view.outcomes(&t0(), "late").unwrap().is_empty());
    assert_eq!(ids(view.disclosures(&t0(), &id("a")).unwrap()), ["b"]);
    for nobody in ["c", "d", "x"] {
        let found = view.disclosed_records(&t0(), &id(nobody)).unwrap();
        assert!(found.is_empty(), "{nobody}");
    }
    // Without a moment all of it is there.
    let (_dir, copy, _) = back(&file, dir.path(), None).unwrap();
    let view = copy.snapshot().unwrap();
    assert_eq!(view.answers(&t0()).unwrap().len(), 3);
    assert_eq!(view.disclosures(&t0(), &id("a")).unwrap().len(), 4);
}

#[test]
fn a_history_that_was_tampered_with_is_noticed() {
    let (dir, store, at) = begun(&Options::default());
    for n in 1..=3 {
        put(&store, at(n), [upsert("a", &n.to_string())]);
    }
    type Rows<'t> = redb::Table<'t, (u64, u64), &'static [u8]>;
    type Seqs<'t> = redb::Table<'t, u64, (u64, i64)>;
    type Tamper = fn(&mut Rows<'_>, &mut Seqs<'_>);
    let faults: [(&str, Tamper); 7] = [
        ("nothing", |_, _| {}),
        ("a row is gone", |rows, _| drop(rows.pop_last().unwrap())),
        ("a number is gone", |_, seqs| {
            drop(seqs.pop_first().unwrap())
        }),
        ("a change is gone", |rows, seqs| {
            rows.remove((0, 2)).unwrap();
            seqs.remove(2).unwrap();
        }),
        ("the first is gone", |rows, seqs| {
            rows.remove((0, 1)).unwrap();
            seqs.remove(1).unwrap();
        }),
        ("the last is gone", |rows, seqs| {
            rows.remove((0, 3)).unwrap();
            seqs.remove(3).unwrap();
        }),
        ("a row is of another change", |rows, _| {
            let other = rows.get((0, 3)).unwrap().unwrap().value().to_vec();
            rows.insert((0, 2), other.as_slice()).unwrap();
        }),
    ];
    for (name, tamper) in faults {
        let file = dir.path().join(format!("{name}.redb"));
        store.backup_to(&file).unwrap();
        let db = Database::open(&file).unwrap();
        let txn = db.begin_write().unwrap();
        {
            let mut rows = txn.open_table(HISTORY).unwrap();
            assert_eq!(rows.first().unwrap().unwrap().0.value(), (0, 1));
            tamper(&mut rows, &mut txn.open_table(HISTORY_SEQ).unwrap());
        }
        txn.commit().unwrap();
        drop(db);
        let report = store.verify_backup(&file).unwrap();
        assert_eq!(report.is_sound(), name == "nothing", "{name}: {report:?}");
        let done = back(&file, dir.path(), None).map(drop);
        assert_eq!(done.is_ok(), name == "nothing", "{name}");
    }
}

#[test]
fn who_is_undone_does_not_come_back_beside_a_later_record() {
    let (dir, store, at) = begun(&Options::default());
    let upsert = |name: &str| queqiao_store::Write::upsert(record(name, Kind::Expert, "甲"));
    put(&store, at(10), [upsert("old")]);
    put(&store, at(20), [upsert("new")]);
    let file = backup(&dir, &store);
    let key = store.get(&t0(), &id("new")).unwrap().unwrap().key;
    let (home, copy, told) = back(&file, dir.path(), Some(at(10))).unwrap();
    assert_eq!((told.undone, title(&copy, "new")), (1, None));
    // The backup's own keys open all of it still, those of the folder do not.
    assert!(copy.is_destroyed(key) && !store.is_destroyed(key));
    put(&copy, at(30), [upsert("new")]);
    put(&copy, at(40), [erase("new")]);
    let (_dir, again, told) = back(&file, home.path(), None).unwrap();
    assert_eq!((told.erased_since, title(&again, "new")), (1, None));
    assert!(title(&again, "old").is_some());
}

#[test]
fn who_withdrew_since_is_told() {
    let (dir, store, at) = begun(&Options::default());
    let expert = |name: &str, change: &dyn Fn(&mut Record)| {
        let mut r = record(name, Kind::Expert, "甲").into_inner();
        change(&mut r);
        queqiao_store::Write::upsert(r.check(&CheckLimits::default()).unwrap())
    };
    let opted_out = |r: &mut Record| {
        if let Detail::Expert(d) = &mut r.detail {
            d.opt_out = true;
        }
    };
    let sealed = |r: &mut Record| r.visibility = Visibility::Sealed;
    let retitled = |r: &mut Record| r.title = "乙".into();
    let names = ["opted", "sealed", "retitled"];
    put(&store, at(10), names.map(|n| expert(n, &|_| {})));
    put(&store, at(10), [expert("let-in", &opted_out)]);
    let changes: [&dyn Fn(&mut Record); 3] = [&opted_out, &sealed, &retitled];
    let later = names.into_iter().zip(changes);
    put(&store, at(20), later.map(|(n, c)| expert(n, c)));
    put(&store, at(20), [expert("let-in", &|_| {})]);
    let (_dir, _copy, told) = back(&backup(&dir, &store), dir.path(), Some(at(10))).unwrap();
    assert_eq!(told.undone, 4);
    let mut reopened: Vec<&str> = told.reopened.iter().map(|(_, id)| id.as_str()).collect();
    reopened.sort_unstable();
    assert_eq!(reopened, ["opted", "sealed"]);
}

#[test]
fn whoever_does_not_decide_begins_no_history() {
    let none = Options {
        history_days: 0,
        ..Options::default()
    };
    let (dir, store, at) = begun(&none);
    put(
        &store,
        at(10),
        [queqiao_store::Write::upsert(record("a", Kind::Need, "x"))],
    );
    drop(store);
    let undecided = Options {
        begin_history: false,
        ..Options::default()
    };
    let from = |options: &Options| {
        let store = Store::open_with(dir.path(), options).unwrap();
        store.snapshot().unwrap().history_from().unwrap()
    };
    assert_eq!(from(&undecided), None);
    let begun = from(&Options::default());
    assert!(begun.is_some());
    // It goes on with what is there, and a new folder gets one.
    assert_eq!(from(&undecided), begun);
    let new = folder();
    let store = Store::open_with(new.path(), &undecided).unwrap();
    assert!(store.snapshot().unwrap().history_from().unwrap().is_some());
}
