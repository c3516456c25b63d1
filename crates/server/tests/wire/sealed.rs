//! Sealed records: matched without being shown, disclosed step by step, each step written down.

use crate::{
    access::{Guarded, guarded_with, with},
    support::{PARENT, check, config, expert, need},
};
use queqiao_proto::v1::{self, DisclosureStage, match_request::Ask};
use queqiao_server::{AuditConfig, ServerConfig, verify_audit};
use std::path::Path;
use tonic::Code;

const RELEASED: &str = "室温电导率≥1 mS/cm";
const SECRET: [&str; 4] = ["高温下失效", "固态电解质", "岭澜新能源", "批次三"];

fn sealed() -> v1::Record {
    v1::Record {
        region: "440300".into(),
        industries: vec!["C3841".into()],
        organisation: Some(v1::Organisation {
            name: "岭澜新能源有限公司".into(),
            uscc: String::new(),
        }),
        attributes: [("批次".to_owned(), "批次三".to_owned())].into(),
        visibility: v1::Visibility::Sealed.into(),
        released: vec![RELEASED.into()],
        ..need(
            "n1",
            "耐高温固态电解质",
            "现有配方在高温下失效，要求室温电导率≥1 mS/cm，成本不增。",
        )
    }
}

fn n1() -> String {
    format!("{PARENT}/needs/n1")
}

fn e1() -> String {
    format!("{PARENT}/experts/e1")
}

async fn served(audit: Option<&Path>) -> (Guarded, String, String) {
    let g = guarded_with(ServerConfig {
        audit: audit.map(|f| AuditConfig::new(f.to_owned())),
        ..config()
    })
    .await;
    let writer = g.key("writer", "t").await;
    let reader = g.key("reader", "t").await;
    for record in [
        sealed(),
        need("n2", "电池回收", "退役电池的回收"),
        expert("e1", "张三", "固态电解质，室温电导率≥1 mS/cm"),
        expert("e2", "李四", "固态电解质"),
    ] {
        let put = v1::UpsertRecordRequest {
            record: Some(record),
            ..Default::default()
        };
        let mut c = g.s.records();
        c.upsert_record(with(put, Some(&writer))).await.unwrap();
    }
    (g, writer, reader)
}

fn asks(id: &str, filter: &str) -> v1::MatchRequest {
    v1::MatchRequest {
        parent: PARENT.into(),
        ask: Some(Ask::Record(format!("{PARENT}/experts/{id}"))),
        k: 10,
        filter: filter.into(),
        include_clauses: true,
        ..Default::default()
    }
}

fn disclose(stage: DisclosureStage) -> v1::DiscloseRecordRequest {
    v1::DiscloseRecordRequest {
        name: n1(),
        to: e1(),
        stage: stage.into(),
        purpose: "需求方电话同意".into(),
    }
}

/// Of the secret words, those that an answer holds.
fn leaked(answer: &impl std::fmt::Debug) -> Vec<&'static str> {
    let text = format!("{answer:?}");
    SECRET.into_iter().filter(|w| text.contains(w)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_need_is_disclosed_step_by_step_and_each_step_is_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("audit");
    let (g, writer, reader) = served(Some(&folder)).await;
    let (mut records, mut matches) = (g.s.records(), g.s.matches());
    let mut found = async |id: &str| {
        let answer = matches.r#match(with(asks(id, ""), Some(&reader))).await;
        let mut all = answer.unwrap().into_inner().matches;
        all.retain(|m| m.id == "n1");
        all.remove(0)
    };
    let mut set = async |stage| {
        let request = with(disclose(stage), Some(&writer));
        records.disclose_record(request).await.unwrap().into_inner()
    };

    // Everyone: field, region, and what is released.
    let m = found("e1").await;
    assert_eq!(leaked(&m), [""; 0]);
    let d = m.disclosed.unwrap();
    assert_eq!(d.stage(), DisclosureStage::Clauses);
    assert_eq!(
        (d.region.as_str(), d.released[0].as_str()),
        ("440300", RELEASED)
    );
    assert_eq!(d.industries, ["C3841"]);
    assert!(m.quote.is_none() && m.clauses.is_empty() && m.figures.is_empty());

    // The text, to one of them.
    assert_eq!(set(DisclosureStage::Text).await.to, e1());
    let m = found("e1").await;
    assert_eq!(leaked(&m), ["固态电解质"], "the title, and what was quoted");
    assert!(m.quote.is_some() && !m.clauses.is_empty());
    assert_eq!(leaked(&found("e2").await), [""; 0]);

    set(DisclosureStage::Owner).await;
    assert_eq!(m.disclosed.unwrap().stage(), DisclosureStage::Text);
    let get = async |by: &str, key: &str| {
        let request = v1::GetRecordRequest {
            name: n1(),
            seen_by: by.into(),
        };
        let mut c = g.s.records();
        c.get_record(with(request, Some(key)))
            .await
            .unwrap()
            .into_inner()
    };
    assert_eq!(leaked(&get(&e1(), &reader).await), SECRET);
    set(DisclosureStage::Text).await;
    assert_eq!(
        leaked(&get(&e1(), &reader).await),
        ["高温下失效", "固态电解质"]
    );
    assert_eq!(
        leaked(&get(&format!("{PARENT}/experts/e2"), &writer).await),
        [""; 0]
    );
    assert_eq!(leaked(&get("", &reader).await), [""; 0]);
    let whole = get("", &writer).await;
    assert_eq!(leaked(&whole), SECRET);
    // A hash of all that it says.
    assert!(!whole.etag.is_empty() && get(&e1(), &reader).await.etag.is_empty());
    let mut c = g.s.records();
    let listed = c.list_disclosures(with(
        v1::ListDisclosuresRequest { name: n1() },
        Some(&writer),
    ));
    let listed = listed.await.unwrap().into_inner().disclosures;
    assert_eq!((listed.len(), listed[0].to.as_str()), (1, e1().as_str()));
    assert_eq!(listed[0].stage(), DisclosureStage::Text);

    // And taken back.
    set(DisclosureStage::Clauses).await;
    assert_eq!(leaked(&found("e1").await), [""; 0]);

    verify_audit(&folder, None).unwrap();
    let text = std::fs::read_to_string(folder.join("audit-000001.jsonl")).unwrap();
    let lines = |action: &str, result: &str| {
        let told = text.lines().filter(|l| {
            let l: serde_json::Value = serde_json::from_str(l).unwrap();
            let whole = l["action"]
                .as_str()
                .unwrap()
                .split('/')
                .nth(1)
                .unwrap_or_default();
            let names = l["objects"].to_string();
            whole == action && l["result"] == result && names.contains(&n1())
        });
        told.count()
    };
    for (action, result, n) in [
        ("DiscloseRecord text", "BEGUN", 2),
        ("DiscloseRecord owner", "BEGUN", 1),
        ("DiscloseRecord clauses", "BEGUN", 1),
        ("DiscloseRecord", "OK", 4),
        // Who saw more than everyone: one list, and two records.
        ("Match", "OK", 1),
        ("GetRecord", "OK", 3),
    ] {
        assert_eq!(lines(action, result), n, "{action} {result} in {text}");
    }
    assert!(text.contains("需求方电话同意"));
    assert_eq!(leaked(&text), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_filters_nor_lists_nor_questions_open_a_sealed_record() {
    let dir = tempfile::tempdir().unwrap();
    let (g, writer, reader) = served(Some(&dir.path().join("audit"))).await;
    let hits = async |filter: &str, key: &str| {
        let mut c = g.s.matches();
        let answer = c.r#match(with(asks("e1", filter), Some(key))).await;
        let all = answer.unwrap().into_inner().matches;
        all.iter().any(|m| m.id == "n1")
    };
    let lists = async |filter: &str, key: &str| {
        let request = v1::ListRecordsRequest {
            parent: PARENT.into(),
            filter: filter.into(),
            ..Default::default()
        };
        let mut c = g.s.records();
        let page = c.list_records(with(request, Some(key))).await.unwrap();
        let mut found = page.into_inner().records;
        found.retain(|r| r.name == n1());
        found.pop()
    };
    let open = "region : 440000 AND industry : C38";
    assert!(hits(open, &reader).await && lists(open, &reader).await.is_some());
    for hidden in [
        "organisation : 岭澜",
        "attributes.批次 = 批次三",
        "title : 电解质",
    ] {
        assert!(!hits(hidden, &reader).await, "{hidden}");
        assert!(lists(hidden, &reader).await.is_none(), "{hidden}");
        assert!(hits(hidden, &writer).await, "{hidden}");
        assert_eq!(leaked(&lists(hidden, &writer).await), SECRET);
    }
    assert_eq!(leaked(&lists("", &reader).await), [""; 0]);

    // What is not so, is not told either, and neither by who is left.
    for (hidden, shown) in [
        ("NOT title : 电解质", true),
        ("NOT organisation : 岭澜", true),
        ("attributes.批次 != 批次三", true),
        ("NOT region : 440000", false),
    ] {
        assert_eq!(hits(hidden, &reader).await, shown, "{hidden}");
        assert_eq!(lists(hidden, &reader).await.is_some(), shown, "{hidden}");
        assert!(!hits(hidden, &writer).await, "{hidden}");
    }
    let note = async |filter: &str| {
        let mut c = g.s.matches();
        let filter = format!("id = n1 AND {filter}");
        let answer = c.r#match(with(asks("e1", &filter), Some(&reader))).await;
        let answer = answer.unwrap().into_inner();
        format!("{:?} {}", answer.notes, answer.admitted_count)
    };
    assert_eq!(note("title : 电解质").await, note("title : 水泥").await);

    // Whose it is, is not found by asking on behalf of somebody.
    let drafted = async |organisation: &str, conflict: &str, key: &str| {
        let draft = v1::Record {
            organisation: Some(v1::Organisation {
                name: organisation.into(),
                uscc: String::new(),
            }),
            conflicts: vec![conflict.into()],
            name: String::new(),
            ..expert("x", "某人", "固态电解质，室温电导率≥1 mS/cm")
        };
        let question = v1::MatchRequest {
            ask: Some(Ask::Draft(draft)),
            ..asks("e1", "")
        };
        let explain = v1::ExplainRequest {
            question: Some(question),
            candidate: n1(),
            ..Default::default()
        };
        let mut c = g.s.matches();
        let why = c.explain(with(explain, Some(key))).await;
        why.map(|w| w.into_inner().r#match.unwrap().score)
    };
    let owner = "岭澜新能源有限公司";
    let other = drafted("别家公司", "别家", &reader).await.unwrap();
    assert_eq!(drafted(owner, "别家", &reader).await.unwrap(), other);
    assert_eq!(drafted("别家公司", owner, &reader).await.unwrap(), other);
    let e = drafted(owner, "别家", &writer).await.unwrap_err();
    assert!(e.message().contains("organisation"), "{e:?}");

    // Nor what it says, by what it is like.
    let alike = async |key: &str| {
        let request = v1::FindDuplicatesRequest {
            parent: PARENT.into(),
            kind: v1::Kind::Need.into(),
            ..Default::default()
        };
        let mut c = g.s.insights();
        let found = c.find_duplicates(with(request, Some(key))).await.unwrap();
        found.into_inner().pairs.len()
    };
    let twin = v1::Record {
        name: format!("{PARENT}/needs/n3"),
        visibility: v1::Visibility::Open.into(),
        released: Vec::new(),
        ..sealed()
    };
    let put = v1::UpsertRecordRequest {
        record: Some(twin),
        ..Default::default()
    };
    let mut records = g.s.records();
    records
        .upsert_record(with(put, Some(&writer)))
        .await
        .unwrap();
    assert_eq!((alike(&writer).await, alike(&reader).await), (1, 0));

    // It asks for its owner alone: the answer quotes what it asks.
    let question = v1::MatchRequest {
        ask: Some(Ask::Record(n1())),
        ..asks("e1", "")
    };
    let explain = v1::ExplainRequest {
        question: Some(question.clone()),
        candidate: e1(),
        ..Default::default()
    };
    let mut c = g.s.matches();
    let e = c.r#match(with(question.clone(), Some(&reader))).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    let e = c.explain(with(explain, Some(&reader))).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    let clarify = v1::ClarifyRequest {
        question: Some(question.clone()),
    };
    let e = c.clarify(with(clarify, Some(&reader))).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    c.r#match(with(question, Some(&writer))).await.unwrap();
    // Why it stands where it stands is told without what it says.
    let explain = v1::ExplainRequest {
        question: Some(asks("e1", "")),
        candidate: n1(),
        ..Default::default()
    };
    let why = c.explain(with(explain, Some(&reader))).await.unwrap();
    assert_eq!(leaked(&why.into_inner().r#match), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_disclosed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (g, writer, reader) = served(Some(&dir.path().join("audit"))).await;
    let mut c = g.s.records();
    let good = disclose(DisclosureStage::Text);
    let e = c.disclose_record(with(good.clone(), Some(&reader))).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    let mut fails = async |request: v1::DiscloseRecordRequest, field: &str| {
        let e = c.disclose_record(with(request, Some(&writer))).await;
        check(e, Code::InvalidArgument, "INVALID_FIELD", &[field]);
    };
    let but = |f: &dyn Fn(&mut v1::DiscloseRecordRequest)| {
        let mut r = good.clone();
        f(&mut r);
        r
    };
    fails(but(&|r| r.stage = 0), "stage").await;
    fails(but(&|r| r.stage = 9), "stage").await;
    fails(but(&|r| r.purpose = "x".into()), "purpose").await;
    fails(but(&|r| r.name = format!("{PARENT}/needs/n2")), "name").await;
    fails(but(&|r| r.to = n1()), "to").await;
    fails(but(&|r| r.to = "tenants/u/experts/e1".into()), "to").await;
    let nobody = but(&|r| r.to = format!("{PARENT}/experts/none"));
    let e = c.disclose_record(with(nobody, Some(&writer))).await;
    check(e, Code::NotFound, "RECORD_NOT_FOUND", &[]);
    let mut record = sealed();
    record.released = vec!["从未说过的话".into()];
    let put = v1::UpsertRecordRequest {
        record: Some(record),
        ..Default::default()
    };
    let e = c.upsert_record(with(put, Some(&writer))).await;
    check(
        e,
        Code::InvalidArgument,
        "INVALID_RECORD",
        &["record.released[0]"],
    );

    // Erased on either side, it stands no more.
    c.disclose_record(with(good.clone(), Some(&writer)))
        .await
        .unwrap();
    let erase = v1::EraseRecordRequest {
        name: e1(),
        ..Default::default()
    };
    c.erase_record(with(erase, Some(&writer))).await.unwrap();
    let again = v1::UpsertRecordRequest {
        record: Some(expert("e1", "另一人", "固态电解质")),
        ..Default::default()
    };
    c.upsert_record(with(again, Some(&writer))).await.unwrap();
    let seen = v1::GetRecordRequest {
        name: n1(),
        seen_by: e1(),
    };
    let seen = c.get_record(with(seen, Some(&reader))).await.unwrap();
    assert_eq!(leaked(&seen.into_inner()), [""; 0]);

    // Without a trail nothing is disclosed.
    let (g, writer, _) = served(None).await;
    let e =
        g.s.records()
            .disclose_record(with(good, Some(&writer)))
            .await;
    check(e, Code::FailedPrecondition, "AUDIT_NEEDED", &[]);
}
