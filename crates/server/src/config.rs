//! What a server is told, checked once.

use queqiao_engine::embed::ModelStore;
use std::{net::SocketAddr, time::Duration};

/// How a server listens, and what it bounds. [`Default`] is a server on loopback for one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Listen beyond loopback although nobody is asked who they are.
    pub allow_insecure: bool,
    /// Greatest request message, bytes, before and after decompression.
    pub max_request_bytes: usize,
    /// Greatest response message, bytes.
    pub max_response_bytes: usize,
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
}

impl Default for ServerConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50_051)),
            allow_insecure: false,
            max_request_bytes: 16 << 20,
            max_response_bytes: 64 << 20,
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
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Beyond loopback without authentication.
    #[error(
        "{listen} can be reached from other machines, and this server does not ask callers who they are: \
         listen on 127.0.0.1 or [::1] behind a proxy that does, or set allow_insecure if the network is closed"
    )]
    Insecure {
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
        if !self.listen.ip().is_loopback() && !self.allow_insecure {
            return Err(ConfigError::Insecure {
                listen: self.listen,
            });
        }
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

    #[test]
    fn beyond_loopback_only_on_request() {
        let open = ServerConfig {
            listen: "0.0.0.0:0".parse().unwrap(),
            ..ServerConfig::default()
        };
        let e = open.clone().check().unwrap_err().to_string();
        assert!(
            e.contains("0.0.0.0:0") && e.contains("allow_insecure"),
            "{e}"
        );
        let insecure = ServerConfig {
            allow_insecure: true,
            ..open
        };
        assert!(insecure.check().is_ok());
        assert!(ServerConfig::default().check().is_ok());
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
