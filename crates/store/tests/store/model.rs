//! The store against a `BTreeMap`.

use crate::fixtures::*;
use proptest::{collection::vec, prelude::*};
use queqiao_domain::{Kind, RecordId, TenantId};
use queqiao_store::{
    Batch, Cause, ChangeOp, Etag, ListQuery, Options, Outcome, RequestId, Since, Store, StoreError,
    Write,
};
use std::collections::BTreeMap;

const IDS: u8 = 6;
const KINDS: [Kind; 2] = [Kind::Need, Kind::Expert];
const DAY: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone)]
enum Step {
    Apply {
        tenant: bool,
        writes: Vec<Do>,
        /// Repeats the request just done, too.
        retry: bool,
    },
    Trim(u64),
    /// Days pass, and what is due is purged.
    Purge(i64),
    Reopen,
}

#[derive(Debug, Clone)]
struct Do {
    id: u8,
    kind: bool,
    title: u8,
    /// None, the right one, a wrong one.
    etag: u8,
    op: u8,
}

fn write() -> impl Strategy<Value = Do> {
    (
        0..IDS,
        prop::bool::weighted(0.15),
        0u8..3,
        prop_oneof![5 => Just(0u8), 2 => Just(1), 1 => Just(2)],
        0u8..10,
    )
        .prop_map(|(id, kind, title, etag, op)| Do {
            id,
            kind,
            title,
            etag,
            op,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (prop::bool::weighted(0.2), vec(write(), 1..4), prop::bool::weighted(0.2))
            .prop_map(|(tenant, writes, retry)| Step::Apply { tenant, writes, retry }),
        1 => (0u64..60).prop_map(Step::Trim),
        1 => (0i64..40).prop_map(Step::Purge),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    key: u64,
    seq: u64,
    kind: Kind,
    title: String,
    etag: Etag,
    created: i64,
    updated: i64,
    deleted: Option<i64>,
}

/// Key, sequence number, outcome.
type Done = (u64, u64, Outcome);

#[derive(Default, Clone)]
struct Model {
    rows: BTreeMap<(TenantId, RecordId), Row>,
    /// Key → last change, erased records included.
    changes: BTreeMap<u64, (u64, ChangeOp)>,
    next_key: u64,
    seq: u64,
    trimmed: u64,
}

impl Model {
    fn change(&mut self, key: u64, op: ChangeOp) -> u64 {
        self.seq += 1;
        self.changes.insert(key, (self.seq, op));
        self.seq
    }

    fn write(&mut self, tenant: &TenantId, w: &Write, now: i64) -> Result<Done, Cause> {
        let at = (tenant.clone(), w.id().clone());
        let (kind, expect, title) = match w {
            Write::Upsert {
                record,
                expect_etag,
            } => (
                Some(record.get().kind()),
                *expect_etag,
                record.get().title.clone(),
            ),
            Write::Create { record } => {
                (Some(record.get().kind()), None, record.get().title.clone())
            }
            Write::Delete {
                kind, expect_etag, ..
            } => (*kind, *expect_etag, String::new()),
            Write::Undelete { kind, .. } | Write::Erase { kind, .. } => {
                (*kind, None, String::new())
            }
        };
        let Some(mut row) = self.rows.get(&at).cloned() else {
            let (Write::Upsert { .. } | Write::Create { .. }, Some(kind)) = (w, kind) else {
                return Err(Cause::NotFound);
            };
            if let Some(given) = expect {
                return Err(Cause::StaleEtag {
                    given,
                    current: None,
                });
            }
            let key = self.next_key;
            self.next_key += 1;
            let seq = self.change(key, ChangeOp::Upsert);
            let etag = etag(w.id(), kind, &title);
            let row = Row {
                key,
                seq,
                kind,
                title,
                etag,
                created: now,
                updated: now,
                deleted: None,
            };
            self.rows.insert(at, row);
            return Ok((key, seq, Outcome::Created));
        };
        if let Some(given) = kind.filter(|k| *k != row.kind) {
            return Err(Cause::KindConflict {
                existing: row.kind,
                given,
            });
        }
        if let Some(given) = expect.filter(|e| *e != row.etag) {
            return Err(Cause::StaleEtag {
                given,
                current: Some(row.etag),
            });
        }
        let live = row.deleted.is_none();
        let outcome = match w {
            Write::Create { .. } if live => return Err(Cause::Exists),
            Write::Upsert { .. } if live && title == row.title => {
                return Ok((row.key, row.seq, Outcome::Unchanged));
            }
            Write::Upsert { .. } | Write::Create { .. } => {
                row.etag = etag(w.id(), row.kind, &title);
                row.title = title;
                row.deleted = None;
                Outcome::Updated
            }
            Write::Delete { .. } if !live => return Err(Cause::NotFound),
            Write::Delete { .. } => {
                row.deleted = Some(now);
                Outcome::Deleted
            }
            Write::Undelete { .. } if live => return Err(Cause::NotDeleted),
            Write::Undelete { .. } => {
                row.deleted = None;
                Outcome::Undeleted
            }
            Write::Erase { .. } => {
                self.rows.remove(&at);
                return Ok((
                    row.key,
                    self.change(row.key, ChangeOp::Delete),
                    Outcome::Erased,
                ));
            }
        };
        let op = if row.deleted.is_some() {
            ChangeOp::Delete
        } else {
            ChangeOp::Upsert
        };
        row.seq = self.change(row.key, op);
        row.updated = now;
        let answer = (row.key, row.seq, outcome);
        self.rows.insert(at, row);
        Ok(answer)
    }

    fn apply(
        &mut self,
        tenant: &TenantId,
        writes: &[Write],
        now: i64,
    ) -> Result<Vec<Done>, Vec<(usize, Cause)>> {
        let mut rejected = Vec::new();
        for (i, w) in writes.iter().enumerate() {
            if let Some(first) = writes[..i].iter().position(|v| v.id() == w.id()) {
                rejected.push((i, Cause::Duplicate { first }));
            }
        }
        if !rejected.is_empty() {
            return Err(rejected);
        }
        let before = self.clone();
        let mut done = Vec::new();
        for (i, w) in writes.iter().enumerate() {
            match self.write(tenant, w, now) {
                Ok(d) => done.push(d),
                Err(cause) => rejected.push((i, cause)),
            }
        }
        if rejected.is_empty() {
            Ok(done)
        } else {
            *self = before;
            Err(rejected)
        }
    }

    /// The store tells exactly what the model knows.
    fn compare(&self, store: &Store) {
        assert_eq!(store.last_seq().unwrap(), self.seq);
        let mut tenants: Vec<_> = self.rows.keys().map(|k| k.0.clone()).collect();
        tenants.dedup();
        assert_eq!(store.tenants().unwrap(), tenants);
        for ((tenant, id), row) in &self.rows {
            let got = store.get_any(tenant, id).unwrap().unwrap();
            let ms = |t: jiff::Timestamp| t.duration_since(at(0)).as_millis() as i64;
            let found = Row {
                key: got.key.0,
                seq: got.seq,
                kind: got.record.kind(),
                title: got.record.title.clone(),
                etag: got.etag,
                created: ms(got.create_time),
                updated: ms(got.update_time),
                deleted: got.delete_time.map(ms),
            };
            assert_eq!(found, *row);
            let live = store.get(tenant, id).unwrap();
            assert_eq!(live.is_some(), row.deleted.is_none());
            assert_eq!(store.get_many(&[got.key]).unwrap(), [live]);
        }
        for t in &tenants {
            for kind in [None, Some(KINDS[0]), Some(KINDS[1])] {
                for show_deleted in [false, true] {
                    let mut expected: Vec<u64> = self
                        .rows
                        .iter()
                        .filter(|((of, _), r)| {
                            of == t
                                && kind.is_none_or(|k| k == r.kind)
                                && (show_deleted || r.deleted.is_none())
                        })
                        .map(|(_, r)| r.key)
                        .collect();
                    expected.sort_unstable();
                    let mut query = ListQuery {
                        kind,
                        limit: 2,
                        show_deleted,
                        after: None,
                    };
                    let mut found = Vec::new();
                    loop {
                        let page = store.list(t, &query).unwrap();
                        found.extend(page.records.iter().map(|r| r.key.0));
                        query.after = page.next;
                        if query.after.is_none() {
                            break;
                        }
                    }
                    assert_eq!(found, expected);
                    if !show_deleted {
                        assert_eq!(store.count(t, kind).unwrap(), expected.len() as u64);
                    }
                    if !show_deleted && kind.is_none() {
                        let scan = store.scan(Some(t)).unwrap();
                        assert_eq!(scan.map(|r| r.unwrap().key.0).collect::<Vec<_>>(), expected);
                    }
                }
            }
        }
        for since in [0, self.trimmed, (self.trimmed + self.seq) / 2, self.seq] {
            let mut expected: Vec<_> = self
                .changes
                .iter()
                .map(|(k, (s, op))| (*s, *k, *op))
                .collect();
            expected.retain(|c| c.0 > since);
            expected.sort_unstable_by_key(|c| c.0);
            match store.changes_since(since).unwrap() {
                Since::Changes(c) => {
                    assert!(since >= self.trimmed);
                    let found: Vec<_> = c
                        .map(|c| c.unwrap())
                        .map(|c| (c.seq, c.key.0, c.op))
                        .collect();
                    assert_eq!(found, expected);
                }
                Since::Behind { trimmed_to } => {
                    assert!(since < self.trimmed && trimmed_to == self.trimmed);
                }
                Since::Ahead { .. } => panic!("the store has lost changes"),
            }
        }
        assert_eq!(problems(store), [""; 0]);
    }
}

fn etag(id: &RecordId, kind: Kind, title: &str) -> Etag {
    let json = serde_json::to_vec(record(id.as_str(), kind, title).get()).unwrap();
    blake3::hash(&json).to_hex()[..24].parse().unwrap()
}

fn writes(model: &Model, tenant: &TenantId, dos: &[Do]) -> Vec<Write> {
    dos.iter()
        .map(|d| {
            let name = format!("id{}", d.id);
            // An id keeps its kind most of the time.
            let kind = KINDS[usize::from(d.id % 2 == u8::from(!d.kind))];
            let row = model.rows.get(&(tenant.clone(), id(&name)));
            let expect_etag = match (d.etag, row) {
                (1, Some(row)) => Some(row.etag),
                (2, _) => Some("0123456789abcdef01234567".parse().unwrap()),
                _ => None,
            };
            match d.op {
                0 => Write::Create {
                    record: Box::new(record(&name, kind, &format!("t{}", d.title))),
                },
                1..=4 => Write::Upsert {
                    record: Box::new(record(&name, kind, &format!("t{}", d.title))),
                    expect_etag,
                },
                5..=6 => Write::Delete {
                    id: id(&name),
                    kind: d.kind.then_some(kind),
                    expect_etag,
                },
                7..=8 => undelete(&name),
                _ => erase(&name),
            }
        })
        .collect()
}

fn run(steps: &[Step]) {
    // In memory where the system has such a folder: some ten thousand syncs prove nothing here.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = dir.unwrap();
    let options = Options {
        purge_after_days: 10,
        cache_bytes: 1 << 20,
        ..Options::default()
    };
    let open = || Store::open_with(dir.path(), &options).unwrap();
    let mut store = open();
    let mut model = Model::default();
    let mut now = 0;
    for (n, step) in steps.iter().enumerate() {
        now += 1;
        match step {
            Step::Apply {
                tenant: t,
                writes: dos,
                retry,
            } => {
                let t = tenant(if *t { "b" } else { "a" });
                let writes = writes(&model, &t, dos);
                let batch = Batch {
                    request_id: retry.then(|| RequestId::new(format!("r{n}")).unwrap()),
                    writes,
                };
                let expected = model.apply(&t, &batch.writes, now);
                let found = store.apply(&t, &batch, at(now));
                match (&found, expected) {
                    (Ok(a), Ok(e)) => {
                        let items: Vec<_> = a
                            .items
                            .iter()
                            .map(|i| (i.key.0, i.seq, i.outcome))
                            .collect();
                        assert_eq!(items, e);
                        assert_eq!((a.seq, a.replayed), (model.seq, false));
                        if *retry {
                            let again = store.apply(&t, &batch, at(now)).unwrap();
                            assert_eq!((&again.items, again.replayed), (&a.items, true));
                        }
                    }
                    (Err(StoreError::Rejected { items, .. }), Err(e)) => {
                        let found: Vec<_> =
                            items.iter().map(|r| (r.index, r.cause.clone())).collect();
                        assert_eq!(found, e);
                    }
                    (found, expected) => panic!("found {found:?}, expected {expected:?}"),
                }
            }
            Step::Trim(up_to) => {
                store.trim_changes(*up_to).unwrap();
                model.trimmed = model.trimmed.max((*up_to).min(model.seq));
                let trimmed = model.trimmed;
                model.changes.retain(|_, (seq, _)| *seq > trimmed);
            }
            Step::Purge(days) => {
                now += days * DAY;
                let mut due: Vec<_> = model
                    .rows
                    .iter()
                    .filter_map(|(k, r)| Some((r.deleted? + 10 * DAY, r.key, k.clone())))
                    .filter(|d| d.0 <= now)
                    .collect();
                due.sort();
                for (_, key, name) in &due {
                    model.rows.remove(name);
                    model.change(*key, ChangeOp::Delete);
                }
                assert_eq!(store.purge_expired(at(now)).unwrap(), due.len() as u64);
            }
            Step::Reopen => {
                drop(store);
                store = open();
                model.compare(&store);
            }
        }
    }
    drop(store);
    model.compare(&open());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_is_a_map_that_stays(steps in vec(step(), 1..50)) {
        run(&steps);
    }
}
