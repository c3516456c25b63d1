//! The keys of records, apart from the records: whoever destroys a key destroys every copy of what
//! it sealed, in backups too.
//!
//! ```text
//! header, 64 bytes   "QQVAULT1", the vault's id (16), a check of the master key (16)
//! slot k, 64 bytes   nonce (12), the key of record k sealed by the master key (48); all zero once destroyed
//! ```
//!
//! A slot lies within one sector and is written once, before any record is sealed with its key: slots
//! are made ahead, thousands at a time, and flushed, so that a write of records waits for no second
//! file. A destroyed slot is overwritten in place and flushed; its number is never used again.
//! Sealing is ChaCha20-Poly1305 with random nonces. The master key is a file of its own, and no backup
//! holds it.

mod files;
mod master;
mod slots;

pub use files::KeyFiles;
pub(crate) use master::Master;
pub(crate) use slots::Slots;

use crate::StoreError;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes of the header and of a slot.
const SLOT: usize = 64;
const MAGIC: &[u8; 8] = b"QQVAULT1";
/// Bytes of a key.
const KEY: usize = 32;
/// What sealing adds.
const TAG: usize = 16;
/// Slots made at a time.
const AHEAD: u64 = 4_096;

/// The keys of the records of one store.
pub(crate) struct Vault {
    path: PathBuf,
    slots: Slots,
    master: Master,
    /// Seals the keys of records.
    wrap: LessSafeKey,
    /// Seals what is of no record.
    common: LessSafeKey,
    id: u128,
    /// Slots that are there and on disk.
    len: AtomicU64,
    /// The keys of all erasures up to this sequence number are destroyed.
    destroyed: AtomicU64,
    /// Held while slots are made or destroyed.
    writer: Mutex<()>,
    random: SystemRandom,
}

/// What became of a key.
pub(crate) enum Key {
    /// It is there.
    Held(Box<LessSafeKey>),
    /// It was destroyed: what it sealed is gone.
    Destroyed,
    /// The vault never had it: it is a copy older than what it should open.
    Unknown,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.path.display())
    }
}

impl Vault {
    /// Makes an empty vault in `slots`, which is empty.
    pub(crate) fn create(path: &Path, slots: Slots, master: Master) -> Result<Self, StoreError> {
        let random = SystemRandom::new();
        let mut id = [0; 16];
        fill(&random, &mut id).map_err(|e| failed("making", path)(e))?;
        let mut header = [0; SLOT];
        header[..8].copy_from_slice(MAGIC);
        header[8..24].copy_from_slice(&id);
        header[24..40].copy_from_slice(&master.check(&id));
        let written = slots.write(0, &header).and_then(|()| slots.sync());
        written.map_err(failed("making", path))?;
        Ok(Self::with(path, slots, master, u128::from_be_bytes(id), 0))
    }

    fn with(path: &Path, slots: Slots, master: Master, id: u128, len: u64) -> Self {
        Vault {
            path: path.to_owned(),
            slots,
            wrap: aead(&master.derive("queqiao vault: keys of records")),
            common: aead(&master.derive("queqiao vault: common")),
            master,
            id,
            len: AtomicU64::new(len),
            destroyed: AtomicU64::new(0),
            writer: Mutex::new(()),
            random: SystemRandom::new(),
        }
    }

    /// Opens a vault, with the master key that it was made with.
    pub(crate) fn open(path: &Path, slots: Slots, master: Master) -> Result<Self, StoreError> {
        let damaged = |what: &str| StoreError::Damaged {
            path: path.to_owned(),
            what: what.to_owned(),
            source: None,
        };
        let mut header = [0; SLOT];
        let length = slots.len().map_err(failed("measuring", path))?;
        if length < SLOT as u64 {
            return Err(damaged("it is shorter than its header"));
        }
        slots
            .read(0, &mut header)
            .map_err(failed("reading", path))?;
        if header[..8] != *MAGIC {
            return Err(damaged("it does not begin as a vault does"));
        }
        let mut id = [0; 16];
        id.copy_from_slice(&header[8..24]);
        if header[24..40] != master.check(&id) {
            return Err(StoreError::WrongMasterKey {
                path: path.to_owned(),
            });
        }
        // A slot that a crash cut off was never used: it is made anew.
        let len = length / SLOT as u64 - 1;
        Ok(Self::with(
            path,
            slots,
            master,
            u128::from_be_bytes(id),
            len,
        ))
    }

    /// Where its slots are.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Which vault this is.
    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    /// Held until it is dropped: no key is made or destroyed.
    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Slots there are.
    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    /// The keys of all erasures up to this sequence number are destroyed.
    pub(crate) fn destroyed_to(&self) -> u64 {
        self.destroyed.load(Ordering::Acquire)
    }

    /// Notes that they are.
    pub(crate) fn set_destroyed_to(&self, seq: u64) {
        self.destroyed.fetch_max(seq, Ordering::AcqRel);
    }

    /// The key for values that are of no record.
    pub(crate) fn common(&self) -> &LessSafeKey {
        &self.common
    }

    /// A key of this vault for this use.
    pub(crate) fn derived_key(&self, what: &str) -> [u8; 32] {
        self.master.derive(what)
    }

    /// A keyed hash, by a key of this vault for this use.
    pub(crate) fn mac(&self, what: &str) -> blake3::Hasher {
        blake3::Hasher::new_keyed(&self.derived_key(what))
    }

    /// Makes sure that record `k` has a key; it is on disk when this returns.
    pub(crate) fn ensure(&self, k: u64) -> Result<(), StoreError> {
        if k < self.len() {
            return Ok(());
        }
        let _writer = self.writing();
        let from = self.len();
        if k < from {
            return Ok(());
        }
        let to = (k / AHEAD + 1) * AHEAD;
        let made = self.make(from, to);
        made.map_err(failed("making keys in", &self.path))?;
        self.len.store(to, Ordering::Release);
        Ok(())
    }

    fn make(&self, from: u64, to: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        for at in from..to {
            let mut key = [0; KEY];
            fill(&self.random, &mut key)?;
            let sealed = self.seal(&self.wrap, &self.context(at), &key);
            bytes.extend(sealed.map_err(io::Error::other)?);
            bytes.resize(bytes.len().next_multiple_of(SLOT), 0);
            // Bounded, however far the next number is.
            if bytes.len() >= 1 << 20 || at + 1 == to {
                let first = at + 1 - (bytes.len() / SLOT) as u64;
                self.slots.write(offset(first), &bytes)?;
                bytes.clear();
            }
        }
        self.slots.sync()
    }

    /// Destroys the keys of some records; it is on disk when this returns.
    pub(crate) fn destroy(&self, keys: &[u64]) -> Result<(), StoreError> {
        let _writer = self.writing();
        let len = self.len();
        let mut done = Ok(());
        for k in keys.iter().filter(|k| **k < len) {
            done = done.and_then(|()| self.slots.write(offset(*k), &[0; SLOT]));
        }
        done.and_then(|()| self.slots.sync())
            .map_err(failed("destroying keys in", &self.path))
    }

    /// The key of record `k`.
    ///
    /// # Errors
    /// The slot cannot be read, or is damaged.
    pub(crate) fn key(&self, k: u64) -> Result<Key, String> {
        if k >= self.len() {
            return Ok(Key::Unknown);
        }
        let mut slot = [0; SLOT];
        self.slots
            .read(offset(k), &mut slot)
            .map_err(|e| format!("its key cannot be read: {e}"))?;
        if slot == [0; SLOT] {
            return Ok(Key::Destroyed);
        }
        let key = open(&self.wrap, &self.context(k), &slot[..NONCE_LEN + KEY + TAG])
            .ok_or("its key is damaged")?;
        let key: [u8; KEY] = key.try_into().map_err(|_| "its key is damaged")?;
        Ok(Key::Held(Box::new(aead(&key))))
    }

    /// Seals `plain`: nonce, text, tag. `context` is needed to open it again.
    pub(crate) fn seal(
        &self,
        key: &LessSafeKey,
        context: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, String> {
        let failed = |_| "it cannot be sealed".to_owned();
        let mut nonce = [0; NONCE_LEN];
        fill(&self.random, &mut nonce).map_err(|e| e.to_string())?;
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + TAG);
        out.extend(nonce);
        out.extend(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(context), &mut out[NONCE_LEN..])
            .map_err(failed)?;
        out.extend(tag.as_ref());
        Ok(out)
    }

    fn context(&self, k: u64) -> [u8; 24] {
        let mut out = [0; 24];
        out[..16].copy_from_slice(&self.id.to_be_bytes());
        out[16..].copy_from_slice(&k.to_be_bytes());
        out
    }
}

/// Opens what [`Vault::seal`] sealed; `None` when key, context or bytes are others.
pub(crate) fn open(key: &LessSafeKey, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut text = text.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let n = key
        .open_in_place(nonce, Aad::from(context), &mut text)
        .ok()?
        .len();
    text.truncate(n);
    Some(text)
}

#[allow(clippy::expect_used)]
fn aead(key: &[u8; KEY]) -> LessSafeKey {
    // The one cause of an error is another length.
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 bytes"))
}

fn fill(random: &SystemRandom, bytes: &mut [u8]) -> io::Result<()> {
    random
        .fill(bytes)
        .map_err(|_| io::Error::other("the system gives no random bytes"))
}

fn offset(k: u64) -> u64 {
    (k + 1) * SLOT as u64
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| {
        if source.kind() == io::ErrorKind::StorageFull {
            return StoreError::DiskFull { path, source };
        }
        StoreError::Io {
            doing,
            path,
            source,
        }
    }
}
