//! The lexical side: tantivy keeps the postings that last, the scores are ours.
//!
//! BM25 (Robertson and Zaragoza 2009, §3.4) with exact passage lengths and with statistics over
//! living passages only, so that a score depends on what the index holds and not on when its
//! segments were merged. A record is scored twice: by its best passage, and with all its passages
//! taken as one text, which tells who writes of a thing again and again.
//!
//! A write goes to a part in memory, which every search reads beside the committed ones: what it
//! costs does not depend on how much there is. From time to time that part is closed and committed
//! to tantivy, on a thread of its own. Who is among the best is found without reading all postings of the
//! question's terms ([`Lexical::best`]).

mod best;
mod commit;
mod counts;
mod journals;
mod memory;
mod reading;
mod schema;
mod score;
mod weights;
mod window;

pub(crate) use best::SURE;
pub(crate) use commit::{Committed, Committer};
pub(crate) use journals::Journals;

use crate::{
    index::{IndexError, Passage},
    slots::{Slot, Slots},
};
use counts::Counts;
use memory::Memory;
use schema::Sealed;
use score::Pool;
use std::{collections::HashSet, path::Path, sync::Arc};
use tantivy::{TantivyError, index::SegmentId};

/// No record: the one that stood there was replaced or deleted.
const NOWHERE: Slot = Slot::MAX;
/// Longer terms are noise (and tantivy's limit is 65,530 bytes).
const MAX_TERM: usize = 200;

/// Which kind of terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Words,
    Bigrams,
}

impl Side {
    const BOTH: [Self; 2] = [Side::Words, Side::Bigrams];

    /// Its terms in a passage.
    fn of(self, p: &Passage) -> &[String] {
        match self {
            Side::Words => &p.words,
            Side::Bigrams => &p.bigrams,
        }
    }
}

/// Where each document of a part belongs, and how long it is. The documents of a record stand one
/// after the other, in one part.
#[derive(Debug, Default, Clone)]
struct Docs {
    /// [`NOWHERE`] where the record was replaced or deleted.
    slot: Vec<Slot>,
    /// The number of the passage in its record, from 0 and without a gap.
    passage: Vec<u32>,
    /// Terms, by side.
    length: [Vec<u32>; 2],
    /// Terms of the whole record, by side; at the record's first document.
    record_length: [Vec<u32>; 2],
}

/// Some of the passages, each of which is a document.
#[derive(Debug)]
struct Part {
    id: u32,
    docs: Docs,
    body: Body,
    /// Of a sealed part.
    counts: Counts,
}

#[derive(Debug)]
enum Body {
    /// Written since the last commit.
    Memory {
        terms: Arc<Memory>,
        /// Takes no more; it is being committed.
        closed: bool,
    },
    /// A segment of tantivy.
    Sealed(Sealed),
}

/// Where the documents of a record are.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    part: u32,
    first: u32,
    /// 0 for a record without passages, and for none.
    count: u32,
    /// Terms of all its passages, by side.
    length: [u32; 2],
}

/// What scores are relative to; over what lives.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    passages: u64,
    /// Records with a passage.
    records: u64,
    /// Terms, by side.
    length: [u64; 2],
}

/// What searches see of the lexical index of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Lexical {
    parts: Vec<Part>,
    /// By slot.
    places: Vec<Place>,
    totals: Totals,
    next: u32,
    pool: Pool,
}

fn failed(doing: &'static str) -> impl Fn(TantivyError) -> IndexError {
    move |source| IndexError::Lexical {
        doing,
        source: Box::new(source),
    }
}

impl Lexical {
    /// Opens what was committed to `dir`, or makes an empty index there; without a folder it lives
    /// in memory.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] when the files do not read or are of another make.
    pub(crate) fn open(dir: Option<&Path>, slots: &Slots) -> Result<(Self, Committer), IndexError> {
        let committer = Committer::open(dir)?;
        let mut this = Self::default();
        let new = committer.read(&HashSet::new())?;
        let prepared = this.prepare(new, slots)?;
        this.install(prepared);
        Ok((this, committer))
    }

    /// Takes the passages of the record at `slot`, in the place of those it had.
    pub(crate) fn put(&mut self, slot: Slot, key: u64, passages: &[Passage]) {
        self.leave(slot);
        let part = self.growing();
        let Body::Memory { terms, .. } = &mut part.body else {
            return;
        };
        // Whoever commits a part closes it first, so that nobody else holds this one.
        let terms = Arc::make_mut(terms);
        terms.change(key);
        let mut place = Place {
            part: part.id,
            first: part.docs.slot.len() as u32,
            count: passages.len() as u32,
            length: [0; 2],
        };
        for (i, p) in passages.iter().enumerate() {
            terms.push(key, p);
            part.docs.slot.push(slot);
            part.docs.passage.push(i as u32);
            for side in Side::BOTH {
                let length = side.of(p).len() as u32;
                part.docs.length[side as usize].push(length);
                let all = &mut place.length[side as usize];
                *all = all.saturating_add(length);
            }
        }
        for side in Side::BOTH {
            let length = place.length[side as usize];
            let to = part.docs.slot.len();
            part.docs.record_length[side as usize].resize(to, length);
        }
        self.enter(slot, place);
    }

    /// Forgets the record of a key, which stood at `slot`, if it stood anywhere.
    pub(crate) fn remove(&mut self, slot: Option<Slot>, key: u64) {
        if let Some(slot) = slot {
            self.leave(slot);
        }
        if let Body::Memory { terms, .. } = &mut self.growing().body {
            Arc::make_mut(terms).change(key);
        }
    }

    /// Documents that were written, living or not, and not committed.
    pub(crate) fn waiting(&self) -> usize {
        let memory = self.parts.iter().filter_map(Part::memory);
        memory.map(|m| m.changes()).sum()
    }

    fn enter(&mut self, slot: Slot, place: Place) {
        let at = slot as usize;
        if self.places.len() <= at {
            self.places.resize(at + 1, Place::default());
        }
        self.places[at] = place;
        let t = &mut self.totals;
        t.passages += u64::from(place.count);
        t.records += u64::from(place.count > 0);
        for side in Side::BOTH {
            t.length[side as usize] += u64::from(place.length[side as usize]);
        }
    }

    /// Takes a record's documents out of what is searched.
    fn leave(&mut self, slot: Slot) {
        let Some(place) = self.places.get_mut(slot as usize).map(std::mem::take) else {
            return;
        };
        if place.count == 0 {
            return;
        }
        let t = &mut self.totals;
        t.passages -= u64::from(place.count);
        t.records -= 1;
        for side in Side::BOTH {
            t.length[side as usize] -= u64::from(place.length[side as usize]);
        }
        if let Some(part) = self.parts.iter_mut().find(|p| p.id == place.part) {
            let first = place.first as usize;
            part.docs.slot[first..first + place.count as usize].fill(NOWHERE);
            part.counts.died((place.first, place.first + place.count));
        }
    }

    /// The part that takes documents.
    fn growing(&mut self) -> &mut Part {
        let open = |p: &Part| matches!(p.body, Body::Memory { closed: false, .. });
        if !self.parts.last().is_some_and(open) {
            let id = self.number();
            self.parts.push(Part {
                id,
                docs: Docs::default(),
                body: Body::Memory {
                    terms: Arc::default(),
                    closed: false,
                },
                counts: Counts::default(),
            });
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Segments that are searched.
    fn segments(&self) -> HashSet<SegmentId> {
        self.parts.iter().filter_map(Part::segment).collect()
    }
}

impl Part {
    fn memory(&self) -> Option<&Arc<Memory>> {
        match &self.body {
            Body::Memory { terms, .. } => Some(terms),
            Body::Sealed(_) => None,
        }
    }

    fn segment(&self) -> Option<SegmentId> {
        match &self.body {
            Body::Memory { .. } => None,
            Body::Sealed(s) => Some(s.id),
        }
    }
}
