//! The networks themselves, from candle-transformers.

use super::folder::{EncoderFiles, root_cause};
use crate::EmbedError;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Module, VarBuilder, embedding, layer_norm};
use candle_transformers::models::{bert, modernbert, xlm_roberta};
use serde_json::json;

/// An encoder that gives one vector a token.
pub(super) enum Network {
    Bert(Bert),
    Roberta(xlm_roberta::XLMRobertaModel),
    Modern(modernbert::ModernBert),
}

/// Names of the networks this version knows, as `model_type` has them.
const KNOWN: &str = "bert, roberta, xlm-roberta, camembert or modernbert";

impl Network {
    /// Builds the network that `config.json` names. Returns it with its number of columns.
    pub(super) fn build(
        files: &EncoderFiles,
        dtype: DType,
        device: &Device,
    ) -> std::result::Result<(Self, usize), EmbedError> {
        let mut tensors = files.tensors(dtype, device)?;
        let bad = |e: candle_core::Error| {
            EmbedError::bad_file(&files.dir.join("model.safetensors"), root_cause(&e))
        };
        let common = [
            ("hidden_dropout_prob", json!(0.1)),
            ("attention_probs_dropout_prob", json!(0.1)),
            ("initializer_range", json!(0.02)),
            ("layer_norm_eps", json!(1e-12)),
            ("pad_token_id", json!(0)),
            ("type_vocab_size", json!(2)),
            ("position_embedding_type", json!("absolute")),
        ];
        match files.model_type() {
            "bert" => {
                let config: bert::Config = files.network(&common)?;
                let dim = config.hidden_size;
                check_heads(files, dim, config.num_attention_heads)?;
                let vb = VarBuilder::from_tensors(tensors, dtype, device);
                Ok((Network::Bert(Bert::load(&vb, &config).map_err(bad)?), dim))
            }
            "roberta" | "xlm-roberta" | "camembert" => {
                let config: xlm_roberta::Config = files.network(&common)?;
                let dim = config.hidden_size;
                check_heads(files, dim, config.num_attention_heads)?;
                let vb = VarBuilder::from_tensors(tensors, dtype, device);
                let model = xlm_roberta::XLMRobertaModel::new(&config, vb).map_err(bad)?;
                Ok((Network::Roberta(model), dim))
            }
            "modernbert" => {
                let config: modernbert::Config = files.network(&[
                    (
                        "layer_norm_eps",
                        files.config.get("norm_eps").cloned().unwrap_or(json!(1e-5)),
                    ),
                    ("pad_token_id", json!(0)),
                ])?;
                let dim = config.hidden_size;
                check_heads(files, dim, config.num_attention_heads)?;
                tensors = tensors
                    .into_iter()
                    .map(|(name, t)| (format!("model.{name}"), t))
                    .collect();
                let vb = VarBuilder::from_tensors(tensors, dtype, device);
                let model = modernbert::ModernBert::load(vb, &config).map_err(bad)?;
                Ok((Network::Modern(model), dim))
            }
            other => Err(EmbedError::bad_file(
                &files.dir.join("config.json"),
                format!("model_type is `{other}`, and this version knows {KNOWN}"),
            )),
        }
    }

    /// Vectors of all tokens, `[texts, tokens, dim]`, for texts of equal length: `ids` is
    /// `[texts, tokens]`, and there is no padding.
    pub(super) fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        match self {
            Network::Bert(m) => m.forward(ids),
            Network::Roberta(m) => {
                let mask = ids.ones_like()?;
                m.forward(ids, &mask, &ids.zeros_like()?, None, None, None)
            }
            Network::Modern(m) => m.forward(ids, &ids.ones_like()?),
        }
    }
}

/// BERT around candle's layers. Candle's own `BertModel` makes its mask from the least 32-bit
/// number, which is minus infinity in bfloat16, and every vector NaN; without padding no mask is
/// needed.
pub(super) struct Bert {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
    encoder: bert::BertEncoder,
}

impl Bert {
    fn load(vb: &VarBuilder<'_>, c: &bert::Config) -> Result<Self> {
        let own = vb.pp("embeddings");
        let (dim, rows) = (c.hidden_size, |name: &str| own.pp(name));
        Ok(Self {
            words: embedding(c.vocab_size, dim, rows("word_embeddings"))?,
            positions: embedding(c.max_position_embeddings, dim, rows("position_embeddings"))?,
            types: embedding(c.type_vocab_size, dim, rows("token_type_embeddings"))?,
            norm: layer_norm(dim, c.layer_norm_eps, rows("LayerNorm"))?,
            encoder: bert::BertEncoder::load(vb.pp("encoder"), c)?,
        })
    }

    fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let length = u32::try_from(ids.dim(1)?)?;
        let places = Tensor::arange(0, length, ids.device())?;
        let input = (self.words.forward(ids)? + self.types.forward(&ids.zeros_like()?)?)?
            .broadcast_add(&self.positions.forward(&places)?)?;
        let input = self.norm.forward(&input)?;
        let unmasked = Tensor::zeros((1, 1, 1, length as usize), input.dtype(), ids.device())?;
        self.encoder.forward(&input, &unmasked)
    }
}

fn check_heads(
    files: &EncoderFiles,
    dim: usize,
    heads: usize,
) -> std::result::Result<(), EmbedError> {
    if heads == 0 || dim == 0 || !dim.is_multiple_of(heads) {
        return Err(EmbedError::bad_file(
            &files.dir.join("config.json"),
            format!("hidden_size {dim} cannot be shared by {heads} attention heads"),
        ));
    }
    Ok(())
}
