//! Update masks (AIP-134): which fields a write changes.

use super::{Violations, shown};
use queqiao_domain::Violation;
use queqiao_domain::{Detail, Record, did_you_mean};

/// What a write changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UpdateMask {
    /// Everything.
    All,
    /// The fields of these paths; never empty, and each exists in records of the kind.
    Fields(Vec<String>),
}

/// More paths than all fields of a record together are a mistake.
const MAX_PATHS: usize = 100;

/// Reads a mask for a write of `given`. None, an empty one and `*` mean everything.
pub(crate) fn read_mask(
    mask: Option<prost_types::FieldMask>,
    given: &Record,
) -> Result<UpdateMask, Violations> {
    let paths = mask.map(|m| m.paths).unwrap_or_default();
    if paths.is_empty() || paths == ["*"] {
        return Ok(UpdateMask::All);
    }
    if paths.len() > MAX_PATHS {
        let n = paths.len();
        return Err(vec![Violation::new(
            "update_mask",
            (
                format!("{n} paths are too many"),
                format!("{n} 个路径，过多"),
            ),
            (
                format!("expected at most {MAX_PATHS}, or `*`"),
                format!("至多 {MAX_PATHS} 个，或 `*`"),
            ),
        )]);
    }
    let kind = given.kind();
    // Tried on an empty record: what can be set on it is a path of the kind.
    let blank = || Record::new(given.id.clone(), kind);
    let found: Violations = paths
        .iter()
        .enumerate()
        .filter(|(_, p)| !set(&mut blank(), &mut blank(), p))
        .map(|(i, p)| {
            let near = did_you_mean(p, COMMON);
            Violation::new(
                format!("update_mask.paths[{i}]"),
                (
                    format!(
                        "`{}` is no field of a {kind} that a mask can name",
                        shown(p)
                    ),
                    format!("“{}”不是{}可更新的字段", shown(p), kind.zh()),
                ),
                (
                    format!(
                        "expected `*` alone, one of {}, `{kind}`, or `{kind}.FIELD`{near}",
                        COMMON.join(", ")
                    ),
                    format!(
                        "应为单独的 `*`、{}、`{kind}` 或 `{kind}.字段`",
                        COMMON.join("、")
                    ),
                ),
            )
        })
        .collect();
    if found.is_empty() {
        Ok(UpdateMask::Fields(paths))
    } else {
        Err(found)
    }
}

impl UpdateMask {
    /// `stored` with the fields of the mask taken from `given`; all of `given` when there is
    /// nothing to keep.
    pub(crate) fn merge(&self, mut stored: Record, given: Record) -> Record {
        match self {
            UpdateMask::All => given,
            UpdateMask::Fields(paths) => {
                for path in paths {
                    set(&mut stored, &mut given.clone(), path);
                }
                stored
            }
        }
    }

    /// Whether a contact that is not given stays as it is. A record is read without its contact, so
    /// whoever writes it back cannot send it: only a mask that names it removes it.
    pub(crate) fn keeps_contact(&self) -> bool {
        match self {
            UpdateMask::All => true,
            UpdateMask::Fields(paths) => !paths.iter().any(|p| p.ends_with(".contact")),
        }
    }
}

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

/// Takes the field at `path` from `from`; false when there is no such field in records of the kind.
fn set(to: &mut Record, from: &mut Record, path: &str) -> bool {
    macro_rules! take {
        ($to:expr, $from:expr, $name:expr, [$($key:literal => $field:ident),*]) => {
            match $name {
                $($key => { std::mem::swap(&mut $to.$field, &mut $from.$field); true })*
                _ => false,
            }
        };
    }
    if take!(to, from, path, [
        "title" => title, "passages" => passages, "keywords" => keywords,
        "industries" => industries, "disciplines" => disciplines, "region" => region,
        "language" => language, "organisation" => organisation, "links" => links,
        "conflicts" => conflicts, "visibility" => visibility, "released" => released,
        "valid_from" => valid_from,
        "valid_until" => valid_until, "attributes" => attributes
    ]) {
        return true;
    }
    let kind = to.kind();
    if from.kind() != kind {
        return false;
    }
    if path == kind.as_str() {
        // Not the contact: it has a path of its own.
        let kept = to.take_contact();
        std::mem::swap(&mut to.detail, &mut from.detail);
        to.set_contact(kept);
        return true;
    }
    let Some(name) = path
        .strip_prefix(kind.as_str())
        .and_then(|p| p.strip_prefix('.'))
    else {
        return false;
    };
    match (&mut to.detail, &mut from.detail) {
        (Detail::Need(t), Detail::Need(f)) => take!(t, f, name, [
            "background" => background, "problem" => problem, "targets" => targets,
            "budget" => budget, "deadline" => deadline,
            "cooperation_modes" => cooperation_modes, "least_readiness" => least_readiness,
            "stage" => stage, "contact" => contact
        ]),
        (Detail::Enterprise(t), Detail::Enterprise(f)) => take!(t, f, name, [
            "business" => business, "products" => products, "scale" => scale,
            "contact" => contact
        ]),
        (Detail::Expert(t), Detail::Expert(f)) => take!(t, f, name, [
            "research" => research, "profile" => profile,
            "professional_title" => professional_title, "honours" => honours,
            "expert_kind" => expert_kind, "services" => services, "capacity" => capacity,
            "travel" => travel, "availability" => availability, "opt_out" => opt_out,
            "consent" => consent, "contact" => contact
        ]),
        (Detail::Society(t), Detail::Society(f)) => take!(t, f, name, [
            "scope" => scope, "services" => services, "group" => group, "contact" => contact
        ]),
        (Detail::Achievement(t), Detail::Achievement(f)) => take!(t, f, name, [
            "abstract" => summary, "holder" => holder, "readiness" => readiness,
            "indices" => indices, "application" => application, "ip_form" => ip_form,
            "price" => price, "cooperation_modes" => cooperation_modes, "contact" => contact
        ]),
        (Detail::Institution(t), Detail::Institution(f)) => take!(t, f, name, [
            "institution_kind" => institution_kind, "profile" => profile,
            "services" => services, "contact" => contact
        ]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use queqiao_domain::{Contact, Kind, RecordId};

    fn expert(title: &str, profile: &str, phone: Option<&str>) -> Record {
        let mut r = Record::new(RecordId::new("e").unwrap(), Kind::Expert);
        r.title = title.into();
        if let Detail::Expert(e) = &mut r.detail {
            e.profile = profile.into();
            e.contact = phone.map(|p| Contact {
                phone: p.into(),
                ..Contact::default()
            });
        }
        r
    }

    fn mask(paths: &[&str], given: &Record) -> UpdateMask {
        let paths = paths.iter().map(|p| p.to_string()).collect();
        read_mask(Some(prost_types::FieldMask { paths }), given).unwrap()
    }

    #[test]
    fn only_named_fields_change() {
        // As the engine shows it: without its contact.
        let stored = || expert("甲", "旧", None);
        let given = expert("乙", "新", Some("2"));
        for (paths, expected, keeps) in [
            (&["title"][..], expert("乙", "旧", None), true),
            (&["expert.profile"], expert("甲", "新", None), true),
            (&["expert"], expert("甲", "新", None), true),
            (&["*"], given.clone(), true),
            (&[], given.clone(), true),
            (&["expert.contact"], expert("甲", "旧", Some("2")), false),
            (&["expert", "expert.contact", "title"], given.clone(), false),
        ] {
            let mask = mask(paths, &given);
            assert_eq!(mask.merge(stored(), given.clone()), expected, "{paths:?}");
            assert_eq!(mask.keeps_contact(), keeps, "{paths:?}");
        }
    }

    #[test]
    fn paths_of_other_kinds_are_refused() {
        let given = expert("乙", "新", None);
        for bad in [
            "need.budget",
            "titel",
            "expert.nothing",
            "name",
            "expert.capacity.meetings",
        ] {
            let mask = prost_types::FieldMask {
                paths: vec!["title".into(), bad.into()],
            };
            let found = read_mask(Some(mask), &given).unwrap_err();
            assert_eq!(found[0].field, "update_mask.paths[1]", "{bad}");
        }
    }

    /// Every field of the wire can be named, so that no field is forgotten when one is added.
    #[test]
    fn every_field_of_the_wire_is_a_path() {
        use prost::Message;
        let set =
            prost_types::FileDescriptorSet::decode(queqiao_proto::FILE_DESCRIPTOR_SET).unwrap();
        let messages: Vec<_> = set.file.iter().flat_map(|f| &f.message_type).collect();
        let fields = |name: &str| -> Vec<String> {
            let m = messages.iter().find(|m| m.name() == name).unwrap();
            m.field.iter().map(|f| f.name().to_owned()).collect()
        };
        let fixed = [
            "name",
            "etag",
            "create_time",
            "update_time",
            "delete_time",
            "purge_time",
        ];
        for kind in Kind::ALL {
            let record = || Record::new(RecordId::new("x").unwrap(), kind);
            for f in fields("Record") {
                let own_detail = Kind::ALL.iter().all(|k| k.as_str() != f || *k == kind);
                if !fixed.contains(&f.as_str()) && own_detail {
                    assert!(set_path(&record, &f), "{f}");
                }
            }
            let detail = kind.as_str()[..1].to_uppercase() + &kind.as_str()[1..];
            for f in fields(&detail) {
                assert!(set_path(&record, &format!("{kind}.{f}")), "{kind}.{f}");
            }
        }
    }

    fn set_path(record: &dyn Fn() -> Record, path: &str) -> bool {
        set(&mut record(), &mut record(), path)
    }
}
