//! The model in `models/`: whole, small, quick to load, and good at what it is for.

#![allow(clippy::unwrap_used)]

use queqiao_embed::{Embedder, ModelStore, Role, StaticModel};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

fn model() -> &'static StaticModel {
    static MODEL: OnceLock<StaticModel> = OnceLock::new();
    MODEL.get_or_init(|| {
        let store = ModelStore::find(&[models()]).unwrap();
        store.load_static(store.default_name()).unwrap()
    })
}

#[test]
fn the_manifest_is_true() {
    let store = ModelStore::find(&[models()]).unwrap();
    for entry in store.list() {
        store.verify(&entry.name).unwrap();
        let size: u64 = entry.files.values().map(|f| f.bytes).sum();
        assert!(size <= 30 << 20, "{} has {size} bytes", entry.name);
        assert!(!entry.licence.is_empty());
        let loaded = store.load(Some(&entry.name)).unwrap();
        assert_eq!(loaded.dim(), entry.dim);
        let card = fs::read_to_string(store.dir().join(&entry.name).join("README.md")).unwrap();
        for part in [
            "## Sources",
            "## Training",
            "Seed ",
            "## Limits",
            "ChinaXiv",
            "CC BY",
        ] {
            assert!(card.contains(part), "the card lacks {part}");
        }
    }
}

#[test]
fn terms_find_their_translation() {
    let pairs = [
        ("锂离子电池", "lithium-ion battery"),
        ("机器学习", "machine learning"),
        ("水稻育种", "rice breeding"),
        ("肿瘤免疫治疗", "cancer immunotherapy"),
        ("图像分割", "image segmentation"),
        ("土壤重金属污染", "soil heavy metal pollution"),
        ("知识图谱", "knowledge graph"),
        ("奶牛饲料", "dairy cow feed"),
        ("引力波探测", "gravitational wave detection"),
        ("抑郁与焦虑", "depression and anxiety"),
        ("遥感影像", "remote sensing image"),
        ("高压电网", "power grid"),
    ];
    let zh = model().embed(&pairs.map(|p| p.0), Role::Query).unwrap();
    let en = model().embed(&pairs.map(|p| p.1), Role::Passage).unwrap();
    let scores = zh.dot(&en.t());
    let right = (0..pairs.len())
        .filter(|&i| (0..pairs.len()).all(|j| scores[[i, j]] <= scores[[i, i]]))
        .count();
    assert!(
        right + 1 >= pairs.len(),
        "{right} of {}: {scores}",
        pairs.len()
    );
}

#[test]
fn writing_does_not_matter() {
    let forms = [
        "機器學習與數據庫",
        "机器学习与数据库",
        "机器学习　与　数据库",
    ];
    let v = model().embed(&forms, Role::Query).unwrap();
    assert!(v.row(0).dot(&v.row(1)) > 0.9999 && v.row(1).dot(&v.row(2)) > 0.9999);
    assert_eq!(model().coverage("机器学习 machine learning"), Some(1.0));
    assert!(model().coverage("Машинное обучение").unwrap() < 0.1);
}

#[test]
fn a_row_depends_on_its_text_alone() {
    let texts: Vec<String> = (0..2000)
        .map(|i| format!("第{i}种锂电池负极材料 anode {i}"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all = model().embed(&texts, Role::Passage).unwrap();
    for i in [0, 7, 1999] {
        assert_eq!(
            model().embed_one(texts[i], Role::Query).unwrap(),
            all.row(i).to_vec()
        );
    }
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(
        one.install(|| model().embed(&texts, Role::Passage))
            .unwrap(),
        all
    );
}

/// English abstract → Chinese abstract over papers that training never saw.
#[test]
fn languages_share_a_space_on_real_papers() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/collections/chinaxiv-en2zh");
    if !folder.exists() {
        eprintln!("SKIPPED: no {}", folder.display());
        return;
    }
    let read = |file: &str| -> Vec<(String, String)> {
        fs::read_to_string(folder.join(file))
            .unwrap()
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap())
            .map(|o| {
                (
                    o["_id"].as_str().unwrap().to_owned(),
                    o["text"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let (corpus, queries) = (read("corpus.jsonl"), read("queries.jsonl"));
    let embed = |texts: &[(String, String)], role| {
        let texts: Vec<&str> = texts.iter().map(|t| t.1.as_str()).collect();
        model().embed(&texts, role).unwrap()
    };
    let scores = embed(&queries, Role::Query).dot(&embed(&corpus, Role::Passage).t());
    let mrr: f64 = queries
        .iter()
        .enumerate()
        .map(|(i, (id, _))| {
            let own = id.strip_prefix("e-").unwrap();
            let at = corpus.iter().position(|c| c.0 == own).unwrap();
            let better = scores
                .row(i)
                .iter()
                .filter(|s| **s > scores[[i, at]])
                .count();
            1.0 / (1.0 + better as f64)
        })
        .sum::<f64>()
        / queries.len() as f64;
    assert!(mrr >= 0.88, "{mrr}");
}
