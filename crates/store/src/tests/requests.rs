//! Requests are forgotten when there are too many, by number and by writes.

use super::{disk::Disk, open, write};
use crate::{Batch, RequestId, Store, request::Keep};
use jiff::Timestamp;
use queqiao_domain::TenantId;

/// Whether request `n`, of `size` writes, is done again rather than remembered.
fn forgotten(store: &Store, n: usize, size: usize) -> bool {
    let batch = Batch {
        request_id: Some(RequestId::new(n.to_string()).unwrap()),
        ..Batch::of((0..size).map(|i| write(&format!("{n}-{i}"), "x")))
    };
    let done = store.apply(&TenantId::default(), &batch, Timestamp::UNIX_EPOCH);
    !done.unwrap().replayed
}

#[test]
fn only_so_many_are_remembered() {
    for (keep, size) in [
        (
            Keep {
                requests: 5,
                ..Keep::default()
            },
            1,
        ),
        (
            Keep {
                items: 15,
                ..Keep::default()
            },
            3,
        ),
    ] {
        let mut store = open(&Disk::default()).unwrap();
        store.keep = keep;
        for n in 0..20 {
            assert!(forgotten(&store, n, size));
        }
        assert_eq!(store.verify().unwrap().requests, 5);
        assert!((15..20).all(|n| !forgotten(&store, n, size)));
        assert!(forgotten(&store, 14, size));
        assert_eq!(store.verify().unwrap().problems, [""; 0]);
    }
}

#[test]
fn the_request_just_done_is_remembered_however_large() {
    let mut store = open(&Disk::default()).unwrap();
    store.keep = Keep {
        items: 2,
        ..Keep::default()
    };
    assert!(forgotten(&store, 0, 10));
    assert!(!forgotten(&store, 0, 10));
}
