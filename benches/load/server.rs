//! The program under load.

use anyhow::{Context, Result};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server, which ends with this, and so does its data folder unless one was given.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    program: PathBuf,
    data: PathBuf,
    _own: Option<tempfile::TempDir>,
}

impl Program {
    pub(crate) fn start(program: &Path, data: Option<&Path>) -> Result<Self> {
        let (data, own) = match data {
            Some(data) => (data.to_owned(), None),
            None => {
                let own = tempfile::tempdir()?;
                (own.path().join("data"), Some(own))
            }
        };
        let (child, address) = begin(program, &data)?;
        Ok(Program {
            child,
            address,
            program: program.to_owned(),
            data,
            _own: own,
        })
    }

    /// Kills it as a crash does, starts it again on the same folder, and says how long it took until it
    /// listened.
    pub(crate) fn crash(&mut self) -> Result<Duration> {
        self.child.kill()?;
        self.child.wait()?;
        let began = Instant::now();
        (self.child, self.address) = begin(&self.program, &self.data)?;
        Ok(began.elapsed())
    }

    /// Bytes of the store's file and of the whole folder.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        fn all(dir: &Path) -> u64 {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            entries
                .map(|e| match e.metadata() {
                    Ok(m) if m.is_dir() => all(&e.path()),
                    Ok(m) => m.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        let store = self.data.join("store.redb");
        let store = std::fs::metadata(store).map_or(0, |m| m.len());
        (store, all(&self.data))
    }

    /// Memory that it has in use, MiB; 0 where the system does not say.
    pub(crate) fn resident_mib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The part of it that the system cannot take back, MiB: without the pages of mapped files.
    pub(crate) fn own_mib(&self) -> u64 {
        self.memory("RssAnon:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        status
            .ok()
            .and_then(|s| {
                let line = s.lines().find(|l| l.starts_with(name))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            })
            .map_or(0, |kib| kib / 1024)
    }
}

fn begin(program: &Path, data: &Path) -> Result<(Child, String)> {
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("QUEQIAO_LOG", "warn")
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let out = child.stdout.take().context("its output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening on ");
    let address = format!("http://{}", address.context("it did not start")?);
    Ok((child, address))
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
