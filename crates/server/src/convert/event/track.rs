//! Lists of projects and a roadshow from the wire and to it.

use super::super::{
    Violations,
    names::read_parent,
    plan::{Ids, at_most, read_scores, some, write_text},
    reader::Reader,
    record_in::read_readiness,
};
use queqiao_engine::events::track::{Listing, Project, TrackPlan, TrackProblem};
use queqiao_proto::v1;

/// Pairs of list and project of one request.
const PAIRS: usize = 1_000_000;
/// Projects, or lists, of one request.
const ENTRIES: usize = 20_000;

/// Lists that are to be filled, with the words for them.
pub(crate) struct ReadTracks {
    pub(crate) problem: TrackProblem,
    /// By list, tracks first: name and text.
    pub(crate) lists: Vec<(String, String)>,
    /// By project: title and text.
    pub(crate) projects: Vec<(String, String)>,
    /// By project: the only track it may stand in.
    pub(crate) only: Vec<Option<usize>>,
    /// The request gave scores.
    pub(crate) scored: bool,
}

/// Reads which lists are to be filled.
pub(crate) fn read_tracks(w: v1::FillTracksRequest) -> Result<ReadTracks, Violations> {
    read_parent("parent", &w.parent)?;
    let mut r = Reader::default();
    let n = w.tracks.len() + w.enterprises.len();
    for (path, n) in [("projects", w.projects.len()), ("tracks", n)] {
        some(&mut r, path, n);
        at_most(&mut r, path, n, ENTRIES);
    }
    at_most(
        &mut r,
        "projects",
        n.saturating_mul(w.projects.len()),
        PAIRS,
    );
    r.check()?;
    let projects = Ids::read(
        &mut r,
        ("projects", ".id"),
        ("project", "项目"),
        w.projects.iter().map(|p| p.id.as_str()),
    );
    let track_names = Ids::read(
        &mut r,
        ("tracks", ".name"),
        ("track", "赛道"),
        w.tracks.iter().map(|t| t.name.as_str()),
    );
    Ids::read(
        &mut r,
        ("enterprises", ".name"),
        ("list", "榜单"),
        w.enterprises.iter().map(|t| t.name.as_str()),
    );
    for (i, e) in w.enterprises.iter().enumerate() {
        if track_names.find(&e.name).is_some() {
            r.fail(
                format_args!("enterprises[{i}].name"),
                ("a track has this name", "与赛道重名"),
                ("expected a name of its own", "应有各自的名称"),
            );
        }
    }
    r.check()?;
    let all = w.tracks.iter().chain(&w.enterprises);
    let lists = Ids::read(
        &mut r,
        ("tracks", ".name"),
        ("list", "榜单"),
        all.map(|t| t.name.as_str()),
    );
    let scores = read_scores(&mut r, "scores", &w.scores, &lists, &projects);
    let mut out = ReadTracks {
        problem: TrackProblem {
            lists_each: r
                .one_based("max_lists_per_project", w.max_lists_per_project)
                .unwrap_or(2),
            ..TrackProblem::default()
        },
        lists: Vec::new(),
        projects: Vec::new(),
        only: Vec::new(),
        scored: !scores.is_empty(),
    };
    out.problem.tracks = out.listings(&mut r, "tracks", w.tracks);
    out.problem.enterprises = out.listings(&mut r, "enterprises", w.enterprises);
    for (i, p) in w.projects.into_iter().enumerate() {
        out.only.push(match p.track.is_empty() {
            true => None,
            false => track_names.get(&mut r, format_args!("projects[{i}].track"), &p.track),
        });
        let title = if p.title.trim().is_empty() {
            p.id.clone()
        } else {
            p.title
        };
        out.projects.push((title, p.text));
        out.problem.projects.push(Project {
            id: p.id,
            organisation: p.organisation,
            readiness: p
                .readiness
                .and_then(|x| read_readiness(&mut r, &format!("projects[{i}].readiness"), x)),
        });
    }
    r.check()?;
    let tracks = out.problem.tracks.len();
    for (l, p, s) in scores {
        // A project that names its track stands in no other.
        if l < tracks && out.only[p].is_some_and(|t| t != l) {
            continue;
        }
        let list = match l < tracks {
            true => &mut out.problem.tracks[l],
            false => &mut out.problem.enterprises[l - tracks],
        };
        list.fit.push((p, s));
    }
    Ok(out)
}

impl ReadTracks {
    fn listings(
        &mut self,
        r: &mut Reader,
        path: &str,
        list: Vec<v1::ProjectListing>,
    ) -> Vec<Listing> {
        list.into_iter()
            .enumerate()
            .map(|(i, l)| {
                let places = r.one_based(format_args!("{path}[{i}].places"), Some(l.places));
                self.lists.push((l.name.clone(), l.text));
                Listing {
                    id: l.name,
                    places: places.unwrap_or(1),
                    gate: l
                        .gate
                        .and_then(|x| read_readiness(r, &format!("{path}[{i}].gate"), x)),
                    fit: Vec::new(),
                }
            })
            .collect()
    }
}

/// Filled lists to the wire.
pub(crate) fn write_tracks(read: &ReadTracks, plan: TrackPlan) -> v1::FillTracksResponse {
    let p = &read.problem;
    let id = |x: usize| p.projects[x].id.clone();
    let filled = plan.tracks.iter().chain(&plan.enterprises);
    let names = p.tracks.iter().chain(&p.enterprises);
    v1::FillTracksResponse {
        listings: names
            .zip(filled)
            .enumerate()
            .map(|(l, (list, projects))| v1::FilledListing {
                listing: list.id.clone(),
                projects: projects
                    .iter()
                    .map(|(x, fit)| v1::ListedProject {
                        project: id(*x),
                        fit: *fit,
                    })
                    .collect(),
                roadshow: plan
                    .roadshow
                    .get(l)
                    .map_or(Vec::new(), |order| order.iter().map(|x| id(*x)).collect()),
            })
            .collect(),
        refusals: plan
            .kept_out
            .iter()
            .map(|k| v1::GateRefusal {
                listing: k.list.clone(),
                project: id(k.project),
                why: write_text(k.text.clone()),
            })
            .collect(),
        unlisted: plan.unlisted.iter().map(|x| id(*x)).collect(),
        worth: plan.lists.total,
        bound: plan.lists.total_bound,
    }
}
