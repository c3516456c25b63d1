//! Dense retrieval alone over collections in BEIR's layout (with passages): nDCG@10 and AP by
//! trec_eval's conventions, for several weights of best passage against mean of passages.
//!
//! ```sh
//! cargo run --release -p queqiao-embed --example dense_eval -- MODEL_DIR COLLECTIONS_DIR [--runs DIR]
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use ndarray::Array2;
use queqiao_embed::{Embedder, Role, open_model};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Weights of the best passage; the rest is the mean's.
const WEIGHTS: [f32; 5] = [1.0, 0.8, 0.6, 0.4, 0.0];
/// Collections whose measure is average precision.
const BY_AP: [&str; 1] = ["dblp-expert"];
/// Collections where only judged records are ranked.
const JUDGED: [&str; 1] = ["bdci"];

struct Record {
    id: String,
    passages: Vec<String>,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, collections, rest @ ..] = args.as_slice() else {
        println!("usage: dense_eval MODEL_DIR COLLECTIONS_DIR [--runs DIR]");
        std::process::exit(2);
    };
    let runs = match rest {
        [flag, dir] if flag == "--runs" => Some(PathBuf::from(dir)),
        _ => None,
    };
    let model = open_model(Path::new(model)).unwrap();
    println!("{} ({} columns)", model.fingerprint(), model.dim());
    println!(
        "| collection | measure | {} |",
        WEIGHTS.map(|w| format!("w {w}")).join(" | ")
    );
    println!("|---|---|{}", "---|".repeat(WEIGHTS.len()));
    let mut folders: Vec<PathBuf> = fs::read_dir(collections)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.join("corpus.jsonl").exists())
        .collect();
    folders.sort();
    for folder in folders {
        evaluate(&*model, &folder, runs.as_deref());
    }
}

fn evaluate(model: &dyn Embedder, folder: &Path, runs: Option<&Path>) {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let corpus = records(&folder.join("corpus.jsonl"));
    let queries = records(&folder.join("queries.jsonl"));
    let mut qrels: HashMap<String, HashMap<String, i64>> = HashMap::new();
    for line in fs::read_to_string(folder.join("qrels.trec"))
        .unwrap()
        .lines()
    {
        let f: Vec<&str> = line.split_whitespace().collect();
        qrels
            .entry(f[0].to_owned())
            .or_default()
            .insert(f[2].to_owned(), f[3].parse().unwrap());
    }
    let (doc_rows, owner) = embed(model, &corpus, Role::Passage);
    let (query_rows, query_owner) = embed(model, &queries, Role::Query);
    let mut profile = Array2::<f32>::zeros((corpus.len(), model.dim()));
    for (row, &o) in doc_rows.rows().into_iter().zip(&owner) {
        let mut p = profile.row_mut(o);
        p += &row;
    }
    for mut row in profile.rows_mut() {
        let n = row.dot(&row).sqrt().max(1e-9);
        row.mapv_inplace(|x| x / n);
    }
    let best_of = query_rows.dot(&doc_rows.t());
    let mean_of = query_rows.dot(&profile.t());
    let judged = JUDGED.contains(&name.as_str());
    let by_ap = BY_AP.contains(&name.as_str());
    let mut figures = Vec::new();
    for w in WEIGHTS {
        let (mut sum, mut count) = (0.0, 0);
        let mut run = String::new();
        for (q, query) in queries.iter().enumerate() {
            let Some(grades) = qrels.get(&query.id).filter(|g| g.values().any(|&v| v > 0)) else {
                continue;
            };
            // The best pair of a query's passage and a record's passage, the best query's passage
            // against the mean.
            let mut best = vec![f32::NEG_INFINITY; corpus.len()];
            let mut mean = vec![f32::NEG_INFINITY; corpus.len()];
            for (i, _) in query_owner.iter().enumerate().filter(|(_, o)| **o == q) {
                for (&s, &o) in best_of.row(i).iter().zip(&owner) {
                    best[o] = best[o].max(s);
                }
                for (m, &s) in mean.iter_mut().zip(mean_of.row(i)) {
                    *m = m.max(s);
                }
            }
            let mut ranked: Vec<(f32, &str)> = (0..corpus.len())
                .filter(|&d| !judged || grades.contains_key(&corpus[d].id))
                .map(|d| (w * best[d] + (1.0 - w) * mean[d], corpus[d].id.as_str()))
                .collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(a.1)));
            sum += if by_ap {
                ap(&ranked, grades)
            } else {
                ndcg(&ranked, grades, 10)
            };
            count += 1;
            for (rank, (score, id)) in ranked.iter().take(1000).enumerate() {
                writeln!(run, "{} Q0 {id} {} {score} dense", query.id, rank + 1).unwrap();
            }
        }
        figures.push(format!("{:.4}", sum / f64::from(count)));
        if let Some(dir) = runs {
            fs::create_dir_all(dir).unwrap();
            fs::write(dir.join(format!("{name}.{w}.trec")), run).unwrap();
        }
    }
    let measure = if by_ap { "AP" } else { "nDCG@10" };
    println!("| {name} | {measure} | {} |", figures.join(" | "));
}

fn records(path: &Path) -> Vec<Record> {
    let text = |o: &Value| {
        let part = |n: &str| {
            o.get(n)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        format!("{} {}", part("title"), part("text"))
            .trim()
            .to_owned()
    };
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| {
            let o: Value = serde_json::from_str(line).unwrap();
            let mut passages: Vec<String> = [text(&o)]
                .into_iter()
                .chain(
                    o.get("passages")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .map(text),
                )
                .filter(|t| !t.is_empty())
                .collect();
            if passages.is_empty() {
                passages.push(String::new());
            }
            Record {
                id: o["_id"].as_str().unwrap().to_owned(),
                passages,
            }
        })
        .collect()
}

fn embed(model: &dyn Embedder, records: &[Record], role: Role) -> (Array2<f32>, Vec<usize>) {
    let texts: Vec<&str> = records
        .iter()
        .flat_map(|r| r.passages.iter().map(String::as_str))
        .collect();
    let owner = records
        .iter()
        .enumerate()
        .flat_map(|(i, r)| std::iter::repeat_n(i, r.passages.len()))
        .collect();
    (model.embed(&texts, role).unwrap(), owner)
}

fn ndcg(ranked: &[(f32, &str)], grades: &HashMap<String, i64>, k: usize) -> f64 {
    let discount = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let dcg: f64 = ranked
        .iter()
        .take(k)
        .enumerate()
        .map(|(i, (_, id))| grades.get(*id).copied().unwrap_or(0).max(0) as f64 * discount(i))
        .sum();
    let mut ideal: Vec<i64> = grades.values().copied().filter(|g| *g > 0).collect();
    ideal.sort_unstable_by_key(|g| std::cmp::Reverse(*g));
    let best: f64 = ideal
        .iter()
        .take(k)
        .enumerate()
        .map(|(i, &g)| g as f64 * discount(i))
        .sum();
    dcg / best
}

fn ap(ranked: &[(f32, &str)], grades: &HashMap<String, i64>) -> f64 {
    let relevant = grades.values().filter(|g| **g > 0).count();
    let (mut found, mut sum) = (0, 0.0);
    for (i, (_, id)) in ranked.iter().enumerate() {
        if grades.get(*id).copied().unwrap_or(0) > 0 {
            found += 1;
            sum += f64::from(found) / (i as f64 + 1.0);
        }
    }
    sum / relevant as f64
}
