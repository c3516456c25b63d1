//! The matchmaking engine: records in, ranked matches out.
//!
//! Purpose: the only place where store, index, embedding and ranking are put together. Invariant:
//! the store is the truth and the index its shadow: a write is on disk and visible to the next
//! match when [`Engine::write`] returns, a deleted record is never returned again, and an index
//! that is behind, damaged or made with another model catches up or is rebuilt before it answers.
//! Requests and responses are plain structs; no wire type and no async comes in here.

mod activity;
mod admitting;
mod artefacts;
mod browsing;
mod collection;
mod conditions;
mod contact;
mod covering;
mod disclosing;
mod engine;
mod entry;
mod erasing;
mod error;
mod explaining;
mod figuring;
mod finding;
mod holding;
mod insight;
mod listing;
mod matching;
mod notes;
mod numbers;
mod outcomes;
mod piece;
mod planning;
mod question;
mod quoting;
mod reading;
mod request;
mod response;
mod telling;
mod tenant;
mod together;
mod wording;
mod writing;

pub use artefacts::Artefacts;
pub use collection::{Collection, Pool, RankOptions, RunLine, pair_scores};
pub use disclosing::{Disclosed, Disclosure};
pub use engine::{Engine, EngineOptions};
pub use erasing::ErasureCheck;
pub use error::{Code, Error, RecordViolation};
pub use insight::{
    ChainNode, ChainRequest, ChainView, Clarification, Clarity, DescriptionPart, DescriptionScore,
    DuplicatePair, DuplicateRequest, Duplicates, Filler, NodeView, Part as DescriptionPartName,
    PlausibleAnswer,
};
pub use outcomes::{
    Decline, Funnel, FunnelBy, FunnelRequest, FunnelRow, LearnOptions, OutcomeLists, OutcomeReport,
    PastAnswer, PastMatch, ReportSummary, Stage, Step, TrainingList,
};
pub use planning::{
    StoredTeam, TeamRequest, event_scores, plan_event, plan_panels, plan_roundtables, plan_tracks,
    score_panels, score_roundtables, score_team, score_tracks,
};
pub use queqiao_ranking::{
    Calibration, Curve, Feature, FitParams, GradedList, LEAST_OF_EACH, Part, Scorer, Values,
    Weights, WeightsError, calibrate, fit,
};
pub use queqiao_retrieval::{CanaryFigures, Recall};
pub use request::{
    Ask, Diversity, DiversityMethod, ListRequest, MAX_BATCH, MAX_K, MAX_TEXT, MOST_EXPLORATION,
    MatchRequest, Mode, Write, WriteBatch,
};
pub use response::{
    Ahead, Change, ClauseMatch, Counterfactual, Excerpt, Explanation, FigureMatch, Match,
    MatchResponse, Note, Page, Quote, Statistics, Stored, Verdict, WriteItem, WriteOutcome,
    WriteReport,
};

pub use together::MAX_PLACES;

/// The embedding models, for those who open an engine.
pub use queqiao_embed as embed;
/// Shortlists, timetables and the plan of an event.
pub use queqiao_events as events;
/// Proofs, and when to stop.
pub use queqiao_solve as solve;
/// The durable truth, for those who back it up and check it.
pub use queqiao_store as store;
/// Service teams and consortia.
pub use queqiao_teams as teams;
