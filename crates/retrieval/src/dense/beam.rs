//! The walk: best-first over a graph with integer distances (Malkov and Yashunin 2018, algorithms
//! 2 and 5), its list of candidates one sorted array.
//!
//! Distances are rough on the way: half of a row of codes is read. What was found is put in order by exact
//! ones in the end.
//!
//! What a walk is asked for need not be nodes: a [`Wanted`] says which nodes count, and its list
//! grows until so many count. So a filter, or several passages of one record, cost further steps
//! and never answers.

use super::{
    codes::{Asked, Codes},
    graph::Graph,
};
use crate::kernel::{Int8, Isa, Set};

/// The walk has been at the node.
const DONE: u64 = 1 << 31;
/// The node is no answer; it only leads on.
const OUTSIDE: u64 = 1 << 30;
const NODE: u64 = (1 << 30) - 1;

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

    /// Distance and node of all that the last walk kept and that are answers, nearest first.
    pub(crate) fn found(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.pool
            .iter()
            .filter(|key| *key & OUTSIDE == 0)
            .map(|key| ((key >> 32) as u32, (key & NODE) as u32))
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
fn key(distance: u32, node: u32, role: Role) -> u64 {
    let outside = if role == Role::Outside { OUTSIDE } else { 0 };
    u64::from(distance) << 32 | outside | u64::from(node)
}

impl Walk<'_> {
    /// # Safety
    /// The machine has `K`'s instructions.
    #[inline(always)]
    unsafe fn walk<K: Int8, W: Wanted>(self, scratch: &mut Scratch, wanted: &mut W) -> Went {
        let ef = self.ef.max(1);
        scratch.forget(self.graph.nodes());
        let Scratch {
            visited,
            touched,
            pool,
            fresh,
        } = scratch;
        fresh.clear();
        fresh.resize(self.graph.width(), 0);
        pool.clear();
        // SAFETY: passed on to the caller.
        let (entry, distance) = unsafe { self.descend::<K>() };
        visited[entry as usize >> 6] |= 1 << (entry & 63);
        touched.push(entry);
        let role = wanted.enter(entry);
        pool.push(key(distance, entry, role));
        let mut counted = usize::from(role == Role::Answer);
        let mut distances = 1;
        let mut at = 0;
        while at < pool.len() {
            if !W::ALL && distances > self.most {
                return Went {
                    distances,
                    finished: false,
                };
            }
            let node = (pool[at] & NODE) as u32;
            pool[at] |= DONE;
            let mut new = 0;
            for &x in self.graph.row(node) {
                if x == super::graph::NONE {
                    break;
                }
                // SAFETY: links are below the number of nodes, for which `visited` has a bit each;
                // a row has at most `width` links, for which `fresh` has room.
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
            distances += new;
            let mut next = at + 1;
            for i in 0..new {
                // SAFETY: `i < new`, and `new` entries were written; the codes have a row for
                // every node, and the machine has `K`'s instructions.
                let (x, distance) = unsafe {
                    let x = *fresh.get_unchecked(i);
                    (x, self.codes.roughly::<K>(x, self.asked))
                };
                let full = counted >= ef;
                if full && pool.last().is_some_and(|w| u64::from(distance) >= w >> 32) {
                    continue;
                }
                let place = pool.partition_point(|k| k >> 32 <= u64::from(distance));
                if W::ALL {
                    if full {
                        pool.pop();
                    }
                    pool.insert(place, key(distance, x, Role::Answer));
                    counted = pool.len();
                } else {
                    let role = wanted.enter(x);
                    pool.insert(place, key(distance, x, role));
                    counted += usize::from(role == Role::Answer);
                    // What lies behind the last answer leads nowhere better.
                    while counted >= ef {
                        match pool.last() {
                            Some(last) if last & OUTSIDE != 0 => {}
                            Some(last) if counted > ef => {
                                counted -= usize::from(wanted.leave((last & NODE) as u32));
                            }
                            _ => break,
                        }
                        pool.pop();
                    }
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
        // SAFETY: as above; all in the list are nodes.
        unsafe { self.put_in_order::<K>(pool) };
        Went {
            distances,
            finished: true,
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
