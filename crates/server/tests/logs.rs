//! What the log says of requests, and what it never says.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "wire/support.rs"]
mod support;

use queqiao_proto::v1;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use support::{expert, start};
use tracing_subscriber::EnvFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_told_and_what_they_hold_is_not() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(
            "debug,queqiao_server=trace,queqiao_engine=trace",
        ))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let s = start().await;
    let mut record = expert("e1", "机密姓名", "机密方向");
    if let Some(v1::record::Detail::Expert(e)) = &mut record.detail {
        e.contact = Some(v1::Contact {
            phone: "13912345678".into(),
            ..Default::default()
        });
    }
    s.put(record.clone()).await;
    s.ask("机密方向").await.unwrap();
    record.region = "机密地区".into();
    let bad = v1::UpsertRecordRequest {
        record: Some(record),
        ..Default::default()
    };
    s.records().upsert_record(bad).await.unwrap_err();
    let mut request = tonic::Request::new(support::question(""));
    request
        .metadata_mut()
        .insert("x-request-id", "job-7".parse().unwrap());
    s.matches().r#match(request).await.unwrap_err();
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let told = text
        .lines()
        .find(|l| l.contains("request_id=\"job-7\"") && l.contains("request code="));
    let told = told.unwrap_or_else(|| panic!("no line for job-7 in:\n{text}"));
    for part in [
        "method=\"/queqiao.v1.MatchService/Match\"",
        "tenant=\"t\"",
        "code=InvalidArgument",
        "ms=",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    for secret in ["13912345678", "机密"] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
}
