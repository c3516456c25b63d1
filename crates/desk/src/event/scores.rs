//! The sheet of scores: needs and experts, applications and reviewers, lists and projects, tables
//! and guests share it.

use super::{EventBook, reader::Reader};
use crate::{
    rules::both,
    sheet::{Row, Sheet},
    values::number,
};
use queqiao_events::conflict::same_name_key;
use std::collections::HashMap;

/// Places by id and name.
pub(crate) type Names = HashMap<String, usize>;

/// Places under every spelling of their names; the first of a name keeps it.
pub(crate) fn names<'a>(all: impl Iterator<Item = [&'a str; 2]>) -> Names {
    let mut out = Names::new();
    for (i, pair) in all.enumerate() {
        for name in pair.iter().filter(|n| !n.is_empty()) {
            out.entry(same_name_key(name)).or_insert(i);
        }
    }
    out
}

/// A score from 0 to 1.
fn score(reader: &mut Reader, row: Row<'_>) -> Option<f64> {
    if row.cell("score").is_blank() {
        reader.slips.add(
            row,
            "score",
            both("there is no score", "缺少评分"),
            both("expected 0 to 1", "应为 0 至 1"),
        );
        return None;
    }
    let s = number(row, "score", 0.0, &mut reader.slips)?;
    if s <= 1.0 {
        return Some(s);
    }
    reader.slips.add(
        row,
        "score",
        both("the score is more than 1", "评分大于 1"),
        both("expected 0 to 1", "应为 0 至 1"),
    );
    None
}

pub(super) fn scores(reader: &mut Reader, book: &mut EventBook, sheet: &Sheet) {
    let panel = book.panels.as_ref().map(|b| {
        let p = &b.problem;
        (
            names(
                p.applications
                    .iter()
                    .map(|a| [&*a.profile.id, &*a.profile.name]),
            ),
            names(
                p.reviewers
                    .iter()
                    .map(|r| [&*r.profile.id, &*r.profile.name]),
            ),
        )
    });
    let track = book.tracks.as_ref().map(|b| {
        (
            names(b.lists.iter().map(|l| [&*l.id, &*l.name])),
            names(b.projects.iter().map(|p| [&*p.id, &*p.name])),
        )
    });
    let tables = book
        .rounds
        .as_ref()
        .map(|b| names(b.tables.iter().map(|t| [&*t.id, &*t.name])));
    for row in sheet.rows() {
        let key = |f: &str| same_name_key(&row.text(f));
        let (left, right) = (key("need"), key("expert"));
        let found = |names: &Option<(Names, Names)>| {
            let (a, b) = names.as_ref()?;
            Some((*a.get(&left)?, *b.get(&right)?))
        };
        if let (Some((a, r)), Some(b)) = (found(&panel), &mut book.panels) {
            if let Some(s) = score(reader, row) {
                b.problem.scores.push((a, r, s));
            }
            continue;
        }
        if let (Some((l, p)), Some(b)) = (found(&track), &mut book.tracks) {
            if let Some(s) = score(reader, row) {
                b.fit(l, p, s);
            }
            continue;
        }
        let table = tables.as_ref().and_then(|t| t.get(&left)).copied();
        if let (Some(t), Some(b)) = (table, &mut book.rounds) {
            if let (Some(who), Some(s)) = (reader.who(row, "expert"), score(reader, row))
                && let Some(g) = b.guests.iter().position(|g| *g == who)
            {
                b.problem.guests[g].fit[t] = s;
                b.fitted = true;
            }
            continue;
        }
        let pair = (reader.need(row, "need"), reader.expert(row, "expert"));
        if let ((Some(n), Some(e)), Some(s)) = (pair, score(reader, row)) {
            reader.event.scores.push((n, e, s));
        }
    }
}
