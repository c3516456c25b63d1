//! What is kept of a record beside itself, for the one whom it is about.

use crate::{
    Engine, Error,
    disclosing::Disclosure,
    outcomes::{Entry, Head, Row, Stage, read},
};
use queqiao_domain::{RecordId, TenantId};
use queqiao_store::Snapshot;
use serde_json::{Value, json};

impl Engine {
    /// What is kept of a record beside itself: the answers that it asked for or stands in, with what came of
    /// them, then to whom it is disclosed and what is disclosed to it; the first `most`, and how many more there
    /// are. Other records in an answer are counted and not named.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn kept_of(
        &self,
        tenant: &TenantId,
        id: &RecordId,
        most: usize,
    ) -> Result<(Vec<Value>, usize), Error> {
        let snapshot = self.store().snapshot()?;
        let answers = snapshot.answers_of(tenant, id)?;
        let mut out = Vec::new();
        for answer in answers.iter().take(most) {
            out.extend(kept_answer(&snapshot, tenant, id, answer)?);
        }
        let mut disclosures: Vec<Value> = snapshot
            .disclosures(tenant, id)?
            .into_iter()
            .filter_map(|(to, row)| Disclosure::read(to, &row))
            .map(|d| {
                json!({
                    "kept": "disclosure", "of": id, "to": d.to, "stage": d.stage,
                    "time_ms": d.time, "purpose": d.purpose,
                })
            })
            .collect();
        for of in snapshot.disclosed_records(tenant, id)? {
            let row = snapshot.disclosed(tenant, &of, id)?;
            let read = row.and_then(|row| Disclosure::read(id.clone(), &row));
            // What for is the other side's.
            disclosures.extend(read.map(|d| {
                json!({
                    "kept": "disclosure", "of": of, "to": id, "stage": d.stage, "time_ms": d.time,
                })
            }));
        }
        let room = most.saturating_sub(out.len());
        let left = answers.len().saturating_sub(most) + disclosures.len().saturating_sub(room);
        out.extend(disclosures.into_iter().take(room));
        Ok((out, left))
    }
}

fn kept_answer(
    snapshot: &Snapshot,
    tenant: &TenantId,
    id: &RecordId,
    answer: &str,
) -> Result<Option<Value>, Error> {
    let Some(kept) = snapshot.answer(tenant, answer)? else {
        return Ok(None);
    };
    let head: Option<Head> = read(&kept.head);
    let mut told = json!({"kept": "answer", "match_id": answer});
    if let Some(head) = head {
        told["time_ms"] = json!(head.time);
        told["model"] = json!(head.model);
        told["weights"] = json!(head.weights);
    }
    if kept.asker.as_ref() == Some(id) {
        told["asked"] = json!(true);
        told["matches"] = json!(kept.rows.len());
    }
    let own = kept.rows.iter().find(|(record, _)| record == id);
    if let Some(row) = own.and_then(|(_, row)| read::<Row>(row)) {
        told["rank"] = json!(row.rank);
        told["score"] = json!(row.score);
        told["features"] = json!(row.values);
    }
    let outcomes = snapshot.outcomes(tenant, answer)?;
    let own = outcomes.iter().filter(|o| o.record == *id);
    let outcomes: Vec<Value> = own
        .filter_map(|o| {
            let entry: Entry = read(&o.row)?;
            let stage = Stage::of(o.stage)?;
            Some(json!({
                "stage": stage, "time_ms": entry.time, "reason": entry.reason, "event": entry.event,
            }))
        })
        .collect();
    told["outcomes"] = Value::Array(outcomes);
    Ok(Some(told))
}
