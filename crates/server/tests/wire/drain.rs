//! Health, and the end of a server.

use crate::support::{config, connect, question, start, start_with};
use queqiao_server::{Drained, ServerConfig};
use std::time::{Duration, Instant};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_the_truth() {
    let s = start().await;
    let mut health = HealthClient::new(s.channel.clone());
    for service in [
        "",
        "queqiao.v1.RecordService",
        "queqiao.v1.MatchService",
        "queqiao.v1.AdminService",
        "queqiao.v1.TeamService",
        "queqiao.v1.OutcomeService",
        "queqiao.v1.InsightService",
        "queqiao.v1.EventService",
    ] {
        let status = health
            .check(of(service))
            .await
            .unwrap()
            .into_inner()
            .status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    assert_eq!(
        health.check(of("no.such")).await.unwrap_err().code(),
        Code::NotFound
    );
    let mut watch = health.watch(of("no.such")).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_watch_flips_ends_and_does_not_hold_up_the_drain() {
    let mut s = start().await;
    let mut health = HealthClient::new(connect(s.addr).await);
    let mut watch = health.watch(of("")).await.unwrap().into_inner();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    let started = Instant::now();
    let served = s.stop();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    assert_eq!(watch.message().await.unwrap(), None);
    assert_eq!(served.await.unwrap(), Drained { cut: 0 });
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn work_in_hand_is_finished() {
    let mut s = start().await;
    let mut c = s.matches();
    let slow = tokio::spawn(async move { c.r#match(question("WAIT")).await });
    s.gate.waited_at().await;
    let served = s.stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!served.is_finished());
    // The port is free already, for the next server.
    assert!(tokio::net::TcpStream::connect(s.addr).await.is_err());
    s.gate.open();
    assert!(slow.await.unwrap().is_ok());
    assert_eq!(served.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_cut() {
    let mut s = start_with(ServerConfig {
        drain_timeout: Duration::from_millis(300),
        ..config()
    })
    .await;
    let mut c = s.matches();
    let slow = tokio::spawn(async move { c.r#match(question("WAIT")).await });
    s.gate.waited_at().await;
    // It has not begun to speak: closed at once, not at the deadline.
    let _silent = tokio::net::TcpStream::connect(s.addr).await.unwrap();
    let started = Instant::now();
    assert_eq!(s.stop().await.unwrap(), Drained { cut: 1 });
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert!(slow.await.unwrap().is_err());
}
