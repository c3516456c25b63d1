//! `RecordService.GetContact`: first it is written down, then it is shown.

use crate::{
    access::context,
    app::App,
    audit::Trail,
    convert::{Violations, read_name, write_contact},
    status::{self, code_name, nowhere},
};
use queqiao_domain::{Bilingual, Violation};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Code, Request, Status};

const PURPOSE: std::ops::RangeInclusive<usize> = 4..=200;

/// Answers with the contact of a record.
pub(super) async fn get(
    app: &Arc<App>,
    request: Request<v1::GetContactRequest>,
) -> Result<v1::Contact, Status> {
    let cx = context(&request);
    let w = request.into_inner();
    let name = read_name("name", &w.name, None).map_err(status::invalid)?;
    cx.enter_for(&name.tenant, [&name])?;
    let purpose = read_purpose(&w.purpose).map_err(status::invalid)?;
    let trail = trail(app)?;
    app.read(move |app| {
        let found = app
            .engine
            .contact(&name.tenant, name.kind, &name.id)
            .map_err(|e| status::from_engine(e, &nowhere))
            .and_then(|c| c.ok_or_else(none));
        let mut event = cx.event();
        event.action = "queqiao.v1.RecordService/GetContact".to_owned();
        event.purpose = Some(purpose);
        let code = found.as_ref().map_or_else(Status::code, |_| Code::Ok);
        event.result = code_name(code).to_owned();
        write_down(app, &trail, event)?;
        found.map(write_contact)
    })
    .await
}

/// The trail, without which nobody sees a contact.
pub(super) fn trail(app: &App) -> Result<Arc<Trail>, Status> {
    app.trail.clone().ok_or_else(|| {
        status::told(
            Code::FailedPrecondition,
            "AUDIT_NEEDED",
            &Bilingual::new(
                "this server keeps no audit trail, and without one nothing sealed is shown or disclosed: tell the operator (audit.enabled)",
                "本服务未启用审计日志，因此不显示、也不披露密封内容：请联系管理员（audit.enabled）",
            ),
            &[],
        )
    })
}

pub(super) fn write_down(app: &App, trail: &Trail, event: crate::AuditEvent) -> Result<(), Status> {
    match trail.add(event, true) {
        Ok(()) => {
            app.metrics.audit_entries.inc();
            Ok(())
        }
        Err(e) => {
            app.metrics.audit_failures.inc();
            tracing::error!("the audit trail cannot be written: {}", e.message());
            Err(status::retry(
                "AUDIT_UNAVAILABLE",
                (
                    "the audit trail cannot be written, and without it nothing sealed is shown or disclosed",
                    "审计日志无法写入，因此不显示、也不披露密封内容",
                ),
            ))
        }
    }
}

fn none() -> Status {
    status::told(
        Code::NotFound,
        "NO_CONTACT",
        &Bilingual::new("this record has no contact", "该记录没有联系方式"),
        &[],
    )
}

pub(super) fn read_purpose(text: &str) -> Result<String, Violations> {
    let text = text.trim();
    let plain = !text.chars().any(char::is_control);
    if plain && PURPOSE.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(vec![Violation::new(
        "purpose",
        ("it does not say what for", "未说明用途"),
        (
            "expected 4 to 200 characters on one line; they are kept in the audit trail",
            "应为 4 至 200 个字符，不换行；将记入审计日志",
        ),
    )])
}
