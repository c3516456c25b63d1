//! Conflicts of interest (利益冲突): who may not meet, judge or sit with whom, and by which rule.

use queqiao_domain::Bilingual;
use serde::{Deserialize, Serialize};

/// What a person, an enterprise or an application has to do with others. Names are compared without
/// regard to case, width and spaces.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// Its name, which others may have declared.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// Family of organisations: the group or parent.
    pub family: String,
    /// Societies in which it holds a post.
    pub posts: Vec<String>,
    /// Those it has published or worked with: ids, names or organisations.
    pub worked_with: Vec<String>,
    /// Conflicts it has declared: ids, names or organisations.
    pub declared: Vec<String>,
}

/// A rule that makes a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The same organisation.
    SameOrganisation,
    /// Organisations of one family.
    SameFamily,
    /// Posts in the same society.
    SamePost,
    /// Co-authors, or past cooperation.
    WorkedTogether,
    /// One has declared the other.
    Declared,
}

impl ConflictRule {
    /// Every rule: what judging asks for.
    pub const ALL: [ConflictRule; 5] = [
        ConflictRule::Declared,
        ConflictRule::SameOrganisation,
        ConflictRule::SameFamily,
        ConflictRule::SamePost,
        ConflictRule::WorkedTogether,
    ];
    /// What keeps two from meeting: past cooperation and shared posts are no bar to that.
    pub const MEETING: [ConflictRule; 3] = [
        ConflictRule::Declared,
        ConflictRule::SameOrganisation,
        ConflictRule::SameFamily,
    ];
}

/// A conflict, with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The rule.
    pub rule: ConflictRule,
    /// In words.
    pub text: Bilingual,
}

/// The spelling under which names are compared.
pub fn same_name_key(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .filter(|c| !c.is_whitespace() && *c != '\u{3000}')
        .flat_map(char::to_lowercase)
        .collect()
}

fn same(a: &str, b: &str) -> bool {
    !a.trim().is_empty() && same_name_key(a) == same_name_key(b)
}

fn names(list: &[String], p: &Profile) -> Option<String> {
    list.iter()
        .find(|x| same(x, &p.id) || same(x, &p.name) || same(x, &p.organisation))
        .cloned()
}

/// Every conflict between two, by the rules given.
pub fn conflicts(a: &Profile, b: &Profile, rules: &[ConflictRule]) -> Vec<Conflict> {
    rules
        .iter()
        .filter_map(|rule| {
            let text = match rule {
                ConflictRule::SameOrganisation => {
                    same(&a.organisation, &b.organisation).then(|| {
                        Bilingual::new(
                            format!("both of {}", a.organisation),
                            format!("同属“{}”", a.organisation),
                        )
                    })
                }
                ConflictRule::SameFamily => same(&a.family, &b.family).then(|| {
                    Bilingual::new(
                        format!("organisations of one family: {}", a.family),
                        format!("同属集团“{}”", a.family),
                    )
                }),
                ConflictRule::SamePost => a
                    .posts
                    .iter()
                    .find(|x| b.posts.iter().any(|y| same(x, y)))
                    .map(|s| {
                        Bilingual::new(format!("both hold a post in {s}"), format!("均在“{s}”任职"))
                    }),
                ConflictRule::WorkedTogether => names(&a.worked_with, b)
                    .or_else(|| names(&b.worked_with, a))
                    .map(|s| {
                        Bilingual::new(
                            format!("have worked together ({s})"),
                            format!("曾有合作（{s}）"),
                        )
                    }),
                ConflictRule::Declared => names(&a.declared, b)
                    .or_else(|| names(&b.declared, a))
                    .map(|s| {
                        Bilingual::new(format!("declared ({s})"), format!("已申报回避（{s}）"))
                    }),
            };
            Some(Conflict {
                rule: *rule,
                text: text?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_finds_its_conflict() {
        let a = Profile {
            id: "E1".into(),
            name: "甲".into(),
            organisation: "岭南大学".into(),
            family: "X 集团".into(),
            posts: vec!["材料学会".into()],
            worked_with: vec!["P2".into()],
            declared: vec![],
        };
        let b = Profile {
            id: "P2".into(),
            name: "乙".into(),
            organisation: "岭南 大学".into(),
            family: "Ｘ集团".into(),
            posts: vec!["材料学会".into()],
            declared: vec!["甲".into()],
            ..Profile::default()
        };
        let all: Vec<ConflictRule> = conflicts(&a, &b, &ConflictRule::ALL)
            .iter()
            .map(|c| c.rule)
            .collect();
        assert_eq!(all, ConflictRule::ALL);
        assert_eq!(conflicts(&b, &a, &ConflictRule::ALL).len(), 5);
        assert_eq!(conflicts(&a, &b, &ConflictRule::MEETING).len(), 3);
        // What is not known is no conflict.
        assert!(conflicts(&Profile::default(), &Profile::default(), &ConflictRule::ALL).is_empty());
    }
}
