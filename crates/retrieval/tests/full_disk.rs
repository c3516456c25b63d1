//! A disk without room: writes fail cleanly, what was acknowledged goes on being found, and no
//! mapped file takes the process down. The disk is a small file system in memory, which takes root
//! to mount; without it the tests say so and check nothing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, GraphOptions, Health, Index, IndexError,
    IndexOptions, Mode, Passage, Query, QueryPassage, QueryTerm, Shape,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{path::Path, process::Command};

const DIM: usize = 64;

fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "test".into(),
    }
}

/// A disk of so many KiB, gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(kib: usize) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(dir.path())
            .output();
        if mounted.is_ok_and(|o| o.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("SKIPPED: no file system can be mounted here, which takes root");
        None
    }

    fn index(&self) -> std::path::PathBuf {
        self.0.path().join("index")
    }

    /// Leaves so many KiB of room.
    fn fill(&self, room: usize) {
        let file = std::fs::File::create(self.0.path().join("ballast")).unwrap();
        let block = vec![1u8; 1024];
        let mut written = 0;
        while std::io::Write::write_all(&mut &file, &block).is_ok() {
            written += 1;
        }
        file.set_len((written - room) as u64 * 1024).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn put(rng: &mut ChaCha8Rng, key: u64) -> Change {
    let mut r = Record::new(RecordId::new(format!("r{key:06}")).unwrap(), Kind::Expert);
    r.title = "x".into();
    let v: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    Change::Put(Box::new(Entry {
        key,
        facets: Facets::of(&r),
        passages: vec![Passage {
            words: vec!["all".to_owned(), format!("w{key}")],
            bigrams: Vec::new(),
        }],
        vectors: Array2::from_shape_vec((1, DIM), v.iter().map(|x| x / norm).collect()).unwrap(),
    }))
}

/// How many records a search by vector and by a term finds.
fn found(index: &EmbeddedIndex, word: &str) -> (usize, usize) {
    let of = |mode| {
        let vectors = Array2::from_elem((1, DIM), (1.0 / DIM as f32).sqrt());
        let passages = [QueryPassage {
            words: vec![QueryTerm {
                text: word.to_owned(),
                weight: 1.0,
            }],
            bigrams: Vec::new(),
        }];
        let query = Query {
            vectors: &vectors,
            passages: &passages,
            filter: &Filter::All,
            admit: &|_, _| true,
            mode,
            candidates: usize::MAX,
            consistency: Consistency::Latest,
        };
        index.search(&query).unwrap().candidates.len()
    };
    (of(Mode::Dense), of(Mode::Lexical))
}

fn open(folder: &Path, options: &IndexOptions) -> EmbeddedIndex {
    EmbeddedIndex::open_with(folder, shape(), options.clone()).unwrap()
}

#[test]
fn a_write_without_room_is_refused_whole_and_made_when_there_is_room() {
    let Some(disk) = Disk::mount(16 * 1024) else {
        return;
    };
    let options = IndexOptions {
        exact_below: usize::MAX,
        ..IndexOptions::default()
    };
    let index = open(&disk.index(), &options);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    disk.fill(200);
    let mut kept = 0u64;
    let refused = loop {
        let batch = (0..20).map(|i| put(&mut rng, kept * 20 + i)).collect();
        match index.apply(batch, kept + 1) {
            Ok(()) => kept += 1,
            Err(e) => break e,
        }
    };
    assert!(matches!(refused, IndexError::Io { .. }), "{refused}");
    let records = kept as usize * 20;
    assert!(kept > 0);
    assert_eq!(index.seq(), kept);
    assert_eq!(found(&index, "all"), (records, records));
    // Nothing of the refused batch is there, on disk neither.
    drop(index);
    let index = open(&disk.index(), &options);
    assert_eq!(index.seq(), kept);
    assert_eq!(found(&index, "all"), (records, records));
    // Small changes may still find room, large ones do not; with room all do, in this process.
    disk.free();
    let batch = (0..20).map(|i| put(&mut rng, kept * 20 + i)).collect();
    index.apply(batch, kept + 1).unwrap();
    assert_eq!(found(&index, "all"), (records + 20, records + 20));
    assert_eq!(index.health(), Health::Serving);
}

#[test]
fn without_room_for_a_segment_or_a_commit_everything_is_found_as_before() {
    let Some(disk) = Disk::mount(16 * 1024) else {
        return;
    };
    let waits = IndexOptions {
        exact_below: usize::MAX,
        ..IndexOptions::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let index = open(&disk.index(), &waits);
    for n in 0..20u64 {
        let batch = (0..200).map(|i| put(&mut rng, n * 200 + i)).collect();
        index.apply(batch, n + 1).unwrap();
    }
    drop(index);
    disk.fill(150);
    // Now it would seal and commit, and has no room to.
    let eager = IndexOptions {
        exact_below: 100,
        seal_from: 100,
        commit_from: 100,
        graph: GraphOptions {
            least: 32,
            ..GraphOptions::default()
        },
        ..IndexOptions::default()
    };
    let index = open(&disk.index(), &eager);
    index.settle();
    assert!(
        matches!(index.health(), Health::Degraded(_)),
        "{:?}",
        index.health()
    );
    assert_eq!(found(&index, "all"), (4_000, 4_000));
    assert_eq!(found(&index, "w17"), (4_000, 1));
    drop(index);
    disk.free();
    let index = open(&disk.index(), &eager);
    // A commit begins with the next write.
    index.apply(vec![put(&mut rng, 4_000)], 21).unwrap();
    index.settle();
    assert_eq!(index.health(), Health::Serving);
    assert_eq!(found(&index, "all"), (4_001, 4_001));
    let segments = std::fs::read_dir(disk.index()).unwrap();
    let names = segments.map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().any(|n| n.ends_with(".vectors")));
}
