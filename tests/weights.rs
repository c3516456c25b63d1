//! Weights fitted to outcomes: written where they are better on queries they did not see.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::{fmt::Write as _, fs, path::Path};
use support::{fails, json, run};

/// Forty queries of six candidates: texts alike, and `good` says who was taken.
fn lists(dir: &Path, good: impl Fn(usize, usize) -> bool) -> (String, String) {
    let mut features = "query\tdocument\tdense_profile\tregion\n".to_owned();
    let mut qrels = String::new();
    for q in 0..40 {
        for d in 0..6 {
            let dense = ((q * 7 + d * 5) % 11) as f64 / 20.0;
            let region = if (q + d) % 3 == 0 { "1" } else { "" };
            writeln!(features, "q{q}\td{d}\t{dense:.6}\t{region}").unwrap();
            writeln!(qrels, "q{q} 0 d{d} {}", u8::from(good(q, d))).unwrap();
        }
    }
    let path = |name: &str| dir.join(name).display().to_string();
    fs::write(path("features.tsv"), features).unwrap();
    fs::write(path("qrels.trec"), qrels).unwrap();
    (path("features.tsv"), path("qrels.trec"))
}

#[test]
fn what_decided_outcomes_weighs_more() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("weights.json");
    let shown = out.display().to_string();
    // Whoever is of the region was taken.
    let (features, qrels) = lists(dir.path(), |q, d| (q + d) % 3 == 0);
    let told = json(&[
        "weights", "fit", &features, &qrels, "--out", &shown, "--format", "json",
    ]);
    assert_eq!(
        (&told["better"], &told["queries"]),
        (&Value::Bool(true), &40.into())
    );
    assert!(told["after"].as_f64().unwrap() > told["before"].as_f64().unwrap() + 0.1);
    let written: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert!(
        written["weights"]["region"].as_f64().unwrap() > 0.1,
        "{written:#}"
    );
    assert_eq!(written["trained"]["folds"], 5);
    // Nothing is written over, and the file is one that ranking reads.
    fails(
        &["weights", "fit", &features, &qrels, "--out", &shown],
        2,
        &["weights.json", "--replace"],
    );
    let again = dir.path().join("again.json").display().to_string();
    let from = run(&[
        "weights", "fit", &features, &qrels, "--start", &shown, "--out", &again,
    ]);
    // From there is nothing more to learn.
    assert_eq!(from.code, 1, "{}", from.err);
}

#[test]
fn what_is_worse_elsewhere_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let shown = dir.path().join("weights.json").display().to_string();
    let (features, qrels) = lists(dir.path(), |q, d| (q + d) % 3 == 0);
    // There, whoever is of the region was never taken.
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (other, others) = lists(&elsewhere, |q, d| (q + d) % 3 == 1);
    let fit = ["weights", "fit", &features, &qrels, "--out", &shown];
    let with = |also: &[&str]| run(&[&fit[..], also].concat());
    let refused = with(&["--also", &features, &qrels, "--also", &other, &others]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(
        refused.err.contains("elsewhere") && refused.err.contains("worse"),
        "{}",
        refused.err
    );
    assert!(!Path::new(&shown).exists());
    let chinese = run(&[&["--lang", "zh"], &fit[..], &["--also", &other, &others]].concat());
    assert!(chinese.err.contains("显著变差"), "{}", chinese.err);
    fails(&[&fit[..], &["--also", &other]].concat(), 2, &["--also"]);
    let taken = with(&["--also", &features, &qrels]);
    assert_eq!(taken.code, 0, "{}", taken.err);
    let written: Value = serde_json::from_str(&fs::read_to_string(&shown).unwrap()).unwrap();
    assert_eq!(written["trained"]["elsewhere"][0]["worse"], false);
}

#[test]
fn what_is_not_better_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("weights.json");
    let shown = out.display().to_string();
    let (features, qrels) = lists(dir.path(), |q, d| (q * 31 + d * 17 + q * d) % 5 == 0);
    let chance = run(&["weights", "fit", &features, &qrels, "--out", &shown]);
    assert_eq!(chance.code, 1, "{}", chance.err);
    assert!(
        chance.err.contains("--anyway") && !out.exists(),
        "{}",
        chance.err
    );
    let zh = run(&[
        "--lang", "zh", "weights", "fit", &features, &qrels, "--out", &shown,
    ]);
    assert!(zh.err.contains("未写入"), "{}", zh.err);

    let refused = |text: &str, words: &[&str]| {
        let path = dir.path().join("bad.tsv").display().to_string();
        fs::write(&path, text).unwrap();
        fails(
            &["weights", "fit", &path, &qrels, "--out", &shown],
            2,
            words,
        );
        assert!(!out.exists());
    };
    refused("query\tdoc\tdense_best\n", &["bad.tsv:1", "document"]);
    refused("query\tdocument\tmagic\n", &["bad.tsv:1", "magic"]);
    refused(
        "query\tdocument\tregion\nq1\td1\n",
        &["bad.tsv:2", "2 columns"],
    );
    refused(
        "query\tdocument\tregion\nq1\td1\tx\n",
        &["bad.tsv:2", "`x`"],
    );
    refused(
        "query\tdocument\tregion\nq1\td1\tNaN\n",
        &["bad.tsv:2", "NaN"],
    );
    refused("query\tdocument\tregion\nq1\td1\t1\n", &["at least 20"]);
    refused("", &["at least 20"]);
}
