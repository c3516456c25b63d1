//! The master key: a small file that stands apart from what it opens.

use super::{KEY, fill};
use crate::StoreError;
use ring::rand::SystemRandom;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Opens the keys of records; never shown, never sent anywhere.
pub(crate) struct Master([u8; KEY]);

impl Master {
    /// A key that nothing was sealed with yet.
    pub(crate) fn draw() -> io::Result<Self> {
        let mut key = [0; KEY];
        fill(&SystemRandom::new(), &mut key)?;
        Ok(Master(key))
    }

    /// Reads the key of a file.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NoMasterKey {
                    path: path.to_owned(),
                });
            }
            Err(source) => {
                return Err(StoreError::Io {
                    doing: "reading",
                    path: path.to_owned(),
                    source,
                });
            }
        };
        parse(text.trim()).ok_or_else(|| StoreError::Damaged {
            path: path.to_owned(),
            what: "it is no master key: 64 hexadecimal digits are expected".to_owned(),
            source: None,
        })
    }

    /// Writes the key to a new file that only its owner may read; it is on disk when this returns.
    pub(crate) fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut text = String::with_capacity(2 * KEY + 1);
        for b in self.0 {
            let _ = write!(text, "{b:02x}");
        }
        text.push('\n');
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// The key of one use.
    pub(super) fn derive(&self, what: &str) -> [u8; KEY] {
        *blake3::keyed_hash(&self.0, what.as_bytes()).as_bytes()
    }

    /// Tells this key from others, and nothing of it.
    pub(super) fn check(&self, id: &[u8; 16]) -> [u8; 16] {
        let mut h = blake3::Hasher::new_keyed(&self.derive("queqiao vault: check"));
        h.update(id);
        let mut out = [0; 16];
        out.copy_from_slice(&h.finalize().as_bytes()[..16]);
        out
    }
}

fn parse(text: &str) -> Option<Master> {
    let mut key = [0; KEY];
    let digits = text.as_bytes();
    if digits.len() != 2 * KEY {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(Master(key))
}
