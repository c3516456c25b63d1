//! The funnel: of what was shown, how much was opened, contacted, met, signed.

use super::{
    kept::{self, Head, Row},
    report::{Decline, Entry, Stage},
};
use crate::{Engine, Error};
use queqiao_domain::{Facets, RecordId, TenantId};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// What the pairs of a funnel are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FunnelBy {
    /// All in one.
    #[default]
    Nothing,
    /// The event that an outcome names.
    Event,
    /// The province of the record that was matched.
    Region,
    /// The first level of its first discipline.
    Discipline,
    /// The section of its first industry.
    Industry,
    /// Its kind.
    Kind,
    /// The weights that ranked it.
    Weights,
}

/// Which answers, and how they are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunnelRequest {
    /// The groups.
    pub by: FunnelBy,
    /// Only answers given from this time on, milliseconds since 1970.
    pub from: Option<i64>,
    /// Only answers given before this time.
    pub until: Option<i64>,
}

/// Pairs at one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// Pairs that reached it, or a later one.
    pub count: u64,
    /// As a share of the stage before; none for the first, or where nothing was before.
    pub rate: Option<f64>,
    /// 95 % interval of the share (Wilson).
    pub interval: Option<(f64, f64)>,
}

/// A group's funnel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunnelRow {
    /// The group; empty for all in one, and for what names none.
    pub group: String,
    /// Shown to signed.
    pub steps: Vec<Step>,
    /// Pairs that were declined.
    pub declined: u64,
    /// Their reasons, commonest first.
    pub reasons: Vec<(Decline, u64)>,
}

/// A funnel over answers that were kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Funnel {
    /// Answers in it.
    pub answers: u64,
    /// Groups, in order of name.
    pub rows: Vec<FunnelRow>,
}

/// A pair of an answer that something came of.
pub(crate) struct Pair {
    pub(crate) record: RecordId,
    pub(crate) row: Row,
    /// The furthest stage of the funnel; none where it was only declined.
    pub(crate) reached: Option<Stage>,
    pub(crate) declined: Option<Decline>,
    pub(crate) event: Option<String>,
}

/// An answer with its pairs.
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) head: Head,
    pub(crate) pairs: Vec<Pair>,
}

impl Engine {
    /// Every kept answer in order of time that is in `from..until`, with what came of its records.
    pub(crate) fn each_answer(
        &self,
        tenant: &TenantId,
        (from, until): (Option<i64>, Option<i64>),
        mut each: impl FnMut(Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let snapshot = self.store.snapshot()?;
        // Ids are UUIDs of version 7: in order of time.
        for id in snapshot.answers(tenant)? {
            let Some(answer) = snapshot.answer(tenant, &id)? else {
                continue;
            };
            let Some(head) = kept::read::<Head>(&answer.head) else {
                continue;
            };
            if from.is_some_and(|t| head.time < t) || until.is_some_and(|t| head.time >= t) {
                continue;
            }
            let mut came: HashMap<RecordId, Vec<(Stage, Entry)>> = HashMap::new();
            for o in snapshot.outcomes(tenant, &id)? {
                if let (Some(stage), Some(entry)) = (Stage::of(o.stage), kept::read(&o.row)) {
                    came.entry(o.record).or_default().push((stage, entry));
                }
            }
            let pairs = answer.rows.into_iter().filter_map(|(record, row)| {
                let row: Row = kept::read(&row)?;
                let outcomes = came.remove(&record).unwrap_or_default();
                let declined = outcomes.iter().find(|o| o.0 == Stage::Declined);
                Some(Pair {
                    record,
                    row,
                    reached: outcomes
                        .iter()
                        .map(|o| o.0)
                        .filter(|s| *s != Stage::Declined)
                        .max(),
                    declined: declined.and_then(|o| o.1.reason),
                    event: outcomes.iter().find_map(|o| o.1.event.clone()),
                })
            });
            let pairs = pairs.collect();
            each(Answer { id, head, pairs })?;
        }
        Ok(())
    }

    /// The funnel of the kept answers. Whoever reached a stage is counted at every stage before it,
    /// reported or not; declining counts as having been shown.
    ///
    /// # Errors
    /// The store fails.
    pub fn funnel(&self, tenant: &TenantId, request: &FunnelRequest) -> Result<Funnel, Error> {
        let mut groups: BTreeMap<String, ([u64; 5], BTreeMap<Decline, u64>)> = BTreeMap::new();
        let mut known: HashMap<RecordId, Option<Facets>> = HashMap::new();
        let mut answers = 0;
        self.each_answer(tenant, (request.from, request.until), |answer| {
            answers += 1;
            for pair in answer.pairs {
                let reached = match (pair.reached, pair.declined) {
                    (Some(stage), _) => stage,
                    (None, Some(_)) => Stage::Shown,
                    (None, None) => continue,
                };
                let group = match request.by {
                    FunnelBy::Nothing => String::new(),
                    FunnelBy::Event => pair.event.unwrap_or_default(),
                    FunnelBy::Kind => pair.row.kind.as_str().to_owned(),
                    FunnelBy::Weights => answer.head.weights.clone(),
                    by => {
                        if !known.contains_key(&pair.record) {
                            let stored = self.store.get(tenant, &pair.record)?;
                            let facets = stored.map(|s| Facets::of(&s.record));
                            known.insert(pair.record.clone(), facets);
                        }
                        let facets = known.get(&pair.record).and_then(Option::as_ref);
                        facets.and_then(|f| group(by, f)).unwrap_or_default()
                    }
                };
                let (counts, reasons) = groups.entry(group).or_default();
                for count in counts.iter_mut().take(usize::from(reached.number()) + 1) {
                    *count += 1;
                }
                if let Some(reason) = pair.declined {
                    *reasons.entry(reason).or_default() += 1;
                }
            }
            Ok(())
        })?;
        let rows = groups.into_iter().map(|(group, (counts, reasons))| {
            let mut reasons: Vec<(Decline, u64)> = reasons.into_iter().collect();
            reasons.sort_by_key(|r| std::cmp::Reverse(r.1));
            FunnelRow {
                group,
                steps: steps(&counts),
                declined: reasons.iter().map(|r| r.1).sum(),
                reasons,
            }
        });
        Ok(Funnel {
            answers,
            rows: rows.collect(),
        })
    }
}

fn group(by: FunnelBy, f: &Facets) -> Option<String> {
    match by {
        FunnelBy::Region => f
            .region
            .map(|r| r.to_string().get(..2).unwrap_or("").to_owned() + "0000"),
        FunnelBy::Discipline => f
            .disciplines
            .first()
            .map(|d| d.to_string().get(..3).unwrap_or("").to_owned()),
        FunnelBy::Industry => f
            .industries
            .first()
            .map(|i| i.to_string().get(..1).unwrap_or("").to_owned()),
        _ => None,
    }
}

fn steps(counts: &[u64; 5]) -> Vec<Step> {
    Stage::ALL
        .into_iter()
        .zip(counts)
        .enumerate()
        .map(|(i, (stage, &count))| {
            let before = i.checked_sub(1).map_or(0, |b| counts[b]);
            Step {
                stage,
                count,
                rate: (before > 0).then(|| count as f64 / before as f64),
                interval: (before > 0).then(|| wilson(count as f64, before as f64)),
            }
        })
        .collect()
}

/// The 95 % interval of a share of `k` in `n` > 0 (Wilson 1927).
fn wilson(k: f64, n: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (p, z2) = (k / n, Z * Z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_is_in_the_books() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (k, n, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let (l, h) = wilson(k, n);
            assert!(
                (l - low).abs() < 5e-5 && (h - high).abs() < 5e-5,
                "{k}/{n}: {l} {h}"
            );
        }
    }
}
