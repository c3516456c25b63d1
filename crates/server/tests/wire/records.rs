//! `RecordService`, method by method.

use crate::support::{PARENT, Running, check, expert, need, start, start_with, told};
use prost::Message;
use queqiao_proto::v1;
use queqiao_server::ServerConfig;
use tonic::Code;

const PHONE: &str = "13912345678";
const UUID: &str = "0190c2a4-7b1e-7c39-9d10-6f2b1c5e8a11";

fn name(record: &str) -> String {
    format!("{PARENT}/{record}")
}

fn upsert(record: v1::Record) -> v1::UpsertRecordRequest {
    v1::UpsertRecordRequest {
        record: Some(record),
        ..Default::default()
    }
}

fn masked(record: v1::Record, paths: &[&str]) -> v1::UpsertRecordRequest {
    v1::UpsertRecordRequest {
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|p| p.to_string()).collect(),
        }),
        ..upsert(record)
    }
}

async fn get(s: &Running, record: &str) -> Result<v1::Record, tonic::Status> {
    let request = v1::GetRecordRequest {
        name: name(record),
        ..Default::default()
    };
    s.records()
        .get_record(request)
        .await
        .map(|r| r.into_inner())
}

fn with_contact(mut record: v1::Record) -> v1::Record {
    if let Some(v1::record::Detail::Expert(e)) = &mut record.detail {
        e.contact = Some(v1::Contact {
            phone: PHONE.into(),
            ..Default::default()
        });
    }
    record
}

/// The phone number the store holds, which no call shows.
fn stored_phone(s: &Running, id: &str) -> Option<String> {
    let tenant = queqiao_domain::TenantId::new("t").unwrap();
    let id = queqiao_domain::RecordId::new(id).unwrap();
    let stored = s.engine.store().get(&tenant, &id).unwrap()?;
    stored.record.contact().map(|c| c.phone.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_comes_out() {
    let s = start().await;
    let given = v1::Record {
        region: "广东省深圳市".into(),
        keywords: vec!["膜".into()],
        attributes: [("来源".to_owned(), "调研".to_owned())].into(),
        ..expert("e1", "张三", "膜分离")
    };
    let put = s.put(given).await;
    assert_eq!(put.region, "440300");
    assert!(!put.etag.is_empty() && put.create_time.is_some() && put.delete_time.is_none());
    assert_eq!(get(&s, "experts/e1").await.unwrap(), put);
    check(
        get(&s, "experts/e2").await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
    check(
        get(&s, "needs/e1").await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
    check(
        get(&s, "persons/e1").await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["name"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_at_fault_is_named() {
    let s = start().await;
    let mut bad = need("n", "题", "问");
    bad.region = "深圳湾".into();
    if let Some(v1::record::Detail::Need(n)) = &mut bad.detail {
        n.deadline = "明年".into();
        n.stage = 77;
    }
    let e = s.records().upsert_record(upsert(bad)).await;
    check(
        e,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["record.need.deadline", "record.need.stage", "record.region"],
    );
    // Rules of the domain come with paths of the wire, and in Chinese too.
    let mut bad = need("n", "题", "问");
    bad.attributes.insert("民族".into(), "x".into());
    if let Some(v1::record::Detail::Need(n)) = &mut bad.detail {
        n.budget = Some(v1::AmountRange {
            min: Some(f64::NAN),
            max: None,
        });
    }
    let batch = v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records: vec![need("ok", "题", "问"), bad],
        ..Default::default()
    };
    let e = check(
        s.records().batch_upsert_records(batch).await,
        Code::InvalidArgument,
        "INVALID_RECORD",
        &["records[1].attributes.民族", "records[1].need.budget"],
    );
    use tonic_types::StatusExt;
    let zh = e.get_details_localized_message().unwrap();
    assert!(
        zh.locale == "zh-CN" && zh.message.contains("拒收"),
        "{zh:?}"
    );
    // Nothing of the batch was stored.
    check(
        get(&s, "needs/ok").await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_is_aborted() {
    let s = start().await;
    let first = s.put(expert("e", "甲", "膜分离")).await;
    let second = s
        .put(v1::Record {
            title: "乙".into(),
            ..first.clone()
        })
        .await;
    assert_ne!(first.etag, second.etag);
    let e = s.records().upsert_record(upsert(first.clone())).await;
    check(e, Code::Aborted, "STALE_ETAG", &[]);
    let delete = |etag: &str| v1::DeleteRecordRequest {
        name: first.name.clone(),
        etag: etag.into(),
        ..Default::default()
    };
    check(
        s.records().delete_record(delete(&first.etag)).await,
        Code::Aborted,
        "STALE_ETAG",
        &[],
    );
    let e = s.records().delete_record(delete("zz")).await;
    assert_eq!(told(&e.unwrap_err()).0, Code::InvalidArgument);
    s.records()
        .delete_record(delete(&second.etag))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_keeps_its_kind() {
    let s = start().await;
    s.put(expert("x", "甲", "膜分离")).await;
    let e = s
        .records()
        .upsert_record(upsert(need("x", "题", "问")))
        .await;
    check(e, Code::AlreadyExists, "KIND_CONFLICT", &[]);
    let create = v1::UpsertRecordRequest {
        create_only: true,
        ..upsert(expert("x", "乙", "催化"))
    };
    for request_id in ["", UUID] {
        let create = v1::UpsertRecordRequest {
            request_id: request_id.into(),
            ..create.clone()
        };
        let e = s.records().upsert_record(create).await;
        check(e, Code::AlreadyExists, "RECORD_EXISTS", &[]);
    }
    assert_eq!(get(&s, "experts/x").await.unwrap().title, "甲");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_applies_once() {
    let s = start().await;
    let create = v1::UpsertRecordRequest {
        create_only: true,
        request_id: UUID.into(),
        ..upsert(expert("e", "甲", "膜分离"))
    };
    let first = s
        .records()
        .upsert_record(create.clone())
        .await
        .unwrap()
        .into_inner();
    let again = s
        .records()
        .upsert_record(create.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    // Another request under the same id is no retry.
    let other = v1::UpsertRecordRequest {
        create_only: false,
        ..upsert(expert("e", "乙", "膜分离"))
    };
    let e = s
        .records()
        .upsert_record(v1::UpsertRecordRequest {
            request_id: UUID.into(),
            ..other.clone()
        })
        .await;
    check(
        e,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
        &["request_id"],
    );
    // A retry of an old write does not undo a newer one.
    s.records().upsert_record(other).await.unwrap();
    s.records().upsert_record(create).await.unwrap();
    assert_eq!(get(&s, "experts/e").await.unwrap().title, "乙");

    let bad = v1::EraseRecordRequest {
        name: name("experts/e"),
        request_id: "7".into(),
    };
    check(
        s.records().erase_record(bad).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["request_id"],
    );
    for method in ["delete", "undelete", "erase"] {
        let id = format!("0190c2a4-7b1e-7c39-9d10-{:0>12}", method.len());
        for _ in 0..2 {
            let (name, request_id) = (name("experts/e"), id.clone());
            let mut c = s.records();
            match method {
                "delete" => c
                    .delete_record(v1::DeleteRecordRequest {
                        name,
                        request_id,
                        ..Default::default()
                    })
                    .await
                    .map(|_| ()),
                "undelete" => c
                    .undelete_record(v1::UndeleteRecordRequest { name, request_id })
                    .await
                    .map(|_| ()),
                _ => c
                    .erase_record(v1::EraseRecordRequest { name, request_id })
                    .await
                    .map(|_| ()),
            }
            .unwrap_or_else(|e| panic!("{method}: {e}"));
        }
    }
    check(
        get(&s, "experts/e").await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_changes_what_it_names() {
    let s = start().await;
    s.put(with_contact(expert("e", "甲", "膜分离"))).await;
    let changed = s
        .records()
        .upsert_record(masked(expert("e", "乙", "催化"), &["title"]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(changed.title, "乙");
    let Some(v1::record::Detail::Expert(e)) = changed.detail else {
        panic!()
    };
    assert_eq!(e.research, ["膜分离"]);
    // The contact survives a partial update, and reading and writing back.
    let read = get(&s, "experts/e").await.unwrap();
    s.put(read).await;
    assert_eq!(stored_phone(&s, "e").as_deref(), Some(PHONE));
    // Only its own path removes it.
    s.records()
        .upsert_record(masked(expert("e", "", ""), &["expert.contact"]))
        .await
        .unwrap();
    assert_eq!(stored_phone(&s, "e"), None);

    // Where nothing of the detail is taken, none has to be there; where something is, it has to.
    let bare = |title: &str| v1::Record {
        detail: None,
        ..expert("e", title, "")
    };
    let mut c = s.records();
    let changed = c.upsert_record(masked(bare("丁"), &["title"])).await;
    let changed = changed.unwrap().into_inner();
    let Some(v1::record::Detail::Expert(e)) = changed.detail else {
        panic!()
    };
    assert_eq!(
        (changed.title.as_str(), e.research),
        ("丁", vec!["膜分离".to_owned()])
    );
    for paths in [&["expert.research"][..], &["title", "expert"], &["*"], &[]] {
        let e = s.records().upsert_record(masked(bare("戊"), paths)).await;
        check(
            e,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &["record.detail"],
        );
    }

    let e = s
        .records()
        .upsert_record(masked(expert("e", "", ""), &["expert.reserch"]))
        .await;
    check(
        e,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["update_mask.paths[0]"],
    );
    let e = s
        .records()
        .upsert_record(masked(expert("new", "丙", ""), &["title"]))
        .await;
    check(e, Code::NotFound, "RECORD_NOT_FOUND", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_back_and_gone() {
    let s = start().await;
    s.put(expert("e", "甲", "膜分离")).await;
    let mut c = s.records();
    let seen = async || s.ask("膜分离").await.unwrap().matches.len();
    assert_eq!(seen().await, 1);

    let delete = v1::DeleteRecordRequest {
        name: name("experts/e"),
        ..Default::default()
    };
    let deleted = c.delete_record(delete.clone()).await.unwrap().into_inner();
    let times = (deleted.delete_time.unwrap(), deleted.purge_time.unwrap());
    assert!(times.0.seconds < times.1.seconds);
    assert_eq!(seen().await, 0, "gone at once");
    assert_eq!(get(&s, "experts/e").await.unwrap(), deleted);
    let list = |show_deleted| v1::ListRecordsRequest {
        parent: PARENT.into(),
        show_deleted,
        ..Default::default()
    };
    assert_eq!(walk(&s, list(false)).await.len(), 0);
    assert_eq!(walk(&s, list(true)).await.len(), 1);
    check(
        c.delete_record(delete).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );

    let undelete = v1::UndeleteRecordRequest {
        name: name("experts/e"),
        ..Default::default()
    };
    assert!(
        c.undelete_record(undelete.clone())
            .await
            .unwrap()
            .into_inner()
            .delete_time
            .is_none()
    );
    assert_eq!(seen().await, 1);
    check(
        c.undelete_record(undelete).await,
        Code::FailedPrecondition,
        "RECORD_NOT_DELETED",
        &[],
    );

    let erase = |n: &str| v1::EraseRecordRequest {
        name: name(n),
        ..Default::default()
    };
    // The name says the kind, and has to be right.
    check(
        c.erase_record(erase("needs/e")).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
    let erased = c
        .erase_record(erase("experts/e"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(erased.name, name("experts/e"));
    assert_eq!(seen().await, 0);
    assert_eq!(walk(&s, list(true)).await.len(), 0);
    check(
        c.erase_record(erase("experts/e")).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_ever_holds_a_contact() {
    let s = start().await;
    let holds = |bytes: Vec<u8>| bytes.windows(PHONE.len()).any(|w| w == PHONE.as_bytes());
    let mut c = s.records();
    let put = s.put(with_contact(expert("e", "张三", "膜分离"))).await;
    assert_eq!(stored_phone(&s, "e").as_deref(), Some(PHONE));
    let list = v1::ListRecordsRequest {
        parent: PARENT.into(),
        show_deleted: true,
        ..Default::default()
    };
    let batch = v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records: vec![with_contact(expert("f", "李四", "膜分离"))],
        ..Default::default()
    };
    let explain = v1::ExplainRequest {
        question: Some(crate::support::question("膜分离")),
        candidate: name("experts/e"),
        ..Default::default()
    };
    let answers = [
        put.encode_to_vec(),
        get(&s, "experts/e").await.unwrap().encode_to_vec(),
        c.batch_upsert_records(batch)
            .await
            .unwrap()
            .into_inner()
            .encode_to_vec(),
        c.list_records(list)
            .await
            .unwrap()
            .into_inner()
            .encode_to_vec(),
        s.ask("膜分离").await.unwrap().encode_to_vec(),
        s.ask(PHONE).await.unwrap().encode_to_vec(),
        s.matches()
            .explain(explain)
            .await
            .unwrap()
            .into_inner()
            .encode_to_vec(),
        c.delete_record(v1::DeleteRecordRequest {
            name: name("experts/e"),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .encode_to_vec(),
        c.undelete_record(v1::UndeleteRecordRequest {
            name: name("experts/e"),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner()
        .encode_to_vec(),
    ];
    for (i, bytes) in answers.into_iter().enumerate() {
        assert!(!holds(bytes), "answer {i}");
    }
    // The scan itself finds what it looks for.
    assert!(holds(with_contact(expert("e", "", "")).encode_to_vec()));
    // Nor does a refusal repeat what was refused.
    let mut bad = with_contact(expert("e", "张三", "膜分离"));
    bad.region = "nowhere".into();
    let e = c.upsert_record(upsert(bad)).await.unwrap_err();
    assert!(!holds(e.details().to_vec()) && !e.message().contains(PHONE));
}

async fn walk(s: &Running, mut request: v1::ListRecordsRequest) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = s
            .records()
            .list_records(request.clone())
            .await
            .unwrap()
            .into_inner();
        names.extend(page.records.into_iter().map(|r| r.name));
        if page.next_page_token.is_empty() {
            return names;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_page_by_page() {
    let s = start().await;
    let records: Vec<_> = (0..45)
        .map(|i| expert(&format!("e{i}"), "甲", "膜分离"))
        .chain([need("n", "题", "问")])
        .collect();
    let batch = v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records,
        ..Default::default()
    };
    let done = s
        .records()
        .batch_upsert_records(batch)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((done.created_count, done.results.len()), (46, 46));
    assert_eq!(done.results[0].outcome(), v1::WriteOutcome::Created);

    let list = || v1::ListRecordsRequest {
        parent: PARENT.into(),
        ..Default::default()
    };
    for size in [0, 1, 7, 46, 1_000_000] {
        let mut names = walk(
            &s,
            v1::ListRecordsRequest {
                page_size: size,
                ..list()
            },
        )
        .await;
        assert_eq!(names.len(), 46, "{size}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 46, "{size}");
    }
    let needs = v1::ListRecordsRequest {
        kind: v1::Kind::Need as i32,
        ..list()
    };
    assert_eq!(walk(&s, needs).await, [name("needs/n")]);
    let filtered = v1::ListRecordsRequest {
        filter: "id = e7 OR id = e8".into(),
        page_size: 1,
        ..list()
    };
    assert_eq!(walk(&s, filtered).await.len(), 2);

    let first = s
        .records()
        .list_records(v1::ListRecordsRequest {
            page_size: 5,
            ..list()
        })
        .await
        .unwrap()
        .into_inner();
    let token = first.next_page_token;
    for other in [
        v1::ListRecordsRequest {
            kind: v1::Kind::Need as i32,
            ..list()
        },
        v1::ListRecordsRequest {
            filter: "kind = need".into(),
            ..list()
        },
        v1::ListRecordsRequest {
            show_deleted: true,
            ..list()
        },
        v1::ListRecordsRequest {
            parent: "tenants/u".into(),
            ..list()
        },
    ] {
        let e = s
            .records()
            .list_records(v1::ListRecordsRequest {
                page_token: token.clone(),
                ..other
            })
            .await;
        check(e, Code::InvalidArgument, "INVALID_FIELD", &["page_token"]);
    }
    for (bad, field) in [
        (
            v1::ListRecordsRequest {
                page_size: -1,
                ..list()
            },
            "page_size",
        ),
        (
            v1::ListRecordsRequest {
                filter: "region = = 1".into(),
                ..list()
            },
            "filter",
        ),
        (
            v1::ListRecordsRequest {
                filter: "a".repeat(10_001),
                ..list()
            },
            "filter",
        ),
        (v1::ListRecordsRequest { kind: 99, ..list() }, "kind"),
        (
            v1::ListRecordsRequest {
                parent: "t".into(),
                ..list()
            },
            "parent",
        ),
    ] {
        check(
            s.records().list_records(bad).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &[field],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_bounded_in_bytes() {
    let s = start_with(ServerConfig {
        max_response_bytes: 400_000,
        ..crate::support::config()
    })
    .await;
    for i in 0..60 {
        let mut r = expert(&format!("e{i}"), "甲", "膜分离");
        r.passages = vec![v1::Passage {
            text: "x".repeat(8_000),
            ..Default::default()
        }];
        s.put(r).await;
    }
    let request = v1::ListRecordsRequest {
        parent: PARENT.into(),
        page_size: 60,
        ..Default::default()
    };
    let page = s
        .records()
        .list_records(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(page.records.len() < 60 && !page.next_page_token.is_empty());
    assert_eq!(walk(&s, request).await.len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_all_or_nothing() {
    let s = start().await;
    let stale = s.put(expert("e", "甲", "膜分离")).await;
    s.put(expert("e", "乙", "膜分离")).await;
    let batch = |records| v1::BatchUpsertRecordsRequest {
        parent: PARENT.into(),
        records,
        ..Default::default()
    };
    let e = s
        .records()
        .batch_upsert_records(batch(vec![expert("f", "丙", "催化"), stale]))
        .await;
    let e = check(e, Code::Aborted, "STALE_ETAG", &[]);
    assert!(e.message().starts_with("records[1]"), "{e}");
    let twice = vec![expert("f", "丙", "催化"), expert("f", "丁", "催化")];
    check(
        s.records().batch_upsert_records(batch(twice)).await,
        Code::InvalidArgument,
        "DUPLICATE_ID",
        &[],
    );
    let mut foreign = expert("f", "丙", "催化");
    foreign.name = "tenants/u/experts/f".into();
    check(
        s.records().batch_upsert_records(batch(vec![foreign])).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["records[0].name"],
    );
    for n in [0, 1_001] {
        let records = vec![v1::Record::default(); n];
        check(
            s.records().batch_upsert_records(batch(records)).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &["records"],
        );
    }
    check(
        get(&s, "experts/f").await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );

    s.put(expert("f", "丙", "催化")).await;
    let delete = |names: &[&str]| v1::BatchDeleteRecordsRequest {
        parent: PARENT.into(),
        names: names.iter().map(|n| name(n)).collect(),
        ..Default::default()
    };
    let e = s
        .records()
        .batch_delete_records(delete(&["experts/e", "experts/none"]))
        .await;
    check(e, Code::NotFound, "RECORD_NOT_FOUND", &[]);
    assert!(get(&s, "experts/e").await.unwrap().delete_time.is_none());
    let done = s
        .records()
        .batch_delete_records(delete(&["experts/e", "experts/f"]))
        .await
        .unwrap();
    assert_eq!(done.into_inner().deleted_count, 2);
    assert_eq!(s.ask("膜分离").await.unwrap().matches.len(), 0);
}
