//! Records, ids, vocabularies and filters of the matchmaking engine.
//!
//! Purpose: one set of checked types that every other crate speaks. Invariant: a value that
//! exists is valid (a [`RegionCode`] is a region of GB/T 2260, a [`Score`] is never NaN, a
//! [`CheckedRecord`] passed every rule), so nothing downstream checks again. This crate does no
//! input or output and knows no other crate of the workspace.

mod bilingual;
mod codes;
mod filter;
mod id;
mod kind;
mod personal;
mod record;
mod score;
mod suggest;

pub use bilingual::{Bilingual, Lang};
pub use codes::{
    CodeError, DisciplineCode, IndustryCode, Readiness, ReadinessScale, RegionCode, RegionLevel,
    Uscc,
};
pub use filter::{Comparison, Facets, Field, Filter, FilterError, FilterLimits, Op, Value};
pub use id::{IdError, RecordId, ResourceName, TenantId};
pub use kind::Kind;
pub use personal::{CitizenIdHit, RefusedField, find_citizen_id, refused_field};
pub use record::{
    Achievement, AmountRange, Availability, Capacity, CheckLimits, CheckedRecord, Consent, Contact,
    CooperationMode, Detail, DisclosureStage, Enterprise, Expert, ExpertKind, Institution,
    InstitutionKind, IpForm, Language, Link, Need, NeedStage, Organisation, Part, Passage, Record,
    Relation, Society, Travel, Unit, Violation, Visibility, parse_date,
};
pub use score::Score;
pub use suggest::{did_you_mean, nearest};

/// A calendar day without a time zone, as records carry it (`valid_from`, `deadline`).
pub use jiff::civil::Date;
