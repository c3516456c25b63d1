//! Records from the wire.

use super::{Violations, names::read_name, reader::Reader};
use queqiao_domain::{self as domain, Detail, Kind, RecordId, ResourceName, TenantId};
use queqiao_proto::v1;

/// A record as a write brings it.
#[derive(Debug)]
pub(crate) struct ReadRecord {
    /// Its name.
    pub(crate) name: ResourceName,
    /// What is to be stored.
    pub(crate) record: domain::Record,
    /// The etag the stored record must have.
    pub(crate) etag: Option<String>,
}

/// The record that a mask takes fields from: of the kind that its name says, where no field of the detail is
/// taken and none is given.
pub(crate) fn with_detail_of_its_name(
    mut wire: v1::Record,
    mask: Option<&prost_types::FieldMask>,
) -> v1::Record {
    use v1::record::Detail as Wire;
    let paths = mask.map_or(&[][..], |m| m.paths.as_slice());
    let Ok(name) = wire.name.parse::<ResourceName>() else {
        return wire;
    };
    let of_detail = |path: &String| {
        let head = path.split('.').next().unwrap_or_default();
        head == "*" || head == name.kind.as_str()
    };
    if wire.detail.is_none() && !paths.is_empty() && !paths.iter().any(of_detail) {
        wire.detail = Some(match name.kind {
            Kind::Need => Wire::Need(v1::Need::default()),
            Kind::Enterprise => Wire::Enterprise(v1::Enterprise::default()),
            Kind::Expert => Wire::Expert(v1::Expert::default()),
            Kind::Society => Wire::Society(v1::Society::default()),
            Kind::Achievement => Wire::Achievement(v1::Achievement::default()),
            Kind::Institution => Wire::Institution(v1::Institution::default()),
        });
    }
    wire
}

/// Reads a record to be stored; `at` is its path in the request.
pub(crate) fn read_record(
    at: &str,
    wire: v1::Record,
    tenant: Option<&TenantId>,
) -> Result<ReadRecord, Violations> {
    let mut r = Reader::default();
    let name = match read_name(&format!("{at}.name"), &wire.name, tenant) {
        Ok(n) => Some(n),
        Err(found) => {
            found.into_iter().for_each(|v| r.note(v));
            None
        }
    };
    let etag = Some(wire.etag.clone()).filter(|e| !e.is_empty());
    let id = name.as_ref().map(|n| n.id.clone());
    let record = id.and_then(|id| read_fields(&mut r, at, wire, id));
    let read = name.zip(record).and_then(|(name, record)| {
        if name.kind == record.kind() {
            return Some(ReadRecord { name, record, etag });
        }
        r.fail(
            format_args!("{at}.name"),
            (
                format!(
                    "it names one of the {} and `{}` is given",
                    name.kind.collection(),
                    record.kind()
                ),
                format!(
                    "名称属于{}，而详情属于{}",
                    name.kind.zh(),
                    record.kind().zh()
                ),
            ),
            (
                "expected the collection in the name to agree with the detail",
                "名称中的集合应与详情一致",
            ),
        );
        None
    });
    r.finish(read)
}

/// Reads a record that asks without being stored. Its texts stay as they are, so that offsets in
/// the answer are the caller's.
pub(super) fn read_draft(
    r: &mut Reader,
    at: &str,
    wire: v1::Record,
    tenant: &TenantId,
) -> Option<domain::Record> {
    // An unnamed draft gets an id that no stored record can be hidden behind by accident.
    const UNNAMED: &str = "~draft";
    let name = if wire.name.is_empty() {
        None
    } else {
        match read_name(&format!("{at}.name"), &wire.name, Some(tenant)) {
            Ok(n) => Some(n),
            Err(found) => {
                found.into_iter().for_each(|v| r.note(v));
                return None;
            }
        }
    };
    let id = match &name {
        Some(n) => n.id.clone(),
        None => RecordId::new(UNNAMED).ok()?,
    };
    read_fields(r, at, wire, id)
}

fn read_fields(r: &mut Reader, at: &str, w: v1::Record, id: RecordId) -> Option<domain::Record> {
    let Some(detail) = w.detail else {
        r.fail(
            format_args!("{at}.detail"),
            ("no detail is given", "未填写详情"),
            (
                "expected one of need, enterprise, expert, society, achievement, institution (it may be empty)",
                "应填写 need、enterprise、expert、society、achievement、institution 之一（可为空）",
            ),
        );
        return None;
    };
    let detail = read_detail(r, at, detail);
    let mut record = domain::Record::new(id, detail.kind());
    record.detail = detail;
    record.title = w.title;
    record.passages = w
        .passages
        .into_iter()
        .map(|p| domain::Passage {
            title: p.title,
            text: p.text,
        })
        .collect();
    record.keywords = w.keywords;
    record.released = w.released;
    record.industries = r.codes(format_args!("{at}.industries"), &w.industries);
    record.disciplines = r.codes(format_args!("{at}.disciplines"), &w.disciplines);
    record.region = r.optional_code(format_args!("{at}.region"), &w.region);
    record.language = r.word(format_args!("{at}.language"), w.language);
    record.organisation = w.organisation.map(|o| domain::Organisation {
        name: o.name,
        uscc: r.optional_code(format_args!("{at}.organisation.uscc"), &o.uscc),
    });
    record.links = w
        .links
        .into_iter()
        .enumerate()
        .filter_map(|(i, l)| {
            let relation = r.required_word(format_args!("{at}.links[{i}].relation"), l.relation)?;
            Some(domain::Link {
                relation,
                target: l.target,
            })
        })
        .collect();
    record.conflicts = w.conflicts;
    record.visibility = r
        .word(format_args!("{at}.visibility"), w.visibility)
        .unwrap_or_default();
    record.valid_from = r.optional_date(format_args!("{at}.valid_from"), &w.valid_from);
    record.valid_until = r.optional_date(format_args!("{at}.valid_until"), &w.valid_until);
    record.attributes = w.attributes.into_iter().collect();
    Some(record)
}

fn read_detail(r: &mut Reader, at: &str, detail: v1::record::Detail) -> Detail {
    use v1::record::Detail as Wire;
    match detail {
        Wire::Need(d) => Detail::Need(domain::Need {
            background: d.background,
            problem: d.problem,
            targets: d.targets,
            budget: d.budget.map(amount),
            deadline: r.optional_date(format_args!("{at}.need.deadline"), &d.deadline),
            cooperation_modes: r.words(
                format_args!("{at}.need.cooperation_modes"),
                &d.cooperation_modes,
            ),
            least_readiness: d
                .least_readiness
                .and_then(|x| read_readiness(r, &format!("{at}.need.least_readiness"), x)),
            stage: r.word(format_args!("{at}.need.stage"), d.stage),
            contact: contact(d.contact),
        }),
        Wire::Enterprise(d) => Detail::Enterprise(domain::Enterprise {
            business: d.business,
            products: d.products,
            scale: d.scale,
            contact: contact(d.contact),
        }),
        Wire::Expert(d) => Detail::Expert(read_expert(r, at, d)),
        Wire::Society(d) => Detail::Society(domain::Society {
            scope: d.scope,
            services: d.services,
            group: d.group,
            contact: contact(d.contact),
        }),
        Wire::Achievement(d) => Detail::Achievement(domain::Achievement {
            summary: d.r#abstract,
            holder: d.holder,
            readiness: d
                .readiness
                .and_then(|x| read_readiness(r, &format!("{at}.achievement.readiness"), x)),
            indices: d.indices,
            application: d.application,
            ip_form: r.word(format_args!("{at}.achievement.ip_form"), d.ip_form),
            price: d.price.map(amount),
            cooperation_modes: r.words(
                format_args!("{at}.achievement.cooperation_modes"),
                &d.cooperation_modes,
            ),
            contact: contact(d.contact),
        }),
        Wire::Institution(d) => Detail::Institution(domain::Institution {
            institution_kind: r.word(
                format_args!("{at}.institution.institution_kind"),
                d.institution_kind,
            ),
            profile: d.profile,
            services: d.services,
            contact: contact(d.contact),
        }),
    }
}

fn read_expert(r: &mut Reader, at: &str, d: v1::Expert) -> domain::Expert {
    let availability = d
        .availability
        .iter()
        .enumerate()
        .filter_map(|(i, a)| {
            let from = r.date(format_args!("{at}.expert.availability[{i}].from"), &a.from);
            let until = r.date(
                format_args!("{at}.expert.availability[{i}].until"),
                &a.until,
            );
            Some(domain::Availability {
                from: from?,
                until: until?,
            })
        })
        .collect();
    domain::Expert {
        research: d.research,
        profile: d.profile,
        professional_title: d.professional_title,
        honours: d.honours,
        expert_kind: r.word(format_args!("{at}.expert.expert_kind"), d.expert_kind),
        services: d.services,
        capacity: d.capacity.map(|c| domain::Capacity {
            meetings: r.natural(format_args!("{at}.expert.capacity.meetings"), c.meetings),
            engagements: r.natural(
                format_args!("{at}.expert.capacity.engagements"),
                c.engagements,
            ),
        }),
        travel: d.travel.map(|t| domain::Travel {
            regions: r.codes(format_args!("{at}.expert.travel.regions"), &t.regions),
            km: r.natural(format_args!("{at}.expert.travel.km"), t.km),
        }),
        availability,
        opt_out: d.opt_out,
        consent: d.consent.map(|c| domain::Consent {
            purpose: c.purpose,
            given: r.optional_date(format_args!("{at}.expert.consent.given"), &c.given),
            until: r.optional_date(format_args!("{at}.expert.consent.until"), &c.until),
        }),
        contact: contact(d.contact),
    }
}

pub(super) fn read_readiness(
    r: &mut Reader,
    at: &str,
    w: v1::Readiness,
) -> Option<domain::Readiness> {
    let scale = r.required_word::<domain::ReadinessScale>(format_args!("{at}.scale"), w.scale)?;
    // A level no scale has is told apart by the scale's own message.
    let level = u8::try_from(w.level).unwrap_or(0);
    domain::Readiness::new(level, scale)
        .map_err(|e| r.note_code(format_args!("{at}.level"), e))
        .ok()
}

fn amount(w: v1::AmountRange) -> domain::AmountRange {
    domain::AmountRange {
        min: w.min,
        max: w.max,
    }
}

fn contact(w: Option<v1::Contact>) -> Option<domain::Contact> {
    w.map(|c| domain::Contact {
        name: c.name,
        phone: c.phone,
        email: c.email,
        address: c.address,
    })
}

/// The wire's path of a field that a rule of the domain names (`budget` of a need is
/// `record.need.budget`).
pub(crate) fn wire_path(at: &str, kind: Kind, field: &str) -> String {
    const COMMON: [&str; 15] = [
        "title",
        "passages",
        "keywords",
        "industries",
        "disciplines",
        "region",
        "language",
        "organisation",
        "links",
        "conflicts",
        "visibility",
        "released",
        "valid_from",
        "valid_until",
        "attributes",
    ];
    let head = field.split(['.', '[']).next().unwrap_or(field);
    if field == "record" {
        at.to_owned()
    } else if COMMON.contains(&head) {
        format!("{at}.{field}")
    } else {
        format!("{at}.{kind}.{field}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(name: &str, need: v1::Need) -> v1::Record {
        v1::Record {
            name: name.into(),
            detail: Some(v1::record::Detail::Need(need)),
            ..Default::default()
        }
    }

    fn fields(wire: v1::Record) -> Vec<String> {
        read_record("record", wire, None)
            .map(|_| Vec::new())
            .unwrap_or_else(|v| v.into_iter().map(|v| v.field).collect())
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let mut bad = need(
            "tenants/t/needs/n",
            v1::Need {
                deadline: "2026-02-30".into(),
                cooperation_modes: vec![1, 0, 99],
                least_readiness: Some(v1::Readiness {
                    level: 300,
                    scale: v1::ReadinessScale::Trl as i32,
                }),
                stage: -1,
                ..Default::default()
            },
        );
        bad.region = "999999".into();
        bad.links = vec![v1::Link::default()];
        assert_eq!(
            fields(bad),
            [
                "record.need.deadline",
                "record.need.cooperation_modes[1]",
                "record.need.cooperation_modes[2]",
                "record.need.least_readiness.level",
                "record.need.stage",
                "record.region",
                "record.links[0].relation",
            ]
        );
    }

    #[test]
    fn name_and_detail_have_to_agree() {
        assert_eq!(
            fields(need("tenants/t/experts/n", v1::Need::default())),
            ["record.name"]
        );
        assert_eq!(
            fields(need("needs/n", v1::Need::default())),
            ["record.name"]
        );
        let bare = v1::Record {
            name: "tenants/t/needs/n".into(),
            ..Default::default()
        };
        assert_eq!(fields(bare), ["record.detail"]);
    }

    #[test]
    fn rules_of_the_domain_get_paths_of_the_wire() {
        assert_eq!(
            wire_path("record", Kind::Need, "budget"),
            "record.need.budget"
        );
        assert_eq!(
            wire_path("records[3]", Kind::Need, "passages[1].text"),
            "records[3].passages[1].text"
        );
        assert_eq!(wire_path("record", Kind::Expert, "record"), "record");
    }
}
