//! Ids: the caller's own, kept so that they come back; derived where there is none.

use crate::assemble::is_plain;
use percent_encoding::percent_decode_str;
use queqiao_domain::{Detail, IdError, Record, RecordId};

/// Takes the caller's id. Characters that cannot stand in an id are percent-encoded (UTF-8), and
/// then `%` too, so that [`shown`] gives back what was put in.
pub(crate) fn take(text: &str) -> Result<RecordId, IdError> {
    if text.chars().all(RecordId::allows) {
        return RecordId::new(text);
    }
    let mut out = String::with_capacity(text.len() * 3);
    for c in text.chars() {
        if RecordId::allows(c) && c != '%' {
            out.push(c);
        } else {
            let mut buf = [0; 4];
            for b in c.encode_utf8(&mut buf).bytes() {
                out.push_str(&format!("%{b:02X}"));
            }
        }
    }
    RecordId::new(out)
}

/// The id as the caller wrote it; as it is stored where a cell would not give that back.
pub(crate) fn shown(id: &RecordId) -> String {
    percent_decode_str(id.as_str())
        .decode_utf8()
        .ok()
        .filter(|t| is_plain(t) && take(t).as_ref() == Ok(id))
        .map_or_else(|| id.as_str().to_owned(), |t| t.into_owned())
}

/// An id made of what identifies the record: the same content has the same id on every run and
/// every machine. A contact is never part of it.
///
/// Needs and achievements are identified by title, organisation and what they say; people and
/// organisations by name and organisation, so that a corrected profile stays the same record. Where
/// a person has no organisation, the texts tell namesakes apart.
pub(crate) fn derive(r: &Record) -> Result<RecordId, IdError> {
    let mut h = blake3::Hasher::new();
    let mut add = |s: &str| {
        h.update(&(s.len() as u64).to_le_bytes());
        h.update(s.as_bytes());
    };
    add(r.kind().as_str());
    add(r.title.trim());
    match &r.organisation {
        Some(o) => {
            add(o.name.trim());
            add(o.uscc.as_ref().map_or("", |u| u.as_str()));
        }
        None => add(""),
    }
    let mut texts: Vec<&str> = Vec::new();
    let vague = r.title.trim().is_empty();
    match &r.detail {
        Detail::Need(d) => texts.extend([d.problem.as_str(), &d.background]),
        Detail::Achievement(d) => texts.extend([d.summary.as_str(), &d.holder]),
        Detail::Expert(d) if vague || r.organisation.is_none() => {
            texts.push(&d.profile);
            texts.extend(d.research.iter().map(String::as_str));
        }
        Detail::Enterprise(d) if vague => texts.push(&d.business),
        Detail::Society(d) if vague => texts.push(&d.scope),
        Detail::Institution(d) if vague => texts.push(&d.profile),
        _ => {}
    }
    if vague || (matches!(r.detail, Detail::Expert(_)) && r.organisation.is_none()) {
        texts.extend(r.passages.iter().flat_map(|p| [p.title.as_str(), &p.text]));
    }
    for t in texts {
        add(t.trim());
    }
    let hash = h.finalize();
    let hex = hash.to_hex();
    let text = format!(
        "{}-{}",
        r.kind().as_str(),
        hex.get(..16).unwrap_or_default()
    );
    RecordId::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use queqiao_domain::{Kind, Organisation};

    #[test]
    fn the_callers_ids_come_back() {
        for (given, kept) in [
            ("A-1", "A-1"),
            ("100%", "100%"),
            ("%E4", "%E4"),
            ("津-1", "%E6%B4%A5-1"),
            (
                "中医学/中药学-0",
                "%E4%B8%AD%E5%8C%BB%E5%AD%A6%2F%E4%B8%AD%E8%8D%AF%E5%AD%A6-0",
            ),
            ("a b", "a%20b"),
            ("50% 津", "50%25%20%E6%B4%A5"),
            // What a cell would lose or read otherwise stays encoded.
            ("%07", "%07"),
            ("%20a", "%20a"),
            ("json%3A1", "json%3A1"),
        ] {
            let id = take(given).unwrap();
            assert_eq!(id.as_str(), kept);
            assert_eq!(shown(&id), given);
        }
        assert!(take("").is_err());
        assert!(take(&"长".repeat(100)).is_err());
    }

    proptest! {
        #[test]
        fn shown_ids_are_taken_back(text in "\\PC{1,60}") {
            if let Ok(id) = take(&text) {
                prop_assert_eq!(take(&shown(&id)), Ok(id));
            }
        }
    }

    #[test]
    fn derived_ids_follow_the_content() {
        let record = |title: &str, org: Option<&str>| {
            let mut r = Record::new(RecordId::new("x").unwrap(), Kind::Expert);
            r.title = title.into();
            r.organisation = org.map(|o| Organisation {
                name: o.into(),
                uscc: None,
            });
            r
        };
        let a = derive(&record("甲", Some("某大学"))).unwrap();
        assert_eq!(
            a.as_str(),
            derive(&record("甲 ", Some("某大学"))).unwrap().as_str()
        );
        assert!(a.as_str().starts_with("expert-") && a.as_str().len() == 23);
        assert_ne!(Ok(a.clone()), derive(&record("甲", None)));
        assert_ne!(Ok(a), derive(&record("乙", Some("某大学"))));
        let mut namesake = record("甲", None);
        if let Detail::Expert(e) = &mut namesake.detail {
            e.profile = "另一人".into();
        }
        assert_ne!(derive(&record("甲", None)), derive(&namesake));
    }
}
