//! The walk: best-first over a graph with integer distances (Malkov and Yashunin 2018, algorithms
//! 2 and 5). A short list of candidates is one sorted array, a long one two heaps.
//!
//! Distances are rough on the way: half of a row of codes is read. What was found is put in order by exact
//! ones in the end.
//!
//! What a walk is asked for need not be nodes: a [`Wanted`] says which nodes count, and the walk goes on
//! until so many count. So a filter, or several passages of one record, cost further steps
//! and never answers.

use super::{
    codes::{Asked, Codes},
    graph::Graph,
};
use crate::kernel::{Int8, Isa, Set};
use std::{cmp::Reverse, collections::BinaryHeap};

/// The walk has been at the node.
const DONE: u64 = 1 << 31;
const NODE: u64 = DONE - 1;

/// Wider walks keep heaps: to insert into a long array is to move much of it.
const LONG: usize = 256;

/// What a node is to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One answer more.
    Answer,
    /// A further part of an answer that is there.
    Again,
    /// None; it only leads on.
    Outside,
}

/// Which nodes an answer is made of.
pub(crate) trait Wanted {
    /// All of them, each for itself: nothing has to be counted.
    const ALL: bool;
    /// The node enters the list.
    fn enter(&mut self, node: u32) -> Role;
    /// A node that entered as an answer, or as a part of one, leaves the list: whether the list
    /// now stands for one answer less.
    fn leave(&mut self, node: u32) -> bool;
}

/// Every node is an answer.
pub(crate) struct Every;

impl Wanted for Every {
    const ALL: bool = true;

    fn enter(&mut self, _: u32) -> Role {
        Role::Answer
    }

    fn leave(&mut self, _: u32) -> bool {
        true
    }
}

/// What a walk writes on: kept by a thread from one walk to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// A bit for each node of the greatest graph; zero but for those in `touched`.
    visited: Vec<u64>,
    /// Nodes of the last walk.
    touched: Vec<u32>,
    pool: Vec<u64>,
    fresh: Vec<u32>,
    /// Nodes to go on from, nearest first.
    open: BinaryHeap<Reverse<u64>>,
}

/// How a walk went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Went {
    /// Distances that were computed.
    pub(crate) distances: usize,
    /// False when it gave up because it would have taken more than allowed.
    pub(crate) finished: bool,
}

impl Scratch {
    /// Makes room for a walk over so many nodes, none of which was visited. It costs as much as the last walk
    /// went, not as there are nodes.
    fn forget(&mut self, nodes: usize) {
        for node in self.touched.drain(..) {
            self.visited[node as usize >> 6] = 0;
        }
        let words = nodes.div_ceil(64);
        if self.visited.len() < words {
            self.visited.resize(words, 0);
        }
    }

    /// Distance and node of all that the last walk kept, which are answers; nearest first if it finished.
    pub(crate) fn found(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let each = self.pool.iter();
        each.map(|key| ((key >> 32) as u32, (key & NODE) as u32))
    }
}

/// A walk towards what is asked, until `ef` answers are found than which no open node is nearer, or
/// `most` distances were computed.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) isa: Isa,
    pub(crate) graph: &'a Graph,
    /// A row for each node of the graph.
    pub(crate) codes: &'a Codes,
    /// Coded by `codes`.
    pub(crate) asked: &'a Asked,
    /// Nodes that it begins at; where there are none, it comes from the entry down to the ground.
    pub(crate) begin: &'a [u32],
    pub(crate) ef: usize,
    pub(crate) most: usize,
}

impl Walk<'_> {
    /// Walks; what was found is in `scratch`.
    pub(crate) fn run<W: Wanted>(self, scratch: &mut Scratch, wanted: &mut W) -> Went {
        assert!(
            self.codes.rows() >= self.graph.nodes() && self.asked.fits(self.codes),
            "codes of another graph"
        );
        let inside = |node: &u32| (*node as usize) < self.graph.nodes();
        assert!(self.begin.iter().all(inside), "a node of another graph");
        // SAFETY: an `Isa` is only ever made where the machine has it.
        unsafe {
            match self.isa.0 {
                Set::Portable => self.walk::<crate::kernel::Portable, W>(scratch, wanted),
                #[cfg(target_arch = "x86_64")]
                Set::Avx2 => walk_avx2(self, scratch, wanted),
                #[cfg(target_arch = "x86_64")]
                Set::Avx512 => walk_avx512(self, scratch, wanted),
                #[cfg(target_arch = "aarch64")]
                Set::Neon => self.walk::<crate::kernel::Neon, W>(scratch, wanted),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn walk_avx2<W: Wanted>(task: Walk<'_>, scratch: &mut Scratch, wanted: &mut W) -> Went {
    // SAFETY: the function itself needs the instructions.
    unsafe { task.walk::<crate::kernel::Avx2, W>(scratch, wanted) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn walk_avx512<W: Wanted>(task: Walk<'_>, scratch: &mut Scratch, wanted: &mut W) -> Went {
    // SAFETY: the function itself needs the instructions.
    unsafe { task.walk::<crate::kernel::Avx512, W>(scratch, wanted) }
}

#[inline(always)]
fn key(distance: u32, node: u32) -> u64 {
    u64::from(distance) << 32 | u64::from(node)
}

impl Walk<'_> {
    /// # Safety
    /// The machine has `K`'s instructions.
    #[inline(always)]
    unsafe fn walk<K: Int8, W: Wanted>(self, scratch: &mut Scratch, wanted: &mut W) -> Went {
        scratch.forget(self.graph.nodes());
        scratch.fresh.clear();
        scratch.fresh.resize(self.graph.width(), 0);
        scratch.pool.clear();
        let mut begin = |node: u32, distance: u32| {
            scratch.visited[node as usize >> 6] |= 1 << (node & 63);
            scratch.touched.push(node);
            scratch.pool.push(key(distance, node));
        };
        if self.begin.is_empty() {
            // SAFETY: passed on to the caller.
            let (node, distance) = unsafe { self.descend::<K>() };
            begin(node, distance);
        }
        for &node in self.begin {
            self.codes.prefetch_upper(node);
        }
        for &node in self.begin {
            // SAFETY: `run` saw that it is a node; the rest is passed on to the caller.
            begin(node, unsafe { self.codes.roughly::<K>(node, self.asked) });
        }
        scratch.pool.sort_unstable();
        scratch.pool.dedup();
        scratch.pool.truncate(self.ef.max(1));
        // SAFETY: passed on to the caller; all in the list are nodes in the end.
        unsafe {
            let went = if W::ALL && self.ef < LONG {
                self.with_array::<K>(scratch)
            } else {
                self.with_heaps::<K, W>(scratch, wanted)
            };
            if went.finished {
                self.put_in_order::<K>(&mut scratch.pool);
            }
            went
        }
    }

    /// Takes the neighbours of a node that were not met before: how many they are. They stand in `fresh`, and
    /// their codes are asked for.
    ///
    /// # Safety
    /// `visited` has a bit for each node, and `fresh` room for a row.
    #[inline(always)]
    unsafe fn meet(
        self,
        node: u32,
        visited: &mut [u64],
        touched: &mut Vec<u32>,
        fresh: &mut [u32],
    ) -> usize {
        let mut new = 0;
        for &x in self.graph.row(node) {
            if x == super::graph::NONE {
                break;
            }
            // SAFETY: links are below the number of nodes; the rest the caller vouches for.
            unsafe {
                let word = visited.get_unchecked_mut(x as usize >> 6);
                let bit = 1u64 << (x & 63);
                let unseen = usize::from(*word & bit == 0);
                *word |= bit;
                *fresh.get_unchecked_mut(new) = x;
                if unseen != 0 {
                    self.codes.prefetch_upper(x);
                }
                new += unseen;
            }
        }
        touched.extend_from_slice(&fresh[..new]);
        new
    }

    /// Every node is an answer, and few are wanted: they stand in one array, and with each whether the walk
    /// has been there.
    ///
    /// # Safety
    /// The machine has `K`'s instructions, the pool holds keys of nodes in order, and there is scratch for the graph.
    #[inline(always)]
    unsafe fn with_array<K: Int8>(self, scratch: &mut Scratch) -> Went {
        let ef = self.ef.max(1);
        let Scratch {
            visited,
            touched,
            pool,
            fresh,
            ..
        } = scratch;
        let mut distances = pool.len();
        let mut at = 0;
        while at < pool.len() {
            let node = (pool[at] & NODE) as u32;
            pool[at] |= DONE;
            // SAFETY: as the caller says.
            let new = unsafe { self.meet(node, visited, touched, fresh) };
            distances += new;
            let mut next = at + 1;
            for &x in &fresh[..new] {
                // SAFETY: the codes have a row for every node, and the machine has `K`'s instructions.
                let distance = unsafe { self.codes.roughly::<K>(x, self.asked) };
                let full = pool.len() >= ef;
                if full && pool.last().is_some_and(|w| u64::from(distance) >= w >> 32) {
                    continue;
                }
                let place = pool.partition_point(|k| k >> 32 <= u64::from(distance));
                if full {
                    pool.pop();
                }
                pool.insert(place, key(distance, x));
                // Perhaps the next to go on from.
                if place <= next {
                    self.graph.prefetch(x);
                }
                next = next.min(place);
            }
            at = next;
            while pool.get(at).is_some_and(|k| k & DONE != 0) {
                at += 1;
            }
            if let Some(k) = pool.get(at) {
                self.graph.prefetch((k & NODE) as u32);
                if let Some(k) = pool.get(at + 1).filter(|k| **k & DONE == 0) {
                    self.graph.prefetch((k & NODE) as u32);
                }
            }
        }
        Went {
            distances,
            finished: true,
        }
    }

    /// Nodes to go on from stand in one heap, answers in another.
    ///
    /// # Safety
    /// As for [`Walk::with_array`].
    #[inline(always)]
    unsafe fn with_heaps<K: Int8, W: Wanted>(self, scratch: &mut Scratch, wanted: &mut W) -> Went {
        let ef = self.ef.max(1);
        let Scratch {
            visited,
            touched,
            pool,
            fresh,
            open,
        } = scratch;
        let mut distances = pool.len();
        let begin = pool.clone();
        pool.clear();
        let mut found = BinaryHeap::from(std::mem::take(pool));
        open.clear();
        // How many the nodes in `found` stand for: no more than the pool held.
        let mut counted = 0;
        for key in begin {
            open.push(Reverse(key));
            match wanted.enter((key & NODE) as u32) {
                Role::Answer => {
                    found.push(key);
                    counted += 1;
                }
                Role::Again => found.push(key),
                Role::Outside => {}
            }
        }
        let mut finished = true;
        while let Some(Reverse(nearest)) = open.pop() {
            // What lies behind the last answer leads nowhere better.
            if counted >= ef && found.peek().is_some_and(|last| nearest > *last) {
                break;
            }
            if !W::ALL && distances > self.most {
                finished = false;
                break;
            }
            // SAFETY: as the caller says.
            let new = unsafe { self.meet((nearest & NODE) as u32, visited, touched, fresh) };
            distances += new;
            for &x in &fresh[..new] {
                // SAFETY: the codes have a row for every node, and the machine has `K`'s instructions.
                let distance = unsafe { self.codes.roughly::<K>(x, self.asked) };
                let behind = |last: &u64| u64::from(distance) >= last >> 32;
                if counted >= ef && found.peek().is_some_and(behind) {
                    continue;
                }
                let x_key = key(distance, x);
                open.push(Reverse(x_key));
                match wanted.enter(x) {
                    Role::Outside => continue,
                    Role::Answer => counted += 1,
                    Role::Again => {}
                }
                found.push(x_key);
                while counted > ef {
                    let Some(last) = found.pop() else { break };
                    counted -= usize::from(wanted.leave((last & NODE) as u32));
                }
            }
            // The nearest stands first, and one of the two after it is the next.
            for Reverse(next) in open.as_slice().iter().take(3) {
                self.graph.prefetch((next & NODE) as u32);
            }
        }
        *pool = found.into_vec();
        Went {
            distances,
            finished,
        }
    }

    /// Puts what was found in order of exact distances.
    ///
    /// # Safety
    /// The machine has `K`'s instructions, and the list holds nodes with their rough distances.
    #[inline(always)]
    unsafe fn put_in_order<K: Int8>(self, pool: &mut [u64]) {
        const AHEAD: usize = 8;
        for i in 0..pool.len() {
            if let Some(ahead) = pool.get(i + AHEAD) {
                self.codes.prefetch_lower((ahead & NODE) as u32);
            }
            let (rough, rest) = ((pool[i] >> 32) as u32, pool[i] & u64::from(u32::MAX));
            // SAFETY: the caller vouches for it.
            let exact = unsafe {
                let node = (rest & NODE) as u32;
                self.codes.exactly::<K>(node, self.asked, rough)
            };
            pool[i] = u64::from(exact) << 32 | rest;
        }
        // By distance, then as they were: the flags of equally near nodes are no order.
        pool.sort_unstable_by_key(|key| (key >> 32, key & NODE));
    }

    /// From the entry down to the ground, always to the nearest neighbour.
    ///
    /// # Safety
    /// The machine has `K`'s instructions.
    #[inline(always)]
    unsafe fn descend<K: Int8>(self) -> (u32, u32) {
        let mut at = self.graph.entry();
        // SAFETY: the entry and all links are nodes, and the codes have a row for each.
        let mut nearest = unsafe { self.codes.roughly::<K>(at, self.asked) };
        let width = self.graph.upper_width();
        for level in self.graph.upper().iter().rev() {
            loop {
                let from = at;
                let row = &level.links[from as usize * width..(from as usize + 1) * width];
                for &x in row.iter().take_while(|x| **x != super::graph::NONE) {
                    self.codes.prefetch_upper(x);
                }
                for &x in row.iter().take_while(|x| **x != super::graph::NONE) {
                    // SAFETY: as above.
                    let distance = unsafe { self.codes.roughly::<K>(x, self.asked) };
                    if distance < nearest {
                        (nearest, at) = (distance, x);
                    }
                }
                if at == from {
                    break;
                }
            }
        }
        (at, nearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every node is an answer, counted.
    struct Counted;

    impl Wanted for Counted {
        const ALL: bool = false;

        fn enter(&mut self, _: u32) -> Role {
            Role::Answer
        }

        fn leave(&mut self, _: u32) -> bool {
            true
        }
    }

    #[test]
    fn it_begins_where_it_is_told() {
        // Two pairs; nothing leads from one to the other.
        let given = [1u32, 0, 3, 2].map(|x| vec![vec![x]]);
        let (graph, places) = Graph::lay_out(&given, 0).unwrap().unwrap();
        assert_eq!(places, [0, 1, 2, 3]);
        let mut codes = Codes::new(4, 128, 100.0).unwrap();
        for node in 0..4 {
            let one: Vec<f32> = (0..128).map(|i| f32::from(u8::from(i == node))).collect();
            codes.set(node, &one);
        }
        for isa in Isa::available() {
            let mut asked = Asked::default();
            codes.ask_row(3, &mut asked);
            let found = |begin: &[u32], ef: usize, all: bool| {
                let walk = Walk {
                    isa,
                    graph: &graph,
                    codes: &codes,
                    asked: &asked,
                    begin,
                    ef,
                    most: usize::MAX,
                };
                let mut scratch = Scratch::default();
                let went = if all {
                    walk.run(&mut scratch, &mut Every)
                } else {
                    walk.run(&mut scratch, &mut Counted)
                };
                assert!(went.finished);
                scratch.found().map(|f| f.1).collect::<Vec<u32>>()
            };
            for all in [true, false] {
                assert_eq!(found(&[], 4, all), [0, 1]);
                assert_eq!(found(&[2], 4, all), [3, 2]);
                assert_eq!(found(&[0, 2, 2], 4, all), [3, 0, 1, 2]);
                assert_eq!(found(&[0, 3], 1, all), [3]);
            }
        }
    }
}
