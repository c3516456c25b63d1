//! `queqiao weights fit`: weights of the scorer from judgements, live only past a gate.

mod lists;

use super::open;
use crate::{
    args::{Format, WeightsBackArgs, WeightsCommand, WeightsFitArgs, WeightsUseArgs},
    failure::Failure,
    output::Console,
    whole,
};
use lists::{read, values};
use queqiao_engine::{Artefacts, Feature, FitParams, GradedList, Weights, fit};
use queqiao_eval::{Measure, Qrels, parse_list, stats::randomisation_test};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Permutations of the gate's test.
const PERMUTATIONS: u64 = 100_000;
/// The gate's level.
const LEVEL: f64 = 0.05;
/// Fewer queries than this tell nothing.
const LEAST_QUERIES: usize = 20;

pub(crate) fn run(command: &WeightsCommand, console: &Console) -> Result<(), Failure> {
    match command {
        WeightsCommand::Fit(args) => fit_weights(args, console),
        WeightsCommand::Use(args) => adopt(args, console),
        WeightsCommand::Back(args) => back(args, console),
    }
}

fn adopt(args: &WeightsUseArgs, console: &Console) -> Result<(), Failure> {
    let weights = open::weights(Some(&args.file))?;
    open::existing(&args.folder)?;
    let text = std::fs::read_to_string(&args.file).unwrap_or_default();
    let n = Artefacts::of(&args.folder.path).adopt(&text)?;
    console.line(console.say(
        &format!("weights {} are live as number {n} from the next start on; `queqiao weights back` undoes it", weights.version),
        &format!("权重 {} 已启用（第 {n} 版），下次启动生效；`queqiao weights back` 可回退", weights.version),
    ));
    Ok(())
}

fn back(args: &WeightsBackArgs, console: &Console) -> Result<(), Failure> {
    open::existing(&args.folder)?;
    let artefacts = Artefacts::of(&args.folder.path);
    match artefacts.back()? {
        None => Err(Failure::input(
            "what ships is live already: there is nothing to go back to",
            "当前已是随附权重：没有可回退的版本",
        )),
        Some(n) => {
            let version = artefacts.weights()?.version;
            console.line(console.say(
                &format!("weights {version} (number {n}) are live again from the next start on"),
                &format!("权重 {version}（第 {n} 版）重新启用，下次启动生效"),
            ));
            Ok(())
        }
    }
}

fn fit_weights(args: &WeightsFitArgs, console: &Console) -> Result<(), Failure> {
    if args.out.exists() && !args.replace {
        let shown = args.out.display();
        return Err(Failure::input(
            format!("{shown} exists already: name another file, or give --replace"),
            format!("{shown} 已存在：请换一个文件名，或加 --replace"),
        ));
    }
    let start = open::weights(args.start.as_deref())?;
    let measure = measure(args)?;
    let qrels = Qrels::read(&args.qrels)?;
    let questions = read(&args.features, &qrels)?;
    let judged = questions
        .iter()
        .filter(|q| q.list.grades.iter().any(|g| *g > 0.0));
    let n = judged.count();
    if n < LEAST_QUERIES {
        return Err(Failure::input(
            format!(
                "{n} queries have a judged answer among their candidates: at least {LEAST_QUERIES} are needed"
            ),
            format!("候选中有正确答案的查询只有 {n} 个：至少需要 {LEAST_QUERIES} 个"),
        ));
    }
    // Every query is ranked by weights that never saw it.
    let folds = usize::from(args.folds);
    // What the folds say has to be true of what is written.
    let params = FitParams::of(n - n.div_ceil(folds));
    let bar = console.progress(folds as u64 + 1, "fitting", "拟合");
    let mut unseen: Vec<Weights> = Vec::new();
    for fold in 0..folds {
        let seen = questions
            .iter()
            .enumerate()
            .filter(|(i, _)| i % folds != fold);
        let lists: Vec<GradedList> = seen.map(|(_, q)| q.list.clone()).collect();
        unseen.push(fit(&lists, &start, params).unwrap_or_else(|| start.clone()));
        bar.inc(1);
    }
    let before = values(&questions, &qrels, &measure, |_| &start)?;
    let after = values(&questions, &qrels, &measure, |i| &unseen[i % folds])?;
    let all: Vec<GradedList> = questions.iter().map(|q| q.list.clone()).collect();
    let mut fitted = fit(&all, &start, params).unwrap_or_else(|| start.clone());
    bar.finish_and_clear();

    let found = Compared::of(&before, &after);
    let better = found.after > found.before && found.p < LEVEL;
    let elsewhere = args
        .also
        .chunks_exact(2)
        .map(|pair| elsewhere(pair, &measure, (&start, &fitted)))
        .collect::<Result<Vec<_>, _>>()?;
    let worse: Vec<&str> = elsewhere
        .iter()
        .filter(|e| e["worse"] == true)
        .filter_map(|e| e["features"].as_str())
        .collect();
    let day = jiff::Timestamp::now().to_string();
    let day = day.get(..10).unwrap_or("undated");
    fitted.version = format!("fitted-{day}-{n}");
    let written = better && worse.is_empty() || args.anyway;
    let report = json!({
        "version": fitted.version,
        "start": start.version,
        "features": args.features.display().to_string(),
        "judgements": args.qrels.display().to_string(),
        "queries": before.len(),
        "folds": folds,
        "measure": measure.to_string(),
        "before": found.before,
        "after": found.after,
        "p": found.p,
        "better": better,
        "elsewhere": elsewhere,
        "written": written,
        "weights": fitted.weights,
    });
    match args.format {
        Format::Json => console.json(&report)?,
        Format::Table => table(console, &start, &fitted, &report),
    }
    if !written && better {
        let names = worse.join(", ");
        return Err(Failure::failed(
            format!(
                "the new weights are better on their own queries and worse beyond noise on {names}: nothing was written (--anyway writes them)"
            ),
            format!(
                "新权重在自身查询上更好，但在 {names} 上显著变差：未写入文件（--anyway 可强制写入）"
            ),
        ));
    }
    if !written {
        return Err(Failure::failed(
            "the new weights are not better beyond noise on queries they did not see: nothing was written (--anyway writes them)",
            "在未见过的查询上，新权重没有超出噪声的提升：未写入文件（--anyway 可强制写入）",
        ));
    }
    write(&args.out, &report)?;
    console.note(format!(
        "{}: {}",
        args.out.display(),
        console.say("use it with --weights", "用 --weights 指定即可使用")
    ));
    Ok(())
}

/// A measure before and after, over the same queries.
struct Compared {
    before: f64,
    after: f64,
    /// Of Fisher's randomisation test, two-sided.
    p: f64,
}

impl Compared {
    fn of(before: &[f64], after: &[f64]) -> Self {
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len().max(1) as f64;
        let differences: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        Compared {
            before: mean(before),
            after: mean(after),
            p: randomisation_test(&differences, PERMUTATIONS, 0).p,
        }
    }
}

/// What the fitted weights do to lists that they were not made from.
fn elsewhere(
    pair: &[PathBuf],
    measure: &Measure,
    (start, fitted): (&Weights, &Weights),
) -> Result<Value, Failure> {
    let [features, judgements] = pair else {
        return Ok(Value::Null);
    };
    let qrels = Qrels::read(judgements)?;
    let questions = read(features, &qrels)?;
    let before = values(&questions, &qrels, measure, |_| start)?;
    let after = values(&questions, &qrels, measure, |_| fitted)?;
    let found = Compared::of(&before, &after);
    Ok(json!({
        "features": features.display().to_string(),
        "judgements": judgements.display().to_string(),
        "queries": before.len(),
        "before": found.before,
        "after": found.after,
        "p": found.p,
        "worse": found.after < found.before && found.p < LEVEL,
    }))
}

fn measure(args: &WeightsFitArgs) -> Result<Measure, Failure> {
    let mut all = parse_list(&args.measure)?;
    match (all.pop(), all.is_empty()) {
        (Some(m), true) => Ok(m),
        _ => Err(Failure::input(
            "--measure: expected one measure, such as nDCG@10",
            "--measure：应为一个指标，如 nDCG@10",
        )),
    }
}

fn table(console: &Console, start: &Weights, fitted: &Weights, report: &Value) {
    let mut table = console.table([
        console.say("feature", "特征"),
        console.say("before", "之前"),
        console.say("after", "之后"),
    ]);
    for f in Feature::ALL {
        let (a, b) = (start.get(f), fitted.get(f));
        if a > 0.0 || b > 0.0 {
            table.add_row([f.as_str().to_owned(), format!("{a:.3}"), format!("{b:.3}")]);
        }
    }
    console.line(table.to_string());
    let figure = |key: &str| report[key].as_f64().unwrap_or(f64::NAN);
    console.line(format!(
        "{} {:.4} → {:.4} (p {:.3}); {} {}, {} {}",
        report["measure"].as_str().unwrap_or_default(),
        figure("before"),
        figure("after"),
        figure("p"),
        report["queries"],
        console.say(
            "queries, each ranked by weights that did not see it",
            "个查询，均由未见过它的权重排序"
        ),
        report["folds"],
        console.say("folds", "折"),
    ));
    for e in report["elsewhere"].as_array().into_iter().flatten() {
        let figure = |key: &str| e[key].as_f64().unwrap_or(f64::NAN);
        console.line(format!(
            "{}: {:.4} → {:.4} (p {:.3}); {} {}",
            e["features"].as_str().unwrap_or_default(),
            figure("before"),
            figure("after"),
            figure("p"),
            e["queries"],
            match e["worse"] == true {
                true => console.say("queries, worse beyond noise", "个查询，显著变差"),
                false => console.say("queries", "个查询"),
            },
        ));
    }
}

/// The weights with what they were made from; whole or not at all.
fn write(path: &Path, report: &Value) -> Result<(), Failure> {
    let mut trained = report.clone();
    if let Some(o) = trained.as_object_mut() {
        o.remove("weights");
        o.remove("version");
        o.remove("written");
    }
    let text = json!({
        "version": report["version"],
        "trained": trained,
        "weights": report["weights"],
    });
    whole::write(path, &format!("{text:#}\n"))
}
