//! `queqiao eval` and `queqiao compare` as scripts and papers rely on them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};
use support::{fails, json, ok, queqiao, run, said, shared};
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

    /// Twelve queries with one relevant document each; `better` finds it earlier but once.
    fn two_runs(&self) -> (String, String, String) {
        let queries = 1..=12;
        let lines = |f: &dyn Fn(u32) -> String| queries.clone().map(f).collect::<String>();
        (
            self.write("qrels", lines(&|q| format!("q{q} 0 a 2\nq{q} 0 b 0\n"))),
            self.write(
                "base.trec",
                lines(&|q| format!("q{q} Q0 x 1 3 base\nq{q} Q0 b 2 2 base\nq{q} Q0 a 3 1 base\n")),
            ),
            self.write(
                "better.trec",
                lines(&|q| {
                    let (first, second) = if q == 12 { ("b", "y") } else { ("a", "b") };
                    format!("q{q} Q0 {first} 1 .9 better\nq{q} Q0 {second} 2 .5 better\n")
                }),
            ),
        )
    }
}

#[test]
fn figures_in_every_format() {
    let f = Folder::new();
    let (qrels, base, better) = f.two_runs();
    let table = ok(&["eval", &qrels, &base, &better, "--measures", "nDCG@10,RR"]);
    for told in [
        "nDCG@10",
        "base",
        "better",
        "0.5000",
        "0.9167",
        "reciprocal rank",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(ok(&["eval", &qrels, &base, "--lang", "zh"]).contains("归一化折损累计增益"));

    let d = json(&[
        "eval",
        &qrels,
        &base,
        &better,
        "--format",
        "json",
        "--per-query",
        "--measures",
        "RR,NumQ",
    ]);
    assert_eq!(d["measures"], serde_json::json!(["RR", "NumQ"]));
    assert_eq!(d["runs"][0]["run"], "base");
    assert_eq!(d["runs"][0]["measures"]["RR"], 1.0 / 3.0);
    assert_eq!(d["runs"][1]["measures"]["NumQ"], 12.0);
    assert_eq!(d["runs"][1]["per_query"]["q12"]["RR"], 0.0);
    assert!(
        json(&["eval", &qrels, &base, "--format", "json"])["runs"][0]
            .get("per_query")
            .is_none()
    );

    let trec = ok(&[
        "eval",
        &qrels,
        &base,
        "--format",
        "trec",
        "--per-query",
        "--measures",
        "recip_rank,P_5,num_ret",
    ]);
    assert!(
        trec.contains("recip_rank            \tq1\t0.3333\n"),
        "{trec}"
    );
    assert!(
        trec.contains("runid                 \tall\tbase\n")
            && trec.contains("num_ret               \tall\t36\n")
    );

    let page = ok(&[
        "eval",
        &qrels,
        &base,
        &better,
        "--format",
        "html",
        "--per-query",
    ]);
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert_page(&page);
}

/// A page that needs nothing from outside, and whose elements close.
fn assert_page(page: &str) {
    for outside in [
        "http://", "https://", "<script", "@import", "url(", "<link", "<img",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    for element in [
        "section", "figure", "table", "svg", "div", "tr", "td", "p", "ul", "li",
    ] {
        let open = page.matches(&format!("<{element} ")).count()
            + page.matches(&format!("<{element}>")).count();
        let close = page.matches(&format!("</{element}>")).count();
        assert_eq!(open, close, "{element}");
    }
    assert!(
        !page.contains("NaN") && !page.contains("inf"),
        "a number that is none"
    );
}

#[test]
fn a_gain_is_told_from_noise() {
    let f = Folder::new();
    let (qrels, base, better) = f.two_runs();
    let d = json(&[
        "compare",
        &qrels,
        &base,
        &better,
        "--measures",
        "RR",
        "--format",
        "json",
    ]);
    let c = &d["comparison"]["comparisons"][0];
    assert_eq!((&c["run"], &c["measure"]), (&"better".into(), &"RR".into()));
    assert_eq!(
        (c["wins"].as_u64(), c["losses"].as_u64()),
        (Some(11), Some(1))
    );
    assert_eq!(c["significant"], true);
    // Eleven gains of ⅔, one loss of ⅓: as far off are 4096 assignments' ends.
    let p = c["randomisation"]["p"].as_f64().unwrap();
    assert!(c["randomisation"]["exact"] == true && p < 0.01, "{c:#}");
    let moved = &c["moved"][0];
    assert_eq!(moved["documents"][0]["document"], "a");
    assert_eq!(
        (
            &moved["documents"][0]["before"],
            &moved["documents"][0]["after"]
        ),
        (&3.into(), &1.into())
    );
    // The same question gets the same answer.
    assert_eq!(
        d,
        json(&[
            "compare",
            &qrels,
            &base,
            &better,
            "--measures",
            "RR",
            "--format",
            "json"
        ])
    );
    // The other way round.
    let back = json(&[
        "compare",
        &qrels,
        &base,
        &better,
        "--baseline",
        "better",
        "--measures",
        "RR",
        "--format",
        "json",
    ]);
    let b = &back["comparison"]["comparisons"][0];
    assert_eq!(
        b["difference"].as_f64().unwrap(),
        -c["difference"].as_f64().unwrap()
    );

    let table = ok(&["compare", &qrels, &base, &better]);
    for told in [
        "better, same, worse",
        "11/0/1",
        "9 times in 10",
        "■ q1",
        "3 → 1  a",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    assert!(ok(&["compare", &qrels, &base, &better, "--lang", "zh"]).contains("十次中有九次"));
    assert_page(&ok(&[
        "compare", &qrels, &base, &better, "--format", "html", "--lang", "zh",
    ]));
    // A look that is one of many counts for less.
    let strict = json(&[
        "compare", &qrels, &base, &better, "--looks", "20", "--look", "1", "--format", "json",
    ]);
    assert!(strict["comparison"]["level"].as_f64().unwrap() < 1e-6);
    assert_eq!(strict["comparison"]["comparisons"][0]["significant"], false);
}

#[test]
fn bad_input_ends_with_two_and_writes_nothing() {
    let f = Folder::new();
    let (qrels, base, better) = f.two_runs();
    let out = f.path("out.html").display().to_string();
    let e = |args: &[&str], code: i32, words: &[&str]| {
        let mut all = vec!["eval"];
        all.extend(args);
        all.extend(["--format", "json", "--out", &out]);
        fails(&all, code, words);
        assert!(!f.path("out.html").exists());
        // Nor on stdout.
        assert_eq!(run(&all).out, "");
    };
    let missing_column = f.write("r1", "q1 Q0 a 1 0.5 s\nq1 Q0 b 2 s\n");
    e(
        &[&qrels, &missing_column],
        2,
        &["r1:2", "5 of 6", "field 6 (tag)"],
    );
    let text_grade = f.write("q1", "q1 0 a high\n");
    e(
        &[&text_grade, &base],
        2,
        &["q1:1", "field 4 (grade)", "`high`"],
    );
    let empty = f.write("r2", "");
    e(&[&qrels, &empty], 2, &["r2", "empty"]);
    let twice = f.write("r3", "q1 Q0 a 1 2 s\r\nq1 Q0 a 2 1 s\r\n");
    e(&[&qrels, &twice], 2, &["r3:2", "stands twice"]);
    e(
        &[&qrels, &base, "--measures", "nDGC@10"],
        2,
        &["nDGC", "did you mean `nDCG`"],
    );
    e(&[&qrels, &base, "--measures", "P"], 2, &["P@10"]);
    e(&[&qrels, "no-such-run"], 1, &["no-such-run"]);
    e(&[&qrels], 2, &["RUN"]);
    let strangers = f.write("r4", "other Q0 a 1 2 s\n");
    e(&[&qrels, &strangers], 2, &["none of the judged queries"]);
    // Two runs over different queries.
    let (one, two) = (
        f.write("r5", "q1 Q0 a 1 2 one\n"),
        f.write("r6", "q2 Q0 a 1 2 two\n"),
    );
    e(
        &[&qrels, &one, &two],
        2,
        &["one", "two", "different queries"],
    );
    let c = |args: &[&str], words: &[&str]| {
        let mut all = vec!["compare", qrels.as_str()];
        all.extend(args);
        fails(&all, 2, words);
    };
    c(&[&base, &one], &["different queries", "--missing"]);
    ok(&["compare", &qrels, &base, &one, "--missing", "zero"]);
    ok(&["compare", &qrels, &base, &one, "--missing", "skip"]);
    c(&[&base], &["two runs"]);
    c(
        &[&base, &better, "--baseline", "nobody"],
        &["nobody", "base, better"],
    );
    c(&[&base, &better, "--alpha", "2"], &["between 0 and 1"]);
    c(
        &[&base, &better, "--looks", "3", "--look", "4"],
        &["planned"],
    );
    c(&[&base, &better, "--looks", "3"], &["--look"]);
    // A byte-order mark and Windows line ends are no reason to fail.
    let windows = f.write(
        "r7",
        format!(
            "\u{feff}{}",
            fs::read_to_string(&base).unwrap().replace('\n', "\r\n")
        ),
    );
    assert_eq!(
        json(&["eval", &qrels, &windows, "--format", "json"])["runs"][0]["measures"],
        json(&["eval", &qrels, &base, "--format", "json"])["runs"][0]["measures"]
    );
}

#[test]
fn gaps_are_told_and_counted() {
    let f = Folder::new();
    let (qrels, ..) = f.two_runs();
    let one = f.write("one", "q1 Q0 a 1 2 one\nelse Q0 a 1 1 one\n");
    let s = run(&["eval", &qrels, &one, "--measures", "RR", "--format", "json"]);
    assert!(s.err.contains("11 / 12"), "{}", s.err);
    let d: Value = serde_json::from_str(&s.out).unwrap();
    assert_eq!(d["runs"][0]["measures"]["RR"], 1.0 / 12.0);
    assert_eq!(d["runs"][0]["unanswered"].as_array().unwrap().len(), 11);
    let skip = json(&[
        "eval",
        &qrels,
        &one,
        "--measures",
        "RR",
        "--format",
        "json",
        "--missing",
        "skip",
    ]);
    assert_eq!(skip["runs"][0]["measures"]["RR"], 1.0);
}

#[test]
fn runs_of_one_name_are_told_apart() {
    let f = Folder::new();
    let (qrels, base, _) = f.two_runs();
    let again = f.write("again.trec", fs::read(&base).unwrap());
    let d = json(&["eval", &qrels, &base, &again, "--format", "json"]);
    assert_eq!(
        (&d["runs"][0]["run"], &d["runs"][1]["run"]),
        (&"base".into(), &"again".into())
    );
    let d = json(&["eval", &qrels, &base, &base, "--format", "json"]);
    assert_eq!(d["runs"][1]["run"], "base (2)");
}

#[test]
fn a_pipe_and_a_collection() {
    let f = Folder::new();
    let (qrels, base, _) = f.two_runs();
    f.write("c/qrels.trec", fs::read(&qrels).unwrap());
    f.write(
        "c/corpus.jsonl",
        "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"n\"}\n",
    );
    let folder = f.path("c").display().to_string();
    let expected = ok(&["eval", &qrels, &base]);
    assert_eq!(ok(&["eval", &folder, &base]), expected);
    if cfg!(unix) {
        let mut cat = Command::new("cat")
            .arg(&base)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = queqiao(&["eval", &qrels, "/dev/stdin"])
            .stdin(cat.stdout.take().unwrap())
            .output()
            .unwrap();
        cat.wait().unwrap();
        let s = said(&out);
        assert_eq!((s.code, s.out), (0, expected), "{}", s.err);
    }
}

#[test]
fn ids_with_white_space_come_back_from_a_run() {
    let f = Folder::new();
    let needs = ["需求 1", "q\u{3000}2", "50% off", "plain%20id"];
    let texts = ["轴承降噪", "电池热失控", "海水除硼", "叶片防冰"];
    let line =
        |id: &str, text: &str| format!("{}\n", serde_json::json!({"_id": id, "title": text}));
    let lines = |mark: &str| -> String {
        let both = needs.iter().zip(texts);
        both.map(|(n, t)| line(&format!("{n}{mark}"), t)).collect()
    };
    f.write("c/queries.jsonl", lines(""));
    f.write("c/corpus.jsonl", lines(" 号"));
    let judged = needs.map(|n| format!("{n}\t{n} 号\t1\n")).concat();
    f.write(
        "c/qrels/test.tsv",
        format!("query-id\tcorpus-id\tscore\n{judged}"),
    );
    let (folder, out) = (
        f.path("c").display().to_string(),
        f.path("out.trec").display().to_string(),
    );
    for pool in ["all", "judged"] {
        ok(&["rank", &folder, "--pool", pool, "--run", &out]);
        let run = fs::read_to_string(&out).unwrap();
        // As trec_eval cuts it, and as Python does.
        for l in run.lines() {
            assert_eq!(l.split_whitespace().count(), 6, "{l}");
            l.split_whitespace().nth(4).unwrap().parse::<f64>().unwrap();
        }
        assert!(run.contains("plain%20id %d plain%2520id%20号 1 "), "{run}");
        let d = json(&[
            "eval",
            &folder,
            &out,
            "--measures",
            "RR,SetR",
            "--format",
            "json",
        ]);
        let m = &d["runs"][0]["measures"];
        assert_eq!((&m["RR"], &m["SetR"]), (&1.0.into(), &1.0.into()));
    }
    let wrong = f.write("wrong.trec", "q%2 %q d 1 0.5 s\n");
    fails(
        &["eval", &folder, &wrong],
        2,
        &["wrong.trec:1", "field 1 (query)", "%20"],
    );
}

#[test]
fn real_collections_evaluate_what_rank_writes() {
    let Some(shared) = shared() else { return };
    let f = Folder::new();
    let folder = shared.join("collections/dblp-expert").display().to_string();
    let (a, b) = (
        f.path("a.trec").display().to_string(),
        f.path("b.trec").display().to_string(),
    );
    ok(&["rank", &folder, "--mode", "hybrid", "--run", &a]);
    ok(&["rank", &folder, "--mode", "lexical", "--run", &b]);
    let d = json(&[
        "eval",
        &folder,
        &a,
        &b,
        "--measures",
        "AP,P@10",
        "--format",
        "json",
    ]);
    let ap = |i: usize| d["runs"][i]["measures"]["AP"].as_f64().unwrap();
    println!("dblp-expert AP: hybrid {:.4}, lexical {:.4}", ap(0), ap(1));
    assert!(ap(0) > 0.2 && ap(1) > 0.2, "{d:#}");
    assert_page(&ok(&["compare", &folder, &b, &a, "--format", "html"]));
}
