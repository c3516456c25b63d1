//! What the clients ask for.

use anyhow::Result;
use queqiao_benches::texts::Language;
use queqiao_proto::v1::{
    self, match_service_client::MatchServiceClient, record_service_client::RecordServiceClient,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{sync::Arc, time::Duration};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};

pub(crate) const PARENT: &str = "tenants/load";
/// One request in so many is a write.
const WRITES: u64 = 10;
/// A request that is not answered by then is an error.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Connections, one to a client, and the words they use.
pub(crate) struct Clients(pub(crate) Vec<Channel>, pub(crate) Arc<Language>);

impl Clients {
    pub(crate) async fn connect(address: &str, n: usize, language: Language) -> Result<Self> {
        let mut all = Vec::with_capacity(n);
        for _ in 0..n {
            all.push(Endpoint::from_shared(address.to_owned())?.connect().await?);
        }
        Ok(Clients(all, Arc::new(language)))
    }

    pub(crate) fn of(&self, request: u64) -> Channel {
        self.0[usize::try_from(request).unwrap_or(0) % self.0.len()].clone()
    }
}

/// An expert with five passages, of which the first ends in a word.
pub(crate) fn record(language: &Language, n: u64, word: &str) -> v1::Record {
    let mut rng = ChaCha8Rng::seed_from_u64(n);
    let invented = language.record(&mut rng, n);
    let mut passages: Vec<v1::Passage> = invented
        .passages
        .into_iter()
        .map(|text| v1::Passage {
            text,
            ..Default::default()
        })
        .collect();
    passages[0].text.push_str(word);
    v1::Record {
        name: format!("{PARENT}/experts/{}", invented.id),
        title: format!("虚构专家{n}"),
        passages,
        detail: Some(v1::record::Detail::Expert(v1::Expert {
            research: vec![invented.title],
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    /// Refused at once, as it should be when there is too much: UNAVAILABLE.
    Shed,
    /// Not answered within its deadline.
    Late,
    Failed,
    /// A write was acknowledged, and a question right after did not find it.
    NotVisible,
}

fn ended(e: &Status) -> End {
    match e.code() {
        tonic::Code::Unavailable => End::Shed,
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => End::Late,
        _ => End::Failed,
    }
}

fn with_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

async fn ask(channel: Channel, text: String, k: i32) -> Result<v1::MatchResponse, Status> {
    let request = v1::MatchRequest {
        parent: PARENT.into(),
        ask: Some(v1::match_request::Ask::Text(text)),
        k,
        ..Default::default()
    };
    let answer = MatchServiceClient::new(channel)
        .r#match(with_deadline(request))
        .await?;
    Ok(answer.into_inner())
}

/// Request `n` of a run: a match, or a write of a record with a word of its own, which may be asked for at once;
/// and how many calls were answered.
pub(crate) async fn request(
    language: &Language,
    channel: Channel,
    n: u64,
    check: bool,
) -> (End, u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(n ^ 0x5eed);
    if !n.is_multiple_of(WRITES) {
        return match ask(channel, language.question(&mut rng), 10).await {
            Ok(_) => (End::Done, 1),
            Err(e) => (ended(&e), 0),
        };
    }
    // Letters that stand in no other record.
    let word: String = (0..12)
        .map(|_| char::from(b'a' + rng.random_range(0..26_u8)))
        .collect();
    let record = record(language, 1_000_000_000 + n, &format!(" {word} "));
    let name = record.name.clone();
    let upsert = v1::UpsertRecordRequest {
        record: Some(record),
        ..Default::default()
    };
    let written = RecordServiceClient::new(channel.clone())
        .upsert_record(with_deadline(upsert))
        .await;
    match written {
        Err(e) => (ended(&e), 0),
        Ok(_) if !check => (End::Done, 1),
        Ok(_) => match ask(channel, word, 3).await {
            Ok(found) if found.matches.iter().any(|m| m.name == name) => (End::Done, 2),
            Ok(_) => (End::NotVisible, 2),
            // The write was done; the question about it counts as its own.
            Err(e) => (ended(&e), 1),
        },
    }
}
