//! Measures that no other tool computes, by hand; and compatibility by its authors' program.
#![allow(clippy::unwrap_used)]

mod support;

use queqiao_eval::{Options, Precision, Qrels, Run, evaluate, evaluate_file, parse_list};

type Rows<'a> = &'a [(&'a str, &'a str, f64)];

/// One figure, from (query, document, grade) and (query, document, score).
fn check(measure: &str, judged: Rows<'_>, answers: Rows<'_>, expected: f64) {
    let qrels = Qrels::from_triples(judged.iter().copied()).unwrap();
    let run = Run::from_triples("r", answers.iter().copied(), Precision::Double).unwrap();
    let m = parse_list(measure).unwrap();
    let got = evaluate(&qrels, &run, &m, Options::default())
        .unwrap()
        .means[0];
    assert!(
        (got - expected).abs() < 1e-12,
        "{measure}: {got}, not {expected}"
    );
}

const JUDGED: Rows<'_> = &[
    ("r1", "a", 5.0),
    ("r1", "b", 3.0),
    ("r1", "c", 2.5),
    ("r2", "a", 1.0),
    ("r2", "b", 4.0),
];

#[test]
fn weighted_kendall_loss() {
    // r1: a>b costs 2, a>c 2.5, b>c .5; r2: b>a 3. All pairs together weigh 8.
    let right = &[
        ("r1", "a", 3.0),
        ("r1", "b", 2.0),
        ("r1", "c", 1.0),
        ("r2", "b", 1.0),
        ("r2", "a", 0.0),
    ];
    check("KendallLoss", JUDGED, right, 0.0);
    let one_wrong = &[
        ("r1", "a", 3.0),
        ("r1", "c", 2.0),
        ("r1", "b", 1.0),
        ("r2", "b", 1.0),
        ("r2", "a", 0.0),
    ];
    check("KendallLoss", JUDGED, one_wrong, 0.5 / 8.0);
    let tied = &[
        ("r1", "a", 3.0),
        ("r1", "b", 1.0),
        ("r1", "c", 1.0),
        ("r2", "b", 1.0),
        ("r2", "a", 1.0),
    ];
    check("KendallLoss", JUDGED, tied, (0.25 + 1.5) / 8.0);
    // What was not given stands below, beside the rest of what was not given.
    check(
        "KendallLoss",
        JUDGED,
        &[("r1", "c", 1.0)],
        (2.5 + 0.5 + 1.0 + 1.5) / 8.0,
    );
}

#[test]
fn preference_triplets() {
    let answers = &[
        ("r1", "a", 3.0),
        ("r1", "c", 2.0),
        ("r1", "b", 1.0),
        ("r2", "b", 1.0),
        ("r2", "a", 1.0),
    ];
    check("Triplets", JUDGED, answers, 2.5 / 4.0);
    check("Triplets(gap=2)", JUDGED, answers, 2.5 / 3.0);
    check("Triplets(min_rel=2)", JUDGED, answers, 2.0 / 3.0);
    // No pair is that far apart: there is no figure.
    let qrels = Qrels::from_triples(JUDGED.iter().copied()).unwrap();
    let run = Run::from_triples("r", answers.iter().copied(), Precision::Double).unwrap();
    let m = parse_list("Triplets(gap=9)").unwrap();
    let e = evaluate(&qrels, &run, &m, Options::default()).unwrap();
    assert!(e.means[0].is_nan());
}

#[test]
fn inverse_of_the_error_over_all_pairs() {
    let answers = &[
        ("r1", "a", 4.0),
        ("r1", "b", 3.0),
        ("r1", "c", 3.5),
        ("r2", "a", 1.0),
        ("r2", "b", 1.0),
    ];
    check("InvMAE", JUDGED, answers, 1.0 / (1.0 + 5.0 / 5.0));
    check(
        "InvMAE",
        JUDGED,
        &[("r1", "a", 5.0)],
        1.0 / (1.0 + 10.5 / 5.0),
    );
}

#[test]
fn graded_rank_biased_precision() {
    let judged = &[("q", "a", 4.0), ("q", "b", 2.0), ("p", "a", 1.0)];
    let answers = &[("q", "b", 2.0), ("q", "a", 1.0), ("p", "a", 1.0)];
    let q = 0.5 * (0.5 + 0.5);
    check("RBP(p=0.5)", judged, answers, (q + 0.5 * 0.25) / 2.0);
    check("RBP(p=0.5)@1", judged, answers, (0.25 + 0.125) / 2.0);
    check(
        "RBP(p=0.5,max_rel=2)@1",
        judged,
        answers,
        (0.5 + 0.25) / 2.0,
    );
    // trec_eval's scales by query.
    check("rbp", judged, answers, (0.1 * (0.5 + 0.9) + 0.1) / 2.0);
}

#[test]
fn compatibility_by_its_authors() {
    let Some(dir) = support::shared("data/trec_eval/ir_measures") else {
        return;
    };
    let qrels = Qrels::read(&dir.join("compat.qrels")).unwrap();
    let m = parse_list("Compat(p=0.95),Compat(p=0.9),Compat(p=0.8)").unwrap();
    let e = evaluate_file(&qrels, &dir.join("compat.run"), &m, Options::default()).unwrap();
    let expected = [
        [0.51779512165509, 0.3761334522946854, 0.16723008845234535],
        [
            0.018400100569017922,
            0.004344079941789211,
            0.00022806427320561776,
        ],
    ];
    for (q, row) in expected.iter().enumerate() {
        for (ours, theirs) in e.row(q).iter().zip(row) {
            assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
        }
    }
}
