//! Members in lists, each by the nearest of some centres: for questions whose filter many pass, and many do not.
//! Of those that a walk meets, most do not pass, and are compared all the same, to be led on by; of a list only
//! those that pass are compared.
//!
//! Centres are learnt by spherical k-means (Dhillon and Modha 2001) over some of the nodes. Where they are many, which
//! are near is told by lists of their own, called groups: "nearest" is then among those that were compared.

use super::{
    build::BuildError,
    codes::{Asked, Codes},
};
use crate::kernel::{Int8, Isa, Set, dot};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lists for each in the square root of the number of nodes, at least,
const LISTS: f64 = 3.0;
/// and one for so many nodes.
const OF_LIST: usize = 160;
/// Nodes that a centre is learnt from.
const LEARN: usize = 64;
/// How often it is.
const ROUNDS: usize = 8;
/// Of fewer centres all are compared.
const GROUPED: usize = if cfg!(test) { 64 } else { 1_024 };
/// Fewer centres stand in no order.
const ORDERED: usize = 64;
/// So many lists are put in order first, and then as many again as were before, and some more.
const AT_ONCE: usize = 32;
/// Centres of groups that are compared before the first list is opened; half of these for a node whose list is to
/// be known.
const SEEN: usize = if cfg!(test) { 32 } else { 512 };
/// And for each list that was put in order before.
const SEEN_MORE: usize = 8;
/// So many lists a walk begins at,
const BEGIN: usize = 4;
/// the nearest of so many.
const SEEN_FIRST: usize = 64;
/// Nodes between two looks at the flag.
const CHUNK: usize = 1_024;
/// Up to so many chunks are no work for a pool: who opens a file waits for none.
const FEW: usize = 8;

// Centres are always more than their groups, so that groups of groups end.
const _: () = assert!(LISTS * LISTS < ORDERED as f64 && OF_LIST > 1 && ORDERED <= GROUPED);

/// Each member of a layer once.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) centres: Centres,
    /// `starts[l]..starts[l + 1]` are the places in `members` of list l's.
    pub(crate) starts: Vec<u32>,
    /// In each list ascending.
    pub(crate) members: Vec<u32>,
}

/// What lists are around.
#[derive(Debug)]
pub(crate) struct Centres {
    /// A row for each list, at length one, coded as nodes are.
    pub(crate) codes: Codes,
    /// Lists of these rows, where they are many.
    groups: Option<Box<Lists>>,
}

impl Lists {
    /// Sorts the rows of `codes`, of vectors of `dim` values, into lists; there is at least one row. Lists that are
    /// near each other have near numbers. It is the same with any instructions and any number of threads; many rows
    /// use the thread pool it is called in.
    pub(crate) fn of(
        codes: &Codes,
        dim: usize,
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<Self, BuildError> {
        let rows = codes.rows();
        let lists = ((rows as f64).sqrt() * LISTS) as usize;
        let lists = lists.max(rows / OF_LIST).clamp(1, rows);
        // Evenly over all of them: where near rows stand near each other, of each kind some.
        let some = |of: usize| -> Vec<u32> {
            let row = |i| (i as u64 * rows as u64 / of as u64) as u32;
            (0..of).map(row).collect()
        };
        let mut centres = Centres::new(codes.in_order(&some(lists))?, dim, isa, stop)?;
        let sample = some((lists * LEARN).min(rows));
        for _ in 0..ROUNDS {
            let near = centres.nearest(codes, &sample, isa, stop)?;
            let learnt = learnt(codes, dim, &sample, &near, &centres.codes)?;
            centres = Centres::new(learnt, dim, isa, stop)?;
        }
        let centres = centres.in_order(dim, isa, stop)?;
        let all: Vec<u32> = (0..rows as u32).collect();
        let near = centres.nearest(codes, &all, isa, stop)?;
        let (starts, members) = by_list(&all, &near, lists);
        Ok(Self {
            centres,
            starts,
            members,
        })
    }

    /// The same lists of what stands at each row.
    pub(crate) fn of_members<'m>(self, members_of: impl Fn(u32) -> &'m [u32]) -> Self {
        let mut members = Vec::with_capacity(self.members.len());
        let mut starts = vec![0];
        for list in 0..self.len() as u32 {
            let from = members.len();
            members.extend(self.list(list).iter().flat_map(|row| members_of(*row)));
            members[from..].sort_unstable();
            starts.push(members.len() as u32);
        }
        Self {
            centres: self.centres,
            starts,
            members,
        }
    }

    /// Whether it holds each of `members`, which are below `bound`, once, and nothing else.
    pub(crate) fn holds_together(&self, members: &[u32], bound: usize) -> bool {
        let ascending = self.starts.len() == self.len() + 1
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
        self.centres.codes.rows()
    }

    /// About how many centres are compared until the lists of so many members are opened.
    pub(crate) fn compared(&self, members: usize) -> usize {
        let Some(groups) = &self.centres.groups else {
            return self.len();
        };
        let opened = members.saturating_mul(self.len()) / self.members.len().max(1);
        // As many as were put in order before the last time.
        let mut ordered = 0;
        while 2 * ordered + AT_ONCE < opened.min(self.len()) {
            ordered = 2 * ordered + AT_ONCE;
        }
        groups.len() + (SEEN + ordered * SEEN_MORE).min(self.len())
    }

    /// A member of each list that a walk begins at, where centres stand in groups: where they do not, to compare all
    /// would take longer than to come from above.
    pub(crate) fn begin<'a>(
        &'a self,
        isa: Isa,
        asked: &'a Asked,
    ) -> impl Iterator<Item = u32> + 'a {
        let grouped = self.centres.groups.as_ref();
        let near = grouped.map(|_| self.centres.some(isa, asked, SEEN_FIRST, BEGIN));
        let lists = near.into_iter().flatten().map(|list| self.list(list));
        lists.filter_map(|list| list.get(list.len() / 2).copied())
    }

    /// The lists, that of the nearest centre first. `asked` is coded as nodes are.
    pub(crate) fn nearest_first<'a>(
        &'a self,
        isa: Isa,
        asked: &'a Asked,
    ) -> impl Iterator<Item = &'a [u32]> {
        let numbers = self.centres.nearest_first(isa, asked);
        numbers.map(|list| self.list(list))
    }

    fn list(&self, list: u32) -> &[u32] {
        let (from, to) = (self.starts[list as usize], self.starts[list as usize + 1]);
        &self.members[from as usize..to as usize]
    }

    /// Bytes on the heap.
    pub(crate) fn resident(&self) -> usize {
        let groups = self.centres.groups.as_ref();
        self.centres.codes.bytes().len()
            + (self.starts.len() + self.members.len()) * 4
            + groups.map_or(0, |g| g.resident())
    }
}

impl Centres {
    /// In groups where they are many.
    pub(crate) fn new(
        codes: Codes,
        dim: usize,
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<Self, BuildError> {
        let groups = match codes.rows() {
            0..GROUPED => None,
            _ => Some(Box::new(Lists::of(&codes, dim, isa, stop)?)),
        };
        Ok(Self { codes, groups })
    }

    /// With near ones near each other. Groups are learnt anew from that order, as they are when a file is opened:
    /// so lists answer afterwards as they did before.
    fn in_order(self, dim: usize, isa: Isa, stop: &AtomicBool) -> Result<Self, BuildError> {
        let groups = match self.groups {
            Some(groups) => groups,
            None if self.codes.rows() < ORDERED => return Ok(self),
            None => Box::new(Lists::of(&self.codes, dim, isa, stop)?),
        };
        Self::new(self.codes.in_order(&groups.members)?, dim, isa, stop)
    }

    /// Numbers of the centres, nearest first.
    fn nearest_first<'a>(&'a self, isa: Isa, asked: &'a Asked) -> NearestFirst<'a> {
        let mut this = NearestFirst {
            centres: self,
            isa,
            asked,
            keys: Vec::with_capacity(SEEN),
            ordered: 0,
            at: 0,
            groups: None,
        };
        match &self.groups {
            Some(groups) => {
                let near = Box::new(groups.centres.nearest_first(isa, asked));
                this.groups = Some((groups, near));
            }
            None => measure(isa, &self.codes, asked, Which::All, &mut this.keys),
        }
        this
    }

    /// The nearest few of so many that are seen, in no order.
    fn some(&self, isa: Isa, asked: &Asked, seen: usize, few: usize) -> Vec<u32> {
        let mut near = self.nearest_first(isa, asked);
        near.see(seen);
        let mut keys = near.keys;
        if few < keys.len() {
            keys.select_nth_unstable(few);
            keys.truncate(few);
        }
        keys.into_iter().map(|key| key as u32).collect()
    }

    /// The nearest centre of each of these rows.
    fn nearest(
        &self,
        codes: &Codes,
        rows: &[u32],
        isa: Isa,
        stop: &AtomicBool,
    ) -> Result<Vec<u32>, BuildError> {
        let mut out = vec![0; rows.len()];
        let chunk = |asked: &mut Asked, (out, rows): (&mut [u32], &[u32])| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            for (to, row) in out.iter_mut().zip(rows) {
                codes.ask_row(*row as usize, asked);
                let mut near = self.nearest_first(isa, asked);
                near.see(SEEN / 2);
                *to = near.keys.iter().min().map_or(0, |key| *key as u32);
            }
        };
        if rows.len() <= FEW * CHUNK {
            let chunks = out.chunks_mut(CHUNK).zip(rows.chunks(CHUNK));
            let mut asked = Asked::default();
            chunks.for_each(|one| chunk(&mut asked, one));
        } else {
            let chunks = out.par_chunks_mut(CHUNK).zip(rows.par_chunks(CHUNK));
            chunks.for_each_init(Asked::default, chunk);
        }
        if stop.load(Ordering::Relaxed) {
            return Err(BuildError::Stopped);
        }
        Ok(out)
    }
}

/// See [`Centres::nearest_first`].
struct NearestFirst<'a> {
    centres: &'a Centres,
    isa: Isa,
    asked: &'a Asked,
    /// Of centres that were compared: its distance, and its number.
    keys: Vec<u64>,
    /// So many of them are in order,
    ordered: usize,
    /// and so many were told.
    at: usize,
    /// Groups, and which of them are to be opened next.
    groups: Option<(&'a Lists, Box<Self>)>,
}

impl NearestFirst<'_> {
    /// Compares more centres, those of the nearest groups, until they are so many or all.
    fn see(&mut self, many: usize) {
        let Some((groups, near)) = &mut self.groups else {
            return;
        };
        while self.keys.len() < many {
            let Some(group) = near.next() else {
                break;
            };
            let group = Which::Some(groups.list(group));
            measure(
                self.isa,
                &self.centres.codes,
                self.asked,
                group,
                &mut self.keys,
            );
        }
    }
}

impl Iterator for NearestFirst<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // Few lists are opened, so that few are put in order.
        if self.at == self.ordered {
            // More than were told, so that it ends only with the last group.
            self.see(SEEN + self.ordered * SEEN_MORE);
            let left = &mut self.keys[self.ordered..];
            let more = (self.ordered + AT_ONCE).min(left.len());
            if more < left.len() {
                left.select_nth_unstable(more);
            }
            left[..more].sort_unstable();
            self.ordered += more;
        }
        let key = *self.keys.get(self.at)?;
        self.at += 1;
        Some(key as u32)
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

/// Which rows of codes.
#[derive(Clone, Copy)]
enum Which<'a> {
    All,
    Some(&'a [u32]),
}

/// Adds of each of these rows of `codes` its rough distance, and below it the row.
fn measure(isa: Isa, codes: &Codes, asked: &Asked, rows: Which<'_>, out: &mut Vec<u64>) {
    assert!(asked.fits(codes), "asked of other codes");
    // SAFETY: an `Isa` is only ever made where the machine has it.
    unsafe {
        match isa.0 {
            Set::Portable => each::<crate::kernel::Portable>(codes, asked, rows, out),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => each_avx2(codes, asked, rows, out),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => each_avx512(codes, asked, rows, out),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => each::<crate::kernel::Neon>(codes, asked, rows, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn each_avx2(codes: &Codes, asked: &Asked, rows: Which<'_>, out: &mut Vec<u64>) {
    // SAFETY: the function itself needs the instructions, and `measure` looked at the lengths.
    unsafe { each::<crate::kernel::Avx2>(codes, asked, rows, out) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn each_avx512(codes: &Codes, asked: &Asked, rows: Which<'_>, out: &mut Vec<u64>) {
    // SAFETY: the function itself needs the instructions, and `measure` looked at the lengths.
    unsafe { each::<crate::kernel::Avx512>(codes, asked, rows, out) }
}

/// # Safety
/// The machine has `K`'s instructions, and `asked` fits `codes`.
#[inline(always)]
unsafe fn each<K: Int8>(codes: &Codes, asked: &Asked, rows: Which<'_>, out: &mut Vec<u64>) {
    let bound = codes.rows() as u32;
    let key = |row: u32| {
        // SAFETY: the row is counted off, or looked at below; the rest the caller vouches for.
        let distance = unsafe { codes.roughly::<K>(row, asked) };
        u64::from(distance) << 32 | u64::from(row)
    };
    match rows {
        Which::All => out.extend((0..bound).map(key)),
        Which::Some(rows) => {
            assert!(rows.iter().all(|row| *row < bound), "no such row");
            out.extend(rows.iter().map(|row| key(*row)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::{
        codes::{pair, scale},
        segment::mean,
    };
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
        Lists::of(codes, DIM, Isa::best(), &AtomicBool::new(false)).unwrap()
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
        let lists = lists(&codes).of_members(two);
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
    fn groups_lead_to_the_nearest_centres() {
        let (codes, topics) = rows(3_000);
        let stop = AtomicBool::new(false);
        let every_other: Vec<u32> = (0..1_500).map(|n| 2 * n).collect();
        let centres = codes.in_order(&every_other).unwrap();
        let centres = Centres::new(centres, DIM, Isa::best(), &stop).unwrap();
        let groups = centres.groups.as_ref().unwrap();
        assert!(groups.holds_together(&all(1_500), 1_500));
        // Groups are many too here.
        let groups = groups.centres.groups.as_ref().unwrap();
        assert!(groups.holds_together(&all(116), 116));
        let near = centres
            .nearest(&codes, &all(3_000), Isa::best(), &stop)
            .unwrap();
        // A row that is a centre belongs to that, others to a near one; which is nearest, half of a code cannot tell.
        let nearer = |row: &usize| {
            let to = |c: usize| pair(Isa::best(), centres.codes.row(c), codes.row(*row));
            let own = to(near[*row] as usize);
            (0..1_500).filter(|c| to(*c) > own).count()
        };
        let among = |first, n| {
            let rows = (first..3_000).step_by(2);
            rows.filter(|row| nearer(row) < n).count()
        };
        assert!(among(0, 1) >= 1_490 && among(1, 10) >= 1_400);
        let (starts, members) = by_list(&all(3_000), &near, 1_500);
        let lists = Lists {
            centres,
            starts,
            members,
        };
        for isa in Isa::available() {
            for (t, topic) in topics.iter().enumerate() {
                let mut asked = Asked::default();
                codes.ask(topic, &mut asked);
                let told: Vec<&[u32]> = lists.nearest_first(isa, &asked).collect();
                let mut listed: Vec<u32> = told.iter().copied().flatten().copied().collect();
                let of_topic = |n: &&u32| **n as usize * TOPICS / 3_000 == t;
                assert!(listed[..150].iter().filter(of_topic).count() >= 140);
                // All lists are told in the end, each once.
                listed.sort_unstable();
                assert!(told.len() == 1_500 && listed == all(3_000));
            }
        }
    }

    #[test]
    fn near_lists_have_near_numbers() {
        let (codes, _) = rows(3_000);
        let stop = AtomicBool::new(false);
        // No two that follow each other are of one topic.
        let mixed: Vec<u32> = (0..1_500).map(|n| n * 701 % 1_500).collect();
        let centres = codes.in_order(&mixed).unwrap();
        let centres = Centres::new(centres, DIM, Isa::best(), &stop).unwrap();
        let near = |c: &Centres| {
            let two = (0..1_499).map(|n| c.codes.pair(Isa::best(), n, n + 1));
            two.map(i64::from).sum::<i64>()
        };
        let before = near(&centres);
        let centres = centres.in_order(DIM, Isa::best(), &stop).unwrap();
        assert!(near(&centres) > 4 * before.abs());
        let sorted = |c: &Codes| {
            let mut rows: Vec<Vec<u8>> = (0..1_500).map(|n| c.row(n).to_vec()).collect();
            rows.sort_unstable();
            rows
        };
        assert!(sorted(&centres.codes) == sorted(&codes.in_order(&mixed).unwrap()));
        // So they come out of `of`.
        let lists = lists(&codes);
        let topic = |l: usize| {
            let of_list = lists.list(l as u32).iter();
            of_list.map(|n| *n as usize * TOPICS / 3_000).min()
        };
        let changes = (1..lists.len()).filter(|l| topic(*l) != topic(l - 1));
        assert!(changes.count() < 3 * TOPICS);
    }

    #[test]
    fn a_walk_begins_near_what_is_asked() {
        let (codes, topics) = rows(20_000);
        let lists = lists(&codes);
        for isa in Isa::available() {
            for (t, topic) in topics.iter().enumerate() {
                let mut asked = Asked::default();
                codes.ask(topic, &mut asked);
                let begin: Vec<u32> = lists.begin(isa, &asked).collect();
                let of_topic = |n: &u32| *n as usize * TOPICS / 20_000 == t;
                assert!(begin.len() == BEGIN && begin.iter().all(of_topic));
            }
        }
        // Few lists are in no groups.
        let (few, _) = rows(300);
        let mut asked = Asked::default();
        few.ask_row(7, &mut asked);
        let lists = Lists::of(&few, DIM, Isa::best(), &AtomicBool::new(false)).unwrap();
        assert_eq!(lists.begin(Isa::best(), &asked).count(), 0);
    }

    #[test]
    fn instructions_and_threads_change_nothing() {
        let (codes, _) = rows(20_000);
        let same = |a: &Lists, b: &Lists| {
            a.centres.codes.bytes() == b.centres.codes.bytes()
                && (&a.starts, &a.members) == (&b.starts, &b.members)
        };
        let one = lists(&codes);
        for isa in Isa::available() {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(4);
            let of = || Lists::of(&codes, DIM, isa, &AtomicBool::new(false)).unwrap();
            let four = pool.build().unwrap().install(of);
            assert!(same(&one, &four), "{isa:?}");
        }
    }

    #[test]
    fn how_many_centres_are_compared_is_about_known() {
        let (codes, topics) = rows(20_000);
        let lists = lists(&codes);
        for (t, opened) in [(3, 1), (5, 20), (7, 60), (9, 150)] {
            let mut asked = Asked::default();
            codes.ask(&topics[t], &mut asked);
            let mut near = lists.centres.nearest_first(Isa::best(), &asked);
            let of_lists = near.by_ref().take(opened);
            let members: usize = of_lists.map(|l| lists.list(l).len()).sum();
            let (_, groups) = near.groups.as_ref().unwrap();
            let compared = near.keys.len() + groups.keys.len();
            let thought = lists.compared(members);
            assert!(thought < 2 * compared && compared < 2 * thought, "{opened}");
        }
    }

    #[test]
    fn centres_stand_among_those_they_were_learnt_from() {
        let (codes, _) = rows(3_000);
        let lists = lists(&codes);
        let own = |l: usize| -> Vec<i32> {
            let list = lists.starts[l] as usize..lists.starts[l + 1] as usize;
            let nodes = lists.members[list].iter();
            let centre: Vec<f32> = lists.centres.codes.values(l).collect();
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
        let stopped = Lists::of(&codes, DIM, Isa::best(), &AtomicBool::new(true));
        assert!(matches!(stopped, Err(BuildError::Stopped)));
    }
}
