//! Makes the frozen sample of the newest format: `cargo run --workspace --example make_store DIR`.
//!
//! DIR gets `store.redb.zst`, `expected.json`, and from format 2 on the keys. The samples in
//! `tests/data/store-v1/` and `store-v2/` were made by it once and stay as they are; a later format
//! gets a folder of its own. All persons and organisations in it are invented, and so is the master
//! key of a sample.

#[path = "../tests/store/describe.rs"]
mod describe;

use jiff::Timestamp;
use queqiao_domain::{CheckLimits, Record, RecordId, TenantId};
use queqiao_store::{Batch, KeyFiles, RequestId, Store, Write};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let (packed, expected) = (out.join("store.redb.zst"), out.join("expected.json"));
    if packed.exists() || expected.exists() {
        return Err(format!(
            "{} holds a sample; a frozen one is never made again",
            out.display()
        )
        .into());
    }
    fs::create_dir_all(&out)?;
    let dir = std::env::temp_dir().join(format!("make_store-{}", std::process::id()));
    let store = Store::open(&dir)?;
    fill(&store)?;
    let described = describe::describe(&store)?;
    drop(store);
    let bytes = fs::read(dir.join("store.redb"))?;
    let keys = KeyFiles::of(&dir, None);
    // The slots that are used, and some.
    let vault = fs::read(&keys.vault)?;
    fs::write(out.join("vault"), &vault[..64 * 33])?;
    fs::copy(&keys.master, out.join("master.key"))?;
    fs::remove_dir_all(&dir)?;
    fs::write(packed, zstd::bulk::compress(&bytes, 19)?)?;
    fs::write(expected, serde_json::to_string_pretty(&described)? + "\n")?;
    Ok(())
}

fn at(ms: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_millisecond(1_767_225_600_000 + ms)?)
}

fn upsert(json: Value) -> Result<Write> {
    let record: Record = serde_json::from_value(json)?;
    let checked = record
        .check(&CheckLimits::default())
        .map_err(|v| format!("{v:?}"))?;
    Ok(Write::upsert(checked))
}

fn fill(store: &Store) -> Result<()> {
    let tenant = TenantId::default();
    let records = records()
        .into_iter()
        .map(upsert)
        .collect::<Result<Vec<_>>>()?;
    let batch = Batch {
        writes: records,
        request_id: Some(RequestId::new("sample-import")?),
    };
    store.apply(&tenant, &batch, at(1)?)?;
    // A change, a deleted record, an erased one, and a second tenant.
    let changed = json!({"id": "S-002", "kind": "society", "title": "虚构热处理学会（更名）", "group": "工科"});
    store.apply(&tenant, &Batch::of([upsert(changed)?]), at(2)?)?;
    let delete = Batch {
        writes: vec![Write::delete(RecordId::new("N-002")?)],
        request_id: Some(RequestId::new("sample-delete")?),
    };
    store.apply(&tenant, &delete, at(3)?)?;
    let erase = Write::Erase {
        id: RecordId::new("N-003")?,
        kind: None,
    };
    store.apply(&tenant, &Batch::of([erase]), at(4)?)?;
    let other = json!({"id": "N-001", "kind": "expert", "title": "同号不同租户"});
    store.apply(
        &TenantId::new("tianjin")?,
        &Batch::of([upsert(other)?]),
        at(5)?,
    )?;
    Ok(())
}

fn contact(name: &str) -> Value {
    json!({"name": name, "phone": "000-0000-0000", "email": "nobody@example.com", "address": "虚构路 1 号"})
}

/// The common fields, all filled, under the kind's own.
fn with_common(mut own: Value) -> Value {
    let common = json!({
        "passages": [
            {"title": "第一段", "text": "本段为虚构，仅供测试。".repeat(30)},
            {"text": "An invented passage in English."}
        ],
        "keywords": ["立方氮化硼", "刀具"],
        "industries": ["C30"],
        "disciplines": ["430"],
        "region": "440300",
        "language": "zh",
        "organisation": {"name": "虚构科技有限公司", "uscc": "91350100M000100Y43"},
        "links": [
            {"relation": "member_of", "target": "S-001"},
            {"relation": "works_at", "target": "I-001"},
            {"relation": "made_by", "target": "E-001"},
            {"relation": "owned_by", "target": "I-001"},
            {"relation": "worked_with", "target": "虚构合作方"}
        ],
        "conflicts": ["虚构竞争方"],
        "visibility": "platform",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "attributes": {"来源": "测试样例", "batch": "v1"}
    });
    if let (Value::Object(own), Value::Object(common)) = (&mut own, common) {
        own.extend(common);
    }
    own
}

fn records() -> Vec<Value> {
    let mut all: Vec<Value> = [
        json!({
            "id": "N-001", "kind": "need", "title": "高韧性立方氮化硼刀具",
            "background": "虚构企业加工淬硬钢。", "problem": "刀具崩刃。",
            "targets": ["抗冲击韧性≥67%", "寿命 ≥ 2 倍"],
            "budget": {"min": 100.0, "max": 200.30000000000004},
            "deadline": "2026-06-30",
            "cooperation_modes": ["development", "transfer", "license", "consulting", "service", "equity"],
            "least_readiness": {"level": 6, "scale": "trl"}, "stage": "open",
            "contact": contact("虚构联系人甲")
        }),
        json!({
            "id": "C-001", "kind": "enterprise", "title": "虚构科技有限公司",
            "business": "超硬刀具", "products": ["刀片", "砂轮"], "scale": "中型",
            "contact": contact("虚构联系人乙")
        }),
        json!({
            "id": "E-001", "kind": "expert", "title": "虚构专家",
            "research": ["超硬材料", "高压合成"], "profile": "虚构人物。",
            "professional_title": "教授", "honours": ["虚构奖"], "expert_kind": "scientist",
            "services": ["技术咨询"], "capacity": {"meetings": 4, "engagements": 2},
            "travel": {"regions": ["440000"], "km": 300},
            "availability": [{"from": "2026-03-01", "until": "2026-03-15"}],
            "opt_out": true,
            "consent": {"purpose": "虚构的目的", "given": "2026-01-02", "until": "2099-01-01"},
            "contact": contact("虚构联系人丙")
        }),
        json!({
            "id": "S-001", "kind": "society", "title": "虚构材料学会", "scope": "材料",
            "services": ["成果评价"], "group": "工科", "contact": contact("虚构联系人丁")
        }),
        json!({
            "id": "A-001", "kind": "achievement", "title": "虚构合成工艺",
            "abstract": "一种虚构的工艺。", "holder": "虚构大学",
            "readiness": {"level": 3, "scale": "stage"}, "indices": ["硬度 45 GPa"],
            "application": "切削加工", "ip_form": "invention_patent",
            "price": {"min": 50.0}, "cooperation_modes": ["license"],
            "contact": contact("虚构联系人戊")
        }),
        json!({
            "id": "I-001", "kind": "institution", "title": "虚构大学",
            "institution_kind": "university", "profile": "虚构高校。", "services": ["检测"],
            "contact": contact("虚构联系人己")
        }),
    ]
    .map(with_common)
    .into();
    all.push(json!({"id": "S-002", "kind": "society", "title": "虚构热处理学会"}));
    all.push(json!({"id": "N-002", "kind": "need", "title": "已删除的需求"}));
    all.push(json!({"id": "N-003", "kind": "need", "title": "已抹除的需求"}));
    all
}
