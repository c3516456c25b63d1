//! What came out, for machines and for people.

mod charts;
mod html;
mod json;
mod sections;
mod shape;
mod svg;
mod trec;
mod versus;

use crate::{
    compare::Comparisons,
    evaluate::{Evaluation, Options},
    lang::Lang,
    qrels::Qrels,
};
use serde::Serialize;

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was judged, as people call it: the name of the collection or of its file.
    pub title: &'a str,
    /// The judgements.
    pub qrels: &'a Qrels,
    /// How runs were evaluated.
    pub options: Options,
    /// The runs.
    pub runs: &'a [Evaluation],
    /// The comparisons, where runs were compared.
    pub comparisons: Option<&'a Comparisons>,
    /// Documents that could have been shown, where that is known; else those judged or shown.
    pub supply: Option<usize>,
    /// Whether values are given for each query.
    pub per_query: bool,
    /// Language of what people read.
    pub lang: Lang,
}

impl Report<'_> {
    /// One JSON document; undefined values are null.
    pub fn json(&self) -> impl Serialize {
        json::document(self)
    }

    /// One HTML page that needs nothing else: styles and drawings are inside, and no script.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// Lines as trec_eval prints them, for one run after another (`meas_print_single.c`,
    /// `meas_print_final.c`): name, query or `all`, value to four decimals.
    pub fn trec(&self) -> String {
        trec::lines(self)
    }

    /// The wording in the reader's language.
    fn say<'b>(&self, en: &'b str, zh: &'b str) -> &'b str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}
