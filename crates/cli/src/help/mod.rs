//! The command line in the reader's language: what clap prints is English; for Chinese its texts are put in
//! place of the English ones, and its errors are told anew.
#![allow(clippy::print_stderr)]

mod zh;

use crate::args::Cli;
use clap::{
    ArgAction, Command, CommandFactory, FromArgMatches, Parser,
    builder::{Resettable, StyledStr},
    error::{ContextKind, ContextValue, ErrorKind},
};
use queqiao_domain::{Bilingual, Lang};
use std::{
    error::Error as _,
    ffi::OsString,
    fmt::Write,
    num::{ParseFloatError, ParseIntError},
    sync::OnceLock,
};

/// The language that was asked for, once the command line is being read.
static SPOKEN: OnceLock<Lang> = OnceLock::new();

/// Why a value cannot be, in the language that was asked for: what reads a value is not told of it.
pub(crate) fn spoken(why: &Bilingual) -> String {
    why.get(SPOKEN.get().copied().unwrap_or_default())
        .to_owned()
}

/// What was asked for on the command line. What cannot be read ends the process with 2, as help ends it with 0.
pub(crate) fn parse() -> Cli {
    let given: Vec<OsString> = std::env::args_os().collect();
    if *SPOKEN.get_or_init(|| asked(&given)) == Lang::En {
        return Cli::parse_from(given);
    }
    let mut command = chinese(Cli::command());
    let read = command.try_get_matches_from_mut(given);
    let read = read.and_then(|found| Cli::from_arg_matches(&found));
    read.unwrap_or_else(|e| match told(&e) {
        None => e.exit(),
        Some(text) => {
            eprintln!("{text}");
            std::process::exit(2)
        }
    })
}

/// The language that `--lang` names, wherever it stands, or the environment's.
fn asked(given: &[OsString]) -> Lang {
    let words: Vec<&str> = given.iter().filter_map(|w| w.to_str()).collect();
    let mut named = None;
    for (i, word) in words.iter().enumerate() {
        match word.strip_prefix("--lang") {
            Some("") => named = words.get(i + 1).copied(),
            Some(rest) => named = rest.strip_prefix('=').or(named),
            None => {}
        }
    }
    let set = std::env::var("QUEQIAO_LANG").ok();
    match named.or(set.as_deref()) {
        Some("zh") => Lang::Zh,
        Some("en") => Lang::En,
        _ => environment(),
    }
}

/// The language of the environment.
pub(crate) fn environment() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|s| !s.is_empty()));
    match set {
        Some(s) if s.starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// All commands with their texts in Chinese.
fn chinese(mut command: Command) -> Command {
    command.build();
    page(command, "")
}

fn page(command: Command, path: &str) -> Command {
    // `help` stands below every command that has others.
    let path = if path.ends_with(" help") {
        "help"
    } else {
        path
    };
    let known = zh::PAGES.iter().find(|(name, ..)| *name == path);
    let own = known.map_or(&[][..], |(_, _, own)| own);
    let text = |id: &str| -> Option<&'static str> {
        let mut all = own.iter().chain(zh::EVERYWHERE);
        all.find(|(name, _)| *name == id).map(|(_, text)| *text)
    };
    let mut command = command
        .help_template("{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}")
        .subcommand_help_heading("命令");
    if let Some((_, about, _)) = known {
        command = command
            .about(*about)
            .long_about(Resettable::<StyledStr>::Reset);
    }
    let ids: Vec<String> = command
        .get_arguments()
        .map(|a| a.get_id().to_string())
        .collect();
    for id in ids {
        let Some(text) = text(&id) else { continue };
        command = command.mut_arg(&id, |arg| {
            let heading = if arg.is_positional() {
                "参数"
            } else {
                "选项"
            };
            let help = whole(&arg, &id, text, own);
            arg.help(help)
                .long_help(Resettable::<StyledStr>::Reset)
                .help_heading(heading)
                .hide_default_value(true)
                .hide_env(true)
                .hide_possible_values(true)
        });
    }
    let names: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    for name in names {
        let below = match path {
            "" => name.clone(),
            _ => format!("{path} {name}"),
        };
        command = command.mut_subcommand(&name, |c| page(c, &below));
    }
    command
}

/// A text with what clap would add to it in English: values, default, environment.
fn whole(arg: &clap::Arg, id: &str, text: &str, own: &[(&str, &str)]) -> String {
    let mut out = text.to_owned();
    let takes = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let values = arg.get_possible_values();
    if takes && !values.is_empty() {
        let told: Vec<String> = values
            .iter()
            .map(|v| {
                let key = format!("{id}={}", v.get_name());
                let all = own.iter().chain(zh::EVERYWHERE).find(|(k, _)| *k == key);
                match all {
                    Some((_, what)) => format!("{}（{what}）", v.get_name()),
                    None => v.get_name().to_owned(),
                }
            })
            .collect();
        let _ = write!(out, "；可为 {}", told.join("、"));
    }
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|v| v.to_string_lossy().into_owned())
        .filter(|v| !v.is_empty())
        .collect();
    if takes && !defaults.is_empty() {
        let _ = write!(out, "［默认 {}］", defaults.join("、"));
    }
    if let Some(env) = arg.get_env() {
        let _ = write!(out, "［环境变量 {}］", env.to_string_lossy());
    }
    out
}

/// Why a value cannot be. What reads numbers says so in English.
fn cause(e: &(dyn std::error::Error + 'static)) -> String {
    if e.is::<ParseIntError>() {
        return "应为整数".to_owned();
    }
    if e.is::<ParseFloatError>() {
        return "应为数字".to_owned();
    }
    let text = e.to_string();
    match text.split_once(" is not in ") {
        Some((_, range)) => format!("应在 {range} 之内"),
        None => text,
    }
}

/// An error in Chinese, with the usage; none where clap prints what was asked for, or an error that has no words
/// here.
fn told(e: &clap::Error) -> Option<String> {
    let of = |kind: ContextKind| -> Option<String> {
        Some(match e.get(kind)? {
            ContextValue::String(s) => s.clone(),
            ContextValue::Strings(all) => all.join("、"),
            ContextValue::StyledStr(s) => s.to_string(),
            ContextValue::StyledStrs(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                all.join("、")
            }
            ContextValue::Number(n) => n.to_string(),
            _ => return None,
        })
        .filter(|s: &String| !s.is_empty())
    };
    let get = |kind| of(kind).unwrap_or_default();
    let arg = get(ContextKind::InvalidArg);
    let mut out = match e.kind() {
        ErrorKind::UnknownArgument => format!("没有参数 `{arg}`"),
        ErrorKind::InvalidSubcommand => {
            format!("没有子命令 `{}`", get(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => "缺少子命令".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：{arg}"),
        ErrorKind::InvalidValue => match of(ContextKind::InvalidValue) {
            None => format!("`{arg}` 需要一个值"),
            Some(value) => format!("`{arg}` 不能为“{value}”"),
        },
        ErrorKind::ValueValidation => {
            let why = e
                .source()
                .map(|s| format!("：{}", cause(s)))
                .unwrap_or_default();
            format!("`{arg}` 的值“{}”无效{why}", get(ContextKind::InvalidValue))
        }
        ErrorKind::ArgumentConflict => match of(ContextKind::PriorArg) {
            Some(prior) if prior != arg => format!("`{arg}` 不能与 `{prior}` 同用"),
            Some(_) => format!("`{arg}` 只能给一次"),
            None => format!("`{arg}` 不能与其他参数同用"),
        },
        ErrorKind::TooManyValues => {
            format!("`{arg}` 的值过多：“{}”", get(ContextKind::InvalidValue))
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            let wanted = of(ContextKind::ExpectedNumValues).or_else(|| of(ContextKind::MinValues));
            format!(
                "`{arg}` 应有 {} 个值，只给了 {} 个",
                wanted.unwrap_or_default(),
                get(ContextKind::ActualNumValues)
            )
        }
        ErrorKind::InvalidUtf8 => "参数不是有效的 UTF-8 文本".to_owned(),
        _ => return None,
    };
    out.insert_str(0, "错误：");
    for (kind, what) in [
        (ContextKind::ValidValue, "可为"),
        (ContextKind::ValidSubcommand, "子命令有"),
        (ContextKind::SuggestedArg, "是否想写"),
        (ContextKind::SuggestedValue, "是否想写"),
        (ContextKind::SuggestedSubcommand, "是否想写"),
    ] {
        if let Some(text) = of(kind) {
            let _ = write!(out, "\n  {what}：{text}");
        }
    }
    if let Some(usage) = of(ContextKind::Usage) {
        let _ = write!(out, "\n\n{}", usage.trim().replacen("Usage: ", "用法：", 1));
    }
    out.push_str("\n\n详见 --help");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn han(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// Every command below one, with its path.
    fn walk<'a>(command: &'a Command, path: &str, out: &mut Vec<(String, &'a Command)>) {
        out.push((path.to_owned(), command));
        for c in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let below = format!("{path} {}", c.get_name());
            walk(c, below.trim(), out);
        }
    }

    #[test]
    fn every_command_and_argument_has_its_text_in_chinese() {
        let mut english = Cli::command();
        english.build();
        let translated = chinese(Cli::command());
        let (mut all, mut ours) = (Vec::new(), Vec::new());
        walk(&english, "", &mut all);
        walk(&translated, "", &mut ours);
        let mut used: BTreeSet<(String, String)> = BTreeSet::new();
        for ((path, command), (_, ours)) in all.iter().zip(&ours) {
            let about = ours
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(han(&about), "`{path}`: {about}");
            assert!(
                zh::PAGES.iter().any(|(name, ..)| name == path),
                "no page of `{path}`"
            );
            for (arg, ours) in command.get_arguments().zip(ours.get_arguments()) {
                let help = ours.get_help().map(ToString::to_string).unwrap_or_default();
                let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let is_new = han(&help) && !help.starts_with(&english);
                assert!(is_new, "`{path}` {}: {help}", arg.get_id());
                used.insert((path.clone(), arg.get_id().to_string()));
                for value in arg.get_possible_values() {
                    let key = format!("{}={}", arg.get_id(), value.get_name());
                    // Switches have true and false, which nobody writes.
                    if !["true", "false"].contains(&value.get_name()) {
                        assert!(
                            help.contains(&format!("{}（", value.get_name())),
                            "`{path}` {key}: {help}"
                        );
                        used.insert((path.clone(), key));
                    }
                }
            }
        }
        // And nothing is told of what there is not; some commands share a list.
        for (path, _, args) in zh::PAGES {
            let shared = |other: &str| {
                let pages = zh::PAGES.iter().filter(|(_, _, all)| all == args);
                pages.clone().any(|(name, ..)| *name == other)
            };
            for (id, _) in *args {
                let known = used
                    .iter()
                    .any(|(p, name)| name == id && (p == path || shared(p)));
                assert!(known, "`{path}` {id}");
            }
        }
        for (id, _) in zh::EVERYWHERE {
            assert!(used.iter().any(|(_, name)| name == id), "{id}");
        }
    }

    #[test]
    fn the_language_is_found_before_the_line_is_read() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        assert_eq!(asked(&words("queqiao match --lang zh --help")), Lang::Zh);
        assert_eq!(asked(&words("queqiao --lang=zh match")), Lang::Zh);
        assert_eq!(asked(&words("queqiao --lang=en match --k 3")), Lang::En);
    }

    #[test]
    fn errors_are_told_in_chinese() {
        let says = |line: &str, words: &[&str]| {
            let e = chinese(Cli::command()).try_get_matches_from(line.split(' '));
            let text = told(&e.unwrap_err()).unwrap();
            for w in words {
                assert!(text.contains(w), "{line}: {text}");
            }
        };
        says("queqiao mach", &["没有子命令 `mach`", "match"]);
        says(
            "queqiao match --txt x",
            &["没有参数 `--txt`", "--text", "用法：queqiao match"],
        );
        says("queqiao match", &["缺少必需的参数", "--need"]);
        says(
            "queqiao match --text x --mode both",
            &["--mode", "both", "hybrid"],
        );
        says("queqiao match --text x --kind cow", &["--kind", "cow"]);
        says(
            "queqiao match --text x --together",
            &["--together", "--text", "不能与"],
        );
        says("queqiao match --text", &["--text", "需要一个值"]);
        says(
            "queqiao match --text x -k many",
            &["-k", "many", "应为整数"],
        );
        says("queqiao chain x --least-score many", &["应为数字"]);
        says(
            "queqiao match --text x --per-organisation 0",
            &["应在 1..=65535 之内"],
        );
        says(
            "queqiao weights fit a b --out c --also d",
            &["--also", "应有 2 个值，只给了 1 个"],
        );
    }
}
