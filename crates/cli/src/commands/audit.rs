//! `queqiao audit`: whether the audit trail is whole.

use crate::{
    args::{AuditArgs, AuditCommand, AuditVerifyArgs, Format},
    failure::Failure,
    output::Console,
};
use queqiao_domain::Lang;
use queqiao_server::{AuditConfig, AuditError, AuditEvent, Trail, verify_audit};
use std::path::Path;

impl From<AuditError> for Failure {
    fn from(e: AuditError) -> Self {
        let told = e.message();
        Failure::failed(told.en, told.zh)
    }
}

pub(crate) fn run(args: &AuditArgs, console: &Console) -> Result<(), Failure> {
    match &args.command {
        AuditCommand::Verify(a) => verify(a, console),
    }
}

/// Adds what an operator did at this machine to the trail of a data folder.
pub(crate) fn note(data: &Path, action: &str, object: String) -> Result<(), Failure> {
    let trail = Trail::open(AuditConfig::new(AuditConfig::folder_in(data)))?;
    let event = AuditEvent {
        subject: "operator".to_owned(),
        action: action.to_owned(),
        objects: vec![object],
        result: "OK".to_owned(),
        ..AuditEvent::default()
    };
    Ok(trail.add(event, true)?)
}

fn verify(args: &AuditVerifyArgs, console: &Console) -> Result<(), Failure> {
    let default = || AuditConfig::folder_in(&args.folder.path);
    let folder = args.trail.clone().unwrap_or_else(default);
    if !folder.is_dir() {
        let shown = folder.display();
        return Err(Failure::input(
            format!("there is no audit trail in {shown}: name its folder with --data or --folder"),
            format!("{shown} 中没有审计日志：请用 --data 或 --folder 指定"),
        ));
    }
    let report = verify_audit(&folder, args.head.as_deref())?;
    match args.format {
        Format::Json => console.json(&report)?,
        Format::Table => {
            let span = format!(
                "{} – {}",
                report.from.as_deref().unwrap_or("–"),
                report.until.as_deref().unwrap_or("–")
            );
            console.line(match console.lang {
                Lang::En => format!(
                    "whole: {} lines in {} files, {span}",
                    report.lines, report.files
                ),
                Lang::Zh => format!("完整：{} 条，{} 个文件，{span}", report.lines, report.files),
            });
            for repair in &report.repairs {
                console.line(format!(
                    "{} {repair}",
                    console.say("found missing at a start:", "启动时发现缺失：")
                ));
            }
            if let Some(head) = &report.head {
                console.line(format!(
                    "{} {head}",
                    console.say(
                        "keep this elsewhere, for --head:",
                        "请另行保存，供下次 --head 使用："
                    )
                ));
            }
        }
    }
    Ok(())
}
