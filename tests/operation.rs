//! What an operator does: keys, settings, and what a server refuses to start with.
#![allow(clippy::unwrap_used)]

mod support;

use queqiao_domain::{RecordId, TenantId};
use queqiao_engine::store::{Batch, Store, Write};
use std::path::Path;
use support::{fails, json, ok, queqiao, run, said};

fn folder() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    (dir, data)
}

#[test]
fn a_key_is_shown_once_listed_without_its_secret_and_revoked() {
    let (_dir, data) = folder();
    let made = json(&[
        "key",
        "create",
        "--name",
        "平台",
        "--role",
        "reader,writer",
        "--tenant",
        "a,b",
        "--days",
        "30",
        "--data",
        &data,
        "--format",
        "json",
    ]);
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with("qq_") && key.len() > 50);
    let list = ok(&["key", "list", "--data", &data, "--format", "json"]);
    assert!(list.contains(id) && list.contains("平台") && !list.contains(key));
    // qq_ID_SECRET; the secret may hold a `_` itself.
    let secret = key.splitn(3, '_').nth(2).unwrap();
    assert!(secret.len() > 40 && !list.contains(secret));
    // For scripts: the key alone on stdout.
    let plain = ok(&[
        "key",
        "create",
        "--name",
        "b",
        "--role",
        "admin",
        "--all-tenants",
        "--data",
        &data,
    ]);
    assert!(plain.starts_with("qq_") && plain.trim().lines().count() == 1);
    ok(&["key", "revoke", id, "--data", &data]);
    let list = json(&["key", "list", "--data", &data, "--format", "json"]);
    let valid: Vec<bool> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|k| k["valid"].as_bool().unwrap())
        .collect();
    assert_eq!(valid, [false, true]);
    fails(
        &["key", "revoke", "nothing", "--data", &data],
        2,
        &["nothing", "key list"],
    );
    fails(
        &[
            "key", "create", "--name", "x", "--role", "readr", "--data", &data,
        ],
        2,
        &["did you mean `reader`?"],
    );
    // Keys first, records later: the folder is still one that a store can move into.
    ok(&[
        "import",
        &support::sample("societies.csv"),
        "--kind",
        "society",
        "--data",
        &data,
    ]);
}

#[test]
fn a_server_that_others_can_reach_starts_with_a_key_and_not_without() {
    let (dir, data) = folder();
    let refused = ["serve", "--listen", "0.0.0.0:0", "--data", &data];
    fails(
        &refused,
        1,
        &["0.0.0.0:0", "queqiao key create", "--allow-insecure"],
    );
    let zh = said(
        &queqiao(&refused)
            .env("QUEQIAO_LANG", "zh")
            .output()
            .unwrap(),
    );
    assert!(zh.err.contains("请先创建密钥"), "{}", zh.err);
    assert!(!Path::new(&data).exists(), "nothing was made");
    ok(&[
        "key", "create", "--name", "x", "--role", "reader", "--data", &data,
    ]);
    // Nor does it take keys in the clear there, unless it is told that a proxy stands in front of it.
    fails(
        &refused,
        1,
        &["0.0.0.0:0", "tls.certificate", "--allow-plaintext"],
    );
    let behind = dir.path().join("behind.toml");
    std::fs::write(&behind, "allow_plaintext = true\n").unwrap();
    let server = support::Server::start_with(Path::new(&data), "0.0.0.0:0", Some(&behind));
    assert_eq!(server.terminate(), 0);
}

#[test]
fn settings_are_checked_and_explained() {
    let (dir, data) = folder();
    let file = dir.path().join("queqiao.toml").display().to_string();
    std::fs::write(&file, "workers = 3\n\n[tsl]\ncertificate = 'c'\n").unwrap();
    fails(
        &["config", "check", &file],
        2,
        &["queqiao.toml, line 3", "did you mean `tls`?"],
    );
    std::fs::write(
        &file,
        "workers = 3\n\n[tls]\ncertificate = 'c.pem'\nkey = 'k.pem'\n",
    )
    .unwrap();
    fails(&["config", "check", &file], 1, &["c.pem", "PEM"]);
    std::fs::write(&file, "workers = 3\nlisten = '127.0.0.1:0'\n").unwrap();
    assert!(ok(&["config", "check", &file]).contains("fine"));
    let all = json(&["config", "explain", "--config", &file, "--format", "json"]);
    let workers = all
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["name"] == "workers")
        .unwrap();
    assert_eq!(workers["value"], 3);
    assert_eq!(workers["source"], format!("{file}:1"));
    assert_eq!(workers["variable"], "QUEQIAO_WORKERS");
    let one = said(
        &queqiao(&["config", "explain", "workers", "--config", &file])
            .env("QUEQIAO_WORKERS", "5")
            .output()
            .unwrap(),
    );
    assert!(
        one.out.contains("QUEQIAO_WORKERS") && one.out.contains('5'),
        "{}",
        one.out
    );
    fails(&["config", "explain", "nothing"], 2, &["nothing"]);
    let bad = said(
        &queqiao(&["serve", "--data", &data])
            .env("QUEQIAO_WORKERS", "none")
            .output()
            .unwrap(),
    );
    assert_eq!(bad.code, 2);
    assert!(
        bad.err.contains("QUEQIAO_WORKERS: workers is none"),
        "{}",
        bad.err
    );
    assert_eq!(run(&["config", "check", "/no/such/file"]).code, 2);
}

#[test]
fn the_audit_trail_tells_of_keys_and_of_a_line_that_is_gone() {
    let (_dir, data) = folder();
    for name in ["a", "b", "c"] {
        ok(&[
            "key", "create", "--name", name, "--role", "reader", "--data", &data,
        ]);
    }
    let server = support::Server::start(Path::new(&data));
    assert_eq!(server.terminate(), 0);
    let whole = json(&["audit", "verify", "--data", &data, "--format", "json"]);
    // Three keys, a start and a stop.
    assert_eq!(whole["lines"], 5);
    let head = whole["head"].as_str().unwrap();
    ok(&["audit", "verify", "--data", &data, "--head", head]);
    let file = Path::new(&data).join("audit/audit-000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("key.create") && text.contains("service.stop"));
    let without: String = text
        .lines()
        .enumerate()
        .filter(|(i, _)| *i != 1)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    std::fs::write(&file, without).unwrap();
    fails(
        &["audit", "verify", "--data", &data],
        1,
        &["audit-000001.jsonl, line 2", "removed"],
    );
    std::fs::write(&file, text.replace("key.create", "key.crEate")).unwrap();
    fails(
        &["audit", "verify", "--data", &data],
        1,
        &["line 1", "changed"],
    );
    let none = Path::new(&data).join("none").display().to_string();
    fails(
        &["audit", "verify", "--data", &none],
        2,
        &["no audit trail"],
    );
}

#[test]
fn a_running_server_is_backed_up_and_restored_to_the_same_answers() {
    let (dir, data) = folder();
    ok(&[
        "import",
        &support::sample("societies.csv"),
        "--kind",
        "society",
        "--data",
        &data,
    ]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let key = ok(&[
        "key",
        "create",
        "--name",
        "backup",
        "--role",
        "admin",
        "--all-tenants",
        "--data",
        &data,
    ]);
    std::fs::write(at("admin.key"), &key).unwrap();
    let server = support::Server::start(Path::new(&data));
    let url = format!("http://{}", server.address);
    fails(
        &["backup", &at("a.redb"), "--data", &data],
        1,
        &["in use", "--server"],
    );
    fails(
        &["backup", &at("a.redb"), "--server", &url],
        1,
        &["asks who calls"],
    );
    assert!(!Path::new(&at("a.redb")).exists());
    ok(&[
        "backup",
        &at("a.redb"),
        "--server",
        &url,
        "--key-file",
        &at("admin.key"),
    ]);
    fails(
        &[
            "backup",
            &at("a.redb"),
            "--server",
            &url,
            "--key-file",
            &at("admin.key"),
        ],
        2,
        &["exists already"],
    );
    assert_eq!(server.terminate(), 0);
    let master = format!("{data}/keys/master.key");
    ok(&[
        "restore",
        &at("a.redb"),
        "--data",
        &at("copy"),
        "--master-key",
        &master,
    ]);
    let ask = |data: &str| {
        let mut answer = json(&[
            "match",
            "--text",
            "腐蚀与防护",
            "--to",
            "society",
            "--data",
            data,
            "--format",
            "json",
        ]);
        answer.as_object_mut().unwrap().remove("match_id");
        answer
    };
    assert_eq!(ask(&data), ask(&at("copy")));
    // Never over what is there, and never from what is damaged.
    fails(
        &["restore", &at("a.redb"), "--data", &at("copy")],
        2,
        &["not empty"],
    );
    let mut bytes = std::fs::read(at("a.redb")).unwrap();
    let middle = bytes.len() / 2;
    for b in &mut bytes[middle..middle + 8_192] {
        *b ^= 0x55;
    }
    std::fs::write(at("bad.redb"), bytes).unwrap();
    let bad = run(&[
        "restore",
        &at("bad.redb"),
        "--data",
        &at("other"),
        "--master-key",
        &master,
    ]);
    assert_eq!(bad.code, 1, "{}", bad.err);
    assert!(
        bad.err.contains("damaged") && !bad.err.contains("panicked"),
        "{}",
        bad.err
    );
    assert!(!Path::new(&at("other")).join("store.redb").exists());
}

#[test]
fn the_doctor_looks_at_keys_and_the_audit_trail() {
    let (_dir, data) = folder();
    ok(&[
        "import",
        &support::sample("societies.csv"),
        "--kind",
        "society",
        "--data",
        &data,
    ]);
    ok(&[
        "key", "create", "--name", "x", "--role", "reader", "--data", &data,
    ]);
    ok(&["doctor", "--data", &data]);
    let trail = Path::new(&data).join("audit/audit-000001.jsonl");
    let text = std::fs::read_to_string(&trail).unwrap();
    std::fs::write(&trail, text.replace("operator", "0perator")).unwrap();
    fails(
        &["doctor", "--data", &data],
        1,
        &["audit-000001.jsonl, line 1"],
    );
    std::fs::write(&trail, text).unwrap();
    std::fs::write(Path::new(&data).join("access/keys.json"), "x").unwrap();
    fails(&["doctor", "--data", &data], 1, &["keys.json", "key file"]);
}

/// Files below a folder in which some bytes stand.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|w| w == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_receipt_holds_when_no_file_of_the_index_knows_the_record() {
    let (dir, data) = folder();
    let sample = support::sample("societies.csv");
    ok(&["import", &sample, "--kind", "society", "--data", &data]);
    let id = "quzvanished7";
    let word = "zyxwvanishing";
    let more = dir.path().join("more.jsonl").display().to_string();
    let record = format!(
        r#"{{"id":"{id}","kind":"society","title":"{word}","passages":[{{"text":"{word} 膜分离"}}]}}"#
    );
    std::fs::write(&more, record).unwrap();
    ok(&["import", &more, "--kind", "society", "--data", &data]);
    let index = Path::new(&data).join("index");
    assert!(!holding(&index, id).is_empty() && !holding(&index, word).is_empty());

    let (tenant, id) = (TenantId::default(), RecordId::new(id).unwrap());
    let store = Store::open(Path::new(&data)).unwrap();
    let batch = Batch::of([Write::Erase {
        id: id.clone(),
        kind: None,
    }]);
    let erased = store
        .apply(&tenant, &batch, jiff::Timestamp::now())
        .unwrap();
    let receipt = store.receipt(&tenant, &id, erased.seq).unwrap().unwrap();
    let text = store.write_receipt(&receipt);
    drop(store);
    let file = dir.path().join("receipt.json").display().to_string();
    std::fs::write(&file, &text).unwrap();

    let check = ["doctor", "--receipt", &file, "--data", &data];
    fails(&check, 1, &["doctor --rebuild"]);
    ok(&["doctor", "--rebuild", "--data", &data]);
    let told = ok(&check);
    assert_eq!(told.matches('✓').count(), 4, "{told}");
    let found = json(&[&check[..], &["--format", "json"]].concat());
    assert_eq!(found["holds"], true);
    assert_eq!(holding(&index, id.as_str()), Vec::<String>::new());
    // What it said stands in no file at all.
    assert_eq!(holding(Path::new(&data), word), Vec::<String>::new());

    std::fs::write(&file, text.replace(id.as_str(), "another")).unwrap();
    fails(&check, 1, &["was changed"]);
    std::fs::write(&file, "{}").unwrap();
    fails(&check, 2, &["holds no receipt"]);
    fails(
        &["doctor", "--receipt", "nowhere.json", "--data", &data],
        2,
        &["cannot be read"],
    );
}
