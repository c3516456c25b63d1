//! Bytes as a request of any method, converted or refused: for the tests of this crate and for fuzzing.

use super::{
    Violations, read_consortium, read_explain, read_explain_meeting, read_mask, read_match,
    read_match_batch, read_name, read_page_size, read_panels, read_parent, read_plan_event,
    read_record, read_replan_event, read_request_id, read_rounds, read_team, read_tracks,
    with_detail_of_its_name, write_record,
};
use crate::{app::today, status};
use prost::{Message, Name};
use queqiao_domain::{CheckLimits, TenantId};
use queqiao_engine::Stored;
use queqiao_proto::v1;

/// Ways to read the bytes.
pub(crate) const WAYS: u8 = 14;

/// Takes `bytes` for a request, `which` says of what method, and reads it as the service does; whether it
/// is one that the service would go on with.
///
/// # Panics
/// When a record that keeps the rules goes out and does not come in again the same: a fault of ours.
#[doc(hidden)]
pub fn try_request(which: u8, bytes: &[u8]) -> bool {
    match which % WAYS {
        0 => reads(bytes, |m| read_match(m, today(), None)),
        1 => reads(bytes, |m| read_match_batch(m, today(), None)),
        2 => reads(bytes, |m| read_explain(m, today(), None)),
        3 => reads(bytes, read_plan_event),
        4 => reads(bytes, read_replan_event),
        5 => reads(bytes, read_explain_meeting),
        6 => reads(bytes, read_panels),
        7 => reads(bytes, read_rounds),
        8 => reads(bytes, read_tracks),
        9 => reads(bytes, read_team),
        10 => reads(bytes, read_consortium),
        11 => reads(bytes, |m: v1::UpsertRecordRequest| {
            let id = read_request_id(&m.request_id);
            upsert(m)?;
            id
        }),
        12 => reads(bytes, |m: v1::BatchUpsertRecordsRequest| {
            let all = m.records.into_iter();
            let all: Vec<Result<_, _>> = all.map(|r| read_record("record", r, None)).collect();
            read_parent("parent", &m.parent)?;
            all.into_iter().collect::<Result<Vec<_>, _>>()
        }),
        _ => reads(bytes, |m: v1::ListRecordsRequest| {
            let name = read_name("name", &m.filter, None);
            drop(name.map_err(status::invalid));
            read_parent("parent", &m.parent)?;
            read_page_size(m.page_size)?;
            super::kind_filter(m.kind)
        }),
    }
}

/// Whether the bytes are a message that is not refused; a refusal is told as the service tells it.
fn reads<M: Message + Name + Default, T>(
    bytes: &[u8],
    read: impl FnOnce(M) -> Result<T, Violations>,
) -> bool {
    let told = decode::<M>(bytes).map(|m| read(m).map_err(status::invalid));
    matches!(told, Some(Ok(_)))
}

/// Reads a message as the codec does: what would unfold too far is no message.
fn decode<M: Message + Name + Default>(bytes: &[u8]) -> Option<M> {
    if queqiao_proto::unfolds_too_far(&M::full_name(), bytes) {
        return None;
    }
    M::decode(bytes).ok()
}

fn upsert(m: v1::UpsertRecordRequest) -> Result<(), Violations> {
    let mask = m.update_mask;
    let given = with_detail_of_its_name(m.record.unwrap_or_default(), mask.as_ref());
    let read = read_record("record", given, None)?;
    read_mask(mask, &read.record)?;
    write_back(read.name.tenant, read.record);
    Ok(())
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
