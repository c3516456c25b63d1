//! A full disk and a disk that fails: writes fail cleanly, reads go on.

use super::{
    all, apply,
    disk::{Disk, Faults},
    open, write,
};
use crate::{Store, StoreError};
use queqiao_domain::RecordId;

fn fill(store: &Store) -> (u64, StoreError) {
    let text = "文".repeat(1000);
    for n in 0.. {
        if let Err(e) = apply(
            store,
            (0..10)
                .map(|i| write(&format!("{n}-{i}"), &format!("{n}{text}")))
                .collect(),
        ) {
            return (n, e);
        }
    }
    unreachable!()
}

#[test]
fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    disk.set(Faults {
        sectors: Some(disk.sectors_used() + 2000),
        ..Faults::default()
    });
    let before = store.snapshot().unwrap();
    let (n, e) = fill(&store);
    assert!(matches!(e, StoreError::DiskFull { .. }), "{e}");
    assert!(e.to_string().contains("free some space"), "{e}");
    assert!(n > 0);
    let kept = all(&store).unwrap();
    assert_eq!(kept.len() as u64, n * 10, "the refused batch is not there");
    // A view from before may have to be taken again; it never lies.
    match before.last_seq() {
        Ok(seq) => assert_eq!(seq, 0),
        Err(e) => assert!(matches!(e, StoreError::Interrupted { .. }), "{e}"),
    }
    assert_eq!(store.verify().unwrap().problems, [""; 0]);
    // With room again, writes go on in the same process.
    disk.set(Faults::default());
    apply(&store, vec![write("more", "x")]).unwrap();
    assert_eq!(all(&store).unwrap().len(), kept.len() + 1);
}

#[test]
fn a_disk_that_fails_for_a_while_costs_only_what_was_not_acknowledged() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    apply(&store, vec![write("a", "1")]).unwrap();
    for cut in 0..40 {
        disk.set(Faults {
            power_after: Some(cut),
            ..Faults::default()
        });
        let failed = apply(
            &store,
            vec![
                write("a", &format!("v{cut}")),
                write(&format!("b{cut}"), "1"),
            ],
        );
        disk.set(Faults::default());
        let there = store
            .get(
                &Default::default(),
                &RecordId::new(format!("b{cut}")).unwrap(),
            )
            .unwrap();
        let a = store
            .get(&Default::default(), &RecordId::new("a").unwrap())
            .unwrap()
            .unwrap();
        assert_eq!(
            there.is_some(),
            a.record.title == format!("v{cut}"),
            "torn at {cut}"
        );
        assert!(failed.is_err() || there.is_some(), "lost at {cut}");
        assert_eq!(store.verify().unwrap().problems, [""; 0]);
    }
}

#[test]
fn a_disk_that_turns_read_only_in_mid_write_is_told_and_loses_nothing() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    apply(&store, vec![write("a", "1")]).unwrap();
    for after in 0..12 {
        disk.set(Faults {
            read_only_after: Some(after),
            ..Faults::default()
        });
        let id = format!("b{after}");
        let failed = apply(&store, vec![write("a", &id), write(&id, "1")]);
        disk.set(Faults::default());
        let there = all(&store).unwrap();
        let torn =
            there.contains(&(id.clone(), "1".to_owned())) != there.contains(&("a".to_owned(), id));
        assert!(!torn, "torn after {after}: {there:?}");
        if let Err(e) = failed {
            assert!(
                matches!(e, StoreError::Io { .. } | StoreError::Interrupted { .. }),
                "{e}"
            );
            let shown = format!("{e} {:?}", std::error::Error::source(&e));
            assert!(
                shown.contains("permissions") || shown.contains("try again"),
                "{shown}"
            );
        }
        assert_eq!(store.verify().unwrap().problems, [""; 0]);
    }
}
