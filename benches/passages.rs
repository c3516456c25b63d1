//! Vectors of real passages, for the retrieval bench: texts of collections, embedded by the model
//! that ships. The texts stay where they are; only vectors are written.
//!
//! ```sh
//! cargo bench --workspace --bench passages -- --out FOLDER COLLECTIONS...
//! cargo bench -p queqiao-retrieval --bench retrieval -- --set FOLDER --python PYTHON --keep
//! ```
//!
//! A collection is a folder in BEIR's layout; passages that are equal count once.
#![allow(clippy::print_stdout)]

use anyhow::{Context, Result, ensure};
use queqiao_embed::{ModelStore, Role};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// As many as the retrieval bench asks.
const QUERIES: usize = 1_000;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let (mut out, mut collections) = (None, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--out" => out = args.next().map(PathBuf::from),
            _ => collections.push(PathBuf::from(arg)),
        }
    }
    let out = out.context("--out FOLDER says where the vectors go")?;
    ensure!(!collections.is_empty(), "no collection is named");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("a workspace")?;
    let model = ModelStore::open(&root.join("models"))?.load(None)?;
    let (mut passages, mut queries) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for c in &collections {
        for text in texts(&c.join("corpus.jsonl"))? {
            if seen.insert(text.clone()) {
                passages.push(text);
            }
        }
        queries.extend(texts(&c.join("queries.jsonl"))?);
    }
    ensure!(!queries.is_empty(), "the collections have no queries");
    // Evenly from all of them.
    let step = queries.len() as f64 / QUERIES as f64;
    let queries: Vec<String> = (0..QUERIES)
        .map(|i| queries[((i as f64 * step) as usize).min(queries.len() - 1)].clone())
        .collect();
    fs::create_dir_all(&out)?;
    let mut n = 0;
    for (name, texts, role) in [
        ("base.f32", &passages, Role::Passage),
        ("query.f32", &queries, Role::Query),
    ] {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = model.embed(&texts, role)?;
        // A text that says nothing to the model has no direction.
        let rows = vectors.rows().into_iter();
        let rows = rows.filter(|r| name == "query.f32" || r.iter().any(|x| *x != 0.0));
        let bytes: Vec<u8> = rows
            .flat_map(|r| r.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
            .collect();
        if name == "base.f32" {
            n = bytes.len() / 4 / model.dim();
        }
        fs::write(out.join(name), bytes)?;
    }
    let said = json!({"name": "passages", "n": n, "dim": model.dim()});
    fs::write(out.join("set.json"), said.to_string())?;
    println!("{said}");
    Ok(())
}

/// The texts of a file, passage by passage where a line has several.
fn texts(file: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for line in fs::read_to_string(file)
        .with_context(|| format!("{}", file.display()))?
        .lines()
    {
        let said: Value = serde_json::from_str(line)?;
        let whole = std::slice::from_ref(&said);
        let each = said["passages"].as_array().map_or(whole, Vec::as_slice);
        for p in each {
            let part = |key: &str| p[key].as_str().unwrap_or("").trim().to_owned();
            let text = format!("{}\n{}", part("title"), part("text"));
            if !text.trim().is_empty() {
                out.push(text.trim().to_owned());
            }
        }
    }
    Ok(out)
}
