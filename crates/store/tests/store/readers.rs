//! Readers beside a writer.

use crate::fixtures::*;
use queqiao_store::{Batch, Store};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Every record of a batch carries the batch's number; a view that holds two numbers is torn.
fn versions(store: &Store) -> Vec<String> {
    let mut found: Vec<String> = store
        .scan(None)
        .unwrap()
        .map(|r| r.unwrap().record.title)
        .collect();
    found.dedup();
    found
}

#[test]
fn a_view_never_holds_half_a_batch() {
    let (_dir, store) = store();
    let names: Vec<String> = (0..20).map(|i| format!("r{i}")).collect();
    let put = |n: u64, names: &[String]| {
        let title = n.to_string();
        let writes = names.iter().map(|name| upsert(name, &title));
        store.apply(&t0(), &Batch::of(writes), at(0)).unwrap();
    };
    put(0, &names);
    let done = AtomicBool::new(false);
    let acknowledged = AtomicU64::new(0);
    std::thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let least = acknowledged.load(Ordering::Acquire);
                    let found = versions(&store);
                    assert_eq!(found.len(), 1, "torn: {found:?}");
                    let n: u64 = found[0].parse().unwrap();
                    assert!(n >= least, "{n} was read after {least} was acknowledged");
                }
            });
        }
        for n in 1..=60 {
            put(n, &names);
            acknowledged.store(n, Ordering::Release);
        }
        done.store(true, Ordering::Release);
    });
    // The check can fail: two halves of a batch are two versions.
    put(61, &names[..10]);
    assert_eq!(versions(&store).len(), 2);
}

#[test]
fn writers_take_turns() {
    let (_dir, store) = store();
    std::thread::scope(|s| {
        for t in 0..4 {
            let store = &store;
            s.spawn(move || {
                for i in 0..25 {
                    apply(
                        store,
                        [
                            upsert(&format!("{t}-{i}"), "x"),
                            upsert("shared", &format!("{t}{i}")),
                        ],
                    )
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(store.count(&t0(), None).unwrap(), 101);
    assert_eq!(store.last_seq().unwrap(), 200);
    assert_eq!(problems(&store), [""; 0]);
}
