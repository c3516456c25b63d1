//! Needs looked at before they are asked, and all records at once, on the command line.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use support::{fails, json, ok, sample};

#[test]
fn needs_are_clarified_duplicates_found_and_a_chain_laid() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let data = path("data");
    for (file, kind) in [
        ("needs-gba.csv", "need"),
        ("experts-gba.csv", "expert"),
        ("experts-tj.csv", "expert"),
        ("achievements-gba.csv", "achievement"),
    ] {
        ok(&["import", &sample(file), "--kind", kind, "--data", &data]);
    }
    let vague = json(&[
        "clarify",
        "--text",
        "想提高电池性能",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    let full = json(&[
        "clarify", "--need", "GBA-N01", "--data", &data, "--format", "json",
    ]);
    let score = |v: &serde_json::Value| v["description"]["score"].as_f64().unwrap();
    assert!(
        score(&vague) < 0.3 && score(&full) > 0.8,
        "{} {}",
        score(&vague),
        score(&full)
    );
    let first = |v: &serde_json::Value| v["questions"][0]["expected_change"].as_f64().unwrap();
    assert!(
        first(&vague) > 3.0 * first(&full),
        "a vague need has more to gain from an answer"
    );
    let shown = ok(&[
        "clarify",
        "--text",
        "想提高电池性能",
        "--data",
        &data,
        "--lang",
        "zh",
    ]);
    assert!(
        shown.contains("技术指标") && shown.contains("与下列哪一项最相关"),
        "{shown}"
    );

    // A list that comes in again is noticed, line by line.
    let list = ok(&[
        "clarify",
        "--file",
        &sample("needs-gba.csv"),
        "--data",
        &data,
        "--lang",
        "en",
    ]);
    assert!(
        list.contains("GBA-N01") && list.contains("ask first"),
        "{list}"
    );
    let again = fs::read_to_string(sample("needs-gba.csv"))
        .unwrap()
        .replace("GBA-N", "NEW-N");
    fs::write(path("again.csv"), again).unwrap();
    ok(&[
        "import",
        &path("again.csv"),
        "--kind",
        "need",
        "--data",
        &data,
    ]);
    let twice = json(&["duplicates", "--data", &data, "--format", "json"]);
    assert_eq!(
        twice["compared"].as_u64().unwrap(),
        2 * twice["found"].as_u64().unwrap()
    );
    assert!(ok(&["duplicates", "--data", &data, "--lang", "en"]).contains("the same"));
    fails(
        &["duplicates", "--least", "0.1", "--data", &data],
        2,
        &["0.5 to 1"],
    );

    let head = "id,name,description,upstream\n";
    fs::write(
        path("chain.csv"),
        format!("{head}m,隔膜,湿法隔膜 陶瓷涂层,\nc,电芯制造,涂布 化成,m\n"),
    )
    .unwrap();
    let view = json(&[
        "chain",
        &path("chain.csv"),
        "--region",
        "广东省",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    let m = view["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n["id"] == "m")
        .unwrap();
    assert!(
        m["demand"].as_u64().unwrap() >= 2 && m["supply"]["expert"].as_u64().unwrap() >= 1,
        "{m}"
    );
    assert!(ok(&["chain", &path("chain.csv"), "--data", &data, "--lang", "zh"]).contains("m 隔膜"));
    for (rows, words) in [
        ("m,隔膜,,x\n", "no node is called `x`"),
        ("a,隔膜,,b\nb,电芯,,a\n", "circle"),
        ("a\n", "expected the columns"),
    ] {
        fs::write(path("bad.csv"), format!("{head}{rows}")).unwrap();
        fails(&["chain", &path("bad.csv"), "--data", &data], 2, &[words]);
    }
    fails(
        &["chain", &path("none.csv"), "--data", &data],
        2,
        &["none.csv"],
    );
    fails(
        &["clarify", "--data", &data],
        2,
        &["--need, --text or --file"],
    );
}
