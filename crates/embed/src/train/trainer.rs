//! From a corpus to rows.

use super::{
    checkpoint::{self, Checkpoints, Place},
    composition::Parts,
    document::{Corpus, Document, SourceFacts},
    gate::Gate,
    infonce::info_nce,
    noise::Noise,
    options::TrainOptions,
    pieces::Pieces,
    progress::{Progress, Stage},
    rng::Rng,
    rows::{Occurrences, Rows, Update, sum_texts},
    sampler,
    vocabulary::{Counts, tokenizer_json},
};
use crate::{
    EmbedError,
    model::{ModelFiles, StaticModel},
    tokenizer::{Tokenizer, UnigramTokenizer},
};
use ndarray::{Array2, s};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Fewer documents than this cannot teach anything.
const MIN_DOCUMENTS: usize = 64;
/// Fewer words than this are no vocabulary.
const MIN_VOCABULARY: usize = 64;
/// Documents tokenised at a time.
const CHUNK: usize = 1_024;
/// Steps between two entries of the loss curve.
const CURVE: usize = 100;

/// What a source gave to a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Name and licence.
    pub facts: SourceFacts,
    /// Documents trained on.
    pub documents: usize,
    /// Documents held out.
    pub held_out: usize,
    /// Tokens.
    pub tokens: usize,
}

/// What happened in a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    /// The sources.
    pub sources: Vec<SourceReport>,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Mean loss at intervals: step, loss.
    pub losses: Vec<(usize, f32)>,
    /// Pairs seen.
    pub pairs: u64,
    /// Tokens seen, both sides.
    pub tokens: u64,
    /// What a reader should know: one language only, and the like.
    pub notes: Vec<String>,
    /// The options.
    pub options: TrainOptions,
}

/// A finished training, not yet written.
#[derive(Debug)]
pub struct Trained {
    pub(crate) tokenizer: Vec<u8>,
    /// `[V, d]` flat.
    pub(crate) rows: Vec<f32>,
    pub(crate) dim: usize,
    report: TrainReport,
    gate: Gate,
}

impl Trained {
    /// What happened.
    pub fn report(&self) -> &TrainReport {
        &self.report
    }

    /// The quality gate over the held-out documents.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

/// Trains a static model.
#[derive(Debug)]
pub struct Trainer<'a> {
    corpus: &'a Corpus,
    options: TrainOptions,
    checkpoints: Option<Checkpoints>,
}

/// The documents as training sees them, and the vocabulary.
struct Prepared {
    tokenizer_json: Vec<u8>,
    pieces: Vec<Pieces>,
    noise: Noise,
    weights: Vec<f32>,
    rows: Rows,
    parts: Parts,
    start: Option<Vec<f32>>,
    reports: Vec<SourceReport>,
    notes: Vec<String>,
    held_out: Vec<Document>,
    vocabulary: usize,
}

impl<'a> Trainer<'a> {
    /// A training of a corpus with checked options.
    ///
    /// # Errors
    /// As [`TrainOptions::check`].
    pub fn new(corpus: &'a Corpus, options: TrainOptions) -> Result<Self, EmbedError> {
        options.check()?;
        Ok(Trainer {
            corpus,
            options,
            checkpoints: None,
        })
    }

    /// Saves the state now and then, and goes on from the last one saved.
    pub fn with_checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Runs the training.
    ///
    /// # Errors
    /// What reading the corpus runs into; [`EmbedError::Corpus`] when it cannot train a model;
    /// [`EmbedError::Stopped`] when `progress` says so (after a checkpoint, if there are any).
    pub fn run(&self, progress: &mut dyn Progress) -> Result<Trained, EmbedError> {
        let mut p = self.prepare(progress)?;
        let options = &self.options;
        let identity = checkpoint::identity(options, &p.tokenizer_json)?;
        let mut place = Place::default();
        if let Some(c) = &self.checkpoints
            && let Some((at, rows)) = c.load(&identity)?
        {
            place = at;
            p.rows = rows;
        }
        progress.stage(Stage::Training, options.steps as u64);
        while place.step < options.steps {
            let step = place.step + 1;
            let batch = sampler::batch(&p.pieces, &p.weights, &p.noise, options, step);
            let loss = train_step(
                &mut p.rows,
                &p.parts,
                p.start.as_deref(),
                &batch,
                options,
                step,
            );
            place.step = step;
            place.pairs += batch.queries.len() as u64;
            place.tokens += (batch.queries.ids.len() + batch.passages.ids.len()) as u64;
            let last = step == options.steps;
            place.add_loss(loss, CURVE, last);
            progress.advance(step as u64, Some(loss));
            let stop = progress.stop();
            if let Some(c) = &self.checkpoints
                && (stop || step.is_multiple_of(c.every.max(1)))
                && !last
            {
                c.save(&identity, &place, &p.rows)?;
            }
            if stop && !last {
                return Err(EmbedError::Stopped { step });
            }
        }
        if let Some(c) = &self.checkpoints {
            c.clear()?;
        }
        let rows = self.balanced(&p);
        Ok(Trained {
            tokenizer: p.tokenizer_json,
            rows,
            dim: p.rows.dim,
            report: TrainReport {
                sources: p.reports,
                vocabulary: p.vocabulary,
                losses: place.curve(),
                pairs: place.pairs,
                tokens: place.tokens,
                notes: p.notes,
                options: options.clone(),
            },
            gate: Gate::new(p.held_out),
        })
    }

    /// The rows as they are written. Every head is scaled so that over the texts of a batch it is
    /// as long as the first: then each weighs the same in the length and in a cosine.
    fn balanced(&self, p: &Prepared) -> Vec<f32> {
        let options = &self.options;
        let dim = p.rows.dim;
        let mut rows = p.rows.composed(&p.parts);
        let heads = options.temperatures.len();
        if heads < 2 {
            return rows;
        }
        let batch = sampler::batch(&p.pieces, &p.weights, &p.noise, options, options.steps + 1);
        let width = dim / heads;
        let mut lengths = vec![0.0f64; heads];
        for side in [&batch.queries, &batch.passages] {
            for text in 0..side.len() {
                let mut sum = vec![0.0f32; dim];
                for &id in side.text(text) {
                    let row = &rows[id as usize * dim..(id as usize + 1) * dim];
                    sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
                }
                for (length, head) in lengths.iter_mut().zip(sum.chunks(width)) {
                    *length += f64::from(head.iter().map(|x| x * x).sum::<f32>()).sqrt();
                }
            }
        }
        for row in rows.chunks_mut(dim) {
            for (head, length) in row.chunks_mut(width).zip(&lengths) {
                let scale = (lengths[0] / length.max(1e-9)) as f32;
                head.iter_mut().for_each(|x| *x *= scale);
            }
        }
        rows
    }

    fn prepare(&self, progress: &mut dyn Progress) -> Result<Prepared, EmbedError> {
        let options = &self.options;
        progress.stage(Stage::Counting, 0);
        let mut split = Split::new(options, self.corpus);
        let mut seen = 0u64;
        let counts = Counts::of(self.corpus, options.paragraphs, |source, document| {
            seen += 1;
            progress.advance(seen, None);
            if progress.stop() {
                return Err(EmbedError::Stopped { step: 0 });
            }
            Ok(!split.held_out(source, document))
        })?;
        let notes = check_corpus(&counts)?;

        progress.stage(Stage::Vocabulary, 0);
        let start = match &options.start {
            None => None,
            Some(dir) => Some(read_start(dir, options.temperatures.len())?),
        };
        let (tokenizer_json, tokenizer, rows, parts, start) = match start {
            Some((json, tokenizer, rows)) => {
                let parts = Parts::identity(tokenizer.len());
                let start = (options.pull > 0.0).then(|| rows.value.clone());
                (json, tokenizer, rows, parts, start)
            }
            None => {
                let vocabulary = counts.vocabulary(&options.vocabulary);
                if vocabulary.len() < MIN_VOCABULARY {
                    return Err(EmbedError::Corpus {
                        reason: format!(
                            "only {} words and characters occur {} times or more; give it more text, or lower min_count",
                            vocabulary.len(),
                            options.vocabulary.min_count
                        ),
                    });
                }
                let words: Vec<&str> = vocabulary.iter().map(|p| p.0.as_str()).collect();
                let parts = match options.composition {
                    Some(weights) => Parts::new(&words, weights),
                    None => Parts::identity(words.len()),
                };
                let mut rng = Rng::new(&[options.seed, 0x1417]);
                let value = (0..words.len() * options.dim)
                    .map(|_| rng.normal() * options.start_spread)
                    .collect();
                let json = tokenizer_json(&vocabulary);
                let tokenizer =
                    UnigramTokenizer::new(vocabulary.iter().map(|p| (p.0.as_str(), p.1)));
                let rows = Rows::new(value, options.dim, options.temperatures.len());
                (json, Tokenizer::Unigram(tokenizer), rows, parts, None)
            }
        };
        drop(counts);

        progress.stage(Stage::Tokenising, seen);
        let mut split = Split::new(options, self.corpus);
        let (mut pieces, mut reports, mut held_out) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = 0u64;
        for (i, source) in self.corpus.sources.iter().enumerate() {
            let mut own = Pieces::default();
            let mut chunk: Vec<Document> = Vec::with_capacity(CHUNK);
            let held_before = held_out.len();
            source.visit(&mut |document| {
                seen += 1;
                progress.advance(seen, None);
                if split.held_out(i, &document) {
                    held_out.push(document);
                    return Ok(());
                }
                chunk.push(document);
                if chunk.len() == CHUNK {
                    own.extend(&chunk, &tokenizer, options.paragraphs);
                    chunk.clear();
                }
                Ok(())
            })?;
            own.extend(&chunk, &tokenizer, options.paragraphs);
            own.finish();
            reports.push(SourceReport {
                facts: source.facts(),
                documents: own.documents.len(),
                held_out: held_out.len() - held_before,
                tokens: own.tokens(),
            });
            pieces.push(own);
        }
        // A source without a single pair is never drawn.
        let weights: Vec<f32> = self
            .corpus
            .sources
            .iter()
            .zip(&pieces)
            .map(|(s, p)| {
                if p.documents.len() < 8 {
                    0.0
                } else {
                    s.weight().max(0.0)
                }
            })
            .collect();
        if weights.iter().all(|w| *w <= 0.0) {
            return Err(EmbedError::Corpus {
                reason: "no document has two parts to learn from; a title and an abstract, keywords, or several paragraphs are needed in each".to_owned(),
            });
        }
        Ok(Prepared {
            vocabulary: tokenizer.len(),
            tokenizer_json,
            pieces,
            noise: Noise::new(&tokenizer),
            weights,
            rows,
            parts,
            start,
            reports,
            notes,
            held_out,
        })
    }
}

/// One step: loss and update.
pub(crate) fn train_step(
    rows: &mut Rows,
    parts: &Parts,
    start: Option<&[f32]>,
    batch: &sampler::Batch,
    options: &TrainOptions,
    step: usize,
) -> f32 {
    if batch.queries.len() < 2 {
        return 0.0;
    }
    let v = rows.value.len() / rows.dim;
    let o = Occurrences::new(v, &batch.queries, &batch.passages);
    let gathered = rows.gather(&o, parts);
    let queries = sum_texts(&batch.queries, &o, &gathered, rows.dim);
    let passages = sum_texts(&batch.passages, &o, &gathered, rows.dim);
    let classes = &batch.classes;
    let same = |i: usize, j: usize| classes[i] != 0 && classes[i] == classes[j];
    let any_class = classes.iter().any(|&c| c != 0);
    let width = rows.dim / options.temperatures.len();
    let (mut loss, mut by_query, mut by_passage) = (
        0.0,
        Array2::zeros(queries.dim()),
        Array2::zeros(passages.dim()),
    );
    for (head, &temperature) in options.temperatures.iter().enumerate() {
        let columns = s![.., head * width..(head + 1) * width];
        let gradient = info_nce(
            queries.slice(columns).to_owned(),
            passages.slice(columns).to_owned(),
            temperature,
            any_class.then_some(&same as _),
        );
        loss += gradient.loss / options.temperatures.len() as f32;
        by_query.slice_mut(columns).assign(&gradient.queries);
        by_passage.slice_mut(columns).assign(&gradient.passages);
    }
    let update = Update {
        rate: options.rate(step),
        pull: start.map(|s| (s, options.pull)),
    };
    rows.update(&o, parts, &by_query, &by_passage, update);
    loss
}

/// Which documents are held out: by a hash of the id, so that it does not depend on their order.
struct Split {
    share: f32,
    /// How many more of each source.
    left: Vec<usize>,
}

impl Split {
    fn new(options: &TrainOptions, corpus: &Corpus) -> Self {
        Split {
            share: options.held_out,
            left: corpus
                .sources
                .iter()
                .map(|s| if s.gated() { options.held_out_max } else { 0 })
                .collect(),
        }
    }

    fn held_out(&mut self, source: usize, document: &Document) -> bool {
        let key = if document.id.is_empty() {
            &document.abstract_text
        } else {
            &document.id
        };
        let hash = blake3::hash(key.as_bytes());
        let at = hash
            .as_bytes()
            .first_chunk()
            .map_or(0, |b| u32::from_le_bytes(*b));
        let held = (at as f32) < self.share * u32::MAX as f32 && self.left[source] > 0;
        self.left[source] -= usize::from(held);
        held
    }
}

/// Refuses what cannot train a model; notes what a reader should know.
fn check_corpus(counts: &Counts) -> Result<Vec<String>, EmbedError> {
    let refuse = |reason: String| Err(EmbedError::Corpus { reason });
    if counts.documents < MIN_DOCUMENTS {
        return refuse(format!(
            "it has {} documents and at least {MIN_DOCUMENTS} are needed (some thousands for a useful model); add files, or adapt an existing model instead",
            counts.documents
        ));
    }
    if counts.distinct * 2 < counts.documents {
        return refuse(format!(
            "of {} documents only {} begin differently; remove the repeated ones",
            counts.documents, counts.distinct
        ));
    }
    let (han, latin) = (counts.han, counts.latin);
    if han + latin == 0 {
        return refuse(
            "it has neither Chinese nor Latin text, the scripts this model reads".to_owned(),
        );
    }
    let mut notes = Vec::new();
    if han * 50 < latin {
        notes.push("Nearly all text is English: the model will not understand Chinese.".to_owned());
    } else if latin * 50 < han {
        notes.push("Nearly all text is Chinese: the model will not understand English.".to_owned());
    }
    Ok(notes)
}

/// The vocabulary and rows of a model to go on from.
fn read_start(dir: &Path, heads: usize) -> Result<(Vec<u8>, Tokenizer, Rows), EmbedError> {
    let files = ModelFiles::read(dir)?;
    let tokenizer = Tokenizer::from_json(&files.tokenizer, &files.path("tokenizer.json"))?;
    let json = files.tokenizer.clone();
    let model = StaticModel::from_files(files, "start".to_owned())?;
    let (dim, rows) = model.rows();
    if dim % heads != 0 {
        return Err(EmbedError::Option {
            option: "temperatures",
            reason: format!(
                "{heads} heads cannot share the {dim} columns of the model to go on from"
            ),
        });
    }
    Ok((json, tokenizer, Rows::new(rows, dim, heads)))
}
