//! What hostile bytes are given to. Included by the fuzzer and by `tests/fuzzing.rs`, which replays the
//! kept corpus: every function takes any bytes and returns, and each has inputs that it reads to the end.

use crate::settings;
use queqiao_domain::Filter;
use queqiao_embed::{Embedder, Role, StaticModel};
use queqiao_eval::{Measure, Options, Precision, Qrels, Run};
use queqiao_intake::{ImportOptions, RowResult, Source};
use queqiao_retrieval::{Shape, try_files};
use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Takes any bytes, and says whether they were what it reads, whole and right.
pub(crate) type Target = fn(&[u8]) -> bool;

/// Every decoder that reads what others wrote.
pub(crate) const ALL: [(&str, Target); 9] = [
    ("request", request),
    ("xlsx", xlsx),
    ("csv", csv),
    ("jsonl", jsonl),
    ("filter", filter),
    ("model", model),
    ("index", index),
    ("trec", trec),
    ("config", config),
];

/// The decoder of a name.
pub(crate) fn named(name: &str) -> Option<Target> {
    ALL.iter().find(|(n, _)| *n == name).map(|(_, t)| *t)
}

/// A folder of this process, in memory where there is such a place.
fn scratch() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let shm = Path::new("/dev/shm");
            let made = if shm.is_dir() {
                tempfile::tempdir_in(shm)
            } else {
                tempfile::tempdir()
            };
            made.expect("a scratch folder")
        })
        .path()
}

fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = scratch().join(name);
    fs::write(&path, data).expect("writing into the scratch folder");
    path
}

/// The first byte chooses, the rest is what is read.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(c, rest)| (*c, rest))
}

fn request(data: &[u8]) -> bool {
    let (which, message) = choice(data);
    queqiao_server::try_request(which, message)
}

fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let path = file("queqiao.toml", text.as_bytes());
    let settings = settings::Settings::read(&Vec::new(), |_| None, Some(&path));
    settings.is_ok_and(|s| s.server().is_ok())
}

fn filter(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let filter = Filter::parse(text);
    if let Ok(filter) = &filter {
        let mut record = queqiao_domain::Record::new(
            queqiao_domain::RecordId::new("e").expect("an id"),
            queqiao_domain::Kind::Expert,
        );
        record.title = "电池 battery".to_owned();
        let facets = queqiao_domain::Facets::of(&record);
        let _ = filter.matches(&facets);
    }
    filter.is_ok()
}

/// Rows, their records, and the columns' report; whether a record came of it.
fn import(path: &Path) -> bool {
    let Ok(mut source) = Source::open(path, &ImportOptions::default()) else {
        return false;
    };
    let (mut records, mut failed) = (0, false);
    for row in source.by_ref().take(2_000) {
        match row {
            Ok(row) => records += usize::from(matches!(row.result, RowResult::Record(_))),
            Err(_) => failed = true,
        }
    }
    let _ = (source.progress(), source.sheets(), source.notes());
    records > 0 && !failed
}

fn csv(data: &[u8]) -> bool {
    let (which, text) = choice(data);
    let name = if which & 1 == 0 { "x.csv" } else { "x.tsv" };
    import(&file(name, text))
}

fn jsonl(data: &[u8]) -> bool {
    let (which, text) = choice(data);
    let name = if which & 1 == 0 { "x.jsonl" } else { "x.json" };
    import(&file(name, text))
}

const PARTS: [(&str, &str); 7] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="专家" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    (
        "xl/worksheets/sheet1.xml",
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:B2"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>李工</t></is></c><c r="B2" s="1"><v>44927</v></c></row></sheetData><mergeCells count="1"><mergeCell ref="A1:A1"/></mergeCells></worksheet>"#,
    ),
    (
        "xl/sharedStrings.xml",
        r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="2" uniqueCount="2"><si><t>姓名</t></si><si><t>研究方向</t></si></sst>"#,
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
];

/// A part of a workbook, in its place in a workbook; what seeds are made of.
#[allow(dead_code)]
pub(crate) fn parts_of_a_workbook() -> impl Iterator<Item = (u8, &'static str)> {
    (0..).zip(PARTS.iter().map(|(_, text)| *text))
}

/// 255: the archive itself, with the signature by which it is told from a text. Else one part of it, put into
/// an archive that is whole.
fn xlsx(data: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"PK\x03\x04";
    let (which, part) = choice(data);
    if which == 255 {
        let rest = part.get(SIGNATURE.len()..).unwrap_or_default();
        return import(&file("x.xlsx", &[SIGNATURE, rest].concat()));
    }
    let parts = PARTS.iter().enumerate().map(|(i, (name, text))| {
        let own = i == usize::from(which) % PARTS.len();
        (*name, if own { part } else { text.as_bytes() })
    });
    import(&file("x.xlsx", &archive(parts, CompressionMethod::Stored)))
}

/// A workbook of these parts.
fn archive<'a>(
    parts: impl Iterator<Item = (&'a str, &'a [u8])>,
    method: CompressionMethod,
) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in parts {
        let written = zip
            .start_file(name, options)
            .map_err(|e| e.to_string())
            .and_then(|()| zip.write_all(bytes).map_err(|e| e.to_string()));
        written.expect("a part in memory");
    }
    let written = zip.finish().expect("an archive in memory");
    written.into_inner()
}

/// A whole workbook, packed; what seeds are made of.
#[allow(dead_code)]
pub(crate) fn workbook() -> Vec<u8> {
    let parts = PARTS.iter().map(|(name, text)| (*name, text.as_bytes()));
    archive(parts, CompressionMethod::Deflated)
}

/// Judgements and a run in one: what follows the first line `---` is the run.
fn trec(data: &[u8]) -> bool {
    let split = data.windows(5).position(|w| w == b"\n---\n");
    let (judged, answered) = split.map_or((data, data), |at| (&data[..at + 1], &data[at + 5..]));
    let qrels = Qrels::read(&file("x.qrels", judged));
    let run = Run::read(&file("x.run", answered), Precision::Double);
    let (Ok(qrels), Ok(run)) = (qrels, run) else {
        return false;
    };
    let measures: Vec<Measure> = ["nDCG@10", "AP", "RR"]
        .iter()
        .filter_map(|m| m.parse().ok())
        .collect();
    queqiao_eval::evaluate(&qrels, &run, &measures, Options::default()).is_ok()
}

pub(crate) const TOKENIZER: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[
{"type":"Split","pattern":{"Regex":"[^a-z0-9一-鿿]+"},"behavior":"Removed","invert":false},
{"type":"Split","pattern":{"Regex":"[一-鿿]+"},"behavior":"Isolated","invert":false}]},
"post_processor":null,"decoder":null,
"model":{"type":"Unigram","unk_id":0,"vocab":[["[UNK]",-20.0],["电",-5.0],["池",-5.5],["电池",-6.0],["battery",-7.0]],"byte_fallback":false}}"#;

/// The same without expressions, which take longer to compile than all else takes.
const PLAIN: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
"model":{"type":"Unigram","unk_id":0,"vocab":[["[UNK]",-20.0],["电",-5.0],["池",-5.5],["电池",-6.0],["battery",-7.0]],"byte_fallback":false}}"#;

/// Five rows of two columns.
pub(crate) fn weights() -> Vec<u8> {
    let header = r#"{"embeddings":{"dtype":"F32","shape":[5,2],"data_offsets":[0,40]}}      "#;
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.bytes());
    for v in [0.0_f32, 0.0, 1.0, 0.0, 0.0, 1.0, 3.0, 4.0, 0.6, -0.8] {
        out.extend(v.to_le_bytes());
    }
    out
}

/// 0: the matrix, 1: the tokenizer, 2: the settings; the other two are whole.
fn model(data: &[u8]) -> bool {
    let (which, part) = choice(data);
    let folder = scratch().join("model");
    fs::create_dir_all(&folder).expect("a folder for the model");
    let whole = weights();
    let files: [(&str, &[u8]); 3] = [
        ("model.safetensors", &whole),
        ("tokenizer.json", PLAIN.as_bytes()),
        ("config.json", b"{\"normalize\": true}"),
    ];
    for (i, (name, bytes)) in files.into_iter().enumerate() {
        let bytes = if i == usize::from(which % 3) {
            part
        } else {
            bytes
        };
        fs::write(folder.join(name), bytes).expect("writing the model");
    }
    let Ok(model) = StaticModel::load(&folder) else {
        return false;
    };
    let texts = ["电池 battery", "", "ﬁ 电\u{301}池"];
    let rows = model.embed(&texts, Role::Passage);
    if let Ok(rows) = &rows {
        assert!(rows.iter().all(|v| v.is_finite()), "a vector is not finite");
    }
    rows.is_ok()
}

/// The shape of the index that `index` opens.
pub(crate) fn shape() -> Shape {
    Shape {
        dim: 4,
        fingerprint: "f".to_owned(),
    }
}

/// Where a segment's sections begin.
pub(crate) const BODY: usize = 8 << 10;

/// 0: a segment as `header length, header, sections`, its sums made right; 1: a journal as frames of
/// `length, payload`, its sums made right; 2: the list of segments; 3 and 4: a segment and a journal as they are.
fn index(data: &[u8]) -> bool {
    let (which, part) = choice(data);
    let folder = scratch().join("index");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the index");
    let listed = r#"{"magic":"queqiao-segments","version":1,"dim":4,"fingerprint":"f","seq":1,"covered":0,"segments":[{"file":"segment-000001.vectors","dead":[]}]}"#;
    let (mut list, mut segment, mut journal) = (with_sum(listed.as_bytes()), None, None);
    match which % 5 {
        0 => segment = Some(whole_segment(part)),
        1 => journal = Some(whole_journal(part)),
        2 => list = with_sum(part),
        3 => segment = Some(part.to_vec()),
        _ => journal = Some(part.to_vec()),
    }
    let put = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("writing the index");
    };
    if let Some(segment) = segment {
        put("segments.json", &list);
        put("segment-000001.vectors", &segment);
    } else if which % 5 == 2 {
        put("segments.json", &list);
    }
    if let Some(journal) = journal {
        put("vectors.journal", &journal);
    }
    try_files(&folder, &shape()).is_ok_and(|rows| rows > 0)
}

fn with_sum(json: &[u8]) -> Vec<u8> {
    let mut out = json.to_vec();
    out.extend(format!("\n{:08x}\n", crc32fast::hash(json)).bytes());
    out
}

fn whole_segment(part: &[u8]) -> Vec<u8> {
    let Some((length, rest)) = part.split_first_chunk::<2>() else {
        return part.to_vec();
    };
    let length = usize::from(u16::from_le_bytes(*length))
        .min(rest.len())
        .min(BODY - 16);
    let (header, body) = rest.split_at(length);
    let mut header = header.to_vec();
    if let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(&header) {
        let sections = json.get_mut("sections").and_then(|s| s.as_array_mut());
        for s in sections.into_iter().flatten() {
            let at = |name: &str| s.get(name).and_then(serde_json::Value::as_u64);
            let range = at("from").zip(at("bytes")).and_then(|(from, bytes)| {
                let from = usize::try_from(from).ok()?.checked_sub(BODY)?;
                body.get(from..from.checked_add(usize::try_from(bytes).ok()?)?)
            });
            if let (Some(bytes), Some(s)) = (range, s.as_object_mut()) {
                s.insert("crc32".to_owned(), crc32fast::hash(bytes).into());
            }
        }
        if let Ok(again) = serde_json::to_vec(&json)
            && again.len() <= BODY - 16
        {
            header = again;
        }
    }
    let mut out = b"QQSEGMNT".to_vec();
    out.extend((header.len() as u32).to_le_bytes());
    out.extend(crc32fast::hash(&header).to_le_bytes());
    out.extend(&header);
    out.resize(BODY, 0);
    out.extend(body);
    out
}

fn whole_journal(mut part: &[u8]) -> Vec<u8> {
    let mut out = br#"{"magic":"queqiao-vectors","version":1,"dim":4,"fingerprint":"f"}"#.to_vec();
    out.push(b'\n');
    while let Some((length, rest)) = part.split_first() {
        let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        out.extend((payload.len() as u32).to_le_bytes());
        out.extend(crc32fast::hash(payload).to_le_bytes());
        out.extend(payload);
        part = rest;
    }
    out
}
