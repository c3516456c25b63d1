//! `MatchService`, method by method.

use crate::support::{PARENT, check, expert, need, question, start};
use queqiao_proto::v1::{self, match_request::Ask, match_result::Result as Answer};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn both_directions_with_reasons() {
    let s = start().await;
    s.put(expert("e1", "张三", "锂电池负极材料的制备与表征"))
        .await;
    s.put(expert("e2", "李四", "图论与组合优化")).await;
    s.put(need("n1", "负极材料", "提高锂电池负极材料的循环寿命"))
        .await;
    let ask = v1::MatchRequest {
        ask: Some(Ask::Record(format!("{PARENT}/needs/n1"))),
        ..question("")
    };
    let a = s.matches().r#match(ask.clone()).await.unwrap().into_inner();
    assert_eq!((a.matches[0].id.as_str(), a.matches[0].rank), ("e1", 1));
    assert_eq!(a.matches[0].name, format!("{PARENT}/experts/e1"));
    assert_eq!(a.matches[0].kind(), v1::Kind::Expert);
    assert_eq!((a.admitted_count, a.total_count), (2, 3));
    assert!(
        !a.match_id.is_empty() && !a.model.is_empty() && !a.weights_version.is_empty() && a.seq > 0
    );
    for m in &a.matches {
        let sum = m.parts.iter().fold(0.0, |sum, p| sum + p.contribution);
        assert_eq!(sum.to_bits(), m.score.to_bits(), "{m:?}");
    }
    let q = a.matches[0].quote.as_ref().unwrap();
    assert_eq!(q.path, "expert.research[0]");
    let field: Vec<char> = "锂电池负极材料的制备与表征".chars().collect();
    let cut: String = field[q.start as usize..q.end as usize].iter().collect();
    assert_eq!(cut, q.text);
    let asked = q.asked.as_ref().unwrap();
    assert!(
        ["title", "need.problem"].contains(&asked.path.as_str()),
        "{asked:?}"
    );

    let bare = v1::MatchRequest {
        omit_quotes: true,
        ..ask
    };
    let a = s.matches().r#match(bare).await.unwrap().into_inner();
    assert!(a.matches.iter().all(|m| m.quote.is_none()));

    let back = v1::MatchRequest {
        ask: Some(Ask::Record(format!("{PARENT}/experts/e1"))),
        ..question("")
    };
    let a = s.matches().r#match(back).await.unwrap().into_inner();
    assert_eq!(a.matches[0].id, "n1");

    let mut draft = need("", "", "锂电池负极材料");
    draft.name = String::new();
    let drafted = v1::MatchRequest {
        ask: Some(Ask::Draft(draft)),
        ..question("")
    };
    let a = s.matches().r#match(drafted).await.unwrap().into_inner();
    assert_eq!(a.matches[0].id, "e1");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_keep_out_what_does_not_meet_them() {
    let s = start().await;
    s.put(expert("e1", "张三", "膜分离")).await;
    s.put(v1::Record {
        region: "120000".into(),
        ..expert("e2", "李四", "膜分离")
    })
    .await;
    let ids = async |conditions: v1::MatchConditions, filter: &str| {
        let ask = v1::MatchRequest {
            conditions: Some(conditions),
            filter: filter.into(),
            ..question("膜分离")
        };
        let mut ids: Vec<String> = s
            .matches()
            .r#match(ask)
            .await
            .unwrap()
            .into_inner()
            .matches
            .into_iter()
            .map(|m| m.id)
            .collect();
        ids.sort();
        ids
    };
    let regions = |r: &[&str]| v1::MatchConditions {
        regions: r.iter().map(|r| r.to_string()).collect(),
        ..Default::default()
    };
    assert_eq!(ids(regions(&[]), "").await, ["e1", "e2"]);
    // A province admits its cities.
    assert_eq!(ids(regions(&["440000"]), "").await, ["e1"]);
    assert_eq!(ids(regions(&["440000", "天津市"]), "").await, ["e1", "e2"]);
    let industry = v1::MatchConditions {
        industries: vec!["C39".into()],
        ..regions(&["120000"])
    };
    assert_eq!(ids(industry, "").await, ["e2"]);
    assert_eq!(
        ids(regions(&["440000"]), "id = e2").await,
        Vec::<String>::new()
    );
    let readiness = v1::MatchConditions {
        least_readiness: Some(v1::Readiness {
            level: 6,
            scale: v1::ReadinessScale::Trl as i32,
        }),
        ..Default::default()
    };
    assert_eq!(ids(readiness, "").await, Vec::<String>::new());
    let nothing = v1::MatchRequest {
        filter: "id = none".into(),
        ..question("膜分离")
    };
    let a = s.matches().r#match(nothing).await.unwrap().into_inner();
    assert_eq!(a.notes[0].code, "NOTHING_ADMITTED");
    assert!(!a.notes[0].message.as_ref().unwrap().zh.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    let s = start().await;
    let ask = || question("膜分离");
    let conditions = |c: v1::MatchConditions| v1::MatchRequest {
        conditions: Some(c),
        ..ask()
    };
    let cases = [
        (v1::MatchRequest { k: 0, ..ask() }, "k"),
        (
            v1::MatchRequest {
                k: 1_000_000,
                ..ask()
            },
            "k",
        ),
        (v1::MatchRequest { k: -1, ..ask() }, "k"),
        (question(""), "text"),
        (question("，。！"), "text"),
        (question(&"膜".repeat(1_000_000 / 3)), "text"),
        (v1::MatchRequest { ask: None, ..ask() }, "ask"),
        (
            v1::MatchRequest {
                parent: "tenants/".into(),
                ..ask()
            },
            "parent",
        ),
        (
            v1::MatchRequest {
                kinds: vec![3, 0],
                ..ask()
            },
            "kinds[1]",
        ),
        (
            v1::MatchRequest {
                kinds: vec![42],
                ..ask()
            },
            "kinds[0]",
        ),
        (v1::MatchRequest { mode: 9, ..ask() }, "mode"),
        (
            v1::MatchRequest {
                today: "2026-13-01".into(),
                ..ask()
            },
            "today",
        ),
        (
            v1::MatchRequest {
                filter: "region : ".into(),
                ..ask()
            },
            "filter",
        ),
        (
            v1::MatchRequest {
                filter: "nosuch = 1".into(),
                ..ask()
            },
            "filter",
        ),
        (
            v1::MatchRequest {
                ask: Some(Ask::Record("tenants/u/needs/n".into())),
                ..ask()
            },
            "record",
        ),
        (
            v1::MatchRequest {
                ask: Some(Ask::Draft(v1::Record::default())),
                ..ask()
            },
            "draft.detail",
        ),
        (
            conditions(v1::MatchConditions {
                regions: vec!["440000".into(), "X".into()],
                ..Default::default()
            }),
            "conditions.regions[1]",
        ),
        (
            conditions(v1::MatchConditions {
                industries: vec!["C39".into(); 101],
                ..Default::default()
            }),
            "conditions.industries",
        ),
    ];
    for (request, field) in cases {
        check(
            s.matches().r#match(request).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &[field],
        );
    }
    // Rules of a draft have paths of the draft.
    let mut draft = need("n", "题", "问");
    draft.attributes.insert("身份证号".into(), "1".into());
    let drafted = v1::MatchRequest {
        ask: Some(Ask::Draft(draft)),
        ..ask()
    };
    check(
        s.matches().r#match(drafted).await,
        Code::InvalidArgument,
        "INVALID_RECORD",
        &["draft.attributes.身份证号"],
    );
    let nobody = v1::MatchRequest {
        ask: Some(Ask::Record(format!("{PARENT}/needs/none"))),
        ..ask()
    };
    check(
        s.matches().r#match(nobody).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_seen_by_the_next_match() {
    let s = start().await;
    for i in 0..40 {
        let r = s
            .put(expert(
                &format!("e{i}"),
                "甲",
                &format!("专题{i}号 alpha{i}"),
            ))
            .await;
        let a = s.ask(&format!("专题{i}号 alpha{i}")).await.unwrap();
        assert_eq!(a.matches[0].id, format!("e{i}"));
        if i % 2 == 0 {
            let delete = v1::DeleteRecordRequest {
                name: r.name,
                ..Default::default()
            };
            s.records().delete_record(delete).await.unwrap();
            let a = s.ask(&format!("专题{i}号 alpha{i}")).await.unwrap();
            assert!(a.matches.iter().all(|m| m.id != format!("e{i}")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_each_question_on_its_own() {
    let s = start().await;
    s.put(expert("e1", "张三", "膜分离")).await;
    let inherits = v1::MatchRequest {
        parent: String::new(),
        ..question("膜分离")
    };
    let batch = v1::MatchBatchRequest {
        parent: PARENT.into(),
        requests: vec![
            inherits,
            v1::MatchRequest {
                k: 0,
                ..question("膜分离")
            },
            question(""),
            question("膜"),
            v1::MatchRequest {
                parent: "tenants/u".into(),
                ..question("膜")
            },
            v1::MatchRequest {
                ask: Some(Ask::Record(format!("{PARENT}/needs/none"))),
                ..question("")
            },
        ],
        ..Default::default()
    };
    let a = s.matches().match_batch(batch).await.unwrap().into_inner();
    let told: Vec<_> = a
        .results
        .into_iter()
        .map(|r| match r.result.unwrap() {
            Answer::Response(r) => format!("{}", r.matches.len()),
            Answer::Problem(p) => {
                assert!(p.message.is_ascii() && !p.message_zh.is_ascii(), "{p:?}");
                format!("{} {} {}", p.code, p.reason, p.field)
            }
        })
        .collect();
    assert_eq!(
        told,
        [
            "1",
            "3 INVALID_FIELD requests[1].k",
            "3 INVALID_FIELD requests[2].text",
            "1",
            "3 INVALID_FIELD requests[4].parent",
            "5 RECORD_NOT_FOUND ",
        ]
    );
    for requests in [
        vec![],
        vec![question("膜"); 201],
        vec![
            v1::MatchRequest {
                k: 1_000,
                ..question("膜")
            };
            21
        ],
    ] {
        let batch = v1::MatchBatchRequest {
            parent: PARENT.into(),
            requests,
            ..Default::default()
        };
        check(
            s.matches().match_batch(batch).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &["requests"],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_explained_whatever_its_rank() {
    let s = start().await;
    for i in 0..5 {
        s.put(expert(&format!("e{i}"), "甲", &"膜分离 ".repeat(5 - i)))
            .await;
    }
    let all = s.ask("膜分离").await.unwrap().matches;
    for m in &all {
        let explain = v1::ExplainRequest {
            question: Some(v1::MatchRequest {
                k: 0,
                ..question("膜分离")
            }),
            candidate: m.name.clone(),
            ..Default::default()
        };
        let e = s.matches().explain(explain).await.unwrap().into_inner();
        let told = e.r#match.unwrap();
        assert_eq!(
            (told.rank, told.score.to_bits()),
            (m.rank, m.score.to_bits())
        );
    }
    // The list it should be on, and who is last of it.
    let last = all.last().unwrap();
    let asked = v1::MatchRequest {
        k: 2,
        ..question("膜分离工艺的改进。需要新的电极材料。")
    };
    let e = s
        .matches()
        .explain(v1::ExplainRequest {
            question: Some(asked.clone()),
            candidate: last.name.clone(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(e.ranked_count, 5);
    assert_eq!(e.ahead.unwrap().rank, 2);
    let told = e.r#match.unwrap();
    assert_eq!(told.clauses.len(), 2);
    assert_eq!(told.clauses[1].asked.as_ref().unwrap().path, "text");
    // Over a page: what nobody covers.
    let asked = v1::MatchRequest {
        include_clauses: true,
        omit_quotes: false,
        ..asked
    };
    let page = s.matches().r#match(asked).await.unwrap().into_inner();
    assert!(page.uncovered.iter().any(|c| c.text.contains("电极")));
    assert!(!page.uncovered.iter().any(|c| c.text.contains("膜分离")));

    let explain = |candidate: &str, filter: &str| v1::ExplainRequest {
        question: Some(v1::MatchRequest {
            filter: filter.into(),
            ..question("膜分离")
        }),
        candidate: format!("{PARENT}/{candidate}"),
        ..Default::default()
    };
    check(
        s.matches().explain(explain("experts/e0", "id = e1")).await,
        Code::FailedPrecondition,
        "RECORD_EXCLUDED",
        &[],
    );
    check(
        s.matches().explain(explain("needs/e0", "")).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
    check(
        s.matches().explain(explain("e0", "")).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["candidate"],
    );
    check(
        s.matches().explain(v1::ExplainRequest::default()).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["question"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_weights_of_the_callers_own() {
    let s = start().await;
    s.put(expert("e1", "张三", "膜分离，截留率达到99.2%")).await;
    s.put(expert("e2", "李四", "膜分离，截留率为90%")).await;
    let ask = question("膜分离，截留率不低于95%");
    let a = s.matches().r#match(ask.clone()).await.unwrap().into_inner();
    for (id, verdict) in [
        ("e1", v1::FigureVerdict::Met),
        ("e2", v1::FigureVerdict::Short),
    ] {
        let m = a.matches.iter().find(|m| m.id == id).unwrap();
        let [f] = m.figures.as_slice() else {
            panic!("{:?}", m.figures)
        };
        assert_eq!(f.verdict(), verdict);
        let (asked, offered) = (f.asked.as_ref().unwrap(), f.offered.as_ref().unwrap());
        assert_eq!(
            (asked.path.as_str(), asked.text.as_str()),
            ("text", "截留率不低于95%")
        );
        assert_eq!(offered.path, "expert.research[0]");
        assert_eq!(f.margin.unwrap() > 0.0, verdict == v1::FigureVerdict::Met);
    }

    let weighed = v1::MatchRequest {
        weights: [("words".to_owned(), 2.0), ("bigrams".to_owned(), 0.0)].into(),
        ..ask.clone()
    };
    let a = s.matches().r#match(weighed).await.unwrap().into_inner();
    let parts = &a.matches[0].parts;
    let weight = |name: &str| parts.iter().find(|p| p.feature == name).map(|p| p.weight);
    assert_eq!((weight("words"), weight("bigrams")), (Some(2.0), None));
    assert!(a.weights_version.ends_with("with words=2,bigrams=0"));

    for (bad, fields) in [
        (
            v1::MatchRequest {
                weights: [("wrods".to_owned(), 1.0)].into(),
                ..ask.clone()
            },
            ["weights"],
        ),
        (
            v1::MatchRequest {
                weights: [("words".to_owned(), f64::NAN)].into(),
                ..ask.clone()
            },
            ["weights.words"],
        ),
        (
            v1::MatchRequest {
                per_organisation: -1,
                ..ask
            },
            ["per_organisation"],
        ),
    ] {
        check(
            s.matches().r#match(bad).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &fields,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_made_together_leave_nobody_out() {
    let s = start().await;
    // One knows a little of all, and each of four knows one thing well.
    let fields = ["膜分离", "固态电池", "激光焊接", "冷链物流"];
    s.put(expert("famous", "院士", &fields.join("、"))).await;
    for (i, f) in fields.iter().enumerate() {
        s.put(expert(&format!("e{i}"), "专家", &format!("{f}工艺")))
            .await;
        s.put(need(&format!("n{i}"), f, &format!("{f}的产线改造")))
            .await;
    }
    let name = |id: String| format!("{PARENT}/needs/{id}");
    let asks = |k| -> Vec<v1::MatchRequest> {
        (0..fields.len())
            .map(|i| v1::MatchRequest {
                ask: Some(v1::match_request::Ask::Record(name(format!("n{i}")))),
                k,
                ..question("")
            })
            .collect()
    };
    let batch = |requests| v1::MatchBatchRequest {
        parent: PARENT.into(),
        requests,
        together: true,
    };
    let mut m = s.matches();
    let answers = m.match_batch(batch(asks(2))).await.unwrap().into_inner();
    let mut on = std::collections::BTreeMap::<String, usize>::new();
    for (i, r) in answers.results.into_iter().enumerate() {
        let Some(v1::match_result::Result::Response(a)) = r.result else {
            panic!("{r:?}");
        };
        assert_eq!(a.matches.len(), 2);
        for (rank, x) in a.matches.iter().enumerate() {
            assert_eq!(x.rank as usize, rank + 1);
            assert!((0.0..=1.0).contains(&x.wanted.unwrap()));
            assert!(x.quote.is_some() && !x.parts.is_empty());
            *on.entry(x.id.clone()).or_default() += 1;
        }
        let own = a.matches.iter().find(|x| x.id == format!("e{i}"));
        assert_eq!(
            own.unwrap().wanted,
            Some(1.0),
            "who knows it well wants it most"
        );
    }
    assert_eq!(on.len(), 5, "{on:?}");

    // Those that are to be kept are.
    let mut keeping = asks(2);
    keeping[..3].iter_mut().for_each(|r| r.keep = true);
    let answers = m.match_batch(batch(keeping)).await.unwrap().into_inner();
    for (i, r) in answers.results.into_iter().enumerate() {
        let Some(v1::match_result::Result::Response(a)) = r.result else {
            panic!("{r:?}");
        };
        let told = v1::GetKeptAnswerRequest {
            parent: PARENT.into(),
            match_id: a.match_id,
        };
        let told = s.outcomes().get_kept_answer(told).await;
        let told = told.ok().map(|t| t.into_inner().matches.len());
        assert_eq!(told, (i < 3).then_some(2));
    }

    let fails = async |requests: Vec<v1::MatchRequest>, field: &str| {
        let e = s.matches().match_batch(batch(requests)).await;
        check(e, Code::InvalidArgument, "INVALID_FIELD", &[field]);
    };
    fails(asks(501), "requests").await;
    fails(vec![question("膜")], "requests[0].record").await;
    let mut twice = asks(1);
    twice.push(twice[0].clone());
    fails(twice, "requests[4].record").await;
    let mut drawn = asks(1);
    drawn[2].exploration = 0.1;
    fails(drawn, "requests[2].diversity").await;
    let mut bad = asks(1);
    bad[3].k = 0;
    fails(bad, "requests[3].k").await;
}
