//! Services to be asked: ours over gRPC, others over HTTP with JSON.

use anyhow::{Context, Result, bail, ensure};
use queqiao_benches::texts::Invented;
use queqiao_proto::v1::{
    BatchUpsertRecordsRequest, Expert, Kind, MatchRequest, Passage, Record, UpsertRecordRequest,
    match_request::Ask, match_service_client::MatchServiceClient, record::Detail,
    record_service_client::RecordServiceClient,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::Child,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};
use tonic::transport::Channel;

const TENANT: &str = "tenants/default";

/// Matches that are asked for.
const K: i32 = 10;

/// A service, as one client sees it.
pub(crate) enum Target {
    Ours(Channel),
    Http {
        address: String,
        stream: Option<BufStream<TcpStream>>,
    },
}

impl Clone for Target {
    fn clone(&self) -> Self {
        match self {
            Target::Ours(channel) => Target::Ours(channel.clone()),
            Target::Http { address, .. } => Target::Http {
                address: address.clone(),
                stream: None,
            },
        }
    }
}

/// What a service says it listens on, in a line of its own.
pub(crate) fn address(child: &mut Child, prefix: &str) -> Result<String> {
    let out = child.stdout.take().context("a pipe")?;
    for line in BufReader::new(out).lines() {
        if let Some(address) = line?.trim().strip_prefix(prefix) {
            return Ok(address.to_owned());
        }
    }
    bail!("the service ended before it listened")
}

fn record(of: &Invented) -> Record {
    let passage = |text: &String| Passage {
        title: String::new(),
        text: text.clone(),
    };
    Record {
        name: format!("{TENANT}/experts/{}", of.id),
        title: of.title.clone(),
        passages: of.passages.iter().map(passage).collect(),
        detail: Some(Detail::Expert(Expert::default())),
        ..Record::default()
    }
}

fn plain(of: &Invented) -> Value {
    json!({"id": of.id, "title": of.title, "passages": of.passages})
}

impl Target {
    pub(crate) async fn connect(name: &str, address: &str) -> Result<Self> {
        if name == "queqiao" {
            let channel = Channel::from_shared(format!("http://{address}"))?;
            return Ok(Target::Ours(channel.connect().await?));
        }
        Ok(Target::Http {
            address: address.to_owned(),
            stream: None,
        })
    }

    /// Connects anew: each client has a connection of its own.
    pub(crate) async fn again(&mut self) -> Result<()> {
        if let Target::Http { address, stream } = self {
            let tcp = TcpStream::connect(address.as_str()).await?;
            tcp.set_nodelay(true)?;
            *stream = Some(BufStream::new(tcp));
        }
        Ok(())
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        if matches!(self, Target::Http { stream: None, .. }) {
            self.again().await?;
        }
        let Target::Http {
            address,
            stream: Some(stream),
        } = self
        else {
            bail!("no connection");
        };
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        ensure!(line.contains(" 200 "), "{path}: {line}");
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(n) = header.strip_prefix("content-length:") {
                length = n.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Writes many records in one step.
    pub(crate) async fn fill(&mut self, batch: &[Invented]) -> Result<()> {
        if let Target::Ours(channel) = self {
            RecordServiceClient::new(channel.clone())
                .batch_upsert_records(BatchUpsertRecordsRequest {
                    parent: TENANT.to_owned(),
                    records: batch.iter().map(record).collect(),
                    ..BatchUpsertRecordsRequest::default()
                })
                .await?;
            return Ok(());
        }
        let all: Vec<Value> = batch.iter().map(plain).collect();
        self.post("/fill", &json!(all)).await?;
        Ok(())
    }

    /// Says that all are there; some build their index now.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        if matches!(self, Target::Http { .. }) {
            self.post("/ready", &json!({})).await?;
        }
        Ok(())
    }

    /// Writes a record; it counts as written when this returns.
    pub(crate) async fn put(&mut self, of: &Invented) -> Result<()> {
        if let Target::Ours(channel) = self {
            RecordServiceClient::new(channel.clone())
                .upsert_record(UpsertRecordRequest {
                    record: Some(record(of)),
                    ..UpsertRecordRequest::default()
                })
                .await?;
            return Ok(());
        }
        self.post("/put", &plain(of)).await?;
        Ok(())
    }

    /// Ids of the best matches of a text.
    pub(crate) async fn ask(&mut self, text: &str) -> Result<Vec<String>> {
        if let Target::Ours(channel) = self {
            let answer = MatchServiceClient::new(channel.clone())
                .r#match(MatchRequest {
                    parent: TENANT.to_owned(),
                    ask: Some(Ask::Text(text.to_owned())),
                    kinds: vec![Kind::Expert as i32],
                    k: K,
                    omit_quotes: true,
                    ..MatchRequest::default()
                })
                .await?
                .into_inner();
            return Ok(answer.matches.into_iter().map(|m| m.id).collect());
        }
        let answer = self.post("/match", &json!({"text": text, "k": K})).await?;
        let ids = answer.as_array().context("ids")?.iter();
        Ok(ids.filter_map(|i| i.as_str().map(str::to_owned)).collect())
    }
}
