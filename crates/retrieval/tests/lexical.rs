//! Terms among many passages: random contents with deletes and updates, before, while and after
//! they are committed, against BM25 written down plainly.
#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, Index, IndexOptions, LexicalParts, Mode, Passage,
    Query, QueryPassage, QueryTerm, SearchResult, Shape,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap, HashSet};

const DIM: usize = 16;
const K1: f64 = 0.9;

fn options(commit_from: usize) -> IndexOptions {
    IndexOptions {
        // Records are named by terms, not compared one and all; no graph is built.
        exact_below: 1_000,
        seal_from: usize::MAX,
        commit_from,
        ..IndexOptions::default()
    }
}

fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "test".into(),
    }
}

fn terms(rng: &mut ChaCha8Rng, least: usize, most: usize) -> Vec<String> {
    let n = rng.random_range(least..=most);
    (0..n)
        .map(|_| {
            let x: f64 = rng.random_range(0.0..1.0);
            format!("t{}", (x * x * x * 400.0) as u32)
        })
        .collect()
}

fn entry(rng: &mut ChaCha8Rng, key: u64) -> Entry {
    let mut r = Record::new(RecordId::new(format!("r{key:06}")).unwrap(), Kind::Expert);
    r.attributes.insert("third".into(), (key % 3).to_string());
    let n = rng.random_range(0..8);
    Entry {
        key,
        facets: Facets::of(&r),
        passages: (0..n)
            .map(|_| Passage {
                words: terms(rng, 0, 14),
                bigrams: terms(rng, 0, 20),
            })
            .collect(),
        vectors: Array2::zeros((n, DIM)),
    }
}

/// Statistics of one side over passages or over records.
struct Side {
    texts: f64,
    mean: f64,
    df: HashMap<String, f64>,
}

impl Side {
    fn of<'a>(texts: impl Iterator<Item = Vec<&'a String>>) -> Self {
        let (mut n, mut length) = (0.0, 0.0);
        let mut df: HashMap<String, f64> = HashMap::new();
        for text in texts {
            n += 1.0;
            length += text.len() as f64;
            let once: HashSet<&String> = text.into_iter().collect();
            for t in once {
                *df.entry(t.clone()).or_default() += 1.0;
            }
        }
        Self {
            texts: n,
            mean: length / n,
            df,
        }
    }

    /// Divided by the greatest there could be.
    fn bm25(&self, asked: &[QueryTerm], text: &[&String], b: f64) -> f64 {
        let mut seen = HashSet::new();
        let (mut score, mut most) = (0.0, 0.0);
        for t in asked.iter().filter(|t| seen.insert(&t.text)) {
            let df = self.df.get(&t.text).copied().unwrap_or(0.0);
            let idf = t.weight * (1.0 + (self.texts - df + 0.5) / (df + 0.5)).ln();
            most += idf * (K1 + 1.0);
            let tf = text.iter().filter(|w| ***w == t.text).count() as f64;
            let norm = K1 * (1.0 - b + b * text.len() as f64 / self.mean);
            score += idf * (tf * (K1 + 1.0) / (tf + norm));
        }
        if most > 0.0 { score / most } else { 0.0 }
    }
}

fn ask(
    index: &EmbeddedIndex,
    asked: &[QueryPassage],
    filter: &Filter,
    refused: &HashSet<u64>,
) -> SearchResult {
    index
        .search(&Query {
            vectors: &Array2::zeros((0, DIM)),
            passages: asked,
            filter,
            admit: &|key, _| !refused.contains(&key),
            mode: Mode::Lexical,
            candidates: 700,
            consistency: Consistency::Latest,
        })
        .unwrap()
}

fn scores(answer: &SearchResult) -> BTreeMap<u64, LexicalParts> {
    let of = answer.candidates.iter();
    of.map(|c| (c.key, c.lexical)).collect()
}

fn check(index: &EmbeddedIndex, truth: &BTreeMap<u64, Entry>, rng: &mut ChaCha8Rng) {
    let asked: Vec<QueryPassage> = (0..rng.random_range(1..3))
        .map(|_| {
            let weighed = |texts: Vec<String>, rng: &mut ChaCha8Rng| {
                let weights = texts.into_iter().map(|text| QueryTerm {
                    text,
                    weight: rng.random_range(0.1..2.0),
                });
                weights.collect()
            };
            QueryPassage {
                words: weighed(terms(rng, 0, 10), rng),
                bigrams: weighed(terms(rng, 1, 16), rng),
            }
        })
        .collect();
    let filter = Filter::parse(["", "attributes.third = 1"][rng.random_range(0..2)]).unwrap();
    let passages = || truth.values().flat_map(|e| &e.passages);
    let records = || truth.values().filter(|e| !e.passages.is_empty());
    let words = Side::of(passages().map(|p| p.words.iter().collect()));
    let bigrams = Side::of(passages().map(|p| p.bigrams.iter().collect()));
    let whole_words = Side::of(records().map(all_words));
    let whole_bigrams = Side::of(records().map(all_bigrams));
    let mut expected: Vec<(u64, LexicalParts)> = Vec::new();
    for e in records().filter(|e| filter.matches(&e.facets)) {
        let mut best = LexicalParts::default();
        for q in &asked {
            for (i, p) in e.passages.iter().enumerate() {
                let w = words.bm25(&q.words, &p.words.iter().collect::<Vec<_>>(), 0.4);
                let b = bigrams.bm25(&q.bigrams, &p.bigrams.iter().collect::<Vec<_>>(), 0.4);
                let sum = best.words + best.bigrams;
                if w + b > sum || (w + b == sum && w + b > 0.0 && i < best.passage) {
                    (best.words, best.bigrams, best.passage) = (w, b, i);
                }
            }
            let w = whole_words.bm25(&q.words, &all_words(e), 0.7);
            let b = whole_bigrams.bm25(&q.bigrams, &all_bigrams(e), 0.7);
            if w + b > best.record_words + best.record_bigrams {
                (best.record_words, best.record_bigrams) = (w, b);
            }
        }
        expected.push((e.key, best));
    }
    // Sometimes those with the best words are refused: few of them, or more than are found for sure.
    expected.sort_by(|a, b| b.1.words.total_cmp(&a.1.words));
    let refused = [0, 0, 5, 40][rng.random_range(0..4)].min(expected.len());
    let refused: HashSet<u64> = expected.drain(..refused).map(|e| e.0).collect();
    let answer = ask(index, &asked, &filter, &refused);
    for (best, of) in [
        (answer.best_words, (|l| l.words) as fn(&LexicalParts) -> f64),
        (answer.best_bigrams, |l| l.bigrams),
        (answer.best_record_words, |l| l.record_words),
        (answer.best_record_bigrams, |l| l.record_bigrams),
    ] {
        let all = expected.iter().map(|e| of(&e.1));
        assert_eq!(best, all.fold(0.0, f64::max));
    }
    let found = scores(&answer);
    let of: BTreeMap<u64, LexicalParts> = expected.iter().copied().collect();
    for (key, parts) in &found {
        // The same arithmetic in the same order: the same bits.
        assert_eq!(*parts, of[key], "record {key}");
    }
    for score in [
        |l: &LexicalParts| l.words + l.bigrams,
        |l: &LexicalParts| l.record_words + l.record_bigrams,
    ] {
        expected.sort_by(|a, b| score(&b.1).total_cmp(&score(&a.1)).then(a.0.cmp(&b.0)));
        let best = expected.iter().filter(|e| score(&e.1) > 0.0).take(700);
        for (place, (key, _)) in best.enumerate() {
            assert!(found.contains_key(key), "record {key} at place {place}");
        }
    }
}

fn all_words(e: &Entry) -> Vec<&String> {
    e.passages.iter().flat_map(|p| &p.words).collect()
}

fn all_bigrams(e: &Entry) -> Vec<&String> {
    e.passages.iter().flat_map(|p| &p.bigrams).collect()
}

#[test]
fn many_passages_agree_with_bm25_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut index = EmbeddedIndex::open_with(dir.path(), shape(), options(3_000)).unwrap();
    let mut truth: BTreeMap<u64, Entry> = BTreeMap::new();
    for batch in 1..=30u64 {
        let changes = (0..500)
            .map(|_| {
                let key = rng.random_range(0..9_000);
                if rng.random_bool(0.15) {
                    truth.remove(&key);
                    return Change::Delete(key);
                }
                let e = entry(&mut rng, key);
                truth.insert(key, e.clone());
                Change::Put(Box::new(e))
            })
            .collect();
        index.apply(changes, batch).unwrap();
        match batch % 6 {
            // While it is being committed, perhaps.
            0 => check(&index, &truth, &mut rng),
            3 => {
                index.settle();
                check(&index, &truth, &mut rng);
            }
            5 => {
                drop(index);
                index = EmbeddedIndex::open_with(dir.path(), shape(), options(3_000)).unwrap();
                check(&index, &truth, &mut rng);
            }
            _ => {}
        }
    }
    let passages: usize = truth.values().map(|e| e.passages.len()).sum();
    assert!(passages > 20_000, "{passages}: several windows and threads");
    // However it grew, the bits are those of an index that was filled at once.
    let fresh = EmbeddedIndex::in_memory_with(shape(), options(usize::MAX)).unwrap();
    let all = truth.values().cloned().map(|e| Change::Put(Box::new(e)));
    fresh.apply(all.collect(), 1).unwrap();
    for _ in 0..5 {
        let q = QueryPassage {
            words: terms(&mut rng, 3, 10).into_iter().map(plain).collect(),
            bigrams: terms(&mut rng, 3, 20).into_iter().map(plain).collect(),
        };
        let ask = |index| {
            let refused = HashSet::new();
            scores(&ask(
                index,
                std::slice::from_ref(&q),
                &Filter::All,
                &refused,
            ))
        };
        assert_eq!(ask(&index), ask(&fresh));
    }
}

fn plain(text: String) -> QueryTerm {
    QueryTerm { text, weight: 1.0 }
}
