//! Writing records and finding matches, through the engine with the model that ships.
//!
//! ```sh
//! cargo bench -p queqiao-benches --bench match_path -- --records 100000 --keep
//! ```
//!
//! Records are invented: experts with five passages of about 120 characters each, in a wording of
//! few words, so that postings are long: a hard case for the lexical side.
#![allow(clippy::print_stdout)]

use anyhow::{Context, Result};
use queqiao_domain::{Date, Filter, Passage, Record, TenantId};
use queqiao_engine::{
    Ask, Engine, EngineOptions, MatchRequest, Mode, Write, WriteBatch, embed::ModelStore,
};
use queqiao_testkit::{expert, sentence};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{fs, path::Path, time::Instant};

const PASSAGES: usize = 5;
const BATCH: usize = 1_000;
const QUESTIONS: usize = 200;

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
    let model = ModelStore::open(&root.join("models"))?.load(None)?;
    let dir = tempfile::tempdir()?;
    let engine = Engine::open(dir.path(), model, EngineOptions::default())?;
    let tenant = TenantId::default();
    let mut rng = ChaCha8Rng::seed_from_u64(1);

    let mut written = 0.0;
    for batch in 0..records / BATCH {
        let writes = (0..BATCH)
            .map(|i| Write::put(record(&mut rng, batch * BATCH + i)))
            .collect();
        let start = Instant::now();
        engine.write(
            &tenant,
            WriteBatch {
                writes,
                request_id: None,
            },
        )?;
        written += start.elapsed().as_secs_f64();
    }
    let mut single = Vec::new();
    for i in 0..100 {
        let writes = vec![Write::put(record(&mut rng, records + i))];
        let start = Instant::now();
        engine.write(
            &tenant,
            WriteBatch {
                writes,
                request_id: None,
            },
        )?;
        single.push(start.elapsed().as_secs_f64() * 1e3);
    }

    let mut rows = Vec::new();
    let questions: Vec<String> = (0..QUESTIONS)
        .map(|_| format!("{}；{}", sentence(&mut rng), sentence(&mut rng)))
        .collect();
    for (name, mode, filter) in [
        ("hybrid", Mode::Hybrid, ""),
        (
            "hybrid, 10 % pass the filter",
            Mode::Hybrid,
            "attributes.tenth = 0",
        ),
        ("dense", Mode::Dense, ""),
        ("lexical", Mode::Lexical, ""),
    ] {
        let mut times = Vec::new();
        for text in &questions {
            let request = MatchRequest {
                mode,
                filter: Filter::parse(filter)?,
                ..MatchRequest::new(Ask::Text(text.clone()), Date::constant(2026, 1, 1))
            };
            let start = Instant::now();
            engine.find_matches(&tenant, &request)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        rows.push(summary(name, times));
    }
    drop(engine);
    let start = Instant::now();
    let model = ModelStore::open(&root.join("models"))?.load(None)?;
    let _engine = Engine::open(dir.path(), model, EngineOptions::default())?;
    let opened = start.elapsed().as_secs_f64();

    let result = json!({
        "bench": "match_path",
        "records": records,
        "passages_per_record": PASSAGES,
        "records_per_second": (records as f64 / written).round(),
        "single_write_ms": summary("single durable write", single),
        "open_seconds": (opened * 1e3).round() / 1e3,
        "resident_mib": resident_mib(),
        "match_ms": rows,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
    });
    println!("{result:#}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let path = root.join(format!("benches/runs/{day}-match_path-{records}.json"));
        fs::write(&path, format!("{result:#}\n"))?;
    }
    Ok(())
}

fn record(rng: &mut ChaCha8Rng, i: usize) -> Record {
    let title = sentence(rng);
    let mut r = expert(
        &format!("E{i}"),
        &format!("专家{i}"),
        &[title.as_str()],
        &[],
    );
    r.attributes
        .insert("tenth".to_owned(), (i % 10).to_string());
    for _ in 0..PASSAGES {
        let text: Vec<String> = (0..6).map(|_| sentence(rng)).collect();
        r.passages.push(Passage {
            title: sentence(rng),
            text: text.join("，"),
        });
    }
    r
}

fn summary(name: &str, mut ms: Vec<f64>) -> Value {
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| {
        ms.get(((ms.len() - 1) as f64 * q) as usize)
            .map_or(0.0, |x| (x * 100.0).round() / 100.0)
    };
    json!({ "what": name, "p50": at(0.5), "p99": at(0.99), "max": at(1.0), "n": ms.len() })
}

/// Resident memory of this process, where the system tells.
fn resident_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}
