//! One thing changed: a new timetable with as few moved meetings as possible.

use super::{
    Timetable,
    problem::{Place, TimetableError, TimetableParams, ValidTimetable},
    repair::{Spot, State},
};
use queqiao_solve::Stop;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::{HashSet, VecDeque};

/// What a change did to one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The meeting.
    pub meeting: usize,
    /// Where it was.
    pub from: Option<Place>,
    /// Where it is now; none when it could not be held.
    pub to: Option<Place>,
}

/// Chains tried per displaced meeting, and moved meetings per chain.
const TRIED: usize = 20_000;
const DEEP: usize = 4;

impl ValidTimetable {
    /// A timetable near `before` (by meeting; meetings that are new have none). Meetings that can
    /// stay do stay; those that cannot go where the fewest others have to move; new ones fill what
    /// is left without moving anybody. Gives the timetable, and every meeting whose slot changed,
    /// that is no longer held, or that is new.
    ///
    /// # Errors
    /// See [`TimetableError`].
    pub fn replan(
        &self,
        before: &[Option<Place>],
        params: &TimetableParams,
        stop: &Stop,
    ) -> Result<(Timetable, Vec<Moved>), TimetableError> {
        let p = &self.problem;
        let old = |m: usize| before.get(m).copied().flatten();
        let mut state = State::with_locks(self)?;
        // What was held and still can be stays, the weightiest first where tables were lost.
        let mut order: Vec<usize> = (0..p.meetings.len())
            .filter(|m| old(*m).is_some())
            .collect();
        order.sort_by(|a, b| self.weight(*b).total_cmp(&self.weight(*a)).then(a.cmp(b)));
        let mut displaced = Vec::new();
        for m in order {
            let Some(place) = old(m) else { continue };
            if state.spot[m].is_some() {
                continue;
            }
            if !state.return_to(m, place) {
                displaced.push(m);
            }
        }
        let mut rng = ChaCha8Rng::seed_from_u64(params.seed);
        for m in displaced {
            if stop.now() {
                break;
            }
            if !state.insert_by_fewest_moves(m) {
                state.insert(m, &mut rng);
            }
        }
        for m in state.pending() {
            state.insert_directly(m);
        }
        let kept: Vec<Option<Place>> = (0..p.meetings.len()).map(old).collect();
        let places = reseat(self, &state.spot, &kept);
        let mut moved = Vec::new();
        for m in 0..p.meetings.len() {
            let (from, to) = (kept[m], places[m]);
            if from.map(|x| x.slot) != to.map(|x| x.slot) || from.is_some() != to.is_some() {
                moved.push(Moved {
                    meeting: m,
                    from,
                    to,
                });
            }
        }
        let bound = super::flow::choose(self, stop)?.bound;
        let timetable = self.timetable(&state, places, bound, !stop.now());
        Ok((timetable, moved))
    }
}

/// Tables: where a meeting kept its slot it keeps its table, if that is still there.
fn reseat(
    v: &ValidTimetable,
    spots: &[Option<Spot>],
    before: &[Option<Place>],
) -> Vec<Option<Place>> {
    let mut held = v.clone();
    let mut used = HashSet::new();
    for m in &held.problem.meetings {
        if let Some((s, Some(t))) = m.locked {
            used.insert((s, t));
        }
    }
    for (m, q) in held.problem.meetings.iter_mut().enumerate() {
        let (Some(spot), Some(old)) = (spots[m], before[m]) else {
            continue;
        };
        let table = v.problem.tables.get(old.table);
        let same = old.slot == spot.0
            && table.is_some_and(|t| t.open[spot.0] && t.site == spot.1)
            && q.locked.is_none_or(|l| l.1.is_none());
        if same && used.insert((old.slot, old.table)) {
            q.locked = Some((old.slot, Some(old.table)));
        }
    }
    super::tables::seat(&held, spots)
}

impl State<'_> {
    /// Puts a meeting back where it was, if it can stay there.
    fn return_to(&mut self, m: usize, place: Place) -> bool {
        let p = &self.v.problem;
        let Some(table) = p.tables.get(place.table) else {
            return false;
        };
        if place.slot >= p.slots.len() {
            return false;
        }
        self.put_if_free(m, place.slot, Some(table.site)) || self.put_if_free(m, place.slot, None)
    }

    /// Breadth first over sets of moves: one meeting pushed out takes another's place, until one
    /// finds a free one. The first that works moves the fewest.
    fn insert_by_fewest_moves(&mut self, m: usize) -> bool {
        let mut queue: VecDeque<Vec<(usize, usize)>> = VecDeque::from([Vec::new()]);
        let mut tried = 0;
        while let Some(moves) = queue.pop_front() {
            // The meeting that has no place now: the asked one, or the last one pushed out.
            let mut trial = self.clone();
            let Some(homeless) = trial.play(m, &moves) else {
                continue;
            };
            if trial.insert_directly(homeless) {
                *self = trial;
                return true;
            }
            if moves.len() >= DEEP {
                continue;
            }
            for slot in &self.v.slots[homeless] {
                tried += 1;
                if tried > TRIED {
                    return false;
                }
                let mut next = moves.clone();
                next.push((homeless, *slot));
                queue.push_back(next);
            }
        }
        false
    }

    /// Plays pushes; gives who is without a place at the end.
    fn play(&mut self, m: usize, moves: &[(usize, usize)]) -> Option<usize> {
        let mut homeless = m;
        let mut done: HashSet<usize> = HashSet::from([m]);
        for (who, slot) in moves {
            if *who != homeless {
                return None;
            }
            let out = self.pushed_out(*who, *slot)?;
            if !done.insert(out) || self.v.problem.meetings[out].locked.is_some() {
                return None;
            }
            self.take(out)?;
            if !self.put_if_free(*who, *slot, None) {
                return None;
            }
            homeless = out;
        }
        Some(homeless)
    }
}
