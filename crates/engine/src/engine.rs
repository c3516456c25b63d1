//! The engine: one data folder, one model, any number of tenants.

use crate::{
    Artefacts, Error,
    activity::ActivityBook,
    entry::TextPipeline,
    response::Statistics,
    tenant::{TenantIndex, Tenants},
};
use queqiao_domain::{CheckLimits, Date, Kind, TenantId};
use queqiao_embed::{Embedder, ModelFingerprint};
use queqiao_ranking::{Calibration, Weights};
use queqiao_retrieval::{CanaryFigures, Index, IndexOptions, Recall};
use queqiao_store::Store;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// How an engine is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// How large a record may be.
    pub limits: CheckLimits,
    /// Weights of the scorer; none means those that the data folder adopted, or what ships.
    pub weights: Option<Weights>,
    /// Experts are matched only with a consent on record.
    pub needs_consent: bool,
    /// The file of the master key, where it is kept outside the data folder.
    pub master_key: Option<PathBuf>,
    /// Days over which changes can be undone in a backup, 0 for none. Where none is given, a history that is
    /// there goes on, and only a new folder gets one.
    pub history_days: Option<u32>,
    /// Threads that build graphs beside the answers, one set for each tenant; 0 is half of the cores.
    pub graph_threads: usize,
}

impl EngineOptions {
    /// How indexes are made and opened.
    fn index(&self) -> IndexOptions {
        let default = IndexOptions::default();
        match self.graph_threads {
            0 => default,
            threads => IndexOptions { threads, ..default },
        }
    }
}

/// The engine. Safe to share between threads; every method blocks.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) tenants: Tenants,
    /// Held while the model changes.
    changing: Mutex<()>,
    pub(crate) options: EngineOptions,
    /// The live weights.
    pub(crate) weights: Weights,
    /// What their scores mean, if that is known.
    pub(crate) calibration: Option<Calibration>,
    /// What came of whom, where weights ask for it.
    pub(crate) activity: ActivityBook,
}

impl Engine {
    /// Opens the data folder `data`, making it when it is missing, and brings the index of every
    /// tenant in step with the store.
    ///
    /// # Errors
    /// The folder is in use, is no data folder, or is damaged; an index cannot be written.
    pub fn open(
        data: &Path,
        embedder: Arc<dyn Embedder>,
        options: EngineOptions,
    ) -> Result<Self, Error> {
        let mut stored = queqiao_store::Options {
            master_key: options.master_key.clone(),
            ..queqiao_store::Options::default()
        };
        match options.history_days {
            Some(days) => stored.history_days = days,
            None => stored.begin_history = false,
        }
        let store = Store::open_with(data, &stored)?;
        let artefacts = Artefacts::of(data);
        let weights = match &options.weights {
            Some(w) => w.clone(),
            None => artefacts.weights()?,
        };
        let this = Self {
            calibration: artefacts.calibration(&weights)?,
            activity: ActivityBook::default(),
            weights,
            tenants: Tenants::new(
                data.join("index"),
                TextPipeline::new(embedder),
                options.index(),
            ),
            changing: Mutex::new(()),
            store,
            options,
        };
        for tenant in this.store.tenants()? {
            this.index(&tenant)?;
        }
        Ok(this)
    }

    /// The model that embeds the texts.
    pub fn model(&self) -> ModelFingerprint {
        self.tenants.pipeline().embedder.fingerprint().clone()
    }

    /// Embeds everything with another model, beside the indexes that answer meanwhile; each
    /// tenant's index is swapped at once, and no answer mixes the two. Returns when all are. The
    /// next start is with the model that is then given to [`open`](Self::open).
    ///
    /// # Errors
    /// A text could not be embedded, an index not be written. Tenants reached before stay
    /// with the new model, the others with the old one; asking again goes on from there.
    pub fn change_model(&self, embedder: Arc<dyn Embedder>) -> Result<(), Error> {
        let _changing = self.changing.lock().unwrap_or_else(|e| e.into_inner());
        self.tenants
            .change_pipeline(&self.store, &TextPipeline::new(embedder))
    }

    /// How the tenant's texts are read: as its index was made.
    pub(crate) fn pipeline(&self, tenant: &TenantId) -> TextPipeline {
        match self.tenants.find(tenant) {
            Some(held) => held.get().pipeline.clone(),
            None => self.tenants.pipeline(),
        }
    }

    /// The embedding model, for scores of texts that are not stored.
    pub fn embedder(&self) -> Arc<dyn Embedder> {
        self.tenants.pipeline().embedder
    }

    /// The store, to back it up or check it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Why the engine does not answer in full, if it does not.
    ///
    /// # Errors
    /// Why not, for an operator.
    pub fn health(&self) -> Result<(), String> {
        self.tenants.degraded().map_or(Ok(()), Err)
    }

    pub(crate) fn index(&self, tenant: &TenantId) -> Result<Arc<TenantIndex>, Error> {
        self.tenants.get(tenant, &self.store)
    }

    /// Figures about a tenant.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn statistics(&self, tenant: &TenantId, today: Date) -> Result<Statistics, Error> {
        let held = self.tenants.find(tenant);
        let live = held.as_ref().map(|t| t.get());
        let backlog = live.as_ref().map(|l| l.index.backlog());
        let backlog = backlog.unwrap_or_default();
        let records = Kind::ALL
            .into_iter()
            .map(|k| Ok((k, self.store.count(tenant, Some(k))?)))
            .collect::<Result<_, Error>>()?;
        Ok(Statistics {
            records,
            passages: live.as_ref().map_or(0, |l| l.index.passages()),
            pending_passages: backlog.passages,
            indexing: backlog.busy,
            store_seq: self.store.snapshot()?.tenant_seq(tenant)?,
            index_seq: held
                .zip(live.as_ref())
                .map_or(0, |(t, l)| t.own_seq(l.index.seq())),
            health: match live.as_ref().map(|l| l.index.health()) {
                None | Some(queqiao_retrieval::Health::Serving) => "serving".to_owned(),
                Some(queqiao_retrieval::Health::Degraded(why)) => why,
            },
            model: live
                .map_or_else(
                    || self.model(),
                    |l| l.pipeline.embedder.fingerprint().clone(),
                )
                .to_string(),
            day: today,
        })
    }

    /// How much of what is near the tenant's graphs find, asked `questions` questions; `None` while
    /// every record is compared. Matches and writes go on meanwhile.
    pub fn measure_recall(&self, tenant: &TenantId, questions: usize) -> Option<Recall> {
        let live = self.tenants.find(tenant)?.get();
        live.index.measure_recall(questions)
    }

    /// What a sampled share of the tenant's questions, asked once more of everyone, says of its
    /// graphs.
    pub fn canary(&self, tenant: &TenantId) -> CanaryFigures {
        let live = self.tenants.find(tenant).map(|t| t.get());
        live.map_or_else(CanaryFigures::default, |l| l.index.canary())
    }

    /// Builds the tenant's index anew from the store. Matches and writes go on meanwhile.
    ///
    /// # Errors
    /// A text could not be embedded, or the index not be written; the old index goes on answering.
    pub fn rebuild(&self, tenant: &TenantId) -> Result<(), Error> {
        let Some(held) = self.tenants.find(tenant) else {
            return Ok(());
        };
        let pipeline = held.get().pipeline.clone();
        self.tenants.rebuild(tenant, &self.store, pipeline)
    }
}
