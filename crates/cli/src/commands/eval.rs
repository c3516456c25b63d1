//! `queqiao eval`: runs measured against judgements.

use crate::{
    args::{EvalArgs, EvalFormat, MeasuringArgs, MissingArg, PrecisionArg},
    failure::Failure,
    output::Console,
    whole,
};
use queqiao_domain::Lang;
use queqiao_eval::{
    Comparisons, Evaluation, Evaluator, Measure, Missing, Options, Precision, Qrels, Report,
    Settings, Supply, Watch, compare,
};
use std::{fmt::Write as _, path::Path};

/// Places of a list whose exposure a page draws.
const EXPOSED: u32 = 10;

pub(crate) fn run(args: &EvalArgs, console: &Console) -> Result<(), Failure> {
    let done = Measured::of(&args.what, false, console)?;
    // A page also shows how far runs are apart.
    let apart = if args.what.format == EvalFormat::Html && done.runs.len() > 1 {
        Some(compare(&done.qrels, &done.runs, 0, Settings::default())?)
    } else {
        None
    };
    let text = match args.what.format {
        EvalFormat::Table => figures(&done, &args.what, console),
        _ => done.rendered(&args.what, apart.as_ref(), console)?,
    };
    emit(&args.what, text, console)
}

/// Judgements and evaluated runs.
pub(super) struct Measured {
    pub(super) qrels: Qrels,
    pub(super) runs: Vec<Evaluation>,
    options: Options,
    title: String,
    supply: Option<usize>,
}

impl Measured {
    /// Reads and evaluates. Where runs are compared, ranks of judged documents are kept.
    pub(super) fn of(
        args: &MeasuringArgs,
        compared: bool,
        console: &Console,
    ) -> Result<Self, Failure> {
        let page = args.format == EvalFormat::Html;
        let options = Options {
            missing: match args.missing {
                Some(MissingArg::Skip) => Missing::Skip,
                Some(MissingArg::Zero) | None => Missing::Zero,
            },
            precision: match args.precision {
                PrecisionArg::Double => Precision::Double,
                PrecisionArg::Single => Precision::Single,
            },
            depth: args.depth,
            only_answerable: args.only_answerable,
            watch: Watch {
                placements: page || compared,
                exposure: page.then_some(EXPOSED),
                scores: page,
            },
        };
        let qrels = Qrels::read(&args.qrels)?;
        let runs = Evaluator::new(&qrels, &args.measures.0, options)?.files(&args.runs)?;
        for e in &runs {
            note_gaps(e, args, console);
        }
        let supply = if page {
            Supply::of_collection(&args.qrels)?.map(|s| s.ids.len())
        } else {
            None
        };
        Ok(Measured {
            title: title(&args.qrels),
            qrels,
            runs,
            options,
            supply,
        })
    }

    /// The document of a format that is not the table.
    pub(super) fn rendered(
        &self,
        args: &MeasuringArgs,
        comparisons: Option<&Comparisons>,
        console: &Console,
    ) -> Result<String, Failure> {
        let report = Report {
            title: &self.title,
            qrels: &self.qrels,
            options: self.options,
            runs: &self.runs,
            comparisons,
            supply: self.supply,
            per_query: args.per_query,
            lang: lang(console),
        };
        match args.format {
            EvalFormat::Html => Ok(report.html()),
            EvalFormat::Trec => Ok(report.trec()),
            EvalFormat::Json | EvalFormat::Table => serde_json::to_string_pretty(&report.json())
                .map(|t| t + "\n")
                .map_err(|e| {
                    Failure::failed(
                        format!("the result cannot be written as JSON: {e}"),
                        format!("结果无法写成 JSON：{e}"),
                    )
                }),
        }
    }
}

/// The reader's language, as the toolkit calls it.
pub(super) fn lang(console: &Console) -> queqiao_eval::Lang {
    match console.lang {
        Lang::En => queqiao_eval::Lang::En,
        Lang::Zh => queqiao_eval::Lang::Zh,
    }
}

/// What people call the judgements: the collection's folder, or the file.
fn title(qrels: &Path) -> String {
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned());
    let real = qrels.canonicalize().unwrap_or_else(|_| qrels.to_owned());
    name(&real).unwrap_or_else(|| qrels.display().to_string())
}

/// Says on stderr what the figures do not show.
fn note_gaps(e: &Evaluation, args: &MeasuringArgs, console: &Console) {
    let (gaps, judged) = (e.unanswered.len(), e.answered + e.unanswered.len());
    if gaps > 0 {
        let (en, zh) = match args.missing {
            Some(MissingArg::Skip) => ("left out of the means", "不计入平均"),
            _ => ("counted as if nothing had been found", "按一无所获计入"),
        };
        console.note(format!(
            "{}: {gaps} / {judged} {}, {}",
            e.run,
            console.say("judged queries without answers", "个已判断查询没有结果"),
            console.say(en, zh),
        ));
    }
}

/// Figures, runs side by side; then, where asked for, the values of each query.
fn figures(done: &Measured, args: &MeasuringArgs, console: &Console) -> String {
    let measures = &args.measures.0;
    let head = [console.say("measure", "指标").to_owned(), String::new()];
    let names = done.runs.iter().map(|e| e.run.clone());
    let mut table = console.table(head.into_iter().chain(names));
    for (i, m) in measures.iter().enumerate() {
        let values = done.runs.iter().map(|e| e.means.get(i).copied());
        let figures = values.map(|v| figure(m, v.unwrap_or(f64::NAN)));
        table.add_row(
            [m.to_string(), label(m, console)]
                .into_iter()
                .chain(figures),
        );
    }
    right(&mut table, 2);
    let mut out = format!("{table}\n");
    if args.per_query {
        let head = [
            console.say("query", "查询").to_owned(),
            console.say("run", "run").to_owned(),
        ];
        let mut table = console.table(
            head.into_iter()
                .chain(measures.iter().map(Measure::to_string)),
        );
        for judged in done.qrels.queries() {
            for e in &done.runs {
                let Ok(q) = e.queries.binary_search_by(|x| x.as_str().cmp(judged.id())) else {
                    continue;
                };
                let values = measures.iter().zip(e.row(q)).map(|(m, v)| figure(m, *v));
                table.add_row(
                    [judged.id().to_owned(), e.run.clone()]
                        .into_iter()
                        .chain(values),
                );
            }
        }
        right(&mut table, 2);
        let _ = writeln!(out, "{table}");
    }
    out
}

/// The measure in words.
fn label(m: &Measure, console: &Console) -> String {
    let l = m.name().label();
    console.say(&l.en, &l.zh).to_owned()
}

/// Figures stand at the right.
pub(super) fn right(table: &mut comfy_table::Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
}

/// Four decimals; counts as they are.
pub(super) fn figure(m: &Measure, v: f64) -> String {
    if v.is_nan() {
        "–".to_owned()
    } else if m.name().aggregation() == queqiao_eval::Aggregation::Sum {
        format!("{v}")
    } else {
        format!("{v:.4}")
    }
}

/// Prints the document, or writes it whole or not at all.
pub(super) fn emit(args: &MeasuringArgs, text: String, console: &Console) -> Result<(), Failure> {
    let Some(path) = &args.out else {
        console.document(&text);
        return Ok(());
    };
    whole::write(path, &text)?;
    console.note(path.display().to_string());
    Ok(())
}
