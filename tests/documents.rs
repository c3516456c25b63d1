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
