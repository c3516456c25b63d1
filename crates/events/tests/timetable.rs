//! Timetables against brute force, the anchors' cases, and their own promises.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_events::timetable::{
    Meeting, Person, Place, Slot, Table, Timetable, TimetableParams, TimetableProblem,
    ValidTimetable,
};
use queqiao_solve::Stop;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::HashSet,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

fn slots(n: usize) -> Vec<Slot> {
    (0..n as i64)
        .map(|i| Slot {
            begin: i * 20,
            end: i * 20 + 15,
        })
        .collect()
}

fn meeting(left: usize, right: usize, worth: f64) -> Meeting {
    Meeting {
        left,
        right,
        others: vec![],
        worth,
        must: false,
        site: None,
        locked: None,
    }
}

/// Everything a timetable has to keep, checked from the outside.
fn check(p: &TimetableProblem, t: &Timetable) {
    let mut busy = HashSet::new();
    let mut tables = HashSet::new();
    let mut count = vec![0; p.people.len()];
    for (m, place) in t.places.iter().enumerate() {
        let q = &p.meetings[m];
        let Some(x) = place else {
            assert!(q.locked.is_none(), "a locked meeting is held");
            continue;
        };
        assert!(tables.insert((x.slot, x.table)), "one meeting a table");
        assert!(p.tables[x.table].open[x.slot], "the table is there");
        assert!(q.site.is_none_or(|s| s == p.tables[x.table].site));
        if let Some((slot, table)) = q.locked {
            assert!(
                slot == x.slot && table.is_none_or(|t| t == x.table),
                "locked meetings stay"
            );
        }
        for i in q.people() {
            assert!(p.people[i].open[x.slot], "inside the window");
            assert!(busy.insert((i, x.slot)), "nobody is in two meetings");
            count[i] += 1;
        }
    }
    for (i, person) in p.people.iter().enumerate() {
        assert!(person.most.is_none_or(|m| count[i] <= m));
    }
    for (a, x) in t.places.iter().enumerate() {
        for (b, y) in t.places.iter().enumerate() {
            let (Some(x), Some(y)) = (x, y) else { continue };
            let shared = p.meetings[a]
                .people()
                .any(|i| p.meetings[b].people().any(|k| k == i));
            if a != b && shared && x.slot < y.slot {
                let minutes = p.travel[p.tables[x.table].site][p.tables[y.table].site];
                assert!(
                    p.slots[y.slot].begin - p.slots[x.slot].end >= minutes,
                    "time to travel"
                );
            }
        }
    }
    let worth: f64 = (0..p.meetings.len())
        .filter(|m| t.places[*m].is_some())
        .map(|m| p.meetings[m].worth)
        .sum();
    assert!(
        (worth - t.worth).abs() < 1e-9
            && t.worth <= t.worth_bound + 1e-6
            && t.value <= t.bound + 1e-6
    );
}

/// Value of the best timetable: musts held, then worth.
fn brute(p: &TimetableProblem) -> (usize, f64) {
    fn go(p: &TimetableProblem, m: usize, places: &mut Vec<Option<Place>>) -> (usize, f64) {
        if m == p.meetings.len() {
            return (0, 0.0);
        }
        let q = &p.meetings[m];
        let mut best = if q.locked.is_some() {
            (0, f64::NEG_INFINITY)
        } else {
            go(p, m + 1, places)
        };
        for slot in 0..p.slots.len() {
            for table in 0..p.tables.len() {
                if !fits(p, m, Place { slot, table }, places) {
                    continue;
                }
                places[m] = Some(Place { slot, table });
                let rest = go(p, m + 1, places);
                places[m] = None;
                let with = (rest.0 + usize::from(q.must), rest.1 + q.worth);
                if with.0 > best.0 || (with.0 == best.0 && with.1 > best.1) {
                    best = with;
                }
            }
        }
        best
    }
    go(p, 0, &mut vec![None; p.meetings.len()])
}

fn fits(p: &TimetableProblem, m: usize, x: Place, places: &[Option<Place>]) -> bool {
    let q = &p.meetings[m];
    let site = p.tables[x.table].site;
    let shares = |a: &Meeting, b: &Meeting| a.people().any(|i| b.people().any(|k| k == i));
    p.tables[x.table].open[x.slot]
        && q.site.is_none_or(|s| s == site)
        && q.locked
            .is_none_or(|l| l.0 == x.slot && l.1.is_none_or(|t| t == x.table))
        && q.people().all(|i| p.people[i].open[x.slot])
        && q.people().all(|i| {
            let n = places
                .iter()
                .enumerate()
                .filter(|(b, y)| y.is_some() && p.meetings[*b].people().any(|k| k == i))
                .count();
            p.people[i].most.is_none_or(|most| (n as u32) < most)
        })
        && places.iter().enumerate().all(|(b, y)| {
            let Some(y) = y else { return true };
            if y.slot == x.slot {
                return y.table != x.table && !shares(q, &p.meetings[b]);
            }
            if !shares(q, &p.meetings[b]) {
                return true;
            }
            let other = p.tables[y.table].site;
            if x.slot < y.slot {
                p.slots[y.slot].begin - p.slots[x.slot].end >= p.travel[site][other]
            } else {
                p.slots[x.slot].begin - p.slots[y.slot].end >= p.travel[other][site]
            }
        })
}

fn small(rng: &mut ChaCha8Rng, plain: bool) -> TimetableProblem {
    let (left, right, n) = (
        rng.random_range(1..4),
        rng.random_range(1..4),
        rng.random_range(1..4),
    );
    let sites = if plain || rng.random_bool(0.6) { 1 } else { 2 };
    let open = |rng: &mut ChaCha8Rng| {
        (0..n)
            .map(|_| plain || rng.random_bool(0.75))
            .collect::<Vec<bool>>()
    };
    let people = (0..left + right)
        .map(|i| Person {
            id: format!("p{i}"),
            open: open(rng),
            most: (!plain && rng.random_bool(0.2)).then(|| rng.random_range(0..3)),
        })
        .collect();
    let tables = (0..rng.random_range(1..3))
        .map(|i| Table {
            id: format!("t{i}"),
            site: rng.random_range(0..sites),
            open: open(rng),
        })
        .collect();
    let mut meetings = Vec::new();
    for l in 0..left {
        for r in 0..right {
            if rng.random_bool(0.6) && meetings.len() < 6 {
                let mut m = meeting(l, left + r, f64::from(rng.random_range(1..6)) / 5.0);
                m.must = !plain && rng.random_bool(0.15);
                if !plain && sites == 2 && rng.random_bool(0.4) {
                    m.site = Some(rng.random_range(0..2));
                }
                if !plain && rng.random_bool(0.1) {
                    m.locked = Some((rng.random_range(0..n), None));
                }
                if !plain && rng.random_bool(0.1) {
                    m.others = (0..left).filter(|i| *i != l).take(1).collect();
                }
                meetings.push(m);
            }
        }
    }
    TimetableProblem {
        slots: slots(n),
        people,
        tables,
        travel: (0..sites)
            .map(|a| (0..sites).map(|b| if a == b { 0 } else { 12 }).collect())
            .collect(),
        meetings,
    }
}

#[test]
fn small_timetables_equal_brute_force() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut solved, mut equal, mut proven, mut missed) = (0, 0, 0, 0);
    for _ in 0..3_000 {
        let p = small(&mut rng, false);
        let Ok(v) = p.clone().check() else { continue };
        let t = v
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap();
        check(&p, &t);
        let best = brute(&p);
        if best.1 == f64::NEG_INFINITY {
            continue;
        }
        solved += 1;
        let musts = p.meetings.iter().filter(|m| m.must).count();
        let got = (musts - t.missed.len(), t.worth);
        assert!(
            got.0 < best.0 || (got.0 == best.0 && got.1 <= best.1 + 1e-9),
            "{got:?} {best:?}"
        );
        if got.0 == best.0 && got.1 >= best.1 - 1e-9 {
            equal += 1;
        }
        if t.proven {
            proven += 1;
            assert!(
                got.0 == best.0 && got.1 >= best.1 - 1e-6,
                "{got:?} {best:?} {p:#?}"
            );
        }
        missed += usize::from(best.0 < musts);
    }
    println!(
        "{solved} small timetables: {equal} optimal, {proven} proven, {missed} with musts that cannot be held"
    );
    assert!(solved > 1_500 && equal * 1_000 >= solved * 995);
}

#[test]
fn where_everybody_is_there_it_is_exact() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..1_500 {
        let mut p = small(&mut rng, true);
        for t in &mut p.tables {
            t.open.fill(true);
        }
        let v = p.clone().check().unwrap();
        let t = v
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap();
        check(&p, &t);
        assert!(
            t.proven && (t.worth - brute(&p).1).abs() < 1e-9,
            "{} {:?} {p:#?}",
            t.worth,
            brute(&p)
        );
    }
}

/// The anchors' cases: 300 × 200, 20 slots, 60 tables.
fn anchor(requests: usize, share: f64, seed: u64) -> TimetableProblem {
    let (left, right, n) = (300, 200, 20);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normal = |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let a: Vec<f64> = (0..left).map(|_| (0.4 * normal(&mut rng)).exp()).collect();
    let b: Vec<f64> = (0..right).map(|_| (0.6 * normal(&mut rng)).exp()).collect();
    let pick = |rng: &mut ChaCha8Rng, w: &[f64]| {
        let mut x = rng.random::<f64>() * w.iter().sum::<f64>();
        w.iter()
            .position(|y| {
                x -= y;
                x <= 0.0
            })
            .unwrap_or(0)
    };
    let mut pairs = std::collections::BTreeSet::new();
    while pairs.len() < requests {
        pairs.insert((pick(&mut rng, &a), pick(&mut rng, &b)));
    }
    let meetings = pairs
        .into_iter()
        .map(|(l, r)| {
            meeting(
                l,
                left + r,
                (rng.random_range(0.2..1.0_f64) * 1e3).round() / 1e3,
            )
        })
        .collect();
    let people = (0..left + right)
        .map(|i| {
            let mut open = vec![share >= 1.0; n];
            if share < 1.0 {
                let length =
                    ((n as f64 * rng.random_range(2.0 * share - 1.0..1.0)).round() as usize).max(2);
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
        slots: slots(n),
        people,
        tables: (0..60)
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

#[test]
fn the_anchors_cases_where_everybody_is_there_are_exact() {
    for requests in [1_200, 1_800] {
        let p = anchor(requests, 1.0, 1);
        let start = Instant::now();
        let v = p.clone().check().unwrap();
        let t = v
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap();
        println!(
            "{requests} requests: {} held, worth {:.3}, {:.2?}",
            t.held,
            t.worth,
            start.elapsed()
        );
        check(&p, &t);
        assert!(t.proven && t.worth >= t.worth_bound - 1e-6);
    }
}

/// The anchors' cases with windows: the best seen was 99.99 % and 99.72 % of the linear programme's
/// bound on one instance of each; instances differ by some hundredths.
#[test]
fn the_anchors_cases_with_windows_come_near_their_bound() {
    for (share, wanted) in [(0.8, 0.9985), (0.6, 0.9940)] {
        let p = anchor(1_500, share, 1);
        let v = p.clone().check().unwrap();
        let few = TimetableParams {
            rounds: 80,
            seed: 0,
        };
        let t = v.solve(&few, &Stop::never()).unwrap();
        check(&p, &t);
        let reached = t.worth / t.worth_bound;
        println!(
            "{:.0} % there: worth {:.3} of at most {:.3} ({:.3} %)",
            share * 100.0,
            t.worth,
            t.worth_bound,
            reached * 100.0
        );
        assert!(reached >= wanted, "{reached}");
    }
}

#[test]
fn a_stop_gives_the_best_so_far() {
    let p = anchor(1_500, 0.6, 1);
    let v = p.clone().check().unwrap();
    for ms in [0, 50, 300] {
        let start = Instant::now();
        let t = v
            .solve(
                &TimetableParams::default(),
                &Stop::after(Duration::from_millis(ms)),
            )
            .unwrap();
        let over = start.elapsed().saturating_sub(Duration::from_millis(ms));
        check(&p, &t);
        assert!(
            !t.finished && over < Duration::from_millis(400),
            "{ms} {over:?}"
        );
    }
}

#[test]
fn rows_in_another_order_and_the_same_seed() {
    let p = anchor(400, 1.0, 3);
    let mut q = p.clone();
    q.meetings.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
    let solve = |p: &TimetableProblem| {
        p.clone()
            .check()
            .unwrap()
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap()
    };
    assert!((solve(&p).worth - solve(&q).worth).abs() < 1e-9);
    let w = anchor(300, 0.7, 3);
    assert_eq!(solve(&w).places, solve(&w).places);
}

fn change(p: &mut TimetableProblem, rng: &mut ChaCha8Rng) {
    match rng.random_range(0..3) {
        0 => {
            let i = rng.random_range(0..p.people.len());
            p.people[i].open.fill(false);
        }
        1 => {
            let t = rng.random_range(0..p.tables.len());
            p.tables[t].open.fill(false);
        }
        _ => {
            let i = rng.random_range(0..p.people.len());
            let late = p.slots.len() / 2;
            p.people[i].open[..late].fill(false);
        }
    }
}

#[test]
fn a_change_moves_as_few_as_possible() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut cases, mut fewest, mut most_kept) = (0, 0, 0);
    for _ in 0..1_500 {
        let p = small(&mut rng, false);
        if p.meetings.iter().any(|m| m.locked.is_some()) {
            continue;
        }
        let Ok(v) = p.clone().check() else { continue };
        let before = v
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap();
        let mut q = p.clone();
        change(&mut q, &mut rng);
        let Ok(w) = q.clone().check() else { continue };
        let (after, moved) = w
            .replan(&before.places, &TimetableParams::default(), &Stop::never())
            .unwrap();
        check(&q, &after);
        for (m, x) in after.places.iter().enumerate() {
            let told = moved.iter().any(|y| y.meeting == m);
            let same = x.map(|x| x.slot) == before.places[m].map(|x| x.slot)
                && x.is_some() == before.places[m].is_some();
            assert_eq!(told, !same);
        }
        cases += 1;
        // Kept worth of what was held, and then the fewest slots changed, over all timetables.
        let held = |places: &[Option<Place>]| -> f64 {
            (0..q.meetings.len())
                .filter(|m| before.places[*m].is_some() && places[*m].is_some())
                .map(|m| q.meetings[m].worth + if q.meetings[m].must { 100.0 } else { 0.0 })
                .sum()
        };
        let changed = |places: &[Option<Place>]| {
            (0..q.meetings.len())
                .filter(|m| matches!((before.places[*m], places[*m]), (Some(a), Some(b)) if a.slot != b.slot))
                .count()
        };
        let best = nearest(
            &q,
            &before.places,
            0,
            &mut vec![None; q.meetings.len()],
            &held,
            &changed,
        );
        let got = (held(&after.places), changed(&after.places));
        most_kept += usize::from(got.0 >= best.0 - 1e-9);
        fewest += usize::from(got.0 > best.0 - 1e-9 && got.1 <= best.1);
    }
    println!(
        "{cases} changes: {most_kept} keep as much as can be kept, {fewest} of them with the fewest moves"
    );
    assert!(cases > 500 && most_kept * 100 >= cases * 96 && fewest * 100 >= cases * 95);
}

fn nearest(
    q: &TimetableProblem,
    before: &[Option<Place>],
    m: usize,
    places: &mut Vec<Option<Place>>,
    held: &dyn Fn(&[Option<Place>]) -> f64,
    changed: &dyn Fn(&[Option<Place>]) -> usize,
) -> (f64, usize) {
    if m == q.meetings.len() {
        return (held(places), changed(places));
    }
    let mut best = nearest(q, before, m + 1, places, held, changed);
    if before[m].is_none() {
        return best;
    }
    for slot in 0..q.slots.len() {
        for table in 0..q.tables.len() {
            if fits(q, m, Place { slot, table }, places) {
                places[m] = Some(Place { slot, table });
                let x = nearest(q, before, m + 1, places, held, changed);
                places[m] = None;
                if x.0 > best.0 + 1e-9 || (x.0 > best.0 - 1e-9 && x.1 < best.1) {
                    best = x;
                }
            }
        }
    }
    best
}

#[test]
fn a_cancelled_guest_or_a_lost_table_leaves_most_alone() {
    let p = anchor(1_200, 0.8, 4);
    let few = TimetableParams {
        rounds: 40,
        seed: 0,
    };
    let before = p
        .clone()
        .check()
        .unwrap()
        .solve(&few, &Stop::never())
        .unwrap();
    let replan = |q: &TimetableProblem| {
        let (after, moved) = q
            .clone()
            .check()
            .unwrap()
            .replan(&before.places, &few, &Stop::never())
            .unwrap();
        check(q, &after);
        moved
    };
    let mut q = p.clone();
    q.people[310].open.fill(false);
    let moved = replan(&q);
    let fallen = moved.iter().filter(|m| m.from.is_some()).count();
    let theirs = before
        .places
        .iter()
        .zip(&q.meetings)
        .filter(|(x, m)| x.is_some() && m.right == 310)
        .count();
    assert!(
        theirs > 0 && fallen == theirs,
        "only the guest's own meetings fall: {fallen} {theirs}"
    );

    let mut q = p.clone();
    q.tables[7].open[10..].fill(false);
    let moved = replan(&q);
    let gone = before
        .places
        .iter()
        .flatten()
        .filter(|x| x.table == 7 && x.slot >= 10)
        .count();
    println!("a table lost with {gone} meetings: {} moved", moved.len());
    assert!(moved.len() <= 3 * gone);
}

#[test]
fn the_linear_programme_of_highs_judges() {
    let python = std::env::var_os("QUEQIAO_TEST_PYTHON")
        .map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let has = Command::new(&python)
        .args(["-c", "import scipy"])
        .stderr(Stdio::null())
        .status();
    if !has.is_ok_and(|s| s.success()) {
        println!("SKIPPED: no python3 with scipy (set QUEQIAO_TEST_PYTHON)");
        return;
    }
    let script =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/timetable_judge.py");
    let dir = tempfile::tempdir().unwrap();
    for (share, wanted) in [(0.8, 0.9997), (0.6, 0.9972)] {
        let p = anchor(1_500, share, 1);
        let file = dir.path().join("timetable.json");
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
        let t = p
            .check()
            .unwrap()
            .solve(&TimetableParams::default(), &Stop::never())
            .unwrap();
        println!(
            "{:.0} % there: worth {:.3}, HiGHS says at most {judged:.3} ({:.3} %), our bound {:.3}",
            share * 100.0,
            t.worth,
            t.worth / judged * 100.0,
            t.worth_bound
        );
        assert!(
            t.worth_bound >= judged - 1e-4,
            "our bound is a bound, and the programme is the tightest"
        );
        assert!(t.worth <= judged + 1e-4 && t.worth / judged >= wanted);
    }
}

#[test]
fn standby_lists_name_who_is_free() {
    let p = anchor(1_800, 0.6, 6);
    let v = p.clone().check().unwrap();
    let t = v
        .solve(
            &TimetableParams {
                rounds: 20,
                seed: 0,
            },
            &Stop::never(),
        )
        .unwrap();
    let lists = v.standby(&t, 0.1);
    assert_eq!(lists.len(), 20);
    assert!(lists.iter().any(|s| !s.meetings.is_empty()));
    for s in &lists {
        assert!((s.expected - 0.19 * s.held as f64).abs() < 1e-9);
        assert!(s.held == 0 || s.enough as f64 >= s.expected.floor());
        for m in &s.meetings {
            assert!(t.places[*m].is_none());
            for i in p.meetings[*m].people() {
                assert!(p.people[i].open[s.slot]);
            }
        }
    }
    assert!(v.standby(&t, 0.0).iter().all(|s| s.enough == 0));
}

#[test]
fn musts_that_collide_are_told() {
    // One table, two slots, three musts; and a guest who is there in one slot only.
    let person = |id: &str, open: [bool; 2]| Person {
        id: id.into(),
        open: open.to_vec(),
        most: None,
    };
    let must = |l, r| Meeting {
        must: true,
        ..meeting(l, r, 1.0)
    };
    let p = TimetableProblem {
        slots: slots(2),
        people: vec![
            person("a", [true, true]),
            person("b", [true, true]),
            person("x", [true, false]),
            person("y", [true, true]),
        ],
        tables: vec![Table {
            id: "t".into(),
            site: 0,
            open: vec![true, true],
        }],
        travel: vec![vec![0]],
        meetings: vec![must(0, 2), must(1, 2), must(1, 3)],
    };
    let v: ValidTimetable = p.check().unwrap();
    let t = v
        .solve(&TimetableParams::default(), &Stop::never())
        .unwrap();
    assert_eq!(t.missed.len(), 1);
    let c = v.certificate(&Stop::never()).unwrap();
    let names: Vec<&str> = c.collision.iter().map(|c| c.constraint.as_str()).collect();
    assert!(c.minimal && names.contains(&"must"), "{c:#?}");
    assert!(!c.relaxations.is_empty());
}

#[test]
fn bad_problems_are_named() {
    let base = || TimetableProblem {
        slots: slots(2),
        people: ["a", "b"]
            .iter()
            .map(|i| Person {
                id: (*i).into(),
                open: vec![true; 2],
                most: None,
            })
            .collect(),
        tables: vec![Table {
            id: "t".into(),
            site: 0,
            open: vec![true; 2],
        }],
        travel: vec![vec![0]],
        meetings: vec![meeting(0, 1, 1.0)],
    };
    let check = |change: &dyn Fn(&mut TimetableProblem), words: &str| {
        let mut p = base();
        change(&mut p);
        let e = p.check().unwrap_err().to_string();
        assert!(e.contains(words), "{e}");
    };
    check(&|p| p.slots[1].begin = 5, "slot 1");
    check(&|p| p.people[0].open = vec![], "a: one entry per slot");
    check(&|p| p.meetings[0].right = 0, "a cannot meet themself");
    check(&|p| p.meetings[0].worth = 0.0, "above 0");
    check(&|p| p.meetings[0].right = 7, "not there");
    check(
        &|p| {
            p.meetings[0].locked = Some((1, None));
            p.people[1].open[1] = false;
        },
        "b is not there",
    );
    check(
        &|p| p.tables[0].site = 3,
        "t: one entry per slot and a site",
    );
}
