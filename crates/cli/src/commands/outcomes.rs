//! `queqiao outcomes`: what came of matches, and what is learned from it.

use super::{matching::part, open};
use crate::{
    args::{
        Cli, Format, GroupArg, OutcomesCalibrateArgs, OutcomesCommand, OutcomesExportArgs,
        OutcomesFunnelArgs, OutcomesReportArgs, OutcomesShowArgs, TargetArg,
    },
    failure::Failure,
    output::Console,
    whole,
};
use queqiao_domain::RecordId;
use queqiao_engine::{
    Artefacts, Calibration, Decline, Error, Feature, FunnelBy, FunnelRequest, LEAST_OF_EACH,
    LearnOptions, OutcomeReport, Stage, Weights, calibrate,
};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write as _;

/// Outcomes stored at once; a file with more is stored in parts, each whole.
const AT_ONCE: usize = 1_000;
/// Judgements are whole numbers: an outcome's worth in quarters.
const QUARTERS: f64 = 4.0;

pub(crate) fn run(cli: &Cli, command: &OutcomesCommand, console: &Console) -> Result<(), Failure> {
    match command {
        OutcomesCommand::Report(args) => report(cli, args, console),
        OutcomesCommand::Show(args) => show(cli, args, console),
        OutcomesCommand::Funnel(args) => funnel(cli, args, console),
        OutcomesCommand::Export(args) => export(cli, args, console),
        OutcomesCommand::Calibrate(args) => calibrate_to(cli, args, console),
    }
}

/// A row of a report.
#[derive(Deserialize)]
struct Line {
    match_id: String,
    candidate: String,
    stage: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    event: String,
}

fn report(cli: &Cli, args: &OutcomesReportArgs, console: &Console) -> Result<(), Failure> {
    let shown = args.file.display().to_string();
    let wrong = |line: u64, en: String, zh: String| {
        Failure::input(
            format!("{shown}:{line}: {en}"),
            format!("{shown}:{line}：{zh}"),
        )
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(&args.file)
        .map_err(|e| {
            Failure::input(
                format!("{shown} cannot be read: {e}"),
                format!("无法读取 {shown}：{e}"),
            )
        })?;
    let mut outcomes = Vec::new();
    let mut lines = Vec::new();
    for (i, row) in reader.deserialize().enumerate() {
        let line = i as u64 + 2;
        let row: Line = row.map_err(|e| {
            let expected = "match_id, candidate, stage[, reason, time, event]";
            wrong(
                line,
                format!("{e}; expected the columns {expected}"),
                format!("{e}；应有列 {expected}"),
            )
        })?;
        outcomes.push(read_line(row).map_err(|(en, zh)| wrong(line, en, zh))?);
        lines.push(line);
    }
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let (mut stored, mut known) = (0, 0);
    for (part, lines) in outcomes.chunks(AT_ONCE).zip(lines.chunks(AT_ONCE)) {
        let done = engine
            .report_outcomes(&args.over.data.tenant, part)
            .map_err(|e| {
                // `outcomes[3].time` is of the fourth line of this part.
                let at = |field: &str| {
                    let (i, rest) = field.strip_prefix("outcomes[")?.split_once(']')?;
                    let line = *lines.get(i.parse::<usize>().ok()?)?;
                    Some((line, rest.trim_start_matches('.').to_owned()))
                };
                match e {
                    Error::Argument(mut v) => match at(&v.field) {
                        Some((line, field)) => {
                            v.field = field;
                            let told = v.message();
                            wrong(line, told.en, told.zh)
                        }
                        None => Error::Argument(v).into(),
                    },
                    e => e.into(),
                }
            })?;
        stored += done.stored;
        known += done.known;
    }
    match args.over.format {
        Format::Json => console.json(&json!({ "stored": stored, "known": known })),
        Format::Table => {
            console.line(console.say(
                &format!("{stored} outcomes stored, {known} known already"),
                &format!("登记 {stored} 条后续，{known} 条此前已登记"),
            ));
            Ok(())
        }
    }
}

fn show(cli: &Cli, args: &OutcomesShowArgs, console: &Console) -> Result<(), Failure> {
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let answer = engine.kept_answer(&args.over.data.tenant, &args.match_id)?;
    if let Format::Json = args.over.format {
        return console.json(&answer);
    }
    let time = jiff::Timestamp::from_millisecond(answer.time).unwrap_or_default();
    let asker = answer.asker.map_or(String::new(), |(id, _)| id.to_string());
    console.line(format!("» {asker} {time:.0}"));
    for m in &answer.matches {
        let kind = console.say(m.kind.as_str(), m.kind.zh());
        console.line(format!("{:>3}  {:.3}  {}  [{kind}]", m.rank, m.score, m.id));
        for p in &m.parts {
            console.line(format!("            {}", part(console, p)));
        }
    }
    console.line(console.say(
        &format!("  model {}, weights {}", answer.model, answer.weights),
        &format!("  模型 {}，权重 {}", answer.model, answer.weights),
    ));
    Ok(())
}

fn read_line(row: Line) -> Result<OutcomeReport, (String, String)> {
    let stages: Vec<&str> = Stage::ALL.iter().map(|s| s.as_str()).collect();
    let stage = Stage::parse(&row.stage)
        .or_else(|| Stage::ALL.into_iter().find(|s| s.zh() == row.stage))
        .ok_or_else(|| {
            let all = stages.join(", ");
            (
                format!("`{}` is no stage: expected one of {all}", row.stage),
                format!("“{}”不是阶段：应为 {all}", row.stage),
            )
        })?;
    let reason = match row.reason.as_str() {
        "" => None,
        name => Some(decline(name)?),
    };
    let time = match row.time.as_str() {
        "" => None,
        text => Some(time(text).ok_or_else(|| {
            (
                format!("`{text}` is no time: expected 2026-11-26 or 2026-11-26T14:30:00+08:00"),
                format!("“{text}”不是时间：应为 2026-11-26 或 2026-11-26T14:30:00+08:00"),
            )
        })?),
    };
    let candidate = RecordId::new(row.candidate.as_str())
        .map_err(|e| (format!("candidate: {e}"), format!("candidate：{e}")))?;
    Ok(OutcomeReport {
        match_id: row.match_id,
        candidate,
        stage,
        reason,
        time,
        event: Some(row.event).filter(|e| !e.is_empty()),
    })
}

fn decline(name: &str) -> Result<Decline, (String, String)> {
    let word = |d: Decline| {
        serde_json::to_value(d)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
    };
    let found = Decline::ALL
        .into_iter()
        .find(|d| word(*d).as_deref() == Some(name) || d.label().1 == name);
    found.ok_or_else(|| {
        let all: Vec<String> = Decline::ALL.into_iter().filter_map(word).collect();
        let all = all.join(", ");
        (
            format!("`{name}` is no reason: expected one of {all}"),
            format!("“{name}”不是谢绝原因：应为 {all}"),
        )
    })
}

/// A moment, or the noon of a day in China.
fn time(text: &str) -> Option<i64> {
    let moment = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| format!("{text}T12:00:00+08:00").parse());
    moment.ok().map(|t| t.as_millisecond())
}

fn funnel(cli: &Cli, args: &OutcomesFunnelArgs, console: &Console) -> Result<(), Failure> {
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let by = match args.by {
        GroupArg::All => FunnelBy::Nothing,
        GroupArg::Event => FunnelBy::Event,
        GroupArg::Region => FunnelBy::Region,
        GroupArg::Discipline => FunnelBy::Discipline,
        GroupArg::Industry => FunnelBy::Industry,
        GroupArg::Kind => FunnelBy::Kind,
        GroupArg::Weights => FunnelBy::Weights,
    };
    let request = FunnelRequest {
        by,
        ..FunnelRequest::default()
    };
    let found = engine.funnel(&args.over.data.tenant, &request)?;
    if args.over.format == Format::Json {
        return console.json(&found);
    }
    let mut head = vec![console.say("group", "分组").to_owned()];
    head.extend(
        Stage::ALL
            .iter()
            .map(|s| console.say(s.as_str(), s.zh()).to_owned()),
    );
    let mut table = console.table(head.iter().map(String::as_str));
    for row in &found.rows {
        let mut cells = vec![match row.group.is_empty() {
            true => console.say("(all or none)", "（全部或未注明）").to_owned(),
            false => row.group.clone(),
        }];
        for s in &row.steps {
            cells.push(match (s.rate, s.interval) {
                (Some(r), Some((l, h))) => format!(
                    "{} ({:.0} %, {:.0}–{:.0})",
                    s.count,
                    r * 100.0,
                    l * 100.0,
                    h * 100.0
                ),
                _ => s.count.to_string(),
            });
        }
        let reasons: Vec<String> = row
            .reasons
            .iter()
            .map(|(d, n)| format!("{} {n}", console.say(d.label().0, d.label().1)))
            .collect();
        cells.push(match reasons.is_empty() {
            true => row.declined.to_string(),
            false => format!("{} ({})", row.declined, reasons.join(", ")),
        });
        table.add_row(cells);
    }
    console.line(table.to_string());
    console.line(console.say(
        &format!("{} kept answers; in brackets the share of the stage before and where it lies in 19 cases of 20", found.answers),
        &format!("共 {} 次留存的匹配；括号内为占上一阶段的比例及其 95% 区间", found.answers),
    ));
    Ok(())
}

fn export(cli: &Cli, args: &OutcomesExportArgs, console: &Console) -> Result<(), Failure> {
    for path in [&args.features, &args.qrels] {
        if path.exists() {
            let shown = path.display();
            return Err(Failure::input(
                format!("{shown} exists already: name another file"),
                format!("{shown} 已存在：请换一个文件名"),
            ));
        }
    }
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let options = LearnOptions {
        bias: args.bias,
        clip: args.clip,
        ..LearnOptions::default()
    };
    let found = engine.outcome_lists(&args.over.data.tenant, &options)?;
    if found.lists.is_empty() {
        return Err(Failure::input(
            "there are no outcomes yet: match with --keep, report what came of it, then export",
            "还没有后续：请用 --keep 匹配并登记后续后再导出",
        ));
    }
    let names: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
    let mut features = format!("query\tdocument\t{}\n", names.join("\t"));
    let mut qrels = String::new();
    for l in &found.lists {
        for ((record, values), grade) in l.records.iter().zip(&l.list.values).zip(&l.list.grades) {
            let cells: Vec<String> = values
                .iter()
                .map(|v| v.map_or(String::new(), |v| format!("{v:.9}")))
                .collect();
            // Writing to a string does not fail.
            let _ = writeln!(features, "{}\t{record}\t{}", l.match_id, cells.join("\t"));
            let _ = writeln!(
                qrels,
                "{} 0 {record} {}",
                l.match_id,
                (grade * QUARTERS).round()
            );
        }
    }
    whole::write(&args.features, &features)?;
    whole::write(&args.qrels, &qrels)?;
    let told = json!({
        "answers": found.lists.len(),
        "first": found.first.and_then(day),
        "last": found.last.and_then(day),
        "weights": found.weights,
        "bias": args.bias,
        "clip": args.clip,
    });
    match args.over.format {
        Format::Json => console.json(&told),
        Format::Table => {
            console.line(console.say(
                &format!(
                    "{} answers from {} to {}: queqiao weights fit {} {} --out WEIGHTS.json",
                    found.lists.len(),
                    found.first.and_then(day).unwrap_or_default(),
                    found.last.and_then(day).unwrap_or_default(),
                    args.features.display(),
                    args.qrels.display()
                ),
                &format!(
                    "{} 次匹配，{} 至 {}：queqiao weights fit {} {} --out WEIGHTS.json",
                    found.lists.len(),
                    found.first.and_then(day).unwrap_or_default(),
                    found.last.and_then(day).unwrap_or_default(),
                    args.features.display(),
                    args.qrels.display()
                ),
            ));
            Ok(())
        }
    }
}

fn day(ms: i64) -> Option<String> {
    let t = jiff::Timestamp::from_millisecond(ms).ok()?.to_string();
    t.get(..10).map(str::to_owned)
}

fn calibrate_to(cli: &Cli, args: &OutcomesCalibrateArgs, console: &Console) -> Result<(), Failure> {
    let (target, stage) = match args.target {
        TargetArg::Contacted => ("contacted", Stage::Contacted),
        TargetArg::Met => ("met", Stage::Met),
        TargetArg::Signed => ("signed", Stage::Signed),
    };
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let artefacts = Artefacts::of(&args.over.data.folder.path);
    let weights = artefacts.weights()?;
    let (mut scores, mut came_true) = (Vec::new(), Vec::new());
    let options = LearnOptions {
        bias: 0.0,
        ..LearnOptions::default()
    };
    // Scores of other weights mean something else: they are made anew from the features.
    let scorer = queqiao_engine::Scorer::new(&weights);
    for l in engine
        .outcome_lists(&args.over.data.tenant, &options)?
        .lists
    {
        for (values, reached) in l.list.values.iter().zip(&l.stages) {
            if let Some(reached) = reached {
                scores.push(scorer.score(values).get());
                came_true.push(*reached >= stage && *reached != Stage::Declined);
            }
        }
    }
    let yes = came_true.iter().filter(|y| **y).count();
    let Some(curve) = calibrate(&scores, &came_true, &weights) else {
        return Err(Failure::input(
            format!(
                "{yes} of {} reported pairs came to `{target}`: at least {LEAST_OF_EACH} that did and {LEAST_OF_EACH} that did not are needed",
                scores.len()
            ),
            format!(
                "已登记的 {} 对中有 {yes} 对达到 {target}：至少各需 {LEAST_OF_EACH} 对达到和未达到的",
                scores.len()
            ),
        ));
    };
    let calibration = Calibration {
        weights: weights.version.clone(),
        target: target.to_owned(),
        curve,
        labels: scores.len(),
        came_true: yes,
    };
    artefacts.keep_calibration(&calibration)?;
    match args.over.format {
        Format::Json => console.json(&calibration),
        Format::Table => {
            curve_table(console, &calibration, &weights);
            Ok(())
        }
    }
}

fn curve_table(console: &Console, c: &Calibration, weights: &Weights) {
    let mut table = console.table([
        console.say("score", "得分"),
        console.say("probability", "概率"),
    ]);
    let most: f64 = weights.weights.values().sum();
    for i in 1..=8 {
        let score = most * f64::from(i) / 8.0;
        table.add_row([
            format!("{score:.3}"),
            format!("{:.3}", c.curve.probability(score)),
        ]);
    }
    console.line(table.to_string());
    console.line(console.say(
        &format!(
            "`{}` from {} outcomes, {} of them true, for weights {}; the next start has it",
            c.target, c.labels, c.came_true, c.weights
        ),
        &format!(
            "“{}”的概率，依据 {} 条后续（其中 {} 条达到），适用于权重 {}；下次启动生效",
            c.target, c.labels, c.came_true, c.weights
        ),
    ));
}
