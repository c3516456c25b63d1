//! Tracks and lists of projects (直通车) from their sheets.

mod json;
mod write;

pub use json::{TrackJson, track_json};
pub(crate) use write::{overview, sheets};

use crate::{
    Words,
    names::Kind,
    rules::{Rules, both},
    sheet::{Row, Sheet, Sheets, Slips},
    values::count,
};
use queqiao_domain::{CodeError, Readiness};
use queqiao_events::{
    conflict::same_name_key,
    track::{Listing, Project, TrackProblem},
};
use std::collections::HashMap;

/// Lists to be filled, with the words for them.
#[derive(Debug, Clone)]
pub struct TrackBook {
    /// The problem; its lists name no project where the file gives no scores.
    pub problem: TrackProblem,
    /// By project.
    pub projects: Vec<Words>,
    /// By project: the only track it may stand in, where it names one.
    pub only: Vec<Option<usize>>,
    /// By list, tracks first: name, and what it looks for.
    pub lists: Vec<Words>,
}

impl TrackBook {
    /// True when the file gave scores.
    pub fn scored(&self) -> bool {
        let p = &self.problem;
        p.tracks
            .iter()
            .chain(&p.enterprises)
            .any(|l| !l.fit.is_empty())
    }

    /// True when a list may name a project.
    pub fn may(&self, list: usize, project: usize) -> bool {
        list >= self.problem.tracks.len() || self.only[project].is_none_or(|t| t == list)
    }

    /// Gives a list's fit to a project.
    pub(crate) fn fit(&mut self, list: usize, project: usize, score: f64) {
        if !self.may(list, project) {
            return;
        }
        let tracks = self.problem.tracks.len();
        let listing = if list < tracks {
            &mut self.problem.tracks[list]
        } else {
            &mut self.problem.enterprises[list - tracks]
        };
        match listing.fit.iter_mut().find(|f| f.0 == project) {
            Some(f) => f.1 = score,
            None => listing.fit.push((project, score)),
        }
    }
}

/// Reads projects and lists, where there are some.
pub(crate) fn read_tracks(
    sheets: &Sheets,
    rules: &Rules<'_>,
    slips: &mut Slips,
) -> Option<TrackBook> {
    let (projects, tracks) = (sheets.get(&Kind::Projects)?, sheets.get(&Kind::Tracks)?);
    let places = rules.whole("places", 1, slips).unwrap_or(10);
    let mut book = TrackBook {
        problem: TrackProblem {
            lists_each: rules.whole("lists_each", 1, slips).unwrap_or(2),
            ..TrackProblem::default()
        },
        projects: Vec::new(),
        only: Vec::new(),
        lists: Vec::new(),
    };
    book.problem.tracks = book.listings(tracks, places, slips);
    if let Some(sheet) = sheets.get(&Kind::Listings) {
        book.problem.enterprises = book.listings(sheet, places, slips);
    }
    book.read_projects(projects, slips);
    Some(book)
}

fn readiness(row: Row<'_>, field: &str, slips: &mut Slips) -> Option<Readiness> {
    let text = row.text(field);
    if text.is_empty() {
        return None;
    }
    match text.parse() {
        Ok(r) => Some(r),
        Err(e) => {
            let e: CodeError = e;
            let (told, expected) = (e.problem, e.expected);
            slips.add(row, field, (told.en, told.zh), (expected.en, expected.zh));
            None
        }
    }
}

impl TrackBook {
    fn listings(&mut self, sheet: &Sheet, places: u32, slips: &mut Slips) -> Vec<Listing> {
        let mut out: Vec<Listing> = Vec::new();
        for row in sheet.rows() {
            let name = row.text("name");
            let key = same_name_key(&name);
            if name.is_empty() || self.lists.iter().any(|l| same_name_key(&l.id) == key) {
                slips.add(
                    row,
                    "name",
                    both(
                        "the list has no name, or one that is taken",
                        "榜单缺少名称或名称重复",
                    ),
                    both("expected a name of its own", "应有各自的名称"),
                );
                continue;
            }
            out.push(Listing {
                id: name.clone(),
                places: count(row, "places", 1, slips).unwrap_or(places),
                gate: readiness(row, "gate", slips),
                fit: Vec::new(),
            });
            self.lists.push(Words {
                id: name.clone(),
                name,
                organisation: String::new(),
                text: row.text("text"),
            });
        }
        out
    }

    fn read_projects(&mut self, sheet: &Sheet, slips: &mut Slips) {
        let tracks: HashMap<String, usize> = self
            .problem
            .tracks
            .iter()
            .enumerate()
            .map(|(i, t)| (same_name_key(&t.id), i))
            .collect();
        for row in sheet.rows() {
            let (id, name) = (row.text("id"), row.text("name"));
            let (field, key) = if id.is_empty() {
                ("name", name.clone())
            } else {
                ("id", id)
            };
            let known = |p: &Words| same_name_key(&p.id) == same_name_key(&key);
            if key.is_empty() || self.projects.iter().any(known) {
                slips.add(
                    row,
                    field,
                    both("no id, or one that stands twice", "缺少编号或编号重复"),
                    both("expected an id of its own", "应有各自的编号"),
                );
                continue;
            }
            let track = row.text("track");
            let only = tracks.get(&same_name_key(&track)).copied();
            if !track.is_empty() && only.is_none() {
                slips.add(
                    row,
                    "track",
                    both("there is no such track", "没有这条赛道"),
                    both(
                        "expected a track of the tracks' sheet",
                        "应为赛道表中的名称",
                    ),
                );
            }
            let organisation = row.text("organisation");
            self.problem.projects.push(Project {
                id: key.clone(),
                organisation: organisation.clone(),
                readiness: readiness(row, "readiness", slips),
            });
            self.only.push(only);
            self.projects.push(Words {
                name: if name.is_empty() { key.clone() } else { name },
                id: key,
                organisation,
                text: row.text("text"),
            });
        }
    }
}
