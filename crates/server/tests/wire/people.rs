//! What a person may ask for: erasure with proof, and all that is held about them.

use crate::{
    access::{guarded_with, with},
    support::{PARENT, check, config, expert, need, question, start},
};
use queqiao_proto::v1;
use queqiao_server::{AuditConfig, LogLevels, ServerConfig};
use std::sync::{Arc, Mutex};
use tonic::Code;

const PHONE: &str = "13912345678";

fn put(id: &str, consent: Option<v1::Consent>) -> v1::UpsertRecordRequest {
    let mut record = expert(id, "张三", "膜分离");
    if let Some(v1::record::Detail::Expert(e)) = &mut record.detail {
        e.consent = consent;
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

fn consent(purpose: &str, given: &str, until: &str) -> Option<v1::Consent> {
    Some(v1::Consent {
        purpose: purpose.into(),
        given: given.into(),
        until: until.into(),
    })
}

fn name(id: &str) -> String {
    format!("{PARENT}/experts/{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_proved_and_the_index_is_written_anew() {
    let s = start().await;
    let mut c = s.records();
    c.upsert_record(put("e1", None)).await.unwrap();
    c.upsert_record(put("e2", None)).await.unwrap();
    let erased = c
        .erase_record(v1::EraseRecordRequest {
            name: name("e1"),
            request_id: "4c1c7b1e-8d2f-4d52-9b0e-0a3f0d2b7c11".into(),
        })
        .await
        .unwrap()
        .into_inner();
    let receipt = s.engine.store().read_receipt(&erased.receipt).unwrap();
    assert_eq!((receipt.id.as_str(), erased.seq), ("e1", 3));
    let ask = |receipt: &str| v1::CheckErasureRequest {
        parent: PARENT.into(),
        receipt: receipt.into(),
    };
    let now = c
        .check_erasure(ask(&erased.receipt))
        .await
        .unwrap()
        .into_inner();
    assert!(now.genuine && now.row_gone && now.key_destroyed);
    assert!(
        !now.index_rewritten && !now.holds,
        "words may stand in its files"
    );
    // What housekeeping does.
    assert_eq!(s.engine.rewrite_erased().unwrap(), 1);
    assert_eq!(s.engine.rewrite_erased().unwrap(), 0);
    let now = c
        .check_erasure(ask(&erased.receipt))
        .await
        .unwrap()
        .into_inner();
    assert!(now.holds && now.index_rewritten && !now.id_used_again);
    assert_eq!(s.ask("膜").await.unwrap().matches.len(), 1);
    // A retry gives the same receipt; a changed one is none.
    let again = c
        .erase_record(v1::EraseRecordRequest {
            name: name("e1"),
            request_id: "4c1c7b1e-8d2f-4d52-9b0e-0a3f0d2b7c11".into(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.receipt, erased.receipt);
    let forged = erased.receipt.replace("\"e1\"", "\"e2\"");
    let now = c.check_erasure(ask(&forged)).await.unwrap().into_inner();
    assert!(!now.genuine && !now.holds);
    let e = c.check_erasure(ask("no receipt")).await;
    check(e, Code::InvalidArgument, "INVALID_FIELD", &["receipt"]);
    let elsewhere = v1::CheckErasureRequest {
        parent: "tenants/u".into(),
        receipt: erased.receipt,
    };
    let e = c.check_erasure(elsewhere).await;
    check(e, Code::InvalidArgument, "INVALID_FIELD", &["receipt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_count_what_another_tenant_stores() {
    // The same for a tenant alone and for one beside another that writes.
    let mut told = Vec::new();
    for others in [0, 7] {
        let s = start().await;
        let mut c = s.records();
        let mut crowd = async |from: usize| {
            for i in from..from + others {
                let mut r = put(&format!("u{i}"), None);
                r.record.as_mut().unwrap().name = format!("tenants/u/experts/u{i}");
                c.upsert_record(r).await.unwrap();
            }
        };
        crowd(0).await;
        let mut c = s.records();
        for id in ["e1", "e2", "e3"] {
            c.upsert_record(put(id, None)).await.unwrap();
        }
        crowd(7).await;
        let matched = s.ask("膜").await.unwrap().seq;
        let figures = v1::GetStatisticsRequest {
            parent: PARENT.into(),
        };
        let figures = s.admin().get_statistics(figures).await.unwrap();
        let figures = figures.into_inner();
        let erased = v1::EraseRecordRequest {
            name: name("e1"),
            ..Default::default()
        };
        let erased = c.erase_record(erased).await.unwrap().into_inner();
        let receipt: serde_json::Value = serde_json::from_str(&erased.receipt).unwrap();
        assert!(receipt.get("seq").is_none() && receipt.get("key").is_none());
        let genuine = s.engine.store().read_receipt(&erased.receipt).unwrap();
        // A receipt that was made up, for a record of the other tenant, says nothing at all.
        for key in [0, 2, genuine.key, 1_000] {
            let made_up = serde_json::json!({
                "tenant": "t", "id": "e1", "key": key, "seq": genuine.seq,
                "time": genuine.time, "proof": "0".repeat(64),
            });
            let asked = v1::CheckErasureRequest {
                parent: PARENT.into(),
                receipt: made_up.to_string(),
            };
            let found = c.check_erasure(asked).await.unwrap().into_inner();
            assert_eq!(found, v1::CheckErasureResponse::default());
        }
        told.push((matched, figures.store_seq, figures.index_seq, erased.seq));
    }
    assert_eq!(told, [(3, 3, 3, 4); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_held_is_given_to_who_may_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let g = guarded_with(ServerConfig {
        audit: Some(AuditConfig::new(dir.path().join("audit"))),
        ..config()
    })
    .await;
    let writer = g.key("writer", "t").await;
    let reader = g.key("contact-reader", "t").await;
    let mut c = g.s.records();
    let agreed = consent("参加对接会", "2026-01-02", "");
    c.upsert_record(with(put("e1", agreed.clone()), Some(&writer)))
        .await
        .unwrap();
    c.upsert_record(with(put("e10", None), Some(&writer)))
        .await
        .unwrap();
    let ask = || v1::ExportRecordRequest {
        name: name("e1"),
        purpose: "本人申请查阅".into(),
    };
    let e = c.export_record(with(ask(), Some(&writer))).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    let held = c
        .export_record(with(ask(), Some(&reader)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(held.contact.unwrap().phone, PHONE);
    let Some(v1::record::Detail::Expert(d)) = held.record.unwrap().detail else {
        panic!("no expert");
    };
    assert_eq!(d.consent, agreed);
    let actions: Vec<String> = held
        .audit_lines
        .iter()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .map(|l| {
            assert_eq!(l["objects"][0], name("e1"), "another's line");
            // Their places among everybody's lines are not for one tenant to know.
            for chained in ["seq", "prev", "hash"] {
                assert!(l.get(chained).is_none(), "{l}");
            }
            l["action"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    // Who was refused for the role alone had named nothing yet.
    assert_eq!(actions, ["UpsertRecord", "ExportRecord"]);
    assert_eq!(held.audit_lines_left_out, 0);
    let mut without = ask();
    without.purpose.clear();
    let e = c.export_record(with(without, Some(&reader))).await;
    check(e, Code::InvalidArgument, "INVALID_FIELD", &["purpose"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_about_a_person_is_held_about_them() {
    let dir = tempfile::tempdir().unwrap();
    let g = guarded_with(ServerConfig {
        audit: Some(AuditConfig::new(dir.path().join("audit"))),
        ..config()
    })
    .await;
    let writer = g.key("writer,contact-reader", "t").await;
    let mut c = g.s.records();
    for id in ["e1", "e2"] {
        c.upsert_record(with(put(id, None), Some(&writer)))
            .await
            .unwrap();
    }
    let need = v1::UpsertRecordRequest {
        record: Some(v1::Record {
            visibility: v1::Visibility::Sealed.into(),
            ..need("n1", "膜分离", "膜分离中的污染")
        }),
        ..Default::default()
    };
    c.upsert_record(with(need, Some(&writer))).await.unwrap();
    let need = format!("{PARENT}/needs/n1");
    let ask = v1::MatchRequest {
        ask: Some(v1::match_request::Ask::Record(need.clone())),
        keep: true,
        ..question("")
    };
    let mut m = g.s.matches();
    let answer = m
        .r#match(with(ask, Some(&writer)))
        .await
        .unwrap()
        .into_inner();
    let outcome = v1::ReportOutcomesRequest {
        parent: PARENT.into(),
        outcomes: vec![v1::Outcome {
            match_id: answer.match_id.clone(),
            candidate: name("e1"),
            stage: v1::OutcomeStage::Met.into(),
            event: "spring".into(),
            ..Default::default()
        }],
    };
    let mut o = g.s.outcomes();
    o.report_outcomes(with(outcome, Some(&writer)))
        .await
        .unwrap();
    let disclose = v1::DiscloseRecordRequest {
        name: need.clone(),
        to: name("e1"),
        stage: v1::DisclosureStage::Text.into(),
        purpose: "需求方同意".into(),
    };
    c.disclose_record(with(disclose, Some(&writer)))
        .await
        .unwrap();

    let mut kept = async |name: &str| {
        let request = v1::ExportRecordRequest {
            name: name.into(),
            purpose: "查阅个人信息".into(),
        };
        let held = c.export_record(with(request, Some(&writer))).await.unwrap();
        let held = held.into_inner();
        assert_eq!(held.kept_left_out, 0);
        let read = held.kept.iter().map(|l| serde_json::from_str(l).unwrap());
        read.collect::<Vec<serde_json::Value>>()
    };
    let [listed, disclosed] = &kept(&name("e1")).await[..] else {
        panic!();
    };
    assert_eq!(listed["match_id"], answer.match_id);
    assert!(listed["rank"].as_u64() >= Some(1) && listed["features"]["words"].is_number());
    assert_eq!(listed["outcomes"][0]["stage"], "met");
    assert_eq!(listed["outcomes"][0]["event"], "spring");
    assert_eq!(
        (&disclosed["of"], &disclosed["stage"]),
        (&"n1".into(), &"text".into())
    );
    assert!(disclosed["purpose"].is_null(), "the other side's");
    let other = kept(&name("e2")).await;
    assert_eq!(
        (other.len(), other[0]["outcomes"].as_array().unwrap().len()),
        (1, 0)
    );
    let [asked, disclosed] = &kept(&need).await[..] else {
        panic!();
    };
    assert_eq!(
        (&asked["asked"], &asked["matches"]),
        (&true.into(), &2.into())
    );
    assert_eq!(
        (&disclosed["to"], &disclosed["purpose"]),
        (&"e1".into(), &"需求方同意".into())
    );
    // Two letters stand in many an id of an answer.
    let told = asked.to_string().replace(&answer.match_id, "");
    assert!(!told.contains("e1"), "others' data: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_agreed_any_more_is_in_no_match() {
    let s = start().await;
    let mut c = s.records();
    for (id, agreed) in [
        ("old", consent("对接会", "2020-01-01", "2020-12-31")),
        ("new", consent("对接会", "2020-01-01", "2999-12-31")),
        ("untold", None),
    ] {
        c.upsert_record(put(id, agreed)).await.unwrap();
    }
    let found = s.ask("膜分离").await.unwrap();
    let names: Vec<_> = found.matches.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(!names.contains(&name("old").as_str()), "{names:?}");
    for (bad, reason, field) in [
        (
            consent("", "", ""),
            "INVALID_RECORD",
            "record.expert.consent.purpose",
        ),
        (
            consent("x", "2026-02-01", "2026-01-01"),
            "INVALID_RECORD",
            "record.expert.consent.until",
        ),
        (
            consent("x", "yesterday", ""),
            "INVALID_FIELD",
            "record.expert.consent.given",
        ),
    ] {
        let e = c.upsert_record(put("bad", bad)).await;
        check(e, Code::InvalidArgument, reason, &[field]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_made_to_say_more_while_the_server_runs() {
    let levels = Arc::new(Mutex::new("info".to_owned()));
    let held = Arc::clone(&levels);
    let g = guarded_with(ServerConfig {
        log: Some(LogLevels::new(move |new| {
            if new.contains('?') {
                return Err("no level".to_owned());
            }
            Ok(std::mem::replace(
                &mut *held.lock().unwrap(),
                new.to_owned(),
            ))
        })),
        ..config()
    })
    .await;
    let all = g.key("admin", "*").await;
    let some = g.key("admin", "t").await;
    let mut c = g.s.admin();
    let ask = |levels: &str| v1::SetLogLevelRequest {
        levels: levels.into(),
    };
    let e = c.set_log_level(with(ask("debug"), Some(&some))).await;
    check(e, Code::PermissionDenied, "ALL_TENANTS_NEEDED", &[]);
    let answer = c
        .set_log_level(with(ask("debug"), Some(&all)))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().before, "info");
    let e = c.set_log_level(with(ask("??"), Some(&all))).await;
    check(e, Code::InvalidArgument, "INVALID_FIELD", &["levels"]);
    assert_eq!(*levels.lock().unwrap(), "debug");
    let s = start().await;
    let e = s.admin().set_log_level(ask("debug")).await;
    check(e, Code::FailedPrecondition, "LOG_NOT_OURS", &[]);
}
