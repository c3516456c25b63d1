//! How near a record's words come to those of the title that asks.
//!
//! A title says what is asked in a few words. A record that has each of them, or one that means the same, answers it,
//! whatever else it says. It only lifts: a record of which nothing may be known, such as a sealed one, stands where the
//! average of those that are read stands.

use crate::{Error, entry::TextPipeline, question::Question};
use ndarray::{Array2, ArrayView1};
use queqiao_embed::Role;
use queqiao_text::is_han;
use std::collections::HashMap;

/// Of a longer title, the first so many words ask.
const MOST_ASKED: usize = 32;
/// Of a longer record, the first so many different words are compared. (Of 48, chinaxiv-author lost .004.)
const MOST_WORDS: usize = 96;

/// The words of a title, read once for all candidates.
pub(crate) struct Wording<'a> {
    pipeline: &'a TextPipeline,
    words: Vec<String>,
    /// A row each.
    asked: Array2<f32>,
}

impl<'a> Wording<'a> {
    /// Of the question's title; none where it has none, or where the model takes long for so many words.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn of(
        pipeline: &'a TextPipeline,
        question: &Question,
    ) -> Result<Option<Self>, Error> {
        let title = question.fields.iter().find(|(path, _)| path == "title");
        let Some((_, title)) = title.filter(|_| pipeline.embedder.embeds_words()) else {
            return Ok(None);
        };
        let mut words: Vec<String> = Vec::new();
        each_word(pipeline, title, |word| {
            if words.len() < MOST_ASKED && !words.iter().any(|w| w == word) {
                words.push(word.to_owned());
            }
        });
        if words.is_empty() {
            return Ok(None);
        }
        let asked = pipeline.embed(&words, Role::Query)?;
        Ok(Some(Self {
            pipeline,
            words,
            asked,
        }))
    }

    /// Of each record, given by its texts, the mean over the title's words of the cosine with its nearest word, in
    /// which a word counts the more the fewer of the records say it: by how much that is more than it is of all of them
    /// on average. None where it has no word.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn near(&self, records: &[Vec<&str>]) -> Result<Vec<Option<f64>>, Error> {
        // Each word is embedded once, whoever says it.
        let mut all: Vec<String> = Vec::new();
        let mut place: HashMap<String, usize> = HashMap::new();
        let mut places: Vec<Vec<usize>> = Vec::with_capacity(records.len());
        for texts in records {
            let mut of: Vec<usize> = Vec::new();
            for text in texts {
                if of.len() == MOST_WORDS {
                    break;
                }
                each_word(self.pipeline, text, |word| {
                    if of.len() == MOST_WORDS {
                        return;
                    }
                    let known = place.get(word).copied();
                    let at = known.unwrap_or_else(|| {
                        place.insert(word.to_owned(), all.len());
                        all.push(word.to_owned());
                        all.len() - 1
                    });
                    if !of.contains(&at) {
                        of.push(at);
                    }
                });
            }
            places.push(of);
        }
        let cosines = self
            .asked
            .dot(&self.pipeline.embed(&all, Role::Passage)?.t());
        // A word that few of the records say tells them apart.
        let saying = |word: &String| {
            let place = place.get(word.as_str());
            let says = |of: &&Vec<usize>| place.is_some_and(|p| of.contains(p));
            places.iter().filter(says).count() as f64
        };
        let n = places.iter().filter(|of| !of.is_empty()).count() as f64;
        let counts: Vec<f64> = self
            .words
            .iter()
            .map(|w| ((n + 1.0) / (saying(w) + 0.5)).ln())
            .collect();
        let sum: f64 = counts.iter().sum();
        let near = |of: &Vec<usize>| {
            let nearest = |(row, counts): (ArrayView1<'_, f32>, &f64)| {
                let each = of.iter().map(|w| f64::from(row[*w]));
                counts * each.fold(f64::NEG_INFINITY, f64::max)
            };
            let near: f64 = cosines.rows().into_iter().zip(&counts).map(nearest).sum();
            (!of.is_empty()).then(|| near / sum)
        };
        let near: Vec<Option<f64>> = places.iter().map(near).collect();
        let mean = near.iter().flatten().sum::<f64>() / n.max(1.0);
        let more = |near: Option<f64>| near.map(|near| (near - mean).clamp(0.0, 1.0));
        Ok(near.into_iter().map(more).collect())
    }
}

/// What names a record's matters: its headings and keywords, or all its texts where it has none. (All texts of records with headings
/// brought nothing.)
pub(crate) fn naming<'a>(
    heads: Vec<&'a str>,
    bodies: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    match heads.iter().any(|h| h.contains(char::is_alphanumeric)) {
        true => heads,
        false => bodies.collect(),
    }
}

/// Calls `f` with the words of a text, in order; single Chinese characters (的, 与) are none.
fn each_word(pipeline: &TextPipeline, text: &str, mut f: impl FnMut(&str)) {
    pipeline.segmenter.each_cut(text, |word| {
        let mut chars = word.chars();
        if !(chars.next().is_some_and(is_han) && chars.next().is_none()) {
            f(word);
        }
    });
}
