//! Panels as JSON.

use super::PanelBook;
use queqiao_domain::Bilingual;
use queqiao_events::panel::Panels;
use queqiao_solve::Certificate;
use serde::Serialize;

/// The panels as JSON.
#[derive(Debug, Serialize)]
pub struct PanelJson {
    /// Applications that are judged.
    pub panels: Vec<OnePanel>,
    /// Applications that are not, with the figure or quota at fault.
    pub left_out: Vec<LeftOutJson>,
    /// By reviewer.
    pub reviewers: Vec<ReviewerJson>,
    /// Pairs kept apart.
    pub apart: Vec<ApartJson>,
    /// Fit of the panel that is worst off, and the greatest it could be.
    pub worst: f64,
    /// Upper bound of it.
    pub worst_bound: Option<f64>,
    /// Fit over all.
    pub total: f64,
    /// Upper bound of it.
    pub total_bound: f64,
    /// Why some panels are short, or reviewers below their least, and what would help.
    pub certificate: Option<Certificate>,
}

/// A panel.
#[derive(Debug, Serialize)]
pub struct OnePanel {
    /// The application's id.
    pub application: String,
    /// Its name.
    pub name: String,
    /// Reviewers asked for.
    pub asked: u32,
    /// Ids of the reviewers with their fit, best first.
    pub reviewers: Vec<(String, f64)>,
}

/// An application that is not judged.
#[derive(Debug, Serialize)]
pub struct LeftOutJson {
    /// Id.
    pub application: String,
    /// Name.
    pub name: String,
    /// Why.
    pub why: Bilingual,
}

/// A reviewer.
#[derive(Debug, Serialize)]
pub struct ReviewerJson {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Applications to judge.
    pub load: u32,
    /// At least.
    pub least: u32,
    /// At most.
    pub most: u32,
}

/// A pair kept apart.
#[derive(Debug, Serialize)]
pub struct ApartJson {
    /// The application's id.
    pub application: String,
    /// The reviewer's id.
    pub reviewer: String,
    /// By which rules.
    pub why: Vec<Bilingual>,
}

/// The panels as one JSON value.
pub fn panel_json(book: &PanelBook, panels: &Panels) -> PanelJson {
    let p = &book.problem;
    let id = |i: usize| p.applications[i].profile.id.clone();
    let name = |i: usize| p.applications[i].profile.name.clone();
    let reviewer = |j: usize| p.reviewers[j].profile.id.clone();
    let out = |i: &usize| panels.left_out.iter().any(|l| l.application == *i);
    PanelJson {
        panels: (0..p.applications.len())
            .filter(|i| !out(i))
            .map(|i| OnePanel {
                application: id(i),
                name: name(i),
                asked: p.applications[i].reviewers,
                reviewers: panels.panels[i]
                    .iter()
                    .map(|(j, s)| (reviewer(*j), *s))
                    .collect(),
            })
            .collect(),
        left_out: panels
            .left_out
            .iter()
            .map(|l| LeftOutJson {
                application: id(l.application),
                name: name(l.application),
                why: l.text.clone(),
            })
            .collect(),
        reviewers: p
            .reviewers
            .iter()
            .zip(&panels.loads)
            .map(|(r, load)| ReviewerJson {
                id: r.profile.id.clone(),
                name: r.profile.name.clone(),
                load: *load,
                least: r.least,
                most: r.most,
            })
            .collect(),
        apart: panels
            .apart
            .iter()
            .map(|a| ApartJson {
                application: id(a.application),
                reviewer: reviewer(a.reviewer),
                why: a.conflicts.iter().map(|c| c.text.clone()).collect(),
            })
            .collect(),
        worst: panels.lists.worst,
        worst_bound: panels.lists.worst_bound,
        total: panels.lists.total,
        total_bound: panels.lists.total_bound,
        certificate: panels.lists.certificate.clone(),
    }
}
