//! Nearest neighbours beside hnswlib, usearch and faiss: recall against queries per second.
//!
//! ```sh
//! cargo bench -p queqiao-retrieval --bench retrieval -- --n 100000 --python PYTHON --keep
//! ```
//!
//! `PYTHON` has numpy, hnswlib, usearch and faiss-cpu; without it only our index is measured. Every
//! tool lives in a process of its own with one thread, which builds its index once and then answers
//! all queries whenever it is asked to; the tools take turns, point after point and round after
//! round, and a figure is the median over rounds. Time is processor time, so that whatever else the
//! machine does weighs little. Peers answer in batches, which spares them Python's cost per call.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod synth;

use anyhow::{Context, Result, bail};
use queqiao_retrieval::{GraphOptions, Isa, Selection, VectorIndex};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use synth::DIM;

const QUERIES: usize = 1_000;
const K: usize = 10;
/// Shares of the vectors that pass a filter.
const SHARES: [(&str, f64); 4] = [
    ("50 %", 0.5),
    ("10 %", 0.1),
    ("1 %", 0.01),
    ("0.1 %", 0.001),
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    if let Some(folder) = option("--worker") {
        return worker(folder.as_ref());
    }
    let n: usize = option("--n").map_or(Ok(100_000), |n| n.parse())?;
    let rounds: usize = option("--rounds").map_or(Ok(5), |n| n.parse())?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("a workspace")?;
    let kept = option("--data").map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
    prepare(&folder, n)?;

    let mut tools = vec![Tool::start(
        "queqiao",
        Command::new(std::env::current_exe()?)
            .arg("--worker")
            .arg(&folder),
    )?];
    if let Some(python) = option("--python") {
        for name in [
            "hnswlib",
            "usearch",
            "faiss-hnsw",
            "faiss-sq8",
            "faiss-ivfpq",
        ] {
            let mut c = Command::new(&python);
            c.arg(root.join("benches/retrieval/peers.py"));
            tools.push(Tool::start(name, c.arg(name).arg(&folder))?);
        }
    }
    let mut cases = vec![measure(&mut tools, "all", rounds)?];
    for (share, _) in SHARES {
        cases.push(measure(&mut tools, share, rounds)?);
    }
    let result = json!({
        "bench": "retrieval",
        "vectors": n,
        "dimensions": DIM,
        "k": K,
        "queries": QUERIES,
        "rounds": rounds,
        "threads": 1,
        "instructions": format!("{:?}", Isa::best()),
        "build": tools.iter().map(|t| (t.name.clone(), t.built.clone())).collect::<BTreeMap<_, _>>(),
        "cases": cases,
    });
    println!("{result:#}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        fs::create_dir_all(root.join("benches/runs"))?;
        let path = root.join(format!("benches/runs/{day}-retrieval-{n}.json"));
        fs::write(path, format!("{result:#}\n"))?;
    }
    Ok(())
}

/// A tool in a process of its own.
struct Tool {
    name: String,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// How long building took, what memory it takes, and which points it has.
    built: Value,
}

impl Tool {
    fn start(name: &str, command: &mut Command) -> Result<Self> {
        for threads in [
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "RAYON_NUM_THREADS",
        ] {
            command.env(threads, "1");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to = child.stdin.take().context("a pipe")?;
        let from = BufReader::new(child.stdout.take().context("a pipe")?);
        let mut this = Self {
            name: name.to_owned(),
            child,
            to,
            from,
            built: Value::Null,
        };
        this.built = this.line()?;
        eprintln!("{name}: {}", this.built);
        Ok(this)
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} said: {line}", self.name))
    }

    fn ask(&mut self, question: &Value) -> Result<Value> {
        writeln!(self.to, "{question}")?;
        self.line()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All points of all tools for one filter, taking turns.
fn measure(tools: &mut [Tool], filter: &str, rounds: usize) -> Result<Value> {
    let mut seconds: BTreeMap<(usize, u64), Vec<f64>> = BTreeMap::new();
    let mut recall: BTreeMap<(usize, u64), f64> = BTreeMap::new();
    let points = |t: &Tool| -> Vec<u64> {
        let key = if filter == "all" {
            "points"
        } else {
            "filtered"
        };
        let all = t.built[key].as_array().into_iter().flatten();
        all.filter_map(Value::as_u64).collect()
    };
    let longest = tools.iter().map(|t| points(t).len()).max().unwrap_or(0);
    for _ in 0..rounds {
        for place in 0..longest {
            for (i, tool) in tools.iter_mut().enumerate() {
                let Some(point) = points(tool).get(place).copied() else {
                    continue;
                };
                let told = tool.ask(&json!({"filter": filter, "point": point}))?;
                let key = (i, point);
                seconds
                    .entry(key)
                    .or_default()
                    .push(told["seconds"].as_f64().context("seconds")?);
                recall.insert(key, told["recall"].as_f64().context("recall")?);
            }
        }
    }
    let mut told = serde_json::Map::new();
    let mut best: BTreeMap<&str, Vec<(String, Option<f64>)>> = BTreeMap::new();
    for (i, tool) in tools.iter().enumerate() {
        let curve: Vec<(u64, f64, f64)> = seconds
            .iter()
            .filter(|(key, _)| key.0 == i)
            .map(|(key, s)| (key.1, recall[key], QUERIES as f64 / median(s.clone())))
            .collect();
        if curve.is_empty() {
            continue;
        }
        let at95 = at(&curve, 0.95);
        let at99 = at(&curve, 0.99);
        best.entry("0.95")
            .or_default()
            .push((tool.name.clone(), at95));
        best.entry("0.99")
            .or_default()
            .push((tool.name.clone(), at99));
        told.insert(
            tool.name.clone(),
            json!({
                "curve": curve.iter().map(|(p, r, q)| json!({"point": p, "recall": round(*r, 4), "qps": q.round()})).collect::<Vec<_>>(),
                "qps_at": {"0.95": at95.map(f64::round), "0.99": at99.map(f64::round)},
            }),
        );
    }
    let ratio = |all: &[(String, Option<f64>)]| {
        let ours = all.iter().find(|x| x.0 == "queqiao")?.1?;
        let theirs = all.iter().filter(|x| x.0 != "queqiao").filter_map(|x| x.1);
        Some(round(ours / theirs.fold(f64::NAN, f64::max), 2)).filter(|x: &f64| x.is_finite())
    };
    let ratios: BTreeMap<&str, Option<f64>> = best.iter().map(|(k, v)| (*k, ratio(v))).collect();
    eprintln!("{filter}: times the best peer {ratios:?}");
    Ok(json!({"filter": filter, "tools": told, "times_the_best_peer": ratios}))
}

/// Queries per second at a recall, between the two points around it.
fn at(curve: &[(u64, f64, f64)], recall: f64) -> Option<f64> {
    // The fastest that reach at least so much, or between it and a faster one that does not.
    let mut best: Option<f64> = None;
    for (i, a) in curve.iter().enumerate() {
        let mut take = |q: f64| best = Some(best.map_or(q, |b| b.max(q)));
        if a.1 >= recall {
            take(a.2);
        }
        if let Some(b) = curve.get(i + 1)
            && a.1 < recall
            && b.1 > recall
        {
            let t = (recall - a.1) / (b.1 - a.1);
            take((a.2.ln() * (1.0 - t) + b.2.ln() * t).exp());
        }
    }
    best
}

fn round(x: f64, digits: i32) -> f64 {
    let by = 10f64.powi(digits);
    (x * by).round() / by
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Writes vectors, queries, filters and true neighbours into a folder, where they are not there
/// yet: `base.f32`, `query.f32`, and per filter `NAME.mask` and `NAME.truth`.
fn prepare(folder: &Path, n: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    let done = folder.join(format!("{n}.done"));
    if done.exists() {
        return Ok(());
    }
    let mixture = synth::Mixture::new();
    let base = mixture.sample(n, 1);
    let queries = mixture.sample(QUERIES, 2);
    fs::write(folder.join("base.f32"), bytes(&base))?;
    fs::write(folder.join("query.f32"), bytes(&queries))?;
    eprintln!("{n} vectors made");
    for (name, share) in [("all", 1.0)].into_iter().chain(SHARES) {
        // Spread evenly, by a hash of the number.
        let chosen: Vec<bool> = (0..n as u64)
            .map(|i| {
                let h = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                ((h >> 11) as f64 / (1u64 << 53) as f64) < share
            })
            .collect();
        let mask: Vec<u8> = chosen.iter().map(|c| u8::from(*c)).collect();
        fs::write(folder.join(format!("{name}.mask")), mask)?;
        let truth = truth(&base, &queries, &chosen);
        let truth: Vec<u8> = truth.iter().flat_map(|x| x.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.truth")), truth)?;
    }
    eprintln!("true neighbours found");
    fs::write(done, "")?;
    Ok(())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn floats(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let words = bytes.chunks_exact(4);
    Ok(words
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}

/// The `K` nearest of each query among the chosen, by plain arithmetic, on all cores.
fn truth(base: &[f32], queries: &[f32], chosen: &[bool]) -> Vec<u32> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let per = QUERIES.div_ceil(cores) * DIM;
    std::thread::scope(|s| {
        let parts: Vec<_> = queries
            .chunks(per)
            .map(|some| {
                s.spawn(move || {
                    let each = some.chunks_exact(DIM);
                    each.flat_map(|q| nearest(base, q, chosen))
                        .collect::<Vec<u32>>()
                })
            })
            .collect();
        let joined = parts.into_iter().map(|p| p.join().unwrap_or_default());
        joined.flatten().collect()
    })
}

fn nearest(base: &[f32], q: &[f32], chosen: &[bool]) -> Vec<u32> {
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(K + 1);
    for (i, row) in base
        .chunks_exact(DIM)
        .enumerate()
        .filter(|(i, _)| chosen[*i])
    {
        let mut lanes = [0f32; 16];
        for (x, y) in row.chunks_exact(16).zip(q.chunks_exact(16)) {
            for j in 0..16 {
                lanes[j] += x[j] * y[j];
            }
        }
        let s: f32 = lanes.iter().sum();
        if best.len() < K || best.last().is_some_and(|b| s > b.0) {
            let at = best.partition_point(|b| b.0 >= s);
            best.insert(at, (s, i as u32));
            best.truncate(K);
        }
    }
    let mut out: Vec<u32> = best.into_iter().map(|b| b.1).collect();
    out.resize(K, u32::MAX);
    out
}

/// Our index: builds, tells, and answers for as long as it is asked.
fn worker(folder: &Path) -> Result<()> {
    let base = floats(&folder.join("base.f32"))?;
    let queries = floats(&folder.join("query.f32"))?;
    let before = resident_mib();
    let start = cpu_seconds();
    let index = VectorIndex::build(DIM, base, &GraphOptions::default(), 1, Isa::best())?;
    let built = cpu_seconds() - start;
    let n = fs::metadata(folder.join("all.mask"))?.len() as f64;
    println!(
        "{}",
        json!({
            "cpu_seconds": round(built, 1),
            "bytes_per_vector": (index.resident() as f64 / n).round(),
            "resident_mib": [before, resident_mib()],
            "points": [10, 11, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128],
            "filtered": [10, 16, 24, 32, 48, 64, 96],
        })
    );
    let mut sets: BTreeMap<String, (Option<Selection>, Vec<u8>)> = BTreeMap::new();
    for line in std::io::stdin().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let filter = asked["filter"].as_str().context("filter")?.to_owned();
        let ef = asked["point"].as_u64().context("point")? as usize;
        if !sets.contains_key(&filter) {
            let mask = fs::read(folder.join(format!("{filter}.mask")))?;
            let chosen: Vec<bool> = mask.iter().map(|m| *m == 1).collect();
            let chosen = (filter != "all").then(|| Selection::new(&chosen));
            let truth = fs::read(folder.join(format!("{filter}.truth")))?;
            sets.insert(filter.clone(), (chosen, truth));
        }
        let Some((chosen, truth)) = sets.get(&filter) else {
            bail!("no filter {filter}");
        };
        let start = cpu_seconds();
        let answers: Vec<Vec<(u32, f32)>> = queries
            .chunks_exact(DIM)
            .map(|q| index.search(q, K, ef, chosen.as_ref()))
            .collect();
        let seconds = cpu_seconds() - start;
        let (mut hits, mut of) = (0, 0);
        for (answer, truth) in answers.iter().zip(truth.chunks_exact(4 * K)) {
            for t in truth.chunks_exact(4) {
                let t = u32::from_le_bytes([t[0], t[1], t[2], t[3]]);
                of += usize::from(t != u32::MAX);
                hits += usize::from(answer.iter().any(|a| a.0 == t));
            }
        }
        println!(
            "{}",
            json!({"seconds": seconds, "recall": hits as f64 / of as f64})
        );
    }
    Ok(())
}

/// Processor time of this process.
fn cpu_seconds() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

/// Resident memory of this process, where the system tells.
fn resident_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}
