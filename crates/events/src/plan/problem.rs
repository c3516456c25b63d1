//! An event as a problem of shortlists, and its lists as a problem of a timetable.

use super::{PlanError, PlannedMeeting, change::Found, params};
use crate::{
    event::{Event, Side, WishKind},
    shortlist::{Objective, Pair, Party, ShortlistProblem},
    timetable::{Meeting, Person, Slot, Table, TimetableProblem},
};
use queqiao_solve::Stop;
use std::collections::{BTreeMap, BTreeSet};

/// What a wish adds to a score at most, per side.
const WISH: f64 = 0.25;
/// Pairs without a score and with a wish start from here.
const UNSCORED: f64 = 0.2;
/// A pair is worth at least this: no meeting is worth nothing.
const LEAST: f64 = 0.01;

/// What both sides wish of a pair.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Wished {
    pub(super) asks: f64,
    pub(super) answers: f64,
    pub(super) must: bool,
    pub(super) refused: bool,
}

/// An event's shortlists as they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    pub(super) problem: ShortlistProblem,
    /// Attendee by place of an expert in the problem.
    pub(super) experts: Vec<usize>,
    /// Place of an expert in the problem by attendee.
    pub(super) place: BTreeMap<usize, usize>,
    /// By need and attendee.
    pub(super) wished: BTreeMap<(usize, usize), Wished>,
}

/// Wishes by need and expert.
fn wishes(event: &Event) -> BTreeMap<(usize, usize), Wished> {
    let mut needs_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, need) in event.needs.iter().enumerate() {
        needs_of.entry(need.attendee).or_default().push(n);
    }
    let mut out: BTreeMap<(usize, usize), Wished> = BTreeMap::new();
    for w in &event.wishes {
        let asks = event.attendees[w.from].side == Side::Asks;
        let (asker, expert) = if asks { (w.from, w.to) } else { (w.to, w.from) };
        for n in needs_of.get(&asker).into_iter().flatten() {
            if w.need.is_some_and(|x| x != *n) {
                continue;
            }
            let entry = out.entry((*n, expert)).or_default();
            let side = if asks {
                &mut entry.asks
            } else {
                &mut entry.answers
            };
            match w.kind {
                WishKind::Must => {
                    *side = side.max(1.0);
                    entry.must = true;
                }
                WishKind::Refuses => entry.refused = true,
                WishKind::Wants(much) => *side = side.max(much),
            }
        }
    }
    out
}

/// Draws up the shortlists' problem. Pairs of an earlier plan are candidates as well.
pub(super) fn draw(event: &Event, scores: &[(usize, usize, f64)], before: &[Found<'_>]) -> Drawn {
    let experts = event.experts();
    let place: BTreeMap<usize, usize> = experts.iter().enumerate().map(|(j, e)| (*e, j)).collect();
    let mut worth: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    // What the organiser gives comes before what the engine finds.
    for (n, e, s) in scores.iter().chain(&event.scores) {
        worth.insert((*n, *e), s.clamp(0.0, 1.0));
    }
    worth.retain(|_, s| *s > 0.0 && *s >= event.rules.least_score);
    let wished = wishes(event);
    for ((n, e), w) in &wished {
        *worth.entry((*n, *e)).or_insert(UNSCORED) += WISH * (w.asks + w.answers);
    }
    let fixed = event.fixed.iter().map(|f| (f.need, f.expert));
    let old = before.iter().filter_map(|b| b.pair);
    for pair in fixed.clone().chain(old) {
        worth.entry(pair).or_insert(UNSCORED);
    }
    let comes = |n: usize| !event.attendees[event.needs[n].attendee].cancelled;
    let musts = wished.iter().filter(|(_, w)| w.must).map(|(k, _)| *k);
    let wanted: BTreeSet<(usize, usize)> = musts
        .chain(fixed)
        .filter(|(n, _)| comes(*n))
        .filter_map(|(n, e)| Some((n, *place.get(&e)?)))
        .collect();
    let named: BTreeSet<(usize, usize)> = event
        .bars
        .iter()
        .flat_map(|b| [(b.a, b.b), (b.b, b.a)])
        .collect();
    let barred = |n: usize, e: usize| {
        named.contains(&(event.needs[n].attendee, e))
            || wished.get(&(n, e)).is_some_and(|w| w.refused)
            || event.conflict(n, e).is_some()
    };
    let (needs, need_groups) = askers(event);
    let problem = ShortlistProblem {
        needs,
        experts: experts.iter().map(|e| answerer(event, *e)).collect(),
        need_groups,
        expert_groups: Vec::new(),
        wanted: wanted.into_iter().collect(),
        barred: worth
            .keys()
            .filter(|k| barred(k.0, k.1))
            .filter_map(|(n, e)| Some((*n, *place.get(e)?)))
            .collect(),
        pairs: worth
            .iter()
            .filter_map(|((n, e), w)| {
                let worth = w.max(LEAST) * event.needs[*n].priority;
                Some(Pair {
                    need: *n,
                    expert: *place.get(e)?,
                    worth,
                    back: worth,
                })
            })
            .collect(),
    };
    Drawn {
        problem,
        experts,
        place,
        wished,
    }
}

/// Nobody has more meetings than slots in which they are there.
fn slots(event: &Event, attendee: usize) -> u32 {
    event.free(attendee).iter().filter(|o| **o).count() as u32
}

/// Needs, and the enterprises behind them as groups.
fn askers(event: &Event) -> (Vec<Party>, Vec<u32>) {
    let mut groups: Vec<u32> = Vec::new();
    let mut group_of: BTreeMap<usize, usize> = BTreeMap::new();
    let needs = event
        .needs
        .iter()
        .map(|n| {
            let a = &event.attendees[n.attendee];
            let group = *group_of.entry(n.attendee).or_insert_with(|| {
                groups.push(a.most.unwrap_or(u32::MAX).min(slots(event, n.attendee)));
                groups.len() - 1
            });
            let most = if a.cancelled {
                0
            } else {
                n.experts.unwrap_or(event.rules.experts_per_need)
            };
            Party {
                id: n.id.clone(),
                most,
                least: most.min(1),
                group: Some(group),
            }
        })
        .collect();
    (needs, groups)
}

fn answerer(event: &Event, e: usize) -> Party {
    let a = &event.attendees[e];
    let most = a
        .most
        .unwrap_or(event.rules.meetings_per_expert)
        .min(slots(event, e))
        .min(
            event
                .rules
                .most_across
                .map_or(u32::MAX, |m| m.saturating_sub(a.elsewhere)),
        );
    Party {
        id: a.profile.id.clone(),
        most,
        least: event.rules.least_per_expert.min(most),
        group: None,
    }
}

/// Pairs of an earlier plan that stay on the lists: as many as the limits of now hold beside what
/// is wanted now.
pub(super) fn kept(
    drawn: &Drawn,
    before: &[Found<'_>],
    stop: &Stop,
) -> Result<Vec<(usize, usize)>, PlanError> {
    let old: BTreeSet<(usize, usize)> = before
        .iter()
        .filter_map(|b| b.pair)
        .filter_map(|(n, e)| Some((n, *drawn.place.get(&e)?)))
        .collect();
    let wanted: BTreeSet<(usize, usize)> = drawn.problem.wanted.iter().copied().collect();
    let mut only = drawn.problem.clone();
    only.pairs
        .retain(|q| old.contains(&(q.need, q.expert)) || wanted.contains(&(q.need, q.expert)));
    for p in only.needs.iter_mut().chain(&mut only.experts) {
        p.least = 0;
    }
    let valid = only.check()?;
    let lists = valid.solve(&params(Objective::CoverFirst, 0), stop)?;
    Ok(lists
        .chosen
        .iter()
        .map(|c| &valid.problem().pairs[*c])
        .map(|q| (q.need, q.expert))
        .collect())
}

/// The lists' meetings as a problem of a timetable.
pub(super) fn timetable(
    event: &Event,
    drawn: &Drawn,
    meetings: &[PlannedMeeting],
) -> TimetableProblem {
    let fixed: BTreeMap<(usize, usize), (usize, Option<usize>)> = event
        .fixed
        .iter()
        .filter_map(|f| {
            let slot = event.slots.iter().position(|s| s.0 == f.begin)?;
            Some(((f.need, f.expert), (slot, f.table)))
        })
        .collect();
    TimetableProblem {
        slots: event
            .slots
            .iter()
            .map(|(begin, end)| Slot {
                begin: *begin,
                end: *end,
            })
            .collect(),
        people: (0..event.attendees.len())
            .map(|i| Person {
                id: event.attendees[i].profile.id.clone(),
                open: event.free(i),
                most: None,
            })
            .collect(),
        tables: event
            .tables
            .iter()
            .map(|t| Table {
                id: t.name.clone(),
                site: t.site,
                open: event
                    .slots
                    .iter()
                    .map(|s| t.lost_from.is_none_or(|l| s.1 <= l))
                    .collect(),
            })
            .collect(),
        travel: event.travel.clone(),
        meetings: meetings
            .iter()
            .map(|m| Meeting {
                left: event.needs[m.need].attendee,
                right: m.expert,
                others: Vec::new(),
                worth: m.worth,
                must: drawn
                    .wished
                    .get(&(m.need, m.expert))
                    .is_some_and(|w| w.must),
                site: None,
                locked: fixed.get(&(m.need, m.expert)).copied(),
            })
            .collect(),
    }
}
