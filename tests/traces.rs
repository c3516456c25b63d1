//! Traces: a collector gets a span of every request, below its caller's, and nothing of what stands in it.
#![allow(clippy::unwrap_used)]

mod support;

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use queqiao_proto::v1::{self, match_service_client::MatchServiceClient};
use std::sync::{Arc, Mutex};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

/// The example of the W3C recommendation.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

#[derive(Default, Clone)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// One that listens, and where.
    fn start() -> (Self, String) {
        let collector = Self::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let service = TraceServiceServer::new(collector.clone());
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, format!("http://{address}"))
    }

    fn spans(&self) -> Vec<Span> {
        let told = self.0.lock().unwrap();
        let of = |r: &ExportTraceServiceRequest| {
            let scopes = r.resource_spans.iter().flat_map(|r| &r.scope_spans);
            scopes.flat_map(|s| s.spans.clone()).collect::<Vec<_>>()
        };
        told.iter().flat_map(of).collect()
    }
}

fn question(text: &str) -> v1::MatchRequest {
    v1::MatchRequest {
        parent: "tenants/default".into(),
        ask: Some(v1::match_request::Ask::Text(text.into())),
        k: 3,
        ..Default::default()
    }
}

async fn connect(address: &str) -> MatchServiceClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    MatchServiceClient::new(endpoint.connect().await.unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_of_every_request_below_its_callers() {
    let (collector, endpoint) = Collector::start();
    let dir = tempfile::tempdir().unwrap();
    let server = support::Server::start_traced(&dir.path().join("data"), &endpoint);
    let mut client = connect(&server.address).await;
    let mut first = Request::new(question("SECRETWORD 电池"));
    let parent = format!("00-{TRACE}-{CALLER}-01");
    first
        .metadata_mut()
        .insert("traceparent", parent.parse().unwrap());
    client.r#match(first).await.unwrap();
    let mut second = Request::new(question(""));
    second
        .metadata_mut()
        .insert("traceparent", "no trace at all".parse().unwrap());
    client.r#match(second).await.unwrap_err();
    drop(client);
    // What waits is sent before the program ends.
    assert_eq!(server.terminate(), 0);

    let spans = collector.spans();
    let of_match: Vec<&Span> = spans
        .iter()
        .filter(|s| s.name == "queqiao.v1.MatchService/Match")
        .collect();
    let [good, bad] = of_match[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(good.kind(), SpanKind::Server);
    assert_eq!(
        (hex(&good.trace_id), hex(&good.parent_span_id)),
        (TRACE.into(), CALLER.into())
    );
    let told = format!("{good:?}");
    assert!(
        told.contains("request_id") && told.contains("default"),
        "{told}"
    );
    // Headers that do not read are as none; a caller's mistake is no fault of the server's.
    assert!(bad.parent_span_id.is_empty() && hex(&bad.trace_id) != TRACE);
    assert!(
        bad.status
            .as_ref()
            .is_none_or(|s| s.code() != StatusCode::Error)
    );
    let code = |s: &Span| {
        format!(
            "{:?}",
            s.attributes
                .iter()
                .find(|a| a.key == "rpc.grpc.status_code")
        )
    };
    assert!(code(good).contains("IntValue(0)"), "{}", code(good));
    assert!(code(bad).contains("IntValue(3)"), "{}", code(bad));
    let all = format!("{:?}", collector.0.lock().unwrap());
    assert!(
        !all.contains("SECRETWORD") && !all.contains("电池"),
        "a text is in a trace"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody listens on the discard port.
    let server = support::Server::start_traced(&dir.path().join("data"), "http://127.0.0.1:9");
    let mut client = connect(&server.address).await;
    client.r#match(question("电池")).await.unwrap();
    drop(client);
    assert_eq!(server.terminate(), 0);
}
