//! The ranking laboratory: what is measured, and how it is shown.

use super::{Format, ModeArg};
use crate::help::spoken;
use clap::{Args, ValueEnum};
use queqiao_domain::Bilingual;
use queqiao_eval::{Examination, Measure};
use std::path::PathBuf;

/// What is measured, and how it is shown: of `eval` and `compare` alike.
#[derive(Debug, Args)]
pub(crate) struct MeasuringArgs {
    /// Judgements (TREC, BEIR tsv, JSON; also .gz, .zst), or the folder of a collection.
    #[arg(value_name = "QRELS")]
    pub(crate) qrels: PathBuf,
    /// Runs (TREC, JSON; also .gz, .zst).
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Measures by ir_measures' or trec_eval's names, by comma.
    #[arg(
        long,
        default_value = "nDCG@10,AP,RR,P@10,R@100",
        value_name = "LIST",
        value_parser = measures
    )]
    pub(crate) measures: Measures,
    /// Also the values of each query.
    #[arg(long)]
    pub(crate) per_query: bool,
    /// What a judged query counts that a run does not answer; by default as if nothing were found.
    #[arg(long, value_enum)]
    pub(crate) missing: Option<MissingArg>,
    /// Leave out queries that have no relevant document.
    #[arg(long)]
    pub(crate) only_answerable: bool,
    /// How exactly scores are compared.
    #[arg(long, value_enum, default_value = "double")]
    pub(crate) precision: PrecisionArg,
    /// Answers of a query that count.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) depth: Option<u32>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: EvalFormat,
    /// File to write instead of printing.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Measures that were read; one type, so that clap does not take them for a list.
#[derive(Debug, Clone)]
pub(crate) struct Measures(pub(crate) Vec<Measure>);

fn measures(s: &str) -> Result<Measures, String> {
    queqiao_eval::parse_list(s).map(Measures).map_err(told)
}

fn told(e: queqiao_eval::Error) -> String {
    let told = e.message();
    spoken(&Bilingual::new(told.en, told.zh))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MissingArg {
    /// As if nothing had been found.
    Zero,
    /// Left out.
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrecisionArg {
    /// In 64 bits.
    Double,
    /// Rounded to 32 bits, as trec_eval up to 9 and pytrec_eval do.
    Single,
}

/// How to print an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people.
    Table,
    /// For machines: one JSON document.
    Json,
    /// For people: one page with drawings.
    Html,
    /// Lines as trec_eval prints them.
    Trec,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) what: MeasuringArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) what: MeasuringArgs,
    /// The run that others are compared with, by name or file; by default the first.
    #[arg(long, value_name = "RUN")]
    pub(crate) baseline: Option<String>,
    /// Level of the tests; intervals are of 1 − this.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) alpha: f64,
    /// Permutations of the randomisation test.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) permutations: u64,
    /// Resamples of the bootstrap.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(crate) resamples: usize,
    /// Seed of both: equal seeds give equal results.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Queries shown with what moved, for each comparison.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) moved: usize,
    /// Looks planned, where data is looked at more than once as it grows.
    #[arg(long, value_name = "N", requires = "look")]
    pub(crate) looks: Option<u32>,
    /// Which of the looks this is, from 1.
    #[arg(long, value_name = "N", requires = "looks")]
    pub(crate) look: Option<u32>,
}

fn examination(s: &str) -> Result<Examination, String> {
    s.parse().map_err(told)
}

#[derive(Debug, Args)]
pub(crate) struct ListsArgs {
    /// Lists, as runs: who gets the list, who stands in it.
    #[arg(required = true, value_name = "LISTS")]
    pub(crate) lists: Vec<PathBuf>,
    /// Places of a list that count; by default all.
    #[arg(short = 'k', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) depth: Option<u32>,
    /// Folder of a collection, or a file of ids one a line: who could be shown; by default who is
    /// named anywhere.
    #[arg(long, value_name = "PATH")]
    pub(crate) supply: Option<PathBuf>,
    /// How much those who get lists want those who stand in them, as a run: chances from 0 to 1 for
    /// expected matches.
    #[arg(long, value_name = "RUN")]
    pub(crate) wants: Option<PathBuf>,
    /// How much those who stand in lists want those who get them, as a run the other way round; by
    /// default they agree to all.
    #[arg(long, value_name = "RUN", requires = "wants")]
    pub(crate) wants_back: Option<PathBuf>,
    /// Lists the other way round, one file for each of LISTS; by default everyone sees all whose list
    /// they stand in.
    #[arg(long, value_name = "LISTS", requires = "wants", num_args = 1..)]
    pub(crate) back: Vec<PathBuf>,
    /// Lists that one may stand in, for blocking pairs; by default any number.
    #[arg(long, value_name = "N", requires = "wants")]
    pub(crate) capacity: Option<usize>,
    /// Chance that a place is looked at: 1/rank, 1/rank^0.7, log, all, or by rank: 1,.6,.4.
    #[arg(long, default_value = "1/rank", value_name = "CHANCES", value_parser = examination)]
    pub(crate) examination: Examination,
    /// Judgements, for whether scores mean what they say.
    #[arg(long, value_name = "QRELS")]
    pub(crate) qrels: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AssumeArg {
    /// What comes of a document depends on it, and on whether its place is looked at.
    Examination,
    /// It depends on the document and its place in any way; the log tells each item's propensity.
    Placement,
}

#[derive(Debug, Args)]
pub(crate) struct OffPolicyArgs {
    /// Log of lists that were shown, with what came of them (JSON lines; also .gz, .zst).
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Runs that could have been shown.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// What is taken to be true of how outcomes come about.
    #[arg(long, value_enum, default_value = "examination")]
    pub(crate) assume: AssumeArg,
    /// Chance that a place is looked at: 1/rank, 1/rank^0.7, log, all, or by rank: 1,.6,.4.
    #[arg(long, default_value = "1/rank", value_name = "CHANCES", value_parser = examination)]
    pub(crate) examination: Examination,
    /// What comes of a document once it is looked at, as a run: for the doubly robust estimate.
    #[arg(long, value_name = "RUN")]
    pub(crate) predictions: Option<PathBuf>,
    /// Places that a run fills; by default as many as the list that was shown.
    #[arg(short = 'k', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) depth: Option<u32>,
    /// Largest weight of an item.
    #[arg(long, value_name = "W")]
    pub(crate) clip: Option<f64>,
    /// Fewer effective lists are refused.
    #[arg(long, default_value_t = 100.0, value_name = "N")]
    pub(crate) min_ess: f64,
    /// Refused where the log shows a smaller share of what a run would show.
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    pub(crate) min_support: f64,
    /// Intervals are of 1 − this.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) alpha: f64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct InterleavingArgs {
    /// Log of interleaved lists, whose items name their team (JSON lines; also .gz, .zst).
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// Level of the tests; intervals are of 1 − this.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) alpha: f64,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BenchQualityArgs {
    /// Folder of collections; by default that of QUEQIAO_SHARED, or ../shared/collections.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Only these collections, by comma.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Figures accepted last.
    #[arg(
        long,
        default_value = "benches/quality/accepted.json",
        value_name = "FILE"
    )]
    pub(crate) accepted: PathBuf,
    /// Keep the figures of this run as accepted.
    #[arg(long)]
    pub(crate) accept: bool,
    /// Collections whose queries rank only what is judged for them, by comma; the accepted figures
    /// remember which.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) judged_pool: Vec<String>,
    /// Level at which a fall is none of chance, over all collections and measures together.
    #[arg(long, default_value_t = 0.05)]
    pub(crate) alpha: f64,
    /// Which sides of the index answer.
    #[arg(long, value_enum, default_value = "hybrid")]
    pub(crate) mode: ModeArg,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Weights of the scorer (JSON); by default those that ship.
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
