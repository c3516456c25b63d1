//! Corpus files of every kind, good and bad.

#![allow(clippy::unwrap_used)]

use queqiao_embed::{EmbedError, train::*};
use std::{collections::HashSet, fs, path::PathBuf};
use tempfile::TempDir;

fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn read(source: &FileSource) -> Result<Vec<Document>, EmbedError> {
    let mut all = Vec::new();
    source.visit(&mut |d| {
        all.push(d);
        Ok(())
    })?;
    Ok(all)
}

fn read_file(name: &str, content: &[u8]) -> Result<Vec<Document>, EmbedError> {
    let (_dir, path) = file(name, content);
    read(&FileSource::new(path, SourceFacts::default()))
}

const LINES: &str = concat!(
    "\u{feff}{\"id\":\"p1V2\",\"title\":\"电池\",\"abstract\":\"储能电池的热管理\",\"keywords\":[\"电池\",\"热管理；储能\"],\"abstract_en\":\"Thermal management\",\"keywords_en\":\"battery; heat\",\"clc\":\"TM912.9\"}\n",
    "\n",
    "{\"id\":\"p2\",\"title\":\"Graph theory\",\"abstract\":\"We count paths.\",\"categories\":[\"math.CO\",\"cs\"],\"passages\":[{\"title\":\"One\",\"text\":\"two\"},\"three\"]}\r\n",
);

#[test]
fn jsonl_plain_and_compressed() {
    let zst = zstd::encode_all(LINES.as_bytes(), 3).unwrap();
    for (name, bytes) in [
        ("a.jsonl", LINES.as_bytes()),
        ("a.jsonl.zst", zst.as_slice()),
    ] {
        let all = read_file(name, bytes).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].keywords, ["电池", "热管理", "储能"]);
        assert_eq!(all[0].keywords_en, ["battery", "heat"]);
        assert_eq!(
            (all[0].class.as_str(), all[1].class.as_str()),
            ("TM9", "math.CO")
        );
        assert_eq!(
            (all[1].title.as_str(), all[1].title_en.as_str()),
            ("", "Graph theory")
        );
        assert_eq!(all[1].abstract_en, "We count paths.");
        assert_eq!(all[1].paragraphs, ["One two", "three"]);
    }
}

#[test]
fn excluded_ids_and_running_text() {
    let (_dir, path) = file("a.jsonl", LINES.as_bytes());
    let body = "近年来储能电池的热管理受到关注，研究者提出了多种方案。".repeat(10);
    let texts = format!("{{\"id\":\"p2\",\"text\":\"# 引言\\n{body}\\n参考文献\\n{body}\"}}\n");
    let (_dir2, running) = file("t.jsonl", texts.as_bytes());
    let source = FileSource::new(path, SourceFacts::default())
        .with_running_text(running)
        .excluding(HashSet::from(["p1".to_owned()]));
    let all = read(&source).unwrap();
    assert_eq!(all.len(), 1, "p1V2 goes with p1");
    assert_eq!(all[0].paragraphs, [body]);
}

#[test]
fn tables_and_plain_text() {
    let all = read_file(
        "a.csv",
        "\u{feff}Title,Abstract,Keywords\n电池,\"储能，\n热\",电池;储能\n短,\n".as_bytes(),
    )
    .unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].abstract_text.as_str(), all[0].keywords.len()),
        ("储能，\n热", 2)
    );
    let all = read_file("a.tsv", "名称\t摘要\n电池\t储能\n".as_bytes()).unwrap();
    assert_eq!(
        (all[0].title.as_str(), all[0].abstract_text.as_str()),
        ("电池", "储能")
    );
    let all = read_file(
        "a.txt",
        "电池\n储能电池的热管理。\n\n\none\ntwo\nthree\n".as_bytes(),
    )
    .unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].title.as_str(), all[0].abstract_text.as_str()),
        ("电池", "储能电池的热管理。")
    );
    assert_eq!(all[1].paragraphs, ["two", "three"]);
    assert_eq!(read_file("empty.jsonl", b"").unwrap(), []);
}

#[test]
fn each_fault_names_file_and_line() {
    for (name, content, expected) in [
        (
            "a.jsonl",
            b"{\"id\":\"1\"}\n[1]\n".as_slice(),
            "a.jsonl, line 2: is not a JSON object",
        ),
        ("a.jsonl", b"\xff\xfe\n", "line 1: is not UTF-8"),
        (
            "a.csv",
            b"colour,size\n1,2\n",
            "has no column `title`, `abstract` or `text` (columns: colour, size)",
        ),
        ("a.pdf", b"%PDF", "a corpus file ends in .jsonl"),
        ("a.jsonl.zst", b"not zstd at all", "cannot read"),
    ] {
        let error = read_file(name, content).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let (dir, _) = file("x", b"");
    let missing = FileSource::new(dir.path().join("no.jsonl"), SourceFacts::default());
    assert!(matches!(read(&missing), Err(EmbedError::Io { .. })));
}

#[test]
fn lists() {
    let (_dir, path) = file("w.txt", "字符串 \t 395499\n初始化\t1\n\n".as_bytes());
    assert_eq!(read_words(&path).unwrap(), ["字符串", "初始化"]);
    let (_dir, path) = file("ids.txt", b"a\n\n b \n");
    assert_eq!(
        read_ids(&path).unwrap(),
        HashSet::from(["a".to_owned(), "b".to_owned()])
    );
}
