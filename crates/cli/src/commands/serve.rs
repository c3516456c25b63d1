//! `queqiao serve`: the gRPC service over a data folder.

use super::open;
use crate::{
    args::{Cli, ServeArgs},
    failure::Failure,
    settings::Settings,
};
use queqiao_engine::{Engine, EngineOptions, embed::ModelStore};
use queqiao_server::{LogLevels, Server, ServerConfig};
use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

pub(crate) fn run(cli: &Cli, args: &ServeArgs) -> Result<(), Failure> {
    let settings = settings(cli, args)?;
    let (data, model) = (settings.data(), settings.text("model"));
    let mut config = settings.server()?;
    // Before a model is loaded and an index built: what is wrong is told at once.
    config.preflight()?;
    let folders = match settings.models() {
        Some(dir) => vec![dir],
        None => ModelStore::search_dirs(),
    };
    config.models = ModelStore::find(&folders).ok();
    let model = open::model_in(&folders, model)?;
    config.log = Some(levels());
    let options = EngineOptions {
        needs_consent: settings.is_on("people.require_consent"),
        master_key: settings.master_key(),
        history_days: Some(settings.history_days()),
        graph_threads: settings.graph_threads(),
        ..EngineOptions::default()
    };
    let engine = Engine::open(&data, model, options)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        // Whoever reads the address may send a signal at once.
        let stop = stop_signal();
        serve(config, Arc::new(engine), stop, |address| {
            tracing::info!(%address, data = %data.display(), "serving");
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

/// The log of this process, as SetLogLevel changes it.
fn levels() -> LogLevels {
    LogLevels::new(crate::log::set_levels)
}

/// The settings, flags first.
fn settings(cli: &Cli, args: &ServeArgs) -> Result<Settings, Failure> {
    let path = |p: &Option<PathBuf>| p.as_ref().map(|p| p.display().to_string());
    let given = [
        ("data", "--data", path(&args.data)),
        ("models", "--models", cli.models_flag()),
        ("listen", "--listen", args.listen.clone()),
        ("model", "--model", args.model.clone()),
        (
            "allow_insecure",
            "--allow-insecure",
            args.allow_insecure.then(|| "true".to_owned()),
        ),
        (
            "allow_plaintext",
            "--allow-plaintext",
            args.allow_plaintext.then(|| "true".to_owned()),
        ),
    ];
    let flags = given
        .into_iter()
        .filter_map(|(name, flag, text)| Some((name, flag, text?)))
        .collect();
    Settings::read(&flags, |v| std::env::var(v).ok(), args.config.as_deref())
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
    let server = Server::bind(config, engine).await?;
    started(server.local_addr());
    let drained = server.serve(stop).await;
    if drained.cut > 0 {
        tracing::warn!(connections = drained.cut, "cut at the end of the drain");
    }
    Ok(())
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
