//! Arguments of what looks at many records at once, or at a question before it is asked.

use super::{OverArgs, kind};
use crate::help::spoken;
use clap::Args;
use queqiao_domain::{CodeError, Kind, RegionCode};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ClarifyArgs {
    /// A stored need.
    #[arg(long, group = "ask", value_name = "ID")]
    pub(crate) need: Option<String>,
    /// A text.
    #[arg(long, group = "ask")]
    pub(crate) text: Option<String>,
    /// All needs of a file (xlsx, csv, tsv, jsonl), a line each.
    #[arg(long, group = "ask", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Kinds that would answer, by comma; by default experts.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    pub(crate) to: Vec<Kind>,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DuplicatesArgs {
    /// Records of this kind.
    #[arg(long, default_value = "need", value_parser = kind)]
    pub(crate) kind: Kind,
    /// Share of the text that is the same, at least (0.5 to 1).
    #[arg(long, default_value_t = 0.7)]
    pub(crate) least: f64,
    /// Pairs, at most.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ChainArgs {
    /// csv of nodes with the columns id, name, description, upstream (ids, by semicolon).
    #[arg(value_name = "CHAIN.csv")]
    pub(crate) chain: PathBuf,
    /// The region whose chain it is (code or name): gaps are counted in it, fillers come from outside.
    #[arg(long, value_parser = region)]
    pub(crate) region: Option<RegionCode>,
    /// A record belongs to the node that it scores best for, from this score on.
    #[arg(long, default_value_t = 0.6)]
    pub(crate) least_score: f64,
    /// Fillers per node.
    #[arg(long, default_value_t = 3)]
    pub(crate) fillers: usize,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

fn region(s: &str) -> Result<RegionCode, String> {
    s.parse().map_err(|e: CodeError| spoken(&e.message()))
}
