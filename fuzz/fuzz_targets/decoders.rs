//! One binary for all decoders: `QUEQIAO_FUZZ` names the one. See `fuzz/README.md`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

#[path = "../../crates/cli/src/failure.rs"]
#[allow(dead_code, unreachable_pub)]
mod failure;
#[path = "../src/seeds.rs"]
mod seeds;
#[path = "../../crates/cli/src/settings/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod settings;
#[path = "../src/targets.rs"]
mod targets;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("QUEQIAO_FUZZ").unwrap_or_default();
    targets::named(&name).unwrap_or_else(|| {
        let names: Vec<&str> = targets::ALL.iter().map(|(n, _)| *n).collect();
        panic!("QUEQIAO_FUZZ is `{name}`; expected one of {names:?}")
    })
});

fuzz_target!(
    init: {
        // Panics of these crates' parsers are caught where they are called, and mean a bad file; one that is
        // not caught ends the process all the same.
        let stop = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let caught = |l: &std::panic::Location<'_>| {
                ["/tokenizers-", "/calamine-"].iter().any(|c| l.file().contains(c))
            };
            if !info.location().is_some_and(caught) {
                stop(info);
            }
        }));
        // Instead of fuzzing: the inputs that it starts from.
        if let Some(corpus) = std::env::var_os("QUEQIAO_SEEDS") {
            seeds::write(corpus.as_ref()).expect("the seeds can be written");
            std::process::exit(0);
        }
    },
    |data: &[u8]| {
        TARGET(data);
    }
);
