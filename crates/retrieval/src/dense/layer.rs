//! One searchable set of vectors: codes, the graph over them, and what each code belongs to.
//!
//! Equal codes are one node, however many vectors share them: copies would crowd each other's
//! neighbourhoods, and hnsw_rs loses them.

use super::{
    beam::{Every, Role, Scratch, Walk, Wanted},
    build::{BuildError, GraphOptions, build, finish},
    codes::{Asked, Codes, scale},
    graph::{Graph, NONE},
    lists::Lists,
    sketch::SketchScratch,
};
use crate::kernel::{Int8, Isa, Set};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher},
    sync::atomic::AtomicBool,
};

/// Codes of vectors and the graph over them.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) codes: Codes,
    /// None where there are few nodes, or until it is built.
    pub(crate) graph: Option<Graph>,
    /// None where there is no graph, and in files of programs that made none.
    pub(crate) lists: Option<Lists>,
    /// `starts[n]..starts[n + 1]` are the places in `members` of node n's.
    pub(crate) starts: Vec<u32>,
    /// What the nodes stand for: rows of vectors, or records. In order of node.
    pub(crate) members: Vec<u32>,
    /// The record of each member; empty where members are records, or each row is one.
    pub(crate) owners: Vec<u32>,
}

/// Records to be found: by their number in the segment.
pub(crate) trait Admission {
    /// Whether it may be an answer.
    fn admits(&self, record: u32) -> bool;
}

/// All records.
pub(crate) struct Everyone;

impl Admission for Everyone {
    fn admits(&self, _: u32) -> bool {
        true
    }
}

/// What a walk through a layer is for.
pub(crate) struct LayerAsk<'a, A> {
    pub(crate) isa: Isa,
    pub(crate) vector: &'a [f32],
    pub(crate) ef: usize,
    pub(crate) most: usize,
    pub(crate) admission: &'a A,
    /// Everyone is admitted.
    pub(crate) all: bool,
    /// Number of records of the segment.
    pub(crate) records: usize,
    /// The node of each member.
    pub(crate) node_of: &'a [u32],
}

/// What a search of a layer writes on.
#[derive(Debug, Default)]
pub(crate) struct LayerScratch {
    pub(crate) walk: Scratch,
    pub(crate) asked: Asked,
    pub(crate) sketches: SketchScratch,
    /// Per record, how many of its nodes are in the list; all zero between searches.
    inside: Vec<u32>,
    keep: Vec<(u32, u32)>,
}

impl Layer {
    /// Codes the vectors `rows` yields (member, vector), each once; zero vectors are left out.
    pub(crate) fn code<'a>(
        dim: usize,
        rows: impl Iterator<Item = (u32, &'a [f32])> + Clone,
        owners: Vec<u32>,
    ) -> Result<Self, BuildError> {
        let rows = rows.filter(|(_, v)| v.iter().any(|x| *x != 0.0));
        let mut sample = Vec::new();
        let total = rows.clone().count();
        for (_, v) in rows.clone().step_by((total / 4_096).max(1)) {
            sample.extend_from_slice(v);
        }
        let mut codes = Codes::new(total, dim, scale(&sample))?;
        // Nodes by a hash of their codes; of two with the same hash the later takes the next free.
        let mut node_of: HashMap<u64, u32> = HashMap::with_capacity(total);
        let mut of_node: Vec<(u32, u32)> = Vec::with_capacity(total);
        let mut nodes = 0;
        for (member, v) in rows {
            codes.set(nodes, v);
            let mut hasher = DefaultHasher::new();
            hasher.write(codes.row(nodes));
            let mut hash = hasher.finish();
            let node = loop {
                match node_of.get(&hash) {
                    None => {
                        node_of.insert(hash, nodes as u32);
                        nodes += 1;
                        break nodes as u32 - 1;
                    }
                    Some(node) if codes.row(*node as usize) == codes.row(nodes) => break *node,
                    Some(_) => hash = hash.wrapping_add(1),
                }
            };
            of_node.push((node, member));
        }
        codes.truncate(nodes);
        of_node.sort_unstable();
        let mut layer = Self {
            codes,
            graph: None,
            lists: None,
            starts: Vec::new(),
            members: Vec::new(),
            owners,
        };
        layer.assign(&of_node, nodes);
        Ok(layer)
    }

    /// Takes (node, member) in order.
    fn assign(&mut self, of_node: &[(u32, u32)], nodes: usize) {
        self.starts = vec![0; nodes + 1];
        for (node, _) in of_node {
            self.starts[*node as usize + 1] += 1;
        }
        for i in 0..nodes {
            self.starts[i + 1] += self.starts[i];
        }
        self.members = of_node.iter().map(|x| x.1).collect();
    }

    /// Builds the graph over codes of vectors of `dim` values, puts codes and members into its order, and makes
    /// lists.
    pub(crate) fn connect(
        &mut self,
        dim: usize,
        options: &GraphOptions,
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<(), BuildError> {
        if self.codes.rows() < options.least.max(2) {
            return Ok(());
        }
        let (graph, order) = build(&self.codes, options, isa, stop)?;
        let codes = self.codes.in_order(&order)?;
        let lists = Lists::of(&codes, dim, isa, stop)?;
        drop(codes);
        // Whom a question meets one after the other stand near each other.
        let (graph, again) = graph
            .in_order_of(&lists.members)?
            .ok_or(BuildError::Graph)?;
        let lists = lists.of_members(|place| self.members_of(order[place as usize]));
        let order: Vec<u32> = again.iter().map(|place| order[*place as usize]).collect();
        let mut of_node = Vec::with_capacity(self.members.len());
        for (i, row) in order.iter().enumerate() {
            of_node.extend(self.members_of(*row).iter().map(|m| (i as u32, *m)));
        }
        self.codes = self.codes.in_order(&order)?;
        self.assign(&of_node, order.len());
        self.graph = Some(finish(graph, &self.codes, options, isa, stop)?);
        self.lists = Some(lists);
        Ok(())
    }

    /// Whether every number in it leads somewhere, for so many members and records.
    pub(crate) fn holds_together(&self, members: usize, records: usize) -> bool {
        let below = |all: &[u32], n: usize| all.iter().all(|x| (*x as usize) < n);
        self.starts.len() == self.nodes() + 1
            && self.starts.first() == Some(&0)
            && self.starts.windows(2).all(|w| w[0] < w[1])
            && self.starts.last().map(|n| *n as usize) == Some(self.members.len())
            && below(&self.members, members)
            && (self.owners.is_empty() && members == records
                || self.owners.len() == members && below(&self.owners, records))
            && self
                .graph
                .as_ref()
                .is_none_or(|g| g.nodes() == self.nodes())
            && self
                .lists
                .as_ref()
                .is_none_or(|l| l.holds_together(&self.members, members))
    }

    pub(crate) fn nodes(&self) -> usize {
        self.codes.rows()
    }

    /// What a node stands for.
    #[inline]
    pub(crate) fn members_of(&self, node: u32) -> &[u32] {
        let (from, to) = (self.starts[node as usize], self.starts[node as usize + 1]);
        &self.members[from as usize..to as usize]
    }

    /// The record of a member.
    #[inline]
    pub(crate) fn owner(&self, member: u32) -> u32 {
        if self.owners.is_empty() {
            member
        } else {
            self.owners[member as usize]
        }
    }

    /// True when every node is one record of its own.
    fn plain(&self) -> bool {
        self.owners.is_empty() && self.members.len() == self.nodes()
    }

    /// Walks until `ef` distinct admitted records are found. False when it would have taken more
    /// than `most` distances, or there is no graph: nothing is found then.
    ///
    /// `each` gets distance and record, nearest first, a record each time one of its members was
    /// met.
    pub(crate) fn walk<A: Admission>(
        &self,
        ask: &LayerAsk<'_, A>,
        s: &mut LayerScratch,
        mut each: impl FnMut(u32, u32),
    ) -> bool {
        let Some(graph) = &self.graph else {
            return false;
        };
        self.codes.ask(ask.vector, &mut s.asked);
        let lists = self.lists.iter();
        let begin = lists.flat_map(|lists| lists.begin(ask.isa, &s.asked));
        let begin: Vec<u32> = begin.map(|m| ask.node_of[m as usize]).collect();
        let walk = Walk {
            begin: &begin,
            isa: ask.isa,
            graph,
            codes: &self.codes,
            asked: &s.asked,
            ef: ask.ef,
            most: ask.most,
        };
        if ask.all && self.plain() {
            let went = walk.run(&mut s.walk, &mut Every);
            for (distance, node) in s.walk.found() {
                each(distance, self.members[node as usize]);
            }
            return went.finished;
        }
        if self.plain() {
            let mut wanted = Singles {
                records: &self.members,
                admission: ask.admission,
            };
            let went = walk.run(&mut s.walk, &mut wanted);
            for (distance, node) in s.walk.found().filter(|_| went.finished) {
                each(distance, self.members[node as usize]);
            }
            return went.finished;
        }
        if s.inside.len() < ask.records {
            s.inside.resize(ask.records, 0);
        }
        let mut wanted = Distinct {
            layer: self,
            admission: ask.admission,
            inside: &mut s.inside,
        };
        let went = walk.run(&mut s.walk, &mut wanted);
        // Counts go back to zero for the next search.
        for (_, node) in s.walk.found() {
            wanted.leave(node);
        }
        if !went.finished {
            return false;
        }
        for (distance, node) in s.walk.found() {
            for &member in self.members_of(node) {
                let record = self.owner(member);
                if ask.admission.admits(record) {
                    each(distance, record);
                }
            }
        }
        true
    }

    /// The admitted of the nearest lists, until these are `enough` members or all there are: member and record,
    /// a record's one after the other; and whether these are all. `None` when it would have gone past more
    /// than `most` members, or there are no lists.
    pub(crate) fn in_lists(
        &self,
        isa: Isa,
        vector: &[f32],
        admission: &impl Admission,
        enough: usize,
        most: usize,
        s: &mut LayerScratch,
    ) -> Option<(Vec<(u32, u32)>, bool)> {
        let lists = self.lists.as_ref()?;
        self.codes.ask(vector, &mut s.asked);
        let (mut found, mut held, mut past, mut all) = (Vec::new(), 0, 0, true);
        for list in lists.nearest_first(isa, &s.asked) {
            if held >= enough {
                all = false;
                break;
            }
            past += list.len();
            if past > most {
                return None;
            }
            // Whether one passes is not to be foreseen: each is written, and the next over it if it does not.
            found.resize(held + list.len(), (0, 0));
            for &member in list {
                let record = self.owner(member);
                found[held] = (member, record);
                held += usize::from(admission.admits(record));
            }
        }
        found.truncate(held);
        if !self.owners.is_empty() {
            found.sort_unstable_by_key(|(_, record)| *record);
        }
        Some((found, all))
    }

    /// Reads the codes of `nodes` and keeps the nearest `keep` records to what `s` asks for:
    /// distance and record, nearest first. `nodes` yields a record's nodes one after the other.
    pub(crate) fn scan(
        &self,
        isa: Isa,
        keep: usize,
        nodes: &[(u32, u32)],
        s: &mut LayerScratch,
    ) -> Vec<(u32, u32)> {
        assert!(s.asked.fits(&self.codes), "asked of other codes");
        let mut best = std::mem::take(&mut s.keep);
        best.clear();
        let task = Scan {
            codes: &self.codes,
            asked: &s.asked,
            keep: keep.max(1),
            nodes,
        };
        // SAFETY: an `Isa` is only ever made where the machine has it.
        unsafe {
            match isa.0 {
                Set::Portable => task.run::<crate::kernel::Portable>(&mut best),
                #[cfg(target_arch = "x86_64")]
                Set::Avx2 => scan_avx2(task, &mut best),
                #[cfg(target_arch = "x86_64")]
                Set::Avx512 => scan_avx512(task, &mut best),
                #[cfg(target_arch = "aarch64")]
                Set::Neon => task.run::<crate::kernel::Neon>(&mut best),
            }
        }
        let out = best.clone();
        s.keep = best;
        out
    }
}

/// Admitted records, of which each has one node.
struct Singles<'a, A> {
    /// The record of each node.
    records: &'a [u32],
    admission: &'a A,
}

impl<A: Admission> Wanted for Singles<'_, A> {
    const ALL: bool = false;

    fn enter(&mut self, node: u32) -> Role {
        if self.admission.admits(self.records[node as usize]) {
            Role::Answer
        } else {
            Role::Outside
        }
    }

    fn leave(&mut self, _: u32) -> bool {
        true
    }
}

/// Admitted records, each once.
struct Distinct<'a, A> {
    layer: &'a Layer,
    admission: &'a A,
    inside: &'a mut [u32],
}

impl<A: Admission> Distinct<'_, A> {
    /// The record a node stands for first, of those that are admitted.
    fn record(&self, node: u32) -> Option<u32> {
        let of_node = self.layer.members_of(node).iter();
        of_node
            .map(|m| self.layer.owner(*m))
            .find(|r| self.admission.admits(*r))
    }
}

impl<A: Admission> Wanted for Distinct<'_, A> {
    const ALL: bool = false;

    fn enter(&mut self, node: u32) -> Role {
        let Some(record) = self.record(node) else {
            return Role::Outside;
        };
        let inside = &mut self.inside[record as usize];
        *inside += 1;
        if *inside == 1 {
            Role::Answer
        } else {
            Role::Again
        }
    }

    fn leave(&mut self, node: u32) -> bool {
        let Some(record) = self.record(node) else {
            return false;
        };
        let inside = &mut self.inside[record as usize];
        *inside = inside.saturating_sub(1);
        *inside == 0
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn scan_avx2(task: Scan<'_>, best: &mut Vec<(u32, u32)>) {
    // SAFETY: the function itself needs the instructions.
    unsafe { task.run::<crate::kernel::Avx2>(best) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn scan_avx512(task: Scan<'_>, best: &mut Vec<(u32, u32)>) {
    // SAFETY: the function itself needs the instructions.
    unsafe { task.run::<crate::kernel::Avx512>(best) }
}

#[derive(Clone, Copy)]
struct Scan<'a> {
    codes: &'a Codes,
    asked: &'a Asked,
    keep: usize,
    /// (node, record); [`NONE`] for a zero vector.
    nodes: &'a [(u32, u32)],
}

impl Scan<'_> {
    /// # Safety
    /// The machine has `K`'s instructions.
    #[inline(always)]
    unsafe fn run<K: Int8>(self, best: &mut Vec<(u32, u32)>) {
        const AHEAD: usize = 8;
        let room = self.keep * 4 + 64;
        let mut limit = (u32::MAX, u32::MAX);
        let mut i = 0;
        while i < self.nodes.len() {
            let record = self.nodes[i].1;
            let mut nearest = u32::MAX;
            while i < self.nodes.len() && self.nodes[i].1 == record {
                if let Some((ahead, _)) = self.nodes.get(i + AHEAD)
                    && *ahead != NONE
                {
                    self.codes.prefetch(*ahead);
                }
                let node = self.nodes[i].0;
                if (node as usize) < self.codes.rows() {
                    // SAFETY: the row exists, and the machine has `K`'s instructions.
                    let distance = unsafe { self.codes.distance::<K>(node, self.asked) };
                    nearest = nearest.min(distance);
                }
                i += 1;
            }
            if nearest == u32::MAX || (nearest, record) >= limit {
                continue;
            }
            best.push((nearest, record));
            if best.len() >= room {
                let (_, last, _) = best.select_nth_unstable(self.keep);
                limit = *last;
                best.truncate(self.keep);
            }
        }
        best.sort_unstable();
        best.truncate(self.keep);
    }
}
