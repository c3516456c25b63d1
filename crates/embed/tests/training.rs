//! Training from end to end on a bilingual language made up here: it must learn what belongs
//! together, and do so the same way every time.

#![allow(clippy::unwrap_used)]

use queqiao_embed::{EmbedError, Embedder, Role, StaticModel, train::*};
use std::{fs, path::Path};

const TOPICS: usize = 30;

/// A generator of its own: the test's corpus must not change with a crate's version.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// The w-th word of a topic, in both languages.
fn word(topic: usize, w: usize) -> (String, String) {
    let n = (topic * 16 + w) as u32;
    let han = |i: u32| char::from_u32(0x5000 + i).unwrap();
    let zh = String::from_iter([han(n * 7 % 3000), han(4000 + n * 11 % 3000)]);
    let syllables = ["ka", "to", "mi", "re", "su", "no", "vi", "la", "pe", "du"];
    let mut en = String::new();
    let mut m = n as usize + 37;
    while m > 0 {
        en.push_str(syllables[m % 10]);
        m /= 10;
    }
    (zh, en)
}

fn document(i: usize, rng: &mut Rng) -> (Document, usize) {
    let topic = i % TOPICS;
    let mut words = |n: usize, zh: bool| -> Vec<String> {
        (0..n)
            .map(|k| {
                // A third of the words are everybody's.
                let (z, e) = if k % 3 == 2 {
                    word(TOPICS, rng.below(16))
                } else {
                    word(topic, rng.below(16))
                };
                if zh { z } else { e }
            })
            .collect()
    };
    let document = Document {
        id: format!("d{i}"),
        title: words(4, true).join("，"),
        abstract_text: words(40, true).join("，"),
        keywords: words(3, true),
        title_en: words(4, false).join(" "),
        abstract_en: words(40, false).join(" "),
        keywords_en: words(3, false),
        paragraphs: vec![words(30, true).join("，"), words(30, true).join("，")],
        class: String::new(),
    };
    (document, topic)
}

fn corpus(n: usize) -> Corpus {
    let mut rng = Rng(3);
    let source = Documents {
        facts: SourceFacts {
            name: "made up".to_owned(),
            licence: "CC0".to_owned(),
        },
        weight: 1.0,
        gated: true,
        documents: (0..n).map(|i| document(i, &mut rng).0).collect(),
    };
    Corpus {
        sources: vec![Box::new(source)],
        words: Vec::new(),
    }
}

fn options(steps: usize) -> TrainOptions {
    TrainOptions {
        dim: 32,
        steps,
        batch: 64,
        learning_rate: 0.01,
        warm_up: 10,
        held_out: 0.1,
        vocabulary: VocabularyOptions {
            min_count: 3,
            ..VocabularyOptions::default()
        },
        ..TrainOptions::default()
    }
}

/// How often the best of `n` unseen Chinese abstracts is of the topic of an English title.
fn accuracy(model: &dyn Embedder, n: usize) -> f64 {
    let mut rng = Rng(99);
    let (documents, topics): (Vec<Document>, Vec<usize>) =
        (0..n).map(|i| document(i, &mut rng)).unzip();
    let titles: Vec<&str> = documents.iter().map(|d| d.title_en.as_str()).collect();
    let abstracts: Vec<&str> = documents.iter().map(|d| d.abstract_text.as_str()).collect();
    let q = model.embed(&titles, Role::Query).unwrap();
    let d = model.embed(&abstracts, Role::Passage).unwrap();
    let scores = q.dot(&d.t());
    let right = scores
        .rows()
        .into_iter()
        .enumerate()
        .filter(|(i, row)| {
            let best = (0..n).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            topics[best] == topics[*i]
        })
        .count();
    right as f64 / n as f64
}

fn write(trained: &Trained, dir: &Path) -> Vec<u8> {
    let gate = trained
        .gate()
        .measure(&trained.quantised("m").unwrap())
        .unwrap();
    trained
        .write(
            dir,
            &gate,
            &CardText {
                licence: "CC0-1.0".to_owned(),
                ..CardText::default()
            },
        )
        .unwrap();
    [
        "model.safetensors",
        "tokenizer.json",
        "config.json",
        "README.md",
    ]
    .iter()
    .flat_map(|f| fs::read(dir.join(f)).unwrap())
    .collect()
}

#[test]
fn learns_and_writes_a_model_that_loads() {
    let corpus = corpus(600);
    let untrained = Trainer::new(&corpus, options(1))
        .unwrap()
        .run(&mut Silent)
        .unwrap();
    let trained = Trainer::new(&corpus, options(150))
        .unwrap()
        .run(&mut Silent)
        .unwrap();
    let before = accuracy(&untrained.model("before").unwrap(), 150);
    let after = accuracy(&trained.model("after").unwrap(), 150);
    assert!(before < 0.25, "chance is 1/{TOPICS}: {before}");
    assert!(after > 0.9, "{after}");

    let report = trained.report();
    assert!(
        report.sources[0].held_out > 20 && report.sources[0].documents > 500,
        "{report:?}"
    );
    assert!(report.losses.last().unwrap().1 < report.losses[0].1);

    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("model");
    write(&trained, &out);
    let read = StaticModel::load(&out).unwrap();
    assert!(accuracy(&read, 150) > 0.9);
    let text = [document(5, &mut Rng(1)).0.abstract_text];
    let exact = trained
        .model("m")
        .unwrap()
        .embed(&[&text[0]], Role::Query)
        .unwrap();
    let written = read.embed(&[&text[0]], Role::Query).unwrap();
    assert!(exact.row(0).dot(&written.row(0)) > 0.999);
    let card = fs::read_to_string(out.join("README.md")).unwrap();
    assert!(
        card.contains("| made up | CC0 | ") && card.contains("Seed 1, 150 steps"),
        "{card}"
    );
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left beside the model"
    );
    // Writing again replaces it.
    write(&trained, &out);
}

#[test]
fn same_seed_same_bytes_on_any_number_of_threads() {
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let corpus = corpus(300);
            let options = TrainOptions {
                seed,
                ..options(25)
            };
            let trained = Trainer::new(&corpus, options)
                .unwrap()
                .run(&mut Silent)
                .unwrap();
            let dir = tempfile::tempdir().unwrap();
            write(&trained, &dir.path().join("m"))
        })
    };
    let one = run(1, 1);
    assert!(one == run(3, 1), "another number of threads, another model");
    assert!(one == run(2, 1));
    assert!(one != run(2, 2), "another seed, the same model");
}

/// Stops after a number of steps.
struct StopAt(u64, u64);

impl Progress for StopAt {
    fn stage(&mut self, _: Stage, _: u64) {
        self.1 = 0;
    }

    fn advance(&mut self, done: u64, loss: Option<f32>) {
        self.1 = if loss.is_some() { done } else { 0 };
    }

    fn stop(&self) -> bool {
        self.1 >= self.0
    }
}

#[test]
fn a_stopped_training_goes_on_where_it_was() {
    let corpus = corpus(300);
    let dir = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints {
        dir: dir.path().join("state"),
        every: 1000,
    };
    let trainer = |o| {
        Trainer::new(&corpus, o)
            .unwrap()
            .with_checkpoints(checkpoints.clone())
    };
    let stopped = trainer(options(30)).run(&mut StopAt(12, 0));
    assert!(
        matches!(stopped, Err(EmbedError::Stopped { step: 12 })),
        "{stopped:?}"
    );

    let other = trainer(options(31))
        .run(&mut Silent)
        .unwrap_err()
        .to_string();
    assert!(other.contains("other options"), "{other}");

    let state = checkpoints.dir.join("checkpoint.bin");
    let good = fs::read(&state).unwrap();
    let mut bad = good.clone();
    bad[200] ^= 1;
    for damage in [&bad[..], &good[..100], &[]] {
        fs::write(&state, damage).unwrap();
        let refused = trainer(options(30))
            .run(&mut Silent)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("cut short or changed"), "{refused}");
    }
    fs::write(&state, good).unwrap();
    let resumed = trainer(options(30)).run(&mut Silent).unwrap();
    assert!(!state.exists(), "a finished training leaves no state");
    let straight = Trainer::new(&corpus, options(30))
        .unwrap()
        .run(&mut Silent)
        .unwrap();
    let bytes = |t: &Trained, n: &str| write(t, &dir.path().join(n).join("m"));
    fs::create_dir_all(dir.path().join("a")).unwrap();
    fs::create_dir_all(dir.path().join("b")).unwrap();
    assert!(bytes(&resumed, "a") == bytes(&straight, "b"));
}

#[test]
fn adapting_starts_from_a_model_and_keeps_its_vocabulary() {
    let corpus = corpus(400);
    let dir = tempfile::tempdir().unwrap();
    let first = Trainer::new(&corpus, options(150))
        .unwrap()
        .run(&mut Silent)
        .unwrap();
    let start = dir.path().join("first");
    write(&first, &start);
    let on = TrainOptions {
        start: Some(start.clone()),
        pull: 0.5,
        learning_rate: 1e-3,
        ..options(5)
    };
    let adapted = Trainer::new(&corpus, on).unwrap().run(&mut Silent).unwrap();
    let (a, b) = (
        StaticModel::load(&start).unwrap(),
        adapted.model("adapted").unwrap(),
    );
    assert_eq!(a.vocabulary(), b.vocabulary());
    assert!(accuracy(&b, 150) > 0.9, "five steps forget nothing");
    assert_ne!(a.fingerprint(), b.fingerprint());
}

#[test]
fn a_corpus_that_cannot_teach_is_refused() {
    let refused = |documents: Vec<Document>| {
        let source = Documents {
            facts: SourceFacts::default(),
            weight: 1.0,
            gated: true,
            documents,
        };
        let corpus = Corpus {
            sources: vec![Box::new(source)],
            words: Vec::new(),
        };
        let error = Trainer::new(&corpus, options(5))
            .unwrap()
            .run(&mut Silent)
            .unwrap_err();
        assert!(matches!(error, EmbedError::Corpus { .. }), "{error}");
        error.to_string()
    };
    let mut rng = Rng(1);
    let one = document(1, &mut rng).0;
    assert!(refused(vec![]).contains("it has 0 documents"));
    assert!(refused(vec![one.clone(); 20]).contains("at least 64"));
    assert!(refused(vec![one.clone(); 500]).contains("only 1 begin differently"));
    let lonely = |i: usize| Document {
        id: i.to_string(),
        title: format!("{}{i}", one.title),
        ..Document::default()
    };
    let varied: Vec<Document> = (0..300)
        .map(|i| Document {
            title: document(i, &mut rng).0.abstract_text,
            ..lonely(i)
        })
        .collect();
    assert!(refused(varied).contains("no document has two parts"));
    let thai: Vec<Document> = (0..100)
        .map(|i| Document {
            id: i.to_string(),
            title: format!("ภาษา{}", "ไ".repeat(i)),
            ..Document::default()
        })
        .collect();
    assert!(refused(thai).contains("neither Chinese nor Latin"));

    for temperatures in [vec![], vec![0.0], vec![0.1, 2.0], vec![0.1; 3]] {
        let wrong = TrainOptions {
            temperatures,
            ..options(5)
        };
        let error = Trainer::new(&Corpus::default(), wrong)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`temperatures`") && error.contains("0.03 to 1"),
            "{error}"
        );
    }
}

#[test]
fn heads_share_the_columns_and_weigh_the_same() {
    let options = TrainOptions {
        temperatures: vec![0.2, 0.05],
        ..options(60)
    };
    let trained = Trainer::new(&corpus(300), options)
        .unwrap()
        .run(&mut Silent)
        .unwrap();
    let model = trained.quantised("m").unwrap();
    let mut rng = Rng(5);
    let texts: Vec<String> = (0..200)
        .map(|i| document(i, &mut rng).0.abstract_text)
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = model.embed(&texts, Role::Passage).unwrap();
    let length = |columns: std::ops::Range<usize>| -> f32 {
        let rows = vectors.rows().into_iter();
        rows.map(|r| {
            r.iter()
                .skip(columns.start)
                .take(columns.len())
                .map(|x| x * x)
                .sum::<f32>()
                .sqrt()
        })
        .sum()
    };
    let ratio = length(0..16) / length(16..32);
    assert!((0.85..1.18).contains(&ratio), "{ratio}");
}

#[test]
fn documents_of_one_class_come_together() {
    // Every document is in one language; only the class says which English one belongs to which
    // Chinese one, as an outcome says which need met which expert.
    let mut rng = Rng(5);
    let documents: Vec<Document> = (0..800)
        .map(|i| {
            let (d, topic) = document(i / 2, &mut rng);
            let class = format!("topic {topic}");
            if i % 2 == 0 {
                Document {
                    id: format!("zh{i}"),
                    title_en: String::new(),
                    abstract_en: String::new(),
                    keywords_en: Vec::new(),
                    class,
                    ..d
                }
            } else {
                Document {
                    id: format!("en{i}"),
                    title_en: d.title_en,
                    abstract_en: d.abstract_en,
                    class,
                    ..Document::default()
                }
            }
        })
        .collect();
    let source = Documents {
        facts: SourceFacts::default(),
        weight: 1.0,
        gated: false,
        documents,
    };
    let corpus = Corpus {
        sources: vec![Box::new(source)],
        words: Vec::new(),
    };
    let train = |class_share| {
        let options = TrainOptions {
            class_share,
            ..options(150)
        };
        let trained = Trainer::new(&corpus, options)
            .unwrap()
            .run(&mut Silent)
            .unwrap();
        accuracy(&trained.model("m").unwrap(), 150)
    };
    let (without, with) = (train(0.0), train(0.5));
    assert!(with > 0.8 && with > without + 0.4, "{without} {with}");
}
