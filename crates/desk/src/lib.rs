//! The organiser's files: workbooks of an event or a team in, workbooks of a plan out.
//!
//! Purpose: turn the sheets people keep (参会者, 需求, 专家, 时间, 意向, 回避, 规则; 申报, 评审专家; 圆桌;
//! 项目, 赛道 …) into an [`Event`] with its parts or a team problem, and plans into a workbook that can be printed and handed round. Invariant: every
//! slip is told with file, sheet, row, column, value and what would be accepted, all at once; a file
//! is written whole or not at all and never over another unless asked; no cell runs as a formula.
//! This crate decides nothing: it knows the problems and plans of `events` and `teams`, not how they
//! are solved.
//!
//! [`Event`]: queqiao_events::event::Event

mod book;
mod event;
mod example;
mod names;
mod panel;
mod plans;
mod round;
mod rules;
mod sheet;
mod team;
mod track;
mod values;

pub use book::{WriteOptions, may_write};
pub use event::{
    ChangeJson, EventBook, EventJson, Figures, MeetingJson, SpotJson, StandbyJson, add_concurrent,
    event_json, read_earlier, read_event,
};
pub use example::{write_event_example, write_team_example};
pub use panel::{PanelBook, PanelJson, panel_json};
pub use plans::{Plans, PlansJson, plans_json, write_event};
pub use round::{RoundBook, RoundJson, round_json};
pub use team::{
    ConsortiumJson, Members, TeamBook, TeamJson, TeamMember, TeamNeed, consortium_json, read_team,
    team_json, write_consortium, write_team_plan,
};
pub use track::{TrackBook, TrackJson, track_json};

use queqiao_domain::Bilingual;
use queqiao_intake::Issue;

/// Why a file of the desk cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The file does not open or read.
    #[error(transparent)]
    File(#[from] queqiao_intake::Error),
    /// Slips in the sheets, all of them.
    #[error("{}", shown(.0, |b| &b.en))]
    Issues(Vec<Issue>),
    /// Something about the files as a whole.
    #[error("{}", .0.en)]
    Input(Bilingual),
    /// The workbook cannot be written.
    #[error("{}", .0.en)]
    Write(Bilingual),
}

/// Somebody or something in words: a project, a list, a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// Id.
    pub id: String,
    /// Name or title.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// What it is about, for matching.
    pub text: String,
}

/// Issues shown in one message.
const SHOWN: usize = 20;

fn shown(issues: &[Issue], get: impl Fn(&Bilingual) -> &str) -> String {
    let mut lines: Vec<String> = issues
        .iter()
        .take(SHOWN)
        .map(|i| get(&i.describe()).to_owned())
        .collect();
    if issues.len() > SHOWN {
        let more = issues.len() - SHOWN;
        let more = Bilingual::new(format!("… and {more} more"), format!("……另有 {more} 处"));
        lines.push(get(&more).to_owned());
    }
    lines.join("\n  ")
}

impl DeskError {
    /// The message in both languages.
    pub fn message(&self) -> Bilingual {
        match self {
            DeskError::File(e) => e.message(),
            DeskError::Issues(list) => {
                Bilingual::new(shown(list, |b| &b.en), shown(list, |b| &b.zh))
            }
            DeskError::Input(b) | DeskError::Write(b) => b.clone(),
        }
    }

    /// True when the user can mend it by mending the files or the command.
    pub fn is_input(&self) -> bool {
        match self {
            DeskError::File(e) => e.cause.is_input() || e.cause == queqiao_intake::Cause::Io,
            DeskError::Issues(_) | DeskError::Input(_) => true,
            DeskError::Write(_) => false,
        }
    }
}
