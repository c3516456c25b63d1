//! Models from the command line: vectors out, files checked, a model trained and used.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::{fs, io::Write, path::Path, process::Stdio};
use support::{fails, json, ok, queqiao, run};

/// Rows of a little-endian 32-bit NPY file.
fn npy(path: &Path) -> (usize, Vec<Vec<f32>>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let dict = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
    let shape = dict.split("'shape': (").nth(1).unwrap();
    let numbers: Vec<usize> = shape
        .split([',', ')'])
        .take(2)
        .map(|n| n.trim().parse().unwrap())
        .collect();
    let cells: Vec<f32> = bytes[10 + header..]
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    assert_eq!(cells.len(), numbers[0] * numbers[1]);
    let rows = cells.chunks(numbers[1]).map(<[f32]>::to_vec).collect();
    (numbers[1], rows)
}

#[test]
fn texts_become_vectors() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(
        path("a.txt"),
        "\u{feff}耐腐蚀涂层\r\n\r\nreverse osmosis membrane\n",
    )
    .unwrap();
    ok(&["embed", &path("a.txt"), "--out", &path("a.npy")]);
    let (dim, rows) = npy(&dir.path().join("a.npy"));
    assert_eq!(rows.len(), 3);
    let length = |r: &[f32]| r.iter().map(|x| x * x).sum::<f32>();
    assert!((length(&rows[0]) - 1.0).abs() < 1e-5 && (length(&rows[2]) - 1.0).abs() < 1e-5);
    assert_eq!(length(&rows[1]), 0.0, "an empty line says nothing");

    // The same vectors as JSON lines, with the records' own ids.
    fs::write(
        path("a.jsonl"),
        "{\"_id\": \"x\", \"title\": \"耐腐蚀涂层\"}\n\n{\"id\": 7, \"text\": \"reverse osmosis membrane\"}\n",
    )
    .unwrap();
    ok(&[
        "embed",
        &path("a.jsonl"),
        "--out",
        &path("b.jsonl"),
        "--role",
        "query",
    ]);
    let lines: Vec<Value> = fs::read_to_string(path("b.jsonl"))
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!((&lines[0]["id"], &lines[1]["id"]), (&"x".into(), &7.into()));
    for (line, row) in lines.iter().zip([&rows[0], &rows[2]]) {
        let vector: Vec<f32> = serde_json::from_value(line["vector"].clone()).unwrap();
        assert_eq!((vector.len(), &vector), (dim, row));
    }

    // From standard input.
    let mut child = queqiao(&["embed", "-", "--out", &path("c.npy")])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all("耐腐蚀涂层\n".as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(npy(&dir.path().join("c.npy")).1, rows[..1]);
}

#[test]
fn bad_texts_and_models_are_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("good.txt"), "one\n").unwrap();
    fs::write(path("bytes.txt"), b"one\n\xff\xfe\n").unwrap();
    fs::write(path("none.jsonl"), "{\"text\": \"a\"}\n{\"name\": \"b\"}\n").unwrap();
    let out = path("out.npy");
    fs::write(&out, "kept").unwrap();
    fails(
        &["embed", &path("bytes.txt"), "--out", &out],
        2,
        &["bytes.txt:2", "UTF-8"],
    );
    fails(
        &["embed", &path("none.jsonl"), "--out", &out],
        2,
        &["none.jsonl:2", "text, title or both"],
    );
    fails(
        &["embed", &path("absent.txt"), "--out", &out],
        2,
        &["absent.txt"],
    );
    fails(
        &["embed", &path("good.txt"), "--out", &path("out.csv")],
        2,
        &["out.csv", ".npy or .jsonl"],
    );
    fails(
        &["embed", &path("good.txt"), "--out", &out, "--model", "big"],
        2,
        &["big"],
    );
    fails(
        &[
            "embed",
            &path("good.txt"),
            "--out",
            &out,
            "--model",
            "./nowhere",
        ],
        2,
        &["nowhere"],
    );
    assert_eq!(fs::read_to_string(&out).unwrap(), "kept");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

/// Documents of forty topics, each with its own words, in both languages.
fn corpus(n: usize) -> String {
    let mut out = String::new();
    for i in 0..n {
        let topic = i % 40;
        let zh = |k: usize| -> String {
            let base = 0x4e00 + (topic * 97 + (k * 31 + i * 7 + i / 40 * k) % 12) as u32 * 2;
            [base, base + 1]
                .into_iter()
                .filter_map(char::from_u32)
                .collect()
        };
        let en = |k: usize| {
            format!(
                "topic{}word{}",
                (b'a' + (topic % 26) as u8) as char,
                (b'a' + ((topic / 26 + k + i) % 9) as u8) as char
            )
        };
        let join = |f: &dyn Fn(usize) -> String, n: usize, s: &str| {
            (0..n).map(f).collect::<Vec<_>>().join(s)
        };
        let line = serde_json::json!({
            "id": format!("d{i}"),
            "title": join(&zh, 4, ""),
            "abstract": join(&zh, 30, "，"),
            "keywords": [zh(1), zh(2)],
            "title_en": join(&en, 4, " "),
            "abstract_en": join(&en, 30, " "),
            "keywords_en": [en(1), en(2)],
        });
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// The lines of a corpus as the second sheet of a workbook, a column a name.
fn workbook(path: &std::path::Path, jsonl: &str) {
    let mut book = rust_xlsxwriter::Workbook::new();
    let first = book.add_worksheet();
    first.write(0, 0, "填表说明").unwrap();
    let sheet = book.add_worksheet();
    for (i, line) in jsonl.lines().enumerate() {
        let row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        for (j, (name, value)) in row.iter().enumerate() {
            let text = match value {
                Value::Array(words) => {
                    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                    words.join("；")
                }
                other => other.as_str().unwrap().to_owned(),
            };
            let (row, column) = (i as u32 + 1, j as u16);
            sheet.write(0, column, name).unwrap();
            sheet.write(row, column, text).unwrap();
        }
    }
    book.save(path).unwrap();
}

#[test]
fn a_model_is_trained_and_used() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("corpus.jsonl"), corpus(800)).unwrap();
    let small = [
        "--set",
        "dim=32",
        "--set",
        "batch=64",
        "--set",
        "vocabulary.min_count=3",
    ];
    let train = |out: &str, rest: &[&str]| {
        let corpus = path("corpus.jsonl");
        let mut args = vec!["train", corpus.as_str(), "--out", out, "--steps", "40"];
        args.extend(small);
        args.extend(rest);
        args.iter()
            .map(|a| (*a).to_owned())
            .collect::<Vec<String>>()
    };
    let call = |args: &[String]| run(&args.iter().map(String::as_str).collect::<Vec<_>>());

    let out = path("mine");
    let first = call(&train(
        &out,
        &["--licence", "CC0-1.0", "--model-licence", "CC0-1.0"],
    ));
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(first.out.contains("mean reciprocal rank"), "{}", first.out);
    let card = fs::read_to_string(dir.path().join("mine/README.md")).unwrap();
    assert!(
        card.contains("CC0-1.0") && card.contains("--steps 40"),
        "{card}"
    );
    assert!(!dir.path().join("mine.training").exists());

    // It is used by its path, and equal settings give equal bytes.
    let model = format!("{out}/");
    fs::write(path("q.txt"), "topicaworda topicawordb\n").unwrap();
    ok(&[
        "embed",
        &path("q.txt"),
        "--out",
        &path("q.npy"),
        "--model",
        &model,
    ]);
    assert_eq!(npy(&dir.path().join("q.npy")).0, 32);
    let again = path("again");
    assert_eq!(call(&train(&again, &[])).code, 0);
    let bytes = |m: &str| fs::read(dir.path().join(m).join("model.safetensors")).unwrap();
    assert_eq!(bytes("mine"), bytes("again"));

    // A workbook with the same rows is the same corpus; a sheet of explanations is passed over.
    workbook(&dir.path().join("corpus.xlsx"), &corpus(800));
    let sheet = path("sheet");
    let mut args = train(&sheet, &[]);
    args[1] = path("corpus.xlsx");
    let s = call(&args);
    assert_eq!(s.code, 0, "{}", s.err);
    assert_eq!(bytes("mine"), bytes("sheet"));

    // Going on from it keeps its words, and says what changed.
    let on = path("on");
    let more = call(&train(&on, &["--start", &out]));
    assert_eq!(more.code, 0, "{}", more.err);
    assert!(more.out.contains("before"), "{}", more.out);
    let words = |m: &str| fs::read(dir.path().join(m).join("tokenizer.json")).unwrap();
    assert_eq!(words("mine"), words("on"));

    // What cannot be is said, and nothing is written.
    let new = path("new");
    let refused = |args: Vec<String>, told: &[&str]| {
        let s = call(&args);
        assert_eq!(s.code, 2, "{args:?} {}", s.err);
        told.iter()
            .for_each(|t| assert!(s.err.contains(t), "{}", s.err));
        assert!(!dir.path().join("new").exists());
    };
    refused(train(&out, &[]), &["mine", "--replace"]);
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write(0, 0, "单位").unwrap();
    book.save(dir.path().join("units.xlsx")).unwrap();
    let mut args = train(&new, &[]);
    args[1] = path("units.xlsx");
    refused(args, &["units.xlsx", "Sheet1", "title", "单位"]);
    refused(
        train(&new, &["--set", "dims=3"]),
        &["dims=3", "no such setting"],
    );
    refused(train(&new, &["--set", "dim=many"]), &["dim=many"]);
    refused(
        train(&new, &["--set", "temperatures=[0.1,0.1,0.1]"]),
        &["temperatures"],
    );
    refused(train(&new, &["--fraction", "0"]), &["--fraction"]);
    refused(train(&new, &["--taxonomy", "absent.tsv"]), &["absent.tsv"]);
    fs::write(path("corpus.jsonl"), corpus(1).repeat(500)).unwrap();
    refused(train(&new, &[]), &["corpus"]);
}

#[test]
fn a_model_is_added_and_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let from = support::root().join("models");
    let manifest: Value =
        serde_json::from_slice(&fs::read(from.join("manifest.json")).unwrap()).unwrap();
    let shipped = manifest["default"].as_str().unwrap();
    let models = dir.path().join("models");
    for name in [shipped, "other"] {
        fs::create_dir_all(models.join(name)).unwrap();
        for file in [
            "model.safetensors",
            "tokenizer.json",
            "config.json",
            "README.md",
        ] {
            fs::copy(from.join(shipped).join(file), models.join(name).join(file)).unwrap();
        }
    }
    fs::copy(from.join("manifest.json"), models.join("manifest.json")).unwrap();
    let call = |args: &[&str]| {
        let mut all = vec!["models"];
        all.extend(args);
        support::said(
            &queqiao(&all)
                .env("QUEQIAO_MODELS", &models)
                .output()
                .unwrap(),
        )
    };
    for (name, told) in [
        ("nobody", "nobody"),
        ("../models", "name of a folder"),
        ("", ""),
    ] {
        let before = fs::read(models.join("manifest.json")).unwrap();
        let s = call(&["--add", name]);
        assert!(s.code != 0 && s.err.contains(told), "{name}: {}", s.err);
        assert_eq!(before, fs::read(models.join("manifest.json")).unwrap());
    }
    let s = call(&[
        "--add",
        "other",
        "--licence",
        "MIT",
        "--default",
        "--verify",
        "--format",
        "json",
    ]);
    assert_eq!(s.code, 0, "{}", s.err);
    let listed: Value = serde_json::from_str(&s.out).unwrap();
    let other = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["name"] == "other")
        .unwrap();
    assert_eq!(
        (&other["licence"], &other["default"], &other["verified"]),
        (&"MIT".into(), &true.into(), &true.into())
    );
}

#[test]
fn the_models_are_listed_and_whole() {
    let listed = json(&["models", "--verify", "--format", "json"]);
    let models = listed["models"]
        .as_array()
        .or_else(|| listed.as_array())
        .unwrap();
    assert!(!models.is_empty());
    for m in models {
        assert!(m["licence"].as_str().is_some_and(|l| !l.is_empty()), "{m}");
    }
}
