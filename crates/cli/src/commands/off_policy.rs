//! `queqiao off-policy`: what runs would have earned, from a log of what was shown.

use super::eval::{lang, right};
use crate::{
    args::{AssumeArg, Format, OffPolicyArgs},
    failure::Failure,
    output::Console,
};
use queqiao_eval::{
    Assumption, Estimate, Estimates, OffPolicy, OffPolicySettings, Precision, Run, Settled,
    read_log,
};
use serde_json::{Value, json};

pub(crate) fn run(args: &OffPolicyArgs, console: &Console) -> Result<(), Failure> {
    let runs = Run::read_all(&args.runs, Precision::Double)?;
    let predictions = match &args.predictions {
        Some(path) => Some(Run::read(path, Precision::Double)?),
        None => None,
    };
    let settings = OffPolicySettings {
        assume: match args.assume {
            AssumeArg::Examination => Assumption::Examination,
            AssumeArg::Placement => Assumption::Placement,
        },
        examination: args.examination.clone(),
        depth: args.depth.map(|k| k as usize),
        clip: args.clip,
        min_ess: args.min_ess,
        min_support: args.min_support,
        alpha: args.alpha,
    };
    let mut policy = OffPolicy::new(&runs, predictions.as_ref(), settings)?;
    read_log(&args.log, |list| policy.take(list))?;
    let found = policy.finish();
    if found.runs.iter().all(|e| e.figures.is_err()) {
        return Err(refused(args, &found));
    }
    match args.format {
        Format::Json => console.json(&document(args, &found)),
        Format::Table => {
            console.document(&table(&found, console));
            Ok(())
        }
    }
}

/// Nothing can be said of any run.
fn refused(args: &OffPolicyArgs, found: &Estimates) -> Failure {
    let (mut en, mut zh) = (
        format!("{} says too little", args.log.display()),
        format!("{} 说明不了问题", args.log.display()),
    );
    for e in &found.runs {
        if let Err(why) = &e.figures {
            en.push_str(&format!("\n  {}: {}", e.run, why.en));
            zh.push_str(&format!("\n  {}：{}", e.run, why.zh));
        }
    }
    en.push_str("\n  log more lists, of a system closer to these runs or one that draws; or lower --min-ess and --min-support, knowing what the figures are worth");
    zh.push_str("\n  请记录更多、与这些 run 更接近或带随机性的名单；或在了解其含义后降低 --min-ess 和 --min-support");
    Failure::input(en, zh)
}

fn settled(s: Settled) -> Value {
    json!({ "value": s.value, "low": s.interval.low, "high": s.interval.high })
}

fn document(args: &OffPolicyArgs, found: &Estimates) -> Value {
    let run = |e: &Estimate| {
        let f = e.figures.as_ref().ok();
        json!({
            "run": e.run,
            "effective_lists": e.ess,
            "support": e.support,
            "largest_weight": e.largest_weight,
            "clipped": e.clipped,
            "unanswered": e.unanswered,
            "refused": e.figures.as_ref().err().map(|why| &why.en),
            "ips": f.map(|f| settled(f.ips)),
            "snips": f.map(|f| settled(f.snips)),
            "doubly_robust": f.and_then(|f| f.doubly_robust.map(settled)),
            "gain": f.map(|f| settled(f.gain)),
        })
    };
    json!({
        "lists": found.lists,
        "assume": match args.assume {
            AssumeArg::Examination => "examination",
            AssumeArg::Placement => "placement",
        },
        "examination": args.examination.to_string(),
        "depth": args.depth,
        "clip": args.clip,
        "min_ess": args.min_ess,
        "min_support": args.min_support,
        "alpha": args.alpha,
        "logged": settled(found.logged),
        "runs": found.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

fn table(found: &Estimates, console: &Console) -> String {
    let shown = |s: Settled| {
        format!(
            "{:.4} [{:.4}, {:.4}]",
            s.value, s.interval.low, s.interval.high
        )
    };
    let mut table = console.table([
        console.say("run", "run"),
        console.say("gain", "增益"),
        "IPS",
        "SNIPS",
        console.say("doubly robust", "双重稳健"),
        console.say("effective lists", "有效名单"),
        console.say("support", "支持度"),
    ]);
    let mut below = String::new();
    for e in &found.runs {
        let dash = || "–".to_owned();
        let figures = match &e.figures {
            Ok(f) => [
                shown(f.gain),
                shown(f.ips),
                shown(f.snips),
                f.doubly_robust.map_or_else(dash, shown),
            ],
            Err(why) => {
                below.push_str(&format!("{}: {}\n", e.run, why.get(lang(console))));
                [dash(), dash(), dash(), dash()]
            }
        };
        let evidence = [format!("{:.1}", e.ess), format!("{:.3}", e.support)];
        let row = std::iter::once(e.run.clone()).chain(figures);
        table.add_row(row.chain(evidence));
    }
    right(&mut table, 1);
    let logged = shown(found.logged);
    let n = found.lists;
    format!(
        "{}\n{table}\n{below}",
        console.say(
            &format!("outcome per list: {logged} was logged, over {n} lists"),
            &format!("每个名单的结果：日志为 {logged}，共 {n} 个名单"),
        )
    )
}
