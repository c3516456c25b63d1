//! trec_eval's own test files, digit for digit: for each command line of its `quicktest`, the whole
//! expected output is made anew from our values and compared as text.
//!
//! The files are trec_eval's (US National Institute of Standards and Technology); they are read
//! where they lie and are not part of this tree.
#![allow(clippy::unwrap_used)]

mod support;

use queqiao_eval::{
    Evaluation, Evaluator, Measure, Missing, Name, Options, Param, Placement, Qrels, Value, Watch,
};
use std::{collections::BTreeMap, fs, path::Path};

/// How trec_eval is called.
#[derive(Clone, Copy, Default)]
struct Call {
    /// `-c`
    complete: bool,
    /// `-M`
    depth: Option<u32>,
    /// `-l`
    level: Option<f64>,
    /// `-Z`
    zscores: bool,
}

/// One line of the expected output.
enum Shown {
    RunId,
    RelString(u32),
    Measure(Measure),
}

fn shown(name: &str, call: Call) -> Shown {
    if name == "runid" {
        return Shown::RunId;
    }
    if let Some(rest) = name.strip_prefix("relstring") {
        return Shown::RelString(rest.trim_start_matches('_').parse().unwrap_or(10));
    }
    let m: Measure = name.parse().unwrap();
    // Without `rel`, NumRet counts all, and RBP takes grades, at any level.
    let takes_level = m.name().params().contains(&Param::Rel)
        && (m.get(Param::Rel).is_some() || m.default(Param::Rel).is_some());
    Shown::Measure(match call.level {
        Some(l) if takes_level => {
            let mut params: Vec<(Param, Value)> = m
                .name()
                .params()
                .iter()
                .filter_map(|p| m.get(*p).map(|v| (*p, v.clone())))
                .collect();
            params.push((Param::Rel, Value::Number(l)));
            Measure::new(m.name(), params).unwrap()
        }
        _ => m,
    })
}

/// Makes the expected output of a call, line by line, from our values.
fn check(qrels: &str, run: &str, expected: &str, call: Call) {
    let Some(dir) = support::shared("data/trec_eval/test") else {
        return;
    };
    let text = fs::read_to_string(dir.join(expected)).unwrap();
    let lines: Vec<(&str, &str)> = text
        .lines()
        .map(|l| {
            let mut f = l.split('\t');
            (f.next().unwrap(), f.next().unwrap())
        })
        .collect();
    let mut measures: Vec<Measure> = Vec::new();
    let bare = |name: &str| {
        name.trim()
            .strip_prefix('Z')
            .filter(|_| call.zscores)
            .unwrap_or(name.trim())
            .to_owned()
    };
    for (name, _) in &lines {
        if let Shown::Measure(m) = shown(&bare(name), call)
            && !measures.contains(&m)
        {
            measures.push(m);
        }
    }
    let qrels = Qrels::read(&dir.join(qrels)).unwrap();
    let options = Options {
        missing: if call.complete {
            Missing::Zero
        } else {
            Missing::Skip
        },
        depth: call.depth,
        watch: Watch {
            placements: true,
            ..Watch::default()
        },
        ..Options::default()
    };
    let retrieved: Measure = "NumRet".parse().unwrap();
    if !measures.contains(&retrieved) {
        measures.push(retrieved.clone());
    }
    let e = Evaluator::new(&qrels, &measures, options)
        .unwrap()
        .file(&dir.join(run))
        .unwrap();
    let zscores = call
        .zscores
        .then(|| read_zscores(&dir.join("zscores_file")));
    let mut differing = Vec::new();
    for ((name, query), line) in lines.iter().zip(text.lines()) {
        let value = |m: &Measure| value_of(&e, m, query);
        let ours = match shown(&bare(name), call) {
            Shown::RunId => format!("{name}\t{query}\t{}", e.run),
            Shown::RelString(n) => {
                format!(
                    "{name}\t{query}\t'{}'",
                    relstring(&qrels, &e, query, n, value(&retrieved) as u32)
                )
            }
            Shown::Measure(m) => match &zscores {
                Some(z) => {
                    // A z-score is a figure of a query; the summary is their mean, or their sum.
                    let of = |q: &str| match z.get(&(q.to_owned(), bare(name))) {
                        Some((mean, sd)) if *sd > 0.0 => (value_of(&e, &m, q) - mean) / sd,
                        _ => 0.0,
                    };
                    let sum: f64 = e.queries.iter().map(|q| of(q)).sum();
                    let v = match *query {
                        "all" if m.name() == Name::NumQ => value(&m),
                        "all" if counts(&m) => sum,
                        "all" => sum / e.queries.len() as f64,
                        q => of(q),
                    };
                    format!("{name}\t{query}\t{v:6.4}")
                }
                None if counts(&m) => format!("{name}\t{query}\t{}", value(&m)),
                None => format!("{name}\t{query}\t{:6.4}", value(&m)),
            },
        };
        if ours != *line {
            differing.push(format!("theirs {line}\n  ours {ours}"));
        }
    }
    assert!(
        differing.is_empty(),
        "{expected}:\n{}",
        differing.join("\n")
    );
}

fn counts(m: &Measure) -> bool {
    matches!(
        m.name(),
        Name::NumQ | Name::NumRel | Name::NumRet | Name::NumNonrelJudgedRet
    )
}

fn value_of(e: &Evaluation, m: &Measure, query: &str) -> f64 {
    let i = e.measures.iter().position(|x| x == m).unwrap();
    if query == "all" {
        return e.means[i];
    }
    let q = e.queries.iter().position(|x| x == query).unwrap();
    e.row(q)[i]
}

/// trec_eval `m_relstring.c`: grades of the first so many; `-` not in the pool, `.` not judged.
fn relstring(qrels: &Qrels, e: &Evaluation, query: &str, n: u32, retrieved: u32) -> String {
    let q = qrels.place(query).unwrap();
    let placed: BTreeMap<u32, &Placement> = e.observation.placements[q]
        .iter()
        .map(|p| (p.rank, p))
        .collect();
    (1..=n.min(retrieved))
        .map(|rank| match placed.get(&rank) {
            None => '-',
            Some(p) => match qrels.queries()[q].grade(p.place as usize) {
                g if g < 0.0 => '.',
                g if g > 9.0 => '>',
                g => char::from_digit(g as u32, 10).unwrap(),
            },
        })
        .collect()
}

type Zscores = BTreeMap<(String, String), (f64, f64)>;

fn read_zscores(file: &Path) -> Zscores {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|l| {
            let f: Vec<&str> = l.split_whitespace().collect();
            let key = (f[0].to_owned(), f[1].to_owned());
            (key, (f[2].parse().unwrap(), f[3].parse().unwrap()))
        })
        .collect()
}

#[test]
fn standard_measures() {
    check("qrels.test", "results.test", "out.test", Call::default());
}

#[test]
fn comments_in_judgements() {
    check(
        "qrels.test.with-comments",
        "results.test",
        "out.test",
        Call::default(),
    );
}

#[test]
fn ids_with_a_hash() {
    check(
        "qrels.comment.test",
        "results.comment.test",
        "out.comment.test",
        Call::default(),
    );
}

#[test]
fn all_measures() {
    check("qrels.test", "results.test", "out.test.a", Call::default());
}

#[test]
fn all_measures_by_query() {
    check("qrels.test", "results.test", "out.test.aq", Call::default());
}

#[test]
fn queries_without_answers_and_scattered_lines() {
    let call = Call {
        complete: true,
        ..Call::default()
    };
    check("qrels.test", "results.trunc", "out.test.aqc", call);
}

#[test]
fn only_the_first_hundred() {
    let call = Call {
        complete: true,
        depth: Some(100),
        ..Call::default()
    };
    check("qrels.test", "results.trunc", "out.test.aqcM", call);
}

#[test]
fn relevant_from_grade_two() {
    let call = Call {
        level: Some(2.0),
        ..Call::default()
    };
    check("qrels.rel_level", "results.test", "out.test.aql", call);
}

#[test]
fn measures_with_parameters() {
    check(
        "qrels.test",
        "results.test",
        "out.test.meas_params",
        Call::default(),
    );
}

#[test]
fn scores_by_their_spread() {
    let call = Call {
        zscores: true,
        ..Call::default()
    };
    check("qrels.test", "results.test", "out.test.aqZ", call);
}
