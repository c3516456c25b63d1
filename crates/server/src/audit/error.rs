//! What is wrong with an audit trail, for the operator.

use queqiao_domain::Bilingual;
use std::{io, path::PathBuf};

/// Why a trail cannot be written or is not whole.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error("{doing} {}: check that the disk has room and that this user may do so", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The trail was tampered with, or damaged.
    #[error("{}, line {line}: {problem}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: Bilingual,
    },
}

impl AuditError {
    /// In both languages.
    pub fn message(&self) -> Bilingual {
        match self {
            AuditError::Io { path, source, .. } => Bilingual::new(
                format!("{self}: {source}"),
                format!(
                    "无法读写 {}：{source}；请检查磁盘空间与权限",
                    path.display()
                ),
            ),
            AuditError::Broken {
                path,
                line,
                problem,
            } => Bilingual::new(
                self.to_string(),
                format!("{} 第 {line} 行：{}", path.display(), problem.zh),
            ),
        }
    }
}
