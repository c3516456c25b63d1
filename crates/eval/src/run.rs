//! Runs: what a system answered, in the order in which it answered.

use crate::{
    error::{Cause, Error},
    hashing::{Places, hash},
    ids::Ids,
    input::{Entry, Source, open, read_run},
    lang::Text,
};
use rayon::prelude::*;
use std::{
    cmp::Ordering,
    collections::HashMap,
    path::{Path, PathBuf},
};

/// How exactly scores are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// As written, in 64 bits (trec_eval 10, `trec_eval.h`: `double sim`).
    #[default]
    Double,
    /// Rounded to 32 bits first, as trec_eval up to 9 and pytrec_eval do: scores that differ only
    /// beyond some seven digits are ties.
    Single,
}

impl Precision {
    pub(crate) fn of(self, score: f64) -> f64 {
        match self {
            // Minus zero equals zero.
            Precision::Double => score + 0.0,
            Precision::Single => f64::from(score as f32) + 0.0,
        }
    }
}

/// All answers of a system.
///
/// Answers stand by score, the highest first; equal scores stand by document id, the greatest bytes
/// first, as in trec_eval (`form_res_rels.c`, `comp_sim_docno`). Any order of the lines gives the
/// same run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    name: String,
    lists: Vec<Answers>,
    index: HashMap<String, u32>,
}

/// The answers to one query, in order.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    query: String,
    pub(crate) ids: Ids,
    pub(crate) hashes: Vec<u64>,
    scores: Vec<f64>,
}

impl Run {
    /// Reads a whole run from a file into memory; for runs that are only evaluated,
    /// [`crate::evaluate_file`] holds one query at a time.
    ///
    /// Formats: TREC's six columns, a JSON document, JSON lines; plain, gzip or Zstandard. Errors
    /// name file, line and field: a missing column, a score that is no number, a document that
    /// stands twice, nothing at all.
    ///
    /// # Errors
    /// Of the file, with its line.
    pub fn read(path: &Path, precision: Precision) -> Result<Self, Error> {
        Self::from_source(open(path)?, precision, |_| true)
    }

    /// Reads runs side by side. Those of one name are called by their files' names, and by number where
    /// those are the same too.
    ///
    /// # Errors
    /// As [`Run::read`], of the first file that has any.
    pub fn read_all(paths: &[PathBuf], precision: Precision) -> Result<Vec<Self>, Error> {
        let read: Vec<Result<Run, Error>> =
            paths.par_iter().map(|p| Run::read(p, precision)).collect();
        let mut runs = read.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<String> = runs.iter().map(|r| r.name.clone()).collect();
        tell_apart(&mut names, paths);
        for (run, name) in runs.iter_mut().zip(names) {
            run.name = name;
        }
        Ok(runs)
    }

    /// Reads what `wanted` says of each query.
    pub(crate) fn from_source(
        source: Source,
        precision: Precision,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, Error> {
        let name = source.name.clone();
        let mut b = RunBuilder::default();
        let tag = read_run(source, |e| b.add(e, precision, &wanted))?;
        let mut run = b.finish(true).map_err(|e| e.in_file(&name))?;
        run.name = tag.unwrap_or_else(|| stem(&name));
        Ok(run)
    }

    /// A run from memory: query, document, score, in any order.
    ///
    /// # Errors
    /// A score that is not a number, a document that stands twice for a query.
    pub fn from_triples<'a>(
        name: &str,
        triples: impl IntoIterator<Item = (&'a str, &'a str, f64)>,
        precision: Precision,
    ) -> Result<Self, Error> {
        let mut b = RunBuilder::default();
        for (n, (query, document, score)) in triples.into_iter().enumerate() {
            if score.is_nan() {
                return Err(Error::new(
                    Cause::Number,
                    Text::new(
                        format!("the score of answer {} is not a number", n + 1),
                        format!("第 {} 条结果的得分为 NaN", n + 1),
                    ),
                    Text::new("give it a score or leave it out", "请给出得分或删去"),
                ));
            }
            let line = n as u64 + 1;
            let entry = Entry {
                query,
                document,
                score,
                line,
            };
            b.add(entry, precision, |_| true)?;
        }
        let mut run = b.finish(false)?;
        run.name = name.to_owned();
        Ok(run)
    }

    /// The run's name: the tag of a TREC run's last line, else the file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers by query, in the order in which the queries came.
    pub fn lists(&self) -> &[Answers] {
        &self.lists
    }

    /// The answers to a query.
    pub fn list(&self, query: &str) -> Option<&Answers> {
        self.index
            .get(query)
            .and_then(|i| self.lists.get(*i as usize))
    }
}

impl Answers {
    /// The query's id.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// How many documents were given.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// True where no document was given.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Documents and scores, the best first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.ids.iter().zip(self.scores.iter().copied())
    }

    pub(crate) fn scores(&self) -> &[f64] {
        &self.scores
    }
}

/// The name of a file without folder and endings.
pub(crate) fn stem(file: &str) -> String {
    let name = Path::new(file)
        .file_name()
        .map_or_else(|| file.to_owned(), |n| n.to_string_lossy().into_owned());
    let mut short = name.as_str();
    while let Some((front, end)) = short.rsplit_once('.') {
        let known = ["gz", "zst", "trec", "txt", "run", "json", "jsonl", "tsv"];
        if front.is_empty() || !known.contains(&end) {
            break;
        }
        short = front;
    }
    short.to_owned()
}

/// Gives runs of one name the names of their files, and numbers where those are the same too.
pub(crate) fn tell_apart(names: &mut [String], paths: &[PathBuf]) {
    let doubled = |names: &[String]| -> Vec<bool> {
        let times = |n: &String| names.iter().filter(|m| *m == n).count();
        names.iter().map(|n| times(n) > 1).collect()
    };
    let again = doubled(names);
    for ((name, path), _) in (names.iter_mut().zip(paths).zip(again)).filter(|(_, d)| *d) {
        *name = stem(&path.display().to_string());
    }
    let again = doubled(names);
    for ((name, i), _) in (names.iter_mut().zip(1..).zip(again)).filter(|(_, d)| *d) {
        *name = format!("{name} ({i})");
    }
}

/// The answers to one query while they come in.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) ids: Ids,
    pub(crate) hashes: Vec<u64>,
    pub(crate) scores: Vec<f64>,
    lines: Vec<u64>,
    /// Places in the above, the best first.
    pub(crate) order: Vec<u32>,
    places: Places,
}

impl Group {
    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.hashes.clear();
        self.scores.clear();
        self.lines.clear();
        self.order.clear();
    }

    pub(crate) fn push(&mut self, document: &str, score: f64, line: u64) -> Result<(), Error> {
        if !self.ids.push(document) {
            return Err(Error::new(
                Cause::TooLong,
                Text::new(
                    "more than 4 GiB of document ids for one query",
                    "单个查询的文档号超过 4 GiB",
                ),
                Text::new("cut the run at a smaller depth", "请减少每个查询的结果数"),
            )
            .at(line));
        }
        self.hashes.push(hash(document));
        self.scores.push(score);
        self.lines.push(line);
        Ok(())
    }

    /// Puts the answers in order, after refusing a document that stands twice.
    pub(crate) fn settle(&mut self, query: &str) -> Result<(), Error> {
        let n = self.scores.len();
        self.places.reset(n);
        let (ids, hashes) = (&self.ids, &self.hashes);
        for (i, h) in hashes.iter().enumerate() {
            let same =
                |j: u32| hashes.get(j as usize) == Some(h) && ids.get(j as usize) == ids.get(i);
            if let Some(j) = self.places.find_or_put(*h, i as u32, same) {
                let line = |i: usize| self.lines.get(i).copied().unwrap_or_default();
                return Err(twice(query, ids.get(i), line(j as usize)).at(line(i)));
            }
        }
        self.order.clear();
        self.order.extend(0..n as u32);
        let scores = &self.scores;
        let compare = |a: &u32, b: &u32| before(scores, ids, *a as usize, *b as usize);
        if !self.order.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            self.order.sort_by(compare);
        }
        Ok(())
    }
}

/// Score down, then document id down.
fn before(scores: &[f64], ids: &Ids, a: usize, b: usize) -> Ordering {
    let score = |i: usize| scores.get(i).copied().unwrap_or(f64::NEG_INFINITY);
    score(b)
        .total_cmp(&score(a))
        .then_with(|| ids.get(b).as_bytes().cmp(ids.get(a).as_bytes()))
}

fn twice(query: &str, document: &str, first: u64) -> Error {
    Error::new(
        Cause::Duplicate,
        Text::new(
            format!(
                "document `{document}` stands twice for query `{query}`, first on line {first}"
            ),
            format!("查询“{query}”的文档“{document}”重复出现，首次在第 {first} 行"),
        ),
        Text::new("keep one of the two", "请只保留一条"),
    )
}

/// Nothing was answered.
pub(crate) fn empty_run() -> Error {
    Error::new(
        Cause::Empty,
        Text::new("the run is empty", "run 文件没有内容"),
        Text::new(
            "expected lines of: query Q0 document rank score tag",
            "应为每行：query Q0 document rank score tag",
        ),
    )
}

#[derive(Debug, Default)]
struct RunBuilder {
    index: HashMap<String, u32>,
    queries: Vec<String>,
    groups: Vec<Group>,
    last: usize,
    entries: u64,
}

impl RunBuilder {
    fn add(
        &mut self,
        e: Entry<'_>,
        precision: Precision,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        self.entries += 1;
        if self.queries.get(self.last).is_none_or(|q| q != e.query) {
            self.last = match self.index.get(e.query) {
                Some(i) => *i as usize,
                None if !wanted(e.query) => return Ok(()),
                None => {
                    let i = self.queries.len();
                    self.index.insert(e.query.to_owned(), i as u32);
                    self.queries.push(e.query.to_owned());
                    self.groups.push(Group::default());
                    i
                }
            };
        }
        match self.groups.get_mut(self.last) {
            Some(g) => g.push(e.document, precision.of(e.score), e.line),
            None => Ok(()),
        }
    }

    fn finish(self, must_have: bool) -> Result<Run, Error> {
        if must_have && self.entries == 0 {
            return Err(empty_run());
        }
        let mut lists = Vec::with_capacity(self.groups.len());
        for (query, mut g) in self.queries.into_iter().zip(self.groups) {
            g.settle(&query)?;
            let sorted = g.order.is_sorted();
            lists.push(if sorted {
                Answers {
                    query,
                    ids: g.ids,
                    hashes: g.hashes,
                    scores: g.scores,
                }
            } else {
                let mut a = Answers {
                    query,
                    ..Answers::default()
                };
                for i in g.order.iter().map(|i| *i as usize) {
                    a.ids.push(g.ids.get(i));
                    a.hashes.extend(g.hashes.get(i));
                    a.scores.extend(g.scores.get(i));
                }
                a
            });
        }
        Ok(Run {
            name: String::new(),
            lists,
            index: self.index,
        })
    }
}
