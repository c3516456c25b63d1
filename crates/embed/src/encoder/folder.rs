//! What a sentence encoder's folder says: network, pooling, prefixes, length (the layout of
//! sentence-transformers).

use crate::EmbedError;
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    collections::HashMap,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The parts of a folder that decide a vector, read once: what is hashed is what is used.
pub(super) struct EncoderFiles {
    pub(super) dir: PathBuf,
    pub(super) config: Value,
    pub(super) tokenizer: Vec<u8>,
    /// Label and bytes of every file that decides a vector.
    parts: Vec<(String, Vec<u8>)>,
    shards: Vec<usize>,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// The first token's.
    Cls,
    /// The greatest value of each column.
    Max,
}

/// What the folder says beside the network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) pooling: Pooling,
    /// Tokens of a text that are read, its special tokens among them.
    pub(super) max_tokens: usize,
    pub(super) query_prefix: String,
    pub(super) passage_prefix: String,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
    include_prompt: Option<bool>,
}

impl EncoderFiles {
    /// Reads `config.json`, `tokenizer.json` and the weights (`model.safetensors`, or the shards
    /// that `model.safetensors.index.json` lists).
    pub(super) fn read(dir: &Path) -> Result<Self, EmbedError> {
        let config = required(dir, "config.json")?;
        let tokenizer = required(dir, "tokenizer.json")?;
        let mut parts = Vec::new();
        let mut shards = Vec::new();
        let index = dir.join("model.safetensors.index.json");
        let weights: Vec<String> = if index.exists() {
            #[derive(Deserialize)]
            struct Index {
                weight_map: HashMap<String, String>,
            }
            let map: Index = parse(&index, &read(&index)?)?;
            let mut files: Vec<String> = map.weight_map.into_values().collect();
            files.sort();
            files.dedup();
            if let Some(odd) = files.iter().find(|f| f.contains(['/', '\\'])) {
                return Err(EmbedError::bad_file(
                    &index,
                    format!("`{odd}` is not a file of this folder"),
                ));
            }
            files
        } else {
            vec!["model.safetensors".to_owned()]
        };
        for file in weights {
            let bytes = if file == "model.safetensors" {
                required(dir, "model.safetensors")?
            } else {
                read(&dir.join(&file))?
            };
            shards.push(parts.len());
            parts.push((file, bytes));
        }
        let value = parse(&dir.join("config.json"), &config)?;
        parts.push(("config.json".to_owned(), config));
        Ok(EncoderFiles {
            dir: dir.to_owned(),
            config: value,
            tokenizer,
            parts,
            shards,
        })
    }

    /// Label and bytes of all that decides a vector.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts
            .iter()
            .map(|(n, b)| (n.as_str(), b.as_slice()))
            .chain([("tokenizer.json", self.tokenizer.as_slice())])
    }

    /// All tensors under the names that BERT itself gives them: without the prefix of the class
    /// that was saved (`bert.`, `roberta.`, `model.`, `0.auto_model.`).
    pub(super) fn tensors(
        &self,
        dtype: DType,
        device: &Device,
    ) -> Result<HashMap<String, Tensor>, EmbedError> {
        let mut out = HashMap::new();
        for &shard in &self.shards {
            let (file, bytes) = &self.parts[shard];
            let path = self.dir.join(file);
            let bad = |e: candle_core::Error| EmbedError::bad_file(&path, root_cause(&e));
            for (name, tensor) in
                candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(bad)?
            {
                let plain = ["0.auto_model.", "bert.", "roberta.", "model."]
                    .iter()
                    .fold(name.as_str(), |n, p| n.strip_prefix(p).unwrap_or(n));
                let tensor = if tensor.dtype().is_float() {
                    tensor.to_dtype(dtype).map_err(bad)?
                } else {
                    tensor
                };
                out.insert(plain.to_owned(), tensor.to_device(device).map_err(bad)?);
            }
        }
        for (name, tensor) in &out {
            let finite = !tensor.dtype().is_float()
                || tensor
                    .abs()
                    .and_then(|t| t.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>())
                    .is_ok_and(f32::is_finite);
            if !finite {
                return Err(EmbedError::bad_file(
                    &self.dir.join("model.safetensors"),
                    format!("tensor `{name}` holds NaN or infinity"),
                ));
            }
        }
        Ok(out)
    }

    /// Pooling, length and prefixes.
    pub(super) fn settings(&self) -> Result<Settings, EmbedError> {
        let modules: Option<Vec<Module>> = optional(&self.dir.join("modules.json"))?;
        let mut pooling_folder = None;
        for module in modules.iter().flatten() {
            let kind = module.kind.rsplit('.').next().unwrap_or_default();
            match kind {
                "Transformer" | "Normalize" => {}
                "Pooling" => pooling_folder = Some(module.path.clone()),
                other => {
                    return Err(EmbedError::bad_file(
                        &self.dir.join("modules.json"),
                        format!(
                            "it has a module `{other}`, and this version knows Transformer, Pooling and Normalize"
                        ),
                    ));
                }
            }
        }
        let pooling_path = self
            .dir
            .join(pooling_folder.as_deref().unwrap_or("1_Pooling"))
            .join("config.json");
        let pooling = match optional::<PoolingConfig>(&pooling_path)? {
            Some(p) => p.pooling(&pooling_path)?,
            // What sentence-transformers does with a folder that does not say.
            None => Pooling::Mean,
        };
        let limits: Value =
            optional(&self.dir.join("sentence_bert_config.json"))?.unwrap_or_default();
        let positions = self
            .config
            .get("max_position_embeddings")
            .and_then(Value::as_u64)
            .unwrap_or(512);
        // RoBERTa's positions begin after the padding's own.
        let positions = match self.model_type() {
            "bert" | "modernbert" => positions,
            _ => positions.saturating_sub(2),
        };
        let max_tokens = limits
            .get("max_seq_length")
            .and_then(Value::as_u64)
            .unwrap_or(positions.min(512))
            .min(positions)
            .max(2) as usize;
        let prompts: Value =
            optional(&self.dir.join("config_sentence_transformers.json"))?.unwrap_or_default();
        let prompt = |names: &[&str]| {
            names
                .iter()
                .find_map(|n| prompts.get("prompts")?.get(n)?.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Settings {
            pooling,
            max_tokens,
            query_prefix: prompt(&["query", "Query", "s2p_query"]),
            passage_prefix: prompt(&["passage", "document", "corpus"]),
        })
    }

    /// `model_type` of `config.json`.
    pub(super) fn model_type(&self) -> &str {
        self.config
            .get("model_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The network's settings, with what older files leave out.
    pub(super) fn network<T: DeserializeOwned>(
        &self,
        defaults: &[(&str, Value)],
    ) -> Result<T, EmbedError> {
        let mut config = self.config.clone();
        if let Some(object) = config.as_object_mut() {
            for (key, value) in defaults {
                object
                    .entry(*key)
                    .and_modify(|v| {
                        if v.is_null() {
                            *v = value.clone();
                        }
                    })
                    .or_insert_with(|| value.clone());
            }
        }
        serde_json::from_value(config)
            .map_err(|e| EmbedError::bad_file(&self.dir.join("config.json"), e))
    }
}

impl PoolingConfig {
    fn pooling(&self, path: &Path) -> Result<Pooling, EmbedError> {
        let named = [
            (self.pooling_mode_cls_token, Some(Pooling::Cls)),
            (self.pooling_mode_mean_tokens, Some(Pooling::Mean)),
            (self.pooling_mode_max_tokens, Some(Pooling::Max)),
            (self.pooling_mode_mean_sqrt_len_tokens, None),
            (self.pooling_mode_weightedmean_tokens, None),
            (self.pooling_mode_lasttoken, None),
        ];
        let mut on = named.iter().filter(|(on, _)| *on).map(|(_, p)| *p);
        match (on.next(), on.next(), self.include_prompt) {
            (Some(Some(p)), None, None | Some(true)) => Ok(p),
            _ => Err(EmbedError::bad_file(
                path,
                "this version pools by the mean, the first token or the maximum, one of them, with the prompt included",
            )),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EmbedError> {
    std::fs::read(path).map_err(EmbedError::io("read", path))
}

fn required(dir: &Path, file: &'static str) -> Result<Vec<u8>, EmbedError> {
    let path = dir.join(file);
    std::fs::read(&path).map_err(|e| match e.kind() {
        ErrorKind::NotFound => EmbedError::MissingFile {
            dir: dir.to_owned(),
            file,
        },
        _ => EmbedError::io("read", &path)(e),
    })
}

fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, EmbedError> {
    match std::fs::read(path) {
        Ok(bytes) => parse(path, &bytes).map(Some),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(EmbedError::io("read", path)(e)),
    }
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, EmbedError> {
    serde_json::from_slice(bytes).map_err(|e| EmbedError::bad_file(path, e))
}

/// An error of the tensor library without its backtrace.
pub(super) fn root_cause(e: &candle_core::Error) -> String {
    let text = e.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
