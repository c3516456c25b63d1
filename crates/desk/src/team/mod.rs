//! Service teams and consortia: files in, workbooks out.

mod consortium;
mod json;
mod read;
mod write;

pub use consortium::{ConsortiumJson, Members, consortium_json, write_consortium};
pub use json::{TeamJson, team_json};
pub use read::read_team;
pub use write::write_team_plan;

use queqiao_domain::Bilingual;
use queqiao_teams::{ConsortiumParams, TeamParams, TeamProblem};

/// A need as its sheet has it.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamNeed {
    /// Title.
    pub title: String,
    /// Text, for matching.
    pub text: String,
    /// Who brings it.
    pub organisation: String,
}

/// A candidate as their sheet has it.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamMember {
    /// Name.
    pub name: String,
    /// Organisation.
    pub organisation: String,
    /// Professional title.
    pub title: String,
    /// Societies.
    pub societies: Vec<String>,
    /// What they do, for matching.
    pub text: String,
}

/// A team to be composed, with the words for it.
#[derive(Debug, Clone)]
pub struct TeamBook {
    /// Name of the team or park.
    pub name: String,
    /// The problem; its candidates have no scores where the file gives none.
    pub problem: TeamProblem,
    /// True when the file gave scores.
    pub scored: bool,
    /// How to compose a team.
    pub params: TeamParams,
    /// How to put a consortium together, whose parts the needs are.
    pub consortium: ConsortiumParams,
    /// By need.
    pub needs: Vec<TeamNeed>,
    /// By candidate.
    pub members: Vec<TeamMember>,
    /// What was noticed on reading.
    pub notes: Vec<Bilingual>,
}
