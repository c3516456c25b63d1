//! Figures for Prometheus: rate, errors and duration of each method, and the state of the data.
//!
//! No label holds a tenant, a key or a text: whoever sees the figures learns nothing of whose records
//! there are. Methods are those of the table, so the number of series is bounded.

use crate::{
    access::methods::METHODS,
    app::{App, today},
    status,
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    fmt,
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime},
};
use tonic::Code;

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Float = Gauge<f64, AtomicU64>;

/// The format that [`Metrics::encode`] writes.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Seconds: a match of a small store takes one ms, a plan up to minutes.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0,
];
/// A path that is none of the table's.
const OTHER: &str = "other";

/// All figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels<2>, Counter>,
    durations: Family<Labels<1>, Histogram>,
    slow: Family<Labels<1>, Counter>,
    pub(crate) in_flight: Gauge,
    pub(crate) waiting: Gauge,
    /// Durable commits of the store: from the first change to the end of the flush.
    pub(crate) commits: Histogram,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
    pub(crate) memory_held: Gauge,
    pub(crate) memory_budget: Gauge,
    pub(crate) handshakes_failed: Counter,
    pub(crate) audit_entries: Counter,
    pub(crate) audit_failures: Counter,
    scraped: Scraped,
}

/// What is looked up when somebody asks.
struct Scraped {
    serving: Gauge,
    records: Family<Labels<1>, Gauge>,
    passages: Gauge,
    pending_passages: Gauge,
    indexing: Gauge,
    recall: Float,
    recall_questions: Gauge,
    store_bytes: Gauge,
    certificate: Float,
    memory: Gauge,
    files: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// The method's name as a label.
pub(crate) fn label(path: &str) -> &'static str {
    let (service, method) = path
        .strip_prefix('/')
        .and_then(|p| p.split_once('/'))
        .unwrap_or_default();
    METHODS
        .iter()
        .find(|(s, m, _)| *s == service && *m == method)
        .map_or(OTHER, |(_, m, _)| *m)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut root = Registry::default();
        let r = root.sub_registry_with_prefix("queqiao");
        let requests = Family::default();
        r.register(
            "requests",
            "Requests answered, by method and gRPC code",
            requests.clone(),
        );
        let durations: Family<Labels<1>, Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        r.register_with_unit(
            "request_duration",
            "Time from a request to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        let commits = Histogram::new(BUCKETS);
        r.register_with_unit(
            "store_commit",
            "Time that the store took to make a batch durable, the disk's flush included",
            Unit::Seconds,
            commits.clone(),
        );
        macro_rules! made {
            ($name:expr, $help:expr) => {{
                let metric = Default::default();
                r.register($name, $help, Clone::clone(&metric));
                metric
            }};
        }
        let this = Metrics {
            requests,
            durations,
            slow: made!(
                "slow_requests",
                "Requests that took longer than slow_request_ms"
            ),
            in_flight: made!("requests_in_flight", "Requests in work"),
            waiting: made!(
                "requests_waiting",
                "Requests that wait for a thread: readers, writers and planners together"
            ),
            commits,
            connections: made!("connections", "Open connections"),
            connections_refused: made!(
                "connections_refused",
                "Connections closed because max_connections were open"
            ),
            memory_held: made!(
                "memory_held_bytes",
                "Memory of the process, pages of mapped files left out: what the budget is of"
            ),
            memory_budget: made!(
                "memory_budget_bytes",
                "Memory that the process may hold before no more records are taken"
            ),
            handshakes_failed: made!("handshakes_failed", "TLS handshakes that failed"),
            audit_entries: made!("audit_entries", "Lines added to the audit trail"),
            audit_failures: made!(
                "audit_failures",
                "Lines that could not be added to the audit trail"
            ),
            scraped: Scraped {
                serving: made!("serving", "1 when matches are answered in full, else 0"),
                records: made!("records", "Live records of all tenants, by kind"),
                passages: made!("passages", "Passages in the indexes of all tenants"),
                pending_passages: made!(
                    "pending_passages",
                    "Passages that no graph holds yet, of all tenants"
                ),
                indexing: made!(
                    "indexing",
                    "Tenants for which graphs are being built or terms committed"
                ),
                recall: made!(
                    "recall_at_10",
                    "Share of the ten nearest records that graphs found, of the questions sampled since the start; 1 before the first"
                ),
                recall_questions: made!("recall_questions", "Questions sampled for recall_at_10"),
                store_bytes: made!("store_bytes", "Size of the store's file"),
                certificate: made!(
                    "certificate_expiry_timestamp_seconds",
                    "When the server's certificate ends; 0 without TLS"
                ),
                memory: Gauge::default(),
                files: Gauge::default(),
            },
            registry: Registry::default(),
        };
        let info = [("version", env!("CARGO_PKG_VERSION"))];
        let build: Family<Labels<1>, Gauge> = made!("build", "1, with the version as a label");
        build.get_or_create(&info).set(1);
        root.register(
            "process_resident_memory_bytes",
            "Memory of the process that is in RAM",
            this.scraped.memory.clone(),
        );
        root.register(
            "process_open_fds",
            "Open file descriptors",
            this.scraped.files.clone(),
        );
        let started = Float::default();
        started.set(since_epoch(SystemTime::now()));
        root.register(
            "process_start_time_seconds",
            "When the process started, since 1970",
            started,
        );
        Metrics {
            registry: root,
            ..this
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, code: Code, took: Duration, slow: bool) {
        let requests = [("method", method), ("code", status::code_name(code))];
        self.requests.get_or_create(&requests).inc();
        let method = [("method", method)];
        self.durations
            .get_or_create(&method)
            .observe(took.as_secs_f64());
        if slow {
            self.slow.get_or_create(&method).inc();
        }
    }

    /// Looks up the state of the data, and writes everything down. Reads counters and file sizes: a few
    /// ms, whatever the number of records.
    pub(crate) fn encode(&self, app: &App, certificate: Option<jiff::Timestamp>) -> String {
        let s = &self.scraped;
        let engine = &app.engine;
        s.serving.set(i64::from(engine.health().is_ok()));
        let (mut passages, mut pending, mut indexing) = (0, 0, 0);
        let (mut asked, mut found, mut of) = (0, 0, 0);
        let mut records = std::collections::BTreeMap::new();
        for tenant in engine.store().tenants().unwrap_or_default() {
            let Ok(t) = engine.statistics(&tenant, today()) else {
                continue;
            };
            passages += t.passages;
            pending += t.pending_passages;
            indexing += i64::from(t.indexing);
            let canary = engine.canary(&tenant);
            asked += canary.questions;
            found += canary.found;
            of += canary.of;
            for (kind, n) in t.records {
                *records.entry(kind.as_str()).or_insert(0) += n;
            }
        }
        for (kind, n) in records {
            s.records.get_or_create(&[("kind", kind)]).set(whole(n));
        }
        s.passages.set(whole(passages));
        s.pending_passages.set(whole(pending));
        s.indexing.set(indexing);
        s.recall_questions.set(whole(asked));
        s.recall.set(if of == 0 {
            1.0
        } else {
            found as f64 / of as f64
        });
        s.store_bytes
            .set(whole(engine.store().size_bytes().unwrap_or(0)));
        s.certificate
            .set(certificate.map_or(0.0, |t| t.as_second() as f64));
        self.memory_held
            .set(whole(crate::memory::anonymous().unwrap_or(0)));
        let (memory, files) = process();
        s.memory.set(whole(memory));
        s.files.set(whole(files));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

fn whole(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

fn since_epoch(t: SystemTime) -> f64 {
    t.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |d| d.as_secs_f64())
}

/// Resident bytes and open files, where the system tells them (Linux); else 0.
fn process() -> (u64, usize) {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|t| t.split(' ').nth(1)?.parse::<u64>().ok());
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    // 4 KiB on the machines Linux runs this on; where pages are larger the figure is too small.
    (pages.unwrap_or(0) * 4_096, files)
}
