//! Members in lists, each by the nearest of some centres: for questions whose filter many pass, and many do not.
//! Of those that a walk meets, most do not pass, and are compared all the same, to be led on by; of a list only
//! those that pass are compared.
//!
//! Centres are learnt by spherical k-means (Dhillon and Modha 2001) over some of the nodes.

use super::{
    build::BuildError,
    codes::{Asked, Codes},
};
use crate::kernel::{Int8, Isa, Set, dot};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lists for each in the square root of the number of nodes. By reckoning, for half a million: to ask twice as many
/// centres costs more than is then saved in their lists.
const LISTS: f64 = 3.0;
/// Nodes that a centre is learnt from.
const LEARN: usize = 64;
/// How often it is.
const ROUNDS: usize = 8;
/// So many lists are put in order first, and then as many again as were before, and some more.
const AT_ONCE: usize = 32;
/// Nodes between two looks at the flag.
const CHUNK: usize = 1_024;

/// Each member of a layer once.
#[derive(Debug)]
pub(crate) struct Lists {
    /// A row for each list, at length one, coded as nodes are.
    pub(crate) centres: Codes,
    /// `starts[l]..starts[l + 1]` are the places in `members` of list l's.
    pub(crate) starts: Vec<u32>,
    /// In each list ascending.
    pub(crate) members: Vec<u32>,
}

impl Lists {
    /// Sorts members into lists by the rows of `codes`, of vectors of `dim` values, that are their nodes.
    /// `members_of` says which are a row's; there is at least one row. Uses the thread pool it is called in.
    pub(crate) fn of<'m>(
        codes: &Codes,
        dim: usize,
        members_of: impl Fn(u32) -> &'m [u32],
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<Self, BuildError> {
        let rows = codes.rows();
        let lists = ((rows as f64).sqrt() * LISTS) as usize;
        let lists = lists.clamp(1, rows);
        // Evenly over all of them: rows that are near each other stand near each other.
        let some = |of: usize| -> Vec<u32> {
            let row = |i| (i as u64 * rows as u64 / of as u64) as u32;
            (0..of).map(row).collect()
        };
        let mut centres = codes.in_order(&some(lists))?;
        let sample = some((lists * LEARN).min(rows));
        for _ in 0..ROUNDS {
            let near = nearest(codes, &sample, &centres, isa, stop)?;
            centres = learnt(codes, dim, &sample, &near, &centres)?;
        }
        let all: Vec<u32> = (0..rows as u32).collect();
        let near = nearest(codes, &all, &centres, isa, stop)?;
        let (of_nodes, nodes) = by_list(&all, &near, centres.rows());
        let (mut starts, mut members) = (vec![0], Vec::new());
        for place in of_nodes.windows(2) {
            let list = &nodes[place[0] as usize..place[1] as usize];
            let from = members.len();
            members.extend(list.iter().flat_map(|n| members_of(*n)));
            members[from..].sort_unstable();
            starts.push(members.len() as u32);
        }
        Ok(Self {
            centres,
            starts,
            members,
        })
    }

    /// Whether it holds each of `members`, which are below `bound`, once, and nothing else.
    pub(crate) fn holds_together(&self, members: &[u32], bound: usize) -> bool {
        let ascending = self.starts.len() == self.centres.rows() + 1
            && self.starts.first() == Some(&0)
            && self.starts.windows(2).all(|w| w[0] <= w[1])
            && self.starts.last().map(|n| *n as usize) == Some(self.members.len());
        let mut left = vec![false; bound];
        let mut turn = |all: &[u32], to: bool| {
            let one = |m: &u32| {
                let was = left.get_mut(*m as usize);
                was.is_some_and(|was| std::mem::replace(was, to) != to)
            };
            all.iter().all(one)
        };
        ascending
            && self.members.len() == members.len()
            && turn(members, true)
            && turn(&self.members, false)
    }

    pub(crate) fn len(&self) -> usize {
        self.centres.rows()
    }

    /// The lists, that of the centre nearest to what is asked first. `asked` is coded as nodes are.
    pub(crate) fn nearest_first(&self, isa: Isa, asked: &Asked) -> impl Iterator<Item = &[u32]> {
        let mut distances = Vec::with_capacity(self.len());
        measure(isa, &self.centres, asked, &mut distances);
        let key = |(distance, list): (u32, u64)| u64::from(distance) << 32 | list;
        let mut keys: Vec<u64> = distances.into_iter().zip(0..).map(key).collect();
        // Few lists are opened, so that few are put in order.
        let (mut at, mut ordered) = (0, 0);
        std::iter::from_fn(move || {
            if at == ordered {
                let left = &mut keys[ordered..];
                let more = (ordered + AT_ONCE).min(left.len());
                if more < left.len() {
                    left.select_nth_unstable(more);
                }
                left[..more].sort_unstable();
                ordered += more;
            }
            let list = *keys.get(at)? as u32 as usize;
            at += 1;
            let (from, to) = (self.starts[list], self.starts[list + 1]);
            Some(&self.members[from as usize..to as usize])
        })
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        self.centres.bytes().len() + (self.starts.len() + self.members.len()) * 4
    }
}

/// Rows in order of the list that each belongs to, and where each list starts.
fn by_list(rows: &[u32], list_of: &[u32], lists: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; lists + 1];
    list_of.iter().for_each(|l| starts[*l as usize + 1] += 1);
    (0..lists).for_each(|l| starts[l + 1] += starts[l]);
    let (mut next, mut nodes) = (starts.clone(), vec![0; rows.len()]);
    for (row, list) in rows.iter().zip(list_of) {
        let place = &mut next[*list as usize];
        nodes[*place as usize] = *row;
        *place += 1;
    }
    (starts, nodes)
}

/// The nearest centre of each of these rows.
fn nearest(
    codes: &Codes,
    rows: &[u32],
    centres: &Codes,
    isa: Isa,
    stop: &AtomicBool,
) -> Result<Vec<u32>, BuildError> {
    let mut out = vec![0; rows.len()];
    let chunks = out.par_chunks_mut(CHUNK).zip(rows.par_chunks(CHUNK));
    chunks.for_each_init(
        || (Asked::default(), Vec::new()),
        |(asked, distances), (out, rows)| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            for (to, row) in out.iter_mut().zip(rows) {
                codes.ask_row(*row as usize, asked);
                distances.clear();
                measure(isa, centres, asked, distances);
                let nearest = distances.iter().zip(0u32..).min();
                *to = nearest.map_or(0, |n| n.1);
            }
        },
    );
    if stop.load(Ordering::Relaxed) {
        return Err(BuildError::Stopped);
    }
    Ok(out)
}

/// Each centre as the mean direction of those that are nearest to it; as it was, where there is none.
fn learnt(
    codes: &Codes,
    dim: usize,
    rows: &[u32],
    list_of: &[u32],
    centres: &Codes,
) -> Result<Codes, BuildError> {
    let (starts, ordered) = by_list(rows, list_of, centres.rows());
    let mut out = Codes::new(centres.rows(), dim, codes.scale())?;
    let mut sum = vec![0.0_f32; dim];
    for (list, place) in starts.windows(2).enumerate() {
        sum.fill(0.0);
        let of_list = &ordered[place[0] as usize..place[1] as usize];
        for row in of_list {
            let values = codes.values(*row as usize);
            sum.iter_mut().zip(values).for_each(|(s, x)| *s += x);
        }
        let mut norm = dot(&sum, &sum).sqrt();
        if norm == 0.0 {
            let as_it_was = sum.iter_mut().zip(centres.values(list));
            as_it_was.for_each(|(s, x)| *s = x);
            norm = dot(&sum, &sum).sqrt().max(1.0);
        }
        sum.iter_mut().for_each(|x| *x /= norm);
        out.set(list, &sum);
    }
    Ok(out)
}

/// Adds the rough distance of each row of `codes`, in their order.
fn measure(isa: Isa, codes: &Codes, asked: &Asked, out: &mut Vec<u32>) {
    assert!(asked.fits(codes), "asked of other codes");
    // SAFETY: an `Isa` is only ever made where the machine has it.
    unsafe {
        match isa.0 {
            Set::Portable => each::<crate::kernel::Portable>(codes, asked, out),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => each_avx2(codes, asked, out),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => each_avx512(codes, asked, out),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => each::<crate::kernel::Neon>(codes, asked, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn each_avx2(codes: &Codes, asked: &Asked, out: &mut Vec<u32>) {
    // SAFETY: the function itself needs the instructions, and `measure` looked at the lengths.
    unsafe { each::<crate::kernel::Avx2>(codes, asked, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn each_avx512(codes: &Codes, asked: &Asked, out: &mut Vec<u32>) {
    // SAFETY: the function itself needs the instructions, and `measure` looked at the lengths.
    unsafe { each::<crate::kernel::Avx512>(codes, asked, out) }
}

/// # Safety
/// The machine has `K`'s instructions, and `asked` fits `codes`.
#[inline(always)]
unsafe fn each<K: Int8>(codes: &Codes, asked: &Asked, out: &mut Vec<u32>) {
    // SAFETY: rows are counted off, and the rest the caller vouches for.
    let distance = |row| unsafe { codes.roughly::<K>(row, asked) };
    out.extend((0..codes.rows() as u32).map(distance));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::{codes::scale, segment::mean};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const DIM: usize = 128;
    const TOPICS: usize = 20;

    /// Rows about topics, one topic after the other, and the topics.
    fn rows(n: usize) -> (Codes, Vec<Vec<f32>>) {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let unit = |v: Vec<f32>| mean(&v, DIM);
        let topics: Vec<Vec<f32>> = (0..TOPICS)
            .map(|_| unit((0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect()))
            .collect();
        let mut near = |i: usize| -> Vec<f32> {
            let topic = topics[i * TOPICS / n].iter();
            unit(topic.map(|x| x + rng.random_range(-0.1..0.1)).collect())
        };
        let all: Vec<Vec<f32>> = (0..n).map(&mut near).collect();
        let mut codes = Codes::new(n, DIM, scale(&all.concat())).unwrap();
        for (i, v) in all.iter().enumerate() {
            codes.set(i, v);
        }
        (codes, topics)
    }

    fn all(n: u32) -> Vec<u32> {
        (0..n).collect()
    }

    fn lists(codes: &Codes) -> Lists {
        let stop = AtomicBool::new(false);
        let all = all(codes.rows() as u32);
        let own = |n: u32| &all[n as usize..=n as usize];
        Lists::of(codes, DIM, own, Isa::best(), &stop).unwrap()
    }

    #[test]
    fn each_node_is_in_one_list() {
        let (codes, _) = rows(3_000);
        let lists = lists(&codes);
        assert!(lists.holds_together(&all(3_000), 3_000) && lists.len() == 164);
        let mut listed = lists.members.clone();
        listed.sort_unstable();
        assert_eq!(listed, all(3_000));
        let ascending = |l: usize| {
            let list = lists.starts[l] as usize..lists.starts[l + 1] as usize;
            lists.members[list].is_sorted()
        };
        assert!((0..lists.len()).all(ascending));
    }

    #[test]
    fn members_of_one_node_stand_in_one_list() {
        let (codes, _) = rows(500);
        let members: Vec<u32> = (0..1_000).rev().collect();
        let two = |n: u32| &members[2 * n as usize..2 * n as usize + 2];
        let lists = Lists::of(&codes, DIM, two, Isa::best(), &AtomicBool::new(false)).unwrap();
        assert!(lists.holds_together(&members, 1_000));
        let list =
            |l: usize| &lists.members[lists.starts[l] as usize..lists.starts[l + 1] as usize];
        for l in 0..lists.len() {
            assert!(list(l).is_sorted() && list(l).iter().all(|m| list(l).contains(&(m ^ 1))));
        }
    }

    #[test]
    fn who_is_near_stands_in_the_first_lists() {
        let (codes, topics) = rows(3_000);
        let lists = lists(&codes);
        for isa in Isa::available() {
            for (t, topic) in topics.iter().enumerate() {
                let mut asked = Asked::default();
                codes.ask(topic, &mut asked);
                let first: Vec<u32> = lists
                    .nearest_first(isa, &asked)
                    .flatten()
                    .copied()
                    .take(150)
                    .collect();
                // All of the topic are nearer to it than any other.
                let of_topic = first.iter().filter(|n| **n as usize * TOPICS / 3_000 == t);
                assert!(of_topic.count() >= 140, "{isa:?} {t}");
            }
        }
    }

    #[test]
    fn centres_stand_among_those_they_were_learnt_from() {
        let (codes, _) = rows(3_000);
        let lists = lists(&codes);
        let own = |l: usize| -> Vec<i32> {
            let list = lists.starts[l] as usize..lists.starts[l + 1] as usize;
            let nodes = lists.members[list].iter();
            let centre: Vec<f32> = lists.centres.values(l).collect();
            nodes
                .map(|n| {
                    let values = codes.values(*n as usize);
                    values.zip(&centre).map(|(a, b)| a * b).sum::<f32>() as i32
                })
                .collect()
        };
        // Of a centre and one of its nodes; of two nodes of a topic it is less.
        let of_lists: Vec<i32> = (0..lists.len()).flat_map(own).collect();
        let two = (0..2_990).map(|n| codes.pair(Isa::best(), n, n + 7));
        let mean =
            |all: Vec<i32>| all.iter().map(|x| i64::from(*x)).sum::<i64>() / all.len() as i64;
        assert!(mean(of_lists) > mean(two.collect()) * 11 / 10);
    }

    #[test]
    fn few_rows_are_listed_too() {
        for n in [1, 2, 9] {
            let (codes, _) = rows(n);
            let lists = lists(&codes);
            assert!(lists.holds_together(&all(n as u32), n), "{n}");
            let mut asked = Asked::default();
            codes.ask_row(0, &mut asked);
            let listed = lists.nearest_first(Isa::best(), &asked).flatten();
            assert_eq!(listed.count(), n);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_believed() {
        let (codes, _) = rows(100);
        let whole = lists(&codes);
        let broken = |change: &dyn Fn(&mut Lists)| {
            let mut lists = lists(&codes);
            assert!(lists.holds_together(&all(100), 100));
            change(&mut lists);
            !lists.holds_together(&all(100), 100)
        };
        let last = whole.len();
        assert!(last == 30 && whole.starts[1] > 0);
        assert!(broken(&|l| l.starts[0] = 1));
        assert!(broken(&|l| l.starts.swap(1, 29)));
        assert!(broken(&|l| l.starts[30] -= 1));
        assert!(broken(&|l| l.starts[30] = u32::MAX));
        assert!(broken(&|l| l.starts.truncate(30)));
        assert!(broken(&|l| l.starts.clear()));
        assert!(broken(&|l| l.members[5] = 100));
        assert!(broken(&|l| l.members[5] = l.members[50]));
        assert!(broken(&|l| l.members.truncate(99)));
        assert!(broken(&|l| l.members.push(0)));
        // Others than those of the layer.
        assert!(!whole.holds_together(&all(99), 100) && !whole.holds_together(&[7; 100], 100));
    }

    #[test]
    fn it_stops_when_told() {
        let (codes, _) = rows(100);
        let stopped = Lists::of(&codes, DIM, |_| &[], Isa::best(), &AtomicBool::new(true));
        assert!(matches!(stopped, Err(BuildError::Stopped)));
    }
}
