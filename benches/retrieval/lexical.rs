//! The lexical side alone: how long a question takes and what a write costs among many records.
//!
//! ```sh
//! cargo bench -p queqiao-retrieval --bench retrieval -- --lexical --records 100000 --keep
//! ```
//!
//! Records have five passages of 40 words and 80 bigrams each. Words are drawn as often as the
//! words of a language are (Zipf), so some postings are long and most are short.

use crate::{cpu_seconds, round};
use anyhow::Result;
use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, Index, IndexOptions, Mode, Passage, Query,
    QueryPassage, QueryTerm, Shape,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::time::Instant;

const PASSAGES: usize = 5;
const WORDS: usize = 40;
const BIGRAMS: usize = 80;
const BATCH: usize = 1_000;
const QUESTIONS: usize = 200;
const WRITES: usize = 200;
const DIM: usize = 16;

/// Numbers from 0, the greater the rarer.
struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    fn new(n: usize, power: f64) -> Self {
        let mut sum = 0.0;
        let cumulative = (1..=n)
            .map(|i| {
                sum += (i as f64).powf(-power);
                sum
            })
            .collect();
        Self { cumulative }
    }

    fn sample(&self, rng: &mut ChaCha8Rng) -> usize {
        let sum = self.cumulative.last().copied().unwrap_or(1.0);
        let x = rng.random_range(0.0..sum);
        self.cumulative.partition_point(|c| *c < x)
    }
}

struct Language {
    words: Zipf,
    bigrams: Zipf,
    rng: ChaCha8Rng,
}

impl Language {
    fn words(&mut self, n: usize) -> Vec<String> {
        let each = (0..n).map(|_| format!("w{}", self.words.sample(&mut self.rng)));
        each.collect()
    }

    fn bigrams(&mut self, n: usize) -> Vec<String> {
        let each = (0..n).map(|_| format!("b{}", self.bigrams.sample(&mut self.rng)));
        each.collect()
    }

    fn put(&mut self, key: u64) -> Result<Change> {
        let mut record = Record::new(RecordId::new(format!("r{key:07}"))?, Kind::Expert);
        record
            .attributes
            .insert("tenth".to_owned(), (key % 10).to_string());
        Ok(Change::Put(Box::new(Entry {
            key,
            facets: Facets::of(&record),
            passages: (0..PASSAGES)
                .map(|_| Passage {
                    words: self.words(WORDS),
                    bigrams: self.bigrams(BIGRAMS),
                })
                .collect(),
            vectors: Array2::zeros((PASSAGES, DIM)),
        })))
    }

    fn question(&mut self) -> QueryPassage {
        let terms = |texts: Vec<String>| {
            let weighed = texts
                .into_iter()
                .map(|text| QueryTerm { text, weight: 1.0 });
            weighed.collect()
        };
        QueryPassage {
            words: terms(self.words(12)),
            bigrams: terms(self.bigrams(24)),
        }
    }
}

/// Fills an index in a folder, asks it and writes to it.
pub(crate) fn run(records: usize) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let shape = Shape {
        dim: DIM,
        fingerprint: "bench".to_owned(),
    };
    // No graph is built: it is not what is measured.
    let options = IndexOptions {
        seal_from: usize::MAX,
        ..IndexOptions::default()
    };
    let index = EmbeddedIndex::create_with(folder.path(), shape.clone(), options.clone())?;
    let mut language = Language {
        words: Zipf::new(60_000, 1.0),
        bigrams: Zipf::new(300_000, 0.9),
        rng: ChaCha8Rng::seed_from_u64(1),
    };
    let (mut key, mut seq, mut loading) = (0, 0, 0.0);
    while (key as usize) < records {
        let batch = (0..BATCH as u64)
            .map(|i| language.put(key + i))
            .collect::<Result<Vec<_>>>()?;
        key += BATCH as u64;
        seq += 1;
        let start = Instant::now();
        index.apply(batch, seq)?;
        loading += start.elapsed().as_secs_f64();
    }
    index.settle();
    let questions: Vec<QueryPassage> = (0..QUESTIONS).map(|_| language.question()).collect();
    let vectors = Array2::zeros((0, DIM));
    let mut rows = Vec::new();
    for (name, filter) in [
        ("everyone", ""),
        ("10 % pass a filter", "attributes.tenth = 0"),
    ] {
        let filter = Filter::parse(filter)?;
        let mut times = Vec::new();
        let mut cpu = 0.0;
        for (i, q) in std::iter::repeat_n(&questions, 2).flatten().enumerate() {
            if i == QUESTIONS {
                cpu = cpu_seconds();
            }
            let start = Instant::now();
            index.search(&Query {
                vectors: &vectors,
                passages: std::slice::from_ref(q),
                filter: &filter,
                admit: &|_, _| true,
                mode: Mode::Lexical,
                candidates: 1_000,
                consistency: Consistency::Latest,
            })?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let cpu = (cpu_seconds() - cpu) / QUESTIONS as f64 * 1e3;
        let mut row = summary(name, times.split_off(QUESTIONS));
        row["mean_cpu_ms"] = json!(round(cpu, 3));
        rows.push(row);
    }
    let mut times = Vec::new();
    let whole = Instant::now();
    for i in 0..WRITES as u64 {
        // New ones and replaced ones in turn.
        let at = if i % 2 == 0 { key + i } else { i * 97 };
        let change = language.put(at)?;
        seq += 1;
        let start = Instant::now();
        index.apply(vec![change], seq)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let writing = whole.elapsed().as_secs_f64();
    drop(index);
    let start = Instant::now();
    let index = EmbeddedIndex::open_with(folder.path(), shape, options)?;
    let opened = start.elapsed().as_secs_f64();
    Ok(json!({
        "bench": "lexical",
        "records": index.len(),
        "passages": index.passages(),
        "records_per_second_in_batches_of_1000": (records as f64 / loading).round(),
        "single_writes_per_second": (WRITES as f64 / writing).round(),
        "single_write_ms": summary("one record", times),
        "question_ms": rows,
        "open_seconds": opened,
    }))
}

fn summary(name: &str, mut ms: Vec<f64>) -> Value {
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let x = ms.get(((ms.len().max(1) - 1) as f64 * q) as usize);
        x.map_or(0.0, |x| round(*x, 3))
    };
    json!({ "what": name, "p50": at(0.5), "p99": at(0.99), "max": at(1.0), "n": ms.len() })
}
