//! A server with the test model and a data folder that goes away: for trying a client by hand.
//! `cargo run -p queqiao-server --example serve_test [ADDRESS]`; it ends on Ctrl-C.

use queqiao_engine::{Engine, EngineOptions, embed::testing::HashingEmbedder};
use queqiao_server::{Server, ServerConfig};
use std::{io::Write, sync::Arc};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = tempfile::tempdir()?;
    let model = Arc::new(HashingEmbedder::new(256, 1));
    let engine = Engine::open(&data.path().join("data"), model, EngineOptions::default())?;
    let listen = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let config = ServerConfig {
        listen: listen.parse()?,
        ..ServerConfig::default()
    };
    let server = Server::bind(config, Arc::new(engine)).await?;
    writeln!(std::io::stdout(), "{}", server.local_addr())?;
    let drained = server
        .serve(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
    writeln!(std::io::stdout(), "{drained:?}")?;
    Ok(())
}
