use crate::fixtures::*;
use queqiao_domain::Kind;
use queqiao_store::{Batch, Cause, ChangeOp, Outcome, RequestId, Since, Store, Write};

#[test]
fn what_goes_in_comes_out() {
    let (_dir, store) = store();
    let long = "高韧性立方氮化硼".repeat(500);
    let given = need("n1", &long[..3000 / 24 * 24]);
    let applied = store
        .apply(&t0(), &Batch::of([Write::upsert(given.clone())]), at(5))
        .unwrap();
    assert_eq!(outcomes(&applied), [Outcome::Created]);
    let got = store.get(&t0(), &id("n1")).unwrap().unwrap();
    assert_eq!(got.record, *given.get());
    assert_eq!((got.create_time, got.update_time), (at(5), at(5)));
    assert_eq!((got.seq, got.etag), (1, applied.items[0].etag));
    assert_eq!(store.get_many(&[got.key]).unwrap(), [Some(got)]);
    assert_eq!(store.get(&tenant("other"), &id("n1")).unwrap(), None);
}

#[test]
fn the_same_again_changes_nothing() {
    let (_dir, store) = store();
    let first = apply(&store, [upsert("a", "x"), upsert("b", "x")]).unwrap();
    let again = store
        .apply(
            &t0(),
            &Batch::of([upsert("a", "x"), upsert("b", "y")]),
            at(9),
        )
        .unwrap();
    assert_eq!(outcomes(&again), [Outcome::Unchanged, Outcome::Updated]);
    assert_eq!(again.items[0].seq, first.items[0].seq);
    assert_eq!(again.seq, 3);
    assert_eq!(
        store.get(&t0(), &id("a")).unwrap().unwrap().update_time,
        at(0)
    );
    let b = store.get(&t0(), &id("b")).unwrap().unwrap();
    assert_eq!(
        (b.key, b.create_time, b.update_time),
        (again.items[1].key, at(0), at(9))
    );
    assert_eq!(
        again.items[1].key, first.items[1].key,
        "an update keeps the key"
    );
}

#[test]
fn one_bad_write_stops_the_batch_and_all_are_told() {
    let (_dir, store) = store();
    let etag = apply(&store, [upsert("a", "x"), upsert("b", "x")])
        .unwrap()
        .items[0]
        .etag;
    apply(&store, [upsert("a", "y")]).unwrap();
    let now = store.get(&t0(), &id("a")).unwrap().unwrap().etag;
    let result = apply(
        &store,
        [
            upsert("new", "x"),
            Write::upsert(record("b", Kind::Expert, "x")),
            Write::Upsert {
                record: Box::new(need("a", "z")),
                expect_etag: Some(etag),
            },
            delete("nobody"),
            Write::Upsert {
                record: Box::new(need("absent", "z")),
                expect_etag: Some(etag),
            },
        ],
    );
    let message = result.as_ref().unwrap_err().to_string();
    assert!(
        message.starts_with("nothing of the batch was stored: 4 of 5 writes"),
        "{message}"
    );
    assert!(
        message.contains("write 1 (`b`): the id belongs to a record of kind need"),
        "{message}"
    );
    assert!(message.ends_with("and 1 more"), "{message}");
    assert_eq!(
        causes(result),
        [
            (
                1,
                Cause::KindConflict {
                    existing: Kind::Need,
                    given: Kind::Expert
                }
            ),
            (
                2,
                Cause::StaleEtag {
                    given: etag,
                    current: Some(now)
                }
            ),
            (3, Cause::NotFound),
            (
                4,
                Cause::StaleEtag {
                    given: etag,
                    current: None
                }
            ),
        ]
    );
    assert_eq!(store.last_seq().unwrap(), 3);
    assert_eq!(store.get(&t0(), &id("new")).unwrap(), None);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn an_id_stands_once_in_a_batch() {
    let (_dir, store) = store();
    let result = apply(&store, [upsert("a", "x"), upsert("b", "x"), delete("a")]);
    assert_eq!(causes(result), [(2, Cause::Duplicate { first: 0 })]);
}

#[test]
fn the_right_etag_lets_a_write_through() {
    let (_dir, store) = store();
    let etag = apply(&store, [upsert("a", "x")]).unwrap().items[0].etag;
    assert_eq!(etag.to_string().parse(), Ok(etag));
    let write = Write::Upsert {
        record: Box::new(need("a", "y")),
        expect_etag: Some(etag),
    };
    assert_eq!(
        outcomes(&apply(&store, [write]).unwrap()),
        [Outcome::Updated]
    );
    let write = Write::Delete {
        id: id("a"),
        kind: Some(Kind::Need),
        expect_etag: Some(etag),
    };
    assert!(matches!(
        causes(apply(&store, [write]))[..],
        [(0, Cause::StaleEtag { .. })]
    ));
}

#[test]
fn deleted_is_hidden_until_undeleted_or_purged() {
    let (_dir, store) = store();
    apply(&store, [upsert("a", "x"), upsert("b", "x")]).unwrap();
    assert_eq!(
        outcomes(&apply(&store, [delete("a")]).unwrap()),
        [Outcome::Deleted]
    );
    assert_eq!(store.get(&t0(), &id("a")).unwrap(), None);
    assert_eq!(store.count(&t0(), None).unwrap(), 1);
    let kept = store.get_any(&t0(), &id("a")).unwrap().unwrap();
    let month = 30 * 24 * 3600 * 1000;
    assert_eq!(
        (kept.delete_time, kept.purge_time),
        (Some(at(0)), Some(at(month)))
    );
    assert_eq!(causes(apply(&store, [delete("a")])), [(0, Cause::NotFound)]);
    assert_eq!(
        causes(apply(&store, [undelete("b")])),
        [(0, Cause::NotDeleted)]
    );
    assert_eq!(
        outcomes(&apply(&store, [undelete("a")]).unwrap()),
        [Outcome::Undeleted]
    );
    assert_eq!(store.purge_expired(at(month)).unwrap(), 0);
    apply(&store, [delete("a")]).unwrap();
    assert_eq!(store.purge_expired(at(month - 1)).unwrap(), 0);
    assert_eq!(store.purge_expired(at(month)).unwrap(), 1);
    assert_eq!(store.get_any(&t0(), &id("a")).unwrap(), None);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn a_deleted_record_comes_back_with_an_upsert() {
    let (_dir, store) = store();
    let key = apply(&store, [upsert("a", "x")]).unwrap().items[0].key;
    apply(&store, [delete("a")]).unwrap();
    let other = apply(&store, [Write::upsert(record("a", Kind::Expert, "x"))]);
    assert!(matches!(
        causes(other)[..],
        [(0, Cause::KindConflict { .. })]
    ));
    let back = apply(&store, [upsert("a", "x")]).unwrap();
    assert_eq!(
        (outcomes(&back), back.items[0].key),
        (vec![Outcome::Updated], key)
    );
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn erased_is_gone_and_its_id_is_free() {
    let (_dir, store) = store();
    let first = apply(&store, [upsert("a", "x")]).unwrap().items[0].key;
    apply(&store, [erase("a")]).unwrap();
    assert_eq!(store.get_any(&t0(), &id("a")).unwrap(), None);
    assert_eq!(store.tenants().unwrap(), []);
    let again = apply(&store, [Write::upsert(record("a", Kind::Expert, "x"))]).unwrap();
    assert!(again.items[0].key > first, "keys are never reused");
    assert_eq!(
        log(&store, 0),
        [
            (2, first.0, ChangeOp::Delete),
            (3, again.items[0].key.0, ChangeOp::Upsert)
        ]
    );
}

fn log(store: &Store, since: u64) -> Vec<(u64, u64, ChangeOp)> {
    match store.changes_since(since).unwrap() {
        Since::Changes(c) => c
            .map(|c| c.unwrap())
            .map(|c| (c.seq, c.key.0, c.op))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_log_tells_the_last_change_of_each_record() {
    let (_dir, store) = store();
    apply(
        &store,
        [upsert("a", "1"), upsert("b", "1"), upsert("c", "1")],
    )
    .unwrap();
    apply(&store, [upsert("a", "2"), delete("b")]).unwrap();
    use ChangeOp::{Delete, Upsert};
    assert_eq!(
        log(&store, 0),
        [(3, 2, Upsert), (4, 0, Upsert), (5, 1, Delete)]
    );
    assert_eq!(log(&store, 4), [(5, 1, Delete)]);
    assert_eq!(log(&store, 5), []);
    store.trim_changes(4).unwrap();
    assert!(matches!(
        store.changes_since(3).unwrap(),
        Since::Behind { trimmed_to: 4 }
    ));
    assert_eq!(log(&store, 4), [(5, 1, Delete)]);
    assert!(matches!(
        store.changes_since(6).unwrap(),
        Since::Ahead { last_seq: 5 }
    ));
    apply(&store, [upsert("a", "3")]).unwrap();
    assert_eq!(log(&store, 4), [(5, 1, Delete), (6, 0, Upsert)]);
    store.trim_changes(u64::MAX).unwrap();
    assert!(matches!(
        store.changes_since(5).unwrap(),
        Since::Behind { trimmed_to: 6 }
    ));
    assert_eq!(log(&store, 6), []);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn nothing_prints_what_a_record_says() {
    let (_dir, store) = store();
    let write = upsert("a", "秘密");
    assert!(!format!("{write:?}").contains("秘密"));
    apply(&store, [write]).unwrap();
    let got = store.get(&t0(), &id("a")).unwrap().unwrap();
    let shown = format!("{got:?} {store:?} {:?}", store.snapshot().unwrap());
    assert!(
        shown.contains("\"a\"") && !shown.contains("秘密"),
        "{shown}"
    );
}

#[test]
fn a_create_is_of_a_new_record_and_a_retry_of_it_is_no_conflict() {
    let (_dir, store) = store();
    let create = |request: Option<&str>| Batch {
        writes: vec![Write::Create {
            record: Box::new(need("a", "x")),
        }],
        request_id: request.map(|r| queqiao_store::RequestId::new(r).unwrap()),
    };
    let first = store.apply(&t0(), &create(Some("r-1")), at(1)).unwrap();
    assert_eq!(outcomes(&first), [Outcome::Created]);
    assert!(
        store
            .apply(&t0(), &create(Some("r-1")), at(2))
            .unwrap()
            .replayed
    );
    for other in [None, Some("r-2")] {
        let refused = store.apply(&t0(), &create(other), at(3));
        assert_eq!(causes(refused), [(0, Cause::Exists)]);
    }
    apply(&store, [delete("a")]).unwrap();
    let again = store.apply(&t0(), &create(None), at(4)).unwrap();
    assert_eq!(
        outcomes(&again),
        [Outcome::Updated],
        "a deleted record comes back"
    );
}

#[test]
fn a_tenant_has_numbers_of_its_own() {
    let (dir, store) = store();
    let batch = |writes: Vec<Write>, request: Option<&str>| Batch {
        writes,
        request_id: request.map(|r| RequestId::new(r).unwrap()),
    };
    let own = |tenant| store.snapshot().unwrap().tenant_seq(&tenant).unwrap();
    let (t, u) = (t0(), tenant("u"));
    let first = batch(vec![upsert("a", "x"), upsert("b", "x")], Some("r"));
    let first = (&first, store.apply(&t, &first, at(0)).unwrap());
    assert_eq!((first.1.seq, first.1.tenant_seq), (2, 2));
    let others = batch((0..5).map(|i| upsert(&format!("{i}"), "x")).collect(), None);
    let others = store.apply(&u, &others, at(0)).unwrap();
    assert_eq!((others.seq, others.tenant_seq), (7, 5));
    let nothing = batch(vec![upsert("a", "x")], None);
    let nothing = store.apply(&t, &nothing, at(1)).unwrap();
    assert_eq!((nothing.seq, nothing.tenant_seq), (7, 2));
    let next = store
        .apply(&t, &batch(vec![delete("a")], None), at(2))
        .unwrap();
    assert_eq!((next.seq, next.tenant_seq), (8, 3));
    // Done once, told the same.
    let again = store.apply(&t, first.0, at(3)).unwrap();
    assert_eq!((again.seq, again.tenant_seq, again.replayed), (2, 2, true));
    // What nobody wrote counts for nobody.
    assert_eq!(store.purge_expired(at(40 * 24 * 3600 * 1000)).unwrap(), 1);
    assert_eq!((own(t0()), own(u.clone()), own(tenant("new"))), (3, 5, 0));
    assert_eq!(problems(&store), [""; 0]);
    // They go on after a restart.
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let next = store.apply(&u, &batch(vec![delete("1")], None), at(4));
    assert_eq!(next.unwrap().tenant_seq, 6);
}
