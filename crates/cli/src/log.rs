//! The log: on stderr, readable on a terminal, JSON lines with `--log-json`; its levels can be changed while a
//! server runs. A server that is told of a collector sends traces as well.

use crate::{
    args::{Cli, Command},
    traces,
};
use std::sync::OnceLock;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, ParseError},
    fmt,
    layer::SubscriberExt,
    reload,
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
    let traces = match cli.command {
        Command::Serve(_) => traces::layer(),
        _ => None,
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        // Whatever the log tells, there is a span of every request.
        .with(traces.map(|t| t.with_filter(LevelFilter::INFO)))
        .init();
    let _ = LEVELS.set(handle);
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
