//! Nearest neighbours beside hnswlib, usearch, faiss, milvus-lite and LanceDB: recall against
//! queries per second.
//!
//! ```sh
//! cargo bench -p queqiao-retrieval --bench retrieval -- --n 100000 --python PYTHON --keep
//! ```
//!
//! `PYTHON` has numpy and the packages of the peers; without it only our index is measured. Every
//! tool lives in a process of its own with one thread, which builds its index once and then answers
//! all queries whenever it is asked to; the tools take turns, point after point and round after
//! round, and a figure is the median over rounds. Time is processor time, so that whatever else the
//! machine does weighs little. Peers answer in batches, which spares them Python's cost per call.
//!
//! - `--set clustered` (as embedded texts lie), `isotropic` (directions without any order, the
//!   hardest there is), or the name of a folder with `base.f32`, `query.f32` and `set.json`, as
//!   `--bench passages` makes one of real texts;
//! - `--tools a,b` and `--filters all,10 %` measure some; `--data FOLDER` keeps the vectors;
//! - `--keep` keeps the run under `benches/runs`, with its curves drawn; `--plot RUN.json` draws
//!   those of a run anew;
//! - `--lexical` measures the side of terms, `--restart` memory and start-up: see there.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod lexical;
mod ours;
mod plot;
mod restart;
mod set;
mod synth;
mod turns;

use anyhow::{Context, Result};
use queqiao_retrieval::Isa;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use turns::Tool;

const QUERIES: usize = 1_000;
const K: usize = 10;
/// Shares of the vectors that pass a filter.
const SHARES: [(&str, f64); 4] = [
    ("50 %", 0.5),
    ("10 %", 0.1),
    ("1 %", 0.01),
    ("0.1 %", 0.001),
];
/// In the order of their turns.
const PEERS: [&str; 7] = [
    "hnswlib",
    "usearch",
    "faiss-hnsw",
    "faiss-sq8",
    "faiss-ivfpq",
    "milvus-lite",
    "lancedb",
];

/// What the command line says.
struct Args(Vec<String>);

impl Args {
    fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|a| a == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|a| a == name)
    }

    fn number(&self, name: &str, otherwise: usize) -> Result<usize> {
        let said = self.get(name).map(str::parse);
        said.unwrap_or(Ok(otherwise))
            .with_context(|| format!("{name} wants a number"))
    }

    fn names<'a>(&'a self, name: &str, all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        match self.get(name) {
            Some(some) => some.split(',').collect(),
            None => all.collect(),
        }
    }
}

fn main() -> Result<()> {
    let args = Args(std::env::args().collect());
    if let Some(folder) = args.get("--worker") {
        return ours::answer(folder.as_ref());
    }
    if let Some(folder) = args.get("--reopened") {
        return restart::reopened(folder.as_ref());
    }
    if let Some(run) = args.get("--plot") {
        return plot::draw(run.as_ref());
    }
    if args.has("--lexical") {
        let records = args.number("--records", 100_000)?;
        let told = lexical::run(records)?;
        return tell(&told, &format!("lexical-{records}"), &args);
    }
    let n = args.number("--n", 100_000)?;
    let rounds = args.number("--rounds", 5)?;
    let temporary = tempfile::tempdir()?;
    let folder = match args.get("--data") {
        Some(kept) => PathBuf::from(kept),
        None => temporary.path().to_owned(),
    };
    let filters = args.names("--filters", ["all"].into_iter().chain(SHARES.map(|s| s.0)));
    let set = set::prepare(
        &folder,
        args.get("--set").unwrap_or("clustered"),
        n,
        &filters,
    )?;
    if args.has("--restart") {
        let told = restart::run(&set)?;
        return tell(&told, &format!("restart-{}", set.n), &args);
    }

    let mut tools = vec![Tool::start(
        "queqiao",
        Command::new(std::env::current_exe()?)
            .arg("--worker")
            .arg(&set.folder),
    )?];
    if let Some(python) = args.get("--python") {
        for name in args.names("--tools", PEERS.into_iter()) {
            let mut c = Command::new(python);
            c.arg(root()?.join("benches/retrieval/peers.py"));
            tools.push(Tool::start(name, c.arg(name).arg(&set.folder))?);
        }
    }
    let cases = filters
        .iter()
        .map(|f| turns::measure(&mut tools, f, rounds))
        .collect::<Result<Vec<_>>>()?;
    let result = json!({
        "bench": "retrieval",
        "set": set.name,
        "vectors": set.n,
        "dimensions": set.dim,
        "k": K,
        "queries": QUERIES,
        "rounds": rounds,
        "threads": 1,
        "instructions": format!("{:?}", Isa::best()),
        "build": tools.iter().map(|t| (t.name.clone(), t.built.clone())).collect::<BTreeMap<_, _>>(),
        "cases": cases,
    });
    tell(&result, &format!("retrieval-{}-{}", set.name, set.n), &args)
}

/// Prints a result, and keeps it where that was asked for.
fn tell(result: &Value, name: &str, args: &Args) -> Result<()> {
    println!("{result:#}");
    if args.has("--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let runs = root()?.join("benches/runs");
        fs::create_dir_all(&runs)?;
        let path = runs.join(format!("{day}-{name}.json"));
        fs::write(&path, format!("{result:#}\n"))?;
        if result["cases"].is_array() {
            plot::draw(&path)?;
        }
    }
    Ok(())
}

/// The workspace.
fn root() -> Result<&'static Path> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
    crates.ancestors().nth(2).context("a workspace")
}

/// Processor time of this process.
fn cpu_seconds() -> f64 {
    cpu_time::ProcessTime::now().as_duration().as_secs_f64()
}

/// Resident memory of this process, where the system tells: `VmRSS`, or `RssAnon`, which leaves out
/// pages of files that the system may drop.
fn memory_mib(what: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with(what))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

/// Rounded to so many digits.
fn round(x: f64, digits: i32) -> f64 {
    let by = 10f64.powi(digits);
    (x * by).round() / by
}
