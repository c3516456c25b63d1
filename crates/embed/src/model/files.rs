//! The three files of a model folder.

use crate::{EmbedError, ModelFingerprint};
use serde::Deserialize;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The matrix.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The tokenizer.
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The settings.
pub(crate) const CONFIG: &str = "config.json";

/// The bytes of a model folder, read once: what is hashed is what is used.
#[derive(Debug)]
pub(crate) struct ModelFiles {
    pub(crate) dir: PathBuf,
    pub(crate) weights: Vec<u8>,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

/// What `config.json` says that matters here; everything else belongs to other tools.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    queqiao: Option<Ours>,
}

#[derive(Debug, Deserialize)]
struct Ours {
    #[serde(default)]
    text_normalise: bool,
}

impl Config {
    /// Whether text is normalised by `queqiao_text` before the tokenizer sees it.
    pub(crate) fn normalises_text(&self) -> bool {
        self.queqiao.as_ref().is_some_and(|o| o.text_normalise)
    }
}

impl ModelFiles {
    /// Reads the three files.
    pub(crate) fn read(dir: &Path) -> Result<Self, EmbedError> {
        let read = |file: &'static str| {
            let path = dir.join(file);
            std::fs::read(&path).map_err(|e| match e.kind() {
                ErrorKind::NotFound => EmbedError::MissingFile {
                    dir: dir.to_owned(),
                    file,
                },
                _ => EmbedError::io("read", &path)(e),
            })
        };
        Ok(ModelFiles {
            dir: dir.to_owned(),
            weights: read(WEIGHTS)?,
            tokenizer: read(TOKENIZER)?,
            config: read(CONFIG)?,
        })
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// Name and bytes of each file.
    pub(crate) fn parts(&self) -> [(&'static str, &[u8]); 3] {
        [
            (WEIGHTS, &self.weights),
            (TOKENIZER, &self.tokenizer),
            (CONFIG, &self.config),
        ]
    }

    pub(crate) fn fingerprint(&self, name: String) -> ModelFingerprint {
        ModelFingerprint::of_parts(name, self.parts())
    }

    /// Parses `config.json`.
    pub(crate) fn config(&self) -> Result<Config, EmbedError> {
        serde_json::from_slice(&self.config)
            .map_err(|e| EmbedError::bad_file(&self.path(CONFIG), e))
    }
}
