//! The files of keys in a data folder.

use super::{Master, SLOT, Slots, Vault, failed};
use crate::{
    StoreError,
    folder::{partial, sync_dir},
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The folder of keys in a data folder.
const FOLDER: &str = "keys";
/// The vault in it.
const VAULT: &str = "vault";
/// The master key, unless it is kept elsewhere.
const MASTER: &str = "master.key";
/// Bytes copied at a time.
const AT_ONCE: usize = 1 << 20;

/// Where the keys of records and the key that opens them are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The keys of records, each sealed.
    pub vault: PathBuf,
    /// The key that opens them; no backup holds it.
    pub master: PathBuf,
}

impl KeyFiles {
    /// The files of a data folder; the master key may be kept elsewhere.
    pub fn of(data: &Path, master: Option<&Path>) -> Self {
        let folder = data.join(FOLDER);
        KeyFiles {
            vault: folder.join(VAULT),
            master: master.map_or_else(|| folder.join(MASTER), Path::to_owned),
        }
    }

    /// Opens the keys of the records in `store`.
    pub(crate) fn open(&self, store: &Path) -> Result<Vault, StoreError> {
        if !self.vault.exists() {
            return Err(StoreError::NotItsKeys {
                keys: self.vault.clone(),
                store: store.to_owned(),
                why: "there is no such file".to_owned(),
            });
        }
        let master = Master::read(&self.master)?;
        let file = File::options().read(true).write(true).open(&self.vault);
        let file = file.map_err(failed("opening", &self.vault))?;
        Vault::open(&self.vault, Slots::File(file), master)
    }

    /// Takes over the keys of another folder: a copy of the vault, and the master key where this
    /// folder has none.
    pub(crate) fn take(&self, from: &KeyFiles, vault: &Vault) -> Result<(), StoreError> {
        let folder = self.vault.parent().unwrap_or(Path::new("."));
        make_folder(folder).map_err(failed("making the folder of", &self.vault))?;
        vault.copy_to(&self.vault)?;
        if !self.master.exists() {
            let written = Master::read(&from.master)?.write_new(&self.master);
            written.map_err(failed("writing", &self.master))?;
        }
        // Now, not at the next start: is it the one?
        self.open(&self.vault).map(drop)
    }

    /// Opens the keys, or makes them for a store that has none yet.
    pub(crate) fn open_or_make(&self) -> Result<Vault, StoreError> {
        if self.vault.exists() {
            return self.open(&self.vault);
        }
        let io = |doing| failed(doing, &self.vault);
        let folder = self.vault.parent().unwrap_or(Path::new("."));
        make_folder(folder).map_err(io("making the folder of"))?;
        if !self.master.exists() {
            let drawn = Master::draw().and_then(|m| m.write_new(&self.master));
            drawn.map_err(failed("making", &self.master))?;
            let folder = self.master.parent().unwrap_or(Path::new("."));
            sync_dir(folder).map_err(failed("making durable", &self.master))?;
        }
        let master = Master::read(&self.master)?;
        // Under another name until it is whole: a crash leaves a vault or none.
        let new = partial(&self.vault);
        let file = private(&new).map_err(io("making"))?;
        drop(Vault::create(&new, Slots::File(file), master)?);
        fs::rename(&new, &self.vault).map_err(io("naming"))?;
        sync_dir(folder).map_err(io("making durable"))?;
        if let Some(data) = folder.parent() {
            sync_dir(data).map_err(io("making durable"))?;
        }
        self.open(&self.vault)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file in place of whatever stood there, for its owner alone.
fn private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Vault {
    /// Writes a copy to `path`, in place of an older one.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let io = |doing| failed(doing, path);
        let new = partial(path);
        let file = private(&new).map_err(io("making"))?;
        let copy = Slots::File(file);
        let copied = || -> io::Result<()> {
            // Nobody destroys a key while it is copied.
            let _writer = self.writing();
            let end = (self.len() + 1) * SLOT as u64;
            let (mut at, mut buffer) = (0, vec![0; AT_ONCE]);
            while at < end {
                let n = usize::try_from(end - at).map_or(AT_ONCE, |left| left.min(AT_ONCE));
                self.slots.read(at, &mut buffer[..n])?;
                copy.write(at, &buffer[..n])?;
                at += n as u64;
            }
            copy.sync()
        };
        copied().map_err(io("copying keys to"))?;
        fs::rename(&new, path).map_err(io("naming"))?;
        sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(io("making durable"))
    }
}
