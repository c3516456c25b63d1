//! What a server is told, checked once.

use crate::{AuditConfig, JwtConfig, TlsConfig, access::Gate};
use queqiao_domain::Bilingual;
use queqiao_engine::embed::ModelStore;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// How a server listens, and what it bounds. [`Default`] is a server on loopback for one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Listen beyond loopback although nobody is asked who they are.
    pub allow_insecure: bool,
    /// Take keys in the clear beyond loopback: only behind a proxy that speaks TLS.
    pub allow_plaintext: bool,
    /// The file of keys ([`KeyFile`](crate::KeyFile)). From the first key in it on, every caller
    /// but those who ask for health has to show one.
    pub keys: Option<PathBuf>,
    /// An identity provider whose tokens are accepted beside keys.
    pub jwt: Option<JwtConfig>,
    /// The server's certificate; without one it speaks in the clear.
    pub tls: Option<TlsConfig>,
    /// The audit trail; without it nothing is kept of who did what.
    pub audit: Option<AuditConfig>,
    /// Requests a second that a caller may make who has no quota of their own; 0 is no bound.
    pub requests_per_second: u32,
    /// A request that takes this long is told in the log.
    pub slow_request: Duration,
    /// Greatest request message, bytes, before and after decompression.
    pub max_request_bytes: usize,
    /// Greatest response message, bytes.
    pub max_response_bytes: usize,
    /// Memory that the process may hold, mapped files left out, before no more records are taken, MiB; 0 is
    /// nine tenths of what the system gives it.
    pub memory_budget_mib: u64,
    /// Requests in work at one time, over all connections; the next one gets UNAVAILABLE.
    pub max_concurrent_requests: usize,
    /// Open connections; the next one is closed at once.
    pub max_connections: usize,
    /// Requests in work at one time on one connection; the client waits with the next one.
    pub max_streams_per_connection: u32,
    /// Threads that may compute or read for requests at one time; the others wait their turn.
    pub workers: usize,
    /// A connection that has not begun to speak HTTP after this is closed.
    pub handshake_timeout: Duration,
    /// A connection without a request for this long is closed.
    pub idle_timeout: Duration,
    /// The server pings a connection that is silent for this long (clients need no pings of their
    /// own; those that send some should keep to one in 5 minutes, as other gRPC servers demand) …
    pub keepalive_interval: Duration,
    /// … and closes it when no answer comes within this.
    pub keepalive_timeout: Duration,
    /// Longest time for a request whose client sets no shorter deadline. RebuildIndex and
    /// ChangeModel are bound by the client's deadline alone.
    pub request_timeout: Duration,
    /// Requests in work at shutdown may take this long; then their connections are cut.
    pub drain_timeout: Duration,
    /// The models that ListModels tells of and ChangeModel changes to.
    pub models: Option<ModelStore>,
    /// How SetLogLevel changes what is logged.
    pub log: Option<LogLevels>,
    /// How often the server purges what was deleted long ago and writes anew the files of indexes
    /// that hold traces of erased records; zero is never.
    pub housekeeping: Duration,
}

/// What [`LogLevels`] calls: takes levels, answers those before, or why they do not read.
type Change = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// Changes the levels of the program's log.
#[derive(Clone)]
pub struct LogLevels(Arc<Change>);

impl LogLevels {
    /// `change` takes levels and answers with those before, or with why they do not read.
    pub fn new(change: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static) -> Self {
        LogLevels(Arc::new(change))
    }

    pub(crate) fn set(&self, levels: &str) -> Result<String, String> {
        (self.0)(levels)
    }
}

impl std::fmt::Debug for LogLevels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogLevels")
    }
}

impl PartialEq for LogLevels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LogLevels {}

impl Default for ServerConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50_051)),
            allow_insecure: false,
            allow_plaintext: false,
            keys: None,
            jwt: None,
            tls: None,
            audit: None,
            requests_per_second: 0,
            slow_request: Duration::from_secs(2),
            max_request_bytes: 16 << 20,
            max_response_bytes: 64 << 20,
            memory_budget_mib: 0,
            max_concurrent_requests: 256,
            max_connections: 1_024,
            max_streams_per_connection: 128,
            workers: (2 * cores).max(4),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15 * 60),
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(120),
            drain_timeout: Duration::from_secs(20),
            models: None,
            log: None,
            housekeeping: Duration::from_secs(24 * 3600),
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Beyond loopback without authentication.
    #[error(
        "{listen} can be reached from other machines, and this server would not ask callers who they are: \
         make a key first (queqiao key create --name platform --role reader,writer, with the same --data), \
         or listen on 127.0.0.1; set allow_insecure (--allow-insecure) only if the network is closed"
    )]
    Insecure {
        /// The address.
        listen: SocketAddr,
    },
    /// Keys would be sent in the clear beyond loopback.
    #[error(
        "keys would travel in the clear on {listen}: give the server a certificate (tls.certificate, tls.key), \
         listen on 127.0.0.1, or set allow_plaintext (--allow-plaintext) where a proxy with TLS stands in front of it"
    )]
    Plaintext {
        /// The address.
        listen: SocketAddr,
    },
    /// A number out of its range.
    #[error("{field} is {given}: expected {least} to {most}")]
    Range {
        /// The setting.
        field: &'static str,
        /// What was given.
        given: String,
        /// The least that is accepted.
        least: String,
        /// The greatest that is accepted.
        most: String,
    },
}

impl ConfigError {
    /// In both languages.
    pub fn message(&self) -> Bilingual {
        let zh = match self {
            ConfigError::Plaintext { listen } => format!(
                "密钥将在 {listen} 上以明文传输：请配置证书（tls.certificate、tls.key），或只监听 127.0.0.1；\
                 前面有 TLS 代理时可设置 allow_plaintext（--allow-plaintext）"
            ),
            ConfigError::Insecure { listen } => format!(
                "其他机器可以访问 {listen}，而本服务不会验证调用者身份：请先创建密钥（queqiao key create --name platform --role reader,writer，--data 与服务一致），\
                 或只监听 127.0.0.1；仅当网络封闭时才可设置 allow_insecure（--allow-insecure）"
            ),
            ConfigError::Range {
                field,
                given,
                least,
                most,
            } => format!("{field} 为 {given}：应在 {least} 至 {most} 之间"),
        };
        Bilingual::new(self.to_string(), zh)
    }
}

/// Settings that passed every check.
#[derive(Debug, Clone)]
pub(crate) struct ValidConfig(ServerConfig);

impl std::ops::Deref for ValidConfig {
    type Target = ServerConfig;

    fn deref(&self) -> &ServerConfig {
        &self.0
    }
}

impl ServerConfig {
    /// Checks every setting.
    pub(crate) fn check(self) -> Result<ValidConfig, ConfigError> {
        const HOUR: u64 = 3_600;
        let numbers = [
            (
                "max_request_bytes",
                self.max_request_bytes,
                1 << 10,
                1 << 30,
            ),
            (
                "max_response_bytes",
                self.max_response_bytes,
                1 << 10,
                1 << 30,
            ),
            (
                "max_concurrent_requests",
                self.max_concurrent_requests,
                1,
                1_000_000,
            ),
            ("max_connections", self.max_connections, 1, 1_000_000),
            (
                "max_streams_per_connection",
                self.max_streams_per_connection as usize,
                1,
                100_000,
            ),
            ("workers", self.workers, 1, 4_096),
        ];
        for (field, given, least, most) in numbers {
            if !(least..=most).contains(&given) {
                return Err(range(field, given, least, most));
            }
        }
        let times = [
            ("handshake_timeout", self.handshake_timeout, HOUR),
            ("idle_timeout", self.idle_timeout, 24 * HOUR),
            ("keepalive_interval", self.keepalive_interval, HOUR),
            ("keepalive_timeout", self.keepalive_timeout, HOUR),
            ("request_timeout", self.request_timeout, 24 * HOUR),
            ("drain_timeout", self.drain_timeout, HOUR),
            ("slow_request", self.slow_request, 24 * HOUR),
        ];
        for (field, given, most) in times {
            if given < Duration::from_millis(1) || given > Duration::from_secs(most) {
                return Err(range(
                    field,
                    format!("{given:?}"),
                    "1ms",
                    format!("{most}s"),
                ));
            }
        }
        Ok(ValidConfig(self))
    }
}

impl ValidConfig {
    /// Whether callers are told apart as far as the address demands.
    pub(crate) fn check_access(&self, gate: &Gate) -> Result<(), ConfigError> {
        let closed = self.listen.ip().is_loopback() || self.allow_insecure;
        if closed {
            return Ok(());
        }
        if gate.has_valid_key() {
            return match self.tls.is_some() || self.allow_plaintext {
                true => Ok(()),
                false => Err(ConfigError::Plaintext {
                    listen: self.listen,
                }),
            };
        }
        Err(ConfigError::Insecure {
            listen: self.listen,
        })
    }
}

fn range(
    field: &'static str,
    given: impl ToString,
    least: impl ToString,
    most: impl ToString,
) -> ConfigError {
    ConfigError::Range {
        field,
        given: given.to_string(),
        least: least.to_string(),
        most: most.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyFile, NewKey, Role, Tenants};

    #[test]
    fn beyond_loopback_only_on_request() {
        let open = ServerConfig {
            listen: "0.0.0.0:0".parse().unwrap(),
            ..ServerConfig::default()
        };
        let checked = |config: ServerConfig| {
            let gate = Gate::new(config.keys.as_deref(), None).unwrap();
            config.check().unwrap().check_access(&gate)
        };
        let e = checked(open.clone()).unwrap_err().message();
        for text in [&e.en, &e.zh] {
            for part in ["0.0.0.0:0", "allow_insecure", "queqiao key create"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = KeyFile::path_in(dir.path());
        let keyed = ServerConfig {
            keys: Some(path.clone()),
            ..open.clone()
        };
        assert!(checked(keyed.clone()).is_err(), "no key is there yet");
        let key = NewKey {
            name: "t".to_owned(),
            roles: [Role::Reader].into_iter().collect(),
            tenants: Tenants::All,
            expires: None,
            requests_per_second: None,
        };
        let (key, _) = KeyFile::create(&path, key).unwrap();
        let e = checked(keyed.clone()).unwrap_err().message();
        for text in [&e.en, &e.zh] {
            assert!(
                text.contains("allow_plaintext") && text.contains("tls.certificate"),
                "{text}"
            );
        }
        let behind = ServerConfig {
            allow_plaintext: true,
            ..keyed.clone()
        };
        assert!(checked(behind).is_ok());
        let sealed = ServerConfig {
            tls: Some(TlsConfig {
                certificate: "c.pem".into(),
                key: "k.pem".into(),
                client_ca: None,
            }),
            ..keyed.clone()
        };
        assert!(checked(sealed).is_ok());
        KeyFile::revoke(&path, &key.id).unwrap();
        assert!(checked(keyed).is_err(), "the only key is revoked");
        let insecure = ServerConfig {
            allow_insecure: true,
            ..open
        };
        assert!(checked(insecure).is_ok());
        assert!(checked(ServerConfig::default()).is_ok());
    }

    #[test]
    fn numbers_have_ranges() {
        let none = ServerConfig {
            workers: 0,
            ..ServerConfig::default()
        };
        assert_eq!(
            none.check().unwrap_err().to_string(),
            "workers is 0: expected 1 to 4096"
        );
        let never = ServerConfig {
            drain_timeout: Duration::ZERO,
            ..ServerConfig::default()
        };
        assert!(never.check().is_err());
    }
}
