//! Batches of pairs: what belongs together in a document.

use super::{
    noise::Noise,
    options::TrainOptions,
    pieces::{Entry, Part, Pieces},
    rng::Rng,
};
use rayon::prelude::*;

/// One side of a batch: token ids of all texts, and where each begins and ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) ids: Vec<u32>,
    pub(crate) offsets: Vec<usize>,
}

impl Side {
    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    pub(crate) fn text(&self, i: usize) -> &[u32] {
        &self.ids[self.offsets[i]..self.offsets[i + 1]]
    }
}

/// Aligned pairs: the i-th query belongs to the i-th passage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(crate) queries: Side,
    pub(crate) passages: Side,
    /// Class of each pair's document; 0 for none, or when classes do not matter in this batch.
    pub(crate) classes: Vec<u32>,
}

/// How a side is drawn from a document.
#[derive(Debug, Clone, Copy)]
enum Draw {
    /// The one text of a part.
    Whole(Part),
    /// One text of a part.
    One(Part),
    /// One to four texts of a part.
    Some(Part),
    /// All texts of a part.
    All(Part),
}

/// A kind of pair.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Two draws.
    Two(Draw, Draw),
    /// A span cut out of a text, and the rest of it.
    Cloze(Part),
    /// Two different texts of a part.
    Siblings(Part),
    /// The n-th keyword and its translation.
    Translation,
}

use Draw::{All, One, Some as Few, Whole};
use Part::{Abstract, AbstractEn, Keywords, KeywordsEn, Paragraphs, Title, TitleEn};

/// The kinds of pairs and how often each is drawn where a document allows it.
const KINDS: [(Kind, f32); 22] = [
    (Kind::Two(Whole(Title), Whole(Abstract)), 0.20),
    (Kind::Two(Few(Keywords), Whole(Abstract)), 0.18),
    (Kind::Two(Few(Keywords), Whole(Title)), 0.08),
    (Kind::Cloze(Abstract), 0.16),
    (Kind::Two(One(Paragraphs), Whole(Abstract)), 0.08),
    (Kind::Siblings(Paragraphs), 0.07),
    (Kind::Two(Whole(Title), One(Paragraphs)), 0.07),
    (Kind::Two(Few(Keywords), One(Paragraphs)), 0.06),
    (Kind::Siblings(Keywords), 0.04),
    (Kind::Two(Whole(TitleEn), Whole(AbstractEn)), 0.10),
    (Kind::Cloze(AbstractEn), 0.05),
    (Kind::Two(One(KeywordsEn), Whole(AbstractEn)), 0.03),
    // Across languages.
    (Kind::Two(Whole(TitleEn), Whole(Abstract)), 0.10),
    (Kind::Two(Whole(AbstractEn), Whole(Abstract)), 0.14),
    (Kind::Two(All(KeywordsEn), All(Keywords)), 0.06),
    (Kind::Two(Whole(TitleEn), Whole(Title)), 0.05),
    (Kind::Two(Whole(Title), Whole(AbstractEn)), 0.06),
    (Kind::Two(Few(Keywords), Whole(AbstractEn)), 0.04),
    (Kind::Two(Few(KeywordsEn), Whole(Abstract)), 0.04),
    (Kind::Two(Few(KeywordsEn), Whole(Title)), 0.03),
    (Kind::Two(One(Paragraphs), Whole(AbstractEn)), 0.03),
    (Kind::Translation, 0.04),
];

/// What stands for a document in a pair of one class.
const CLASS_DRAWS: [(Draw, f32); 6] = [
    (Whole(Abstract), 0.4),
    (Whole(Title), 0.2),
    (All(Keywords), 0.1),
    (One(Paragraphs), 0.2),
    (Whole(AbstractEn), 0.2),
    (Whole(TitleEn), 0.1),
];

/// A text must have this many tokens for a span to be cut out of it.
const CLOZE_TOKENS: usize = 40;

/// Draws the batch of a step. Depends on the seed and the step alone.
pub(crate) fn batch(
    sources: &[Pieces],
    weights: &[f32],
    noise: &Noise,
    options: &TrainOptions,
    step: usize,
) -> Batch {
    let mut rng = Rng::new(&[options.seed, 0xba7c, step as u64]);
    let source = rng.weighted(weights).unwrap_or(0);
    let pieces = &sources[source];
    let in_classes = pieces.in_classes();
    let by_class = in_classes.len() >= 8 && rng.unit() < options.class_share;
    let documents: Vec<usize> = if by_class {
        let drawn = rng.distinct(in_classes.len(), options.batch);
        drawn.into_iter().map(|i| in_classes[i] as usize).collect()
    } else {
        rng.distinct(pieces.documents.len(), options.batch)
    };
    let pairs: Vec<Option<(Vec<u32>, Vec<u32>)>> = documents
        .par_iter()
        .enumerate()
        .with_min_len(64)
        .map(|(i, &document)| {
            let mut rng = Rng::new(&[options.seed, 0x9a12, step as u64, i as u64]);
            let (mut query, mut passage) = if by_class {
                class_pair(pieces, document, options, &mut rng)
            } else {
                pair(pieces, &pieces.documents[document], options, &mut rng)
            }?;
            for side in [&mut query, &mut passage] {
                if rng.unit() < options.noise_share {
                    noise.append(side, &mut rng);
                }
            }
            Some((query, passage))
        })
        .collect();
    let mut batch = Batch::default();
    batch.queries.offsets.push(0);
    batch.passages.offsets.push(0);
    for (pair, document) in pairs.into_iter().zip(documents) {
        let Some((query, passage)) = pair else {
            continue;
        };
        batch.classes.push(if by_class {
            pieces.documents[document].class
        } else {
            0
        });
        batch.queries.ids.extend(query);
        batch.queries.offsets.push(batch.queries.ids.len());
        batch.passages.ids.extend(passage);
        batch.passages.offsets.push(batch.passages.ids.len());
    }
    batch
}

fn pair(
    pieces: &Pieces,
    document: &Entry,
    options: &TrainOptions,
    rng: &mut Rng,
) -> Option<(Vec<u32>, Vec<u32>)> {
    let weights = KINDS.map(|(kind, weight)| {
        if possible(kind, pieces, document) {
            weight * emphasis(kind, options)
        } else {
            0.0
        }
    });
    let (kind, _) = KINDS[rng.weighted(&weights)?];
    let drop = options.token_dropout;
    let (query, mut passage) = match kind {
        Kind::Two(first, second) => {
            let query = draw(first, pieces, document, options, rng);
            (query, draw(second, pieces, document, options, rng))
        }
        Kind::Cloze(part) => {
            let text = pieces.text(document.texts(part).start);
            let len = 6 + rng.below((text.len() / 3).min(40));
            let start = rng.below(text.len() - len + 1);
            let mut rest = Vec::new();
            append(&mut rest, &text[..start], options.passage_tokens, drop, rng);
            append(
                &mut rest,
                &text[start + len..],
                options.passage_tokens,
                drop,
                rng,
            );
            (text[start..start + len].to_vec(), rest)
        }
        Kind::Siblings(part) => {
            let texts = document.texts(part);
            let first = rng.below(texts.len());
            let second = (first + 1 + rng.below(texts.len() - 1)) % texts.len();
            let drop = if part == Paragraphs { drop } else { 0.0 };
            let mut sides = [Vec::new(), Vec::new()];
            for (side, at) in sides.iter_mut().zip([first, second]) {
                let text = pieces.text(texts.start + at);
                append(side, text, options.passage_tokens, drop, rng);
            }
            let [query, passage] = sides;
            (query, passage)
        }
        Kind::Translation => {
            let at = rng.below(document.texts(Keywords).len());
            let text = |part| pieces.text(document.texts(part).start + at).to_vec();
            (text(KeywordsEn), text(Keywords))
        }
    };
    if query.is_empty() || passage.is_empty() {
        return None;
    }
    if rng.unit() < options.mask_share {
        // Meaning, not spelling: the second side loses the words of the first, if enough is left.
        let mut words = query.clone();
        words.sort_unstable();
        let left: Vec<u32> = passage
            .iter()
            .copied()
            .filter(|id| words.binary_search(id).is_err())
            .collect();
        if left.len() >= 3 {
            passage = left;
        }
    }
    Some((query, passage))
}

/// Any text of a document, and any text of another one of its class.
fn class_pair(
    pieces: &Pieces,
    document: usize,
    options: &TrainOptions,
    rng: &mut Rng,
) -> Option<(Vec<u32>, Vec<u32>)> {
    let class = pieces.class_of(document);
    let own = class.iter().position(|&d| d as usize == document)?;
    let other = (own + 1 + rng.below(class.len() - 1)) % class.len();
    let mut side = |document: usize| {
        let entry = &pieces.documents[document];
        let weights = CLASS_DRAWS.map(|(draw, weight)| {
            if entry.has(part_of(draw)) {
                weight
            } else {
                0.0
            }
        });
        let (kind, _) = CLASS_DRAWS[rng.weighted(&weights)?];
        let text = draw(kind, pieces, entry, options, rng);
        (!text.is_empty()).then_some(text)
    };
    Some((side(document)?, side(class[other] as usize)?))
}

fn part_of(draw: Draw) -> Part {
    match draw {
        Whole(p) | One(p) | Few(p) | All(p) => p,
    }
}

/// How much more often than by the recipe a kind is drawn.
fn emphasis(kind: Kind, options: &TrainOptions) -> f32 {
    let parts = match kind {
        Kind::Two(a, b) => [part_of(a), part_of(b)],
        Kind::Cloze(p) | Kind::Siblings(p) => [p, p],
        Kind::Translation => [KeywordsEn, Keywords],
    };
    if parts.contains(&Paragraphs) {
        options.paragraph_pairs
    } else if parts.into_iter().all(is_short) {
        options.short_pairs
    } else {
        1.0
    }
}

fn is_short(part: Part) -> bool {
    matches!(part, Title | TitleEn | Keywords | KeywordsEn)
}

fn possible(kind: Kind, pieces: &Pieces, document: &Entry) -> bool {
    match kind {
        Kind::Two(a, b) => document.has(part_of(a)) && document.has(part_of(b)),
        Kind::Cloze(p) => {
            document.has(p) && pieces.text(document.texts(p).start).len() > CLOZE_TOKENS
        }
        Kind::Siblings(p) => document.texts(p).len() > 1,
        Kind::Translation => {
            let n = document.texts(Keywords).len();
            n > 1 && document.texts(KeywordsEn).len() == n
        }
    }
}

fn draw(
    draw: Draw,
    pieces: &Pieces,
    document: &Entry,
    options: &TrainOptions,
    rng: &mut Rng,
) -> Vec<u32> {
    let mut out = Vec::new();
    match draw {
        Whole(p) | One(p) => {
            let texts = document.texts(p);
            let text = pieces.text(texts.start + rng.below(texts.len()));
            let (limit, drop) = match p {
                Keywords | KeywordsEn => (options.query_tokens, 0.0),
                p if is_short(p) => (options.query_tokens, options.token_dropout),
                _ => (options.passage_tokens, options.token_dropout),
            };
            append(&mut out, text, limit, drop, rng);
        }
        Few(p) => {
            let texts = document.texts(p);
            for _ in 0..=rng.below(texts.len().min(4)) {
                let text = pieces.text(texts.start + rng.below(texts.len()));
                append(&mut out, text, options.query_tokens, 0.0, rng);
            }
        }
        All(p) => {
            for number in document.texts(p) {
                append(
                    &mut out,
                    pieces.text(number),
                    options.query_tokens,
                    0.0,
                    rng,
                );
            }
        }
    }
    out
}

/// Appends a text, cut to a random window of `limit` tokens, some of them dropped.
fn append(out: &mut Vec<u32>, text: &[u32], limit: usize, drop: f32, rng: &mut Rng) {
    let window = if text.len() > limit {
        let start = rng.below(text.len() - limit + 1);
        &text[start..start + limit]
    } else {
        text
    };
    if drop > 0.0 {
        out.extend(window.iter().copied().filter(|_| rng.unit() >= drop));
    } else {
        out.extend_from_slice(window);
    }
}
