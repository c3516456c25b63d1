//! Tools that take turns.

use crate::{QUERIES, round};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Asked a tenth of the queries, so that a round ends; their time is counted tenfold.
const SLOW: [&str; 2] = ["milvus-lite", "lancedb"];

/// A tool in a process of its own.
pub(crate) struct Tool {
    pub(crate) name: String,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// How long building took, what memory it takes, and which points it has.
    pub(crate) built: Value,
}

impl Tool {
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
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

    fn question(&self, filter: &str, point: u64) -> Value {
        let queries = if SLOW.contains(&self.name.as_str()) {
            QUERIES / 10
        } else {
            QUERIES
        };
        json!({"filter": filter, "point": point, "queries": queries})
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
pub(crate) fn measure(tools: &mut [Tool], filter: &str, rounds: usize) -> Result<Value> {
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
                let told = tool.ask(&tool.question(filter, point))?;
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

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
