//! A record as the cells of one row.

use super::ExportOptions;
use crate::{
    Cell,
    assemble::JSON_PREFIX,
    columns::{
        Field, Use, export_names, header, header_score, kind_of_columns, kind_of_name, one_column,
    },
    id,
    values::{Splitter, is_free, split, write_amount},
};
use queqiao_domain::{
    AmountRange, Availability, CooperationMode, Date, Detail, Kind, Lang, Language, Readiness,
    Record, RegionCode, Relation, Visibility,
};
use serde_json::Value as Json;
use std::cmp::Ordering;

/// A column of an exported table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Field(Field),
    Attribute(String),
}

impl Key {
    fn rank(&self) -> (u8, Option<Field>, &str) {
        match self {
            Key::Attribute(name) => (8, None, name),
            Key::Field(f) => {
                let group = match f {
                    Field::Id => 0,
                    Field::Title => 1,
                    Field::OrganisationName | Field::UsccCode => 3,
                    Field::Passages | Field::Links => 6,
                    f if f.is_sealed() => 7,
                    Field::Attributes => 9,
                    f if *f >= Field::Background => 2,
                    _ => 4,
                };
                (group, Some(*f), "")
            }
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The words for kinds in exported tables.
pub(super) mod kind_text {
    use super::{Field, Kind, Lang, export_names};

    pub(in super::super) fn header(lang: Lang) -> &'static str {
        let (zh, en) = export_names(Kind::Need, Field::KindName);
        if lang == Lang::Zh { zh } else { en }
    }

    pub(in super::super) fn value(kind: Kind, lang: Lang) -> &'static str {
        if lang == Lang::Zh {
            kind.zh()
        } else {
            kind.as_str()
        }
    }

    pub(in super::super) fn sheet(kind: Kind, lang: Lang) -> &'static str {
        if lang == Lang::Zh {
            kind.zh()
        } else {
            kind.collection()
        }
    }
}

/// The header of a column.
pub(super) fn header_of(kind: Kind, key: &Key, lang: Lang) -> String {
    match key {
        Key::Attribute(name) => name.clone(),
        Key::Field(f) => {
            let (zh, en) = export_names(kind, *f);
            match (lang, f) {
                (Lang::Zh, Field::Budget | Field::Price) => format!("{zh}（万元）"),
                (Lang::En, Field::Budget | Field::Price) => format!("{en} (万元)"),
                (Lang::Zh, _) => zh.to_owned(),
                (Lang::En, _) => en.to_owned(),
            }
        }
    }
}

/// True when a sheet named after the kind, with this header, is read as that kind.
pub(super) fn tells_kind(kind: Kind, headers: &[String]) -> bool {
    let read: Vec<header::Header> = headers.iter().map(|h| header::read(h)).collect();
    let strength = |k| header_score(headers.iter().map(String::as_str), Some(k));
    debug_assert_eq!(kind_of_name(kind.zh()), Some(kind));
    kind_of_columns(&read).is_none_or(|by| by == kind || strength(by) <= strength(kind))
}

struct Flat<'a> {
    kind: Kind,
    lang: Lang,
    cells: Vec<(Key, Cell)>,
    free: &'a dyn Fn(&str) -> bool,
}

/// The cells of a record, one for each field that holds something. `free` says whether there is
/// room for an attribute's own column.
pub(super) fn flatten(
    r: &Record,
    options: &ExportOptions,
    free: impl Fn(&str) -> bool,
) -> Vec<(Key, Cell)> {
    let mut f = Flat {
        kind: r.kind(),
        lang: options.lang,
        cells: Vec::new(),
        free: &free,
    };
    f.put(Field::Id, id::shown(&r.id));
    f.line(Field::Title, &r.title);
    f.list(Field::Keywords, &r.keywords, Splitter::Words);
    f.codes(
        Field::Industries,
        r.industries.iter().map(|i| match options.lang {
            Lang::Zh => format!("{} {}", i.code(), i.name()),
            Lang::En => i.code().to_owned(),
        }),
    );
    f.codes(
        Field::Disciplines,
        r.disciplines.iter().map(ToString::to_string),
    );
    if let Some(c) = r.region {
        f.put(Field::Region, region(c, options.lang));
    }
    if let Some(l) = r.language {
        f.put(
            Field::LanguageName,
            match (options.lang, l) {
                (Lang::Zh, Language::Zh) => "中文",
                (Lang::Zh, Language::En) => "英文",
                (Lang::En, l) => l.as_str(),
            },
        );
    }
    if let Some(o) = &r.organisation {
        f.line(Field::OrganisationName, &o.name);
        if let Some(u) = o.uscc {
            f.put(Field::UsccCode, u.as_str());
        }
    }
    f.links(r);
    f.list(Field::Conflicts, &r.conflicts, Splitter::Words);
    match (r.visibility, options.lang) {
        (Visibility::Open, _) => {}
        (v, Lang::En) => f.put(Field::VisibilityName, v.as_str()),
        (Visibility::Platform, Lang::Zh) => f.put(Field::VisibilityName, "平台内"),
        (Visibility::Sealed, Lang::Zh) => f.put(Field::VisibilityName, "密封"),
    }
    f.list(Field::Released, &r.released, Splitter::Sentences);
    f.day(Field::ValidFrom, r.valid_from);
    f.day(Field::ValidUntil, r.valid_until);
    if !r.passages.is_empty() {
        f.json(
            Field::Passages,
            serde_json::to_value(&r.passages).unwrap_or_default(),
        );
    }
    f.detail(&r.detail);
    if options.contact
        && let Some(c) = r.contact()
    {
        f.line(Field::ContactName, &c.name);
        f.line(Field::ContactPhone, &c.phone);
        f.line(Field::ContactEmail, &c.email);
        f.line(Field::ContactAddress, &c.address);
    }
    f.attributes(r);
    f.cells
}

impl Flat<'_> {
    fn put(&mut self, field: Field, text: impl Into<String>) {
        self.cells
            .push((Key::Field(field), Cell::Text(text.into())));
    }

    fn number(&mut self, field: Field, n: impl Into<f64>) {
        self.cells.push((Key::Field(field), Cell::Number(n.into())));
    }

    /// A text as it is, or in JSON where a cell would not give it back.
    fn text(&mut self, field: Field, t: &str) {
        if !t.is_empty() {
            let cell = if is_exact(t) {
                t.to_owned()
            } else {
                in_json(&Json::from(t))
            };
            self.put(field, cell);
        }
    }

    /// A text in which a line break would be taken for layout.
    fn line(&mut self, field: Field, t: &str) {
        if t.contains('\n') {
            self.put(field, in_json(&Json::from(t)));
        } else {
            self.text(field, t);
        }
    }

    fn list(&mut self, field: Field, entries: &[String], by: Splitter) {
        if !entries.is_empty() {
            let joined = entries.join("；");
            let exact = is_exact(&joined) && split(&joined, by) == entries;
            let cell = if exact {
                joined
            } else {
                in_json(&Json::from(entries.to_vec()))
            };
            self.put(field, cell);
        }
    }

    fn codes(&mut self, field: Field, entries: impl Iterator<Item = String>) {
        let joined = entries.collect::<Vec<_>>().join("；");
        if !joined.is_empty() {
            self.put(field, joined);
        }
    }

    fn json(&mut self, field: Field, v: Json) {
        self.put(field, v.to_string());
    }

    fn day(&mut self, field: Field, d: Option<Date>) {
        if let Some(d) = d {
            self.put(field, d.to_string());
        }
    }

    fn amount(&mut self, field: Field, a: Option<AmountRange>) {
        match a {
            Some(AmountRange {
                min: Some(x),
                max: Some(y),
            }) if x == y => self.number(field, x),
            Some(a) => self.put(field, write_amount(a)),
            None => {}
        }
    }

    fn readiness(&mut self, field: Field, r: Option<Readiness>) {
        if let Some(r) = r {
            self.put(
                field,
                format!("{} {}", r.scale().as_str().to_uppercase(), r.level()),
            );
        }
    }

    fn word(&mut self, field: Field, zh_en: Option<(&'static str, &'static str)>) {
        if let Some((zh, en)) = zh_en {
            self.put(field, if self.lang == Lang::Zh { zh } else { en });
        }
    }

    fn modes(&mut self, modes: &[CooperationMode]) {
        let lang = self.lang;
        self.codes(
            Field::Modes,
            modes
                .iter()
                .map(|m| if lang == Lang::Zh { m.zh() } else { m.as_str() }.to_owned()),
        );
    }

    /// A column for each relation when reading them one after the other gives the same list.
    fn links(&mut self, r: &Record) {
        if r.links.is_empty() {
            return;
        }
        const FIELDS: [(Field, Relation); 5] = [
            (Field::MemberOf, Relation::MemberOf),
            (Field::WorksAt, Relation::WorksAt),
            (Field::MadeBy, Relation::MadeBy),
            (Field::OwnedBy, Relation::OwnedBy),
            (Field::WorkedWith, Relation::WorkedWith),
        ];
        let mut plain = true;
        let mut at = 0;
        let mut columns = Vec::new();
        for (field, relation) in FIELDS {
            let targets: Vec<String> = r.links[at..]
                .iter()
                .take_while(|l| l.relation == relation)
                .map(|l| l.target.clone())
                .collect();
            at += targets.len();
            let joined = targets.join("；");
            plain &= targets.is_empty()
                || (is_exact(&joined) && split(&joined, Splitter::Words) == targets);
            plain &= !targets.iter().any(|t| is_free(t));
            if !targets.is_empty() {
                columns.push((field, joined));
            }
        }
        if plain && at == r.links.len() {
            for (field, joined) in columns {
                self.put(field, joined);
            }
        } else {
            self.json(
                Field::Links,
                serde_json::to_value(&r.links).unwrap_or_default(),
            );
        }
    }

    fn detail(&mut self, detail: &Detail) {
        match detail {
            Detail::Need(d) => {
                self.text(Field::Background, &d.background);
                self.text(Field::Problem, &d.problem);
                self.list(Field::Targets, &d.targets, Splitter::Sentences);
                self.amount(Field::Budget, d.budget);
                self.day(Field::Deadline, d.deadline);
                self.modes(&d.cooperation_modes);
                self.readiness(Field::LeastReadiness, d.least_readiness);
                self.word(Field::Stage, d.stage.map(|s| (s.zh(), s.as_str())));
            }
            Detail::Enterprise(d) => {
                self.text(Field::Business, &d.business);
                self.list(Field::Products, &d.products, Splitter::Words);
                self.line(Field::Scale, &d.scale);
            }
            Detail::Expert(d) => {
                self.list(Field::Research, &d.research, Splitter::Words);
                self.text(Field::Profile, &d.profile);
                self.line(Field::ProfessionalTitle, &d.professional_title);
                self.list(Field::Honours, &d.honours, Splitter::Words);
                self.word(
                    Field::ExpertKindName,
                    d.expert_kind.map(|k| (k.zh(), k.as_str())),
                );
                self.list(Field::Services, &d.services, Splitter::Words);
                if let Some(c) = d.capacity {
                    if let Some(n) = c.meetings {
                        self.number(Field::Meetings, n);
                    }
                    if let Some(n) = c.engagements {
                        self.number(Field::Engagements, n);
                    }
                }
                if let Some(t) = &d.travel {
                    let lang = self.lang;
                    self.codes(
                        Field::TravelRegions,
                        t.regions.iter().map(|r| region(*r, lang)),
                    );
                    if let Some(km) = t.km {
                        self.number(Field::TravelKm, km);
                    }
                }
                self.codes(Field::AvailabilityDays, d.availability.iter().map(days));
                if d.opt_out {
                    self.word(Field::OptOut, Some(("是", "yes")));
                }
                if let Some(c) = &d.consent {
                    self.line(Field::ConsentPurpose, &c.purpose);
                    self.day(Field::ConsentGiven, c.given);
                    self.day(Field::ConsentUntil, c.until);
                }
            }
            Detail::Society(d) => {
                self.text(Field::Scope, &d.scope);
                self.list(Field::Services, &d.services, Splitter::Words);
                self.line(Field::Group, &d.group);
            }
            Detail::Achievement(d) => {
                self.text(Field::Abstract, &d.summary);
                self.line(Field::Holder, &d.holder);
                self.readiness(Field::ReadinessLevel, d.readiness);
                self.list(Field::Indices, &d.indices, Splitter::Sentences);
                self.text(Field::Application, &d.application);
                self.word(Field::IpFormName, d.ip_form.map(|i| (i.zh(), i.as_str())));
                self.amount(Field::Price, d.price);
                self.modes(&d.cooperation_modes);
            }
            Detail::Institution(d) => {
                self.word(
                    Field::InstitutionKindName,
                    d.institution_kind.map(|k| (k.zh(), k.as_str())),
                );
                self.text(Field::Profile, &d.profile);
                self.list(Field::Services, &d.services, Splitter::Words);
            }
        }
    }

    fn attributes(&mut self, r: &Record) {
        let mut rest = serde_json::Map::new();
        for (name, value) in &r.attributes {
            if let Some(field) = self.home_of_words(name, value) {
                self.put(field, value.clone());
            } else if value.is_empty() || !is_own_column(self.kind, name) || !(self.free)(name) {
                rest.insert(name.clone(), Json::from(value.clone()));
            } else {
                let cell = if is_exact(value) {
                    value.clone()
                } else {
                    in_json(&Json::from(value.clone()))
                };
                self.cells
                    .push((Key::Attribute(name.clone()), Cell::Text(cell)));
            }
        }
        if !rest.is_empty() {
            self.json(Field::Attributes, Json::Object(rest));
        }
    }

    /// The field in whose column words for "no value" (面议, 长期) came in and go out again.
    fn home_of_words(&self, name: &str, value: &str) -> Option<Field> {
        [
            Field::Budget,
            Field::Price,
            Field::Deadline,
            Field::ValidFrom,
            Field::ValidUntil,
            Field::Modes,
            Field::Region,
            Field::TravelRegions,
        ]
        .into_iter()
        .find(|f| export_names(self.kind, *f).0 == name)
        .filter(|f| {
            is_free(value)
                && is_exact(value)
                && !self.cells.iter().any(|(k, _)| *k == Key::Field(*f))
                && one_column(self.kind, name).0 == Use::Field(*f, None)
        })
    }
}

/// True when a header of this name is read as an attribute of this name.
fn is_own_column(kind: Kind, name: &str) -> bool {
    let h = header::read(name);
    name.len() <= 200
        && !name.is_empty()
        && h.part.is_none()
        && one_column(kind, name).0 == Use::Attribute(name.to_owned())
}

/// True when a cell gives the text back: no white space at the ends, line ends of one kind.
fn is_exact(t: &str) -> bool {
    t.trim().len() == t.len() && !t.contains('\r') && !t.starts_with(JSON_PREFIX) && !t.is_empty()
}

fn in_json(v: &Json) -> String {
    format!("{JSON_PREFIX}{v}")
}

fn region(c: RegionCode, lang: Lang) -> String {
    let name = c.full_name();
    if lang == Lang::Zh && name.parse() == Ok(c) {
        name
    } else {
        c.to_string()
    }
}

fn days(a: &Availability) -> String {
    if a.from == a.until {
        a.from.to_string()
    } else {
        format!("{}~{}", a.from, a.until)
    }
}
