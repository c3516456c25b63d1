//! kill -9 under writes: what was acknowledged is there, and no batch is torn.

use crate::fixtures::*;
use queqiao_store::{Batch, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const DIR: &str = "QUEQIAO_STORE_TEST_WRITE";
const KILLS: u64 = 5;
const SIZE: usize = 8;

/// A batch: the same `SIZE` records of a tenth of the batches, each with the batch's number, so
/// that updates are cut off as well as first writes.
fn batch(n: u64) -> Batch {
    let text = "文".repeat(200);
    Batch::of((0..SIZE).map(|i| upsert(&format!("s{}-{i}", n % 10), &format!("{n} {text}"))))
}

/// Not a test of its own: the process that is killed. It writes batches for ever and notes each
/// acknowledgement outside the store.
#[test]
fn child_that_writes() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = Store::open(&dir.join("data")).unwrap();
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .unwrap();
    for n in acknowledged(dir) + 1.. {
        store.apply(&t0(), &batch(n), at(0)).unwrap();
        log.write_all(format!("{n}\n").as_bytes()).unwrap();
    }
}

/// The last batch acknowledged: the last whole line of the log.
fn acknowledged(dir: &Path) -> u64 {
    let text = fs::read_to_string(dir.join("log")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().last().map_or(0, |l| l.parse().unwrap())
}

/// Says what is wrong with a store in which batches up to `last` were acknowledged, and perhaps
/// one more was written.
fn check(store: &Store, last: u64) -> Result<(), String> {
    let mut slots: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for r in store.scan(None).unwrap() {
        let r = r.map_err(|e| e.to_string())?.record;
        let slot = r.id.as_str().split('-').next().unwrap().to_owned();
        let n = r.title.split(' ').next().unwrap().parse().unwrap();
        slots.entry(slot).or_default().push(n);
    }
    for slot in 0..10 {
        let found = slots.remove(&format!("s{slot}")).unwrap_or_default();
        // The last acknowledged batch of this slot; the next one is ten later.
        let expected = (0..=last).rev().find(|n| n % 10 == slot && *n > 0);
        let torn = found.iter().any(|n| *n != found[0]) || !matches!(found.len(), 0 | SIZE);
        if torn {
            return Err(format!("slot {slot} is torn: {found:?}"));
        }
        match (expected, found.first()) {
            (Some(e), Some(n)) if *n == e || *n == last + 1 => {}
            (None, None) => {}
            (None, Some(n)) if *n == last + 1 => {}
            (e, n) => return Err(format!("slot {slot}: acknowledged {e:?}, found {n:?}")),
        }
    }
    match store.verify().unwrap().problems {
        p if p.is_empty() => Ok(()),
        p => Err(format!("{p:?}")),
    }
}

#[test]
fn kill_9_loses_nothing_acknowledged_and_tears_no_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for kill in 0..KILLS {
        let before = acknowledged(dir.path());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child_that_writes"])
            .env(DIR, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while acknowledged(dir.path()) < before + 5 {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the child writes nothing"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        let last = acknowledged(dir.path());
        check(&store, last).unwrap_or_else(|e| panic!("kill {kill} after batch {last}: {e}"));
    }
}

#[test]
fn the_check_notices_what_it_is_there_for() {
    let (_dir, store) = store();
    for n in 1..=12 {
        store.apply(&t0(), &batch(n), at(0)).unwrap();
    }
    assert_eq!(check(&store, 12), Ok(()));
    assert_eq!(
        check(&store, 11),
        Ok(()),
        "written, and not yet acknowledged"
    );
    let lost = check(&store, 13).unwrap_err();
    assert!(
        lost.starts_with("slot 3: acknowledged Some(13), found Some(3)"),
        "{lost}"
    );
    // Half of batch 13, as a store without transactions would leave it.
    let mut half = batch(13);
    half.writes.truncate(SIZE / 2);
    store.apply(&t0(), &half, at(0)).unwrap();
    assert!(check(&store, 12).unwrap_err().contains("slot 3 is torn"));
}
