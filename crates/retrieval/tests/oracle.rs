//! The index against a naive one: the same operations, the same questions, the same answers.
#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, Index, IndexOptions, Mode, Passage, Query,
    QueryPassage, QueryTerm, Shape,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};

const DIM: usize = 24;
const REGIONS: [&str; 4] = ["440305", "440100", "120116", "110105"];

fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "test".into(),
    }
}

fn unit(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let v: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.into_iter().map(|x| x / norm).collect()
}

fn terms(rng: &mut ChaCha8Rng, max: usize) -> Vec<String> {
    let n = rng.random_range(0..=max);
    // A few frequent terms, many rare ones.
    (0..n)
        .map(|_| {
            let x: f64 = rng.random_range(0.0..1.0);
            format!("t{}", (x * x * x * 60.0) as u32)
        })
        .collect()
}

fn asked(rng: &mut ChaCha8Rng) -> Vec<QueryTerm> {
    terms(rng, 8)
        .into_iter()
        .map(|text| QueryTerm {
            text,
            weight: rng.random_range(0.1..1.0),
        })
        .collect()
}

fn entry(rng: &mut ChaCha8Rng, key: u64) -> Entry {
    let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
    let mut r = Record::new(RecordId::new(format!("r{key}")).unwrap(), kind);
    r.title = "x".into();
    r.region = REGIONS[rng.random_range(0..REGIONS.len())].parse().ok();
    let n = rng.random_range(0..5);
    let vectors: Vec<f32> = (0..n).flat_map(|_| unit(rng)).collect();
    Entry {
        key,
        facets: Facets::of(&r),
        passages: (0..n)
            .map(|_| Passage {
                words: terms(rng, 12),
                bigrams: terms(rng, 20),
            })
            .collect(),
        vectors: Array2::from_shape_vec((n, DIM), vectors).unwrap(),
    }
}

/// BM25 as the papers write it, divided by the greatest possible.
fn bm25(asked: &[QueryTerm], doc: &[String], all: &[&Vec<String>], b: f64) -> f64 {
    let k1 = 0.9;
    let n = all.len() as f64;
    let mean = all.iter().map(|d| d.len()).sum::<usize>() as f64 / n;
    let (mut score, mut greatest) = (0.0, 0.0);
    // Of a term given twice the first weight counts.
    let mut first: BTreeMap<&String, f64> = BTreeMap::new();
    for t in asked {
        first.entry(&t.text).or_insert(t.weight);
    }
    for (t, weight) in first {
        let df = all.iter().filter(|d| d.contains(t)).count() as f64;
        let idf = weight * (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
        greatest += idf * (k1 + 1.0);
        let tf = doc.iter().filter(|w| *w == t).count() as f64;
        if tf > 0.0 {
            score += idf * tf * (k1 + 1.0) / (tf + k1 * (1.0 - b + b * doc.len() as f64 / mean));
        }
    }
    if greatest > 0.0 {
        score / greatest
    } else {
        0.0
    }
}

fn check(index: &EmbeddedIndex, truth: &BTreeMap<u64, Entry>, rng: &mut ChaCha8Rng) {
    assert_eq!(index.len(), truth.len());
    let m = rng.random_range(1..4);
    let vectors: Vec<f32> = (0..m).flat_map(|_| unit(rng)).collect();
    let vectors = Array2::from_shape_vec((m, DIM), vectors).unwrap();
    let passages: Vec<QueryPassage> = (0..m)
        .map(|_| QueryPassage {
            words: asked(rng),
            bigrams: asked(rng),
        })
        .collect();
    let filter = Filter::parse(
        [
            "",
            "region : 44",
            "kind = expert OR kind = need",
            "NOT region : 12",
        ][rng.random_range(0..4)],
    )
    .unwrap();
    let banned: HashSet<u64> = (0..5).map(|_| rng.random_range(0..80)).collect();
    let found = index
        .search(&Query {
            vectors: &vectors,
            passages: &passages,
            filter: &filter,
            admit: &|key, _| !banned.contains(&key),
            mode: Mode::Hybrid,
            candidates: 10_000,
            consistency: Consistency::Latest,
        })
        .unwrap();
    let admitted: Vec<&Entry> = truth
        .values()
        .filter(|e| filter.matches(&e.facets) && !banned.contains(&e.key))
        .collect();
    assert_eq!(found.admitted, admitted.len());
    let by_key: BTreeMap<u64, _> = found.candidates.iter().map(|c| (c.key, c)).collect();
    assert_eq!(
        by_key.len(),
        admitted.len(),
        "every admitted record is a candidate"
    );
    let all_words: Vec<&Vec<String>> = truth
        .values()
        .flat_map(|e| e.passages.iter().map(|p| &p.words))
        .collect();
    let all_bigrams: Vec<&Vec<String>> = truth
        .values()
        .flat_map(|e| e.passages.iter().map(|p| &p.bigrams))
        .collect();
    // Every record with a passage as one text.
    let whole: BTreeMap<u64, (Vec<String>, Vec<String>)> = truth
        .values()
        .map(|e| {
            let all = |f: fn(&Passage) -> &Vec<String>| e.passages.iter().flat_map(f).cloned();
            let words = all(|p| &p.words).collect();
            (e.key, (words, all(|p| &p.bigrams).collect()))
        })
        .collect();
    let with_text = || truth.values().filter(|e| !e.passages.is_empty());
    let whole_words: Vec<&Vec<String>> = with_text().map(|e| &whole[&e.key].0).collect();
    let whole_bigrams: Vec<&Vec<String>> = with_text().map(|e| &whole[&e.key].1).collect();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
    for e in admitted {
        let c = by_key[&e.key];
        let dots = vectors.dot(&e.vectors.t());
        let best = dots.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if e.vectors.nrows() == 0 {
            assert_eq!(c.dense, Default::default());
        } else {
            assert!(near(c.dense.best, f64::from(best)));
            assert!(near(
                f64::from(dots[[c.dense.asked, c.dense.passage]]),
                c.dense.best
            ));
            let mut nearest: Vec<f32> = dots
                .columns()
                .into_iter()
                .map(|c| c.iter().copied().fold(f32::NEG_INFINITY, f32::max))
                .collect();
            nearest.sort_by(|a, b| b.total_cmp(a));
            nearest.truncate(3);
            let three = nearest.iter().sum::<f32>() / nearest.len() as f32;
            assert!(near(c.dense.three, f64::from(three)));
            let mean_q = vectors.mean_axis(ndarray::Axis(0)).unwrap();
            let mean_d = e.vectors.mean_axis(ndarray::Axis(0)).unwrap();
            let cos =
                mean_q.dot(&mean_d) / (mean_q.dot(&mean_q).sqrt() * mean_d.dot(&mean_d).sqrt());
            assert!(
                (c.dense.profile - f64::from(cos)).abs() < 1e-4,
                "{} {cos}",
                c.dense.profile
            );
        }
        let expected = e
            .passages
            .iter()
            .flat_map(|p| {
                passages.iter().map(|q| {
                    bm25(&q.words, &p.words, &all_words, 0.4)
                        + bm25(&q.bigrams, &p.bigrams, &all_bigrams, 0.4)
                })
            })
            .fold(0.0, f64::max);
        assert!(
            near(c.lexical.words + c.lexical.bigrams, expected),
            "{:?} {expected}",
            c.lexical
        );
        let (words, bigrams) = &whole[&e.key];
        let expected = passages
            .iter()
            .map(|q| {
                bm25(&q.words, words, &whole_words, 0.7)
                    + bm25(&q.bigrams, bigrams, &whole_bigrams, 0.7)
            })
            .fold(0.0, f64::max);
        assert!(
            near(c.lexical.record_words + c.lexical.record_bigrams, expected),
            "{:?} {expected}",
            c.lexical
        );
    }
}

/// Terms are committed while it is played, again and again.
fn play(seed: u64, folder: Option<&std::path::Path>, steps: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let options = IndexOptions {
        commit_from: 1 + seed as usize % 40,
        ..IndexOptions::default()
    };
    let open = || match folder {
        Some(f) => EmbeddedIndex::open_with(f, shape(), options.clone()).unwrap(),
        None => EmbeddedIndex::in_memory_with(shape(), options.clone()).unwrap(),
    };
    let mut index = open();
    let mut truth = BTreeMap::new();
    let mut seq = 0;
    for step in 0..steps {
        let mut changes = Vec::new();
        for _ in 0..rng.random_range(1..12) {
            let key = rng.random_range(0..60);
            seq += 1;
            if rng.random_bool(0.3) {
                truth.remove(&key);
                changes.push(Change::Delete(key));
            } else {
                let e = entry(&mut rng, key);
                truth.insert(key, e.clone());
                changes.push(Change::Put(Box::new(e)));
            }
        }
        index.apply(changes, seq).unwrap();
        assert_eq!(index.seq(), seq);
        check(&index, &truth, &mut rng);
        if folder.is_some() && step % 4 == 3 {
            drop(index);
            index = open();
            assert_eq!(index.seq(), seq);
            check(&index, &truth, &mut rng);
        }
    }
}

#[test]
fn in_memory_agrees_with_the_naive_index() {
    for seed in 0..12 {
        play(seed, None, 12);
    }
}

#[test]
fn on_disk_agrees_across_restarts() {
    for seed in 100..104 {
        let dir = tempfile::tempdir().unwrap();
        play(seed, Some(dir.path()), 16);
    }
}

#[test]
fn equal_questions_get_equal_bits_however_the_index_grew() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let entries: Vec<Entry> = (0..50).map(|k| entry(&mut rng, k)).collect();
    let at_once = EmbeddedIndex::in_memory(shape()).unwrap();
    at_once
        .apply(
            entries
                .iter()
                .cloned()
                .map(|e| Change::Put(Box::new(e)))
                .collect(),
            50,
        )
        .unwrap();
    // One by one, in another order, with detours.
    let slowly = EmbeddedIndex::in_memory(shape()).unwrap();
    let mut seq = 0;
    for e in entries.iter().rev() {
        let mut detour = entry(&mut rng, e.key);
        detour.facets.id = e.facets.id.clone();
        for change in [
            Change::Put(Box::new(detour)),
            Change::Delete(e.key),
            Change::Put(Box::new(e.clone())),
        ] {
            seq += 1;
            slowly.apply(vec![change], seq).unwrap();
        }
    }
    let vectors = Array2::from_shape_vec((1, DIM), unit(&mut rng)).unwrap();
    let passages = [QueryPassage {
        words: asked(&mut rng),
        bigrams: asked(&mut rng),
    }];
    let ask = |i: &EmbeddedIndex| {
        let r = i
            .search(&Query {
                vectors: &vectors,
                passages: &passages,
                filter: &Filter::All,
                admit: &|_, _| true,
                mode: Mode::Hybrid,
                candidates: 20,
                consistency: Consistency::Latest,
            })
            .unwrap();
        r.candidates
            .iter()
            .map(|c| {
                (
                    c.key,
                    c.dense.best.to_bits(),
                    c.dense.profile.to_bits(),
                    c.lexical.words.to_bits(),
                    c.lexical.bigrams.to_bits(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(&at_once), ask(&slowly));
}

#[test]
fn hostile_vectors_are_refused() {
    let index = EmbeddedIndex::in_memory(shape()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let good = loop {
        let e = entry(&mut rng, 1);
        if e.vectors.nrows() > 0 {
            break e;
        }
    };
    for bad in [f32::NAN, f32::INFINITY, 3.0] {
        let mut e = good.clone();
        e.vectors[[0, 0]] = bad;
        let told = index
            .apply(vec![Change::Put(Box::new(e))], 1)
            .unwrap_err()
            .to_string();
        assert!(told.contains("record 1"), "{told}");
    }
    let mut e = good.clone();
    e.vectors = Array2::zeros((1, DIM + 1));
    assert!(index.apply(vec![Change::Put(Box::new(e))], 1).is_err());
    assert_eq!(index.len(), 0);
    assert_eq!(index.seq(), 0);
    let narrow = Array2::zeros((1, 3));
    let asked = index.search(&Query {
        vectors: &narrow,
        passages: &[],
        filter: &Filter::All,
        admit: &|_, _| true,
        mode: Mode::Dense,
        candidates: 1,
        consistency: Consistency::Latest,
    });
    assert!(asked.is_err());
}

#[test]
fn damage_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let index = EmbeddedIndex::open(dir.path(), shape()).unwrap();
    for k in 0..20 {
        index
            .apply(vec![Change::Put(Box::new(entry(&mut rng, k)))], k + 1)
            .unwrap();
    }
    drop(index);
    let journal = dir.path().join("vectors.journal");
    let whole = std::fs::read(&journal).unwrap();

    // Another model, another shape.
    let other = Shape {
        fingerprint: "other".into(),
        ..shape()
    };
    assert!(EmbeddedIndex::open(dir.path(), other).is_err());

    // A torn tail is cut off at the last whole batch; the change log fills the gap.
    std::fs::write(&journal, &whole[..whole.len() - 5]).unwrap();
    let index = EmbeddedIndex::open(dir.path(), shape()).unwrap();
    assert_eq!(index.seq(), 19);
    drop(index);

    // Any flipped byte is either noticed or cut off; never taken for truth.
    let undamaged: Vec<u64> = (0..20).collect();
    for at in (0..whole.len()).step_by(whole.len() / 60 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&journal, &bytes).unwrap();
        match EmbeddedIndex::open(dir.path(), shape()) {
            Err(e) => assert!(e.to_string().contains("rebuilt"), "{e}"),
            Ok(i) => assert!(i.seq() < 20 && i.len() <= undamaged.len(), "byte {at}"),
        }
    }

    std::fs::write(&journal, &whole).unwrap();

    // So it is with the journal of terms.
    let journal = dir.path().join("lexical/terms-000001.journal");
    let whole = std::fs::read(&journal).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 60 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&journal, &bytes).unwrap();
        match EmbeddedIndex::open(dir.path(), shape()) {
            Err(e) => assert!(e.to_string().contains("rebuilt"), "{e}"),
            Ok(i) => assert!(i.seq() < 20, "byte {at}"),
        }
    }
    std::fs::write(&journal, &whole).unwrap();

    // And with what was committed. Some files may be leftovers of a merge that nobody reads, so it
    // is flipped in all of a kind.
    let options = IndexOptions {
        commit_from: 1,
        ..IndexOptions::default()
    };
    let index = EmbeddedIndex::open_with(dir.path(), shape(), options).unwrap();
    index.settle();
    drop(index);
    let mut flipped = 0;
    for file in std::fs::read_dir(dir.path().join("lexical")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|e| e == "idx") {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes[0] ^= 1;
            std::fs::write(&file, bytes).unwrap();
            flipped += 1;
        }
    }
    assert!(flipped > 0);
    assert!(EmbeddedIndex::open(dir.path(), shape()).is_err());
}
