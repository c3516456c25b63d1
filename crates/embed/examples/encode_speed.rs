//! Texts per second of one core, on texts of about 60 and about 600 characters.
//!
//! ```sh
//! cargo run --release -p queqiao-embed --example encode_speed -- MODEL_DIR TEXT_FILE
//! ```
//!
//! `TEXT_FILE` has a text a line; longer lines are cut, shorter ones joined.

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use queqiao_embed::{Embedder, Role, StaticModel};
use std::{path::Path, time::Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, texts] = args.as_slice() else {
        println!("usage: encode_speed MODEL_DIR TEXT_FILE");
        std::process::exit(2);
    };
    let start = Instant::now();
    let model = StaticModel::load(Path::new(model)).unwrap();
    println!("load: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let all: Vec<char> = std::fs::read_to_string(texts)
        .unwrap()
        .replace('\n', " ")
        .chars()
        .collect();
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    for length in [60, 600] {
        let texts: Vec<String> = all
            .chunks(length)
            .take(6_000_000 / length)
            .map(String::from_iter)
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let best = (0..5)
            .map(|_| {
                let start = Instant::now();
                one.install(|| {
                    for batch in texts.chunks(256) {
                        std::hint::black_box(model.embed(batch, Role::Passage).unwrap());
                    }
                });
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        println!(
            "{length} characters: {:.0} texts/s/core ({} texts)",
            texts.len() as f64 / best,
            texts.len()
        );
    }
}
