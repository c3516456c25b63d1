//! From judgements and answers to values: by query, and as one figure.

use crate::{
    error::{Cause, Error},
    input::{open, read_run},
    lang::Text,
    measure::{Aggregation, Hit, Measure, Plan, Ranked},
    observe::{Observation, Observer, Watch},
    qrels::{Judgements, Qrels},
    run::{Answers, Group, Precision, Run, empty_run, stem, tell_apart},
};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What counts for a judged query that a run does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// As if nothing had been found: nearly always 0 (trec_eval `-c`, ir_measures).
    #[default]
    Zero,
    /// It is left out of this run's mean (trec_eval without `-c`, pytrec_eval).
    Skip,
}

/// How runs are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Queries without answers.
    pub missing: Missing,
    /// How exactly scores are compared.
    pub precision: Precision,
    /// Answers of a query that count, after ordering (trec_eval `-M`); all by default.
    pub depth: Option<u32>,
    /// Leave out queries that have no document of grade 1 or more. trec_eval, pytrec_eval and
    /// ir_measures count them, as 0 by nearly every measure.
    pub only_answerable: bool,
    /// What else to look at on the way.
    pub watch: Watch,
}

/// A run's values.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The run.
    pub run: String,
    /// The measures, in the order asked for.
    pub measures: Vec<Measure>,
    /// The queries that count, in order of id.
    pub queries: Vec<String>,
    /// By query, then by measure.
    values: Vec<f64>,
    /// What each value weighs, where any measure pools; else empty.
    weights: Vec<f64>,
    /// One figure for each measure.
    pub means: Vec<f64>,
    /// Judged queries that the run answers.
    pub answered: usize,
    /// Judged queries that it does not answer.
    pub unanswered: Vec<String>,
    /// Queries that it answers and nobody judged, where they were counted.
    pub unjudged_queries: usize,
    /// Answers that were read.
    pub answers: u64,
    /// What else was seen.
    pub observation: Observation,
}

impl Evaluation {
    /// The values of a query, by measure. NaN: undefined, and not part of the mean.
    pub fn row(&self, query: usize) -> &[f64] {
        let n = self.measures.len();
        self.values.get(query * n..(query + 1) * n).unwrap_or(&[])
    }

    /// True where the run answers a query that counts.
    fn answers_query(&self, query: &str) -> bool {
        let holds = |list: &[String]| list.binary_search_by(|q| q.as_str().cmp(query)).is_ok();
        holds(&self.queries) && !holds(&self.unanswered)
    }

    fn answered_queries(&self) -> impl Iterator<Item = &str> {
        self.queries
            .iter()
            .map(String::as_str)
            .filter(|q| self.answers_query(q))
    }

    /// The values of a measure, by query.
    pub fn column(&self, measure: usize) -> Vec<f64> {
        self.values
            .iter()
            .skip(measure)
            .step_by(self.measures.len().max(1))
            .copied()
            .collect()
    }
}

/// Judgements and measures, settled; evaluates any number of runs.
#[derive(Debug)]
pub struct Evaluator<'a> {
    qrels: &'a Qrels,
    measures: Vec<Measure>,
    plans: Vec<Plan>,
    options: Options,
    pools: bool,
}

impl<'a> Evaluator<'a> {
    /// Settles what is measured.
    ///
    /// # Errors
    /// No measure, or one that cannot be taken of these judgements.
    pub fn new(qrels: &'a Qrels, measures: &[Measure], options: Options) -> Result<Self, Error> {
        let plans = measures
            .iter()
            .map(|m| Plan::of(m, qrels))
            .collect::<Result<Vec<_>, _>>()?;
        let pools = measures.iter().any(|m| {
            matches!(
                m.name().aggregation(),
                Aggregation::Pooled | Aggregation::PooledError
            )
        });
        Ok(Evaluator {
            qrels,
            measures: measures.to_vec(),
            plans,
            options,
            pools,
        })
    }

    /// Evaluates a run in memory.
    ///
    /// # Errors
    /// It answers none of the judged queries.
    pub fn run(&self, run: &Run) -> Result<Evaluation, Error> {
        let mut work = self.begin();
        for list in run.lists() {
            match self.qrels.place(list.query()) {
                Some(q) => self.take_list(&mut work, q, list),
                None => work.unjudged_queries += 1,
            }
            work.answers += list.len() as u64;
        }
        self.finish(work, run.name().to_owned())
    }

    /// Evaluates a run file and holds only one query at a time, as long as the answers to a query
    /// stand together; else those to judged queries are held.
    ///
    /// # Errors
    /// Of the file, with line and field; it answers none of the judged queries.
    pub fn file(&self, path: &Path) -> Result<Evaluation, Error> {
        let mut source = open(path)?;
        let name = source.name.clone();
        // There is no second look at a pipe: what is judged of it is held at once.
        if source.again {
            if let Some((work, tag)) = self.stream(source).map_err(|e| e.in_file(&name))? {
                let named = tag.unwrap_or_else(|| stem(&name));
                return self.finish(work, named).map_err(|e| e.in_file(&name));
            }
            // The answers to some query are scattered.
            source = open(path)?;
        }
        let wanted = |q: &str| self.qrels.place(q).is_some();
        let run = Run::from_source(source, self.options.precision, wanted)?;
        self.run(&run).map_err(|e| e.in_file(&name))
    }

    /// Evaluates run files side by side, on all cores. Runs of one name are called by their files'
    /// names, and by number where those are the same too.
    ///
    /// # Errors
    /// As [`Evaluator::file`], of the first file that has any; two runs that answer no query
    /// in common.
    pub fn files(&self, paths: &[PathBuf]) -> Result<Vec<Evaluation>, Error> {
        let done: Vec<Result<Evaluation, Error>> = paths.par_iter().map(|p| self.file(p)).collect();
        let mut runs = done.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<String> = runs.iter().map(|r| r.run.clone()).collect();
        tell_apart(&mut names, paths);
        for (run, name) in runs.iter_mut().zip(names) {
            run.run = name;
        }
        for (i, a) in runs.iter().enumerate() {
            for b in runs.iter().skip(i + 1) {
                if !a.answered_queries().any(|q| b.answers_query(q)) {
                    return Err(different_queries(a, b));
                }
            }
        }
        Ok(runs)
    }

    /// One pass over a file; `None` where answers to a query turn out to be scattered.
    fn stream(
        &self,
        source: crate::input::Source,
    ) -> Result<Option<(Work, Option<String>)>, Error> {
        let mut work = self.begin();
        let mut group = Group::default();
        let mut current = String::new();
        let mut place: Option<usize> = None;
        let mut scattered = false;
        let tag = read_run(source, |e| {
            if work.answers == 0 || current != e.query {
                self.close(&mut work, &mut group, place, &current)?;
                current.clear();
                current.push_str(e.query);
                place = self.qrels.place(e.query);
                match place {
                    Some(q) if work.is_done(q) => {
                        scattered = true;
                        return Err(stop());
                    }
                    Some(_) => {}
                    None => work.unjudged_queries += 1,
                }
            }
            work.answers += 1;
            if place.is_some() {
                group.push(e.document, self.options.precision.of(e.score), e.line)?;
            }
            Ok(())
        });
        if scattered {
            return Ok(None);
        }
        let tag = tag?;
        if work.answers == 0 {
            return Err(empty_run());
        }
        self.close(&mut work, &mut group, place, &current)?;
        Ok(Some((work, tag)))
    }

    fn close(
        &self,
        work: &mut Work,
        group: &mut Group,
        place: Option<usize>,
        query: &str,
    ) -> Result<(), Error> {
        let Some(q) = place else { return Ok(()) };
        let Some(judged) = self.qrels.queries().get(q) else {
            return Ok(());
        };
        group.settle(query)?;
        let most = self.options.depth.unwrap_or(u32::MAX) as usize;
        work.hits.clear();
        for (i, rank) in group.order.iter().take(most).zip(1..) {
            let i = *i as usize;
            let hash = group.hashes.get(i).copied().unwrap_or_default();
            let score = group.scores.get(i).copied().unwrap_or_default();
            if let Some(place) = judged.find(hash, group.ids.get(i)) {
                work.hits.push(Hit {
                    rank,
                    place,
                    grade: judged.grade(place as usize),
                    score,
                });
            }
        }
        let retrieved = group.order.len().min(most);
        let shown = group
            .order
            .iter()
            .take(most)
            .map(|i| group.ids.get(*i as usize));
        work.observer.list(q, &work.hits, shown);
        self.values(work, q, judged, retrieved);
        group.clear();
        Ok(())
    }

    fn take_list(&self, work: &mut Work, q: usize, list: &Answers) {
        let Some(judged) = self.qrels.queries().get(q) else {
            return;
        };
        let most = self.options.depth.unwrap_or(u32::MAX) as usize;
        work.hits.clear();
        for ((i, hash), rank) in list.hashes.iter().enumerate().take(most).zip(1..) {
            if let Some(place) = judged.find(*hash, list.ids.get(i)) {
                work.hits.push(Hit {
                    rank,
                    place,
                    grade: judged.grade(place as usize),
                    score: list.scores().get(i).copied().unwrap_or_default(),
                });
            }
        }
        let shown = list.ids.iter().take(most);
        work.observer.list(q, &work.hits, shown);
        self.values(work, q, judged, list.len().min(most));
    }

    fn values(&self, work: &mut Work, q: usize, judged: &Judgements, retrieved: usize) {
        let ranked = Ranked {
            judged,
            hits: &work.hits,
            retrieved: retrieved as u32,
        };
        let n = self.plans.len();
        for (m, plan) in self.plans.iter().enumerate() {
            let (value, weight) = plan.compute(&ranked, &mut work.scratch);
            if let Some(slot) = work.values.get_mut(q * n + m) {
                *slot = value;
            }
            if let Some(slot) = work.weights.get_mut(q * n + m) {
                *slot = weight;
            }
        }
        if let Some(done) = work.done.get_mut(q) {
            *done = true;
        }
    }

    fn begin(&self) -> Work {
        let queries = self.qrels.queries().len();
        let cells = queries * self.plans.len();
        Work {
            values: vec![0.0; cells],
            weights: vec![1.0; if self.pools { cells } else { 0 }],
            done: vec![false; queries],
            hits: Vec::new(),
            scratch: Vec::new(),
            answers: 0,
            unjudged_queries: 0,
            observer: Observer::new(self.qrels, self.options.watch),
        }
    }

    fn finish(&self, mut work: Work, run: String) -> Result<Evaluation, Error> {
        // Queries that nobody could answer are as if nobody had asked them.
        let counts = |j: &Judgements| !self.options.only_answerable || j.relevant(1.0) > 0;
        let asked = || {
            self.qrels
                .queries()
                .iter()
                .enumerate()
                .filter(|(_, j)| counts(j))
        };
        let answered = asked().filter(|(q, _)| work.is_done(*q)).count();
        if answered == 0 {
            return Err(Error::new(
                Cause::Queries,
                Text::new(
                    "the run answers none of the judged queries",
                    "run 中没有任何已判断的查询",
                ),
                Text::new(
                    "check that both files use the same query ids",
                    "请确认两个文件的查询号一致",
                ),
            ));
        }
        let mut unanswered = Vec::new();
        for (q, judged) in asked() {
            if !work.is_done(q) {
                unanswered.push(judged.id().to_owned());
                if self.options.missing == Missing::Zero {
                    work.hits.clear();
                    self.values(&mut work, q, judged, 0);
                }
            }
        }
        let n = self.plans.len();
        let mut out = Evaluation {
            run,
            measures: self.measures.clone(),
            queries: Vec::with_capacity(answered),
            values: Vec::new(),
            weights: Vec::new(),
            means: Vec::new(),
            answered,
            unanswered,
            unjudged_queries: work.unjudged_queries,
            answers: work.answers,
            observation: std::mem::take(&mut work.observer).finish(),
        };
        for (q, judged) in asked() {
            if work.is_done(q) {
                let cells = q * n..(q + 1) * n;
                out.queries.push(judged.id().to_owned());
                out.values
                    .extend_from_slice(work.values.get(cells.clone()).unwrap_or_default());
                out.weights
                    .extend_from_slice(work.weights.get(cells).unwrap_or_default());
            }
        }
        out.means = (0..n).map(|m| out.figure(m)).collect();
        Ok(out)
    }
}

impl Evaluation {
    /// One figure of a measure's values.
    fn figure(&self, measure: usize) -> f64 {
        let Some(m) = self.measures.get(measure) else {
            return f64::NAN;
        };
        let values = self.column(measure);
        let defined = values.iter().filter(|v| !v.is_nan());
        let sum = || defined.clone().fold(0.0, |a, v| a + v);
        let mean = || sum() / defined.clone().count() as f64;
        let n = self.measures.len().max(1);
        let weights = self.weights.iter().skip(measure).step_by(n);
        let pooled = |of: fn(f64) -> f64| {
            let pairs = values.iter().zip(weights).filter(|(v, _)| !v.is_nan());
            let (top, all) = pairs.fold((0.0, 0.0), |(t, a), (v, w)| (t + of(*v) * w, a + w));
            top / all
        };
        match m.name().aggregation() {
            Aggregation::Mean => mean(),
            Aggregation::Sum => sum(),
            Aggregation::GeometricMean => mean().exp(),
            Aggregation::Pooled => pooled(|v| v),
            Aggregation::PooledError => 1.0 / (1.0 + pooled(|v| 1.0 / v - 1.0)),
        }
    }
}

/// An evaluation under way.
#[derive(Debug)]
struct Work {
    values: Vec<f64>,
    weights: Vec<f64>,
    done: Vec<bool>,
    hits: Vec<Hit>,
    scratch: Vec<Hit>,
    answers: u64,
    unjudged_queries: usize,
    observer: Observer,
}

impl Work {
    fn is_done(&self, q: usize) -> bool {
        self.done.get(q) == Some(&true)
    }
}

/// Checks that runs answer the same of the judged queries.
///
/// # Errors
/// [`Cause::Queries`], with how many queries only one of two runs answers.
pub fn same_queries(runs: &[Evaluation]) -> Result<(), Error> {
    let Some((first, rest)) = runs.split_first() else {
        return Ok(());
    };
    match rest.iter().find(|r| r.unanswered != first.unanswered) {
        Some(other) => Err(different_queries(first, other)),
        None => Ok(()),
    }
}

fn different_queries(a: &Evaluation, b: &Evaluation) -> Error {
    let only = |x: &Evaluation, y: &Evaluation| {
        x.answered_queries().filter(|q| !y.answers_query(q)).count()
    };
    let both = a.answered_queries().filter(|q| b.answers_query(q)).count();
    let (x, y) = (only(a, b), only(b, a));
    let (a, b) = (&a.run, &b.run);
    Error::new(
        Cause::Queries,
        Text::new(
            format!(
                "`{a}` and `{b}` answer different queries: {both} both, {x} only the first, {y} only the second"
            ),
            format!("“{a}”与“{b}”回答的查询不同：共同 {both} 个，仅前者 {x} 个，仅后者 {y} 个"),
        ),
        Text::new(
            "name runs over the same queries; where some share them, --missing says what an unanswered one counts",
            "请给出相同查询上的 run；部分相同时，用 --missing 说明未回答的查询如何计入",
        ),
    )
}

/// Ends a pass; never shown.
fn stop() -> Error {
    Error::new(Cause::Queries, Text::new("", ""), Text::new("", ""))
}

/// Evaluates one run file; see [`Evaluator::file`].
///
/// # Errors
/// Of the measures, the judgements and the file.
pub fn evaluate_file(
    qrels: &Qrels,
    run: &Path,
    measures: &[Measure],
    options: Options,
) -> Result<Evaluation, Error> {
    Evaluator::new(qrels, measures, options)?.file(run)
}

/// Evaluates one run in memory; see [`Evaluator::run`].
///
/// # Errors
/// Of the measures and the judgements.
pub fn evaluate(
    qrels: &Qrels,
    run: &Run,
    measures: &[Measure],
    options: Options,
) -> Result<Evaluation, Error> {
    Evaluator::new(qrels, measures, options)?.run(run)
}
