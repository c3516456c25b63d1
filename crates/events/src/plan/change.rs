//! What a plan changes against the one that was handed out.

use super::{PlannedMeeting, problem::Drawn};
use crate::{event::Event, timetable::Place};
use queqiao_domain::Bilingual;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A meeting of a plan before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The need's id.
    pub need: String,
    /// The expert's id.
    pub expert: String,
    /// When and where it was.
    pub spot: Spot,
}

/// When and where a meeting is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// Begin: minutes from the first day's midnight.
    pub begin: i64,
    /// Name of the table.
    pub table: String,
}

/// What became of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is not held.
    Dropped,
    /// It is held at another time.
    Moved,
    /// It is held at the same time at another table.
    Reseated,
    /// It was not held before.
    New,
}

/// A difference between two plans; a meeting without one stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// The need's id.
    pub need: String,
    /// The expert's id.
    pub expert: String,
    /// Where it was.
    pub from: Option<Spot>,
    /// Where it is.
    pub to: Option<Spot>,
    /// Why.
    pub why: Bilingual,
}

/// A meeting of before with its need and attendee, if the event still has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) old: &'a Earlier,
    pub(super) pair: Option<(usize, usize)>,
}

pub(super) fn find<'a>(event: &Event, before: &'a [Earlier]) -> Vec<Found<'a>> {
    let needs: BTreeMap<&str, usize> = event
        .needs
        .iter()
        .enumerate()
        .map(|(i, n)| (n.id.as_str(), i))
        .collect();
    let people: BTreeMap<&str, usize> = event
        .attendees
        .iter()
        .enumerate()
        .map(|(i, a)| (a.profile.id.as_str(), i))
        .collect();
    let place = |old: &Earlier| {
        Some((
            *needs.get(old.need.as_str())?,
            *people.get(old.expert.as_str())?,
        ))
    };
    before
        .iter()
        .map(|old| Found {
            old,
            pair: place(old),
        })
        .collect()
}

/// By meeting of the lists: the place it had.
pub(super) fn places(
    event: &Event,
    meetings: &[PlannedMeeting],
    before: &[Found<'_>],
) -> Vec<Option<Place>> {
    let known: BTreeMap<(usize, usize), &Spot> = before
        .iter()
        .filter_map(|f| Some((f.pair?, &f.old.spot)))
        .collect();
    meetings
        .iter()
        .map(|m| {
            let old = known.get(&(m.need, m.expert))?;
            Some(Place {
                slot: event.slots.iter().position(|s| s.0 == old.begin)?,
                // A table that is gone still tells the slot.
                table: event
                    .tables
                    .iter()
                    .position(|t| t.name == old.table)
                    .unwrap_or(0),
            })
        })
        .collect()
}

/// Every difference: dropped, moved, reseated, new, each by time.
pub(super) fn changes(
    event: &Event,
    drawn: &Drawn,
    meetings: &[PlannedMeeting],
    before: &[Found<'_>],
) -> Vec<Change> {
    let held: BTreeMap<(usize, usize), Spot> = meetings
        .iter()
        .filter_map(|m| {
            let x = m.place?;
            let spot = Spot {
                begin: event.slots[x.slot].0,
                table: event.tables[x.table].name.clone(),
            };
            Some(((m.need, m.expert), spot))
        })
        .collect();
    let mut known = BTreeSet::new();
    let mut out = Vec::new();
    for Found { old, pair } in before {
        known.extend(*pair);
        let now = pair.and_then(|k| held.get(&k));
        let kind = match now {
            None => ChangeKind::Dropped,
            Some(spot) if spot.begin != old.spot.begin => ChangeKind::Moved,
            Some(spot) if spot.table != old.spot.table => ChangeKind::Reseated,
            Some(_) => continue,
        };
        out.push(Change {
            kind,
            need: old.need.clone(),
            expert: old.expert.clone(),
            from: Some(old.spot.clone()),
            to: now.cloned(),
            why: why(event, drawn, old, *pair, kind),
        });
    }
    for ((n, e), spot) in &held {
        if !known.contains(&(*n, *e)) {
            out.push(Change {
                kind: ChangeKind::New,
                need: event.needs[*n].id.clone(),
                expert: event.attendees[*e].profile.id.clone(),
                from: None,
                to: Some(spot.clone()),
                why: Bilingual::new("takes a place that is free", "补入空出的席位"),
            });
        }
    }
    let when = |c: &Change| c.from.as_ref().or(c.to.as_ref()).map_or(0, |s| s.begin);
    out.sort_by(|a, b| {
        (a.kind, when(a), &a.need, &a.expert).cmp(&(b.kind, when(b), &b.need, &b.expert))
    });
    out
}

fn why(
    event: &Event,
    drawn: &Drawn,
    old: &Earlier,
    pair: Option<(usize, usize)>,
    kind: ChangeKind,
) -> Bilingual {
    let Some((need, expert)) = pair else {
        return Bilingual::new(
            "the need or the expert is no longer part of the event",
            "需求或专家已不在活动中",
        );
    };
    let asker = event.needs[need].attendee;
    let name = |i: usize| &event.attendees[i].profile.name;
    let both = [asker, expert];
    if let Some(who) = both.iter().find(|i| event.attendees[**i].cancelled) {
        return Bilingual::new(
            format!("{} does not come", name(*who)),
            format!("{} 取消参会", name(*who)),
        );
    }
    if let Some(bar) = event.bar(need, expert) {
        return Bilingual::new(
            format!("they may not meet: {}", bar.en),
            format!("须回避：{}", bar.zh),
        );
    }
    if drawn.wished.get(&(need, expert)).is_some_and(|w| w.refused) {
        return Bilingual::new("one of them no longer wants to", "一方不愿会面");
    }
    let Some(slot) = event.slots.iter().position(|s| s.0 == old.spot.begin) else {
        return Bilingual::new("that slot is no longer held", "该时段已取消");
    };
    if let Some(who) = both.iter().find(|i| !event.free(**i)[slot]) {
        return Bilingual::new(
            format!("{} is not there then", name(*who)),
            format!("{} 届时不在场", name(*who)),
        );
    }
    let table = event.tables.iter().find(|t| t.name == old.spot.table);
    if table.is_none_or(|t| t.lost_from.is_some_and(|l| event.slots[slot].1 > l)) {
        return Bilingual::new(
            format!("table {} cannot be used then", old.spot.table),
            format!("桌位 {} 届时不可用", old.spot.table),
        );
    }
    match kind {
        ChangeKind::Dropped => Bilingual::new(
            "the limits leave no room for it",
            "场次或席位上限不再容纳此会面",
        ),
        _ => Bilingual::new("makes room for another meeting", "为其他会面腾出位置"),
    }
}
