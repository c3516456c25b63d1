//! Where the slots lie: in a file, or, for tests of simulated disks, in memory.

use std::{fs::File, io};

/// Bytes at offsets.
pub(crate) enum Slots {
    /// In a file.
    File(File),
    #[cfg(test)]
    Memory(std::sync::Arc<std::sync::Mutex<Vec<u8>>>),
}

impl Slots {
    pub(super) fn len(&self) -> io::Result<u64> {
        match self {
            Slots::File(f) => Ok(f.metadata()?.len()),
            #[cfg(test)]
            Slots::Memory(m) => Ok(held(m).len() as u64),
        }
    }

    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Slots::File(f) => read_at(f, at, bytes),
            #[cfg(test)]
            Slots::Memory(m) => {
                let at = usize::try_from(at).map_err(io::Error::other)?;
                let held = held(m);
                let from = held.get(at..at + bytes.len());
                bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Slots::File(f) => write_at(f, at, bytes),
            #[cfg(test)]
            Slots::Memory(m) => {
                let at = usize::try_from(at).map_err(io::Error::other)?;
                let mut held = held(m);
                let end = held.len().max(at + bytes.len());
                held.resize(end, 0);
                held[at..at + bytes.len()].copy_from_slice(bytes);
                Ok(())
            }
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        match self {
            Slots::File(f) => f.sync_all(),
            #[cfg(test)]
            Slots::Memory(_) => Ok(()),
        }
    }
}

#[cfg(test)]
fn held(m: &std::sync::Mutex<Vec<u8>>) -> std::sync::MutexGuard<'_, Vec<u8>> {
    m.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(unix)]
fn read_at(file: &File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(unix)]
fn write_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, at: u64, bytes: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let n =
            std::os::windows::fs::FileExt::seek_read(file, &mut bytes[done..], at + done as u64)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        done += n;
    }
    Ok(())
}

#[cfg(windows)]
fn write_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        done += std::os::windows::fs::FileExt::seek_write(file, &bytes[done..], at + done as u64)?;
    }
    Ok(())
}
