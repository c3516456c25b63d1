//! Two servers behind a balancer in the client are replaced, one after the other, under load.

use crate::support::{Running, config, expert, question, start, start_with};
use queqiao_proto::v1::{
    match_service_client::MatchServiceClient, record_service_client::RecordServiceClient,
};
use queqiao_server::{Drained, ServerConfig};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

/// Waits of a client that follows the advice of UNAVAILABLE: try again.
const TRIES: u32 = 8;

fn balanced(addresses: [SocketAddr; 2]) -> Channel {
    Channel::balance_list(addresses.into_iter().map(|a| {
        Endpoint::from_shared(format!("http://{a}"))
            .unwrap()
            .connect_timeout(Duration::from_secs(1))
    }))
}

/// Asks until it is answered, as gRPC's retry policy for UNAVAILABLE does; counts what had to be asked again.
async fn asked(channel: &Channel, again: &AtomicU64) -> Result<(), Status> {
    let mut wait = Duration::from_millis(20);
    for n in 1.. {
        let answer = MatchServiceClient::new(channel.clone())
            .r#match(question("膜分离"))
            .await;
        match answer {
            // A server that has just started has no records here; each has a folder of its own.
            Ok(_) => return Ok(()),
            Err(e) if (e.code() == Code::Unavailable || never_sent(&e)) && n < TRIES => {
                again.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            Err(e) => return Err(e),
        }
    }
    unreachable!()
}

/// Whether a request never reached a server that worked on it: gRPC clients send such a request again on
/// their own (transparent retry), tonic leaves that to its caller. Either it was still waiting in the
/// client when its connection closed, or it was written while the server said good-bye, whose GOAWAY
/// names the last request it took: tonic tells that of those beyond as INTERNAL. What a server cancels or
/// fails comes without a cause of the transport.
fn never_sent(e: &Status) -> bool {
    let Some(cause) = std::error::Error::source(e) else {
        return false;
    };
    let mut causes = std::iter::successors(Some(cause), |c| c.source());
    e.code() == Code::Cancelled
        || causes.any(|c| {
            c.downcast_ref::<h2::Error>().is_some_and(|e| {
                e.is_go_away() && e.is_remote() && e.reason() == Some(h2::Reason::NO_ERROR)
            })
        })
}

async fn at(addr: SocketAddr) -> Running {
    let s = start_with(ServerConfig {
        listen: addr,
        ..config()
    })
    .await;
    s.put(expert("e1", "张三", "膜分离")).await;
    s
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_of_two_servers_loses_no_request() {
    let (mut a, mut b) = (start().await, start().await);
    for s in [&a, &b] {
        s.put(expert("e1", "张三", "膜分离")).await;
    }
    let (first, second) = (a.addr, b.addr);
    let channel = balanced([first, second]);
    let over = Arc::new(AtomicBool::new(false));
    let again = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (channel, over, again) = (channel.clone(), Arc::clone(&over), Arc::clone(&again));
            tokio::spawn(async move {
                let mut done = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    asked(&channel, &again).await?;
                    done += 1;
                }
                Ok::<u64, Status>(done)
            })
        })
        .collect();
    let settle = || tokio::time::sleep(Duration::from_millis(300));
    settle().await;
    // None in hand is cut, and the next server has the port.
    assert_eq!(a.stop().await.unwrap(), Drained { cut: 0 });
    settle().await;
    let _a = at(first).await;
    settle().await;
    assert_eq!(b.stop().await.unwrap(), Drained { cut: 0 });
    settle().await;
    let _b = at(second).await;
    settle().await;
    over.store(true, Ordering::Relaxed);
    for client in clients {
        let done = client.await.unwrap();
        assert!(done.as_ref().is_ok_and(|n| *n > 0), "{done:?}");
    }
}

/// The control: with nobody else to ask, requests are lost, and the test would see it.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_second_server_requests_are_lost() {
    let mut a = start().await;
    a.put(expert("e1", "张三", "膜分离")).await;
    let channel = balanced([a.addr, a.addr]);
    let again = AtomicU64::new(0);
    asked(&channel, &again).await.unwrap();
    a.stop().await.unwrap();
    let e = asked(&channel, &again).await.unwrap_err();
    assert_eq!(e.code(), Code::Unavailable);
    let mut c = RecordServiceClient::new(channel);
    assert!(
        c.get_record(queqiao_proto::v1::GetRecordRequest::default())
            .await
            .is_err()
    );
}
