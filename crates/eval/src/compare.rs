//! Two or more runs side by side: how far apart, how surely, and what moved.

use crate::{
    error::{Cause, Error},
    evaluate::Evaluation,
    lang::Text,
    measure::Measure,
    observe::Placement,
    qrels::Qrels,
    stats::{
        Interval, Looks, Paired, Power, Randomisation, benjamini_hochberg, bootstrap_mean, holm,
        paired_t, randomisation_test,
    },
};
use std::collections::HashMap;

/// How runs are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Level of the tests; intervals are of 1 − α.
    pub alpha: f64,
    /// Permutations of the randomisation test.
    pub permutations: u64,
    /// Resamples of the bootstrap.
    pub resamples: usize,
    /// Seed of both.
    pub seed: u64,
    /// Queries that are shown with what moved, for each comparison.
    pub moved: usize,
    /// Looks planned, where the data is looked at more than once.
    pub looks: Option<Looks>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            alpha: 0.05,
            permutations: 100_000,
            resamples: 10_000,
            seed: 1,
            moved: 5,
            looks: None,
        }
    }
}

impl Settings {
    /// The level at which a p is taken, this look being one of several.
    pub fn level(&self) -> f64 {
        self.looks.map_or(self.alpha, |l| l.level(self.alpha))
    }

    fn check(&self) -> Result<(), Error> {
        let bad = |en: &'static str, zh: &'static str| {
            Err(Error::new(
                Cause::Option,
                Text::new(en, zh),
                Text::new("see --help", "参见 --help"),
            ))
        };
        if self.alpha.is_nan() || self.alpha <= 0.0 || self.alpha >= 1.0 {
            return bad(
                "the level lies between 0 and 1",
                "显著性水平应在 0 与 1 之间",
            );
        }
        if self.permutations == 0 || self.resamples == 0 {
            return bad("a test needs at least one draw", "检验至少需要一次抽样");
        }
        if self
            .looks
            .is_some_and(|l| l.planned == 0 || l.now == 0 || l.now > l.planned)
        {
            return bad(
                "this look is one of those planned, from 1",
                "本次查看应在计划的次数之内，从 1 起",
            );
        }
        Ok(())
    }
}

/// One run against the baseline, by one measure.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Place of the run among the evaluations.
    pub run: usize,
    /// Place of the measure.
    pub measure: usize,
    /// Figure of the baseline.
    pub before: f64,
    /// Figure of the run.
    pub after: f64,
    /// Student's paired t, over queries where both are defined. Differences are run − baseline.
    pub t: Paired,
    /// Fisher's randomisation test.
    pub randomisation: Randomisation,
    /// Bootstrap interval of the mean difference.
    pub interval: Interval,
    /// p of the randomisation test after Holm, over all runs and measures.
    pub p_holm: f64,
    /// The same after Benjamini and Hochberg.
    pub p_bh: f64,
    /// Queries where the run is better, equal, worse.
    pub wins: usize,
    /// Equal.
    pub ties: usize,
    /// Worse.
    pub losses: usize,
    /// What the test could show with these queries and this spread.
    pub power: Power,
    /// Differences by query, in the order of the evaluation; NaN where undefined.
    pub differences: Vec<f64>,
    /// Queries that changed most.
    pub moved: Vec<MovedQuery>,
}

/// A query that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedQuery {
    /// Query id.
    pub query: String,
    /// Value of the baseline.
    pub before: f64,
    /// Value of the run.
    pub after: f64,
    /// Judged documents whose rank changed, what matters most first.
    pub documents: Vec<MovedDocument>,
}

/// A judged document that moved.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedDocument {
    /// Document id.
    pub document: String,
    /// Grade.
    pub grade: f64,
    /// Rank in the baseline; none where it was not given.
    pub before: Option<u32>,
    /// Rank in the run.
    pub after: Option<u32>,
}

/// All comparisons with one baseline.
#[derive(Debug, Clone)]
pub struct Comparisons {
    /// Place of the baseline among the evaluations.
    pub baseline: usize,
    /// How they were made.
    pub settings: Settings,
    /// By measure, then by run.
    pub all: Vec<Comparison>,
}

/// Documents shown for a query that changed.
const DOCUMENTS: usize = 5;

/// Compares every run with the baseline, by every measure.
///
/// Values are paired by query; evaluate all runs with the same options, and with
/// [`crate::Watch::placements`] for what moved.
///
/// Where queries without answers were left out, only queries that both runs answer count.
///
/// # Errors
/// Fewer than two runs, settings that make no sense.
pub fn compare(
    qrels: &Qrels,
    runs: &[Evaluation],
    baseline: usize,
    settings: Settings,
) -> Result<Comparisons, Error> {
    settings.check()?;
    let base = match runs.get(baseline) {
        Some(b) if runs.len() > 1 => b,
        _ => {
            return Err(Error::new(
                Cause::Option,
                Text::new("there is nothing to compare", "没有可比较的对象"),
                Text::new("name two runs or more", "请给出两个或更多 run 文件"),
            ));
        }
    };
    let mut all = Vec::new();
    for (m, measure) in base.measures.iter().enumerate() {
        for (i, run) in runs.iter().enumerate().filter(|(i, _)| *i != baseline) {
            all.push(one(qrels, (base, run), (i, m, measure), &settings));
        }
    }
    let p: Vec<f64> = all.iter().map(|c| c.randomisation.p).collect();
    let (h, bh) = (holm(&p), benjamini_hochberg(&p));
    for ((c, h), bh) in all.iter_mut().zip(h).zip(bh) {
        (c.p_holm, c.p_bh) = (h, bh);
    }
    Ok(Comparisons {
        baseline,
        settings,
        all,
    })
}

fn one(
    qrels: &Qrels,
    (base, run): (&Evaluation, &Evaluation),
    (i, m, measure): (usize, usize, &Measure),
    settings: &Settings,
) -> Comparison {
    let pairs = pairs(base, run, m);
    let differences: Vec<f64> = pairs.iter().map(|(b, a)| a - b).collect();
    // Over the same queries both figures stand; else only their means over those shared do.
    let (before, after) = if base.queries == run.queries {
        let figure = |e: &Evaluation| e.means.get(m).copied().unwrap_or(f64::NAN);
        (figure(base), figure(run))
    } else {
        let shared: Vec<&(f64, f64)> = pairs.iter().filter(|p| !(p.1 - p.0).is_nan()).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| {
            shared.iter().fold(0.0, |a, p| a + of(p)) / shared.len() as f64
        };
        (mean(|p| p.0), mean(|p| p.1))
    };
    let defined: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|d| !d.is_nan())
        .collect();
    let sign = if measure.lower_is_better() { -1.0 } else { 1.0 };
    let count = |test: fn(f64) -> bool| defined.iter().filter(|d| test(sign * **d)).count();
    let t = paired_t(&defined, settings.alpha);
    Comparison {
        run: i,
        measure: m,
        before,
        after,
        randomisation: randomisation_test(&defined, settings.permutations, settings.seed),
        interval: bootstrap_mean(&defined, settings.resamples, settings.alpha, settings.seed),
        p_holm: f64::NAN,
        p_bh: f64::NAN,
        wins: count(|d| d > 0.0),
        ties: count(|d| d == 0.0),
        losses: count(|d| d < 0.0),
        power: Power {
            n: t.n,
            sd: t.sd,
            alpha: settings.alpha,
        },
        t,
        moved: moved(qrels, (base, run), &pairs, settings.moved),
        differences,
    }
}

/// Values of baseline and run, by query of the baseline; NaN where the run has none.
fn pairs(base: &Evaluation, run: &Evaluation, m: usize) -> Vec<(f64, f64)> {
    let (before, after) = (base.column(m), run.column(m));
    if base.queries == run.queries {
        return before.into_iter().zip(after).collect();
    }
    base.queries
        .iter()
        .zip(before)
        .map(|(q, b)| {
            let there = run.queries.binary_search(q).ok();
            (
                b,
                there
                    .and_then(|i| after.get(i).copied())
                    .unwrap_or(f64::NAN),
            )
        })
        .collect()
}

/// The queries with the largest differences, equals by id.
fn moved(
    qrels: &Qrels,
    (base, run): (&Evaluation, &Evaluation),
    pairs: &[(f64, f64)],
    most: usize,
) -> Vec<MovedQuery> {
    let mut order: Vec<(f64, &String, &(f64, f64))> = (base.queries.iter().zip(pairs))
        .map(|(q, p)| ((p.1 - p.0).abs(), q, p))
        .filter(|(size, _, _)| *size > 0.0)
        .collect();
    order.sort_by(|x, y| y.0.total_cmp(&x.0).then_with(|| x.1.cmp(y.1)));
    order
        .into_iter()
        .take(most)
        .map(|(_, query, (before, after))| MovedQuery {
            before: *before,
            after: *after,
            documents: moved_documents(qrels, base, run, query),
            query: query.clone(),
        })
        .collect()
}

fn moved_documents(
    qrels: &Qrels,
    base: &Evaluation,
    run: &Evaluation,
    query: &str,
) -> Vec<MovedDocument> {
    let Some(q) = qrels.place(query) else {
        return Vec::new();
    };
    let Some(judged) = qrels.queries().get(q) else {
        return Vec::new();
    };
    let ranks = |e: &Evaluation| -> HashMap<u32, u32> {
        let placed: &[Placement] = e.observation.placements.get(q).map_or(&[], Vec::as_slice);
        placed.iter().map(|p| (p.place, p.rank)).collect()
    };
    let (before, after) = (ranks(base), ranks(run));
    let mut out: Vec<MovedDocument> = (0..judged.len() as u32)
        .filter_map(|place| {
            let (b, a) = (before.get(&place).copied(), after.get(&place).copied());
            (b != a).then(|| MovedDocument {
                document: judged.document(place as usize).to_owned(),
                grade: judged.grade(place as usize),
                before: b,
                after: a,
            })
        })
        .collect();
    // What a discount makes of the move, by the grade; a document that is not relevant displaces.
    let weight = |d: &MovedDocument| {
        let at = |r: Option<u32>| r.map_or(0.0, |r| 1.0 / f64::from(r + 1).log2());
        (at(d.after) - at(d.before)).abs() * if d.grade > 0.0 { d.grade } else { 0.5 }
    };
    out.sort_by(|x, y| {
        weight(y)
            .total_cmp(&weight(x))
            .then_with(|| x.document.cmp(&y.document))
    });
    out.truncate(DOCUMENTS);
    out
}
