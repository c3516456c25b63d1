//! Values with a structure of their own: the objects of the domain's JSON form, in a jsonl file or
//! as JSON in a cell.

use super::{Draft, Given, Value, wrong_shape};
use crate::{
    columns::{
        Field::{self, *},
        header::{self, Half},
    },
    error::bi,
    values::{Splitter, read_dates, read_regions, split},
};
use queqiao_domain::{
    AmountRange, Availability, Bilingual, Capacity, Consent, Contact, Detail, Link, Organisation,
    Passage, Readiness, Record, Travel, refused_field,
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

fn expected(field: Field) -> Bilingual {
    let form = match field {
        Passages => r#"[{"title": "…", "text": "…"}]"#,
        Links => {
            r#"[{"relation": "member_of", "target": "…"}] (member_of, works_at, made_by, owned_by, worked_with)"#
        }
        Attributes => r#"{"name": "value"}"#,
        ContactJson => r#"{"name": "…", "phone": "…", "email": "…", "address": "…"}"#,
        OrganisationName => r#"{"name": "…", "uscc": "…"}"#,
        Budget | Price => r#"{"min": 50, "max": 200} (万元)"#,
        LeastReadiness | ReadinessLevel => r#"{"level": 6, "scale": "trl"} (trl, mrl, irl, stage)"#,
        CapacityJson => r#"{"meetings": 5, "engagements": 2}"#,
        TravelRegions => r#"{"regions": ["440000"], "km": 300}"#,
        _ => r#"[{"from": "2026-11-01", "until": "2026-11-30"}]"#,
    };
    bi(format!("expected {form}"), format!("应为 {form}"))
}

impl Draft<'_> {
    /// Reads a numbered column (`代表论文2摘要`) into the passage of its number. False when the
    /// column is not numbered.
    fn numbered(&mut self, g: &Given, r: &mut Record) -> bool {
        let keys = header::read(&g.at.name).keys;
        let Some((number, half)) = keys.iter().find_map(|k| header::numbered_passage(k)) else {
            return false;
        };
        let Some(text) = self.plain(Passages, g) else {
            return true;
        };
        let at = match self.numbered.iter().find(|(n, _)| *n == number) {
            Some((_, at)) => *at,
            None => {
                r.passages.push(Passage::default());
                self.numbered.push((number, r.passages.len() - 1));
                r.passages.len() - 1
            }
        };
        let passage = &mut r.passages[at];
        let to = match half {
            Half::Title => &mut passage.title,
            Half::Text => &mut passage.text,
            Half::Either if text.chars().count() <= 200 => &mut passage.title,
            Half::Either => &mut passage.text,
        };
        if to.is_empty() {
            *to = text;
        } else {
            to.push('\n');
            to.push_str(&text);
        }
        true
    }

    /// Reads a value that has a structure of its own. False when the value is plain and the field
    /// reads plain values too.
    pub(super) fn fill_structured(&mut self, field: Field, g: &Given, r: &mut Record) -> bool {
        let json = match &g.value {
            Value::Json(v) => Some(v.clone()),
            Value::Text(t) if t.starts_with(['[', '{']) && takes_json(field) => {
                serde_json::from_str(t).ok()
            }
            _ => None,
        };
        match (field, json) {
            (Passages, Some(Json::Array(items))) => {
                for item in items {
                    match item {
                        Json::String(text) => r.passages.push(Passage {
                            title: String::new(),
                            text,
                        }),
                        item => {
                            if let Some(p) = self.shape::<Passage>(field, g, item) {
                                r.passages.push(p);
                            }
                        }
                    }
                }
            }
            (Passages, _) if self.numbered(g, r) => {}
            (Passages, _) => {
                // Titles of papers, one a line; a long piece is prose.
                for entry in self
                    .plain(field, g)
                    .map_or_else(Vec::new, |t| split(&t, Splitter::Sentences))
                {
                    r.passages.push(if entry.chars().count() <= 200 {
                        Passage {
                            title: entry,
                            text: String::new(),
                        }
                    } else {
                        Passage {
                            title: String::new(),
                            text: entry,
                        }
                    });
                }
            }
            (Links, Some(Json::Null)) => {}
            (Links, Some(v)) => {
                if let Some(l) = self.shape::<Vec<Link>>(field, g, v) {
                    r.links.extend(l);
                }
            }
            (Attributes, Some(Json::Null)) => {}
            (Attributes, Some(Json::Object(map))) => {
                for (name, v) in map {
                    // Refused by name, as a column of its own would be.
                    if refused_field(&name).is_none() {
                        let text = super::scalar(&v);
                        self.attribute_columns.insert(name.clone(), g.at.clone());
                        self.attributes.insert(name, text);
                    }
                }
            }
            (Links | Attributes, _) => {
                let text = self.plain(field, g).unwrap_or_default();
                let why = wrong_shape("no such JSON / 不是该结构的 JSON", expected(field));
                self.refuse(Some(g.at.clone()), Some(field.path()), &text, false, why);
            }
            (ContactJson, Some(v @ Json::Object(_))) => {
                if let Some(c) = self.shape::<Contact>(field, g, v) {
                    self.contact = c;
                }
            }
            (OrganisationName, Some(v @ Json::Object(_))) => {
                if let Some(o) = self.shape::<Organisation>(field, g, v) {
                    self.organisation = Some(o);
                }
            }
            (Budget | Price, Some(v @ Json::Object(_))) => {
                if let Some(a) = self.shape::<AmountRange>(field, g, v) {
                    match &mut r.detail {
                        Detail::Need(d) => d.budget = Some(a),
                        Detail::Achievement(d) => d.price = Some(a),
                        _ => {}
                    }
                }
            }
            (LeastReadiness | ReadinessLevel, Some(v @ Json::Object(_))) => {
                if let Some(x) = self.shape::<Readiness>(field, g, v) {
                    match &mut r.detail {
                        Detail::Need(d) => d.least_readiness = Some(x),
                        Detail::Achievement(d) => d.readiness = Some(x),
                        _ => {}
                    }
                }
            }
            (CapacityJson, Some(v @ Json::Object(_))) => {
                if let (Some(c), Detail::Expert(d)) =
                    (self.shape::<Capacity>(field, g, v), &mut r.detail)
                {
                    d.capacity = Some(c);
                }
            }
            (TravelRegions, Some(v @ Json::Object(_))) => {
                if let (Some(t), Detail::Expert(d)) =
                    (self.shape::<Travel>(field, g, v), &mut r.detail)
                {
                    d.travel = Some(t);
                }
            }
            (ConsentPurpose, Some(v @ Json::Object(_))) => {
                if let (Some(c), Detail::Expert(d)) =
                    (self.shape::<Consent>(field, g, v), &mut r.detail)
                {
                    d.consent = Some(c);
                }
            }
            (TravelRegions, json) => self.travel(field, g, json, r),
            (AvailabilityDays, Some(Json::Array(items))) if items.iter().any(Json::is_object) => {
                if let (Some(a), Detail::Expert(d)) = (
                    self.shape::<Vec<Availability>>(field, g, Json::Array(items)),
                    &mut r.detail,
                ) {
                    d.availability = a;
                }
            }
            (AvailabilityDays, _) => {
                let entries = self
                    .plain(field, g)
                    .map_or_else(Vec::new, |t| split(&t, Splitter::Words));
                let text = entries.join("；");
                if let (false, Some(a), Detail::Expert(d)) = (
                    entries.is_empty(),
                    self.parse(field, g, &text, |_| read_dates(&entries)),
                    &mut r.detail,
                ) {
                    d.availability = a;
                }
            }
            _ => return false,
        }
        true
    }

    fn travel(&mut self, field: Field, g: &Given, json: Option<Json>, r: &mut Record) {
        let entries = match json {
            Some(Json::Array(a)) => a.iter().map(super::scalar).collect(),
            _ => self
                .plain(field, g)
                .map_or_else(Vec::new, |t| split(&t, Splitter::Words)),
        };
        for e in entries {
            if let (Some(t), Detail::Expert(d)) = (
                self.parse(field, g, &e, |e| read_regions(&[e.to_owned()])),
                &mut r.detail,
            ) {
                let travel = d.travel.get_or_insert_default();
                travel.regions.extend(t.regions);
                travel.km = t.km.or(travel.km);
            }
        }
    }

    fn shape<T: DeserializeOwned>(&mut self, field: Field, g: &Given, v: Json) -> Option<T> {
        let shown = v.to_string();
        match serde_json::from_value(v) {
            Ok(x) => Some(x),
            Err(e) => {
                // serde quotes the value it could not read, and a contact must not be quoted.
                let why = crate::issue::shown_value(&e.to_string(), field.is_sealed());
                let r = wrong_shape(&why, expected(field));
                self.refuse(
                    Some(g.at.clone()),
                    Some(field.path()),
                    &shown,
                    field.is_sealed(),
                    r,
                );
                None
            }
        }
    }
}

/// True for the fields whose cells may hold JSON.
fn takes_json(field: Field) -> bool {
    matches!(
        field,
        Passages
            | Links
            | Attributes
            | ContactJson
            | CapacityJson
            | ConsentPurpose
            | TravelRegions
            | AvailabilityDays
    )
}
