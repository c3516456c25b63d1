//! Whatever decodes as a message is converted or refused, and never panics.

use super::{trial::try_request, wire_path};
use proptest::prelude::*;
use prost::Message;
use queqiao_domain::Kind;
use queqiao_proto::v1;

/// Reads a message in every way the services do.
fn convert(bytes: &[u8]) {
    for which in 0..super::trial::WAYS {
        try_request(which, bytes);
    }
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
