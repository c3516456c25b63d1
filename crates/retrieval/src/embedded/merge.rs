//! Sealing and merging: graphs over what has none, beside the searches and the writes.

use super::{
    Failure, IndexOptions, Shared, State, Writer, bring_to_disk,
    files::{Inventory, JOURNAL, Manifest, journal_path, segment_name, sync},
    load::listed,
};
use crate::{
    dense::{Body, BuildError, End, NOWHERE, Part, Record, Rows, Segment, SegmentWriter},
    index::IndexError,
    journal::{Content, Journal},
    slots::{Place, Slot},
};
use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

/// A sealed part with more than one dead row in so many is merged anew.
const DEAD: usize = 3;
/// One waits where this many have graphs …
const WAITING: usize = 16;
/// … but no more than so many times the least.
const MOST_WAITING: usize = 4;

/// How far threads that build graphs step back: where all cores are busy they get about a third of what
/// others get (335 of 1,024 shares), enough to come to an end.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// One record of a segment to be.
struct Member {
    slot: Slot,
    /// Where it was taken from; taken in only if it is still there.
    place: Place,
    rows: u32,
    record: Record,
}

/// What is to be sealed into one segment.
struct Job {
    epoch: u64,
    /// The parts it is made of. They are closed, so they can be read without a lock.
    bodies: Vec<(u32, Body)>,
    members: Vec<Member>,
    files: Option<JobFiles>,
}

/// How the segment is put on disk.
struct JobFiles {
    folder: PathBuf,
    name: String,
    /// Up to where the journals are in the segments then.
    end: End,
}

/// Why a segment was not sealed.
#[derive(Debug, thiserror::Error)]
enum SealError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{0}")]
    Index(#[from] IndexError),
    #[error("a file cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// Seals until there is nothing to seal.
pub(super) fn run(shared: &Shared) {
    while !shared.stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let sealed = match gather(shared) {
            Ok(None) => return,
            Ok(Some(job)) => seal(shared, job),
            Err(e) => Err(e),
        };
        match sealed {
            Ok(rows) => {
                shared.write().unmerged = None;
                give_back();
                tracing::info!(
                    rows,
                    seconds = began.elapsed().as_secs_f64(),
                    "sealed a segment"
                );
            }
            Err(SealError::Build(BuildError::Stopped)) => return,
            Err(e) => {
                tracing::error!(
                    "a graph was not built: {e}; vectors are read one by one, and it is tried again"
                );
                let why = format!("a graph was not built ({e}); vectors are read one by one");
                shared.write().unmerged = Some(Failure::now(why));
                return;
            }
        }
    }
}

/// Gives what is free in the heap back to the system. A graph is built of gigabytes in small pieces, which the
/// heap would keep: of 4,000 records of five passages two thirds of what the process held.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes no pointers and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

impl State {
    /// Whether some vectors should get a graph.
    pub(super) fn needs_merge(&self, options: &IndexOptions) -> bool {
        Failure::may_try(self.unmerged.as_ref()) && !self.chosen_parts(options).is_empty()
    }

    /// Whether the part that grows has as many passages as one graph may have, and should be closed; never
    /// where no graph is built.
    pub(super) fn needs_end(&self, options: &IndexOptions) -> bool {
        Failure::may_try(self.unended.as_ref()) && self.is_full(options)
    }

    fn is_full(&self, options: &IndexOptions) -> bool {
        let full = |p: &Part| p.live_rows() >= options.seal_most.max(1);
        options.exact_below < usize::MAX && self.dense.growing().is_some_and(full)
    }

    /// The parts to be merged into one, none when there is nothing to do: those that have no graph, the
    /// oldest first, those with many dead, and then, as in a log-structured tree, those that are not much
    /// larger than what is merged already, so that a row is merged a number of times that grows with the
    /// logarithm of the whole. Together they have as many passages as one graph may have; only what cannot be
    /// parted has more: the first, and one with many dead beside the little that waits.
    fn chosen_parts(&self, options: &IndexOptions) -> Vec<u32> {
        let (raw, mut sealed): (Vec<&Part>, Vec<&Part>) =
            self.dense.parts().iter().partition(|p| p.is_raw());
        let waiting: usize = raw.iter().map(|p| p.live_rows()).sum();
        let with_graph: usize = sealed.iter().map(|p| p.live_rows()).sum();
        if waiting + with_graph < options.exact_below {
            return Vec::new();
        }
        let least = options.seal_from.max(1);
        let limit = (with_graph / WAITING).clamp(least, least.saturating_mul(MOST_WAITING));
        let worn = |p: &&Part| {
            (p.rows() - p.live_rows()) * DEAD > p.rows() || p.lacks_graph(&options.graph)
        };
        if waiting < limit && !sealed.iter().any(worn) {
            return Vec::new();
        }
        let mut chosen: Vec<u32> = Vec::new();
        let mut rows = 0;
        let fits = |rows: usize, p: &Part| rows + p.live_rows() <= options.seal_most;
        // Those that waited longest, and none past one that does not fit: what is sealed ends with a journal.
        for p in raw {
            if !chosen.is_empty() && !fits(rows, p) {
                break;
            }
            chosen.push(p.id);
            rows += p.live_rows();
        }
        sealed.sort_by_key(|p| (!worn(p), p.live_rows()));
        // One that is worn comes in whether it fits or not where little waits: else it would wait for ever.
        let mut room = waiting < limit;
        for p in sealed {
            let forced = std::mem::take(&mut room) && worn(&p);
            if forced || fits(rows, p) && (worn(&p) || p.live_rows() <= rows * 2) {
                chosen.push(p.id);
                rows += p.live_rows();
            }
        }
        chosen
    }
}

/// Ends the part that grows where it is full, and with it its journal. A thread of its own does it: what was
/// written goes to disk first, and meanwhile others write on.
pub(super) fn end(shared: &Shared) {
    let ended = bring_to_disk(|w| w.files.as_ref().map(|f| f.journal.file()), shared);
    let ended = ended.map_err(SealError::from).and_then(|()| {
        let mut writer = shared.writer();
        if shared.read().is_full(&shared.options) {
            close(shared, &mut writer)?;
        }
        Ok(())
    });
    let failed = ended.err().map(|e| {
        tracing::error!("a journal was not ended: {e}; it grows, and it is tried again");
        Failure::now(format!("a journal was not ended ({e}); it grows"))
    });
    shared.write().unended = failed;
}

/// Closes the part that grows, and begins a journal for what comes after.
fn close(shared: &Shared, writer: &mut Writer) -> Result<(), SealError> {
    let mut journal = 0;
    if let (Some(folder), Some(open)) = (&shared.folder, &mut writer.files) {
        let last = folder.join(JOURNAL);
        // With nothing in it the one before is the last: whoever opens and closes an index again
        // and again leaves no trail of empty journals.
        if !open.journal.is_empty() {
            // The open journal keeps its file, under the new name: should the next step fail,
            // writes still go where loading looks for them.
            // Should the machine lose power, a later journal must not stand behind a torn one.
            open.journal.sync()?;
            // It has its number already where the next step failed before.
            if last.try_exists()? {
                std::fs::rename(&last, journal_path(folder, open.next))?;
                open.last = open.next;
                open.next += 1;
            }
            open.journal = Journal::create(&last, &shared.shape, Content::Vectors)?;
        }
        journal = open.last;
    }
    let mut state = shared.write();
    let seq = state.seq;
    state.dense.close(End { journal, seq });
    state.unended = None;
    Ok(())
}

/// Closes what is to be sealed.
fn gather(shared: &Shared) -> Result<Option<Job>, SealError> {
    if shared.read().chosen_parts(&shared.options).is_empty() {
        return Ok(None);
    }
    bring_to_disk(|w| w.files.as_ref().map(|f| f.journal.file()), shared)?;
    let mut writer = shared.writer();
    let parts = shared.read().chosen_parts(&shared.options);
    if parts.is_empty() {
        return Ok(None);
    }
    let waits = |p: &Part| p.is_raw() && !parts.contains(&p.id);
    let others = shared.read().dense.parts().iter().any(waits);
    if !others {
        close(shared, &mut writer)?;
    }
    let state = shared.read();
    let mut files = None;
    if let (Some(folder), Some(open)) = (&shared.folder, &mut writer.files) {
        let now = End {
            journal: open.last,
            seq: state.seq,
        };
        // Where others still wait, what is sealed ends before them.
        let all = state.dense.parts().iter();
        let sealed = all.filter(|p| p.is_raw()).map_while(|p| {
            let sealed = parts.contains(&p.id);
            sealed.then_some(p.end)
        });
        let end = match sealed.last().flatten() {
            Some(end) => end,
            // Cannot be: the oldest that waits is always chosen, and only the last has no end.
            None if others => return Ok(None),
            None => now,
        };
        files = Some(JobFiles {
            folder: folder.clone(),
            name: segment_name(open.next),
            end,
        });
        open.next += 1;
    }
    let mut job = Job {
        epoch: state.epoch,
        bodies: Vec::new(),
        members: Vec::new(),
        files,
    };
    for part in state.dense.parts().iter().filter(|p| parts.contains(&p.id)) {
        job.bodies.push((part.id, part.body.clone()));
        let living = part
            .slots
            .iter()
            .enumerate()
            .filter(|(_, s)| **s != NOWHERE);
        for (record, &slot) in living {
            let Some(held) = state.slots.get(slot) else {
                continue;
            };
            job.members.push(Member {
                slot,
                place: Place {
                    part: part.id,
                    record: record as u32,
                },
                rows: held.passages,
                record: Record {
                    key: held.key,
                    facets: Arc::clone(&held.facets),
                    mean_norm: held.mean_norm,
                },
            });
        }
    }
    Ok(Some(job))
}

impl Job {
    /// The vectors of each member, in order.
    fn vectors(&self, dim: usize) -> impl Iterator<Item = &[f32]> {
        self.members.iter().map(move |m| {
            let body = self.bodies.iter().find(|b| b.0 == m.place.part);
            body.map_or(&[] as &[f32], |b| b.1.vectors(m.place.record, dim))
        })
    }

    fn starts(&self) -> Vec<u32> {
        let mut at = 0;
        let ends = self.members.iter().map(|m| {
            at += m.rows;
            at
        });
        std::iter::once(0).chain(ends).collect()
    }
}

/// Builds the segment, puts it on disk, and puts it in the place of the parts it was made of.
fn seal(shared: &Shared, mut job: Job) -> Result<usize, SealError> {
    let (options, dim) = (&shared.options, shared.shape.dim);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.max(1))
        .thread_name(|i| format!("queqiao-graph-{i}"))
        .start_handler(|_| step_back())
        .build()
        .map_err(std::io::Error::other)?;
    let mut file = None;
    let vectors = match &job.files {
        None => {
            let count = job.members.iter().map(|m| m.rows as usize * dim).sum();
            Rows::owned(count, job.vectors(dim).flatten().copied())?
        }
        Some(f) => {
            let path = f.folder.join(format!("{}.new", f.name));
            let mut writer = SegmentWriter::create(&path)?;
            let vectors = writer.vectors(job.vectors(dim))?;
            file = Some(writer);
            vectors
        }
    };
    let mut segment = Segment::code(dim, vectors, job.starts())?;
    pool.install(|| segment.connect(&options.graph, options.isa, &shared.stop))?;
    let members: Vec<(Slot, Place)> = job.members.iter().map(|m| (m.slot, m.place)).collect();
    if let (Some(writer), Some(f)) = (file, &job.files) {
        let records: Vec<Record> = job.members.drain(..).map(|m| m.record).collect();
        writer.finish(&segment, &records, &shared.shape, &f.folder.join(&f.name))?;
    }
    let rows = segment.row_count();
    let _writer = shared.writer();
    if shared.read().epoch != job.epoch {
        return Ok(0);
    }
    install(&mut shared.write(), segment, &members, &job);
    if let Some(f) = &job.files {
        sync(&f.folder)?;
        let listed = listed(&shared.read().dense);
        let manifest = Manifest::new(&shared.shape, f.end.seq, f.end.journal, listed);
        manifest.write(&f.folder)?;
        Inventory::of(&f.folder)?.tidy(&f.folder, Some(&manifest));
    }
    Ok(rows)
}

/// Lets threads that answer go before this one, where the system has a way to.
fn step_back() {
    #[cfg(target_os = "linux")]
    // Only a wish: without it the graph is built all the same.
    let _ = rustix::process::setpriority_process(None, NICE);
}

fn install(state: &mut State, segment: Segment, members: &[(Slot, Place)], job: &Job) {
    let State { slots, dense, .. } = state;
    // Whoever was replaced or deleted meanwhile is dead from the start.
    let living = |(slot, place): &(Slot, Place)| match slots.get(*slot) {
        Some(held) if held.place == *place => *slot,
        _ => NOWHERE,
    };
    let stand: Vec<Slot> = members.iter().map(living).collect();
    let file = job.files.as_ref().map(|f| f.name.clone());
    let part = dense.add(Arc::new(segment), stand.clone(), file);
    for (record, slot) in stand.iter().enumerate() {
        if let Some(held) = slots.get_mut(*slot) {
            held.place = Place {
                part,
                record: record as u32,
            };
        }
    }
    let parts: Vec<u32> = job.bodies.iter().map(|b| b.0).collect();
    dense.remove(&parts);
}
