//! What an operator sees of a server: probes, figures, the audit trail, quotas.

use crate::{
    access::{guarded_with, with},
    support::{PARENT, Running, check, config, expert, question, start, start_with},
};
use queqiao_proto::v1;
use queqiao_server::{AuditConfig, ServerConfig, verify_audit};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

/// A plain GET: the answer's first line, and its body.
async fn get(s: &Running, path: &str, header: &str) -> (String, String) {
    let mut stream = TcpStream::connect(s.addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap().to_owned();
    (status, body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_figures_stand_beside_grpc() {
    let s = start().await;
    assert_eq!(get(&s, "/healthz", "").await.0, "HTTP/1.1 200 OK");
    let (status, body) = get(&s, "/readyz", "").await;
    assert_eq!(
        (status.as_str(), body.contains("ready")),
        ("HTTP/1.1 200 OK", true)
    );
    s.put(expert("e1", "张三", "膜分离")).await;
    s.ask("膜").await.unwrap();
    s.ask("").await.unwrap_err();
    let (_, figures) = get(&s, "/metrics", "").await;
    for line in [
        "queqiao_requests_total{method=\"Match\",code=\"OK\"} 1",
        "queqiao_requests_total{method=\"Match\",code=\"INVALID_ARGUMENT\"} 1",
        "queqiao_requests_total{method=\"UpsertRecord\",code=\"OK\"} 1",
        "queqiao_request_duration_seconds_count{method=\"Match\"} 2",
        "queqiao_records{kind=\"expert\"} 1",
        "queqiao_serving 1",
        "queqiao_requests_in_flight 0",
        "# EOF",
    ] {
        assert!(figures.contains(line), "no {line} in\n{figures}");
    }
    // Neither whose records, nor what they say.
    assert!(!figures.contains("张三") && !figures.contains("tenant="));
    // A path that is nobody's makes no series of its own.
    for i in 0..5 {
        get(&s, &format!("/nothing/{i}"), "").await;
    }
    let (_, figures) = get(&s, "/metrics", "").await;
    assert!(!figures.contains("nothing"), "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_the_role_monitor() {
    let g = guarded_with(config()).await;
    let reader = g.key("reader", "*").await;
    let some = g.key("monitor", "t").await;
    let monitor = g.key("monitor", "*").await;
    let status = async |key: &str| {
        let header = format!("authorization: Bearer {key}\r\n");
        get(&g.s, "/metrics", &header).await.0
    };
    assert_eq!(
        get(&g.s, "/metrics", "").await.0,
        "HTTP/1.1 401 Unauthorized"
    );
    assert_eq!(status(&reader).await, "HTTP/1.1 403 Forbidden");
    assert_eq!(status(&some).await, "HTTP/1.1 403 Forbidden");
    assert_eq!(status(&monitor).await, "HTTP/1.1 200 OK");
    assert_eq!(get(&g.s, "/healthz", "").await.0, "HTTP/1.1 200 OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_says_who_did_what_and_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("audit");
    let g = guarded_with(ServerConfig {
        audit: Some(AuditConfig::new(folder.clone())),
        ..config()
    })
    .await;
    let writer = g.key("writer", "t").await;
    let stranger = g.key("writer", "u").await;
    let upsert = |id: &str| v1::UpsertRecordRequest {
        record: Some(expert(id, "机密姓名", "机密方向")),
        ..Default::default()
    };
    let mut records = g.s.records();
    records
        .upsert_record(with(upsert("e1"), Some(&writer)))
        .await
        .unwrap();
    records
        .upsert_record(with(upsert("e1"), Some(&stranger)))
        .await
        .unwrap_err();
    records
        .upsert_record(with(upsert("e1"), None))
        .await
        .unwrap_err();
    let batch = v1::BatchDeleteRecordsRequest {
        parent: PARENT.into(),
        names: vec![
            format!("{PARENT}/experts/e1"),
            format!("{PARENT}/experts/e9"),
        ],
        ..Default::default()
    };
    records
        .batch_delete_records(with(batch, Some(&writer)))
        .await
        .unwrap_err();
    // Reads leave no trace, unless they are refused.
    g.s.matches()
        .r#match(with(question("膜"), Some(&writer)))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    verify_audit(&folder, None).unwrap();
    let text = std::fs::read_to_string(folder.join("audit-000001.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .filter(|l: &serde_json::Value| l["action"] != "service.start")
        .collect();
    let told: Vec<(&str, &str, usize)> = lines
        .iter()
        .map(|l| {
            (
                l["action"].as_str().unwrap().rsplit('/').next().unwrap(),
                l["result"].as_str().unwrap(),
                l["objects"].as_array().map_or(0, Vec::len),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("UpsertRecord", "OK", 1),
            ("UpsertRecord", "PERMISSION_DENIED", 1),
            ("UpsertRecord", "UNAUTHENTICATED", 0),
            ("BatchDeleteRecords", "NOT_FOUND", 2),
        ]
    );
    let first = &lines[0];
    assert_eq!(first["objects"][0], format!("{PARENT}/experts/e1"));
    assert_eq!(first["tenant"], "t");
    assert!(first["subject"].as_str().unwrap().starts_with("key:"));
    assert!(first["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(first["time"].as_str().unwrap().ends_with("+08:00"));
    assert_eq!(lines[2]["subject"], "anyone");
    for secret in ["机密", writer.as_str(), stranger.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_leaves_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("audit");
    let s = start_with(ServerConfig {
        audit: Some(AuditConfig::new(folder.clone())),
        ..config()
    })
    .await;
    let mut records = s.records();
    let upsert = v1::UpsertRecordRequest {
        record: Some(expert("e1", "甲", "WAIT 膜")),
        ..Default::default()
    };
    let call = tokio::spawn(async move { records.upsert_record(upsert).await });
    s.gate.waited_at().await;
    call.abort();
    let trail = folder.join("audit-000001.jsonl");
    let told = async || {
        loop {
            let text = std::fs::read_to_string(&trail).unwrap();
            if text.contains("CANCELLED") {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let text = crate::support::soon(told()).await;
    assert!(text.contains(&format!("{PARENT}/experts/e1")));
    s.gate.open();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let g = guarded_with(ServerConfig {
        requests_per_second: 3,
        ..config()
    })
    .await;
    let (one, other) = (g.key("reader", "t").await, g.key("reader", "t").await);
    let ask = async |key: &str| g.s.matches().r#match(with(question("膜"), Some(key))).await;
    for _ in 0..3 {
        ask(&one).await.unwrap();
    }
    let e = check(
        ask(&one).await,
        Code::ResourceExhausted,
        "QUOTA_EXCEEDED",
        &[],
    );
    let wait = tonic_types::StatusExt::get_details_retry_info(&e).unwrap();
    let wait = wait.retry_delay.unwrap();
    assert!(wait <= Duration::from_millis(350), "{wait:?}");
    assert!(ask(&other).await.is_ok(), "others are not touched");
    tokio::time::sleep(wait).await;
    assert!(ask(&one).await.is_ok());
}

/// Names of metrics in a text that may hold anything else.
fn named(text: &str) -> std::collections::BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|w| {
            let mut rest = ["queqiao_", "process_"].iter();
            rest.any(|p| w.strip_prefix(p).is_some_and(|r| !r.is_empty()))
        })
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_alerts_name_figures_that_there_are() {
    let s = start_with(ServerConfig {
        slow_request: Duration::from_millis(1),
        ..config()
    })
    .await;
    s.put(expert("e1", "张三", "膜分离")).await;
    let (_, figures) = get(&s, "/metrics", "").await;
    let mut there = std::collections::BTreeSet::new();
    for line in figures.lines() {
        if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            let suffixes: &[&str] = match kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            there.extend(suffixes.iter().map(|s| format!("{name}{s}")));
        }
    }
    let ops = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops");
    let read = |file: &str| std::fs::read_to_string(ops.join(file)).unwrap();
    let dashboard = read("grafana/queqiao.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    for (file, text) in [
        ("dashboard", dashboard),
        ("alerts", read("prometheus/alerts.yml")),
    ] {
        let wanted = named(&text);
        assert!(wanted.len() >= 8, "{file}: {wanted:?}");
        let missing: Vec<_> = wanted.difference(&there).collect();
        assert!(
            missing.is_empty(),
            "{file} names {missing:?}; there are {there:?}"
        );
    }
    // What the server tells of itself is watched by somebody.
    let all = named(&read("grafana/queqiao.json"));
    let alerts = named(&read("prometheus/alerts.yml"));
    for name in &there {
        let base = name
            .trim_end_matches("_bucket")
            .trim_end_matches("_sum")
            .trim_end_matches("_count");
        let watched =
            |set: &std::collections::BTreeSet<String>| set.iter().any(|n| n.starts_with(base));
        assert!(watched(&all) || watched(&alerts), "nobody looks at {name}");
    }
}
