//! Lists: diverse with their relevance kept, newcomers drawn with the probability that is told.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{Date, Kind, Record, TenantId};
use queqiao_engine::{
    Ask, Code, Diversity, DiversityMethod, Engine, EngineOptions, MatchRequest, MatchResponse,
    Write, WriteBatch, embed::testing::HashingEmbedder,
};
use queqiao_testkit::expert;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const TODAY: Date = Date::constant(2026, 11, 26);

fn open(dir: &Path) -> Engine {
    let embedder = Arc::new(HashingEmbedder::new(64, 1));
    Engine::open(dir, embedder, EngineOptions::default()).unwrap()
}

fn write(engine: &Engine, records: impl IntoIterator<Item = Record>) {
    let batch = WriteBatch {
        writes: records.into_iter().map(Write::put).collect(),
        request_id: None,
    };
    engine.write(&TenantId::default(), batch).unwrap();
}

fn find(engine: &Engine, request: &MatchRequest) -> MatchResponse {
    engine.find_matches(&TenantId::default(), request).unwrap()
}

fn ask(text: &str, k: usize) -> MatchRequest {
    MatchRequest {
        k,
        ..MatchRequest::new(Ask::Text(text.into()), TODAY)
    }
}

fn ids(a: &MatchResponse) -> Vec<&str> {
    a.matches.iter().map(|m| m.id.as_str()).collect()
}

fn discounted(scores: &[f64]) -> f64 {
    scores
        .iter()
        .enumerate()
        .map(|(i, s)| s / (i as f64 + 2.0).log2())
        .sum()
}

#[test]
fn a_diverse_list_keeps_its_relevance() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    // Many who say the same, a few who answer the other clauses.
    let same = (0..12).map(|i| {
        expert(
            &format!("same{i:02}"),
            &format!("某{i}"),
            &["膜污染 控制 通量 提高 膜分离"],
            &["膜污染 控制"],
        )
    });
    write(&engine, same);
    write(
        &engine,
        [
            expert(
                "seal",
                "某某",
                &["耐高温 密封 材料"],
                &["耐高温的密封材料 膜分离 通量"],
            ),
            expert(
                "cell",
                "某某",
                &["电池 自放电"],
                &["减少电池的自放电 膜分离 通量"],
            ),
        ],
    );
    let text = "提高膜分离的通量，控制膜污染。需要耐高温的密封材料。减少电池的自放电。";
    let plain = find(&engine, &ask(text, 5));
    assert!(plain.relevance_kept.is_none());
    let pool = find(&engine, &ask(text, 14));
    let score: BTreeMap<&str, f64> = pool
        .matches
        .iter()
        .map(|m| (m.id.as_str(), m.score.get()))
        .collect();
    let ideal = discounted(
        &plain
            .matches
            .iter()
            .map(|m| m.score.get())
            .collect::<Vec<_>>(),
    );
    for method in [DiversityMethod::Mmr, DiversityMethod::Xquad] {
        for least in [0.8, 0.99, 1.0] {
            let request = MatchRequest {
                diversity: Some(Diversity { method, least }),
                ..ask(text, 5)
            };
            let list = find(&engine, &request);
            assert_eq!(list.matches.len(), 5);
            // Scores are what they were; kept is what it is said to be, and enough.
            let own: Vec<f64> = list.matches.iter().map(|m| m.score.get()).collect();
            for m in &list.matches {
                assert_eq!(score[m.id.as_str()], m.score.get());
            }
            let kept = list.relevance_kept.unwrap();
            assert!(
                (discounted(&own) / ideal - kept).abs() < 1e-9,
                "{method:?} {least}"
            );
            assert!(kept >= least - 1e-12);
            let ranks: Vec<usize> = list.matches.iter().map(|m| m.rank).collect();
            assert_eq!(ranks, [1, 2, 3, 4, 5]);
            if least == 0.8 {
                let found = ids(&list);
                assert!(
                    found.contains(&"seal") && found.contains(&"cell"),
                    "{method:?}: {found:?}"
                );
            }
            assert_eq!(
                ids(&find(&engine, &request)),
                ids(&list),
                "equal requests, equal lists"
            );
        }
    }
    for least in [0.1, 1.1, f64::NAN] {
        let bad = MatchRequest {
            diversity: Some(Diversity {
                method: DiversityMethod::Mmr,
                least,
            }),
            ..ask(text, 5)
        };
        let e = engine.find_matches(&TenantId::default(), &bad).unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument);
    }
}

#[test]
fn what_says_the_very_same_stands_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let same = (0..9).map(|i| expert(&format!("a{i}"), "余热回收系统", &["余热 回收"], &[]));
    write(&engine, same);
    write(&engine, [expert("b", "热管换热器", &["余热 换热"], &[])]);
    let request = MatchRequest {
        diversity: Some(Diversity {
            method: DiversityMethod::Mmr,
            least: 0.99,
        }),
        ..ask("余热回收", 5)
    };
    let list = find(&engine, &request);
    assert_eq!(ids(&list), ["a0", "b"]);
    let note = list.notes.iter().find(|n| n.code == "FOLDED").unwrap();
    assert!(note.message.en.starts_with("8 "), "{}", note.message.en);
}

#[test]
fn newcomers_are_drawn_with_the_probability_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let all = (0..30).map(|i| {
        let much = "膜分离 ".repeat(1 + i % 5);
        expert(
            &format!("e{i:02}"),
            "某某",
            &["膜分离"],
            &[much.as_str(), "其他 研究"],
        )
    });
    write(&engine, all);
    let explore = |seed| MatchRequest {
        exploration: 0.2,
        exploration_seed: seed,
        ..ask("膜分离", 10)
    };
    let plain = find(&engine, &ask("膜分离", 10));
    let rounds = 4_000;
    let mut seen: BTreeMap<String, (u32, f64)> = BTreeMap::new();
    for seed in 0..rounds {
        let list = find(
            &engine,
            &MatchRequest {
                quotes: false,
                ..explore(seed)
            },
        );
        assert_eq!(
            ids(&list)[..8],
            ids(&plain)[..8],
            "the rest of the list stays"
        );
        assert_eq!(list.matches.len(), 10);
        for m in &list.matches[8..] {
            let p = m.drawn.unwrap_or(1.0);
            let row = seen.entry(m.id.to_string()).or_insert((0, p));
            row.0 += 1;
            assert_eq!(row.1, p, "the probability is of the lot, not of the draw");
        }
        assert!(list.matches[..8].iter().all(|m| m.drawn.is_none()));
    }
    for (id, (n, p)) in &seen {
        let share = f64::from(*n) / rounds as f64;
        // Five deviations of a binomial share.
        let margin = 5.0 * (p * (1.0 - p) / rounds as f64).sqrt() + 1e-9;
        assert!((share - p).abs() <= margin, "{id}: {share} told {p}");
    }
    assert!(seen.len() > 10);
    assert_eq!(
        ids(&find(&engine, &explore(7))),
        ids(&find(&engine, &explore(7)))
    );
    // Whoever was on three kept answers is new no more.
    for seed in 0..3 {
        find(
            &engine,
            &MatchRequest {
                keep: true,
                k: 30,
                ..ask("膜分离", 30)
            },
        );
        let list = find(&engine, &explore(seed));
        let drawn = list.matches.iter().filter(|m| m.drawn.is_some()).count();
        assert_eq!(drawn > 0, seed < 2, "{seed}");
    }
    // A kept answer keeps the probability.
    write(&engine, [expert("new", "某某", &["膜分离"], &["膜分离"])]);
    let list = find(
        &engine,
        &MatchRequest {
            keep: true,
            ..explore(1)
        },
    );
    let kept = engine
        .store()
        .answer(&TenantId::default(), &list.match_id)
        .unwrap()
        .unwrap();
    for (record, row) in kept.rows {
        let row: serde_json::Value = serde_json::from_slice(&row).unwrap();
        let m = list.matches.iter().find(|m| m.id == record).unwrap();
        assert_eq!(row["probability"].as_f64().unwrap(), m.drawn.unwrap_or(1.0));
    }
    for exploration in [-0.1, 0.31, f64::NAN] {
        let bad = MatchRequest {
            exploration,
            ..ask("膜分离", 10)
        };
        let e = engine.find_matches(&TenantId::default(), &bad).unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument);
    }
    assert_eq!(plain.matches[0].kind, Kind::Expert);
}
