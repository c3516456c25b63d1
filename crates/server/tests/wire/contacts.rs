//! Contacts: seen through one method, by one role, for a purpose, and never without a trace.

use crate::{
    access::{guarded_with, with},
    support::{PARENT, check, config, expert, start_with},
};
use queqiao_proto::v1;
use queqiao_server::{AuditConfig, ServerConfig, verify_audit};
use tonic::Code;

const PHONE: &str = "13912345678";

fn put() -> v1::UpsertRecordRequest {
    let mut record = expert("e1", "张三", "膜分离");
    if let Some(v1::record::Detail::Expert(e)) = &mut record.detail {
        e.contact = Some(v1::Contact {
            phone: PHONE.into(),
            ..Default::default()
        });
    }
    v1::UpsertRecordRequest {
        record: Some(record),
        ..Default::default()
    }
}

fn ask(id: &str, purpose: &str) -> v1::GetContactRequest {
    v1::GetContactRequest {
        name: format!("{PARENT}/experts/{id}"),
        purpose: purpose.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_shown_to_its_role_for_a_purpose_after_it_is_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("audit");
    let g = guarded_with(ServerConfig {
        audit: Some(AuditConfig::new(folder.clone())),
        ..config()
    })
    .await;
    let admin = g.key("admin", "*").await;
    let reader = g.key("contact-reader", "t").await;
    let elsewhere = g.key("contact-reader", "u").await;
    let mut c = g.s.records();
    c.upsert_record(with(put(), Some(&admin))).await.unwrap();
    let plain = v1::UpsertRecordRequest {
        record: Some(expert("e2", "李四", "膜")),
        ..Default::default()
    };
    c.upsert_record(with(plain, Some(&admin))).await.unwrap();
    let mut see = async |id: &str, purpose: &str, key: &str| {
        c.get_contact(with(ask(id, purpose), Some(key))).await
    };
    let purpose = "邀请参加 12 月 3 日对接会";
    let seen = see("e1", purpose, &reader).await.unwrap().into_inner();
    assert_eq!(seen.phone, PHONE);
    // Everything else a key may be does not do.
    let e = see("e1", purpose, &admin).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    let e = see("e1", purpose, &elsewhere).await;
    check(e, Code::PermissionDenied, "TENANT_NOT_ALLOWED", &[]);
    for none in ["", "   ", "abc", "two\nlines", &"x".repeat(201)] {
        let e = see("e1", none, &reader).await;
        check(e, Code::InvalidArgument, "INVALID_FIELD", &["purpose"]);
    }
    let e = see("e2", purpose, &reader).await;
    check(e, Code::NotFound, "NO_CONTACT", &[]);
    let e = see("e3", purpose, &reader).await;
    check(e, Code::NotFound, "RECORD_NOT_FOUND", &[]);
    verify_audit(&folder, None).unwrap();
    let text = std::fs::read_to_string(folder.join("audit-000001.jsonl")).unwrap();
    let told: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .filter(|l: &serde_json::Value| l["action"].as_str().unwrap().ends_with("GetContact"))
        .collect();
    let results: Vec<_> = told.iter().map(|l| l["result"].as_str().unwrap()).collect();
    assert_eq!(
        results,
        [
            "OK",
            "PERMISSION_DENIED",
            "PERMISSION_DENIED",
            "NOT_FOUND",
            "NOT_FOUND"
        ]
    );
    assert_eq!(told[0]["purpose"], purpose);
    assert_eq!(told[0]["objects"][0], format!("{PARENT}/experts/e1"));
    assert!(told[0]["subject"].as_str().unwrap().starts_with("key:"));
    assert!(!text.contains(PHONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trail_or_without_a_name_no_contact_is_shown() {
    let g = guarded_with(config()).await;
    let key = g.key("writer,contact-reader", "t").await;
    let mut c = g.s.records();
    c.upsert_record(with(put(), Some(&key))).await.unwrap();
    let e = c.get_contact(with(ask("e1", "purpose"), Some(&key))).await;
    check(e, Code::FailedPrecondition, "AUDIT_NEEDED", &[]);
    // A server that asks nobody who they are cannot say who saw it.
    let dir = tempfile::tempdir().unwrap();
    let s = start_with(ServerConfig {
        audit: Some(AuditConfig::new(dir.path().join("audit"))),
        ..config()
    })
    .await;
    let mut c = s.records();
    c.upsert_record(put()).await.unwrap();
    let e = c.get_contact(ask("e1", "purpose")).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
}
