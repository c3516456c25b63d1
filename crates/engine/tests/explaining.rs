//! Explanations: clauses are verbatim, and what an explanation says would happen happens.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{Date, Detail, Kind, Record, TenantId, Visibility};
use queqiao_engine::{
    Ask, Change, Engine, EngineOptions, Explanation, Feature, MatchRequest, Mode, Write,
    WriteBatch, embed::testing::HashingEmbedder,
};
use queqiao_testkit::{expert, id, need};
use std::{path::Path, sync::Arc};

const TODAY: Date = Date::constant(2026, 11, 26);

fn open(dir: &Path) -> Engine {
    let embedder = Arc::new(HashingEmbedder::new(64, 1));
    Engine::open(dir, embedder, EngineOptions::default()).unwrap()
}

fn t() -> TenantId {
    TenantId::default()
}

fn write(engine: &Engine, records: impl IntoIterator<Item = Record>) {
    let batch = WriteBatch {
        writes: records.into_iter().map(Write::put).collect(),
        request_id: None,
    };
    engine.write(&t(), batch).unwrap();
}

fn ask(what: &str) -> MatchRequest {
    MatchRequest {
        clauses: true,
        k: 50,
        to: vec![Kind::Expert, Kind::Achievement],
        ..MatchRequest::new(Ask::Record(id(what)), TODAY)
    }
}

const PROBLEM: &str = "降低膜污染，提高通量。需要耐高温的密封材料；希望减少电池的自放电。";

fn market() -> Vec<Record> {
    let mut n = need("N", "膜与电池", PROBLEM);
    n.region = "440305".parse().ok();
    n.industries = vec!["C3973".parse().unwrap()];
    n.disciplines = vec!["430".parse().unwrap()];
    if let Detail::Need(d) = &mut n.detail {
        d.least_readiness = "TRL 6".parse().ok();
        d.targets = vec!["通量提高30%以上".into()];
    }
    let mut out = vec![n];
    let texts = [
        "降低膜污染的涂层",
        "膜污染机理与通量",
        "耐高温的密封材料",
        "电池管理系统",
        "膜分离工艺",
        "高温合金",
        "水处理",
        "锂电池自放电",
        "密封圈",
        "通量测量",
    ];
    for (i, text) in texts.iter().enumerate() {
        let mut a = Record::new(id(&format!("a{i}")), Kind::Achievement);
        a.title = (*text).to_owned();
        a.region = ["440305", "120000", "310000"]
            .get(i % 4)
            .and_then(|r| r.parse().ok());
        if let Detail::Achievement(d) = &mut a.detail {
            d.summary = format!("本成果涉及{text}。已在企业应用。");
            d.readiness = ["TRL 4", "TRL 7"].get(i % 3).and_then(|r| r.parse().ok());
        }
        out.push(a);
        out.push(expert(&format!("e{i}"), "某某", &[text], &["材料 研究"]));
    }
    out
}

#[test]
fn every_clause_is_verbatim_and_what_nobody_covers_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    write(&engine, market());
    let answer = engine.find_matches(&t(), &ask("N")).unwrap();
    let asked: Vec<&str> = answer.matches[0]
        .clauses
        .iter()
        .map(|c| c.asked.text.as_str())
        .collect();
    assert_eq!(
        asked,
        [
            "降低膜污染，提高通量。",
            "需要耐高温的密封材料；",
            "希望减少电池的自放电。",
            "通量提高30%以上"
        ]
    );
    let chars: Vec<char> = PROBLEM.chars().collect();
    let mut answered = vec![false; asked.len()];
    for m in &answer.matches {
        let record = engine.get(&t(), Some(m.kind), &m.id, false).unwrap().record;
        let json = serde_json::to_value(&record).unwrap();
        for (i, c) in m.clauses.iter().enumerate() {
            assert!((0.0..=1.0).contains(&c.strength));
            assert_eq!(c.asked, answer.matches[0].clauses[i].asked);
            if c.asked.path == "problem" {
                let quoted: String = chars[c.asked.start..c.asked.end].iter().collect();
                assert_eq!(quoted, c.asked.text);
            }
            let Some(p) = &c.answer else { continue };
            answered[i] = true;
            let mut at = &json;
            for step in p.path.split(['.', '[']) {
                at = match step.strip_suffix(']') {
                    Some(n) => &at[n.parse::<usize>().unwrap()],
                    None => &at[step],
                };
            }
            let field: Vec<char> = at.as_str().unwrap().chars().collect();
            assert_eq!(field[p.start..p.end].iter().collect::<String>(), p.text);
        }
    }
    assert!(answered[1], "the seal is somebody's");
    let uncovered: Vec<&str> = answer.uncovered.iter().map(|a| a.text.as_str()).collect();
    let expected: Vec<&str> = (0..asked.len())
        .filter(|i| !answered[*i])
        .map(|i| asked[i])
        .collect();
    assert_eq!(uncovered, expected);
    // Where nobody has the seal, nobody covers it.
    let filter = queqiao_domain::Filter::parse("id = a3 OR id = a6").unwrap();
    let without = MatchRequest { filter, ..ask("N") };
    let answer = engine.find_matches(&t(), &without).unwrap();
    assert!(answer.uncovered.iter().any(|a| a.text.contains("密封材料")));
    // Not asked for, not told.
    let plain = MatchRequest {
        clauses: false,
        ..ask("N")
    };
    let answer = engine.find_matches(&t(), &plain).unwrap();
    assert!(answer.uncovered.is_empty() && answer.matches[0].clauses.is_empty());
}

/// A record as it would be after a change.
fn changed(record: &Record, feature: Feature, value: &str) -> Record {
    let mut r = record.clone();
    match feature {
        Feature::Region => r.region = value.parse().ok(),
        Feature::Industry => r.industries.push(value.parse().unwrap()),
        Feature::Discipline => r.disciplines.push(value.parse().unwrap()),
        Feature::Readiness => {
            if let Detail::Achievement(d) = &mut r.detail {
                d.readiness = value.parse().ok();
            }
        }
        other => unreachable!("{other:?} is not offered here"),
    }
    r
}

#[test]
fn what_would_change_the_rank_changes_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    write(&engine, market());
    let explain = |who: &str| -> Explanation {
        engine
            .explain(&t(), &ask("N"), &id(who), None, true)
            .unwrap()
    };
    let original = engine.get(&t(), None, &id("N"), false).unwrap().record;
    let (mut record_changes, mut clause_changes) = (0, 0);
    for i in 0..10 {
        for who in [format!("a{i}"), format!("e{i}")] {
            let before = explain(&who);
            let stored = engine.get(&t(), None, &id(&who), false).unwrap().record;
            assert!(before.changes.is_sorted_by_key(|c| c.rank));
            for c in &before.changes {
                let after = match &c.change {
                    Change::Record { feature, value } => {
                        assert!(c.rank < before.matched.rank, "told only where it helps");
                        write(&engine, [changed(&stored, *feature, value)]);
                        record_changes += 1;
                        explain(&who).matched
                    }
                    Change::WithoutClause(clause) => {
                        let mut n = original.clone();
                        let Detail::Need(d) = &mut n.detail else {
                            unreachable!()
                        };
                        if clause.path == "problem" {
                            d.problem = d.problem.replacen(&clause.text, "", 1);
                        } else {
                            assert_eq!(clause.path, "targets[0]");
                            d.targets.clear();
                        }
                        clause_changes += 1;
                        let draft = MatchRequest {
                            ask: Ask::Draft(Box::new(n)),
                            ..ask("N")
                        };
                        engine
                            .explain(&t(), &draft, &id(&who), None, true)
                            .unwrap()
                            .matched
                    }
                };
                assert_eq!(
                    (after.rank, after.score),
                    (c.rank, c.score),
                    "{who}: {:?}",
                    c.change
                );
                write(&engine, [stored.clone()]);
            }
        }
    }
    assert!(
        record_changes >= 10 && clause_changes >= 10,
        "{record_changes} {clause_changes}"
    );
}

#[test]
fn who_stands_ahead_and_by_what() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    write(&engine, market());
    let all = engine.find_matches(&t(), &ask("N")).unwrap().matches;
    let last = all.last().unwrap();
    let whole = |list| {
        engine
            .explain(&t(), &ask("N"), &last.id, list, true)
            .unwrap()
    };
    let above = whole(None).ahead.unwrap();
    assert_eq!(
        (above.rank, &above.id),
        (all.len() - 1, &all[all.len() - 2].id)
    );
    let listed = whole(Some(3)).ahead.unwrap();
    assert_eq!((listed.rank, &listed.id), (3, &all[2].id));
    assert_eq!(listed.score, all[2].score);
    let gap: f64 = listed
        .parts
        .iter()
        .zip(&last.parts)
        .map(|(a, m)| a.contribution - m.contribution)
        .sum();
    assert!((gap - (listed.score.get() - last.score.get())).abs() < 1e-9);
    assert!(whole(Some(1_000)).ahead.is_none(), "it is on the list");
    assert_eq!(whole(None).of, all.len());

    // Nothing is told of what a sealed record is like.
    let mut sealed = engine.get(&t(), None, &last.id, false).unwrap().record;
    sealed.visibility = Visibility::Sealed;
    let who = sealed.id.clone();
    write(&engine, [sealed]);
    let told = engine.explain(&t(), &ask("N"), &who, None, true).unwrap();
    assert!(told.matched.clauses.is_empty() && told.matched.title.is_empty());
    assert!(
        told.changes
            .iter()
            .all(|c| !matches!(c.change, Change::Record { .. }))
    );
}

#[test]
fn what_is_ruled_out_is_not_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let process = |id_: &str, text: &str| {
        let mut a = Record::new(id(id_), Kind::Achievement);
        a.title = "镀银工艺".into();
        if let Detail::Achievement(d) = &mut a.detail {
            d.summary = text.into();
        }
        a
    };
    write(
        &engine,
        [
            process("has", "以氰化物为络合剂，氰化物浓度稳定。"),
            process("without", "不含氰化物，以亚硫酸盐为络合剂。"),
            process("other", "以亚硫酸盐为络合剂，镀层均匀。"),
        ],
    );
    let request = MatchRequest {
        to: vec![Kind::Achievement],
        clauses: true,
        ..MatchRequest::new(
            Ask::Text("镀银工艺要求镀层均匀。镀液不含氰化物。".into()),
            TODAY,
        )
    };
    let answer = engine.find_matches(&t(), &request).unwrap();
    let order: Vec<&str> = answer.matches.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(order.last(), Some(&"has"), "{order:?}");
    for m in &answer.matches {
        let c = &m.clauses[1];
        let said = c.answer.as_ref().map(|a| a.text.as_str());
        match m.id.as_str() {
            "has" => assert!(
                c.contradicted && c.strength == 0.0 && said.unwrap().starts_with("以氰化物")
            ),
            "without" => assert!(
                !c.contradicted && c.strength == 1.0 && said.unwrap().contains("不含氰化物")
            ),
            _ => assert!(!c.contradicted),
        }
    }
    // Asked for, it is found.
    let wanted = MatchRequest {
        to: vec![Kind::Achievement],
        ..MatchRequest::new(Ask::Text("氰化物镀银工艺".into()), TODAY)
    };
    assert_eq!(
        engine.find_matches(&t(), &wanted).unwrap().matches[0]
            .id
            .as_str(),
        "has"
    );
}

#[test]
fn who_meets_the_figures_stands_before_who_falls_short() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut asks = need("N0", "立方氮化硼", "提高立方氮化硼刀具的抗冲击韧性。");
    if let Detail::Need(n) = &mut asks.detail {
        n.targets = vec!["抗冲击韧性≥67%".into()];
    }
    let tells = |i: &str, text: &str| expert(i, "某某", &["立方氮化硼刀具"], &[text]);
    let mut sealed = tells("e3", "抗冲击韧性达到99%");
    sealed.visibility = queqiao_domain::Visibility::Sealed;
    let all = vec![
        asks,
        tells("e0", "抗冲击韧性为52%"),
        tells("e1", "抗冲击韧性达到72%"),
        tells("e2", "抗冲击韧性的研究"),
        sealed,
    ];
    let batch = WriteBatch {
        writes: all.into_iter().map(Write::put).collect(),
        request_id: None,
    };
    engine.write(&TenantId::default(), batch).unwrap();
    let ask = |weights: Vec<(Feature, f64)>| {
        let request = MatchRequest {
            weights,
            ..MatchRequest::new(Ask::Record(id("N0")), TODAY)
        };
        let found = engine.find_matches(&TenantId::default(), &request).unwrap();
        for m in &found.matches {
            // The rank that is told is that of the list.
            let why = engine.explain(&TenantId::default(), &request, &m.id, None, false);
            let why = why.unwrap().matched;
            assert_eq!((why.rank, why.score), (m.rank, m.score));
            let sum = m.parts.iter().fold(0.0, |sum, p| sum + p.contribution);
            assert_eq!(sum.to_bits(), m.score.get().to_bits());
        }
        let value = |who: &str, f: Feature| {
            let m = found.matches.iter().find(|m| m.id == id(who)).unwrap();
            m.parts
                .iter()
                .find(|p| p.feature == f)
                .and_then(|p| p.value)
        };
        let told = |f: Feature| ["e0", "e1", "e2", "e3"].map(|who| value(who, f));
        (
            found.matches.iter().position(|m| m.id == id("e1")).unwrap(),
            told(Feature::Figures),
            told(Feature::Clauses),
        )
    };
    let (_, figures, clauses) = ask(vec![]);
    assert_eq!(figures, [Some(0.0), Some(1.0), None, None]);
    assert_eq!(clauses, [None; 4]);
    let others = vec![(Feature::Figures, 10.0), (Feature::Clauses, 0.1)];
    let (place, _, clauses) = ask(others);
    assert_eq!(place, 0);
    assert!(
        clauses[0] > Some(0.0) && clauses[3].is_none(),
        "{clauses:?}"
    );
    let (_, figures, _) = ask(vec![(Feature::Figures, 0.0)]);
    assert_eq!(figures, [None; 4]);
}

#[test]
fn a_record_is_lifted_by_those_that_are_most_like_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let about = "立方氮化硼刀具";
    // All but the last are alike; e1 says less of what is asked than e0 and e2, and so does the sealed one.
    let like = |i: &str, more: &str| expert(i, "某某", &[about], &[&format!("{about}{more}")]);
    let mut sealed = like("e3", "");
    sealed.visibility = Visibility::Sealed;
    let all = vec![
        need("N0", about, &format!("{about}的抗冲击韧性")),
        like("e0", "的抗冲击韧性"),
        like("e1", ""),
        like("e2", "抗冲击韧性"),
        sealed,
        expert("e4", "某某", &["水稻"], &["水稻育种"]),
    ];
    write(&engine, all);
    let ask = |request: MatchRequest| {
        let found = engine.find_matches(&t(), &request).unwrap();
        let value = |who: &str, f: Feature| {
            let m = found.matches.iter().find(|m| m.id == id(who))?;
            assert_eq!(
                m.parts
                    .iter()
                    .fold(0.0, |sum, p| sum + p.contribution)
                    .to_bits(),
                m.score.get().to_bits()
            );
            m.parts.iter().find(|p| p.feature == f)?.value
        };
        let of = |f| ["e0", "e1", "e2", "e3", "e4"].map(|who| value(who, f));
        (
            of(Feature::DenseNeighbours),
            of(Feature::BigramsNeighbours),
            of(Feature::DenseProfile),
        )
    };
    let plain = MatchRequest {
        sees_sealed: false,
        ..MatchRequest::new(Ask::Record(id("N0")), TODAY)
    };
    let (meaning, words, profile) = ask(plain.clone());
    // At most the mean over three of what two others have more; e4 is like nobody.
    let [p0, p1, p2, _, _] = profile.map(|p| p.unwrap());
    let most = ((p0 - p1).max(0.0) + (p2 - p1).max(0.0)) / 3.0;
    assert!(meaning[1].unwrap() > 0.0 && meaning[1].unwrap() <= most + 1e-6);
    assert!(words[1] > Some(0.0));
    assert_eq!((meaning[4], words[4]), (Some(0.0), Some(0.0)));
    // A sealed one neither lifts nor is lifted for those who may not read it.
    assert_eq!((meaning[3], words[3]), (None, None));
    let (open, _, _) = ask(MatchRequest {
        sees_sealed: true,
        ..plain.clone()
    });
    assert!(open[3] > Some(0.0), "{open:?}");
    let (lexical, words, _) = ask(MatchRequest {
        mode: Mode::Lexical,
        ..plain.clone()
    });
    assert_eq!((lexical, words), ([None; 5], [None; 5]));
    let (dense, words, _) = ask(MatchRequest {
        mode: Mode::Dense,
        ..plain.clone()
    });
    assert_eq!((dense[1], words[1]), (meaning[1], None));
    let none = [Feature::DenseNeighbours, Feature::BigramsNeighbours];
    let (unasked, _, _) = ask(MatchRequest {
        weights: none.map(|f| (f, 0.0)).into(),
        ..plain
    });
    assert_eq!(unasked, [None; 5]);
}

#[test]
fn words_of_the_title_are_looked_for_where_a_weight_asks() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let about = "立方氮化硼单晶的合成";
    let mut sealed = expert("e2", "某某", &[about], &[about]);
    sealed.visibility = Visibility::Sealed;
    let all = vec![
        need("N0", about, "抗冲击韧性不够"),
        expert("e0", "某某", &["合成立方氮化硼，单晶"], &["金刚石"]),
        expert("e1", "某某", &["立方氮化硼"], &["磨具"]),
        sealed,
        expert("e3", "某某", &["水稻"], &["水稻育种"]),
    ];
    write(&engine, all);
    let values = |request: &MatchRequest| {
        let found = engine.find_matches(&t(), request).unwrap();
        ["e0", "e1", "e2", "e3"].map(|who| {
            let m = found.matches.iter().find(|m| m.id == id(who))?;
            let part = m.parts.iter().find(|p| p.feature == Feature::TitleWords)?;
            part.value
        })
    };
    let plain = MatchRequest {
        weights: vec![(Feature::TitleWords, 1.0)],
        sees_sealed: false,
        ..MatchRequest::new(Ask::Record(id("N0")), TODAY)
    };
    let [all, some, hidden, none] = values(&plain);
    // Wherever they stand: 的 is no word. Only those who have more than most of them are lifted.
    assert!(all > Some(0.05) && some < all, "{all:?} {some:?}");
    assert_eq!(none, Some(0.0));
    assert_eq!(hidden, None);
    let with = |change: &dyn Fn(&mut MatchRequest)| {
        let mut request = plain.clone();
        change(&mut request);
        values(&request)
    };
    assert_eq!(with(&|r| r.mode = Mode::Dense), [all, some, None, none]);
    assert_eq!(with(&|r| r.mode = Mode::Lexical), [None; 4]);
    let text = Ask::Text(about.to_owned());
    assert_eq!(with(&|r| r.ask = text.clone()), [None; 4]);
    assert_eq!(with(&|r| r.weights[0].1 = 0.0), [None; 4]);
}

#[test]
fn a_quote_is_the_same_whether_every_clause_is_told_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let clause = |i: usize| format!("第{i}项无关的工作内容记录在此；");
    let long: String = (0..400).map(clause).collect();
    // The answer stands behind more clauses than are compared to cover a question; in `cut`, besides, in a text so long
    // that its heading is repeated with each part.
    let behind = |id: &str, texts: &[&str]| expert(id, "某", &["其他"], texts);
    let answer = "采用耐高温的密封材料，长期使用不老化";
    let mut cut = behind("cut", &[&long, &format!("{long}{answer}。{long}")]);
    cut.passages[1].title = "装配与维护".to_owned();
    write(
        &engine,
        [
            need("N", "密封", "需要耐高温的密封材料"),
            behind("last", &[&long, &long, answer]),
            cut,
            behind("short", &[answer]),
        ],
    );
    let quotes = |clauses: bool| {
        let request = MatchRequest {
            clauses,
            ..ask("N")
        };
        let found = engine.find_matches(&t(), &request).unwrap();
        let told = found.matches.into_iter();
        let mut quotes: Vec<_> = told.map(|m| (m.id, m.quote)).collect();
        quotes.sort_by(|a, b| a.0.cmp(&b.0));
        quotes
    };
    let alone = quotes(false);
    assert_eq!(alone.len(), 3);
    for (id, quote) in &alone {
        let quote = quote.as_ref().unwrap();
        assert!(quote.excerpt.text.contains("密封材料"), "{id}: {quote:?}");
    }
    assert_eq!(quotes(true), alone);
}
