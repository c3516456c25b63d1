//! Trains a model from ChinaXiv, arXiv and THUOCL files, as the shipped one was.
//!
//! ```sh
//! cargo run --release -p queqiao-embed --example train_model -- --data DIR --out models/NAME [--set option=value …]
//! ```
//!
//! `--set` takes any option of `TrainOptions` by its name (`steps=3000`, `vocabulary.min_count=5`);
//! `--fraction 0.25` trains on a share of the documents; `--eval` only prints the gate.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    missing_docs
)]

use queqiao_embed::{EmbedError, ModelStore, train::*};
use serde_json::Value;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Instant,
};

struct Print {
    start: Instant,
    stage: Stage,
    losses: Vec<f32>,
}

impl Progress for Print {
    fn stage(&mut self, stage: Stage, total: u64) {
        self.stage = stage;
        eprintln!(
            "[{:>6.1} s] {stage:?} {total}",
            self.start.elapsed().as_secs_f32()
        );
    }

    fn advance(&mut self, done: u64, loss: Option<f32>) {
        let Some(loss) = loss else { return };
        self.losses.push(loss);
        if self.losses.len() == 250 {
            let mean = self.losses.drain(..).sum::<f32>() / 250.0;
            eprintln!(
                "[{:>6.1} s] step {done} loss {mean:.4}",
                self.start.elapsed().as_secs_f32()
            );
        }
    }
}

/// Every n-th document of a source, for the learning curve.
#[derive(Debug)]
struct Share<S>(S, f64);

impl<S: Source> Source for Share<S> {
    fn facts(&self) -> SourceFacts {
        self.0.facts()
    }

    fn weight(&self) -> f32 {
        self.0.weight()
    }

    fn gated(&self) -> bool {
        self.0.gated()
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
    ) -> Result<(), EmbedError> {
        let mut n = 0.0f64;
        self.0.visit(&mut |d| {
            n += self.1;
            if n >= 1.0 {
                n -= 1.0;
                visit(d)
            } else {
                Ok(())
            }
        })
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut named: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut at = 0;
    while at < args.len() {
        let value = args.get(at + 1).map_or("", String::as_str);
        named.entry(args[at].as_str()).or_default().push(value);
        at += 2;
    }
    let one = |n: &str| named.get(n).and_then(|v| v.last().copied());
    let data = PathBuf::from(one("--data").expect("--data DIR"));
    let mut options = serde_json::to_value(TrainOptions::default()).unwrap();
    for set in named.get("--set").into_iter().flatten() {
        let (name, value) = set.split_once('=').expect("--set option=value");
        let pointer = format!("/{}", name.replace('.', "/"));
        *options
            .pointer_mut(&pointer)
            .unwrap_or_else(|| panic!("no option {name}")) =
            serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    }
    let options: TrainOptions = serde_json::from_value(options).unwrap();
    let share = one("--fraction").map_or(1.0, |f| f.parse().unwrap());
    let weight = |name: &str, default: f32| one(name).map_or(default, |w| w.parse().unwrap());
    let corpus = corpus(
        &data,
        share,
        weight("--chinaxiv", 2.0),
        weight("--arxiv", 1.0),
        weight("--taxonomy", 0.15),
    );

    let mut progress = Print {
        start: Instant::now(),
        stage: Stage::Counting,
        losses: Vec::new(),
    };
    let trained = Trainer::new(&corpus, options)
        .and_then(|t| t.run(&mut progress))
        .unwrap_or_else(|e| panic!("{e}"));
    let report = trained.report();
    for s in &report.sources {
        eprintln!(
            "{}: {} documents, {} held out, {} tokens",
            s.facts.name, s.documents, s.held_out, s.tokens
        );
    }
    eprintln!(
        "vocabulary {}, {} pairs, {} tokens, {:.0} s",
        report.vocabulary,
        report.pairs,
        report.tokens,
        progress.start.elapsed().as_secs_f32()
    );
    let model = trained.quantised("trained").unwrap();
    let gate = trained.gate().measure(&model).unwrap();
    for t in &gate.tasks {
        println!(
            "{:<34} MRR {:.4}  ({} of {})",
            t.name, t.mrr, t.questions, t.candidates
        );
    }
    println!("{:<34} MRR {:.4}", "mean", gate.mean());
    if let Some(out) = one("--out") {
        let read = |n: &str| {
            one(n)
                .map(|p| std::fs::read_to_string(p).unwrap())
                .unwrap_or_default()
        };
        let card = CardText {
            command: one("--command").unwrap_or_default().to_owned(),
            licence: "CC-BY-4.0".to_owned(),
            attribution: read("--attribution"),
            figures: read("--figures"),
            limits: read("--limits"),
        };
        trained
            .write(Path::new(out), &gate, &card)
            .unwrap_or_else(|e| panic!("{e}"));
        if let Some(summary) = one("--register") {
            let out = Path::new(out);
            let name = out.file_name().unwrap().to_string_lossy();
            ModelStore::register(out.parent().unwrap(), &name, &card.licence, summary, true)
                .unwrap_or_else(|e| panic!("{e}"));
        }
    }
}

fn corpus(data: &Path, share: f64, chinaxiv: f32, arxiv: f32, taxonomy: f32) -> Corpus {
    let facts = |name: &str, licence: &str| SourceFacts {
        name: name.to_owned(),
        licence: licence.to_owned(),
    };
    let excluded = read_ids(&data.join("chinaxiv/validation-ids.txt")).unwrap();
    let cx = FileSource::new(
        data.join("chinaxiv/papers.jsonl.zst"),
        facts("ChinaXiv preprints 2016–2022", "CC BY"),
    )
    .with_running_text(data.join("chinaxiv/fulltext_zh.jsonl.zst"))
    .excluding(excluded)
    .with_weight(chinaxiv);
    let ax = FileSource::new(
        data.join("arxiv-abstracts/abstracts.jsonl.zst"),
        facts("arXiv metadata", "CC0 1.0"),
    )
    .with_weight(arxiv);
    let mut words = Vec::new();
    for list in ["IT", "medical", "car", "food", "animal"] {
        let path = data.join(format!("dicts/thuocl/THUOCL_{list}.txt"));
        if path.exists() {
            words.extend(read_words(&path).unwrap());
        }
    }
    let mut sources: Vec<Box<dyn Source>> =
        vec![Box::new(Share(cx, share)), Box::new(Share(ax, share))];
    if taxonomy > 0.0 {
        let tree = Documents {
            facts: facts("NSFC application codes, Chinese and English", "MIT"),
            weight: taxonomy * 0.6,
            gated: false,
            documents: read_taxonomy(&data.join("taxonomies/nsfc.jl")).unwrap(),
        };
        let industries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tables/gbt4754.tsv");
        let industries = Documents {
            facts: facts(
                "GB/T 4754-2017, names of industries",
                "public standard (facts)",
            ),
            weight: taxonomy * 0.4,
            gated: false,
            documents: read_taxonomy(&industries).unwrap(),
        };
        sources.push(Box::new(Share(tree, share)));
        sources.push(Box::new(Share(industries, share)));
    }
    Corpus { sources, words }
}
