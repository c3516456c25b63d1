//! The files of an index alone, read and searched whatever they hold: for fuzzing.

use super::{IndexOptions, load};
use crate::{
    dense::{Ask, Body, Everyone, Side},
    index::{IndexError, Shape},
    kernel::Isa,
};
use std::path::Path;

/// Reads the vectors' files of a folder and searches all that was read, in each way; says how many rows there
/// are. The postings are not read.
///
/// # Errors
/// As opening the index.
#[doc(hidden)]
pub fn try_files(folder: &Path, shape: &Shape) -> Result<usize, IndexError> {
    let (loaded, _) = load::load(folder, shape, &IndexOptions::default())?;
    let mut vector = vec![0.0_f32; shape.dim];
    if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    for part in loaded.dense.parts() {
        let Body::Sealed(segment) = &part.body else {
            continue;
        };
        for side in [Side::Passages, Side::Profiles] {
            let ask = Ask {
                vector: &vector,
                side,
                wanted: 5,
                ef: 16,
                isa: Isa::best(),
            };
            let walked = segment.walk(&ask, &Everyone, true, usize::MAX);
            let all: Vec<u32> = (0..segment.records() as u32).collect();
            let scanned = segment.scan(&ask, &all);
            let listed = segment.through_lists(&ask, &Everyone, usize::MAX);
            let ways = walked.into_iter().chain(listed).flatten();
            for (_, record) in ways.chain(scanned) {
                segment.prefetch(record);
                let _ = segment.exact(&vector, record);
            }
        }
    }
    Ok(loaded.dense.live_rows())
}
