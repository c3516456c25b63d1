//! `queqiao config`: the settings of the service, checked and explained.

use crate::{
    args::{Cli, ConfigArgs, ConfigCheckArgs, ConfigCommand, ConfigExplainArgs, Format},
    failure::Failure,
    output::Console,
    settings::{Form, Settings, Source},
};
use queqiao_domain::Lang;
use serde::Serialize;
use std::path::Path;

pub(crate) fn run(cli: &Cli, args: &ConfigArgs, console: &Console) -> Result<(), Failure> {
    match &args.command {
        ConfigCommand::Check(a) => check(cli, a, console),
        ConfigCommand::Explain(a) => explain(cli, a, console),
    }
}

fn read(cli: &Cli, file: Option<&Path>) -> Result<Settings, Failure> {
    let flags = cli
        .models_flag()
        .into_iter()
        .map(|m| ("models", "--models", m));
    Settings::read(&flags.collect(), |v| std::env::var(v).ok(), file)
}

fn check(cli: &Cli, args: &ConfigCheckArgs, console: &Console) -> Result<(), Failure> {
    let settings = read(cli, args.file.as_deref())?;
    settings.server()?.preflight()?;
    let set = settings.iter().filter(|(_, _, s)| *s != Source::Default);
    let said = set.count();
    console.line(match console.lang {
        Lang::En => format!("the settings are fine ({said} of them set)"),
        Lang::Zh => format!("配置无误（已设置 {said} 项）"),
    });
    Ok(())
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    value: &'a crate::settings::Value,
    source: String,
    variable: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<u64>,
    meaning: &'a str,
}

fn explain(cli: &Cli, args: &ConfigExplainArgs, console: &Console) -> Result<(), Failure> {
    let settings = read(cli, args.config.as_deref())?;
    let wanted = args.name.as_deref().unwrap_or_default();
    let shown: Vec<Shown<'_>> = settings
        .iter()
        .filter(|(s, _, _)| s.name.starts_with(wanted))
        .map(|(s, value, source)| {
            let (least, most) = match s.form {
                Form::Whole(a, b) => (Some(a), Some(b)),
                _ => (None, None),
            };
            Shown {
                name: s.name,
                value,
                source: console.text(&source.describe()).to_owned(),
                variable: s.variable(),
                least,
                most,
                meaning: console.say(s.en, s.zh),
            }
        })
        .collect();
    if shown.is_empty() {
        let names = crate::settings::SETTINGS.iter().map(|s| s.name);
        let near = queqiao_domain::did_you_mean(wanted, names);
        return Err(Failure::input(
            format!("there is no setting `{wanted}`{}", near.en),
            format!("没有设置项 `{wanted}`{}", near.zh),
        ));
    }
    match args.format {
        Format::Json => console.json(&shown),
        Format::Table => {
            let mut table = console.table(match console.lang {
                Lang::En => ["setting", "value", "from", "meaning"],
                Lang::Zh => ["设置项", "值", "来源", "含义"],
            });
            for s in &shown {
                let range = s.least.zip(s.most);
                let range = range
                    .map(|(a, b)| format!(" [{a}–{b}]"))
                    .unwrap_or_default();
                table.add_row([
                    s.name.to_owned(),
                    s.value.to_string(),
                    s.source.clone(),
                    format!("{}{range}", s.meaning),
                ]);
            }
            console.line(table.to_string());
            Ok(())
        }
    }
}
