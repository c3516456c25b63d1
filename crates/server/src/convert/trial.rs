//! Bytes as a request of any method, converted or refused: for the tests of this crate and for fuzzing.

use super::{
    read_consortium, read_explain, read_explain_meeting, read_mask, read_match, read_match_batch,
    read_name, read_page_size, read_panels, read_parent, read_plan_event, read_record,
    read_replan_event, read_request_id, read_rounds, read_team, read_tracks, write_record,
};
use crate::{app::today, status};
use prost::{Message, Name};
use queqiao_domain::{CheckLimits, TenantId};
use queqiao_engine::Stored;
use queqiao_proto::v1;

/// Ways to read the bytes.
pub(crate) const WAYS: u8 = 14;

/// Takes `bytes` for a request, `which` says of what method, and reads it as the service does.
///
/// # Panics
/// When a record that keeps the rules goes out and does not come in again the same: a fault of ours.
#[doc(hidden)]
pub fn try_request(which: u8, bytes: &[u8]) {
    let refuse = |found| drop(status::invalid(found));
    match which % WAYS {
        0 => drop(
            decode::<v1::MatchRequest>(bytes).map(|m| read_match(m, today(), None).map_err(refuse)),
        ),
        1 => drop(
            decode::<v1::MatchBatchRequest>(bytes)
                .map(|m| read_match_batch(m, today(), None).map_err(refuse)),
        ),
        2 => drop(
            decode::<v1::ExplainRequest>(bytes)
                .map(|m| read_explain(m, today(), None).map_err(refuse)),
        ),
        3 => {
            drop(decode::<v1::PlanEventRequest>(bytes).map(|m| read_plan_event(m).map_err(refuse)))
        }
        4 => drop(
            decode::<v1::ReplanEventRequest>(bytes).map(|m| read_replan_event(m).map_err(refuse)),
        ),
        5 => drop(
            decode::<v1::ExplainMeetingRequest>(bytes)
                .map(|m| read_explain_meeting(m).map_err(refuse)),
        ),
        6 => drop(decode::<v1::FormPanelsRequest>(bytes).map(|m| read_panels(m).map_err(refuse))),
        7 => drop(
            decode::<v1::SeatRoundtablesRequest>(bytes).map(|m| read_rounds(m).map_err(refuse)),
        ),
        8 => drop(decode::<v1::FillTracksRequest>(bytes).map(|m| read_tracks(m).map_err(refuse))),
        9 => drop(decode::<v1::ComposeTeamRequest>(bytes).map(|m| read_team(m).map_err(refuse))),
        10 => drop(
            decode::<v1::ComposeConsortiumRequest>(bytes)
                .map(|m| read_consortium(m).map_err(refuse)),
        ),
        11 => {
            if let Some(m) = decode::<v1::UpsertRecordRequest>(bytes) {
                let _ = read_request_id(&m.request_id).map_err(refuse);
                upsert(m);
            }
        }
        12 => {
            if let Some(m) = decode::<v1::BatchUpsertRecordsRequest>(bytes) {
                let _ = read_parent("parent", &m.parent).map_err(refuse);
                for r in m.records {
                    drop(read_record("record", r, None).map_err(refuse));
                }
            }
        }
        _ => {
            if let Some(m) = decode::<v1::ListRecordsRequest>(bytes) {
                let _ = read_parent("parent", &m.parent).map_err(refuse);
                let _ = read_name("name", &m.filter, None).map_err(refuse);
                let _ = read_page_size(m.page_size).map_err(refuse);
                let _ = super::kind_filter(m.kind).map_err(refuse);
            }
        }
    }
}

/// Reads a message as the codec does: what would unfold too far is no message.
fn decode<M: Message + Name + Default>(bytes: &[u8]) -> Option<M> {
    if queqiao_proto::unfolds_too_far(&M::full_name(), bytes) {
        return None;
    }
    M::decode(bytes).ok()
}

fn upsert(m: v1::UpsertRecordRequest) {
    let refuse = |found| drop(status::invalid(found));
    if let Some(Ok(read)) = m.record.map(|r| read_record("record", r, None)) {
        let _ = read_mask(m.update_mask, &read.record).map_err(refuse);
        write_back(read.name.tenant, read.record);
    }
}

/// What was read and keeps the rules goes out again, and comes in the same.
fn write_back(tenant: TenantId, record: queqiao_domain::Record) {
    let Ok(checked) = record.check(&CheckLimits::default()) else {
        return;
    };
    let mut record = checked.into_inner();
    record.take_contact();
    let wire = write_record(
        &tenant,
        Stored {
            record: record.clone(),
            etag: String::new(),
            create_time: i64::MIN,
            update_time: i64::MAX,
            delete_time: None,
            purge_time: None,
        },
    );
    let again = read_record("record", wire, Some(&tenant)).map(|r| r.record);
    assert_eq!(again.as_ref().ok(), Some(&record));
}
