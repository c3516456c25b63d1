//! The engine's promises, played on a temporary data folder with a cheap embedder.
#![allow(clippy::unwrap_used)]

use queqiao_domain::{Date, Detail, Filter, Kind, Organisation, Record, TenantId, Visibility};
use queqiao_engine::{
    Ask, Code, Engine, EngineOptions, Error, Feature, ListRequest, Match, MatchRequest, Mode,
    Verdict, Write, WriteBatch, embed::testing::HashingEmbedder,
};
use queqiao_testkit::{expert, id, need, records};
use std::{path::Path, sync::Arc};

const TODAY: Date = Date::constant(2026, 11, 23);

fn open(dir: &Path) -> Engine {
    open_with(dir, 1)
}

fn open_with(dir: &Path, seed: u64) -> Engine {
    Engine::open(
        dir,
        Arc::new(HashingEmbedder::new(64, seed)),
        EngineOptions::default(),
    )
    .unwrap()
}

fn t() -> TenantId {
    TenantId::default()
}

fn put(records: impl IntoIterator<Item = Record>) -> WriteBatch {
    WriteBatch {
        writes: records.into_iter().map(Write::put).collect(),
        request_id: None,
    }
}

fn delete(what: &str) -> WriteBatch {
    WriteBatch {
        writes: vec![Write::Delete {
            id: id(what),
            kind: None,
            etag: None,
        }],
        request_id: None,
    }
}

fn one(write: Write) -> WriteBatch {
    WriteBatch {
        writes: vec![write],
        request_id: None,
    }
}

fn ask_text(text: &str) -> MatchRequest {
    MatchRequest::new(Ask::Text(text.into()), TODAY)
}

fn ids(engine: &Engine, request: &MatchRequest) -> Vec<String> {
    let answer = engine.find_matches(&t(), request).unwrap();
    answer.matches.iter().map(|m| m.id.to_string()).collect()
}

fn small() -> Vec<Record> {
    vec![
        need(
            "N1",
            "需要一种耐腐蚀涂层",
            "海水环境下钢管点蚀严重，需要耐腐蚀涂层，寿命不低于10年。",
        ),
        expert(
            "E1",
            "张甲",
            &["耐腐蚀涂层", "海洋防腐"],
            &["海水环境下钢管的点蚀机理。研究了钢管在海水中的点蚀。"],
        ),
        expert("E2", "李乙", &["图像识别"], &["卷积网络用于缺陷检测。"]),
        expert("E3", "王丙", &["锂电池"], &["固态电解质界面研究。"]),
    ]
}

#[test]
fn a_need_finds_its_expert_and_the_expert_finds_the_need() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let report = engine.write(&t(), put(small())).unwrap();
    assert_eq!((report.created, report.unchanged), (4, 0));

    let answer = engine
        .find_matches(&t(), &MatchRequest::new(Ask::Record(id("N1")), TODAY))
        .unwrap();
    let first = &answer.matches[0];
    assert_eq!(
        (first.id.as_str(), first.kind, first.rank),
        ("E1", Kind::Expert, 1)
    );
    assert_eq!(answer.admitted, 3);
    // The score is its parts, exactly.
    for m in &answer.matches {
        assert_eq!(
            m.score.get(),
            m.parts.iter().fold(0.0, |s, p| s + p.contribution)
        );
    }
    // The quote is verbatim, and so is what it answers.
    let quote = first.quote.as_ref().unwrap();
    let stored = engine.get(&t(), None, &id("E1"), false).unwrap().record;
    let excerpt = &quote.excerpt;
    let field = match excerpt.path.as_str() {
        "passages[0].text" => stored.passages[0].text.clone(),
        "research[0]" => "耐腐蚀涂层".to_owned(),
        other => panic!("{other}"),
    };
    let chars: Vec<char> = field.chars().collect();
    assert_eq!(
        chars[excerpt.start..excerpt.end].iter().collect::<String>(),
        excerpt.text
    );
    assert!(
        quote.asked.as_ref().unwrap().text.contains("涂层")
            || quote.asked.as_ref().unwrap().text.contains("点蚀")
    );

    // 让科学家找到企业家.
    assert_eq!(
        ids(&engine, &MatchRequest::new(Ask::Record(id("E1")), TODAY)),
        ["N1"]
    );
    // A text, a draft.
    assert_eq!(ids(&engine, &ask_text("钢管在海水中点蚀"))[0], "E1");
    let draft = need("draft", "固态电池", "锂电池的固态电解质");
    assert_eq!(
        ids(
            &engine,
            &MatchRequest::new(Ask::Draft(Box::new(draft)), TODAY)
        )[0],
        "E3"
    );
}

#[test]
fn written_is_visible_and_deleted_is_gone_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for i in 0..30 {
        let name = format!("E{i}");
        let word = format!("独门绝技{i}号");
        engine
            .write(&t(), put([expert(&name, "某人", &[&word], &[])]))
            .unwrap();
        assert_eq!(ids(&engine, &ask_text(&word))[0], name);
        if i % 3 == 0 {
            engine.write(&t(), delete(&name)).unwrap();
            assert!(!ids(&engine, &ask_text(&word)).contains(&name));
            assert_eq!(
                engine
                    .get(&t(), None, &id(&name), false)
                    .unwrap_err()
                    .code(),
                Code::NotFound
            );
        }
    }
    // Undelete brings it back; erase is for good.
    assert!(
        engine
            .get(&t(), None, &id("E0"), true)
            .unwrap()
            .delete_time
            .is_some()
    );
    engine
        .write(
            &t(),
            one(Write::Undelete {
                id: id("E0"),
                kind: None,
            }),
        )
        .unwrap();
    assert_eq!(ids(&engine, &ask_text("独门绝技0号"))[0], "E0");
    engine
        .write(
            &t(),
            one(Write::Erase {
                id: id("E0"),
                kind: None,
            }),
        )
        .unwrap();
    assert!(!ids(&engine, &ask_text("独门绝技0号")).contains(&"E0".to_owned()));
    let again = engine.write(
        &t(),
        one(Write::Undelete {
            id: id("E0"),
            kind: None,
        }),
    );
    assert_eq!(again.unwrap_err().code(), Code::NotFound);
}

#[test]
fn answers_survive_restart_catch_up_and_rebuild() {
    let dir = tempfile::tempdir().unwrap();
    let questions: Vec<MatchRequest> = ["耐腐蚀涂层的制备", "低噪声齿轮设计", "电池回收"]
        .into_iter()
        .map(|q| MatchRequest {
            to: Kind::ALL.to_vec(),
            k: 50,
            ..ask_text(q)
        })
        .collect();
    let all = records(5, 200);
    let answers = |e: &Engine| -> Vec<Vec<(String, u64)>> {
        questions
            .iter()
            .map(|q| {
                let a = e.find_matches(&t(), q).unwrap();
                a.matches
                    .iter()
                    .map(|m| (m.id.to_string(), m.score.get().to_bits()))
                    .collect()
            })
            .collect()
    };
    let expected = {
        let engine = open(dir.path());
        engine.write(&t(), put(all[..150].to_vec())).unwrap();
        engine.write(&t(), put(all[150..].to_vec())).unwrap();
        for i in [3, 77, 160] {
            engine.write(&t(), delete(&format!("r{i}"))).unwrap();
        }
        let now = answers(&engine);
        assert_eq!(
            now,
            answers(&engine),
            "the same question gets the same answer"
        );
        now
    };
    assert_eq!(answers(&open(dir.path())), expected, "after a restart");

    let index = dir.path().join("index/t-default");
    let generation = index.join(std::fs::read_to_string(index.join("CURRENT")).unwrap());
    // Half of the journal is lost: the change log fills the gap.
    let journal = generation.join("vectors.journal");
    let bytes = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(answers(&open(dir.path())), expected, "after catching up");
    // A flipped byte, a missing folder: rebuilt.
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    assert_eq!(answers(&open(dir.path())), expected, "after damage");
    std::fs::remove_dir_all(&index).unwrap();
    let engine = open(dir.path());
    assert_eq!(answers(&engine), expected, "after loss");
    engine.rebuild(&t()).unwrap();
    assert_eq!(answers(&engine), expected, "after a rebuild");
    drop(engine);
    // Another model makes another index; the first model gives the first answers again.
    assert_ne!(answers(&open_with(dir.path(), 2)), expected);
    assert_eq!(
        answers(&open(dir.path())),
        expected,
        "after the model came back"
    );
}

#[test]
fn conditions_hold() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let house = |r: &mut Record, name: &str| {
        r.organisation = Some(Organisation {
            name: name.into(),
            uscc: None,
        })
    };
    let mut asker = need("N", "涂层", "耐腐蚀涂层");
    house(&mut asker, "甲公司");
    let mut own = expert("own", "甲", &["耐腐蚀涂层"], &[]);
    house(&mut own, "甲 公司");
    let mut out = expert("out", "乙", &["耐腐蚀涂层"], &[]);
    if let Detail::Expert(e) = &mut out.detail {
        e.opt_out = true;
    }
    let mut past = expert("past", "丙", &["耐腐蚀涂层"], &[]);
    past.valid_until = Some(Date::constant(2026, 11, 22));
    let mut sealed = expert("sealed", "丁", &["耐腐蚀涂层"], &[]);
    sealed.visibility = Visibility::Sealed;
    let mut far = expert("far", "戊", &["耐腐蚀涂层"], &[]);
    far.region = "天津滨海新区".parse().ok();
    engine
        .write(&t(), put([asker, own, out, past, sealed, far]))
        .unwrap();
    let ask = MatchRequest::new(Ask::Record(id("N")), TODAY);
    let mut found = ids(&engine, &ask);
    found.sort();
    assert_eq!(found, ["far", "sealed"]);
    let with_own = MatchRequest {
        own_organisation: true,
        ..ask.clone()
    };
    assert!(ids(&engine, &with_own).contains(&"own".to_owned()));
    let in_tianjin = MatchRequest {
        filter: Filter::parse("region : 12").unwrap(),
        ..ask.clone()
    };
    assert_eq!(ids(&engine, &in_tianjin), ["far"]);
    // A sealed record is matched, not shown.
    let answer = engine.find_matches(&t(), &ask).unwrap();
    let shown = answer
        .matches
        .iter()
        .find(|m| m.id.as_str() == "sealed")
        .unwrap();
    assert!(shown.title.is_empty() && shown.quote.is_none() && shown.facets.is_none());
    // Why not?
    let why = |who: &str| {
        engine
            .explain(&t(), &ask, &id(who), None, true)
            .unwrap_err()
            .to_string()
    };
    assert!(why("out").contains("opted out"));
    assert!(why("own").contains("organisation that asks"));
    assert!(why("past").contains("not valid"));
    assert!(why("N").contains("not among the kinds"));
    let far = engine
        .explain(&t(), &ask, &id("far"), None, true)
        .unwrap()
        .matched;
    assert_eq!(answer.matches[far.rank - 1].id, far.id);
    // And which condition left nothing.
    let none = |r: MatchRequest| {
        engine.find_matches(&t(), &r).unwrap().notes[0]
            .message
            .en
            .clone()
    };
    assert!(
        none(MatchRequest {
            to: vec![Kind::Society],
            ..ask.clone()
        })
        .contains("of kind society")
    );
    assert!(
        none(MatchRequest {
            filter: Filter::parse("region : 65").unwrap(),
            ..ask.clone()
        })
        .contains("filter")
    );
    assert!(
        none(MatchRequest {
            today: Date::constant(1999, 1, 1),
            filter: Filter::parse("id = own").unwrap(),
            ..ask
        })
        .contains("belongs to the asker")
    );
}

#[test]
fn bad_requests_say_what_and_what_to_try() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.write(&t(), put(small())).unwrap();
    let told = |r: MatchRequest| {
        let e = engine.find_matches(&t(), &r).unwrap_err();
        (e.code(), e.to_string())
    };
    for k in [0, 1_001, 1_000_000] {
        let (code, text) = told(MatchRequest {
            k,
            ..ask_text("涂层")
        });
        assert_eq!(code, Code::InvalidArgument);
        assert!(text.contains("1 to 1000"), "{text}");
    }
    assert!(told(ask_text("")).1.contains("empty"));
    assert!(told(ask_text(" 。！")).1.contains("no letter"));
    assert!(
        told(ask_text(&"长".repeat(400_000)))
            .1
            .contains("400000 characters")
    );
    assert_eq!(
        told(MatchRequest::new(Ask::Record(id("X")), TODAY)).0,
        Code::NotFound
    );
    let late = MatchRequest {
        deadline: Some(std::time::Instant::now()),
        ..ask_text("涂层")
    };
    assert_eq!(told(late).0, Code::DeadlineExceeded);
    assert!(engine.find_matches_batch(&t(), &[]).is_err());

    // A bad record leaves the whole batch out, and every rule is told.
    let mut bad = need("N9", "x", "y");
    bad.attributes.insert("民族".into(), "汉".into());
    let e = engine
        .write(&t(), put([expert("E9", "丁", &["新"], &[]), bad]))
        .unwrap_err();
    assert!(matches!(&e, Error::Records(v) if v[0].index == 1), "{e}");
    assert_eq!(
        engine.get(&t(), None, &id("E9"), false).unwrap_err().code(),
        Code::NotFound
    );
    // An id keeps its kind.
    let e = engine.write(&t(), put([need("E1", "x", "y")])).unwrap_err();
    assert_eq!(e.code(), Code::AlreadyExists);
    // A stale etag.
    let write = |etag: &str| WriteBatch {
        writes: vec![Write::Put {
            record: Box::new(need("N1", "新", "题")),
            etag: Some(etag.into()),
            must_be_new: false,
            keep_contact: false,
        }],
        request_id: None,
    };
    assert_eq!(
        engine.write(&t(), write("nonsense")).unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(
        engine
            .write(&t(), write(&"0".repeat(24)))
            .unwrap_err()
            .code(),
        Code::Aborted
    );
    let etag = engine.get(&t(), None, &id("N1"), false).unwrap().etag;
    assert_eq!(engine.write(&t(), write(&etag)).unwrap().updated, 1);
    let new = WriteBatch {
        writes: vec![Write::Put {
            record: Box::new(need("N1", "新", "题")),
            etag: None,
            must_be_new: true,
            keep_contact: false,
        }],
        request_id: None,
    };
    assert_eq!(
        engine.write(&t(), new).unwrap_err().code(),
        Code::AlreadyExists
    );
}

#[test]
fn a_retry_applies_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut batch = put(small());
    batch.request_id = Some([7; 16]);
    let first = engine.write(&t(), batch.clone()).unwrap();
    assert_eq!(engine.write(&t(), batch.clone()).unwrap(), first);
    assert_eq!(ids(&engine, &ask_text("涂层")).len(), 3);
    batch.writes.pop();
    assert_eq!(
        engine.write(&t(), batch).unwrap_err().code(),
        Code::InvalidArgument
    );
    // The same records without an id change nothing either.
    let again = engine.write(&t(), put(small())).unwrap();
    assert_eq!((again.unchanged, again.seq), (4, first.seq));
}

#[test]
fn many_write_at_once_and_each_is_seen_when_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let (writers, each) = (8_u64, 25_u64);
    std::thread::scope(|scope| {
        let one = |w: u64| {
            for n in 0..each {
                let (name, about) = (format!("W{w}N{n}"), format!("第{w}组第{n}号耐腐蚀涂层"));
                let record = expert(&name, "张甲", &[&about], &[]);
                engine.write(&t(), put([record.clone()])).unwrap();
                let mut request = ask_text(&about);
                request.k = 1_000;
                assert!(ids(&engine, &request).contains(&name), "{name} is not seen");
                // A retry that changes nothing says no less.
                engine.write(&t(), put([record])).unwrap();
                if n % 5 == 4 {
                    engine.write(&t(), delete(&name)).unwrap();
                    assert!(!ids(&engine, &request).contains(&name), "{name} is seen");
                }
            }
        };
        let all: Vec<_> = (0..writers).map(|w| scope.spawn(move || one(w))).collect();
        while !all.iter().all(|w| w.is_finished()) {
            engine.rebuild(&t()).unwrap();
        }
    });
    let s = engine.statistics(&t(), TODAY).unwrap();
    let experts = s.records.iter().find(|(kind, _)| *kind == Kind::Expert);
    assert_eq!(experts.unwrap().1, writers * each * 4 / 5);
    assert_eq!(s.index_seq, s.store_seq);
}

#[test]
fn tenants_do_not_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("..").unwrap());
    engine.write(&a, put(small())).unwrap();
    assert!(
        engine
            .find_matches(&b, &ask_text("涂层"))
            .unwrap()
            .matches
            .is_empty()
    );
    assert_eq!(
        engine.get(&b, None, &id("E1"), false).unwrap_err().code(),
        Code::NotFound
    );
    assert_eq!(engine.statistics(&b, TODAY).unwrap().passages, 0);
    // Reading made nothing; writing stays inside the data folder whatever the name.
    let folders = || std::fs::read_dir(dir.path().join("index")).unwrap().count();
    assert_eq!(folders(), 1);
    engine
        .write(&b, put([expert("E1", "别人", &["别的"], &[])]))
        .unwrap();
    assert_eq!(folders(), 2);
    assert_eq!(
        engine
            .find_matches(&b, &ask_text("涂层"))
            .unwrap()
            .matches
            .len(),
        1
    );
    // Scores of one tenant do not depend on the other's records.
    let before = engine.find_matches(&a, &ask_text("涂层")).unwrap().matches[0].score;
    engine.write(&b, put(records(1, 50))).unwrap();
    assert_eq!(
        engine.find_matches(&a, &ask_text("涂层")).unwrap().matches[0].score,
        before
    );
}

#[test]
fn pages_cover_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.write(&t(), put(records(2, 57))).unwrap();
    for filter in ["", "kind = need"] {
        let mut seen = Vec::new();
        let mut request = ListRequest {
            page_size: 10,
            filter: Filter::parse(filter).unwrap(),
            ..ListRequest::default()
        };
        loop {
            let page = engine.list(&t(), &request).unwrap();
            assert!(page.records.len() <= 10);
            seen.extend(page.records.into_iter().map(|r| r.record.id));
            match page.next {
                Some(n) => request.after = Some(n),
                None => break,
            }
        }
        let expected: Vec<_> = records(2, 57)
            .into_iter()
            .filter(|r| filter.is_empty() || r.kind() == Kind::Need)
            .map(|r| r.id)
            .collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn modes_answer_from_their_side() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.write(&t(), put(small())).unwrap();
    let with = |mode| {
        engine
            .find_matches(
                &t(),
                &MatchRequest {
                    mode,
                    ..ask_text("海水点蚀")
                },
            )
            .unwrap()
    };
    assert_eq!(
        with(Mode::Lexical).matches.len(),
        1,
        "only one expert shares a term"
    );
    assert_eq!(with(Mode::Dense).matches.len(), 3);
    assert!(
        with(Mode::Dense).matches[0]
            .parts
            .iter()
            .all(|p| !p.feature.as_str().contains("words") || p.value.is_none())
    );
}

#[test]
fn contacts_stay_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut e = expert("E", "某", &["涂层"], &[]);
    e.set_contact(Some(queqiao_domain::Contact {
        phone: "13900000001".into(),
        ..Default::default()
    }));
    engine.write(&t(), put([e])).unwrap();
    assert!(
        engine
            .get(&t(), None, &id("E"), false)
            .unwrap()
            .record
            .contact()
            .is_none()
    );
    let page = engine.list(&t(), &ListRequest::default()).unwrap();
    assert!(page.records[0].record.contact().is_none());
    let answer = engine.find_matches(&t(), &ask_text("涂层")).unwrap();
    assert!(
        !serde_json::to_string(&answer)
            .unwrap()
            .contains("13900000001")
    );
    // Whoever writes back what they read does not lose it; whoever says so does.
    let phone = |e: &Engine| {
        let stored = e.store().scan(Some(&t())).unwrap();
        let last = stored.map(|s| s.unwrap().record).last();
        last.and_then(|r| r.contact().map(|c| c.phone.clone()))
    };
    let back = |keep_contact| {
        one(Write::Put {
            record: Box::new(expert("E", "某", &["新涂层"], &[])),
            etag: None,
            must_be_new: false,
            keep_contact,
        })
    };
    engine.write(&t(), back(true)).unwrap();
    assert_eq!(phone(&engine).as_deref(), Some("13900000001"));
    engine.write(&t(), back(false)).unwrap();
    assert_eq!(phone(&engine), None);
}

#[test]
fn figures_that_are_asked_for_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut asker = need(
        "N",
        "立方氮化硼单晶",
        "转化率不低于73%。公司年产值超过5亿元，员工不少于100人",
    );
    if let Detail::Need(n) = &mut asker.detail {
        n.targets = vec!["抗冲击韧性≥67%".into(), "粒度10-15 μm".into()];
    }
    let good = "立方氮化硼单晶，抗冲击韧性达到72%，粒度12微米";
    engine
        .write(
            &t(),
            put([
                asker,
                expert("good", "甲", &[], &[good]),
                expert(
                    "short",
                    "乙",
                    &[],
                    &["立方氮化硼，冲击韧性为60%，粒度12-20 μm"],
                ),
                expert("mute", "丙", &[], &["立方氮化硼，粒子加速器"]),
            ]),
        )
        .unwrap();
    let ask = MatchRequest::new(Ask::Record(id("N")), TODAY);
    let answer = engine.find_matches(&t(), &ask).unwrap();
    let told = |who: &str| {
        let m = answer
            .matches
            .iter()
            .find(|m| m.id.as_str() == who)
            .unwrap();
        let of = |path: &str| {
            let f = m.figures.iter().find(|f| f.asked.path == path).unwrap();
            (f.verdict, f.offered.as_ref().map(|o| o.text.clone()))
        };
        assert_eq!(m.figures.len(), 3, "money and heads are not asked for");
        (of("targets[0]"), of("targets[1]"), of("problem"))
    };
    let (toughness, size, rate) = told("good");
    assert_eq!(
        toughness,
        (Some(Verdict::Met), Some("抗冲击韧性达到72%".into()))
    );
    assert_eq!(size.0, Some(Verdict::Met));
    assert_eq!(rate, (None, None));
    let (toughness, size, _) = told("short");
    assert_eq!(
        (toughness.0, size.0),
        (Some(Verdict::Short), Some(Verdict::Partial))
    );
    assert_eq!(told("mute").0, (None, None));
    // What is shown is verbatim and where it says.
    for m in &answer.matches {
        for o in m.figures.iter().filter_map(|f| f.offered.as_ref()) {
            let record = engine.get(&t(), None, &m.id, false).unwrap().record;
            let units = record.units();
            let field = units
                .iter()
                .flat_map(|u| &u.parts)
                .find(|p| p.path == o.path)
                .unwrap();
            let cut: String = field
                .text
                .chars()
                .skip(o.start)
                .take(o.end - o.start)
                .collect();
            assert_eq!(cut, o.text);
        }
    }
    let bare = MatchRequest {
        quotes: false,
        ..ask
    };
    let answer = engine.find_matches(&t(), &bare).unwrap();
    assert!(answer.matches.iter().all(|m| m.figures.is_empty()));
}

#[test]
fn callers_weigh_and_spread() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let house = |id: &str, organisation: &str, region: &str| {
        let mut e = expert(id, "某", &["耐腐蚀涂层"], &[]);
        e.organisation = Some(Organisation {
            name: organisation.into(),
            uscc: None,
        });
        e.region = region.parse().ok();
        e
    };
    let mut asker = need("N", "涂层", "耐腐蚀涂层");
    asker.region = "440305".parse().ok();
    engine
        .write(
            &t(),
            put([
                asker,
                house("a1", "甲大学", "120000"),
                house("a2", "甲 大学", "120000"),
                house("a3", "甲大学", "120000"),
                house("b1", "乙大学", "440305"),
            ]),
        )
        .unwrap();
    let ask = MatchRequest::new(Ask::Record(id("N")), TODAY);
    let near = MatchRequest {
        weights: vec![(Feature::Region, 5.0)],
        ..ask.clone()
    };
    let answer = engine.find_matches(&t(), &near).unwrap();
    assert_eq!(answer.matches[0].id.as_str(), "b1");
    assert!(
        answer.weights.ends_with("with region=5"),
        "{}",
        answer.weights
    );
    for m in &answer.matches {
        let sum = m.parts.iter().fold(0.0, |s, p| s + p.contribution);
        assert_eq!(sum.to_bits(), m.score.get().to_bits());
    }
    // The same weights explain the same score.
    let one = engine
        .explain(&t(), &near, &id("a1"), None, true)
        .unwrap()
        .matched;
    let listed = answer
        .matches
        .iter()
        .find(|m| m.id.as_str() == "a1")
        .unwrap();
    assert_eq!((one.rank, one.score), (listed.rank, listed.score));

    let spread = MatchRequest {
        weights: vec![(Feature::Region, 0.0)],
        per_organisation: Some(1),
        k: 2,
        ..ask.clone()
    };
    let answer = engine.find_matches(&t(), &spread).unwrap();
    let got: Vec<&str> = answer.matches.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(got, ["a1", "b1"]);
    let note = answer
        .notes
        .iter()
        .find(|n| n.code == "PASSED_OVER")
        .unwrap();
    assert!(note.message.en.starts_with("2 "), "{}", note.message.en);

    for bad in [
        MatchRequest {
            weights: vec![(Feature::Region, -1.0)],
            ..ask.clone()
        },
        MatchRequest {
            per_organisation: Some(0),
            ..ask
        },
    ] {
        assert_eq!(
            engine.find_matches(&t(), &bad).unwrap_err().code(),
            Code::InvalidArgument
        );
    }
}

#[test]
fn who_was_written_lately_counts_where_a_weight_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let all = [
        need("N1", "膜污染", "降低膜污染"),
        need("N2", "膜污染", "降低膜污染"),
    ];
    engine.write(&t(), put(all)).unwrap();
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let value = |engine: &Engine, days: i64| {
        let request = MatchRequest {
            to: vec![Kind::Need],
            weights: vec![(Feature::Freshness, 0.1)],
            ..MatchRequest::new(
                Ask::Text("膜污染".into()),
                today + jiff::Span::new().days(days),
            )
        };
        let answer = engine.find_matches(&t(), &request).unwrap();
        assert_eq!(answer.matches.len(), 2);
        let of = |m: &Match| {
            let part = m.parts.iter().find(|p| p.feature == Feature::Freshness);
            part.unwrap().value.unwrap()
        };
        // Midnight may lie between the writing and here.
        let least = 365.0 / (365.0 + days as f64 + 1.0);
        let most = 365.0 / (365.0 + days as f64);
        for m in &answer.matches {
            assert!((least..=most).contains(&of(m)), "{}", of(m));
        }
    };
    for days in [0, 10, 365, 3_650] {
        value(&engine, days);
    }
    // The day is read again with the index, and where that is made anew from the store.
    drop(engine);
    value(&open(dir.path()), 365);
    value(&open_with(dir.path(), 7), 365);
}
