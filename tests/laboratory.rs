//! `queqiao lists`, `off-policy`, `interleaving` and `bench-quality`, as scripts rely on them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use support::{fails, json as parsed, ok, queqiao, run};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let p = self.path(name);
        fs::create_dir_all(p.parent().unwrap()).unwrap();
        fs::write(&p, bytes).unwrap();
        p.display().to_string()
    }

    /// A run of these rows: who, whom, score.
    fn run(&self, name: &str, rows: &[(&str, &str, f64)]) -> String {
        let line = |(q, d, s): &(&str, &str, f64)| format!("{q} Q0 {d} 1 {s} {name}\n");
        self.write(name, rows.iter().map(line).collect::<String>())
    }
}

#[test]
fn lists_as_a_set() {
    let f = Folder::new();
    let alike = f.run(
        "alike",
        &[
            ("n1", "e1", 0.9),
            ("n2", "e1", 0.8),
            ("n1", "e2", 0.5),
            ("n2", "e2", 0.2),
        ],
    );
    let apart = f.run("apart", &[("n1", "e1", 0.9), ("n2", "e2", 0.2)]);
    let d = parsed(&["lists", &alike, &apart, "-k", "1", "--format", "json"]);
    let (a, b) = (&d["lists"][0], &d["lists"][1]);
    assert_eq!(
        (&a["run"], &a["lists"], &a["places"]),
        (&"alike".into(), &2.into(), &2.into())
    );
    assert_eq!(
        (&a["largest_load"], &b["largest_load"]),
        (&2.into(), &1.into())
    );
    assert_eq!((&a["gini"], &b["gini"]), (&0.5.into(), &0.0.into()));
    assert_eq!(a["two_sided"], Value::Null);
    // Someone who is never named.
    let supply = f.write("supply", "e1\ne2\r\ne3\n\ne4\n");
    let d = parsed(&["lists", &apart, "--supply", &supply, "--format", "json"]);
    assert_eq!(
        (&d["lists"][0]["supply"], &d["lists"][0]["share_shown"]),
        (&4.into(), &0.5.into())
    );

    // Both want e1, who wants n2 more.
    let wants_back = f.run(
        "back",
        &[
            ("e1", "n1", 0.5),
            ("e1", "n2", 0.9),
            ("e2", "n1", 1.0),
            ("e2", "n2", 1.0),
        ],
    );
    let two = [
        "lists",
        &alike,
        &apart,
        "--wants",
        &alike,
        "--wants-back",
        &wants_back,
    ];
    let all: Vec<&str> = two
        .into_iter()
        .chain(["-k", "1", "--capacity", "1"])
        .collect();
    let d = parsed(&[&all[..], &["--format", "json"]].concat());
    let t = &d["lists"][1]["two_sided"];
    let matches = t["expected_matches"].as_f64().unwrap();
    assert!((matches - (0.9 * 0.5 + 0.2 * 1.0)).abs() < 1e-12, "{d:#}");
    assert_eq!(
        (&t["blocking_pairs"], &t["blocked_owners"]),
        (&1.into(), &1.into())
    );
    // In expected matches: n1 would have .5 · 1 with e2 for .9 · .5 with e1, n2 .8 · .9 for .2 · 1.
    assert_eq!(t["envy_of_owners"]["envious"], 2);
    let table = ok(&all);
    for told in [
        "Gini of exposure",
        "blocking pairs",
        "expected matches",
        "1/rank",
        "alike",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    let chinese = ok(&[&all[..], &["--lang", "zh"]].concat());
    assert!(
        chinese.contains("阻塞对") && chinese.contains("期望匹配数"),
        "{chinese}"
    );

    let qrels = f.write("qrels", "n1 0 e1 1\nn1 0 e2 0\nn2 0 e1 0\nn2 0 e2 1\n");
    let d = parsed(&["lists", &alike, "--qrels", &qrels, "--format", "json"]);
    let brier = (0.01 + 0.25 + 0.64 + 0.64) / 4.0;
    let c = &d["lists"][0]["calibration"];
    assert!(
        (c["brier"].as_f64().unwrap() - brier).abs() < 1e-12,
        "{d:#}"
    );
    assert_eq!(c["bins"].as_array().unwrap().len(), 10);

    let strange = f.run("strange", &[("x", "y", 0.5)]);
    fails(&["lists", &alike, "--wants", &strange], 2, &["same ids"]);
    fails(&["lists", &alike, "--back", &apart], 2, &["--wants"]);
    let twice = ["lists", &alike, "--wants", &alike, "--back", &apart, &apart];
    fails(&twice, 2, &["one for each"]);
    fails(
        &["lists", &alike, "--examination", "soon"],
        2,
        &["soon", "1/rank^0.7"],
    );
    fails(&["lists", "no-such-file"], 1, &["no-such-file"]);
}

#[test]
fn what_a_log_says_of_runs() {
    let f = Folder::new();
    // The second document earns more than the first, which stood before it.
    let line = |i: u32| {
        let (first, second) = (
            u32::from(i.is_multiple_of(4)),
            u32::from(i.is_multiple_of(3)),
        );
        format!(
            "{{\"query\": \"q{}\", \"shown\": [{{\"doc\": \"a\", \"outcome\": {first}}}, {{\"doc\": \"b\", \"outcome\": {second}}}]}}\n",
            i % 5
        )
    };
    let log = f.write("log.jsonl", (0..600).map(line).collect::<String>());
    let queries = ["q0", "q1", "q2", "q3", "q4"];
    let ranked = |name: &str, best: &str| {
        let rows: Vec<(&str, &str, f64)> = queries
            .iter()
            .flat_map(|q| ["a", "b"].map(|d| (*q, d, if d == best { 2.0 } else { 1.0 })))
            .collect();
        f.run(name, &rows)
    };
    let (same, turned) = (ranked("same", "a"), ranked("turned", "b"));
    let d = parsed(&["off-policy", &log, &same, &turned, "--format", "json"]);
    let value = |v: &Value| v["value"].as_f64().unwrap();
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert_eq!(d["lists"], 600);
    assert!(near(value(&d["logged"]), 0.25 + 1.0 / 3.0));
    let (s, t) = (&d["runs"][0], &d["runs"][1]);
    assert!(near(value(&s["ips"]), 0.25 + 1.0 / 3.0) && near(value(&s["gain"]), 0.0));
    assert!(near(value(&t["ips"]), 0.25 / 2.0 + 2.0 / 3.0), "{d:#}");
    assert!(t["gain"]["low"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&t["refused"], &t["doubly_robust"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(t["support"], 1.0);
    let with = [
        "off-policy",
        &log,
        &turned,
        "--predictions",
        &turned,
        "--format",
        "json",
    ];
    assert!(parsed(&with)["runs"][0]["doubly_robust"]["value"].is_f64());

    let strange = f.run("strange", &[("q0", "x", 1.0)]);
    let table = ok(&["off-policy", &log, &turned, &strange]);
    for told in [
        "0.7917",
        "SNIPS",
        "0.5833",
        "600 lists",
        "strange: 0.0 effective lists of 600",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(ok(&["off-policy", &log, &turned, "--lang", "zh"]).contains("双重稳健"));
    // Where nothing can be said, nothing is.
    fails(
        &["off-policy", &log, &strange, "--format", "json"],
        2,
        &["says too little", "fewer than 100", "--min-ess"],
    );
    assert_eq!(run(&["off-policy", &log, &strange]).out, "");
    fails(
        &["off-policy", &log, &turned, "--assume", "placement"],
        2,
        &["log.jsonl:1", "shown[0]", "propensity"],
    );
    let broken = f.write("broken.jsonl", format!("{}\n{{\"query\": 1}}\n", line(1)));
    fails(
        &["off-policy", &broken, &turned],
        2,
        &["broken.jsonl:3", "missing field `shown`"],
    );
    fails(
        &["off-policy", &log, &turned, "--min-ess", "nan"],
        2,
        &["limits"],
    );
    fails(&["off-policy", &log], 2, &["RUN"]);
}

#[test]
fn which_system_people_prefer() {
    let f = Folder::new();
    let line = |i: u32| {
        let new = u32::from(i.is_multiple_of(3));
        let old = u32::from(i % 10 == 1);
        let (a, b) = (
            json!({"doc": "a", "team": "new", "outcome": new}),
            json!({"doc": "b", "team": "old", "outcome": old}),
        );
        let shown = if i.is_multiple_of(2) { [a, b] } else { [b, a] };
        format!("{}\n", json!({"query": i, "shown": shown}))
    };
    let log = f.write("log.jsonl", (0..300).map(line).collect::<String>());
    let d = parsed(&["interleaving", &log, "--format", "json"]);
    assert_eq!((&d["first"], &d["second"]), (&"new".into(), &"old".into()));
    assert_eq!(
        (&d["losses"], &d["wins"], &d["ties"]),
        (&90.into(), &20.into(), &190.into())
    );
    assert!(d["p_sign"].as_f64().unwrap() < 1e-9);
    assert_eq!((&d["began"], &d["uneven"]), (&json!([150, 150]), &0.into()));
    let table = ok(&["interleaving", &log]);
    for told in ["new is preferred", "300 lists", "190 ties", "sign test"] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(ok(&["interleaving", &log, "--lang", "zh"]).contains("偏好 new"));
    // A coin that always shows the same side is told.
    let unfair = |_| {
        let (a, b) = (
            json!({"doc": 1, "team": "a"}),
            json!({"doc": 2, "team": "b"}),
        );
        format!("{}\n", json!({"query": "q", "shown": [a, b]}))
    };
    let unfair = f.write("unfair.jsonl", (0..40).map(unfair).collect::<String>());
    let said = run(&["interleaving", &unfair]);
    assert!(
        said.err.contains("no fair coin") && said.out.contains("no preference"),
        "{}",
        said.err
    );
    let teamless = f.write("t.jsonl", "{\"query\": 1, \"shown\": [{\"doc\": 1}]}\n");
    fails(
        &["interleaving", &teamless],
        2,
        &["t.jsonl", "no item names a team"],
    );
    fails(&["interleaving", &log, "--alpha", "1"], 2, &["--alpha"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let f = Folder::new();
    let lists = f.run("lists", &[("n1", "e1", 0.5)]);
    for format in ["table", "json"] {
        // The pipe is closed before anything is printed.
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let ended = queqiao(&["lists", &lists, "--format", format])
            .stdout(write)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && said.is_empty(), "{said}");
    }
}

/// Needs whose answers are found by their words, but for some that are said to be answered by
/// another.
fn collection(f: &Folder, name: &str, misjudged: usize) {
    let words = [
        "轴承", "电池", "海水", "叶片", "焊接", "涂层", "滤芯", "阀门",
    ];
    let text = |i: usize| {
        let (a, b) = (words[i % 8], words[(i / 8 + 3) % 8]);
        format!("{a}与{b}的第{i}种改进方法")
    };
    let lines = |mark: &str| -> String {
        let line = |i| {
            format!(
                "{}\n",
                json!({"_id": format!("{mark}{i}"), "title": text(i)})
            )
        };
        (0..40).map(line).collect()
    };
    f.write(&format!("{name}/queries.jsonl"), lines("n"));
    f.write(&format!("{name}/corpus.jsonl"), lines("d"));
    let judged = |i| {
        format!(
            "n{i} 0 d{} 1\n",
            if i < misjudged { (i + 20) % 40 } else { i }
        )
    };
    f.write(
        &format!("{name}/qrels.trec"),
        (0..40).map(judged).collect::<String>(),
    );
}

#[test]
fn the_gate_opens_and_closes() {
    let f = Folder::new();
    collection(&f, "all/easy", 0);
    collection(&f, "all/mixed", 20);
    let folder = f.path("all").display().to_string();
    let accepted = f.path("kept/accepted.json").display().to_string();
    let bench = |more: &[&str]| -> Vec<String> {
        let all = ["bench-quality", &folder, "--accepted", &accepted];
        all.iter().chain(more).map(|s| (*s).to_owned()).collect()
    };
    let call = |more: &[&str]| {
        let args = bench(more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args)
    };
    let first = call(&[]);
    assert!(
        first.code == 2 && first.err.contains("--accept"),
        "{}",
        first.err
    );
    assert_eq!(call(&["--accept"]).code, 0);
    let kept = fs::read_to_string(&accepted).unwrap();
    // Figures, and no word of the collections.
    assert!(!kept.contains("轴承") && !kept.contains("n17"), "{kept}");
    let k: Value = serde_json::from_str(&kept).unwrap();
    let values = &k["collections"]["easy"]["values"]["nDCG@10"];
    assert_eq!(values.as_array().unwrap().len(), 40);
    assert_eq!(k["date"].as_str().unwrap().len(), 10);

    // The same again.
    let same = call(&["--format", "json"]);
    assert_eq!(same.code, 0, "{}", same.err);
    let d: Value = serde_json::from_str(&same.out).unwrap();
    assert_eq!(d["holds"], true);
    assert!(
        d["gate"]
            .as_array()
            .unwrap()
            .iter()
            .all(|g| g["verdict"] == "same"),
        "{d:#}"
    );
    assert!(call(&["--lang", "zh"]).out.contains("未变"));

    // It was better once.
    let mut better = k.clone();
    let mixed = &mut better["collections"]["mixed"]["values"]["nDCG@10"];
    *mixed = mixed.as_array().unwrap().iter().map(|_| 10_000).collect();
    f.write("kept/accepted.json", better.to_string());
    let fell = call(&["--format", "json"]);
    assert_eq!(fell.code, 1);
    assert!(
        fell.err.contains("mixed nDCG@10 -") && !fell.err.contains("easy"),
        "{}",
        fell.err
    );
    let d: Value = serde_json::from_str(&fell.out).unwrap();
    assert_eq!(d["holds"], false);
    assert!(call(&[]).out.contains("FELL"));
    assert_eq!(call(&["--only", "easy"]).code, 0);
    // What is accepted of some leaves the others as they were.
    assert_eq!(call(&["--only", "easy", "--accept"]).code, 0);
    let after: Value = serde_json::from_str(&fs::read_to_string(&accepted).unwrap()).unwrap();
    assert_eq!(
        after["collections"]["mixed"],
        better["collections"]["mixed"]
    );
    // A fall that is meant.
    assert_eq!(call(&["--accept", "--judged-pool", "mixed"]).code, 0);
    let after: Value = serde_json::from_str(&fs::read_to_string(&accepted).unwrap()).unwrap();
    assert_eq!(after["collections"]["mixed"]["pool"], "judged");
    // The pool is remembered.
    assert_eq!(call(&[]).code, 0);

    // Figures of other data cannot be compared, nor passed by taking the data away.
    collection(&f, "all/easy", 1);
    let other = call(&[]);
    assert!(
        other.code == 1 && other.err.contains("easy is not the collection"),
        "{}",
        other.err
    );
    fs::remove_dir_all(f.path("all/easy")).unwrap();
    let gone = call(&[]);
    assert!(
        gone.code == 1 && gone.err.contains("easy was accepted"),
        "{}",
        gone.err
    );
    collection(&f, "all/new", 0);
    assert!(call(&[]).err.contains("new was never accepted"));
    for (more, words) in [
        (&["--only", "none"][..], "no collection `none`"),
        (&["--mode", "dense"][..], "--mode hybrid, not dense"),
        (&["--alpha", "0"][..], "--alpha"),
    ] {
        let said = call(more);
        assert!(
            said.code == 2 && said.err.contains(words),
            "{words}: {}",
            said.err
        );
    }
    fails(
        &["bench-quality", "no-such-folder", "--accepted", &accepted],
        2,
        &["QUEQIAO_SHARED"],
    );
    f.write("kept/accepted.json", "{}");
    assert!(call(&[]).err.contains("--accept"));
}
