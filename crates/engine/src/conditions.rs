//! Who may be matched with whom, whatever the scores say.

use queqiao_domain::{
    Bilingual, Date, Facets, Kind, NeedStage, Organisation, RecordId, Visibility,
};

/// Why a record is kept out of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exclusion {
    /// It is the one that asks.
    Itself,
    /// Its person opted out of automated matching.
    OptedOut,
    /// Its person's consent has ended, or is not on record where it has to be.
    NoConsent,
    /// The need is contracted or closed.
    Closed,
    /// It belongs to the organisation that asks.
    OwnOrganisation,
    /// One of the two declared a conflict with the other.
    Conflict,
}

impl Exclusion {
    pub(crate) fn reason(self) -> Bilingual {
        match self {
            Exclusion::Itself => Bilingual::new("it is the record that asks", "即提问记录本身"),
            Exclusion::OptedOut => Bilingual::new(
                "the expert opted out of automated matching",
                "该专家已退出自动匹配",
            ),
            Exclusion::NoConsent => Bilingual::new(
                "the expert's consent has ended or is not on record",
                "该专家的同意已到期或无同意记录",
            ),
            Exclusion::Closed => {
                Bilingual::new("the need is contracted or closed", "该需求已签约或已关闭")
            }
            Exclusion::OwnOrganisation => Bilingual::new(
                "it belongs to the organisation that asks",
                "属于提问单位自身",
            ),
            Exclusion::Conflict => {
                Bilingual::new("a conflict of interest is declared", "存在已声明的利益冲突")
            }
        }
    }
}

/// The conditions that come with who asks.
pub(crate) struct Conditions<'a> {
    /// The asking record, if it is one.
    pub(crate) asker: Option<&'a Facets>,
    /// Its id, if it is stored.
    pub(crate) stored: Option<&'a RecordId>,
    /// Records of the asker's own organisation may answer.
    pub(crate) own_organisation: bool,
    /// The day on which consent must hold.
    pub(crate) today: Date,
    /// Experts answer only with a consent on record.
    pub(crate) needs_consent: bool,
    /// The caller may read sealed records.
    pub(crate) sees_sealed: bool,
}

impl Conditions<'_> {
    /// Why a record is kept out, if it is.
    pub(crate) fn excludes(&self, has: &Facets) -> Option<Exclusion> {
        if self.stored == Some(&has.id) {
            return Some(Exclusion::Itself);
        }
        if has.opt_out {
            return Some(Exclusion::OptedOut);
        }
        let ended = has.consent_until.is_some_and(|until| until < self.today);
        let missing = self.needs_consent && has.kind == Kind::Expert && !has.consented;
        if ended || missing {
            return Some(Exclusion::NoConsent);
        }
        if matches!(has.stage, Some(NeedStage::Contracted | NeedStage::Closed)) {
            return Some(Exclusion::Closed);
        }
        let asker = self.asker?;
        // What a sealed record declares, and whose it is, is not for an asker whom the caller made up, nor for
        // asking twice, with its own organisation and without.
        let hidden = !self.sees_sealed && has.visibility == Visibility::Sealed;
        if hidden && self.stored.is_none() {
            return None;
        }
        if conflict(asker, has) || conflict(has, asker) {
            return Some(Exclusion::Conflict);
        }
        if (hidden || !self.own_organisation) && same_house(asker, has) {
            return Some(Exclusion::OwnOrganisation);
        }
        None
    }
}

/// Names are compared without blanks and width: identity slips must not break a rule.
pub(crate) fn key(name: &str) -> String {
    queqiao_text::normalise(name)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

fn conflict(a: &Facets, b: &Facets) -> bool {
    a.conflicts.iter().any(|c| {
        c == b.id.as_str() || {
            let c = key(c);
            !c.is_empty() && names(b).any(|n| key(n) == c)
        }
    })
}

/// Names by which a record goes: its own, its organisation's, its societies'.
fn names(f: &Facets) -> impl Iterator<Item = &str> {
    std::iter::once(f.title.as_str())
        .chain(f.organisation.iter().map(|o| o.name.as_str()))
        .chain(f.belongs_to.iter().map(String::as_str))
}

fn same_house(a: &Facets, b: &Facets) -> bool {
    let same_organisation = |x: &Organisation, y: &Organisation| match (x.uscc, y.uscc) {
        (Some(x), Some(y)) => x == y,
        _ => key(&x.name) == key(&y.name),
    };
    if let (Some(x), Some(y)) = (&a.organisation, &b.organisation)
        && same_organisation(x, y)
    {
        return true;
    }
    belongs(a, b) || belongs(b, a)
}

/// True when `a` names `b`, or `b`'s organisation, as the one it belongs to.
fn belongs(a: &Facets, b: &Facets) -> bool {
    let owners = a
        .belongs_to
        .iter()
        .chain(a.organisation.iter().map(|o| &o.name));
    owners.into_iter().any(|o| {
        o == b.id.as_str()
            || b.organisation
                .as_ref()
                .is_some_and(|x| key(&x.name) == key(o))
            || (b.kind != queqiao_domain::Kind::Need
                && !b.title.is_empty()
                && key(&b.title) == key(o))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use queqiao_domain::{Kind, Link, Record, Relation};

    fn record(id: &str, kind: Kind, organisation: &str) -> Record {
        let mut r = Record::new(RecordId::new(id).unwrap(), kind);
        r.title = format!("{id}-title");
        if !organisation.is_empty() {
            r.organisation = Some(Organisation {
                name: organisation.into(),
                uscc: None,
            });
        }
        r
    }

    #[track_caller]
    fn check(asker: &Record, has: &Record, expected: Option<Exclusion>) {
        let (a, h) = (Facets::of(asker), Facets::of(has));
        let c = Conditions {
            asker: Some(&a),
            stored: Some(&asker.id),
            own_organisation: false,
            today: queqiao_domain::parse_date("2026-11-26").unwrap(),
            needs_consent: false,
            sees_sealed: true,
        };
        assert_eq!(c.excludes(&h), expected);
    }

    #[test]
    fn each_rule() {
        let need = record("N", Kind::Need, "岭澜（佛山）有限公司");
        let expert = record("E", Kind::Expert, "南粤理工大学");
        check(&need, &expert, None);
        check(&need, &need, Some(Exclusion::Itself));
        // Full-width brackets and blanks do not hide the same organisation.
        check(
            &need,
            &record("E", Kind::Expert, "岭澜(佛山) 有限公司"),
            Some(Exclusion::OwnOrganisation),
        );
        let mut e = expert.clone();
        e.links.push(Link {
            relation: Relation::WorksAt,
            target: "岭澜（佛山）有限公司".into(),
        });
        check(&need, &e, Some(Exclusion::OwnOrganisation));
        let mut e = expert.clone();
        e.conflicts = vec!["N".into()];
        check(&need, &e, Some(Exclusion::Conflict));
        let mut n = need.clone();
        n.conflicts = vec!["南粤 理工大学".into()];
        check(&n, &expert, Some(Exclusion::Conflict));
        let mut e = expert.clone();
        if let queqiao_domain::Detail::Expert(d) = &mut e.detail {
            d.opt_out = true;
        }
        check(&need, &e, Some(Exclusion::OptedOut));
        // Consent holds on its last day, and no longer.
        for (until, expected) in [
            (Some("2026-11-26"), None),
            (Some("2026-11-25"), Some(Exclusion::NoConsent)),
            (None, None),
        ] {
            let mut e = expert.clone();
            if let queqiao_domain::Detail::Expert(d) = &mut e.detail {
                d.consent = Some(queqiao_domain::Consent {
                    purpose: "对接会".into(),
                    given: None,
                    until: until.and_then(queqiao_domain::parse_date),
                });
            }
            check(&need, &e, expected);
            let c = Conditions {
                asker: None,
                stored: None,
                own_organisation: false,
                today: queqiao_domain::parse_date("2026-11-26").unwrap(),
                needs_consent: true,
                sees_sealed: true,
            };
            assert_eq!(c.excludes(&Facets::of(&e)), expected);
            let without = c.excludes(&Facets::of(&expert));
            assert_eq!(without, Some(Exclusion::NoConsent));
            assert_eq!(c.excludes(&Facets::of(&need)), None);
        }
        let mut n = need.clone();
        if let queqiao_domain::Detail::Need(d) = &mut n.detail {
            d.stage = Some(NeedStage::Closed);
        }
        check(&expert, &n, Some(Exclusion::Closed));
        // Past cooperation is no conflict.
        let mut e = expert;
        e.links.push(Link {
            relation: Relation::WorkedWith,
            target: "岭澜（佛山）有限公司".into(),
        });
        check(&need, &e, None);
    }
}
