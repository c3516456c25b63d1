//! Writes the inputs that fuzzing starts from: one good one for every way a decoder reads.

use crate::targets;
use ndarray::Array2;
use queqiao_domain::{Facets, Kind, Record, RecordId};
use queqiao_retrieval::{Change, EmbeddedIndex, Entry, GraphOptions, Index, IndexOptions, Passage};
use std::{error::Error, fs, path::Path};

/// Writes a folder for each target.
pub(crate) fn write(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let put = |target: &str, name: &str, first: Option<u8>, bytes: &[u8]| -> std::io::Result<()> {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        let mut all: Vec<u8> = first.into_iter().collect();
        all.extend(bytes);
        fs::write(folder.join(name), all)
    };
    for (which, text) in targets::parts_of_a_workbook() {
        put(
            "xlsx",
            &format!("part-{which}"),
            Some(which),
            text.as_bytes(),
        )?;
    }
    put("xlsx", "whole", Some(255), &targets::workbook())?;
    put("model", "weights", Some(0), &targets::weights())?;
    put("model", "tokenizer", Some(1), targets::TOKENIZER.as_bytes())?;
    let word_piece = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"电":1,"池":2,"batter":3,"##y":4}}}"###;
    put("model", "word-piece", Some(1), word_piece.as_bytes())?;
    put(
        "model",
        "settings",
        Some(2),
        br#"{"normalize": true, "queqiao": {"text_normalise": true}}"#,
    )?;
    put(
        "filter",
        "codes",
        None,
        "region : 440000 AND industry : C39".as_bytes(),
    )?;
    put(
        "filter",
        "nested",
        None,
        br#"NOT (kind = expert OR title : "bat\"tery") AND valid_until >= 2026-01-01"#,
    )?;
    put(
        "filter",
        "amounts",
        None,
        b"budget.min > 5.5 AND -readiness < 7 OR has_contact = true",
    )?;
    put("config", "all", None, b"data = \"d\"\nlisten = \"127.0.0.1:50051\"\nmax_connections = 1_000\nallow_insecure = false\n[tls]\ncertificate = 'c.pem'\nkey = 'k.pem'\n[auth.jwt]\nissuer = 'i'\naudience = 'a'\njwks = 'j'\n[audit]\nkeep_days = 0xff\n")?;
    put("trec", "both", None, b"q1 0 d1 2\nq1 0 d2 0\nq2 0 d3 1\n\n---\nq1 Q0 d1 1 9.5 r\nq1 Q0 d2 2 1e-3 r\nq2 Q0 d3 1 0.0 r\n")?;
    put(
        "trec",
        "beir",
        None,
        b"query-id\tcorpus-id\tscore\nq1\td1\t2\n\n---\nq1 Q0 d1 1 NaN r\n",
    )?;
    put(
        "trec",
        "subtopics",
        None,
        b"q1 1 d1 1\nq1 2 d1 1\n\n---\nq1 Q0 d1 1 1 r\n",
    )?;
    put(
        "csv",
        "experts",
        Some(0),
        "姓名,研究方向,职称,手机\n李工,\"电池,材料\",教授,13800000000\n王工,涂层,,\n".as_bytes(),
    )?;
    put(
        "csv",
        "needs",
        Some(1),
        "需求名称\t预算（万元）\t截止日期\n粘结剂\t50-100\t2026-12-31\n".as_bytes(),
    )?;
    put(
        "csv",
        "bom",
        Some(0),
        "\u{feff}id;title\r\n1;\"a\"\"b\"\r\n".as_bytes(),
    )?;
    put(
        "csv",
        "gbk",
        Some(0),
        b"\xd0\xd5\xc3\xfb,\xd1\xd0\xbe\xbf\xb7\xbd\xcf\xf2\n\xc0\xee\xb9\xa4,\xb5\xe7\xb3\xd8\n",
    )?;
    put("jsonl", "lines", Some(0), r#"{"id":"e1","kind":"expert","title":"李工","passages":[{"title":"t","text":"电池"}],"research":["电池"]}
{"_id":"n1","text":"需要粘结剂","kind":"need","budget":{"min":1,"max":2.5}}
"#.as_bytes())?;
    put(
        "jsonl",
        "array",
        Some(1),
        r#"[{"id":"e1","title":"李工","attributes":{"a":"b"}}]"#.as_bytes(),
    )?;
    requests(&put)?;
    index(&put)?;
    Ok(())
}

type Put<'a> = dyn Fn(&str, &str, Option<u8>, &[u8]) -> std::io::Result<()> + 'a;

/// Messages by hand: a name, texts and nested messages in the numbers of the interface.
fn requests(put: &Put<'_>) -> std::io::Result<()> {
    let text = |field: u8, s: &[u8]| {
        let mut out = vec![field << 3 | 2, s.len() as u8];
        out.extend(s);
        out
    };
    let record = [
        text(1, b"tenants/t/experts/e"),
        text(3, "李工".as_bytes()),
        text(4, &text(2, "电池".as_bytes())),
    ]
    .concat();
    for which in 0..14 {
        let plain = [text(1, b"tenants/t"), text(2, b"battery"), text(3, &record)].concat();
        put("request", &format!("plain-{which}"), Some(which), &plain)?;
        put(
            "request",
            &format!("record-{which}"),
            Some(which),
            &text(1, &record),
        )?;
        let second = [text(1, b"tenants/t"), text(2, &record)].concat();
        put("request", &format!("second-{which}"), Some(which), &second)?;
    }
    Ok(())
}

/// A small index with a sealed segment, its sections brought close together.
fn index(put: &Put<'_>) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let options = IndexOptions {
        exact_below: 0,
        seal_from: 8,
        graph: GraphOptions {
            least: 4,
            ..GraphOptions::default()
        },
        ..IndexOptions::default()
    };
    let index = EmbeddedIndex::create_with(folder.path(), targets::shape(), options)?;
    let entry = |key: u64| -> Result<Change, Box<dyn Error>> {
        let mut record = Record::new(RecordId::new(format!("e{key}"))?, Kind::Expert);
        record.title = "t".to_owned();
        let x = key as f32;
        let rows = [[x.cos(), x.sin(), 0.0, 0.0], [0.0, 0.0, x.cos(), x.sin()]];
        let n = 1 + (key % 2) as usize;
        Ok(Change::Put(Box::new(Entry {
            key,
            facets: Facets::of(&record),
            passages: vec![Passage::default(); n],
            vectors: Array2::from_shape_vec((n, 4), rows.as_flattened()[..n * 4].to_vec())?,
        })))
    };
    index.apply((1..=12).map(entry).collect::<Result<_, _>>()?, 1)?;
    index.settle();
    index.apply(vec![entry(40)?, Change::Delete(3)], 2)?;
    drop(index);
    let name = fs::read_dir(folder.path())?
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "vectors"))
        .ok_or("no segment was sealed")?;
    let bytes = fs::read(name)?;
    let length = u32::from_le_bytes(bytes[8..12].try_into()?) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[16..16 + length])?;
    let mut body = Vec::new();
    for s in header["sections"].as_array_mut().ok_or("no sections")? {
        let (from, n) = (
            s["from"].as_u64().ok_or("from")? as usize,
            s["bytes"].as_u64().ok_or("bytes")? as usize,
        );
        body.resize(body.len().next_multiple_of(64), 0);
        s["from"] = (targets::BODY + body.len()).into();
        body.extend(&bytes[from..from + n]);
    }
    let header = serde_json::to_vec(&header)?;
    let mut segment = u16::try_from(header.len())?.to_le_bytes().to_vec();
    segment.extend(header);
    segment.extend(body);
    put("index", "segment", Some(0), &segment)?;
    let journal = fs::read(folder.path().join("vectors.journal"))?;
    let start = journal
        .iter()
        .position(|b| *b == b'\n')
        .ok_or("no header")?
        + 1;
    let mut frames = Vec::new();
    let mut at = start;
    while at + 8 <= journal.len() {
        let n = u32::from_le_bytes(journal[at..at + 4].try_into()?) as usize;
        frames.push(u8::try_from(n).unwrap_or(255));
        frames.extend(&journal[at + 8..at + 8 + n.min(255)]);
        at += 8 + n;
    }
    put("index", "journal", Some(1), &frames)?;
    put("index", "journal-raw", Some(4), &journal)?;
    let list = fs::read_to_string(folder.path().join("segments.json"))?;
    let json = list.trim_end().rsplit_once('\n').map_or("", |(j, _)| j);
    put("index", "list", Some(2), json.as_bytes())?;
    Ok(())
}
