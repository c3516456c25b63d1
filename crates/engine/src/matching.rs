//! From a question to ranked candidates.

use crate::{Error, activity::Activities, question::Question, response::FigureMatch};
use queqiao_domain::{Date, Facets, Filter, Score, Visibility};
use queqiao_ranking::{
    Asker, Feature, Neighbours, Scorer, Signals, Values, Weights, centre, features,
};
use queqiao_retrieval::{Candidate, Consistency, Index, Mode, Query, SearchResult};
use queqiao_store::StoredRecord;
use std::cmp::Ordering;

/// Candidates of each list, by meaning and by words, beyond those that are wanted. With 150 in all the
/// ten best of 156 real needs over 8,231 records were the same, scores included, as with 1,000.
const MORE_CANDIDATES: usize = 500;

/// So many of the best are compared with each other, however many are listed: the rank that is told does not
/// depend on it.
pub(crate) const NEIGHBOURS_AMONG: usize = 100;

/// A candidate with its score.
pub(crate) struct Ranked {
    pub(crate) candidate: Candidate,
    pub(crate) score: Score,
    pub(crate) values: Values,
    /// What was read of it to rank it, if it was.
    pub(crate) read: Option<Box<Read>>,
}

/// What was read of a record.
pub(crate) struct Read {
    pub(crate) stored: StoredRecord,
    /// What it says of the figures that are asked for, if that was looked for.
    pub(crate) figures: Option<Vec<FigureMatch>>,
}

/// What a ranking is asked for.
pub(crate) struct Ranking<'a> {
    pub(crate) question: &'a Question,
    pub(crate) filter: &'a Filter,
    pub(crate) admit: &'a (dyn Fn(u64, &Facets) -> bool + Sync),
    pub(crate) mode: Mode,
    pub(crate) wanted: usize,
    pub(crate) weights: &'a Weights,
    /// The caller may read sealed records; else what a sealed one is like counts as unknown, but for what everybody
    /// may know: a draft that asks again and again would find it out.
    pub(crate) sees_sealed: bool,
    /// The day of the question, where deadlines and freshness count.
    pub(crate) today: Option<Date>,
    /// What came of each so far, where weights ask for it.
    pub(crate) activities: Option<&'a Activities>,
    /// What weighs nothing is told too, so that weights can be fitted to it.
    pub(crate) every_feature: bool,
}

impl Ranking<'_> {
    /// Ranked candidates, best first, ties in order of id; at least `wanted` where so many are
    /// admitted. The rest of the search result comes along, its candidates taken out.
    pub(crate) fn run(&self, index: &dyn Index) -> Result<(Vec<Ranked>, SearchResult), Error> {
        let mut found = index.search(&Query {
            vectors: &self.question.vectors,
            passages: &self.question.passages,
            filter: self.filter,
            admit: self.admit,
            mode: self.mode,
            candidates: self.wanted.saturating_add(MORE_CANDIDATES),
            consistency: Consistency::Latest,
        })?;
        let asker = Asker {
            facets: self.question.facets.as_ref(),
            today: self.today,
        };
        let scorer = Scorer::new(self.weights);
        let (dense, lexical) = (self.mode != Mode::Lexical, self.mode != Mode::Dense);
        let mut ranked: Vec<Ranked> = std::mem::take(&mut found.candidates)
            .into_iter()
            .map(|candidate| {
                let signals = Signals {
                    dense_best: dense.then_some(candidate.dense.best),
                    dense_coverage: dense.then_some(candidate.dense.coverage),
                    dense_three: dense.then_some(candidate.dense.three),
                    dense_profile: dense.then_some(candidate.dense.profile),
                    words: lexical.then_some(candidate.lexical.words),
                    bigrams: lexical.then_some(candidate.lexical.bigrams),
                    best_words: found.best_words,
                    best_bigrams: found.best_bigrams,
                    record_words: lexical.then_some(candidate.lexical.record_words),
                    record_bigrams: lexical.then_some(candidate.lexical.record_bigrams),
                    best_record_words: found.best_record_words,
                    best_record_bigrams: found.best_record_bigrams,
                    activity: self
                        .activities
                        .map(|a| a.get(&candidate.id).copied().unwrap_or_default()),
                };
                let facets = &candidate.facets;
                let values = match self.hides(&candidate) {
                    true => features(asker, &signals, &facets.openly()),
                    false => features(asker, &signals, facets),
                };
                Ranked {
                    score: scorer.score(&values),
                    candidate,
                    values,
                    read: None,
                }
            })
            .collect();
        ranked.sort_by(by_score);
        if dense {
            self.compare_the_best(index, &scorer, &mut ranked)?;
        }
        Ok((ranked, found))
    }

    /// Compares the best with each other: lifts those whose like answer better, tells how near each is to all of them,
    /// and ranks them anew. Of the others it is unknown, which never lifts one past them.
    fn compare_the_best(
        &self,
        index: &dyn Index,
        scorer: &Scorer,
        ranked: &mut [Ranked],
    ) -> Result<(), Error> {
        let weighs = |f: &Feature| self.weights.get(*f) > 0.0;
        if !self.every_feature && !Feature::AMONG.iter().any(weighs) {
            return Ok(());
        }
        let n = ranked.len().min(NEIGHBOURS_AMONG);
        let best = &mut ranked[..n];
        // A sealed one would be found out by who is like it.
        let open: Vec<usize> = (0..n)
            .filter(|i| !self.hides(&best[*i].candidate))
            .collect();
        let candidates: Vec<&Candidate> = open.iter().map(|i| &best[*i].candidate).collect();
        let alike = index.alike(&candidates)?;
        let alike = |i: usize, j: usize| f64::from(alike[[i, j]]);
        for (i, cosine) in open.iter().zip(centre(open.len(), alike)) {
            best[*i].values[Feature::DenseCentre as usize] = Some(cosine);
        }
        let near = Neighbours::new(open.len(), alike);
        for (feature, of) in [
            (Feature::DenseNeighbours, Feature::DenseProfile),
            (Feature::BigramsNeighbours, Feature::RecordBigrams),
        ] {
            let answers: Option<Vec<f64>> =
                open.iter().map(|i| best[*i].values[of as usize]).collect();
            for (i, lift) in open.iter().zip(answers.iter().flat_map(|a| near.lift(a))) {
                best[*i].values[feature as usize] = Some(lift);
            }
        }
        for r in best.iter_mut() {
            r.score = scorer.score(&r.values);
        }
        best.sort_by(by_score);
        Ok(())
    }

    /// Whether the caller may not know what a candidate is like.
    fn hides(&self, candidate: &Candidate) -> bool {
        !self.sees_sealed && candidate.facets.visibility == Visibility::Sealed
    }
}

/// Best first, ties in order of id.
pub(crate) fn by_score(a: &Ranked, b: &Ranked) -> Ordering {
    let by_id = || a.candidate.id.cmp(&b.candidate.id);
    b.score.cmp(&a.score).then_with(by_id)
}
