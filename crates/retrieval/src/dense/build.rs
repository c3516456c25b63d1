//! Graphs are built by hnsw_rs, in one go, from codes that were checked, and then taken out of it:
//! it is never grown after a reload, never dumped, and no panic of it leaves this file. Of many nodes it gets some,
//! and its graph leads the others to their neighbours: our walk goes there several times as fast as its own.

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
    /// hnsw_rs gets one node in so many, where these are at least `least` and neighbours are chosen once more; the
    /// others are brought in by searches through its graph: 1 (all) to 64.
    pub skeleton: usize,
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
            ef: 250,
            alpha: 1.1,
            out: 32,
            most: 48,
        }
    }
}

impl Refinement {
    /// The first, quick pass.
    fn quick(self) -> Self {
        let ef = if self.first > 0 { self.first } else { self.ef };
        Self { ef, ..self }
    }
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self {
            neighbours: 16,
            ef_construction: 48,
            least: 1_000,
            refine: Some(Refinement::default()),
            skeleton: 8,
        }
    }
}

/// Why there is no graph.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("it was told to stop")]
    Stopped,
    #[error("the builder panicked")]
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
    let (rows, others) = skeleton(codes.rows(), options);
    let scale = codes.scale();
    let hnsw: Hnsw<'_, u8, CodeDistance> = Hnsw::new(
        options.neighbours.clamp(4, 64),
        rows.len(),
        LAYERS,
        options.ef_construction.clamp(8, 1_000),
        CodeDistance {
            isa,
            // A little more than two, so that vectors slightly longer than one stay ordered.
            most: 2.1 * scale * scale,
        },
    );
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
    let quick = options.refine.map(Refinement::quick);
    let Some(quick) = quick.filter(|_| others) else {
        return Ok((graph, order));
    };
    drop(links);
    let ordered = codes.in_order(&order)?;
    Ok((refine::refine(graph, &ordered, &quick, isa, stop)?, order))
}

/// The rows that hnsw_rs gets, and whether there are others. They are drawn by a hash, not counted off: of what comes
/// in turns (a title, a text, a title, …) each kind is among them.
fn skeleton(rows: usize, options: &GraphOptions) -> (Vec<usize>, bool) {
    let one_in = options.skeleton.clamp(1, 64);
    if one_in == 1 || options.refine.is_none() || rows / one_in < options.least.max(2) {
        return ((0..rows).collect(), false);
    }
    let below = u32::MAX / one_in as u32;
    // The last steps of MurmurHash3 (Appleby, public domain).
    let hash = |i: u32| {
        let x = (i ^ i >> 16).wrapping_mul(0x85EB_CA6B);
        let x = (x ^ x >> 13).wrapping_mul(0xC2B2_AE35);
        x ^ x >> 16
    };
    let drawn = |i: &usize| *i == 0 || hash(*i as u32) < below;
    ((0..rows).filter(drawn).collect(), true)
}

/// Links per node and level, and the entry; a node that is not in it has none.
fn take_out(hnsw: &Hnsw<'_, u8, CodeDistance>, nodes: usize) -> (Vec<Vec<Vec<u32>>>, u32) {
    let points = hnsw.get_point_indexation();
    let mut level = vec![0usize; nodes];
    let mut entry = (0, 0);
    for p in points {
        let (id, l) = (p.get_origin_id(), usize::from(p.get_point_id().0));
        level[id] = l;
        entry = entry.max((l, id));
    }
    // Whoever is not in it has no links yet.
    let mut links = vec![vec![Vec::new()]; nodes];
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
            graph = refine::refine(graph, codes, &how.quick(), isa, stop)?;
        }
        graph = refine::refine(graph, codes, how, isa, stop)?;
    }
    refine::connect(graph, codes, isa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const DIM: usize = 128;

    fn codes(rows: usize) -> Codes {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut codes = Codes::new(rows, DIM, 300.0).unwrap();
        let mut centre = vec![0.0; DIM];
        for row in 0..rows {
            if row % 4 == 0 {
                centre.fill_with(|| rng.random_range(-1.0_f32..1.0));
            }
            let v: Vec<f32> = centre
                .iter()
                .map(|c| c + rng.random_range(-0.5_f32..0.5))
                .collect();
            let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            let v: Vec<f32> = v.iter().map(|x| x / norm).collect();
            codes.set(row, &v);
        }
        codes
    }

    fn options(skeleton: usize) -> GraphOptions {
        GraphOptions {
            least: 50,
            skeleton,
            ..GraphOptions::default()
        }
    }

    #[test]
    fn who_is_brought_in_stands_beside_the_nearest_of_the_skeleton() {
        let codes = codes(2_000);
        let stop = AtomicBool::new(false);
        let (graph, order) = build(&codes, &options(8), Isa::best(), &stop).unwrap();
        let ordered = codes.in_order(&order).unwrap();
        let near = |a: usize, b: usize| ordered.pair(Isa::best(), a, b);
        let beside = (0..graph.nodes()).filter(|u| {
            let others = (0..graph.nodes()).filter(|x| x != u);
            let nearest = others.max_by_key(|x| near(*u, *x)).unwrap();
            graph.neighbours(*u as u32).any(|x| x as usize == nearest)
        });
        let share = beside.count() as f64 / graph.nodes() as f64;
        // The nearest is in the skeleton for one in eight, and is led to there; links to anybody, as many as
        // there are, would hold it for one in forty. The passes that follow find the others.
        assert!(share > 0.15, "{share}");
        // Nobody is lost or doubled.
        let mut all = order;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..2_000));
    }

    #[test]
    fn some_are_drawn_where_there_are_many() {
        let drawn = |rows: usize, one_in: usize| {
            let (rows, others) = skeleton(rows, &options(one_in));
            (rows.len(), rows.first().copied(), others)
        };
        let (n, first, others) = drawn(80_000, 8);
        assert!(
            (9_500..10_500).contains(&n) && first == Some(0) && others,
            "{n}"
        );
        assert_eq!(drawn(399, 8), (399, Some(0), false));
        assert_eq!(drawn(5_000, 1), (5_000, Some(0), false));
        assert_eq!(drawn(5_000, 0), (5_000, Some(0), false));
        let unrefined = GraphOptions {
            refine: None,
            ..options(8)
        };
        assert_eq!(skeleton(5_000, &unrefined).0.len(), 5_000);
    }

    #[test]
    fn a_graph_in_another_order_leads_to_the_same() {
        let codes = codes(600);
        let stop = AtomicBool::new(false);
        let (graph, _) = build(&codes, &options(1), Isa::best(), &stop).unwrap();
        let (given, entry) = (graph.given(), graph.entry());
        let above = given.iter().filter(|l| l.len() > 1).count();
        let wanted: Vec<u32> = (0..600).map(|n| n * 7 % 600).collect();
        let (again, places) = graph.in_order_of(&wanted).unwrap().unwrap();
        assert_eq!(places[again.entry() as usize], entry);
        for (node, levels) in again.given().into_iter().enumerate() {
            let was = &given[places[node] as usize];
            let back = |l: Vec<u32>| l.into_iter().map(|x| places[x as usize]).collect();
            let levels: Vec<Vec<u32>> = levels.into_iter().map(back).collect();
            assert_eq!(&levels, was);
        }
        // Those of upper levels come first; the others stand as wanted.
        let ground = wanted.iter().filter(|n| given[**n as usize].len() == 1);
        assert!(above > 0 && places[above..].iter().eq(ground));
    }
}
