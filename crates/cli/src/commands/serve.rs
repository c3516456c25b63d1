//! `queqiao serve`: the gRPC service over a data folder.

use super::open;
use crate::{
    args::{Cli, ServeArgs},
    failure::{Failure, chain},
};
use queqiao_engine::{Engine, embed::ModelStore};
use queqiao_server::{Server, ServerConfig};
use serde::Deserialize;
use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

/// The configuration file: every key may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigFile {
    max_request_bytes: Option<usize>,
    max_response_bytes: Option<usize>,
    max_concurrent_requests: Option<usize>,
    max_connections: Option<usize>,
    request_timeout_seconds: Option<u64>,
    drain_timeout_seconds: Option<u64>,
}

pub(crate) fn run(cli: &Cli, args: &ServeArgs) -> Result<(), Failure> {
    let listen: SocketAddr = args.listen.parse().map_err(|_| {
        Failure::input(
            format!(
                "--listen {}: expected an address and a port, such as 127.0.0.1:50051",
                args.listen
            ),
            format!(
                "--listen {}：应为地址与端口，如 127.0.0.1:50051",
                args.listen
            ),
        )
    })?;
    let mut config = config(cli, args.config.as_deref())?;
    config.listen = listen;
    config.allow_insecure = args.allow_insecure;
    let engine = Arc::new(open::engine_or_new(cli, &args.data, args.model.as_deref())?);
    let runtime = runtime()?;
    runtime.block_on(async {
        // Whoever reads the address may send a signal at once.
        let stop = stop_signal();
        serve(config, engine, stop, |address| {
            tracing::info!(%address, data = %args.data.data.display(), "serving");
            // Scripts that asked for port 0 read the address here.
            #[allow(clippy::print_stdout)]
            {
                use std::io::Write;
                println!("listening on {address}");
                let _ = std::io::stdout().flush();
            }
        })
        .await
    })
}

/// A runtime for the service.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| {
            Failure::failed(
                format!("the runtime does not start: {e}"),
                format!("运行时无法启动：{e}"),
            )
        })
}

/// Serves until `stop`, then drains.
pub(crate) async fn serve(
    config: ServerConfig,
    engine: Arc<Engine>,
    stop: impl Future<Output = ()> + Send,
    started: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let failed = |e: &dyn std::error::Error| Failure::failed(chain(e), chain(e));
    let server = Server::bind(config, engine).await.map_err(|e| failed(&e))?;
    started(server.local_addr());
    let drained = server.serve(stop).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut at the end of the drain");
    }
    Ok(())
}

/// The limits of the service: defaults, then the file.
pub(crate) fn config(cli: &Cli, file: Option<&Path>) -> Result<ServerConfig, Failure> {
    let mut config = ServerConfig {
        models: ModelStore::find(&open::model_folders(cli)).ok(),
        ..ServerConfig::default()
    };
    let Some(path) = file else {
        return Ok(config);
    };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    })?;
    let file: ConfigFile = toml::from_str(&text)
        .map_err(|e| Failure::input(format!("{shown}: {e}"), format!("{shown}：{e}")))?;
    let set = |to: &mut usize, from: Option<usize>| {
        if let Some(v) = from {
            *to = v;
        }
    };
    set(&mut config.max_request_bytes, file.max_request_bytes);
    set(&mut config.max_response_bytes, file.max_response_bytes);
    set(
        &mut config.max_concurrent_requests,
        file.max_concurrent_requests,
    );
    set(&mut config.max_connections, file.max_connections);
    if let Some(s) = file.request_timeout_seconds {
        config.request_timeout = Duration::from_secs(s);
    }
    if let Some(s) = file.drain_timeout_seconds {
        config.drain_timeout = Duration::from_secs(s);
    }
    Ok(config)
}

/// A future that resolves on Ctrl-C, and on SIGTERM where there is one. The signals are caught
/// from this call on, not only once the future is awaited. Call it inside the runtime.
pub(crate) fn stop_signal() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let caught = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        async move {
            let [interrupt, terminate] = caught;
            tokio::select! {
                () = until(interrupt) => {}
                () = until(terminate) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        // Without a handler the process still ends, only less gently.
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Waits for a signal; for ever where it cannot be caught, which leaves the system's own way.
#[cfg(unix)]
async fn until(caught: std::io::Result<tokio::signal::unix::Signal>) {
    match caught {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
