//! Writing a segment.

use super::{
    GraphHeader, HEADER, Header, LayerHeader, MAGIC, ORDER, PAGE, Record, Section, VERSION, map,
};
use crate::{
    dense::{Segment, layer::Layer, lists::Lists, memory::Rows},
    index::Shape,
};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A segment that is being written: first its vectors, which can then be mapped, and in the end
/// what was made from them.
pub(crate) struct SegmentWriter {
    path: PathBuf,
    out: BufWriter<File>,
    at: u64,
    sections: Vec<Section>,
}

impl SegmentWriter {
    /// Starts a file at `path`, replacing any.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(path)?;
        let mut this = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 20, file),
            at: 0,
            sections: Vec::new(),
        };
        this.write(&[0; HEADER])?;
        Ok(this)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Writes a section piece by piece.
    fn section<'a>(
        &mut self,
        name: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        let gap = self.at.next_multiple_of(PAGE) - self.at;
        self.write(&vec![0; gap as usize])?;
        let from = self.at;
        let mut crc = crc32fast::Hasher::new();
        for piece in pieces {
            crc.update(piece);
            self.write(piece)?;
        }
        self.sections.push(Section {
            name: name.to_owned(),
            from,
            bytes: self.at - from,
            crc32: crc.finalize(),
        });
        Ok(())
    }

    /// Writes the vectors, given record by record, and maps them.
    pub(crate) fn vectors<'a>(
        &mut self,
        records: impl Iterator<Item = &'a [f32]>,
    ) -> io::Result<Rows> {
        self.section("vectors", records.map(bytemuck::cast_slice))?;
        self.out.flush()?;
        let section = self.sections.last();
        let (from, bytes) = section.map_or((0, 0), |s| (s.from, s.bytes));
        map(self.out.get_ref(), from, bytes)
    }

    /// Writes everything else, flushes to disk and gives the file its name.
    pub(crate) fn finish(
        mut self,
        segment: &Segment,
        records: &[Record],
        shape: &Shape,
        name: &Path,
    ) -> io::Result<()> {
        let keys: Vec<u64> = records.iter().map(|r| r.key).collect();
        let norms: Vec<f32> = records.iter().map(|r| r.mean_norm).collect();
        self.section("keys", std::iter::once(bytemuck::cast_slice(&keys)))?;
        self.section("norms", std::iter::once(bytemuck::cast_slice(&norms)))?;
        self.section(
            "starts",
            std::iter::once(bytemuck::cast_slice(&segment.starts)),
        )?;
        let mut facets = Vec::new();
        for r in records {
            let json = serde_json::to_vec(&*r.facets)?;
            facets.extend((json.len() as u32).to_le_bytes());
            facets.extend(json);
        }
        self.section("facets", std::iter::once(facets.as_slice()))?;
        drop(facets);
        let passages = self.layer("passages", &segment.passages)?;
        let profiles = self.layer("profiles", &segment.profiles)?;
        let header = serde_json::to_vec(&Header {
            version: VERSION,
            order: ORDER,
            dim: segment.dim,
            fingerprint: shape.fingerprint.clone(),
            records: records.len(),
            rows: segment.row_count(),
            passages,
            profiles,
            sections: std::mem::take(&mut self.sections),
        })?;
        if header.len() + 16 > HEADER {
            return Err(io::Error::other("the header of a segment is too long"));
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(MAGIC)?;
        self.out.write_all(&(header.len() as u32).to_le_bytes())?;
        self.out
            .write_all(&crc32fast::hash(&header).to_le_bytes())?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        std::fs::rename(&self.path, name)
    }

    fn layer(&mut self, name: &str, layer: &Layer) -> io::Result<LayerHeader> {
        let mut one = |part: &str, bytes: &[u8]| {
            self.section(&format!("{name}.{part}"), std::iter::once(bytes))
        };
        one("codes", layer.codes.bytes())?;
        one("nodes", bytemuck::cast_slice(&layer.starts))?;
        one("members", bytemuck::cast_slice(&layer.members))?;
        let mut graph = None;
        if let Some(g) = &layer.graph {
            one("links", bytemuck::cast_slice(g.ground()))?;
            let upper: Vec<u32> = g.upper().iter().flat_map(|l| &l.links).copied().collect();
            one("upper", bytemuck::cast_slice(&upper))?;
            graph = Some(GraphHeader {
                width: g.width(),
                upper_width: g.upper_width(),
                entry: g.entry(),
                levels: g.upper().iter().map(|l| l.count).collect(),
            });
        }
        if let Some(l) = &layer.lists {
            one("centres", l.centres.codes.bytes())?;
            one("lists", bytemuck::cast_slice(&l.starts))?;
            one("listed", bytemuck::cast_slice(&l.members))?;
        }
        Ok(LayerHeader {
            nodes: layer.nodes(),
            members: layer.members.len(),
            scale: layer.codes.scale(),
            graph,
            lists: layer.lists.as_ref().map(Lists::len),
        })
    }
}
