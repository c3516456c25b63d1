//! `queqiao backup`, `restore` and `doctor`: looking after a data folder.

mod moment;
mod receipt;
mod remote;

use super::open;
use crate::{
    args::{BackupArgs, Cli, DoctorArgs, Format, RestoreArgs},
    failure::{Failure, with_causes},
    output::Console,
};
use queqiao_domain::{Bilingual, TenantId};
use queqiao_engine::{
    Statistics,
    store::{KeyFiles, RestoreOptions, StoreError, restore as bring_back},
};
use queqiao_server::{AuditConfig, KeyFile, verify_audit};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub(crate) fn backup(_: &Cli, args: &BackupArgs, console: &Console) -> Result<(), Failure> {
    let file = &args.file;
    if file.exists() {
        let shown = file.display();
        return Err(Failure::input(
            format!("{shown} exists already: give a new file"),
            format!("{shown} 已存在：请换一个文件名"),
        ));
    }
    match &args.server {
        Some(server) => remote::fetch(server, args)?,
        None => {
            let store = open::store(&args.folder)?;
            store.backup_to(file)?;
            store.keys_to(&keys_beside(file))?;
            if !store.verify_backup(file)?.is_sound() {
                let _ = std::fs::remove_file(file);
                return Err(Failure::failed(
                    "the copy is not sound: run `queqiao doctor` on the data folder",
                    "备份副本不完好：请对数据目录运行 `queqiao doctor`",
                ));
            }
        }
    }
    console.line(format!(
        "{} {}",
        console.say("backed up, and checked:", "已备份并校验："),
        file.display()
    ));
    console.line(format!(
        "{} {}",
        console.say(
            "keys, for every backup in this folder:",
            "密钥（适用于本目录的所有备份）："
        ),
        keys_beside(file).display()
    ));
    console.line(console.say(
        "To restore, the server's master key is needed as well (keys/master.key): it is in no backup; keep a copy apart from them.",
        "恢复时还需要服务器的主密钥（keys/master.key）：备份中没有，请另行妥善保存一份。",
    ));
    Ok(())
}

/// The newest keys, beside the backups that they open.
fn keys_beside(file: &Path) -> PathBuf {
    file.with_file_name("queqiao.keys")
}

pub(crate) fn restore(_: &Cli, args: &RestoreArgs, console: &Console) -> Result<(), Failure> {
    let (from, to) = (&args.file, &args.folder.path);
    let shown = to.display();
    let occupied = std::fs::read_dir(to).is_ok_and(|mut d| d.next().is_some());
    if occupied || to.is_file() {
        return Err(Failure::input(
            format!("{shown} is not empty: restore into a new folder"),
            format!("{shown} 不为空：请恢复到新目录"),
        ));
    }
    let until = args.until.as_deref().map(moment::parse).transpose()?;
    let keys = KeyFiles {
        vault: args.keys.clone().unwrap_or_else(|| keys_beside(from)),
        master: match &args.master_key {
            Some(path) => path.clone(),
            None => open::master_key().unwrap_or_else(|| KeyFiles::of(to, None).master),
        },
    };
    let options = RestoreOptions {
        master_key: open::master_key(),
        until,
    };
    let done = bring_back(from, &keys, to, &options);
    if done.is_err() {
        // Nothing was there before.
        let _ = std::fs::remove_dir_all(to);
    }
    let restored = done.map_err(|e| match e {
        StoreError::NoMasterKey { .. } => Failure::input(
            format!("{}; give it with --master-key", e.message().en),
            format!("{}；请用 --master-key 指定主密钥", e.message().zh),
        ),
        StoreError::BeforeHistory {
            moment,
            from: reach,
            ..
        } => moment::too_early(from, moment, reach),
        StoreError::Damaged { .. } | StoreError::NotAStore { .. } => {
            let (from, why) = (from.display(), with_causes(e.message(), &e));
            Failure::failed(
                format!(
                    "{from} is damaged or no backup ({}): take another one",
                    why.en
                ),
                format!("{from} 已损坏或不是备份（{}）：请换用其他备份", why.zh),
            )
        }
        e => e.into(),
    })?;
    console.line(format!(
        "{} {shown}",
        console.say("restored, and checked:", "已恢复并校验：")
    ));
    if let Some(until) = until {
        moment::report(until, &restored, console);
    }
    if restored.erased_since > 0 {
        console.line(format!(
            "{} {}",
            console.say(
                "left out, because they were erased after the backup:",
                "备份之后已被清除、未恢复的记录数："
            ),
            restored.erased_since
        ));
    }
    Ok(())
}

/// Questions by which recall is measured.
const QUESTIONS: usize = 100;

#[derive(Serialize)]
struct Health {
    data: String,
    store_sound: bool,
    problems: Vec<String>,
    /// What is wrong beside the store, and what to do.
    advice: Vec<Bilingual>,
    tenants: Vec<TenantHealth>,
}

#[derive(Serialize)]
struct TenantHealth {
    tenant: String,
    /// Share of the ten nearest records that the graphs find; none while all are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    recall_at_10: Option<f64>,
    /// The least width of a search that finds .99 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    enough_ef: Option<usize>,
    #[serde(flatten)]
    statistics: Statistics,
}

pub(crate) fn doctor(cli: &Cli, args: &DoctorArgs, console: &Console) -> Result<(), Failure> {
    open::existing(&args.folder)?;
    let engine = open::engine(cli, &args.folder, args.model.as_deref())?;
    if let Some(file) = &args.receipt {
        return receipt::check(&engine, file, args.format, console);
    }
    let report = engine.store().verify()?;
    let tenants: Vec<TenantId> = engine.store().tenants()?;
    let mut health = Health {
        data: args.folder.path.display().to_string(),
        store_sound: report.is_sound(),
        problems: report.problems.clone(),
        advice: beside(&args.folder.path),
        tenants: Vec::new(),
    };
    for tenant in tenants {
        if args.rebuild {
            engine.rebuild(&tenant)?;
        }
        let recall = engine.measure_recall(&tenant, QUESTIONS);
        health.tenants.push(TenantHealth {
            recall_at_10: recall.map(|r| r.at_10),
            enough_ef: recall.and_then(|r| r.enough),
            statistics: engine.statistics(&tenant, open::today())?,
            tenant: tenant.to_string(),
        });
    }
    match args.format {
        Format::Json => console.json(&health)?,
        Format::Table => {
            let state = if health.store_sound {
                console.say("sound", "完好")
            } else {
                console.say("damaged", "已损坏")
            };
            console.line(format!(
                "{}: {} {state}",
                console.say("store", "存储"),
                health.data
            ));
            for p in &health.problems {
                console.line(format!("  {p}"));
            }
            for a in &health.advice {
                console.line(format!("! {}", console.text(a)));
            }
            let mut table = console.table(match console.lang {
                queqiao_domain::Lang::En => [
                    "tenant",
                    "records",
                    "passages",
                    "index",
                    "recall@10",
                    "model",
                ],
                queqiao_domain::Lang::Zh => ["租户", "记录", "段落", "索引", "召回率@10", "模型"],
            });
            for t in &health.tenants {
                let records: Vec<String> = t
                    .statistics
                    .records
                    .iter()
                    .filter(|(_, n)| *n > 0)
                    .map(|(k, n)| format!("{} {n}", console.say(k.as_str(), k.zh())))
                    .collect();
                table.add_row([
                    t.tenant.clone(),
                    records.join("\n"),
                    t.statistics.passages.to_string(),
                    t.statistics.health.clone(),
                    match t.recall_at_10 {
                        None => console.say("1 (exact)", "1（精确）").to_owned(),
                        Some(r) => match t.enough_ef {
                            Some(ef) => format!("{r:.3} (ef {ef}: .99)"),
                            None => format!("{r:.3}"),
                        },
                    },
                    t.statistics.model.clone(),
                ]);
            }
            console.line(table.to_string());
        }
    }
    if health.store_sound {
        let Some(first) = health.advice.into_iter().next() else {
            return Ok(());
        };
        Err(Failure::failed(first.en, first.zh))
    } else {
        Err(Failure::failed(
            "the store is damaged: keep a copy of the folder, then restore the last backup",
            "存储已损坏：请保留副本，并恢复最近的备份",
        ))
    }
}

/// What is wrong with the keys and the audit trail of a data folder.
fn beside(data: &std::path::Path) -> Vec<Bilingual> {
    let mut found = Vec::new();
    let keys = KeyFile::path_in(data);
    if keys.exists()
        && let Err(e) = KeyFile::read(&keys)
    {
        found.push(e.message());
    }
    let trail = AuditConfig::folder_in(data);
    if trail.exists()
        && let Err(e) = verify_audit(&trail, None)
    {
        found.push(e.message());
    }
    found
}
