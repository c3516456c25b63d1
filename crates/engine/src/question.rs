//! What is asked, ready for the index.

use crate::{Error, entry::TextPipeline, request::MAX_TEXT};
use ndarray::Array2;
use queqiao_domain::{Detail, Facets, Record, Unit};
use queqiao_embed::Role;
use queqiao_retrieval::QueryPassage;
use std::collections::HashSet;

/// Of a record with more passages, the first so many ask.
const MAX_PASSAGES: usize = 64;
/// Of a longer passage, the terms that come first ask.
const MAX_TERMS: usize = 2_000;
/// A need whose own text is shorter than this, in characters, also asks with its background.
const SHORT_NEED: usize = 60;

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
    /// The texts that were embedded.
    pub(crate) texts: Vec<String>,
}

impl Question {
    /// A bare text asks.
    pub(crate) fn from_text(pipeline: &TextPipeline, text: &str) -> Result<Self, Error> {
        let n = text.chars().count();
        if !text.chars().any(char::is_alphanumeric) {
            return Err(Error::argument(
                "text",
                if n == 0 {
                    "it is empty".to_owned()
                } else {
                    "it holds no letter or figure".to_owned()
                },
                "describe the need in a sentence or more",
            ));
        }
        if n > MAX_TEXT {
            return Err(Error::argument(
                "text",
                format!("it has {n} characters"),
                format!(
                    "at most {MAX_TEXT}: store a long document as a record with passages and match that"
                ),
            ));
        }
        Self::build(
            pipeline,
            vec![text.to_owned()],
            vec![("text".to_owned(), text.to_owned())],
            None,
        )
    }

    /// A record asks: a need with its problem and targets, anyone else with all they can do.
    pub(crate) fn from_record(pipeline: &TextPipeline, record: &Record) -> Result<Self, Error> {
        let units = record.units();
        let asking: Vec<Unit<'_>> = match &record.detail {
            Detail::Need(_) => need_units(units),
            _ => units,
        };
        let texts: Vec<String> = asking
            .iter()
            .filter(|u| !u.parts.is_empty())
            .take(MAX_PASSAGES)
            .map(Unit::text)
            .collect();
        if texts.is_empty() {
            return Err(Error::argument(
                "record",
                format!("record {} has no text to ask with", record.id),
                "give it a title, a problem or a passage",
            ));
        }
        let fields = asking
            .iter()
            .flat_map(|u| &u.parts)
            .map(|p| (p.path.clone(), p.text.to_owned()))
            .collect();
        Self::build(pipeline, texts, fields, Some(Facets::of(record)))
    }

    /// Bare passages ask (a query of a collection).
    pub(crate) fn from_passages(
        pipeline: &TextPipeline,
        texts: Vec<String>,
    ) -> Result<Self, Error> {
        Self::build(pipeline, texts, Vec::new(), None)
    }

    fn build(
        pipeline: &TextPipeline,
        texts: Vec<String>,
        fields: Vec<(String, String)>,
        facets: Option<Facets>,
    ) -> Result<Self, Error> {
        let vectors = pipeline.embed(&texts, Role::Query)?;
        let passages = texts
            .iter()
            .map(|t| {
                let terms = pipeline.segmenter.terms(t);
                QueryPassage {
                    words: distinct(terms.words),
                    bigrams: distinct(terms.bigrams),
                }
            })
            .collect();
        Ok(Self {
            fields,
            vectors,
            passages,
            facets,
            texts,
        })
    }
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

fn distinct(terms: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    terms
        .into_iter()
        .filter(|t| seen.insert(t.clone()))
        .take(MAX_TERMS)
        .collect()
}
