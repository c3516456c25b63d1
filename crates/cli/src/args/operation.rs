//! Arguments of what an operator does.

use super::{FolderArgs, Format, tenant};
use crate::help::spoken;
use clap::{Args, Subcommand};
use queqiao_domain::TenantId;
use queqiao_server::Role;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and show it, once 创建密钥
    Create(KeyCreateArgs),
    /// Show what keys there are, without their secrets 查看密钥
    List(KeyListArgs),
    /// End a key for good; a running server knows within a second 吊销密钥
    Revoke(KeyRevokeArgs),
}

/// Whose keys.
#[derive(Debug, Args)]
pub(crate) struct KeyPlace {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// File of the keys, where it is not that of the data folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

fn role(s: &str) -> Result<Role, String> {
    s.parse().map_err(|e| spoken(&e))
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// Whose key it is, in your words.
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: String,
    /// Roles, by comma: reader, writer, organiser, contact-reader, monitor, admin.
    #[arg(long, required = true, value_delimiter = ',', value_parser = role, value_name = "ROLE")]
    pub(crate) role: Vec<Role>,
    /// Tenants, by comma.
    #[arg(
        long,
        default_value = "default",
        value_delimiter = ',',
        value_parser = tenant,
        value_name = "TENANT"
    )]
    pub(crate) tenant: Vec<TenantId>,
    /// Every tenant, and what concerns the server as a whole.
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) all_tenants: bool,
    /// Days for which it is valid; without end where none is given.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) days: Option<u16>,
    /// Requests a second, where it is not the server's usual quota.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_second: Option<u32>,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct KeyListArgs {
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRevokeArgs {
    /// The key's id, as `key list` shows it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: KeyPlace,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file, and what it leads to, without starting anything 检查配置
    Check(ConfigCheckArgs),
    /// Show every setting, its value, who said so and what it means 解释配置
    Explain(ConfigExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigCheckArgs {
    /// Configuration file (TOML); without one, the environment alone is checked.
    #[arg(value_name = "FILE", env = "QUEQIAO_CONFIG")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigExplainArgs {
    /// Only the settings whose names begin so.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "QUEQIAO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find lines that were changed, removed or put in 查找被改动、删除或插入的记录
    Verify(AuditVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// Folder of the trail, where it is not that of the data folder.
    #[arg(long = "folder", value_name = "DIR")]
    pub(crate) trail: Option<PathBuf>,
    /// What an earlier check printed as its head: that line must be there still.
    #[arg(long, value_name = "NUMBER:HASH")]
    pub(crate) head: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// File to write; must not exist.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Address of a running server, such as https://host:50051: the copy comes from it, and it goes on
    /// serving. The key is read from QUEQIAO_KEY or --key-file, never from the command line.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// File with a key that has the role admin in all tenants.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) key_file: Option<PathBuf>,
    /// PEM with the authority of the server's certificate.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// File that `backup` wrote.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The newest keys that `backup` wrote; by default queqiao.keys beside the file. Whoever was erased before
    /// they were written is not restored.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The master key of the server that made the backup: keys/master.key of its data folder, or your copy of it.
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
    /// Bring the records back to how they were at this moment, before the backup: 2026-11-26T14:02 (China's time,
    /// UTC+8), or with an offset, 2026-11-26T06:02:00Z. It reaches back history_days before the backup.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// Model by name.
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Build every index anew from the store.
    #[arg(long)]
    pub(crate) rebuild: bool,
    /// File with the receipt of an erasure, as EraseRecord gave it, or - for standard input: only whether it
    /// holds is checked.
    #[arg(long, value_name = "FILE", conflicts_with = "rebuild")]
    pub(crate) receipt: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: Format,
}
