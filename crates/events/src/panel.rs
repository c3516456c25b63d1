//! Review panels: hard rules and quotas first, then reviewers without conflicts and within loads.

use crate::{
    conflict::{Conflict, ConflictRule, Profile, conflicts},
    shortlist::{
        Objective, Pair, Party, ShortlistError, ShortlistParams, ShortlistProblem, Shortlists,
    },
};
use queqiao_domain::Bilingual;
use queqiao_solve::Stop;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An application: a park, a city, a project to be judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// What it has to do with others; holds its id.
    pub profile: Profile,
    /// District, for quotas.
    pub district: String,
    /// Figures by name, such as 孵化面积 → 1800.
    pub figures: BTreeMap<String, f64>,
    /// Places it before others of its district where a quota cuts.
    pub priority: f64,
    /// Reviewers that judge it.
    pub reviewers: u32,
}

/// A reviewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reviewer {
    /// What the reviewer has to do with others; holds the id.
    pub profile: Profile,
    /// Applications at least.
    pub least: u32,
    /// Applications at most.
    pub most: u32,
}

/// A hard rule: a figure from a least to a most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eligibility {
    /// The figure.
    pub figure: String,
    /// At least.
    pub least: Option<f64>,
    /// At most.
    pub most: Option<f64>,
    /// Unit, for messages.
    pub unit: String,
}

/// Panels to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelProblem {
    /// The applications.
    pub applications: Vec<Application>,
    /// The reviewers.
    pub reviewers: Vec<Reviewer>,
    /// Hard rules.
    pub rules: Vec<Eligibility>,
    /// Applications of one district at most.
    pub per_district: Option<u32>,
    /// What counts as a conflict.
    pub conflict_rules: Vec<ConflictRule>,
    /// How well a reviewer knows an application's matter: application, reviewer, score ≥ 0. Pairs
    /// that are not named score 0 and may still be judged.
    pub scores: Vec<(usize, usize, f64)>,
}

/// A rule that an application failed, with the figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failed {
    /// The rule.
    pub rule: Eligibility,
    /// The figure; none when it was not given.
    pub has: Option<f64>,
    /// In words.
    pub text: Bilingual,
}

/// An application that is not judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// Its place.
    pub application: usize,
    /// Hard rules that it failed; none when only a quota cut it.
    pub failed: Vec<Failed>,
    /// Why, in words.
    pub text: Bilingual,
}

/// A pair that was kept apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Apart {
    /// The application's place.
    pub application: usize,
    /// The reviewer's place.
    pub reviewer: usize,
    /// Why.
    pub conflicts: Vec<Conflict>,
}

/// The panels.
#[derive(Debug, Clone)]
pub struct Panels {
    /// By application: its reviewers with their scores, best first; empty for those left out.
    pub panels: Vec<Vec<(usize, f64)>>,
    /// Applications that are not judged.
    pub left_out: Vec<LeftOut>,
    /// Pairs kept apart.
    pub apart: Vec<Apart>,
    /// By reviewer: applications to judge.
    pub loads: Vec<u32>,
    /// Figures, bounds and, where minima or sizes could not be kept, the certificate.
    pub lists: Shortlists,
}

fn figure(v: f64) -> String {
    let s = format!("{v:.4}");
    s.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Eligibility {
    fn failed(&self, has: Option<f64>) -> Option<Failed> {
        let fine = has
            .is_some_and(|h| self.least.is_none_or(|l| h >= l) && self.most.is_none_or(|m| h <= m));
        if fine {
            return None;
        }
        let unit = &self.unit;
        let asked = match (self.least, self.most) {
            (Some(l), Some(m)) => format!("{}–{} {unit}", figure(l), figure(m)),
            (Some(l), None) => format!("≥ {} {unit}", figure(l)),
            (None, Some(m)) => format!("≤ {} {unit}", figure(m)),
            (None, None) => unit.clone(),
        };
        let name = &self.figure;
        Some(Failed {
            has,
            text: match has {
                Some(h) => Bilingual::new(
                    format!("{name} is {} {unit}; asked is {asked}", figure(h)),
                    format!("{name}为 {} {unit}，要求 {asked}", figure(h)),
                ),
                None => Bilingual::new(
                    format!("{name} is not given; asked is {asked}"),
                    format!("未填{name}，要求 {asked}"),
                ),
            },
            rule: self.clone(),
        })
    }
}

/// Applications that fail a rule or fall to a quota.
fn left_out(p: &PanelProblem) -> Vec<LeftOut> {
    let mut out = Vec::new();
    let mut by_district: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, a) in p.applications.iter().enumerate() {
        let failed: Vec<Failed> = p
            .rules
            .iter()
            .filter_map(|r| r.failed(a.figures.get(&r.figure).copied()))
            .collect();
        if failed.is_empty() {
            if !a.district.is_empty() {
                by_district.entry(&a.district).or_default().push(i);
            }
            continue;
        }
        let join = |get: fn(&Bilingual) -> &str, sep: &str| {
            failed
                .iter()
                .map(|f| get(&f.text))
                .collect::<Vec<_>>()
                .join(sep)
        };
        out.push(LeftOut {
            application: i,
            text: Bilingual::new(join(|b| &b.en, "; "), join(|b| &b.zh, "；")),
            failed,
        });
    }
    if let Some(most) = p.per_district {
        for (district, mut members) in by_district {
            members.sort_by(|a, b| {
                let key = |i: &usize| p.applications[*i].priority;
                key(b).total_cmp(&key(a)).then(a.cmp(b))
            });
            for i in members.into_iter().skip(most as usize) {
                out.push(LeftOut {
                    application: i,
                    failed: Vec::new(),
                    text: Bilingual::new(
                        format!("{district} may have at most {most}, and others of it come first"),
                        format!("“{district}”至多 {most} 个名额，且有排序在前者"),
                    ),
                });
            }
        }
    }
    out.sort_by_key(|l| l.application);
    out
}

/// Makes the panels: as many seats filled as can be and everyone's minimum kept, then the
/// application with the weakest panel as well judged as can be.
///
/// # Errors
/// See [`ShortlistError`].
pub fn panels(p: &PanelProblem, stop: &Stop) -> Result<Panels, ShortlistError> {
    let left_out = left_out(p);
    let out: Vec<usize> = left_out.iter().map(|l| l.application).collect();
    let mut score: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for (a, r, s) in &p.scores {
        score.insert((*a, *r), *s);
    }
    let (mut apart, mut barred, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for (i, a) in p.applications.iter().enumerate() {
        if out.contains(&i) {
            continue;
        }
        for (j, r) in p.reviewers.iter().enumerate() {
            let worth = score.get(&(i, j)).copied().unwrap_or(0.0);
            pairs.push(Pair {
                need: i,
                expert: j,
                worth,
                back: worth,
            });
            let found = conflicts(&a.profile, &r.profile, &p.conflict_rules);
            if !found.is_empty() {
                barred.push((i, j));
                apart.push(Apart {
                    application: i,
                    reviewer: j,
                    conflicts: found,
                });
            }
        }
    }
    let problem = ShortlistProblem {
        needs: p
            .applications
            .iter()
            .enumerate()
            .map(|(i, a)| {
                let size = if out.contains(&i) { 0 } else { a.reviewers };
                Party {
                    id: a.profile.id.clone(),
                    most: size,
                    least: size,
                    group: None,
                }
            })
            .collect(),
        experts: p
            .reviewers
            .iter()
            .map(|r| Party {
                id: r.profile.id.clone(),
                most: r.most,
                least: r.least,
                group: None,
            })
            .collect(),
        pairs,
        barred,
        ..ShortlistProblem::default()
    };
    let valid = problem.check()?;
    let params = ShortlistParams {
        objective: Objective::MaxMin,
        ..ShortlistParams::default()
    };
    let lists = valid.solve(&params, stop)?;
    let mut panels: Vec<Vec<(usize, f64)>> = vec![Vec::new(); p.applications.len()];
    for c in &lists.chosen {
        let q = &valid.problem().pairs[*c];
        panels[q.need].push((q.expert, q.worth));
    }
    for panel in &mut panels {
        panel.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }
    Ok(Panels {
        panels,
        left_out,
        apart,
        loads: valid.loads(&lists.chosen),
        lists,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(id: &str, organisation: &str) -> Profile {
        Profile {
            id: id.into(),
            organisation: organisation.into(),
            ..Profile::default()
        }
    }

    #[test]
    fn rules_quotas_conflicts_and_loads() {
        let park = |id: &str, district: &str, area: Option<f64>, priority| Application {
            profile: profile(id, &format!("{id}园")),
            district: district.into(),
            figures: area
                .map(|a| ("孵化面积".to_owned(), a))
                .into_iter()
                .collect(),
            priority,
            reviewers: 2,
        };
        let mut reviewers: Vec<Reviewer> = (0..4)
            .map(|i| Reviewer {
                profile: profile(&format!("R{i}"), &format!("U{i}")),
                least: 1,
                most: 2,
            })
            .collect();
        reviewers[0].profile.organisation = "A园".into();
        reviewers[1].profile.declared = vec!["B".into()];
        let p = PanelProblem {
            applications: vec![
                park("A", "南山", Some(2_500.0), 3.0),
                park("B", "南山", Some(2_000.0), 2.0),
                park("C", "南山", Some(9_000.0), 1.0),
                park("D", "天河", Some(1_800.0), 9.0),
                park("E", "天河", None, 9.0),
                park("F", "天河", Some(3_000.0), 1.0),
            ],
            reviewers,
            rules: vec![Eligibility {
                figure: "孵化面积".into(),
                least: Some(2_000.0),
                most: None,
                unit: "m²".into(),
            }],
            per_district: Some(2),
            conflict_rules: ConflictRule::ALL.to_vec(),
            scores: vec![(0, 0, 1.0), (0, 1, 0.9), (5, 2, 0.5)],
        };
        let done = panels(&p, &Stop::never()).unwrap();
        let told: Vec<(usize, &str)> = done
            .left_out
            .iter()
            .map(|l| (l.application, l.text.en.as_str()))
            .collect();
        assert_eq!(told[0].0, 2);
        assert!(told[0].1.contains("at most 2"));
        assert_eq!(told[1], (3, "孵化面积 is 1800 m²; asked is ≥ 2000 m²"));
        assert_eq!(told[2], (4, "孵化面积 is not given; asked is ≥ 2000 m²"));
        assert_eq!(done.apart.len(), 2);
        for (i, panel) in done.panels.iter().enumerate() {
            assert_eq!(panel.len(), if [2, 3, 4].contains(&i) { 0 } else { 2 });
        }
        assert!(!done.panels[0].iter().any(|x| x.0 == 0));
        assert!(!done.panels[1].iter().any(|x| x.0 == 1));
        assert!(done.loads.iter().all(|l| (1..=2).contains(l)));
        assert!(done.lists.certificate.is_none());
    }
}
