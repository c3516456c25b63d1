//! All that a store tells, as JSON: the form of `expected.json` beside a frozen sample.

use queqiao_store::{ListQuery, Since, Store};
use serde_json::{Value, json};

/// Records with their times and etags, counters and change log.
pub(crate) fn describe(store: &Store) -> Result<Value, Box<dyn std::error::Error>> {
    let mut tenants = serde_json::Map::new();
    for tenant in store.tenants()? {
        let query = ListQuery {
            show_deleted: true,
            ..ListQuery::default()
        };
        let records: Vec<Value> = store
            .list(&tenant, &query)?
            .records
            .iter()
            .map(|r| {
                json!({
                    "key": r.key.0,
                    "seq": r.seq,
                    "etag": r.etag.to_string(),
                    "create_time": r.create_time.to_string(),
                    "update_time": r.update_time.to_string(),
                    "delete_time": r.delete_time.map(|t| t.to_string()),
                    "purge_time": r.purge_time.map(|t| t.to_string()),
                    "record": r.record,
                })
            })
            .collect();
        tenants.insert(
            tenant.to_string(),
            json!({"live": store.count(&tenant, None)?, "records": records}),
        );
    }
    let mut changes = Vec::new();
    if let Since::Changes(log) = store.changes_since(0)? {
        for c in log {
            let c = c?;
            changes.push(json!([c.seq, c.key.0, format!("{:?}", c.op)]));
        }
    }
    Ok(json!({
        "store_id": store.store_id().to_string(),
        "last_seq": store.last_seq()?,
        "tenants": tenants,
        "changes": changes,
    }))
}
