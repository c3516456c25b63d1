//! Review panels from the wire and to it.

use super::super::{
    Violations, count,
    names::read_parent,
    plan::{
        Ids, at_most, profile_id, read_profile, read_scores, some, write_certificate,
        write_left_out, write_text,
    },
    reader::Reader,
    vocabulary::Word,
};
use queqiao_domain::Bilingual;
use queqiao_engine::events::{
    conflict::ConflictRule,
    panel::{Application, Eligibility, PanelProblem, Panels, Reviewer},
};
use queqiao_proto::v1;

/// Pairs of application and reviewer of one request.
const PAIRS: usize = 1_000_000;
/// Applications, reviewers or rules of one request.
const ENTRIES: usize = 20_000;

/// Panels that are asked for, with the words for them.
pub(crate) struct ReadPanels {
    pub(crate) problem: PanelProblem,
    /// By application: name and text.
    pub(crate) applications: Vec<(String, String)>,
    /// By reviewer: their text.
    pub(crate) reviewers: Vec<(String, String)>,
}

/// Reads which panels are asked for.
pub(crate) fn read_panels(w: v1::FormPanelsRequest) -> Result<ReadPanels, Violations> {
    read_parent("parent", &w.parent)?;
    let mut r = Reader::default();
    for (path, n) in [
        ("applications", w.applications.len()),
        ("reviewers", w.reviewers.len()),
    ] {
        some(&mut r, path, n);
        at_most(&mut r, path, n, ENTRIES);
    }
    at_most(&mut r, "rules", w.rules.len(), ENTRIES);
    let pairs = w.applications.len().saturating_mul(w.reviewers.len());
    at_most(&mut r, "applications", pairs, PAIRS);
    r.check()?;
    let a_ids = Ids::read(
        &mut r,
        ("applications", ".profile.id"),
        ("application", "申报"),
        w.applications
            .iter()
            .map(|a| profile_id(a.profile.as_ref())),
    );
    let r_ids = Ids::read(
        &mut r,
        ("reviewers", ".profile.id"),
        ("reviewer", "评审专家"),
        w.reviewers.iter().map(|a| profile_id(a.profile.as_ref())),
    );
    let scores = read_scores(&mut r, "scores", &w.scores, &a_ids, &r_ids);
    let conflict_rules: Vec<ConflictRule> = r.words("conflict_rules", &w.conflict_rules);
    let mut out = ReadPanels {
        problem: PanelProblem {
            applications: Vec::new(),
            reviewers: Vec::new(),
            rules: Vec::new(),
            per_district: r.one_based("max_per_district", w.max_per_district),
            conflict_rules: match conflict_rules.is_empty() {
                true => ConflictRule::ALL.to_vec(),
                false => conflict_rules,
            },
            scores,
        },
        applications: Vec::new(),
        reviewers: Vec::new(),
    };
    for (i, a) in w.applications.into_iter().enumerate() {
        let at = |f: &str| format!("applications[{i}].{f}");
        for (name, v) in &a.figures {
            if !v.is_finite() {
                r.fail(
                    at("figures"),
                    (format!("{name} is {v}"), format!("{name} 为 {v}")),
                    ("expected a number", "应为数值"),
                );
            }
        }
        if !a.priority.is_finite() {
            r.fail(
                at("priority"),
                (
                    format!("it is {}", a.priority),
                    format!("为 {}", a.priority),
                ),
                ("expected a number", "应为数值"),
            );
        }
        let profile = read_profile(a.profile.unwrap_or_default());
        out.applications.push((profile.name.clone(), a.text));
        out.problem.applications.push(Application {
            profile,
            district: a.district,
            figures: a.figures,
            priority: a.priority,
            reviewers: r.one_based(at("reviewers"), a.reviewers).unwrap_or(3),
        });
    }
    for (i, x) in w.reviewers.into_iter().enumerate() {
        let at = |f: &str| format!("reviewers[{i}].{f}");
        let most = r.one_based(at("max_load"), x.max_load).unwrap_or(8);
        let least = r.natural(at("min_load"), Some(x.min_load)).unwrap_or(0);
        if least > most {
            r.fail(
                at("min_load"),
                ("at least more than at most", "下限高于上限"),
                (
                    format!("expected at most {most}"),
                    format!("应不大于 {most}"),
                ),
            );
        }
        out.reviewers.push((String::new(), x.text));
        out.problem.reviewers.push(Reviewer {
            profile: read_profile(x.profile.unwrap_or_default()),
            least,
            most,
        });
    }
    for (i, x) in w.rules.into_iter().enumerate() {
        let numbers = [x.min, x.max].into_iter().flatten();
        if x.figure.trim().is_empty()
            || numbers.clone().count() == 0
            || !numbers.clone().all(f64::is_finite)
        {
            r.fail(
                format_args!("rules[{i}]"),
                (
                    "it names no figure, or no number for it",
                    "缺少指标名称或数值",
                ),
                (
                    "expected a figure with min, max or both",
                    "应有指标名称与 min、max 至少一项",
                ),
            );
        }
        out.problem.rules.push(Eligibility {
            figure: x.figure,
            least: x.min,
            most: x.max,
            unit: x.unit,
        });
    }
    r.finish(Some(out))
}

/// Panels to the wire.
pub(crate) fn write_panels(read: &ReadPanels, panels: Panels) -> v1::FormPanelsResponse {
    let p = &read.problem;
    let application = |i: usize| p.applications[i].profile.id.clone();
    let reviewer = |i: usize| p.reviewers[i].profile.id.clone();
    let left_out = panels.left_out.into_iter().map(|l| {
        let a = &p.applications[l.application].profile;
        write_left_out(&a.id, &a.name, l.text)
    });
    let kept_apart = panels.apart.into_iter().map(|k| {
        let join = |get: fn(&Bilingual) -> &str, sep: &str| {
            k.conflicts
                .iter()
                .map(|c| get(&c.text))
                .collect::<Vec<_>>()
                .join(sep)
        };
        v1::KeptApart {
            application: application(k.application),
            reviewer: reviewer(k.reviewer),
            rules: k.conflicts.iter().map(|c| c.rule.write()).collect(),
            why: write_text(Bilingual::new(join(|b| &b.en, "; "), join(|b| &b.zh, "；"))),
        }
    });
    v1::FormPanelsResponse {
        left_out: left_out.collect(),
        kept_apart: kept_apart.collect(),
        panels: panels
            .panels
            .iter()
            .enumerate()
            .filter(|(_, seats)| !seats.is_empty())
            .map(|(i, seats)| v1::Panel {
                application: application(i),
                seats: seats
                    .iter()
                    .map(|(j, score)| v1::PanelSeat {
                        reviewer: reviewer(*j),
                        score: *score,
                    })
                    .collect(),
            })
            .collect(),
        loads: panels
            .loads
            .iter()
            .enumerate()
            .map(|(j, load)| v1::ReviewerLoad {
                reviewer: reviewer(j),
                load: count(*load as usize),
            })
            .collect(),
        worth: panels.lists.total,
        bound: panels.lists.total_bound,
        certificates: panels
            .lists
            .certificate
            .into_iter()
            .map(write_certificate)
            .collect(),
        finished: panels.lists.finished,
    }
}
