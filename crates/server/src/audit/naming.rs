//! The lines of a trail that name a record.

use super::{
    AuditError, entry,
    folder::{self, io_error},
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// The last `most` lines that name `name`, oldest first, and how many more there are. Without their places in the
/// chain: these count what everybody did.
pub(crate) fn lines_naming(
    dir: &Path,
    name: &str,
    most: usize,
) -> Result<(Vec<String>, u64), AuditError> {
    let mut found = VecDeque::new();
    let mut left_out = 0;
    for number in folder::numbers(dir)? {
        let path = folder::file(dir, number);
        let file = match File::open(&path) {
            // Removed meanwhile, because it is old.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            file => file.map_err(io_error("opening", &path))?,
        };
        for line in BufReader::new(file).lines() {
            let line = line.map_err(io_error("reading", &path))?;
            // Most lines are told apart without reading them.
            if !line.contains(name) {
                continue;
            }
            let read = entry::read(&line);
            if !read.is_some_and(|(l, _)| l.objects.iter().any(|o| o == name)) {
                continue;
            }
            if found.len() == most {
                found.pop_front();
                left_out += 1;
            }
            found.push_back(alone(&line));
        }
    }
    Ok((found.into(), left_out))
}

/// A line without its number and without the hashes of itself and of the one before.
fn alone(line: &str) -> String {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
        Ok(mut fields) => {
            for chained in ["seq", "prev", "hash"] {
                fields.remove(chained);
            }
            serde_json::Value::Object(fields).to_string()
        }
        // It was read as a line before.
        Err(_) => String::new(),
    }
}
