//! Two sites with a walk between them, somebody who comes late, and a joint project.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};
use support::{json, run};

/// Minutes between the two halls.
const WALK: i64 = 30;

/// Twelve needs and eight experts; two tables in each of two halls; half-hour slots without a break.
fn event(dir: &Path) -> String {
    let folder = dir.join("两地对接会");
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let mut people = "编号,姓名,角色,单位\n".to_owned();
    let mut needs = "需求编号,需求名称,企业,技术难题,专家数\n".to_owned();
    let mut scores = "需求,专家,评分\n".to_owned();
    for n in 0..12 {
        writeln!(people, "C{n:02},企业{n:02},企业,企业{n:02}有限公司").unwrap();
        writeln!(needs, "N{n:02},需求{n:02},C{n:02},难题{n:02},3").unwrap();
        for e in 0..8 {
            writeln!(scores, "N{n:02},E{e:02},0.{}", 3 + (n * 5 + e * 7) % 7).unwrap();
        }
    }
    let mut experts = "编号,姓名,单位,研究方向,接待上限\n".to_owned();
    for e in 0..8 {
        writeln!(experts, "E{e:02},专家{e:02},大学{e:02},方向{e:02},6").unwrap();
    }
    put("参会者.csv", &people);
    put("专家.csv", &experts);
    put("需求.csv", &needs);
    put("评分.csv", &scores);
    put("桌位.csv", "桌位,地点\n1,东馆\n2,东馆\n3,西馆\n4,西馆\n");
    put(
        "路程.csv",
        &format!("从,到,分钟\n东馆,西馆,{WALK}\n西馆,东馆,{WALK}\n"),
    );
    put(
        "规则.csv",
        "项目,值\n活动名称,两地对接会\n日期,2026-12-03\n开始时间,9:00\n结束时间,16:00\n时段长度,30\n间隔,0\n",
    );
    folder.display().to_string()
}

fn minutes(time: &Value) -> i64 {
    let (h, m) = time.as_str().unwrap().split_once(':').unwrap();
    h.parse::<i64>().unwrap() * 60 + m.parse::<i64>().unwrap()
}

/// Begin, end and hall of everybody's meetings, in order of time.
fn days(plan: &Value) -> BTreeMap<String, Vec<(i64, i64, bool)>> {
    let mut days: BTreeMap<String, Vec<(i64, i64, bool)>> = BTreeMap::new();
    for m in plan["meetings"].as_array().unwrap() {
        if m["begin"].is_null() {
            continue;
        }
        let east = ["1", "2"].contains(&m["table"].as_str().unwrap());
        for who in ["name", "enterprise"] {
            let day = days.entry(m[who].as_str().unwrap().to_owned()).or_default();
            day.push((minutes(&m["begin"]), minutes(&m["end"]), east));
        }
    }
    days.values_mut().for_each(|d| d.sort_unstable());
    days
}

/// Nobody is in two places, and everybody has the time to walk.
fn check(plan: &Value) -> usize {
    let days = days(plan);
    let mut walks = 0;
    for (who, day) in &days {
        for pair in day.windows(2) {
            let ((_, end, from), (begin, _, to)) = (pair[0], pair[1]);
            let walk = if from == to { 0 } else { WALK };
            assert!(begin >= end + walk, "{who}: {day:?}");
            walks += usize::from(from != to);
        }
    }
    walks
}

#[test]
fn two_sites_leave_time_to_walk_and_a_late_guest_moves_few() {
    let dir = tempfile::tempdir().unwrap();
    let event = event(dir.path());
    let out = dir.path().join("方案.xlsx").display().to_string();
    let plan = json(&["event", "plan", &event, "--out", &out, "--format", "json"]);
    assert!(check(&plan) > 0, "somebody walks: else nothing was tried");
    let held = |p: &Value| days(p).values().map(Vec::len).sum::<usize>() / 2;
    assert!(held(&plan) >= 34, "{} of 36 meetings", held(&plan));

    let after = json(&[
        "event",
        "replan",
        &event,
        "--before",
        &out,
        "--late",
        "E03@11:00",
        "--format",
        "json",
    ]);
    check(&after);
    let day = &days(&after)["专家03"];
    assert!(day.iter().all(|m| m.0 >= 11 * 60), "{day:?}");
    // Whoever has nothing to do with the late guest's morning keeps what they have.
    let early = |p: &Value| -> Vec<String> {
        let all = p["meetings"].as_array().unwrap();
        let of = all
            .iter()
            .filter(|m| m["name"] == "专家03" && !m["begin"].is_null());
        of.filter(|m| minutes(&m["begin"]) < 11 * 60)
            .map(|m| m["enterprise"].as_str().unwrap().to_owned())
            .collect()
    };
    let touched = early(&plan);
    assert!(!touched.is_empty());
    let (before, now) = (days(&plan), days(&after));
    let moved = before
        .iter()
        .filter(|(who, day)| now.get(*who) != Some(day))
        .count();
    assert!(
        moved <= 1 + 3 * touched.len(),
        "{moved} days changed for {touched:?}"
    );
    let changes = after["changes"].as_array().unwrap();
    assert!(!changes.is_empty() && changes.len() <= 3 * touched.len());
}

/// A joint project of five parts, and who could do what.
fn project(dir: &Path, floor: &str) -> String {
    let folder = dir.join(format!("联合项目{floor}"));
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let parts = ["材料", "结构", "控制", "测试", "产业化"];
    let mut needs = "需求编号,需求名称,技术难题,权重\n".to_owned();
    for (i, p) in parts.iter().enumerate() {
        writeln!(needs, "P{i},{p},{p}部分的难题,1").unwrap();
    }
    put("需求.csv", &needs);
    let mut experts = "编号,姓名,职称,单位,研究方向,费用\n".to_owned();
    let mut scores = "需求,专家,评分\n".to_owned();
    for e in 0..7 {
        writeln!(experts, "E{e},伙伴{e},教授,单位{e},方向{e},1").unwrap();
        for p in 0..5 {
            // The first five are strong in one part each, the others middling in all.
            let score = if e == p {
                "0.9"
            } else if e < 5 {
                "0.1"
            } else {
                "0.5"
            };
            writeln!(scores, "P{p},E{e},{score}").unwrap();
        }
    }
    put("专家.csv", &experts);
    put("评分.csv", &scores);
    put(
        "规则.csv",
        &format!("项目,值\n团队名称,联合攻关\n人数上限,5\n任务最低匹配,{floor}\n每成员任务数,1\n"),
    );
    folder.display().to_string()
}

#[test]
fn a_consortium_covers_every_part_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("partners.xlsx");
    let found = json(&[
        "team",
        "consortium",
        &project(dir.path(), "0.6"),
        "--out",
        out.to_str().unwrap(),
        "--format",
        "json",
    ]);
    // Only the five specialists reach .6, each in a part of their own.
    let ids: Vec<&str> = found["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 5, "{found:#}");
    assert!((0..5).all(|e| ids.contains(&format!("E{e}").as_str())));
    assert!(found["proven"].as_bool().unwrap(), "{found:#}");
    assert!(out.exists());

    let none = run(&["team", "consortium", &project(dir.path(), "0.95")]);
    assert_eq!(none.code, 2, "{}", none.out);
    assert!(
        none.err.contains("0.95") || none.err.contains("P0"),
        "{}",
        none.err
    );
    let zh = run(&[
        "--lang",
        "zh",
        "team",
        "consortium",
        &project(dir.path(), "0.96"),
    ]);
    assert!(
        zh.code == 2 && zh.err.contains("无法同时满足"),
        "{}",
        zh.err
    );
}
