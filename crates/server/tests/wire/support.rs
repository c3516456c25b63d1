//! A server in this process on a free port, with a model whose texts can wait or panic.

use queqiao_engine::{
    Engine, EngineOptions,
    embed::{EmbedError, Embedder, ModelFingerprint, Role, testing::HashingEmbedder},
};
use queqiao_proto::v1::{
    self, admin_service_client::AdminServiceClient, event_service_client::EventServiceClient,
    insight_service_client::InsightServiceClient, match_service_client::MatchServiceClient,
    outcome_service_client::OutcomeServiceClient, record_service_client::RecordServiceClient,
    team_service_client::TeamServiceClient,
};
use queqiao_server::{Drained, Server, ServerConfig};
use std::{
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

pub(crate) const PARENT: &str = "tenants/t";

/// Texts with `WAIT` are embedded when the gate opens, texts with `PANIC` never.
pub(crate) struct Gated {
    inner: HashingEmbedder,
    gate: Arc<Gate>,
}

#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().0 = true;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.1 += 1;
        while !state.0 {
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Until somebody waits at the gate.
    pub(crate) async fn waited_at(&self) {
        while self.state.lock().unwrap().1 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Embedder for Gated {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        self.inner.fingerprint()
    }

    fn embed(&self, texts: &[&str], role: Role) -> Result<ndarray::Array2<f32>, EmbedError> {
        if texts.iter().any(|t| t.contains("WAIT")) {
            self.gate.pass();
        }
        assert!(
            !texts.iter().any(|t| t.contains("PANIC")),
            "a panic that the test asked for"
        );
        self.inner.embed(texts, role)
    }

    fn coverage(&self, text: &str) -> Option<f32> {
        self.inner.coverage(text)
    }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) gate: Arc<Gate>,
    pub(crate) channel: Channel,
    pub(crate) engine: Arc<Engine>,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Drained>>,
    _data: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A thread that waits would keep the runtime from ending.
        self.gate.open();
    }
}

pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        drain_timeout: Duration::from_secs(5),
        ..ServerConfig::default()
    }
}

pub(crate) async fn start() -> Running {
    start_with(config()).await
}

pub(crate) async fn start_with(config: ServerConfig) -> Running {
    let data = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let model = Arc::new(Gated {
        inner: HashingEmbedder::new(128, 1),
        gate: Arc::clone(&gate),
    });
    let engine = Engine::open(&data.path().join("data"), model, EngineOptions::default()).unwrap();
    let engine = Arc::new(engine);
    let encrypted = config.tls.is_some();
    let server = Server::bind(config, Arc::clone(&engine)).await.unwrap();
    let addr = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    Running {
        channel: match encrypted {
            // Not to be used: such tests have channels of their own.
            true => Endpoint::from_static("http://nowhere").connect_lazy(),
            false => connect(addr).await,
        },
        addr,
        gate,
        engine,
        stop: Some(stop),
        served: Some(served),
        _data: data,
    }
}

/// A connection of its own.
pub(crate) async fn connect(addr: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

impl Running {
    pub(crate) fn records(&self) -> RecordServiceClient<Channel> {
        RecordServiceClient::new(self.channel.clone())
    }

    pub(crate) fn matches(&self) -> MatchServiceClient<Channel> {
        MatchServiceClient::new(self.channel.clone())
    }

    pub(crate) fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel.clone())
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    pub(crate) fn outcomes(&self) -> OutcomeServiceClient<Channel> {
        OutcomeServiceClient::new(self.channel.clone())
    }

    pub(crate) fn insights(&self) -> InsightServiceClient<Channel> {
        InsightServiceClient::new(self.channel.clone())
    }

    pub(crate) fn teams(&self) -> TeamServiceClient<Channel> {
        TeamServiceClient::new(self.channel.clone())
    }

    /// Begins the drain.
    pub(crate) fn stop(&mut self) -> JoinHandle<Drained> {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.take().unwrap()
    }

    pub(crate) async fn put(&self, record: v1::Record) -> v1::Record {
        let request = v1::UpsertRecordRequest {
            record: Some(record),
            ..Default::default()
        };
        self.records()
            .upsert_record(request)
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn ask(&self, text: &str) -> Result<v1::MatchResponse, Status> {
        let answer = self.matches().r#match(question(text)).await;
        answer.map(|r| r.into_inner())
    }
}

pub(crate) fn question(text: &str) -> v1::MatchRequest {
    v1::MatchRequest {
        parent: PARENT.into(),
        ask: Some(v1::match_request::Ask::Text(text.into())),
        k: 10,
        ..Default::default()
    }
}

pub(crate) fn expert(id: &str, name: &str, research: &str) -> v1::Record {
    v1::Record {
        name: format!("{PARENT}/experts/{id}"),
        title: name.into(),
        region: "440300".into(),
        industries: vec!["C3973".into()],
        detail: Some(v1::record::Detail::Expert(v1::Expert {
            research: vec![research.into()],
            ..Default::default()
        })),
        ..Default::default()
    }
}

pub(crate) fn need(id: &str, title: &str, problem: &str) -> v1::Record {
    v1::Record {
        name: format!("{PARENT}/needs/{id}"),
        title: title.into(),
        detail: Some(v1::record::Detail::Need(v1::Need {
            problem: problem.into(),
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// What a status says: code, reason, the fields at fault. Every error of the service has these.
#[track_caller]
pub(crate) fn told(s: &Status) -> (Code, String, Vec<String>) {
    let details = s.check_error_details().expect("details that read");
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo in {s:?}"));
    assert_eq!(info.domain, "queqiao");
    assert!(!s.message().is_empty(), "{s:?}");
    let fields = details.bad_request().map_or_else(Vec::new, |b| {
        b.field_violations.iter().map(|v| v.field.clone()).collect()
    });
    (s.code(), info.reason.clone(), fields)
}

/// Checks what a failed call says.
#[track_caller]
pub(crate) fn check<T: std::fmt::Debug>(
    result: Result<T, Status>,
    code: Code,
    reason: &str,
    fields: &[&str],
) -> Status {
    let s = result.expect_err("this call should fail");
    let (c, r, f) = told(&s);
    assert_eq!((c, r.as_str()), (code, reason), "{s:?}");
    assert_eq!(f, fields, "{s:?}");
    s
}

/// The output of a future that is not to take long.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(10);
    let done = tokio::time::timeout(limit, future).await;
    done.expect("this should not take long")
}
