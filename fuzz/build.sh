#!/usr/bin/env bash
# Builds the fuzzer with the stable toolchain: coverage counters and traced comparisons, no sanitizer
# (nothing here but memory maps and vector kernels is unsafe). The binary's path is the last line.
set -euo pipefail
cd "$(dirname "$0")"
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
cargo build --release --target "$target" --bin decoders "$@" >&2
realpath "${CARGO_TARGET_DIR:-target}/$target/release/decoders"
