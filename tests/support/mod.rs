//! The real binary, run as a user runs it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used
)]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A command of the binary, in English, with the models of the tree.
pub fn queqiao(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_queqiao"));
    c.args(args)
        .env("QUEQIAO_LANG", "en")
        .env_remove("QUEQIAO_DATA")
        .env("QUEQIAO_MODELS", root().join("models"));
    c
}

/// What a finished command said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end.
pub fn run(args: &[&str]) -> Said {
    said(&queqiao(args).output().expect("the binary starts"))
}

pub fn said(o: &Output) -> Said {
    Said {
        code: o.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&o.stdout).into_owned(),
        err: String::from_utf8_lossy(&o.stderr).into_owned(),
    }
}

/// Runs a command that must end well, and gives its stdout.
#[track_caller]
pub fn ok(args: &[&str]) -> String {
    let s = run(args);
    assert_eq!(s.code, 0, "{args:?}\nstdout: {}\nstderr: {}", s.out, s.err);
    s.out
}

/// Runs a command that must end well with one JSON document on stdout.
#[track_caller]
pub fn json(args: &[&str]) -> serde_json::Value {
    let out = ok(args);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}"))
}

/// Runs a command that must fail with this code and say all of `words` on stderr, on few lines.
#[track_caller]
pub fn fails(args: &[&str], code: i32, words: &[&str]) {
    let s = run(args);
    assert_eq!(
        s.code, code,
        "{args:?}\nstdout: {}\nstderr: {}",
        s.out, s.err
    );
    for w in words {
        assert!(s.err.contains(w), "{args:?} does not say `{w}`:\n{}", s.err);
    }
    assert!(!s.err.contains("panicked"), "{}", s.err);
}

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// A file of the sample.
pub fn sample(name: &str) -> String {
    root()
        .join("crates/cli/sample")
        .join(name)
        .display()
        .to_string()
}

/// The folder of real collections and data, if this machine has it.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("QUEQIAO_SHARED")
        .map_or_else(|| root().parent().unwrap().join("shared"), PathBuf::from);
    if folder.join("collections").is_dir() {
        return Some(folder);
    }
    println!(
        "SKIPPED: no real data at {} (set QUEQIAO_SHARED)",
        folder.display()
    );
    None
}

/// A server on a free port, stopped when dropped.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        Self::start_at(data, "127.0.0.1:0")
    }

    pub fn start_at(data: &Path, listen: &str) -> Self {
        Self::start_with(data, listen, None)
    }

    /// The same, with a configuration file.
    pub fn start_with(data: &Path, listen: &str, config: Option<&Path>) -> Self {
        let mut command = queqiao(&["serve", "--listen", listen, "--data"]);
        command
            .arg(data)
            .args(config.map(|c| format!("--config={}", c.display())));
        Self::run(command)
    }

    /// The same, sending traces to a collector.
    pub fn start_traced(data: &Path, collector: &str) -> Self {
        let mut command = queqiao(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        command
            .arg(data)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{line}"))
            .to_owned();
        Self { child, address }
    }

    /// SIGTERM, and the exit code.
    pub fn terminate(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
