//! Judgements, ready to be looked up.

use crate::{
    error::{Cause, Error},
    hashing::{Places, hash},
    ids::Ids,
    input::{Source, open, qrels_of, read_qrels},
    lang::Text,
};
use std::{collections::HashMap, path::Path};

/// All judgements of a collection. Queries stand in the order of their ids, byte by byte, as in
/// trec_eval (`get_qrels.c`).
#[derive(Debug, Clone, Default)]
pub struct Qrels {
    queries: Vec<Judgements>,
    index: HashMap<String, u32>,
    judgements: usize,
    highest: f64,
    subtopics: bool,
}

/// The judgements of one query.
#[derive(Debug, Clone, Default)]
pub struct Judgements {
    query: String,
    ids: Ids,
    hashes: Vec<u64>,
    places: Places,
    grades: Vec<f64>,
    /// Grades from 0 up, the highest first.
    ranked: Vec<f64>,
    /// For each document the subtopics it was judged for, with their grades; empty where the
    /// collection has no subtopics.
    aspects: Vec<Vec<(u16, f64)>>,
    subtopics: u16,
    /// Line of the first document that has a second judgement, for another subtopic.
    doubled: Option<u64>,
}

impl Qrels {
    /// Reads judgements from a file, or from the collection in a folder (see [`qrels_of`]).
    ///
    /// Formats: TREC's four columns, BEIR's three, a JSON document, JSON lines; plain, gzip or
    /// Zstandard. Errors name file, line and field: a document judged twice, a grade that is no
    /// number, a missing column, nothing at all.
    ///
    /// # Errors
    /// Of the file, with its line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::from_source(open(&qrels_of(path)?)?)
    }

    fn from_source(source: Source) -> Result<Self, Error> {
        let name = source.name.clone();
        let mut b = QrelsBuilder::default();
        read_qrels(source, |j| {
            b.add(j.query, j.subtopic, j.document, j.grade, j.line)
        })
        .map_err(|e| e.in_file(&name))?;
        b.finish().map_err(|e| e.in_file(&name))
    }

    /// Judgements from memory: query, document, grade.
    ///
    /// # Errors
    /// A document judged twice for a query, a grade that is not finite, nothing at all.
    pub fn from_triples<'a>(
        triples: impl IntoIterator<Item = (&'a str, &'a str, f64)>,
    ) -> Result<Self, Error> {
        Self::from_quadruples(triples.into_iter().map(|(q, d, g)| (q, "0", d, g)))
    }

    /// Judgements from memory, with subtopics: query, subtopic, document, grade.
    ///
    /// # Errors
    /// As [`Qrels::from_triples`].
    pub fn from_quadruples<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a str, &'a str, f64)>,
    ) -> Result<Self, Error> {
        let mut b = QrelsBuilder::default();
        for (n, (query, subtopic, document, grade)) in rows.into_iter().enumerate() {
            if !grade.is_finite() {
                return Err(Error::new(
                    Cause::Number,
                    Text::new(
                        format!("the grade of judgement {} is not finite", n + 1),
                        format!("第 {} 条判断的等级不是有限数", n + 1),
                    ),
                    Text::new("give it a grade or leave it out", "请给出等级或删去"),
                ));
            }
            b.add(query, subtopic, document, grade, n as u64 + 1)?;
        }
        b.finish()
    }

    /// The queries, in order of id.
    pub fn queries(&self) -> &[Judgements] {
        &self.queries
    }

    /// The judgements of a query.
    pub fn query(&self, id: &str) -> Option<&Judgements> {
        self.place(id).and_then(|i| self.queries.get(i))
    }

    /// Where a query stands in [`Qrels::queries`].
    pub fn place(&self, id: &str) -> Option<usize> {
        self.index.get(id).map(|i| *i as usize)
    }

    /// How many judgements there are.
    pub fn judgements(&self) -> usize {
        self.judgements
    }

    /// The highest grade; 0 where none is positive.
    pub fn highest_grade(&self) -> f64 {
        self.highest
    }

    /// The first document that is judged more than once for its query, as (query, line); ad-hoc
    /// measures refuse such judgements.
    pub(crate) fn doubled(&self) -> Option<(&str, u64)> {
        self.queries
            .iter()
            .filter_map(|q| q.doubled.map(|l| (q.query.as_str(), l)))
            .min_by_key(|(_, l)| *l)
    }
}

impl Judgements {
    /// The query's id.
    pub fn id(&self) -> &str {
        &self.query
    }

    /// How many documents are judged (or in the pool).
    pub fn len(&self) -> usize {
        self.grades.len()
    }

    /// True where nothing is judged: never, for the judgements in [`Qrels`].
    pub fn is_empty(&self) -> bool {
        self.grades.is_empty()
    }

    /// Documents and grades, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.ids.iter().zip(self.grades.iter().copied())
    }

    /// The id of the document at `place`.
    pub fn document(&self, place: usize) -> &str {
        self.ids.get(place)
    }

    /// The grade of the document at `place`.
    pub fn grade(&self, place: usize) -> f64 {
        self.grades.get(place).copied().unwrap_or(f64::NAN)
    }

    /// Documents with a grade of `rel` or more; those below zero never count.
    pub fn relevant(&self, rel: f64) -> usize {
        self.ranked.partition_point(|g| *g >= rel)
    }

    /// Documents with a grade from 0 up to, not including, `rel`.
    pub fn not_relevant(&self, rel: f64) -> usize {
        self.ranked.len() - self.relevant(rel)
    }

    /// Grades from 0 up, the highest first: the ideal ranking.
    pub fn ideal(&self) -> &[f64] {
        &self.ranked
    }

    pub(crate) fn find(&self, hash: u64, id: &str) -> Option<u32> {
        self.places.find(hash, |i| {
            self.hashes.get(i as usize) == Some(&hash) && self.ids.get(i as usize) == id
        })
    }

    /// How many subtopics the query has.
    pub(crate) fn subtopics(&self) -> usize {
        usize::from(self.subtopics)
    }

    /// The subtopics that the document at `place` was judged for, with their grades.
    pub(crate) fn aspects(&self, place: usize) -> &[(u16, f64)] {
        self.aspects.get(place).map_or(&[], Vec::as_slice)
    }
}

/// Takes judgements one by one.
#[derive(Debug, Default)]
struct QrelsBuilder {
    index: HashMap<String, u32>,
    queries: Vec<Judgements>,
    /// Of each query and judgement: the line, and the subtopic.
    origins: Vec<Vec<(u64, u16)>>,
    subtopics: Vec<HashMap<String, u16>>,
    last: usize,
}

impl QrelsBuilder {
    fn add(
        &mut self,
        query: &str,
        subtopic: &str,
        document: &str,
        grade: f64,
        line: u64,
    ) -> Result<(), Error> {
        let at = self.place(query);
        let (Some(q), Some(origins), Some(subtopics)) = (
            self.queries.get_mut(at),
            self.origins.get_mut(at),
            self.subtopics.get_mut(at),
        ) else {
            return Ok(());
        };
        let topic = match subtopics.get(subtopic) {
            Some(t) => *t,
            None => {
                let t = q.subtopics;
                q.subtopics = t.checked_add(1).ok_or_else(|| too_many(query).at(line))?;
                subtopics.insert(subtopic.to_owned(), t);
                t
            }
        };
        if !q.ids.push(document) {
            return Err(too_many(query).at(line));
        }
        q.hashes.push(hash(document));
        q.grades.push(grade);
        origins.push((line, topic));
        Ok(())
    }

    fn place(&mut self, query: &str) -> usize {
        if self
            .queries
            .get(self.last)
            .is_some_and(|q| q.query == query)
        {
            return self.last;
        }
        self.last = match self.index.get(query) {
            Some(i) => *i as usize,
            None => {
                let i = self.queries.len();
                self.index.insert(query.to_owned(), i as u32);
                self.queries.push(Judgements {
                    query: query.to_owned(),
                    ..Judgements::default()
                });
                self.origins.push(Vec::new());
                self.subtopics.push(HashMap::new());
                i
            }
        };
        self.last
    }

    fn finish(self) -> Result<Qrels, Error> {
        if self.queries.is_empty() {
            return Err(Error::new(
                Cause::Empty,
                Text::new("there are no judgements", "没有任何相关性判断"),
                Text::new(
                    "expected lines of: query iteration document grade",
                    "应为每行：query iteration document grade",
                ),
            ));
        }
        let mut out = Qrels::default();
        for (mut q, origins) in self.queries.into_iter().zip(self.origins) {
            out.judgements += origins.len();
            if q.subtopics > 1 {
                q = one_place_each(&q, &origins)?;
                out.subtopics = true;
            } else {
                index(&mut q, &origins)?;
            }
            q.ranked = q.grades.iter().copied().filter(|g| *g >= 0.0).collect();
            q.ranked.sort_unstable_by(|a, b| b.total_cmp(a));
            out.highest = q.ranked.first().copied().unwrap_or(0.0).max(out.highest);
            out.queries.push(q);
        }
        out.queries
            .sort_unstable_by(|a, b| a.query.as_bytes().cmp(b.query.as_bytes()));
        out.index = (out.queries.iter().zip(0..))
            .map(|(q, i)| (q.query.clone(), i))
            .collect();
        Ok(out)
    }
}

/// Makes the documents of a query findable; each may stand once.
fn index(q: &mut Judgements, origins: &[(u64, u16)]) -> Result<(), Error> {
    q.places.reset(q.ids.len());
    for (i, h) in q.hashes.iter().enumerate() {
        let (ids, hashes) = (&q.ids, &q.hashes);
        let same = |j: u32| hashes.get(j as usize) == Some(h) && ids.get(j as usize) == ids.get(i);
        if let Some(j) = q.places.find_or_put(*h, i as u32, same) {
            let line = |i: usize| origins.get(i).map_or(0, |o| o.0);
            return Err(twice(&q.query, q.ids.get(i), line(j as usize)).at(line(i)));
        }
    }
    Ok(())
}

/// Every document once, with all that it was judged for; its grade is the highest.
fn one_place_each(q: &Judgements, origins: &[(u64, u16)]) -> Result<Judgements, Error> {
    let mut out = Judgements {
        query: q.query.clone(),
        subtopics: q.subtopics,
        ..Judgements::default()
    };
    out.places.reset(q.len());
    let mut first_lines: Vec<u64> = Vec::new();
    for (i, ((id, grade), (line, topic))) in q.iter().zip(origins).enumerate() {
        let h = q.hashes.get(i).copied().unwrap_or_default();
        let Judgements {
            places,
            ids,
            hashes,
            ..
        } = &mut out;
        let known = places.find_or_put(h, ids.len() as u32, |j| {
            hashes.get(j as usize) == Some(&h) && ids.get(j as usize) == id
        });
        let Some(j) = known.map(|j| j as usize) else {
            out.ids.push(id);
            out.hashes.push(h);
            out.grades.push(grade);
            out.aspects.push(vec![(*topic, grade)]);
            first_lines.push(*line);
            continue;
        };
        match out.aspects.get_mut(j) {
            Some(seen) if seen.iter().all(|s| s.0 != *topic) => seen.push((*topic, grade)),
            _ => {
                let first = first_lines.get(j).copied().unwrap_or_default();
                return Err(twice(&out.query, id, first).at(*line));
            }
        }
        if let Some(g) = out.grades.get_mut(j) {
            *g = g.max(grade);
        }
        out.doubled.get_or_insert(*line);
    }
    Ok(out)
}

fn twice(query: &str, document: &str, first: u64) -> Error {
    Error::new(
        Cause::Duplicate,
        Text::new(
            format!(
                "document `{document}` is judged twice for query `{query}`, first on line {first}"
            ),
            format!("查询“{query}”的文档“{document}”重复判断，首次在第 {first} 行"),
        ),
        Text::new("keep one of the two", "请只保留一条"),
    )
}

fn too_many(query: &str) -> Error {
    Error::new(
        Cause::TooLong,
        Text::new(
            format!("query `{query}` has more subtopics or documents than are read"),
            format!("查询“{query}”的子主题或文档过多"),
        ),
        Text::new(
            "at most 65535 subtopics and 4 GiB of document ids for one query",
            "每个查询至多 65535 个子主题、4 GiB 文档号",
        ),
    )
}
