//! Events and teams: scores from the engine's matching, plans from `events` and `teams`. Texts are
//! title and text.

use crate::{
    Engine, Error,
    collection::pair_scores,
    request::{Ask, MatchRequest},
};
use queqiao_domain::{
    Availability, Bilingual, Date, Detail, Kind, Record, RecordId, RegionCode, Relation, TenantId,
    Visibility,
};
use queqiao_embed::Embedder;
use queqiao_events::{
    event::{Event, Side},
    panel::{PanelProblem, Panels, panels},
    plan::{Earlier, EventPlan, PlanError, plan, replan},
    roundtable::{RoundtableProblem, Seating, roundtables},
    track::{TrackPlan, TrackProblem, tracks},
};
use queqiao_solve::Stop;
use queqiao_teams::{Candidate, Rule, Task, TeamProblem};
use std::{collections::BTreeMap, sync::Arc};

/// Experts scored per need of an event; no shortlist is longer.
const DEPTH: usize = 60;
/// Fit of a project to the track it names, whatever its text says.
const NAMED: f64 = 0.05;
/// Experts considered per need of a team.
const TEAM_DEPTH: usize = 200;

/// Fit of asks and offers by their texts, 0 to 1: where the scorer goes beyond 1, all are divided by
/// the greatest, so that the best do not end up alike.
fn fits(
    asks: &[(String, String)],
    offers: &[(String, String)],
    embedder: Arc<dyn Embedder>,
    depth: usize,
) -> Result<Vec<(usize, usize, f64)>, Error> {
    let mut found = pair_scores(asks, offers, embedder, depth)?;
    let top = found.iter().map(|x| x.2).fold(1.0, f64::max);
    for x in &mut found {
        x.2 /= top;
    }
    Ok(found)
}

/// Scores of an event's needs and experts by their texts: need, expert (place of an attendee),
/// score from 0 to 1.
///
/// # Errors
/// The model fails.
pub fn event_scores(
    event: &Event,
    embedder: Arc<dyn Embedder>,
) -> Result<Vec<(usize, usize, f64)>, Error> {
    let experts: Vec<usize> = (0..event.attendees.len())
        .filter(|i| event.attendees[*i].side == Side::Answers)
        .collect();
    let asks: Vec<(String, String)> = event
        .needs
        .iter()
        .map(|n| (n.title.clone(), n.text.clone()))
        .collect();
    let offers: Vec<(String, String)> = experts
        .iter()
        .map(|e| (String::new(), event.attendees[*e].text.clone()))
        .collect();
    let found = fits(&asks, &offers, embedder, DEPTH)?;
    Ok(found
        .into_iter()
        .map(|(n, e, s)| (n, experts[e], s))
        .collect())
}

/// Plans an event. Where it gives no scores, `scores` has them; `before` is the plan that was
/// handed out, if one was.
///
/// # Errors
/// [`Error::Plan`]: the wishes or locks cannot be had, with the reason.
pub fn plan_event(
    event: &Event,
    scores: &[(usize, usize, f64)],
    before: Option<&[Earlier]>,
    stop: &Stop,
) -> Result<EventPlan, Error> {
    Ok(match before {
        None => plan(event, scores, stop)?,
        Some(before) => replan(event, scores, before, stop)?,
    })
}

/// Gives applications and reviewers their fit by texts, where they have none.
///
/// # Errors
/// The model fails.
pub fn score_panels(
    problem: &mut PanelProblem,
    applications: &[(String, String)],
    reviewers: &[(String, String)],
    embedder: Arc<dyn Embedder>,
) -> Result<(), Error> {
    problem.scores = fits(applications, reviewers, embedder, reviewers.len())?;
    Ok(())
}

/// Makes review panels.
///
/// # Errors
/// [`Error::Plan`]: a limit or a place that cannot be used.
pub fn plan_panels(problem: &PanelProblem, stop: &Stop) -> Result<Panels, Error> {
    Ok(panels(problem, stop).map_err(PlanError::from)?)
}

/// Gives guests their fit to tables by texts, but for those whose table is set.
///
/// # Errors
/// The model fails.
pub fn score_roundtables(
    problem: &mut RoundtableProblem,
    tables: &[(String, String)],
    guests: &[(String, String)],
    set: &[Option<usize>],
    embedder: Arc<dyn Embedder>,
) -> Result<(), Error> {
    for (t, g, s) in fits(tables, guests, embedder, guests.len())? {
        if set.get(g).copied().flatten().is_none()
            && let Some(fit) = problem.guests.get_mut(g).and_then(|g| g.fit.get_mut(t))
        {
            *fit = s;
        }
    }
    Ok(())
}

/// Fills roundtables.
///
/// # Errors
/// [`Error::Plan`]: a figure or a place that cannot be used.
pub fn plan_roundtables(
    problem: &RoundtableProblem,
    seed: u64,
    stop: &Stop,
) -> Result<Seating, Error> {
    Ok(roundtables(problem, seed, stop).map_err(PlanError::from)?)
}

/// Gives lists (tracks first) the projects that fit them by texts; a project that names its track
/// (`only`) stands in no other track, and in that one whatever its text says.
///
/// # Errors
/// The model fails.
pub fn score_tracks(
    problem: &mut TrackProblem,
    lists: &[(String, String)],
    projects: &[(String, String)],
    only: &[Option<usize>],
    embedder: Arc<dyn Embedder>,
) -> Result<(), Error> {
    let tracks = problem.tracks.len();
    let mut fit: BTreeMap<(usize, usize), f64> = only
        .iter()
        .enumerate()
        .filter_map(|(p, t)| Some((((*t)?, p), NAMED)))
        .collect();
    for (l, p, s) in fits(lists, projects, embedder, projects.len())? {
        let may = l >= tracks || only.get(p).copied().flatten().is_none_or(|t| t == l);
        if may && s > 0.0 {
            let known = fit.entry((l, p)).or_default();
            *known = known.max(s);
        }
    }
    let all = problem.tracks.iter_mut().chain(&mut problem.enterprises);
    for (l, list) in all.enumerate() {
        list.fit = fit
            .range((l, 0)..(l + 1, 0))
            .map(|((_, p), s)| (*p, *s))
            .collect();
    }
    Ok(())
}

/// Fills lists of projects and orders the roadshow.
///
/// # Errors
/// [`Error::Plan`]: a limit or a place that cannot be used.
pub fn plan_tracks(problem: &TrackProblem, stop: &Stop) -> Result<TrackPlan, Error> {
    Ok(tracks(problem, stop).map_err(PlanError::from)?)
}

/// Gives the candidates of a team their scores by texts (title, text), where they have none.
///
/// # Errors
/// The model fails.
pub fn score_team(
    problem: &mut TeamProblem,
    needs: &[(String, String)],
    candidates: &[(String, String)],
    embedder: Arc<dyn Embedder>,
) -> Result<(), Error> {
    for (t, j, s) in fits(needs, candidates, embedder, candidates.len().min(1_000))? {
        if s > 0.0 && t < problem.tasks.len() && j < problem.candidates.len() {
            problem.candidates[j].scores.push((t, s));
        }
    }
    Ok(())
}

/// A team asked for over stored records.
#[derive(Debug, Clone, Default)]
pub struct TeamRequest {
    /// The needs with their weights, > 0.
    pub needs: Vec<(RecordId, f64)>,
    /// Titles whose holders may lead.
    pub lead_ranks: Vec<String>,
    /// Days of the visit: who told their free days must be free on all of it.
    pub visit: Option<(Date, Date)>,
    /// Where the visit is: who told where they travel must come there.
    pub region: Option<RegionCode>,
    /// Experts that are set.
    pub must: Vec<RecordId>,
    /// Experts that are ruled out.
    pub must_not: Vec<RecordId>,
    /// Sealed experts are candidates, too, and sealed needs ask: for callers who may read them.
    pub sees_sealed: bool,
}

/// Whoever may not read a sealed record makes no team of it.
fn sealed(id: &RecordId) -> Error {
    Error::Excluded {
        id: id.clone(),
        reason: Bilingual::new(
            "it is sealed: a key with the role `writer` may use it",
            "该记录已密封：须使用具有 `writer` 角色的密钥",
        ),
    }
}

/// A team problem over stored needs and the experts that match them, with the records.
#[derive(Debug, Clone, Default)]
pub struct StoredTeam {
    /// The problem: tasks and candidates with scores, institutions, societies and rules; its limits
    /// are the caller's to set.
    pub problem: TeamProblem,
    /// By task.
    pub needs: Vec<Record>,
    /// By candidate.
    pub experts: Vec<Record>,
}

impl Engine {
    /// The team problem of stored needs: every expert that matches one of them is a candidate.
    ///
    /// # Errors
    /// A need or a named expert is not there, or matching fails.
    pub fn team_for(
        &self,
        tenant: &TenantId,
        request: &TeamRequest,
        today: Date,
    ) -> Result<StoredTeam, Error> {
        let mut pool = Pool::new(request);
        for (t, (id, weight)) in request.needs.iter().enumerate() {
            let need = self.get(tenant, Some(Kind::Need), id, false)?.record;
            if !request.sees_sealed && need.visibility == Visibility::Sealed {
                return Err(sealed(id));
            }
            pool.team.needs.push(need);
            pool.team.problem.tasks.push(Task {
                id: id.to_string(),
                weight: *weight,
                floor: None,
            });
            let ask = MatchRequest {
                to: vec![Kind::Expert],
                k: TEAM_DEPTH,
                quotes: false,
                sees_sealed: request.sees_sealed,
                ..MatchRequest::new(Ask::Record(id.clone()), today)
            };
            for m in self.find_matches(tenant, &ask)?.matches {
                if m.disclosed.is_some() && !request.sees_sealed {
                    continue;
                }
                let j = pool.candidate(self, tenant, &m.id)?;
                pool.team.problem.candidates[j]
                    .scores
                    .push((t, m.score.get().max(0.0)));
            }
        }
        pool.scale();
        for id in &request.must {
            let j = pool.candidate(self, tenant, id)?;
            pool.team.problem.must.push(j);
        }
        for id in &request.must_not {
            let j = pool.candidate(self, tenant, id)?;
            pool.team.problem.must_not.push(j);
        }
        Ok(pool.team)
    }
}

/// Candidates as they are found.
struct Pool<'a> {
    request: &'a TeamRequest,
    team: StoredTeam,
    place: BTreeMap<RecordId, usize>,
    institutions: BTreeMap<String, usize>,
    societies: BTreeMap<String, usize>,
    availability: Option<usize>,
    travel: Option<usize>,
}

impl<'a> Pool<'a> {
    fn new(request: &'a TeamRequest) -> Self {
        let mut team = StoredTeam::default();
        let mut rule = |name: &str, en: String, zh: String| {
            team.problem.rules.push(Rule {
                name: name.to_owned(),
                text: Bilingual::new(en, zh),
            });
            team.problem.rules.len() - 1
        };
        let availability = request.visit.map(|(a, b)| {
            rule(
                "availability",
                format!("free from {a} to {b}"),
                format!("{a} 至 {b} 有空"),
            )
        });
        let travel = request.region.as_ref().map(|r| {
            rule(
                "travel",
                format!("travels to {}", r.full_name()),
                format!("愿意前往{}", r.full_name()),
            )
        });
        Self {
            request,
            team,
            place: BTreeMap::new(),
            institutions: BTreeMap::new(),
            societies: BTreeMap::new(),
            availability,
            travel,
        }
    }

    /// Scores from 0 to 1, in the order and proportions they had.
    fn scale(&mut self) {
        let candidates = &mut self.team.problem.candidates;
        let all = candidates.iter().flat_map(|c| &c.scores);
        let top = all.map(|s| s.1).fold(1.0, f64::max);
        for s in candidates.iter_mut().flat_map(|c| &mut c.scores) {
            s.1 /= top;
        }
    }

    /// The place of an expert among the candidates; new ones are added.
    fn candidate(
        &mut self,
        engine: &Engine,
        tenant: &TenantId,
        id: &RecordId,
    ) -> Result<usize, Error> {
        if let Some(j) = self.place.get(id) {
            return Ok(*j);
        }
        let record = engine.get(tenant, Some(Kind::Expert), id, false)?.record;
        if !self.request.sees_sealed && record.visibility == Visibility::Sealed {
            return Err(sealed(id));
        }
        let j = self.team.experts.len();
        let candidate = self.drawn(&record);
        self.team.problem.candidates.push(candidate);
        self.team.experts.push(record);
        self.place.insert(id.clone(), j);
        Ok(j)
    }

    fn drawn(&mut self, record: &Record) -> Candidate {
        let (mut lead, mut load, mut kept_out_by) = (false, None, Vec::new());
        if let Detail::Expert(e) = &record.detail {
            lead = self.request.lead_ranks.contains(&e.professional_title);
            load = e.capacity.and_then(|c| c.engagements);
            if let (Some(rule), Some((from, until))) = (self.availability, self.request.visit) {
                let free = |a: &Availability| a.from <= from && until <= a.until;
                if !e.availability.is_empty() && !e.availability.iter().any(free) {
                    kept_out_by.push(rule);
                }
            }
            let regions = e.travel.as_ref().map_or(&[][..], |t| &t.regions);
            if let (Some(rule), Some(region)) = (self.travel, &self.request.region)
                && !regions.is_empty()
                && !regions.iter().any(|r| region.is_within(*r))
            {
                kept_out_by.push(rule);
            }
        }
        let number = |names: &mut BTreeMap<String, usize>, name: &str| {
            let next = names.len();
            *names.entry(name.to_owned()).or_insert(next)
        };
        Candidate {
            id: record.id.to_string(),
            cost: 0.0,
            institution: record
                .organisation
                .as_ref()
                .map(|o| number(&mut self.institutions, &o.name)),
            societies: record
                .links
                .iter()
                .filter(|l| l.relation == Relation::MemberOf)
                .map(|l| number(&mut self.societies, &l.target))
                .collect(),
            lead,
            load,
            kept_out_by,
            scores: Vec::new(),
        }
    }
}
