//! What of a record is matched: its texts, grouped as they are embedded.

use super::{Detail, Record};

/// A text field of a record, verbatim, with its path (`problem`, `passages[2].text`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Path of the field in the record's JSON form.
    pub path: String,
    /// The field's text, as stored.
    pub text: &'a str,
}

/// One text to embed and to index: the parts that belong together.
///
/// The first unit of a record says what the record is (title, problem, research fields); every
/// passage is a unit of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit<'a> {
    /// The fields, in reading order. Never empty, no part is blank.
    pub parts: Vec<Part<'a>>,
    /// A proper name that carries no technical meaning (a person's): found by word, not embedded.
    pub name: Option<Part<'a>>,
}

impl Unit<'_> {
    /// The text to embed: the parts, a line each.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for p in &self.parts {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(p.text);
        }
        out
    }
}

#[derive(Default)]
struct Builder<'a> {
    units: Vec<Unit<'a>>,
    current: Unit<'a>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, path: &str, text: &'a str) -> &mut Self {
        if !text.trim().is_empty() {
            self.current.parts.push(Part {
                path: path.to_owned(),
                text,
            });
        }
        self
    }

    fn each(&mut self, path: &str, texts: &'a [String]) -> &mut Self {
        for (i, t) in texts.iter().enumerate() {
            self.add(&format!("{path}[{i}]"), t);
        }
        self
    }

    fn end(&mut self) -> &mut Self {
        let unit = std::mem::take(&mut self.current);
        if !unit.parts.is_empty() || unit.name.is_some() {
            self.units.push(unit);
        }
        self
    }
}

impl Record {
    /// Whether any field says something.
    pub fn has_text(&self) -> bool {
        let says = |u: &Unit<'_>| !u.parts.is_empty() || u.name.is_some();
        self.units().iter().any(says)
    }

    /// The record's texts as units, in a fixed order. Blank fields are left out; a record with no
    /// text has no units.
    pub fn units(&self) -> Vec<Unit<'_>> {
        let mut b = Builder::default();
        match &self.detail {
            Detail::Need(d) => {
                b.add("title", &self.title)
                    .add("problem", &d.problem)
                    .each("keywords", &self.keywords)
                    .each("targets", &d.targets)
                    .end();
                b.add("background", &d.background).end();
            }
            Detail::Enterprise(d) => {
                b.add("title", &self.title)
                    .add("business", &d.business)
                    .each("products", &d.products)
                    .each("keywords", &self.keywords)
                    .end();
            }
            Detail::Expert(d) => {
                if !self.title.trim().is_empty() {
                    b.current.name = Some(Part {
                        path: "title".to_owned(),
                        text: &self.title,
                    });
                }
                b.each("research", &d.research)
                    .each("keywords", &self.keywords)
                    .each("services", &d.services)
                    .end();
                b.add("profile", &d.profile).end();
            }
            Detail::Society(d) => {
                b.add("title", &self.title)
                    .add("scope", &d.scope)
                    .each("keywords", &self.keywords)
                    .end();
                b.each("services", &d.services).end();
            }
            Detail::Achievement(d) => {
                b.add("title", &self.title)
                    .add("abstract", &d.summary)
                    .each("keywords", &self.keywords)
                    .end();
                b.add("application", &d.application)
                    .each("indices", &d.indices)
                    .end();
            }
            Detail::Institution(d) => {
                b.add("title", &self.title)
                    .add("profile", &d.profile)
                    .each("keywords", &self.keywords)
                    .end();
                b.each("services", &d.services).end();
            }
        }
        for (i, p) in self.passages.iter().enumerate() {
            b.add(&format!("passages[{i}].title"), &p.title)
                .add(&format!("passages[{i}].text"), &p.text)
                .end();
        }
        b.units
    }
}

#[cfg(test)]
mod tests {
    use crate::{Detail, Kind, Passage, Record, RecordId};

    #[test]
    fn a_persons_name_is_found_but_not_embedded() {
        let mut r = Record::new(RecordId::new("e").unwrap(), Kind::Expert);
        r.title = "张三".into();
        if let Detail::Expert(e) = &mut r.detail {
            e.research = vec!["膜分离".into(), " ".into()];
        }
        r.passages.push(Passage {
            title: "论文".into(),
            text: String::new(),
        });
        let units = r.units();
        assert_eq!(units.len(), 2);
        assert_eq!(units[0].text(), "膜分离");
        assert_eq!(units[0].name.as_ref().map(|p| p.text), Some("张三"));
        assert_eq!(units[1].parts[0].path, "passages[0].title");
        assert!(
            Record::new(RecordId::new("x").unwrap(), Kind::Need)
                .units()
                .is_empty()
        );
    }
}
