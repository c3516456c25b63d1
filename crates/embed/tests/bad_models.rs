//! Bad model folders: one clear error each, never a panic, nothing half-loaded.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use queqiao_embed::{EmbedError, Embedder, ModelStore, Role, StaticModel};
use safetensors::{Dtype, tensor::TensorView};
use std::{fs, path::Path};
use tempfile::TempDir;

const UNIGRAM: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[
{"type":"Split","pattern":{"Regex":"[^a-z0-9一-鿿]+"},"behavior":"Removed","invert":false},
{"type":"Split","pattern":{"Regex":"[一-鿿]+"},"behavior":"Isolated","invert":false}]},
"post_processor":null,"decoder":null,
"model":{"type":"Unigram","unk_id":0,"vocab":[["[UNK]",-20.0],["电",-5.0],["池",-5.5],["电池",-6.0],["battery",-7.0]],"byte_fallback":false}}"#;

const WORD_PIECE: &str = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":null,
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[UNK]":0,"电":1,"池":2,"batter":3,"##y":4}}}"###;

/// A tensor: name, type, shape, bytes.
type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn embeddings() -> Tensor {
    let rows = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [3.0, 4.0], [0.6, -0.8]];
    (
        "embeddings",
        Dtype::F32,
        vec![5, 2],
        f32s(rows.as_flattened()),
    )
}

fn folder(tokenizer: &str, tensors: &[Tensor]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let views = tensors
        .iter()
        .map(|(n, t, s, d)| (*n, TensorView::new(*t, s.clone(), d).unwrap()));
    let bytes = safetensors::serialize(views, None).unwrap();
    fs::write(dir.path().join("model.safetensors"), bytes).unwrap();
    fs::write(dir.path().join("tokenizer.json"), tokenizer).unwrap();
    fs::write(dir.path().join("config.json"), r#"{"normalize": true}"#).unwrap();
    dir
}

fn refused(dir: &Path, expected: &str) {
    let error = StaticModel::load(dir).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains(expected), "{shown}");
    assert!(
        shown.contains(';') || shown.contains(':'),
        "says what to try: {shown}"
    );
}

#[test]
fn every_type_of_row_reads_the_same() {
    let (_, _, shape, cells) = embeddings();
    let values: Vec<f32> = cells
        .as_chunks()
        .0
        .iter()
        .map(|&b| f32::from_le_bytes(b))
        .collect();
    let f16 = values
        .iter()
        .flat_map(|&v| half::f16::from_f32(v).to_le_bytes())
        .collect();
    let bf16 = values
        .iter()
        .flat_map(|&v| half::bf16::from_f32(v).to_le_bytes())
        .collect();
    let i8s = values.iter().map(|v| (v * 10.0) as i8 as u8).collect();
    let scale = (
        "weights",
        Dtype::F64,
        vec![5],
        [0.1f64; 5].iter().flat_map(|v| v.to_le_bytes()).collect(),
    );
    let tables: [Vec<Tensor>; 4] = [
        vec![embeddings()],
        vec![("embeddings", Dtype::F16, shape.clone(), f16)],
        vec![("embeddings", Dtype::BF16, shape.clone(), bf16)],
        vec![("embeddings", Dtype::I8, shape, i8s), scale],
    ];
    for tensors in tables {
        let dir = folder(UNIGRAM, &tensors);
        let model = StaticModel::load(dir.path()).unwrap();
        let v = model
            .embed(&["电池", "battery 电", "русский"], Role::Query)
            .unwrap();
        assert!(
            (v[[0, 0]] - 0.6).abs() < 2e-2 && (v[[0, 1]] - 0.8).abs() < 2e-2,
            "{v}"
        );
        assert!((v[[1, 0]] - 0.894).abs() < 2e-2, "{v}");
        assert!(v.row(2).iter().all(|x| *x == 0.0));
        assert_eq!(model.coverage("русский"), Some(0.0));
        assert_eq!(model.coverage("电池"), Some(1.0));
        assert_eq!(model.coverage("电池русский"), Some(2.0 / 9.0));
        assert_eq!(model.coverage(""), Some(0.0));
    }
}

#[test]
fn other_tokenizers_and_mappings() {
    let mapping: Vec<u8> = [0i64, 1, 2, 3, 3]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let (_, _, _, cells) = embeddings();
    let dir = folder(
        WORD_PIECE,
        &[
            ("embeddings", Dtype::F32, vec![4, 2], cells[..32].to_vec()),
            ("mapping", Dtype::I64, vec![5], mapping),
        ],
    );
    let model = StaticModel::load(dir.path()).unwrap();
    let v = model
        .embed(&["Battery", "电 unknownword"], Role::Passage)
        .unwrap();
    assert!(
        (v[[0, 0]] - 0.6).abs() < 1e-6 && (v[[1, 0]] - 1.0).abs() < 1e-6,
        "{v}"
    );
    assert_eq!(model.coverage("电 unknownword"), Some(1.0 / 12.0));
}

#[test]
fn each_fault_has_its_message() {
    let good = || folder(UNIGRAM, &[embeddings()]);
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        let dir = good();
        fs::remove_file(dir.path().join(file)).unwrap();
        refused(dir.path(), &format!("has no {file}"));
        let dir = good();
        fs::write(dir.path().join(file), b"{").unwrap();
        refused(dir.path(), "is damaged or of another kind");
    }
    let dir = good();
    let path = dir.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    refused(dir.path(), "is damaged");

    let (name, kind, _, cells) = embeddings();
    let tensor =
        |shape: &[usize], cells: Vec<u8>| -> Tensor { (name, kind, shape.to_vec(), cells) };
    refused(
        folder(UNIGRAM, &[tensor(&[10], cells.clone())]).path(),
        "has shape [10]",
    );
    refused(
        folder(UNIGRAM, &[tensor(&[2, 5], cells.clone())]).path(),
        "5 tokens but model.safetensors has 2 rows",
    );
    refused(
        folder(UNIGRAM, &[tensor(&[0, 2], vec![])]).path(),
        "at least one row",
    );
    refused(
        folder(UNIGRAM, &[(name, Dtype::I32, vec![5, 2], cells.clone())]).path(),
        "has type I32",
    );
    refused(
        folder(UNIGRAM, &[("other", kind, vec![5, 2], cells.clone())]).path(),
        "is missing",
    );
    let mut nan = cells.clone();
    nan[20..24].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(
        folder(UNIGRAM, &[tensor(&[5, 2], nan)]).path(),
        "NaN or infinity in row 2",
    );
    let weights =
        |n: usize, v: f32| -> Tensor { ("weights", Dtype::F32, vec![n], f32s(&vec![v; n])) };
    refused(
        folder(UNIGRAM, &[embeddings(), weights(4, 1.0)]).path(),
        "has shape [4], not [5]",
    );
    refused(
        folder(UNIGRAM, &[embeddings(), weights(5, f32::INFINITY)]).path(),
        "NaN or infinity at 0",
    );
    let mapping = (
        "mapping",
        Dtype::I32,
        vec![5],
        [0i32, 1, 2, 9, -1]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
    );
    refused(
        folder(UNIGRAM, &[embeddings(), mapping]).path(),
        "points at row 9 of 5",
    );
}

#[test]
fn the_manifest_is_kept() {
    let store = tempfile::tempdir().unwrap();
    let none = ModelStore::find(&[store.path().to_owned()]).unwrap_err();
    assert!(matches!(none, EmbedError::NoModels { .. }), "{none}");

    let model = folder(UNIGRAM, &[embeddings()]);
    fs::rename(model.path(), store.path().join("tiny")).unwrap();
    ModelStore::register(store.path(), "tiny", "MIT", "for tests", false).unwrap();
    let found = ModelStore::find(&[store.path().join("nowhere"), store.path().to_owned()]).unwrap();
    assert_eq!(found.default_name(), "tiny");
    assert_eq!(
        (found.list()[0].dim, found.list()[0].licence.as_str()),
        (2, "MIT")
    );
    found.verify("tiny").unwrap();
    let loaded = found.load(None).unwrap();
    assert_eq!(
        loaded.fingerprint(),
        StaticModel::load(&store.path().join("tiny"))
            .unwrap()
            .fingerprint()
    );
    let unknown = found.load(Some("big")).map(|_| ()).unwrap_err().to_string();
    assert!(
        unknown.contains("no model named `big`") && unknown.contains("is `tiny`"),
        "{unknown}"
    );

    let path = store.path().join("tiny/model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    for error in [
        found.verify("tiny").unwrap_err(),
        found.load(Some("tiny")).map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, EmbedError::Digest { .. }), "{error}");
    }

    let manifest = store.path().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"tiny\"", "\"../tiny\"")).unwrap();
    assert!(
        ModelStore::open(store.path())
            .unwrap_err()
            .to_string()
            .contains("do not lie in this folder")
    );
    fs::write(&manifest, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(
        ModelStore::open(store.path())
            .unwrap_err()
            .to_string()
            .contains("format 2")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Flipped, cut or overwritten bytes in any file: an error or a working model.
    #[test]
    fn hostile_bytes_never_panic(
        file in 0..3usize,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        word_piece in any::<bool>(),
    ) {
        let dir = folder(if word_piece { WORD_PIECE } else { UNIGRAM }, &[embeddings()]);
        let path = dir.path().join(["model.safetensors", "tokenizer.json", "config.json"][file]);
        let mut bytes = fs::read(&path).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(model) = StaticModel::load(dir.path()) {
            let rows = model.embed(&["电池 battery Ⅳ", "", "电\u{301}"], Role::Query).unwrap();
            prop_assert!(rows.iter().all(|x| x.is_finite()));
        }
    }
}
