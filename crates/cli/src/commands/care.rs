//! `queqiao backup`, `restore` and `doctor`: looking after a data folder.

use super::open;
use crate::{
    args::{BackupArgs, Cli, DoctorArgs, Format, RestoreArgs},
    failure::Failure,
    output::Console,
};
use queqiao_domain::TenantId;
use queqiao_engine::{Statistics, store::Store};
use serde::Serialize;

pub(crate) fn backup(_: &Cli, args: &BackupArgs, console: &Console) -> Result<(), Failure> {
    existing(&args.data.data)?;
    let store = Store::open(&args.data.data)?;
    store.backup_to(&args.file)?;
    console.line(format!(
        "{} {}",
        console.say("backed up to", "已备份到"),
        args.file.display()
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
    std::fs::copy(from, to.join("store.redb"))
        .map_err(|e| failed(&format!("copying {}", from.display()), e))?;
    // A backup that does not open, or is not sound, must not be taken for a data folder.
    let sound = Store::open(to).and_then(|s| s.verify());
    match sound {
        Ok(report) if report.is_sound() => {
            console.line(format!(
                "{} {shown}",
                console.say("restored to", "已恢复到")
            ));
            Ok(())
        }
        other => {
            let _ = std::fs::remove_dir_all(to);
            Err(match other {
                Err(e) => e.into(),
                Ok(_) => Failure::failed(
                    format!("{} is damaged: take another backup", from.display()),
                    format!("{} 已损坏：请换用其他备份", from.display()),
                ),
            })
        }
    }
}

/// Questions by which recall is measured.
const QUESTIONS: usize = 100;

#[derive(Serialize)]
struct Health {
    data: String,
    store_sound: bool,
    problems: Vec<String>,
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
        Ok(())
    } else {
        Err(Failure::failed(
            "the store is damaged: keep a copy of the folder, then restore the last backup",
            "存储已损坏：请保留副本，并恢复最近的备份",
        ))
    }
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
