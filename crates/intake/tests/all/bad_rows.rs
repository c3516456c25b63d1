//! Bad rows go to a file that, mended, imports.

use crate::common::{File, file, fill, read, workbook};
use queqiao_intake::{BadRowsWriter, Cell, ImportOptions, Issue, RowResult, Source};
use std::path::{Path, PathBuf};

/// Writes the bad rows of a file; gives their file and their issues.
fn bad(path: &Path) -> (Option<PathBuf>, Vec<Vec<Issue>>) {
    let mut source = Source::open(path, &ImportOptions::default()).unwrap();
    let mut writer = BadRowsWriter::beside(&source);
    let mut all = Vec::new();
    for row in &mut source {
        let row = row.unwrap();
        writer.write(&row).unwrap();
        if let RowResult::Bad(i) = row.result {
            all.push(i);
        }
    }
    (writer.finish().unwrap(), all)
}

/// Bad rows stay the same bad rows, however often they go round.
fn goes_round(f: &File, name: &str) -> PathBuf {
    let (path, first) = bad(&f.path);
    let path = path.expect("a row was bad");
    assert_eq!(path.file_name().unwrap(), name);
    let problems = |all: &[Vec<Issue>]| -> Vec<Vec<String>> {
        all.iter()
            .map(|i| {
                i.iter()
                    .map(|i| {
                        format!(
                            "{:?} {} {}",
                            i.column.as_ref().map(|c| &c.name),
                            i.value,
                            i.expected.en
                        )
                    })
                    .collect()
            })
            .collect()
    };
    let copy = path.with_file_name(format!("again-{name}"));
    std::fs::copy(&path, &copy).unwrap();
    let (_, second) = bad(&copy);
    assert_eq!(problems(&first), problems(&second));
    path
}

#[test]
fn csv() {
    let f = file(
        "需求.csv",
        "编号,需求名称,拟投入资金,备注\nN-1,甲,很多,=1+1\nN-2,乙,100,\nN-3,丙,-5,\"两\n行\"\n",
    );
    let path = goes_round(&f, "需求.bad.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "\u{feff}编号,需求名称,拟投入资金,备注,错误 / error"
    );
    assert!(
        lines[1].starts_with("N-1,甲,很多,'=1+1,\"拟投入资金：不是金额；应为金额"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("N-3,丙,-5,\"两\n行\","),
        "{}",
        lines[2]
    );
    // Mended, it imports.
    let mended = text.replace("很多", "50").replace("-5", "60");
    std::fs::write(&path, mended).unwrap();
    let rows = read(&path, &ImportOptions::default()).unwrap();
    assert_eq!(rows.len(), 2);
    for r in rows {
        let RowResult::Record(r) = r.result else {
            panic!("{r:?}")
        };
        assert!(!r.get().attributes.keys().any(|k| k.contains("错误")));
    }
}

#[test]
fn ragged_rows_stay_bad_until_their_mark_is_cleared() {
    let f = file("需求.csv", "编号,需求名称,技术难题\nN-1,甲\nN-2,乙,丙,丁\n");
    let (path, _) = bad(&f.path);
    let path = path.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("N-1,甲,,\"[列数 / columns] "), "{text}");
    let (again, issues) = bad(&path);
    assert_eq!((again.as_deref(), issues.len()), (Some(path.as_path()), 2));
    let fixed = "编号,需求名称,技术难题,错误 / error\nN-1,甲,,\nN-2,乙,丙丁,anything\n";
    std::fs::write(&path, fixed).unwrap();
    assert_eq!(bad(&path), (None, vec![]));
}

#[test]
fn tsv_becomes_csv() {
    let f = file("needs.tsv", "id\ttitle\tbudget\n1\ta,b\\n  c\tmuch\n");
    goes_round(&f, "needs.bad.csv");
}

#[test]
fn jsonl() {
    let f = file(
        "x.jsonl",
        "{\"kind\":\"need\",\"title\":\"甲\",\"budget\":\"多\"}\nnot json\n[1]\n{\"kind\":\"need\",\"title\":\"乙\"}\n",
    );
    let path = goes_round(&f, "x.bad.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(
        text.lines()
            .all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok())
    );
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .starts_with(r#"{"原文 / line":"not json","错误 / error":"#)
    );
}

#[test]
fn xlsx() {
    let first = |s: &mut rust_xlsxwriter::Worksheet| {
        fill(
            s,
            &[
                &["需求名称", "拟投入资金", "截止日期", "备注"],
                &["甲", "很多", "", "=SUM(A1)"],
                &["乙", "1", "", ""],
            ],
        );
        s.write_number(1, 2, 46_349).unwrap();
    };
    let second = |s: &mut rust_xlsxwriter::Worksheet| {
        fill(
            s,
            &[&["姓名", "职称", "专家类别"], &["赵一", "教授", "无此类"]],
        )
    };
    let f = workbook("表.xlsx", &[("需求", &first), ("专家", &second)]);
    let path = goes_round(&f, "表.bad.xlsx");
    let rows = read(&path, &ImportOptions::default()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].place.sheet.as_deref(), Some("需求"));
    assert_eq!(
        rows[0].raw.header().last().map(String::as_str),
        Some("错误 / error")
    );
    assert_eq!(rows[0].raw.cells()[2], Cell::Number(46_349.0));
    assert_eq!(rows[0].raw.cells()[3], Cell::Text("=SUM(A1)".into()));
    assert_eq!(rows[1].place.sheet.as_deref(), Some("专家"));
}

#[test]
fn no_file_without_bad_rows() {
    let f = file("需求.csv", "需求名称\n甲\n");
    assert_eq!(bad(&f.path), (None, vec![]));
    assert_eq!(std::fs::read_dir(f.dir.path()).unwrap().count(), 1);
}
