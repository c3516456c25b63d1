//! The log, and, where the program was built with them, traces.
//!
//! Logs go to stderr: readable on a terminal, JSON lines with `--log-json`. With the feature `otlp`, and when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector, every span goes to it as well, by OTLP over gRPC.

use crate::args::Cli;
use std::sync::OnceLock;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::ParseError, fmt, layer::SubscriberExt, reload,
    util::SubscriberInitExt,
};

/// Changes the levels: set once, when the log begins.
static LEVELS: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Begins to log.
pub(crate) fn begin(cli: &Cli) {
    let filter = EnvFilter::try_from_env("QUEQIAO_LOG")
        .unwrap_or_else(|_| EnvFilter::new(cli.default_log_level()));
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match cli.log_json {
        true => lines.json().boxed(),
        false => lines.with_target(false).boxed(),
    };
    let begun = tracing_subscriber::registry().with(filter).with(lines);
    #[cfg(feature = "otlp")]
    let begun = begun.with(traces::layer());
    begun.init();
    let _ = LEVELS.set(handle);
}

/// Sends what waits.
pub(crate) fn end() {
    #[cfg(feature = "otlp")]
    traces::end();
}

/// Logs by these levels from now on, and says which were in force before.
pub(crate) fn set_levels(levels: &str) -> Result<String, String> {
    let filter: EnvFilter = levels.parse().map_err(|e: ParseError| e.to_string())?;
    let handle = LEVELS.get().ok_or("the log has not begun")?;
    let before = handle.with_current(ToString::to_string);
    let before = before.map_err(|e| e.to_string())?;
    handle.reload(filter).map_err(|e| e.to_string())?;
    Ok(before)
}

#[cfg(feature = "otlp")]
mod traces {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::{
        Resource,
        trace::{SdkTracerProvider, Tracer},
    };
    use std::sync::OnceLock;
    use tracing::Subscriber;
    use tracing_opentelemetry::OpenTelemetryLayer;
    use tracing_subscriber::registry::LookupSpan;

    const ENDPOINTS: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ];

    /// The sender, and the runtime that it needs.
    static SENDING: OnceLock<(SdkTracerProvider, tokio::runtime::Runtime)> = OnceLock::new();

    /// Sends spans to the collector that the environment names; none when it names none.
    pub(super) fn layer<S>() -> Option<OpenTelemetryLayer<S, Tracer>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !ENDPOINTS.iter().any(|v| std::env::var_os(v).is_some()) {
            return None;
        }
        match sender() {
            Ok((provider, runtime)) => {
                let tracer = provider.tracer("queqiao");
                let _ = SENDING.set((provider, runtime));
                Some(tracing_opentelemetry::layer().with_tracer(tracer))
            }
            Err(e) => {
                // There is no log yet.
                #[allow(clippy::print_stderr)]
                {
                    eprintln!("no traces are sent: {e}; check OTEL_EXPORTER_OTLP_ENDPOINT");
                }
                None
            }
        }
    }

    fn sender() -> Result<(SdkTracerProvider, tokio::runtime::Runtime), Box<dyn std::error::Error>>
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let exporter = {
            let _inside = runtime.enter();
            SpanExporter::builder().with_tonic().build()?
        };
        let about = Resource::builder()
            .with_service_name("queqiao")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(about)
            .build();
        Ok((provider, runtime))
    }

    /// Sends what waits, for as long as the exporter's own timeout.
    pub(super) fn end() {
        if let Some((provider, _)) = SENDING.get() {
            let _ = provider.shutdown();
        }
    }
}
