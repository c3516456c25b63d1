//! A model folder of any kind, by what its `config.json` says.

use crate::{EmbedError, Embedder, RemoteModel, RemoteOptions, StaticModel, model::CONFIG};
use serde::Deserialize;
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};

/// `model_type` of a folder that stands for a model behind an endpoint.
const ENDPOINT: &str = "endpoint";
/// `model_type` of a static model, and of a folder that does not say.
pub(crate) const STATIC: &str = "model2vec";

/// `config.json` of such a folder; nothing else is in it. The key itself stays in the environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointConfig {
    #[allow(dead_code, reason = "read before, to tell the kind")]
    model_type: String,
    url: String,
    model: String,
    #[serde(default)]
    revision: String,
    /// Name of the environment variable that holds the key.
    api_key_env: Option<String>,
    dim: Option<usize>,
    #[serde(default)]
    query_prefix: String,
    #[serde(default)]
    passage_prefix: String,
    batch: Option<usize>,
    parallel: Option<usize>,
    timeout_seconds: Option<u64>,
    retries: Option<u32>,
}

/// Opens a model folder: a static model (Model2Vec's layout), a transformer sentence encoder
/// (sentence-transformers' layout; with the feature `encoders`), or a model behind an endpoint,
/// whose `config.json` is `{"model_type": "endpoint", "url": "http://…/v1", "model": "bge-m3"}`
/// with, as needed, `revision`, `api_key_env` (the environment variable that holds the key), `dim`,
/// `query_prefix`, `passage_prefix`, `batch`, `parallel`, `timeout_seconds`, `retries`.
///
/// # Errors
/// As the kind's own loading; a `model_type` that is none of them is named.
pub fn open_model(dir: &Path) -> Result<Arc<dyn Embedder>, EmbedError> {
    match kind_of(dir)?.as_str() {
        STATIC => Ok(Arc::new(StaticModel::load(dir)?)),
        ENDPOINT => Ok(Arc::new(RemoteModel::connect(endpoint(
            &dir.join(CONFIG),
        )?)?)),
        _ => encoder(dir),
    }
}

/// `model_type` of a folder.
pub(crate) fn kind_of(dir: &Path) -> Result<String, EmbedError> {
    let path = dir.join(CONFIG);
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => EmbedError::MissingFile {
            dir: dir.to_owned(),
            file: CONFIG,
        },
        _ => EmbedError::io("read", &path)(e),
    })?;
    let config: Value =
        serde_json::from_slice(&bytes).map_err(|e| EmbedError::bad_file(&path, e))?;
    let kind = config.get("model_type").and_then(Value::as_str);
    Ok(kind.unwrap_or(STATIC).to_owned())
}

#[cfg(feature = "encoders")]
fn encoder(dir: &Path) -> Result<Arc<dyn Embedder>, EmbedError> {
    let model = crate::TransformerModel::load(dir, crate::Precision::F32)?;
    Ok(Arc::new(model))
}

#[cfg(not(feature = "encoders"))]
fn encoder(dir: &Path) -> Result<Arc<dyn Embedder>, EmbedError> {
    Err(EmbedError::bad_file(
        &dir.join(CONFIG),
        "it is no static model, and this program was built without the feature `encoders`",
    ))
}

fn endpoint(path: &Path) -> Result<RemoteOptions, EmbedError> {
    let bytes = std::fs::read(path).map_err(EmbedError::io("read", path))?;
    let c: EndpointConfig =
        serde_json::from_slice(&bytes).map_err(|e| EmbedError::bad_file(path, e))?;
    let api_key = match &c.api_key_env {
        None => None,
        Some(variable) => Some(std::env::var(variable).map_err(|_| EmbedError::Option {
            option: "api_key_env",
            reason: format!("the environment has no {variable}: set it to the endpoint's key"),
        })?),
    };
    let defaults = RemoteOptions::default();
    Ok(RemoteOptions {
        url: c.url,
        model: c.model,
        revision: c.revision,
        api_key,
        dim: c.dim,
        query_prefix: c.query_prefix,
        passage_prefix: c.passage_prefix,
        batch: c.batch.unwrap_or(defaults.batch),
        parallel: c.parallel.unwrap_or(defaults.parallel),
        timeout: c
            .timeout_seconds
            .map_or(defaults.timeout, Duration::from_secs),
        retries: c.retries.unwrap_or(defaults.retries),
        ..defaults
    })
}
