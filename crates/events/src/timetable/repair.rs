//! A timetable that is being changed: insertions by alternating chains, ejections, and the search
//! that uses them.

use super::problem::{TimetableError, ValidTimetable};
use queqiao_domain::Bilingual;
use queqiao_solve::Stop;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

pub(crate) const NONE: u32 = u32::MAX;
/// Meetings moved by one chain at most.
const CHAIN: usize = 60;
/// Slots tried on either end of a chain: chance brings the others up another time.
const WIDE: usize = 8;
/// Rounds without a better timetable after which a search ends.
const IDLE: usize = 40;

/// Slot and site.
pub(crate) type Spot = (usize, usize);

/// A timetable under change. Every method keeps: one meeting per person and slot, windows, tables
/// per site and slot, travel, locks, limits per person.
#[derive(Clone)]
pub(crate) struct State<'a> {
    pub(crate) v: &'a ValidTimetable,
    /// `[people × slots]`.
    at: Vec<u32>,
    /// By meeting.
    pub(crate) spot: Vec<Option<Spot>>,
    /// `[sites][slots]`.
    load: Vec<Vec<u32>>,
    count: Vec<u32>,
    pub(crate) weight: f64,
}

impl<'a> State<'a> {
    pub(crate) fn empty(v: &'a ValidTimetable) -> Self {
        let p = &v.problem;
        Self {
            at: vec![NONE; p.people.len() * p.slots.len()],
            spot: vec![None; p.meetings.len()],
            load: vec![vec![0; p.slots.len()]; v.capacity.len()],
            count: vec![0; p.people.len()],
            weight: 0.0,
            v,
        }
    }

    /// The timetable that holds the locked meetings only.
    pub(crate) fn with_locks(v: &'a ValidTimetable) -> Result<Self, TimetableError> {
        let mut this = Self::empty(v);
        let p = &v.problem;
        let mut tables: std::collections::HashSet<(usize, usize)> = Default::default();
        for (m, q) in p.meetings.iter().enumerate() {
            let Some((slot, table)) = q.locked else {
                continue;
            };
            let (left, right) = (&p.people[q.left].id, &p.people[q.right].id);
            let fail = |why: Bilingual| {
                Err(TimetableError::Locked {
                    left: left.clone(),
                    right: right.clone(),
                    slot,
                    why,
                })
            };
            if let Some(who) = q.people().find(|i| !p.people[*i].open[slot]) {
                let id = &p.people[who].id;
                return fail(Bilingual::new(
                    format!("{id} is not there"),
                    format!("{id} 不在场"),
                ));
            }
            if let Some(who) = q.people().find(|i| this.held(*i, slot) != NONE) {
                let id = &p.people[who].id;
                return fail(Bilingual::new(
                    format!("{id} is locked in another meeting then"),
                    format!("{id} 届时已有锁定的会面"),
                ));
            }
            if let Some(t) = table {
                let (place, t) = (t, &p.tables[t]);
                if !t.open[slot] || q.site.is_some_and(|s| s != t.site) {
                    return fail(Bilingual::new(
                        format!("table {} cannot be used", t.id),
                        format!("桌位 {} 不可用", t.id),
                    ));
                }
                if !tables.insert((place, slot)) {
                    return fail(Bilingual::new(
                        format!("table {} holds another locked meeting", t.id),
                        format!("桌位 {} 已有锁定的会面", t.id),
                    ));
                }
            }
            let site = table.map(|t| p.tables[t].site).or(q.site);
            match this.site_for(m, slot, site) {
                Some(site) => this.put(m, (slot, site)),
                None => {
                    return fail(Bilingual::new(
                        "no table, no time to travel, or a person's limit",
                        "没有桌位、来不及转场，或超出本人场次上限",
                    ));
                }
            }
        }
        Ok(this)
    }

    pub(crate) fn held(&self, person: usize, slot: usize) -> u32 {
        self.at[person * self.v.problem.slots.len() + slot]
    }

    pub(crate) fn put(&mut self, m: usize, spot: Spot) {
        let slots = self.v.problem.slots.len();
        for i in self.v.problem.meetings[m].people() {
            self.at[i * slots + spot.0] = m as u32;
            self.count[i] += 1;
        }
        self.load[spot.1][spot.0] += 1;
        self.spot[m] = Some(spot);
        self.weight += self.v.weight(m);
    }

    pub(crate) fn take(&mut self, m: usize) -> Option<Spot> {
        let spot = self.spot[m].take()?;
        let slots = self.v.problem.slots.len();
        for i in self.v.problem.meetings[m].people() {
            self.at[i * slots + spot.0] = NONE;
            self.count[i] -= 1;
        }
        self.load[spot.1][spot.0] -= 1;
        self.weight -= self.v.weight(m);
        Some(spot)
    }

    fn is_open(&self, m: usize, slot: usize) -> bool {
        self.v.slots[m].binary_search(&slot).is_ok()
    }

    fn has_room(&self, m: usize) -> bool {
        let p = &self.v.problem;
        p.meetings[m]
            .people()
            .all(|i| p.people[i].most.is_none_or(|most| self.count[i] < most))
    }

    /// A site where the meeting can be held in a slot in which its people are free: with a table
    /// left, and in time from and to their other meetings. Of several the least crowded.
    fn site_for(&self, m: usize, slot: usize, only: Option<usize>) -> Option<usize> {
        let p = &self.v.problem;
        if !self.has_room(m) {
            return None;
        }
        let wanted = only.or(p.meetings[m].site);
        (0..self.v.capacity.len())
            .filter(|s| wanted.is_none_or(|w| w == *s))
            .filter(|s| self.load[*s][slot] < self.v.capacity[*s][slot])
            .filter(|s| self.in_time(m, slot, *s))
            .max_by_key(|s| {
                let left = self.v.capacity[*s][slot] - self.load[*s][slot];
                (self.neighbours(m, slot, *s), left, std::cmp::Reverse(*s))
            })
    }

    /// Meetings of the people right before and after that are at the same site.
    fn neighbours(&self, m: usize, slot: usize, site: usize) -> usize {
        if self.v.capacity.len() == 1 {
            return 0;
        }
        let p = &self.v.problem;
        p.meetings[m]
            .people()
            .flat_map(|i| {
                let before = slot.checked_sub(1).map(|s| self.held(i, s));
                let after = (slot + 1 < p.slots.len()).then(|| self.held(i, slot + 1));
                before.into_iter().chain(after)
            })
            .filter(|x| *x != NONE && self.spot[*x as usize].is_some_and(|s| s.1 == site))
            .count()
    }

    fn in_time(&self, m: usize, slot: usize, site: usize) -> bool {
        let p = &self.v.problem;
        if p.travel.len() < 2 {
            return true;
        }
        p.meetings[m].people().all(|i| {
            (0..p.slots.len()).all(|s| {
                let x = self.held(i, s);
                if x == NONE || s == slot || x as usize == m {
                    return true;
                }
                let there = self.spot[x as usize].map_or(site, |y| y.1);
                let (gap, minutes) = if s < slot {
                    (p.slots[slot].begin - p.slots[s].end, p.travel[there][site])
                } else {
                    (p.slots[s].begin - p.slots[slot].end, p.travel[site][there])
                };
                gap >= minutes
            })
        })
    }

    fn blockers(&self, m: usize, slot: usize) -> Vec<usize> {
        let mut out: Vec<usize> = self.v.problem.meetings[m]
            .people()
            .map(|i| self.held(i, slot))
            .filter(|x| *x != NONE)
            .map(|x| x as usize)
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Puts a meeting where everybody is free, the emptiest slot first.
    pub(crate) fn insert_directly(&mut self, m: usize) -> bool {
        let best = self.v.slots[m]
            .iter()
            .copied()
            .filter(|s| self.blockers(m, *s).is_empty())
            .filter_map(|s| Some((s, self.site_for(m, s, None)?)))
            .max_by_key(|(s, site)| {
                let left = self.v.capacity[*site][*s] - self.load[*site][*s];
                (left, std::cmp::Reverse(*s))
            });
        match best {
            Some(spot) => {
                self.put(m, spot);
                true
            }
            None => false,
        }
    }

    /// The alternating chain that frees `person` in slot `a` by moving meetings between `a` and `b`;
    /// none when a window, a lock or the length forbids it. The chain starts at a person who is free
    /// in `b`: else it would put somebody in two meetings.
    fn chain(&self, person: usize, a: usize, b: usize) -> Option<Vec<usize>> {
        if self.held(person, b) != NONE {
            return None;
        }
        let p = &self.v.problem;
        let (mut chain, mut at, mut slot) = (Vec::new(), person, a);
        loop {
            let x = self.held(at, slot);
            if x == NONE {
                return Some(chain);
            }
            let m = x as usize;
            let q = &p.meetings[m];
            let other = if slot == a { b } else { a };
            if q.locked.is_some()
                || !q.others.is_empty()
                || chain.len() >= CHAIN
                || !self.is_open(m, other)
            {
                return None;
            }
            chain.push(m);
            at = if q.left == at { q.right } else { q.left };
            slot = other;
        }
    }

    /// Moves meetings between two slots; undone when tables or travel forbid it.
    fn shift(&mut self, chain: &[usize], a: usize, b: usize) -> bool {
        let old: Vec<(usize, Spot)> = chain
            .iter()
            .filter_map(|m| Some((*m, self.take(*m)?)))
            .collect();
        let mut done = 0;
        for (m, spot) in &old {
            let to = if spot.0 == a { b } else { a };
            let free = self.blockers(*m, to).is_empty();
            match self.site_for(*m, to, None).filter(|_| free) {
                Some(site) => self.put(*m, (to, site)),
                None => break,
            }
            done += 1;
        }
        if done == old.len() {
            return true;
        }
        for (m, _) in &old[..done] {
            self.take(*m);
        }
        for (m, spot) in old {
            self.put(m, spot);
        }
        false
    }

    /// Puts a meeting in, moving others by one alternating chain, or one meeting out of a full slot.
    pub(crate) fn insert(&mut self, m: usize, rng: &mut ChaCha8Rng) -> bool {
        if !self.has_room(m) {
            return false;
        }
        if self.insert_directly(m) {
            return true;
        }
        let mut slots = self.v.slots[m].clone();
        slots.shuffle(rng);
        for a in slots.into_iter().take(WIDE) {
            let blocked: Vec<usize> = self.v.problem.meetings[m]
                .people()
                .filter(|i| self.held(*i, a) != NONE)
                .collect();
            match blocked[..] {
                // Only tables are missing, or time to travel: somebody else moves out.
                [] if self.make_room(a, rng) && self.place(m, a) => return true,
                [person] => {
                    let mut others: Vec<usize> = (0..self.v.problem.slots.len())
                        .filter(|b| *b != a && self.v.problem.people[person].open[*b])
                        .collect();
                    others.shuffle(rng);
                    for b in others.into_iter().take(WIDE) {
                        let Some(chain) = self.chain(person, a, b) else {
                            continue;
                        };
                        if !self.shift(&chain, a, b) {
                            continue;
                        }
                        if self.blockers(m, a).is_empty() && self.place(m, a) {
                            return true;
                        }
                        self.shift(&chain, a, b);
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Puts a meeting into a slot, at a site if one is named, when everybody is free and it fits.
    pub(crate) fn put_if_free(&mut self, m: usize, slot: usize, site: Option<usize>) -> bool {
        if !self.is_open(m, slot) || !self.blockers(m, slot).is_empty() {
            return false;
        }
        match self.site_for(m, slot, site) {
            Some(site) => {
                self.put(m, (slot, site));
                true
            }
            None => false,
        }
    }

    /// The one meeting that stands in the way of another in a slot; none when there are several, or
    /// when only tables are missing and nobody in particular is in the way.
    pub(crate) fn pushed_out(&self, m: usize, slot: usize) -> Option<usize> {
        match self.blockers(m, slot)[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    fn place(&mut self, m: usize, slot: usize) -> bool {
        match self.site_for(m, slot, None) {
            Some(site) => {
                self.put(m, (slot, site));
                true
            }
            None => false,
        }
    }

    /// Moves some meeting out of a slot whose tables are all taken.
    fn make_room(&mut self, slot: usize, rng: &mut ChaCha8Rng) -> bool {
        let full = (0..self.load.len()).all(|s| self.load[s][slot] >= self.v.capacity[s][slot]);
        if !full {
            return true;
        }
        let mut held: Vec<usize> = (0..self.spot.len())
            .filter(|m| self.spot[*m].is_some_and(|s| s.0 == slot))
            .filter(|m| self.v.problem.meetings[*m].locked.is_none())
            .collect();
        held.shuffle(rng);
        for m in held.into_iter().take(80) {
            let Some(old) = self.take(m) else { continue };
            let to = self.v.slots[m]
                .iter()
                .copied()
                .filter(|s| *s != slot && self.blockers(m, *s).is_empty())
                .find_map(|s| Some((s, self.site_for(m, s, None)?)));
            match to {
                Some(spot) => {
                    self.put(m, spot);
                    return true;
                }
                None => self.put(m, old),
            }
        }
        false
    }

    /// Puts a meeting in the place of cheaper ones, when that costs at most `loss`; those pushed out
    /// are put elsewhere where they fit.
    fn eject(&mut self, m: usize, loss: f64, rng: &mut ChaCha8Rng) -> bool {
        let p = &self.v.problem;
        let mut best: Option<(f64, usize, Vec<usize>)> = None;
        for a in &self.v.slots[m] {
            let mut out = self.blockers(m, *a);
            if out.iter().any(|x| p.meetings[*x].locked.is_some()) {
                continue;
            }
            if out.is_empty() {
                // The cheapest of the slot makes way.
                let cheapest = (0..self.spot.len())
                    .filter(|x| self.spot[*x].is_some_and(|s| s.0 == *a))
                    .filter(|x| p.meetings[*x].locked.is_none())
                    .min_by(|x, y| self.v.weight(*x).total_cmp(&self.v.weight(*y)));
                out.extend(cheapest);
            }
            let price: f64 = out.iter().map(|x| self.v.weight(*x)).sum::<f64>() - self.v.weight(m)
                + 1e-3 * self.v.largest * rng.random::<f64>();
            if best.as_ref().is_none_or(|b| price < b.0) {
                best = Some((price, *a, out));
            }
        }
        let Some((price, a, out)) = best else {
            return false;
        };
        if price > loss || !self.limits_allow(m, &out) {
            return false;
        }
        let old: Vec<(usize, Spot)> = out
            .iter()
            .filter_map(|x| Some((*x, self.take(*x)?)))
            .collect();
        if !self.blockers(m, a).is_empty() || !self.place(m, a) {
            for (x, spot) in old {
                self.put(x, spot);
            }
            return false;
        }
        for x in out {
            self.insert(x, rng);
        }
        true
    }

    fn limits_allow(&self, m: usize, out: &[usize]) -> bool {
        let p = &self.v.problem;
        p.meetings[m].people().all(|i| {
            let freed = out
                .iter()
                .filter(|x| p.meetings[**x].people().any(|k| k == i))
                .count() as u32;
            p.people[i]
                .most
                .is_none_or(|most| self.count[i] - freed.min(self.count[i]) < most)
        })
    }

    /// Meetings that are not held and could be.
    pub(crate) fn pending(&self) -> Vec<usize> {
        let mut out: Vec<usize> = (0..self.spot.len())
            .filter(|m| self.spot[*m].is_none() && !self.v.slots[*m].is_empty())
            .collect();
        out.sort_by(|a, b| {
            self.v
                .weight(*b)
                .total_cmp(&self.v.weight(*a))
                .then(a.cmp(b))
        });
        out
    }

    /// Rounds of insertion and ejection, a little loss allowed now and then; keeps the best. Ends
    /// early when the bound is reached.
    pub(crate) fn search(&mut self, rounds: usize, seed: u64, bound: f64, stop: &Stop) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut best = (self.weight, self.spot.clone());
        let reached = |w: f64| w >= bound - 1e-9 * bound.abs().max(1.0);
        let mut idle = 0;
        for round in 0..rounds {
            if stop.now() || reached(best.0) || idle > IDLE {
                break;
            }
            for m in self.pending() {
                if stop.now() {
                    break;
                }
                self.insert(m, &mut rng);
            }
            // Loss allowed falls to nothing, in waves.
            let heat = 1.0 - (round % 12) as f64 / 12.0;
            let loss = 0.15 * heat * heat * self.v.largest;
            let mut pending = self.pending();
            pending.shuffle(&mut rng);
            for m in pending.into_iter().take(60) {
                if self.spot[m].is_none() && !stop.now() {
                    let loss = if rng.random_bool(0.3) { loss } else { 0.0 };
                    self.eject(m, loss, &mut rng);
                }
            }
            idle += 1;
            if self.weight > best.0 + 1e-9 {
                best = (self.weight, self.spot.clone());
                idle = 0;
            } else if round % 12 == 11 {
                self.restore(&best.1);
            }
        }
        self.restore(&best.1);
        for m in self.pending() {
            self.insert(m, &mut rng);
        }
    }

    pub(crate) fn restore(&mut self, spots: &[Option<Spot>]) {
        *self = State::empty(self.v);
        for (m, spot) in spots.iter().enumerate() {
            if let Some(s) = spot {
                self.put(m, *s);
            }
        }
    }
}
