//! How much each record has been on lists, and what came of it: features that outcomes feed.

use crate::{Engine, Error, outcomes::Stage};
use queqiao_domain::{RecordId, TenantId};
use queqiao_ranking::{Activity, Feature, Weights};
use queqiao_store::Snapshot;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Counts are read anew when they are older than this: whoever signs counts at the latest then.
const FRESH: Duration = Duration::from_secs(10);

/// Counts by record.
pub(crate) type Activities = HashMap<RecordId, Activity>;

/// The counts of each tenant, as they were last read.
#[derive(Debug, Default)]
pub(crate) struct ActivityBook(Mutex<HashMap<TenantId, (Instant, Arc<Activities>)>>);

impl Engine {
    /// What is known of who was listed and what came of it; none where no weight asks for it.
    pub(crate) fn activities(
        &self,
        tenant: &TenantId,
        weights: &Weights,
    ) -> Result<Option<Arc<Activities>>, Error> {
        let asked = [Feature::Capacity, Feature::Track, Feature::Uncrowded];
        if asked.iter().all(|f| weights.get(*f) == 0.0) {
            return Ok(None);
        }
        let known = |book: &ActivityBook| {
            let book = book.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (at, counts) = book.get(tenant)?;
            (at.elapsed() < FRESH).then(|| Arc::clone(counts))
        };
        if let Some(counts) = known(&self.activity) {
            return Ok(Some(counts));
        }
        // Read without the lock: other tenants do not wait, and who comes meanwhile reads the same.
        let counts = Arc::new(read(&self.store().snapshot()?, tenant)?);
        let mut book = self
            .activity
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        book.insert(tenant.clone(), (Instant::now(), Arc::clone(&counts)));
        Ok(Some(counts))
    }
}

fn read(snapshot: &Snapshot, tenant: &TenantId) -> Result<Activities, Error> {
    let mut counts = Activities::new();
    snapshot.each_listed(tenant, |record| {
        counts.entry(record).or_default().listed += 1;
    })?;
    let mut last = None;
    snapshot.each_outcome(tenant, |answer, record, stage| {
        let of = counts.entry(record.clone()).or_default();
        match Stage::of(stage) {
            Some(Stage::Met) => {
                of.came += 1;
                last = Some((answer.to_owned(), record));
            }
            Some(Stage::Signed) => {
                of.signed += 1;
                // Who met and signed came to something once.
                let met = last.as_ref() == Some(&(answer.to_owned(), record));
                of.came += u32::from(!met);
            }
            _ => {}
        }
    })?;
    Ok(counts)
}
