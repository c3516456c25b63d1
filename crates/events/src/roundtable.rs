//! Roundtables: people at tables by field, askers and solvers in balance, nobody with a conflict.
//!
//! A flow seats everybody where they fit best; swaps and moves then settle balance and conflicts.
//! The flow without either is the bound.

use queqiao_domain::Bilingual;
use queqiao_solve::{FlowError, Network, Node, Simplex, Stop};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What somebody does at a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Brings a need.
    Asker,
    /// Brings help.
    Solver,
    /// Leads the table: exactly one a table, where there are hosts enough.
    Host,
}

/// Somebody to be seated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    /// Id.
    pub id: String,
    /// What they do.
    pub role: Role,
    /// By table: how well they fit its field, ≥ 0.
    pub fit: Vec<f64>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTable {
    /// Id or field.
    pub id: String,
    /// Seats at most, the host's included.
    pub most: u32,
    /// Guests at least, the host included, where the table is used.
    pub least: u32,
}

/// Tables to be filled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RoundtableProblem {
    /// The guests.
    pub guests: Vec<Guest>,
    /// The tables.
    pub tables: Vec<RoundTable>,
    /// Pairs of guests who may not sit together.
    pub apart: Vec<(usize, usize)>,
    /// What each asker or solver too many at a table takes off, in fit.
    pub balance: f64,
}

/// What is wrong with a problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RoundtableError {
    /// A figure or a place that cannot be used.
    #[error("{id}: {what}")]
    Value {
        /// Whose.
        id: String,
        /// What is wrong.
        what: Bilingual,
    },
    /// Too large for exact arithmetic.
    #[error("the roundtables are too large for exact arithmetic")]
    Flow(#[from] FlowError),
}

impl RoundtableError {
    /// What is wrong, for people.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            RoundtableError::Value { id, what } => format!("{id}：{}", what.zh),
            RoundtableError::Flow(_) => "圆桌规模过大，无法精确计算".to_owned(),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// Who sits where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seating {
    /// By guest: the table.
    pub table: Vec<Option<usize>>,
    /// Fit less imbalance.
    pub value: f64,
    /// No seating has a greater value.
    pub bound: f64,
    /// Guests who could not be seated, with the reason.
    pub left_out: Vec<(usize, Bilingual)>,
    /// Tables below their least: places.
    pub thin: Vec<usize>,
}

/// Worth of a seat before any fit: seating somebody comes first.
fn seat_worth(p: &RoundtableProblem) -> f64 {
    let fit = p
        .guests
        .iter()
        .flat_map(|g| &g.fit)
        .copied()
        .fold(0.0, f64::max);
    2.0 * fit + 4.0 * p.balance + 1.0
}

/// Seats the guests: as many as can be, nobody beside a conflict, then the greatest fit less
/// imbalance.
///
/// # Errors
/// See [`RoundtableError`].
pub fn roundtables(
    p: &RoundtableProblem,
    seed: u64,
    stop: &Stop,
) -> Result<Seating, RoundtableError> {
    check(p)?;
    let (mut table, bound) = by_flow(p, stop)?;
    let mut search = Search::new(p);
    for (g, t) in table.iter().enumerate() {
        if let Some(t) = t
            && search.may(g, *t)
        {
            search.sit(g, *t);
        }
    }
    search.improve(seed, stop);
    table = search.at.clone();
    let value = search.value();
    let seated = table.iter().flatten().count() as f64;
    let left_out = (0..p.guests.len())
        .filter(|g| table[*g].is_none())
        .map(|g| (g, search.why_out()))
        .collect();
    let thin = (0..p.tables.len())
        .filter(|t| {
            let n = search.members[*t].len() as u32;
            n > 0 && n < p.tables[*t].least
        })
        .collect();
    let bonus = seat_worth(p);
    Ok(Seating {
        value: value - bonus * seated,
        // Of as many seated guests none could fit better.
        bound: (bound - bonus * seated).max(value - bonus * seated),
        table,
        left_out,
        thin,
    })
}

fn check(p: &RoundtableProblem) -> Result<(), RoundtableError> {
    let fail = |id: &str, what: (&str, &str)| {
        Err(RoundtableError::Value {
            id: id.to_owned(),
            what: what.into(),
        })
    };
    for g in &p.guests {
        if g.fit.len() != p.tables.len() || g.fit.iter().any(|f| !f.is_finite() || *f < 0.0) {
            return fail(
                &g.id,
                (
                    "one fit per table is needed, each a number from 0 up",
                    "每桌应有一个契合度，均不小于 0",
                ),
            );
        }
    }
    for t in &p.tables {
        if t.most == 0 || t.least > t.most {
            return fail(
                &t.id,
                (
                    "a table needs at least one seat, and no more at least than at most",
                    "每桌至少一个座位，最少人数不得超过座位数",
                ),
            );
        }
    }
    if !(p.balance.is_finite() && p.balance >= 0.0) {
        return fail(
            "balance",
            ("a number from 0 up is needed", "应为不小于 0 的数"),
        );
    }
    match p
        .apart
        .iter()
        .find(|(a, b)| *a >= p.guests.len() || *b >= p.guests.len() || a == b)
    {
        Some(_) => fail(
            "apart",
            (
                "two different guests who are there are needed",
                "应为两位不同且在场的来宾",
            ),
        ),
        None => Ok(()),
    }
}

/// Guests to tables, hosts one each, without conflicts and balance: an upper bound.
fn by_flow(
    p: &RoundtableProblem,
    stop: &Stop,
) -> Result<(Vec<Option<usize>>, f64), RoundtableError> {
    let (n, m) = (p.guests.len(), p.tables.len());
    let (hosts, seats, home) = (n as Node, (n + m) as Node, (n + 2 * m) as Node);
    let bonus = seat_worth(p);
    let scale = 1e8 / (bonus * 2.0);
    let mut net = Network::new(n + 2 * m + 1, 0);
    let mut arcs = Vec::new();
    for (g, guest) in p.guests.iter().enumerate() {
        net.supply(g as Node, 1);
        net.supply(home, -1);
        net.arc(g as Node, home, 2, 0);
        for (t, fit) in guest.fit.iter().enumerate() {
            let to = match guest.role {
                Role::Host => hosts + t as Node,
                _ => seats + t as Node,
            };
            let cost = -(((bonus + fit) * scale).round() as i64);
            arcs.push((net.arc(g as Node, to, 1, cost), g, t));
        }
    }
    for (t, table) in p.tables.iter().enumerate() {
        net.arc(hosts + t as Node, seats + t as Node, 1, 0);
        net.arc(seats + t as Node, home, i64::from(table.most), 0);
    }
    let flow = Simplex::new(net, Some(home))?.solve(stop);
    let mut at = vec![None; n];
    for (a, g, t) in arcs {
        if flow.units[a as usize] > 0 {
            at[g] = Some(t);
        }
    }
    let rounding = n as f64 / scale;
    Ok((at, -(flow.bound as f64) / scale + rounding))
}

struct Search<'a> {
    p: &'a RoundtableProblem,
    at: Vec<Option<usize>>,
    members: Vec<Vec<usize>>,
    apart: Vec<Vec<usize>>,
    bonus: f64,
}

impl<'a> Search<'a> {
    fn new(p: &'a RoundtableProblem) -> Self {
        let mut apart = vec![Vec::new(); p.guests.len()];
        for (a, b) in &p.apart {
            apart[*a].push(*b);
            apart[*b].push(*a);
        }
        Self {
            p,
            at: vec![None; p.guests.len()],
            members: vec![Vec::new(); p.tables.len()],
            apart,
            bonus: seat_worth(p),
        }
    }

    fn may(&self, g: usize, t: usize) -> bool {
        let host = self.p.guests[g].role == Role::Host;
        (self.members[t].len() as u32) < self.p.tables[t].most
            && !self.members[t].iter().any(|x| self.apart[g].contains(x))
            && !(host
                && self.members[t]
                    .iter()
                    .any(|x| self.p.guests[*x].role == Role::Host))
    }

    fn sit(&mut self, g: usize, t: usize) {
        self.at[g] = Some(t);
        self.members[t].push(g);
    }

    fn rise(&mut self, g: usize) {
        if let Some(t) = self.at[g].take() {
            self.members[t].retain(|x| *x != g);
        }
    }

    fn table_value(&self, t: usize) -> f64 {
        let count = |role| {
            self.members[t]
                .iter()
                .filter(|g| self.p.guests[**g].role == role)
                .count()
        };
        let (askers, solvers) = (count(Role::Asker), count(Role::Solver));
        let fit: f64 = self.members[t]
            .iter()
            .map(|g| self.bonus + self.p.guests[*g].fit[t])
            .sum();
        fit - self.p.balance * askers.abs_diff(solvers) as f64
    }

    fn value(&self) -> f64 {
        (0..self.members.len()).map(|t| self.table_value(t)).sum()
    }

    /// Moves and swaps until none helps, from a few shaken starts; the best is kept.
    fn improve(&mut self, seed: u64, stop: &Stop) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.climb(stop);
        let mut best = (self.value(), self.at.clone());
        for _ in 0..40 {
            if stop.now() || self.members.is_empty() {
                break;
            }
            for _ in 0..3 {
                let g = rng.random_range(0..self.at.len() as u64) as usize;
                let t = rng.random_range(0..self.members.len() as u64) as usize;
                self.rise(g);
                if self.may(g, t) {
                    self.sit(g, t);
                }
            }
            self.climb(stop);
            let value = self.value();
            if value > best.0 + 1e-9 {
                best = (value, self.at.clone());
            } else {
                self.set(&best.1);
            }
        }
        self.set(&best.1);
    }

    fn set(&mut self, at: &[Option<usize>]) {
        for m in &mut self.members {
            m.clear();
        }
        self.at = vec![None; at.len()];
        for (g, t) in at.iter().enumerate() {
            if let Some(t) = t {
                self.sit(g, *t);
            }
        }
    }

    fn climb(&mut self, stop: &Stop) {
        let mut again = true;
        while again && !stop.now() {
            again = false;
            for g in 0..self.at.len() {
                again |= self.move_or_swap(g);
            }
        }
    }

    fn move_or_swap(&mut self, g: usize) -> bool {
        let from = self.at[g];
        for t in 0..self.members.len() {
            if from == Some(t) {
                continue;
            }
            let worth = |s: &Self| s.table_value(t) + from.map_or(0.0, |f| s.table_value(f));
            let before = worth(self);
            self.rise(g);
            if self.may(g, t) {
                self.sit(g, t);
                if worth(self) > before + 1e-9 {
                    return true;
                }
                self.rise(g);
            }
            for other in self.members[t].clone() {
                // The other takes the seat that was left, any third one, or none.
                for to in (0..self.members.len())
                    .filter(|to| *to != t)
                    .map(Some)
                    .chain([None])
                {
                    let third = to.filter(|to| Some(*to) != from);
                    let old = third.map_or(0.0, |to| self.table_value(to));
                    self.rise(other);
                    if self.may(g, t) {
                        self.sit(g, t);
                        if let Some(to) = to.filter(|to| self.may(other, *to)) {
                            self.sit(other, to);
                        }
                        let gain = third.map_or(0.0, |to| self.table_value(to)) - old;
                        if worth(self) + gain > before + 1e-9 {
                            return true;
                        }
                    }
                    self.rise(g);
                    self.rise(other);
                    self.sit(other, t);
                }
            }
            if let Some(f) = from {
                self.sit(g, f);
            }
        }
        false
    }

    fn why_out(&self) -> Bilingual {
        let full =
            (0..self.members.len()).all(|t| self.members[t].len() as u32 >= self.p.tables[t].most);
        if full {
            Bilingual::new("every seat is taken", "座位已满")
        } else {
            Bilingual::new(
                "at every table with a seat there is a host already, or somebody with a conflict",
                "有空位的桌均已有主持人，或有须回避者",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brute(p: &RoundtableProblem) -> f64 {
        fn go(p: &RoundtableProblem, s: &mut Search<'_>, g: usize) -> f64 {
            if g == p.guests.len() {
                return s.value();
            }
            let mut best = go(p, s, g + 1);
            for t in 0..p.tables.len() {
                if s.may(g, t) {
                    s.sit(g, t);
                    best = best.max(go(p, s, g + 1));
                    s.rise(g);
                }
            }
            best
        }
        go(p, &mut Search::new(p), 0)
    }

    #[test]
    fn near_brute_force_and_below_the_bound() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut equal, rounds) = (0, 600);
        for _ in 0..rounds {
            let (n, m) = (
                rng.random_range(1..7_u32) as usize,
                rng.random_range(1..4_u32) as usize,
            );
            let guests: Vec<Guest> = (0..n)
                .map(|i| Guest {
                    id: format!("g{i}"),
                    role: [Role::Asker, Role::Solver, Role::Host]
                        [rng.random_range(0..3_u32) as usize],
                    fit: (0..m)
                        .map(|_| f64::from(rng.random_range(0..6_u32)) / 5.0)
                        .collect(),
                })
                .collect();
            let mut apart = Vec::new();
            for a in 0..n {
                for b in a + 1..n {
                    if rng.random_bool(0.2) {
                        apart.push((a, b));
                    }
                }
            }
            let p = RoundtableProblem {
                guests,
                tables: (0..m)
                    .map(|t| RoundTable {
                        id: format!("t{t}"),
                        most: rng.random_range(1..4_u32),
                        least: 0,
                    })
                    .collect(),
                apart,
                balance: 0.3,
            };
            let s = roundtables(&p, 1, &Stop::never()).unwrap();
            let seated = s.table.iter().flatten().count() as f64;
            for (a, b) in &p.apart {
                assert!(s.table[*a].is_none() || s.table[*a] != s.table[*b]);
            }
            let best = brute(&p);
            let value = s.value + seat_worth(&p) * seated;
            assert!(value <= best + 1e-9 && s.bound + seat_worth(&p) * seated >= best - 1e-6);
            equal += usize::from(value >= best - 1e-9);
        }
        assert!(equal * 100 >= rounds * 98, "{equal} of {rounds}");
    }

    #[test]
    fn bad_problems_are_named() {
        let p = RoundtableProblem {
            tables: vec![RoundTable {
                id: "T".into(),
                most: 0,
                least: 0,
            }],
            ..RoundtableProblem::default()
        };
        let e = roundtables(&p, 0, &Stop::never()).unwrap_err().to_string();
        assert!(e.contains("T: a table needs"), "{e}");
    }
}
