//! Committing terms, beside the searches and the writes.

use super::{Failure, IndexOptions, Shared, State, bring_to_disk};
use crate::{index::IndexError, lexical::Committed};
use std::sync::atomic::Ordering;

impl State {
    /// Whether enough terms wait in memory.
    pub(super) fn needs_commit(&self, options: &IndexOptions) -> bool {
        Failure::may_try(self.uncommitted.as_ref())
            && self.lexical.waiting() >= options.commit_from.max(1)
    }
}

/// Commits until few wait.
pub(super) fn run(shared: &Shared) {
    while !shared.stop.load(Ordering::Relaxed) && shared.read().needs_commit(&shared.options) {
        let problem = commit(shared).err().map(|e| {
            tracing::error!(
                "terms were not committed: {e}; they are searched in memory, and it is tried again"
            );
            let why = format!("terms were not committed ({e}); they wait in memory");
            Failure::now(why)
        });
        let failed = problem.is_some();
        shared.write().uncommitted = problem;
        if failed {
            return;
        }
    }
}

fn commit(shared: &Shared) -> Result<(), IndexError> {
    let mut committer = shared.committer();
    let mut upto = committer.committed();
    bring_to_disk(|w| w.terms.as_ref().map(|j| j.file()), shared).map_err(|source| {
        IndexError::Io {
            path: shared.folder.clone().unwrap_or_default(),
            doing: "flushed",
            source,
        }
    })?;
    let (waiting, known) = {
        let mut writer = shared.writer();
        if let Some(journals) = &mut writer.terms {
            upto.journal = journals.rotate()?;
        }
        let mut state = shared.write();
        upto.seq = state.seq;
        state.lexical.close()
    };
    committer.commit(&waiting, upto)?;
    drop(waiting);
    let segments = committer.read(&known)?;
    let writer = shared.writer();
    // Nobody writes now; searches go on until the very last step.
    let prepared = {
        let state = shared.read();
        state.lexical.prepare(segments, &state.slots)
    };
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(e) => {
            shared.write().broken = Some(e.to_string());
            return Err(e);
        }
    };
    shared.write().lexical.install(prepared);
    let Committed { journal, .. } = committer.committed();
    if let Some(journals) = &writer.terms {
        journals.tidy(journal);
    }
    Ok(())
}
