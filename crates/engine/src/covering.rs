//! Which passage of a record answers each clause of a question.

use crate::{
    quoting::{Answering, Quoter, SHARED_WORDS},
    response::{ClauseMatch, Excerpt},
};
use queqiao_ranking::Clause;
use queqiao_text::{normalise, ruled_out};

/// Of a longer question, the clauses that matter most are answered.
const MAX_ASKED: usize = 24;
/// Fewer characters are a heading or a remnant, which asks for nothing.
const LEAST_CHARS: usize = 5;
/// Of shared words at least so many, and half of what is asked, are needed to count in full.
const LEAST_WORDS: f64 = 3.0;
/// From this strength on a clause counts as answered. A record drawn at random reaches it for .3 %
/// of the clauses of a need of `bdci`, 3.3 % in `cn-patents` and 2.5 % in `chinaxiv-author`; a
/// record that was judged to answer, for 28, 17 and 83 %.
const ANSWERED: f64 = 0.5;

impl Quoter<'_> {
    /// For each clause of the question, in its order, the clause of a record that was read whole that answers it
    /// best, where one is strong enough to answer it at all.
    pub(crate) fn cover(&self, record: &Answering<'_>) -> Vec<ClauseMatch> {
        let (answering, read) = (&record.clauses[..record.of_whole], &record.read);
        let strength = |i: usize, j: usize| {
            let cosine = f64::from(self.read.vectors.row(i).dot(&read.vectors.row(j)));
            let (asks, has) = (&self.read.words[i], &read.words[j]);
            let shared = asks.shared(has) as f64;
            let (asks, has) = (asks.count as f64, has.count as f64);
            let least = asks.min(has).max(asks / 2.0).max(LEAST_WORDS);
            (cosine + SHARED_WORDS * shared / least).clamp(0.0, 1.0)
        };
        self.asking()
            .into_iter()
            .map(|i| {
                if let Some(told) = ruling(&self.asked[i], &self.ruled_out[i], answering) {
                    return told;
                }
                let best = (0..answering.len()).map(|j| (j, strength(i, j))).fold(
                    (0, 0.0),
                    |best, next| if next.1 > best.1 { next } else { best },
                );
                ClauseMatch {
                    asked: Excerpt::of(&self.asked[i]),
                    answer: (best.1 >= ANSWERED).then(|| Excerpt::of(&answering[best.0])),
                    strength: best.1,
                    contradicted: false,
                }
            })
            .collect()
    }

    /// The clauses that ask for something, in the question's order.
    pub(crate) fn requirements(&self) -> Vec<Excerpt> {
        self.asking()
            .into_iter()
            .map(|i| Excerpt::of(&self.asked[i]))
            .collect()
    }

    /// The clauses that ask for something, in the question's order: no headings, and title and
    /// keywords, which the rest says in full, only where there is nothing else.
    fn asking(&self) -> Vec<usize> {
        let long = |c: &Clause<'_>| {
            c.text.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_CHARS
                && !c.text.ends_with(['：', ':'])
        };
        let said_elsewhere = |path: &str| path == "title" || path.starts_with("keywords");
        let mut body: Vec<usize> = (0..self.asked.len())
            .filter(|&i| !said_elsewhere(self.asked[i].path) && long(&self.asked[i]))
            .collect();
        if body.is_empty() {
            body = (0..self.asked.len()).take(1).collect();
        }
        if body.len() > MAX_ASKED {
            body.sort_by(|a, b| self.matter[*b].total_cmp(&self.matter[*a]));
            body.truncate(MAX_ASKED);
            body.sort_unstable();
        }
        body
    }
}

/// What a record says of what a clause rules out: that it has it, or that it does without, too. `None`
/// where the clause rules nothing out, or the record does not speak of it.
fn ruling(
    asked: &Clause<'_>,
    rules_out: &[String],
    answering: &[Clause<'_>],
) -> Option<ClauseMatch> {
    let mut without = None;
    for name in rules_out {
        for c in answering {
            let text = normalise(c.text);
            if !text.contains(name) {
                continue;
            }
            let out = ruled_out(&text);
            let mut places = text.match_indices(name).map(|(at, _)| at);
            let has = places.any(|at| !out.iter().any(|r| r.contains(&at)));
            let told = ClauseMatch {
                asked: Excerpt::of(asked),
                answer: Some(Excerpt::of(c)),
                strength: if has { 0.0 } else { 1.0 },
                contradicted: has,
            };
            if has {
                return Some(told);
            }
            without.get_or_insert(told);
        }
    }
    without
}
