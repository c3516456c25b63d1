//! `grpc.health.v1.Health`, truthful: it asks the engine, and it ends watches at shutdown.

use crate::{app::App, status};
use queqiao_proto::v1::{
    admin_service_server::SERVICE_NAME as ADMIN, event_service_server::SERVICE_NAME as EVENT,
    insight_service_server::SERVICE_NAME as INSIGHT, match_service_server::SERVICE_NAME as MATCH,
    outcome_service_server::SERVICE_NAME as OUTCOME, record_service_server::SERVICE_NAME as RECORD,
    team_service_server::SERVICE_NAME as TEAM,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};

/// How often a watch asks the engine anew.
const LOOK: Duration = Duration::from_millis(500);

/// Whether the server still takes work: true until the drain begins.
type Serving = watch::Receiver<bool>;

/// Health of the server (the empty name) and of each service.
pub(crate) struct HealthApi {
    pub(crate) app: Arc<App>,
    pub(crate) serving: Serving,
}

/// The state of a service, `None` when there is no such service. Matches, and with them the server
/// as a whole, need an index that answers in full; records do not.
fn state(app: &App, serving: &Serving, service: &str) -> Option<ServingStatus> {
    let works = match service {
        "" | MATCH | INSIGHT => app.engine.health().is_ok(),
        RECORD | ADMIN | EVENT | OUTCOME | TEAM => true,
        _ => return None,
    };
    Some(if works && *serving.borrow() {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    })
}

#[tonic::async_trait]
impl Health for HealthApi {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match state(&self.app, &self.serving, &request.get_ref().service) {
            Some(s) => Ok(Response::new(HealthCheckResponse { status: s as i32 })),
            None => Err(status::plain(
                tonic::Code::NotFound,
                "UNKNOWN_SERVICE",
                (
                    format!(
                        "no such service: expected nothing, {RECORD}, {MATCH}, {TEAM}, {EVENT} or {ADMIN}"
                    ),
                    format!(
                        "没有此服务：应留空，或为 {RECORD}、{MATCH}、{TEAM}、{EVENT}、{ADMIN} 之一"
                    ),
                ),
            )),
        }
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    /// Sends the state now and whenever it changes. An unknown service is told as such, and the
    /// stream stays open, as the protocol has it. At shutdown the last message is NOT_SERVING and
    /// the stream ends, so that no watch holds up the drain.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let (app, mut serving) = (Arc::clone(&self.app), self.serving.clone());
        let (tx, rx) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut told = None;
            loop {
                let draining = !*serving.borrow_and_update();
                let now = state(&app, &serving, &service).unwrap_or(ServingStatus::ServiceUnknown);
                if told != Some(now) {
                    told = Some(now);
                    let message = HealthCheckResponse { status: now as i32 };
                    if tx.send(Ok(message)).await.is_err() {
                        return;
                    }
                }
                if draining {
                    return;
                }
                tokio::select! {
                    () = tx.closed() => return,
                    changed = serving.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(rx)))
    }
}
