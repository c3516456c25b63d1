//! What of a record a filter can see.

use crate::{
    AmountRange, Availability, CooperationMode, Date, Detail, DisciplineCode, ExpertKind,
    IndustryCode, InstitutionKind, IpForm, Kind, Language, NeedStage, Organisation, Readiness,
    Record, RecordId, RegionCode, Relation, Visibility,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The filterable fields of a record: all of it but the long texts and the contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    /// The caller's id.
    pub id: RecordId,
    /// Kind.
    pub kind: Kind,
    /// Title or name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Keywords.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Industries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub industries: Vec<IndustryCode>,
    /// Disciplines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disciplines: Vec<DisciplineCode>,
    /// Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionCode>,
    /// Language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Owner organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Organisation>,
    /// Societies the record is a member of: names or ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub societies: Vec<String>,
    /// Ids or names of those it belongs to: employer, owner, maker.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub belongs_to: Vec<String>,
    /// Ids or names of those it has worked with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worked_with: Vec<String>,
    /// Declared conflicts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Visibility.
    #[serde(default)]
    pub visibility: Visibility,
    /// First valid day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Last valid day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Further columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Readiness, or the least readiness asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
    /// Cooperation modes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cooperation_modes: Vec<CooperationMode>,
    /// Kind of expert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expert_kind: Option<ExpertKind>,
    /// Kind of institution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution_kind: Option<InstitutionKind>,
    /// Form of intellectual property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_form: Option<IpForm>,
    /// Stage of a need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<NeedStage>,
    /// Budget, 万元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<AmountRange>,
    /// Price, 万元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<AmountRange>,
    /// Deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Date>,
    /// Days on which an expert is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub availability: Vec<Availability>,
    /// Engagements that an expert takes on at one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagements: Option<u32>,
    /// Standing of an expert, 1 to 4 ([`crate::Expert::standing`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<u8>,
    /// An expert who opted out of automated matching.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opt_out: bool,
    /// An expert whose consent is on record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consented: bool,
    /// The last day on which an expert's consent holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_until: Option<Date>,
    /// The day on which the record was last written, in UTC, where whoever keeps it tells; a record
    /// itself does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Date>,
}

impl Facets {
    /// The facets of a record.
    pub fn of(r: &Record) -> Self {
        let mut f = Facets {
            id: r.id.clone(),
            kind: r.kind(),
            title: r.title.clone(),
            keywords: r.keywords.clone(),
            industries: r.industries.clone(),
            disciplines: r.disciplines.clone(),
            region: r.region,
            language: r.language,
            organisation: r.organisation.clone(),
            societies: Vec::new(),
            belongs_to: Vec::new(),
            worked_with: Vec::new(),
            conflicts: r.conflicts.clone(),
            visibility: r.visibility,
            valid_from: r.valid_from,
            valid_until: r.valid_until,
            attributes: r.attributes.clone(),
            readiness: None,
            cooperation_modes: Vec::new(),
            expert_kind: None,
            institution_kind: None,
            ip_form: None,
            stage: None,
            budget: None,
            price: None,
            deadline: None,
            availability: Vec::new(),
            engagements: None,
            standing: None,
            opt_out: false,
            consented: false,
            consent_until: None,
            changed: None,
        };
        for l in &r.links {
            match l.relation {
                Relation::MemberOf => f.societies.push(l.target.clone()),
                Relation::WorkedWith => f.worked_with.push(l.target.clone()),
                Relation::WorksAt | Relation::MadeBy | Relation::OwnedBy => {
                    f.belongs_to.push(l.target.clone());
                }
            }
        }
        match &r.detail {
            Detail::Need(d) => {
                f.readiness = d.least_readiness;
                f.cooperation_modes.clone_from(&d.cooperation_modes);
                f.stage = d.stage;
                f.budget = d.budget;
                f.deadline = d.deadline;
            }
            Detail::Expert(d) => {
                f.expert_kind = d.expert_kind;
                f.availability.clone_from(&d.availability);
                f.engagements = d.capacity.and_then(|c| c.engagements);
                f.standing = d.standing();
                f.opt_out = d.opt_out;
                f.consented = d.consent.is_some();
                f.consent_until = d.consent.as_ref().and_then(|c| c.until);
            }
            Detail::Achievement(d) => {
                f.readiness = d.readiness;
                f.cooperation_modes.clone_from(&d.cooperation_modes);
                f.ip_form = d.ip_form;
                f.price = d.price;
            }
            Detail::Institution(d) => f.institution_kind = d.institution_kind,
            Detail::Enterprise(_) | Detail::Society(_) => {}
        }
        f
    }

    /// True when the record may be matched on `day`.
    pub fn is_valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|d| d <= day) && self.valid_until.is_none_or(|d| day <= d)
    }
}
