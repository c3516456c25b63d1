//! Hostile bytes are errors or bad rows, and never a panic.

use crate::common::{file, fill, read, with_part, workbook};
use proptest::prelude::*;
use queqiao_intake::{BadRowsWriter, ImportOptions, Source};
use rust_xlsxwriter::Worksheet;

/// Reads whatever it is, and writes its bad rows.
fn survives(name: &str, bytes: &[u8]) {
    let f = file(name, bytes);
    if let Ok(mut source) = Source::open(&f.path, &ImportOptions::default()) {
        let mut bad = BadRowsWriter::beside(&source);
        for row in &mut source {
            match row {
                Ok(row) => bad.write(&row).unwrap(),
                Err(e) => assert!(!e.to_string().is_empty()),
            }
        }
        bad.finish().unwrap();
    }
}

fn book() -> Vec<u8> {
    let sheet = |s: &mut Worksheet| {
        fill(
            s,
            &[
                &["需求名称", "技术难题", "拟投入资金", "备注"],
                &["甲", "乙", "100", "x"],
                &["丙", "丁", "多", "y"],
            ],
        );
        s.write_number(1, 3, 1.5).unwrap();
    };
    std::fs::read(workbook("需求.xlsx", &[("Sheet1", &sheet)]).path).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), name in "x\\.(csv|tsv|jsonl|json|xlsx|txt)") {
        survives(&name, &bytes);
        survives(&name, &[b"PK\x03\x04", bytes.as_slice()].concat());
        survives(&name, &["需求名称,kind\n".as_bytes(), bytes.as_slice()].concat());
    }

    #[test]
    fn random_tables(text in "(kind|title|需求名称|budget|=|甲|need|expert|[\",;|\t\n\r{}\\[\\]:\0]){0,40}") {
        for name in ["x.csv", "x.tsv", "需求.jsonl", "x.json"] {
            survives(name, text.as_bytes());
        }
    }

    #[test]
    fn random_objects(
        key in "kind|title|passages|links|budget|readiness|capacity|travel|availability|contact|attributes|organisation|industries|keywords|valid_until",
        value in "(\\[|\\{|\\}|\\]|\"a\"|:|,|1|null|true|-1e999|\"min\"|\"2026-01-01\"){0,8}",
    ) {
        for kind in ["need", "expert", "achievement"] {
            survives("x.jsonl", format!("{{\"kind\":\"{kind}\",\"title\":\"t\",\"{key}\":{value}}}").as_bytes());
        }
    }

    #[test]
    fn damaged_workbooks(cut in any::<prop::sample::Index>(), flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let mut bytes = book();
        for (at, b) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= b;
        }
        survives("需求.xlsx", &bytes);
        bytes.truncate(cut.index(bytes.len()));
        survives("需求.xlsx", &bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// The checksums are right, so the damage reaches the parser.
    #[test]
    fn damaged_parts(
        part in prop_oneof![
            Just("xl/worksheets/sheet1.xml"),
            Just("xl/sharedStrings.xml"),
            Just("xl/workbook.xml"),
            Just("xl/_rels/workbook.xml.rels"),
            Just("xl/styles.xml"),
        ],
        edits in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0..6_usize, "([<>/\"=&;A-Z0-9 ]|99999999999|<mergeCell ref=\"A1:A99999999\"/>|<row r=\"0\">|t=\"s\"){0,3}"),
            1..5,
        ),
    ) {
        let bytes = with_part(part, |mut xml| {
            for (at, cut, new) in &edits {
                let at = at.index(xml.len().max(1)).min(xml.len());
                let end = (at + cut).min(xml.len());
                xml.splice(at..end, new.bytes());
            }
            xml
        });
        survives("需求.xlsx", &bytes);
    }
}

#[test]
fn nothing_but_nul_and_worse() {
    for bytes in [
        vec![0; 10_000],
        b"\"".repeat(10_000),
        b",".repeat(100_000),
        b"{".repeat(100_000),
        b"[".repeat(100_000),
        b"\n".repeat(100_000),
        "需求名称\n\0\0".as_bytes().to_vec(),
        "需求名称,需求名称#2,需求名称#2\na,b,c\n"
            .as_bytes()
            .to_vec(),
    ] {
        for name in ["x.csv", "x.tsv", "x.jsonl", "x.json", "x.xlsx"] {
            survives(name, &bytes);
        }
    }
}

#[test]
fn a_source_may_be_dropped_halfway() {
    let sheet = |s: &mut Worksheet| {
        fill(s, &[&["需求名称"]]);
        for r in 1..5000 {
            s.write_string(r, 0, format!("需求{r}")).unwrap();
        }
    };
    let f = workbook("需求.xlsx", &[("Sheet1", &sheet)]);
    let mut source = Source::open(&f.path, &ImportOptions::default()).unwrap();
    assert!(source.next().is_some());
    drop(source);
    assert!(read(&f.path, &ImportOptions::default()).unwrap().len() == 4999);
}
