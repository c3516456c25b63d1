//! Reading a segment, and checking all of it.

use super::{HEADER, Header, MAGIC, ORDER, Opened, Record, VERSION, map};
use crate::{
    dense::{
        Segment,
        codes::{Codes, ZERO, row_of, stride},
        graph::{Graph, Level},
        layer::Layer,
        lists::{Centres, Lists},
        memory::{Buffer, Rows},
    },
    index::{IndexError, Shape},
    kernel::Isa,
};
use queqiao_domain::Facets;
use serde::Deserialize;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

/// A file with the table of its sections.
struct Reader<'a> {
    path: &'a Path,
    file: File,
    length: u64,
    header: Header,
}

/// Opens a segment and checks all of it.
pub(crate) fn open(path: &Path, shape: &Shape) -> Result<Opened, IndexError> {
    let mut r = Reader::open(path, shape)?;
    let damaged = |problem: &str| IndexError::Damaged {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let (records, rows, dim) = (r.header.records, r.header.rows, r.header.dim);
    let keys: Vec<u64> = collect(&r.essential("keys")?);
    let norms: Vec<f32> = collect(&r.essential("norms")?);
    let starts: Vec<u32> = collect(&r.essential("starts")?);
    let facets =
        parse_facets(&r.essential("facets")?).ok_or_else(|| damaged("facets do not read"))?;
    let fits = keys.len() == records
        && norms.len() == records
        && facets.len() == records
        && starts.len() == records + 1
        && starts.first() == Some(&0)
        && starts.windows(2).all(|w| w[0] <= w[1])
        && starts.last().map(|n| *n as usize) == Some(rows);
    if !fits {
        return Err(damaged("its sections do not fit each other"));
    }
    let vectors = r.vectors()?;
    if vectors.values().len() != rows * dim {
        return Err(damaged("its sections do not fit each other"));
    }
    let owners = Segment::owners(&starts);
    let layers = r
        .layer("passages", owners)
        .and_then(|p| Ok((p, r.layer("profiles", Vec::new())?)));
    let (segment, mended) = match layers {
        Ok((passages, profiles)) => {
            let whole =
                Segment::from_parts(dim, vectors.clone(), starts.clone(), passages, profiles);
            let problem = whole
                .is_none()
                .then(|| "its graphs or lists do not hold together".to_owned());
            (whole, problem)
        }
        Err(problem) => (None, Some(problem)),
    };
    let segment = match segment {
        Some(segment) => segment,
        None => Segment::code(dim, vectors, starts).map_err(|e| damaged(&e.to_string()))?,
    };
    let records = keys
        .into_iter()
        .zip(facets)
        .zip(norms)
        .map(|((key, facets), mean_norm)| Record {
            key,
            facets: Arc::new(facets),
            mean_norm,
        })
        .collect();
    Ok(Opened {
        segment,
        records,
        mended,
    })
}

fn collect<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Vec<T> {
    bytes
        .chunks_exact(size_of::<T>())
        .map(bytemuck::pod_read_unaligned)
        .collect()
}

fn parse_facets(mut bytes: &[u8]) -> Option<Vec<Facets>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (json, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        out.push(serde_json::from_slice(json).ok()?);
        bytes = rest;
    }
    Some(out)
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path, shape: &Shape) -> Result<Self, IndexError> {
        let damaged = |problem: String| IndexError::Damaged {
            path: path.to_owned(),
            problem,
        };
        let io = |source| IndexError::Io {
            path: path.to_owned(),
            doing: "read",
            source,
        };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("the file is missing".to_owned()));
            }
            Err(e) => return Err(io(e)),
        };
        let length = file.metadata().map_err(io)?.len();
        let mut head = vec![0; HEADER];
        file.read_exact(&mut head)
            .map_err(|_| damaged("it is shorter than its header".to_owned()))?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (bytes, crc) = (word(8) as usize, word(12));
        let json = head.get(16..16 + bytes).filter(|_| head.starts_with(MAGIC));
        let json = json.filter(|j| crc32fast::hash(j) == crc);
        let json = json.ok_or_else(|| damaged("the header does not read".to_owned()))?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        match serde_json::from_slice::<Version>(json) {
            Ok(v) if v.version > VERSION => {
                return Err(damaged(format!(
                    "format version {}, newer than this program's {VERSION}",
                    v.version
                )));
            }
            _ => {}
        }
        let header: Header = serde_json::from_slice(json)
            .map_err(|e| damaged(format!("the header does not read: {e}")))?;
        if header.order != ORDER {
            return Err(damaged(
                "it was made on a machine of another byte order".to_owned(),
            ));
        }
        if header.dim != shape.dim || header.fingerprint != shape.fingerprint {
            return Err(damaged(format!(
                "made with model {} of {} dimensions",
                header.fingerprint, header.dim
            )));
        }
        Ok(Self {
            path,
            file,
            length,
            header,
        })
    }

    fn find(&self, name: &str) -> Result<(u64, u64, u32), String> {
        let section = self.header.sections.iter().find(|s| s.name == name);
        let s = section.ok_or_else(|| format!("section {name} is missing"))?;
        let inside = s
            .from
            .checked_add(s.bytes)
            .is_some_and(|end| end <= self.length);
        if inside {
            Ok((s.from, s.bytes, s.crc32))
        } else {
            Err(format!("section {name} is cut off"))
        }
    }

    /// Reads a section into `to`, which has its length, and checks it.
    fn read(&mut self, name: &str, to: &mut [u8]) -> Result<(), String> {
        let (from, _, crc) = self.find(name)?;
        let read = self
            .file
            .seek(SeekFrom::Start(from))
            .and_then(|_| self.file.read_exact(to));
        read.map_err(|e| format!("section {name} does not read: {e}"))?;
        if crc32fast::hash(to) == crc {
            Ok(())
        } else {
            Err(format!("the checksum of section {name} fails"))
        }
    }

    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let (_, bytes, _) = self.find(name)?;
        let mut to = vec![0; bytes as usize];
        self.read(name, &mut to)?;
        Ok(to)
    }

    fn essential(&mut self, name: &str) -> Result<Vec<u8>, IndexError> {
        self.bytes(name).map_err(|problem| IndexError::Damaged {
            path: self.path.to_owned(),
            problem,
        })
    }

    /// Maps the vectors, after all of them were read once to check them, not through the map, so
    /// that they do not count as this process's memory.
    fn vectors(&mut self) -> Result<Rows, IndexError> {
        let damaged = |problem: String| IndexError::Damaged {
            path: self.path.to_owned(),
            problem,
        };
        let (from, bytes, crc) = self.find("vectors").map_err(damaged)?;
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; 1 << 20];
        let mut left = bytes as usize;
        let unread = |e: io::Error| damaged(format!("section vectors does not read: {e}"));
        self.file.seek(SeekFrom::Start(from)).map_err(unread)?;
        while left > 0 {
            let n = left.min(buffer.len());
            self.file.read_exact(&mut buffer[..n]).map_err(unread)?;
            hasher.update(&buffer[..n]);
            left -= n;
        }
        if hasher.finalize() != crc {
            return Err(damaged("the checksum of section vectors fails".to_owned()));
        }
        map(&self.file, from, bytes).map_err(|source| IndexError::Io {
            path: self.path.to_owned(),
            doing: "mapped",
            source,
        })
    }

    fn layer(&mut self, name: &str, owners: Vec<u32>) -> Result<Layer, String> {
        let of = |h: &Header| match name {
            "passages" => (h.passages.nodes, h.passages.members, h.passages.scale),
            _ => (h.profiles.nodes, h.profiles.members, h.profiles.scale),
        };
        let (nodes, members, scale) = of(&self.header);
        let dim = self.header.dim;
        let codes = match self.header.version {
            1 => self.flat_codes(name, nodes)?,
            _ => self.buffer(&format!("{name}.codes"), nodes.checked_mul(stride(dim)))?,
        };
        let codes = Codes::from_buffer(codes, nodes, dim, scale);
        let codes = codes.ok_or_else(|| format!("the codes of {name} do not fit"))?;
        let starts: Vec<u32> = collect(&self.bytes(&format!("{name}.nodes"))?);
        let of_nodes: Vec<u32> = collect(&self.bytes(&format!("{name}.members"))?);
        if of_nodes.len() != members {
            return Err(format!("the members of {name} do not fit"));
        }
        let graph = match name {
            "passages" => self.header.passages.graph.take(),
            _ => self.header.profiles.graph.take(),
        };
        let graph = match graph {
            None => None,
            Some(g) => {
                let size = nodes.checked_mul(g.width).and_then(|n| n.checked_mul(4));
                let links = self.buffer(&format!("{name}.links"), size)?;
                let mut upper: &[u32] = &collect::<u32>(&self.bytes(&format!("{name}.upper"))?);
                let mut levels = Vec::new();
                for count in &g.levels {
                    let size = count.checked_mul(g.upper_width);
                    let (row, rest) = size
                        .and_then(|n| upper.split_at_checked(n))
                        .ok_or_else(|| format!("the levels of {name} do not fit"))?;
                    levels.push(Level {
                        count: *count,
                        links: row.to_vec(),
                    });
                    upper = rest;
                }
                let graph = Graph::new(nodes, g.width, links, g.upper_width, levels, g.entry);
                Some(graph.ok_or_else(|| format!("the graph of {name} leads nowhere"))?)
            }
        };
        let lists = match name {
            "passages" => self.header.passages.lists,
            _ => self.header.profiles.lists,
        };
        let lists = match lists {
            None => None,
            Some(n) => {
                let misfit = || format!("the centres of {name} do not fit");
                if n > nodes {
                    return Err(misfit());
                }
                let centres =
                    self.buffer(&format!("{name}.centres"), n.checked_mul(stride(dim)))?;
                let centres = Codes::from_buffer(centres, n, dim, scale).ok_or_else(misfit)?;
                let never = AtomicBool::new(false);
                let centres = Centres::new(centres, dim, Isa::best(), &never);
                Some(Lists {
                    centres: centres
                        .map_err(|e| format!("the centres of {name} were not grouped: {e}"))?,
                    starts: collect(&self.bytes(&format!("{name}.lists"))?),
                    members: collect(&self.bytes(&format!("{name}.listed"))?),
                })
            }
        };
        Ok(Layer {
            codes,
            graph,
            lists,
            starts,
            members: of_nodes,
            owners,
        })
    }

    /// Codes as version 1 wrote them: a byte each, one after the other, padded to a multiple of 64.
    fn flat_codes(&mut self, name: &str, nodes: usize) -> Result<Buffer, String> {
        let dim = self.header.dim;
        let (old, new) = (dim.next_multiple_of(64).max(64), stride(dim));
        let flat = self.buffer(&format!("{name}.codes"), nodes.checked_mul(old))?;
        let mut codes = Buffer::zeroed(nodes * new)
            .map_err(|e| format!("no memory for the codes of {name}: {e}"))?;
        let rows = codes.bytes_mut().chunks_exact_mut(new);
        for (to, from) in rows.zip(flat.bytes().chunks_exact(old)).take(nodes) {
            let mut row = from.to_vec();
            row.resize(new, ZERO);
            to.copy_from_slice(&row_of(&row));
        }
        Ok(codes)
    }

    fn buffer(&mut self, name: &str, size: Option<usize>) -> Result<Buffer, String> {
        let (_, bytes, _) = self.find(name)?;
        if size != Some(bytes as usize) {
            return Err(format!("section {name} has another length"));
        }
        let mut buffer = Buffer::zeroed(bytes as usize)
            .map_err(|e| format!("no memory for section {name}: {e}"))?;
        self.read(name, &mut buffer.bytes_mut()[..bytes as usize])?;
        Ok(buffer)
    }
}
