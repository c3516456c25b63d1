//! Changes on disk: an append-only, checksummed file that ends at the last whole batch.
//!
//! Layout, little-endian: a header line of JSON (magic, version, dimensions, fingerprint), then
//! frames `[length u32][crc32 u32][payload]`. A payload is, in a journal of vectors, `P` key,
//! facets, vectors; in one of terms, `T` key, passages; in both, `D` key, or `C` seq, which ends a
//! batch. What follows the last good `C` was never acknowledged by this index: it is cut off, and
//! the store's change log fills the gap.

use crate::index::{Change, Entry, IndexError, Passage, Shape};
use ndarray::Array2;
use queqiao_domain::Facets;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const VERSION: u32 = 1;
/// No frame is longer: a record's texts, and so its passages, are bounded.
const MAX_FRAME: u32 = 64 << 20;

/// What a journal keeps of the records that are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Vectors,
    Terms,
}

impl Content {
    fn magic(self) -> &'static str {
        match self {
            Content::Vectors => "queqiao-vectors",
            Content::Terms => "queqiao-terms",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    magic: String,
    version: u32,
    dim: usize,
    fingerprint: String,
}

/// What a frame says.
pub(crate) enum Frame {
    Put {
        key: u64,
        facets: Box<Facets>,
        vectors: Array2<f32>,
    },
    Terms {
        key: u64,
        passages: Vec<Passage>,
    },
    Delete(u64),
}

/// An open journal, positioned at its end.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    content: Content,
    /// Where the last batch begins.
    before: u64,
    /// No batch is in it.
    empty: bool,
}

impl Journal {
    /// Starts an empty journal, replacing any at `path`.
    pub(crate) fn create(path: &Path, shape: &Shape, content: Content) -> Result<Self, IndexError> {
        let temporary = path.with_extension("new");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&temporary)
            .map_err(io(&temporary, "created"))?;
        let header = Header {
            magic: content.magic().to_owned(),
            version: VERSION,
            dim: shape.dim,
            fingerprint: shape.fingerprint.clone(),
        };
        let mut line = serde_json::to_vec(&header).unwrap_or_default();
        line.push(b'\n');
        file.write_all(&line).map_err(io(&temporary, "written"))?;
        // Without its header it would not be read after a power cut.
        file.sync_data().map_err(io(&temporary, "flushed"))?;
        std::fs::rename(&temporary, path).map_err(io(path, "created"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            content,
            before: line.len() as u64,
            empty: true,
        })
    }

    /// Opens a journal, hands every whole batch to `each` and returns the last sequence number, if
    /// there was a batch.
    /// A torn tail is cut off; anything else that does not read is [`IndexError::Damaged`].
    pub(crate) fn open(
        path: &Path,
        shape: &Shape,
        content: Content,
        mut each: impl FnMut(Frame),
    ) -> Result<(Self, Option<u64>), IndexError> {
        let damaged = |problem: String| IndexError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(io(path, "opened"))?;
        let length = file.metadata().map_err(io(path, "read"))?.len();
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut line = Vec::new();
        (&mut reader)
            .take(4096)
            .read_until(b'\n', &mut line)
            .map_err(io(path, "read"))?;
        let header: Header = serde_json::from_slice(&line)
            .map_err(|_| damaged("the header does not read".to_owned()))?;
        if header.magic != content.magic() || header.version != VERSION {
            return Err(damaged(format!("format version {}", header.version)));
        }
        if header.dim != shape.dim || header.fingerprint != shape.fingerprint {
            return Err(damaged(format!(
                "made with model {} of {} dimensions",
                header.fingerprint, header.dim
            )));
        }
        let mut at = line.len() as u64;
        let mut good = at;
        let mut seq = None;
        let mut batch = Vec::new();
        let mut payload = Vec::new();
        while at < length {
            let mut head = [0u8; 8];
            if reader.read_exact(&mut head).is_err() {
                break;
            }
            let (len, crc) = (word(&head[..4]), word(&head[4..]));
            if len > MAX_FRAME || at + 8 + u64::from(len) > length {
                break;
            }
            payload.resize(len as usize, 0);
            if reader.read_exact(&mut payload).is_err() {
                break;
            }
            at += 8 + u64::from(len);
            if crc32(&payload) != crc {
                // Damage inside the file is not a torn tail.
                if at < length {
                    return Err(damaged(format!("a checksum fails before byte {at}")));
                }
                break;
            }
            match decode(&payload, shape.dim) {
                Some(Decoded::Frame(f)) => batch.push(f),
                Some(Decoded::Commit(s)) => {
                    batch.drain(..).for_each(&mut each);
                    seq = Some(s);
                    good = at;
                }
                None => return Err(damaged(format!("a frame does not read before byte {at}"))),
            }
        }
        drop(reader);
        let mut journal = Self {
            path: path.to_owned(),
            file,
            content,
            before: good,
            empty: seq.is_none(),
        };
        if good < length {
            journal.file.set_len(good).map_err(io(path, "cut"))?;
        }
        journal
            .file
            .seek(SeekFrom::Start(good))
            .map_err(io(path, "read"))?;
        Ok((journal, seq))
    }

    /// Appends a batch. On an error the file is cut back to where it was.
    pub(crate) fn append(&mut self, changes: &[Change], seq: u64) -> Result<(), IndexError> {
        let start = self
            .file
            .stream_position()
            .map_err(io(&self.path, "read"))?;
        let written = self.write_batch(changes, seq);
        self.empty &= written.is_err();
        self.before = start;
        if written.is_err() {
            let _ = self.undo();
        }
        written.map_err(io(&self.path, "written"))
    }

    /// Takes the last batch back.
    pub(crate) fn undo(&mut self) -> Result<(), IndexError> {
        let cut = self.file.set_len(self.before);
        let back = self.file.seek(SeekFrom::Start(self.before));
        cut.and(back.map(|_| ())).map_err(io(&self.path, "cut"))
    }

    /// Returns when all of it is on disk.
    pub(crate) fn sync(&self) -> Result<(), IndexError> {
        self.file.sync_data().map_err(io(&self.path, "flushed"))
    }

    /// Its file, so that most of it can be brought to disk while others write on.
    pub(crate) fn file(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    fn write_batch(&mut self, changes: &[Change], seq: u64) -> std::io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, &mut self.file);
        let mut payload = Vec::new();
        for change in changes {
            payload.clear();
            match change {
                Change::Put(e) => match self.content {
                    Content::Vectors => encode_vectors(e, &mut payload)?,
                    Content::Terms => encode_terms(e, &mut payload),
                },
                Change::Delete(key) => {
                    payload.push(b'D');
                    payload.extend(key.to_le_bytes());
                }
            }
            frame(&mut out, &payload)?;
        }
        payload.clear();
        payload.push(b'C');
        payload.extend(seq.to_le_bytes());
        frame(&mut out, &payload)?;
        out.flush()
    }

    /// Whether no batch is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |m| m.len())
    }
}

fn encode_vectors(e: &Entry, payload: &mut Vec<u8>) -> std::io::Result<()> {
    payload.push(b'P');
    payload.extend(e.key.to_le_bytes());
    let facets = serde_json::to_vec(&e.facets)?;
    payload.extend((facets.len() as u32).to_le_bytes());
    payload.extend(facets);
    for v in &e.vectors {
        payload.extend(v.to_le_bytes());
    }
    Ok(())
}

fn encode_terms(e: &Entry, payload: &mut Vec<u8>) {
    payload.push(b'T');
    payload.extend(e.key.to_le_bytes());
    payload.extend((e.passages.len() as u32).to_le_bytes());
    for terms in e.passages.iter().flat_map(|p| [&p.words, &p.bigrams]) {
        payload.extend((terms.len() as u32).to_le_bytes());
        for t in terms {
            payload.extend((t.len() as u32).to_le_bytes());
            payload.extend(t.as_bytes());
        }
    }
}

fn frame(out: &mut impl Write, payload: &[u8]) -> std::io::Result<()> {
    if payload.len() > MAX_FRAME as usize {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "a record's vectors exceed the frame limit",
        ));
    }
    out.write_all(&(payload.len() as u32).to_le_bytes())?;
    out.write_all(&crc32(payload).to_le_bytes())?;
    out.write_all(payload)
}

enum Decoded {
    Frame(Frame),
    Commit(u64),
}

fn decode(payload: &[u8], dim: usize) -> Option<Decoded> {
    let (tag, rest) = payload.split_first()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let number = u64::from_le_bytes(*number);
    match tag {
        b'C' => Some(Decoded::Commit(number)),
        b'D' => Some(Decoded::Frame(Frame::Delete(number))),
        b'P' => {
            let (len, rest) = rest.split_first_chunk::<4>()?;
            let (facets, numbers) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            let facets = Box::new(serde_json::from_slice(facets).ok()?);
            let values: Vec<f32> = numbers
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            let rows = values.len() / dim.max(1);
            Some(Decoded::Frame(Frame::Put {
                key: number,
                facets,
                vectors: Array2::from_shape_vec((rows, dim), values).ok()?,
            }))
        }
        b'T' => {
            let mut rest = Rest(rest);
            let passages = (0..rest.number()?)
                .map(|_| {
                    Some(Passage {
                        words: rest.terms()?,
                        bigrams: rest.terms()?,
                    })
                })
                .collect::<Option<Vec<_>>>()?;
            rest.0.is_empty().then_some(Decoded::Frame(Frame::Terms {
                key: number,
                passages,
            }))
        }
        _ => None,
    }
}

/// What is left of a payload.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    fn terms(&mut self) -> Option<Vec<String>> {
        let count = self.number()?;
        let each = (0..count).map(|_| {
            let length = self.number()? as usize;
            let (text, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            Some(std::str::from_utf8(text).ok()?.to_owned())
        });
        each.collect()
    }
}

fn word(b: &[u8]) -> u32 {
    u32::from_le_bytes([b[0], b[1], b[2], b[3]])
}

fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn io<'a>(path: &'a Path, doing: &'static str) -> impl Fn(std::io::Error) -> IndexError + 'a {
    move |source| IndexError::Io {
        path: path.to_owned(),
        doing,
        source,
    }
}
