//! From texts to what the index holds and is asked: vectors and terms.

use crate::{Error, piece::Piece};
use jiff::{Timestamp, tz::TimeZone};
use ndarray::{Array2, ArrayView1, s};
use queqiao_domain::{Date, Facets, Record};
use queqiao_embed::{EmbedError, Embedder, ModelFingerprint, Role};
use queqiao_retrieval::{Entry, Passage};
use queqiao_store::StoredRecord;
use queqiao_text::Segmenter;
use rayon::prelude::*;
use std::sync::Arc;

/// Changes whenever the same text would give other terms or vectors; part of an index's
/// fingerprint, so that an index made otherwise is rebuilt.
pub(crate) const TEXT_VERSION: u32 = 2;

/// Share of the heading in a passage's vector; the rest is the whole passage.
const HEAD: f32 = 0.4;

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

    /// The same reading of text with a model that knows no word: for shared words alone.
    pub(crate) fn without_model(&self) -> Self {
        Self {
            embedder: Arc::new(Silent {
                dim: self.embedder.dim(),
                fingerprint: ModelFingerprint::of_parts("none", []),
            }),
            segmenter: self.segmenter,
        }
    }

    /// Names the model and the text processing.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{}+text{TEXT_VERSION}", self.embedder.fingerprint().hash())
    }

    /// The index entries of records, in order: all texts are embedded in one go.
    pub(crate) fn entries(&self, records: &[(u64, &Record)]) -> Result<Vec<Entry>, Error> {
        let pieces: Vec<Vec<Piece<'_>>> = records
            .par_iter()
            .map(|(_, r)| Piece::of_record(r))
            .collect();
        let facets = records
            .iter()
            .map(|(key, r)| (*key, Facets::of(r)))
            .collect();
        self.pieces_to_entries(&pieces, facets)
    }

    /// The same of records as they are stored, with the day on which each was last written.
    pub(crate) fn stored_entries(&self, stored: &[StoredRecord]) -> Result<Vec<Entry>, Error> {
        let records: Vec<(u64, &Record)> = stored.iter().map(|s| (s.key.0, &s.record)).collect();
        let mut entries = self.entries(&records)?;
        for (entry, s) in entries.iter_mut().zip(stored) {
            entry.facets.changed = Some(day_of(s.update_time));
        }
        Ok(entries)
    }

    /// The index entries of records given as pieces, with their keys and facets.
    pub(crate) fn pieces_to_entries(
        &self,
        pieces: &[Vec<Piece<'_>>],
        records: Vec<(u64, Facets)>,
    ) -> Result<Vec<Entry>, Error> {
        let flat: Vec<&Piece<'_>> = pieces.iter().flatten().collect();
        let vectors = self.passage_vectors(&flat)?;
        let passages: Vec<Vec<Passage>> = pieces
            .par_iter()
            .map(|ps| ps.iter().map(|p| self.passage(p)).collect())
            .collect();
        let mut row = 0;
        Ok(records
            .into_iter()
            .zip(passages)
            .map(|((key, facets), passages)| {
                let rows = row..row + passages.len();
                row = rows.end;
                Entry {
                    key,
                    facets,
                    passages,
                    vectors: vectors.slice(s![rows, ..]).to_owned(),
                }
            })
            .collect())
    }

    /// Vectors of pieces, `[pieces.len(), dim]`: the whole, drawn towards its heading.
    fn passage_vectors(&self, pieces: &[&Piece<'_>]) -> Result<Array2<f32>, Error> {
        let texts: Vec<String> = pieces.par_iter().map(|p| p.text()).collect();
        let mut vectors = self.embed(&texts, Role::Passage)?;
        let headed: Vec<usize> = (0..pieces.len())
            .filter(|&i| pieces[i].head.is_some() && !pieces[i].body.is_empty())
            .collect();
        let heads: Vec<String> = headed
            .iter()
            .filter_map(|&i| pieces[i].head.as_ref().map(|h| h.text.to_owned()))
            .collect();
        let heads = self.embed(&heads, Role::Passage)?;
        for (row, &i) in headed.iter().enumerate() {
            let mixed = mix(&[(HEAD, heads.row(row)), (1.0 - HEAD, vectors.row(i))]);
            vectors
                .row_mut(i)
                .iter_mut()
                .zip(mixed)
                .for_each(|(v, m)| *v = m);
        }
        Ok(vectors)
    }

    /// Vectors of texts, `[texts.len(), dim]`.
    pub(crate) fn embed<S: AsRef<str>>(
        &self,
        texts: &[S],
        role: Role,
    ) -> Result<Array2<f32>, Error> {
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        Ok(self.embedder.embed(&texts, role)?)
    }

    /// The terms of a piece; a person's name is found by word too.
    fn passage(&self, piece: &Piece<'_>) -> Passage {
        let mut terms = self.segmenter.terms(&piece.indexed());
        if let Some(name) = piece.name {
            let name = self.segmenter.terms(name);
            terms.words.extend(name.words);
            terms.bigrams.extend(name.bigrams);
        }
        Passage {
            words: terms.words,
            bigrams: terms.bigrams,
        }
    }
}

/// A model that knows nothing: every vector is zero.
struct Silent {
    dim: usize,
    fingerprint: ModelFingerprint,
}

impl Embedder for Silent {
    fn dim(&self) -> usize {
        self.dim
    }

    fn fingerprint(&self) -> &ModelFingerprint {
        &self.fingerprint
    }

    fn embed(&self, texts: &[&str], _: Role) -> Result<Array2<f32>, EmbedError> {
        Ok(Array2::zeros((texts.len(), self.dim)))
    }

    fn coverage(&self, _: &str) -> Option<f32> {
        None
    }
}

/// The weighted sum of vectors, at length one; zero when it vanishes.
pub(crate) fn mix(parts: &[(f32, ArrayView1<'_, f32>)]) -> Vec<f32> {
    let dim = parts.first().map_or(0, |p| p.1.len());
    let mut sum = vec![0f32; dim];
    for (weight, v) in parts {
        for (s, x) in sum.iter_mut().zip(v) {
            *s += weight * x;
        }
    }
    let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 1e-6 {
        sum.iter_mut().for_each(|x| *x /= norm);
    } else {
        sum.fill(0.0);
    }
    sum
}

/// The day of a moment, in UTC.
pub(crate) fn day_of(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}
