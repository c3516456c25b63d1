//! Connections: accepted up to a cap, watched, drained, cut.
//!
//! tonic's own loop leaves a connection that never speaks open for ever and waits without end for
//! the last one at shutdown. Here every connection has a place under a cap, a time to begin, a time
//! to be idle, and a deadline once the server drains.

mod stream;

use crate::{config::ValidConfig, guards::Peer, metrics::Metrics, tls::Tls};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use stream::{Counted, Stream};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;
use tower::{Service, ServiceExt};

/// Length of the preface of HTTP/2; a shorter HTTP/1 request does not exist.
const PREFACE: u64 = 24;
/// After an error of accept (no file descriptors left) the loop waits, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where connections come from, and what is seen of them.
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// An open connection, for the figures.
struct Counter(Arc<Metrics>);

impl Counter {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.inc();
        Counter(Arc::clone(metrics))
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// Accepts and serves until `shutdown`, calls `draining`, then drains. Says how many connections
/// had to be cut.
pub(crate) async fn serve<S>(
    door: Door,
    service: S,
    config: &ValidConfig,
    shutdown: impl Future<Output = ()>,
    draining: impl FnOnce(),
) -> usize
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let Door {
        listener,
        tls,
        metrics,
    } = door;
    let mut shutdown = pin!(shutdown);
    let places = Arc::new(Semaphore::new(config.max_connections));
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let acceptor = tls.as_ref().map(|t| t.acceptor());
                        let (service, config, stopped) = (service.clone(), config.clone(), stopped.clone());
                        let counter = Counter::new(&metrics);
                        open.spawn(async move {
                            let (_place, counter) = (place, counter);
                            match handshake(stream, acceptor, &config, stopped.clone()).await {
                                Some(stream) => connection(stream, peer, service, config, stopped).await,
                                None => {
                                    counter.0.handshakes_failed.inc();
                                }
                            }
                        });
                    }
                    // Closed by dropping it: a client retries, a full queue would let it hang.
                    Err(_) => {
                        metrics.connections_refused.inc();
                        tracing::warn!(%peer, "a connection was refused: max_connections are open");
                    }
                },
                Err(e) => {
                    tracing::warn!("a connection could not be accepted: {e}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    // The port is free for the next server while this one finishes its work.
    drop(listener);
    draining();
    let _ = stop.send(true);
    let drained = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(config.drain_timeout, drained)
        .await
        .is_ok()
    {
        return 0;
    }
    let cut = open.len();
    open.shutdown().await;
    cut
}

/// The stream to speak HTTP over; nothing when the other side does not get that far in time.
async fn handshake(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    config: &ValidConfig,
    mut stopped: watch::Receiver<bool>,
) -> Option<Stream> {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return Some(Stream::Plain(stream));
    };
    tokio::select! {
        done = tokio::time::timeout(config.handshake_timeout, acceptor.accept(stream)) => match done {
            Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
            Ok(Err(e)) => {
                tracing::debug!("a TLS handshake failed: {e}");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long and was broken off");
                None
            }
        },
        _ = stopped.wait_for(|s| *s) => None,
    }
}

/// One connection, until either side ends it or it breaks a rule.
async fn connection<S>(
    stream: Stream,
    peer: SocketAddr,
    service: S,
    config: ValidConfig,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let activity = Arc::new(Activity::new());
    let io = TokioIo::new(Counted::new(stream, Arc::clone(&activity)));
    let served = Arc::clone(&activity);
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let busy = served.busy();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let one = service.clone().oneshot(request);
        async move {
            let response = one.await?;
            // Busy until the body has been sent or dropped.
            Ok::<_, Infallible>(response.map(|body| Answer { body, _busy: busy }))
        }
    });
    let builder = protocol(&config);
    let mut conn = pin!(builder.serve_connection(io, service));
    let patience = config.handshake_timeout.min(config.idle_timeout);
    let look = (patience / 4).clamp(Duration::from_millis(5), Duration::from_secs(5));
    let mut closing: Option<Instant> = None;
    loop {
        tokio::select! {
            done = conn.as_mut() => {
                if let Err(e) = done {
                    tracing::debug!("a connection ended early: {e}");
                }
                return;
            }
            _ = stopped.wait_for(|s| *s), if closing.is_none() => {
                // The drain deadline, kept by the caller, bounds what follows.
                closing = Some(Instant::now() + Duration::from_secs(365 * 86_400));
                conn.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep(look) => {
                let now = Instant::now();
                if !activity.has_begun() && activity.age() >= config.handshake_timeout {
                    tracing::debug!("a connection did not begin to speak HTTP and is closed");
                    return;
                }
                if closing.is_some_and(|at| now >= at) {
                    return;
                }
                if closing.is_none() && activity.idle() >= config.idle_timeout {
                    closing = Some(now + config.handshake_timeout);
                    conn.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// HTTP/2, and HTTP/1 for gRPC-web.
fn protocol(config: &ValidConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.handshake_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams_per_connection)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .keep_alive_interval(config.keepalive_interval)
        .keep_alive_timeout(config.keepalive_timeout);
    builder
}

/// What a connection has done so far.
struct Activity {
    opened: Instant,
    /// Bytes read.
    read: AtomicU64,
    /// Requests in work.
    busy: AtomicUsize,
    /// When the last request ended, ms after `opened`.
    rested: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Activity {
            opened: Instant::now(),
            read: AtomicU64::new(0),
            busy: AtomicUsize::new(0),
            rested: AtomicU64::new(0),
        }
    }

    fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    fn has_begun(&self) -> bool {
        self.read.load(Ordering::Relaxed) >= PREFACE
    }

    /// For how long no request has been in work.
    fn idle(&self) -> Duration {
        if self.busy.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let rested = Duration::from_millis(self.rested.load(Ordering::Acquire));
        self.age().saturating_sub(rested)
    }

    fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }
}

/// Held while a request is in work.
struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.age().as_millis()).unwrap_or(u64::MAX);
        self.0.rested.store(now, Ordering::Release);
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A body that keeps its connection busy.
struct Answer {
    body: Body,
    _busy: Busy,
}

impl http_body::Body for Answer {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
