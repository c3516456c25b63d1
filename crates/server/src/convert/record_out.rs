//! Records to the wire. Of a record no contact goes this way: the fields are never
//! filled. [`write_contact`] is for the one method that shows it.

use super::vocabulary::optional;
use super::{Word, count};
use queqiao_domain::{self as domain, Detail, ResourceName, TenantId};
use queqiao_engine::{Stored, WriteOutcome};
use queqiao_proto::v1;

/// A stored record of a tenant.
pub(crate) fn write_record(tenant: &TenantId, stored: Stored) -> v1::Record {
    let Stored {
        record: r,
        etag,
        create_time,
        update_time,
        delete_time,
        purge_time,
    } = stored;
    let kind = r.kind();
    v1::Record {
        title: r.title,
        passages: r
            .passages
            .into_iter()
            .map(|p| v1::Passage {
                title: p.title,
                text: p.text,
            })
            .collect(),
        keywords: r.keywords,
        released: r.released,
        industries: texts(&r.industries),
        disciplines: texts(&r.disciplines),
        region: r.region.map(|x| x.to_string()).unwrap_or_default(),
        language: optional(r.language),
        organisation: r.organisation.map(|o| v1::Organisation {
            name: o.name,
            uscc: o.uscc.map(|u| u.to_string()).unwrap_or_default(),
        }),
        links: r
            .links
            .into_iter()
            .map(|l| v1::Link {
                relation: l.relation.write(),
                target: l.target,
            })
            .collect(),
        conflicts: r.conflicts,
        visibility: r.visibility.write(),
        valid_from: date(r.valid_from),
        valid_until: date(r.valid_until),
        attributes: r.attributes,
        detail: Some(write_detail(r.detail)),
        etag,
        create_time: Some(timestamp(create_time)),
        update_time: Some(timestamp(update_time)),
        delete_time: delete_time.map(timestamp),
        purge_time: purge_time.map(timestamp),
        name: ResourceName {
            tenant: tenant.clone(),
            kind,
            id: r.id,
        }
        .to_string(),
    }
}

fn write_detail(detail: Detail) -> v1::record::Detail {
    use v1::record::Detail as Wire;
    match detail {
        Detail::Need(d) => Wire::Need(v1::Need {
            background: d.background,
            problem: d.problem,
            targets: d.targets,
            budget: d.budget.map(amount),
            deadline: date(d.deadline),
            cooperation_modes: words(d.cooperation_modes),
            least_readiness: d.least_readiness.map(readiness),
            stage: optional(d.stage),
            contact: None,
        }),
        Detail::Enterprise(d) => Wire::Enterprise(v1::Enterprise {
            business: d.business,
            products: d.products,
            scale: d.scale,
            contact: None,
        }),
        Detail::Expert(d) => Wire::Expert(v1::Expert {
            research: d.research,
            profile: d.profile,
            professional_title: d.professional_title,
            honours: d.honours,
            expert_kind: optional(d.expert_kind),
            services: d.services,
            capacity: d.capacity.map(|c| v1::Capacity {
                meetings: c.meetings.map(|n| count(n as usize)),
                engagements: c.engagements.map(|n| count(n as usize)),
            }),
            travel: d.travel.map(|t| v1::Travel {
                regions: texts(&t.regions),
                km: t.km.map(|n| count(n as usize)),
            }),
            availability: d
                .availability
                .into_iter()
                .map(|a| v1::Availability {
                    from: a.from.to_string(),
                    until: a.until.to_string(),
                })
                .collect(),
            opt_out: d.opt_out,
            consent: d.consent.map(|c| v1::Consent {
                purpose: c.purpose,
                given: c.given.map_or_else(String::new, |d| d.to_string()),
                until: c.until.map_or_else(String::new, |d| d.to_string()),
            }),
            contact: None,
        }),
        Detail::Society(d) => Wire::Society(v1::Society {
            scope: d.scope,
            services: d.services,
            group: d.group,
            contact: None,
        }),
        Detail::Achievement(d) => Wire::Achievement(v1::Achievement {
            r#abstract: d.summary,
            holder: d.holder,
            readiness: d.readiness.map(readiness),
            indices: d.indices,
            application: d.application,
            ip_form: optional(d.ip_form),
            price: d.price.map(amount),
            cooperation_modes: words(d.cooperation_modes),
            contact: None,
        }),
        Detail::Institution(d) => Wire::Institution(v1::Institution {
            institution_kind: optional(d.institution_kind),
            profile: d.profile,
            services: d.services,
            contact: None,
        }),
    }
}

/// What happened to a record, to the wire.
pub(crate) fn write_outcome(outcome: WriteOutcome) -> i32 {
    use v1::WriteOutcome as Wire;
    let wire = match outcome {
        WriteOutcome::Created => Wire::Created,
        WriteOutcome::Updated | WriteOutcome::Undeleted => Wire::Updated,
        WriteOutcome::Unchanged => Wire::Unchanged,
        // No upsert ends so.
        WriteOutcome::Deleted | WriteOutcome::Erased => Wire::Unspecified,
    };
    wire as i32
}

fn texts<T: ToString>(codes: &[T]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

fn words<T: Word>(words: Vec<T>) -> Vec<i32> {
    words.into_iter().map(Word::write).collect()
}

fn date(d: Option<domain::Date>) -> String {
    d.map(|d| d.to_string()).unwrap_or_default()
}

fn amount(a: domain::AmountRange) -> v1::AmountRange {
    v1::AmountRange {
        min: a.min,
        max: a.max,
    }
}

fn readiness(r: domain::Readiness) -> v1::Readiness {
    v1::Readiness {
        level: i32::from(r.level()),
        scale: r.scale().write(),
    }
}

/// Milliseconds since 1970.
pub(super) fn timestamp(ms: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: ms.div_euclid(1_000),
        // Below 10⁹ by construction.
        nanos: i32::try_from(ms.rem_euclid(1_000) * 1_000_000).unwrap_or(0),
    }
}

/// A contact, for GetContact alone.
pub(crate) fn write_contact(c: domain::Contact) -> v1::Contact {
    v1::Contact {
        name: c.name,
        phone: c.phone,
        email: c.email,
        address: c.address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::read_record;

    /// Every field of every kind survives the way out and in again, the contact apart.
    #[test]
    fn records_round_trip_without_their_contact() {
        for json in [
            r#"{"kind":"need","id":"a","title":"t","passages":[{"title":"p","text":"x"}],"keywords":["k"],"industries":["C3973"],"disciplines":["47040"],"region":"440300","language":"zh","organisation":{"name":"o","uscc":"91350100M000100Y43"},"links":[{"relation":"owned_by","target":"i"}],"conflicts":["c"],"visibility":"platform","valid_from":"2026-01-01","valid_until":"2026-12-31","attributes":{"a":"b"},"background":"b","problem":"p","targets":["≥1"],"budget":{"min":1.5,"max":2.0},"deadline":"2026-06-01","cooperation_modes":["transfer","equity"],"least_readiness":{"level":6,"scale":"trl"},"stage":"in_talks","contact":{"name":"n","phone":"13800000000"}}"#,
            r#"{"kind":"enterprise","id":"a","title":"t","business":"b","products":["p"],"scale":"s","contact":{"phone":"13800000000"}}"#,
            r#"{"kind":"expert","id":"a","title":"t","research":["r"],"profile":"p","professional_title":"教授","honours":["h"],"expert_kind":"volunteer","services":["s"],"capacity":{"meetings":0,"engagements":3},"travel":{"regions":["120000"],"km":10},"availability":[{"from":"2026-01-01","until":"2026-01-02"}],"opt_out":true,"consent":{"purpose":"u","given":"2026-01-01","until":"2027-01-01"},"contact":{"phone":"13800000000"}}"#,
            r#"{"kind":"society","id":"a","title":"t","scope":"s","services":["x"],"group":"工科","contact":{"phone":"13800000000"}}"#,
            r#"{"kind":"achievement","id":"a","title":"t","abstract":"s","holder":"h","readiness":{"level":13,"scale":"irl"},"indices":["i"],"application":"x","ip_form":"layout","price":{"max":9.0},"cooperation_modes":["license"],"contact":{"phone":"13800000000"}}"#,
            r#"{"kind":"institution","id":"a","title":"t","institution_kind":"park","profile":"p","services":["s"],"contact":{"phone":"13800000000"}}"#,
        ] {
            let original: domain::Record = serde_json::from_str(json).unwrap();
            let wire = write_record(
                &TenantId::default(),
                Stored {
                    record: original.clone(),
                    etag: "e".into(),
                    create_time: -1,
                    update_time: 1_500,
                    delete_time: None,
                    purge_time: None,
                },
            );
            assert_eq!(
                wire.create_time.as_ref().map(|t| (t.seconds, t.nanos)),
                Some((-1, 999_000_000))
            );
            let back = read_record("record", wire, None).unwrap();
            let mut expected = original;
            assert!(expected.take_contact().is_some());
            assert_eq!(back.record, expected);
        }
    }
}
