//! The trace that a caller's request belongs to (W3C Trace Context), and what a trace is told at the end.

use http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::Status as Outcome,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Hangs the span of a request below that of its caller, where the headers name one. Headers that do not read
/// are as none.
pub(crate) fn continue_in(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        let parent = TraceContextPropagator::new().extract(&Headers(headers));
        // Fails where nobody collects traces.
        let _ = span.set_parent(parent);
    }
}

/// How the request ended, by the conventions for RPC: what is the server's fault is an error.
pub(crate) fn ended(span: &Span, code: Code) {
    span.set_attribute("rpc.system", "grpc");
    span.set_attribute("rpc.grpc.status_code", i64::from(code as i32));
    let at_fault = matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    );
    if at_fault {
        span.set_status(Outcome::error(crate::status::code_name(code)));
    }
}
