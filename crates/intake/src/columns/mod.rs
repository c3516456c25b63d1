//! From column names to fields.

pub(crate) mod field;
pub(crate) mod header;
mod infer;
mod plan;
mod table;

pub(crate) use field::Field;
pub(crate) use infer::{kind_of_columns, kind_of_name, read_kind};
pub(crate) use plan::{Plan, PlanColumn, Use, header_score, one as one_column, report_column};

use queqiao_domain::Kind;
use serde::Serialize;
use std::{collections::HashMap, sync::OnceLock};

/// A field and the rank of the name it was found by: 0 is the field's own name.
pub(crate) type Found = (Field, usize);

fn kind_index(kind: Kind) -> usize {
    Kind::ALL.iter().position(|k| *k == kind).unwrap_or(0)
}

fn tables() -> &'static [HashMap<String, Found>; 6] {
    static TABLES: OnceLock<[HashMap<String, Found>; 6]> = OnceLock::new();
    TABLES.get_or_init(|| {
        Kind::ALL.map(|kind| {
            let mut map = HashMap::new();
            // A kind's own names come first and keep what they took.
            for names in table::of_kind(kind).iter().chain(table::COMMON) {
                for (rank, name) in names.names.iter().enumerate() {
                    map.entry(header::key(name)).or_insert((names.field, rank));
                }
            }
            map
        })
    })
}

/// The field that a name stands for in records of a kind.
pub(crate) fn look_up(kind: Kind, key: &str) -> Option<Found> {
    tables()[kind_index(kind)].get(key).copied()
}

/// The field of the first of a header's keys that is known; else of a contact, when the name
/// speaks of one: what reaches a person must never end among the open attributes.
pub(crate) fn resolve(kind: Kind, header: &header::Header) -> Option<Found> {
    header
        .keys
        .iter()
        .find_map(|k| look_up(kind, k))
        .or_else(|| {
            let numbered = header
                .keys
                .iter()
                .any(|k| header::numbered_passage(k).is_some());
            numbered.then_some((Field::Passages, usize::MAX))
        })
        .or_else(|| {
            let k = header.keys.first()?;
            let has = |words: &[&str]| words.iter().any(|w| k.contains(w));
            let field = if has(&["邮箱", "邮件", "email"]) {
                Field::ContactEmail
            } else if has(&[
                "电话",
                "手机号",
                "联系方式",
                "微信",
                "传真",
                "phone",
                "wechat",
                "手机号码",
            ]) {
                Field::ContactPhone
            } else if has(&["通讯地址", "通信地址", "联系地址", "家庭地址", "邮寄地址"])
            {
                Field::ContactAddress
            } else if has(&["联系人"]) {
                Field::ContactName
            } else {
                return None;
            };
            Some((field, usize::MAX))
        })
}

/// The header under which exported files show a field of a kind, in Chinese and English.
pub(crate) fn export_names(kind: Kind, field: Field) -> (&'static str, &'static str) {
    // An id is called one thing in every kind, so that a table of several kinds has one column.
    let own = if field == Field::Id {
        &[]
    } else {
        table::of_kind(kind)
    };
    own.iter()
        .chain(table::COMMON)
        .find(|n| n.field == field)
        .and_then(|n| Some((*n.names.first()?, n.names.get(1).or(n.names.first())?)))
        .map_or(("", ""), |(zh, en)| (zh, *en))
}

/// A field with the column names it is recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnHelp {
    /// The field's path in the record's JSON form.
    pub field: &'static str,
    /// The Chinese header of exported files.
    pub zh: &'static str,
    /// Every name recognised, the preferred ones first.
    pub names: Vec<&'static str>,
}

/// The columns recognised in files of a kind, for help texts and templates.
pub fn recognised_columns(kind: Kind) -> &'static [ColumnHelp] {
    static HELP: OnceLock<[Vec<ColumnHelp>; 6]> = OnceLock::new();
    &HELP.get_or_init(|| Kind::ALL.map(help))[kind_index(kind)]
}

fn help(kind: Kind) -> Vec<ColumnHelp> {
    let mut out: Vec<ColumnHelp> = Vec::new();
    let mut fields = Vec::new();
    for n in table::of_kind(kind).iter().chain(table::COMMON) {
        let names: Vec<&'static str> = n
            .names
            .iter()
            .copied()
            .filter(|name| look_up(kind, &header::key(name)).is_some_and(|(f, _)| f == n.field))
            .collect();
        if names.is_empty() || n.field.is_aside() {
            continue;
        }
        match fields.iter().position(|f| *f == n.field) {
            Some(i) => {
                let known: Vec<&str> = out[i].names.clone();
                out[i]
                    .names
                    .extend(names.into_iter().filter(|n| !known.contains(n)));
            }
            None => {
                fields.push(n.field);
                out.push(ColumnHelp {
                    field: n.names.get(1).copied().unwrap_or(n.field.path()),
                    zh: n.names[0],
                    names,
                });
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: Kind, name: &str) -> Option<Field> {
        resolve(kind, &header::read(name)).map(|f| f.0)
    }

    #[test]
    fn no_kind_uses_a_name_twice() {
        for kind in Kind::ALL {
            let mut seen: HashMap<String, Field> = HashMap::new();
            for n in table::of_kind(kind) {
                for name in n.names {
                    let old = seen.insert(header::key(name), n.field);
                    assert!(
                        old.is_none_or(|o| o == n.field),
                        "{kind}: {name} is {old:?} and {:?}",
                        n.field
                    );
                }
            }
        }
        let mut seen: HashMap<String, Field> = HashMap::new();
        for n in table::COMMON {
            for name in n.names {
                let old = seen.insert(header::key(name), n.field);
                assert!(old.is_none_or(|o| o == n.field), "{name}");
            }
        }
    }

    #[test]
    fn exported_headers_are_recognised() {
        for kind in Kind::ALL {
            for n in table::of_kind(kind).iter().chain(table::COMMON) {
                let (zh, en) = export_names(kind, n.field);
                assert_eq!(field(kind, zh), Some(n.field), "{kind} {zh}");
                if en != zh {
                    assert_eq!(field(kind, en), Some(n.field), "{kind} {en}");
                }
            }
        }
    }

    #[test]
    fn the_words_of_the_field() {
        use Kind::*;
        for (kind, name, expected) in [
            (Need, "技术需求名称", Some(Field::Title)),
            (Need, "*拟投入资金（万元）", Some(Field::Budget)),
            (Need, "单位名称", Some(Field::OrganisationName)),
            (Enterprise, "单位名称", Some(Field::Title)),
            (Expert, "单位名称", Some(Field::OrganisationName)),
            (Expert, "姓  名", Some(Field::Title)),
            (Expert, "title", Some(Field::Title)),
            (Expert, "职称", Some(Field::ProfessionalTitle)),
            (Expert, "职务", None),
            (Expert, "introduce", Some(Field::Profile)),
            (Achievement, "成果所处阶段", Some(Field::ReadinessLevel)),
            (Achievement, "text", Some(Field::Abstract)),
            (Need, "text", Some(Field::Problem)),
            (Society, "code", Some(Field::Id)),
            (Need, "序号", Some(Field::RowNumber)),
            (Need, "省（自治区、直辖市）", Some(Field::Province)),
            (Need, "项目联系人及手机", Some(Field::ContactName)),
            (Need, "联系人/电话", Some(Field::ContactName)),
            (Need, "负责人电话号码2", Some(Field::ContactPhone)),
            (Need, "错误 / error", Some(Field::ErrorColumn)),
            (Need, "企业员工人数", None),
        ] {
            assert_eq!(field(kind, name), expected, "{kind} {name}");
        }
    }

    #[test]
    fn help_lists_every_field_once() {
        let help = recognised_columns(Kind::Need);
        assert!(
            help.iter()
                .any(|h| h.zh == "拟投入资金" && h.names.contains(&"预算"))
        );
        let ids: Vec<_> = help.iter().filter(|h| h.field == "id").collect();
        assert_eq!(ids.len(), 1);
        assert!(ids[0].names.contains(&"rid"));
    }
}
