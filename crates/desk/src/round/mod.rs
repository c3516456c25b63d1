//! Roundtables from their sheet and the participants.

mod json;
mod write;

pub use json::{RoundJson, round_json};
pub(crate) use write::{overview, sheets};

use crate::{
    Words,
    event::reader::Reader,
    names::Kind,
    rules::{Rules, both},
    sheet::Sheets,
    values::count,
};
use queqiao_events::{
    conflict::{ConflictRule, conflicts, same_name_key},
    event::Side,
    roundtable::{Guest, Role, RoundTable, RoundtableProblem},
};
use std::collections::BTreeSet;

/// Roundtables to be filled, with the words for them.
#[derive(Debug, Clone)]
pub struct RoundBook {
    /// The problem; its guests fit no table better than another where the file gives no scores.
    pub problem: RoundtableProblem,
    /// By guest: place among the event's attendees.
    pub guests: Vec<usize>,
    /// By table.
    pub tables: Vec<Words>,
    /// By guest: the table that names them as its host.
    pub host_of: Vec<Option<usize>>,
    /// By guest: what they ask or offer, for matching.
    pub texts: Vec<String>,
    /// True when the file gave scores.
    pub fitted: bool,
}

/// Reads the roundtables, where there is a sheet of them.
pub(crate) fn read_rounds(
    sheets: &Sheets,
    rules: &Rules<'_>,
    reader: &mut Reader,
) -> Option<RoundBook> {
    let sheet = sheets.get(&Kind::Roundtables)?;
    let seats = rules.whole("seats", 2, &mut reader.slips).unwrap_or(10);
    let balance = rules.number("balance", 0.0, &mut reader.slips);
    let mut book = RoundBook {
        problem: RoundtableProblem {
            balance: balance.unwrap_or(0.1),
            ..RoundtableProblem::default()
        },
        guests: Vec::new(),
        tables: Vec::new(),
        host_of: Vec::new(),
        texts: Vec::new(),
        fitted: false,
    };
    let mut hosts: Vec<(usize, usize)> = Vec::new();
    let mut seen = BTreeSet::new();
    for row in sheet.rows() {
        let name = row.text("name");
        if name.is_empty() || !seen.insert(same_name_key(&name)) {
            reader.slips.add(
                row,
                "name",
                both(
                    "the table has no name, or one that is taken",
                    "圆桌缺少名称或名称重复",
                ),
                both("expected a name of its own", "应有各自的名称"),
            );
            continue;
        }
        let most = count(row, "most", 2, &mut reader.slips).unwrap_or(seats);
        let least = count(row, "least", 0, &mut reader.slips).unwrap_or(0);
        if least > most {
            reader.slips.add(
                row,
                "least",
                both("at least more than at most", "最少人数多于座位数"),
                both(
                    format!("expected at most {most}"),
                    format!("应不大于 {most}"),
                ),
            );
            continue;
        }
        let table = book.tables.len();
        if !row.cell("host").is_blank()
            && let Some(who) = reader.who(row, "host")
        {
            if hosts.iter().any(|h| h.1 == who) {
                reader.slips.add(
                    row,
                    "host",
                    both("hosts another table already", "已主持另一桌"),
                    both("expected a host of its own", "每桌应有各自的主持人"),
                );
            }
            hosts.push((table, who));
        }
        book.problem.tables.push(RoundTable {
            id: name.clone(),
            most,
            least,
        });
        book.tables.push(Words {
            id: name.clone(),
            name,
            organisation: String::new(),
            text: row.text("text"),
        });
    }
    book.seat(reader, &hosts);
    Some(book)
}

impl RoundBook {
    /// Everybody who comes is a guest.
    fn seat(&mut self, reader: &Reader, hosts: &[(usize, usize)]) {
        let event = &reader.event;
        for (i, a) in event.attendees.iter().enumerate() {
            if a.cancelled {
                continue;
            }
            let host_of = hosts.iter().find(|h| h.1 == i).map(|h| h.0);
            let role = match (host_of, a.side) {
                (Some(_), _) | (None, Side::Hosts) => Role::Host,
                (None, Side::Asks) => Role::Asker,
                (None, Side::Answers) => Role::Solver,
            };
            self.problem.guests.push(Guest {
                id: a.profile.id.clone(),
                role,
                fit: (0..self.tables.len())
                    .map(|t| if host_of == Some(t) { 1.0 } else { 0.0 })
                    .collect(),
            });
            let mut text = vec![a.text.clone()];
            for n in event.needs.iter().filter(|n| n.attendee == i) {
                text.extend([n.title.clone(), n.text.clone()]);
            }
            text.retain(|t| !t.is_empty());
            self.texts.push(text.join("\n"));
            self.host_of.push(host_of);
            self.guests.push(i);
        }
        for (x, a) in self.guests.iter().enumerate() {
            for (y, b) in self.guests.iter().enumerate().skip(x + 1) {
                let barred = event
                    .bars
                    .iter()
                    .any(|r| (r.a, r.b) == (*a, *b) || (r.a, r.b) == (*b, *a));
                let (p, q) = (&event.attendees[*a], &event.attendees[*b]);
                // Colleagues may sit together; one asking and one answering of a house may not.
                let rules: &[ConflictRule] = if p.side == q.side {
                    &[ConflictRule::Declared]
                } else {
                    &ConflictRule::MEETING
                };
                if barred || !conflicts(&p.profile, &q.profile, rules).is_empty() {
                    self.problem.apart.push((x, y));
                }
            }
        }
    }
}
