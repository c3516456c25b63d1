//! Real needs, real experts and every collection, where this machine has them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};
use support::{json, ok, shared};

#[test]
fn real_needs_and_experts_go_in_and_answers_come_out() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    let path = |p: &str| shared.join(p).display().to_string();
    let needs = json(&[
        "import",
        &path("data/bdci/needs.tsv"),
        "--kind",
        "need",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    assert_eq!((&needs["created"], &needs["bad"]), (&240.into(), &0.into()));
    let experts = json(&[
        "import",
        &path("data/academicians/academicians.tsv"),
        "--kind",
        "expert",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    assert_eq!(
        (&experts["created"], &experts["bad"]),
        (&1658.into(), &0.into())
    );
    let again = json(&[
        "import",
        &path("data/bdci/needs.tsv"),
        "--kind",
        "need",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    assert_eq!(again["unchanged"], 240);
    // A need about diamond tools finds people of materials and machining, with a reason each.
    let answer = json(&[
        "match",
        "--text",
        "立方氮化硼单晶的高温高压合成",
        "--data",
        &data,
        "--format",
        "json",
        "-k",
        "5",
    ]);
    for m in answer["matches"].as_array().unwrap() {
        let quote = m["quote"]["text"].as_str().unwrap();
        assert!(!quote.is_empty());
    }
    let profile = answer["matches"][0]["quote"]["text"].as_str().unwrap();
    assert!(
        ["高压", "超硬", "金刚石", "氮化硼", "单晶"]
            .iter()
            .any(|w| profile.contains(w)),
        "{profile}"
    );
}

#[test]
fn every_collection_ranks_in_every_mode() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut folders: Vec<_> = fs::read_dir(shared.join("collections"))
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.join("corpus.jsonl").exists())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders {
        for mode in ["hybrid", "lexical", "dense"] {
            let out = dir.path().join("run.trec");
            ok(&[
                "rank",
                folder.to_str().unwrap(),
                "--mode",
                mode,
                "--depth",
                "100",
                "--run",
                out.to_str().unwrap(),
            ]);
            check_run(&folder, &out);
        }
    }
}

/// A run answers known queries with known documents, each once, ranks in order, scores falling.
fn check_run(collection: &Path, run: &Path) {
    let ids = |file: &str| -> HashSet<String> {
        fs::read_to_string(collection.join(file))
            .unwrap()
            .lines()
            .map(|l| {
                serde_json::from_str::<serde_json::Value>(l).unwrap()["_id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let (documents, queries) = (ids("corpus.jsonl"), ids("queries.jsonl"));
    let mut last: HashMap<String, (usize, f64)> = HashMap::new();
    let mut seen = HashSet::new();
    for line in fs::read_to_string(run).unwrap().lines() {
        let cells: Vec<&str> = line.split(' ').collect();
        let [query, "Q0", document, rank, score, _] = cells[..] else {
            panic!("{line}")
        };
        assert!(
            queries.contains(query) && documents.contains(document),
            "{line}"
        );
        assert!(
            seen.insert((query.to_owned(), document.to_owned())),
            "{line}"
        );
        let (rank, score): (usize, f64) = (rank.parse().unwrap(), score.parse().unwrap());
        let (before, above) = last.get(query).copied().unwrap_or((0, f64::INFINITY));
        assert!(
            rank == before + 1 && score <= above && score.is_finite(),
            "{line}"
        );
        last.insert(query.to_owned(), (rank, score));
    }
    assert!(
        last.len() * 10 >= queries.len() * 9,
        "nearly every query is answered"
    );
}

#[test]
fn known_items_are_found() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run.trec");
    // Mean reciprocal rank, with room for another model: it is a smoke test, not a benchmark.
    for (name, at_least) in [
        ("chinaxiv-title", 0.95),
        ("chinaxiv-en2zh", 0.75),
        ("nsfc-pi", 0.22),
    ] {
        let folder = shared.join("collections").join(name);
        ok(&[
            "rank",
            folder.to_str().unwrap(),
            "--run",
            out.to_str().unwrap(),
        ]);
        let mut relevant: HashMap<String, HashSet<String>> = HashMap::new();
        for line in fs::read_to_string(folder.join("qrels.trec"))
            .unwrap()
            .lines()
        {
            let c: Vec<&str> = line.split_whitespace().collect();
            relevant
                .entry(c[0].to_owned())
                .or_default()
                .insert(c[2].to_owned());
        }
        let mut best: HashMap<String, f64> = HashMap::new();
        for line in fs::read_to_string(&out).unwrap().lines() {
            let c: Vec<&str> = line.split(' ').collect();
            if relevant.get(c[0]).is_some_and(|r| r.contains(c[2])) {
                best.entry(c[0].to_owned())
                    .or_insert(1.0 / c[3].parse::<f64>().unwrap());
            }
        }
        let mrr = best.values().sum::<f64>() / relevant.len() as f64;
        assert!(mrr > at_least, "{name}: {mrr}");
    }
}
