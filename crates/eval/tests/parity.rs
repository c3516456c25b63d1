//! Generated cases, as pytrec_eval and ir_measures see them: ties, scores that differ beyond single
//! precision, infinities, missing and extra queries, negative grades, several subtopics.
//!
//! Measures that trec_eval computes agree to the last bit. Where an oracle follows another
//! convention, the case is put so that the conventions agree, and docs/evaluation.md says how they
//! differ.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use queqiao_eval::{Evaluation, Evaluator, Measure, Options, Precision, Qrels, Run};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
};

const PLAIN: usize = 1_000;
const DIVERSE: usize = 200;
const SLOW: usize = 120;

/// trec_eval's measures as pytrec_eval names them; equal to the last bit.
const TREC: &[&str] = &[
    "map",
    "gm_map",
    "Rprec",
    "bpref",
    "recip_rank",
    "infAP",
    "gm_bpref",
    "utility",
    "binG",
    "G",
    "ndcg",
    "ndcg_rel",
    "Rndcg",
    "set_P",
    "set_relative_P",
    "set_recall",
    "set_map",
    "set_F",
    "num_ret",
    "num_rel",
    "num_rel_ret",
    "num_q",
    "num_nonrel_judged_ret",
    "P_5",
    "P_10",
    "P_1000",
    "recall_5",
    "recall_100",
    "ndcg_cut_5",
    "ndcg_cut_10",
    "ndcg_cut_1000",
    "map_cut_5",
    "map_cut_10",
    "relative_P_5",
    "success_1",
    "success_5",
    "Rprec_mult_0.20",
    "Rprec_mult_1.00",
    "Rprec_mult_2.00",
    "iprec_at_recall_0.00",
    "iprec_at_recall_0.30",
    "iprec_at_recall_0.50",
    "iprec_at_recall_1.00",
];
/// The same from grade 2.
const TREC_LEVEL: &[&str] = &[
    "map",
    "Rprec",
    "bpref",
    "recip_rank",
    "infAP",
    "P_5",
    "recall_10",
    "success_5",
    "set_P",
    "set_F",
    "map_cut_5",
];
/// Through ir_measures, in any order of ties.
const IR: &[&str] = &[
    "nDCG@10",
    "nDCG",
    "AP",
    "AP(rel=2)",
    "AP@5",
    "P@5",
    "P(rel=2)@3",
    "R@10",
    "RR",
    "Rprec",
    "Bpref",
    "infAP",
    "Success@5",
    "SetP",
    "SetRelP",
    "SetR",
    "SetF",
    "SetF(beta=2.0)",
    "SetAP",
    "NumQ",
    "NumRel",
    "NumRet",
    "NumRelRet",
    "nDCG(gains={1:1,2:3,3:7,4:15})@10",
    "AP(judged_only=True)",
    "P(judged_only=True)@5",
    "nDCG(judged_only=True)@10",
    "RR(judged_only=True)",
    "Rprec(judged_only=True)",
    "SetF(judged_only=True)",
];
/// Through ir_measures, whose oracles break ties otherwise: without ties.
const IR_STRICT: &[&str] = &[
    "RR@3",
    "RR(rel=2)@5",
    "Judged@5",
    "Judged",
    "Compat",
    "Compat(p=0.8)",
    "Compat(p=0.9,normalize=False)",
    "Accuracy",
    "Accuracy(rel=2)@7",
];
/// The same, slow ones: over fewer cases.
const CWL: &[&str] = &[
    "RBP(rel=1)",
    "RBP(rel=2,p=0.5)",
    "BPM(max_rel=4)@10",
    "BPM(max_rel=4,T=2.0)@5",
    "SDCG(max_rel=4)@10",
    "INST(max_rel=4)",
    "INST(max_rel=4,T=2.0)",
    "INSQ(max_rel=4)",
    "INSQ(max_rel=4,T=3.0)",
    "NERR8(max_rel=4)@10",
    "NERR9(max_rel=4)@10",
    "NERR10(max_rel=4)",
    "NERR10(max_rel=4,p=0.5)",
    "NERR11(max_rel=4)",
    "NERR8(max_rel=4,min_rel=1)@5",
];
/// To five decimals, as gdeval prints.
const GDEVAL: &[&str] = &[
    "nDCG(dcg='exp-log2')@10",
    "nDCG(dcg='exp-log2')@3",
    "ERR@10",
    "ERR@20",
];
/// Subtopics, without ties.
const DIVERSITY: &[&str] = &[
    "alpha_nDCG@5",
    "alpha_nDCG@20",
    "alpha_nDCG(alpha=0.7)@10",
    "alpha_DCG@5",
    "alpha_DCG@20",
    "ERR_IA@5",
    "ERR_IA@20",
    "nERR_IA@5",
    "nERR_IA@10",
    "NRBP",
    "NRBP(alpha=0.3,beta=0.8)",
    "nNRBP",
    "AP_IA",
    "P_IA@5",
    "P_IA@20",
    "StRecall@5",
    "StRecall@10",
    "alpha_nDCG(rel=2)@10",
    "AP_IA(rel=2)",
];

#[derive(Debug, Default)]
struct Case {
    qrels: Vec<(String, String, String, f64)>,
    run: Vec<(String, String, String)>,
}

impl Case {
    /// Up to six queries of up to forty documents out of sixty.
    fn make(rng: &mut impl Rng, subtopics: bool) -> Case {
        let mut case = Case::default();
        // Ids whose order by byte, by number and by character differ.
        let document = |i: u32| match i % 5 {
            0 => format!("专{i}"),
            1 => format!("d{i}"),
            2 => format!("D-{i}"),
            3 => format!("{i}"),
            _ => format!("é{i}"),
        };
        let queries = rng.random_range(1..=6_u32);
        let bounds = rng.random_range(3..=60_u32);
        for q in 0..queries {
            let answered = rng.random_bool(0.85) || q == 0;
            let judged = rng.random_bool(0.85) || q == 0;
            if judged {
                let topics = if subtopics {
                    rng.random_range(1..=4)
                } else {
                    1
                };
                let mut any = false;
                let dense = rng.random_range(0.05..0.9);
                for d in 0..bounds {
                    for t in 0..topics {
                        if !rng.random_bool(dense) {
                            continue;
                        }
                        let grade = if subtopics {
                            rng.random_range(0..3)
                        } else {
                            [-2, -1, 0, 0, 0, 1, 1, 2, 3, 4][rng.random_range(0..10)]
                        };
                        case.qrels
                            .push((q.to_string(), t.to_string(), document(d), grade.into()));
                        any = true;
                    }
                }
                // Where no grade is 0 or more, trec_eval reads memory that is not its own.
                let own = case.qrels.iter_mut().filter(|r| r.0 == q.to_string());
                let mut own: Vec<_> = own.collect();
                if own.iter().all(|r| r.3 < 0.0)
                    && let Some(first) = own.first_mut()
                {
                    first.3 = 0.0;
                }
                if !any {
                    case.qrels
                        .push((q.to_string(), "0".into(), document(0), 1.0));
                }
            }
            if answered {
                let levels = rng.random_range(1..=30);
                let dense = rng.random_range(0.1..1.0);
                let mut any = false;
                for d in 0..bounds {
                    if !rng.random_bool(dense) {
                        continue;
                    }
                    any = true;
                    let s = f64::from(rng.random_range(-levels..=levels)) / 4.0;
                    let score = match rng.random_range(0..40) {
                        0 => "inf".into(),
                        1 => "-inf".into(),
                        2 => "-0.0".into(),
                        // Beyond single precision.
                        3 => format!("{}", s * (1.0 + 1e-9)),
                        4 => format!("{s:e}"),
                        _ => s.to_string(),
                    };
                    case.run.push((q.to_string(), document(d), score));
                }
                if !any {
                    case.run.push((q.to_string(), document(0), "1".into()));
                }
            }
        }
        case
    }

    fn json(&self) -> Value {
        let grades = self.qrels.iter().map(|(q, t, d, g)| (q, t, d, *g as i64));
        json!({ "qrels": grades.collect::<Vec<_>>(), "run": self.run })
    }

    fn evaluate(&self, names: &[&str], precision: Precision) -> Evaluation {
        let qrels = Qrels::from_quadruples(
            self.qrels
                .iter()
                .map(|(q, t, d, g)| (q.as_str(), t.as_str(), d.as_str(), *g)),
        )
        .unwrap();
        let rows = self
            .run
            .iter()
            .map(|(q, d, s)| (q.as_str(), d.as_str(), s.parse::<f64>().unwrap()));
        let run = Run::from_triples("r", rows, precision).unwrap();
        let measures: Vec<Measure> = names.iter().map(|n| n.parse().unwrap()).collect();
        Evaluator::new(&qrels, &measures, Options::default())
            .unwrap()
            .run(&run)
            .unwrap()
    }

    fn relevant(&self, query: &str, least: f64) -> usize {
        let mut found: Vec<&str> = self
            .qrels
            .iter()
            .filter(|r| r.0 == query && r.3 >= least)
            .map(|r| r.2.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found.len()
    }
}

/// How near values must be.
#[derive(Clone, Copy)]
enum Near {
    Bits,
    /// Sums in another order.
    Rounding,
    FiveDecimals,
}

struct Tally {
    compared: usize,
    wrong: BTreeMap<String, (usize, String)>,
}

impl Tally {
    fn compare(&mut self, what: &str, at: &str, near: Near, ours: f64, theirs: f64) {
        self.compared += 1;
        let same = match near {
            Near::Bits => ours == theirs,
            Near::Rounding => (ours - theirs).abs() <= 1e-12 * (1.0 + theirs.abs()),
            Near::FiveDecimals => (ours - theirs).abs() <= 5.001e-6,
        };
        if !same {
            let slot = self.wrong.entry(what.to_owned()).or_default();
            slot.0 += 1;
            if slot.1.is_empty() {
                slot.1 = format!("{at}: ours {ours:?}, theirs {theirs:?}");
            }
        }
    }

    /// All values an oracle gave by query.
    fn all(
        &mut self,
        (oracle, theirs, near): (&str, &Value, Near),
        case: usize,
        e: &Evaluation,
        names: &[&str],
        same: impl Fn(&str, &str) -> bool,
    ) {
        for (q, query) in e.queries.iter().enumerate() {
            let values = &theirs[(case * 100 + query.parse::<usize>().unwrap()).to_string()];
            for (m, name) in names.iter().enumerate() {
                let Some(v) = values.get(*name).and_then(Value::as_f64) else {
                    continue;
                };
                if same(query, name) {
                    let at = format!("case {case}, query {query}");
                    self.compare(&format!("{oracle} {name}"), &at, near, e.row(q)[m], v);
                }
            }
        }
    }
}

#[test]
fn a_thousand_generated_cases() {
    let Some(python) = support::python("pytrec_eval, ir_measures, cwl, pyndeval") else {
        return;
    };
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let plain: Vec<Case> = (0..PLAIN).map(|_| Case::make(&mut rng, false)).collect();
    let diverse: Vec<Case> = (0..DIVERSE).map(|_| Case::make(&mut rng, true)).collect();
    let families: BTreeSet<String> = TREC.iter().map(|n| trec_family(n)).collect();
    let work = json!({
        "plain": plain.iter().map(Case::json).collect::<Vec<_>>(),
        "diverse": diverse.iter().map(Case::json).collect::<Vec<_>>(),
        "slow": SLOW,
        "names": {
            "trec": families,
            "trec_level": TREC_LEVEL.iter().map(|n| trec_family(n)).collect::<BTreeSet<_>>(),
            "ir": IR, "ir_strict": IR_STRICT, "cwl": CWL, "gdeval": GDEVAL, "diverse": DIVERSITY,
        },
    });
    let mut child = Command::new(python)
        .arg(support::root().join("tests/python/parity.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sender = std::thread::spawn(move || stdin.write_all(work.to_string().as_bytes()));
    let out = child.wait_with_output().unwrap();
    sender.join().unwrap().unwrap();
    assert!(out.status.success(), "{}", out.status);
    let theirs: Value = serde_json::from_slice(&out.stdout).unwrap();
    let unavailable = theirs["unavailable"].as_object().unwrap();
    for (measure, why) in unavailable {
        println!("SKIPPED {measure}: the oracle is not to be had here ({why})");
    }

    let mut tally = Tally {
        compared: 0,
        wrong: BTreeMap::new(),
    };
    for (i, case) in plain.iter().enumerate() {
        // trec_eval 9 rounds the rank of a recall up from a tenth, 10 from a half.
        let rounds_alike = |query: &str, name: &str| {
            let Some(recall) = name.strip_prefix("iprec_at_recall_") else {
                return true;
            };
            let x = recall.parse::<f64>().unwrap() * case.relevant(query, 1.0) as f64;
            (x + 0.9).floor() == x.round()
        };
        let e = case.evaluate(TREC, Precision::Single);
        tally.all(
            ("trec_eval", &theirs["trec"], Near::Bits),
            i,
            &e,
            TREC,
            rounds_alike,
        );
        let with_level: Vec<String> = TREC_LEVEL.iter().map(|n| at_level(n)).collect();
        let names: Vec<&str> = with_level.iter().map(String::as_str).collect();
        let e = case.evaluate(&names, Precision::Single);
        let level = ("level 2", &theirs["trec_level_2"], Near::Bits);
        tally.all(level, i, &e, TREC_LEVEL, |_, _| true);
        let e = case.evaluate(IR, Precision::Single);
        // ir_measures counts neither queries nor relevant documents where nothing is answered.
        let counts = |name: &str| ["NumQ", "NumRel"].contains(&name);
        let counted =
            |query: &str, name: &str| !counts(name) || e.unanswered.iter().all(|q| q != query);
        tally.all(
            ("ir_measures", &theirs["ir"], Near::Bits),
            i,
            &e,
            IR,
            counted,
        );
        for (m, name) in IR.iter().enumerate() {
            if counts(name) && !e.unanswered.is_empty() {
                continue;
            }
            if let Some(v) = theirs["means"][i][name].as_f64() {
                let what = format!("mean by ir_measures {name}");
                tally.compare(&what, &format!("case {i}"), Near::Rounding, e.means[m], v);
            }
        }
        for (part, names, near) in [
            ("ir_strict", IR_STRICT, Near::Rounding),
            ("cwl", CWL, Near::Rounding),
            ("gdeval", GDEVAL, Near::FiveDecimals),
        ] {
            let e = case.evaluate(names, Precision::Double);
            tally.all((part, &theirs[part], near), i, &e, names, |_, _| true);
        }
    }
    for (i, case) in diverse.iter().enumerate() {
        let e = case.evaluate(DIVERSITY, Precision::Double);
        let ndeval = ("ndeval", &theirs["diverse"], Near::Rounding);
        tally.all(ndeval, i, &e, DIVERSITY, |_, _| true);
    }
    let wrong: Vec<String> = tally
        .wrong
        .iter()
        .map(|(what, (n, first))| format!("{what}: {n} times, first {first}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} values compared; differing:\n{}",
        tally.compared,
        wrong.join("\n")
    );
    assert!(tally.compared > 200_000, "{}", tally.compared);
    println!(
        "{} values of {} cases agree",
        tally.compared,
        PLAIN + DIVERSE
    );
}

/// The name by which pytrec_eval is asked: `P_5` comes with `P.5`.
fn trec_family(name: &str) -> String {
    match name.rsplit_once('_') {
        Some((front, end)) if end.parse::<f64>().is_ok() => format!("{front}.{end}"),
        _ => name.to_owned(),
    }
}

fn at_level(name: &str) -> String {
    let m: Measure = name.parse().unwrap();
    let text = m.to_string();
    match text.split_once('@') {
        Some((front, k)) => format!("{front}(rel=2)@{k}"),
        None => format!("{text}(rel=2)"),
    }
}
