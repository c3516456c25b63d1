//! Bytes that nobody sane would send get an answer, and the server goes on.

use crate::support::{Running, config, start_with};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use queqiao_server::ServerConfig;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn send(s: &Running, bytes: &[u8]) {
    let mut stream = TcpStream::connect(s.addr).await.unwrap();
    // The server may close while it is written to.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
}

#[test]
fn random_bytes_on_the_socket() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let s = start_with(ServerConfig {
            handshake_timeout: Duration::from_millis(200),
            ..config()
        })
        .await;
        let mut cases = TestRunner::new(Config::default());
        let bytes = proptest::collection::vec(any::<u8>(), 0..300);
        for i in 0..60 {
            let mut tail = bytes.new_tree(&mut cases).unwrap().current();
            if i % 2 == 0 {
                // Past the preface, where frames are read.
                let mut with = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
                with.append(&mut tail);
                tail = with;
            }
            send(&s, &tail).await;
        }
        assert!(s.ask("膜").await.is_ok());
    });
}
