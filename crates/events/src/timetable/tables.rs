//! Which table: people who answer stay where they sit, as far as that goes.

use super::{
    problem::{Place, ValidTimetable},
    repair::Spot,
};

/// A table for every meeting that has a slot and a site.
pub(crate) fn seat(v: &ValidTimetable, spots: &[Option<Spot>]) -> Vec<Option<Place>> {
    let p = &v.problem;
    let mut out: Vec<Option<Place>> = vec![None; spots.len()];
    let mut busy = vec![false; p.tables.len() * p.slots.len().max(1)];
    let at = |t: usize, s: usize| t * p.slots.len() + s;
    // Slots in which a table is open and nobody sits.
    let mut free: Vec<usize> = p
        .tables
        .iter()
        .map(|t| t.open.iter().filter(|o| **o).count())
        .collect();
    for (m, q) in p.meetings.iter().enumerate() {
        if let (Some((slot, Some(table))), Some(_)) = (q.locked, spots[m]) {
            out[m] = Some(Place { slot, table });
            take(
                &mut busy[at(table, slot)],
                &mut free[table],
                p.tables[table].open[slot],
            );
        }
    }
    // Those with most meetings get a table of their own first.
    let mut meetings = vec![0_usize; p.people.len()];
    for (m, q) in p.meetings.iter().enumerate() {
        if spots[m].is_some() {
            meetings[q.right] += 1;
            meetings[q.left] += 1;
        }
    }
    let mut home: Vec<Option<usize>> = vec![None; p.people.len()];
    let mut order: Vec<usize> = (0..spots.len()).filter(|m| spots[*m].is_some()).collect();
    order.sort_by_key(|m| {
        let q = &p.meetings[*m];
        (std::cmp::Reverse(meetings[q.right]), q.right, spots[*m])
    });
    for m in order {
        let (Some((slot, site)), None) = (spots[m], out[m]) else {
            continue;
        };
        let q = &p.meetings[m];
        let usable =
            |t: &usize| p.tables[*t].site == site && p.tables[*t].open[slot] && !busy[at(*t, slot)];
        let known = [home[q.right], home[q.left]]
            .into_iter()
            .flatten()
            .find(usable);
        // Else the table that is free for most of the day.
        let table = known.or_else(|| {
            let all = (0..p.tables.len()).filter(usable);
            all.max_by_key(|t| (free[*t], std::cmp::Reverse(*t)))
        });
        let Some(table) = table else { continue };
        take(&mut busy[at(table, slot)], &mut free[table], true);
        home[q.right].get_or_insert(table);
        out[m] = Some(Place { slot, table });
    }
    out
}

/// Somebody sits at a table in a slot.
fn take(busy: &mut bool, free: &mut usize, open: bool) {
    if !*busy && open {
        *free -= 1;
    }
    *busy = true;
}
