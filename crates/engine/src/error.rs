//! What can go wrong, by cause, with one code each.

use queqiao_domain::{Bilingual, FilterError, Kind, RecordId, TenantId, Violation};
use queqiao_embed::EmbedError;
use queqiao_retrieval::IndexError;
use queqiao_store::{Cause, StoreError};

/// The class of an error, as callers act on it. The names are gRPC's (google.rpc.Code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is wrong whatever the state is.
    InvalidArgument,
    /// What is asked for does not exist.
    NotFound,
    /// The id is taken by something else.
    AlreadyExists,
    /// The state does not allow it.
    FailedPrecondition,
    /// Somebody else changed it meanwhile: read again, then retry.
    Aborted,
    /// A limit is reached.
    ResourceExhausted,
    /// The caller's time ran out.
    DeadlineExceeded,
    /// Try again later.
    Unavailable,
    /// A file is damaged.
    DataLoss,
    /// A fault of ours.
    Internal,
}

/// Why the engine did not do what it was asked.
///
/// `Display` says what failed, on what, and what to try; the cause is in `source` and is never
/// repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the request is wrong.
    /// It is named as the wire names it (`k`, `filter`, `text`).
    #[error("{0}")]
    Argument(Violation),
    /// The filter does not parse.
    #[error("the filter does not parse")]
    Filter(#[from] FilterError),
    /// Records that break rules; nothing of the batch was stored.
    #[error("{} broken rule(s), the first in record {} of the batch ({}): {}", .0.len(), .0.first().map_or(0, |r| r.index), .0.first().map_or("", |r| r.id.as_str()), .0.first().map_or(String::new(), |r| r.violation.to_string()))]
    Records(Vec<RecordViolation>),
    /// No such record.
    #[error("tenant {tenant} has no {} {id}; list the records to see what there is", .kind.map_or("record", Kind::as_str))]
    NotFound {
        /// The tenant.
        tenant: TenantId,
        /// The kind that was asked for, if one was.
        kind: Option<Kind>,
        /// The id.
        id: RecordId,
    },
    /// A record cannot be among the answers.
    #[error("record {id} cannot be among the answers: {reason}")]
    Excluded {
        /// The id.
        id: RecordId,
        /// The condition that keeps it out.
        reason: Bilingual,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index refused or failed.
    #[error("the index did not answer; if it persists run `queqiao doctor`")]
    Index(#[from] IndexError),
    /// The embedding model refused or failed.
    #[error("the texts could not be embedded")]
    Embed(#[from] EmbedError),
    /// An event cannot be planned as asked.
    #[error("the event cannot be planned as asked: {0}")]
    Plan(#[from] queqiao_events::plan::PlanError),
    /// The caller's deadline passed.
    #[error("the deadline passed while {doing}; give more time or ask for less")]
    Deadline {
        /// What was being done.
        doing: &'static str,
    },
    /// A collection that does not read.
    #[error("{place}: {problem}")]
    Collection {
        /// File and line.
        place: String,
        /// What is wrong and what would be accepted.
        problem: Bilingual,
    },
    /// A file that the engine wrote does not read.
    #[error("{path}: {problem}")]
    Artefact {
        /// The file.
        path: String,
        /// What is wrong and what to do.
        problem: Bilingual,
    },
    /// A file operation failed.
    #[error("{path} cannot be {doing}")]
    Io {
        /// The file.
        path: String,
        /// `read`, `written`.
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// A broken rule of one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordViolation {
    /// Place in the batch, from 0.
    pub index: usize,
    /// The record's id.
    pub id: RecordId,
    /// The rule.
    pub violation: Violation,
}

impl Error {
    /// A wrong field.
    pub fn argument(
        field: impl Into<String>,
        problem: impl Into<Bilingual>,
        expected: impl Into<Bilingual>,
    ) -> Self {
        Error::Argument(Violation::new(field, problem, expected))
    }

    /// What went wrong and what to try, for people; the cause is in `source`.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            Error::Argument(v) => return v.message(),
            Error::Filter(e) => return e.message(),
            Error::Store(e) => return e.message(),
            Error::Embed(e) => return e.message(),
            Error::Plan(e) => return e.describe(),
            Error::Records(found) => match found.first() {
                None => "没有违反任何规则".to_owned(),
                Some(first) => format!(
                    "违反 {} 条规则，首处为该批第 {} 条记录（{}）：{}",
                    found.len(),
                    first.index + 1,
                    first.id,
                    first.violation.message().zh
                ),
            },
            Error::NotFound { tenant, kind, id } => format!(
                "租户 {tenant} 没有{} {id}：请列出记录查看",
                kind.map_or("记录", Kind::zh)
            ),
            Error::Excluded { id, reason } => format!("记录 {id} 不会出现在结果中：{}", reason.zh),
            Error::Index(_) => "索引没有应答；若持续如此请运行 `queqiao doctor`".to_owned(),
            Error::Deadline { .. } => "已超过给定的时限：请放宽时限，或减少所求".to_owned(),
            Error::Collection { place, problem } => format!("{place}：{}", problem.zh),
            Error::Artefact { path, problem } => format!("{path}：{}", problem.zh),
            Error::Io { path, doing, .. } => match *doing {
                "read" => format!("无法读取 {path}"),
                "written" => format!("无法写入 {path}"),
                _ => format!("无法处理 {path}"),
            },
        };
        Bilingual::new(self.to_string(), zh)
    }

    /// A stable name of the cause, for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::Argument(_) => "INVALID_FIELD",
            Error::Filter(_) => "INVALID_FILTER",
            Error::Records(_) => "INVALID_RECORD",
            Error::NotFound { .. } => "RECORD_NOT_FOUND",
            Error::Excluded { .. } => "RECORD_EXCLUDED",
            Error::Store(e) => store_reason(e),
            Error::Index(_) => "INDEX_FAILED",
            Error::Embed(e) if e.may_pass() => "MODEL_UNAVAILABLE",
            Error::Embed(_) => "EMBEDDING_FAILED",
            Error::Plan(_) => "PLAN_IMPOSSIBLE",
            Error::Deadline { .. } => "DEADLINE_EXCEEDED",
            Error::Collection { .. } => "INVALID_COLLECTION",
            Error::Artefact { .. } => "FILE_DAMAGED",
            Error::Io { .. } => "FILE_FAILED",
        }
    }

    /// The class of the error.
    pub fn code(&self) -> Code {
        match self {
            Error::Argument(_)
            | Error::Filter(_)
            | Error::Records(_)
            | Error::Collection { .. } => Code::InvalidArgument,
            Error::Artefact { .. } => Code::DataLoss,
            Error::NotFound { .. } => Code::NotFound,
            Error::Excluded { .. } | Error::Plan(_) => Code::FailedPrecondition,
            Error::Store(e) => store_code(e),
            Error::Index(_) | Error::Io { .. } => Code::Internal,
            Error::Embed(e) if e.may_pass() => Code::Unavailable,
            Error::Embed(_) => Code::Internal,
            Error::Deadline { .. } => Code::DeadlineExceeded,
        }
    }
}

fn store_code(e: &StoreError) -> Code {
    match e {
        StoreError::InUse { .. }
        | StoreError::NotAStore { .. }
        | StoreError::NewerFormat { .. }
        | StoreError::NoMasterKey { .. }
        | StoreError::WrongMasterKey { .. }
        | StoreError::NotItsKeys { .. } => Code::FailedPrecondition,
        StoreError::Damaged { .. } | StoreError::DamagedRecord { .. } => Code::DataLoss,
        StoreError::DiskFull { .. } => Code::ResourceExhausted,
        StoreError::Interrupted { .. } => Code::Unavailable,
        StoreError::RequestReused { .. }
        | StoreError::BadRequestId { .. }
        | StoreError::BeforeHistory { .. } => Code::InvalidArgument,
        StoreError::Rejected { items, .. } => {
            items.first().map_or(Code::Internal, |r| match r.cause {
                Cause::KindConflict { .. } | Cause::Exists => Code::AlreadyExists,
                Cause::StaleEtag { .. } => Code::Aborted,
                Cause::NotFound => Code::NotFound,
                Cause::NotDeleted => Code::FailedPrecondition,
                Cause::Duplicate { .. } => Code::InvalidArgument,
            })
        }
        StoreError::Exists { .. } => Code::AlreadyExists,
        StoreError::Io { .. } => Code::Internal,
    }
}

fn store_reason(e: &StoreError) -> &'static str {
    match e {
        StoreError::InUse { .. } => "DATA_IN_USE",
        StoreError::NotAStore { .. } => "NOT_A_DATA_FOLDER",
        StoreError::NewerFormat { .. } => "NEWER_FORMAT",
        StoreError::Damaged { .. } | StoreError::DamagedRecord { .. } => "DATA_DAMAGED",
        StoreError::DiskFull { .. } => "DISK_FULL",
        StoreError::Interrupted { .. } => "STORE_INTERRUPTED",
        StoreError::RequestReused { .. } => "REQUEST_ID_REUSED",
        StoreError::BadRequestId { .. } => "INVALID_REQUEST_ID",
        StoreError::BeforeHistory { .. } => "BEFORE_HISTORY",
        StoreError::Rejected { items, .. } => items.first().map_or("REJECTED", |r| match r.cause {
            Cause::KindConflict { .. } => "KIND_CONFLICT",
            Cause::Exists => "RECORD_EXISTS",
            Cause::StaleEtag { .. } => "STALE_ETAG",
            Cause::NotFound => "RECORD_NOT_FOUND",
            Cause::NotDeleted => "RECORD_NOT_DELETED",
            Cause::Duplicate { .. } => "DUPLICATE_ID",
        }),
        StoreError::NoMasterKey { .. }
        | StoreError::WrongMasterKey { .. }
        | StoreError::NotItsKeys { .. } => "KEYS_MISSING",
        StoreError::Exists { .. } => "FILE_EXISTS",
        StoreError::Io { .. } => "STORE_FAILED",
    }
}
