//! The command line. Scripts and checks rely on it: names and meanings stay.

mod events;
mod insight;
mod laboratory;
mod models;
mod operation;
mod outcomes;
mod ranking;

pub(crate) use events::*;
pub(crate) use insight::*;
pub(crate) use laboratory::*;
pub(crate) use models::*;
pub(crate) use operation::*;
pub(crate) use outcomes::*;
pub(crate) use ranking::*;

use crate::help::spoken;
use clap::{Args, Parser, Subcommand, ValueEnum};
use queqiao_domain::{Bilingual, CodeError, Kind, Lang, TenantId};
use queqiao_engine::Feature;
use std::path::PathBuf;

/// 鹊桥: matches enterprises' technology needs with those who can solve them.
#[derive(Debug, Parser)]
#[command(name = "queqiao", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Language of what people read; by default that of the environment.
    #[arg(long, global = true, value_enum, env = "QUEQIAO_LANG")]
    pub(crate) lang: Option<LangArg>,
    /// Folder with models; by default beside the program, or `models` here.
    #[arg(long, global = true, env = "QUEQIAO_MODELS", value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,
    /// Logs as JSON lines.
    #[arg(long, global = true, env = "QUEQIAO_LOG_JSON")]
    pub(crate) log_json: bool,
}

impl Cli {
    /// The folder of models, when a flag and not the environment names it.
    pub(crate) fn models_flag(&self) -> Option<String> {
        let given = self.models.as_ref().map(|p| p.display().to_string());
        given.filter(|g| std::env::var("QUEQIAO_MODELS").as_ref() != Ok(g))
    }

    /// The language asked for, or the environment's.
    pub(crate) fn language(&self) -> Lang {
        match self.lang {
            Some(LangArg::En) => Lang::En,
            Some(LangArg::Zh) => Lang::Zh,
            None => crate::help::environment(),
        }
    }

    /// A service says what it does; a command only what goes wrong.
    pub(crate) fn default_log_level(&self) -> &'static str {
        match self.command {
            Command::Serve(_) => "info,tantivy=warn",
            _ => "warn,tantivy=error",
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LangArg {
    /// English
    En,
    /// 中文
    Zh,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the gRPC service 启动服务
    Serve(ServeArgs),
    /// Read spreadsheets into a data folder 导入表格
    Import(ImportArgs),
    /// Write the records of a data folder to a file 导出记录
    Export(ExportArgs),
    /// Find matches 匹配
    Match(MatchArgs),
    /// Rank a test collection as a TREC run 对测试集排序
    Rank(RankArgs),
    /// How well a need is described, and what to ask back 需求澄清
    Clarify(ClarifyArgs),
    /// Records that say nearly the same 查重
    Duplicates(DuplicatesArgs),
    /// Supply and demand over an industry chain 产业链
    Chain(ChainArgs),
    /// What came of matches: report it, count it, learn from it 匹配的后续
    Outcomes(OutcomesArgs),
    /// Fit the scorer's weights to judgements or outcomes, make them live 排序权重
    Weights(WeightsArgs),
    /// Plan a matchmaking event 策划对接会
    Event(EventArgs),
    /// Compose a service team 组建科技服务团
    Team(TeamArgs),
    /// Measure runs against judgements 评测排序结果
    Eval(EvalArgs),
    /// Tell a gain of one run over another from noise 比较排序结果
    Compare(CompareArgs),
    /// Measure lists as a set: exposure, envy, blocking pairs, matches 评测整组名单
    Lists(ListsArgs),
    /// Estimate from a log what runs would have earned, had they been shown 离线策略评估
    OffPolicy(OffPolicyArgs),
    /// Tell which of two interleaved systems people prefer 交错实验分析
    Interleaving(InterleavingArgs),
    /// Rank and measure every collection of a folder; fail where a measure fell 质量关卡
    BenchQuality(BenchQualityArgs),
    /// Train an embedding model on texts 训练嵌入模型
    Train(TrainArgs),
    /// Turn texts into vectors 文本转向量
    Embed(EmbedArgs),
    /// List and verify the models 查看与校验模型
    Models(ModelsArgs),
    /// Check the audit trail 校验审计日志
    Audit(AuditArgs),
    /// Check and explain the settings of the service 检查与解释配置
    Config(ConfigArgs),
    /// Make, list and revoke the keys of those who call the service 管理密钥
    Key(KeyArgs),
    /// Copy all records to a file, of a data folder or of a running server 备份
    Backup(BackupArgs),
    /// Make a data folder from a backup 恢复
    Restore(RestoreArgs),
    /// Check a data folder 检查数据目录
    Doctor(DoctorArgs),
    /// Load the sample, start the service and ask it for matches 演示
    Demo(DemoArgs),
}

/// Where records are kept.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// Data folder.
    #[arg(
        long = "data",
        env = "QUEQIAO_DATA",
        default_value = "queqiao-data",
        value_name = "DIR"
    )]
    pub(crate) path: PathBuf,
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// Whose records.
    #[arg(long, default_value = "default", value_parser = tenant)]
    pub(crate) tenant: TenantId,
}

/// Over which records, with which model, and how to print what came of it.
#[derive(Debug, Args)]
pub(crate) struct OverArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

fn tenant(s: &str) -> Result<TenantId, String> {
    TenantId::new(s).map_err(|e| spoken(&e.message()))
}

/// How a list is made diverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiverseArg {
    /// No two alike.
    Mmr,
    /// Every clause of the question answered by somebody.
    Xquad,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For machines: one JSON document.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Data folder [default: queqiao-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:50051].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Configuration file (TOML): flags come before the environment (QUEQIAO_…), that before the file.
    #[arg(long, value_name = "FILE", env = "QUEQIAO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Listen on an address that others can reach, although no key asks who calls.
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// Take keys in the clear on an address that others can reach: behind a proxy that speaks TLS.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files: xlsx, csv, tsv, jsonl.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Kind of the records, where the file does not say.
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// Only this sheet of a workbook.
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// Where bad rows go; by default beside the file, with `.bad` in the name.
    #[arg(long, value_name = "FILE")]
    pub(crate) bad_rows: Option<PathBuf>,
    /// Read and check only.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How to print the report.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

fn kind(s: &str) -> Result<Kind, String> {
    s.parse().map_err(|e: CodeError| spoken(&e.message()))
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// File to write: .jsonl, .csv or .xlsx.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this kind.
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// Also the sealed contacts.
    #[arg(long)]
    pub(crate) with_contacts: bool,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// How to print the report.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("ask").required(true))]
pub(crate) struct MatchArgs {
    /// A stored record asks: a need, or anyone who offers help. May be given several times.
    #[arg(long, group = "ask", value_name = "ID")]
    pub(crate) need: Vec<String>,
    /// Stored needs ask, those that pass a condition (AIP-160), such as `region : 440300`.
    #[arg(long = "where", group = "ask", value_name = "FILTER")]
    pub(crate) needs_where: Option<String>,
    /// A text asks.
    #[arg(long, group = "ask")]
    pub(crate) text: Option<String>,
    /// A file asks: .txt as one text; xlsx, csv, tsv, jsonl row by row.
    #[arg(long, group = "ask", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Kinds wanted, by comma (expert,achievement); by default the natural counterpart.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    pub(crate) to: Vec<Kind>,
    /// Matches wanted, 1 to 1000.
    #[arg(short, long, default_value_t = 10)]
    pub(crate) k: usize,
    /// Condition on the answers (AIP-160), such as `region : 440000 AND industry : C39`.
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    /// Which sides of the index answer.
    #[arg(long, value_enum, default_value = "hybrid")]
    pub(crate) mode: ModeArg,
    /// Take every score apart, and say what answers each clause.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Why this record stands where it stands, and what would move it; -k is the list it should be on.
    #[arg(long, value_name = "ID", conflicts_with_all = ["file", "needs_where"])]
    pub(crate) why: Option<String>,
    /// Keep the answer, so that outcomes can be reported for it; its match_id is shown.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Also answer with records of the asker's own organisation.
    #[arg(long)]
    pub(crate) own_organisation: bool,
    /// Of one organisation at most so many matches.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) per_organisation: Option<u16>,
    /// Make the lists of several stored records together: who is wanted counts what they want too, and the famous few
    /// are not on every list 统筹推荐
    #[arg(long, conflicts_with_all = ["text", "file", "why", "diverse"])]
    pub(crate) together: bool,
    /// A list that does not say the same ten times: mmr (no two alike) or xquad (every clause answered).
    #[arg(long, value_enum)]
    pub(crate) diverse: Option<DiverseArg>,
    /// Share of the list, at its end, that newcomers get (0 to 0.3).
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(crate) explore: f64,
    /// A weight of your own (region=0.2); --explain lists the features.
    #[arg(long, value_name = "FEATURE=X", value_parser = weight)]
    pub(crate) weight: Vec<(Feature, f64)>,
    /// Kind of the rows of FILE, where the file does not say.
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<Kind>,
    /// The day on which records must be valid; by default today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

/// `region=0.2`.
fn weight(text: &str) -> Result<(Feature, f64), String> {
    let wrong = |en: String, zh: String| spoken(&Bilingual::new(en, zh));
    let (name, value) = text.split_once('=').ok_or_else(|| {
        wrong(
            "expected FEATURE=X, such as region=0.2".to_owned(),
            "应为 特征=数值，如 region=0.2".to_owned(),
        )
    })?;
    let feature = Feature::parse(name.trim()).ok_or_else(|| {
        let all: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
        wrong(
            format!(
                "no feature is called `{name}`; there are {}",
                all.join(", ")
            ),
            format!("没有特征“{name}”；共有 {}", all.join("、")),
        )
    })?;
    match value.trim().parse::<f64>() {
        Ok(x) if (0.0..=feature.most()).contains(&x) => Ok((feature, x)),
        _ => {
            let most = feature.most();
            Err(wrong(
                format!("`{value}` is no weight of {name}: expected a number from 0 to {most}"),
                format!("“{value}”不能作为 {name} 的权重：应为 0 至 {most} 的数"),
            ))
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the service running until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
}
