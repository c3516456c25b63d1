//! A disk in memory that can lose power and run full.

use crate::vault::{Master, Slots, Vault};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use redb::StorageBackend;
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

const SECTOR: usize = 512;

/// One master key for all disks.
fn master_file() -> PathBuf {
    static FILE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = FILE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let master = Master::draw().unwrap();
        master.write_new(&dir.path().join("master.key")).unwrap();
        dir
    });
    dir.path().join("master.key")
}

/// What a disk does wrong.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// Power fails after so many writes and syncs.
    pub(super) power_after: Option<u64>,
    /// `sync_data` says it is done and does nothing.
    pub(super) lies: bool,
    /// Writes fail when they would use more than so many sectors.
    pub(super) sectors: Option<usize>,
    /// The system made the disk read-only after an error, after so many writes and syncs.
    pub(super) read_only_after: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    now: Vec<u8>,
    /// What a power cut leaves for sure.
    synced: Vec<u8>,
    /// Sectors written since the last sync, in order.
    pending: Vec<(usize, [u8; SECTOR])>,
    used: BTreeSet<usize>,
    opened: bool,
    operations: u64,
    faults: Faults,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>, Arc<Mutex<Vec<u8>>>);

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The keys, on a disk that keeps what it is given.
    pub(super) fn vault(&self) -> Arc<Vault> {
        let master = || Master::read(&master_file()).unwrap();
        let slots = Slots::Memory(Arc::clone(&self.1));
        let empty = self.1.lock().unwrap().is_empty();
        let vault = if empty {
            Vault::create(Path::new("vault"), slots, master())
        } else {
            Vault::open(Path::new("vault"), slots, master())
        };
        Arc::new(vault.unwrap())
    }

    pub(super) fn len(&self) -> usize {
        self.state().now.len()
    }

    pub(super) fn first_open(&self) -> bool {
        !std::mem::replace(&mut self.state().opened, true)
    }

    pub(super) fn set(&self, faults: Faults) {
        let mut s = self.state();
        s.operations = 0;
        s.faults = faults;
    }

    pub(super) fn sectors_used(&self) -> usize {
        self.state().used.len()
    }

    /// The disk after a power cut: what was synced, and of what was not, each sector by chance.
    pub(super) fn cut(&self, rng: &mut ChaCha8Rng) -> Disk {
        let s = self.state();
        let mut bytes = s.synced.clone();
        if rng.random_bool(0.5) && s.now.len() > bytes.len() {
            bytes.resize(s.now.len(), 0);
        }
        let kept = [0.0, 0.2, 0.5, 0.8, 1.0][rng.random_range(0..5)];
        for (sector, content) in &s.pending {
            if rng.random_bool(kept) {
                let at = sector * SECTOR;
                let end = bytes.len().max(at + SECTOR);
                bytes.resize(end, 0);
                bytes[at..at + SECTOR].copy_from_slice(content);
            }
        }
        let state = State {
            now: bytes.clone(),
            synced: bytes,
            opened: true,
            ..State::default()
        };
        Disk(Arc::new(Mutex::new(state)), Arc::clone(&self.1))
    }
}

impl State {
    /// Counts an operation; after the power cut all fail.
    fn operation(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.faults.power_after {
            Some(n) if self.operations > n => return Err(io::Error::other("no power")),
            _ => {}
        }
        match self.faults.read_only_after {
            Some(n) if self.operations > n => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let s = self.state();
        let at = offset as usize;
        let bytes = s.now.get(at..at + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut s = self.state();
        s.operation()?;
        s.now.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut s = self.state();
        s.operation()?;
        if !s.faults.lies {
            s.synced = s.now.clone();
            s.pending.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut s = self.state();
        s.operation()?;
        let at = offset as usize;
        let touched = at / SECTOR..(at + data.len()).div_ceil(SECTOR);
        if let Some(limit) = s.faults.sectors {
            let new = touched.clone().filter(|i| !s.used.contains(i)).count();
            if s.used.len() + new > limit {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        s.now[at..at + data.len()].copy_from_slice(data);
        for sector in touched {
            let mut content = [0; SECTOR];
            let end = s.now.len().min((sector + 1) * SECTOR);
            let bytes = &s.now[sector * SECTOR..end];
            content[..bytes.len()].copy_from_slice(bytes);
            s.pending.push((sector, content));
            s.used.insert(sector);
        }
        Ok(())
    }
}
