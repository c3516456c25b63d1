//! Segments on disk: restarts, damage, kill -9, and many operations against a naive index.
#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Backlog, Change, Consistency, EmbeddedIndex, Entry, GraphOptions, Index, IndexError,
    IndexOptions, Isa, Mode, Passage, Query, QueryPassage, QueryTerm, Shape,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::{BTreeMap, HashSet},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const DIM: usize = 16;

fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "test".into(),
    }
}

fn eager() -> IndexOptions {
    IndexOptions {
        exact_below: 200,
        seal_from: 100,
        seal_most: 1 << 20,
        commit_from: 150,
        graph: GraphOptions {
            least: 32,
            ..GraphOptions::default()
        },
        threads: 1,
        isa: Isa::best(),
    }
}

fn unit(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let v: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.into_iter().map(|x| x / norm).collect()
}

fn word(rng: &mut ChaCha8Rng) -> String {
    format!("word{}", rng.random_range(0..40))
}

fn entry(rng: &mut ChaCha8Rng, key: u64) -> Entry {
    let mut r = Record::new(RecordId::new(format!("r{key:06}")).unwrap(), Kind::Expert);
    r.title = "x".into();
    r.attributes
        .insert("third".into(), rng.random_range(0..3).to_string());
    let n = rng.random_range(1..4);
    let rows: Vec<f32> = (0..n).flat_map(|_| unit(rng)).collect();
    Entry {
        key,
        facets: Facets::of(&r),
        passages: (0..n)
            .map(|_| Passage {
                words: vec![word(rng), word(rng)],
                bigrams: Vec::new(),
            })
            .collect(),
        vectors: Array2::from_shape_vec((n, DIM), rows).unwrap(),
    }
}

/// The batch of a number, always the same.
fn batch(number: u64, keys: u64, size: usize) -> Vec<Change> {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    (0..size)
        .map(|_| {
            let key = rng.random_range(0..keys);
            if rng.random_bool(0.2) {
                Change::Delete(key)
            } else {
                Change::Put(Box::new(entry(&mut rng, key)))
            }
        })
        .collect()
}

type Truth = BTreeMap<u64, Entry>;

fn note(truth: &mut Truth, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Put(e) => drop(truth.insert(e.key, (**e).clone())),
            Change::Delete(key) => drop(truth.remove(key)),
        }
    }
}

fn search(
    index: &EmbeddedIndex,
    v: &Array2<f32>,
    filter: &Filter,
    wanted: usize,
) -> Vec<(u64, f64)> {
    let found = index
        .search(&Query {
            vectors: v,
            passages: &[],
            filter,
            admit: &|_, _| true,
            mode: Mode::Dense,
            candidates: wanted,
            consistency: Consistency::Latest,
        })
        .unwrap();
    let mut out: Vec<(u64, f64)> = found
        .candidates
        .iter()
        .map(|c| (c.key, c.dense.best))
        .collect();
    out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    out
}

/// A word is found in all records that have it, and in no other.
fn check_terms(index: &EmbeddedIndex, truth: &Truth, rng: &mut ChaCha8Rng) {
    let asked = word(rng);
    let has = |e: &&Entry| e.passages.iter().any(|p| p.words.contains(&asked));
    let expected: Vec<u64> = truth.values().filter(has).map(|e| e.key).collect();
    let terms = [QueryPassage {
        words: vec![QueryTerm {
            text: asked.clone(),
            weight: 1.0,
        }],
        bigrams: Vec::new(),
    }];
    let found = index
        .search(&Query {
            vectors: &Array2::zeros((0, DIM)),
            passages: &terms,
            filter: &Filter::All,
            admit: &|_, _| true,
            mode: Mode::Lexical,
            candidates: usize::MAX,
            consistency: Consistency::Latest,
        })
        .unwrap();
    let mut keys: Vec<u64> = found.candidates.iter().map(|c| c.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected, "{asked}");
}

/// Holds what it should, with these vectors and words, and finds the nearest. Returns the recall.
fn check(index: &EmbeddedIndex, truth: &Truth, rng: &mut ChaCha8Rng) -> f64 {
    check_terms(index, truth, rng);
    assert_eq!(index.len(), truth.len());
    let passages: usize = truth.values().map(|e| e.vectors.nrows()).sum();
    assert_eq!(index.passages(), passages);
    let v = Array2::from_shape_vec((1, DIM), unit(rng)).unwrap();
    let filter = Filter::parse(["", "attributes.third = 1"][rng.random_range(0..2)]).unwrap();
    let mut all: Vec<(u64, f64)> = truth
        .values()
        .filter(|e| filter.matches(&e.facets))
        .map(|e| {
            let dots = v.dot(&e.vectors.t());
            (
                e.key,
                f64::from(dots.iter().copied().fold(f32::MIN, f32::max)),
            )
        })
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let truth: BTreeMap<u64, f64> = all.iter().copied().collect();
    for (key, score) in search(index, &v, &filter, usize::MAX) {
        assert!((truth[&key] - score).abs() < 1e-5);
    }
    let found = search(index, &v, &filter, 10);
    assert!(found.len() >= all.len().min(10));
    let nearest: HashSet<u64> = all.iter().take(10).map(|x| x.0).collect();
    let hits = found.iter().filter(|f| nearest.contains(&f.0)).count();
    hits as f64 / nearest.len().max(1) as f64
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "vectors"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_hundred_thousand_operations_with_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // Some 4,500 passages live: several graphs.
    let options = IndexOptions {
        seal_from: 1_000,
        seal_most: 1_500,
        ..eager()
    };
    let open = || EmbeddedIndex::open_with(dir.path(), shape(), options.clone()).unwrap();
    let mut index = open();
    let mut truth = Truth::new();
    let (mut recall, mut checks) = (0.0, 0.0);
    for number in 1..=200u64 {
        let changes = batch(number, 2_500, 500);
        note(&mut truth, &changes);
        index.apply(changes, number).unwrap();
        if number % 20 == 7 {
            index.settle();
        }
        if rng.random_bool(0.1) {
            // In the middle of whatever is going on.
            drop(index);
            index = open();
            assert_eq!(index.seq(), number);
        }
        recall += check(&index, &truth, &mut rng);
        checks += 1.0;
    }
    assert!(recall / checks >= 0.98, "{}", recall / checks);
    index.settle();
    assert!(segments(dir.path()).len() >= 3);
}

#[test]
fn many_that_wait_are_sealed_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let options = IndexOptions {
        seal_most: 800,
        ..eager()
    };
    let slow = IndexOptions {
        seal_from: usize::MAX,
        ..options.clone()
    };
    let mut truth = Truth::new();
    let index = EmbeddedIndex::open_with(dir.path(), shape(), slow.clone()).unwrap();
    for number in 1..=30 {
        let changes = batch(number, 3_000, 100);
        note(&mut truth, &changes);
        index.apply(changes, number).unwrap();
        // Each that is full gets its journal.
        index.settle();
    }
    let journals = numbered(dir.path());
    assert!(journals.len() >= 3, "{journals:?}");
    let all_wait = Backlog {
        passages: index.passages(),
        busy: false,
    };
    assert_eq!(index.backlog(), all_wait);
    check(&index, &truth, &mut rng);
    drop(index);
    // What waits is taken up as it stood, and what is sealed lets go of its journal, oldest first.
    let mut before = journals;
    for round in 0..60 {
        let index = EmbeddedIndex::open_with(dir.path(), shape(), options.clone()).unwrap();
        assert_eq!(index.seq(), 30);
        check(&index, &truth, &mut rng);
        // In the middle of one of them.
        std::thread::sleep(Duration::from_millis(5 * round));
        drop(index);
        let left = numbered(dir.path());
        let known: Vec<String> = left
            .iter()
            .filter(|n| before.contains(n))
            .cloned()
            .collect();
        assert!(before.ends_with(&known), "{left:?} of {before:?}");
        if left.is_empty() {
            break;
        }
        before = left;
    }
    let index = EmbeddedIndex::open_with(dir.path(), shape(), options).unwrap();
    index.settle();
    assert_eq!(numbered(dir.path()), Vec::<String>::new());
    let graphs = segments(dir.path()).len();
    assert!((3..=8).contains(&graphs), "{graphs}");
    let left = index.backlog();
    assert!(!left.busy && left.passages < 100, "{left:?}");
    let recall: f64 = (0..10).map(|_| check(&index, &truth, &mut rng)).sum();
    assert!(recall >= 9.8, "{recall}");
}

/// Journals that have a number, in order.
fn numbered(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    let names = names.map(|n| n.to_str().unwrap().to_owned());
    let mut journals: Vec<String> = names.filter(|n| n.starts_with("vectors-")).collect();
    journals.sort();
    journals
}

/// An index with sealed segments, some of their records dead.
fn made(folder: &Path) -> Truth {
    let index = EmbeddedIndex::open_with(folder, shape(), eager()).unwrap();
    let mut truth = Truth::new();
    for number in 1..=3 {
        let changes = batch(number, 500, 400);
        note(&mut truth, &changes);
        index.apply(changes, number).unwrap();
        index.settle();
    }
    let changes = batch(4, 500, 60);
    note(&mut truth, &changes);
    index.apply(changes, 4).unwrap();
    index.settle();
    assert!(!segments(folder).is_empty());
    truth
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for e in std::fs::read_dir(from).unwrap() {
        let e = e.unwrap();
        let target = to.join(e.file_name());
        if e.path().is_dir() {
            copy(&e.path(), &target);
        } else {
            std::fs::copy(e.path(), target).unwrap();
        }
    }
}

#[test]
fn a_damaged_segment_is_named_or_mended_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let truth = made(dir.path());
    let segment = segments(dir.path()).remove(0);
    let whole = std::fs::read(&segment).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut named, mut mended) = (0, 0);
    let mut try_with = |bytes: &[u8], what: String| {
        let other = tempfile::tempdir().unwrap();
        copy(dir.path(), other.path());
        let path = other.path().join(segment.file_name().unwrap());
        std::fs::write(&path, bytes).unwrap();
        match EmbeddedIndex::open_with(other.path(), shape(), eager()) {
            Err(e) => {
                assert!(matches!(e, IndexError::Damaged { .. }), "{what}: {e}");
                let name = segment.file_name().unwrap().to_str().unwrap();
                assert!(e.to_string().contains(name), "{what}: {e}");
                named += 1;
            }
            Ok(index) => {
                // Graphs or codes that were damaged: the exact scan serves, then new ones.
                check(&index, &truth, &mut rng);
                index.settle();
                let recall = (0..10)
                    .map(|_| check(&index, &truth, &mut rng))
                    .sum::<f64>();
                assert!(recall >= 9.8, "{what}: {recall}");
                drop(index);
                let index = EmbeddedIndex::open_with(other.path(), shape(), eager()).unwrap();
                check(&index, &truth, &mut rng);
                mended += 1;
            }
        }
    };
    let page = 4_096;
    for at in (0..whole.len()).step_by(page * 2 + 13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        try_with(&bytes, format!("byte {at} flipped"));
    }
    for at in (0..whole.len()).step_by(whole.len() / 7) {
        try_with(&whole[..at], format!("cut at {at}"));
    }
    assert!(named > 0 && mended > 0, "{named} named, {mended} mended");
}

#[test]
fn a_newer_format_and_a_missing_file_are_told() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let segment = segments(dir.path()).remove(0);
    let whole = std::fs::read(&segment).unwrap();
    let length = u32::from_le_bytes(whole[8..12].try_into().unwrap()) as usize;
    let header = String::from_utf8(whole[16..16 + length].to_vec()).unwrap();
    let newer = header.replace("\"version\":2", "\"version\":9");
    assert_ne!(header, newer);
    let mut bytes = whole.clone();
    bytes[12..16].copy_from_slice(&crc32fast::hash(newer.as_bytes()).to_le_bytes());
    bytes[16..16 + length].copy_from_slice(newer.as_bytes());
    std::fs::write(&segment, &bytes).unwrap();
    let told = |problem: &str| {
        let error = EmbeddedIndex::open_with(dir.path(), shape(), eager());
        let error = error.err().unwrap().to_string();
        assert!(error.contains(problem), "{error}");
    };
    told("newer than this program's");
    std::fs::remove_file(&segment).unwrap();
    told("missing");
    let other = Shape {
        fingerprint: "other".into(),
        ..shape()
    };
    std::fs::write(&segment, &whole).unwrap();
    assert!(EmbeddedIndex::open_with(dir.path(), other, eager()).is_err());
    assert!(EmbeddedIndex::open_with(dir.path(), shape(), eager()).is_ok());
}

#[test]
fn what_an_interrupted_merge_leaves_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let truth = made(dir.path());
    // A half-written segment, a whole one that no manifest names, and a journal that had just got
    // its number when the next was to be begun.
    std::fs::write(dir.path().join("segment-000090.vectors.new"), b"half").unwrap();
    std::fs::copy(
        segments(dir.path()).remove(0),
        dir.path().join("segment-000091.vectors"),
    )
    .unwrap();
    std::fs::rename(
        dir.path().join("vectors.journal"),
        dir.path().join("vectors-000092.journal"),
    )
    .unwrap();
    let index = EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap();
    check(&index, &truth, &mut ChaCha8Rng::seed_from_u64(3));
    assert_eq!(index.seq(), 4);
    let left = segments(dir.path());
    assert!(
        left.iter().all(|p| !p.ends_with("segment-000091.vectors")),
        "{left:?}"
    );
    index.clear().unwrap();
    drop(index);
    let index = EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap();
    assert_eq!((index.len(), index.seq()), (0, 0));
}

#[test]
fn opening_again_and_again_leaves_no_trail() {
    let dir = tempfile::tempdir().unwrap();
    let waits = IndexOptions {
        seal_from: usize::MAX,
        ..eager()
    };
    let index = EmbeddedIndex::open_with(dir.path(), shape(), waits).unwrap();
    index.apply(batch(1, 4_000, 3_000), 1).unwrap();
    drop(index);
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    let mut most = 0;
    for _ in 0..6 {
        // Closed before its graph is built, most of the time.
        drop(EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap());
        most = most.max(files());
    }
    assert!(most <= 5, "{most} files");
    let index = EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap();
    let mut truth = Truth::new();
    note(&mut truth, &batch(1, 4_000, 3_000));
    index.settle();
    check(&index, &truth, &mut ChaCha8Rng::seed_from_u64(4));
}

/// Whether a segment is being written.
fn sealing(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name());
    names
        .into_iter()
        .any(|n| n.to_str().is_some_and(|n| n.ends_with(".vectors.new")))
}

/// Writes batches until it is killed; not a test of its own.
#[test]
fn child_that_writes() {
    let Some(folder) = std::env::var_os("QUEQIAO_TEST_WRITES_TO") else {
        return;
    };
    let index = EmbeddedIndex::open_with(Path::new(&folder), shape(), eager()).unwrap();
    for number in index.seq() + 1.. {
        index.apply(batch(number, 1_500, 120), number).unwrap();
        println!("\nacknowledged {number}");
    }
}

#[test]
fn kill_9_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_writes", "--nocapture"])
            .env("QUEQIAO_TEST_WRITES_TO", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let numbers = lines.map_while(Result::ok).filter_map(|l| {
                let number = l.strip_prefix("acknowledged ")?;
                number.parse::<u64>().ok()
            });
            for n in numbers {
                let _ = tell.send(n);
            }
        });
        // After some writes, and every other time with a segment half written.
        let mut last = told.recv().unwrap();
        for _ in 0..2 * round {
            last = told.recv().unwrap();
        }
        while round % 2 == 1 && !sealing(dir.path()) {
            last = told.recv().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = told.iter().last().unwrap_or(last);
        let index = EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap();
        let seen = index.seq();
        assert!(seen >= acknowledged, "{seen} of {acknowledged}");
        // A batch that one side of the index had taken and the other had not is made again, as
        // the store's log of changes does it.
        index.apply(batch(seen + 1, 1_500, 120), seen + 1).unwrap();
        let mut truth = Truth::new();
        for number in 1..=seen + 1 {
            note(&mut truth, &batch(number, 1_500, 120));
        }
        check(&index, &truth, &mut rng);
    }
    let index = EmbeddedIndex::open_with(dir.path(), shape(), eager()).unwrap();
    index.settle();
    assert!(!segments(dir.path()).is_empty());
}
