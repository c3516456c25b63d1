//! What people may ask for: to be erased, with proof, and to see all that is held about them.

use super::contact::{read_purpose, write_down};
use crate::{
    access::context,
    app::App,
    audit::lines_naming,
    convert::{Violations, read_name, read_parent, write_contact, write_record},
    status::{self, code_name, nowhere},
};
use queqiao_domain::{ResourceName, Violation};
use queqiao_engine::store::Receipt;
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Code, Request, Status};

/// Lines of the audit trail in one answer.
const LINES: usize = 10_000;

/// The receipt of the erasure that a batch made under the store's number `seq`, as text.
pub(super) fn receipt(app: &App, name: &ResourceName, seq: u64) -> Result<String, Status> {
    let store = app.engine.store();
    store.finish_erasures().map_err(|e| {
        tracing::error!("keys of erased records are not destroyed: {e}");
        status::retry(
            "ERASURE_UNFINISHED",
            (
                "the record is gone, but its key could not be destroyed yet: ask again with the same request_id",
                "记录已删除，但其密钥尚未能销毁：请用相同的 request_id 再次请求",
            ),
        )
    })?;
    let found = store
        .receipt(&name.tenant, &name.id, seq)
        .map_err(|e| status::from_engine(e.into(), &nowhere))?;
    found.map(|r| store.write_receipt(&r)).ok_or_else(|| {
        tracing::error!("an erasure has no receipt");
        status::internal("INTERNAL")
    })
}

/// Answers whether a receipt holds.
pub(super) async fn check(
    app: &Arc<App>,
    request: Request<v1::CheckErasureRequest>,
) -> Result<v1::CheckErasureResponse, Status> {
    let cx = context(&request);
    let w = request.into_inner();
    let tenant = read_parent("parent", &w.parent).map_err(status::invalid)?;
    cx.enter(&tenant)?;
    let receipt = read_receipt(app, &w.receipt).map_err(status::invalid)?;
    if receipt.tenant != tenant {
        return Err(status::invalid(vec![Violation::new(
            "receipt",
            (
                "it is of another tenant than `parent`",
                "其租户与 parent 不一致",
            ),
            ("expected a receipt of this tenant", "应为本租户的回执"),
        )]));
    }
    app.read(move |app| {
        let failed = |e| status::from_engine(e, &nowhere);
        let found = app.engine.check_erasure(&receipt).map_err(failed)?;
        Ok(v1::CheckErasureResponse {
            holds: found.holds(),
            genuine: found.store.genuine,
            row_gone: found.store.row_gone,
            key_destroyed: found.store.key_destroyed,
            index_rewritten: found.index_rewritten,
            id_used_again: found.store.id_used_again,
        })
    })
    .await
}

fn read_receipt(app: &App, text: &str) -> Result<Receipt, Violations> {
    app.engine.store().read_receipt(text).ok_or_else(|| {
        vec![Violation::new(
            "receipt",
            ("it is no receipt", "不是回执"),
            (
                "expected the text that EraseRecord gave, whole",
                "应为 EraseRecord 返回的完整文本",
            ),
        )]
    })
}

/// What is kept of a record beside itself, in one answer.
const KEPT: usize = 10_000;

/// Answers with all that is held about a record, after it is written down who asked.
pub(super) async fn export(
    app: &Arc<App>,
    request: Request<v1::ExportRecordRequest>,
) -> Result<v1::ExportRecordResponse, Status> {
    let cx = context(&request);
    let w = request.into_inner();
    let name = read_name("name", &w.name, None).map_err(status::invalid)?;
    cx.enter_for(&name.tenant, [&name])?;
    let purpose = read_purpose(&w.purpose).map_err(status::invalid)?;
    let trail = super::contact::trail(app)?;
    app.read(move |app| {
        let held = held(app, &name);
        let mut event = cx.event();
        event.action = "queqiao.v1.RecordService/ExportRecord".to_owned();
        event.purpose = Some(purpose);
        let code = held.as_ref().map_or_else(Status::code, |_| Code::Ok);
        event.result = code_name(code).to_owned();
        write_down(app, &trail, event)?;
        let mut answer = held?;
        let (lines, left_out) =
            lines_naming(trail.folder(), &name.to_string(), LINES).map_err(|e| {
                tracing::error!("the audit trail cannot be read: {}", e.message());
                status::retry(
                    "AUDIT_UNAVAILABLE",
                    ("the audit trail cannot be read", "审计日志无法读取"),
                )
            })?;
        answer.audit_lines = lines;
        let (kept, more) = app
            .engine
            .kept_of(&name.tenant, &name.id, KEPT)
            .map_err(|e| status::from_engine(e, &nowhere))?;
        answer.kept = kept.iter().map(ToString::to_string).collect();
        answer.kept_left_out = i64::try_from(more).unwrap_or(i64::MAX);
        answer.audit_lines_left_out = i64::try_from(left_out).unwrap_or(i64::MAX);
        Ok(answer)
    })
    .await
}

/// The record, deleted or not, and its contact.
fn held(app: &App, name: &ResourceName) -> Result<v1::ExportRecordResponse, Status> {
    let failed = |e| status::from_engine(e, &nowhere);
    let (stored, contact) = app
        .engine
        .held(&name.tenant, name.kind, &name.id)
        .map_err(failed)?;
    Ok(v1::ExportRecordResponse {
        record: Some(write_record(&name.tenant, stored)),
        contact: contact.map(write_contact),
        ..v1::ExportRecordResponse::default()
    })
}
