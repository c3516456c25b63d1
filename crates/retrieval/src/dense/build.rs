//! Graphs are built by hnsw_rs, in one go, from codes that were checked, and then taken out of it:
//! it is never grown after a reload, never dumped, and no panic of it leaves this file.

use super::{
    codes::{self, Codes},
    graph::Graph,
    refine,
};
use crate::kernel::Isa;
use hnsw_rs::prelude::{Distance, Hnsw};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

/// hnsw_rs panics on a dump of fewer, and keeps no more.
const LAYERS: usize = 16;
/// Nodes inserted between two looks at the flag.
const CHUNK: usize = 512;

/// How a graph is built.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphOptions {
    /// Neighbours of a node per level, twice as many on the ground: 4 to 64.
    pub neighbours: usize,
    /// Width of the search for neighbours while building: 8 to 1,000.
    pub ef_construction: usize,
    /// Below so many nodes there is no graph: reading all is as quick as walking.
    pub least: usize,
    /// Neighbours are chosen once more, over the finished graph.
    pub refine: Option<Refinement>,
}

/// The second choice of neighbours (robust prune, Subramanya et al. 2019, algorithm 2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refinement {
    /// Width of the search for candidates in a first, quick pass, whose graph the second searches;
    /// 0 for none.
    pub first: usize,
    /// Width of the search for candidates.
    pub ef: usize,
    /// How much farther a neighbour may be than over another neighbour: 1 to 2, of squared
    /// distances.
    pub alpha: f32,
    /// Neighbours chosen from the candidates of a node.
    pub out: usize,
    /// Neighbours kept, those included that chose the node.
    pub most: usize,
}

impl Default for Refinement {
    fn default() -> Self {
        Self {
            first: 60,
            ef: 150,
            alpha: 1.1,
            out: 32,
            most: 48,
        }
    }
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self {
            neighbours: 16,
            ef_construction: 48,
            least: 1_000,
            refine: Some(Refinement::default()),
        }
    }
}

/// Why there is no graph.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("it was told to stop")]
    Stopped,
    #[error("hnsw_rs panicked")]
    Panicked,
    #[error("hnsw_rs gave a graph that does not hold together")]
    Graph,
    #[error("no memory is left")]
    Memory(#[from] std::io::Error),
}

/// Squared distance of codes that stand for vectors of about equal length, never negative.
#[derive(Clone, Copy)]
struct CodeDistance {
    isa: Isa,
    /// Twice the squared length that a vector of length one has as a code.
    most: f32,
}

impl Distance<u8> for CodeDistance {
    fn eval(&self, a: &[u8], b: &[u8]) -> f32 {
        (self.most - 2.0 * codes::pair(self.isa, a, b) as f32).max(0.0)
    }
}

/// Builds the graph over the rows of `codes`, which should differ: hnsw_rs loses copies. Uses the
/// thread pool it is called in. Returns the graph and, per node, the row it stands for.
pub(crate) fn build(
    codes: &Codes,
    options: &GraphOptions,
    isa: Isa,
    stop: &AtomicBool,
) -> Result<(Graph, Vec<u32>), BuildError> {
    // Its state is dropped here, so nothing half-changed is seen after a panic.
    catch_unwind(AssertUnwindSafe(|| construct(codes, options, isa, stop)))
        .unwrap_or(Err(BuildError::Panicked))
}

fn construct(
    codes: &Codes,
    options: &GraphOptions,
    isa: Isa,
    stop: &AtomicBool,
) -> Result<(Graph, Vec<u32>), BuildError> {
    let scale = codes.scale();
    let hnsw: Hnsw<'_, u8, CodeDistance> = Hnsw::new(
        options.neighbours.clamp(4, 64),
        codes.rows(),
        LAYERS,
        options.ef_construction.clamp(8, 1_000),
        CodeDistance {
            isa,
            // A little more than two, so that vectors slightly longer than one stay ordered.
            most: 2.1 * scale * scale,
        },
    );
    let rows: Vec<usize> = (0..codes.rows()).collect();
    // The first by itself: it is everybody's way in.
    for chunk in std::iter::once(&rows[..rows.len().min(1)])
        .chain(rows.get(1..).unwrap_or(&[]).chunks(CHUNK))
    {
        if stop.load(Ordering::Relaxed) {
            return Err(BuildError::Stopped);
        }
        let given: Vec<(&[u8], usize)> = chunk.iter().map(|i| (codes.row(*i), *i)).collect();
        hnsw.parallel_insert_slice(&given);
    }
    let (links, entry) = take_out(&hnsw, codes.rows());
    drop(hnsw);
    let (graph, order) = Graph::lay_out(&links, entry)?.ok_or(BuildError::Graph)?;
    Ok((graph, order))
}

/// Links per node and level, and the entry.
fn take_out(hnsw: &Hnsw<'_, u8, CodeDistance>, nodes: usize) -> (Vec<Vec<Vec<u32>>>, u32) {
    let points = hnsw.get_point_indexation();
    let mut level = vec![0usize; nodes];
    let mut entry = (0, 0);
    for p in points {
        let (id, l) = (p.get_origin_id(), usize::from(p.get_point_id().0));
        level[id] = l;
        entry = entry.max((l, id));
    }
    let mut links = vec![Vec::new(); nodes];
    for p in points {
        let id = p.get_origin_id();
        let near = p.get_neighborhood_id();
        links[id] = (0..=level[id])
            .map(|l| {
                let of_level = near.get(l).into_iter().flatten();
                let mut ids: Vec<u32> = Vec::new();
                for x in of_level.map(|n| n.d_id) {
                    if x != id && level[x] >= l && !ids.contains(&(x as u32)) {
                        ids.push(x as u32);
                    }
                }
                ids
            })
            .collect();
    }
    (links, entry.1 as u32)
}

/// Chooses neighbours once more, where the options say so, and sees to it that every node can be
/// reached. `codes` are in order of nodes.
pub(crate) fn finish(
    graph: Graph,
    codes: &Codes,
    options: &GraphOptions,
    isa: Isa,
    stop: &AtomicBool,
) -> Result<Graph, BuildError> {
    let mut graph = graph;
    if let Some(how) = &options.refine {
        if how.first > 0 {
            let quick = Refinement {
                ef: how.first,
                ..*how
            };
            graph = refine::refine(graph, codes, &quick, isa, stop)?;
        }
        graph = refine::refine(graph, codes, how, isa, stop)?;
    }
    refine::connect(graph, codes, isa)
}
