//! Teams against brute force, an independent integer programme, and their own promises.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_domain::Bilingual;
use queqiao_solve::Stop;
use queqiao_teams::{
    Candidate, Consortium, ConsortiumParams, Outcome, Quota, Rule, Task, TeamError, TeamParams,
    TeamProblem, ValidTeam, consortium,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

fn small(rng: &mut ChaCha8Rng) -> TeamProblem {
    let (tasks, n) = (rng.random_range(1..6), rng.random_range(1..9));
    let floors = rng.random_bool(0.3);
    let loads = rng.random_bool(0.3);
    let mut problem = TeamProblem {
        tasks: (0..tasks)
            .map(|t| Task {
                id: format!("t{t}"),
                weight: f64::from(rng.random_range(1..4)),
                floor: (floors && rng.random_bool(0.5)).then_some(0.5),
            })
            .collect(),
        candidates: Vec::new(),
        size: rng.random_range(1..5),
        budget: rng
            .random_bool(0.6)
            .then(|| f64::from(rng.random_range(1..8))),
        per_institution: rng.random_bool(0.4).then(|| rng.random_range(1..3)),
        least_societies: rng.random_range(0..3),
        least_leads: rng.random_range(0..2),
        must: Vec::new(),
        must_not: Vec::new(),
        rules: vec![Rule {
            name: "travel".into(),
            text: Bilingual::new("within 300 km", "300 公里以内"),
        }],
        quotas: Vec::new(),
    };
    for j in 0..n {
        problem.candidates.push(Candidate {
            id: format!("c{j}"),
            cost: f64::from(rng.random_range(0..4)),
            institution: rng.random_bool(0.8).then(|| rng.random_range(0..3)),
            societies: (0..3).filter(|_| rng.random_bool(0.4)).collect(),
            lead: rng.random_bool(0.3),
            load: (loads && rng.random_bool(0.6)).then(|| rng.random_range(1..3)),
            kept_out_by: if rng.random_bool(0.1) {
                vec![0]
            } else {
                vec![]
            },
            scores: (0..tasks)
                .filter(|_| rng.random_bool(0.7))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|t| (t, f64::from(rng.random_range(0..10)) / 9.0))
                .collect(),
        });
        if rng.random_bool(0.08) {
            problem.must.push(j);
        } else if rng.random_bool(0.08) {
            problem.must_not.push(j);
        }
    }
    if rng.random_bool(0.3) {
        problem.quotas.push(Quota {
            text: Bilingual::new("from universities", "高校"),
            who: (0..n).filter(|j| j % 2 == 0).collect(),
            least: rng.random_range(0..2),
            most: rng.random_bool(0.5).then_some(2),
        });
    }
    problem
}

/// Cover by trying every way to give each need to a member, floors first where loads bind.
fn cover(p: &TeamProblem, team: &[usize]) -> (usize, f64) {
    fn go(p: &TeamProblem, team: &[usize], t: usize, used: &mut Vec<u32>) -> (usize, f64) {
        if t == p.tasks.len() {
            return (0, 0.0);
        }
        let mut best = go(p, team, t + 1, used);
        for (k, j) in team.iter().enumerate() {
            let c = &p.candidates[*j];
            if c.load.is_some_and(|l| used[k] >= l) {
                continue;
            }
            let Some(s) = c.scores.iter().find(|s| s.0 == t) else {
                continue;
            };
            used[k] += 1;
            let rest = go(p, team, t + 1, used);
            used[k] -= 1;
            let reached = usize::from(p.tasks[t].floor.is_some_and(|f| s.1 >= f));
            let with = (rest.0 + reached, rest.1 + s.1 * p.tasks[t].weight);
            if with.0 > best.0 || (with.0 == best.0 && with.1 > best.1) {
                best = with;
            }
        }
        best
    }
    go(p, team, 0, &mut vec![0; team.len()])
}

fn keeps(p: &TeamProblem, team: &[usize]) -> bool {
    let c = |j: &usize| &p.candidates[*j];
    let on = |j: &usize| team.contains(j);
    let floors = p.tasks.iter().filter(|t| t.floor.is_some()).count();
    let mut societies: Vec<usize> = team.iter().flat_map(|j| c(j).societies.clone()).collect();
    societies.sort_unstable();
    societies.dedup();
    team.len() <= p.size as usize
        && team.iter().all(|j| c(j).kept_out_by.is_empty())
        && p.budget
            .is_none_or(|b| team.iter().map(|j| c(j).cost).sum::<f64>() <= b + 1e-9)
        && p.per_institution.is_none_or(|cap| {
            (0..3).all(|i| {
                team.iter().filter(|j| c(j).institution == Some(i)).count() <= cap as usize
            })
        })
        && societies.len() >= p.least_societies as usize
        && team.iter().filter(|j| c(j).lead).count() >= p.least_leads as usize
        && p.must.iter().all(on)
        && !p.must_not.iter().any(on)
        && p.quotas.iter().all(|q| {
            let n = q.who.iter().filter(|j| on(j)).count();
            n >= q.least as usize && q.most.is_none_or(|m| n <= m as usize)
        })
        && cover(p, team).0 == floors
}

fn teams(p: &TeamProblem) -> Vec<Vec<usize>> {
    (0..1_u32 << p.candidates.len())
        .map(|bits| {
            (0..p.candidates.len())
                .filter(|j| bits >> j & 1 == 1)
                .collect::<Vec<_>>()
        })
        .filter(|t| keeps(p, t))
        .collect()
}

/// The best value of the objective over all teams.
fn brute(p: &TeamProblem, params: &TeamParams) -> Option<f64> {
    teams(p)
        .iter()
        .map(|t| {
            let drop = t
                .iter()
                .map(|j| {
                    let rest: Vec<usize> = t.iter().copied().filter(|k| k != j).collect();
                    cover(p, &rest).1
                })
                .fold(f64::INFINITY, f64::min);
            let drop = if drop.is_finite() { drop } else { 0.0 };
            (1.0 - params.robust) * cover(p, t).1 + params.robust * drop
                - params.per_member * t.len() as f64
        })
        .max_by(f64::total_cmp)
}

#[test]
fn equals_brute_force_on_thousands_of_small_instances() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut solved, mut impossible, mut proven, mut sturdy) = (0, 0, 0, 0);
    for round in 0..4_000 {
        let p = small(&mut rng);
        let params = TeamParams {
            robust: [0.0, 0.0, 0.5][round % 3],
            per_member: if round % 5 == 0 { 0.2 } else { 0.0 },
            ..TeamParams::default()
        };
        let valid = p.clone().check().unwrap();
        match (valid.compose(&params, &Stop::never()), brute(&p, &params)) {
            (Outcome::Team(plan), Some(best)) => {
                let team: Vec<usize> = plan.seats.iter().map(|s| s.candidate).collect();
                assert!(keeps(&p, &team), "{p:#?} {team:?}");
                assert!(
                    plan.value <= best + 1e-6 && plan.bound >= best - 1e-6,
                    "{} {best} {}",
                    plan.value,
                    plan.bound
                );
                solved += 1;
                if params.robust == 0.0 {
                    assert!(plan.value >= best - 1e-6, "{} {best} {p:#?}", plan.value);
                    proven += usize::from(plan.proven);
                } else {
                    sturdy += usize::from(plan.value >= best - 1e-6);
                }
            }
            (Outcome::Impossible(c), None) => {
                impossible += 1;
                assert!(c.minimal && !c.collision.is_empty());
            }
            (got, best) => panic!("{got:?} {best:?} {p:#?}"),
        }
    }
    println!(
        "{solved} solved, {proven} proven, {sturdy} sturdy ones optimal, {impossible} impossible"
    );
    assert!(impossible > 500 && proven > 1_000);
}

#[test]
fn certificates_are_minimal_and_their_ways_out_work() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut tried = 0;
    for _ in 0..1_500 {
        let mut p = small(&mut rng);
        for c in &mut p.candidates {
            c.load = None;
        }
        let valid = p.clone().check().unwrap();
        let Outcome::Impossible(certificate) =
            valid.compose(&TeamParams::default(), &Stop::never())
        else {
            continue;
        };
        let costs: Vec<f64> = certificate.relaxations.iter().map(|r| r.cost).collect();
        assert!(costs.is_sorted(), "{costs:?}");
        for r in &certificate.relaxations {
            let mut q = p.clone();
            for c in &r.changes {
                let place = |id: &String| p.candidates.iter().position(|c| c.id == *id).unwrap();
                match c.constraint.as_str() {
                    "size" => q.size += c.by.round() as u32,
                    "budget" => q.budget = q.budget.map(|b| b + c.by),
                    "lead" => q.least_leads -= c.by.round() as u32,
                    "societies" => q.least_societies -= c.by.round() as u32,
                    "must" => q.must.retain(|j| *j != place(&c.about[0])),
                    "must_not" => q.must_not.retain(|j| *j != place(&c.about[0])),
                    "floor" => {
                        let t = q.tasks.iter_mut().find(|t| t.id == c.about[0]).unwrap();
                        t.floor = None;
                    }
                    "travel" => {
                        for c in &mut q.candidates {
                            c.kept_out_by.clear();
                        }
                    }
                    "institution" => {
                        q.per_institution = q.per_institution.map(|x| x + c.by.round() as u32)
                    }
                    "quota" => q.quotas.clear(),
                    other => panic!("{other}"),
                }
            }
            tried += 1;
            assert!(!teams(&q).is_empty(), "{r:#?} {p:#?}");
        }
    }
    assert!(tried > 300, "{tried}");
}

/// The instance family of the anchors: weighted needs over topics, a budget, two per institution, a
/// lead.
fn family(seed: u64, n: u32) -> TeamProblem {
    let (tasks, people, topics) = (40, 500, 25);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
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
        .map(|_| {
            let z: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            (0.25 * z).exp()
        })
        .collect();
    let raw: Vec<Vec<f64>> = b
        .iter()
        .zip(&lift)
        .map(|(b, l)| {
            a.iter()
                .map(|a| l * a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>())
                .collect()
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
        size: n,
        budget: Some(0.9 * f64::from(n)),
        per_institution: Some(2),
        least_leads: 1,
        ..TeamProblem::default()
    }
}

#[test]
fn the_anchors_family_is_proven() {
    let mut slowest = Duration::ZERO;
    for seed in 0..5 {
        for n in [5, 8, 12] {
            let valid = family(seed, n).check().unwrap();
            let start = Instant::now();
            let Outcome::Team(plan) = valid.compose(&TeamParams::default(), &Stop::never()) else {
                panic!("there is a team");
            };
            let took = start.elapsed();
            slowest = slowest.max(took);
            println!(
                "seed {seed}, {n} seats: {:.4} of at most {:.4}, {took:.2?}",
                plan.value, plan.bound
            );
            assert!(plan.proven && plan.seats[0].lead);
        }
    }
    println!("slowest {slowest:.2?}");
}

#[test]
fn a_sturdy_team_costs_little_and_loses_less() {
    let (mut given, mut plain_loss, mut sturdy_loss) = (0.0, 0.0, 0.0);
    for seed in 0..3 {
        let valid = family(seed, 8).check().unwrap();
        let compose = |robust| {
            let params = TeamParams {
                robust,
                ..TeamParams::default()
            };
            match valid.compose(&params, &Stop::after(Duration::from_secs(20))) {
                Outcome::Team(plan) => plan,
                other => panic!("{other:?}"),
            }
        };
        let (plain, sturdy) = (compose(0.0), compose(0.5));
        given += 1.0 - sturdy.cover / plain.cover;
        plain_loss += 1.0 - plain.worst_drop / plain.cover;
        sturdy_loss += 1.0 - sturdy.worst_drop / sturdy.cover;
        assert!(sturdy.bound >= sturdy.value - 1e-9);
    }
    println!(
        "cover given up {:.2} %, worst loss {:.1} % instead of {:.1} %",
        given / 3.0 * 100.0,
        sturdy_loss / 3.0 * 100.0,
        plain_loss / 3.0 * 100.0
    );
    assert!(sturdy_loss < plain_loss && given / 3.0 < 0.03);
}

#[test]
fn a_stop_gives_the_best_so_far_with_its_bound() {
    let valid = family(1, 12).check().unwrap();
    let start = Instant::now();
    let Outcome::Team(plan) = valid.compose(
        &TeamParams::default(),
        &Stop::after(Duration::from_millis(30)),
    ) else {
        panic!("a team is found at once");
    };
    assert!(
        start.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        start.elapsed()
    );
    let Outcome::Team(best) = valid.compose(&TeamParams::default(), &Stop::never()) else {
        panic!()
    };
    assert!(plan.value <= best.value + 1e-9 && plan.bound >= best.value - 1e-9);
}

#[test]
fn rows_in_another_order_give_the_same_value() {
    let p = family(3, 8);
    let mut q = p.clone();
    q.candidates.reverse();
    let value = |p: TeamProblem| match p
        .check()
        .unwrap()
        .compose(&TeamParams::default(), &Stop::never())
    {
        Outcome::Team(plan) => plan.value,
        other => panic!("{other:?}"),
    };
    assert!((value(p) - value(q)).abs() < 1e-9);
}

/// Cover where no loads bind: the best score of each need.
fn best_of(p: &TeamProblem, team: &[usize]) -> f64 {
    (0..p.tasks.len())
        .map(|t| {
            let scores = team.iter().flat_map(|j| &p.candidates[*j].scores);
            let best = scores.filter(|s| s.0 == t).map(|s| s.1).fold(0.0, f64::max);
            best * p.tasks[t].weight
        })
        .sum()
}

#[test]
fn what_the_report_says_is_so() {
    let p = family(2, 6);
    let valid = p.clone().check().unwrap();
    let Outcome::Team(plan) = valid.compose(&TeamParams::default(), &Stop::never()) else {
        panic!()
    };
    let team: Vec<usize> = plan.seats.iter().map(|s| s.candidate).collect();
    assert!((best_of(&p, &team) - plan.cover).abs() < 1e-9);
    for s in &plan.seats {
        let rest: Vec<usize> = team.iter().copied().filter(|j| *j != s.candidate).collect();
        assert!((plan.cover - best_of(&p, &rest) - s.worth).abs() < 1e-9);
        assert!((s.drop.left - best_of(&p, &rest)).abs() < 1e-9);
        assert_eq!(s.alternates.len(), 2);
        for a in &s.alternates {
            let mut with = rest.clone();
            with.push(a.candidate);
            assert!(valid.keeps_all(&with) && a.value <= plan.value + 1e-9);
            assert!((best_of(&p, &with) - a.value).abs() < 1e-9);
        }
    }
    for c in &plan.coverage {
        assert_eq!(c.gap, c.score < 0.3);
        assert!(c.second.is_none_or(|s| s.1 <= c.score + 1e-12));
    }
}

#[test]
fn bad_problems_are_named() {
    let ok = || family(0, 3);
    let check = |change: &dyn Fn(&mut TeamProblem), words: &str| {
        let mut p = ok();
        change(&mut p);
        let e = p.check().unwrap_err().to_string();
        assert!(e.contains(words), "{e}");
    };
    check(&|p| p.size = 0, "no seat");
    check(&|p| p.tasks.clear(), "no need");
    check(&|p| p.candidates.clear(), "no candidate");
    check(&|p| p.candidates[3].cost = -1.0, "the cost of c3 is -1");
    check(&|p| p.tasks[0].weight = 0.0, "the weight of t0");
    check(&|p| p.budget = Some(f64::NAN), "the budget");
    check(&|p| p.candidates[1].id = "c0".into(), "c0 stands twice");
    check(&|p| p.must.push(9_999), "not there");
    check(
        &|p| p.candidates[0].scores = vec![(0, f64::INFINITY)],
        "a score of c0",
    );
    assert!(matches!(
        TeamProblem::default().check(),
        Err(TeamError::Empty { .. })
    ));
}

#[test]
fn a_consortium_covers_every_part_and_nobody_leads_too_many() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut found, mut none) = (0, 0);
    for _ in 0..400 {
        let mut p = small(&mut rng);
        p.least_societies = 0;
        p.quotas.clear();
        let params = ConsortiumParams::default();
        let mut q = p.clone();
        for t in &mut q.tasks {
            t.floor.get_or_insert(params.floor);
        }
        for c in &mut q.candidates {
            c.load.get_or_insert(params.parts_each);
        }
        let best = brute(
            &q,
            &TeamParams {
                per_member: params.per_member,
                ..TeamParams::default()
            },
        );
        match (consortium(p, &params, &Stop::never()).unwrap(), best) {
            (
                Consortium::Members {
                    partners,
                    parts,
                    value,
                    bound,
                    ..
                },
                Some(best),
            ) => {
                found += 1;
                assert!(
                    (value - best).abs() < 1e-6 && bound >= best - 1e-6,
                    "{value} {best}"
                );
                assert!(
                    parts
                        .iter()
                        .zip(&q.tasks)
                        .all(|(x, t)| x.1 >= t.floor.unwrap())
                );
                for m in &partners {
                    assert!(m.leads.len() as u32 <= q.candidates[m.candidate].load.unwrap());
                    assert!((0.0..=1.0).contains(&m.overlap));
                }
            }
            (Consortium::Impossible(c), None) => {
                none += 1;
                assert!(!c.collision.is_empty());
            }
            (got, best) => panic!("{got:?} {best:?} {q:#?}"),
        }
    }
    assert!(found > 50 && none > 50, "{found} {none}");
}

/// scipy's HiGHS solves the same instances as integer programmes.
#[test]
fn scipy_agrees_on_the_optimum() {
    let python = std::env::var_os("QUEQIAO_TEST_PYTHON")
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let has = Command::new(&python)
        .args(["-c", "import scipy"])
        .stderr(std::process::Stdio::null())
        .status();
    if !has.is_ok_and(|s| s.success()) {
        println!("SKIPPED: no python3 with scipy (set QUEQIAO_TEST_PYTHON)");
        return;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/team_judge.py");
    let dir = tempfile::tempdir().unwrap();
    for (seed, n) in [(0, 5), (1, 8)] {
        let p = family(seed, n);
        let file = dir.path().join("team.json");
        std::fs::write(&file, serde_json::to_string(&p).unwrap()).unwrap();
        let out = Command::new(&python)
            .arg(&script)
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        let judged: f64 = String::from_utf8_lossy(&out.stdout).trim().parse().unwrap();
        let valid: ValidTeam = p.check().unwrap();
        let Outcome::Team(plan) = valid.compose(&TeamParams::default(), &Stop::never()) else {
            panic!()
        };
        println!("seed {seed}: {:.6}, HiGHS {judged:.6}", plan.value);
        assert!((plan.value - judged).abs() < 1e-5);
    }
}

/// BibSonomy's tasks and experts: how far it goes in size.
#[test]
fn bibsonomy_at_scale() {
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
    let folder = shared.join("data/team-formation");
    let read = |file: &str| -> Option<Vec<Vec<String>>> {
        serde_json::from_str(&std::fs::read_to_string(folder.join(file)).ok()?).ok()
    };
    let (Some(tasks), Some(experts)) = (
        read("bibsonomy_tasks_2015.txt"),
        read("bibsonomy_experts_2015.txt"),
    ) else {
        println!(
            "SKIPPED: no BibSonomy tasks at {} (set QUEQIAO_SHARED)",
            folder.display()
        );
        return;
    };
    let tasks: Vec<&Vec<String>> = tasks.iter().step_by(tasks.len() / 60).take(60).collect();
    let problem = TeamProblem {
        tasks: (0..tasks.len())
            .map(|t| Task {
                id: format!("t{t}"),
                weight: 1.0,
                floor: None,
            })
            .collect(),
        candidates: experts
            .iter()
            .enumerate()
            .map(|(j, skills)| Candidate {
                id: format!("e{j}"),
                cost: 1.0,
                institution: Some(j % 97),
                societies: vec![j % 12],
                lead: j % 20 == 0,
                load: None,
                kept_out_by: vec![],
                scores: tasks
                    .iter()
                    .enumerate()
                    .map(|(t, asked)| {
                        let has = asked.iter().filter(|s| skills.contains(s)).count();
                        (t, has as f64 / asked.len() as f64)
                    })
                    .filter(|s| s.1 > 0.0)
                    .collect(),
            })
            .collect(),
        size: 10,
        per_institution: Some(2),
        least_leads: 1,
        least_societies: 4,
        ..TeamProblem::default()
    };
    let start = Instant::now();
    let limit = Stop::after(Duration::from_secs(20));
    let Outcome::Team(plan) = problem
        .check()
        .unwrap()
        .compose(&TeamParams::default(), &limit)
    else {
        panic!("there is a team");
    };
    println!(
        "{} experts, {} tasks: {:.4} of at most {:.4} (proven {}), {:.2?}",
        experts.len(),
        tasks.len(),
        plan.value,
        plan.bound,
        plan.proven,
        start.elapsed()
    );
    assert!(plan.societies >= 4 && plan.value >= 0.97 * plan.bound);
}
