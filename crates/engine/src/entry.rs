//! From texts to what the index holds and is asked: vectors and terms.

use crate::Error;
use ndarray::{Array2, s};
use queqiao_domain::{Facets, Record, Unit};
use queqiao_embed::{Embedder, Role};
use queqiao_retrieval::{Entry, Passage};
use queqiao_text::Segmenter;
use rayon::prelude::*;
use std::sync::Arc;

/// Changes whenever the same text would give other terms or units; part of an index's
/// fingerprint, so that an index made otherwise is rebuilt.
pub(crate) const TEXT_VERSION: u32 = 1;

/// Embeds and segments texts, for records and questions alike.
#[derive(Clone)]
pub(crate) struct TextPipeline {
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) segmenter: Segmenter,
}

impl TextPipeline {
    pub(crate) fn new(embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder,
            segmenter: Segmenter::shared(),
        }
    }

    /// Names the model and the text processing.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{}+text{TEXT_VERSION}", self.embedder.fingerprint().hash())
    }

    /// The index entries of records, in order: all texts are embedded in one go.
    pub(crate) fn entries(&self, records: &[(u64, &Record)]) -> Result<Vec<Entry>, Error> {
        let units: Vec<Vec<Unit<'_>>> = records.par_iter().map(|(_, r)| r.units()).collect();
        let texts: Vec<String> = units
            .par_iter()
            .flat_map_iter(|us| us.iter().map(Unit::text))
            .collect();
        let vectors = self.embed(&texts, Role::Passage)?;
        let passages: Vec<Vec<Passage>> = units
            .par_iter()
            .map(|us| us.iter().map(|u| self.passage(u)).collect())
            .collect();
        let mut row = 0;
        Ok(records
            .iter()
            .zip(passages)
            .map(|(&(key, record), passages)| {
                let rows = row..row + passages.len();
                row = rows.end;
                Entry {
                    key,
                    facets: Facets::of(record),
                    passages,
                    vectors: vectors.slice(s![rows, ..]).to_owned(),
                }
            })
            .collect())
    }

    /// Vectors of texts, `[texts.len(), dim]`.
    pub(crate) fn embed(&self, texts: &[String], role: Role) -> Result<Array2<f32>, Error> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(self.embedder.embed(&texts, role)?)
    }

    /// The terms of a unit; a person's name is found by word too.
    fn passage(&self, unit: &Unit<'_>) -> Passage {
        let mut terms = self.segmenter.terms(&unit.text());
        if let Some(name) = &unit.name {
            let name = self.segmenter.terms(name.text);
            terms.words.extend(name.words);
            terms.bigrams.extend(name.bigrams);
        }
        Passage {
            words: terms.words,
            bigrams: terms.bigrams,
        }
    }
}
