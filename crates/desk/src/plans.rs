//! The plans of all parts of an event: one workbook, one JSON document.

use crate::{
    DeskError,
    book::{Book, Done, Page, Rows, WriteOptions, may_write, xlsx},
    event::{self, EventBook, EventJson, event_json},
    panel::{self, PanelJson, panel_json},
    round::{self, RoundJson, round_json},
    track::{self, TrackJson, track_json},
};
use queqiao_domain::Bilingual;
use queqiao_events::{panel::Panels, plan::EventPlan, roundtable::Seating, track::TrackPlan};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The plans of an event's parts; what was not asked for is not there.
#[derive(Debug, Default)]
pub struct Plans {
    /// Shortlists and timetable.
    pub meetings: Option<EventPlan>,
    /// Review panels.
    pub panels: Option<Panels>,
    /// Roundtables.
    pub rounds: Option<Seating>,
    /// Lists of projects and the roadshow.
    pub tracks: Option<TrackPlan>,
}

/// The plans as one JSON document.
#[derive(Debug, Serialize)]
pub struct PlansJson {
    /// Name of the event.
    pub event: String,
    /// Shortlists and timetable.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub meetings: Option<EventJson>,
    /// Review panels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panels: Option<PanelJson>,
    /// Roundtables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roundtables: Option<RoundJson>,
    /// Lists of projects and the roadshow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracks: Option<TrackJson>,
    /// What was noticed on reading.
    pub notes: Vec<Bilingual>,
}

/// The plans as one JSON document.
pub fn plans_json(book: &EventBook, plans: &Plans) -> PlansJson {
    let event = &book.event;
    PlansJson {
        event: event.name.clone(),
        meetings: plans.meetings.as_ref().map(|p| event_json(event, p)),
        panels: book
            .panels
            .as_ref()
            .zip(plans.panels.as_ref())
            .map(|(b, p)| panel_json(b, p)),
        roundtables: book
            .rounds
            .as_ref()
            .zip(plans.rounds.as_ref())
            .map(|(b, p)| round_json(event, b, p)),
        tracks: book
            .tracks
            .as_ref()
            .zip(plans.tracks.as_ref())
            .map(|(b, p)| track_json(event, b, p)),
        notes: event.notes.clone(),
    }
}

/// Writes the plans as a workbook that can be printed and handed round.
///
/// # Errors
/// The name is taken and `replace` was not asked for, or the file cannot be written.
pub fn write_event(
    path: &Path,
    book: &EventBook,
    plans: &Plans,
    options: &WriteOptions,
) -> Result<PathBuf, DeskError> {
    may_write(path, options)?;
    let mut out = Book::new(&book.event.name, options.lang);
    sheets(&mut out, book, plans).map_err(xlsx)?;
    out.save(path, options)
}

fn sheets(out: &mut Book, book: &EventBook, plans: &Plans) -> Done {
    let event = &book.event;
    overview(out, book, plans)?;
    if let Some(p) = &plans.meetings {
        event::sheets(out, event, p)?;
    }
    if let (Some(b), Some(p)) = (&book.rounds, &plans.rounds) {
        round::sheets(out, event, b, p)?;
    }
    if let (Some(b), Some(p)) = (&book.panels, &plans.panels) {
        panel::sheets(out, b, p)?;
    }
    if let (Some(b), Some(p)) = (&book.tracks, &plans.tracks) {
        track::sheets(out, event, b, p)?;
    }
    Ok(())
}

fn overview(out: &mut Book, book: &EventBook, plans: &Plans) -> Done {
    let event = &book.event;
    let mut rows = Rows::new();
    if let Some(p) = &plans.meetings {
        rows.extend(event::overview(out, event, p));
    }
    if let (Some(b), Some(p)) = (&book.rounds, &plans.rounds) {
        rows.extend(round::overview(out, b, p));
    }
    if let (Some(b), Some(p)) = (&book.panels, &plans.panels) {
        rows.extend(panel::overview(out, b, p));
    }
    if let (Some(b), Some(p)) = (&book.tracks, &plans.tracks) {
        rows.extend(track::overview(out, b, p));
    }
    rows.extend(event::notes(out, event));
    let note = out
        .say(
            "Figures of the plan, each beside the most that any plan could reach.",
            "方案各项指标；匹配值旁列出任何方案都无法超过的理论上限。",
        )
        .to_owned();
    out.table(
        ("Overview", "概览"),
        &note,
        &[
            ("figure", "指标", 28.0),
            ("value", "数值", 44.0),
            ("beside", "说明", 34.0),
        ],
        &rows,
        Page::Portrait,
    )
}
