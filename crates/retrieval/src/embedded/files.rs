//! Which files make up an index.
//!
//! ```text
//! segments.json            which segments count, who of them is dead, which journals they cover
//! segment-000007.vectors   a sealed segment
//! vectors-000008.journal   changes that are being sealed, or wait to be
//! vectors.journal          changes since
//! ```
//!
//! To load: the segments of `segments.json` without their dead, then the journals with a number
//! above the covered one, in order, then the last. Every step of a change of these files leaves a
//! state that loads to the same records:
//!
//! 1. the last journal gets a number, a new one is begun;
//! 2. the segment is written under another name, flushed, renamed;
//! 3. a new `segments.json` is written under another name, flushed, renamed: from here on it counts;
//! 4. what it no longer names is removed.
//!
//! A dead record is one that a journal replaced or deleted. That the list of dead may already know
//! of changes which the journal repeats does no harm: a change takes effect once however often it
//! is made.

use crate::index::{IndexError, Shape};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

const MAGIC: &str = "queqiao-segments";
const VERSION: u32 = 1;

/// The journal that is written to.
pub(super) const JOURNAL: &str = "vectors.journal";
const MANIFEST: &str = "segments.json";

/// Which segments count.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    magic: String,
    version: u32,
    dim: usize,
    fingerprint: String,
    /// The sequence number up to which the segments have seen the store.
    pub(super) seq: u64,
    /// Journals with a number up to this one are in the segments.
    pub(super) covered: u64,
    pub(super) segments: Vec<Listed>,
}

/// A segment that counts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) file: String,
    /// Records that were replaced or deleted since it was sealed, ascending: each as the distance
    /// to the one before.
    dead: Vec<u32>,
}

impl Listed {
    pub(super) fn new(file: String, dead: impl Iterator<Item = u32>) -> Self {
        let mut before = 0;
        Self {
            file,
            dead: dead
                .map(|d| d - std::mem::replace(&mut before, d))
                .collect(),
        }
    }

    pub(super) fn dead(&self) -> HashSet<u32> {
        let sums = self.dead.iter().scan(0u32, |at, d| {
            *at = at.saturating_add(*d);
            Some(*at)
        });
        sums.collect()
    }
}

impl Manifest {
    pub(super) fn new(shape: &Shape, seq: u64, covered: u64, segments: Vec<Listed>) -> Self {
        Self {
            magic: MAGIC.to_owned(),
            version: VERSION,
            dim: shape.dim,
            fingerprint: shape.fingerprint.clone(),
            seq,
            covered,
            segments,
        }
    }

    /// Reads the manifest of `folder`; `None` when there is none.
    pub(super) fn read(folder: &Path, shape: &Shape) -> Result<Option<Self>, IndexError> {
        let path = folder.join(MANIFEST);
        let damaged = |problem: String| IndexError::Damaged {
            path: path.clone(),
            problem,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                return Err(damaged("it is not UTF-8".to_owned()));
            }
            Err(source) => {
                return Err(IndexError::Io {
                    path,
                    doing: "read",
                    source,
                });
            }
        };
        let (json, crc) = text.trim_end().rsplit_once('\n').unwrap_or(("", ""));
        if u32::from_str_radix(crc, 16).ok() != Some(crc32fast::hash(json.as_bytes())) {
            return Err(damaged("its checksum fails".to_owned()));
        }
        let read: Self = serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?;
        if read.magic != MAGIC || read.version != VERSION {
            return Err(damaged(format!("format version {}", read.version)));
        }
        if read.dim != shape.dim || read.fingerprint != shape.fingerprint {
            return Err(damaged(format!(
                "made with model {} of {} dimensions",
                read.fingerprint, read.dim
            )));
        }
        // A name leads to a file of this folder and nowhere else.
        if let Some(s) = read
            .segments
            .iter()
            .find(|s| number(&s.file, SEGMENT).is_none())
        {
            return Err(damaged(format!("it names a file `{}`", s.file)));
        }
        Ok(Some(read))
    }

    /// Makes it the one that counts.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_string(self)?;
        let temporary = folder.join(format!("{MANIFEST}.new"));
        let mut file = File::create(&temporary)?;
        writeln!(file, "{json}\n{:08x}", crc32fast::hash(json.as_bytes()))?;
        file.sync_all()?;
        std::fs::rename(&temporary, folder.join(MANIFEST))?;
        sync(folder)
    }
}

/// Sees to it that names in a folder last.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

const SEGMENT: (&str, &str) = ("segment-", ".vectors");
const NUMBERED: (&str, &str) = ("vectors-", ".journal");

fn number(name: &str, (before, after): (&str, &str)) -> Option<u64> {
    let digits = name.strip_prefix(before)?.strip_suffix(after)?;
    let plain = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

pub(super) fn segment_name(number: u64) -> String {
    format!("{}{number:06}{}", SEGMENT.0, SEGMENT.1)
}

/// The path of the journal of a number.
pub(super) fn journal_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{}{number:06}{}", NUMBERED.0, NUMBERED.1))
}

/// What stands in a folder.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Numbers of journals, ascending.
    pub(super) journals: Vec<u64>,
    /// Names of segments.
    segments: Vec<String>,
    /// Files that were being written.
    unfinished: Vec<PathBuf>,
}

impl Inventory {
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut this = Self::default();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(n) = number(name, NUMBERED) {
                this.journals.push(n);
            } else if number(name, SEGMENT).is_some() {
                this.segments.push(name.to_owned());
            } else if name.ends_with(".new") {
                this.unfinished.push(entry.path());
            }
        }
        this.journals.sort_unstable();
        Ok(this)
    }

    /// Whether anything of an index stands there.
    pub(super) fn is_empty(&self) -> bool {
        self.journals.is_empty() && self.segments.is_empty()
    }

    /// A number above all that were given.
    pub(super) fn next(&self, manifest: Option<&Manifest>) -> u64 {
        let of_segments = self.segments.iter().filter_map(|s| number(s, SEGMENT));
        let all = of_segments.chain(self.journals.iter().copied());
        all.chain(manifest.map(|m| m.covered)).max().unwrap_or(0) + 1
    }

    /// Removes what the manifest does not name. What cannot be removed only costs space.
    pub(super) fn tidy(&self, folder: &Path, manifest: Option<&Manifest>) {
        let covered = manifest.map_or(0, |m| m.covered);
        let counts =
            |name: &String| manifest.is_some_and(|m| m.segments.iter().any(|s| s.file == *name));
        let segments = self.segments.iter().filter(|s| !counts(s));
        let journals = self.journals.iter().filter(|n| **n <= covered);
        let gone = segments
            .map(|s| folder.join(s))
            .chain(journals.map(|n| journal_path(folder, *n)))
            .chain(self.unfinished.iter().cloned());
        for path in gone {
            if let Err(e) = std::fs::remove_file(&path) {
                tracing::warn!(
                    "{} is no longer needed and cannot be removed: {e}",
                    path.display()
                );
            }
        }
    }

    /// Removes everything, the manifest first, so that nothing half-removed is ever loaded.
    pub(super) fn clear(folder: &Path) -> io::Result<()> {
        match std::fs::remove_file(folder.join(MANIFEST)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let found = Self::of(folder)?;
        for n in &found.journals {
            std::fs::remove_file(journal_path(folder, *n))?;
        }
        found.tidy(folder, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape {
            dim: 3,
            fingerprint: "f".into(),
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = Manifest::new(
            &shape(),
            9,
            4,
            vec![Listed::new(segment_name(3), [0, 2, 7].into_iter())],
        );
        assert_eq!(Manifest::read(dir.path(), &shape()).unwrap(), None);
        manifest.write(dir.path()).unwrap();
        let read = Manifest::read(dir.path(), &shape()).unwrap().unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.segments[0].dead(), HashSet::from([0, 2, 7]));
        let path = dir.path().join(MANIFEST);
        let whole = std::fs::read(&path).unwrap();
        for i in 0..whole.len() - 1 {
            let mut bytes = whole.clone();
            bytes[i] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(Manifest::read(dir.path(), &shape()).is_err(), "byte {i}");
            std::fs::write(&path, &whole[..i]).unwrap();
            assert!(Manifest::read(dir.path(), &shape()).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn only_names_of_its_own_are_numbers() {
        assert_eq!(number(&segment_name(12), SEGMENT), Some(12));
        for name in [
            "segment-../x.vectors",
            "segment-12.vectors",
            "segment-+00012.vectors",
            "x",
        ] {
            assert_eq!(number(name, SEGMENT), None);
        }
    }
}
