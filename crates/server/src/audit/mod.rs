//! The audit trail: who did what to what, when, and how it ended.
//!
//! Purpose: an operator can show later what happened, and see whether somebody changed the record of it.
//! Invariant: lines are only ever added; each holds the hash of the one before, so a line that is
//! changed, removed or put in shows. It holds names, never contents or keys. Whoever can write the folder
//! can write the whole trail anew: keep what `queqiao audit verify` prints (number and hash of the last
//! line) elsewhere, and give it to the next `verify --head`.

mod entry;
mod error;
mod folder;
mod naming;
mod verify;

pub use entry::Event;
pub use error::AuditError;
pub(crate) use naming::lines_naming;
pub use verify::{AuditReport, verify};

use entry::Tip;
use folder::io_error;
use jiff::{Timestamp, ToSpan};
use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Where the trail is and how long it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditConfig {
    /// Its folder.
    pub folder: PathBuf,
    /// A file that has grown to this many bytes is followed by another.
    pub max_bytes: u64,
    /// Files whose last line is older than this many days are removed. At least 183: the law on
    /// network security (网络安全法 第二十一条) asks for six months.
    pub keep_days: u32,
    /// Reads and matches, too, not only changes, refusals and contacts.
    pub reads: bool,
}

impl AuditConfig {
    /// Where the trail of a data folder is.
    pub fn folder_in(data: &Path) -> PathBuf {
        data.join("audit")
    }

    /// A trail in a folder, with the usual sizes.
    pub fn new(folder: PathBuf) -> Self {
        AuditConfig {
            folder,
            max_bytes: 64 << 20,
            keep_days: 200,
            reads: false,
        }
    }
}

/// Writes a trail. Several processes may, at the same time.
#[derive(Debug)]
pub struct Trail {
    config: AuditConfig,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    /// Held by whoever writes.
    lock: File,
    head: File,
    number: u32,
    file: File,
    /// As far as this process knows.
    length: u64,
    tip: Tip,
    dirty: bool,
}

impl Trail {
    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.config.folder
    }

    /// Opens the trail, making it where there is none.
    ///
    /// # Errors
    /// The folder cannot be written; its last line is not as it was written.
    pub fn open(config: AuditConfig) -> Result<Self, AuditError> {
        let dir = &config.folder;
        fs::create_dir_all(dir).map_err(io_error("making", dir))?;
        let lock_path = dir.join("lock");
        let lock = folder::private(&lock_path).map_err(io_error("opening", &lock_path))?;
        lock.lock().map_err(io_error("locking", &lock_path))?;
        let head_path = folder::head_path(dir);
        let head = folder::private(&head_path).map_err(io_error("opening", &head_path))?;
        let number = folder::numbers(dir)?.last().copied().unwrap_or(1);
        let (file, length, tip, torn) = last(dir, number)?;
        let mut open = Open {
            lock,
            head,
            number,
            file,
            length,
            tip,
            dirty: false,
        };
        let mut found = Vec::new();
        if torn > 0 {
            found.push(format!("{torn} bytes of a line that was never finished"));
        }
        // Lines of the last second may go with the power; so may those that somebody cut off.
        if let Some(head) = folder::read_head(dir)?.filter(|h| h.seq > open.tip.seq) {
            let (from, to) = (open.tip.seq + 1, head.seq);
            found.push(format!("lines {from} to {to} are missing"));
        }
        if !found.is_empty() {
            let event = Event {
                subject: "operator".to_owned(),
                action: verify::REPAIR.to_owned(),
                objects: found,
                result: "OK".to_owned(),
                ..Event::default()
            };
            add(&mut open, dir, event)?;
        }
        prune(&mut open, &config)?;
        open.lock
            .unlock()
            .map_err(io_error("unlocking", &lock_path))?;
        Ok(Trail {
            config,
            open: Mutex::new(open),
        })
    }

    /// Adds a line. With `durable` it is on disk when this returns; else within a second, as long as
    /// somebody calls [`sync`](Self::sync).
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&self, event: Event, durable: bool) -> Result<(), AuditError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = &self.config.folder;
        open.lock.lock().map_err(io_error("locking", dir))?;
        let done = self.add_locked(&mut open, event, durable);
        let _ = open.lock.unlock();
        done
    }

    fn add_locked(&self, open: &mut Open, event: Event, durable: bool) -> Result<(), AuditError> {
        let dir = &self.config.folder;
        self.catch_up(open)?;
        if open.length >= self.config.max_bytes {
            open.file.sync_data().map_err(io_error("syncing", dir))?;
            open.number += 1;
            let path = folder::file(dir, open.number);
            open.file = folder::private(&path).map_err(io_error("making", &path))?;
            open.length = 0;
            prune(open, &self.config)?;
        }
        add(open, dir, event)?;
        if durable {
            open.file.sync_data().map_err(io_error("syncing", dir))?;
            open.dirty = false;
        }
        Ok(())
    }

    /// Another process may have added lines since.
    fn catch_up(&self, open: &mut Open) -> Result<(), AuditError> {
        let dir = &self.config.folder;
        let path = folder::file(dir, open.number);
        let length = open
            .file
            .metadata()
            .map_err(io_error("measuring", &path))?
            .len();
        let next = folder::file(dir, open.number + 1);
        if length == open.length && !next.exists() {
            return Ok(());
        }
        let number = folder::numbers(dir)?.last().copied().unwrap_or(open.number);
        let (file, length, tip, _) = last(dir, number)?;
        (open.number, open.file, open.length, open.tip) = (number, file, length, tip);
        Ok(())
    }

    /// Makes durable what was added.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync(&self) -> Result<(), AuditError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut open.dirty) {
            let path = folder::file(&self.config.folder, open.number);
            open.file.sync_data().map_err(io_error("syncing", &path))?;
        }
        Ok(())
    }

    /// Whether reads are to be added, too.
    pub(crate) fn wants_reads(&self) -> bool {
        self.config.reads
    }
}

/// The last file, its length, the tip of its chain, and the bytes of an unfinished line that were cut.
fn last(dir: &Path, number: u32) -> Result<(File, u64, Tip, u64), AuditError> {
    let path = folder::file(dir, number);
    let mut file = folder::private(&path).map_err(io_error("opening", &path))?;
    let mut torn = 0;
    loop {
        let read = folder::last_line(&mut file).map_err(io_error("reading", &path))?;
        let (line, ended, length) = read;
        if !ended && !line.is_empty() {
            // Written by half when the power went: nobody was told that it is there.
            torn += line.len() as u64;
            file.set_len(length - line.len() as u64)
                .map_err(io_error("repairing", &path))?;
            continue;
        }
        if line.is_empty() && length == 0 {
            // A new file goes on where the one before ended.
            let before = folder::numbers(dir)?.into_iter().rfind(|n| *n < number);
            let tip = match before {
                Some(n) => last(dir, n)?.2,
                None => Tip::beginning(),
            };
            return Ok((file, 0, tip, torn));
        }
        let text = String::from_utf8_lossy(&line);
        let Some((_, tip)) = entry::read(&text) else {
            return Err(verify::changed(&path, 0));
        };
        return Ok((file, length, tip, torn));
    }
}

fn add(open: &mut Open, dir: &Path, event: Event) -> Result<(), AuditError> {
    let path = folder::file(dir, open.number);
    let (text, tip) = entry::write(event, Timestamp::now(), &open.tip)
        .map_err(|e| io_error("writing", &path)(e.into()))?;
    let written = open
        .file
        .seek(SeekFrom::Start(open.length))
        .and_then(|_| open.file.write_all(text.as_bytes()));
    if let Err(e) = written {
        // Half a line would be taken for a changed one.
        let _ = open.file.set_len(open.length);
        return Err(io_error("writing", &path)(e));
    }
    open.length += text.len() as u64;
    open.tip = tip;
    open.dirty = true;
    folder::write_head(&mut open.head, &open.tip).map_err(io_error("writing", dir))
}

/// Removes files that are older than is asked for, and says so in the trail.
fn prune(open: &mut Open, config: &AuditConfig) -> Result<(), AuditError> {
    let dir = &config.folder;
    let hours = i64::from(config.keep_days) * 24;
    let Ok(oldest) = Timestamp::now().checked_sub(hours.hours()) else {
        return Ok(());
    };
    for number in folder::numbers(dir)? {
        let path = folder::file(dir, number);
        let old = number < open.number
            && fs::metadata(&path)
                .and_then(|m| m.modified())
                .is_ok_and(|m| Timestamp::try_from(m).is_ok_and(|m| m < oldest));
        if !old {
            break;
        }
        let (_, _, tip, _) = last(dir, number)?;
        // First said, then done: a file that is gone is always accounted for.
        let event = Event {
            subject: "operator".to_owned(),
            action: verify::PRUNE.to_owned(),
            objects: vec![format!("{} {}", tip.seq, tip.hash)],
            result: "OK".to_owned(),
            ..Event::default()
        };
        add(open, dir, event)?;
        open.file.sync_data().map_err(io_error("syncing", dir))?;
        fs::remove_file(&path).map_err(io_error("removing", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
