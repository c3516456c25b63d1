use crate::fixtures::*;
use queqiao_domain::Kind;
use queqiao_store::{Batch, ListQuery, Store, Write};

fn ids(store: &Store, of: &str, query: ListQuery) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .list(&tenant(of), &ListQuery { after, ..query })
            .unwrap();
        pages.push(
            page.records
                .iter()
                .map(|r| r.record.id.to_string())
                .collect(),
        );
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

/// Tenant a: n3 e1 n1 x (deleted need) n2; tenant b: e9.
fn filled() -> (tempfile::TempDir, Store) {
    let (dir, store) = store();
    let put = |t: &str, name: &str, kind| {
        let batch = Batch::of([Write::upsert(record(name, kind, "t"))]);
        store.apply(&tenant(t), &batch, at(0)).unwrap();
    };
    put("a", "n3", Kind::Need);
    put("b", "e9", Kind::Expert);
    put("a", "e1", Kind::Expert);
    put("a", "n1", Kind::Need);
    put("a", "x", Kind::Need);
    put("a", "n2", Kind::Need);
    store
        .apply(&tenant("a"), &Batch::of([delete("x")]), at(0))
        .unwrap();
    (dir, store)
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let (_dir, store) = filled();
    let all = ListQuery::default();
    assert_eq!(ids(&store, "a", all), [vec!["n3", "e1", "n1", "n2"]]);
    assert_eq!(
        ids(&store, "a", ListQuery { limit: 2, ..all }),
        [["n3", "e1"], ["n1", "n2"]]
    );
    assert_eq!(
        ids(
            &store,
            "a",
            ListQuery {
                limit: 1,
                kind: Some(Kind::Need),
                show_deleted: true,
                ..all
            }
        ),
        [["n3"], ["n1"], ["x"], ["n2"]]
    );
    assert_eq!(
        ids(
            &store,
            "a",
            ListQuery {
                limit: 0,
                kind: Some(Kind::Expert),
                ..all
            }
        ),
        [["e1"]]
    );
    assert_eq!(ids(&store, "b", all), [["e9"]]);
    assert_eq!(ids(&store, "nobody", all), [Vec::<String>::new()]);
}

#[test]
fn a_page_token_survives_writes_between_pages() {
    let (_dir, store) = filled();
    let query = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    let first = store.list(&tenant("a"), &query).unwrap();
    // The record the token names is erased, one before it and one after it change, one is new.
    let batch = Batch::of([
        erase("e1"),
        upsert("n3", "new"),
        upsert("n2", "new"),
        upsert("n4", "new"),
    ]);
    store.apply(&tenant("a"), &batch, at(1)).unwrap();
    let second = store
        .list(
            &tenant("a"),
            &ListQuery {
                after: first.next,
                ..query
            },
        )
        .unwrap();
    let names: Vec<_> = second
        .records
        .iter()
        .map(|r| r.record.id.as_str())
        .collect();
    assert_eq!(names, ["n1", "n2"]);
    assert!(second.next.is_some());
}

#[test]
fn tenants_see_and_count_only_their_own() {
    let (_dir, store) = filled();
    assert_eq!(store.tenants().unwrap(), [tenant("a"), tenant("b")]);
    let count = |t: &str, kind| store.count(&tenant(t), kind).unwrap();
    assert_eq!(count("a", None), 4);
    assert_eq!(count("a", Some(Kind::Need)), 3);
    assert_eq!(count("b", None), 1);
    assert_eq!(count("b", Some(Kind::Need)), 0);
    // The same id with another tenant is another record, and may be of another kind.
    let batch = Batch::of([Write::upsert(record("n1", Kind::Society, "t"))]);
    store.apply(&tenant("b"), &batch, at(0)).unwrap();
    assert_eq!(
        store
            .get(&tenant("a"), &id("n1"))
            .unwrap()
            .unwrap()
            .record
            .kind(),
        Kind::Need
    );
}

#[test]
fn a_scan_gives_the_living_in_key_order() {
    let (_dir, store) = filled();
    let names = |t: Option<&str>| -> Vec<String> {
        let t = t.map(tenant);
        let scan = store.scan(t.as_ref()).unwrap();
        scan.map(|r| r.unwrap().record.id.to_string()).collect()
    };
    assert_eq!(names(None), ["n3", "e9", "e1", "n1", "n2"]);
    assert_eq!(names(Some("a")), ["n3", "e1", "n1", "n2"]);
    assert_eq!(names(Some("nobody")), [""; 0]);
}

#[test]
fn many_keys_are_answered_in_place() {
    let (_dir, store) = filled();
    let keys: Vec<_> = store.scan(None).unwrap().map(|r| r.unwrap().key).collect();
    let gone = store.get_any(&tenant("a"), &id("x")).unwrap().unwrap().key;
    let got = store
        .get_many(&[keys[3], gone, keys[0], queqiao_store::RecordKey(99)])
        .unwrap();
    let names: Vec<_> = got
        .iter()
        .map(|r| r.as_ref().map(|r| r.record.id.as_str()))
        .collect();
    assert_eq!(names, [Some("n1"), None, Some("n3"), None]);
}

#[test]
fn a_snapshot_and_its_scan_see_one_moment() {
    let (_dir, store) = filled();
    let snapshot = store.snapshot().unwrap();
    let mut scan = snapshot.scan(None).unwrap();
    assert_eq!(scan.next().unwrap().unwrap().record.id.as_str(), "n3");
    store
        .apply(
            &tenant("a"),
            &Batch::of([erase("n1"), upsert("n9", "t")]),
            at(1),
        )
        .unwrap();
    // But who is erased is gone at once, for those who read already as well.
    assert!(snapshot.get(&tenant("a"), &id("n1")).unwrap().is_none());
    assert!(snapshot.get(&tenant("a"), &id("n9")).unwrap().is_none());
    assert_eq!(snapshot.verify().unwrap().problems, [""; 0]);
    drop(snapshot);
    assert_eq!(scan.count(), 3);
    assert!(store.get(&tenant("a"), &id("n9")).unwrap().is_some());
}
