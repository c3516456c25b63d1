//! Who may know whom: the walk of a request goes one way, and nothing calls back up.
#![allow(clippy::unwrap_used)]

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Crate, and the crates of the workspace it may know. Kept as ARCHITECTURE.md draws it.
const MAY_KNOW: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("text", &["domain"]),
    ("embed", &["domain", "text"]),
    ("retrieval", &["domain"]),
    ("ranking", &["domain", "text"]),
    ("store", &["domain"]),
    ("intake", &["domain"]),
    ("solve", &["domain"]),
    ("events", &["domain", "solve"]),
    ("teams", &["domain", "solve"]),
    (
        "engine",
        &[
            "domain",
            "text",
            "embed",
            "retrieval",
            "ranking",
            "store",
            "solve",
            "teams",
            "events",
        ],
    ),
    ("desk", &["domain", "intake", "solve", "teams", "events"]),
    ("eval", &[]),
    ("proto", &[]),
    ("server", &["domain", "engine", "proto"]),
    (
        "cli",
        &[
            "domain", "engine", "eval", "intake", "desk", "proto", "server",
        ],
    ),
    ("testkit", &["domain"]),
];

/// Libraries that only some crates may use: async and wire stay at the edge.
const KEPT_OUT: [(&str, &[&str]); 10] = [
    ("tokio", &["server", "cli"]),
    ("tonic", &["proto", "server", "cli"]),
    ("prost", &["proto", "server"]),
    ("clap", &["cli"]),
    ("redb", &["store"]),
    ("tantivy", &["retrieval"]),
    ("microlp", &["solve"]),
    ("candle-core", &["embed"]),
    ("ureq", &["embed", "server"]),
    ("opentelemetry", &["server", "cli"]),
];

/// Crate to its dependencies of a kind, own crates without their prefix.
fn dependencies(kind: DependencyKind) -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .packages
        .iter()
        .map(|p| {
            let short = |n: &str| n.strip_prefix("queqiao-").unwrap_or(n).to_owned();
            let found = p
                .dependencies
                .iter()
                .filter(|d| d.kind == kind)
                .map(|d| short(&d.name))
                .collect();
            (short(&p.name), found)
        })
        .collect()
}

/// Edges that are not allowed, as `from -> to`.
fn forbidden(found: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.into_iter().collect();
    let mut out = Vec::new();
    for (from, to) in found {
        let Some(may) = allowed.get(from.as_str()) else {
            continue;
        };
        for t in to {
            if allowed.contains_key(t.as_str()) && !may.contains(&t.as_str()) {
                out.push(format!("{from} -> {t}"));
            }
        }
        for (library, users) in KEPT_OUT {
            if to.contains(library) && !users.contains(&from.as_str()) {
                out.push(format!("{from} -> {library}"));
            }
        }
    }
    out
}

#[test]
fn no_forbidden_edge() {
    let found = dependencies(DependencyKind::Normal);
    assert_eq!(
        forbidden(&found),
        Vec::<String>::new(),
        "ARCHITECTURE.md says who may know whom"
    );
}

#[test]
fn every_crate_has_its_place() {
    let found: BTreeSet<String> = dependencies(DependencyKind::Normal).into_keys().collect();
    let mut drawn: BTreeSet<String> = MAY_KNOW.iter().map(|(c, _)| (*c).to_owned()).collect();
    drawn.extend(["tests".to_owned(), "benches".to_owned()]);
    assert_eq!(found, drawn);
}

#[test]
fn the_rule_would_notice() {
    let edge =
        |from: &str, to: &str| BTreeMap::from([(from.to_owned(), BTreeSet::from([to.to_owned()]))]);
    assert_eq!(
        forbidden(&edge("retrieval", "engine")),
        ["retrieval -> engine"]
    );
    assert_eq!(forbidden(&edge("engine", "tonic")), ["engine -> tonic"]);
    assert_eq!(forbidden(&edge("engine", "store")), Vec::<String>::new());
}

#[test]
fn testkit_is_for_tests() {
    for (from, to) in dependencies(DependencyKind::Normal) {
        assert!(
            !to.contains("testkit"),
            "{from} uses testkit outside its tests"
        );
    }
}

#[test]
fn the_drawing_names_every_crate() {
    let drawing = include_str!("../ARCHITECTURE.md");
    for (name, _) in MAY_KNOW {
        assert!(
            drawing.contains(&format!("`{name}`")),
            "ARCHITECTURE.md does not name `{name}`"
        );
    }
}
