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
