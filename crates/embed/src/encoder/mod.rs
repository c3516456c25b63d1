//! Transformer sentence encoders from a local folder (bge, gte, e5, MiniLM and their like), run by
//! candle.

mod folder;
mod network;

use crate::{EmbedError, Embedder, ModelFingerprint, Role, embedder::l2_normalise};
use candle_core::{DType, Device, Tensor};
use folder::{EncoderFiles, Pooling, Settings, root_cause};
use ndarray::Array2;
use network::Network;
use rayon::prelude::*;
use std::path::Path;

/// Texts of one length that a GPU reads at a time.
const GPU_BATCH: usize = 64;

/// The numbers a network computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16 for networks of BERT's kind, for GPUs that are faster with it; others stay at 32
    /// bits.
    Bf16,
}

/// A sentence encoder: a folder in the layout of sentence-transformers, with `config.json`
/// (`bert`, `roberta`, `xlm-roberta`, `camembert` or `modernbert`), `tokenizer.json`,
/// `model.safetensors` or its shards, and what `modules.json`, the pooling's `config.json`,
/// `sentence_bert_config.json` and `config_sentence_transformers.json` say: mean, first-token or
/// maximum pooling, the length at which a text is cut, the prefixes of questions and passages.
///
/// On a CPU every text is computed for itself, texts beside each other on all cores: no padding,
/// and the same bits whatever else is in the batch. On a GPU texts of one length are computed
/// together, and a text's numbers may differ in the last digits from batch to batch.
pub struct TransformerModel {
    network: Network,
    tokenizer: tokenizers::Tokenizer,
    unknown: Option<u32>,
    settings: Settings,
    dim: usize,
    device: Device,
    fingerprint: ModelFingerprint,
}

impl std::fmt::Debug for TransformerModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransformerModel")
            .field("fingerprint", &self.fingerprint)
            .field("dim", &self.dim)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl TransformerModel {
    /// Loads a folder; the model's name is the folder's. It runs on the first CUDA device where
    /// this program was built with the feature `cuda` and there is one, else on the CPU.
    ///
    /// # Errors
    /// A missing or damaged file, a tensor of the wrong shape or with NaN in it, a kind of network
    /// or pooling that this version does not know: each says so, and nothing is loaded.
    pub fn load(dir: &Path, precision: Precision) -> Result<Self, EmbedError> {
        let name = dir.file_name().map_or_else(
            || "encoder".to_owned(),
            |n| n.to_string_lossy().into_owned(),
        );
        let files = EncoderFiles::read(dir)?;
        let settings = files.settings()?;
        let device = Device::cuda_if_available(0).unwrap_or(Device::Cpu);
        let dtype = match (precision, files.model_type()) {
            (Precision::Bf16, "bert") => DType::BF16,
            _ => DType::F32,
        };
        let (network, dim) = Network::build(&files, dtype, &device)?;
        let tokenizer_path = dir.join("tokenizer.json");
        let tokenizer = read_tokenizer(&files.tokenizer, settings.max_tokens, &tokenizer_path)?;
        let unknown = ["[UNK]", "<unk>"]
            .iter()
            .find_map(|t| tokenizer.token_to_id(t));
        let told = format!(
            "{settings:?} {dtype:?} {}",
            if device.is_cpu() { "cpu" } else { "gpu" }
        );
        let parts: Vec<(&str, &[u8])> = files
            .parts()
            .chain([("settings", told.as_bytes())])
            .collect();
        let model = TransformerModel {
            fingerprint: ModelFingerprint::of_parts(name, parts),
            network,
            tokenizer,
            unknown,
            settings,
            dim,
            device,
        };
        // A tokenizer that knows more tokens than the network has rows for, or an inner size that
        // does not fit, shows here and not at the first question.
        let vocabulary = model.tokenizer.get_vocab(true);
        let last = vocabulary.values().max().copied().unwrap_or(0);
        let rows = files
            .config
            .get("vocab_size")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0);
        if u64::from(last) >= rows {
            return Err(EmbedError::TokenizerMismatch {
                dir: dir.to_owned(),
                tokens: last as usize + 1,
                rows: rows as usize,
            });
        }
        model.embed(&["鹊桥 bridge"], Role::Query)?;
        Ok(model)
    }

    fn tokens(&self, text: &str, role: Role) -> Result<Vec<u32>, EmbedError> {
        let prefix = match role {
            Role::Query => &self.settings.query_prefix,
            Role::Passage => &self.settings.passage_prefix,
        };
        let prefixed;
        let text = if prefix.is_empty() {
            text
        } else {
            prefixed = format!("{prefix}{text}");
            &prefixed
        };
        let encoding = self
            .tokenizer
            .encode(text, true)
            .map_err(|e| self.refused(&e))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn refused(&self, reason: &dyn std::fmt::Display) -> EmbedError {
        EmbedError::Tokenize {
            model: self.fingerprint.name().to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Vectors of texts of one length, `[ids.len(), dim]` flat.
    fn forward(&self, ids: &[&[u32]]) -> Result<Vec<f32>, EmbedError> {
        let length = ids.first().map_or(0, |i| i.len());
        let run = || -> candle_core::Result<Vec<f32>> {
            let flat: Vec<u32> = ids.concat();
            let tokens = Tensor::from_vec(flat, (ids.len(), length), &self.device)?;
            let states = self.network.forward(&tokens)?.to_dtype(DType::F32)?;
            let pooled = match self.settings.pooling {
                Pooling::Mean => states.mean(1)?,
                Pooling::Cls => states.narrow(1, 0, 1)?.squeeze(1)?,
                Pooling::Max => states.max(1)?,
            };
            pooled.flatten_all()?.to_vec1::<f32>()
        };
        run().map_err(|e| EmbedError::Network {
            model: self.fingerprint.name().to_owned(),
            reason: root_cause(&e),
        })
    }
}

impl Embedder for TransformerModel {
    fn dim(&self) -> usize {
        self.dim
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError> {
        let ids: Vec<Vec<u32>> = texts
            .par_iter()
            .map(|t| self.tokens(t, role))
            .collect::<Result<_, _>>()?;
        // A blank text says nothing and stays zero. Longest first: the cores finish together.
        let mut order: Vec<usize> = (0..ids.len())
            .filter(|&i| !texts[i].trim().is_empty())
            .collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(ids[i].len()), i));
        let batch = if self.device.is_cpu() { 1 } else { GPU_BATCH };
        let groups: Vec<&[usize]> = order
            .chunk_by(|&a, &b| ids[a].len() == ids[b].len())
            .flat_map(|same| same.chunks(batch))
            .collect();
        let one = |group: &&[usize]| {
            let ids: Vec<&[u32]> = group.iter().map(|&i| ids[i].as_slice()).collect();
            self.forward(&ids)
        };
        let rows: Vec<Vec<f32>> = if self.device.is_cpu() {
            groups
                .par_iter()
                .with_max_len(1)
                .map(one)
                .collect::<Result<_, _>>()?
        } else {
            groups.iter().map(one).collect::<Result<_, _>>()?
        };
        let mut out = Array2::zeros((texts.len(), self.dim));
        for (group, rows) in groups.iter().zip(&rows) {
            for (&text, row) in group.iter().zip(rows.chunks(self.dim)) {
                out.row_mut(text)
                    .iter_mut()
                    .zip(row)
                    .for_each(|(o, &x)| *o = x);
            }
        }
        for mut row in out.rows_mut() {
            if let Some(row) = row.as_slice_mut() {
                l2_normalise(row);
            }
        }
        Ok(out)
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        let encoding = self.tokenizer.encode(text, false).ok()?;
        let letters = |t: &str| t.chars().filter(|c| c.is_alphanumeric()).count();
        let unknown: usize = encoding
            .get_ids()
            .iter()
            .zip(encoding.get_offsets())
            .filter(|(id, _)| Some(**id) == self.unknown)
            .map(|(_, &(start, end))| text.get(start..end).map_or(0, letters))
            .sum();
        let all = letters(text);
        Some(if all == 0 {
            0.0
        } else {
            1.0 - unknown.min(all) as f32 / all as f32
        })
    }
}

fn read_tokenizer(
    bytes: &[u8],
    max_tokens: usize,
    path: &Path,
) -> Result<tokenizers::Tokenizer, EmbedError> {
    // The crate's parsers are not written for hostile files: a panic is a bad file too.
    let read = std::panic::catch_unwind(|| tokenizers::Tokenizer::from_bytes(bytes));
    let mut tokenizer = match read {
        Ok(Ok(t)) => t,
        Ok(Err(e)) => return Err(EmbedError::bad_file(path, e)),
        Err(_) => return Err(EmbedError::bad_file(path, "the tokenizer cannot be read")),
    };
    tokenizer
        .with_truncation(Some(tokenizers::TruncationParams {
            max_length: max_tokens,
            ..Default::default()
        }))
        .map_err(|e| EmbedError::bad_file(path, e))?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}
