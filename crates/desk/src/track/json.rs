//! Lists of projects as JSON.

use super::TrackBook;
use queqiao_domain::Bilingual;
use queqiao_events::{event::Event, track::TrackPlan};
use serde::Serialize;

/// The lists as JSON.
#[derive(Debug, Serialize)]
pub struct TrackJson {
    /// Lists of the tracks.
    pub tracks: Vec<ListJson>,
    /// Lists of the enterprises.
    pub enterprises: Vec<ListJson>,
    /// The roadshow in order.
    pub roadshow: Vec<StageJson>,
    /// What gates kept out.
    pub kept_out: Vec<KeptOutJson>,
    /// Ids of projects on no list.
    pub unlisted: Vec<String>,
    /// Fit over all lists.
    pub total: f64,
    /// Upper bound of it.
    pub total_bound: f64,
}

/// A list.
#[derive(Debug, Serialize)]
pub struct ListJson {
    /// Name.
    pub list: String,
    /// Places.
    pub places: u32,
    /// Ids of projects with their fit, best first.
    pub projects: Vec<(String, f64)>,
}

/// A turn on the stage.
#[derive(Debug, Serialize)]
pub struct StageJson {
    /// Track.
    pub track: String,
    /// The project's id.
    pub project: String,
    /// When it begins; none when the day has no slot left.
    pub begin: Option<String>,
}

/// A project that a gate kept out.
#[derive(Debug, Serialize)]
pub struct KeptOutJson {
    /// List.
    pub list: String,
    /// The project's id.
    pub project: String,
    /// Why, with the figures.
    pub why: Bilingual,
}

/// Track, project and slot of every turn on the stage: track after track.
pub(crate) fn stage(event: &Event, plan: &TrackPlan) -> Vec<(usize, usize, Option<usize>)> {
    plan.roadshow
        .iter()
        .enumerate()
        .flat_map(|(t, order)| order.iter().map(move |p| (t, *p)))
        .enumerate()
        .map(|(i, (t, p))| (t, p, Some(i).filter(|i| *i < event.slots.len())))
        .collect()
}

/// The lists as one JSON value.
pub fn track_json(event: &Event, book: &TrackBook, plan: &TrackPlan) -> TrackJson {
    let id = |p: usize| book.projects[p].id.clone();
    let lists = |from: usize, lists: &[Vec<(usize, f64)>]| {
        let all = book.problem.tracks.iter().chain(&book.problem.enterprises);
        lists
            .iter()
            .zip(all.skip(from))
            .map(|(list, l)| ListJson {
                list: l.id.clone(),
                places: l.places,
                projects: list.iter().map(|(p, fit)| (id(*p), *fit)).collect(),
            })
            .collect()
    };
    TrackJson {
        tracks: lists(0, &plan.tracks),
        enterprises: lists(plan.tracks.len(), &plan.enterprises),
        roadshow: stage(event, plan)
            .into_iter()
            .map(|(t, p, slot)| StageJson {
                track: book.lists[t].name.clone(),
                project: id(p),
                begin: slot.map(|s| event.clock(event.slots[s].0)),
            })
            .collect(),
        kept_out: plan
            .kept_out
            .iter()
            .map(|k| KeptOutJson {
                list: k.list.clone(),
                project: id(k.project),
                why: k.text.clone(),
            })
            .collect(),
        unlisted: plan.unlisted.iter().map(|p| id(*p)).collect(),
        total: plan.lists.total,
        total_bound: plan.lists.total_bound,
    }
}
