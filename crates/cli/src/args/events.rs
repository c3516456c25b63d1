//! Events and service teams.

use super::{DataArgs, Format};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: EventCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Lists, timetable, panels, roundtables, roadshow from an event's sheets 生成方案
    Plan(EventPlanArgs),
    /// Plan again after a change, with as few moved meetings as possible 变动后重排
    Replan(EventReplanArgs),
    /// Why a need and an expert meet, or do not 解释某对会面
    Explain(EventExplainArgs),
    /// A workbook with the sheets that a plan of meetings commonly needs, filled in with invented people, to plan
    /// as it is and to write over 示例工作簿
    Example(ExampleArgs),
}

/// Where an example goes.
#[derive(Debug, Args)]
pub(crate) struct ExampleArgs {
    /// Workbook to write; must not exist.
    #[arg(value_name = "FILE.xlsx")]
    pub(crate) file: PathBuf,
    /// Write over a workbook that is there.
    #[arg(long)]
    pub(crate) replace: bool,
}

/// An event and how to plan it.
#[derive(Debug, Args)]
pub(crate) struct EventInput {
    /// Folder of csv and xlsx files, or one workbook: participants 参会者, needs 需求, experts 专家,
    /// availability 时间, requests 意向, conflicts 回避, rules 规则, scores 评分, tables 桌位, fixed 锁定,
    /// travel 路程; for review panels applications 申报, reviewers 评审专家, criteria 硬性条件; for
    /// roundtables 圆桌; for a roadshow projects 项目, tracks 赛道, listings 企业榜单.
    #[arg(value_name = "EVENT")]
    pub(crate) event: PathBuf,
    /// The plan of an event at the same time: its experts are busy then, and what they do there
    /// counts against the rule `most_across`; may be given several times.
    #[arg(long = "with", value_name = "PLAN.xlsx")]
    pub(crate) with: Vec<PathBuf>,
    /// Stop after so many seconds with the best plan so far.
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    pub(crate) time_limit: u64,
    /// Model by name, for scores that the event does not give.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

/// Where a workbook goes.
#[derive(Debug, Args)]
pub(crate) struct OutArgs {
    /// Workbook to write (.xlsx); must not exist.
    #[arg(long, value_name = "FILE.xlsx")]
    pub(crate) out: Option<PathBuf>,
    /// Write over a workbook that is there.
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EventPlanArgs {
    #[command(flatten)]
    pub(crate) input: EventInput,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EventReplanArgs {
    #[command(flatten)]
    pub(crate) input: EventInput,
    /// The plan that was handed out: a workbook that `event plan` wrote.
    #[arg(long, value_name = "PLAN.xlsx")]
    pub(crate) before: PathBuf,
    /// Somebody who does not come: id or name; may be given several times.
    #[arg(long, value_name = "ID")]
    pub(crate) cancel: Vec<String>,
    /// A table that is lost, for the whole event or from a time on (`7`, `7@14:00`).
    #[arg(long, value_name = "TABLE[@TIME]")]
    pub(crate) lose_table: Vec<String>,
    /// Somebody who comes late, with the time of arrival (`E12@10:30`).
    #[arg(long, value_name = "ID@TIME")]
    pub(crate) late: Vec<String>,
    #[command(flatten)]
    pub(crate) out: OutArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EventExplainArgs {
    #[command(flatten)]
    pub(crate) input: EventInput,
    /// The need's id.
    #[arg(long, value_name = "ID")]
    pub(crate) need: String,
    /// The expert's id or name.
    #[arg(long, value_name = "ID")]
    pub(crate) expert: String,
}

#[derive(Debug, Args)]
pub(crate) struct TeamArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: TeamCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// The best team for a set of needs, with proof 组团
    Compose(TeamComposeArgs),
    /// Complementary members who together cover the parts of a joint project 组建联合体
    Consortium(TeamComposeArgs),
    /// A workbook with needs, candidates and rules, filled in with invented people 示例工作簿
    Example(ExampleArgs),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct TeamComposeArgs {
    /// Workbook, or folder of csv and xlsx files: needs 需求, experts 专家, rules 规则, scores 评分.
    #[arg(value_name = "FILE", group = "what")]
    pub(crate) file: Option<PathBuf>,
    /// Stored needs, by comma, each with a weight where it is not 1 (`N1,N2*3`); the experts of the
    /// data folder are the candidates.
    #[arg(
        long,
        value_delimiter = ',',
        group = "what",
        value_name = "ID[*WEIGHT]"
    )]
    pub(crate) needs: Vec<String>,
    /// Stored needs by a condition (AIP-160), such as `region : 440300`: those of a region or park.
    #[arg(long = "where", group = "what", value_name = "FILTER")]
    pub(crate) needs_where: Option<String>,
    /// Days of the visit (`2026-12-01` or `2026-12-01~2026-12-03`); with stored needs.
    #[arg(long, value_name = "DAYS", conflicts_with = "file")]
    pub(crate) visit: Option<String>,
    /// Region of the visit (GB/T 2260), for experts who told where they travel; with stored needs.
    #[arg(long, value_name = "CODE", conflicts_with = "file")]
    pub(crate) region: Option<String>,
    /// Experts that are set, by comma; with stored needs.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID",
        conflicts_with = "file"
    )]
    pub(crate) must: Vec<String>,
    /// Experts that are ruled out, by comma; with stored needs.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID",
        conflicts_with = "file"
    )]
    pub(crate) must_not: Vec<String>,
    /// Members at most.
    #[arg(long)]
    pub(crate) size: Option<u32>,
    /// Budget, 万元.
    #[arg(long)]
    pub(crate) budget: Option<f64>,
    /// Members of one institution at most.
    #[arg(long)]
    pub(crate) per_institution: Option<u32>,
    /// Different societies at least.
    #[arg(long)]
    pub(crate) societies: Option<u32>,
    /// Titles whose holders may lead, by comma (教授,研究员); with stored needs.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "TITLE",
        conflicts_with = "file"
    )]
    pub(crate) lead_rank: Vec<String>,
    /// Members who may lead, at least.
    #[arg(long)]
    pub(crate) leads: Option<u32>,
    /// Share of the objective that goes to what is left when a member drops out, 0 to 1.
    #[arg(long)]
    pub(crate) robust: Option<f64>,
    /// Stop after so many seconds with the best team so far.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) time_limit: u64,
    #[command(flatten)]
    pub(crate) out: OutArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
