//! The services of `queqiao.v1` and health, over the shared [`App`](crate::app::App).

mod admin;
mod event;
mod health;
mod matching;
mod record;
mod team;

pub(crate) use admin::AdminApi;
pub(crate) use event::EventApi;
pub(crate) use health::HealthApi;
pub(crate) use matching::MatchApi;
pub(crate) use record::RecordApi;
pub(crate) use team::TeamApi;

use queqiao_domain::TenantId;

/// Tells the request's span whose request it is.
fn of_tenant(tenant: &TenantId) {
    tracing::Span::current().record("tenant", tenant.as_str());
}
