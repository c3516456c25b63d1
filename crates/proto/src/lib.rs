//! Generated wire code of queqiao.v1: messages, clients and service traits.
//!
//! Purpose: the one Rust form of the files under `proto/`, so that nobody needs protoc or a build
//! script. Invariant: what is committed under `src/gen` is, byte for byte, what
//! `cargo run -p queqiao-proto --example generate` makes of those files; a test says so. This
//! crate knows nothing of the engine, and no crate but `server` and `cli` may know it.

mod codec;

#[doc(hidden)]
pub use codec::unfolds_too_far;
pub use codec::{BoundedCodec, BoundedDecoder, MAX_UNFOLDED, UNFOLDS_TOO_FAR};

/// Messages, clients and service traits of the package `queqiao.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    rustdoc::all
)]
pub mod v1 {
    include!("gen/queqiao.v1.rs");
}

/// The encoded `FileDescriptorSet` of `queqiao.v1` and all it imports, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/queqiao.v1.bin");

/// Sealed: a request that is printed into a log or a panic message shows no contact.
impl std::fmt::Debug for v1::Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(sealed)")
    }
}
