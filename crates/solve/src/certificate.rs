//! Why there is no plan, and what would make one.

use queqiao_domain::Bilingual;
use serde::Serialize;

/// One constraint that takes part in a collision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// A stable name of the kind of constraint, such as `budget` or `capacity`.
    pub constraint: String,
    /// Whom it concerns: ids.
    pub about: Vec<String>,
    /// The constraint in words, with its figures.
    pub text: Bilingual,
}

/// One change of what was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The kind of constraint that gives way, as in [`Clash::constraint`].
    pub constraint: String,
    /// Whom it concerns: ids.
    pub about: Vec<String>,
    /// By how much, in the constraint's own unit.
    pub by: f64,
    /// The change in words.
    pub text: Bilingual,
}

/// A set of changes that together would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Relaxation {
    /// Their price, in the unit of the prices asked with; lower is better.
    pub cost: f64,
    /// The changes.
    pub changes: Vec<Change>,
}

/// A proof that the constraints cannot all hold: those that collide, and the smallest changes that
/// would do, cheapest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    /// Constraints that cannot hold together.
    pub collision: Vec<Clash>,
    /// True when no part of `collision` collides by itself.
    pub minimal: bool,
    /// What would do, cheapest first.
    pub relaxations: Vec<Relaxation>,
}

impl Certificate {
    /// The certificate in one paragraph.
    pub fn describe(&self) -> Bilingual {
        let join = |get: &dyn Fn(&Bilingual) -> String, sep: &str| {
            self.collision
                .iter()
                .map(|c| get(&c.text))
                .collect::<Vec<_>>()
                .join(sep)
        };
        let cheapest = |get: &dyn Fn(&Bilingual) -> String, sep: &str| {
            self.relaxations.first().map(|r| {
                r.changes
                    .iter()
                    .map(|c| get(&c.text))
                    .collect::<Vec<_>>()
                    .join(sep)
            })
        };
        let (en, zh) = (|b: &Bilingual| b.en.clone(), |b: &Bilingual| b.zh.clone());
        Bilingual::new(
            format!(
                "these cannot all hold: {}{}",
                join(&en, "; "),
                cheapest(&en, " and ").map_or(String::new(), |c| format!(". It would do to {c}"))
            ),
            format!(
                "以下条件无法同时满足：{}{}",
                join(&zh, "；"),
                cheapest(&zh, "，并").map_or(String::new(), |c| format!("。可以：{c}"))
            ),
        )
    }

    /// Sorts the relaxations, cheapest first, and drops those that name the same changes twice or
    /// more changes than a cheaper one that they contain.
    pub fn rank(&mut self) {
        self.relaxations.sort_by(|a, b| {
            a.cost
                .total_cmp(&b.cost)
                .then(a.changes.len().cmp(&b.changes.len()))
        });
        let mut kept: Vec<Relaxation> = Vec::new();
        for r in std::mem::take(&mut self.relaxations) {
            let contains = |k: &Relaxation| {
                k.changes.iter().all(|c| {
                    r.changes.iter().any(|d| {
                        d.constraint == c.constraint && d.about == c.about && d.by >= c.by - 1e-9
                    })
                })
            };
            if !r.changes.is_empty() && !kept.iter().any(contains) {
                kept.push(r);
            }
        }
        self.relaxations = kept;
    }
}
