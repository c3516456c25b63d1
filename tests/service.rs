//! The service as other programs meet it: a client in another language, a signal, a kill.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};
use support::{Server, json, ok, queqiao, root, sample};

/// A Python with grpcio, if there is one: the one named by QUEQIAO_TEST_PYTHON, or `python3`.
fn python() -> Option<PathBuf> {
    let candidates = std::env::var_os("QUEQIAO_TEST_PYTHON")
        .into_iter()
        .chain(["python3".into()])
        .map(PathBuf::from);
    for python in candidates {
        let has = Command::new(&python)
            .args(["-c", "import grpc, grpc_tools, grpc_status"])
            .stderr(Stdio::null())
            .status();
        if has.is_ok_and(|s| s.success()) {
            return Some(python);
        }
    }
    println!(
        "SKIPPED: no python3 with the packages of tests/python/requirements.txt (set QUEQIAO_TEST_PYTHON)"
    );
    None
}

#[test]
fn a_python_client_generated_from_the_proto_files() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let out = Command::new(python)
        .arg(root().join("tests/python/client.py"))
        .arg(&server.address)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn a_signal_drains_and_what_was_written_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    ok(&[
        "import",
        &sample("societies.csv"),
        "--kind",
        "society",
        "--data",
        data.to_str().unwrap(),
    ]);
    let server = Server::start(&data);
    assert_eq!(server.terminate(), 0, "SIGTERM ends well");
    // Dropped servers are killed: nothing is said, nothing is lost.
    drop(Server::start(&data));
    let answer = json(&[
        "match",
        "--text",
        "腐蚀与防护",
        "--to",
        "society",
        "--data",
        data.to_str().unwrap(),
        "--format",
        "json",
        "-k",
        "3",
    ]);
    assert_eq!(answer["matches"][0]["title"], "中国腐蚀与防护学会");
}

#[test]
fn logs_are_json_lines_on_stderr_and_hold_no_text() {
    let dir = tempfile::tempdir().unwrap();
    let out = queqiao(&["match", "--text", "某个秘密的需求", "--log-json", "--data"])
        .arg(dir.path().join("none"))
        .env("QUEQIAO_LOG", "debug")
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&out.stderr).contains("秘密"));
}
