//! Filling the server, and asking it in closed and in open loop.

use super::{
    figures::Figures,
    server::Program,
    work::{Clients, DEADLINE, PARENT, record, request},
};
use anyhow::Result;
use queqiao_proto::v1::{
    self, admin_service_client::AdminServiceClient, record_service_client::RecordServiceClient,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{sync::mpsc, task::JoinSet};
use tonic::transport::Channel;

const BATCH: usize = 500;
/// Requests that this side keeps open at most: what is beyond them counts as late without being sent, so that
/// it measures the server and not itself.
const OPEN: usize = 20_000;

/// Numbers of requests, never used twice: each write is of a record of its own.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// How many records there are. On a folder that holds some, requests get numbers by the clock: none writes a record
/// of an earlier run.
pub(crate) async fn stored(clients: &Clients) -> Result<usize> {
    let told = statistics(&mut AdminServiceClient::new(clients.of(0))).await?;
    let count: i64 = told.records.iter().map(|k| k.count).sum();
    if count > 0 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        NEXT.store(now.as_secs() << 20, Ordering::Relaxed);
    }
    Ok(usize::try_from(count)?)
}

async fn statistics(admin: &mut AdminServiceClient<Channel>) -> Result<v1::Statistics> {
    let asked = v1::GetStatisticsRequest {
        parent: PARENT.into(),
    };
    Ok(admin.get_statistics(asked).await?.into_inner())
}

/// Stores the records from one number to another.
pub(crate) async fn fill(clients: &Clients, first: usize, records: usize) -> Result<Duration> {
    let began = Instant::now();
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    for from in (first..records).step_by(BATCH) {
        if tasks.len() >= 4
            && let Some(done) = tasks.join_next().await
        {
            done??;
        }
        let to = (from + BATCH).min(records);
        let channel = clients.of(from as u64 / BATCH as u64);
        let language = Arc::clone(&clients.1);
        tasks.spawn(async move {
            let batch = v1::BatchUpsertRecordsRequest {
                parent: PARENT.into(),
                records: (from..to)
                    .map(|n| record(&language, n as u64, ""))
                    .collect(),
                ..Default::default()
            };
            RecordServiceClient::new(channel)
                .batch_upsert_records(batch)
                .await?;
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

/// Waits until the server has done in the background what the writes before left to do, or for so long: how long that
/// took, and the passages that still have no graph.
pub(crate) async fn settle(clients: &Clients, most: Duration) -> Result<(Duration, i64)> {
    let began = Instant::now();
    let mut admin = AdminServiceClient::new(clients.of(0));
    loop {
        let told = statistics(&mut admin).await?;
        if !told.indexing || began.elapsed() >= most {
            return Ok((began.elapsed(), told.pending_passage_count));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Every client asks, and asks again when it is answered: requests a second.
pub(crate) async fn closed(clients: &Clients, time: Duration) -> Result<f64> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for channel in clients.0.clone() {
        let language = Arc::clone(&clients.1);
        tasks.spawn(async move {
            let mut done = 0_u64;
            while began.elapsed() < time {
                let n = NEXT.fetch_add(1, Ordering::Relaxed);
                done += request(&language, channel.clone(), n, false).await.1;
            }
            done
        });
    }
    let mut sum = 0;
    while let Some(done) = tasks.join_next().await {
        sum += done?;
    }
    Ok(sum as f64 / began.elapsed().as_secs_f64())
}

/// Asks `rate` times a second whatever becomes of it.
pub(crate) async fn open(
    clients: &Clients,
    program: &Program,
    rate: f64,
    time: Duration,
) -> Result<Figures> {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let mut figures = Figures::default();
    let mut sampled = began;
    let total = (rate * time.as_secs_f64()) as u64;
    for i in 0..total {
        let intended = began + Duration::from_secs_f64(i as f64 / rate);
        let now = Instant::now();
        if intended > now {
            tokio::time::sleep_until(intended.into()).await;
        }
        if sampled.elapsed() >= Duration::from_secs(1) {
            sampled = Instant::now();
            let memory = [program.resident_mib(), program.own_mib()];
            figures.memory.push(memory);
        }
        if open.load(Ordering::Relaxed) >= OPEN {
            figures.late += 1;
            continue;
        }
        most.fetch_max(open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let (channel, tx, open) = (clients.of(n), tx.clone(), Arc::clone(&open));
        let language = Arc::clone(&clients.1);
        tokio::spawn(async move {
            let (end, calls) = request(&language, channel, n, true).await;
            open.fetch_sub(1, Ordering::Relaxed);
            let _ = tx.send((end, calls, intended.elapsed()));
        });
    }
    drop(tx);
    let end = tokio::time::Instant::now() + DEADLINE * 3;
    while let Ok(Some((end, calls, latency))) = tokio::time::timeout_at(end, rx.recv()).await {
        figures.take(end, latency);
        figures.calls += calls;
    }
    figures.seconds = began.elapsed().as_secs_f64();
    figures.latencies.sort_unstable();
    figures.most_open = most.load(Ordering::Relaxed);
    Ok(figures)
}
