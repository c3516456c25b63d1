//! What every service shares: the engine, the settings, and the threads that do the work.

use crate::{audit::Trail, config::ValidConfig, memory::Memory, metrics::Metrics, status};
use prometheus_client::metrics::gauge::Gauge;
use queqiao_domain::Date;
use queqiao_engine::{Engine, solve::Stop};
use std::{
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

/// Writes wait for the disk and for each other: few at a time, so that they never take the threads
/// that matches need.
const WRITERS: usize = 4;

/// Time kept for writing an answer, where a tenth of the time given is more.
const ANSWERING: Duration = Duration::from_secs(2);

/// Raises its flag when the request it belongs to is dropped: the caller went away or its deadline
/// passed.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts a request that waits, until it is dropped: also when its caller goes away meanwhile.
struct Waiting(Gauge);

impl Waiting {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Waiting(gauge.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// When a request must be answered. Put into every request by the gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Option<Instant>);

tokio::task_local! {
    /// Until when the request in work may wait for a thread. Set by the gateway to half of its time: who
    /// would hardly be answered in time is told while there is time to ask elsewhere, and costs nothing.
    pub(crate) static WAITS_UNTIL: Option<Instant>;
}

/// The shared state. Every engine call runs on a blocking thread, and at most
/// [`ServerConfig::workers`](crate::ServerConfig::workers) readers and [`WRITERS`] writers at one
/// time; the others wait without a thread.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) config: ValidConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) trail: Option<Arc<Trail>>,
    pub(crate) memory: Memory,
    /// One backup at a time.
    pub(crate) backups: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    writers: Arc<Semaphore>,
    planners: Arc<Semaphore>,
    updates: RwLock<()>,
}

impl App {
    /// What page tokens are made with.
    pub(crate) fn page_key(&self) -> [u8; 32] {
        self.engine.store().derived_key("page tokens")
    }

    pub(crate) fn new(
        engine: Arc<Engine>,
        config: ValidConfig,
        metrics: Arc<Metrics>,
        trail: Option<Arc<Trail>>,
    ) -> Self {
        let memory = Memory::new(config.memory_budget_mib);
        let budget = i64::try_from(memory.budget()).unwrap_or(i64::MAX);
        metrics.memory_budget.set(budget);
        App {
            metrics,
            memory,
            trail,
            backups: Arc::new(Semaphore::new(1)),
            readers: Arc::new(Semaphore::new(config.workers)),
            writers: Arc::new(Semaphore::new(WRITERS)),
            planners: Arc::new(Semaphore::new((config.workers / 4).max(1))),
            updates: RwLock::new(()),
            engine,
            config,
        }
    }

    /// Runs a match or a read.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        self.run(&self.readers, work).await
    }

    /// Runs a write.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        self.run(&self.writers, work).await
    }

    /// Runs a plan, which may take long: few at a time, so that matches never wait for them. `stop`
    /// says so a little before the deadline, so that the best plan by then is answered, and as soon
    /// as the caller is gone.
    pub(crate) async fn plan<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Option<Instant>,
        work: impl FnOnce(&App, &Stop) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let gone = Gone(Arc::new(AtomicBool::new(false)));
        let now = Instant::now();
        let early = deadline.map(|d| {
            let left = d.saturating_duration_since(now);
            d.checked_sub((left / 10).min(ANSWERING)).unwrap_or(d)
        });
        let stop = Stop::at(early).or_when(Arc::clone(&gone.0));
        self.run(&self.planners, move |app| work(app, &stop)).await
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        slots: &Arc<Semaphore>,
        work: impl FnOnce(&App) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        // A caller that gives up here, by its deadline, has cost nothing.
        let waiting = Waiting::new(&self.metrics.waiting);
        let acquired = Arc::clone(slots).acquire_owned();
        let slot = match WAITS_UNTIL.try_with(|until| *until).ok().flatten() {
            Some(until) => tokio::time::timeout_at(until.into(), acquired)
                .await
                .map_err(|_| {
                    status::retry(
                        "OVERLOADED",
                        (
                            "half of the request's time went by before a thread was free",
                            "请求时限已过半，仍无空闲线程",
                        ),
                    )
                })?,
            None => acquired.await,
        };
        drop(waiting);
        let slot = slot.map_err(|_| {
            status::retry(
                "SHUTTING_DOWN",
                ("the server is shutting down", "服务正在停止"),
            )
        })?;
        let app = Arc::clone(self);
        let span = tracing::Span::current();
        // Work that was begun goes on when its caller is gone; the slot is held until it ends.
        let done = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            span.in_scope(|| work(&app))
        });
        done.await.unwrap_or_else(|e| {
            tracing::error!(panicked = e.is_panic(), "a request's work was broken off");
            Err(status::internal("PANIC"))
        })
    }

    /// Held by a write that replaces what is there.
    pub(crate) fn replacing(&self) -> RwLockReadGuard<'_, ()> {
        self.updates.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by a write that depends on what it read: no other write comes between the two.
    pub(crate) fn updating(&self) -> RwLockWriteGuard<'_, ()> {
        self.updates.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer, unless it is larger than the server may send.
    pub(crate) fn answer<M: prost::Message>(&self, message: M) -> Result<Response<M>, Status> {
        let (size, limit) = (message.encoded_len(), self.config.max_response_bytes);
        if size > limit {
            return Err(status::too_large(
                "RESPONSE_TOO_LARGE",
                (
                    format!(
                        "the answer has {size} bytes and the server sends at most {limit}: ask for a smaller page, a smaller k or fewer questions"
                    ),
                    format!(
                        "应答有 {size} 字节，服务至多发送 {limit} 字节：请减小页长、k 或问题数"
                    ),
                ),
                limit,
            ));
        }
        Ok(Response::new(message))
    }
}

/// When the request must be answered.
pub(crate) fn deadline<T>(request: &Request<T>) -> Option<Instant> {
    request.extensions().get::<Deadline>().and_then(|d| d.0)
}

/// The day in Asia/Shanghai, which has kept UTC+8 without daylight saving since 1991.
pub(crate) fn today() -> Date {
    jiff::tz::Offset::constant(8)
        .to_datetime(jiff::Timestamp::now())
        .date()
}
