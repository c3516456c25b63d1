//! Records to put into an index, and a naive index to compare with.

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{Change, Entry, Passage, QueryPassage, QueryTerm, Shape};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

pub(crate) const DIM: usize = 20;
pub(crate) const REGIONS: [&str; 4] = ["440305", "440100", "120116", "110105"];

pub(crate) fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "conformance".into(),
    }
}

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub(crate) fn unit(rng: &mut ChaCha8Rng) -> Vec<f32> {
    let v: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.into_iter().map(|x| x / norm).collect()
}

pub(crate) fn rows(rows: &[Vec<f32>]) -> Array2<f32> {
    Array2::from_shape_vec((rows.len(), DIM), rows.concat()).unwrap()
}

/// An expert of one passage without terms.
pub(crate) fn entry(key: u64, vector: Vec<f32>) -> Entry {
    let mut r = Record::new(RecordId::new(format!("r{key:05}")).unwrap(), Kind::Expert);
    r.title = format!("title {key}");
    Entry {
        key,
        facets: Facets::of(&r),
        passages: vec![Passage::default()],
        vectors: rows(&[vector]),
    }
}

pub(crate) fn words(words: &[&str]) -> Passage {
    Passage {
        words: words.iter().map(|w| (*w).to_owned()).collect(),
        bigrams: Vec::new(),
    }
}

pub(crate) fn asks(words: &[&str]) -> QueryPassage {
    let term = |w: &&str| QueryTerm {
        text: (*w).to_owned(),
        weight: 1.0,
    };
    QueryPassage {
        words: words.iter().map(term).collect(),
        bigrams: Vec::new(),
    }
}

/// A record with up to four passages, some of them zero, and fields of all sorts.
pub(crate) fn random(rng: &mut ChaCha8Rng, key: u64) -> Entry {
    let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
    let mut r = Record::new(RecordId::new(format!("r{key:05}")).unwrap(), kind);
    r.title = format!("title {}", rng.random_range(0..10));
    if rng.random_bool(0.8) {
        r.region = REGIONS[rng.random_range(0..REGIONS.len())].parse().ok();
    }
    for i in 0..rng.random_range(0..3) {
        r.keywords
            .push(format!("word{i}{}", rng.random_range(0..4)));
    }
    if rng.random_bool(0.5) {
        let n = rng.random_range(0..20).to_string();
        r.attributes.insert("size".into(), n);
    }
    let n = rng.random_range(1..5);
    let mut vectors: Vec<Vec<f32>> = (0..n).map(|_| unit(rng)).collect();
    if rng.random_bool(0.1) {
        vectors[0] = vec![0.0; DIM];
    }
    Entry {
        key,
        facets: Facets::of(&r),
        passages: vec![Passage::default(); n],
        vectors: rows(&vectors),
    }
}

/// What an index of these changes should hold.
#[derive(Default)]
pub(crate) struct Naive(pub(crate) BTreeMap<u64, Entry>);

impl Naive {
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(e) => drop(self.0.insert(e.key, (**e).clone())),
                Change::Delete(key) => drop(self.0.remove(key)),
            }
        }
    }

    pub(crate) fn passing(&self, filter: &Filter) -> Vec<&Entry> {
        let all = self.0.values();
        all.filter(|e| filter.matches(&e.facets)).collect()
    }
}

/// The cosine of the best pair, 0 where a record has no vectors.
pub(crate) fn best(asked: &Array2<f32>, e: &Entry) -> f64 {
    let dots = asked.dot(&e.vectors.t());
    let best = dots.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if best.is_finite() {
        f64::from(best)
    } else {
        0.0
    }
}
