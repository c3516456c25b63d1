//! A model behind an HTTP endpoint of OpenAI's form (`/v1/embeddings`: TEI, vLLM, Ollama, Qwen's
//! services speak it).

use crate::{EmbedError, Embedder, ModelFingerprint, Role, embedder::l2_normalise};
use ndarray::Array2;
use serde::Deserialize;
use serde_json::json;
use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// An answer longer than this is not read: 2,048 vectors of 4,096 numbers take less.
const MAX_ANSWER: u64 = 256 << 20;
/// The text that tells the number of columns when it is not given.
const PROBE: &str = "鹊桥 bridge";

/// Where the model is and how patient the caller is. Nothing here is printed but the address and
/// the model's name.
#[derive(Clone)]
pub struct RemoteOptions {
    /// Address up to and without `/embeddings`, such as `http://localhost:8080/v1`.
    pub url: String,
    /// The model's name at the endpoint.
    pub model: String,
    /// Told apart in the fingerprint: change it when the endpoint changes the weights behind the
    /// name, and every index is built anew.
    pub revision: String,
    /// Bearer token.
    pub api_key: Option<String>,
    /// Columns of the vectors; asked of the endpoint when absent.
    pub dim: Option<usize>,
    /// Goes before every text that asks (`query: ` for e5).
    pub query_prefix: String,
    /// Goes before every text that is looked through.
    pub passage_prefix: String,
    /// Texts a request, 1 to 2,048.
    pub batch: usize,
    /// Requests at a time, 1 to 64.
    pub parallel: usize,
    /// Time for one request, with its retries.
    pub timeout: Duration,
    /// Times a request is repeated after a failure that may pass (no connection, 429, 5xx).
    pub retries: u32,
    /// After so many failed requests in a row the endpoint is left alone …
    pub breaker_failures: u32,
    /// … for so long; calls fail at once meanwhile.
    pub breaker_pause: Duration,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        RemoteOptions {
            url: String::new(),
            model: String::new(),
            revision: String::new(),
            api_key: None,
            dim: None,
            query_prefix: String::new(),
            passage_prefix: String::new(),
            batch: 64,
            parallel: 4,
            timeout: Duration::from_secs(30),
            retries: 3,
            breaker_failures: 5,
            breaker_pause: Duration::from_secs(30),
        }
    }
}

/// A model behind an endpoint.
///
/// Every row is checked: as many numbers as the first answer had, all finite. A call gives all its
/// rows or an error; the caller decides what to do without the model.
pub struct RemoteModel {
    options: RemoteOptions,
    endpoint: String,
    agent: ureq::Agent,
    dim: usize,
    fingerprint: ModelFingerprint,
    breaker: Mutex<Breaker>,
}

impl fmt::Debug for RemoteModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteModel")
            .field("endpoint", &self.endpoint)
            .field("fingerprint", &self.fingerprint)
            .field("dim", &self.dim)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Why a request failed, and whether it may go better next time.
struct Failed {
    reason: String,
    passing: bool,
    wait: Option<Duration>,
}

impl RemoteModel {
    /// Checks the options and, when the number of columns is not given, asks the endpoint.
    ///
    /// # Errors
    /// [`EmbedError::Option`] for an option out of its range; [`EmbedError::Endpoint`] when the
    /// endpoint does not answer.
    pub fn connect(options: RemoteOptions) -> Result<Self, EmbedError> {
        check(&options)?;
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(options.timeout.min(Duration::from_secs(10))))
            .max_redirects(0)
            .build()
            .into();
        let mut this = RemoteModel {
            endpoint: format!("{}/embeddings", options.url.trim_end_matches('/')),
            agent,
            dim: options.dim.unwrap_or(0),
            fingerprint: ModelFingerprint::of_parts(options.model.clone(), []),
            breaker: Mutex::default(),
            options,
        };
        if this.dim == 0 {
            let rows = this.request(&[PROBE.to_owned()])?;
            this.dim = rows.first().map_or(0, Vec::len);
        }
        let o = &this.options;
        this.fingerprint = ModelFingerprint::of_parts(
            o.model.clone(),
            [
                ("remote", o.model.as_bytes()),
                ("revision", o.revision.as_bytes()),
                ("query", o.query_prefix.as_bytes()),
                ("passage", o.passage_prefix.as_bytes()),
                ("dim", &(this.dim as u64).to_le_bytes()),
            ],
        );
        Ok(this)
    }

    fn error(&self, reason: impl Into<String>) -> EmbedError {
        EmbedError::Endpoint {
            endpoint: self.endpoint.clone(),
            model: self.options.model.clone(),
            reason: reason.into(),
        }
    }

    /// One request with its retries; a row a text.
    fn request(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.admit()?;
        let deadline = Instant::now() + self.options.timeout;
        let mut attempt = 0;
        let outcome = loop {
            match self.once(texts, deadline) {
                Ok(rows) => break Ok(rows),
                Err(f) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    // 100 ms, 200 ms, 400 ms …, or as the endpoint says.
                    let pause = f
                        .wait
                        .unwrap_or(Duration::from_millis(100 << attempt.min(10)));
                    if !f.passing || attempt >= self.options.retries || pause >= left {
                        break Err(f.reason);
                    }
                    tracing::debug!(endpoint = %self.endpoint, attempt, "{}", f.reason);
                    attempt += 1;
                    std::thread::sleep(pause);
                }
            }
        };
        let mut breaker = self.breaker.lock().unwrap_or_else(|e| e.into_inner());
        match outcome {
            Ok(rows) => {
                *breaker = Breaker::default();
                Ok(rows)
            }
            Err(reason) => {
                breaker.failures += 1;
                if breaker.failures >= self.options.breaker_failures {
                    breaker.open_until = Some(Instant::now() + self.options.breaker_pause);
                    tracing::warn!(endpoint = %self.endpoint, failures = breaker.failures, "left alone for a while: {reason}");
                }
                Err(self.error(reason))
            }
        }
    }

    /// Refuses while the endpoint is left alone. When the pause is over one caller tries, the
    /// others go on being refused until it is back.
    fn admit(&self) -> Result<(), EmbedError> {
        let mut breaker = self.breaker.lock().unwrap_or_else(|e| e.into_inner());
        let now = Instant::now();
        match breaker.open_until {
            Some(until) if until > now => Err(self.error(format!(
                "it failed {} times in a row and is left alone for another {} s",
                breaker.failures,
                (until - now).as_secs() + 1
            ))),
            Some(_) => {
                breaker.open_until = Some(now + self.options.breaker_pause);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn once(&self, texts: &[String], deadline: Instant) -> Result<Vec<Vec<f32>>, Failed> {
        let passing = |reason: String| Failed {
            reason,
            passing: true,
            wait: None,
        };
        let lasting = |reason: String| Failed {
            reason,
            passing: false,
            wait: None,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let mut call = self
            .agent
            .post(&self.endpoint)
            .config()
            .timeout_global(Some(left.max(Duration::from_millis(1))))
            .build()
            .header("accept", "application/json");
        if let Some(key) = &self.options.api_key {
            call = call.header("authorization", format!("Bearer {key}"));
        }
        let body = json!({"model": self.options.model, "input": texts, "encoding_format": "float"});
        let mut response = call
            .send_json(&body)
            .map_err(|e| passing(format!("it cannot be reached: {e}")))?;
        let status = response.status().as_u16();
        if status != 200 {
            let wait = response
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs);
            let told = response
                .body_mut()
                .with_config()
                .limit(64 << 10)
                .read_to_string()
                .unwrap_or_default();
            let told: String = told.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(Failed {
                reason: format!("it answers with status {status}: {told}"),
                passing: status == 408 || status == 429 || status >= 500,
                wait,
            });
        }
        let answer: Answer = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_json()
            .map_err(|e| match e {
                ureq::Error::Json(e) => lasting(format!(
                    "its answer is not of the form {{\"data\": [{{\"index\", \"embedding\"}}]}}: {e}"
                )),
                other => passing(format!("its answer breaks off: {other}")),
            })?;
        self.rows(answer, texts.len()).map_err(lasting)
    }

    /// The rows in the order of the texts, checked.
    fn rows(&self, answer: Answer, expected: usize) -> Result<Vec<Vec<f32>>, String> {
        let got = answer.data.len();
        if got != expected {
            return Err(format!("it answers {expected} texts with {got} vectors"));
        }
        let mut rows: Vec<Option<Vec<f32>>> = vec![None; expected];
        for (place, row) in answer.data.into_iter().enumerate() {
            let at = row.index.unwrap_or(place);
            let dim = if self.dim == 0 {
                row.embedding.len()
            } else {
                self.dim
            };
            if row.embedding.len() != dim || dim == 0 {
                return Err(format!(
                    "it answers with {} numbers a vector where it gave {dim} before; has its model changed?",
                    row.embedding.len()
                ));
            }
            if row.embedding.iter().any(|x| !x.is_finite()) {
                return Err("a vector holds NaN or infinity".to_owned());
            }
            match rows.get_mut(at) {
                Some(slot @ None) => *slot = Some(row.embedding),
                _ => return Err(format!("it answers index {at} twice, or out of range")),
            }
        }
        Ok(rows.into_iter().flatten().collect())
    }
}

impl Embedder for RemoteModel {
    fn dim(&self) -> usize {
        self.dim
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn embed(&self, texts: &[&str], role: Role) -> Result<Array2<f32>, EmbedError> {
        let prefix = match role {
            Role::Query => &self.options.query_prefix,
            Role::Passage => &self.options.passage_prefix,
        };
        // Endpoints refuse an empty text, and it says nothing anyway.
        let asked: Vec<usize> = (0..texts.len())
            .filter(|&i| !texts[i].trim().is_empty())
            .collect();
        let batches: Vec<&[usize]> = asked.chunks(self.options.batch).collect();
        let next = AtomicUsize::new(0);
        let worker = || -> Result<Vec<(usize, Vec<f32>)>, EmbedError> {
            let mut out = Vec::new();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let texts: Vec<String> = batch
                    .iter()
                    .map(|&i| format!("{prefix}{}", texts[i]))
                    .collect();
                let rows = self.request(&texts).inspect_err(|_| {
                    // The others need not go on.
                    next.store(batches.len(), Ordering::Relaxed);
                })?;
                out.extend(batch.iter().copied().zip(rows));
            }
            Ok(out)
        };
        let workers = self.options.parallel.min(batches.len());
        let parts: Vec<Result<Vec<Placed>, EmbedError>> = if workers <= 1 {
            vec![worker()]
        } else {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
                threads
                    .into_iter()
                    .map(|t| {
                        t.join()
                            .unwrap_or_else(|_| Err(self.error("the request was given up")))
                    })
                    .collect()
            })
        };
        let mut out = Array2::zeros((texts.len(), self.dim));
        for part in parts {
            for (text, mut row) in part? {
                l2_normalise(&mut row);
                out.row_mut(text)
                    .iter_mut()
                    .zip(row)
                    .for_each(|(o, x)| *o = x);
            }
        }
        Ok(out)
    }

    fn coverage(&self, _text: &str) -> Option<f32> {
        None
    }
}

/// A text's place among those asked for, and its vector.
type Placed = (usize, Vec<f32>);

fn check(o: &RemoteOptions) -> Result<(), EmbedError> {
    let checks = [
        (
            "url",
            o.url.starts_with("http://") || o.url.starts_with("https://"),
            "accepts http://… or https://…, such as http://localhost:8080/v1",
        ),
        (
            "model",
            !o.model.trim().is_empty(),
            "accepts the model's name at the endpoint",
        ),
        (
            "dim",
            o.dim.is_none_or(|d| (1..=65_536).contains(&d)),
            "accepts 1 to 65536",
        ),
        ("batch", (1..=2_048).contains(&o.batch), "accepts 1 to 2048"),
        (
            "parallel",
            (1..=64).contains(&o.parallel),
            "accepts 1 to 64",
        ),
        ("timeout", !o.timeout.is_zero(), "accepts more than 0"),
        ("retries", o.retries <= 20, "accepts 0 to 20"),
        (
            "breaker_failures",
            o.breaker_failures > 0,
            "accepts 1 or more",
        ),
        (
            "api_key",
            o.api_key
                .as_ref()
                .is_none_or(|k| k.bytes().all(|b| b.is_ascii_graphic())),
            "accepts visible ASCII characters",
        ),
    ];
    match checks.into_iter().find(|(_, ok, _)| !ok) {
        None => Ok(()),
        Some((option, _, reason)) => Err(EmbedError::Option {
            option,
            reason: reason.to_owned(),
        }),
    }
}
