//! Stored needs that a condition names.

use crate::failure::Failure;
use queqiao_domain::{Filter, Kind, Record, TenantId};
use queqiao_engine::{Engine, ListRequest};

/// The needs that pass `--where FILTER`, at most so many.
///
/// # Errors
/// The condition does not read, none passes or too many do.
pub(super) fn passing(
    engine: &Engine,
    tenant: &TenantId,
    filter: &str,
    most: usize,
) -> Result<Vec<Record>, Failure> {
    let request = ListRequest {
        kind: Some(Kind::Need),
        filter: Filter::parse(filter).map_err(|e| {
            Failure::input(
                format!("--where: {e}"),
                format!("--where：{}", e.message().zh),
            )
        })?,
        page_size: most,
        ..ListRequest::default()
    };
    let page = engine.list(tenant, &request)?;
    if page.next.is_some() {
        return Err(Failure::input(
            format!("--where {filter}: more than {most} needs pass; ask for fewer"),
            format!("--where {filter}：符合的需求超过 {most} 项；请缩小范围"),
        ));
    }
    if page.records.is_empty() {
        return Err(Failure::input(
            format!("--where {filter}: no stored need passes; loosen the condition"),
            format!("--where {filter}：没有符合的需求；请放宽条件"),
        ));
    }
    Ok(page.records.into_iter().map(|r| r.record).collect())
}
