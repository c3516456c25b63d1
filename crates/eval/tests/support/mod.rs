//! Where oracles are found.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// A folder of the real data, if this machine has it.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("QUEQIAO_SHARED")
        .map_or_else(|| root().parent().unwrap().join("shared"), PathBuf::from);
    let folder = shared.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: no {} (set QUEQIAO_SHARED)", folder.display());
    None
}

/// A Python with these modules: the one named by QUEQIAO_TEST_PYTHON, or `python3`.
pub fn python(modules: &str) -> Option<PathBuf> {
    let candidates = std::env::var_os("QUEQIAO_TEST_PYTHON")
        .into_iter()
        .chain(["python3".into()])
        .map(PathBuf::from);
    for python in candidates {
        let has = Command::new(&python)
            .args(["-c", &format!("import {modules}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if has.is_ok_and(|s| s.success()) {
            return Some(python);
        }
    }
    println!(
        "SKIPPED: no python3 with {modules}, of tests/python/requirements.txt (set QUEQIAO_TEST_PYTHON)"
    );
    None
}
