//! Vectors of the lines of a file, as text: for comparing with other tools.
//!
//! ```sh
//! cargo run --release -p queqiao-embed --example embed_lines -- MODEL_DIR TEXT_FILE > vectors.txt
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use queqiao_embed::{Embedder, Role, StaticModel};
use std::path::Path;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [model, texts] = args.as_slice() else {
        println!("usage: embed_lines MODEL_DIR TEXT_FILE");
        std::process::exit(2);
    };
    let model = StaticModel::load(Path::new(model)).unwrap();
    let texts = std::fs::read_to_string(texts).unwrap();
    let lines: Vec<&str> = texts.lines().collect();
    for row in model.embed(&lines, Role::Passage).unwrap().rows() {
        let cells: Vec<String> = row.iter().map(f32::to_string).collect();
        println!("{}", cells.join(" "));
    }
}
