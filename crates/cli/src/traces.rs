//! Traces: a span of every request goes to the collector that the environment names, by OTLP over gRPC.
//!
//! A span holds what the log holds of a request: method, request id, key id, tenant, code; never texts, contacts
//! or keys.

use opentelemetry::{
    Context, Value,
    trace::{SpanKind, TracerProvider},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor, Tracer},
};
use std::{sync::OnceLock, time::Duration};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// Standard variables; others of the OpenTelemetry specification are read by the exporter.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
/// The field that a request's span has.
const METHOD: &str = "method";

/// The sender, and the runtime that it needs.
static SENDING: OnceLock<(SdkTracerProvider, tokio::runtime::Runtime)> = OnceLock::new();

/// Sends spans to the collector that the environment names; none when it names none.
pub(crate) fn layer<S>() -> Option<OpenTelemetryLayer<S, Tracer>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let named = |v: &&&str| std::env::var_os(v).is_some_and(|e| !e.is_empty());
    let endpoint = ENDPOINTS.iter().find(named)?;
    match sender() {
        Ok((provider, runtime)) => {
            let tracer = provider.tracer("queqiao");
            let _ = SENDING.set((provider, runtime));
            // Where in the code a span is made says nothing to whoever reads traces.
            Some(
                tracing_opentelemetry::layer()
                    .with_tracer(tracer)
                    .with_location(false)
                    .with_threads(false),
            )
        }
        Err(e) => {
            // There is no log yet.
            #[allow(clippy::print_stderr)]
            {
                eprintln!(
                    "no traces are sent: {e}; check {endpoint}, such as http://127.0.0.1:4317\n\
                     不发送链路追踪：请检查 {endpoint}，如 http://127.0.0.1:4317"
                );
            }
            None
        }
    }
}

fn sender() -> Result<(SdkTracerProvider, tokio::runtime::Runtime), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("traces")
        .enable_all()
        .build()?;
    let exporter = {
        let _inside = runtime.enter();
        SpanExporter::builder().with_tonic().build()?
    };
    let mut about = Resource::builder().with_attribute(opentelemetry::KeyValue::new(
        "service.version",
        env!("CARGO_PKG_VERSION"),
    ));
    let attributes = std::env::var(ATTRIBUTES).unwrap_or_default();
    if std::env::var_os(SERVICE_NAME).is_none() && !attributes.contains("service.name=") {
        about = about.with_service_name("queqiao");
    }
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Named(BatchSpanProcessor::builder(exporter).build()))
        .with_resource(about.build())
        .build();
    Ok((provider, runtime))
}

/// Sends what waits, for as long as the exporter's own timeout.
pub(crate) fn end() {
    if let Some((provider, _)) = SENDING.get() {
        let _ = provider.shutdown();
    }
}

/// Calls a request's span by its method: the name of a span of `tracing` is the same for all.
#[derive(Debug)]
struct Named(BatchSpanProcessor);

impl SpanProcessor for Named {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        self.0.on_start(span, cx);
    }

    fn on_end(&self, mut span: SpanData) {
        let method = span.attributes.iter().find(|a| a.key.as_str() == METHOD);
        if let Some(Value::String(method)) = method.map(|a| a.value.clone()) {
            let method = method.as_str().trim_start_matches('/').to_owned();
            span.name = method.into();
            span.span_kind = SpanKind::Server;
        }
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
