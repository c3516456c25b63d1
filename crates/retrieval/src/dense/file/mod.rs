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
//! one does not read, the segment is [`IndexError::Damaged`]. Codes, graphs and lists can be made from the
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
/// 2: the halves of codes lie apart.
const VERSION: u32 = 2;
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
    /// How many lists there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lists: Option<usize>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dense::{Everyone, GraphOptions, codes::Asked},
        index::Shape,
        kernel::Isa,
    };
    use queqiao_domain::{Kind, RecordId};
    use rand::{RngExt, SeedableRng};
    use std::{path::Path, sync::atomic::AtomicBool};

    /// Codes with their halves apart, as version 1 wrote them.
    fn flat(rows: &[u8], dim: usize) -> Vec<u8> {
        let stride = dim.next_multiple_of(128);
        let flat = rows.chunks_exact(stride).flat_map(|row| {
            let (upper, lower) = row.split_at(stride / 2);
            let code = move |i: usize| {
                let (at, shift) = (i / 128 * 64 + i % 64, i % 128 / 64 * 4);
                (upper[at] >> shift & 15) << 4 | lower[at] >> shift & 15
            };
            (0..dim.next_multiple_of(64)).map(code)
        });
        flat.collect()
    }

    /// Makes a file of version 1 of one of today's.
    fn older(path: &Path, dim: usize) {
        let mut bytes = std::fs::read(path).unwrap();
        let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
        let mut header: Header = serde_json::from_slice(&bytes[16..16 + length]).unwrap();
        header.version = 1;
        (header.passages.lists, header.profiles.lists) = (None, None);
        for section in &mut header.sections {
            if section.name.ends_with(".codes") {
                let place = section.from as usize..(section.from + section.bytes) as usize;
                let codes = flat(&bytes[place.clone()], dim);
                section.crc32 = crc32fast::hash(&codes);
                section.bytes = codes.len() as u64;
                bytes[place][..codes.len()].copy_from_slice(&codes);
            }
        }
        let header = serde_json::to_vec(&header).unwrap();
        bytes[8..12].copy_from_slice(&(header.len() as u32).to_le_bytes());
        bytes[12..16].copy_from_slice(&crc32fast::hash(&header).to_le_bytes());
        bytes[16..16 + header.len()].copy_from_slice(&header);
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn codes_of_version_1_are_read_as_they_were() {
        [16, 128, 250].into_iter().for_each(are_read_as_they_were);
    }

    fn are_read_as_they_were(dim: usize) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut unit = || {
            let x: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
            let norm = x.iter().map(|x| x * x).sum::<f32>().sqrt();
            x.into_iter().map(|x| x / norm).collect::<Vec<f32>>()
        };
        let records: Vec<Vec<f32>> = (0..300).map(|_| [unit(), unit()].concat()).collect();
        let shape = Shape {
            dim,
            fingerprint: "test".into(),
        };
        let dir = tempfile::tempdir().unwrap();
        let (part, path) = (dir.path().join("part"), dir.path().join("segment"));
        let mut writer = SegmentWriter::create(&part).unwrap();
        let rows = writer.vectors(records.iter().map(Vec::as_slice)).unwrap();
        let starts = (0..=300).map(|i| i * 2).collect();
        let mut segment = Segment::code(dim, rows, starts).unwrap();
        let options = GraphOptions {
            least: 2,
            ..GraphOptions::default()
        };
        let never = AtomicBool::new(false);
        segment.connect(&options, Isa::best(), &never).unwrap();
        let held: Vec<Record> = (0..300)
            .map(|key| {
                let id = RecordId::new(format!("r{key}")).unwrap();
                let record = queqiao_domain::Record::new(id, Kind::Expert);
                Record {
                    key,
                    facets: Arc::new(Facets::of(&record)),
                    mean_norm: 1.0,
                }
            })
            .collect();
        writer.finish(&segment, &held, &shape, &path).unwrap();
        let opened = open(&path, &shape).unwrap();
        for (was, is) in [
            (&segment.passages, &opened.segment.passages),
            (&segment.profiles, &opened.segment.profiles),
        ] {
            let (was, is) = (was.lists.as_ref().unwrap(), is.lists.as_ref().unwrap());
            assert!(was.centres.codes.bytes() == is.centres.codes.bytes());
            assert_eq!((&was.starts, &was.members), (&is.starts, &is.members));
            // Groups, which are not in the file, lead to the same.
            let mut asked = Asked::default();
            for row in 0..was.len() {
                was.centres.codes.ask_row(row, &mut asked);
                let told = was.nearest_first(Isa::best(), &asked);
                assert!(told.eq(is.nearest_first(Isa::best(), &asked)));
            }
        }
        older(&path, dim);
        let opened = open(&path, &shape).unwrap();
        assert!(opened.segment.passages.lists.is_none());
        assert_eq!(opened.mended, None);
        for (was, is) in [
            (&segment.passages, &opened.segment.passages),
            (&segment.profiles, &opened.segment.profiles),
        ] {
            assert!(was.codes.bytes() == is.codes.bytes());
        }
        let ask = crate::dense::Ask {
            vector: &unit(),
            side: crate::dense::Side::Passages,
            wanted: 10,
            ef: 50,
            isa: Isa::best(),
        };
        let walk = |s: &Segment| s.walk(&ask, &Everyone, true, usize::MAX).unwrap();
        assert_eq!(walk(&segment), walk(&opened.segment));
    }
}
