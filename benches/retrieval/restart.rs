//! What an index of many passages takes in memory, and how soon it answers after a start.
//!
//! ```sh
//! cargo bench -p queqiao-retrieval --bench retrieval -- --restart --n 1000000 --keep
//! ```
//!
//! Records have five passages each. The index is filled, given its graphs, closed, and opened anew
//! in a process of its own, which tells its memory when it is ready and after it has answered.

use crate::{cpu_seconds, memory_mib, round, set::Set};
use anyhow::{Context, Result, ensure};
use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, Index, IndexOptions, Mode, Passage, Query, Shape,
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command, time::Instant};

const PASSAGES: usize = 5;
const BATCH: usize = 1_000;

fn shape(dim: usize) -> Shape {
    Shape {
        dim,
        fingerprint: "bench".to_owned(),
    }
}

/// Fills an index beside the vectors, and has it opened anew.
pub(crate) fn run(set: &Set) -> Result<Value> {
    let folder = set.folder.join("index");
    let base = set.base()?;
    let began = cpu_seconds();
    {
        let waits = IndexOptions {
            seal_from: usize::MAX,
            ..IndexOptions::default()
        };
        let index = EmbeddedIndex::create_with(&folder, shape(set.dim), waits)?;
        let mut seq = 0;
        for (number, rows) in base.chunks(PASSAGES * BATCH * set.dim).enumerate() {
            let changes = rows
                .chunks(PASSAGES * set.dim)
                .enumerate()
                .map(|(i, rows)| put((number * BATCH + i) as u64, rows, set.dim))
                .collect::<Result<Vec<_>>>()?;
            seq += changes.len() as u64;
            index.apply(changes, seq)?;
        }
    }
    let filled = cpu_seconds() - began;
    drop(base);
    let began = cpu_seconds();
    {
        let index = EmbeddedIndex::open_with(&folder, shape(set.dim), IndexOptions::default())?;
        index.settle();
    }
    let sealed = cpu_seconds() - began;
    let out = Command::new(std::env::current_exe()?)
        .arg("--reopened")
        .arg(&set.folder)
        .output()?;
    ensure!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let reopened: Value = serde_json::from_slice(&out.stdout)?;
    let bytes = fs::read_dir(&folder)?
        .map(|e| Ok(e?.metadata()?.len()))
        .sum::<Result<u64>>()?;
    Ok(json!({
        "bench": "restart",
        "set": set.name,
        "passages": set.n,
        "passages_per_record": PASSAGES,
        "dimensions": set.dim,
        "fill_cpu_seconds": round(filled, 1),
        "seal_cpu_seconds": round(sealed, 1),
        "disk_mib": bytes >> 20,
        "reopened": reopened,
    }))
}

fn put(key: u64, rows: &[f32], dim: usize) -> Result<Change> {
    let count = rows.len() / dim;
    let record = Record::new(RecordId::new(format!("r{key:08}"))?, Kind::Expert);
    Ok(Change::Put(Box::new(Entry {
        key,
        facets: Facets::of(&record),
        passages: vec![Passage::default(); count],
        vectors: Array2::from_shape_vec((count, dim), rows.to_vec())?,
    })))
}

/// Opens the index beside the vectors, answers the queries, and tells.
pub(crate) fn reopened(folder: &Path) -> Result<()> {
    let set = Set::open(folder)?;
    let queries = set.queries()?;
    let memory = || json!({"resident": memory_mib("VmRSS"), "of_it_heap": memory_mib("RssAnon")});
    let before = memory();
    let start = Instant::now();
    let cpu = cpu_seconds();
    let index = EmbeddedIndex::open(&folder.join("index"), shape(set.dim))?;
    let (ready, ready_cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let opened = memory();
    let mut times = Vec::new();
    for q in queries.chunks(set.dim) {
        let vectors = Array2::from_shape_vec((1, set.dim), q.to_vec())?;
        let start = Instant::now();
        let found = index.search(&Query {
            vectors: &vectors,
            passages: &[],
            filter: &Filter::All,
            admit: &|_, _| true,
            mode: Mode::Dense,
            candidates: 100,
            consistency: Consistency::Latest,
        })?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(found.candidates.len() >= 100, "fewer than there are");
    }
    times.sort_by(f64::total_cmp);
    let at = |q: f64| times.get((times.len() as f64 * q) as usize).copied();
    println!(
        "{}",
        json!({
            "seconds_until_ready": round(ready, 2),
            "cpu_seconds_until_ready": round(ready_cpu, 2),
            "mib_before": before,
            "mib_ready": opened,
            "mib_after_queries": memory(),
            "vectors_and_graphs_on_the_heap_mib": index.resident() >> 20,
            "ms_100_records": {
                "p50": at(0.5).map(|x| round(x, 2)).context("a query")?,
                "p99": at(0.99).map(|x| round(x, 2)),
            },
        })
    );
    Ok(())
}
