//! The passage that earned a match, verbatim.

use crate::{
    Error,
    entry::TextPipeline,
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
    pipeline: &'a TextPipeline,
    asked: Vec<Clause<'a>>,
    vectors: Array2<f32>,
    words: Vec<HashSet<String>>,
}

impl<'a> Quoter<'a> {
    pub(crate) fn new(pipeline: &'a TextPipeline, question: &'a Question) -> Result<Self, Error> {
        let fields = question
            .fields
            .iter()
            .map(|(p, t)| (p.as_str(), t.as_str()));
        let asked = split_clauses(fields, MAX_CLAUSES);
        let (vectors, words) = read(pipeline, &asked, Role::Query)?;
        Ok(Self {
            pipeline,
            asked,
            vectors,
            words,
        })
    }

    /// The clause of the record's unit `passage` that best answers a clause of the question, by
    /// meaning and shared words. `None` when nothing is similar at all.
    pub(crate) fn quote(&self, record: &Record, passage: usize) -> Result<Option<Quote>, Error> {
        let units = record.units();
        let Some(unit) = units.get(passage) else {
            return Ok(None);
        };
        let fields = unit.parts.iter().map(|p| (p.path.as_str(), p.text));
        let answering = split_clauses(fields, MAX_CLAUSES);
        let (vectors, words) = read(self.pipeline, &answering, Role::Passage)?;
        let similarity = |i: usize, j: usize| {
            let cosine = f64::from(self.vectors.row(i).dot(&vectors.row(j)));
            let shared = self.words[i].intersection(&words[j]).count() as f64;
            let least = self.words[i].len().min(words[j].len()).max(1) as f64;
            let telling = |c: &Clause<'_>| ((c.end - c.start) as f64 / TELLING).min(1.0);
            let weight = 0.5 + 0.25 * (telling(&self.asked[i]) + telling(&answering[j]));
            (cosine + SHARED_WORDS * shared / least.max(4.0)) * weight
        };
        let best = best_pair(self.asked.len(), answering.len(), similarity);
        Ok(best.map(|(i, j)| {
            let (asked, c) = (&self.asked[i], &answering[j]);
            Quote {
                path: c.path.to_owned(),
                text: c.text.to_owned(),
                start: c.start,
                end: c.end,
                asked: Some(Asked {
                    path: asked.path.to_owned(),
                    text: asked.text.to_owned(),
                    start: asked.start,
                    end: asked.end,
                }),
            }
        }))
    }
}

fn read(
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
