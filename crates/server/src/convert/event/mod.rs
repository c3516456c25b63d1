//! Events from the wire, plans to it.

mod input;
mod output;
mod panel;
mod round;
mod track;

pub(crate) use input::{ReadEvent, read_explain_meeting, read_plan_event, read_replan_event};
pub(crate) use output::{write_changes, write_explanation, write_plan};
pub(crate) use panel::{read_panels, write_panels};
pub(crate) use round::{read_rounds, write_rounds};
pub(crate) use track::{read_tracks, write_tracks};
