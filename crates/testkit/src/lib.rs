//! Fixtures for tests: small records in few words, and seeded generators of many.
//!
//! Purpose: a test reads as input and expectation. Invariant: equal seeds give equal records, and
//! nothing here is a real person or organisation. Used by tests only.

use queqiao_domain::{Detail, Expert, Kind, Need, Passage, Record, RecordId};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// An id from a literal.
///
/// # Panics
/// When the literal is no id: the test is wrong.
#[allow(clippy::expect_used)]
pub fn id(s: &str) -> RecordId {
    RecordId::new(s).expect("a fixture's id")
}

/// A need with a title and a problem.
pub fn need(id_: &str, title: &str, problem: &str) -> Record {
    let mut r = Record::new(id(id_), Kind::Need);
    r.title = title.to_owned();
    r.detail = Detail::Need(Need {
        problem: problem.to_owned(),
        ..Need::default()
    });
    r
}

/// An expert with a name, research fields and papers.
pub fn expert(id_: &str, name: &str, research: &[&str], papers: &[&str]) -> Record {
    let mut r = Record::new(id(id_), Kind::Expert);
    r.title = name.to_owned();
    r.passages = papers
        .iter()
        .map(|p| Passage {
            title: String::new(),
            text: (*p).to_owned(),
        })
        .collect();
    r.detail = Detail::Expert(Expert {
        research: research.iter().map(|s| (*s).to_owned()).collect(),
        ..Expert::default()
    });
    r
}

const THINGS: [&str; 24] = [
    "电池",
    "涂层",
    "轴承",
    "传感器",
    "催化剂",
    "膜材料",
    "焊缝",
    "齿轮",
    "芯片",
    "激光器",
    "疫苗",
    "酶制剂",
    "污泥",
    "盾构机",
    "叶片",
    "陶瓷",
    "纤维",
    "粘结剂",
    "显示屏",
    "机器人",
    "管道",
    "合金",
    "天线",
    "滤波器",
];
const PROPERTIES: [&str; 16] = [
    "耐腐蚀",
    "高韧性",
    "低噪声",
    "轻量化",
    "长寿命",
    "高精度",
    "耐高温",
    "低成本",
    "可回收",
    "高导热",
    "抗疲劳",
    "低能耗",
    "防水",
    "高纯度",
    "快速检测",
    "自动化",
];
const ACTIONS: [&str; 12] = [
    "制备",
    "检测",
    "设计",
    "仿真",
    "加工",
    "回收",
    "封装",
    "表面处理",
    "控制",
    "监测",
    "优化",
    "诊断",
];

/// A sentence of technology wording.
pub fn sentence(rng: &mut ChaCha8Rng) -> String {
    let mut pick = |from: &[&'static str]| *from.choose(rng).unwrap_or(&"");
    format!(
        "{}{}的{}与{}{}技术",
        pick(&PROPERTIES),
        pick(&THINGS),
        pick(&ACTIONS),
        pick(&PROPERTIES),
        pick(&ACTIONS),
    )
}

/// `n` records of mixed kinds with ids `r0…`, the same for the same seed.
pub fn records(seed: u64, n: usize) -> Vec<Record> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n)
        .map(|i| {
            let id_ = format!("r{i}");
            let title = sentence(&mut rng);
            if rng.random_bool(0.4) {
                let problem = format!("{}；{}", sentence(&mut rng), sentence(&mut rng));
                need(&id_, &title, &problem)
            } else {
                let papers: Vec<String> = (0..rng.random_range(0..4))
                    .map(|_| sentence(&mut rng))
                    .collect();
                let papers: Vec<&str> = papers.iter().map(String::as_str).collect();
                expert(&id_, &format!("专家{i}"), &[title.as_str()], &papers)
            }
        })
        .collect()
}
