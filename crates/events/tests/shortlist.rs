//! Shortlists against brute force, MIDL's figures, and their own promises.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_events::shortlist::{
    Objective, Pair, Party, ShortlistError, ShortlistParams, ShortlistProblem, Shortlists,
};
use queqiao_solve::Stop;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{path::PathBuf, time::Instant};

fn party(id: String, most: u32, least: u32, group: Option<usize>) -> Party {
    Party {
        id,
        most,
        least,
        group,
    }
}

fn params(objective: Objective) -> ShortlistParams {
    ShortlistParams {
        objective,
        ..ShortlistParams::default()
    }
}

/// A small instance with everything in it: groups, minima, wanted and barred pairs.
fn small(rng: &mut ChaCha8Rng) -> ShortlistProblem {
    let (n, m) = (rng.random_range(1..4), rng.random_range(1..5));
    let groups = |rng: &mut ChaCha8Rng| -> Vec<u32> {
        (0..rng.random_range(0..3))
            .map(|_| rng.random_range(0..4))
            .collect()
    };
    let (need_groups, expert_groups) = (groups(rng), groups(rng));
    let member = |rng: &mut ChaCha8Rng, g: &[u32]| {
        (!g.is_empty() && rng.random_bool(0.5)).then(|| rng.random_range(0..g.len()))
    };
    let needs = (0..n)
        .map(|i| {
            let most = rng.random_range(0..3);
            party(
                format!("n{i}"),
                most,
                rng.random_range(0..=most.min(1)),
                member(rng, &need_groups),
            )
        })
        .collect();
    let experts = (0..m)
        .map(|j| {
            let most = rng.random_range(0..3);
            let least = if rng.random_bool(0.2) { most.min(1) } else { 0 };
            party(format!("e{j}"), most, least, member(rng, &expert_groups))
        })
        .collect();
    let mut pairs = Vec::new();
    let mut barred = Vec::new();
    for need in 0..n {
        for expert in 0..m {
            if rng.random_bool(0.8) {
                // Few distinct values, so that ties are common.
                pairs.push(Pair {
                    need,
                    expert,
                    worth: f64::from(rng.random_range(0..6)) / 5.0,
                    back: f64::from(rng.random_range(0..6)) / 5.0,
                });
            }
            if rng.random_bool(0.1) {
                barred.push((need, expert));
            }
        }
    }
    let wanted = pairs
        .iter()
        .filter(|_| rng.random_bool(0.1))
        .map(|p| (p.need, p.expert))
        .collect();
    ShortlistProblem {
        needs,
        experts,
        need_groups,
        expert_groups,
        pairs,
        wanted,
        barred,
    }
}

/// Everything that is allowed, pair sets as bits.
fn allowed(p: &ShortlistProblem) -> Vec<u32> {
    (0..1_u32 << p.pairs.len())
        .filter(|bits| keeps_limits(p, &chosen(*bits)))
        .collect()
}

fn chosen(bits: u32) -> Vec<usize> {
    (0..32).filter(|c| bits >> c & 1 == 1).collect()
}

fn keeps_limits(p: &ShortlistProblem, chosen: &[usize]) -> bool {
    let mut n = vec![0; p.needs.len()];
    let mut e = vec![0; p.experts.len()];
    let mut gn = vec![0; p.need_groups.len()];
    let mut ge = vec![0; p.expert_groups.len()];
    for c in chosen {
        let q = &p.pairs[*c];
        if p.barred.contains(&(q.need, q.expert)) {
            return false;
        }
        n[q.need] += 1;
        e[q.expert] += 1;
        if let Some(g) = p.needs[q.need].group {
            gn[g] += 1;
        }
        if let Some(g) = p.experts[q.expert].group {
            ge[g] += 1;
        }
    }
    let all_wanted = p.wanted.iter().all(|w| {
        chosen
            .iter()
            .any(|c| (p.pairs[*c].need, p.pairs[*c].expert) == *w)
    });
    all_wanted
        && n.iter().zip(&p.needs).all(|(x, q)| *x <= q.most)
        && e.iter().zip(&p.experts).all(|(x, q)| *x <= q.most)
        && gn.iter().zip(&p.need_groups).all(|(x, q)| x <= q)
        && ge.iter().zip(&p.expert_groups).all(|(x, q)| x <= q)
}

fn sums(p: &ShortlistProblem, chosen: &[usize]) -> Vec<f64> {
    let mut s = vec![0.0; p.needs.len()];
    for c in chosen {
        s[p.pairs[*c].need] += p.pairs[*c].worth;
    }
    s
}

/// Units of minima kept: as the solvers count them, over needs and experts.
fn minima(p: &ShortlistProblem, chosen: &[usize]) -> u32 {
    let count = |f: &dyn Fn(&Pair) -> usize, k: usize| {
        chosen.iter().filter(|c| f(&p.pairs[**c]) == k).count() as u32
    };
    let needs: u32 = (0..p.needs.len())
        .map(|i| count(&|q| q.need, i).min(p.needs[i].least))
        .sum();
    let experts: u32 = (0..p.experts.len())
        .map(|j| count(&|q| q.expert, j).min(p.experts[j].least))
        .sum();
    needs + experts
}

fn total(p: &ShortlistProblem, chosen: &[usize]) -> f64 {
    chosen.iter().map(|c| p.pairs[*c].worth).sum()
}

fn exposure(p: &ShortlistProblem, chosen: &[usize], cost: f64) -> f64 {
    (0..p.experts.len())
        .map(|j| {
            let load = chosen.iter().filter(|c| p.pairs[**c].expert == j).count() as f64;
            cost * load * (load - 1.0).max(0.0) / 2.0
        })
        .sum()
}

/// What an objective puts first, second, third.
fn levels(p: &ShortlistProblem, chosen: &[usize], objective: Objective) -> (u32, usize, f64) {
    let fill = chosen.len();
    match objective {
        Objective::Total => (minima(p, chosen), 0, total(p, chosen)),
        Objective::CoverFirst => (minima(p, chosen), fill, total(p, chosen)),
        Objective::ExposureFair { cost } => (
            minima(p, chosen),
            fill,
            total(p, chosen) - exposure(p, chosen, cost),
        ),
        _ => unreachable!(),
    }
}

fn better(a: (u32, usize, f64), b: (u32, usize, f64)) -> bool {
    (a.0, a.1) > (b.0, b.1) || ((a.0, a.1) == (b.0, b.1) && a.2 > b.2 + 1e-9)
}

#[test]
fn flows_equal_brute_force_on_thousands_of_small_instances() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut solved, mut impossible) = (0, 0);
    while solved < 2_500 {
        let p = small(&mut rng);
        if p.pairs.len() > 11 {
            continue;
        }
        let all = allowed(&p);
        let checked = match p.clone().check() {
            Ok(v) => v,
            Err(ShortlistError::Impossible(c)) => {
                assert!(!c.collision.is_empty() && !c.relaxations.is_empty());
                assert!(all.is_empty(), "{p:#?}");
                impossible += 1;
                continue;
            }
            Err(e) => panic!("{e}"),
        };
        if all.is_empty() {
            // Wanted pairs fit every limit one by one, and not together with a bar.
            panic!("a problem that passes its checks has shortlists: {p:#?}");
        }
        solved += 1;
        for objective in [
            Objective::Total,
            Objective::CoverFirst,
            Objective::ExposureFair { cost: 0.25 },
        ] {
            let s = checked.solve(&params(objective), &Stop::never()).unwrap();
            assert!(keeps_limits(&p, &s.chosen), "{p:#?} {:?}", s.chosen);
            let got = levels(&p, &s.chosen, objective);
            for bits in &all {
                let other = levels(&p, &chosen(*bits), objective);
                assert!(
                    !better(other, got),
                    "{objective:?} {p:#?} {:?} {other:?} {got:?}",
                    s.chosen
                );
            }
            assert!(s.proven && s.bound >= s.value - 1e-9);
            assert!(s.total <= s.total_bound + 1e-9);
            let short = s.short.iter().map(|x| x.least - x.has).sum::<u32>();
            assert_eq!(s.certificate.is_some(), short > 0, "{p:#?} {:?}", s.short);
        }
    }
    assert!(impossible > 100, "{impossible}");
}

#[test]
fn relaxations_really_help() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut tried = 0;
    for _ in 0..4_000 {
        let p = small(&mut rng);
        let Ok(v) = p.clone().check() else { continue };
        let s = v
            .solve(&params(Objective::CoverFirst), &Stop::never())
            .unwrap();
        let Some(certificate) = &s.certificate else {
            continue;
        };
        let needs_short: u32 = s
            .short
            .iter()
            .filter(|x| x.id.starts_with('n'))
            .map(|x| x.least - x.has)
            .sum();
        if needs_short != 1 {
            continue;
        }
        for r in &certificate.relaxations {
            let mut q = p.clone();
            for c in &r.changes {
                match c.constraint.as_str() {
                    "capacity" => {
                        let parties = q.needs.iter_mut().map(|n| (n, false));
                        let parties = parties.chain(q.experts.iter_mut().map(|e| (e, true)));
                        for (x, expert) in parties.filter(|x| x.0.id == c.about[0]) {
                            x.most += c.by as u32;
                            if let (true, Some(g)) = (expert, x.group) {
                                q.expert_groups[g] += c.by as u32;
                            }
                        }
                    }
                    "least" => {
                        let mut left = c.by as u32;
                        for n in q.needs.iter_mut().chain(&mut q.experts) {
                            if c.about.contains(&n.id) {
                                let give = n.least.min(left);
                                n.least -= give;
                                left -= give;
                            }
                        }
                    }
                    "group" => {
                        if let Some(n) = q.needs.iter().find(|n| c.about.contains(&n.id)) {
                            q.need_groups[n.group.unwrap()] += c.by as u32;
                        } else {
                            let e = q.experts.iter().find(|e| c.about.contains(&e.id)).unwrap();
                            q.expert_groups[e.group.unwrap()] += c.by as u32;
                        }
                    }
                    "barred" => {
                        let i = q.needs.iter().position(|n| n.id == c.about[0]).unwrap();
                        let j = q.experts.iter().position(|e| e.id == c.about[1]).unwrap();
                        q.barred.retain(|b| *b != (i, j));
                    }
                    other => panic!("{other}"),
                }
            }
            let after = q
                .check()
                .unwrap()
                .solve(&params(Objective::CoverFirst), &Stop::never())
                .unwrap();
            let still: u32 = after
                .short
                .iter()
                .filter(|x| x.id.starts_with('n'))
                .map(|x| x.least - x.has)
                .sum();
            tried += 1;
            assert_eq!(still, 0, "{r:?} {p:#?}");
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn max_min_and_nash_stand_between_brute_force_and_their_bounds() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut solved, mut worst_equal, mut nash_equal, mut nash_proven) = (0, 0, 0, 0);
    while solved < 1_000 {
        let mut p = small(&mut rng);
        if p.pairs.len() > 11 || p.pairs.is_empty() {
            continue;
        }
        for q in p.needs.iter_mut().chain(&mut p.experts) {
            q.least = 0;
        }
        let Ok(v) = p.clone().check() else { continue };
        // Both are sought among the lists that fill as many places as can be.
        let mut all = allowed(&p);
        let most = all.iter().map(|b| b.count_ones()).max().unwrap();
        all.retain(|b| b.count_ones() == most);
        solved += 1;
        let candidates: Vec<usize> = (0..p.needs.len())
            .filter(|i| {
                p.pairs.iter().any(|q| {
                    q.need == *i
                        && (p.wanted.contains(&(q.need, q.expert))
                            || (!p.barred.contains(&(q.need, q.expert))
                                && p.needs[q.need].most > 0
                                && p.experts[q.expert].most > 0))
                })
            })
            .collect();
        let worst = |c: &[usize]| {
            let s = sums(&p, c);
            let w = candidates
                .iter()
                .map(|i| s[*i])
                .fold(f64::INFINITY, f64::min);
            if w.is_finite() { w } else { 0.0 }
        };
        let best = all
            .iter()
            .map(|b| worst(&chosen(*b)))
            .fold(f64::NEG_INFINITY, f64::max);
        let s = v.solve(&params(Objective::MaxMin), &Stop::never()).unwrap();
        assert!(keeps_limits(&p, &s.chosen));
        assert!(s.worst <= best + 1e-9 && s.worst_bound.unwrap() >= best - 1e-9);
        assert!((worst(&s.chosen) - s.worst).abs() < 1e-9);
        worst_equal += usize::from(s.worst >= best - 1e-9);

        let offset = p
            .pairs
            .iter()
            .map(|q| (q.worth + q.back) / 2.0)
            .sum::<f64>()
            / p.pairs.len() as f64;
        let welfare = |c: &[usize]| {
            let mut back = vec![0.0; p.experts.len()];
            for c in c {
                back[p.pairs[*c].expert] += p.pairs[*c].back;
            }
            sums(&p, c)
                .iter()
                .chain(&back)
                .map(|s| (offset.max(1e-6) + s).ln())
                .sum::<f64>()
        };
        let best = all
            .iter()
            .map(|b| welfare(&chosen(*b)))
            .fold(f64::NEG_INFINITY, f64::max);
        let s = v.solve(&params(Objective::Nash), &Stop::never()).unwrap();
        assert!(keeps_limits(&p, &s.chosen));
        assert!((welfare(&s.chosen) - s.value).abs() < 1e-9);
        assert!(
            s.value <= best + 1e-9 && s.bound >= best - 1e-6,
            "{} {best} {}",
            s.value,
            s.bound
        );
        nash_equal += usize::from(s.value >= best - 1e-9);
        nash_proven += usize::from(s.proven);
    }
    println!(
        "max-min optimal on {worst_equal}, Nash on {nash_equal} (proven {nash_proven}) of {solved}"
    );
    assert!(worst_equal >= 990 && nash_equal >= 950);
}

#[test]
fn stable_lists_have_no_blocking_pair() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..2_000 {
        let mut p = small(&mut rng);
        p.need_groups = vec![];
        for n in &mut p.needs {
            n.group = None;
        }
        let Ok(v) = p.clone().check() else { continue };
        let s = v.solve(&params(Objective::Stable), &Stop::never()).unwrap();
        assert!(keeps_limits(&p, &s.chosen));
        for (c, q) in p.pairs.iter().enumerate() {
            let free = !s.chosen.contains(&c)
                && !p.barred.contains(&(q.need, q.expert))
                && !p.wanted.contains(&(q.need, q.expert));
            if free {
                assert!(!blocks(&p, &s, c), "{p:#?} {:?} {c}", s.chosen);
            }
        }
    }
}

/// Both would rather have the pair: each has room, or drops someone it likes less (wanted pairs
/// cannot be dropped).
fn blocks(p: &ShortlistProblem, s: &Shortlists, c: usize) -> bool {
    let q = &p.pairs[c];
    let mine = |f: &dyn Fn(&Pair) -> bool| -> Vec<&Pair> {
        s.chosen
            .iter()
            .map(|c| &p.pairs[*c])
            .filter(|x| f(x))
            .collect()
    };
    let droppable = |x: &&&Pair| !p.wanted.contains(&(x.need, x.expert));
    let list = mine(&|x| x.need == q.need);
    let need_wants = if (list.len() as u32) < p.needs[q.need].most {
        true
    } else {
        list.iter().filter(droppable).any(|x| x.worth < q.worth)
    };
    let held = mine(&|x| x.expert == q.expert);
    let full = held.len() as u32 >= p.experts[q.expert].most;
    let worse_here = held.iter().filter(droppable).any(|x| x.back < q.back);
    let expert_wants = match p.experts[q.expert].group {
        None => !full || worse_here,
        Some(g) => {
            let person = mine(&|x| p.experts[x.expert].group == Some(g));
            let crowded = person.len() as u32 >= p.expert_groups[g];
            let worse = person.iter().filter(droppable).any(|x| x.back < q.back);
            if full { worse_here } else { !crowded || worse }
        }
    };
    need_wants && expert_wants
}

#[test]
fn rows_in_another_order_give_the_same_value_and_the_same_seed_the_same_lists() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for _ in 0..300 {
        let p = small(&mut rng);
        let Ok(v) = p.clone().check() else { continue };
        let mut q = p.clone();
        q.pairs.shuffle(&mut rng);
        let w = q.check().unwrap();
        for objective in [
            Objective::Total,
            Objective::CoverFirst,
            Objective::ExposureFair { cost: 0.1 },
        ] {
            let a = v.solve(&params(objective), &Stop::never()).unwrap();
            let b = w.solve(&params(objective), &Stop::never()).unwrap();
            assert!((a.value - b.value).abs() < 1e-9);
        }
        for objective in [Objective::MaxMin, Objective::Nash, Objective::Stable] {
            let a = v.solve(&params(objective), &Stop::never()).unwrap();
            let b = v.solve(&params(objective), &Stop::never()).unwrap();
            assert_eq!(a.chosen, b.chosen);
        }
    }
}

#[test]
fn explanations_cost_what_solving_anew_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let (mut asked, mut met) = (0, 0);
    for _ in 0..1_500 {
        let mut p = small(&mut rng);
        for q in p.needs.iter_mut().chain(&mut p.experts) {
            q.least = 0;
        }
        let Ok(v) = p.clone().check() else { continue };
        let s = v.solve(&params(Objective::Total), &Stop::never()).unwrap();
        for (c, q) in p.pairs.iter().enumerate() {
            let mut forced = p.clone();
            let held = p.wanted.contains(&(q.need, q.expert));
            if s.chosen.contains(&c) {
                let why = v.why(&s, q.need, q.expert).unwrap();
                if let Some(loss) = why.loss {
                    met += 1;
                    forced.barred.push((q.need, q.expert));
                    let without = forced
                        .check()
                        .unwrap()
                        .solve(&params(Objective::Total), &Stop::never())
                        .unwrap();
                    assert!((s.total - without.total - loss).abs() < 1e-6);
                } else {
                    assert!(held);
                }
                continue;
            }
            let why = v.why_not(&s, q.need, q.expert);
            if let Some(cost) = why.cost {
                asked += 1;
                forced.wanted.push((q.need, q.expert));
                let with = forced
                    .check()
                    .unwrap()
                    .solve(&params(Objective::Total), &Stop::never())
                    .unwrap();
                assert!(
                    (s.total - with.total - cost).abs() < 1e-6,
                    "{cost} {} {}",
                    s.total,
                    with.total
                );
                assert!(why.exchanges[0].meets);
            }
        }
    }
    assert!(asked > 200 && met > 300, "{asked} {met}");
}

#[test]
fn bad_problems_are_named() {
    let base = || ShortlistProblem {
        needs: vec![party("n".into(), 1, 0, None)],
        experts: vec![party("e".into(), 1, 0, None)],
        pairs: vec![Pair {
            need: 0,
            expert: 0,
            worth: 1.0,
            back: 1.0,
        }],
        ..ShortlistProblem::default()
    };
    let check = |change: &dyn Fn(&mut ShortlistProblem), words: &str| {
        let mut p = base();
        change(&mut p);
        let e = p.check().unwrap_err().to_string();
        assert!(e.contains(words), "{e}");
    };
    check(&|p| p.pairs[0].expert = 9, "not there");
    check(&|p| p.pairs[0].worth = f64::NAN, "finite number");
    check(&|p| p.pairs.push(p.pairs[0]), "two pairs");
    check(
        &|p| p.needs[0].least = 2,
        "at least 2 meetings and at most 1",
    );
    check(&|p| p.needs[0].group = Some(0), "group that is not there");
    check(&|p| p.wanted.push((0, 1)), "no possible pair");
    check(
        &|p| {
            p.wanted.push((0, 0));
            p.barred.push((0, 0));
        },
        "wanted together and must not meet",
    );
    check(
        &|p| {
            p.wanted.push((0, 0));
            p.experts[0].most = 0;
        },
        "raise the limit of e by 1",
    );
}

fn npy(path: PathBuf) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap();
    let head = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = String::from_utf8_lossy(&bytes[10..10 + head]).into_owned();
    // Column by column in this file: [papers × reviewers] as it lies.
    let body = &bytes[10 + head..];
    let eight =
        |f: &dyn Fn([u8; 8]) -> f64| body.chunks(8).map(|c| f(c.try_into().unwrap())).collect();
    if header.contains("<f8") {
        eight(&f64::from_le_bytes)
    } else {
        assert!(header.contains("<i8"), "{header}");
        eight(&|b| i64::from_le_bytes(b) as f64)
    }
}

#[test]
fn midl_at_least_the_anchors() {
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
    let folder = shared.join("data/assignment/midl");
    if !folder.is_dir() {
        println!(
            "SKIPPED: no MIDL affinities at {} (set QUEQIAO_SHARED)",
            folder.display()
        );
        return;
    }
    let read = |f: &str| npy(folder.join(f));
    let (scores, papers, most, least) = (
        read("scores.npy"),
        read("covs.npy"),
        read("loads.npy"),
        read("loads-lb.npy"),
    );
    // (use minima, total and worst paper to reach, seconds)
    for (minima, wanted_total, wanted_worst) in [(false, 201.76, 0.9448), (true, 138.5, 0.903)] {
        let p = ShortlistProblem {
            needs: papers
                .iter()
                .enumerate()
                .map(|(i, c)| party(format!("p{i}"), *c as u32, 0, None))
                .collect(),
            experts: most
                .iter()
                .zip(&least)
                .enumerate()
                .map(|(j, (m, l))| {
                    party(
                        format!("r{j}"),
                        *m as u32,
                        if minima { *l as u32 } else { 0 },
                        None,
                    )
                })
                .collect(),
            pairs: (0..papers.len())
                .flat_map(|i| (0..most.len()).map(move |j| (i, j)))
                .map(|(need, expert)| {
                    let worth = scores[need * most.len() + expert];
                    Pair {
                        need,
                        expert,
                        worth,
                        back: worth,
                    }
                })
                .collect(),
            ..ShortlistProblem::default()
        };
        let start = Instant::now();
        let v = p.check().unwrap();
        let s = v.solve(&params(Objective::MaxMin), &Stop::never()).unwrap();
        let took = start.elapsed();
        println!(
            "MIDL, minima {minima}: total {:.4} of at most {:.4}, worst {:.4} of at most {:.4}, short {}, in {took:.2?}",
            s.total,
            s.total_bound,
            s.worst,
            s.worst_bound.unwrap(),
            s.short.len()
        );
        assert!(s.short.is_empty());
        assert!(s.total >= wanted_total - 0.005 && s.worst >= wanted_worst - 5e-5);
    }
}
