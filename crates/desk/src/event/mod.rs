//! An event from its sheets.

mod day;
mod earlier;
mod json;
mod lists;
mod people;
pub(crate) mod reader;
mod rules;
mod scores;
mod times;
mod write;

pub use earlier::{add_concurrent, read_earlier};
pub(crate) use json::day;
pub use json::{ChangeJson, EventJson, MeetingJson, SpotJson, StandbyJson, event_json};
pub(crate) use people::profile;
pub use queqiao_events::plan::Figures;
pub(crate) use scores::names;
pub(crate) use times::range;
pub(crate) use write::{notes, overview, sheets};

use crate::{
    DeskError,
    names::Kind,
    panel::{PanelBook, read_panels},
    round::{RoundBook, read_rounds},
    rules::Rules,
    sheet::{Row, Sheets, open},
    track::{TrackBook, read_tracks},
};
use queqiao_domain::Bilingual;
use queqiao_events::event::{Event, Side};
use reader::Reader;
use std::path::Path;

/// An event with everything its sheets ask for.
#[derive(Debug, Clone, Default)]
pub struct EventBook {
    /// The event. Where it has needs and experts, shortlists and a timetable are asked for.
    pub event: Event,
    /// Review panels, where there are applications and reviewers.
    pub panels: Option<PanelBook>,
    /// Roundtables, where there are tables for them.
    pub rounds: Option<RoundBook>,
    /// Lists of projects and a roadshow, where there are tracks.
    pub tracks: Option<TrackBook>,
}

impl EventBook {
    /// True when shortlists and a timetable are asked for.
    pub fn meets(&self) -> bool {
        !self.event.needs.is_empty() && self.event.attendees.iter().any(|a| a.side == Side::Answers)
    }
}

/// Reads an event: a workbook, or a folder of workbooks and csv files.
///
/// # Errors
/// Every slip at once, each with file, sheet, row, column, value and what would be accepted.
pub fn read_event(path: &Path) -> Result<EventBook, DeskError> {
    let (sheets, notes) = open(path)?;
    let event = Event {
        notes,
        ..Event::default()
    };
    let mut reader = Reader::new(event);
    let rules = Rules::read(sheets.get(&Kind::Rules), rules::KNOWN, &mut reader.slips);
    people(&mut reader, &sheets);
    reader.rules(&rules, &sheets);
    let mut book = EventBook {
        panels: read_panels(&sheets, &rules, &mut reader.slips),
        tracks: read_tracks(&sheets, &rules, &mut reader.slips),
        ..EventBook::default()
    };
    complete(path, &sheets, &reader, &book)?;
    if let Some(s) = sheets.get(&Kind::Conflicts) {
        for row in s.rows() {
            let mine = book.panels.as_mut().is_some_and(|p| p.conflict(row));
            if !mine {
                reader.conflict(row);
            }
        }
    }
    book.rounds = read_rounds(&sheets, &rules, &mut reader);
    for (kind, read) in [
        (Kind::Travel, Reader::travel as fn(&mut Reader, Row<'_>)),
        (Kind::Availability, Reader::availability),
        (Kind::Fixed, Reader::fixed),
    ] {
        for row in sheets.get(&kind).into_iter().flat_map(|s| s.rows()) {
            read(&mut reader, row);
        }
    }
    if let Some(s) = sheets.get(&Kind::Requests) {
        reader.requests(s);
    }
    if let Some(s) = sheets.get(&Kind::Scores) {
        scores::scores(&mut reader, &mut book, s);
    }
    reader.seats(&rules);
    if !reader.slips.0.is_empty() {
        return Err(DeskError::Issues(reader.slips.0));
    }
    book.event = reader.event;
    Ok(book)
}

fn people(reader: &mut Reader, sheets: &Sheets) {
    if let Some(s) = sheets.get(&Kind::Participants) {
        reader.attendees(s, None);
    }
    if let Some(s) = sheets.get(&Kind::Experts) {
        reader.attendees(s, Some(Side::Answers));
    }
    match sheets.get(&Kind::Needs) {
        Some(s) => reader.needs(s, sheets.contains_key(&Kind::Participants)),
        // A forum with roundtables has no meetings unless somebody asks for them.
        None if sheets.contains_key(&Kind::Requests)
            || !sheets.contains_key(&Kind::Roundtables) =>
        {
            reader.needs_of_enterprises();
        }
        None => {}
    }
}

/// An event asks for something: meetings, panels, roundtables or lists.
fn complete(
    path: &Path,
    sheets: &Sheets,
    reader: &Reader,
    book: &EventBook,
) -> Result<(), DeskError> {
    let experts = reader
        .event
        .attendees
        .iter()
        .any(|a| a.side == Side::Answers);
    let asked =
        book.panels.is_some() || book.tracks.is_some() || sheets.contains_key(&Kind::Roundtables);
    let missing = match (reader.event.needs.is_empty(), experts) {
        _ if !reader.slips.0.is_empty() => return Ok(()),
        (false, true) => return Ok(()),
        (true, false) if asked => return Ok(()),
        (true, true) if asked => return Ok(()),
        (false, false) => Bilingual::new(
            "there is no expert: name a sheet experts, or give participants the role expert",
            "没有专家：请提供“专家”工作表，或在“参会者”中填写角色“专家”",
        ),
        _ => Bilingual::new(
            "there is nothing to plan: needs and experts, applications and reviewers, roundtables, or projects and tracks are needed, each on a sheet of that name",
            "没有可安排的内容：需要“需求”与“专家”、“申报”与“评审专家”、“圆桌”，或“项目”与“赛道”工作表",
        ),
    };
    Err(DeskError::Input(Bilingual::new(
        format!("{}: {}", path.display(), missing.en),
        format!("{}：{}", path.display(), missing.zh),
    )))
}
