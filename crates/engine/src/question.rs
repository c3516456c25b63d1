//! What is asked, ready for the index.
//!
//! Needs come with much that is not asked: the company's history, its patents, its awards. The
//! title says what matters; each clause of the text counts as far as it speaks of the same.
//! (On 151 real needs this lifts nDCG@10 from .684 to .705 dense and from .678 to .697 lexical.)

use crate::{
    Error,
    entry::{TextPipeline, mix},
    piece::{Field, Piece},
    request::MAX_TEXT,
};
use ndarray::{Array2, ArrayView1};
use queqiao_domain::{Detail, Facets, Record, Unit};
use queqiao_embed::Role;
use queqiao_retrieval::{QueryPassage, QueryTerm};
use queqiao_text::{clauses, ruled_out};
use std::collections::HashMap;

/// Of a record with more passages, the first so many ask.
const MAX_PASSAGES: usize = 64;
/// Of a longer passage, the terms that come first ask.
const MAX_TERMS: usize = 2_000;
/// Of a longer passage, the clauses that come first are weighed.
const MAX_CLAUSES: usize = 400;
/// A need whose own text is shorter than this, in characters, also asks with its background.
const SHORT_NEED: usize = 60;
/// Share of the title in the vector of a question that has a title and a text.
const TITLE: f32 = 0.5;
/// Weight of a term of the text beside one of the title, at most.
const BODY: f64 = 0.5;

/// A question to the index.
pub(crate) struct Question {
    /// Fields that ask, as (path, text): what an answer can refer to.
    pub(crate) fields: Vec<(String, String)>,
    /// Vectors of the asking passages.
    pub(crate) vectors: Array2<f32>,
    /// Terms of the asking passages.
    pub(crate) passages: Vec<QueryPassage>,
    /// The asking record, if it is one.
    pub(crate) facets: Option<Facets>,
}

impl Question {
    /// A bare text asks.
    pub(crate) fn from_text(pipeline: &TextPipeline, text: &str) -> Result<Self, Error> {
        let n = text.chars().count();
        if !text.chars().any(char::is_alphanumeric) {
            return Err(Error::argument(
                "text",
                match n {
                    0 => ("it is empty", "为空"),
                    _ => ("it holds no letter or figure", "不含任何文字或数字"),
                },
                (
                    "describe the need in a sentence or more",
                    "请用一句话或更多文字描述需求",
                ),
            ));
        }
        if n > MAX_TEXT {
            return Err(Error::argument(
                "text",
                (format!("it has {n} characters"), format!("共 {n} 个字符")),
                (
                    format!(
                        "at most {MAX_TEXT}: store a long document as a record with passages and match that"
                    ),
                    format!("至多 {MAX_TEXT}：请将长文档存为带段落的记录，再用该记录匹配"),
                ),
            ));
        }
        let piece = Piece {
            body: vec![Field {
                path: "text".to_owned(),
                text,
                start: 0,
            }],
            ..Piece::default()
        };
        Self::build(pipeline, &[piece], None)
    }

    /// A record asks: a need with its problem and targets, anyone else with all they can do.
    pub(crate) fn from_record(pipeline: &TextPipeline, record: &Record) -> Result<Self, Error> {
        let units = record.units();
        let pieces: Vec<Piece<'_>> = match &record.detail {
            // A need is one question, however long.
            Detail::Need(_) => need_units(units).into_iter().map(whole).collect(),
            _ => units.into_iter().flat_map(Piece::of_unit).collect(),
        };
        let pieces: Vec<Piece<'_>> = pieces
            .into_iter()
            .filter(|p| p.head.is_some() || !p.body.is_empty())
            .take(MAX_PASSAGES)
            .collect();
        if pieces.is_empty() {
            return Err(Error::argument(
                "record",
                (
                    format!("record {} has no text to ask with", record.id),
                    format!("记录 {} 没有可用于提问的文字", record.id),
                ),
                (
                    "give it a title, a problem or a passage",
                    "请为它补充标题、问题描述或段落",
                ),
            ));
        }
        Self::build(pipeline, &pieces, Some(Facets::of(record)))
    }

    /// Bare titles and texts ask (a query of a collection).
    pub(crate) fn from_passages(
        pipeline: &TextPipeline,
        passages: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let pieces: Vec<Piece<'_>> = passages
            .iter()
            .map(|(title, text)| {
                let field = |path: &str, text| Field {
                    path: path.to_owned(),
                    text,
                    start: 0,
                };
                Piece {
                    head: (!title.trim().is_empty()).then(|| field("title", *title)),
                    body: (!text.trim().is_empty())
                        .then(|| field("text", *text))
                        .into_iter()
                        .collect(),
                    ..Piece::default()
                }
            })
            .collect();
        Self::build(pipeline, &pieces, None)
    }

    fn build(
        pipeline: &TextPipeline,
        pieces: &[Piece<'_>],
        facets: Option<Facets>,
    ) -> Result<Self, Error> {
        let texts: Vec<String> = pieces.iter().map(Piece::text).collect();
        let asked: Vec<String> = texts.iter().map(|t| affirmed(t)).collect();
        let mut vectors = pipeline.embed(&asked, Role::Query)?;
        let mut passages = Vec::with_capacity(pieces.len());
        for (i, piece) in pieces.iter().enumerate() {
            let mut terms = Terms::default();
            match &piece.head {
                Some(head) if !piece.body.is_empty() => {
                    let weighed = weigh(pipeline, head, &piece.body)?;
                    let row = mix(&[
                        (TITLE, ArrayView1::from(&weighed.head)),
                        (1.0 - TITLE, ArrayView1::from(&weighed.body)),
                    ]);
                    if row.iter().any(|x| *x != 0.0) {
                        vectors
                            .row_mut(i)
                            .iter_mut()
                            .zip(row)
                            .for_each(|(v, x)| *v = x);
                    }
                    terms.add(pipeline, head.text, 1.0);
                    for (clause, weight) in &weighed.clauses {
                        terms.add(pipeline, clause, BODY * f64::from(*weight));
                    }
                }
                _ => terms.add(pipeline, &texts[i], 1.0),
            }
            passages.push(terms.finish());
        }
        Ok(Self {
            fields: pieces
                .iter()
                .flat_map(Piece::fields)
                .map(|f| (f.path.clone(), f.text.to_owned()))
                .collect(),
            vectors,
            passages,
            facets,
        })
    }
}

/// A title and the clauses of its text, each weighed by how near it is to the title.
struct Weighed<'a> {
    head: Vec<f32>,
    /// The clauses' mean, the nearer ones counting more.
    body: Vec<f32>,
    /// Each clause with its weight: 1 for the nearest.
    clauses: Vec<(&'a str, f32)>,
}

fn weigh<'a>(
    pipeline: &TextPipeline,
    head: &Field<'_>,
    body: &[Field<'a>],
) -> Result<Weighed<'a>, Error> {
    let texts: Vec<&'a str> = body
        .iter()
        .flat_map(|f| clauses(f.text).into_iter().map(|r| &f.text[r]))
        .take(MAX_CLAUSES)
        .collect();
    let mut all = vec![affirmed(head.text)];
    all.extend(texts.iter().map(|t| affirmed(t)));
    let vectors = pipeline.embed(&all, Role::Query)?;
    let title = vectors.row(0);
    let near: Vec<f32> = (1..all.len())
        .map(|i| vectors.row(i).dot(&title).max(0.0))
        .collect();
    let nearest = near.iter().copied().fold(0.0, f32::max);
    let parts: Vec<(f32, ArrayView1<'_, f32>)> = near
        .iter()
        .enumerate()
        .map(|(i, n)| {
            let length = texts[i].chars().count() as f32;
            (n * n * length.sqrt(), vectors.row(i + 1))
        })
        .collect();
    Ok(Weighed {
        head: title.to_vec(),
        body: mix(&parts),
        clauses: texts
            .into_iter()
            .zip(&near)
            .map(|(t, n)| (t, if nearest > 0.0 { n / nearest } else { 1.0 }))
            .collect(),
    })
}

/// Terms in order of first mention, each with the greatest weight it was given.
#[derive(Default)]
struct Terms {
    words: Weights,
    bigrams: Weights,
}

#[derive(Default)]
struct Weights {
    order: Vec<QueryTerm>,
    at: HashMap<String, usize>,
}

impl Weights {
    fn add(&mut self, terms: Vec<String>, weight: f64) {
        for text in terms {
            match self.at.get(&text) {
                Some(&i) => self.order[i].weight = self.order[i].weight.max(weight),
                None if self.order.len() < MAX_TERMS => {
                    self.at.insert(text.clone(), self.order.len());
                    self.order.push(QueryTerm { text, weight });
                }
                None => {}
            }
        }
    }
}

impl Terms {
    fn add(&mut self, pipeline: &TextPipeline, text: &str, weight: f64) {
        // What is far from the title asks for nothing.
        if weight > 1e-3 {
            let mut terms = pipeline.segmenter.terms(text);
            let out = ruled_out(text);
            if !out.is_empty() {
                // What is ruled out is not asked for, unless it is asked for elsewhere: 不含氰化物 is
                // no question for 氰化物. The words that rule it out stay, and so do pairs that begin
                // in them: whoever says the same is found by those.
                let kept = pipeline.segmenter.terms(&affirmed(text));
                let names: Vec<_> = out
                    .iter()
                    .map(|r| pipeline.segmenter.terms(&text[r.clone()]))
                    .collect();
                let outside = |term: &String, of: fn(&queqiao_text::Terms) -> &Vec<String>| {
                    of(&kept).contains(term) || !names.iter().any(|n| of(n).contains(term))
                };
                terms.words.retain(|w| outside(w, |t| &t.words));
                terms.bigrams.retain(|b| outside(b, |t| &t.bigrams));
            }
            self.words.add(terms.words, weight);
            self.bigrams.add(terms.bigrams, weight);
        }
    }

    fn finish(self) -> QueryPassage {
        QueryPassage {
            words: self.words.order,
            bigrams: self.bigrams.order,
        }
    }
}

/// A text without what it rules out: that is not what it is about.
fn affirmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for r in ruled_out(text) {
        out.push_str(&text[at..r.start]);
        at = r.end;
    }
    out.push_str(&text[at..]);
    // Nothing left to ask with: as it stands.
    match out.chars().any(char::is_alphanumeric) {
        true => out,
        false => text.to_owned(),
    }
}

/// A unit as one piece, uncut.
fn whole(unit: Unit<'_>) -> Piece<'_> {
    let mut piece = Piece::default();
    for part in unit.parts {
        let field = Field {
            start: 0,
            text: part.text,
            path: part.path,
        };
        if piece.head.is_none() && piece.body.is_empty() && field.path == "title" {
            piece.head = Some(field);
        } else {
            piece.body.push(field);
        }
    }
    piece
}

/// What a need asks with: its problem; the background too where there is little else, since a
/// background speaks of the company more than of the problem.
fn need_units(units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    let (background, mut own): (Vec<_>, Vec<_>) = units
        .into_iter()
        .partition(|u| u.parts.iter().any(|p| p.path == "background"));
    let length: usize = own.iter().map(|u| u.text().chars().count()).sum();
    if length < SHORT_NEED {
        match own.first_mut() {
            Some(main) => main
                .parts
                .extend(background.into_iter().flat_map(|u| u.parts)),
            None => own = background,
        }
    }
    own
}
