//! Writes the wire code under `crates/proto/src/gen` anew from the files under `proto/`:
//! `cargo run -p queqiao-proto --example generate`.

#[path = "../tests/support/generator.rs"]
mod generator;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in generator::generate()? {
        std::fs::write(generator::committed().join(file.name), file.bytes)?;
    }
    Ok(())
}
