//! Filters by bitmaps: for each field that was ever asked about, the records of each content.
//!
//! A comparison looks at one field only, so it gives the same answer for all records whose field
//! has the same content: it is evaluated once per content, on the facets of any of them, by the
//! very code that defines it. A field with too many contents is evaluated per record instead.

use crate::slots::{Slot, Slots};
use queqiao_domain::{Comparison, Facets, Field, Filter};
use roaring::RoaringBitmap;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

/// A field with more contents is not worth a bitmap each.
const MOST_CONTENTS: usize = 8_192;

/// Fields that are kept; names of attributes are free, so somebody has to stop counting.
const MOST_FIELDS: usize = 128;

/// Records of one content.
#[derive(Debug)]
struct Group {
    /// Facets with this content.
    sample: Arc<Facets>,
    slots: RoaringBitmap,
}

/// The contents of one field.
#[derive(Debug)]
enum Contents {
    Groups(HashMap<Vec<u8>, Group>),
    /// More than [`MOST_CONTENTS`].
    Diverse,
}

/// Bitmaps over the records of an index.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    live: RoaringBitmap,
    /// Built when a filter first names the field, kept in step from then on.
    fields: RwLock<HashMap<Field, Contents>>,
}

/// The content of a field, as bytes: equal bytes are equal to every comparison of the field.
fn content(field: &Field, f: &Facets) -> Vec<u8> {
    fn bytes(x: &impl serde::Serialize) -> Vec<u8> {
        serde_json::to_vec(x).unwrap_or_default()
    }
    match field {
        Field::Id => bytes(&f.id),
        Field::Kind => bytes(&f.kind),
        Field::Title => bytes(&f.title),
        Field::Region => bytes(&f.region),
        Field::Industry => bytes(&f.industries),
        Field::Discipline => bytes(&f.disciplines),
        Field::Keyword => bytes(&f.keywords),
        Field::Organisation => bytes(&f.organisation),
        Field::Society => bytes(&f.societies),
        Field::Language => bytes(&f.language),
        Field::Visibility => bytes(&f.visibility),
        Field::Readiness => bytes(&f.readiness),
        Field::CooperationMode => bytes(&f.cooperation_modes),
        Field::ExpertKind => bytes(&f.expert_kind),
        Field::InstitutionKind => bytes(&f.institution_kind),
        Field::IpForm => bytes(&f.ip_form),
        Field::Stage => bytes(&f.stage),
        Field::Budget => bytes(&f.budget),
        Field::Price => bytes(&f.price),
        Field::Deadline => bytes(&f.deadline),
        Field::Valid => bytes(&(&f.valid_from, &f.valid_until)),
        Field::Attribute(name) => bytes(&f.attributes.get(name)),
    }
}

impl Contents {
    fn insert(&mut self, field: &Field, slot: Slot, facets: &Arc<Facets>) {
        let Contents::Groups(groups) = self else {
            return;
        };
        groups
            .entry(content(field, facets))
            .or_insert_with(|| Group {
                sample: Arc::clone(facets),
                slots: RoaringBitmap::new(),
            })
            .slots
            .insert(slot);
        if groups.len() > MOST_CONTENTS {
            *self = Contents::Diverse;
        }
    }

    fn remove(&mut self, field: &Field, slot: Slot, facets: &Facets) {
        if let Contents::Groups(groups) = self {
            let key = content(field, facets);
            if let Some(group) = groups.get_mut(&key) {
                group.slots.remove(slot);
                if group.slots.is_empty() {
                    groups.remove(&key);
                }
            }
        }
    }
}

impl Attributes {
    /// Takes a record that now stands at `slot`.
    pub(crate) fn insert(&mut self, slot: Slot, facets: &Arc<Facets>) {
        self.live.insert(slot);
        let fields = self.fields.get_mut().unwrap_or_else(|e| e.into_inner());
        for (field, contents) in fields {
            contents.insert(field, slot, facets);
        }
    }

    /// Forgets the record that stood at `slot` with these facets.
    pub(crate) fn remove(&mut self, slot: Slot, facets: &Facets) {
        self.live.remove(slot);
        let fields = self.fields.get_mut().unwrap_or_else(|e| e.into_inner());
        for (field, contents) in fields {
            contents.remove(field, slot, facets);
        }
    }

    /// The records that pass a filter; `None` when all do by its form.
    pub(crate) fn select(&self, filter: &Filter, slots: &Slots) -> Option<RoaringBitmap> {
        match filter {
            Filter::All => None,
            _ => Some(self.among(filter, &self.live, slots)),
        }
    }

    /// Those of `within` that pass.
    fn among(&self, filter: &Filter, within: &RoaringBitmap, slots: &Slots) -> RoaringBitmap {
        match filter {
            Filter::All => within.clone(),
            Filter::And(all) => {
                // What bitmaps answer narrows what has to be read record by record.
                let mut order: Vec<&Filter> = all.iter().collect();
                order.sort_by_key(|f| self.read_by_record(f, slots));
                let mut left = within.clone();
                for f in order {
                    if left.is_empty() {
                        break;
                    }
                    left = self.among(f, &left, slots);
                }
                left
            }
            Filter::Or(any) => {
                let mut found = RoaringBitmap::new();
                for f in any {
                    let left = within - &found;
                    found |= self.among(f, &left, slots);
                }
                found
            }
            Filter::Not(f) => within - self.among(f, within, slots),
            Filter::Compare(c) => self.compare(c, within, slots),
        }
    }

    /// True when a filter has a comparison that bitmaps do not answer.
    fn read_by_record(&self, filter: &Filter, slots: &Slots) -> bool {
        match filter {
            Filter::All => false,
            Filter::And(some) | Filter::Or(some) => {
                some.iter().any(|f| self.read_by_record(f, slots))
            }
            Filter::Not(f) => self.read_by_record(f, slots),
            Filter::Compare(c) => self.with(&c.field, slots, |contents| {
                matches!(contents, Contents::Diverse)
            }),
        }
    }

    fn compare(&self, c: &Comparison, within: &RoaringBitmap, slots: &Slots) -> RoaringBitmap {
        let passes = |slot: &Slot| slots.get(*slot).is_some_and(|h| c.matches(&h.facets));
        let of_groups = self.with(&c.field, slots, |contents| match contents {
            Contents::Diverse => None,
            Contents::Groups(groups) => {
                let mut found = RoaringBitmap::new();
                for g in groups.values().filter(|g| c.matches(&g.sample)) {
                    found |= &g.slots;
                }
                Some(found)
            }
        });
        match of_groups {
            Some(found) => found & within,
            None => within.iter().filter(passes).collect(),
        }
    }

    /// Does something with the contents of a field, which are gathered when there are none yet.
    fn with<T>(&self, field: &Field, slots: &Slots, f: impl FnOnce(&Contents) -> T) -> T {
        let fields = self.fields.read().unwrap_or_else(|e| e.into_inner());
        if let Some(contents) = fields.get(field) {
            return f(contents);
        }
        drop(fields);
        let mut gathered = Contents::Groups(HashMap::new());
        for (slot, held) in slots.iter() {
            gathered.insert(field, slot, &held.facets);
            if matches!(gathered, Contents::Diverse) {
                break;
            }
        }
        // Searches share the index, and no change comes in between: whoever gathers gathers the same.
        let mut fields = self.fields.write().unwrap_or_else(|e| e.into_inner());
        if fields.len() >= MOST_FIELDS && !fields.contains_key(field) {
            return f(&gathered);
        }
        f(fields.entry(field.clone()).or_insert(gathered))
    }
}
