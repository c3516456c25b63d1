//! Tracks and gates (直通车): projects that are ready enough, per-track and per-enterprise lists, and
//! the order of a roadshow.

use crate::shortlist::{
    Objective, Pair, Party, ShortlistError, ShortlistParams, ShortlistProblem, Shortlists,
};
use queqiao_domain::{Bilingual, Readiness};
use queqiao_solve::Stop;
use serde::{Deserialize, Serialize};

/// A project of the pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Id.
    pub id: String,
    /// Who brings it, so that two of one organisation do not follow each other on the stage.
    pub organisation: String,
    /// How ready it is, if that is known.
    pub readiness: Option<Readiness>,
}

/// A list to be filled: a track with its gate, or an enterprise that wants to see some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// Id.
    pub id: String,
    /// Projects at most.
    pub places: u32,
    /// Least readiness: the gate.
    pub gate: Option<Readiness>,
    /// Fit by project, as (project, fit ≥ 0); projects that are not named are not of this list.
    pub fit: Vec<(usize, f64)>,
}

/// Lists to be filled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrackProblem {
    /// The pool.
    pub projects: Vec<Project>,
    /// Tracks.
    pub tracks: Vec<Listing>,
    /// Enterprises with lists of their own.
    pub enterprises: Vec<Listing>,
    /// Lists in which one project may stand.
    pub lists_each: u32,
}

/// A project that a gate kept out of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeptOut {
    /// The list's id.
    pub list: String,
    /// The project's place.
    pub project: usize,
    /// Why, with the figures.
    pub text: Bilingual,
}

/// The filled lists.
#[derive(Debug, Clone)]
pub struct TrackPlan {
    /// By track: projects with their fit, best first.
    pub tracks: Vec<Vec<(usize, f64)>>,
    /// By enterprise, likewise.
    pub enterprises: Vec<Vec<(usize, f64)>>,
    /// By track: the order on the stage.
    pub roadshow: Vec<Vec<usize>>,
    /// What the gates kept out.
    pub kept_out: Vec<KeptOut>,
    /// Projects on no list: places.
    pub unlisted: Vec<usize>,
    /// Figures and bounds.
    pub lists: Shortlists,
}

/// Fills the lists: places filled first, then the greatest fit; no project in more lists than it
/// may; nothing through a gate it does not reach. A project of unknown readiness, or of another
/// scale than the gate's, does not pass.
///
/// # Errors
/// See [`ShortlistError`].
pub fn tracks(p: &TrackProblem, stop: &Stop) -> Result<TrackPlan, ShortlistError> {
    let mut kept_out = Vec::new();
    let mut pairs = Vec::new();
    let all: Vec<&Listing> = p.tracks.iter().chain(&p.enterprises).collect();
    for (l, list) in all.iter().enumerate() {
        for (project, fit) in &list.fit {
            let Some(x) = p.projects.get(*project) else {
                return Err(ShortlistError::NoSuchParty { pair: pairs.len() });
            };
            match closed(list.gate, x.readiness) {
                Some(text) => kept_out.push(KeptOut {
                    list: list.id.clone(),
                    project: *project,
                    text,
                }),
                None => pairs.push(Pair {
                    need: l,
                    expert: *project,
                    worth: *fit,
                    back: *fit,
                }),
            }
        }
    }
    let party = |id: &str, most: u32| Party {
        id: id.to_owned(),
        most,
        least: 0,
        group: None,
    };
    let problem = ShortlistProblem {
        needs: all.iter().map(|l| party(&l.id, l.places)).collect(),
        experts: p
            .projects
            .iter()
            .map(|x| party(&x.id, p.lists_each))
            .collect(),
        pairs,
        ..ShortlistProblem::default()
    };
    let valid = problem.check()?;
    let params = ShortlistParams {
        objective: Objective::CoverFirst,
        ..ShortlistParams::default()
    };
    let lists = valid.solve(&params, stop)?;
    let mut filled: Vec<Vec<(usize, f64)>> = vec![Vec::new(); all.len()];
    for c in &lists.chosen {
        let q = &valid.problem().pairs[*c];
        filled[q.need].push((q.expert, q.worth));
    }
    for list in &mut filled {
        list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }
    let enterprises = filled.split_off(p.tracks.len());
    let loads = valid.loads(&lists.chosen);
    Ok(TrackPlan {
        roadshow: filled.iter().map(|l| order(p, l)).collect(),
        tracks: filled,
        enterprises,
        kept_out,
        unlisted: (0..p.projects.len()).filter(|x| loads[*x] == 0).collect(),
        lists,
    })
}

/// Why a gate is closed to a project; none when it is open.
fn closed(gate: Option<Readiness>, has: Option<Readiness>) -> Option<Bilingual> {
    let gate = gate?;
    match has {
        None => Some(Bilingual::new(
            format!("its readiness is not given; the gate asks for {gate}"),
            format!("未填技术就绪度，门槛为 {gate}"),
        )),
        Some(r) => match r.reaches(gate) {
            Some(true) => None,
            Some(false) => Some(Bilingual::new(
                format!("its readiness is {r}; the gate asks for {gate}"),
                format!("技术就绪度为 {r}，门槛为 {gate}"),
            )),
            None => Some(Bilingual::new(
                format!("its readiness {r} is on another scale than the gate's {gate}"),
                format!("其就绪度 {r} 与门槛 {gate} 不是同一量表"),
            )),
        },
    }
}

/// The order on a stage: the best opens, the second best closes, the others by fit in between, two
/// of one organisation apart where that is possible.
fn order(p: &TrackProblem, list: &[(usize, f64)]) -> Vec<usize> {
    let mut wanted: Vec<usize> = list.iter().map(|x| x.0).collect();
    if wanted.len() > 2 {
        let closer = wanted.remove(1);
        wanted.push(closer);
    }
    let of = |x: usize| crate::conflict::same_name_key(&p.projects[x].organisation);
    let mut out: Vec<usize> = Vec::new();
    while !wanted.is_empty() {
        let last = out.last().map(|x| of(*x)).filter(|o| !o.is_empty());
        let count = |o: &str| wanted.iter().filter(|x| of(**x) == o).count();
        // An organisation that fills more than half of what is left has to come now.
        let must = wanted.iter().position(|x| {
            Some(of(*x)) != last && !of(*x).is_empty() && 2 * count(&of(*x)) > wanted.len()
        });
        let free = wanted
            .iter()
            .position(|x| Some(of(*x)) != last || of(*x).is_empty());
        let at = must.or(free).unwrap_or(0);
        out.push(wanted.remove(at));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_lists_and_the_stage() {
        let project = |id: &str, organisation: &str, trl: &str| Project {
            id: id.into(),
            organisation: organisation.into(),
            readiness: trl.parse().ok(),
        };
        let p = TrackProblem {
            projects: vec![
                project("a", "U", "TRL 8"),
                project("b", "U", "TRL 7"),
                project("c", "V", "TRL 6"),
                project("d", "W", "TRL 3"),
                project("e", "W", ""),
            ],
            tracks: vec![Listing {
                id: "造车健城".into(),
                places: 3,
                gate: "TRL 6".parse().ok(),
                fit: (0..5).map(|i| (i, 1.0 - 0.1 * i as f64)).collect(),
            }],
            enterprises: vec![Listing {
                id: "企业甲".into(),
                places: 2,
                gate: None,
                fit: vec![(0, 0.9), (1, 0.8), (3, 0.7)],
            }],
            lists_each: 1,
        };
        let plan = tracks(&p, &Stop::never()).unwrap();
        assert_eq!(plan.kept_out.len(), 2);
        assert!(plan.kept_out[0].text.en.contains("3") && plan.kept_out[0].text.en.contains("6"));
        let mut seen: Vec<usize> = plan.tracks[0]
            .iter()
            .chain(&plan.enterprises[0])
            .map(|x| x.0)
            .collect();
        seen.sort_unstable();
        let len = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), len, "one list each");
        assert_eq!(len, 4, "every place that can be filled is");
        assert_eq!(plan.unlisted, [4]);
        let stage = &order(&p, &[(0, 1.0), (1, 0.9), (2, 0.8)]);
        assert_eq!(
            stage,
            &[0, 2, 1],
            "two of one organisation do not follow each other"
        );
    }
}
