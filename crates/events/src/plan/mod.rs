//! The plan of an event: shortlists, then a timetable of the meetings that they ask for.

mod change;
mod figures;
mod problem;
mod reserve;
mod words;

pub use change::{Change, ChangeKind, Earlier, Spot};
pub use figures::Figures;
pub use reserve::Reserve;
pub use words::Missing;

use crate::{
    event::Event,
    roundtable::RoundtableError,
    shortlist::{Objective, ShortlistError, ShortlistParams, Shortlists, ValidShortlists},
    timetable::{Place, Timetable, TimetableError, TimetableParams},
};
use problem::{Drawn, draw, kept, timetable};
use queqiao_domain::Bilingual;
use queqiao_solve::{Certificate, Stop};
use serde::Serialize;
use std::collections::BTreeSet;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The shortlists cannot be made.
    #[error(transparent)]
    Shortlist(#[from] ShortlistError),
    /// A meeting fixed by hand cannot be held.
    #[error("{0}")]
    Fixed(Bilingual),
    /// The timetable cannot be made.
    #[error(transparent)]
    Timetable(#[from] TimetableError),
    /// The roundtables cannot be filled.
    #[error(transparent)]
    Roundtables(#[from] RoundtableError),
}

impl PlanError {
    /// The reason in both languages.
    pub fn describe(&self) -> Bilingual {
        match self {
            PlanError::Fixed(text) => text.clone(),
            PlanError::Shortlist(e) => e.message(),
            PlanError::Timetable(e) => e.message(),
            PlanError::Roundtables(e) => e.message(),
        }
    }

    /// The proof that the wanted meetings cannot all be had, where that is the reason.
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            PlanError::Shortlist(ShortlistError::Impossible(c)) => Some(c),
            _ => None,
        }
    }
}

/// A meeting of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedMeeting {
    /// Need: place in [`Event::needs`].
    pub need: usize,
    /// Expert: place in [`Event::attendees`].
    pub expert: usize,
    /// Worth.
    pub worth: f64,
    /// Both sides wished it, one, or none: 2, 1, 0.
    pub wished: u8,
    /// Slot and table; none when it found no time.
    pub place: Option<Place>,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct EventPlan {
    /// Meetings of the shortlists, by need and worth.
    pub meetings: Vec<PlannedMeeting>,
    /// The shortlists, with bounds.
    pub lists: Shortlists,
    /// The timetable, with its bound.
    pub timetable: Timetable,
    /// By slot: whom to call when somebody does not come.
    pub reserves: Vec<Reserve>,
    /// Who was left out and why.
    pub missing: Vec<Missing>,
    /// Proofs of what could not be had.
    pub certificates: Vec<Certificate>,
    /// What changed, where this plan follows another.
    pub changes: Vec<Change>,
    drawn: Drawn,
    pairs: ValidShortlists,
}

/// Plans an event; scores that the event does not give stand in `scores` (need, expert, score).
///
/// # Errors
/// See [`PlanError`]; wanted meetings that cannot be had at all come as a certificate there.
pub fn plan(
    event: &Event,
    scores: &[(usize, usize, f64)],
    stop: &Stop,
) -> Result<EventPlan, PlanError> {
    make(event, scores, None, stop)
}

/// Plans an event that was planned before. Meetings that were told to people stay on the lists as
/// long as the limits let them, in their slot as long as they can, and new ones only fill what is
/// left.
///
/// # Errors
/// See [`PlanError`].
pub fn replan(
    event: &Event,
    scores: &[(usize, usize, f64)],
    before: &[Earlier],
    stop: &Stop,
) -> Result<EventPlan, PlanError> {
    make(event, scores, Some(before), stop)
}

fn make(
    event: &Event,
    scores: &[(usize, usize, f64)],
    before: Option<&[Earlier]>,
    stop: &Stop,
) -> Result<EventPlan, PlanError> {
    let before = before.map(|b| change::find(event, b));
    let before = before.as_deref();
    let drawn = draw(event, scores, before.unwrap_or(&[]));
    let mut asked = drawn.problem.clone();
    let mut bound = None;
    if let Some(before) = before {
        bound = Some(
            asked
                .clone()
                .check()?
                .solve(&params(Objective::Total, 0), stop)?,
        );
        let mut wanted: BTreeSet<(usize, usize)> = asked.wanted.iter().copied().collect();
        wanted.extend(kept(&drawn, before, stop)?);
        asked.wanted = wanted.into_iter().collect();
    }
    let pairs = asked.check()?;
    let mut lists = pairs.solve(&params(event.rules.objective, event.rules.seed), stop)?;
    if let Some(free) = bound {
        // Beside the lists stands what any lists could reach, not only those that keep the old.
        lists.total_bound = free.total_bound.max(lists.total_bound);
    }
    let mut meetings = chosen(&drawn, &pairs, &lists);
    let table = timetable(event, &drawn, &meetings)
        .check()
        .map_err(|e| fixed(event, e))?;
    let params = TimetableParams {
        seed: event.rules.seed,
        ..TimetableParams::default()
    };
    let timetable = match before {
        None => table.solve(&params, stop)?,
        Some(before) => {
            let old = change::places(event, &meetings, before);
            table.replan(&old, &params, stop)?.0
        }
    };
    for (m, place) in meetings.iter_mut().zip(&timetable.places) {
        m.place = *place;
    }
    let mut certificates: Vec<Certificate> = lists.certificate.iter().cloned().collect();
    if !timetable.missed.is_empty() {
        certificates.extend(table.certificate(stop));
    }
    let reserves = reserve::reserves(event, &drawn, &meetings, &table, &timetable);
    let missing = words::missing(event, &drawn, &meetings, &lists, &table);
    let changes = before.map_or(Vec::new(), |b| change::changes(event, &drawn, &meetings, b));
    Ok(EventPlan {
        meetings,
        lists,
        timetable,
        reserves,
        missing,
        certificates,
        changes,
        drawn,
        pairs,
    })
}

fn params(objective: Objective, seed: u64) -> ShortlistParams {
    ShortlistParams {
        objective,
        seed,
        ..ShortlistParams::default()
    }
}

fn fixed(event: &Event, e: TimetableError) -> PlanError {
    match e {
        TimetableError::Locked {
            left,
            right,
            slot,
            why,
        } => {
            let at = event
                .slots
                .get(slot)
                .map_or(String::new(), |s| event.clock(s.0));
            PlanError::Fixed(Bilingual::new(
                format!(
                    "the meeting of {left} and {right} fixed at {at} cannot be held: {}; fix it at another time or not at all",
                    why.en
                ),
                format!(
                    "锁定在 {at} 的会面（{left} 与 {right}）无法安排：{}；请改时间或取消锁定",
                    why.zh
                ),
            ))
        }
        other => PlanError::Timetable(other),
    }
}

fn chosen(drawn: &Drawn, pairs: &ValidShortlists, lists: &Shortlists) -> Vec<PlannedMeeting> {
    let mut out: Vec<PlannedMeeting> = lists
        .chosen
        .iter()
        .map(|c| {
            let q = &pairs.problem().pairs[*c];
            let (need, expert) = (q.need, drawn.experts[q.expert]);
            PlannedMeeting {
                need,
                expert,
                worth: q.worth,
                wished: drawn
                    .wished
                    .get(&(need, expert))
                    .map_or(0, |w| u8::from(w.asks > 0.0) + u8::from(w.answers > 0.0)),
                place: None,
            }
        })
        .collect();
    out.sort_by(|a, b| {
        a.need
            .cmp(&b.need)
            .then(b.worth.total_cmp(&a.worth))
            .then(a.expert.cmp(&b.expert))
    });
    out
}

impl EventPlan {
    /// Meetings that are held.
    pub fn held(&self) -> impl Iterator<Item = (usize, &PlannedMeeting, Place)> {
        self.meetings
            .iter()
            .enumerate()
            .filter_map(|(i, m)| Some((i, m, m.place?)))
    }
}
