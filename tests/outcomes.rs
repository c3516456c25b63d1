//! From matches to outcomes to a funnel, to weights and probabilities, on the command line.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::{fmt::Write as _, fs, path::Path};
use support::{fails, json, ok, sample};

fn folder(dir: &Path) -> String {
    let data = dir.join("data").display().to_string();
    ok(&[
        "import",
        &sample("needs-gba.csv"),
        "--kind",
        "need",
        "--data",
        &data,
    ]);
    ok(&[
        "import",
        &sample("experts-gba.csv"),
        "--kind",
        "expert",
        "--data",
        &data,
    ]);
    data
}

fn asked(data: &str, need: &str) -> Value {
    json(&[
        "match", "--need", need, "-k", "8", "--keep", "--data", data, "--format", "json",
    ])
}

#[test]
fn outcomes_are_reported_counted_and_learned_from() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    // Whoever stands first is met, whoever stands last declines.
    let mut csv = "match_id,candidate,stage,reason,time,event\n".to_owned();
    for n in 1..=24 {
        let answer = asked(&data, &format!("GBA-N{n:02}"));
        let id = answer["match_id"].as_str().unwrap();
        for (i, m) in answer["matches"].as_array().unwrap().iter().enumerate() {
            let who = m["id"].as_str().unwrap();
            match i {
                0 => writeln!(csv, "{id},{who},met,,,直通车"),
                7 => writeln!(csv, "{id},{who},谢绝,领域不符,,"),
                _ => writeln!(csv, "{id},{who},shown,,,"),
            }
            .unwrap();
        }
    }
    fs::write(path("outcomes.csv"), &csv).unwrap();
    let report = [
        "outcomes",
        "report",
        &path("outcomes.csv"),
        "--data",
        &data,
        "--format",
        "json",
    ];
    assert_eq!(
        json(&report),
        serde_json::json!({"stored": 192, "known": 0})
    );
    assert_eq!(
        json(&report),
        serde_json::json!({"stored": 0, "known": 192})
    );

    let funnel = json(&["outcomes", "funnel", "--data", &data, "--format", "json"]);
    let counts: Vec<u64> = funnel["rows"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [192, 24, 24, 24, 0]);
    assert_eq!(
        funnel["rows"][0]["reasons"],
        serde_json::json!([["out_of_field", 24]])
    );
    let by_event = ok(&[
        "outcomes", "funnel", "--by", "event", "--data", &data, "--lang", "zh",
    ]);
    assert!(
        by_event.contains("直通车") && by_event.contains("领域不符 24"),
        "{by_event}"
    );

    let (features, qrels) = (path("f.tsv"), path("q.trec"));
    let export = [
        "outcomes",
        "export",
        "--features",
        &features,
        "--qrels",
        &qrels,
        "--data",
        &data,
        "--format",
        "json",
    ];
    assert_eq!(json(&export)["answers"], 24);
    fails(&export, 2, &["f.tsv", "exists already"]);
    // The first places were met already: no weights are better, and none are written.
    fails(
        &[
            "weights",
            "fit",
            &features,
            &qrels,
            "--out",
            &path("w.json"),
        ],
        1,
        &["not better"],
    );

    let before = asked(&data, "GBA-N01");
    assert!(before["calibrated_to"].is_null() && before["matches"][0].get("probability").is_none());
    let c = json(&["outcomes", "calibrate", "--data", &data, "--format", "json"]);
    assert_eq!((&c["labels"], &c["came_true"]), (&192.into(), &24.into()));
    assert_eq!(c["curve"]["method"], "beta");
    let after = asked(&data, "GBA-N01");
    assert_eq!(after["calibrated_to"], "met");
    let p: Vec<f64> = after["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["probability"].as_f64().unwrap())
        .collect();
    assert!(p.is_sorted_by(|a, b| a >= b) && p[0] > p[7], "{p:?}");
    assert!(p.iter().all(|p| *p > 0.0 && *p < 1.0));

    // Other weights mean something else: uncalibrated, until one goes back.
    let own = r#"{"version":"ours","weights":{"dense_best":1.0}}"#;
    fs::write(path("ours.json"), own).unwrap();
    ok(&["weights", "use", &path("ours.json"), "--data", &data]);
    let ours = asked(&data, "GBA-N01");
    assert_eq!(
        (&ours["weights"], &ours["calibrated_to"]),
        (&"ours".into(), &Value::Null)
    );
    ok(&["weights", "back", "--data", &data]);
    let again = asked(&data, "GBA-N01");
    assert_eq!(again["matches"], after["matches"]);
    fails(
        &["weights", "back", "--data", &data],
        2,
        &["nothing to go back to"],
    );
}

#[test]
fn a_slip_in_a_report_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let answer = asked(&data, "GBA-N01");
    let id = answer["match_id"].as_str().unwrap();
    let who = answer["matches"][0]["id"].as_str().unwrap();
    let file = dir.path().join("o.csv").display().to_string();
    let head = "match_id,candidate,stage,reason,time,event";
    let good = format!("{id},{who},shown,,,");
    for (bad, words) in [
        (format!("{id},{who},seen,,,"), "`seen` is no stage"),
        (
            format!("{id},{who},declined,because,,"),
            "`because` is no reason",
        ),
        (format!("{id},{who},declined,,,"), "a decline has none"),
        (
            format!("{id},{who},met,,yesterday,"),
            "`yesterday` is no time",
        ),
        (format!("{id},{who},met,,2020-01-01,"), "before the answer"),
        (format!("{id},GBA-N02,met,,,"), "is not in answer"),
        (format!("x,{who},met,,,"), "no answer x was kept"),
        (format!("{id},,met,,,"), "candidate"),
    ] {
        fs::write(&file, format!("{head}\n{good}\n{bad}\n")).unwrap();
        fails(
            &["outcomes", "report", &file, "--data", &data],
            2,
            &["o.csv:3: ", words],
        );
        let funnel = json(&["outcomes", "funnel", "--data", &data, "--format", "json"]);
        assert_eq!(
            funnel["rows"],
            serde_json::json!([]),
            "nothing of a bad file is stored: {bad}"
        );
    }
    fs::write(&file, "a,b\n1,2\n").unwrap();
    fails(
        &["outcomes", "report", &file, "--data", &data],
        2,
        &["o.csv:2: ", "match_id"],
    );
    fails(
        &["outcomes", "report", "no.csv", "--data", &data],
        2,
        &["no.csv"],
    );
    fails(
        &["outcomes", "calibrate", "--data", &data],
        2,
        &["at least 5"],
    );
    let nowhere = dir.path().join("x").display().to_string();
    let f = dir.path().join("f").display().to_string();
    let q = dir.path().join("q").display().to_string();
    fails(
        &[
            "outcomes",
            "export",
            "--features",
            &f,
            "--qrels",
            &q,
            "--data",
            &data,
        ],
        2,
        &["no outcomes yet"],
    );
    fails(
        &["weights", "back", "--data", &nowhere],
        2,
        &["no data folder"],
    );
}

#[test]
fn a_kept_answer_is_shown_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(dir.path());
    let answer = asked(&data, "GBA-N02");
    let id = answer["match_id"].as_str().unwrap();
    let shown = json(&["outcomes", "show", id, "--data", &data, "--format", "json"]);
    assert_eq!(shown["asker"], serde_json::json!(["GBA-N02", "need"]));
    for what in ["match_id", "model", "weights", "seq"] {
        assert_eq!(shown[what], answer[what], "{what}");
    }
    let told = |a: &Value| -> Vec<(String, u64, usize)> {
        let each = a["matches"].as_array().unwrap().iter();
        each.map(|m| {
            let parts = m["parts"].as_array().unwrap().len();
            let id = m["id"].as_str().unwrap().to_owned();
            (id, m["rank"].as_u64().unwrap(), parts)
        })
        .collect()
    };
    assert_eq!(told(&shown), told(&answer));
    let table = ok(&["outcomes", "show", id, "--data", &data]);
    assert!(
        table.contains("GBA-N02") && table.contains("weights"),
        "{table}"
    );
    fails(
        &["outcomes", "show", "nothing", "--data", &data],
        2,
        &["match_id", "keep"],
    );
}
