//! The plan of an event to the wire.

use super::super::{
    count,
    plan::{write_certificate, write_left_out, write_text},
};
use super::input::ReadEvent;
use queqiao_engine::events::plan::{Change, ChangeKind, EventPlan, Spot};
use queqiao_proto::v1;

fn slot(read: &ReadEvent, slot: usize) -> v1::TimeSpan {
    let (begin, end) = read.event.slots[slot];
    v1::TimeSpan {
        begin: read.clock.write(begin),
        end: read.clock.write_end(end),
    }
}

/// The plan to the wire.
pub(crate) fn write_plan(read: &ReadEvent, plan: EventPlan) -> v1::EventPlan {
    let event = &read.event;
    let expert = |e: usize| event.attendees[e].profile.id.clone();
    let f = plan.figures(event);
    v1::EventPlan {
        figures: Some(v1::EventFigures {
            needs: count(f.needs),
            needs_met: count(f.needs_met),
            experts: count(f.experts),
            experts_met: count(f.experts_met),
            listed: count(f.listed),
            held: count(f.held),
            seats: count(f.seats),
            listed_worth: f.listed_worth,
            listed_bound: f.listed_bound,
            held_worth: f.held_worth,
            held_bound: f.held_bound,
            gini: f.gini,
            finished: f.finished,
        }),
        meetings: plan
            .meetings
            .iter()
            .map(|m| v1::PlannedMeeting {
                need: event.needs[m.need].id.clone(),
                expert: expert(m.expert),
                worth: m.worth,
                time: m.place.map(|x| slot(read, x.slot)),
                table: m
                    .place
                    .map_or(String::new(), |x| event.tables[x.table].name.clone()),
                wished: i32::from(m.wished),
            })
            .collect(),
        left_out: plan
            .missing
            .into_iter()
            .map(|m| write_left_out(&m.id, &m.name, m.text))
            .collect(),
        standby: plan
            .reserves
            .into_iter()
            .map(|s| v1::Standby {
                begin: read.clock.write(event.slots[s.slot].0),
                expected: s.expected,
                enough: count(s.enough),
                calls: s
                    .call
                    .iter()
                    .map(|(n, e, _)| v1::StandbyCall {
                        need: event.needs[*n].id.clone(),
                        expert: expert(*e),
                    })
                    .collect(),
            })
            .collect(),
        certificates: plan
            .certificates
            .into_iter()
            .map(write_certificate)
            .collect(),
    }
}

/// What differs from the plan before.
pub(crate) fn write_changes(read: &ReadEvent, changes: &[Change]) -> Vec<v1::PlanChange> {
    let kind = |k: ChangeKind| match k {
        ChangeKind::Dropped => v1::PlanChangeKind::Dropped,
        ChangeKind::Moved => v1::PlanChangeKind::Moved,
        ChangeKind::Reseated => v1::PlanChangeKind::Reseated,
        ChangeKind::New => v1::PlanChangeKind::New,
    };
    let spot = |s: &Option<Spot>| match s {
        Some(s) => (read.clock.write(s.begin), s.table.clone()),
        None => Default::default(),
    };
    changes
        .iter()
        .map(|c| {
            let ((begin_before, table_before), (begin, table)) = (spot(&c.from), spot(&c.to));
            v1::PlanChange {
                kind: kind(c.kind) as i32,
                need: c.need.clone(),
                expert: c.expert.clone(),
                begin_before,
                table_before,
                begin,
                table,
                why: write_text(c.why.clone()),
            }
        })
        .collect()
}

/// Why a pair meets, or does not.
pub(crate) fn write_explanation(
    read: &ReadEvent,
    plan: &EventPlan,
    (need, expert): (usize, usize),
) -> v1::ExplainMeetingResponse {
    let met = plan
        .held()
        .find(|(_, m, _)| (m.need, m.expert) == (need, expert))
        .map(|(_, _, place)| place);
    v1::ExplainMeetingResponse {
        time: met.map(|x| slot(read, x.slot)),
        table: met.map_or(String::new(), |x| read.event.tables[x.table].name.clone()),
        why: write_text(plan.explain(&read.event, need, expert)),
    }
}
