//! A whole service from outside: the real server over gRPC, beside what would be written in Python
//! over milvus-lite and over LanceDB with the same model.
//!
//! ```sh
//! cargo build --release --workspace --bin queqiao
//! cargo bench --workspace --bench service -- --records 100000 --python PYTHON --keep
//! ```
//!
//! Records are invented: experts with five passages of 60 words, drawn as often as the words of a
//! language are (Zipf) from the two-character words of the model's vocabulary. Every service gets
//! the same texts, is filled, written to one by one, asked for each new record at once, and then
//! asked by one client and by 16. `PYTHON` has model2vec, pymilvus with milvus-lite, and lancedb;
//! without it only our server is measured. Services run one after the other.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod target;

use anyhow::{Context, Result};
use queqiao_benches::{
    cpu_seconds,
    texts::{self, Invented, Language},
    wait_until_quiet,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use target::Target;

const SETTLE: Duration = Duration::from_secs(600);
const BATCH: usize = 200;
const WRITES: usize = 100;
const QUESTIONS: usize = 300;
const CLIENTS: [usize; 2] = [1, 16];

/// A service in a process of its own.
struct Service {
    name: String,
    child: Child,
    target: Target,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    let records: usize = option("--records").map_or(Ok(10_000), |n| n.parse())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("a workspace")?;
    let server = match option("--server") {
        Some(path) => PathBuf::from(path),
        // target/release/deps/service-… → target/release/queqiao
        None => {
            let this = std::env::current_exe()?;
            this.ancestors().nth(2).context("target")?.join("queqiao")
        }
    };
    let model = root.join("models/queqiao-zh-en-384");
    let mut services = vec!["queqiao".to_owned()];
    if option("--python").is_some() {
        services.extend(["milvus-lite".to_owned(), "lancedb".to_owned()]);
    }
    if let Some(some) = option("--services") {
        services = some.split(',').map(str::to_owned).collect();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let mut told = Vec::new();
    for name in &services {
        let dir = tempfile::tempdir()?;
        let language = Language::of_model(&model)?;
        let (mut command, prefix) = if name == "queqiao" {
            let mut c = Command::new(&server);
            c.args(["serve", "--listen", "127.0.0.1:0", "--data"])
                .arg(dir.path().join("data"))
                .env("QUEQIAO_LANG", "en")
                .env("QUEQIAO_MODELS", root.join("models"));
            (c, "listening on ")
        } else {
            let python = option("--python").context("--python for the others")?;
            let mut c = Command::new(python);
            c.arg(root.join("benches/service/service.py"))
                .args([name.as_str()])
                .arg(&model)
                .arg(dir.path());
            (c, "listening on ")
        };
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let address = target::address(&mut child, prefix)?;
        eprintln!("{name} at {address}");
        let target = runtime.block_on(Target::connect(name, &address))?;
        let service = Service {
            name: name.clone(),
            child,
            target,
        };
        let one = runtime.block_on(measure(&service, &language, records))?;
        eprintln!("{one:#}");
        told.push(one);
    }
    let result = json!({
        "bench": "service",
        "records": records,
        "passages_per_record": texts::PASSAGES,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "services": told,
    });
    println!("{result:#}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let path = root.join(format!("benches/runs/{day}-service-{records}.json"));
        fs::write(&path, format!("{result:#}\n"))?;
    }
    Ok(())
}

async fn measure(service: &Service, language: &Language, records: usize) -> Result<Value> {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let mut target = service.target.clone();
    let pid = service.child.id();
    let (start, cpu) = (Instant::now(), cpu_seconds(pid));
    for first in (0..records).step_by(BATCH) {
        let batch: Vec<Invented> = (first..(first + BATCH).min(records))
            .map(|i| language.record(rng, i as u64))
            .collect();
        target.fill(&batch).await?;
    }
    target.ready().await?;
    let filled = start.elapsed().as_secs_f64();
    let filled_cpu = cpu_seconds(pid) - cpu;
    let quiet = wait_until_quiet(pid, SETTLE);

    // Each is asked for as soon as it is acknowledged, by its own words.
    let (mut times, mut missed) = (Vec::new(), 0);
    for i in 0..WRITES {
        let record = language.record(rng, (records + i) as u64);
        let start = Instant::now();
        target.put(&record).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        let found = target.ask(&record.passages[0]).await?;
        missed += usize::from(!found.contains(&record.id));
    }
    let writes = summary(times);
    wait_until_quiet(pid, SETTLE);

    let questions: Vec<String> = (0..QUESTIONS).map(|_| language.question(rng)).collect();
    let questions = Arc::new(questions);
    for q in questions.iter().take(20) {
        target.ask(q).await?;
    }
    let mut rows = Vec::new();
    for clients in CLIENTS {
        let next = Arc::new(AtomicUsize::new(0));
        let (start, cpu) = (Instant::now(), cpu_seconds(pid));
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let (mut target, next) = (target.clone(), Arc::clone(&next));
                let questions = Arc::clone(&questions);
                tokio::spawn(async move {
                    let mut times = Vec::new();
                    target.again().await?;
                    while let Some(q) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let start = Instant::now();
                        target.ask(q).await?;
                        times.push(start.elapsed().as_secs_f64() * 1e3);
                    }
                    anyhow::Ok(times)
                })
            })
            .collect();
        let mut times = Vec::new();
        for t in tasks {
            times.extend(t.await??);
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut row = summary(times);
        row["clients"] = json!(clients);
        row["per_second"] = json!(round(QUESTIONS as f64 / seconds));
        row["server_cpu_ms"] = json!(round((cpu_seconds(pid) - cpu) * 1e3 / QUESTIONS as f64));
        rows.push(row);
    }
    Ok(json!({
        "service": service.name,
        "fill_records_per_second": round(records as f64 / filled),
        "fill_cpu_seconds": round(filled_cpu),
        "seconds_until_quiet_after": round(quiet),
        "single_write_ms": writes,
        "not_found_at_once": missed,
        "match_ms": rows,
        "resident_mib": memory_mib(pid),
    }))
}

fn summary(mut ms: Vec<f64>) -> Value {
    ms.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let x = ms.get(((ms.len().max(1) - 1) as f64 * q) as usize);
        x.map_or(0.0, |x| round(*x))
    };
    json!({ "p50": at(0.5), "p99": at(0.99), "max": at(1.0), "n": ms.len() })
}

fn round(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

fn memory_mib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}
