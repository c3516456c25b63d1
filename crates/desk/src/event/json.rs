//! The plan of an event as JSON.

use queqiao_domain::Bilingual;
use queqiao_events::{
    event::Event,
    plan::{ChangeKind, EventPlan, Figures, Missing, Spot},
    timetable::Place,
};
use queqiao_solve::Certificate;
use serde::Serialize;

/// The plan as JSON.
#[derive(Debug, Serialize)]
pub struct EventJson {
    /// Figures with their bounds.
    pub figures: Figures,
    /// Meetings of the shortlists.
    pub meetings: Vec<MeetingJson>,
    /// Who was left out and why.
    pub missing: Vec<Missing>,
    /// Per slot: who could fill in.
    pub standby: Vec<StandbyJson>,
    /// What changed, where this plan follows another.
    pub changes: Vec<ChangeJson>,
    /// Proofs of what could not be had.
    pub certificates: Vec<Certificate>,
}

/// A meeting.
#[derive(Debug, Serialize)]
pub struct MeetingJson {
    /// Need id.
    pub need: String,
    /// Need title.
    pub title: String,
    /// Enterprise.
    pub enterprise: String,
    /// Expert id.
    pub expert: String,
    /// Expert name.
    pub name: String,
    /// Worth.
    pub worth: f64,
    /// When it begins; none when it found no time.
    pub begin: Option<String>,
    /// When it ends.
    pub end: Option<String>,
    /// Day.
    pub day: Option<String>,
    /// Table.
    pub table: Option<String>,
}

/// Standby of a slot.
#[derive(Debug, Serialize)]
pub struct StandbyJson {
    /// The slot's begin.
    pub begin: String,
    /// Meetings expected to fall through.
    pub expected: f64,
    /// Standby meetings that suffice in 95 of 100 cases.
    pub enough: usize,
    /// Need and expert to call, best first.
    pub call: Vec<(String, String)>,
}

/// A change against the plan before.
#[derive(Debug, Serialize)]
pub struct ChangeJson {
    /// `dropped`, `moved`, `reseated`, `new`.
    pub kind: ChangeKind,
    /// Need id.
    pub need: String,
    /// Expert id.
    pub expert: String,
    /// When and where it was.
    pub from: Option<SpotJson>,
    /// When and where it is.
    pub to: Option<SpotJson>,
    /// Why.
    pub why: Bilingual,
}

/// When and where.
#[derive(Debug, Serialize)]
pub struct SpotJson {
    /// Begin; with the day where the event has several.
    pub begin: String,
    /// Table.
    pub table: String,
}

/// Where a meeting is, for people.
pub(super) fn spot(event: &Event, place: Place) -> String {
    format!(
        "{} · {}",
        event.clock(event.slots[place.slot].0),
        event.tables[place.table].name
    )
}

pub(crate) fn day(event: &Event, slot: usize) -> String {
    let d = event.slots[slot].0.div_euclid(1_440) as usize;
    event.days.get(d).map_or(String::new(), ToString::to_string)
}

/// The end of a slot, where midnight is 24:00.
pub(super) fn until(minute: i64) -> String {
    match minute.rem_euclid(1_440) {
        0 => "24:00".to_owned(),
        _ => clock(minute),
    }
}

pub(super) fn clock(minute: i64) -> String {
    let m = minute.rem_euclid(1_440);
    format!("{:02}:{:02}", m / 60, m % 60)
}

/// The plan as one JSON document.
pub fn event_json(event: &Event, plan: &EventPlan) -> EventJson {
    EventJson {
        figures: plan.figures(event),
        meetings: plan
            .meetings
            .iter()
            .map(|m| {
                let need = &event.needs[m.need];
                let expert = &event.attendees[m.expert].profile;
                let slot = m.place.map(|x| event.slots[x.slot]);
                MeetingJson {
                    need: need.id.clone(),
                    title: need.title.clone(),
                    enterprise: event.attendees[need.attendee].profile.name.clone(),
                    expert: expert.id.clone(),
                    name: expert.name.clone(),
                    worth: m.worth,
                    begin: slot.map(|s| clock(s.0)),
                    end: slot.map(|s| until(s.1)),
                    day: m.place.map(|x| day(event, x.slot)),
                    table: m.place.map(|x| event.tables[x.table].name.clone()),
                }
            })
            .collect(),
        missing: plan.missing.clone(),
        standby: plan
            .reserves
            .iter()
            .map(|s| StandbyJson {
                begin: event.clock(event.slots[s.slot].0),
                expected: s.expected,
                enough: s.enough,
                call: s
                    .call
                    .iter()
                    .map(|(n, e, _)| {
                        (
                            event.needs[*n].id.clone(),
                            event.attendees[*e].profile.id.clone(),
                        )
                    })
                    .collect(),
            })
            .collect(),
        changes: plan
            .changes
            .iter()
            .map(|c| {
                let spot = |s: &Option<Spot>| {
                    s.as_ref().map(|s| SpotJson {
                        begin: event.clock(s.begin),
                        table: s.table.clone(),
                    })
                };
                ChangeJson {
                    kind: c.kind,
                    need: c.need.clone(),
                    expert: c.expert.clone(),
                    from: spot(&c.from),
                    to: spot(&c.to),
                    why: c.why.clone(),
                }
            })
            .collect(),
        certificates: plan.certificates.clone(),
    }
}
