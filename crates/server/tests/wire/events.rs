//! `EventService`: a whole 对接会 over the wire, its changes, and everything that can be wrong.

use crate::support::{PARENT, Running, check, config, soon, start, start_with, told};
use queqiao_proto::v1;
use queqiao_server::ServerConfig;
use std::{collections::BTreeSet, time::Duration};
use tonic::Code;
use tonic_types::StatusExt;

const DAY: &str = "2026-12-03";
const FIELDS: [&str; 8] = [
    "锂电池负极材料",
    "工业机器视觉",
    "污泥资源化",
    "海上风电叶片",
    "医用高分子材料",
    "盾构机刀具",
    "激光焊接",
    "酶制剂发酵",
];

fn span(begin: &str, end: &str) -> v1::TimeSpan {
    v1::TimeSpan {
        begin: format!("{DAY}T{begin}"),
        end: format!("{DAY}T{end}"),
    }
}

fn person(id: String, name: String, side: v1::EventSide, text: String) -> v1::Participant {
    v1::Participant {
        profile: Some(v1::Profile {
            id,
            organisation: format!("{name}的单位"),
            name,
            ..Default::default()
        }),
        side: side as i32,
        text,
        ..Default::default()
    }
}

fn bar(a: &str, b: &str, reason: &str) -> v1::Bar {
    v1::Bar {
        a: a.into(),
        b: b.into(),
        reason: reason.into(),
    }
}

/// 80 needs of 50 enterprises, 60 experts, one day, 20 tables, 2 conflicts.
fn event() -> v1::Event {
    let mut participants: Vec<_> = (0..50)
        .map(|c| {
            person(
                format!("C{c:02}"),
                format!("企业{c:02}"),
                v1::EventSide::Asks,
                String::new(),
            )
        })
        .collect();
    participants.extend((0..60).map(|e| {
        let text = format!("{}的在线检测与寿命提升研究", FIELDS[e % 8]);
        let mut p = person(
            format!("E{e:02}"),
            format!("专家{e:02}"),
            v1::EventSide::Answers,
            text,
        );
        match e {
            3 => p.present = vec![span("10:00", "17:00")],
            11 => p.absent = vec![span("10:00", "11:00")],
            _ => {}
        }
        p
    }));
    let slots = (18..24)
        .chain(27..34)
        .map(|half: u32| {
            let begin = format!("{:02}:{:02}", half / 2, half % 2 * 30);
            let end = format!("{:02}:{:02}", half / 2, half % 2 * 30 + 25);
            span(&begin, &end)
        })
        .collect();
    v1::Event {
        name: "低碳制造对接会".into(),
        slots,
        tables: (1..=20)
            .map(|t| v1::EventTable {
                name: t.to_string(),
                ..Default::default()
            })
            .collect(),
        participants,
        needs: (0..80)
            .map(|n| v1::EventNeed {
                id: format!("N{n:02}"),
                title: format!("{}的在线检测", FIELDS[(n * 3) % 8]),
                participant: format!("C{:02}", n % 50),
                ..Default::default()
            })
            .collect(),
        wishes: vec![v1::Wish {
            from: "N03".into(),
            to: "E01".into(),
            kind: v1::WishKind::Must as i32,
            strength: None,
        }],
        bars: vec![bar("C01", "E09", "股东"), bar("E16", "C02", "导师关系")],
        rules: Some(v1::EventRules {
            max_meetings_per_expert: Some(6),
            no_show: Some(0.08),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn request(event: v1::Event) -> v1::PlanEventRequest {
    v1::PlanEventRequest {
        parent: PARENT.into(),
        event: Some(event),
    }
}

async fn plan(s: &Running, event: v1::Event) -> v1::EventPlan {
    let answer = s.events().plan_event(request(event)).await.unwrap();
    answer.into_inner().plan.unwrap()
}

/// What every plan has to keep, seen from the outside.
fn keeps(event: &v1::Event, plan: &v1::EventPlan) {
    let company = |need: &str| {
        let need = event.needs.iter().find(|n| n.id == need).unwrap();
        need.participant.clone()
    };
    let (mut busy, mut tables) = (BTreeSet::new(), BTreeSet::new());
    for m in &plan.meetings {
        let c = company(&m.need);
        assert!(
            !event
                .bars
                .iter()
                .any(|b| { [(&b.a, &b.b), (&b.b, &b.a)].contains(&(&c, &m.expert)) })
        );
        let Some(time) = &m.time else { continue };
        assert!(event.slots.contains(time), "{time:?}");
        assert!(busy.insert((c, time.begin.clone())));
        assert!(busy.insert((m.expert.clone(), time.begin.clone())));
        assert!(tables.insert((m.table.clone(), time.begin.clone())));
        let expert = event
            .participants
            .iter()
            .find(|p| p.profile.as_ref().is_some_and(|x| x.id == m.expert));
        let expert = expert.unwrap();
        assert!(!expert.cancelled);
        assert!(
            expert
                .present
                .iter()
                .all(|p| p.begin <= time.begin && time.end <= p.end)
        );
        assert!(
            expert
                .absent
                .iter()
                .all(|a| time.end <= a.begin || a.end <= time.begin)
        );
    }
    let f = plan.figures.as_ref().unwrap();
    assert!(f.held_worth <= f.held_bound + 1e-6 && f.listed_worth <= f.listed_bound + 1e-6);
    assert!(f.finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_event_over_the_wire_and_its_three_cancellations() {
    let s = start().await;
    let mut event = event();
    let first = plan(&s, event.clone()).await;
    keeps(&event, &first);
    let f = first.figures.as_ref().unwrap();
    assert_eq!((f.needs, f.experts, f.seats), (80, 60, 260));
    assert!(f.needs_met >= 78, "{f:?}");
    let must = first
        .meetings
        .iter()
        .find(|m| (m.need.as_str(), m.expert.as_str()) == ("N03", "E01"));
    assert!(must.is_some_and(|m| m.time.is_some()));
    assert!(!first.standby.is_empty());
    assert_eq!(
        plan(&s, event.clone()).await,
        first,
        "the same request, the same plan"
    );

    for gone in ["E05", "E10", "C20"] {
        let p = event
            .participants
            .iter_mut()
            .find(|p| p.profile.as_ref().unwrap().id == gone);
        p.unwrap().cancelled = true;
    }
    let replan = v1::ReplanEventRequest {
        parent: PARENT.into(),
        event: Some(event.clone()),
        before: first.meetings.clone(),
    };
    let after = s.events().replan_event(replan).await.unwrap().into_inner();
    let second = after.plan.unwrap();
    keeps(&event, &second);
    let key = |m: &v1::PlannedMeeting| (m.need.clone(), m.expert.clone());
    let gone = |m: &v1::PlannedMeeting| {
        ["E05", "E10"].contains(&m.expert.as_str()) || ["N20", "N70"].contains(&m.need.as_str())
    };
    let held = |p: &v1::EventPlan| -> Vec<v1::PlannedMeeting> {
        p.meetings
            .iter()
            .filter(|m| m.time.is_some())
            .cloned()
            .collect()
    };
    let now = held(&second);
    assert!(!now.iter().any(gone));
    for old in held(&first).iter().filter(|m| !gone(m)) {
        let same = now.iter().find(|m| key(m) == key(old));
        assert_eq!(
            same.map(|m| (&m.time, &m.table)),
            Some((&old.time, &old.table)),
            "stays"
        );
    }
    let dropped = v1::PlanChangeKind::Dropped as i32;
    let fallen = held(&first).iter().filter(|m| gone(m)).count();
    assert_eq!(
        after.changes.iter().filter(|c| c.kind == dropped).count(),
        fallen
    );
    let told = &after.changes[0];
    assert!(
        told.why.as_ref().unwrap().en.contains("does not come"),
        "{told:?}"
    );
    assert!(told.begin_before.starts_with(DAY) && told.begin.is_empty());

    // Why, in both languages.
    let ask = |need: &str, expert: &str| v1::ExplainMeetingRequest {
        parent: PARENT.into(),
        event: Some(event.clone()),
        need: need.into(),
        expert: expert.into(),
    };
    let why = async |need: &str, expert: &str| {
        let answer = s.events().explain_meeting(ask(need, expert)).await.unwrap();
        answer.into_inner()
    };
    let barred = why("N01", "E09").await.why.unwrap();
    assert!(barred.en.contains("may not meet: 股东") && barred.zh.contains("须回避"));
    let met = why("N03", "E01").await;
    assert!(met.time.is_some() && met.why.unwrap().en.contains("meets"));
    let e = s.events().explain_meeting(ask("N99", "C01")).await;
    check(
        e,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["need", "expert"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_its_path() {
    let s = start().await;
    let fails = async |change: &dyn Fn(&mut v1::Event), fields: &[&str]| {
        let mut e = event();
        change(&mut e);
        let answer = s.events().plan_event(request(e)).await;
        check(answer, Code::InvalidArgument, "INVALID_FIELD", fields);
    };
    fails(
        &|e| e.participants[1] = e.participants[0].clone(),
        &["event.participants[1].profile.id"],
    )
    .await;
    fails(
        &|e| e.participants[0].side = 0,
        &["event.participants[0].side"],
    )
    .await;
    fails(
        &|e| e.participants[60].max_meetings = Some(0),
        &["event.participants[60].max_meetings"],
    )
    .await;
    fails(
        &|e| e.participants[60].present = vec![span("15:00", "14:00")],
        &["event.participants[60].present[0].end"],
    )
    .await;
    fails(
        &|e| {
            e.participants[60].absent = vec![v1::TimeSpan {
                begin: "46359".into(),
                end: "2027-01-01T09:00".into(),
            }]
        },
        &[
            "event.participants[60].absent[0].begin",
            "event.participants[60].absent[0].end",
        ],
    )
    .await;
    fails(
        &|e| e.needs[0].participant = "没来的".into(),
        &["event.needs[0].participant"],
    )
    .await;
    fails(
        &|e| e.needs[0].participant = "E01".into(),
        &["event.needs[0].participant"],
    )
    .await;
    fails(&|e| e.wishes[0].to = "无名".into(), &["event.wishes[0].to"]).await;
    fails(&|e| e.wishes[0].to = "C01".into(), &["event.wishes[0].to"]).await;
    fails(&|e| e.bars[0].b = "C01".into(), &["event.bars[0].b"]).await;
    fails(
        &|e| e.slots[1] = e.slots[0].clone(),
        &["event.slots[1].begin"],
    )
    .await;
    fails(
        &|e| e.tables[3].name = "1".into(),
        &["event.tables[3].name"],
    )
    .await;
    fails(&|e| e.tables.clear(), &["event.tables"]).await;
    fails(
        &|e| {
            e.fixed_meetings = vec![v1::FixedMeeting {
                need: "N01".into(),
                expert: "E01".into(),
                begin: format!("{DAY}T09:10"),
                table: String::new(),
            }];
        },
        &["event.fixed_meetings[0].begin"],
    )
    .await;
    let score = |score: f64| v1::PairScore {
        asker: "N01".into(),
        answerer: "E01".into(),
        score,
    };
    fails(
        &|e| e.scores = vec![score(f64::NAN), score(0.5), score(0.5)],
        &["event.scores[0].score", "event.scores[2]"],
    )
    .await;
    fails(
        &|e| {
            e.rules = Some(v1::EventRules {
                objective: 99,
                no_show: Some(2.0),
                ..Default::default()
            })
        },
        &["event.rules.no_show", "event.rules.objective"],
    )
    .await;
    fails(
        &|e| e.slots = vec![span("09:00", "09:20"); 2_001],
        &["event.slots"],
    )
    .await;
    let none = v1::PlanEventRequest {
        parent: "x".into(),
        event: None,
    };
    check(
        s.events().plan_event(none).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["parent"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_cannot_be_had_say_what_collides_and_the_ways_out() {
    let s = start().await;
    let mut e = event();
    e.wishes = vec![v1::Wish {
        from: "C01".into(),
        to: "E09".into(),
        kind: v1::WishKind::Must as i32,
        strength: None,
    }];
    let status = s.events().plan_event(request(e)).await.unwrap_err();
    let (code, reason, _) = told(&status);
    assert_eq!(
        (code, reason.as_str()),
        (Code::FailedPrecondition, "PLAN_IMPOSSIBLE")
    );
    let details = status.get_error_details();
    let collision = &details.precondition_failure().unwrap().violations;
    assert!(
        collision.iter().any(|v| v.subject.contains("E09")),
        "{collision:?}"
    );
    let way = &details.error_info().unwrap().metadata["relaxation_1"];
    assert!(way.contains("give up the wish"), "{way}");
    let zh = details.localized_message().unwrap();
    assert!(zh.message.contains("无法同时满足"), "{zh:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_frees_the_planner() {
    // One planner at a time.
    let s = start_with(ServerConfig {
        workers: 1,
        ..config()
    })
    .await;
    let mut heavy = event();
    heavy.rules.as_mut().unwrap().objective = v1::ListObjective::Nash as i32;
    // Everybody suits everybody: far more work than the deadline allows.
    heavy.participants.extend((0..1_500).map(|e| {
        person(
            format!("X{e}"),
            format!("外{e}"),
            v1::EventSide::Answers,
            String::new(),
        )
    }));
    heavy.scores = (0..80)
        .flat_map(|n| (0..1_500).map(move |e| (n, e)))
        .map(|(n, e)| v1::PairScore {
            asker: format!("N{n:02}"),
            answerer: format!("X{e}"),
            score: ((n * 7_919 + e * 104_729) % 997) as f64 / 997.0,
        })
        .collect();
    let call = tokio::spawn({
        let mut client = s.events();
        async move { client.plan_event(request(heavy)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    call.abort();
    let small = soon(plan(&s, event())).await;
    keeps(&event(), &small);
}

#[tokio::test(flavor = "multi_thread")]
async fn panels_roundtables_and_tracks() {
    let s = start().await;
    let profile = |id: &str, organisation: &str| {
        Some(v1::Profile {
            id: id.into(),
            organisation: organisation.into(),
            ..Default::default()
        })
    };
    let park = |id: &str, district: &str, area: f64, priority: f64| v1::Application {
        profile: profile(id, &format!("{id}园")),
        district: district.into(),
        figures: [("孵化面积".to_owned(), area)].into(),
        priority,
        reviewers: Some(2),
        text: "低碳制造".into(),
    };
    let reviewer = |i: usize| v1::Reviewer {
        profile: profile(&format!("R{i}"), if i == 0 { "A园" } else { "某大学" }),
        text: "低碳制造研究".into(),
        min_load: 1,
        max_load: Some(2),
    };
    let panels = v1::FormPanelsRequest {
        parent: PARENT.into(),
        applications: vec![
            park("A", "南山", 2_500.0, 3.0),
            park("B", "南山", 2_000.0, 2.0),
            park("C", "南山", 9_000.0, 1.0),
            park("D", "天河", 1_800.0, 9.0),
        ],
        reviewers: (0..3).map(reviewer).collect(),
        rules: vec![v1::Eligibility {
            figure: "孵化面积".into(),
            min: Some(2_000.0),
            max: None,
            unit: "m²".into(),
        }],
        max_per_district: Some(2),
        ..Default::default()
    };
    let done = s.events().form_panels(panels).await.unwrap().into_inner();
    let out: Vec<(&str, &str)> = done
        .left_out
        .iter()
        .map(|l| (l.id.as_str(), l.why.as_ref().unwrap().en.as_str()))
        .collect();
    assert_eq!(out[0].0, "C");
    assert_eq!(out[1], ("D", "孵化面积 is 1800 m²; asked is ≥ 2000 m²"));
    assert_eq!(
        done.kept_apart[0].rules,
        [v1::ConflictRule::SameOrganisation as i32]
    );
    let a = done.panels.iter().find(|p| p.application == "A").unwrap();
    assert!(a.seats.len() == 2 && a.seats.iter().all(|x| x.reviewer != "R0"));

    let guest = |id: &str, side: v1::EventSide| v1::Guest {
        profile: profile(id, id),
        side: side as i32,
        text: "激光焊接".into(),
    };
    let rounds = v1::SeatRoundtablesRequest {
        parent: PARENT.into(),
        guests: vec![
            guest("h1", v1::EventSide::Hosts),
            guest("h2", v1::EventSide::Hosts),
            guest("a1", v1::EventSide::Asks),
            guest("a2", v1::EventSide::Asks),
            guest("s1", v1::EventSide::Answers),
            guest("s2", v1::EventSide::Answers),
        ],
        tables: ["激光", "焊接"]
            .map(|name| v1::Roundtable {
                name: name.into(),
                text: format!("{name}技术"),
                max_seats: 4,
                ..Default::default()
            })
            .to_vec(),
        bars: vec![bar("a1", "s1", "诉讼")],
        ..Default::default()
    };
    let seated = s
        .events()
        .seat_roundtables(rounds.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(seated.left_out.is_empty());
    for t in &seated.tables {
        assert_eq!(t.guests.len(), 3, "{t:?}");
        assert!(t.guests[0].starts_with('h'));
        assert!(!(t.guests.contains(&"a1".into()) && t.guests.contains(&"s1".into())));
    }
    let mut bad = rounds;
    bad.tables[0].max_seats = 0;
    bad.bars[0].b = "a1".into();
    check(
        s.events().seat_roundtables(bad).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["tables[0].max_seats", "bars[0].b"],
    );

    let trl = |level| {
        Some(v1::Readiness {
            level,
            scale: v1::ReadinessScale::Trl as i32,
        })
    };
    let project = |id: &str, level: i32| v1::Project {
        id: id.into(),
        organisation: id.into(),
        text: "新能源汽车电池".into(),
        readiness: trl(level),
        ..Default::default()
    };
    let tracks = v1::FillTracksRequest {
        parent: PARENT.into(),
        projects: vec![project("p1", 8), project("p2", 7), project("p3", 3)],
        tracks: vec![v1::ProjectListing {
            name: "造车健城".into(),
            text: "新能源汽车".into(),
            places: 3,
            gate: trl(6),
        }],
        enterprises: vec![v1::ProjectListing {
            name: "企业甲".into(),
            text: "电池".into(),
            places: 1,
            gate: None,
        }],
        ..Default::default()
    };
    let filled = s.events().fill_tracks(tracks).await.unwrap().into_inner();
    let stage: BTreeSet<&str> = filled.listings[0]
        .roadshow
        .iter()
        .map(String::as_str)
        .collect();
    assert_eq!(stage, ["p1", "p2"].into());
    let refusal = &filled.refusals[0];
    assert_eq!(
        (refusal.listing.as_str(), refusal.project.as_str()),
        ("造车健城", "p3")
    );
    assert_eq!(filled.listings[1].projects.len(), 1);
}
