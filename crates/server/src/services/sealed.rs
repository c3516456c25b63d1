//! Sealed records: shown as far as they are disclosed, disclosed step by step, each step written down.

use super::contact::{read_purpose, trail, write_down};
use crate::{
    access::{Context, Role, context, holds},
    app::App,
    audit::Event,
    convert::{Violations, Word, read_name, write_record},
    status::{self, code_name, nowhere},
};
use queqiao_domain::{
    DisclosureStage, Kind, RecordId, ResourceName, TenantId, Violation, Visibility,
};
use queqiao_engine::{Disclosure, Match};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Code, Request, Status};

/// Answers with a record as the caller may see it.
pub(super) async fn get(
    app: &Arc<App>,
    request: Request<v1::GetRecordRequest>,
) -> Result<v1::Record, Status> {
    let cx = context(&request);
    let w = request.into_inner();
    let name = read_name("name", &w.name, None).map_err(status::invalid)?;
    cx.enter_for(&name.tenant, [&name])?;
    let by = match w.seen_by.is_empty() {
        true => None,
        false => Some(other(&cx, "seen_by", &w.seen_by, &name.tenant)?),
    };
    app.read(move |app| {
        let failed = |e| status::from_engine(e, &nowhere);
        let whole = by.is_none() && may_read_sealed(&cx);
        if whole {
            let stored = app
                .engine
                .get(&name.tenant, Some(name.kind), &name.id, true);
            return Ok(write_record(&name.tenant, stored.map_err(failed)?));
        }
        let (stored, stage) = app
            .engine
            .seen(&name.tenant, named(&name), by.as_ref().map(named))
            .map_err(failed)?;
        if stage.is_some_and(|s| s > DisclosureStage::Clauses) {
            note(app, &cx, "queqiao.v1.RecordService/GetRecord")?;
        }
        Ok(write_record(&name.tenant, stored))
    })
    .await
}

/// Discloses a record, after that is written down.
pub(super) async fn disclose(
    app: &Arc<App>,
    request: Request<v1::DiscloseRecordRequest>,
) -> Result<v1::Disclosure, Status> {
    let cx = context(&request);
    let w = request.into_inner();
    let name = read_name("name", &w.name, None).map_err(status::invalid)?;
    cx.enter_for(&name.tenant, [&name])?;
    let to = other(&cx, "to", &w.to, &name.tenant)?;
    let stage = read_stage(w.stage).map_err(status::invalid)?;
    let purpose = read_purpose(&w.purpose).map_err(status::invalid)?;
    let trail = trail(app)?;
    app.write(move |app| {
        // Neither of the two goes away, or becomes another, meanwhile.
        let _updating = app.updating();
        // Nothing is disclosed that is not written down: that it is begun, and, as of every write, how it
        // ended.
        let event = Event {
            action: format!("queqiao.v1.RecordService/DiscloseRecord {}", stage.as_str()),
            purpose: Some(purpose.clone()),
            result: "BEGUN".to_owned(),
            ..cx.event()
        };
        write_down(app, &trail, event)?;
        let done = app
            .engine
            .disclose(&name.tenant, named(&name), named(&to), stage, &purpose)
            .map_err(|e| status::from_engine(e, &nowhere))?;
        Ok(write_disclosure(to.to_string(), done))
    })
    .await
}

/// Answers to whom a record is disclosed.
pub(super) async fn list(
    app: &Arc<App>,
    request: Request<v1::ListDisclosuresRequest>,
) -> Result<v1::ListDisclosuresResponse, Status> {
    let cx = context(&request);
    let name = read_name("name", &request.get_ref().name, None).map_err(status::invalid)?;
    cx.enter_for(&name.tenant, [&name])?;
    app.read(move |app| {
        let failed = |e| status::from_engine(e, &nowhere);
        let found = app
            .engine
            .disclosures(&name.tenant, named(&name))
            .map_err(failed)?;
        let disclosures = found.into_iter().filter_map(|d| {
            // Whoever is deleted sees nothing; comes back, sees it again.
            let kind = app.engine.get(&name.tenant, None, &d.to, true).ok()?;
            let to = resource(&name.tenant, kind.record.kind(), &d.to);
            Some(write_disclosure(to.to_string(), d))
        });
        Ok(v1::ListDisclosuresResponse {
            disclosures: disclosures.collect(),
        })
    })
    .await
}

/// Whether sealed records are the caller's to read.
pub(super) fn may_read_sealed(cx: &Context) -> bool {
    cx.caller().roles.allow(Role::Writer)
}

/// A sealed record asks on behalf of its owner alone: the answer quotes what it asks.
pub(super) fn may_ask_for(cx: &Context, visibility: Visibility) -> Result<(), Status> {
    match visibility {
        Visibility::Sealed => holds(cx.caller(), Role::Writer),
        Visibility::Open | Visibility::Platform => Ok(()),
    }
}

/// Writes down which sealed records an answer shows more of than everyone sees.
pub(super) fn note_shown<'a>(
    app: &App,
    cx: &Context,
    (method, tenant, asker): (&str, &TenantId, Option<&ResourceName>),
    matches: impl Iterator<Item = &'a Match>,
) -> Result<(), Status> {
    let shown = matches.filter(|m| {
        let stage = m.disclosed.as_ref().map(|d| d.stage);
        stage.is_some_and(|s| s > DisclosureStage::Clauses)
    });
    let shown: Vec<String> = shown
        .map(|m| resource(tenant, m.kind, &m.id).to_string())
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    cx.noted().objects = asker
        .map(ToString::to_string)
        .into_iter()
        .chain(shown)
        .collect();
    note(app, cx, &format!("queqiao.v1.MatchService/{method}"))
}

/// Writes down that somebody saw more of a sealed record than everyone does; the answer waits for it.
fn note(app: &App, cx: &Context, action: &str) -> Result<(), Status> {
    let event = Event {
        action: action.to_owned(),
        result: code_name(Code::Ok).to_owned(),
        ..cx.event()
    };
    let trail = trail(app)?;
    write_down(app, &trail, event)?;
    cx.noted().written_down = true;
    Ok(())
}

/// The other record that a request is about, of the tenant that it has entered.
fn other(cx: &Context, field: &str, name: &str, tenant: &TenantId) -> Result<ResourceName, Status> {
    let name = read_name(field, name, Some(tenant)).map_err(status::invalid)?;
    cx.noted().objects.push(name.to_string());
    Ok(name)
}

fn named(name: &ResourceName) -> (Kind, &RecordId) {
    (name.kind, &name.id)
}

fn resource(tenant: &TenantId, kind: Kind, id: &RecordId) -> ResourceName {
    ResourceName {
        tenant: tenant.clone(),
        kind,
        id: id.clone(),
    }
}

fn read_stage(number: i32) -> Result<DisclosureStage, Violations> {
    DisclosureStage::read(number).ok().flatten().ok_or_else(|| {
        let accepted = DisclosureStage::accepted();
        vec![Violation::new(
            "stage",
            ("it does not say how far", "未说明披露到哪一步"),
            (accepted.en.as_str(), accepted.zh.as_str()),
        )]
    })
}

fn write_disclosure(to: String, d: Disclosure) -> v1::Disclosure {
    v1::Disclosure {
        to,
        stage: d.stage.write(),
        time: Some(prost_types::Timestamp {
            seconds: d.time.div_euclid(1_000),
            nanos: i32::try_from(d.time.rem_euclid(1_000)).unwrap_or(0) * 1_000_000,
        }),
        purpose: d.purpose,
    }
}
