//! Filters: an AIP-160 subset, checked once, evaluated on a record's [`Facets`].
//!
//! ```text
//! kind = expert AND region : 440000 AND (industry : C39 OR keyword : "电池") AND NOT organisation = "某公司"
//! ```
//!
//! As AIP-160 has it, `OR` binds tighter than `AND`, and a blank between two terms means `AND`.
//! `=` compares a value, `:` asks whether a value holds another: a region or a code its
//! descendants, a text a part. Limits: 10 kB, 100 comparisons, 3 levels of parentheses.

mod facets;
mod parse;

pub use facets::Facets;
pub use parse::{FilterError, FilterLimits};

use crate::{
    AmountRange, CooperationMode, Date, DisciplineCode, ExpertKind, IndustryCode, InstitutionKind,
    IpForm, Kind, Language, NeedStage, Readiness, RegionCode, Visibility,
};
use std::cmp::Ordering;

/// What a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// The caller's id.
    Id,
    /// The kind.
    Kind,
    /// The title or name.
    Title,
    /// The region.
    Region,
    /// Any industry.
    Industry,
    /// Any discipline.
    Discipline,
    /// Any keyword.
    Keyword,
    /// The owner organisation's name or code.
    Organisation,
    /// Any society the record is a member of.
    Society,
    /// The language.
    Language,
    /// The visibility.
    Visibility,
    /// An achievement's readiness, or the least readiness of a need.
    Readiness,
    /// Any cooperation mode.
    CooperationMode,
    /// The kind of expert.
    ExpertKind,
    /// The kind of institution.
    InstitutionKind,
    /// The form of intellectual property.
    IpForm,
    /// A need's stage.
    Stage,
    /// A need's budget, 万元.
    Budget,
    /// An achievement's price, 万元.
    Price,
    /// A need's deadline.
    Deadline,
    /// Valid on a day.
    Valid,
    /// A further column.
    Attribute(String),
}

impl Field {
    /// Names as they stand in a filter; `attributes.NAME` comes on top.
    pub const NAMES: [(&'static str, Field); 21] = [
        ("id", Field::Id),
        ("kind", Field::Kind),
        ("title", Field::Title),
        ("region", Field::Region),
        ("industry", Field::Industry),
        ("discipline", Field::Discipline),
        ("keyword", Field::Keyword),
        ("organisation", Field::Organisation),
        ("society", Field::Society),
        ("language", Field::Language),
        ("visibility", Field::Visibility),
        ("readiness", Field::Readiness),
        ("cooperation_mode", Field::CooperationMode),
        ("expert_kind", Field::ExpertKind),
        ("institution_kind", Field::InstitutionKind),
        ("ip_form", Field::IpForm),
        ("stage", Field::Stage),
        ("budget", Field::Budget),
        ("price", Field::Price),
        ("deadline", Field::Deadline),
        ("valid", Field::Valid),
    ];
}

/// How a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `:`
    Has,
}

/// What a field is compared with, typed by the field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text, lower-cased.
    Text(String),
    /// A kind.
    Kind(Kind),
    /// A region.
    Region(RegionCode),
    /// An industry.
    Industry(IndustryCode),
    /// A discipline.
    Discipline(DisciplineCode),
    /// A readiness.
    Readiness(Readiness),
    /// A cooperation mode.
    CooperationMode(CooperationMode),
    /// A kind of expert.
    ExpertKind(ExpertKind),
    /// A kind of institution.
    InstitutionKind(InstitutionKind),
    /// A form of intellectual property.
    IpForm(IpForm),
    /// A stage.
    Stage(NeedStage),
    /// A language.
    Language(Language),
    /// A visibility.
    Visibility(Visibility),
    /// A number.
    Number(f64),
    /// A day.
    Date(Date),
    /// `*`: the field is present.
    Any,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The left side.
    pub field: Field,
    /// The comparator.
    pub op: Op,
    /// The right side.
    pub value: Value,
}

/// A condition on records.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Filter {
    /// Every record.
    #[default]
    All,
    /// All of these.
    And(Vec<Filter>),
    /// Any of these; none when empty.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// One comparison.
    Compare(Comparison),
}

impl Filter {
    /// Parses an AIP-160 filter; the empty string matches everything.
    ///
    /// # Errors
    /// The first place that does not parse, in characters, with what would be accepted there; a filter that is longer or
    /// deeper than [`FilterLimits`] allow.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        parse::parse(text, &FilterLimits::default())
    }

    /// A comparison built in code. Capitals of a text do not count, as in one that was parsed.
    pub fn compare(field: Field, op: Op, value: Value) -> Filter {
        let value = match value {
            Value::Text(text) => Value::Text(text.to_lowercase()),
            other => other,
        };
        Filter::Compare(Comparison { field, op, value })
    }

    /// Both filters.
    pub fn and(self, other: Filter) -> Filter {
        match (self, other) {
            (Filter::All, f) | (f, Filter::All) => f,
            (Filter::And(mut a), Filter::And(b)) => {
                a.extend(b);
                Filter::And(a)
            }
            (Filter::And(mut a), b) => {
                a.push(b);
                Filter::And(a)
            }
            (a, b) => Filter::And(vec![a, b]),
        }
    }

    /// Any of the values of one field.
    pub fn any_of(field: Field, op: Op, values: impl IntoIterator<Item = Value>) -> Filter {
        Filter::Or(
            values
                .into_iter()
                .map(|v| Filter::compare(field.clone(), op, v))
                .collect(),
        )
    }

    /// Whether a record with these facets passes.
    pub fn matches(&self, f: &Facets) -> bool {
        match self {
            Filter::All => true,
            Filter::And(all) => all.iter().all(|x| x.matches(f)),
            Filter::Or(any) => any.iter().any(|x| x.matches(f)),
            Filter::Not(x) => !x.matches(f),
            Filter::Compare(c) => c.matches(f),
        }
    }
}

impl Comparison {
    /// Whether the facets satisfy the comparison. A missing field satisfies only `!=`.
    pub fn matches(&self, f: &Facets) -> bool {
        match self.op {
            Op::Ne => !self.holds(f, Op::Eq),
            op => self.holds(f, op),
        }
    }

    fn holds(&self, f: &Facets, op: Op) -> bool {
        match &self.field {
            Field::Id => self.text(Some(f.id.as_str()), op),
            Field::Kind => self.is(Some(Value::Kind(f.kind))),
            Field::Title => self.text(Some(&f.title), op),
            Field::Region => match (f.region, &self.value) {
                (Some(r), Value::Region(want)) if op == Op::Has => r.is_within(*want),
                (r, _) => self.is(r.map(Value::Region)),
            },
            Field::Industry => f.industries.iter().any(|i| match &self.value {
                Value::Industry(want) if op == Op::Has => i.is_within(*want),
                _ => self.is(Some(Value::Industry(*i))),
            }),
            Field::Discipline => f.disciplines.iter().any(|d| match &self.value {
                Value::Discipline(want) if op == Op::Has => d.is_within(*want),
                _ => self.is(Some(Value::Discipline(*d))),
            }),
            Field::Keyword => f.keywords.iter().any(|k| self.text(Some(k), op)),
            Field::Organisation => f.organisation.iter().any(|o| {
                self.text(Some(&o.name), op)
                    || o.uscc.is_some_and(|u| self.text(Some(u.as_str()), op))
            }),
            Field::Society => f.societies.iter().any(|s| self.text(Some(s), op)),
            Field::Language => self.is(f.language.map(Value::Language)),
            Field::Visibility => self.is(Some(Value::Visibility(f.visibility))),
            Field::Readiness => match (&self.value, f.readiness) {
                (Value::Readiness(want), Some(has)) => {
                    has.scale() == want.scale() && ordered(op, has.level().cmp(&want.level()))
                }
                (Value::Any, has) => has.is_some(),
                _ => false,
            },
            Field::CooperationMode => f
                .cooperation_modes
                .iter()
                .any(|m| self.is(Some(Value::CooperationMode(*m)))),
            Field::ExpertKind => self.is(f.expert_kind.map(Value::ExpertKind)),
            Field::InstitutionKind => self.is(f.institution_kind.map(Value::InstitutionKind)),
            Field::IpForm => self.is(f.ip_form.map(Value::IpForm)),
            Field::Stage => self.is(f.stage.map(Value::Stage)),
            Field::Budget => self.amount(f.budget, op),
            Field::Price => self.amount(f.price, op),
            Field::Deadline => match (&self.value, f.deadline) {
                (Value::Date(want), Some(has)) => ordered(op, has.cmp(want)),
                (Value::Any, has) => has.is_some(),
                _ => false,
            },
            Field::Valid => match &self.value {
                Value::Date(day) => f.is_valid_on(*day),
                _ => f.valid_from.is_some() || f.valid_until.is_some(),
            },
            Field::Attribute(name) => {
                let has = f.attributes.get(name).map(String::as_str);
                match (has.and_then(|h| h.trim().parse::<f64>().ok()), &self.value) {
                    (Some(h), Value::Number(want)) => {
                        h.partial_cmp(want).is_some_and(|o| ordered(op, o))
                    }
                    (None, Value::Number(want)) => {
                        has.is_some_and(|h| op == Op::Has && h.contains(&want.to_string()))
                    }
                    _ => self.text(has, op),
                }
            }
        }
    }

    fn is(&self, has: Option<Value>) -> bool {
        match (&self.value, has) {
            (Value::Any, has) => has.is_some(),
            (want, Some(has)) => *want == has,
            (_, None) => false,
        }
    }

    fn text(&self, has: Option<&str>, op: Op) -> bool {
        let Some(has) = has.filter(|h| !h.is_empty()) else {
            return false;
        };
        match &self.value {
            Value::Any => true,
            Value::Text(want) => {
                let has = has.to_lowercase();
                match op {
                    Op::Has => has.contains(want.as_str()),
                    op => ordered(op, has.as_str().cmp(want)),
                }
            }
            _ => false,
        }
    }

    /// A range satisfies a comparison when some amount in it does.
    fn amount(&self, has: Option<AmountRange>, op: Op) -> bool {
        let Some(has) = has else { return false };
        let Value::Number(want) = self.value else {
            return self.value == Value::Any;
        };
        let least = has.min.unwrap_or(0.0);
        let most = has.max.unwrap_or(f64::INFINITY);
        match op {
            Op::Eq | Op::Ne | Op::Has => least <= want && want <= most,
            Op::Lt => least < want,
            Op::Le => least <= want,
            Op::Gt => most > want,
            Op::Ge => most >= want,
        }
    }
}

fn ordered(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq | Op::Has => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
    }
}
