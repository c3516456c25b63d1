//! What can go wrong, by cause.

use crate::{Etag, RecordKey};
use jiff::Timestamp;
use queqiao_domain::{Bilingual, Kind, RecordId};
use std::{fmt, io, path::PathBuf};

/// The cause below a [`StoreError`], for logs.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not do what was asked. Nothing was changed, whatever the cause.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or this one, has the folder open.
    #[error(
        "the data folder {} is in use{}: stop that process, or send it the request over gRPC (a backup: queqiao backup FILE --server URL)",
        path.display(), holder.map_or(String::new(), |p| format!(" by process {p}"))
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, where known.
        holder: Option<u32>,
    },
    /// The folder or file holds something else.
    #[error(
        "{} is no data folder of this program: {found}; give an empty or a new folder, or put store.redb back from a backup",
        path.display()
    )]
    NotAStore {
        /// The folder or file.
        path: PathBuf,
        /// What stands there instead.
        found: String,
    },
    /// The store was written by a newer program.
    #[error(
        "{} has format {found}, and this program reads up to format {supported}: run the newer program that wrote it, or restore a backup made by this one",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format this program reads.
        supported: u64,
    },
    /// The file that opens the keys of records is not there.
    #[error(
        "{} is not there, and no record can be read without it: put it back from where you keep it (it is in no backup), or name it by the setting master_key",
        path.display()
    )]
    NoMasterKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// The master key is of another vault.
    #[error(
        "the master key does not open {}: give the one of the server on which the records were stored",
        path.display()
    )]
    WrongMasterKey {
        /// The vault.
        path: PathBuf,
    },
    /// The vault is missing, or is of another store.
    #[error(
        "{} does not hold the keys of {} ({why}): put the keys back that were copied with the backup",
        keys.display(), store.display()
    )]
    NotItsKeys {
        /// The vault.
        keys: PathBuf,
        /// The store.
        store: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The file is damaged.
    #[error(
        "{} is damaged ({what}): keep a copy of the file, then restore the last backup",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is damaged.
        what: String,
        /// The cause.
        #[source]
        source: Option<Source>,
    },
    /// One stored record is damaged; the others can be read.
    #[error("record {key} is damaged ({why}): put the record in again, or restore the last backup")]
    DamagedRecord {
        /// Its key.
        key: RecordKey,
        /// What is wrong with its bytes; never what they say.
        why: String,
    },
    /// The disk is full. Reads go on.
    #[error("no space is left for {}: free some space, then try again", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system refused to read or write.
    #[error("{doing} {} failed: check that the path exists, its permissions and the disk", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A disk error closed the file under a reader or a writer.
    #[error("{} was closed after a disk error and opened again: try again", path.display())]
    Interrupted {
        /// The file.
        path: PathBuf,
    },
    /// At least one write of a batch cannot be done, so none was.
    #[error("nothing of the batch was stored: {}", shown(items, *of))]
    Rejected {
        /// How many writes the batch has.
        of: usize,
        /// Every write that cannot be done, in the batch's order. Never empty.
        items: Vec<Rejection>,
    },
    /// The request id was used before, for another request.
    #[error(
        "request id `{request_id}` was used before for another request: give every request its own id, and repeat one only to retry the same request"
    )]
    RequestReused {
        /// The id.
        request_id: String,
    },
    /// A text is no request id.
    #[error(
        "the request id is not accepted ({why}): give 1 to 128 visible ASCII characters, such as a UUID"
    )]
    BadRequestId {
        /// What is wrong.
        why: String,
    },
    /// A backup does not reach back to the moment to which it should be restored.
    #[error("{} cannot be restored to {moment}: {}", path.display(), reach(*from))]
    BeforeHistory {
        /// The backup.
        path: PathBuf,
        /// The moment.
        moment: Timestamp,
        /// Since when its changes can be undone; `None` when it has no history.
        from: Option<Timestamp>,
    },
    /// A backup would overwrite a file.
    #[error("{} exists already: name a new file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// What went wrong and what to try, for people; what the system said is in `source`.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            StoreError::InUse { path, holder } => format!(
                "数据目录 {} 正被{}使用：请先停止该进程，或通过 gRPC 向它发送请求（备份：queqiao backup FILE --server URL）",
                path.display(),
                holder.map_or("其他进程".to_owned(), |p| format!("进程 {p} "))
            ),
            StoreError::NotAStore { path, found } => format!(
                "{} 不是本程序的数据目录（{found}）：请给出空目录或新目录，或从备份中放回 store.redb",
                path.display()
            ),
            StoreError::NewerFormat {
                path,
                found,
                supported,
            } => format!(
                "{} 的格式为 {found}，本程序最高支持 {supported}：请使用写出它的新版程序，或恢复由本程序制作的备份",
                path.display()
            ),
            StoreError::NoMasterKey { path } => format!(
                "找不到 {}，没有它无法读取任何记录：请从保存处放回（备份中没有它），或用设置项 master_key 指定",
                path.display()
            ),
            StoreError::WrongMasterKey { path } => format!(
                "主密钥打不开 {}：请给出存入这些记录的服务器的主密钥",
                path.display()
            ),
            StoreError::NotItsKeys { keys, store, why } => format!(
                "{} 中没有 {} 的密钥（{why}）：请放回与备份一同复制的密钥文件",
                keys.display(),
                store.display()
            ),
            StoreError::Damaged { path, what, .. } => format!(
                "{} 已损坏（{what}）：请保留该文件的副本，再恢复最近的备份",
                path.display()
            ),
            StoreError::DamagedRecord { key, why } => {
                format!("记录 {key} 已损坏（{why}）：请重新存入该记录，或恢复最近的备份")
            }
            StoreError::DiskFull { path, .. } => {
                format!("{} 所在磁盘空间不足：请清理后重试", path.display())
            }
            StoreError::Io { path, .. } => format!(
                "读写 {} 失败：请检查路径是否存在、权限以及磁盘",
                path.display()
            ),
            StoreError::Interrupted { path } => {
                format!("磁盘出错后 {} 已关闭并重新打开：请重试", path.display())
            }
            StoreError::Rejected { of, items } => {
                let mut shown: Vec<String> = items
                    .iter()
                    .take(SHOWN)
                    .map(|r| {
                        let why = r.cause.message().zh;
                        format!("第 {} 条（`{}`）：{why}", r.index + 1, r.id)
                    })
                    .collect();
                if items.len() > SHOWN {
                    shown.push(format!("另有 {} 条", items.len() - SHOWN));
                }
                format!(
                    "该批未存入任何记录：{of} 条中有 {} 条无法写入：{}",
                    items.len(),
                    shown.join("；")
                )
            }
            StoreError::RequestReused { request_id } => format!(
                "请求编号 `{request_id}` 已用于另一请求：每个请求应有自己的编号，仅在重试同一请求时重复使用"
            ),
            StoreError::BadRequestId { why } => {
                format!("请求编号不可用（{why}）：应为 1 至 128 个可见 ASCII 字符，例如 UUID")
            }
            StoreError::BeforeHistory { path, moment, from } => {
                let reach = match from {
                    Some(from) => {
                        format!("其历史只追溯到 {from}，请给出此后的时刻，或使用更早的备份")
                    }
                    None => "它没有历史（history_days 为 0，或由旧版程序写出），请使用该时刻之前最近的备份".to_owned(),
                };
                format!("无法将 {} 恢复到 {moment}：{reach}", path.display())
            }
            StoreError::Exists { path } => {
                format!("{} 已存在：请换一个文件名", path.display())
            }
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// One write of a batch that cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The record it was for.
    pub id: RecordId,
    /// Why not.
    pub cause: Cause,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write {} (`{}`): {}", self.index, self.id, self.cause)
    }
}

/// Why a write cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A record keeps its kind for life, and ids are unique across kinds.
    #[error(
        "the id belongs to a record of kind {existing}, not {given}; use another id, or erase that record first"
    )]
    KindConflict {
        /// The kind of the record that is there.
        existing: Kind,
        /// The kind given.
        given: Kind,
    },
    /// The record is not what the caller last saw.
    #[error("the record has changed since etag {given}; read it again, then repeat the change")]
    StaleEtag {
        /// The etag given.
        given: Etag,
        /// The etag of the record, `None` when there is no record.
        current: Option<Etag>,
    },
    /// A record that must be new is there already.
    #[error("a record with this id exists; update it, or give the new one another id")]
    Exists,
    /// There is no such record, or it is deleted already.
    #[error("there is no such record; check the id and the tenant")]
    NotFound,
    /// The record to undelete is not deleted.
    #[error("the record is not deleted; nothing has to be done")]
    NotDeleted,
    /// The batch names the id twice.
    #[error("write {first} of the same batch names the same id; keep one of them")]
    Duplicate {
        /// The first write that names it.
        first: usize,
    },
}

impl Cause {
    /// Why, for people.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            Cause::KindConflict { existing, given } => format!(
                "该编号属于一条{}记录，而不是{}：请换一个编号，或先清除那条记录",
                existing.zh(),
                given.zh()
            ),
            Cause::StaleEtag { given, .. } => {
                format!("该记录自 etag {given} 之后已有改动：请重新读取，再重做修改")
            }
            Cause::Exists => "已有此编号的记录：请更新它，或为新记录换一个编号".to_owned(),
            Cause::NotFound => "没有这条记录：请核对编号与租户".to_owned(),
            Cause::NotDeleted => "该记录没有被删除，无需恢复".to_owned(),
            Cause::Duplicate { first } => {
                format!("与同一批的第 {} 条编号相同：请只保留一条", first + 1)
            }
        };
        Bilingual::new(self.to_string(), zh)
    }
}

fn reach(from: Option<Timestamp>) -> String {
    match from {
        Some(from) => format!(
            "its history reaches back to {from}; give a moment since then, or take an older backup"
        ),
        None => "it has no history (history_days was 0, or an older program wrote it); take the last backup made before that moment".to_owned(),
    }
}

/// So many writes that cannot be done are told in full.
const SHOWN: usize = 3;

fn shown(items: &[Rejection], of: usize) -> String {
    let mut out = format!("{} of {of} writes cannot be done: ", items.len());
    for (i, r) in items.iter().take(SHOWN).enumerate() {
        if i > 0 {
            out.push_str(" | ");
        }
        out.push_str(&r.to_string());
    }
    if items.len() > SHOWN {
        out.push_str(&format!(" | and {} more", items.len() - SHOWN));
    }
    out
}

/// A failure inside a transaction, before the file's name is known.
#[derive(Debug)]
pub(crate) enum Fault {
    /// redb refused.
    Redb(redb::Error),
    /// Two tables contradict each other, or a row cannot be read.
    Inconsistent(String),
    /// The error is complete.
    Done(StoreError),
}

/// The result of a step inside a transaction.
pub(crate) type Inner<T> = Result<T, Fault>;

macro_rules! from_redb {
    ($($t:ident),*) => {
        $(impl From<redb::$t> for Fault {
            fn from(e: redb::$t) -> Self {
                Fault::Redb(e.into())
            }
        })*
    };
}
from_redb!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    DatabaseError,
    SetDurabilityError
);

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Fault::Done(e)
    }
}

impl Fault {
    /// True when redb will answer nothing more until the file is opened again.
    pub(crate) fn closes_file(&self) -> bool {
        use redb::Error as E;
        matches!(
            self,
            Fault::Redb(
                E::Io(_) | E::Backend(_) | E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_)
            )
        )
    }

    /// The error to show, for the file at `path`.
    pub(crate) fn at(self, doing: &'static str, path: &std::path::Path) -> StoreError {
        use redb::Error as E;
        let path = path.to_owned();
        match self {
            Fault::Done(e) => e,
            Fault::Inconsistent(what) => StoreError::Damaged {
                path,
                what,
                source: None,
            },
            Fault::Redb(E::Io(source)) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::DiskFull { path, source }
                }
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Damaged {
                    path,
                    what: "it ends early, or does not begin as it should".to_owned(),
                    source: Some(source.into()),
                },
                _ => StoreError::Io {
                    doing,
                    path,
                    source,
                },
            },
            Fault::Redb(E::PreviousIo | E::DatabaseClosed | E::LockPoisoned(_)) => {
                StoreError::Interrupted { path }
            }
            Fault::Redb(E::DatabaseAlreadyOpen | E::LockProtocolMismatch) => {
                StoreError::InUse { path, holder: None }
            }
            Fault::Redb(
                e @ (E::Corrupted(_)
                | E::UpgradeRequired(_)
                | E::RepairAborted
                | E::TableDoesNotExist(_)
                | E::TableTypeMismatch { .. }
                | E::TypeDefinitionChanged { .. }
                | E::TableIsMultimap(_)
                | E::TableIsNotMultimap(_)),
            ) => StoreError::Damaged {
                path,
                what: "its pages or tables cannot be read".to_owned(),
                source: Some(e.into()),
            },
            Fault::Redb(e) => StoreError::Io {
                doing,
                path,
                source: io::Error::other(e),
            },
        }
    }
}
