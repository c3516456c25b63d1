//! Arguments of what comes after matches: outcomes, weights, calibration.

use super::{FolderArgs, OverArgs};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct OutcomesArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: OutcomesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutcomesCommand {
    /// Store outcomes of kept answers (`queqiao match --keep`) from a csv file 登记后续
    Report(OutcomesReportArgs),
    /// A kept answer as it was given: who was on it, and what each score was made of then 查看留存的结果
    Show(OutcomesShowArgs),
    /// How many were shown, opened, contacted, met, signed, declined and why 漏斗统计
    Funnel(OutcomesFunnelArgs),
    /// Write features and judgements that `queqiao weights fit` takes 导出训练数据
    Export(OutcomesExportArgs),
    /// Learn what scores have meant: matches then have a probability 校准为概率
    Calibrate(OutcomesCalibrateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OutcomesReportArgs {
    /// csv with the columns match_id, candidate, stage (shown, opened, contacted, met, signed,
    /// declined), and reason, time, event where there are any.
    #[arg(value_name = "FILE.csv")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OutcomesShowArgs {
    /// Its match_id.
    #[arg(value_name = "MATCH_ID")]
    pub(crate) match_id: String,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

/// What a funnel is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupArg {
    /// All in one.
    All,
    /// The event that an outcome names.
    Event,
    /// The province of who was matched.
    Region,
    /// The first level of its discipline.
    Discipline,
    /// The section of its industry.
    Industry,
    /// Its kind.
    Kind,
    /// The weights that ranked it.
    Weights,
}

#[derive(Debug, Args)]
pub(crate) struct OutcomesFunnelArgs {
    /// The groups.
    #[arg(long, value_enum, default_value = "all")]
    pub(crate) by: GroupArg,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OutcomesExportArgs {
    /// File of features to write.
    #[arg(long, value_name = "FEATURES.tsv")]
    pub(crate) features: PathBuf,
    /// File of judgements to write: what came of each, as often as its place was overlooked.
    #[arg(long, value_name = "QRELS")]
    pub(crate) qrels: PathBuf,
    /// Place r of a list is looked at with probability r^-BIAS; 0: every place is.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) bias: f64,
    /// No outcome counts more often than this.
    #[arg(long, default_value_t = 10.0)]
    pub(crate) clip: f64,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

/// What a probability is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetArg {
    /// One side writes to the other.
    Contacted,
    /// They meet.
    Met,
    /// They sign.
    Signed,
}

#[derive(Debug, Args)]
pub(crate) struct OutcomesCalibrateArgs {
    /// What the probability is of.
    #[arg(long, value_enum, default_value = "met")]
    pub(crate) target: TargetArg,
    #[command(flatten)]
    pub(crate) over: OverArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WeightsUseArgs {
    /// Weights, as `queqiao weights fit` writes them.
    #[arg(value_name = "WEIGHTS.json")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WeightsBackArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}
