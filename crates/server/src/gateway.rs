//! What every request passes, whatever its method.
//!
//! In this order: a request id and a span; who calls, and whether they may; a place among the requests in work (over all
//! connections, so that no client is served by opening more of them); a deadline; a net for
//! panics; and, on the way out, statuses that mean what the protocol says and carry details.

use crate::{
    access::{API_KEY, Context as Call, Refused, methods},
    app::{Deadline, WAITS_UNTIL},
    config::ValidConfig,
    guards::{Guards, Watched},
    request_id, status, trace_context,
};
use http::{HeaderMap, HeaderValue};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body, service::Routes};
use tower::Service;
use tracing::Instrument;

/// Health is asked when a server is busiest, and costs nothing.
const ALWAYS_ADMITTED: &str = "/grpc.health.v1.Health/";
/// Take as long as the data need; the client's deadline alone bounds them.
const WITHOUT_SERVER_TIMEOUT: [&str; 3] = [
    "/queqiao.v1.AdminService/RebuildIndex",
    "/queqiao.v1.AdminService/ChangeModel",
    "/queqiao.v1.AdminService/Backup",
];

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// The way in and out of every method.
#[derive(Clone)]
pub(crate) struct Gateway {
    routes: Routes,
    guards: Arc<Guards>,
    places: Arc<Semaphore>,
    request_timeout: Duration,
    max_request_bytes: usize,
}

impl Gateway {
    pub(crate) fn new(routes: Routes, guards: Arc<Guards>, config: &ValidConfig) -> Self {
        Gateway {
            routes: routes.prepare(),
            guards,
            places: Arc::new(Semaphore::new(config.max_concurrent_requests)),
            request_timeout: config.request_timeout,
            max_request_bytes: config.max_request_bytes,
        }
    }

    async fn handle(mut self, request: Request) -> Response {
        let id = request_id::of(request.headers());
        let method: String = request.uri().path().chars().take(100).collect();
        let span = tracing::info_span!(
            "rpc",
            method,
            request_id = id.as_str(),
            subject = tracing::field::Empty,
            tenant = tracing::field::Empty
        );
        trace_context::continue_in(&span, request.headers());
        async move {
            let mut watched = self.guards.watch(&request, &id);
            let mut response = match self.answer(request, &mut watched).await {
                Ok(r) => self.checked(r),
                Err(s) => s.into_http(),
            };
            let code = code(&response);
            watched.answered(code);
            trace_context::ended(&tracing::Span::current(), code);
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(request_id::HEADER, value);
            }
            response
        }
        .instrument(span)
        .await
    }

    async fn answer(
        &mut self,
        mut request: Request,
        watched: &mut Watched,
    ) -> Result<Response, Status> {
        let need = methods::need(request.uri().path());
        let caller = match self.guards.gate.admit(request.headers(), need) {
            Ok(caller) => caller,
            Err(Refused { status, caller }) => {
                watched.called_by(Call::new(caller));
                return Err(status);
            }
        };
        let call = Call::new(caller);
        watched.called_by(call.clone());
        if need.is_none() {
            return Err(unknown_method());
        }
        if need != Some(methods::Need::Nothing) {
            self.guards.quota.take(call.caller())?;
        }
        // Nothing further in has a use for the secret.
        request.headers_mut().remove(http::header::AUTHORIZATION);
        request.headers_mut().remove(API_KEY);
        request.extensions_mut().insert(call);
        let path = request.uri().path();
        let _place = if path.starts_with(ALWAYS_ADMITTED) {
            None
        } else {
            let place = Arc::clone(&self.places).try_acquire_owned();
            Some(place.map_err(|_| {
                status::retry(
                    "OVERLOADED",
                    (
                        "the server is overloaded: too many requests at once",
                        "服务过载：同时到达的请求过多",
                    ),
                )
            })?)
        };
        let server = (!WITHOUT_SERVER_TIMEOUT.contains(&path)).then_some(self.request_timeout);
        let timeout = match (client_timeout(request.headers())?, server) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        // A timeout too long for the clock is none.
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        request.extensions_mut().insert(Deadline(deadline));
        let patience = timeout.and_then(|t| Instant::now().checked_add(t / 2));
        let work = WAITS_UNTIL.scope(patience, caught(self.routes.call(request)));
        let done = match deadline {
            Some(d) => tokio::time::timeout_at(d.into(), work).await.map_err(|_| {
                status::plain(
                    Code::DeadlineExceeded,
                    "DEADLINE_EXCEEDED",
                    (
                        "the deadline passed before the answer was ready: give more time or ask for less",
                        "应答完成前已超过时限：请放宽时限或减少所求",
                    ),
                )
            })?,
            None => work.await,
        };
        match done {
            Some(Ok(response)) => Ok(response),
            Some(Err(never)) => match never {},
            None => {
                tracing::error!("a handler panicked");
                Err(status::internal("PANIC"))
            }
        }
    }

    /// Gives every status its details, and the meaning the protocol gives it: tonic says
    /// OUT_OF_RANGE for a message that is too large, and INTERNAL for one that does not read.
    fn checked(&self, response: Response) -> Response {
        if code(&response) == Code::Ok {
            return response;
        }
        let s = match response.extensions().get::<Status>() {
            Some(s) if !s.details().is_empty() => return response,
            Some(s) => s.clone(),
            None => Status::new(code(&response), ""),
        };
        let text = s.message();
        let limit = self.max_request_bytes;
        let better = if text.starts_with("Error, decoded message length too large")
            || text.starts_with("Error decompressing: size limit")
        {
            status::too_large(
                "REQUEST_TOO_LARGE",
                (
                    format!(
                        "the request is larger than {limit} bytes, which is the most this server reads: split it"
                    ),
                    format!("请求超过本服务可读取的上限 {limit} 字节：请拆分"),
                ),
                limit,
            )
        } else if text == queqiao_proto::UNFOLDS_TOO_FAR {
            status::too_large(
                "REQUEST_TOO_LARGE",
                (
                    format!("{text}: split it"),
                    format!(
                        "请求展开后超过 {} 字节：请拆分",
                        queqiao_proto::MAX_UNFOLDED
                    ),
                ),
                queqiao_proto::MAX_UNFOLDED,
            )
        } else if s.code() == Code::Internal && UNREADABLE.iter().any(|u| text.starts_with(u)) {
            status::plain(
                Code::InvalidArgument,
                "UNREADABLE_REQUEST",
                (
                    format!("the request does not read as a message of this method: {text}"),
                    format!("请求不是该方法的消息，无法读取：{text}"),
                ),
            )
        } else if s.code() == Code::Unimplemented && text.is_empty() {
            unknown_method()
        } else {
            let zh = format!("请求未能处理：{text}");
            status::plain(s.code(), status::code_name(s.code()), (text, zh))
        };
        let mut out: Response = better.into_http();
        for (name, value) in s.metadata().clone().into_headers() {
            if let Some(name) = name {
                out.headers_mut().entry(name).or_insert(value);
            }
        }
        out
    }
}

fn unknown_method() -> Status {
    status::plain(
        Code::Unimplemented,
        "UNKNOWN_METHOD",
        (
            "there is no such method: ask server reflection for what there is",
            "没有此方法：可通过 server reflection 查看已有的方法",
        ),
    )
}

/// How tonic 0.14 begins its messages about bytes that are no message.
const UNREADABLE: [&str; 4] = [
    "failed to decode Protobuf message",
    "Error decompressing",
    "protocol error",
    "Unexpected EOF decoding stream",
];

/// The code an answer begins with; a stream that fails later says so in its trailers.
fn code(response: &Response) -> Code {
    if let Some(s) = response.extensions().get::<Status>() {
        return s.code();
    }
    response
        .headers()
        .get(Status::GRPC_STATUS)
        .map_or(Code::Ok, |c| Code::from_bytes(c.as_bytes()))
}

/// `grpc-timeout`: up to eight digits and a unit.
fn client_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let read = value.to_str().ok().and_then(|text| {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let n: u64 = if plain {
            digits.parse().ok()?
        } else {
            return None;
        };
        Some(match unit {
            "H" => Duration::from_secs(n * 3_600),
            "M" => Duration::from_secs(n * 60),
            "S" => Duration::from_secs(n),
            "m" => Duration::from_millis(n),
            "u" => Duration::from_micros(n),
            "n" => Duration::from_nanos(n),
            _ => return None,
        })
    });
    read.map(Some).ok_or_else(|| {
        status::plain(
            Code::InvalidArgument,
            "INVALID_TIMEOUT",
            (
                "grpc-timeout does not read: expected up to eight digits and one of H M S m u n",
                "grpc-timeout 无法识别：应为至多八位数字加 H、M、S、m、u、n 之一",
            ),
        )
    })
}

/// The output of a future, or `None` when it panicked.
async fn caught<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            // The future is not polled again: its state may be torn.
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

impl Service<Request> for Gateway {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.handle(request).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_as_the_protocol_writes_them() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_str(text).unwrap());
            client_timeout(&headers)
        };
        assert_eq!(read("250m").unwrap(), Some(Duration::from_millis(250)));
        assert_eq!(
            read("99999999H").unwrap(),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        for bad in ["", "S", "1", "1s", "-1S", "123456789S", "+1S"] {
            assert_eq!(
                read(bad).unwrap_err().code(),
                Code::InvalidArgument,
                "{bad}"
            );
        }
        assert_eq!(client_timeout(&HeaderMap::new()).unwrap(), None);
    }

    #[tokio::test]
    async fn a_panic_is_caught() {
        assert_eq!(caught(async { 1 }).await, Some(1));
        assert_eq!(
            caught(async { panic!("caught on purpose") }).await,
            None::<()>
        );
    }
}
