//! `OutcomeService`: reports are all or nothing, funnels name nobody.

use crate::support::{PARENT, Running, check, expert, question, start};
use queqiao_proto::v1;
use tonic::Code;

async fn kept(s: &Running) -> v1::MatchResponse {
    for i in 0..4 {
        s.put(expert(&format!("e{i}"), "甲", "膜分离 污染")).await;
    }
    let ask = v1::MatchRequest {
        keep: true,
        ..question("膜分离")
    };
    s.matches().r#match(ask).await.unwrap().into_inner()
}

fn outcome(a: &v1::MatchResponse, at: usize, stage: v1::OutcomeStage) -> v1::Outcome {
    v1::Outcome {
        match_id: a.match_id.clone(),
        candidate: a.matches[at].name.clone(),
        stage: stage.into(),
        ..v1::Outcome::default()
    }
}

fn report(outcomes: Vec<v1::Outcome>) -> v1::ReportOutcomesRequest {
    v1::ReportOutcomesRequest {
        parent: PARENT.into(),
        outcomes,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_become_a_funnel() {
    let s = start().await;
    let a = kept(&s).await;
    let declined = v1::Outcome {
        reason: v1::DeclineReason::TooVague.into(),
        event: "直通车".into(),
        ..outcome(&a, 1, v1::OutcomeStage::Declined)
    };
    let all = report(vec![
        outcome(&a, 0, v1::OutcomeStage::Signed),
        declined,
        outcome(&a, 2, v1::OutcomeStage::Shown),
    ]);
    let r = s
        .outcomes()
        .report_outcomes(all.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((r.stored_count, r.known_count), (3, 0));
    let r = s
        .outcomes()
        .report_outcomes(all)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((r.stored_count, r.known_count), (0, 3));
    let ask = v1::GetFunnelRequest {
        parent: PARENT.into(),
        ..v1::GetFunnelRequest::default()
    };
    let f = s
        .outcomes()
        .get_funnel(ask.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((f.answer_count, f.groups.len()), (1, 1));
    let counts: Vec<i64> = f.groups[0].steps.iter().map(|s| s.count).collect();
    assert_eq!(counts, [3, 1, 1, 1, 1]);
    let step = &f.groups[0].steps[1];
    assert!((step.rate.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert!(
        step.rate_low.unwrap() < step.rate.unwrap() && step.rate.unwrap() < step.rate_high.unwrap()
    );
    assert_eq!(f.groups[0].declined_count, 1);
    assert_eq!(f.groups[0].reasons[0].reason(), v1::DeclineReason::TooVague);
    let by_event = v1::GetFunnelRequest {
        group_by: v1::FunnelGrouping::Event.into(),
        ..ask.clone()
    };
    let f = s
        .outcomes()
        .get_funnel(by_event)
        .await
        .unwrap()
        .into_inner();
    let groups: Vec<&str> = f.groups.iter().map(|g| g.group.as_str()).collect();
    assert_eq!(groups, ["", "直通车"]);
    let earlier = v1::GetFunnelRequest {
        until: Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 0,
        }),
        ..ask
    };
    let f = s.outcomes().get_funnel(earlier).await.unwrap().into_inner();
    assert_eq!((f.answer_count, f.groups.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_does_not_read_names_the_field() {
    let s = start().await;
    let a = kept(&s).await;
    let good = outcome(&a, 0, v1::OutcomeStage::Met);
    let cases = [
        (
            v1::Outcome {
                stage: 0,
                ..good.clone()
            },
            "outcomes[1].stage",
        ),
        (
            v1::Outcome {
                stage: 99,
                ..good.clone()
            },
            "outcomes[1].stage",
        ),
        (
            v1::Outcome {
                reason: 99,
                ..good.clone()
            },
            "outcomes[1].reason",
        ),
        (
            v1::Outcome {
                match_id: "x".into(),
                ..good.clone()
            },
            "outcomes[1].match_id",
        ),
        (
            v1::Outcome {
                candidate: "e0".into(),
                ..good.clone()
            },
            "outcomes[1].candidate",
        ),
        (
            v1::Outcome {
                candidate: "tenants/other/experts/e0".into(),
                ..good.clone()
            },
            "outcomes[1].candidate",
        ),
        (
            v1::Outcome {
                time: Some(prost_types::Timestamp {
                    seconds: i64::MAX,
                    nanos: 0,
                }),
                ..good.clone()
            },
            "outcomes[1].time",
        ),
        (
            v1::Outcome {
                time: Some(prost_types::Timestamp {
                    seconds: 1,
                    nanos: -1,
                }),
                ..good.clone()
            },
            "outcomes[1].time",
        ),
    ];
    for (bad, field) in cases {
        let answer = s
            .outcomes()
            .report_outcomes(report(vec![good.clone(), bad]))
            .await;
        check(answer, Code::InvalidArgument, "INVALID_FIELD", &[field]);
    }
    let answer = s.outcomes().report_outcomes(report(Vec::new())).await;
    check(
        answer,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["outcomes"],
    );
    let ask = v1::GetFunnelRequest {
        parent: PARENT.into(),
        group_by: 77,
        ..v1::GetFunnelRequest::default()
    };
    check(
        s.outcomes().get_funnel(ask).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["group_by"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_is_told_again_as_it_was_given() {
    let s = start().await;
    let a = kept(&s).await;
    let ask = |id: &str| v1::GetKeptAnswerRequest {
        parent: PARENT.into(),
        match_id: id.into(),
    };
    let first = s.outcomes().get_kept_answer(ask(&a.match_id)).await;
    let first = first.unwrap().into_inner();
    assert_eq!(
        (
            &first.match_id,
            &first.model,
            &first.weights_version,
            first.seq
        ),
        (&a.match_id, &a.model, &a.weights_version, a.seq)
    );
    assert_eq!(first.asker, "");
    let now = jiff::Timestamp::now().as_second();
    assert!((now - first.time.unwrap().seconds).abs() < 600);
    assert_eq!(first.matches.len(), a.matches.len());
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    for (m, given) in first.matches.iter().zip(&a.matches) {
        assert_eq!((&m.name, m.rank), (&given.name, given.rank));
        assert!(near(m.score, given.score));
        assert_eq!(m.parts.len(), given.parts.len());
        for (p, given) in m.parts.iter().zip(&given.parts) {
            assert_eq!((&p.feature, p.weight), (&given.feature, given.weight));
            assert_eq!(p.value.is_some(), given.value.is_some());
            assert!(near(p.contribution, given.contribution));
        }
        assert!(near(m.parts.iter().map(|p| p.contribution).sum(), m.score));
    }

    // Whatever changes, it stays; who is erased leaves it.
    s.put(expert("e0", "乙", "完全不同的研究")).await;
    let again = s.outcomes().get_kept_answer(ask(&a.match_id)).await;
    assert_eq!(again.unwrap().into_inner(), first);
    let gone = a.matches[1].name.clone();
    let erase = v1::EraseRecordRequest {
        name: gone.clone(),
        ..v1::EraseRecordRequest::default()
    };
    s.records().erase_record(erase).await.unwrap();
    let left = s.outcomes().get_kept_answer(ask(&a.match_id)).await;
    let left: Vec<String> = left
        .unwrap()
        .into_inner()
        .matches
        .into_iter()
        .map(|m| m.name)
        .collect();
    assert_eq!(left.len(), a.matches.len() - 1);
    assert!(!left.contains(&gone));
    check(
        s.outcomes().get_kept_answer(ask("nothing")).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["match_id"],
    );
}
