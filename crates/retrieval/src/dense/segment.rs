//! A sealed segment: vectors that no longer change, with two layers to find records by: one of
//! passages, and one of profiles, which are the means of a record's passages.

use super::{
    build::{BuildError, GraphOptions},
    graph::NONE,
    layer::{Admission, Layer, LayerAsk, LayerScratch},
    memory::Rows,
    sketch::Sketches,
};
use crate::kernel::{Isa, dot};
use std::{borrow::Cow, cell::RefCell, io, sync::atomic::AtomicBool};

/// Nanoseconds, measured on text-like vectors (100,000 and a million, some and many of them admitted), for
/// estimates only: of a walk per answer wanted, where everybody is admitted; it goes so many times as far where
/// one in so many is.
const WALKED: usize = 530;
/// Of reading a sketch, where all of them stand near the processor and where they do not.
const SKETCHED: [usize; 2] = [4, 9];
/// Of reading a code, likewise.
const CODED: [usize; 2] = [25, 40];
/// So many bytes of sketches stand near the processor.
const NEAR: usize = 8 << 20;
/// Of going past a member of a list, and of the distance of a list's centre.
const PASSED: usize = 2;
const CENTRE: usize = 5;
/// Admitted members of lists that are read for each in the width of a search, where a record has one: of as many
/// nearest as the width they find about as many as a walk does; where the width is greater, fewer, in a third of the time.
const READ: usize = 20;
/// Lists are read where that is so many times as quick as any other way.
const LISTED: usize = 2;
/// Records whose codes are read for each in the width of a search, where sketches leave out others.
const KEPT: usize = 10;
/// And one in so many of all, who are nearer by chance.
const CHANCE: usize = 100;
/// Sketches are read where they leave one in so many at most: where they leave more, reading all codes is as
/// quick.
const FEW: usize = 2;

thread_local! {
    static SCRATCH: RefCell<LayerScratch> = RefCell::default();
}

/// Vectors of records, sealed.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) dim: usize,
    /// Row by row, a record's together.
    pub(crate) rows: Rows,
    /// First row of each record, and the number of rows at the end.
    pub(crate) starts: Vec<u32>,
    /// Over rows.
    pub(crate) passages: Layer,
    /// Over records of more than one passage.
    pub(crate) profiles: Layer,
    /// The node of each row, [`NONE`] of a zero vector.
    row_nodes: Vec<u32>,
    /// The node of each record's profile, [`NONE`] where its one passage is its profile.
    profile_nodes: Vec<u32>,
    /// Of rows, and of records' profiles.
    sketches: Option<(Sketches, Sketches)>,
}

/// Which layer is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// A record is as near as its nearest passage.
    Passages,
    /// A record is as near as its profile; records of one passage are not in it.
    Profiles,
}

/// What a search of a segment is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// At length one.
    pub(crate) vector: &'a [f32],
    pub(crate) side: Side,
    /// Distinct records wanted.
    pub(crate) wanted: usize,
    /// Width of the walk, in records; at least `wanted` counts.
    pub(crate) ef: usize,
    pub(crate) isa: Isa,
}

/// How records are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the graph, given up beyond so many distances.
    Walk { most: usize },
    /// Through lists, given up beyond so many members.
    Lists { most: usize },
    /// All that are admitted.
    Read,
}

/// A record that was found: by how near, in approximate cosine, and which.
pub(crate) type Found = (f32, u32);

impl Segment {
    /// Codes the vectors; graphs come with [`Segment::connect`].
    ///
    /// `starts` must ascend from 0 to the number of rows.
    pub(crate) fn code(dim: usize, rows: Rows, starts: Vec<u32>) -> Result<Self, BuildError> {
        let values = rows.values();
        let records = starts.len().saturating_sub(1);
        let total = starts.last().map_or(0, |n| *n as usize);
        let row = |i: usize| &values[i * dim..(i + 1) * dim];
        let owners = Self::owners(&starts);
        let passages = Layer::code(dim, (0..total).map(|i| (i as u32, row(i))), owners)?;
        let several: Vec<u32> = (0..records as u32)
            .filter(|r| starts[*r as usize + 1] - starts[*r as usize] > 1)
            .collect();
        let mut means = Vec::with_capacity(several.len() * dim);
        for r in &several {
            let (from, to) = (
                starts[*r as usize] as usize,
                starts[*r as usize + 1] as usize,
            );
            means.extend(mean(&values[from * dim..to * dim], dim));
        }
        let profiles = Layer::code(
            dim,
            several
                .iter()
                .enumerate()
                .map(|(i, r)| (*r, &means[i * dim..(i + 1) * dim])),
            Vec::new(),
        )?;
        let mut this = Self {
            dim,
            rows,
            starts,
            passages,
            profiles,
            row_nodes: Vec::new(),
            profile_nodes: Vec::new(),
            sketches: None,
        };
        this.index_nodes()?;
        Ok(this)
    }

    /// The record of each row; empty where each record has one row.
    pub(crate) fn owners(starts: &[u32]) -> Vec<u32> {
        let total = starts.last().map_or(0, |n| *n as usize);
        if total + 1 == starts.len() && starts.iter().enumerate().all(|(i, s)| *s as usize == i) {
            return Vec::new();
        }
        let mut owners = Vec::with_capacity(total);
        for (record, w) in starts.windows(2).enumerate() {
            owners.resize(owners.len() + (w[1] - w[0]) as usize, record as u32);
        }
        owners
    }

    /// Puts a segment together from what was written. `None` when it does not hold together.
    pub(crate) fn from_parts(
        dim: usize,
        rows: Rows,
        starts: Vec<u32>,
        passages: Layer,
        profiles: Layer,
    ) -> Option<Self> {
        let total = *starts.last()?;
        let ascending = starts.first() == Some(&0) && starts.windows(2).all(|w| w[0] <= w[1]);
        let records = starts.len() - 1;
        let fits = ascending
            && rows.values().len() == (total as usize).checked_mul(dim)?
            && passages.holds_together(total as usize, records)
            && profiles.holds_together(records, records)
            && profiles.owners.is_empty();
        let mut this = fits.then_some(Self {
            dim,
            rows,
            starts,
            passages,
            profiles,
            row_nodes: Vec::new(),
            profile_nodes: Vec::new(),
            sketches: None,
        })?;
        this.index_nodes().ok()?;
        Some(this)
    }

    /// Builds both graphs, in the thread pool it is called in.
    pub(crate) fn connect(
        &mut self,
        options: &GraphOptions,
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<(), BuildError> {
        self.passages.connect(self.dim, options, isa, stop)?;
        self.profiles.connect(self.dim, options, isa, stop)?;
        self.index_nodes()?;
        Ok(())
    }

    fn index_nodes(&mut self) -> io::Result<()> {
        let turn = |layer: &Layer, members: usize| {
            let mut nodes = vec![NONE; members];
            for node in 0..layer.nodes() as u32 {
                for m in layer.members_of(node) {
                    nodes[*m as usize] = node;
                }
            }
            nodes
        };
        let rows = self.starts.last().map_or(0, |n| *n as usize);
        self.row_nodes = turn(&self.passages, rows);
        self.profile_nodes = turn(&self.profiles, self.records());
        let rows = Sketches::of(&self.passages.codes, self.dim, &self.row_nodes)?;
        // None where no record has several passages.
        let records = if self.profiles.nodes() == 0 {
            &[]
        } else {
            &self.profile_nodes[..]
        };
        let profiles = Sketches::of(&self.profiles.codes, self.dim, records)?;
        self.sketches = rows.zip(profiles);
        Ok(())
    }

    pub(crate) fn records(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn row_count(&self) -> usize {
        self.starts.last().map_or(0, |n| *n as usize)
    }

    /// The vectors of a record, one after the other.
    pub(crate) fn vectors(&self, record: u32) -> &[f32] {
        let (from, to) = (
            self.starts[record as usize] as usize,
            self.starts[record as usize + 1] as usize,
        );
        &self.rows.values()[from * self.dim..to * self.dim]
    }

    /// Whether a layer that should have a graph has none.
    pub(crate) fn lacks_graph(&self, options: &GraphOptions) -> bool {
        let lacks = |l: &Layer| l.graph.is_none() && l.nodes() >= options.least.max(2);
        lacks(&self.passages) || lacks(&self.profiles)
    }

    fn layer(&self, side: Side) -> &Layer {
        match side {
            Side::Passages => &self.passages,
            Side::Profiles => &self.profiles,
        }
    }

    /// The node of each member of a layer.
    fn nodes_of(&self, side: Side) -> &[u32] {
        match side {
            Side::Passages => &self.row_nodes,
            Side::Profiles => &self.profile_nodes,
        }
    }

    /// How many of so many records are left for their codes to be read, where sketches leave out
    /// the others; `None` where all codes are read.
    fn kept(&self, ef: usize, records: usize) -> Option<usize> {
        let kept = ef.saturating_mul(KEPT).saturating_add(records / CHANCE);
        let few = kept.saturating_mul(FEW) < records;
        (few && self.sketches.is_some()).then_some(kept)
    }

    /// The way that is thought cheapest to the nearest of `admitted` records, spread evenly among all.
    fn way(&self, side: Side, ef: usize, admitted: usize) -> Way {
        let layer = self.layer(side);
        if admitted == 0 {
            return Way::Read;
        }
        let records = self.records().max(1);
        let rows = |of: usize| layer.nodes().saturating_mul(of) / records;
        let far = usize::from(layer.nodes() * self.dim / 8 > NEAR);
        let codes = |of: usize| rows(of).saturating_mul(CODED[far]);
        let reading = match self.kept(ef, admitted) {
            Some(kept) => rows(admitted).saturating_mul(SKETCHED[far]) + codes(kept),
            None => codes(admitted),
        };
        // To find one that is admitted, so many are met.
        let met = |of: usize| of.saturating_mul(records) / admitted;
        let walking = match &layer.graph {
            Some(_) => met(ef.saturating_mul(WALKED)),
            None => usize::MAX,
        };
        let listing = layer.lists.as_ref().map_or(usize::MAX, |lists| {
            let read = self.enough(side, ef);
            let past = met(read);
            let centres = lists.compared(past).saturating_mul(CENTRE);
            past.saturating_mul(PASSED)
                .saturating_add(read.saturating_mul(CODED[far]))
                .saturating_add(centres)
        });
        let least = walking.min(reading);
        // What turns out dearer than reading is given up.
        if listing < least / LISTED {
            let most = (reading / PASSED).saturating_add(4_096);
            Way::Lists { most }
        } else if walking < reading {
            let most = (reading / CODED[far])
                .saturating_mul(2)
                .saturating_add(4_096);
            Way::Walk { most }
        } else {
            Way::Read
        }
    }

    /// How many admitted members of lists are read for a search of some width.
    fn enough(&self, side: Side, ef: usize) -> usize {
        let members = self.layer(side).members.len();
        let read = ef.saturating_mul(READ).saturating_mul(members);
        read.div_ceil(self.records().max(1)).max(ef)
    }

    /// The nearest admitted records by whichever way is thought cheapest; `admitted` is about how many they
    /// are, and `records` tells them, in order. Fewer than wanted only where there are no more.
    pub(crate) fn nearest<'r>(
        &self,
        ask: &Ask<'_>,
        admission: &impl Admission,
        all: bool,
        admitted: usize,
        records: impl FnOnce() -> Cow<'r, [u32]>,
    ) -> Vec<Found> {
        let found = match self.way(ask.side, ask.ef.max(ask.wanted), admitted) {
            Way::Walk { most } => self.walk(ask, admission, all, most),
            Way::Lists { most } => self.through_lists(ask, admission, most),
            Way::Read => None,
        };
        found.unwrap_or_else(|| self.scan(ask, &records()))
    }

    /// The nearest of the admitted in the nearest lists. `None` when there are no lists, when they are past
    /// `most` members, or when fewer records than wanted were found and there may be more.
    pub(crate) fn through_lists(
        &self,
        ask: &Ask<'_>,
        admission: &impl Admission,
        most: usize,
    ) -> Option<Vec<Found>> {
        let layer = self.layer(ask.side);
        SCRATCH.with_borrow_mut(|s| {
            let enough = self.enough(ask.side, ask.ef.max(ask.wanted));
            let (mut nodes, all) =
                layer.in_lists(ask.isa, ask.vector, admission, enough, most, s)?;
            let node_of = self.nodes_of(ask.side);
            for (at, _) in &mut nodes {
                *at = node_of[*at as usize];
            }
            let found = layer.scan(ask.isa, ask.wanted, &nodes, s);
            let similarity = |(distance, r)| (layer.codes.similarity(distance), r);
            let found: Vec<Found> = found.into_iter().map(similarity).collect();
            (all || found.len() >= ask.wanted).then_some(found)
        })
    }

    /// The nearest admitted records by walking. `None` when there is no graph, or the walk took
    /// more distances than `most`.
    pub(crate) fn walk(
        &self,
        ask: &Ask<'_>,
        admission: &impl Admission,
        all: bool,
        most: usize,
    ) -> Option<Vec<Found>> {
        let layer = self.layer(ask.side);
        SCRATCH.with_borrow_mut(|s| {
            let mut found: Vec<Found> = Vec::with_capacity(ask.ef + 1);
            let mut seen = Seen::new(ask.ef);
            let walk = LayerAsk {
                isa: ask.isa,
                vector: ask.vector,
                ef: ask.ef.max(ask.wanted),
                most,
                admission,
                all,
                records: self.records(),
                node_of: self.nodes_of(ask.side),
            };
            let finished = layer.walk(&walk, s, |distance, record| {
                if seen.first(record) {
                    found.push((layer.codes.similarity(distance), record));
                }
            });
            found.truncate(ask.wanted);
            finished.then_some(found)
        })
    }

    /// The nearest of `records`, all of them read: their codes, or, where they are many, their
    /// sketches and the codes of those that may be near.
    pub(crate) fn scan(&self, ask: &Ask<'_>, records: &[u32]) -> Vec<Found> {
        SCRATCH.with_borrow_mut(|s| {
            let records: Cow<'_, [u32]> = match ask.side {
                Side::Passages => records.into(),
                Side::Profiles => {
                    let several = |r: &&u32| self.profile_nodes[**r as usize] != NONE;
                    records.iter().filter(several).copied().collect()
                }
            };
            let layer = self.layer(ask.side);
            layer.codes.ask(ask.vector, &mut s.asked);
            let kept = self.kept(ask.ef.max(ask.wanted), records.len());
            if let Some(((rows, profiles), kept)) = self.sketches.as_ref().zip(kept) {
                let (sketches, starts) = match ask.side {
                    Side::Passages if layer.owners.is_empty() => (rows, None),
                    Side::Passages => (rows, Some(&self.starts[..])),
                    Side::Profiles => (profiles, None),
                };
                let mut on = std::mem::take(&mut s.sketches);
                let asked = Sketches::asked(&s.asked);
                let view = sketches.view();
                let near = view.nearest(ask.isa, &asked, kept, &records, starts, &mut on);
                let found = self.read(ask, near, s);
                s.sketches = on;
                // Fewer only where those left have no direction.
                if found.len() >= ask.wanted {
                    return found;
                }
            }
            self.read(ask, &records, s)
        })
    }

    /// The nearest of `records` by the codes of all of them.
    fn read(&self, ask: &Ask<'_>, records: &[u32], s: &mut LayerScratch) -> Vec<Found> {
        let layer = self.layer(ask.side);
        let mut nodes = Vec::with_capacity(records.len());
        for &r in records {
            match ask.side {
                // Each record is one row.
                Side::Passages if layer.owners.is_empty() => {
                    nodes.push((self.row_nodes[r as usize], r));
                }
                Side::Passages => {
                    let rows = self.starts[r as usize]..self.starts[r as usize + 1];
                    nodes.extend(rows.map(|i| (self.row_nodes[i as usize], r)));
                }
                Side::Profiles => nodes.push((self.profile_nodes[r as usize], r)),
            }
        }
        let found = layer.scan(ask.isa, ask.wanted, &nodes, s);
        found
            .into_iter()
            .map(|(distance, r)| (layer.codes.similarity(distance), r))
            .collect()
    }

    /// Asks for a record's first vector ahead of its use.
    pub(crate) fn prefetch(&self, record: u32) {
        let first = self.vectors(record).as_ptr();
        crate::kernel::prefetch(first.cast(), self.dim * 4);
    }

    /// The exact cosine of a record's nearest passage.
    pub(crate) fn exact(&self, vector: &[f32], record: u32) -> f32 {
        self.vectors(record)
            .chunks_exact(self.dim)
            .map(|row| dot(vector, row))
            .fold(f32::NEG_INFINITY, f32::max)
    }

    /// Bytes on the heap, files left out.
    pub(crate) fn resident(&self) -> usize {
        let layer = |l: &Layer| {
            l.codes.bytes().len()
                + l.graph.as_ref().map_or(0, |g| g.resident())
                + l.lists.as_ref().map_or(0, |l| l.resident())
                + (l.starts.len() + l.members.len() + l.owners.len()) * 4
        };
        layer(&self.passages)
            + layer(&self.profiles)
            + (self.starts.len() + self.row_nodes.len() + self.profile_nodes.len()) * 4
            + self.rows.resident()
            + self
                .sketches
                .as_ref()
                .map_or(0, |(rows, profiles)| rows.resident() + profiles.resident())
    }
}

/// The mean of rows, at length one; zero when it vanishes.
pub(super) fn mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sum = vec![0f32; dim];
    for row in rows.chunks_exact(dim.max(1)) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
    }
    let norm = dot(&sum, &sum).sqrt();
    if norm > 1e-6 {
        sum.iter_mut().for_each(|x| *x /= norm);
    } else {
        sum.fill(0.0);
    }
    sum
}

/// The mean of vectors, at length one; zero when it vanishes.
pub(crate) fn mean_of(vectors: &[Vec<f32>]) -> Vec<f32> {
    mean(&vectors.concat(), vectors.first().map_or(0, Vec::len))
}

/// Records met so far: open addressing over a table that is no larger than it has to be.
struct Seen {
    table: Vec<u32>,
    held: usize,
}

impl Seen {
    fn new(expected: usize) -> Self {
        Self {
            table: vec![NONE; (expected * 2).next_power_of_two().max(64)],
            held: 0,
        }
    }

    /// True the first time.
    fn first(&mut self, record: u32) -> bool {
        if self.held * 2 >= self.table.len() {
            let old = std::mem::take(&mut self.table);
            self.table = vec![NONE; old.len() * 2];
            self.held = 0;
            for r in old.into_iter().filter(|r| *r != NONE) {
                self.first(r);
            }
        }
        let mask = self.table.len() - 1;
        let mut at = record.wrapping_mul(0x9E37_79B1) as usize & mask;
        loop {
            match self.table[at] {
                NONE => {
                    self.table[at] = record;
                    self.held += 1;
                    return true;
                }
                r if r == record => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    const DIM: usize = 128;
    const TOPICS: u32 = 30;

    /// Records of one passage or up to three, each record about a topic, and topics to ask for.
    fn segment(records: u32, several: bool) -> (Segment, Vec<Vec<f32>>) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut topic = || (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
        let topics: Vec<Vec<f32>> = (0..TOPICS).map(|_| topic()).collect();
        let (mut values, mut starts) = (Vec::new(), vec![0]);
        for record in 0..records {
            for _ in 0..if several { 1 + record % 3 } else { 1 } {
                let of = topics[(record % TOPICS) as usize].iter();
                let v: Vec<f32> = of.map(|x| x + rng.random_range(-0.8f32..0.8)).collect();
                values.extend(mean(&v, DIM));
            }
            starts.push((values.len() / DIM) as u32);
        }
        let rows = Rows::owned(values.len(), values.into_iter()).unwrap();
        let mut segment = Segment::code(DIM, rows, starts).unwrap();
        let stop = AtomicBool::new(false);
        let options = GraphOptions::default();
        segment.connect(&options, Isa::best(), &stop).unwrap();
        let asked = topics.iter().map(|t| mean(t, DIM)).collect();
        (segment, asked)
    }

    struct Admitted(fn(u32) -> bool);

    impl Admission for Admitted {
        fn admits(&self, record: u32) -> bool {
            (self.0)(record)
        }
    }

    fn ask(vector: &[f32], side: Side) -> Ask<'_> {
        Ask {
            vector,
            side,
            wanted: 10,
            ef: 20,
            isa: Isa::best(),
        }
    }

    #[test]
    fn lists_lead_to_the_nearest_that_pass() {
        for several in [false, true] {
            let (segment, topics) = segment(4_000, several);
            let sides = if several {
                &[Side::Passages, Side::Profiles][..]
            } else {
                &[Side::Passages]
            };
            // One in ten; who is about one topic only; few; nobody.
            let filters: [fn(u32) -> bool; 4] = [
                |r| r % 7 == 0 || r % 31 == 0,
                |r| r % TOPICS == 5,
                |r| r % 500 == 2,
                |_| false,
            ];
            for (side, filter) in sides.iter().flat_map(|s| filters.map(|f| (*s, f))) {
                let passing: Vec<u32> = (0..4_000).filter(|r| filter(*r)).collect();
                let (mut hits, mut of) = (0, 0);
                for topic in &topics {
                    let ask = ask(topic, side);
                    let truth = segment.scan(&ask, &passing);
                    let lists = segment.through_lists(&ask, &Admitted(filter), usize::MAX);
                    let found = lists.unwrap();
                    assert_eq!(found.len(), truth.len());
                    assert!(found.is_sorted_by(|a, b| a.0 >= b.0));
                    let records: HashSet<u32> = found.iter().map(|f| f.1).collect();
                    assert!(records.len() == found.len() && records.iter().all(|r| filter(*r)));
                    // Distances are those of codes, however a record was found.
                    let near = |f: &Found| found.iter().find(|g| g.1 == f.1).map(|g| g.0);
                    assert!(truth.iter().all(|t| near(t).is_none_or(|s| s == t.0)));
                    hits += truth.iter().filter(|t| records.contains(&t.1)).count();
                    of += truth.len();
                }
                assert!(hits * 100 >= of * 98, "{side:?}: {hits} of {of}");
            }
        }
    }

    #[test]
    fn the_cheapest_way_depends_on_how_many_pass() {
        let (mut segment, topics) = segment(12_000, false);
        let way = |s: &Segment, admitted| s.way(Side::Passages, 3, admitted);
        assert_eq!(way(&segment, 0), Way::Read);
        assert_eq!(way(&segment, 20), Way::Read);
        assert!(matches!(way(&segment, 12_000), Way::Walk { .. }));
        // There are no profiles here.
        assert_eq!(segment.way(Side::Profiles, 3, 12_000), Way::Read);
        let lists = |s: &Segment, n| matches!(way(s, n), Way::Lists { .. });
        let some = (1..120).map(|x| x * 100);
        let some: Vec<usize> = some.filter(|n| lists(&segment, *n)).collect();
        assert!(some.len() > 3, "{some:?}");
        let ask = Ask {
            ef: 3,
            wanted: 3,
            ..ask(&topics[3], Side::Passages)
        };
        let even = Admitted(|r| r % 4 == 0);
        // Two pass, though so many were thought to.
        let few = Admitted(|r| r % 6_000 == 15);
        for admitted in some {
            let unread = || panic!("lists were given up");
            let found = segment.nearest(&ask, &even, false, admitted, unread);
            let listed = segment.through_lists(&ask, &even, usize::MAX);
            assert_eq!(found, listed.unwrap());
            let two = || Cow::Borrowed(&[15, 6_015][..]);
            let found = segment.nearest(&ask, &few, false, admitted, two);
            assert_eq!(found, segment.scan(&ask, &two()));
        }
        assert_eq!(segment.through_lists(&ask, &few, 11_999), None);
        let all = segment.through_lists(&ask, &few, 12_000);
        assert_eq!(all.unwrap().len(), 2);
        // Files of before have no lists.
        segment.passages.lists = None;
        assert!((1..120).all(|x| !lists(&segment, x * 100)));
        assert_eq!(segment.through_lists(&ask, &even, usize::MAX), None);
    }

    #[test]
    fn nodes_stand_in_the_order_of_lists() {
        let (segment, _) = segment(12_000, false);
        let layer = &segment.passages;
        let above = layer.graph.as_ref().unwrap().upper()[0].count;
        let lists = layer.lists.as_ref().unwrap();
        let listed = lists.members.iter();
        let nodes: Vec<u32> = listed.map(|m| segment.row_nodes[*m as usize]).collect();
        let on_ground = nodes.iter().filter(|n| **n as usize >= above).count();
        let mut ends = (0..lists.len()).map(|l| {
            let of_list = &nodes[lists.starts[l] as usize..lists.starts[l + 1] as usize];
            let ground = of_list.iter().filter(|n| **n as usize >= above);
            (ground.clone().min().copied(), ground.max().copied())
        });
        // All of a list stand before all of the next, but for those of upper levels, who come first.
        let mut before = 0;
        assert!(ends.all(|(from, to)| {
            let after = from.is_none_or(|n| n > before);
            before = to.unwrap_or(before);
            after
        }));
        assert!(above > 20 && on_ground == 12_000 - above);
    }

    #[test]
    fn copies_are_in_lists_too() {
        let mut rng = ChaCha8Rng::seed_from_u64(12);
        let mut one = || {
            mean(
                &(0..DIM)
                    .map(|_| rng.random_range(-1.0..1.0))
                    .collect::<Vec<f32>>(),
                DIM,
            )
        };
        // Every other record says the same.
        let stock = one();
        let values: Vec<f32> = (0..4_000)
            .flat_map(|r| if r % 2 == 0 { stock.clone() } else { one() })
            .collect();
        let rows = Rows::owned(values.len(), values.into_iter()).unwrap();
        let mut segment = Segment::code(DIM, rows, (0..=4_000).collect()).unwrap();
        let stop = AtomicBool::new(false);
        let options = GraphOptions::default();
        segment.connect(&options, Isa::best(), &stop).unwrap();
        let passes = |r: u32| r.is_multiple_of(3);
        let passing: Vec<u32> = (0..4_000).filter(|r| passes(*r)).collect();
        let ask = ask(&stock, Side::Passages);
        let found = segment.through_lists(&ask, &Admitted(passes), usize::MAX);
        assert_eq!(found.unwrap(), segment.scan(&ask, &passing));
    }
}
