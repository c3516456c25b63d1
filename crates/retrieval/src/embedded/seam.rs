//! The index behind the seam: what is asked of any index, done by this one.

use super::{
    EmbeddedIndex, State, Writer, canary,
    load::{self, put, remove},
    search,
    worker::Worker,
};
use crate::{
    attributes::Attributes,
    index::{
        Backlog, Candidate, Capabilities, Change, Consistency, Entry, Health, Index, IndexError,
        Query, SearchResult,
    },
    lexical::Lexical,
    slots::{Slot, Slots},
};
use ndarray::Array2;
use std::{collections::HashSet, sync::Arc};

impl Index for EmbeddedIndex {
    fn apply(&self, changes: Vec<Change>, seq: u64) -> Result<(), IndexError> {
        for change in &changes {
            if let Change::Put(e) = change {
                self.shared.check(e)?;
            }
        }
        let mut writer = self.shared.writer();
        if let Some(problem) = &self.shared.read().broken {
            return Err(IndexError::Query(format!(
                "the index awaits a rebuild after a failed write ({problem})"
            )));
        }
        // Both journals are written before memory changes, while searches go on.
        let Writer { files, terms } = &mut *writer;
        if let Some(files) = files {
            files.journal.append(&changes, seq)?;
        }
        if let Some(terms) = terms
            && let Err(e) = terms.append(&changes, seq)
        {
            // Neither keeps the batch.
            if let Some(Err(undo)) = files.as_mut().map(|f| f.journal.undo()) {
                self.shared.write().broken = Some(undo.to_string());
            }
            return Err(e);
        }
        let mut guard = self.shared.write();
        let State {
            slots,
            attributes,
            dense,
            lexical,
            ..
        } = &mut *guard;
        for change in changes {
            match change {
                Change::Put(e) => {
                    let Entry {
                        key,
                        facets,
                        passages,
                        vectors,
                    } = *e;
                    put(slots, attributes, dense, key, facets, vectors.view());
                    if let Some(slot) = slots.slot_of(key) {
                        lexical.put(slot, key, &passages);
                    }
                }
                Change::Delete(key) => {
                    lexical.remove(slots.slot_of(key), key);
                    remove(slots, attributes, dense, key);
                }
            }
        }
        dense.compact(slots);
        guard.seq = seq;
        drop(guard);
        drop(writer);
        self.maintain();
        Ok(())
    }

    fn seq(&self) -> u64 {
        self.shared.read().seq
    }

    fn len(&self) -> usize {
        self.shared.read().slots.len()
    }

    fn passages(&self) -> usize {
        self.shared.read().dense.live_rows()
    }

    fn search(&self, query: &Query<'_>) -> Result<SearchResult, IndexError> {
        search::check(query, self.shared.shape.dim)?;
        let state = self.shared.read();
        if let Consistency::AtLeast(needed) = query.consistency
            && needed > state.seq
        {
            return Err(IndexError::Behind {
                needed,
                seen: state.seq,
            });
        }
        let (found, by_graph) = state.search(query, self.shared.options.exact_below)?;
        drop(state);
        if by_graph {
            canary::watch(&self.shared, query);
        }
        Ok(found)
    }

    fn alike(&self, candidates: &[&Candidate]) -> Result<Array2<f32>, IndexError> {
        let state = self.shared.read();
        let same = |c: &&Candidate| {
            let slot = state.slots.slot_of(c.key)?;
            let held = state.slots.get(slot)?;
            Arc::ptr_eq(&held.facets, &c.facets).then_some(slot)
        };
        let slots: Vec<Option<Slot>> = candidates.iter().map(same).collect();
        Ok(state.dense.alike(&state.slots, &slots))
    }

    fn clear(&self) -> Result<(), IndexError> {
        let mut committer = self.shared.committer();
        let mut writer = self.shared.writer();
        let mut state = self.shared.write();
        state.slots = Slots::default();
        state.attributes = Attributes::default();
        let (dim, folder) = (self.shared.shape.dim, self.shared.folder.as_deref());
        state.dense = self.shared.options.dense(dim, folder);
        state.seq = 0;
        state.epoch += 1;
        if let Some(folder) = &self.shared.folder {
            writer.files = Some(load::Files::create(folder, &self.shared.shape)?);
        }
        let covered = match &mut writer.terms {
            Some(terms) => terms.rotate()?,
            None => 0,
        };
        committer.clear(covered)?;
        if let Some(terms) = &writer.terms {
            terms.tidy(covered);
        }
        state.lexical = Lexical::default();
        let segments = committer.read(&HashSet::new())?;
        let prepared = state.lexical.prepare(segments, &state.slots)?;
        state.lexical.install(prepared);
        state.broken = None;
        state.unmerged = None;
        state.unended = None;
        state.uncommitted = None;
        Ok(())
    }

    fn health(&self) -> Health {
        let state = self.shared.read();
        let waits = [&state.unmerged, &state.unended, &state.uncommitted];
        let waits = waits.into_iter().flatten().next().map(|f| &f.why);
        match state.broken.as_ref().or(waits) {
            None => Health::Serving,
            Some(problem) => Health::Degraded(problem.clone()),
        }
    }

    fn backlog(&self) -> Backlog {
        let workers = [&self.graphs, &self.ends, &self.terms];
        Backlog {
            busy: workers.into_iter().any(Worker::busy),
            passages: self.shared.read().dense.raw_rows(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exact_below: self.shared.options.exact_below,
            read_your_writes: true,
            persistent: self.shared.folder.is_some(),
            lexical: true,
        }
    }
}
