//! The kept corpus of the fuzzer, replayed: nothing in it crashes, and some of each kind is read to its end. Without instruments, so this is a
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
        let (mut inputs, mut whole) = (0, 0);
        for entry in fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let done = catch_unwind(|| target(&bytes));
            let read = done.unwrap_or_else(|_| panic!("{} crashes {name}", path.display()));
            inputs += 1;
            whole += usize::from(read);
        }
        // A search that never gets past the first check would find nothing either.
        assert!(
            whole > 0,
            "of the {inputs} inputs of {name} none is read to its end"
        );
    }
}

/// The search would notice: a target that fails is seen.
#[test]
fn a_target_that_panics_is_seen() {
    let bad: targets::Target = |bytes| {
        assert!(!bytes.starts_with(b"x"), "found");
        true
    };
    assert!(catch_unwind(|| bad(b"x")).is_err());
    assert!(catch_unwind(|| bad(b"y")).is_ok());
}
