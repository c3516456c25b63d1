//! The files of a trail: `audit-000001.jsonl`, `audit-000002.jsonl`, …, and `head`.

use super::{AuditError, entry::Tip};
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const HEAD: &str = "head";

pub(super) fn io_error<'a>(
    doing: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> AuditError + 'a {
    move |source| AuditError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

pub(super) fn file(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("audit-{number:06}.jsonl"))
}

/// The numbers of the files that are there, in order.
pub(super) fn numbers(dir: &Path) -> Result<Vec<u32>, AuditError> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error("reading", dir))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error("reading", dir))?.file_name();
        let number: Option<u32> = name.to_str().and_then(|n| {
            n.strip_prefix("audit-")?
                .strip_suffix(".jsonl")?
                .parse()
                .ok()
        });
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

/// A file that only its owner reads.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The last bytes of a file that hold its last line: without the line's end, and whether it has one.
pub(super) fn last_line(file: &mut File) -> io::Result<(Vec<u8>, bool, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut take = 4_096_u64;
    loop {
        let from = length.saturating_sub(take);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        Read::by_ref(file)
            .take(length - from)
            .read_to_end(&mut bytes)?;
        let ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
        }
        if let Some(at) = bytes.iter().rposition(|b| *b == b'\n') {
            let line = bytes.split_off(at + 1);
            return Ok((line, ended, length));
        }
        if from == 0 {
            return Ok((bytes, ended, length));
        }
        take = take.saturating_mul(4);
    }
}

/// The file that says where the chain ends, so that lines cut off at its end are missed.
pub(super) fn write_head(head: &mut File, tip: &Tip) -> io::Result<()> {
    // Always as long: it is written over in place.
    let text = format!("{:020} {}\n", tip.seq, tip.hash);
    head.seek(SeekFrom::Start(0))?;
    head.write_all(text.as_bytes())
}

pub(super) fn head_path(dir: &Path) -> PathBuf {
    dir.join(HEAD)
}

pub(super) fn read_head(dir: &Path) -> Result<Option<Tip>, AuditError> {
    let path = head_path(dir);
    let text = match fs::read_to_string(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(io_error("reading", &path))?,
    };
    let tip = parse_tip(text.trim());
    Ok(tip)
}

/// `NUMBER HASH`.
pub(super) fn parse_tip(text: &str) -> Option<Tip> {
    let (seq, hash) = text.split_once([' ', ':'])?;
    Some(Tip {
        seq: seq.parse().ok()?,
        hash: hash.to_owned(),
    })
}
