//! The only place where wire types become domain types, and back.
//!
//! Every conversion inwards is fallible and names each field at fault by its path on the wire
//! (`record.need.budget.min`); none panics and none fills a gap that the interface does not
//! document. Conversions outwards cannot fail, and none of them but [`write_contact`] can carry a contact.

mod answer;
mod event;
mod insight;
mod mask;
mod matching;
mod names;
mod outcome;
mod page;
mod plan;
mod reader;
mod record_in;
mod record_out;
mod team;
mod trial;
mod vocabulary;

#[cfg(test)]
mod hostile;

pub(crate) use answer::{write_match_response, write_why};
pub(crate) use event::{
    ReadEvent, read_explain_meeting, read_panels, read_plan_event, read_replan_event, read_rounds,
    read_tracks, write_changes, write_explanation, write_panels, write_plan, write_rounds,
    write_tracks,
};
pub(crate) use insight::{
    read_chain, read_duplicates, write_chain, write_clarity, write_duplicates,
};
pub(crate) use mask::{UpdateMask, read_mask};
pub(crate) use matching::{
    BatchItem, filter_violation, read_clarify, read_explain, read_match, read_match_batch,
};
pub(crate) use names::{read_name, read_parent, read_request_id};
pub(crate) use outcome::{
    read_funnel, read_kept_answer, read_outcomes, write_funnel, write_kept_answer, write_report,
};
pub(crate) use page::{PageToken, read_page_size};
pub(crate) use record_in::{ReadRecord, read_record, wire_path, with_detail_of_its_name};
pub(crate) use record_out::{write_contact, write_outcome, write_record};
pub(crate) use team::{
    ReadTeam, TeamSource, read_consortium, read_team, write_consortium, write_team,
};
#[doc(hidden)]
pub use trial::try_request;
pub(crate) use vocabulary::{Word, kind_filter};

use queqiao_domain::Violation;

/// What is wrong with a request, field by field; never empty.
pub(crate) type Violations = Vec<Violation>;

/// A count as the wire has it: what does not fit is the greatest number.
pub(crate) fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The first characters of a text, for messages.
fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
