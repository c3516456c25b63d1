//! A finished graph in flat rows: what hnsw_rs built, laid out for walking.
//!
//! Nodes stand in order of level, highest first, so that level `l` holds exactly the first `counts[l]` nodes, and
//! within a level near ones beside each other: by lists, and before these are learnt, as in files of programs that
//! had none, breadth-first from the entry. A row has a fixed width and ends early with [`NONE`].

use super::memory::Buffer;
use std::io;

/// No node.
pub(crate) const NONE: u32 = u32::MAX;
/// Nodes are counted in 31 bits: a walk keeps a flag beside each.
pub(crate) const MAX_NODES: usize = 1 << 31;

/// One level above the ground.
#[derive(Debug)]
pub(crate) struct Level {
    /// Nodes that reach it: `0..count`.
    pub(crate) count: usize,
    /// `count` rows of the upper width.
    pub(crate) links: Vec<u32>,
}

/// A graph over the nodes `0..nodes`.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: usize,
    width: usize,
    links: Buffer,
    upper_width: usize,
    /// From level 1 upward.
    upper: Vec<Level>,
    entry: u32,
}

impl Graph {
    /// Puts a graph together. `None` when a link leads nowhere or sizes do not fit, so that a walk
    /// over a graph that exists stays inside it.
    pub(crate) fn new(
        nodes: usize,
        width: usize,
        links: Buffer,
        upper_width: usize,
        upper: Vec<Level>,
        entry: u32,
    ) -> Option<Self> {
        let inside =
            |row: &[u32], count: usize| row.iter().all(|x| *x == NONE || (*x as usize) < count);
        let ground = links.words().get(..nodes.checked_mul(width)?)?;
        let mut fits = nodes < MAX_NODES && (entry as usize) < nodes && inside(ground, nodes);
        let mut below = nodes;
        for level in &upper {
            fits &= level.count <= below
                && level.count.checked_mul(upper_width)? == level.links.len()
                && inside(&level.links, level.count);
            below = level.count;
        }
        fits &= upper.last().is_none_or(|top| (entry as usize) < top.count);
        fits.then_some(Self {
            nodes,
            width,
            links,
            upper_width,
            upper,
            entry,
        })
    }

    /// The same graph with other links on the ground, of width `width`.
    pub(crate) fn with_ground(self, width: usize, links: Buffer) -> Option<Self> {
        Self::new(
            self.nodes,
            width,
            links,
            self.upper_width,
            self.upper,
            self.entry,
        )
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn upper_width(&self) -> usize {
        self.upper_width
    }

    pub(crate) fn upper(&self) -> &[Level] {
        &self.upper
    }

    pub(crate) fn entry(&self) -> u32 {
        self.entry
    }

    /// All links on the ground.
    pub(crate) fn ground(&self) -> &[u32] {
        &self.links.words()[..self.nodes * self.width]
    }

    /// A node's row on the ground, [`NONE`] at the end included.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32) -> &[u32] {
        let start = node as usize * self.width;
        debug_assert!((node as usize) < self.nodes);
        // SAFETY: `new` checked that the buffer holds `nodes` rows, and every node that a walk
        // meets is the entry or a link, both checked to be below `nodes`.
        unsafe { self.links.words().get_unchecked(start..start + self.width) }
    }

    /// A node's neighbours on the ground.
    pub(crate) fn neighbours(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.row(node).iter().copied().take_while(|x| *x != NONE)
    }

    /// Links per node and level, as [`Graph::lay_out`] takes them.
    pub(crate) fn given(&self) -> Vec<Vec<Vec<u32>>> {
        (0..self.nodes as u32)
            .map(|node| {
                let above = self.upper.iter().take_while(|l| (node as usize) < l.count);
                let rows = above.map(|l| {
                    let start = node as usize * self.upper_width;
                    let row = &l.links[start..start + self.upper_width];
                    row.iter().copied().take_while(|x| *x != NONE).collect()
                });
                std::iter::once(self.neighbours(node).collect())
                    .chain(rows)
                    .collect()
            })
            .collect()
    }

    /// Asks for a row ahead of its use.
    #[inline(always)]
    pub(crate) fn prefetch(&self, node: u32) {
        let at = self.links.words().as_ptr();
        crate::kernel::prefetch(
            at.wrapping_add(node as usize * self.width).cast(),
            self.width * 4,
        );
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        self.links.bytes().len() + self.upper.iter().map(|l| l.links.len() * 4).sum::<usize>()
    }

    /// Lays out links that are given per node and level, in any order of nodes, breadth-first. Returns the graph
    /// and, per place in it, the node that was given.
    pub(crate) fn lay_out(
        given: &[Vec<Vec<u32>>],
        entry: u32,
    ) -> io::Result<Option<(Self, Vec<u32>)>> {
        Self::lay_out_by(given, entry, breadth_first(given, entry))
    }

    /// The same graph with the nodes of each level in the order of `nodes`, which names each once, and per place
    /// in it the node that was there.
    pub(crate) fn in_order_of(self, nodes: &[u32]) -> io::Result<Option<(Self, Vec<u32>)>> {
        debug_assert_eq!(nodes.len(), self.nodes, "each node once");
        let (given, entry) = (self.given(), self.entry);
        drop(self);
        Self::lay_out_by(&given, entry, nodes.to_vec())
    }

    /// By level, and within a level in this order.
    fn lay_out_by(
        given: &[Vec<Vec<u32>>],
        entry: u32,
        mut order: Vec<u32>,
    ) -> io::Result<Option<(Self, Vec<u32>)>> {
        let nodes = given.len();
        order.sort_by_key(|x| usize::MAX - given[*x as usize].len());
        let mut new = vec![0u32; nodes];
        for (i, x) in order.iter().enumerate() {
            new[*x as usize] = i as u32;
        }
        let widest = |level: usize| {
            let lengths = given.iter().filter_map(|n| n.get(level)).map(Vec::len);
            lengths.max().unwrap_or(0)
        };
        let width = widest(0).next_multiple_of(16).max(16);
        let mut links = Buffer::zeroed(nodes * width * 4)?;
        links.words_mut().fill(NONE);
        for (i, x) in order.iter().enumerate() {
            let row = &mut links.words_mut()[i * width..(i + 1) * width];
            for (to, y) in row.iter_mut().zip(
                given[*x as usize]
                    .iter()
                    .flatten()
                    .take(given[*x as usize].first().map_or(0, Vec::len)),
            ) {
                *to = new[*y as usize];
            }
        }
        let top = given.iter().map(Vec::len).max().unwrap_or(0);
        let upper_width = (1..top).map(widest).max().unwrap_or(1).max(1);
        let upper = (1..top)
            .map(|l| {
                let count = given.iter().filter(|n| n.len() > l).count();
                let mut links = vec![NONE; count * upper_width];
                for (i, x) in order[..count].iter().enumerate() {
                    let row = &mut links[i * upper_width..(i + 1) * upper_width];
                    for (to, y) in row.iter_mut().zip(&given[*x as usize][l]) {
                        *to = new[*y as usize];
                    }
                }
                Level { count, links }
            })
            .collect();
        let entry = new.get(entry as usize).copied().unwrap_or(NONE);
        let graph = Self::new(nodes, width, links, upper_width, upper, entry);
        Ok(graph.map(|g| (g, order)))
    }
}

/// Nodes in breadth-first order from the entry; those it does not reach come last.
fn breadth_first(given: &[Vec<Vec<u32>>], entry: u32) -> Vec<u32> {
    let nodes = given.len();
    let mut met = vec![false; nodes];
    let mut order: Vec<u32> = Vec::with_capacity(nodes);
    for root in std::iter::once(entry).chain(0..nodes as u32) {
        if met.get(root as usize) != Some(&false) {
            continue;
        }
        let mut next = order.len();
        met[root as usize] = true;
        order.push(root);
        while next < order.len() {
            for &x in given[order[next] as usize].first().into_iter().flatten() {
                if !std::mem::replace(&mut met[x as usize], true) {
                    order.push(x);
                }
            }
            next += 1;
        }
    }
    order
}
