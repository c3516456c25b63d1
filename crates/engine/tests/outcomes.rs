//! Outcomes: stored once, counted right, forgotten with the person, learned from without bias.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{Date, Kind, Record, TenantId};
use queqiao_engine::{
    Ask, Code, Decline, Engine, EngineOptions, Feature, FitParams, FunnelBy, FunnelRequest,
    LearnOptions, MatchRequest, MatchResponse, OutcomeReport, Stage, Weights, Write, WriteBatch,
    embed::testing::HashingEmbedder, fit,
};
use queqiao_testkit::{expert, id, need};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

const TODAY: Date = Date::constant(2026, 11, 26);

fn open(dir: &Path) -> Engine {
    let embedder = Arc::new(HashingEmbedder::new(64, 1));
    Engine::open(dir, embedder, EngineOptions::default()).unwrap()
}

fn t() -> TenantId {
    TenantId::default()
}

fn write(engine: &Engine, writes: Vec<Write>) {
    let batch = WriteBatch {
        writes,
        request_id: None,
    };
    engine.write(&t(), batch).unwrap();
}

fn market(engine: &Engine, experts: usize) {
    let mut all: Vec<Record> = vec![
        need("N0", "膜污染", "降低膜污染，提高通量。"),
        need("N1", "电池", "减少电池的自放电。"),
    ];
    for i in 0..experts {
        let mut e = expert(
            &format!("e{i}"),
            "某某",
            &["膜 电池 材料 密封"],
            &["污染 通量 自放电"],
        );
        e.region = ["440305", "120000", ""][i % 3].parse().ok();
        all.push(e);
    }
    write(engine, all.into_iter().map(Write::put).collect());
}

fn asked(engine: &Engine, ask: Ask) -> MatchResponse {
    let request = MatchRequest {
        keep: true,
        ..MatchRequest::new(ask, TODAY)
    };
    engine.find_matches(&t(), &request).unwrap()
}

fn outcome(answer: &MatchResponse, at: usize, stage: Stage) -> OutcomeReport {
    OutcomeReport {
        match_id: answer.match_id.clone(),
        candidate: answer.matches[at].id.clone(),
        stage,
        reason: (stage == Stage::Declined).then_some(Decline::Terms),
        time: None,
        event: None,
    }
}

fn shares(engine: &Engine, by: FunnelBy) -> BTreeMap<String, Vec<u64>> {
    let request = FunnelRequest {
        by,
        ..FunnelRequest::default()
    };
    let funnel = engine.funnel(&t(), &request).unwrap();
    funnel
        .rows
        .into_iter()
        .map(|r| (r.group, r.steps.iter().map(|s| s.count).collect()))
        .collect()
}

#[test]
fn an_outcome_is_stored_once_and_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    market(&engine, 6);
    let answer = asked(&engine, Ask::Record(id("N0")));
    let both = [
        outcome(&answer, 0, Stage::Met),
        outcome(&answer, 1, Stage::Declined),
    ];
    let first = engine.report_outcomes(&t(), &both).unwrap();
    assert_eq!((first.stored, first.known), (2, 0));
    let again = engine.report_outcomes(&t(), &both).unwrap();
    assert_eq!((again.stored, again.known), (0, 2));
    // Out of order: what came before is told after.
    engine
        .report_outcomes(&t(), &[outcome(&answer, 0, Stage::Shown)])
        .unwrap();
    let counts = BTreeMap::from([(String::new(), vec![2, 1, 1, 1, 0])]);
    assert_eq!(shares(&engine, FunnelBy::Nothing), counts);
    drop(engine);
    let engine = open(dir.path());
    assert_eq!(shares(&engine, FunnelBy::Nothing), counts);
    // Another tenant has none of it, and cannot report for it.
    let other = TenantId::new("other").unwrap();
    assert_eq!(
        engine
            .funnel(&other, &FunnelRequest::default())
            .unwrap()
            .answers,
        0
    );
    assert_eq!(
        engine.report_outcomes(&other, &both).unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    market(&engine, 12);
    let answer = asked(&engine, Ask::Record(id("N0")));
    let unkept = engine
        .find_matches(&t(), &MatchRequest::new(Ask::Record(id("N0")), TODAY))
        .unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let good = outcome(&answer, 0, Stage::Contacted);
    let stranger = (0..12)
        .map(|i| id(&format!("e{i}")))
        .find(|e| answer.matches.iter().all(|m| m.id != *e))
        .unwrap();
    let cases: Vec<(&str, OutcomeReport)> = vec![
        ("match_id", outcome(&unkept, 0, Stage::Met)),
        (
            "candidate",
            OutcomeReport {
                candidate: stranger,
                ..good.clone()
            },
        ),
        (
            "reason",
            OutcomeReport {
                reason: None,
                ..outcome(&answer, 0, Stage::Declined)
            },
        ),
        (
            "reason",
            OutcomeReport {
                reason: Some(Decline::Other),
                ..good.clone()
            },
        ),
        (
            "time",
            OutcomeReport {
                time: Some(0),
                ..good.clone()
            },
        ),
        (
            "time",
            OutcomeReport {
                time: Some(now + 86_400_000),
                ..good.clone()
            },
        ),
        (
            "time",
            OutcomeReport {
                time: Some(i64::MAX),
                ..good.clone()
            },
        ),
        (
            "event",
            OutcomeReport {
                event: Some("x".repeat(65)),
                ..good.clone()
            },
        ),
        (
            "event",
            OutcomeReport {
                event: Some("a\nb".into()),
                ..good.clone()
            },
        ),
        (
            "stage",
            OutcomeReport {
                event: Some("直通车".into()),
                ..good.clone()
            },
        ),
    ];
    for (field, bad) in cases {
        let e = engine
            .report_outcomes(&t(), &[good.clone(), bad])
            .unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument);
        assert!(
            e.to_string().starts_with(&format!("outcomes[1].{field}: ")),
            "{e}"
        );
        assert!(shares(&engine, FunnelBy::Nothing).is_empty(), "{field}");
    }
    assert!(engine.report_outcomes(&t(), &[]).is_err());
    // Stored, it is not replaced.
    engine
        .report_outcomes(&t(), std::slice::from_ref(&good))
        .unwrap();
    let other = OutcomeReport {
        event: Some("直通车".into()),
        ..good
    };
    let e = engine.report_outcomes(&t(), &[other]).unwrap_err();
    assert!(
        e.to_string()
            .contains("another outcome `contacted` is stored"),
        "{e}"
    );
}

#[test]
fn the_funnel_is_what_a_count_by_hand_gives() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    market(&engine, 30);
    let mut x = 7_u64;
    let mut draw = |n: u64| {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 33) % n
    };
    let mut naive: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    for round in 0..20 {
        let ask = match round % 2 {
            0 => Ask::Record(id("N0")),
            _ => Ask::Text("电池 自放电".into()),
        };
        let answer = asked(&engine, ask);
        for at in 0..answer.matches.len() {
            let mut told = BTreeSet::new();
            for _ in 0..draw(4) {
                told.insert(Stage::ALL[draw(6) as usize]);
            }
            let event = format!("E{}", draw(3));
            let reports: Vec<OutcomeReport> = told
                .iter()
                .rev()
                .map(|s| OutcomeReport {
                    event: Some(event.clone()),
                    ..outcome(&answer, at, *s)
                })
                .collect();
            if reports.is_empty() {
                continue;
            }
            engine.report_outcomes(&t(), &reports).unwrap();
            let furthest = told.iter().filter(|s| **s != Stage::Declined).max();
            let reached = furthest.map_or(0, |s| *s as usize);
            for n in &mut naive.entry(event).or_default()[..=reached] {
                *n += 1;
            }
        }
    }
    let expected: BTreeMap<String, Vec<u64>> =
        naive.iter().map(|(k, v)| (k.clone(), v.to_vec())).collect();
    assert_eq!(shares(&engine, FunnelBy::Event), expected);
    let total: Vec<u64> = (0..5).map(|i| naive.values().map(|v| v[i]).sum()).collect();
    assert_eq!(shares(&engine, FunnelBy::Nothing)[""], total);
    for by in [FunnelBy::Region, FunnelBy::Kind, FunnelBy::Weights] {
        let groups = shares(&engine, by);
        let sum: Vec<u64> = (0..5)
            .map(|i| groups.values().map(|v| v[i]).sum())
            .collect();
        assert_eq!(sum, total, "{by:?}");
        let names: Vec<&str> = groups.keys().map(String::as_str).collect();
        match by {
            FunnelBy::Region => assert_eq!(names, ["", "120000", "440000"]),
            FunnelBy::Kind => assert_eq!(names, ["expert"]),
            _ => assert_eq!(names, [Weights::default().version]),
        }
    }
}

#[test]
fn who_is_erased_is_in_no_answer_and_no_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    market(&engine, 5);
    let answer = asked(&engine, Ask::Record(id("N0")));
    let by_need = asked(&engine, Ask::Record(id("N1")));
    let gone = answer.matches[0].id.clone();
    engine
        .report_outcomes(
            &t(),
            &[
                outcome(&answer, 0, Stage::Signed),
                outcome(&answer, 1, Stage::Met),
                outcome(&by_need, 2, Stage::Met),
            ],
        )
        .unwrap();
    let erase = |what| Write::Erase {
        id: what,
        kind: None,
    };
    write(&engine, vec![erase(gone.clone())]);
    let kept = engine
        .store()
        .answer(&t(), &answer.match_id)
        .unwrap()
        .unwrap();
    assert!(kept.rows.iter().all(|r| r.0 != gone));
    assert_eq!(kept.rows.len(), answer.matches.len() - 1);
    assert_eq!(shares(&engine, FunnelBy::Nothing)[""], [2, 2, 2, 2, 0]);
    // Who asked takes the whole answer with them.
    write(&engine, vec![erase(id("N1"))]);
    assert!(
        engine
            .store()
            .answer(&t(), &by_need.match_id)
            .unwrap()
            .is_none()
    );
    assert_eq!(shares(&engine, FunnelBy::Nothing)[""], [1, 1, 1, 1, 0]);
    // A backup has what is left.
    let copy = dir.path().join("copy.redb");
    engine.store().backup_to(&copy).unwrap();
    let restored = tempfile::tempdir().unwrap();
    std::fs::copy(&copy, restored.path().join("store.redb")).unwrap();
    // The keys are not in the backup.
    let keys = restored.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    for file in std::fs::read_dir(dir.path().join("keys")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), keys.join(file.file_name())).unwrap();
    }
    assert_eq!(
        shares(&open(restored.path()), FunnelBy::Nothing)[""],
        [1, 1, 1, 1, 0]
    );
}

#[test]
fn places_that_few_look_at_count_for_those_who_did_not() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    market(&engine, 12);
    let answer = asked(&engine, Ask::Record(id("N0")));
    asked(&engine, Ask::Record(id("N0")));
    engine
        .report_outcomes(
            &t(),
            &[
                outcome(&answer, 1, Stage::Contacted),
                outcome(&answer, 4, Stage::Met),
            ],
        )
        .unwrap();
    let lists = |bias, clip| {
        let options = LearnOptions {
            bias,
            clip,
            ..LearnOptions::default()
        };
        engine.outcome_lists(&t(), &options).unwrap()
    };
    let grades = |bias, clip| {
        let found = lists(bias, clip);
        assert_eq!(
            found.lists.len(),
            1,
            "an answer that nothing came of tells nothing"
        );
        let list = &found.lists[0];
        let mut by_rank: Vec<(usize, f64)> = list
            .records
            .iter()
            .zip(&list.list.grades)
            .map(|(r, g)| {
                (
                    answer
                        .matches
                        .iter()
                        .position(|m| m.id.as_str() == r)
                        .unwrap(),
                    *g,
                )
            })
            .collect();
        by_rank.sort_by_key(|r| r.0);
        by_rank.into_iter().map(|r| r.1).collect::<Vec<f64>>()
    };
    assert_eq!(
        grades(0.0, 10.0),
        [0.0, 1.0, 0.0, 0.0, 2.0],
        "nobody below the last is known to be seen"
    );
    assert_eq!(grades(1.0, 10.0), [0.0, 2.0, 0.0, 0.0, 10.0]);
    assert_eq!(grades(1.0, 3.0), [0.0, 2.0, 0.0, 0.0, 6.0]);
    for (bias, clip) in [
        (-1.0, 10.0),
        (f64::NAN, 10.0),
        (1.0, 0.5),
        (1.0, f64::INFINITY),
    ] {
        let options = LearnOptions {
            bias,
            clip,
            ..LearnOptions::default()
        };
        let e = engine.outcome_lists(&t(), &options).unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument);
    }
}

/// A log in which people meet those of their region, whatever the rest: the fitted weights find it.
#[test]
fn weights_learn_what_people_do() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut n = need("N", "膜污染", "降低膜污染，提高通量。");
    n.region = "440305".parse().ok();
    market(&engine, 30);
    write(&engine, vec![Write::put(n)]);
    let near = |r: &Record| r.region.is_some_and(|r| r.to_string() == "440305");
    for _ in 0..30 {
        let all = MatchRequest {
            keep: true,
            k: 30,
            ..MatchRequest::new(Ask::Record(id("N")), TODAY)
        };
        let answer = engine.find_matches(&t(), &all).unwrap();
        let mut reports = Vec::new();
        for (at, m) in answer.matches.iter().enumerate() {
            let record = engine
                .get(&t(), Some(Kind::Expert), &m.id, false)
                .unwrap()
                .record;
            let stage = if near(&record) {
                Stage::Met
            } else {
                Stage::Shown
            };
            reports.push(outcome(&answer, at, stage));
        }
        engine.report_outcomes(&t(), &reports).unwrap();
    }
    let found = engine
        .outcome_lists(&t(), &LearnOptions::default())
        .unwrap();
    assert_eq!(found.lists.len(), 30);
    let lists: Vec<_> = found.lists.into_iter().map(|l| l.list).collect();
    let start = Weights::default();
    let fitted = fit(&lists, &start, FitParams::default()).unwrap();
    assert!(fitted.get(Feature::Region) > 2.0 * start.get(Feature::Region));
}

#[test]
fn what_came_of_earlier_lists_counts_where_a_weight_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut all = vec![need("N0", "膜污染", "降低膜污染，提高通量。")];
    for i in 0..4 {
        let mut e = expert(&format!("e{i}"), "某某", &["膜 材料"], &["污染 通量"]);
        if let queqiao_domain::Detail::Expert(d) = &mut e.detail {
            d.capacity = Some(queqiao_domain::Capacity {
                meetings: None,
                engagements: Some(2),
            });
            d.professional_title = ["教授", "讲师", "", "院士"][i].into();
        }
        all.push(e);
    }
    write(&engine, all.into_iter().map(Write::put).collect());
    for _ in 0..4 {
        let answer = asked(&engine, Ask::Record(id("N0")));
        let of = |who: &str| answer.matches.iter().position(|m| m.id == id(who)).unwrap();
        let reports = [
            outcome(&answer, of("e1"), Stage::Met),
            outcome(&answer, of("e1"), Stage::Signed),
        ];
        engine.report_outcomes(&t(), &reports).unwrap();
    }
    let first = |feature: Feature| {
        let request = MatchRequest {
            weights: vec![(feature, 0.1)],
            ..MatchRequest::new(Ask::Record(id("N0")), TODAY)
        };
        let answer = engine.find_matches(&t(), &request).unwrap();
        let value = |who: &str| {
            let m = answer.matches.iter().find(|m| m.id == id(who)).unwrap();
            let part = m.parts.iter().find(|p| p.feature == feature).unwrap();
            assert_eq!(part.contribution, part.value.unwrap_or(0.0) * 0.1);
            part.value
        };
        let values = ["e0", "e1", "e2", "e3"].map(value);
        (answer.matches[0].id.to_string(), values)
    };
    // Alike in all else, those of equal score stand in order of id.
    let track = |came: f64| Some((came + 0.5) / 9.0);
    assert_eq!(
        first(Feature::Track),
        (
            "e1".to_owned(),
            [track(0.0), track(4.0), track(0.0), track(0.0)]
        )
    );
    assert_eq!(
        first(Feature::Capacity),
        (
            "e0".to_owned(),
            [Some(1.0), Some(0.0), Some(1.0), Some(1.0)]
        )
    );
    assert_eq!(first(Feature::Uncrowded).1, [Some(10.0 / 14.0); 4]);
    assert_eq!(
        first(Feature::Credentials),
        ("e3".to_owned(), [Some(0.75), Some(0.25), None, Some(1.0)])
    );
    let too_much = MatchRequest {
        weights: vec![(Feature::Credentials, 0.2)],
        ..MatchRequest::new(Ask::Record(id("N0")), TODAY)
    };
    let e = engine.find_matches(&t(), &too_much).unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
}
