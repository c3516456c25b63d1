//! The command line. Scripts and checks rely on it: names and meanings stay.

mod insight;
mod laboratory;
mod operation;
mod outcomes;

pub(crate) use insight::*;
pub(crate) use laboratory::*;
pub(crate) use operation::*;
pub(crate) use outcomes::*;

use clap::{Args, Parser, Subcommand, ValueEnum};
use queqiao_domain::{Kind, Lang, TenantId};
use queqiao_engine::Feature;
use std::path::PathBuf;

/// 鹊桥: matches enterprises' technology needs with those who can solve them.
#[derive(Debug, Parser)]
#[command(name = "queqiao", version, about, max_term_width = 100)]
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
            None => {
                let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
                    .iter()
                    .find_map(|v| std::env::var(v).ok().filter(|s| !s.is_empty()));
                match set {
                    Some(s) if s.starts_with("zh") => Lang::Zh,
                    _ => Lang::En,
                }
            }
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
    /// Supply and demand over an industrial chain 产业链
    Chain(ChainArgs),
    /// What came of matches: report it, count it, learn from it 匹配结果
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

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data folder.
    #[arg(
        long,
        env = "QUEQIAO_DATA",
        default_value = "queqiao-data",
        value_name = "DIR"
    )]
    pub(crate) data: PathBuf,
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
    TenantId::new(s).map_err(|e| e.to_string())
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
    s.parse()
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
    let (name, value) = text
        .split_once('=')
        .ok_or("expected FEATURE=X, such as region=0.2")?;
    let feature = Feature::parse(name.trim()).ok_or_else(|| {
        let all: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
        format!(
            "no feature is called `{name}`; there are {}",
            all.join(", ")
        )
    })?;
    match value.trim().parse::<f64>() {
        Ok(x) if (0.0..=100.0).contains(&x) => Ok((feature, x)),
        _ => Err(format!(
            "`{value}` is no weight: expected a number from 0 to 100"
        )),
    }
}

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

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the service running until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
}
