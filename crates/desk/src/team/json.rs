//! A team as JSON.

use super::TeamBook;
use queqiao_domain::Bilingual;
use queqiao_teams::TeamPlan;
use serde::Serialize;

/// The team as JSON.
#[derive(Debug, Serialize)]
pub struct TeamJson {
    /// Name of the team.
    pub team: String,
    /// The members.
    pub members: Vec<MemberJson>,
    /// By need.
    pub coverage: Vec<CoverageJson>,
    /// Ids of needs that are gaps.
    pub gaps: Vec<String>,
    /// Weighted cover.
    pub cover: f64,
    /// Weighted cover if every need had a score of 1.
    pub cover_of: f64,
    /// The objective's value.
    pub value: f64,
    /// No team has a greater value.
    pub bound: f64,
    /// True when `value` is the greatest there is.
    pub proven: bool,
    /// Total cost, 万元.
    pub cost: f64,
    /// Number of societies.
    pub societies: usize,
    /// Cover that is left when the member who matters most drops out.
    pub worst_drop: f64,
    /// What was noticed on reading.
    pub notes: Vec<Bilingual>,
}

/// A member.
#[derive(Debug, Serialize)]
pub struct MemberJson {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// May lead.
    pub lead: bool,
    /// Cost, 万元.
    pub cost: f64,
    /// What the team would cover less without the member.
    pub worth: f64,
    /// Ids of the needs covered.
    pub covers: Vec<String>,
    /// Ids of who could take the seat, with the team's value then.
    pub alternates: Vec<(String, f64)>,
    /// Cover that is left when the member drops out.
    pub left: f64,
    /// Ids of needs that become gaps then.
    pub opens: Vec<String>,
}

/// How a need is covered.
#[derive(Debug, Serialize)]
pub struct CoverageJson {
    /// Id.
    pub need: String,
    /// Who covers it.
    pub by: Option<String>,
    /// With what score.
    pub score: f64,
    /// The next best member, with the score.
    pub second: Option<(String, f64)>,
    /// A gap.
    pub gap: bool,
    /// The best score of any candidate.
    pub best_of_all: f64,
}

/// The team as one JSON document.
pub fn team_json(book: &TeamBook, plan: &TeamPlan) -> TeamJson {
    let p = &book.problem;
    let id = |j: usize| p.candidates[j].id.clone();
    let need = |t: usize| p.tasks[t].id.clone();
    TeamJson {
        team: book.name.clone(),
        members: plan
            .seats
            .iter()
            .map(|s| MemberJson {
                id: id(s.candidate),
                name: book.members[s.candidate].name.clone(),
                organisation: book.members[s.candidate].organisation.clone(),
                lead: s.lead,
                cost: p.candidates[s.candidate].cost,
                worth: s.worth,
                covers: s.covers.iter().map(|t| need(*t)).collect(),
                alternates: s
                    .alternates
                    .iter()
                    .map(|a| (id(a.candidate), a.value))
                    .collect(),
                left: s.drop.left,
                opens: s.drop.opens.iter().map(|t| need(*t)).collect(),
            })
            .collect(),
        coverage: plan
            .coverage
            .iter()
            .map(|c| CoverageJson {
                need: need(c.task),
                by: c.by.map(id),
                score: c.score,
                second: c.second.map(|(j, s)| (id(j), s)),
                gap: c.gap,
                best_of_all: c.best_of_all,
            })
            .collect(),
        gaps: plan
            .coverage
            .iter()
            .filter(|c| c.gap)
            .map(|c| need(c.task))
            .collect(),
        cover: plan.cover,
        cover_of: plan.cover_of,
        value: plan.value,
        bound: plan.bound,
        proven: plan.proven,
        cost: plan.cost,
        societies: plan.societies,
        worst_drop: plan.worst_drop,
        notes: book.notes.clone(),
    }
}
