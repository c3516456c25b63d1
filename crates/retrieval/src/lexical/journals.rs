//! What was written and is not committed to tantivy yet: `terms-000001.journal` and on, beside its
//! segments. A write is in one before it is seen; a commit names the last one it covers, and that
//! and those before are then removed. What is left is read at the start.

use crate::{
    index::{Change, IndexError, Shape},
    journal::{Content, Frame, Journal},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// The journals of an index that is open.
#[derive(Debug)]
pub(crate) struct Journals {
    folder: PathBuf,
    shape: Shape,
    /// The one that is written to.
    open: Journal,
    number: u64,
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("terms-{number:06}.journal"))
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("terms-")?.strip_suffix(".journal")?;
    let plain = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

/// Numbers of the journals in a folder, ascending.
fn numbers(folder: &Path) -> Result<Vec<u64>, IndexError> {
    let read = || -> std::io::Result<Vec<u64>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            all.extend(entry?.file_name().to_str().and_then(number));
        }
        all.sort_unstable();
        Ok(all)
    };
    read().map_err(|source| IndexError::Io {
        path: folder.to_owned(),
        doing: "read",
        source,
    })
}

impl Journals {
    /// Opens the journals of a folder, hands the changes that no commit covers to `each` and
    /// returns the last sequence number, if there was a batch.
    pub(crate) fn open(
        folder: &Path,
        shape: &Shape,
        covered: u64,
        mut each: impl FnMut(Frame),
    ) -> Result<(Self, Option<u64>), IndexError> {
        let mut seq = None;
        let mut last = None;
        for n in numbers(folder)? {
            if n <= covered {
                remove(&path(folder, n));
                continue;
            }
            let (journal, upto) =
                Journal::open(&path(folder, n), shape, Content::Terms, &mut each)?;
            seq = upto.or(seq);
            last = Some((journal, n));
        }
        let (open, number) = match last {
            Some(last) => last,
            None => {
                let n = covered + 1;
                (Journal::create(&path(folder, n), shape, Content::Terms)?, n)
            }
        };
        let this = Self {
            folder: folder.to_owned(),
            shape: shape.clone(),
            open,
            number,
        };
        Ok((this, seq))
    }

    /// Appends a batch. On an error the file is cut back to where it was.
    pub(crate) fn append(&mut self, changes: &[Change], seq: u64) -> Result<(), IndexError> {
        self.open.append(changes, seq)
    }

    /// The file that is written to, so that most of it can be brought to disk while others write on.
    pub(crate) fn file(&self) -> std::io::Result<File> {
        self.open.file()
    }

    /// Begins a new journal. Returns the number of the one before, which is on disk then.
    pub(crate) fn rotate(&mut self) -> Result<u64, IndexError> {
        // Should the machine lose power, a later journal must not stand behind a torn one.
        self.open.sync()?;
        let next = self.number + 1;
        self.open = Journal::create(&path(&self.folder, next), &self.shape, Content::Terms)?;
        self.number = next;
        Ok(next - 1)
    }

    /// Removes journals that a commit covers. What cannot be removed only costs space.
    pub(crate) fn tidy(&self, covered: u64) {
        for n in numbers(&self.folder).unwrap_or_default() {
            if n <= covered && n < self.number {
                remove(&path(&self.folder, n));
            }
        }
    }
}

fn remove(path: &Path) {
    if let Err(e) = std::fs::remove_file(path) {
        tracing::warn!(
            "{} is no longer needed and cannot be removed: {e}",
            path.display()
        );
    }
}
