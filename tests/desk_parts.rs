//! The other plays of an event, from files to workbook: review panels of a park selection, a
//! forum's roundtables, a 直通车 with its roadshow, events at the same time; and a workbook as Excel
//! makes it.
#![allow(clippy::unwrap_used)]

mod support;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use support::{fails, json, ok};

/// A folder of csv files.
fn folder(dir: &Path, name: &str, files: &[(&str, &str)]) -> String {
    let folder = dir.join(name);
    fs::create_dir(&folder).unwrap();
    for (file, text) in files {
        fs::write(folder.join(file), text).unwrap();
    }
    folder.display().to_string()
}

fn planned(event: &str, out: &Path) -> Value {
    let out = out.display().to_string();
    let plan = json(&["event", "plan", event, "--out", &out, "--format", "json"]);
    assert!(Path::new(&out).exists());
    plan
}

/// The names of a workbook's sheets.
fn sheets(path: &Path) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("xl/workbook.xml").unwrap(), &mut text).unwrap();
    text.split("<sheet name=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_park_selection_with_hard_rules_quotas_and_panels() {
    let dir = tempfile::tempdir().unwrap();
    let mut parks = "申报编号,园区,依托单位,所在区,初评分,孵化面积\n".to_owned();
    for i in 0..12 {
        let area = if i == 3 { 1_800 } else { 2_000 + 100 * i };
        writeln!(
            parks,
            "P{i:02},园区{i:02},运营公司{i:02},区{},{},{area}",
            i % 4,
            90 - i
        )
        .unwrap();
    }
    let mut reviewers =
        "评委编号,姓名,单位,研究方向,最少评审数,最多评审数,学会任职,合作过,申报回避\n".to_owned();
    for r in 0..10 {
        let house = if r == 0 {
            "运营公司00".to_owned()
        } else {
            format!("大学{r}")
        };
        let worked = if r == 1 { "运营公司01" } else { "" };
        let declared = if r == 2 { "园区02" } else { "" };
        writeln!(
            reviewers,
            "R{r:02},评委{r:02},{house},产业园区,1,4,,{worked},{declared}"
        )
        .unwrap();
    }
    let event = folder(
        dir.path(),
        "评审",
        &[
            ("申报.csv", &parks),
            ("评审专家.csv", &reviewers),
            ("硬性条件.csv", "指标,最低,单位\n孵化面积,2000,平方米\n"),
            (
                "规则.csv",
                "项目,值\n活动名称,示范园区评审\n每区名额,2\n每项评审人数,3\n",
            ),
            ("回避.csv", "甲方,乙方,原因\n园区05,评委05,师生\n"),
        ],
    );
    let out = dir.path().join("评审.xlsx");
    let panels = planned(&event, &out)["panels"].clone();
    let text = panels.to_string();
    // Eight of twelve pass: two a district; P03 fails the rule, with its figure.
    let all = panels["panels"].as_array().unwrap();
    assert_eq!(all.len(), 8, "{text}");
    let left: Vec<&Value> = panels["left_out"].as_array().unwrap().iter().collect();
    assert_eq!(left.len(), 4);
    assert!(
        text.contains("孵化面积 is 1800 平方米; asked is ≥ 2000 平方米"),
        "{text}"
    );
    let mut loads = std::collections::BTreeMap::new();
    for p in all {
        let seats = p["reviewers"].as_array().unwrap();
        assert_eq!(seats.len(), 3, "{p}");
        for s in seats {
            let pair = (p["application"].as_str().unwrap(), s[0].as_str().unwrap());
            assert!(
                ![
                    ("P00", "R00"),
                    ("P01", "R01"),
                    ("P02", "R02"),
                    ("P05", "R05")
                ]
                .contains(&pair)
            );
            *loads.entry(pair.1.to_owned()).or_insert(0) += 1;
        }
    }
    assert!(
        loads.len() == 10 && loads.values().all(|n| (1..=4).contains(n)),
        "{loads:?}"
    );
    assert!(sheets(&out).len() >= 3, "{:?}", sheets(&out));
}

#[test]
fn roundtables_with_hosts_and_balance() {
    let dir = tempfile::tempdir().unwrap();
    let mut people = "编号,姓名,角色,单位,简介\n".to_owned();
    let fields = ["激光焊接", "污泥资源化", "酶制剂发酵"];
    for (i, field) in fields.iter().enumerate() {
        writeln!(people, "H{i},主持{i},主持人,学会{i},{field}").unwrap();
    }
    for i in 0..12 {
        let role = if i % 2 == 0 { "企业" } else { "专家" };
        writeln!(
            people,
            "G{i:02},嘉宾{i:02},{role},单位{},{}研究",
            i / 2,
            fields[i % 3]
        )
        .unwrap();
    }
    let event = folder(
        dir.path(),
        "圆桌会",
        &[
            ("参会者.csv", &people),
            (
                "圆桌.csv",
                "圆桌,议题,座位数,主持人\n激光,激光焊接,5,H0\n环保,污泥资源化,5,H1\n生物,酶制剂发酵,5,H2\n",
            ),
            ("规则.csv", "项目,值\n活动名称,学会论坛\n"),
        ],
    );
    let out = dir.path().join("圆桌.xlsx");
    let plan = planned(&event, &out);
    let tables = plan["roundtables"]["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 3);
    let mut seen = BTreeSet::new();
    for t in tables {
        let part = |role: &str| -> Vec<&str> {
            let list = t[role].as_array().unwrap();
            list.iter().map(|g| g.as_str().unwrap()).collect()
        };
        let (hosts, askers, solvers) = (part("hosts"), part("askers"), part("solvers"));
        assert_eq!((hosts.len(), askers.len(), solvers.len()), (1, 2, 2), "{t}");
        let at: BTreeSet<&str> = [hosts, askers, solvers].concat().into_iter().collect();
        seen.extend(at.iter().map(|g| (*g).to_owned()));
        // Two of one house sit apart: G00 and G01 are of 单位0.
        for i in 0..6 {
            let (a, b) = (format!("G{:02}", 2 * i), format!("G{:02}", 2 * i + 1));
            assert!(!(at.contains(a.as_str()) && at.contains(b.as_str())), "{t}");
        }
    }
    assert_eq!(seen.len(), 15);
}

#[test]
fn a_direct_train_with_tracks_gates_and_a_roadshow() {
    let dir = tempfile::tempdir().unwrap();
    let mut projects = "项目编号,项目名称,单位,技术就绪度,赛道,项目简介\n".to_owned();
    for i in 0..12 {
        let track = ["造车", "健康", "城市"][i % 3];
        let text = ["动力电池热管理", "可穿戴心电监测", "地下管网巡检"][i % 3];
        writeln!(
            projects,
            "X{i:02},{text}{i},大学{},TRL {},{track},{text}技术",
            i % 5,
            3 + i % 6
        )
        .unwrap();
    }
    let event = folder(
        dir.path(),
        "直通车",
        &[
            ("项目.csv", &projects),
            (
                "赛道.csv",
                "赛道,方向,名额,成熟度门槛\n造车,动力电池,3,TRL 5\n健康,可穿戴监测,3,TRL 5\n城市,管网巡检,3,TRL 5\n",
            ),
            (
                "企业榜单.csv",
                "企业,关注方向,名额\n甲公司,动力电池热管理,2\n",
            ),
            (
                "规则.csv",
                "项目,值\n活动名称,火炬科技成果直通车\n每项目榜单数,2\n",
            ),
        ],
    );
    let out = dir.path().join("直通车.xlsx");
    let plan = planned(&event, &out);
    let tracks = &plan["tracks"];
    let text = tracks.to_string();
    assert!(text.contains("the gate asks for"), "{text}");
    let listed = tracks["tracks"].as_array().unwrap();
    assert_eq!(
        (
            listed.len(),
            tracks["enterprises"].as_array().unwrap().len()
        ),
        (3, 1)
    );
    let number = |id: &Value| id.as_str().unwrap()[1..].parse::<usize>().unwrap();
    for list in listed {
        // Nobody below the gate, nobody of another track.
        for p in list["projects"].as_array().unwrap() {
            assert!(3 + number(&p[0]) % 6 >= 5, "{list}");
        }
    }
    let stage = tracks["roadshow"].as_array().unwrap();
    let on: usize = listed
        .iter()
        .map(|l| l["projects"].as_array().unwrap().len())
        .sum();
    assert!(on > 0 && stage.len() == on, "{text}");
    assert!(stage.iter().all(|s| !s["begin"].is_null()), "{text}");
}

#[test]
fn what_somebody_does_at_an_event_at_the_same_time_counts() {
    let dir = tempfile::tempdir().unwrap();
    let experts = "编号,姓名,单位\nE1,甲,大学\nE2,乙,研究院\n";
    let files = |name: &str, rules: &str| {
        folder(
            dir.path(),
            name,
            &[
                (
                    "需求.csv",
                    "需求编号,需求名称,企业\nN1,焊接,企业一\nN2,检测,企业二\n",
                ),
                ("专家.csv", experts),
                (
                    "评分.csv",
                    "需求,专家,评分\nN1,E1,0.9\nN1,E2,0.3\nN2,E1,0.8\nN2,E2,0.4\n",
                ),
                ("规则.csv", rules),
            ],
        )
    };
    let rules = "项目,值\n日期,2026-12-03\n开始时间,9:00\n结束时间,10:00\n时段长度,20\n桌数,2\n每需求专家数,1\n";
    let first = files("甲会", rules);
    let out = dir.path().join("甲会.xlsx");
    let plan = planned(&first, &out);
    let of = |plan: &Value, who: &str| {
        let meetings = plan["meetings"].as_array().unwrap();
        let held = meetings
            .iter()
            .filter(|m| m["expert"] == who && !m["begin"].is_null());
        held.map(|m| m["begin"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&plan, "E1").len(), 2);
    let second = files("乙会", &format!("{rules}每人跨活动上限,2\n"));
    let with = json(&[
        "event",
        "plan",
        &second,
        "--with",
        out.to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert!(of(&with, "E1").is_empty(), "{with:#}");
    assert_eq!(of(&with, "E2").len(), 2);
    assert!(with["notes"].to_string().contains("were taken in"));
}

fn sheet(book: &mut Workbook, name: &str, rows: &[&[&str]]) {
    let s: &mut Worksheet = book.add_worksheet();
    s.set_name(name).unwrap();
    for (r, row) in rows.iter().enumerate() {
        for (c, text) in row.iter().enumerate() {
            s.write_string(r as u32, c as u16, *text).unwrap();
        }
    }
}

/// One workbook, with days and times as Excel keeps them.
fn workbook(path: PathBuf, end: u16, twice: bool) -> String {
    let mut book = Workbook::new();
    let second: &[&str] = if twice {
        &["E1", "乙", "9"]
    } else {
        &["E2", "乙", "9"]
    };
    sheet(
        &mut book,
        "专家",
        &[&["编号", "姓名", "接待上限"], &["E1", "甲", "3"], second],
    );
    sheet(
        &mut book,
        "需求",
        &[&["需求编号", "需求名称", "企业"], &["N1", "焊接", "企业一"]],
    );
    sheet(
        &mut book,
        "评分",
        &[&["需求", "专家", "评分"], &["N1", "E1", "0.9"]],
    );
    sheet(
        &mut book,
        "规则",
        &[
            &["项目", "值"],
            &["桌数", "2"],
            &["时段长度", "30"],
            &["日期"],
            &["开始时间"],
            &["结束时间"],
        ],
    );
    let day = ExcelDateTime::from_ymd(2026, 12, 3).unwrap();
    let clock = |h| ExcelDateTime::from_hms(h, 0, 0).unwrap();
    let (date, time) = (
        Format::new().set_num_format("yyyy-mm-dd"),
        Format::new().set_num_format("hh:mm"),
    );
    let rules = book.worksheet_from_name("规则").unwrap();
    rules.write_datetime_with_format(3, 1, &day, &date).unwrap();
    rules
        .write_datetime_with_format(4, 1, clock(9), &time)
        .unwrap();
    rules
        .write_datetime_with_format(5, 1, clock(12), &time)
        .unwrap();
    sheet(
        &mut book,
        "时间",
        &[&["姓名", "日期", "开始", "结束"], &["甲"]],
    );
    let times = book.worksheet_from_name("时间").unwrap();
    times.write_datetime_with_format(1, 1, &day, &date).unwrap();
    times
        .write_datetime_with_format(1, 2, clock(10), &time)
        .unwrap();
    times
        .write_datetime_with_format(1, 3, clock(end), &time)
        .unwrap();
    book.save(&path).unwrap();
    path.display().to_string()
}

#[test]
fn an_event_in_one_workbook_as_excel_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    let event = workbook(dir.path().join("对接会.xlsx"), 11, false);
    let plan = json(&["event", "plan", &event, "--format", "json"]);
    let m = &plan["meetings"][0];
    assert!(
        ["10:00", "10:30"].contains(&m["begin"].as_str().unwrap()),
        "{m}"
    );
    assert_eq!(m["day"], "2026-12-03");
    let bad = workbook(dir.path().join("有误.xlsx"), 8, true);
    fails(
        &["event", "plan", &bad],
        2,
        &[
            "有误.xlsx, sheet 专家, row 3, column A 编号, value `E1`: E1 stands twice",
            "sheet 时间, row 2, column D 结束",
            "it ends before it begins",
        ],
    );
    let zh = ok(&["--lang", "zh", "event", "plan", &event]);
    assert!(zh.contains("需求 1/1"), "{zh}");
}
