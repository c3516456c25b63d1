//! `queqiao backup`, `restore` and `doctor`: looking after a data folder.

mod remote;

use super::open;
use crate::{
    args::{BackupArgs, Cli, DoctorArgs, Format, RestoreArgs},
    failure::{Failure, chain},
    output::Console,
};
use queqiao_domain::{Bilingual, TenantId};
use queqiao_engine::{
    Statistics,
    store::{Store, verify_backup},
};
use queqiao_server::{AuditConfig, KeyFile, verify_audit};
use serde::Serialize;

pub(crate) fn backup(_: &Cli, args: &BackupArgs, console: &Console) -> Result<(), Failure> {
    let file = &args.file;
    if file.exists() {
        let shown = file.display();
        return Err(Failure::failed(
            format!("{shown} exists already: give a new file"),
            format!("{shown} 已存在：请换一个文件名"),
        ));
    }
    match &args.server {
        Some(server) => remote::fetch(server, args)?,
        None => {
            existing(&args.data.data)?;
            Store::open(&args.data.data)?.backup_to(file)?;
            if !verify_backup(file)?.is_sound() {
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
    Ok(())
}

pub(crate) fn restore(_: &Cli, args: &RestoreArgs, console: &Console) -> Result<(), Failure> {
    let (from, to) = (&args.file, &args.data.data);
    let shown = to.display();
    let occupied = std::fs::read_dir(to).is_ok_and(|mut d| d.next().is_some());
    if occupied || to.is_file() {
        return Err(Failure::input(
            format!("{shown} is not empty: restore into a new folder"),
            format!("{shown} 不为空：请恢复到新目录"),
        ));
    }
    let failed = |what: &str, e: std::io::Error| {
        Failure::failed(format!("{what} failed: {e}"), format!("{what} 失败：{e}"))
    };
    std::fs::create_dir_all(to).map_err(|e| failed(&format!("making {shown}"), e))?;
    let file = to.join("store.redb");
    // On disk before anybody is told that it is there.
    let copied = std::fs::copy(from, &file)
        .and_then(|_| std::fs::File::open(&file)?.sync_all())
        .map_err(|e| failed(&format!("copying {}", from.display()), e));
    // A backup that does not open, or is not sound, must not be taken for a data folder.
    let done = copied.and_then(|()| {
        let sound = verify_backup(&file).map(|r| (r.is_sound(), r.problems.into_iter().next()));
        let problem = match sound {
            Ok((true, _)) => return Ok(()),
            Ok((false, problem)) => problem.unwrap_or_default(),
            Err(e) => chain(&e),
        };
        let from = from.display();
        Err(Failure::failed(
            format!("{from} is damaged or no backup ({problem}): take another one"),
            format!("{from} 已损坏或不是备份（{problem}）：请换用其他备份"),
        ))
    });
    if done.is_err() {
        // Nothing was there before.
        let _ = std::fs::remove_dir_all(to);
        return done;
    }
    console.line(format!(
        "{} {shown}",
        console.say("restored, and checked:", "已恢复并校验：")
    ));
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
    existing(&args.data.data)?;
    let engine = open::engine(cli, &args.data, args.model.as_deref())?;
    let report = engine.store().verify()?;
    let tenants: Vec<TenantId> = engine.store().tenants()?;
    let mut health = Health {
        data: args.data.data.display().to_string(),
        store_sound: report.is_sound(),
        problems: report.problems.clone(),
        advice: beside(&args.data.data),
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

fn existing(data: &std::path::Path) -> Result<(), Failure> {
    if data.join("store.redb").exists() {
        return Ok(());
    }
    let shown = data.display();
    Err(Failure::input(
        format!("{shown} is no data folder: name one with --data"),
        format!("{shown} 不是数据目录：请用 --data 指定"),
    ))
}
