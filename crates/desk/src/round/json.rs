//! A seating as JSON.

use super::RoundBook;
use queqiao_domain::Bilingual;
use queqiao_events::{
    event::Event,
    roundtable::{Role, Seating},
};
use serde::Serialize;

/// The seating as JSON.
#[derive(Debug, Serialize)]
pub struct RoundJson {
    /// The tables.
    pub tables: Vec<OneTable>,
    /// Guests without a seat.
    pub left_out: Vec<UnseatedJson>,
    /// Fit less imbalance.
    pub value: f64,
    /// No seating of as many guests has a greater value.
    pub bound: f64,
}

/// A table.
#[derive(Debug, Serialize)]
pub struct OneTable {
    /// Name.
    pub table: String,
    /// Seats.
    pub seats: u32,
    /// Ids of who hosts.
    pub hosts: Vec<String>,
    /// Ids of those who ask.
    pub askers: Vec<String>,
    /// Ids of those who answer.
    pub solvers: Vec<String>,
    /// Fewer guests than it should have.
    pub thin: bool,
}

/// A guest without a seat.
#[derive(Debug, Serialize)]
pub struct UnseatedJson {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Why.
    pub why: Bilingual,
}

/// The seating as one JSON value.
pub fn round_json(event: &Event, book: &RoundBook, seating: &Seating) -> RoundJson {
    let p = &book.problem;
    let at = |t: usize, role: Role| {
        (0..p.guests.len())
            .filter(|g| seating.table[*g] == Some(t) && p.guests[*g].role == role)
            .map(|g| p.guests[g].id.clone())
            .collect()
    };
    RoundJson {
        tables: (0..p.tables.len())
            .map(|t| OneTable {
                table: p.tables[t].id.clone(),
                seats: p.tables[t].most,
                hosts: at(t, Role::Host),
                askers: at(t, Role::Asker),
                solvers: at(t, Role::Solver),
                thin: seating.thin.contains(&t),
            })
            .collect(),
        left_out: seating
            .left_out
            .iter()
            .map(|(g, why)| UnseatedJson {
                id: p.guests[*g].id.clone(),
                name: event.attendees[book.guests[*g]].profile.name.clone(),
                why: why.clone(),
            })
            .collect(),
        value: seating.value,
        bound: seating.bound,
    }
}
