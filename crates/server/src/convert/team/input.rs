//! A team from the wire.

use super::super::{
    Violations,
    names::{read_name, read_parent},
    plan::{Ids, at_most, read_scores, some},
    reader::Reader,
};
use queqiao_domain::{Bilingual, Kind, RecordId, TenantId};
use queqiao_engine::{
    TeamRequest,
    teams::{Candidate, ConsortiumParams, Rule, Task, TeamParams, TeamProblem},
};
use queqiao_proto::v1;
use std::collections::HashMap;

const NEEDS: usize = 2_000;
const STORED_NEEDS: usize = 500;
const CANDIDATES: usize = 20_000;
/// Societies, or rules, of one candidate.
const ENTRIES: usize = 100;
/// Members at most, where the request does not say.
const SIZE: u32 = 8;

/// Where needs and candidates come from.
pub(crate) enum TeamSource {
    /// From the request, with the words for them.
    Given(GivenTeam),
    /// From the store.
    Stored(TeamRequest),
}

/// A problem that the request brings.
pub(crate) struct GivenTeam {
    pub(crate) problem: TeamProblem,
    /// By need: title and text.
    pub(crate) needs: Vec<(String, String)>,
    /// By candidate: their text.
    pub(crate) candidates: Vec<(String, String)>,
    /// By candidate.
    pub(crate) names: Vec<String>,
    /// The request gave scores.
    pub(crate) scored: bool,
}

/// Limits that bind whatever the source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    size: u32,
    budget: Option<f64>,
    per_institution: Option<u32>,
    societies: u32,
    leads: u32,
}

impl Limits {
    /// Sets the limits of a problem.
    pub(crate) fn set(&self, p: &mut TeamProblem) {
        p.size = self.size;
        p.budget = self.budget;
        p.per_institution = self.per_institution;
        p.least_societies = self.societies;
        p.least_leads = self.leads;
    }
}

/// A team that is asked for.
pub(crate) struct ReadTeam<P> {
    pub(crate) tenant: TenantId,
    pub(crate) source: TeamSource,
    pub(crate) limits: Limits,
    pub(crate) params: P,
}

enum Source {
    Given(v1::GivenTeam),
    Stored(v1::StoredTeam),
}

/// Reads which team is asked for.
pub(crate) fn read_team(w: v1::ComposeTeamRequest) -> Result<ReadTeam<TeamParams>, Violations> {
    let source = w.source.map(|s| match s {
        v1::compose_team_request::Source::Given(g) => Source::Given(g),
        v1::compose_team_request::Source::Stored(s) => Source::Stored(s),
    });
    let (robust, gap) = (w.robust, w.gap_below);
    read(&w.parent, source, w.limits, |r| {
        let robust = r.share("robust", robust).unwrap_or(0.0);
        let mut params = TeamParams {
            robust,
            ..TeamParams::default()
        };
        if let Some(g) = gap.and_then(|g| r.share("gap_below", g)) {
            params.gap_below = g;
        }
        params
    })
}

/// Reads which consortium is asked for.
pub(crate) fn read_consortium(
    w: v1::ComposeConsortiumRequest,
) -> Result<ReadTeam<ConsortiumParams>, Violations> {
    let source = w.source.map(|s| match s {
        v1::compose_consortium_request::Source::Given(g) => Source::Given(g),
        v1::compose_consortium_request::Source::Stored(s) => Source::Stored(s),
    });
    let (floor, each) = (w.floor, w.max_parts_each);
    read(&w.parent, source, w.limits, |r| {
        let mut params = ConsortiumParams::default();
        if let Some(f) = floor.and_then(|f| r.share("floor", f)) {
            params.floor = f;
        }
        if let Some(n) = r.one_based("max_parts_each", each) {
            params.parts_each = n;
        }
        params
    })
}

fn read<P>(
    parent: &str,
    source: Option<Source>,
    limits: Option<v1::TeamLimits>,
    params: impl FnOnce(&mut Reader) -> P,
) -> Result<ReadTeam<P>, Violations> {
    let tenant = read_parent("parent", parent)?;
    let mut r = Reader::default();
    let limits = read_limits(&mut r, limits.unwrap_or_default());
    let params = params(&mut r);
    let source = match source {
        Some(Source::Given(w)) => given(&mut r, w).map(TeamSource::Given),
        Some(Source::Stored(w)) => stored(&mut r, &tenant, w).map(TeamSource::Stored),
        None => {
            r.fail(
                "source",
                ("neither needs nor candidates", "缺少需求与候选人"),
                ("expected given or stored", "应填写 given 或 stored"),
            );
            None
        }
    };
    r.finish(source.map(|source| ReadTeam {
        tenant,
        source,
        limits,
        params,
    }))
}

fn read_limits(r: &mut Reader, w: v1::TeamLimits) -> Limits {
    Limits {
        size: r.one_based("limits.size", w.size).unwrap_or(SIZE),
        budget: w.budget.and_then(|b| r.amount("limits.budget", b, false)),
        per_institution: r.one_based("limits.max_per_institution", w.max_per_institution),
        societies: r
            .natural("limits.min_societies", Some(w.min_societies))
            .unwrap_or(0),
        leads: r
            .natural("limits.min_leads", Some(w.min_leads))
            .unwrap_or(0),
    }
}

fn given(r: &mut Reader, w: v1::GivenTeam) -> Option<GivenTeam> {
    for (path, n, most) in [
        ("given.needs", w.needs.len(), NEEDS),
        ("given.candidates", w.candidates.len(), CANDIDATES),
    ] {
        if !some(r, path, n) || !at_most(r, path, n, most) {
            return None;
        }
    }
    let needs = Ids::read(
        r,
        ("given.needs", ".id"),
        ("need", "需求"),
        w.needs.iter().map(|n| n.id.as_str()),
    );
    let candidates = Ids::read(
        r,
        ("given.candidates", ".id"),
        ("candidate", "候选人"),
        w.candidates.iter().map(|c| c.id.as_str()),
    );
    let scores = read_scores(r, "given.scores", &w.scores, &needs, &candidates);
    let mut out = GivenTeam {
        problem: TeamProblem::default(),
        needs: Vec::new(),
        candidates: Vec::new(),
        names: Vec::new(),
        scored: !scores.is_empty(),
    };
    for (i, n) in w.needs.into_iter().enumerate() {
        let at = |f: &str| format!("given.needs[{i}].{f}");
        let weight = n.weight.and_then(|x| r.amount(at("weight"), x, true));
        let floor = n.floor.and_then(|x| r.share(at("floor"), x));
        out.problem.tasks.push(Task {
            id: n.id.clone(),
            weight: weight.unwrap_or(1.0),
            floor,
        });
        out.needs
            .push((if n.title.is_empty() { n.id } else { n.title }, n.text));
    }
    let mut places = Places::default();
    for (i, c) in w.candidates.into_iter().enumerate() {
        let candidate = places.candidate(r, i, &c, &mut out.problem.rules);
        out.problem.candidates.push(candidate);
        out.candidates.push((String::new(), c.text));
        out.names
            .push(if c.name.is_empty() { c.id } else { c.name });
    }
    for (t, j, s) in scores {
        if let Some(c) = out.problem.candidates.get_mut(j) {
            c.scores.push((t, s));
        }
    }
    let mut named = |path: &str, ids: &[String]| -> Vec<usize> {
        ids.iter()
            .enumerate()
            .filter_map(|(i, id)| candidates.get(r, format_args!("{path}[{i}]"), id))
            .collect()
    };
    out.problem.must = named("given.must", &w.must);
    out.problem.must_not = named("given.must_not", &w.must_not);
    Some(out)
}

/// Names that become places.
#[derive(Default)]
struct Places {
    institutions: HashMap<String, usize>,
    societies: HashMap<String, usize>,
    rules: HashMap<String, usize>,
}

fn place(names: &mut HashMap<String, usize>, name: &str) -> usize {
    let next = names.len();
    *names.entry(name.trim().to_owned()).or_insert(next)
}

impl Places {
    fn candidate(
        &mut self,
        r: &mut Reader,
        i: usize,
        c: &v1::TeamCandidate,
        rules: &mut Vec<Rule>,
    ) -> Candidate {
        let at = |f: &str| format!("given.candidates[{i}].{f}");
        for (field, n) in [
            ("societies", c.societies.len()),
            ("kept_out_by", c.kept_out_by.len()),
        ] {
            at_most(r, &at(field), n, ENTRIES);
        }
        let kept_out_by = c.kept_out_by.iter().take(ENTRIES).map(|why| {
            let place = place(&mut self.rules, why);
            if place == rules.len() {
                rules.push(Rule {
                    name: "kept_out".to_owned(),
                    text: Bilingual::new(why.trim(), why.trim()),
                });
            }
            place
        });
        let kept_out_by = kept_out_by.collect();
        let institution = c.institution.trim();
        let societies = c
            .societies
            .iter()
            .take(ENTRIES)
            .filter(|s| !s.trim().is_empty());
        Candidate {
            id: c.id.clone(),
            cost: r.amount(at("cost"), c.cost, false).unwrap_or(0.0),
            institution: (!institution.is_empty())
                .then(|| place(&mut self.institutions, institution)),
            societies: societies.map(|s| place(&mut self.societies, s)).collect(),
            lead: c.may_lead,
            load: r.one_based(at("max_needs"), c.max_needs),
            kept_out_by,
            scores: Vec::new(),
        }
    }
}

fn stored(r: &mut Reader, tenant: &TenantId, w: v1::StoredTeam) -> Option<TeamRequest> {
    if !some(r, "stored.needs", w.needs.len())
        || !at_most(r, "stored.needs", w.needs.len(), STORED_NEEDS)
        || !at_most(r, "stored.must", w.must.len(), STORED_NEEDS)
        || !at_most(r, "stored.must_not", w.must_not.len(), CANDIDATES)
    {
        return None;
    }
    let name = |r: &mut Reader, path: String, text: &str, kind: Kind| -> Option<RecordId> {
        match read_name(&path, text, Some(tenant)) {
            Ok(n) if n.kind == kind => Some(n.id),
            Ok(n) => {
                r.fail(
                    path,
                    (
                        format!("it names a record of kind {}", n.kind),
                        format!("它是 {} 类记录", n.kind),
                    ),
                    (
                        format!("expected one of kind {kind}"),
                        format!("应为 {kind} 类记录"),
                    ),
                );
                None
            }
            Err(found) => {
                found.into_iter().for_each(|v| r.note(v));
                None
            }
        }
    };
    let mut needs: Vec<(RecordId, f64)> = Vec::new();
    for (i, n) in w.needs.iter().enumerate() {
        let id = name(r, format!("stored.needs[{i}].name"), &n.name, Kind::Need);
        let weight = match n.weight {
            Some(x) => r.amount(format_args!("stored.needs[{i}].weight"), x, true),
            None => Some(1.0),
        };
        let (Some(id), Some(weight)) = (id, weight) else {
            continue;
        };
        if needs.iter().any(|x| x.0 == id) {
            r.fail(
                format_args!("stored.needs[{i}].name"),
                ("the need stands twice", "需求重复"),
                ("expected each once", "每项只应出现一次"),
            );
        }
        needs.push((id, weight));
    }
    let mut named = |path: &str, list: &[String]| -> Vec<RecordId> {
        list.iter()
            .enumerate()
            .filter_map(|(i, t)| name(r, format!("{path}[{i}]"), t, Kind::Expert))
            .collect()
    };
    let (must, must_not) = (
        named("stored.must", &w.must),
        named("stored.must_not", &w.must_not),
    );
    let from = r.optional_date("stored.visit_from", &w.visit_from);
    let until = r.optional_date("stored.visit_until", &w.visit_until);
    let visit = match (from, until) {
        (Some(a), b) if b.is_none_or(|b| a <= b) => Some((a, b.unwrap_or(a))),
        (None, None) => None,
        _ => {
            r.fail(
                "stored.visit_until",
                (
                    "the visit ends before it begins, or begins on no day",
                    "到访日期不完整或先后颠倒",
                ),
                (
                    "expected visit_from, and visit_until not before it",
                    "应填写 visit_from，且不晚于 visit_until",
                ),
            );
            None
        }
    };
    Some(TeamRequest {
        needs,
        lead_ranks: w.lead_ranks,
        visit,
        region: r.optional_code("stored.region", &w.region),
        must,
        must_not,
        // By who calls.
        sees_sealed: false,
    })
}
