//! OR-Library's optima: generalised assignment (gap1–gap6) and linear assignment (assign500, 600).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_solve::{Duties, Network, Simplex, Stop, assign};
use std::{fs, path::PathBuf};

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("QUEQIAO_SHARED").map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .ancestors()
                .nth(3)
                .unwrap()
                .join("shared")
        },
        PathBuf::from,
    );
    let folder = shared.join("data/assignment");
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "SKIPPED: no OR-Library instances at {} (set QUEQIAO_SHARED)",
        folder.display()
    );
    None
}

fn numbers(path: PathBuf) -> Vec<i64> {
    fs::read_to_string(path)
        .unwrap()
        .split_ascii_whitespace()
        .map(|t| t.parse().unwrap())
        .collect()
}

fn optima() -> Option<(PathBuf, serde_json::Value)> {
    let f = folder()?;
    let text = fs::read_to_string(f.join("optima.json")).unwrap();
    Some((f, serde_json::from_str(&text).unwrap()))
}

#[test]
fn generalised_assignment() {
    let Some((folder, optima)) = optima() else {
        return;
    };
    for (file, expected) in optima["gap_max"].as_object().unwrap() {
        let all = numbers(folder.join("gap").join(file));
        let mut next = all.into_iter();
        let mut take = || next.next().unwrap();
        let problems = take();
        for p in 0..problems as usize {
            let (agents, jobs) = (take() as usize, take() as usize);
            let mut table = || -> Vec<Vec<f64>> {
                (0..agents)
                    .map(|_| (0..jobs).map(|_| take() as f64).collect())
                    .collect()
            };
            let (worth, load) = (table(), table());
            let limit = (0..agents).map(|_| take() as f64).collect();
            let worth = worth
                .into_iter()
                .map(|r| r.into_iter().map(Some).collect())
                .collect();
            let duties = Duties {
                worth,
                load,
                limit,
                all: true,
            };
            let found = assign(&duties, &Stop::never()).unwrap().unwrap();
            assert!(found.proven);
            assert_eq!(
                found.value.round() as i64,
                expected[p].as_i64().unwrap(),
                "{file} {p}"
            );
            for (agent, limit) in duties.limit.iter().enumerate() {
                let load: f64 = (0..jobs)
                    .filter(|j| found.agent[*j] == Some(agent))
                    .map(|j| duties.load[agent][j])
                    .sum();
                assert!(load <= *limit);
            }
        }
    }
}

#[test]
fn linear_assignment() {
    let Some((folder, optima)) = optima() else {
        return;
    };
    for (file, expected) in optima["lap_min"].as_object().unwrap() {
        let all = numbers(folder.join("lap").join(file));
        let n = all[0] as usize;
        let mut net = Network::new(2 * n, n * n);
        for i in 0..n {
            net.supply(i as u32, 1);
            net.supply((n + i) as u32, -1);
            for j in 0..n {
                net.arc(i as u32, (n + j) as u32, 1, all[1 + i * n + j]);
            }
        }
        let started = std::time::Instant::now();
        let flow = Simplex::new(net, None).unwrap().solve(&Stop::never());
        println!("{file}: {} in {:?}", flow.cost, started.elapsed());
        assert!(flow.finished && flow.feasible);
        assert_eq!(flow.cost, i128::from(expected.as_i64().unwrap()));
    }
}
