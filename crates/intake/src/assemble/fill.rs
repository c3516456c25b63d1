//! How each field reads its values.

use super::{
    Draft, Given,
    scalars::{bad_id, coded},
};
use crate::{
    columns::Field::{self, *},
    id,
    values::{
        Splitter, When, ip_forms, read_bool, read_count, read_language, read_region,
        read_visibility,
    },
};
use queqiao_domain::{Detail, Organisation, Record, Relation};

impl Draft<'_> {
    /// Reads the values given for one field into the record.
    pub(super) fn fill(&mut self, field: Field, given: Vec<Given>, record: &mut Record) {
        for g in given {
            self.fill_one(field, &g, record);
        }
    }

    fn fill_one(&mut self, field: Field, g: &Given, r: &mut Record) {
        if self.fill_structured(field, g, r) {
            return;
        }
        match field {
            Id => self.code(
                field,
                g,
                |t| id::take(t.trim()).map_err(|e| bad_id(&e)),
                |d, v| d.id = Some(v),
            ),
            Title => self.line(field, g, &mut r.title),
            Keywords => self.words(g, field, Splitter::Words, &mut r.keywords),
            Conflicts => self.words(g, field, Splitter::Words, &mut r.conflicts),
            Released => self.words(g, field, Splitter::Sentences, &mut r.released),
            Industries => self.industries(g, r),
            Disciplines => self.disciplines(g, r),
            Region => self.code(field, g, read_region, Draft::meet_region),
            Province | City | District => self.region_part(field, g),
            LanguageName => self.code(field, g, read_language, |_, v| r.language = Some(v)),
            VisibilityName => self.code(field, g, read_visibility, |_, v| r.visibility = v),
            OrganisationName => {
                let mut name = String::new();
                self.line(field, g, &mut name);
                if !name.trim().is_empty() {
                    self.organisation = Some(Organisation { name, uscc: None });
                }
            }
            UsccCode => self.code(field, g, coded, |d, v| d.uscc = Some(v)),
            MemberOf => self.links(g, field, Relation::MemberOf, r),
            WorksAt => self.links(g, field, Relation::WorksAt, r),
            MadeBy => self.links(g, field, Relation::MadeBy, r),
            OwnedBy => self.links(g, field, Relation::OwnedBy, r),
            WorkedWith => self.links(g, field, Relation::WorkedWith, r),
            ValidFrom => self.day(field, g, |_, w| match w {
                When::Day(d) | When::Range(d, _) => r.valid_from = Some(d),
                When::Free => {}
            }),
            ValidUntil => self.day(field, g, |_, w| match w {
                When::Day(d) => r.valid_until = Some(d),
                When::Range(a, b) => {
                    (r.valid_from, r.valid_until) = (r.valid_from.or(Some(a)), Some(b))
                }
                When::Free => {}
            }),
            ContactName | ContactJson => self.contact(g, field, |c| &mut c.name),
            ContactPhone => self.contact(g, field, |c| &mut c.phone),
            ContactEmail => self.contact(g, field, |c| &mut c.email),
            ContactAddress => self.contact(g, field, |c| &mut c.address),
            BudgetMin | PriceMin => self.amount(field, g, |d, a| d.bounds[0] = a.min.or(a.max)),
            BudgetMax | PriceMax => self.amount(field, g, |d, a| d.bounds[1] = a.max.or(a.min)),
            _ => self.fill_detail(field, g, &mut r.detail),
        }
    }

    fn fill_detail(&mut self, field: Field, g: &Given, detail: &mut Detail) {
        match (detail, field) {
            (Detail::Need(d), Background) => self.text(field, g, &mut d.background),
            (Detail::Need(d), Problem) => self.text(field, g, &mut d.problem),
            (Detail::Need(d), Targets) => self.words(g, field, Splitter::Sentences, &mut d.targets),
            (Detail::Need(d), Budget) => self.amount(field, g, |_, a| d.budget = Some(a)),
            (Detail::Need(d), Deadline) => self.day(field, g, |_, w| match w {
                When::Day(x) | When::Range(_, x) => d.deadline = Some(x),
                When::Free => {}
            }),
            (Detail::Need(d), Modes) => self.modes(g, &mut d.cooperation_modes),
            (Detail::Need(d), LeastReadiness) => {
                self.code(field, g, coded, |_, v| d.least_readiness = Some(v))
            }
            (Detail::Need(d), Stage) => self.code(field, g, coded, |_, v| d.stage = Some(v)),
            (Detail::Enterprise(d), Business) => self.text(field, g, &mut d.business),
            (Detail::Enterprise(d), Products) => {
                self.words(g, field, Splitter::Words, &mut d.products)
            }
            (Detail::Enterprise(d), Scale) => self.line(field, g, &mut d.scale),
            (Detail::Expert(d), Research) => self.words(g, field, Splitter::Words, &mut d.research),
            (Detail::Expert(d), Profile) => self.text(field, g, &mut d.profile),
            (Detail::Expert(d), ProfessionalTitle) => {
                self.line(field, g, &mut d.professional_title)
            }
            (Detail::Expert(d), Honours) => self.words(g, field, Splitter::Words, &mut d.honours),
            (Detail::Expert(d), ExpertKindName) => {
                self.code(field, g, coded, |_, v| d.expert_kind = Some(v))
            }
            (Detail::Expert(d), Services) => self.words(g, field, Splitter::Words, &mut d.services),
            (Detail::Expert(d), CapacityJson | Meetings) => {
                self.code(field, g, read_count, |_, n| {
                    d.capacity.get_or_insert(NO_CAPACITY).meetings = Some(n);
                })
            }
            (Detail::Expert(d), Engagements) => self.code(field, g, read_count, |_, n| {
                d.capacity.get_or_insert(NO_CAPACITY).engagements = Some(n);
            }),
            (Detail::Expert(d), TravelKm) => self.code(field, g, read_count, |_, n| {
                d.travel.get_or_insert_default().km = Some(n);
            }),
            (Detail::Expert(d), OptOut) => self.code(field, g, read_bool, |_, v| d.opt_out = v),
            (Detail::Expert(d), ConsentPurpose) => {
                let mut purpose = String::new();
                self.line(field, g, &mut purpose);
                if !purpose.is_empty() {
                    d.consent.get_or_insert_default().purpose = purpose;
                }
            }
            (Detail::Expert(d), ConsentGiven) => self.day(field, g, |_, w| {
                if let When::Day(day) | When::Range(day, _) = w {
                    d.consent.get_or_insert_default().given = Some(day);
                }
            }),
            (Detail::Expert(d), ConsentUntil) => self.day(field, g, |_, w| {
                if let When::Day(day) | When::Range(_, day) = w {
                    d.consent.get_or_insert_default().until = Some(day);
                }
            }),
            (Detail::Society(d), Scope) => self.text(field, g, &mut d.scope),
            (Detail::Society(d), Services) => {
                self.words(g, field, Splitter::Words, &mut d.services)
            }
            (Detail::Society(d), Group) => self.line(field, g, &mut d.group),
            (Detail::Achievement(d), Abstract) => self.text(field, g, &mut d.summary),
            (Detail::Achievement(d), Holder) => self.line(field, g, &mut d.holder),
            (Detail::Achievement(d), ReadinessLevel) => {
                self.code(field, g, coded, |_, v| d.readiness = Some(v))
            }
            (Detail::Achievement(d), Indices) => {
                self.words(g, field, Splitter::Sentences, &mut d.indices)
            }
            (Detail::Achievement(d), Application) => self.text(field, g, &mut d.application),
            (Detail::Achievement(d), IpFormName) => {
                let whole = self.plain(field, g).unwrap_or_default();
                self.code(field, g, ip_forms, |draft, forms| {
                    d.ip_form = forms.first().copied();
                    // One form has a field; the full list is kept beside it.
                    if forms.len() > 1 {
                        draft.keep_words(field, &g.at, &whole);
                    }
                });
            }
            (Detail::Achievement(d), Price) => self.amount(field, g, |_, a| d.price = Some(a)),
            (Detail::Achievement(d), Modes) => self.modes(g, &mut d.cooperation_modes),
            (Detail::Institution(d), InstitutionKindName) => {
                self.code(field, g, coded, |_, v| d.institution_kind = Some(v));
            }
            (Detail::Institution(d), Profile) => self.text(field, g, &mut d.profile),
            (Detail::Institution(d), Services) => {
                self.words(g, field, Splitter::Words, &mut d.services)
            }
            // No column name leads here: the names of a kind are names of its fields.
            _ => {}
        }
    }
}

const NO_CAPACITY: queqiao_domain::Capacity = queqiao_domain::Capacity {
    meetings: None,
    engagements: None,
};
