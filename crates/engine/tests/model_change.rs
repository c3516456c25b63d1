//! Another model for a running engine: beside the old one, swapped at once, never mixed.
#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use queqiao_domain::{Date, TenantId};
use queqiao_engine::{
    Ask, Engine, EngineOptions, Error, Match, MatchRequest, MatchResponse, Write, WriteBatch,
    embed::{EmbedError, Embedder, ModelFingerprint, Role, testing::HashingEmbedder},
};
use queqiao_testkit::{expert, id};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

const TODAY: Date = Date::constant(2026, 11, 23);

fn put(n: usize) -> WriteBatch {
    let about = format!("第{n}号课题的耐腐蚀涂层");
    let record = expert(&format!("E{n}"), "张甲", &[&about], &[]);
    WriteBatch {
        writes: vec![Write::put(record)],
        request_id: None,
    }
}

fn ask(text: &str) -> MatchRequest {
    let mut request = MatchRequest::new(Ask::Text(text.into()), TODAY);
    request.k = 1_000;
    request
}

fn told(answer: &MatchResponse) -> Vec<(String, f64)> {
    let pair = |m: &Match| (m.id.to_string(), m.score.get());
    answer.matches.iter().map(pair).collect()
}

#[test]
fn the_model_changes_under_load_and_no_answer_mixes_two() {
    let dir = tempfile::tempdir().unwrap();
    let t = TenantId::default();
    let models: Vec<Arc<dyn Embedder>> = [32, 48, 64]
        .map(|dim| Arc::new(HashingEmbedder::new(dim, 7)) as Arc<dyn Embedder>)
        .into();
    let engine =
        Engine::open(dir.path(), Arc::clone(&models[0]), EngineOptions::default()).unwrap();
    engine.write(&t, put(0)).unwrap();

    let (done, written) = (AtomicBool::new(false), AtomicUsize::new(1));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let n = written.load(Ordering::Relaxed);
                engine.write(&t, put(n)).unwrap();
                written.store(n + 1, Ordering::Release);
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let least = written.load(Ordering::Acquire);
                let answer = engine.find_matches(&t, &ask("海水里的耐腐蚀涂层")).unwrap();
                // A cosine of vectors of two models cannot be taken: their columns differ.
                assert!(answer.matches.len() >= least.min(1_000), "a write was lost");
            }
        });
        for round in 0..6 {
            let model = &models[(round + 1) % 3];
            engine.change_model(Arc::clone(model)).unwrap();
            assert_eq!(engine.model(), *model.fingerprint());
            let answer = engine.find_matches(&t, &ask("涂层")).unwrap();
            assert_eq!(answer.model, model.fingerprint().to_string());
        }
        done.store(true, Ordering::Relaxed);
    });
    let s = engine.statistics(&t, TODAY).unwrap();
    assert_eq!(s.index_seq, s.store_seq);

    // What the changes left is what a fresh index of that model answers.
    let question = ask("第3号课题的耐腐蚀涂层");
    let lived = engine.find_matches(&t, &question).unwrap();
    drop(engine);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let fresh = Engine::open(dir.path(), Arc::clone(&models[0]), EngineOptions::default()).unwrap();
    let fresh = fresh.find_matches(&t, &question).unwrap();
    assert_eq!(told(&lived), told(&fresh));
}

/// A model that fails after so many texts.
struct Failing {
    inner: HashingEmbedder,
    left: AtomicUsize,
}

impl Embedder for Failing {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        self.inner.fingerprint()
    }

    fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError> {
        let take = |left: usize| left.checked_sub(texts.len());
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            Ok(_) => self.inner.embed(texts, role),
            Err(_) => Err(EmbedError::Option {
                option: "test",
                reason: "the model broke".to_owned(),
            }),
        }
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        self.inner.coverage(text)
    }
}

#[test]
fn a_model_that_breaks_half_way_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let t = TenantId::default();
    let old = Arc::new(HashingEmbedder::new(32, 7));
    let engine = Engine::open(dir.path(), old.clone(), EngineOptions::default()).unwrap();
    for n in 0..50 {
        engine.write(&t, put(n)).unwrap();
    }
    let before = engine.find_matches(&t, &ask("涂层")).unwrap();
    let broken = Failing {
        inner: HashingEmbedder::new(48, 7),
        left: AtomicUsize::new(20),
    };
    let error = engine.change_model(Arc::new(broken)).unwrap_err();
    assert!(matches!(error, Error::Embed(_)), "{error}");
    assert_eq!(engine.model(), *old.fingerprint());
    let after = engine.find_matches(&t, &ask("涂层")).unwrap();
    assert_eq!(told(&before), told(&after));
    assert_eq!(before.model, after.model);
    engine.write(&t, put(50)).unwrap();
    assert!(engine.get(&t, None, &id("E50"), false).is_ok());

    // And asked again with a whole one, it changes.
    let whole = HashingEmbedder::new(48, 7);
    engine.change_model(Arc::new(whole.clone())).unwrap();
    assert_eq!(engine.model(), *whole.fingerprint());
}
