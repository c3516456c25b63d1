//! `AdminService.Backup`: a copy of one moment, checked, then sent.

use crate::{app::App, status};
use queqiao_proto::v1;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Bytes of one message.
const CHUNK: usize = 256 << 10;
/// Messages that wait for a slow reader.
const WAITING: usize = 4;
const PREFIX: &str = "backup-";
const SUFFIX: &str = ".tmp";

pub(super) type Chunks = ReceiverStream<Result<v1::BackupChunk, Status>>;

/// The copy on disk, removed when it is sent or the caller is gone.
struct Scratch {
    path: PathBuf,
    _turn: OwnedSemaphorePermit,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), "a backup's copy stays behind: {e}");
        }
    }
}

/// Removes copies that a server that was killed left behind.
pub(crate) fn clear_backups(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && (name.ends_with(SUFFIX) || name.ends_with(".tmp.partial")) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes and checks a copy; the answer sends it.
pub(super) async fn start(app: &Arc<App>, keys: bool) -> Result<Chunks, Status> {
    let turn = Arc::clone(&app.backups).try_acquire_owned().map_err(|_| {
        status::retry(
            "BACKUP_RUNNING",
            ("another backup is being made", "另一备份正在进行"),
        )
    })?;
    let copy = app
        .write(move |app| {
            let store = app.engine.store();
            let name = format!("{PREFIX}{}{SUFFIX}", uuid::Uuid::now_v7());
            let path = store.folder().join(name);
            let failed = |e: queqiao_engine::store::StoreError| {
                status::from_engine(e.into(), &status::nowhere)
            };
            if keys {
                store.keys_to(&path).map_err(failed)?;
                return Ok(Scratch { path, _turn: turn });
            }
            store.backup_to(&path).map_err(failed)?;
            let copy = Scratch { path, _turn: turn };
            let report = store.verify_backup(&copy.path).map_err(failed)?;
            if !report.is_sound() {
                tracing::error!(problems = ?report.problems, "a backup is not sound");
                return Err(status::internal("BACKUP_NOT_SOUND"));
            }
            Ok(copy)
        })
        .await?;
    let (tx, rx) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        if let Err(e) = send(&copy.path, &tx) {
            tracing::error!("a backup cannot be read: {e}");
            let _ = tx.blocking_send(Err(status::internal("INTERNAL")));
        }
        drop(copy);
    });
    Ok(ReceiverStream::new(rx))
}

/// Sends a file. A reader that is gone is no error.
fn send(path: &Path, to: &mpsc::Sender<Result<v1::BackupChunk, Status>>) -> std::io::Result<()> {
    let mut file = fs::File::open(path)?;
    let mut sum = blake3::Hasher::new();
    let mut size = 0_i64;
    loop {
        let mut data = Vec::with_capacity(CHUNK);
        let n = Read::by_ref(&mut file)
            .take(CHUNK as u64)
            .read_to_end(&mut data)?;
        let last = n == 0;
        sum.update(&data);
        size = size.saturating_add(i64::try_from(n).unwrap_or(i64::MAX));
        let chunk = v1::BackupChunk {
            data,
            size: if last { size } else { 0 },
            blake3: if last {
                sum.finalize().to_hex().to_string()
            } else {
                String::new()
            },
        };
        if to.blocking_send(Ok(chunk)).is_err() || last {
            return Ok(());
        }
    }
}
