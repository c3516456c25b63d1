//! The index of each tenant: opened when first needed, kept in step with the store.

use crate::{Error, entry::TextPipeline, numbers::Numbers};
use queqiao_domain::TenantId;
use queqiao_retrieval::{Change, EmbeddedIndex, Index, IndexError, IndexOptions, Shape};
use queqiao_store::{Applied, ChangeOp, RecordKey, Since, Store, StoredRecord};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
};

/// Records embedded and indexed at a time while catching up.
const CHUNK: usize = 2_000;

/// An index and the reading of text that made it: always taken together, so that no question is
/// read by one model and answered from another's vectors.
pub(crate) struct Live {
    pub(crate) index: EmbeddedIndex,
    pub(crate) pipeline: TextPipeline,
}

/// One tenant's index, and the lock that lets one writer at a time change it.
pub(crate) struct TenantIndex {
    /// Replaced as a whole by a rebuild.
    live: RwLock<Arc<Live>>,
    /// Held while the store changes and the index's changes are put in line. Always taken before `taking`.
    pub(crate) writing: Mutex<()>,
    /// What is in the store and not yet in the index.
    line: Mutex<Line>,
    /// What the tenant is told in place of the store's numbers.
    numbers: Mutex<Numbers>,
    /// Held while the index takes what is in line. True where it did not take some of it: only a rebuild
    /// helps then.
    taking: Mutex<bool>,
    /// Held while a new index is built beside the one that answers.
    building: Mutex<()>,
    home: PathBuf,
}

/// Changes in the order of the store.
#[derive(Default)]
struct Line {
    changes: Vec<Change>,
    /// The sequence number of the last.
    seq: u64,
}

impl TenantIndex {
    /// Puts changes of a batch in line, for a caller that holds `writing`.
    pub(crate) fn put_in_line(&self, changes: Vec<Change>, applied: &Applied) {
        let mut numbers = self.numbers.lock().unwrap_or_else(|e| e.into_inner());
        numbers.add(applied.seq, applied.tenant_seq);
        drop(numbers);
        let mut line = self.line.lock().unwrap_or_else(|e| e.into_inner());
        line.changes.extend(changes);
        line.seq = applied.seq;
    }

    /// Has the index take all that was put in line before, and answers when the next search sees it. Those
    /// who come while it is busy are taken together: a change waits until the searches that go on have ended,
    /// and who comes to search meanwhile waits for the change, so that many changes one by one would have
    /// searches stand still most of the time.
    ///
    /// False where the index did not take it, or something before it: it takes nothing more then, so that it
    /// never says that it has seen what it has not, and catches up after a restart.
    pub(crate) fn take_line(&self, tenant: &TenantId) -> bool {
        let mut lost = self.taking.lock().unwrap_or_else(|e| e.into_inner());
        let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(|e| e.into_inner()));
        if *lost || line.changes.is_empty() {
            return !*lost;
        }
        // Should it panic, the changes of others are lost with this one's.
        *lost = true;
        match self.get().index.apply(line.changes, line.seq) {
            Ok(()) => *lost = false,
            Err(e) => {
                tracing::error!(%tenant, "the index did not take a batch and is rebuilt: {e}");
            }
        }
        !*lost
    }

    /// The tenant's own number where the index has seen the store up to `seq`.
    pub(crate) fn own_seq(&self, seq: u64) -> u64 {
        let numbers = self.numbers.lock().unwrap_or_else(|e| e.into_inner());
        numbers.own(seq)
    }

    pub(crate) fn get(&self) -> Arc<Live> {
        Arc::clone(&self.live.read().unwrap_or_else(|e| e.into_inner()))
    }

    /// Puts an index that has all of the store in the place of the one before, for a caller that holds
    /// `writing` and `taking`.
    fn replace_whole(&self, live: Live, lost: &mut bool) {
        *self.live.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(live);
        *self.line.lock().unwrap_or_else(|e| e.into_inner()) = Line::default();
        *lost = false;
    }
}

/// The indexes of all tenants, under one folder.
pub(crate) struct Tenants {
    folder: PathBuf,
    index: IndexOptions,
    open: Mutex<HashMap<TenantId, Arc<TenantIndex>>>,
    /// How a tenant without an index reads text.
    pipeline: RwLock<TextPipeline>,
}

impl Tenants {
    pub(crate) fn new(folder: PathBuf, pipeline: TextPipeline, index: IndexOptions) -> Self {
        Self {
            folder,
            index,
            open: Mutex::new(HashMap::new()),
            pipeline: RwLock::new(pipeline),
        }
    }

    /// How new tenants read text.
    pub(crate) fn pipeline(&self) -> TextPipeline {
        self.pipeline
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }

    /// The tenant's index if it is open. Reads use this: a tenant that was never written to has
    /// no index, and asking for it must not make one.
    pub(crate) fn find(&self, tenant: &TenantId) -> Option<Arc<TenantIndex>> {
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        open.get(tenant).map(Arc::clone)
    }

    /// The next generation of a tenant's index.
    fn build(
        &self,
        home: &Path,
        tenant: &TenantId,
        store: &Store,
        pipeline: TextPipeline,
    ) -> Result<Generation, Error> {
        Generation::build(home, tenant, store, pipeline, self.index.clone())
    }

    /// The tenant's index, in step with the store; made when there is none.
    pub(crate) fn get(&self, tenant: &TenantId, store: &Store) -> Result<Arc<TenantIndex>, Error> {
        let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(found) = open.get(tenant) {
            return Ok(Arc::clone(found));
        }
        let home = self.folder.join(folder_name(tenant));
        let pipeline = self.pipeline();
        let found = match current(&home) {
            Some(name) => {
                let shape = shape(store, &pipeline);
                match EmbeddedIndex::open_with(&home.join(name), shape, self.index.clone()) {
                    Err(e @ IndexError::Damaged { .. }) => {
                        tracing::warn!(%tenant, "{e}");
                        None
                    }
                    other => Some(Live {
                        index: other?,
                        pipeline: pipeline.clone(),
                    }),
                }
            }
            None => None,
        };
        let live = match found {
            Some(live) if catch_up(&live, tenant, store)? => live,
            _ => {
                let generation = self.build(&home, tenant, store, pipeline)?;
                generation.make_current(&home)?
            }
        };
        // Whoever writes for the tenant waits for its index.
        let own = store.snapshot()?.tenant_seq(tenant)?;
        let made = Arc::new(TenantIndex {
            numbers: Mutex::new(Numbers::new(live.index.seq(), own)),
            live: RwLock::new(Arc::new(live)),
            writing: Mutex::new(()),
            line: Mutex::default(),
            taking: Mutex::new(false),
            building: Mutex::new(()),
            home,
        });
        open.insert(tenant.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// From which sequence number of the store the files of the tenant's index were written; none when
    /// there is no index. A generation that does not say is of the store's beginning.
    pub(crate) fn built_from(&self, tenant: &TenantId) -> Result<Option<u64>, Error> {
        let home = self.folder.join(folder_name(tenant));
        Ok(current(&home).map(|name| {
            let text = std::fs::read_to_string(home.join(format!("{name}.built")));
            text.ok().and_then(|t| t.trim().parse().ok()).unwrap_or(0)
        }))
    }

    /// Builds the tenant's index anew from the store. Searches and writes go on meanwhile; writes
    /// wait only while the last ones are taken over.
    pub(crate) fn rebuild(
        &self,
        tenant: &TenantId,
        store: &Store,
        pipeline: TextPipeline,
    ) -> Result<(), Error> {
        let held = self.get(tenant, store)?;
        let _building = held.building.lock().unwrap_or_else(|e| e.into_inner());
        let beside = self.build(&held.home, tenant, store, pipeline.clone())?;
        // Most of what was written meanwhile, while writing goes on …
        let mut in_step = catch_up(&beside.live, tenant, store)?;
        let _writing = held.writing.lock().unwrap_or_else(|e| e.into_inner());
        let mut lost = held.taking.lock().unwrap_or_else(|e| e.into_inner());
        // … and the rest, while it waits.
        in_step = in_step && catch_up(&beside.live, tenant, store)?;
        let beside = if in_step {
            beside
        } else {
            self.build(&held.home, tenant, store, pipeline)?
        };
        held.replace_whole(beside.make_current(&held.home)?, &mut lost);
        Ok(())
    }

    /// Builds the tenant's index anew where it did not take what was in line; writes wait meanwhile.
    pub(crate) fn rebuild_lost(
        &self,
        held: &TenantIndex,
        tenant: &TenantId,
        store: &Store,
    ) -> Result<(), Error> {
        // Another that is being built beside may do as well.
        let _building = held.building.lock().unwrap_or_else(|e| e.into_inner());
        let _writing = held.writing.lock().unwrap_or_else(|e| e.into_inner());
        let mut lost = held.taking.lock().unwrap_or_else(|e| e.into_inner());
        if *lost {
            let pipeline = held.get().pipeline.clone();
            let generation = self.build(&held.home, tenant, store, pipeline)?;
            held.replace_whole(generation.make_current(&held.home)?, &mut lost);
        }
        Ok(())
    }

    /// Gives every tenant an index of another reading of text, one after the other, each beside
    /// the index that answers meanwhile. After an error those that were reached keep the new one.
    pub(crate) fn change_pipeline(
        &self,
        store: &Store,
        pipeline: &TextPipeline,
    ) -> Result<(), Error> {
        let fingerprint = pipeline.fingerprint();
        let change = |tenants: Vec<TenantId>| {
            tenants.iter().try_for_each(|tenant| {
                match self.get(tenant, store)?.get().pipeline.fingerprint() == fingerprint {
                    true => Ok(()),
                    false => self.rebuild(tenant, store, pipeline.clone()),
                }
            })
        };
        change(store.tenants()?)?;
        *self.pipeline.write().unwrap_or_else(|e| e.into_inner()) = pipeline.clone();
        // Whoever was first written to in between.
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        let names = open.keys().cloned().collect();
        drop(open);
        change(names)
    }

    /// Why some open index does not answer in full, if one does not.
    pub(crate) fn degraded(&self) -> Option<String> {
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        open.values().find_map(|t| match t.get().index.health() {
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

/// An index made from the store that is not the current one yet.
struct Generation {
    name: String,
    live: Live,
}

impl Generation {
    /// Makes the next generation from a snapshot of the store.
    fn build(
        home: &Path,
        tenant: &TenantId,
        store: &Store,
        pipeline: TextPipeline,
        options: IndexOptions,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(home).map_err(io(home, "created"))?;
        // What an interrupted build left is in the way of no one: the number is not used again.
        let last = std::fs::read_dir(home)
            .map_err(io(home, "read"))?
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok())
            .max();
        let name = format!("{:06}", last.unwrap_or(0) + 1);
        let shape = shape(store, &pipeline);
        let index = EmbeddedIndex::create_with(&home.join(&name), shape, options)?;
        let live = Live { index, pipeline };
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
                live.put(&chunk, 0)?;
                chunk.clear();
            }
        }
        live.put(&chunk, seq)?;
        let built = home.join(format!("{name}.built"));
        std::fs::write(&built, seq.to_string()).map_err(io(home, "written"))?;
        Ok(Self { name, live })
    }

    /// Makes it the one that counts and removes the others.
    fn make_current(self, home: &Path) -> Result<Live, Error> {
        let temporary = home.join("CURRENT.new");
        std::fs::write(&temporary, &self.name).map_err(io(home, "written"))?;
        std::fs::rename(&temporary, home.join("CURRENT")).map_err(io(home, "written"))?;
        for entry in std::fs::read_dir(home).map_err(io(home, "read"))?.flatten() {
            let other = entry.file_name();
            let built = std::path::Path::new(&other)
                .extension()
                .is_some_and(|e| e == "built");
            if built && other != format!("{}.built", self.name).as_str() {
                let _ = std::fs::remove_file(entry.path());
            }
            if entry.path().is_dir() && other != self.name.as_str() {
                // A leftover only costs space: the next build tries again.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        Ok(self.live)
    }
}

fn io(home: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = home.display().to_string();
    move |source| Error::Io {
        path,
        doing,
        source,
    }
}

impl Live {
    fn put(&self, records: &[StoredRecord], seq: u64) -> Result<(), Error> {
        let entries = self.pipeline.stored_entries(records)?;
        let changes = entries
            .into_iter()
            .map(|e| Change::Put(Box::new(e)))
            .collect();
        Ok(self.index.apply(changes, seq)?)
    }
}

/// Takes in what the store has and the index has not. False when only a rebuild can help.
fn catch_up(live: &Live, tenant: &TenantId, store: &Store) -> Result<bool, Error> {
    let index = &live.index;
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
        live.put(&records, from)?;
    }
    index.apply(Vec::new(), last)?;
    Ok(true)
}
