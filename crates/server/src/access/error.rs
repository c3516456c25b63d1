//! What is wrong with keys, for the operator.

use queqiao_domain::Bilingual;
use std::path::PathBuf;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read or written.
    #[error("{} {}: check that it exists and that this user may do so", doing, path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what `queqiao key` wrote.
    #[error(
        "{} does not read as a key file ({problem}): put back a copy, or remove it and create the keys anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A key that does not exist.
    #[error("there is no key {id} in {}: `queqiao key list` shows them", path.display())]
    Unknown {
        /// The id asked for.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// A key that could do nothing, or a name that is too long.
    #[error("{problem}")]
    Argument {
        /// What is wrong, and what to do.
        problem: Bilingual,
    },
}

impl AccessError {
    /// In both languages.
    pub fn message(&self) -> Bilingual {
        let en = match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        };
        let zh = match self {
            AccessError::Io { path, source, .. } => {
                format!("无法读写 {}：{source}；请检查路径与权限", path.display())
            }
            AccessError::Damaged { path, problem } => format!(
                "{} 不是可用的密钥文件（{problem}）：请换回副本，或删除后重新创建密钥",
                path.display()
            ),
            AccessError::Unknown { id, path } => format!(
                "{} 中没有密钥 {id}：可用 `queqiao key list` 查看",
                path.display()
            ),
            AccessError::Argument { problem } => problem.zh.clone(),
        };
        Bilingual::new(en, zh)
    }

    /// Whether what was asked for is at fault, and not the machine.
    pub fn is_input(&self) -> bool {
        !matches!(self, AccessError::Io { .. })
    }
}
