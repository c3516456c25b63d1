//! `TeamService`: a 科技服务团 for one park, from the request's own lists and from the store.

use crate::support::{PARENT, check, expert, need, start, told};
use queqiao_proto::v1;
use std::collections::BTreeSet;
use tonic::Code;
use tonic_types::StatusExt;

/// 30 needs of a park and 80 candidates, with scores.
fn park() -> v1::GivenTeam {
    let candidate = |e: usize| v1::TeamCandidate {
        id: format!("E{e:02}"),
        name: format!("专家{e:02}"),
        institution: format!("大学{:02}", e % 20),
        societies: vec![format!("学会{}", e % 5)],
        may_lead: e.is_multiple_of(3),
        cost: 0.5 + (e % 7) as f64 * 0.3,
        kept_out_by: (e % 9 == 8)
            .then(|| "路程超过 600 公里".to_owned())
            .into_iter()
            .collect(),
        ..Default::default()
    };
    v1::GivenTeam {
        needs: (0..30)
            .map(|n| v1::TeamNeed {
                id: format!("N{n:02}"),
                weight: Some(1.0 + (n % 3) as f64),
                ..Default::default()
            })
            .collect(),
        candidates: (0..80).map(candidate).collect(),
        scores: (0..30)
            .flat_map(|n| (0..80).map(move |e| (n, e)))
            .filter(|(n, e)| n % 8 == e % 8)
            .map(|(n, e)| v1::PairScore {
                asker: format!("N{n:02}"),
                answerer: format!("E{e:02}"),
                score: ((n * 31 + e * 17) % 50) as f64 / 100.0 + 0.4,
            })
            .collect(),
        must: Vec::new(),
        must_not: vec!["E08".into()],
    }
}

fn limits() -> v1::TeamLimits {
    v1::TeamLimits {
        size: Some(8),
        budget: Some(9.0),
        max_per_institution: Some(1),
        min_societies: 3,
        min_leads: 1,
    }
}

fn request(given: v1::GivenTeam, limits: v1::TeamLimits) -> v1::ComposeTeamRequest {
    v1::ComposeTeamRequest {
        parent: PARENT.into(),
        source: Some(v1::compose_team_request::Source::Given(given)),
        limits: Some(limits),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_team_for_one_park() {
    let s = start().await;
    let answer = s
        .teams()
        .compose_team(request(park(), limits()))
        .await
        .unwrap();
    let team = answer.into_inner();
    assert!(team.proven && team.finished && team.value <= team.bound + 1e-9);
    assert!((1..=8).contains(&team.members.len()) && team.members[0].may_lead);
    assert!(team.cost <= 9.0 + 1e-9 && team.societies >= 3);
    let number = |id: &str| id[1..].parse::<usize>().unwrap();
    let houses: BTreeSet<usize> = team.members.iter().map(|m| number(&m.id) % 20).collect();
    assert_eq!(houses.len(), team.members.len(), "one of an institution");
    assert!(
        team.members
            .iter()
            .all(|m| number(&m.id) % 9 != 8 && m.alternates.len() <= 2)
    );
    assert_eq!(team.coverage.len(), 30);
    for c in &team.coverage {
        assert!(
            c.by.is_empty()
                || team
                    .members
                    .iter()
                    .any(|m| m.id == c.by && m.covers.contains(&c.need))
        );
        assert!(c.score <= c.best_of_all + 1e-12);
        assert_eq!(c.gap, c.score < 0.3);
    }
    assert!(team.worst_drop < team.cover);

    // What cannot be says what collides, and the cheapest way out.
    let poor = v1::TeamLimits {
        budget: Some(0.3),
        ..limits()
    };
    let status = s
        .teams()
        .compose_team(request(park(), poor))
        .await
        .unwrap_err();
    let (code, reason, _) = told(&status);
    assert_eq!(
        (code, reason.as_str()),
        (Code::FailedPrecondition, "TEAM_IMPOSSIBLE")
    );
    let details = status.get_error_details();
    let collision = &details.precondition_failure().unwrap().violations;
    assert!(
        collision.iter().any(|v| v.r#type == "budget"),
        "{collision:?}"
    );
    assert!(
        details
            .error_info()
            .unwrap()
            .metadata
            .contains_key("relaxation_1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consortium_of_complementary_members() {
    let s = start().await;
    let mut given = park();
    given.needs.truncate(4);
    given
        .scores
        .retain(|x| given.needs.iter().any(|n| n.id == x.asker));
    given.must_not.clear();
    let ask = v1::ComposeConsortiumRequest {
        parent: PARENT.into(),
        source: Some(v1::compose_consortium_request::Source::Given(given)),
        max_parts_each: Some(1),
        ..Default::default()
    };
    let found = s
        .teams()
        .compose_consortium(ask)
        .await
        .unwrap()
        .into_inner();
    assert!(found.proven);
    assert_eq!(found.parts.len(), 4);
    let leads: BTreeSet<&str> = found.parts.iter().map(|p| p.lead.as_str()).collect();
    assert_eq!(leads.len(), 4, "one part each");
    assert!(
        found
            .members
            .iter()
            .all(|m| (0.0..=1.0).contains(&m.overlap))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_for_stored_needs() {
    let s = start().await;
    for i in 0..6 {
        let text = ["膜污染控制", "激光焊接", "酶制剂发酵"][i % 3];
        s.put(expert(&format!("e{i}"), &format!("专家{i}"), text))
            .await;
    }
    s.put(need("n0", "膜", "膜污染控制")).await;
    s.put(need("n1", "焊", "激光焊接")).await;
    let stored = |names: &[&str], must: &[&str]| v1::ComposeTeamRequest {
        parent: PARENT.into(),
        source: Some(v1::compose_team_request::Source::Stored(v1::StoredTeam {
            needs: names
                .iter()
                .map(|n| v1::StoredNeed {
                    name: format!("{PARENT}/needs/{n}"),
                    weight: None,
                })
                .collect(),
            must: must
                .iter()
                .map(|e| format!("{PARENT}/experts/{e}"))
                .collect(),
            ..Default::default()
        })),
        limits: Some(v1::TeamLimits {
            size: Some(2),
            ..Default::default()
        }),
        ..Default::default()
    };
    let team = s
        .teams()
        .compose_team(stored(&["n0", "n1"], &["e4"]))
        .await
        .unwrap()
        .into_inner();
    let ids: BTreeSet<&str> = team.members.iter().map(|m| m.id.as_str()).collect();
    assert!(ids.contains("e4") && ids.len() == 2, "{team:?}");
    assert!(ids.contains("e0") || ids.contains("e3"), "{team:?}");
    check(
        s.teams().compose_team(stored(&["none"], &[])).await,
        Code::NotFound,
        "RECORD_NOT_FOUND",
        &[],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_its_path() {
    let s = start().await;
    let fails = async |given: v1::GivenTeam, limits: v1::TeamLimits, fields: &[&str]| {
        let answer = s.teams().compose_team(request(given, limits)).await;
        check(answer, Code::InvalidArgument, "INVALID_FIELD", fields);
    };
    let with = |change: &dyn Fn(&mut v1::GivenTeam)| {
        let mut given = park();
        change(&mut given);
        given
    };
    fails(with(&|g| g.needs.clear()), limits(), &["given.needs"]).await;
    fails(
        with(&|g| {
            g.needs[29].id = "N00".into();
            g.scores.clear();
        }),
        limits(),
        &["given.needs[29].id"],
    )
    .await;
    fails(
        with(&|g| g.needs[0].weight = Some(0.0)),
        limits(),
        &["given.needs[0].weight"],
    )
    .await;
    fails(
        with(&|g| g.candidates[2].cost = f64::NAN),
        limits(),
        &["given.candidates[2].cost"],
    )
    .await;
    fails(
        with(&|g| g.must = vec!["谁".into()]),
        limits(),
        &["given.must[0]"],
    )
    .await;
    let none = v1::TeamLimits {
        size: Some(0),
        budget: Some(-1.0),
        ..limits()
    };
    fails(park(), none, &["limits.size", "limits.budget"]).await;
    let empty = v1::ComposeTeamRequest {
        parent: PARENT.into(),
        ..Default::default()
    };
    check(
        s.teams().compose_team(empty).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["source"],
    );
}
