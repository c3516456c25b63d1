//! What is wrong with certificates, for the operator.

use jiff::Timestamp;
use queqiao_domain::Bilingual;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::pki_types::pem;

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or holds nothing of what it should.
    #[error("{}: no {what} can be read from it ({problem}): it should be PEM, and readable by this user", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// The same in Chinese.
        what_zh: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The certificate is not valid today.
    #[error(
        "{}: the certificate is valid from {from} until {until}, and it is {now}: renew it, or set the clock right",
        path.display()
    )]
    NotValid {
        /// The file.
        path: PathBuf,
        /// First moment.
        from: Timestamp,
        /// Last moment.
        until: Timestamp,
        /// The machine's clock.
        now: Timestamp,
    },
    /// Certificate and key do not do.
    #[error(
        "{} and {} cannot be used together ({problem}): give the key of the first certificate in the file",
        path.display(), key.display()
    )]
    Refused {
        /// The certificate's file.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The authorities of clients do not do.
    #[error("{}: no authority for client certificates ({problem}): give the certificates of those who sign them", path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl TlsError {
    pub(crate) fn unreadable(
        path: &Path,
        what: &'static str,
        what_zh: &'static str,
        e: pem::Error,
    ) -> Self {
        TlsError::Unreadable {
            path: path.to_owned(),
            what,
            what_zh,
            problem: e.to_string(),
        }
    }

    /// In both languages.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            TlsError::Unreadable {
                path,
                what_zh,
                problem,
                ..
            } => format!(
                "{}：读不到{what_zh}（{problem}）：应为 PEM 格式且本用户可读",
                path.display()
            ),
            TlsError::NotValid {
                path,
                from,
                until,
                now,
            } => format!(
                "{}：证书有效期为 {from} 至 {until}，当前时间 {now}：请更新证书，或校正系统时间",
                path.display()
            ),
            TlsError::Refused { path, key, problem } => format!(
                "{} 与 {} 不能配合使用（{problem}）：私钥应属于文件中的第一张证书",
                path.display(),
                key.display()
            ),
            TlsError::ClientCa { path, problem } => format!(
                "{}：不是可用的客户端证书颁发者（{problem}）：请给出签发客户端证书的 CA 证书",
                path.display()
            ),
        };
        Bilingual::new(self.to_string(), zh)
    }
}
