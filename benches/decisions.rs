//! Shortlists, teams and timetables beside OR-tools.
//!
//! ```sh
//! python3 -m venv venv && venv/bin/pip install -r tests/python/requirements.txt
//! QUEQIAO_TEST_PYTHON=$PWD/venv/bin/python cargo bench -p queqiao-benches --bench decisions -- --keep
//! ```
//!
//! Every problem is made from a seed and solved by each tool in a process of its own, one tool after the
//! other in every round, on one thread. Shortlists must come to the same total; teams to the same value
//! where both say it is the optimum. Time is from the problem in memory to the answer: CPU seconds and
//! wall seconds, medians over rounds (timetables: one round, since CP-SAT takes all the time it is given);
//! memory is the process's peak. `--rounds N`, `--only NAME`, `--limit SECONDS` as you like.
//!
//! `--stop` measures instead how long a computation goes on after it is told to stop.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use queqiao_events::{
    shortlist::{Objective, Pair, Party, ShortlistParams, ShortlistProblem},
    timetable::{Meeting, Person, Slot, Table, TimetableParams, TimetableProblem},
};
use queqiao_solve::Stop;
use queqiao_teams::{Candidate, Outcome, Task, TeamParams, TeamProblem};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Name and sizes.
const CASES: [(&str, Kind); 8] = [
    ("shortlists 500 x 2,000", Kind::Shortlists(500, 2_000)),
    ("shortlists 2,000 x 10,000", Kind::Shortlists(2_000, 10_000)),
    ("team of 5: 40 needs, 500 experts", Kind::Team(5)),
    ("team of 8: 40 needs, 500 experts", Kind::Team(8)),
    ("team of 12: 40 needs, 500 experts", Kind::Team(12)),
    (
        "timetable of 500, windows",
        Kind::Timetable(300, 200, 60, 1_500, 0.8),
    ),
    (
        "timetable of 5,000, all day",
        Kind::Timetable(3_000, 2_000, 600, 12_000, 1.0),
    ),
    (
        "timetable of 5,000, windows",
        Kind::Timetable(3_000, 2_000, 600, 12_000, 0.8),
    ),
];
const TOOLS: [&str; 2] = ["queqiao", "OR-tools"];

#[derive(Clone, Copy)]
enum Kind {
    /// Needs, experts: 50 candidates a need, 10 meetings a need, 5 an expert.
    Shortlists(usize, usize),
    /// Seats.
    Team(u32),
    /// Askers, answerers, tables, requests, share of the day that people are there.
    Timetable(usize, usize, usize, usize, f64),
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1).cloned()
    };
    if let Some(case) = option("--worker") {
        let case: usize = case.parse()?;
        println!("{}", ours(CASES[case].1, None)?);
        return Ok(());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("a workspace")?;
    if args.iter().any(|a| a == "--stop") {
        let told = stopped()?;
        println!("{told:#}");
        if args.iter().any(|a| a == "--keep") {
            let day = jiff::Timestamp::now().to_string();
            let day = day.get(..10).unwrap_or("undated");
            let path = root.join(format!("benches/runs/{day}-stopping.json"));
            fs::write(path, format!("{told:#}\n"))?;
        }
        return Ok(());
    }
    let python = std::env::var("QUEQIAO_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let rounds: usize = option("--rounds").map_or(Ok(3), |n| n.parse())?;
    let limit = option("--limit").unwrap_or_else(|| "60".to_owned());
    let folder = tempfile::tempdir()?;
    let mut cases = Vec::new();
    for (i, (name, kind)) in CASES.iter().enumerate() {
        if option("--only").is_some_and(|o| !name.contains(&o)) {
            continue;
        }
        let file = folder.path().join("problem.json");
        fs::write(&file, problem(*kind).to_string())?;
        // CP-SAT takes all the time it is given.
        let rounds = match kind {
            Kind::Timetable(..) => 1,
            _ => rounds,
        };
        let mut runs: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for round in 0..rounds {
            for tool in TOOLS {
                let mut command = if tool == "queqiao" {
                    let mut c = Command::new(std::env::current_exe()?);
                    c.args(["--worker", &i.to_string()]);
                    c
                } else {
                    let mut c = Command::new(&python);
                    c.arg(root.join("benches/decisions.py"));
                    c.arg(&file).arg(&limit);
                    c
                };
                let out = command.env("RAYON_NUM_THREADS", "1").output()?;
                if !out.status.success() {
                    bail!("{tool}, {name}: {}", String::from_utf8_lossy(&out.stderr));
                }
                runs.entry(tool)
                    .or_default()
                    .push(serde_json::from_slice(&out.stdout)?);
            }
            eprint!("\r{name}: round {} of {rounds}  ", round + 1);
        }
        eprintln!();
        cases.push(summary(name, *kind, &runs)?);
    }
    let result = json!({
        "bench": "decisions",
        "rounds": rounds,
        "threads": 1,
        "limit_seconds": limit,
        "cases": cases,
    });
    let page = page(&cases);
    println!("{page}");
    if args.iter().any(|a| a == "--keep") {
        let day = jiff::Timestamp::now().to_string();
        let day = day.get(..10).unwrap_or("undated");
        let stem = root.join(format!("benches/runs/{day}-decisions"));
        fs::create_dir_all(root.join("benches/runs"))?;
        fs::write(stem.with_extension("json"), format!("{result:#}\n"))?;
        let head = format!("# Decisions beside OR-tools, {day}\n\n");
        fs::write(stem.with_extension("md"), head + &page)?;
    }
    Ok(())
}

/// Medians, and whether the answers agree as far as both are proven.
fn summary(name: &str, kind: Kind, runs: &BTreeMap<&str, Vec<Value>>) -> Result<Value> {
    let of = |tool: &str, key: &str| {
        let mut all: Vec<f64> = runs[tool].iter().filter_map(|r| r[key].as_f64()).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let proven = |tool: &str| runs[tool].iter().all(|r| r["proven"] == true);
    let (a, b) = (of("queqiao", "value"), of("OR-tools", "value"));
    let exact = !matches!(kind, Kind::Timetable(..)) && proven("queqiao") && proven("OR-tools");
    if exact && (a - b).abs() > 1e-4 * a.abs() {
        bail!("{name}: both say proven, and {a} is not {b}");
    }
    let tools: BTreeMap<&str, Value> = TOOLS
        .iter()
        .map(|t| {
            let told = json!({
                "cpu_seconds": of(t, "cpu"),
                "wall_seconds": of(t, "wall"),
                "peak_mib": of(t, "peak_mib"),
                "value": of(t, "value"),
                "bound": of(t, "bound"),
                "proven": proven(t),
            });
            (*t, told)
        })
        .collect();
    Ok(json!({
        "case": name,
        "tools": tools,
        "times_faster": of("OR-tools", "cpu") / of("queqiao", "cpu"),
    }))
}

fn page(cases: &[Value]) -> String {
    let mut out = String::from(
        "| problem | tool | CPU s | wall s | peak MiB | value | bound | proven |\n|---|---|---|---|---|---|---|---|\n",
    );
    for case in cases {
        for tool in TOOLS {
            let t = &case["tools"][tool];
            let n = |key: &str, digits: usize| {
                let x = t[key].as_f64().unwrap_or(f64::NAN);
                format!("{x:.digits$}")
            };
            out.push_str(&format!(
                "| {} | {tool} | {} | {} | {} | {} | {} | {} |\n",
                case["case"].as_str().unwrap_or_default(),
                n("cpu_seconds", 3),
                n("wall_seconds", 3),
                n("peak_mib", 0),
                n("value", 3),
                n("bound", 3),
                if t["proven"] == true { "yes" } else { "no" },
            ));
        }
    }
    out
}

/// The problem as the peer reads it.
fn problem(kind: Kind) -> Value {
    match kind {
        Kind::Shortlists(needs, experts) => {
            let p = shortlists(needs, experts);
            json!({
                "kind": "shortlists",
                "needs": needs,
                "experts": experts,
                "need_most": p.needs[0].most,
                "expert_most": p.experts[0].most,
                "need": p.pairs.iter().map(|x| x.need).collect::<Vec<_>>(),
                "expert": p.pairs.iter().map(|x| x.expert).collect::<Vec<_>>(),
                "worth": p.pairs.iter().map(|x| x.worth).collect::<Vec<_>>(),
            })
        }
        Kind::Team(seats) => json!({ "kind": "team", "problem": team(seats) }),
        Kind::Timetable(l, r, tables, requests, share) => {
            json!({ "kind": "timetable", "problem": timetable(l, r, tables, requests, share) })
        }
    }
}

/// How much longer than it should a computation goes on that is told to stop, milliseconds, by when it is
/// told: only where it would have gone on.
fn stopped() -> Result<Value> {
    let mut out = Vec::new();
    for (name, kind) in CASES {
        let mut over = BTreeMap::new();
        for after in [2, 10, 30, 100, 300, 1_000, 3_000, 10_000_u64] {
            let told = ours(kind, Some(Duration::from_millis(after)))?;
            let ms = told["since_told"].as_f64().context("a time")? * 1e3;
            if ms > after as f64 {
                over.insert(format!("{after:05}"), (ms - after as f64).round());
            }
        }
        let worst = over.values().copied().fold(0.0, f64::max);
        eprintln!("{name}: at most {worst} ms");
        out.push(json!({"case": name, "over_ms_when_told_after_ms": over, "worst_ms": worst}));
    }
    Ok(json!({"bench": "stopping", "cases": out}))
}

/// Ours, on the same problem; told to stop some time after it began, if ever.
fn ours(kind: Kind, stop: Option<Duration>) -> Result<Value> {
    // The clock of the stop runs from here, past the checks of the problem.
    let told = std::cell::Cell::new(Instant::now());
    let stop = || {
        told.set(Instant::now());
        stop.map_or_else(Stop::never, Stop::after)
    };
    let (cpu, wall, value, bound, proven);
    match kind {
        Kind::Shortlists(needs, experts) => {
            let p = shortlists(needs, experts);
            (cpu, wall) = (ProcessTime::now(), Instant::now());
            let params = ShortlistParams {
                objective: Objective::CoverFirst,
                ..ShortlistParams::default()
            };
            let s = p.check()?.solve(&params, &stop())?;
            (value, bound, proven) = (s.total, s.bound, s.proven);
        }
        Kind::Team(seats) => {
            let p = team(seats);
            (cpu, wall) = (ProcessTime::now(), Instant::now());
            (value, bound, proven) = match p.check()?.compose(&TeamParams::default(), &stop()) {
                Outcome::Team(plan) => (plan.value, plan.bound, plan.proven),
                _ => (0.0, 0.0, false),
            };
        }
        Kind::Timetable(l, r, tables, requests, share) => {
            let p = timetable(l, r, tables, requests, share);
            (cpu, wall) = (ProcessTime::now(), Instant::now());
            let t = p.check()?.solve(&TimetableParams::default(), &stop())?;
            (value, bound, proven) = (t.worth, t.worth_bound, t.proven);
        }
    }
    Ok(json!({
        "cpu": cpu.elapsed().as_secs_f64(),
        "wall": wall.elapsed().as_secs_f64(),
        "since_told": told.get().elapsed().as_secs_f64(),
        "peak_mib": peak_mib(),
        "value": value,
        "bound": bound,
        "proven": proven,
    }))
}

/// Greatest resident memory of this process so far, where the system tells.
fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Experts of very different renown, 50 candidates a need.
fn shortlists(needs: usize, experts: usize) -> ShortlistProblem {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let fame: Vec<f64> = (0..experts).map(|_| rng.random::<f64>().powi(4)).collect();
    let party = |id: String, most| Party {
        id,
        most,
        least: 0,
        group: None,
    };
    let mut pairs = Vec::with_capacity(needs * 50);
    for need in 0..needs {
        let mut chosen = BTreeSet::new();
        while chosen.len() < 50 {
            let expert = rng.random_range(0..experts);
            if rng.random::<f64>() < fame[expert] + 0.02 {
                chosen.insert(expert);
            }
        }
        for expert in chosen {
            let worth: f64 = 0.5 * fame[expert] + 0.5 * rng.random::<f64>();
            // Six decimals: whole numbers for everybody.
            let worth = (worth * 1e6).round() / 1e6;
            pairs.push(Pair {
                need,
                expert,
                worth,
                back: worth,
            });
        }
    }
    ShortlistProblem {
        needs: (0..needs).map(|i| party(format!("n{i}"), 10)).collect(),
        experts: (0..experts).map(|i| party(format!("e{i}"), 5)).collect(),
        pairs,
        ..ShortlistProblem::default()
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Weighted needs over topics, a budget, two per institution, a lead.
fn team(seats: u32) -> TeamProblem {
    let (tasks, people, topics) = (40, 500, 25);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    // Sparse topic mixes: powers of exponentials, normalised.
    let mut mixes = |count: usize, power: f64| -> Vec<Vec<f64>> {
        (0..count)
            .map(|_| {
                let raw: Vec<f64> = (0..topics)
                    .map(|_| (-rng.random::<f64>().max(1e-12).ln()).powf(power))
                    .collect();
                let sum: f64 = raw.iter().sum();
                raw.into_iter().map(|x| x / sum).collect()
            })
            .collect()
    };
    let (a, b) = (mixes(tasks, 4.0), mixes(people, 2.5));
    let lift: Vec<f64> = (0..people)
        .map(|_| (0.25 * normal(&mut rng)).exp())
        .collect();
    let raw: Vec<Vec<f64>> = b
        .iter()
        .zip(&lift)
        .map(|(b, l)| {
            let fit = |a: &Vec<f64>| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
            a.iter().map(|a| l * fit(a)).collect()
        })
        .collect();
    let top = raw.iter().flatten().copied().fold(0.0, f64::max);
    TeamProblem {
        tasks: (0..tasks)
            .map(|t| Task {
                id: format!("t{t}"),
                weight: rng.random_range(0.2..1.0),
                floor: None,
            })
            .collect(),
        candidates: raw
            .iter()
            .enumerate()
            .map(|(j, row)| Candidate {
                id: format!("c{j}"),
                cost: rng.random_range(0.5..2.0),
                institution: Some(rng.random_range(0..60)),
                societies: vec![rng.random_range(0..12)],
                lead: rng.random_bool(0.06),
                load: None,
                kept_out_by: vec![],
                scores: row
                    .iter()
                    .map(|s| s / top)
                    .enumerate()
                    .filter(|s| s.1 >= 0.08)
                    .collect(),
            })
            .collect(),
        size: seats,
        budget: Some(0.9 * f64::from(seats)),
        per_institution: Some(2),
        least_leads: 1,
        ..TeamProblem::default()
    }
}

/// Twenty slots; some are asked for by many.
fn timetable(
    left: usize,
    right: usize,
    tables: usize,
    requests: usize,
    share: f64,
) -> TimetableProblem {
    let n = 20;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let renown = |rng: &mut ChaCha8Rng, count: usize, spread: f64| -> Vec<f64> {
        let mut sum = 0.0;
        (0..count)
            .map(|_| {
                sum += (spread * normal(rng)).exp();
                sum
            })
            .collect()
    };
    let (a, b) = (renown(&mut rng, left, 0.4), renown(&mut rng, right, 0.6));
    let pick = |rng: &mut ChaCha8Rng, sums: &[f64]| {
        let x = rng.random::<f64>() * sums.last().copied().unwrap_or(0.0);
        sums.partition_point(|s| *s < x).min(sums.len() - 1)
    };
    let mut pairs = BTreeSet::new();
    while pairs.len() < requests {
        pairs.insert((pick(&mut rng, &a), pick(&mut rng, &b)));
    }
    let meetings = pairs
        .into_iter()
        .map(|(l, r)| Meeting {
            left: l,
            right: left + r,
            others: Vec::new(),
            worth: (rng.random_range(0.2..1.0_f64) * 1e3).round() / 1e3,
            must: false,
            site: None,
            locked: None,
        })
        .collect();
    let people = (0..left + right)
        .map(|i| {
            let mut open = vec![share >= 1.0; n];
            if share < 1.0 {
                let there = n as f64 * rng.random_range(2.0 * share - 1.0..1.0);
                let length = (there.round() as usize).max(2);
                let start = rng.random_range(0..=n - length);
                for o in &mut open[start..start + length] {
                    *o = rng.random_bool(0.95);
                }
            }
            Person {
                id: format!("p{i}"),
                open,
                most: None,
            }
        })
        .collect();
    TimetableProblem {
        slots: (0..n as i64)
            .map(|i| Slot {
                begin: 30 * i,
                end: 30 * i + 30,
            })
            .collect(),
        people,
        tables: (0..tables)
            .map(|t| Table {
                id: format!("t{t}"),
                site: 0,
                open: vec![true; n],
            })
            .collect(),
        travel: vec![vec![0]],
        meetings,
    }
}
