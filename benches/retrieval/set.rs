//! Vectors, queries, filters and true neighbours in a folder.

use crate::{K, QUERIES, SHARES, synth};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// `base.f32`, `query.f32`, `set.json`, and per filter `NAME.mask` and `NAME.truth`.
pub(crate) struct Set {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) n: usize,
    pub(crate) dim: usize,
}

impl Set {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("set.json");
        let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
        let said: Value = serde_json::from_str(&text)?;
        let number = |key: &str| said[key].as_u64().context("a number in set.json");
        Ok(Self {
            folder: folder.to_owned(),
            name: said["name"].as_str().unwrap_or("unnamed").to_owned(),
            n: number("n")? as usize,
            dim: number("dim")? as usize,
        })
    }

    pub(crate) fn base(&self) -> Result<Vec<f32>> {
        floats(&self.folder.join("base.f32"))
    }

    pub(crate) fn queries(&self) -> Result<Vec<f32>> {
        floats(&self.folder.join("query.f32"))
    }
}

/// Makes what is not there yet. `name` is `clustered`, `isotropic`, or a folder that holds vectors.
pub(crate) fn prepare(folder: &Path, name: &str, n: usize, filters: &[&str]) -> Result<Set> {
    fs::create_dir_all(folder)?;
    if Path::new(name).join("set.json").exists() {
        let set = Set::open(name.as_ref())?;
        return filter(set, filters);
    }
    let made = Set::open(folder).is_ok_and(|s| s.name == name && s.n == n);
    if !made {
        let (base, queries) = match name {
            "clustered" => {
                let mixture = synth::Mixture::new();
                (mixture.sample(n, 1), mixture.sample(QUERIES, 2))
            }
            "isotropic" => (synth::isotropic(n, 1), synth::isotropic(QUERIES, 2)),
            _ => anyhow::bail!("`{name}` is neither clustered, isotropic nor a folder of vectors"),
        };
        fs::write(folder.join("base.f32"), bytes(&base))?;
        fs::write(folder.join("query.f32"), bytes(&queries))?;
        let said = json!({"name": name, "n": n, "dim": synth::DIM});
        fs::write(folder.join("set.json"), said.to_string())?;
        eprintln!("{n} vectors made");
    }
    filter(Set::open(folder)?, filters)
}

/// Finds the true neighbours under each filter.
fn filter(set: Set, filters: &[&str]) -> Result<Set> {
    let path = |name: &str, kind: &str| set.folder.join(format!("{name}.{kind}"));
    let missing = |name: &str| !path(name, "truth").exists();
    let wanted = [("all", 1.0)].into_iter().chain(SHARES);
    let wanted = wanted.filter(|(name, _)| filters.contains(name) && missing(name));
    let wanted: Vec<(&str, f64)> = wanted.collect();
    if wanted.is_empty() {
        return Ok(set);
    }
    let (base, queries) = (set.base()?, set.queries()?);
    for (name, share) in wanted {
        // Spread evenly, by a hash of the number.
        let chosen: Vec<bool> = (0..set.n as u64)
            .map(|i| {
                let h = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                ((h >> 11) as f64 / (1u64 << 53) as f64) < share
            })
            .collect();
        let mask: Vec<u8> = chosen.iter().map(|c| u8::from(*c)).collect();
        fs::write(path(name, "mask"), mask)?;
        let truth = truth(&base, &queries, set.dim, &chosen);
        let truth: Vec<u8> = truth.iter().flat_map(|x| x.to_le_bytes()).collect();
        fs::write(path(name, "truth"), truth)?;
    }
    eprintln!("true neighbours found");
    Ok(set)
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub(crate) fn floats(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let words = bytes.chunks_exact(4);
    Ok(words
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}

/// The `K` nearest of each query among the chosen, by plain arithmetic, on all cores.
fn truth(base: &[f32], queries: &[f32], dim: usize, chosen: &[bool]) -> Vec<u32> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let per = QUERIES.div_ceil(cores) * dim;
    std::thread::scope(|s| {
        let parts: Vec<_> = queries
            .chunks(per)
            .map(|some| {
                s.spawn(move || {
                    let each = some.chunks_exact(dim);
                    each.flat_map(|q| nearest(base, q, chosen))
                        .collect::<Vec<u32>>()
                })
            })
            .collect();
        let joined = parts.into_iter().map(|p| p.join().unwrap_or_default());
        joined.flatten().collect()
    })
}

fn nearest(base: &[f32], q: &[f32], chosen: &[bool]) -> Vec<u32> {
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(K + 1);
    for (i, row) in base
        .chunks_exact(q.len())
        .enumerate()
        .filter(|(i, _)| chosen[*i])
    {
        let mut lanes = [0f32; 16];
        for (x, y) in row.chunks_exact(16).zip(q.chunks_exact(16)) {
            for j in 0..16 {
                lanes[j] += x[j] * y[j];
            }
        }
        let s: f32 = lanes.iter().sum();
        if best.len() < K || best.last().is_some_and(|b| s > b.0) {
            let at = best.partition_point(|b| b.0 >= s);
            best.insert(at, (s, i as u32));
            best.truncate(K);
        }
    }
    let mut out: Vec<u32> = best.into_iter().map(|b| b.1).collect();
    out.resize(K, u32::MAX);
    out
}
