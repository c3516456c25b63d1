//! The organiser's day, from files to workbook: a 对接会 of 80 needs and 60 experts with its changes,
//! a 科技服务团 for one park, and what bad files get.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::{collections::BTreeSet, fmt::Write, fs, path::Path};
use support::{fails, json, ok, run};
use tempfile::TempDir;

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
const TASKS: [&str; 5] = ["寿命提升", "在线检测", "成本降低", "工艺优化", "可靠性设计"];

/// The folder of an event: 80 needs of 50 enterprises, 60 experts, one day, 20 tables.
fn event(dir: &Path) -> String {
    let folder = dir.join("对接会");
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let mut people = "编号,姓名,角色,单位\n".to_owned();
    for c in 0..50 {
        writeln!(people, "C{c:02},企业{c:02},企业,企业{c:02}有限公司").unwrap();
    }
    let mut experts = "编号,姓名,单位,研究方向,接待上限\n".to_owned();
    for e in 0..60 {
        writeln!(
            experts,
            "E{e:02},专家{e:02},大学{:02},{}的{}与{}技术研究,6",
            e % 17,
            FIELDS[e % 8],
            TASKS[e % 5],
            TASKS[(e + 2) % 5]
        )
        .unwrap();
    }
    let mut needs = "需求编号,需求名称,企业,技术难题,优先级\n".to_owned();
    for n in 0..80 {
        writeln!(
            needs,
            "N{n:02},{}{},C{:02},希望解决{}中的{}问题,{}",
            FIELDS[(n * 3) % 8],
            TASKS[n % 5],
            n % 50,
            FIELDS[(n * 3) % 8],
            TASKS[n % 5],
            if n % 20 == 0 { 2 } else { 1 }
        )
        .unwrap();
    }
    put("参会者.csv", &people);
    put("专家.csv", &experts);
    put("需求.csv", &needs);
    put(
        "规则.csv",
        "项目,值\n活动名称,低碳制造对接会\n日期,2026-12-03\n开始时间,9:00\n结束时间,17:00\n时段长度,25\n间隔,5\n休息,12:00-13:30\n桌数,20\n每需求专家数,3\n专家场次上限,6\n缺席率,8%\n",
    );
    // Some come late, one leaves for an hour.
    put(
        "时间.csv",
        "姓名,日期,开始,结束,状态\n专家03,2026-12-03,10:00,17:00,在场\n专家07,46359,9:00,12:00,在场\n企业05,2026-12-03,13:30,17:00,在场\n专家11,2026-12-03,10:00,11:00,不在\n",
    );
    put(
        "意向.csv",
        "提出方,对象,意向\nN03,E01,必须\n企业10,专家20,想见\n专家20,企业10,4\n企业12,专家02,不见\n",
    );
    put(
        "回避.csv",
        "甲方,乙方,原因\n企业01,专家09,股东\n专家16,企业02,导师关系\n",
    );
    folder.display().to_string()
}

fn held(plan: &Value) -> Vec<&Value> {
    plan["meetings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| !m["begin"].is_null())
        .collect()
}

/// What every timetable has to keep, seen from the outside.
fn check(plan: &Value) {
    let (mut busy, mut tables) = (BTreeSet::new(), BTreeSet::new());
    for m in held(plan) {
        let text = |k: &str| m[k].as_str().unwrap();
        let begin = text("begin");
        assert!(busy.insert((text("expert"), begin)), "{m}");
        assert!(busy.insert((text("enterprise"), begin)), "{m}");
        assert!(tables.insert((text("table"), begin)), "{m}");
        assert!(!("12:00".."13:30").contains(&begin), "{m}");
        match text("name") {
            "专家03" => assert!(begin >= "10:00"),
            "专家07" => assert!(text("end") <= "12:00"),
            "专家11" => assert!(!("10:00".."11:00").contains(&begin)),
            _ => {}
        }
        let pair = (text("enterprise"), text("name"));
        assert!(
            ![
                ("企业12", "专家02"),
                ("企业01", "专家09"),
                ("企业02", "专家16")
            ]
            .contains(&pair)
        );
        if text("enterprise") == "企业05" {
            assert!(begin >= "13:30");
        }
    }
    let f = &plan["figures"];
    let figure = |k: &str| f[k].as_f64().unwrap();
    assert!(figure("held_worth") <= figure("held_bound") + 1e-6);
    assert!(figure("listed_worth") <= figure("listed_bound") + 1e-6);
}

#[test]
fn a_whole_event_from_files_to_workbook_and_its_changes() {
    let dir = tempfile::tempdir().unwrap();
    let event = event(dir.path());
    let out = dir.path().join("方案.xlsx").display().to_string();
    let plan = json(&["event", "plan", &event, "--out", &out, "--format", "json"]);
    check(&plan);
    let f = &plan["figures"];
    assert_eq!(
        (f["needs"].as_u64(), f["experts"].as_u64()),
        (Some(80), Some(60))
    );
    assert_eq!(f["seats"].as_u64(), Some(13 * 20));
    assert!(f["needs_met"].as_u64().unwrap() >= 78, "{f}");
    assert!(
        held(&plan)
            .iter()
            .any(|m| m["need"] == "N03" && m["expert"] == "E01"),
        "the must is held"
    );
    // The same files, the same plan; and nothing is written over.
    assert_eq!(json(&["event", "plan", &event, "--format", "json"]), plan);
    fails(
        &["event", "plan", &event, "--out", &out],
        2,
        &["is there already", "--replace"],
    );

    // Three cancellations and a lost table: only what must changes.
    let second = dir.path().join("方案2.xlsx").display().to_string();
    let after = json(&[
        "event",
        "replan",
        &event,
        "--before",
        &out,
        "--cancel",
        "专家05",
        "--cancel",
        "E10",
        "--cancel",
        "企业20",
        "--lose-table",
        "7@15:00",
        "--out",
        &second,
        "--format",
        "json",
    ]);
    check(&after);
    let gone = ["专家05", "专家10", "企业20"];
    let touched = |m: &&Value| {
        gone.contains(&m["name"].as_str().unwrap())
            || gone.contains(&m["enterprise"].as_str().unwrap())
    };
    assert_eq!(held(&after).iter().filter(|m| touched(m)).count(), 0);
    let key = |m: &Value| {
        (
            m["need"].clone().to_string(),
            m["expert"].clone().to_string(),
        )
    };
    let fallen = held(&plan).iter().filter(|m| touched(m)).count();
    let lost = held(&plan)
        .iter()
        .filter(|m| m["table"] == "7" && m["end"].as_str().unwrap() > "15:00")
        .count();
    assert!(
        held(&after)
            .iter()
            .all(|m| m["table"] != "7" || m["end"].as_str().unwrap() <= "15:00")
    );
    let moved = held(&after)
        .iter()
        .filter(|m| {
            held(&plan)
                .iter()
                .any(|o| key(o) == key(m) && o["begin"] != m["begin"])
        })
        .count();
    let same = held(&after)
        .iter()
        .filter(|m| {
            held(&plan)
                .iter()
                .any(|o| key(o) == key(m) && o["begin"] == m["begin"])
        })
        .count();
    assert!(moved <= lost, "{moved} moved, {lost} lost their table");
    assert_eq!(
        same + moved + fallen,
        held(&plan).len(),
        "whatever can stay stays"
    );
    let changes = after["changes"].as_array().unwrap();
    let of = |kind: &str| changes.iter().filter(|c| c["kind"] == kind).count();
    assert_eq!((of("moved"), of("dropped")), (moved, fallen));

    // Why, in both languages.
    let met = held(&plan)[0];
    let why = ok(&[
        "event",
        "explain",
        &event,
        "--need",
        met["need"].as_str().unwrap(),
        "--expert",
        met["expert"].as_str().unwrap(),
    ]);
    assert!(why.contains("meets") && why.contains("table"), "{why}");
    let why = ok(&[
        "event", "explain", &event, "--need", "N01", "--expert", "E09",
    ]);
    assert!(why.contains("may not meet: 股东"), "{why}");
    let why = ok(&[
        "--lang", "zh", "event", "explain", &event, "--need", "N51", "--expert", "专家09",
    ]);
    assert!(why.contains("回避"), "{why}");
}

/// A park's team: 30 needs, 80 candidates.
fn park(dir: &Path, budget: &str) -> String {
    let folder = dir.join(format!("服务团{budget}"));
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let mut needs = "需求编号,需求名称,企业,技术难题,权重\n".to_owned();
    for n in 0..30 {
        writeln!(
            needs,
            "N{n:02},{}{},企业{n:02},{}的{}问题,{}",
            FIELDS[n % 8],
            TASKS[n % 5],
            FIELDS[n % 8],
            TASKS[n % 5],
            1 + n % 3
        )
        .unwrap();
    }
    let mut experts = "编号,姓名,职称,单位,学会,研究方向,费用,距离\n".to_owned();
    for e in 0..80 {
        writeln!(
            experts,
            "E{e:02},专家{e:02},{},大学{:02},{}学会,{}{}研究,{:.1},{}",
            ["教授", "副教授", "高级工程师"][e % 3],
            e % 20,
            ["材料", "机械", "环境", "化工", "自动化"][e % 5],
            FIELDS[e % 8],
            TASKS[(e / 3) % 5],
            0.5 + (e % 7) as f64 * 0.3,
            100 + (e % 9) * 100
        )
        .unwrap();
    }
    put("需求.csv", &needs);
    put("专家.csv", &experts);
    put(
        "规则.csv",
        &format!(
            "项目,值\n团队名称,低碳园区服务团\n人数上限,8\n预算,{budget}\n同一单位上限,1\n学会数,3\n团长职称,教授\n最远距离,600\n排除,专家08\n"
        ),
    );
    folder.display().to_string()
}

#[test]
fn a_service_team_for_one_park_with_its_proof_or_the_reason_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("team.xlsx").display().to_string();
    let team = json(&[
        "team",
        "compose",
        &park(dir.path(), "9"),
        "--out",
        &out,
        "--format",
        "json",
    ]);
    let members = team["members"].as_array().unwrap();
    assert!(team["proven"].as_bool().unwrap() && members.len() <= 8);
    assert!(members[0]["lead"].as_bool().unwrap());
    assert!(team["cost"].as_f64().unwrap() <= 9.0 && team["societies"].as_u64().unwrap() >= 3);
    assert!(members.iter().all(|m| m["name"] != "专家08"));
    let houses: BTreeSet<&str> = members
        .iter()
        .map(|m| m["organisation"].as_str().unwrap())
        .collect();
    assert_eq!(houses.len(), members.len(), "one of an institution");
    assert!(
        members
            .iter()
            .all(|m| m["alternates"].as_array().unwrap().len() <= 2)
    );
    assert_eq!(team["coverage"].as_array().unwrap().len(), 30);
    assert!(Path::new(&out).exists());

    let poor = run(&["--lang", "zh", "team", "compose", &park(dir.path(), "0.3")]);
    assert_eq!(poor.code, 2);
    assert!(
        poor.err.contains("无法同时满足") && poor.err.contains("预算"),
        "{}",
        poor.err
    );
}

#[test]
fn a_team_for_stored_needs() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    for (file, kind) in [("needs-gba.csv", "need"), ("experts-gba.csv", "expert")] {
        ok(&[
            "import",
            &support::sample(file),
            "--kind",
            kind,
            "--data",
            &data,
        ]);
    }
    let team = json(&[
        "team",
        "compose",
        "--needs",
        "GBA-N02,GBA-N07",
        "--size",
        "2",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    // Two seats for two needs: whom `match` names first for each is on the team.
    let members = team["members"].as_array().unwrap();
    for need in ["GBA-N02", "GBA-N07"] {
        let found = json(&[
            "match", "--need", need, "--to", "expert", "-k", "1", "--data", &data, "--format",
            "json",
        ]);
        let first = &found["matches"][0]["id"];
        assert!(
            members.iter().any(|m| m["id"] == *first),
            "{need}: {first} {team:#}"
        );
    }
    assert!(team["proven"].as_bool().unwrap());
}

struct Bad {
    dir: TempDir,
}

impl Bad {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        event(dir.path());
        Self { dir }
    }

    /// One file replaced, and what must be said.
    #[track_caller]
    fn says(&self, file: &str, text: &str, words: &[&str]) {
        let path = self.dir.path().join("对接会").join(file);
        let old = fs::read(&path).ok();
        fs::write(&path, text).unwrap();
        let out = self.dir.path().join("never.xlsx");
        let event = self.dir.path().join("对接会").display().to_string();
        fails(
            &["event", "plan", &event, "--out", out.to_str().unwrap()],
            2,
            words,
        );
        assert!(!out.exists());
        match old {
            Some(old) => fs::write(&path, old).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
}

#[test]
fn every_slip_is_told_with_its_place() {
    let bad = Bad::new();
    bad.says(
        "专家.csv",
        "编号,姓名,研究方向,接待上限\nE1,甲,焊接,3\nE1,乙,焊接,3\nE2,丙,焊接,0\n",
        &[
            "专家.csv, row 3",
            "column A 编号",
            "E1 stands twice",
            "row 4",
            "column D 接待上限",
            "value `0`",
            "from 1 up",
        ],
    );
    bad.says("时间.csv", "姓名,日期,开始,结束\n专家03,2026-12-03,15:00,14:00\n无名,2026-12-03,9:00,10:00\n专家04,2027-01-01,9:00,10:00\n专家05,46359,25:00,26:00\n", &[
        "row 2", "ends before it begins", "row 3", "无名 does not attend", "row 4", "not on that day", "row 5", "no time",
    ]);
    bad.says(
        "意向.csv",
        "提出方,对象,意向\n企业01,没来的人,必须\n企业01,企业02,想见\n企业01,专家01,也许吧\n",
        &[
            "does not attend",
            "same side",
            "the wish is not known",
            "must, want, maybe, refuse",
        ],
    );
    bad.says(
        "回避.csv",
        "甲方,乙方\n专家01,专家01\n",
        &[
            "回避.csv, row 2",
            "column B 乙方",
            "a conflict with oneself",
        ],
    );
    bad.says(
        "规则.csv",
        "项目,值\n日期,2026-12-03\n开始时间,9:00\n结束时间,17:00\n时段长度,25\n",
        &["row 5", "does not divide the day", "20"],
    );
    bad.says(
        "规则.csv",
        "项目,值\n日期,2026-12-03\n开始时间,9:00\n结束时间,10:00\n时段长度,20\n桌数,5\n",
        &["row 6", "80 needs and 15 seats", "at least 27 tables"],
    );
    bad.says(
        "规则.csv",
        "项目,值\n颜色,红\n",
        &["row 2", "there is no such rule"],
    );
    bad.says(
        "意向.csv",
        "提出方,对象,意向\n",
        &["意向.csv", "a header and no row"],
    );
    bad.says("意向.csv", "甲,乙\n1,2\n", &["no column has a known name"]);
    let missing = bad.dir.path().join("none").display().to_string();
    fails(&["event", "plan", &missing], 2, &["none"]);
}

#[test]
fn wishes_that_cannot_be_had_name_what_collides() {
    let dir = tempfile::tempdir().unwrap();
    let event = event(dir.path());
    let folder = Path::new(&event);
    fs::write(
        folder.join("意向.csv"),
        "提出方,对象,意向\n企业01,专家09,必须\n",
    )
    .unwrap();
    let said = run(&["event", "plan", &event]);
    assert_eq!(said.code, 2);
    for word in ["these cannot all hold", "N01 and E09", "give up the wish"] {
        assert!(said.err.contains(word), "{}", said.err);
    }
    // The ways out, cheapest first.
    let ways: Vec<&str> = said.out.lines().collect();
    assert!(
        ways.len() >= 2 && ways[0].contains("give up the wish"),
        "{ways:?}"
    );
}

#[test]
fn the_examples_are_planned_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for lang in ["en", "zh"] {
        let event = dir
            .path()
            .join(format!("{lang}.xlsx"))
            .display()
            .to_string();
        ok(&["event", "example", &event, "--lang", lang]);
        let plan = json(&["event", "plan", &event, "--format", "json", "--lang", lang]);
        assert_eq!(held(&plan).len(), 12, "{plan}");
        let meets = |need: &str, expert: &str| {
            held(&plan)
                .iter()
                .any(|m| m["need"] == need && m["expert"] == expert)
        };
        // Whoever writes such a sheet expects these; E7 must not meet C1, nor E8 C2.
        for (need, expert) in [
            ("N1", "E1"),
            ("N3", "E3"),
            ("N4", "E4"),
            ("N5", "E5"),
            ("N6", "E6"),
        ] {
            assert!(meets(need, expert), "{lang} {need} {expert}");
        }
        assert!(!meets("N1", "E7") && !meets("N2", "E7") && !meets("N3", "E8"));
        fails(
            &["event", "example", &event, "--lang", lang],
            2,
            &["--replace"],
        );

        let team = dir
            .path()
            .join(format!("{lang}-team.xlsx"))
            .display()
            .to_string();
        ok(&["team", "example", &team, "--lang", lang]);
        let plan = json(&["team", "compose", &team, "--format", "json", "--lang", lang]);
        assert_eq!(plan["members"].as_array().unwrap().len(), 4, "{plan}");
    }
}

#[test]
fn one_workbook_in_english_and_cells_that_look_like_formulas() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("event");
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put(
        "needs.csv",
        "id,title,enterprise\nN1,=HYPERLINK(\"http://x\"),@Acme\nN2,-5 degrees,+Bolt\n",
    );
    put("experts.csv", "id,name,organisation\nE1,=cmd,U\nE2,Ann,V\n");
    put(
        "scores.csv",
        "need,expert,score\nN1,E1,0.9\nN2,E1,0.8\nN2,E2,0.4\n",
    );
    put(
        "rules.csv",
        "rule,value\ndate,2026-12-03\nstart,9:00\nend,10:00\nslot,20\ntables,2\n",
    );
    let out = dir.path().join("plan.xlsx");
    let plan = json(&[
        "event",
        "plan",
        folder.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(plan["meetings"].as_array().unwrap().len(), 3);
    assert_eq!(plan["meetings"][0]["title"], "=HYPERLINK(\"http://x\")");
    let mut zip = zip_entries(&out);
    zip.retain(|(name, _)| name.starts_with("xl/worksheets/sheet"));
    assert!(zip.len() >= 9);
    for (name, xml) in zip {
        assert!(!xml.contains("<f>"), "{name} holds a formula");
    }
}

/// Names and texts of a workbook's parts.
fn zip_entries(path: &Path) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut f = zip.by_index(i).unwrap();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut f, &mut text).unwrap();
            (f.name().unwrap().into_owned(), text)
        })
        .collect()
}
