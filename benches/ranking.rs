//! What comes after retrieval: ordering 1,000 candidates, and telling why.
//!
//! ```sh
//! cargo bench -p queqiao-benches --bench ranking -- --records 100000 --keep
//! ```
//!
//! One thread, all graphs built. Records are invented: experts with five passages. The order is timed on its own;
//! everything else as what a question takes longer with it than without, the least of five times each: the
//! median of these differences over the questions.
#![allow(clippy::print_stdout)]

use anyhow::{Context, Result};
use queqiao_domain::{Date, Detail, Facets, Kind, Need, Passage, Record, RecordId, TenantId};
use queqiao_engine::{
    Ask, Diversity, DiversityMethod, Engine, EngineOptions, Feature, MatchRequest, Weights, Write,
    WriteBatch, embed::ModelStore,
};
use queqiao_ranking::{Asker, Scorer, Signals, features};
use queqiao_testkit::{expert, sentence};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const PASSAGES: usize = 5;
const BATCH: usize = 1_000;
const QUESTIONS: usize = 100;
const CANDIDATES: usize = 1_000;
const TIMES: usize = 5;
/// The whole of what is told of ten matches.
const EXPLAINED: &str = "what answers every clause told";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let records: usize = args
        .iter()
        .position(|a| a == "--records")
        .and_then(|i| args.get(i + 1))
        .map_or(Ok(10_000), |n| n.parse())
        .context("--records wants a number")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("a workspace")?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let order_us = order(&mut rng)?;

    let model = ModelStore::open(&root.join("models"))?.load(None)?;
    let dir = tempfile::tempdir()?;
    let engine = Engine::open(dir.path(), model, EngineOptions::default())?;
    let tenant = TenantId::default();
    let today = Date::constant(2026, 1, 1);
    for batch in 0..records / BATCH {
        let writes = (0..BATCH).map(|i| Write::put(record(&mut rng, batch * BATCH + i)));
        let batch = WriteBatch {
            writes: writes.collect(),
            request_id: None,
        };
        engine.write(&tenant, batch)?;
    }
    while engine.statistics(&tenant, today)?.indexing {
        thread::sleep(Duration::from_millis(100));
    }
    let questions: Vec<MatchRequest> = (0..QUESTIONS)
        .map(|_| {
            let mut need = Record::new(RecordId::new("draft").context("an id")?, Kind::Need);
            need.title = sentence(&mut rng);
            let text: Vec<String> = (0..6).map(|_| sentence(&mut rng)).collect();
            need.detail = Detail::Need(Need {
                problem: format!("{}。", text.join("。")),
                targets: vec!["转化率≥67%".into(), "粒度10-15 μm".into()],
                ..Need::default()
            });
            Ok(MatchRequest::new(Ask::Draft(Box::new(need)), today))
        })
        .collect::<Result<_>>()?;

    let diverse = |method| {
        Some(Diversity {
            method,
            least: 0.99,
        })
    };
    // Each adds to what the one before does.
    let none = |features: &[Feature]| features.iter().map(|f| (*f, 0.0)).collect();
    let (among, read) = (&Feature::AMONG[..], &Feature::READ[..]);
    type Change<'a> = Box<dyn Fn(&mut MatchRequest) + Send + Sync + 'a>;
    let kinds: Vec<(&str, Change<'_>)> = vec![
        (
            "ordered by what the search found",
            Box::new(move |r| {
                r.quotes = false;
                r.weights = none(&[among, read].concat());
            }),
        ),
        (
            "the best hundred compared with each other",
            Box::new(move |r| {
                r.quotes = false;
                r.weights = none(read);
            }),
        ),
        (
            "figures of the best thirty read",
            Box::new(move |r| {
                r.quotes = false;
                r.weights = none(&[Feature::TitleWords, Feature::Clauses]);
            }),
        ),
        (
            "words of the title looked for in them",
            Box::new(|r| r.quotes = false),
        ),
        ("quotes and figures of ten told", Box::new(|_| {})),
        (EXPLAINED, Box::new(|r| r.clauses = true)),
        (
            "MMR",
            Box::new(move |r| {
                r.clauses = true;
                r.diversity = diverse(DiversityMethod::Mmr);
            }),
        ),
        (
            "xQuAD instead",
            Box::new(move |r| {
                r.clauses = true;
                r.diversity = diverse(DiversityMethod::Xquad);
            }),
        ),
    ];
    // One thread for all of it: what a request takes of one core.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    // Of each kind, of each question.
    let mut times: Vec<Vec<f64>> = vec![vec![f64::INFINITY; QUESTIONS]; kinds.len()];
    let mut turns: Vec<usize> = (0..kinds.len()).collect();
    pool.install(|| -> Result<()> {
        for (q, question) in questions.iter().enumerate() {
            for _ in 0..TIMES {
                // None is always the one that comes after the most expensive.
                turns.shuffle(&mut rng);
                for at in &turns {
                    let mut request = question.clone();
                    kinds[*at].1(&mut request);
                    let start = Instant::now();
                    engine.find_matches(&tenant, &request)?;
                    let ms = start.elapsed().as_secs_f64() * 1e3;
                    times[*at][q] = times[*at][q].min(ms);
                }
            }
        }
        Ok(())
    })?;
    let over_first = |of: &[f64]| {
        let mut each: Vec<f64> = of.iter().zip(&times[0]).map(|(a, b)| a - b).collect();
        median(&mut each)
    };
    let mut batch_ms = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        engine.find_matches_batch(&tenant, &questions)?;
        batch_ms.push(start.elapsed().as_secs_f64() * 1e3 / QUESTIONS as f64);
    }
    let mut explained_ms = f64::NAN;
    let mut rows = Vec::new();
    for ((what, _), of) in kinds.iter().zip(&times) {
        let over = over_first(of);
        if *what == EXPLAINED {
            explained_ms = over;
        }
        rows.push(json!({
            "what": what,
            "p50_ms": round(median(&mut of.clone())),
            "over_first_ms": round(over),
        }));
    }
    let result = json!({
        "bench": "ranking",
        "records": records,
        "passages_per_record": PASSAGES,
        "questions": QUESTIONS,
        "k": 10,
        "order_1000_candidates_ms": round(order_us / 1e3),
        "requests_one_thread_each_with_more": rows,
        "order_and_everything_to_explain_ms": round(order_us / 1e3 + explained_ms),
        "batch_ms_per_question_all_cores": round(median(&mut batch_ms)),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
    });
    println!("{result:#}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let path = root.join(format!("benches/runs/{day}-ranking-{records}.json"));
        fs::write(&path, format!("{result:#}\n"))?;
    }
    Ok(())
}

fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

fn median(of: &mut [f64]) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Features, score and order of 1,000 candidates, microseconds.
fn order(rng: &mut ChaCha8Rng) -> Result<f64> {
    let regions = ["440305", "440600", "120000", "310115"];
    let industries = ["C3973", "C3841", "C2921", "M7320"];
    let mut facets = Vec::new();
    for i in 0..=CANDIDATES {
        let mut r = record(rng, i);
        r.region = regions[i % 4].parse().ok();
        r.industries = industries[i % 4].parse().into_iter().collect();
        facets.push(Facets::of(&r));
    }
    let asker = facets.pop().context("an asker")?;
    let signals: Vec<Signals> = (0..CANDIDATES)
        .map(|_| {
            let mut x = || rng.random_range(0.0..1.0);
            Signals {
                dense_best: Some(x()),
                dense_three: Some(x()),
                dense_profile: Some(x()),
                bigrams: Some(x()),
                record_words: Some(x()),
                record_bigrams: Some(x()),
                best_bigrams: 1.0,
                best_record_words: 1.0,
                best_record_bigrams: 1.0,
                ..Signals::default()
            }
        })
        .collect();
    let scorer = Scorer::new(&Weights::default());
    let asker = Asker {
        facets: Some(&asker),
        today: None,
    };
    let mut times = Vec::new();
    for _ in 0..201 {
        let start = Instant::now();
        let mut ranked: Vec<_> = signals
            .iter()
            .zip(&facets)
            .map(|(s, f)| (scorer.score(&features(asker, s, f)), &f.id))
            .collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        std::hint::black_box(&ranked);
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(&mut times))
}

fn record(rng: &mut ChaCha8Rng, i: usize) -> Record {
    let title = sentence(rng);
    let mut r = expert(
        &format!("E{i}"),
        &format!("专家{i}"),
        &[title.as_str()],
        &[],
    );
    for _ in 0..PASSAGES {
        let text: Vec<String> = (0..6).map(|_| sentence(rng)).collect();
        r.passages.push(Passage {
            title: sentence(rng),
            text: format!("{}，转化率达到72%。", text.join("，")),
        });
    }
    r
}
