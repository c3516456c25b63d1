//! Roundtables from the wire and to it.

use super::{
    super::{
        Violations,
        names::read_parent,
        plan::{Ids, at_most, profile_id, read_profile, read_scores, some, write_left_out},
        reader::Reader,
    },
    input::read_bar,
};
use queqiao_engine::events::{
    conflict::{ConflictRule, Profile, conflicts},
    event::Side,
    roundtable::{Guest, Role, RoundTable, RoundtableProblem, Seating},
};
use queqiao_proto::v1;

/// Guests of one request: every two of them are compared.
const GUESTS: usize = 2_000;
/// Tables of one request.
const TABLES: usize = 200;
/// What one asker or solver too many takes off, as the spreadsheets have it.
const BALANCE: f64 = 0.1;

/// Roundtables that are asked for, with the words for them.
pub(crate) struct ReadRounds {
    pub(crate) problem: RoundtableProblem,
    /// By table: name and text.
    pub(crate) tables: Vec<(String, String)>,
    /// By guest: their text.
    pub(crate) guests: Vec<(String, String)>,
    /// By guest: the table that names them as its host.
    pub(crate) host_of: Vec<Option<usize>>,
    /// The request gave scores.
    pub(crate) scored: bool,
    pub(crate) seed: u64,
    names: Vec<String>,
}

/// Reads who is to be seated.
pub(crate) fn read_rounds(w: v1::SeatRoundtablesRequest) -> Result<ReadRounds, Violations> {
    read_parent("parent", &w.parent)?;
    let mut r = Reader::default();
    for (path, n, most) in [
        ("guests", w.guests.len(), GUESTS),
        ("tables", w.tables.len(), TABLES),
    ] {
        some(&mut r, path, n);
        at_most(&mut r, path, n, most);
    }
    at_most(&mut r, "bars", w.bars.len(), GUESTS * TABLES);
    r.check()?;
    let guests = Ids::read(
        &mut r,
        ("guests", ".profile.id"),
        ("guest", "嘉宾"),
        w.guests.iter().map(|g| profile_id(g.profile.as_ref())),
    );
    let tables = Ids::read(
        &mut r,
        ("tables", ".name"),
        ("table", "圆桌"),
        w.tables.iter().map(|t| t.name.as_str()),
    );
    let scores = read_scores(&mut r, "scores", &w.scores, &tables, &guests);
    let balance = w.balance.map(|b| r.amount("balance", b, false));
    let mut out = ReadRounds {
        problem: RoundtableProblem {
            balance: balance.flatten().unwrap_or(BALANCE),
            ..RoundtableProblem::default()
        },
        tables: Vec::new(),
        guests: Vec::new(),
        host_of: vec![None; w.guests.len()],
        scored: !scores.is_empty(),
        seed: u64::from(w.seed),
        names: Vec::new(),
    };
    for (i, t) in w.tables.into_iter().enumerate() {
        out.table(&mut r, i, &guests, t);
    }
    let mut people: Vec<(Side, Profile)> = Vec::new();
    for (i, g) in w.guests.into_iter().enumerate() {
        let side = r.required_word(format_args!("guests[{i}].side"), g.side);
        let profile = read_profile(g.profile.unwrap_or_default());
        out.guests.push((String::new(), g.text));
        out.names.push(profile.name.clone());
        people.push((side.unwrap_or(Side::Hosts), profile));
    }
    for (i, (side, profile)) in people.iter().enumerate() {
        let role = match (out.host_of[i], side) {
            (Some(_), _) | (None, Side::Hosts) => Role::Host,
            (None, Side::Asks) => Role::Asker,
            (None, Side::Answers) => Role::Solver,
        };
        let host = |t: usize| if out.host_of[i] == Some(t) { 1.0 } else { 0.0 };
        out.problem.guests.push(Guest {
            id: profile.id.clone(),
            role,
            fit: (0..out.tables.len()).map(host).collect(),
        });
    }
    for (t, g, score) in scores {
        if out.host_of[g].is_none() {
            out.problem.guests[g].fit[t] = score;
        }
    }
    for (i, b) in w.bars.into_iter().enumerate() {
        let bar = read_bar(&mut r, &format!("bars[{i}]"), &guests, b);
        out.problem
            .apart
            .extend(bar.map(|(a, b, _)| (a.min(b), a.max(b))));
    }
    r.check()?;
    out.keep_apart(&people);
    Ok(out)
}

impl ReadRounds {
    fn table(&mut self, r: &mut Reader, i: usize, guests: &Ids, t: v1::Roundtable) {
        let at = |f: &str| format!("tables[{i}].{f}");
        let most = u32::try_from(t.max_seats).ok().filter(|n| *n >= 2);
        if most.is_none() {
            r.fail(
                at("max_seats"),
                (
                    format!("{} seats are too few", t.max_seats),
                    format!("{} 个座位过少", t.max_seats),
                ),
                ("expected 2 or more", "应不少于 2"),
            );
        }
        let least = r.natural(at("min_seats"), Some(t.min_seats)).unwrap_or(0);
        if most.is_some_and(|m| least > m) {
            r.fail(
                at("min_seats"),
                ("at least more than at most", "最少人数多于座位数"),
                ("expected at most max_seats", "应不大于 max_seats"),
            );
        }
        if !t.host.is_empty()
            && let Some(g) = guests.get(r, at("host"), &t.host)
        {
            if self.host_of[g].is_some() {
                r.fail(
                    at("host"),
                    ("hosts another table already", "已主持另一桌"),
                    ("expected a host of its own", "每桌应有各自的主持人"),
                );
            }
            self.host_of[g] = Some(i);
        }
        self.problem.tables.push(RoundTable {
            id: t.name.clone(),
            most: most.unwrap_or(2),
            least,
        });
        self.tables.push((t.name, t.text));
    }

    /// Colleagues may sit together; one asking and one answering of a house may not.
    fn keep_apart(&mut self, people: &[(Side, Profile)]) {
        for (x, (side, a)) in people.iter().enumerate() {
            for (y, (other, b)) in people.iter().enumerate().skip(x + 1) {
                let rules: &[ConflictRule] = if side == other {
                    &[ConflictRule::Declared]
                } else {
                    &ConflictRule::MEETING
                };
                if !conflicts(a, b, rules).is_empty() {
                    self.problem.apart.push((x, y));
                }
            }
        }
        self.problem.apart.sort_unstable();
        self.problem.apart.dedup();
    }
}

/// A seating to the wire.
pub(crate) fn write_rounds(read: &ReadRounds, s: Seating) -> v1::SeatRoundtablesResponse {
    let p = &read.problem;
    let tables = p.tables.iter().enumerate().map(|(t, table)| {
        let mut guests: Vec<usize> = (0..p.guests.len())
            .filter(|g| s.table[*g] == Some(t))
            .collect();
        guests.sort_by_key(|g| (p.guests[*g].role != Role::Host, *g));
        v1::SeatedTable {
            table: table.id.clone(),
            guests: guests.iter().map(|g| p.guests[*g].id.clone()).collect(),
            thin: s.thin.contains(&t),
        }
    });
    v1::SeatRoundtablesResponse {
        tables: tables.collect(),
        left_out: s
            .left_out
            .iter()
            .map(|(g, why)| write_left_out(&p.guests[*g].id, &read.names[*g], why.clone()))
            .collect(),
        worth: s.value,
        bound: s.bound,
    }
}
