//! `queqiao train`: a model from texts, or from a model and more texts.

use crate::{
    args::{Cli, TrainArgs},
    failure::Failure,
    output::Console,
};
use indicatif::ProgressBar;
use queqiao_engine::embed::{
    ModelStore,
    train::{
        CardText, Checkpoints, Corpus, FileSource, Progress, SourceFacts, Stage, TrainOptions,
        Trainer, read_ids, read_words,
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
    let exclude = match &args.exclude {
        Some(path) => read_ids(path)?,
        None => HashSet::new(),
    };
    let mut corpus = Corpus::default();
    for (i, path) in args.corpus.iter().enumerate() {
        let licence = args
            .licence
            .get(i)
            .cloned()
            .unwrap_or_else(|| "not stated".to_owned());
        add(&mut corpus, path, &licence, &exclude)?;
    }
    for path in &args.words {
        corpus.words.extend(read_words(path)?);
    }
    let mut options = TrainOptions {
        seed: args.seed,
        start: args.start.clone(),
        ..TrainOptions::default()
    };
    if let Some(steps) = args.steps {
        options.steps = steps;
    }
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
    let command: Vec<String> = std::env::args().skip(1).collect();
    let card = CardText {
        command: format!("queqiao {}", command.join(" ")),
        licence: args.model_licence.clone(),
        attribution: args.attribution.clone().unwrap_or_default(),
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

fn console_summary(trained: &queqiao_engine::embed::train::Trained) -> String {
    let r = trained.report();
    let documents: usize = r.sources.iter().map(|s| s.documents).sum();
    format!(
        "static, {} pieces, trained on {documents} documents",
        r.vocabulary
    )
}

/// A file is a source; a folder is a source for each file of texts in it. A file whose name
/// begins with `fulltext` holds the running text of the other files' documents.
fn add(
    corpus: &mut Corpus,
    path: &Path,
    licence: &str,
    exclude: &HashSet<String>,
) -> Result<(), Failure> {
    let files = if path.is_dir() {
        texts(path)?
    } else {
        vec![path.to_owned()]
    };
    let (running, files): (Vec<PathBuf>, Vec<PathBuf>) = files
        .into_iter()
        .partition(|f| name(f).starts_with("fulltext"));
    for file in files {
        let facts = SourceFacts {
            name: if path.is_dir() {
                format!("{}/{}", name(path), name(&file))
            } else {
                name(&file)
            },
            licence: licence.to_owned(),
        };
        let mut source = FileSource::new(&file, facts).excluding(exclude.clone());
        if let Some(text) = running.first() {
            source = source.with_running_text(text);
        }
        corpus.sources.push(Box::new(source));
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn texts(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|e| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    })?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| {
            let n = name(p);
            let n = n.strip_suffix(".zst").unwrap_or(&n);
            [".jsonl", ".csv", ".tsv"].iter().any(|e| n.ends_with(e)) && !n.starts_with("metadata")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::input(
            format!("{shown} holds no .jsonl, .csv or .tsv (also .zst)"),
            format!("{shown} 中没有 .jsonl、.csv 或 .tsv 文件（可带 .zst）"),
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
