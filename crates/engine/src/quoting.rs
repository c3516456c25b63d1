//! The passage that earned a match, verbatim.

use crate::{
    Error,
    entry::TextPipeline,
    piece::{Field, Piece},
    question::Question,
    response::{Excerpt, Quote},
};
use ndarray::Array2;
use queqiao_embed::Role;
use queqiao_ranking::{Clause, best_pair, split_clauses};
use queqiao_text::{normalise, ruled_out};
use std::{collections::HashMap, ops::Range};

/// Of a longer question or passage, the first so many clauses are compared.
const MAX_CLAUSES: usize = 64;
/// Of a longer record, the first so many clauses are compared.
const MAX_ANSWERING: usize = 600;
/// How much shared words count beside meaning: a quote should show the reader why.
pub(crate) const SHARED_WORDS: f64 = 0.5;

/// A clause of this many characters says enough to stand as a reason; a shorter one counts less.
const TELLING: f64 = 14.0;

/// A question's clauses, read once for all its matches.
pub(crate) struct Quoter<'a> {
    pipeline: &'a TextPipeline,
    pub(crate) asked: Vec<Clause<'a>>,
    /// The words of all of them, numbered.
    numbers: HashMap<String, u32>,
    pub(crate) read: Clauses,
    /// How much of the matter each clause is: 1 for the title and what is nearest to it. A need
    /// also speaks of its company's awards, and an award answers nothing.
    pub(crate) matter: Vec<f64>,
    /// What each clause rules out, in normal form.
    pub(crate) ruled_out: Vec<Vec<String>>,
}

/// Clauses as they are compared.
pub(crate) struct Clauses {
    /// A row each.
    pub(crate) vectors: Array2<f32>,
    pub(crate) words: Vec<Words>,
}

/// The clauses of a record.
pub(crate) struct Answering<'r> {
    pub(crate) clauses: Vec<Clause<'r>>,
    pub(crate) read: Clauses,
    /// The first so many are those of the whole record.
    pub(crate) of_whole: usize,
    /// Where those of the piece to be quoted stand.
    quoted: Vec<usize>,
}

/// The words of a clause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// How many different ones.
    pub(crate) count: usize,
    /// Those of them that the question has, by their numbers, in order.
    asked: Vec<u32>,
}

impl Words {
    /// How many different words two clauses share, one of which at least is the question's.
    pub(crate) fn shared(&self, other: &Self) -> usize {
        let has = |n: &&u32| other.asked.binary_search(n).is_ok();
        self.asked.iter().filter(has).count()
    }
}

impl<'a> Quoter<'a> {
    pub(crate) fn new(pipeline: &'a TextPipeline, question: &'a Question) -> Result<Self, Error> {
        let fields = question
            .fields
            .iter()
            .map(|(p, t)| (p.as_str(), t.as_str(), 0));
        let asked = split_clauses(fields, MAX_CLAUSES);
        let mut numbers = HashMap::new();
        for word in asked.iter().flat_map(|c| pipeline.segmenter.words(c.text)) {
            let next = numbers.len() as u32;
            numbers.entry(word).or_insert(next);
        }
        let read = read(pipeline, &numbers, &asked, Role::Query)?;
        let ruled_out = |c: &Clause<'_>| {
            let each = ruled_out(c.text).into_iter();
            each.map(|r| normalise(&c.text[r])).collect()
        };
        Ok(Self {
            pipeline,
            matter: matter(&asked, &read.vectors),
            ruled_out: asked.iter().map(ruled_out).collect(),
            asked,
            numbers,
            read,
        })
    }

    /// Reads the clauses of a record, given by its pieces: those of the piece at one place, to quote it, and all of
    /// them, where it is to be covered.
    ///
    /// # Errors
    /// The model fails.
    pub(crate) fn read_record<'r>(
        &self,
        pieces: &'r [Piece<'r>],
        quoted: Option<usize>,
        whole: bool,
    ) -> Result<Answering<'r>, Error> {
        let mut clauses: Vec<Clause<'r>> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        let mut head = 0..0;
        for (at, piece) in pieces.iter().enumerate().filter(|_| whole) {
            // A heading that is repeated was read with the piece before.
            if !piece.goes_on {
                head = add(&mut clauses, piece.head.as_slice(), MAX_ANSWERING);
            }
            let body = add(&mut clauses, &piece.body, MAX_ANSWERING);
            if quoted == Some(at) {
                places = head.clone().chain(body).collect();
            }
        }
        let of_whole = clauses.len();
        // By itself, where nothing else is read or the whole ended before it.
        if !whole || of_whole == MAX_ANSWERING {
            let piece = quoted.and_then(|at| pieces.get(at));
            if let Some(piece) = piece {
                let most = of_whole + MAX_CLAUSES;
                add(&mut clauses, piece.head.as_slice(), most);
                add(&mut clauses, &piece.body, most);
                places = (of_whole..clauses.len()).collect();
            }
        }
        places.truncate(MAX_CLAUSES);
        let read = read(self.pipeline, &self.numbers, &clauses, Role::Passage)?;
        Ok(Answering {
            clauses,
            read,
            of_whole,
            quoted: places,
        })
    }

    /// The clause of the piece to be quoted that best answers a clause of the question, by
    /// meaning and shared words. `None` when nothing is similar at all.
    pub(crate) fn quote(&self, record: &Answering<'_>) -> Option<Quote> {
        let places = &record.quoted;
        let similarity = |i: usize, j: usize| {
            let j = places[j];
            let cosine = f64::from(self.read.vectors.row(i).dot(&record.read.vectors.row(j)));
            let (asks, has) = (&self.read.words[i], &record.read.words[j]);
            let shared = asks.shared(has) as f64;
            let least = asks.count.min(has.count).max(1) as f64;
            let telling = |c: &Clause<'_>| ((c.end - c.start) as f64 / TELLING).min(1.0);
            let weight = 0.5 + 0.25 * (telling(&self.asked[i]) + telling(&record.clauses[j]));
            (cosine + SHARED_WORDS * shared / least.max(4.0)) * weight * self.matter[i]
        };
        let best = best_pair(self.asked.len(), places.len(), similarity);
        best.map(|(i, j)| Quote {
            excerpt: Excerpt::of(&record.clauses[places[j]]),
            asked: Some(Excerpt::of(&self.asked[i])),
        })
    }
}

/// Adds the clauses of fields until there are `most`; where they stand.
fn add<'r>(clauses: &mut Vec<Clause<'r>>, fields: &'r [Field<'r>], most: usize) -> Range<usize> {
    let from = clauses.len();
    let fields = fields.iter().map(|f| (f.path.as_str(), f.text, f.start));
    clauses.extend(split_clauses(fields, most.saturating_sub(from)));
    from..clauses.len()
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

fn read(
    pipeline: &TextPipeline,
    numbers: &HashMap<String, u32>,
    clauses: &[Clause<'_>],
    role: Role,
) -> Result<Clauses, Error> {
    let texts: Vec<&str> = clauses.iter().map(|c| c.text).collect();
    let words = |text: &&str| {
        let mut words = pipeline.segmenter.words(text);
        words.sort_unstable();
        words.dedup();
        let known = words.iter().filter_map(|w| numbers.get(w).copied());
        let mut asked: Vec<u32> = known.collect();
        asked.sort_unstable();
        Words {
            count: words.len(),
            asked,
        }
    };
    Ok(Clauses {
        vectors: pipeline.embed(&texts, role)?,
        words: texts.iter().map(words).collect(),
    })
}
