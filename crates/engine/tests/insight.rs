//! Insights: what a clarifying question is said to change it changes, duplicates are all pairs that are
//! alike, a chain counts what belongs to it.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{Date, Detail, Kind, Record, TenantId, Visibility};
use queqiao_engine::{
    Ask, ChainNode, ChainRequest, Code, DuplicateRequest, Engine, EngineOptions, MatchRequest,
    Write, WriteBatch, embed::testing::HashingEmbedder,
};
use queqiao_testkit::{expert, id, need, records};
use std::{
    collections::{BTreeSet, HashSet},
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

fn write(engine: &Engine, records: impl IntoIterator<Item = Record>) {
    let batch = WriteBatch {
        writes: records.into_iter().map(Write::put).collect(),
        request_id: None,
    };
    engine.write(&t(), batch).unwrap();
}

fn experts() -> Vec<Record> {
    let fields = [
        "正极 材料",
        "隔膜 涂层",
        "电解质 膜",
        "负极 界面",
        "电池 回收",
        "电芯 涂布",
    ];
    (0..36)
        .map(|i| {
            let field = fields[i % 6];
            let mut e = expert(
                &format!("e{i}"),
                "某某",
                &[field, "电池"],
                &["导电率达到5 S/cm，循环 电池"],
            );
            e.keywords = vec![field.replace(' ', "")];
            e.region = ["440305", "120000", "310000"][i % 3].parse().ok();
            e
        })
        .collect()
}

/// 1 − average overlap, by its definition.
fn change(a: &[String], b: &[String]) -> f64 {
    let depth = a.len().max(b.len());
    let each = (1..=depth).map(|d| {
        let x: HashSet<&String> = a.iter().take(d).collect();
        let y: HashSet<&String> = b.iter().take(d).collect();
        x.intersection(&y).count() as f64 / d as f64
    });
    1.0 - each.sum::<f64>() / depth as f64
}

fn list(engine: &Engine, request: &MatchRequest) -> Vec<String> {
    let found = engine.find_matches(&t(), request).unwrap().matches;
    found.into_iter().map(|m| m.id.to_string()).collect()
}

#[test]
fn an_answer_changes_what_it_is_said_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    write(&engine, experts());
    let text = "提高电池性能";
    let ask = MatchRequest::new(Ask::Text(text.into()), TODAY);
    let clarity = engine.clarify(&t(), &ask).unwrap();
    assert_eq!(clarity.description.score, 0.0);
    assert!(
        clarity
            .questions
            .is_sorted_by(|a, b| a.expected_change >= b.expected_change)
    );
    let before = list(&engine, &ask);
    let mut tried = BTreeSet::new();
    for q in &clarity.questions {
        let all: f64 = q.answers.iter().map(|a| a.probability).sum();
        assert!(q.answers.is_empty() || (all - 1.0).abs() < 1e-9);
        let expected = q
            .answers
            .iter()
            .map(|a| a.probability * a.change)
            .fold(0.0, |s, x| s + x);
        assert!((q.expected_change - expected).abs() < 1e-12);
        for a in &q.answers {
            let answered = match q.about {
                "topic" | "targets" => {
                    MatchRequest::new(Ask::Text(format!("{text}\n{}", a.text)), TODAY)
                }
                "region" => MatchRequest {
                    filter: queqiao_domain::Filter::parse(&format!("region : \"{}\"", a.text))
                        .unwrap(),
                    ..ask.clone()
                },
                other => panic!("{other} cannot be answered by these experts"),
            };
            let told = change(&before, &list(&engine, &answered));
            assert!(
                (told - a.change).abs() < 1e-9,
                "{} {}: {told} {}",
                q.about,
                a.text,
                a.change
            );
            tried.insert(q.about);
        }
    }
    assert_eq!(tried, BTreeSet::from(["topic", "targets", "region"]));
    assert!(clarity.questions[0].expected_change > 0.0);
    // What is missing and cannot be tried is asked too, last.
    let untried = clarity
        .questions
        .iter()
        .filter(|q| q.answers.is_empty())
        .count();
    assert_eq!(untried, clarity.questions.len() - 3);
}

#[test]
fn a_need_is_better_described_with_every_part() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    write(&engine, experts());
    let mut n = need("N", "提高电池性能", "");
    let mut last = -1.0;
    let score = |n: &Record| {
        let ask = MatchRequest::new(Ask::Draft(Box::new(n.clone())), TODAY);
        engine.clarify(&t(), &ask).unwrap().description
    };
    type Step = fn(&mut Record);
    fn text(r: &mut Record, more: &str) {
        if let Detail::Need(n) = &mut r.detail {
            n.problem.push_str(more);
        }
    }
    fn detail(r: &mut Record) -> &mut queqiao_domain::Need {
        match &mut r.detail {
            Detail::Need(n) => n,
            _ => unreachable!(),
        }
    }
    let steps: [(&str, Step); 10] = [
        ("problem", |r| {
            text(
                r,
                "电解质膜减薄之后容易开裂和掉粉，希望在成膜黏结剂与界面修饰层两个方面取得突破。",
            )
        }),
        ("present_state", |r| text(r, "目前膜厚60 μm。")),
        ("usage", |r| text(r, "用于卷对卷产线。")),
        ("targets", |r| {
            detail(r).targets = vec!["离子电导率≥3 mS/cm".into()]
        }),
        ("budget", |r| {
            detail(r).budget = Some(queqiao_domain::AmountRange {
                min: Some(100.0),
                max: None,
            })
        }),
        ("deadline", |r| detail(r).deadline = Some(TODAY)),
        ("cooperation_mode", |r| {
            detail(r).cooperation_modes = vec![queqiao_domain::CooperationMode::License]
        }),
        ("readiness", |r| {
            detail(r).least_readiness = "TRL 6".parse().ok()
        }),
        ("field", |r| r.industries = vec!["C3841".parse().unwrap()]),
        ("region", |r| r.region = "440305".parse().ok()),
    ];
    for (part, step) in steps {
        let before = score(&n);
        assert!(
            before
                .parts
                .iter()
                .any(|p| p.part.as_str() == part && !p.present),
            "{part}"
        );
        step(&mut n);
        let after = score(&n);
        assert!(after.score > last, "{part}: {} after {last}", after.score);
        assert!(
            after
                .parts
                .iter()
                .any(|p| p.part.as_str() == part && p.present),
            "{part}"
        );
        last = after.score;
    }
    assert_eq!(last, 1.0);
    assert!(score(&n).stuffed.is_none());
    n.title = "纳米材料专家，纳米材料研究，纳米材料开发，纳米材料检测，纳米材料咨询，纳米材料转化，纳米材料培训，纳米材料推广".into();
    let stuffed = score(&n).stuffed.unwrap();
    assert!(stuffed.zh.contains("8 次"), "{}", stuffed.zh);
}

/// Jaccard of runs of four letters, by its definition.
fn alike(a: &Record, b: &Record) -> f64 {
    let runs = |r: &Record| -> HashSet<String> {
        let mut out = HashSet::new();
        for u in r.units() {
            let letters: Vec<char> = u
                .text()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric())
                .collect();
            out.extend(letters.windows(4).map(|w| w.iter().collect::<String>()));
        }
        out
    };
    let (a, b) = (runs(a), runs(b));
    let both = a.intersection(&b).count() as f64;
    both / (a.union(&b).count() as f64).max(1.0)
}

#[test]
fn duplicates_are_all_pairs_that_are_alike() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut all: Vec<Record> = records(5, 240)
        .into_iter()
        .filter(|r| r.kind() == Kind::Need)
        .collect();
    assert!(all.len() > 30);
    // Every third has a copy with something added.
    let copies: Vec<Record> = all
        .iter()
        .step_by(3)
        .enumerate()
        .map(|(i, r)| {
            let mut c = r.clone();
            c.id = id(&format!("copy-{i}"));
            c.title
                .push_str(["", "，急", "，希望尽快与高校或科研院所联合攻关解决"][i % 3]);
            c
        })
        .collect();
    all.extend(copies);
    write(&engine, all.clone());
    for least in [0.5, 0.7, 0.9] {
        let request = DuplicateRequest {
            sees_sealed: true,
            kind: Kind::Need,
            least,
            limit: 100_000,
            deadline: None,
        };
        let found = engine.duplicates(&t(), &request).unwrap();
        assert_eq!(found.compared, all.len());
        let mut expected = BTreeSet::new();
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                if alike(a, b) >= least {
                    expected.insert((a.id.to_string(), b.id.to_string()));
                }
            }
        }
        let told: BTreeSet<(String, String)> = found
            .pairs
            .iter()
            .map(|p| (p.first.to_string(), p.second.to_string()))
            .collect();
        assert!(told.is_subset(&expected), "{least}");
        let missed = expected.difference(&told).count();
        assert!(
            missed * 50 <= expected.len(),
            "{least}: {missed} of {} missed",
            expected.len()
        );
        assert!(expected.len() >= 10);
        assert!(
            found
                .pairs
                .is_sorted_by(|a, b| a.similarity >= b.similarity)
        );
        let grouped: usize = found.groups().iter().map(Vec::len).sum();
        let ids: BTreeSet<&String> = told.iter().flat_map(|p| [&p.0, &p.1]).collect();
        assert_eq!(grouped, ids.len(), "everyone is in one group");
    }
    // One that comes in is told what it repeats.
    let ask = MatchRequest::new(Ask::Draft(Box::new(all[0].clone())), TODAY);
    let near = engine.clarify(&t(), &ask).unwrap().near_duplicates;
    assert_eq!((near[0].0.as_str(), near[0].1), ("copy-0", 1.0));
    for bad in [0.1, 1.5, f64::NAN] {
        let request = DuplicateRequest {
            sees_sealed: true,
            kind: Kind::Need,
            least: bad,
            limit: 1,
            deadline: None,
        };
        assert_eq!(
            engine.duplicates(&t(), &request).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
}

fn chain(nodes: &[(&str, &str)], edges: &[(&str, &str)]) -> ChainRequest {
    ChainRequest {
        nodes: nodes
            .iter()
            .map(|(id, name)| ChainNode {
                id: (*id).into(),
                name: (*name).into(),
                description: String::new(),
            })
            .collect(),
        edges: edges
            .iter()
            .map(|(a, b)| ((*a).into(), (*b).into()))
            .collect(),
        region: None,
        least_score: 0.5,
        fillers: 3,
        today: TODAY,
        deadline: None,
    }
}

#[test]
fn a_chain_counts_what_belongs_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut all = experts();
    all[0].visibility = Visibility::Sealed;
    for i in 0..3 {
        let mut n = need(&format!("n{i}"), "隔膜 涂层", "隔膜 涂层 掉粉");
        n.region = "440305".parse().ok();
        all.push(n);
    }
    write(&engine, all);
    let nodes = [("m1", "正极 材料"), ("m2", "隔膜 涂层"), ("p", "电池 回收")];
    let mut request = chain(&nodes, &[("m1", "p"), ("m2", "p")]);
    let view = engine.chain(&t(), &request).unwrap();
    let node = |v: &queqiao_engine::ChainView, id: &str| {
        v.nodes.iter().find(|n| n.id == id).unwrap().clone()
    };
    assert_eq!(node(&view, "m2").demand, 3);
    assert_eq!(node(&view, "m2").supply[&Kind::Expert], 6);
    assert_eq!(node(&view, "m2").gap, 4.0 / 7.0);
    assert_eq!((node(&view, "m1").stage, node(&view, "p").stage), (0, 1));
    assert!(view.nodes.is_sorted_by(|a, b| a.gap >= b.gap));
    let placed: usize = view
        .nodes
        .iter()
        .map(|n| n.demand + n.supply.values().sum::<usize>())
        .sum();
    let elsewhere: usize = view.elsewhere.values().sum();
    assert_eq!(placed + elsewhere, 39);
    for n in &view.nodes {
        assert!(n.fillers.len() <= 3 && n.fillers.is_sorted_by(|a, b| a.score >= b.score));
    }
    // Of a region: counted in it, filled from outside it; of a sealed record nothing is told.
    request.region = "440000".parse().ok();
    request.fillers = 50;
    let view = engine.chain(&t(), &request).unwrap();
    assert_eq!(node(&view, "m2").demand, 3);
    for n in &view.nodes {
        for f in &n.fillers {
            let record = engine.get(&t(), Some(f.kind), &f.id, false).unwrap().record;
            if record.visibility == Visibility::Sealed {
                assert!(f.title.is_empty() && f.region.is_none());
            }
            assert!(
                !record
                    .region
                    .is_some_and(|r| r.is_within("440000".parse().unwrap()))
            );
        }
    }
    for (nodes, edges, words) in [
        (vec![], vec![], "0 nodes"),
        (
            vec![("a", "x"), ("a", "y")],
            vec![],
            "nodes[1].id: `a` is the id of nodes[0] too",
        ),
        (vec![("", "x")], vec![], "nodes[0].id"),
        (vec![("a", " ")], vec![], "nodes[0].name"),
        (
            vec![("a", "x")],
            vec![("a", "b")],
            "edges[0]: no node is called `b`",
        ),
        (vec![("a", "x")], vec![("a", "a")], "a → a"),
        (
            vec![("a", "x"), ("b", "y"), ("c", "z"), ("d", "w")],
            vec![("d", "a"), ("a", "b"), ("b", "c"), ("c", "a")],
            "a → b → c → a",
        ),
    ] {
        let e = engine.chain(&t(), &chain(&nodes, &edges)).unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument);
        let told = e.to_string();
        let turned = ["b → c → a → b", "c → a → b → c"]
            .iter()
            .any(|w| told.contains(w));
        assert!(
            told.contains(words) || (words.starts_with("a → b") && turned),
            "{told}"
        );
    }
    let infinite = ChainRequest {
        least_score: f64::NAN,
        ..chain(&[("a", "x")], &[])
    };
    assert!(engine.chain(&t(), &infinite).is_err());
}
