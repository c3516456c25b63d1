//! The services of `queqiao.v1` and health, over the shared [`App`](crate::app::App).

mod admin;
mod backup;
mod contact;
mod event;
mod health;
mod insight;
mod matching;
mod outcome;
mod people;
mod record;
mod sealed;
mod stopping;
mod team;

pub(crate) use admin::AdminApi;
pub(crate) use backup::clear_backups;
pub(crate) use event::EventApi;
pub(crate) use health::HealthApi;
pub(crate) use insight::InsightApi;
pub(crate) use matching::MatchApi;
pub(crate) use outcome::OutcomeApi;
pub(crate) use record::RecordApi;
pub(crate) use team::TeamApi;
