//! The statistics beside scipy's, and their promises by simulation.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use queqiao_eval::stats::{
    Looks, Power, benjamini_hochberg, bootstrap_mean, holm, paired_t, randomisation_test, sign_test,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// A normal deviate, by the sum of twelve uniform ones.
fn normal(rng: &mut impl Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

fn near(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let far = (ours - theirs).abs() / theirs.abs().max(1e-300);
    assert!(
        ours == theirs || far < tolerance || (ours - theirs).abs() < 1e-15,
        "{what}: ours {ours:?}, theirs {theirs:?}"
    );
}

#[test]
fn as_scipy_computes_them() {
    let Some(python) = support::python("scipy") else {
        return;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut differences: Vec<Vec<f64>> = Vec::new();
    for (n, shift) in [
        (2, 0.1),
        (5, 0.5),
        (9, 0.0),
        (12, 0.3),
        (30, 0.2),
        (151, 0.15),
        (1_000, 0.05),
    ] {
        differences.push((0..n).map(|_| normal(&mut rng) * 0.2 + shift).collect());
        // Values of a few levels, many of them equal.
        differences.push(
            (0..n)
                .map(|_| f64::from(rng.random_range(-3..=4)) / 10.0)
                .collect(),
        );
    }
    let p: Vec<f64> = (0..40).map(|_| rng.random::<f64>().powi(4)).collect();
    let power = [
        (2, 0.2, 0.05, 0.1),
        (10, 0.2, 0.05, 0.1),
        (151, 0.1, 0.05, 0.02),
        (151, 0.1, 0.01, 0.05),
        (1_000, 0.3, 0.05, 0.0),
        (1_000, 0.3, 0.05, 0.03),
        (19_000, 0.3, 0.05, 0.01),
        (30_000, 0.3, 0.05, 0.005),
    ];
    let signs = [(3, 9), (0, 7), (120, 150), (5_000, 5_200), (900, 100)];
    let work = json!({ "differences": differences, "p": p, "power": power, "sign": signs });
    let mut child = Command::new(python)
        .arg(support::root().join("tests/python/statistics.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(work.to_string().as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let theirs: Value = serde_json::from_slice(&out.stdout).unwrap();
    for (i, (a, b)) in signs.into_iter().enumerate() {
        let p = theirs["sign"][i].as_f64().unwrap();
        near(sign_test(a, b), p, 1e-9, "sign");
    }
    for (i, d) in differences.iter().enumerate() {
        let s = &theirs["differences"][i];
        let get = |k: &str| s[k].as_f64().unwrap();
        let ours = paired_t(d, 0.05);
        near(ours.t, get("t"), 1e-10, "t");
        near(ours.p, get("p"), 1e-9, "p");
        near(ours.interval.low, get("low"), 1e-8, "low");
        near(ours.interval.high, get("high"), 1e-8, "high");
        let r = randomisation_test(d, 100_000, 1);
        if let Some(p) = s["permutation"].as_f64() {
            assert!(r.exact);
            near(r.p, p, 1e-12, "exact randomisation");
        } else {
            // The two tests agree where there are many queries.
            assert!((r.p - ours.p).abs() < 0.02, "{} {}", r.p, ours.p);
        }
        let b = bootstrap_mean(d, 20_000, 0.05, 1);
        let (low, high) = (
            s["bootstrap"][0].as_f64().unwrap(),
            s["bootstrap"][1].as_f64().unwrap(),
        );
        let width = high - low;
        assert!(
            (b.low - low).abs() <= width * 0.05 + 1e-12,
            "{} {low}",
            b.low
        );
        assert!(
            (b.high - high).abs() <= width * 0.05 + 1e-12,
            "{} {high}",
            b.high
        );
    }
    for (name, ours) in [("holm", holm(&p)), ("bh", benjamini_hochberg(&p))] {
        for (i, x) in ours.iter().enumerate() {
            near(*x, theirs[name][i].as_f64().unwrap(), 1e-12, name);
        }
    }
    for (i, (n, sd, alpha, difference)) in power.iter().enumerate() {
        let (n, sd, alpha) = (*n, *sd, *alpha);
        let ours = Power { n, sd, alpha }.of(*difference);
        let tolerance = if n > 20_000 { 1e-3 } else { 1e-8 };
        near(
            ours,
            theirs["power"][i].as_f64().unwrap(),
            tolerance,
            "power",
        );
    }
}

#[test]
fn power_can_be_asked_from_each_side() {
    let p = Power {
        n: 151,
        sd: 0.1,
        alpha: 0.05,
    };
    let seen = p.detectable(0.9);
    assert!((p.of(seen) - 0.9).abs() < 1e-9);
    assert!(seen > 0.026 && seen < 0.027, "{seen}");
    assert_eq!(p.queries_for(seen * 1.000_001, 0.9), Some(151));
    assert!(Power { n: 1, ..p }.of(0.1).is_nan());
    assert!(Power { sd: 0.0, ..p }.detectable(0.9).is_nan());
    assert_eq!(p.queries_for(0.0, 0.9), None);
}

#[test]
fn nothing_and_everything() {
    let none = paired_t(&[0.0; 5], 0.05);
    assert_eq!((none.t, none.p, none.d), (0.0, 1.0, 0.0));
    let all = paired_t(&[0.1; 5], 0.05);
    assert_eq!((all.t, all.p), (f64::INFINITY, 0.0));
    assert!(paired_t(&[0.1], 0.05).p.is_nan());
    assert!(paired_t(&[], 0.05).p.is_nan());
    assert_eq!(randomisation_test(&[0.0; 5], 1_000, 1).p, 1.0);
    assert_eq!(randomisation_test(&[], 1_000, 1).p, 1.0);
    // Five differences of one sign: two of 32 assignments are as far.
    assert_eq!(randomisation_test(&[0.1; 5], 1_000, 1).p, 2.0 / 32.0);
    assert!(bootstrap_mean(&[], 100, 0.05, 1).low.is_nan());
    let one = bootstrap_mean(&[0.5], 100, 0.05, 1);
    assert_eq!((one.low, one.high), (0.5, 0.5));
    assert!(holm(&[f64::NAN, 0.5])[0].is_nan());
    assert_eq!(holm(&[f64::NAN, 0.5])[1], 0.5);
}

#[test]
fn equal_seeds_give_equal_results_on_any_number_of_cores() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let d: Vec<f64> = (0..200).map(|_| normal(&mut rng)).collect();
    let both = || {
        (
            randomisation_test(&d, 5_000, 3),
            bootstrap_mean(&d, 5_000, 0.05, 3),
        )
    };
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let three = rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap();
    assert_eq!(one.install(both), three.install(both));
    assert_ne!(
        bootstrap_mean(&d, 5_000, 0.05, 3),
        bootstrap_mean(&d, 5_000, 0.05, 4)
    );
}

/// How often a test that is there to be passed by chance rejects, over simulated experiments in
/// which nothing differs.
fn false_alarms(level: impl Fn(u32) -> f64) -> f64 {
    let (experiments, looks, per_look) = (2_000, 20_u32, 25);
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let mut alarms = 0;
    for _ in 0..experiments {
        let mut d: Vec<f64> = Vec::new();
        let mut rejected = false;
        for look in 1..=looks {
            d.extend((0..per_look).map(|_| normal(&mut rng)));
            rejected |= paired_t(&d, 0.05).p < level(look);
        }
        alarms += u32::from(rejected);
    }
    f64::from(alarms) / f64::from(experiments)
}

#[test]
fn twenty_looks_keep_their_level_together() {
    let planned = |now| Looks { planned: 20, now }.level(0.05);
    let kept = false_alarms(planned);
    assert!(kept <= 0.05, "{kept}");
    let sum: f64 = (1..=20).map(planned).sum();
    assert!((sum - 0.05).abs() < 1e-12, "{sum}");
    assert!((Looks { planned: 1, now: 1 }.level(0.05) - 0.05).abs() < 1e-12);
    // What is prevented: the same looks, each at .05.
    let peeking = false_alarms(|_| 0.05);
    assert!(peeking > 0.2, "{peeking}");
}
