//! The documents tell the truth about the tree.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{fs, path::Path, process::Command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn tracked() -> Vec<String> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    match out {
        Ok(o) if o.status.success() => String::from_utf8(o.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect(),
        _ => {
            println!("SKIPPED: this is no git checkout");
            Vec::new()
        }
    }
}

/// Links in Markdown to files of the tree.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|l| l.split('#').next().unwrap_or(l))
        .filter(|l| !l.is_empty() && !l.contains("://") && !l.starts_with("mailto:"))
}

#[test]
fn links_lead_somewhere() {
    for file in tracked().iter().filter(|f| f.ends_with(".md")) {
        let path = root().join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for link in links(&text) {
            assert!(
                path.parent().unwrap().join(link).exists(),
                "{file} links to {link}"
            );
        }
    }
}

#[test]
fn both_readmes_show_the_same_commands() {
    let commands = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let mut inside = false;
        let mut out = Vec::new();
        for line in text.lines() {
            if line.starts_with("```") {
                inside = line == "```sh";
            } else if inside {
                let command = line.split('#').next().unwrap().trim();
                if !command.is_empty() && command.is_ascii() {
                    out.push(command.to_owned());
                }
            }
        }
        out
    };
    let english = commands("README.md");
    assert!(english.len() > 2);
    assert_eq!(english, commands("README.zh-CN.md"));
}

/// Texts between backticks of the rows of a table, in their first column.
fn first_column(text: &str) -> Vec<String> {
    let cells = text
        .lines()
        .filter_map(|l| l.strip_prefix("| ")?.split(" | ").next());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_page_of_the_service_names_every_reason_and_every_field() {
    let page = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let chinese = fs::read_to_string(root().join("docs/api.zh-CN.md")).unwrap();
    let code = |text: &str| -> Vec<String> {
        text.split("```")
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(code(&page), code(&chinese));
    let told = first_column(&page);
    let in_chinese = chinese.replace("attributes.名称", "attributes.NAME");
    assert_eq!(told, first_column(&in_chinese));

    let filter = fs::read_to_string(root().join("crates/domain/src/filter/mod.rs")).unwrap();
    let fields: Vec<&str> = filter
        .split("(\"")
        .filter_map(|rest| rest.split_once("\", Field::"))
        .map(|(name, _)| name)
        .collect();
    assert!(fields.len() > 20);
    for field in fields.into_iter().chain(["attributes.NAME"]) {
        assert!(told.iter().any(|t| t == field), "no filter field {field}");
    }

    // Names of codes, and what no call can answer with: folders and collections are opened before.
    const NOT_TOLD: &[&str] = &[
        "ABORTED",
        "ALREADY_EXISTS",
        "BEFORE_HISTORY",
        "CANCELLED",
        "CARGO_PKG_VERSION",
        "DATA_IN_USE",
        "DATA_LOSS",
        "FAILED_PRECONDITION",
        "FILE_EXISTS",
        "INVALID_ARGUMENT",
        "INVALID_COLLECTION",
        "KEYS_MISSING",
        "NEWER_FORMAT",
        "NOT_A_DATA_FOLDER",
        "NOT_FOUND",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "REJECTED",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
        "UNAVAILABLE",
        "UNIMPLEMENTED",
        "UNKNOWN",
    ];
    let mut known: Vec<String> = Vec::new();
    let sources = tracked().into_iter().filter(|f| {
        let of_server = f.starts_with("crates/server/src/") && f.ends_with(".rs");
        of_server || f == "crates/engine/src/error.rs"
    });
    for file in sources {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        for word in text.split('"').skip(1).step_by(2) {
            let shape = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            let reason = word.contains('_') || ["OVERLOADED", "PANIC", "INTERNAL"].contains(&word);
            if shape && reason && word.len() > 4 && !NOT_TOLD.contains(&word) {
                known.push(word.to_owned());
                assert!(
                    told.iter().any(|t| t == word),
                    "{file} has {word}, docs/api.md has not"
                );
            }
        }
    }
    let loud = |t: &&String| t.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    for reason in told.iter().filter(loud) {
        assert!(
            known.is_empty() || known.contains(reason),
            "nothing answers {reason}"
        );
    }
}

#[test]
fn the_gate_runs_the_readmes_test_command() {
    let gate = fs::read_to_string(root().join(".ci/run")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let command = "cargo test --workspace --locked";
    assert!(readme.contains(command) && gate.contains(command));
}

#[test]
fn no_personal_or_machine_paths() {
    for file in tracked() {
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for bad in [
            concat!("/ho", "me/"),
            concat!("/wo", "rk/"),
            concat!("/ro", "ot/"),
        ] {
            assert!(!text.contains(bad), "{file} holds {bad}");
        }
    }
}
