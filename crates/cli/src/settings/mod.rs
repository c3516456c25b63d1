//! The settings of the service: from flags, the environment, a file, and what they are when nobody
//! says, in this order.

mod file;
mod reading;
mod table;

pub(crate) use table::{Form, SETTINGS, Setting};

use crate::failure::Failure;
use queqiao_domain::Bilingual;
use queqiao_server::{AuditConfig, JwtConfig, KeyFile, ServerConfig, TlsConfig};
use serde::Serialize;
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    None,
    Text(String),
    Switch(bool),
    Number(u64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::None => f.write_str("–"),
            Value::Text(t) => f.write_str(t),
            Value::Switch(b) => b.fmt(f),
            Value::Number(n) => n.fmt(f),
        }
    }
}

/// Who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File(PathBuf, usize),
    Variable(String),
    Flag(&'static str),
}

impl Source {
    /// For people.
    pub(crate) fn describe(&self) -> Bilingual {
        match self {
            Source::Default => Bilingual::new("default", "默认"),
            Source::File(path, line) => Bilingual::new(
                format!("{}:{line}", path.display()),
                format!("{} 第 {line} 行", path.display()),
            ),
            Source::Variable(v) => Bilingual::new(v.clone(), v.clone()),
            Source::Flag(f) => Bilingual::new(*f, *f),
        }
    }
}

/// What the command line says, by the names of the settings, with the flags.
pub(crate) type Flags = Vec<(&'static str, &'static str, String)>;

/// Every setting with its value.
#[derive(Debug)]
pub(crate) struct Settings(Vec<(&'static Setting, Value, Source)>);

impl Settings {
    /// Reads them all. A failure names everything that is wrong, each with its place.
    pub(crate) fn read(
        flags: &Flags,
        variable: impl Fn(&str) -> Option<String>,
        file: Option<&Path>,
    ) -> Result<Self, Failure> {
        let defaults = ServerConfig::default();
        let mut wrong = Vec::new();
        let given = match file {
            Some(path) => {
                let (given, found) = file::read(path, &text_of(path)?);
                wrong.extend(found);
                given
            }
            None => Vec::new(),
        };
        let mut all = Vec::new();
        for setting in SETTINGS {
            let name = setting.variable();
            let said = flags
                .iter()
                .find(|(of, _, _)| *of == setting.name)
                .map(|(_, flag, text)| (Source::Flag(flag), text.clone()))
                .or_else(|| Some((Source::Variable(name.clone()), variable(&name)?)));
            let in_file = given.iter().find(|(s, _, _)| s.name == setting.name);
            all.push(match (said, in_file, file) {
                (Some((source, text)), _, _) => match reading::read_text(setting, &text) {
                    Ok(value) => (setting, value, source),
                    Err(e) => {
                        let at = source.describe();
                        wrong.push(Bilingual::new(
                            format!("{}: {}", at.en, e.en),
                            format!("{}：{}", at.zh, e.zh),
                        ));
                        continue;
                    }
                },
                (None, Some((_, value, line)), Some(path)) => {
                    let source = Source::File(path.to_owned(), *line);
                    (setting, value.clone(), source)
                }
                _ => (setting, (setting.default)(&defaults), Source::Default),
            });
        }
        if wrong.is_empty() {
            return Ok(Settings(all));
        }
        let join = |text: fn(&Bilingual) -> &str| {
            let lines: Vec<&str> = wrong.iter().map(text).collect();
            lines.join("\n")
        };
        Err(Failure::input(join(|b| &b.en), join(|b| &b.zh)))
    }

    /// Every setting, its value, and who said so.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(&'static Setting, Value, Source)> {
        self.0.iter()
    }

    fn value(&self, name: &str) -> &Value {
        let found = self.0.iter().find(|(s, _, _)| s.name == name);
        debug_assert!(found.is_some(), "{name}");
        found.map_or(&Value::None, |(_, v, _)| v)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Number(n) => *n,
            _ => 0,
        }
    }

    fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(usize::MAX)
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name))
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data").unwrap_or_default()
    }

    /// The file of the master key, where it is kept outside the data folder.
    pub(crate) fn master_key(&self) -> Option<PathBuf> {
        self.path("master_key")
    }

    /// Days over which changes can be undone in a backup.
    pub(crate) fn history_days(&self) -> u32 {
        u32::try_from(self.number("history_days")).unwrap_or(u32::MAX)
    }

    /// Threads that build graphs; 0 is half of the cores.
    pub(crate) fn graph_threads(&self) -> usize {
        self.size("graph_threads")
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        *self.value(name) == Value::Switch(true)
    }

    /// The folder of models, where one is given.
    pub(crate) fn models(&self) -> Option<PathBuf> {
        self.path("models")
    }

    /// As the server takes them.
    pub(crate) fn server(&self) -> Result<ServerConfig, Failure> {
        let defaults = ServerConfig::default();
        let listen = self.text("listen").and_then(|t| t.parse().ok());
        let streams = self.number("max_streams_per_connection");
        Ok(ServerConfig {
            listen: listen.unwrap_or(defaults.listen),
            allow_insecure: self.is_on("allow_insecure"),
            allow_plaintext: self.is_on("allow_plaintext"),
            keys: Some(
                self.path("auth.keys")
                    .unwrap_or_else(|| KeyFile::path_in(&self.data())),
            ),
            jwt: self.jwt()?,
            tls: self.tls()?,
            audit: self.audit(),
            requests_per_second: u32::try_from(self.number("requests_per_second"))
                .unwrap_or(u32::MAX),
            slow_request: Duration::from_millis(self.number("slow_request_ms")),
            max_request_bytes: self.size("max_request_bytes"),
            max_response_bytes: self.size("max_response_bytes"),
            memory_budget_mib: self.number("memory_budget_mib"),
            max_concurrent_requests: self.size("max_concurrent_requests"),
            max_connections: self.size("max_connections"),
            max_streams_per_connection: u32::try_from(streams).unwrap_or(u32::MAX),
            workers: self.size("workers"),
            handshake_timeout: self.seconds("handshake_timeout_seconds"),
            idle_timeout: self.seconds("idle_timeout_seconds"),
            keepalive_interval: self.seconds("keepalive_interval_seconds"),
            keepalive_timeout: self.seconds("keepalive_timeout_seconds"),
            request_timeout: self.seconds("request_timeout_seconds"),
            drain_timeout: self.seconds("drain_timeout_seconds"),
            models: None,
            log: None,
            housekeeping: Duration::from_secs(60 * self.number("housekeeping_minutes")),
        })
    }

    fn audit(&self) -> Option<AuditConfig> {
        let on = *self.value("audit.enabled") == Value::Switch(true);
        on.then(|| AuditConfig {
            folder: self
                .path("audit.folder")
                .unwrap_or_else(|| AuditConfig::folder_in(&self.data())),
            max_bytes: self.number("audit.max_bytes"),
            keep_days: u32::try_from(self.number("audit.keep_days")).unwrap_or(u32::MAX),
            reads: *self.value("audit.reads") == Value::Switch(true),
        })
    }

    fn jwt(&self) -> Result<Option<JwtConfig>, Failure> {
        let names = ["auth.jwt.issuer", "auth.jwt.audience", "auth.jwt.jwks"];
        let text = |name: &str| self.text(name).map(str::to_owned);
        match names.map(|n| self.text(n)) {
            [Some(issuer), Some(audience), Some(jwks)] => Ok(Some(JwtConfig {
                issuer: issuer.to_owned(),
                audience: audience.to_owned(),
                jwks: jwks.parse().map_err(|e: Bilingual| {
                    Failure::input(
                        format!("auth.jwt.jwks: {}", e.en),
                        format!("auth.jwt.jwks：{}", e.zh),
                    )
                })?,
                roles_claim: text("auth.jwt.roles_claim").unwrap_or_default(),
                tenants_claim: text("auth.jwt.tenants_claim").unwrap_or_default(),
            })),
            [None, None, None] => Ok(None),
            given => {
                let missing = names.iter().zip(given).find(|(_, g)| g.is_none());
                let missing = missing.map_or("", |(n, _)| n);
                Err(Failure::input(
                    format!(
                        "{missing} is not set, and tokens need issuer, audience and jwks: set it too"
                    ),
                    format!("未设置 {missing}：使用令牌须同时设置 issuer、audience 与 jwks"),
                ))
            }
        }
    }

    fn tls(&self) -> Result<Option<TlsConfig>, Failure> {
        let names = ["tls.certificate", "tls.key", "tls.client_ca"];
        match names.map(|n| self.path(n)) {
            [Some(certificate), Some(key), client_ca] => Ok(Some(TlsConfig {
                certificate,
                key,
                client_ca,
            })),
            [None, None, None] => Ok(None),
            [certificate, ..] => {
                let missing = if certificate.is_none() {
                    names[0]
                } else {
                    names[1]
                };
                Err(Failure::input(
                    format!(
                        "{missing} is not set, and TLS needs both a certificate and its key: set it too"
                    ),
                    format!("未设置 {missing}：TLS 需要证书与私钥，请一并设置"),
                ))
            }
        }
    }
}

fn text_of(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    std::fs::read_to_string(path).map_err(|e| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_then_environment_then_file_then_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("q.toml");
        std::fs::write(
            &file,
            "workers = 3\nlisten = '127.0.0.1:3'\nmax_connections = 3\ndata = 'd'\n",
        )
        .unwrap();
        let flags = vec![("listen", "--listen", "127.0.0.1:1".to_owned())];
        let variable = |name: &str| match name {
            "QUEQIAO_LISTEN" => Some("127.0.0.1:2".to_owned()),
            "QUEQIAO_WORKERS" => Some("2".to_owned()),
            _ => None,
        };
        let s = Settings::read(&flags, variable, Some(&file)).unwrap();
        let config = s.server().unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!((config.workers, config.max_connections), (2, 3));
        assert_eq!(
            config.request_timeout,
            ServerConfig::default().request_timeout
        );
        assert_eq!(s.data(), dir.path().join("d"), "seen from the file");
        let source = |name: &str| {
            let found = s.iter().find(|(s, _, _)| s.name == name).unwrap();
            found.2.clone()
        };
        assert_eq!(source("listen"), Source::Flag("--listen"));
        assert_eq!(
            source("workers"),
            Source::Variable("QUEQIAO_WORKERS".into())
        );
        assert_eq!(source("max_connections"), Source::File(file.clone(), 3));
        assert_eq!(source("model"), Source::Default);
    }

    #[test]
    fn nothing_said_is_the_servers_own_default() {
        let s = Settings::read(&Vec::new(), |_| None, None).unwrap();
        let keys = Some(PathBuf::from("queqiao-data/access/keys.json"));
        let config = ServerConfig {
            keys,
            audit: Some(AuditConfig::new("queqiao-data/audit".into())),
            ..ServerConfig::default()
        };
        assert_eq!(s.server().unwrap(), config);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let flags = vec![("tls.certificate", "", "c.pem".to_owned())];
        let s = Settings::read(&flags, |_| None, None).unwrap();
        let e = s.server().unwrap_err();
        assert!(e.message().en.contains("tls.key is not set"), "{e:?}");
    }
}
