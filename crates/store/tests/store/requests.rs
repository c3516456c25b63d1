use crate::fixtures::*;
use queqiao_store::{Batch, Outcome, RequestId, Store, StoreError, Write};

fn batch(request: &str, writes: impl IntoIterator<Item = Write>) -> Batch {
    Batch {
        request_id: Some(RequestId::new(request).unwrap()),
        ..Batch::of(writes)
    }
}

const DAY: i64 = 24 * 3600 * 1000;

#[test]
fn a_retry_applies_once_and_answers_the_same() {
    let (dir, store) = store();
    let ask = batch("r-1", [upsert("a", "1"), upsert("b", "1")]);
    let first = store.apply(&t0(), &ask, at(0)).unwrap();
    assert!(!first.replayed);
    // Another request changes the record in between: the retry must not undo it.
    apply(&store, [upsert("a", "2")]).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let again = store.apply(&t0(), &ask, at(5)).unwrap();
    assert!(again.replayed);
    assert_eq!((again.seq, &again.items), (first.seq, &first.items));
    assert_eq!(
        store.get(&t0(), &id("a")).unwrap().unwrap().record.title,
        "2"
    );
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn one_request_id_is_not_two_requests() {
    let (_dir, store) = store();
    let etag = store
        .apply(&t0(), &batch("r", [upsert("a", "1")]), at(0))
        .unwrap()
        .items[0]
        .etag;
    let others = [
        vec![upsert("a", "2")],
        vec![upsert("b", "1")],
        vec![upsert("a", "1"), upsert("b", "1")],
        vec![],
        vec![delete("a")],
        vec![erase("a")],
        vec![Write::Upsert {
            record: Box::new(need("a", "1")),
            expect_etag: Some(etag),
        }],
    ];
    for writes in others {
        let e = store.apply(&t0(), &batch("r", writes), at(1)).unwrap_err();
        assert!(
            matches!(&e, StoreError::RequestReused { request_id } if request_id == "r"),
            "{e}"
        );
    }
    // Another tenant's request ids are its own.
    let other = store
        .apply(&tenant("b"), &batch("r", [upsert("z", "1")]), at(1))
        .unwrap();
    assert_eq!(outcomes(&other), [Outcome::Created]);
}

#[test]
fn a_refused_request_may_be_tried_again() {
    let (_dir, store) = store();
    let ask = batch("r", [delete("a")]);
    assert!(store.apply(&t0(), &ask, at(0)).is_err());
    apply(&store, [upsert("a", "1")]).unwrap();
    assert_eq!(
        outcomes(&store.apply(&t0(), &ask, at(1)).unwrap()),
        [Outcome::Deleted]
    );
}

#[test]
fn a_request_that_changed_nothing_is_remembered_too() {
    let (_dir, store) = store();
    apply(&store, [upsert("a", "1")]).unwrap();
    let ask = batch("r", [upsert("a", "1")]);
    assert_eq!(
        outcomes(&store.apply(&t0(), &ask, at(0)).unwrap()),
        [Outcome::Unchanged]
    );
    apply(&store, [upsert("a", "2")]).unwrap();
    let again = store.apply(&t0(), &ask, at(0)).unwrap();
    assert_eq!(
        (again.replayed, outcomes(&again)),
        (true, vec![Outcome::Unchanged])
    );
}

#[test]
fn a_request_is_forgotten_after_a_day() {
    let (_dir, store) = store();
    let ask = batch("old", [upsert("a", "1")]);
    store.apply(&t0(), &ask, at(0)).unwrap();
    store
        .apply(&t0(), &batch("r2", [upsert("b", "1")]), at(DAY))
        .unwrap();
    assert!(store.apply(&t0(), &ask, at(DAY)).unwrap().replayed);
    store
        .apply(&t0(), &batch("r3", [upsert("c", "1")]), at(DAY + 1))
        .unwrap();
    assert!(!store.apply(&t0(), &ask, at(DAY + 1)).unwrap().replayed);
    assert_eq!(problems(&store), [""; 0]);
}

#[test]
fn request_ids_are_short_and_visible() {
    for bad in ["", "a b", "号", &"x".repeat(129)] {
        let e = RequestId::new(bad).unwrap_err();
        assert!(e.to_string().contains("1 to 128 visible ASCII"), "{e}");
    }
    assert!(RequestId::new("550e8400-e29b-41d4-a716-446655440000").is_ok());
}
