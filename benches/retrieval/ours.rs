//! Our index as one of the tools.

use crate::{K, cpu_seconds, memory_mib, round, set::Set};
use anyhow::{Context, Result, bail};
use queqiao_retrieval::{GraphOptions, Isa, Selection, VectorIndex};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Widths of the search.
const POINTS: [usize; 18] = [
    10, 11, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384,
];
/// And further ones, where nothing stands near anything.
const WIDE: [usize; 7] = [512, 768, 1_024, 1_536, 2_048, 3_072, 4_096];

/// Our index: builds, tells, and answers for as long as it is asked.
pub(crate) fn answer(folder: &Path) -> Result<()> {
    let set = Set::open(folder)?;
    let (base, queries) = (set.base()?, set.queries()?);
    let before = memory_mib("VmRSS");
    let start = cpu_seconds();
    let index = VectorIndex::build(set.dim, base, &GraphOptions::default(), 1, Isa::best())?;
    let built = cpu_seconds() - start;
    let mut points = POINTS.to_vec();
    if set.name == "isotropic" {
        points.extend(WIDE);
    }
    println!(
        "{}",
        json!({
            "cpu_seconds": round(built, 1),
            "bytes_per_vector": (index.resident() as f64 / set.n as f64).round(),
            "resident_mib": [before, memory_mib("VmRSS")],
            "points": points,
            "filtered": [10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256],
        })
    );
    let mut sets: BTreeMap<String, (Option<Selection>, Vec<u8>)> = BTreeMap::new();
    for line in std::io::stdin().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let filter = asked["filter"].as_str().context("filter")?.to_owned();
        let ef = asked["point"].as_u64().context("point")? as usize;
        if !sets.contains_key(&filter) {
            let mask = fs::read(folder.join(format!("{filter}.mask")))?;
            let chosen: Vec<bool> = mask.iter().map(|m| *m == 1).collect();
            let chosen = (filter != "all").then(|| Selection::new(&chosen));
            let truth = fs::read(folder.join(format!("{filter}.truth")))?;
            sets.insert(filter.clone(), (chosen, truth));
        }
        let Some((chosen, truth)) = sets.get(&filter) else {
            bail!("no filter {filter}");
        };
        let start = cpu_seconds();
        let answers: Vec<Vec<(u32, f32)>> = queries
            .chunks_exact(set.dim)
            .map(|q| index.search(q, K, ef, chosen.as_ref()))
            .collect();
        let seconds = cpu_seconds() - start;
        let (mut hits, mut of) = (0, 0);
        for (answer, truth) in answers.iter().zip(truth.chunks_exact(4 * K)) {
            for t in truth.chunks_exact(4) {
                let t = u32::from_le_bytes([t[0], t[1], t[2], t[3]]);
                of += usize::from(t != u32::MAX);
                hits += usize::from(answer.iter().any(|a| a.0 == t));
            }
        }
        println!(
            "{}",
            json!({"seconds": seconds, "recall": hits as f64 / of as f64})
        );
    }
    Ok(())
}
