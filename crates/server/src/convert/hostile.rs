//! Whatever decodes as a message is converted or refused, and never panics.

use super::{
    read_consortium, read_explain, read_explain_meeting, read_mask, read_match, read_match_batch,
    read_name, read_page_size, read_panels, read_parent, read_plan_event, read_record,
    read_replan_event, read_request_id, read_rounds, read_team, read_tracks, wire_path,
    write_record,
};
use crate::{app::today, status};
use proptest::prelude::*;
use prost::Message;
use queqiao_domain::{CheckLimits, Kind, TenantId};
use queqiao_engine::Stored;
use queqiao_proto::v1;

/// Reads a message in every way the services do, and turns refusals into statuses.
fn convert(bytes: &[u8]) {
    let refuse = |found| drop(status::invalid(found));
    if let Ok(m) = v1::MatchRequest::decode(bytes) {
        let _ = read_match(m, today(), None).map_err(refuse);
    }
    if let Ok(m) = v1::MatchBatchRequest::decode(bytes) {
        let _ = read_match_batch(m, today(), None).map_err(refuse);
    }
    if let Ok(m) = v1::ExplainRequest::decode(bytes) {
        let _ = read_explain(m, today(), None).map_err(refuse);
    }
    if let Ok(m) = v1::PlanEventRequest::decode(bytes) {
        let _ = read_plan_event(m).map_err(refuse);
    }
    if let Ok(m) = v1::ReplanEventRequest::decode(bytes) {
        let _ = read_replan_event(m).map_err(refuse);
    }
    if let Ok(m) = v1::ExplainMeetingRequest::decode(bytes) {
        let _ = read_explain_meeting(m).map_err(refuse);
    }
    if let Ok(m) = v1::FormPanelsRequest::decode(bytes) {
        let _ = read_panels(m).map_err(refuse);
    }
    if let Ok(m) = v1::SeatRoundtablesRequest::decode(bytes) {
        let _ = read_rounds(m).map_err(refuse);
    }
    if let Ok(m) = v1::FillTracksRequest::decode(bytes) {
        let _ = read_tracks(m).map_err(refuse);
    }
    if let Ok(m) = v1::ComposeTeamRequest::decode(bytes) {
        let _ = read_team(m).map_err(refuse);
    }
    if let Ok(m) = v1::ComposeConsortiumRequest::decode(bytes) {
        let _ = read_consortium(m).map_err(refuse);
    }
    if let Ok(m) = v1::UpsertRecordRequest::decode(bytes) {
        let _ = read_request_id(&m.request_id).map_err(refuse);
        if let Some(Ok(read)) = m.record.map(|r| read_record("record", r, None)) {
            let _ = read_mask(m.update_mask, &read.record).map_err(refuse);
            write_back(read.name.tenant, read.record);
        }
    }
    if let Ok(m) = v1::ListRecordsRequest::decode(bytes) {
        let _ = read_parent("parent", &m.parent).map_err(refuse);
        let _ = read_name("name", &m.filter, None).map_err(refuse);
        let _ = read_page_size(m.page_size).map_err(refuse);
        let _ = super::kind_filter(m.kind).map_err(refuse);
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

/// A message of the right shape with wrong contents, to get past the decoder.
fn record() -> impl Strategy<Value = v1::Record> {
    let text = prop_oneof![
        "\\PC{0,20}",
        Just("tenants/t/experts/e".to_owned()),
        Just("440300".to_owned()),
        Just("2026-11-23".to_owned()),
        Just("C39".to_owned()),
    ];
    let number = prop_oneof![any::<i32>(), 0..12_i32];
    (
        prop::collection::vec(text, 8),
        prop::collection::vec(number, 8),
        any::<[f64; 2]>(),
        0..7_u8,
    )
        .prop_map(|(t, n, amount, kind)| {
            use v1::record::Detail;
            let readiness = Some(v1::Readiness {
                level: n[0],
                scale: n[1],
            });
            let range = Some(v1::AmountRange {
                min: Some(amount[0]),
                max: Some(amount[1]),
            });
            let detail = match kind {
                0 => None,
                1 => Some(Detail::Need(v1::Need {
                    budget: range,
                    deadline: t[1].clone(),
                    cooperation_modes: n.clone(),
                    least_readiness: readiness,
                    stage: n[2],
                    ..Default::default()
                })),
                2 => Some(Detail::Achievement(v1::Achievement {
                    price: range,
                    readiness,
                    ip_form: n[2],
                    ..Default::default()
                })),
                3 => Some(Detail::Institution(v1::Institution {
                    institution_kind: n[2],
                    ..Default::default()
                })),
                _ => Some(Detail::Expert(v1::Expert {
                    expert_kind: n[2],
                    capacity: Some(v1::Capacity {
                        meetings: Some(n[3]),
                        engagements: None,
                    }),
                    travel: Some(v1::Travel {
                        regions: t.clone(),
                        km: Some(n[4]),
                    }),
                    availability: vec![v1::Availability {
                        from: t[1].clone(),
                        until: t[2].clone(),
                    }],
                    ..Default::default()
                })),
            };
            v1::Record {
                name: t[0].clone(),
                title: t[3].clone(),
                region: t[4].clone(),
                industries: vec![t[5].clone()],
                disciplines: vec![t[6].clone()],
                language: n[5],
                visibility: n[6],
                links: vec![v1::Link {
                    relation: n[7],
                    target: t[7].clone(),
                }],
                valid_from: t[1].clone(),
                valid_until: t[2].clone(),
                organisation: Some(v1::Organisation {
                    name: t[7].clone(),
                    uscc: t[5].clone(),
                }),
                detail,
                ..Default::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        convert(&bytes);
    }

    #[test]
    fn wrong_contents(r in record(), mask in prop::collection::vec("[a-z_.*]{0,20}", 0..4), k in any::<i32>()) {
        let upsert = v1::UpsertRecordRequest {
            record: Some(r.clone()),
            update_mask: Some(prost_types::FieldMask { paths: mask }),
            ..Default::default()
        };
        convert(&upsert.encode_to_vec());
        let ask = v1::MatchRequest {
            parent: "tenants/t".into(),
            ask: Some(v1::match_request::Ask::Draft(r)),
            kinds: vec![k],
            k,
            ..Default::default()
        };
        convert(&ask.encode_to_vec());
    }

    /// One flipped byte of a good message.
    #[test]
    fn flipped_bytes(r in record(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let upsert = v1::UpsertRecordRequest { record: Some(r), ..Default::default() };
        let mut bytes = upsert.encode_to_vec();
        let i = at.index(bytes.len());
        bytes[i] ^= byte;
        convert(&bytes);
    }

    #[test]
    fn paths(field in "\\PC{0,30}") {
        let _ = wire_path("record", Kind::Need, &field);
    }
}
