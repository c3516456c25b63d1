//! From memory to tantivy, beside the searches and the writes.
//!
//! Documents that wait are closed, written and committed; then the segments that tantivy now has,
//! merged ones among them, take the place of those that were searched. Whatever changed meanwhile
//! is in the part that was begun when the others were closed, and counts.

use super::{
    Body, Counts, Docs, Lexical, NOWHERE, Part, Place, Side, failed,
    memory::Memory,
    schema::{Columns, Document, Fields, Sealed, schema},
};
use crate::{
    index::IndexError,
    slots::{Slot, Slots},
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use tantivy::{
    Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError, directory::MmapDirectory,
    index::SegmentId, indexer::UserOperation,
};

const WRITER_MEMORY: usize = 64 << 20;

/// Up to where tantivy has seen what was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The sequence number of the store.
    pub(crate) seq: u64,
    /// Journals up to this number are in it.
    pub(crate) journal: u64,
}

impl Committed {
    fn read(payload: &str) -> Option<Self> {
        let mut numbers = payload.split_whitespace().map(str::parse);
        Some(Self {
            seq: numbers.next()?.ok()?,
            // Indexes of before had no journals.
            journal: numbers.next().and_then(Result::ok).unwrap_or(0),
        })
    }

    fn payload(self) -> String {
        format!("{} {}", self.seq, self.journal)
    }
}

/// The side of the lexical index that lasts.
pub(crate) struct Committer {
    folder: Option<PathBuf>,
    index: Index,
    fields: Fields,
    reader: IndexReader,
    /// Made at the first commit, so that an index that is only read takes no lock.
    writer: Option<IndexWriter>,
    committed: Committed,
}

/// Documents that are to be committed.
pub(crate) struct Waiting {
    bodies: Vec<(Arc<Memory>, Docs)>,
}

/// The segments that tantivy has.
pub(crate) struct Segments {
    all: HashSet<SegmentId>,
    new: Vec<(Sealed, Columns)>,
}

/// Segments, with the records their documents belong to.
pub(crate) struct Prepared {
    all: HashSet<SegmentId>,
    new: Vec<Placed>,
}

/// A segment, and where the records are that stand in it.
struct Placed {
    sealed: Sealed,
    docs: Docs,
    places: Vec<(Slot, Place)>,
}

impl Committer {
    /// Opens the index in `dir`, or makes an empty one; without a folder it lives in memory.
    pub(super) fn open(dir: Option<&Path>) -> Result<Self, IndexError> {
        let (schema, fields) = schema();
        let index = match dir {
            None => Index::create_in_ram(schema),
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(|source| IndexError::Io {
                    path: dir.to_owned(),
                    doing: "created",
                    source,
                })?;
                let damaged = |problem: String| IndexError::Damaged {
                    path: dir.to_owned(),
                    problem,
                };
                let directory = MmapDirectory::open(dir).map_err(|e| damaged(e.to_string()))?;
                let index =
                    Index::open_or_create(directory, schema).map_err(|e| damaged(e.to_string()))?;
                // tantivy notices flipped bytes only where asked to.
                let bad = index
                    .validate_checksum()
                    .map_err(|e| damaged(e.to_string()))?;
                if let Some(file) = bad.iter().next() {
                    return Err(damaged(format!("the checksum of {} fails", file.display())));
                }
                index
            }
        };
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed("opening"))?;
        let committed = index
            .load_metas()
            .map_err(failed("reading its metadata"))?
            .payload
            .and_then(|p| Committed::read(&p))
            .unwrap_or_default();
        Ok(Self {
            folder: dir.map(Path::to_owned),
            index,
            fields,
            reader,
            writer: None,
            committed,
        })
    }

    /// Up to where the last commit goes.
    pub(crate) fn committed(&self) -> Committed {
        self.committed
    }

    /// Commits what waits. On an error nothing of it is.
    pub(crate) fn commit(&mut self, waiting: &Waiting, upto: Committed) -> Result<(), IndexError> {
        let fields = self.fields;
        let writer = self.writer()?;
        if let Err(e) = waiting.write(writer, fields, upto) {
            let _ = writer.rollback();
            return Err(failed("writing")(e));
        }
        self.committed = upto;
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self
                .index
                .writer_with_num_threads(1, WRITER_MEMORY)
                .map_err(failed("opening for writing"))?,
        };
        Ok(self.writer.insert(writer))
    }

    /// Forgets everything; journals up to `journal` belong to what is forgotten.
    pub(crate) fn clear(&mut self, journal: u64) -> Result<(), IndexError> {
        let upto = Committed { seq: 0, journal };
        let writer = self.writer()?;
        let result = (|| {
            writer.delete_all_documents()?;
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&upto.payload());
            prepared.commit()
        })();
        result.map_err(failed("clearing"))?;
        self.committed = upto;
        Ok(())
    }

    /// The segments of the last commit, and what those say that are not `known`.
    pub(crate) fn read(&self, known: &HashSet<SegmentId>) -> Result<Segments, IndexError> {
        let read = || -> Result<Segments, TantivyError> {
            self.reader.reload()?;
            let searcher = self.reader.searcher();
            let segments = searcher.segment_readers();
            let new = segments
                .iter()
                .filter(|s| !known.contains(&s.segment_id()))
                .map(|s| Ok((Sealed::open(s, self.fields)?, Columns::read(s)?)));
            Ok(Segments {
                all: segments.iter().map(|s| s.segment_id()).collect(),
                new: new.collect::<Result<_, TantivyError>>()?,
            })
        };
        match (read(), &self.folder) {
            (Ok(read), _) => Ok(read),
            (Err(e), None) => Err(failed("reading")(e)),
            (Err(e), Some(path)) => Err(IndexError::Damaged {
                path: path.clone(),
                problem: e.to_string(),
            }),
        }
    }
}

impl Waiting {
    fn write(
        &self,
        writer: &mut IndexWriter,
        fields: Fields,
        upto: Committed,
    ) -> Result<(), TantivyError> {
        let changed = self.bodies.iter().flat_map(|b| b.0.changed());
        let changed: HashSet<u64> = changed.copied().collect();
        for key in changed {
            writer.delete_term(fields.of_key(key));
        }
        for (terms, docs) in &self.bodies {
            let lists = Side::BOTH.map(|side| terms.documents(side));
            let keys = terms.keys();
            let living: Vec<usize> = (0..keys.len())
                .filter(|d| docs.slot[*d] != NOWHERE)
                .collect();
            // All documents of a record in one step, so that they get into one segment.
            for record in living.chunk_by(|a, b| docs.slot[*a] == docs.slot[*b]) {
                let add = record.iter().map(|&d| {
                    UserOperation::Add(fields.document(&Document {
                        key: keys[d],
                        passage: docs.passage[d],
                        terms: [&lists[0][d], &lists[1][d]],
                        length: [docs.length[0][d], docs.length[1][d]],
                    }))
                });
                writer.run(add.collect::<Vec<_>>())?;
            }
        }
        let mut prepared = writer.prepare_commit()?;
        prepared.set_payload(&upto.payload());
        prepared.commit()?;
        Ok(())
    }
}

impl Lexical {
    /// Closes what waits; the next write begins a new part. Also says which segments are searched.
    pub(crate) fn close(&mut self) -> (Waiting, HashSet<SegmentId>) {
        let mut bodies = Vec::new();
        for part in &mut self.parts {
            if let Body::Memory { terms, closed } = &mut part.body {
                *closed = true;
                bodies.push((Arc::clone(terms), part.docs.clone()));
            }
        }
        (Waiting { bodies }, self.segments())
    }

    /// Finds out to which records the documents of new segments belong. No write may come in
    /// between this and [`Lexical::install`].
    pub(crate) fn prepare(
        &self,
        segments: Segments,
        slots: &Slots,
    ) -> Result<Prepared, IndexError> {
        let wrong = |key: u64| {
            let problem = format!("the passages of record {key} stand in more than one place");
            Err(IndexError::Damaged {
                path: PathBuf::from("lexical"),
                problem,
            })
        };
        let stays = |part: &Part| match &part.body {
            Body::Memory { closed, .. } => !closed,
            Body::Sealed(s) => segments.all.contains(&s.id),
        };
        let (staying, leaving): (Vec<&Part>, Vec<&Part>) =
            self.parts.iter().partition(|p| stays(p));
        // Written again since the others were closed.
        let newer = |slot: Slot| {
            let place = self.places.get(slot as usize);
            place.is_some_and(|p| staying.iter().any(|s| s.id == p.part))
        };
        let mut taken = vec![false; slots.slots()];
        let mut new = Vec::with_capacity(segments.new.len());
        let mut living = 0;
        for (sealed, columns) in segments.new {
            let Columns { keys, mut docs } = columns;
            let mut places: Vec<(Slot, Place)> = Vec::new();
            let mut doc = 0;
            while doc < keys.len() {
                let (key, first) = (keys[doc], doc);
                let lives = docs.slot[doc] != NOWHERE;
                while doc < keys.len() && keys[doc] == key && (docs.slot[doc] != NOWHERE) == lives {
                    doc += 1;
                }
                let slot = slots.slot_of(key).filter(|s| lives && !newer(*s));
                docs.slot[first..doc].fill(slot.unwrap_or(NOWHERE));
                let Some(slot) = slot else {
                    // Whatever the dead say, counting back from them stays inside.
                    (docs.passage[first..doc].iter_mut().zip(0..)).for_each(|(p, i)| *p = i);
                    continue;
                };
                let numbered = docs.passage[first..doc]
                    .iter()
                    .zip(0..)
                    .all(|(p, i)| *p == i);
                if !numbered || std::mem::replace(&mut taken[slot as usize], true) {
                    return wrong(key);
                }
                let length = docs.length.each_ref().map(|all| {
                    let of_record = all[first..doc].iter();
                    of_record.fold(0u32, |sum, n| sum.saturating_add(*n))
                });
                for side in Side::BOTH {
                    docs.record_length[side as usize][first] = length[side as usize];
                }
                let place = Place {
                    part: 0,
                    first: first as u32,
                    count: (doc - first) as u32,
                    length,
                };
                living += doc - first;
                places.push((slot, place));
            }
            new.push(Placed {
                sealed,
                docs,
                places,
            });
        }
        let left: usize = leaving
            .iter()
            .map(|p| p.docs.slot.iter().filter(|s| **s != NOWHERE).count())
            .sum();
        if !leaving.is_empty() && left != living {
            return Err(IndexError::Damaged {
                path: PathBuf::from("lexical"),
                problem: format!("{left} passages were committed and {living} are there"),
            });
        }
        Ok(Prepared {
            all: segments.all,
            new,
        })
    }

    /// Searches the new segments from now on, and no longer what they took in.
    pub(crate) fn install(&mut self, prepared: Prepared) {
        self.parts.retain(|p| match &p.body {
            Body::Memory { closed, .. } => !closed,
            Body::Sealed(s) => prepared.all.contains(&s.id),
        });
        for new in prepared.new {
            let id = self.number();
            for (slot, place) in new.places {
                self.leave(slot);
                self.enter(slot, Place { part: id, ..place });
            }
            // The part that grows stays the last.
            let part = Part {
                id,
                docs: new.docs,
                body: Body::Sealed(new.sealed),
                counts: Counts::default(),
            };
            self.parts.insert(0, part);
        }
    }
}
