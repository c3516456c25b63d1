//! jsonl and json: the domain's own form, BEIR's, and free objects.

use crate::common::{complaints, file, issues, read, record, records, rows};
use queqiao_domain::{Detail, Kind, Record};
use queqiao_intake::{Format, ImportOptions, RowResult, Source};

const NEED: &str = r#"{"id":"N-1","title":" 高韧性\r\n","passages":[{"title":"a","text":"b"}],"keywords":["a；b",""],"industries":["C3973"],"region":"440300","organisation":{"name":"某公司","uscc":"91350100M000100Y43"},"links":[{"relation":"worked_with","target":"无"}],"visibility":"sealed","attributes":{"title":"x","预算":"y"},"kind":"need","problem":"韧性","targets":["1、甲","乙"],"budget":{"min":500000.0},"least_readiness":{"level":6,"scale":"trl"},"contact":{"name":"张三"}}"#;

#[test]
fn the_domains_form_is_read_exactly() {
    let direct: Record = serde_json::from_str(NEED).unwrap();
    assert_eq!(record("x.jsonl", NEED), direct);
}

#[test]
fn beir_is_read() {
    let rows = rows(
        "corpus.jsonl",
        concat!(
            r#"{"_id": "中医学/中药学-0", "kind": "expert", "title": "", "text": "", "passages": [{"title": "", "text": "观察"}]}"#,
            "\n",
            r#"{"_id": "q4", "kind": "need", "title": "一体化协同机制", "text": "内容", "metadata": {}}"#,
            "\n"
        ),
    );
    let r = records(&rows);
    assert_eq!(
        r[0].id.as_str(),
        "%E4%B8%AD%E5%8C%BB%E5%AD%A6%2F%E4%B8%AD%E8%8D%AF%E5%AD%A6-0"
    );
    assert_eq!((r[0].kind(), r[0].passages.len()), (Kind::Expert, 1));
    let Detail::Need(n) = &r[1].detail else {
        panic!()
    };
    assert_eq!(n.problem, "内容");
    assert!(r[1].attributes.is_empty());
}

#[test]
fn free_objects_are_read_like_rows() {
    let r = record(
        "x.jsonl",
        r#"{"需求名称":"甲","拟投入资金":"50-200万","合作方式":["技术开发","许可"],"生产线":3,"标签":"a、b","民族":"汉","联系电话":13800000000,"网址":null}"#,
    );
    let Detail::Need(n) = &r.detail else { panic!() };
    assert_eq!(n.budget.and_then(|b| b.max), Some(200.0));
    assert_eq!(n.cooperation_modes.len(), 2);
    assert_eq!(r.keywords, ["a", "b"]);
    assert_eq!(r.attributes.keys().collect::<Vec<_>>(), ["生产线"]);
    assert_eq!(r.contact().map(|c| c.phone.as_str()), Some("13800000000"));
}

#[test]
fn broken_lines_are_rows() {
    let rows = rows(
        "x.jsonl",
        "{\"kind\":\"need\",\"title\":\"甲\"}\n\n{\"title\": oops}\n[1]\n{\"x\":1,\"kind\":\"need\"}\n",
    );
    assert!(matches!(rows[0].result, RowResult::Record(_)));
    assert_eq!(rows[1].place.row, 3);
    assert_eq!(
        issues(&rows[1])[0].problem.en,
        "the line is no JSON: expected value at column 11"
    );
    assert_eq!(
        issues(&rows[2])[0].problem.en,
        "the line is JSON but no object"
    );
    assert!(
        issues(&rows[3])[0]
            .problem
            .en
            .contains("none of the object's keys is known")
    );
    let e = crate::common::refusal("a.json", "[{\"kind\":\"need\"},");
    assert!(e.to_string().contains("this is no JSON array"), "{e}");
}

#[test]
fn wrong_shapes_are_told() {
    let found = complaints(
        "x.jsonl",
        r#"{"kind":"need","title":"甲","budget":{"min":"x"},"organisation":{"uscc":1},"problem":{"a":1}}"#,
    );
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found
            .iter()
            .any(|f| f.contains("column budget") && f.contains(r#"expected {"min": 50"#)),
        "{found:#?}"
    );
    let found = complaints(
        "x.jsonl",
        r#"{"kind":"need","title":"甲","contact":{"phone":["13800000000"]}}"#,
    );
    assert!(!found[0].contains("138"), "{found:?}");
}

#[test]
fn kinds_and_formats() {
    let f = file("x.jsonl", r#"{"title":"甲"}"#);
    assert!(
        issues(&read(&f.path, &ImportOptions::default()).unwrap()[0])[0]
            .expected
            .en
            .contains("--kind")
    );
    let rows = read(&f.path, &ImportOptions::default().with_kind(Kind::Need)).unwrap();
    assert_eq!(records(&rows).len(), 1);
    let found = complaints("x.jsonl", r#"{"kind":"exprt","title":"甲"}"#);
    assert!(found[0].contains("did you mean `expert`"), "{found:?}");

    for (name, text, format) in [
        (
            "x.json",
            r#"[{"kind":"need","title":"甲"},{"kind":"need","title":"乙"}]"#,
            Format::Json,
        ),
        (
            "x.json",
            "{\n \"kind\":\"need\",\n \"title\":\"甲\"\n}",
            Format::Json,
        ),
        (
            "x.json",
            "{\"kind\":\"need\",\"title\":\"甲\"}\n{\"kind\":\"need\",\"title\":\"乙\"}",
            Format::Jsonl,
        ),
        (
            "x.csv",
            "{\"kind\":\"need\",\"title\":\"甲\"}\n",
            Format::Jsonl,
        ),
        (
            "x.txt",
            "  [{\"kind\":\"need\",\"title\":\"甲\"}]",
            Format::Json,
        ),
    ] {
        let f = file(name, text);
        let source = Source::open(&f.path, &ImportOptions::default()).unwrap();
        assert_eq!(source.format(), format, "{text}");
        assert!(
            source
                .map(|r| r.unwrap())
                .all(|r| matches!(r.result, RowResult::Record(_))),
            "{text}"
        );
    }
}

#[test]
fn a_line_has_a_limit() {
    let mut options = ImportOptions::default();
    options.limits.cell = 1000;
    let text = format!(
        "{{\"kind\":\"need\",\"title\":\"{}\"}}\n{{\"kind\":\"need\",\"title\":\"甲\"}}\n",
        "x".repeat(5000)
    );
    let rows = read(&file("x.jsonl", text).path, &options).unwrap();
    assert!(issues(&rows[0])[0].problem.en.contains("longer than"));
    assert!(matches!(rows[1].result, RowResult::Record(_)));
}
