//! What stands around every request: who may, how often, and what is written down of it.

use crate::{
    access::{Caller, Context as Call, Gate, methods},
    audit::{Event, Trail},
    metrics::{self, Metrics},
    quota::Quota,
    status,
};
use governor::{DefaultDirectRateLimiter, Quota as Rate, RateLimiter};
use std::{
    net::SocketAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tonic::{Code, body::Body};

/// Refusals of strangers that the audit trail takes a second: the rest is only counted, so that nobody
/// fills the disk by knocking.
const STRANGERS: NonZeroU32 = NonZeroU32::new(20).expect("20 is not zero");

/// Slow requests that the log tells of a second: a server that is overloaded has more to do than to say so. The rest
/// is counted.
const SLOW_LINES: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");

/// Where a request came from. Put into every request by its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Gate, quota, figures, audit trail.
pub(crate) struct Guards {
    pub(crate) gate: Arc<Gate>,
    pub(crate) quota: Quota,
    pub(crate) metrics: Arc<Metrics>,
    trail: Option<Arc<Trail>>,
    slow: Duration,
    strangers: DefaultDirectRateLimiter,
    slow_lines: DefaultDirectRateLimiter,
    /// Slow requests that the log did not tell of since it last told of one.
    slow_untold: AtomicU64,
}

impl Guards {
    pub(crate) fn new(
        gate: Arc<Gate>,
        quota: Quota,
        metrics: Arc<Metrics>,
        trail: Option<Arc<Trail>>,
        slow: Duration,
    ) -> Self {
        Guards {
            gate,
            quota,
            metrics,
            trail,
            slow,
            strangers: RateLimiter::direct(Rate::per_second(STRANGERS)),
            slow_lines: RateLimiter::direct(Rate::per_second(SLOW_LINES)),
            slow_untold: AtomicU64::new(0),
        }
    }

    /// Begins to watch a request.
    pub(crate) fn watch(self: &Arc<Self>, request: &http::Request<Body>, id: &str) -> Watched {
        self.metrics.in_flight.inc();
        let path = request.uri().path();
        Watched {
            guards: Arc::clone(self),
            method: metrics::label(path),
            need: methods::need(path),
            action: path.trim_start_matches('/').chars().take(100).collect(),
            id: id.to_owned(),
            peer: request.extensions().get::<Peer>().map(|p| p.0),
            started: Instant::now(),
            call: None,
            code: Code::Cancelled,
        }
    }
}

/// A request that is watched until it is answered or its caller goes away. Dropping it writes down what
/// became of it: a caller that hangs up in mid-write leaves its trace, too.
pub(crate) struct Watched {
    guards: Arc<Guards>,
    method: &'static str,
    need: Option<methods::Need>,
    action: String,
    id: String,
    peer: Option<SocketAddr>,
    started: Instant,
    call: Option<Call>,
    code: Code,
}

impl Watched {
    pub(crate) fn called_by(&mut self, call: Call) {
        tracing::Span::current().record("subject", call.caller().subject.as_str());
        {
            let mut noted = call.noted();
            noted.peer = self.peer.map(|p| p.to_string());
            noted.request_id = Some(self.id.clone());
        }
        self.call = Some(call);
    }

    pub(crate) fn answered(&mut self, code: Code) {
        self.code = code;
    }

    /// Whether the audit trail takes it.
    fn is_of_note(&self, trail: &Trail) -> bool {
        if self.call.as_ref().is_some_and(|c| c.noted().written_down) {
            return false;
        }
        match self.code {
            Code::Unauthenticated => self.guards.strangers.check().is_ok(),
            Code::PermissionDenied => true,
            _ => match self.need {
                Some(need) if need.is_of_note() => true,
                Some(methods::Need::Nothing) | None => false,
                Some(_) => trail.wants_reads(),
            },
        }
    }

    fn event(&self) -> Event {
        let call = self.call.clone();
        let call = call.unwrap_or_else(|| Call::new(Caller::anyone()));
        Event {
            action: self.action.clone(),
            result: status::code_name(self.code).to_owned(),
            ..call.event()
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let slow = took >= self.guards.slow;
        let ms = took.as_secs_f64() * 1_000.0;
        let metrics = &self.guards.metrics;
        metrics.in_flight.dec();
        metrics.answered(self.method, self.code, took, slow);
        let noted = self.call.as_ref().map(|c| c.noted().clone());
        let noted = noted.unwrap_or_default();
        let match_id = noted.match_id.as_deref();
        if slow {
            let untold = &self.guards.slow_untold;
            if self.guards.slow_lines.check().is_ok() {
                let plan = noted.plan.as_deref();
                let untold = Some(untold.swap(0, Ordering::Relaxed)).filter(|n| *n > 0);
                tracing::warn!(code = ?self.code, ms, match_id, plan, untold, "slow request");
            } else {
                untold.fetch_add(1, Ordering::Relaxed);
            }
        }
        tracing::info!(code = ?self.code, ms, match_id, "request");
        if let Some(trail) = &self.guards.trail
            && self.is_of_note(trail)
        {
            note(trail, metrics, self.event(), false);
        }
    }
}

/// Adds to the audit trail; a trail that cannot be written is told in the log and the figures.
pub(crate) fn note(trail: &Trail, metrics: &Metrics, event: Event, durable: bool) {
    match trail.add(event, durable) {
        Ok(()) => {
            metrics.audit_entries.inc();
        }
        Err(e) => {
            metrics.audit_failures.inc();
            tracing::error!("the audit trail cannot be written: {}", e.message());
        }
    }
}
