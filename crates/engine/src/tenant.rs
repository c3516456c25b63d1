//! The index of each tenant: opened when first needed, kept in step with the store.

use crate::{Error, entry::TextPipeline};
use queqiao_domain::{Record, TenantId};
use queqiao_retrieval::{Change, EmbeddedIndex, Index, IndexError, Shape};
use queqiao_store::{ChangeOp, RecordKey, Since, Store, StoredRecord};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
};

/// Records embedded and indexed at a time while catching up.
const CHUNK: usize = 2_000;

/// One tenant's index, and the lock that lets one writer at a time change it.
pub(crate) struct TenantIndex {
    /// Replaced as a whole by a rebuild.
    index: RwLock<Arc<EmbeddedIndex>>,
    /// Held while the store and the index change together.
    pub(crate) writing: Mutex<()>,
    home: PathBuf,
}

impl TenantIndex {
    pub(crate) fn get(&self) -> Arc<EmbeddedIndex> {
        Arc::clone(&self.index.read().unwrap_or_else(|e| e.into_inner()))
    }
}

/// The indexes of all tenants, under one folder.
pub(crate) struct Tenants {
    folder: PathBuf,
    open: Mutex<HashMap<TenantId, Arc<TenantIndex>>>,
}

impl Tenants {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::new(HashMap::new()),
        }
    }

    /// The tenant's index if it is open. Reads use this: a tenant that was never written to has
    /// no index, and asking for it must not make one.
    pub(crate) fn find(&self, tenant: &TenantId) -> Option<Arc<TenantIndex>> {
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        open.get(tenant).map(Arc::clone)
    }

    /// The tenant's index, in step with the store; made when there is none.
    pub(crate) fn get(
        &self,
        tenant: &TenantId,
        store: &Store,
        pipeline: &TextPipeline,
    ) -> Result<Arc<TenantIndex>, Error> {
        let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(found) = open.get(tenant) {
            return Ok(Arc::clone(found));
        }
        let home = self.folder.join(folder_name(tenant));
        let shape = shape(store, pipeline);
        let index = match current(&home) {
            Some(generation) => match EmbeddedIndex::open(&home.join(generation), shape.clone()) {
                Err(e @ IndexError::Damaged { .. }) => {
                    tracing::warn!(%tenant, "{e}");
                    build(&home, tenant, store, pipeline, shape)?
                }
                other => other?,
            },
            None => build(&home, tenant, store, pipeline, shape)?,
        };
        let index = match catch_up(&index, tenant, store, pipeline)? {
            true => index,
            false => build(&home, tenant, store, pipeline, index.shape().clone())?,
        };
        let made = Arc::new(TenantIndex {
            index: RwLock::new(Arc::new(index)),
            writing: Mutex::new(()),
            home,
        });
        open.insert(tenant.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// Builds the tenant's index anew from the store. Searches go on in the old one meanwhile;
    /// writes wait.
    pub(crate) fn rebuild(
        &self,
        tenant: &TenantId,
        store: &Store,
        pipeline: &TextPipeline,
    ) -> Result<(), Error> {
        let held = self.get(tenant, store, pipeline)?;
        let _writing = held.writing.lock().unwrap_or_else(|e| e.into_inner());
        self.rebuild_locked(&held, tenant, store, pipeline)
    }

    /// As [`Tenants::rebuild`], for a caller that holds `writing`.
    pub(crate) fn rebuild_locked(
        &self,
        held: &TenantIndex,
        tenant: &TenantId,
        store: &Store,
        pipeline: &TextPipeline,
    ) -> Result<(), Error> {
        let index = build(&held.home, tenant, store, pipeline, shape(store, pipeline))?;
        *held.index.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(index);
        Ok(())
    }

    /// Why some open index does not answer in full, if one does not.
    pub(crate) fn degraded(&self) -> Option<String> {
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        open.values().find_map(|t| match t.get().health() {
            queqiao_retrieval::Health::Serving => None,
            queqiao_retrieval::Health::Degraded(why) => Some(why),
        })
    }
}

/// An index is of one store, one model and one way to read text.
fn shape(store: &Store, pipeline: &TextPipeline) -> Shape {
    Shape {
        dim: pipeline.embedder.dim(),
        fingerprint: format!("{}+store{}", pipeline.fingerprint(), store.store_id()),
    }
}

/// A folder name that no tenant id can leave or share.
fn folder_name(tenant: &TenantId) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if tenant.as_str().chars().all(plain) {
        format!("t-{tenant}")
    } else {
        format!(
            "x-{}",
            &blake3::hash(tenant.as_str().as_bytes()).to_hex()[..24]
        )
    }
}

/// The generation of the index that counts.
fn current(home: &Path) -> Option<String> {
    let name = std::fs::read_to_string(home.join("CURRENT")).ok()?;
    let name = name.trim();
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())).then(|| name.to_owned())
}

/// Builds a new generation from the store, makes it current and removes the others.
fn build(
    home: &Path,
    tenant: &TenantId,
    store: &Store,
    pipeline: &TextPipeline,
    shape: Shape,
) -> Result<EmbeddedIndex, Error> {
    let io = |doing: &'static str| {
        move |source| Error::Io {
            path: home.display().to_string(),
            doing,
            source,
        }
    };
    std::fs::create_dir_all(home).map_err(io("created"))?;
    let last = current(home).and_then(|n| n.parse::<u64>().ok());
    let name = format!("{:06}", last.unwrap_or(0) + 1);
    let index = EmbeddedIndex::create(&home.join(&name), shape)?;
    let snapshot = store.snapshot()?;
    let seq = snapshot.last_seq()?;
    let mut chunk = Vec::with_capacity(CHUNK);
    for record in snapshot.scan(Some(tenant))? {
        match record {
            Ok(r) => chunk.push(r),
            // One damaged record must not keep the others from being found.
            Err(e @ queqiao_store::StoreError::DamagedRecord { .. }) => {
                tracing::error!(%tenant, "left out of the index: {e}");
            }
            Err(e) => return Err(e.into()),
        }
        if chunk.len() == CHUNK {
            put(&index, &chunk, pipeline, 0)?;
            chunk.clear();
        }
    }
    put(&index, &chunk, pipeline, seq)?;
    let temporary = home.join("CURRENT.new");
    std::fs::write(&temporary, &name).map_err(io("written"))?;
    std::fs::rename(&temporary, home.join("CURRENT")).map_err(io("written"))?;
    for entry in std::fs::read_dir(home).map_err(io("read"))?.flatten() {
        let other = entry.file_name();
        if entry.path().is_dir() && other != name.as_str() {
            // A leftover only costs space: the next build tries again.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(index)
}

fn put(
    index: &EmbeddedIndex,
    records: &[StoredRecord],
    pipeline: &TextPipeline,
    seq: u64,
) -> Result<(), Error> {
    let refs: Vec<(u64, &Record)> = records.iter().map(|r| (r.key.0, &r.record)).collect();
    let changes = pipeline
        .entries(&refs)?
        .into_iter()
        .map(|e| Change::Put(Box::new(e)))
        .collect();
    Ok(index.apply(changes, seq)?)
}

/// Takes in what the store has and the index has not. False when only a rebuild can help.
fn catch_up(
    index: &EmbeddedIndex,
    tenant: &TenantId,
    store: &Store,
    pipeline: &TextPipeline,
) -> Result<bool, Error> {
    let snapshot = store.snapshot()?;
    let changes = match snapshot.changes_since(index.seq())? {
        Since::Changes(c) => c,
        Since::Behind { .. } | Since::Ahead { .. } => return Ok(false),
    };
    let last = changes.last_seq();
    if last == index.seq() {
        return Ok(true);
    }
    let (mut keys, mut gone) = (Vec::<RecordKey>::new(), Vec::new());
    for change in changes {
        let change = change?;
        match change.op {
            ChangeOp::Upsert => keys.push(change.key),
            ChangeOp::Delete => gone.push(Change::Delete(change.key.0)),
        }
    }
    let from = index.seq();
    index.apply(gone, from)?;
    for chunk in keys.chunks(CHUNK) {
        let records: Vec<StoredRecord> = snapshot
            .get_many(chunk)?
            .into_iter()
            .flatten()
            .filter(|r| r.tenant == *tenant && r.delete_time.is_none())
            .collect();
        put(index, &records, pipeline, from)?;
    }
    index.apply(Vec::new(), last)?;
    Ok(true)
}
