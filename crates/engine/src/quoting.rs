//! The passage that earned a match, verbatim.

use crate::{
    Error,
    entry::TextPipeline,
    piece::Piece,
    question::Question,
    response::{Asked, Quote},
};
use ndarray::Array2;
use queqiao_domain::Record;
use queqiao_embed::Role;
use queqiao_ranking::{Clause, best_pair, split_clauses};
use std::collections::HashSet;

/// Of a longer question or passage, the first so many clauses are compared.
const MAX_CLAUSES: usize = 64;
/// How much shared words count beside meaning: a quote should show the reader why.
const SHARED_WORDS: f64 = 0.5;

/// A clause of this many characters says enough to stand as a reason; a shorter one counts less.
const TELLING: f64 = 14.0;

/// A question's clauses, embedded once for all its matches.
pub(crate) struct Quoter<'a> {
    pub(crate) pipeline: &'a TextPipeline,
    pub(crate) asked: Vec<Clause<'a>>,
    pub(crate) vectors: Array2<f32>,
    pub(crate) words: Vec<HashSet<String>>,
    /// How much of the matter each clause is: 1 for the title and what is nearest to it. A need
    /// also speaks of its company's awards, and an award answers nothing.
    pub(crate) matter: Vec<f64>,
}

impl<'a> Quoter<'a> {
    pub(crate) fn new(pipeline: &'a TextPipeline, question: &'a Question) -> Result<Self, Error> {
        let fields = question
            .fields
            .iter()
            .map(|(p, t)| (p.as_str(), t.as_str(), 0));
        let asked = split_clauses(fields, MAX_CLAUSES);
        let (vectors, words) = read(pipeline, &asked, Role::Query)?;
        let matter = matter(&asked, &vectors);
        Ok(Self {
            pipeline,
            asked,
            vectors,
            words,
            matter,
        })
    }

    /// The clause of the record's piece `passage` that best answers a clause of the question, by
    /// meaning and shared words. `None` when nothing is similar at all.
    pub(crate) fn quote(&self, record: &Record, passage: usize) -> Result<Option<Quote>, Error> {
        let pieces = Piece::of_record(record);
        let Some(piece) = pieces.get(passage) else {
            return Ok(None);
        };
        let fields = piece.fields().map(|f| (f.path.as_str(), f.text, f.start));
        let answering = split_clauses(fields, MAX_CLAUSES);
        let (vectors, words) = read(self.pipeline, &answering, Role::Passage)?;
        let similarity = |i: usize, j: usize| {
            let cosine = f64::from(self.vectors.row(i).dot(&vectors.row(j)));
            let shared = self.words[i].intersection(&words[j]).count() as f64;
            let least = self.words[i].len().min(words[j].len()).max(1) as f64;
            let telling = |c: &Clause<'_>| ((c.end - c.start) as f64 / TELLING).min(1.0);
            let weight = 0.5 + 0.25 * (telling(&self.asked[i]) + telling(&answering[j]));
            (cosine + SHARED_WORDS * shared / least.max(4.0)) * weight * self.matter[i]
        };
        let best = best_pair(self.asked.len(), answering.len(), similarity);
        Ok(best.map(|(i, j)| {
            let (asked, c) = (&self.asked[i], &answering[j]);
            Quote {
                path: c.path.to_owned(),
                text: c.text.to_owned(),
                start: c.start,
                end: c.end,
                asked: Some(Asked::of(asked)),
            }
        }))
    }
}

/// Nearness of each clause to the title, from a quarter to 1; all 1 where there is no title.
fn matter(asked: &[Clause<'_>], vectors: &Array2<f32>) -> Vec<f64> {
    if asked.first().is_none_or(|c| c.path != "title") {
        return vec![1.0; asked.len()];
    }
    let near: Vec<f64> = (0..asked.len())
        .map(|i| f64::from(vectors.row(i).dot(&vectors.row(0))).max(0.0))
        .collect();
    let others = near.iter().skip(1).copied().fold(0.0, f64::max);
    near.iter()
        .enumerate()
        .map(|(i, n)| match i {
            0 => 1.0,
            _ if others > 0.0 => 0.25 + 0.75 * n / others,
            _ => 0.25,
        })
        .collect()
}

/// Vectors and words of clauses.
pub(crate) fn read(
    pipeline: &TextPipeline,
    clauses: &[Clause<'_>],
    role: Role,
) -> Result<(Array2<f32>, Vec<HashSet<String>>), Error> {
    let texts: Vec<String> = clauses.iter().map(|c| c.text.to_owned()).collect();
    let vectors = pipeline.embed(&texts, role)?;
    let words = texts
        .iter()
        .map(|t| pipeline.segmenter.terms(t).words.into_iter().collect())
        .collect();
    Ok((vectors, words))
}
