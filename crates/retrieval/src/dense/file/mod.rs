//! A sealed segment on disk.
//!
//! Layout, in the byte order of the machine (a segment of another order is rebuilt):
//!
//! ```text
//! 0        magic, length and crc32 of the header, the header as JSON (8 KiB in all)
//! 8 KiB …  sections, each from a page's start: what the header's table says, with a crc32 each
//! ```
//!
//! `keys`, `facets`, `starts`, `norms` and `vectors` cannot be made again without the store: where
//! one does not read, the segment is [`IndexError::Damaged`]. Codes and graphs can be made from the
//! vectors: where one of these does not read, the segment opens without graphs, says so, and is
//! read whole until it is sealed anew. A file is written under another name, flushed, and then
//! renamed: a segment that has its name is whole.

mod read;
mod write;

pub(crate) use read::open;
pub(crate) use write::SegmentWriter;

use super::{memory::Rows, segment::Segment};
use memmap2::Mmap;
use queqiao_domain::Facets;
use serde::{Deserialize, Serialize};
use std::{fs::File, io, sync::Arc};

const MAGIC: &[u8; 8] = b"QQSEGMNT";
const VERSION: u32 = 1;
/// The header's place, whatever its length.
const HEADER: usize = 8 << 10;
const PAGE: u64 = 4 << 10;
/// Reads as itself only in the byte order it was written in.
const ORDER: u32 = 0x0102_0304;

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    order: u32,
    dim: usize,
    fingerprint: String,
    records: usize,
    rows: usize,
    passages: LayerHeader,
    profiles: LayerHeader,
    sections: Vec<Section>,
}

#[derive(Serialize, Deserialize)]
struct LayerHeader {
    nodes: usize,
    members: usize,
    scale: f32,
    graph: Option<GraphHeader>,
}

#[derive(Serialize, Deserialize)]
struct GraphHeader {
    width: usize,
    upper_width: usize,
    entry: u32,
    levels: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct Section {
    name: String,
    from: u64,
    bytes: u64,
    crc32: u32,
}

/// What a segment holds of one record besides its vectors.
pub(crate) struct Record {
    pub(crate) key: u64,
    pub(crate) facets: Arc<Facets>,
    /// Length of the mean of its vectors.
    pub(crate) mean_norm: f32,
}

/// A segment that was read.
pub(crate) struct Opened {
    pub(crate) segment: Segment,
    pub(crate) records: Vec<Record>,
    /// What did not read and was made again from the vectors.
    pub(crate) mended: Option<String>,
}

fn map(file: &File, from: u64, bytes: u64) -> io::Result<Rows> {
    if bytes == 0 {
        return Rows::owned(0, std::iter::empty());
    }
    // SAFETY: the file is this index's own: it is written once, front to back, and never changed
    // or cut after; whoever else does so while it is mapped breaks the data folder.
    let map = unsafe { Mmap::map(file)? };
    #[cfg(unix)]
    // Only a wish: rows are read one here and one there.
    let _ = map.advise(memmap2::Advice::Random);
    Ok(Rows::Mapped {
        map: Arc::new(map),
        from: from as usize,
        values: bytes as usize / 4,
    })
}
