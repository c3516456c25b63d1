//! Errors by cause: each says what failed, on what, and what to try.

use queqiao_domain::Bilingual;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What can go wrong with a model or its training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// Whoever asked has gone, or their time is over.
    #[error("embedding was stopped: the request was cancelled or its deadline passed")]
    Cancelled,
    /// A file of a model folder is not there.
    #[error(
        "model folder {} has no {file}; a model needs model.safetensors, tokenizer.json and config.json: copy the folder again",
        dir.display()
    )]
    MissingFile {
        /// The model folder.
        dir: PathBuf,
        /// The file's name.
        file: &'static str,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {}; check that the path exists and may be accessed", path.display())]
    Io {
        /// "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file's content is not what its name promises.
    #[error("{} is damaged or of another kind: {reason}; copy it again from its source", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor has the wrong type, shape or values.
    #[error("{}: tensor `{tensor}` {reason}; the file was not written as a Model2Vec model: export it again", path.display())]
    BadTensor {
        /// The safetensors file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer and the matrix are of different models.
    #[error(
        "model folder {}: tokenizer.json has {tokens} tokens but model.safetensors has {rows} rows for them; the two files are from different models: copy both from the same one",
        dir.display()
    )]
    TokenizerMismatch {
        /// The model folder.
        dir: PathBuf,
        /// Entries of the tokenizer's vocabulary.
        tokens: usize,
        /// Rows of the matrix, or entries of its mapping.
        rows: usize,
    },
    /// A file is not the one the manifest lists.
    #[error(
        "{}: sha256 is {actual}, the manifest says {expected}; the file was changed or cut short: copy the model again, or run the training again to register it",
        path.display()
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// Sum in the manifest.
        expected: String,
        /// Sum of the file.
        actual: String,
    },
    /// No folder with a manifest was found.
    #[error(
        "no model folder found (looked for manifest.json in {}); set QUEQIAO_MODELS to the folder that holds manifest.json",
        list_paths(searched)
    )]
    NoModels {
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// The store has no model of this name.
    #[error("no model named `{name}` in {}; there {}", dir.display(), list_names(available))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The store.
        dir: PathBuf,
        /// What it has.
        available: Vec<String>,
    },
    /// The tokenizer refused a text.
    #[error("the tokenizer of model `{model}` failed: {reason}; use another model for this text")]
    Tokenize {
        /// The model.
        model: String,
        /// The tokenizer's reason.
        reason: String,
    },
    /// A network failed on a text.
    #[error("model `{model}` failed: {reason}; use another model for this text")]
    Network {
        /// The model.
        model: String,
        /// The tensor library's reason.
        reason: String,
    },
    /// A model behind an endpoint does not answer, or not as it should.
    #[error("model `{model}` at {endpoint}: {reason}; try again, or use a local model")]
    Endpoint {
        /// The address.
        endpoint: String,
        /// The model's name there.
        model: String,
        /// What happened.
        reason: String,
    },
    /// Training refuses the corpus.
    #[error("this corpus cannot train a model: {reason}")]
    Corpus {
        /// Why, and what would be accepted.
        reason: String,
    },
    /// A line of a corpus file cannot be read.
    #[error("{}, line {line}: {reason}", path.display())]
    CorpusLine {
        /// The file.
        path: PathBuf,
        /// Line number from 1.
        line: usize,
        /// What is wrong and what would be accepted.
        reason: String,
    },
    /// An option is out of its range.
    #[error("option `{option}`: {reason}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// The accepted range.
        reason: String,
    },
    /// Training was stopped by the caller; a checkpoint may be there to go on from.
    #[error(
        "training was stopped at step {step}; run it again with the same options to go on from its last checkpoint"
    )]
    Stopped {
        /// Steps done.
        step: usize,
    },
}

impl EmbedError {
    /// Whether it may go better later: a model behind an endpoint that does not answer.
    pub fn may_pass(&self) -> bool {
        matches!(self, EmbedError::Endpoint { .. })
    }

    /// Whether what was given is at fault (a name, a setting, a corpus), rather than a file that
    /// was damaged or a machine that failed.
    pub fn is_input(&self) -> bool {
        match self {
            EmbedError::UnknownModel { .. }
            | EmbedError::MissingFile { .. }
            | EmbedError::Corpus { .. }
            | EmbedError::CorpusLine { .. }
            | EmbedError::Option { .. } => true,
            EmbedError::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// The message in both languages; the reasons of other tools stay as they give them.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            EmbedError::Cancelled => "嵌入已停止：请求被取消或已超时".to_owned(),
            EmbedError::MissingFile { dir, file } => format!(
                "模型目录 {} 缺少 {file}；模型需要 model.safetensors、tokenizer.json 与 config.json，请重新复制该目录",
                dir.display()
            ),
            EmbedError::Io { path, source, .. } => {
                format!("无法读写 {}：{source}；请检查路径与权限", path.display())
            }
            EmbedError::BadFile { path, reason } => format!(
                "{} 已损坏或不是这类文件：{reason}；请从来源重新复制",
                path.display()
            ),
            EmbedError::BadTensor {
                path,
                tensor,
                reason,
            } => format!(
                "{}：张量 `{tensor}` {reason}；该文件不是按 Model2Vec 模型写出的，请重新导出",
                path.display()
            ),
            EmbedError::TokenizerMismatch { dir, tokens, rows } => format!(
                "模型目录 {}：tokenizer.json 有 {tokens} 个词元，model.safetensors 却有 {rows} 行；两个文件不属同一模型，请一并重新复制",
                dir.display()
            ),
            EmbedError::Digest {
                path,
                expected,
                actual,
            } => format!(
                "{}：sha256 为 {actual}，清单为 {expected}；文件被改动或截断，请重新复制模型",
                path.display()
            ),
            EmbedError::NoModels { searched } => format!(
                "找不到模型目录（已查找：{}）；请把 QUEQIAO_MODELS 设为含 manifest.json 的目录",
                list_paths(searched)
            ),
            EmbedError::UnknownModel {
                name,
                dir,
                available,
            } => format!(
                "{} 中没有模型 `{name}`；现有：{}",
                dir.display(),
                available.join("、")
            ),
            EmbedError::Tokenize { model, reason } | EmbedError::Network { model, reason } => {
                format!("模型 `{model}` 处理文本失败：{reason}；请换一个模型")
            }
            EmbedError::Endpoint {
                endpoint,
                model,
                reason,
            } => format!("接口 {endpoint} 上的模型 `{model}`：{reason}；请重试，或改用本地模型"),
            EmbedError::Corpus { reason } => format!("该语料不能用于训练：{reason}"),
            EmbedError::CorpusLine { path, line, reason } => {
                format!("{} 第 {line} 行：{reason}", path.display())
            }
            EmbedError::Option { option, reason } => format!("设置 `{option}`：{reason}"),
            EmbedError::Stopped { step } => {
                format!("训练在第 {step} 步停止；用相同设置再次运行即可从上一检查点继续")
            }
        };
        let mut en = self.to_string();
        if let EmbedError::Io { source, .. } = self {
            en.push_str(&format!(": {source}"));
        }
        Bilingual::new(en, zh)
    }

    pub(crate) fn io(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> EmbedError {
        let path = path.to_owned();
        move |source| EmbedError::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn bad_file(path: &Path, reason: impl std::fmt::Display) -> EmbedError {
        EmbedError::BadFile {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

fn list_paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    if shown.is_empty() {
        "no folder at all".to_owned()
    } else {
        shown.join(", ")
    }
}

fn list_names(names: &[String]) -> String {
    match names {
        [] => "is none".to_owned(),
        [one] => format!("is `{one}`"),
        many => format!("are `{}`", many.join("`, `")),
    }
}
