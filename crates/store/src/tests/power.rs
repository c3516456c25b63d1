//! Power cuts that drop unsynced sectors at random: what was acknowledged is there, no batch is
//! torn, and the store is sound.

use super::{
    all, apply,
    disk::{Disk, Faults},
    open, write,
};
use crate::Store;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Seeds of a usual run; `QUEQIAO_POWER_SEEDS` asks for more.
const SEEDS: u64 = 60;
const SIZE: u64 = 6;

/// Batch `n` puts in `SIZE` new records and changes those of the batch before.
fn batch(store: &Store, n: u64) -> bool {
    let text = "文".repeat(100);
    let mut writes: Vec<_> = (0..SIZE)
        .map(|i| write(&format!("{n}-{i}"), &format!("{n} {text}")))
        .collect();
    if n > 1 {
        writes.extend((0..SIZE).map(|i| write(&format!("{}-{i}", n - 1), &format!("{n} {text}"))));
    }
    apply(store, writes).is_ok()
}

/// How many whole batches a store holds, or what is wrong with it.
fn batches(store: &Store) -> Result<u64, String> {
    let problems = store.verify().map_err(|e| e.to_string())?.problems;
    if !problems.is_empty() {
        return Err(format!("{problems:?}"));
    }
    let found = all(store).map_err(|e| e.to_string())?;
    let n = found.len() as u64 / SIZE;
    for (i, (id, title)) in found.iter().enumerate() {
        let of = i as u64 / SIZE + 1;
        let last = (of + 1).min(n);
        if *id != format!("{of}-{}", i as u64 % SIZE) || !title.starts_with(&format!("{last} ")) {
            return Err(format!("record {i} is {id} {:.3}", title));
        }
    }
    if !(found.len() as u64).is_multiple_of(SIZE) {
        return Err(format!("{} records are no whole batches", found.len()));
    }
    Ok(n)
}

/// Writes until the power fails, cuts, opens again, and compares. `Err` tells what was lost.
fn run(seed: u64, lies: bool) -> Result<(), String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    disk.set(Faults {
        power_after: Some(rng.random_range(1..400)),
        lies,
        ..Faults::default()
    });
    let mut acknowledged = 0;
    while batch(&store, acknowledged + 1) {
        acknowledged += 1;
    }
    let after = disk.cut(&mut rng);
    drop(store);
    let store = open(&after).map_err(|e| e.to_string())?;
    let found = batches(&store)?;
    if found != acknowledged && found != acknowledged + 1 {
        return Err(format!(
            "{acknowledged} batches were acknowledged, {found} are there"
        ));
    }
    // And it goes on from there.
    if !batch(&store, found + 1) || batches(&store)? != found + 1 {
        return Err("it takes no more batches".to_owned());
    }
    Ok(())
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_fails() {
    let seeds = std::env::var("QUEQIAO_POWER_SEEDS").map_or(SEEDS, |s| s.parse().unwrap());
    for seed in 0..seeds {
        run(seed, false).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    println!("{seeds} power cuts, nothing acknowledged lost, no batch torn");
}

#[test]
fn a_disk_that_lies_about_syncing_is_found_out() {
    let lost = (0..SEEDS).filter(|seed| run(*seed, true).is_err()).count();
    assert!(
        lost > SEEDS as usize / 2,
        "only {lost} of {SEEDS} lies were noticed"
    );
}
