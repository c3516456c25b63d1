//! The kept corpus of the fuzzer, replayed: nothing in it crashes. Without instruments, so this is a
//! guard against what was found once, not a search.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../crates/cli/src/failure.rs"]
#[allow(dead_code, unreachable_pub)]
mod failure;
#[path = "../crates/cli/src/settings/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod settings;
#[path = "../fuzz/src/targets.rs"]
#[allow(dead_code)]
mod targets;

use std::{fs, panic::catch_unwind, path::Path};

#[test]
fn every_kept_input_is_taken() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in targets::ALL {
        let mut inputs = 0;
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let done = catch_unwind(|| target(&bytes));
            assert!(done.is_ok(), "{} crashes {name}", path.display());
            inputs += 1;
        }
        assert!(inputs > 0, "the corpus of {name} is empty");
    }
}

/// The search would notice: a target that fails is seen.
#[test]
fn a_target_that_panics_is_seen() {
    let bad: targets::Target = |bytes| assert!(!bytes.starts_with(b"x"), "found");
    assert!(catch_unwind(|| bad(b"x")).is_err());
    assert!(catch_unwind(|| bad(b"y")).is_ok());
}
