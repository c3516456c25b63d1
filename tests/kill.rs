//! kill -9 against the real server under writes, with the log of acknowledgements kept here, outside:
//! nothing acknowledged is lost, no batch is torn, a retry applies once, and what is there is found.
//!
//! `QUEQIAO_KILLS=500 cargo test --release --test kill` is the long run; a few kills are part of every run.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use queqiao_proto::v1::{
    self, match_service_client::MatchServiceClient, record_service_client::RecordServiceClient,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use support::Server;
use tonic::transport::{Channel, Endpoint};

const WRITERS: u64 = 3;
/// Records of a batch; each writer writes the same ones again and again, with a new number.
const SIZE: u64 = 4;
const PARENT: &str = "tenants/default";

/// What a writer knows: the last batch that was acknowledged, and the one that was sent after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    acknowledged: u64,
    sent: u64,
}

type Log = Arc<Mutex<BTreeMap<u64, Known>>>;

fn batch(writer: u64, n: u64) -> v1::BatchUpsertRecordsRequest {
    let record = |i: u64| v1::Record {
        name: format!("{PARENT}/needs/w{writer}-{i}"),
        title: format!("{n}"),
        detail: Some(v1::record::Detail::Need(v1::Need {
            problem: format!("第 {n} 批：膜分离工艺的在线检测 {writer}"),
            ..Default::default()
        })),
        ..Default::default()
    };
    v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records: (0..SIZE).map(record).collect(),
        request_id: format!("00000000-0000-4000-8000-{writer:04x}{n:08x}"),
    }
}

async fn connect(server: &Server) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    endpoint.connect().await.unwrap()
}

/// Writes until told to stop, or until the server is gone.
async fn write(channel: Channel, writer: u64, log: Log, stop: Arc<AtomicBool>) {
    let mut client = RecordServiceClient::new(channel);
    while !stop.load(Ordering::Relaxed) {
        let n = {
            let mut log = log.lock().unwrap();
            let known = log.entry(writer).or_default();
            // The batch that was not acknowledged is sent again, with the same request id.
            if known.sent == known.acknowledged {
                known.sent += 1;
            }
            known.sent
        };
        if client.batch_upsert_records(batch(writer, n)).await.is_err() {
            return;
        }
        log.lock().unwrap().get_mut(&writer).unwrap().acknowledged = n;
    }
}

/// Everything that is stored: writer to the numbers of its records.
async fn stored(channel: Channel) -> BTreeMap<u64, Vec<u64>> {
    let mut client = RecordServiceClient::new(channel);
    let request = v1::ListRecordsRequest {
        parent: PARENT.into(),
        page_size: 1_000,
        ..Default::default()
    };
    let page = client.list_records(request).await.unwrap().into_inner();
    let mut out: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for r in page.records {
        let id = r.name.rsplit('/').next().unwrap();
        let writer = id[1..].split('-').next().unwrap().parse().unwrap();
        out.entry(writer)
            .or_default()
            .push(r.title.parse().unwrap());
    }
    out
}

/// What is wrong with what is stored, after what is known.
fn check(log: &BTreeMap<u64, Known>, stored: &BTreeMap<u64, Vec<u64>>) -> Result<(), String> {
    for (writer, known) in log {
        let found = stored.get(writer).map_or(&[][..], Vec::as_slice);
        let whole = found.is_empty() || found.len() == SIZE as usize;
        if !whole || found.iter().any(|n| *n != found[0]) {
            return Err(format!("writer {writer}: a batch is torn: {found:?}"));
        }
        let n = found.first().copied().unwrap_or(0);
        if n != known.acknowledged && n != known.sent {
            return Err(format!("writer {writer}: {known:?}, and {n} is there"));
        }
    }
    Ok(())
}

/// Every record that is stored is found by a match that asks for what it says.
async fn found(channel: Channel, stored: &BTreeMap<u64, Vec<u64>>) -> Result<(), String> {
    let mut client = MatchServiceClient::new(channel);
    for (writer, numbers) in stored {
        let request = v1::MatchRequest {
            parent: PARENT.into(),
            ask: Some(v1::match_request::Ask::Text(format!(
                "第 {} 批：膜分离工艺的在线检测 {writer}",
                numbers[0]
            ))),
            kinds: vec![v1::Kind::Need as i32],
            k: 100,
            ..Default::default()
        };
        let answer = client.r#match(request).await.map_err(|e| e.to_string())?;
        let of = format!("{PARENT}/needs/w{writer}-");
        let n = answer
            .into_inner()
            .matches
            .iter()
            .filter(|m| m.name.starts_with(&of))
            .count();
        if n != SIZE as usize {
            return Err(format!("writer {writer}: {n} of {SIZE} records are found"));
        }
    }
    Ok(())
}

/// Lets the writers write for a while, kills, starts anew, and checks.
async fn one_kill(server: Server, data: &Path, log: &Log, wait: Duration) -> Server {
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for w in 0..WRITERS {
        let channel = connect(&server).await;
        writers.push(tokio::spawn(write(
            channel,
            w,
            Arc::clone(log),
            Arc::clone(&stop),
        )));
    }
    // Each writes something first, then the kill comes at any moment of what follows.
    let count = |log: &Log| {
        log.lock()
            .unwrap()
            .values()
            .map(|k| k.acknowledged)
            .sum::<u64>()
    };
    let (before, began) = (count(log), Instant::now());
    while count(log) < before + WRITERS {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "nothing is acknowledged"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(wait).await;
    // Dropping it is kill -9.
    drop(server);
    stop.store(true, Ordering::Relaxed);
    for w in writers {
        w.await.unwrap();
    }
    let server = Server::start(data);
    let channel = connect(&server).await;
    let there = stored(channel.clone()).await;
    check(&log.lock().unwrap(), &there).unwrap();
    found(channel, &there).await.unwrap();
    server
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn kill_9_loses_nothing_acknowledged() {
    let kills = std::env::var("QUEQIAO_KILLS").map_or(3, |k| k.parse::<u64>().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let log = Log::default();
    let began = Instant::now();
    runtime().block_on(async {
        let mut server = Server::start(&data);
        let mut x = 11_u64;
        for _ in 0..kills {
            // Marsaglia's xorshift: other moments, the same in every run.
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            let wait = Duration::from_micros(30_000 + x % 270_000);
            server = one_kill(server, &data, &log, wait).await;
        }
    });
    let acknowledged: u64 = log.lock().unwrap().values().map(|k| k.acknowledged).sum();
    println!(
        "{kills} kills, {acknowledged} batches of {SIZE} acknowledged, none lost, none torn, {:.0} s",
        began.elapsed().as_secs_f64()
    );
    assert!(acknowledged > kills, "the writers got somewhere");
    // And whole, as the program itself sees it.
    let health = support::json(&[
        "doctor",
        "--data",
        data.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(health["store_sound"], true);
}

#[test]
fn the_check_would_notice() {
    let known = |acknowledged, sent| Known { acknowledged, sent };
    let log = BTreeMap::from([(0, known(7, 8))]);
    let stored = |numbers: &[u64]| BTreeMap::from([(0, numbers.to_vec())]);
    assert_eq!(check(&log, &stored(&[7; 4])), Ok(()));
    assert_eq!(
        check(&log, &stored(&[8; 4])),
        Ok(()),
        "written, not yet acknowledged"
    );
    for bad in [&[6; 4][..], &[9; 4], &[7, 7, 7], &[7, 7, 8, 8], &[]] {
        assert!(check(&log, &stored(bad)).is_err(), "{bad:?}");
    }
}

/// The negative control with the real server: a folder that goes back to an earlier moment has lost
/// what was acknowledged since, and that is noticed.
#[test]
fn a_folder_that_goes_back_in_time_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let log = Log::default();
    runtime().block_on(async {
        let server = Server::start(&data);
        let server = one_kill(server, &data, &log, Duration::from_millis(300)).await;
        drop(server);
        let earlier = std::fs::read(data.join("store.redb")).unwrap();
        let server = Server::start(&data);
        let server = one_kill(server, &data, &log, Duration::from_millis(300)).await;
        drop(server);
        std::fs::write(data.join("store.redb"), earlier).unwrap();
        let server = Server::start(&data);
        let there = stored(connect(&server).await).await;
        let lost = check(&log.lock().unwrap(), &there);
        assert!(lost.is_err(), "{log:?} {there:?}");
    });
}
