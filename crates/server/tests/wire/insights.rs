//! `InsightService` and `MatchService.Clarify`.

use crate::support::{PARENT, Running, check, expert, need, question, start};
use queqiao_proto::v1;
use tonic::Code;

async fn market(s: &Running) {
    for i in 0..3 {
        s.put(expert(&format!("e{i}"), "甲", "隔膜涂层")).await;
    }
    s.put(need(
        "n1",
        "湿法隔膜",
        "隔膜涂层在减薄之后掉粉严重，热收缩也不合格",
    ))
    .await;
    s.put(need(
        "n2",
        "湿法隔膜",
        "隔膜涂层在减薄之后掉粉严重，热收缩也不合格，急",
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vague_text_is_asked_back() {
    let s = start().await;
    market(&s).await;
    let ask = v1::ClarifyRequest {
        question: Some(v1::MatchRequest {
            k: 0,
            ..question("隔膜涂层在减薄之后掉粉严重，热收缩也不合格")
        }),
    };
    let c = s.matches().clarify(ask).await.unwrap().into_inner();
    assert_eq!(c.parts.len(), 10);
    let there: f64 = c.parts.iter().filter(|p| p.present).map(|p| p.weight).sum();
    assert!((c.description_score - there).abs() < 1e-9 && c.description_score < 0.5);
    assert!(c.questions.iter().any(|q| q.about == "targets"));
    let text = c.questions[0].question.as_ref().unwrap();
    assert!(!text.en.is_empty() && !text.zh.is_empty());
    let names: Vec<&str> = c.near_duplicates.iter().map(|d| d.name.as_str()).collect();
    assert!(
        names.contains(&format!("{PARENT}/needs/n2").as_str()),
        "{names:?}"
    );
    let nobody = v1::ClarifyRequest { question: None };
    check(
        s.matches().clarify(nobody).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["question.parent"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_chains() {
    let s = start().await;
    market(&s).await;
    let ask = v1::FindDuplicatesRequest {
        parent: PARENT.into(),
        kind: v1::Kind::Need.into(),
        ..v1::FindDuplicatesRequest::default()
    };
    let d = s
        .insights()
        .find_duplicates(ask.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((d.compared_count, d.found_count), (2, 1));
    assert_eq!(d.pairs[0].first, format!("{PARENT}/needs/n1"));
    assert!(d.pairs[0].similarity > 0.7);
    for (bad, field) in [
        (
            v1::FindDuplicatesRequest {
                kind: 0,
                ..ask.clone()
            },
            "kind",
        ),
        (
            v1::FindDuplicatesRequest {
                kind: 77,
                ..ask.clone()
            },
            "kind",
        ),
        (
            v1::FindDuplicatesRequest {
                limit: -1,
                ..ask.clone()
            },
            "limit",
        ),
        (
            v1::FindDuplicatesRequest {
                limit: i32::MAX,
                ..ask.clone()
            },
            "limit",
        ),
        (
            v1::FindDuplicatesRequest {
                least_similarity: 0.01,
                ..ask.clone()
            },
            "least_similarity",
        ),
        (
            v1::FindDuplicatesRequest {
                least_similarity: f64::NAN,
                ..ask
            },
            "least_similarity",
        ),
    ] {
        check(
            s.insights().find_duplicates(bad).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &[field],
        );
    }

    let node = |id: &str, name: &str| v1::ChainNode {
        id: id.into(),
        name: name.into(),
        description: String::new(),
    };
    let edge = |from: &str, to: &str| v1::ChainEdge {
        from: from.into(),
        to: to.into(),
    };
    let chain = v1::MapChainRequest {
        parent: PARENT.into(),
        nodes: vec![node("a", "隔膜涂层"), node("b", "电芯")],
        edges: vec![edge("a", "b")],
        ..v1::MapChainRequest::default()
    };
    let c = s
        .insights()
        .map_chain(chain.clone())
        .await
        .unwrap()
        .into_inner();
    let a = c.nodes.iter().find(|n| n.id == "a").unwrap();
    assert_eq!((a.stage, a.demand_count), (0, 2));
    assert_eq!(a.supply[0].count, 3);
    assert_eq!(a.gap, 0.75);
    assert!(
        a.fillers[0]
            .name
            .starts_with(&format!("{PARENT}/experts/e"))
    );
    for (bad, field) in [
        (
            v1::MapChainRequest {
                nodes: Vec::new(),
                ..chain.clone()
            },
            "nodes",
        ),
        (
            v1::MapChainRequest {
                edges: vec![edge("a", "x")],
                ..chain.clone()
            },
            "edges[0]",
        ),
        (
            v1::MapChainRequest {
                edges: vec![edge("a", "b"), edge("b", "a")],
                ..chain.clone()
            },
            "edges",
        ),
        (
            v1::MapChainRequest {
                region: "月球".into(),
                ..chain.clone()
            },
            "region",
        ),
        (
            v1::MapChainRequest {
                filler_count: 101,
                ..chain.clone()
            },
            "filler_count",
        ),
        (
            v1::MapChainRequest {
                least_score: f64::NAN,
                ..chain.clone()
            },
            "least_score",
        ),
        (
            v1::MapChainRequest {
                today: "tomorrow".into(),
                ..chain
            },
            "today",
        ),
    ] {
        check(
            s.insights().map_chain(bad).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &[field],
        );
    }
}
