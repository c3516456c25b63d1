//! Embedding, training and models.

use super::Format;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// Texts: .jsonl objects with text, title or both; else a text a line; - for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// File to write: .npy (32-bit floats, a row a text) or .jsonl (id and vector).
    #[arg(long, value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Whether the texts ask or are looked through: some models treat them differently.
    #[arg(long, value_enum, default_value = "passage")]
    pub(crate) role: RoleArg,
    /// Model by name, or the path of its folder.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// The texts ask.
    Query,
    /// The texts are looked through.
    Passage,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Texts: folders and files of jsonl, csv, tsv, plain text (also .zst), xlsx.
    #[arg(required = true, value_name = "CORPUS")]
    pub(crate) corpus: Vec<PathBuf>,
    /// Folder of the new model.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Licence of each CORPUS in turn, for the model card.
    #[arg(long, value_name = "SPDX")]
    pub(crate) licence: Vec<String>,
    /// How often each CORPUS in turn is drawn from; 1 where none is given.
    #[arg(long, value_name = "W")]
    pub(crate) weight: Vec<f32>,
    /// Trees of codes and names (IPC, industries): a place, and what it and its parents are called.
    #[arg(long, value_name = "FILE")]
    pub(crate) taxonomy: Vec<PathBuf>,
    /// Licence of each --taxonomy in turn.
    #[arg(long, value_name = "SPDX")]
    pub(crate) taxonomy_licence: Vec<String>,
    /// How often each --taxonomy in turn is drawn from; 0.1 where none is given.
    #[arg(long, value_name = "W")]
    pub(crate) taxonomy_weight: Vec<f32>,
    /// Word lists: which strings are words.
    #[arg(long, value_name = "FILE")]
    pub(crate) words: Vec<PathBuf>,
    /// Go on from this model, with its vocabulary.
    #[arg(long, value_name = "MODEL_DIR")]
    pub(crate) start: Option<PathBuf>,
    /// Licence of the new model.
    #[arg(long, default_value = "not stated", value_name = "SPDX")]
    pub(crate) model_licence: String,
    /// What the sources ask to be said, for the model card.
    #[arg(long, value_name = "TEXT")]
    pub(crate) attribution: Option<String>,
    /// File with figures and limits of the model, in Markdown, for its card.
    #[arg(long, value_name = "FILE")]
    pub(crate) card: Option<PathBuf>,
    /// Write over an existing model folder.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Ids that are never trained on, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) exclude: Option<PathBuf>,
    /// Train on this share of the documents, for a learning curve.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub(crate) fraction: f64,
    /// Steps of training.
    #[arg(long)]
    pub(crate) steps: Option<usize>,
    /// Seed: equal seeds give equal models.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Any other setting by its name, such as dim=256 or temperatures=[0.1]: see TRAINING.md.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Check the files against their sums.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Enter this folder of the models' folder, of any kind, in the manifest, or enter it anew.
    #[arg(long, value_name = "NAME")]
    pub(crate) add: Option<String>,
    /// Licence of the model to add.
    #[arg(
        long,
        requires = "add",
        default_value = "not stated",
        value_name = "SPDX"
    )]
    pub(crate) licence: String,
    /// One line about the model to add.
    #[arg(long, requires = "add", default_value = "", value_name = "TEXT")]
    pub(crate) summary: String,
    /// The model to add becomes the one that is used when none is named.
    #[arg(long, requires = "add")]
    pub(crate) default: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
