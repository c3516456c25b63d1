//! A server: bound, then served until it is told to stop.

use crate::{
    app::App,
    config::{ConfigError, ServerConfig, ValidConfig},
    connection,
    gateway::Gateway,
    services::{AdminApi, EventApi, HealthApi, MatchApi, RecordApi, TeamApi},
};
use queqiao_engine::Engine;
use queqiao_proto::v1::{
    admin_service_server::AdminServiceServer, event_service_server::EventServiceServer,
    match_service_server::MatchServiceServer, record_service_server::RecordServiceServer,
    team_service_server::TeamServiceServer,
};
use std::{io, net::SocketAddr, sync::Arc};
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
        let config = config.check()?;
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
        let app = Arc::new(App::new(engine, config.clone()));
        let gateway = Gateway::new(routes(&app, watched)?, &config);
        Ok(BoundServer {
            listener,
            local_addr,
            gateway,
            config,
            serving,
        })
    }
}

/// A server that has its port.
pub struct BoundServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    gateway: Gateway,
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
        let service = GrpcWebLayer::new().layer(self.gateway);
        tracing::info!(addr = %self.local_addr, "serving");
        let serving = self.serving;
        let draining = || {
            tracing::info!("draining");
            serving.send_replace(false);
        };
        let cut = connection::serve(self.listener, service, &self.config, shutdown, draining).await;
        if cut > 0 {
            tracing::warn!(cut, "the drain's deadline passed: connections were cut");
        }
        Drained { cut }
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
        .add_service(bounded!(AdminServiceServer::new(AdminApi { app: app() })))
        .add_service(HealthServer::new(HealthApi {
            app: app(),
            serving,
        }))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.routes())
}
