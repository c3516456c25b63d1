//! What is shown of a sealed record, step by step.

use super::{Detail, Record, Visibility};
use crate::{Facets, Kind};
use serde::{Deserialize, Serialize};

/// How much of a sealed record somebody may read. Each step shows what those before it show.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DisclosureStage {
    /// Its field, its region and the clauses that its owner released. Everyone it is matched with.
    #[default]
    Clauses,
    /// All that it says, but not whose it is.
    Text,
    /// Whose it is, too. The contact stays sealed by itself.
    Owner,
}

impl DisclosureStage {
    /// All stages, in order.
    pub const ALL: [DisclosureStage; 3] = [
        DisclosureStage::Clauses,
        DisclosureStage::Text,
        DisclosureStage::Owner,
    ];

    /// The name in files and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            DisclosureStage::Clauses => "clauses",
            DisclosureStage::Text => "text",
            DisclosureStage::Owner => "owner",
        }
    }
}

impl Record {
    /// The record as somebody sees it to whom it is disclosed so far: a sealed one without the rest,
    /// any other as it is.
    ///
    /// [`DisclosureStage::Text`] leaves out organisation, links, conflicts, attributes, an achievement's holder and the name of
    /// anyone but a need or an achievement; of a text that names its owner, nothing is cut.
    #[must_use]
    pub fn seen_at(mut self, stage: DisclosureStage) -> Record {
        if self.visibility != Visibility::Sealed {
            return self;
        }
        if stage == DisclosureStage::Clauses {
            let mut seen = Record::new(self.id, self.detail.kind());
            seen.industries = self.industries;
            seen.disciplines = self.disciplines;
            seen.region = self.region;
            seen.visibility = self.visibility;
            seen.released = self.released;
            seen.valid_from = self.valid_from;
            seen.valid_until = self.valid_until;
            return seen;
        }
        if !stage.shows_title(self.kind()) {
            self.title.clear();
        }
        if stage == DisclosureStage::Text {
            self.organisation = None;
            self.links.clear();
            self.conflicts.clear();
            self.attributes.clear();
            if let Detail::Achievement(d) = &mut self.detail {
                d.holder.clear();
            }
        }
        self.take_contact();
        self
    }

    /// The released clauses that stand in none of the record's texts: their places in the list.
    pub(super) fn released_elsewhere(&self) -> Vec<usize> {
        if self.released.is_empty() {
            return Vec::new();
        }
        let units = self.units();
        let texts = || units.iter().flat_map(|u| u.parts.iter().chain(&u.name));
        let stands = |c: &str| !c.trim().is_empty() && texts().any(|p| p.text.contains(c));
        let elsewhere = self.released.iter().enumerate();
        elsewhere
            .filter(|(_, c)| !stands(c))
            .map(|(i, _)| i)
            .collect()
    }
}

impl Facets {
    /// What everybody may know of the record: of a sealed one no more than [`DisclosureStage::Clauses`] shows.
    pub fn openly(&self) -> Facets {
        if self.visibility != Visibility::Sealed {
            return self.clone();
        }
        let mut seen = Record::new(self.id.clone(), self.kind);
        seen.industries.clone_from(&self.industries);
        seen.disciplines.clone_from(&self.disciplines);
        seen.region = self.region;
        seen.visibility = self.visibility;
        seen.valid_from = self.valid_from;
        seen.valid_until = self.valid_until;
        Facets::of(&seen)
    }

    /// Whether a condition holds of what everybody may know of the record, so that no filter finds out the rest
    /// word by word.
    pub fn openly_matches(&self, filter: &crate::Filter) -> bool {
        match self.visibility {
            Visibility::Sealed => filter.matches(&self.openly()),
            Visibility::Open | Visibility::Platform => filter.matches(self),
        }
    }
}

impl DisclosureStage {
    /// Whether a title may be shown: the title of a need or an achievement says what it is about, that of anyone
    /// else whose it is.
    pub fn shows_title(self, kind: Kind) -> bool {
        match self {
            DisclosureStage::Clauses => false,
            DisclosureStage::Text => matches!(kind, Kind::Need | Kind::Achievement),
            DisclosureStage::Owner => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckLimits, Filter, Link, Need, Organisation, RecordId, Relation};

    fn need() -> Record {
        let mut r = Record::new(RecordId::new("N-1").unwrap(), Kind::Need);
        r.title = "耐高温固态电解质".into();
        r.region = "440300".parse().ok();
        r.industries = vec!["C3841".parse().unwrap()];
        r.organisation = Some(Organisation {
            name: "岭澜新能源有限公司".into(),
            uscc: None,
        });
        r.links = vec![Link {
            relation: Relation::WorkedWith,
            target: "南粤理工大学".into(),
        }];
        r.attributes.insert("批次".into(), "三".into());
        r.visibility = Visibility::Sealed;
        r.released = vec!["室温电导率≥1 mS/cm".into()];
        r.detail = Detail::Need(Need {
            problem: "现有配方在高温下失效，要求室温电导率≥1 mS/cm，成本不增。".into(),
            ..Need::default()
        });
        r
    }

    #[test]
    fn each_stage_shows_its_part() {
        let words = |stage| serde_json::to_string(&need().seen_at(stage)).unwrap();
        let holds = |text: &str, parts: &[(&str, bool)]| {
            for (part, there) in parts {
                assert_eq!(text.contains(part), *there, "{part} in {text}");
            }
        };
        holds(
            &words(DisclosureStage::Clauses),
            &[
                ("440300", true),
                ("C3841", true),
                ("室温电导率≥1 mS/cm", true),
                ("固态电解质", false),
                ("高温下失效", false),
                ("岭澜", false),
                ("南粤", false),
                ("批次", false),
            ],
        );
        holds(
            &words(DisclosureStage::Text),
            &[
                ("固态电解质", true),
                ("高温下失效", true),
                ("岭澜", false),
                ("南粤", false),
                ("批次", false),
            ],
        );
        assert_eq!(need().seen_at(DisclosureStage::Owner), need());
        let mut person = need();
        person.detail = Detail::Expert(crate::Expert::default());
        assert_eq!(person.clone().seen_at(DisclosureStage::Text).title, "");
        assert_ne!(person.seen_at(DisclosureStage::Owner).title, "");
        let mut open = need();
        open.visibility = Visibility::Open;
        assert_eq!(open.clone().seen_at(DisclosureStage::Clauses), open);
    }

    #[test]
    fn what_is_released_is_the_records_own() {
        let check = |r: Record| r.check(&CheckLimits::default());
        assert!(check(need()).is_ok());
        for words in ["室温电导率≥2 mS/cm", " ", "岭澜新能源有限公司"] {
            let mut r = need();
            r.released.push(words.into());
            let found = check(r).unwrap_err();
            assert_eq!(found[0].field, "released[1]", "{words}");
        }
    }

    #[test]
    fn a_filter_learns_no_more_than_is_shown() {
        let f = Facets::of(&need());
        let holds = |text: &str| f.openly_matches(&Filter::parse(text).unwrap());
        assert!(holds("region : 440000 AND industry : C38"));
        for hidden in [
            "title : 电解质",
            "organisation : 岭澜",
            "attributes.批次 = 三",
        ] {
            let filter = Filter::parse(hidden).unwrap();
            assert!(filter.matches(&f), "{hidden}");
            assert!(!f.openly_matches(&filter), "{hidden}");
        }
    }
}
