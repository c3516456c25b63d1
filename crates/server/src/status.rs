//! Errors to gRPC statuses, each with google.rpc details.
//!
//! What the caller can act on is said in full, with the fields at fault. What only an operator can
//! act on (paths, causes of the system) goes to the log, under the request id that the answer
//! carries as `x-request-id`.

use crate::convert::{Violations, filter_violation, wire_path};
use queqiao_domain::{Bilingual, Kind, Violation};
use queqiao_engine::{
    Code, Error, RecordViolation,
    solve::Certificate,
    store::{Cause, Rejection, StoreError},
};
use std::{collections::HashMap, time::Duration};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "queqiao";
/// Details travel in a header, and clients accept few kB of headers (Java: 8 KiB): violations are
/// told up to so many bytes, …
const DETAIL_BYTES: usize = 2_400;
/// … and a message, which is percent-encoded, up to so many.
const MESSAGE_BYTES: usize = 800;
/// Ways out of a collision that a status names, cheapest first.
const WAYS_OUT: usize = 3;

/// Where record number `index` of a request stands on the wire, and its kind.
pub(crate) type Place<'a> = &'a dyn Fn(usize) -> Option<(String, Kind)>;

/// No record stands in the request.
pub(crate) fn nowhere(_: usize) -> Option<(String, Kind)> {
    None
}

/// A status under construction.
struct Problem {
    code: tonic::Code,
    reason: &'static str,
    text: Bilingual,
    details: ErrorDetails,
    metadata: HashMap<String, String>,
}

impl Problem {
    fn new(code: tonic::Code, reason: &'static str, text: impl Into<Bilingual>) -> Self {
        Problem {
            code,
            reason,
            text: text.into(),
            details: ErrorDetails::new(),
            metadata: HashMap::new(),
        }
    }

    fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    fn status(mut self) -> Status {
        self.details
            .set_error_info(self.reason, DOMAIN, self.metadata);
        self.details
            .set_localized_message("zh-CN", bounded(&self.text.zh, MESSAGE_BYTES));
        Status::with_error_details(
            self.code,
            bounded(&self.text.en, MESSAGE_BYTES),
            self.details,
        )
    }
}

/// The beginning of a text, at most `max` bytes.
fn bounded(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() + '…'.len_utf8() > max {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Fields that are wrong.
pub(crate) fn invalid(found: Violations) -> Status {
    invalid_as("INVALID_FIELD", found)
}

fn invalid_as(reason: &'static str, found: Violations) -> Status {
    let first = found.first().map(Violation::message);
    let mut text = first.unwrap_or_else(|| Bilingual::new("", ""));
    if found.len() > 1 {
        text.en
            .push_str(&format!(" (and {} more)", found.len() - 1));
        text.zh
            .push_str(&format!("（另有 {} 处）", found.len() - 1));
    }
    let mut p =
        Problem::new(tonic::Code::InvalidArgument, reason, text).with("violations", found.len());
    let mut room = DETAIL_BYTES;
    for v in &found {
        let text = bounded(&format!("{}; {}", v.problem, v.expected), MESSAGE_BYTES);
        let field = bounded(&v.field, 200);
        let size = text.len() + field.len() + 8;
        if size > room {
            break;
        }
        room -= size;
        p.details.add_bad_request_violation(field, text);
    }
    p.status()
}

/// What the engine said.
pub(crate) fn from_engine(e: Error, place: Place<'_>) -> Status {
    let (code, reason) = (tonic_code(e.code()), e.reason());
    match e {
        Error::Argument(v) => invalid_as(reason, vec![v]),
        Error::Filter(e) => invalid_as(reason, vec![filter_violation("filter", &e)]),
        Error::Records(found) => records(reason, found, place),
        Error::NotFound { .. } | Error::Deadline { .. } => {
            Problem::new(code, reason, e.message()).status()
        }
        Error::Excluded { ref id, .. } => Problem::new(code, reason, e.message())
            .with("id", id)
            .status(),
        Error::Plan(e) => impossible(code, reason, &e.describe(), e.certificate()),
        Error::Store(e) => from_store(e, code, reason, place),
        Error::Index(_)
        | Error::Embed(_)
        | Error::Collection { .. }
        | Error::Artefact { .. }
        | Error::Io { .. } => hidden(&e, code, reason),
    }
}

/// Constraints that cannot all hold: what collides stands as violations of a precondition, each
/// with its kind and whom it concerns, and the cheapest ways out in the metadata.
pub(crate) fn impossible(
    code: tonic::Code,
    reason: &'static str,
    text: &Bilingual,
    certificate: Option<&Certificate>,
) -> Status {
    let mut p = Problem::new(code, reason, text.clone());
    let Some(certificate) = certificate else {
        return p.status();
    };
    let mut room = DETAIL_BYTES;
    for clash in &certificate.collision {
        let about = bounded(&clash.about.join(", "), 200);
        let text = bounded(&clash.text.en, MESSAGE_BYTES);
        let size = about.len() + text.len() + clash.constraint.len() + 8;
        if size > room {
            break;
        }
        room -= size;
        p.details
            .add_precondition_failure_violation(clash.constraint.clone(), about, text);
    }
    for (i, r) in certificate.relaxations.iter().take(WAYS_OUT).enumerate() {
        let changes: Vec<&str> = r.changes.iter().map(|c| c.text.en.as_str()).collect();
        let way = format!("{:.2}: {}", r.cost, changes.join(" and "));
        p = p.with(&format!("relaxation_{}", i + 1), bounded(&way, 300));
    }
    p.status()
}

fn tonic_code(code: Code) -> tonic::Code {
    match code {
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::AlreadyExists => tonic::Code::AlreadyExists,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::Aborted => tonic::Code::Aborted,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::DeadlineExceeded => tonic::Code::DeadlineExceeded,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::DataLoss => tonic::Code::DataLoss,
        Code::Internal => tonic::Code::Internal,
    }
}

/// Broken rules of records, with the paths of the wire.
fn records(reason: &'static str, found: Vec<RecordViolation>, place: Place<'_>) -> Status {
    let violations = found
        .into_iter()
        .map(|r| {
            let mut v = r.violation;
            if let Some((at, kind)) = place(r.index) {
                v.field = wire_path(&at, kind, &v.field);
            }
            v
        })
        .collect();
    invalid_as(reason, violations)
}

fn from_store(e: StoreError, code: tonic::Code, reason: &'static str, place: Place<'_>) -> Status {
    match &e {
        StoreError::Rejected { items, .. } => {
            let Some(Rejection { index, id, cause }) = items.first() else {
                return hidden(&e, code, reason);
            };
            let why = cause.message();
            let text = match place(*index) {
                Some((at, _)) => (
                    format!("{at} ({id}): {}", why.en),
                    format!("{at}（{id}）：{}", why.zh),
                ),
                None => (format!("{id}: {}", why.en), format!("{id}：{}", why.zh)),
            };
            let p = Problem::new(code, reason, text)
                .with("id", id)
                .with("index", index);
            match cause {
                Cause::StaleEtag {
                    current: Some(etag),
                    ..
                } => p.with("current_etag", etag),
                Cause::KindConflict { existing, .. } => p.with("existing_kind", existing),
                _ => p,
            }
            .status()
        }
        StoreError::RequestReused { .. } | StoreError::BadRequestId { .. } => {
            let mut p = Problem::new(code, reason, e.message());
            p.details
                .add_bad_request_violation("request_id", e.to_string());
            p.status()
        }
        StoreError::DiskFull { .. } => {
            tracing::error!(cause = chain(&e), "no space is left");
            let text = (
                "the server has no space left to store it: reads and matches go on; tell the operator, then retry",
                "服务器磁盘空间不足，无法存入：读取与匹配照常；请告知运维人员，稍后重试",
            );
            Problem::new(code, reason, text).status()
        }
        StoreError::Interrupted { .. } => {
            tracing::error!(cause = chain(&e), "the store was interrupted");
            let text = (
                "the store was opened again after a disk error",
                "磁盘出错后存储已重新打开",
            );
            retry(reason, text)
        }
        _ => hidden(&e, code, reason),
    }
}

/// A fault of ours: the cause goes to the log, and not to the caller.
fn hidden(e: &dyn std::error::Error, code: tonic::Code, reason: &'static str) -> Status {
    tracing::error!(cause = chain(e), reason, "a request failed");
    match code {
        tonic::Code::DataLoss => {
            let text = (
                "stored data is damaged; tell the operator, who finds the cause in the log under this answer's x-request-id",
                "存储的数据已损坏：请告知运维人员，其可按本应答的 x-request-id 在日志中查找原因",
            );
            Problem::new(code, reason, text).status()
        }
        _ => failed(code, reason),
    }
}

/// A fault of ours, told by a text without anything that a caller may not see.
fn failed(code: tonic::Code, reason: &'static str) -> Status {
    let text = (
        "the server failed; the cause is in its log under this answer's x-request-id: retry once, then tell the operator",
        "服务器出错：原因记在其日志中，可按本应答的 x-request-id 查找；请重试一次，仍不成功则告知运维人员",
    );
    Problem::new(code, reason, text).status()
}

/// A fault of ours, told by a text without anything that a caller may not see.
pub(crate) fn internal(reason: &'static str) -> Status {
    failed(tonic::Code::Internal, reason)
}

/// Something that goes away by itself: UNAVAILABLE, with a delay to retry after.
pub(crate) fn retry(reason: &'static str, why: (&str, &str)) -> Status {
    let text = (
        format!("{}: retry after a second", why.0),
        format!("{}：请一秒后重试", why.1),
    );
    let mut p = Problem::new(tonic::Code::Unavailable, reason, text);
    p.details.set_retry_info(Some(Duration::from_secs(1)));
    p.status()
}

/// Something that goes away in a while.
pub(crate) fn retry_after(
    code: tonic::Code,
    reason: &'static str,
    text: &Bilingual,
    wait: Duration,
) -> Status {
    let mut p = Problem::new(code, reason, text.clone());
    p.details.set_retry_info(Some(wait));
    p.status()
}

/// A limit on sizes.
pub(crate) fn too_large(reason: &'static str, text: (String, String), limit: usize) -> Status {
    Problem::new(tonic::Code::ResourceExhausted, reason, text)
        .with("limit_bytes", limit)
        .status()
}

/// The process holds as much memory as it may.
pub(crate) fn out_of_memory(budget_mib: u64) -> Status {
    Problem::new(
        tonic::Code::ResourceExhausted,
        "MEMORY_BUDGET",
        (
            format!(
                "the server holds all of the {budget_mib} MiB of memory that it may: all that is there goes on and may change, and no new record is taken; delete records, raise memory_budget_mib, or use a larger machine"
            ),
            format!(
                "服务占用内存已达上限 {budget_mib} MiB：已有内容照常使用、仍可修改，但不再接受新记录；请删除记录、调高 memory_budget_mib 或换用更大的机器"
            ),
        ),
    )
    .with("budget_mib", budget_mib)
    .status()
}

/// The name of a code, as the protocol writes it.
pub(crate) fn code_name(code: tonic::Code) -> &'static str {
    match code {
        tonic::Code::Ok => "OK",
        tonic::Code::Cancelled => "CANCELLED",
        tonic::Code::Unknown => "UNKNOWN",
        tonic::Code::InvalidArgument => "INVALID_ARGUMENT",
        tonic::Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        tonic::Code::NotFound => "NOT_FOUND",
        tonic::Code::AlreadyExists => "ALREADY_EXISTS",
        tonic::Code::PermissionDenied => "PERMISSION_DENIED",
        tonic::Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        tonic::Code::FailedPrecondition => "FAILED_PRECONDITION",
        tonic::Code::Aborted => "ABORTED",
        tonic::Code::OutOfRange => "OUT_OF_RANGE",
        tonic::Code::Unimplemented => "UNIMPLEMENTED",
        tonic::Code::Internal => "INTERNAL",
        tonic::Code::Unavailable => "UNAVAILABLE",
        tonic::Code::DataLoss => "DATA_LOSS",
        tonic::Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// A status that is told by its code and a text.
pub(crate) fn plain(code: tonic::Code, reason: &'static str, text: impl Into<Bilingual>) -> Status {
    Problem::new(code, reason, text).status()
}

/// A status with a text, and what programs want to know of it.
pub(crate) fn told(
    code: tonic::Code,
    reason: &'static str,
    text: &Bilingual,
    metadata: &[(&str, &str)],
) -> Status {
    let p = Problem::new(code, reason, text.clone());
    let p = metadata.iter().fold(p, |p, (k, v)| p.with(k, v));
    p.status()
}

/// An error and its causes, each once.
fn chain(e: &dyn std::error::Error) -> String {
    let mut out = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        source = cause.source();
    }
    out
}
