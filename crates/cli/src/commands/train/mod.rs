//! `queqiao train`: a model from texts, or from a model and more texts.

mod workbook;

use crate::{
    args::{Cli, TrainArgs},
    failure::Failure,
    output::Console,
};
use indicatif::ProgressBar;
use queqiao_engine::embed::{
    ModelStore,
    train::{
        CardText, Checkpoints, Corpus, Documents, FileSource, Progress, Sampled, SourceFacts,
        Stage, TrainOptions, Trainer, read_ids, read_taxonomy, read_words,
    },
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Steps between two checkpoints.
const CHECKPOINT: usize = 250;

pub(crate) fn run(_: &Cli, args: &TrainArgs, console: &Console) -> Result<(), Failure> {
    if args.out.exists() && !args.replace {
        let shown = args.out.display();
        return Err(Failure::input(
            format!("{shown} exists already: name another folder, or give --replace"),
            format!("{shown} 已存在：请换一个目录，或加 --replace"),
        ));
    }
    let figures = match &args.card {
        Some(path) => std::fs::read_to_string(path).map_err(|e| unreadable(path, &e))?,
        None => String::new(),
    };
    let exclude = match &args.exclude {
        Some(path) => read_ids(path)?,
        None => HashSet::new(),
    };
    let mut corpus = corpus(args, &exclude)?;
    for path in &args.words {
        corpus.words.extend(read_words(path)?);
    }
    let options = options(args)?;
    let name = args
        .out
        .file_name()
        .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
    let checkpoints = Checkpoints {
        dir: args.out.with_file_name(format!("{name}.training")),
        every: CHECKPOINT,
    };
    let checkpoint_dir = checkpoints.dir.clone();
    let mut bar = Bar {
        console,
        bar: ProgressBar::hidden(),
    };
    let trained = Trainer::new(&corpus, options)?
        .with_checkpoints(checkpoints)
        .run(&mut bar);
    bar.bar.finish_and_clear();
    let trained = trained?;
    for note in &trained.report().notes {
        console.note(format!("· {note}"));
    }
    let report = trained.gate().measure(&trained.quantised(&name)?)?;
    let mut table = console.table(match console.lang {
        queqiao_domain::Lang::En => ["quality gate: task", "mean reciprocal rank", "before"],
        queqiao_domain::Lang::Zh => ["质量关：任务", "平均倒数排名", "训练前"],
    });
    let before = match &args.start {
        Some(dir) => Some(
            trained
                .gate()
                .measure(&queqiao_engine::embed::StaticModel::load(dir)?)?,
        ),
        None => None,
    };
    for task in &report.tasks {
        let old = before
            .as_ref()
            .and_then(|b| b.tasks.iter().find(|t| t.name == task.name));
        table.add_row([
            task.name.clone(),
            format!("{:.4}", task.mrr),
            old.map_or("–".to_owned(), |t| format!("{:.4}", t.mrr)),
        ]);
    }
    console.line(table.to_string());
    let command: Vec<String> = std::env::args().skip(1).map(quoted).collect();
    let card = CardText {
        command: format!("queqiao {}", command.join(" ")),
        licence: args.model_licence.clone(),
        attribution: args.attribution.clone().unwrap_or_default(),
        figures,
        ..CardText::default()
    };
    trained.write(&args.out, &report, &card)?;
    // The checkpoint served its purpose; a leftover only costs space.
    let _ = std::fs::remove_dir_all(checkpoint_dir);
    if let Some(folder) = args
        .out
        .parent()
        .filter(|f| f.join("manifest.json").exists())
    {
        ModelStore::register(
            folder,
            &name,
            &args.model_licence,
            &console_summary(&trained),
            false,
        )?;
    }
    console.line(format!(
        "{} {}",
        console.say("written:", "已写入："),
        args.out.display()
    ));
    Ok(())
}

/// An argument as a shell would have to be given it.
fn quoted(argument: String) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./,:+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

fn console_summary(trained: &queqiao_engine::embed::train::Trained) -> String {
    let r = trained.report();
    let documents: usize = r.sources.iter().map(|s| s.documents).sum();
    format!(
        "static, {} pieces, trained on {documents} documents",
        r.vocabulary
    )
}

/// The settings: defaults, then `--set`, then the options with names of their own.
fn options(args: &TrainArgs) -> Result<TrainOptions, Failure> {
    let mut all = serde_json::to_value(TrainOptions::default())
        .map_err(|e| Failure::failed(format!("settings: {e}"), format!("设置：{e}")))?;
    for set in &args.set {
        let wrong = |en: &str, zh: &str| {
            Failure::input(format!("--set {set}: {en}"), format!("--set {set}：{zh}"))
        };
        let (name, value) = set.split_once('=').ok_or_else(|| {
            wrong(
                "expected NAME=VALUE, such as dim=256",
                "应为 名称=值，如 dim=256",
            )
        })?;
        let slot = all
            .pointer_mut(&format!("/{}", name.replace('.', "/")))
            .ok_or_else(|| wrong("there is no such setting", "没有这项设置"))?;
        *slot = serde_json::from_str(value).map_err(|e| {
            wrong(
                &format!("the value does not read: {e}"),
                &format!("无法读取该值：{e}"),
            )
        })?;
    }
    let mut options: TrainOptions = serde_json::from_value(all)
        .map_err(|e| Failure::input(format!("--set: {e}"), format!("--set：{e}")))?;
    options.seed = args.seed;
    options.start.clone_from(&args.start);
    if let Some(steps) = args.steps {
        options.steps = steps;
    }
    Ok(options)
}

fn unreadable(path: &Path, e: &std::io::Error) -> Failure {
    let shown = path.display();
    Failure::input(
        format!("{shown} cannot be read: {e}"),
        format!("无法读取 {shown}：{e}"),
    )
}

/// The sources. A file is a source; a folder is a source for each file of texts in it. A file
/// whose name begins with `fulltext` holds the running text of the other files' documents.
fn corpus(args: &TrainArgs, exclude: &HashSet<String>) -> Result<Corpus, Failure> {
    if !(args.fraction > 0.0 && args.fraction <= 1.0) {
        return Err(Failure::input(
            "--fraction: expected more than 0 and at most 1",
            "--fraction：应大于 0 且不超过 1",
        ));
    }
    let nth = |all: &[f32], i: usize, default: f32| all.get(i).copied().unwrap_or(default);
    let licence = |all: &[String], i: usize| {
        let stated = all.get(i).cloned();
        stated.unwrap_or_else(|| "not stated".to_owned())
    };
    let mut corpus = Corpus::default();
    for (i, path) in args.corpus.iter().enumerate() {
        let files = match path.is_dir() {
            true => texts(path)?,
            false => vec![path.clone()],
        };
        let (running, files): (Vec<PathBuf>, Vec<PathBuf>) = files
            .into_iter()
            .partition(|f| name(f).starts_with("fulltext"));
        let weight = nth(&args.weight, i, 1.0);
        for file in &files {
            let facts = SourceFacts {
                name: match path.is_dir() {
                    true => format!("{}/{}", name(path), name(file)),
                    false => name(file),
                },
                licence: licence(&args.licence, i),
            };
            let (share, weight) = (args.fraction, weight / files.len() as f32);
            if workbook::is_one(file) {
                let source = workbook::read(file, facts, weight, exclude)?;
                corpus.sources.push(Box::new(Sampled { source, share }));
                continue;
            }
            let mut source = FileSource::new(file, facts)
                .excluding(exclude.clone())
                .with_weight(weight);
            if let Some(text) = running.first() {
                source = source.with_running_text(text);
            }
            corpus.sources.push(Box::new(Sampled { source, share }));
        }
    }
    for (i, path) in args.taxonomy.iter().enumerate() {
        let source = Documents {
            facts: SourceFacts {
                name: name(path),
                licence: licence(&args.taxonomy_licence, i),
            },
            weight: nth(&args.taxonomy_weight, i, 0.1),
            gated: false,
            documents: read_taxonomy(path)?,
        };
        let share = args.fraction;
        corpus.sources.push(Box::new(Sampled { source, share }));
    }
    Ok(corpus)
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn texts(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| {
            let n = name(p);
            let n = n.strip_suffix(".zst").unwrap_or(&n);
            [".jsonl", ".csv", ".tsv", ".xlsx"]
                .iter()
                .any(|e| n.ends_with(e))
                && !n.starts_with("metadata")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::input(
            format!("{shown} holds no .jsonl, .csv, .tsv (also .zst) or .xlsx"),
            format!("{shown} 中没有 .jsonl、.csv、.tsv（可带 .zst）或 .xlsx 文件"),
        ));
    }
    Ok(files)
}

struct Bar<'a> {
    console: &'a Console,
    bar: ProgressBar,
}

impl Progress for Bar<'_> {
    fn stage(&mut self, stage: Stage, total: u64) {
        let (en, zh) = match stage {
            Stage::Counting => ("reading", "阅读语料"),
            Stage::Vocabulary => ("choosing words", "选词"),
            Stage::Tokenising => ("reading again", "切分语料"),
            Stage::Training => ("learning", "训练"),
            _ => ("working", "处理"),
        };
        self.bar.finish_and_clear();
        self.bar = self.console.progress(total, en, zh);
    }

    fn advance(&mut self, done: u64, loss: Option<f32>) {
        self.bar.set_position(done);
        if let Some(loss) = loss {
            self.bar.set_message(format!(
                "{} {loss:.3}",
                self.console.say("learning, loss", "训练，损失")
            ));
        }
    }
}
