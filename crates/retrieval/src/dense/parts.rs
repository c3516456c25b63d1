//! All vectors of an index: one part that grows and has no graph, sealed ones with graphs.

use super::{
    GraphOptions,
    layer::Admission,
    raw::Raw,
    segment::{Ask, Found, Segment, Side},
};
use crate::{
    kernel::Isa,
    slots::{Held, Place, Slot, Slots},
};
use ndarray::ArrayView2;
use std::{path::Path, sync::Arc};

/// No record: the one that stood there was replaced or deleted.
pub(crate) const NOWHERE: Slot = Slot::MAX;

/// A part is asked for so many more than its share.
const SURPLUS: usize = 64;

/// Where a part's vectors are.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Read by every search.
    Raw(Arc<Raw>),
    /// Searched through its graphs.
    Sealed(Arc<Segment>),
}

/// Up to where a part and those before it know of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// The number of the last journal; 0 where there is none.
    pub(crate) journal: u64,
    /// The last sequence number of the store.
    pub(crate) seq: u64,
}

/// Some of the records, with their vectors.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) id: u32,
    pub(crate) body: Body,
    /// The slot of each of its records, [`NOWHERE`] where it is gone.
    pub(crate) slots: Vec<Slot>,
    /// Where it ends, once it takes no more records.
    pub(crate) end: Option<End>,
    /// The file it is mapped from.
    pub(crate) file: Option<String>,
    live: usize,
    live_rows: usize,
}

/// All parts.
#[derive(Debug)]
pub(crate) struct Dense {
    dim: usize,
    isa: Isa,
    /// Up to so many waiting rows, all of them are compared.
    whole: usize,
    parts: Vec<Part>,
    next: u32,
    /// Where values of many that wait may stand.
    folder: Option<Arc<Path>>,
}

impl Ask<'_> {
    /// What to ask of a part with so many of the rows: its share, and so many more that those who lie
    /// anywhere are all found.
    fn of_share(self, live: usize, rows: usize) -> Self {
        let share = |of: usize| {
            let even = of.saturating_mul(live).div_ceil(rows.max(1));
            (even + even / 4 + SURPLUS).min(of)
        };
        Self {
            wanted: share(self.wanted),
            ef: share(self.ef),
            ..self
        }
    }
}

/// Records that pass a filter.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// A bit for each slot.
    bits: Vec<u64>,
    /// How many.
    pub(crate) count: usize,
}

impl Chosen {
    /// The slots given, of which there are `slots`.
    pub(crate) fn new(chosen: impl Iterator<Item = Slot>, slots: usize) -> Self {
        let mut bits = vec![0u64; slots.div_ceil(64)];
        let mut count = 0;
        for s in chosen {
            if let Some(word) = bits.get_mut(s as usize >> 6) {
                *word |= 1 << (s & 63);
                count += 1;
            }
        }
        Self { bits, count }
    }

    #[inline]
    pub(crate) fn has(&self, slot: Slot) -> bool {
        let word = self.bits.get(slot as usize >> 6);
        word.is_some_and(|w| w >> (slot & 63) & 1 == 1)
    }
}

/// Who of a part may be found.
struct InPart<'a> {
    slots: &'a [Slot],
    chosen: Option<&'a Chosen>,
}

impl Admission for InPart<'_> {
    #[inline]
    fn admits(&self, record: u32) -> bool {
        let slot = self.slots[record as usize];
        slot != NOWHERE && self.chosen.is_none_or(|c| c.has(slot))
    }
}

impl Body {
    pub(crate) fn vectors(&self, record: u32, dim: usize) -> &[f32] {
        match self {
            Body::Raw(raw) => raw.vectors(record, dim),
            Body::Sealed(segment) => segment.vectors(record),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Body::Raw(raw) => raw.rows(),
            Body::Sealed(segment) => segment.row_count(),
        }
    }
}

impl Part {
    fn new(id: u32, body: Body) -> Self {
        Self {
            id,
            body,
            slots: Vec::new(),
            end: None,
            file: None,
            live: 0,
            live_rows: 0,
        }
    }

    pub(crate) fn is_raw(&self) -> bool {
        matches!(self.body, Body::Raw(_))
    }

    /// Takes records.
    fn grows(&self) -> bool {
        self.is_raw() && self.end.is_none()
    }

    pub(crate) fn rows(&self) -> usize {
        self.body.rows()
    }

    pub(crate) fn live_rows(&self) -> usize {
        self.live_rows
    }

    /// A sealed part whose graphs were damaged, or that was sealed when fewer were enough.
    pub(crate) fn lacks_graph(&self, options: &GraphOptions) -> bool {
        match &self.body {
            Body::Raw(_) => false,
            Body::Sealed(segment) => segment.lacks_graph(options),
        }
    }

    fn all_live(&self) -> bool {
        self.live == self.slots.len()
    }
}

impl Dense {
    /// Of vectors of `dim` values. Up to `whole` waiting rows, all of them are compared with every
    /// question. Values of more may stand in `folder`, in files without a name.
    pub(crate) fn new(dim: usize, isa: Isa, whole: usize, folder: Option<&Path>) -> Self {
        Self {
            dim,
            isa,
            whole,
            parts: Vec::new(),
            next: 0,
            folder: folder.map(Arc::from),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Rows that belong to a record.
    pub(crate) fn live_rows(&self) -> usize {
        self.parts.iter().map(|p| p.live_rows).sum()
    }

    fn part(&self, id: u32) -> Option<&Part> {
        self.parts.iter().rev().find(|p| p.id == id)
    }

    fn part_mut(&mut self, id: u32) -> Option<&mut Part> {
        self.parts.iter_mut().rev().find(|p| p.id == id)
    }

    /// The vectors of a record, one after the other.
    pub(crate) fn vectors(&self, place: Place) -> &[f32] {
        self.part(place.part)
            .map_or(&[], |p| p.body.vectors(place.record, self.dim))
    }

    /// Takes the vectors of a record that will stand at `slot`.
    pub(crate) fn push(&mut self, slot: Slot, vectors: ArrayView2<'_, f32>) -> Place {
        if self.parts.last().is_none_or(|p| !p.grows()) {
            let id = self.next;
            self.next += 1;
            let raw = Raw::new(self.folder.clone());
            self.parts.push(Part::new(id, Body::Raw(Arc::new(raw))));
        }
        let Some(part) = self.parts.last_mut() else {
            return Place::default();
        };
        let record = match &mut part.body {
            // Whoever seals a part closes it first, so that nobody else holds this one.
            Body::Raw(raw) => Arc::make_mut(raw).push(vectors.iter(), vectors.nrows(), self.dim),
            Body::Sealed(_) => 0,
        };
        part.slots.push(slot);
        part.live += 1;
        part.live_rows += vectors.nrows();
        Place {
            part: part.id,
            record,
        }
    }

    /// Forgets a record that was replaced or deleted.
    pub(crate) fn forget(&mut self, held: &Held) {
        let place = held.place;
        if let Some(part) = self.part_mut(place.part)
            && let Some(slot) = part.slots.get_mut(place.record as usize)
            && *slot != NOWHERE
        {
            *slot = NOWHERE;
            part.live -= 1;
            part.live_rows -= held.passages as usize;
        }
    }

    /// The part that grows.
    pub(crate) fn growing(&self) -> Option<&Part> {
        self.parts.last().filter(|p| p.grows())
    }

    /// Takes no more records into the part that grows, so that it can be sealed.
    pub(crate) fn close(&mut self, end: End) {
        if let Some(p) = self.parts.last_mut().filter(|p| p.grows()) {
            p.end = Some(end);
        }
    }

    /// Drops the dead rows of the part that grows when they are the greater part.
    pub(crate) fn compact(&mut self, slots: &mut Slots) {
        let dim = self.dim;
        let Some(part) = self.parts.last_mut().filter(|p| p.grows()) else {
            return;
        };
        let Body::Raw(raw) = &part.body else { return };
        let dead = part.rows() - part.live_rows;
        if dead <= 1024 || dead * 2 <= part.rows() {
            return;
        }
        let mut new = Raw::new(self.folder.clone());
        let mut kept = Vec::with_capacity(part.live);
        for (record, slot) in part.slots.iter().enumerate() {
            let Some(held) = slots.get_mut(*slot) else {
                continue;
            };
            let vectors = raw.vectors(record as u32, dim);
            held.place.record = new.push(vectors.iter(), held.passages as usize, dim);
            kept.push(*slot);
        }
        part.body = Body::Raw(Arc::new(new));
        part.slots = kept;
    }

    /// Takes a sealed segment whose records are to stand at `slots`; [`NOWHERE`] for the dead.
    /// Returns the part's number.
    pub(crate) fn add(
        &mut self,
        segment: Arc<Segment>,
        slots: Vec<Slot>,
        file: Option<String>,
    ) -> u32 {
        let id = self.next;
        self.next += 1;
        let mut part = Part::new(id, Body::Sealed(Arc::clone(&segment)));
        part.file = file;
        for (record, _) in slots.iter().enumerate().filter(|(_, s)| **s != NOWHERE) {
            part.live += 1;
            part.live_rows += (segment.starts[record + 1] - segment.starts[record]) as usize;
        }
        part.slots = slots;
        // The part that grows stays the last.
        let at = match self.parts.last() {
            Some(p) if p.grows() => self.parts.len() - 1,
            _ => self.parts.len(),
        };
        self.parts.insert(at, part);
        id
    }

    /// Drops parts.
    pub(crate) fn remove(&mut self, ids: &[u32]) {
        self.parts.retain(|p| !ids.contains(&p.id));
    }

    /// The nearest chosen records, best first, in approximate cosine; without those that are
    /// compared anyway. At most `wanted`, and no fewer unless there are no more.
    pub(crate) fn nearest(
        &self,
        vector: &[f32],
        side: Side,
        wanted: usize,
        ef: usize,
        chosen: Option<&Chosen>,
        total: usize,
    ) -> Vec<(f32, Slot)> {
        let ask = Ask {
            vector,
            side,
            wanted,
            ef: ef.max(wanted),
            isa: self.isa,
        };
        let skim = self.skims(ask.ef);
        let searched = || self.parts.iter().filter(|p| skim || !p.is_raw());
        let rows: usize = searched().map(|p| p.live_rows).sum();
        let search = |part: &Part, ask: &Ask<'_>| match &part.body {
            Body::Sealed(segment) => part.nearest(segment, ask, chosen, total),
            Body::Raw(raw) => raw.nearest(ask, self.dim, part.admitted(chosen)),
        };
        let mut lists: Vec<(&Part, Ask<'_>, Vec<Found>)> = searched()
            .map(|part| {
                let ask = ask.of_share(part.live_rows, rows);
                (part, ask, search(part, &ask))
            })
            .collect();
        // Where all that a part was asked for are among the nearest, it may have more of them, or nearer ones.
        let mut scores: Vec<f32> = lists.iter().flat_map(|l| &l.2).map(|f| f.0).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let last = scores.get(wanted).copied().unwrap_or(f32::NEG_INFINITY);
        for (part, asked, found) in &mut lists {
            let all = found.len() >= asked.wanted && found.last().is_some_and(|f| f.0 > last);
            if (asked.wanted, asked.ef) != (ask.wanted, ask.ef) && all {
                *found = search(part, &ask);
            }
        }
        let slots = |(part, _, found): (&Part, Ask<'_>, Vec<Found>)| {
            let each = found.into_iter();
            let each = each.map(|(s, record)| (s, part.slots[record as usize]));
            each.collect::<Vec<_>>()
        };
        let mut all: Vec<(f32, Slot)> = lists.into_iter().flat_map(slots).collect();
        all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(wanted);
        all
    }

    /// Whether a search of some width leaves out most of those that no graph covers, because they are
    /// many.
    fn skims(&self, ef: usize) -> bool {
        let raw = self.parts.iter().filter(|p| p.is_raw());
        let leaves_out = |records| Raw::leaves_out(self.dim, ef, records).is_some();
        self.raw_rows() > self.whole && leaves_out(raw.map(|p| p.live).sum())
    }

    /// Passages that no graph covers.
    pub(crate) fn raw_rows(&self) -> usize {
        let raw = self.parts.iter().filter(|p| p.is_raw());
        raw.map(|p| p.live_rows).sum()
    }

    /// Records that no graph covers, in order.
    pub(crate) fn raw_slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let raw = self.parts.iter().filter(|p| p.is_raw());
        raw.flat_map(|p| p.slots.iter().copied().filter(|s| *s != NOWHERE))
    }

    /// Those of them that are compared with a question whatever [`Dense::nearest`] finds at this width,
    /// because they are few.
    pub(crate) fn compared(&self, ef: usize) -> impl Iterator<Item = Slot> + '_ {
        let few = !self.skims(ef);
        few.then(|| self.raw_slots()).into_iter().flatten()
    }

    /// Bytes on the heap, files left out.
    pub(crate) fn resident(&self) -> usize {
        let of = |p: &Part| {
            p.slots.len() * 4
                + match &p.body {
                    Body::Raw(raw) => raw.resident(),
                    Body::Sealed(segment) => segment.resident(),
                }
        };
        self.parts.iter().map(of).sum()
    }
}

impl Part {
    /// Records that may be found.
    fn admitted(&self, chosen: Option<&Chosen>) -> Vec<u32> {
        let admission = InPart {
            slots: &self.slots,
            chosen,
        };
        let records = 0..self.slots.len() as u32;
        records.filter(|r| admission.admits(*r)).collect()
    }

    /// By the way that is thought cheapest.
    fn nearest(
        &self,
        segment: &Segment,
        ask: &Ask<'_>,
        chosen: Option<&Chosen>,
        total: usize,
    ) -> Vec<Found> {
        let admission = InPart {
            slots: &self.slots,
            chosen,
        };
        // Thought to be spread evenly; where they are not, the limit of either way covers it.
        let share = chosen.map_or(self.live, |c| {
            c.count.saturating_mul(self.live).div_ceil(total.max(1))
        });
        let all = chosen.is_none() && self.all_live();
        segment.nearest(ask, &admission, all, share, || self.admitted(chosen).into())
    }
}
