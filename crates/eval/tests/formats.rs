//! What files may look like, and what is said of those that are wrong.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use queqiao_eval::{
    Cause, Error, Evaluation, Evaluator, Missing, Options, Precision, Qrels, Run, Supply,
    evaluate_file, parse_list,
};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let p = self.0.path().join(name);
        fs::create_dir_all(p.parent().unwrap()).unwrap();
        fs::write(&p, bytes).unwrap();
        p
    }
}

const QRELS: &str = "q1 0 a 2\nq1 0 b 0\nq1 0 c 1\nq2 0 a 1\nq2 0 z -1\n";
const RUN: &str = "q1 Q0 b 1 9.5 sys\nq1 Q0 a 2 8 sys\nq1 Q0 x 3 7 sys\nq1 Q0 c 4 1e-3 sys\n\
                   q2 Q0 z 1 3 sys\nq2 Q0 a 2 2 sys\n";

fn evaluate(qrels: &Path, run: &Path) -> Result<Evaluation, Error> {
    let qrels = Qrels::read(qrels)?;
    let measures = parse_list("nDCG@10,AP,RR,Bpref,infAP,NumRet,NumRel,Judged@3").unwrap();
    evaluate_file(&qrels, run, &measures, Options::default())
}

fn means(qrels: &Path, run: &Path) -> Vec<f64> {
    evaluate(qrels, run).unwrap().means
}

fn gz(text: &str) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    e.write_all(text.as_bytes()).unwrap();
    e.finish().unwrap()
}

#[test]
fn every_format_reads_the_same() {
    let f = Folder::new();
    let plain_qrels = f.write("qrels", QRELS);
    let plain_run = f.write("run", RUN);
    let expected = means(&plain_qrels, &plain_run);

    let bom_crlf = format!("\u{feff}{}", QRELS.replace('\n', "\r\n"));
    let tsv = "query-id\tcorpus-id\tscore\nq1\ta\t2\nq1\tb\t0\nq1\tc\t1\nq2\ta\t1\nq2\tz\t-1\n";
    let qrels: Vec<(&str, Vec<u8>)> = vec![
        ("bom, crlf", bom_crlf.clone().into()),
        ("tabs and spaces", QRELS.replace(" 0 ", "\t 0 \t").into()),
        ("comments and blank lines", format!("# judged by hand\n\n{QRELS}\n  \n").into()),
        ("no last line end", QRELS.trim_end().into()),
        ("decimals", QRELS.replace(" 2\n", " 2.0\n").into()),
        ("tsv", tsv.into()),
        ("tsv, other order", "doc_id\trelevance\tquery_id\na\t2\tq1\nb\t0\tq1\nc\t1\tq1\na\t1\tq2\nz\t-1\tq2\n".into()),
        ("three columns, no header", "q1 a 2\nq1 b 0\nq1 c 1\nq2 a 1\nq2 z -1\n".into()),
        ("json", r#"{"q1": {"a": 2, "b": 0, "c": 1}, "q2": {"a": 1, "z": -1}}"#.into()),
        ("json lines", "{\"query_id\":\"q1\",\"doc_id\":\"a\",\"relevance\":2}\n{\"qid\":\"q1\",\"docno\":\"b\",\"rel\":0}\n{\"query-id\":\"q1\",\"corpus-id\":\"c\",\"score\":1}\n{\"qid\":\"q2\",\"docid\":\"a\",\"label\":1}\n{\"qid\":\"q2\",\"docid\":\"z\",\"label\":-1}\n".into()),
        ("gzip", gz(QRELS)),
        ("gzip, two members, bom", [gz(&bom_crlf), gz("# the end\r\n")].concat()),
        ("zstd", zstd::encode_all(QRELS.as_bytes(), 3).unwrap()),
    ];
    for (what, bytes) in qrels {
        let q = f.write("other", bytes);
        assert_eq!(means(&q, &plain_run), expected, "qrels: {what}");
    }

    let scattered: String = {
        let mut l: Vec<&str> = RUN.lines().collect();
        l.sort_by_key(|l| l.len() * 7 % 5);
        l.join("\n")
    };
    let runs: Vec<(&str, Vec<u8>)> = vec![
        ("bom, crlf", format!("\u{feff}{}", RUN.replace('\n', "\r\n")).into()),
        ("tabs", RUN.replace(' ', "\t").into()),
        ("tabs and spaces, junk after the tag", RUN.replace(" Q0 ", "\tQ0\t ").replace("sys", "sys and more").into()),
        ("scattered", scattered.into()),
        ("json", r#"{"q1":{"c":0.001,"a":8,"x":7,"b":9.5},"q2":{"a":2,"z":3}}"#.into()),
        ("json, indented", "{\n \"q1\": {\n  \"c\": 0.001,\n  \"a\": 8, \"x\": 7, \"b\": 9.5},\n \"q2\":{\"a\":2,\"z\":3}\n}\n".into()),
        ("json lines", "{\"qid\":\"q2\",\"docid\":\"z\",\"score\":3}\n{\"qid\":\"q1\",\"docid\":\"a\",\"score\":8}\n{\"qid\":\"q1\",\"docid\":\"b\",\"score\":9.5}\n{\"qid\":\"q1\",\"docid\":\"x\",\"score\":7}\n{\"qid\":\"q1\",\"docid\":\"c\",\"score\":1e-3}\n{\"qid\":\"q2\",\"docid\":\"a\",\"score\":2}".into()),
        ("gzip", gz(RUN)),
        ("zstd", zstd::encode_all(RUN.as_bytes(), 3).unwrap()),
    ];
    for (what, bytes) in runs {
        let r = f.write("other", bytes);
        assert_eq!(means(&plain_qrels, &r), expected, "run: {what}");
    }
}

#[test]
fn a_folder_is_a_collection() {
    let f = Folder::new();
    f.write(
        "c/corpus.jsonl",
        "{\"_id\":\"a\"}\n{\"_id\":\"b\",\"title\":\"x\"}\n",
    );
    let run = f.write("run", RUN);
    let folder = f.0.path().join("c");
    let e = evaluate(&folder, &run).unwrap_err();
    assert!(e.to_string().contains("qrels/test.tsv"), "{e}");
    f.write("c/qrels.trec.gz", gz(QRELS));
    let expected = means(&f.write("qrels", QRELS), &run);
    assert_eq!(means(&folder, &run), expected);
    // BEIR's own file comes first.
    f.write("c/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\ta\t1\n");
    assert_eq!(Qrels::read(&folder).unwrap().judgements(), 1);
    let supply = Supply::of_collection(&folder).unwrap().unwrap();
    assert_eq!(supply.ids.len(), 2);
}

#[test]
fn ids_may_hold_spaces_between_tabs_and_any_script() {
    let f = Folder::new();
    let q = f.write("q", "需求 1\t0\t专家 7\t2\n");
    let r = f.write("r", "需求 1\tQ0\t专家 7\t1\t0.5\t系统\n");
    let e = evaluate(&q, &r).unwrap();
    assert_eq!((e.means[0], e.run.as_str()), (1.0, "系统"));
}

/// Bad input: what is wrong, and words of the message.
fn check(qrels: &str, run: &str, cause: Cause, words: &[&str]) {
    let f = Folder::new();
    let (q, r) = (f.write("my.qrels", qrels), f.write("my.run", run));
    let e = evaluate(&q, &r).unwrap_err();
    let told = e.to_string();
    assert_eq!(e.cause, cause, "{told}");
    assert!(e.cause.is_input());
    for w in words {
        assert!(told.contains(w), "`{w}` is not in: {told}");
    }
    assert!(e.message().zh.chars().any(|c| c > '\u{4e00}'), "{e}");
    assert!(told.len() < 600, "{told}");
}

#[test]
fn bad_input_is_named_with_file_line_and_field() {
    use Cause::*;
    check(
        QRELS,
        "q1 Q0 a 1 2.5 s\nq1 Q0 b 2 s\n",
        Columns,
        &["my.run:2", "5 of 6", "field 6 (tag)"],
    );
    check(QRELS, "q1 Q0 a\n", Columns, &["my.run:1", "field 4 (rank)"]);
    check(
        QRELS,
        "q1 Q0 a 1 high s\n",
        Number,
        &["my.run:1", "field 5 (score)", "`high`"],
    );
    check(
        QRELS,
        "q1 Q0 a 1 NaN s\n",
        Number,
        &["my.run:1", "field 5 (score)", "NaN"],
    );
    check(QRELS, "q1 Q0 a 1 nan s\n", Number, &["not a number"]);
    check(QRELS, "q1 Q0 a 1 -nan s\n", Number, &["my.run:1"]);
    check(
        QRELS,
        "q1 Q0 a 1 2 s\nq1 Q0 b 2 1 s\nq1 Q0 a 3 0 s\n",
        Duplicate,
        &["my.run:3", "`a`", "`q1`", "line 1"],
    );
    // Also where the answers to a query are scattered.
    check(
        QRELS,
        "q1 Q0 a 1 2 s\nq2 Q0 b 2 1 s\nq1 Q0 a 3 0 s\n",
        Duplicate,
        &["my.run:3", "line 1"],
    );
    check(QRELS, "", Empty, &["my.run", "empty"]);
    check(QRELS, "\n# nothing\n", Empty, &["my.run"]);
    check(
        QRELS,
        "other Q0 a 1 2 s\n",
        Queries,
        &["my.run", "none of the judged queries"],
    );
    check(
        "q1 0 a high\n",
        RUN,
        Number,
        &["my.qrels:1", "field 4 (grade)", "`high`"],
    );
    check("q1 0 a nan\n", RUN, Number, &["my.qrels:1", "grade"]);
    check(
        "q1 0 a 1\nq1 0 b\n",
        RUN,
        Columns,
        &["my.qrels:2", "3 columns", "4"],
    );
    check("q1 0 a 1 x\n", RUN, Columns, &["my.qrels:1", "more than 4"]);
    check("q1 a 1\nq1 0 b 1\n", RUN, Columns, &["my.qrels:2"]);
    check(
        "q1 0 a 1\nq1 0 b 1\nq1 0 a 0\n",
        RUN,
        Duplicate,
        &["my.qrels:3", "line 1"],
    );
    check("", RUN, Empty, &["my.qrels", "no judgements"]);
    check("query-id\tcorpus-id\tscore\n", RUN, Empty, &["my.qrels"]);
    check(
        "query-id\tcorpus-id\tscore\nq1\ta\thigh\n",
        RUN,
        Number,
        &["my.qrels:2", "field 3 (grade)"],
    );
    // Judged for two subtopics, which AP does not know.
    check(
        "q1 1 a 1\nq1 2 a 1\n",
        RUN,
        Unfit,
        &["line 2", "alpha_nDCG"],
    );
    check(r#"{"q1": {"a": "high"}}"#, RUN, Json, &["my.qrels:1"]);
    check(
        "{\"q1\":\n {\"a\": 1,\n \"a\": 2}}",
        RUN,
        Duplicate,
        &["my.qrels:3", "line 2"],
    );
    check(
        "{\"qid\":\"q1\",\"docid\":\"a\",\"rel\":1}\n{\"qid\":\"q1\"}\n",
        RUN,
        Json,
        &["my.qrels:2", "doc_id"],
    );
    check(QRELS, "{\"q1\": {\"a\": 1.5", Json, &["my.run:1"]);
    check(QRELS, "{}", Empty, &["my.run"]);
    check(
        QRELS,
        "{\"qid\":\"q1\",\"docid\":\"a\"}\n",
        Json,
        &["my.run:1", "score"],
    );
}

#[test]
fn bytes_that_are_no_text() {
    let f = Folder::new();
    let q = f.write("q", QRELS);
    let check = |bytes: &[u8], cause: Cause, word: &str| {
        let e = evaluate(&q, &f.write("r", bytes)).unwrap_err();
        assert_eq!(e.cause, cause, "{e}");
        assert!(e.to_string().contains(word), "{e}");
    };
    check(
        b"q1 Q0 caf\xe9 1 2 s\n",
        Cause::Encoding,
        "r:1: not UTF-8 after byte 9",
    );
    check(b"\xff\xfeq\0", Cause::Encoding, "UTF-16");
    let mut cut = gz(RUN);
    cut.truncate(cut.len() / 2);
    check(&cut, Cause::Damaged, "damaged");
    let mut cut = zstd::encode_all(RUN.as_bytes(), 3).unwrap();
    cut.truncate(cut.len() / 2);
    check(&cut, Cause::Damaged, "damaged");
    let missing = evaluate(&q, Path::new("no-such-run")).unwrap_err();
    assert_eq!(
        (missing.cause, missing.cause.is_input()),
        (Cause::Io, false)
    );
    assert_eq!(evaluate(&q, f.0.path()).unwrap_err().cause, Cause::Io);
}

#[test]
fn a_line_of_ten_gigabytes_is_refused_in_bounded_memory() {
    let f = Folder::new();
    let q = f.write("q", QRELS);
    for head in [
        "q1 Q0 ",
        "{\"q1\": {\"",
        "{\"q1\": {\"a\": 1, \"b",
        "{\"qid",
    ] {
        let r = f.write("r", head);
        let file = File::options().append(true).open(&r).unwrap();
        if file.set_len(10 << 30).is_err() {
            println!("SKIPPED: this file system keeps no sparse file of 10 GiB");
            return;
        }
        let before = peak_kib();
        let e = evaluate(&q, &r).unwrap_err();
        assert!(
            matches!(e.cause, Cause::TooLong | Cause::Json),
            "{head}: {e}"
        );
        assert!(e.to_string().contains("r:1"), "{e}");
        if let (Some(before), Some(after)) = (before, peak_kib()) {
            assert!(
                after - before < 32 << 10,
                "{head}: {} KiB more",
                after - before
            );
        }
    }
}

/// The most memory this process has held, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn single_precision_makes_ties() {
    let qrels = Qrels::from_triples([("q", "a", 1.0)]).unwrap();
    let m = parse_list("RR").unwrap();
    for (precision, expected) in [(Precision::Double, 1.0), (Precision::Single, 0.5)] {
        let rows = [("q", "a", 1.000_000_01), ("q", "b", 1.0)];
        let run = Run::from_triples("r", rows, precision).unwrap();
        let e = queqiao_eval::evaluate(&qrels, &run, &m, Options::default()).unwrap();
        assert_eq!(e.means, [expected]);
    }
}

#[test]
fn a_query_without_answers_counts_or_not() {
    let qrels = Qrels::from_triples([("q", "a", 1.0), ("p", "a", 1.0)]).unwrap();
    let run =
        Run::from_triples("r", [("q", "a", 1.0), ("x", "a", 1.0)], Precision::Double).unwrap();
    let m = parse_list("AP,NumQ").unwrap();
    for (missing, expected) in [(Missing::Zero, [0.5, 2.0]), (Missing::Skip, [1.0, 1.0])] {
        let options = Options {
            missing,
            ..Options::default()
        };
        let e = Evaluator::new(&qrels, &m, options)
            .unwrap()
            .run(&run)
            .unwrap();
        assert_eq!(e.means, expected);
        assert_eq!(
            (e.answered, e.unanswered.as_slice()),
            (1, ["p".to_owned()].as_slice())
        );
        assert_eq!(e.unjudged_queries, 1);
    }
}

/// A few queries and documents, so that ties, gaps and strangers are common.
fn rows() -> impl Strategy<Value = Vec<(u8, u8, i8)>> {
    prop::collection::vec((0..5u8, 0..12u8, -3..4i8), 1..60).prop_map(|mut v| {
        v.sort_unstable();
        v.dedup_by_key(|r| (r.0, r.1));
        v
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_lines_and_any_reader_gives_the_same(
        judged in rows(), answers in rows(), seed in any::<u64>()
    ) {
        let f = Folder::new();
        let qrels: String = judged.iter().map(|(q, d, g)| format!("q{q} 0 d{d} {g}\n")).collect();
        let line = |(q, d, s): &(u8, u8, i8)| format!("q{q} Q0 d{d} 0 {s} r\n");
        let grouped: String = answers.iter().map(line).collect();
        let mut shuffled = answers.clone();
        shuffled.sort_by_key(|r| (u64::from(r.0) * 31 + u64::from(r.1)) ^ seed.rotate_left(u32::from(r.1)));
        let shuffled: String = shuffled.iter().map(line).collect();
        let q = f.write("q", qrels);
        let (a, b) = (f.write("a", grouped), f.write("b", shuffled));
        match (evaluate(&q, &a), evaluate(&q, &b)) {
            (Ok(x), Ok(y)) => {
                for i in 0..x.queries.len() {
                    prop_assert_eq!(x.row(i), y.row(i));
                }
                prop_assert_eq!(&x.means, &y.means);
                let qrels = Qrels::read(&q).unwrap();
                let run = Run::read(&b, Precision::Double).unwrap();
                let held = Evaluator::new(&qrels, &x.measures, Options::default()).unwrap().run(&run).unwrap();
                prop_assert_eq!(&x.means, &held.means);
            }
            (Err(x), Err(y)) => prop_assert_eq!(x.cause, y.cause),
            (x, y) => prop_assert!(false, "{:?} {:?}", x.is_ok(), y.is_ok()),
        }
    }

    #[test]
    fn hostile_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let f = Folder::new();
        let (q, r) = (f.write("q", QRELS), f.write("r", &bytes));
        let _ = evaluate(&q, &r);
        let _ = evaluate(&r, &f.write("run", RUN));
    }

    #[test]
    fn hostile_text_gets_an_answer(text in r#"([{}":,qa10 \t\n.#-]|q1 Q0 a 1 |"q1"|\{"qid":){0,60}"#) {
        let f = Folder::new();
        let (q, r) = (f.write("q", QRELS), f.write("r", &text));
        let _ = evaluate(&q, &r);
        let _ = evaluate(&r, &f.write("run", RUN));
        let _ = parse_list(&text);
    }
}
