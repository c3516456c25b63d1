//! A matchmaking event (对接会) as its organiser describes it.

use crate::{
    conflict::{ConflictRule, Profile, conflicts},
    shortlist::Objective,
};
use queqiao_domain::{Bilingual, Date};
use serde::{Deserialize, Serialize};

/// Which side of a meeting somebody sits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// An enterprise that brings needs.
    Asks,
    /// An expert.
    Answers,
    /// Somebody who leads a roundtable and has no meetings.
    Hosts,
}

/// Somebody who attends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Id, name, organisation, and what may be a conflict.
    pub profile: Profile,
    /// Side.
    pub side: Side,
    /// What they do, for matching.
    pub text: String,
    /// Meetings at most.
    pub most: Option<u32>,
    /// Times of presence, minutes from the first day's midnight; empty means always.
    pub present: Vec<(i64, i64)>,
    /// Times of absence.
    pub absent: Vec<(i64, i64)>,
    /// Meetings in events that run at the same time: they count against
    /// [`EventRules::most_across`].
    pub elsewhere: u32,
    /// Does not come after all.
    pub cancelled: bool,
}

impl Attendee {
    /// Somebody who is always there and has no limit of their own.
    pub fn new(profile: Profile, side: Side) -> Self {
        Self {
            profile,
            side,
            text: String::new(),
            most: None,
            present: Vec::new(),
            absent: Vec::new(),
            elsewhere: 0,
            cancelled: false,
        }
    }
}

/// A need that is brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventNeed {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Text, for matching.
    pub text: String,
    /// Place of the enterprise among the attendees.
    pub attendee: usize,
    /// Experts wanted, where it differs from the rule.
    pub experts: Option<u32>,
    /// Priority: worth is multiplied by it; 1 is normal.
    pub priority: f64,
}

/// A wish of one attendee about another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// Who wishes: place of an attendee.
    pub from: usize,
    /// About whom: place of an attendee.
    pub to: usize,
    /// For one need only: its place.
    pub need: Option<usize>,
    /// How much.
    pub kind: WishKind,
}

/// How much somebody wants to meet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishKind {
    /// Has to be.
    Must,
    /// Would like to, 0 to 1.
    Wants(f64),
    /// Does not want to.
    Refuses,
}

/// Two who may not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// One: place of an attendee.
    pub a: usize,
    /// The other.
    pub b: usize,
    /// Why.
    pub reason: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTable {
    /// Name.
    pub name: String,
    /// Site: place in [`Event::sites`].
    pub site: usize,
    /// Out of use from this minute on, if it is.
    pub lost_from: Option<i64>,
}

/// A meeting fixed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed {
    /// The need.
    pub need: usize,
    /// The expert: place of an attendee.
    pub expert: usize,
    /// When it begins, minutes.
    pub begin: i64,
    /// Table, if that is fixed too.
    pub table: Option<usize>,
}

/// How the event is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRules {
    /// Experts per need.
    pub experts_per_need: u32,
    /// Meetings per expert at most.
    pub meetings_per_expert: u32,
    /// Meetings per expert at least, where that is feasible.
    pub least_per_expert: u32,
    /// Meetings of one person over this and all concurrent events at most: the congestion budget.
    pub most_across: Option<u32>,
    /// Pairs that score less are no candidates unless somebody wishes them.
    pub least_score: f64,
    /// What makes shortlists good.
    pub objective: Objective,
    /// Share of people who do not come.
    pub no_show: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for EventRules {
    fn default() -> Self {
        Self {
            experts_per_need: 3,
            meetings_per_expert: 8,
            least_per_expert: 0,
            most_across: None,
            least_score: 0.0,
            objective: Objective::CoverFirst,
            no_show: 0.1,
            seed: 0,
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Event {
    /// Name.
    pub name: String,
    /// Days, in order.
    pub days: Vec<Date>,
    /// Slots: begin and end, minutes from the first day's midnight.
    pub slots: Vec<(i64, i64)>,
    /// Tables.
    pub tables: Vec<EventTable>,
    /// Sites.
    pub sites: Vec<String>,
    /// `[sites × sites]`: minutes.
    pub travel: Vec<Vec<i64>>,
    /// Everybody who attends.
    pub attendees: Vec<Attendee>,
    /// The needs.
    pub needs: Vec<EventNeed>,
    /// Wishes.
    pub wishes: Vec<Wish>,
    /// Bars.
    pub bars: Vec<Bar>,
    /// Scores: need, expert (place of an attendee), 0 to 1.
    pub scores: Vec<(usize, usize, f64)>,
    /// Meetings fixed by hand.
    pub fixed: Vec<Fixed>,
    /// How it is run.
    pub rules: EventRules,
    /// What was noticed on reading and does not stop the plan.
    pub notes: Vec<Bilingual>,
}

impl Event {
    /// Places of the experts who come.
    pub fn experts(&self) -> Vec<usize> {
        (0..self.attendees.len())
            .filter(|i| self.attendees[*i].side == Side::Answers && !self.attendees[*i].cancelled)
            .collect()
    }

    /// By slot: an attendee is there.
    pub fn free(&self, attendee: usize) -> Vec<bool> {
        let a = &self.attendees[attendee];
        self.slots
            .iter()
            .map(|(begin, end)| {
                let inside =
                    a.present.is_empty() || a.present.iter().any(|(x, y)| x <= begin && end <= y);
                let away = a.absent.iter().any(|(x, y)| x < end && begin < y);
                !a.cancelled && inside && !away
            })
            .collect()
    }

    /// Why a need and an expert may not meet; none when they may.
    pub fn bar(&self, need: usize, expert: usize) -> Option<Bilingual> {
        let asker = self.needs[need].attendee;
        let named = self
            .bars
            .iter()
            .find(|x| (x.a, x.b) == (asker, expert) || (x.b, x.a) == (asker, expert));
        match named {
            Some(bar) => Some(Bilingual::new(&bar.reason, &bar.reason)),
            None => self.conflict(need, expert),
        }
    }

    /// What keeps a need and an expert apart without being named as a bar.
    pub fn conflict(&self, need: usize, expert: usize) -> Option<Bilingual> {
        let asker = self.needs[need].attendee;
        let (a, b) = (
            &self.attendees[asker].profile,
            &self.attendees[expert].profile,
        );
        conflicts(a, b, &ConflictRule::MEETING)
            .into_iter()
            .next()
            .map(|c| c.text)
    }

    /// Day and clock of a minute: `2026-11-26 09:20`.
    pub fn clock(&self, minute: i64) -> String {
        let (day, m) = (minute.div_euclid(1_440), minute.rem_euclid(1_440));
        let clock = format!("{:02}:{:02}", m / 60, m % 60);
        match self.days.get(day as usize) {
            Some(d) if self.days.len() > 1 => format!("{d} {clock}"),
            _ => clock,
        }
    }

    /// The minute that a clock (`14:00`) or a day and a clock (`2026-11-27 14:00`) names.
    pub fn minute(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        let (day, clock) = match text.rsplit_once([' ', 'T']) {
            Some((d, c)) => (queqiao_domain::parse_date(d.trim())?, c),
            None => (*self.days.first()?, text),
        };
        let day = self.days.iter().position(|d| *d == day)? as i64;
        let (h, m) = clock.split_once([':', '：'])?;
        let (h, m): (i64, i64) = (h.trim().parse().ok()?, m.trim().parse().ok()?);
        ((0..24).contains(&h) && (0..60).contains(&m) || (h, m) == (24, 0))
            .then_some(day * 1_440 + h * 60 + m)
    }
}
