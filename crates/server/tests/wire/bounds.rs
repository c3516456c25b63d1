//! Limits: sizes, bytes that are no message, places, deadlines, panics, silent connections.

use crate::support::{
    PARENT, check, config, connect, expert, question, soon, start, start_with, told,
};
use prost::Message;
use queqiao_proto::v1::{self, match_service_client::MatchServiceClient};
use queqiao_server::{Server, ServerConfig};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Request, Status, codec::CompressionEncoding};
use tonic_types::StatusExt;

const MATCH: &str = "/queqiao.v1.MatchService/Match";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused() {
    let s = start_with(ServerConfig {
        max_request_bytes: 1 << 20,
        ..config()
    })
    .await;
    let large = question(&"膜".repeat(500_000));
    check(
        s.matches().r#match(large).await,
        Code::ResourceExhausted,
        "REQUEST_TOO_LARGE",
        &[],
    );
    assert!(s.ask("膜").await.is_ok(), "the connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decompression_bomb_is_refused() {
    let s = start_with(ServerConfig {
        max_request_bytes: 1 << 20,
        ..config()
    })
    .await;
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let mut c = s.matches().send_compressed(encoding);
        assert!(
            c.r#match(question("膜分离")).await.is_ok(),
            "{encoding:?} is read"
        );
        // 64 MB that travel as some 64 kB.
        let e = c.r#match(question(&"a".repeat(64 << 20))).await;
        check(e, Code::ResourceExhausted, "REQUEST_TOO_LARGE", &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_not_sent() {
    let s = start_with(ServerConfig {
        max_response_bytes: 10_000,
        ..config()
    })
    .await;
    let mut r = expert("e", "甲", "膜分离");
    r.passages = vec![v1::Passage {
        text: "x".repeat(20_000),
        ..Default::default()
    }];
    let upsert = v1::UpsertRecordRequest {
        record: Some(r),
        ..Default::default()
    };
    check(
        s.records().upsert_record(upsert).await,
        Code::ResourceExhausted,
        "RESPONSE_TOO_LARGE",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_message_that_unfolds_to_a_large_one_is_refused() {
    let s = start().await;
    let batch = v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records: vec![v1::Record::default(); 500_000],
        ..Default::default()
    };
    check(
        s.records().batch_upsert_records(batch).await,
        Code::ResourceExhausted,
        "REQUEST_TOO_LARGE",
        &[],
    );
}

/// `MatchRequest` with bytes where text has to stand.
#[derive(Clone, PartialEq, Message)]
struct NotText {
    #[prost(bytes, tag = "1")]
    parent: Vec<u8>,
}

async fn raw<M: Message + Default + 'static>(
    s: &crate::support::Running,
    path: &'static str,
    message: M,
) -> Status {
    let mut grpc = tonic::client::Grpc::new(s.channel.clone());
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<M, v1::MatchResponse>::default();
    grpc.unary(
        Request::new(message),
        http::uri::PathAndQuery::from_static(path),
        codec,
    )
    .await
    .unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let s = start().await;
    let e = raw(
        &s,
        MATCH,
        NotText {
            parent: vec![0xff, 0xfe],
        },
    )
    .await;
    let (code, reason, _) = told(&e);
    assert_eq!(
        (code, reason.as_str()),
        (Code::InvalidArgument, "UNREADABLE_REQUEST")
    );
    assert!(e.message().contains("UTF-8"), "{e}");
    let e = raw(&s, "/queqiao.v1.MatchService/Nothing", NotText::default()).await;
    assert_eq!(told(&e).1, "UNKNOWN_METHOD");
    let e = raw(&s, "/no.such.Service/At", NotText::default()).await;
    assert_eq!(told(&e).0, Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_work_are_counted_over_all_connections() {
    let s = start_with(ServerConfig {
        max_concurrent_requests: 1,
        ..config()
    })
    .await;
    let mut first = s.matches();
    let slow = tokio::spawn(async move { first.r#match(question("WAIT")).await });
    s.gate.waited_at().await;
    let mut second = MatchServiceClient::new(connect(s.addr).await);
    let e = second.r#match(question("膜")).await;
    let e = check(e, Code::Unavailable, "OVERLOADED", &[]);
    assert_eq!(
        e.get_details_retry_info().unwrap().retry_delay,
        Some(Duration::from_secs(1))
    );
    // Health is answered at any load.
    let mut health = tonic_health::pb::health_client::HealthClient::new(connect(s.addr).await);
    assert!(
        health
            .check(tonic_health::pb::HealthCheckRequest::default())
            .await
            .is_ok()
    );
    s.gate.open();
    assert!(slow.await.unwrap().is_ok());
    assert!(second.r#match(question("膜")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_for_a_thread_is_told_in_time_to_ask_elsewhere() {
    let s = start_with(ServerConfig {
        workers: 1,
        ..config()
    })
    .await;
    let mut first = s.matches();
    let slow = tokio::spawn(async move { first.r#match(question("WAIT")).await });
    s.gate.waited_at().await;
    let mut ask = Request::new(question("膜"));
    ask.set_timeout(Duration::from_secs(2));
    let e = check(
        s.matches().r#match(ask).await,
        Code::Unavailable,
        "OVERLOADED",
        &[],
    );
    assert!(e.get_details_retry_info().unwrap().retry_delay.is_some());
    s.gate.open();
    assert!(slow.await.unwrap().is_ok());
    assert!(s.ask("膜").await.is_ok());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_memory_budget_nothing_more_is_stored_and_the_rest_goes_on() {
    let s = start_with(ServerConfig {
        memory_budget_mib: 1,
        ..config()
    })
    .await;
    let one = v1::UpsertRecordRequest {
        record: Some(expert("e1", "甲", "膜")),
        ..v1::UpsertRecordRequest::default()
    };
    let refused = s.records().upsert_record(one).await;
    let refused = check(refused, Code::ResourceExhausted, "MEMORY_BUDGET", &[]);
    assert!(refused.message().contains("memory_budget_mib"), "{refused}");
    let many = v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records: vec![expert("e1", "甲", "膜")],
        ..v1::BatchUpsertRecordsRequest::default()
    };
    let refused = s.records().batch_upsert_records(many).await;
    check(refused, Code::ResourceExhausted, "MEMORY_BUDGET", &[]);
    assert!(s.ask("膜").await.unwrap().matches.is_empty());
    let gone = v1::EraseRecordRequest {
        name: format!("{PARENT}/experts/e1"),
        ..v1::EraseRecordRequest::default()
    };
    let e = s.records().erase_record(gone).await.unwrap_err();
    assert_eq!(e.code(), Code::NotFound, "not for want of memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_deadline_holds() {
    let s = start_with(ServerConfig {
        request_timeout: Duration::from_millis(150),
        ..config()
    })
    .await;
    let started = Instant::now();
    check(
        soon(s.ask("WAIT")).await,
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        &[],
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(s.ask("膜").await.is_ok(), "others are served meanwhile");
}

/// A unary call over gRPC-web in HTTP/1.1, as a browser makes it: the answer's bytes as text.
async fn grpc_web(
    s: &crate::support::Running,
    headers: &str,
    message: &v1::MatchRequest,
) -> String {
    let body = message.encode_to_vec();
    let mut stream = TcpStream::connect(s.addr).await.unwrap();
    let head = format!(
        "POST {MATCH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/grpc-web+proto\r\n{headers}content-length: {}\r\n\r\n",
        body.len() + 5
    );
    let mut request = head.into_bytes();
    request.push(0);
    request.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    request.extend(body);
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_served_and_a_clients_deadline_holds() {
    let s = start().await;
    s.put(expert("e1", "张三", "膜分离")).await;
    let answer = grpc_web(&s, "x-request-id: job-7\r\n", &question("膜分离")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("grpc-status:0"),
        "{answer}"
    );
    assert!(answer.contains(&format!("{PARENT}/experts/e1")));
    assert!(answer.contains("x-request-id: job-7"), "{answer}");
    // The deadline is kept by the server here: this client only waits.
    let started = Instant::now();
    let answer = soon(grpc_web(&s, "grpc-timeout: 100m\r\n", &question("WAIT"))).await;
    assert!(
        answer.contains("grpc-status: 4") || answer.contains("grpc-status:4"),
        "{answer}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    let answer = grpc_web(&s, "grpc-timeout: soon\r\n", &question("膜")).await;
    assert!(
        answer.contains("grpc-status: 3") || answer.contains("grpc-status:3"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_an_answer_and_not_the_end() {
    let s = start().await;
    check(s.ask("PANIC").await, Code::Internal, "PANIC", &[]);
    assert!(s.ask("膜").await.is_ok());
    let put = v1::UpsertRecordRequest {
        record: Some(expert("e", "甲", "PANIC")),
        ..Default::default()
    };
    check(
        s.records().upsert_record(put).await,
        Code::Internal,
        "PANIC",
        &[],
    );
    s.put(expert("f", "甲", "膜分离")).await;
    assert_eq!(s.ask("膜分离").await.unwrap().matches.len(), 1);
}

/// How long the server keeps a connection on which `bytes` were sent; `None`: longer than `patience`.
async fn kept(addr: std::net::SocketAddr, bytes: &[u8], patience: Duration) -> Option<Duration> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    tokio::time::timeout(patience, stream.read_to_end(&mut answer))
        .await
        .ok()
        .map(|_| started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_speak_is_closed() {
    let quick = ServerConfig {
        handshake_timeout: Duration::from_millis(200),
        ..config()
    };
    let s = start_with(quick).await;
    let patience = Duration::from_secs(5);
    for bytes in [&b""[..], b"PRI * HTTP", b"GET / HT", b"\x16\x03\x01"] {
        let kept = kept(s.addr, bytes, patience).await;
        assert!(kept.is_some_and(|k| k < patience), "{bytes:?}: {kept:?}");
    }
    // One that speaks is kept.
    assert_eq!(
        kept(
            s.addr,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            Duration::from_millis(800)
        )
        .await,
        None
    );
    assert!(s.ask("膜").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let s = start_with(ServerConfig {
        idle_timeout: Duration::from_millis(300),
        handshake_timeout: Duration::from_millis(200),
        ..config()
    })
    .await;
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let kept = kept(s.addr, hello, Duration::from_secs(5)).await;
    assert!(
        kept.is_some_and(|k| k >= Duration::from_millis(250)),
        "{kept:?}"
    );
    let mut c = MatchServiceClient::new(connect(s.addr).await);
    let slow = tokio::spawn(async move { c.r#match(question("WAIT")).await });
    s.gate.waited_at().await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    s.gate.open();
    assert!(slow.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_capped() {
    let s = start_with(ServerConfig {
        max_connections: 3,
        ..config()
    })
    .await;
    // One is the test's own; two more fit.
    let held = [
        TcpStream::connect(s.addr).await.unwrap(),
        TcpStream::connect(s.addr).await.unwrap(),
    ];
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(kept(s.addr, b"", Duration::from_secs(5)).await.is_some());
    assert!(s.ask("膜").await.is_ok());
    drop(held);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut c = MatchServiceClient::new(connect(s.addr).await);
    assert!(c.r#match(question("膜")).await.is_ok(), "places come free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told() {
    let s = start().await;
    let e = Server::bind(
        ServerConfig {
            listen: s.addr,
            ..config()
        },
        Arc::clone(&s.engine),
    )
    .await
    .unwrap_err();
    let text = e.to_string();
    assert!(
        text.contains(&s.addr.to_string())
            && text.contains("in use")
            && text.contains("another port"),
        "{text}"
    );
    let open = ServerConfig {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..config()
    };
    let e = Server::bind(open, Arc::clone(&s.engine)).await.unwrap_err();
    assert!(e.to_string().contains("allow_insecure"), "{e}");
}
