//! Makes the wire code from `proto/`, the same way for the command that writes it and for the test
//! that compares it.

use protox::prost::Message;
use std::{
    error::Error,
    path::{Path, PathBuf},
};

/// One generated file: its name under `src/gen`, and its bytes.
pub(crate) struct Generated {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The folder the generated files are committed in.
pub(crate) fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen")
}

/// Compiles every file of `proto/queqiao/v1`.
pub(crate) fn generate() -> Result<Vec<Generated>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("queqiao/v1"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|f| f.extension().is_some_and(|e| e == "proto"));
    // The order of a folder is the file system's: sorted, the output is the same everywhere.
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    let with_comments = compiler.file_descriptor_set();
    // Reflection needs no comments; without them the set is a third of the size.
    let mut plain = with_comments.clone();
    for file in &mut plain.file {
        file.source_code_info = None;
    }

    let mut config = prost_build::Config::new();
    config.enable_type_names();
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_transport(true)
        .emit_rerun_if_changed(false)
        .btree_map(".")
        .skip_debug(["queqiao.v1.Contact"])
        .codec_path("crate::BoundedCodec")
        .out_dir(out.path())
        .compile_fds_with_config(with_comments, config)?;
    Ok(vec![
        Generated {
            name: "queqiao.v1.rs",
            bytes: std::fs::read(out.path().join("queqiao.v1.rs"))?,
        },
        Generated {
            name: "queqiao.v1.bin",
            bytes: plain.encode_to_vec(),
        },
    ])
}
