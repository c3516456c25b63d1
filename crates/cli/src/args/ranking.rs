//! Ranking of collections, and weights.

use super::{Format, WeightsBackArgs, WeightsUseArgs};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// Meaning and shared words.
    Hybrid,
    /// Meaning only.
    Dense,
    /// Shared words only.
    Lexical,
}

impl From<ModeArg> for queqiao_engine::Mode {
    fn from(m: ModeArg) -> Self {
        match m {
            ModeArg::Hybrid => queqiao_engine::Mode::Hybrid,
            ModeArg::Dense => queqiao_engine::Mode::Dense,
            ModeArg::Lexical => queqiao_engine::Mode::Lexical,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PoolArg {
    /// All documents.
    All,
    /// The documents judged for the query.
    Judged,
}

#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    /// Folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels.
    #[arg(value_name = "COLLECTION")]
    pub(crate) collection: PathBuf,
    /// Which sides of the index answer.
    #[arg(long, value_enum, default_value = "hybrid")]
    pub(crate) mode: ModeArg,
    /// Which documents a query ranks.
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) pool: PoolArg,
    /// Lines per query.
    #[arg(long, default_value_t = 1000)]
    pub(crate) depth: usize,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Weights of the scorer (JSON); by default those that ship.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// Run file to write.
    #[arg(long, value_name = "OUT.trec")]
    pub(crate) run: PathBuf,
    /// Also write the features of every line, for `queqiao weights fit` and for rankers of your own.
    #[arg(long, value_name = "OUT.tsv")]
    pub(crate) features: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct WeightsArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: WeightsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WeightsCommand {
    /// Weights under which the better candidates come first; written only where they are better on
    /// queries they did not see 拟合，仅在确有提升时写出
    Fit(WeightsFitArgs),
    /// Make weights live in a data folder, from the next start on 启用
    Use(WeightsUseArgs),
    /// Make the weights before the live ones live again 回退
    Back(WeightsBackArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WeightsFitArgs {
    /// Features, as `queqiao rank --features` writes them.
    #[arg(value_name = "FEATURES.tsv")]
    pub(crate) features: PathBuf,
    /// Judgements or outcomes: a file, or the folder of a collection.
    #[arg(value_name = "QRELS")]
    pub(crate) qrels: PathBuf,
    /// Features and judgements of a collection on which the new weights must not be worse beyond noise; may be given
    /// again.
    #[arg(long, num_args = 2, value_names = ["FEATURES.tsv", "QRELS"])]
    pub(crate) also: Vec<PathBuf>,
    /// File of weights to write.
    #[arg(long, value_name = "WEIGHTS.json")]
    pub(crate) out: PathBuf,
    /// Weights to start from and to be held to; by default those that ship.
    #[arg(long, value_name = "FILE")]
    pub(crate) start: Option<PathBuf>,
    /// What has to rise.
    #[arg(long, default_value = "nDCG@10")]
    pub(crate) measure: String,
    /// Parts of the queries, each ranked by weights fitted to the others.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=50))]
    pub(crate) folds: u8,
    /// Write the weights also where they are not better.
    #[arg(long)]
    pub(crate) anyway: bool,
    /// Write over the file if it exists.
    #[arg(long)]
    pub(crate) replace: bool,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
