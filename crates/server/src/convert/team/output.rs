//! A team to the wire.

use super::super::count;
use queqiao_engine::teams::{Consortium, TeamPlan, TeamProblem};
use queqiao_proto::v1;

/// A team to the wire; `names` are of the candidates.
pub(crate) fn write_team(
    p: &TeamProblem,
    names: &[String],
    plan: &TeamPlan,
) -> v1::ComposeTeamResponse {
    let id = |j: usize| p.candidates[j].id.clone();
    let needs =
        |list: &[usize]| -> Vec<String> { list.iter().map(|t| p.tasks[*t].id.clone()).collect() };
    v1::ComposeTeamResponse {
        members: plan
            .seats
            .iter()
            .map(|s| v1::TeamMember {
                id: id(s.candidate),
                name: names.get(s.candidate).cloned().unwrap_or_default(),
                may_lead: s.lead,
                cost: p.candidates[s.candidate].cost,
                worth: s.worth,
                covers: needs(&s.covers),
                alternates: s
                    .alternates
                    .iter()
                    .map(|a| v1::TeamAlternate {
                        id: id(a.candidate),
                        value: a.value,
                    })
                    .collect(),
                left: s.drop.left,
                opens: needs(&s.drop.opens),
            })
            .collect(),
        coverage: plan
            .coverage
            .iter()
            .map(|c| v1::NeedCoverage {
                need: p.tasks[c.task].id.clone(),
                by: c.by.map(id).unwrap_or_default(),
                score: c.score,
                second: c.second.map(|s| id(s.0)).unwrap_or_default(),
                second_score: c.second.map_or(0.0, |s| s.1),
                gap: c.gap,
                best_of_all: c.best_of_all,
            })
            .collect(),
        cover: plan.cover,
        cover_of: plan.cover_of,
        value: plan.value,
        bound: plan.bound,
        proven: plan.proven,
        cost: plan.cost,
        societies: count(plan.societies),
        worst_drop: plan.worst_drop,
        finished: plan.finished,
    }
}

/// A consortium to the wire; none where there is none.
pub(crate) fn write_consortium(
    p: &TeamProblem,
    names: &[String],
    found: &Consortium,
) -> Option<v1::ComposeConsortiumResponse> {
    let Consortium::Members {
        partners,
        parts,
        value,
        bound,
        proven,
    } = found
    else {
        return None;
    };
    let id = |j: usize| p.candidates[j].id.clone();
    Some(v1::ComposeConsortiumResponse {
        members: partners
            .iter()
            .map(|m| v1::ConsortiumMember {
                id: id(m.candidate),
                name: names.get(m.candidate).cloned().unwrap_or_default(),
                leads: m.leads.iter().map(|t| p.tasks[*t].id.clone()).collect(),
                worth: m.worth,
                overlap: m.overlap,
            })
            .collect(),
        parts: parts
            .iter()
            .enumerate()
            .map(|(t, (lead, score))| v1::ConsortiumPart {
                part: p.tasks[t].id.clone(),
                lead: lead.map(id).unwrap_or_default(),
                score: *score,
            })
            .collect(),
        value: *value,
        bound: *bound,
        proven: *proven,
    })
}
