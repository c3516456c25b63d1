//! Traces: a collector gets a span of every request, and nothing of what stands in it.
#![allow(clippy::unwrap_used)]

mod support;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use queqiao_proto::v1::{self, match_service_client::MatchServiceClient};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tonic::{Request, Response, Status, transport::Server};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_of_every_request() {
    let collector = Collector::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let address = endpoint.trim_start_matches("http://").parse().unwrap();
    tokio::spawn(
        Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve(address),
    );
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = support::Server::start_traced(Path::new(&data), &endpoint);
    let url = format!("http://{}", server.address);
    let mut client = MatchServiceClient::connect(url).await.unwrap();
    let ask = v1::MatchRequest {
        parent: "tenants/default".into(),
        ask: Some(v1::match_request::Ask::Text("SECRETWORD 电池".into())),
        k: 3,
        ..Default::default()
    };
    client.r#match(ask).await.unwrap();
    drop(client);
    assert_eq!(server.terminate(), 0);
    // What waited was sent before the program ended.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let told = format!("{:?}", collector.0.lock().unwrap());
    assert!(told.contains("/queqiao.v1.MatchService/Match"), "{told}");
    assert!(
        told.contains("request_id") && told.contains("queqiao"),
        "{told}"
    );
    assert!(!told.contains("SECRETWORD"), "a text is in a trace");
}
