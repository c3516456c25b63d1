//! Evaluation beside pytrec_eval and ranx: reading the files, computing, and memory.
//!
//! ```sh
//! python3 -m venv venv && venv/bin/pip install -r tests/python/requirements.txt
//! QUEQIAO_TEST_PYTHON=$PWD/venv/bin/python cargo bench -p queqiao-eval --bench evaluation -- --keep
//! ```
//!
//! Every tool reads the same files in a process of its own, one tool after the other in every round,
//! and must come to the same figures. Shown are medians over rounds. Python's own start and ranx's
//! compiling are left out; ours has neither. `--rounds N` and `--only 10000x100` as you like.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use queqiao_eval::{Evaluator, Options, Precision, Qrels, Run, parse_list};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const MEASURES: &str = "nDCG@10,AP,RR,P@10,R@100";
/// Queries, documents a query, rounds.
const SIZES: [(usize, usize, usize); 3] = [(10_000, 100, 9), (1_000, 1_000, 9), (10_000, 1_000, 3)];
const JUDGED: usize = 50;
const TOOLS: [&str; 3] = ["queqiao", "pytrec_eval", "ranx"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    if let Some(qrels) = option("--worker") {
        let run = option("--run").context("--run")?;
        println!("{}", ours(qrels.as_ref(), run.as_ref())?);
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("a workspace")?;
    let python = std::env::var("QUEQIAO_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let only = option("--only");
    let folder = tempfile::tempdir()?;
    let mut cases = Vec::new();
    for (queries, depth, rounds) in SIZES {
        let name = format!("{queries}x{depth}");
        if only.as_ref().is_some_and(|o| *o != name) {
            continue;
        }
        let rounds = match option("--rounds") {
            Some(n) => n.parse().context("--rounds wants a number")?,
            None => rounds,
        };
        let (qrels, run) = write_files(folder.path(), queries, depth)?;
        let mut laps: BTreeMap<(&str, String), Vec<Value>> = BTreeMap::new();
        let mut peaks: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let mut means: Option<Vec<f64>> = None;
        for round in 0..rounds {
            for tool in TOOLS {
                let out = one(tool, &python, root, &qrels, &run)?;
                let these: Vec<f64> = serde_json::from_value(out["means"].clone())?;
                let first = means.get_or_insert_with(|| these.clone());
                let near = first.iter().zip(&these).all(|(a, b)| (a - b).abs() < 1e-9);
                if !near {
                    bail!("{tool} comes to {these:?}, the first tool to {first:?}");
                }
                for (lap, took) in out["laps"].as_object().context("laps")? {
                    let all = laps.entry((tool, lap.clone())).or_default();
                    all.push(took.clone());
                }
                let peak = out["peak_kib"].as_f64().unwrap_or(f64::NAN);
                peaks.entry(tool).or_default().push(peak / 1024.0);
            }
            eprint!("\r{name}: round {} of {rounds}", round + 1);
        }
        eprintln!();
        cases.push(case(&name, rounds, &laps, &peaks));
    }
    let result = json!({
        "bench": "evaluation",
        "measures": MEASURES,
        "judged_per_query": JUDGED,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "python": versions(&python)?,
        "cases": cases,
    });
    let page = page(&result);
    println!("{page}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let stem = root.join(format!("benches/runs/{day}-eval"));
        fs::create_dir_all(root.join("benches/runs"))?;
        fs::write(stem.with_extension("json"), format!("{result:#}\n"))?;
        let head = format!("# Evaluation beside pytrec_eval and ranx, {day}\n\n");
        fs::write(stem.with_extension("md"), head + &page)?;
    }
    Ok(())
}

/// One evaluation in a process of its own.
fn one(tool: &str, python: &str, root: &Path, qrels: &Path, run: &Path) -> Result<Value> {
    let mut command = if tool == "queqiao" {
        let mut c = Command::new(std::env::current_exe()?);
        c.arg("--worker").arg(qrels).arg("--run").arg(run);
        c
    } else {
        let mut c = Command::new(python);
        c.arg(root.join("benches/evaluation.py"))
            .arg(tool)
            .args([qrels, run]);
        c
    };
    let out = command.output().with_context(|| format!("{tool} starts"))?;
    if !out.status.success() {
        bail!(
            "{tool} failed (QUEQIAO_TEST_PYTHON names a Python with tests/python/requirements.txt):\n{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(serde_json::from_slice(&out.stdout)?)
}

/// Wall and CPU seconds, over all threads.
struct Clock {
    wall: Instant,
    cpu: ProcessTime,
}

impl Clock {
    fn start() -> Self {
        Clock {
            wall: Instant::now(),
            cpu: ProcessTime::now(),
        }
    }

    fn took(&self) -> Value {
        json!({
            "wall": self.wall.elapsed().as_secs_f64(),
            "cpu": self.cpu.elapsed().as_secs_f64(),
        })
    }
}

/// Ours: from files, as `queqiao eval` does it; then from rows in memory, and from a run that is read.
fn ours(qrels_file: &Path, run_file: &Path) -> Result<Value> {
    let measures = parse_list(MEASURES)?;
    let all = Clock::start();
    let qrels = Qrels::read(qrels_file)?;
    let evaluator = Evaluator::new(&qrels, &measures, Options::default())?;
    let read = all.took();
    let e = evaluator.file(run_file)?;
    let files = all.took();
    let peak = peak_kib();

    // What Python holds after reading.
    let run = Run::read(run_file, Precision::Double)?;
    let rows: Vec<(&str, &str, f64)> = run
        .lists()
        .iter()
        .flat_map(|l| l.iter().map(move |(d, s)| (l.query(), d, s)))
        .collect();
    let clock = Clock::start();
    let built = Run::from_triples("rows", rows.iter().copied(), Precision::Double)?;
    let again = evaluator.run(&built)?;
    let compute = clock.took();
    let clock = Clock::start();
    let kernels = evaluator.run(&run)?;
    let kernel_time = clock.took();
    if e.means != again.means || e.means != kernels.means {
        bail!("the ways to evaluate differ");
    }
    Ok(json!({
        "laps": {
            "read judgements": read, "files": files, "compute": compute, "kernels": kernel_time,
        },
        "means": e.means,
        "peak_kib": peak,
    }))
}

/// Highest resident memory of this process, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Judgements and a run: of each query's documents, four in five that are judged are found.
fn write_files(folder: &Path, queries: usize, depth: usize) -> Result<(PathBuf, PathBuf)> {
    let (qrels, run) = (folder.join("qrels.trec"), folder.join("run.trec"));
    let mut q = BufWriter::new(File::create(&qrels)?);
    let mut r = BufWriter::new(File::create(&run)?);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for query in 0..queries {
        let mut documents: Vec<String> = (0..depth + JUDGED)
            .map(|d| format!("DOC-{:08}", (query * 7919 + d * 104_729) % 99_999_989))
            .collect();
        documents.shuffle(&mut rng);
        let (found, rest) = documents.split_at(depth);
        let mut score = 20.0;
        for (rank, d) in found.iter().enumerate() {
            // Apart in single precision too, which pytrec_eval knows only.
            score -= rng.random_range(0.000_02..0.02);
            writeln!(r, "Q{query} Q0 {d} {} {score:.5} bench", rank + 1)?;
        }
        let mut judged: Vec<&String> = found.iter().collect();
        judged.shuffle(&mut rng);
        judged.truncate(JUDGED * 4 / 5);
        judged.extend(rest.iter().take(JUDGED - judged.len()));
        for (i, d) in judged.into_iter().enumerate() {
            let grade = if i == 0 { 1 } else { rng.random_range(0..=3) };
            writeln!(q, "Q{query} 0 {d} {grade}")?;
        }
    }
    q.flush()?;
    r.flush()?;
    Ok((qrels, run))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians of one size.
fn case(
    name: &str,
    rounds: usize,
    laps: &BTreeMap<(&str, String), Vec<Value>>,
    peaks: &BTreeMap<&str, Vec<f64>>,
) -> Value {
    let took = |tool: &str, names: &[&str]| -> Value {
        let of = |clock: &str| {
            // Laps of one round belong together.
            let each = |round: usize| -> Option<f64> {
                let one =
                    |n: &&str| laps.get(&(tool, (*n).to_owned()))?.get(round)?[clock].as_f64();
                names.iter().map(one).sum()
            };
            let all: Option<Vec<f64>> = (0..rounds).map(each).collect();
            all.map(median).map(|s| (s * 1e4).round() / 1e4)
        };
        json!({ "wall": of("wall"), "cpu": of("cpu") })
    };
    let mut tools = Map::new();
    for tool in TOOLS {
        let files: &[&str] = match tool {
            "queqiao" => &["files"],
            "pytrec_eval" => &["read", "build", "compute"],
            _ => &["read", "compute"],
        };
        let peak = median(peaks.get(tool).cloned().unwrap_or_default());
        tools.insert(
            tool.to_owned(),
            json!({
                "files_to_figures": took(tool, files),
                "computing": took(tool, &["compute"]),
                "kernels": took(tool, &["kernels"]),
                "peak_mib": peak.round(),
            }),
        );
    }
    json!({ "size": name, "rounds": rounds, "tools": tools })
}

fn versions(python: &str) -> Result<Value> {
    let script = "import json, sys, importlib.metadata as m; print(json.dumps({'python': sys.version.split()[0], **{p: m.version(p) for p in ('pytrec_eval-terrier', 'ranx', 'numba')}}))";
    let out = Command::new(python).args(["-c", script]).output()?;
    serde_json::from_slice(&out.stdout)
        .context("QUEQIAO_TEST_PYTHON names a Python with tests/python/requirements.txt")
}

/// The tables, for people.
fn page(result: &Value) -> String {
    let mut out = format!(
        "Medians of interleaved rounds, seconds of wall / CPU; {MEASURES}; {} judged documents a query; {} cores; {}.\n\n",
        result["judged_per_query"],
        result["cores"],
        result["python"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| format!("{k} {}", v.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", "),
    );
    for case in result["cases"].as_array().into_iter().flatten() {
        let size = case["size"].as_str().unwrap_or_default();
        let rounds = &case["rounds"];
        out.push_str(&format!(
            "## {} (queries × documents, {rounds} rounds)\n\n",
            size.replace('x', " × ")
        ));
        out.push_str("| tool | files to figures | computing alone | kernels alone | peak MiB |\n|---|---|---|---|---|\n");
        for tool in TOOLS {
            let t = &case["tools"][tool];
            let pair = |name: &str| match (t[name]["wall"].as_f64(), t[name]["cpu"].as_f64()) {
                (Some(w), Some(c)) => format!("{w:.3} / {c:.3}"),
                _ => "–".to_owned(),
            };
            out.push_str(&format!(
                "| {tool} | {} | {} | {} | {} |\n",
                pair("files_to_figures"),
                pair("computing"),
                pair("kernels"),
                t["peak_mib"]
            ));
        }
        out.push('\n');
    }
    out.push_str(
        "Files to figures: both files read, all figures computed, Python already started and ranx already\ncompiled. Computing alone: from rows in memory, so with sorting and looking up; pytrec_eval's evaluator\nis built beforehand. Kernels alone: from what the tool itself prepares, ordered and converted. Peak: the\nprocess that went from files to figures.\n",
    );
    out
}
