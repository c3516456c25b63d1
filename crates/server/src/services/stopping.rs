//! A model that stops when its caller has gone: scoring the texts of a large event takes minutes, and nobody
//! should wait for what nobody waits for.

use crate::{app::App, status};
use ndarray::{Array2, s};
use queqiao_engine::{
    Error,
    embed::{EmbedError, Embedder, ModelFingerprint, Role},
    solve::Stop,
};
use std::sync::Arc;
use tonic::{Code, Status};

/// Texts embedded between two looks at the flag.
const AT_ONCE: usize = 32;

struct Stopping {
    inner: Arc<dyn Embedder>,
    stop: Stop,
}

/// The engine's model, until `stop`.
pub(super) fn model(app: &App, stop: &Stop) -> Arc<dyn Embedder> {
    Arc::new(Stopping {
        inner: app.engine.embedder(),
        stop: stop.clone(),
    })
}

/// The status of an error that came from such a model.
pub(super) fn failed(e: Error) -> Status {
    match e {
        Error::Embed(EmbedError::Cancelled) => status::plain(
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            (
                "the deadline passed while the texts were read: give more time, fewer texts, or scores of your own",
                "读取文本时已超过时限：请放宽时限、减少文本，或自行给出分数",
            ),
        ),
        e => status::from_engine(e, &status::nowhere),
    }
}

impl Embedder for Stopping {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        self.inner.fingerprint()
    }

    fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError> {
        let mut out = Array2::zeros((texts.len(), self.dim()));
        for (i, part) in texts.chunks(AT_ONCE).enumerate() {
            if self.stop.now() {
                return Err(EmbedError::Cancelled);
            }
            let rows = self.inner.embed(part, role)?;
            let from = i * AT_ONCE;
            out.slice_mut(s![from..from + part.len(), ..]).assign(&rows);
        }
        Ok(out)
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        self.inner.coverage(text)
    }

    fn embeds_words(&self) -> bool {
        self.inner.embeds_words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queqiao_engine::embed::testing::HashingEmbedder;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// Its caller goes away at the fortieth text.
    struct Watched {
        inner: HashingEmbedder,
        gone: Arc<AtomicBool>,
        seen: AtomicUsize,
    }

    impl Embedder for Watched {
        fn dim(&self) -> usize {
            self.inner.dim()
        }

        fn fingerprint(&self) -> &ModelFingerprint {
            self.inner.fingerprint()
        }

        fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError> {
            if self.seen.fetch_add(texts.len(), Ordering::Relaxed) + texts.len() >= 40 {
                self.gone.store(true, Ordering::Relaxed);
            }
            self.inner.embed(texts, role)
        }

        fn coverage(&self, text: &str) -> Option<f32> {
            self.inner.coverage(text)
        }
    }

    #[test]
    fn a_caller_that_goes_away_costs_one_more_handful_of_texts() {
        let texts: Vec<String> = (0..1_000).map(|i| format!("电池 {i}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let gone = Arc::new(AtomicBool::new(false));
        let watched = Arc::new(Watched {
            inner: HashingEmbedder::new(16, 1),
            gone: Arc::clone(&gone),
            seen: AtomicUsize::new(0),
        });
        let stopping = |flag: &Arc<AtomicBool>| Stopping {
            inner: watched.clone(),
            stop: Stop::never().or_when(Arc::clone(flag)),
        };
        let e = stopping(&gone).embed(&texts, Role::Passage).unwrap_err();
        assert!(matches!(e, EmbedError::Cancelled), "{e}");
        assert_eq!(watched.seen.load(Ordering::Relaxed), 2 * AT_ONCE);
        // Whom nobody stops gets what the model says.
        let never = Arc::new(AtomicBool::new(false));
        let rows = stopping(&never).embed(&texts, Role::Passage).unwrap();
        assert_eq!(rows, watched.inner.embed(&texts, Role::Passage).unwrap());
    }
}
