//! Neighbours chosen once more over a finished graph, and nodes that nobody leads to.

use super::{
    beam::{Every, Scratch, Walk},
    build::{BuildError, Refinement},
    codes::{Asked, Codes},
    graph::{Graph, NONE},
    memory::Buffer,
};
use crate::kernel::Isa;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Nodes between two looks at the flag.
const CHUNK: usize = 1_024;

/// What choosing writes on.
#[derive(Default)]
struct Desk {
    scratch: Scratch,
    asked: Asked,
    candidates: Vec<(f32, u32)>,
    chosen: Vec<(f32, u32)>,
}

/// Squared distances of rows.
struct Distances<'a> {
    codes: &'a Codes,
    isa: Isa,
    /// Σ code² of each row.
    squares: Vec<i32>,
}

impl Distances<'_> {
    fn between(&self, a: u32, b: u32) -> f32 {
        let product = self.codes.pair(self.isa, a as usize, b as usize);
        (self.squares[a as usize] + self.squares[b as usize] - 2 * product) as f32
    }

    /// Of `desk.candidates` at most `most`, nearest first, none of which is nearer to one already
    /// chosen than, by the factor alpha, to the node itself.
    fn prune(&self, desk: &mut Desk, alpha: f32, most: usize) {
        desk.candidates
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        desk.candidates.dedup_by_key(|c| c.1);
        desk.chosen.clear();
        for &(distance, c) in &desk.candidates {
            if desk.chosen.len() >= most {
                break;
            }
            let apart = |&(_, s): &(f32, u32)| alpha * self.between(s, c) > distance;
            if desk.chosen.iter().all(apart) {
                desk.chosen.push((distance, c));
            }
        }
    }
}

/// Chooses every node's neighbours anew, among those that a search for the node finds and those it
/// has, and lets those it chose choose it back.
pub(crate) fn refine(
    graph: Graph,
    codes: &Codes,
    how: &Refinement,
    isa: Isa,
    stop: &AtomicBool,
) -> Result<Graph, BuildError> {
    let nodes = graph.nodes();
    let most = how.most.clamp(4, 128).next_multiple_of(16);
    let out = how.out.clamp(2, most);
    let alpha = how.alpha.clamp(1.0, 2.0);
    let distances = Distances {
        codes,
        isa,
        squares: (0..nodes)
            .into_par_iter()
            .map(|i| codes.pair(isa, i, i))
            .collect(),
    };
    let mut forward = vec![NONE; nodes * out];
    forward
        .par_chunks_mut(CHUNK * out)
        .enumerate()
        .for_each_init(Desk::default, |desk, (chunk, rows)| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            for (i, row) in rows.chunks_mut(out).enumerate() {
                let u = (chunk * CHUNK + i) as u32;
                codes.ask_row(u as usize, &mut desk.asked);
                Walk {
                    isa,
                    graph: &graph,
                    codes,
                    asked: &desk.asked,
                    begin: &[],
                    ef: how.ef,
                    most: usize::MAX,
                }
                .run(&mut desk.scratch, &mut Every);
                desk.candidates.clear();
                let near = desk.scratch.found().map(|f| f.1).chain(graph.neighbours(u));
                desk.candidates.extend(
                    near.filter(|x| *x != u)
                        .map(|x| (distances.between(u, x), x)),
                );
                distances.prune(desk, alpha, out);
                for (to, (_, x)) in row.iter_mut().zip(&desk.chosen) {
                    *to = *x;
                }
            }
        });
    if stop.load(Ordering::Relaxed) {
        return Err(BuildError::Stopped);
    }
    let backward = Backward::of(&forward, nodes, out);
    let mut links = Buffer::zeroed(nodes * most * 4)?;
    links.words_mut().fill(NONE);
    links.words_mut()[..nodes * most]
        .par_chunks_mut(CHUNK * most)
        .enumerate()
        .for_each_init(Desk::default, |desk, (chunk, rows)| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            for (i, row) in rows.chunks_mut(most).enumerate() {
                let u = chunk * CHUNK + i;
                desk.candidates.clear();
                let chosen = forward[u * out..(u + 1) * out].iter().copied();
                let near = chosen.take_while(|x| *x != NONE).chain(backward.of_node(u));
                desk.candidates
                    .extend(near.map(|x| (distances.between(u as u32, x), x)));
                desk.candidates
                    .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                desk.candidates.dedup_by_key(|c| c.1);
                if desk.candidates.len() > most {
                    distances.prune(desk, alpha, most);
                } else {
                    desk.chosen.clone_from(&desk.candidates);
                }
                for (to, (_, x)) in row.iter_mut().zip(&desk.chosen) {
                    *to = *x;
                }
            }
        });
    if stop.load(Ordering::Relaxed) {
        return Err(BuildError::Stopped);
    }
    graph.with_ground(most, links).ok_or(BuildError::Graph)
}

/// For every node those that lead to it, in order.
struct Backward {
    starts: Vec<u32>,
    from: Vec<u32>,
}

impl Backward {
    fn of(forward: &[u32], nodes: usize, out: usize) -> Self {
        let mut starts = vec![0u32; nodes + 1];
        for x in forward.iter().filter(|x| **x != NONE) {
            starts[*x as usize + 1] += 1;
        }
        for i in 0..nodes {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut from = vec![0u32; starts.last().map_or(0, |n| *n as usize)];
        for (u, row) in forward.chunks(out.max(1)).enumerate() {
            for x in row.iter().take_while(|x| **x != NONE) {
                let at = &mut next[*x as usize];
                from[*at as usize] = u as u32;
                *at += 1;
            }
        }
        Self { starts, from }
    }

    fn of_node(&self, node: usize) -> impl Iterator<Item = u32> + '_ {
        self.from[self.starts[node] as usize..self.starts[node + 1] as usize]
            .iter()
            .copied()
    }
}

/// Gives every node that the entry does not lead to a link from a near one that it does lead to,
/// so that a search that is wide enough finds all.
pub(crate) fn connect(graph: Graph, codes: &Codes, isa: Isa) -> Result<Graph, BuildError> {
    let nodes = graph.nodes();
    let mut reached = vec![false; nodes];
    spread(graph.entry(), graph.ground(), graph.width(), &mut reached);
    let lost: Vec<u32> = (0..nodes as u32)
        .filter(|x| !reached[*x as usize])
        .collect();
    if lost.is_empty() {
        return Ok(graph);
    }
    let width = graph.width();
    let mut rows: Vec<Vec<u32>> = (0..nodes as u32)
        .map(|x| graph.neighbours(x).collect())
        .collect();
    let mut desk = Desk::default();
    let mut stack = Vec::new();
    for u in lost {
        if reached[u as usize] {
            continue;
        }
        codes.ask_row(u as usize, &mut desk.asked);
        Walk {
            isa,
            graph: &graph,
            codes,
            asked: &desk.asked,
            begin: &[],
            ef: 64,
            most: usize::MAX,
        }
        .run(&mut desk.scratch, &mut Every);
        // A walk over the old links only meets nodes that the entry leads to; the nearest with
        // room takes the link, else the nearest gets a longer row.
        let found: Vec<u32> = desk
            .scratch
            .found()
            .map(|f| f.1)
            .filter(|x| reached[*x as usize])
            .collect();
        let from = found
            .iter()
            .find(|x| rows[**x as usize].len() < width)
            .or(found.first())
            .copied()
            .unwrap_or(graph.entry());
        rows[from as usize].push(u);
        stack.push(u);
        while let Some(x) = stack.pop() {
            if !std::mem::replace(&mut reached[x as usize], true) {
                stack.extend(rows[x as usize].iter().filter(|y| !reached[**y as usize]));
            }
        }
    }
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let new_width = widest.next_multiple_of(16).max(width);
    let mut links = Buffer::zeroed(nodes * new_width * 4)?;
    links.words_mut().fill(NONE);
    for (to, from) in links.words_mut().chunks_mut(new_width).zip(&rows) {
        to[..from.len()].copy_from_slice(from);
    }
    graph.with_ground(new_width, links).ok_or(BuildError::Graph)
}

fn spread(from: u32, links: &[u32], width: usize, reached: &mut [bool]) {
    let mut stack = vec![from];
    while let Some(x) = stack.pop() {
        if std::mem::replace(&mut reached[x as usize], true) {
            continue;
        }
        let row = &links[x as usize * width..(x as usize + 1) * width];
        stack.extend(
            row.iter()
                .take_while(|y| **y != NONE && !reached[**y as usize]),
        );
    }
}
