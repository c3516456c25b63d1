//! Timetables: meetings into slots and onto tables.
//!
//! Where everybody is always there the answer is exact: a flow chooses, König's colouring places.
//! With windows, travel, locks and limits a priced relaxation gives a bound and starts, alternating
//! chains and ejections do the rest; the bound always stands beside the answer.

mod certify;
mod flow;
mod koenig;
mod prices;
mod problem;
mod repair;
mod replan;
mod standby;
mod tables;

pub use problem::{
    Meeting, Person, Place, Slot, Table, TimetableError, TimetableParams, TimetableProblem,
    ValidTimetable,
};
pub use replan::Moved;
pub use standby::Standby;

use queqiao_solve::Stop;
use repair::State;
use serde::Serialize;

/// Subgradient steps of the bound.
const STEPS: usize = 200;

/// A timetable with its bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timetable {
    /// By meeting: when and where; none when it is not held.
    pub places: Vec<Option<Place>>,
    /// Worth of the meetings held.
    pub worth: f64,
    /// Meetings held.
    pub held: usize,
    /// Worth of all meetings asked for.
    pub asked: f64,
    /// What counts: worth, and much more for each must.
    pub value: f64,
    /// No timetable has a greater value.
    pub bound: f64,
    /// No timetable that holds as many musts is worth more.
    pub worth_bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
    /// Musts that are not held: places of meetings.
    pub missed: Vec<usize>,
    /// False when the computation was stopped early.
    pub finished: bool,
}

impl ValidTimetable {
    /// Makes the timetable.
    ///
    /// # Errors
    /// [`TimetableError::Flow`] when it is too large for exact arithmetic.
    pub fn solve(
        &self,
        params: &TimetableParams,
        stop: &Stop,
    ) -> Result<Timetable, TimetableError> {
        let first = flow::choose(self, stop)?;
        let mut state = State::with_locks(self)?;
        if self.is_plain() {
            for (m, slot) in koenig::colour(self, &first.chosen) {
                if slot < self.problem.slots.len() {
                    state.put(m, (slot, 0));
                }
            }
            let places = tables::seat(self, &state.spot);
            let held = state.weight;
            // Nothing beats the flow, and all it chose is held.
            let bound = if stop.now() {
                first.bound
            } else {
                first.bound.min(held)
            };
            return Ok(self.timetable(&state, places, bound.max(held), !stop.now()));
        }
        let locks = state.clone();
        for m in state.pending() {
            if stop.now() {
                break;
            }
            state.insert_directly(m);
        }
        let so_far = |state: &State<'_>, bound: f64| {
            let places = tables::seat(self, &state.spot);
            Ok(self.timetable(state, places, bound, false))
        };
        if stop.now() {
            return so_far(&state, first.bound);
        }
        let priced = prices::price(self, STEPS, state.weight, first, stop)?;
        if stop.now() {
            return so_far(&state, priced.bound);
        }
        let mut best = state;
        best.search(params.rounds / 8, params.seed, priced.bound, stop);
        // What the prices suggest, mended; then the better of the two worked on.
        let mut trial = locks;
        for (m, slot) in &priced.start {
            if trial.spot[*m].is_none() {
                trial.put_if_free(*m, *slot, None);
            }
        }
        trial.search(
            params.rounds / 4,
            params.seed.wrapping_add(1),
            priced.bound,
            stop,
        );
        if trial.weight > best.weight + 1e-9 {
            best = trial;
        }
        if stop.now() {
            return so_far(&best, priced.bound);
        }
        // With a better timetable at hand the steps aim better.
        let known = flow::Choice {
            chosen: Vec::new(),
            bound: priced.bound,
            price: priced.price,
        };
        let priced = prices::price(self, STEPS, best.weight, known, stop)?;
        best.search(
            params.rounds,
            params.seed.wrapping_add(2),
            priced.bound,
            stop,
        );
        let places = tables::seat(self, &best.spot);
        Ok(self.timetable(&best, places, priced.bound, !stop.now()))
    }

    fn timetable(
        &self,
        state: &State<'_>,
        places: Vec<Option<Place>>,
        bound: f64,
        finished: bool,
    ) -> Timetable {
        let p = &self.problem;
        let held = |m: &usize| places[*m].is_some();
        let all = 0..p.meetings.len();
        let worth: f64 = all.clone().filter(held).map(|m| p.meetings[m].worth).sum();
        let musts = all
            .clone()
            .filter(|m| p.meetings[*m].must && held(m))
            .count() as f64;
        let bound = bound.max(state.weight);
        let asked: f64 = p.meetings.iter().map(|m| m.worth).sum();
        Timetable {
            held: all.clone().filter(held).count(),
            worth,
            asked,
            value: state.weight,
            bound,
            worth_bound: (bound - musts * self.must_bonus()).min(asked).max(worth),
            proven: bound <= state.weight + 1e-6 * bound.abs().max(1.0),
            missed: all.filter(|m| p.meetings[*m].must && !held(m)).collect(),
            places,
            finished,
        }
    }
}
