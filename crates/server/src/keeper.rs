//! Housekeeping: what was deleted long ago is purged, and files of indexes that hold traces of erased
//! records are written anew.

use crate::app::App;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// After the start, before the first round: a server that starts has other things to do.
const FIRST: Duration = Duration::from_secs(60);

/// Keeps house until the task is aborted; a round that was begun ends by itself.
pub(crate) fn start(app: &Arc<App>) -> Option<JoinHandle<()>> {
    let every = app.config.housekeeping;
    let app = Arc::clone(app);
    (!every.is_zero()).then(|| {
        tokio::spawn(async move {
            let mut wait = FIRST.min(every);
            loop {
                tokio::time::sleep(wait).await;
                wait = every;
                let app = Arc::clone(&app);
                // A thread of its own: a round takes as long as building an index.
                if tokio::task::spawn_blocking(move || round(&app))
                    .await
                    .is_err()
                {
                    tracing::error!("housekeeping was broken off");
                }
            }
        })
    })
}

fn round(app: &App) {
    if let Err(e) = app.engine.store().finish_erasures() {
        tracing::error!("keys of erased records are not destroyed: {e}");
    }
    match app.engine.purge() {
        Ok(0) => {}
        Ok(records) => tracing::info!(records, "purged"),
        Err(e) => tracing::error!("deleted records could not be purged: {e}"),
    }
    match app.engine.rewrite_erased() {
        Ok(0) => {}
        Ok(tenants) => tracing::info!(tenants, "indexes written anew without erased records"),
        Err(e) => tracing::error!("indexes could not be written anew after erasures: {e}"),
    }
}
