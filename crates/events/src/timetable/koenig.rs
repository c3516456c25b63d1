//! The exact timetable where everybody is always there.
//!
//! König (1916): the meetings of a bipartite graph need no more slots than the busiest person has
//! meetings; alternating paths find the slots. Alternating components then even the slots out until
//! none holds more meetings than there are tables (de Werra 1971), which works whenever slots ×
//! tables is enough.

use super::problem::ValidTimetable;

const FREE: usize = usize::MAX;

/// Slots of the meetings `chosen`, which nobody has more of than there are slots.
pub(crate) fn colour(v: &ValidTimetable, chosen: &[usize]) -> Vec<(usize, usize)> {
    let p = &v.problem;
    let slots = p.slots.len();
    let mut this = Colours {
        at: vec![FREE; p.people.len() * slots],
        slots,
        ends: p.meetings.iter().map(|m| (m.left, m.right)).collect(),
        slot: vec![FREE; p.meetings.len()],
    };
    for m in chosen {
        this.insert(*m);
    }
    this.balance(chosen, v.tables_in(0) as usize);
    chosen.iter().map(|m| (*m, this.slot[*m])).collect()
}

struct Colours {
    /// `[people × slots]`: the meeting, or free.
    at: Vec<usize>,
    slots: usize,
    ends: Vec<(usize, usize)>,
    slot: Vec<usize>,
}

impl Colours {
    fn held(&self, person: usize, slot: usize) -> usize {
        self.at[person * self.slots + slot]
    }

    fn free_slot(&self, person: usize) -> Option<usize> {
        (0..self.slots).find(|s| self.held(person, *s) == FREE)
    }

    fn put(&mut self, m: usize, slot: usize) {
        let (l, r) = self.ends[m];
        self.at[l * self.slots + slot] = m;
        self.at[r * self.slots + slot] = m;
        self.slot[m] = slot;
    }

    fn clear(&mut self, m: usize) {
        let (l, r) = self.ends[m];
        let s = self.slot[m];
        self.at[l * self.slots + s] = FREE;
        self.at[r * self.slots + s] = FREE;
    }

    fn insert(&mut self, m: usize) {
        let (l, r) = self.ends[m];
        let (Some(a), Some(b)) = (self.free_slot(l), self.free_slot(r)) else {
            return;
        };
        let both = (0..self.slots).find(|s| self.held(l, *s) == FREE && self.held(r, *s) == FREE);
        let slot = both.unwrap_or_else(|| {
            // `a` is free at the left, `b` at the right: swap the two along the path from the
            // right. The path cannot come back to the left end, as sides alternate.
            let path = self.path(r, a, b);
            self.swap(&path, a, b);
            a
        });
        self.put(m, slot);
    }

    /// Meetings met from `person` on, in slots `a`, `b`, `a`, …
    fn path(&self, person: usize, a: usize, b: usize) -> Vec<usize> {
        let (mut path, mut at, mut slot) = (Vec::new(), person, a);
        loop {
            let m = self.held(at, slot);
            if m == FREE {
                return path;
            }
            path.push(m);
            let (l, r) = self.ends[m];
            at = if l == at { r } else { l };
            slot = if slot == a { b } else { a };
        }
    }

    fn swap(&mut self, meetings: &[usize], a: usize, b: usize) {
        let moved: Vec<(usize, usize)> = meetings
            .iter()
            .map(|m| (*m, if self.slot[*m] == a { b } else { a }))
            .collect();
        for m in meetings {
            self.clear(*m);
        }
        for (m, slot) in moved {
            self.put(m, slot);
        }
    }

    fn balance(&mut self, chosen: &[usize], tables: usize) {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.slots];
        for m in chosen {
            if self.slot[*m] != FREE {
                members[self.slot[*m]].push(*m);
            }
        }
        loop {
            let size = |s: &usize| members[*s].len();
            let (Some(a), Some(b)) = (
                (0..self.slots).max_by_key(size),
                (0..self.slots).min_by_key(size),
            ) else {
                return;
            };
            if members[a].len() <= tables.max(members[b].len() + 1) {
                return;
            }
            let Some(component) = self.heavier(&members[a], a, b) else {
                return;
            };
            self.swap(&component, a, b);
            let mut both = std::mem::take(&mut members[a]);
            both.append(&mut members[b]);
            // In the order of the meetings, as before.
            both.sort_unstable();
            for m in both {
                members[self.slot[m]].push(m);
            }
        }
    }

    /// A component of the meetings in `a` and `b` that has one more in `a`.
    fn heavier(&self, in_a: &[usize], a: usize, b: usize) -> Option<Vec<usize>> {
        let mut seen = std::collections::HashSet::new();
        for start in in_a {
            if !seen.insert(*start) {
                continue;
            }
            let (l, r) = self.ends[*start];
            let mut component = vec![*start];
            // From each end of the meeting outwards; a closed walk meets itself and is even.
            for end in [l, r] {
                for m in self.path(end, b, a) {
                    if m != *start && seen.insert(m) {
                        component.push(m);
                    } else {
                        break;
                    }
                }
            }
            let here = component.iter().filter(|m| self.slot[**m] == a).count();
            if 2 * here > component.len() {
                return Some(component);
            }
        }
        None
    }
}
