//! Records: what is common to all, and what each kind adds.

mod check;
mod detail;
mod disclosure;
mod units;

pub use check::{CheckLimits, CheckedRecord, Violation};
pub use detail::{
    Achievement, AmountRange, Availability, Capacity, Consent, Contact, CooperationMode, Detail,
    Enterprise, Expert, ExpertKind, Institution, InstitutionKind, IpForm, Need, NeedStage, Society,
    Travel,
};
pub use disclosure::DisclosureStage;
pub use units::{Part, Unit};

use crate::{Date, DisciplineCode, IndustryCode, Kind, RecordId, RegionCode, Uscc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One record: the common fields and the detail of its kind.
///
/// The JSON form is flat: common fields, `kind`, and the kind's own fields side by side. It is
/// the form of `jsonl` files and of the store; fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The caller's own id, unique in the tenant.
    pub id: RecordId,
    /// A need's or achievement's title; the name of a person or organisation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Texts that stand for the record: an expert's papers, a society's services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<Passage>,
    /// Keywords.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Industries of GB/T 4754.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub industries: Vec<IndustryCode>,
    /// Disciplines of GB/T 13745.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disciplines: Vec<DisciplineCode>,
    /// Region of GB/T 2260.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionCode>,
    /// Main language of the texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who owns the record: the enterprise behind a need, the employer of an expert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// Relations to other records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Declared conflicts of interest: ids of records, or names of organisations, that this
    /// record must not be matched with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Who may see it.
    #[serde(default, skip_serializing_if = "Visibility::is_default")]
    pub visibility: Visibility,
    /// Of a sealed record, what everyone it is matched with may read: each verbatim a part of one of
    /// its texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<String>,
    /// First day on which it may be matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Last day on which it may be matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Further columns of the caller's, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What the kind adds.
    #[serde(flatten)]
    pub detail: Detail,
}

impl Record {
    /// An empty record of a kind, to fill in.
    pub fn new(id: RecordId, kind: Kind) -> Self {
        Record {
            id,
            title: String::new(),
            passages: Vec::new(),
            keywords: Vec::new(),
            industries: Vec::new(),
            disciplines: Vec::new(),
            region: None,
            language: None,
            organisation: None,
            links: Vec::new(),
            conflicts: Vec::new(),
            visibility: Visibility::default(),
            released: Vec::new(),
            valid_from: None,
            valid_until: None,
            attributes: BTreeMap::new(),
            detail: Detail::empty(kind),
        }
    }

    /// The record's kind.
    pub fn kind(&self) -> Kind {
        self.detail.kind()
    }

    /// True when the record may be matched on `day`.
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|d| d <= day) && self.valid_until.is_none_or(|d| day <= d)
    }

    /// The contact, where the kind has one.
    pub fn contact(&self) -> Option<&Contact> {
        match &self.detail {
            Detail::Need(d) => d.contact.as_ref(),
            Detail::Enterprise(d) => d.contact.as_ref(),
            Detail::Expert(d) => d.contact.as_ref(),
            Detail::Society(d) => d.contact.as_ref(),
            Detail::Institution(d) => d.contact.as_ref(),
            Detail::Achievement(d) => d.contact.as_ref(),
        }
    }

    /// Takes the sealed contact out of the record.
    pub fn take_contact(&mut self) -> Option<Contact> {
        self.contact_slot().take()
    }

    /// Calls `f` with every text of the record, contact included.
    pub(crate) fn each_text(&mut self, mut f: impl FnMut(&mut String)) {
        f(&mut self.title);
        for p in &mut self.passages {
            f(&mut p.title);
            f(&mut p.text);
        }
        self.keywords.iter_mut().for_each(&mut f);
        if let Some(o) = &mut self.organisation {
            f(&mut o.name);
        }
        self.links.iter_mut().for_each(|l| f(&mut l.target));
        self.conflicts.iter_mut().for_each(&mut f);
        self.released.iter_mut().for_each(&mut f);
        self.attributes.values_mut().for_each(&mut f);
        match &mut self.detail {
            Detail::Need(d) => {
                f(&mut d.background);
                f(&mut d.problem);
                d.targets.iter_mut().for_each(&mut f);
            }
            Detail::Enterprise(d) => {
                f(&mut d.business);
                d.products.iter_mut().for_each(&mut f);
                f(&mut d.scale);
            }
            Detail::Expert(d) => {
                d.research.iter_mut().for_each(&mut f);
                f(&mut d.profile);
                f(&mut d.professional_title);
                d.honours.iter_mut().for_each(&mut f);
                d.services.iter_mut().for_each(&mut f);
                if let Some(c) = &mut d.consent {
                    f(&mut c.purpose);
                }
            }
            Detail::Society(d) => {
                f(&mut d.scope);
                d.services.iter_mut().for_each(&mut f);
                f(&mut d.group);
            }
            Detail::Achievement(d) => {
                f(&mut d.summary);
                f(&mut d.holder);
                d.indices.iter_mut().for_each(&mut f);
                f(&mut d.application);
            }
            Detail::Institution(d) => {
                f(&mut d.profile);
                d.services.iter_mut().for_each(&mut f);
            }
        }
        if let Some(c) = self.contact_slot() {
            f(&mut c.name);
            f(&mut c.phone);
            f(&mut c.email);
            f(&mut c.address);
        }
    }

    fn contact_slot(&mut self) -> &mut Option<Contact> {
        match &mut self.detail {
            Detail::Need(d) => &mut d.contact,
            Detail::Enterprise(d) => &mut d.contact,
            Detail::Expert(d) => &mut d.contact,
            Detail::Society(d) => &mut d.contact,
            Detail::Institution(d) => &mut d.contact,
            Detail::Achievement(d) => &mut d.contact,
        }
    }

    /// Puts a sealed contact into the record.
    pub fn set_contact(&mut self, contact: Option<Contact>) {
        *self.contact_slot() = contact;
    }
}

/// A titled text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Passage {
    /// Title, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Text.
    #[serde(default)]
    pub text: String,
}

/// An organisation by name, with its code where known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name.
    pub name: String,
    /// 统一社会信用代码.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uscc: Option<Uscc>,
}

/// Main language of a record's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// `zh` or `en`.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Zh => "zh",
            Language::En => "en",
        }
    }
}

/// A relation to another record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// How the two are related.
    pub relation: Relation,
    /// The other record's id, or the name of someone who is no record.
    pub target: String,
}

/// How two records are related.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// 所属学会: expert → society.
    MemberOf,
    /// 工作单位: expert → institution or enterprise.
    WorksAt,
    /// 完成人: achievement → expert.
    MadeBy,
    /// 持有单位: achievement → institution.
    OwnedBy,
    /// 曾合作: any → any.
    WorkedWith,
}

impl Relation {
    /// All relations.
    pub const ALL: [Relation; 5] = [
        Relation::MemberOf,
        Relation::WorksAt,
        Relation::MadeBy,
        Relation::OwnedBy,
        Relation::WorkedWith,
    ];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Relation::MemberOf => "member_of",
            Relation::WorksAt => "works_at",
            Relation::MadeBy => "made_by",
            Relation::OwnedBy => "owned_by",
            Relation::WorkedWith => "worked_with",
        }
    }
}

/// Who may see a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Anyone who may use the platform.
    #[default]
    Open,
    /// The platform's staff.
    Platform,
    /// Matched, but of its content only what is disclosed is shown ([`DisclosureStage`]).
    Sealed,
}

impl Visibility {
    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Open => "open",
            Visibility::Platform => "platform",
            Visibility::Sealed => "sealed",
        }
    }

    fn is_default(&self) -> bool {
        *self == Visibility::Open
    }
}

/// Reads a day as people write it: `2026-11-23`, `2026/11/23`, `2026.11.23`, `2026年11月23日`,
/// `20261123`. An Excel serial number is the reader's business, not this function's.
pub fn parse_date(s: &str) -> Option<Date> {
    let text = s.trim();
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    let numbers: Vec<&str> = day
        .split(['-', '/', '.', '年', '月', '日'])
        .filter(|p| !p.is_empty())
        .collect();
    let (y, m, d) = match numbers[..] {
        [y, m, d] if y.len() == 4 => (y, m, d),
        [one] if one.len() == 8 && one.is_ascii() => (&one[..4], &one[4..6], &one[6..]),
        _ => return None,
    };
    Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let day = Date::constant(2026, 11, 23);
        for ok in [
            "2026-11-23",
            "2026/11/23",
            "2026.11.23",
            "2026年11月23日",
            "20261123",
            "2026-11-23T00:00:00",
        ] {
            assert_eq!(parse_date(ok), Some(day), "{ok}");
        }
        for bad in [
            "",
            "2026-13-01",
            "23/11/2026",
            "2026-02-30",
            "明年",
            "2026-11",
            "２０２６１１２３",
        ] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn json_is_flat_and_round_trips() {
        let mut r = Record::new(RecordId::new("N-1").unwrap(), Kind::Need);
        r.title = "高韧性立方氮化硼".into();
        r.region = "440300".parse().ok();
        if let Detail::Need(n) = &mut r.detail {
            n.targets = vec!["抗冲击韧性≥67%".into()];
            n.budget = Some(AmountRange {
                min: Some(100.0),
                max: None,
            });
        }
        let json = serde_json::to_string(&r).unwrap();
        assert_eq!(
            json,
            r#"{"id":"N-1","title":"高韧性立方氮化硼","region":"440300","kind":"need","targets":["抗冲击韧性≥67%"],"budget":{"min":100.0}}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), r);
    }
}
