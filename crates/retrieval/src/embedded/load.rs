//! From files to an index.

use super::{
    IndexOptions,
    files::{Inventory, JOURNAL, Listed, Manifest, journal_path},
};
use crate::{
    attributes::Attributes,
    dense::{Dense, End, NOWHERE, Opened, mean_norm, open_segment},
    index::{Change, Entry, IndexError, Shape},
    journal::{Content, Frame, Journal},
    slots::{Held, Place, Slots},
};
use ndarray::{Array2, ArrayView2};
use queqiao_domain::Facets;
use std::{collections::HashSet, path::Path, sync::Arc};

/// Rewrite the journal when it is this many times as long as its living contents.
const JOURNAL_SLACK: u64 = 2;
/// A journal below so many bytes is not worth rewriting.
const SHORT: u64 = 1 << 20;

/// The files of an index that is open.
pub(super) struct Files {
    /// The journal that is written to.
    pub(super) journal: Journal,
    /// The number of the last journal that got one; 0 before the first.
    pub(super) last: u64,
    /// The number that the next journal or segment gets.
    pub(super) next: u64,
    /// The sequence number up to which the files had seen the store when they were opened.
    pub(super) seq: u64,
}

impl Files {
    /// Makes the files of an empty index, in the place of whatever stood there.
    pub(super) fn create(folder: &Path, shape: &Shape) -> Result<Self, IndexError> {
        Inventory::clear(folder).map_err(io(folder, "replaced"))?;
        Ok(Self {
            journal: Journal::create(&folder.join(JOURNAL), shape, Content::Vectors)?,
            last: 0,
            next: 1,
            seq: 0,
        })
    }
}

fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> IndexError + use<> {
    let path = path.to_owned();
    move |source| IndexError::Io {
        path,
        doing,
        source,
    }
}

/// Whether an index stands in a folder.
pub(super) fn exists(folder: &Path) -> bool {
    let found = Inventory::of(folder).unwrap_or_default();
    folder.join(JOURNAL).exists() || !found.is_empty()
}

/// Loads what stands in a folder.
pub(super) fn load(
    folder: &Path,
    shape: &Shape,
    options: &IndexOptions,
) -> Result<(Loaded, Files), IndexError> {
    let manifest = Manifest::read(folder, shape)?;
    let found = Inventory::of(folder).map_err(io(folder, "read"))?;
    let mut loaded = Loaded::new(shape, options, Some(folder));
    let (mut seq, covered) = manifest.as_ref().map_or((0, 0), |m| (m.seq, m.covered));
    for listed in manifest.iter().flat_map(|m| &m.segments) {
        let path = folder.join(&listed.file);
        let opened = open_segment(&path, shape)?;
        if let Some(problem) = &opened.mended {
            tracing::warn!(
                "{} is damaged ({problem}): its vectors are whole and are read one by one until its graphs are built anew",
                path.display()
            );
        }
        loaded.take(opened, &listed.dead(), &listed.file);
    }
    found.tidy(folder, manifest.as_ref());
    let next = found.next(manifest.as_ref());
    let mut bytes = 0;
    for number in found.journals.iter().filter(|n| **n > covered) {
        let (_, last) = loaded.replay(&journal_path(folder, *number), shape, &mut bytes)?;
        seq = last.unwrap_or(seq);
        let journal = *number;
        loaded.dense.close(End { journal, seq });
    }
    let path = folder.join(JOURNAL);
    let mut journal = if path.exists() {
        let (journal, last) = loaded.replay(&path, shape, &mut bytes)?;
        seq = last.unwrap_or(seq);
        journal
    } else {
        // The last one had just got its number.
        Journal::create(&path, shape, Content::Vectors)?
    };
    let (raw_rows, raw_records) = loaded.raw();
    let bytes = bytes.min((raw_rows * shape.dim * 4) as u64);
    let numbered = found.journals.iter().any(|n| *n > covered);
    if !numbered && journal.bytes() > SHORT + JOURNAL_SLACK * bytes + 512 * raw_records as u64 {
        // The list of dead is what the journal said of sealed records.
        Manifest::new(shape, seq, covered, loaded.listed())
            .write(folder)
            .map_err(io(folder, "written"))?;
        journal = loaded.rewrite(&path, shape, seq)?;
    }
    let last = found.journals.last().copied().unwrap_or(0).max(covered);
    let files = Files {
        journal,
        last,
        next,
        seq,
    };
    Ok((loaded, files))
}

/// The records and vectors of an index.
pub(super) struct Loaded {
    pub(super) slots: Slots,
    pub(super) attributes: Attributes,
    pub(super) dense: Dense,
}

impl Loaded {
    pub(super) fn new(shape: &Shape, options: &IndexOptions, folder: Option<&Path>) -> Self {
        Self {
            slots: Slots::default(),
            attributes: Attributes::default(),
            dense: options.dense(shape.dim, folder),
        }
    }

    fn put(&mut self, key: u64, facets: Facets, vectors: ArrayView2<'_, f32>) {
        put(
            &mut self.slots,
            &mut self.attributes,
            &mut self.dense,
            key,
            facets,
            vectors,
        );
    }

    fn remove(&mut self, key: u64) {
        remove(&mut self.slots, &mut self.attributes, &mut self.dense, key);
    }

    /// Makes the changes of a journal. Returns it with the sequence number of its last batch.
    fn replay(
        &mut self,
        path: &Path,
        shape: &Shape,
        bytes: &mut u64,
    ) -> Result<(Journal, Option<u64>), IndexError> {
        Journal::open(path, shape, Content::Vectors, |frame| match frame {
            Frame::Put {
                key,
                facets,
                vectors,
            } => {
                *bytes += 64 + (vectors.len() * 4) as u64;
                self.put(key, *facets, vectors.view());
            }
            Frame::Delete(key) => self.remove(key),
            Frame::Terms { .. } => {}
        })
    }

    /// Rows and records that no segment holds.
    fn raw(&self) -> (usize, usize) {
        let raw = self.dense.parts().iter().filter(|p| p.is_raw());
        (
            raw.map(|p| p.live_rows()).sum(),
            self.dense.raw_slots().count(),
        )
    }

    /// Writes a journal of what no segment holds.
    fn rewrite(&self, path: &Path, shape: &Shape, seq: u64) -> Result<Journal, IndexError> {
        let mut journal = Journal::create(path, shape, Content::Vectors)?;
        let held: Vec<&Held> = self
            .dense
            .raw_slots()
            .filter_map(|slot| self.slots.get(slot))
            .collect();
        for chunk in held.chunks(4096) {
            let changes: Vec<Change> = chunk
                .iter()
                .map(|h| {
                    let values = self.dense.vectors(h.place).to_vec();
                    Change::Put(Box::new(Entry {
                        key: h.key,
                        facets: (*h.facets).clone(),
                        passages: Vec::new(),
                        vectors: Array2::from_shape_vec((h.passages as usize, shape.dim), values)
                            .unwrap_or_else(|_| Array2::zeros((0, shape.dim))),
                    }))
                })
                .collect();
            journal.append(&changes, seq)?;
        }
        Ok(journal)
    }

    /// Takes a sealed segment, without its dead.
    fn take(&mut self, opened: Opened, dead: &HashSet<u32>, file: &str) {
        for (i, r) in opened.records.iter().enumerate() {
            if !dead.contains(&(i as u32)) {
                remove_vectors(
                    &mut self.slots,
                    &mut self.attributes,
                    &mut self.dense,
                    r.key,
                );
            }
        }
        let segment = Arc::new(opened.segment);
        // Two steps, because a place needs the part's number, and the part the slots.
        let mut slots = vec![NOWHERE; opened.records.len()];
        for (i, r) in opened.records.iter().enumerate() {
            if dead.contains(&(i as u32)) {
                continue;
            }
            let slot = self.slots.slot_for(r.key);
            self.slots.put(Held {
                key: r.key,
                facets: Arc::clone(&r.facets),
                place: Place::default(),
                passages: segment.starts[i + 1] - segment.starts[i],
                mean_norm: r.mean_norm,
            });
            self.attributes.insert(slot, &r.facets);
            slots[i] = slot;
        }
        let part = self
            .dense
            .add(segment, slots.clone(), Some(file.to_owned()));
        for (record, slot) in slots.iter().enumerate() {
            if let Some(held) = self.slots.get_mut(*slot) {
                held.place = Place {
                    part,
                    record: record as u32,
                };
            }
        }
    }

    /// Which segments count at the moment, and who of them is dead.
    fn listed(&self) -> Vec<Listed> {
        listed(&self.dense)
    }
}

/// The sealed parts that have files, with their dead.
pub(super) fn listed(dense: &Dense) -> Vec<Listed> {
    let parts = dense.parts().iter();
    parts
        .filter_map(|p| {
            let file = p.file.clone()?;
            let dead = p.slots.iter().enumerate().filter(|(_, s)| **s == NOWHERE);
            Some(Listed::new(file, dead.map(|(i, _)| i as u32)))
        })
        .collect()
}

pub(super) fn put(
    slots: &mut Slots,
    attributes: &mut Attributes,
    dense: &mut Dense,
    key: u64,
    facets: Facets,
    vectors: ArrayView2<'_, f32>,
) {
    remove_vectors(slots, attributes, dense, key);
    let slot = slots.slot_for(key);
    let facets = Arc::new(facets);
    attributes.insert(slot, &facets);
    let place = dense.push(slot, vectors);
    slots.put(Held {
        key,
        facets,
        place,
        passages: vectors.nrows() as u32,
        mean_norm: mean_norm(vectors),
    });
}

pub(super) fn remove(slots: &mut Slots, attributes: &mut Attributes, dense: &mut Dense, key: u64) {
    remove_vectors(slots, attributes, dense, key);
    slots.remove(key);
}

/// Lets go of what hangs on the record of a key, which keeps its slot.
fn remove_vectors(slots: &mut Slots, attributes: &mut Attributes, dense: &mut Dense, key: u64) {
    if let Some(slot) = slots.slot_of(key)
        && let Some(old) = slots.get(slot)
    {
        attributes.remove(slot, &old.facets);
        dense.forget(old);
    }
}
