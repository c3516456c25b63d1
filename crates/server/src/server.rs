//! A server: bound, then served until it is told to stop.

use crate::{
    access::{AccessError, Gate},
    app::App,
    audit::{AuditError, Event, Trail},
    config::{ConfigError, ServerConfig, ValidConfig},
    connection::{self, Door},
    front::{Front, Pages},
    gateway::Gateway,
    guards::{Guards, note},
    keeper,
    metrics::Metrics,
    quota::Quota,
    services::{
        self, AdminApi, EventApi, HealthApi, InsightApi, MatchApi, OutcomeApi, RecordApi, TeamApi,
    },
    tls::{Tls, TlsError},
};
use queqiao_domain::Bilingual;
use queqiao_engine::Engine;
use queqiao_proto::v1::{
    admin_service_server::AdminServiceServer, event_service_server::EventServiceServer,
    insight_service_server::InsightServiceServer, match_service_server::MatchServiceServer,
    outcome_service_server::OutcomeServiceServer, record_service_server::RecordServiceServer,
    team_service_server::TeamServiceServer,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tonic::{
    codec::CompressionEncoding::{Gzip, Zstd},
    service::Routes,
};
use tonic_health::pb::health_server::HealthServer;
use tonic_web::GrpcWebLayer;
use tower::Layer;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A setting cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys do not read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The certificates do not do.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The audit trail cannot be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The port is taken.
    #[error(
        "{listen} is in use by another process: stop that one, or listen on another port (port 0 takes a free one)"
    )]
    InUse {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {listen}: check that the address is one of this machine's, and that the port is permitted (those below 1024 often are not)"
    )]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The descriptors that reflection tells of do not read.
    #[error("the interface's descriptors do not read: build the program again")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl ServerError {
    /// In both languages.
    pub fn message(&self) -> Bilingual {
        let with = |source: &dyn std::error::Error| format!("{self}: {source}");
        match self {
            ServerError::Config(e) => e.message(),
            ServerError::Access(e) => e.message(),
            ServerError::Tls(e) => e.message(),
            ServerError::Audit(e) => e.message(),
            ServerError::InUse { listen, source } => Bilingual::new(
                with(source),
                format!(
                    "{listen} 已被其他进程占用：请先停止该进程，或改用其他端口（端口 0 自动选择空闲端口）"
                ),
            ),
            ServerError::Bind { listen, source } => Bilingual::new(
                with(source),
                format!(
                    "无法监听 {listen}：{source}；请检查该地址是否属于本机、端口是否允许使用（1024 以下常受限制）"
                ),
            ),
            ServerError::Reflection(e) => {
                Bilingual::new(with(e), "接口描述无法读取：请重新构建程序")
            }
        }
    }
}

/// The way to a server.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Checks the settings and takes the port. Clients that connect from now on wait until
    /// [`BoundServer::serve`].
    ///
    /// # Errors
    /// A setting that cannot be, a port in use, an address that is not this machine's.
    pub async fn bind(
        config: ServerConfig,
        engine: Arc<Engine>,
    ) -> Result<BoundServer, ServerError> {
        let Checked { config, gate, tls } = config.checked()?;
        if tls.is_none() && gate.asks() && !config.listen.ip().is_loopback() {
            tracing::warn!(
                "keys travel in the clear on this address: give the server a certificate (tls.certificate, tls.key), or keep a proxy with TLS in front of it"
            );
        }
        if let Some(tls) = &tls {
            tracing::info!(until = %tls.expires(), mutual = config.tls.as_ref().is_some_and(|t| t.client_ca.is_some()), "TLS");
        }
        let listen = config.listen;
        let listener = TcpListener::bind(listen).await.map_err(|source| {
            if source.kind() == io::ErrorKind::AddrInUse {
                ServerError::InUse { listen, source }
            } else {
                ServerError::Bind { listen, source }
            }
        })?;
        let local_addr = listener
            .local_addr()
            .map_err(|source| ServerError::Bind { listen, source })?;
        let (serving, watched) = watch::channel(true);
        let metrics = Arc::new(Metrics::new());
        let commits = metrics.commits.clone();
        engine
            .store()
            .watch_commits(move |took| commits.observe(took.as_secs_f64()));
        let trail = config.audit.clone().map(Trail::open).transpose()?;
        let trail = trail.map(Arc::new);
        let app = App::new(engine, config.clone(), Arc::clone(&metrics), trail.clone());
        let app = Arc::new(app);
        services::clear_backups(app.engine.store().folder());
        let guards = Guards::new(
            Arc::clone(&gate),
            Quota::new(config.requests_per_second),
            Arc::clone(&metrics),
            trail.clone(),
            config.slow_request,
        );
        let pages = Pages {
            app: Arc::clone(&app),
            gate,
            metrics: Arc::clone(&metrics),
            tls: tls.clone(),
            serving: watched.clone(),
        };
        let gateway = Gateway::new(routes(&app, watched)?, Arc::new(guards), &config);
        Ok(BoundServer {
            door: Door {
                listener,
                tls,
                metrics,
            },
            local_addr,
            gateway,
            pages,
            trail,
            config,
            serving,
        })
    }
}

/// Settings, and what was read because of them.
struct Checked {
    config: ValidConfig,
    gate: Arc<Gate>,
    tls: Option<Arc<Tls>>,
}

impl ServerConfig {
    /// Checks everything that can be checked without a port and without data: the values, the keys,
    /// the certificates.
    ///
    /// # Errors
    /// What [`Server::bind`] would say of it.
    pub fn preflight(&self) -> Result<(), ServerError> {
        self.clone().checked().map(|_| ())
    }

    fn checked(self) -> Result<Checked, ServerError> {
        let config = self.check()?;
        let gate = Arc::new(Gate::new(config.keys.as_deref(), config.jwt.as_ref())?);
        config.check_access(&gate)?;
        let tls = config.tls.as_ref().map(Tls::load).transpose()?;
        Ok(Checked {
            tls: tls.map(Arc::new),
            config,
            gate,
        })
    }
}

/// A server that has its port.
pub struct BoundServer {
    door: Door,
    local_addr: SocketAddr,
    gateway: Gateway,
    pages: Pages,
    trail: Option<Arc<Trail>>,
    config: ValidConfig,
    serving: watch::Sender<bool>,
}

impl std::fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoundServer")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still at work at the drain's deadline and were cut. 0 is a clean end.
    pub cut: usize,
}

impl BoundServer {
    /// Where the server listens; the port is the one taken when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown`, then drains: health turns to NOT_SERVING and its watches end, no
    /// connection is accepted, requests in work are finished, and what is not done after
    /// [`ServerConfig::drain_timeout`] is cut.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Drained {
        let app = Arc::clone(&self.pages.app);
        let service = Front {
            inner: GrpcWebLayer::new().layer(self.gateway),
            pages: self.pages,
        };
        let (trail, metrics) = (self.trail.clone(), Arc::clone(&self.door.metrics));
        let place = format!(
            "queqiao {} on {}",
            env!("CARGO_PKG_VERSION"),
            self.local_addr
        );
        let say = |action: &str| {
            if let Some(trail) = &trail {
                let event = Event {
                    subject: "operator".to_owned(),
                    action: action.to_owned(),
                    objects: vec![place.clone()],
                    result: "OK".to_owned(),
                    ..Event::default()
                };
                note(trail, &metrics, event, true);
            }
        };
        say("service.start");
        let syncing = self
            .trail
            .clone()
            .map(|t| tokio::spawn(sync_every_second(t)));
        let keeping = keeper::start(&app);
        tracing::info!(addr = %self.local_addr, "serving");
        let serving = self.serving;
        let draining = || {
            tracing::info!("draining");
            serving.send_replace(false);
        };
        let cut = connection::serve(self.door, service, &self.config, shutdown, draining).await;
        for task in [syncing, keeping].into_iter().flatten() {
            task.abort();
        }
        say("service.stop");
        if cut > 0 {
            tracing::warn!(cut, "the drain's deadline passed: connections were cut");
        }
        Drained { cut }
    }
}

/// What the audit trail holds is on disk a second later.
async fn sync_every_second(trail: Arc<Trail>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let trail = Arc::clone(&trail);
        match tokio::task::spawn_blocking(move || trail.sync()).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::error!("the audit trail is not on disk: {}", e.message()),
            Err(_) => return,
        }
    }
}

fn routes(app: &Arc<App>, serving: watch::Receiver<bool>) -> Result<Routes, ServerError> {
    let (receive, send) = (app.config.max_request_bytes, app.config.max_response_bytes);
    macro_rules! bounded {
        ($server:expr) => {
            $server
                .max_decoding_message_size(receive)
                .max_encoding_message_size(send)
                .accept_compressed(Gzip)
                .accept_compressed(Zstd)
        };
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(queqiao_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let app = || Arc::clone(app);
    let mut routes = Routes::builder();
    routes
        .add_service(bounded!(RecordServiceServer::new(RecordApi { app: app() })))
        .add_service(bounded!(MatchServiceServer::new(MatchApi { app: app() })))
        .add_service(bounded!(TeamServiceServer::new(TeamApi { app: app() })))
        .add_service(bounded!(EventServiceServer::new(EventApi { app: app() })))
        .add_service(bounded!(InsightServiceServer::new(InsightApi {
            app: app()
        })))
        .add_service(bounded!(OutcomeServiceServer::new(OutcomeApi {
            app: app()
        })))
        .add_service(bounded!(AdminServiceServer::new(AdminApi { app: app() })))
        .add_service(HealthServer::new(HealthApi {
            app: app(),
            serving,
        }))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.routes())
}
