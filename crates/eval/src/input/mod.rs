//! Files as bytes: opened, unpacked, cut into lines of bounded length.

mod collection;
pub(crate) mod fields;
pub(crate) mod json;
mod lines;
mod qrels;
mod run;
mod source;

pub use collection::{Supply, qrels_of};
pub(crate) use lines::Lines;
pub(crate) use qrels::read_qrels;
pub(crate) use run::{Entry, read_run};
pub(crate) use source::{Source, open};

/// Longest line, and longest string of a JSON document, that is read, in bytes. A longer one is
/// refused before it is held.
pub const LONGEST_LINE: usize = 1 << 20;

/// Shortens what a message quotes.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(4 * MOST)).unwrap_or_default());
    let mut out: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { '·' } else { c })
        .collect();
    if text.chars().count() > MOST {
        out.push('…');
    }
    out
}
