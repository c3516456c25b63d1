//! Every dependency comes from the registry, under a licence that `deny.toml` allows.
#![allow(clippy::unwrap_used)]

use cargo_metadata::MetadataCommand;
use std::{collections::BTreeSet, fs, path::Path};

/// Texts in quotes of the list `allow` in `deny.toml`.
fn allowed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml");
    let text = fs::read_to_string(path).unwrap();
    let list = text.split_once("allow = [").unwrap().1;
    let list = list.split_once("\n]").unwrap().0;
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an SPDX expression can be met with allowed licences: one of each `OR`, all of each `AND`.
fn fits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let text = expression.replace('/', " OR ");
    let words: Vec<String> = text
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut at = 0;
    either(&words, &mut at, allowed) && at == words.len()
}

fn either(words: &[String], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fits = all(words, at, allowed);
    while words.get(*at).is_some_and(|w| w == "OR") {
        *at += 1;
        fits |= all(words, at, allowed);
    }
    fits
}

fn all(words: &[String], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fits = one(words, at, allowed);
    while words.get(*at).is_some_and(|w| w == "AND") {
        *at += 1;
        fits &= one(words, at, allowed);
    }
    fits
}

fn one(words: &[String], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if word == "(" {
        let fits = either(words, at, allowed);
        *at += 1;
        return fits;
    }
    if words.get(*at).is_some_and(|w| w == "WITH") {
        let exception = words.get(*at + 1).cloned().unwrap_or_default();
        *at += 2;
        return allowed.contains(&format!("{word} WITH {exception}"));
    }
    allowed.contains(word)
}

#[test]
fn expressions_read_as_spdx_means_them() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]
        .map(str::to_owned)
        .into();
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("GPL-3.0 OR MIT AND Zlib", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("", false),
    ] {
        assert_eq!(fits(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let allowed = allowed();
    assert!(allowed.contains("MIT"), "{allowed:?}");
    // What is built here: other systems' crates need not be on this machine.
    let version = std::process::Command::new("rustc")
        .arg("-vV")
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version
        .lines()
        .find_map(|l| l.strip_prefix("host: "))
        .unwrap();
    let metadata = MetadataCommand::new()
        .other_options(
            ["--locked", "--filter-platform", host]
                .map(str::to_owned)
                .to_vec(),
        )
        .exec()
        .unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for p in &metadata.packages {
        let Some(source) = &p.source else {
            continue;
        };
        seen += 1;
        if !source.is_crates_io() {
            wrong.push(format!("{} {} is from {source}", p.name, p.version));
        }
        let licence = p.license.as_deref().unwrap_or("");
        if !fits(licence, &allowed) {
            wrong.push(format!("{} {}: `{licence}`", p.name, p.version));
        }
    }
    assert!(seen > 100, "{seen} dependencies");
    assert_eq!(wrong, [""; 0]);
}
