//! Files that are read again when they change.

use super::{AccessError, KeyFile};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// A key that is made or revoked counts after at most this long.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// A key file, read again when it changes.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    looked: Instant,
    stamp: Option<Stamp>,
    /// `None` until the file is first seen. Once it was, nobody is let in without a key again,
    /// also when the file goes away.
    keys: Option<Arc<KeyFile>>,
}

/// Tells one state of the file from another: it is replaced as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
    file: u64,
}

impl Ring {
    pub(super) fn open(path: &Path) -> Result<Self, AccessError> {
        let (stamp, keys) = match stamp(path) {
            Ok(s) => (Some(s), Some(Arc::new(KeyFile::read(path)?))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => (None, None),
            // Reading it tells what is wrong.
            Err(_) => (None, Some(Arc::new(KeyFile::read(path)?))),
        };
        Ok(Ring {
            path: path.to_owned(),
            state: Mutex::new(State {
                looked: Instant::now(),
                stamp,
                keys,
            }),
        })
    }

    /// The keys as they are now, or were a moment ago.
    pub(super) fn keys(&self) -> Option<Arc<KeyFile>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            self.refresh(&mut state);
        }
        state.keys.clone()
    }

    fn refresh(&self, state: &mut State) {
        let path = self.path.display();
        match stamp(&self.path) {
            Ok(s) if state.stamp == Some(s) => {}
            Ok(s) => match KeyFile::read(&self.path) {
                Ok(keys) => {
                    tracing::info!(file = %path, keys = keys.keys.len(), "keys read");
                    state.keys = Some(Arc::new(keys));
                    state.stamp = Some(s);
                }
                Err(e) => {
                    tracing::error!(file = %path, "the keys do not read; those from before stay: {}", e.message())
                }
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                if state.stamp.take().is_some() {
                    tracing::error!(file = %path, "the key file is gone: nobody is let in");
                    state.keys = state.keys.as_deref().map(|k| {
                        let mut none = k.clone();
                        none.keys.clear();
                        Arc::new(none)
                    });
                }
            }
            Err(e) => tracing::error!(file = %path, "the key file cannot be looked at: {e}"),
        }
    }
}

pub(super) fn stamp(path: &Path) -> io::Result<Stamp> {
    let m = fs::metadata(path)?;
    Ok(Stamp {
        changed: m.modified().ok(),
        length: m.len(),
        #[cfg(unix)]
        file: std::os::unix::fs::MetadataExt::ino(&m),
        #[cfg(not(unix))]
        file: 0,
    })
}
